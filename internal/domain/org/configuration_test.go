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

// newCompany makes a company that has nothing set up.
func (w *world) newCompany() string {
	w.t.Helper()
	c := &org.Company{Name: "Empty", Country: "US", Currency: "USD"}
	w.write(func(tx *store.Tx) error { return w.AddCompany(tx, c) })
	return c.ID
}

// What is written is read as what it was: on an empty company it makes an equal one.
func TestConfigurationTravels(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		text := w.export(demo)
		golden(t, "configuration.yaml", text)
		empty := w.newCompany()
		if got := w.export(empty); strings.Count(got, ": []\n") != 10 {
			t.Errorf("nothing set up is written as\n%s", got)
		}
		if changes, err := w.plan(demo, text); changes != "" || err != nil {
			t.Errorf("what stands would change\n%s%v", changes, err)
		}
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
		"forms: [{kind: REPORT, name: X}, {kind: REPORT, name: Y}]":                                               "comes twice.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom21, type: Text}]}]":                                "form field REPORT / Custom21 name: is no field of this form",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom3..2, type: Text}]}]":                              "Custom3..2 name: is no field",
		"forms: [{kind: REPORT, name: X, fields: [{name: Shoes, type: Text}]}]":                                   "Shoes name: is no field",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1..3, type: Text}, {name: Custom2, type: Text}]}]": "form field REPORT / Custom2: comes twice.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List}]}]":                                 "list: goes with the type List",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: Text, list: Projects}]}]":                 "list: goes with the type List",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: List, list: None}]}]":                     "list: names no list.",
		"forms: [{kind: REPORT, name: X, fields: [{name: Custom1, type: Text, length: 5000}]}]":                   "length: must be from 1 to 4000.",
		"groups: [{name: G}, {name: G}]":                                                                          "expense group G: comes twice.",
		"groups: [{name: G, payment_types: [NONE]}]":                                                              "payment_types: name NONE, which is no payment type.",
		"groups: [{name: G, policies: [{name: P}, {name: P}]}]":                                                   "policy G / P: comes twice.",
		"groups: [{name: G, policies: [{name: P, default: true}, {name: Q, default: true}]}]":                     "policy G / Q default:",
		"groups: [{name: G, policies: [{name: P, types: [NONE]}]}]":                                               "types: name NONE, which is no expense type.",
		"groups: [{name: G, policies: [{name: P, types: [TAXIX, taxix]}]}]":                                       "types: name TAXIX twice.",
		"groups: [{name: G, policies: [{name: P, approvals: [{level: 1, above: 5}]}]}]":                           "approvals: have a level from 2 to 10",
		"groups: [{name: G, policies: [{name: P, approvals: [{level: 2}]}]}]":                                     "approvals: need an amount",
		"groups: [{name: G, cash_advance: {carry_balance: true}}]":                                                "cash_advance: is missing.",
		"expense_types: [{code: X, name: X}]\ngroups: [{name: G, policies: [{name: P, types: [TAXIX]}]}]":         "types: name TAXIX, which is no expense type.",
		"rates: [{on: soon, to: USD, from: {EUR: \"1\"}}]":                                                        "on: must be a day",
		"rates: [{on: 2026-01-01, to: XYZ, from: {EUR: \"1\"}}]":                                                  "to: must be a currency",
		"rates: [{on: 2026-01-01, to: USD, from: {EUR: \"0\"}}]":                                                  "EUR: must be a number above zero.",
		"rates: [{on: 2026-01-01, to: USD, from: {USD: \"1\"}}]":                                                  "USD: is the currency itself.",
		"rates: [{on: 2026-01-01, to: USD, from: {EUR: \"1\"}}, {on: 2026-01-01, to: usd, from: {eur: \"2\"}}]":   "eur: comes twice.",
		"mileage_rates: [{does: OTHER, from: 2026-01-01, unit: M, currency: USD, per_unit: 1}]":                   "does: must be one of COCARMILE, PCARMILE.",
		"mileage_rates: [{does: PCARMILE, from: 2026-01-01, unit: L, currency: USD, per_unit: 1}]":                "unit: must be one of M, K.",
		"mileage_rates: [{does: PCARMILE, from: 2026-01-01, unit: M, currency: USD, per_unit: 0}]":                "per_unit: must be a number above zero.",
		"locations: [{name: X, country: USA}]":                                                                    "country: must be a code of two letters",
		"locations: [{name: X, country: US, subdivision: DE-BY}]":                                                 "subdivision: must be a code of the country",
		"locations: [{name: X, country: US, iata: SEAT}]":                                                         "iata: must be a code of three letters",
		"locations: [{name: X, country: US, latitude: 91}]":                                                       "latitude: must be a number of degrees up to 90.",
		"locations: [{name: X, country: US, longitude: east}]":                                                    "longitude: must be a number of degrees up to 180.",
		"locations: [{name: X, country: US}, {name: x, country: us}]":                                             "location us / x: comes twice.",
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
	text := w.export(demo)
	if changes, err := w.plan(demo, text); changes != "" || err != nil {
		t.Errorf("what stands would change\n%s%v in\n%s", changes, err, text)
	}
	empty := w.newCompany()
	if _, err := w.apply(empty, text); err != nil {
		t.Fatal(err)
	}
	if got := w.export(empty); got != text {
		t.Errorf("written as\n%s\nafter\n%s", got, text)
	}
}
