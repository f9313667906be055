package expense

import (
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Itemization is a part of an entry. The currency and the rate are the entry's; the
// parts of an entry only split it: personal, billable, type (decisions.md 19).
type Itemization struct {
	Seq               int64
	ID                string // gW…
	Entry             string
	Report            string
	Company           string
	Owner             string // user id
	OwnerLogin        string
	ExpenseType       string // code
	TransactionDate   value.Date
	TransactionAmount value.Money
	PostedAmount      value.Money
	ApprovedAmount    value.Money
	IsPersonal        bool
	IsBillable        bool
	Exceptions        int64 // how many rows of report_exception stand on it
	AllocationType    string
	Comment           string
	Description       string
	Location          string // id; empty: the entry's
	OrgUnits          [6]CustomField
	Customs           [40]CustomField
	ModifiedAt        value.Instant

	amount value.Opt[value.Money] // TransactionAmount as bodies bring and answers show it

	// Not kept: filled for what shows it.
	ExpenseTypeName     string
	SpendCategoryCode   string
	SpendCategoryName   string
	LocationID          string
	LocationName        string
	LocationCountry     string
	LocationSubdivision string
	HasComments         bool
	HasExceptions       bool
	IsImageRequired     bool
	URI                 string
}

func (i *Itemization) columns(c *store.Columns) {
	c.Seq(&i.Seq)
	c.Key("id", &i.ID)
	c.Text("entry_id", &i.Entry)
	c.Text("report_id", &i.Report)
	c.Text("company_id", &i.Company)
	c.Text("owner_id", &i.Owner)
	c.Text("expense_type", &i.ExpenseType)
	c.Date("transaction_date", &i.TransactionDate)
	c.Money("transaction_amount", &i.TransactionAmount)
	c.Money("posted_amount", &i.PostedAmount)
	c.Money("approved_amount", &i.ApprovedAmount)
	c.Bool("personal", &i.IsPersonal)
	c.Bool("billable", &i.IsBillable)
	c.Int("exceptions", &i.Exceptions)
	c.Instant("modified_at", &i.ModifiedAt)
	store.Document(c, "doc", i, (*Itemization).document)
}

func (i *Itemization) document(f *wire.Fields) {
	f.Text("ownerLogin", &i.OwnerLogin, "", wire.OmitEmpty)
	f.Text("allocation", &i.AllocationType, "", wire.OmitEmpty)
	f.Text("comment", &i.Comment, "", wire.OmitEmpty)
	f.Text("description", &i.Description, "", wire.OmitEmpty)
	f.Text("location", &i.Location, "", wire.OmitEmpty)
	wire.Repeat(f, "o", i.OrgUnits[:], (*CustomField).document, "", wire.OmitEmpty)
	wire.Repeat(f, "c", i.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var itemizations = store.NewTable("itemization", (*Itemization).columns)

const (
	// maxItemizations is how many parts an entry may have: all of them are looked at
	// when one changes.
	maxItemizations = 500
	// maxItemizationCustom is how long the value of an itemization's custom field is.
	maxItemizationCustom = 64
)

func (i *Itemization) v3(f *wire.Fields) {
	custom := customUpTo(maxItemizationCustom)
	f.Text("AllocationType", &i.AllocationType, "How much of the itemization is allocated: N nothing, P a part, F all.", wire.ReadOnly, wire.NotNull, wire.Enum(NotAllocated, PartlyAllocated, FullyAllocated))
	f.Money("ApprovedAmount", &i.ApprovedAmount, "The approved amount, in the report's currency.", wire.ReadOnly)
	wire.Repeat(f, "Custom", i.Customs[:], custom, "A custom field, as the company's itemization form has it. A plain text is taken as its value; for a list field, as the item's id or code.", wire.ScalarInput("Value"))
	f.Text("Description", &i.Description, "What the expense was for.", wire.Max(64))
	f.Text("EntryID", &i.Entry, "The entry that the itemization is a part of. An update may name another entry of the same owner in a report that is not submitted: the itemization moves there.", wire.RequiredOnCreate, wire.NotNull)
	f.Text("ExpenseTypeCode", &i.ExpenseType, "The expense type, one of the report's policy.", wire.RequiredOnCreate, wire.NotNull)
	f.Text("ExpenseTypeName", &i.ExpenseTypeName, "The name of the expense type.", wire.ReadOnly, wire.NotNull)
	f.Bool("HasComments", &i.HasComments, "Whether there is a comment on the itemization.", wire.ReadOnly)
	f.Bool("HasExceptions", &i.HasExceptions, "Whether the rules have found anything on the itemization.", wire.ReadOnly)
	f.Text("ID", &i.ID, "The itemization's id.", wire.ReadOnly, wire.NotNull)
	f.Bool("IsBillable", &i.IsBillable, "Whether the itemization is billable.")
	f.Bool("IsImageRequired", &i.IsImageRequired, "Whether the entry needs an image before the report can be submitted.", wire.ReadOnly)
	f.Bool("IsPersonal", &i.IsPersonal, "Whether the itemization is personal, and therefore not reimbursed.")
	f.Instant("LastModified", &i.ModifiedAt, "When the itemization was last changed (UTC).", wire.ReadOnly)
	f.Text("LocationCountry", &i.LocationCountry, "The country of the location (ISO 3166-1, two letters).", wire.ReadOnly)
	f.Text("LocationID", &i.LocationID, "Where the money was spent: the entry's location.", wire.ReadOnly)
	f.Text("LocationName", &i.LocationName, "The name of the location.", wire.ReadOnly)
	f.Text("LocationSubdivision", &i.LocationSubdivision, "The country subdivision of the location (ISO 3166-2).", wire.ReadOnly)
	wire.Repeat(f, "OrgUnit", i.OrgUnits[:], custom, "An organisational unit, as the company's itemization form has it.", wire.ScalarInput("Value"))
	f.Money("PostedAmount", &i.PostedAmount, "The amount in the report's currency, at the entry's rate.", wire.ReadOnly)
	f.Text("ReportID", &i.Report, "The report of the entry.", wire.ReadOnly, wire.NotNull)
	f.Text("ReportOwnerID", &i.OwnerLogin, "The login of the report's owner.", wire.ReadOnly, wire.NotNull)
	f.Text("SpendCategoryCode", &i.SpendCategoryCode, "The spend category of the expense type.", wire.ReadOnly, wire.NotNull)
	f.Text("SpendCategoryName", &i.SpendCategoryName, "The name of the spend category.", wire.ReadOnly, wire.NotNull)
	wire.Optional(f, "TransactionAmount", &i.amount, "The amount in the entry's transaction currency. Itemizations together come to the entry's amount at most.", wire.RequiredOnCreate, wire.NotNull)
	f.Date("TransactionDate", &i.TransactionDate, "The day of the good or service.", wire.RequiredOnCreate)
	f.Text("URI", &i.URI, "The itemization's address.", wire.ReadOnly, wire.NotNull)
	f.Text("Comment", &i.Comment, "A comment on the itemization; HasComments tells that there is one.", wire.WriteOnly, wire.Max(500))
}

// showItemization fills what is not kept, from the configuration and the entry.
func (s *Service) showItemization(cfg *org.Config, e *Entry, i *Itemization) {
	i.amount = value.Some(i.TransactionAmount)
	i.HasComments, i.HasExceptions = i.Comment != "", i.Exceptions > 0
	i.IsImageRequired = receiptRequired(cfg, e)
	i.ExpenseTypeName, i.SpendCategoryCode, i.SpendCategoryName = i.ExpenseType, "", ""
	if t, ok := cfg.ExpenseType(e.Policy, i.ExpenseType); ok {
		i.ExpenseTypeName, i.SpendCategoryCode = t.Name, t.SpendCategory
		if c, ok := cfg.SpendCategory(t.SpendCategory); ok {
			i.SpendCategoryName = c.Name
		}
	}
	i.LocationID = anyOf(i.Location, e.Location)
	if l, ok := cfg.Location(i.LocationID); ok {
		i.LocationName, i.LocationCountry, i.LocationSubdivision = l.Name, l.Country, l.Subdivision
	}
	form := cfg.FormFields(org.ItemizationForm)
	showCustoms(form, orgUnitNames, i.OrgUnits[:])
	showCustoms(form, customNames, i.Customs[:])
	i.URI = s.url + api.V3.Base[0] + "/expense/itemizations/" + i.ID
}

// showItemizations reads the entries of itemizations, all together, and fills in what
// is not kept.
func (s *Service) showItemizations(tx *store.Tx, company string, list []Itemization) error {
	if len(list) == 0 {
		return nil
	}
	cfg, err := s.org.Config(tx, company)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for i := range list {
		ids[list[i].Entry] = true
	}
	parents, err := entriesByID(tx, company, ids)
	if err != nil {
		return err
	}
	for i := range list {
		if e := parents[list[i].Entry]; e != nil {
			s.showItemization(cfg, e, &list[i])
		}
	}
	return nil
}

// entriesByID reads entries of a company.
func entriesByID(tx *store.Tx, company string, ids map[string]bool) (map[string]*Entry, error) {
	some := make([]string, 0, len(ids))
	for id := range ids {
		some = append(some, id)
	}
	rows, err := entries.All(tx, store.Where("company_id = ?", company), store.In("id", some...), "", store.MaxLimit)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*Entry, len(rows))
	for i := range rows {
		found[rows[i].ID] = &rows[i]
	}
	return found, nil
}

// ItemizationQuery is what itemizations are searched by. All conditions must hold.
type ItemizationQuery struct {
	Report      string
	Entry       string
	ExpenseType string
}

func (q *ItemizationQuery) v3(f *wire.Fields) {
	f.Text("reportID", &q.Report, "Itemizations of this report, of anyone whose reports the caller may read.")
	f.Text("entryID", &q.Entry, "Itemizations of this entry, of anyone whose reports the caller may read.")
	f.Text("expenseTypeCode", &q.ExpenseType, "Itemizations of this expense type.")
}

// below is the condition on what is below entries: of one entry or of one report that
// the actor may read, or else of the subject. It is false when nothing can hold.
func below(tx *store.Tx, a *auth.Actor, report, entry string) (store.Predicate, bool, error) {
	switch {
	case entry != "":
		e, err := entries.Get(tx, visible(a, "entry.report_id"), entry)
		if errs.Is(err, errs.NotFound) || err == nil && report != "" && e.Report != report {
			return store.Predicate{}, false, nil
		}
		return store.Where("entry_id = ?", entry), true, err
	case report != "":
		n, err := reports.Count(tx, visible(a, "report.id"), store.Where("id = ?", report))
		return a.InCompany("").And("report_id = ?", report), n > 0, err
	}
	return a.Listed(""), true, nil
}

// where turns the expense type into the condition on the column, in the spelling of
// the configuration.
func (q *ItemizationQuery) where(cfg *org.Config) store.Predicate {
	if q.ExpenseType == "" {
		return store.Predicate{}
	}
	code := upper(q.ExpenseType)
	for _, g := range cfg.Groups {
		for _, p := range g.Policies {
			if t, ok := p.ExpenseType(q.ExpenseType); ok {
				code = t.Code
			}
		}
	}
	return store.Where("expense_type = ?", code)
}

// FindItemizations lists itemizations in order of creation.
func (s *Service) FindItemizations(tx *store.Tx, a *auth.Actor, q *ItemizationQuery, page store.Page) (api.Listing[Itemization], error) {
	var none api.Listing[Itemization]
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	access, some, err := below(tx, a, q.Report, q.Entry)
	if err != nil || !some {
		return none, err
	}
	rows, more, err := itemizations.List(tx, access, q.where(cfg), page)
	if err != nil {
		return none, err
	}
	return api.Page(itemizations, rows, more, page), s.showItemizations(tx, a.Company, rows)
}

// Itemization reads an itemization that the actor may see.
func (s *Service) Itemization(tx *store.Tx, a *auth.Actor, id string) (*Itemization, error) {
	i, err := itemizations.Get(tx, visible(a, "itemization.report_id"), id)
	if err != nil {
		return nil, err
	}
	one := []Itemization{*i}
	return &one[0], s.showItemizations(tx, a.Company, one)
}

// parent is an entry that is read for a change of what is below it, with its report.
type parent struct {
	entry *Entry
	head  *head
}

// parentNamed reads the entry that a body names as EntryID, after all changes of its
// report before. One out of the actor's reach is a problem of that field.
func (s *Service) parentNamed(tx *store.Tx, a *auth.Actor, id string, in *api.Input) (*parent, error) {
	if id == "" {
		if in.Has("EntryID") {
			in.Add("EntryID", "required", "is required.")
		}
		return nil, in.Err()
	}
	err := lockEntry(tx, id)
	var p *parent
	if err == nil {
		p, err = parentOf(tx, a.Reached(""), id)
	}
	if errs.Is(err, errs.NotFound) {
		in.Add("EntryID", "unknown", "names no entry that can be changed: there is none with this id, or it is not yours.")
		return nil, in.Err()
	}
	return p, err
}

// parentOf reads an entry and its report, which must not be submitted.
func parentOf(tx *store.Tx, access store.Predicate, id string) (*parent, error) {
	e, err := entries.Get(tx, access, id)
	if err != nil {
		return nil, err
	}
	h, err := heads.Get(tx, store.Where("company_id = ?", e.Company), e.Report)
	if err != nil {
		return nil, err
	}
	if !editable(h.ApprovalStatus) {
		return nil, errLocked
	}
	return &parent{e, h}, nil
}

// lockParent locks the report of what stands below an entry in a table, as lockEntry does.
func lockParent(tx *store.Tx, table, id string) error {
	if tx.Engine() == store.SQLite {
		return nil
	}
	for locked := ""; ; {
		var entry string
		if err := tx.QueryRow("SELECT entry_id FROM "+table+" WHERE id = ?", id).Scan(&entry); err != nil || entry == locked {
			return err
		}
		if err := lockEntry(tx, entry); err != nil {
			return err
		}
		locked = entry
	}
}

// partsOf reads the itemizations of an entry.
func partsOf(tx *store.Tx, entry string) ([]Itemization, error) {
	return itemizations.All(tx, store.Where("entry_id = ?", entry), store.Predicate{}, "", store.MaxLimit)
}

// CreateItemization adds a part to an entry of a report that is not submitted.
func (s *Service) CreateItemization(tx *store.Tx, a *auth.Actor, i *Itemization, in *api.Input) (string, error) {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return "", err
	}
	p, err := s.parentNamed(tx, a, i.Entry, in)
	if err != nil {
		return "", err
	}
	i.ID = s.ids.Protected()
	i.AllocationType = NotAllocated
	if err := s.settleItemization(tx, cfg, p.entry, nil, i, in); err != nil {
		return "", err
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	parts, err := partsOf(tx, p.entry.ID)
	if err != nil {
		return "", err
	}
	if len(parts) == maxItemizations {
		in.Addf("EntryID", "tooMany", "names an entry with %d itemizations, which is as many as an entry can have.", maxItemizations)
		return "", in.Err()
	}
	i.ModifiedAt = tx.Now()
	return i.ID, s.saveParts(tx, cfg, p, append(parts, *i), in)
}

// settleItemization checks a part of an entry that is new (old is nil) or changed.
// Everything that is wrong is noted.
func (s *Service) settleItemization(tx *store.Tx, cfg *org.Config, e *Entry, old, i *Itemization, in *api.Input) error {
	i.Company, i.Owner, i.OwnerLogin, i.Report = e.Company, e.Owner, e.OwnerLogin, e.Report
	if t, ok := cfg.ExpenseType(e.Policy, e.ExpenseType); ok && t.Mileage() {
		in.Add("EntryID", "mileage", "names a mileage entry; what was driven cannot be itemized.")
	}
	if e.IsPersonal {
		in.Add("EntryID", "personal", "names a personal entry, which cannot be itemized; say that it is not personal first.")
	}
	t, ok := cfg.ExpenseType(e.Policy, i.ExpenseType)
	switch {
	case ok && t.Mileage():
		in.Addf("ExpenseTypeCode", "mileage", "cannot be the mileage type %s; enter what was driven as an entry of its own.", t.Code)
	case ok:
		i.ExpenseType = t.Code
	case i.ExpenseType != "":
		in.Add("ExpenseTypeCode", "unknown", "is no expense type of the report's policy.")
	case in.Has("ExpenseTypeCode"):
		in.Add("ExpenseTypeCode", "required", "is required.")
	}
	if i.TransactionDate == 0 && in.Has("TransactionDate") {
		in.Add("TransactionDate", "required", "is required.")
	}
	if old == nil || i.TransactionAmount == old.TransactionAmount { // else set by a caller in the program
		if i.amount.Valid {
			i.TransactionAmount = i.amount.V
		}
	}
	i.TransactionAmount = i.TransactionAmount.Round(e.TransactionCurrency.Digits())
	return s.settleCustoms(tx, cfg, org.ItemizationForm, old.fields(), i.fields(), in)
}

// fields are the custom fields of the itemization; none of no itemization.
func (i *Itemization) fields() customFields {
	if i == nil {
		return customFields{}
	}
	return customFields{i.OrgUnits[:], i.Customs[:]}
}

// misfit says why parts cannot be those of an entry: they come to more than it, or the
// personal ones to more, or to less than nothing of it. It is empty when they can.
func misfit(e *Entry, parts []Itemization) string {
	var all, personal value.Money
	var failed error
	add := func(sum *value.Money, m value.Money) {
		n, err := value.AddMoney(*sum, m)
		if err != nil {
			failed = err
		}
		*sum = n
	}
	for n := range parts {
		add(&all, parts[n].TransactionAmount)
		if parts[n].IsPersonal {
			add(&personal, parts[n].TransactionAmount)
		}
	}
	whole := amount(e.TransactionAmount, e.TransactionCurrency)
	switch {
	case failed != nil:
		return "does not fit: the itemizations come to more than can be kept."
	case beyond(all, e.TransactionAmount):
		return "does not fit: the itemizations come to " + amount(all, e.TransactionCurrency) + ", the entry to " + whole + "."
	case beyond(personal, e.TransactionAmount) || personal != 0 && (personal < 0) != (e.TransactionAmount < 0):
		return "does not fit: the personal itemizations come to " + amount(personal, e.TransactionCurrency) + "; they must lie between nothing and the entry's " + whole + "."
	}
	return ""
}

// beyond reports whether an amount is farther from nothing than the whole that it
// must be a part of; the whole is negative in refunds.
func beyond(m, whole value.Money) bool {
	if whole < 0 {
		return m < whole
	}
	return m > whole
}

// saveParts makes these the parts of an entry, and lets the entry, what the rules say
// of it and the report's sums follow.
func (s *Service) saveParts(tx *store.Tx, cfg *org.Config, p *parent, parts []Itemization, in *api.Input) error {
	e, h := p.entry, p.head
	if why := misfit(e, parts); why != "" {
		in.Add("TransactionAmount", "itemizations", why)
		return in.Err()
	}
	before := sumsOf(e)
	e.HasItemizations = len(parts) > 0
	err := split(e, parts)
	if err == nil {
		h.Sums, err = h.Sums.minus(before).plus(sumsOf(e))
	}
	if err != nil {
		in.Add("TransactionAmount", "range", "is too large to be converted into the report's currency.")
		return in.Err()
	}
	if err := itemizations.SaveChildren(tx, store.Where("entry_id = ?", e.ID), parts); err != nil {
		return err
	}
	return s.reviewAgain(tx, cfg, h, e)
}

// followAmount lets what is below an entry follow its amount, currency and rate: the
// parts are split anew, and shares of attendees that nobody has given are reckoned anew.
func (s *Service) followAmount(tx *store.Tx, old, e *Entry, in *api.Input) error {
	given := e.TransactionAmount != old.TransactionAmount || e.TransactionCurrency != old.TransactionCurrency
	if e.HasItemizations && (given || e.PostedAmount != old.PostedAmount || e.ExchangeRate != old.ExchangeRate || e.ReportCurrency != old.ReportCurrency) {
		parts, err := partsOf(tx, e.ID)
		if err != nil {
			return err
		}
		for n := range parts {
			parts[n].TransactionAmount = parts[n].TransactionAmount.Round(e.TransactionCurrency.Digits())
		}
		if why := misfit(e, parts); why != "" {
			in.Add("TransactionAmount", "itemizations", why)
			return in.Err()
		}
		if err := split(e, parts); err != nil {
			in.Add("TransactionAmount", "range", "is too large to be converted.")
			return in.Err()
		}
		if err := itemizations.SaveChildren(tx, store.Where("entry_id = ?", e.ID), parts); err != nil {
			return err
		}
	}
	if e.HasAttendees && given {
		if err := roundShares(tx, e); err != nil {
			return err
		}
		return shareOut(tx, e, "TransactionAmount", in)
	}
	return nil
}

// itemizationToChange reads an itemization for a change, after all changes of its
// report before it.
func (s *Service) itemizationToChange(tx *store.Tx, a *auth.Actor, id string) (*Itemization, error) {
	if err := lockParent(tx, "itemization", id); err != nil {
		return nil, err
	}
	i, err := itemizations.Get(tx, a.Reached(""), id)
	if err != nil {
		return nil, toChange(tx, itemizations, a, "itemization.report_id", id, err)
	}
	i.amount = value.Some(i.TransactionAmount)
	return i, nil
}

// UpdateItemization saves what was changed of an itemization that was read for a
// change. With another entry, the itemization moves there with its allocations.
func (s *Service) UpdateItemization(tx *store.Tx, a *auth.Actor, old, i *Itemization, in *api.Input) error {
	if *i == *old {
		return in.Err()
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	from, err := parentOf(tx, store.Where("company_id = ?", old.Company), old.Entry)
	if err != nil {
		return err
	}
	to := from
	if i.Entry != old.Entry {
		if to, err = s.parentNamed(tx, a, i.Entry, in); err != nil {
			return err
		}
		if to.entry.Owner != old.Owner {
			in.Add("EntryID", "owner", "must name an entry of the same owner.")
			return in.Err()
		}
		if to.head.ID == from.head.ID {
			to.head = from.head // one report, whose sums both entries change
		}
	}
	if err := s.settleItemization(tx, cfg, to.entry, old, i, in); err != nil {
		return err
	}
	if err := in.Err(); err != nil {
		return err
	}
	i.ModifiedAt = tx.Now()
	parts, err := partsOf(tx, old.Entry)
	if err != nil {
		return err
	}
	if to == from {
		for n := range parts {
			if parts[n].ID == i.ID {
				parts[n] = *i
			}
		}
		return s.saveParts(tx, cfg, to, parts, in)
	}
	if err := s.saveParts(tx, cfg, from, without(parts, i.ID), in); err != nil {
		return err
	}
	if parts, err = partsOf(tx, i.Entry); err != nil {
		return err
	}
	if len(parts) == maxItemizations {
		in.Addf("EntryID", "tooMany", "names an entry with %d itemizations, which is as many as an entry can have.", maxItemizations)
		return in.Err()
	}
	if _, err := tx.Exec("UPDATE allocation SET entry_id = ?, report_id = ? WHERE itemization_id = ? AND itemization_id <> ''", i.Entry, i.Report, i.ID); err != nil {
		return err
	}
	return s.saveParts(tx, cfg, to, append(parts, *i), in)
}

func without(parts []Itemization, id string) []Itemization {
	rest := make([]Itemization, 0, len(parts))
	for n := range parts {
		if parts[n].ID != id {
			rest = append(rest, parts[n])
		}
	}
	return rest
}

// DeleteItemization removes a part of an entry with its allocations.
func (s *Service) DeleteItemization(tx *store.Tx, a *auth.Actor, id string) error {
	i, err := s.itemizationToChange(tx, a, id)
	if err != nil {
		return err
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	p, err := parentOf(tx, store.Where("company_id = ?", i.Company), i.Entry)
	if err != nil {
		return err
	}
	parts, err := partsOf(tx, i.Entry)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM allocation WHERE itemization_id = ? AND itemization_id <> ''", id); err != nil {
		return err
	}
	return s.saveParts(tx, cfg, p, without(parts, id), api.Direct())
}

func (s *Service) itemizationOperations() []api.Operation {
	named := api.Named(api.Names{One: "ItemizationGet", Many: "ItemizationCollection", WireOne: "Itemization", WireMany: "Itemizations", Post: "ItemizationPost", Put: "ItemizationPut"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: id, Group: "Itemizations", Summary: summary, Description: more}
	}
	return []api.Operation{
		api.List(api.V3, "/expense/itemizations", s.FindItemizations, (*ItemizationQuery).v3, (*Itemization).v3,
			doc("itemizations.list", "Lists itemizations", "In order of creation. Every condition must hold."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Create(api.V3, "/expense/itemizations", s.CreateItemization, (*Itemization).v3,
			doc("itemizations.create", "Splits a part off an entry", "The report must not be submitted. The currency and the rate are the entry's; what is personal is taken off what is claimed."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Get(api.V3, "/expense/itemizations/{id}", s.Itemization, (*Itemization).v3,
			doc("itemizations.get", "Reads an itemization", "Whoever may read the report may read its itemizations."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Update(api.V3, "/expense/itemizations/{id}", s.itemizationToChange, s.UpdateItemization, (*Itemization).v3,
			doc("itemizations.update", "Changes an itemization", "Only what the body names is changed. The itemizations of a submitted report cannot be changed until it comes back."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Delete(api.V3, "/expense/itemizations/{id}", s.DeleteItemization,
			doc("itemizations.delete", "Removes an itemization", "With its allocations. An entry without itemizations counts as a whole again."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}
