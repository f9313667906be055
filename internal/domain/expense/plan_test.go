package expense

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// crowded fills the tables below reports with some thousand rows of many owners in
// two companies.
func (w *world) crowded() {
	w.t.Helper()
	kinds := w.config().AttendeeTypes
	w.write(func(tx *store.Tx) error {
		for n := range 3000 {
			s := strconv.Itoa(n)
			company, owner := demo, fmt.Sprint("owner", n%30)
			if n%3 == 0 {
				company = "another"
			}
			if n%30 == 7 {
				owner = annID
			}
			report := fmt.Sprintf("%s-%d", owner, n%4)
			rows := []func() error{
				func() error {
					return entries.Insert(tx, &Entry{ID: "gWe" + s, Report: report, Company: company, Owner: owner, ExpenseType: "LUNCH", TransactionDate: 20250101 + value.Date(n%28), TransactionCurrency: "USD", HasItemizations: true})
				},
				func() error {
					return itemizations.Insert(tx, &Itemization{ID: "gWi" + s, Entry: "gWe" + s, Report: report, Company: company, Owner: owner, ExpenseType: []string{"LUNCH", "DINNR", "TAXIX"}[n%7%3]})
				},
				func() error {
					return allocations.Insert(tx, &Allocation{ID: "gWl" + s, Entry: "gWe" + s, Itemization: []string{"", "gWi" + s}[n%2], Report: report, Company: company, Owner: owner})
				},
				func() error {
					return attendees.Insert(tx, &Attendee{ID: "gWa" + s, Company: company, Owner: []string{owner, ""}[n%2], MadeBy: owner, Type: kinds[n%len(kinds)].ID, ExternalID: "x" + strconv.Itoa(n%500)})
				},
				func() error {
					return associations.Insert(tx, &Association{ID: "gWs" + s, Entry: "gWe" + s, Attendee: "gWa" + s, Report: report, Company: company, Owner: owner, Amount: 1, AttendeeCount: 1})
				},
				func() error {
					return taxDocuments.Insert(tx, &TaxDocument{TaxInvoice: TaxInvoice{ID: "gWt" + s, Company: company, Owner: owner, Entry: "gWe" + s, Report: report, Receipt: s, Status: []string{"", TaxValid}[n%2], ModifiedAt: start.Add(1000 * 1000 * 1000)}, Data: "<a/>"})
				},
			}
			for _, insert := range rows {
				if err := insert(); err != nil {
					return err
				}
			}
		}
		if tx.Engine() == store.PostgreSQL {
			_, err := tx.Exec("ANALYZE")
			return err
		}
		return nil
	})
}

// plan is how the engine reads a query, in one line.
func (w *world) plan(query string, args ...any) string {
	w.t.Helper()
	var steps []string
	w.read(func(tx *store.Tx) error {
		lite := tx.Engine() == store.SQLite
		explain := "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "
		if lite {
			explain = "EXPLAIN QUERY PLAN "
		}
		rows, err := tx.Query(explain+query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int64
			var text string
			if lite {
				err = rows.Scan(&id, &parent, &unused, &text)
			} else {
				err = rows.Scan(&text)
			}
			if err != nil {
				return err
			}
			steps = append(steps, strings.TrimSpace(text))
		}
		return rows.Err()
	})
	return strings.Join(steps, "; ")
}

// touched are the rows that a plan of PostgreSQL has read or dropped, step by step.
var touched = regexp.MustCompile(`(?:actual rows=|Rows Removed by Filter: )(\d+)`)

// ranged reports a plan that reads more than one range of an index: on SQLite the whole
// table, or rows that it has to sort. PostgreSQL weighs its ways by what it knows of the
// rows: it may sort a few, or drop a few that lie between those it wants, but reads a
// small part of the table alone.
func (w *world) ranged(what, plan, index string) {
	w.t.Helper()
	for _, bad := range []string{"SCAN ", "Seq Scan", "TEMP B-TREE"} {
		if strings.Contains(plan, bad) {
			w.t.Errorf("%s is read by\n%s", what, plan)
			return
		}
	}
	if w.db.Engine() == store.SQLite && !strings.Contains(plan, index) {
		w.t.Errorf("%s is read without %s, by\n%s", what, index, plan)
	}
	for _, m := range touched.FindAllStringSubmatch(plan, -1) {
		if n, _ := strconv.Atoi(m[1]); n > 400 {
			w.t.Errorf("%s reads %d rows, by\n%s", what, n, plan)
		}
	}
}

