package org

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/mail"
	"net/url"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// TokenRequest is a call of the token service: the form's parameters and where it
// came from. Empty parameters are as if absent.
type TokenRequest struct {
	Form    map[string]string
	Address string
}

// TokenAnswer is what a grant gives.
type TokenAnswer struct {
	ExpiresIn      int64 // seconds
	Scope          string
	TokenType      string
	AccessToken    string
	RefreshToken   string // empty without one
	RefreshExpires int64  // epoch seconds; 0 without one
	IDToken        string // empty without one
	Geolocation    string
}

// grant is what was granted, before it is signed.
type grant struct {
	claims         auth.Claims
	refresh        string // text of the refresh token; empty for none
	refreshExpires value.Instant
}

// Token answers a request for a token. Faults are *errs.Error with the numbers of
// oauth2.md §5.
func (s *Service) Token(ctx context.Context, r TokenRequest) (*TokenAnswer, error) {
	kind := r.Form["grant_type"]
	if kind == "" {
		return nil, errNoGrantType
	}
	app, err := s.client(ctx, r.Form)
	if err != nil {
		return nil, err
	}
	grants := map[Grant]func(context.Context, *Application, TokenRequest) (*grant, error){
		PasswordGrant: s.passwordGrant, ClientGrant: s.clientGrant, RefreshGrant: s.refreshGrant,
		CodeGrant: s.codeGrant, OneTimeCodeGrant: s.oneTimeCodeGrant,
	}
	give, ok := grants[Grant(kind)]
	if !ok {
		return nil, errGrant
	}
	if !app.Allows(Grant(kind)) {
		if Grant(kind) == RefreshGrant {
			return nil, errRefreshDenied
		}
		return nil, errGrant
	}
	g, err := give(ctx, app, r)
	if err != nil {
		return nil, err
	}
	return s.sign(ctx, g)
}

func (s *Service) sign(ctx context.Context, g *grant) (*TokenAnswer, error) {
	access, err := s.tokens.Access(ctx, g.claims)
	if err != nil {
		return nil, err
	}
	a := &TokenAnswer{
		ExpiresIn: int64(auth.AccessLife.Seconds()), Scope: strings.Join(g.claims.Scopes, " "), TokenType: "Bearer",
		AccessToken: access, RefreshToken: g.refresh, Geolocation: s.publicURL,
	}
	if g.refresh != "" {
		a.RefreshExpires = g.refreshExpires.Time().Unix()
	}
	if g.claims.Kind != auth.Application {
		if a.IDToken, err = s.tokens.Identity(ctx, g.claims, access); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// client finds the application of a request and checks its secret.
func (s *Service) client(ctx context.Context, form map[string]string) (*Application, error) {
	id, secret := form["client_id"], form["client_secret"]
	if id == "" {
		return nil, errNoClientID
	}
	if secret == "" {
		return nil, errNoClientSecret
	}
	var app *Application
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		app, err = s.Application(tx, id)
		return err
	})
	switch {
	case errs.Is(err, errs.NotFound):
		return nil, errClientUnknown
	case err != nil:
		return nil, err
	case !app.knows(secret):
		return nil, errClientSecret
	case app.Disabled:
		return nil, errClientDisabled
	}
	return app, nil
}

// newGrant begins a sign-in: a session with its first tokens. Nothing is stored yet.
func (s *Service) newGrant(app *Application, kind auth.PrincipalKind, subject, company string, scopes []string) *grant {
	now := s.clock()
	g := &grant{claims: auth.Claims{
		ID: s.ids.UUID(), Kind: kind, Subject: subject, Client: app.ClientID, Company: company, Scopes: scopes,
		IssuedAt: now, Expires: now.Add(auth.AccessLife),
	}}
	if kind != auth.Application {
		g.claims.Session = s.ids.UUID()
		if app.Allows(RefreshGrant) {
			g.refresh, g.refreshExpires = s.ids.Secret(), refreshExpiry(now)
		}
	}
	return g
}

func refreshExpiry(now value.Instant) value.Instant {
	return value.InstantOf(now.Time().AddDate(0, refreshMonths, 0))
}

