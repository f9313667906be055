package org

import (
	"quittance/internal/kernel/store"
)

// The tables of the area. Folded keys are what is compared without case; they are
// written by save functions, never by hand.

func (c *Company) columns(k *store.Columns) {
	k.Seq(&c.Seq)
	k.Key("id", &c.ID)
	k.Text("name", &c.Name)
	k.Text("country", &c.Country)
	k.Currency("currency", &c.Currency)
	k.Text("ledger", &c.Ledger)
	k.Bool("disabled", &c.Disabled)
	k.Instant("created_at", &c.Created)
	k.Int("settings_version", &c.settings)
	k.Int("places_version", &c.places)
}

func (u *User) columns(k *store.Columns) {
	k.Seq(&u.Seq)
	k.Key("id", &u.ID)
	k.Text("company_id", &u.Company)
	k.Text("login", &u.Login)
	k.Text("login_key", &u.loginKey)
	k.Text("email", &u.Email)
	k.Text("email_key", &u.emailKey)
	k.Text("first_name", &u.FirstName)
	k.Text("middle_name", &u.MiddleName)
	k.Text("last_name", &u.LastName)
	k.Text("last_name_key", &u.lastNameKey)
	k.Text("employee_id", &u.EmployeeID)
	k.Text("employee_key", &u.employeeKey)
	k.Text("cell_phone", &u.CellPhone)
	k.Text("organization_unit", &u.OrganizationUnit)
	k.Text("password_hash", &u.passwordHash)
	k.Bool("password_expired", &u.PasswordExpired)
	k.Bool("sso_only", &u.SSOOnly)
	k.Bool("active", &u.Active)
	k.Bool("test_user", &u.Test)
	k.Text("manager_id", &u.Manager)
	k.Text("country", &u.Country)
	k.Currency("currency", &u.Currency)
	k.Text("language", &u.Language)
	k.Text("expense_group_id", &u.Group)
	k.Text("reimbursement", &u.Reimbursement)
	k.Instant("created_at", &u.Created)
	k.Instant("modified_at", &u.Modified)
}

func (a *Application) columns(k *store.Columns) {
	k.Seq(&a.Seq)
	k.Key("id", &a.ID)
	k.Text("client_id", &a.ClientID)
	k.Text("company_id", &a.Company)
	k.Text("name", &a.Name)
	k.Text("secret_hash", &a.secretHash)
	k.Text("profile", (*string)(&a.Profile))
	k.Text("scopes", &a.scopes)
	k.Text("grants", &a.grants)
	k.Text("redirect_uris", &a.redirects)
	k.Bool("every_company", &a.EveryCompany)
	k.Bool("disabled", &a.Disabled)
	k.Instant("created_at", &a.Created)
}

func (g *Group) columns(k *store.Columns) {
	k.Seq(&g.Seq)
	k.Key("id", &g.ID)
	k.Text("company_id", &g.Company)
	k.Text("name", &g.Name)
	k.Bool("allow_digital_tax_invoice", &g.AllowDigitalTaxInvoice)
	k.Bool("allow_personal_cards", &g.AllowPersonalCards)
	k.Text("attendee_form_id", &g.AttendeeForm)
	k.Text("attendee_form_name", &g.AttendeeFormName)
	k.Bool("has_cash_advance", &g.CashAdvance.Valid)
	k.Text("cash_workflow_id", &g.CashAdvance.V.Workflow)
	k.Text("cash_name", &g.CashAdvance.V.Name)
	k.Bool("cash_carry_balance", &g.CashAdvance.V.AllowCarryBalance)
	k.Bool("cash_link_multiple", &g.CashAdvance.V.AllowLinkMultiple)
	k.Bool("cash_update_rate", &g.CashAdvance.V.AllowUpdateExchangeRate)
}

func (p *Policy) columns(k *store.Columns) {
	k.Seq(&p.Seq)
	k.Key("id", &p.ID)
	k.Text("company_id", &p.Company)
	k.Text("group_id", &p.Group)
	k.Text("name", &p.Name)
	k.Bool("is_default", &p.Default)
	k.Bool("inheritable", &p.Inheritable)
	k.Bool("accounting_step", &p.AccountingStep)
	k.Bool("strict_edits", &p.StrictEdits)
	k.OptMoney("receipt_required_above", &p.ReceiptRequiredAbove)
}

// expenseTypeRow is an expense type of the company, before a policy changes it.
type expenseTypeRow struct {
	ExpenseType
	seq     int64
	company string
}

