package api

import (
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Format is a media type family that an answer can have.
type Format uint8

// The formats of answers.
const (
	JSON Format = iota
	XML
	HTML
)

// Family is the whole difference between generations of the services: where their
// paths start, which formats they speak and which one by default, how empty values,
// dates and errors look, and which status an error has. A resource never repeats it.
type Family struct {
	Name string
	Base []string // prefixes of the path; the first is the one the server writes

	FoldCase    bool // literal path segments and query names match in any letter case
	ExactFields bool // JSON names match exactly, not in any letter case

	Formats []Format                                   // what answers can be
	Default func(accept string, p auth.Profile) Format // when Accept is absent or a wildcard
	Lenient bool                                       // an Accept that names nothing we have gets the default, not 406
	Style   func(f Format, p auth.Profile) *wire.Style
	// XMLNamespace is the default namespace of roots; Instance declares the prefix i on them.
	XMLNamespace string
	Instance     func(p auth.Profile) bool
	// WireNames chooses the observed names of XML roots.
	WireNames func(p auth.Profile) bool

	Created    int                      // status of a created record
	Emptied    func(p auth.Profile) int // status of an update or a removal; 204 has no body
	NoToken    errs.Kind
	BadToken   errs.Kind
	Status     map[errs.Kind]int // overrides of the default table
	WriteError func(dst []byte, f *Failure) []byte
}

// Failure is an error on its way out.
type Failure struct {
	Err         *errs.Error
	Status      int
	Format      Format
	Profile     auth.Profile
	Now         value.Instant
	Path        string
	Correlation string
	PublicURL   string
}

var statuses = [...]int{
	errs.Internal: 500, errs.Invalid: 400, errs.Unauthenticated: 401, errs.Forbidden: 403,
	errs.NotFound: 404, errs.MethodNotAllowed: 405, errs.NotAcceptable: 406, errs.Conflict: 409,
	errs.TooLarge: 413, errs.Unsupported: 415, errs.Limited: 429, errs.Unavailable: 503,
}

func (f *Family) status(k errs.Kind) int {
	if s, ok := f.Status[k]; ok {
		return s
	}
	return statuses[k]
}

func (f *Family) has(format Format) bool {
	for _, g := range f.Formats {
		if g == format {
			return true
		}
	}
	return false
}
