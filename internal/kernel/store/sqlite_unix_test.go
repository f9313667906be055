//go:build unix

package store_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

// TestCommitFails: a group whose commit fails, here because files may grow no
// further, is run again one by one; what fits lands.
func TestCommitFails(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	db := openLite(t)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limited := before
	limited.Cur = 600 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)
	first := &member{do: adds("first")}
	middle := &member{do: func(tx *store.Tx) error {
		return storetest.Items.Insert(tx, &storetest.Item{ID: "middle", Content: make([]byte, 1<<20)})
	}}
	last := &member{do: adds("last")}
	inOneGroup(t, db, first, middle, last)
	if first.err != nil || last.err != nil || first.runs != 2 {
		t.Errorf("the neighbours got %v and %v in %d runs", first.err, last.err, first.runs)
	}
	if !errs.Is(middle.err, errs.Unavailable) || stands(t, db, "middle") {
		t.Errorf("the one that does not fit got %v", middle.err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), middle.do); err != nil || !stands(t, db, "middle") {
		t.Error("with room again:", err)
	}
}

// Keys and people are in the files: others on the machine must not read them, in a
// folder that they may enter either.
func TestFilesArePrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Snapshot(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}
