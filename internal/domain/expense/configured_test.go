package expense

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/store"
)

// What records of the area name cannot be taken out of the configuration.
func TestConfiguredRecordsInUse(t *testing.T) {
	for name, make := range map[string]func(testing.TB) *world{"sqlite": newWorld, "postgres": newPostgresWorld} {
		t.Run(name, func(t *testing.T) {
			w := make(t)
			cfg := w.config()
			cash, _ := cfg.PaymentType("CASHX", "")
			paid, _ := cfg.PaymentType("CPAID", "")
			items := map[string]string{}
			w.read(func(tx *store.Tx) error {
				for _, code := range []string{"BEACON", "EMBER", "ALPINE"} {
					item, ok, err := cfg.ListItem(tx, cfg.FormFields(org.EntryForm).Field("Custom2").List, code)
					if err != nil || !ok {
						t.Error(code, ok, err)
						return err
					}
					items[code] = item.ID
				}
				return nil
			})
			w.kept["place"] = cfg.Locations()[4].ID
			check := func(kind org.RecordKind, key string, want bool) {
				t.Helper()
				var found string
				w.read(func(tx *store.Tx) (err error) {
					found, err = w.expense.Named(tx, demo, kind, []string{"none", key})
					return err
				})
				if (found == key) != want || !want && found != "" {
					t.Errorf("kind %d: %q is found for %q, want %v", kind, found, key, want)
				}
			}
			check(org.GroupRecord, cfg.Groups[0].ID, false)
			check(org.ExpenseTypeRecord, "LUNCH", false)
			w.run(
				step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
				step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "30"), "}") + `,"LocationID":"{place}","Custom2":"BEACON"}`, keep: "e"},
				step{as: "ann", call: "POST /expense/itemizations", body: strings.Replace(part("e", "10", `"Custom2":"EMBER"`), "LUNCH", "TAXIX", 1)},
				step{as: "ann", call: "POST /expense/attendees", body: guest("SPOUSE", "Lee", "")},
			)
			check(org.GroupRecord, cfg.Groups[0].ID, true)
			check(org.PolicyRecord, cfg.Groups[0].Policies[0].ID, true)
			check(org.PolicyRecord, cfg.Groups[0].Policies[1].ID, false)
			check(org.ExpenseTypeRecord, "LUNCH", true)
			check(org.ExpenseTypeRecord, "TAXIX", true)
			check(org.ExpenseTypeRecord, "DINNR", false)
			check(org.PaymentTypeRecord, cash.ID, true)
			check(org.PaymentTypeRecord, paid.ID, false)
			check(org.ListItemRecord, items["BEACON"], true)
			check(org.ListItemRecord, items["EMBER"], true)
			check(org.ListItemRecord, items["ALPINE"], false)
			check(org.LocationRecord, w.kept["place"], true)
			check(org.LocationRecord, cfg.Locations()[5].ID, false)
			for code, want := range map[string]bool{"SPOUSE": true, "HCP": false} {
				kind, _ := cfg.AttendeeType(code)
				check(org.AttendeeTypeRecord, kind.ID, want)
			}
		})
	}
}

// An attendee is either on an entry or gone, whoever comes first.
func TestAttendeeGoesWhileAdded(t *testing.T) {
	w := newPostgresWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"race"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "50"), keep: "e"},
	)
	for n := range 8 {
		name := "g" + strconv.Itoa(n)
		w.guests(name)
		var all sync.WaitGroup
		var added, removed answer
		all.Go(func() {
			added = w.send("ann", "POST", "/api/v3.0/expense/entryattendeeassociations", inJSON, inJSON, w.fill(with("e", name, "")))
		})
		all.Go(func() {
			removed = w.send("ann", "DELETE", w.fill("/api/v3.0/expense/attendees/{"+name+"}"), "", inJSON, "")
		})
		all.Wait()
		if (added.status == 200) == (removed.status == 200) {
			t.Errorf("added: %d %s; removed: %d %s", added.status, added.body, removed.status, removed.body)
		}
	}
	w.sound()
}
