package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Call is one request to one operation.
type Call struct {
	server      *Server
	op          *Operation
	request     *http.Request
	actor       *auth.Actor
	format      Format
	chosen      string // a further media type that Accept asked for
	params      []param
	query       *wire.Document
	correlation string
	ignored     []string
	out         *[]byte
	body        io.Reader
}

type param struct{ name, value string }

// Context ends when the client goes away or the request's deadline passes.
func (c *Call) Context() context.Context { return c.request.Context() }

// Actor is the caller; nil on operations that are open.
func (c *Call) Actor() *auth.Actor { return c.actor }

// Now is the server's time.
func (c *Call) Now() value.Instant { return c.server.options.Clock() }

// Param is a path parameter.
func (c *Call) Param(name string) string {
	for _, p := range c.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// Header is a request header.
func (c *Call) Header(name string) string { return c.request.Header.Get(name) }

// Headers are all values of a request header.
func (c *Call) Headers(name string) []string { return c.request.Header.Values(name) }

// Method is the request's method.
func (c *Call) Method() string { return c.request.Method }

// RawQuery is the query as it came, for the endpoints whose clients do not escape.
func (c *Call) RawQuery() string { return c.request.URL.RawQuery }

// Query is the query's parameters. Names match in any letter case in old families.
func (c *Call) Query() *wire.Document { return c.query }

// QueryText is one query parameter's text; names match in any letter case.
func (c *Call) QueryText(name string) string { return c.query.Field(name).Text() }

// Basic is the user name and password of HTTP Basic authentication.
func (c *Call) Basic() (user, password string, ok bool) { return c.request.BasicAuth() }

// Cookie is a cookie's value, or empty.
func (c *Call) Cookie(name string) string {
	k, err := c.request.Cookie(name)
	if err != nil {
		return ""
	}
	return k.Value
}

// Format is what the answer will be.
func (c *Call) Format() Format { return c.format }

// Chosen is the further media type that Accept asked for, of those that the
// operation AlsoAnswers; empty when the answer is a record.
func (c *Call) Chosen() string { return c.chosen }

// RemoteAddress is the client's address without a port. Forwarded headers count
// only from trusted proxies.
func (c *Call) RemoteAddress() string { return c.server.remote(c.request) }

// URL is an absolute address on the public base of the server.
func (c *Call) URL(path string) string { return c.server.options.PublicURL + path }

// Correlation is the id that the answer carries in concur-correlationid.
func (c *Call) Correlation() string { return c.correlation }

// Read runs a closure on one snapshot of the database.
func (c *Call) Read(fn func(tx *store.Tx) error) error {
	return c.server.options.DB.Read(c.Context(), fn)
}

// Write runs a closure in one transaction; it may run twice and touches SQL alone.
func (c *Call) Write(fn func(tx *store.Tx) error) error {
	return c.server.options.DB.Write(c.Context(), fn)
}

// note keeps the names that a body held and nobody reads, for the request log.
func (c *Call) note(s wire.Set) { c.ignored = s.Ignored() }

// Own checks the path's {userId} against the caller: a user's token works for that
// user alone, company and application tokens for every user of their company.
func (c *Call) Own(userID string) (auth.Person, error) {
	a := c.actor
	if a.Kind == auth.User {
		if !strings.EqualFold(userID, a.ID) {
			return auth.Person{}, errs.New(errs.Forbidden, "user", "This token belongs to another user than the one in the path.")
		}
		return a.Self, nil
	}
	p, ok, err := c.server.options.Directory.Person(c.Context(), a.Company, userID)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, errs.New(errs.NotFound, "user", "There is no such user in the company.")
	}
	return p, nil
}

// MediaType is the request's content type without parameters, in lower case, and
// the parameters.
func (c *Call) MediaType() (string, map[string]string) {
	given := c.Header("Content-Type")
	media, params, err := mime.ParseMediaType(given)
	if err != nil && media == "" {
		media, _, _ = strings.Cut(strings.ToLower(given), ";")
		media = strings.TrimSpace(media)
	}
	return media, params
}

