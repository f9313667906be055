package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"quittance/internal/kernel/errs"
)

// startTime is how long a child may take to report itself.
const startTime = 10 * time.Second

// child is the parent's side of one child process.
type child struct {
	process   *os.Process
	in        *os.File
	outFile   *os.File
	out       *bufio.Reader
	stderr    *head
	gone      chan struct{} // closed when the process has been reaped
	state     *os.ProcessState
	why       atomic.Int32 // why we killed it
	jobs      int
	cpu       time.Duration // as it says
	memory    int64         // as it says
	idleTimer *time.Timer
}

// Why a child was killed.
const (
	reasonNone int32 = iota
	reasonTime
	reasonContext
	reasonClosed
	reasonOutput
	reasonAbandoned
)

// start makes a child and waits for its report. Whatever becomes of it, reaped is
// called once when nothing of it is left.
func start(o Options, reaped func()) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		reaped()
		return nil, err
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		reaped()
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		childIn.Close()
		in.Close()
		reaped()
		return nil, err
	}
	c := &child{in: in, outFile: out, out: bufio.NewReaderSize(out, chunk), stderr: &head{}, gone: make(chan struct{})}
	cmd := exec.Command(exe, workerArg, //nolint:noctx // it outlives the call that starts it
		strconv.FormatInt(o.MemoryBytes, 10),
		strconv.FormatInt(cpuBudget(o).Milliseconds(), 10),
		strconv.FormatInt(o.Wall.Milliseconds(), 10),
		strconv.FormatInt(o.OutputLimit, 10))
	cmd.Env = []string{} // not nil, which would be ours
	cmd.Dir = rootDir()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = childIn, childOut, c.stderr
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = processAttributes()
	err = cmd.Start()
	childIn.Close()
	childOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		reaped()
		return nil, err
	}
	c.process = cmd.Process
	go func() {
		defer reaped()
		_ = cmd.Wait() // how it ended is in the state
		c.state = cmd.ProcessState
		in.Close()
		close(c.gone)
	}()
	if err := c.awaitReady(); err != nil {
		c.kill()
		<-c.gone
		out.Close()
		return nil, fmt.Errorf("%w (%v; %s)", err, c.state, c.stderr)
	}
	return c, nil
}

