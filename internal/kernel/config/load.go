package config

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"quittance/internal/kernel/errs"
)

const (
	prefix     = "QUITTANCE_"
	testPrefix = prefix + "TEST_"
	fileSuffix = "_FILE"
)

// problems collects what is wrong, by the name that the user wrote or may write.
type problems struct{ errs.Problems }

func (p *problems) add(name, sentence string) { p.Add(name, "setting", sentence) }

// err is nil, or one Invalid error whose message lists everything.
func (p *problems) err() error {
	if len(p.Fields()) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("The settings have problems:")
	for _, f := range p.Fields() {
		fmt.Fprintf(&b, "\n  %s %s", f.Path, f.Message)
	}
	e := errs.New(errs.Invalid, "settings", b.String())
	e.Fields = p.Fields()
	return e
}

// Split finds the command at the start of a command line (without the program's
// name); a command may be two words. Without one it gives flag.ErrHelp, and so it
// does for help, -h and --help, with the command that is named behind them.
func Split(line []string) (command string, args []string, err error) {
	if len(line) == 0 {
		return "", nil, flag.ErrHelp
	}
	switch line[0] {
	case "help", "-h", "-help", "--help":
		if command = strings.Join(line[1:], " "); command == "" || isCommand(command) {
			return command, nil, flag.ErrHelp
		}
		return "", nil, unknownCommand(command)
	case "-version", "--version":
		return "version", line[1:], nil
	}
	for _, words := range []int{2, 1} {
		if words <= len(line) {
			if name := strings.Join(line[:words], " "); isCommand(name) {
				return name, line[words:], nil
			}
		}
	}
	words := line[:1]
	if len(line) > 1 && !strings.HasPrefix(line[1], "-") {
		words = line[:2]
	}
	return "", nil, unknownCommand(strings.Join(words, " "))
}

func isCommand(name string) bool {
	for _, c := range commands {
		if c.name == name {
			return true
		}
	}
	return false
}

func unknownCommand(name string) error {
	var names, longer []string
	for _, c := range commands {
		names = append(names, c.name)
		if strings.HasPrefix(c.name, name+" ") {
			longer = append(longer, c.name)
		}
	}
	if len(longer) > 0 {
		return errs.Newf(errs.Invalid, "command", "%q is half a command: %s. See quittance help.", name, strings.Join(longer, ", "))
	}
	return errs.Newf(errs.Invalid, "command", "There is no command %q.%s See quittance help.", name, meant(name, names, ""))
}

// Load reads the settings of a command from its arguments and from an environment of
// NAME=value lines. It gives flag.ErrHelp when the arguments ask for help, and else
// one error with all problems.
func Load(command string, args []string, environ []string) (Config, error) {
	if !isCommand(command) {
		return Config{}, unknownCommand(command)
	}
	all := settings()
	c := Config{Command: command}
	var p problems
	flags, operands, err := readFlags(command, all, args, &p)
	if err != nil {
		return Config{}, err
	}
	c.Operands = operands
	variables := readVariables(all, environ, &p)
	for _, s := range all {
		if !slices.Contains(s.on, command) {
			continue
		}
		name, value, ok := s.lookup(flags, variables, &p)
		if preset := s.preset(command); !ok {
			value = preset
		} else if value == "" && preset != "" {
			p.add(name, "must not be empty.")
			continue
		}
		if value == "" {
			continue // an empty flag hides the variable
		}
		if err := s.set(&c, value); err != nil {
			p.add(name, err.Error()+".")
		}
	}
	// Settings that contradict each other are told by their flags.
	c.check(func(flag, sentence string) {
		for _, f := range p.Fields() {
			for _, s := range all {
				if s.flag == flag && (f.Path == "--"+flag || strings.TrimSuffix(f.Path, fileSuffix) == s.variable()) {
					return // what it says about itself comes first
				}
			}
		}
		p.add("--"+flag, sentence)
	})
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// lookup gives a setting's text with the name that it was given by. A flag counts more
// than a variable, and a variable more than a file that a variable names. Text that
// cannot be had, because of its file, is a problem.
func (s *setting) lookup(flags, variables map[string]string, p *problems) (name, value string, ok bool) {
	if value, ok := flags["--"+s.flag]; ok {
		return "--" + s.flag, value, true
	}
	name = s.variable()
	file := ""
	if s.secret {
		file = variables[name+fileSuffix]
	}
	value, ok = variables[name]
	if file == "" {
		return name, value, ok
	}
	if ok {
		p.add(name, "is given twice: as it is, and by "+name+fileSuffix+".")
		return name, value, true
	}
	b, err := os.ReadFile(file)
	if value = strings.TrimRight(string(b), "\r\n"); err == nil && value == "" {
		err = errors.New(file + " is empty")
	}
	if err != nil {
		p.add(name+fileSuffix, "names a file that cannot be used: "+err.Error()+".")
		return name, "", false
	}
	return name + fileSuffix, value, true
}

// readFlags collects the flags of a command line by "--name", and what else it has.
// It reads what package flag reads (-name and --name, =value or the next word, flags
// after operands too), but goes on after the first mistake.
func readFlags(command string, all []setting, args []string, p *problems) (given map[string]string, operands []string, err error) {
	given = map[string]string{}
	mine, others := map[string]*setting{}, map[string]bool{}
	for i, s := range all {
		if slices.Contains(s.on, command) {
			mine["--"+s.flag] = &all[i]
		} else {
			others["--"+s.flag] = true
		}
	}
	unknown := false
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "--" {
			operands = append(operands, args...)
			break
		}
		if len(word) < 2 || word[0] != '-' {
			operands = append(operands, word)
			continue
		}
		name, value, hasValue := strings.Cut(word, "=")
		if !strings.HasPrefix(name, "--") {
			name = "-" + name
		}
		s := mine[name]
		switch {
		case s == nil && (name == "--help" || name == "--h"):
			return nil, nil, flag.ErrHelp
		case s == nil && others[name]:
			p.add(name, "is no setting of "+command+".")
			unknown = true
		case s == nil:
			p.add(name, "is unknown."+meant(name, slices.Sorted(maps.Keys(mine)), "--"))
			unknown = true
		case s.value == "" && !hasValue:
			given[name] = "true"
		case !hasValue && len(args) == 0:
			p.add(name, "is missing its value.")
		case !hasValue:
			given[name], args = args[0], args[1:]
		default:
			given[name] = value
		}
	}
	want := 0
	for _, c := range commands {
		if c.name == command && c.operands != "" {
			want = 1
			if len(operands) == 0 {
				p.add(c.operands, "is missing: "+command+" needs its name.")
			}
		}
	}
	if len(operands) > want && !unknown { // else it may be the value of what is unknown
		p.add(operands[want], "is one word too many for "+command+".")
	}
	return given, operands, nil
}

