package org_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/org"
)

// old calls an endpoint of the old service.
func (w *world) old(method, path, body string, edit func(set func(name, value string))) answer {
	r := httptest.NewRequest(method, "/net2/oauth2/"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if edit != nil {
		edit(r.Header.Set)
	}
	return w.do(r)
}

const annBasic = "Basic YW5uQGRlbW8udGVzdDphbm4tcGFzc3dvcmQ=" // ann@demo.test:ann-password

func (w *world) oldSignIn(method string) answer {
	return w.old(method, "accesstoken.ashx", "", func(set func(string, string)) {
		set("Authorization", annBasic)
		set("X-ConsumerKey", client)
	})
}

func element(t testing.TB, xml, name string) string {
	t.Helper()
	m := regexp.MustCompile(`<` + name + `>([^<]*)</` + name + `>`).FindStringSubmatch(xml)
	if m == nil {
		t.Fatalf("no %s in %s", name, xml)
	}
	return m[1]
}

func TestLegacyTokens(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		a := w.oldSignIn("GET")
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/xml") ||
			!regexp.MustCompile(`^(<\?xml[^>]*\?>\s*)?<Access_Token><Instance_Url>https://spend\.test/</Instance_Url><Token>[^<]+</Token><Expiration_date>3/1/2027 12:00:00 PM</Expiration_date><Refresh_Token>[^<]+</Refresh_Token></Access_Token>$`).MatchString(a.body) {
			t.Fatalf("%d %s %s", a.status, a.header.Get("Content-Type"), a.body)
		}
		token, refresh := element(t, a.body, "Token"), element(t, a.body, "Refresh_Token")
		for _, scheme := range []string{"OAuth ", "oauth ", "Bearer "} {
			if got := w.call("GET", "/api/v3.0/who", scheme+token); got.status != 200 || !strings.Contains(got.body, annID) {
				t.Errorf("%s: %d %s", scheme, got.status, got.body)
			}
		}
		// Each of path spellings, methods and formats.
		a = w.old("POST", "AccessToken.ASHX", "", func(set func(string, string)) {
			set("Authorization", annBasic)
			set("X-ConsumerKey", client)
			set("Accept", "application/json")
		})
		if !regexp.MustCompile(`^\{"Access_Token":\{"Instance_Url":"https://spend\.test/","Token":"[^"]+","Expiration_date":"3/1/2027 12:00:00 PM","Refresh_Token":"[^"]+"\}\}$`).MatchString(a.body) {
			t.Errorf("JSON: %d %s", a.status, a.body)
		}
		w.clock.Move(200 * 24 * time.Hour)
		if _, ok := w.who(token); !ok {
			t.Error("the token does not last")
		}
		// A refresh: in the query as clients send it, with the old token beside it.
		a = w.old("GET", "GetAccessToken.ashx??refresh_token="+refresh+"&client_id="+client+"&client_secret="+secret, "", func(set func(string, string)) {
			set("Authorization", "OAuth "+token)
		})
		if a.status != 200 || strings.Contains(a.body, "Refresh_Token") || element(t, a.body, "Expiration_date") != "9/17/2027 12:00:00 PM" {
			t.Fatalf("refresh: %d %s", a.status, a.body)
		}
		fresh := element(t, a.body, "Token")
		if _, ok := w.who(token); ok {
			t.Error("the old token still works")
		}
		if _, ok := w.who(fresh); !ok {
			t.Error("the new token is refused")
		}
		w.clock.Move(366 * 24 * time.Hour)
		if _, ok := w.who(fresh); ok {
			t.Error("the token outlives its year")
		}
	})
}

func TestLegacyRefusals(t *testing.T) {
	w := onSQLite(t)
	basic := func(credentials string) func(func(string, string)) {
		return func(set func(string, string)) {
			set("Authorization", credentials)
			set("X-ConsumerKey", client)
		}
	}
	keys := "&client_id=" + client + "&client_secret=" + secret
	for _, c := range []struct {
		name, path string
		edit       func(func(string, string))
		status     int
	}{
		{"nothing", "accesstoken.ashx", nil, 401},
		{"no key", "accesstoken.ashx", func(set func(string, string)) { set("Authorization", annBasic) }, 400},
		{"wrong key", "accesstoken.ashx", func(set func(string, string)) { set("Authorization", annBasic); set("X-ConsumerKey", "x") }, 401},
		{"wrong password", "accesstoken.ashx", basic("Basic YW5uQGRlbW8udGVzdDp4"), 401},
		{"empty password", "accesstoken.ashx", basic("Basic YW5uQGRlbW8udGVzdDo="), 401},
		{"no code", "getaccesstoken.ashx?x=1" + keys, nil, 400},
		{"wrong code", "getaccesstoken.ashx?code=x" + keys, nil, 400},
		{"wrong refresh token", "getaccesstoken.ashx?refresh_token=x" + keys, nil, 400},
		{"wrong secret", "getaccesstoken.ashx?refresh_token=x&client_id=" + client + "&client_secret=x", nil, 401},
	} {
		a := w.old("GET", c.path, "", c.edit)
		if a.status != c.status || !strings.Contains(a.body, "<Error><Message>") {
			t.Errorf("%s: %d %s; want %d", c.name, a.status, a.body, c.status)
		}
	}
}

