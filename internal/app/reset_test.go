package app_test

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/migrations"
)

// TestResetOfOlderFolder: the copy of the seed that an older program left gets this
// one's schema before it is put back.
func TestResetOfOlderFolder(t *testing.T) {
	data := t.TempDir()
	server := apptest.Start(t, func(o *app.Options) { o.Data = data })
	all, err := fs.Glob(migrations.Files, "sqlite/*.sql")
	if err != nil || len(all) < 2 {
		t.Fatal(all, err)
	}
	older := fstest.MapFS{}
	for _, name := range all[:len(all)-1] {
		b, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		older[filepath.Base(name)] = &fstest.MapFile{Data: b}
	}
	seed := filepath.Join(data, "seed.db")
	if err := os.Remove(seed); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Path: seed, Migrations: older})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, body := get(t, "POST", server.PublicURL()+"/-/reset", ""); status != 200 {
			t.Fatal(status, body)
		}
	}
	var version string
	if err := server.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT CAST(MAX(version_id) AS TEXT) FROM goose_db_version").Scan(&version)
	}); err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimLeft(filepath.Base(all[len(all)-1])[:4], "0"); version != want {
		t.Errorf("after a reset the schema is at %s, want %s", version, want)
	}
	if err := os.Remove(seed); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "POST", server.PublicURL()+"/-/reset", ""); status != 409 || !strings.Contains(body, "no copy of its seed") {
		t.Errorf("a reset without a copy: %d %s", status, body)
	}
}

// TestResetUnderLoad: a reset between calls never makes one fail inside the server. On
// PostgreSQL, whose tables are emptied one by one, one may be told to come again.
func TestResetUnderLoad(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { resetUnderLoad(t, apptest.Start(t), 15) })
	t.Run("PostgreSQL", func(t *testing.T) {
		database := storetest.PostgresURL(t)
		resetUnderLoad(t, apptest.Start(t, func(o *app.Options) { o.Database = database }), 3)
	})
}

func resetUnderLoad(t *testing.T, server *app.App, resets int) {
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	stop := make(chan struct{})
	var group sync.WaitGroup
	fine := func(what string, err error) bool {
		status := client.StatusOf(err)
		if err != nil && (status == 0 || status >= 500) && status != 503 {
			t.Errorf("%s beside a reset: %v", what, err)
			return false
		}
		return true
	}
	for n := range 4 {
		r := rand.New(rand.NewPCG(12, uint64(n)))
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				made, err := ann.CreateReport(ctx, client.Report{Name: "Gone soon"})
				if !fine("a report", err) {
					return
				}
				_, err = ann.CreateEntry(ctx, client.Entry{ReportID: made.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
					TransactionDate: "2026-01-05", TransactionAmount: "1", TransactionCurrencyCode: "USD"})
				ok := fine("an entry", err)
				_, err = ann.AttachToReport(ctx, made.ID, "image/jpeg", photo(r, 2000))
				ok = ok && fine("an image", err)
				_, err = ann.PostImageOnlyReceipt(ctx, "r.jpg", "image/jpeg", photo(r, 2000))
				ok = ok && fine("a receipt", err)
				_, err = ann.ReportImages(ctx, made.ID)
				ok = ok && fine("a report's images", err)
				if ok = ok && fine("a submit", ann.Submit(ctx, made.ID)); !ok {
					return
				}
			}
		})
	}
	for range resets {
		if status, body := get(t, "POST", server.PublicURL()+"/-/reset", ""); status != 200 {
			t.Errorf("a reset under load: %d %s", status, body)
		}
	}
	close(stop)
	group.Wait()
	if status, body := get(t, "POST", server.PublicURL()+"/-/reset", ""); status != 200 {
		t.Fatal(status, body)
	}
	if reports, err := ann.Reports(ctx); err != nil || len(reports) != 1 {
		t.Errorf("after the reset: %d reports, %v", len(reports), err)
	}
}

// TestClockStaysSane: times that the sandbox's clock cannot keep are refused.
func TestClockStaysSane(t *testing.T) {
	server := apptest.Start(t)
	for body, want := range map[string]int{
		`{"now":"2030-01-31T10:00:00Z"}`: 200, `{"advance":"-36h"}`: 200, `{"now":"9999-12-31T00:00:00Z"}`: 400, `{"now":"0001-01-01T00:00:00Z"}`: 400,
		`{"advance":"2562047h"}`: 400, `{"advance":"-2562047h"}`: 400, `{"advance":"soon"}`: 400, `{"now":"tomorrow"}`: 400, `{}`: 400, `{"then":"x"}`: 400,
	} {
		if status, answer := get(t, "POST", server.PublicURL()+"/-/clock", body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// TestResetKeeps: what was signed before a reset is good after the next start, and what
// is done again and again goes on.
func TestResetKeeps(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{"SQLite": func(*testing.T) string { return "" }, "PostgreSQL": func(t *testing.T) string { return storetest.PostgresURL(t) }} {
		t.Run(name, func(t *testing.T) {
			data, url := t.TempDir(), database(t)
			start := func() *app.App {
				return apptest.Start(t, func(o *app.Options) { o.Data, o.Database, o.PublicURL = data, url, "http://sandbox.example" })
			}
			server := start()
			c := client.New("http://"+server.Address(), client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})
			ann, err := c.SignIn(t.Context(), "ann@demo.test", "ann-password")
			if err != nil {
				t.Fatal(err)
			}
			tasks := func() (n int64) {
				t.Helper()
				if err := server.DB.Read(t.Context(), func(tx *store.Tx) error {
					return tx.QueryRow("SELECT COUNT(*) FROM job WHERE kind LIKE 'every:%'").Scan(&n)
				}); err != nil {
					t.Fatal(err)
				}
				return n
			}
			before := tasks()
			if err := server.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			if after := tasks(); before < 3 || after != before {
				t.Errorf("%d periodic tasks before the reset, %d after it", before, after)
			}
			if err := server.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			server = start()
			again := client.New("http://"+server.Address(), client.Application{})
			if _, err := (&client.Session{Client: again, Token: ann.Token}).Reports(t.Context()); err != nil {
				t.Errorf("a token of before the reset, after a start: %v", err)
			}
		})
	}
}
