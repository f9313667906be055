package org_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

// config reads a company's configuration.
func (w *world) config(company string) (c *org.Config) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) { c, err = w.Config(tx, company); return err })
	return c
}

func TestSeed(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		c := w.config(demo)
		if c.Company.Name != "Demo Company" || c.Company.Country != "US" || c.Company.Currency != "USD" || c.Company.Ledger != "DEFAULT" {
			t.Errorf("company %+v", c.Company)
		}
		group := c.Groups[0]
		if len(c.Groups) != 1 || len(group.Policies) != 2 || len(group.PaymentTypes) != 6 || !group.CashAdvance.Valid {
			t.Fatalf("groups %+v", c.Groups)
		}
		standard, reviewed := group.Policies[0], group.Policies[1]
		if !standard.Default || standard.AccountingStep || reviewed.Default || !reviewed.AccountingStep || standard.StrictEdits {
			t.Errorf("policies %+v and %+v", standard, reviewed)
		}
		if len(standard.Types) != 66 || len(reviewed.Types) != 66 {
			t.Errorf("%d and %d expense types, not 66", len(standard.Types), len(reviewed.Types))
		}
		if a := standard.Approvals; len(a) != 1 || a[0] != (org.ApprovalLevel{Level: 2, Above: 10_000 * value.MoneyUnit}) {
			t.Errorf("approvals %+v", a)
		}
		if len(c.Locations()) != 200 || len(c.Lists) != 2 || len(c.SpendCategories) != 53 || len(c.AttendeeTypes) != 8 {
			t.Errorf("%d locations, %d lists, %d categories, %d attendee types", len(c.Locations()), len(c.Lists), len(c.SpendCategories), len(c.AttendeeTypes))
		}
		for _, kind := range standard.Types {
			if _, ok := c.SpendCategory(kind.SpendCategory); !ok {
				t.Errorf("%s is in the unknown category %s", kind.Code, kind.SpendCategory)
			}
		}
		protected := regexp.MustCompile(`^gW[A-Za-z0-9$]{28,40}$`)
		for _, id := range []string{group.ID, standard.ID, standard.Types[0].ID, group.PaymentTypes[0].ID, c.Locations()[0].ID, c.Lists[0].ID, c.AttendeeTypes[0].ID} {
			if !protected.MatchString(id) {
				t.Errorf("%q is not of the shape of an id", id)
			}
		}
		pairs := map[value.Currency]bool{}
		for _, code := range []value.Currency{"EUR", "GBP", "CHF", "JPY", "CAD", "AUD", "SEK", "INR", "MXN", "BRL"} {
			_, pairs[code] = c.Rate(code, "USD", 20260301)
		}
		for code, ok := range pairs {
			if !ok {
				t.Errorf("no rate of %s", code)
			}
		}
		w.read(func(tx *store.Tx) error {
			for login, role := range map[string]auth.Role{"wes@demo.test": auth.WebServicesAdministrator, "cora@demo.test": auth.CompanyAdministrator,
				"bob@demo.test": auth.ExpenseApprover, "ivan@demo.test": auth.ExpenseProcessor} {
				p, err := w.FindPerson(tx, demo, login)
				if err != nil {
					return err
				}
				if ok, err := w.HasRole(tx, p.ID, role); !ok || err != nil {
					t.Errorf("%s is no %s: %v", login, role, err)
				}
			}
			people, err := w.People(tx, demo, auth.ExpenseProcessor)
			if len(people) != 1 || people[0].Login != "ivan@demo.test" || people[0].Name != "Ivers, Ivan" {
				t.Errorf("processors %+v", people)
			}
			return err
		})
	})
}

// TestSeedHashes holds the hashes of the file against the passwords beside them.
func TestSeedHashes(t *testing.T) {
	seed, err := org.DevSeed()
	if err != nil {
		t.Fatal(err)
	}
	passwords := auth.NewPasswords(auth.DefaultPasswordCost())
	for _, c := range seed.Companies {
		for _, u := range c.Users {
			if ok, err := passwords.Verify(t.Context(), u.Password, u.Hash); !ok || err != nil {
				t.Errorf("the hash of %s is not that of the password: %v", u.Login, err)
			}
		}
	}
}

