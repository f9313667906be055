package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"

	"quittance/internal/kernel/errs"
)

// PasswordCost is what one hash costs.
type PasswordCost struct {
	Memory     uint32        // KiB
	Iterations uint32        // passes over the memory
	AtOnce     int           // how many hashes run at the same time
	Wait       time.Duration // how long a caller stands in the queue
}

// DefaultPasswordCost is argon2id with 19 MiB and two passes, the least that OWASP
// advises, two at a time.
func DefaultPasswordCost() PasswordCost {
	return PasswordCost{Memory: 19 * 1024, Iterations: 2, AtOnce: 2, Wait: 5 * time.Second}
}

// Passwords hashes and checks passwords with argon2id. Memory is what an attacker
// with many requests would exhaust, so only a few run at once and the rest queue.
type Passwords struct {
	cost  PasswordCost
	slots chan struct{}
	decoy string // a hash of nothing, for logins that do not exist
}

// NewPasswords makes a hasher.
func NewPasswords(cost PasswordCost) *Passwords {
	p := &Passwords{cost: cost, slots: make(chan struct{}, cost.AtOnce)}
	p.decoy = encodeHash(cost, make([]byte, saltLength), make([]byte, keyLength))
	return p
}

const (
	saltLength = 16
	keyLength  = 32
	// MaxPassword bounds what is hashed, in bytes.
	MaxPassword = 1024
)

// Hash is the text to keep for a password, in the PHC string format. The salt is
// always the system's randomness.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxPassword {
		return "", errs.Newf(errs.Invalid, "password", "A password has at most %d bytes.", MaxPassword)
	}
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails (crypto/rand)
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	key := argon2.IDKey([]byte(password), salt, p.cost.Iterations, p.cost.Memory, 1, keyLength)
	return encodeHash(p.cost, salt, key), nil
}

// Verify reports whether the password belongs to the hash. An empty hash stands for
// a login that does not exist: it costs as much as a real one and never fits.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.decoy
	}
	memory, iterations, salt, key, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	if len(password) > MaxPassword {
		password, known = password[:MaxPassword], false
	}
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	got := argon2.IDKey([]byte(password), salt, iterations, memory, 1, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1 && known, nil
}

func (p *Passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, p.cost.Wait)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		e := errs.New(errs.Unavailable, "busy", "Too many sign-ins at the moment; try again in a few seconds.")
		e.RetryAfter = 2 * time.Second
		return e.Because(ctx.Err())
	}
}

func (p *Passwords) leave() { <-p.slots }

func encodeHash(cost PasswordCost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, cost.Memory, cost.Iterations,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func decodeHash(s string) (memory, iterations uint32, salt, key []byte, err error) {
	var version int
	var rest string
	if _, err = fmt.Sscanf(s, "$argon2id$v=%d$m=%d,t=%d,p=1$%s", &version, &memory, &iterations, &rest); err == nil {
		for i := range len(rest) {
			if rest[i] == '$' {
				if salt, err = base64.RawStdEncoding.DecodeString(rest[:i]); err == nil {
					key, err = base64.RawStdEncoding.DecodeString(rest[i+1:])
				}
				break
			}
		}
	}
	if err == nil && (version != argon2.Version || iterations == 0 || len(salt) == 0 || len(key) == 0) {
		err = fmt.Errorf("unknown form")
	}
	if err != nil {
		err = errs.As(fmt.Errorf("auth: a stored password hash cannot be read: %w", err))
	}
	return memory, iterations, salt, key, err
}
