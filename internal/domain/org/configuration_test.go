package org_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// export is a company's configuration as a text.
func (w *world) export(company string) (text string) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		c, err := w.Export(tx, company)
		if err == nil {
			text = string(c.Text())
		}
		return err
	})
	return text
}

// plan says what a text would change, one change a line.
func (w *world) plan(company, text string) (string, error) {
	w.t.Helper()
	var changes []org.Change
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		c, err := org.ReadConfiguration([]byte(text))
		if err == nil {
			changes, err = w.Plan(tx, company, c)
		}
		return err
	})
	return tell(changes), err
}

func (w *world) apply(company, text string) (string, error) {
	w.t.Helper()
	var changes []org.Change
	err := w.db.Write(w.t.Context(), func(tx *store.Tx) (err error) {
		c, err := org.ReadConfiguration([]byte(text))
		if err == nil {
			changes, err = w.Apply(tx, company, c)
		}
		return err
	})
	return tell(changes), err
}

func tell(changes []org.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%c %s", "+~-"[c.Kind], c.What)
		for _, m := range c.Members {
			fmt.Fprintf(&b, " %s:%q>%q", m.Name, m.From, m.To)
		}
		if c.Refused != "" {
			b.WriteString(" ! " + c.Refused)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// newCompany makes a company that has nothing set up, and people with these logins.
func (w *world) newCompany(logins ...string) string {
	w.t.Helper()
	c := &org.Company{Name: "Empty", Country: "US", Currency: "USD"}
	w.write(func(tx *store.Tx) error {
		if err := w.AddCompany(tx, c); err != nil {
			return err
		}
		for _, login := range logins {
			if err := w.AddUser(tx, &org.User{Company: c.ID, Login: login, LastName: "X", Active: true}, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return c.ID
}

// moved is a configuration of the seeded company for one whose people have other logins.
func moved(text string) string { return strings.ReplaceAll(text, "@demo.test", "@empty.test") }

// What is written is read as what it was: on an empty company it makes an equal one.
func TestConfigurationTravels(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		text := w.export(demo)
		golden(t, "configuration.yaml", text)
		empty := w.newCompany("cora@empty.test")
		if got := w.export(empty); strings.Count(got, ": []\n") != 10 || !strings.Contains(got, "\ncompany: {}\n") {
			t.Errorf("nothing set up is written as\n%s", got)
		}
		if changes, err := w.plan(demo, text); changes != "" || err != nil {
			t.Errorf("what stands would change\n%s%v", changes, err)
		}
		if _, err := w.plan(empty, text); err == nil || !strings.Contains(err.Error(), "approver: must be the login of a user of the company.") {
			t.Errorf("people of another company approve: %v", err)
		}
		text = moved(text)
		planned, err := w.plan(empty, text)
		if err != nil {
			t.Fatal(err)
		}
		applied, err := w.apply(empty, text)
		if err != nil {
			t.Fatal(err)
		}
		if planned != applied || strings.Count(applied, "\n") < 500 || strings.Contains(applied, "\n~ ") || strings.Contains(applied, "\n- ") {
			t.Errorf("planned\n%s\napplied\n%s", planned, applied)
		}
		if got := w.export(empty); got != text {
			t.Errorf("the other company's configuration is\n%s", got)
		}
		if again, err := w.apply(empty, text); again != "" || err != nil {
			t.Errorf("applied again:\n%s%v", again, err)
		}
		one, two := w.config(demo), w.config(empty)
		if one.Groups[0].ID == two.Groups[0].ID || len(two.Groups[0].Policies[0].Types) != 66 || len(two.Locations()) != 200 {
			t.Error("the two configurations do not live side by side")
		}
		if rate, ok := two.Rate("EUR", "USD", 20260301); !ok || rate.String() != "1.039" {
			t.Errorf("a rate is %v", rate)
		}
		// And back to nothing.
		if _, err := w.apply(empty, w.export(w.newCompany())); err != nil {
			t.Fatal(err)
		}
		if got := w.export(empty); strings.Count(got, ": []\n") != 10 {
			t.Errorf("nothing is left, but for\n%s", got)
		}
		var words int64
		w.read(func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT count(*) FROM location_word WHERE company_id = ?`, empty).Scan(&words)
		})
		if words != 0 {
			t.Errorf("%d words of locations are left", words)
		}
	})
}

func TestConfigurationChanges(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		before := w.config(demo)
		taxi, _ := before.ExpenseType(before.Groups[0].Policies[0].ID, "TAXIX")
		for _, c := range []struct{ name, text, want string }{
			{"a file that says nothing", "", ""},
			{"a partial file", "rates: [{on: 2026-01-01, to: USD, from: {EUR: 1.10, gbp: \"1.2000\"}}]", `
- exchange rates into USD from 2020-01-01
- exchange rates into USD from 2025-01-01
+ exchange rates into USD from 2026-01-01 on:"">"2026-01-01" to:"">"USD" EUR:"">"1.1" GBP:"">"1.2"
`},
			{"a section", "attendee_types: [{code: employee, name: Employee, manual: true, search: [lastname]}, {code: PRESS, name: Press}]", `
- attendee type SPOUSE
- attendee type BUSGUEST
- attendee type HCP
- attendee type PRIVATE
- attendee type NOSHOWS
- attendee type UNDEF
- attendee type SYSEMP
~ attendee type EMPLOYEE search:"FirstName, LastName, ExternalId">"LastName"
+ attendee type PRESS code:"">"PRESS" name:"">"Press"
`},
			{"a list without items keeps them", "lists: [{name: cost centers, search: TEXT}, {name: Projects, search: TEXT}]", `
~ list cost centers name:"Cost Centers">"cost centers" code_first:"true">"" search:"CODE">"TEXT"
`},
			{"items", "lists: [{name: Cost Centers, code_first: true, search: CODE, items: [{code: \"100\", name: Works, below: [{code: \"110\", name: Logistics}, {code: \"130\", name: Fleet}]}]}, {name: Projects, items: []}]", `
- list item cost centers / 100 / 120
`},
			{"a list", "lists: [{name: Cost Centers, code_first: true, search: CODE}]\nforms: []\n", `
- list Projects
- list item Projects / ALPINE
`},
		} {
			got, err := w.plan(demo, c.text)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			want := strings.TrimPrefix(c.want, "\n")
			if c.name == "items" {
				for _, line := range []string{"- list item Cost Centers / 100 / 120\n", "- list item Cost Centers / 200 / 230\n", "- list item Projects / EMBER\n",
					`~ list item Cost Centers / 100 name:"Operations">"Works"`, `+ list item Cost Centers / 100 / 130 code:"">"130" name:"">"Fleet"`} {
					if !strings.Contains(got, line) {
						t.Errorf("%s: planned\n%s\nwithout %s", c.name, got, line)
					}
				}
				continue
			}
			if c.name == "a list" {
				if !strings.HasPrefix(got, want) || !strings.Contains(got, "- form field REPORT / Custom20\n") {
					t.Errorf("%s: planned\n%s", c.name, got)
				}
				continue
			}
			if got != want {
				t.Errorf("%s: planned\n%s\nwant\n%s", c.name, got, want)
			}
		}
		// Records keep their ids, and people see the change at once.
		changed := strings.NewReplacer(`{code: TAXIX, name: Taxi,`, `{code: TAXIX, name: Cab, limit: "80",`, `{name: Standard Policy, default: true,`, `{name: Standard Policy, default: true, types: [TAXIX, {code: LUNCH, limit: 45}],`,
			"name: Alpine", "name: Alpine North").Replace(w.export(demo))
		text, err := w.apply(demo, changed)
		if err != nil || !strings.Contains(text, `~ expense type TAXIX name:"Taxi">"Cab" limit:"">"80"`) || !strings.Contains(text, "- expense type of policy Default Group / Standard Policy / DINNR\n") ||
			!strings.Contains(text, `~ expense type of policy Default Group / Standard Policy / LUNCH limit:"">"45"`) || !strings.Contains(text, `~ list item Projects / ALPINE name:"Alpine">"Alpine North"`) {
			t.Errorf("applied\n%s%v", text, err)
		}
		after := w.config(demo)
		policy := after.Groups[0].Policies[0]
		cab, ok := policy.ExpenseType("TAXIX")
		if !ok || cab.ID != taxi.ID || cab.Name != "Cab" || cab.Limit != value.Some(80*value.MoneyUnit) || policy.ID != before.Groups[0].Policies[0].ID || len(policy.Types) != 2 {
			t.Errorf("changed to %+v", cab)
		}
		if lunch, _ := policy.ExpenseType("LUNCH"); lunch.Limit != value.Some(45*value.MoneyUnit) {
			t.Errorf("lunch has the limit %v", lunch.Limit)
		}
		if got := w.export(demo); !strings.Contains(got, `types: [{code: LUNCH, limit: "45"}, TAXIX]`) {
			t.Errorf("written as\n%s", got)
		}
		if other := w.config(other); len(other.Groups[0].Policies[0].Types) != 66 {
			t.Error("the other company changed too")
		}
		if again, err := w.plan(demo, changed); again != "" || err != nil {
			t.Errorf("what was applied would change\n%s%v", again, err)
		}
	})
}

// Rules of submitting and of approving reach those who read the configuration.
func TestRulesOfSubmitting(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		seeded := w.config(demo).Groups[0].Policies
		meal, _ := seeded[1].ExpenseType("01027")
		plain, _ := seeded[0].ExpenseType("01027")
		gift, _ := seeded[1].ExpenseType("GIFTS")
		if !meal.AttendeesRequired || plain.AttendeesRequired || !gift.LimitBlocks || !gift.Limit.Valid {
			t.Errorf("the seed has %+v, %+v, %+v", meal, plain, gift)
		}
		text, err := w.apply(demo, `
company: {tax_account: ACME-1}
expense_types: [{code: X, name: X, limit: 10, limit_blocks: true, attendees_required: true}, {code: Y, name: Y}]
attendee_types: [{code: EMPLOYEE, name: Employee, limit: 500}, {code: SPOUSE, name: Spouse}]
groups:
  - name: Default Group
    policies:
      - {name: Standard Policy, default: true}
      - name: Reviewed Policy
        types: [{code: X, limit_blocks: false}, {code: Y, attendees_required: true}]
        cost_objects:
          - {field: OrgUnit1, value: 23b, above: "1000.5", approver: CORA@demo.test}
          - {field: Custom20, value: Alpine, above: 0, approver: bob@demo.test}
`)
		for _, line := range []string{"~ company settings tax_account:\"\">\"ACME-1\"\n", "~ attendee type EMPLOYEE manual:", `limit:"">"500"`, "- cost object of policy Default Group / Reviewed Policy / OrgUnit1 230 by cora@demo.test\n",
			"+ cost object of policy Default Group / Reviewed Policy / OrgUnit1 23b by cora@demo.test field:\"\">\"OrgUnit1\" value:\"\">\"23b\" above:\"\">\"1000.5\" approver:\"\">\"cora@demo.test\" position:\"\">\"1\"\n",
			"+ expense type of policy Default Group / Reviewed Policy / X code:\"\">\"X\" limit_blocks:\"\">\"false\"\n"} {
			if err != nil || !strings.Contains(text, line) {
				t.Errorf("applied\n%s%v\nwithout %s", text, err, line)
			}
		}
		policies := w.config(demo).Groups[0].Policies
		person := func(login string) string {
			p, ok, err := w.Person(t.Context(), demo, login)
			if !ok || err != nil {
				t.Fatal(login, err)
			}
			return p.ID
		}
		cora, bob := person("cora@demo.test"), person("bob@demo.test")
		for i, want := range [][2][2]bool{{{true, true}, {false, false}}, {{false, true}, {false, true}}} {
			for j, code := range []string{"X", "y"} {
				if x, ok := policies[i].ExpenseType(code); !ok || x.LimitBlocks != want[j][0] || x.AttendeesRequired != want[j][1] {
					t.Errorf("%s has %s as %+v", policies[i].Name, code, x)
				}
			}
		}
		if o := policies[1].CostObjects; len(policies[0].CostObjects) != 0 || len(o) != 2 || o[0].Field != "OrgUnit1" || o[0].Above != 1000*value.MoneyUnit+value.MoneyUnit/2 || o[0].Approver != cora ||
			o[1].Value != "Alpine" || o[1].Approver != bob || !o[0].Names("OrgUnit1", "23B") || o[0].Names("OrgUnit2", "23b") || o[0].Names("OrgUnit1", "23") || !o[1].Names("Custom20", " alpine") {
			t.Errorf("cost objects are %+v", o)
		}
		var account string
		var limits, most int64
		w.read(func(tx *store.Tx) error {
			if err := tx.QueryRow(`SELECT account_id FROM tax_account WHERE company_id = ?`, demo).Scan(&account); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT count(*), max(amount) FROM attendee_limit WHERE company_id = ?`, demo).Scan(&limits, &most)
		})
		if account != "ACME-1" || limits != 1 || value.Money(most) != 500*value.MoneyUnit {
			t.Errorf("the account is %s, %d limits, %d", account, limits, most)
		}
		// The order is part of it, an amount can change, and a new login is written.
		w.write(func(tx *store.Tx) error {
			u, err := w.User(tx, "cora@demo.test")
			if err != nil {
				return err
			}
			u.Login = "clarke@demo.test"
			return w.ChangeUser(tx, u)
		})
		swapped := `groups: [{name: Default Group, policies: [{name: Standard Policy, default: true}, {name: Reviewed Policy, types: [{code: X, limit_blocks: false}, {code: Y, attendees_required: true}],
  cost_objects: [{field: Custom20, value: Alpine, above: 7, approver: bob@demo.test}, {field: OrgUnit1, value: 23B, above: "1000.5", approver: clarke@demo.test}]}]}]`
		want := "~ cost object of policy Default Group / Reviewed Policy / Custom20 Alpine by bob@demo.test above:\"0\">\"7\" position:\"2\">\"1\"\n" +
			"~ cost object of policy Default Group / Reviewed Policy / OrgUnit1 23B by clarke@demo.test value:\"23b\">\"23B\" position:\"1\">\"2\"\n"
		if got, err := w.apply(demo, swapped); got != want || err != nil {
			t.Errorf("applied\n%s%v\nwant\n%s", got, err, want)
		}
		if o := w.config(demo).Groups[0].Policies[1].CostObjects; len(o) != 2 || o[0].Approver != bob || o[1].Approver != cora {
			t.Errorf("cost objects are %+v", o)
		}
		// Who left stays until the file says so, and an export goes back; nothing else can be given to them.
		w.write(func(tx *store.Tx) error {
			u, err := w.User(tx, "clarke@demo.test")
			if err != nil {
				return err
			}
			u.Active = false
			return w.ChangeUser(tx, u)
		})
		if got, err := w.apply(demo, "company: {}"); err != nil || got != "~ company settings tax_account:\"ACME-1\">\"\"\n" {
			t.Errorf("applied\n%s%v", got, err)
		}
		stands := w.export(demo)
		if got, err := w.apply(demo, stands); got != "" || err != nil {
			t.Errorf("the export changes\n%s%v", got, err)
		}
		if got, err := w.apply(demo, strings.Replace(stands, `"1000.5"`, `"1001"`, 1)); !strings.Contains(got, "by clarke@demo.test above:\"1000.5\">\"1001\"\n") || err != nil {
			t.Errorf("applied\n%s%v", got, err)
		}
		for _, c := range [][2]string{{"OrgUnit1", "230"}, {"OrgUnit2", "23B"}, {"Custom20", "Alpine"}} {
			text := strings.Replace(stands, "        cost_objects:\n", "        cost_objects:\n          - {field: "+c[0]+", value: \""+c[1]+"\", above: 5, approver: clarke@demo.test}\n", 1)
			if got, err := w.apply(demo, text); text == stands || err == nil || !strings.Contains(err.Error(), "approver: is a user who is disabled.") {
				t.Errorf("%v: applied\n%s%v", c, got, err)
			}
		}
	})
}

// A field that is connected to another one takes the items below that one's.
func TestConnectedLists(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		if text, err := w.apply(demo, `
forms:
  - kind: ENTRY
    name: Entry
    fields:
      - {name: OrgUnit1, type: List, label: Division, list: Cost Centers}
      - {name: OrgUnit2..3, type: ConnectedList, label: "Level {n}"}
      - {name: Custom1, type: Text}
      - {name: Custom2, type: ConnectedList, parent: OrgUnit1, list: cost centers}
`); err != nil {
			t.Fatalf("%s%v", text, err)
		}
		if got := w.export(demo); !strings.Contains(got, `
      - {name: OrgUnit1, type: List, label: Division, list: Cost Centers}
      - {name: OrgUnit2, type: ConnectedList, label: Level 2, parent: OrgUnit1}
      - {name: OrgUnit3, type: ConnectedList, label: Level 3, parent: OrgUnit2}
      - {name: Custom1, type: Text}
      - {name: Custom2, type: ConnectedList, parent: OrgUnit1}
`) {
			t.Errorf("written as\n%s", got)
		}
		c := w.config(demo)
		form := c.FormFields(org.EntryForm)
		for name, parent := range map[string]string{"OrgUnit2": "OrgUnit1", "OrgUnit3": "OrgUnit2", "Custom2": "OrgUnit1"} {
			if f := form.Field(name); f.Type != org.ConnectedListField || f.Parent != parent || f.List != c.Lists[0].ID {
				t.Errorf("%s is %+v", name, f)
			}
		}
		if f := form.Field("OrgUnit1"); f.Type != org.ListField || f.Parent != "" {
			t.Errorf("OrgUnit1 is %+v", f)
		}
		w.read(func(tx *store.Tx) error {
			sales, _, err := c.ListItem(tx, c.Lists[0].ID, "200")
			if err != nil {
				return err
			}
			field, ok, err := c.ListItemBelow(tx, sales.ID, "210")
			if err != nil || !ok || field.Name != "Field Sales" || field.Parent != sales.ID {
				t.Errorf("below is %+v, %v", field, err)
			}
			if same, ok, err := c.ListItemBelow(tx, sales.ID, field.ID); err != nil || !ok || *same != *field {
				t.Errorf("by id it is %+v, %v", same, err)
			}
			elsewhere, _, err := w.config(other).ListItem(tx, w.config(other).Lists[0].ID, "200")
			if err != nil {
				return err
			}
			for _, no := range [][2]string{{sales.ID, "110"}, {sales.ID, "200"}, {sales.ID, ""}, {"", "200"}, {"", "210"}, {field.ID, "210"}, {elsewhere.ID, "210"}} {
				if i, ok, err := c.ListItemBelow(tx, no[0], no[1]); ok || err != nil {
					t.Errorf("%v finds %+v, %v", no, i, err)
				}
			}
			return nil
		})
	})
}

// What records name is not removed, and then nothing else is changed either.
func TestConfigurationInUse(t *testing.T) {
	w := onSQLite(t)
	c := w.config(demo)
	group, policy := c.Groups[0], c.Groups[0].Policies[1]
	used := named{policy.ID, "TAXIX", group.PaymentTypes[0].ID, c.AttendeeTypes[0].ID, c.Locations()[0].ID}
	w.read(func(tx *store.Tx) error {
		i, ok, err := c.ListItem(tx, c.Lists[0].ID, "110")
		if ok {
			used = append(used, i.ID)
		}
		return err
	})
	w.UseRecords(used)
	w.write(func(tx *store.Tx) error {
		u, err := w.User(tx, "ann@demo.test")
		if err != nil {
			return err
		}
		u.Group = group.ID
		return w.ChangeUser(tx, u)
	})
	nothing := w.export(w.newCompany())
	before := w.export(demo)
	planned, err := w.plan(demo, nothing)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"policy Default Group / Reviewed Policy", "expense type TAXIX", "payment type CASHX", "attendee type EMPLOYEE", "list item Cost Centers / 100 / 110", "location US / Seattle, Washington"} {
		if !strings.Contains(planned, "- "+what+" ! cannot be removed: records name it.\n") {
			t.Errorf("%s is not refused:\n%s", what, planned)
		}
	}
	if !strings.Contains(planned, "- expense group Default Group ! cannot be removed: there are users in it.\n") || strings.Count(planned, "!") != 7 {
		t.Errorf("planned\n%s", planned)
	}
	_, err = w.apply(demo, nothing)
	if e := errs.As(err); !errs.Is(err, errs.Invalid) || len(e.Fields) != 7 || e.Fields[0].Message != "cannot be removed: records name it." {
		t.Errorf("applied: %v", err)
	}
	if w.export(demo) != before {
		t.Error("something changed")
	}
	// The rest can go.
	if _, err := w.apply(demo, "expense_types: [{code: TAXIX, name: Taxi}]\ngroups: [{name: Default Group, policies: [{name: Reviewed Policy}]}]\nlocations: [{name: \"Seattle, Washington\", country: US}]\nmileage_rates: []"); err != nil {
		t.Error(err)
	}
}

func TestBadConfigurations(t *testing.T) {
	w := onSQLite(t)
	w.write(func(tx *store.Tx) error {
		u, err := w.User(tx, "ivan@demo.test")
		if err != nil {
			return err
		}
		u.Active = false
		return w.ChangeUser(tx, u)
	})
	before := w.export(demo)
	for text, want := range map[string]string{
		"expense_typs: []":                     "unknown field",
		"expense_types: [{cod: X}]":            "unknown field",
		"expense_types: 7":                     "no configuration",
		"{":                                    "no configuration",
		"- a\n- b":                             "no configuration",
		"expense_types: []\nexpense_types: []": "no configuration",
		"lists: [{name: X, external_threshold: many}]": "no configuration",

		"spend_categories: [{code: X}]":                                                                             "spend category X name: is missing.",
		"spend_categories: [{code: x, name: A}, {code: X, name: B}]":                                                "spend category X: comes twice.",
		"expense_types: [{name: X}]":                                                                                "code: is missing.",
		"expense_types: [{code: X, name: X, does: NOTHING}]":                                                        "expense type X does: must be one of OTHER,",
		"expense_types: [{code: X, name: X, category: NONE}]":                                                       "expense type X category: names no spend category.",
		"expense_types: [{code: X, name: X, receipt: much}]":                                                        "expense type X receipt: must be an amount",
		"expense_types: [{code: X, name: X, limit: -5}]":                                                            "expense type X limit: must be an amount",
		"expense_types: [{code: X, name: X}, {code: x, name: Y}]":                                                   "expense type x: comes twice.",
		"payment_types: [{code: X, name: X}]":                                                                       "payment type X by: must be one of EMPLOYEE, COMPANY, CARD.",
		"payment_types: [{code: X, name: X, by: CARD, default: true}, {code: Y, name: Y, by: CARD, default: true}]": "payment type Y default:",
		"attendee_types: [{code: X, name: A}, {code: Y, name: a}]":                                                  "attendee type Y: comes twice.",
		"attendee_types: [{code: X, name: A, search: [Shoes]}]":                                                     "attendee type X search: must be one of FirstName,",
		"attendee_types: [{code: X, name: " + strings.Repeat("n", 41) + "}]":                                        "attendee type X name: must be at most 40 characters",
		"lists: [{name: A}, {name: a}]":                                                                             "list a: comes twice.",
		"lists: [{name: A, search: BOTH}]":                                                                          "list A search: must be one of CODE, TEXT.",
		"lists: [{name: A, external_threshold: 2}]":                                                                 "list A external_threshold: needs a connector.",
		"lists: [{name: A, items: [{code: \"1\", name: x}, {code: \"1\", name: y}]}]":                               "list item A / 1: comes twice.",
		"lists: [{name: A, items: [{code: a, name: x}, {code: A, name: y}]}]":                                       "list item A / A: comes twice.",
		"lists: [{name: A, items: [{code: \"a\\nb\", name: x}]}]":                                                   "code: must be one line.",
		"lists: [{name: A, items: [{code: a}]}]":                                                                    "list item A / a name: is missing.",
		"lists: [{name: A, items: [" + strings.Repeat("{code: a, name: a, below: [", 10) + "{code: a, name: a}" + strings.Repeat("]}", 10) + "]}]": "below: would be more than 10 levels deep.",
		"lists: []":                      "form field REPORT / OrgUnit1 list: names no list.",
		"forms: [{kind: MEMO, name: X}]": "form MEMO kind: must be one of REPORT,",
		"forms: [{kind: REPORT, name: X}, {kind: REPORT, name: Y}]":                                                                                                "comes twice.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom21, type: Text}]}]":                                                                                 "form field REPORT / Custom21 name: is no field of this form",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom3..2, type: Text}]}]":                                                                               "Custom3..2 name: is no field",
		"forms: [{kind: REPORT, name: X, fields: [{name: Shoes, type: Text}]}]":                                                                                    "Shoes name: is no field",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1..3, type: Text}, {name: Custom2, type: Text}]}]":                                                  "form field REPORT / Custom2: comes twice.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List}]}]":                                                                                  "list: goes with the type List",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: Text, list: Projects}]}]":                                                                  "list: goes with the type List",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List, list: None}]}]":                                                                      "list: names no list.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: Text, length: 5000}]}]":                                                                    "length: must be from 1 to 4000.",
		"groups: [{name: G}, {name: G}]":                                                                                                                           "expense group G: comes twice.",
		"groups: [{name: G, payment_types: [NONE]}]":                                                                                                               "payment_types: name NONE, which is no payment type.",
		"groups: [{name: G, policies: [{name: P}, {name: P}]}]":                                                                                                    "policy G / P: comes twice.",
		"groups: [{name: G, policies: [{name: P, default: true}, {name: Q, default: true}]}]":                                                                      "policy G / Q default:",
		"groups: [{name: G, policies: [{name: P, types: [NONE]}]}]":                                                                                                "types: name NONE, which is no expense type.",
		"groups: [{name: G, policies: [{name: P, types: [TAXIX, taxix]}]}]":                                                                                        "types: name TAXIX twice.",
		"groups: [{name: G, policies: [{name: P, approvals: [{level: 1, above: 5}]}]}]":                                                                            "approvals: have a level from 2 to 10",
		"groups: [{name: G, policies: [{name: P, approvals: [{level: 2}]}]}]":                                                                                      "approvals: need an amount",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit7, value: x, above: 1, approver: ann@demo.test}]}]}]":                               "policy G / P / cost object OrgUnit7 x by ann@demo.test field: must be one of OrgUnit1 to",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: Custom1..2, value: x, above: 1, approver: ann@demo.test}]}]}]":                             "field: must be one of OrgUnit1 to",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, above: 1, approver: ann@demo.test}]}]}]":                                         "value: is missing.",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, value: x, approver: ann@demo.test}]}]}]":                                         "above: is missing",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, value: x, above: -1, approver: ann@demo.test}]}]}]":                              "above: must be an amount",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, value: x, above: 1}]}]}]":                                                        "approver: must be the login",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, value: x, above: 1, approver: eve@other.test}]}]}]":                              "approver: must be the login",
		"groups: [{name: G, policies: [{name: P, cost_objects: [{field: OrgUnit1, value: x, above: 1, approver: ivan@demo.test}]}]}]":                              "approver: is a user who is disabled.",
		"groups: [{name: G, policies: [{name: P, cost_objects: [" + strings.Repeat("{field: OrgUnit1, value: x, above: 1, approver: ANN@demo.test},", 2) + "]}]}]": "comes twice.",
		"groups: [{name: G, policies: [{name: P, cost_objects: [" + strings.Repeat("{field: OrgUnit1},", 2001) + "]}]}]":                                           "cost_objects: must be at most 2000.",
		"company: {tax_account: " + strings.Repeat("x", 81) + "}":                                                                                                  "company tax_account: must be at most 80",
		"company: {name: X}":                                                                                            "unknown field",
		"attendee_types: [{code: X, name: X, limit: -1}]":                                                               "attendee type X limit: must be an amount",
		"expense_types: [{code: X, name: X, limit_blocks: perhaps}]":                                                    "no configuration",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: ConnectedList}]}]":                              "form field REPORT / Custom1 parent: must be a field of the type",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: Text}, {name: Custom2, type: ConnectedList}]}]": "Custom2 parent: must be a field of the type",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom2, type: ConnectedList, parent: Custom1}, {name: Custom1, type: List, list: Projects}]}]":    "Custom2 parent: must be a field of the type",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List, list: Projects}, {name: Custom2, type: ConnectedList, list: Cost Centers}]}]": "Custom2 list: must be that of the field one level up",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List, list: Projects}, {name: Custom2, type: Text, parent: Custom1}]}]":             "Custom2 parent: goes with the type ConnectedList",
		"groups: [{name: G, cash_advance: {carry_balance: true}}]":                                                                                          "cash_advance: is missing.",
		"expense_types: [{code: X, name: X}]\ngroups: [{name: G, policies: [{name: P, types: [TAXIX]}]}]":                                                   "types: name TAXIX, which is no expense type.",
		"rates: [{on: soon, to: USD, from: {EUR: \"1\"}}]":                                                                                                  "on: must be a day",
		"rates: [{on: 2026-01-01, to: XYZ, from: {EUR: \"1\"}}]":                                                                                            "to: must be a currency",
		"rates: [{on: 2026-01-01, to: USD, from: {EUR: \"0\"}}]":                                                                                            "EUR: must be a number above zero.",
		"rates: [{on: 2026-01-01, to: USD, from: {USD: \"1\"}}]":                                                                                            "USD: is the currency itself.",
		"rates: [{on: 2026-01-01, to: USD, from: {EUR: \"1\"}}, {on: 2026-01-01, to: usd, from: {eur: \"2\"}}]":                                             "eur: comes twice.",
		"mileage_rates: [{does: OTHER, from: 2026-01-01, unit: M, currency: USD, per_unit: 1}]":                                                             "does: must be one of COCARMILE, PCARMILE.",
		"mileage_rates: [{does: PCARMILE, from: 2026-01-01, unit: L, currency: USD, per_unit: 1}]":                                                          "unit: must be one of M, K.",
		"mileage_rates: [{does: PCARMILE, from: 2026-01-01, unit: M, currency: USD, per_unit: 0}]":                                                          "per_unit: must be a number above zero.",
		"locations: [{name: X, country: USA}]":                                                                                                              "country: must be a code of two letters",
		"locations: [{name: X, country: US, subdivision: DE-BY}]":                                                                                           "subdivision: must be a code of the country",
		"locations: [{name: X, country: US, iata: SEAT}]":                                                                                                   "iata: must be a code of three letters",
		"locations: [{name: X, country: US, latitude: 91}]":                                                                                                 "latitude: must be a number of degrees up to 90.",
		"locations: [{name: X, country: US, longitude: east}]":                                                                                              "longitude: must be a number of degrees up to 180.",
		"locations: [{name: X, country: US}, {name: x, country: us}]":                                                                                       "location us / x: comes twice.",
	} {
		_, err := w.apply(demo, text)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis answered %v\nwithout %s", text, err, want)
		}
	}
	if w.export(demo) != before {
		t.Error("something changed")
	}
	// All problems at once.
	_, err := w.apply(demo, "payment_types: [{code: X}]\nlocations: [{name: Y, country: USA}]")
	if len(errs.As(err).Fields) != 3 {
		t.Errorf("%v", err)
	}
	if err := w.db.Read(t.Context(), func(tx *store.Tx) error { _, err := w.Plan(tx, "none", new(org.Configuration)); return err }); !errs.Is(err, errs.NotFound) {
		t.Errorf("an unknown company: %v", err)
	}
}

