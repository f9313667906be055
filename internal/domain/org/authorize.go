package org

import (
	"context"
	"net/url"
	"strings"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// AuthorizationRequest is what an application sends a browser to the sign-in page
// with (RFC 6749 §4.1.1), or its predecessor (oauth2.md §7).
type AuthorizationRequest struct {
	ClientID        string
	RedirectURI     string
	ResponseType    string // code
	Scope           string
	State           string
	Challenge       string // PKCE code_challenge
	ChallengeMethod string // S256
	Legacy          bool   // the answer takes the form of the old service
}

// Authorization is a request that was found to be in order.
type Authorization struct {
	Request     AuthorizationRequest
	Application *Application
	Scopes      []string
}

// CheckAuthorization reads a request. The first result is nil when there is no
// address that the browser may be sent to: then the error is for a page. With a
// result, an error goes to the application, by Refuse.
func (s *Service) CheckAuthorization(ctx context.Context, r AuthorizationRequest) (*Authorization, error) {
	if r.ClientID == "" {
		return nil, errNoClientID
	}
	var app *Application
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		app, err = s.Application(tx, r.ClientID)
		return err
	})
	switch {
	case errs.Is(err, errs.NotFound):
		return nil, errClientUnknown
	case err != nil:
		return nil, err
	case r.RedirectURI == "":
		return nil, errNoRedirect
	case !app.Registered(r.RedirectURI):
		return nil, errNotRegistered
	case app.Disabled:
		return nil, errClientDisabled
	}
	a := &Authorization{Request: r, Application: app}
	if !app.Allows(CodeGrant) {
		return a, errGrant
	}
	if r.ResponseType != "code" {
		return a, errResponseType
	}
	if r.ChallengeMethod != "" && r.ChallengeMethod != "S256" || r.ChallengeMethod == "" && r.Challenge != "" ||
		r.Challenge != "" && len(r.Challenge) != 43 || r.ChallengeMethod != "" && r.Challenge == "" {
		return a, errChallenge
	}
	scopes, ok := narrow(r.Scope, app.Scopes())
	if !ok {
		return a, errScope
	}
	a.Scopes = scopes
	return a, nil
}

var (
	errNotRegistered = fault(104, "invalid_grant", "The redirect_uri is not registered for this application.")
	errResponseType  = fault(60, "unsupported_response_type", "The response_type must be code.")
	errChallenge     = fault(135, "invalid_request", "The code_challenge must be a SHA-256 in base64url, and the code_challenge_method S256.")
	errConsent       = fault(59, "access_denied", "The user did not allow the application.")
)

// Allow records that a user agreed, and is the address to send the browser to.
func (s *Service) Allow(ctx context.Context, a *Authorization, u *User) (string, error) {
	if !a.Application.Serves(u.Company) {
		return s.Refuse(a, errCompanyClient), nil
	}
	code, err := s.newCode(ctx, a.Application, u.ID, a.Request.RedirectURI, a.Request.Challenge, a.Scopes)
	if err != nil {
		return "", err
	}
	if a.Request.Legacy {
		return s.back(a, "code", code), nil
	}
	return s.back(a, "geolocation", s.publicURL, "code", code), nil
}

// Deny is the address to send the browser to when the user did not agree.
func (s *Service) Deny(a *Authorization) string { return s.Refuse(a, errConsent) }

// Refuse is the address that tells the application of an error.
func (s *Service) Refuse(a *Authorization, err error) string {
	e := errs.As(err)
	number, name, _ := strings.Cut(e.Code, " ")
	if name == "" {
		number, name = "0", "server_error"
	}
	if a.Request.Legacy {
		return s.back(a, "error", name, "error_description", e.Message)
	}
	return s.back(a, "error_code", number, "error", name, "error_description", e.Message)
}

// back adds parameters to the redirect address, which may have a query of its own.
func (s *Service) back(a *Authorization, pairs ...string) string {
	var b strings.Builder
	b.WriteString(a.Request.RedirectURI)
	glue := "?"
	if strings.Contains(a.Request.RedirectURI, "?") {
		glue = "&"
	}
	if a.Request.State != "" {
		pairs = append(pairs, "state", a.Request.State)
	}
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(glue + pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
		glue = "&"
	}
	return b.String()
}

// redirectable reports whether an address can be registered: absolute, without a
// fragment, and not one that a browser would run.
func redirectable(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || strings.ContainsAny(uri, " \t\r\n#") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "vbscript", "file", "blob", "about":
		return false
	case "http", "https":
		return u.Host != ""
	}
	return true
}
