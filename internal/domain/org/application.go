package org

import (
	"crypto/subtle"
	"slices"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Application is a program that calls with a client id and a secret.
type Application struct {
	Seq          int64
	ID           string // UUID; the subject of its own tokens
	ClientID     string
	Company      string // home: its own tokens act here alone
	Name         string // people read it on the consent page
	Profile      auth.Profile
	EveryCompany bool // users of other companies may connect it too
	Disabled     bool
	Created      value.Instant

	secretHash, scopes, grants, redirects string
}

// Grant is a way to a token (RFC 6749).
type Grant string

// The grants.
const (
	PasswordGrant    Grant = "password"
	ClientGrant      Grant = "client_credentials"
	RefreshGrant     Grant = "refresh_token"
	CodeGrant        Grant = "authorization_code"
	OneTimeCodeGrant Grant = "otp"
)

// Grants lists every grant.
func Grants() []Grant {
	return []Grant{PasswordGrant, ClientGrant, RefreshGrant, CodeGrant, OneTimeCodeGrant}
}

// KnownScopes lists the scopes that operations ask for (oauth2.md §6).
func KnownScopes() []string {
	return strings.Fields(`ATTEND CONFIG CONREQ ERECPT EXPRPT IMAGE INSGHT INVPMT INVPO INVTV INVVEN LIST
		RCTIMG SUPSVC TAXINV TRVREQ USER attendee.admin.read budgetitem.read budgetitem.write company.read
		expense.report.read expense.report.readwrite expense.report.workflowstatus.write fiscalcalendar.read fiscalcalendar.write
		invoice.providerpayment.write openid purchaserequest.read purchaserequest.write quickexpense.writeonly
		receipts.read receipts.write receipts.writeonly travelrequest.write user.read`)
}

// Scopes are what the application may ask for.
func (a *Application) Scopes() []string { return strings.Fields(a.scopes) }

// Allows reports whether a grant is open to the application.
func (a *Application) Allows(g Grant) bool {
	return slices.Contains(strings.Fields(a.grants), string(g))
}

// RedirectURIs are the addresses that a browser may be sent to.
func (a *Application) RedirectURIs() []string { return strings.Fields(a.redirects) }

// Registered reports whether an address is exactly one of the registered.
func (a *Application) Registered(uri string) bool {
	return uri != "" && slices.Contains(a.RedirectURIs(), uri)
}

// knows reports whether the secret is the application's, in constant time.
func (a *Application) knows(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(auth.Opaque(secret)), []byte(a.secretHash)) == 1
}

