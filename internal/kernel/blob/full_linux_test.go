package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/errs"
)

// The test's child mounts a file system of 4 MB in a mount namespace of its own.
func TestFullDisk(t *testing.T) {
	c := childCommand(t, "fill", t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.Output()
	switch {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || bytes.HasPrefix(out, []byte(noMount)):
		t.Skipf("this machine gives a test no mount namespace: %v %s", err, out)
	case err != nil:
		t.Fatalf("%v: %s", err, out)
	}
}

const noMount = "cannot mount"

func fill(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		fmt.Print(noMount, ": ", err)
		return err
	}
	ctx := context.Background()
	s, err := blob.Open(ctx, blob.Options{Dir: dir})
	if err != nil {
		return err
	}
	var kept []string
	for i := range 100 {
		// Small ones go through memory, large ones straight to the disk.
		ref, err := s.Put(ctx, ann, bytes.NewReader(random(i%2*1_200_000+300_000+i)), 10<<20)
		if err == nil {
			kept = append(kept, ref.Hash)
			continue
		}
		if !errs.Is(err, errs.Unavailable) || errs.As(err).Code != "storageFull" {
			return fmt.Errorf("a full disk gives %w", err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
			return fmt.Errorf("left after a failed put: %v", left)
		}
		if i > 20 {
			break
		}
	}
	if len(kept) == 0 {
		return errors.New("nothing fitted on the disk")
	}
	for _, h := range kept {
		if b, err := get(s, ann, h); err != nil || hashOf(b) != h {
			return fmt.Errorf("a blob on a full disk is damaged: %v", err)
		}
	}
	// What is there already needs no room.
	if _, err := s.Put(ctx, ann, bytes.NewReader(random(300_000)), 1<<20); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	os.WriteFile(ballast, make([]byte, 4<<20), 0o600) // as far as it goes
	if err := s.Check(ctx); !errs.Is(err, errs.Unavailable) {
		return fmt.Errorf("on a full disk the store is ready: %v", err)
	}
	if _, err := blob.Open(ctx, blob.Options{Dir: dir}); err != nil {
		return fmt.Errorf("a store on a full disk cannot be opened: %w", err)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := s.Delete(ctx, ann, kept[0]); err != nil {
		return err
	}
	_, err = s.Put(ctx, ann, bytes.NewReader(random(100_000)), 1<<20)
	return err
}
