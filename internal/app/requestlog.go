package app

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"quittance/internal/kernel/api"
)

// requestLogSize is how many calls the dev server remembers.
const requestLogSize = 500

// loggedRequest is one call as `GET /-/requests` shows it.
type loggedRequest struct {
	At          string            `json:"at"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Query       string            `json:"query,omitempty"`
	Headers     map[string]string `json:"headers"`
	Operation   string            `json:"operation,omitempty"`
	Application string            `json:"application,omitempty"`
	User        string            `json:"user,omitempty"`
	Status      int               `json:"status"`
	Millis      float64           `json:"milliseconds"`
	Bytes       int64             `json:"bytes"`
	Correlation string            `json:"correlationId"`
	Reason      string            `json:"reason,omitempty"`
	Ignored     []string          `json:"ignoredFields,omitempty"`
}

// requestLog is a ring of the last calls. They are kept as they were and shown
// without secrets, since most are never looked at.
type requestLog struct {
	mu   sync.Mutex
	ring []keptRequest
	next int
}

// keptRequest is a call with the parts of its request that outlive it.
type keptRequest struct {
	api.Exchange
	method string
	url    *url.URL
	header http.Header
}

func (l *requestLog) add(x *api.Exchange) {
	k := keptRequest{Exchange: *x, method: x.Request.Method, url: x.Request.URL, header: x.Request.Header}
	k.Request = nil // its body and context end with the call
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < requestLogSize {
		l.ring = append(l.ring, k)
		return
	}
	l.ring[l.next] = k
	l.next = (l.next + 1) % requestLogSize
}

func (k *keptRequest) shown() loggedRequest {
	e := loggedRequest{
		At: k.Start.Time().Format("2006-01-02T15:04:05.000Z"), Method: k.method, Path: k.url.Path,
		Query: maskQuery(k.url.RawQuery), Headers: maskHeaders(k.header), Status: k.Status,
		Millis: float64(k.Took.Microseconds()) / 1000, Bytes: k.Bytes, Correlation: k.Correlation, Ignored: k.Ignored,
	}
	if k.Operation != nil {
		e.Operation = k.Operation.Doc.ID
	}
	if k.Actor != nil {
		e.Application, e.User = k.Actor.App, k.Actor.Self.Login
	}
	if k.Err != nil {
		e.Reason = k.Err.Error()
	}
	return e
}

// all is the calls, newest first.
func (l *requestLog) all() []loggedRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]loggedRequest, 0, len(l.ring))
	for i := range l.ring {
		out = append(out, l.ring[(l.next+len(l.ring)-1-i)%len(l.ring)].shown())
	}
	return out
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring, l.next = nil, 0
}

const masked = "***"

// secretNames are parameters and headers whose values are shown as stars.
var secretNames = map[string]bool{
	"authorization": true, "cookie": true, "x-consumerkey": true, "proxy-authorization": true,
	"token": true, "code": true, "password": true, "client_secret": true, "refresh_token": true, "otp": true, "access_token": true,
}

func maskHeaders(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		if secretNames[strings.ToLower(name)] {
			scheme, _, _ := strings.Cut(values[0], " ")
			if !strings.EqualFold(name, "authorization") {
				scheme = ""
			}
			out[name] = strings.TrimSpace(scheme + " " + masked)
			continue
		}
		out[name] = strings.Join(values, ", ")
	}
	return out
}

func maskQuery(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && secretNames[strings.ToLower(strings.TrimLeft(plain, "?"))] {
			pairs[i] = name + "=" + masked
		}
	}
	return strings.Join(pairs, "&")
}
