package expense

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Whatever is done to reports, in whatever order: what is kept of a report is what its
// entries and itemizations come to, its exceptions are counted right, and its status,
// its open step and its history agree. Refused changes leave no trace either.
func TestReportsAlwaysAddUp(t *testing.T) {
	w := newWorld(t)
	// Reports are in their owners' currencies: 2, 0, 3 and 4 digits.
	for name, currency := range map[string]value.Currency{"bob": "JPY", "cora": "CLF", "ivan": "KWD"} {
		w.person(name, func(u *org.User) { u.Currency = currency })
	}
	w.exec("UPDATE form_field SET required = ? WHERE name = 'Custom9' AND form_id IN (SELECT id FROM form WHERE kind IN ('ENTRY', 'ITEMIZATION') AND company_id = ?)", true, demo)
	w.costObjects(org.CostObjectApproval{Field: "Custom2", Value: "ALPINE", Above: 5_0000, Approver: coraID},
		org.CostObjectApproval{Field: "Custom2", Value: "BEACON", Approver: ivanID})
	for _, delegate := range []string{annID, coraID, ivanID} {
		w.delegate(auth.Delegation{User: bobID, Delegate: delegate, Approve: true})
	}
	tally := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := &play{t: t, desk: &desk{w}, tally: tally}
		p.owner = rapid.SampledFrom([]string{"ann", "bob", "cora", "ivan"}).Draw(t, "owner")
		p.create()
		for range 3 {
			p.add()
			p.guests = append(p.guests, p.id(p.call(p.owner, "POST", "/api/v3.0/expense/attendees", `{"AttendeeTypeID":"BUSGUEST","LastName":"Guest"}`)))
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { p.t = t; p.check() },

			"report":   p.do(p.create),
			"entry":    p.do(p.add),
			"mileage":  p.do(p.drive),
			"double":   p.do(p.double),
			"edit":     p.do(p.edit),
			"re-edit":  p.do(p.edit), // edits and itemizations are what most follows from
			"move":     p.do(p.move),
			"delete":   p.do(p.delete),
			"itemize":  p.do(p.itemize),
			"split":    p.do(p.itemize),
			"alter":    p.do(p.alter),
			"unite":    p.do(p.unite),
			"invite":   p.do(p.invite),
			"host":     p.do(p.invite),
			"seat":     p.do(p.seat),
			"leave":    p.do(p.leave),
			"allocate": p.do(p.allocate),
			"picture":  p.do(p.picture),
			"submit":   p.do(p.submit),
			"hand in":  p.do(p.handIn),
			"act":      p.do(p.act),
			"re-act":   p.do(p.act),
			"reduce":   p.do(p.reduce),
			"cut":      p.do(p.reduce),
			"remove":   p.do(p.remove),
		})
	})
	// The test means nothing where everything is refused.
	if !testing.Short() && tally["cost objects"] == 0 {
		t.Error("nobody was ever asked for a cost object")
	}
	for _, what := range []string{"report", "entry", "mileage", "double", "edit", "move", "delete", "itemize", "alter", "unite", "invite", "seat", "leave", "allocate", "picture", "submit", "hand in", "act", "reduce", "remove"} {
		if !testing.Short() && tally[what+" done"] == 0 {
			t.Errorf("%s never succeeded: %v", what, tally)
		}
	}
}

// play is one run of the property: an owner's reports, and what is known of them.
type play struct {
	*desk
	t       *rapid.T
	tally   map[string]int
	owner   string
	reports []string
	entries []string
	guests  []string
}

func (p *play) do(act func()) func(*rapid.T) {
	return func(t *rapid.T) { p.t = t; act() }
}

// said counts how an attempt went; only refusals that a caller can cause are one.
func (p *play) said(what string, r reply) bool {
	switch r.status {
	case 200, 204:
		p.tally[what+" done"]++
		return true
	case 400, 403, 404, 409:
		p.tally[what+" refused"]++
		return false
	}
	p.t.Fatalf("%s: %d %s", what, r.status, r.body)
	return false
}

// tried is said for what the services are asked without HTTP.
func (p *play) tried(what string, err error) bool {
	if err == nil {
		p.tally[what+" done"]++
		return true
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Forbidden, errs.NotFound, errs.Conflict:
		p.tally[what+" refused"]++
	default:
		p.t.Fatalf("%s: %v", what, err)
	}
	return false
}

