package expense

import (
	"slices"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Allocation is a share of an entry or of an itemization.
//
// What nobody has allocated has no row. It is shown with one hidden allocation of
// 100 %, which follows from the entry: its id from hiddenAllocationID, its account
// code from the expense type, its place in a list from the entry's seq.
type Allocation struct {
	Seq           int64
	ID            string // gW…
	Entry         string
	Itemization   string // empty when the entry itself is allocated
	Report        string
	Company       string
	Owner         string        // user id
	Percentage    value.Decimal // of 100
	PercentEdited bool
	AccountCode1  string // empty: the expense type's
	AccountCode2  string
	Customs       [20]AllocationField

	// Not kept: filled for what shows it.
	IsHidden bool
	URI      string
}

// AllocationField is a custom field of an allocation, with what the company's form
// calls it and where it stands there.
type AllocationField struct {
	CustomField
	Label    string // not kept
	Sequence int64  // not kept; from 1
}

func (f *AllocationField) v3(w *wire.Fields) {
	w.Text("Code", &f.Code, "The list item's code, in list fields.")
	w.Text("Label", &f.Label, "What the form calls the field.")
	w.Text("ListItemID", &f.ListItem, "The list item's id, in list fields.")
	w.Int("Sequence", &f.Sequence, "Where the field stands on the form, from 1.")
	w.Text("Type", &f.Type, "The field's type: Amount, Boolean, ConnectedList, Date, Integer, List, Number or Text.")
	w.Text("Value", &f.Value, "The value; in list fields the item's name.", wire.Max(maxCustom))
}

func (a *Allocation) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("entry_id", &a.Entry)
	c.Text("itemization_id", &a.Itemization)
	c.Text("report_id", &a.Report)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Decimal("percentage", &a.Percentage)
	c.Bool("percent_edited", &a.PercentEdited)
	store.Document(c, "doc", a, (*Allocation).document)
}

// fields are the values of the custom fields.
func (a *Allocation) fields() []CustomField {
	fields := make([]CustomField, len(a.Customs))
	for i := range a.Customs {
		fields[i] = a.Customs[i].CustomField
	}
	return fields
}

func (a *Allocation) document(f *wire.Fields) {
	f.Text("account1", &a.AccountCode1, "", wire.OmitEmpty)
	f.Text("account2", &a.AccountCode2, "", wire.OmitEmpty)
	wire.Repeat(f, "c", a.Customs[:], (*AllocationField).document, "", wire.OmitEmpty)
}

var allocations = store.NewTable("allocation", (*Allocation).columns)

// wholeAllocation is 100 %.
const wholeAllocation = 100 * value.DecimalOne

// maxAllocations is into how many shares an entry or an itemization can be divided.
const maxAllocations = 500

// The types of allocation of an entry.
const (
	NotAllocated    = "N"
	PartlyAllocated = "P"
	FullyAllocated  = "F"
)

// hiddenMark stands behind the two letters with which every protected id begins.
const hiddenMark = "h"

// hiddenAllocationID is the id of the hidden allocation of an entry or itemization. An
// id that no row has is looked up as one of these: without the mark it is the id of
// what is not allocated.
func hiddenAllocationID(of string) string { return of[:2] + hiddenMark + of[2:] }

// ofHidden is the id of what the hidden allocation with this id belongs to; empty when
// no hidden allocation has such an id.
func ofHidden(id string) string {
	if len(id) < 4 || id[2:3] != hiddenMark {
		return ""
	}
	return id[:2] + id[3:]
}

