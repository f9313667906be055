package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"quittance/internal/kernel/blob"
)

// childEnv tells this test program to be one of its own children, and which.
const childEnv = "QUITTANCE_BLOB_CHILD"

// children are what a child process does with a folder. What it prints is read by
// the test.
var children = map[string]func(dir string) error{"write": writeForever, "fill": fill}

func TestMain(m *testing.M) {
	name, dir, child := strings.Cut(os.Getenv(childEnv), " ")
	if !child {
		os.Exit(m.Run())
	}
	if err := children[name](dir); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func childCommand(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+name+" "+dir)
	c.Stderr = os.Stderr
	return c
}

func startChild(t *testing.T, name, dir string) (*exec.Cmd, io.Reader) {
	t.Helper()
	c := childCommand(t, name, dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// writeForever puts small and large blobs from several goroutines and prints the hash
// of each when it is acknowledged.
func writeForever(dir string) error {
	s, err := blob.Open(context.Background(), blob.Options{Dir: dir})
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for w := range 6 {
		group.Go(func() {
			for i := 0; ; i++ {
				content := bytes.Repeat(fmt.Appendf(nil, "%d %d,", w, i), 1<<(8+i%11))
				ref, err := s.Put(context.Background(), ann, bytes.NewReader(content), 64<<20)
				if err != nil {
					return
				}
				fmt.Println(ref.Hash)
			}
		})
	}
	group.Wait()
	return nil
}
