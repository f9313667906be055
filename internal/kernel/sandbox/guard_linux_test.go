package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbidden is what a child must not be able to do; each gives nil when it could.
// The first column is the guard that must hold for it to fail.
var forbidden = []struct {
	guard string
	name  string
	try   func(path string) error
}{
	{"files", "read a file", func(p string) error { return closing(os.Open(p)) }},
	{"files", "read the program", func(string) error { return closing(os.Open("/proc/self/exe")) }},
	{"files", "list a folder", func(string) error { _, err := os.ReadDir("/"); return err }},
	{"files", "make a file", func(p string) error { return closing(os.Create(p + ".new")) }},
	{"files", "make a folder", func(p string) error { return os.Mkdir(p+".dir", 0o700) }},
	{"files", "remove a file", func(p string) error { return os.Remove(p) }},
	{"files", "cut a file", func(p string) error { return os.Truncate(p, 0) }},
	{"system-calls", "open an Internet socket", func(string) error { return socket(unix.AF_INET, unix.SOCK_STREAM) }},
	{"system-calls", "open a datagram socket", func(string) error { return socket(unix.AF_INET6, unix.SOCK_DGRAM) }},
	{"system-calls", "open a local socket", func(string) error { return socket(unix.AF_UNIX, unix.SOCK_STREAM) }},
	{"system-calls", "make a pair of sockets", func(string) error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err }},
	{"system-calls", "dial", func(string) error { return closing(net.Dial("tcp", "127.0.0.1:9")) }},
	{"system-calls", "start a program", func(string) error { return exec.Command("/bin/true").Run() }},
	{"system-calls", "become a program", func(string) error { return syscall.Exec("/nothing/here", []string{"x"}, nil) }},
	{"system-calls", "fork", func(string) error { return fork() }},
	{"system-calls", "make executable memory", func(string) error {
		b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err == nil {
			unix.Munmap(b)
		}
		return err
	}},
	{"system-calls", "signal its parent", func(string) error { return unix.Kill(os.Getppid(), 0) }},
	{"system-calls", "look into its parent", func(string) error { return unix.PtraceAttach(os.Getppid()) }},
	{"system-calls", "raise its limits", func(string) error {
		return unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1e6, Max: 1e6})
	}},
	{"system-calls", "mount", func(string) error { return unix.Mount("none", "/mnt", "tmpfs", 0, "") }},
	{"system-calls", "change its owner", func(string) error { return unix.Setgroups(nil) }},
}

func closing[T io.Closer](f T, err error) error {
	if err == nil {
		f.Close()
	}
	return err
}

