package expense

import (
	"math"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Association says that an attendee took part in what an entry paid for. Shares that
// were given stand; the others are, per head, what those leave of the entry's amount.
type Association struct {
	Seq           int64
	ID            string // gW…
	Entry         string
	Attendee      string
	Report        string
	Company       string
	Owner         string      // user id of the entry's owner
	Amount        value.Money // the attendee's share, in the entry's transaction currency
	AmountGiven   bool        // the share was named, and does not follow from the others
	AttendeeCount int64       // heads; above 1: with unnamed guests
	Customs       [5]CustomField

	attendeeType        string // id; it never changes
	reportSeq, entrySeq int64  // of the entry's report and of the entry: where the entry stands in lists

	amount value.Opt[value.Money] // Amount as bodies bring and answers show it
	URI    string                 // not kept
}

func (a *Association) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("entry_id", &a.Entry)
	c.Text("attendee_id", &a.Attendee)
	c.Text("report_id", &a.Report)
	c.Text("attendee_type_id", &a.attendeeType)
	c.Int("report_seq", &a.reportSeq)
	c.Int("entry_seq", &a.entrySeq)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Money("amount", &a.Amount)
	c.Bool("amount_given", &a.AmountGiven)
	c.Int("attendee_count", &a.AttendeeCount)
	store.Document(c, "doc", a, (*Association).document)
}

