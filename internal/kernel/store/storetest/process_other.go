//go:build !linux

package storetest

import (
	"os/user"
	"syscall"
)

// processOf needs nothing where a server is not started by root.
func processOf(*user.User) *syscall.SysProcAttr { return nil }
