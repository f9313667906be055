package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Standing is what a principal may do through an application at one moment.
type Standing struct {
	Person  Person // zero unless the principal is a user
	Company string // where the token acts
	Roles   []Role
	Profile Profile
	Revoked []string // ids of tokens and sessions that were taken back before their end
}

// Directory is what a token is held against; domain/org answers it from its tables.
type Directory interface {
	// Standing finds a principal and the application that it comes through. It is
	// errs.NotFound when one of them is unknown, disabled, or not for the other.
	Standing(tx *store.Tx, kind PrincipalKind, principal, clientID string) (*Standing, error)
	// OpaqueToken finds what an opaque token was issued for, by its Opaque form; it
	// is errs.NotFound when there is no such token.
	OpaqueToken(tx *store.Tx, hash string) (*Claims, error)
	// FindPerson finds a user of a company by login, in any letter case, or by id; it
	// is errs.NotFound when there is none.
	FindPerson(tx *store.Tx, company, loginOrID string) (Person, error)
}

// Staleness is how old an Actor may be: a revocation, a disabled user or a changed
// role reaches every server within this time.
const Staleness = time.Second

// Authenticator turns a token into its Actor.
type Authenticator struct {
	tokens    *Tokens
	db        *store.DB
	directory Directory
	clock     value.Clock
	standings *recent[string, aged[*Standing]]
	opaque    *recent[string, aged[*Claims]]
	loads     singleflight.Group
}

type aged[T any] struct {
	v  T
	at value.Instant
}

// NewAuthenticator makes an authenticator.
func NewAuthenticator(tokens *Tokens, db *store.DB, directory Directory, clock value.Clock) *Authenticator {
	return &Authenticator{
		tokens: tokens, db: db, directory: directory, clock: clock,
		standings: newRecent[string, aged[*Standing]](knownTokens),
		opaque:    newRecent[string, aged[*Claims]](knownTokens),
	}
}

// Authenticate reads the token of a request. It is errs.Forbidden for a token that
// is unknown, expired or revoked, and for a principal or application that is disabled.
// The Actor is the caller's own to change.
func (a *Authenticator) Authenticate(ctx context.Context, token string) (*Actor, error) {
	claims, err := a.claims(ctx, token)
	if err != nil {
		return nil, err
	}
	key := string(claims.Kind) + " " + claims.Subject + " " + claims.Client
	s, err := load(a, ctx, a.standings, key, func(tx *store.Tx) (*Standing, error) {
		return a.directory.Standing(tx, claims.Kind, claims.Subject, claims.Client)
	})
	if err != nil {
		return nil, err
	}
	if s.Company != claims.Company ||
		len(s.Revoked) > 0 && (slices.Contains(s.Revoked, claims.ID) || claims.Session != "" && slices.Contains(s.Revoked, claims.Session)) {
		return nil, errToken
	}
	return &Actor{
		Kind: claims.Kind, ID: claims.Subject, Company: s.Company, Self: s.Person, Roles: s.Roles,
		App: claims.Client, Profile: s.Profile, Scopes: claims.Scopes, Session: claims.Session, Token: claims.ID,
		Subject: s.Person,
	}, nil
}

// claims reads a signed token or looks an opaque one up.
func (a *Authenticator) claims(ctx context.Context, token string) (*Claims, error) {
	if strings.Count(token, ".") == 2 {
		return a.tokens.Verify(ctx, token)
	}
	hash := Opaque(token)
	c, err := load(a, ctx, a.opaque, hash, func(tx *store.Tx) (*Claims, error) {
		return a.directory.OpaqueToken(tx, hash)
	})
	if err == nil && a.clock() >= c.Expires {
		return nil, errToken
	}
	return c, err
}

// load gets a value that is at most Staleness old; callers that miss at the same
// time share one look-up.
func load[T any](a *Authenticator, ctx context.Context, cache *recent[string, aged[T]], key string, find func(tx *store.Tx) (T, error)) (T, error) {
	now := a.clock()
	if e, ok := cache.get(key); ok && now >= e.at && now < e.at.Add(Staleness) {
		return e.v, nil
	}
	v, err, _ := a.loads.Do(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		e := aged[T]{at: a.clock()}
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			e.v, err = find(tx)
			return err
		})
		if err == nil {
			cache.put(key, e)
		}
		return e.v, err
	})
	if errs.Is(err, errs.NotFound) {
		err = errToken.Because(err)
	}
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}

// Forget drops what is cached, so that a change made by this process is seen at once.
func (a *Authenticator) Forget() {
	a.standings.clear()
	a.opaque.clear()
}
