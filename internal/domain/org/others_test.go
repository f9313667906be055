package org_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// guarded are the calls of the common services, on records that TestCommonCallsOfOthers
// makes. Who administers a company may do all of them there.
var guarded = []struct {
	call, body, scope string // the scope that is asked for; "" for any token
	writes            bool   // for administrators only
}{
	{"GET /common/users", "", "USER", false},
	{"GET /common/locations", "", "", false},
	{"GET /common/locations/{place}", "", "", false},
	{"GET /common/lists", "", "LIST", false},
	{"GET /common/lists/{list}", "", "LIST", false},
	{"GET /common/listitems", "", "LIST", false},
	{"GET /common/listitems/{item}", "", "LIST", false},
	{"GET /expense/attendeetypes", "", "ATTEND", false},
	{"GET /expense/attendeetypes/{type}", "", "ATTEND", false},
	{"GET /expense/expensegroupconfigurations", "", "CONFIG", false},
	{"GET /expense/expensegroupconfigurations/{group}", "", "CONFIG", false},
	{"POST /common/lists", strings.Replace(countries, "Countries", "Theirs", 1), "LIST", true},
	{"PUT /common/lists/{list}", `{"Name":"Theirs too"}`, "LIST", true},
	{"POST /common/listitems", `{"ListID":"{list}","Level1Code":"X","Name":"Theirs"}`, "LIST", true},
	{"PUT /common/listitems/{item}", `{"Name":"Theirs"}`, "LIST", true},
	{"DELETE /common/listitems/{item}?listId={list}", "", "LIST", true},
	{"POST /expense/attendeetypes", `{"Code":"THEIRS","Name":"Theirs"}`, "ATTEND", true},
	{"PUT /expense/attendeetypes/{type}", `{"Name":"Theirs too"}`, "ATTEND", true},
	{"DELETE /expense/attendeetypes/{type}", "", "ATTEND", true},
}

// Every call of the common services by everybody who may not do it: without a token, with
// one of another scope, without the role, and from the other company with and without it.
func TestCommonCallsOfOthers(t *testing.T) {
	both(t, func(s *scene) {
		s.run(
			step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"},
			step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}","Level1Code":"US","Name":"United States"}`, keep: "item"},
			step{as: "wes", call: "POST /expense/attendeetypes", body: `{"Code":"PRESS","Name":"Press"}`, keep: "type"},
			step{as: "ann", call: "GET /common/locations?name=oslo", keep: "place"},
			step{as: "ann", call: "GET /expense/expensegroupconfigurations", keep: "group"},
		)
		// shown is what the lists and the records answer.
		shown := func() string {
			var all strings.Builder
			for _, g := range guarded {
				if strings.HasPrefix(g.call, "GET ") {
					a := s.send(step{as: "wes", call: g.call})
					if a.status != 200 {
						t.Fatal(g.call, a.status, a.body)
					}
					all.WriteString(a.body + "\n")
				}
			}
			return all.String()
		}
		before := shown()
		for _, g := range guarded {
			s.run(step{call: g.call, body: g.body, status: 401})
			if a := s.stranger(g.call, g.body); a.status != 403 {
				t.Errorf("%s with a token that is none: %d %s", g.call, a.status, a.body)
			}
			if g.scope != "" {
				s.run(step{as: "wes EXPRPT", call: g.call, body: g.body, status: 403, want: g.scope})
			}
			others := []string{"eve"}
			if g.writes {
				others = []string{"ann", "bob", "ivan", "eve"}
			}
			for _, who := range others {
				switch {
				case g.writes:
					s.run(step{as: who, call: g.call, body: g.body, status: 403, want: "Only Web Services Administrator"})
				case strings.Contains(g.call, "{"):
					s.run(step{as: who, call: g.call, status: 404, want: "There is no such record"})
				default:
					for _, id := range s.pages(who, g.call+"?limit=100") {
						if strings.Contains(before, `"`+id+`"`) || strings.Contains(before, ">"+id+"<") {
							t.Errorf("%s of eve shows %s of the other company", g.call, id)
						}
					}
				}
			}
		}
		// An administrator elsewhere is nobody here.
		s.write(func(tx *store.Tx) error {
			return s.SetRoles(tx, eveID, auth.WebServicesAdministrator, auth.CompanyAdministrator)
		})
		s.clock.Move(2 * time.Second)
		for _, g := range guarded {
			switch {
			case strings.HasPrefix(g.call, "POST /common/listitems"):
				s.run(step{as: "eve", call: g.call, body: g.body, status: 400, want: "ListID: names no list of the company"})
			case strings.Contains(g.call, "{"):
				s.run(step{as: "eve", call: g.call, body: g.body, status: 404, want: "There is no such record"})
			case g.writes:
				s.run(step{as: "eve", call: g.call, body: g.body}) // her own company's
			}
		}
		if after := shown(); after != before {
			t.Errorf("what is shown was\n%s\nand is\n%s", before, after)
		}
		s.sound()

		// And those who may: by role, and by the company's own token.
		for _, who := range []string{"company", "cora", "wes"} {
			for _, g := range guarded {
				if strings.HasPrefix(g.call, "DELETE") || who == "cora" && g.call == "GET /expense/expensegroupconfigurations/{group}" {
					continue
				}
				name := strings.ToUpper(who)
				s.run(step{as: who, call: g.call, body: strings.NewReplacer("Theirs", name, "THEIRS", name, `"X"`, `"`+name+`"`).Replace(g.body)})
			}
		}
		for _, g := range guarded {
			if strings.HasPrefix(g.call, "DELETE") {
				s.run(step{as: "wes", call: g.call}, step{as: "wes", call: g.call, status: 404}, step{as: "cora", call: g.call, status: 404})
			}
		}
		s.sound()
	})
}