// keep stores the refresh token of a grant.
func (g *grant) keep(tx *store.Tx) error {
	if g.refresh == "" {
		return nil
	}
	c := &g.claims
	_, err := tx.Exec(`INSERT INTO refresh_token (hash, client_id, kind, principal_id, company_id, scopes, session, issued_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, auth.Opaque(g.refresh), c.Client, string(c.Kind), c.Subject, c.Company,
		strings.Join(c.Scopes, " "), c.Session, int64(c.IssuedAt), int64(g.refreshExpires))
	return err
}

// given stores a grant in a transaction of its own.
func (s *Service) given(ctx context.Context, g *grant) (*grant, error) {
	if g.refresh == "" {
		return g, nil
	}
	return g, s.db.Write(ctx, g.keep)
}

func (s *Service) passwordGrant(ctx context.Context, app *Application, r TokenRequest) (*grant, error) {
	username, password := r.Form["username"], r.Form["password"]
	if username == "" {
		return nil, errNoUsername
	}
	if password == "" {
		return nil, errNoPassword
	}
	scopes, ok := narrow(r.Form["scope"], app.Scopes())
	if !ok {
		return nil, errScope
	}
	switch strings.ToLower(r.Form["credtype"]) {
	case "", "password":
	case "authtoken":
		return s.requestTokenGrant(ctx, app, username, password, scopes)
	default:
		return nil, errCredentialType
	}
	u, err := s.SignIn(ctx, username, password, r.Address)
	if err != nil {
		return nil, err
	}
	if !app.Serves(u.Company) {
		return nil, errCompanyClient
	}
	return s.given(ctx, s.newGrant(app, auth.User, u.ID, u.Company, scopes))
}

// Serves reports whether users of a company may use the application.
func (a *Application) Serves(company string) bool { return a.EveryCompany || a.Company == company }

// requestTokenGrant exchanges a company's (or user's) request token.
func (s *Service) requestTokenGrant(ctx context.Context, app *Application, username, token string, scopes []string) (*grant, error) {
	var company, principal string
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		var expires int64
		err := tx.QueryRow(`SELECT company_id, principal_id, expires_at FROM company_token WHERE hash = ?`, auth.Opaque(token)).Scan(&company, &principal, &expires)
		if err != nil {
			return err
		}
		if expires != 0 && value.Instant(expires) <= tx.Now() {
			return notFound("token")
		}
		return nil
	})
	switch {
	case errs.Is(err, errs.NotFound):
		return nil, errCredentials
	case err != nil:
		return nil, err
	case !strings.EqualFold(principal, username):
		return nil, errForeignToken
	case !app.Serves(company):
		return nil, errCompanyClient
	}
	kind := auth.User
	if principal == company {
		kind = auth.Company
	}
	if err := s.stands(ctx, kind, principal, app.ClientID); err != nil {
		return nil, err
	}
	return s.given(ctx, s.newGrant(app, kind, principal, company, scopes))
}

// stands checks that a principal may still get tokens.
func (s *Service) stands(ctx context.Context, kind auth.PrincipalKind, principal, clientID string) error {
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		_, err := s.Standing(tx, kind, principal, clientID)
		return err
	})
	if errs.Is(err, errs.NotFound) {
		return errPrincipal
	}
	return err
}

func (s *Service) clientGrant(ctx context.Context, app *Application, r TokenRequest) (*grant, error) {
	scopes, ok := narrow(r.Form["scope"], app.Scopes())
	if !ok {
		return nil, errScope
	}
	if err := s.stands(ctx, auth.Application, app.ID, app.ClientID); err != nil {
		return nil, err
	}
	return s.newGrant(app, auth.Application, app.ID, app.Company, scopes), nil
}

// refreshGrant renews both tokens. The refresh token keeps its text: a client that
// loses the answer can ask again.
func (s *Service) refreshGrant(ctx context.Context, app *Application, r TokenRequest) (*grant, error) {
	token := r.Form["refresh_token"]
	if token == "" {
		return nil, errNoRefreshToken
	}
	var c auth.Claims
	var kind, granted string
	var expires int64
	hash := auth.Opaque(token)
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT client_id, kind, principal_id, company_id, scopes, session, expires_at FROM refresh_token WHERE hash = ?`, hash).
			Scan(&c.Client, &kind, &c.Subject, &c.Company, &granted, &c.Session, &expires)
	})
	now := s.clock()
	switch {
	case errs.Is(err, errs.NotFound):
		return nil, errRefreshToken
	case err != nil:
		return nil, err
	case value.Instant(expires) <= now:
		return nil, errRefreshToken
	case c.Client != app.ClientID:
		return nil, errOtherClient
	}
	c.Kind = auth.PrincipalKind(kind)
	scopes, ok := narrow(r.Form["scope"], strings.Fields(granted))
	if !ok {
		return nil, errScope
	}
	if err := s.stands(ctx, c.Kind, c.Subject, c.Client); err != nil {
		return nil, err
	}
	c.ID, c.Scopes, c.IssuedAt, c.Expires = s.ids.UUID(), scopes, now, now.Add(auth.AccessLife)
	g := &grant{claims: c, refresh: token, refreshExpires: refreshExpiry(now)}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE refresh_token SET expires_at = ? WHERE hash = ?`, int64(g.refreshExpires), hash)
		if err == nil && n == 0 {
			return errRefreshToken // revoked meanwhile
		}
		return err
	})
	return g, err
}

func (s *Service) codeGrant(ctx context.Context, app *Application, r TokenRequest) (*grant, error) {
	code, redirect := r.Form["code"], r.Form["redirect_uri"]
	if code == "" {
		return nil, errNoCode
	}
	if redirect == "" {
		return nil, errNoRedirect
	}
	g := s.newGrant(app, auth.User, "", "", nil)
	err := s.redeem(ctx, app, code, func(a *authorization) error {
		if a.redirect != redirect {
			return errRedirect
		}
		return a.verify(r.Form["code_verifier"])
	}, func(tx *store.Tx, a *authorization) error {
		c := &g.claims
		c.Subject, c.Company, c.Scopes, c.Session = a.user.ID, a.user.Company, a.scopes, a.session
		return g.keep(tx)
	})
	return g, err
}

// authorization is what a user agreed to.
type authorization struct {
	user      *User
	redirect  string
	scopes    []string
	challenge string // PKCE, method S256; empty for none
	session   string
}

// verify checks the proof of possession (RFC 7636).
func (a *authorization) verify(verifier string) error {
	if a.challenge == "" {
		if verifier != "" {
			return errVerifier
		}
		return nil
	}
	sum := sha256.Sum256([]byte(verifier))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(a.challenge)) != 1 {
		return errVerifier
	}
	return nil
}

// newCode keeps an authorization for a minute under a code.
func (s *Service) newCode(ctx context.Context, app *Application, user, redirect, challenge string, scopes []string) (string, error) {
	code, session := s.ids.Secret(), s.ids.UUID()
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO auth_code (hash, client_id, user_id, redirect_uri, scopes, challenge, session, expires_at, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			auth.Opaque(code), app.ClientID, user, redirect, strings.Join(scopes, " "), challenge, session, int64(tx.Now().Add(codeLife)), false)
		return err
	})
	return code, err
}

// redeem takes a code, once, and has give store what it is exchanged for. A second
// try revokes what the first one gave.
func (s *Service) redeem(ctx context.Context, app *Application, code string, check func(*authorization) error, give func(*store.Tx, *authorization) error) error {
	hash := auth.Opaque(code)
	var refused error // committed, unlike the error of the closure
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		refused = errCode
		a := &authorization{}
		var client, user, scopes string
		var expires int64
		var used bool
		err := tx.QueryRow(`SELECT client_id, user_id, redirect_uri, scopes, challenge, session, expires_at, used FROM auth_code WHERE hash = ?`, hash).
			Scan(&client, &user, &a.redirect, &scopes, &a.challenge, &a.session, &expires, &used)
		switch {
		case errs.Is(err, errs.NotFound):
			return nil
		case err != nil:
			return err
		case client != app.ClientID:
			refused = errOtherClient
			return nil
		case used:
			return s.revokeSession(tx, a.session, client, user)
		case value.Instant(expires) <= tx.Now():
			return nil
		}
		if refused = check(a); refused != nil {
			return nil
		}
		n, err := tx.Exec(`UPDATE auth_code SET used = ? WHERE hash = ? AND used = ?`, true, hash, false)
		if err != nil {
			return err
		}
		if n == 0 { // another call was faster
			refused = errCode
			return s.revokeSession(tx, a.session, client, user)
		}
		if _, err := s.Standing(tx, auth.User, user, client); err != nil {
			if errs.Is(err, errs.NotFound) {
				refused = errPrincipal
				return nil
			}
			return err
		}
		a.scopes = strings.Fields(scopes)
		if a.user, err = users.Get(tx, store.Unrestricted(), user); err != nil {
			return err
		}
		return give(tx, a)
	})
	if err == nil {
		err = refused
	}
	return err
}

// revokeSession ends a sign-in: its lasting tokens are gone, and its access tokens are
// refused until they would have expired.
func (s *Service) revokeSession(tx *store.Tx, session, client, principal string) error {
	if session == "" {
		return nil
	}
	for _, table := range []string{"refresh_token", "legacy_token"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE session = ?`, session); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`INSERT INTO revocation (id, client_id, principal_id, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		session, client, principal, int64(tx.Now().Add(auth.AccessLife)))
	s.changed(tx)
	return err
}

// Disconnect ends every sign-in of a principal through an application.
func (s *Service) Disconnect(tx *store.Tx, principal, client string) error {
	var sessions []string
	if err := each(tx, func(r *store.Rows) error {
		var id string
		err := r.Scan(&id)
		sessions = append(sessions, id)
		return err
	}, `SELECT DISTINCT session FROM refresh_token WHERE principal_id = ? AND client_id = ? ORDER BY session`, principal, client); err != nil {
		return err
	}
	for _, id := range sessions {
		if err := s.revokeSession(tx, id, client, principal); err != nil {
			return err
		}
	}
	return nil
}

// The parameters of one-time passwords that are ours; the others are the client's
// own and must come back unchanged.
var otpParameters = map[string]bool{
	"client_id": true, "client_secret": true, "channel_handle": true, "channel_type": true, "otp": true,
	"scope": true, "grant_type": true, "name": true, "company": true, "link": true,
}

func customParameters(form map[string]string) string {
	custom := url.Values{}
	for k, v := range form {
		if !otpParameters[k] {
			custom.Set(k, v)
		}
	}
	return custom.Encode()
}

// channel reads where a one-time password goes.
func channel(form map[string]string) (handle string, err error) {
	switch kind, handle := form["channel_type"], form["channel_handle"]; {
	case kind == "":
		return "", errNoChannelType
	case !strings.EqualFold(kind, "email"):
		return "", errChannelType
	case handle == "":
		return "", errNoChannelHandle
	default:
		address, err := mail.ParseAddress(handle)
		if err != nil || address.Address != strings.TrimSpace(handle) {
			return "", errChannelHandle
		}
		return address.Address, nil
	}
}

// How many one-time passwords may be open for an address and application, and how
// often a wrong one may be given.
const (
	openCodes = 5
	codeTries = 5
)

// SendOneTimePassword mails a one-time password. Nothing tells whether somebody has
// the address: an unknown one gets a row too, and no mail.
func (s *Service) SendOneTimePassword(ctx context.Context, r TokenRequest) error {
	app, err := s.client(ctx, r.Form)
	if err != nil {
		return err
	}
	if !app.Allows(OneTimeCodeGrant) {
		return errGrant
	}
	handle, err := channel(r.Form)
	if err != nil {
		return err
	}
	id, code := s.ids.UUID(), s.digits()
	var to *User
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		var open int64
		if err := tx.QueryRow(`SELECT COUNT(*) FROM otp WHERE client_id = ? AND handle_key = ? AND expires_at > ?`,
			app.ClientID, fold(handle), int64(tx.Now())).Scan(&open); err != nil {
			return err
		}
		if open >= openCodes {
			return errManyCodes
		}
		found, err := users.All(tx, store.Unrestricted(), store.Where("email_key = ? AND active", fold(handle)), "seq", openCodes)
		if err != nil {
			return err
		}
		to = nil
		for i := range found {
			if app.Serves(found[i].Company) && (to == nil || found[i].loginKey == fold(handle)) {
				to = &found[i]
			}
		}
		user := ""
		if to != nil {
			user = to.ID
		}
		_, err = tx.Exec(`INSERT INTO otp (id, client_id, handle_key, user_id, code_hash, custom, tries, expires_at) VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
			id, app.ClientID, fold(handle), user, s.codeHash(id, code), customParameters(r.Form), int64(tx.Now().Add(oneTimeCodeLife)))
		return err
	})
	if err != nil || to == nil {
		return err
	}
	text := "Hello " + to.FullName() + ",\n\nyour one-time password for " + app.Name + " is\n\n    " + code +
		"\n\nIt works for ten minutes. If you did not ask for it, you need not do anything.\n"
	s.mailer.Send(Mail{To: handle, Subject: "Your one-time password", Text: text, At: s.clock()})
	return nil
}

