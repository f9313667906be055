package expense

import (
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Journey is what a mileage entry was driven. Distances are whole units of
// UnitOfMeasure; absent ones were not given.
type Journey struct {
	BusinessDistance   value.Opt[int64]
	EndLocation        string
	NumberOfPassengers value.Opt[int64]
	OdometerEnd        value.Opt[int64]
	OdometerStart      value.Opt[int64]
	PersonalDistance   value.Opt[int64]
	StartLocation      string
	UnitOfMeasure      string // M miles, K kilometers
	VehicleID          string
}

func (j *Journey) v3(f *wire.Fields) {
	wire.Optional(f, "BusinessDistance", &j.BusinessDistance, "The distance driven on business. Required for a personal car, and for a company car without PersonalDistance.")
	f.Text("EndLocation", &j.EndLocation, "Where the journey ended.", wire.Max(100))
	wire.Optional(f, "NumberOfPassengers", &j.NumberOfPassengers, "How many people were in the vehicle. Used with variable rates and with cars.")
	wire.Optional(f, "OdometerEnd", &j.OdometerEnd, "The odometer at the end of the journey; above OdometerStart.")
	wire.Optional(f, "OdometerStart", &j.OdometerStart, "The odometer at the start of the journey.")
	wire.Optional(f, "PersonalDistance", &j.PersonalDistance, "The distance driven on private errands with a company car. Together with BusinessDistance it is what the odometer tells.")
	f.Text("StartLocation", &j.StartLocation, "Where the journey started.", wire.Max(100))
	f.Text("UnitOfMeasure", &j.UnitOfMeasure, "The unit of distances and odometer: M miles, K kilometers.", wire.Enum("M", "K"))
	f.Text("VehicleID", &j.VehicleID, "The vehicle. Used with company cars only.")
}

// The limits of a journey's numbers: the services keep them in 32 bits.
const maxDistance = 1<<31 - 1

// How far a mile is in kilometers, and a kilometer in miles.
const (
	kilometersPerMile value.Decimal = 160_934_400
	milesPerKilometer value.Decimal = 62_137_119
)

// settleMileage checks what a mileage entry must have and must not have, and pays it
// by its distance (expense.md §3).
func settleMileage(cfg *org.Config, h *head, t *org.ExpenseType, old, e *Entry, in *api.Input) {
	refuse := func(name string, given bool) {
		if given && in.Has(name) {
			in.Addf(name, "notAllowed", "is not taken with the mileage type %s: it follows from the journey.", t.Code)
		}
	}
	refuse("TransactionAmount", e.amount.Valid && e.amount.V != 0)
	refuse("TransactionCurrencyCode", e.TransactionCurrency != "")
	stands := old != nil && old.PaymentType != "" && paymentTypeID(cfg, e.PaymentType) == old.PaymentType // said by its code
	refuse("PaymentTypeID", e.PaymentType != "" && !stands)
	if e.HasItemizations {
		in.Add("ExpenseTypeCode", "itemized", "cannot be a mileage type while the entry is itemized.")
	}
	if !e.Journey.Valid {
		in.Addf("Journey", "required", "is required with the mileage type %s.", t.Code)
		return
	}
	j := &e.Journey.V
	problems := len(in.Fields())
	j.check(t, in)
	cash, ok := cashOf(cfg, h.Group)
	if !ok {
		in.Add("ExpenseTypeCode", "configuration", "cannot be used: the owner's expense group has no payment type for cash.")
	}
	rate, ok := cfg.MileageRate(e.TransactionDate, t.ExpenseCode)
	if !ok && e.TransactionDate != 0 {
		in.Add("ExpenseTypeCode", "configuration", "cannot be used: the company has no mileage rate for the transaction date.")
	}
	if len(in.Fields()) > problems || e.TransactionDate == 0 {
		return
	}
	amount, unknown, err := j.pay(cfg, rate, h.Currency, e.TransactionDate)
	if err != nil {
		in.Add("Journey.BusinessDistance", "range", "comes to an amount that is too large.")
		return
	}
	e.TransactionAmount, e.TransactionCurrency, e.ExchangeRate, e.RateUnknown = amount, h.Currency, value.RateOne, unknown
	e.amount = value.Some(amount)
	e.PaymentType, e.PaidBy = cash.ID, string(cash.PaidBy)
}

// cashOf is the payment type of a group for what employees pay in cash.
func cashOf(cfg *org.Config, group string) (*org.PaymentType, bool) {
	if t, ok := cfg.PaymentType("CASHX", group); ok {
		return t, true
	}
	if g, ok := cfg.Group(group); ok {
		for _, t := range g.PaymentTypes {
			if t.PaidBy == org.PaidByEmployee {
				return t, true
			}
		}
	}
	return nil, false
}

// check notes what is wrong with a journey of a mileage type.
func (j *Journey) check(t *org.ExpenseType, in *api.Input) {
	required := func(name, text string) {
		if text == "" {
			in.Add("Journey."+name, "required", "is required.")
		}
	}
	required("StartLocation", j.StartLocation)
	required("EndLocation", j.EndLocation)
	required("UnitOfMeasure", j.UnitOfMeasure)
	number := func(name string, n value.Opt[int64], least int64) {
		if n.Valid && (n.V < least || n.V > maxDistance) {
			in.Addf("Journey."+name, "range", "must be a whole number from %d to %d.", least, maxDistance)
		}
	}
	number("BusinessDistance", j.BusinessDistance, 0)
	number("PersonalDistance", j.PersonalDistance, 1)
	number("OdometerStart", j.OdometerStart, 0)
	number("OdometerEnd", j.OdometerEnd, 0)
	number("NumberOfPassengers", j.NumberOfPassengers, 0)
	business := j.BusinessDistance.Valid && j.BusinessDistance.V > 0
	switch {
	case t.ExpenseCode == org.PersonalCarMileage && !business:
		in.Add("Journey.BusinessDistance", "required", "is required for a personal car.")
	case !business && !j.PersonalDistance.Valid:
		in.Add("Journey.BusinessDistance", "required", "or PersonalDistance is required for a company car.")
	}
	if t.ExpenseCode == org.PersonalCarMileage && j.VehicleID != "" {
		in.Add("Journey.VehicleID", "notAllowed", "is for company cars only.")
	}
	switch {
	case j.OdometerStart.Valid != j.OdometerEnd.Valid:
		in.Add("Journey.OdometerEnd", "odometer", "and OdometerStart belong together; give both or neither.")
	case !j.OdometerEnd.Valid:
	case j.OdometerEnd.V <= j.OdometerStart.V:
		in.Add("Journey.OdometerEnd", "odometer", "must be above OdometerStart.")
	case j.BusinessDistance.Or(0)+j.PersonalDistance.Or(0) != j.OdometerEnd.V-j.OdometerStart.V:
		in.Add("Journey.OdometerEnd", "odometer", "less OdometerStart must be BusinessDistance and PersonalDistance together.")
	}
}

// pay is what the business part of a journey is worth in a currency; unknown says
// that the company has no exchange rate for it.
func (j *Journey) pay(cfg *org.Config, rate org.MileageRate, currency value.Currency, on value.Date) (amount value.Money, unknown bool, err error) {
	distance := value.Money(j.BusinessDistance.Or(0)) * value.MoneyUnit
	switch {
	case j.UnitOfMeasure == rate.Unit:
	case rate.Unit == "K":
		distance, err = distance.Times(kilometersPerMile, 4)
	default:
		distance, err = distance.Times(milesPerKilometer, 4)
	}
	if err != nil {
		return 0, false, err
	}
	if rate.Currency == currency {
		amount, err = distance.Times(rate.PerUnit, currency.Digits())
		return amount, false, err
	}
	if amount, err = distance.Times(rate.PerUnit, 4); err != nil {
		return 0, false, err
	}
	exchange, unknown := rateOf(cfg, rate.Currency, currency, on)
	amount, err = amount.Convert(exchange, currency.Digits())
	return amount, unknown, err
}