func (a *Allocation) v3(f *wire.Fields) {
	f.Text("AccountCode1", &a.AccountCode1, "The account code, unless another one was chosen that of the expense type.", wire.ReadOnly)
	f.Text("AccountCode2", &a.AccountCode2, "A second account code.", wire.ReadOnly)
	wire.Repeat(f, "Custom", a.Customs[:], (*AllocationField).v3, "A custom field, as the company's allocation form has it.", wire.ReadOnly)
	f.Text("EntryID", &a.Entry, "The entry that is allocated, or that the allocated itemization is a part of.", wire.ReadOnly, wire.NotNull)
	f.Text("ID", &a.ID, "The allocation's id.", wire.ReadOnly, wire.NotNull)
	f.Bool("IsHidden", &a.IsHidden, "Whether this is the system's allocation of the whole, which stands for what nobody has allocated.", wire.ReadOnly)
	f.Bool("IsPercentEdited", &a.PercentEdited, "Whether the percentage was edited.", wire.ReadOnly)
	f.Decimal("Percentage", &a.Percentage, "The share in percent, with eight decimals.", wire.ReadOnly, wire.AsText, wire.Decimals(8))
	f.Text("URI", &a.URI, "The allocation's address.", wire.ReadOnly, wire.NotNull)
}

// showAllocation fills what is not kept. kind is the expense type of what is allocated.
func (s *Service) showAllocation(cfg *org.Config, e *Entry, kind string, a *Allocation) {
	if a.AccountCode1 == "" {
		if t, ok := cfg.ExpenseType(e.Policy, kind); ok {
			a.AccountCode1 = t.AccountCode
		}
	}
	form := cfg.FormFields(org.AllocationForm)
	for i := range a.Customs {
		f := &a.Customs[i]
		if f.IsZero() {
			continue
		}
		switch n := slices.IndexFunc(form.Fields, func(g org.FormField) bool { return g.Name == customNames[i] }); {
		case form.ID == "":
			f.Type, f.Label, f.Sequence = string(org.TextField), customNames[i], int64(i+1)
		case n < 0:
			*f = AllocationField{}
		default:
			f.Type, f.Label, f.Sequence = string(form.Fields[n].Type), anyOf(form.Fields[n].Label, customNames[i]), int64(n+1)
		}
	}
	a.URI = s.url + api.V3.Base[0] + "/expense/allocations/" + a.ID
}

// hidden is the system's allocation of an entry, or of one of its itemizations, that
// nobody has allocated.
func hidden(e *Entry, itemization string) Allocation {
	return Allocation{ID: hiddenAllocationID(anyOf(itemization, e.ID)), Entry: e.ID, Itemization: itemization, Report: e.Report,
		Company: e.Company, Owner: e.Owner, Percentage: wholeAllocation, IsHidden: true}
}

// AllocationQuery is what allocations are searched by. All conditions must hold.
type AllocationQuery struct {
	Report      string
	Entry       string
	Itemization string
}

func (q *AllocationQuery) v3(f *wire.Fields) {
	f.Text("reportID", &q.Report, "Allocations of this report, of anyone whose reports the caller may read.", wire.Max(32))
	f.Text("entryID", &q.Entry, "Allocations of this entry and its itemizations, of anyone whose reports the caller may read.")
	f.Text("itemizationID", &q.Itemization, "Allocations of this itemization, of anyone whose reports the caller may read.")
}

// allocationPlace is where an allocation stands in a list: by entry, then the entry's
// own before those of its itemizations, one itemization after the other. Hidden ones
// have no seq of their own.
type allocationPlace struct{ entry, itemization, seq int64 }

func (p allocationPlace) before(q allocationPlace) bool {
	if p.entry != q.entry {
		return p.entry < q.entry
	}
	if p.itemization != q.itemization {
		return p.itemization < q.itemization
	}
	return p.seq < q.seq
}

