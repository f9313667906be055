package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// traits are what the list of reports asks of all entries of a report. They are kept
// with the report, so that a list that asks for one is a range of an index, and follow
// the entries at every moment.
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

// The kinds of traits of which a report may have many: the rows of report_trait.
const (
	typeTrait    = "T" // code of an expense type
	paymentTrait = "P" // id of a payment type
	vendorTrait  = "V" // key of a vendor
)

// trait is one of them.
type trait struct{ kind, value string }

func (e *Entry) traits() [3]trait {
	return [...]trait{{typeTrait, e.ExpenseType}, {paymentTrait, e.PaymentType}, {vendorTrait, e.vendorKey}}
}

// withTrait holds for reports that have a trait.
func withTrait(kind, value string) store.Predicate {
	return store.Where("EXISTS (SELECT 1 FROM report_trait t WHERE t.company_id = report.company_id AND t.kind = ? AND t.value = ? AND t.report_seq = report.seq)", kind, value)
}

// reportsWith are the reports of a company that have a trait.
func reportsWith(company store.Predicate, kind, value string) index {
	return inOrder("SELECT report_seq FROM report_trait", company.And("kind = ? AND value = ?", kind, value), "report_seq")
}

// gain writes what a report gains by an entry.
func (h *head) gain(tx *store.Tx, e *Entry) error {
	args := make([]any, 0, 12)
	for _, t := range e.traits() {
		args = append(args, h.Company, t.kind, t.value, h.Seq)
	}
	if _, err := tx.Exec("INSERT INTO report_trait (company_id, kind, value, report_seq) VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?) ON CONFLICT DO NOTHING", args...); err != nil {
		return err
	}
	return h.become(tx, h.Traits.with(e))
}

// follow writes what an entry changes that has gained an image or attendees, or has
// lost them.
func (h *head) follow(tx *store.Tx, e *Entry, gained bool) error {
	if gained {
		return h.become(tx, h.Traits.with(e))
	}
	return h.lose(tx, e)
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

// lose finds the traits again, from the entries, where one has changed or gone, and
// removes what no entry has any more of those that it had.
func (h *head) lose(tx *store.Tx, was *Entry) error {
	now, many, err := traitsOf(tx, h.Company, h.ID)
	if err != nil {
		return err
	}
	for _, t := range was.traits() {
		if many[t] {
			continue
		}
		if err := t.remove(tx, h.Company, h.Seq); err != nil {
			return err
		}
	}
	return h.become(tx, now)
}

func (t trait) remove(tx *store.Tx, company string, reportSeq int64) error {
	_, err := tx.Exec("DELETE FROM report_trait WHERE company_id = ? AND kind = ? AND value = ? AND report_seq = ?", company, t.kind, t.value, reportSeq)
	return err
}

// traitsOf finds the traits of a report in its entries.
func traitsOf(tx *store.Tx, company, report string) (t traits, many map[trait]bool, err error) {
	if err := tx.QueryRow("SELECT has_image FROM report WHERE company_id = ? AND id = ?", company, report).Scan(&t.Images); err != nil {
		return t, nil, err
	}
	many = map[trait]bool{}
	rows, err := tx.Query("SELECT expense_type, payment_type_id, vendor_key, has_vat, has_image, has_attendees, billable, transaction_date FROM entry WHERE company_id = ? AND report_id = ?", company, report)
	if err != nil {
		return t, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.ExpenseType, &e.PaymentType, &e.vendorKey, &e.HasVAT, &e.HasImage, &e.HasAttendees, &e.IsBillable, &e.TransactionDate); err != nil {
			return t, nil, err
		}
		t = t.with(&e)
		for _, one := range e.traits() {
			many[one] = true
		}
	}
	return t, many, rows.Err()
}
