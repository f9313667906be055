package org

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// ChangeKind says what becomes of a configured record.
type ChangeKind uint8

// The kinds of changes.
const (
	Added ChangeKind = iota
	Changed
	Removed
)

// Change is what a plan does with one record.
type Change struct {
	Kind    ChangeKind
	What    string // "expense type LODNG"
	Members []MemberChange
	Refused string // why a removal cannot be; empty when it can

	noun, key string
}

// MemberChange is what becomes of one member of a record. What is not there is empty.
type MemberChange struct{ Name, From, To string }

// planned is a configured record as two configurations are compared by.
type planned struct {
	noun, key, what string
	members         []MemberChange // with To alone
}

// described are the parts of a configuration that are records of their own.
type described interface {
	// known tells what kind of record it is and its name below the one that holds it.
	known() (noun, name string)
}

func (r fileCompany) known() (string, string)      { return "company", "settings" }
func (r fileCategory) known() (string, string)     { return "spend category", r.Code }
func (r fileExpenseType) known() (string, string)  { return "expense type", r.Code }
func (r filePaymentType) known() (string, string)  { return "payment type", r.Code }
func (r fileAttendeeType) known() (string, string) { return "attendee type", r.Code }
func (r fileList) known() (string, string)         { return "list", r.Name }
func (r fileItem) known() (string, string)         { return "list item", r.Code }
func (r fileForm) known() (string, string)         { return "form", r.Kind }
func (r fileField) known() (string, string)        { return "form field", r.Name }
func (r fileGroup) known() (string, string)        { return "expense group", r.Name }
func (r filePolicy) known() (string, string)       { return "policy", r.Name }
func (t filePolicyType) known() (string, string)   { return "expense type of policy", t.Code }
func (r fileApproval) known() (string, string) {
	return "approval of policy", "level " + strconv.FormatInt(r.Level, 10)
}
func (r fileCostObject) known() (string, string) { return "cost object of policy", r.title() }

// title names a cost object with who answers for it.
func (r fileCostObject) title() string { return r.Field + " " + r.Value + " by " + r.Approver }

func (r fileRates) known() (string, string) {
	return "exchange rates", "into " + r.To + " from " + r.On
}
func (r fileMileageRate) known() (string, string) { return "mileage rate", r.Does + " from " + r.From }
func (r fileLocation) known() (string, string)    { return "location", r.Country + " / " + r.Name }

// records lists what a settled configuration has, in its order.
func (c *Configuration) records() []planned {
	var all []planned
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if section := v.Field(i); section.Kind() == reflect.Slice {
			all = listRecords(all, "", section)
		} else {
			all = addRecord(all, "", section.Elem())
		}
	}
	return all
}

func listRecords(all []planned, above string, list reflect.Value) []planned {
	for i := range list.Len() {
		all = addRecord(all, above, list.Index(i))
	}
	return all
}

// addRecord adds a record and all below it.
func addRecord(all []planned, above string, v reflect.Value) []planned {
	noun, name := v.Interface().(described).known()
	r := planned{noun: noun, what: above + name}
	r.key = keyOf(noun, r.what)
	if noun == "cost object of policy" {
		r.key = costObjectKey(above, name)
	}
	all = append(all, r)
	at := len(all) - 1
	for j := range v.NumField() {
		tag := v.Type().Field(j).Tag
		member, name := indirect(v.Field(j)), tag.Get("yaml")
		if plan := tag.Get("plan"); plan != "" {
			name = plan
		}
		if !member.IsValid() {
			continue
		}
		if member.Kind() == reflect.Slice && member.Type().Elem().Kind() == reflect.Struct {
			all = listRecords(all, r.what+" / ", member)
			continue
		}
		if member.Kind() == reflect.Bool && v.Field(j).Kind() == reflect.Pointer { // where false overrules
			all[at].members = append(all[at].members, MemberChange{Name: name, To: strconv.FormatBool(member.Bool())})
			continue
		}
		all[at].add(name, member)
	}
	return all
}

// keyOf is what a record is known by when two configurations are compared.
func keyOf(noun, what string) string {
	if noun == "list" || noun == "list item" { // whose names are equal in any letter case
		what = fold(what)
	}
	return noun + "\n" + what
}

func costObjectKey(above, name string) string {
	return "cost object of policy\n" + above + fold(name)
}

// keyIn is what a cost object of a policy is known by.
func (r fileCostObject) keyIn(group, policy string) string {
	_, name := r.known()
	return costObjectKey(group+" / "+policy+" / ", name)
}

func (r *planned) add(name string, v reflect.Value) {
	text := ""
	switch v.Kind() {
	case reflect.String:
		text = v.String()
	case reflect.Bool:
		if v.Bool() {
			text = "true"
		}
	case reflect.Int64:
		text = strconv.FormatInt(v.Int(), 10)
	case reflect.Slice:
		text = strings.Join(v.Interface().([]string), ", ")
	case reflect.Map:
		m := v.Interface().(map[string]string)
		for _, k := range sortedKeys(m) {
			r.members = append(r.members, MemberChange{Name: k, To: m[k]})
		}
		return
	case reflect.Struct:
		for i := range v.NumField() {
			r.add(name+"."+v.Type().Field(i).Tag.Get("yaml"), v.Field(i))
		}
		return
	default:
		panic("org: a plan has no text for a " + v.Kind().String())
	}
	if text != "" {
		r.members = append(r.members, MemberChange{Name: name, To: text})
	}
}

// compare says what turns one settled configuration into another: removals first, in
// the order of the first, then additions and changes in the order of the second.
func compare(from, to *Configuration) []Change {
	before, after := from.records(), to.records()
	old, kept := make(map[string]*planned, len(before)), make(map[string]bool, len(after))
	for i := range before {
		old[before[i].key] = &before[i]
	}
	var changes []Change
	for i := range after {
		r := &after[i]
		kept[r.key] = true
		was := old[r.key]
		if was == nil {
			changes = append(changes, Change{Kind: Added, What: r.noun + " " + r.what, Members: r.members, noun: r.noun, key: r.key})
			continue
		}
		if members := memberChanges(was.members, r.members); len(members) > 0 {
			changes = append(changes, Change{Kind: Changed, What: r.noun + " " + r.what, Members: members, noun: r.noun, key: r.key})
		}
	}
	var removed []Change
	for i := range before {
		if r := &before[i]; !kept[r.key] {
			removed = append(removed, Change{Kind: Removed, What: r.noun + " " + r.what, noun: r.noun, key: r.key})
		}
	}
	return slices.Concat(removed, changes)
}

func memberChanges(from, to []MemberChange) []MemberChange {
	var changes []MemberChange
	find := func(all []MemberChange, name string) (string, bool) {
		i := slices.IndexFunc(all, func(m MemberChange) bool { return m.Name == name })
		if i < 0 {
			return "", false
		}
		return all[i].To, true
	}
	for _, m := range from {
		if now, ok := find(to, m.Name); !ok || now != m.To {
			changes = append(changes, MemberChange{m.Name, m.To, now})
		}
	}
	for _, m := range to {
		if _, ok := find(from, m.Name); !ok {
			changes = append(changes, m)
		}
	}
	return changes
}
