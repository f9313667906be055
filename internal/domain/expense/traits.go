package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// traits are what the lists of reports and of entries ask of all entries of a report.
// They are kept with the report, so that a list that asks for one is a range of an
// index, and follow the entries at every moment.
type traits struct {
	VAT       bool // an entry carries value added tax
	Images    bool // an entry or the report itself has an image
	Attendees bool
	Billable  bool
	First     value.Date // of the entries' days; 0 without entries
	Last      value.Date
}

func (t *traits) columns(c *store.Columns) {
	c.Bool("with_vat", &t.VAT)
	c.Bool("with_images", &t.Images)
	c.Bool("with_attendees", &t.Attendees)
	c.Bool("with_billable", &t.Billable)
	c.Date("first_entry", &t.First)
	c.Date("last_entry", &t.Last)
}

// with are the traits of a report to which an entry is added.
func (t traits) with(e *Entry) traits {
	t.VAT, t.Images = t.VAT || e.HasVAT, t.Images || e.HasImage
	t.Attendees, t.Billable = t.Attendees || e.HasAttendees, t.Billable || e.IsBillable
	if t.First == 0 || e.TransactionDate < t.First {
		t.First = e.TransactionDate
	}
	t.Last = max(t.Last, e.TransactionDate)
	return t
}

// become writes what the traits are now, where that is news.
func (h *head) become(tx *store.Tx, now traits) error {
	if now == h.Traits {
		return nil
	}
	h.Traits = now
	_, err := tx.Exec("UPDATE report SET with_vat = ?, with_images = ?, with_attendees = ?, with_billable = ?, first_entry = ?, last_entry = ? WHERE seq = ?",
		now.VAT, now.Images, now.Attendees, now.Billable, int64(now.First), int64(now.Last), h.Seq)
	return err
}

// survey finds the traits again, from the rows: where an entry has changed or gone.
func (h *head) survey(tx *store.Tx) error {
	now, err := traitsOf(tx, h.Company, h.ID)
	if err != nil {
		return err
	}
	return h.become(tx, now)
}

// traitsOf reads the traits of a report from the rows.
func traitsOf(tx *store.Tx, company, report string) (traits, error) {
	var vat, images, attendees, billable int64
	var own bool
	var t traits
	any := func(column string) string {
		return "CAST(COALESCE(SUM(CASE WHEN e." + column + " THEN 1 ELSE 0 END), 0) AS BIGINT), "
	}
	err := tx.QueryRow("SELECT r.has_image, "+any("has_vat")+any("has_image")+any("has_attendees")+any("billable")+
		`COALESCE(MIN(e.transaction_date), 0), COALESCE(MAX(e.transaction_date), 0)
		FROM report r LEFT JOIN entry e ON e.company_id = r.company_id AND e.report_id = r.id
		WHERE r.company_id = ? AND r.id = ? GROUP BY r.id, r.has_image`, company, report).
		Scan(&own, &vat, &images, &attendees, &billable, &t.First, &t.Last)
	t.VAT, t.Images, t.Attendees, t.Billable = vat > 0, own || images > 0, attendees > 0, billable > 0
	return t, err
}