// TestSeedIsDeterministic makes two stores and compares what they hold.
func TestSeedIsDeterministic(t *testing.T) {
	dump := func(w *world) string {
		c := w.config(demo)
		text := ""
		for _, p := range c.Groups[0].Policies {
			text += fmt.Sprintln(p.ID, p.Name)
			for _, k := range p.Types {
				text += fmt.Sprintln(*k)
			}
		}
		for _, l := range c.Locations() {
			text += fmt.Sprintln(l.ID, l.Name)
		}
		return text
	}
	one, two := dump(onSQLite(t)), dump(onSQLite(t))
	if one != two {
		t.Error("two stores with one seed differ")
	}
	if first := onSQLite(t).config(demo); first.Groups[0].ID == first.Company.ID {
		t.Error("no ids")
	}
	if w := onSQLite(t); w.config(demo).Locations()[0].ID == w.config(other).Locations()[0].ID {
		t.Error("two companies share ids")
	}
}

func TestConfigLookups(t *testing.T) {
	w := onSQLite(t)
	c := w.config(demo)
	policy := c.Groups[0].Policies[0]
	taxi, ok := c.ExpenseType(policy.ID, "taxix")
	if !ok || taxi.Code != "TAXIX" || taxi.Name != "Taxi" || taxi.Mileage() {
		t.Errorf("taxi %+v", taxi)
	}
	if byID, ok := policy.ExpenseType(taxi.ID); !ok || byID != taxi {
		t.Error("an expense type is not found by id")
	}
	if miles, ok := policy.ExpenseType("MILEG"); !ok || !miles.Mileage() {
		t.Error("MILEG is no mileage")
	}
	for _, code := range []string{"", "NONE"} {
		if _, ok := c.ExpenseType(policy.ID, code); ok {
			t.Errorf("%q is an expense type", code)
		}
	}
	if _, ok := c.ExpenseType("another policy", "TAXIX"); ok {
		t.Error("an unknown policy has types")
	}
	cash, ok := c.PaymentType("cashx", c.Groups[0].ID)
	if !ok || cash.PaidBy != org.PaidByEmployee || !cash.Default || c.Groups[0].PaymentTypes[0] != cash {
		t.Errorf("cash %+v", cash)
	}
	for code, by := range map[string]org.PaidBy{"CPAID": org.PaidByCompany, "PENDC": org.PaidByCompanyCard, "CBCP": org.PaidByCompanyCard, "IBIP": org.PaidByEmployee} {
		if p, ok := c.PaymentType(code, ""); !ok || p.PaidBy != by {
			t.Errorf("%s is paid by %+v", code, p)
		} else if q, ok := c.PaymentType(p.ID, ""); !ok || q != p {
			t.Errorf("%s is not found by id", code)
		}
	}
	if _, ok := c.PaymentType("CASHX", "another group"); ok {
		t.Error("an unknown group has payment types")
	}
	if a, ok := c.AttendeeType("busguest"); !ok || !a.AllowCountEditing || a.System || len(a.DuplicateSearchFields) != 3 {
		t.Errorf("guest %+v", a)
	}
	if a, ok := c.AttendeeType("NOSHOWS"); !ok || !a.System {
		t.Errorf("no-shows %+v", a)
	}
	seattle := c.Locations()[0]
	if l, ok := c.Location(seattle.ID); !ok || l.Name != "Seattle, Washington" || l.Country != "US" || l.Subdivision != "US-WA" || l.IATA != "SEA" || l.Latitude.String() != "47.6062" {
		t.Errorf("Seattle %+v", l)
	}
	report := c.FormFields(org.ReportForm)
	if f := report.Field("Custom2"); f == nil || f.Type != org.ListField || f.Label != "Project" {
		t.Errorf("Custom2 %+v", f)
	} else if l, ok := c.List(f.List); !ok || l.Name != "Projects" {
		t.Errorf("its list %+v", l)
	}
	if f := report.Field("Custom20"); f == nil || f.Type != org.TextField || f.Label != "Custom 20" || f.MaxLength != 48 {
		t.Errorf("Custom20 %+v", f)
	}
	if report.Field("Custom21") != nil || c.FormFields(org.EntryForm).Field("Custom40") == nil || c.FormFields("NONE").Field("Custom1") != nil {
		t.Error("the forms have other fields")
	}
	centers := c.Lists[0]
	w.read(func(tx *store.Tx) error {
		sales, ok, err := c.ListItem(tx, centers.ID, "210")
		if err != nil || !ok || sales.Name != "Field Sales" || sales.Level != 2 {
			t.Errorf("210 is %+v, %v, %v", sales, ok, err)
		}
		if byID, ok, err := c.ListItem(tx, centers.ID, sales.ID); err != nil || !ok || byID.Code != "210" {
			t.Errorf("by id %+v, %v", byID, err)
		}
		for list, item := range map[string]string{centers.ID: "999", c.Lists[1].ID: "210", "none": sales.ID} {
			if _, ok, err := c.ListItem(tx, list, item); ok || err != nil {
				t.Errorf("%s is in %s: %v", item, list, err)
			}
		}
		// Another company's configuration does not reach the list.
		theirs, err := w.Config(tx, other)
		if err != nil {
			return err
		}
		if _, ok, err := theirs.ListItem(tx, centers.ID, sales.ID); ok || err != nil {
			t.Errorf("another company reads the item: %v", err)
		}
		return nil
	})
}

