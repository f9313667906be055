package org

import (
	"strings"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// reader turns a company's rows into a settled configuration, and keeps the first error.
type reader struct {
	tx      *store.Tx
	company string
	st      *standing
	err     error

	expenses map[string]string // code by id
	payments map[string]string // code by id
	lists    map[string]string // name by id
}

func read(tx *store.Tx, c *Company) (*standing, error) {
	r := &reader{tx: tx, company: c.ID, st: &standing{Configuration: &Configuration{}, ids: map[string]string{}, taken: map[string]bool{}, people: map[string]*User{}},
		expenses: map[string]string{}, payments: map[string]string{}, lists: map[string]string{}}
	r.settings()
	r.types()
	r.readLists()
	r.forms()
	r.groups()
	r.rates()
	r.locations()
	return r.st, r.err
}

// all reads every row of the company, in order of creation.
func all[T any](r *reader, t *store.Table[T], seq func(*T) int64) []T {
	rows := []T{}
	for after := int64(0); r.err == nil; {
		var found []T
		if found, r.err = t.All(r.tx, ofCompany(r.company), store.Where("seq > ?", after), "seq", store.MaxLimit); r.err != nil {
			break
		}
		rows = append(rows, found...)
		if len(found) < store.MaxLimit {
			break
		}
		after = seq(&found[len(found)-1])
	}
	return rows
}

// each calls f on every row of a query whose one argument is the company.
func (r *reader) each(query string, f func(*store.Rows) error) {
	if r.err == nil {
		r.err = each(r.tx, f, query, r.company)
	}
}

func amountText(m value.Opt[value.Money]) string {
	if !m.Valid {
		return ""
	}
	return m.V.String()
}

func (r *reader) settings() {
	c := &fileCompany{}
	r.st.Company = c
	r.each(`SELECT account_id FROM tax_account WHERE company_id = ?`, func(rows *store.Rows) error { return rows.Scan(&c.TaxAccount) })
}

func (r *reader) types() {
	c := r.st.Configuration
	c.SpendCategories, c.ExpenseTypes, c.PaymentTypes, c.AttendeeTypes = []fileCategory{}, []fileExpenseType{}, []filePaymentType{}, []fileAttendeeType{}
	for _, k := range all(r, spendCategories, func(k *SpendCategory) int64 { return k.Seq }) {
		r.st.know("spend category", k.Code, k.ID)
		c.SpendCategories = append(c.SpendCategories, fileCategory{k.Code, k.Name})
	}
	for _, t := range all(r, expenseTypes, func(t *expenseTypeRow) int64 { return t.seq }) {
		r.st.know("expense type", t.Code, t.ID)
		r.expenses[t.ID] = t.Code
		c.ExpenseTypes = append(c.ExpenseTypes, fileExpenseType{Code: t.Code, Name: t.Name, Does: t.ExpenseCode, Category: t.SpendCategory,
			Account: t.AccountCode, Receipt: amountText(t.ReceiptRequiredAbove), Limit: amountText(t.Limit), Blocks: t.LimitBlocks, Attended: t.AttendeesRequired, VAT: t.HasVAT})
	}
	var payments []PaymentType
	if r.err == nil {
		payments, r.err = paymentTypes.All(r.tx, ofCompany(r.company), store.Predicate{}, "position, seq", store.MaxLimit)
	}
	for i, t := range payments {
		r.st.know("payment type", t.Code, t.ID)
		r.payments[t.ID] = t.Code
		c.PaymentTypes = append(c.PaymentTypes, filePaymentType{Code: t.Code, Name: t.Name, By: string(t.PaidBy), Default: t.Default, Position: int64(i + 1)})
	}
	limits := map[string]string{}
	r.each(`SELECT attendee_type_id, amount FROM attendee_limit WHERE company_id = ? ORDER BY attendee_type_id`, func(rows *store.Rows) error {
		var kind string
		var most int64
		err := rows.Scan(&kind, &most)
		limits[kind] = value.Money(most).String()
		return err
	})
	for _, t := range all(r, attendeeTypes, func(t *AttendeeType) int64 { return t.Seq }) {
		r.st.know("attendee type", t.Code, t.ID)
		c.AttendeeTypes = append(c.AttendeeTypes, fileAttendeeType{Code: t.Code, Name: t.Name, System: t.System, Private: t.Private, Counts: t.AllowCountEditing,
			Manual: t.AllowManualAttendees, Connector: t.Connector, Search: strings.Fields(t.searchFields), Limit: limits[t.ID]})
	}
}

func (r *reader) readLists() {
	below := map[string][]ListItem{} // by list and parent
	for _, i := range all(r, listItems, func(i *ListItem) int64 { return i.Seq }) {
		below[i.List+i.Parent] = append(below[i.List+i.Parent], i)
	}
	c := r.st.Configuration
	c.Lists = []fileList{}
	for _, l := range all(r, lists, func(l *List) int64 { return l.Seq }) {
		r.st.know("list", l.Name, l.ID)
		r.lists[l.ID] = l.Name
		items := r.items(below, l.ID, "", l.Name)
		if items == nil {
			items = []fileItem{}
		}
		c.Lists = append(c.Lists, fileList{Name: l.Name, CodeFirst: l.DisplayCodeFirst, Vendor: l.VendorList, Search: l.SearchCriteria,
			Connector: l.Connector, Threshold: l.ExternalThreshold, Items: items})
	}
}

func (r *reader) items(below map[string][]ListItem, list, parent, path string) []fileItem {
	var items []fileItem
	for _, i := range below[list+parent] {
		here := path + " / " + i.Code
		r.st.know("list item", here, i.ID)
		items = append(items, fileItem{Code: i.Code, Name: i.Name, Below: r.items(below, list, i.ID, here)})
	}
	return items
}

func (r *reader) forms() {
	c := r.st.Configuration
	c.Forms = []fileForm{}
	at := map[string]int{}
	r.each(`SELECT id, kind, name FROM form WHERE company_id = ? ORDER BY seq`, func(rows *store.Rows) error {
		var id string
		f := fileForm{Fields: []fileField{}}
		err := rows.Scan(&id, &f.Kind, &f.Name)
		r.st.know("form", f.Kind, id)
		at[id] = len(c.Forms)
		c.Forms = append(c.Forms, f)
		return err
	})
	r.each(`SELECT form_id, name, type, label, list_id, parent, required, max_length FROM form_field WHERE company_id = ? ORDER BY form_id, position, name`,
		func(rows *store.Rows) error {
			var form, list string
			var f fileField
			err := rows.Scan(&form, &f.Name, &f.Type, &f.Label, &list, &f.Parent, &f.Required, &f.Length)
			if i, ok := at[form]; ok {
				f.List = r.lists[list]
				c.Forms[i].Fields = append(c.Forms[i].Fields, f)
			}
			return err
		})
}

func (r *reader) groups() {
	c := r.st.Configuration
	c.Groups = []fileGroup{}
	at := map[string]int{}
	for _, g := range all(r, groups, func(g *Group) int64 { return g.Seq }) {
		r.st.know("expense group", g.Name, g.ID)
		at[g.ID] = len(c.Groups)
		f := fileGroup{Name: g.Name, AllowDigitalTaxInvoice: g.AllowDigitalTaxInvoice, AllowPersonalCards: g.AllowPersonalCards,
			AttendeeForm: g.AttendeeFormName, PaymentTypes: &[]string{}}
		if a := g.CashAdvance; a.Valid {
			r.st.know("cash advance", g.Name, a.V.Workflow)
			f.CashAdvance = &fileCashAdvance{a.V.Name, a.V.AllowCarryBalance, a.V.AllowLinkMultiple, a.V.AllowUpdateExchangeRate}
		}
		c.Groups = append(c.Groups, f)
	}
	r.each(`SELECT g.group_id, g.payment_type_id FROM group_payment_type g JOIN payment_type p ON p.id = g.payment_type_id
		WHERE g.company_id = ? ORDER BY p.position, p.seq`, func(rows *store.Rows) error {
		var group, payment string
		err := rows.Scan(&group, &payment)
		if i, ok := at[group]; ok {
			codes := c.Groups[i].PaymentTypes
			*codes = append(*codes, r.payments[payment])
		}
		return err
	})
	where := map[string][2]int{} // of policies: the group and the place in it
	for _, p := range all(r, policies, func(p *Policy) int64 { return p.Seq }) {
		i, ok := at[p.Group]
		if !ok {
			continue
		}
		g := &c.Groups[i]
		r.st.know("policy", g.Name+" / "+p.Name, p.ID)
		where[p.ID] = [2]int{i, len(g.Policies)}
		g.Policies = append(g.Policies, filePolicy{Name: p.Name, Default: p.Default, Inheritable: p.Inheritable, Receipt: amountText(p.ReceiptRequiredAbove),
			AccountingStep: p.AccountingStep, StrictEdits: p.StrictEdits, Types: &[]filePolicyType{}})
	}
	policy := func(id string) *filePolicy {
		if at, ok := where[id]; ok {
			return &c.Groups[at[0]].Policies[at[1]]
		}
		return new(filePolicy)
	}
	r.each(`SELECT policy_id, level, above FROM approval_level WHERE company_id = ? ORDER BY policy_id, level`, func(rows *store.Rows) error {
		var id string
		var level, above int64
		err := rows.Scan(&id, &level, &above)
		p := policy(id)
		p.Approvals = append(p.Approvals, fileApproval{level, value.Money(above).String()})
		return err
	})
	r.each(`SELECT c.policy_id, c.field, c.value, c.above, u.id, u.login, u.active FROM cost_object_approval c JOIN app_user u ON u.id = c.approver_id
		WHERE c.company_id = ? ORDER BY c.policy_id, c.position`, func(rows *store.Rows) error {
		var id string
		var above int64
		var o fileCostObject
		var u User
		err := rows.Scan(&id, &o.Field, &o.Value, &above, &u.ID, &u.Login, &u.Active)
		o.Above, o.Approver = value.Money(above).String(), u.Login
		r.st.people[fold(u.Login)] = &u
		p := policy(id)
		o.Position = int64(len(p.CostObjects) + 1)
		p.CostObjects = append(p.CostObjects, o)
		return err
	})
	r.each(`SELECT p.policy_id, p.expense_type_id, p.receipt_required_above, p.amount_limit, p.limit_blocks, p.attendees_required FROM policy_expense_type p JOIN expense_type t ON t.id = p.expense_type_id
		WHERE p.company_id = ? ORDER BY p.policy_id, t.seq`, func(rows *store.Rows) error {
		var id, kind string
		var receipt, limit *int64
		var t filePolicyType
		err := rows.Scan(&id, &kind, &receipt, &limit, &t.Blocks, &t.Attended)
		t.Code = r.expenses[kind]
		if receipt != nil {
			t.Receipt = value.Money(*receipt).String()
		}
		if limit != nil {
			t.Limit = value.Money(*limit).String()
		}
		if p := policy(id); p.Types != nil {
			*p.Types = append(*p.Types, t)
		}
		return err
	})
}

func (r *reader) rates() {
	c := r.st.Configuration
	c.Rates, c.MileageRates = []fileRates{}, []fileMileageRate{}
	r.each(`SELECT to_currency, on_date, from_currency, rate FROM exchange_rate WHERE company_id = ? ORDER BY to_currency, on_date, from_currency`,
		func(rows *store.Rows) error {
			var to, from string
			var on, rate int64
			err := rows.Scan(&to, &on, &from, &rate)
			day := value.Date(on).String()
			if n := len(c.Rates); n == 0 || c.Rates[n-1].To != to || c.Rates[n-1].On != day {
				c.Rates = append(c.Rates, fileRates{day, to, map[string]string{}})
			}
			c.Rates[len(c.Rates)-1].From[from] = value.Rate(rate).String()
			return err
		})
	r.each(`SELECT expense_code, from_date, unit, currency, per_unit FROM mileage_rate WHERE company_id = ? ORDER BY expense_code, from_date`,
		func(rows *store.Rows) error {
			var m fileMileageRate
			var from, per int64
			err := rows.Scan(&m.Does, &from, &m.Unit, &m.Currency, &per)
			m.From, m.PerUnit = value.Date(from).String(), value.Decimal(per).String()
			c.MileageRates = append(c.MileageRates, m)
			return err
		})
}

func (r *reader) locations() {
	c := r.st.Configuration
	c.Locations = []fileLocation{}
	for _, l := range all(r, locations, func(l *Location) int64 { return l.Seq }) {
		r.st.know("location", l.Country+" / "+l.Name, l.ID)
		c.Locations = append(c.Locations, fileLocation{Name: l.Name, City: l.City, Region: l.AdministrativeRegion, Country: l.Country, Subdivision: l.Subdivision,
			IATA: l.IATA, Airport: l.Airport, Booking: l.BookingTool, Latitude: l.Latitude.String(), Longitude: l.Longitude.String()})
	}
}
