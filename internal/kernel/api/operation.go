// Package api turns operations into HTTP: routing, authentication, scopes, subjects,
// negotiation, bodies, paging, answers, errors and the OpenAPI document. An operation
// is declared once, in its resource's file; what all operations of a generation have
// in common is their Family.
package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Doc is what the OpenAPI document says of an operation.
type Doc struct {
	ID          string // operationId: "reports.list"
	Group       string // "Reports"
	Summary     string
	Description string
	Deprecated  bool
	Extension   bool // ours; the documented services have no such call
}

// Subject says whose data an operation is about. Every operation declares one.
type Subject uint8

const (
	undeclaredSubject Subject = iota
	// CallerOnly works on the caller's own data; no parameter changes that.
	CallerOnly
	// CompanyWide reads what belongs to the company as a whole.
	CompanyWide
	// UserParameter takes `user`, a login, from administrators (conventions.md §5).
	UserParameter
	// UserOrAll takes `user` as a login or ALL.
	UserOrAll
	// PathUser takes the user's id from the path segment {userId}; the handler checks it with Call.Own.
	PathUser
	// Nobody is for operations that concern no user: tokens, keys, indexes.
	Nobody
)

// Names are an operation's schema names: in the OpenAPI document, and as XML roots
// of both profiles (xml-names-v3.csv).
type Names struct {
	One, Many         string // documented: ReportGet, ReportCollection
	WireOne, WireMany string // observed: Report, Reports
	Post, Put         string // request bodies in the document: ReportPost, ReportPut
}

// Operation is one method on one path.
type Operation struct {
	Doc    Doc
	Method string
	Path   string // below the family's base; {name} is a parameter
	Family *Family

	scopes  auth.Scopes
	subject Subject
	stands  bool // Delegable
	names   Names
	maxBody int64
	limit   struct{ standard, max int }
	rate    *Rate
	rows    string
	accepts []string // further media types of answers, such as image/*

	parameters []Parameter
	request    *Content
	responses  []Response

	run func(*Call) (Answer, error)
}

// Parameter is a query or header parameter in the OpenAPI document.
type Parameter struct {
	In, Name, Doc string
	Field         *wire.Description
}

// Content is a request body in the OpenAPI document.
type Content struct {
	Media  []string
	Name   string
	Fields []wire.Description
	Array  bool
	Input  bool // leave out what is read-only
	Update bool // nothing is required
}

// Response is an answer in the OpenAPI document.
type Response struct {
	Status int
	Doc    string
	Content
}

// Option adds to an operation.
type Option func(*Operation)

// About declares the subject.
func About(s Subject) Option { return func(o *Operation) { o.subject = s } }

// Delegable lets `user` also name somebody who has made the caller a delegate that
// prepares. What is done is then about that person's records alone.
func Delegable() Option { return func(o *Operation) { o.stands = true } }

// Named gives schema names and XML roots.
func Named(n Names) Option { return func(o *Operation) { o.names = n } }

// MaxBody bounds the request's body; without it, the server's Options do.
func MaxBody(n int64) Option { return func(o *Operation) { o.maxBody = n } }

// Limits are a list's standard and largest page; 25 and 100 without it.
func Limits(standard, max int) Option {
	return func(o *Operation) { o.limit.standard, o.limit.max = standard, max }
}

// Rows names the member that holds a list's rows; Items without it.
func Rows(name string) Option { return func(o *Operation) { o.rows = name } }

// AlsoAnswers adds media types that Accept may ask for, such as image/*.
func AlsoAnswers(media ...string) Option {
	return func(o *Operation) { o.accepts = append(o.accepts, media...) }
}

// QueryParameter describes a query parameter that the handler reads itself.
func QueryParameter(name, doc string) Option {
	return func(o *Operation) { o.parameters = append(o.parameters, Parameter{In: "query", Name: name, Doc: doc}) }
}

// HeaderParameter describes a header that the handler reads.
func HeaderParameter(name, doc string) Option {
	return func(o *Operation) { o.parameters = append(o.parameters, Parameter{In: "header", Name: name, Doc: doc}) }
}