func TestRate(t *testing.T) {
	w := onSQLite(t)
	w.write(func(tx *store.Tx) error {
		for _, r := range []struct {
			from, to value.Currency
			on       value.Date
			rate     string
		}{
			{"USD", "NOK", 20240101, "10"}, // inverse
			{"NOK", "USD", 20240601, "0.125"},
			{"DKK", "NOK", 20240101, "1.5"}, // no way to the company's currency
			{"PLN", "USD", 20240101, "0.25"},
			{"USD", "HUF", 20240101, "370"},
		} {
			rate, err := value.ParseRate(r.rate)
			if err != nil {
				return err
			}
			if err := w.SetRate(tx, demo, r.from, r.to, r.on, rate); err != nil {
				return err
			}
		}
		return nil
	})
	c := w.config(demo)
	for _, r := range []struct {
		name     string
		from, to value.Currency
		on       value.Date
		want     string // empty: none known
	}{
		{"equal", "EUR", "EUR", 19990101, "1"},
		{"latest before", "EUR", "USD", 20241231, "1.085"},
		{"on the day", "EUR", "USD", 20250101, "1.039"},
		{"after", "EUR", "USD", 20260301, "1.039"},
		{"before the first", "EUR", "USD", 20191231, ""},
		{"inverse", "USD", "EUR", 20260301, "0.962463907603"},
		{"opposite pair alone", "NOK", "USD", 20240131, "0.1"},
		{"the later of both directions", "USD", "NOK", 20240701, "8"},
		{"cross", "EUR", "GBP", 20260301, "0.830535571543"},
		{"cross by two inverses", "NOK", "HUF", 20240131, "37"},
		{"cross of small and large", "JPY", "HUF", 20260301, "2.3532"},
		{"cross, exact", "PLN", "NOK", 20240131, "2.5"},
		{"only through a third", "DKK", "USD", 20260301, ""},
		{"unknown", "XOF", "USD", 20260301, ""},
	} {
		got, ok := c.Rate(r.from, r.to, r.on)
		if ok != (r.want != "") || ok && got.String() != r.want {
			t.Errorf("%s: %s to %s is %s, %v; want %q", r.name, r.from, r.to, got, ok, r.want)
		}
	}
	for _, m := range []struct {
		on   value.Date
		code string
		want string
	}{{20191231, "PCARMILE", ""}, {20241231, "PCARMILE", "0.655"}, {20250101, "PCARMILE", "0.7"}, {20260301, "COCARMILE", "0.22"}, {20260301, "OTHER", ""}} {
		got, ok := c.MileageRate(m.on, m.code)
		if ok != (m.want != "") || ok && (got.PerUnit.String() != m.want || got.Unit != "M" || got.Currency != "USD") {
			t.Errorf("%s on %s: %+v, %v", m.code, m.on, got, ok)
		}
	}
}