func (p *play) body(members map[string]any) string {
	b, err := json.Marshal(members)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

func (p *play) id(r reply) string {
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &made); err != nil {
		p.t.Fatal(err)
	}
	return made.ID
}

func (p *play) aReport() string {
	if len(p.reports) == 0 {
		p.t.Skip("no report")
	}
	return rapid.SampledFrom(p.reports).Draw(p.t, "report")
}

func (p *play) anEntry() string {
	if len(p.entries) == 0 {
		p.t.Skip("no entry")
	}
	return rapid.SampledFrom(p.entries).Draw(p.t, "entry")
}

var (
	currencies = rapid.SampledFrom([]string{"USD", "EUR", "JPY", "XAF", "KWD", "BHD", "CLF"})
	payments   = rapid.SampledFrom([]string{"CASHX", "CPAID", "PENDC", "CBCP", "IBIP"})
	types      = rapid.SampledFrom([]string{"TAXIX", "LUNCH", "LODNG", "MISCL"})
	// amounts are small, so that they meet the limits and each other; some are refunds,
	// some have more decimals than their currency, and a few are very large.
	amounts = rapid.Custom(func(t *rapid.T) string {
		n := rapid.Int64Range(-30_0000, 200_0000).Draw(t, "amount")
		if rapid.IntRange(0, 19).Draw(t, "size") == 0 {
			n *= 3_000_000_000_000 / 2_000_000 * 100
		}
		return value.Money(n).String()
	})
	rates = rapid.SampledFrom([]string{"0.5", "0.000000000001", "1.039", "1", "3.3333333333", "157.231"})
)

func (p *play) create() {
	if len(p.reports) == 3 {
		p.t.Skip("enough reports")
	}
	members := map[string]any{"Name": fmt.Sprintf("Report %d", len(p.reports))}
	if rapid.Bool().Draw(p.t, "reviewed") {
		members["PolicyID"] = p.reviewed()
	}
	p.project(members)
	r := p.call(p.owner, "POST", "/api/v3.0/expense/reports", p.body(members))
	if p.said("report", r) {
		p.reports = append(p.reports, p.id(r))
	}
}

func (p *play) add() {
	members := map[string]any{"ReportID": p.aReport(), "ExpenseTypeCode": types.Draw(p.t, "type"), "PaymentTypeID": payments.Draw(p.t, "payment"),
		"TransactionAmount": amounts.Draw(p.t, "amount"), "TransactionCurrencyCode": currencies.Draw(p.t, "currency"), "TransactionDate": "2025-03-07",
		"IsPersonal": rapid.Bool().Draw(p.t, "personal")}
	if rapid.Bool().Draw(p.t, "with a rate") {
		members["ExchangeRate"] = rates.Draw(p.t, "rate")
	}
	if rapid.IntRange(0, 4).Draw(p.t, "without the required field") > 0 {
		members["Custom9"] = "x"
	}
	p.project(members)
	p.added("entry", members)
}

// project names a cost object, or none.
func (p *play) project(members map[string]any) {
	if project := rapid.SampledFrom([]string{"", "ALPINE", "BEACON"}).Draw(p.t, "project"); project != "" {
		members["Custom2"] = project
	}
}

func (p *play) drive() {
	p.added("mileage", map[string]any{"ReportID": p.aReport(), "ExpenseTypeCode": "MILEG", "TransactionDate": "2025-03-07", "Custom9": "x",
		"IsPersonal": rapid.Bool().Draw(p.t, "personal"),
		"Journey": map[string]any{"StartLocation": "Here", "EndLocation": "There", "UnitOfMeasure": rapid.SampledFrom([]string{"M", "K"}).Draw(p.t, "unit"),
			"BusinessDistance": rapid.IntRange(1, 999).Draw(p.t, "distance")}})
}

// double adds an entry that looks like another one.
func (p *play) double() {
	l, _ := p.lines(p.anEntry())
	e := l.Entry
	if e.Journey.Valid {
		p.t.Skip("a journey has no amount of its own")
	}
	p.added("double", map[string]any{"ReportID": p.aReport(), "ExpenseTypeCode": e.ExpenseType, "PaymentTypeID": e.PaymentType, "Custom9": "x",
		"TransactionAmount": e.TransactionAmount.String(), "TransactionCurrencyCode": e.TransactionCurrency, "TransactionDate": e.TransactionDate.String()})
}

