package org_test

import (
	"slices"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// renames is an area above that notes who has another login or name.
type renames struct {
	named
	seen []string
}

func (r *renames) Renamed(_ *store.Tx, was, is auth.Person) error {
	r.seen = append(r.seen, was.Login+" "+was.Name+" > "+is.Login+" "+is.Name)
	return nil
}

// Records follow a person who is renamed, by a table of people as by one change.
func TestRecordsFollowAnImport(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		records := &renames{}
		w.UseRecords(records)
		cells := func(all ...string) org.PeopleRow { return org.PeopleRow{Line: 2, Cells: all} }
		file := &org.PeopleFile{Columns: []string{"login", "last_name", "employee_id", "active"}, Rows: []org.PeopleRow{
			cells("ANN@demo.test", "Archer-Hall", "", ""), cells("bob@demo.test", "", "B-17", ""), cells("new@demo.test", "New", "", ""), cells("cora@demo.test", "Quill", "", "no")}}
		var ann, cora org.User
		w.write(func(tx *store.Tx) error {
			for login, into := range map[string]*org.User{"ann@demo.test": &ann, "cora@demo.test": &cora} {
				u, err := w.User(tx, login)
				if err != nil {
					return err
				}
				*into = *u
			}
			if _, err := w.PlanPeople(tx, demo, file); err != nil {
				return err
			}
			if len(records.seen) > 0 {
				t.Errorf("a plan renames %v", records.seen)
			}
			_, err := w.ImportPeople(tx, demo, file)
			return err
		})
		var want []string
		for _, c := range []struct {
			user *org.User
			name string
		}{{&ann, "Archer-Hall"}, {&cora, "Quill"}} {
			is := *c.user
			is.LastName = c.name
			want = append(want, c.user.Login+" "+c.user.Person().Name+" > "+is.Login+" "+is.Person().Name)
		}
		if !slices.Equal(records.seen, want) {
			t.Errorf("renamed are %q, not %q", records.seen, want)
		}
		ann.LastName = "Archer-Hall"
		records.seen, want = nil, []string{"ann@demo.test " + ann.Person().Name + " > ann.hall@demo.test " + ann.Person().Name}
		w.write(func(tx *store.Tx) error {
			u, err := w.User(tx, "ann@demo.test")
			if err != nil {
				return err
			}
			u.Login = "ann.hall@demo.test"
			return w.ChangeUser(tx, u)
		})
		if !slices.Equal(records.seen, want) {
			t.Errorf("renamed are %q, not %q", records.seen, want)
		}
	})
}
