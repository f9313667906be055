package web_test

import (
	"io"
	"log/slog"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
	"quittance/internal/web"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	publicURL = "https://spend.test"
	callback  = "http://127.0.0.1/callback"
	asked     = "/oauth2/v0/authorize?client_id=quittance-dev&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&response_type=code&scope=EXPRPT+receipts.write&state=s%26t"
)

// browser is a person with cookies in front of the real handler.
type browser struct {
	t      testing.TB
	server http.Handler
	cookie string
	mu     sync.Mutex
	now    value.Instant
	org    *org.Service
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	b := &browser{t: t, now: value.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	clock := func() value.Instant { b.mu.Lock(); defer b.mu.Unlock(); return b.now }
	db := storetest.SQLite(t, storetest.With(func(o *store.Options) { o.Clock = clock }))
	keys, err := auth.OpenKeys(t.Context(), db, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	ids := value.NewIDs(rand.New(rand.NewSource(1)))
	b.org = org.New(org.Options{DB: db, Keys: keys, Clock: clock, IDs: ids, PublicURL: publicURL, Mailer: &org.Outbox{},
		Passwords: auth.NewPasswords(auth.DefaultPasswordCost())})
	seed, err := org.DevSeed()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := b.org.ApplySeed(tx, seed); err != nil {
			return err
		}
		_, _, err := b.org.AddApplication(tx, org.NewApplication{Company: seed.Companies[1].ID, ClientID: "theirs", Name: `<script>alert("x")</script>`,
			RedirectURIs: []string{"com.example.app:/back", "http://[::1]:8080/back"}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	pages := web.New(web.Options{Org: b.org, Signer: keys.Signer(), Clock: clock, IDs: ids, PublicURL: publicURL})
	b.server = api.NewServer(api.Options{DB: db, Clock: clock, IDs: ids, Logger: slog.New(slog.DiscardHandler), PublicURL: publicURL,
		Authenticator: b.org.Authenticator(), Directory: b.org, Signer: keys.Signer()}, b.org.Operations(), pages.Operations())
	return b
}

func (b *browser) move(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

type page struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) page {
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	rec := httptest.NewRecorder()
	b.server.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	body, _ := io.ReadAll(rec.Body)
	return page{rec.Code, rec.Result().Header, string(body)}
}

func (b *browser) open(path string) page { return b.do(httptest.NewRequest("GET", path, nil)) }

// send fills the page's form in and sends it.
func (b *browser) send(p page, pairs ...string) page {
	b.t.Helper()
	v := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(p.body, -1) {
		v.Set(m[1], m[2])
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	to := regexp.MustCompile(`<form method="post" action="([^"]*)"`).FindStringSubmatch(p.body)
	if to == nil {
		b.t.Fatalf("no form in %d %s", p.status, p.body)
	}
	r := httptest.NewRequest("POST", strings.ReplaceAll(to[1], "&amp;", "&"), strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (p page) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("the page (%d) does not say %q:\n%s", p.status, text, p.body)
		}
	}
}

func TestSignInAndConsent(t *testing.T) {
	for _, c := range []struct{ name, path, decision, want string }{
		{"allow", asked, "allow", `^http://127\.0\.0\.1/callback\?geolocation=https%3A%2F%2Fspend\.test&code=[\w-]+&state=s%26t$`},
		{"deny", asked, "deny", `^http://127\.0\.0\.1/callback\?error_code=59&error=access_denied&error_description=[^&]+&state=s%26t$`},
		{"old service", "/net2/oauth2/Login.aspx?client_id=quittance-dev&scope=EXPRPT,IMAGE&redirect_uri=" + callback + "&state=7", "allow", `^http://127\.0\.0\.1/callback\?code=[\w-]+&state=7$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t)
			p := b.open(c.path)
			p.says(t, "<h1>Sign in</h1>", "Development Client", `<label for="username">`, `<label for="password">`, `autocomplete="current-password"`)
			if p.status != 200 || !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
				t.Fatalf("%d %v", p.status, p.header)
			}
			p = b.send(p, "username", "ANN@demo.test", "password", "ann-password")
			p.says(t, "Allow Development Client?", "Ann Archer", "ann@demo.test", "Demo Company", "127.0.0.1", "Expense reports", "read and change")
			p = b.send(p, "decision", c.decision)
			if to := p.header.Get("Location"); p.status != 302 || !regexp.MustCompile(c.want).MatchString(to) || p.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d to %s", p.status, to)
			}
		})
	}
}

func TestSignInRefused(t *testing.T) {
	b := newBrowser(t)
	first := b.open(asked)
	p := b.send(first, "username", "ann@demo.test", "password", "wrong")
	p.says(t, `role="alert"`, "The user name or the password is wrong.", `value="ann@demo.test"`, `aria-describedby="problem"`)
	if strings.Contains(p.body, "wrong\"") || p.status != 400 {
		t.Errorf("%d: the password is shown again: %s", p.status, p.body)
	}
	other := b.send(p, "username", "nobody@demo.test", "password", "wrong")
	if strings.ReplaceAll(other.body, "nobody@", "ann@") != strings.ReplaceAll(p.body, "nobody@", "ann@") {
		t.Error("an unknown login is answered otherwise than a wrong password")
	}
	for range 4 {
		p = b.send(p, "username", "ann@demo.test", "password", "wrong")
	}
	b.send(p, "username", "ann@demo.test", "password", "ann-password").says(t, "locked")

	// The page of one person is no use to another, nor after an hour.
	stranger := newBrowser(t)
	stranger.open(asked)
	stranger.send(first, "username", "bob@demo.test", "password", "bob-password").says(t, "open for too long")
	b = newBrowser(t)
	p = b.open(asked)
	b.move(time.Hour)
	p = b.send(p, "username", "bob@demo.test", "password", "bob-password")
	p.says(t, "open for too long")
	p = b.send(p, "username", "bob@demo.test", "password", "bob-password")
	p.says(t, "Allow Development Client?")

	// A ticket is for one request.
	widened := strings.ReplaceAll(p.body, "scope=EXPRPT+receipts.write", "scope=EXPRPT+IMAGE")
	b.send(page{p.status, p.header, widened}, "decision", "allow").says(t, "<h1>Sign in</h1>")
	b.cookie = ""
	b.send(p, "decision", "allow").says(t, "<h1>Sign in</h1>")
}

func TestNowhereToSendTheBrowser(t *testing.T) {
	b := newBrowser(t)
	for name, path := range map[string]string{
		"unknown client":        "/oauth2/v0/authorize?client_id=nobody&redirect_uri=" + callback + "&response_type=code",
		"no client":             "/oauth2/v0/authorize",
		"unregistered redirect": "/oauth2/v0/authorize?client_id=quittance-dev&redirect_uri=https://evil.test/&response_type=code",
		"old service":           "/net2/oauth2/login.aspx?client_id=quittance-dev&redirect_uri=https://evil.test/",
	} {
		p := b.open(path)
		p.says(t, "This link does not work")
		if p.status != 400 || p.header.Get("Location") != "" || strings.Contains(p.body, "evil.test") {
			t.Errorf("%s: %d %v", name, p.status, p.header)
		}
	}
	p := b.open("/oauth2/v0/authorize?client_id=quittance-dev&redirect_uri=" + callback + "&response_type=token&state=1")
	if to := p.header.Get("Location"); p.status != 302 || !strings.HasPrefix(to, callback+"?error_code=60&") || !strings.HasSuffix(to, "&state=1") {
		t.Errorf("a wrong response type: %d to %s", p.status, to)
	}
}

func TestPagesAreGuarded(t *testing.T) {
	b := newBrowser(t)
	signIn := b.open(asked)
	consent := b.send(signIn, "username", "ann@demo.test", "password", "ann-password")
	foreign := b.open("/oauth2/v0/authorize?client_id=theirs&redirect_uri=com.example.app:/back&response_type=code")
	sixth := b.open("/oauth2/v0/authorize?client_id=theirs&redirect_uri=" + url.QueryEscape("http://[::1]:8080/back") + "&response_type=code")
	for name, c := range map[string]struct {
		page   page
		target string
	}{
		"sign-in": {signIn, " http://127.0.0.1"}, "consent": {consent, " http://127.0.0.1"},
		"a program": {foreign, " com.example.app:"}, "IPv6": {sixth, " http:"},
		"problem": {b.open("/oauth2/v0/authorize"), ""},
	} {
		policy := c.page.header.Get("Content-Security-Policy")
		if !regexp.MustCompile(`^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'` + regexp.QuoteMeta(c.target) + `; frame-ancestors 'none'; base-uri 'none'$`).MatchString(policy) {
			t.Errorf("%s: %s", name, policy)
		}
		for header, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
			if got := c.page.header.Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		if strings.Contains(c.page.body, "<script") || strings.Contains(c.page.body, "http-equiv") || regexp.MustCompile(`(?:src|href)="https?:`).MatchString(c.page.body) {
			t.Errorf("%s loads or runs something: %s", name, c.page.body)
		}
	}
	if set := signIn.header.Get("Set-Cookie"); !regexp.MustCompile(`^__Host-quittance_csrf=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Secure$`).MatchString(set) {
		t.Errorf("cookie %s", set)
	}
	if set := consent.header.Get("Set-Cookie"); set != "" {
		t.Errorf("the cookie is set again: %s", set)
	}
	foreign.says(t, "&lt;script&gt;")
	// Somebody of a company that the application is not for is told so before the consent.
	p := b.send(foreign, "username", "ann@demo.test", "password", "ann-password")
	p.says(t, "Your company does not use")
	p = b.send(p, "username", "eve@other.test", "password", "eve-password")
	p.says(t, "Eve Ellis", "Other Company")
}
