package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"quittance/internal/kernel/errs"
)

// workerArg is the first argument of a child.
const workerArg = "sandbox-worker"

// Job is a kind of work: it reads its inputs, writes its output and gives its
// verdict: nil, an *errs.Error whose sentence is for the caller, or any other
// error, which means that the file cannot be processed and is only logged.
// It may keep nothing for the next job.
type Job func(*Call) error

// Call is one piece of work, as a child sees it.
type Call struct {
	Params []byte

	in     *bufio.Reader
	out    io.Writer
	inputs int   // not yet begun
	cur    bool  // an input is open
	rest   int   // bytes left of the current data frame
	room   int64 // output bytes still allowed
	buf    []byte
}

// errInput is what a job sees when the parent cannot read an input.
var errInput = errors.New("sandbox: an input cannot be read")

// Next gives the next input; what is left of the one before is skipped. After the
// last one it gives io.EOF.
func (c *Call) Next() (io.Reader, error) {
	if c.cur {
		if _, err := io.Copy(io.Discard, current{c}); err != nil {
			return nil, err
		}
	}
	if c.inputs == 0 {
		return nil, io.EOF
	}
	c.inputs--
	c.cur = true
	return current{c}, nil
}

// current reads the open input.
type current struct{ c *Call }

func (r current) Read(p []byte) (int, error) {
	c := r.c
	for c.rest == 0 {
		if !c.cur {
			return 0, io.EOF
		}
		kind, n, err := readHeader(c.in)
		switch {
		case err != nil:
			return 0, err
		case kind == frameData:
			c.rest = n
		case kind == frameEnd:
			c.cur = false
		case kind == frameAbort:
			c.cur, c.inputs = false, 0
			return 0, errInput
		default:
			return 0, errProtocol
		}
	}
	n, err := c.in.Read(p[:min(len(p), c.rest)])
	c.rest -= n
	return n, err
}

// Write adds to the output; it fails beyond the limit.
func (c *Call) Write(p []byte) (int, error) {
	if int64(len(p)) > c.room {
		return 0, errs.New(errs.Invalid, "resultTooLarge", "The file cannot be processed: the result would be too large.")
	}
	c.room -= int64(len(p))
	for done := 0; done < len(p); {
		n := min(chunk, len(p)-done)
		c.buf = append(append(c.buf[:0], make([]byte, headerSize)...), p[done:done+n]...)
		if err := writeRoomy(c.out, frameOutput, c.buf); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

// limits of a child, from its arguments.
type limits struct {
	memory int64
	cpu    time.Duration
	wall   time.Duration
	output int64
}

// Worker turns this process into a child and never returns when it was started as
// one; else it does nothing. Call it before anything else, with every job.
func Worker(jobs map[string]Job) {
	if len(os.Args) != 6 || os.Args[1] != workerArg {
		return
	}
	if err := work(jobs); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(jobs map[string]Job) error {
	var n [4]int64
	for i := range n {
		v, err := strconv.ParseInt(os.Args[2+i], 10, 64)
		if err != nil {
			return err
		}
		n[i] = v
	}
	l := limits{memory: n[0], cpu: time.Duration(n[1]) * time.Millisecond, wall: time.Duration(n[2]) * time.Millisecond, output: n[3]}

	in, out := bufio.NewReaderSize(os.Stdin, chunk), os.Stdout
	os.Stdout = os.Stderr // whoever prints does not disturb the frames
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	debug.SetMaxStack(64 << 20)
	debug.SetMemoryLimit(l.memory / 4 * 3)
	mask, err := restrict(l)
	if err != nil {
		return err
	}
	if err := writeFrame(out, frameReady, []byte{byte(mask)}); err != nil {
		return err
	}
	for {
		body, err := readFrame(in, frameRequest)
		if errors.Is(err, io.EOF) {
			return nil // the parent is done with us, or gone
		}
		if err != nil {
			return err
		}
		if err := serve(jobs, l, in, out, body); err != nil {
			return err
		}
	}
}

// serve does one job. Its error is that of the talk with the parent.
func serve(jobs map[string]Job, l limits, in *bufio.Reader, out io.Writer, request []byte) error {
	kind, rest, err := cutText(request)
	if err != nil || len(rest) < 2 {
		return errProtocol
	}
	if err := writeFrame(out, frameAccept, nil); err != nil {
		return err
	}
	// Should the parent be gone or hang, nobody else would end a job that loops.
	clock := time.AfterFunc(l.wall+l.wall/4, func() { os.Exit(3) })
	defer clock.Stop()
	c := &Call{Params: rest[2:], in: in, out: out, inputs: int(binary.BigEndian.Uint16(rest)), room: l.output}
	var verdict verdict
	if job, ok := jobs[kind]; ok {
		verdict = judge(job(c))
	} else {
		verdict = judge(fmt.Errorf("sandbox: no job %q", kind))
	}
	for { // the parent sends every input, wanted or not
		_, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, errInput) {
			return err
		}
	}
	verdict.cpu = uint64(cpuUsed().Microseconds())
	verdict.memory = memoryUsed()
	return writeFrame(out, frameVerdict, verdict.encode())
}

func judge(err error) verdict {
	if err == nil {
		return verdict{}
	}
	var e *errs.Error
	if errors.As(err, &e) {
		for i, kind := range verdictKinds {
			if i > 0 && kind == e.Kind {
				v := verdict{status: byte(i), code: e.Code, message: e.Message}
				if cause := errors.Unwrap(e); cause != nil {
					v.detail = cause.Error()
				}
				return v
			}
		}
	}
	return verdict{status: 1, code: "unprocessable", message: "The file cannot be processed; it may be damaged.", detail: err.Error()}
}

// memoryUsed is what the Go runtime holds, after giving back what a large job left.
func memoryUsed() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys-m.HeapReleased > 96<<20 {
		debug.FreeOSMemory()
		runtime.ReadMemStats(&m)
	}
	return m.Sys - m.HeapReleased
}
