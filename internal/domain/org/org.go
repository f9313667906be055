// Package org is the organisation: companies, their people and roles, the
// applications that call for them, and the configuration that the rules of all other
// areas read. It also issues tokens: the operations of OAuth2 and its predecessor.
package org

import (
	"crypto/sha256"
	"log/slog"
	"strings"
	"sync"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Options are what the area is made of.
type Options struct {
	DB        *store.DB
	Keys      *auth.Keys
	Clock     value.Clock
	IDs       *value.IDs
	Passwords *auth.Passwords
	Mailer    Mailer
	PublicURL string // base of every link, without a trailing slash; also the issuer of tokens
	Logger    *slog.Logger
}

// Service is the area. Its methods that take a transaction can be called together
// with those of other areas in one.
type Service struct {
	db        *store.DB
	keys      *auth.Keys
	clock     value.Clock
	ids       *value.IDs
	passwords *auth.Passwords
	mailer    Mailer
	publicURL string
	logger    *slog.Logger
	tokens    *auth.Tokens
	authentic *auth.Authenticator
	records   Records

	mu      sync.Mutex
	configs map[string]*loadedConfig // by company id
}

// New makes the area.
func New(o Options) *Service {
	s := &Service{
		db: o.DB, keys: o.Keys, clock: o.Clock, ids: o.IDs, passwords: o.Passwords, mailer: o.Mailer,
		publicURL: strings.TrimSuffix(o.PublicURL, "/"), logger: o.Logger,
		configs: map[string]*loadedConfig{},
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	s.tokens = auth.NewTokens(s.keys, s.publicURL, s.clock)
	s.authentic = auth.NewAuthenticator(s.tokens, s.db, s, s.clock)
	return s
}

// Authenticator turns the tokens that this area issues into Actors.
func (s *Service) Authenticator() *auth.Authenticator { return s.authentic }

// Tokens signs and verifies.
func (s *Service) Tokens() *auth.Tokens { return s.tokens }

// Forget drops everything that is cached; the next call reads the database.
func (s *Service) Forget() {
	s.authentic.Forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs = map[string]*loadedConfig{}
}

// changed makes this process see a change to people or applications at once; other
// servers see it within auth.Staleness.
func (s *Service) changed(tx *store.Tx) { tx.OnCommit(s.authentic.Forget) }

// fold is the form in which texts are compared without case.
func fold(text string) string { return store.Fold(strings.TrimSpace(text)) }

// derive makes the ids of records that are named in a file: the same names give the
// same ids, on every machine and after every restart.
func derive(names ...string) *value.IDs {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	return value.NewIDs(&repeat{block: sum})
}

// repeat is a source of bytes that hashes itself on.
type repeat struct {
	block [sha256.Size]byte
	used  int
}

func (r *repeat) Read(p []byte) (int, error) {
	for i := range p {
		if r.used == len(r.block) {
			r.block, r.used = sha256.Sum256(r.block[:]), 0
		}
		p[i] = r.block[r.used]
		r.used++
	}
	return len(p), nil
}

func notFound(what string) error {
	return errs.Newf(errs.NotFound, "notFound", "There is no such %s.", what)
}
