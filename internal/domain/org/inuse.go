package org

import (
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// RecordKind is a kind of configured record that records of other areas name.
type RecordKind uint8

// The kinds, and what the naming records hold of them.
const (
	GroupRecord        RecordKind = iota // id
	PolicyRecord                         // id
	ExpenseTypeRecord                    // code
	PaymentTypeRecord                    // id
	AttendeeTypeRecord                   // id
	ListItemRecord                       // id
	LocationRecord                       // id
)

// Records know which of the company's configured records other records name. The areas
// above this one have them, so app fills it in.
type Records interface {
	// Named is the first of these keys that a record of the company names, or "".
	Named(tx *store.Tx, company string, kind RecordKind, keys []string) (string, error)
	// Renamed lets the records of a person follow, who has another login or name now.
	Renamed(tx *store.Tx, was, is auth.Person) error
}

// UseRecords hands over who knows of the other areas' records; without it nothing is in
// use. It is called once, before the first call.
func (s *Service) UseRecords(r Records) { s.records = r }

func (s *Service) inUse(tx *store.Tx, company string, kind RecordKind, keys []string) (string, error) {
	if s.records == nil || len(keys) == 0 {
		return "", nil
	}
	return s.records.Named(tx, company, kind, keys)
}

// KeepAttendeeType keeps an attendee type from being removed until the end of the
// transaction, for a record that is about to name it; false when it is gone already.
func (s *Service) KeepAttendeeType(tx *store.Tx, company, id string) (bool, error) {
	if err := attendeeTypes.Keep(tx, id); err != nil {
		return false, err
	}
	n, err := attendeeTypes.Count(tx, ofCompany(company), store.Where("id = ?", id))
	return n > 0, err
}
