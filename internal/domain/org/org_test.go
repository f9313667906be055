package org_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	publicURL = "https://spend.test"
	demo      = "c0000000-0000-4000-8000-000000000001"
	other     = "c0000000-0000-4000-8000-000000000002"
	annID     = "a0000000-0000-4000-8000-000000000001"
	bobID     = "b0000000-0000-4000-8000-000000000001"
	eveID     = "a0000000-0000-4000-8000-000000000002"
	client    = "quittance-dev"
	secret    = "quittance-dev-secret"
	callback  = "http://127.0.0.1/callback"
)

// clock is a clock that a test moves; the database has the same one.
type clock struct {
	mu  sync.Mutex
	now value.Instant
}

func (c *clock) Now() value.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the seeded organisation behind the real handler.
type world struct {
	*org.Service
	t      testing.TB
	db     *store.DB
	clock  *clock
	outbox *org.Outbox
	server *api.Server
}

// engines runs a test on a world on each engine.
func engines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) {
		c := newClock()
		test(t, newWorld(t, storetest.SQLite(t, withClock(c)), c))
	})
	t.Run("postgres", func(t *testing.T) {
		c := newClock()
		test(t, newWorld(t, storetest.Postgres(t, withClock(c)), c))
	})
}

func newClock() *clock {
	return &clock{now: value.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
}

func withClock(c *clock) storetest.Option {
	return storetest.With(func(o *store.Options) { o.Clock = c.Now })
}

func onSQLite(t testing.TB) *world {
	c := newClock()
	return newWorld(t, storetest.SQLite(t, withClock(c)), c)
}

func newWorld(t testing.TB, db *store.DB, c *clock) *world {
	t.Helper()
	keys, err := auth.OpenKeys(t.Context(), db, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	w := &world{t: t, db: db, clock: c, outbox: &org.Outbox{}}
	cost := auth.PasswordCost{Memory: 64, Iterations: 1, AtOnce: 2, Wait: time.Minute}
	passwords := auth.NewPasswords(cost)
	w.Service = org.New(org.Options{DB: db, Keys: keys, Clock: c.Now, IDs: value.NewIDs(rand.New(rand.NewSource(1))),
		Passwords: passwords, Mailer: w.outbox, PublicURL: publicURL})
	seed, err := org.DevSeed()
	if err != nil {
		t.Fatal(err)
	}
	for i := range seed.Companies {
		for j := range seed.Companies[i].Users {
			seed.Companies[i].Users[j].Hash = "" // cheaper ones will do
		}
	}
	if err := seed.Hash(t.Context(), passwords); err != nil {
		t.Fatal(err)
	}
	w.write(func(tx *store.Tx) error { return w.ApplySeed(tx, seed) })
	who := api.Custom(api.V3, "GET", "/who", func(c *api.Call) (api.Answer, error) {
		b, err := json.Marshal(c.Actor())
		return api.RawJSON(200, b), err
	}, api.Doc{ID: "who", Summary: "Tell who calls"}, auth.AnyToken(), api.About(api.CallerOnly))
	w.server = api.NewServer(api.Options{DB: db, Clock: c.Now, IDs: value.NewIDs(rand.New(rand.NewSource(2))), Logger: slog.New(slog.DiscardHandler),
		PublicURL: publicURL, Authenticator: w.Authenticator(), Directory: w.Service, Signer: keys.Signer()}, w.Operations(), []api.Operation{who})
	return w
}

func (w *world) write(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// answer is what the handler gave.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) text(t testing.TB, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	s, _ := m[name].(string)
	return s
}

// number is the code of an OAuth error.
func (a answer) number(t testing.TB) int {
	t.Helper()
	var m struct{ Code int }
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return m.Code
}

func (w *world) do(r *http.Request) answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	b, _ := io.ReadAll(rec.Body)
	return answer{rec.Code, rec.Result().Header, string(b)}
}

func (w *world) call(method, path, token string) answer {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	r.Header.Set("Accept", "application/json")
	return w.do(r)
}

// post sends a form to the OAuth2 services; pairs are names and values.
func (w *world) post(path string, pairs ...string) answer {
	w.t.Helper()
	return w.postRaw(path, form(pairs...))
}

func (w *world) postRaw(path, body string) answer {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// token asks with the development client's credentials.
func (w *world) token(pairs ...string) answer {
	w.t.Helper()
	return w.post("/oauth2/v0/token", append([]string{"client_id", client, "client_secret", secret}, pairs...)...)
}

// signIn gets a token with a password, or fails the test.
func (w *world) signIn(login, password string) (access, refresh string) {
	w.t.Helper()
	a := w.token("grant_type", "password", "username", login, "password", password)
	if a.status != 200 {
		w.t.Fatalf("sign-in of %s: %d %s", login, a.status, a.body)
	}
	return a.text(w.t, "access_token"), a.text(w.t, "refresh_token")
}

// who asks the server who a token stands for; an empty answer means it was refused.
func (w *world) who(token string) (actor auth.Actor, ok bool) {
	w.t.Helper()
	a := w.call("GET", "/api/v3.0/who", "Bearer "+token)
	if a.status == 403 {
		return actor, false
	}
	if a.status != 200 {
		w.t.Fatalf("who: %d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &actor); err != nil {
		w.t.Fatal(err)
	}
	return actor, true
}

func claims(t testing.TB, token string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// golden compares a text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (rewrite with -update):\n got %s\nwant %s", path, got, want)
	}
}