// readVariables collects the variables that have our prefix and a value.
func readVariables(all []setting, environ []string, p *problems) map[string]string {
	var known []string
	for _, s := range all {
		known = append(known, s.variable())
		if s.secret {
			known = append(known, s.variable()+fileSuffix)
		}
	}
	given := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		switch {
		case !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, testPrefix):
		case !slices.Contains(known, name):
			p.add(name, "is unknown."+meant(name, known, prefix))
		case value != "":
			given[name] = value
		}
	}
	return given
}

// meant is a suggestion of the known name that is nearest to one, if any is near. The
// names' common beginning does not count.
func meant(name string, known []string, common string) string {
	short := strings.TrimPrefix(name, common)
	best, nearest := "", max(2, len(short)/3)+1
	for _, k := range known {
		if d := distance(short, strings.TrimPrefix(k, common)); d < nearest {
			best, nearest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + best + "?"
}

// distance is how many letters to insert, remove, replace or swap with their
// neighbour make one text the other.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}

// Usage tells what a command takes, or, for "", which commands there are.
func Usage(command string) string {
	var b strings.Builder
	if command == "" {
		b.WriteString("quittance is a self-hosted spend server.\n\nUsage: quittance <command> [flags]\n\n")
		for _, c := range commands {
			fmt.Fprintf(&b, "  %-16s %s\n", c.name, c.doc)
		}
		b.WriteString("\nquittance <command> --help shows the flags of a command.\n")
		return b.String()
	}
	for _, c := range commands {
		if c.name == command {
			operands := ""
			if c.operands != "" {
				operands = " <" + c.operands + ">"
			}
			fmt.Fprintf(&b, "%s\n\nUsage: quittance %s [flags]%s\n", c.doc, command, operands)
		}
	}
	first := true
	for _, s := range settings() {
		if !slices.Contains(s.on, command) {
			continue
		}
		if first {
			b.WriteString("\nA flag counts more than its variable. A variable with [_FILE] at its end\nmay name a file that holds the value.\n")
			first = false
		}
		file := ""
		if s.secret {
			file = "[" + fileSuffix + "]"
		}
		value := ""
		if s.value != "" {
			value = " <" + s.value + ">"
		}
		fmt.Fprintf(&b, "\n  --%s%s  (%s%s)\n", s.flag, value, s.variable(), file)
		fmt.Fprintf(&b, "      %s", s.doc)
		if d := s.preset(command); d != "" {
			fmt.Fprintf(&b, " Default: %s.", d)
		}
		b.WriteString("\n")
	}
	return b.String()
}