// Takes describes the request's body of a Custom operation.
func Takes(c Content) Option { return func(o *Operation) { o.request = &c } }

// Answers describes an answer of a Custom operation.
func Answers(status int, doc string, c Content) Option {
	return func(o *Operation) { o.responses = append(o.responses, Response{status, doc, c}) }
}

// SchemaOf describes a binding as content of the OpenAPI document.
func SchemaOf[T any](name string, s *wire.Schema[T], media ...string) Content {
	if len(media) == 0 {
		media = []string{"application/json"}
	}
	return Content{Media: media, Name: name, Fields: s.Describe()}
}

// Custom declares an operation that reads its request and makes its answer itself.
func Custom(f *Family, method, path string, handle func(*Call) (Answer, error), doc Doc, scopes auth.Scopes, opts ...Option) Operation {
	o := Operation{Doc: doc, Method: method, Path: path, Family: f, scopes: scopes, rows: "Items", run: handle}
	o.limit.standard, o.limit.max = 25, 100
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case doc.ID == "" || doc.Summary == "":
		panic("api: " + method + " " + path + " has no id or summary")
	case !scopes.Declared():
		panic("api: " + doc.ID + " declares no scope")
	case o.subject == undeclaredSubject:
		panic("api: " + doc.ID + " declares no subject")
	case o.stands && o.subject != UserParameter && o.subject != UserOrAll:
		panic("api: " + doc.ID + " is delegable, but takes no user")
	}
	return o
}

// Listing is one page of a list.
type Listing[T any] struct {
	Rows  []T
	Next  []any            // the key of the last row when more follow, else nil
	Total value.Opt[int64] // all rows of the query, where the service tells
}

// Page makes a Listing of what a table's List returned.
func Page[T any](t *store.Table[T], rows []T, more bool, p store.Page) Listing[T] {
	l := Listing[T]{Rows: rows}
	if more {
		l.Next = t.KeyOf(&rows[len(rows)-1], p.Order)
	}
	return l
}

// Input tells a service what a body held, and collects its problems.
type Input struct {
	errs.Problems
	set    wire.Set
	direct bool
}

// Has reports whether the body named the field.
func (in *Input) Has(name string) bool { return in.direct || in.set.Has(name) }

// Direct is the input of a service called without HTTP: every field counts as given.
func Direct() *Input { return &Input{direct: true} }

// NoFilter is the query of a list without filters.
type NoFilter struct{}

// V3 binds nothing.
func (*NoFilter) V3(*wire.Fields) {}

// List declares a paged list: GET with filters bound by query and rows by item.
func List[Q, T any](f *Family, path string,
	find func(tx *store.Tx, a *auth.Actor, q *Q, p store.Page) (Listing[T], error),
	query func(*Q, *wire.Fields), item func(*T, *wire.Fields),
	doc Doc, scopes auth.Scopes, opts ...Option) Operation {

	filters := wire.Bind("query", query)
	rows := wire.Bind(doc.ID, item)
	if f.ExactFields {
		rows = rows.Exact()
	}
	o := Custom(f, http.MethodGet, path, nil, doc, scopes, opts...)
	for _, d := range filters.Describe() {
		o.parameters = append(o.parameters, Parameter{In: "query", Name: d.Name, Doc: d.Doc, Field: &d})
	}
	o.parameters = append(o.parameters,
		Parameter{In: "query", Name: "offset", Doc: "Where the page starts, taken from NextPage of the page before."},
		Parameter{In: "query", Name: "limit", Doc: "How many rows the page has at most."})
	o.describeUser()
	o.responses = append(o.responses, Response{Status: 200, Doc: "A page of rows and, where more follow, the address of the next.",
		Content: Content{Media: f.media(), Name: o.names.Many, Fields: []wire.Description{
			{Name: o.rows, Type: "array", Doc: "The rows of this page.", TypeName: o.names.One, Children: rows.Describe()},
			{Name: "NextPage", Type: "string", Doc: "The address of the next page; null at the end."}}}})
	o.run = func(c *Call) (Answer, error) {
		var q Q
		_, problems := filters.Decode(c.Query(), &q, wire.Query)
		cursor, err := c.cursor(&problems)
		if err != nil {
			return nil, err
		}
		if cursor.filters != nil {
			q = *new(Q)
			filters.Decode(cursor.filters, &q, wire.Query)
		}
		if err := errs.OfFields(problems); err != nil {
			return nil, err
		}
		var found Listing[T]
		if err := c.Read(func(tx *store.Tx) (err error) {
			found, err = find(tx, c.actor, &q, cursor.page)
			return err
		}); err != nil {
			return nil, err
		}
		next := ""
		if found.Next != nil {
			next = c.nextPage(cursor, found.Next)
		}
		return &listAnswer[T]{schema: rows, found: found, next: next}, nil
	}
	return o
}