// FindAllocations lists allocations, the hidden ones included, in the order of their
// entries. A page reads the entries that it shows and what is below them, nothing else.
func (s *Service) FindAllocations(tx *store.Tx, a *auth.Actor, q *AllocationQuery, page store.Page) (api.Listing[Allocation], error) {
	var none api.Listing[Allocation]
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	span := allocationSpan{itemization: q.Itemization}
	entry := q.Entry
	if q.Itemization != "" {
		i, err := itemizations.Get(tx, visible(a, "itemization.report_id"), q.Itemization)
		if errs.Is(err, errs.NotFound) || err == nil && entry != "" && entry != i.Entry {
			return none, nil
		}
		if err != nil {
			return none, err
		}
		entry = i.Entry
	}
	some := false
	if entry != "" {
		_, some, err = below(tx, a, q.Report, entry)
		span.entries = a.InCompany("").And("id = ?", entry)
	} else {
		span.entries, some, err = below(tx, a, q.Report, "")
	}
	if err != nil || !some {
		return none, err
	}
	after, ok, err := s.allocationStart(tx, span, page)
	if err != nil || !ok {
		return none, err
	}
	w := allocationWalk{s: s, tx: tx, cfg: cfg, span: span, after: after, left: page.Limit + 1}
	if err := w.run(); err != nil {
		return none, err
	}
	l := api.Listing[Allocation]{Rows: w.rows}
	if len(w.rows) > page.Limit {
		l.Rows = w.rows[:page.Limit]
		last := w.places[page.Limit-1]
		l.Next = []any{last.entry, last.itemization, last.seq}
	}
	return l, nil
}

// allocationSpan is which entries, and of them which itemization, a list is about.
type allocationSpan struct {
	entries     store.Predicate
	itemization string // id; empty for the entries and all their itemizations
}

// allocationStart is the place behind which a page begins; ok is false where the list
// ends before.
func (s *Service) allocationStart(tx *store.Tx, span allocationSpan, page store.Page) (p allocationPlace, ok bool, err error) {
	if page.After != nil {
		var at [3]int64
		for i := range at {
			if len(page.After) != len(at) {
				return p, false, errs.New(errs.Invalid, "page", "The page token does not belong to this list.")
			}
			at[i], ok = page.After[i].(int64)
			if !ok {
				return p, false, errs.New(errs.Invalid, "page", "The page token does not belong to this list.")
			}
		}
		return allocationPlace{at[0], at[1], at[2]}, true, nil
	}
	if page.Position == 0 {
		return p, true, nil
	}
	// A client that counts: the place is found without reading what stands before it.
	// Every entry has at least one allocation, so it is among as many entries.
	from := " FROM (SELECT seq, id FROM entry WHERE " + span.entries.SQL + " ORDER BY seq LIMIT ?) e"
	args := append(slices.Clone(span.entries.Args), int64(page.Position))
	text := "SELECT e.seq AS e, i.seq AS i, COALESCE(x.seq, 0) AS x" + from + " JOIN itemization i ON i.entry_id = e.id LEFT JOIN allocation x ON x.itemization_id = i.id AND x.itemization_id <> ''"
	if span.itemization != "" {
		text, args = text+" WHERE i.id = ?", append(args, span.itemization)
	} else {
		text = "SELECT e.seq AS e, 0 AS i, COALESCE(x.seq, 0) AS x" + from + " LEFT JOIN allocation x ON x.entry_id = e.id AND x.itemization_id = '' UNION ALL " + text
		args = append(slices.Clone(args), args...)
	}
	err = tx.QueryRow(text+" ORDER BY e, i, x LIMIT 1 OFFSET ?", append(args, int64(page.Position-1))...).Scan(&p.entry, &p.itemization, &p.seq)
	if errs.Is(err, errs.NotFound) {
		return p, false, nil
	}
	return p, true, err
}

// allocationWalk collects allocations behind a place, up to left of them.
type allocationWalk struct {
	s      *Service
	tx     *store.Tx
	cfg    *org.Config
	span   allocationSpan
	after  allocationPlace
	left   int
	rows   []Allocation
	places []allocationPlace
}

func (w *allocationWalk) full() bool { return len(w.rows) >= w.left }

func (w *allocationWalk) run() error {
	for from := w.after.entry - 1; !w.full(); { // the entry of the last page once more: it may go on
		list, more, err := entries.List(w.tx, w.span.entries, store.Predicate{}, store.Page{Limit: w.left - len(w.rows), After: []any{from}})
		if err != nil {
			return err
		}
		allocated, err := w.allocated(list)
		if err != nil {
			return err
		}
		for i := range list {
			e := &list[i]
			if w.full() {
				break
			}
			if err := w.entry(e, allocated[e.ID]); err != nil {
				return err
			}
			from = e.Seq
		}
		if !more {
			return nil
		}
	}
	return nil
}

