package expense

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// filled makes three of everything that lists show, for a user of either company, and
// gives the lists that have at least three rows for an administrator.
func (w *world) filled(as string) []string {
	w.t.Helper()
	for n := range 3 {
		w.run(
			step{as: as, call: "POST /expense/reports", body: fmt.Sprintf(`{"Name":"Report %d"}`, n), keep: "r"},
			step{as: as, call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: as, call: "POST /expense/itemizations", body: part("e", "10", "")},
			step{as: as, call: "POST /expense/attendees", body: guest("PRIVATE", "Guest", ""), keep: "a"},
			step{as: as, call: "POST /expense/entryattendeeassociations", body: with("e", "a", "")},
		)
		w.upload(as, "e", inXML, fmt.Sprintf("<a>%d</a>", n), 200)
		w.now = w.now.Add(time.Second) // the queue of invoices is in order of time
	}
	return []string{"/expense/reports?user=ALL&", "/expense/entries?user=ALL&", "/expense/itemizations?user=ALL&", "/expense/allocations?user=ALL&",
		"/expense/attendees?user=ALL&", "/expense/entryattendeeassociations?user=ALL&", "/expense/digitaltaxinvoices?"}
}

var offsetOf = regexp.MustCompile(`offset=([^&]+)`)

// The offset of one walk is good for that walk alone: not for another list, company or
// query, not when it was tampered with, and not for somebody who has lost the right.
func TestOffsetsBelongToTheirWalk(t *testing.T) {
	everywhere(t, func(w *world) {
		lists := w.filled("ann")
		w.filled("eve")
		w.write(func(tx *store.Tx) error { return w.org.SetRoles(tx, eveID, auth.WebServicesAdministrator) })
		tokens := make([]string, len(lists))
		for i, list := range lists {
			f := w.step(list, step{as: "wes", call: "GET " + list + "limit=1", want: "Items=1"})
			m := offsetOf.FindStringSubmatch(f["NextPage"])
			if m == nil {
				t.Fatalf("%s has the next page %q", list, f["NextPage"])
			}
			tokens[i] = m[1]
			bare, _, _ := strings.Cut(list, "?")
			w.kept["t"], w.kept["bare"] = m[1], bare
			w.run(
				step{as: "wes", call: "GET {bare}?offset={t}", want: "Items=1"}, // the rest of the query is in it
				step{as: "wes", call: "GET " + list + "offset={t}&limit=100", want: "NextPage="},
				step{as: "eve", call: "GET " + list + "offset={t}", status: 400, want: "offset: is not one that this call has given"},
				step{as: "ann", call: "GET {bare}?offset={t}", status: 403},
			)
			if !strings.HasSuffix(bare, "invoices") {
				w.run(step{as: "wes", call: "GET {bare}?user=bob@demo.test&offset={t}", status: 400, want: "offset: is not one"})
			}
			for _, other := range tokens[:i] {
				w.run(step{as: "wes", call: "GET " + list + "offset=" + other, status: 400, want: "offset: is not one"})
			}
			// Anything else than the very token.
			last := len(m[1]) - 1
			for _, bad := range []string{m[1][:last], m[1] + "A", m[1][1:], strings.ToUpper(m[1]), m[1][:20] + "A" + m[1][21:], m[1][:last/2] + "-" + m[1][last/2+1:], "n", "x", "-1", "1e3", "0x10", "%00", "%F0%9F%98%80", strings.Repeat("n", 9000)} {
				if bad != m[1] {
					w.run(step{as: "wes", call: "GET " + list + "offset=" + bad, status: 400, want: "offset: is not one"})
				}
			}
			for _, bad := range []string{"0", "-1", "10000", "101", "ten", "1.5", "1e1", "0x1", "99999999999999999999", "%00"} {
				w.run(step{as: "wes", call: "GET " + list + "limit=" + bad, status: 400, want: "limit: must be a whole number from 1 to 100."})
			}
			w.run(
				step{as: "wes", call: "GET " + list + "limit=%201%20&offset=%20", want: "Items=1"},
				step{as: "wes", call: "GET " + list + "limit=ten&offset=x", status: 400, want: "limit: must be a whole number from 1 to 100; offset: is not one"},
			)
		}
		w.write(func(tx *store.Tx) error { return w.org.SetRoles(tx, wesID) })
		for i, list := range lists {
			bare, _, _ := strings.Cut(list, "?")
			w.run(step{as: "wes", call: "GET " + bare + "?offset=" + tokens[i], status: 403})
		}
	})
}

