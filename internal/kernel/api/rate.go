package api

import (
	"io"
	"strings"
	"sync"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// rates counts calls a user in windows, in this process alone.
type rates struct {
	clock  value.Clock
	mu     sync.Mutex
	counts map[string]*window
}

type window struct {
	start value.Instant
	calls int
}

// rateMemory is how many users' windows are kept before old ones are dropped.
const rateMemory = 10_000

func newRates(clock value.Clock) *rates { return &rates{clock: clock, counts: map[string]*window{}} }

// take counts a call of a user: the one in the path where the operation has one, so
// that a company's token has the rate of each user for whom it calls, else the caller.
func (r *rates) take(op *Operation, a *auth.Actor, pathUser string) error {
	name := op.rate.Shared
	if name == "" {
		name = op.Doc.ID
	}
	user := a.ID
	if op.subject == PathUser && pathUser != "" {
		user = strings.ToLower(pathUser)
	}
	key := name + " " + a.Company + " " + user
	now := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.counts[key]
	if w == nil || now >= w.start.Add(op.rate.Window) {
		if len(r.counts) >= rateMemory {
			for k, old := range r.counts {
				if now >= old.start.Add(op.rate.Window) {
					delete(r.counts, k)
				}
			}
		}
		w = &window{start: now}
		r.counts[key] = w
	}
	if w.calls >= op.rate.Calls {
		e := errs.Newf(errs.Limited, "rate", "This user has made %d calls in %s; wait a little.", op.rate.Calls, op.rate.Window)
		e.RetryAfter = time.Duration(w.start.Add(op.rate.Window)-now) * time.Microsecond
		return e
	}
	w.calls++
	return nil
}

func copyTo(w io.Writer, r io.Reader) (int64, error) {
	if f, ok := w.(io.ReaderFrom); ok {
		return f.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{w}, r)
}
