package org

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// PeopleFile is a table of people. A user is known by login; a column that the table
// does not have says nothing, and so does an empty cell where a user must have something.
type PeopleFile struct {
	Columns []string
	Rows    []PeopleRow
}

// PeopleRow is a line of a PeopleFile: a text for each of its columns.
type PeopleRow struct {
	Line  int
	Cells []string
}

// MaxPeopleRows is how many rows a PeopleFile can have.
const MaxPeopleRows = 20_000

// peopleColumns are the columns that are known.
var peopleColumns = []string{"login", "first_name", "last_name", "email", "employee_id", "manager", "roles", "group", "country", "currency", "language", "reimbursement", "active", "test"}

// PlanPeople says what ImportPeople would do, or what is wrong with the file.
func (s *Service) PlanPeople(tx *store.Tx, company string, f *PeopleFile) ([]Change, error) {
	im, err := s.readPeople(tx, company, f)
	if err != nil {
		return nil, err
	}
	changes, _ := im.changes()
	return changes, nil
}

// ImportPeople makes the users whom the company does not have yet, without a password,
// and changes those whom it has. Nobody is removed. With any problem nothing is done.
func (s *Service) ImportPeople(tx *store.Tx, company string, f *PeopleFile) ([]Change, error) {
	if err := companies.Lock(tx, company); err != nil { // managers of one company change one after the other
		return nil, err
	}
	im, err := s.readPeople(tx, company, f)
	if err != nil {
		return nil, err
	}
	changes, people := im.changes()
	for _, p := range people {
		if p.old == nil {
			err = s.AddUser(tx, &p.User, "", p.roles...)
		} else {
			err = s.replacePerson(tx, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (s *Service) replacePerson(tx *store.Tx, p *filedPerson) error {
	if p.User != p.old.User {
		if err := s.replaceUser(tx, &p.old.User, &p.User); err != nil {
			return err
		}
	}
	if !slices.Equal(p.roles, p.old.roles) {
		return s.SetRoles(tx, p.ID, p.roles...)
	}
	return nil
}

// standingPerson is a user with the roles, in order of their names.
type standingPerson struct {
	User
	roles []auth.Role
}

// filedPerson is a user as the file wants it; old is nil for a new one.
type filedPerson struct {
	standingPerson
	old     *standingPerson
	line    int
	manager string // the login that the file gives; "" where it gives none
}

// importer settles a file of people, and collects every problem on the way.
type importer struct {
	problems []lineProblem
	tx       *store.Tx
	company  *Company
	column   map[string]int // place by name
	width    int            // how many columns there are
	stands   map[string]*standingPerson
	byID     map[string]*User // all of the company, as the file wants them
	byLogin  map[string]*filedPerson
	people   []*filedPerson    // in the order of the file
	groups   map[string]string // id by folded name
	named    map[string]string // name by id
}

// lineProblem is a problem with its line; the head of the table has none.
type lineProblem struct {
	line int
	errs.Field
}

func (im *importer) add(line int, column, code, message string) {
	path := column
	if line > 0 {
		path = strings.TrimSpace("line " + strconv.Itoa(line) + " " + column)
	}
	im.problems = append(im.problems, lineProblem{line, errs.Field{Path: path, Code: code, Message: message}})
}

// err tells the problems from the first line on.
func (im *importer) err() error {
	slices.SortStableFunc(im.problems, func(a, b lineProblem) int { return cmp.Compare(a.line, b.line) })
	var all errs.Problems
	for _, p := range im.problems {
		all.Add(p.Path, p.Code, p.Message)
	}
	return all.Err()
}

func (s *Service) readPeople(tx *store.Tx, company string, f *PeopleFile) (*importer, error) {
	c, err := companies.Get(tx, store.Unrestricted(), company)
	if err != nil {
		return nil, err
	}
	im := &importer{tx: tx, company: c, column: map[string]int{}, stands: map[string]*standingPerson{}, byID: map[string]*User{},
		byLogin: map[string]*filedPerson{}, groups: map[string]string{}, named: map[string]string{}}
	if len(f.Rows) > MaxPeopleRows {
		return nil, errs.Newf(errs.Invalid, "many", "The file has more than %d people; make several files of it.", MaxPeopleRows)
	}
	if im.columns(f.Columns); im.width == 0 {
		return nil, im.err()
	}
	if err := im.load(); err != nil {
		return nil, err
	}
	for i := range f.Rows {
		im.person(&f.Rows[i], s.ids)
	}
	if err := im.taken(); err != nil {
		return nil, err
	}
	im.managers()
	return im, im.err()
}

// columns finds the columns; without login no row can be read, and the width stays 0.
func (im *importer) columns(names []string) {
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(peopleColumns, name) {
			im.add(0, "column "+strconv.Quote(name), "unknown", "Nobody knows this column. There are: "+strings.Join(peopleColumns, ", ")+".")
		}
		if _, twice := im.column[name]; twice {
			im.add(0, "column "+strconv.Quote(name), "duplicate", "The column comes twice.")
		}
		im.column[name] = i
	}
	if _, ok := im.column["login"]; !ok {
		im.add(0, "column \"login\"", "required", "The first line names the columns, and login is one of them.")
		return
	}
	im.width = len(names)
}

// load reads the users of the company, their roles and the groups.
func (im *importer) load() error {
	own := ofCompany(im.company.ID)
	for after := int64(0); ; {
		found, err := users.All(im.tx, own, store.Where("seq > ?", after), "seq", store.MaxLimit)
		if err != nil {
			return err
		}
		for i := range found {
			im.stands[found[i].loginKey] = &standingPerson{User: found[i]}
			im.byID[found[i].ID] = &found[i]
		}
		if len(found) < store.MaxLimit {
			break
		}
		after = found[len(found)-1].Seq
	}
	roles := map[string][]auth.Role{}
	if err := each(im.tx, func(r *store.Rows) error {
		var user, role string
		err := r.Scan(&user, &role)
		roles[user] = append(roles[user], auth.Role(role))
		return err
	}, `SELECT user_id, role FROM user_role WHERE company_id = ? ORDER BY user_id, role`, im.company.ID); err != nil {
		return err
	}
	for _, p := range im.stands {
		p.roles = roles[p.ID]
	}
	all, err := groups.All(im.tx, own, store.Predicate{}, "name, seq", store.MaxLimit)
	for i := range all {
		im.groups[fold(all[i].Name)], im.named[all[i].ID] = all[i].ID, all[i].Name
	}
	return err
}

// person settles one row.
func (im *importer) person(row *PeopleRow, ids *value.IDs) {
	if len(row.Cells) != im.width {
		im.add(row.Line, "", "cells", "It has "+strconv.Itoa(len(row.Cells))+" cells, and there are "+strconv.Itoa(im.width)+" columns.")
		return
	}
	cell := func(column string) (string, bool) {
		i, ok := im.column[column]
		if !ok {
			return "", false
		}
		return strings.TrimSpace(row.Cells[i]), true
	}
	login, _ := cell("login")
	key := fold(login)
	p := &filedPerson{line: row.Line, old: im.stands[key]}
	if p.old != nil {
		p.standingPerson = *p.old
	} else {
		p.User = User{ID: ids.UUID(), Company: im.company.ID, Login: login, Active: true}
	}
	if first := im.byLogin[key]; first != nil && login != "" {
		im.add(row.Line, "login", "duplicate", "The user is on line "+strconv.Itoa(first.line)+" already.")
		return
	}
	im.byLogin[key] = p
	im.people = append(im.people, p)
	for _, t := range []struct {
		column string
		p      *string
		upper  bool
		needed bool // a user has something here: an empty cell says nothing
	}{
		{"first_name", &p.FirstName, false, false}, {"last_name", &p.LastName, false, true}, {"email", &p.Email, false, false}, {"employee_id", &p.EmployeeID, false, false},
		{"country", &p.Country, true, true}, {"currency", (*string)(&p.Currency), true, true}, {"language", &p.Language, false, true}, {"reimbursement", &p.Reimbursement, true, false},
	} {
		text, ok := cell(t.column)
		if !ok || text == "" && t.needed {
			continue
		}
		if *t.p = text; t.upper {
			*t.p = strings.ToUpper(text)
		}
	}
	for _, b := range []struct {
		column string
		p      *bool
	}{{"active", &p.Active}, {"test", &p.Test}} {
		text, _ := cell(b.column)
		switch strings.ToLower(text) {
		case "":
		case "true", "yes", "y", "1":
			*b.p = true
		case "false", "no", "n", "0":
			*b.p = false
		default:
			im.add(row.Line, b.column, "boolean", "must be true or false.")
		}
	}
	if text, ok := cell("group"); ok {
		id, known := im.groups[fold(text)]
		if p.Group = id; text != "" && !known {
			im.add(row.Line, "group", "unknown", "The company has no expense group "+strconv.Quote(text)+".")
		}
	}
	if text, ok := cell("roles"); ok {
		p.roles = im.roles(row.Line, text)
	}
	if text, ok := cell("manager"); ok {
		if p.manager = text; text == "" {
			p.Manager = ""
		}
	}
	if _, ok := cell("email"); ok || p.old == nil {
		p.complete(im.company)
	}
	if _, ok := cell("language"); ok && !language(p.Language) {
		im.add(row.Line, "language", "syntax", "must be a language such as en-US (RFC 5646).")
	}
	if err := p.check(); err != nil {
		for _, f := range errs.As(err).Fields {
			im.add(row.Line, columnOf(f.Path), f.Code, f.Message)
		}
	}
	im.byID[p.ID] = &p.User
}

// columnOf is the column of a member of a user.
func columnOf(member string) string {
	switch member {
	case "firstName":
		return "first_name"
	case "lastName":
		return "last_name"
	case "employeeID":
		return "employee_id"
	}
	return member
}

// language reports whether a text looks like a tag of a language.
func language(text string) bool {
	for i, part := range strings.Split(text, "-") {
		if len(part) < 1 || len(part) > 8 || i == 0 && len(part) < 2 {
			return false
		}
		for _, c := range []byte(part) {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' && i > 0) {
				return false
			}
		}
	}
	return len(text) <= 35
}

func (im *importer) roles(line int, text string) (roles []auth.Role) {
	for name := range strings.SplitSeq(text, ";") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		known := auth.Roles()
		i := slices.IndexFunc(known, func(r auth.Role) bool { return strings.EqualFold(string(r), name) })
		if i < 0 {
			names := make([]string, len(known))
			for j, r := range known {
				names[j] = string(r)
			}
			im.add(line, "roles", "unknown", "There is no role "+strconv.Quote(name)+"; there are: "+strings.Join(names, "; ")+".")
			continue
		}
		if !slices.Contains(roles, known[i]) {
			roles = append(roles, known[i])
		}
	}
	slices.Sort(roles)
	return roles
}

// taken finds new logins that users of other companies have.
func (im *importer) taken() error {
	var keys []any
	for _, p := range im.people {
		if p.old == nil && p.Login != "" && !strings.ContainsFunc(p.Login, unicode.IsControl) { // which is a problem already
			keys = append(keys, fold(p.Login))
		}
	}
	held := map[string]bool{}
	for chunk := range slices.Chunk(keys, 500) {
		p := store.In("login_key", chunk...)
		if err := each(im.tx, func(r *store.Rows) error {
			var key string
			err := r.Scan(&key)
			held[key] = true
			return err
		}, `SELECT login_key FROM app_user WHERE `+p.SQL, p.Args...); err != nil {
			return err
		}
	}
	for _, p := range im.people {
		if p.old == nil && held[fold(p.Login)] {
			im.add(p.line, "login", "taken", "The login "+p.Login+" is taken.")
		}
	}
	return nil
}

// managers finds the managers, who may stand anywhere in the file, and looks where
// they lead.
func (im *importer) managers() {
	changed := make([]*filedPerson, 0, len(im.people))
	for _, p := range im.people {
		if p.manager != "" {
			switch m := im.user(p.manager); {
			case m == nil:
				im.add(p.line, "manager", "unknown", "Neither the company nor the file has the user "+p.manager+".")
				continue
			case !m.Active && (p.old == nil || p.old.Manager != m.ID):
				im.add(p.line, "manager", "disabled", "The manager "+m.Login+" is disabled.")
				continue
			default:
				p.Manager = m.ID
			}
		}
		if p.Manager != "" && (p.old == nil || p.old.Manager != p.Manager) {
			changed = append(changed, p)
		}
	}
	for _, p := range changed {
		above := im.byID[p.Manager]
		level := 0
		for ; above != nil && above.ID != p.ID && level < maxManagers; level++ {
			above = im.byID[above.Manager]
		}
		switch {
		case above == nil:
		case above.ID == p.ID:
			im.add(p.line, "manager", "cycle", "The managers would lead back to "+p.Login+".")
		default:
			im.add(p.line, "manager", "cycle", "The managers above "+p.Login+" have no end.")
		}
	}
}

// user is who has a login, as the file wants it.
func (im *importer) user(login string) *User {
	if p := im.byLogin[fold(login)]; p != nil {
		return &p.User
	}
	if p := im.stands[fold(login)]; p != nil {
		return &p.User
	}
	return nil
}

// changes lists what the file changes, in its order, with the people concerned.
func (im *importer) changes() (changes []Change, people []*filedPerson) {
	for _, p := range im.people {
		var from []MemberChange
		kind := Added
		if p.old != nil {
			from, kind = im.members(p.old), Changed
		}
		if members := memberChanges(from, im.members(&p.standingPerson)); len(members) > 0 {
			changes, people = append(changes, Change{Kind: kind, What: "user " + p.Login, Members: members}), append(people, p)
		}
	}
	return changes, people
}

// members are what a file can say of a user, without what is empty.
func (im *importer) members(p *standingPerson) []MemberChange {
	roles := make([]string, len(p.roles))
	for i, r := range p.roles {
		roles[i] = string(r)
	}
	manager := ""
	if m := im.byID[p.Manager]; m != nil {
		manager = m.Login
	}
	all := []MemberChange{{Name: "first_name", To: p.FirstName}, {Name: "last_name", To: p.LastName}, {Name: "email", To: p.Email}, {Name: "employee_id", To: p.EmployeeID},
		{Name: "manager", To: manager}, {Name: "roles", To: strings.Join(roles, "; ")}, {Name: "group", To: im.named[p.Group]}, {Name: "country", To: p.Country},
		{Name: "currency", To: string(p.Currency)}, {Name: "language", To: p.Language}, {Name: "reimbursement", To: p.Reimbursement},
		{Name: "active", To: strconv.FormatBool(p.Active)}, {Name: "test", To: strconv.FormatBool(p.Test)}}
	return slices.DeleteFunc(all, func(m MemberChange) bool { return m.To == "" })
}

// ListedUser is a user with what a list of people shows beside it.
type ListedUser struct {
	User
	ManagerLogin string
	Roles        []auth.Role
	Delegates    []ListedDelegate // the active ones
}

// ListedDelegate is a delegate with the login.
type ListedDelegate struct {
	auth.Delegation
	Login string
}

// ListPeople lists users of a company by login, those behind a login where one is
// given, and tells whether there are more.
func (s *Service) ListPeople(tx *store.Tx, company, after string, limit int) (people []ListedUser, more bool, err error) {
	found, err := users.All(tx, ofCompany(company), store.Where("login_key > ?", fold(after)), "login_key", limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(found) > limit; more {
		found = found[:limit]
	}
	if len(found) == 0 {
		return nil, false, nil
	}
	ids, managers := make([]any, len(found)), make([]any, len(found))
	place := map[string]int{}
	people = make([]ListedUser, len(found))
	for i := range found {
		people[i].User = found[i]
		ids[i], managers[i], place[found[i].ID] = found[i].ID, found[i].Manager, i
	}
	p := store.In("id", managers...)
	logins := map[string]string{}
	if err := each(tx, func(r *store.Rows) error {
		var id, login string
		err := r.Scan(&id, &login)
		logins[id] = login
		return err
	}, `SELECT id, login FROM app_user WHERE `+p.SQL, p.Args...); err != nil {
		return nil, false, err
	}
	for i := range people {
		people[i].ManagerLogin = logins[people[i].Manager]
	}
	p = store.In("user_id", ids...)
	if err := each(tx, func(r *store.Rows) error {
		var id, role string
		err := r.Scan(&id, &role)
		u := &people[place[id]]
		u.Roles = append(u.Roles, auth.Role(role))
		return err
	}, `SELECT user_id, role FROM user_role WHERE `+p.SQL+` ORDER BY user_id, role`, p.Args...); err != nil {
		return nil, false, err
	}
	p = store.In("d.user_id", ids...)
	err = each(tx, func(r *store.Rows) error {
		var d ListedDelegate
		var from, until int64
		err := r.Scan(&d.User, &d.Login, &d.Prepare, &d.Submit, &d.Approve, &from, &until)
		d.ApproveFrom, d.ApproveUntil = value.Date(from), value.Date(until)
		u := &people[place[d.User]]
		u.Delegates = append(u.Delegates, d)
		return err
	}, `SELECT d.user_id, v.login, d.prepare, d.submit, d.approve, d.approve_from, d.approve_until FROM delegate d JOIN app_user v ON v.id = d.delegate_id
		WHERE v.active AND `+p.SQL+` ORDER BY d.seq`, p.Args...)
	return people, more, err
}