// Rows that come and go while somebody walks through a list: what was there from the
// beginning to the end is met once and in order, and what comes behind is met too.
func TestListsThatChangeMeanwhile(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Walk"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Aside"}`, keep: "aside"},
		)
		var made []string
		add := func() {
			name := fmt.Sprint("e", len(made))
			w.run(
				step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: name},
				step{as: "ann", call: "POST /expense/itemizations", body: part(name, "10", "")},
				step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "Guest", "")},
			)
			made = append(made, name)
		}
		for range 4 {
			add()
		}
		changes := []func(){
			func() { w.run(step{as: "ann", call: "DELETE /expense/entries/{" + made[0] + "}"}) },
			add,
			func() {
				w.run(step{as: "ann", call: "PUT /expense/entries/{" + made[1] + "}", body: `{"ReportID":"{aside}"}`})
			},
			func() { w.run(step{as: "ann", call: "DELETE /expense/entries/{" + made[2] + "}"}) },
			add,
		}
		for _, limit := range []int{1, 3} {
			for _, path := range []string{"/expense/entries?reportID={r}", "/expense/itemizations?reportID={r}", "/expense/allocations?reportID={r}", "/expense/attendees?attendeeTypeID=PRIVATE"} {
				ids := func() (all []string) {
					f := w.step(path, step{as: "ann", call: "GET " + path + "&limit=100", want: "NextPage="})
					for i := 0; f[fmt.Sprintf("Items[%d].ID", i)] != ""; i++ {
						all = append(all, f[fmt.Sprintf("Items[%d].ID", i)])
					}
					return all
				}
				before := ids()
				var met []string
				turn := 0
				for call := fmt.Sprintf("GET %s&limit=%d", path, limit); call != "" && turn < 100; turn++ {
					f := w.step(call, step{as: "ann", call: call})
					for i := range limit {
						if id := f[fmt.Sprintf("Items[%d].ID", i)]; id != "" {
							met = append(met, id)
						}
					}
					if call = ""; f["NextPage"] != "" {
						call = "GET " + f["NextPage"]
						if turn < len(changes) {
							changes[turn]()
						}
					}
				}
				after := ids()
				if slices.ContainsFunc(met, func(id string) bool { return strings.Count(strings.Join(met, " ")+" ", id+" ") > 1 }) {
					t.Errorf("%s in pages of %d meets a row twice: %v", path, limit, met)
				}
				var stayed, metOfThem []string
				for _, id := range before {
					if slices.Contains(after, id) {
						stayed = append(stayed, id)
					}
				}
				for _, id := range met {
					if slices.Contains(stayed, id) {
						metOfThem = append(metOfThem, id)
					}
				}
				if !slices.Equal(stayed, metOfThem) {
					t.Errorf("%s in pages of %d: %v stayed, %v were met", path, limit, stayed, metOfThem)
				}
				for len(made) > 0 { // and from the beginning
					if a := w.send("ann", "DELETE", w.fill("/api/v3.0/expense/entries/{"+made[0]+"}"), "", inJSON, ""); a.status != 200 && a.status != 404 {
						t.Fatal(a.status, a.body)
					}
					made = made[1:]
				}
				for range 4 {
					add()
				}
			}
		}
		w.sound()
	})
}
