package storetest

import (
	"os/user"
	"strconv"
	"syscall"
)

// processOf has a process run as this user, in a group of its own so that the
// terminal's interrupt does not reach it, and end when this process does.
func processOf(u *user.User) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if u != nil {
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attr
}
