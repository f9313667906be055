package expense

import "quittance/internal/kernel/store"

// keepEntryExceptions makes found the exceptions that stand on an entry and on its
// itemizations. It sets e.Exceptions, which the caller saves with the entry, and
// returns by how much the report's count changes. What submitting found beside them
// goes away: the entry is judged anew when it is submitted again.
func keepEntryExceptions(tx *store.Tx, e *Entry, found []Exception) (change int64, err error) {
	if e.Exceptions > 0 {
		if _, err := tx.Exec("DELETE FROM report_exception WHERE entry_id = ?", e.ID); err != nil {
			return 0, err
		}
	}
	for i := range found {
		x := found[i] // the closure may run again
		x.Report = e.Report
		if err := exceptions.Insert(tx, &x); err != nil {
			return 0, err
		}
	}
	change = int64(len(found)) - e.Exceptions
	e.Exceptions = int64(len(found))
	if e.HasItemizations {
		if _, err := tx.Exec(countOnItemizations+" WHERE entry_id = ?", e.ID); err != nil {
			return 0, err
		}
	}
	return change, nil
}

// keepReportExceptions makes found the exceptions of a report, as submitting it found
// them, with the counts of its entries and itemizations, and sets r.Exceptions, which
// the caller saves. What is about the whole report is told to who submits it and not
// kept: it keeps no entry from being shown right, and is judged again.
func keepReportExceptions(tx *store.Tx, r *Report, found []Exception) error {
	stood := r.Exceptions
	if stood > 0 {
		if _, err := tx.Exec("DELETE FROM report_exception WHERE report_id = ?", r.ID); err != nil {
			return err
		}
	}
	r.Exceptions = 0
	for i := range found {
		x := found[i]
		if x.Entry == "" {
			continue
		}
		if err := exceptions.Insert(tx, &x); err != nil {
			return err
		}
		r.Exceptions++
	}
	if stood == 0 && r.Exceptions == 0 {
		return nil
	}
	for _, count := range []string{countOnEntries, countOnItemizations} {
		if _, err := tx.Exec(count+" WHERE company_id = ? AND report_id = ?", r.Company, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// How many exceptions stand on entries, those of their itemizations included, and on
// itemizations.
const (
	countOnEntries      = "UPDATE entry SET exceptions = (SELECT COUNT(*) FROM report_exception x WHERE x.entry_id = entry.id)"
	countOnItemizations = `UPDATE itemization SET exceptions = (SELECT COUNT(*) FROM report_exception x
		WHERE x.entry_id = itemization.entry_id AND x.itemization_id = itemization.id)`
)

// exceptionsOf lists the exceptions of a report, in the order in which they were found.
func exceptionsOf(tx *store.Tx, r *Report) ([]Exception, error) {
	return exceptions.All(tx, store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID), "seq", store.MaxLimit)
}
