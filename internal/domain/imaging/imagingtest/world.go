// Package imagingtest is what the tests of images and of the areas above them share:
// a server over a database and a blob store, a few people, and records that hold
// images.
package imagingtest

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/blob/blobtest"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/sandbox"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

// PublicURL is the base of the links that the server of a World writes.
const PublicURL = "https://spend.test"

// The companies, and the ids of people.
const (
	Company = "c0000000-0000-4000-8000-000000000001"
	Other   = "c0000000-0000-4000-8000-000000000002"

	Ann  = "a0000000-0000-4000-8000-000000000001"
	Bob  = "b0000000-0000-4000-8000-000000000001"
	Wes  = "e0000000-0000-4000-8000-000000000001"
	Cora = "cc000000-0000-4000-8000-000000000001"
	Cane = "ca000000-0000-4000-8000-000000000001"
	Ivan = "d0000000-0000-4000-8000-000000000001"
	Eve  = "a0000000-0000-4000-8000-000000000002"
)

// People are the users of both companies.
var People = []auth.Person{
	{ID: Ann, Login: "ann@demo.test", Name: "Archer, Ann", Company: Company},
	{ID: Bob, Login: "bob@demo.test", Name: "Baker, Bob", Company: Company},
	{ID: Wes, Login: "wes@demo.test", Name: "West, Wes", Company: Company},
	{ID: Cora, Login: "cora@demo.test", Name: "Cole, Cora", Company: Company},
	{ID: Cane, Login: "cane@demo.test", Name: "Cane, Candice", Company: Company},
	{ID: Ivan, Login: "ivan@demo.test", Name: "Ivers, Ivan", Company: Company},
	{ID: Eve, Login: "eve@other.test", Name: "Evans, Eve", Company: Other},
}

var scopes = []string{"IMAGE", "RCTIMG", "receipts.read", "receipts.write", "receipts.writeonly"}

// tokens are who calls with which token: a person's first name, or "company".
var tokens = func() map[string]*auth.Actor {
	all := map[string]*auth.Actor{
		"company":  {Kind: auth.Company, ID: Company, Company: Company, Scopes: scopes},
		"unscoped": {Kind: auth.User, ID: Ann, Company: Company, Self: People[0], Scopes: []string{"EXPRPT"}},
	}
	for _, p := range People {
		name, _, _ := strings.Cut(p.Login, "@")
		all[name] = &auth.Actor{Kind: auth.User, ID: p.ID, Company: p.Company, Self: p, Scopes: scopes}
	}
	all["wes"].Roles = []auth.Role{auth.WebServicesAdministrator}
	all["cora"].Roles = []auth.Role{auth.CompanyAdministrator}
	all["cane"].Roles = []auth.Role{auth.CanAdminister}
	observed := *all["ann"]
	observed.Profile = auth.Observed
	all["ann-observed"] = &observed
	return all
}()

type authenticator struct{}

func (authenticator) Authenticate(_ context.Context, token string) (*auth.Actor, error) {
	a := tokens[token]
	if a == nil {
		return nil, errs.New(errs.Forbidden, "token", "The token is not known.")
	}
	return a, nil
}

// Directory finds people among People.
type Directory struct{}

func find(company, loginOrID string) (auth.Person, bool) {
	for _, p := range People {
		if p.Company == company && (p.ID == loginOrID || strings.EqualFold(p.Login, loginOrID)) {
			return p, true
		}
	}
	return auth.Person{}, false
}

// Person implements api.Directory.
func (Directory) Person(_ context.Context, company, loginOrID string) (auth.Person, bool, error) {
	p, ok := find(company, loginOrID)
	return p, ok, nil
}

// PreparedBy implements api.Directory: nobody is a delegate.
func (Directory) PreparedBy(context.Context, string, string, string) (p auth.Person, ok bool, err error) {
	return p, false, nil
}

// FindPerson finds a person inside a transaction.
func (Directory) FindPerson(_ *store.Tx, company, loginOrID string) (auth.Person, error) {
	p, ok := find(company, loginOrID)
	if !ok {
		return p, errs.New(errs.NotFound, "user", "There is no such user.")
	}
	return p, nil
}

// World is a server with what stands behind it.
type World struct {
	DB      *store.DB
	Blobs   blob.Store
	BlobDir string // the folder of the blobs; empty on S3
	Sandbox *sandbox.Sandbox
	Images  *imaging.Service
	IDs     *value.IDs
	Signer  *auth.Signer
	Server  *api.Server

	clock     atomic.Int64
	bucketDir string // the folder of an S3 server's files
}

// Option changes a World.
type Option func(*config)

type config struct {
	requests imaging.Holder
	areas    func(*World) []api.Operation
	blobs    func(testing.TB, *World) blob.Store
}

// PaymentRequests gives the holder of payment requests.
func PaymentRequests(h imaging.Holder) Option { return func(c *config) { c.requests = h } }

// Area adds the operations of an area above.
func Area(of func(*World) []api.Operation) Option { return func(c *config) { c.areas = of } }

// OnS3 keeps the blobs on an S3 server.
func OnS3() Option {
	return func(c *config) {
		c.blobs = func(t testing.TB, w *World) blob.Store {
			server := blobtest.S3(t)
			w.bucketDir = server.Dir
			server.Options.Clock = w.Now
			return openBlobs(t, server.Options)
		}
	}
}

