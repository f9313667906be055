package org

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Configuration is what a company has set up, in the form of a file: the seeds, what
// `config export` writes and what `config apply` reads. Records are known by their
// codes and names, never by ids. A section that a file does not have says nothing, and
// so does a list without items; an empty one says that there shall be none.
type Configuration struct {
	Company         *fileCompany       `yaml:"company"`
	SpendCategories []fileCategory     `yaml:"spend_categories"`
	ExpenseTypes    []fileExpenseType  `yaml:"expense_types"`
	PaymentTypes    []filePaymentType  `yaml:"payment_types"`
	AttendeeTypes   []fileAttendeeType `yaml:"attendee_types"`
	Lists           []fileList         `yaml:"lists"`
	Forms           []fileForm         `yaml:"forms"`
	Groups          []fileGroup        `yaml:"groups"`
	Rates           []fileRates        `yaml:"rates"`
	MileageRates    []fileMileageRate  `yaml:"mileage_rates"`
	Locations       []fileLocation     `yaml:"locations"`
}

// fileCompany is what is set of the company itself.
type fileCompany struct {
	TaxAccount string `yaml:"tax_account"` // what the company that validates tax invoices calls this one
}

type fileCategory struct {
	Code string `yaml:"code"`
	Name string `yaml:"name"`
}

type fileExpenseType struct {
	Code     string `yaml:"code"`
	Name     string `yaml:"name"`
	Does     string `yaml:"does"`
	Category string `yaml:"category"`
	Account  string `yaml:"account"`
	Receipt  string `yaml:"receipt"`
	Limit    string `yaml:"limit"`
	Blocks   bool   `yaml:"limit_blocks"`
	Attended bool   `yaml:"attendees_required"`
	VAT      bool   `yaml:"vat"`
}

type filePaymentType struct {
	Code    string `yaml:"code"`
	Name    string `yaml:"name"`
	By      string `yaml:"by"`
	Default bool   `yaml:"default"`

	Position int64 `yaml:"-" plan:"position"` // where it stands in the file
}

type fileAttendeeType struct {
	Code      string   `yaml:"code"`
	Name      string   `yaml:"name"`
	System    bool     `yaml:"system"`
	Private   bool     `yaml:"private"`
	Counts    bool     `yaml:"counts"`
	Manual    bool     `yaml:"manual"`
	Connector string   `yaml:"connector"`
	Search    []string `yaml:"search"`
	Limit     string   `yaml:"limit"` // of an attendee in a year
}

type fileList struct {
	Name      string     `yaml:"name"`
	CodeFirst bool       `yaml:"code_first"`
	Vendor    bool       `yaml:"vendor"`
	Search    string     `yaml:"search"`
	Connector string     `yaml:"connector"`
	Threshold int64      `yaml:"external_threshold"`
	Items     []fileItem `yaml:"items"`
}

type fileItem struct {
	Code  string     `yaml:"code"`
	Name  string     `yaml:"name"`
	Below []fileItem `yaml:"below"`
}

type fileForm struct {
	Kind   string      `yaml:"kind"`
	Name   string      `yaml:"name"`
	Fields []fileField `yaml:"fields"`
}

// fileField is a field, or a row of them: Custom3..20. {n} in the label is the number.
type fileField struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"`
	Label    string `yaml:"label"`
	List     string `yaml:"list"`
	Parent   string `yaml:"parent"`
	Required bool   `yaml:"required"`
	Length   int64  `yaml:"length"`
}

type fileGroup struct {
	Name                   string           `yaml:"name"`
	AllowDigitalTaxInvoice bool             `yaml:"allow_digital_tax_invoice"`
	AllowPersonalCards     bool             `yaml:"allow_personal_cards"`
	AttendeeForm           string           `yaml:"attendee_form"`
	CashAdvance            *fileCashAdvance `yaml:"cash_advance"`
	PaymentTypes           *[]string        `yaml:"payment_types"` // codes; all of the company's without it
	Policies               []filePolicy     `yaml:"policies"`
}

