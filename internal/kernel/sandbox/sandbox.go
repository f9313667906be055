// Package sandbox runs work on untrusted files in a child process of the same
// binary, which is denied everything that the work does not need and is killed
// when it takes too long. The child gets bytes and gives bytes: a job has a kind,
// small parameters, any number of input streams, one verdict and at most one
// output of bounded size. What happens to the child (a crash, no memory left, no
// time left) is the fault of that one file; the next job gets a fresh child.
//
// The program calls Worker at the very top of main, and of TestMain in tests, so
// that the binary can be its own child.
package sandbox

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"quittance/internal/kernel/errs"
)

// Options of a Sandbox. The zero value of each has a default.
type Options struct {
	Wall        time.Duration // how long one job may take, its streams included; 30 s
	Queue       time.Duration // how long a job waits for a free child; 30 s
	Idle        time.Duration // how long an unused child is kept; 1 min
	MemoryBytes int64         // what one child may use; 1 GiB
	OutputLimit int64         // bytes of one job's output; 256 MiB
	Workers     int           // children at a time; 2
	Jobs        int           // jobs of one child before it is replaced; 64
	Logger      *slog.Logger  // nothing is logged without one
}

func (o Options) withDefaults() Options {
	defaulted := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	defaulted(&o.Wall, 30*time.Second)
	defaulted(&o.Queue, 30*time.Second)
	defaulted(&o.Idle, time.Minute)
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = 1 << 30
	}
	if o.OutputLimit <= 0 {
		o.OutputLimit = 256 << 20
	}
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Jobs <= 0 {
		o.Jobs = 64
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Sandbox is a small pool of children. It starts none before the first job.
type Sandbox struct {
	options Options
	slots   chan struct{} // one token a job that may run
	reapers sync.WaitGroup

	mu     sync.Mutex
	closed bool
	idle   []*child // the last one was used last
	all    map[*child]struct{}
}

// New makes a sandbox; Close ends it.
func New(o Options) *Sandbox {
	o = o.withDefaults()
	return &Sandbox{options: o, slots: make(chan struct{}, o.Workers), all: map[*child]struct{}{}}
}

// Run has a child do one job. The inputs are read to their ends, in order, as the
// job asks for them, and must give up when ctx does; an error of an input is the
// error of the job. Run returns with the first bytes of the output or with the
// verdict, whichever comes first. The output must be read to io.EOF, which alone
// means success, or be closed; ctx must live until then.
//
// The errors are *errs.Error: what the job said (Invalid, TooLarge, Unsupported,
// NotAcceptable), Invalid when the child crashed or ran out of memory or time,
// Unavailable when there is no child to be had.
func (s *Sandbox) Run(ctx context.Context, kind string, params []byte, inputs []io.Reader) (io.ReadCloser, error) {
	if len(kind) > maxKind || len(params) > maxParams || len(inputs) > maxInputs {
		return nil, errs.New(errs.Invalid, "tooManyParts", "There are too many files to process at once.")
	}
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	o, err := s.begin(ctx, kind, params, inputs)
	if err != nil {
		<-s.slots
		return nil, err
	}
	if err := o.advance(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return o, nil
}

// acquire waits for a free slot.
func (s *Sandbox) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	select { // a free slot needs no timer
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(s.options.Queue)
	defer timer.Stop()
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-timer.C:
		return unavailable(errors.New("no sandbox child became free"))
	}
}

// begin hands the job to a child. A kept child may have died since its last job
// (the system may kill it at any time), so the first one that does not take the
// job is replaced; no input was read by then.
func (s *Sandbox) begin(ctx context.Context, kind string, params []byte, inputs []io.Reader) (*output, error) {
	for attempt := 0; ; attempt++ {
		c, err := s.take()
		if err != nil {
			return nil, err
		}
		o := newOutput(ctx, s, c, kind)
		err = c.request(kind, params, len(inputs))
		if err == nil {
			o.feed(inputs)
			return o, nil
		}
		kept := c.jobs > 0
		err = o.broken(err)
		o.release()
		if !kept || attempt > 0 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// take gives an idle child or starts one.
func (s *Sandbox) take() (*child, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, unavailable(errors.New("the sandbox is closed"))
	}
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		c.idleTimer.Stop()
		s.mu.Unlock()
		return c, nil
	}
	s.reapers.Add(1) // while open, so that Close waits for it
	s.mu.Unlock()
	c, err := start(s.options, s.reapers.Done)
	if err != nil {
		s.options.Logger.Error("a sandbox child did not start", "error", err)
		return nil, unavailable(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.kill()
		c.outFile.Close()
		return nil, unavailable(errors.New("the sandbox is closed"))
	}
	s.all[c] = struct{}{}
	return c, nil
}

// giveBack keeps the child for the next job, or ends it when it is worn out.
func (s *Sandbox) giveBack(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || c.worn(s.options) {
		s.dismiss(c)
		return
	}
	s.idle = append(s.idle, c)
	c.idleTimer = time.AfterFunc(s.options.Idle, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.idle, c); i >= 0 {
			s.idle = slices.Delete(s.idle, i, i+1)
			s.dismiss(c)
		}
	})
}

