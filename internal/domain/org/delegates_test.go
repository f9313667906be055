package org_test

import (
	"fmt"
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

const coraID = "cc000000-0000-4000-8000-000000000001"

func (w *world) delegate(d auth.Delegation) error {
	return w.db.Write(w.t.Context(), func(tx *store.Tx) error { return w.SetDelegation(tx, demo, d) })
}

func (w *world) setActive(login string, active bool) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		u, err := w.User(tx, login)
		if err != nil {
			return err
		}
		u.Active = active
		return w.ChangeUser(tx, u)
	})
}

func TestDelegations(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		one := auth.Delegation{User: annID, Delegate: bobID, Prepare: true}
		two := auth.Delegation{User: annID, Delegate: coraID, Submit: true, Approve: true, ApproveFrom: 20260301, ApproveUntil: 20260331}
		back := auth.Delegation{User: bobID, Delegate: annID, Approve: true}
		for _, d := range []auth.Delegation{one, two, back} {
			if err := w.delegate(d); err != nil {
				t.Fatal(err)
			}
		}
		stands := func(want ...auth.Delegation) {
			t.Helper()
			var all []auth.Delegation
			w.read(func(tx *store.Tx) error {
				of, err := w.Delegates(tx, demo, annID)
				if err != nil {
					return err
				}
				for _, d := range of {
					if same, err := w.Delegation(tx, demo, d.User, d.Delegate); err != nil || same != d {
						t.Errorf("one by one it is %+v, %v", same, err)
					}
				}
				to, err := w.DelegatedTo(tx, demo, annID)
				all = append(of, to...)
				return err
			})
			if fmt.Sprint(all) != fmt.Sprint(want) {
				t.Errorf("there are %+v, not %+v", all, want)
			}
		}
		stands(one, two, back)
		w.read(func(tx *store.Tx) error {
			for _, no := range [][3]string{{demo, coraID, annID}, {demo, bobID, coraID}, {other, annID, bobID}, {demo, annID, eveID}, {demo, "", ""}} {
				if d, err := w.Delegation(tx, no[0], no[1], no[2]); err != nil || d != (auth.Delegation{}) {
					t.Errorf("%v: %+v, %v", no, d, err)
				}
			}
			if all, err := w.Delegates(tx, other, annID); err != nil || len(all) > 0 {
				t.Errorf("in another company: %+v, %v", all, err)
			}
			return nil
		})

		// A change keeps the place; whose rights are taken is gone, and later the last.
		one.Submit, one.Approve, one.ApproveUntil = true, true, 20260401
		if err := w.delegate(one); err != nil {
			t.Fatal(err)
		}
		stands(one, two, back)
		if err := w.delegate(auth.Delegation{User: annID, Delegate: bobID}); err != nil {
			t.Fatal(err)
		}
		stands(two, back)
		if err := w.delegate(one); err != nil {
			t.Fatal(err)
		}
		stands(two, one, back)

		// Who has left is no delegate and has none, until the return.
		w.setActive("bob@demo.test", false)
		stands(two)
		if err := w.delegate(one); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "The user bob@demo.test is disabled.") {
			t.Errorf("named again: %v", err)
		}
		w.setActive("bob@demo.test", true)
		stands(two, one, back)
		w.setActive("bob@demo.test", false)
		if err := w.delegate(auth.Delegation{User: annID, Delegate: bobID}); err != nil {
			t.Errorf("who has left cannot be removed: %v", err)
		}
		w.setActive("bob@demo.test", true)
		stands(two, back)

		for _, c := range []struct {
			d    auth.Delegation
			want string
		}{
			{auth.Delegation{User: annID, Delegate: annID, Prepare: true}, "Nobody is their own delegate."},
			{auth.Delegation{User: annID, Delegate: eveID, Prepare: true}, "The company has no such user."},
			{auth.Delegation{User: eveID, Delegate: annID, Prepare: true}, "The company has no such user."},
			{auth.Delegation{User: annID, Delegate: "", Prepare: true}, "The company has no such user."},
			{auth.Delegation{User: annID, Delegate: bobID, Approve: true, ApproveFrom: 20260302, ApproveUntil: 20260301}, "is before the first"},
			{auth.Delegation{User: annID, Delegate: bobID, Prepare: true, ApproveUntil: 20260301}, "give that right with them"},
		} {
			if err := w.delegate(c.d); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v is answered %v", c.d, err)
			}
		}
		stands(two, back)
	})
}

