package blob_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quittance/internal/kernel/blob"
)

// BenchmarkPut puts 300 KB from 16 writers, in turns with the plain way to the same
// disk (write a temporary file, sync it, rename it; no hash, no folder synced), and
// reports both rates and their ratio. An operation is 64 puts of each.
func BenchmarkPut(b *testing.B) {
	const writers, each = 16, 4
	s, err := blob.Open(b.Context(), blob.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	plain := b.TempDir()
	var count atomic.Uint64
	contents := make([][]byte, writers)
	for i := range contents {
		contents[i] = random(300<<10 + i)
	}
	round := func(put func(content []byte, n uint64) error) time.Duration {
		start := time.Now()
		var group sync.WaitGroup
		for _, content := range contents {
			group.Go(func() {
				for range each {
					n := count.Add(1)
					binary.LittleEndian.PutUint64(content, n)
					if err := put(content, n); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
		return time.Since(start)
	}
	ours := func(content []byte, _ uint64) error {
		_, err := s.Put(context.Background(), ann, bytes.NewReader(content), 1<<20)
		return err
	}
	theirs := func(content []byte, n uint64) error {
		f, err := os.CreateTemp(plain, "put-*")
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Write(content); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		return os.Rename(f.Name(), filepath.Join(plain, strconv.FormatUint(n, 10)))
	}
	for range 16 {
		round(ours) // so that most folders are there
	}
	round(theirs)
	var a, c time.Duration
	for b.Loop() {
		a += round(ours)
		c += round(theirs)
	}
	puts := float64(b.N * writers * each)
	b.ReportMetric(puts/a.Seconds(), "puts/s")
	b.ReportMetric(puts/c.Seconds(), "plain/s")
	b.ReportMetric(c.Seconds()/a.Seconds(), "ratio")
}

// BenchmarkPutAgain puts 300 KB that are there already.
func BenchmarkPutAgain(b *testing.B) {
	s, err := blob.Open(b.Context(), blob.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	content := random(300 << 10)
	put(b, s, ann, content)
	b.SetBytes(300 << 10)
	for b.Loop() {
		put(b, s, ann, content)
	}
}

// BenchmarkOpen opens and closes a blob on disk.
func BenchmarkOpen(b *testing.B) {
	s, err := blob.Open(b.Context(), blob.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	h := put(b, s, ann, random(300<<10))
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := s.Open(context.Background(), ann, h)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
