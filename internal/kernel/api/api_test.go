package api

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// gadget is a resource that shows everything a family does, so that the kernel is
// tested without one of the product's own.
type gadget struct {
	Seq     int64
	ID      string
	Company string
	Owner   string
	Name    string
	Note    string
	Price   value.Money
	Made    value.Instant
}

func (g *gadget) columns(c *store.Columns) {
	c.Seq(&g.Seq)
	c.Key("id", &g.ID)
	c.Text("company_id", &g.Company)
	c.Text("owner_id", &g.Owner)
	c.Text("name", &g.Name)
	c.Text("note", &g.Note)
	c.Money("price", &g.Price)
	c.Instant("made", &g.Made)
}

func (g *gadget) v3(f *wire.Fields) {
	f.Text("ID", &g.ID, "The id.", wire.ReadOnly)
	f.Instant("Made", &g.Made, "When it was made.", wire.ReadOnly)
	f.Text("Name", &g.Name, "What it is called.", wire.RequiredOnCreate, wire.Max(10))
	f.Text("Note", &g.Note, "A remark.")
	f.Money("Price", &g.Price, "What it costs.")
}

type gadgetQuery struct{ Name string }

func (q *gadgetQuery) v3(f *wire.Fields) { f.Text("name", &q.Name, "Only those of this name.") }

var gadgets = store.NewTable("gadget", (*gadget).columns)

const gadgetDDL = `-- +goose Up
CREATE TABLE gadget (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, company_id TEXT NOT NULL, owner_id TEXT NOT NULL,
  name TEXT NOT NULL, note TEXT NOT NULL, price BIGINT NOT NULL, made BIGINT NOT NULL);
`

type fixture struct {
	*Server
	db  *store.DB
	now value.Instant
	ids *value.IDs

	prepared map[string]auth.Person // by login in lower case: those whose reports ann prepares
	asked    []string               // of whom the directory was asked
}

var gadgetNames = Names{One: "GadgetGet", WireOne: "Gadget", Many: "GadgetCollection", WireMany: "Gadgets", Post: "GadgetPost", Put: "GadgetPut"}