// allocated tells which of some entries have rows of their own or of their itemizations.
func (w *allocationWalk) allocated(list []Entry) (map[string]bool, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	which := store.In("entry_id", ids...)
	rows, err := w.tx.Query("SELECT DISTINCT entry_id FROM allocation WHERE "+which.SQL+" ORDER BY entry_id", which.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		found[id] = true
	}
	return found, rows.Err()
}

// entry adds the allocations of an entry and its itemizations.
func (w *allocationWalk) entry(e *Entry, allocated bool) error {
	if w.span.itemization == "" {
		if err := w.add(e, "", e.ExpenseType, 0, allocated); err != nil {
			return err
		}
	}
	if !e.HasItemizations || w.full() {
		return nil
	}
	var which store.Predicate
	if w.span.itemization != "" {
		which = store.Where("id = ?", w.span.itemization)
	} else if e.Seq == w.after.entry {
		which = store.Where("seq >= ?", w.after.itemization)
	}
	parts, err := itemizations.All(w.tx, store.Where("entry_id = ?", e.ID), which, "", w.left-len(w.rows)+1) // one may have been shown before
	if err != nil {
		return err
	}
	for n := range parts {
		i := &parts[n]
		if err := w.add(e, i.ID, i.ExpenseType, i.Seq, allocated); err != nil || w.full() {
			return err
		}
	}
	return nil
}

// add adds what is allocated of an entry or of one of its itemizations, or the hidden
// allocation.
func (w *allocationWalk) add(e *Entry, itemization, kind string, seq int64, allocated bool) error {
	if last := (allocationPlace{e.Seq, seq, int64(^uint64(0) >> 1)}); last.before(w.after) {
		return nil
	}
	var list []Allocation
	if allocated {
		var err error
		if list, err = sharesIn(w.tx, e.ID, itemization); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		list = []Allocation{hidden(e, itemization)}
	}
	for n := range list {
		x := &list[n]
		place := allocationPlace{e.Seq, seq, x.Seq}
		if w.full() || !w.after.before(place) {
			continue
		}
		w.s.showAllocation(w.cfg, e, kind, x)
		w.rows, w.places = append(w.rows, *x), append(w.places, place)
	}
	return nil
}

// sharesIn reads the allocations that an entry, or one of its itemizations, has.
func sharesIn(tx *store.Tx, entry, itemization string) ([]Allocation, error) {
	return allocations.All(tx, store.Where("entry_id = ?", entry), store.Where("itemization_id = ?", itemization), "", store.MaxLimit)
}

// Allocation reads an allocation that the actor may see, hidden ones too.
func (s *Service) Allocation(tx *store.Tx, a *auth.Actor, id string) (*Allocation, error) {
	x, err := allocations.Get(tx, visible(a, "allocation.report_id"), id)
	var e *Entry
	switch {
	case err == nil:
		e, err = entries.Get(tx, a.InCompany(""), x.Entry)
	case errs.Is(err, errs.NotFound) && ofHidden(id) != "":
		x, e, err = hiddenOf(tx, a, ofHidden(id))
	}
	if err != nil {
		return nil, err
	}
	kind := e.ExpenseType
	if x.Itemization != "" {
		i, err := itemizations.Get(tx, a.InCompany(""), x.Itemization)
		if err != nil {
			return nil, err
		}
		kind = i.ExpenseType
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return nil, err
	}
	s.showAllocation(cfg, e, kind, x)
	return x, nil
}

