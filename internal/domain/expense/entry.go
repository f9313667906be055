package expense

import (
	"quittance/internal/domain/imaging"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Entry is an expense of a report.
type Entry struct {
	Seq                    int64
	ID                     string // gW…
	Report                 string
	Company                string
	Owner                  string // user id
	OwnerLogin             string
	Policy                 string         // the report's
	ReportCurrency         value.Currency // the report's
	ExpenseType            string         // code
	PaymentType            string         // id
	PaidBy                 string         // org.PaidBy of the payment type
	TransactionDate        value.Date
	TransactionAmount      value.Money
	TransactionCurrency    value.Currency
	ExchangeRate           value.Rate
	RateUnknown            bool // no rate was given or known: ExchangeRate is 1 for want of a better
	PostedAmount           value.Money
	ApprovedAmount         value.Money // without what is personal
	PersonalAmount         value.Money // the part of PostedAmount that is the owner's own
	IsPersonal             bool
	IsBillable             bool
	HasVAT                 bool
	HasImage               bool
	HasAttendees           bool
	HasItemizations        bool
	HasAppliedCashAdvance  bool
	IsPersonalCardCharge   bool
	IsPaidByExpensePay     bool
	ReceiptReceived        bool
	Exceptions             int64  // how many rows of report_exception stand on it
	AllocationType         string // N, P or F
	Comment                string
	Description            string
	VendorDescription      string
	VendorListItem         string // id
	VendorListItemName     string
	Location               string // id
	TaxReceiptType         string // T, R, N; empty when not said
	ElectronicReceipt      string // id
	TaxInvoice             string // what the validation of its tax invoice came to: see TaxValid; empty without an answer
	CompanyCardTransaction string // id
	EmployeeBankAccount    string // id
	Trip                   string // id
	Journey                value.Opt[Journey]
	OrgUnits               [6]CustomField
	Customs                [40]CustomField
	ModifiedAt             value.Instant

	vendorKey string // VendorDescription in the form in which it is searched

	// amount is TransactionAmount as bodies bring and answers show it: one that a body
	// clears is absent, which no amount says of itself.
	amount value.Opt[value.Money]

	// Not kept: filled for what shows it.
	ExpenseTypeName     string
	PaymentTypeName     string
	SpendCategoryCode   string
	SpendCategoryName   string
	LocationName        string
	LocationCountry     string
	LocationSubdivision string
	FormID              string
	HasComments         bool
	HasExceptions       bool
	IsImageRequired     bool
	URI                 string
}

func (e *Entry) columns(c *store.Columns) {
	c.Seq(&e.Seq)
	c.Key("id", &e.ID)
	c.Text("report_id", &e.Report)
	c.Text("company_id", &e.Company)
	c.Text("owner_id", &e.Owner)
	c.Text("expense_type", &e.ExpenseType)
	c.Text("payment_type_id", &e.PaymentType)
	c.Text("paid_by", &e.PaidBy)
	c.Date("transaction_date", &e.TransactionDate)
	c.Money("transaction_amount", &e.TransactionAmount)
	c.Currency("transaction_currency", &e.TransactionCurrency)
	c.Money("posted_amount", &e.PostedAmount)
	c.Money("approved_amount", &e.ApprovedAmount)
	c.Money("personal_amount", &e.PersonalAmount)
	c.Text("vendor_key", &e.vendorKey)
	c.Bool("billable", &e.IsBillable)
	c.Bool("has_vat", &e.HasVAT)
	c.Bool("has_image", &e.HasImage)
	c.Bool("has_attendees", &e.HasAttendees)
	c.Int("exceptions", &e.Exceptions)
	c.Instant("modified_at", &e.ModifiedAt)
	store.Document(c, "doc", e, (*Entry).document)
}

func (e *Entry) document(f *wire.Fields) {
	f.Text("ownerLogin", &e.OwnerLogin, "", wire.OmitEmpty)
	f.Text("policy", &e.Policy, "", wire.OmitEmpty)
	f.Currency("reportCurrency", &e.ReportCurrency, "", wire.OmitEmpty)
	f.Rate("rate", &e.ExchangeRate, "", wire.OmitEmpty)
	f.Bool("rateUnknown", &e.RateUnknown, "", wire.OmitEmpty)
	f.Bool("personal", &e.IsPersonal, "", wire.OmitEmpty)
	f.Bool("itemized", &e.HasItemizations, "", wire.OmitEmpty)
	f.Bool("cashAdvance", &e.HasAppliedCashAdvance, "", wire.OmitEmpty)
	f.Bool("personalCard", &e.IsPersonalCardCharge, "", wire.OmitEmpty)
	f.Bool("expensePay", &e.IsPaidByExpensePay, "", wire.OmitEmpty)
	f.Bool("receiptReceived", &e.ReceiptReceived, "", wire.OmitEmpty)
	f.Text("allocation", &e.AllocationType, "", wire.OmitEmpty)
	f.Text("comment", &e.Comment, "", wire.OmitEmpty)
	f.Text("description", &e.Description, "", wire.OmitEmpty)
	f.Text("vendor", &e.VendorDescription, "", wire.OmitEmpty)
	f.Text("vendorItem", &e.VendorListItem, "", wire.OmitEmpty)
	f.Text("vendorItemName", &e.VendorListItemName, "", wire.OmitEmpty)
	f.Text("location", &e.Location, "", wire.OmitEmpty)
	f.Text("taxReceipt", &e.TaxReceiptType, "", wire.OmitEmpty)
	f.Text("receipt", &e.ElectronicReceipt, "", wire.OmitEmpty)
	f.Text("taxInvoice", &e.TaxInvoice, "", wire.OmitEmpty)
	f.Text("cardTransaction", &e.CompanyCardTransaction, "", wire.OmitEmpty)
	f.Text("bankAccount", &e.EmployeeBankAccount, "", wire.OmitEmpty)
	f.Text("trip", &e.Trip, "", wire.OmitEmpty)
	wire.Group(f, "journey", &e.Journey, (*Journey).v3, "", wire.OmitEmpty)
	wire.Repeat(f, "o", e.OrgUnits[:], (*CustomField).document, "", wire.OmitEmpty)
	wire.Repeat(f, "c", e.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var entries = store.NewTable("entry", (*Entry).columns)

func (e *Entry) v3(f *wire.Fields) {
	f.Text("AllocationType", &e.AllocationType, "How much of the entry is allocated: N nothing, P a part, F all.", wire.ReadOnly, wire.NotNull, wire.Enum(NotAllocated, PartlyAllocated, FullyAllocated))
	f.Money("ApprovedAmount", &e.ApprovedAmount, "The approved amount, in the report's currency.", wire.ReadOnly)
	f.Text("CompanyCardTransactionID", &e.CompanyCardTransaction, "The transaction of a company card that the entry stands for.", wire.ReadOnly)
	wire.Repeat(f, "Custom", e.Customs[:], (*CustomField).v3, "A custom field, as the company's entry form has it. A plain text is taken as its value; for a list field, as the item's id or code.", wire.ScalarInput("Value"))
	f.Text("Description", &e.Description, "What the expense was for.", wire.Max(64))
	f.Text("ElectronicReceiptID", &e.ElectronicReceipt, "The e-receipt or receipt image that belongs to the entry. That it can be given here is our extension.")
	f.Text("EmployeeBankAccountID", &e.EmployeeBankAccount, "The bank account to which the employee is reimbursed.", wire.ReadOnly)
	f.Rate("ExchangeRate", &e.ExchangeRate, "What the transaction amount is multiplied by to come to the posted amount. Unless given it is the company's rate of the transaction date; 1 when none is known.")
	f.Text("ExpenseTypeCode", &e.ExpenseType, "The expense type, one of the report's policy.", wire.RequiredOnCreate, wire.NotNull)
	f.Text("ExpenseTypeName", &e.ExpenseTypeName, "The name of the expense type.", wire.ReadOnly, wire.NotNull)
	f.Text("FormID", &e.FormID, "The form of the entry.", wire.ReadOnly, wire.NotNull)
	f.Bool("HasAppliedCashAdvance", &e.HasAppliedCashAdvance, "Whether a cash advance is applied to the entry.", wire.ReadOnly)
	f.Bool("HasAttendees", &e.HasAttendees, "Whether the entry has attendees.", wire.ReadOnly)
	f.Bool("HasComments", &e.HasComments, "Whether there is a comment on the entry.", wire.ReadOnly)
	f.Bool("HasExceptions", &e.HasExceptions, "Whether the rules have found anything on the entry.", wire.ReadOnly)
	f.Bool("HasImage", &e.HasImage, "Whether an image is attached to the entry.", wire.ReadOnly)
	f.Bool("HasItemizations", &e.HasItemizations, "Whether the entry is itemized.", wire.ReadOnly)
	f.Bool("HasVAT", &e.HasVAT, "Whether the entry carries value added tax.", wire.ReadOnly)
	f.Text("ID", &e.ID, "The entry's id.", wire.ReadOnly, wire.NotNull)
	f.Bool("IsBillable", &e.IsBillable, "Whether the expense is billable.")
	f.Bool("IsImageRequired", &e.IsImageRequired, "Whether the entry needs an image before the report can be submitted.", wire.ReadOnly)
	f.Bool("IsPaidByExpensePay", &e.IsPaidByExpensePay, "Whether the entry is paid by Expense Pay, known once payment is being processed.", wire.ReadOnly)
	f.Bool("IsPersonal", &e.IsPersonal, "Whether the expense is personal, and therefore not reimbursed.")
	f.Bool("IsPersonalCardCharge", &e.IsPersonalCardCharge, "Whether the entry came from a personal card's feed.", wire.ReadOnly)
	wire.Group(f, "Journey", &e.Journey, (*Journey).v3, "What was driven. Required for the expense types of company and personal car mileage, and not taken for others.")
	f.Instant("LastModified", &e.ModifiedAt, "When the entry was last changed (UTC).", wire.ReadOnly)
	f.Text("LocationCountry", &e.LocationCountry, "The country of the location (ISO 3166-1, two letters).", wire.ReadOnly)
	f.Text("LocationID", &e.Location, "Where the money was spent: the id of a location.")
	f.Text("LocationName", &e.LocationName, "The name of the location.", wire.ReadOnly)
	f.Text("LocationSubdivision", &e.LocationSubdivision, "The country subdivision of the location (ISO 3166-2).", wire.ReadOnly)
	wire.Repeat(f, "OrgUnit", e.OrgUnits[:], (*CustomField).v3, "An organisational unit, as the company's entry form has it.", wire.ScalarInput("Value"))
	f.Text("PaymentTypeID", &e.PaymentType, "How it was paid: a payment type of the owner's expense group, by id or code. Required, except for mileage, which is always cash and takes none.", wire.NotNull)
	f.Text("PaymentTypeName", &e.PaymentTypeName, "The name of the payment type.", wire.ReadOnly, wire.NotNull)
	f.Money("PostedAmount", &e.PostedAmount, "The amount in the report's currency.", wire.ReadOnly)
	f.Bool("ReceiptReceived", &e.ReceiptReceived, "Whether accounting has reviewed the entry's receipt.", wire.ReadOnly)
	f.Text("ReportID", &e.Report, "The report of the entry. An update may name another report of the same owner that is not submitted: the entry moves there.", wire.RequiredOnCreate, wire.NotNull)
	f.Text("ReportOwnerID", &e.OwnerLogin, "The login of the report's owner.", wire.ReadOnly, wire.NotNull)
	f.Text("SpendCategoryCode", &e.SpendCategoryCode, "The spend category of the expense type.", wire.ReadOnly, wire.NotNull)
	f.Text("SpendCategoryName", &e.SpendCategoryName, "The name of the spend category.", wire.ReadOnly, wire.NotNull)
	f.Text("TaxReceiptType", &e.TaxReceiptType, "The receipt: T tax receipt, R regular receipt, N none.", wire.NotNull, wire.Enum("T", "R", "N"))
	wire.Optional(f, "TransactionAmount", &e.amount, "The amount in the transaction currency. Required, except for mileage, which is paid by distance and takes none.", wire.NotNull)
	f.Currency("TransactionCurrencyCode", &e.TransactionCurrency, "The currency that the vendor was paid in (ISO 4217). Required, except for mileage, which is in the report's currency and takes none.", wire.NotNull)
	f.Date("TransactionDate", &e.TransactionDate, "The day of the expense.", wire.RequiredOnCreate)
	f.Text("TripID", &e.Trip, "The trip that the entry belongs to.", wire.ReadOnly)
	f.Text("URI", &e.URI, "The entry's address.", wire.ReadOnly, wire.NotNull)
	f.Text("VendorDescription", &e.VendorDescription, "The name of the vendor.", wire.Max(64))
	f.Text("VendorListItemID", &e.VendorListItem, "The vendor, as an item of a vendor list.")
	f.Text("VendorListItemName", &e.VendorListItemName, "The name of the vendor's list item.", wire.ReadOnly)
	f.Text("Comment", &e.Comment, "A comment on the entry; HasComments tells that there is one.", wire.WriteOnly, wire.Max(500))
}

// fields are the custom fields of the entry; none of no entry.
func (e *Entry) fields() customFields {
	if e == nil {
		return customFields{}
	}
	return customFields{e.OrgUnits[:], e.Customs[:]}
}

// showEntry fills what is not kept, from the configuration alone.
func (s *Service) showEntry(cfg *org.Config, e *Entry) {
	e.amount = value.Some(e.TransactionAmount)
	e.HasComments, e.HasExceptions = e.Comment != "", e.Exceptions > 0
	e.ExpenseTypeName, e.IsImageRequired = e.ExpenseType, receiptRequired(cfg, e)
	e.SpendCategoryCode, e.SpendCategoryName = "", ""
	if t, ok := cfg.ExpenseType(e.Policy, e.ExpenseType); ok {
		e.ExpenseTypeName, e.SpendCategoryCode = t.Name, t.SpendCategory
		if c, ok := cfg.SpendCategory(t.SpendCategory); ok {
			e.SpendCategoryName = c.Name
		}
	}
	e.PaymentTypeName = ""
	if t, ok := cfg.PaymentType(e.PaymentType, ""); ok {
		e.PaymentTypeName = t.Name
	}
	e.LocationName, e.LocationCountry, e.LocationSubdivision = "", "", ""
	if e.Location != "" {
		if l, ok := cfg.Location(e.Location); ok {
			e.LocationName, e.LocationCountry, e.LocationSubdivision = l.Name, l.Country, l.Subdivision
		}
	}
	form := cfg.FormFields(org.EntryForm)
	e.FormID = form.ID
	showCustoms(form, orgUnitNames, e.OrgUnits[:])
	showCustoms(form, customNames, e.Customs[:])
	e.URI = s.url + api.V3.Base[0] + "/expense/entries/" + e.ID
}

// EntryQuery is what entries are searched by. All conditions must hold.
type EntryQuery struct {
	Report       string
	PaymentType  string // id or code
	Batch        string
	IsBillable   value.Opt[bool]
	AttendeeType string // code or id
	HasAttendees value.Opt[bool]
	HasVAT       value.Opt[bool]
	ExpenseType  string
	Attendee     string
}

func (q *EntryQuery) v3(f *wire.Fields) {
	f.Text("reportID", &q.Report, "Entries of this report, of anyone whose reports the caller may read.")
	f.Text("paymentTypeID", &q.PaymentType, "Entries of this payment type, by id or code.")
	f.Text("batchID", &q.Batch, "Entries of reports that are paid with this batch.")
	wire.Optional(f, "isBillable", &q.IsBillable, "Entries that are, or are not, billable.")
	f.Text("attendeeTypeCode", &q.AttendeeType, "Entries that have an attendee of this type, by code or id.")
	wire.Optional(f, "hasAttendees", &q.HasAttendees, "Entries that have, or have no, attendees.")
	wire.Optional(f, "hasVAT", &q.HasVAT, "Entries that carry, or do not carry, value added tax.")
	f.Text("expenseTypeCode", &q.ExpenseType, "Entries of this expense type.")
	f.Text("attendeeID", &q.Attendee, "Entries that this attendee took part in.")
}

// where turns the query into conditions on the table entry.
func (q *EntryQuery) where(cfg *org.Config) store.Predicate {
	var p store.Predicate
	if q.PaymentType != "" {
		p = p.And("payment_type_id = ?", paymentTypeID(cfg, q.PaymentType))
	}
	if q.ExpenseType != "" {
		p = p.And("expense_type = ?", expenseCode(cfg, q.ExpenseType))
	}
	if q.Batch != "" {
		p = p.And("EXISTS (SELECT 1 FROM report r WHERE r.id = entry.report_id AND r.batch_id = ?)", q.Batch)
	}
	if q.AttendeeType != "" {
		p = p.And("EXISTS (SELECT 1 FROM entry_attendee x WHERE x.entry_id = entry.id AND x.attendee_type_id = ?)", attendeeTypeID(cfg, q.AttendeeType))
	}
	if q.Attendee != "" {
		p = p.And("EXISTS (SELECT 1 FROM entry_attendee x WHERE x.entry_id = entry.id AND x.attendee_id = ?)", q.Attendee)
	}
	p = yes(p, q.IsBillable, "billable")
	p = yes(p, q.HasAttendees, "has_attendees")
	return yes(p, q.HasVAT, "has_vat")
}

// index is where the entries of a whole company are found for which the query asks
// something of their attendees or their reports; nil where the table's own indexes are
// in the order of the list.
func (q *EntryQuery) index(cfg *org.Config, company store.Predicate) index {
	switch {
	case q.Attendee != "":
		return inOrder("SELECT entry_seq FROM entry_attendee", company.And("attendee_id = ?", q.Attendee), "entry_seq")
	case q.AttendeeType != "":
		return inOrder("SELECT DISTINCT entry_seq FROM entry_attendee", company.And("attendee_type_id = ?", attendeeTypeID(cfg, q.AttendeeType)), "entry_seq")
	case q.Batch != "":
		return sorted("SELECT e.seq FROM report r JOIN entry e ON e.company_id = r.company_id AND e.report_id = r.id",
			store.Where("r.company_id = ? AND r.batch_id = ? AND r.batch_id <> ''", cfg.Company.ID, q.Batch), "e.seq")
	}
	return nil
}

// FindEntries lists entries in order of creation: the subject's, or those of a report
// that the actor may read.
func (s *Service) FindEntries(tx *store.Tx, a *auth.Actor, q *EntryQuery, page store.Page) (api.Listing[Entry], error) {
	var none api.Listing[Entry]
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	access, where := a.Listed(""), q.where(cfg)
	var places index
	switch {
	case q.Report != "":
		// The report answers who may read; its entries are then one range of an index.
		n, err := reports.Count(tx, visible(a, "report.id"), store.Where("id = ?", q.Report))
		if err != nil || n == 0 {
			return none, err
		}
		access = a.InCompany("").And("report_id = ?", q.Report)
	case a.All:
		places = q.index(cfg, a.InCompany(""))
	}
	var rows []Entry
	var more bool
	if places != nil {
		rows, more, err = along(tx, entries, places, access, where, page)
	} else {
		rows, more, err = entries.List(tx, access, where, page)
	}
	if err != nil {
		return none, err
	}
	for i := range rows {
		s.showEntry(cfg, &rows[i])
	}
	return api.Page(entries, rows, more, page), nil
}

// Entry reads an entry that the actor may see.
func (s *Service) Entry(tx *store.Tx, a *auth.Actor, id string) (*Entry, error) {
	e, err := entries.Get(tx, visible(a, "entry.report_id"), id)
	if err != nil {
		return nil, err
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return nil, err
	}
	s.showEntry(cfg, e)
	return e, nil
}

// CreateEntry adds an entry to a report that is not submitted. What the services do
// not let callers set (trip, card transaction, bank account and the like) is kept as
// e has it.
func (s *Service) CreateEntry(tx *store.Tx, a *auth.Actor, e *Entry, in *api.Input) (string, error) {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return "", err
	}
	h, err := s.headOf(tx, a, e.Report, in)
	if err != nil {
		return "", err
	}
	if err := s.takesEntries(tx, cfg, h); err != nil {
		return "", err
	}
	e.ID = s.entryID(tx.Now())
	e.Company, e.Owner = h.Company, h.Owner
	if e.OwnerLogin, err = s.loginOf(tx, a, h.Owner); err != nil {
		return "", err
	}
	e.AllocationType = NotAllocated
	if err := s.settleEntry(tx, cfg, h, nil, e, in); err != nil {
		return "", err
	}
	receipt := e.ElectronicReceipt
	e.ElectronicReceipt = ""
	if h.Sums, err = h.Sums.plus(sumsOf(e)); err != nil {
		in.Add("TransactionAmount", "range", "makes the report's total larger than can be kept.")
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	change, same, err := s.reviewEntry(tx, cfg, e)
	if err != nil {
		return "", err
	}
	h.Exceptions += change
	e.ModifiedAt = tx.Now()
	if err := entries.Insert(tx, e); err != nil {
		return "", err
	}
	if err := h.gain(tx, e); err != nil {
		return "", err
	}
	if err := tellTwins(tx, e.Company, same, h); err != nil {
		return "", err
	}
	if err := h.adjust(tx); err != nil {
		return "", err
	}
	if receipt != "" {
		if err := s.attachReceipt(tx, a, e, receipt); err != nil {
			return "", err
		}
	}
	return e.ID, nil
}

// entryID is a protected id of which the first letters tell the time, in an order in
// which texts sort: entries that are written together stand together in the index of
// ids, and a commit has fewer pages to write.
func (s *Service) entryID(now value.Instant) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := []byte(s.ids.Protected())
	for i, ms := 8, now/1000; i >= 2; i, ms = i-1, ms/62 {
		id[i] = letters[ms%62]
	}
	return string(id)
}

// headOf reads the report that a body names, for a change and after all changes
// before it; a report out of the actor's reach is a problem of the field ReportID.
func (s *Service) headOf(tx *store.Tx, a *auth.Actor, report string, in *api.Input) (*head, error) {
	if report == "" {
		if in.Has("ReportID") {
			in.Add("ReportID", "required", "is required.")
		}
		return nil, in.Err()
	}
	if err := heads.Lock(tx, report); err != nil {
		return nil, err
	}
	h, err := heads.Get(tx, a.Reached(""), report)
	if errs.Is(err, errs.NotFound) {
		in.Add("ReportID", "unknown", "names no report to which entries can be added: there is none with this id, or it is not yours.")
		return nil, in.Err()
	}
	return h, err
}

// takesEntries refuses new entries where the report is submitted, or where its policy
// keeps new entries out of what was submitted once.
func (s *Service) takesEntries(tx *store.Tx, cfg *org.Config, h *head) error {
	if !editable(h.ApprovalStatus) {
		return errLocked
	}
	if p, ok := cfg.Policy(h.Policy); ok && p.StrictEdits {
		r, err := reports.Get(tx, store.Unrestricted(), h.ID)
		if err != nil {
			return err
		}
		if r.Submissions > 0 {
			return errs.New(errs.Invalid, "strictEdits", "The report was submitted before; its policy takes no new entries then.")
		}
	}
	return nil
}

// loginOf is the login of a report's owner: mostly the caller's own.
func (s *Service) loginOf(tx *store.Tx, a *auth.Actor, owner string) (string, error) {
	switch owner {
	case a.Self.ID:
		return a.Self.Login, nil
	case a.Subject.ID:
		return a.Subject.Login, nil
	}
	p, err := s.org.FindPerson(tx, a.Company, owner)
	return p.Login, err
}

// lockEntry locks the report of an entry, as reports.Lock does: the one that the entry
// is in when the lock is held, since it may have moved meanwhile.
func lockEntry(tx *store.Tx, id string) error {
	if tx.Engine() == store.SQLite {
		return nil
	}
	for locked := ""; ; {
		var report string
		if err := tx.QueryRow("SELECT report_id FROM entry WHERE id = ?", id).Scan(&report); err != nil || report == locked {
			return err
		}
		if err := reports.Lock(tx, report); err != nil {
			return err
		}
		locked = report
	}
}

// entryToChange reads an entry for a change, after all changes of its report before it.
func (s *Service) entryToChange(tx *store.Tx, a *auth.Actor, id string) (*Entry, error) {
	if err := lockEntry(tx, id); err != nil {
		return nil, err
	}
	e, err := entries.Get(tx, a.Reached(""), id)
	if err != nil {
		return nil, toChange(tx, entries, a, "entry.report_id", id, err)
	}
	e.amount = value.Some(e.TransactionAmount)
	return e, nil
}

// UpdateEntry saves what was changed of an entry that was read for a change. With
// another report, the entry moves there with all below it.
func (s *Service) UpdateEntry(tx *store.Tx, a *auth.Actor, old, e *Entry, in *api.Input) error {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	if *e == *old {
		return in.Err()
	}
	from, err := heads.Get(tx, store.Where("company_id = ?", old.Company), old.Report)
	if err != nil {
		return err
	}
	if !editable(from.ApprovalStatus) {
		return errLocked
	}
	to := from
	if e.Report != old.Report {
		if to, err = s.headOf(tx, a, e.Report, in); err != nil {
			return err
		}
		if to.Owner != old.Owner {
			in.Add("ReportID", "owner", "must name a report of the same owner.")
			return in.Err()
		}
		if err := s.takesEntries(tx, cfg, to); err != nil {
			return err
		}
	}
	if err := s.settleEntry(tx, cfg, to, old, e, in); err != nil {
		return err
	}
	if err := in.Err(); err != nil {
		return err
	}
	receipt := e.ElectronicReceipt
	if receipt != old.ElectronicReceipt && old.ElectronicReceipt != "" {
		e.HasImage = false
		if err := s.images.DetachAll(tx, imaging.Entry, e.ID); err != nil {
			return err
		}
	}
	if receipt != old.ElectronicReceipt {
		e.ElectronicReceipt = "" // until it is attached
	}
	if err := s.followAmount(tx, old, e, in); err != nil {
		return err
	}
	from.Sums = from.Sums.minus(sumsOf(old))
	if to.Sums, err = to.Sums.plus(sumsOf(e)); err != nil {
		in.Add("TransactionAmount", "range", "makes the report's total larger than can be kept.")
		return in.Err()
	}
	former, err := formerTwins(tx, old)
	if err != nil {
		return err
	}
	e.Exceptions = old.Exceptions
	_, same, err := s.reviewEntry(tx, cfg, e)
	if err != nil {
		return err
	}
	from.Exceptions -= old.Exceptions
	to.Exceptions += e.Exceptions
	e.ModifiedAt = tx.Now()
	if err := entries.Update(tx, e); err != nil {
		return err
	}
	if !looksLike(old, e) {
		for _, some := range [][]twin{former, same} {
			if err := tellTwins(tx, e.Company, some, from, to); err != nil {
				return err
			}
		}
	}
	if to != from {
		if err := moveChildren(tx, e, to); err != nil {
			return err
		}
		if err := from.lose(tx, old); err != nil {
			return err
		}
		if err := from.adjust(tx); err != nil {
			return err
		}
	}
	if err := to.gain(tx, e); err != nil {
		return err
	}
	if to == from {
		if err := to.lose(tx, old); err != nil {
			return err
		}
	}
	if err := to.adjust(tx); err != nil {
		return err
	}
	if receipt != "" && receipt != old.ElectronicReceipt {
		return s.attachReceipt(tx, a, e, receipt)
	}
	return nil
}

// moveChildren takes what is below an entry to the entry's report. Its exceptions are
// found anew.
func moveChildren(tx *store.Tx, e *Entry, to *head) error {
	for _, table := range [...]string{"itemization", "allocation", "entry_attendee", "digital_tax_invoice"} {
		if _, err := tx.Exec("UPDATE "+table+" SET report_id = ? WHERE entry_id = ?", e.Report, e.ID); err != nil {
			return err
		}
	}
	_, err := tx.Exec("UPDATE entry_attendee SET report_seq = ? WHERE entry_id = ?", to.Seq, e.ID)
	return err
}

// DeleteEntry removes an entry with all below it, and takes its image off.
func (s *Service) DeleteEntry(tx *store.Tx, a *auth.Actor, id string) error {
	e, err := s.entryToChange(tx, a, id)
	if err != nil {
		return err
	}
	h, err := heads.Get(tx, store.Where("company_id = ?", e.Company), e.Report)
	if err != nil {
		return err
	}
	if !editable(h.ApprovalStatus) {
		return errLocked
	}
	former, err := formerTwins(tx, e)
	if err != nil {
		return err
	}
	if err := s.removeEntry(tx, e.ID); err != nil {
		return err
	}
	h.Sums = h.Sums.minus(sumsOf(e))
	h.Exceptions -= e.Exceptions
	if err := tellTwins(tx, e.Company, former, h); err != nil {
		return err
	}
	if err := h.lose(tx, e); err != nil {
		return err
	}
	return h.adjust(tx)
}

// removeEntry deletes an entry and all below it. Its report's sums are the caller's
// business.
func (s *Service) removeEntry(tx *store.Tx, id string) error {
	if err := s.images.DetachAll(tx, imaging.Entry, id); err != nil {
		return err
	}
	for _, table := range [...]string{"itemization", "allocation", "entry_attendee", "digital_tax_invoice", "report_exception"} {
		if _, err := tx.Exec("DELETE FROM "+table+" WHERE entry_id = ?", id); err != nil {
			return err
		}
	}
	return entries.Delete(tx, id)
}

func (s *Service) entryOperations() []api.Operation {
	named := api.Named(api.Names{One: "EntryGet", Many: "EntryCollection", WireOne: "Entry", WireMany: "Entries", Post: "EntryPost", Put: "EntryPut"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: id, Group: "Entries", Summary: summary, Description: more}
	}
	return []api.Operation{
		api.List(api.V3, "/expense/entries", s.FindEntries, (*EntryQuery).v3, (*Entry).v3,
			doc("entries.list", "Lists entries", "In order of creation. Every condition must hold."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Create(api.V3, "/expense/entries", s.CreateEntry, (*Entry).v3,
			doc("entries.create", "Adds an entry to a report", "The report must not be submitted. Its sums follow."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Get(api.V3, "/expense/entries/{id}", s.Entry, (*Entry).v3,
			doc("entries.get", "Reads an entry", "Whoever may read the report may read its entries."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Update(api.V3, "/expense/entries/{id}", s.entryToChange, s.UpdateEntry, (*Entry).v3,
			doc("entries.update", "Changes an entry", "Only what the body names is changed. The entries of a submitted report cannot be changed until it comes back."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Delete(api.V3, "/expense/entries/{id}", s.DeleteEntry,
			doc("entries.delete", "Removes an entry", "With its itemizations, allocations and attendees. A receipt image goes back to the receipt store."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}
