package imagingtest

import (
	"testing"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// The records of a World, which stand for those of the areas above: ann's report with
// two entries, of which the second is the earlier one, and a locked report of hers.
const (
	Report       = "00000000000000000001"
	LockedReport = "00000000000000000002"
	LateEntry    = "gWentry1"
	EarlyEntry   = "gWentry2"
	LockedEntry  = "gWentry3"
)

// createRecords makes the tables and the rows. bob approves ann's reports.
func createRecords(t testing.TB, db *store.DB) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		for _, sql := range []string{
			"CREATE TABLE test_report (id TEXT PRIMARY KEY, company_id TEXT NOT NULL, owner_id TEXT NOT NULL, approver_id TEXT NOT NULL, locked TEXT NOT NULL, images BIGINT NOT NULL)",
			"CREATE TABLE test_entry (id TEXT PRIMARY KEY, report_id TEXT NOT NULL, company_id TEXT NOT NULL, owner_id TEXT NOT NULL, day BIGINT NOT NULL, images BIGINT NOT NULL)",
		} {
			if _, err := tx.Exec(sql); err != nil {
				return err
			}
		}
		for _, r := range [][2]string{{Report, ""}, {LockedReport, "The report is submitted."}} {
			if _, err := tx.Exec("INSERT INTO test_report VALUES (?, ?, ?, ?, ?, 0)", r[0], Company, Ann, Bob, r[1]); err != nil {
				return err
			}
		}
		for _, e := range []struct {
			id, report string
			day        int64
		}{{LateEntry, Report, 20240302}, {EarlyEntry, Report, 20240301}, {LockedEntry, LockedReport, 20240301}} {
			if _, err := tx.Exec("INSERT INTO test_entry VALUES (?, ?, ?, ?, ?, 0)", e.id, e.report, Company, Ann, e.day); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seen is who may look at a report and what is below it.
func seen(a *auth.Actor, p imaging.Purpose) store.Predicate {
	access := imaging.Reached(a, "r")
	if p == imaging.ToRead && a.Kind == auth.User {
		access = store.Or(access, store.Where("r.company_id = ? AND r.approver_id = ?", a.Company, a.ID))
	}
	return access
}

var errRecord = errs.New(errs.NotFound, "notFound", "There is no such record.")

func lookUp(tx *store.Tx, sql string, access store.Predicate, id, root string, p imaging.Purpose) (h imaging.Held, err error) {
	args := append([]any{id}, access.Args...)
	var report string
	err = tx.QueryRow(sql+" = ? AND ("+access.SQL+")", args...).Scan(&h.ID, &h.Owner, &h.Locked, &report)
	if errs.Is(err, errs.NotFound) {
		return h, errRecord
	}
	if err == nil && p == imaging.ToChange {
		err = tx.Lock(root, report)
	}
	return h, err
}

type reportHolder struct{}

func (reportHolder) Find(tx *store.Tx, a *auth.Actor, id string, p imaging.Purpose) (imaging.Held, error) {
	return lookUp(tx, "SELECT r.id, r.owner_id, r.locked, r.id FROM test_report r WHERE r.id", seen(a, p), id, "test_report", p)
}

func (reportHolder) Changed(tx *store.Tx, id string, images int64) error {
	_, err := tx.Exec("UPDATE test_report SET images = ? WHERE id = ?", images, id)
	return err
}

func (reportHolder) EntryIDs(tx *store.Tx, report string) (ids []string, err error) {
	rows, err := tx.Query("SELECT id FROM test_entry WHERE report_id = ? ORDER BY day, id", report)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

type entryHolder struct{}

func (entryHolder) Find(tx *store.Tx, a *auth.Actor, id string, p imaging.Purpose) (imaging.Held, error) {
	return lookUp(tx, "SELECT e.id, e.owner_id, r.locked, r.id FROM test_entry e JOIN test_report r ON r.id = e.report_id WHERE e.id", seen(a, p), id, "test_report", p)
}

func (entryHolder) Changed(tx *store.Tx, id string, images int64) error {
	_, err := tx.Exec("UPDATE test_entry SET images = ? WHERE id = ?", images, id)
	return err
}

// noHolder has no records.
type noHolder struct{}

func (noHolder) Find(*store.Tx, *auth.Actor, string, imaging.Purpose) (imaging.Held, error) {
	return imaging.Held{}, errRecord
}

func (noHolder) Changed(*store.Tx, string, int64) error { return nil }