// hiddenOf is the hidden allocation of an entry or itemization that the actor may read
// and nobody has allocated, with the entry.
func hiddenOf(tx *store.Tx, a *auth.Actor, id string) (*Allocation, *Entry, error) {
	part := ""
	e, err := entries.Get(tx, visible(a, "entry.report_id"), id)
	if errs.Is(err, errs.NotFound) {
		i, err := itemizations.Get(tx, visible(a, "itemization.report_id"), id)
		if err != nil {
			return nil, nil, err
		}
		part = i.ID
		if e, err = entries.Get(tx, a.InCompany(""), i.Entry); err != nil {
			return nil, nil, err
		}
	} else if err != nil {
		return nil, nil, err
	}
	list, err := sharesIn(tx, e.ID, part)
	if err != nil {
		return nil, nil, err
	}
	if len(list) > 0 {
		return nil, nil, errs.New(errs.NotFound, "notFound", "There is no such record.")
	}
	x := hidden(e, part)
	return &x, e, nil
}

// Allocate divides an entry, or one of its itemizations, into shares: of each,
// Percentage, accounts and custom fields count. Without shares nothing is allocated.
// The v3 services only read allocations, so this is for those who call without HTTP.
func (s *Service) Allocate(tx *store.Tx, a *auth.Actor, entry, itemization string, shares []Allocation, in *api.Input) error {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	p, err := s.parentNamed(tx, a, entry, in)
	if err != nil {
		return err
	}
	var part *Itemization
	if itemization != "" {
		if part, err = itemizations.One(tx, store.Where("entry_id = ?", entry), store.Where("id = ?", itemization)); err != nil {
			return err
		}
	}
	if len(shares) > maxAllocations {
		in.Addf("Percentage", "tooMany", "can be said of %d shares at most.", maxAllocations)
		return in.Err()
	}
	var sum value.Decimal
	now := make([]Allocation, len(shares)) // the closure may run again
	for i := range shares {
		x := shares[i]
		if x.Percentage <= 0 || x.Percentage > wholeAllocation {
			in.Add("Percentage", "range", "must be above nothing and at most 100.")
			return in.Err()
		}
		sum += x.Percentage
		x.ID, x.Seq = s.ids.Protected(), 0
		x.Entry, x.Itemization, x.Report, x.Company, x.Owner = entry, itemization, p.entry.Report, p.entry.Company, p.entry.Owner
		fields := x.fields()
		if err := s.settleCustoms(tx, cfg, org.AllocationForm, customFields{}, customFields{customs: fields}, in); err != nil {
			return err
		}
		for n := range x.Customs {
			x.Customs[n] = AllocationField{CustomField: fields[n]}
		}
		now[i] = x
	}
	off := value.Decimal(len(shares)) // as much as eight decimals of each may miss
	if sum > wholeAllocation+off {
		in.Addf("Percentage", "sum", "comes to %s together; 100 is the whole.", sum)
	}
	if err := in.Err(); err != nil {
		return err
	}
	kind := PartlyAllocated
	switch {
	case len(shares) == 0:
		kind = NotAllocated
	case sum >= wholeAllocation-off:
		kind = FullyAllocated
	}
	if err := allocations.SaveChildren(tx, store.Where("entry_id = ?", entry).And("itemization_id = ?", itemization), now); err != nil {
		return err
	}
	if part == nil {
		p.entry.AllocationType = kind
	} else {
		part.AllocationType, part.ModifiedAt = kind, tx.Now()
		if err := itemizations.Update(tx, part); err != nil {
			return err
		}
	}
	return s.reviewAgain(tx, cfg, p.head, p.entry)
}

func (s *Service) allocationOperations() []api.Operation {
	named := api.Named(api.Names{One: "AllocationGet", Many: "AllocationCollection", WireOne: "Allocation", WireMany: "Allocations"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "allocations." + id, Group: "Allocation", Summary: summary, Description: more}
	}
	return []api.Operation{
		api.List(api.V3, "/expense/allocations", s.FindAllocations, (*AllocationQuery).v3, (*Allocation).v3,
			doc("list", "Lists allocations", "In the order of their entries. What nobody has allocated has one hidden allocation of 100 %. Every condition must hold."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Get(api.V3, "/expense/allocations/{id}", s.Allocation, (*Allocation).v3,
			doc("get", "Reads an allocation", "Whoever may read the report may read its allocations."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}
