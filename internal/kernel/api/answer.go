package api

import (
	"io"
	"net/http"
	"strings"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/wire"
)

// Answer is what an operation gives back; the server writes it in the format that
// was agreed.
type Answer interface {
	write(c *Call, w http.ResponseWriter)
}

// Record is an answer with one object.
type Record[T any] struct {
	status int
	schema *wire.Schema[T]
	v      *T
	names  *Names
	header http.Header
}

// Object answers with one object, bound by schema. Its XML root is the operation's
// One name.
func Object[T any](status int, schema *wire.Schema[T], v *T) *Record[T] {
	return &Record[T]{status: status, schema: schema, v: v}
}

func (r *Record[T]) named(n Names) *Record[T] { r.names = &n; return r }

// Root names the XML root of both profiles.
func (r *Record[T]) Root(name string) *Record[T] {
	return r.named(Names{One: name, WireOne: name})
}

// Header adds a header to the answer.
func (r *Record[T]) Header(name, v string) *Record[T] {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Add(name, v)
	return r
}

func (r *Record[T]) write(c *Call, w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	names := c.op.names
	if r.names != nil {
		names = *r.names
	}
	b := c.buffer()
	style := c.style()
	if c.format == XML {
		root := names.One
		if c.op.Family.WireNames(c.profile()) && names.WireOne != "" {
			root = names.WireOne
		}
		start := len(b)
		b = r.schema.AppendXML(b, root, r.v, style)
		b = c.declareNamespaces(b, start, root)
	} else {
		b = r.schema.AppendJSON(b, r.v, style)
	}
	c.send(w, r.status, b)
}

type created struct{ id, uri string }

func (r *created) bind(f *wire.Fields) {
	f.Text("ID", &r.id, "The id of the record.")
	f.Text("URI", &r.uri, "The address of the record.")
}

var createdSchema = wire.Bind("CreateResponse", (*created).bind)

// Created answers {ID, URI} with the family's status for a made record.
func Created(c *Call, id, uri string) Answer {
	return Object(c.op.Family.Created, createdSchema, &created{id, uri}).named(Names{One: "CreateResponse", WireOne: "Response"})
}

type void struct{}

// Void is the empty success of updates and removals: {} or <Void/>, or 204.
func Void() Answer { return void{} }

func (void) write(c *Call, w http.ResponseWriter) {
	status := c.op.Family.Emptied(c.profile())
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	if c.format == XML {
		c.send(w, status, append(c.buffer(), "<Void/>"...))
		return
	}
	c.send(w, status, append(c.buffer(), "{}"...))
}

type listAnswer[T any] struct {
	schema *wire.Schema[T]
	found  Listing[T]
	next   string
}

func (l *listAnswer[T]) write(c *Call, w http.ResponseWriter) {
	b, style, names := c.buffer(), c.style(), c.op.names
	rows := c.op.rows
	if c.format == JSON {
		b = append(b, `{"`+rows+`":[`...)
		for i := range l.found.Rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = l.schema.AppendJSON(b, &l.found.Rows[i], style)
		}
		b = append(b, ']')
		if l.found.Total.Valid {
			b = append(b, `,"TotalCount":`...)
			b = appendInt(b, l.found.Total.V)
		}
		b = append(b, `,"NextPage":`...)
		if l.next == "" {
			b = append(b, "null}"...)
		} else {
			b = wire.AppendJSONText(b, l.next)
			b = append(b, '}')
		}
		c.send(w, 200, b)
		return
	}
	observed := c.op.Family.WireNames(c.profile())
	root, item := names.Many, rows
	if observed {
		root, item = names.WireMany, names.WireOne
	}
	start := len(b)
	b = append(b, "<"+root+">"...)
	if observed {
		b = append(b, "<"+rows+">"...)
	}
	for i := range l.found.Rows {
		b = l.schema.AppendXML(b, item, &l.found.Rows[i], style)
	}
	if observed {
		b = append(b, "</"+rows+">"...)
	}
	if l.found.Total.Valid {
		b = append(b, "<TotalCount>"...)
		b = appendInt(b, l.found.Total.V)
		b = append(b, "</TotalCount>"...)
	}
	switch {
	case l.next != "":
		b = append(b, "<NextPage>"...)
		b = wire.AppendXMLText(b, l.next)
		b = append(b, "</NextPage>"...)
	case observed:
		b = append(b, `<NextPage i:nil="true"/>`...)
	default:
		b = append(b, "<NextPage/>"...)
	}
	b = append(b, "</"+root+">"...)
	b = c.declareNamespaces(b, start, root)
	c.send(w, 200, b)
}

