package org_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

func TestPasswordGrant(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		a := w.token("grant_type", "password", "username", "ANN@demo.test", "password", "ann-password", "scope", "EXPRPT,receipts.write openid")
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for name, want := range map[string]string{"token_type": "Bearer", "scope": "EXPRPT receipts.write openid", "geolocation": publicURL} {
			if got := a.text(t, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if !strings.Contains(a.body, `"expires_in":3600`) || !strings.Contains(a.body, fmt.Sprintf(`"refresh_expires_in":%d`, time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC).Unix())) {
			t.Errorf("lives: %s", a.body)
		}
		if a.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || a.header.Get("Concur-Correlationid") == "" {
			t.Errorf("headers %v", a.header)
		}
		access := a.text(t, "access_token")
		actor, ok := w.who(access)
		if !ok || actor.Self.Login != "ann@demo.test" || actor.Kind != auth.User || actor.Company != demo || actor.App != client || actor.Self.Manager != bobID {
			t.Errorf("actor %+v", actor)
		}
		if c := claims(t, a.text(t, "id_token")); c["sub"] != annID || c["aud"] != client || c["concur.type"] != "user" || c["at_hash"] == nil {
			t.Errorf("id_token %v", c)
		}
		// A user's id does instead of the login.
		if a := w.token("grant_type", "password", "username", strings.ToUpper(annID), "password", "ann-password"); a.status != 200 {
			t.Errorf("by id: %d %s", a.status, a.body)
		}
		// Users of another company come through the same application.
		eve, _ := w.signIn("eve@other.test", "eve-password")
		if actor, _ := w.who(eve); actor.Company != other {
			t.Errorf("eve acts in %s", actor.Company)
		}
	})
}