func (p *play) added(what string, members map[string]any) {
	r := p.call(p.owner, "POST", "/api/v3.0/expense/entries", p.body(members))
	if p.said(what, r) {
		p.entries = append(p.entries, p.id(r))
	}
}

func (p *play) edit() {
	members := map[string]any{}
	for name, draw := range map[string]func() any{
		"TransactionAmount":       func() any { return amounts.Draw(p.t, "amount") },
		"TransactionCurrencyCode": func() any { return currencies.Draw(p.t, "currency") },
		"ExchangeRate":            func() any { return rates.Draw(p.t, "rate") },
		"PaymentTypeID":           func() any { return payments.Draw(p.t, "payment") },
		"ExpenseTypeCode":         func() any { return types.Draw(p.t, "type") },
		"IsPersonal":              func() any { return rapid.Bool().Draw(p.t, "personal") },
		"Custom9":                 func() any { return rapid.SampledFrom([]any{nil, "y"}).Draw(p.t, "required field") },
	} {
		members[name] = draw
	}
	chosen := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"TransactionAmount", "TransactionCurrencyCode", "ExchangeRate", "PaymentTypeID",
		"ExpenseTypeCode", "IsPersonal", "Custom9"}), 1, 3, rapid.ID).Draw(p.t, "members")
	body := map[string]any{}
	for _, name := range chosen {
		body[name] = members[name].(func() any)()
	}
	p.said("edit", p.call(p.owner, "PUT", "/api/v3.0/expense/entries/"+p.anEntry(), p.body(body)))
}

func (p *play) move() {
	p.said("move", p.call(p.owner, "PUT", "/api/v3.0/expense/entries/"+p.anEntry(), p.body(map[string]any{"ReportID": p.aReport()})))
}

func (p *play) delete() {
	id := p.anEntry()
	if p.said("delete", p.call(p.owner, "DELETE", "/api/v3.0/expense/entries/"+id, "")) {
		p.entries = slices.DeleteFunc(p.entries, func(e string) bool { return e == id })
	}
}

// under is an entry with what is below it, and its report's approval status.
type under struct {
	Lines
	status string
}

// lines reads an entry with what is below it.
func (p *play) lines(id string) (l under, seats []Association) {
	p.look(func(tx *store.Tx) (err error) {
		if l.Entry, err = entries.Get(tx, store.Unrestricted(), id); err != nil {
			return err
		}
		h, err := heads.Get(tx, store.Unrestricted(), l.Entry.Report)
		if err != nil {
			return err
		}
		l.status = h.ApprovalStatus
		if l.Itemizations, err = partsOf(tx, id); err != nil {
			return err
		}
		seats, err = associations.All(tx, store.Where("entry_id = ?", id), store.Predicate{}, "", store.MaxLimit)
		return err
	})
	return l, seats
}

// piece is an amount out of what is left of an entry: some of it, all, or too much.
func (p *play) piece(e *Entry, left value.Money) string {
	switch rapid.IntRange(0, 4).Draw(p.t, "piece") {
	case 0:
		return left.String()
	case 1:
		return (left + value.MoneyUnit).String()
	}
	return (e.TransactionAmount / 11 * value.Money(rapid.IntRange(-1, 9).Draw(p.t, "elevenths"))).String()
}

// itemize splits a part off an entry.
func (p *play) itemize() {
	id := p.anEntry()
	l, _ := p.lines(id)
	left := l.Entry.TransactionAmount
	for i := range l.Itemizations {
		left -= l.Itemizations[i].TransactionAmount
	}
	members := map[string]any{"EntryID": id, "ExpenseTypeCode": types.Draw(p.t, "type"), "TransactionDate": "2025-03-07", "TransactionAmount": p.piece(l.Entry, left),
		"IsPersonal": rapid.Bool().Draw(p.t, "personal")}
	if rapid.IntRange(0, 4).Draw(p.t, "without the required field") > 0 {
		members["Custom9"] = "x"
	}
	p.said("itemize", p.call(p.owner, "POST", "/api/v3.0/expense/itemizations", p.body(members)))
}

