//go:build unix

package expense

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"quittance/internal/kernel/store"
)

// metered reports how much of the processors each call took beside the rate, which
// says little on a machine that does other things too.
func metered(b *testing.B, unit string, run func()) {
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.ResetTimer()
	before := cpu()
	run()
	b.ReportMetric(float64(cpu()-before)/1e3/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

// call makes one call of the mux without a socket and wants a 200.
func (w *world) call(b *testing.B, method, path, body string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer ann")
	r.Header.Set("Content-Type", inJSON)
	r.Header.Set("Accept", inJSON)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	if rec.Code != 200 {
		b.Error(rec.Code, rec.Body.String())
	}
}

// benchWorld has a caller that costs nothing to recognise.
func benchWorld(b *testing.B) *world {
	w := newWorld(b)
	w.remembered, w.ticks = w.actor("ann"), true
	w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Bench"}`, keep: "r"})
	return w
}

// BenchmarkPostEntry is the write path: rules on, every commit synced, 32 callers with
// a report each. Above the receipt limit each entry brings an exception along.
func BenchmarkPostEntry(b *testing.B) {
	for name, base := range map[string]int64{"plain": 0, "exceptions": 100} {
		b.Run(name, func(b *testing.B) {
			w := benchWorld(b)
			w.fillEntries(b, benchEntries(b))
			var made [32]string
			for i := range made {
				w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Bench"}`, keep: "r"})
				made[i] = w.kept["r"]
			}
			var n atomic.Int64
			b.SetParallelism(16)
			metered(b, "posts/s", func() {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						i := n.Add(1)
						w.call(b, "POST", "/api/v3.0/expense/entries", fmt.Sprintf(`{"ReportID":"%s","ExpenseTypeCode":"TAXIX","PaymentTypeID":"CASHX","TransactionDate":"2025-03-02","TransactionAmount":%d.%02d,"TransactionCurrencyCode":"USD","VendorDescription":"Cab %d"}`,
							made[i%32], i%70+base+1, i%100, i))
					}
				})
			})
		})
	}
}

// fillEntries adds n entries to a report, copying one that was posted.
func (w *world) fillEntries(b *testing.B, n int) {
	w.step("", step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-01-05","TransactionAmount":12.5,"TransactionCurrencyCode":"USD","PaymentTypeID":"CASHX","VendorDescription":"Vendor","Description":"Lunch","Custom1":"because"}`, keep: "e"})
	w.write(func(tx *store.Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO entry (id, report_id, company_id, owner_id, expense_type, payment_type_id, paid_by, transaction_date, transaction_amount, transaction_currency,
				posted_amount, approved_amount, personal_amount, vendor_key, billable, has_vat, has_image, has_attendees, exceptions, modified_at, doc)
			SELECT 'gW' || hex(randomblob(16)), report_id, company_id, owner_id, expense_type, payment_type_id, paid_by, transaction_date, transaction_amount + i, transaction_currency,
				posted_amount, approved_amount, personal_amount, vendor_key, billable, has_vat, has_image, has_attendees, exceptions, modified_at, doc
			FROM n, entry WHERE entry.id = ?`, int64(n), w.kept["e"])
		return err
	})
}

// benchEntries is how many entries there are before a benchmark: a million with
// BENCH_ENTRIES=1000000.
func benchEntries(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("BENCH_ENTRIES"))
	if err != nil {
		n = 20_000
	}
	return n
}

// BenchmarkGet reads one entry, and pages of 25 at the beginning and the end of all
// entries.
func BenchmarkGet(b *testing.B) {
	w := benchWorld(b)
	w.fillEntries(b, benchEntries(b))
	last := int64(0)
	w.read(func(tx *store.Tx) error { return tx.QueryRow("SELECT MAX(seq) FROM entry").Scan(&last) })
	offset := func(seq int64) string {
		// A page that ends just before tells where to go on.
		f := w.step("", step{as: "ann", call: "GET /expense/entries?limit=1&offset=" + strconv.FormatInt(seq, 10)})
		_, query, _ := strings.Cut(f["NextPage"], "offset=")
		token, _, _ := strings.Cut(query, "&")
		return token
	}
	run := func(name, path string) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(16)
			metered(b, "gets/s", func() {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						w.call(b, "GET", path, "")
					}
				})
			})
		})
	}
	run("one", "/api/v3.0/expense/entries/"+w.kept["e"])
	run("first", "/api/v3.0/expense/entries")
	run("last", "/api/v3.0/expense/entries?limit=25&offset="+offset(last-100))
	run("report", "/api/v3.0/expense/entries?reportID="+w.kept["r"])
}
