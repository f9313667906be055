package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"quittance/internal/kernel/auth"
)

// A delegate names whose records a call is about, where the operation is delegable;
// everybody else is refused as ever, and nobody learns who exists.
func TestDelegates(t *testing.T) {
	x := newFixture(t)
	x.prepared = map[string]auth.Person{"bob@demo.test": bob}
	create := func(token, user, name string) string {
		t.Helper()
		w := x.do(t, token, "POST", "/api/v3.0/gadgets"+user, `{"Name":"`+name+`"}`, "Accept", asJSON)
		var made struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		return "/api/v3.0/gadgets/" + made.ID
	}
	own, bobs, for1 := create("ann", "", "Own"), create("bob", "", "Bobs"), create("ann", "?user=BOB@demo.test", "Prepared")
	const asBob = "?user=bob@demo.test"
	for _, c := range []struct {
		name, token, method, target, body string
		status                            int
		contains, without                 string
	}{
		{"the person has what was made for them", "bob", "GET", for1, "", 200, "Prepared", ""},
		{"a delegate reads", "ann", "GET", bobs + asBob, "", 200, "Bobs", ""},
		{"a delegate changes", "ann", "PUT", bobs + asBob, `{"Note":"by ann"}`, 200, "", ""},
		{"and the change is there", "bob", "GET", bobs, "", 200, "by ann", ""},
		{"a delegate lists", "ann", "GET", "/api/v3.0/gadgets" + asBob, "", 200, "Prepared", "Own"},
		{"without the parameter there is nothing of others", "ann", "GET", "/api/v3.0/gadgets", "", 200, "Own", "Prepared"},
		{"nor by id", "ann", "GET", bobs, "", 404, "", ""},
		{"with it there is nothing of one's own", "ann", "GET", own + asBob, "", 404, "", ""},
		{"what is not delegable", "ann", "DELETE", bobs + asBob, "", 403, "Web Services Administrator", ""},
		{"nobody is a delegate for all", "ann", "GET", "/api/v3.0/gadgets?user=ALL", "", 403, "Web Services Administrator", ""},
		{"not the other way round", "bob", "GET", own + "?user=ann@demo.test", "", 403, "Web Services Administrator", ""},
		{"not from another company", "elsewhere", "GET", bobs + asBob, "", 403, "Web Services Administrator", ""},
	} {
		w := x.do(t, c.token, c.method, c.target, c.body, "Accept", asJSON)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) || c.without != "" && strings.Contains(w.Body.String(), c.without) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}

	// Whom the caller is no delegate of is answered as who does not exist: in the same
	// words, after the same question.
	delete(x.prepared, "bob@demo.test")
	bodies := map[string]bool{}
	for _, user := range []string{"bob@demo.test", bob.ID, "nobody@demo.test", "00000000-0000-4000-8000-000000000000"} {
		x.asked = nil
		w := x.do(t, "ann", "GET", "/api/v3.0/gadgets?user="+user, "", "Accept", asJSON, "concur-correlationid", "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0")
		bodies[w.Body.String()] = true
		if w.Code != 403 || !slices.Equal(x.asked, []string{"delegate " + ann.ID}) {
			t.Errorf("%s: %d %s after asking %q", user, w.Code, w.Body, x.asked)
		}
		x.asked = nil
		if w := x.do(t, "ann", "DELETE", bobs+"?user="+user, ""); w.Code != 403 || len(x.asked) > 0 {
			t.Errorf("%s, not delegable: %d after asking %q", user, w.Code, x.asked)
		}
	}
	if len(bodies) != 1 {
		t.Errorf("the answers differ: %v", bodies)
	}
}