// aPart is an itemization of some entry.
func (p *play) aPart() Itemization {
	var all []Itemization
	for _, id := range p.entries {
		l, _ := p.lines(id)
		all = append(all, l.Itemizations...)
	}
	if len(all) == 0 {
		p.t.Skip("no itemization")
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(p.t, "itemization")]
}

func (p *play) alter() {
	part, members := p.aPart(), map[string]any{}
	switch rapid.IntRange(0, 4).Draw(p.t, "member") {
	case 0:
		l, _ := p.lines(part.Entry)
		members["TransactionAmount"] = p.piece(l.Entry, part.TransactionAmount)
	case 1:
		members["IsPersonal"] = !part.IsPersonal
	case 2:
		members["ExpenseTypeCode"] = types.Draw(p.t, "type")
	case 3:
		members["EntryID"] = p.anEntry()
	case 4:
		members["Custom9"] = rapid.SampledFrom([]any{nil, "y"}).Draw(p.t, "required field")
	}
	p.said("alter", p.call(p.owner, "PUT", "/api/v3.0/expense/itemizations/"+part.ID, p.body(members)))
}

func (p *play) unite() {
	p.said("unite", p.call(p.owner, "DELETE", "/api/v3.0/expense/itemizations/"+p.aPart().ID, ""))
}

// invite adds an attendee to an entry, with a share that is given or not.
func (p *play) invite() {
	id := p.anEntry()
	members := map[string]any{"EntryID": id, "AttendeeID": rapid.SampledFrom(p.guests).Draw(p.t, "guest")}
	if rapid.IntRange(0, 2).Draw(p.t, "share") == 0 {
		l, _ := p.lines(id)
		members["Amount"] = p.piece(l.Entry, l.Entry.TransactionAmount)
	}
	if rapid.Bool().Draw(p.t, "unnamed guests") {
		members["AssociatedAttendeeCount"] = rapid.IntRange(0, 7).Draw(p.t, "heads")
	}
	p.said("invite", p.call(p.owner, "POST", "/api/v3.0/expense/entryattendeeassociations", p.body(members)))
}

func (p *play) aSeat() Association {
	var all []Association
	for _, id := range p.entries {
		_, seats := p.lines(id)
		all = append(all, seats...)
	}
	if len(all) == 0 {
		p.t.Skip("no attendee")
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(p.t, "seat")]
}

func (p *play) seat() {
	x := p.aSeat()
	l, _ := p.lines(x.Entry)
	members := map[string]any{"AssociatedAttendeeCount": rapid.IntRange(0, 5).Draw(p.t, "heads")}
	switch rapid.IntRange(0, 2).Draw(p.t, "share") {
	case 0:
		members["Amount"] = nil
	case 1:
		members["Amount"] = p.piece(l.Entry, x.Amount)
	}
	p.said("seat", p.call(p.owner, "PUT", "/api/v3.0/expense/entryattendeeassociations/"+x.ID, p.body(members)))
}

func (p *play) leave() {
	p.said("leave", p.call(p.owner, "DELETE", "/api/v3.0/expense/entryattendeeassociations/"+p.aSeat().ID, ""))
}

func (p *play) allocate() {
	id := p.anEntry()
	percent := rapid.SampledFrom([]value.Decimal{wholeAllocation, wholeAllocation / 2, wholeAllocation / 4}).Draw(p.t, "percentage")
	p.tried("allocate", p.db.Write(p.world.t.Context(), func(tx *store.Tx) error {
		in := api.Direct()
		if err := p.expense.Allocate(tx, p.actor(p.owner), id, "", []Allocation{{Percentage: percent}}, in); err != nil {
			return err
		}
		return in.Err()
	}))
}

// picture attaches an image to an entry or takes it off, as imaging tells it.
func (p *play) picture() {
	id, images := p.anEntry(), rapid.Int64Range(0, 1).Draw(p.t, "images")
	p.tried("picture", p.db.Write(p.world.t.Context(), func(tx *store.Tx) error {
		held, err := p.expense.EntryHolder().Find(tx, p.actor2(), id, 1)
		if err != nil {
			return err
		}
		if held.Locked != "" {
			return errs.New(errs.Invalid, "locked", held.Locked)
		}
		return p.expense.EntryHolder().Changed(tx, id, images)
	}))
}

// actor2 is the company's own token: it may change everybody's records.
func (p *play) actor2() *auth.Actor { return &auth.Actor{Kind: auth.Company, ID: demo, Company: demo} }

