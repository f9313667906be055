package app

import (
	"context"
	"sync"
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/errs"
)

// Fault is one planned failure of a dev server: the next Count calls of an
// operation wait, fail, or both.
type Fault struct {
	Operation string `json:"operation"` // an operation's id, or * for every one
	Status    int    `json:"status,omitempty"`
	Message   string `json:"message,omitempty"`
	Count     int    `json:"count,omitempty"`       // 1 without it
	Delay     int64  `json:"delayMillis,omitempty"` // at most a minute
}

// faults is the plan. The hooks themselves never fail by it.
type faults struct {
	mu   sync.Mutex
	plan []Fault
}

func (f *faults) add(one Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = append(f.plan, one)
}

func (f *faults) all() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault{}, f.plan...)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = nil
}

func (f *faults) take(op *api.Operation) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.plan {
		if f.plan[i].Operation != "*" && f.plan[i].Operation != op.Doc.ID {
			continue
		}
		one := f.plan[i]
		if f.plan[i].Count--; f.plan[i].Count <= 0 {
			f.plan = append(f.plan[:i], f.plan[i+1:]...)
		}
		return one, true
	}
	return Fault{}, false
}

// faultKinds are the statuses that can be planned.
var faultKinds = map[int]errs.Kind{
	400: errs.Invalid, 401: errs.Unauthenticated, 403: errs.Forbidden, 404: errs.NotFound, 409: errs.Conflict,
	413: errs.TooLarge, 415: errs.Unsupported, 429: errs.Limited, 500: errs.Internal, 503: errs.Unavailable,
}

// before is asked before each call.
func (f *faults) before(ctx context.Context, op *api.Operation) error {
	if op.Family == api.Hooks {
		return nil
	}
	one, ok := f.take(op)
	if !ok {
		return nil
	}
	if one.Delay > 0 {
		t := time.NewTimer(time.Duration(one.Delay) * time.Millisecond)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
	if one.Status == 0 {
		return nil
	}
	message := one.Message
	if message == "" {
		message = "This failure was planned through /-/fault."
	}
	return errs.New(faultKinds[one.Status], "fault", message)
}
