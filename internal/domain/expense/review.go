package expense

import (
	"slices"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/store"
)

// reviewEntry asks the rules about an entry that is about to be saved, keeps what
// they find and sets e.Exceptions. It returns by how much the count of the report's
// exceptions changes.
func (s *Service) reviewEntry(tx *store.Tx, cfg *org.Config, e *Entry) (change int64, err error) {
	var parts []Itemization
	if e.HasItemizations {
		if parts, err = itemizations.All(tx, store.Where("entry_id = ?", e.ID), store.Predicate{}, "", store.MaxLimit); err != nil {
			return 0, err
		}
	}
	found := findings(judgeEntry(cfg, e, parts, tx.Now()))
	same, err := twinsOf(tx, e)
	if err != nil {
		return 0, err
	}
	found.twins(&Lines{Entry: e, SameEntries: same})
	return keepEntryExceptions(tx, e, found)
}

// twinsOf names the reports that hold another entry of the same owner, day, amount,
// currency and vendor: each once, from the first few such entries. The limit stands in
// the text: SQLite plans a statement anew whenever a limit is bound.
func twinsOf(tx *store.Tx, e *Entry) ([]string, error) {
	rows, err := tx.Query(`SELECT report_id FROM entry WHERE owner_id = ? AND transaction_date = ? AND transaction_amount = ?
		AND transaction_currency = ? AND vendor_key = ? AND id <> ? LIMIT 4`,
		e.Owner, int64(e.TransactionDate), int64(e.TransactionAmount), string(e.TransactionCurrency), e.vendorKey, e.ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var names []string
	for _, id := range ids {
		r, err := reports.Get(tx, store.Where("company_id = ?", e.Company), id)
		if err != nil {
			return nil, err
		}
		names = append(names, r.Name)
	}
	return names, nil
}

// reviewAgain saves an entry of which nothing has changed that sums depend on, and
// what the rules say of it now.
func (s *Service) reviewAgain(tx *store.Tx, cfg *org.Config, h *head, e *Entry) error {
	change, err := s.reviewEntry(tx, cfg, e)
	if err != nil {
		return err
	}
	h.Exceptions += change
	e.ModifiedAt = tx.Now()
	if err := entries.Update(tx, e); err != nil {
		return err
	}
	return h.adjust(tx)
}
