package expense

import "testing"

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