// Get declares the reading of one record by the path's {id}.
func Get[T any](f *Family, path string, load func(tx *store.Tx, a *auth.Actor, id string) (*T, error),
	item func(*T, *wire.Fields), doc Doc, scopes auth.Scopes, opts ...Option) Operation {

	schema := wire.Bind(doc.ID, item)
	o := Custom(f, http.MethodGet, path, nil, doc, scopes, opts...)
	o.describeUser()
	o.responses = append(o.responses, Response{Status: 200, Doc: "The record.",
		Content: Content{Media: f.media(), Name: o.names.One, Fields: schema.Describe()}})
	o.run = func(c *Call) (Answer, error) {
		var v *T
		if err := c.Read(func(tx *store.Tx) (err error) {
			v, err = load(tx, c.actor, c.Param("id"))
			return err
		}); err != nil {
			return nil, err
		}
		return Object(200, schema, v), nil
	}
	return o
}

// Create declares the making of a record; the answer is {ID, URI}.
func Create[T any](f *Family, path string, create func(tx *store.Tx, a *auth.Actor, v *T, in *Input) (id string, err error),
	item func(*T, *wire.Fields), doc Doc, scopes auth.Scopes, opts ...Option) Operation {

	schema := wire.Bind(doc.ID, item)
	if f.ExactFields {
		schema = schema.Exact()
	}
	o := Custom(f, http.MethodPost, path, nil, doc, scopes, opts...)
	o.describeUser()
	o.request = &Content{Media: f.inputs(), Name: o.names.Post, Fields: schema.Describe(), Input: true}
	o.responses = append(o.responses, Response{Status: f.Created, Doc: "The record was made.",
		Content: Content{Media: f.media(), Name: "CreateResponse", Fields: createdSchema.Describe()}})
	o.run = func(c *Call) (Answer, error) {
		if (o.subject == UserParameter || o.subject == UserOrAll) && (c.actor.All || c.actor.Subject.ID == "") {
			return nil, errs.New(errs.Invalid, "user", "Name the user for whom the record is made in the user parameter.")
		}
		doc, err := c.Document()
		if err != nil {
			return nil, err
		}
		var given T
		set, problems := schema.Decode(doc, &given, wire.Create)
		c.note(set)
		var made created
		err = c.Write(func(tx *store.Tx) error {
			v, in := given, inputOf(set, problems)
			id, err := create(tx, c.actor, &v, in)
			if err != nil {
				return err
			}
			made.id = id
			return in.Err()
		})
		if err != nil {
			return nil, err
		}
		made.uri = c.URL(c.server.base(f) + path + "/" + made.id)
		return Object(f.Created, createdSchema, &made).named(Names{One: "CreateResponse", WireOne: "Response"}), nil
	}
	return o
}

func inputOf(set wire.Set, problems []errs.Field) *Input {
	in := &Input{set: set}
	for _, p := range problems {
		in.Add(p.Path, p.Code, p.Message)
	}
	return in
}

