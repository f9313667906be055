package store

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"modernc.org/sqlite"
)

// liteConn is one connection with its prepared statements, used by one goroutine at a
// time. It stands on the driver itself: what database/sql does between the two, its
// locks, retries and conversions by reflection, cost as much as a small statement.
type liteConn struct {
	conn  liteDriver
	stmts map[string]*list.Element
	used  list.List           // the last used in front
	bound []driver.NamedValue // the arguments of the statement that begins
	rows  liteRows            // of the query that is being read: a transaction has one at a time

	// What the engine tells through its hooks, on the goroutine that runs the
	// statement: gone when a transaction was rolled back, by us or of itself.
	// A commit that is not the writer's own is refused.
	gone       bool
	committing bool
}

// liteDriver is what the driver's connections can do.
type liteDriver interface {
	driver.Conn
	driver.ConnPrepareContext
	sqlite.HookRegisterer
	NewRestore(source string) (*sqlite.Backup, error)
}

type liteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type prepared struct {
	query string
	stmt  liteStmt
}

// maxStatements bounds the prepared statements of one connection.
const maxStatements = 256

// newLiteConn opens a connection; the writer's minds its transaction.
func newLiteConn(source driver.Connector, writer bool) (*liteConn, error) {
	opened, err := source.Connect(background)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(liteDriver)
	if !ok {
		opened.Close()
		return nil, errors.New("store: the SQLite driver lacks hooks or statements")
	}
	c := &liteConn{conn: conn, stmts: map[string]*list.Element{}}
	if writer {
		conn.RegisterRollbackHook(func() { c.gone = true })
		conn.RegisterCommitHook(func() int32 {
			if c.committing {
				return 0
			}
			return 1
		})
	}
	return c, nil
}

// close closes the connection for good, rolling back what it had begun.
func (c *liteConn) close() error {
	for e := c.used.Front(); e != nil; e = e.Next() {
		e.Value.(*prepared).stmt.Close()
	}
	c.conn.RegisterRollbackHook(nil)
	c.conn.RegisterCommitHook(nil)
	return c.conn.Close()
}

func (c *liteConn) prepare(ctx context.Context, query string) (liteStmt, error) {
	if e := c.stmts[query]; e != nil {
		c.used.MoveToFront(e)
		return e.Value.(*prepared).stmt, nil
	}
	made, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := made.(liteStmt)
	if !ok {
		made.Close()
		return nil, errors.New("store: the SQLite driver's statements take no context")
	}
	c.stmts[query] = c.used.PushFront(&prepared{query, stmt})
	if c.used.Len() > maxStatements {
		old := c.used.Remove(c.used.Back()).(*prepared)
		delete(c.stmts, old.query)
		old.stmt.Close()
	}
	return stmt, nil
}

func (c *liteConn) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	defer clear(c.bound)
	if err := c.bind(args); err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, c.bound)
}

func (c *liteConn) query(ctx context.Context, query string, args []any) (cursor, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	defer clear(c.bound)
	if err := c.bind(args); err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, c.bound)
	if err != nil {
		return nil, err
	}
	c.rows.begin(rows)
	return &c.rows, nil
}

// bind makes args what the driver takes: a named type is the type it is made of.
func (c *liteConn) bind(args []any) error {
	c.bound = c.bound[:0]
	for i, v := range args {
		switch n := v.(type) {
		case string, int64, bool, []byte, nil:
		case int:
			v = int64(n)
		default:
			var err error
			if v, err = driver.DefaultParameterConverter.ConvertValue(v); err != nil {
				return err
			}
		}
		c.bound = append(c.bound, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return nil
}

// liteRows are the rows of a query, in the place that its connection has for them.
type liteRows struct {
	rows   driver.Rows
	values []driver.Value // of the row that was read last
	err    error
}

func (r *liteRows) begin(rows driver.Rows) {
	r.rows, r.err = rows, nil
	n := len(rows.Columns())
	if cap(r.values) < n {
		r.values = make([]driver.Value, n)
	}
	r.values = r.values[:n]
}

func (r *liteRows) Next() bool {
	err := r.rows.Next(r.values)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return err == nil
}

func (r *liteRows) Scan(dest ...any) error { return scanRow(dest, r.values) }

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Close() error {
	clear(r.values)
	return r.rows.Close()
}