func TestLegacyCode(t *testing.T) {
	w := onSQLite(t)
	request := org.AuthorizationRequest{ClientID: client, RedirectURI: callback, ResponseType: "code", Scope: "EXPRPT,IMAGE", Legacy: true}
	code := w.authorize(request)
	exchange := func(code string) answer {
		return w.old("POST", "getaccesstoken.ashx", form("CODE", code, "Client_Id", client, "client_secret", secret), nil)
	}
	a := exchange(code)
	token := element(t, a.body, "Token")
	actor, ok := w.who(token)
	if !ok || strings.Join(actor.Scopes, " ") != "EXPRPT IMAGE" {
		t.Fatalf("%d %s: %+v", a.status, a.body, actor)
	}
	if a := exchange(code); a.status != 400 {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	if _, ok := w.who(token); ok {
		t.Error("the token of a code that was used twice still works")
	}
}

func TestLegacyRevoke(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		wes, _ := w.signIn("wes@demo.test", "wes-password")
		eve, _ := w.signIn("eve@other.test", "eve-password")
		as := func(token string) func(func(string, string)) {
			return func(set func(string, string)) { set("Authorization", "OAuth "+token) }
		}
		first, second, third := element(t, w.oldSignIn("GET").body, "Token"), element(t, w.oldSignIn("GET").body, "Token"), element(t, w.oldSignIn("GET").body, "Token")
		if a := w.old("POST", "revoketoken.ashx?token="+first, "", as(second)); a.status != 403 {
			t.Errorf("an employee revokes: %d %s", a.status, a.body)
		}
		company := w.token("grant_type", "password", "credtype", "authtoken", "username", demo, "password", "quittance-dev-company-token").text(t, "access_token")
		if a := w.old("GET", "revoketoken.ashx?token=nothing", "", as(company)); a.status != 404 {
			t.Errorf("an unknown token: %d %s", a.status, a.body)
		}
		if a := w.old("POST", "revoketoken.ashx", form("token", first), as(eve)); a.status != 403 {
			t.Errorf("a stranger revokes: %d %s", a.status, a.body)
		}
		if a := w.old("POST", "revoketoken.ashx?token="+first, "", as(wes)); a.status != 200 || a.body != "" {
			t.Errorf("revoke: %d %s", a.status, a.body)
		}
		for token, want := range map[string]bool{first: false, second: true, third: true} {
			if _, ok := w.who(token); ok != want {
				t.Errorf("after one was revoked: %v", ok)
			}
		}
		modern, refresh := w.signIn("ann@demo.test", "ann-password")
		if a := w.old("GET", "RevokeToken.ashx?consumerKey="+client+"&user="+url.QueryEscape("ann@demo.test"), "", as(wes)); a.status != 200 {
			t.Errorf("revoke all: %d %s", a.status, a.body)
		}
		for _, token := range []string{second, third, modern} {
			if _, ok := w.who(token); ok {
				t.Error("a token works after all of the user were revoked")
			}
		}
		if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.number(t) != 108 {
			t.Errorf("a refresh token: %s", a.body)
		}
		if a := w.old("POST", "revoketoken.ashx?consumerKey="+client+"&user=eve@other.test", "", as(wes)); a.status != 400 || !strings.Contains(a.body, "Invalid User:eve@other.test") {
			t.Errorf("a user of another company: %d %s", a.status, a.body)
		}
		if a := w.old("POST", "revoketoken.ashx?user=ann@demo.test", "", as(wes)); a.status != 400 {
			t.Errorf("half of it: %d %s", a.status, a.body)
		}
	})
}

func TestCompanyToken(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		path := "/profile-service/v1/keys/principals/" + demo + "/authtoken/"
		ann, _ := w.signIn("ann@demo.test", "ann-password")
		eve, _ := w.signIn("eve@other.test", "eve-password")
		cora, _ := w.signIn("cora@demo.test", "cora-password")
		for token, status := range map[string]int{ann: 403, eve: 404} {
			if a := w.call("POST", path, "Bearer "+token); a.status != status {
				t.Errorf("%d %s; want %d", a.status, a.body, status)
			}
		}
		a := w.call("POST", path, "Bearer "+cora)
		if a.status != 200 || !strings.HasPrefix(a.body, `{"status":"PASS","code":0,"errormsg":"","token":"`) {
			t.Fatalf("%d %s", a.status, a.body)
		}
		made := a.text(t, "token")
		exchange := func() answer {
			return w.token("grant_type", "password", "credtype", "authtoken", "username", demo, "password", made)
		}
		for range 2 { // reusable inside its day
			if actor, ok := w.who(exchange().text(t, "access_token")); !ok || !actor.Administers() {
				t.Errorf("actor %+v", actor)
			}
		}
		w.clock.Move(24 * time.Hour)
		if a := exchange(); a.number(t) != 5 {
			t.Errorf("after a day: %s", a.body)
		}
		if a := w.token("grant_type", "password", "credtype", "authtoken", "username", demo, "password", "quittance-dev-company-token"); a.status != 200 {
			t.Errorf("the sandbox's token ended: %s", a.body)
		}
	})
}
