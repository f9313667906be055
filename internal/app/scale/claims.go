package scale

import (
	"fmt"
	"slices"
	"time"

	"quittance/internal/domain/expense"
	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// draft is a report as its owner writes it.
type draft struct {
	claim  *claim
	report expense.Report
	lines  []line
}

// line is an entry with what is below it.
type line struct {
	entry    expense.Entry
	parts    []expense.Itemization
	guests   []string // ids of attendees
	shares   []expense.Allocation
	image    *imaging.File
	document string // of the tax office
}

// spending is a way in which money goes.
type spending struct {
	weight  int
	code    string // of the expense type
	low     int    // dollars
	high    int
	vendors []string
	text    string
}

var spendings = []spending{
	{14, "LUNCH", 9, 34, meals, "Lunch on the way"},
	{9, "DINNR", 18, 85, meals, "Dinner"},
	{6, "BRKFT", 6, 22, meals, "Breakfast"},
	{12, "TAXIX", 9, 58, []string{"City Cabs", "Night Owl Taxi", "Harbour Cars", "Green Ride", "Station Taxi"}, "To the customer"},
	{8, "TRAIN", 3, 24, []string{"Metro", "Regional Bus", "Tramway", "Harbour Ferry"}, "Ticket"},
	{5, "01025", 25, 160, []string{"Northern Rail", "Inter Regio", "Coast Line"}, "Train there and back"},
	{7, "PARKG", 4, 38, []string{"Park & Walk", "Central Garage", "Airport Parking"}, "Parking"},
	{9, "LODNG", 110, 420, []string{"Hotel Aurora", "Grand Central", "Harbour Inn", "Hotel Linde", "The Lamplighter", "Casa Miramar"}, "Nights at the hotel"},
	{4, "AIRFR", 120, 900, []string{"Northlight Air", "Meridian", "Pacific Wings", "Alpine Jet"}, "Flight"},
	{3, "CARRT", 45, 280, []string{"Wheels & Co", "Rent a Mile", "Blue Car"}, "Car for the visit"},
	{3, "GASXX", 20, 75, []string{"Filling Station", "Highway Fuel"}, "Fuel"},
	{5, "BUSML", 40, 320, meals, "Dinner with customers"},
	{5, "MILEG", 0, 0, nil, "Own car"},
	{3, "OFCSP", 8, 140, companies, "Supplies"},
	{3, "CELPH", 15, 60, []string{"Signal Mobile", "Ring Ring"}, "Mobile phone"},
	{2, "ONLIN", 5, 20, []string{"Hotel Wi-Fi", "Airline Wi-Fi"}, "Access on the way"},
	{2, "MISCL", 3, 90, companies, "Other"},
}

// meals and companies are made of names, so that there are many.
var (
	meals     = invented("Bistro %s", "Café %s", "%s's Kitchen", "Trattoria %s")
	companies = invented("%s & Sons", "%s Works", "%s Trading")
)

func invented(patterns ...string) []string {
	var all []string
	for _, name := range lastNames {
		for _, p := range patterns {
			all = append(all, fmt.Sprintf(p, name))
		}
	}
	return all
}

// Every day of the month before the one in which a report is made may have an entry.
const daysBack = 28

// draft writes a person's report of a month.
func (y *year) draft(c *claim) *draft {
	o, r := c.owner.office, y.rand
	d := &draft{claim: c, report: expense.Report{
		Name:    fmt.Sprintf("%s %d", c.month, Year),
		Purpose: one(r, []string{"Customer visits", "Trade fair", "Training", "Works council", "Month at the office", "Project meeting"}),
		BatchID: fmt.Sprintf("%d-%02d-%s", Year, c.month, o.country),
	}}
	if group, ok := y.config.GroupOf(c.owner.Person); ok && c.owner.careful {
		d.report.Policy = group.Policies[len(group.Policies)-1].ID
	}
	d.report.OrgUnits[0].Value = c.owner.department
	if chance(r, 30) {
		d.report.Customs[1].Value = one(r, projects)
	}
	for range 6 + r.IntN(14) {
		d.lines = append(d.lines, y.line(c, o))
	}
	slices.SortStableFunc(d.lines, func(a, b line) int { return int(a.entry.TransactionDate) - int(b.entry.TransactionDate) })
	return d
}

var projects = []string{"ALPINE", "BEACON", "CINDER", "DELTA", "EMBER"}

// line writes an entry.
func (y *year) line(c *claim, o *office) line {
	r := y.rand
	s := y.spending()
	at := c.opens.Add(-time.Duration(r.IntN(daysBack)) * 24 * time.Hour).Date()
	l := line{entry: expense.Entry{ExpenseType: s.code, TransactionDate: at, Description: s.text, IsBillable: chance(r, 8)}}
	e := &l.entry
	if e.TransactionDate < Year*10_000+101 {
		e.TransactionDate = Year*10_000 + 101
	}
	if places := y.places[o.country]; len(places) > 0 {
		e.Location = one(r, places).ID
	}
	if chance(r, 25) {
		e.Customs[1].Value = one(r, projects)
	}
	if s.code == "MILEG" {
		e.Journey = value.Some(expense.Journey{StartLocation: "Office", EndLocation: one(r, companies), UnitOfMeasure: "K", BusinessDistance: value.Some(int64(12 + r.IntN(240)))})
		return l
	}
	if chance(r, 15) { // abroad
		o = &offices[r.IntN(len(offices))]
	}
	cents := int64(s.low*100 + r.IntN((s.high-s.low)*100))
	e.TransactionCurrency = o.currency
	e.TransactionAmount = value.Money(cents * int64(o.dollar) / 100).Round(o.currency.Digits())
	e.VendorDescription = one(r, s.vendors)
	e.PaymentType = one(r, []string{"CASHX", "CASHX", "CASHX", "CBCP", "CBCP", "IBIP", "CPAID"})
	e.IsPersonal = s.code != "LODNG" && chance(r, 2)
	if chance(r, 4) {
		e.Comment = "The receipt is in another language."
	}
	if cents > 18_00 || chance(r, 50) {
		l.image = &y.pool[r.IntN(len(y.pool))]
	}
	switch {
	case s.code == "LODNG":
		l.parts = parts(e)
	case s.code == "BUSML":
		known := y.guests[c.owner.office.country]
		for range 1 + r.IntN(4) {
			if g := one(r, known); !slices.Contains(l.guests, g) {
				l.guests = append(l.guests, g)
			}
		}
	case chance(r, 5):
		l.shares = []expense.Allocation{{Percentage: 60_00000000}, {Percentage: 40_00000000}}
		l.shares[0].Customs[0].Value, l.shares[1].Customs[0].Value = c.owner.department, one(r, departments)
	}
	if c.owner.office.country == "MX" && l.image != nil && chance(r, 30) {
		l.document = fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><Comprobante Version="4.0" Folio="%d" Total="%s" Moneda="%s"/>`, 100_000+r.IntN(900_000), e.TransactionAmount, e.TransactionCurrency)
	}
	return l
}

// parts splits what a hotel costs: the room, its tax, and a breakfast.
func parts(e *expense.Entry) []expense.Itemization {
	digits := e.TransactionCurrency.Digits()
	tax, breakfast := (e.TransactionAmount / 11).Round(digits), (e.TransactionAmount / 15).Round(digits)
	all := []expense.Itemization{
		{ExpenseType: "LODNG", TransactionAmount: e.TransactionAmount - tax - breakfast, Description: "Room"},
		{ExpenseType: "LODTX", TransactionAmount: tax, Description: "City tax"},
		{ExpenseType: "BRKFT", TransactionAmount: breakfast, Description: "Breakfast at the hotel"},
	}
	for i := range all {
		all[i].TransactionDate = e.TransactionDate
	}
	return all
}

// spending draws a way of spending by its weight.
func (y *year) spending() *spending {
	n := y.rand.IntN(100)
	for i := range spendings {
		if n -= spendings[i].weight; n < 0 {
			return &spendings[i]
		}
	}
	return &spendings[0]
}

// write makes what a draft says. What it writes are copies: it may run again.
func (y *year) write(tx *store.Tx, d *draft, made *Made) error {
	c, by, report := d.claim, actor(d.claim.owner.Person), d.report
	var err error
	if c.report, err = y.Expense.CreateReport(tx, by, &report, api.Direct()); err != nil {
		return err
	}
	made.Reports++
	for i := range d.lines {
		l := &d.lines[i]
		e := l.entry
		e.Report = c.report
		if l.image != nil {
			m := y.Imaging.NewImage(y.Company, c.owner.ID, imaging.Processed)
			if err := imaging.Insert(tx, m, *l.image); err != nil {
				return err
			}
			e.ElectronicReceipt = m.ID
			made.Images++
		}
		if e.ID, err = y.Expense.CreateEntry(tx, by, &e, api.Direct()); err != nil {
			return fmt.Errorf("entry %s: %w", e.ExpenseType, err)
		}
		made.Entries++
		for _, part := range l.parts {
			part.Entry = e.ID
			if _, err := y.Expense.CreateItemization(tx, by, &part, api.Direct()); err != nil {
				return err
			}
			made.Itemizations++
		}
		for _, g := range l.guests {
			if _, err := y.Expense.CreateAssociation(tx, by, &expense.Association{Entry: e.ID, Attendee: g}, api.Direct()); err != nil {
				return err
			}
			made.Associations++
		}
		if len(l.shares) > 0 {
			if err := y.Expense.Allocate(tx, by, e.ID, "", l.shares, api.Direct()); err != nil {
				return err
			}
			made.Allocations += len(l.shares)
		}
		if l.document != "" {
			if _, err := y.Expense.UploadTaxInvoice(tx, by, e.ID, l.document); err != nil {
				return err
			}
			made.Taxes++
		}
	}
	return nil
}
