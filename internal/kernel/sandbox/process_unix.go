//go:build unix && !linux

package sandbox

import "syscall"

func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func rootDir() string { return "/" }
