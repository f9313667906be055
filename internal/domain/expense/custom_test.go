package expense

import (
	"testing"

	"quittance/internal/domain/org"
)

// A list field is given by the item's id, its code or, where it is the name of one item
// alone, its name; of an object the id counts before the code and the code before the value.
func TestListFieldsAreNamedInSeveralWays(t *testing.T) {
	everywhere(t, func(w *world) {
		report := func(fields string) string { return `{"Name":"x",` + fields + `}` }
		w.run(step{as: "ann", call: "POST /expense/reports", body: report(`"Custom2":"Alpine","OrgUnit1":"410"`), keep: "r"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Custom2.Code=ALPINE; OrgUnit1.Value=Finance", check: func(w *world, f map[string]string) {
				w.kept["alpine"], w.kept["finance"] = f["Custom2.ListItemID"], f["OrgUnit1.ListItemID"]
			}})
		for _, c := range []struct{ given, want string }{
			{`"OrgUnit1":" finance "`, "OrgUnit1.Value=Finance; OrgUnit1.Code=410; OrgUnit1.ListItemID={finance}; OrgUnit1.Type=List"},
			{`"OrgUnit1":{"Value":"FINANCE"}`, "OrgUnit1.Code=410"},
			{`"Custom2":"{alpine}"`, "Custom2.Code=ALPINE"},
			{`"Custom2":{"Value":"beacon"}`, "Custom2.Code=BEACON; Custom2.Value=Beacon"},
			{`"Custom2":{"Code":"ember","Value":"Beacon"}`, "Custom2.Code=EMBER"},
			{`"Custom2":{"ListItemID":"{alpine}","Code":"EMBER","Value":"Beacon"}`, "Custom2.Code=ALPINE"},
		} {
			w.run(step{as: "ann", call: "POST /expense/reports", body: report(c.given), keep: "r"},
				step{as: "ann", call: "GET /expense/reports/{r}", want: c.want})
		}
		refused := func(given, why string) {
			t.Helper()
			w.run(step{as: "ann", call: "POST /expense/reports", body: report(given), status: 400, want: why})
		}
		refused(`"Custom2":"Finance"`, "Custom2: names no item of its list") // which is an item of another list
		refused(`"Custom2":{"Code":"Cinder.","Value":"Cinder"}`, "Custom2: names no item of its list")
		refused(`"Custom2":{"ListItemID":"{finance}","Value":"Ember"}`, "Custom2: names no item of its list")
		w.exec("UPDATE list_item SET name = 'Ember', name_key = 'ember' WHERE company_id = ? AND code = 'DELTA'", demo)
		w.exec("UPDATE list_item SET code = 'FIRE', code_key = 'fire' WHERE company_id = ? AND code = 'EMBER'", demo)
		refused(`"Custom2":"ember"`, "Custom2: names several items of its list; give the item's id or code.")
	})
}

// What a connected field names lies right below what its parent field has.
func TestConnectedListFields(t *testing.T) {
	everywhere(t, func(w *world) {
		costs := w.config().FormFields(org.EntryForm).Field("OrgUnit1").List
		for name, parent := range map[string]string{"OrgUnit2": "OrgUnit1", "Custom9": "OrgUnit2"} {
			w.exec("UPDATE form_field SET type = 'ConnectedList', parent = ?, list_id = ? WHERE name = ? AND company_id = ?", parent, costs, name, demo)
		}
		w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"x","OrgUnit1":"400","OrgUnit2":"430"}`, keep: "r"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "OrgUnit1.Value=Administration; OrgUnit2.Code=430; OrgUnit2.Value=Legal; OrgUnit2.Type=ConnectedList",
				check: func(w *world, f map[string]string) { w.kept["legal"] = f["OrgUnit2.ListItemID"] }})
		with := func(fields string) string {
			return `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":9,"TransactionCurrencyCode":"USD","PaymentTypeID":"CASHX",` + fields + `}`
		}
		for _, c := range []struct{ given, want string }{
			{`"OrgUnit1":"400","OrgUnit2":"410"`, "OrgUnit2.Value=Finance"},
			{`"OrgUnit2":{"Value":"finance"},"OrgUnit1":{"Value":"Administration"}`, "OrgUnit2.Code=410"},
			{`"OrgUnit1":"400","OrgUnit2":{"ListItemID":"{legal}"}`, "OrgUnit2.Code=430"},
			{`"OrgUnit1":"400"`, "OrgUnit1.Code=400; OrgUnit2="},
		} {
			w.run(step{as: "ann", call: "POST /expense/entries", body: with(c.given), keep: "e"},
				step{as: "ann", call: "GET /expense/entries/{e}", want: c.want})
		}
		for _, c := range []struct{ given, why string }{
			{`"OrgUnit1":"200","OrgUnit2":"410"`, "OrgUnit2: must lie below the item of OrgUnit1"},
			{`"OrgUnit1":"400","OrgUnit2":"400"`, "OrgUnit2: must lie below the item of OrgUnit1"},
			{`"OrgUnit1":"200","OrgUnit2":{"ListItemID":"{legal}"}`, "OrgUnit2: must lie below the item of OrgUnit1"},
			{`"OrgUnit1":"200","OrgUnit2":{"Value":"Legal"}`, "OrgUnit2: must lie below the item of OrgUnit1"},
			{`"OrgUnit2":"410"`, "OrgUnit2: lies below an item of OrgUnit1, which must be given too."},
			{`"OrgUnit1":"400","Custom9":"410"`, "Custom9: lies below an item of OrgUnit2, which must be given too."},
		} {
			w.run(step{as: "ann", call: "POST /expense/entries", body: with(c.given), status: 400, want: c.why})
		}
		// Both stay what they are together, or change together.
		w.run(step{as: "ann", call: "POST /expense/entries", body: with(`"OrgUnit1":"400","OrgUnit2":"410"`), keep: "e"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"OrgUnit1":"200"}`, status: 400, want: "OrgUnit2: must lie below the item of OrgUnit1; choose another one, or clear it."},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"OrgUnit1":null}`, status: 400, want: "OrgUnit2: lies below an item of OrgUnit1"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Description":"x","OrgUnit2":"People"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "OrgUnit1.Code=400; OrgUnit2.Code=420; Description=x"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"OrgUnit1":"200","OrgUnit2":"210"}`},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"OrgUnit1":"400","OrgUnit2":null}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "OrgUnit1.Code=400; OrgUnit2="})
	})
}
