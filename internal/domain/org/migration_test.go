package org_test

import (
	"io/fs"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
	"quittance/migrations"
)

// before are the migrations of an engine up to the one in front of a number.
func before(t *testing.T, engine, number string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := migrations.Files.ReadDir(engine)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() < number {
			b, err := migrations.Files.ReadFile(engine + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = &fstest.MapFile{Data: b}
		}
	}
	return files
}

// What stood before the keys of searches came is found by them.
func TestOlderRowsAreFound(t *testing.T) {
	lite, post := before(t, "sqlite", "0009"), before(t, "postgres", "0009")
	for name, o := range map[string]store.Options{
		"sqlite":   {Path: filepath.Join(t.TempDir(), "old.db")},
		"postgres": {URL: storetest.PostgresURL(t, storetest.Migrations(lite, post))},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(files fs.FS) *store.DB {
				t.Helper()
				o.Migrations = files
				db, err := store.Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				return db
			}
			old := lite
			if name == "postgres" {
				old = post
			}
			db := open(old)
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				for _, sql := range []string{
					`INSERT INTO company (id, name, country, currency, ledger, disabled, created_at, settings_version, places_version) VALUES ('c', 'Old', 'US', 'USD', 'X', FALSE, 1, 1, 1)`,
					`INSERT INTO app_user (id, company_id, login, login_key, email, email_key, first_name, middle_name, last_name, employee_id, cell_phone, organization_unit, password_hash, password_expired, sso_only,
						active, test_user, manager_id, country, currency, language, expense_group_id, reimbursement, created_at, modified_at)
						VALUES ('u', 'c', 'A', 'a', 'A@x', 'a@x', '', '', 'Smith', 'E-1', '', '', '', FALSE, FALSE, TRUE, FALSE, '', 'US', 'USD', '', '', '', 1, 1)`,
					`INSERT INTO location (id, company_id, name, name_key, city, city_key, country, subdivision, administrative_region, iata, airport, booking_tool, latitude, longitude)
						VALUES ('l', 'c', 'Port-au-Prince, St. Marc', 'port-au-prince, st. marc', '', '', 'HT', '', 'Ouest', '', FALSE, FALSE, 0, 0)`,
					`INSERT INTO list (id, company_id, name, name_key, display_code_first, vendor_list, search_criteria, connector_id, external_threshold) VALUES ('t', 'c', 'T', 't', FALSE, FALSE, 'TEXT', '', 1)`,
					"INSERT INTO list_item (id, company_id, list_id, parent_id, level, code, code_key, name, name_key, path, path_key) VALUES ('i', 'c', 't', '', 1, 'A', 'a', 'One', 'one', 'A\n', 'a')",
					"INSERT INTO list_item (id, company_id, list_id, parent_id, level, code, code_key, name, name_key, path, path_key) VALUES ('j', 'c', 't', 'i', 2, 'B', 'b', 'Two', 'two', 'A\nB\n', 'a\nb')",
				} {
					if _, err := tx.Exec(sql); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			all, err := fs.Sub(migrations.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			db = open(all)
			defer db.Close()
			s := org.New(org.Options{DB: db, Clock: value.SystemClock, IDs: value.NewIDs(rand.New(rand.NewSource(1))), PublicURL: publicURL})
			a, page := &auth.Actor{Kind: auth.Company, ID: "c", Company: "c"}, store.Page{Limit: 10}
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				people, err := s.FindUsers(tx, a, &org.UserQuery{LastName: "SMITH", Employee: "e-1"}, page)
				if err != nil || len(people.Rows) != 1 {
					t.Errorf("users %v, %v", people.Rows, err)
				}
				for _, part := range []string{"port au", "au-prince st", "marc", "PRINCE"} {
					places, err := s.FindLocations(tx, a, &org.LocationQuery{Name: part, Region: "ouest"}, page)
					if err != nil || len(places.Rows) != 1 {
						t.Errorf("%q finds %v, %v", part, places.Rows, err)
					}
				}
				items, err := s.FindListItems(tx, a, &org.ListItemQuery{Levels: [10]string{"A"}}, page)
				if err != nil || len(items.Rows) != 2 {
					t.Errorf("items %v, %v", items.Rows, err)
				}
				return s.RemoveListItem(tx, a, "i", "t")
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.Read(t.Context(), func(tx *store.Tx) error {
				c, err := s.Export(tx, "c")
				if err == nil && !strings.Contains(string(c.Text()), "items: []") {
					t.Errorf("left is\n%s", c.Text())
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
