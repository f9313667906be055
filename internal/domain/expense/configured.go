package expense

import (
	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// naming are the tables whose records name a kind of configured record, and in which
// column. What only documents hold is looked for in their text, which takes as long as
// reading them: a configuration is seldom cut back.
var naming = map[org.RecordKind][]struct{ table, column string }{
	org.GroupRecord:        {{"report", "group_id"}},
	org.PolicyRecord:       {{"report", "policy_id"}},
	org.ExpenseTypeRecord:  {{"entry", "expense_type"}, {"itemization", "expense_type"}},
	org.PaymentTypeRecord:  {{"entry", "payment_type_id"}},
	org.AttendeeTypeRecord: {{"attendee", "attendee_type_id"}},
	org.ListItemRecord:     {{"report", "doc"}, {"entry", "doc"}, {"itemization", "doc"}, {"allocation", "doc"}, {"attendee", "doc"}},
	org.LocationRecord:     {{"entry", "doc"}, {"itemization", "doc"}, {"quick_expense", "doc"}},
}

// Named is the first of these keys of configured records that a record of the area
// names; empty when none is. It is what org.Records asks.
func (s *Service) Named(tx *store.Tx, company string, kind org.RecordKind, keys []string) (string, error) {
	for _, key := range keys {
		for _, n := range naming[kind] {
			condition, argument := n.column+" = ?", key
			if n.column == "doc" {
				condition, argument = "doc LIKE ?", `%"`+key+`"%`
			}
			var one int64
			err := tx.QueryRow("SELECT 1 FROM "+n.table+" WHERE company_id = ? AND "+condition+" LIMIT 1", company, argument).Scan(&one)
			if err == nil {
				return key, nil
			}
			if !errs.Is(err, errs.NotFound) {
				return "", err
			}
		}
	}
	return "", nil
}

// Renamed writes a person's login and name into what repeats them: the reports of that
// person with all below them, the private attendees, and the reports that the person is
// or was asked to approve. What is told of the past, such as events, stays as it was. It
// is what org.Records asks.
func (s *Service) Renamed(tx *store.Tx, was, is auth.Person) error {
	company, own := store.Where("company_id = ?", is.Company), store.Where("owner_id = ?", is.ID)
	asked := store.Where("id IN (SELECT v.report_id FROM report_approver v WHERE v.user_id = ?)", is.ID)
	if err := rewrite(tx, reports, company, store.Or(own, asked), func(r *Report) string { return r.ID }, func(r *Report) {
		if r.Owner == is.ID {
			r.OwnerLogin, r.OwnerName = is.Login, is.Name
		}
		if r.ApproverLogin == was.Login {
			r.ApproverLogin, r.ApproverName = is.Login, is.Name
		}
	}); err != nil {
		return err
	}
	// All of their reports are locked by now, and what is below them with them.
	if err := rewrite(tx, entries, company, own, func(e *Entry) string { return e.ID }, func(e *Entry) { e.OwnerLogin = is.Login }); err != nil {
		return err
	}
	if err := rewrite(tx, itemizations, company, own, func(i *Itemization) string { return i.ID }, func(i *Itemization) { i.OwnerLogin = is.Login }); err != nil {
		return err
	}
	return rewrite(tx, attendees, company, own, func(x *Attendee) string { return x.ID }, func(x *Attendee) { x.OwnerLogin, x.OwnerName = is.Login, is.Name })
}

// rewrite changes all rows of a condition, in their order, each as it stands after all
// changes before it.
func rewrite[T any](tx *store.Tx, t *store.Table[T], access, where store.Predicate, id func(*T) string, change func(*T)) error {
	var ids []string
	if err := each(tx, t, access, where, func(row *T) { ids = append(ids, id(row)) }); err != nil {
		return err
	}
	for _, key := range ids {
		if err := t.Lock(tx, key); err != nil {
			return err
		}
		row, err := t.Get(tx, access, key)
		if errs.Is(err, errs.NotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		change(row)
		if err := t.Update(tx, row); err != nil {
			return err
		}
	}
	return nil
}
