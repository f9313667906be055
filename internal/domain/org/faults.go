package org

import (
	"strconv"

	"quittance/internal/kernel/errs"
)

// fault is an error of the token service: a number, the name that RFC 6749 gives its
// class, and our sentence. The family writes all three.
func fault(code int, name, sentence string) *errs.Error {
	kind := errs.Invalid
	switch name {
	case "invalid_client":
		kind = errs.Unauthenticated
	case "access_denied":
		kind = errs.Forbidden
	}
	return errs.New(kind, strconv.Itoa(code)+" "+name, sentence)
}

// The faults (oauth2.md §5). The numbers are the services' own.
var (
	errCredentials     = fault(5, "invalid_grant", "The user name or the password is wrong.")
	errAccountDisabled = fault(10, "invalid_grant", "The account is disabled; an administrator can enable it.")
	errCompanyDisabled = fault(12, "invalid_grant", "The company may not sign in at the moment; ask its administrator.")
	errLocked          = fault(14, "invalid_grant", "The account is locked after too many wrong passwords; wait a while and try again.")
	errSSOOnly         = fault(21, "invalid_request", "This account signs in through the company's own sign-in; a password is not taken.")
	errNoUsername      = fault(51, "invalid_request", "The parameter username is missing.")
	errNoPassword      = fault(52, "invalid_request", "The parameter password is missing.")
	errCompanyClient   = fault(53, "invalid_client", "The application may not be used by this company.")
	errScope           = fault(54, "invalid_scope", "A scope was asked for that was not granted.")
	errNoOneTimeCode   = fault(56, "invalid_request", "The parameter otp is missing.")
	errNoChannelType   = fault(57, "invalid_request", "The parameter channel_type is missing.")
	errNoChannelHandle = fault(58, "invalid_request", "The parameter channel_handle is missing.")
	errClientDisabled  = fault(59, "access_denied", "The application is disabled.")
	errGrant           = fault(60, "invalid_grant", "The application may not use this grant type, or there is none of this name.")
	errClientUnknown   = fault(61, "invalid_client", "There is no application with this client_id.")
	errNoClientID      = fault(62, "invalid_request", "The parameter client_id is missing.")
	errNoClientSecret  = fault(63, "invalid_request", "The parameter client_secret is missing.")
	errClientSecret    = fault(64, "invalid_client", "The client_secret is not that of the application.")
	errNoGrantType     = fault(65, "invalid_request", "The parameter grant_type is missing.")
	errChannelType     = fault(80, "invalid_request", "The channel_type must be email.")
	errChannelHandle   = fault(81, "invalid_request", "The channel_handle must be an e-mail address.")
	errManyCodes       = fault(82, "invalid_request", "Too many one-time passwords are open for this address; use one, or wait until they expire.")
	errCodeNotFound    = fault(83, "invalid_request", "There is no open one-time password for this address; ask for one.")
	errCodeWrong       = fault(85, "invalid_request", "The one-time password is wrong, or the parameters differ from those it was asked for with.")
	errNoCode          = fault(101, "invalid_request", "The parameter code is missing.")
	errNoRedirect      = fault(102, "invalid_request", "The parameter redirect_uri is missing.")
	errCode            = fault(103, "invalid_request", "The code is wrong, was used before or has expired.")
	errRedirect        = fault(104, "invalid_grant", "The redirect_uri is not the one that the code was asked for with.")
	errOtherClient     = fault(105, "invalid_grant", "The code or token was issued to another application.")
	errNoRefreshToken  = fault(106, "invalid_request", "The parameter refresh_token is missing.")
	errRefreshDenied   = fault(107, "invalid_request", "The application may not refresh tokens.")
	errRefreshToken    = fault(108, "invalid_grant", "The refresh token is wrong, was revoked or has expired; sign in again.")
	errCredentialType  = fault(120, "invalid_request", "The credtype must be password or authtoken.")
	errPrincipal       = fault(123, "invalid_request", "The user or company that the token was issued to is disabled.")
	errForm            = fault(135, "invalid_request", "The request must be a form: Content-Type application/x-www-form-urlencoded.")
	errForeignToken    = fault(136, "invalid_request", "The request token was issued for another company or user.")
	errPasswordExpired = fault(139, "invalid_request", "The password must be changed before the next sign-in.")
	errVerifier        = fault(103, "invalid_request", "The code_verifier does not belong to the code.")
)

// repeated is the fault of a parameter that stands in a form more than once (RFC 6749 §3.2).
func repeated(name string) *errs.Error {
	return fault(135, "invalid_request", "The parameter "+name+" is given more than once.")
}
