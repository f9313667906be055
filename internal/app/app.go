// Package app wires everything: it opens the stores, builds the areas, answers HTTP
// and owns every background task. It is the one package that imports everything, and
// what the tests start in process.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quittance/internal/domain/expense"
	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/document"
	"quittance/internal/domain/invoice"
	"quittance/internal/domain/org"
	"quittance/internal/domain/receipt"
	"quittance/internal/domain/receipt/drawing"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/sandbox"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/web"
	"quittance/migrations"
)

// Mode is what a server is for. Both run the same engine and the same rules.
type Mode string

// The modes.
const (
	Dev   Mode = "dev"   // a seeded company, fixed credentials, hooks under /-/
	Serve Mode = "serve" // production: durable, hardened, no hooks
)

// Options say what to start.
type Options struct {
	config.Config // of the commands serve, dev and demo

	Logger       *slog.Logger
	Clock        *Clock    // nil: the machine's
	Random       io.Reader // of ids; nil: the system's
	PasswordCost auth.PasswordCost

	// Statements is told of every statement of the database, for measurements; see
	// store.Options.Observe. nil: nobody is.
	Statements func(query string, args []any, took time.Duration)

	// ReadTime bounds how long a request may take to come in, from its first byte to
	// its last; 0 is two minutes.
	ReadTime time.Duration
}

// Mode is what the command's server is for.
func (o *Options) Mode() Mode {
	if o.Command == "serve" {
		return Serve
	}
	return Dev
}

// App is a running server.
type App struct {
	options Options
	log     *slog.Logger
	clock   *Clock

	DB      *store.DB
	Blobs   blob.Store
	Jobs    *job.Queue
	API     *api.Server
	Org     *org.Service
	Expense *expense.Service
	Imaging *imaging.Service
	Receipt *receipt.Service

	random    *randomness
	renderer  *drawing.Renderer
	sandbox   *sandbox.Sandbox
	keys      *auth.Keys
	passwords *auth.Passwords
	outbox    *org.Outbox
	requests  *requestLog
	faults    *faults
	metrics   *metrics
	publicURL string
	main      *listener
	admin     *listener
	snapshot  string // the seeded database that /-/reset copies back; dev on SQLite alone
	resetting sync.Mutex
	migrated  bool // the snapshot has this program's schema
	close     closers
}

// closers run last in, first out.
type closers []func(context.Context) error

func (c *closers) add(f func(context.Context) error) { *c = append(*c, f) }

// Jobs of the sandbox: what a child process of the program can be asked to do.
// Every program that starts an App calls sandbox.Worker with them first of all.
func SandboxJobs() map[string]sandbox.Job { return document.Jobs() }

// Start opens everything and begins to answer. Stop ends it.
func Start(ctx context.Context, o Options) (a *App, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = new(Clock)
	}
	if o.ReadTime == 0 {
		o.ReadTime = 2 * time.Minute
	}
	if o.PasswordCost == (auth.PasswordCost{}) {
		o.PasswordCost = auth.DefaultPasswordCost()
	}
	a = &App{options: o, log: o.Logger, clock: o.Clock, requests: new(requestLog), faults: new(faults), metrics: newMetrics()}
	defer func() {
		if err != nil {
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			err = errors.Join(err, a.Stop(stopping))
			a = nil
		}
	}()
	if err = checkCertificate(o.TLSCert, o.TLSKey); err != nil {
		return a, err
	}
	socket, err := openSocket(ctx, o.Listen)
	if err != nil {
		return a, err
	}
	if a.publicURL = o.PublicURL; a.publicURL == "" {
		a.publicURL = scheme(o.TLSCert) + socket.Addr().String()
	}
	if err = a.open(ctx); err != nil {
		return a, errors.Join(err, socket.Close())
	}
	if err = a.build(); err != nil {
		return a, errors.Join(err, socket.Close())
	}
	if o.Mode() == Dev {
		if err = a.seed(ctx); err != nil {
			return a, errors.Join(err, socket.Close())
		}
	}
	if err = a.Jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return a, errors.Join(err, socket.Close())
	}
	a.close.add(a.Jobs.Stop)
	a.main = serve(socket, a.Handler(), &o, a.log)
	a.close.add(a.main.stop)
	if o.AdminListen != "" {
		socket, err := openSocket(ctx, o.AdminListen)
		if err != nil {
			return a, err
		}
		a.admin = serve(socket, a.adminHandler(), &Options{ReadTime: o.ReadTime}, a.log)
		a.close.add(a.admin.stop)
		a.log.Info("listening for the operator", "address", a.admin.address())
	}
	a.log.Info("listening", "address", a.Address(), "publicURL", a.publicURL)
	return a, nil
}

// Address is where the server listens.
func (a *App) Address() string { return a.main.address() }

// PublicURL is the base of every link that the server writes.
func (a *App) PublicURL() string { return a.publicURL }

