package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is a PostgreSQL database: every transaction is its own.
type postgres struct {
	db    *DB
	pool  *sql.DB
	texts rebinder
	done  context.Context // ends with Close
	end   context.CancelFunc
	live  sync.WaitGroup
}

// openTime bounds how long opening a connection takes.
const openTime = 15 * time.Second

// maxReruns bounds how often one write is run again after a collision.
const maxReruns = 12

func openPostgres(ctx context.Context, db *DB) (*postgres, error) {
	o := db.opts
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the database's URL cannot be used: %w", err)
	}
	for name, setting := range map[string]string{
		"application_name":                    "quittance",
		"timezone":                            "UTC",
		"lock_timeout":                        millis(o.Wait),
		"statement_timeout":                   millis(2 * o.Wait),
		"idle_in_transaction_session_timeout": millis(2 * o.Wait),
		// Every query of a call is a range of an index. That a table is small, or that most
		// of it is asked for, is no reason to read it as a whole, or with helpers.
		"enable_seqscan":                  "off",
		"max_parallel_workers_per_gather": "0",
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = setting
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = openTime
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(o.ReadConns)
	pool.SetMaxIdleConns(o.ReadConns)
	pool.SetConnMaxLifetime(time.Hour)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	fail := func(err error) (*postgres, error) {
		pool.Close()
		return nil, err
	}
	var synchronous string
	if err := pool.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&synchronous); err != nil {
		return fail(classify(err))
	}
	if o.RequireDurable && synchronous == "off" {
		return fail(errors.New("the PostgreSQL server acknowledges changes before they are on disk: set synchronous_commit to on"))
	}
	if err := migrate(ctx, db.engine, pool, o); err != nil {
		return fail(err)
	}
	p := &postgres{db: db, pool: pool}
	p.done, p.end = context.WithCancel(context.Background())
	return p, nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (p *postgres) close() error {
	p.end()
	p.live.Wait()
	return p.pool.Close()
}

// write runs fn in a transaction of its own, and again when it collided with another.
func (p *postgres) write(ctx context.Context, fn func(*Tx) error) error {
	ctx, cancel := p.db.wait(ctx)
	defer cancel()
	pause := 4 * time.Millisecond
	for run := 0; ; run++ {
		hooks, again, err := p.once(ctx, nil, true, fn)
		if err == nil {
			for _, hook := range hooks {
				hook()
			}
			return nil
		}
		if !again || run == maxReruns {
			return err
		}
		timer := time.NewTimer(pause/2 + time.Duration(p.db.opts.Jitter(int64(pause))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return classify(ctx.Err())
		}
		pause = min(2*pause, 250*time.Millisecond)
	}
}

func (p *postgres) read(ctx context.Context, fn func(*Tx) error) error {
	ctx, cancel := p.db.wait(ctx)
	defer cancel()
	_, _, err := p.once(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, false, fn)
	return err
}

// once runs fn in one transaction; again says that it collided with another.
func (p *postgres) once(ctx context.Context, opts *sql.TxOptions, write bool, fn func(*Tx) error) (hooks []func(), again bool, err error) {
	p.live.Add(1)
	defer p.live.Done()
	if p.done.Err() != nil {
		return nil, false, errClosing
	}
	on, err := p.begin(ctx, opts)
	if err != nil {
		return nil, false, classify(err)
	}
	tx := p.db.begin(ctx, ctx, &postgresTx{on, &p.texts}, write)
	err = tx.run(fn)
	tx.end()
	if err != nil {
		on.Rollback()
		return nil, rerunnable(tx.failed) || rerunnable(err), err
	}
	if err := on.Commit(); err != nil {
		return nil, rerunnable(err), classify(err)
	}
	return tx.hooks, false, nil
}

// begin begins a transaction. A connection that was lost while it lay idle costs
// nobody a call: nothing has been done yet, so the next one is tried.
func (p *postgres) begin(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error) {
	for left := p.db.opts.ReadConns; ; left-- {
		on, err := p.pool.BeginTx(ctx, opts)
		if err == nil || left == 0 || ctx.Err() != nil || !lost(err) {
			return on, err
		}
	}
}

type postgresTx struct {
	tx    *sql.Tx
	texts *rebinder
}

func (t *postgresTx) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.texts.rebind(query), args...)
}

func (t *postgresTx) query(ctx context.Context, query string, args []any) (cursor, error) {
	return t.tx.QueryContext(ctx, t.texts.rebind(query), args...)
}

// rebinder turns the placeholders `?` into $1, $2 … and remembers the texts.
type rebinder struct {
	mu    sync.RWMutex
	texts map[string]string
}

// maxTexts bounds what is remembered; beyond it everything is forgotten.
const maxTexts = 4096

func (b *rebinder) rebind(query string) string {
	b.mu.RLock()
	text, ok := b.texts[query]
	b.mu.RUnlock()
	if ok {
		return text
	}
	text = rebind(query)
	b.mu.Lock()
	if b.texts == nil || len(b.texts) >= maxTexts {
		b.texts = map[string]string{}
	}
	b.texts[query] = text
	b.mu.Unlock()
	return text
}

// rebind numbers the placeholders that stand outside of quotes and comments.
func rebind(query string) string {
	var b strings.Builder
	n := 0
	var quote byte
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote == '\n': // a comment to the end of the line
			if c == '\n' {
				quote = 0
			}
		case quote != 0: // a doubled quote ends and begins again: the same
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '-' && i+1 < len(query) && query[i+1] == '-':
			quote = '\n'
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
