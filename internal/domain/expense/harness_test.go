package expense

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire/wiretest"
)

// updating says that golden files are to be rewritten; imagingtest declares the flag.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// world is the dev company with the area's operations on a database of its own. The
// clock stands still unless a test moves it; ids come from a seeded source.
type world struct {
	t       testing.TB
	db      *store.DB
	org     *org.Service
	expense *Service
	images  *imaging.Service
	server  *api.Server
	now     value.Instant
	xml     bool              // say steps in XML
	kept    map[string]string // ids that steps have kept, by name

	copied     int64       // 1 when the configuration is not its own: its ids must not come again
	remembered *auth.Actor // who calls, whatever the token; for benchmarks
	ticks      bool        // the clock goes; for benchmarks
}

var start = value.InstantOf(time.Date(2025, 3, 11, 9, 30, 0, 0, time.UTC))

const publicURL = "https://spend.example"

// seeded is a SQLite file with the dev company in it, made once.
var seeded struct {
	sync.Once
	file []byte
}

// newWorld has a copy of the seeded SQLite file.
func newWorld(t testing.TB) *world {
	t.Helper()
	seeded.Do(func() {
		w := build(t, storetest.SQLite(t, clocked(&world{now: start})))
		w.seed()
		path := filepath.Join(t.TempDir(), "seeded.db")
		if err := w.db.Snapshot(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		var err error
		if seeded.file, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	w := &world{now: start, copied: 1}
	db := storetest.SQLite(t, clocked(w), storetest.With(func(o *store.Options) {
		if err := os.WriteFile(o.Path, seeded.file, 0o600); err != nil {
			t.Fatal(err)
		}
	}))
	return w.build(t, db)
}

// newPostgresWorld has a copy of a seeded PostgreSQL database.
func newPostgresWorld(t testing.TB) *world {
	t.Helper()
	w := &world{now: start, copied: 1}
	return w.build(t, storetest.Postgres(t, clocked(w), storetest.Filled("dev", func(db *store.DB) { build(t, db).seed() })))
}

func clocked(w *world) storetest.Option {
	return storetest.With(func(o *store.Options) { o.Clock = w.clock })
}

func (w *world) clock() value.Instant {
	if w.ticks {
		return value.SystemClock()
	}
	return w.now
}

func build(t testing.TB, db *store.DB) *world { return (&world{now: start}).build(t, db) }

func (w *world) build(t testing.TB, db *store.DB) *world {
	t.Helper()
	w.t, w.db, w.kept = t, db, map[string]string{}
	clock := w.clock
	ids := value.NewIDs(rand.New(rand.NewSource(7)))
	w.org = org.New(org.Options{DB: db, Clock: clock, IDs: value.NewIDs(rand.New(rand.NewSource(8 + w.copied))), PublicURL: publicURL,
		Passwords: auth.NewPasswords(auth.PasswordCost{Memory: 64, Iterations: 1})})
	blobs, err := blob.Open(context.Background(), blob.Options{Dir: t.TempDir(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	signer := auth.NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	w.expense = New(Options{Org: w.org, IDs: ids, PublicURL: publicURL})
	w.images = imaging.New(imaging.Options{DB: db, Blobs: blobs, IDs: ids, Clock: clock, Signer: signer, PublicURL: publicURL,
		Entries: w.expense.EntryHolder(), Reports: w.expense.ReportHolder()})
	w.expense.UseImages(w.images)
	w.server = api.NewServer(api.Options{DB: db, Clock: clock, IDs: value.NewIDs(rand.New(rand.NewSource(9))), Logger: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		PublicURL: publicURL, Authenticator: w, Directory: w.org, Signer: signer}, w.expense.Operations(), w.images.Operations())
	return w
}

func (w *world) seed() {
	w.t.Helper()
	seed, err := org.DevSeed()
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *store.Tx) error { return w.org.ApplySeed(tx, seed) })
}

func (w *world) write(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Read(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// Authenticate takes a login's first part for a token: "ann" is ann@demo.test, "ann!"
// the same with the observed profile, "company" the demo company's own token.
func (w *world) Authenticate(ctx context.Context, token string) (*auth.Actor, error) {
	if w.remembered != nil {
		return w.remembered, nil
	}
	name, observed := strings.CutSuffix(token, "!")
	a := &auth.Actor{Kind: auth.User, Profile: auth.Documented, App: "test", Scopes: []string{"EXPRPT", "ATTEND", "TAXINV", "IMAGE", "expense.report.readwrite", "expense.report.workflowstatus.write"}}
	if observed {
		a.Profile = auth.Observed
	}
	switch name {
	case "company":
		a.Kind, a.ID, a.Company = auth.Company, demo, demo
		return a, nil
	case "unscoped":
		name, a.Scopes = "ann", nil
	}
	err := w.db.Read(ctx, func(tx *store.Tx) error {
		u, err := w.org.User(tx, loginOf(name))
		if err != nil {
			return errs.New(errs.Forbidden, "token", "The token is not known.")
		}
		a.Self, a.ID, a.Company = u.Person(), u.ID, u.Company
		for _, role := range auth.Roles() {
			if has, err := w.org.HasRole(tx, u.ID, role); err != nil {
				return err
			} else if has {
				a.Roles = append(a.Roles, role)
			}
		}
		return nil
	})
	return a, err
}

const demo = "c0000000-0000-4000-8000-000000000001"

func loginOf(name string) string {
	if name == "eve" {
		return "eve@other.test"
	}
	return name + "@demo.test"
}

// actor is a person as the services see it when called without HTTP.
func (w *world) actor(name string) *auth.Actor {
	w.t.Helper()
	a, err := w.Authenticate(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	a.Subject = a.Self
	return a
}

// person edits a user of the dev company.
func (w *world) person(name string, edit func(*org.User)) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		u, err := w.org.User(tx, loginOf(name))
		if err != nil {
			return err
		}
		edit(u)
		return w.org.UpdateUser(tx, u)
	})
}

// exec changes rows that no service changes, such as a configuration's.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		if _, err := tx.Exec(query, args...); err != nil {
			return err
		}
		return w.org.SettingsChanged(tx, demo)
	})
}