type fileCashAdvance struct {
	Name         string `yaml:"name"`
	CarryBalance bool   `yaml:"carry_balance"`
	LinkMultiple bool   `yaml:"link_multiple"`
	UpdateRate   bool   `yaml:"update_rate"`
}

type filePolicy struct {
	Name           string            `yaml:"name"`
	Default        bool              `yaml:"default"`
	Inheritable    bool              `yaml:"inheritable"`
	Receipt        string            `yaml:"receipt"`
	AccountingStep bool              `yaml:"accounting_step"`
	StrictEdits    bool              `yaml:"strict_edits"`
	Approvals      []fileApproval    `yaml:"approvals"`
	CostObjects    []fileCostObject  `yaml:"cost_objects"`
	Types          *[]filePolicyType `yaml:"types"` // all of the company's without it
}

type fileApproval struct {
	Level int64  `yaml:"level"`
	Above string `yaml:"above"`
}

// fileCostObject names by login who approves what is spent on a cost object above an
// amount.
type fileCostObject struct {
	Field    string `yaml:"field"`
	Value    string `yaml:"value"`
	Above    string `yaml:"above"`
	Approver string `yaml:"approver"`

	Position int64 `yaml:"-" plan:"position"` // where it stands in the policy
}

// filePolicyType is an expense type of a policy, with what overrules the type's own.
// Without that the code alone is written.
type filePolicyType struct {
	Code     string `yaml:"code"`
	Receipt  string `yaml:"receipt"`
	Limit    string `yaml:"limit"`
	Blocks   *bool  `yaml:"limit_blocks"`
	Attended *bool  `yaml:"attendees_required"`
}

// plain reports whether the type is as the company has it.
func (t filePolicyType) plain() bool { return t == filePolicyType{Code: t.Code} }

// UnmarshalYAML reads a code, or the code with what it overrules.
func (t *filePolicyType) UnmarshalYAML(read func(any) error) error {
	if err := read(&t.Code); err == nil {
		return nil
	}
	type plain filePolicyType
	return read((*plain)(t))
}

// fileRates says what one unit of each currency is worth in another from a day on.
type fileRates struct {
	On   string            `yaml:"on"`
	To   string            `yaml:"to"`
	From map[string]string `yaml:"from"`
}

type fileMileageRate struct {
	Does     string `yaml:"does"`
	From     string `yaml:"from"`
	Unit     string `yaml:"unit"`
	Currency string `yaml:"currency"`
	PerUnit  string `yaml:"per_unit"`
}

type fileLocation struct {
	Name        string `yaml:"name"`
	City        string `yaml:"city"`
	Region      string `yaml:"region"`
	Country     string `yaml:"country"`
	Subdivision string `yaml:"subdivision"`
	IATA        string `yaml:"iata"`
	Airport     bool   `yaml:"airport"`
	Booking     bool   `yaml:"booking"`
	Latitude    string `yaml:"latitude"`
	Longitude   string `yaml:"longitude"`
}

// ReadConfiguration reads a file. Names that nobody knows are refused, with their line.
func ReadConfiguration(text []byte) (*Configuration, error) {
	c := new(Configuration)
	if err := decodeYAML(text, c); err != nil {
		return nil, errs.New(errs.Invalid, "yaml", "The file is no configuration: "+strings.TrimSpace(err.Error()))
	}
	return c, nil
}

func decodeYAML(text []byte, into any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
}

// with is c, with the sections and items that it does not have taken from what stands.
func (c *Configuration) with(stands *Configuration) *Configuration {
	all := *c
	if all.Company == nil {
		all.Company = stands.Company
	}
	fill(&all.SpendCategories, stands.SpendCategories)
	fill(&all.ExpenseTypes, stands.ExpenseTypes)
	fill(&all.PaymentTypes, stands.PaymentTypes)
	fill(&all.AttendeeTypes, stands.AttendeeTypes)
	fill(&all.Lists, stands.Lists)
	fill(&all.Forms, stands.Forms)
	if all.Groups == nil && stands.Groups != nil {
		all.Groups = stands.shortened().Groups // whose "all" takes new types in and lets removed ones go
	}
	fill(&all.Rates, stands.Rates)
	fill(&all.MileageRates, stands.MileageRates)
	fill(&all.Locations, stands.Locations)
	all.Lists = slices.Clone(all.Lists)
	for i := range all.Lists {
		for j := range stands.Lists {
			if all.Lists[i].Items == nil && fold(all.Lists[i].Name) == fold(stands.Lists[j].Name) {
				all.Lists[i].Items = stands.Lists[j].Items
			}
		}
	}
	return &all
}

