package blob

import (
	"errors"
	"syscall"
)

// Codes of winerror.h.
const (
	errorTooManyOpenFiles = syscall.Errno(4)
	errorHandleDiskFull   = syscall.Errno(39)
	errorDiskFull         = syscall.Errno(112)
)

// syncDir does nothing: Windows has no such call.
func syncDir(string) error { return nil }

func isFull(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull)
}

func isBusy(err error) bool { return errors.Is(err, errorTooManyOpenFiles) }
