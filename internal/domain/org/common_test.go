package org_test

import (
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

func TestLocations(t *testing.T) {
	both(t, func(s *scene) {
		find := func(query, want string) step {
			return step{as: "ann", call: "GET /common/locations" + query, want: want}
		}
		s.write(func(tx *store.Tx) error {
			c, err := s.Export(tx, demo)
			if err != nil {
				return err
			}
			_, err = s.Apply(tx, demo, configuration(t, string(c.Text())+`  - {name: "Łódź (Old Town)", country: pl, latitude: 51.770}`))
			return err
		})
		s.run(
			find("", "Items=25; Items[0].Name=Seattle, Washington; Items[0].Country=US; Items[0].CountrySubdivision=US-WA; Items[0].AdministrativeRegion=Washington; Items[0].IATACode=SEA; Items[0].IsAirport=false; Items[0].IsBookingTool=true; Items[0].Latitude=47.6062; Items[0].Longitude=-122.3321"),
			step{as: "ann", call: "GET /common/locations?name=seattle", want: "Items=1", keep: "seattle"},
			step{as: "ann", call: "GET /common/locations/{seattle}", want: "ID={seattle}; Name=Seattle, Washington; URI=" + publicURL + "/api/v3.0/common/locations/{seattle}"},
			step{as: "ann EXPRPT", call: "GET /common/locations/{seattle}", want: "IATACode=SEA"}, // any token will do
			step{as: "eve", call: "GET /common/locations/{seattle}", status: 404},
			step{as: "eve", call: "GET /common/locations?name=seattle", want: "Items=1; Items[0].Name=Seattle, Washington"},
			step{as: "ann", call: "GET /common/locations/none", status: 404}, step{as: "", call: "GET /common/locations", status: 401},
			find("?name=SEATTLE%2C%20wash", "Items=1"), find("?name=washington", "Items=3; Items[0].ID={seattle}"), find("?name=york", "Items=1; Items[0].Name=New York"),
			find("?name=new%20york", "Items=1"), find("?name=eattle", "Items=0"), find("?name=%2C%20.", "Items=0"), find("?name=o'n-", "Items=0"),
			find("?name=los%20angeles%20california", "Items=1"), find("?name=%C5%81%C3%93", "Items=1; Items[0].Name=Łódź (Old Town); Items[0].Latitude=51.77"), find("?name=%C5%82%C3%B3d%C5%BA%20old", "Items=1"), find("?name=lodz", "Items=0"),
			find("?city=seattle", "Items=1"), find("?city=seatt", "Items=0"),
			find("?countrySubdivision=us-wa", "Items=2; Items[0].ID={seattle}"), find("?administrativeRegion=WASHINGTON", "Items=2; Items[0].ID={seattle}"),
			find("?administrativeRegion=washington&city=Seattle&country=us&name=se", "Items=1; Items[0].ID={seattle}"),
			find("?country=de", "Items[0].Country=DE"), find("?COUNTRY=US&name=san", "Items[0].Country=US"),
			find("?country=DE&countrySubdivision=US-WA", "Items=0"), find("?country=XX", "Items=0"), find("?country=U", "Items=0"),
			step{as: "ann", call: "GET /common/locations?country=USA", status: 400, want: "country: must be at most 2"},
			step{as: "ann", call: "GET /common/locations?limit=0", status: 400, want: "limit"}, step{as: "ann", call: "GET /common/locations?limit=101", status: 400, want: "limit"},
			step{as: "ann", call: "GET /common/locations?limit=ten", status: 400, want: "limit"}, step{as: "ann", call: "GET /common/locations?offset=n0", status: 400, want: "offset"},
			step{as: "wes", call: "POST /common/locations", status: 405}, step{as: "wes", call: "DELETE /common/locations/{seattle}", status: 405},
		)
		if ids := s.pages("ann", "GET /common/locations?limit=70"); len(ids) != 201 {
			s.t.Errorf("pages of 70 have %d locations", len(ids))
		}
		if ids := s.pages("ann", "GET /common/locations?name=s&limit=10"); len(ids) < 15 || len(ids) > 60 {
			s.t.Errorf("%d locations have a word that begins with s", len(ids))
		}
	})
}

// What the filters find is what going through all locations finds.
func TestLocationFiltersFindAll(t *testing.T) {
	w := onSQLite(t)
	all := w.config(demo).Locations()
	for _, part := range []string{"s", "new", "san", "port", "a", "saint", "york", "ca", "de", "München", "st"} {
		want := 0
		for i := range all {
			words := strings.FieldsFunc(store.Fold(all[i].Name), func(r rune) bool { return strings.ContainsRune(" ,.-'()/", r) })
			for _, word := range words {
				if strings.HasPrefix(word, store.Fold(part)) {
					want++
					break
				}
			}
		}
		var got int
		w.read(func(tx *store.Tx) error {
			l, err := w.FindLocations(tx, company(demo), &org.LocationQuery{Name: part}, store.Page{Limit: 1000})
			got = len(l.Rows)
			return err
		})
		if got != want {
			t.Errorf("%q finds %d locations, not %d", part, got, want)
		}
	}
}

func TestLocationsGolden(t *testing.T) {
	goldenCalls(t, "locations.txt", func(s *scene) { s.run(step{as: "ann", call: "GET /common/locations?name=oslo", keep: "oslo"}) },
		step{as: "ann", call: "GET /common/locations?country=US&limit=2"}, step{as: "ann", call: "GET /common/locations/{oslo}"},
		step{as: "ann", call: "GET /common/locations/none"})
}

func TestAttendeeTypes(t *testing.T) {
	both(t, func(s *scene) {
		const press = `{"Code":"press","Name":"Press","AllowAttendeeCountEditing":true,"DuplicateSearchFields":["lastname","Company"]}`
		s.run(
			step{as: "ann", call: "GET /expense/attendeetypes", want: "Items=5; Items[0].Code=EMPLOYEE; Items[0].Name=Employee; Items[0].AllowAttendeeCountEditing=false; Items[0].AllowManuallyEnteredAttendees=true; Items[0].ConnectorID=; Items[4].Code=PRIVATE"},
			step{as: "wes", call: "POST /expense/attendeetypes", body: press, keep: "press"},
			step{as: "ann", call: "GET /expense/attendeetypes/{press}", want: "ID={press}; Code=PRESS; Name=Press; AllowAttendeeCountEditing=true; AllowManuallyEnteredAttendees=true; DuplicateSearchFields=2; DuplicateSearchFields[0]=LastName; DuplicateSearchFields[1]=Company; URI=" + publicURL + "/api/v3.0/expense/attendeetypes/{press}"},
			step{as: "ann", call: "GET /expense/attendeetypes", want: "Items=6; Items[5].ID={press}"},
			step{as: "eve", call: "GET /expense/attendeetypes/{press}", status: 404}, step{as: "eve", call: "GET /expense/attendeetypes", want: "Items=5"},
			step{as: "ann ATTEND", call: "GET /expense/attendeetypes", want: "Items=6"}, step{as: "ann CONFIG", call: "GET /expense/attendeetypes", want: "Items=6"},
			step{as: "ann attendee.admin.read", call: "GET /expense/attendeetypes/{press}", want: "Code=PRESS"},
			step{as: "wes attendee.admin.read", call: "POST /expense/attendeetypes", body: press, status: 403},
			step{as: "ann EXPRPT", call: "GET /expense/attendeetypes", status: 403}, step{as: "", call: "GET /expense/attendeetypes", status: 401},
			step{as: "ann", call: "POST /expense/attendeetypes", body: press, status: 403, want: "Only Web Services Administrator"},
			step{as: "wes", call: "GET /expense/attendeetypes?limit=0", status: 400, want: "limit"}, step{as: "wes", call: "GET /expense/attendeetypes?limit=101", status: 400, want: "limit"},
		)
		for body, want := range map[string]string{
			`{}`:                                    "Name: is required",
			`{"Code":"X"}`:                          "Name: is required",
			`{"Name":"X"}`:                          "Code: is required",
			press:                                   "Code: is the code of another attendee type already; Name: is the name of another",
			`{"Code":"PRESS","Name":"Journalists"}`: "Code: is the code of another",
			`{"Code":"X","Name":"pRESS"}`:           "Name: is the name of another",
			`{"Code":"noshows","Name":"X"}`:         "Code: is the code of another", // the system's own are taken too
			`{"Code":"X","Name":"No Shows"}`:        "Name: is the name of another",
			`{"Code":"` + strings.Repeat("x", 41) + `","Name":"X"}`:         "Code: must be at most 40",
			`{"Code":"X","Name":"` + strings.Repeat("x", 41) + `"}`:         "Name: must be at most 40",
			`{"Code":"X","Name":"X","AttendeeFormID":"none"}`:               "AttendeeFormID: names no attendee form",
			`{"Code":"X","Name":"X","DuplicateSearchFields":["Shoe Size"]}`: "DuplicateSearchFields",
			`{"Code":"X","Name":"X","AllowAttendeeCountEditing":"perhaps"}`: "AllowAttendeeCountEditing: must be true or false",
		} {
			s.run(step{as: "wes", call: "POST /expense/attendeetypes", body: body, status: 400, want: want})
		}
		s.run(
			step{as: "cora", call: "PUT /expense/attendeetypes/{press}", body: `{"Name":"Journalists"}`},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{}`},
			step{as: "ann", call: "GET /expense/attendeetypes/{press}", want: "Code=PRESS; Name=Journalists; AllowAttendeeCountEditing=true; DuplicateSearchFields=2"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{"Code":"media","DuplicateSearchFields":["Title","FirstName","Custom25"],"AllowManuallyEnteredAttendees":false,"ConnectorID":"c-1","ID":"x"}`},
			step{as: "ann", call: "GET /expense/attendeetypes/{press}", want: "Code=MEDIA; Name=Journalists; DuplicateSearchFields=3; DuplicateSearchFields[2]=Custom25; AllowManuallyEnteredAttendees=false; ConnectorID=c-1"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{"Code":"Spouse"}`, status: 400, want: "Code: is the code of another"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{"Name":"EMPLOYEE"}`, status: 400, want: "Name: is the name of another"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{"Name":null}`, status: 400, want: "Name: is required"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{press}", body: `{"ConnectorID":null,"Name":"JOURNALISTS"}`},
			step{as: "ann", call: "PUT /expense/attendeetypes/{press}", body: `{"Name":"X"}`, status: 403},
			step{as: "wes", call: "PUT /expense/attendeetypes/none", body: `{"Name":"X"}`, status: 404},
			step{as: "ann", call: "DELETE /expense/attendeetypes/{press}", status: 403},
			step{as: "eve", call: "DELETE /expense/attendeetypes/{press}", status: 403},
			step{as: "wes", call: "DELETE /expense/attendeetypes/none", status: 404},
			step{as: "wes", call: "DELETE /expense/attendeetypes/{press}"},
			step{as: "wes", call: "DELETE /expense/attendeetypes/{press}", status: 404},
			step{as: "wes", call: "POST /expense/attendeetypes", body: press},
		)
		hidden, ok := s.config(demo).AttendeeType("NOSHOWS")
		if !ok {
			s.t.Fatal("no type NOSHOWS")
		}
		for _, call := range []string{"GET", "PUT", "DELETE"} {
			s.run(step{as: "wes", call: call + " /expense/attendeetypes/" + hidden.ID, body: map[string]string{"PUT": `{"Name":"X"}`}[call], status: 404})
		}
	})
}

func TestAttendeeTypesGolden(t *testing.T) {
	goldenCalls(t, "attendeetypes.txt", func(s *scene) { s.run(step{as: "ann", call: "GET /expense/attendeetypes", keep: "type"}) },
		step{as: "ann", call: "GET /expense/attendeetypes?limit=1"}, step{as: "ann", call: "GET /expense/attendeetypes/{type}"},
		step{as: "wes", call: "POST /expense/attendeetypes", body: `{"Code":"PRESS","Name":"Press"}`}, step{as: "wes", call: "POST /expense/attendeetypes", body: `{"Code":"PRESS"}`},
		step{as: "wes", call: "PUT /expense/attendeetypes/{type}", body: `{"DuplicateSearchFields":["Company"]}`}, step{as: "wes", call: "DELETE /expense/attendeetypes/{type}"})
}

func TestExpenseGroups(t *testing.T) {
	both(t, func(s *scene) {
		const groups = "GET /expense/expensegroupconfigurations"
		// A second group, with one policy, one payment type and no cash advances; ivan is in it.
		s.write(func(tx *store.Tx) error {
			if _, err := s.Apply(tx, demo, configuration(t, `
groups:
  - {name: Default Group, allow_digital_tax_invoice: true, attendee_form: Attendee List, cash_advance: {name: Cash Advance Workflow, carry_balance: true, link_multiple: true}, policies: [
      {name: Standard Policy, default: true, inheritable: true, receipt: "75", approvals: [{level: 2, above: "10000"}]},
      {name: Reviewed Policy, inheritable: true, receipt: "25", accounting_step: true, approvals: [{level: 2, above: "5000"}, {level: 3, above: "25000"}]}]}
  - name: Travellers
    payment_types: [CPAID]
    policies:
      - {name: Travel, default: true, types: [TAXIX, {code: LODNG, limit: "300"}]}
`)); err != nil {
				return err
			}
			u, err := s.User(tx, "ivan@demo.test")
			if err != nil {
				return err
			}
			cfg, err := s.Config(tx, demo)
			if err != nil {
				return err
			}
			u.Group = cfg.Groups[1].ID
			return s.ChangeUser(tx, u)
		})
		if p := s.config(demo).Groups[1].Policies[0]; p.Types[0].Limit.Valid && p.Types[1].Limit.Valid || len(p.Types) != 2 {
			s.t.Errorf("the types of Travel are %+v and %+v", p.Types[0], p.Types[1])
		}
		nested := "Items=1; Items[0].Name=Default Group; Items[0].AllowUserDigitalTaxInvoice=true; Items[0].AllowUserRegisterYodlee=false; Items[0].AttendeeListFormName=Attendee List; " +
			"Items[0].AttendeeTypes=5; Items[0].PaymentTypes=6; Items[0].PaymentTypes[0].Name=Cash; Items[0].PaymentTypes[0].IsDefault=true; Items[0].CashAdvance.Name=Cash Advance Workflow; " +
			"Items[0].CashAdvance.AllowUserCarryBalance=true; Items[0].CashAdvance.AllowUserUpdateExchangeRate=false; Items[0].Policies=2; Items[0].Policies[0].Name=Standard Policy; " +
			"Items[0].Policies[0].IsDefault=true; Items[0].Policies[1].IsDefault=false; Items[0].Policies[0].ExpenseTypes=66; Items[0].Policies[0].ExpenseTypes[0].Name=Agency Booking Fees; " +
			"Items[0].Policies[0].ExpenseTypes[0].ExpenseCode=OTHER; Items[0].AttendeeTypes[4].Code=PRIVATE"
		s.run(
			step{as: "ann", call: groups, want: nested, keep: "standard"},
			step{as: "wes", call: groups, want: nested}, // administrators too see their own
			step{as: "ivan", call: groups, want: "Items=1; Items[0].Name=Travellers; Items[0].CashAdvance=; Items[0].CashAdvance.Name=; NextPage=", keep: "travel"},
			step{as: "wes", call: groups + "?user=ivan@demo.test", want: "Items=1; Items[0].ID={travel}"},
			step{as: "wes", call: groups + "?user=all", want: "Items=2; Items[0].ID={standard}; Items[1].ID={travel}"},
			step{as: "company", call: groups, want: "Items=2"},
			step{as: "ann", call: groups + "?user=ann@demo.test", want: "Items=1; Items[0].ID={standard}"},
			step{as: "ann", call: groups + "?user=ivan@demo.test", status: 403, want: "may name another user"},
			step{as: "ann", call: groups + "?user=ALL", status: 403, want: "may name another user"},
			step{as: "wes", call: groups + "?user=nobody", status: 400, want: "Invalid User:nobody"},
			step{as: "wes", call: groups + "?user=eve@other.test", status: 400, want: "Invalid User"},
			step{as: "eve", call: groups, want: "Items=1; Items[0].Name=Default Group"},
			step{as: "ann", call: groups + "/{standard}", want: "ID={standard}; Name=Default Group; URI=" + publicURL + "/api/v3.0/expense/expensegroupconfigurations/{standard}"},
			step{as: "ann", call: groups + "/{travel}", status: 404}, step{as: "eve", call: groups + "/{travel}", status: 404},
			step{as: "wes", call: groups + "/{travel}", want: "Name=Travellers"},
			step{as: "wes", call: groups + "/{travel}?user=ivan@demo.test", want: "Name=Travellers"},
			step{as: "wes", call: groups + "/{travel}?user=ann@demo.test", status: 404},
			step{as: "wes", call: groups + "/{travel}?user=ALL", want: "Name=Travellers"},
			step{as: "wes", call: groups + "/none", status: 404},
			step{as: "ann ATTEND", call: groups, status: 403}, step{as: "", call: groups, status: 401},
			step{as: "wes", call: groups + "?limit=0", status: 400, want: "limit"}, step{as: "wes", call: groups + "?limit=101", status: 400, want: "limit"},
			step{as: "wes", call: groups + "?limit=ten", status: 400, want: "limit"}, step{as: "wes", call: groups + "?offset=zero", status: 400, want: "offset"},
			step{as: "wes", call: groups + "?limit=100", want: "Items=1"},
			step{as: "wes", call: groups + "?user=ALL&limit=1", want: "Items=1; Items[0].ID={standard}", keep: "next"},
			step{as: "wes", call: "POST /expense/expensegroupconfigurations", status: 405},
		)
		if ids := s.pages("wes", groups+"?user=ALL&limit=1"); len(ids) != 2 {
			s.t.Errorf("pages of one group have %v", ids)
		}
		if !s.xml { // where a single element is no list
			s.run(step{as: "ivan", call: groups, want: "Items[0].PaymentTypes=1; Items[0].PaymentTypes[0].Name=Company Paid; Items[0].Policies=1; Items[0].Policies[0].ExpenseTypes=2; Items[0].Policies[0].ExpenseTypes[0].Code=LODNG"})
		}
	})
}

// configuration reads a file.
func configuration(t testing.TB, text string) *org.Configuration {
	t.Helper()
	c, err := org.ReadConfiguration([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExpenseGroupsGolden(t *testing.T) {
	goldenCalls(t, "groups.txt", func(s *scene) {
		s.write(func(tx *store.Tx) error {
			_, err := s.Apply(tx, demo, configuration(t, `
groups: [{name: Default Group, payment_types: [CASHX], cash_advance: {name: Advances, update_rate: true}, policies: [{name: Standard Policy, default: true, types: [TAXIX, LODNG]}]}]
`))
			return err
		})
		s.run(step{as: "ann", call: "GET /expense/expensegroupconfigurations", keep: "group"})
	},
		step{as: "ann", call: "GET /expense/expensegroupconfigurations"}, step{as: "ann", call: "GET /expense/expensegroupconfigurations/{group}"},
		step{as: "ann", call: "GET /expense/expensegroupconfigurations?user=ALL"}, step{as: "wes", call: "GET /expense/expensegroupconfigurations?limit=200"})
}

// Everybody who may set up is one of three roles, or the company itself.
func TestWhoMayConfigure(t *testing.T) {
	s := newScene(onSQLite(t), false)
	s.run(step{as: "ann", call: "POST /common/lists", body: countries, status: 403})
	for _, role := range []auth.Role{auth.WebServicesAdministrator, auth.CanAdminister, auth.CompanyAdministrator} {
		s.write(func(tx *store.Tx) error { return s.SetRoles(tx, annID, role) })
		s.run(step{as: "ann", call: "POST /common/lists", body: strings.Replace(countries, "Countries", string(role), 1)})
	}
	for _, role := range []auth.Role{auth.ExpenseApprover, auth.ExpenseProcessor, auth.InvoiceUser} {
		s.write(func(tx *store.Tx) error { return s.SetRoles(tx, annID, role) })
		s.run(step{as: "ann", call: "POST /common/lists", body: countries, status: 403})
	}
	s.run(step{as: "company", call: "POST /common/lists", body: countries})
}
