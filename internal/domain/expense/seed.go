package expense

import (
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Demo is what SeedDemo made.
type Demo struct {
	Report  string
	Entries []string
}

// SeedDemo makes a draft report with two entries that can be submitted as they stand:
// a lunch in the owner's currency and a taxi in euros. It goes the way of every
// caller, and wants a company that has the starter's expense and payment types.
func (s *Service) SeedDemo(tx *store.Tx, owner auth.Person) (*Demo, error) {
	a := &auth.Actor{Kind: auth.User, ID: owner.ID, Company: owner.Company, Self: owner, Subject: owner}
	day := func(before int) value.Date { return tx.Now().Add(time.Duration(-before) * 24 * time.Hour).Date() }
	d := &Demo{}
	var err error
	d.Report, err = s.CreateReport(tx, a, &Report{
		Name: "Customer visit", Purpose: "Introducing the new release", UserDefinedDate: day(1),
	}, api.Direct())
	if err != nil {
		return nil, err
	}
	for _, e := range []Entry{
		{ExpenseType: "LUNCH", TransactionDate: day(3), TransactionAmount: 23_50_00, TransactionCurrency: owner.Currency,
			VendorDescription: "Corner Bistro", Description: "Lunch on arrival"},
		{ExpenseType: "TAXIX", TransactionDate: day(2), TransactionAmount: 31_80_00, TransactionCurrency: "EUR",
			VendorDescription: "City Cabs", Description: "To the customer and back"},
	} {
		e.Report, e.PaymentType = d.Report, "CASHX"
		id, err := s.CreateEntry(tx, a, &e, api.Direct())
		if err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, id)
	}
	return d, nil
}
