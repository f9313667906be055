package org

import (
	"net/url"
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

const formMedia = "application/x-www-form-urlencoded"

// maxForm bounds what is posted to the token services.
const maxForm = 64 << 10

var (
	appManagement  = api.OAuthAt("application management", "/app-mgmt/v0")
	profileService = api.OAuthAt("profile service", "/profile-service/v1")
)

// Operations are the common services and the token services.
func (s *Service) Operations() []api.Operation {
	return append(s.tokenOperations(), s.commonOperations()...)
}

// tokenOperations are OAuth2, and what was there before it.
func (s *Service) tokenOperations() []api.Operation {
	open := auth.Open("this is where tokens come from; the request carries its own credentials")
	text := func(fields []wire.Description, name string) api.Content {
		return api.Content{Media: []string{formMedia}, Name: name, Fields: fields, Input: true}
	}
	operations := []api.Operation{
		api.Custom(api.OAuth, "POST", "/token", s.token,
			api.Doc{ID: "oauth2.token", Group: "OAuth2", Summary: "Get a token",
				Description: "All grants: password (also with a company's request token), client_credentials, authorization_code, refresh_token and otp. The application's credentials stand in the form or in HTTP Basic."},
			open, api.About(api.Nobody), api.MaxBody(maxForm),
			api.Takes(text(tokenForms.Describe(), "TokenRequest")),
			api.Answers(200, "The token.", api.SchemaOf("TokenResponse", tokenAnswers))),
		api.Custom(api.OAuth, "POST", "/otp", s.oneTimePassword,
			api.Doc{ID: "oauth2.otp", Group: "OAuth2", Summary: "Mail a one-time password",
				Description: "The answer is the same whether somebody has the address or not. Parameters that are not listed are the client's own and must be repeated when the password is used."},
			open, api.About(api.Nobody), api.MaxBody(maxForm),
			api.Takes(text(otpForms.Describe(), "OneTimePasswordRequest")),
			api.Answers(200, "Sent, if somebody has the address.", api.SchemaOf("OneTimePasswordResponse", otpAnswers))),
		api.Custom(api.OAuth, "GET", "/jwks", s.publicKeys,
			api.Doc{ID: "oauth2.jwks", Group: "OAuth2", Summary: "Read the public keys that tokens are signed with"},
			auth.Open("public keys are for everybody who checks a token"), api.About(api.Nobody)),
		api.Custom(appManagement, "DELETE", "/connections", s.disconnect,
			api.Doc{ID: "oauth2.connections.delete", Group: "OAuth2", Summary: "Disconnect the calling application from the calling user",
				Description: "Ends every refresh token that the user gave to the application, and the access tokens that came of them."},
			auth.AnyToken(), api.About(api.CallerOnly)),
		api.Custom(profileService, "POST", "/keys/principals/{companyId}/authtoken", s.companyToken,
			api.Doc{ID: "profile.authtoken.create", Group: "OAuth2", Summary: "Make a request token of a company",
				Description: "For administrators of the company. The token lives for a day and is exchanged with the grant password and credtype authtoken."},
			auth.AnyToken(), api.About(api.CompanyWide), api.MaxBody(maxForm),
			api.Answers(200, "The token.", api.SchemaOf("CompanyAuthToken", companyTokenAnswers))),
	}
	for _, method := range []string{"GET", "POST"} {
		id := strings.ToLower(method)
		operations = append(operations,
			api.Custom(api.LegacyOAuth, method, "/accesstoken.ashx", s.legacySignIn,
				api.Doc{ID: "legacy.accesstoken." + id, Group: "Legacy authentication", Deprecated: true,
					Summary: "Get a token with a login and a password", Description: "HTTP Basic carries the login and the password, X-ConsumerKey the client id."},
				open, api.About(api.Nobody), api.MaxBody(maxForm), api.HeaderParameter("X-ConsumerKey", "The application's client id."),
				api.Answers(200, "The token.", api.SchemaOf("Access_Token", legacyAnswers, "application/xml", "application/json"))),
			api.Custom(api.LegacyOAuth, method, "/getaccesstoken.ashx", s.legacyExchange,
				api.Doc{ID: "legacy.getaccesstoken." + id, Group: "Legacy authentication", Deprecated: true,
					Summary: "Exchange a code, or refresh a token"},
				open, api.About(api.Nobody), api.MaxBody(maxForm),
				api.QueryParameter("code", "What the sign-in page gave."), api.QueryParameter("refresh_token", "Instead of a code."),
				api.QueryParameter("client_id", "The application."), api.QueryParameter("client_secret", "Its secret."),
				api.Answers(200, "The token.", api.SchemaOf("Access_Token", legacyAnswers, "application/xml", "application/json"))),
			api.Custom(api.LegacyOAuth, method, "/revoketoken.ashx", s.legacyRevoke,
				api.Doc{ID: "legacy.revoketoken." + id, Group: "Legacy authentication", Deprecated: true,
					Summary: "Revoke one token, or all of a user"},
				auth.AnyToken(), api.About(api.CompanyWide), api.MaxBody(maxForm),
				api.QueryParameter("token", "The token to revoke."), api.QueryParameter("consumerKey", "The application whose tokens are revoked."),
				api.QueryParameter("user", "The login whose tokens are revoked.")))
	}
	return operations
}

// tokenForm describes the token service's form; it is read name by name, since every
// grant has its own names.
type tokenForm struct {
	grant, client, secret, username, password, credential, scope, code, redirect, verifier, refresh, handle, kind, otp string
}

func (f *tokenForm) bind(w *wire.Fields) {
	w.Text("grant_type", &f.grant, "Which grant.", wire.RequiredOnCreate, wire.Enum("password", "client_credentials", "authorization_code", "refresh_token", "otp"))
	w.Text("client_id", &f.client, "The application.")
	w.Text("client_secret", &f.secret, "The application's secret.")
	w.Text("username", &f.username, "password: the login or the id of a user; with a request token the id that it was issued for.")
	w.Text("password", &f.password, "password: the password or the request token.")
	w.Text("credtype", &f.credential, "password: what kind of password it is.", wire.Enum("password", "authtoken"))
	w.Text("scope", &f.scope, "Scopes separated by blanks or commas; all that were granted without it.")
	w.Text("code", &f.code, "authorization_code: the code.")
	w.Text("redirect_uri", &f.redirect, "authorization_code: the address that the code was sent to.")
	w.Text("code_verifier", &f.verifier, "authorization_code: the proof of possession, where a challenge was sent.")
	w.Text("refresh_token", &f.refresh, "refresh_token: the refresh token.")
	w.Text("channel_type", &f.kind, "otp: email.")
	w.Text("channel_handle", &f.handle, "otp: the address that the password was sent to.")
	w.Text("otp", &f.otp, "otp: the one-time password.")
}

type otpForm struct{ client, secret, kind, handle, name, company, link string }

func (f *otpForm) bind(w *wire.Fields) {
	w.Text("client_id", &f.client, "The application.")
	w.Text("client_secret", &f.secret, "The application's secret.")
	w.Text("channel_type", &f.kind, "How the password is sent: email.", wire.RequiredOnCreate)
	w.Text("channel_handle", &f.handle, "The address.", wire.RequiredOnCreate)
	w.Text("name", &f.name, "Taken for the services' sake; not used.")
	w.Text("company", &f.company, "Taken for the services' sake; not used.")
	w.Text("link", &f.link, "Taken for the services' sake; not used.")
}

func (a *TokenAnswer) bind(w *wire.Fields) {
	w.Int("expires_in", &a.ExpiresIn, "Seconds that the access token lives.")
	w.Text("scope", &a.Scope, "What the token may do, separated by blanks.", wire.NotNull)
	w.Text("token_type", &a.TokenType, "Bearer.")
	w.Text("access_token", &a.AccessToken, "A JSON Web Token.")
	w.Text("refresh_token", &a.RefreshToken, "What to get the next access token with.", wire.OmitEmpty)
	w.Int("refresh_expires_in", &a.RefreshExpires, "When the refresh token ends, in seconds since 1970.", wire.OmitEmpty)
	w.Text("id_token", &a.IDToken, "Who signed in, as a JSON Web Token.", wire.OmitEmpty)
	w.Text("geolocation", &a.Geolocation, "The base address of all further calls.")
}

type companyTokenAnswer struct {
	status, message, token string
	code                   int64
}

func (a *companyTokenAnswer) bind(w *wire.Fields) {
	w.Text("status", &a.status, "PASS.")
	w.Int("code", &a.code, "0.", wire.NotNull)
	w.Text("errormsg", &a.message, "Empty.", wire.NotNull)
	w.Text("token", &a.token, "The request token.")
}

type otpAnswer struct{ message string }

func (a *otpAnswer) bind(w *wire.Fields) { w.Text("message", &a.message, "That it was sent.") }

type legacyAnswer struct{ instance, token, expires, refresh string }

func (a *legacyAnswer) bind(w *wire.Fields) {
	w.Text("Instance_Url", &a.instance, "The base address of all further calls.")
	w.Text("Token", &a.token, "What the Authorization header carries, as OAuth.")
	w.Text("Expiration_date", &a.expires, "When the token ends, as M/D/YYYY h:mm:ss AM in UTC.")
	w.Text("Refresh_Token", &a.refresh, "What to renew the token with; not in the answer to that.", wire.OmitEmpty)
}

// legacyWrapper is the JSON form, in which the XML root is a member.
type legacyWrapper struct{ token legacyAnswer }

func (a *legacyWrapper) bind(w *wire.Fields) {
	wire.Object(w, "Access_Token", &a.token, (*legacyAnswer).bind, "The token.")
}

var (
	tokenForms          = wire.Bind("TokenRequest", (*tokenForm).bind)
	otpForms            = wire.Bind("OneTimePasswordRequest", (*otpForm).bind)
	tokenAnswers        = wire.Bind("TokenResponse", (*TokenAnswer).bind)
	otpAnswers          = wire.Bind("OneTimePasswordResponse", (*otpAnswer).bind)
	companyTokenAnswers = wire.Bind("CompanyAuthToken", (*companyTokenAnswer).bind)
	legacyAnswers       = wire.Bind("Access_Token", (*legacyAnswer).bind)
	legacyWrappers      = wire.Bind("Access_Token", (*legacyWrapper).bind)
)

func (s *Service) token(c *api.Call) (api.Answer, error) {
	r, err := tokenRequest(c)
	if err != nil {
		return nil, err
	}
	a, err := s.Token(c.Context(), r)
	if err != nil {
		return nil, err
	}
	return api.Object(200, tokenAnswers, a).Header("Cache-Control", "no-store").Header("Pragma", "no-cache"), nil
}

func (s *Service) oneTimePassword(c *api.Call) (api.Answer, error) {
	r, err := tokenRequest(c)
	if err != nil {
		return nil, err
	}
	if err := s.SendOneTimePassword(c.Context(), r); err != nil {
		return nil, err
	}
	return api.Object(200, otpAnswers, &otpAnswer{"otp sent"}).Header("Cache-Control", "no-store"), nil
}

// tokenRequest reads a form of the token service. Its parameters stand there once
// (RFC 6749 §3.2); HTTP Basic may carry the application's credentials (§2.3.1).
func tokenRequest(c *api.Call) (TokenRequest, error) {
	r := TokenRequest{Form: map[string]string{}, Address: c.RemoteAddress()}
	if media, _ := c.MediaType(); media != formMedia {
		return r, errForm
	}
	body, err := c.All()
	if err != nil {
		return r, err
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(string(body), "&") {
		name, text, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		text, err2 := url.QueryUnescape(text)
		if err1 != nil || err2 != nil {
			return r, errForm
		}
		if name == "" {
			continue
		}
		if seen[name] {
			return r, repeated(name)
		}
		seen[name] = true
		if text != "" {
			r.Form[name] = text
		}
	}
	if user, password, ok := c.Basic(); ok {
		for name, text := range map[string]string{"client_id": user, "client_secret": password} {
			if plain, err := url.QueryUnescape(text); err == nil {
				text = plain
			}
			if given := r.Form[name]; given != "" && given != text {
				return r, errTwoClients
			}
			if text != "" {
				r.Form[name] = text
			}
		}
	}
	return r, nil
}

var errTwoClients = fault(115, "invalid_request", "The Authorization header and the form name different applications; send one of them.")

func (s *Service) publicKeys(c *api.Call) (api.Answer, error) {
	set, err := s.keys.JWKS(c.Context())
	if err != nil {
		return nil, err
	}
	return api.RawJSON(200, set).Header("Cache-Control", "public, max-age=300"), nil
}

func (s *Service) disconnect(c *api.Call) (api.Answer, error) {
	a := c.Actor()
	if err := c.Write(func(tx *store.Tx) error { return s.Disconnect(tx, a.ID, a.App) }); err != nil {
		return nil, err
	}
	return api.Empty(200), nil
}

func (s *Service) companyToken(c *api.Call) (api.Answer, error) {
	a := c.Actor()
	if !strings.EqualFold(c.Param("companyId"), a.Company) {
		return nil, notFound("company")
	}
	if !a.Administers() && !a.Has(auth.CompanyAdministrator) {
		return nil, errs.New(errs.Forbidden, "59 access_denied", "Only an administrator of the company may make its request token.")
	}
	made := companyTokenAnswer{status: "PASS", token: s.ids.Secret()}
	if err := c.Write(func(tx *store.Tx) error {
		_, err := s.AddCompanyToken(tx, a.Company, a.Company, made.token, false)
		return err
	}); err != nil {
		return nil, err
	}
	return api.Object(200, companyTokenAnswers, &made).Header("Cache-Control", "no-store"), nil
}

func (s *Service) legacySignIn(c *api.Call) (api.Answer, error) {
	login, password, ok := c.Basic()
	if !ok {
		return nil, errs.New(errs.Unauthenticated, "credentials", "Send the login and the password in the Authorization header, as Basic.")
	}
	key := c.Header("X-ConsumerKey")
	if key == "" {
		return nil, errs.New(errs.Invalid, "consumerKey", "The header X-ConsumerKey is missing.")
	}
	t, err := s.LegacySignIn(c.Context(), key, login, password, c.RemoteAddress())
	return s.legacyAnswer(c, t, err)
}

func (s *Service) legacyExchange(c *api.Call) (api.Answer, error) {
	form, err := legacyForm(c)
	if err != nil {
		return nil, err
	}
	var t *LegacyToken
	switch {
	case form["refresh_token"] != "":
		t, err = s.LegacyRefresh(c.Context(), form)
	case form["code"] != "":
		t, err = s.LegacyExchange(c.Context(), form)
	default:
		err = errs.New(errs.Invalid, "code", "Send a code or a refresh_token.")
	}
	return s.legacyAnswer(c, t, err)
}

func (s *Service) legacyAnswer(c *api.Call, t *LegacyToken, err error) (api.Answer, error) {
	if err != nil {
		return nil, err
	}
	a := legacyAnswer{s.publicURL + "/", t.Token, t.Expires.Time().Format("1/2/2006 3:04:05 PM"), t.Refresh}
	if c.Format() == api.JSON {
		return api.Object(200, legacyWrappers, &legacyWrapper{a}).Header("Cache-Control", "no-store"), nil
	}
	return api.Object(200, legacyAnswers, &a).Root("Access_Token").Header("Cache-Control", "no-store"), nil
}

func (s *Service) legacyRevoke(c *api.Call) (api.Answer, error) {
	a := c.Actor()
	if !a.Administers() {
		return nil, errs.New(errs.Forbidden, "role", "Only a Web Services Administrator or somebody with Can Administer may revoke tokens.")
	}
	form, err := legacyForm(c)
	if err != nil {
		return nil, err
	}
	token, key, user := form["token"], form["consumerkey"], form["user"]
	if token == "" && (key == "" || user == "") {
		return nil, errs.New(errs.Invalid, "token", "Send the token to revoke, or a consumerKey and a user.")
	}
	if err := c.Write(func(tx *store.Tx) error {
		if token != "" {
			return s.RevokeLegacy(tx, a.Company, token)
		}
		return s.RevokeUser(tx, a.Company, user, key)
	}); err != nil {
		return nil, err
	}
	return api.Empty(200), nil
}

// legacyForm reads query and form of an old endpoint. Names are in lower case; a
// leading ? is cut, since one client sends ??token=. Clients of these endpoints do
// not escape: a + is a plus, and what is no escape stays as it is.
func legacyForm(c *api.Call) (map[string]string, error) {
	form := map[string]string{}
	readLegacy(form, c.RawQuery())
	if c.Method() == "POST" {
		if media, _ := c.MediaType(); media == formMedia || media == "" {
			body, err := c.All()
			if err != nil {
				return nil, err
			}
			readLegacy(form, string(body))
		}
	}
	return form, nil
}

func readLegacy(form map[string]string, raw string) {
	for pair := range strings.SplitSeq(raw, "&") {
		name, text, _ := strings.Cut(pair, "=")
		name = strings.ToLower(strings.TrimLeft(name, "?"))
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		if name != "" && form[name] == "" {
			form[name] = text
		}
	}
}
