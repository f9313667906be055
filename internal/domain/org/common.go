package org

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// commonOperations are the common services of v3 and what belongs to them.
func (s *Service) commonOperations() []api.Operation {
	return slices.Concat(s.userOperations(), s.listOperations(), s.listItemOperations(), s.locationOperations(),
		s.groupOperations(), s.attendeeTypeOperations())
}

// link is the address of something in v3.
func (s *Service) link(path string) string { return s.publicURL + api.V3.Base[0] + path }

// mayConfigure refuses callers who may only read what the company has set up.
func mayConfigure(a *auth.Actor) error {
	if a.Administers() || a.Has(auth.CompanyAdministrator) {
		return nil
	}
	return errs.Newf(errs.Forbidden, "role", "Only %s, %s or %s may change what the company has set up.",
		auth.WebServicesAdministrator, auth.CanAdminister, auth.CompanyAdministrator)
}

// lockCompany makes changes of a company's settings wait for each other.
func lockCompany(tx *store.Tx, company string) error { return companies.Lock(tx, company) }

// narrowed collects the filters of a list so that the first one chooses the index.
// Without statistics an engine may prefer the index of a later, wider filter.
type narrowed struct{ where store.Predicate }

// equal adds column = text; an empty text is no filter.
func (n *narrowed) equal(column, text string) {
	if text == "" {
		return
	}
	if !n.where.IsZero() {
		column = "(" + column + " || '')" // no column, so no index
	}
	n.where = n.where.And(column+" = ?", text)
}

// last is a character behind all others: a text followed by it ends the range of
// texts that begin with it.
const last = "\U0010FFFF"

// beginning limits a column to texts that begin with one.
func beginning(column, with string) store.Predicate {
	return store.Where(column+" >= ? AND "+column+" < ?", with, with+last)
}

// settle cuts the blanks around a name or a code and checks it: one line of at most
// most characters. A text that only looked given is a problem.
func settle(text *string, field string, most int, in *api.Input) {
	given := *text != ""
	*text = strings.TrimSpace(*text)
	switch {
	case given && *text == "":
		in.Add(field, "required", "must not be blank.")
	case strings.ContainsFunc(*text, unicode.IsControl):
		in.Add(field, "characters", "must be one line.")
	case utf8.RuneCountInString(*text) > most:
		in.Addf(field, "tooLong", "must be at most %d characters long.", most)
	}
}

// taken turns the violation of a unique key into a problem of the field that caused
// it; other errors stay what they are.
func taken(err error, field, sentence string) error {
	if !store.IsUnique(err) {
		return err
	}
	return errs.OnField(field, "unique", sentence).Because(err)
}