// Update declares a partial change: load, overlay what the body names, check, save.
func Update[T any](f *Family, path string, load func(tx *store.Tx, a *auth.Actor, id string) (*T, error),
	save func(tx *store.Tx, a *auth.Actor, old, new *T, in *Input) error,
	item func(*T, *wire.Fields), doc Doc, scopes auth.Scopes, opts ...Option) Operation {

	schema := wire.Bind(doc.ID, item)
	if f.ExactFields {
		schema = schema.Exact()
	}
	o := Custom(f, http.MethodPut, path, nil, doc, scopes, opts...)
	o.describeUser()
	o.request = &Content{Media: f.inputs(), Name: o.names.Put, Fields: schema.Describe(), Input: true, Update: true}
	o.responses = append(o.responses, Response{Status: 200, Doc: "The record was changed. Applications of the observed profile get 204.",
		Content: Content{Media: f.media(), Name: "Void"}})
	o.run = func(c *Call) (Answer, error) {
		doc, err := c.Document()
		if err != nil {
			return nil, err
		}
		err = c.Write(func(tx *store.Tx) error {
			old, err := load(tx, c.actor, c.Param("id"))
			if err != nil {
				return err
			}
			changed := *old
			set, problems := schema.Decode(doc, &changed, wire.Update)
			c.note(set)
			in := inputOf(set, problems)
			if err := save(tx, c.actor, old, &changed, in); err != nil {
				return err
			}
			return in.Err()
		})
		if err != nil {
			return nil, err
		}
		return void{}, nil
	}
	return o
}

// Delete declares the removal of one record.
func Delete(f *Family, path string, remove func(tx *store.Tx, a *auth.Actor, id string) error,
	doc Doc, scopes auth.Scopes, opts ...Option) Operation {

	o := Custom(f, http.MethodDelete, path, nil, doc, scopes, opts...)
	o.describeUser()
	o.responses = append(o.responses, Response{Status: 200, Doc: "The record was removed. Applications of the observed profile get 204.",
		Content: Content{Media: f.media(), Name: "Void"}})
	o.run = func(c *Call) (Answer, error) {
		if err := c.Write(func(tx *store.Tx) error { return remove(tx, c.actor, c.Param("id")) }); err != nil {
			return nil, err
		}
		return void{}, nil
	}
	return o
}

func (o *Operation) describeUser() {
	if o.subject == UserParameter || o.subject == UserOrAll {
		text := "The login of the user whose data is meant; others than the own need an administrator's role."
		if o.stands {
			text = "The login of the user whose data is meant; others than the own need an administrator's role; who prepares for that person may name them too."
		}
		if o.subject == UserOrAll {
			text += " ALL stands for everybody in the company."
		}
		o.parameters = append(o.parameters, Parameter{In: "query", Name: "user", Doc: text})
	}
}

func (f *Family) media() (all []string) {
	for _, format := range f.Formats {
		all = append(all, mediaType(format))
	}
	return all
}

func (f *Family) inputs() []string {
	all := f.media()
	if f.has(XML) {
		all = append(all, "application/x-www-form-urlencoded")
	}
	return all
}

// Rate limits the calls of one user to an operation: at most Calls in each Window.
// It is counted in this process alone (decisions.md 6).
type Rate struct {
	Calls  int
	Window time.Duration
	Shared string // operations with the same name share one count
}

// Limited puts a rate on the operation.
func Limited(r Rate) Option { return func(o *Operation) { o.rate = &r } }

// rolesText names roles in a refusal.
func rolesText(roles ...auth.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " or ")
}

// Directory finds people of a company; domain/org fills it.
type Directory interface {
	// Person finds a user by login (in any letter case) or id. ok is false when the
	// company has no such user.
	Person(ctx context.Context, company, loginOrID string) (p auth.Person, ok bool, err error)
	// PreparedBy finds a user by login or id among those who let a delegate (a user id)
	// prepare their reports. It looks at the delegate's rows alone, so that ok is false in
	// the same way for users who do not exist and for those who do.
	PreparedBy(ctx context.Context, company, delegate, loginOrID string) (p auth.Person, ok bool, err error)
}

// Authenticator turns a token into its Actor; an *errs.Error of kind Forbidden
// refuses it.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (*auth.Actor, error)
}
