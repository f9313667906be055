package expense

import (
	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// EntryHolder tells imaging about entries.
func (s *Service) EntryHolder() imaging.Holder { return entryHolder{s} }

// ReportHolder tells imaging about reports.
func (s *Service) ReportHolder() imaging.ReportHolder { return reportHolder{s} }

// pictured is the condition under which an actor may see, or change, the images of a
// report and its entries.
func pictured(a *auth.Actor, report string, p imaging.Purpose) store.Predicate {
	reached := imaging.Reached(a, "")
	if p == imaging.ToChange || a.Named || a.Administers() {
		return reached
	}
	return store.Or(reached, approvedBy(a, report))
}

// closed is why the images of a report cannot be changed; empty when they can.
func closed(approvalStatus string) string {
	if editable(approvalStatus) {
		return ""
	}
	return "The report is submitted."
}

type entryHolder struct{ s *Service }

func (h entryHolder) Find(tx *store.Tx, a *auth.Actor, id string, p imaging.Purpose) (imaging.Held, error) {
	if p == imaging.ToChange {
		if err := lockEntry(tx, id); err != nil {
			return imaging.Held{}, err
		}
	}
	e, err := entries.Get(tx, pictured(a, "entry.report_id", p), id)
	if err != nil {
		return imaging.Held{}, err
	}
	r, err := heads.Get(tx, a.InCompany(""), e.Report)
	if err != nil {
		return imaging.Held{}, err
	}
	return imaging.Held{ID: e.ID, Owner: e.Owner, Locked: closed(r.ApprovalStatus)}, nil
}

// Changed sets HasImage and looks at the entry again, since a missing receipt may be
// there now.
func (h entryHolder) Changed(tx *store.Tx, id string, images int64) error {
	e, err := entries.Get(tx, store.Unrestricted(), id)
	if err != nil {
		return err
	}
	e.HasImage = images > 0
	if !e.HasImage {
		e.ElectronicReceipt = ""
	}
	cfg, err := h.s.org.Config(tx, e.Company)
	if err != nil {
		return err
	}
	r, err := heads.Get(tx, store.Where("company_id = ?", e.Company), e.Report)
	if err != nil {
		return err
	}
	if err := h.s.reviewAgain(tx, cfg, r, e); err != nil {
		return err
	}
	return r.follow(tx, e, e.HasImage)
}

type reportHolder struct{ s *Service }

func (h reportHolder) Find(tx *store.Tx, a *auth.Actor, id string, p imaging.Purpose) (imaging.Held, error) {
	if p == imaging.ToChange {
		if err := reports.Lock(tx, id); err != nil {
			return imaging.Held{}, err
		}
	}
	r, err := heads.Get(tx, pictured(a, "report.id", p), id)
	if err != nil {
		return imaging.Held{}, err
	}
	return imaging.Held{ID: r.ID, Owner: r.Owner, Locked: closed(r.ApprovalStatus)}, nil
}

func (h reportHolder) Changed(tx *store.Tx, id string, images int64) error {
	if _, err := tx.Exec("UPDATE report SET has_image = ?, modified_at = ? WHERE id = ?", images > 0, int64(tx.Now()), id); err != nil {
		return err
	}
	r, err := heads.Get(tx, store.Unrestricted(), id)
	if err != nil {
		return err
	}
	now, _, err := traitsOf(tx, r.Company, r.ID)
	if err != nil {
		return err
	}
	return r.become(tx, now)
}

func (h reportHolder) EntryIDs(tx *store.Tx, reportID string) ([]string, error) {
	rows, err := tx.Query(`SELECT e.id FROM report r JOIN entry e ON e.company_id = r.company_id AND e.report_id = r.id
		WHERE r.id = ? ORDER BY e.transaction_date, e.seq`, reportID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// attachReceipt gives an entry that is written already the image of its owner's
// receipt, and notes the receipt.
func (s *Service) attachReceipt(tx *store.Tx, a *auth.Actor, e *Entry, receipt string) error {
	if err := s.images.AttachExisting(tx, a, receipt, imaging.Entry, imaging.Held{ID: e.ID, Owner: e.Owner}); err != nil {
		return onField("ElectronicReceiptID", err)
	}
	kept, err := entries.Get(tx, store.Where("company_id = ?", e.Company), e.ID)
	if err != nil {
		return err
	}
	kept.ElectronicReceipt = receipt
	return entries.Update(tx, kept)
}
