package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// AccessLife is how long an access token is good for.
const AccessLife = time.Hour

// Claims say what a token was issued for.
type Claims struct {
	ID       string        // jti
	Kind     PrincipalKind // concur.type
	Subject  string        // sub: id of the user, company or application
	Client   string        // aud: client id of the application
	Company  string        // concur.company
	Scopes   []string      // concur.scopes
	Session  string        // sid: one sign-in, whatever tokens came of it; empty for none
	IssuedAt value.Instant
	Expires  value.Instant
}

// Tokens issues and verifies the JSON Web Tokens of one installation.
type Tokens struct {
	keys   *Keys
	issuer string
	clock  value.Clock
	parser *jwt.Parser
	known  *recent[[sha256.Size]byte, *Claims]
}

// knownTokens is how many verified tokens a generation of the cache remembers.
const knownTokens = 4096

// NewTokens makes tokens with these keys; issuer is the public URL without a
// trailing slash.
func NewTokens(keys *Keys, issuer string, clock value.Clock) *Tokens {
	return &Tokens{
		keys: keys, issuer: issuer, clock: clock,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
			jwt.WithIssuer(issuer),
			jwt.WithExpirationRequired(),
			jwt.WithTimeFunc(func() time.Time { return clock().Time() }),
			jwt.WithStrictDecoding(),
		),
		known: newRecent[[sha256.Size]byte, *Claims](knownTokens),
	}
}

// The typ of a token keeps one kind from being taken for the other (RFC 9068).
const (
	accessType   = "at+jwt"
	identityType = "JWT"
	// claimsVersion is the concur.version of the claims.
	claimsVersion = 3
)

// Access signs an access token.
func (t *Tokens) Access(ctx context.Context, c Claims) (string, error) {
	claims := t.common(c)
	claims.Scopes = c.Scopes
	if claims.Scopes == nil {
		claims.Scopes = []string{}
	}
	claims.App = t.issuer + "/profile/v1/apps/" + c.Client
	claims.Company = c.Company
	claims.Session = c.Session
	claims.ID = c.ID
	return t.sign(ctx, accessType, claims)
}

// Identity signs the id_token that goes with an access token.
func (t *Tokens) Identity(ctx context.Context, c Claims, access string) (string, error) {
	claims := t.common(c)
	sum := sha256.Sum256([]byte(access))
	claims.AccessHash = base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	return t.sign(ctx, identityType, claims)
}

func (t *Tokens) common(c Claims) *webClaims {
	return &webClaims{
		Audience: c.Client, Issuer: t.issuer, Subject: c.Subject,
		Type: string(c.Kind), Version: claimsVersion,
		Profile:  t.issuer + "/profile/v1/principals/" + c.Subject,
		IssuedAt: seconds(c.IssuedAt), NotBefore: seconds(c.IssuedAt), Expires: seconds(c.Expires),
	}
}

func (t *Tokens) sign(ctx context.Context, kind string, claims *webClaims) (string, error) {
	key, err := t.keys.current(ctx)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["typ"], token.Header["kid"] = kind, key.id
	return token.SignedString(key.private)
}

// errToken is the refusal of a token, for whatever reason.
var errToken = errs.New(errs.Forbidden, "token", "The token is not valid here, has expired or was revoked; get a new one.")

// Verify reads an access token. Its signature is checked once; later calls with the
// same text cost a hash.
func (t *Tokens) Verify(ctx context.Context, token string) (*Claims, error) {
	var buf [3072]byte // most tokens fit: no allocation
	sum := sha256.Sum256(append(buf[:0], token...))
	if c, ok := t.known.get(sum); ok {
		if now := t.clock(); now >= c.Expires || now < c.IssuedAt {
			return nil, errToken
		}
		return c, nil
	}
	claims := &webClaims{}
	parsed, err := t.parser.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) {
		id, _ := token.Header["kid"].(string)
		key, err := t.keys.public(ctx, id)
		if err != nil {
			return nil, err
		}
		if key == nil {
			return nil, jwt.ErrTokenUnverifiable
		}
		return key, nil
	})
	if err != nil {
		var e *errs.Error
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, errToken.Because(err)
	}
	if parsed.Header["typ"] != accessType {
		return nil, errToken
	}
	c := &Claims{
		ID: claims.ID, Kind: PrincipalKind(claims.Type), Subject: claims.Subject, Client: claims.Audience,
		Company: claims.Company, Scopes: claims.Scopes, Session: claims.Session,
		IssuedAt: instant(claims.IssuedAt), Expires: instant(claims.Expires),
	}
	t.known.put(sum, c)
	return c, nil
}

// Opaque is the form in which secrets that we only compare are kept: hexadecimal
// SHA-256. They are random and long, so nothing slower is needed.
func Opaque(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// webClaims are the claims as they stand in a token (oauth2.md §4).
type webClaims struct {
	Audience   string   `json:"aud"`
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Type       string   `json:"concur.type"`
	Version    int      `json:"concur.version"`
	Profile    string   `json:"concur.profile"`
	Scopes     []string `json:"concur.scopes,omitempty"`
	App        string   `json:"concur.app,omitempty"`
	Company    string   `json:"concur.company,omitempty"`
	Session    string   `json:"sid,omitempty"`
	ID         string   `json:"jti,omitempty"`
	AccessHash string   `json:"at_hash,omitempty"`
	IssuedAt   int64    `json:"iat"`
	NotBefore  int64    `json:"nbf"`
	Expires    int64    `json:"exp"`
}

// The methods that the parser asks.

func (c *webClaims) GetExpirationTime() (*jwt.NumericDate, error) { return numeric(c.Expires), nil }
func (c *webClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return numeric(c.IssuedAt), nil }
func (c *webClaims) GetNotBefore() (*jwt.NumericDate, error)      { return numeric(c.NotBefore), nil }
func (c *webClaims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *webClaims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c *webClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

func numeric(s int64) *jwt.NumericDate {
	if s == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(s, 0))
}

func seconds(i value.Instant) int64 { return i.Time().Unix() }

func instant(s int64) value.Instant { return value.InstantOf(time.Unix(s, 0)) }
