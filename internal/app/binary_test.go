package app_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"quittance/internal/app/apptest"
)

// The bars of the program as it is released.
const (
	maxBinary = 45 << 20 // bytes
	maxStart  = 200 * time.Millisecond
	maxIdle   = 60 << 20 // bytes of memory
)

// TestBinary builds the program as it is released, runs the main job with it twice in
// one folder, and holds it to the bars.
func TestBinary(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	program := filepath.Join(t.TempDir(), "quittance")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "quittance/cmd/quittance")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBinary {
		t.Errorf("the program has %d MB", info.Size()>>20)
	}
	data := filepath.Join(t.TempDir(), "data")
	for range 2 {
		out, err := exec.CommandContext(ctx, program, "demo", "--exit", "--data", data, "--listen", "127.0.0.1:0").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Done in") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// The quickest of a few: other work on the machine only adds to it.
	quickest := time.Hour
	for range 5 {
		start := time.Now()
		p := apptest.Launch(t, program, nil, "dev", "--data", data, "--listen", "127.0.0.1:0")
		if status, _ := get(t, "GET", p.URL()+"/readyz", ""); status != 200 {
			t.Errorf("ready: %d", status)
		}
		quickest = min(quickest, time.Since(start))
		apptest.Eventually(t, "the greeting", func() bool { return strings.Contains(p.Output(), "A location") })
		memory := resident(p.Pid)
		if memory > maxIdle {
			t.Errorf("idle, it takes %d MB", memory>>20)
		}
		t.Logf("start %s, memory %d MB", time.Since(start).Round(time.Millisecond), memory>>20)
		if err := p.Interrupt(); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
	if quickest > maxStart {
		t.Errorf("a start takes %s", quickest)
	}
	t.Logf("ready after %s, %d MB", quickest.Round(time.Millisecond), info.Size()>>20)
}

// resident is how much memory a process takes, in bytes; 0 where that is not told.
func resident(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}
