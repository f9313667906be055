// Package storetest gives each test a database of its own: a copy of a migrated
// SQLite file, or a PostgreSQL database made from a migrated template.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"quittance/internal/kernel/store"
)

// Option changes how a test's database is made.
type Option func(*setup)

type setup struct {
	sqlite, postgres fs.FS
	edits            []func(*store.Options)
	filled           string // what fill makes; empty: nothing
	fill             func(*store.DB)
}

// Filled has Postgres begin with what fill writes. It is called once in a process for
// each name; the databases of all tests that name it are copies.
func Filled(name string, fill func(*store.DB)) Option {
	return func(s *setup) { s.filled, s.fill = name, fill }
}

// Migrations takes these goose files instead of the repository's own.
func Migrations(sqlite, postgres fs.FS) Option {
	return func(s *setup) { s.sqlite, s.postgres = sqlite, postgres }
}

// With edits the options with which the database is opened.
func With(edit func(*store.Options)) Option {
	return func(s *setup) { s.edits = append(s.edits, edit) }
}

func setupOf(t testing.TB, opts []Option) setup {
	var s setup
	for _, o := range opts {
		o(&s)
	}
	if s.sqlite == nil {
		root := repository(t)
		s.sqlite = os.DirFS(filepath.Join(root, "migrations", "sqlite"))
		s.postgres = os.DirFS(filepath.Join(root, "migrations", "postgres"))
	}
	return s
}

// repository is the folder of the go.mod above the test.
func repository(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("storetest: no go.mod above the test's folder")
		}
		dir = up
	}
}

// SQLite opens a migrated SQLite database in the test's folder and closes it at the
// test's end.
func SQLite(t testing.TB, opts ...Option) *store.DB {
	t.Helper()
	s := setupOf(t, opts)
	o := store.Options{Path: filepath.Join(t.TempDir(), "test.db")}
	if err := os.WriteFile(o.Path, template(t, s.sqlite), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, edit := range s.edits {
		edit(&o)
	}
	return open(t, o)
}

// Postgres opens a migrated PostgreSQL database of the test's own and drops it at the
// test's end. Without a server the test is skipped, or fails where CI is "true".
func Postgres(t testing.TB, opts ...Option) *store.DB {
	t.Helper()
	s := setupOf(t, opts)
	o := store.Options{URL: freshDatabase(t, s)}
	for _, edit := range s.edits {
		edit(&o)
	}
	return open(t, o)
}

// PostgresURL is the address of a fresh PostgreSQL database with the repository's
// schema, for tests that open it themselves.
func PostgresURL(t testing.TB, opts ...Option) string {
	t.Helper()
	return freshDatabase(t, setupOf(t, opts))
}

// Engines runs a test on a SQLite and on a PostgreSQL database.
func Engines(t *testing.T, test func(t *testing.T, db *store.DB), opts ...Option) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t, opts...)) })
}

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error("closing the database:", err)
		}
	})
	return db
}

// templates are the migrated SQLite files of this process, by what is in their
// migrations.
var templates struct {
	sync.Mutex
	files map[string][]byte
}

func template(t testing.TB, migrations fs.FS) []byte {
	t.Helper()
	key := digest(t, migrations)
	templates.Lock()
	defer templates.Unlock()
	if file, ok := templates.files[key]; ok {
		return file
	}
	o := store.Options{Path: filepath.Join(t.TempDir(), "template.db"), Migrations: migrations}
	made, err := store.NewTemplate(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(made.Path())
	if err != nil {
		t.Fatal(err)
	}
	if templates.files == nil {
		templates.files = map[string][]byte{}
	}
	templates.files[key] = file
	return file
}

func digest(t testing.TB, files fs.FS) string {
	t.Helper()
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(sum, "%q %q\n", path, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}
