package org

import (
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// The longest names and codes of lists and their items.
const (
	maxListName = 64
	maxItemCode = 32
)

func (l *List) v3(f *wire.Fields) {
	f.Text("ConnectorID", &l.Connector, "The application connector that provides the items; empty for a list of the company's own.", wire.FixedAfterCreate, wire.Max(maxListName))
	f.Bool("DisplayCodeFirst", &l.DisplayCodeFirst, "Whether an item's code is shown in front of its name.", wire.RequiredOnCreate)
	f.Int("ExternalThreshold", &l.ExternalThreshold, "The level, from 1 to 10, from which on the connector provides the items; 1 unless given. Only together with ConnectorID.", wire.FixedAfterCreate)
	f.Text("ID", &l.ID, "The list's id.", wire.ReadOnly, wire.NotNull)
	f.Bool("IsVendorList", &l.VendorList, "Whether the items are vendors.", wire.RequiredOnCreate, wire.FixedAfterCreate)
	f.Text("Name", &l.Name, "The list's name; no other list of the company has it, in any letter case.", wire.RequiredOnCreate, wire.Max(maxListName))
	f.Text("SearchCriteriaCode", &l.SearchCriteria, "What items are looked for by: CODE or TEXT.", wire.RequiredOnCreate, wire.Enum("CODE", "TEXT"))
	f.Text("URI", &l.uri, "The list's address.", wire.ReadOnly, wire.NotNull)
}

// FindLists lists the company's lists in order of creation.
func (s *Service) FindLists(tx *store.Tx, a *auth.Actor, _ *api.NoFilter, page store.Page) (api.Listing[List], error) {
	rows, more, err := lists.List(tx, a.InCompany(""), store.Predicate{}, page)
	if err != nil {
		return api.Listing[List]{}, err
	}
	for i := range rows {
		rows[i].uri = s.link("/common/lists/" + rows[i].ID)
	}
	return api.Page(lists, rows, more, page), nil
}

// List reads a list.
func (s *Service) List(tx *store.Tx, a *auth.Actor, id string) (*List, error) {
	l, err := lists.Get(tx, a.InCompany(""), id)
	if err != nil {
		return nil, err
	}
	l.uri = s.link("/common/lists/" + l.ID)
	return l, nil
}

// CreateList makes a list without items.
func (s *Service) CreateList(tx *store.Tx, a *auth.Actor, l *List, in *api.Input) (string, error) {
	if err := mayConfigure(a); err != nil {
		return "", err
	}
	if err := lockCompany(tx, a.Company); err != nil {
		return "", err
	}
	l.ID, l.Company = s.ids.Protected(), a.Company
	switch {
	case l.Connector == "" && l.ExternalThreshold != 0:
		in.Add("ExternalThreshold", "connector", "needs a ConnectorID beside it.")
	case l.Connector != "" && in.Has("ExternalThreshold") && (l.ExternalThreshold < 1 || l.ExternalThreshold > MaxLevel):
		in.Addf("ExternalThreshold", "range", "must be a level from 1 to %d.", MaxLevel)
	case l.ExternalThreshold == 0:
		l.ExternalThreshold = 1
	}
	if err := s.settleList(tx, l, in); err != nil {
		return "", err
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	if err := lists.Insert(tx, l); err != nil {
		return "", err
	}
	return l.ID, s.SettingsChanged(tx, l.Company)
}

// settleList checks what creating and changing have in common.
func (s *Service) settleList(tx *store.Tx, l *List, in *api.Input) error {
	settle(&l.Name, "Name", maxListName, in)
	settle(&l.Connector, "ConnectorID", maxListName, in)
	l.nameKey = fold(l.Name)
	n, err := lists.Count(tx, ofCompany(l.Company), store.Where("name_key = ? AND id <> ?", l.nameKey, l.ID))
	if err == nil && n > 0 && l.Name != "" {
		in.Add("Name", "unique", "is the name of another list already.")
	}
	return err
}

// listToChange reads a list for somebody who may change it.
func (s *Service) listToChange(tx *store.Tx, a *auth.Actor, id string) (*List, error) {
	if err := mayConfigure(a); err != nil {
		return nil, err
	}
	if err := lockCompany(tx, a.Company); err != nil {
		return nil, err
	}
	return s.List(tx, a, id)
}

// UpdateList saves what was changed of a list.
func (s *Service) UpdateList(tx *store.Tx, _ *auth.Actor, old, l *List, in *api.Input) error {
	if *l == *old {
		return in.Err()
	}
	if err := s.settleList(tx, l, in); err != nil {
		return err
	}
	if err := in.Err(); err != nil {
		return err
	}
	if err := lists.Update(tx, l); err != nil {
		return err
	}
	return s.SettingsChanged(tx, l.Company)
}

func (s *Service) listOperations() []api.Operation {
	named := api.Named(api.Names{One: "ListGet", Many: "ListGetCollection", WireOne: "List", WireMany: "Lists", Post: "ListPost", Put: "ListPut"})
	scope, about := auth.Scope("LIST"), api.About(api.CompanyWide)
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "lists." + id, Group: "Lists", Summary: summary, Description: more}
	}
	update := doc("update", "Changes a list", "Only what the body names is changed: the name, what items are looked for by, and what is shown first. For administrators.")
	update.Deprecated = true
	return []api.Operation{
		api.List(api.V3, "/common/lists", s.FindLists, (*api.NoFilter).V3, (*List).v3,
			doc("list", "Lists the company's lists", "In order of creation."), scope, named, about),
		api.Create(api.V3, "/common/lists", s.CreateList, (*List).v3,
			doc("create", "Makes a list", "The list begins without items. For administrators."), scope, named, about),
		api.Get(api.V3, "/common/lists/{id}", s.List, (*List).v3, doc("get", "Reads a list", ""), scope, named, about),
		api.Update(api.V3, "/common/lists/{id}", s.listToChange, s.UpdateList, (*List).v3, update, scope, named, about),
	}
}
