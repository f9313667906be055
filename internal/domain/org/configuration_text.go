package org

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const configurationHeader = `# A company's configuration. Records are known by their codes and names; amounts are in
# the company's currency. A section that is left out stays as it is.
`

// Text writes a settled configuration as a file: the same configuration always as the
// same text.
func (c *Configuration) Text() []byte {
	w := &yamlWriter{}
	w.b.WriteString(configurationHeader)
	w.sections(reflect.ValueOf(c.shortened()).Elem())
	return []byte(w.b.String())
}

// shortened writes what goes without saying as nothing: "all", and rows of fields that
// are alike as one.
func (c *Configuration) shortened() *Configuration {
	short := *c
	short.Forms = slices.Clone(c.Forms)
	for i := range short.Forms {
		short.Forms[i].Fields = joinFields(short.Forms[i].Fields)
	}
	short.Groups = slices.Clone(c.Groups)
	for i := range short.Groups {
		g := &short.Groups[i]
		if g.PaymentTypes != nil && len(*g.PaymentTypes) == len(c.PaymentTypes) {
			g.PaymentTypes = nil
		}
		g.Policies = slices.Clone(g.Policies)
		for j := range g.Policies {
			p := &g.Policies[j]
			if p.Types != nil && len(*p.Types) == len(c.ExpenseTypes) && !slices.ContainsFunc(*p.Types, func(t filePolicyType) bool { return !t.plain() }) {
				p.Types = nil
			}
		}
	}
	short.Lists = slices.Clone(c.Lists)
	for i := range short.Lists {
		if short.Lists[i].Connector == "" {
			short.Lists[i].Threshold = 0
		}
	}
	return &short
}

// joinFields writes neighbours that differ by their number alone as one row.
func joinFields(fields []fileField) []fileField {
	var joined []fileField
	for i := 0; i < len(fields); {
		stem, first, _ := fieldRange(fields[i].Name)
		pattern := fields[i]
		pattern.Label = strings.ReplaceAll(pattern.Label, strconv.Itoa(first), "{n}")
		n := 1
		for ; i+n < len(fields); n++ {
			number := strconv.Itoa(first + n)
			like := pattern
			like.Name, like.Label = stem+number, strings.ReplaceAll(pattern.Label, "{n}", number)
			if fields[i+n] != like {
				break
			}
		}
		one := fields[i]
		if n > 1 {
			one = pattern
			one.Name = stem + strconv.Itoa(first) + ".." + strconv.Itoa(first+n-1)
		}
		if one.Length == plainLength {
			one.Length = 0
		}
		if one.Type == string(ConnectedListField) { // which has its parent's
			one.List = ""
		}
		joined = append(joined, one)
		i += n
	}
	return joined
}

// yamlWriter writes structs as YAML: a record that has no others below it on one line.
type yamlWriter struct{ b strings.Builder }

// sections writes every member, the empty ones too: lists of records, and single ones.
func (w *yamlWriter) sections(v reflect.Value) {
	for i := range v.NumField() {
		w.b.WriteString("\n" + v.Type().Field(i).Tag.Get("yaml") + ":")
		if section := v.Field(i); section.Kind() == reflect.Slice {
			w.list(section, "  ")
		} else {
			w.b.WriteString(" ")
			w.inline(section.Elem())
			w.b.WriteString("\n")
		}
	}
}

// list writes the items of a list on lines of their own.
func (w *yamlWriter) list(items reflect.Value, indent string) {
	if items.Len() == 0 {
		w.b.WriteString(" []\n")
		return
	}
	w.b.WriteString("\n")
	for i := range items.Len() {
		w.b.WriteString(indent + "- ")
		if item := items.Index(i); flat(item) {
			w.inline(item)
			w.b.WriteString("\n")
		} else {
			w.members(item, indent+"  ")
		}
	}
}

// members writes a record with its members on lines of their own; the first stands
// where the writer is.
func (w *yamlWriter) members(v reflect.Value, indent string) {
	first := true
	for i := range v.NumField() {
		m, name := indirect(v.Field(i)), v.Type().Field(i).Tag.Get("yaml")
		if name == "-" || !m.IsValid() || !said(v.Field(i), name) {
			continue
		}
		if !first {
			w.b.WriteString(indent)
		}
		first = false
		w.b.WriteString(name + ":")
		if m.Kind() == reflect.Slice && !inlined(m) {
			w.list(m, indent+"  ")
			continue
		}
		w.b.WriteString(" ")
		w.inline(m)
		w.b.WriteString("\n")
	}
}

// said reports whether a member is written: a list of items always, and "none of them"
// where nothing would mean all.
func said(v reflect.Value, name string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil()
	case reflect.Slice:
		return v.Len() > 0 || name == "items"
	}
	return !v.IsZero()
}

func indirect(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		return v.Elem()
	}
	return v
}

// flat reports whether a record fits on one line: it has no list of records that have
// names of their own.
func flat(v reflect.Value) bool {
	for i := range v.NumField() {
		m := indirect(v.Field(i))
		if m.IsValid() && m.Kind() == reflect.Slice && !inlined(m) && said(v.Field(i), v.Type().Field(i).Tag.Get("yaml")) {
			return false
		}
	}
	return true
}

// inlined reports whether a list is written on one line.
func inlined(list reflect.Value) bool {
	switch list.Interface().(type) {
	case []string, []filePolicyType, []fileApproval:
		return true
	}
	return false
}

// inline writes a value on one line.
func (w *yamlWriter) inline(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		w.b.WriteString(scalar(v.String()))
	case reflect.Bool:
		w.b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int64:
		w.b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Slice:
		w.b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				w.b.WriteString(", ")
			}
			w.inline(v.Index(i))
		}
		w.b.WriteString("]")
	case reflect.Map:
		w.b.WriteString("{")
		m := v.Interface().(map[string]string)
		for i, k := range sortedKeys(m) {
			if i > 0 {
				w.b.WriteString(", ")
			}
			w.b.WriteString(k + ": " + scalar(m[k]))
		}
		w.b.WriteString("}")
	case reflect.Struct:
		if t, ok := v.Interface().(filePolicyType); ok && t.plain() {
			w.b.WriteString(scalar(t.Code))
			return
		}
		w.b.WriteString("{")
		first := true
		for i := range v.NumField() {
			m, name := indirect(v.Field(i)), v.Type().Field(i).Tag.Get("yaml")
			if name == "-" || !m.IsValid() || !said(v.Field(i), name) {
				continue
			}
			if !first {
				w.b.WriteString(", ")
			}
			first = false
			w.b.WriteString(name + ": ")
			w.inline(m)
		}
		w.b.WriteString("}")
	default:
		panic("org: a configuration has no text for a " + v.Kind().String())
	}
}

// scalar writes a text so that it is read as that text: bare where nobody can take it
// for anything else. What Go quotes is YAML too.
func scalar(s string) string {
	if s == "" {
		return `""`
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		inside := i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '/' || (c == ' ' || c == '-' || c == '.') && i < len(s)-1)
		if !letter && !inside {
			return strconv.Quote(s)
		}
	}
	switch strings.ToLower(s) {
	case "y", "yes", "n", "no", "true", "false", "on", "off", "null", "nan", "inf":
		return strconv.Quote(s)
	}
	return s
}
