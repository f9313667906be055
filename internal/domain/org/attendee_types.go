package org

import (
	"slices"
	"strconv"
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// The longest name and code of an attendee type.
const maxAttendeeType = 40

// searchFields are the fields of attendees by which possible duplicates are looked for.
var searchFields = func() []string {
	all := []string{"FirstName", "LastName", "MiddleInitial", "Suffix", "Title", "Company", "ExternalId", "OwnerEmpName", "CurrencyCode"}
	for n := 1; n <= 25; n++ {
		all = append(all, "Custom"+strconv.Itoa(n))
	}
	return all
}()

func (t *AttendeeType) v3(f *wire.Fields) {
	f.Bool("AllowAttendeeCountEditing", &t.AllowCountEditing, "Whether an attendee of this type can stand for several people.")
	f.Bool("AllowManuallyEnteredAttendees", &t.AllowManualAttendees, "Whether users can make attendees of this type; they can unless it is said.")
	f.Text("AttendeeFormID", &t.Form, "The form that attendees of this type are entered with: the company's attendee form.", wire.Max(64))
	f.Text("Code", &t.Code, "The type's code, such as BUSGUEST; no other type of the company has it.", wire.RequiredOnCreate, wire.Max(maxAttendeeType))
	f.Text("ConnectorID", &t.Connector, "The application connector that provides attendees of this type; empty for none.", wire.NotNull, wire.Max(64))
	f.Texts("DuplicateSearchFields", &t.DuplicateSearchFields, "The fields of attendees by which possible duplicates are found.", wire.Item("DuplicateSearchField"), wire.Enum(searchFields...))
	f.Text("ID", &t.ID, "The type's id.", wire.ReadOnly, wire.NotNull)
	f.Text("Name", &t.Name, "The type's name; no other type of the company has it, in any letter case.", wire.RequiredOnCreate, wire.Max(maxAttendeeType))
	f.Text("URI", &t.uri, "The type's address.", wire.ReadOnly, wire.NotNull)
}

// listed keeps the system's own types out of sight: nobody lists or changes them.
var listed = store.Where("NOT system_type")

func (s *Service) showAttendeeType(t *AttendeeType) {
	t.DuplicateSearchFields = strings.Fields(t.searchFields)
	t.uri = s.link("/expense/attendeetypes/" + t.ID)
}

// FindAttendeeTypes lists attendee types, but the system's own, in order of creation.
func (s *Service) FindAttendeeTypes(tx *store.Tx, a *auth.Actor, _ *api.NoFilter, page store.Page) (api.Listing[AttendeeType], error) {
	rows, more, err := attendeeTypes.List(tx, a.InCompany(""), listed, page)
	if err != nil {
		return api.Listing[AttendeeType]{}, err
	}
	for i := range rows {
		s.showAttendeeType(&rows[i])
	}
	return api.Page(attendeeTypes, rows, more, page), nil
}

// AttendeeType reads an attendee type.
func (s *Service) AttendeeType(tx *store.Tx, a *auth.Actor, id string) (*AttendeeType, error) {
	t, err := attendeeTypes.Get(tx, store.And(a.InCompany(""), listed), id)
	if err != nil {
		return nil, err
	}
	s.showAttendeeType(t)
	return t, nil
}

// attendeeTypeToChange reads a type for somebody who may change it, after all changes
// before it.
func (s *Service) attendeeTypeToChange(tx *store.Tx, a *auth.Actor, id string) (*AttendeeType, error) {
	if err := mayConfigure(a); err != nil {
		return nil, err
	}
	if err := lockCompany(tx, a.Company); err != nil {
		return nil, err
	}
	return s.AttendeeType(tx, a, id)
}

// CreateAttendeeType makes an attendee type. Code and name are unique in a company.
func (s *Service) CreateAttendeeType(tx *store.Tx, a *auth.Actor, t *AttendeeType, in *api.Input) (string, error) {
	if err := mayConfigure(a); err != nil {
		return "", err
	}
	if err := lockCompany(tx, a.Company); err != nil {
		return "", err
	}
	t.ID, t.Company = s.ids.Protected(), a.Company
	if !in.Has("AllowManuallyEnteredAttendees") {
		t.AllowManualAttendees = true
	}
	if err := s.settleAttendeeType(tx, t, in); err != nil {
		return "", err
	}
	if err := attendeeTypes.Insert(tx, t); err != nil {
		return "", err
	}
	return t.ID, s.SettingsChanged(tx, t.Company)
}

// settleAttendeeType checks what creating and changing have in common.
func (s *Service) settleAttendeeType(tx *store.Tx, t *AttendeeType, in *api.Input) error {
	settle(&t.Code, "Code", maxAttendeeType, in)
	settle(&t.Name, "Name", maxAttendeeType, in)
	settle(&t.Connector, "ConnectorID", 64, in)
	t.Code = strings.ToUpper(t.Code)
	t.DuplicateSearchFields = once(t.DuplicateSearchFields)
	t.nameKey, t.searchFields = fold(t.Name), strings.Join(t.DuplicateSearchFields, " ")
	cfg, err := s.Config(tx, t.Company)
	if err != nil {
		return err
	}
	form := cfg.FormFields(AttendeeForm).ID
	if t.Form == "" {
		t.Form = form
	} else if t.Form != form {
		in.Add("AttendeeFormID", "unknown", "names no attendee form of the company.")
	}
	same, err := attendeeTypes.All(tx, ofCompany(t.Company), store.Where("(code = ? OR name_key = ?) AND id <> ?", t.Code, t.nameKey, t.ID), "seq", 2)
	if err != nil {
		return err
	}
	for i := range same {
		if same[i].Code == t.Code && t.Code != "" {
			in.Add("Code", "unique", "is the code of another attendee type already.")
		}
		if same[i].nameKey == t.nameKey && t.Name != "" {
			in.Add("Name", "unique", "is the name of another attendee type already.")
		}
	}
	return in.Err()
}

// once is a list of names with each of them once, where it came first.
func once(names []string) []string {
	var kept []string // names may be the record's that is changed, which stays as it is
	for _, name := range names {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

// UpdateAttendeeType saves what was changed of an attendee type.
func (s *Service) UpdateAttendeeType(tx *store.Tx, _ *auth.Actor, old, t *AttendeeType, in *api.Input) error {
	if t.Code == old.Code && t.Name == old.Name && t.Form == old.Form && t.Connector == old.Connector && t.AllowCountEditing == old.AllowCountEditing &&
		t.AllowManualAttendees == old.AllowManualAttendees && slices.Equal(t.DuplicateSearchFields, old.DuplicateSearchFields) {
		return in.Err()
	}
	if err := s.settleAttendeeType(tx, t, in); err != nil {
		return err
	}
	if err := attendeeTypes.Update(tx, t); err != nil {
		return err
	}
	return s.SettingsChanged(tx, t.Company)
}

// RemoveAttendeeType removes an attendee type of which there is no attendee.
func (s *Service) RemoveAttendeeType(tx *store.Tx, a *auth.Actor, id string) error {
	t, err := s.attendeeTypeToChange(tx, a, id)
	if err != nil {
		return err
	}
	if err := attendeeTypes.Lock(tx, t.ID); err != nil { // nobody names it meanwhile
		return err
	}
	used, err := s.inUse(tx, t.Company, AttendeeTypeRecord, []string{t.ID})
	if err != nil {
		return err
	}
	if used != "" {
		return errs.Newf(errs.Invalid, "inUse", "The attendee type %s cannot be removed: there are attendees of this type.", t.Code)
	}
	if err := attendeeTypes.Delete(tx, t.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM attendee_limit WHERE company_id = ? AND attendee_type_id = ?`, t.Company, t.ID); err != nil {
		return err
	}
	return s.SettingsChanged(tx, t.Company)
}

func (s *Service) attendeeTypeOperations() []api.Operation {
	named := api.Named(api.Names{One: "AttendeeTypeGet", Many: "AttendeeTypesCollection", WireOne: "AttendeeType", WireMany: "AttendeeTypes",
		Post: "AttendeeTypePost", Put: "AttendeeTypePut"})
	read, write, about := auth.Scope("ATTEND", "CONFIG", "attendee.admin.read"), auth.Scope("ATTEND", "CONFIG"), api.About(api.CompanyWide)
	doc := func(id, summary, more string, deprecated bool) api.Doc {
		return api.Doc{ID: "attendeetypes." + id, Group: "Attendee Types", Summary: summary, Description: more, Deprecated: deprecated}
	}
	const all, one = "/expense/attendeetypes", "/expense/attendeetypes/{id}"
	return []api.Operation{
		api.List(api.V3, all, s.FindAttendeeTypes, (*api.NoFilter).V3, (*AttendeeType).v3,
			doc("list", "Lists the company's attendee types", "In order of creation, without those that only the system uses.", false), read, named, about),
		api.Create(api.V3, all, s.CreateAttendeeType, (*AttendeeType).v3, doc("create", "Makes an attendee type", "For administrators.", true), write, named, about),
		api.Get(api.V3, one, s.AttendeeType, (*AttendeeType).v3, doc("get", "Reads an attendee type", "", false), read, named, about),
		api.Update(api.V3, one, s.attendeeTypeToChange, s.UpdateAttendeeType, (*AttendeeType).v3,
			doc("update", "Changes an attendee type", "Only what the body names is changed. For administrators.", false), write, named, about),
		api.Delete(api.V3, one, s.RemoveAttendeeType,
			doc("delete", "Removes an attendee type", "A type of which there are attendees stays. For administrators.", true), write, named, about),
	}
}
