// Package auth says who calls and how far the call reaches: the Actor behind a
// token, its roles and scopes, and the predicates that every query takes from it.
// Tokens, keys and passwords are here too; the OAuth2 operations are in domain/org.
package auth

import (
	"slices"
	"strings"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// PrincipalKind says what a token was issued to (claim concur.type).
type PrincipalKind string

// The kinds of principals.
const (
	User        PrincipalKind = "user"
	Company     PrincipalKind = "company"
	Application PrincipalKind = "app"
)

// Profile is the wire profile of an application (clients.md §1).
type Profile string

// The wire profiles.
const (
	Documented Profile = "documented"
	Observed   Profile = "observed"
)

// Role is what a user may do beyond the own data. The names are the services' own.
type Role string

// The roles that rules ask for.
const (
	WebServicesAdministrator Role = "Web Services Administrator"
	CanAdminister            Role = "Can Administer"
	CompanyAdministrator     Role = "Company Administrator"
	ExpenseProcessor         Role = "Expense Processor"
	ExpenseApprover          Role = "Expense Approver"
	InvoiceUser              Role = "Invoice User"
)

// Roles lists every role that can be granted.
func Roles() []Role {
	return []Role{WebServicesAdministrator, CanAdminister, CompanyAdministrator, ExpenseProcessor, ExpenseApprover, InvoiceUser}
}

// Person is a user as others see it: enough to own a record and to be named in it.
type Person struct {
	ID       string // UUID
	Login    string
	Name     string // "Last, First"
	Company  string // UUID
	Currency value.Currency
	Country  string // ISO 3166-1 alpha-2
	Manager  string // user id; empty for none
	Group    string // expense group id; empty for the company's first
	// Reimbursement is how the user is paid back: ADPPAYR, APCHECK, CNQRPAY or PMTSERV.
	Reimbursement string
	Test          bool // a user for trying things out; reports carry the mark
	Left          bool // signs in no more; records name such people, but nobody asks them
}

// Actor is the caller of one request.
type Actor struct {
	Kind    PrincipalKind
	ID      string // of the user, company or application that the token was issued to
	Company string // every record that the actor touches is of this company
	Self    Person // zero unless Kind is User
	Roles   []Role
	App     string // client id
	Profile Profile
	Scopes  []string
	Session string     // the sign-in that the token came of; empty for none
	Token   string     // id of the token itself
	Today   value.Date // of the call; 0 where nobody called. What a delegate may do can have its days

	// Subject is whose data the call is about: the actor's own unless the request
	// names somebody else and the actor's role allows it. All means everybody.
	// Named tells that the request said so itself, which narrows look-ups by id too.
	Subject Person
	All     bool
	Named   bool
}

// Has reports whether the actor holds one of the roles.
func (a *Actor) Has(roles ...Role) bool {
	for _, r := range roles {
		if slices.Contains(a.Roles, r) {
			return true
		}
	}
	return false
}

// Administers reports whether the actor may act for other users of its company:
// company and application tokens and the two administrator roles of the v3 calls
// (conventions.md §5).
func (a *Actor) Administers() bool {
	return a.Kind != User || a.Has(WebServicesAdministrator, CanAdminister)
}

// InCompany is the predicate that keeps a query inside the actor's company.
// alias is the table's alias in the query, or empty.
func (a *Actor) InCompany(alias string) store.Predicate {
	return store.Predicate{SQL: qualified(alias, "company_id") + " = ?", Args: []any{a.Company}}
}

// Listed limits a list to the rows of the subject, or of the whole company when
// the call asks for everybody. The table has company_id and owner_id.
func (a *Actor) Listed(alias string) store.Predicate {
	if a.All {
		return a.InCompany(alias)
	}
	return store.Predicate{
		SQL:  qualified(alias, "company_id") + " = ? AND " + qualified(alias, "owner_id") + " = ?",
		Args: []any{a.Company, a.Subject.ID},
	}
}

// Reached limits a look-up by id: administrators reach every row of their company,
// or of the user whom the request names; others their own.
func (a *Actor) Reached(alias string) store.Predicate {
	switch {
	case a.Named:
		return a.Listed(alias)
	case a.Administers():
		return a.InCompany(alias)
	}
	return store.Predicate{
		SQL:  qualified(alias, "company_id") + " = ? AND " + qualified(alias, "owner_id") + " = ?",
		Args: []any{a.Company, a.Self.ID},
	}
}

func qualified(alias, column string) string {
	if alias == "" {
		return column
	}
	return alias + "." + column
}

// Scopes are alternatives: a token that holds one of them may call the operation.
type Scopes struct {
	any    []string
	kind   scopeKind
	reason string
}

type scopeKind uint8

const (
	undeclared scopeKind = iota
	oneOf
	anyToken
	open
)

// Scope asks for one of these scopes (case-sensitive). "x.write" is satisfied by
// nothing but itself; name every scope that shall do.
func Scope(names ...string) Scopes { return Scopes{any: names, kind: oneOf} }

// AnyToken lets every valid token call.
func AnyToken() Scopes { return Scopes{kind: anyToken} }

// Open lets everybody call, without a token; the reason stands in the declaration.
func Open(reason string) Scopes { return Scopes{kind: open, reason: reason} }

// Declared reports whether the operation says anything about scopes; one that does
// not is refused at start.
func (s Scopes) Declared() bool { return s.kind != undeclared }

// IsOpen reports whether no token is needed.
func (s Scopes) IsOpen() bool { return s.kind == open }

// Names are the alternatives, for the OpenAPI document.
func (s Scopes) Names() []string { return s.any }

// Allow reports whether the actor may call.
func (s Scopes) Allow(a *Actor) bool {
	switch s.kind {
	case anyToken, open:
		return true
	case oneOf:
		for _, name := range s.any {
			if slices.Contains(a.Scopes, name) {
				return true
			}
		}
	}
	return false
}

// SplitScopes reads a list of scopes separated by blanks or commas.
func SplitScopes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' })
}