func fill[T any](section *[]T, stands []T) {
	if *section == nil {
		*section = stands
	}
}

// settler brings a configuration into the one spelling in which two can be compared:
// codes in capitals, numbers and days in their shortest form, rows of fields and "all"
// written out. It collects every problem on the way.
type settler struct {
	errs.Problems
	at     string           // the record at hand
	people map[string]*User // by folded login: those whom it names
	asked  map[string]bool  // the cost objects that stand with their approvers, by the key of planned
}

func (s *settler) problem(field, code, sentence string) { s.Add(s.at+" "+field, code, sentence) }

// The longest texts of a configuration.
const (
	maxConfigName = 80
	maxConfigCode = 40
)

func (s *settler) text(p *string, field string, most int) {
	*p = strings.TrimSpace(*p)
	switch {
	case strings.ContainsFunc(*p, unicode.IsControl):
		s.problem(field, "characters", "must be one line.")
	case utf8.RuneCountInString(*p) > most:
		s.problem(field, "tooLong", "must be at most "+strconv.Itoa(most)+" characters long.")
	}
}

func (s *settler) required(p *string, field string, most int) {
	if s.text(p, field, most); *p == "" {
		s.problem(field, "required", "is missing.")
	}
}

func (s *settler) code(p *string) {
	s.required(p, "code", maxConfigCode)
	*p = strings.ToUpper(*p)
}

func (s *settler) oneOf(p *string, field, plain string, known ...string) {
	if *p = strings.TrimSpace(*p); *p == "" {
		*p = plain
	}
	for _, k := range known {
		if strings.EqualFold(*p, k) {
			*p = k
			return
		}
	}
	s.problem(field, "enum", "must be one of "+strings.Join(known, ", ")+".")
}

func (s *settler) amount(p *string, field string) {
	if *p = strings.TrimSpace(*p); *p == "" {
		return
	}
	m, err := value.ParseMoney(*p)
	if err != nil || m < 0 {
		s.problem(field, "amount", "must be an amount, not below zero.")
		return
	}
	*p = m.String()
}

func (s *settler) day(p *string, field string) {
	d, err := value.ParseDate(strings.TrimSpace(*p))
	if err != nil {
		s.problem(field, "date", "must be a day, written as 2024-03-11.")
		return
	}
	*p = d.String()
}

func (s *settler) currency(p *string, field string) {
	code, ok := value.ParseCurrency(strings.TrimSpace(*p))
	if !ok {
		s.problem(field, "currency", "must be a currency code of ISO 4217.")
		return
	}
	*p = string(code)
}

// seen finds records that come twice.
type seen map[string]bool

func (s *settler) once(all seen, key string) {
	if all[key] {
		s.Add(s.at, "duplicate", "comes twice.")
	}
	all[key] = true
}

