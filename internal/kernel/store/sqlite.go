package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
)

// lite is a SQLite file: one connection writes, a few others read.
type lite struct {
	db      *DB
	writing driver.Connector
	reading driver.Connector
	queue   chan *request
	stop    chan struct{} // closed to ask the writer to end
	stopped chan struct{} // closed when it has

	conn *liteConn // the writer's; nil after a failure, until the next transaction

	slots  chan struct{} // one for each reading connection that may exist
	mu     sync.Mutex
	idle   []*liteConn // the last used is the next: its cache is warm
	closed bool
}

// liteSettings are those of every connection. busy_timeout is set first: the others
// may have to wait. LIKE and quoted names mean what they mean on PostgreSQL.
var liteSettings = []string{"busy_timeout(10000)", "temp_store(MEMORY)", "case_sensitive_like(1)"}

// liteWriteSettings are those of the writing connection. Every commit is synced. The
// log goes into the file every 32 MB: a page that many commits change is moved once.
var liteWriteSettings = []string{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "wal_autocheckpoint(8000)",
	"cache_size(-16384)", "journal_size_limit(67108864)"}

var liteReadSettings = []string{"query_only(1)", "cache_size(-8192)"}

// liteSource is the driver's name of a file with settings.
func liteSource(path string, settings ...[]string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	query := url.Values{"_dqs": {"0"}}
	for _, some := range settings {
		for _, s := range some {
			query.Add("_pragma", s)
		}
	}
	slashed := filepath.ToSlash(path)
	if slashed[0] != '/' {
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}).String(), nil
}

func liteOpen(path string, settings ...[]string) (*sql.DB, error) {
	source, err := liteSource(path, settings...)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	return pool, nil
}

// connector opens connections to a file with settings.
func connector(path string, settings ...[]string) (driver.Connector, error) {
	source, err := liteSource(path, settings...)
	if err != nil {
		return nil, err
	}
	return sqlite.NewConnector(source)
}

func openSQLite(ctx context.Context, db *DB) (*lite, error) {
	o := db.opts
	if err := private(o.Path); err != nil {
		return nil, err
	}
	writing, err := connector(o.Path, liteSettings, liteWriteSettings, o.pragmas)
	if err != nil {
		return nil, err
	}
	reading, err := connector(o.Path, liteSettings, liteReadSettings)
	if err != nil {
		return nil, err
	}
	conn, err := newLiteConn(writing, true)
	if err != nil {
		return nil, classify(err)
	}
	if err := migrateFile(ctx, writing, o); err != nil {
		conn.close()
		return nil, err
	}
	s := &lite{
		db: db, writing: writing, reading: reading, conn: conn,
		queue: make(chan *request, 2*maxGroup), stop: make(chan struct{}), stopped: make(chan struct{}),
		slots: make(chan struct{}, o.ReadConns),
	}
	go s.serve()
	return s, nil
}

func migrateFile(ctx context.Context, source driver.Connector, o Options) error {
	pool := sql.OpenDB(source)
	pool.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, SQLite, pool, o), pool.Close())
}

// private makes a missing database file that its owner alone can read: keys and
// people are in it. SQLite gives its other files the same rights. A file that is there
// is not touched: to close it would release this process's locks on it.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the database file cannot be opened: %w", err)
	}
	return f.Close()
}

func (s *lite) close() error {
	close(s.stop)
	<-s.stopped
	// With every slot in hand no reader is left.
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	s.mu.Lock()
	s.closed = true
	var err error
	for _, c := range s.idle {
		err = errors.Join(err, c.close())
	}
	s.idle = nil
	s.mu.Unlock()
	for range cap(s.slots) {
		<-s.slots
	}
	if s.conn != nil { // the last connection moves the log into the file and removes it
		err = errors.Join(err, s.conn.close())
	}
	return err
}

// read runs fn on a connection that cannot write, in a snapshot.
func (s *lite) read(ctx context.Context, fn func(*Tx) error) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return classify(err)
	}
	healthy := false
	defer func() { s.release(c, healthy) }()
	if _, err := c.exec(background, "BEGIN", nil); err != nil {
		return classify(err)
	}
	tx := s.db.begin(ctx, ctx, c, false)
	err = tx.run(fn)
	tx.end()
	// A connection that was interrupted is not used again.
	_, ended := c.exec(background, "COMMIT", nil)
	healthy = ended == nil && ctx.Err() == nil
	return err
}

// background is what the driver sees where a caller's context must not reach.
var background = context.Background()

func (s *lite) acquire(ctx context.Context) (*liteConn, error) {
	select {
	case s.slots <- struct{}{}:
	default:
		ctx, cancel := s.db.wait(ctx)
		defer cancel()
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	var c *liteConn
	if n := len(s.idle); n > 0 {
		c, s.idle = s.idle[n-1], s.idle[:n-1]
	}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		<-s.slots
		return nil, errClosing
	}
	if c != nil {
		return c, nil
	}
	c, err := newLiteConn(s.reading, false)
	if err != nil {
		<-s.slots
	}
	return c, err
}

func (s *lite) release(c *liteConn, healthy bool) {
	if healthy {
		s.mu.Lock()
		s.idle = append(s.idle, c)
		s.mu.Unlock()
	} else {
		c.close()
	}
	<-s.slots
}
