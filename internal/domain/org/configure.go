package org

import (
	"strings"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// Export is a company's configuration as it stands.
func (s *Service) Export(tx *store.Tx, company string) (*Configuration, error) {
	c, err := companies.Get(tx, store.Unrestricted(), company)
	if err != nil {
		return nil, err
	}
	st, err := read(tx, c)
	if err != nil {
		return nil, err
	}
	return st.Configuration, nil
}

// Plan says what Apply would do, and what it would refuse.
func (s *Service) Plan(tx *store.Tx, company string, want *Configuration) ([]Change, error) {
	c, err := companies.Get(tx, store.Unrestricted(), company)
	if err != nil {
		return nil, err
	}
	_, _, changes, err := s.plan(tx, c, want)
	return changes, err
}

// Apply makes a company's configuration what a file says, and tells what it changed.
// Nothing is changed when a record that is to be removed is in use.
func (s *Service) Apply(tx *store.Tx, company string, want *Configuration) ([]Change, error) {
	if err := lockCompany(tx, company); err != nil {
		return nil, err
	}
	c, err := companies.Get(tx, store.Unrestricted(), company)
	if err != nil {
		return nil, err
	}
	filled, err := lists.All(tx, ofCompany(company), store.Predicate{}, "seq", store.MaxLimit)
	if err != nil {
		return nil, err
	}
	for i := range filled { // whose items may change meanwhile
		if err := lists.Lock(tx, filled[i].ID); err != nil {
			return nil, err
		}
	}
	st, all, changes, err := s.plan(tx, c, want)
	if err != nil {
		return nil, err
	}
	var problems errs.Problems
	for _, change := range changes {
		if change.Refused != "" {
			problems.Add(change.What, "inUse", change.Refused)
		}
	}
	if err := problems.Err(); err != nil || len(changes) == 0 {
		return changes, err
	}
	w := &configurer{s: s, tx: tx, company: c, standing: st}
	w.write(all)
	if w.err != nil {
		return nil, w.err
	}
	if err := s.SettingsChanged(tx, c.ID); err != nil {
		return nil, err
	}
	return changes, s.PlacesChanged(tx, c.ID)
}

// plan settles what is wanted and compares it with what stands.
func (s *Service) plan(tx *store.Tx, c *Company, want *Configuration) (*standing, *Configuration, []Change, error) {
	st, err := read(tx, c)
	if err != nil {
		return nil, nil, nil, err
	}
	all := want.with(st.Configuration)
	if err := st.meet(tx, c, want); err != nil {
		return nil, nil, nil, err
	}
	if err := all.settle(&settler{people: st.people, asked: st.asked()}); err != nil {
		return nil, nil, nil, err
	}
	changes := compare(st.Configuration, all)
	for i := range changes {
		if changes[i].Kind == Removed {
			if changes[i].Refused, err = s.refused(tx, c, st, &changes[i]); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return st, all, changes, nil
}

// recordKinds are the records that others may name.
var recordKinds = map[string]RecordKind{
	"expense group": GroupRecord, "policy": PolicyRecord, "expense type": ExpenseTypeRecord, "payment type": PaymentTypeRecord,
	"attendee type": AttendeeTypeRecord, "list item": ListItemRecord, "location": LocationRecord,
}

// refused says why a record cannot be removed.
func (s *Service) refused(tx *store.Tx, c *Company, st *standing, change *Change) (string, error) {
	kind, ok := recordKinds[change.noun]
	if !ok {
		return "", nil
	}
	key := st.ids[change.key]
	if kind == GroupRecord {
		n, err := users.Count(tx, ofCompany(c.ID), store.Where("expense_group_id = ?", key))
		if err != nil || n > 0 {
			return "cannot be removed: there are users in it.", err
		}
	}
	if kind == ExpenseTypeRecord {
		key = strings.TrimPrefix(change.key, "expense type\n")
	}
	used, err := s.inUse(tx, c.ID, kind, []string{key})
	if err != nil || used == "" {
		return "", err
	}
	return "cannot be removed: records name it.", nil
}

// standing is the configuration that a company has, with the ids of its records.
type standing struct {
	*Configuration
	ids   map[string]string // by the key of planned
	taken map[string]bool   // every id that is in use

	people map[string]*User // who is named, by folded login
}

// meet finds the people whom a file names, where the company has them.
func (st *standing) meet(tx *store.Tx, c *Company, want *Configuration) error {
	for i := range want.Groups {
		for j := range want.Groups[i].Policies {
			for _, o := range want.Groups[i].Policies[j].CostObjects {
				key := fold(o.Approver)
				if _, known := st.people[key]; known || key == "" {
					continue
				}
				u, err := users.One(tx, ofCompany(c.ID), store.Where("login_key = ?", key))
				if err != nil && !errs.Is(err, errs.NotFound) {
					return err
				}
				st.people[key] = u
			}
		}
	}
	return nil
}

// asked are the cost objects with their approvers. Who left stays where the file does not
// name another one.
func (st *standing) asked() map[string]bool {
	all := map[string]bool{}
	for i := range st.Groups {
		for j := range st.Groups[i].Policies {
			p := &st.Groups[i].Policies[j]
			for _, o := range p.CostObjects {
				all[o.keyIn(st.Groups[i].Name, p.Name)] = true
			}
		}
	}
	return all
}

func (st *standing) know(noun, what, id string) {
	st.ids[keyOf(noun, what)], st.taken[id] = id, true
}
