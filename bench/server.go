package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quittance/client"
)

// process is a server that bench started and ends.
type process struct {
	cmd     *exec.Cmd
	address string
	started time.Duration // until it answered
}

// launch starts a program that listens on address, and waits until it answers path.
func launch(ctx context.Context, address, path string, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, address: address}
	for deadline := start.Add(60 * time.Second); ; {
		answer, err := http.Get("http://" + address + path)
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode < 500 {
				p.started = time.Since(start)
				return p, nil
			}
		}
		if time.Now().After(deadline) {
			p.stop()
			return nil, fmt.Errorf("%s does not answer on %s: %v", name, address, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// memory is the resident set in MB.
func (p *process) memory() float64 {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// cpu is the processor time that the process and its children have used, in steps of
// 10 ms; 0 where the system does not tell.
func (p *process) cpu() time.Duration { return cpuOf(strconv.Itoa(p.cmd.Process.Pid)) }

func cpuOf(pid string) time.Duration {
	dir := filepath.Join("/proc", pid)
	b, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	// Behind the name, which may hold anything, the 12th and the 13th field are the
	// time in user and in system mode, in hundredths of a second.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	sum := time.Duration(user+system) * 10 * time.Millisecond
	children, _ := os.ReadFile(filepath.Join(dir, "task", pid, "children"))
	for _, child := range strings.Fields(string(children)) {
		sum += cpuOf(child)
	}
	return sum
}

// freeAddress is a loopback address that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// quittance is a running server with ann signed in.
type quittance struct {
	*process
	data string
	ann  *client.Session
}

func startQuittance(ctx context.Context, binary, data string) (*quittance, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, address, "/healthz", binary, "dev", "--data", data, "--listen", address, "--log-level", "error")
	if err != nil {
		return nil, err
	}
	q := &quittance{process: p, data: data}
	if q.ann, err = client.New("http://"+address, client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"}).SignIn(ctx, "ann@demo.test", "ann-password"); err != nil {
		p.stop()
		return nil, err
	}
	return q, nil
}
