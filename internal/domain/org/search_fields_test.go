package org_test

import (
	"strings"
	"testing"
)

// The search fields of an attendee type are a set in an order: however they are written,
// each is kept once.
func TestSearchFieldsOfAttendeeTypes(t *testing.T) {
	both(t, func(s *scene) {
		s.run(
			step{as: "wes", call: "POST /expense/attendeetypes", body: `{"Code":"PRESS","Name":"Press","DuplicateSearchFields":["Title","company","TITLE","Company"]}`, keep: "type"},
			step{as: "ann", call: "GET /expense/attendeetypes/{type}", want: "DuplicateSearchFields=2; DuplicateSearchFields[0]=Title; DuplicateSearchFields[1]=Company"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{type}", body: `{"DuplicateSearchFields":["Company",` + strings.Repeat(`"LastName",`, 500) + `"Title"]}`},
			step{as: "ann", call: "GET /expense/attendeetypes/{type}", want: "DuplicateSearchFields=3; DuplicateSearchFields[0]=Company; DuplicateSearchFields[1]=LastName; DuplicateSearchFields[2]=Title"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{type}", body: `{"DuplicateSearchFields":[` + strings.Repeat(`"LastName",`, 1000) + `"Title"]}`, status: 400, want: "DuplicateSearchFields: may have at most 1000 items"},
			step{as: "wes", call: "PUT /expense/attendeetypes/{type}", body: `{"DuplicateSearchFields":null}`},
			step{as: "ann", call: "GET /expense/attendeetypes/{type}", want: "DuplicateSearchFields=; DuplicateSearchFields[0]="},
		)
	})
	// In XML the names stand in elements of their own, or are repeated elements.
	s := newScene(onSQLite(t), true)
	for i, fields := range []string{
		"<DuplicateSearchFields><DuplicateSearchField>Title</DuplicateSearchField><DuplicateSearchField>Company</DuplicateSearchField></DuplicateSearchFields>",
		"<DuplicateSearchFields>Title</DuplicateSearchFields><DuplicateSearchFields>Company</DuplicateSearchFields>",
		"<duplicatesearchfields><duplicatesearchfield>title</duplicatesearchfield><x/><duplicatesearchfield>company</duplicatesearchfield></duplicatesearchfields>",
	} {
		code := string(rune('A' + i))
		s.run(
			step{as: "wes", call: "POST /expense/attendeetypes", body: "<T><Code>" + code + "</Code><Name>" + code + "</Name>" + fields + "</T>", keep: "type"},
			step{as: "ann", call: "GET /expense/attendeetypes/{type}", want: "DuplicateSearchFields=2; DuplicateSearchFields[0]=Title; DuplicateSearchFields[1]=Company"},
		)
	}
}
