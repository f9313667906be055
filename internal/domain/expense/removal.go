package expense

import (
	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// RemoveReport deletes a draft with everything below it. Images that are among the
// owner's receipts stay there. What was sent back is no draft: its history stays.
func (s *Service) RemoveReport(tx *store.Tx, a *auth.Actor, id string) error {
	r, err := s.reportToChange(tx, a, id)
	if err != nil {
		return err
	}
	if r.ApprovalStatus != NotSubmitted {
		return errs.New(errs.Conflict, "notDraft", "Only a draft can be deleted; this report is submitted or was sent back.")
	}
	_, many, err := traitsOf(tx, r.Company, r.ID)
	if err != nil {
		return err
	}
	var holders []string
	var remarked []Entry
	if err := each(tx, entries, store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID), func(e *Entry) {
		if e.HasImage {
			holders = append(holders, e.ID)
		}
		if e.Exceptions > 0 {
			remarked = append(remarked, *e)
		}
	}); err != nil {
		return err
	}
	for i := range remarked { // one after the other, so that the last twin of each is told
		e := &remarked[i]
		former, err := formerTwins(tx, e)
		if err != nil {
			return err
		}
		if err := entries.Delete(tx, e.ID); err != nil {
			return err
		}
		if err := tellTwins(tx, r.Company, former, &head{ID: r.ID, ApprovalStatus: r.ApprovalStatus}); err != nil {
			return err
		}
	}
	if len(holders) > 0 {
		if err := s.images.DetachAll(tx, imaging.Entry, holders...); err != nil {
			return err
		}
	}
	if err := s.images.DetachAll(tx, imaging.Report, r.ID); err != nil {
		return err
	}
	for _, table := range []string{"entry_attendee", "allocation", "itemization", "digital_tax_invoice", "report_exception", "report_event", "report_step", "report_approver", "entry"} {
		if _, err := tx.Exec("DELETE FROM "+table+" WHERE report_id = ? AND company_id = ?", r.ID, r.Company); err != nil {
			return err
		}
	}
	for t := range many {
		if err := t.remove(tx, r.Company, r.Seq); err != nil {
			return err
		}
	}
	return reports.Delete(tx, r.ID)
}

func (s *Service) removal() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		if err := c.Write(func(tx *store.Tx) error {
			a, err := s.inPath(tx, c.Actor(), c.Param("userId"), mayPrepare)
			if err != nil {
				return err
			}
			return s.RemoveReport(tx, a, c.Param("reportId"))
		}); err != nil {
			return nil, err
		}
		return api.Empty(204), nil
	}
	return api.Custom(api.ExpenseV4, "DELETE", "/users/{userId}/reports/{reportId}", handle,
		api.Doc{ID: "reports.remove", Group: "Reports", Summary: "Deletes a draft report", Extension: true,
			Description: "The entries go with it; images that are among the owner's receipts stay there. A submitted report, and one that was sent back, stay."},
		auth.Scope("expense.report.readwrite"), api.About(api.PathUser), api.Answers(204, "The report is gone.", api.Content{}))
}