// end kills the child.
func (s *Sandbox) end(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dismiss(c)
}

// dismiss kills the child and forgets it; s.mu is held. Its reaper goes on.
func (s *Sandbox) dismiss(c *child) {
	c.kill()
	c.outFile.Close() // a second time is harmless
	delete(s.all, c)
}

// Close kills all children, running jobs included, and waits until they are gone.
// It returns nil.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.idle {
		c.idleTimer.Stop()
	}
	s.idle = nil
	for c := range s.all {
		c.why.CompareAndSwap(reasonNone, reasonClosed)
		s.dismiss(c)
	}
	s.mu.Unlock()
	s.reapers.Wait()
	return nil
}

// Guard is one restriction of the child, and whether this machine has it.
type Guard struct {
	Name  string // "files", "network", …; stable
	Holds bool
	Note  string // how, or why not
}

// Guards tells which guards hold on this machine, in a fixed order, from cheap
// questions to the system. A child that cannot put on a guard that holds here does
// not get a job.
func (s *Sandbox) Guards() []Guard {
	found := probe()
	gs := make([]Guard, 0, len(guardNames))
	for i, name := range guardNames {
		gs = append(gs, Guard{Name: name, Holds: found.mask&(1<<i) != 0, Note: found.notes[i]})
	}
	return gs
}

// Weak lists the names of the guards that this machine lacks.
func (s *Sandbox) Weak() []string {
	var names []string
	for _, g := range s.Guards() {
		if !g.Holds {
			names = append(names, g.Name)
		}
	}
	return names
}

// The guards: bit i of a guardMask is guardNames[i].
type guardMask uint8

const (
	guardProcess guardMask = 1 << iota
	guardEnvironment
	guardParent
	guardFiles
	guardSyscalls
	guardMemory
	guardCPU
)

var guardNames = [...]string{"process", "environment", "parent-death", "files", "system-calls", "memory", "cpu"}

// probed is what a platform can do: a bit and a note a guard.
type probed struct {
	mask  guardMask
	notes [len(guardNames)]string
}

// everywhere is what every platform has.
func everywhere() probed {
	p := probed{mask: guardProcess | guardEnvironment}
	p.notes[0] = "a process of its own, killed when its time is up"
	p.notes[1] = "no environment variables"
	for i := 2; i < len(p.notes); i++ {
		p.notes[i] = "not available on " + runtime.GOOS + "/" + runtime.GOARCH
	}
	p.notes[2] = "the child ends at the end of its input, and by its own clock"
	return p
}

func unavailable(cause error) *errs.Error {
	e := errs.New(errs.Unavailable, "sandboxBusy", "The server is busy processing files. Try again in a moment.")
	e.RetryAfter = 5 * time.Second
	return e.Because(cause)
}
