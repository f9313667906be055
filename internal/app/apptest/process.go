package apptest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"quittance/internal/app"
	"quittance/internal/kernel/sandbox"
)

// childEnv makes this test program the real one.
const childEnv = "QUITTANCE_TEST_CHILD"

// Child must be the first call of TestMain: it makes the test program what a test has
// started it for, the program itself or one of its sandbox workers. The program ends
// with the test that started it, however that ends.
func Child() {
	sandbox.Worker(app.SandboxJobs())
	if os.Getenv(childEnv) == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the process that holds the other end
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// Process is the program as a process of its own.
type Process struct {
	Address string // where it listens
	Pid     int

	command *exec.Cmd
	stdin   io.Closer
	output  *output
	ended   chan struct{}
}

// output is what a process writes, both streams together.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	address chan string
	found   bool
}

var listening = regexp.MustCompile(`msg"?[=:]"?listening"?[ ,]"?address"?[=:]"?([0-9.]+:[0-9]+)`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if m := listening.FindSubmatch(o.text.Bytes()); m != nil && !o.found {
		o.found = true
		o.address <- string(m[1])
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Program starts the program with a command line and waits until it listens. It is
// killed at the end of the test, if it still runs.
func Program(t testing.TB, env []string, line ...string) *Process {
	t.Helper()
	return Launch(t, os.Args[0], append(env, childEnv+"=1"), line...)
}

// Launch is Program for another executable.
func Launch(t testing.TB, executable string, env []string, line ...string) *Process {
	t.Helper()
	p := &Process{command: exec.Command(executable, line...), output: &output{address: make(chan string, 1)}, ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), env...)
	p.command.Stdout, p.command.Stderr = p.output, p.output
	var err error
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.Pid = p.command.Process.Pid
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() { p.Kill() })
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	select {
	case p.Address = <-p.output.address:
	case <-p.ended:
		t.Fatalf("%v ended at once: %s\n%s", line, p.command.ProcessState, p.Output())
	case <-timeout.C:
		t.Fatalf("%v does not listen:\n%s", line, p.Output())
	}
	return p
}

// URL is where the process listens, as an address of clients.
func (p *Process) URL() string { return "http://" + p.Address }

// Output is what the process has written so far.
func (p *Process) Output() string { return p.output.String() }

// Kill ends the process as a power failure would, and waits for that.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.ended
	_ = p.stdin.Close()
}

// Interrupt asks the process to end. Wait waits for it.
func (p *Process) Interrupt() error { return p.command.Process.Signal(syscall.SIGTERM) }

// Wait waits until the process has ended, and tells if that was not with status 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return fmt.Errorf("the process has not ended: %w\n%s", ctx.Err(), p.Output())
	}
	if !p.command.ProcessState.Success() {
		return fmt.Errorf("the process ended with %s:\n%s", p.command.ProcessState, p.Output())
	}
	return nil
}

// Eventually asks until ok holds, and fails the test after ten seconds.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatal("not within ten seconds: " + what)
		case <-again.C:
		}
	}
}
