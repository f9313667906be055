package org

import (
	"context"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// How many delegates a person can have, and for how many people one can be a delegate.
const (
	maxDelegates   = 100
	maxDelegations = 500
)

// Delegation is what one person lets another one do: nothing when it was never said,
// when either has left, or when they are not both of the company.
func (s *Service) Delegation(tx *store.Tx, company, user, delegate string) (auth.Delegation, error) {
	all, err := delegations(tx, company, store.Where("d.user_id = ? AND d.delegate_id = ?", user, delegate), 1)
	if err != nil || len(all) == 0 {
		return auth.Delegation{}, err
	}
	return all[0], nil
}

// Delegates lists the active delegates of a person, in the order in which they became so.
func (s *Service) Delegates(tx *store.Tx, company, user string) ([]auth.Delegation, error) {
	return delegations(tx, company, store.Where("d.user_id = ?", user), maxDelegates)
}

// DelegatedTo lists the active people for whom somebody is a delegate, in the order in
// which that came about.
func (s *Service) DelegatedTo(tx *store.Tx, company, delegate string) ([]auth.Delegation, error) {
	return delegations(tx, company, store.Where("d.delegate_id = ?", delegate), maxDelegations)
}

// delegations reads rows of which both people work in the company.
func delegations(tx *store.Tx, company string, where store.Predicate, limit int) ([]auth.Delegation, error) {
	var all []auth.Delegation
	p := store.And(where, store.Where("d.company_id = ?", company))
	err := each(tx, func(r *store.Rows) error {
		var d auth.Delegation
		var from, until int64
		err := r.Scan(&d.User, &d.Delegate, &d.Prepare, &d.Submit, &d.Approve, &from, &until)
		d.ApproveFrom, d.ApproveUntil = value.Date(from), value.Date(until)
		all = append(all, d)
		return err
	}, `SELECT d.user_id, d.delegate_id, d.prepare, d.submit, d.approve, d.approve_from, d.approve_until
		FROM delegate d JOIN app_user u ON u.id = d.user_id JOIN app_user v ON v.id = d.delegate_id
		WHERE u.company_id = d.company_id AND v.company_id = d.company_id AND u.active AND v.active AND `+p.SQL+`
		ORDER BY d.seq LIMIT ?`, append(p.Args, limit)...)
	return all, err
}

// PreparedBy finds the person with this login or id among those who let a delegate
// prepare their reports. Only the rows of the delegate are asked, so that nothing tells
// whether a login exists: ok is false alike for an unknown one, for that of another
// company, and for everybody else who works here.
func (s *Service) PreparedBy(ctx context.Context, company, delegate, loginOrID string) (p auth.Person, ok bool, err error) {
	var people []User
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		people, err = users.All(tx, ofCompany(company), store.Where(
			"active AND id IN (SELECT user_id FROM delegate WHERE company_id = ? AND delegate_id = ? AND prepare)", company, delegate), "seq", maxDelegations)
		return err
	}); err != nil {
		return p, false, err
	}
	key := fold(loginOrID)
	for i := range people {
		if u := &people[i]; u.loginKey == key || strings.EqualFold(u.ID, key) {
			return u.Person(), true, nil
		}
	}
	return p, false, nil
}

// SetDelegation makes this what one person lets another one do; without any right, it
// ends. Both work in the company.
func (s *Service) SetDelegation(tx *store.Tx, company string, d auth.Delegation) error {
	if err := companies.Lock(tx, company); err != nil { // so that the counts hold
		return err
	}
	user, err := personOf(tx, company, d.User, "user")
	if err != nil {
		return err
	}
	delegate, err := personOf(tx, company, d.Delegate, "delegate")
	if err != nil {
		return err
	}
	if !d.Any() {
		_, err = tx.Exec(`DELETE FROM delegate WHERE user_id = ? AND delegate_id = ?`, user.ID, delegate.ID)
		return err
	}
	var problems errs.Problems
	if user.ID == delegate.ID {
		problems.Add("delegate", "same", "Nobody is their own delegate.")
	}
	for _, p := range []struct {
		field string
		*User
	}{{"user", user}, {"delegate", delegate}} {
		if !p.Active {
			problems.Addf(p.field, "disabled", "The user %s is disabled.", p.Login)
		}
	}
	switch {
	case !d.Approve && (d.ApproveFrom != 0 || d.ApproveUntil != 0):
		problems.Add("approve", "days", "The first and the last day are those of approving; give that right with them.")
	case d.ApproveUntil != 0 && d.ApproveUntil < d.ApproveFrom:
		problems.Add("approve", "days", "The last day of approving is before the first.")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	for _, c := range []struct {
		where store.Predicate
		most  int
		who   string
		said  string
	}{
		{store.Where("user_id = ? AND delegate_id <> ?", user.ID, delegate.ID), maxDelegates, user.Login, "has %d already"},
		{store.Where("delegate_id = ? AND user_id <> ?", delegate.ID, user.ID), maxDelegations, delegate.Login, "is one for %d people already"},
	} {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM delegate WHERE `+c.where.SQL, c.where.Args...).Scan(&n); err != nil {
			return err
		}
		if n >= c.most {
			return errs.Newf(errs.Invalid, "many", "No more delegates can be named: %s "+c.said+".", c.who, n)
		}
	}
	_, err = tx.Exec(`INSERT INTO delegate (company_id, user_id, delegate_id, prepare, submit, approve, approve_from, approve_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id, delegate_id) DO UPDATE SET prepare = excluded.prepare, submit = excluded.submit, approve = excluded.approve,
			approve_from = excluded.approve_from, approve_until = excluded.approve_until`,
		company, user.ID, delegate.ID, d.Prepare, d.Submit, d.Approve, int64(d.ApproveFrom), int64(d.ApproveUntil))
	return err
}

func personOf(tx *store.Tx, company, id, field string) (*User, error) {
	u, err := users.Get(tx, ofCompany(company), id)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.OnField(field, "unknown", "The company has no such user.")
	}
	return u, err
}
