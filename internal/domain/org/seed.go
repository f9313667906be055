package org

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

//go:embed seed/*.yaml
var seedFiles embed.FS

// Seed is what an import makes: companies with their people and applications, and
// the configuration that each of them starts with.
type Seed struct {
	Companies    []SeedCompany     `yaml:"companies"`
	Rates        []seedRates       `yaml:"rates"`
	MileageRates []seedMileageRate `yaml:"mileage_rates"`

	standard  seedStandard
	locations [][]string
}

// SeedCompany is a company of a seed.
type SeedCompany struct {
	ID           string            `yaml:"id"`
	Name         string            `yaml:"name"`
	Country      string            `yaml:"country"`
	Currency     string            `yaml:"currency"`
	Tokens       []string          `yaml:"tokens"`
	Users        []SeedUser        `yaml:"users"`
	Applications []seedApplication `yaml:"applications"`
}

// SeedUser is a user of a seed. Hash is the hash of Password, where it was made beforehand.
type SeedUser struct {
	ID            string   `yaml:"id"`
	Login         string   `yaml:"login"`
	Password      string   `yaml:"password"`
	Hash          string   `yaml:"hash"`
	First         string   `yaml:"first"`
	Middle        string   `yaml:"middle"`
	Last          string   `yaml:"last"`
	Employee      string   `yaml:"employee"`
	Phone         string   `yaml:"phone"`
	Unit          string   `yaml:"unit"`
	Manager       string   `yaml:"manager"`
	Country       string   `yaml:"country"`
	Currency      string   `yaml:"currency"`
	Reimbursement string   `yaml:"reimbursement"`
	Test          bool     `yaml:"test"`
	Roles         []string `yaml:"roles"`
}

type seedApplication struct {
	ClientID     string   `yaml:"client_id"`
	Secret       string   `yaml:"secret"`
	Name         string   `yaml:"name"`
	Profile      string   `yaml:"profile"`
	RedirectURIs []string `yaml:"redirect_uris"`
	Scopes       []string `yaml:"scopes"`
	Grants       []string `yaml:"grants"`
	EveryCompany bool     `yaml:"every_company"`
}

type seedRates struct {
	On   string            `yaml:"on"`
	To   string            `yaml:"to"`
	From map[string]string `yaml:"from"`
}

type seedMileageRate struct {
	Does     string `yaml:"does"`
	From     string `yaml:"from"`
	Unit     string `yaml:"unit"`
	Currency string `yaml:"currency"`
	PerUnit  string `yaml:"per_unit"`
}

type seedStandard struct {
	SpendCategories [][]string         `yaml:"spend_categories"`
	ExpenseTypes    []seedExpenseType  `yaml:"expense_types"`
	PaymentTypes    []seedPaymentType  `yaml:"payment_types"`
	AttendeeTypes   []seedAttendeeType `yaml:"attendee_types"`
	Lists           []seedList         `yaml:"lists"`
	Forms           []seedForm         `yaml:"forms"`
	Groups          []seedGroup        `yaml:"groups"`
}

type seedExpenseType struct {
	Code     string `yaml:"code"`
	Name     string `yaml:"name"`
	Does     string `yaml:"does"`
	Category string `yaml:"category"`
	Account  string `yaml:"account"`
	Receipt  string `yaml:"receipt"`
	Limit    string `yaml:"limit"`
	VAT      bool   `yaml:"vat"`
}

type seedPaymentType struct {
	Code    string `yaml:"code"`
	Name    string `yaml:"name"`
	By      string `yaml:"by"`
	Default bool   `yaml:"default"`
}

type seedAttendeeType struct {
	Code    string   `yaml:"code"`
	Name    string   `yaml:"name"`
	System  bool     `yaml:"system"`
	Private bool     `yaml:"private"`
	Counts  bool     `yaml:"counts"`
	Search  []string `yaml:"search"`
}

type seedList struct {
	Name      string     `yaml:"name"`
	CodeFirst bool       `yaml:"code_first"`
	Vendor    bool       `yaml:"vendor"`
	Search    string     `yaml:"search"`
	Items     []seedItem `yaml:"items"`
}