// Plain is an answer with bytes that are ready, or none.
type Plain struct {
	status int
	media  string
	body   []byte
	header http.Header
}

// Empty answers a status without a body.
func Empty(status int) *Plain { return &Plain{status: status} }

// Bytes answers a body of a media type.
func Bytes(status int, media string, body []byte) *Plain {
	return &Plain{status: status, media: media, body: body}
}

// RawJSON answers JSON that is written already.
func RawJSON(status int, body []byte) *Plain { return Bytes(status, "application/json", body) }

// RedirectTo sends a browser on. Only the sign-in pages use it, with addresses that
// are registered; nothing else in the product redirects.
func RedirectTo(url string) *Plain { return Empty(http.StatusFound).Header("Location", url) }

// Header adds a header.
func (p *Plain) Header(name, v string) *Plain {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Add(name, v)
	return p
}

func (p *Plain) write(_ *Call, w http.ResponseWriter) {
	h := w.Header()
	for k, v := range p.header {
		h[k] = v
	}
	if p.media != "" {
		h.Set("Content-Type", p.media)
	}
	if p.status != http.StatusNoContent {
		h.Set("Content-Length", itoa(int64(len(p.body))))
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body)
}

// File is an answer that is streamed from storage, with Range, HEAD and validators.
type File struct {
	media    string
	name     string
	tag      string
	modified time.Time
	content  io.ReadSeekCloser
	header   http.Header
}

// Stream answers with a stored file. tag is its content hash; the file is closed
// when it has been sent.
func Stream(media, name, tag string, modified time.Time, content io.ReadSeekCloser) *File {
	return &File{media: media, name: name, tag: tag, modified: modified, content: content}
}

// Header adds a header.
func (f *File) Header(name, v string) *File {
	if f.header == nil {
		f.header = http.Header{}
	}
	f.header.Add(name, v)
	return f
}

func (f *File) write(c *Call, w http.ResponseWriter) {
	defer f.content.Close()
	h := w.Header()
	for k, v := range f.header {
		h[k] = v
	}
	h.Set("Content-Type", f.media)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-cache")
	if f.tag != "" {
		h.Set("ETag", `"`+f.tag+`"`)
	}
	if f.name != "" {
		h.Set("Content-Disposition", `inline; filename="`+strings.NewReplacer(`"`, "", "\\", "", "\r", "", "\n", "").Replace(f.name)+`"`)
	}
	http.ServeContent(w, c.request, "", f.modified, f.content)
}

// declareNamespaces puts the family's namespaces into the root element that starts
// at b[start:].
func (c *Call) declareNamespaces(b []byte, start int, root string) []byte {
	f, attributes := c.op.Family, ""
	if f.XMLNamespace != "" {
		attributes = ` xmlns="` + f.XMLNamespace + `"`
	}
	if f.Instance(c.profile()) {
		attributes += ` xmlns:i="` + instanceNamespace + `"`
	}
	if attributes == "" {
		return b
	}
	at := start + 1 + len(root)
	rest := len(b) - at
	b = append(b, attributes...)
	copy(b[at+len(attributes):], b[at:at+rest])
	copy(b[at:], attributes)
	return b
}

func mediaType(f Format) string {
	switch f {
	case XML:
		return "application/xml"
	case HTML:
		return "text/html; charset=utf-8"
	}
	return "application/json"
}

func (c *Call) style() *wire.Style { return c.op.Family.Style(c.format, c.profile()) }

func (c *Call) profile() auth.Profile {
	if c.actor == nil {
		return auth.Documented
	}
	return c.actor.Profile
}
