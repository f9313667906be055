package store_test

import (
	"os"
	"testing"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnvironment); path != "" {
		writeUntilKilled(path)
	}
	storetest.Main(m)
}

func TestConformance(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		storetest.Exercise(t, func(t *testing.T, opts ...storetest.Option) *store.DB {
			return storetest.SQLite(t, append(opts, storetest.Migrations(storetest.Schema()))...)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		storetest.Exercise(t, func(t *testing.T, opts ...storetest.Option) *store.DB {
			return storetest.Postgres(t, append(opts, storetest.Migrations(storetest.Schema()))...)
		})
	})
}

func TestRebind(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"SELECT 1", "SELECT 1"},
		{"a = ? AND b = ?", "a = $1 AND b = $2"},
		{"a = '?' AND b = ?", "a = '?' AND b = $1"},
		{"a = 'it''s ?' AND b = ?", "a = 'it''s ?' AND b = $1"},
		{`"odd?" = ?`, `"odd?" = $1`},
		{"a = ? -- why?\nAND b = ?", "a = $1 -- why?\nAND b = $2"},
		{"a - ? = ?", "a - $1 = $2"},
		{"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"},
	} {
		if got := store.Rebind(c.in); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"ann@demo.test", "Ann@DEMO.test"},
		{"straße", "STRASSE"},
		{"Σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"e\u0301", "\u00c9"}, // é in two characters and É in one
	} {
		if store.Fold(c.a) != store.Fold(c.b) {
			t.Errorf("%q and %q differ: %q, %q", c.a, c.b, store.Fold(c.a), store.Fold(c.b))
		}
	}
	if store.Fold("a") == store.Fold("á") {
		t.Error("an accent was folded away")
	}
}

func TestPredicates(t *testing.T) {
	a, b := store.Where("a = ?", 1), store.Where("b = ? OR b IS NULL", 2)
	for _, c := range []struct {
		name string
		p    store.Predicate
		sql  string
		args int
	}{
		{"none", store.And(), "", 0},
		{"zero ones are left out", store.And(store.Predicate{}, a, store.Predicate{}), "a = ?", 1},
		{"and", store.And(a, b), "(a = ?) AND (b = ? OR b IS NULL)", 2},
		{"or", store.Or(a, b), "(a = ?) OR (b = ? OR b IS NULL)", 2},
		{"narrowed", a.And("c = 3"), "(a = ?) AND (c = 3)", 1},
		{"in none", store.In[string]("a"), "1 = 0", 0},
		{"in one", store.In("a", "x"), "a IN (?)", 1},
		{"in three, filled up to four", store.In("a", "x", "y", "z"), "a IN (?, ?, ?, ?)", 4},
	} {
		if c.p.SQL != c.sql || len(c.p.Args) != c.args {
			t.Errorf("%s: %q with %v", c.name, c.p.SQL, c.p.Args)
		}
	}
	if args := store.In("a", "x", "y", "z").Args; args[3] != "z" {
		t.Errorf("filled up with %v", args[3])
	}
}
