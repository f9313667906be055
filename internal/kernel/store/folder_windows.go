package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// LockFolder keeps other processes out of a data folder until it is closed, or this
// process ends. The lock is LockFileEx on the file `lock` inside.
func LockFolder(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the folder %s cannot be locked: %w", dir, err)
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, new(windows.Overlapped))
	if err != nil {
		f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, fmt.Errorf("the folder %s is in use by another process: stop that one first", dir)
		}
		return nil, fmt.Errorf("the folder %s cannot be locked: %w", dir, err)
	}
	return f, nil
}

// syncDirectory does nothing: this platform has no such call for folders.
func syncDirectory(string) error { return nil }
