package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"quittance/internal/kernel/errs"
)

func TestMain(m *testing.M) {
	Worker(testJobs())
	otherProcesses()
	os.Exit(m.Run())
}

// testJobs is what the child of a test can do.
func testJobs() map[string]Job {
	jobs := map[string]Job{
		// echo gives back its parameters and its inputs.
		"echo": func(c *Call) error {
			if _, err := c.Write(c.Params); err != nil {
				return err
			}
			for {
				r, err := c.Next()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				if _, err := io.Copy(c, r); err != nil {
					return err
				}
			}
		},
		// heads gives the first byte of every input and leaves the rest unread.
		"heads": func(c *Call) error {
			for {
				r, err := c.Next()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
				var b [1]byte
				if _, err := io.ReadFull(r, b[:]); err != nil {
					return err
				}
				if _, err := c.Write(b[:]); err != nil {
					return err
				}
			}
		},
		"ignore": func(c *Call) error { return nil },
		"sum": func(c *Call) error {
			h := sha256.New()
			r, err := c.Next()
			if err != nil {
				return err
			}
			if _, err := io.Copy(h, r); err != nil {
				return err
			}
			_, err = c.Write(h.Sum(nil))
			return err
		},
		"refuse": func(*Call) error {
			return errs.New(errs.TooLarge, "pages", "There are too many pages.\x00\n").Because(errors.New("2001"))
		},
		"internal": func(*Call) error { return errors.New("something odd") },
		"panic":    func(*Call) error { var m map[string]int; m["x"] = 1; return nil },
		"exit":     func(*Call) error { os.Exit(0); return nil },
		"spin": func(*Call) error {
			for {
			}
		},
		"deep": func(*Call) error {
			var f func(n int) int
			f = func(n int) int { return f(n+1) + 1 }
			f(0)
			return nil
		},
		// announce tells its process id, and then never ends.
		"announce": func(c *Call) error {
			var b [8]byte
			binary.BigEndian.PutUint64(b[:], uint64(os.Getpid()))
			c.Write(b[:])
			select {}
		},
		"pid": func(c *Call) error { _, err := fmt.Fprint(c, os.Getpid()); return err },
		"hog": func(*Call) error {
			var keep [][]byte
			for {
				b := make([]byte, 16<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				keep = append(keep, b)
				if len(keep) > 1024 {
					return errors.New("16 GiB were to be had")
				}
			}
		},
		"grow": func(*Call) error {
			grown = make([]byte, 80<<20)
			for i := 0; i < len(grown); i += 4096 {
				grown[i] = 1
			}
			return nil
		},
		"flood": func(c *Call) error {
			b := make([]byte, chunk)
			for {
				// Past its own limit, as a child that has been taken over would.
				if err := writeFrame(c.out, frameOutput, b); err != nil {
					return err
				}
			}
		},
		"tooMuch": func(c *Call) error { _, err := io.Copy(c, endless{}); return err },
		"garbage": func(c *Call) error { c.out.Write([]byte("Hello, parent!")); select {} },
		"print":   func(*Call) error { fmt.Println("a library that prints"); return nil },
		"environ": func(c *Call) error { _, err := fmt.Fprint(c, len(os.Environ())); return err },
	}
	platformJobs(jobs)
	return jobs
}

// grown is what the job "grow" keeps, to see that a grown child is replaced.
var grown []byte

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func open(t *testing.T, o Options) *Sandbox {
	t.Helper()
	s := New(o)
	t.Cleanup(func() { s.Close() })
	return s
}

// run does a job and reads all of its output.
func run(s *Sandbox, kind string, inputs ...string) (string, error) {
	readers := make([]io.Reader, len(inputs))
	for i, in := range inputs {
		readers[i] = strings.NewReader(in)
	}
	out, err := s.Run(context.Background(), kind, []byte("p:"), readers)
	if err != nil {
		return "", err
	}
	defer out.Close()
	b, err := io.ReadAll(out)
	return string(b), err
}

// needRun is run that must succeed.
func needRun(t *testing.T, s *Sandbox, kind string, inputs ...string) string {
	t.Helper()
	got, err := run(s, kind, inputs...)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return got
}

func TestInputsAndOutput(t *testing.T) {
	s := open(t, Options{})
	big := strings.Repeat("0123456789abcdef", 200_000)
	tests := []struct {
		kind   string
		inputs []string
		want   string
	}{
		{"echo", nil, "p:"},
		{"echo", []string{""}, "p:"},
		{"echo", []string{"a", "", "bc"}, "p:abc"},
		{"echo", []string{big, big}, "p:" + big + big},
		{"heads", []string{"x" + big, "y", "z" + big}, "xyz"},
		{"ignore", []string{big, big, big}, ""},
		{"print", nil, ""},
		{"environ", nil, "0"},
	}
	for _, test := range tests {
		if got := needRun(t, s, test.kind, test.inputs...); got != test.want {
			t.Errorf("%s of %d inputs: got %d bytes, want %d", test.kind, len(test.inputs), len(got), len(test.want))
		}
	}
}

func TestOneByteReaders(t *testing.T) {
	s := open(t, Options{})
	out, err := s.Run(context.Background(), "echo", nil, []io.Reader{iotest.OneByteReader(strings.NewReader("slow but sure"))})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(iotest.OneByteReader(out))
	if err != nil || string(b) != "slow but sure" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestVerdicts(t *testing.T) {
	o := Options{Wall: time.Minute, OutputLimit: 1 << 20, MemoryBytes: 512 << 20}
	patient := open(t, o)
	o.Wall = time.Second
	hurried := open(t, o)
	tests := []struct {
		job  string
		kind errs.Kind
		code string
		log  string
	}{
		{"refuse", errs.TooLarge, "pages", "2001"},
		{"internal", errs.Invalid, "unprocessable", "something odd"},
		{"panic", errs.Invalid, "unprocessable", "nil map"},
		{"exit", errs.Invalid, "unprocessable", "exit status 0"},
		{"deep", errs.Invalid, "unprocessable", "stack"},
		{"spin", errs.Invalid, "processingTime", "killed"},
		{"flood", errs.Invalid, "resultTooLarge", "killed"},
		{"tooMuch", errs.Invalid, "resultTooLarge", ""},
		{"garbage", errs.Invalid, "unprocessable", "protocol"},
		{"no such job", errs.Invalid, "unprocessable", "no such job"},
	}
	for _, test := range tests {
		t.Run(test.job, func(t *testing.T) {
			s := patient
			if test.job == "spin" {
				s = hurried
			}
			_, err := run(s, test.job, "some input")
			e := errs.As(err)
			if e == nil || e.Kind != test.kind || e.Code != test.code || !strings.Contains(e.Error(), test.log) {
				t.Errorf("got %v, want %v %s with %q", err, test.kind, test.code, test.log)
			}
			if strings.ContainsAny(e.Message, "\x00\n") {
				t.Errorf("the sentence %q has control characters", e.Message)
			}
			if got := needRun(t, s, "echo", "next"); got != "p:next" {
				t.Errorf("the next job gave %q", got)
			}
		})
	}
}

func TestMemoryHog(t *testing.T) {
	s := open(t, Options{MemoryBytes: 256 << 20})
	if guard(s, "memory") {
		_, err := run(s, "hog")
		if e := errs.As(err); e == nil || e.Kind != errs.Invalid || e.Code != "unprocessable" {
			t.Errorf("got %v", err)
		}
	} else {
		t.Log("no memory guard here")
	}
	if got := needRun(t, s, "echo", "next"); got != "p:next" {
		t.Errorf("the next job gave %q", got)
	}
}

func guard(s *Sandbox, name string) bool {
	for _, g := range s.Guards() {
		if g.Name == name {
			return g.Holds
		}
	}
	return false
}

func TestInputError(t *testing.T) {
	s := open(t, Options{})
	broken := errors.New("the disk is gone")
	for _, kind := range []string{"echo", "ignore", "heads"} {
		out, err := s.Run(context.Background(), kind, nil, []io.Reader{
			io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), strings.NewReader("never read")})
		if err == nil {
			_, err = io.ReadAll(out)
		}
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	first := needRun(t, s, "pid")
	if second := needRun(t, s, "pid"); first != second {
		t.Error("a broken input cost the child its life")
	}
}

func TestCancel(t *testing.T) {
	s := open(t, Options{Wall: time.Minute, Workers: 1})
	ctx, cancel := context.WithCancel(context.Background())
	out, err := s.Run(ctx, "announce", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = out.Read(make([]byte, 1))
	if !errs.Is(err, errs.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Run(ctx, "echo", nil, nil); !errs.Is(err, errs.Unavailable) {
		t.Errorf("with a dead context: %v", err)
	}
	needRun(t, s, "echo")
}

func TestCloseOutputEarly(t *testing.T) {
	s := open(t, Options{Wall: time.Minute, Workers: 1})
	out, err := s.Run(context.Background(), "announce", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	if _, err := out.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a closed output gave %v", err)
	}
	out.Close()
	needRun(t, s, "echo") // the only slot is free again
}

func TestBusy(t *testing.T) {
	s := open(t, Options{Wall: time.Minute, Queue: time.Millisecond, Workers: 1})
	out, err := s.Run(context.Background(), "announce", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(s, "echo")
	if e := errs.As(err); e == nil || e.Kind != errs.Unavailable || e.RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
	out.Close()
}

func TestChildIsKeptAndReplaced(t *testing.T) {
	s := open(t, Options{Jobs: 3, Workers: 1, MemoryBytes: 512 << 20})
	var pids []string
	for range 4 {
		pids = append(pids, needRun(t, s, "pid"))
	}
	if pids[0] != pids[1] || pids[1] != pids[2] || pids[2] == pids[3] {
		t.Errorf("three jobs a child, and the children were %v", pids)
	}
	s = open(t, Options{Workers: 1, MemoryBytes: 256 << 20})
	before := needRun(t, s, "pid")
	needRun(t, s, "grow")
	if after := needRun(t, s, "pid"); before == after {
		t.Error("a grown child was kept")
	}
}

// A kept child that the system killed meanwhile costs no job.
func TestIdleChildDies(t *testing.T) {
	s := open(t, Options{Workers: 1})
	for range 3 {
		first := needRun(t, s, "pid")
		s.mu.Lock()
		c := s.idle[0]
		s.mu.Unlock()
		c.process.Kill()
		<-c.gone
		if second := needRun(t, s, "pid"); first == second {
			t.Error("the same child")
		}
	}
}

func TestIdleChildIsDismissed(t *testing.T) {
	s := open(t, Options{Workers: 1, Idle: time.Millisecond})
	needRun(t, s, "pid")
	s.mu.Lock()
	all := make([]*child, 0, 1)
	for c := range s.all {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		select {
		case <-c.gone:
		case <-time.After(10 * time.Second):
			t.Error("an idle child lives on")
		}
	}
}

func TestParallel(t *testing.T) {
	s := open(t, Options{})
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			body := bytes.Repeat([]byte{byte(i)}, 300_000)
			out, err := s.Run(context.Background(), "sum", nil, []io.Reader{bytes.NewReader(body)})
			if err != nil {
				t.Error(err)
				return
			}
			got, err := io.ReadAll(out)
			if want := sha256.Sum256(body); err != nil || !bytes.Equal(got, want[:]) {
				t.Errorf("job %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) > 2 {
		t.Errorf("%d children", len(s.all))
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s := New(Options{Wall: time.Minute})
	needRun(t, s, "echo")
	out, err := s.Run(context.Background(), "announce", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := io.ReadAll(out)
		done <- err
	}()
	s.Close()
	if err := <-done; !errs.Is(err, errs.Unavailable) {
		t.Errorf("the running job: %v", err)
	}
	if _, err := run(s, "echo"); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a job after Close: %v", err)
	}
	s.Close()
}

// What a child says is never trusted.
func TestHostileVerdicts(t *testing.T) {
	long := verdict{status: 1, message: strings.Repeat("é\x1b", 5000)}
	v, err := decodeVerdict(long.encode())
	if err != nil || len([]rune(v.message)) > maxText || strings.ContainsRune(v.message, 0x1b) {
		t.Errorf("%v, %d runes", err, len([]rune(v.message)))
	}
	good := verdict{status: 2, cpu: 3, memory: 4, code: "c", message: "m", detail: "d"}
	if v, err := decodeVerdict(good.encode()); err != nil || v != good {
		t.Errorf("%v, %v", v, err)
	}
	for n := range len(good.encode()) {
		if _, err := decodeVerdict(good.encode()[:n]); err == nil {
			t.Errorf("a verdict of %d bytes was taken", n)
		}
	}
	bad := verdict{status: 200}
	if _, err := decodeVerdict(bad.encode()); err == nil {
		t.Error("an unknown status was taken")
	}
}

func TestGuardsHaveNames(t *testing.T) {
	gs := New(Options{}).Guards()
	if len(gs) != len(guardNames) {
		t.Fatalf("%d guards", len(gs))
	}
	for _, g := range gs {
		t.Logf("%-13s %-5v %s", g.Name, g.Holds, g.Note)
		if g.Name == "" || g.Note == "" {
			t.Errorf("%+v", g)
		}
	}
}

func BenchmarkJob(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	for _, size := range []int{0, 300 << 10, 10 << 20} {
		body := make([]byte, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				out, err := s.Run(context.Background(), "sum", nil, []io.Reader{bytes.NewReader(body)})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s := New(Options{})
		if _, err := run(s, "echo"); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
