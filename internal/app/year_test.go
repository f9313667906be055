package app_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/app/scale"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

// written is what a year writes: for each table, what tells its rows.
var written = map[string]string{
	"app_user WHERE login LIKE 'p%'": "id || login || last_name || manager_id || country || expense_group_id",
	"report":                         "id || approval_status || payment_status || total || approved || due_employee || due_card || exceptions || modified_at || doc",
	"entry":                          "id || report_id || expense_type || posted_amount || vendor_key || exceptions || modified_at || doc",
	"itemization":                    "id || entry_id || posted_amount || modified_at",
	"allocation":                     "id || entry_id || percentage",
	"attendee":                       "id || attendee_type_id || external_id",
	"entry_attendee":                 "id || entry_id || attendee_id || amount",
	"report_step":                    "id || report_id || kind || state || closed_at",
	"report_event":                   "report_id || action || at",
	"digital_tax_invoice":            "id || entry_id || modified_at",
	"image":                          "id || owner_id || created_at",
	"attachment":                     "kind || holder_id || image_id",
}

// contents counts and sums up the rows of a year; those of the seed are of today.
func contents(t *testing.T, server *app.App) map[string]string {
	t.Helper()
	found := map[string]string{}
	for table, row := range written {
		if err := server.DB.Read(t.Context(), func(tx *store.Tx) error {
			sum, n := sha256.New(), 0
			rows, err := tx.Query("SELECT " + row + " FROM " + table + " ORDER BY seq")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					return err
				}
				if strings.Contains(text, "ann@demo.test") {
					continue
				}
				n++
				sum.Write([]byte(text + "\n"))
			}
			found[table] = fmt.Sprintf("%d rows, %x", n, sum.Sum(nil)[:6])
			return rows.Err()
		}); err != nil {
			t.Fatal(table, err)
		}
	}
	return found
}

// A year is the same whenever and wherever it is made, and other than that of another
// seed. Its people can sign in, their managers find what waits for them, and a reset
// brings it back.
func TestYear(t *testing.T) {
	year := func(seed uint64, set func(*app.Options)) *app.App {
		return apptest.Start(t, func(o *app.Options) {
			o.Scale, o.ScaleSeed = 9, seed
			set(o)
		})
	}
	server := year(1, func(*app.Options) {})
	first := contents(t, server)
	t.Run("on PostgreSQL", func(t *testing.T) {
		database := storetest.PostgresURL(t)
		for table, again := range contents(t, year(1, func(o *app.Options) { o.Database = database })) {
			if first[table] != again {
				t.Errorf("%s: %s, and on PostgreSQL %s", table, first[table], again)
			}
		}
	})
	other := contents(t, year(2, func(*app.Options) {}))
	for table := range written {
		if first[table] == other[table] {
			t.Errorf("%s: another seed makes the same %s", table, first[table])
		}
	}
	for table, want := range map[string]string{"report": "108 rows", "app_user WHERE login LIKE 'p%'": "9 rows"} {
		if !strings.HasPrefix(first[table], want+",") {
			t.Errorf("%s: %s, want %s", table, first[table], want)
		}
	}

	ctx := context.Background()
	dev := client.New(server.PublicURL(), client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})
	p, err := dev.SignIn(ctx, "p0001@demo.test", scale.Password)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v3.0/expense/reports?limit=100":                                 `"ApprovalStatusCode":"A_APPR"`,
		"/api/v3.0/expense/reports?approverLoginID=p0001@demo.test&limit=100": `"OwnerLoginID":"p0009@demo.test"`,
		"/api/v3.0/expense/entries?hasAttendees=true":                         `"ExpenseTypeCode":"BUSML"`,
		"/api/v3.0/expense/itemizations?expenseTypeCode=LODTX":                `"Description":"City tax"`,
	} {
		if status, _, body := exchange(t, p, "GET", path, "", ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %s: %.300s", path, status, want, body)
		}
	}
	if _, err := p.CreateReport(ctx, client.Report{Name: "One more"}); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "POST", server.PublicURL()+"/-/reset", ""); status != 200 {
		t.Fatal(status, body)
	}
	for table, now := range contents(t, server) {
		if now != first[table] {
			t.Errorf("%s: %s before the reset, %s after it", table, first[table], now)
		}
	}
}

// A year is made in an empty store, and a store that has one is opened again; one that
// has another, or none, is left alone.
func TestYearIsMadeOnce(t *testing.T) {
	data := t.TempDir()
	start := func(people int) error {
		c, err := config.Load("dev", []string{"--data", data, "--listen", "127.0.0.1:0", "--allow-weak-sandbox"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Scale, c.ScaleSeed = people, 1
		server, err := app.Start(t.Context(), app.Options{Config: c})
		if err == nil {
			err = server.Stop(t.Context())
		}
		return err
	}
	for _, c := range []struct {
		people int
		want   string
	}{{1, ""}, {1, ""}, {0, ""}, {2, "--scale wants an empty store"}} {
		err := start(c.people)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("a year of %d people: %v, want %q", c.people, err, c.want)
		}
	}
}