// settle brings c, which has every section, into its one spelling and checks it.
func (c *Configuration) settle(s *settler) error {
	company := *c.Company
	c.Company, s.at = &company, "company"
	s.text(&company.TaxAccount, "tax_account", maxConfigName)
	categories := seen{}
	for i := range c.SpendCategories {
		k := &c.SpendCategories[i]
		s.at = "spend category " + k.Code
		s.code(&k.Code)
		s.required(&k.Name, "name", maxConfigName)
		s.once(categories, k.Code)
	}
	kinds := seen{}
	for i := range c.ExpenseTypes {
		s.expenseType(&c.ExpenseTypes[i], categories, kinds)
	}
	payments, defaults := seen{}, 0
	for i := range c.PaymentTypes {
		p := &c.PaymentTypes[i]
		s.at = "payment type " + p.Code
		s.code(&p.Code)
		s.required(&p.Name, "name", maxConfigName)
		s.oneOf(&p.By, "by", "", string(PaidByEmployee), string(PaidByCompany), string(PaidByCompanyCard))
		s.once(payments, p.Code)
		p.Position = int64(i + 1)
		if p.Default {
			if defaults++; defaults == 2 {
				s.problem("default", "duplicate", "must be said of one payment type alone.")
			}
		}
	}
	attendees, names := seen{}, seen{}
	for i := range c.AttendeeTypes {
		a := &c.AttendeeTypes[i]
		s.at = "attendee type " + a.Code
		s.code(&a.Code)
		s.required(&a.Name, "name", maxAttendeeType)
		s.text(&a.Connector, "connector", 64)
		for j := range a.Search {
			s.oneOf(&a.Search[j], "search", "", searchFields...)
		}
		s.amount(&a.Limit, "limit")
		s.once(attendees, a.Code)
		s.once(names, fold(a.Name))
	}
	known := seen{}
	for i := range c.Lists {
		s.list(&c.Lists[i], known)
	}
	forms := seen{}
	for i := range c.Forms {
		s.form(&c.Forms[i], known)
		s.once(forms, c.Forms[i].Kind)
	}
	groups := seen{}
	for i := range c.Groups {
		g := &c.Groups[i]
		s.group(g, c)
		s.at = "expense group " + g.Name
		s.once(groups, g.Name)
	}
	s.rates(c)
	miles := seen{}
	for i := range c.MileageRates {
		m := &c.MileageRates[i]
		s.at = "mileage rate " + m.Does + " from " + m.From
		s.oneOf(&m.Does, "does", "", CompanyCarMileage, PersonalCarMileage)
		s.day(&m.From, "from")
		s.oneOf(&m.Unit, "unit", "", "M", "K")
		s.currency(&m.Currency, "currency")
		if per, err := value.ParseDecimal(strings.TrimSpace(m.PerUnit)); err != nil || per <= 0 {
			s.problem("per_unit", "number", "must be a number above zero.")
		} else {
			m.PerUnit = per.String()
		}
		s.once(miles, m.Does+m.From)
	}
	places := seen{}
	for i := range c.Locations {
		s.location(&c.Locations[i], places)
	}
	return s.Err()
}

func (s *settler) expenseType(t *fileExpenseType, categories, all seen) {
	s.at = "expense type " + t.Code
	s.code(&t.Code)
	s.required(&t.Name, "name", maxConfigName)
	s.oneOf(&t.Does, "does", "OTHER", "OTHER", CompanyCarMileage, PersonalCarMileage, "MFUEL", "LODGING", "MEALS", "OTHERNP", "JPYPTRAN")
	s.text(&t.Category, "category", maxConfigCode)
	if t.Category = strings.ToUpper(t.Category); t.Category != "" && !categories[t.Category] {
		s.problem("category", "unknown", "names no spend category.")
	}
	s.text(&t.Account, "account", maxConfigName)
	s.amount(&t.Receipt, "receipt")
	s.amount(&t.Limit, "limit")
	s.once(all, t.Code)
}

func (s *settler) list(l *fileList, known seen) {
	s.at = "list " + l.Name
	s.required(&l.Name, "name", maxListName)
	s.oneOf(&l.Search, "search", "TEXT", "CODE", "TEXT")
	s.text(&l.Connector, "connector", maxListName)
	switch {
	case l.Threshold == 0:
		l.Threshold = 1
	case l.Connector == "" && l.Threshold != 1:
		s.problem("external_threshold", "connector", "needs a connector.")
	case l.Threshold < 1 || l.Threshold > MaxLevel:
		s.problem("external_threshold", "range", "must be a level from 1 to "+strconv.Itoa(MaxLevel)+".")
	}
	s.once(known, fold(l.Name))
	s.items(l.Name, l.Items, 1)
	if l.Items == nil {
		l.Items = []fileItem{}
	}
}