func (p *play) submit() {
	r := p.call(p.owner, "POST", v1+p.aReport()+"/submit", "")
	if strings.Contains(r.body, failure) {
		r.status = 400
	}
	p.said("submit", r)
}

// handIn submits a report without those of its entries that keep it from that.
func (p *play) handIn() {
	id := p.aReport()
	var r *Report
	var found []Exception
	p.look(func(tx *store.Tx) (err error) {
		if r, err = reports.Get(tx, store.Unrestricted(), id); err != nil {
			return err
		}
		var all []Lines
		if all, err = linesOf(tx, r); err != nil {
			return err
		}
		cfg, err := p.org.Config(tx, demo)
		if err == nil {
			found = judgeReport(cfg, r, all, p.now)
		}
		return err
	})
	if !editable(r.ApprovalStatus) {
		p.t.Skip("it is submitted")
	}
	for _, x := range blocking(found) {
		if n := slices.Index(p.entries, x.Entry); n >= 0 {
			if r := p.call(p.owner, "DELETE", "/api/v3.0/expense/entries/"+x.Entry, ""); r.status != 200 {
				p.t.Fatalf("%d %s", r.status, r.body)
			}
			p.entries = slices.Delete(p.entries, n, n+1)
		}
	}
	p.added("entry", map[string]any{"ReportID": id, "ExpenseTypeCode": "TAXIX", "PaymentTypeID": payments.Draw(p.t, "payment"), "Custom9": "x",
		"TransactionAmount": rapid.IntRange(-9, 9).Draw(p.t, "amount"), "TransactionCurrencyCode": r.Currency, "TransactionDate": "2025-03-07", "ExchangeRate": 1})
	p.said("hand in", p.call(p.owner, "PATCH", p.v4(p.actor(p.owner).ID, id)+"/submit", ""))
}

func (p *play) act() {
	id := p.aReport()
	var step string
	p.look(func(tx *store.Tx) error {
		r, err := reports.Get(tx, store.Unrestricted(), id)
		if err == nil {
			step = r.Step
		}
		return err
	})
	if step == "" {
		p.t.Skip("no step is open")
	}
	who := rapid.SampledFrom([]string{"bob", "cora", "ivan", "wes", "wes", p.owner}).Draw(p.t, "who")
	what := rapid.SampledFrom([]Action{ActionApprove, ActionApprove, ActionApprove, ActionSendBack, ActionRecall}).Draw(p.t, "action")
	p.said("act", p.call(who, "POST", v1+step+"/workflowaction", action(string(what), "So be it")))
}

// reduce approves some amount of an entry: mostly one that can be.
func (p *play) reduce() {
	var waiting []*Entry
	for _, id := range p.entries {
		if l, _ := p.lines(id); !editable(l.status) {
			waiting = append(waiting, l.Entry)
		}
	}
	if len(waiting) == 0 {
		p.t.Skip("no report waits")
	}
	e := rapid.SampledFrom(waiting).Draw(p.t, "entry")
	coin := coinOf(e.ReportCurrency)
	claimed := e.PostedAmount - e.PersonalAmount
	to := claimed / 17 * value.Money(rapid.IntRange(-1, 18).Draw(p.t, "seventeenths")) / coin * coin
	switch rapid.IntRange(0, 9).Draw(p.t, "amount") {
	case 0:
		to = claimed
	case 1:
		to = claimed + coin
	case 2:
		to += coin / 2
	}
	who := rapid.SampledFrom([]string{"bob", "cora", "ivan", p.owner}).Draw(p.t, "who")
	p.said("reduce", p.call("company", "PATCH", p.context(p.actor(who).ID, "MANAGER", e.Report)+"/expenses/"+e.ID,
		`{"approvedAmount":{"value":"`+to.String()+`","currencyCode":"`+string(e.ReportCurrency)+`"},"comment":"Too dear"}`))
}

func (p *play) remove() {
	if len(p.reports) < 2 {
		p.t.Skip("keep it")
	}
	id := p.aReport()
	if !p.said("remove", p.call("company", "DELETE", p.v4(p.actor(p.owner).ID, id), "")) {
		return
	}
	p.reports = slices.DeleteFunc(p.reports, func(r string) bool { return r == id })
	p.entries = slices.DeleteFunc(p.entries, func(e string) bool {
		var n int64
		p.look(func(tx *store.Tx) error { return tx.QueryRow("SELECT COUNT(*) FROM entry WHERE id = ?", e).Scan(&n) })
		return n == 0
	})
}

