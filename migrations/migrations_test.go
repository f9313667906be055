package migrations_test

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"testing"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/migrations"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// TestBothEnginesHaveOneSchema compares what the two sets of migrations make: tables,
// columns with their kinds and whether they may be null, and indexes with what they
// cover.
func TestBothEnginesHaveOneSchema(t *testing.T) {
	lite, post := describe(t, storetest.SQLite(t)), describe(t, storetest.Postgres(t))
	for name := range lite {
		if post[name] == "" {
			t.Errorf("PostgreSQL lacks %s (%s)", name, lite[name])
		} else if lite[name] != post[name] {
			t.Errorf("%s: SQLite has %s, PostgreSQL has %s", name, lite[name], post[name])
		}
	}
	for name := range post {
		if lite[name] == "" {
			t.Errorf("SQLite lacks %s (%s)", name, post[name])
		}
	}
	if len(lite) < 100 {
		t.Errorf("only %d columns and indexes were found", len(lite))
	}
}

// describe lists columns as "table.column" and indexes as "index name", each with
// what it is.
func describe(t *testing.T, db *store.DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	columns := `SELECT m.name, p.name, lower(p.type), p."notnull", p.pk FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`
	indexes := `SELECT m.tbl_name, m.name, i."unique", group_concat(c.name) FROM sqlite_master m, pragma_index_list(m.tbl_name) i, pragma_index_xinfo(m.name) c
		WHERE m.type = 'index' AND i.name = m.name AND m.sql IS NOT NULL AND c.key = 1 GROUP BY m.name`
	if db.Engine() == store.PostgreSQL {
		columns = `SELECT c.table_name, c.column_name, c.data_type || CASE c.data_type WHEN 'text' THEN ' ' || coalesce(c.collation_name, 'default') ELSE '' END, CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END,
			CASE WHEN c.is_identity = 'YES' THEN 1 ELSE 0 END
			FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name NOT LIKE 'goose%'`
		indexes = `SELECT t.relname, i.relname, CASE WHEN x.indisunique THEN 1 ELSE 0 END,
			(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY AS k(attnum, n)
			 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum)
			FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace
			WHERE n.nspname = current_schema() AND t.relname NOT LIKE 'goose%' AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)`
	}
	if err := db.Read(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(columns)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, column, kind string
			var notNull, key int64
			if err := rows.Scan(&table, &column, &kind, &notNull, &key); err != nil {
				return err
			}
			all[table+"."+column] = fmt.Sprintf("%s, may be null: %v", kindOf(t, table, column, kind), notNull == 0 && key == 0)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		if rows, err = tx.Query(indexes); err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, name, covered string
			var unique int64
			if err := rows.Scan(&table, &name, &unique, &covered); err != nil {
				return err
			}
			all["index "+name] = fmt.Sprintf("on %s (%s), unique: %v", table, covered, unique == 1)
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// kindOf puts both engines' names of types into one; text has to be collated "C" on
// PostgreSQL, as SQLite compares it.
func kindOf(t *testing.T, table, column, kind string) string {
	t.Helper()
	switch kind {
	case "text", "text C":
		return "text"
	case "integer", "bigint":
		return "integer"
	case "boolean":
		return "boolean"
	case "blob", "bytea":
		return "bytes"
	}
	t.Errorf("%s.%s is %q", table, column, kind)
	return kind
}

// TestThePlannerKnowsEveryIndex: where SQLite's planner is told of some indexes of a
// table, it is told of all, or one of which it knows nothing seems the best.
func TestThePlannerKnowsEveryIndex(t *testing.T) {
	known := 0
	if err := storetest.SQLite(t).Read(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT i.tbl_name, i.name, COALESCE(s.stat, '') FROM sqlite_master i LEFT JOIN sqlite_stat1 s ON s.tbl = i.tbl_name AND s.idx = i.name
			WHERE i.type = 'index' AND i.tbl_name IN (SELECT tbl FROM sqlite_stat1) ORDER BY 1, 2`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, index, told string
			if err := rows.Scan(&table, &index, &told); err != nil {
				return err
			}
			if known++; told == "" {
				t.Errorf("nothing is told of %s of %s: the migration that makes it adds a line to sqlite_stat1", index, table)
			}
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	if known < 80 {
		t.Errorf("only %d indexes were found", known)
	}
}

// TestMigrationsArePaired finds a step that one engine has and the other has not.
func TestMigrationsArePaired(t *testing.T) {
	names := func(folder string) string {
		entries, err := migrations.Files.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		sort.Strings(all)
		return strings.Join(all, "\n")
	}
	if names("sqlite") != names("postgres") {
		t.Errorf("SQLite has\n%s\nPostgreSQL has\n%s", names("sqlite"), names("postgres"))
	}
}
