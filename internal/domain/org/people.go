package org

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// User is a person who can sign in.
type User struct {
	Seq              int64
	ID               string // UUID
	Company          string
	Login            string // unique on the whole server, in any letter case
	Email            string
	FirstName        string
	MiddleName       string
	LastName         string
	EmployeeID       string
	CellPhone        string
	OrganizationUnit string
	Active           bool
	PasswordExpired  bool // the password must be changed before the next sign-in
	SSOOnly          bool // signs in elsewhere; a password is never taken
	Test             bool
	Manager          string // user id; empty for none
	Country          string // ISO 3166-1 alpha-2
	Currency         value.Currency
	Language         string // en-US
	Group            string // expense group id; empty for the company's first
	Reimbursement    string // ADPPAYR, APCHECK, CNQRPAY, PMTSERV or empty
	Created          value.Instant
	Modified         value.Instant

	passwordHash, loginKey, emailKey, lastNameKey, employeeKey string

	// Not kept: filled for what shows it.
	shownID, uri string
}

// fold writes the keys that users are searched by.
func (u *User) fold() {
	u.loginKey, u.emailKey, u.lastNameKey, u.employeeKey = fold(u.Login), fold(u.Email), fold(u.LastName), fold(u.EmployeeID)
}

// Person is the user as others see it.
func (u *User) Person() auth.Person {
	name := u.LastName
	if u.FirstName != "" {
		name += ", " + u.FirstName
	}
	return auth.Person{
		ID: u.ID, Login: u.Login, Name: name, Company: u.Company, Currency: u.Currency, Country: u.Country,
		Manager: u.Manager, Group: u.Group, Reimbursement: u.Reimbursement, Test: u.Test, Left: !u.Active,
	}
}

// FullName is the name as the person writes it.
func (u *User) FullName() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// FindPerson finds a user of a company by login, in any letter case, or by id;
// errs.NotFound when there is none. Users who left are found too: records name them.
func (s *Service) FindPerson(tx *store.Tx, company, loginOrID string) (auth.Person, error) {
	u, err := findUser(tx, ofCompany(company), loginOrID)
	if err != nil {
		return auth.Person{}, err
	}
	return u.Person(), nil
}

// Person is FindPerson in a transaction of its own; false when there is none.
func (s *Service) Person(ctx context.Context, company, loginOrID string) (p auth.Person, ok bool, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = s.FindPerson(tx, company, loginOrID)
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return auth.Person{}, false, nil
	}
	return p, err == nil, err
}

// People lists the active users of a company who hold a role, by seq.
func (s *Service) People(tx *store.Tx, company string, role auth.Role) ([]auth.Person, error) {
	found, err := users.All(tx, ofCompany(company),
		store.Where("active AND id IN (SELECT user_id FROM user_role WHERE company_id = ? AND role = ?)", company, string(role)), "seq", store.MaxLimit)
	people := make([]auth.Person, len(found))
	for i := range found {
		people[i] = found[i].Person()
	}
	return people, err
}

// HasRole reports whether a user holds a role.
func (s *Service) HasRole(tx *store.Tx, user string, role auth.Role) (bool, error) {
	roles, err := rolesOf(tx, user)
	return slices.Contains(roles, role), err
}

// RolesOf lists the roles of a user.
func (s *Service) RolesOf(tx *store.Tx, user string) ([]auth.Role, error) { return rolesOf(tx, user) }

// User finds a user of the whole server by login or id.
func (s *Service) User(tx *store.Tx, loginOrID string) (*User, error) {
	return findUser(tx, store.Unrestricted(), loginOrID)
}

func findUser(tx *store.Tx, access store.Predicate, loginOrID string) (*User, error) {
	if value.IsUUID(loginOrID) {
		return users.One(tx, access, store.Where("id = ?", strings.ToLower(loginOrID)))
	}
	return users.One(tx, access, store.Where("login_key = ?", fold(loginOrID)))
}

