package org

import (
	"strings"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// configurer makes a company's rows what a settled configuration says, and keeps the
// first error. Records that stand keep their ids; those of new ones are derived from
// their names where nobody has them, so that equal files make equal stores.
type configurer struct {
	s       *Service
	tx      *store.Tx
	company *Company
	*standing
	err error
}

func (w *configurer) write(c *Configuration) {
	w.settings(c.Company)
	w.categories(c.SpendCategories)
	w.expenseTypes(c.ExpenseTypes)
	w.paymentTypes(c.PaymentTypes)
	w.lists(c.Lists)
	w.forms(c.Forms)
	w.attendeeTypes(c.AttendeeTypes)
	w.groups(c.Groups)
	w.rates(c)
	w.locations(c.Locations)
}

// id is the id of a record by what plans call it; names are what a new one's is
// derived from.
func (w *configurer) id(noun, what string, names ...string) string {
	key := keyOf(noun, what)
	if id, ok := w.ids[key]; ok {
		return id
	}
	id := derive(append([]string{w.company.ID}, names...)...).Protected()
	if w.taken[id] {
		id = w.s.ids.Protected()
	}
	w.ids[key], w.taken[id] = id, true
	return id
}

func (w *configurer) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.Exec(query, args...)
	}
}

func save[T any](w *configurer, t *store.Table[T], rows []T) {
	if w.err == nil {
		w.err = t.SaveChildren(w.tx, ofCompany(w.company.ID), rows)
	}
}

// amount reads a settled amount.
func amount(text string) value.Opt[value.Money] {
	if text == "" {
		return value.Opt[value.Money]{}
	}
	m, _ := value.ParseMoney(text)
	return value.Some(m)
}

// column is an amount as an argument of SQL.
func column(m value.Opt[value.Money]) any {
	if !m.Valid {
		return nil
	}
	return int64(m.V)
}

func (w *configurer) settings(c *fileCompany) {
	w.exec(`DELETE FROM tax_account WHERE company_id = ?`, w.company.ID)
	if c.TaxAccount != "" {
		w.exec(`INSERT INTO tax_account (company_id, account_id) VALUES (?, ?)`, w.company.ID, c.TaxAccount)
	}
}

func (w *configurer) categories(all []fileCategory) {
	rows := make([]SpendCategory, len(all))
	for i, k := range all {
		rows[i] = SpendCategory{ID: w.id("spend category", k.Code, "spend category", k.Code), Company: w.company.ID, Code: k.Code, Name: k.Name}
	}
	save(w, spendCategories, rows)
}

func (w *configurer) expenseTypes(all []fileExpenseType) {
	rows := make([]expenseTypeRow, len(all))
	for i, t := range all {
		rows[i] = expenseTypeRow{company: w.company.ID, ExpenseType: ExpenseType{ID: w.id("expense type", t.Code, "expense type", t.Code),
			Code: t.Code, Name: t.Name, ExpenseCode: t.Does, SpendCategory: t.Category, AccountCode: t.Account, HasVAT: t.VAT,
			ReceiptRequiredAbove: amount(t.Receipt), Limit: amount(t.Limit), LimitBlocks: t.Blocks, AttendeesRequired: t.Attended}}
	}
	save(w, expenseTypes, rows)
}

func (w *configurer) paymentTypes(all []filePaymentType) {
	rows := make([]PaymentType, len(all))
	for i, t := range all {
		rows[i] = PaymentType{ID: w.id("payment type", t.Code, "payment type", t.Code), Company: w.company.ID, Code: t.Code, Name: t.Name,
			PaidBy: PaidBy(t.By), Default: t.Default, Position: t.Position}
	}
	save(w, paymentTypes, rows)
}

