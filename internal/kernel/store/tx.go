package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Tx is one transaction, alive only inside the closure that it was given to, and
// used by one goroutine.
//
// A statement that fails ends the transaction on both engines: later statements
// answer the same error, and nothing is committed even if the closure returns nil.
// What may legally fail is written so that it does not: ON CONFLICT DO NOTHING and
// a look at the number of rows.
type Tx struct {
	db     *DB
	ctx    context.Context // the caller's
	driver context.Context // what the driver sees
	on     session
	now    value.Instant
	until  time.Time // no statement starts later; zero for no such limit
	hooks  []func()
	open   *Rows // not yet closed
	failed error
	write  bool
}

// session runs statements on the transaction's connection.
type session interface {
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (cursor, error)
}

// cursor is the rows of a query, as an engine hands them out.
type cursor interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Now is the time of the transaction: the same for all that it writes.
func (tx *Tx) Now() value.Instant { return tx.now }

// Context carries the caller's values (a correlation id). Statements need none, and
// no other transaction can be begun with it.
func (tx *Tx) Context() context.Context { return context.WithValue(tx.ctx, insideKey{}, true) }

// Engine says which database this is, for the rare text that differs.
func (tx *Tx) Engine() Engine { return tx.db.engine }

// OnCommit has fn called after the transaction is on disk, in the order of these
// calls and before Write returns. A run that is not committed calls nothing.
func (tx *Tx) OnCommit(fn func()) { tx.hooks = append(tx.hooks, fn) }

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if err := tx.ready(); err != nil {
		return 0, err
	}
	defer tx.observe(query, args)()
	res, err := tx.on.exec(tx.driver, query, args)
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, nil
}

// Query runs a statement that returns rows. They must be closed before the next
// statement: a connection of PostgreSQL does one thing at a time.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	done := tx.observe(query, args)
	rows, err := tx.on.query(tx.driver, query, args)
	if err != nil {
		return nil, tx.fail(err)
	}
	tx.open = &Rows{tx: tx, rows: rows, done: done}
	return tx.open, nil
}

// QueryRow runs a statement of which the first row counts; Scan tells of errors.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	rows, err := tx.Query(query, args...)
	return &Row{rows, err}
}

// Lock makes later writers of the row with this id wait for the end of tx, and waits
// for earlier ones. A change to an aggregate first locks its root. On SQLite, where
// writers run one after the other, it does nothing. A row that does not exist locks
// nothing.
func (tx *Tx) Lock(table, id string) error { return tx.lock(table, "id", id) }

func (tx *Tx) lock(table, column, id string) error { return tx.hold(table, column, id, " FOR UPDATE") }

func (tx *Tx) keep(table, column, id string) error {
	return tx.hold(table, column, id, " FOR KEY SHARE")
}

func (tx *Tx) hold(table, column, id, how string) error {
	if tx.db.engine == SQLite {
		return tx.ready()
	}
	rows, err := tx.Query("SELECT 1 FROM "+table+" WHERE "+column+" = ?"+how, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	rows.Next()
	return rows.Err()
}

// insert runs an INSERT of one row and returns its seq.
func (tx *Tx) insert(query string, args []any) (int64, error) {
	if tx.db.engine == PostgreSQL {
		var seq int64
		err := tx.QueryRow(query+" RETURNING seq", args...).Scan((*scanInt)(&seq))
		return seq, err
	}
	if err := tx.ready(); err != nil {
		return 0, err
	}
	defer tx.observe(query, args)()
	res, err := tx.on.exec(tx.driver, query, args)
	if err != nil {
		return 0, tx.fail(err)
	}
	seq, err := res.LastInsertId()
	if err != nil {
		return 0, tx.fail(err)
	}
	return seq, nil
}

// observe begins to watch a statement; what it returns tells the observer.
func (tx *Tx) observe(query string, args []any) func() {
	told := tx.db.opts.Observe
	if told == nil {
		return nothing
	}
	began := time.Now()
	return func() { told(query, args, time.Since(began)) }
}

func nothing() {}

// ready reports why no further statement may run.
func (tx *Tx) ready() error {
	switch {
	case tx.failed != nil:
		return tx.failed
	case tx.on == nil:
		return errs.As(errors.New("store: a transaction is used after its end"))
	case tx.open != nil:
		return tx.fail(errors.New("store: a statement is run before the rows of the last one are closed"))
	case !tx.until.IsZero() && time.Now().After(tx.until):
		return tx.fail(errTooSlow)
	case !tx.write:
		if err := tx.ctx.Err(); err != nil {
			return tx.fail(err)
		}
	}
	return nil
}

func (tx *Tx) fail(err error) error {
	tx.failed = classify(err)
	return tx.failed
}

// run calls fn and answers its error, the transaction's own before it. A panic is an
// error like any other: the goroutine serves others too.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		if tx.open != nil {
			tx.open.Close()
		}
		if err == nil {
			err = tx.failed
		}
	}()
	return fn(tx)
}

// end makes every further use of tx an error.
func (tx *Tx) end() { tx.on = nil }

// Rows are the rows of a query, in its order.
type Rows struct {
	tx   *Tx
	rows cursor
	done func() // the statement is over
	err  error
}

// Next moves to the next row; false at the end and on an error. At the end the rows
// are closed.
func (r *Rows) Next() bool {
	if r.rows == nil || r.err != nil {
		return false
	}
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan copies the row's columns.
func (r *Rows) Scan(dest ...any) error {
	if err := r.rows.Scan(dest...); err != nil {
		r.err = classify(err)
		return r.err
	}
	return nil
}

// Err is what ended the rows too early.
func (r *Rows) Err() error { return r.err }

// Close frees the connection for the next statement; a second call does nothing.
func (r *Rows) Close() {
	if r.rows == nil {
		return
	}
	err := r.rows.Err()
	if closed := r.rows.Close(); err == nil {
		err = closed
	}
	r.rows = nil
	r.done()
	if r.tx.open == r {
		r.tx.open = nil
	}
	if err != nil {
		r.err = r.tx.fail(err)
	}
}

// Row is the first row of a query.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the row's columns; NotFound when there is no row.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if r.rows.err != nil {
			return r.rows.err
		}
		return notFound(sql.ErrNoRows)
	}
	return r.rows.Scan(dest...)
}