// Wait returns when a listener failed or ctx ended.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.main.done:
		a.main.done <- err
		return err
	}
}

// Stop lets running calls finish until ctx ends, and closes everything in the
// reverse order of Start.
func (a *App) Stop(ctx context.Context) error {
	var all error
	for i := len(a.close) - 1; i >= 0; i-- {
		all = errors.Join(all, a.close[i](ctx))
	}
	a.close = nil
	return all
}

// open opens the folder, the database, the blobs, the sandbox and the keys.
func (a *App) open(ctx context.Context) (err error) {
	o := &a.options
	if err = os.MkdirAll(o.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be made: %w", err)
	}
	lock, err := store.LockFolder(o.Data)
	if err != nil {
		return err
	}
	a.close.add(func(context.Context) error { return lock.Close() })
	if a.DB, err = store.Open(ctx, storeOptions(o, a.clock.Now)); err != nil {
		where := DatabasePath(o.Data)
		if o.Database != "" {
			where = "--database"
		}
		return fmt.Errorf("the database %s cannot be opened: %w", where, err)
	}
	a.close.add(func(context.Context) error { return a.DB.Close() })
	if err = a.checkKind(ctx); err != nil {
		return err
	}
	blobs := blob.Options{URL: o.Blobs, AccessKey: o.BlobsAccess, SecretKey: o.BlobsSecret, Temp: o.Temp, Clock: a.clock.Now}
	if o.Blobs == "" {
		blobs.Dir = o.Data
	}
	if a.Blobs, err = blob.Open(ctx, blobs); err != nil {
		return err
	}
	a.close.add(func(context.Context) error { return a.Blobs.Close() })
	a.sandbox = sandbox.New(sandbox.Options{Logger: a.log})
	a.close.add(func(context.Context) error { return a.sandbox.Close() })
	if err = a.checkGuards(); err != nil {
		return err
	}
	if a.keys, err = auth.OpenKeys(ctx, a.DB, a.clock.Now); err != nil {
		return err
	}
	a.close.add(func(context.Context) error { a.keys.Close(); return nil })
	return nil
}

// DatabasePath is the SQLite file of a data folder.
func DatabasePath(data string) string { return filepath.Join(data, "quittance.db") }

func storeOptions(o *Options, clock value.Clock) store.Options {
	s := store.Options{URL: o.Database, Clock: clock, Logger: o.Logger, RequireDurable: o.Mode() == Serve}
	folder := "postgres"
	if o.Database == "" {
		s.Path, folder = DatabasePath(o.Data), "sqlite"
	}
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		panic("app: " + err.Error()) // of an embedded folder: cannot fail
	}
	s.Migrations = files
	s.Observe = func(query string, args []any, took time.Duration) {
		if took >= slow && o.Logger != nil {
			o.Logger.Warn("a slow statement", "took", took, "sql", query)
		}
		if o.Statements != nil {
			o.Statements(query, args, took)
		}
	}
	return s
}

// slow is how long a statement of the database takes at least that is logged. Its
// values are not: they are people's.
const slow = 500 * time.Millisecond

// checkKind keeps a sandbox from opening a production store, and the other way round.
func (a *App) checkKind(ctx context.Context) error {
	kind, err := a.DB.Kind(ctx)
	if err != nil {
		return err
	}
	switch kind {
	case "":
		return a.DB.SetKind(ctx, string(a.options.Mode()))
	case string(a.options.Mode()):
		return nil
	}
	return fmt.Errorf("this store belongs to `quittance %s`; name another folder or database with --data or --database", kind)
}

// checkGuards tells which guards of the sandbox this platform lacks.
func (a *App) checkGuards() error {
	for _, g := range a.sandbox.Guards() {
		if g.Holds {
			continue
		}
		a.log.Warn("a guard of the file sandbox is not to be had here", "guard", g.Name, "reason", g.Note)
		if a.options.Mode() == Serve && !a.options.AllowWeakSandbox {
			return fmt.Errorf("the file sandbox lacks %s here (%s); start with --allow-weak-sandbox to accept that", g.Name, g.Note)
		}
	}
	return nil
}

// jobWorkers is how many background jobs run at once. They wait for the disk more than
// they compute, so there are more of them than processors.
const jobWorkers = 8