// Every list, with each of its filters, is one range of an index, or a few.
func TestEveryListIsARangeOfAnIndex(t *testing.T) {
	for name, make := range map[string]func(testing.TB) *world{"sqlite": newWorld, "postgres": newPostgresWorld} {
		t.Run(name, func(t *testing.T) {
			w := make(t)
			w.crowded()
			cfg, ann, all := w.config(), w.actor("ann"), w.actor("wes")
			all.All, all.Named = true, true
			// page explains a page of a table after its first.
			page := func(what, table, index string, access, where store.Predicate) {
				t.Helper()
				p := store.And(access, where, store.Where("seq > ?", 10))
				w.ranged(what, w.plan("SELECT doc FROM "+table+" WHERE "+p.SQL+" ORDER BY seq LIMIT 26", p.Args...), index)
			}
			none := store.Predicate{}
			inReport := ann.InCompany("").And("report_id = ?", "owner7-3")
			ofEntry := store.Where("entry_id = ?", "gWe7")
			for _, table := range []string{"itemization", "entry_attendee", "entry"} {
				page(table+" of a user", table, table+"_owner", ann.Listed(""), none)
				page(table+" of a company", table, "", all.Listed(""), none)
			}
			page("itemizations of a report", "itemization", "itemization_report", inReport, none)
			page("itemizations of an entry", "itemization", "itemization_entry", ofEntry, none)
			page("associations of an entry", "entry_attendee", "entry_attendee_entry", ofEntry, none)
			page("entries of a report", "entry", "entry_report", inReport, none)
			meals := (&ItemizationQuery{ExpenseType: "dinnr"}).where(cfg)
			page("itemizations of a type", "itemization", "itemization_owner_type", ann.Listed(""), meals)
			page("all itemizations of a type", "itemization", "itemization_type", all.Listed(""), meals)
			for _, c := range []struct {
				what, own, all string
				query          AttendeeQuery
			}{
				{"attendees", "attendee_owner", "", AttendeeQuery{}},
				{"attendees of a type", "attendee_owner_kind", "attendee_kind", AttendeeQuery{Type: "SPOUSE"}},
				{"attendees by external id", "attendee_owner_external", "attendee_external", AttendeeQuery{External: "x7,x8"}},
				{"attendees of a type by external id", "attendee_owner_", "attendee_", AttendeeQuery{Type: "SPOUSE", External: "x7"}},
			} {
				for _, who := range []struct {
					actor *auth.Actor
					index string
				}{{ann, c.own}, {all, c.all}} {
					ranges, err := c.query.ranges(cfg, who.actor)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range ranges {
						page(c.what, "attendee", who.index, r, none)
					}
				}
			}
			// The queue is in the order of its changes, of which many have one time.
			for _, after := range []value.Instant{0, start} {
				p := store.And(all.InCompany(""), (&TaxInvoiceQuery{after}).where())
				for _, beyond := range []string{" AND modified_at = ? AND seq > ? ORDER BY seq LIMIT 26", " AND modified_at > ? ORDER BY modified_at, seq LIMIT 26"} {
					args := append(p.Args[:len(p.Args):len(p.Args)], int64(start), int64(10))[:len(p.Args)+strings.Count(beyond, "?")]
					w.ranged("the queue", w.plan("SELECT id FROM digital_tax_invoice WHERE "+p.SQL+beyond, args...), "digital_tax_invoice_queue")
				}
			}
			// What a page of allocations and of attendees reads beside it.
			w.ranged("shares of an entry", w.plan("SELECT doc FROM allocation WHERE entry_id = ? AND itemization_id = ? ORDER BY seq LIMIT 26", "gWe8", ""), "allocation_")
			w.ranged("whether an attendee took part", w.plan("SELECT COUNT(*) FROM entry_attendee WHERE attendee_id = ?", "gWa7"), "entry_attendee_attendee")
			w.ranged("invoices of a report", w.plan("SELECT COUNT(*) FROM digital_tax_invoice WHERE report_id = ?", "owner7-3"), "digital_tax_invoice_report")

			// And the calls themselves find what is there.
			for call, want := range map[string]string{
				"/expense/itemizations?limit=100": "100", "/expense/itemizations?limit=100&expenseTypeCode=TAXIX": "29", "/expense/attendees?limit=100": "100",
				"/expense/entryattendeeassociations?limit=100": "100", "/expense/allocations?limit=100": "100", "/expense/attendees?externalID=x7,x17": "8",
			} {
				w.run(step{as: "ann", call: "GET " + call, want: "Items=" + want})
			}
			w.run(
				step{as: "wes", call: "GET /expense/digitaltaxinvoices?limit=100&offset=950", want: "Items=50; NextPage="},
				step{as: "ann", call: "GET /expense/allocations?limit=100&offset=100", want: "Items=100; NextPage="},
			)
		})
	}
}