// narrow is what a request for scopes gets: all of the application's without a
// request, else what was asked for, when it is no more than that.
func narrow(asked string, granted []string) ([]string, bool) {
	var scopes []string
	for _, s := range auth.SplitScopes(asked) {
		if !slices.Contains(granted, s) {
			return nil, false
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	if scopes == nil {
		return granted, true
	}
	return scopes, true
}

// NewApplication says what an application shall be.
type NewApplication struct {
	ID           string // made up when empty
	ClientID     string // made up when empty
	Secret       string // random when empty
	Company      string
	Name         string
	Profile      auth.Profile // Documented when empty
	Scopes       []string     // all when empty
	Grants       []Grant      // all when empty
	RedirectURIs []string
	EveryCompany bool
}

// AddApplication registers an application and returns it with its secret, which is
// kept as a hash only.
func (s *Service) AddApplication(tx *store.Tx, n NewApplication) (*Application, string, error) {
	if _, err := companies.Get(tx, store.Unrestricted(), n.Company); err != nil {
		return nil, "", err
	}
	if n.ID == "" {
		n.ID = s.ids.UUID()
	}
	if n.ClientID == "" {
		n.ClientID = s.ids.UUID()
	}
	if n.Secret == "" {
		n.Secret = s.ids.Secret()
	}
	if n.Profile == "" {
		n.Profile = auth.Documented
	}
	if len(n.Scopes) == 0 {
		n.Scopes = KnownScopes()
	}
	if len(n.Grants) == 0 {
		n.Grants = Grants()
	}
	var problems errs.Problems
	if n.Name == "" {
		problems.Add("name", "required", "An application needs a name; people read it when they are asked to allow it.")
	}
	if strings.ContainsAny(n.ClientID, " \t\r\n:") {
		problems.Add("clientId", "syntax", "A client id has no blanks and colons.")
	}
	if n.Profile != auth.Documented && n.Profile != auth.Observed {
		problems.Add("profile", "enum", "The wire profile is documented or observed.")
	}
	known := KnownScopes()
	for _, scope := range n.Scopes {
		if !slices.Contains(known, scope) {
			problems.Addf("scopes", "enum", "There is no scope %q; scopes are case-sensitive.", scope)
		}
	}
	var grants []string
	for _, g := range n.Grants {
		if !slices.Contains(Grants(), g) {
			problems.Addf("grants", "enum", "There is no grant %q.", g)
		}
		grants = append(grants, string(g))
	}
	for _, uri := range n.RedirectURIs {
		if !redirectable(uri) {
			problems.Addf("redirectUris", "syntax", "%q cannot be redirected to: it must be an absolute address without a fragment, and not a script.", uri)
		}
	}
	if err := problems.Err(); err != nil {
		return nil, "", err
	}
	a := &Application{
		ID: n.ID, ClientID: n.ClientID, Company: n.Company, Name: n.Name, Profile: n.Profile,
		EveryCompany: n.EveryCompany, Created: tx.Now(), secretHash: auth.Opaque(n.Secret),
		scopes: strings.Join(n.Scopes, " "), grants: strings.Join(grants, " "), redirects: strings.Join(n.RedirectURIs, " "),
	}
	if taken, err := applications.Count(tx, store.Unrestricted(), store.Where("client_id = ? OR id = ?", a.ClientID, a.ID)); err != nil {
		return nil, "", err
	} else if taken > 0 {
		return nil, "", errs.Newf(errs.Conflict, "clientId", "The client id %s is taken.", a.ClientID)
	}
	if err := applications.Insert(tx, a); err != nil {
		return nil, "", err
	}
	return a, n.Secret, nil
}

// Application finds an application by client id.
func (s *Service) Application(tx *store.Tx, clientID string) (*Application, error) {
	return applications.One(tx, store.Unrestricted(), store.Where("client_id = ?", clientID))
}

// UpdateApplication saves an application that was read before.
func (s *Service) UpdateApplication(tx *store.Tx, a *Application) error {
	s.changed(tx)
	return applications.Update(tx, a)
}

// AddCompanyToken makes a request token, with which an application gets tokens of the
// company (or of the user, when principal is one's id). It lives a day; forever when
// lasting. The token is returned once and kept as a hash; an empty text makes a random one.
func (s *Service) AddCompanyToken(tx *store.Tx, company, principal, token string, lasting bool) (string, error) {
	if token == "" {
		token = s.ids.Secret()
	}
	expires := tx.Now().Add(companyTokenLife)
	if lasting {
		expires = 0
	}
	_, err := tx.Exec(`INSERT INTO company_token (hash, company_id, principal_id, expires_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET company_id = excluded.company_id, principal_id = excluded.principal_id, expires_at = excluded.expires_at`,
		auth.Opaque(token), company, principal, int64(expires))
	return token, err
}

// Standing is what a principal may do through an application right now.
func (s *Service) Standing(tx *store.Tx, kind auth.PrincipalKind, principal, clientID string) (*auth.Standing, error) {
	app, err := s.Application(tx, clientID)
	if err != nil {
		return nil, err
	}
	if app.Disabled {
		return nil, notFound("application")
	}
	st := &auth.Standing{Profile: app.Profile}
	switch kind {
	case auth.User:
		u, err := users.Get(tx, store.Unrestricted(), principal)
		if err != nil {
			return nil, err
		}
		if !u.Active {
			return nil, notFound("user")
		}
		if st.Roles, err = rolesOf(tx, u.ID); err != nil {
			return nil, err
		}
		st.Person, st.Company = u.Person(), u.Company
	case auth.Company:
		st.Company = principal
	case auth.Application:
		if principal != app.ID {
			return nil, notFound("application")
		}
		st.Company = app.Company
	default:
		return nil, notFound("principal")
	}
	company, err := companies.Get(tx, store.Unrestricted(), st.Company)
	if err != nil {
		return nil, err
	}
	if company.Disabled || !app.EveryCompany && app.Company != company.ID {
		return nil, notFound("company")
	}
	rows, err := tx.Query(`SELECT id FROM revocation WHERE principal_id = ? AND client_id = ? AND expires_at > ? ORDER BY expires_at DESC LIMIT 10000`,
		principal, clientID, int64(tx.Now()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		st.Revoked = append(st.Revoked, id)
	}
	return st, rows.Err()
}