// config is the dev company's configuration.
func (w *world) config() (cfg *org.Config) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) { cfg, err = w.org.Config(tx, demo); return err })
	return cfg
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one call of the real mux.
func (w *world) send(as, method, path, media, accept, body string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+as)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

const (
	inJSON = "application/json"
	inXML  = "application/xml"
)

// step is one call of a scenario and what is expected of it.
type step struct {
	as     string // who: see Authenticate
	call   string // "POST /expense/entries?user=ann@demo.test"; {name} stands for what was kept
	body   string // JSON; sent as XML when the scenario runs in XML
	status int    // 200 when left out
	want   string // fields of the answer, "Total=12.5; Items=2; Items[0].Name=Oslo"; for a refusal a part of the message
	keep   string // the name under which the answer's ID, or NextPage, is kept
	check  func(w *world, f map[string]string)
}

// run says the steps of a scenario one after the other.
func (w *world) run(steps ...step) {
	w.t.Helper()
	for i, s := range steps {
		w.step(fmt.Sprintf("step %d, %s %s", i+1, s.as, s.call), s)
	}
}

func (w *world) step(name string, s step) map[string]string {
	w.t.Helper()
	method, path, _ := strings.Cut(w.fill(s.call), " ")
	if !strings.HasPrefix(path, "/api") && !strings.HasPrefix(path, "http") && !strings.HasPrefix(path, "/expensereports") {
		path = "/api/v3.0" + path
	}
	path = strings.TrimPrefix(path, publicURL)
	media, body := inJSON, w.fill(s.body)
	if w.xml {
		media, body = inXML, wiretest.XML(w.t, body)
	}
	sent := media
	if body == "" {
		sent = ""
	}
	a := w.send(s.as, method, path, sent, media, body)
	if s.status == 0 {
		s.status = 200
	}
	if a.status != s.status {
		w.t.Fatalf("%s: status %d, want %d\n%s", name, a.status, s.status, a.body)
	}
	f := wiretest.Fields(w.t, a.body)
	if s.status >= 400 {
		if want := w.fill(s.want); !strings.Contains(f["Message"], want) {
			w.t.Fatalf("%s: the message is\n%s\nwithout\n%s", name, f["Message"], want)
		}
		return f
	}
	if differs := wiretest.Compare(f, w.fill(s.want)); differs != "" {
		w.t.Fatalf("%s: %s\n%s", name, differs, a.body)
	}
	if s.keep != "" {
		w.kept[s.keep] = anyOf(f["ID"], f["NextPage"])
	}
	if s.check != nil {
		s.check(w, f)
	}
	return f
}

// fill puts what was kept in the place of {name}.
func (w *world) fill(text string) string { return wiretest.Fill(text, w.kept) }

