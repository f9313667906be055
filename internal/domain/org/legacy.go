package org

import (
	"context"
	"errors"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// LegacyToken is a token of the old service: an opaque text, good for a year.
type LegacyToken struct {
	Token   string
	Refresh string // empty in the answer to a refresh
	Expires value.Instant
}

// errLegacySignIn is the one answer to a login that the old service does not take.
var errLegacySignIn = errs.New(errs.Unauthenticated, "credentials", "The login or the password is wrong, or the consumer key is not known.")

func legacyExpiry(now value.Instant) value.Instant {
	return value.InstantOf(now.Time().AddDate(legacyYears, 0, 0))
}

// newLegacy makes the texts of a token of the old service; what they stand for is
// stored by keepLegacy.
func (s *Service) newLegacy() *LegacyToken {
	return &LegacyToken{Token: "0_" + s.ids.Secret(), Refresh: s.ids.Secret(), Expires: legacyExpiry(s.clock())}
}

func (s *Service) keepLegacy(tx *store.Tx, t *LegacyToken, app *Application, u *User, scopes, session string) error {
	_, err := tx.Exec(`INSERT INTO legacy_token (hash, id, refresh_hash, client_id, user_id, company_id, scopes, session, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		auth.Opaque(t.Token), auth.Opaque(t.Refresh)[:32], auth.Opaque(t.Refresh), app.ClientID, u.ID, u.Company, scopes, session, int64(t.Expires))
	return err
}

// LegacySignIn is the native flow: a login, a password, and the application's key.
func (s *Service) LegacySignIn(ctx context.Context, key, login, password, address string) (*LegacyToken, error) {
	var app *Application
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		app, err = s.Application(tx, key)
		return err
	})
	known := err == nil && !app.Disabled && app.Allows(PasswordGrant)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	u, err := s.SignIn(ctx, login, password, address)
	switch {
	case err == nil && known && app.Serves(u.Company):
	case errs.Is(err, errs.Unavailable), errs.Is(err, errs.Internal):
		return nil, err
	case errors.Is(err, errLocked):
		return nil, errs.New(errs.Forbidden, "locked", errLocked.Message)
	default:
		return nil, errLegacySignIn
	}
	t := s.newLegacy()
	err = s.db.Write(ctx, func(tx *store.Tx) error { return s.keepLegacy(tx, t, app, u, app.scopes, "") })
	return t, err
}

// LegacyExchange is the second step of the web flow: a code for a token.
func (s *Service) LegacyExchange(ctx context.Context, form map[string]string) (*LegacyToken, error) {
	app, err := s.client(ctx, form)
	if err != nil {
		return nil, plain(err)
	}
	t := s.newLegacy()
	err = s.redeem(ctx, app, form["code"], func(a *authorization) error {
		if a.challenge != "" {
			return errVerifier
		}
		return nil
	}, func(tx *store.Tx, a *authorization) error {
		return s.keepLegacy(tx, t, app, a.user, strings.Join(a.scopes, " "), a.session)
	})
	return t, plain(err)
}

// LegacyRefresh renews a token; the refresh token stays.
func (s *Service) LegacyRefresh(ctx context.Context, form map[string]string) (*LegacyToken, error) {
	app, err := s.client(ctx, form)
	if err != nil {
		return nil, plain(err)
	}
	t := s.newLegacy()
	hash := auth.Opaque(form["refresh_token"])
	t.Refresh = ""
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		var user string
		var expires int64
		err := tx.QueryRow(`SELECT user_id, expires_at FROM legacy_token WHERE refresh_hash = ? AND client_id = ?`, hash, app.ClientID).Scan(&user, &expires)
		if errs.Is(err, errs.NotFound) || err == nil && value.Instant(expires) <= tx.Now() {
			return errRefreshToken
		}
		if err != nil {
			return err
		}
		if _, err := s.Standing(tx, auth.User, user, app.ClientID); err != nil {
			if errs.Is(err, errs.NotFound) {
				return errPrincipal
			}
			return err
		}
		_, err = tx.Exec(`UPDATE legacy_token SET hash = ?, expires_at = ? WHERE refresh_hash = ?`, auth.Opaque(t.Token), int64(t.Expires), hash)
		s.changed(tx)
		return err
	})
	return t, plain(err)
}

// plain gives a fault of the token service the code of the old one, whose errors
// have no numbers.
func plain(err error) error {
	if err == nil {
		return nil
	}
	e := *errs.As(err)
	e.Code = "token"
	return &e
}

// OpaqueToken finds what a token of the old service was issued for.
func (s *Service) OpaqueToken(tx *store.Tx, hash string) (*auth.Claims, error) {
	c := &auth.Claims{Kind: auth.User}
	var scopes string
	var expires int64
	err := tx.QueryRow(`SELECT id, client_id, user_id, company_id, scopes, expires_at FROM legacy_token WHERE hash = ?`, hash).
		Scan(&c.ID, &c.Client, &c.Subject, &c.Company, &scopes, &expires)
	c.Scopes, c.Expires = auth.SplitScopes(scopes), value.Instant(expires)
	return c, err
}

// RevokeLegacy ends one token of a company's user.
func (s *Service) RevokeLegacy(tx *store.Tx, company, token string) error {
	n, err := tx.Exec(`DELETE FROM legacy_token WHERE hash = ? AND company_id = ?`, auth.Opaque(token), company)
	if err == nil && n == 0 {
		return notFound("token")
	}
	s.changed(tx)
	return err
}

// RevokeUser ends all tokens of a company's user through an application.
func (s *Service) RevokeUser(tx *store.Tx, company, login, key string) error {
	p, err := s.FindPerson(tx, company, login)
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.Invalid, "user", "Invalid User:"+login)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM legacy_token WHERE user_id = ? AND client_id = ?`, p.ID, key); err != nil {
		return err
	}
	s.changed(tx)
	return s.Disconnect(tx, p.ID, key)
}
