package expense

import (
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Attendee is somebody who took part in what entries paid for. Attendees of a private
// type belong to the user for whom they were made; others are shared: everybody in the
// company finds and uses them, and whoever made one, or an administrator, changes it.
type Attendee struct {
	Seq           int64
	ID            string // gW…
	Company       string
	Owner         string // user id; empty when the attendee is shared
	OwnerLogin    string
	OwnerName     string
	MadeBy        string // user id of whom it was made for
	Type          string // id of the attendee type
	ExternalID    string
	FirstName     string
	LastName      string
	MiddleInitial string
	Suffix        string
	Title         string
	CompanyName   string
	Currency      value.Currency
	Opening       value.Money // spent elsewhere in the year OpeningYear
	OpeningYear   int64
	OpeningBefore value.Money // spent elsewhere in the year before that
	Customs       [25]CustomField
	Version       int64 // from 1
	ModifiedAt    value.Instant

	// Not kept: filled for what shows it.
	TypeCode      string
	SpentPrevYear value.Money
	spentYTD      value.Opt[value.Money]
	OverPrevYear  bool
	OverYTD       bool
	URI           string
}

func (a *Attendee) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Text("made_by", &a.MadeBy)
	c.Text("attendee_type_id", &a.Type)
	c.Text("external_id", &a.ExternalID)
	c.Int("version", &a.Version)
	c.Instant("modified_at", &a.ModifiedAt)
	store.Document(c, "doc", a, (*Attendee).document)
}

