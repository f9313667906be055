package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quittance/internal/kernel/errs"
)

// errNoFile answers what only a database in a file can do.
var errNoFile = errs.New(errs.Unsupported, "engine", "This works with SQLite only; PostgreSQL has its own tools for it.")

// Snapshot writes the database as it stands to a new file at path, while it goes on
// serving. The file is complete, compact and on disk when Snapshot returns; a file
// that was there is replaced.
func (db *DB) Snapshot(ctx context.Context, path string) error {
	if db.engine != SQLite {
		return errNoFile
	}
	return replaceFile(path, func(temporary string) error {
		pool, err := liteOpen(db.opts.Path, liteSettings)
		if err != nil {
			return err
		}
		defer pool.Close()
		if err := private(temporary); err != nil {
			return err
		}
		if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", temporary); err != nil {
			return classify(err)
		}
		return makeLogged(ctx, temporary)
	})
}

// makeLogged leaves a database file in the mode that Open wants, so that a copy of it
// opens without being rewritten.
func makeLogged(ctx context.Context, path string) error {
	pool, err := liteOpen(path, liteSettings, []string{"journal_mode(WAL)"})
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "PRAGMA user_version")
	return errors.Join(classify(err), pool.Close())
}

// ReplaceWith makes the database what a file that Snapshot wrote holds. It happens in
// one transaction between two others: readers see the old state or the new one, and
// so does whoever opens the database after a crash.
func (db *DB) ReplaceWith(ctx context.Context, path string) error {
	s, ok := db.impl.(*lite)
	if !ok {
		return errNoFile
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("the snapshot cannot be read: %w", err)
	}
	source, err := liteSource(path)
	if err != nil {
		return err
	}
	return s.submit(&request{ctx: ctx, done: make(chan struct{}), alone: func(c *liteConn) error {
		restore, err := c.conn.NewRestore(source)
		if err != nil {
			return err
		}
		_, err = restore.Step(-1)
		return errors.Join(err, restore.Finish())
	}})
}

// Template is a database made once and copied often: for tests, and for a sandbox
// that is put back to its beginning.
type Template struct{ path string }

// NewTemplate makes the database file opts.Path, migrates it and lets fill put
// records into it; nil for none. The file must not exist yet.
func NewTemplate(ctx context.Context, opts Options, fill func(*DB) error) (*Template, error) {
	if opts.EngineOf() != SQLite {
		return nil, errNoFile
	}
	if _, err := os.Stat(opts.Path); err == nil {
		return nil, fmt.Errorf("the template %s exists already", opts.Path)
	}
	db, err := Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	if fill != nil {
		err = fill(db)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return &Template{opts.Path}, nil
}

// Path is the template's file, which ReplaceWith takes.
func (t *Template) Path() string { return t.path }

// Open copies the template to the new file opts.Path and opens that.
func (t *Template) Open(ctx context.Context, opts Options) (*DB, error) {
	if err := copyFile(t.path, opts.Path); err != nil {
		return nil, err
	}
	opts.Migrations = nil // it is migrated
	return Open(ctx, opts)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// replaceFile has write make a file under a temporary name, syncs it and gives it its
// name, so that path is never half a file.
func replaceFile(path string, write func(temporary string) error) error {
	temporary := path + ".part"
	os.Remove(temporary)
	if err := write(temporary); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(temporary + suffix)
		}
		return err
	}
	if err := syncFile(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkFile reports what is wrong with a database file, if anything.
func checkFile(ctx context.Context, pool *sql.DB) error {
	var verdict string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return classify(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("the database file is damaged: %s", verdict)
	}
	return nil
}

// Verify checks a file that Snapshot wrote: that it is whole, and that every
// reference in it leads somewhere.
func Verify(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("the snapshot cannot be read: %w", err)
	}
	pool, err := liteOpen(path, liteSettings, liteReadSettings)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := checkFile(ctx, pool); err != nil {
		return err
	}
	rows, err := pool.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("the database file is damaged: a record refers to one that is not there")
	}
	return classify(rows.Err())
}
