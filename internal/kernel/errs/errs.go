// Package errs is the one error type of the product. An error has a kind, which
// decides the HTTP status; a stable code; one sentence that a caller can act on;
// and, where a body was wrong, every field with its problem. What caused it is
// kept for the log and is never sent.
package errs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind says what class of failure an error is. The zero value is Internal, so that
// an error nobody classified is never blamed on the caller.
type Kind uint8

// The kinds, with the HTTP status that a family answers unless it overrides it.
const (
	Internal         Kind = iota // 500: our fault
	Invalid                      // 400: the request is wrong; the caller can mend it
	Unauthenticated              // 401: no credentials, or none that we can read
	Forbidden                    // 403: known caller, not allowed
	NotFound                     // 404: absent, or not the caller's: the same answer
	MethodNotAllowed             // 405: the path exists, the method does not
	NotAcceptable                // 406: none of the offered media types is wanted
	Conflict                     // 409: the record moved on meanwhile
	TooLarge                     // 413: the body is over the limit
	Unsupported                  // 415: the body's type is not taken here
	Limited                      // 429: too many calls
	Unavailable                  // 503: try again later
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "notFound", "methodNotAllowed",
	"notAcceptable", "conflict", "tooLarge", "unsupported", "limited", "unavailable",
}

// String is the kind's stable name, as logs and metrics show it.
func (k Kind) String() string { return kindNames[k] }

// Field is one problem at one place of a request.
type Field struct {
	Path    string // "TransactionAmount", "Items[2].Name"; a parameter's name for a query
	Code    string // stable and short: "required", "tooLong", "enum", "syntax", "range", "unknown" …
	Message string // a sentence without the path
	Schema  string // where the rule stands in a JSON schema, such as "#/properties/total/type"; else empty
}

// Error is a failure as the product knows it.
type Error struct {
	Kind       Kind
	Code       string        // stable; a family may show it (OAuth2 number, "invalidUuid", …)
	Message    string        // one sentence for the caller
	Fields     []Field       // all problems of a body at once; at most MaxFields
	RetryAfter time.Duration // for Limited and Unavailable
	cause      error
}

// MaxFields is how many problems of one request are listed.
const MaxFields = 100

// New makes an error of a kind with a stable code and a sentence for the caller.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Newf is New with a formatted sentence.
func Newf(kind Kind, code, format string, args ...any) *Error {
	return New(kind, code, fmt.Sprintf(format, args...))
}

// OfFields is an Invalid error that carries problems, or nil when there are none.
func OfFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	if len(fields) > MaxFields {
		fields = fields[:MaxFields]
	}
	return &Error{Kind: Invalid, Code: "validation", Message: "The request has problems.", Fields: fields}
}

// OnField is an Invalid error about a single field.
func OnField(path, code, message string) *Error {
	return &Error{Kind: Invalid, Code: "validation", Message: "The request has problems.",
		Fields: []Field{{Path: path, Code: code, Message: message}}}
}

// Because returns a copy of e with the cause that the log shall show.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error is the text for the log; callers are sent Message and Fields.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	b.WriteString(": " + e.Message)
	for _, f := range e.Fields {
		b.WriteString("; " + f.Path + ": " + f.Message)
	}
	if e.cause != nil {
		b.WriteString(" (" + e.cause.Error() + ")")
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// As finds the *Error inside err, or makes an Internal one with a safe sentence
// and err as its cause. It returns nil for nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", Message: "Something went wrong on the server. Quote the correlation id when you ask about it.", cause: err}
}

// KindOf is the kind of err; Internal for errors of other makes.
func KindOf(err error) Kind { return As(err).Kind }

// Is reports whether err is an *Error of this kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// Problems collects the problems of one request. The zero value is ready.
type Problems struct{ fields []Field }

// Add notes a problem at a path. That something is missing is not said of what is there
// and wrong already.
func (p *Problems) Add(path, code, message string) {
	if code == "required" && slices.ContainsFunc(p.fields, func(f Field) bool { return f.Path == path }) {
		return
	}
	if len(p.fields) < MaxFields {
		p.fields = append(p.fields, Field{Path: path, Code: code, Message: message})
	}
}

// Addf is Add with a formatted sentence.
func (p *Problems) Addf(path, code, format string, args ...any) {
	p.Add(path, code, fmt.Sprintf(format, args...))
}

// Fields is what was collected so far.
func (p *Problems) Fields() []Field { return p.fields }

// Err is nil without problems, else one Invalid error with all of them.
func (p *Problems) Err() error { return OfFields(p.fields) }
