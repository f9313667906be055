package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Options are what a server needs; all but the hooks are required.
type Options struct {
	DB            *store.DB
	Clock         value.Clock
	IDs           *value.IDs
	Logger        *slog.Logger
	PublicURL     string // base of every link, without a trailing slash
	Authenticator Authenticator
	Directory     Directory
	Signer        *auth.Signer
	Timeout       time.Duration  // of one call; a minute without it
	MaxBody       int64          // of operations that do not say it, in bytes; 10 MB without it
	Proxies       []netip.Prefix // whose forwarded headers count

	// Observe is told of every call after its answer; nil for nobody.
	Observe func(*Exchange)
	// Fault is asked before every call and may refuse it, for tests of clients; nil for never.
	Fault func(ctx context.Context, op *Operation) error
}

// Exchange is what a call was and how it went, for metrics, logs and the request log.
type Exchange struct {
	Request     *http.Request
	Operation   *Operation // nil when the path is unknown
	Actor       *auth.Actor
	Status      int
	Bytes       int64
	Start       value.Instant
	Took        time.Duration
	Correlation string
	Err         *errs.Error
	Ignored     []string
}

// Server answers HTTP requests with the operations of all areas.
type Server struct {
	options    Options
	router     router
	operations []*Operation
	rates      *rates
}

// NewServer routes operations. Two of them on one method and path, or one without
// a scope or a subject, are a panic: a mistake in the program, found at start.
func NewServer(o Options, areas ...[]Operation) *Server {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.MaxBody == 0 {
		o.MaxBody = 10 << 20
	}
	s := &Server{options: o, rates: newRates(o.Clock)}
	seen := map[string]bool{}
	for _, area := range areas {
		for i := range area {
			op := &area[i]
			if seen[op.Doc.ID] {
				panic("api: two operations are called " + op.Doc.ID)
			}
			seen[op.Doc.ID] = true
			if op.maxBody == 0 {
				op.maxBody = o.MaxBody
			}
			s.operations = append(s.operations, op)
			s.router.add(op)
		}
	}
	return s
}

// Operations lists what the server answers, for the guards of the tests.
func (s *Server) Operations() []*Operation { return s.operations }

// Scopes are the scopes of which a caller needs one.
func (o *Operation) Scopes() auth.Scopes { return o.scopes }

// Subject is whose data the operation is about.
func (o *Operation) Subject() Subject { return o.subject }

func (s *Server) base(f *Family) string { return f.Base[0] }

// Route is the operation's path as metrics and logs show it.
func (o *Operation) Route() string { return o.Family.Base[0] + o.Path }

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	record := Exchange{Request: r, Start: s.options.Clock(), Correlation: s.correlation(r)}
	counted := &countingWriter{ResponseWriter: w}
	w.Header()["Concur-Correlationid"] = []string{record.Correlation}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.Timeout)
	defer cancel()
	c := &Call{server: s, request: r.WithContext(ctx), correlation: record.Correlation}
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			err := errs.As(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			record.Err = err
			if counted.status == 0 {
				c.fail(counted, err)
			}
		}
		record.Operation, record.Actor, record.Ignored = c.op, c.actor, c.ignored
		record.Status, record.Bytes, record.Took = counted.status, counted.bytes, time.Since(start)
		if record.Err != nil && record.Err.Kind == errs.Internal {
			s.options.Logger.ErrorContext(ctx, "call failed", "correlation", record.Correlation, "error", record.Err.Error())
		}
		if s.options.Observe != nil {
			s.options.Observe(&record)
		}
	}()
	answer, err := s.handle(c, counted)
	if err != nil {
		record.Err = errs.As(err)
		c.fail(counted, record.Err)
		return
	}
	if answer != nil {
		answer.write(c, counted)
	}
}

func (s *Server) correlation(r *http.Request) string {
	if id := r.Header.Get("Concur-Correlationid"); value.IsUUID(id) {
		return id
	}
	return s.options.IDs.UUID()
}