func openBlobs(t testing.TB, o blob.Options) blob.Store {
	t.Helper()
	b, err := blob.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// Database opens a test's database: storetest.SQLite or storetest.Postgres.
type Database func(testing.TB, ...storetest.Option) *store.DB

// New makes a World over a migrated database. Its clock stands at the start of
// 8 May 2024, and its ids are the same in each run.
func New(t testing.TB, open Database, opts ...Option) *World {
	t.Helper()
	w := &World{IDs: value.NewIDs(rand.NewChaCha8([32]byte{7})), Signer: auth.NewSigner(bytes.Repeat([]byte{7}, 32))}
	w.clock.Store(int64(Start))
	db := open(t, storetest.With(func(o *store.Options) { o.Clock = w.Now }))
	w.DB = db
	c := config{requests: noHolder{}, blobs: func(t testing.TB, w *World) blob.Store {
		w.BlobDir = t.TempDir()
		return openBlobs(t, blob.Options{Dir: w.BlobDir, Clock: w.Now})
	}}
	for _, o := range opts {
		o(&c)
	}
	w.Blobs = c.blobs(t, w)
	w.Sandbox = sandbox.New(sandbox.Options{})
	t.Cleanup(func() { w.Sandbox.Close() })
	createRecords(t, db)
	w.Images = imaging.New(imaging.Options{
		DB: db, Blobs: w.Blobs, Sandbox: w.Sandbox, IDs: w.IDs, Clock: w.Now, Signer: w.Signer, PublicURL: PublicURL,
		Entries: entryHolder{}, Reports: reportHolder{}, PaymentRequests: c.requests,
	})
	areas := [][]api.Operation{w.Images.Operations()}
	if c.areas != nil {
		areas = append(areas, c.areas(w))
	}
	w.Server = api.NewServer(api.Options{
		DB: db, Clock: w.Now, IDs: w.IDs, Logger: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		PublicURL: PublicURL, Authenticator: authenticator{}, Directory: Directory{}, Signer: w.Signer,
	}, areas...)
	return w
}

// Start is the time at which a World begins.
var Start = value.InstantOf(time.Date(2024, 5, 8, 23, 5, 52, 87_654_000, time.UTC))

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) { w.t.Log(string(p)); return len(p), nil }

// Now is the world's clock.
func (w *World) Now() value.Instant { return value.Instant(w.clock.Load()) }

// Advance moves the clock.
func (w *World) Advance(d time.Duration) { w.clock.Add(d.Microseconds()) }

// Age makes everything that is kept older. The time of blobs on S3 is that of the
// server there: they are made older on its disk, and the clock shows its time.
func (w *World) Age(t testing.TB, d time.Duration) {
	t.Helper()
	if w.BlobDir != "" {
		w.Advance(d)
		return
	}
	if w.bucketDir == "" {
		t.Skip("the files of this S3 server cannot be made older")
	}
	w.Advance(time.Since(w.Now().Time()))
	err := filepath.WalkDir(w.bucketDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		then := info.ModTime().Add(-d)
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Request is one call. Without a Token there is no Authorization header.
type Request struct {
	Method, Path, Token, Accept, Type string
	Body                              []byte
	Header                            map[string]string
}

// Do makes a call through the whole server.
func (w *World) Do(q Request) *http.Response {
	var body io.Reader = http.NoBody
	if q.Body != nil {
		body = bytes.NewReader(q.Body)
	}
	r := httptest.NewRequest(q.Method, strings.TrimPrefix(q.Path, PublicURL), body)
	set := func(k, v string) {
		if v != "" {
			r.Header.Set(k, v)
		}
	}
	if q.Token != "" {
		set("Authorization", "Bearer "+q.Token)
	}
	set("Accept", q.Accept)
	set("Content-Type", q.Type)
	set("Concur-Correlationid", "11111111-2222-4333-8444-555555555555")
	for k, v := range q.Header {
		set(k, v)
	}
	rec := httptest.NewRecorder()
	w.Server.ServeHTTP(rec, r)
	return rec.Result()
}

// Text is the body of an answer.
func Text(r *http.Response) string {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Main runs the tests of a package whose binary is its own sandbox child.
func Main(m *testing.M, jobs map[string]sandbox.Job) {
	sandbox.Worker(jobs)
	storetest.Main(m)
}

// ReadTx runs fn on a snapshot.
func (w *World) ReadTx(t testing.TB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := w.DB.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// WriteTx runs fn in a transaction.
func (w *World) WriteTx(t testing.TB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := w.DB.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Count counts rows.
func (w *World) Count(t testing.TB, from string, args ...any) (n int64) {
	t.Helper()
	w.ReadTx(t, func(tx *store.Tx) error { return tx.QueryRow("SELECT COUNT(*) FROM "+from, args...).Scan(&n) })
	return n
}

// BlobCount counts the blobs of a company.
func (w *World) BlobCount(t testing.TB, company string) (n int) {
	t.Helper()
	if err := w.Blobs.Walk(t.Context(), func(of string, _ blob.Info) error {
		if of == company {
			n++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Engines runs a test on both databases, and once more with the blobs on S3.
func Engines(t *testing.T, test func(t *testing.T, w *World), opts ...Option) {
	t.Run("sqlite", func(t *testing.T) { test(t, New(t, storetest.SQLite, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, New(t, storetest.Postgres, opts...)) })
	t.Run("s3", func(t *testing.T) { test(t, New(t, storetest.SQLite, append(opts, OnS3())...)) })
}

// AnnActor is ann as she calls services directly.
func AnnActor() *auth.Actor {
	a := *tokens["ann"]
	a.Subject = a.Self
	return &a
}
