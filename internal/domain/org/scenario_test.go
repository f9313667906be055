package org_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/wire/wiretest"
)

// scene says calls of the common services in one format, as people of the seed.
type scene struct {
	*world
	xml    bool
	kept   map[string]string // what steps have kept, by name
	tokens map[string]string // by who
}

// step is one call and what is expected of it.
type step struct {
	as     string // "wes", "eve"; "company" is the demo company's own token; a "!" asks with the observed profile; "ann LIST" with this scope alone
	call   string // "POST /common/lists"; {name} stands for what was kept
	body   string // JSON; sent as XML when the scene is in XML
	status int    // 200 when left out
	want   string // fields of the answer: "Name=Oslo; Items=2; Items[0].Name=Oslo"; of a refusal a part of the message
	keep   string // the name under which the answer's ID, the first row's or NextPage is kept
}

// both plays a scene in JSON and in XML on SQLite, and in JSON on PostgreSQL.
func both(t *testing.T, play func(s *scene)) {
	t.Helper()
	for _, format := range []string{"json", "xml"} {
		t.Run(format, func(t *testing.T) { play(newScene(onSQLite(t), format == "xml")) })
	}
	t.Run("postgres", func(t *testing.T) {
		c := newClock()
		play(newScene(newWorld(t, storetest.Postgres(t, withClock(c)), c), false))
	})
}

func newScene(w *world, inXML bool) *scene {
	return &scene{world: w, xml: inXML, kept: map[string]string{}, tokens: map[string]string{}}
}

// token signs somebody in, once.
func (s *scene) token(who string) string {
	s.t.Helper()
	if s.tokens[who] == "" {
		name, scope, _ := strings.Cut(who, " ")
		name, observed := strings.CutSuffix(name, "!")
		client, login := client, name+"@demo.test"
		if observed {
			client += "-observed"
		}
		if name == "eve" {
			login = "eve@other.test"
		}
		pairs := []string{"client_id", client, "client_secret", client + "-secret", "grant_type", "password", "username", login, "password", name + "-password", "scope", scope}
		if name == "company" {
			pairs = append(pairs, "username", demo, "password", "quittance-dev-company-token", "credtype", "authtoken")
		}
		a := s.post("/oauth2/v0/token", pairs...)
		if a.status != 200 {
			s.t.Fatalf("sign-in of %s: %d %s", who, a.status, a.body)
		}
		s.tokens[who] = a.text(s.t, "access_token")
	}
	return s.tokens[who]
}

// run says steps one after the other.
func (s *scene) run(steps ...step) {
	s.t.Helper()
	for i, one := range steps {
		s.say(i, one)
	}
}

func (s *scene) say(i int, one step) map[string]string {
	s.t.Helper()
	name := fmt.Sprintf("step %d, %s %s %s", i+1, one.as, one.call, one.body)
	a := s.send(one)
	if one.status == 0 {
		one.status = 200
	}
	if a.status != one.status {
		s.t.Fatalf("%s: status %d, want %d\n%s", name, a.status, one.status, a.body)
	}
	f := wiretest.Fields(s.t, a.body)
	if one.status >= 400 {
		if want := s.fill(one.want); !strings.Contains(f["Message"], want) {
			s.t.Fatalf("%s: the message is\n%s\nwithout\n%s", name, f["Message"], want)
		}
		return f
	}
	if differs := wiretest.Compare(f, s.fill(one.want)); differs != "" {
		s.t.Fatalf("%s: %s\n%s", name, differs, a.body)
	}
	if one.keep != "" {
		for _, v := range []string{f["ID"], f["NextPage"], f["Items[0].ID"]} {
			if s.kept[one.keep] = v; v != "" {
				break
			}
		}
	}
	return f
}

// send makes a step's call.
func (s *scene) send(one step) answer {
	s.t.Helper()
	method, path, _ := strings.Cut(s.fill(one.call), " ")
	if path = strings.TrimPrefix(path, publicURL); !strings.HasPrefix(path, "/api/") {
		path = "/api/v3.0" + path
	}
	body, media := s.fill(one.body), "application/json"
	if s.xml {
		media = "application/xml"
		body = wiretest.XML(s.t, body)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if one.as != "" {
		r.Header.Set("Authorization", "Bearer "+s.token(one.as))
	}
	if body != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Accept", media)
	return s.do(r)
}

// fill puts what was kept in the place of {name}.
func (s *scene) fill(text string) string { return wiretest.Fill(text, s.kept) }

// pages follows NextPage to the end and gives the ids of all rows.
func (s *scene) pages(as, call string) (ids []string) {
	s.t.Helper()
	for n := 0; call != "" && n < 100; n++ {
		f := s.say(n, step{as: as, call: call})
		rows, _ := strconv.Atoi(f["Items"])
		for i := range rows {
			ids = append(ids, f["Items["+strconv.Itoa(i)+"].ID"])
		}
		if call = f["NextPage"]; call != "" {
			call = "GET " + call
		}
	}
	return ids
}

// goldenCalls writes down what calls answer in every format and profile.
func goldenCalls(t *testing.T, file string, prepare func(s *scene), calls ...step) {
	t.Helper()
	var b strings.Builder
	for _, style := range []struct {
		name string
		xml  bool
		mark string
	}{{"JSON", false, ""}, {"XML, documented", true, ""}, {"XML, observed", true, "!"}} {
		s := newScene(onSQLite(t), style.xml)
		if prepare != nil {
			prepare(s)
		}
		for _, one := range calls {
			one.as += style.mark
			a := s.send(one)
			body := strings.ReplaceAll(a.body, "},{", "},\n{")
			body = strings.ReplaceAll(body, "><Items>", ">\n<Items>")
			fmt.Fprintf(&b, "%s, %s %s %s\n%d %s\n%s\n\n", style.name, one.as, one.call, one.body, a.status, a.header.Get("Content-Type"), unstable.ReplaceAllString(body, "…"))
		}
	}
	golden(t, file, b.String())
}

// unstable are the ids of errors and the signatures of pages.
var unstable = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}|offset=n[\w-]+`)
