package sandbox

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// probe asks the kernel what it can do.
func probe() probed {
	p := everywhere()
	set := func(i int, note string) {
		p.mask |= 1 << i
		p.notes[i] = note
	}
	set(2, "PR_SET_PDEATHSIG, and the end of its input")
	if abi := landlockABI(); abi > 0 {
		set(3, fmt.Sprintf("Landlock version %d: no file, no TCP", abi))
	} else {
		p.notes[3] = "this kernel has no Landlock, or it is off"
	}
	switch {
	case allowedCalls == nil:
	case seccompAvailable():
		set(4, "seccomp: the calls of the Go runtime only; no open, socket, execve, fork, no executable memory")
	default:
		p.notes[4] = "this kernel has no seccomp filters"
	}
	if raceDetector {
		p.notes[5] = "off in a program with the race detector"
	} else {
		set(5, "RLIMIT_DATA")
	}
	set(6, "RLIMIT_CPU")
	return p
}

func landlockABI() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

func seccompAvailable() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // a Ctrl-C ends the server first, and the server its children
	}
}

func rootDir() string { return "/" }

// restrict puts on every guard that the machine has, for the rest of this process,
// on all its threads.
func restrict(l limits) (guardMask, error) {
	p := probe()
	// When the machine runs out of memory, the system shall take the child and not the
	// server. Not a guard: it may be forbidden in a container.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	if err := closeInherited(); err != nil {
		return 0, err
	}
	if err := limitResources(l); err != nil {
		return 0, err
	}
	if p.mask&guardFiles != 0 {
		if err := restrictFiles(); err != nil {
			return 0, err
		}
	}
	if p.mask&guardSyscalls != 0 {
		if err := restrictCalls(); err != nil {
			return 0, err
		}
	}
	return p.mask, nil
}

// closeInherited closes what came through the parent from whoever started it: all
// that this process opened itself is marked close-on-exec.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("sandbox: open files: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

func limitResources(l limits) error {
	seconds, memory := uint64(math.Ceil(l.cpu.Seconds())), uint64(l.memory)
	if raceDetector {
		memory = math.MaxUint64 // RLIM_INFINITY
	}
	for _, r := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_DATA, memory},
		{unix.RLIMIT_CPU, seconds},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, 32},
	} {
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: r.value, Max: r.value}); err != nil {
			return fmt.Errorf("sandbox: resource limit %d: %w", r.resource, err)
		}
	}
	return nil
}

// restrictFiles denies every path, TCP, and what else this kernel's Landlock knows.
func restrictFiles() error {
	return landlock.V7.BestEffort().Restrict()
}

func cpuUsed() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return math.MaxInt64
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
