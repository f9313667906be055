package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Signer signs what the server hands out and takes back: links to files, paging
// tokens, tickets of the sign-in pages. The key is in the database, so that every
// server of an installation reads what another one signed.
type Signer struct{ key []byte }

// NewSigner makes a signer with this key of at least 32 random bytes.
func NewSigner(key []byte) *Signer { return &Signer{key: append([]byte(nil), key...)} }

// MAC is the first half of an HMAC-SHA-256 over data. The purpose keeps a signature
// made for one use from being taken in another.
func (k *Signer) MAC(purpose string, data []byte) [16]byte {
	h := hmac.New(sha256.New, k.key)
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(purpose)))
	h.Write(length[:])
	h.Write([]byte(purpose))
	h.Write(data)
	return [16]byte(h.Sum(nil)[:16])
}

// Check reports whether mac belongs to data, in constant time.
func (k *Signer) Check(purpose string, data, mac []byte) bool {
	want := k.MAC(purpose, data)
	return hmac.Equal(want[:], mac)
}

// Sign makes a text, safe in a URL, that carries the payload until it expires.
// The payload is readable by whoever holds the text.
func (k *Signer) Sign(purpose, payload string, expires value.Instant) string {
	b := make([]byte, 8, 8+len(payload)+16)
	binary.BigEndian.PutUint64(b, uint64(expires))
	b = append(b, payload...)
	mac := k.MAC(purpose, b)
	return base64.RawURLEncoding.EncodeToString(append(b, mac[:]...))
}

// Verify gives the payload back. Whatever is wrong with the text, its end of life
// included, is one Invalid error with the code "signature".
func (k *Signer) Verify(purpose, signed string, now value.Instant) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(signed)
	if err != nil || len(b) < 8+16 {
		return "", errSignature
	}
	body, mac := b[:len(b)-16], b[len(b)-16:]
	if !k.Check(purpose, body, mac) || now >= value.Instant(binary.BigEndian.Uint64(body)) {
		return "", errSignature
	}
	return string(body[8:]), nil
}

var errSignature = errs.New(errs.Invalid, "signature", "The link is damaged or has expired; ask for a new one.")