// standing is a report with everything below it and behind it, as it is kept.
type standing struct {
	report *Report
	lines  []Lines
	seats  map[string][]Association // by entry
	summed Sums                     // by the database
	found  []Exception
	way    []Step
	told   []Event
}

// look reads; what is wrong is said outside of the transaction, which takes a panic
// for an error of its own.
func (p *play) look(f func(tx *store.Tx) error) {
	if err := p.db.Read(p.world.t.Context(), f); err != nil {
		p.t.Fatal(err)
	}
}

// check reads all reports of the play and works out what they must say.
func (p *play) check() {
	var all []standing
	var cfg *org.Config
	var lost int64
	p.look(func(tx *store.Tx) (err error) {
		if cfg, err = p.org.Config(tx, demo); err != nil {
			return err
		}
		for _, id := range p.reports {
			var s standing
			if s.report, err = reports.Get(tx, store.Unrestricted(), id); err != nil {
				return err
			}
			if s.lines, err = linesOf(tx, s.report); err != nil {
				return err
			}
			if err = findTwins(tx, demo, s.lines); err != nil {
				return err
			}
			s.seats = map[string][]Association{}
			if err = each(tx, associations, store.Unrestricted(), store.Where("report_id = ?", id), func(x *Association) {
				s.seats[x.Entry] = append(s.seats[x.Entry], *x)
			}); err != nil {
				return err
			}
			if err := sameTraits(tx, demo, id); err != nil {
				return err
			}
			if s.summed, err = sumEntries(tx, demo, id); err != nil {
				return err
			}
			if s.found, err = exceptionsOf(tx, s.report); err != nil {
				return err
			}
			own := store.Where("company_id = ? AND report_id = ?", demo, id)
			if s.way, err = steps.All(tx, own, store.Predicate{}, "", store.MaxLimit); err != nil {
				return err
			}
			if s.told, err = events.All(tx, own, store.Predicate{}, "", store.MaxLimit); err != nil {
				return err
			}
			all = append(all, s)
		}
		for _, table := range []string{"itemization", "allocation", "entry_attendee", "digital_tax_invoice"} {
			if err := tx.QueryRow("SELECT COUNT(*) FROM " + table + " x WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = x.entry_id AND e.report_id = x.report_id)").Scan(&lost); err != nil {
				return err
			}
			if lost > 0 {
				break
			}
		}
		return nil
	})
	if lost > 0 {
		p.t.Fatal("something stands below an entry that is gone or elsewhere")
	}
	count := 0
	for i := range all {
		s := &all[i]
		count += len(s.lines)
		p.checkSums(cfg, s.report, s.lines)
		for n := range s.lines {
			p.checkSeats(s.lines[n].Entry, s.seats[s.lines[n].Entry.ID])
		}
		if s.summed != s.report.Sums {
			p.t.Fatalf("the rows come to %+v, kept is %+v", s.summed, s.report.Sums)
		}
		p.checkExceptions(cfg, s.report, s.lines, s.found)
		p.checkWay(s)
	}
	if count != len(p.entries) {
		p.t.Fatalf("the reports have %d entries, %d were made and not removed", count, len(p.entries))
	}
}