func rolesOf(tx *store.Tx, user string) ([]auth.Role, error) {
	rows, err := tx.Query(`SELECT role FROM user_role WHERE user_id = ? ORDER BY role`, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var roles []auth.Role
	for rows.Next() {
		var role string
		if err := rows.Scan(&role); err != nil {
			return nil, err
		}
		roles = append(roles, auth.Role(role))
	}
	return roles, rows.Err()
}

// HashPassword makes the hash of a password, outside of any transaction: it is slow
// on purpose.
func (s *Service) HashPassword(ctx context.Context, password string) (string, error) {
	if len(password) < 8 {
		return "", errs.New(errs.Invalid, "password", "A password has at least 8 characters.")
	}
	return s.passwords.Hash(ctx, password)
}

// AddUser makes a user with this hash of a password (empty: no password fits) and
// roles. Missing id, country and currency are filled in.
func (s *Service) AddUser(tx *store.Tx, u *User, passwordHash string, roles ...auth.Role) error {
	company, err := companies.Get(tx, store.Unrestricted(), u.Company)
	if err != nil {
		return err
	}
	u.Login, u.passwordHash = strings.TrimSpace(u.Login), passwordHash
	u.complete(company)
	u.fold()
	if u.ID == "" {
		u.ID = s.ids.UUID()
	}
	if u.Created == 0 {
		u.Created = tx.Now()
	}
	u.Modified = u.Created
	if err := u.check(); err != nil {
		return err
	}
	if n, err := users.Count(tx, store.Unrestricted(), store.Where("login_key = ? OR id = ?", u.loginKey, u.ID)); err != nil {
		return err
	} else if n > 0 {
		return errs.Newf(errs.Conflict, "login", "The login %s is taken.", u.Login)
	}
	if err := users.Insert(tx, u); err != nil {
		if store.IsUnique(err) {
			return errs.Newf(errs.Conflict, "login", "The login %s is taken.", u.Login).Because(err)
		}
		return err
	}
	return s.SetRoles(tx, u.ID, roles...)
}

// complete fills in what goes without saying.
func (u *User) complete(c *Company) {
	if u.Email == "" && strings.Contains(u.Login, "@") {
		u.Email = u.Login
	}
	if u.Country == "" {
		u.Country = c.Country
	}
	if u.Currency == "" {
		u.Currency = c.Currency
	}
	if u.Language == "" {
		u.Language = "en-US"
	}
}

// UpdateUser saves a user who was read before, as the program itself changes one;
// ChangeUser is for what people ask for.
func (s *Service) UpdateUser(tx *store.Tx, u *User) error {
	u.fold()
	u.Modified = tx.Now()
	s.changed(tx)
	return users.Update(tx, u)
}

// SetPassword gives a user a new password by its hash, and ends the back-off.
func (s *Service) SetPassword(tx *store.Tx, user, passwordHash string) error {
	u, err := users.Get(tx, store.Unrestricted(), user)
	if err != nil {
		return err
	}
	u.passwordHash, u.PasswordExpired = passwordHash, false
	if err := s.UpdateUser(tx, u); err != nil {
		return err
	}
	return clearFailures(tx, u.loginKey, "")
}

// check finds what is wrong with a user taken alone.
func (u *User) check() error {
	var problems errs.Problems
	switch {
	case u.Login == "":
		problems.Add("login", "required", "A user needs a login.")
	case value.IsUUID(u.Login), strings.ContainsAny(u.Login, " \t\r\n,:"), strings.EqualFold(u.Login, "ALL"):
		problems.Add("login", "syntax", "A login has no blanks, commas and colons, and is neither an id nor ALL.")
	}
	if u.LastName == "" {
		problems.Add("lastName", "required", "A user needs a last name.")
	}
	if !u.Currency.Valid() {
		problems.Add("currency", "unknown", "The currency is not a code of ISO 4217.")
	}
	if len(u.Country) != 2 {
		problems.Add("country", "syntax", "The country is a code of two letters (ISO 3166-1).")
	}
	if u.Reimbursement != "" && !slices.Contains(reimbursements, u.Reimbursement) {
		problems.Add("reimbursement", "enum", "The way of being paid back is one of "+strings.Join(reimbursements, ", ")+".")
	}
	for _, t := range []struct{ name, text string }{{"login", u.Login}, {"email", u.Email}, {"firstName", u.FirstName}, {"middleName", u.MiddleName},
		{"lastName", u.LastName}, {"employeeID", u.EmployeeID}, {"cellPhone", u.CellPhone}, {"organizationUnit", u.OrganizationUnit}} {
		if utf8.RuneCountInString(t.text) > maxUserText || strings.ContainsFunc(t.text, unicode.IsControl) {
			problems.Addf(t.name, "syntax", "A text about a user is one line of at most %d characters.", maxUserText)
		}
	}
	return problems.Err()
}

const maxUserText = 255

// reimbursements are the ways in which a user is paid back.
var reimbursements = []string{"ADPPAYR", "APCHECK", "CNQRPAY", "PMTSERV"}

// ChangeUser saves what somebody asked to be changed of a user who was read before.
// The manager and the expense group, where named, are of the same company; managers
// never lead back to the user.
func (s *Service) ChangeUser(tx *store.Tx, u *User) error {
	if err := companies.Lock(tx, u.Company); err != nil { // managers of one company change one after the other
		return err
	}
	old, err := users.Get(tx, ofCompany(u.Company), u.ID)
	if err != nil {
		return err
	}
	u.Login = strings.TrimSpace(u.Login)
	if err := u.check(); err != nil {
		return err
	}
	if n, err := users.Count(tx, store.Unrestricted(), store.Where("login_key = ? AND id <> ?", fold(u.Login), u.ID)); err != nil {
		return err
	} else if n > 0 {
		return errs.Newf(errs.Conflict, "login", "The login %s is taken.", u.Login)
	}
	if u.Group != "" && u.Group != old.Group {
		if n, err := groups.Count(tx, ofCompany(u.Company), store.Where("id = ?", u.Group)); err != nil {
			return err
		} else if n == 0 {
			return errs.OnField("group", "unknown", "The company has no such expense group.")
		}
	}
	if u.Manager != old.Manager {
		if err := checkManager(tx, u); err != nil {
			return err
		}
	}
	err = s.replaceUser(tx, old, u)
	if store.IsUnique(err) {
		return errs.Newf(errs.Conflict, "login", "The login %s is taken.", u.Login).Because(err)
	}
	return err
}

// replaceUser saves a user in the place of what stood: the records follow a new login or
// name, and who is disabled is signed out.
func (s *Service) replaceUser(tx *store.Tx, old, u *User) error {
	if err := s.UpdateUser(tx, u); err != nil {
		return err
	}
	if was, is := old.Person(), u.Person(); s.records != nil && (was.Login != is.Login || was.Name != is.Name) {
		if err := s.records.Renamed(tx, was, is); err != nil {
			return err
		}
	}
	if old.Active && !u.Active {
		return s.endSignIns(tx, u.ID)
	}
	return nil
}

// maxManagers is how many managers can stand one above the other.
const maxManagers = 100

// checkManager walks up from a user's manager.
func checkManager(tx *store.Tx, u *User) error {
	next := u.Manager
	for level := 0; next != "" && level < maxManagers; level++ {
		m, err := users.Get(tx, ofCompany(u.Company), next)
		switch {
		case errs.Is(err, errs.NotFound) && level > 0: // who is gone has nobody above
			return nil
		case errs.Is(err, errs.NotFound):
			return errs.OnField("manager", "unknown", "The company has no such user.")
		case err != nil:
			return err
		case m.ID == u.ID:
			return errs.OnField("manager", "cycle", "The managers would lead back to "+u.Login+".")
		case level == 0 && !m.Active:
			return errs.OnField("manager", "disabled", "The manager "+m.Login+" is disabled.")
		}
		next = m.Manager
	}
	if next != "" {
		return errs.OnField("manager", "cycle", "The managers above this one have no end.")
	}
	return nil
}

// endSignIns makes every token of a user useless, those that are out too.
func (s *Service) endSignIns(tx *store.Tx, user string) error {
	var sessions [][2]string
	for _, query := range []string{
		`SELECT DISTINCT session, client_id FROM refresh_token WHERE principal_id = ? ORDER BY session`,
		`SELECT DISTINCT session, client_id FROM legacy_token WHERE user_id = ? ORDER BY session`,
	} {
		if err := each(tx, func(r *store.Rows) error {
			var session [2]string
			err := r.Scan(&session[0], &session[1])
			sessions = append(sessions, session)
			return err
		}, query, user); err != nil {
			return err
		}
	}
	for _, one := range sessions {
		if err := s.revokeSession(tx, one[0], one[1], user); err != nil {
			return err
		}
	}
	for _, query := range []string{
		`DELETE FROM refresh_token WHERE principal_id = ?`, `DELETE FROM legacy_token WHERE user_id = ?`,
		`DELETE FROM auth_code WHERE user_id = ?`, `DELETE FROM company_token WHERE principal_id = ?`, `DELETE FROM otp WHERE user_id = ?`,
	} {
		if _, err := tx.Exec(query, user); err != nil {
			return err
		}
	}
	s.changed(tx)
	return nil
}

// SetRoles makes these the roles of a user.
func (s *Service) SetRoles(tx *store.Tx, user string, roles ...auth.Role) error {
	u, err := users.Get(tx, store.Unrestricted(), user)
	if err != nil {
		return err
	}
	known := auth.Roles()
	for _, r := range roles {
		if !slices.Contains(known, r) {
			return errs.Newf(errs.Invalid, "role", "There is no role %q.", r)
		}
	}
	if _, err := tx.Exec(`DELETE FROM user_role WHERE user_id = ?`, user); err != nil {
		return err
	}
	for _, r := range roles {
		if _, err := tx.Exec(`INSERT INTO user_role (user_id, role, company_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, user, string(r), u.Company); err != nil {
			return err
		}
	}
	s.changed(tx)
	return nil
}

// Company finds a company by id.
func (s *Service) Company(tx *store.Tx, id string) (*Company, error) {
	return companies.Get(tx, store.Unrestricted(), id)
}

// Companies lists all companies, in order of creation.
func (s *Service) Companies(tx *store.Tx) ([]Company, error) {
	return companies.All(tx, store.Unrestricted(), store.Predicate{}, "seq", store.MaxLimit)
}

// AddCompany makes a company without any configuration.
func (s *Service) AddCompany(tx *store.Tx, c *Company) error {
	if c.ID == "" {
		c.ID = s.ids.UUID()
	}
	if c.Ledger == "" {
		c.Ledger = "DEFAULT"
	}
	if c.Created == 0 {
		c.Created = tx.Now()
	}
	c.settings, c.places = s.version(), s.version()
	var problems errs.Problems
	if strings.TrimSpace(c.Name) == "" {
		problems.Add("name", "required", "A company needs a name.")
	}
	if !c.Currency.Valid() {
		problems.Add("currency", "unknown", "The currency is not a code of ISO 4217.")
	}
	if len(c.Country) != 2 {
		problems.Add("country", "syntax", "The country is a code of two letters (ISO 3166-1).")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return companies.Insert(tx, c)
}
