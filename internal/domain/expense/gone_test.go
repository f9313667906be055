package expense

import (
	"strings"
	"testing"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
)

// What is deleted takes everything below it along: nothing of it is found, changed or
// named any more, and the sums are as if it had never been.
func TestGoneIsGone(t *testing.T) {
	everywhere(t, func(w *world) {
		w.ofAnn()
		w.run(
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "7"), keep: "stays"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", "Lee", ""), keep: "lee"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "lee", ""), keep: "y"},
		)
		w.allocate("e", "", "60", "40")
		w.run(step{as: "ann", call: "GET /expense/allocations?entryID={e}", check: func(w *world, f map[string]string) {
			w.kept["share"], w.kept["hidden"] = f["Items[0].ID"], f["Items[2].ID"]
		}})
		w.kept["q"] = w.upload("ann", "e", inXML, "<a/>", 200)["ID"]
		w.attach("ann", "/expenseentry/{e}", 1)

		w.run(
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}"},
			step{as: "ann", call: "GET /expense/entryattendeeassociations?entryID={e}", want: "Items=1; Items[0].Amount=30"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Amount":1}`, status: 404},
			step{as: "ann", call: "DELETE /expense/attendees/{free}"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "free", ""), status: 400, want: "AttendeeID: names no attendee"},
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
		)
		for _, path := range []string{"entries/{e}", "itemizations/{i}", "entryattendeeassociations/{y}", "attendees/{free}"} {
			w.run(
				step{as: "ann", call: "GET /expense/" + path, status: 404},
				step{as: "ann", call: "PUT /expense/" + path, body: `{"Description":"x","Amount":1,"FirstName":"x"}`, status: 404},
				step{as: "ann", call: "PUT /expense/" + path, body: `{}`, status: 404},
				step{as: "ann", call: "DELETE /expense/" + path, status: 404},
				step{as: "wes", call: "DELETE /expense/" + path, status: 404},
			)
		}
		w.run(
			step{as: "ann", call: "GET /expense/allocations/{share}", status: 404},
			step{as: "ann", call: "GET /expense/allocations/{hidden}", status: 404},
			step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", status: 404},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/{q}", status: 404},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=0"},
			step{as: "ann", call: "GET /expense/itemizations?entryID={e}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/entryattendeeassociations?entryID={e}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?entryID={e}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations", want: "Items=1; Items[0].EntryID={stays}"},
			step{as: "ann", call: "GET /expense/entries?attendeeID={lee}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/attendees/{lee}", want: "TotalAmountYTD=0"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "1", ""), status: 400, want: "EntryID: names no entry"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "lee", ""), status: 400, want: "EntryID: names no entry"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=7; AmountDueEmployee=7; HasException=false"},
			step{as: "ann", call: "GET /expense/reports?hasImages=true", want: "Items=0"},
			step{as: "ann", call: "DELETE /expense/attendees/{lee}"},
		)
		w.sound()

		// A report that is removed is gone in the same way, and takes no new entries.
		if a := w.send("ann", "DELETE", w.fill("/expensereports/v4/users/"+annID+"/reports/{r}"), "", inJSON, ""); a.status != 204 {
			t.Fatal(a.status, a.body)
		}
		w.run(
			step{as: "ann", call: "GET /expense/reports/{r}", status: 404},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Name":"x"}`, status: 404},
			step{as: "ann", call: "GET /expense/entries/{stays}", status: 404},
			step{as: "ann", call: "GET /expense/entries?reportID={r}", want: "Items=0"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "1"), status: 400, want: "ReportID: names no report"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"next"}`, keep: "n"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("n", "1"), keep: "m"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"ReportID":"{r}"}`, status: 400, want: "ReportID: names no report"},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "ReportID={n}"},
		)
		w.sound()
	})
}