func (a *Attendee) document(f *wire.Fields) {
	f.Text("ownerLogin", &a.OwnerLogin, "", wire.OmitEmpty)
	f.Text("ownerName", &a.OwnerName, "", wire.OmitEmpty)
	f.Text("firstName", &a.FirstName, "", wire.OmitEmpty)
	f.Text("lastName", &a.LastName, "", wire.OmitEmpty)
	f.Text("middleInitial", &a.MiddleInitial, "", wire.OmitEmpty)
	f.Text("suffix", &a.Suffix, "", wire.OmitEmpty)
	f.Text("title", &a.Title, "", wire.OmitEmpty)
	f.Text("company", &a.CompanyName, "", wire.OmitEmpty)
	f.Currency("currency", &a.Currency, "", wire.OmitEmpty)
	f.Money("opening", &a.Opening, "", wire.OmitEmpty)
	f.Int("openingYear", &a.OpeningYear, "", wire.OmitEmpty)
	f.Money("openingBefore", &a.OpeningBefore, "", wire.OmitEmpty)
	wire.Repeat(f, "c", a.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var attendees = store.NewTable("attendee", (*Attendee).columns)

// The codes of attendee types that stand for nobody in particular (expense.md §7).
const (
	noShows        = "NOSHOWS"
	systemEmployee = "SYSEMP"
)

// Whom shared attendees belong to.
const (
	systemLogin = "ConcurSystem"
	systemName  = "System, Concur"
)

// How long the values of custom fields are: of the first twenty, and of the others.
const (
	maxAttendeeCustom     = 100
	maxLateAttendeeCustom = 48
	longAttendeeCustoms   = 20
)

func (a *Attendee) v3(f *wire.Fields) {
	const custom = "A custom field, as the company's attendee form has it. A plain text is taken as its value; for a list field, as the item's id or code."
	f.Text("AttendeeTypeCode", &a.TypeCode, "The code of the attendee type.", wire.ReadOnly, wire.Max(40))
	f.Text("AttendeeTypeID", &a.Type, "The attendee type, by id or code. It cannot be changed later.", wire.RequiredOnCreate)
	f.Text("Company", &a.CompanyName, "The attendee's company.", wire.Max(150))
	f.Currency("CurrencyCode", &a.Currency, "The currency of the attendee's sums (ISO 4217); the user's unless given.")
	wire.Repeat(f, "Custom", a.Customs[:longAttendeeCustoms], customUpTo(maxAttendeeCustom), custom, wire.ScalarInput("Value"))
	for i := longAttendeeCustoms; i < len(a.Customs); i++ {
		wire.Object(f, customNames[i], &a.Customs[i], customUpTo(maxLateAttendeeCustom), custom, wire.ScalarInput("Value"))
	}
	f.Text("ExternalID", &a.ExternalID, "What the attendee is called outside: in a customer file, say.", wire.Max(48))
	f.Text("FirstName", &a.FirstName, "The attendee's first name.", wire.Max(50))
	f.Bool("HasExceptionsPrevYear", &a.OverPrevYear, "Whether more was spent on the attendee in the previous year than the company's yearly limit for the attendee type.", wire.ReadOnly)
	f.Bool("HasExceptionsYTD", &a.OverYTD, "Whether more was spent on the attendee this year than the company's yearly limit for the attendee type.", wire.ReadOnly)
	f.Text("ID", &a.ID, "The attendee's id.", wire.ReadOnly, wire.NotNull)
	f.Text("LastName", &a.LastName, "The attendee's last name.", wire.RequiredOnCreate, wire.Max(132))
	f.Text("MiddleInitial", &a.MiddleInitial, "The attendee's middle initial.", wire.Max(1))
	f.Text("OwnerLoginID", &a.OwnerLogin, "The login of the attendee's owner; "+systemLogin+" when everybody in the company may use the attendee.", wire.ReadOnly)
	f.Text("OwnerName", &a.OwnerName, "The name of the attendee's owner.", wire.ReadOnly)
	f.Text("Suffix", &a.Suffix, "What stands behind the name: Jr., say.", wire.Max(32))
	f.Text("Title", &a.Title, "The attendee's title.", wire.Max(32))
	f.Money("TotalAmountPrevYear", &a.SpentPrevYear, "What was spent on the attendee in the previous calendar year: the shares of entries with a transaction date in it.", wire.ReadOnly)
	wire.Optional(f, "TotalAmountYTD", &a.spentYTD, "What was spent on the attendee in this calendar year. A value that is given counts what was spent elsewhere; later shares add to it.", wire.NotNull)
	f.Text("URI", &a.URI, "The attendee's address.", wire.ReadOnly, wire.NotNull)
	f.Int("VersionNumber", &a.Version, "1, and one more with every change.", wire.ReadOnly)
}

// AttendeeQuery is what attendees are searched by. All conditions must hold.
type AttendeeQuery struct {
	External string // ids, separated by commas
	Type     string // id or code
}

// maxExternalIDs is how many external ids one query names.
const maxExternalIDs = 10

func (q *AttendeeQuery) v3(f *wire.Fields) {
	f.Text("externalID", &q.External, "Attendees with this external id, or one of up to ten that commas separate.")
	f.Text("attendeeTypeID", &q.Type, "Attendees of this type, by id or code.")
}

// ranges are the conditions on the table attendee, no two of which hold for one row:
// the subject's own and the shared attendees, and each external id apart.
func (q *AttendeeQuery) ranges(cfg *org.Config, a *auth.Actor) ([]store.Predicate, error) {
	all := []store.Predicate{a.InCompany("")}
	if !a.All {
		all = []store.Predicate{a.InCompany("").And("owner_id = ?", a.Subject.ID), a.InCompany("").And("owner_id = ?", "")}
	}
	narrow := func(column string, values ...string) {
		var narrowed []store.Predicate
		for _, p := range all {
			for _, v := range values {
				narrowed = append(narrowed, p.And(column+" = ?", v))
			}
		}
		all = narrowed
	}
	if q.Type != "" {
		narrow("attendee_type_id", attendeeTypeID(cfg, q.Type))
	}
	if q.External == "" {
		return all, nil
	}
	var ids []string
	seen := map[string]bool{"": true}
	for _, id := range strings.Split(q.External, ",") {
		if id = strings.TrimSpace(id); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if len(ids) > maxExternalIDs {
		return nil, errs.OnField("externalID", "tooMany", "takes up to 10 external ids.")
	}
	narrow("external_id", ids...)
	return all, nil
}

// FindAttendees lists attendees in order of creation: those that the subject may use.
func (s *Service) FindAttendees(tx *store.Tx, a *auth.Actor, q *AttendeeQuery, page store.Page) (api.Listing[Attendee], error) {
	var none api.Listing[Attendee]
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	ranges, err := q.ranges(cfg, a)
	if err != nil || len(ranges) == 0 {
		return none, err
	}
	rows, more, err := listRanges(tx, attendees, ranges, page)
	if err != nil {
		return none, err
	}
	return api.Page(attendees, rows, more, page), s.showAttendees(tx, cfg, rows)
}

// usable is the condition under which an actor may read an attendee: the shared ones,
// the own ones, those that the actor administers, and those below a report that the
// actor is or was asked to approve.
func usable(a *auth.Actor) store.Predicate {
	company := a.InCompany("")
	switch {
	case a.All, a.Administers() && !a.Named:
		return company
	case a.Named:
		return company.In("owner_id", "", a.Subject.ID)
	}
	of := approverIs(a)
	return store.Or(company.In("owner_id", "", a.Self.ID),
		company.And("EXISTS (SELECT 1 FROM entry_attendee x JOIN report_approver v ON v.report_id = x.report_id WHERE x.attendee_id = attendee.id AND "+of.SQL+")", of.Args...))
}

// changeable is the condition under which an actor may change an attendee.
func changeable(a *auth.Actor) store.Predicate {
	company := a.InCompany("")
	switch {
	case a.All, a.Administers() && !a.Named:
		return company
	case a.Named:
		return company.And("made_by = ?", a.Subject.ID)
	}
	return company.And("made_by = ?", a.Self.ID)
}

// Attendee reads an attendee that the actor may use.
func (s *Service) Attendee(tx *store.Tx, a *auth.Actor, id string) (*Attendee, error) {
	return s.attendee(tx, usable(a), a.Company, id)
}

func (s *Service) attendee(tx *store.Tx, access store.Predicate, company, id string) (*Attendee, error) {
	x, err := attendees.Get(tx, access, id)
	if err != nil {
		return nil, err
	}
	cfg, err := s.org.Config(tx, company)
	if err != nil {
		return nil, err
	}
	one := []Attendee{*x}
	return &one[0], s.showAttendees(tx, cfg, one)
}

// showAttendees fills what is not kept.
func (s *Service) showAttendees(tx *store.Tx, cfg *org.Config, list []Attendee) error {
	form := cfg.FormFields(org.AttendeeForm)
	for i := range list {
		showCustoms(form, customNames, list[i].Customs[:])
		list[i].URI = s.url + api.V3.Base[0] + "/expense/attendees/" + list[i].ID
	}
	return reckon(tx, cfg, list)
}

// reckon fills the codes of types, and what was spent this year and the year before, in
// each attendee's currency at the company's rates.
func reckon(tx *store.Tx, cfg *org.Config, list []Attendee) error {
	if len(list) == 0 {
		return nil
	}
	today := tx.Now().Date()
	year := yearOf(today)
	at := make(map[string]*Attendee, len(list))
	ids := make([]string, len(list))
	for i := range list {
		x := &list[i]
		at[x.ID], ids[i] = x, x.ID
		if t, ok := cfg.AttendeeType(x.Type); ok {
			x.TypeCode = t.Code
		}
		now, before := x.openings(year)
		x.spentYTD, x.SpentPrevYear = value.Some(now), before
	}
	if err := sharesOf(tx, ids, year-1, year, func(id string, on value.Date, m value.Money, c value.Currency) {
		x := at[id]
		sum := &x.spentYTD.V
		if yearOf(on) < year {
			sum = &x.SpentPrevYear
		}
		*sum = capped(*sum, exchange(cfg, m, c, x.Currency, on))
	}); err != nil {
		return err
	}
	limits, err := attendeeLimits(tx, cfg.Company.ID)
	if err != nil {
		return err
	}
	for i := range list {
		x := &list[i]
		limit, ok := limits[x.Type]
		over := func(spent value.Money, on value.Date) bool {
			return ok && exchange(cfg, spent, x.Currency, cfg.Company.Currency, on) > limit
		}
		x.OverYTD, x.OverPrevYear = over(x.spentYTD.V, today), over(x.SpentPrevYear, value.Date((year-1)*10000+1231))
	}
	return nil
}

// openings are what was spent elsewhere in a year and in the one before.
func (a *Attendee) openings(year int64) (now, before value.Money) {
	switch a.OpeningYear {
	case year:
		return a.Opening, a.OpeningBefore
	case year - 1:
		return 0, a.Opening
	}
	return 0, 0
}

func yearOf(d value.Date) int64 { return int64(d) / 10000 }

// exchange converts an amount at the company's rate of a day, at 1 when it has none.
func exchange(cfg *org.Config, m value.Money, from, to value.Currency, on value.Date) value.Money {
	rate, _ := rateOf(cfg, from, to, on)
	converted, err := m.Convert(rate, to.Digits())
	if err != nil {
		return m
	}
	return converted
}

// capped is a sum, or a when it were more than can be kept.
func capped(a, b value.Money) value.Money {
	sum, err := value.AddMoney(a, b)
	if err != nil {
		return a
	}
	return sum
}

// sharesOf tells of the shares that attendees had of entries in some years, those of
// one day and currency together.
func sharesOf(tx *store.Tx, ids []string, from, to int64, f func(id string, on value.Date, m value.Money, c value.Currency)) error {
	which := store.In("x.attendee_id", ids...).And("e.transaction_date BETWEEN ? AND ?", from*10000, (to+1)*10000)
	rows, err := tx.Query(`SELECT x.attendee_id, e.transaction_date, e.transaction_currency, CAST(SUM(x.amount / 10000) AS BIGINT), CAST(SUM(x.amount % 10000) AS BIGINT)
		FROM entry_attendee x JOIN entry e ON e.id = x.entry_id WHERE `+which.SQL+`
		GROUP BY x.attendee_id, e.transaction_date, e.transaction_currency ORDER BY x.attendee_id, e.transaction_date, e.transaction_currency`, which.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, currency string
		var on, wholes, rests int64
		if err := rows.Scan(&id, &on, &currency, &wholes, &rests); err != nil {
			return err
		}
		f(id, value.Date(on), joined(wholes, rests), value.Currency(currency))
	}
	return rows.Err()
}

// attendeeLimits are the yearly limits of a company by attendee type, in its currency.
func attendeeLimits(tx *store.Tx, company string) (map[string]value.Money, error) {
	rows, err := tx.Query("SELECT attendee_type_id, amount FROM attendee_limit WHERE company_id = ? ORDER BY attendee_type_id", company)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	limits := map[string]value.Money{}
	for rows.Next() {
		var kind string
		var most int64
		if err := rows.Scan(&kind, &most); err != nil {
			return nil, err
		}
		limits[kind] = value.Money(most)
	}
	return limits, rows.Err()
}

// SetAttendeeLimit sets what may be spent in a year on an attendee of a type before
// the attendee is marked, in the company's currency; absent: any amount.
func (s *Service) SetAttendeeLimit(tx *store.Tx, company, typeID string, most value.Opt[value.Money]) error {
	if _, err := tx.Exec("DELETE FROM attendee_limit WHERE company_id = ? AND attendee_type_id = ?", company, typeID); err != nil || !most.Valid {
		return err
	}
	_, err := tx.Exec("INSERT INTO attendee_limit (company_id, attendee_type_id, amount) VALUES (?, ?, ?)", company, typeID, int64(most.V))
	return err
}

// CreateAttendee makes an attendee for the actor's subject: one that belongs to the
// subject when the type is private, else one that the company shares.
func (s *Service) CreateAttendee(tx *store.Tx, a *auth.Actor, x *Attendee, in *api.Input) (string, error) {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return "", err
	}
	x.ID = s.ids.Protected()
	x.Company, x.MadeBy, x.Version = a.Company, a.Subject.ID, 1
	t, ok := cfg.AttendeeType(x.Type)
	switch {
	case ok && t.Code == noShows:
		in.Add("AttendeeTypeID", "system", "cannot be "+noShows+": such attendees are the system's own.")
	case ok && !t.System && !t.AllowManualAttendees:
		in.Addf("AttendeeTypeID", "notManual", "cannot be %s: attendees of this type are not entered by hand.", t.Code)
	case ok && t.Private:
		x.Owner, x.OwnerLogin, x.OwnerName = a.Subject.ID, a.Subject.Login, a.Subject.Name
	case ok:
		x.OwnerLogin, x.OwnerName = systemLogin, systemName
	case x.Type != "":
		in.Add("AttendeeTypeID", "unknown", "names no attendee type.")
	case in.Has("AttendeeTypeID"):
		in.Add("AttendeeTypeID", "required", "is required.")
	}
	if ok {
		x.Type = t.ID
		if kept, err := s.org.KeepAttendeeType(tx, a.Company, t.ID); err != nil {
			return "", err
		} else if !kept {
			in.Add("AttendeeTypeID", "unknown", "names no attendee type.")
		}
	}
	if x.LastName == "" && in.Has("LastName") {
		in.Add("LastName", "required", "is required.")
	}
	if err := s.settleAttendee(tx, cfg, a, nil, x, in); err != nil {
		return "", err
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	return x.ID, attendees.Insert(tx, x)
}

// settleAttendee checks an attendee that is new (old is nil) or changed.
func (s *Service) settleAttendee(tx *store.Tx, cfg *org.Config, a *auth.Actor, old, x *Attendee, in *api.Input) error {
	if x.Currency == "" {
		x.Currency = value.Currency(anyOf(string(a.Subject.Currency), string(cfg.Company.Currency)))
	}
	var before customFields
	var counted value.Money // this year's shares of entries
	today := tx.Now().Date()
	year := yearOf(today)
	x.Opening, x.OpeningBefore = x.openings(year)
	x.OpeningYear = year
	if old != nil {
		before.customs = old.Customs[:]
		counted = exchange(cfg, old.spentYTD.V-x.Opening, old.Currency, x.Currency, today)
		x.Opening = exchange(cfg, x.Opening, old.Currency, x.Currency, today)
		x.OpeningBefore = exchange(cfg, x.OpeningBefore, old.Currency, x.Currency, today)
	}
	switch {
	case old != nil && x.spentYTD == old.spentYTD:
	case x.spentYTD.Valid:
		x.Opening = capped(x.spentYTD.V.Round(x.Currency.Digits()), -counted)
	default:
		x.Opening = 0
	}
	x.ModifiedAt = tx.Now()
	return s.settleCustoms(tx, cfg, org.AttendeeForm, before, customFields{customs: x.Customs[:]}, in)
}

// errNotYours refuses a change of what the actor may use but not change.
var errNotYours = errs.New(errs.Forbidden, "readOnly", "Only whoever made this attendee or an administrator may change it.")

// attendeeToChange reads an attendee for a change, after all changes before it.
func (s *Service) attendeeToChange(tx *store.Tx, a *auth.Actor, id string) (*Attendee, error) {
	if err := attendees.Lock(tx, id); err != nil {
		return nil, err
	}
	x, err := attendees.Get(tx, changeable(a), id)
	if err == nil {
		cfg, err := s.org.Config(tx, a.Company)
		if err != nil {
			return nil, err
		}
		one := []Attendee{*x}
		return &one[0], reckon(tx, cfg, one)
	}
	if !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	if n, countErr := attendees.Count(tx, usable(a), store.Where("id = ?", id)); countErr != nil {
		return nil, countErr
	} else if n > 0 {
		return nil, errNotYours
	}
	return nil, err
}

// fixed refuses a change of attendees that are the system's own.
func (a *Attendee) fixed() error {
	if a.TypeCode == noShows || a.TypeCode == systemEmployee {
		return errs.New(errs.Invalid, "system", "Attendees of the type "+a.TypeCode+" are the system's own and cannot be changed.")
	}
	return nil
}

// UpdateAttendee saves what was changed of an attendee that was read for a change.
func (s *Service) UpdateAttendee(tx *store.Tx, a *auth.Actor, old, x *Attendee, in *api.Input) error {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	if x.Type != old.Type && x.Type != "" {
		if t, ok := cfg.AttendeeType(x.Type); ok && t.ID == old.Type {
			x.Type = old.Type
		} else {
			in.Add("AttendeeTypeID", "fixed", "cannot be changed after creation.")
		}
	}
	if *x == *old {
		return in.Err()
	}
	if err := old.fixed(); err != nil {
		return err
	}
	if err := s.settleAttendee(tx, cfg, a, old, x, in); err != nil {
		return err
	}
	if err := in.Err(); err != nil {
		return err
	}
	x.Version = old.Version + 1
	return attendees.Update(tx, x)
}

// DeleteAttendee removes an attendee who took part in nothing.
func (s *Service) DeleteAttendee(tx *store.Tx, a *auth.Actor, id string) error {
	x, err := s.attendeeToChange(tx, a, id)
	if err != nil {
		return err
	}
	if err := x.fixed(); err != nil {
		return err
	}
	used, err := associations.Count(tx, store.Where("attendee_id = ?", id), store.Predicate{})
	if err != nil {
		return err
	}
	if used > 0 {
		return errInUse
	}
	return attendees.Delete(tx, id)
}

func (s *Service) attendeeOperations() []api.Operation {
	named := api.Named(api.Names{One: "AttendeeGet", Many: "AttendeeCollection", WireOne: "Attendee", WireMany: "Attendees", Post: "AttendeePost", Put: "AttendeePut"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "attendees." + id, Group: "Attendees", Summary: summary, Description: more}
	}
	remove := doc("delete", "Removes an attendee", "Refused while the attendee is on an entry.")
	remove.Deprecated = true
	scope := auth.Scope("ATTEND")
	return []api.Operation{
		api.List(api.V3, "/expense/attendees", s.FindAttendees, (*AttendeeQuery).v3, (*Attendee).v3,
			doc("list", "Lists attendees", "In order of creation: the user's own and those that the company shares."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Create(api.V3, "/expense/attendees", s.CreateAttendee, (*Attendee).v3,
			doc("create", "Makes an attendee", "One of a private type belongs to the user; others are shared by the company."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Get(api.V3, "/expense/attendees/{id}", s.Attendee, (*Attendee).v3,
			doc("get", "Reads an attendee", "Whoever may read a report may read its attendees."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Update(api.V3, "/expense/attendees/{id}", s.attendeeToChange, s.UpdateAttendee, (*Attendee).v3,
			doc("update", "Changes an attendee", "Only what the body names is changed. Shared attendees are changed by whoever made them and by administrators."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Delete(api.V3, "/expense/attendees/{id}", s.DeleteAttendee, remove,
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}
