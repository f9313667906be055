package expense

import (
	"quittance/internal/domain/org"
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
