package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/store"
)

// runConfigFile prints what a company has set up as YAML, shows what a file would
// change of it, or changes it.
func runConfigFile(ctx context.Context, c config.Config, out io.Writer, log *slog.Logger) error {
	var want *org.Configuration
	if len(c.Operands) > 0 {
		text, err := os.ReadFile(c.Operands[0])
		if err != nil {
			return fmt.Errorf("the file cannot be read: %w", err)
		}
		if want, err = org.ReadConfiguration(text); err != nil {
			return err
		}
	}
	return offline(ctx, c, log, func(a *App) error {
		switch c.Command {
		case "config export":
			return a.exportConfiguration(ctx, c.New.Company, out)
		case "config plan":
			return a.planConfiguration(ctx, c.New.Company, want, out)
		}
		return a.applyConfiguration(ctx, c.New.Company, want, out)
	})
}

func (a *App) exportConfiguration(ctx context.Context, company string, out io.Writer) error {
	var text []byte
	if err := a.DB.Read(ctx, func(tx *store.Tx) error {
		c, err := a.companyNamed(tx, company)
		if err != nil {
			return err
		}
		stands, err := a.Org.Export(tx, c.ID)
		if err == nil {
			text = stands.Text()
		}
		return err
	}); err != nil {
		return err
	}
	_, err := out.Write(text)
	return err
}

func (a *App) planConfiguration(ctx context.Context, company string, want *org.Configuration, out io.Writer) error {
	var changes []org.Change
	if err := a.DB.Read(ctx, func(tx *store.Tx) error {
		c, err := a.companyNamed(tx, company)
		if err == nil {
			changes, err = a.Org.Plan(tx, c.ID, want)
		}
		return err
	}); err != nil {
		return err
	}
	if refused := tellChanges(out, changes, "would be"); refused > 0 {
		return fmt.Errorf("config apply would refuse this file: it removes %s in use", several(refused, "record that is", "records that are"))
	}
	return nil
}

func (a *App) applyConfiguration(ctx context.Context, company string, want *org.Configuration, out io.Writer) error {
	var changes []org.Change
	if err := a.DB.Write(ctx, func(tx *store.Tx) error {
		c, err := a.companyNamed(tx, company)
		if err == nil {
			changes, err = a.Org.Apply(tx, c.ID, want)
		}
		return err
	}); err != nil {
		return err
	}
	tellChanges(out, changes, "were")
	return nil
}

// tellChanges prints changes, a record or a member a line, and says how many of them
// are refused.
func tellChanges(out io.Writer, changes []org.Change, verb string) (refused int) {
	var b strings.Builder
	count := [3]int{}
	for _, c := range changes {
		count[c.Kind]++
		b.WriteString([]string{"+ ", "~ ", "- "}[c.Kind] + c.What)
		if c.Refused != "" {
			refused++
			b.WriteString(" " + c.Refused)
		}
		b.WriteString("\n")
		for _, m := range c.Members {
			if c.Kind == org.Added {
				fmt.Fprintf(&b, "    %s: %s\n", m.Name, m.To)
				continue
			}
			fmt.Fprintf(&b, "    %s: %s -> %s\n", m.Name, orNothing(m.From), orNothing(m.To))
		}
	}
	if len(changes) == 0 {
		b.WriteString("Nothing changes.\n")
	} else {
		if verb == "were" && count[org.Added] == 1 {
			verb = "was"
		}
		fmt.Fprintf(&b, "%s %s added, %d changed, %d removed.\n", several(count[org.Added], "record", "records"), verb, count[org.Changed], count[org.Removed])
	}
	fmt.Fprint(out, b.String())
	return refused
}

// several is a number with its noun.
func several(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}