// digits is a code of eight random digits.
func (s *Service) digits() string {
	const digits, length = "0123456789", 8
	code := make([]byte, 0, length)
	for len(code) < length {
		for _, b := range s.ids.Bytes(length) {
			if b < 250 && len(code) < length { // 250 is the last multiple of ten
				code = append(code, digits[b%10])
			}
		}
	}
	return string(code)
}

// codeHash keeps a short code safe from who can read the database alone.
func (s *Service) codeHash(id, code string) string {
	mac := s.keys.Signer().MAC("one-time password", []byte(id+" "+code))
	return base64.RawURLEncoding.EncodeToString(mac[:])
}

func (s *Service) oneTimeCodeGrant(ctx context.Context, app *Application, r TokenRequest) (*grant, error) {
	code := strings.TrimSpace(r.Form["otp"])
	if code == "" {
		return nil, errNoOneTimeCode
	}
	handle, err := channel(r.Form)
	if err != nil {
		return nil, err
	}
	scopes, ok := narrow(r.Form["scope"], app.Scopes())
	if !ok {
		return nil, errScope
	}
	custom := customParameters(r.Form)
	var user *User
	var refused error
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		user, refused = nil, errCodeNotFound
		type open struct {
			id, user, hash, custom string
			tries                  int64
		}
		var all []open
		if err := each(tx, func(row *store.Rows) error {
			var o open
			err := row.Scan(&o.id, &o.user, &o.hash, &o.custom, &o.tries)
			all = append(all, o)
			return err
		}, `SELECT id, user_id, code_hash, custom, tries FROM otp WHERE client_id = ? AND handle_key = ? AND expires_at > ? ORDER BY seq DESC`,
			app.ClientID, fold(handle), int64(tx.Now())); err != nil {
			return err
		}
		left := false
		for _, o := range all {
			if o.tries >= codeTries {
				continue
			}
			left = true
			if o.user != "" && o.custom == custom && subtle.ConstantTimeCompare([]byte(o.hash), []byte(s.codeHash(o.id, code))) == 1 {
				n, err := tx.Exec(`DELETE FROM otp WHERE id = ?`, o.id)
				if err != nil {
					return err
				}
				if n == 0 { // used by another call
					return nil
				}
				refused = nil
				user, err = users.Get(tx, store.Unrestricted(), o.user)
				return err
			}
		}
		if left {
			refused = errCodeWrong
		}
		// A wrong try counts against every open code: five tries in all.
		_, err := tx.Exec(`UPDATE otp SET tries = tries + 1 WHERE client_id = ? AND handle_key = ?`, app.ClientID, fold(handle))
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	if err := s.stands(ctx, auth.User, user.ID, app.ClientID); err != nil {
		return nil, err
	}
	return s.given(ctx, s.newGrant(app, auth.User, user.ID, user.Company, scopes))
}