// Whatever names people give, the file is read as what it was written from.
func TestConfigurationOfOddNames(t *testing.T) {
	w := onSQLite(t)
	r := rand.New(rand.NewPCG(5, 6))
	letters := []rune(`ab:#-?,[]{}&*!|>'"%@` + "` 01.eE+_~=/\\<éÄß😀nulltrue\u2028\u00a0\u0301")
	odd := func(n int) string {
		text := make([]rune, 1+r.IntN(n))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		return strings.TrimSpace("x" + string(text))[1:] + "x"
	}
	s := newScene(w, false)
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	for range 30 {
		if a := s.send(step{as: "wes", call: "POST /common/lists", body: `{"Name":` + quoted(odd(30)) + `,"DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`}); a.status != 200 {
			t.Fatal(a.body)
		}
		list := s.kept["list"]
		s.run(step{as: "wes", call: "GET /common/lists?offset=" + strconv.Itoa(len(w.config(demo).Lists)-1), keep: "list"})
		if s.kept["list"] == list {
			t.Fatal("no new list")
		}
		for range 5 { // of which some codes may come twice
			s.send(step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}","Level1Code":` + quoted(odd(8)) + `,"Name":` + quoted(odd(20)) + `}`})
		}
	}
	// Cost objects and fields of any name, and rules of every kind.
	text := w.export(demo)
	var objects strings.Builder
	for i := range 40 {
		fmt.Fprintf(&objects, "          - {field: %s%d, value: %s, above: %d.%02d, approver: %s@demo.test}\n", []string{"OrgUnit", "Custom"}[i%2], 1+i%6, quoted(odd(12)+strconv.Itoa(i)),
			r.IntN(1000), r.IntN(100), []string{"ann", "BOB", "cora"}[r.IntN(3)])
	}
	text = strings.NewReplacer("company: {}", "company: {tax_account: "+quoted(odd(20))+"}", "        cost_objects:\n", "        cost_objects:\n"+objects.String(),
		"- {code: SPOUSE,", "- {limit: "+strconv.Itoa(r.IntN(500))+", code: SPOUSE,", "- {code: TAXIX,", "- {limit: 10, limit_blocks: true, code: TAXIX,",
		"TOLLS, TRAIN", "{code: TOLLS, limit_blocks: true, attendees_required: false}, TRAIN",
		"{name: OrgUnit2..6, type: Text, label: \"Organisation {n}\"}", "{name: OrgUnit2..4, type: ConnectedList, label: "+quoted(odd(20))+"}\n      - {name: OrgUnit5..6, type: ConnectedList, parent: OrgUnit2}").Replace(text)
	if changes, err := w.apply(demo, text); err != nil || strings.Count(changes, "+ cost object of policy") != 40 {
		t.Fatalf("%s%v in\n%s", changes, err, text)
	}
	text = w.export(demo)
	if changes, err := w.plan(demo, text); changes != "" || err != nil {
		t.Errorf("what stands would change\n%s%v in\n%s", changes, err, text)
	}
	empty := w.newCompany("ann@empty.test", "bob@empty.test", "cora@empty.test")
	text = moved(text)
	if _, err := w.apply(empty, text); err != nil {
		t.Fatal(err)
	}
	if got := w.export(empty); got != text {
		t.Errorf("written as\n%s\nafter\n%s", got, text)
	}
}