func (s *settler) items(path string, items []fileItem, level int) {
	codes := seen{}
	for i := range items {
		item := &items[i]
		here := path + " / " + item.Code
		s.at = "list item " + here
		s.required(&item.Code, "code", maxItemCode)
		s.required(&item.Name, "name", maxListName)
		s.once(codes, fold(item.Code))
		if level == MaxLevel && len(item.Below) > 0 {
			s.problem("below", "depth", "would be more than "+strconv.Itoa(MaxLevel)+" levels deep.")
			continue
		}
		s.items(here, item.Below, level+1)
	}
}

// fieldCounts is how many fields of each name a form can have.
var fieldCounts = map[FormKind]map[string]int{
	ReportForm: {"OrgUnit": 6, "Custom": 20}, EntryForm: {"OrgUnit": 6, "Custom": 40}, ItemizationForm: {"OrgUnit": 6, "Custom": 40},
	AllocationForm: {"Custom": 20}, AttendeeForm: {"Custom": 25},
}

const plainLength = 48 // of a field that says nothing about it

func (s *settler) form(f *fileForm, lists seen) {
	s.at = "form " + f.Kind
	s.oneOf(&f.Kind, "kind", "", string(ReportForm), string(EntryForm), string(ItemizationForm), string(AllocationForm), string(AttendeeForm))
	s.required(&f.Name, "name", maxConfigName)
	fields, once := make([]fileField, 0, len(f.Fields)), seen{}
	for _, field := range f.Fields {
		s.at = "form field " + f.Kind + " / " + field.Name
		stem, first, last := fieldRange(field.Name)
		if most := fieldCounts[FormKind(f.Kind)][stem]; first < 1 || last < first || last > most {
			s.problem("name", "unknown", "is no field of this form, nor a row of them such as Custom3..20.")
			continue
		}
		s.oneOf(&field.Type, "type", "", string(TextField), string(ListField), string(ConnectedListField), string(AmountField), string(BooleanField),
			string(DateField), string(NumberField))
		s.text(&field.Label, "label", maxConfigName)
		s.text(&field.List, "list", maxListName)
		s.text(&field.Parent, "parent", maxConfigCode)
		connected := field.Type == string(ConnectedListField)
		if !connected && (field.Type == string(ListField)) != (field.List != "") {
			s.problem("list", "list", "goes with the type List, and only with it.")
		} else if field.List != "" && !lists[fold(field.List)] {
			s.problem("list", "unknown", "names no list.")
		}
		if !connected && field.Parent != "" {
			s.problem("parent", "parent", "goes with the type ConnectedList, and only with it.")
		}
		if field.Length == 0 {
			field.Length = plainLength
		}
		if field.Length < 1 || field.Length > 4000 {
			s.problem("length", "range", "must be from 1 to 4000.")
		}
		for n := first; n <= last; n++ {
			one, number := field, strconv.Itoa(n)
			one.Name, one.Label = stem+number, strings.ReplaceAll(field.Label, "{n}", number)
			s.at = "form field " + f.Kind + " / " + one.Name
			s.once(once, one.Name)
			if connected {
				s.connect(&one, fields)
			}
			fields = append(fields, one)
		}
	}
	f.Fields = fields
}

