package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// delegateUser says what a user lets another one do, and prints what stands then.
func (a *App) delegateUser(ctx context.Context, c config.Config, out io.Writer) error {
	var user *org.User
	var lines []string
	if err := a.DB.Write(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, c.New.Company)
		if err != nil {
			return err
		}
		if user, err = a.userNamed(tx, company.ID, c.New.Login); err != nil {
			return err
		}
		delegate, err := a.userNamed(tx, company.ID, c.People.To)
		if err != nil {
			return err
		}
		if err := a.Org.SetDelegation(tx, company.ID, auth.Delegation{User: user.ID, Delegate: delegate.ID, Prepare: c.People.Prepare,
			Submit: c.People.Submit, Approve: c.People.Approve, ApproveFrom: c.People.From, ApproveUntil: c.People.Until}); err != nil {
			return err
		}
		stand, err := a.Org.Delegates(tx, company.ID, user.ID)
		if err != nil {
			return err
		}
		lines = nil
		for _, d := range stand {
			p, err := a.Org.FindPerson(tx, company.ID, d.Delegate)
			if err != nil {
				return err
			}
			lines = append(lines, p.Login+" may "+rights(d))
		}
		return nil
	}); err != nil {
		return err
	}
	if len(lines) == 0 {
		lines = []string{nobody}
	}
	fmt.Fprintf(out, "user       %s\n", user.Login)
	for _, line := range lines {
		fmt.Fprintf(out, "delegate   %s\n", line)
	}
	return nil
}

// rights are what a delegate may do, in words.
func rights(d auth.Delegation) string {
	var all []string
	for _, r := range []struct {
		name string
		has  bool
	}{{"prepare", d.Prepare}, {"submit", d.Submit}, {"approve", d.Approve}} {
		if r.has {
			all = append(all, r.name)
		}
	}
	text := strings.Join(all, ", ")
	for _, day := range []struct {
		word string
		on   value.Date
	}{{" from ", d.ApproveFrom}, {" until ", d.ApproveUntil}} {
		if day.on != 0 {
			text += day.word + day.on.String()
		}
	}
	return text
}

// listUsers prints one page of a company's users as a table.
func (a *App) listUsers(ctx context.Context, c config.Config, out io.Writer) error {
	var people []org.ListedUser
	var more bool
	if err := a.DB.Read(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, c.New.Company)
		if err == nil {
			people, more, err = a.Org.ListPeople(tx, company.ID, c.People.After, c.People.Limit)
		}
		return err
	}); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LOGIN\tNAME\tACTIVE\tMANAGER\tROLES\tDELEGATES\tID")
	for i := range people {
		u := &people[i]
		roles := make([]string, len(u.Roles))
		for j, r := range u.Roles {
			roles[j] = string(r)
		}
		delegates := make([]string, len(u.Delegates))
		for j, d := range u.Delegates {
			delegates[j] = d.Login + " (" + rights(d.Delegation) + ")"
		}
		active := "yes"
		if !u.Active {
			active = "no"
		}
		line := []string{u.Login, u.FullName(), active, u.ManagerLogin, strings.Join(roles, "; "), strings.Join(delegates, "; "), u.ID}
		for j := range line {
			if line[j] == "" {
				line[j] = "-"
			}
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(out, "There are more: --after %s\n", people[len(people)-1].Login)
	}
	return nil
}

// importUsers makes and changes users as a table of people says, or shows what that
// would be.
func (a *App) importUsers(ctx context.Context, c config.Config, out io.Writer) error {
	text, err := readPeopleFile(c.People.File)
	if err != nil {
		return err
	}
	people, err := parsePeople(text)
	if err != nil {
		return err
	}
	run, do, verb := a.DB.Write, a.Org.ImportPeople, "were"
	if c.People.Plan {
		run, do, verb = a.DB.Read, a.Org.PlanPeople, "would be"
	}
	var changes []org.Change
	if err := run(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, c.New.Company)
		if err == nil {
			changes, err = do(tx, company.ID, people)
		}
		return err
	}); err != nil {
		return err
	}
	tellChanges(out, changes, verb)
	return nil
}

// maxPeopleFile is how large a table of people can be.
const maxPeopleFile = 16 << 20

func readPeopleFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPeopleFile+1))
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(text) > maxPeopleFile {
		return nil, errs.Newf(errs.TooLarge, "tooLarge", "The file is larger than %d MB; make several files of it.", maxPeopleFile>>20)
	}
	return text, nil
}

// parsePeople reads CSV (RFC 4180): the names of the columns, then the people.
func parsePeople(text []byte) (*org.PeopleFile, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		line := 1
		for rest := text; ; rest = rest[bytes.IndexByte(rest, '\n')+1:] {
			if end := bytes.IndexByte(rest, '\n'); end < 0 || !utf8.Valid(rest[:end]) {
				return nil, errs.OnField("line "+strconv.Itoa(line), "encoding", "It is not UTF-8; save the file in that encoding.")
			}
			line++
		}
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	f := &org.PeopleFile{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, errs.OnField("line "+strconv.Itoa(syntax.Line), "csv", "It is no CSV: "+strings.TrimSpace(syntax.Err.Error())+".")
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		switch {
		case !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }): // a spreadsheet's empty line
		case f.Columns == nil:
			f.Columns = cells
		case len(f.Rows) > org.MaxPeopleRows: // which is refused as it is
		default:
			f.Rows = append(f.Rows, org.PeopleRow{Line: line, Cells: cells})
		}
	}
	if f.Columns == nil {
		return nil, errs.New(errs.Invalid, "empty", "The file is empty: its first line names the columns, such as login,last_name.")
	}
	return f, nil
}
