package org

import (
	"net/url"
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

func (u *User) v3(f *wire.Fields) {
	f.Bool("Active", &u.Active, "Whether the user can sign in.", wire.ReadOnly)
	f.Text("CellPhoneNumber", &u.CellPhone, "The user's cell phone.", wire.ReadOnly)
	f.Text("EmployeeID", &u.EmployeeID, "The user's number as an employee.", wire.ReadOnly)
	f.Text("FirstName", &u.FirstName, "The user's first name.", wire.ReadOnly)
	f.Text("ID", &u.shownID, "The user's id.", wire.ReadOnly, wire.NotNull)
	f.Text("LastName", &u.LastName, "The user's last name.", wire.ReadOnly)
	f.Text("LoginID", &u.Login, "What the user signs in with.", wire.ReadOnly)
	f.Text("MiddleName", &u.MiddleName, "The user's middle name.", wire.ReadOnly)
	f.Text("OrganizationUnit", &u.OrganizationUnit, "The unit of the organisation that the user works in.", wire.ReadOnly)
	f.Text("PrimaryEmail", &u.Email, "Where mail for the user goes.", wire.ReadOnly)
	f.Text("URI", &u.uri, "An address that lists this user alone.", wire.ReadOnly, wire.NotNull)
}

// UserQuery is what users are searched by. All conditions must hold; texts are
// compared as a whole, without letter case.
type UserQuery struct {
	Email    string
	Employee string
	LastName string
	Active   value.Opt[bool]
}

func (q *UserQuery) v3(f *wire.Fields) {
	f.Text("primaryEmail", &q.Email, "The user with this mail address.")
	f.Text("employeeID", &q.Employee, "The user with this number as an employee.")
	f.Text("lastName", &q.LastName, "Users with this last name.")
	wire.Optional(f, "active", &q.Active, "Users who can, or cannot, sign in; both without it.")
}

func (q *UserQuery) where() store.Predicate {
	var n narrowed
	n.equal("email_key", fold(q.Email))
	n.equal("employee_key", fold(q.Employee))
	n.equal("last_name_key", fold(q.LastName))
	if q.Active.Valid && n.where.IsZero() {
		n.where = store.Where("active = ?", q.Active.V)
	} else if q.Active.Valid && q.Active.V {
		n.where = n.where.And("active")
	} else if q.Active.Valid {
		n.where = n.where.And("NOT active")
	}
	return n.where
}

// FindUsers lists users in order of creation: an administrator those of the company,
// or the one whom the call names; everybody else themselves.
func (s *Service) FindUsers(tx *store.Tx, a *auth.Actor, q *UserQuery, page store.Page) (api.Listing[User], error) {
	access := a.InCompany("")
	switch {
	case a.Named:
		access = access.And("id = ?", a.Subject.ID)
	case !a.Administers():
		access = access.And("id = ?", a.Self.ID)
	}
	rows, more, err := users.List(tx, access, q.where(), page)
	if err != nil {
		return api.Listing[User]{}, err
	}
	for i := range rows {
		u := &rows[i]
		u.shownID = strings.ToUpper(u.ID) // as the documented samples have it
		u.uri = s.link("/common/users") + "?user=" + url.QueryEscape(u.Login)
	}
	return api.Page(users, rows, more, page), nil
}

func (s *Service) userOperations() []api.Operation {
	return []api.Operation{
		api.List(api.V3, "/common/users", s.FindUsers, (*UserQuery).v3, (*User).v3,
			api.Doc{ID: "users.list", Group: "Users", Summary: "Lists users",
				Description: "In order of creation. Administrators see everybody in the company, others themselves."},
			auth.Scope("USER"), api.Named(api.Names{One: "User", Many: "UserCollection", WireOne: "User", WireMany: "Users"}), api.About(api.UserParameter)),
	}
}