func socket(domain, kind int) error {
	fd, err := unix.Socket(domain, kind, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

func platformJobs(jobs map[string]Job) {
	// forbidden tries everything on several threads, and names what it could do.
	jobs["forbidden"] = func(c *Call) error {
		var mu sync.Mutex
		var threads sync.WaitGroup
		barrier := make(chan struct{})
		for range 6 {
			threads.Go(func() {
				runtime.LockOSThread() // all of them at once, so all on threads of their own
				<-barrier
				for _, f := range forbidden {
					if err := f.try(string(c.Params)); !errors.Is(err, os.ErrPermission) {
						mu.Lock()
						fmt.Fprintf(c, "%s (%v)\n", f.name, err)
						mu.Unlock()
					}
				}
			})
		}
		close(barrier)
		threads.Wait()
		return nil
	}
	jobs["pipes"] = func(c *Call) error {
		for fd := range 300 {
			var stat unix.Stat_t
			if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFIFO {
				fmt.Fprintf(c, "%d ", fd)
			}
		}
		return nil
	}
	jobs["cpu"] = func(c *Call) error {
		for range runtime.GOMAXPROCS(0) {
			go func() {
				for {
				}
			}()
		}
		select {}
	}
}

// otherProcesses are processes of the tests that are no children of a sandbox.
func otherProcesses() {
	if len(os.Args) != 3 {
		return
	}
	switch os.Args[1] {
	case "only-landlock", "only-seccomp":
		restrictOne := restrictFiles
		guard := "files"
		if os.Args[1] == "only-seccomp" {
			restrictOne, guard = restrictCalls, "system-calls"
		}
		runtime.LockOSThread()
		if err := restrictOne(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		var threads sync.WaitGroup
		for range 4 {
			threads.Go(func() {
				runtime.LockOSThread()
				for _, f := range forbidden {
					if f.guard == guard {
						if err := f.try(os.Args[2]); !errors.Is(err, os.ErrPermission) {
							fmt.Printf("%s (%v)\n", f.name, err)
						}
					}
				}
			})
		}
		threads.Wait()
		os.Exit(0)
	case "parent":
		s := New(Options{Wall: time.Hour})
		out, err := s.Run(context.Background(), "announce", nil, nil)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		var pid [8]byte
		io.ReadFull(out, pid[:])
		os.Stdout.Write(pid[:])
		select {}
	}
}

func secret(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestForbidden(t *testing.T) {
	s := open(t, Options{})
	for _, name := range []string{"files", "system-calls"} {
		if !guard(s, name) {
			t.Skipf("this machine has no guard %q", name)
		}
	}
	path := secret(t)
	for range 2 { // a new child, and the same again
		out, err := s.Run(context.Background(), "forbidden", []byte(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		could, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(could) > 0 {
			t.Errorf("the child could:\n%s", could)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "secret" {
		t.Error("the file was touched")
	}
}

// What the server was started with open does not reach the child.
func TestInheritedFilesAreClosed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := unix.FcntlInt(r.Fd(), unix.F_SETFD, 0); err != nil { // as a shell leaves it
		t.Fatal(err)
	}
	if got := needRun(t, open(t, Options{}), "pipes"); got != "0 1 2 " {
		t.Errorf("the child has the pipes %s", got)
	}
}

// A child is what the system kills first when memory is short.
func TestChildIsTheFirstVictim(t *testing.T) {
	pid := strings.TrimPrefix(needRun(t, open(t, Options{}), "pid"), "p:")
	b, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
	if err != nil || strings.TrimSpace(string(b)) != "1000" {
		t.Errorf("%q, %v", b, err)
	}
}

// Each of the two guards holds without the other.
func TestGuardsAlone(t *testing.T) {
	s := New(Options{})
	for _, test := range []struct{ guard, process string }{{"files", "only-landlock"}, {"system-calls", "only-seccomp"}} {
		if !guard(s, test.guard) {
			t.Logf("this machine has no guard %q", test.guard)
			continue
		}
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(exe, test.process, secret(t)).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", test.process, err, out)
		}
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(exe, "parent", "")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var b [8]byte
	if _, err := io.ReadFull(out, b[:]); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(int(binary.BigEndian.Uint64(b[:])), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0); n != 0 || err != nil {
		t.Fatalf("the child is gone already: %d, %v", n, err)
	}
	parent.Process.Kill()
	parent.Wait()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000); n != 1 || err != nil {
		t.Errorf("the child lives on: %d, %v", n, err)
	}
}

// A child whose parent does not kill it in time is ended by its processor time.
func TestProcessorTime(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, workerArg, strconv.Itoa(1<<30), "1000", "3600000", "1000")
	cmd.Env = []string{}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(in, frameRequest, append(appendText(nil, "cpu"), 0, 0)); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || cmd.ProcessState.SystemTime()+cmd.ProcessState.UserTime() > 3*time.Second {
		t.Errorf("%v after %v", cmd.ProcessState, cmd.ProcessState.UserTime())
	}
}

// The filter ends foreign call conventions at once, and every jump stays inside.
func TestFilterShape(t *testing.T) {
	if allowedCalls == nil {
		t.Skip("no filter for this architecture")
	}
	f := callFilter(1)
	if len(f) > 4096 || unsafe.Sizeof(f[0]) != 8 {
		t.Fatal("too long")
	}
	for i, in := range f {
		if in.Code&7 == unix.BPF_JMP && (i+1+int(in.Jt) >= len(f) || i+1+int(in.Jf) >= len(f)) {
			t.Errorf("instruction %d jumps out", i)
		}
	}
	if last := f[len(f)-1]; last.Code != unix.BPF_RET|unix.BPF_K || last.K == unix.SECCOMP_RET_ALLOW {
		t.Error("the filter does not end by denying")
	}
}