// awaitReady reads the child's report and refuses a child that put on less than
// this machine has.
func (c *child) awaitReady() error {
	if err := c.outFile.SetReadDeadline(time.Now().Add(startTime)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	body, err := readFrame(c.out, frameReady)
	if err != nil {
		return err
	}
	_ = c.outFile.SetReadDeadline(time.Time{}) // where deadlines are known at all
	want := probe().mask
	if len(body) != 1 || guardMask(body[0])&want != want {
		return fmt.Errorf("sandbox: the child put on guards %b of %b", body, want)
	}
	return nil
}

// request sends the head of a job and waits until the child has taken it.
func (c *child) request(kind string, params []byte, inputs int) error {
	b := appendText(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(inputs))
	b = append(b, params...)
	if err := writeFrame(c.in, frameRequest, b); err != nil {
		return err
	}
	_, err := readFrame(c.out, frameAccept)
	return err
}

func (c *child) kill() { _ = c.process.Kill() } // gone already is fine

// cpuBudget is what a child may use in all its life: enough for many ordinary jobs,
// and for one that uses two cores for as long as it may.
func cpuBudget(o Options) time.Duration { return max(6*o.Wall, time.Minute) }

// worn says that the child shall not get another job.
func (c *child) worn(o Options) bool {
	return c.jobs >= o.Jobs || c.memory > o.MemoryBytes/4 || c.cpu > cpuBudget(o)-3*o.Wall
}

// head keeps the first bytes of what the child writes to its standard error.
type head struct {
	mu sync.Mutex
	b  []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.b = append(h.b, p[:min(len(p), 2048-len(h.b))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return clean(string(h.b))
}

// output is the running job and the stream of what it makes.
type output struct {
	sandbox   *Sandbox
	child     *child
	kind      string
	ctx       context.Context
	timer     *time.Timer
	stopWatch func() bool
	fed       chan struct{} // closed when no input is read any more
	inputErr  error         // of an input; valid after fed
	rest      int           // bytes left of the current frame
	total     int64
	err       error // how it ended
}

func newOutput(ctx context.Context, s *Sandbox, c *child, kind string) *output {
	stop := func(reason int32) func() {
		return func() {
			c.why.CompareAndSwap(reasonNone, reason)
			c.kill()
		}
	}
	return &output{
		sandbox: s, child: c, kind: kind, ctx: ctx,
		timer:     time.AfterFunc(s.options.Wall, stop(reasonTime)),
		stopWatch: context.AfterFunc(ctx, stop(reasonContext)),
	}
}

// feed starts sending the inputs.
func (o *output) feed(inputs []io.Reader) {
	o.fed = make(chan struct{})
	go func() {
		defer close(o.fed)
		buf := make([]byte, headerSize+chunk)
		for _, r := range inputs {
			if !o.send(r, buf) {
				return
			}
		}
	}()
}

// send copies one input; false means that there is no use in going on.
func (o *output) send(r io.Reader, buf []byte) bool {
	for {
		n, err := r.Read(buf[headerSize:])
		if n > 0 && writeRoomy(o.child.in, frameData, buf[:headerSize+n]) != nil {
			return false
		}
		switch {
		case err == io.EOF:
			return writeFrame(o.child.in, frameEnd, nil) == nil
		case err != nil:
			o.inputErr = err
			_ = writeFrame(o.child.in, frameAbort, nil) // if it fails, the child is gone
			return false
		}
	}
}

// advance reads up to the next output bytes or to the verdict; io.EOF is success.
func (o *output) advance() error {
	for o.err == nil && o.rest == 0 {
		kind, n, err := readHeader(o.child.out)
		switch {
		case err != nil:
			o.fail(err)
		case kind == frameOutput && o.total+int64(n) > o.sandbox.options.OutputLimit:
			o.child.why.CompareAndSwap(reasonNone, reasonOutput)
			o.fail(errProtocol)
		case kind == frameOutput:
			o.rest = n
			o.total += int64(n)
		case kind == frameVerdict:
			o.finish(n)
		default:
			o.fail(errProtocol)
		}
	}
	return o.err
}

// Read gives the output; io.EOF only after the job's verdict was good.
func (o *output) Read(p []byte) (int, error) {
	if err := o.advance(); err != nil {
		return 0, err
	}
	n, err := o.child.out.Read(p[:min(len(p), o.rest)])
	o.rest -= n
	if err != nil {
		o.fail(err)
		return n, o.err
	}
	return n, nil
}

// Close ends a job that has not been read to its end.
func (o *output) Close() error {
	if o.err == nil {
		o.child.why.CompareAndSwap(reasonNone, reasonAbandoned)
		o.fail(errors.New("closed early"))
	}
	return nil
}

// finish takes the verdict and gives the child back.
func (o *output) finish(n int) {
	body := make([]byte, n)
	if _, err := io.ReadFull(o.child.out, body); err != nil {
		o.fail(err)
		return
	}
	v, err := decodeVerdict(body)
	if err != nil {
		o.fail(err)
		return
	}
	<-o.fed // the child has read all of it before it judged
	inTime := o.timer.Stop()
	inTime = o.stopWatch() && inTime
	c := o.child
	c.jobs++
	c.cpu, c.memory = time.Duration(v.cpu)*time.Microsecond, int64(v.memory)
	switch {
	case o.inputErr != nil:
		o.err = o.inputErr
	case v.status != 0:
		o.err = v.err()
	default:
		o.err = io.EOF
	}
	if inTime {
		o.sandbox.giveBack(c)
		<-o.sandbox.slots
		return
	}
	o.drop() // killed at the last moment, after its verdict
	<-o.sandbox.slots
}

// fail ends the job and its child.
func (o *output) fail(cause error) {
	o.err = o.broken(cause)
	o.release()
	<-o.sandbox.slots
}

// release stops the clocks and waits for the child's end and for the inputs.
func (o *output) release() {
	o.timer.Stop()
	o.stopWatch()
	o.drop()
	if o.fed != nil {
		<-o.fed
		if o.inputErr != nil {
			o.err = o.inputErr
		}
	}
}

func (o *output) drop() {
	o.sandbox.end(o.child)
	<-o.child.gone
}

// broken is the error of a job whose child ended, or is ended now, before its
// verdict.
func (o *output) broken(cause error) error {
	c := o.child
	c.kill()
	<-c.gone
	cause = fmt.Errorf("%w; %v; %s", cause, c.state, c.stderr)
	switch c.why.Load() {
	case reasonContext:
		return unavailable(fmt.Errorf("%w: %w", o.ctx.Err(), cause))
	case reasonClosed:
		return unavailable(cause)
	case reasonAbandoned:
		return unavailable(cause)
	case reasonTime:
		o.log("a sandbox job took too long", cause)
		return errs.New(errs.Invalid, "processingTime", "The file cannot be processed: it takes too long.").Because(cause)
	case reasonOutput:
		o.log("a sandbox job made too much", cause)
		return errs.New(errs.Invalid, "resultTooLarge", "The file cannot be processed: the result would be too large.").Because(cause)
	}
	o.log("a sandbox child ended before its verdict", cause)
	return errs.New(errs.Invalid, "unprocessable", "The file cannot be processed: it is damaged or needs too much memory.").Because(cause)
}

func (o *output) log(what string, cause error) {
	o.sandbox.options.Logger.Warn(what, "job", o.kind, "error", cause.Error())
}
