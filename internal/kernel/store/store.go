// Package store keeps the product's records in SQLite or PostgreSQL behind one set
// of calls: Write and Read run a closure in a transaction, Table maps rows to values,
// List reads pages. An acknowledged write is on disk.
package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Engine is a kind of database.
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// Options say which database to open and how.
type Options struct {
	Path       string // a SQLite file, made when missing; or
	URL        string // postgres://…
	Migrations fs.FS  // the engine's goose files, at its root; nil leaves the schema as it is
	Clock      value.Clock
	Logger     *slog.Logger
	ReadConns  int // connections for reading (SQLite), or altogether (PostgreSQL); 0 is a default by the number of processors

	// RequireDurable makes Open refuse a PostgreSQL server that acknowledges
	// commits before they are on disk.
	RequireDurable bool

	// Wait is the longest time that a call without an earlier deadline waits for
	// its turn, and that one transaction may take; 0 is 30 seconds.
	Wait time.Duration

	// Observe is told of every statement, after its last row: its text with its
	// arguments, and how long the database was busy with it. It must be quick; nil
	// tells nobody.
	Observe func(query string, args []any, took time.Duration)

	// Jitter is a random number from 0 to n-1, which spreads the reruns of
	// colliding transactions; nil means the machine's randomness.
	Jitter func(n int64) int64

	pragmas []string // more settings of SQLite's writing connection, for the tests of failures
}

// EngineOf is the engine that the options mean.
func (o Options) EngineOf() Engine {
	if o.URL != "" {
		return PostgreSQL
	}
	return SQLite
}

func (o Options) complete() (Options, error) {
	switch {
	case o.Path == "" && o.URL == "":
		return o, errors.New("no database is named: give a file or a postgres:// URL")
	case o.Path != "" && o.URL != "":
		return o, errors.New("two databases are named: give a file or a postgres:// URL, not both")
	case o.URL != "" && !strings.HasPrefix(o.URL, "postgres://") && !strings.HasPrefix(o.URL, "postgresql://"):
		return o, errors.New("the database's URL does not begin with postgres://")
	}
	if o.Clock == nil {
		o.Clock = value.SystemClock
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
	}
	if o.Jitter == nil {
		o.Jitter = rand.Int64N
	}
	if o.ReadConns <= 0 {
		o.ReadConns = max(4, 2*runtime.GOMAXPROCS(0))
		if o.URL != "" {
			o.ReadConns = max(16, 4*runtime.GOMAXPROCS(0))
		}
	}
	return o, nil
}

// DB is an open database. All methods may be called from many goroutines.
type DB struct {
	opts   Options
	engine Engine
	impl   engine
	close  sync.Once
}

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	write(ctx context.Context, fn func(*Tx) error) error
	read(ctx context.Context, fn func(*Tx) error) error
	close() error
}

// Open opens the database and brings its schema up to date. It refuses a database
// that a newer version of the program has migrated.
func Open(ctx context.Context, opts Options) (*DB, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	db := &DB{opts: opts, engine: opts.EngineOf()}
	if db.engine == PostgreSQL {
		db.impl, err = openPostgres(ctx, db)
	} else {
		db.impl, err = openSQLite(ctx, db)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Close waits for running transactions, then closes the database.
func (db *DB) Close() error {
	var err error
	db.close.Do(func() { err = db.impl.close() })
	return err
}

// Engine says which database this is.
func (db *DB) Engine() Engine { return db.engine }

// Write runs fn in a transaction that may change records and answers when it is on
// disk, or not at all. fn does nothing but SQL, and it may run twice: what it keeps
// outside the transaction it sets anew each time. On SQLite it may share its
// transaction with others' closures, none of which sees another fail. A context that
// ends keeps fn from starting, on PostgreSQL also from going on.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if err := outside(ctx); err != nil {
		return err
	}
	return db.impl.write(ctx, fn)
}

// Read runs fn in a transaction that sees one state of the database and changes
// nothing.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	if err := outside(ctx); err != nil {
		return err
	}
	return db.impl.read(ctx, fn)
}

// insideKey marks the context of a transaction.
type insideKey struct{}

// outside refuses a transaction within a transaction: on SQLite it would wait for
// itself.
func outside(ctx context.Context) error {
	if ctx.Value(insideKey{}) != nil {
		return errs.As(errors.New("store: a transaction is begun inside another"))
	}
	return nil
}

// wait bounds a context that has no deadline of its own.
func (db *DB) wait(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, db.opts.Wait)
}

func (db *DB) begin(ctx, driver context.Context, on session, write bool) *Tx {
	return &Tx{
		db: db, ctx: ctx, driver: driver, on: on, write: write,
		now: db.opts.Clock(), until: time.Now().Add(db.opts.Wait),
	}
}

// Kind is what SetKind has noted: "" in a new database.
func (db *DB) Kind(ctx context.Context) (string, error) {
	kind := ""
	err := db.Read(ctx, func(tx *Tx) error {
		err := tx.QueryRow("SELECT value FROM store_meta WHERE key = 'kind'").Scan(&kind)
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		return err
	})
	return kind, err
}

// SetKind notes what the database is for ("serve", "dev"), so that a program for
// another purpose can refuse it.
func (db *DB) SetKind(ctx context.Context, kind string) error {
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO store_meta (key, value) VALUES ('kind', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", kind)
		return err
	})
}
