package org_test

import (
	"slices"
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

func TestUsers(t *testing.T) {
	both(t, func(s *scene) {
		list := func(as, query, want string) step {
			return step{as: as, call: "GET /common/users" + query, want: want}
		}
		refused := func(as, query string, status int, want string) step {
			return step{as: as, call: "GET /common/users" + query, status: status, want: want}
		}
		const ann = "Items=1; Items[0].LoginID=ann@demo.test"
		s.run(
			list("wes", "", "Items=5; Items[0].LoginID=ann@demo.test; Items[4].LoginID=ivan@demo.test; NextPage="),
			list("wes", "?user=ann@demo.test", ann+"; Items[0].FirstName=Ann; Items[0].LastName=Archer; Items[0].EmployeeID=1001; Items[0].Active=true; Items[0].OrganizationUnit=Sales; Items[0].PrimaryEmail=ann@demo.test; Items[0].ID=A0000000-0000-4000-8000-000000000001; Items[0].MiddleName=; Items[0].CellPhoneNumber="),
			list("company", "", "Items=5"),
			list("wes", "?user=ALL", "Items=5"),
			list("ann", "", ann),
			list("ann", "?user=ANN@demo.test", ann),
			list("bob", "?lastName=Archer", "Items=0"), // an approver is no administrator
			list("eve", "", "Items=1; Items[0].LoginID=eve@other.test"),
			refused("ann", "?user=bob@demo.test", 403, "may name another user"),
			refused("ann", "?user=nobody@demo.test", 403, "may name another user"),
			refused("wes", "?user=nobody@demo.test", 400, "Invalid User:nobody@demo.test"),
			refused("wes", "?user=eve@other.test", 400, "Invalid User:eve@other.test"),

			list("wes", "?primaryEmail=ANN@Demo.Test", ann),
			list("wes", "?employeeID=1001", ann),
			list("wes", "?lastName=aRCHER", ann),
			list("wes", "?PRIMARYEMAIL=ann@demo.test&lastname=Archer&employeeid=1001&active=true", ann),
			list("wes", "?lastName=Arch", "Items=0"),
			list("wes", "?lastName=Archer&employeeID=1002", "Items=0"), // nobody is both
			list("wes", "?primaryEmail=eve@other.test", "Items=0"),
			list("wes", "?active=true", "Items=5"),
			list("wes", "?active=N", "Items=0"),
			list("wes", "?active=&lastName=", "Items=5"),
			list("wes", "?page=7", "Items=5"),
			refused("wes", "?active=maybe", 400, "active: must be true or false"),
			refused("wes", "?limit=0", 400, "limit"), refused("wes", "?limit=-1", 400, "limit"), refused("wes", "?limit=101", 400, "limit"),
			refused("wes", "?limit=10000", 400, "limit"), refused("wes", "?limit=ten", 400, "limit: must be a whole number from 1 to 100"),
			refused("wes", "?offset=nonsense", 400, "offset"), refused("wes", "?offset=99999999", 400, "offset"),
			refused("ann LIST", "", 403, ""), refused("", "", 401, ""),
			step{as: "wes", call: "POST /common/users", status: 405}, step{as: "wes", call: "GET /common/users/" + annID, status: 404},
		)
		s.write(func(tx *store.Tx) error {
			u, err := s.User(tx, "ivan@demo.test")
			if err != nil {
				return err
			}
			u.Active = false
			return s.ChangeUser(tx, u)
		})
		s.run(
			list("wes", "?active=false", "Items=1; Items[0].LoginID=ivan@demo.test; Items[0].Active=false"),
			list("wes", "?active=true", "Items=4"), list("wes", "", "Items=5"), list("wes", "?lastName=Ivers&active=true", "Items=0"),
		)

		// Pages, and what an offset belongs to.
		if ids := s.pages("wes", "GET /common/users?limit=2"); len(ids) != 5 || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 5 {
			s.t.Errorf("pages of two have the users %v", ids)
		}
		s.run(step{as: "wes", call: "GET /common/users?limit=2&active=true", keep: "next"})
		_, offset, _ := strings.Cut(s.kept["next"], "offset=")
		offset, _, _ = strings.Cut(offset, "&")
		if s.xml {
			offset = strings.TrimSuffix(offset, "&amp;")
		}
		tampered := offset[:len(offset)-2] + "AA"
		s.run(
			list("wes", "?offset="+offset, "Items=2; Items[0].LoginID=wes@demo.test"), // filters and limit are in it
			list("wes", "?offset=3", "Items=2"),
			refused("wes", "?active=false&offset="+offset, 400, "other filters"),
			refused("wes", "?offset="+tampered, 400, "offset"),
			refused("eve", "?offset="+offset, 400, "offset"),
			step{as: "wes", call: "GET /common/lists?offset=" + offset, status: 400, want: "offset"},
		)
	})
}

func TestUsersGolden(t *testing.T) {
	goldenCalls(t, "users.txt", nil,
		step{as: "wes", call: "GET /common/users?limit=2"}, step{as: "wes", call: "GET /common/users?lastName=nobody"},
		step{as: "ann", call: "GET /common/users?user=bob@demo.test"}, step{as: "wes", call: "GET /common/users?user=nobody"})
}

func TestChangeUser(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		change := func(login string, edit func(*org.User)) error {
			return w.db.Write(t.Context(), func(tx *store.Tx) error {
				u, err := w.User(tx, login)
				if err != nil {
					return err
				}
				edit(u)
				return w.ChangeUser(tx, u)
			})
		}
		if err := change("ann@demo.test", func(u *org.User) {
			u.Login, u.Email, u.LastName, u.EmployeeID, u.Manager, u.Group = " ann.smith@demo.test ", "ann@smith.test", "Smith", "E-1", "", w.config(demo).Groups[0].ID
			u.MiddleName, u.CellPhone, u.Currency, u.Country, u.Reimbursement = "B", "555", "EUR", "DE", "CNQRPAY"
		}); err != nil {
			t.Fatal(err)
		}
		p, ok, err := w.Person(t.Context(), demo, "ANN.SMITH@demo.test")
		if !ok || err != nil || p.Name != "Smith, Ann" || p.Manager != "" || p.Currency != "EUR" || p.Country != "DE" || p.Reimbursement != "CNQRPAY" {
			t.Errorf("changed to %+v, %v", p, err)
		}
		if _, ok, _ := w.Person(t.Context(), demo, "ann@demo.test"); ok {
			t.Error("the old login is still known")
		}
		s := newScene(w, false)
		s.run(step{as: "wes", call: "GET /common/users?primaryEmail=ANN@smith.test&employeeID=e-1&lastName=smith", want: "Items=1; Items[0].CellPhoneNumber=555; Items[0].MiddleName=B"})

		id := func(login string) string {
			p, ok, err := w.Person(t.Context(), demo, login)
			if !ok {
				t.Fatal(login, err)
			}
			return p.ID
		}
		cora, bob := id("cora@demo.test"), id("bob@demo.test")
		for name, c := range map[string]struct {
			login string
			edit  func(*org.User)
			kind  errs.Kind
		}{
			"a login that is taken":     {"bob@demo.test", func(u *org.User) { u.Login = "CORA@demo.test" }, errs.Conflict},
			"another company's login":   {"bob@demo.test", func(u *org.User) { u.Login = "eve@other.test" }, errs.Conflict},
			"no login":                  {"bob@demo.test", func(u *org.User) { u.Login = " " }, errs.Invalid},
			"no name":                   {"bob@demo.test", func(u *org.User) { u.LastName = "" }, errs.Invalid},
			"a long name":               {"bob@demo.test", func(u *org.User) { u.LastName = strings.Repeat("x", 256) }, errs.Invalid},
			"two lines":                 {"bob@demo.test", func(u *org.User) { u.OrganizationUnit = "a\nb" }, errs.Invalid},
			"no country":                {"bob@demo.test", func(u *org.User) { u.Country = "USA" }, errs.Invalid},
			"no currency":               {"bob@demo.test", func(u *org.User) { u.Currency = "XYZ" }, errs.Invalid},
			"no such reimbursement":     {"bob@demo.test", func(u *org.User) { u.Reimbursement = "CASH" }, errs.Invalid},
			"no such manager":           {"bob@demo.test", func(u *org.User) { u.Manager = "b0000000-0000-4000-8000-00000000000f" }, errs.Invalid},
			"a manager elsewhere":       {"bob@demo.test", func(u *org.User) { u.Manager = eveID }, errs.Invalid},
			"the own manager":           {"bob@demo.test", func(u *org.User) { u.Manager = bob }, errs.Invalid},
			"a circle":                  {"cora@demo.test", func(u *org.User) { u.Manager = bob }, errs.Invalid},
			"no such group":             {"bob@demo.test", func(u *org.User) { u.Group = "none" }, errs.Invalid},
			"a group of another":        {"bob@demo.test", func(u *org.User) { u.Group = w.config(other).Groups[0].ID }, errs.Invalid},
			"to another company itself": {"bob@demo.test", func(u *org.User) { u.Company = other }, errs.NotFound},
		} {
			if err := change(c.login, c.edit); !errs.Is(err, c.kind) {
				t.Errorf("%s: %v; want %v", name, err, c.kind)
			}
		}

		// Who is disabled is out at once, and stays out with everything from before.
		access, refresh := w.signIn("bob@demo.test", "bob-password")
		if _, ok := w.who(access); !ok {
			t.Fatal("bob cannot sign in")
		}
		active := func(yes bool) {
			if err := change("bob@demo.test", func(u *org.User) { u.Active = yes }); err != nil {
				t.Fatal(err)
			}
		}
		active(false)
		if _, ok := w.who(access); ok {
			t.Error("a disabled user's token works")
		}
		if a := w.token("grant_type", "password", "username", "bob@demo.test", "password", "bob-password"); a.status == 200 {
			t.Error("a disabled user signs in")
		}
		if err := change("ann.smith@demo.test", func(u *org.User) { u.Manager = bob }); !errs.Is(err, errs.Invalid) {
			t.Errorf("a disabled manager: %v", err)
		}
		if err := change("bob@demo.test", func(u *org.User) { u.FirstName = "Robert" }); err != nil {
			t.Errorf("a disabled user cannot be changed: %v", err)
		}
		active(true)
		if _, ok := w.who(access); ok {
			t.Error("a token from before is good again")
		}
		if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.status == 200 {
			t.Error("a refresh token from before is good again")
		}
		w.clock.Move(1)
		if access, _ := w.signIn("bob@demo.test", "bob-password"); access == "" {
			t.Error("an enabled user cannot sign in")
		}
		if err := change("ann.smith@demo.test", func(u *org.User) { u.Manager = cora }); err != nil {
			t.Errorf("a new manager: %v", err)
		}
		if people := func() (all []auth.Person) {
			w.read(func(tx *store.Tx) (err error) { all, err = w.People(tx, other, auth.ExpenseApprover); return err })
			return all
		}(); len(people) != 0 {
			t.Errorf("another company sees %v", people)
		}
	})
}
