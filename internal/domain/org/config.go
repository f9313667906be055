package org

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/value"
)

// Config is the configuration of one company as rules and services read it: made
// whole from the company's rows, never changed afterwards, shared by all readers.
// What the pointers lead to must not be written.
type Config struct {
	Company         Company
	Groups          []Group            // by name
	PaymentTypes    []PaymentType      // in their order of display
	AttendeeTypes   []AttendeeType     // all, the system's own included
	SpendCategories []SpendCategory    // by code
	Lists           []List             // in order of creation
	policies        map[string]*Policy // by id
	groups          map[string]*Group  // by id
	payments        map[string]*PaymentType
	attendees       map[string]*AttendeeType
	categories      map[string]*SpendCategory
	lists           map[string]*List
	forms           map[FormKind]Form
	rates           map[currencyPair][]datedRate // newest first
	mileage         []MileageRate                // newest first
	places          *places
}

// Company is a tenant.
type Company struct {
	Seq      int64
	ID       string // UUID
	Name     string
	Country  string         // ISO 3166-1 alpha-2
	Currency value.Currency // of the books; exchange rates cross through it
	Ledger   string         // name of the ledger that reports are posted to
	Disabled bool
	Created  value.Instant

	settings int64 // marks the state of the settings; changes with every write to them
	places   int64 // the same for the locations
}

// Group is an expense group configuration: what its users may use.
type Group struct {
	Seq                    int64
	ID                     string
	Company                string
	Name                   string
	AllowDigitalTaxInvoice bool
	AllowPersonalCards     bool // registration of personal cards through an aggregator
	AttendeeForm           string
	AttendeeFormName       string
	CashAdvance            value.Opt[CashAdvance]
	Policies               []*Policy      // the default one first
	PaymentTypes           []*PaymentType // those that an entry may be posted with, the default one first
}

// CashAdvance is a group's cash advance workflow.
type CashAdvance struct {
	Workflow                string // id; empty when there is none
	Name                    string
	AllowCarryBalance       bool
	AllowLinkMultiple       bool
	AllowUpdateExchangeRate bool
}

// Policy is a set of rules for reports.
type Policy struct {
	Seq         int64
	ID          string
	Company     string
	Group       string
	Name        string
	Default     bool
	Inheritable bool
	// AccountingStep asks for an accounting review after the managers.
	AccountingStep bool
	// StrictEdits keeps new entries out of a report that was sent back or recalled
	// (the documented rule; without it everything is editable).
	StrictEdits bool
	// ReceiptRequiredAbove is the amount, in the company's currency, above which an
	// entry needs a receipt; absent: never. An expense type may ask otherwise.
	ReceiptRequiredAbove value.Opt[value.Money]
	Approvals            []ApprovalLevel      // lowest amount first; the direct manager is not listed
	CostObjects          []CostObjectApproval // in the order in which they are asked
	Types                []*ExpenseType       // in order of name, with this policy's limits

	byCode map[string]*ExpenseType
}

// ApprovalLevel asks for one more manager when a report's claimed total, in the
// company's currency, is above an amount.
type ApprovalLevel struct {
	Level int64 // 2 is the manager's manager
	Above value.Money
}

// CostObjectApproval asks one person more when what is claimed for a cost object is
// above an amount.
type CostObjectApproval struct {
	Field    string      // OrgUnit1…6 or Custom1…20: whose value is the cost object
	Value    string      // the cost object: a list item's code, or a plain text; compared without case
	Above    value.Money // asks when what is claimed for it is above this, in the company's currency
	Approver string      // user id; the person may have left since

	key string
}

// Names reports whether a field's value (of a list field: the item's code) is this cost
// object.
func (a *CostObjectApproval) Names(field, text string) bool {
	return a.Field == field && a.key == fold(text)
}

// ExpenseType is a kind of expense as one policy has it.
type ExpenseType struct {
	ID            string
	Code          string // LODNG; unique in the company, compared without case
	Name          string
	ExpenseCode   string // what it does: OTHER, COCARMILE, PCARMILE, MFUEL, LODGING, MEALS, OTHERNP, JPYPTRAN
	SpendCategory string // code
	AccountCode   string
	HasVAT        bool // entries of this type carry value added tax
	// ReceiptRequiredAbove overrules the policy's amount.
	ReceiptRequiredAbove value.Opt[value.Money]
	// Limit is the most that one entry may cost without a warning, in the company's currency.
	Limit value.Opt[value.Money]
	// LimitBlocks keeps a report with an entry above the limit from being submitted.
	LimitBlocks bool
	// AttendeesRequired keeps a report with an entry without attendees from being submitted.
	AttendeesRequired bool
}

// The expense codes that rules ask for.
const (
	CompanyCarMileage  = "COCARMILE"
	PersonalCarMileage = "PCARMILE"
)

// Mileage reports whether entries of the type carry a journey.
func (t *ExpenseType) Mileage() bool {
	return t.ExpenseCode == CompanyCarMileage || t.ExpenseCode == PersonalCarMileage
}