func (a *Association) document(f *wire.Fields) {
	wire.Repeat(f, "c", a.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var associations = store.NewTable("entry_attendee", (*Association).columns)

const (
	// maxAttendeeCount is how many heads one association may stand for.
	maxAttendeeCount = 100_000
	// maxAssociationCustom is how long the value of an association's custom field is.
	maxAssociationCustom = 100
)

func (a *Association) v3(f *wire.Fields) {
	wire.Optional(f, "Amount", &a.amount, "The attendee's share of the entry's transaction amount. Shares that are not given, or are cleared, are an even split, per head, of what the given ones leave; together they come to the entry's amount at most.", wire.NotNull)
	f.Int("AssociatedAttendeeCount", &a.AttendeeCount, "How many heads the attendee stands for: 1, or more with unnamed guests.")
	f.Text("AttendeeID", &a.Attendee, "The attendee: a shared one, or one of the entry's owner.", wire.RequiredOnCreate, wire.FixedAfterCreate, wire.NotNull)
	for i := range a.Customs {
		f.Text(customNames[i], &a.Customs[i].Value, "A custom field of the association.", wire.Max(maxAssociationCustom))
	}
	f.Text("EntryID", &a.Entry, "The entry.", wire.RequiredOnCreate, wire.FixedAfterCreate, wire.NotNull)
	f.Text("ID", &a.ID, "The association's id.", wire.ReadOnly, wire.NotNull)
	f.Text("URI", &a.URI, "The association's address.", wire.ReadOnly, wire.NotNull)
}

// show fills what is not kept.
func (s *Service) showAssociation(a *Association) {
	a.amount = value.Some(a.Amount)
	a.URI = s.url + api.V3.Base[0] + "/expense/entryattendeeassociations/" + a.ID
}

// AssociationQuery is what associations are searched by.
type AssociationQuery struct{ Entry string }

func (q *AssociationQuery) v3(f *wire.Fields) {
	f.Text("entryID", &q.Entry, "Associations of this entry, of anyone whose reports the caller may read.")
}

// FindAssociations lists associations in order of creation.
func (s *Service) FindAssociations(tx *store.Tx, a *auth.Actor, q *AssociationQuery, page store.Page) (api.Listing[Association], error) {
	var none api.Listing[Association]
	access, some, err := below(tx, a, "", q.Entry)
	if err != nil || !some {
		return none, err
	}
	rows, more, err := associations.List(tx, access, store.Predicate{}, page)
	if err != nil {
		return none, err
	}
	for i := range rows {
		s.showAssociation(&rows[i])
	}
	return api.Page(associations, rows, more, page), nil
}

// Association reads an association that the actor may see.
func (s *Service) Association(tx *store.Tx, a *auth.Actor, id string) (*Association, error) {
	x, err := associations.Get(tx, visible(a, "entry_attendee.report_id"), id)
	if err != nil {
		return nil, err
	}
	s.showAssociation(x)
	return x, nil
}

// CreateAssociation adds an attendee to an entry of a report that is not submitted.
func (s *Service) CreateAssociation(tx *store.Tx, a *auth.Actor, x *Association, in *api.Input) (string, error) {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return "", err
	}
	p, err := s.parentNamed(tx, a, x.Entry, in)
	if err != nil {
		return "", err
	}
	e := p.entry
	x.ID = s.ids.Protected()
	x.Report, x.Company, x.Owner = e.Report, e.Company, e.Owner
	x.reportSeq, x.entrySeq = p.head.Seq, e.Seq
	if x.Attendee != "" {
		if err := attendees.Lock(tx, x.Attendee); err != nil { // it must not be removed meanwhile
			return "", err
		}
		known, err := attendees.Get(tx, store.Where("company_id = ?", e.Company).In("owner_id", "", e.Owner), x.Attendee)
		switch {
		case err == nil:
			x.attendeeType = known.Type
		case errs.Is(err, errs.NotFound):
			in.Add("AttendeeID", "unknown", "names no attendee: there is none with this id, or it is not the entry's owner's.")
		default:
			return "", err
		}
	} else if in.Has("AttendeeID") {
		in.Add("AttendeeID", "required", "is required.")
	}
	twice, err := associations.Count(tx, store.Where("entry_id = ?", e.ID), store.Where("attendee_id = ?", x.Attendee))
	if err != nil {
		return "", err
	}
	if twice > 0 {
		in.Add("AttendeeID", "duplicate", "names an attendee whom the entry has already; change that association.")
	}
	x.settle(cfg, e, nil, in)
	if err := in.Err(); err != nil {
		return "", err
	}
	if err := associations.Insert(tx, x); err != nil {
		return "", err
	}
	e.HasAttendees = true
	return x.ID, s.saveShares(tx, cfg, p, in)
}

// settle checks share and heads of an association that is new (old is nil) or changed.
func (a *Association) settle(cfg *org.Config, e *Entry, old *Association, in *api.Input) {
	if a.AttendeeCount == 0 {
		a.AttendeeCount = 1
	}
	if a.AttendeeCount < 1 || a.AttendeeCount > maxAttendeeCount {
		in.Addf("AssociatedAttendeeCount", "range", "must be a whole number from 1 to %d.", maxAttendeeCount)
	}
	if t, ok := cfg.AttendeeType(a.attendeeType); ok && !t.AllowCountEditing && a.AttendeeCount != 1 && (old == nil || a.AttendeeCount != old.AttendeeCount) {
		in.Addf("AssociatedAttendeeCount", "notAllowed", "must be 1: an attendee of the type %s stands for one person.", t.Code)
	}
	if old == nil || a.amount != old.amount {
		a.AmountGiven = a.amount.Valid
		a.Amount = a.amount.Or(0).Round(e.TransactionCurrency.Digits())
	}
	if a.AmountGiven && (beyond(a.Amount, e.TransactionAmount) || a.Amount != 0 && (a.Amount < 0) != (e.TransactionAmount < 0)) {
		in.Addf("Amount", "share", "must lie between nothing and the entry's %s.", amount(e.TransactionAmount, e.TransactionCurrency))
	}
}

// saveShares reckons the shares of an entry's attendees and saves the entry.
func (s *Service) saveShares(tx *store.Tx, cfg *org.Config, p *parent, in *api.Input) error {
	if err := shareOut(tx, p.entry, "Amount", in); err != nil {
		return err
	}
	if err := s.reviewAgain(tx, cfg, p.head, p.entry); err != nil {
		return err
	}
	return p.head.follow(tx, p.entry, p.entry.HasAttendees)
}

// shareOut reckons the shares that nobody has given: what the given ones leave of the
// entry's amount, evenly per head, and of what cannot be divided a smallest coin each to
// the first. When the given ones come to more than the entry, it notes that of a field.
func shareOut(tx *store.Tx, e *Entry, field string, in *api.Input) error {
	var wholes, rests, heads int64
	err := tx.QueryRow(`SELECT CAST(COALESCE(SUM(CASE WHEN amount_given THEN amount / 10000 ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN amount_given THEN amount % 10000 ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN amount_given THEN 0 ELSE attendee_count END), 0) AS BIGINT)
		FROM entry_attendee WHERE entry_id = ?`, e.ID).Scan(&wholes, &rests, &heads)
	if err != nil {
		return err
	}
	given := joined(wholes, rests)
	if beyond(given, e.TransactionAmount) || given != 0 && (given < 0) != (e.TransactionAmount < 0) {
		in.Addf(field, "shares", "does not fit: the shares of the attendees come to %s, the entry to %s.",
			amount(given, e.TransactionCurrency), amount(e.TransactionAmount, e.TransactionCurrency))
		return in.Err()
	}
	if heads == 0 {
		return nil
	}
	coin := int64(coinOf(e.TransactionCurrency))
	coins := int64(e.TransactionAmount-given) / coin
	perHead, left := coins/heads*coin, coins%heads
	if left < 0 {
		left, coin = -left, -coin
	}
	// upto counts the heads up to a row: those up to left get one coin more.
	_, err = tx.Exec(`UPDATE entry_attendee SET amount = attendee_count * ? + ? * CASE WHEN w.upto <= ? THEN attendee_count
			WHEN w.upto - attendee_count >= ? THEN 0 ELSE ? - (w.upto - attendee_count) END
		FROM (SELECT id AS row_id, CAST(SUM(attendee_count) OVER (ORDER BY seq) AS BIGINT) AS upto FROM entry_attendee WHERE entry_id = ? AND NOT amount_given) w
		WHERE w.row_id = entry_attendee.id`, perHead, coin, left, left, left, e.ID)
	return err
}

// joined is an amount that the database has summed up in whole units and in what is
// beside them, since neither of the two comes to more than it can count. What is more
// than an amount can be is the greatest one.
func joined(wholes, rests int64) value.Money {
	const most = math.MaxInt64 / int64(value.MoneyUnit)
	wholes, rests = wholes+rests/int64(value.MoneyUnit), rests%int64(value.MoneyUnit)
	switch {
	case wholes >= most:
		return math.MaxInt64
	case wholes <= -most:
		return -math.MaxInt64
	}
	return value.Money(wholes)*value.MoneyUnit + value.Money(rests)
}

// roundShares rounds given shares to the digits of the entry's currency, which may be
// another one now.
func roundShares(tx *store.Tx, e *Entry) error {
	given, err := associations.All(tx, store.Where("entry_id = ?", e.ID), store.Where("amount_given"), "", store.MaxLimit)
	if err != nil {
		return err
	}
	for i := range given {
		x := &given[i]
		if m := x.Amount.Round(e.TransactionCurrency.Digits()); m != x.Amount {
			x.Amount = m
			if err := associations.Update(tx, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// associationToChange reads an association for a change, after all changes of its
// report before it.
func (s *Service) associationToChange(tx *store.Tx, a *auth.Actor, id string) (*Association, error) {
	if err := lockParent(tx, "entry_attendee", id); err != nil {
		return nil, err
	}
	x, err := associations.Get(tx, a.Reached(""), id)
	if err != nil {
		return nil, toChange(tx, associations, a, "entry_attendee.report_id", id, err)
	}
	x.amount = value.Some(x.Amount)
	return x, nil
}

// UpdateAssociation saves what was changed of an association that was read for a change.
func (s *Service) UpdateAssociation(tx *store.Tx, a *auth.Actor, old, x *Association, in *api.Input) error {
	if *x == *old {
		return in.Err()
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	p, err := parentOf(tx, store.Where("company_id = ?", old.Company), old.Entry)
	if err != nil {
		return err
	}
	x.settle(cfg, p.entry, old, in)
	if err := in.Err(); err != nil {
		return err
	}
	if err := associations.Update(tx, x); err != nil {
		return err
	}
	return s.saveShares(tx, cfg, p, in)
}

// DeleteAssociation takes an attendee off an entry.
func (s *Service) DeleteAssociation(tx *store.Tx, a *auth.Actor, id string) error {
	x, err := s.associationToChange(tx, a, id)
	if err != nil {
		return err
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	p, err := parentOf(tx, store.Where("company_id = ?", x.Company), x.Entry)
	if err != nil {
		return err
	}
	if err := associations.Delete(tx, id); err != nil {
		return err
	}
	left, err := associations.Count(tx, store.Where("entry_id = ?", x.Entry), store.Predicate{})
	if err != nil {
		return err
	}
	p.entry.HasAttendees = left > 0
	return s.saveShares(tx, cfg, p, api.Direct())
}

func (s *Service) associationOperations() []api.Operation {
	named := api.Named(api.Names{One: "EntryAttendeeAssociationGet", Many: "EntryAttendeeAssociationCollection", WireOne: "EntryAttendeeAssociation",
		WireMany: "EntryAttendeeAssociations", Post: "EntryAttendeeAssociationPost", Put: "EntryAttendeeAssociationPut"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "entryattendeeassociations." + id, Group: "Entry Attendee Associations", Summary: summary, Description: more}
	}
	const path = "/expense/entryattendeeassociations"
	return []api.Operation{
		api.List(api.V3, path, s.FindAssociations, (*AssociationQuery).v3, (*Association).v3,
			doc("list", "Lists which attendees took part in which entries", "In order of creation."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Create(api.V3, path, s.CreateAssociation, (*Association).v3,
			doc("create", "Adds an attendee to an entry", "The report must not be submitted. An attendee can be added once; shares that were not given follow."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Get(api.V3, path+"/{id}", s.Association, (*Association).v3,
			doc("get", "Reads an association of an attendee with an entry", "Whoever may read the report may read it."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Update(api.V3, path+"/{id}", s.associationToChange, s.UpdateAssociation, (*Association).v3,
			doc("update", "Changes an attendee's share, heads or custom fields", "Entry and attendee stay what they are. The associations of a submitted report cannot be changed until it comes back."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Delete(api.V3, path+"/{id}", s.DeleteAssociation,
			doc("delete", "Takes an attendee off an entry", "Shares that were not given follow."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}

// errInUse keeps what others refer to.
var errInUse = errs.New(errs.Invalid, "inUse", "The attendee took part in entries; take it off them first.")