func (t *expenseTypeRow) columns(k *store.Columns) {
	k.Seq(&t.seq)
	k.Key("id", &t.ID)
	k.Text("company_id", &t.company)
	k.Text("code", &t.Code)
	k.Text("name", &t.Name)
	k.Text("expense_code", &t.ExpenseCode)
	k.Text("spend_category", &t.SpendCategory)
	k.Text("account_code", &t.AccountCode)
	k.Bool("has_vat", &t.HasVAT)
	k.OptMoney("receipt_required_above", &t.ReceiptRequiredAbove)
	k.OptMoney("amount_limit", &t.Limit)
	k.Bool("limit_blocks", &t.LimitBlocks)
	k.Bool("attendees_required", &t.AttendeesRequired)
}

func (t *PaymentType) columns(k *store.Columns) {
	k.Seq(&t.Seq)
	k.Key("id", &t.ID)
	k.Text("company_id", &t.Company)
	k.Text("code", &t.Code)
	k.Text("name", &t.Name)
	k.Text("paid_by", (*string)(&t.PaidBy))
	k.Bool("is_default", &t.Default)
	k.Int("position", &t.Position)
}

func (t *AttendeeType) columns(k *store.Columns) {
	k.Seq(&t.Seq)
	k.Key("id", &t.ID)
	k.Text("company_id", &t.Company)
	k.Text("code", &t.Code)
	k.Text("name", &t.Name)
	k.Text("name_key", &t.nameKey)
	k.Bool("system_type", &t.System)
	k.Bool("private_type", &t.Private)
	k.Bool("allow_count_editing", &t.AllowCountEditing)
	k.Bool("allow_manual_attendees", &t.AllowManualAttendees)
	k.Text("form_id", &t.Form)
	k.Text("connector_id", &t.Connector)
	k.Text("duplicate_search_fields", &t.searchFields)
}

func (s *SpendCategory) columns(k *store.Columns) {
	k.Seq(&s.Seq)
	k.Key("id", &s.ID)
	k.Text("company_id", &s.Company)
	k.Text("code", &s.Code)
	k.Text("name", &s.Name)
}

func (l *List) columns(k *store.Columns) {
	k.Seq(&l.Seq)
	k.Key("id", &l.ID)
	k.Text("company_id", &l.Company)
	k.Text("name", &l.Name)
	k.Text("name_key", &l.nameKey)
	k.Bool("display_code_first", &l.DisplayCodeFirst)
	k.Bool("vendor_list", &l.VendorList)
	k.Text("search_criteria", &l.SearchCriteria)
	k.Text("connector_id", &l.Connector)
	k.Int("external_threshold", &l.ExternalThreshold)
}

func (i *ListItem) columns(k *store.Columns) {
	k.Seq(&i.Seq)
	k.Key("id", &i.ID)
	k.Text("company_id", &i.Company)
	k.Text("list_id", &i.List)
	k.Text("parent_id", &i.Parent)
	k.Int("level", &i.Level)
	k.Text("code", &i.Code)
	k.Text("code_key", &i.codeKey)
	k.Text("name", &i.Name)
	k.Text("name_key", &i.nameKey)
	k.Text("path", &i.Path)
	k.Text("path_key", &i.pathKey)
}

func (l *Location) columns(k *store.Columns) {
	k.Seq(&l.Seq)
	k.Key("id", &l.ID)
	k.Text("company_id", &l.Company)
	k.Text("name", &l.Name)
	k.Text("name_key", &l.nameKey)
	k.Text("city", &l.City)
	k.Text("city_key", &l.cityKey)
	k.Text("country", &l.Country)
	k.Text("subdivision", &l.Subdivision)
	k.Text("administrative_region", &l.AdministrativeRegion)
	k.Text("region_key", &l.regionKey)
	k.Text("iata", &l.IATA)
	k.Bool("airport", &l.Airport)
	k.Bool("booking_tool", &l.BookingTool)
	k.Decimal("latitude", &l.Latitude)
	k.Decimal("longitude", &l.Longitude)
}

var (
	companies       = store.NewTable("company", (*Company).columns)
	users           = store.NewTable("app_user", (*User).columns)
	applications    = store.NewTable("application", (*Application).columns)
	groups          = store.NewTable("expense_group", (*Group).columns)
	policies        = store.NewTable("policy", (*Policy).columns)
	expenseTypes    = store.NewTable("expense_type", (*expenseTypeRow).columns)
	paymentTypes    = store.NewTable("payment_type", (*PaymentType).columns)
	attendeeTypes   = store.NewTable("attendee_type", (*AttendeeType).columns)
	spendCategories = store.NewTable("spend_category", (*SpendCategory).columns)
	lists           = store.NewTable("list", (*List).columns)
	listItems       = store.NewTable("list_item", (*ListItem).columns)
	locations       = store.NewTable("location", (*Location).columns)
)

// ofCompany is the predicate of a company's rows.
func ofCompany(id string) store.Predicate { return store.Where("company_id = ?", id) }