func TestConfigIsFresh(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		far := org.New(org.Options{DB: w.db, Clock: w.clock.Now, IDs: value.NewIDs(nil), PublicURL: publicURL})
		there := func() (c *org.Config) {
			w.read(func(tx *store.Tx) (err error) { c, err = far.Config(tx, demo); return err })
			return c
		}
		before, theirs := w.config(demo), there()
		if w.config(demo) != before {
			t.Error("an unchanged configuration is made anew")
		}
		w.clock.Move(2 * time.Second)
		if w.config(demo) != before || there() != theirs {
			t.Error("an unchanged configuration is made anew after a second")
		}
		kind := &org.AttendeeType{Code: "press", Name: "Press", DuplicateSearchFields: []string{"LastName", "Company"}}
		add := func(tx *store.Tx, t *org.AttendeeType) error {
			_, err := w.CreateAttendeeType(tx, company(demo), t, api.Direct())
			return err
		}
		w.write(func(tx *store.Tx) error { return add(tx, kind) })
		if a, ok := w.config(demo).AttendeeType("PRESS"); !ok || len(a.DuplicateSearchFields) != 2 || a.ID != kind.ID {
			t.Errorf("this server does not see the change at once: %+v", a)
		}
		if _, ok := before.AttendeeType("PRESS"); ok {
			t.Error("the old configuration changed")
		}
		if _, ok := there().AttendeeType("PRESS"); ok {
			t.Error("another server sees the change too early: is the cache used?")
		}
		w.clock.Move(time.Second)
		now := there()
		if _, ok := now.AttendeeType("PRESS"); !ok {
			t.Error("another server does not see the change after a second")
		}
		if &now.Locations()[0] != &theirs.Locations()[0] {
			t.Error("the locations are loaded again though they did not change")
		}

		// A change that is rolled back is not seen.
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			if err := add(tx, &org.AttendeeType{Code: "ghost", Name: "Ghost"}); err != nil {
				return err
			}
			w.clock.Move(2 * time.Second)
			if _, err := w.Config(tx, demo); err != nil { // reads what is not committed
				return err
			}
			return errs.New(errs.Conflict, "test", "rolled back")
		})
		if !errs.Is(err, errs.Conflict) {
			t.Fatal(err)
		}
		w.clock.Move(time.Second)
		if _, ok := w.config(demo).AttendeeType("GHOST"); ok {
			t.Error("a change that was rolled back is seen")
		}

		w.write(func(tx *store.Tx) error { return w.RemoveAttendeeType(tx, company(demo), kind.ID) })
		if _, ok := w.config(demo).AttendeeType(kind.ID); ok {
			t.Error("a removed type is still there")
		}
	})
}

// company is a company's own token as the services see it.
func company(id string) *auth.Actor { return &auth.Actor{Kind: auth.Company, ID: id, Company: id} }

func TestPeople(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		for _, who := range []string{"ann@demo.test", "ANN@Demo.Test", " ann@demo.test ", annID, "A0000000-0000-4000-8000-000000000001"} {
			p, ok, err := w.Person(t.Context(), demo, who)
			if !ok || err != nil || p.ID != annID || p.Name != "Archer, Ann" || p.Currency != "USD" || p.Country != "US" || p.Manager != bobID {
				t.Errorf("%q is %+v, %v, %v", who, p, ok, err)
			}
		}
		for company, who := range map[string]string{demo: "eve@other.test", other: annID, "": "ann@demo.test"} {
			if p, ok, err := w.Person(t.Context(), company, who); ok || err != nil {
				t.Errorf("%s in %q is %+v, %v", who, company, p, err)
			}
		}
		if _, ok, _ := w.Person(t.Context(), demo, eveID); ok {
			t.Error("a user of another company is found by id")
		}
		add := func(u org.User, roles ...auth.Role) error {
			return w.db.Write(t.Context(), func(tx *store.Tx) error { c := u; return w.AddUser(tx, &c, "", roles...) })
		}
		for name, c := range map[string]struct {
			user  org.User
			roles []auth.Role
			want  errs.Kind
		}{
			"taken":           {org.User{Company: other, Login: "Ann@demo.test", LastName: "X"}, nil, errs.Conflict},
			"no login":        {org.User{Company: demo, LastName: "X"}, nil, errs.Invalid},
			"no name":         {org.User{Company: demo, Login: "x"}, nil, errs.Invalid},
			"an id as login":  {org.User{Company: demo, Login: annID, LastName: "X"}, nil, errs.Invalid},
			"ALL":             {org.User{Company: demo, Login: "all", LastName: "X"}, nil, errs.Invalid},
			"a blank":         {org.User{Company: demo, Login: "a b", LastName: "X"}, nil, errs.Invalid},
			"no currency":     {org.User{Company: demo, Login: "x", LastName: "X", Currency: "XYZ"}, nil, errs.Invalid},
			"unknown role":    {org.User{Company: demo, Login: "x", LastName: "X"}, []auth.Role{"King"}, errs.Invalid},
			"unknown company": {org.User{Company: "none", Login: "x", LastName: "X"}, nil, errs.NotFound},
		} {
			if err := add(c.user, c.roles...); !errs.Is(err, c.want) {
				t.Errorf("%s: %v; want %v", name, err, c.want)
			}
		}
		if _, err := w.HashPassword(context.Background(), "short"); !errs.Is(err, errs.Invalid) {
			t.Errorf("a short password: %v", err)
		}
		// A new password ends what the old one could do, and the back-off.
		hash, err := w.HashPassword(t.Context(), "another-password")
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(tx *store.Tx) error { return w.SetPassword(tx, annID, hash) })
		if a := w.token("grant_type", "password", "username", "ann@demo.test", "password", "ann-password"); a.number(t) != 5 {
			t.Errorf("the old password: %s", a.body)
		}
		w.signIn("ann@demo.test", "another-password")
	})
}