// build makes the areas and the API.
func (a *App) build() error {
	o := &a.options
	a.random = &randomness{from: o.Random}
	ids := value.NewIDs(a.random)
	clock := value.Clock(a.clock.Now)
	a.Jobs = job.New(job.Options{DB: a.DB, Clock: clock, Logger: a.log, Workers: jobWorkers})
	a.clock.moved = a.Jobs.Poke

	var mailer org.Mailer
	switch {
	case o.Mail.Server != "":
		smtp, err := org.NewSMTP(org.SMTPOptions{Address: o.Mail.Server, From: o.Mail.From, User: o.Mail.User, Password: o.Mail.Password, Logger: a.log})
		if err != nil {
			return err
		}
		a.close.add(func(context.Context) error { smtp.Close(); return nil })
		mailer = smtp
	default:
		a.outbox = new(org.Outbox)
		mailer = loggedMail{a.outbox, a.log}
	}
	a.passwords = auth.NewPasswords(o.PasswordCost)
	a.Org = org.New(org.Options{DB: a.DB, Keys: a.keys, Clock: clock, IDs: ids, Passwords: a.passwords,
		Mailer: mailer, PublicURL: a.publicURL, Logger: a.log})
	a.Expense = expense.New(expense.Options{Org: a.Org, IDs: ids, PublicURL: a.publicURL})
	a.Imaging = imaging.New(imaging.Options{DB: a.DB, Blobs: a.Blobs, Sandbox: a.sandbox, IDs: ids, Clock: clock, Signer: a.keys.Signer(),
		PublicURL: a.publicURL, MaxImage: o.Limits.Image, MaxReceiptImage: o.Limits.ReceiptImage, LinkLife: o.Limits.LinkLife,
		Entries: a.Expense.EntryHolder(), Reports: a.Expense.ReportHolder(), PaymentRequests: invoice.ImageHolder{}})
	a.Expense.UseImages(a.Imaging)
	a.Org.UseRecords(a.Expense)
	renderer, err := drawing.New(drawing.Options{Log: a.log})
	if err != nil {
		return err
	}
	a.renderer = renderer
	a.Receipt = receipt.New(receipt.Options{DB: a.DB, Images: a.Imaging, Jobs: a.Jobs, IDs: ids, Clock: clock, Directory: a.Org,
		Tokens: a.Org.Authenticator(), Drawer: renderer, MaxImage: o.Limits.Receipt})
	quick := expense.NewQuickExpenses(expense.QuickExpenseOptions{Org: a.Org, IDs: ids, Images: a.Imaging, Receipts: a.Receipt,
		MaxImage: o.Limits.QuickExpense, Calls: o.Limits.QuickExpenseRate.Calls, Window: o.Limits.QuickExpenseRate.Per})

	options := api.Options{DB: a.DB, Clock: clock, IDs: ids, Logger: a.log, PublicURL: a.publicURL, Authenticator: a.Org.Authenticator(),
		Directory: a.Org, Signer: a.keys.Signer(), MaxBody: o.Limits.Body, Proxies: o.TrustedProxies, Observe: a.observe}
	pages := web.New(web.Options{Org: a.Org, Signer: a.keys.Signer(), Clock: clock, IDs: ids, PublicURL: a.publicURL})
	areas := [][]api.Operation{a.Org.Operations(), pages.Operations(), a.Expense.Operations(), a.Imaging.Operations(), a.Receipt.Operations(), quick.Operations()}
	if o.Mode() == Dev {
		options.Fault = a.faults.before
		areas = append(areas, a.hooks())
	}
	a.API = api.NewServer(options, areas...)
	a.schedule()
	return nil
}

// loggedMail is what happens to mail without a mail server: it is in the log, and in
// the sandbox under /-/mail.
type loggedMail struct {
	*org.Outbox
	log *slog.Logger
}

// Send keeps and logs the message.
func (l loggedMail) Send(m org.Mail) {
	l.Outbox.Send(m)
	l.log.Info("mail", "to", m.To, "subject", m.Subject, "text", m.Text)
}

// purgeBatch is how many expired rows of each kind one transaction removes.
const purgeBatch = 500

// schedule registers what is done again and again.
func (a *App) schedule() {
	a.Jobs.Every(time.Hour, "purge expired tokens", func(ctx context.Context) error {
		for gone := int64(1); gone > 0; {
			if err := a.DB.Write(ctx, func(tx *store.Tx) (err error) {
				gone, err = a.Org.Purge(tx, purgeBatch)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	a.Jobs.Every(time.Hour, "sweep blobs", func(ctx context.Context) error {
		done, err := a.Imaging.Sweep(ctx)
		if done != (imaging.Swept{}) {
			a.log.Info("blobs swept", "moved", done.Discarded, "removed", done.Destroyed)
		}
		return err
	})
}

// Handler answers everything that the public address answers.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz(a.options.Mode() == Dev))
	mux.HandleFunc("GET /openapi.json", a.openapi)
	if a.options.Mode() == Dev {
		mux.Handle("GET /metrics", a.metrics.handler())
	}
	return routeExact(mux, []string{"/healthz", "/readyz", "/openapi.json", "/metrics"}, a.API)
}

func (a *App) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz(true))
	mux.Handle("GET /metrics", a.metrics.handler())
	return mux
}

// routeExact sends these paths to first and all others to rest: a mux in front of
// everything would clean paths by redirects.
func routeExact(first http.Handler, paths []string, rest http.Handler) http.Handler {
	exact := map[string]bool{}
	for _, p := range paths {
		exact[p] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if exact[r.URL.Path] {
			first.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