func TestWhoseReportsArePrepared(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		prepared := func(company, delegate, login string) string {
			t.Helper()
			p, ok, err := w.PreparedBy(t.Context(), company, delegate, login)
			if err != nil || ok != (p.ID != "") {
				t.Fatal(p, ok, err)
			}
			return p.Login
		}
		if err := w.delegate(auth.Delegation{User: annID, Delegate: bobID, Prepare: true}); err != nil {
			t.Fatal(err)
		}
		if err := w.delegate(auth.Delegation{User: coraID, Delegate: bobID, Submit: true, Approve: true}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ann@demo.test", "ANN@demo.test", annID, strings.ToUpper(annID)} {
			if got := prepared(demo, bobID, name); got != "ann@demo.test" {
				t.Errorf("%s is %q", name, got)
			}
		}
		for _, no := range [][3]string{{demo, bobID, "cora@demo.test"}, {demo, bobID, "bob@demo.test"}, {demo, bobID, "none@demo.test"}, {demo, bobID, "eve@other.test"}, {demo, bobID, ""},
			{demo, annID, "bob@demo.test"}, {other, bobID, "ann@demo.test"}, {demo, coraID, "ann@demo.test"}} {
			if got := prepared(no[0], no[1], no[2]); got != "" {
				t.Errorf("%v finds %s", no, got)
			}
		}
		w.setActive("ann@demo.test", false)
		if got := prepared(demo, bobID, "ann@demo.test"); got != "" {
			t.Error("who has left is found")
		}
	})
}

// The lists of delegates stay short, so that they can be asked at every call.
func TestManyDelegates(t *testing.T) {
	w := onSQLite(t)
	var ids []string
	w.write(func(tx *store.Tx) error {
		ids = ids[:0]
		for i := range 502 {
			u := &org.User{Company: demo, Login: fmt.Sprintf("u%d@demo.test", i), LastName: "U", Active: true}
			if err := w.AddUser(tx, u, ""); err != nil {
				return err
			}
			ids = append(ids, u.ID)
		}
		for i := range 100 {
			if err := w.SetDelegation(tx, demo, auth.Delegation{User: annID, Delegate: ids[i], Prepare: true}); err != nil {
				return err
			}
		}
		for i := range 500 {
			if err := w.SetDelegation(tx, demo, auth.Delegation{User: ids[i], Delegate: bobID, Prepare: true}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := w.delegate(auth.Delegation{User: annID, Delegate: ids[100], Prepare: true}); err == nil || !strings.Contains(err.Error(), "ann@demo.test has 100 already.") {
		t.Errorf("delegate 101: %v", err)
	}
	if err := w.delegate(auth.Delegation{User: ids[501], Delegate: bobID, Prepare: true}); err == nil || !strings.Contains(err.Error(), "bob@demo.test is one for 500 people already.") {
		t.Errorf("delegation 501: %v", err)
	}
	for _, again := range []auth.Delegation{{User: annID, Delegate: ids[99], Submit: true}, {User: ids[499], Delegate: bobID, Prepare: true}} {
		if err := w.delegate(again); err != nil {
			t.Errorf("changed: %v", err)
		}
	}
	if p, ok, err := w.PreparedBy(t.Context(), demo, bobID, "u499@demo.test"); !ok || err != nil || p.ID != ids[499] {
		t.Errorf("the last one is %+v, %v", p, err)
	}
}