func TestNewCompany(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		seed, err := org.StandardSeed()
		if err != nil {
			t.Fatal(err)
		}
		c := &org.Company{Name: "Third Company", Country: "DE", Currency: "EUR"}
		w.write(func(tx *store.Tx) error {
			if err := w.AddCompany(tx, c); err != nil {
				return err
			}
			return w.Configure(tx, c, seed)
		})
		config := w.config(c.ID)
		if len(config.Groups) != 1 || len(config.Groups[0].Policies) != 2 || len(config.Locations()) != 200 {
			t.Errorf("configuration %+v", config.Groups)
		}
		if _, ok := config.Rate("USD", "EUR", 20260301); ok {
			t.Error("a new company has rates that nobody gave it")
		}
		if err := w.db.Write(t.Context(), func(tx *store.Tx) error { return w.AddCompany(tx, &org.Company{Currency: "EU"}) }); !errs.Is(err, errs.Invalid) || len(errs.As(err).Fields) != 3 {
			t.Errorf("a company of nothing: %v", err)
		}
	})
}

func TestApplications(t *testing.T) {
	w := onSQLite(t)
	add := func(n org.NewApplication) (a *org.Application, secret string, err error) {
		n.Company = demo
		err = w.db.Write(t.Context(), func(tx *store.Tx) error { a, secret, err = w.AddApplication(tx, n); return err })
		return a, secret, err
	}
	a, secret, err := add(org.NewApplication{Name: "Mine"})
	if err != nil || len(secret) < 40 || !value.IsUUID(a.ClientID) || len(a.Scopes()) != len(org.KnownScopes()) || a.Profile != auth.Documented {
		t.Errorf("%+v, %q, %v", a, secret, err)
	}
	if got := w.post("/oauth2/v0/token", "client_id", a.ClientID, "client_secret", secret, "grant_type", "client_credentials"); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for name, n := range map[string]org.NewApplication{
		"no name":         {},
		"a script":        {Name: "x", RedirectURIs: []string{"javascript:alert(1)"}},
		"relative":        {Name: "x", RedirectURIs: []string{"/callback"}},
		"a fragment":      {Name: "x", RedirectURIs: []string{"https://x.test/#a"}},
		"no host":         {Name: "x", RedirectURIs: []string{"https:///x"}},
		"unknown scope":   {Name: "x", Scopes: []string{"exprpt"}},
		"unknown grant":   {Name: "x", Grants: []org.Grant{"implicit"}},
		"unknown profile": {Name: "x", Profile: "odd"},
		"colon":           {Name: "x", ClientID: "a:b"},
	} {
		if _, _, err := add(n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := add(org.NewApplication{Name: "x", ClientID: client}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a client id that is taken: %v", err)
	}
	if _, _, err := add(org.NewApplication{Name: "x", RedirectURIs: []string{"com.example.app:/callback", "https://x.test/cb?a=b"}}); err != nil {
		t.Errorf("good addresses: %v", err)
	}
}

func BenchmarkConfig(b *testing.B) {
	w := onSQLite(b)
	b.Run("cached", func(b *testing.B) {
		err := w.db.Read(b.Context(), func(tx *store.Tx) error {
			for b.Loop() {
				if _, err := w.Config(tx, demo); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	b.Run("loaded", func(b *testing.B) {
		err := w.db.Read(b.Context(), func(tx *store.Tx) error {
			for b.Loop() {
				w.Forget()
				if _, err := w.Config(tx, demo); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		c := newClock()
		newWorld(b, storetest.SQLite(b, withClock(c)), c)
	}
}