func TestGrants(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		t.Run("company", func(t *testing.T) {
			a := w.token("grant_type", "password", "credtype", "authtoken", "username", demo, "password", "quittance-dev-company-token")
			actor, ok := w.who(a.text(t, "access_token"))
			if !ok || actor.Kind != auth.Company || actor.ID != demo || actor.Company != demo || !actor.Administers() {
				t.Errorf("actor %+v", actor)
			}
			if a.text(t, "refresh_token") == "" || claims(t, a.text(t, "id_token"))["concur.type"] != "company" {
				t.Errorf("%s", a.body)
			}
		})
		t.Run("application", func(t *testing.T) {
			a := w.token("grant_type", "client_credentials")
			actor, ok := w.who(a.text(t, "access_token"))
			if !ok || actor.Kind != auth.Application || actor.Company != demo {
				t.Errorf("actor %+v", actor)
			}
			if strings.Contains(a.body, "refresh") || strings.Contains(a.body, "id_token") {
				t.Errorf("an application's own token comes with more: %s", a.body)
			}
		})
		t.Run("profile", func(t *testing.T) {
			a := w.post("/oauth2/v0/token", "grant_type", "client_credentials", "client_id", "quittance-dev-observed", "client_secret", "quittance-dev-observed-secret")
			if actor, _ := w.who(a.text(t, "access_token")); actor.Profile != auth.Observed {
				t.Errorf("profile %q", actor.Profile)
			}
		})
		t.Run("basic", func(t *testing.T) {
			r := httptest.NewRequest("POST", "/oauth2/v0/token", strings.NewReader("grant_type=client_credentials"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(client, secret)
			if a := w.do(r); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
		t.Run("refresh", func(t *testing.T) {
			first, refresh := w.signIn("ann@demo.test", "ann-password")
			w.clock.Move(2 * time.Hour)
			if _, ok := w.who(first); ok {
				t.Error("the access token outlived its hour")
			}
			a := w.token("grant_type", "refresh_token", "refresh_token", refresh, "scope", "EXPRPT")
			if a.status != 200 || a.text(t, "refresh_token") != refresh || a.text(t, "scope") != "EXPRPT" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if _, ok := w.who(a.text(t, "access_token")); !ok {
				t.Error("the new token is refused")
			}
			// A narrower token does not narrow the refresh token.
			if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); !strings.Contains(a.text(t, "scope"), "receipts.read") {
				t.Errorf("scope %q", a.text(t, "scope"))
			}
			w.clock.Move(190 * 24 * time.Hour)
			if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.number(t) != 108 {
				t.Errorf("after half a year: %d %s", a.status, a.body)
			}
		})
	})
}

// TestFaults walks the error table: what is sent, which number comes back. The bodies
// are golden.
func TestFaults(t *testing.T) {
	w := onSQLite(t)
	_, refresh := w.signIn("ann@demo.test", "ann-password")
	app := func(edit func(*org.NewApplication)) string {
		n := org.NewApplication{Company: demo, Name: "Test", Secret: "s"}
		edit(&n)
		w.write(func(tx *store.Tx) error { _, _, err := w.AddApplication(tx, n); return err })
		return n.ClientID
	}
	home := app(func(n *org.NewApplication) { n.ClientID, n.EveryCompany = "home", false })
	narrow := app(func(n *org.NewApplication) {
		n.ClientID, n.Scopes, n.Grants, n.EveryCompany = "narrow", []string{"EXPRPT"}, []org.Grant{org.PasswordGrant}, true
	})
	off := app(func(n *org.NewApplication) { n.ClientID = "off" })
	w.write(func(tx *store.Tx) error {
		a, err := w.Application(tx, off)
		if err != nil {
			return err
		}
		a.Disabled = true
		return w.UpdateApplication(tx, a)
	})
	for login, edit := range map[string]func(*org.User){
		"gone@demo.test": func(u *org.User) { u.Active = false },
		"sso@demo.test":  func(u *org.User) { u.SSOOnly = true },
		"old@demo.test":  func(u *org.User) { u.PasswordExpired = true },
	} {
		hash, err := w.HashPassword(t.Context(), "a-password")
		if err != nil {
			t.Fatal(err)
		}
		u := &org.User{Company: demo, Login: login, LastName: "Test", Active: true}
		edit(u)
		w.write(func(tx *store.Tx) error { return w.AddUser(tx, u, hash) })
	}
	password := func(pairs ...string) string {
		return form(append([]string{"client_id", client, "client_secret", secret, "grant_type", "password"}, pairs...)...)
	}
	with := func(grant string, pairs ...string) string {
		return form(append([]string{"client_id", client, "client_secret", secret, "grant_type", grant}, pairs...)...)
	}
	as := func(id string, pairs ...string) string {
		return form(append([]string{"client_id", id, "client_secret", "s"}, pairs...)...)
	}
	cases := []struct {
		name, path, body string
		status, code     int
	}{
		{"grant_type missing", "token", form("client_id", client, "client_secret", secret), 400, 65},
		{"client_id missing", "token", form("grant_type", "password"), 400, 62},
		{"client_secret missing", "token", form("grant_type", "password", "client_id", client), 400, 63},
		{"client unknown", "token", form("grant_type", "password", "client_id", "nobody", "client_secret", "x"), 401, 61},
		{"client secret wrong", "token", form("grant_type", "password", "client_id", client, "client_secret", "x"), 401, 64},
		{"client disabled", "token", as(off, "grant_type", "client_credentials"), 403, 59},
		{"grant unknown", "token", with("magic"), 400, 60},
		{"grant not allowed", "token", as(narrow, "grant_type", "client_credentials"), 400, 60},
		{"refresh not allowed", "token", as(narrow, "grant_type", "refresh_token", "refresh_token", refresh), 400, 107},
		{"username missing", "token", password("password", "x"), 400, 51},
		{"password missing", "token", password("username", "ann@demo.test"), 400, 52},
		{"empty is missing", "token", password("username", "ann@demo.test", "password", ""), 400, 52},
		{"credtype bad", "token", password("username", "ann@demo.test", "password", "x", "credtype", "finger"), 400, 120},
		{"password wrong", "token", password("username", "ann@demo.test", "password", "bob-password"), 400, 5},
		{"login unknown", "token", password("username", "nobody@demo.test", "password", "bob-password"), 400, 5},
		{"user disabled", "token", password("username", "gone@demo.test", "password", "a-password"), 400, 10},
		{"user disabled, wrong password", "token", password("username", "gone@demo.test", "password", "b-password"), 400, 5},
		{"signs in elsewhere", "token", password("username", "sso@demo.test", "password", "a-password"), 400, 21},
		{"password expired", "token", password("username", "old@demo.test", "password", "a-password"), 400, 139},
		{"company not served", "token", as(home, "grant_type", "password", "username", "eve@other.test", "password", "eve-password"), 401, 53},
		{"scope too wide", "token", as(narrow, "grant_type", "password", "username", "ann@demo.test", "password", "ann-password", "scope", "EXPRPT IMAGE"), 400, 54},
		{"scope in the wrong case", "token", password("username", "ann@demo.test", "password", "ann-password", "scope", "exprpt"), 400, 54},
		{"request token wrong", "token", password("credtype", "authtoken", "username", demo, "password", "nonsense"), 400, 5},
		{"request token of another", "token", password("credtype", "authtoken", "username", other, "password", "quittance-dev-company-token"), 400, 136},
		{"refresh token missing", "token", with("refresh_token"), 400, 106},
		{"refresh token wrong", "token", with("refresh_token", "refresh_token", "x"), 400, 108},
		{"refresh token of another client", "token", as(home, "grant_type", "refresh_token", "refresh_token", refresh), 400, 105},
		{"refresh scope too wide", "token", with("refresh_token", "refresh_token", refresh, "scope", "nothing"), 400, 54},
		{"code missing", "token", with("authorization_code", "redirect_uri", callback), 400, 101},
		{"redirect missing", "token", with("authorization_code", "code", "x"), 400, 102},
		{"code wrong", "token", with("authorization_code", "code", "x", "redirect_uri", callback), 400, 103},
		{"otp missing", "token", with("otp", "channel_type", "email", "channel_handle", "ann@demo.test"), 400, 56},
		{"channel type missing", "token", with("otp", "otp", "1", "channel_handle", "ann@demo.test"), 400, 57},
		{"channel handle missing", "token", with("otp", "otp", "1", "channel_type", "email"), 400, 58},
		{"channel type bad", "token", with("otp", "otp", "1", "channel_type", "pigeon", "channel_handle", "ann@demo.test"), 400, 80},
		{"channel handle bad", "token", with("otp", "otp", "1", "channel_type", "email", "channel_handle", "no address"), 400, 81},
		{"otp not found", "token", with("otp", "otp", "1", "channel_type", "email", "channel_handle", "ann@demo.test"), 400, 83},
		{"otp of a client that may not", "otp", as(narrow, "channel_type", "email", "channel_handle", "ann@demo.test"), 400, 60},
		{"otp channel type missing", "otp", form("client_id", client, "client_secret", secret), 400, 57},
		{"parameter twice", "token", with("client_credentials") + "&scope=EXPRPT&scope=IMAGE", 400, 135},
		{"escape broken", "token", with("client_credentials") + "&scope=%zz", 400, 135},
	}
	var all strings.Builder
	for _, c := range cases {
		a := w.postRaw("/oauth2/v0/"+c.path, c.body)
		if a.status != c.status || a.number(t) != c.code {
			t.Errorf("%s: %d %s; want %d with code %d", c.name, a.status, a.body, c.status, c.code)
		}
		fmt.Fprintf(&all, "%s\n%d %s\n\n", c.name, a.status, a.body)
	}
	r := httptest.NewRequest("POST", "/oauth2/v0/token", strings.NewReader(`{"grant_type":"client_credentials"}`))
	r.Header.Set("Content-Type", "application/json")
	a := w.do(r)
	if a.status != 400 || a.number(t) != 135 {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
	fmt.Fprintf(&all, "not a form\n%d %s\n\n", a.status, a.body)
	r = httptest.NewRequest("POST", "/oauth2/v0/token", strings.NewReader("grant_type=client_credentials&client_id=home&client_secret=s"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, secret)
	if a := w.do(r); a.number(t) != 115 {
		t.Errorf("two clients: %d %s", a.status, a.body)
	}
	golden(t, "faults.txt", all.String())
}

func TestLockout(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		try := func(login, password, address string) int {
			t.Helper()
			_, err := w.Token(t.Context(), org.TokenRequest{Address: address, Form: map[string]string{
				"client_id": client, "client_secret": secret, "grant_type": "password", "username": login, "password": password}})
			if err == nil {
				return 0
			}
			var code int
			fmt.Sscan(strings.Split(err.Error(), " ")[1], &code)
			return code
		}
		// A login that does not exist is answered as one that does.
		for _, login := range []string{"ann@demo.test", "nobody@demo.test"} {
			for n := 1; n <= 5; n++ {
				if code := try(login, "wrong-password", "10.0.0.1"); code != 5 {
					t.Fatalf("%s: try %d answers %d", login, n, code)
				}
			}
			if code := try(strings.ToUpper(login), "ann-password", "10.0.0.1"); code != 14 {
				t.Errorf("%s: after five wrong passwords the answer is %d", login, code)
			}
		}
		// Somebody else at another address is not kept out.
		if code := try("ann@demo.test", "ann-password", "10.0.0.2"); code != 0 {
			t.Errorf("another address answers %d", code)
		}
		w.clock.Move(31 * time.Second)
		// The next wrong one costs twice the wait.
		if code := try("ann@demo.test", "wrong-password", "10.0.0.1"); code != 5 {
			t.Errorf("after the wait: %d", code)
		}
		w.clock.Move(31 * time.Second)
		if code := try("ann@demo.test", "ann-password", "10.0.0.1"); code != 14 {
			t.Errorf("half of the second wait: %d", code)
		}
		w.clock.Move(30 * time.Second)
		if code := try("ann@demo.test", "ann-password", "10.0.0.1"); code != 0 {
			t.Errorf("after the second wait: %d", code)
		}
		// A success forgives.
		for range 4 {
			try("ann@demo.test", "wrong-password", "10.0.0.1")
		}
		if code := try("ann@demo.test", "ann-password", "10.0.0.1"); code != 0 {
			t.Errorf("after four wrong ones: %d", code)
		}
		// From many addresses the login as a whole is locked, whoever asks.
		for n := range 50 {
			if code := try("bob@demo.test", "wrong-password", fmt.Sprintf("10.1.%d.1", n)); code != 5 {
				t.Fatalf("address %d: %d", n, code)
			}
		}
		if code := try("bob@demo.test", "bob-password", "10.9.9.9"); code != 14 {
			t.Errorf("after fifty addresses: %d", code)
		}
		w.clock.Move(time.Minute)
		if code := try("bob@demo.test", "bob-password", "10.9.9.9"); code != 0 {
			t.Errorf("after the lock: %d", code)
		}
	})
}

func TestRevocationReachesWithinASecond(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		// Another server on the same database: it learns of a change by time alone.
		far := newNeighbour(t, w)
		token, refresh := w.signIn("ann@demo.test", "ann-password")
		seen := func() bool { _, err := far.Authenticate(t.Context(), token); return err == nil }
		steps := []struct {
			name   string
			change func(tx *store.Tx) error
			want   bool
		}{
			{"disabled user", func(tx *store.Tx) error { return setActive(w, tx, false) }, false},
			{"enabled user", func(tx *store.Tx) error { return setActive(w, tx, true) }, true},
			{"disabled application", func(tx *store.Tx) error { return setDisabled(w, tx, true) }, false},
			{"enabled application", func(tx *store.Tx) error { return setDisabled(w, tx, false) }, true},
		}
		if !seen() {
			t.Fatal("the token is refused at once")
		}
		for _, s := range steps {
			w.write(s.change)
			if _, ok := w.who(token); ok != s.want {
				t.Errorf("%s: this server says %v at once", s.name, ok)
			}
			w.clock.Move(time.Second)
			if seen() != s.want {
				t.Errorf("%s: another server disagrees after a second", s.name)
			}
		}
		w.write(func(tx *store.Tx) error { return w.SetRoles(tx, annID, auth.ExpenseProcessor) })
		w.clock.Move(time.Second)
		if a, err := far.Authenticate(t.Context(), token); err != nil || !a.Has(auth.ExpenseProcessor) {
			t.Errorf("a new role: %+v, %v", a, err)
		}
		// A disconnected application loses its refresh tokens and what came of them.
		again := w.token("grant_type", "refresh_token", "refresh_token", refresh).text(t, "access_token")
		if a := w.call("DELETE", "/app-mgmt/v0/connections", "Bearer "+token); a.status != 200 || a.body != "" {
			t.Errorf("disconnect: %d %s", a.status, a.body)
		}
		if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.number(t) != 108 {
			t.Errorf("refresh after disconnect: %s", a.body)
		}
		w.clock.Move(time.Second)
		for _, text := range []string{token, again} {
			if _, err := far.Authenticate(t.Context(), text); err == nil {
				t.Error("an access token works on after the disconnect")
			}
		}
		if _, ok := w.who(func() string { s, _ := w.signIn("ann@demo.test", "ann-password"); return s }()); !ok {
			t.Error("a new sign-in is refused too")
		}
	})
}