// stranger makes a call with a token that nobody has given out.
func (s *scene) stranger(call, body string) answer {
	s.t.Helper()
	method, path, _ := strings.Cut(s.fill(call), " ")
	r := httptest.NewRequest(method, "/api/v3.0"+path, strings.NewReader(s.fill(body)))
	r.Header.Set("Authorization", "Bearer nonsense")
	r.Header.Set("Content-Type", "application/json")
	if s.xml {
		r.Header.Set("Accept", "application/xml")
	}
	return s.do(r)
}

// A whole record that was read may be sent back, in every format and profile: nothing
// changes.
func TestWholeCommonRecordsSentBack(t *testing.T) {
	w := onSQLite(t)
	for _, style := range []struct {
		xml  bool
		mark string
	}{{false, ""}, {true, ""}, {false, "!"}, {true, "!"}} {
		s := newScene(w, style.xml)
		for _, path := range []string{"/common/lists", "/common/listitems", "/expense/attendeetypes"} {
			ids := s.pages("wes", "GET "+path+"?limit=100")
			if len(ids) < 2 {
				t.Fatalf("%s has %v", path, ids)
			}
			for _, id := range ids {
				get := s.send(step{as: "wes" + style.mark, call: "GET " + path + "/" + id})
				put := s.send(step{as: "wes" + style.mark, call: "PUT " + path + "/" + id, body: get.body})
				if want := map[string]int{"": 200, "!": 204}[style.mark]; put.status != want {
					t.Errorf("%s back at %s: %d, want %d\n%s", get.body, path, put.status, want, put.body)
				}
				if again := s.send(step{as: "wes" + style.mark, call: "GET " + path + "/" + id}); again.body != get.body {
					t.Errorf("%s was\n%s\nand is\n%s", path, get.body, again.body)
				}
			}
			if again := s.pages("wes", "GET "+path+"?limit=100"); !slices.Equal(ids, again) {
				t.Errorf("%s was in the order %v and is in %v", path, ids, again)
			}
		}
	}
}
