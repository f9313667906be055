package org

import (
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// GroupConfiguration is an expense group with all that its users may use, as v3 shows
// it: a copy, since the configuration itself is shared.
type GroupConfiguration struct {
	group         Group
	uri           string
	attendeeTypes []AttendeeType
	paymentTypes  []PaymentType
	policies      []GroupPolicy
	cashAdvance   value.Opt[CashAdvance]
}

// GroupPolicy is a policy with its expense types.
type GroupPolicy struct {
	Policy
	types []ExpenseType
}

func (g *GroupConfiguration) v3(f *wire.Fields) {
	f.Bool("AllowUserDigitalTaxInvoice", &g.group.AllowDigitalTaxInvoice, "Whether users can upload digital tax invoices.", wire.ReadOnly)
	f.Bool("AllowUserRegisterYodlee", &g.group.AllowPersonalCards, "Whether users can register personal cards.", wire.ReadOnly)
	f.Text("AttendeeListFormID", &g.group.AttendeeForm, "The form of attendee lists.", wire.ReadOnly)
	f.Text("AttendeeListFormName", &g.group.AttendeeFormName, "The name of the form of attendee lists.", wire.ReadOnly)
	wire.List(f, "AttendeeTypes", &g.attendeeTypes, (*AttendeeType).inGroup, "The attendee types that users can choose.", wire.ReadOnly, wire.Item("AttendeeType"))
	wire.Group(f, "CashAdvance", &g.cashAdvance, (*CashAdvance).v3, "The workflow of cash advances; null where there is none.", wire.ReadOnly)
	f.Text("ID", &g.group.ID, "The group's id.", wire.ReadOnly, wire.NotNull)
	f.Text("Name", &g.group.Name, "The group's name.", wire.ReadOnly)
	wire.List(f, "PaymentTypes", &g.paymentTypes, (*PaymentType).inGroup, "The payment types that entries can be posted with.", wire.ReadOnly, wire.Item("PaymentType"))
	wire.List(f, "Policies", &g.policies, (*GroupPolicy).v3, "The policies that reports can have.", wire.ReadOnly, wire.Item("Policy"))
	f.Text("URI", &g.uri, "The group's address.", wire.ReadOnly, wire.NotNull)
}

func (t *AttendeeType) inGroup(f *wire.Fields) {
	f.Text("Code", &t.Code, "The type's code.", wire.ReadOnly)
	f.Text("Name", &t.Name, "The type's name.", wire.ReadOnly)
}

func (c *CashAdvance) v3(f *wire.Fields) {
	f.Bool("AllowUserCarryBalance", &c.AllowCarryBalance, "Whether a balance can be carried from one report to the next.", wire.ReadOnly)
	f.Bool("AllowUserLinkMultiple", &c.AllowLinkMultiple, "Whether a report can have several cash advances.", wire.ReadOnly)
	f.Bool("AllowUserUpdateExchangeRate", &c.AllowUpdateExchangeRate, "Whether users can change the exchange rate of entries.", wire.ReadOnly)
	f.Text("Name", &c.Name, "The workflow's name.", wire.ReadOnly)
	f.Text("WorkflowID", &c.Workflow, "The workflow's id.", wire.ReadOnly)
}

func (t *PaymentType) inGroup(f *wire.Fields) {
	f.Text("ID", &t.ID, "The payment type's id.", wire.ReadOnly)
	f.Bool("IsDefault", &t.Default, "Whether it is proposed first.", wire.ReadOnly)
	f.Text("Name", &t.Name, "The payment type's name.", wire.ReadOnly)
}

func (p *GroupPolicy) v3(f *wire.Fields) {
	wire.List(f, "ExpenseTypes", &p.types, (*ExpenseType).inGroup, "The expense types that entries can have.", wire.ReadOnly, wire.Item("ExpenseType"))
	f.Text("ID", &p.ID, "The policy's id.", wire.ReadOnly)
	f.Bool("IsDefault", &p.Default, "Whether new reports get this policy.", wire.ReadOnly)
	f.Bool("IsInheritable", &p.Inheritable, "Whether the units below inherit the policy.", wire.ReadOnly)
	f.Text("Name", &p.Name, "The policy's name.", wire.ReadOnly)
}

func (t *ExpenseType) inGroup(f *wire.Fields) {
	f.Text("Code", &t.Code, "The type's code.", wire.ReadOnly)
	f.Text("ExpenseCode", &t.ExpenseCode, "What the type does: OTHER, COCARMILE company car, PCARMILE personal car, MFUEL fuel, LODGING, MEALS, OTHERNP not partially approvable, JPYPTRAN Japanese public transport.", wire.ReadOnly)
	f.Text("Name", &t.Name, "The type's name.", wire.ReadOnly)
}

func (s *Service) showGroup(cfg *Config, g *Group) GroupConfiguration {
	v := GroupConfiguration{group: *g, cashAdvance: g.CashAdvance, uri: s.link("/expense/expensegroupconfigurations/" + g.ID)}
	for i := range cfg.AttendeeTypes {
		if t := &cfg.AttendeeTypes[i]; !t.System {
			v.attendeeTypes = append(v.attendeeTypes, *t)
		}
	}
	for _, t := range g.PaymentTypes {
		v.paymentTypes = append(v.paymentTypes, *t)
	}
	for _, p := range g.Policies {
		shown := GroupPolicy{Policy: *p, types: make([]ExpenseType, len(p.Types))}
		for i, t := range p.Types {
			shown.types[i] = *t
		}
		v.policies = append(v.policies, shown)
	}
	return v
}

// groupsReached are the groups that a call is about: all of the company, or that of
// its subject.
func groupsReached(cfg *Config, a *auth.Actor, all bool) store.Predicate {
	access := a.InCompany("")
	if all {
		return access
	}
	g, ok := cfg.GroupOf(a.Subject)
	if !ok {
		return access.And("1 = 0")
	}
	return access.And("id = ?", g.ID)
}

// FindGroups lists the subject's expense group, or all groups in order of creation when
// the call asks for everybody.
func (s *Service) FindGroups(tx *store.Tx, a *auth.Actor, _ *api.NoFilter, page store.Page) (api.Listing[GroupConfiguration], error) {
	var none api.Listing[GroupConfiguration]
	cfg, err := s.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	rows, more, err := groups.List(tx, groupsReached(cfg, a, a.All), store.Predicate{}, page)
	if err != nil {
		return none, err
	}
	shown := api.Listing[GroupConfiguration]{Next: api.Page(groups, rows, more, page).Next}
	for i := range rows {
		if g, ok := cfg.Group(rows[i].ID); ok {
			shown.Rows = append(shown.Rows, s.showGroup(cfg, g))
		}
	}
	return shown, nil
}

// Group reads an expense group: administrators any of the company, or that of the
// user whom they name; others their own.
func (s *Service) Group(tx *store.Tx, a *auth.Actor, id string) (*GroupConfiguration, error) {
	cfg, err := s.Config(tx, a.Company)
	if err != nil {
		return nil, err
	}
	g, err := groups.Get(tx, groupsReached(cfg, a, a.All || a.Administers() && !a.Named), id)
	if err != nil {
		return nil, err
	}
	found, ok := cfg.Group(g.ID)
	if !ok { // it came a moment ago: the configuration is at most a second old
		return nil, errs.New(errs.NotFound, "notFound", "There is no such record.")
	}
	v := s.showGroup(cfg, found)
	return &v, nil
}

func (s *Service) groupOperations() []api.Operation {
	named := api.Named(api.Names{One: "ExpenseGroupConfiguration", Many: "ExpenseGroupConfigurationCollection",
		WireOne: "ExpenseGroupConfiguration", WireMany: "ExpenseGroupConfigurations"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "expensegroupconfigurations." + id, Group: "Expense Group Configurations", Summary: summary, Description: more}
	}
	scope := auth.Scope("CONFIG")
	return []api.Operation{
		api.List(api.V3, "/expense/expensegroupconfigurations", s.FindGroups, (*api.NoFilter).V3, (*GroupConfiguration).v3,
			doc("list", "Lists expense groups with their policies and types", "The caller's group; administrators can name another user or ALL."),
			scope, named, api.About(api.UserOrAll), api.Limits(10, 100)),
		api.Get(api.V3, "/expense/expensegroupconfigurations/{id}", s.Group, (*GroupConfiguration).v3,
			doc("get", "Reads an expense group with its policies and types", "Administrators read every group of the company, others their own."),
			scope, named, api.About(api.UserParameter)),
	}
}