func setActive(w *world, tx *store.Tx, active bool) error {
	u, err := w.User(tx, annID)
	if err != nil {
		return err
	}
	u.Active = active
	return w.UpdateUser(tx, u)
}

func setDisabled(w *world, tx *store.Tx, disabled bool) error {
	a, err := w.Application(tx, client)
	if err != nil {
		return err
	}
	a.Disabled = disabled
	return w.UpdateApplication(tx, a)
}

func newNeighbour(t *testing.T, w *world) *auth.Authenticator {
	t.Helper()
	keys, err := auth.OpenKeys(t.Context(), w.db, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	return org.New(org.Options{DB: w.db, Keys: keys, Clock: w.clock.Now, PublicURL: publicURL}).Authenticator()
}

// authorize has ann agree and returns the code.
func (w *world) authorize(r org.AuthorizationRequest) string {
	w.t.Helper()
	a, err := w.CheckAuthorization(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := w.SignIn(w.t.Context(), "ann@demo.test", "ann-password", "10.0.0.1")
	if err != nil {
		w.t.Fatal(err)
	}
	to, err := w.Allow(w.t.Context(), a, u)
	if err != nil {
		w.t.Fatal(err)
	}
	found := regexp.MustCompile(`[?&]code=([^&]+)`).FindStringSubmatch(to)
	if found == nil {
		w.t.Fatal(to)
	}
	return found[1]
}

func TestAuthorizationCode(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		request := org.AuthorizationRequest{ClientID: client, RedirectURI: callback, ResponseType: "code", Scope: "EXPRPT"}
		exchange := func(code string, more ...string) answer {
			return w.token(append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, more...)...)
		}
		t.Run("once", func(t *testing.T) {
			code := w.authorize(request)
			if a := w.token("grant_type", "authorization_code", "code", code, "redirect_uri", callback+"/"); a.number(t) != 104 {
				t.Errorf("another address: %s", a.body)
			}
			if a := w.post("/oauth2/v0/token", "client_id", "quittance-dev-observed", "client_secret", "quittance-dev-observed-secret",
				"grant_type", "authorization_code", "code", code, "redirect_uri", callback); a.number(t) != 105 {
				t.Errorf("another client: %s", a.body)
			}
			a := exchange(code)
			if a.status != 200 || a.text(t, "scope") != "EXPRPT" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			token, refresh := a.text(t, "access_token"), a.text(t, "refresh_token")
			if actor, _ := w.who(token); actor.ID != annID {
				t.Errorf("actor %+v", actor)
			}
			// A second use takes back what the first one gave.
			if a := exchange(code); a.number(t) != 103 {
				t.Errorf("again: %s", a.body)
			}
			if _, ok := w.who(token); ok {
				t.Error("the token of a code that was used twice still works")
			}
			if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.number(t) != 108 {
				t.Errorf("its refresh token: %s", a.body)
			}
		})
		t.Run("a minute", func(t *testing.T) {
			code := w.authorize(request)
			w.clock.Move(time.Minute)
			if a := exchange(code); a.number(t) != 103 {
				t.Errorf("late: %s", a.body)
			}
		})
		t.Run("proof", func(t *testing.T) {
			const verifier = "a verifier that is forty-three characters or more"
			sum := sha256.Sum256([]byte(verifier))
			r := request
			r.Challenge, r.ChallengeMethod = base64.RawURLEncoding.EncodeToString(sum[:]), "S256"
			code := w.authorize(r)
			if a := exchange(code); a.number(t) != 103 {
				t.Errorf("without: %s", a.body)
			}
			if a := exchange(code, "code_verifier", verifier+"!"); a.number(t) != 103 {
				t.Errorf("wrong: %s", a.body)
			}
			if a := exchange(code, "code_verifier", verifier); a.status != 200 {
				t.Errorf("right: %s", a.body)
			}
			if a := exchange(w.authorize(request), "code_verifier", verifier); a.number(t) != 103 {
				t.Errorf("a proof that nobody asked for: %s", a.body)
			}
		})
		t.Run("disabled meanwhile", func(t *testing.T) {
			code := w.authorize(request)
			w.write(func(tx *store.Tx) error { return setActive(w, tx, false) })
			if a := exchange(code); a.number(t) != 123 {
				t.Errorf("%s", a.body)
			}
			w.write(func(tx *store.Tx) error { return setActive(w, tx, true) })
		})
	})
}