// Body is the request's body, cut off with an errs.TooLarge where it passes the
// operation's limit.
func (c *Call) Body() io.Reader {
	if c.body == nil {
		c.body = &limitedBody{r: c.request.Body, left: c.op.maxBody, limit: c.op.maxBody}
	}
	return c.body
}

type limitedBody struct {
	r           io.Reader
	left, limit int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, tooLarge(l.limit)
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n, tooLarge(l.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = errs.New(errs.Invalid, "body", "The request's body ended before it was complete.").Because(err)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return errs.Newf(errs.TooLarge, "tooLarge", "The body is larger than the %s that are taken here.", size(limit))
}

func size(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.FormatInt(n>>20, 10) + " MB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// All reads the whole body, within its limit.
func (c *Call) All() ([]byte, error) {
	var b bytes.Buffer
	if n := c.request.ContentLength; n > 0 && n <= c.op.maxBody {
		b.Grow(int(min(n, 64<<10)) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(c.Body()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Document is the body, parsed by its Content-Type; without one, by its first
// character. An empty body is an empty object.
func (c *Call) Document() (*wire.Document, error) {
	b, err := c.All()
	if err != nil {
		return nil, err
	}
	trimmed := bytes.TrimLeft(b, " \t\r\n\ufeff")
	if len(trimmed) == 0 {
		return wire.ParseJSON([]byte("{}"))
	}
	media, _ := c.MediaType()
	family := c.op.Family
	switch {
	case media == "application/json", media == "text/json", strings.HasSuffix(media, "+json"):
		return wire.ParseJSON(b)
	case media == "application/x-www-form-urlencoded" && (family.has(XML) || family == OAuth):
		return wire.ParseForm(string(b))
	case (media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml")) && family.has(XML):
		return wire.ParseXML(b)
	case media == "" && trimmed[0] == '<' && family.has(XML):
		return wire.ParseXML(b)
	case media == "":
		return wire.ParseJSON(b)
	}
	return nil, errs.Newf(errs.Unsupported, "mediaType", "A body of type %s is not taken here; send %s.", media, strings.Join(family.inputs(), " or "))
}

// Part is one part of a multipart body, as it streams in.
type Part struct {
	Name, FileName, MediaType string
	io.Reader
}

// Parts walks a multipart/form-data body. Each part must be read inside f.
func (c *Call) Parts(f func(Part) error) error {
	media, params := c.MediaType()
	if !strings.HasPrefix(media, "multipart/") || params["boundary"] == "" {
		return errs.New(errs.Unsupported, "mediaType", "The body must be multipart/form-data with a boundary.")
	}
	r := multipart.NewReader(c.Body(), params["boundary"])
	for count := 0; ; count++ {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			var e *errs.Error
			if errors.As(err, &e) {
				return e
			}
			return errs.New(errs.Invalid, "multipart", "The multipart body is malformed or incomplete.").Because(err)
		}
		if count == 100 {
			return errs.New(errs.Invalid, "multipart", "The multipart body has more than 100 parts.")
		}
		part := Part{Name: p.FormName(), FileName: p.FileName(), Reader: p}
		part.MediaType, _, _ = mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err := f(part); err != nil {
			var e *errs.Error
			if errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &e) {
				return errs.New(errs.Invalid, "multipart", "The multipart body ended before it was complete.").Because(err)
			}
			return err
		}
	}
}

// buffer is an empty buffer for the answer, given back to a pool by send.
func (c *Call) buffer() []byte {
	if c.out == nil {
		c.out = buffers.Get().(*[]byte)
	}
	return (*c.out)[:0]
}

// send writes a body in the answer's format.
func (c *Call) send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentTypes[c.format]
	h["Content-Length"] = []string{itoa(int64(len(body)))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	if c.out != nil {
		if cap(body) <= 1<<20 {
			*c.out = body
			buffers.Put(c.out)
		}
		c.out = nil
	}
}

var contentTypes = map[Format][]string{
	JSON: {"application/json;charset=UTF-8"}, XML: {"application/xml;charset=UTF-8"}, HTML: {"text/html; charset=utf-8"},
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

func statusText(code int) string { return http.StatusText(code) }
