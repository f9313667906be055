// Package web is the pages that people see: the sign-in and the consent that an
// application sends a browser to. They are plain HTML without scripts; everything
// they decide is decided by domain/org.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

// Options are what the pages are made of.
type Options struct {
	Org       *org.Service
	Signer    *auth.Signer
	Clock     value.Clock
	IDs       *value.IDs
	PublicURL string // without a trailing slash
}

// Pages serves the pages.
type Pages struct {
	org    *org.Service
	signer *auth.Signer
	clock  value.Clock
	ids    *value.IDs
	cookie string // name of the cookie
	secure bool   // whether browsers come by https
}

// New makes the pages.
func New(o Options) *Pages {
	p := &Pages{org: o.Org, signer: o.Signer, clock: o.Clock, ids: o.IDs, cookie: "quittance_csrf", secure: strings.HasPrefix(o.PublicURL, "https://")}
	if p.secure {
		p.cookie = "__Host-quittance_csrf" // no other host can set it (RFC 6265bis)
	}
	return p
}

const (
	formLife   = time.Hour        // of a page that was opened and not sent
	ticketLife = 10 * time.Minute // between the sign-in and the consent
	maxForm    = 16 << 10
)

// Operations are the pages as the router takes them.
func (p *Pages) Operations() []api.Operation {
	open := auth.Open("a person signs in here")
	page := api.Answers(http.StatusOK, "The page.", api.Content{Media: []string{"text/html"}})
	sent := api.Answers(http.StatusFound, "Back to the application, with a code or an error.", api.Content{})
	describe := func(more ...api.Option) []api.Option {
		return append([]api.Option{api.About(api.Nobody), api.MaxBody(maxForm), page, sent,
			api.QueryParameter("client_id", "The application."),
			api.QueryParameter("redirect_uri", "One of the application's registered addresses, exactly."),
			api.QueryParameter("scope", "Scopes, separated by blanks or commas; all of the application's without it."),
			api.QueryParameter("state", "Comes back unchanged."),
		}, more...)
	}
	modern := describe(api.QueryParameter("response_type", "code."),
		api.QueryParameter("code_challenge", "The SHA-256 of a secret that only the sender knows, in base64url (RFC 7636)."),
		api.QueryParameter("code_challenge_method", "S256."))
	return []api.Operation{
		api.Custom(api.OAuth, http.MethodGet, "/authorize", p.show(false),
			api.Doc{ID: "oauth2.authorize", Group: "OAuth2", Summary: "Show the sign-in page"}, open, modern...),
		api.Custom(api.OAuth, http.MethodPost, "/authorize", p.send(false),
			api.Doc{ID: "oauth2.authorize.send", Group: "OAuth2", Summary: "Sign in, or answer the consent"}, open, modern...),
		api.Custom(api.LegacyOAuth, http.MethodGet, "/login.aspx", p.show(true),
			api.Doc{ID: "legacy.login", Group: "Legacy authentication", Deprecated: true, Summary: "Show the sign-in page"}, open, describe()...),
		api.Custom(api.LegacyOAuth, http.MethodPost, "/login.aspx", p.send(true),
			api.Doc{ID: "legacy.login.send", Group: "Legacy authentication", Deprecated: true, Summary: "Sign in, or answer the consent"}, open, describe()...),
	}
}

// The views hold what the templates show.

type signInView struct {
	Application, Login, Problem, CSRF, Action string
	Wrong                                     bool // the problem is about what was typed
}

type consentView struct {
	Application, Company, Name, Login, Destination, Scopes, CSRF, Ticket, Action string
	Rights                                                                       []right
}

type problemView struct{ Title, Message, Advice string }

// request reads what the application sent the browser with. The forms of the pages
// carry it on in the query.
func request(c *api.Call, legacy bool) org.AuthorizationRequest {
	r := org.AuthorizationRequest{
		ClientID: c.QueryText("client_id"), RedirectURI: c.QueryText("redirect_uri"), ResponseType: c.QueryText("response_type"),
		Scope: c.QueryText("scope"), State: c.QueryText("state"),
		Challenge: c.QueryText("code_challenge"), ChallengeMethod: c.QueryText("code_challenge_method"), Legacy: legacy,
	}
	if legacy {
		r.ResponseType, r.Challenge, r.ChallengeMethod = "code", "", ""
	}
	return r
}

