package org

import (
	"context"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

// Every page of every list is read from an index that its filter chooses, however
// filters are put together: with 2,000 rows of each kind in two companies, none of
// them is found by going through a table, or through all of a company.
func TestListsAreRangesOfAnIndex(t *testing.T) {
	db := storetest.SQLite(t)
	now := value.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := New(Options{DB: db, Clock: func() value.Instant { return now }, IDs: value.NewIDs(rand.New(rand.NewSource(3))), PublicURL: "https://spend.test"})
	const many = 2000
	write := func(f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(context.Background(), f); err != nil {
			t.Fatal(err)
		}
	}
	var list, parent string
	var company Company
	for _, name := range []string{"First", "Second"} {
		write(func(tx *store.Tx) error {
			company = Company{Name: name, Country: "US", Currency: "USD"}
			if err := s.AddCompany(tx, &company); err != nil {
				return err
			}
			a := &auth.Actor{Kind: auth.Company, ID: company.ID, Company: company.ID}
			for i := range 4 {
				id, err := s.CreateList(tx, a, &List{Name: "List " + strconv.Itoa(i), SearchCriteria: "CODE", ExternalThreshold: 0}, &api.Input{})
				if err != nil {
					return err
				}
				list = id
				for n := range many / 4 {
					item := &ListItem{List: id, Name: "Name " + strconv.Itoa(n)}
					item.levels[0] = strconv.Itoa(n % 20)
					if n >= 20 {
						item.levels[1] = strconv.Itoa(n)
					}
					one, err := s.CreateListItem(tx, a, item, &api.Input{})
					if err != nil {
						return err
					}
					if n == 3 {
						parent = one
					}
				}
			}
			places := &Configuration{}
			for n := range many {
				number := strconv.Itoa(n)
				places.Locations = append(places.Locations, fileLocation{Name: "Place " + number + " Town", City: "City " + number, Region: "Region " + strconv.Itoa(n%50),
					Country: []string{"US", "DE", "FR"}[n%3], Subdivision: []string{"US-WA", "DE-BY", "FR-75"}[n%3]})
				if err := s.AddUser(tx, &User{Company: company.ID, Login: name + number + "@x.test", LastName: "Last " + strconv.Itoa(n%100), EmployeeID: number, Active: n%10 != 0}, ""); err != nil {
					return err
				}
			}
			_, err := s.Apply(tx, company.ID, places)
			return err
		})
	}

	explain := func(query string, args ...any) (steps []string) {
		if err := db.Read(context.Background(), func(tx *store.Tx) error {
			rows, err := tx.Query("EXPLAIN QUERY PLAN "+query, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, parent, unused int64
				var text string
				if err := rows.Scan(&id, &parent, &unused, &text); err != nil {
					return err
				}
				steps = append(steps, text)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(query, err)
		}
		return steps
	}
	own := store.Where("company_id = ?", company.ID)
	level := func(codes ...string) (q ListItemQuery) { copy(q.Levels[:], codes); return q }
	in := func(q ListItemQuery, list string) ListItemQuery { q.List = list; return q }
	type query struct {
		table string
		where store.Predicate
		want  string // a part of the plan
	}
	users := func(q UserQuery, want string) query { return query{"app_user", q.where(), want} }
	items := func(q ListItemQuery, want string) query { return query{"list_item", q.where(company.ID), want} }
	places := func(q LocationQuery, want string) query { return query{"location", q.where(company.ID), want} }
	for _, q := range []query{
		users(UserQuery{}, "app_user_company (company_id=?"),
		users(UserQuery{Email: "first1@x.test"}, "app_user_email (email_key=?"),
		users(UserQuery{Employee: "17"}, "app_user_employee (company_id=? AND employee_key=?"),
		users(UserQuery{LastName: "Last 1"}, "app_user_last_name (company_id=? AND last_name_key=?"),
		users(UserQuery{Active: value.Some(false)}, "app_user_active (company_id=? AND active=?"),
		users(UserQuery{Active: value.Some(true)}, "app_user_active (company_id=? AND active=?"),
		users(UserQuery{LastName: "Last 1", Active: value.Some(false)}, "app_user_last_name (company_id=? AND last_name_key=?"),
		users(UserQuery{Email: "x@x.test", Employee: "1", LastName: "Last 1", Active: value.Some(true)}, "app_user_email (email_key=?"),
		items(ListItemQuery{}, "list_item_company (company_id=?"),
		items(ListItemQuery{List: list}, "list_item_list (company_id=? AND list_id=?"),
		items(ListItemQuery{Name: "Name 7"}, "list_item_name (company_id=? AND name_key=?"),
		items(ListItemQuery{Parent: parent}, "list_item_parent (company_id=? AND parent_id=?"),
		items(ListItemQuery{List: list, Name: "Name 7"}, "list_item_name (company_id=? AND name_key=?"),
		items(ListItemQuery{List: list, Parent: parent, Name: "Name 7"}, "list_item_parent (company_id=? AND parent_id=?"),
		items(level("7"), "SEARCH a USING INDEX list_item_level (company_id=? AND level=? AND code_key=?"),
		items(level("7", "107"), "list_item_level (company_id=? AND level=? AND code_key=?"),
		items(level("", "107"), "list_item_level (company_id=? AND level=? AND code_key=?"),
		items(level("7", "107", "x"), "list_item_level (company_id=? AND level=? AND code_key=?"),
		items(in(level("7"), list), "list_item_level (company_id=? AND level=? AND code_key=? AND list_id=?"),
		items(in(level("7", "107"), list), "SEARCH b EXISTS USING INDEX list_item_code (list_id=? AND code_key=? AND level=?"),
		places(LocationQuery{}, "location_company (company_id=?"),
		places(LocationQuery{Name: "place 77"}, "(company_id=? AND words>? AND words<?)"),
		places(LocationQuery{City: "City 7"}, "location_city (company_id=? AND city_key=?"),
		places(LocationQuery{Subdivision: "us-wa"}, "location_subdivision (company_id=? AND subdivision=?"),
		places(LocationQuery{Country: "us"}, "location_country (company_id=? AND country=?"),
		places(LocationQuery{Region: "Region 7"}, "location_region (company_id=? AND region_key=?"),
		places(LocationQuery{City: "City 7", Country: "US"}, "location_city (company_id=? AND city_key=?"),
		places(LocationQuery{Name: "town", City: "City 7", Country: "US", Subdivision: "US-WA", Region: "Region 7"}, "(company_id=? AND words>? AND words<?)"),
		{"list", store.Predicate{}, "list_company (company_id=?"},
		{"attendee_type", listed, "attendee_type_company (company_id=?"},
		{"expense_group", store.Predicate{}, "expense_group_company (company_id=?"},
	} {
		for _, page := range []store.Predicate{{}, store.Where("seq > ?", int64(many))} {
			p := store.And(own, q.where, page)
			sql := "SELECT id FROM " + q.table + " WHERE " + p.SQL + " ORDER BY seq LIMIT ?"
			steps := explain(sql, slices.Concat(p.Args, []any{int64(26)})...)
			plan := strings.Join(steps, "; ")
			if !strings.Contains(plan, q.want) {
				t.Errorf("%s %v\nis planned as %s\nwithout %s", sql, p.Args, plan, q.want)
			}
			for _, step := range steps {
				if strings.HasPrefix(step, "SCAN") {
					t.Errorf("%s\nis planned as %s", sql, plan)
				}
			}
			if strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s\nsorts: %s", sql, plan)
			}
		}
	}
	// And what stands behind other calls.
	for sql, want := range map[string]string{
		"SELECT id FROM list_item WHERE list_id = ? AND path_key >= ? AND path_key < ?":                              "(list_id=? AND path_key>? AND path_key<?)",
		"SELECT id FROM list_item WHERE list_id = ? AND path_key = ?":                                                "(list_id=? AND path_key=?)",
		"SELECT id FROM list_item WHERE company_id = ? AND list_id = ? AND code_key = ? ORDER BY level, seq LIMIT 1": "list_item_code (list_id=? AND code_key=?)",
	} {
		args := make([]any, strings.Count(sql, "?"))
		for i := range args {
			args[i] = "x"
		}
		if plan := strings.Join(explain(sql, args...), "; "); !strings.Contains(plan, want) {
			t.Errorf("%s\nis planned as %s", sql, plan)
		}
	}
}