// checkSums works the amounts out from below: each entry from its own amount and rate,
// an itemized one's personal share from its parts, the report from its entries.
func (p *play) checkSums(cfg *org.Config, r *Report, lines []Lines) {
	var want Sums
	digits := r.Currency.Digits()
	exact := func(what string, m value.Money, digits int) {
		if m.Round(digits) != m {
			p.t.Fatalf("%s is %s, which %d digits cannot write", what, m, digits)
		}
	}
	for i := range lines {
		e, parts := lines[i].Entry, lines[i].Itemizations
		exact("a transaction amount", e.TransactionAmount, e.TransactionCurrency.Digits())
		posted, err := e.TransactionAmount.Convert(e.ExchangeRate, digits)
		if err != nil || posted != e.PostedAmount {
			p.t.Fatalf("%s %s at %s is posted as %s, want %s (%v)", e.TransactionAmount, e.TransactionCurrency, e.ExchangeRate, e.PostedAmount, posted, err)
		}
		personal := value.Money(0)
		if e.IsPersonal {
			personal = posted
		}
		if e.HasItemizations != (len(parts) > 0) {
			p.t.Fatalf("the entry has %d parts and says %v", len(parts), e.HasItemizations)
		}
		var given, split, shared value.Money
		// approved is held against what is claimed: all of it while the owner has the report.
		approved := func(what any, m, claimed value.Money) {
			exact("an approved amount", m, digits)
			if editable(r.ApprovalStatus) && m != claimed || beyond(m, claimed) || m != 0 && (m < 0) != (claimed < 0) {
				p.t.Fatalf("of the %s that are claimed %s are approved in a report %s: %+v", claimed, m, r.ApprovalStatus, what)
			}
		}
		for n := range parts {
			part := &parts[n]
			exact("a part", part.PostedAmount, digits)
			given, split, shared = given+part.TransactionAmount, split+part.PostedAmount, shared+part.ApprovedAmount
			claimed := part.PostedAmount
			if part.IsPersonal {
				personal, claimed = personal+part.PostedAmount, 0
			}
			approved(part, part.ApprovedAmount, claimed)
			if part.Report != e.Report {
				p.t.Fatalf("the part %+v of the entry %+v", part, e)
			}
		}
		if len(parts) > 0 && given == e.TransactionAmount && split != posted || beyond(given, e.TransactionAmount) {
			p.t.Fatalf("the parts of %s come to %s", posted, split)
		}
		if personal != 0 && (personal < 0) != (posted < 0) || beyond(personal, posted) {
			p.t.Fatalf("of %s %s are personal", posted, personal)
		}
		approved(e, e.ApprovedAmount, posted-personal)
		if e.PersonalAmount != personal || len(parts) > 0 && given == e.TransactionAmount && e.ApprovedAmount != shared {
			p.t.Fatalf("the entry says %s personal and %s approved, its parts %s and %s", e.PersonalAmount, e.ApprovedAmount, personal, shared)
		}
		if e.Report != r.ID || e.Owner != r.Owner || e.Policy != r.Policy || e.ReportCurrency != r.Currency {
			p.t.Fatalf("the entry %+v is not its report's", e)
		}
		want.Total += posted
		want.Personal += personal
		want.Approved += e.ApprovedAmount
		kind, ok := cfg.PaymentType(e.PaymentType, "")
		switch {
		case !ok:
			p.t.Fatalf("there is no payment type %s", e.PaymentType)
		case kind.PaidBy == org.PaidByEmployee:
			want.DueEmployee += e.ApprovedAmount
		case kind.PaidBy == org.PaidByCompanyCard:
			want.DueCard += e.ApprovedAmount
		}
	}
	if want != r.Sums {
		p.t.Fatalf("the report says %+v, its entries %+v", r.Sums, want)
	}
}

// checkSeats works out the shares of an entry's attendees: what is not given is what the
// given ones leave, no head more than a coin more than another.
func (p *play) checkSeats(e *Entry, seats []Association) {
	if e.HasAttendees != (len(seats) > 0) {
		p.t.Fatalf("the entry has %d attendees and says %v", len(seats), e.HasAttendees)
	}
	var all value.Money
	free := false
	var least, most value.Money
	for _, x := range seats {
		if x.Report != e.Report || x.Owner != e.Owner || x.AttendeeCount < 1 {
			p.t.Fatalf("the association %+v of the entry %+v", x, e)
		}
		if x.Amount.Round(e.TransactionCurrency.Digits()) != x.Amount || x.Amount != 0 && (x.Amount < 0) != (e.TransactionAmount < 0) {
			p.t.Fatalf("a share of %s %s is %s", e.TransactionAmount, e.TransactionCurrency, x.Amount)
		}
		all += x.Amount
		if x.AmountGiven {
			continue
		}
		head := magnitude(x.Amount) / value.Money(x.AttendeeCount)
		if !free || head < least {
			least = head
		}
		most, free = max(most, head), true
	}
	coin := map[int]value.Money{0: 10_000, 2: 100, 3: 10, 4: 1}[e.TransactionCurrency.Digits()]
	switch {
	case free && all != e.TransactionAmount, beyond(all, e.TransactionAmount):
		p.t.Fatalf("the shares %+v of %s come to %s", seats, e.TransactionAmount, all)
	case most-least > coin:
		p.t.Fatalf("the shares %+v are not even", seats)
	}
}