// both runs a scenario in JSON and in XML, each in a world of its own.
func both(t *testing.T, f func(w *world)) {
	t.Helper()
	for _, format := range []string{"json", "xml"} {
		t.Run(format, func(t *testing.T) {
			w := newWorld(t)
			w.xml = format == "xml"
			f(w)
		})
	}
}

// everywhere runs a scenario in both formats and on PostgreSQL too.
func everywhere(t *testing.T, f func(w *world)) {
	t.Helper()
	both(t, f)
	t.Run("postgres", func(t *testing.T) { f(newPostgresWorld(t)) })
}

// golden compares text with a file, or writes it there.
func golden(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if updating() {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(text, "\n")
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			t.Fatalf("%s differs from line %d on; run with -update and look at the difference", path, i+1)
		}
	}
}

// submit hands a kept report in; it must not be refused.
func (w *world) submit(as, kept string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		m, err := w.expense.Submit(tx, w.actor(as), w.kept[kept])
		if err == nil && len(m.Blocking()) > 0 {
			err = fmt.Errorf("refused: %v", m.Blocking())
		}
		return err
	})
}

// act does an action on the open step of a kept report.
func (w *world) act(as, kept string, action Action) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		r, err := reports.Get(tx, store.Unrestricted(), w.kept[kept])
		if err != nil {
			return err
		}
		return w.expense.Act(tx, w.actor(as), r.Step, action, "because")
	})
}

// lunch is the body of an entry in US dollars.
func lunch(report, amount string) string {
	return `{"ReportID":"{` + report + `}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":` + amount + `,"TransactionCurrencyCode":"USD","PaymentTypeID":"CASHX"}`
}

// sound checks that sums and counts of every report are what a recount finds.
func (w *world) sound() {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		all, err := reports.All(tx, store.Unrestricted(), store.Predicate{}, "", 1000)
		if err != nil {
			return err
		}
		for i := range all {
			r := &all[i]
			sums, err := sumEntries(tx, r.Company, r.ID)
			if err != nil {
				return err
			}
			if sums != r.Sums {
				w.t.Errorf("report %s has the sums %v; a recount finds %v", r.Name, r.Sums, sums)
			}
			if err := sameTraits(tx, r.Company, r.ID); err != nil {
				w.t.Errorf("report %s: %v", r.Name, err)
			}
			var n, m int64
			if err := tx.QueryRow("SELECT COUNT(*) FROM report_exception WHERE report_id = ?", r.ID).Scan(&n); err != nil {
				return err
			}
			if err := tx.QueryRow("SELECT CAST(COALESCE(SUM(exceptions), 0) AS BIGINT) FROM entry WHERE company_id = ? AND report_id = ?", r.Company, r.ID).Scan(&m); err != nil {
				return err
			}
			if n != r.Exceptions || m != r.Exceptions {
				w.t.Errorf("report %s counts %d exceptions; there are %d, and its entries count %d", r.Name, r.Exceptions, n, m)
			}
		}
		return nil
	})
}

// sameTraits checks that the traits that are kept of a report are those of its entries.
func sameTraits(tx *store.Tx, company, report string) error {
	h, err := heads.Get(tx, store.Unrestricted(), report)
	if err != nil {
		return err
	}
	found, many, err := traitsOf(tx, company, report)
	if err != nil {
		return err
	}
	kept, err := keptTraits(tx, h.Seq)
	if err == nil && (h.Traits != found || !maps.Equal(kept, many)) {
		err = fmt.Errorf("the traits %+v and %v are kept; a look at the entries finds %+v and %v", h.Traits, kept, found, many)
	}
	return err
}

// keptTraits are the rows of report_trait of a report.
func keptTraits(tx *store.Tx, reportSeq int64) (map[trait]bool, error) {
	rows, err := tx.Query("SELECT kind, value FROM report_trait WHERE report_seq = ?", reportSeq)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	kept := map[trait]bool{}
	for rows.Next() {
		var t trait
		if err := rows.Scan(&t.kind, &t.value); err != nil {
			return nil, err
		}
		kept[t] = true
	}
	return kept, rows.Err()
}

// attach posts an image to a record of Image v1, such as "/expenseentry/{e}".
func (w *world) attach(as, path string, picture uint64) {
	w.t.Helper()
	if a := w.send(as, "POST", "/api/image/v1.0"+w.fill(path), "image/jpeg", "", string(imagingtest.JPEG(picture))); a.status != 201 {
		w.t.Fatal(path, a.status, a.body)
	}
}

func pictures(n uint64) []byte { return imagingtest.JPEG(n) }

// testLog shows what the server logs in the test's output.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
