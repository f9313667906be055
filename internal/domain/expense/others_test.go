package expense

import (
	"strings"
	"testing"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// ofAnn makes a report of ann's with everything below it and keeps the ids.
func (w *world) ofAnn() {
	w.t.Helper()
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
		step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10", ""), keep: "i"},
		step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "Own", ""), keep: "a"},
		step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "Free", ""), keep: "free"},
		step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", ""), keep: "x"},
		step{as: "ann", call: "GET /expense/allocations?entryID={e}", check: func(w *world, f map[string]string) { w.kept["h"] = f["Items[0].ID"] }},
	)
}

// guarded are the calls on what ofAnn made. Those without an id and with a body name one
// of ann's records in it, but for the first ones, which make something of the caller's own.
var guarded = []struct{ call, body string }{
	{"POST /expense/reports", `{"Name":"mine"}`},
	{"POST /expense/attendees", `{"AttendeeTypeID":"PRIVATE","LastName":"mine"}`},
	{"GET /expense/reports", ""},
	{"GET /expense/entries", ""},
	{"GET /expense/itemizations", ""},
	{"GET /expense/allocations", ""},
	{"GET /expense/attendees", ""},
	{"GET /expense/entryattendeeassociations", ""},
	{"POST /expense/entries", lunch("r", "1")},
	{"POST /expense/itemizations", part("e", "1", "")},
	{"POST /expense/entryattendeeassociations", with("e", "free", "")},
	{"GET /expense/reports/{r}", ""},
	{"PUT /expense/reports/{r}", `{"Name":"theirs"}`},
	{"GET /expense/entries/{e}", ""},
	{"PUT /expense/entries/{e}", `{"Description":"theirs"}`},
	{"DELETE /expense/entries/{e}", ""},
	{"GET /expense/itemizations/{i}", ""},
	{"PUT /expense/itemizations/{i}", `{"Description":"theirs"}`},
	{"DELETE /expense/itemizations/{i}", ""},
	{"GET /expense/allocations/{h}", ""},
	{"GET /expense/attendees/{a}", ""},
	{"PUT /expense/attendees/{a}", `{"FirstName":"theirs"}`},
	{"DELETE /expense/attendees/{free}", ""},
	{"GET /expense/entryattendeeassociations/{x}", ""},
	{"PUT /expense/entryattendeeassociations/{x}", `{"Amount":1}`},
	{"DELETE /expense/entryattendeeassociations/{x}", ""},
}

// Every call, of everybody who has nothing to do with ann's report: nobody learns
// whether a record is there, and nothing changes.
func TestEveryCallOfOthers(t *testing.T) {
	everywhere(t, func(w *world) {
		w.ofAnn()
		before := w.allOfAnn()
		isList := func(call string) bool { return strings.HasPrefix(call, "GET ") && !strings.Contains(call, "{") }
		for _, g := range guarded {
			refused := func(as, query string, status int, want string) {
				w.t.Helper()
				w.run(step{as: as, call: g.call + query, body: g.body, status: status, want: want})
			}
			refused("", "", 401, "")
			refused("nobody", "", 403, "")
			refused("unscoped", "", 403, "scope")
			for _, as := range []string{"bob", "eve"} {
				refused(as, "?user=ann@demo.test", 403, "may name another user")
				refused(as, "?user=none@demo.test", 403, "may name another user")
				refused(as, "?user=ALL", 403, "may name another user")
			}
			refused("wes", "?user=none@demo.test", 400, "Invalid User:none@demo.test")
			refused("wes", "?user=eve@other.test", 400, "Invalid User:eve@other.test")
			if !strings.HasPrefix(g.call, "GET ") {
				refused("wes", "?user=ALL", 400, "Invalid User")
			}
			switch one := strings.Contains(g.call, "{"); {
			case g.call == guarded[0].call, g.call == guarded[1].call:
				refused("company", "", 400, "Name the user")
			case isList(g.call):
				for _, as := range []string{"bob", "cora", "ivan", "eve", "wes"} {
					w.run(step{as: as, call: g.call, want: "Items=0; NextPage="}, step{as: as, call: g.call + "?user=" + loginOf(as), want: "Items=0"})
				}
				w.run(step{as: "wes", call: g.call + "?user=bob@demo.test", want: "Items=0"})
			case one:
				for _, as := range []string{"bob", "cora", "ivan", "eve"} {
					refused(as, "", 404, "There is no such record")
					refused(as, "?user="+loginOf(as), 404, "There is no such record")
				}
				refused("wes", "?user=bob@demo.test", 404, "There is no such record")
			default: // what a body names is looked up as the caller's too
				for _, as := range []string{"bob", "cora", "ivan", "eve"} {
					refused(as, "", 400, "ID: names no")
				}
				refused("wes", "?user=bob@demo.test", 400, "ID: names no")
			}
		}

		// The administrator of another company is nobody here.
		w.write(func(tx *store.Tx) error { return w.org.SetRoles(tx, eveID, auth.WebServicesAdministrator) })
		for _, g := range guarded[2:] {
			w.run(step{as: "eve", call: g.call + "?user=ann@demo.test", body: g.body, status: 400, want: "Invalid User:ann@demo.test"})
			switch {
			case isList(g.call):
				w.run(step{as: "eve", call: g.call + "?user=ALL", want: "Items=0"})
			case strings.Contains(g.call, "{"):
				w.run(step{as: "eve", call: g.call, body: g.body, status: 404})
			default:
				w.run(step{as: "eve", call: g.call, body: g.body, status: 400, want: "ID: names no"})
			}
		}
		if after := w.allOfAnn(); after != before {
			t.Errorf("ann's records were\n%s\nand are\n%s", before, after)
		}
		w.sound()
	})
}

