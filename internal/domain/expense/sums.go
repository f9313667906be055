package expense

import (
	"quittance/internal/domain/org"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// sumsOf is what an entry adds to its report. A personal part counts in Total only:
// neither is it approved nor is it owed to anybody (expense.md §2.1).
func sumsOf(e *Entry) Sums {
	s := Sums{Total: e.PostedAmount, Personal: e.PersonalAmount, Approved: e.ApprovedAmount}
	switch org.PaidBy(e.PaidBy) {
	case org.PaidByEmployee:
		s.DueEmployee = e.ApprovedAmount
	case org.PaidByCompanyCard:
		s.DueCard = e.ApprovedAmount
	}
	return s
}

// each pairs the amounts of two sums.
func (s *Sums) each(t *Sums, f func(a *value.Money, b value.Money)) {
	f(&s.Total, t.Total)
	f(&s.Personal, t.Personal)
	f(&s.Approved, t.Approved)
	f(&s.DueEmployee, t.DueEmployee)
	f(&s.DueCard, t.DueCard)
}

// plus is s and t together; value.ErrNumberRange when that is more than can be kept.
func (s Sums) plus(t Sums) (Sums, error) {
	var failed error
	s.each(&t, func(a *value.Money, b value.Money) {
		sum, err := value.AddMoney(*a, b)
		if err != nil {
			failed = err
		}
		*a = sum
	})
	return s, failed
}

// minus is s without t.
func (s Sums) minus(t Sums) Sums {
	s.each(&t, func(a *value.Money, b value.Money) { *a -= b })
	return s
}

// sumEntries adds up all entries of a report, from the rows. Changes of single entries
// go the short way over adjust and come to the same.
func sumEntries(tx *store.Tx, company, report string) (Sums, error) {
	var s Sums
	err := tx.QueryRow(`SELECT CAST(COALESCE(SUM(posted_amount), 0) AS BIGINT), CAST(COALESCE(SUM(personal_amount), 0) AS BIGINT),
		CAST(COALESCE(SUM(approved_amount), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN paid_by = ? THEN approved_amount ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN paid_by = ? THEN approved_amount ELSE 0 END), 0) AS BIGINT)
		FROM entry WHERE company_id = ? AND report_id = ?`, string(org.PaidByEmployee), string(org.PaidByCompanyCard), company, report).
		Scan(&s.Total, &s.Personal, &s.Approved, &s.DueEmployee, &s.DueCard)
	return s, err
}

// head is what a change to an entry needs to know of its report.
type head struct {
	Seq            int64
	ID             string
	Company        string
	Owner          string
	Policy         string
	Group          string
	Currency       value.Currency
	ApprovalStatus string
	Exceptions     int64
	Sums           Sums
	Traits         traits
}

func (h *head) columns(c *store.Columns) {
	c.Seq(&h.Seq)
	c.Key("id", &h.ID)
	c.Text("company_id", &h.Company)
	c.Text("owner_id", &h.Owner)
	c.Text("policy_id", &h.Policy)
	c.Text("group_id", &h.Group)
	c.Currency("currency", &h.Currency)
	c.Text("approval_status", &h.ApprovalStatus)
	c.Int("exceptions", &h.Exceptions)
	h.Sums.columns(c)
	h.Traits.columns(c)
}

var heads = store.NewTable("report", (*head).columns)

// adjust writes the sums and the count of exceptions of a report whose entries have
// changed, and the time of the change.
func (h *head) adjust(tx *store.Tx) error {
	_, err := tx.Exec(`UPDATE report SET total = ?, personal = ?, approved = ?, due_employee = ?, due_card = ?, exceptions = ?, modified_at = ? WHERE seq = ?`,
		int64(h.Sums.Total), int64(h.Sums.Personal), int64(h.Sums.Approved), int64(h.Sums.DueEmployee), int64(h.Sums.DueCard),
		h.Exceptions, int64(tx.Now()), h.Seq)
	return err
}

// split gives each part of an itemized entry its posted amount. When the parts add up
// to the whole, the largest takes what rounding left over (decisions.md 19). Rounding
// brings neither all nor the personal ones above the whole.
func split(e *Entry, parts []Itemization) error {
	digits := e.ReportCurrency.Digits()
	var given, posted value.Money
	var largest, personal, business *Itemization
	for i := range parts {
		p := &parts[i]
		m, err := p.TransactionAmount.Convert(e.ExchangeRate, digits)
		if err != nil {
			return err
		}
		p.PostedAmount = m
		if given, err = value.AddMoney(given, p.TransactionAmount); err != nil {
			return err
		}
		if posted, err = value.AddMoney(posted, m); err != nil {
			return err
		}
		largest = larger(largest, p)
		if p.IsPersonal {
			personal = larger(personal, p)
		} else {
			business = larger(business, p)
		}
	}
	if largest != nil && (given == e.TransactionAmount || beyond(posted, e.PostedAmount)) {
		largest.PostedAmount += e.PostedAmount - posted
	}
	e.PersonalAmount = 0
	for i := range parts {
		if parts[i].IsPersonal {
			e.PersonalAmount += parts[i].PostedAmount
		}
	}
	if over := e.PersonalAmount - e.PostedAmount; personal != nil && business != nil && beyond(e.PersonalAmount, e.PostedAmount) {
		personal.PostedAmount -= over
		business.PostedAmount += over
		e.PersonalAmount = e.PostedAmount
	}
	for i := range parts {
		p := &parts[i]
		p.ApprovedAmount = p.PostedAmount
		if p.IsPersonal {
			p.ApprovedAmount = 0
		}
	}
	e.ApprovedAmount = e.PostedAmount - e.PersonalAmount
	return nil
}

// coinOf is the smallest amount of a currency.
func coinOf(c value.Currency) value.Money {
	coin := value.MoneyUnit
	for range c.Digits() {
		coin /= 10
	}
	return coin
}

// larger is the part that is farther from nothing; the first of equal ones.
func larger(a, b *Itemization) *Itemization {
	if a == nil || magnitude(b.TransactionAmount) > magnitude(a.TransactionAmount) {
		return b
	}
	return a
}

func magnitude(m value.Money) value.Money {
	if m < 0 {
		return -m
	}
	return m
}
