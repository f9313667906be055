package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data of a little-endian machine.
const (
	offNumber = 0
	offArch   = 4
	offArg0   = 16
	offArg2   = 32
)

// filter is a list of BPF instructions.
type filter []unix.SockFilter

func (f *filter) add(code uint16, jt, jf uint8, k uint32) {
	*f = append(*f, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

func (f *filter) load(offset uint32) { f.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, offset) }
func (f *filter) give(action uint32) { f.add(unix.BPF_RET|unix.BPF_K, 0, 0, action) }

// on answers one system call with an action.
func (f *filter) on(number int, action uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 1, uint32(number))
	f.give(action)
}

// when answers one system call by one half of an argument: yes if the test holds,
// else no. The test is BPF_JEQ or BPF_JSET.
func (f *filter) when(number int, offset uint32, test uint16, value, yes, no uint32) {
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 4, uint32(number))
	f.load(offset)
	f.add(unix.BPF_JMP|test|unix.BPF_K, 0, 1, value)
	f.give(yes)
	f.give(no)
}

// callFilter allows the system calls that a running Go program needs for memory,
// threads, clocks and the files that are open already. Everything else fails with
// EPERM, as if the program had no right to it.
func callFilter(pid int) filter {
	allow, deny := uint32(unix.SECCOMP_RET_ALLOW), uint32(unix.SECCOMP_RET_ERRNO|unix.EPERM)
	var f filter
	f.load(offArch)
	f.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 1, 0, auditArch)
	f.give(unix.SECCOMP_RET_KILL_PROCESS)
	f.load(offNumber)
	f.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, 0, 1, 0x40000000) // the x32 calls of amd64
	f.give(unix.SECCOMP_RET_KILL_PROCESS)
	for _, number := range allowedCalls {
		f.on(number, allow)
	}
	f.when(unix.SYS_CLONE, offArg0, unix.BPF_JSET, unix.CLONE_THREAD, allow, deny)
	f.on(unix.SYS_CLONE3, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)) // its flags cannot be seen: the C library falls back to clone
	f.when(unix.SYS_MMAP, offArg2, unix.BPF_JSET, unix.PROT_EXEC, deny, allow)
	f.when(unix.SYS_MPROTECT, offArg2, unix.BPF_JSET, unix.PROT_EXEC, deny, allow)
	f.when(unix.SYS_TGKILL, offArg0, unix.BPF_JEQ, uint32(pid), allow, deny)
	f.give(deny)
	return f
}

// commonCalls are the harmless calls that every architecture has.
var commonCalls = []int{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
	unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK, unix.SYS_MEMBARRIER,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRUSAGE, unix.SYS_UNAME, unix.SYS_SYSINFO, unix.SYS_GETRANDOM,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PPOLL,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// restrictCalls puts the filter on all threads of this process.
func restrictCalls() error {
	// The kernel wants no_new_privs on the calling thread, and copies it with the
	// filter to the others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("sandbox: no_new_privs: %w", err)
	}
	f := callFilter(os.Getpid())
	program := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(f)
	if errno != 0 {
		return fmt.Errorf("sandbox: seccomp: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("sandbox: seccomp does not hold on thread %d", thread)
	}
	return nil
}
