package value

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"sync"
)

// IDs makes public ids in the shapes that the services use (facts/conventions.md §6).
// The randomness is injected; tests give a seeded one.
type IDs struct {
	mu     sync.Mutex
	random io.Reader
}

// NewIDs makes ids from this source of randomness; nil means the system's.
func NewIDs(random io.Reader) *IDs {
	if random == nil {
		random = rand.Reader
	}
	return &IDs{random: random}
}

// Bytes fills a slice of n random bytes.
func (s *IDs) Bytes(n int) []byte {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.random, b); err != nil {
		panic("value: the source of randomness failed: " + err.Error())
	}
	return b
}

// Protected is an opaque v3 id: "gW" and 24 random bytes in base64 where $s stands
// for / and $p for +.
func (s *IDs) Protected() string {
	e := base64.RawStdEncoding.EncodeToString(s.Bytes(24))
	return "gW" + protected.Replace(e)
}

var protected = strings.NewReplacer("/", "$s", "+", "$p")

// Hex20 is the id of a report or a payment request: 20 upper-case hex digits.
func (s *IDs) Hex20() string { return strings.ToUpper(hex.EncodeToString(s.Bytes(10))) }

// Hex32 is the id of a v4 receipt: 32 lower-case hex digits.
func (s *IDs) Hex32() string { return hex.EncodeToString(s.uuid()) }

// UpperHex32 is the id of a travel request or a quick expense.
func (s *IDs) UpperHex32() string { return strings.ToUpper(s.Hex32()) }

// UUID is a version 4 UUID in lower case with dashes (RFC 9562).
func (s *IDs) UUID() string {
	h := hex.EncodeToString(s.uuid())
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Secret is a random text for tokens, with 256 bits of randomness.
func (s *IDs) Secret() string { return base64.RawURLEncoding.EncodeToString(s.Bytes(32)) }

func (s *IDs) uuid() []byte {
	b := s.Bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return b
}

// IsUUID reports whether s is a UUID with dashes, in either case.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