// connect finds the field one level up among those before f: the one that f names, or
// the last. Both have the same list.
func (s *settler) connect(f *fileField, before []fileField) {
	i := len(before) - 1
	if f.Parent != "" {
		i = slices.IndexFunc(before, func(b fileField) bool { return b.Name == f.Parent })
	}
	switch {
	case i < 0 || before[i].Type != string(ListField) && before[i].Type != string(ConnectedListField):
		s.problem("parent", "parent", "must be a field of the type List or ConnectedList that stands before it.")
	case f.List != "" && fold(f.List) != fold(before[i].List):
		s.problem("list", "list", "must be that of the field one level up, or be left out.")
	default:
		f.Parent, f.List = before[i].Name, before[i].List
	}
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

func (s *settler) group(g *fileGroup, c *Configuration) {
	s.at = "expense group " + g.Name
	s.required(&g.Name, "name", maxConfigName)
	s.text(&g.AttendeeForm, "attendee_form", maxConfigName)
	if g.CashAdvance != nil {
		advance := *g.CashAdvance
		s.required(&advance.Name, "cash_advance", maxConfigName)
		g.CashAdvance = &advance
	}
	codes, once := []string{}, seen{}
	if g.PaymentTypes != nil {
		for _, code := range *g.PaymentTypes {
			code = strings.ToUpper(strings.TrimSpace(code))
			if !slices.ContainsFunc(c.PaymentTypes, func(t filePaymentType) bool { return t.Code == code }) {
				s.problem("payment_types", "unknown", "name "+code+", which is no payment type.")
			}
			once[code] = true
		}
	}
	for _, t := range c.PaymentTypes { // in the company's order
		if g.PaymentTypes == nil || once[t.Code] {
			codes = append(codes, t.Code)
		}
	}
	g.PaymentTypes = &codes
	names, defaults := seen{}, 0
	g.Policies = slices.Clone(g.Policies)
	for i := range g.Policies {
		p := &g.Policies[i]
		s.at = "policy " + g.Name + " / " + p.Name
		s.required(&p.Name, "name", maxConfigName)
		s.amount(&p.Receipt, "receipt")
		s.once(names, p.Name)
		if p.Default {
			if defaults++; defaults == 2 {
				s.problem("default", "duplicate", "must be said of one policy of the group alone.")
			}
		}
		levels := map[int64]bool{}
		p.Approvals = slices.Clone(p.Approvals)
		for j := range p.Approvals {
			a := &p.Approvals[j]
			if a.Level < 2 || a.Level > MaxLevel || levels[a.Level] {
				s.problem("approvals", "level", "have a level from 2 to "+strconv.Itoa(MaxLevel)+", each once.")
			}
			levels[a.Level] = true
			s.amount(&a.Above, "approvals above")
			if a.Above == "" {
				s.problem("approvals", "required", "need an amount above which they are asked for.")
			}
		}
		slices.SortFunc(p.Approvals, func(a, b fileApproval) int { return cmp.Compare(a.Level, b.Level) })
		s.costObjects(g.Name, p)
		s.policyTypes(p, c)
	}
}

// maxCostObjects is how many cost objects of a policy can have approvers.
const maxCostObjects = 2000

func (s *settler) costObjects(group string, p *filePolicy) {
	if len(p.CostObjects) > maxCostObjects {
		s.problem("cost_objects", "many", "must be at most "+strconv.Itoa(maxCostObjects)+".")
		return
	}
	policy, all := s.at, seen{}
	p.CostObjects = slices.Clone(p.CostObjects)
	for i := range p.CostObjects {
		o := &p.CostObjects[i]
		o.Position = int64(i + 1)
		s.at = policy + " / cost object " + o.title()
		stem, first, last := fieldRange(strings.TrimSpace(o.Field))
		if most := map[string]int{"OrgUnit": 6, "Custom": 20}[stem]; first < 1 || first != last || first > most {
			s.problem("field", "unknown", "must be one of OrgUnit1 to OrgUnit6 and Custom1 to Custom20.")
		}
		o.Field = stem + strconv.Itoa(first)
		s.required(&o.Value, "value", maxConfigName)
		if s.amount(&o.Above, "above"); o.Above == "" {
			s.problem("above", "required", "is missing: the amount above which the approver is asked.")
		}
		u := s.people[fold(o.Approver)]
		if u == nil {
			s.problem("approver", "unknown", "must be the login of a user of the company.")
		} else {
			o.Approver = u.Login
			if !u.Active && !s.asked[o.keyIn(group, p.Name)] {
				s.problem("approver", "disabled", "is a user who is disabled.")
			}
		}
		s.once(all, o.Field+"\n"+fold(o.Value)+"\n"+fold(o.Approver))
	}
	s.at = policy
}

func (s *settler) policyTypes(p *filePolicy, c *Configuration) {
	types, given := []filePolicyType{}, map[string]filePolicyType{}
	if p.Types != nil {
		for _, t := range *p.Types {
			t.Code = strings.ToUpper(strings.TrimSpace(t.Code))
			s.amount(&t.Receipt, t.Code+" receipt")
			s.amount(&t.Limit, t.Code+" limit")
			if !slices.ContainsFunc(c.ExpenseTypes, func(k fileExpenseType) bool { return k.Code == t.Code }) {
				s.problem("types", "unknown", "name "+t.Code+", which is no expense type.")
			}
			if _, twice := given[t.Code]; twice {
				s.problem("types", "duplicate", "name "+t.Code+" twice.")
			}
			given[t.Code] = t
		}
	}
	for _, k := range c.ExpenseTypes { // in the company's order
		if t, ok := given[k.Code]; ok {
			types = append(types, t)
		} else if p.Types == nil {
			types = append(types, filePolicyType{Code: k.Code})
		}
	}
	p.Types = &types
}

// rates joins the rates of one day into one currency, and sorts by currency and day.
func (s *settler) rates(c *Configuration) {
	all := []fileRates{}
	for _, r := range c.Rates {
		s.at = "exchange rates into " + r.To + " from " + r.On
		s.day(&r.On, "on")
		s.currency(&r.To, "to")
		i := slices.IndexFunc(all, func(o fileRates) bool { return o.On == r.On && o.To == r.To })
		if i < 0 {
			i = len(all)
			all = append(all, fileRates{On: r.On, To: r.To, From: map[string]string{}})
		}
		for _, code := range sortedKeys(r.From) {
			from, rate := code, strings.TrimSpace(r.From[code])
			s.currency(&from, code)
			if n, err := value.ParseRate(rate); err != nil || n <= 0 {
				s.problem(code, "number", "must be a number above zero.")
			} else {
				rate = n.String()
			}
			if from == r.To {
				s.problem(code, "same", "is the currency itself.")
			}
			if _, twice := all[i].From[from]; twice {
				s.problem(code, "duplicate", "comes twice.")
			}
			all[i].From[from] = rate
		}
	}
	slices.SortFunc(all, func(a, b fileRates) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.On, b.On)) })
	c.Rates = slices.DeleteFunc(all, func(r fileRates) bool { return len(r.From) == 0 })
}