func (w *configurer) attendeeTypes(all []fileAttendeeType) {
	form := w.ids["form\n"+string(AttendeeForm)]
	rows := make([]AttendeeType, len(all))
	for i, t := range all {
		rows[i] = AttendeeType{ID: w.id("attendee type", t.Code, "attendee type", t.Code), Company: w.company.ID, Code: t.Code, Name: t.Name, nameKey: fold(t.Name),
			System: t.System, Private: t.Private, AllowCountEditing: t.Counts, AllowManualAttendees: t.Manual, Form: form, Connector: t.Connector,
			searchFields: strings.Join(t.Search, " ")}
	}
	save(w, attendeeTypes, rows)
	w.exec(`DELETE FROM attendee_limit WHERE company_id = ?`, w.company.ID)
	for i, t := range all {
		if t.Limit != "" {
			w.exec(`INSERT INTO attendee_limit (company_id, attendee_type_id, amount) VALUES (?, ?, ?)`, w.company.ID, rows[i].ID, int64(amount(t.Limit).V))
		}
	}
}

func (w *configurer) lists(all []fileList) {
	rows := make([]List, len(all))
	var items []ListItem
	for i, l := range all {
		rows[i] = List{ID: w.id("list", l.Name, "list", l.Name), Company: w.company.ID, Name: l.Name, nameKey: fold(l.Name), DisplayCodeFirst: l.CodeFirst,
			VendorList: l.Vendor, SearchCriteria: l.Search, Connector: l.Connector, ExternalThreshold: l.Threshold}
		items = w.items(items, l.Items, ListItem{Company: w.company.ID, List: rows[i].ID}, l.Name)
	}
	save(w, lists, rows)
	save(w, listItems, items)
}

// items adds what is below an item, or below a list's root.
func (w *configurer) items(rows []ListItem, all []fileItem, above ListItem, path string) []ListItem {
	for _, f := range all {
		i := ListItem{Company: above.Company, List: above.List, Parent: above.ID, Level: above.Level + 1, Code: f.Code, Name: f.Name}
		i.place(above.Path)
		here := path + " / " + f.Code
		i.ID = w.id("list item", here, "list item", i.List, i.Path)
		rows = w.items(append(rows, i), f.Below, i, here)
	}
	return rows
}