// checkExceptions compares the counts, and of an editable report's entries what is
// kept with what the rules find: all of it was found when the entry was written last.
func (p *play) checkExceptions(cfg *org.Config, r *Report, lines []Lines, found []Exception) {
	if int64(len(found)) != r.Exceptions {
		p.t.Fatalf("%d exceptions are kept, the report counts %d", len(found), r.Exceptions)
	}
	kept := map[string][]string{}
	onParts := map[string]int64{}
	for _, x := range found {
		if x.Itemization != "" {
			onParts[x.Itemization]++
		}
		kept[x.Entry] = append(kept[x.Entry], x.Code+x.Itemization)
	}
	for i := range lines {
		e := lines[i].Entry
		if int64(len(kept[e.ID])) != e.Exceptions {
			p.t.Fatalf("%v are kept on an entry that counts %d", kept[e.ID], e.Exceptions)
		}
		for _, part := range lines[i].Itemizations {
			if part.Exceptions != onParts[part.ID] {
				p.t.Fatalf("%d exceptions are kept on a part that counts %d", onParts[part.ID], part.Exceptions)
			}
		}
		for _, x := range judgeEntry(cfg, e, lines[i].Itemizations, p.now) {
			if !slices.Contains(kept[e.ID], x.Code+x.Itemization) {
				p.t.Fatalf("the rules find %s, kept is %v", x.Code, kept[e.ID])
			}
		}
		if told := slices.Contains(kept[e.ID], codeDuplicateEntry); editable(r.ApprovalStatus) && told != (len(lines[i].SameEntries) > 0) {
			p.t.Fatalf("the entry has twins in %v, kept is %v", lines[i].SameEntries, kept[e.ID])
		}
	}
	if !editable(r.ApprovalStatus) {
		for _, x := range found {
			if x.Level == LevelError {
				p.t.Fatalf("a report was submitted with %s", x.Code)
			}
		}
	}
}

// checkWay holds status, dates, steps and history against each other.
func (p *play) checkWay(s *standing) {
	r := s.report
	var open []string
	done := 0
	for _, step := range s.way {
		if step.State == stepOpen {
			open = append(open, step.ID)
		} else {
			done++
		}
		judged := (step.State == stepApproved || step.State == stepSentBack) && !step.pays()
		if asks := step.Kind == managerStep || step.Kind == costObjectStep; asks == (step.Approver == "") || step.Approver == r.Owner || judged && step.ClosedBy == r.Owner {
			p.t.Fatalf("the owner %s is asked, or nobody: %+v", r.Owner, step)
		}
		if step.Kind == costObjectStep {
			p.tally["cost objects"]++
		}
	}
	cuts := 0
	for i := range s.told {
		if s.told[i].Action == "REDUCE" {
			cuts++
		}
	}
	approved := r.ApprovalStatus == Approved
	switch {
	case strings.Join(open, " ") != r.Step:
		p.t.Fatalf("the steps %v are open, the report waits at %q", open, r.Step)
	case (r.Step != "") == editable(r.ApprovalStatus) && r.PaymentStatus != PaymentConfirmed:
		p.t.Fatalf("a report %s waits at %q", r.ApprovalStatus, r.Step)
	case approved != (r.PaymentStatus != NotPaid), approved != (r.ProcessingAt != 0),
		(r.PaymentStatus == Paid || r.PaymentStatus == PaymentConfirmed) != (r.PaidAt != 0):
		p.t.Fatalf("a report %s is %s, processed %d, paid %d", r.ApprovalStatus, r.PaymentStatus, r.ProcessingAt, r.PaidAt)
	case len(s.told)-cuts != done+int(r.Submissions):
		p.t.Fatalf("%d events tell of %d submits, %d steps and %d reductions", len(s.told), r.Submissions, done, cuts)
	}
	if len(s.told) > 0 {
		if last := s.told[len(s.told)-1]; last.ApprovalStatus != r.ApprovalStatus || last.PaymentStatus != r.PaymentStatus {
			p.t.Fatalf("the last event is %+v, the report is %s and %s", last, r.ApprovalStatus, r.PaymentStatus)
		}
	}
}