func (s *settler) location(l *fileLocation, all seen) {
	s.at = "location " + l.Country + " / " + l.Name
	s.required(&l.Name, "name", maxLocationName)
	s.text(&l.City, "city", maxLocationName)
	s.text(&l.Region, "region", maxLocationName)
	l.Country, l.Subdivision, l.IATA = strings.ToUpper(strings.TrimSpace(l.Country)), strings.ToUpper(strings.TrimSpace(l.Subdivision)), strings.ToUpper(strings.TrimSpace(l.IATA))
	if !letters(l.Country, 2) {
		s.problem("country", "country", "must be a code of two letters (ISO 3166-1).")
	}
	if l.Subdivision != "" && (len(l.Subdivision) > 6 || !strings.HasPrefix(l.Subdivision, l.Country+"-")) {
		s.problem("subdivision", "subdivision", "must be a code of the country, such as US-WA (ISO 3166-2).")
	}
	if l.IATA != "" && !letters(l.IATA, 3) {
		s.problem("iata", "iata", "must be a code of three letters.")
	}
	for _, d := range []struct {
		p     *string
		field string
		most  int64
	}{{&l.Latitude, "latitude", 90}, {&l.Longitude, "longitude", 180}} {
		if strings.TrimSpace(*d.p) == "" {
			*d.p = "0"
		}
		n, err := value.ParseDecimal(strings.TrimSpace(*d.p))
		if most := value.Decimal(d.most * 1e8); err != nil || n < -most || n > most {
			s.problem(d.field, "range", "must be a number of degrees up to "+strconv.FormatInt(d.most, 10)+".")
			continue
		}
		*d.p = n.String()
	}
	s.once(all, l.Country+"\n"+fold(l.Name))
}

func letters(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