// allOfAnn is everything that ann's lists show.
func (w *world) allOfAnn() string {
	w.t.Helper()
	var all strings.Builder
	for _, path := range []string{"reports", "entries", "itemizations", "allocations", "attendees", "entryattendeeassociations"} {
		a := w.send("ann", "GET", "/api/v3.0/expense/"+path, "", inJSON, "")
		if a.status != 200 {
			w.t.Fatal(a.status, a.body)
		}
		all.WriteString(a.body + "\n")
	}
	return all.String()
}

// Administrators, by role or by the company's own token, may do every call for ann.
func TestEveryCallOfAdministrators(t *testing.T) {
	for _, as := range []string{"wes", "company"} {
		for _, user := range []string{"", "?user=ann@demo.test", "?user=ANN@DEMO.TEST"} {
			t.Run(as+user, func(t *testing.T) {
				both(t, func(w *world) {
					w.ofAnn()
					for _, g := range guarded[2:] {
						if g.body != "" && !strings.Contains(g.call, "{") && as == "company" && user == "" {
							continue // whose it is must be said
						}
						if strings.HasPrefix(g.call, "DELETE ") {
							continue
						}
						w.run(step{as: as, call: g.call + user, body: g.body})
					}
					for _, call := range []string{"DELETE /expense/entryattendeeassociations/{x}", "DELETE /expense/itemizations/{i}", "DELETE /expense/entries/{e}", "DELETE /expense/attendees/{a}"} {
						w.run(step{as: as, call: call + user})
						w.run(step{as: as, call: call + user, status: 404})
					}
					w.sound()
				})
			})
		}
	}
}

// The validation of tax invoices is the business of the company's administrators, in
// both formats, whoever the invoice belongs to.
func TestTaxInvoicesOfOthers(t *testing.T) {
	everywhere(t, func(w *world) {
		w.ofAnn()
		w.kept["q"] = w.upload("ann", "e", inXML, "<a/>", 200)["ID"]
		calls := []struct{ call, body string }{
			{"GET /expense/digitaltaxinvoices", ""},
			{"GET /expense/digitaltaxinvoices/{q}", ""},
			{"PUT /expense/digitaltaxinvoices/{q}", `{"Status":"VALID"}`},
		}
		for _, c := range calls {
			w.run(step{call: c.call, body: c.body, status: 401}, step{as: "nobody", call: c.call, body: c.body, status: 403})
			for _, as := range []string{"ann", "bob", "cora", "ivan", "eve"} {
				w.run(step{as: as, call: c.call, body: c.body, status: 403, want: "works on the queue of tax invoices"})
			}
			w.run(step{as: "unscoped", call: c.call, body: c.body, status: 403, want: "TAXINV"})
		}
		w.write(func(tx *store.Tx) error { return w.org.SetRoles(tx, eveID, auth.WebServicesAdministrator) })
		w.run(
			step{as: "eve", call: "GET /expense/digitaltaxinvoices", want: "Items=0"},
			step{as: "eve", call: "GET /expense/digitaltaxinvoices/{q}", status: 404},
			step{as: "eve", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"VALID"}`, status: 404},
			step{as: "eve", call: "GET /expense/entries/{e}/taxinvoice", status: 404},
			step{as: "cora", call: "GET /expense/entries/{e}/taxinvoice", status: 404},
			step{as: "nobody", call: "GET /expense/entries/{e}/taxinvoice", status: 403},
			step{as: "unscoped", call: "GET /expense/entries/{e}/taxinvoice", status: 403},
			step{call: "GET /expense/entries/{e}/taxinvoice", status: 401},
			step{as: "bob", call: "GET /expense/entries/{e}/taxinvoice?user=ann@demo.test", status: 403},
			step{as: "wes", call: "GET /expense/entries/{e}/taxinvoice?user=bob@demo.test", status: 404},
			step{as: "wes", call: "GET /expense/entries/{e}/taxinvoice?user=eve@other.test", status: 400, want: "Invalid User"},
			step{as: "wes", call: "GET /expense/entries/{e}/taxinvoice?user=ann@demo.test", want: "ID={q}; Status="},
			step{as: "company", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"WARNG"}`},
			step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", want: "Status=WARNG"},
		)
		w.sound()
	})
}