// handle finds the operation and runs it. The order of checks is: path, method,
// token, scope, format, user, body.
func (s *Server) handle(c *Call, w http.ResponseWriter) (Answer, error) {
	r := c.request
	family, found, values := s.router.match(r.URL.Path)
	if family == nil {
		family = V3
	}
	c.op = &Operation{Family: family}
	if found == nil {
		c.negotiateLoosely()
		c.op = &Operation{Family: family}
		return nil, errs.New(errs.NotFound, "path", "There is nothing at this path. The calls are listed in /openapi.json.")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op := found.ops[method]
	if op == nil {
		c.negotiateLoosely()
		w.Header().Set("Allow", strings.Join(found.methods(), ", "))
		if method == http.MethodOptions {
			return Empty(http.StatusNoContent), nil
		}
		return nil, errs.Newf(errs.MethodNotAllowed, "method", "This path does not take %s; it takes %s.", method, strings.Join(found.methods(), ", "))
	}
	c.op = op
	for i, name := range found.names {
		c.params = append(c.params, param{name, values[i]})
	}
	c.negotiateLoosely()
	if !op.scopes.IsOpen() {
		actor, err := s.authenticate(r, family)
		if err != nil {
			return nil, err
		}
		copied := *actor
		copied.Subject = copied.Self
		copied.Today = s.options.Clock().Date()
		c.actor = &copied
		c.negotiateLoosely()
		if !op.scopes.Allow(c.actor) {
			return nil, errs.Newf(errs.Forbidden, "scope", "Forbidden. Please check your Instance URL and OAuth token: this call needs the scope %s.", strings.Join(op.scopes.Names(), " or "))
		}
	}
	if s.options.Fault != nil {
		if err := s.options.Fault(c.Context(), op); err != nil {
			return nil, err
		}
	}
	var err error
	if c.format, c.chosen, err = negotiate(r.Header.Get("Accept"), op, c.profile()); err != nil {
		return nil, err
	}
	if op.rate != nil {
		if err := s.rates.take(op, c.actor, c.Param("userId")); err != nil {
			return nil, err
		}
	}
	if c.query, err = wire.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	if c.actor != nil && (op.subject == UserParameter || op.subject == UserOrAll) {
		if err := c.resolveSubject(c.QueryText("user")); err != nil {
			return nil, err
		}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, errs.New(errs.Unsupported, "contentEncoding", "Bodies are taken as they are; send this one without Content-Encoding.")
	}
	if r.ContentLength > op.maxBody {
		return nil, tooLarge(op.maxBody)
	}
	return op.run(c)
}

// negotiateLoosely picks the format that an error has before negotiation is strict.
func (c *Call) negotiateLoosely() {
	c.format, _, _ = negotiate(c.request.Header.Get("Accept"), c.op, c.profile())
}

// authenticate reads the Authorization header: Bearer and, for the clients of the
// old services, OAuth.
func (s *Server) authenticate(r *http.Request, f *Family) (*auth.Actor, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if token == "" || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return nil, errs.New(f.NoToken, "noToken", "Send a token in the Authorization header, as Bearer or OAuth.")
	}
	actor, err := s.options.Authenticator.Authenticate(r.Context(), token)
	if errs.Is(err, errs.Forbidden) || errs.Is(err, errs.Unauthenticated) {
		e := *errs.As(err)
		e.Kind = f.BadToken
		return nil, &e
	}
	return actor, err
}

// resolveSubject reads the `user` parameter (conventions.md §5, decisions.md 1).
func (c *Call) resolveSubject(login string) error {
	a := c.actor
	login = strings.TrimSpace(login)
	all := strings.EqualFold(login, "ALL")
	switch {
	case login == "":
		a.Subject, a.All, a.Named = a.Self, a.Kind != auth.User && c.op.subject == UserOrAll, false
		return nil
	case a.Kind == auth.User && (strings.EqualFold(login, a.Self.Login) || strings.EqualFold(login, a.ID)):
		// Who reaches nothing but the own and what they approve names nobody else by it.
		a.Subject, a.All, a.Named = a.Self, false, a.Administers()
		return nil
	case !a.Administers():
		if c.op.stands && !all {
			p, ok, err := c.server.options.Directory.PreparedBy(c.Context(), a.Company, a.ID, login)
			if err != nil {
				return err
			}
			if ok {
				a.Subject, a.All, a.Named = p, false, true
				return nil
			}
		}
		return errs.New(errs.Forbidden, "user", "Only "+rolesText(auth.WebServicesAdministrator, auth.CanAdminister)+" may name another user.")
	case all && c.op.subject == UserOrAll:
		a.All, a.Named = true, true
		return nil
	case all && c.request.Method == http.MethodGet:
		// Tolerated for administrators: a single record is found wherever it is.
		a.All, a.Named = true, false
		return nil
	case all:
		return errs.New(errs.Invalid, "user", "Invalid User:ALL stands for everybody in lists alone.")
	}
	p, ok, err := c.server.options.Directory.Person(c.Context(), a.Company, login)
	if err != nil {
		return err
	}
	if !ok {
		return errs.New(errs.Invalid, "user", "Invalid User:"+login)
	}
	a.Subject, a.All, a.Named = p, false, true
	return nil
}

// fail writes an error in the family's form.
func (c *Call) fail(w http.ResponseWriter, e *errs.Error) {
	family := c.op.Family
	status := family.status(e.Kind)
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", itoa(int64((e.RetryAfter+time.Second-1)/time.Second)))
	}
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="quittance"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if e.RetryAfter == 0 {
			h.Set("Retry-After", "1")
		}
	}
	h.Set("Cache-Control", "no-store") // what is wrong now may be right in a moment
	f := &Failure{Err: e, Status: status, Format: c.format, Profile: c.profile(), Now: c.Now(), Path: c.request.URL.Path,
		Correlation: c.correlation, PublicURL: c.server.options.PublicURL}
	b := family.WriteError(c.buffer(), f)
	if len(b) == 0 {
		h["Content-Length"] = []string{"0"}
		w.WriteHeader(status)
		return
	}
	c.send(w, status, b)
}

// remote is the client's address; of X-Forwarded-For the last address that is no
// trusted proxy.
func (s *Server) remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !s.trusted(host) {
		return host
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0; i-- {
		hop := strings.TrimSpace(chain[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
		if !s.trusted(hop) {
			break
		}
	}
	return host
}

func (s *Server) trusted(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range s.options.Proxies {
		if p.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

var _ io.ReaderFrom = (*countingWriter)(nil)

// ReadFrom keeps sendfile within reach.
func (w *countingWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := copyTo(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func hmacEqual(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