type seedItem struct {
	Code  string     `yaml:"code"`
	Name  string     `yaml:"name"`
	Below []seedItem `yaml:"below"`
}

type seedForm struct {
	Kind   string      `yaml:"kind"`
	Name   string      `yaml:"name"`
	Fields []seedField `yaml:"fields"`
}

type seedField struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"`
	Label    string `yaml:"label"`
	List     string `yaml:"list"`
	Required bool   `yaml:"required"`
	Length   int64  `yaml:"length"`
}

type seedGroup struct {
	Name                   string           `yaml:"name"`
	AllowDigitalTaxInvoice bool             `yaml:"allow_digital_tax_invoice"`
	AllowPersonalCards     bool             `yaml:"allow_personal_cards"`
	AttendeeForm           string           `yaml:"attendee_form"`
	CashAdvance            *seedCashAdvance `yaml:"cash_advance"`
	Policies               []seedPolicy     `yaml:"policies"`
}

type seedCashAdvance struct {
	Name         string `yaml:"name"`
	CarryBalance bool   `yaml:"carry_balance"`
	LinkMultiple bool   `yaml:"link_multiple"`
	UpdateRate   bool   `yaml:"update_rate"`
}

type seedPolicy struct {
	Name           string         `yaml:"name"`
	Default        bool           `yaml:"default"`
	Inheritable    bool           `yaml:"inheritable"`
	Receipt        string         `yaml:"receipt"`
	AccountingStep bool           `yaml:"accounting_step"`
	StrictEdits    bool           `yaml:"strict_edits"`
	Approvals      []seedApproval `yaml:"approvals"`
	Types          []string       `yaml:"types"`
}

type seedApproval struct {
	Level int64  `yaml:"level"`
	Above string `yaml:"above"`
}

// DevSeed is the company of the sandbox (design §6), with a second one beside it.
func DevSeed() (*Seed, error) { return readSeed("seed/dev.yaml") }

// StandardSeed has no companies: what a new company's configuration is made from.
func StandardSeed() (*Seed, error) { return readSeed("") }

func readSeed(name string) (*Seed, error) {
	s := &Seed{}
	if name != "" {
		if err := readYAML(name, s); err != nil {
			return nil, err
		}
	}
	if err := readYAML("seed/standard.yaml", &s.standard); err != nil {
		return nil, err
	}
	var places struct {
		Locations [][]string `yaml:"locations"`
	}
	if err := readYAML("seed/locations.yaml", &places); err != nil {
		return nil, err
	}
	s.locations = places.Locations
	return s, nil
}

func readYAML(name string, into any) error {
	b, err := seedFiles.ReadFile(name)
	if err != nil {
		return err
	}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(into); err != nil {
		return fmt.Errorf("org: %s: %w", name, err)
	}
	return nil
}

// Hash makes the hashes of passwords that stand in the seed without one. It is slow,
// so it is done before the transaction of ApplySeed.
func (d *Seed) Hash(ctx context.Context, p *auth.Passwords) error {
	for i := range d.Companies {
		for j := range d.Companies[i].Users {
			u := &d.Companies[i].Users[j]
			if u.Hash != "" || u.Password == "" {
				continue
			}
			hash, err := p.Hash(ctx, u.Password)
			if err != nil {
				return err
			}
			u.Hash = hash
		}
	}
	return nil
}