// The id of one kind of record is none of another kind, in paths, bodies and filters.
func TestIDsOfOtherKinds(t *testing.T) {
	both(t, func(w *world) {
		w.ofAnn()
		kinds := map[string]string{"reports": "r", "entries": "e", "itemizations": "i", "allocations": "h", "attendees": "a", "entryattendeeassociations": "x"}
		for path, own := range kinds {
			for _, other := range kinds {
				if own == other {
					continue
				}
				w.run(step{as: "ann", call: "GET /expense/" + path + "/{" + other + "}", status: 404})
				if path != "allocations" {
					w.run(step{as: "ann", call: "PUT /expense/" + path + "/{" + other + "}", body: `{"Name":"x","Description":"x","FirstName":"x","Amount":1}`, status: 404})
				}
				if path != "allocations" && path != "reports" {
					w.run(step{as: "ann", call: "DELETE /expense/" + path + "/{" + other + "}", status: 404})
				}
			}
		}
		for _, id := range []string{"{i}", "{a}", "{h}", "{r}", "{x}", "gWnone", "x"} {
			w.kept["id"] = w.fill(id)
			w.run(
				step{as: "ann", call: "POST /expense/itemizations", body: part("id", "1", ""), status: 400, want: "EntryID: names no entry"},
				step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("id", "a", ""), status: 400, want: "EntryID: names no entry"},
				step{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{"EntryID":"{id}"}`, status: 400, want: "EntryID: names no entry"},
				step{as: "ann", call: "GET /expense/itemizations?entryID={id}", want: "Items=0"},
				step{as: "ann", call: "GET /expense/entryattendeeassociations?entryID={id}", want: "Items=0"},
			)
		}
		for _, id := range []string{"{e}", "{i}", "{a}", "{h}", "{x}", "gWnone", "5EED0000000000000000"} {
			w.kept["id"] = w.fill(id)
			w.run(
				step{as: "ann", call: "POST /expense/entries", body: lunch("id", "1"), status: 400, want: "ReportID: names no report"},
				step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{id}"}`, status: 400, want: "ReportID: names no report"},
				step{as: "ann", call: "GET /expense/entries?reportID={id}", want: "Items=0"},
				step{as: "ann", call: "GET /expense/itemizations?reportID={id}", want: "Items=0"},
			)
		}
		for _, id := range []string{"{e}", "{r}", "{x}", "gWnone"} {
			w.kept["id"] = w.fill(id)
			w.run(
				step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "id", ""), status: 400, want: "AttendeeID: names no attendee"},
				step{as: "ann", call: "POST /expense/attendees", body: guest("{id}", "x", ""), status: 400, want: "AttendeeTypeID: names no attendee type"},
				step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"LocationID":"{id}","PaymentTypeID":"{id}","ExpenseTypeCode":"{id}"}`, status: 400, want: "LocationID: names no location"},
				step{as: "ann", call: "POST /expense/reports", body: `{"Name":"x","PolicyID":"{id}"}`, status: 400, want: "PolicyID: names no policy"},
				step{as: "ann", call: "GET /expense/entries?attendeeID={id}", want: "Items=0"},
			)
		}
		// An id has its letter case, and may be escaped.
		w.kept["small"], w.kept["escaped"] = strings.ToLower(w.kept["r"]), strings.ReplaceAll(w.kept["e"], "$", "%24")
		w.run(
			step{as: "ann", call: "GET /expense/reports/{small}", status: 404},
			step{as: "ann", call: "GET //Expense//ENTRIES/{escaped}/", want: "ID={e}"},
		)
		w.sound()
	})
}

// Records of the other company's configuration are none in this one.
func TestConfigurationOfTheOtherCompany(t *testing.T) {
	both(t, func(w *world) {
		w.ofAnn()
		w.read(func(tx *store.Tx) error {
			cfg, err := w.org.Config(tx, "c0000000-0000-4000-8000-000000000002")
			if err != nil {
				return err
			}
			group := cfg.Groups[0]
			w.kept["policy"], w.kept["payment"], w.kept["place"], w.kept["kind"] = group.Policies[0].ID, group.PaymentTypes[0].ID, cfg.Locations()[0].ID, cfg.AttendeeTypes[0].ID
			list := cfg.Lists[0].ID
			item, ok, err := cfg.ListItem(tx, list, "100")
			if err != nil || !ok {
				t.Fatal("the other company has no cost center 100", err)
			}
			w.kept["item"] = item.ID
			return nil
		})
		before := w.allOfAnn()
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"x","PolicyID":"{policy}"}`, status: 400, want: "PolicyID: names no policy"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"x","OrgUnit1":{"ListItemID":"{item}"}}`, status: 400, want: "OrgUnit1: names no item"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"PaymentTypeID":"{payment}"}`, status: 400, want: "PaymentTypeID: is no payment type"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"LocationID":"{place}"}`, status: 400, want: "LocationID: names no location"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"OrgUnit1":"{item}"}`, status: 400, want: "OrgUnit1: names no item"},
			step{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{"OrgUnit1":"{item}"}`, status: 400, want: "OrgUnit1: names no item"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("{kind}", "x", ""), status: 400, want: "AttendeeTypeID: names no attendee type"},
			step{as: "wes", call: "GET /expense/entries?user=ALL&paymentTypeID={payment}", want: "Items=0"},
			step{as: "wes", call: "GET /expense/attendees?user=ALL&attendeeTypeID={kind}", want: "Items=0"},
		)
		if err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := w.expense.CreateEntry(tx, w.actor("eve"), &Entry{Report: w.kept["r"], ExpenseType: "LUNCH"}, api.Direct())
			return err
		}); err == nil || !strings.Contains(err.Error(), "ReportID") {
			t.Errorf("an entry of another company's report without HTTP: %v", err)
		}
		if after := w.allOfAnn(); after != before {
			t.Error("ann's records have changed")
		}
	})
}