func TestCheckAuthorization(t *testing.T) {
	w := onSQLite(t)
	good := org.AuthorizationRequest{ClientID: client, RedirectURI: callback, ResponseType: "code", State: "a b&c"}
	challenge := strings.Repeat("A", 43)
	for _, c := range []struct {
		name string
		edit func(*org.AuthorizationRequest)
		page bool   // no address to send the browser to
		to   string // where an error goes
	}{
		{"unknown client", func(r *org.AuthorizationRequest) { r.ClientID = "x" }, true, ""},
		{"no redirect", func(r *org.AuthorizationRequest) { r.RedirectURI = "" }, true, ""},
		{"redirect with more", func(r *org.AuthorizationRequest) { r.RedirectURI += "/x" }, true, ""},
		{"redirect in another case", func(r *org.AuthorizationRequest) { r.RedirectURI = "http://127.0.0.1/Callback" }, true, ""},
		{"redirect elsewhere", func(r *org.AuthorizationRequest) { r.RedirectURI = "https://evil.test/" }, true, ""},
		{"response type", func(r *org.AuthorizationRequest) { r.ResponseType = "token" }, false, "error_code=60&error=unsupported_response_type"},
		{"scope", func(r *org.AuthorizationRequest) { r.Scope = "root" }, false, "error_code=54&error=invalid_scope"},
		{"plain challenge", func(r *org.AuthorizationRequest) { r.Challenge, r.ChallengeMethod = challenge, "plain" }, false, "error_code=135&error=invalid_request"},
		{"challenge without method", func(r *org.AuthorizationRequest) { r.Challenge = challenge }, false, "error_code=135"},
		{"short challenge", func(r *org.AuthorizationRequest) { r.Challenge, r.ChallengeMethod = "AAA", "S256" }, false, "error_code=135"},
		{"old service", func(r *org.AuthorizationRequest) { r.Legacy, r.Scope = true, "root" }, false, "?error=invalid_scope&error_description="},
	} {
		r := good
		c.edit(&r)
		a, err := w.CheckAuthorization(t.Context(), r)
		if err == nil || (a == nil) != c.page {
			t.Errorf("%s: %+v, %v", c.name, a, err)
			continue
		}
		if a != nil {
			if to := w.Refuse(a, err); !strings.HasPrefix(to, callback+"?") || !strings.Contains(to, c.to) || !strings.HasSuffix(to, "&state=a+b%26c") {
				t.Errorf("%s: sent to %s", c.name, to)
			}
		}
	}
	a, err := w.CheckAuthorization(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if to := w.Deny(a); !strings.HasPrefix(to, callback+"?error_code=59&error=access_denied&") {
		t.Errorf("denied: %s", to)
	}
	u, err := w.SignIn(t.Context(), "ann@demo.test", "ann-password", "")
	if err != nil {
		t.Fatal(err)
	}
	if to, err := w.Allow(t.Context(), a, u); err != nil || !regexp.MustCompile(`^http://127\.0\.0\.1/callback\?geolocation=https%3A%2F%2Fspend\.test&code=[\w-]+&state=a\+b%26c$`).MatchString(to) {
		t.Errorf("allowed: %s, %v", to, err)
	}
}

func TestOneTimePassword(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ask := func(handle string, more ...string) answer {
			return w.post("/oauth2/v0/otp", append([]string{"client_id", client, "client_secret", secret, "channel_type", "email", "channel_handle", handle}, more...)...)
		}
		use := func(handle, code string, more ...string) answer {
			return w.token(append([]string{"grant_type", "otp", "channel_type", "email", "channel_handle", handle, "otp", code}, more...)...)
		}
		mailed := func() string {
			t.Helper()
			sent := w.outbox.Sent()
			w.outbox.Clear()
			if len(sent) != 1 {
				t.Fatalf("%d mails", len(sent))
			}
			return regexp.MustCompile(`\b\d{8}\b`).FindString(sent[0].Text)
		}
		known, unknown := ask("Ann@demo.test", "name", "Ann", "custom", "1"), ask("nobody@demo.test")
		if known.status != 200 || known.body != `{"message":"otp sent"}` || unknown.body != known.body || unknown.status != 200 {
			t.Errorf("known %s, unknown %s", known.body, unknown.body)
		}
		code := mailed()
		if a := use("ann@demo.test", "00000000", "custom", "1"); a.number(t) != 85 {
			t.Errorf("wrong: %s", a.body)
		}
		if a := use("ann@demo.test", code); a.number(t) != 85 {
			t.Errorf("without the custom parameter: %s", a.body)
		}
		if a := use("nobody@demo.test", code); a.number(t) != 85 {
			t.Errorf("an unknown address: %s", a.body)
		}
		a := use("ann@demo.test", code, "custom", "1")
		if a.status != 200 {
			t.Fatalf("right: %s", a.body)
		}
		if actor, _ := w.who(a.text(t, "access_token")); actor.ID != annID {
			t.Errorf("actor %+v", actor)
		}
		if a := use("ann@demo.test", code, "custom", "1"); a.number(t) != 83 {
			t.Errorf("again: %s", a.body)
		}
		// Five wrong tries end a code, whoever made them.
		ask("bob@demo.test")
		code = mailed()
		for range 5 {
			use("bob@demo.test", "12345678")
		}
		if a := use("bob@demo.test", code); a.number(t) != 83 {
			t.Errorf("after five tries: %s", a.body)
		}
		// Ten minutes end it too.
		ask("cora@demo.test")
		code = mailed()
		w.clock.Move(10 * time.Minute)
		if a := use("cora@demo.test", code); a.number(t) != 83 {
			t.Errorf("after ten minutes: %s", a.body)
		}
		for n := 1; n <= 6; n++ {
			for _, handle := range []string{"ivan@demo.test", "stranger@demo.test"} {
				if a := ask(handle); (a.status == 200) != (n <= 5) || n > 5 && a.number(t) != 82 {
					t.Errorf("%s, request %d: %s", handle, n, a.body)
				}
			}
		}
	})
}

