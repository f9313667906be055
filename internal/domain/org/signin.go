package org

import (
	"context"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// How wrong passwords are answered (decisions.md 3). Counters go by the text of the
// login, whether there is such a user or not. From one address a few are free, then
// each costs twice the wait of the one before; over all addresses there is a higher
// threshold, so that a stranger cannot lock somebody out with a handful of tries.
const (
	freeTries     = 5  // of one address
	freeTriesAll  = 50 // of all addresses together
	firstWait     = 30 * time.Second
	longestWait   = 15 * time.Minute
	failureMemory = time.Hour
)

// everyAddress is the address under which a login's tries are counted together.
const everyAddress = ""

// SignIn checks a login (or a user's id) and a password that came from an address.
// It answers as the token service does: the same fault for an unknown login and a
// wrong password, and what is wrong with the account only to who knows the password.
func (s *Service) SignIn(ctx context.Context, login, password, address string) (*User, error) {
	counter := auth.Opaque(fold(login))
	var u *User
	var blocked, failed, closed bool
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		u, blocked, failed, closed = nil, false, false, false
		if failed, blocked, err = failures(tx, counter, address); err != nil || blocked {
			return err
		}
		if u, err = findUser(tx, store.Unrestricted(), login); err != nil {
			if errs.Is(err, errs.NotFound) {
				u, err = nil, nil
			}
			return err
		}
		c, err := companies.Get(tx, store.Unrestricted(), u.Company)
		if err == nil {
			closed = c.Disabled
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if blocked {
		s.logger.WarnContext(ctx, "a sign-in was refused: too many wrong passwords for this login")
		return nil, errLocked
	}
	hash := ""
	if u != nil {
		hash = u.passwordHash
	}
	ok, err := s.passwords.Verify(ctx, password, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		if err := s.db.Write(ctx, func(tx *store.Tx) error { return recordFailure(tx, counter, address) }); err != nil {
			return nil, err
		}
		return nil, errCredentials
	}
	if failed {
		if err := s.db.Write(ctx, func(tx *store.Tx) error { return clearFailures(tx, fold(login), address) }); err != nil {
			return nil, err
		}
	}
	switch {
	case closed:
		return nil, errCompanyDisabled
	case !u.Active:
		return nil, errAccountDisabled
	case u.SSOOnly:
		return nil, errSSOOnly
	case u.PasswordExpired:
		return nil, errPasswordExpired
	}
	return u, nil
}

// failures tells whether there were wrong passwords lately, and whether the login
// must wait because of them.
func failures(tx *store.Tx, counter, address string) (some, blocked bool, err error) {
	err = each(tx, func(r *store.Rows) error {
		var until int64
		if err := r.Scan(&until); err != nil {
			return err
		}
		some = true
		blocked = blocked || value.Instant(until) > tx.Now()
		return nil
	}, `SELECT blocked_until FROM login_failure WHERE login_hash = ? AND address IN (?, ?)`, counter, address, everyAddress)
	return some, blocked, err
}

func recordFailure(tx *store.Tx, counter, address string) error {
	for _, c := range []struct {
		address string
		free    int64
	}{{address, freeTries}, {everyAddress, freeTriesAll}} {
		now := tx.Now()
		if _, err := tx.Exec(`INSERT INTO login_failure (login_hash, address, failures, last_at, blocked_until) VALUES (?, ?, 1, ?, 0)
			ON CONFLICT (login_hash, address) DO UPDATE SET last_at = excluded.last_at,
			failures = CASE WHEN login_failure.last_at < ? THEN 1 ELSE login_failure.failures + 1 END`,
			counter, c.address, int64(now), int64(now.Add(-failureMemory))); err != nil {
			return err
		}
		var n int64
		if err := tx.QueryRow(`SELECT failures FROM login_failure WHERE login_hash = ? AND address = ?`, counter, c.address).Scan(&n); err != nil {
			return err
		}
		if n < c.free {
			continue
		}
		wait := longestWait
		if extra := n - c.free; extra < 5 {
			wait = min(longestWait, firstWait<<extra)
		}
		if _, err := tx.Exec(`UPDATE login_failure SET blocked_until = ? WHERE login_hash = ? AND address = ?`,
			int64(now.Add(wait)), counter, c.address); err != nil {
			return err
		}
	}
	return nil
}

// clearFailures forgives a login the tries of one address and the common count.
func clearFailures(tx *store.Tx, login, address string) error {
	_, err := tx.Exec(`DELETE FROM login_failure WHERE login_hash = ? AND address IN (?, ?)`, auth.Opaque(login), address, everyAddress)
	return err
}

// Purge removes what has expired: codes, tokens, revocations, old counters. It takes
// at most limit rows of each kind, so that a transaction stays short, and says how
// many it took; call it again while that is more than none.
func (s *Service) Purge(tx *store.Tx, limit int) (int64, error) {
	now := int64(tx.Now())
	var total int64
	for _, p := range []struct {
		table, key, expiry string
		before             int64
	}{
		{"auth_code", "hash", "expires_at", int64(tx.Now().Add(-auth.AccessLife))}, // a late reuse still revokes
		{"refresh_token", "hash", "expires_at", now},
		{"legacy_token", "hash", "expires_at", now},
		{"otp", "id", "expires_at", now},
		{"revocation", "id", "expires_at", now},
		{"login_failure", "login_hash", "last_at", int64(tx.Now().Add(-24 * time.Hour))},
	} {
		n, err := tx.Exec(`DELETE FROM `+p.table+` WHERE `+p.key+` IN (SELECT `+p.key+` FROM `+p.table+` WHERE `+p.expiry+` < ? ORDER BY `+p.expiry+` LIMIT ?) AND `+p.expiry+` < ?`,
			p.before, limit, p.before)
		if err != nil {
			return total, err
		}
		total += n
	}
	n, err := tx.Exec(`DELETE FROM company_token WHERE expires_at > 0 AND expires_at < ?`, now)
	return total + n, err
}