func (w *configurer) forms(all []fileForm) {
	for _, table := range []string{"form_field", "form"} {
		w.exec(`DELETE FROM `+table+` WHERE company_id = ?`, w.company.ID)
	}
	stay := map[string]bool{}
	for _, f := range all {
		id := w.id("form", f.Kind, "form", f.Kind)
		stay["form\n"+f.Kind] = true
		w.exec(`INSERT INTO form (id, company_id, kind, name) VALUES (?, ?, ?, ?)`, id, w.company.ID, f.Kind, f.Name)
		for i, field := range f.Fields {
			list := ""
			if field.List != "" {
				list = w.ids["list\n"+fold(field.List)]
			}
			w.exec(`INSERT INTO form_field (form_id, name, company_id, position, type, label, list_id, parent, required, max_length) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				id, field.Name, w.company.ID, int64(i+1), field.Type, field.Label, list, field.Parent, field.Required, field.Length)
		}
	}
	for key := range w.ids {
		if strings.HasPrefix(key, "form\n") && !stay[key] {
			delete(w.ids, key)
		}
	}
}

func (w *configurer) groups(all []fileGroup) {
	for _, table := range []string{"group_payment_type", "approval_level", "cost_object_approval", "policy_expense_type"} {
		w.exec(`DELETE FROM `+table+` WHERE company_id = ?`, w.company.ID)
	}
	rows := make([]Group, len(all))
	var below []Policy
	for i, g := range all {
		rows[i] = Group{ID: w.id("expense group", g.Name, "group", g.Name), Company: w.company.ID, Name: g.Name, AllowDigitalTaxInvoice: g.AllowDigitalTaxInvoice,
			AllowPersonalCards: g.AllowPersonalCards, AttendeeForm: w.ids["form\n"+string(AttendeeForm)], AttendeeFormName: g.AttendeeForm}
		if a := g.CashAdvance; a != nil {
			rows[i].CashAdvance = value.Some(CashAdvance{Workflow: w.id("cash advance", g.Name, "cash advance workflow", a.Name), Name: a.Name,
				AllowCarryBalance: a.CarryBalance, AllowLinkMultiple: a.LinkMultiple, AllowUpdateExchangeRate: a.UpdateRate})
		}
		for _, code := range *g.PaymentTypes {
			w.exec(`INSERT INTO group_payment_type (group_id, payment_type_id, company_id) VALUES (?, ?, ?)`, rows[i].ID, w.ids["payment type\n"+code], w.company.ID)
		}
		for _, p := range g.Policies {
			below = append(below, w.policy(g.Name, rows[i].ID, p))
		}
	}
	save(w, groups, rows)
	save(w, policies, below)
}

func (w *configurer) policy(group, groupID string, p filePolicy) Policy {
	row := Policy{ID: w.id("policy", group+" / "+p.Name, "policy", group, p.Name), Company: w.company.ID, Group: groupID, Name: p.Name, Default: p.Default,
		Inheritable: p.Inheritable, AccountingStep: p.AccountingStep, StrictEdits: p.StrictEdits, ReceiptRequiredAbove: amount(p.Receipt)}
	for _, a := range p.Approvals {
		w.exec(`INSERT INTO approval_level (policy_id, level, above, company_id) VALUES (?, ?, ?, ?)`, row.ID, a.Level, int64(amount(a.Above).V), w.company.ID)
	}
	for _, o := range p.CostObjects {
		w.exec(`INSERT INTO cost_object_approval (policy_id, position, company_id, field, value, value_key, above, approver_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			row.ID, o.Position, w.company.ID, o.Field, o.Value, fold(o.Value), int64(amount(o.Above).V), w.people[fold(o.Approver)].ID)
	}
	for _, t := range *p.Types {
		w.exec(`INSERT INTO policy_expense_type (policy_id, expense_type_id, company_id, receipt_required_above, amount_limit, limit_blocks, attendees_required)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, row.ID, w.ids["expense type\n"+t.Code], w.company.ID, column(amount(t.Receipt)), column(amount(t.Limit)), t.Blocks, t.Attended)
	}
	return row
}

func (w *configurer) rates(c *Configuration) {
	for _, table := range []string{"exchange_rate", "mileage_rate"} {
		w.exec(`DELETE FROM `+table+` WHERE company_id = ?`, w.company.ID)
	}
	for _, r := range c.Rates {
		on, _ := value.ParseDate(r.On)
		for _, from := range sortedKeys(r.From) {
			rate, _ := value.ParseRate(r.From[from])
			w.exec(`INSERT INTO exchange_rate (company_id, from_currency, to_currency, on_date, rate) VALUES (?, ?, ?, ?, ?)`,
				w.company.ID, from, r.To, int64(on), int64(rate))
		}
	}
	for _, m := range c.MileageRates {
		from, _ := value.ParseDate(m.From)
		per, _ := value.ParseDecimal(m.PerUnit)
		w.exec(`INSERT INTO mileage_rate (company_id, expense_code, from_date, unit, currency, per_unit) VALUES (?, ?, ?, ?, ?, ?)`,
			w.company.ID, m.Does, int64(from), m.Unit, m.Currency, int64(per))
	}
}

func (w *configurer) locations(all []fileLocation) {
	rows := make([]Location, len(all))
	for i, l := range all {
		latitude, _ := value.ParseDecimal(l.Latitude)
		longitude, _ := value.ParseDecimal(l.Longitude)
		rows[i] = Location{ID: w.id("location", l.Country+" / "+l.Name, "location", l.Country, l.Name), Company: w.company.ID, Name: l.Name, City: l.City,
			AdministrativeRegion: l.Region, Country: l.Country, Subdivision: l.Subdivision, IATA: l.IATA, Airport: l.Airport, BookingTool: l.Booking,
			Latitude: latitude, Longitude: longitude}
		rows[i].fold()
	}
	save(w, locations, rows)
	if w.err == nil {
		w.err = indexLocations(w.tx, w.company.ID, rows)
	}
}