// digest binds a ticket to a request.
func digest(r org.AuthorizationRequest) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{r.ClientID, r.RedirectURI, r.Scope, r.State, r.Challenge, strconv.FormatBool(r.Legacy)}, "\x00")))
	return hex.EncodeToString(sum[:])
}

func action(c *api.Call, legacy bool) string {
	path := "/oauth2/v0/authorize"
	if legacy {
		path = "/net2/oauth2/login.aspx"
	}
	if q := c.RawQuery(); q != "" {
		path += "?" + q
	}
	return path
}

// check answers a request that is not in order: by a page when there is nowhere to
// send the browser, else by sending it there.
func (p *Pages) check(c *api.Call, legacy bool) (*org.Authorization, api.Answer, error) {
	a, err := p.org.CheckAuthorization(c.Context(), request(c, legacy))
	if err == nil {
		return a, nil, nil
	}
	if a != nil && errs.Is(err, errs.Invalid) {
		return nil, api.RedirectTo(p.org.Refuse(a, err)).Header("Cache-Control", "no-store"), nil
	}
	e := errs.As(err)
	if e.Kind == errs.Internal || e.Kind == errs.Unavailable {
		return nil, nil, err
	}
	answer, err := p.page(http.StatusBadRequest, "", problemPage(problemView{
		Title:   "This link does not work",
		Message: e.Message,
		Advice:  "The application that sent you here is not set up as it should be. Go back to it, and tell the people who run it.",
	}))
	return nil, answer, err
}

func (p *Pages) show(legacy bool) func(*api.Call) (api.Answer, error) {
	return func(c *api.Call) (api.Answer, error) {
		a, answer, err := p.check(c, legacy)
		if a == nil {
			return answer, err
		}
		return p.signIn(c, a, http.StatusOK, signInView{})
	}
}

// signIn shows the sign-in page with a fresh form.
func (p *Pages) signIn(c *api.Call, a *org.Authorization, status int, v signInView) (api.Answer, error) {
	v.Application, v.Action = a.Application.Name, action(c, a.Request.Legacy)
	secret, set := c.Cookie(p.cookie), ""
	if len(secret) < 40 {
		secret = p.ids.Secret()
		set = p.cookie + "=" + secret + "; Path=/; HttpOnly; SameSite=Strict"
		if p.secure {
			set += "; Secure"
		}
	}
	v.CSRF = p.signer.Sign("sign-in form", secret, p.clock().Add(formLife))
	page, err := p.page(status, target(a), signInPage(v))
	if err == nil && set != "" {
		page.Header("Set-Cookie", set)
	}
	return page, err
}

func (p *Pages) send(legacy bool) func(*api.Call) (api.Answer, error) {
	return func(c *api.Call) (api.Answer, error) {
		a, answer, err := p.check(c, legacy)
		if a == nil {
			return answer, err
		}
		if media, _ := c.MediaType(); media != "application/x-www-form-urlencoded" {
			return nil, errs.New(errs.Unsupported, "mediaType", "This page takes the form that it shows.")
		}
		body, err := c.All()
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errs.New(errs.Invalid, "form", "The form is damaged.").Because(err)
		}
		secret, err := p.signer.Verify("sign-in form", form.Get("csrf"), p.clock())
		if err != nil || secret != c.Cookie(p.cookie) {
			return p.signIn(c, a, http.StatusBadRequest, signInView{Login: form.Get("username"),
				Problem: "The page was open for too long, or your browser does not keep cookies. Sign in again."})
		}
		if ticket := form.Get("ticket"); ticket != "" {
			return p.decide(c, a, ticket, form.Get("decision"))
		}
		u, err := p.org.SignIn(c.Context(), form.Get("username"), form.Get("password"), c.RemoteAddress())
		if err != nil {
			e := errs.As(err)
			if e.Kind == errs.Internal {
				return nil, err
			}
			status := http.StatusBadRequest
			if e.Kind == errs.Unavailable {
				status = http.StatusServiceUnavailable
			}
			return p.signIn(c, a, status, signInView{Login: form.Get("username"), Problem: e.Message, Wrong: status == http.StatusBadRequest})
		}
		if !a.Application.Serves(u.Company) {
			return p.signIn(c, a, http.StatusForbidden, signInView{Problem: "Your company does not use " + a.Application.Name + ". Sign in with another account."})
		}
		return p.consent(c, a, u, form.Get("csrf"))
	}
}

