package expense

import (
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// settleEntry checks an entry that is new (old is nil) or changed, and derives what
// follows from it: names, amounts, rate, who paid. Everything that is wrong is noted.
func (s *Service) settleEntry(tx *store.Tx, cfg *org.Config, h *head, old, e *Entry, in *api.Input) error {
	e.Policy, e.ReportCurrency = h.Policy, h.Currency
	t, ok := cfg.ExpenseType(h.Policy, e.ExpenseType)
	switch {
	case ok:
		e.ExpenseType, e.HasVAT = t.Code, t.HasVAT
	case e.ExpenseType != "":
		in.Add("ExpenseTypeCode", "unknown", "is no expense type of the report's policy.")
	case in.Has("ExpenseTypeCode"): // where no body was read that would have told
		in.Add("ExpenseTypeCode", "required", "is required.")
	}
	if e.TransactionDate == 0 && in.Has("TransactionDate") {
		in.Add("TransactionDate", "required", "is required.")
	}
	if e.Location != "" && (old == nil || e.Location != old.Location) {
		if _, ok := cfg.Location(e.Location); !ok {
			in.Add("LocationID", "unknown", "names no location.")
		}
	}
	if err := settleVendor(tx, cfg, old, e, in); err != nil {
		return err
	}
	if err := s.settleCustoms(tx, cfg, org.EntryForm, old.fields(), e.fields(), in); err != nil {
		return err
	}
	if e.HasItemizations && e.IsPersonal {
		in.Add("IsPersonal", "itemized", "cannot be set on an itemized entry; set it on the itemizations.")
	}
	if t != nil && t.Mileage() {
		settleMileage(cfg, h, t, old, e, in)
	} else {
		settleAmount(cfg, h, t, old, e, in)
	}
	if len(in.Fields()) > 0 {
		return nil
	}
	posted, err := e.TransactionAmount.Convert(e.ExchangeRate, h.Currency.Digits())
	if err != nil {
		in.Add("TransactionAmount", "range", "is too large to be converted into the report's currency.")
		return nil
	}
	changed := old == nil || posted != old.PostedAmount || e.IsPersonal != old.IsPersonal || h.ID != old.Report
	e.PostedAmount = posted
	switch {
	case !changed || e.HasItemizations: // an itemized entry's parts tell, see split
	case e.IsPersonal:
		e.PersonalAmount, e.ApprovedAmount = posted, 0
	default:
		e.PersonalAmount, e.ApprovedAmount = 0, posted
	}
	return nil
}

// settleAmount checks what an entry must have that is paid by amount.
func settleAmount(cfg *org.Config, h *head, t *org.ExpenseType, old, e *Entry, in *api.Input) {
	switch {
	case old != nil && e.TransactionAmount != old.TransactionAmount: // set by a caller in the program
	case e.amount.Valid:
		e.TransactionAmount = e.amount.V
	case old != nil:
		in.Add("TransactionAmount", "required", "is required and cannot be cleared.")
	case !in.Has("TransactionAmount"):
		in.Add("TransactionAmount", "required", "is required.")
	}
	if e.TransactionCurrency == "" {
		in.Add("TransactionCurrencyCode", "required", "is required.")
	}
	e.TransactionAmount = e.TransactionAmount.Round(e.TransactionCurrency.Digits())
	e.amount = value.Some(e.TransactionAmount)
	switch {
	case e.PaymentType == "":
		in.Add("PaymentTypeID", "required", "is required.")
	case old == nil || e.PaymentType != old.PaymentType || h.ID != old.Report:
		if p, ok := cfg.PaymentType(e.PaymentType, h.Group); ok {
			e.PaymentType, e.PaidBy = p.ID, string(p.PaidBy)
		} else {
			in.Add("PaymentTypeID", "unknown", "is no payment type of the owner's expense group.")
		}
	}
	if t != nil && e.Journey.Valid {
		if in.Has("Journey") || old == nil {
			in.Addf("Journey", "notAllowed", "is for mileage only; the expense type %s takes none.", t.Code)
		} else {
			e.Journey = value.Opt[Journey]{} // the entry is mileage no more
		}
	}
	settleRate(cfg, h, old, e, in)
}

// settleRate finds the exchange rate of an entry that brings none. A rate that stands
// is left alone when other fields change, the currency included (expense.md §3),
// unless the entry has come into a report of another currency.
func settleRate(cfg *org.Config, h *head, old, e *Entry, in *api.Input) {
	given := e.ExchangeRate != 0 && (old == nil || e.ExchangeRate != old.ExchangeRate)
	switch {
	case e.ExchangeRate < 0:
		in.Add("ExchangeRate", "range", "must be above zero.")
	case given:
		e.RateUnknown = false
	case old != nil && e.ExchangeRate != 0 && h.Currency == old.ReportCurrency:
	default:
		e.ExchangeRate, e.RateUnknown = rateOf(cfg, e.TransactionCurrency, h.Currency, e.TransactionDate)
	}
}

// rateOf is the company's rate; 1, and unknown, when it has none.
func rateOf(cfg *org.Config, from, to value.Currency, on value.Date) (rate value.Rate, unknown bool) {
	if r, ok := cfg.Rate(from, to, on); ok {
		return r, false
	}
	return value.RateOne, true
}

// settleVendor looks a vendor's list item up and makes the key of its description.
func settleVendor(tx *store.Tx, cfg *org.Config, old, e *Entry, in *api.Input) error {
	e.vendorKey = vendorKey(e.VendorDescription)
	switch {
	case old != nil && e.VendorListItem == old.VendorListItem:
		return nil
	case e.VendorListItem == "":
		e.VendorListItemName = ""
		return nil
	}
	for i := range cfg.Lists {
		if !cfg.Lists[i].VendorList {
			continue
		}
		item, ok, err := cfg.ListItem(tx, cfg.Lists[i].ID, e.VendorListItem)
		if err != nil {
			return err
		}
		if ok {
			e.VendorListItem, e.VendorListItemName = item.ID, item.Name
			return nil
		}
	}
	in.Add("VendorListItemID", "unknown", "names no item of a vendor list.")
	return nil
}

func vendorKey(description string) string { return store.Fold(strings.TrimSpace(description)) }

func upper(code string) string { return strings.ToUpper(code) }

// paymentTypeID is the id of a payment type that a query names by id or code.
func paymentTypeID(cfg *org.Config, idOrCode string) string {
	if t, ok := cfg.PaymentType(idOrCode, ""); ok {
		return t.ID
	}
	return idOrCode
}

// expenseCode is the code of an expense type that a query names, as entries have it.
func expenseCode(cfg *org.Config, code string) string {
	for i := range cfg.Groups {
		for _, p := range cfg.Groups[i].Policies {
			if t, ok := p.ExpenseType(code); ok {
				return t.Code
			}
		}
	}
	return upper(code)
}

// attendeeTypeID is the id of an attendee type that a query names by id or code.
func attendeeTypeID(cfg *org.Config, idOrCode string) string {
	if t, ok := cfg.AttendeeType(idOrCode); ok {
		return t.ID
	}
	return idOrCode
}
