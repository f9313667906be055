package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const issuer = "https://spend.test"

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now value.Instant
}

func newClock() *clock {
	return &clock{now: value.InstantOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
}

func (c *clock) Now() value.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openKeys(t testing.TB, db *store.DB, c *clock) *auth.Keys {
	t.Helper()
	k, err := auth.OpenKeys(t.Context(), db, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func userClaims(c *clock) auth.Claims {
	return auth.Claims{ID: "token-1", Kind: auth.User, Subject: "a0000000-0000-4000-8000-000000000001", Client: "client",
		Company: "c0000000-0000-4000-8000-000000000001", Scopes: []string{"EXPRPT", "receipts.write"}, Session: "session-1",
		IssuedAt: c.Now(), Expires: c.Now().Add(auth.AccessLife)}
}

func TestSigner(t *testing.T) {
	now := newClock().Now()
	s := auth.NewSigner([]byte("a key that is thirty-two bytes.."))
	signed := s.Sign("image", "receipt 7", now.Add(15*time.Minute))
	if strings.ContainsAny(signed, "+/=&?%") {
		t.Errorf("%q is not safe in a URL", signed)
	}
	if got, err := s.Verify("image", signed, now); err != nil || got != "receipt 7" {
		t.Errorf("Verify = %q, %v", got, err)
	}
	flipped := []byte(signed)
	flipped[12] ^= 1
	for name, bad := range map[string]func() (string, error){
		"another purpose": func() (string, error) { return s.Verify("page", signed, now) },
		"expired":         func() (string, error) { return s.Verify("image", signed, now.Add(15*time.Minute)) },
		"another key": func() (string, error) {
			return auth.NewSigner([]byte("another key of thirty-two bytes.")).Verify("image", signed, now)
		},
		"changed": func() (string, error) { return s.Verify("image", string(flipped), now) },
		"cut":     func() (string, error) { return s.Verify("image", signed[:20], now) },
		"empty":   func() (string, error) { return s.Verify("image", "", now) },
		"text":    func() (string, error) { return s.Verify("image", "no base64 at all!", now) },
	} {
		if got, err := bad(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: Verify = %q, %v; want an Invalid error", name, got, err)
		}
	}
	// The length of the purpose is signed too: its end cannot move into the data.
	if s.MAC("ab", []byte("c")) == s.MAC("a", []byte("bc")) {
		t.Error("purpose and data run together")
	}
}

var cheap = auth.PasswordCost{Memory: 64, Iterations: 1, AtOnce: 2, Wait: 20 * time.Millisecond}

func TestPasswords(t *testing.T) {
	ctx := t.Context()
	p := auth.NewPasswords(cheap)
	hash, err := p.Hash(ctx, "ann-password")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := p.Hash(ctx, "ann-password"); again == hash {
		t.Error("two hashes of one password are equal: the salt is missing")
	}
	long := strings.Repeat("x", auth.MaxPassword)
	longHash, err := p.Hash(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password, hash string
		want                 bool
	}{
		{"right", "ann-password", hash, true},
		{"wrong", "ann-passwore", hash, false},
		{"empty", "", hash, false},
		{"no such login", "", "", false},
		{"longest", long, longHash, true},
		{"too long is not cut", long + "y", longHash, false},
	} {
		if ok, err := p.Verify(ctx, c.password, c.hash); ok != c.want || err != nil {
			t.Errorf("%s: Verify = %v, %v; want %v", c.name, ok, err, c.want)
		}
	}
	if _, err := p.Hash(ctx, long+"y"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a password that is too long: %v", err)
	}
	// Hashes of other costs stay good after the cost is raised.
	dear := auth.NewPasswords(auth.PasswordCost{Memory: 128, Iterations: 2, AtOnce: 1, Wait: time.Second})
	if ok, err := dear.Verify(ctx, "ann-password", hash); !ok || err != nil {
		t.Errorf("an older hash: %v, %v", ok, err)
	}
	if _, err := p.Verify(ctx, "x", "$argon2id$nonsense"); !errs.Is(err, errs.Internal) {
		t.Errorf("a damaged hash: %v", err)
	}
}

func TestPasswordsQueue(t *testing.T) {
	// One slot that is taken for as long as the slow hash runs; the second caller
	// waits no longer than the deadline.
	slow := auth.NewPasswords(auth.PasswordCost{Memory: 16 * 1024, Iterations: 12, AtOnce: 1, Wait: time.Millisecond})
	started, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		close(started)
		slow.Hash(context.Background(), "x")
	}()
	<-started
	var err error
	for err == nil { // until the other one is inside
		select {
		case <-ended:
			t.Fatal("nobody was ever refused")
		default:
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = slow.Verify(ctx, "x", "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
		}
	}
	if e := errs.As(err); e.Kind != errs.Unavailable || e.RetryAfter == 0 {
		t.Errorf("a full queue answers %v", err)
	}
	<-ended
}

func TestKeys(t *testing.T) {
	storetest.Engines(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		first := openKeys(t, db, c)
		tokens := auth.NewTokens(first, issuer, c.Now)
		old, err := tokens.Access(ctx, userClaims(c))
		if err != nil {
			t.Fatal(err)
		}

		// Another server on the same database reads what this one signed.
		second := openKeys(t, db, c)
		if _, err := auth.NewTokens(second, issuer, c.Now).Verify(ctx, old); err != nil {
			t.Errorf("another server refuses the token: %v", err)
		}
		signed := first.Signer().Sign("p", "x", c.Now().Add(time.Minute))
		if got, err := second.Signer().Verify("p", signed, c.Now()); got != "x" || err != nil {
			t.Errorf("another server reads %q, %v", got, err)
		}

		// After a rotation the new key signs, both verify, and the other server learns
		// of it when it meets the new key.
		c.Move(time.Minute)
		if err := first.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		fresh, err := tokens.Access(ctx, userClaims(c))
		if err != nil {
			t.Fatal(err)
		}
		if header(t, old)["kid"] == header(t, fresh)["kid"] {
			t.Error("the old key still signs")
		}
		for name, k := range map[string]*auth.Keys{"first": first, "second": second} {
			for _, token := range []string{old, fresh} {
				if _, err := auth.NewTokens(k, issuer, c.Now).Verify(ctx, token); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		var set struct {
			Keys []map[string]string `json:"keys"`
		}
		b, err := first.JWKS(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &set); err != nil || len(set.Keys) != 2 {
			t.Fatalf("JWKS = %s, %v", b, err)
		}
		if k := set.Keys[0]; k["kid"] != header(t, fresh)["kid"] || k["kty"] != "RSA" || k["alg"] != "RS256" || k["use"] != "sig" || k["e"] != "AQAB" || k["d"] != "" {
			t.Errorf("the newest key is shown as %v", k)
		}
	})
}

func header(t *testing.T, token string) map[string]any { return part(t, token, 0) }

func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTokens(t *testing.T) {
	ctx, c := t.Context(), newClock()
	keys := openKeys(t, storetest.SQLite(t), c)
	tokens := auth.NewTokens(keys, issuer, c.Now)
	claims := userClaims(c)
	access, err := tokens.Access(ctx, claims)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := tokens.Identity(ctx, claims, access)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("claims", func(t *testing.T) {
		want := map[string]any{
			"aud": "client", "iss": issuer, "sub": claims.Subject, "concur.type": "user", "concur.version": 3.0,
			"concur.profile": issuer + "/profile/v1/principals/" + claims.Subject, "concur.app": issuer + "/profile/v1/apps/client",
			"concur.company": claims.Company, "concur.scopes": []any{"EXPRPT", "receipts.write"}, "jti": "token-1", "sid": "session-1",
			"iat": 1772366400.0, "nbf": 1772366400.0, "exp": 1772370000.0,
		}
		same(t, part(t, access, 1), want)
		if typ := header(t, access)["typ"]; typ != "at+jwt" {
			t.Errorf("typ of an access token is %v", typ)
		}
		if typ := header(t, identity)["typ"]; typ != "JWT" {
			t.Errorf("typ of an id_token is %v", typ)
		}
		id := part(t, identity, 1)
		if hash, _ := id["at_hash"].(string); len(hash) != 22 {
			t.Errorf("at_hash is %q", hash)
		}
		if id["aud"] != "client" || id["sub"] != claims.Subject || id["concur.scopes"] != nil {
			t.Errorf("id_token claims %v", id)
		}
	})

	t.Run("verified", func(t *testing.T) {
		for range 2 { // from the signature, then from memory
			got, err := tokens.Verify(ctx, access)
			if err != nil || got.Subject != claims.Subject || got.Company != claims.Company || got.Client != "client" ||
				got.ID != "token-1" || got.Session != "session-1" || strings.Join(got.Scopes, " ") != "EXPRPT receipts.write" {
				t.Errorf("Verify = %+v, %v", got, err)
			}
		}
	})

	t.Run("refused", func(t *testing.T) {
		other := openKeys(t, storetest.SQLite(t), c)
		foreign, _ := auth.NewTokens(other, issuer, c.Now).Access(ctx, claims)
		elsewhere, _ := auth.NewTokens(keys, "https://other.test", c.Now).Access(ctx, claims)
		pieces := strings.Split(access, ".")
		kid := header(t, access)["kid"].(string)
		sign := func(method jwt.SigningMethod, kid, typ string, key any) string {
			token := jwt.NewWithClaims(method, jwt.MapClaims{"iss": issuer, "sub": "x", "aud": "client", "concur.type": "user", "exp": 1772370000, "iat": 1772366400})
			token.Header["kid"], token.Header["typ"] = kid, typ
			s, err := token.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		own, _ := rsa.GenerateKey(rand.Reader, 2048)
		jwks, _ := keys.JWKS(ctx)
		for name, token := range map[string]string{
			"another installation's key":   foreign,
			"another issuer":               elsewhere,
			"an id_token":                  identity,
			"no signature":                 pieces[0] + "." + pieces[1] + ".",
			"algorithm none":               sign(jwt.SigningMethodNone, kid, "at+jwt", jwt.UnsafeAllowNoneSignatureType),
			"HMAC with the public key":     sign(jwt.SigningMethodHS256, kid, "at+jwt", jwks),
			"an own key under a known kid": sign(jwt.SigningMethodRS256, kid, "at+jwt", own),
			"an own key, own kid":          sign(jwt.SigningMethodRS256, "mine", "at+jwt", own),
			"RS512":                        sign(jwt.SigningMethodRS512, kid, "at+jwt", own),
			"changed claims":               pieces[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x"}`)) + "." + pieces[2],
			"padding":                      access + "=",
			"not base64":                   "a.b.c",
			"empty parts":                  "..",
		} {
			if got, err := tokens.Verify(ctx, token); !errs.Is(err, errs.Forbidden) {
				t.Errorf("%s: Verify = %+v, %v; want Forbidden", name, got, err)
			}
		}
	})

	t.Run("expired", func(t *testing.T) {
		c.Move(auth.AccessLife)
		if _, err := tokens.Verify(ctx, access); !errs.Is(err, errs.Forbidden) {
			t.Errorf("from memory: %v", err)
		}
		if _, err := auth.NewTokens(keys, issuer, c.Now).Verify(ctx, access); !errs.Is(err, errs.Forbidden) {
			t.Errorf("from the signature: %v", err)
		}
	})
}

func same(t *testing.T, got, want map[string]any) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("claims are\n%s\nwant\n%s", a, b)
	}
}

// directory is an organisation of one user.
type directory struct {
	mu       sync.Mutex
	standing *auth.Standing
	opaque   map[string]*auth.Claims
	asked    int
}

func (d *directory) Standing(_ *store.Tx, _ auth.PrincipalKind, principal, client string) (*auth.Standing, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.standing == nil {
		return nil, errs.New(errs.NotFound, "user", "gone")
	}
	return d.standing, nil
}

func (d *directory) OpaqueToken(_ *store.Tx, hash string) (*auth.Claims, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.opaque[hash]; c != nil {
		return c, nil
	}
	return nil, errs.New(errs.NotFound, "token", "none")
}

func (d *directory) FindPerson(*store.Tx, string, string) (auth.Person, error) {
	return auth.Person{}, errs.New(errs.NotFound, "user", "none")
}

func (d *directory) set(s *auth.Standing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.standing = s
}

func TestAuthenticator(t *testing.T) {
	ctx, c := t.Context(), newClock()
	db := storetest.SQLite(t)
	tokens := auth.NewTokens(openKeys(t, db, c), issuer, c.Now)
	claims := userClaims(c)
	ann := auth.Person{ID: claims.Subject, Login: "ann@demo.test", Company: claims.Company}
	plain := auth.Standing{Person: ann, Company: claims.Company, Profile: auth.Observed}
	d := &directory{standing: &plain, opaque: map[string]*auth.Claims{}}
	legacy := claims
	legacy.ID, legacy.Session, legacy.Expires = "legacy", "", c.Now().Add(365*24*time.Hour)
	d.opaque[auth.Opaque("0_old/to+ken=")] = &legacy
	a := auth.NewAuthenticator(tokens, db, d, c.Now)
	token, err := tokens.Access(ctx, claims)
	if err != nil {
		t.Fatal(err)
	}
	call := func(token string) (*auth.Actor, error) { return a.Authenticate(ctx, token) }

	for _, text := range []string{token, "0_old/to+ken="} {
		actor, err := call(text)
		if err != nil || actor.Self != ann || actor.Subject != ann || actor.App != "client" || actor.Profile != auth.Observed || actor.Kind != auth.User {
			t.Fatalf("Actor = %+v, %v", actor, err)
		}
	}
	for _, text := range []string{"", "unknown", "a.b.c", "Bearer x"} {
		if _, err := call(text); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%q: %v; want Forbidden", text, err)
		}
	}

	steps := []struct {
		name    string
		change  auth.Standing
		gone    bool
		refused bool
	}{
		{name: "a new role", change: auth.Standing{Person: ann, Company: claims.Company, Roles: []auth.Role{auth.ExpenseProcessor}}},
		{name: "another session revoked", change: auth.Standing{Person: ann, Company: claims.Company, Revoked: []string{"session-2"}}},
		{name: "the session revoked", change: auth.Standing{Person: ann, Company: claims.Company, Revoked: []string{"session-1"}}, refused: true},
		{name: "the token revoked", change: auth.Standing{Person: ann, Company: claims.Company, Revoked: []string{"token-1"}}, refused: true},
		{name: "moved to another company", change: auth.Standing{Person: ann, Company: "other"}, refused: true},
		{name: "disabled", gone: true, refused: true},
		{name: "back again", change: plain},
	}
	for _, s := range steps {
		before, errBefore := call(token)
		if d.set(&s.change); s.gone {
			d.set(nil)
		}
		c.Move(auth.Staleness - time.Microsecond)
		if now, err := call(token); (err == nil) != (errBefore == nil) || err == nil && len(now.Roles) != len(before.Roles) {
			// Refusals are not remembered, so only what was good may be old.
			if errBefore == nil {
				t.Errorf("%s: seen too early: %v", s.name, err)
			}
		}
		c.Move(time.Microsecond)
		now, err := call(token)
		if s.refused != errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: after a second %v; refused should be %v", s.name, err, s.refused)
		}
		if err == nil && len(now.Roles) != len(s.change.Roles) {
			t.Errorf("%s: after a second the roles are %v", s.name, now.Roles)
		}
	}

	// A change in this process is seen at once.
	if _, err := call(token); err != nil {
		t.Fatal(err)
	}
	d.set(nil)
	a.Forget()
	if _, err := call(token); !errs.Is(err, errs.Forbidden) {
		t.Errorf("after Forget: %v", err)
	}
}

func TestAuthenticatorSharesLookups(t *testing.T) {
	ctx, c := t.Context(), newClock()
	db := storetest.SQLite(t)
	tokens := auth.NewTokens(openKeys(t, db, c), issuer, c.Now)
	d := &directory{standing: &auth.Standing{Company: userClaims(c).Company}}
	a := auth.NewAuthenticator(tokens, db, d, c.Now)
	token, err := tokens.Access(ctx, userClaims(c))
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			actor, err := a.Authenticate(ctx, token)
			if err != nil {
				t.Error(err)
				return
			}
			actor.Scopes, actor.All = nil, true // each caller has an Actor of its own
		})
	}
	callers.Wait()
	again, err := a.Authenticate(ctx, token)
	if err != nil || again.All || len(again.Scopes) != 2 {
		t.Errorf("Actor = %+v, %v", again, err)
	}
	if d.asked > 50 || d.asked < 1 {
		t.Errorf("%d look-ups", d.asked)
	}
	asked := d.asked
	for range 10 {
		if _, err := a.Authenticate(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	if d.asked != asked {
		t.Errorf("%d look-ups within the second", d.asked-asked)
	}
}

func BenchmarkVerify(b *testing.B) {
	ctx, c := b.Context(), newClock()
	keys := openKeys(b, storetest.SQLite(b), c)
	tokens := auth.NewTokens(keys, issuer, c.Now)
	claims := userClaims(c)
	claims.Scopes = strings.Fields(strings.Repeat("receipts.write ", 40))
	token, err := tokens.Access(ctx, claims)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tokens.Verify(ctx, token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("signature", func(b *testing.B) {
		for b.Loop() {
			if _, err := auth.NewTokens(keys, issuer, c.Now).Verify(ctx, token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			if _, err := tokens.Access(ctx, claims); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPassword(b *testing.B) {
	p := auth.NewPasswords(auth.DefaultPasswordCost())
	for b.Loop() {
		if _, err := p.Hash(b.Context(), "ann-password"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	ctx, c := b.Context(), newClock()
	db := storetest.SQLite(b)
	tokens := auth.NewTokens(openKeys(b, db, c), issuer, c.Now)
	a := auth.NewAuthenticator(tokens, db, &directory{standing: &auth.Standing{Company: userClaims(c).Company}}, c.Now)
	token, err := tokens.Access(ctx, userClaims(c))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}
