package org_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"quittance/internal/kernel/wire/wiretest"
)

// A call makes one record: none, a list of one, or of 1,001 is refused as a whole, and
// so is what is malformed, too large or of another type.
func TestOneCommonRecordACall(t *testing.T) {
	s := newScene(onSQLite(t), false)
	s.run(step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"})
	rows := func() (n int) {
		for _, path := range []string{"/common/lists", "/common/listitems", "/expense/attendeetypes"} {
			n += len(s.pages("wes", "GET "+path+"?limit=100"))
		}
		return n
	}
	before := rows()
	for _, m := range []struct{ path, body string }{
		{"/common/lists", strings.Replace(countries, "Countries", "New", 1)},
		{"/common/listitems", `{"ListID":"{list}","Level1Code":"US","Name":"United States"}`},
		{"/expense/attendeetypes", `{"Code":"NEW","Name":"New"}`},
	} {
		one := s.fill(m.body)
		element := strings.TrimPrefix(strings.TrimSuffix(wiretest.XML(t, one), "</Body>"), `<Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`)
		for name, c := range map[string]struct {
			media, body string
			status      int
		}{
			"no body":             {"application/json", "", 400},
			"null":                {"application/json", "null", 400},
			"an empty object":     {"application/json", "{}", 400},
			"an empty list":       {"application/json", "[]", 400},
			"a list of one":       {"application/json", "[" + one + "]", 400},
			"a list of 1,001":     {"application/json", "[" + strings.Repeat(one+",", 1000) + one + "]", 400},
			"a list as Items":     {"application/json", `{"Items":[` + one + `]}`, 400},
			"two objects":         {"application/json", one + one, 400},
			"half an object":      {"application/json", one[:len(one)-1], 400},
			"a name twice":        {"application/json", strings.TrimSuffix(one, "}") + `,"Unknown":1,"Unknown":2}`, 400},
			"an empty element":    {"application/xml", "<Body/>", 400},
			"two roots":           {"application/xml", "<Body>" + element + "</Body><Body>" + element + "</Body>", 400},
			"1,001 items":         {"application/xml", "<Body>" + strings.Repeat("<Items>"+element+"</Items>", 1001) + "</Body>", 400},
			"every element twice": {"application/xml", "<Body>" + element + element + "</Body>", 400},
			"a document type":     {"application/xml", "<!DOCTYPE Body><Body>" + element + "</Body>", 400},
			"an entity":           {"application/xml", strings.Replace("<Body>"+element+"</Body>", "</", "&lol;</", 1), 400},
			"JSON as XML":         {"application/xml", one, 400},
			"text":                {"text/plain", one, 415},
			"too large":           {"application/json", one + strings.Repeat(" ", 11<<20), 413},
		} {
			r := httptest.NewRequest("POST", "/api/v3.0"+m.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+s.token("wes"))
			r.Header.Set("Content-Type", c.media)
			r.Header.Set("Accept", "application/json")
			if a := s.do(r); a.status != c.status || wiretest.Fields(t, a.body)["Message"] == "" {
				t.Errorf("%s at %s: %d, want %d\n%s", name, m.path, a.status, c.status, a.body)
			}
		}
	}
	if after := rows(); after != before {
		t.Errorf("there were %d records and are %d", before, after)
	}
}

// Fields of lists, items and attendee types with what is no value of theirs, on creation
// and on change.
func TestWrongValuesOfCommonRecords(t *testing.T) {
	both(t, func(s *scene) {
		s.run(
			step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"},
			step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}","Level1Code":"US","Name":"United States"}`, keep: "item"},
			step{as: "wes", call: "POST /expense/attendeetypes", body: `{"Code":"PRESS","Name":"Press","DuplicateSearchFields":["Company"]}`, keep: "type"},
		)
		before := s.send(step{as: "wes", call: "GET /common/lists"}).body + s.send(step{as: "wes", call: "GET /common/listitems?listId={list}"}).body + s.send(step{as: "wes", call: "GET /expense/attendeetypes"}).body
		for _, c := range []struct{ path, field, value, want string }{
			{"/common/lists", "Name", `" "`, "must not be blank"}, {"/common/lists", "Name", `{"x":1}`, "must be a single value"}, {"/common/lists", "Name", `"a\nb"`, "must be one line"},
			{"/common/lists", "Name", `"` + strings.Repeat("x", 65) + `"`, "must be at most 64"},
			{"/common/lists", "DisplayCodeFirst", `"perhaps"`, "must be true or false"}, {"/common/lists", "DisplayCodeFirst", `2`, "must be true or false"},
			{"/common/lists", "SearchCriteriaCode", `"NAME"`, "must be one of CODE, TEXT"}, {"/common/lists", "IsVendorList", `"maybe"`, "must be true or false"},
			{"/common/lists", "ExternalThreshold", `"many"`, "must be a whole number"}, {"/common/lists", "ExternalThreshold", `1.5`, "must be a whole number"}, {"/common/lists", "ExternalThreshold", `99999999999999999999`, "is a number out of range"},
			{"/common/listitems", "Name", `" "`, "must not be blank"}, {"/common/listitems", "Name", `"a\nb"`, "must be one line"}, {"/common/listitems", "Name", `"` + strings.Repeat("é", 65) + `"`, "must be at most 64"},
			{"/expense/attendeetypes", "Name", `" "`, "must not be blank"}, {"/expense/attendeetypes", "Code", `" "`, "must not be blank"}, {"/expense/attendeetypes", "Code", `"a\nb"`, "must be one line"},
			{"/expense/attendeetypes", "AllowManuallyEnteredAttendees", `"often"`, "must be true or false"}, {"/expense/attendeetypes", "ConnectorID", `"` + strings.Repeat("x", 65) + `"`, "must be at most 64"},
			{"/expense/attendeetypes", "DuplicateSearchFields", `["Company","Shoe Size"]`, "must be one of"}, {"/expense/attendeetypes", "AttendeeFormID", `"gWnone"`, "names no attendee form"},
		} {
			id := map[string]string{"/common/lists": "{list}", "/common/listitems": "{item}", "/expense/attendeetypes": "{type}"}[c.path]
			whole := map[string]string{"/common/lists": `{"Name":"New","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE","ConnectorID":"c"}`, "/common/listitems": `{"ListID":"{list}","Level1Code":"X","Name":"New"}`, "/expense/attendeetypes": `{"Code":"NEW","Name":"New"}`}[c.path]
			field := c.field
			if c.field == "DuplicateSearchFields" {
				field += "[1]"
			}
			if c.want != "must not be blank" { // on creation a blank is nothing
				s.run(step{as: "wes", call: "POST " + c.path, body: with(whole, c.field, c.value), status: 400, want: field + ": "})
			}
			s.run(step{as: "wes", call: "PUT " + c.path + "/" + id, body: fmt.Sprintf(`{"%s":%s}`, c.field, c.value), status: 400, want: field + ": " + c.want})
		}
		if after := s.send(step{as: "wes", call: "GET /common/lists"}).body + s.send(step{as: "wes", call: "GET /common/listitems?listId={list}"}).body + s.send(step{as: "wes", call: "GET /expense/attendeetypes"}).body; after != before {
			t.Errorf("the records were\n%s\nand are\n%s", before, after)
		}
		s.sound()
	})
}

// with is a JSON object in which a member has this value, whatever it had before.
func with(object, member, value string) string {
	if i := strings.Index(object, `"`+member+`":`); i >= 0 {
		rest := object[i+len(member)+3:]
		return object[:i] + `"` + member + `":` + value + rest[strings.IndexAny(rest, ",}"):]
	}
	return strings.TrimSuffix(object, "}") + `,"` + member + `":` + value + "}"
}