// consent asks whether the application may.
func (p *Pages) consent(c *api.Call, a *org.Authorization, u *org.User, csrf string) (api.Answer, error) {
	v := consentView{
		Application: a.Application.Name, Name: u.FullName(), Login: u.Login, Destination: destination(a.Request.RedirectURI),
		Scopes: strings.Join(a.Scopes, " "), Rights: rights(a.Scopes), CSRF: csrf, Action: action(c, a.Request.Legacy),
		Ticket: p.signer.Sign("consent", u.ID+" "+digest(a.Request), p.clock().Add(ticketLife)),
	}
	if err := c.Read(func(tx *store.Tx) error {
		company, err := p.org.Company(tx, u.Company)
		if err == nil {
			v.Company = company.Name
		}
		return err
	}); err != nil {
		return nil, err
	}
	return p.page(http.StatusOK, target(a), consentPage(v))
}

// decide sends the browser back to the application with what the person decided.
func (p *Pages) decide(c *api.Call, a *org.Authorization, ticket, decision string) (api.Answer, error) {
	payload, err := p.signer.Verify("consent", ticket, p.clock())
	id, bound, _ := strings.Cut(payload, " ")
	if err != nil || bound != digest(a.Request) {
		return p.signIn(c, a, http.StatusBadRequest, signInView{Problem: "The page was open for too long. Sign in again."})
	}
	to := p.org.Deny(a)
	if decision == "allow" {
		var u *org.User
		if err := c.Read(func(tx *store.Tx) (err error) { u, err = p.org.User(tx, id); return err }); err != nil {
			return nil, err
		}
		if to, err = p.org.Allow(c.Context(), a, u); err != nil {
			return nil, err
		}
	}
	return api.RedirectTo(to).Header("Cache-Control", "no-store"), nil
}

// page renders a page that may not be framed or kept, loads nothing, and sends its
// form to this server, from where it may be sent on to target alone.
func (p *Pages) page(status int, target string, content templ.Component) (*api.Plain, error) {
	var b bytes.Buffer
	if err := content.Render(context.Background(), &b); err != nil {
		return nil, err
	}
	policy := "default-src 'none'; style-src '" + styleHash + "'; form-action 'self'"
	if target != "" {
		policy += " " + target
	}
	policy += "; frame-ancestors 'none'; base-uri 'none'"
	return api.Bytes(status, "text/html; charset=utf-8", b.Bytes()).
		Header("Content-Security-Policy", policy).
		Header("X-Frame-Options", "DENY").
		Header("X-Content-Type-Options", "nosniff").
		Header("Referrer-Policy", "no-referrer").
		Header("Cache-Control", "no-store"), nil
}

// target is the address of the application as a source of a security policy, which
// has no place for the addresses of IPv6 and for schemes of programs but the scheme.
func target(a *org.Authorization) string {
	u, err := url.Parse(a.Request.RedirectURI)
	switch {
	case err != nil || u.Scheme == "":
		return ""
	case u.Host == "" || strings.ContainsAny(u.Host, "[;,' ") || u.Scheme != "http" && u.Scheme != "https":
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

// destination is where the browser goes next, as people read it.
func destination(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return "the application"
	}
	return u.Host
}

//go:embed style.css
var style string

var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

func styleElement() templ.Component { return templ.Raw("<style>" + style + "</style>") }