func (x *fixture) operations() []Operation {
	load := func(tx *store.Tx, a *auth.Actor, id string) (*gadget, error) {
		return gadgets.Get(tx, a.Reached(""), id)
	}
	doc := func(id string) Doc { return Doc{ID: id, Group: "Gadgets", Summary: "Gadget " + id} }
	scope := auth.Scope("GADGET")
	return []Operation{
		List(V3, "/gadgets", func(tx *store.Tx, a *auth.Actor, q *gadgetQuery, p store.Page) (Listing[gadget], error) {
			where := store.Unrestricted()
			if q.Name != "" {
				where = store.Where("name = ?", q.Name)
			}
			rows, more, err := gadgets.List(tx, a.Listed(""), where, p)
			if err != nil {
				return Listing[gadget]{}, err
			}
			return Page(gadgets, rows, more, p), nil
		}, (*gadgetQuery).v3, (*gadget).v3, doc("gadgets.list"), scope, About(UserOrAll), Named(gadgetNames), Limits(3, 10), Delegable()),
		Get(V3, "/gadgets/{id}", load, (*gadget).v3, doc("gadgets.get"), scope, About(UserParameter), Named(gadgetNames), Delegable()),
		Create(V3, "/gadgets", func(tx *store.Tx, a *auth.Actor, g *gadget, in *Input) (string, error) {
			g.ID, g.Company, g.Owner, g.Made = x.ids.Protected(), a.Company, a.Subject.ID, tx.Now()
			if g.Price < 0 {
				in.Add("Price", "range", "cannot be negative.")
			}
			if err := in.Err(); err != nil {
				return "", err
			}
			return g.ID, gadgets.Insert(tx, g)
		}, (*gadget).v3, doc("gadgets.create"), scope, About(UserParameter), Named(gadgetNames), MaxBody(2000), Delegable()),
		Update(V3, "/gadgets/{id}", load, func(tx *store.Tx, a *auth.Actor, old, changed *gadget, in *Input) error {
			if err := in.Err(); err != nil {
				return err
			}
			return gadgets.Update(tx, changed)
		}, (*gadget).v3, doc("gadgets.update"), scope, About(UserParameter), Named(gadgetNames), Delegable()),
		Delete(V3, "/gadgets/{id}", func(tx *store.Tx, a *auth.Actor, id string) error {
			if _, err := load(tx, a, id); err != nil {
				return err
			}
			return gadgets.Delete(tx, id)
		}, doc("gadgets.delete"), scope, About(UserParameter)),
		Custom(V3, "GET", "/gadgets/status/{id}", func(c *Call) (Answer, error) {
			return RawJSON(200, []byte(`{"status":"`+c.Param("id")+`"}`)), nil
		}, doc("gadgets.status"), scope, About(CallerOnly)),
		Custom(V3, "GET", "/gadgets/{id}/image", func(c *Call) (Answer, error) {
			return Stream("text/plain", "gadget.txt", "tag", time.Time{}, nopCloser{strings.NewReader("0123456789")}), nil
		}, doc("gadgets.image"), scope, About(CallerOnly)),
		Custom(V3, "POST", "/gadgets/echo", func(c *Call) (Answer, error) {
			b, err := c.All()
			if err != nil {
				return nil, err
			}
			return Bytes(200, "text/plain", b), nil
		}, doc("gadgets.echo"), auth.AnyToken(), About(Nobody), MaxBody(10)),
		Custom(V3, "POST", "/gadgets/panic", func(c *Call) (Answer, error) { panic("secret of the house") },
			doc("gadgets.panic"), auth.AnyToken(), About(Nobody)),
		Custom(V3, "POST", "/gadgets/limited", func(c *Call) (Answer, error) { return Void(), nil },
			doc("gadgets.limited"), auth.AnyToken(), About(Nobody), Limited(Rate{Calls: 2, Window: time.Minute})),
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

var ann = auth.Person{ID: "a0000000-0000-4000-8000-000000000001", Login: "ann@demo.test"}
var bob = auth.Person{ID: "b0000000-0000-4000-8000-000000000001", Login: "bob@demo.test"}

// Authenticate knows five tokens.
func (x *fixture) Authenticate(_ context.Context, token string) (*auth.Actor, error) {
	a := auth.Actor{Kind: auth.User, ID: ann.ID, Company: "c1", Self: ann, Profile: auth.Documented, Scopes: []string{"GADGET"}}
	switch token {
	case "ann":
	case "observed":
		a.Profile = auth.Observed
	case "bob":
		a.ID, a.Self = bob.ID, bob
	case "admin":
		a.ID, a.Self, a.Roles = "w", auth.Person{ID: "w", Login: "wes@demo.test"}, []auth.Role{auth.WebServicesAdministrator}
	case "poor":
		a.Scopes = nil
	case "company":
		a.Kind, a.Self = auth.Company, auth.Person{}
	case "elsewhere":
		a.Company = "c2"
	default:
		return nil, errs.New(errs.Forbidden, "token", "Forbidden. Please check your Instance URL and OAuth token.")
	}
	return &a, nil
}

// Person knows ann and bob.
func (x *fixture) Person(_ context.Context, company, login string) (auth.Person, bool, error) {
	x.asked = append(x.asked, "person "+login)
	for _, p := range []auth.Person{ann, bob} {
		if company == "c1" && (strings.EqualFold(p.Login, login) || p.ID == login) {
			return p, true, nil
		}
	}
	return auth.Person{}, false, nil
}

// PreparedBy knows for whom ann is a delegate.
func (x *fixture) PreparedBy(_ context.Context, company, delegate, login string) (auth.Person, bool, error) {
	x.asked = append(x.asked, "delegate "+delegate)
	p, ok := x.prepared[strings.ToLower(login)]
	return p, ok && company == "c1" && delegate == ann.ID, nil
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	x := &fixture{now: value.InstantOf(time.Date(2024, 3, 11, 7, 56, 32, 120e6, time.UTC)), ids: value.NewIDs(rand.New(rand.NewSource(1)))}
	clock := func() value.Instant { return x.now }
	db, err := store.Open(context.Background(), store.Options{Path: filepath.Join(t.TempDir(), "api.db"), Clock: clock,
		Migrations: fstest.MapFS{"0001_gadget.sql": {Data: []byte(gadgetDDL)}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	x.db = db
	x.Server = NewServer(Options{DB: db, Clock: clock, IDs: x.ids, Logger: slog.New(slog.DiscardHandler), PublicURL: "https://spend.example",
		Authenticator: x, Directory: x, Signer: auth.NewSigner([]byte(strings.Repeat("k", 32)))}, x.operations())
	return x
}

// do sends a request; headers come as name, value pairs.
func (x *fixture) do(t *testing.T, token, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	var r io.Reader = http.NoBody
	if body != "" {
		r = strings.NewReader(body)
	}
	request := httptest.NewRequest(method, target, r)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	x.ServeHTTP(w, request)
	return w
}

const (
	asJSON = "application/json"
	asXML  = "application/xml"
)

// TestWireForms is the golden test of a family: each call in each profile and format.
func TestWireForms(t *testing.T) {
	x := newFixture(t)
	var out strings.Builder
	show := func(title, token, method, target, body string, headers ...string) *httptest.ResponseRecorder {
		w := x.do(t, token, method, target, body, append(headers, "concur-correlationid", "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0")...)
		fmt.Fprintf(&out, "## %s\n%s %s\n%d %s\n%s\n\n", title, method, target, w.Code, w.Header().Get("Content-Type"), w.Body)
		return w
	}
	show("create", "ann", "POST", "/api/v3.0/gadgets", `{"Name":"Lamp & co","Price":12.5}`, "Content-Type", asJSON, "Accept", asJSON)
	show("create, XML", "ann", "POST", "/api/v3.0/gadgets", `<Anything><Name>Table</Name><Note>x &lt; y</Note></Anything>`, "Content-Type", asXML, "Accept", asXML)
	made := show("create, form, observed", "observed", "POST", "/api/v3.0/gadgets", `Name=Chair&Price=7`, "Content-Type", "application/x-www-form-urlencoded", "Accept", asXML)
	show("create for somebody else", "admin", "POST", "/api/v3.0/gadgets?user=BOB@demo.test", `{"Name":"Bob's"}`, "Content-Type", asJSON, "Accept", asJSON)
	id := made.Body.String()
	if !strings.Contains(id, "<ID>") {
		t.Fatal(out.String())
	}
	id = id[strings.Index(id, "<ID>")+4 : strings.Index(id, "</ID>")]
	for _, accept := range []string{asJSON, asXML, "*/*", ""} {
		for _, token := range []string{"ann", "observed"} {
			h := []string{"Accept", accept}
			if accept == "" {
				h = nil
			}
			show("list as "+token+", Accept "+accept, token, "GET", "/api/v3.0/gadgets?limit=2", "", h...)
			show("get as "+token+", Accept "+accept, token, "GET", "/api/v3.0/gadgets/"+id, "", h...)
		}
	}
	show("empty list", "elsewhere", "GET", "/api/v3.0/gadgets", "", "Accept", asJSON)
	show("empty list", "elsewhere", "GET", "/api/v3.0/gadgets", "", "Accept", asXML)
	for _, token := range []string{"ann", "observed"} {
		show("update as "+token, token, "PUT", "/api/v3.0/gadgets/"+id, `{"Price":"8.25"}`, "Content-Type", asJSON, "Accept", asJSON)
		show("update as "+token, token, "PUT", "/api/v3.0/gadgets/"+id, `<Gadget><Note/></Gadget>`, "Content-Type", asXML, "Accept", asXML)
	}
	show("delete", "ann", "DELETE", "/api/v3.0/gadgets/"+id, "", "Accept", asXML)
	for _, accept := range []string{asJSON, asXML} {
		show("several problems", "ann", "POST", "/api/v3.0/gadgets", `{"Name":"much too long a name","Price":"ten"}`, "Content-Type", asJSON, "Accept", accept)
		show("a rule's problem joins", "ann", "POST", "/api/v3.0/gadgets", `{"Price":-1}`, "Content-Type", asJSON, "Accept", accept)
		show("unknown id", "ann", "GET", "/api/v3.0/gadgets/gWnothing", "", "Accept", accept)
		show("unknown path", "ann", "GET", "/api/v3.0/widgets", "", "Accept", accept)
		show("no token", "", "GET", "/api/v3.0/gadgets", "", "Accept", accept)
		show("bad token", "stolen", "GET", "/api/v3.0/gadgets", "", "Accept", accept)
		show("no scope", "poor", "GET", "/api/v3.0/gadgets", "", "Accept", accept)
	}
	golden(t, "v3.txt", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and read the diff. Got:\n%s", path, got)
	}
}

func TestRefusals(t *testing.T) {
	x := newFixture(t)
	w := x.do(t, "ann", "POST", "/api/v3.0/gadgets", `{"Name":"Lamp"}`)
	if w.Code != 200 {
		t.Fatal(w.Body)
	}
	var made struct{ ID string }
	if w := x.do(t, "ann", "POST", "/api/v3.0/gadgets", `{"Name":"Lamp"}`, "Accept", asJSON); json.Unmarshal(w.Body.Bytes(), &made) != nil {
		t.Fatal(w.Body)
	}
	one := "/api/v3.0/gadgets/" + made.ID
	for _, c := range []struct {
		name, token, method, target, body string
		headers                           []string
		status                            int
		contains                          string
	}{
		{"own", "ann", "GET", one, "", nil, 200, made.ID},
		{"another user's", "bob", "GET", one, "", nil, 404, ""},
		{"another company's", "elsewhere", "GET", one, "", nil, 404, ""},
		{"administrator", "admin", "GET", one, "", nil, 200, made.ID},
		{"administrator names the owner", "admin", "GET", one + "?user=ann@demo.test", "", nil, 200, made.ID},
		{"administrator names another", "admin", "GET", one + "?user=bob@demo.test", "", nil, 404, ""},
		{"administrator says ALL", "admin", "GET", one + "?USER=all", "", nil, 200, made.ID},
		{"user names another", "ann", "GET", "/api/v3.0/gadgets?user=bob@demo.test", "", nil, 403, "Web Services Administrator"},
		{"user names nobody known", "ann", "GET", "/api/v3.0/gadgets?user=nobody@demo.test", "", nil, 403, "Web Services Administrator"},
		{"administrator names nobody known", "admin", "GET", "/api/v3.0/gadgets?user=nobody@demo.test", "", nil, 400, "Invalid User:nobody@demo.test"},
		{"user says ALL", "ann", "GET", "/api/v3.0/gadgets?user=ALL", "", nil, 403, ""},
		{"administrator creates for ALL", "admin", "POST", "/api/v3.0/gadgets?user=ALL", "{}", nil, 400, "Invalid User"},
		{"company creates for nobody", "company", "POST", "/api/v3.0/gadgets", `{"Name":"x"}`, nil, 400, "user parameter"},
		{"company lists all", "company", "GET", "/api/v3.0/gadgets", "", nil, 200, made.ID},
		{"OAuth scheme in any case", "", "GET", one, "", []string{"Authorization", "oauth ann"}, 200, made.ID},
		{"other scheme", "", "GET", one, "", []string{"Authorization", "Digest ann"}, 401, ""},
		{"double slashes, other case, trailing slash", "ann", "GET", "//API/v3.0//Gadgets/" + made.ID + "/", "", nil, 200, made.ID},
		{"literal before parameter", "ann", "GET", "/api/v3.0/gadgets/status/7", "", nil, 200, `{"status":"7"}`},
		{"parameter beside literal", "ann", "GET", "/api/v3.0/gadgets/status/image", "", nil, 200, `{"status":"image"}`},
		{"method", "ann", "PATCH", one, "", nil, 405, "GET, HEAD"},
		{"unwanted media", "ann", "GET", one, "", []string{"Accept", "image/png"}, 406, "application/json"},
		{"preference", "ann", "GET", one, "", []string{"Accept", "text/html;q=0.9, application/xml;q=0.1, application/json;q=0.5"}, 200, `{"ID"`},
		{"unknown body", "ann", "POST", "/api/v3.0/gadgets", "Name: x", []string{"Content-Type", "text/yaml"}, 415, "text/yaml"},
		{"type of an absent body does not matter", "ann", "GET", one, "", []string{"Content-Type", "text/yaml"}, 200, ""},
		{"compressed body", "ann", "POST", "/api/v3.0/gadgets", "x", []string{"Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"malformed JSON", "ann", "POST", "/api/v3.0/gadgets", `{"Name":`, []string{"Content-Type", asJSON}, 400, ""},
		{"malformed XML", "ann", "POST", "/api/v3.0/gadgets", `<Name>`, []string{"Content-Type", asXML}, 400, ""},
		{"large body", "ann", "POST", "/api/v3.0/gadgets", `{"Note":"` + strings.Repeat("x", 3000) + `"}`, []string{"Content-Type", asJSON}, 413, "2000 bytes"},
		{"limit 0", "ann", "GET", "/api/v3.0/gadgets?limit=0", "", nil, 400, "limit"},
		{"limit beyond", "ann", "GET", "/api/v3.0/gadgets?limit=11", "", nil, 400, "1 to 10"},
		{"limit in words", "ann", "GET", "/api/v3.0/gadgets?limit=ten", "", nil, 400, "limit"},
		{"offset made up", "ann", "GET", "/api/v3.0/gadgets?offset=nAAAA", "", nil, 400, "offset"},
		{"position far out", "ann", "GET", "/api/v3.0/gadgets?offset=1000001", "", nil, 400, "1,000,000"},
		{"a panic says nothing", "ann", "POST", "/api/v3.0/gadgets/panic", "", nil, 500, "correlation"},
	} {
		w := x.do(t, c.token, c.method, c.target, c.body, c.headers...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret of the house") {
			t.Errorf("%s leaks: %s", c.name, w.Body)
		}
		if !value.IsUUID(w.Header().Get("concur-correlationid")) {
			t.Errorf("%s: correlation id %q", c.name, w.Header().Get("concur-correlationid"))
		}
	}
	if w := x.do(t, "", "OPTIONS", one, ""); w.Code != 204 || w.Header().Get("Allow") != "DELETE, GET, HEAD, OPTIONS, PUT" {
		t.Errorf("OPTIONS: %d %q", w.Code, w.Header())
	}
	if w := x.do(t, "ann", "PATCH", one, ""); w.Header().Get("Allow") != "DELETE, GET, HEAD, OPTIONS, PUT" {
		t.Errorf("405 allows %q", w.Header().Get("Allow"))
	}
}

func TestPaging(t *testing.T) {
	x := newFixture(t)
	for i := range 8 {
		name := []string{"even", "odd"}[i%2]
		if w := x.do(t, "ann", "POST", "/api/v3.0/gadgets", fmt.Sprintf(`{"Name":%q,"Note":"%d"}`, name, i), "Accept", asJSON); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	type page struct {
		Items    []struct{ Note string }
		NextPage *string
	}
	read := func(token, target string) (page, int) {
		var p page
		w := x.do(t, token, "GET", target, "", "Accept", asJSON)
		_ = json.Unmarshal(w.Body.Bytes(), &p)
		return p, w.Code
	}
	walk := func(token, target string, rewrite func(string) string) string {
		notes := ""
		for steps := 0; target != "" && steps < 20; steps++ {
			p, status := read(token, target)
			if status != 200 {
				t.Fatalf("%s: %d", target, status)
			}
			for _, g := range p.Items {
				notes += g.Note
			}
			target = ""
			if p.NextPage != nil {
				if !strings.HasPrefix(*p.NextPage, "https://spend.example/api/v3.0/gadgets?") {
					t.Fatalf("NextPage is %s", *p.NextPage)
				}
				target = rewrite(*p.NextPage)
			}
		}
		return notes
	}
	asIs := func(s string) string { return s }
	offsetAlone := func(s string) string {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return "/api/v3.0/gadgets?offset=" + url.QueryEscape(u.Query().Get("offset"))
	}
	for name, c := range map[string]struct {
		token, target string
		rewrite       func(string) string
		want          string
	}{
		"to the letter":                 {"ann", "/api/v3.0/gadgets", asIs, "01234567"},
		"a whole last page":             {"ann", "/api/v3.0/gadgets?limit=4", asIs, "01234567"},
		"offset alone":                  {"ann", "/api/v3.0/gadgets?limit=2", offsetAlone, "01234567"},
		"offset alone keeps filters":    {"ann", "/api/v3.0/gadgets?limit=1&Name=odd", offsetAlone, "1357"},
		"filters":                       {"ann", "/api/v3.0/gadgets?limit=1&name=even", asIs, "0246"},
		"administrator, offset alone":   {"admin", "/api/v3.0/gadgets?limit=3&user=ALL", offsetAlone, "01234567"},
		"administrator, another's rows": {"admin", "/api/v3.0/gadgets?limit=3&user=ann@demo.test", offsetAlone, "01234567"},
	} {
		if got := walk(c.token, c.target, c.rewrite); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	first, _ := read("ann", "/api/v3.0/gadgets?limit=2&name=odd")
	next, err := url.Parse(*first.NextPage)
	if err != nil {
		t.Fatal(err)
	}
	offset := url.QueryEscape(next.Query().Get("offset"))
	for name, c := range map[string]struct {
		token, target string
		status        int
	}{
		"the same":             {"ann", "/api/v3.0/gadgets?offset=" + offset, 200},
		"another limit":        {"ann", "/api/v3.0/gadgets?limit=9&offset=" + offset, 200},
		"other filters":        {"ann", "/api/v3.0/gadgets?name=even&offset=" + offset, 400},
		"another user":         {"bob", "/api/v3.0/gadgets?offset=" + offset, 403},
		"another company":      {"elsewhere", "/api/v3.0/gadgets?offset=" + offset, 400},
		"tampered":             {"ann", "/api/v3.0/gadgets?offset=" + offset[:len(offset)-2] + "AA", 400},
		"cut":                  {"ann", "/api/v3.0/gadgets?offset=" + offset[:10], 400},
		"a position":           {"ann", "/api/v3.0/gadgets?offset=6", 200},
		"a position past all":  {"ann", "/api/v3.0/gadgets?offset=600", 200},
		"a long made-up token": {"ann", "/api/v3.0/gadgets?offset=n" + strings.Repeat("A", 9000), 400},
	} {
		if _, status := read(c.token, c.target); status != c.status {
			t.Errorf("%s: %d", name, status)
		}
	}
	if p, _ := read("ann", "/api/v3.0/gadgets?offset=6&limit=1"); len(p.Items) != 1 || p.Items[0].Note != "6" {
		t.Errorf("position 6 gives %v", p.Items)
	}
}

func TestStreams(t *testing.T) {
	x := newFixture(t)
	target := "/api/v3.0/gadgets/1/image"
	if w := x.do(t, "ann", "GET", target, "", "Range", "bytes=2-4"); w.Code != 206 || w.Body.String() != "234" {
		t.Errorf("range: %d %q", w.Code, w.Body)
	}
	if w := x.do(t, "ann", "HEAD", target, ""); w.Code != 200 || w.Header().Get("Content-Length") != "10" || w.Body.Len() != 0 {
		t.Errorf("head: %d %v", w.Code, w.Header())
	}
	if w := x.do(t, "ann", "GET", target, "", "If-None-Match", `"tag"`); w.Code != 304 {
		t.Errorf("validator: %d", w.Code)
	}
	// The limit holds for bodies that do not tell their length.
	r := httptest.NewRequest("POST", "/api/v3.0/gadgets/echo", io.MultiReader(strings.NewReader("01234"), strings.NewReader("567890")))
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer ann")
	w := httptest.NewRecorder()
	x.ServeHTTP(w, r)
	if w.Code != 413 {
		t.Errorf("a chunked body over the limit: %d %s", w.Code, w.Body)
	}
	if w := x.do(t, "ann", "POST", "/api/v3.0/gadgets/echo", "0123456789"); w.Code != 200 || w.Body.String() != "0123456789" {
		t.Errorf("a body of the limit: %d %s", w.Code, w.Body)
	}
}

func TestRates(t *testing.T) {
	x := newFixture(t)
	call := func(token string) int { return x.do(t, token, "POST", "/api/v3.0/gadgets/limited", "").Code }
	if call("ann") != 200 || call("ann") != 200 {
		t.Fatal("refused within the rate")
	}
	w := x.do(t, "ann", "POST", "/api/v3.0/gadgets/limited", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("%d, Retry-After %s", w.Code, w.Header().Get("Retry-After"))
	}
	if call("bob") != 200 {
		t.Error("another user pays for ann")
	}
	x.now = x.now.Add(time.Minute)
	if call("ann") != 200 {
		t.Error("the window does not end")
	}
}

func TestUndeclaredOperationsPanic(t *testing.T) {
	for name, declare := range map[string]func(){
		"scope": func() {
			Custom(V3, "GET", "/x", nil, Doc{ID: "x", Summary: "x"}, auth.Scopes{}, About(Nobody))
		},
		"subject": func() { Custom(V3, "GET", "/x", nil, Doc{ID: "x", Summary: "x"}, auth.AnyToken()) },
		"a user to be delegable for": func() {
			Custom(V3, "GET", "/x", nil, Doc{ID: "x", Summary: "x"}, auth.AnyToken(), About(CallerOnly), Delegable())
		},
		"id": func() { Custom(V3, "GET", "/x", nil, Doc{}, auth.AnyToken(), About(Nobody)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("an operation without %s is taken", name)
				}
			}()
			declare()
		}()
	}
}

func TestOpenAPI(t *testing.T) {
	x := newFixture(t)
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(x.OpenAPI("test"), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Paths["/api/v3.0/gadgets/{id}"]["put"] == nil || doc.Components.Schemas["GadgetPost"] == nil {
		t.Errorf("%v", doc)
	}
	// Who else may name a person is told where it is so.
	for call, want := range map[[2]string]bool{{"get", "/gadgets"}: true, {"put", "/gadgets/{id}"}: true, {"delete", "/gadgets/{id}"}: false} {
		text, err := json.Marshal(doc.Paths["/api/v3.0"+call[1]][call[0]])
		if err != nil || !strings.Contains(string(text), "others than the own need") || strings.Contains(string(text), "who prepares for that person may name them too.") != want {
			t.Errorf("%v: %s %v", call, text, err)
		}
	}
}