func TestPurge(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.signIn("ann@demo.test", "ann-password")
		w.authorize(org.AuthorizationRequest{ClientID: client, RedirectURI: callback, ResponseType: "code"})
		w.post("/oauth2/v0/otp", "client_id", client, "client_secret", secret, "channel_type", "email", "channel_handle", "ann@demo.test")
		w.token("grant_type", "password", "username", "nobody", "password", "x")
		purge := func() (n int64) {
			w.write(func(tx *store.Tx) (err error) { n, err = w.Purge(tx, 100); return err })
			return n
		}
		if n := purge(); n != 0 {
			t.Errorf("%d rows were taken before their end", n)
		}
		w.clock.Move(400 * 24 * time.Hour)
		if n := purge(); n != 5 { // refresh token, code, one-time password, two counters
			t.Errorf("%d rows were taken, not 5", n)
		}
	})
}

func TestJWKS(t *testing.T) {
	w := onSQLite(t)
	token, _ := w.signIn("ann@demo.test", "ann-password")
	a := w.call("GET", "/oauth2/v0/jwks", "")
	kid := regexp.MustCompile(`"kid":"([^"]+)"`).FindStringSubmatch(a.body)
	header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if a.status != 200 || kid == nil || !strings.Contains(string(header), kid[1]) {
		t.Errorf("%d %s; the token's header is %s", a.status, a.body, header)
	}
}

func BenchmarkPasswordGrant(b *testing.B) {
	w := onSQLite(b)
	request := org.TokenRequest{Form: map[string]string{"client_id": client, "client_secret": secret, "grant_type": "password", "username": "ann@demo.test", "password": "ann-password"}}
	for b.Loop() { // the hash is a cheap one here: what is left is ours
		if _, err := w.Token(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