// PaidBy says who advanced the money of an entry.
type PaidBy string

// Who pays.
const (
	PaidByEmployee    PaidBy = "EMPLOYEE" // owed to the employee
	PaidByCompany     PaidBy = "COMPANY"  // owed to nobody
	PaidByCompanyCard PaidBy = "CARD"     // owed to the card's issuer, billed to the company
)

// PaymentType is a way of paying.
type PaymentType struct {
	Seq      int64
	ID       string
	Company  string
	Code     string // CASHX, CPAID, PENDC …
	Name     string
	PaidBy   PaidBy
	Default  bool
	Position int64
}

// AttendeeType is a kind of attendee.
type AttendeeType struct {
	Seq                   int64
	ID                    string
	Company               string
	Code                  string
	Name                  string
	System                bool // NOSHOWS, UNDEF, SYSEMP: never listed, never changed
	Private               bool // attendees of this type belong to the user who made them
	AllowCountEditing     bool
	AllowManualAttendees  bool
	Form                  string
	Connector             string
	DuplicateSearchFields []string

	nameKey, searchFields string
	uri                   string // not kept: filled for what shows it
}

// SpendCategory groups expense types for reporting.
type SpendCategory struct {
	Seq     int64
	ID      string
	Company string
	Code    string
	Name    string
}

// List is a list of values for custom fields.
type List struct {
	Seq               int64
	ID                string
	Company           string
	Name              string
	DisplayCodeFirst  bool
	VendorList        bool
	SearchCriteria    string // CODE or TEXT
	Connector         string
	ExternalThreshold int64 // the level from which on the connector has the items

	nameKey string
	uri     string // not kept: filled for what shows it
}

// FormKind is what a form is filled in for.
type FormKind string

// The forms.
const (
	ReportForm      FormKind = "REPORT"
	EntryForm       FormKind = "ENTRY"
	ItemizationForm FormKind = "ITEMIZATION"
	AllocationForm  FormKind = "ALLOCATION"
	AttendeeForm    FormKind = "ATTENDEE"
)

// Form lists the custom fields of a record.
type Form struct {
	ID     string
	Kind   FormKind
	Name   string
	Fields []FormField // in order of display
	byName map[string]*FormField
}

// Field finds a field by its name ("Custom1", "OrgUnit2"); nil when the form has none of it.
func (f Form) Field(name string) *FormField { return f.byName[name] }

// FormField says what a custom field is.
type FormField struct {
	Name      string // Custom1, OrgUnit1
	Type      FieldType
	Label     string
	List      string // id of the list of a List or ConnectedList field
	Parent    string // of a ConnectedList field: the name of the field one level up
	Required  bool
	MaxLength int64
}

// FieldType is the type of a custom field, in the words of the services.
type FieldType string

// The types of custom fields.
const (
	TextField FieldType = "Text"
	ListField FieldType = "List"
	// ConnectedListField takes the items right below the one that is chosen in the
	// field's Parent.
	ConnectedListField FieldType = "ConnectedList"
	AmountField        FieldType = "Amount"
	BooleanField       FieldType = "Boolean"
	DateField          FieldType = "Date"
	NumberField        FieldType = "Number"
)

// MileageRate is what a unit of distance is worth from a day on.
type MileageRate struct {
	ExpenseCode string // PCARMILE or COCARMILE
	From        value.Date
	Unit        string // M miles, K kilometers
	Currency    value.Currency
	PerUnit     value.Decimal
}

// Location is a place that entries and requests name.
type Location struct {
	Seq                  int64
	ID                   string
	Company              string
	Name                 string // Seattle, Washington
	City                 string
	Country              string // ISO 3166-1 alpha-2
	Subdivision          string // ISO 3166-2: US-WA
	AdministrativeRegion string
	IATA                 string
	Airport              bool
	BookingTool          bool
	Latitude             value.Decimal
	Longitude            value.Decimal

	nameKey, cityKey, regionKey string

	uri string // not kept: filled for what shows it
}

type currencyPair struct{ from, to value.Currency }

type datedRate struct {
	on   value.Date
	rate value.Rate
}

// places are the locations, loaded apart since they are many and seldom change.
type places struct {
	version int64
	all     []Location // in order of creation
	byID    map[string]*Location
}

// Policy finds a policy by id.
func (c *Config) Policy(id string) (*Policy, bool) { p, ok := c.policies[id]; return p, ok }

// Group finds an expense group by id.
func (c *Config) Group(id string) (*Group, bool) { g, ok := c.groups[id]; return g, ok }

// GroupOf is the expense group of a person, the company's first one when the person
// has none.
func (c *Config) GroupOf(p auth.Person) (*Group, bool) {
	if g, ok := c.groups[p.Group]; ok {
		return g, true
	}
	if len(c.Groups) == 0 {
		return nil, false
	}
	return &c.Groups[0], true
}

// DefaultPolicy is the policy that a person's new reports get.
func (c *Config) DefaultPolicy(p auth.Person) (*Policy, bool) {
	g, ok := c.GroupOf(p)
	if !ok || len(g.Policies) == 0 {
		return nil, false
	}
	return g.Policies[0], true
}