// ApplySeed makes everything that a seed names. Ids that the seed does not give are
// derived from the names, so that two stores with one seed are equal.
func (s *Service) ApplySeed(tx *store.Tx, d *Seed) error {
	for i := range d.Companies {
		n := &d.Companies[i]
		c := &Company{ID: n.ID, Name: n.Name, Country: n.Country, Currency: value.Currency(n.Currency)}
		if err := s.AddCompany(tx, c); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		if err := s.Configure(tx, c, d); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		if err := s.addPeople(tx, c, n); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		for j := range n.Applications {
			a := &n.Applications[j]
			grants := make([]Grant, len(a.Grants))
			for k, g := range a.Grants {
				grants[k] = Grant(g)
			}
			if _, _, err := s.AddApplication(tx, NewApplication{
				ID: derive(c.ID, "application", a.ClientID).UUID(), ClientID: a.ClientID, Secret: a.Secret, Company: c.ID,
				Name: a.Name, Profile: auth.Profile(a.Profile), Scopes: a.Scopes, Grants: grants,
				RedirectURIs: a.RedirectURIs, EveryCompany: a.EveryCompany,
			}); err != nil {
				return fmt.Errorf("org: the application %s: %w", a.ClientID, err)
			}
		}
		for _, token := range n.Tokens {
			if _, err := s.AddCompanyToken(tx, c.ID, c.ID, token, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) addPeople(tx *store.Tx, c *Company, n *SeedCompany) error {
	ids := map[string]string{}
	for j := range n.Users {
		u := &n.Users[j]
		if u.ID == "" {
			u.ID = derive(c.ID, "user", u.Login).UUID()
		}
		ids[u.Login] = u.ID
	}
	for j := range n.Users {
		u := &n.Users[j]
		roles := make([]auth.Role, len(u.Roles))
		for k, r := range u.Roles {
			roles[k] = auth.Role(r)
		}
		if u.Manager != "" && ids[u.Manager] == "" {
			return fmt.Errorf("org: the manager %s of %s is not in the company", u.Manager, u.Login)
		}
		if err := s.AddUser(tx, &User{
			ID: u.ID, Company: c.ID, Login: u.Login, FirstName: u.First, MiddleName: u.Middle, LastName: u.Last,
			EmployeeID: u.Employee, CellPhone: u.Phone, OrganizationUnit: u.Unit, Active: true, Test: u.Test,
			Manager: ids[u.Manager], Country: u.Country, Currency: value.Currency(u.Currency), Reimbursement: u.Reimbursement,
		}, u.Hash, roles...); err != nil {
			return fmt.Errorf("org: the user %s: %w", u.Login, err)
		}
	}
	return nil
}

// Configure gives a company the configuration of a seed.
func (s *Service) Configure(tx *store.Tx, c *Company, d *Seed) error {
	w := &seeder{tx: tx, company: c, lists: map[string]string{}}
	w.categories(d.standard.SpendCategories)
	types := w.expenseTypes(d.standard.ExpenseTypes)
	payments := w.paymentTypes(d.standard.PaymentTypes)
	w.attendeeTypes(d.standard.AttendeeTypes)
	for i := range d.standard.Lists {
		w.list(&d.standard.Lists[i])
	}
	forms := w.forms(d.standard.Forms)
	for i := range d.standard.Groups {
		w.group(&d.standard.Groups[i], types, payments, forms)
	}
	w.locations(d.locations)
	for _, r := range d.Rates {
		for from, rate := range r.From {
			n, err := value.ParseRate(rate)
			w.check(err)
			w.exec(`INSERT INTO exchange_rate (company_id, from_currency, to_currency, on_date, rate) VALUES (?, ?, ?, ?, ?)`,
				c.ID, from, r.To, int64(w.date(r.On)), int64(n))
		}
	}
	for _, m := range d.MileageRates {
		per, err := value.ParseDecimal(m.PerUnit)
		w.check(err)
		w.exec(`INSERT INTO mileage_rate (company_id, expense_code, from_date, unit, currency, per_unit) VALUES (?, ?, ?, ?, ?, ?)`,
			c.ID, m.Does, int64(w.date(m.From)), m.Unit, m.Currency, int64(per))
	}
	if w.err != nil {
		return w.err
	}
	if err := s.SettingsChanged(tx, c.ID); err != nil {
		return err
	}
	return s.PlacesChanged(tx, c.ID)
}

// seeder writes rows and keeps the first error.
type seeder struct {
	tx      *store.Tx
	company *Company
	lists   map[string]string // id by name
	err     error
}

func (w *seeder) check(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *seeder) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.Exec(query, args...)
	}
}

func (w *seeder) id(kind string, names ...string) string {
	return derive(append([]string{w.company.ID, kind}, names...)...).Protected()
}

func (w *seeder) money(text string) value.Opt[value.Money] {
	if text == "" {
		return value.Opt[value.Money]{}
	}
	m, err := value.ParseMoney(text)
	w.check(err)
	return value.Some(m)
}

func (w *seeder) date(text string) value.Date {
	d, err := value.ParseDate(text)
	w.check(err)
	return d
}

func insert[T any](w *seeder, t *store.Table[T], row *T) {
	if w.err == nil {
		w.err = t.Insert(w.tx, row)
	}
}

func (w *seeder) categories(rows [][]string) {
	for _, r := range rows {
		insert(w, spendCategories, &SpendCategory{ID: w.id("spend category", r[0]), Company: w.company.ID, Code: r[0], Name: r[1]})
	}
}

func (w *seeder) expenseTypes(rows []seedExpenseType) map[string]string {
	ids := map[string]string{}
	for _, r := range rows {
		t := &expenseTypeRow{company: w.company.ID, ExpenseType: ExpenseType{
			ID: w.id("expense type", r.Code), Code: r.Code, Name: r.Name, ExpenseCode: r.Does, SpendCategory: r.Category,
			AccountCode: r.Account, HasVAT: r.VAT, ReceiptRequiredAbove: w.money(r.Receipt), Limit: w.money(r.Limit),
		}}
		insert(w, expenseTypes, t)
		ids[r.Code] = t.ID
	}
	return ids
}

func (w *seeder) paymentTypes(rows []seedPaymentType) []string {
	var ids []string
	for i, r := range rows {
		t := &PaymentType{ID: w.id("payment type", r.Code), Company: w.company.ID, Code: r.Code, Name: r.Name,
			PaidBy: PaidBy(r.By), Default: r.Default, Position: int64(i + 1)}
		insert(w, paymentTypes, t)
		ids = append(ids, t.ID)
	}
	return ids
}

func (w *seeder) attendeeTypes(rows []seedAttendeeType) {
	form := w.id("form", string(AttendeeForm))
	for _, r := range rows {
		insert(w, attendeeTypes, &AttendeeType{
			ID: w.id("attendee type", r.Code), Company: w.company.ID, Code: r.Code, Name: r.Name, nameKey: fold(r.Name),
			System: r.System, Private: r.Private, AllowCountEditing: r.Counts, AllowManualAttendees: !r.System, Form: form,
			searchFields: strings.Join(r.Search, " "),
		})
	}
}

func (w *seeder) list(l *seedList) {
	row := &List{ID: w.id("list", l.Name), Company: w.company.ID, Name: l.Name, nameKey: fold(l.Name), DisplayCodeFirst: l.CodeFirst,
		VendorList: l.Vendor, SearchCriteria: l.Search, ExternalThreshold: 1}
	insert(w, lists, row)
	w.lists[l.Name] = row.ID
	w.items(row.ID, "", "", 1, l.Items)
}

func (w *seeder) items(list, parent, path string, level int64, items []seedItem) {
	for _, i := range items {
		row := &ListItem{Company: w.company.ID, List: list, Parent: parent, Level: level, Code: i.Code, codeKey: fold(i.Code),
			Name: i.Name, nameKey: fold(i.Name), Path: path + i.Code + "\n"}
		row.pathKey = fold(row.Path)
		row.ID = w.id("list item", list, row.Path)
		insert(w, listItems, row)
		w.items(list, row.ID, row.Path, level+1, i.Below)
	}
}

func (w *seeder) forms(forms []seedForm) map[string]string {
	ids := map[string]string{}
	for _, f := range forms {
		id := w.id("form", f.Kind)
		ids[f.Kind] = id
		w.exec(`INSERT INTO form (id, company_id, kind, name) VALUES (?, ?, ?, ?)`, id, w.company.ID, f.Kind, f.Name)
		position := 0
		for _, field := range f.Fields {
			length := field.Length
			if length == 0 {
				length = 48
			}
			list := ""
			if field.List != "" {
				if list = w.lists[field.List]; list == "" {
					w.check(fmt.Errorf("org: the form %s names an unknown list %s", f.Name, field.List))
				}
			}
			stem, first, last := fieldRange(field.Name)
			for n := first; n <= last; n++ {
				position++
				w.exec(`INSERT INTO form_field (form_id, name, company_id, position, type, label, list_id, required, max_length) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
					id, stem+strconv.Itoa(n), w.company.ID, position, field.Type, strings.ReplaceAll(field.Label, "{n}", strconv.Itoa(n)), list, field.Required, length)
			}
		}
	}
	return ids
}

// fieldRange takes Custom3..20 apart.
func fieldRange(name string) (stem string, first, last int) {
	name, end, more := strings.Cut(name, "..")
	stem = strings.TrimRight(name, "0123456789")
	first, _ = strconv.Atoi(name[len(stem):])
	last = first
	if more {
		last, _ = strconv.Atoi(end)
	}
	return stem, first, last
}

func (w *seeder) group(g *seedGroup, types map[string]string, payments []string, forms map[string]string) {
	row := &Group{ID: w.id("group", g.Name), Company: w.company.ID, Name: g.Name, AllowDigitalTaxInvoice: g.AllowDigitalTaxInvoice,
		AllowPersonalCards: g.AllowPersonalCards, AttendeeForm: forms[string(AttendeeForm)], AttendeeFormName: g.AttendeeForm}
	if a := g.CashAdvance; a != nil {
		row.CashAdvance = value.Some(CashAdvance{Workflow: w.id("cash advance workflow", a.Name), Name: a.Name,
			AllowCarryBalance: a.CarryBalance, AllowLinkMultiple: a.LinkMultiple, AllowUpdateExchangeRate: a.UpdateRate})
	}
	insert(w, groups, row)
	for _, p := range payments {
		w.exec(`INSERT INTO group_payment_type (group_id, payment_type_id, company_id) VALUES (?, ?, ?)`, row.ID, p, w.company.ID)
	}
	for _, p := range g.Policies {
		policy := &Policy{ID: w.id("policy", g.Name, p.Name), Company: w.company.ID, Group: row.ID, Name: p.Name, Default: p.Default,
			Inheritable: p.Inheritable, AccountingStep: p.AccountingStep, StrictEdits: p.StrictEdits, ReceiptRequiredAbove: w.money(p.Receipt)}
		insert(w, policies, policy)
		for _, a := range p.Approvals {
			w.exec(`INSERT INTO approval_level (policy_id, level, above, company_id) VALUES (?, ?, ?, ?)`, policy.ID, a.Level, int64(w.money(a.Above).V), w.company.ID)
		}
		const addType = `INSERT INTO policy_expense_type (policy_id, expense_type_id, company_id) VALUES (?, ?, ?)`
		if len(p.Types) == 0 {
			for _, id := range types {
				w.exec(addType, policy.ID, id, w.company.ID)
			}
			continue
		}
		for _, code := range p.Types {
			if types[code] == "" {
				w.check(fmt.Errorf("org: the policy %s names an unknown expense type %s", p.Name, code))
			}
			w.exec(addType, policy.ID, types[code], w.company.ID)
		}
	}
}

// locations writes rows of city, name, region, country, subdivision, IATA code,
// latitude, longitude.
func (w *seeder) locations(rows [][]string) {
	for _, r := range rows {
		if len(r) != 8 {
			w.check(fmt.Errorf("org: a location has %d values, not 8: %v", len(r), r))
			return
		}
		latitude, err := value.ParseDecimal(r[6])
		w.check(err)
		longitude, err := value.ParseDecimal(r[7])
		w.check(err)
		insert(w, locations, &Location{
			ID: w.id("location", r[3], r[1]), Company: w.company.ID, Name: r[1], nameKey: fold(r[1]), City: r[0], cityKey: fold(r[0]),
			AdministrativeRegion: r[2], Country: r[3], Subdivision: r[4], IATA: r[5], BookingTool: r[5] != "",
			Latitude: latitude, Longitude: longitude,
		})
	}
}
