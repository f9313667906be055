//go:build !unix

package sandbox

import "syscall"

func processAttributes() *syscall.SysProcAttr { return nil }

func rootDir() string { return "" }