// ExpenseType finds a type of a policy by code, in either case, or by id.
func (c *Config) ExpenseType(policy, code string) (*ExpenseType, bool) {
	p, ok := c.policies[policy]
	if !ok {
		return nil, false
	}
	return p.ExpenseType(code)
}

// ExpenseType finds a type by code, in either case, or by id.
func (p *Policy) ExpenseType(code string) (*ExpenseType, bool) {
	t, ok := p.byCode[code]
	if !ok {
		t, ok = p.byCode[strings.ToUpper(code)]
	}
	return t, ok
}

// PaymentType finds a payment type by id or by code among those of a group; an empty
// group means all of the company's.
func (c *Config) PaymentType(idOrCode, group string) (*PaymentType, bool) {
	t, ok := c.payments[idOrCode]
	if !ok {
		t, ok = c.payments[strings.ToUpper(idOrCode)]
	}
	if !ok || group == "" {
		return t, ok
	}
	g, ok := c.groups[group]
	if !ok || !slices.Contains(g.PaymentTypes, t) {
		return nil, false
	}
	return t, true
}

// AttendeeType finds an attendee type by id or code.
func (c *Config) AttendeeType(idOrCode string) (*AttendeeType, bool) {
	t, ok := c.attendees[idOrCode]
	if !ok {
		t, ok = c.attendees[strings.ToUpper(idOrCode)]
	}
	return t, ok
}

// SpendCategory finds a category by code.
func (c *Config) SpendCategory(code string) (*SpendCategory, bool) {
	s, ok := c.categories[code]
	return s, ok
}

// List finds a list by id.
func (c *Config) List(id string) (*List, bool) { l, ok := c.lists[id]; return l, ok }

// Location finds a location by id.
func (c *Config) Location(id string) (*Location, bool) { l, ok := c.places.byID[id]; return l, ok }

// Locations lists every location, in order of creation.
func (c *Config) Locations() []Location { return c.places.all }

// FormFields is the form of a kind of record; without fields when none is configured.
func (c *Config) FormFields(kind FormKind) Form { return c.forms[kind] }

// Rate is what one unit of a currency was worth in another on a day: the latest rate
// at or before it, the inverse of the opposite rate, or the cross rate through the
// company's currency. It is false when none is known.
func (c *Config) Rate(from, to value.Currency, on value.Date) (value.Rate, bool) {
	if from == to {
		return value.RateOne, true
	}
	if r, ok := c.direct(from, to, on); ok {
		return r.rounded()
	}
	home := c.Company.Currency
	if from == home || to == home {
		return 0, false
	}
	first, ok := c.direct(from, home, on)
	if !ok {
		return 0, false
	}
	second, ok := c.direct(home, to, on)
	if !ok {
		return 0, false
	}
	return first.times(second).rounded()
}

// direct is the rate of a pair or the inverse of the opposite pair's, whichever is
// the later one.
func (c *Config) direct(from, to value.Currency, on value.Date) (fraction, bool) {
	forth, okForth := at(c.rates[currencyPair{from, to}], on)
	back, okBack := at(c.rates[currencyPair{to, from}], on)
	switch {
	case okForth && (!okBack || forth.on >= back.on):
		return fraction{big.NewInt(int64(forth.rate)), big.NewInt(int64(value.RateOne))}, true
	case okBack:
		return fraction{big.NewInt(int64(value.RateOne)), big.NewInt(int64(back.rate))}, true
	}
	return fraction{}, false
}

// fraction keeps an inverse or a cross rate exact until it is rounded once.
type fraction struct{ num, den *big.Int }

func (f fraction) times(g fraction) fraction {
	return fraction{new(big.Int).Mul(f.num, g.num), new(big.Int).Mul(f.den, g.den)}
}

// rounded is the fraction in 10⁻¹², half up; false when it is nothing or does not fit.
func (f fraction) rounded() (value.Rate, bool) {
	n := new(big.Int).Mul(f.num, big.NewInt(int64(value.RateOne)))
	n.Add(n, new(big.Int).Rsh(f.den, 1)).Quo(n, f.den)
	if !n.IsInt64() || n.Sign() <= 0 {
		return 0, false
	}
	return value.Rate(n.Int64()), true
}

// at finds the latest rate at or before a day.
func at(rates []datedRate, on value.Date) (datedRate, bool) {
	i, _ := slices.BinarySearchFunc(rates, on, func(r datedRate, on value.Date) int { return cmp.Compare(on, r.on) })
	if i == len(rates) {
		return datedRate{}, false
	}
	return rates[i], true
}

// MileageRate is the rate of a mileage type (an expense code) on a day.
func (c *Config) MileageRate(on value.Date, expenseCode string) (MileageRate, bool) {
	for _, r := range c.mileage {
		if r.ExpenseCode == expenseCode && r.From <= on {
			return r, true
		}
	}
	return MileageRate{}, false
}
