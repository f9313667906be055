package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// keyBits is the size of a signing key.
const keyBits = 2048

// Keys are the installation's keys, kept in its database: the RSA keys that sign
// tokens, of which the newest signs and all verify, and the secret of the Signer.
type Keys struct {
	db    *store.DB
	clock value.Clock

	signer *Signer
	ready  chan struct{} // closed when there is a key to sign with, or none can be had
	failed error         // why none can be had; read after ready
	done   sync.WaitGroup

	mu     sync.RWMutex
	ring   []signingKey  // newest first
	missed value.Instant // when the database was last asked for an unknown key
}

type signingKey struct {
	id      string // RFC 7638 thumbprint
	private *rsa.PrivateKey
	created value.Instant
}

// OpenKeys reads the keys, and makes them when the store is new. A new RSA key is
// made in the background, so that the server need not wait for it: what signs does.
func OpenKeys(ctx context.Context, db *store.DB, clock value.Clock) (*Keys, error) {
	k := &Keys{db: db, clock: clock, ready: make(chan struct{})}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	var secret string
	err := db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`INSERT INTO secret (name, content) VALUES ('signer', ?) ON CONFLICT (name) DO NOTHING`,
			base64.StdEncoding.EncodeToString(fresh)); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT content FROM secret WHERE name = 'signer'`).Scan(&secret)
	})
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return nil, fmt.Errorf("auth: the secret in the database is damaged: %w", err)
	}
	k.signer = NewSigner(raw)
	if err := k.reload(ctx); err != nil {
		return nil, err
	}
	if len(k.ring) > 0 {
		close(k.ready)
		return k, nil
	}
	k.done.Add(1)
	go func() {
		defer k.done.Done()
		defer close(k.ready)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		k.failed = k.Rotate(ctx)
	}()
	return k, nil
}

// Close waits for a key that is being made.
func (k *Keys) Close() { k.done.Wait() }

// Signer signs links and tickets.
func (k *Keys) Signer() *Signer { return k.signer }

// Rotate makes a new key, which signs from now on; the older ones go on verifying.
func (k *Keys) Rotate(ctx context.Context) error {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	err = k.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO signing_key (kid, private_key, created_at) VALUES (?, ?, ?)`,
			thumbprint(&private.PublicKey), base64.StdEncoding.EncodeToString(der), int64(k.clock()))
		return err
	})
	if err != nil {
		return err
	}
	return k.reload(ctx)
}

func (k *Keys) reload(ctx context.Context) error {
	var ring []signingKey
	err := k.db.Read(ctx, func(tx *store.Tx) error {
		ring = ring[:0]
		rows, err := tx.Query(`SELECT kid, private_key, created_at FROM signing_key ORDER BY created_at DESC, kid`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key signingKey
			var text string
			var created int64
			if err := rows.Scan(&key.id, &text, &created); err != nil {
				return err
			}
			der, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return fmt.Errorf("auth: the signing key %s is damaged: %w", key.id, err)
			}
			parsed, err := x509.ParsePKCS8PrivateKey(der)
			if err != nil {
				return fmt.Errorf("auth: the signing key %s is damaged: %w", key.id, err)
			}
			private, ok := parsed.(*rsa.PrivateKey)
			if !ok {
				return fmt.Errorf("auth: the signing key %s is not an RSA key", key.id)
			}
			key.private, key.created = private, value.Instant(created)
			ring = append(ring, key)
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(ring, func(a, b signingKey) int { return cmp.Compare(b.created, a.created) })
	k.mu.Lock()
	k.ring = ring
	k.mu.Unlock()
	return nil
}

// current is the key that signs.
func (k *Keys) current(ctx context.Context) (signingKey, error) {
	select {
	case <-k.ready:
	case <-ctx.Done():
		return signingKey{}, errs.New(errs.Unavailable, "keys", "The server is still making its keys; try again in a moment.").Because(ctx.Err())
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if len(k.ring) == 0 {
		return signingKey{}, fmt.Errorf("auth: there is no signing key: %w", k.failed)
	}
	return k.ring[0], nil
}

// public is the key with this id. An unknown id may be another server's new key, so
// the database is asked again, at most once a second.
func (k *Keys) public(ctx context.Context, id string) (*rsa.PublicKey, error) {
	if key := k.find(id); key != nil {
		return key, nil
	}
	now := k.clock()
	k.mu.Lock()
	soon := k.missed != 0 && now >= k.missed && now < k.missed.Add(time.Second)
	if !soon {
		k.missed = now
	}
	k.mu.Unlock()
	if soon {
		return nil, nil
	}
	if err := k.reload(ctx); err != nil {
		return nil, err
	}
	return k.find(id), nil
}

func (k *Keys) find(id string) *rsa.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for i := range k.ring {
		if k.ring[i].id == id {
			return &k.ring[i].private.PublicKey
		}
	}
	return nil
}

// JWKS is the JSON Web Key Set of the public keys (RFC 7517).
func (k *Keys) JWKS(ctx context.Context) ([]byte, error) {
	if _, err := k.current(ctx); err != nil {
		return nil, err
	}
	type jwk struct {
		Kty string `json:"kty"`
		Use string `json:"use"`
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		N   string `json:"n"`
		E   string `json:"e"`
	}
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for i := range k.ring {
		n, e := numbers(&k.ring[i].private.PublicKey)
		set.Keys = append(set.Keys, jwk{"RSA", "sig", "RS256", k.ring[i].id, n, e})
	}
	return json.Marshal(set)
}

func numbers(p *rsa.PublicKey) (n, e string) {
	return base64.RawURLEncoding.EncodeToString(p.N.Bytes()),
		base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.E)).Bytes())
}

// thumbprint is the key's id (RFC 7638).
func thumbprint(p *rsa.PublicKey) string {
	n, e := numbers(p)
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
