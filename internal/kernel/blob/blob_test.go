package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/blob/blobtest"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

const (
	ann = "c0000000-0000-4000-8000-000000000001"
	eve = "c0000000-0000-4000-8000-000000000002"
	day = 24 * time.Hour
)

// place is a store under test, and what a test can do around it.
type place struct {
	blob.Store
	later func(d time.Duration) // makes everything that is kept older
	temps func() []string       // temporary files that are there now
}

// onDisk and onS3 make an empty place each.
func onDisk(t *testing.T) place {
	dir := t.TempDir()
	var ahead atomic.Int64
	clock := func() value.Instant { return value.SystemClock().Add(time.Duration(ahead.Load())) }
	s, err := blob.Open(t.Context(), blob.Options{Dir: dir, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return place{
		Store: s,
		later: func(d time.Duration) { ahead.Add(int64(d)) },
		temps: func() []string { return files(t, filepath.Join(dir, "tmp")) },
	}
}

func onS3(t *testing.T) place {
	server := blobtest.S3(t)
	s, err := blob.Open(t.Context(), server.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return place{
		Store: s,
		later: func(d time.Duration) {
			if server.Dir == "" {
				t.Skip("the files of this S3 server cannot be made older")
			}
			for _, path := range files(t, server.Dir) {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				then := info.ModTime().Add(-d)
				if err := os.Chtimes(path, then, then); err != nil {
					t.Fatal(err)
				}
			}
		},
		temps: func() []string { return files(t, server.Options.Temp) },
	}
}

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("disk", func(t *testing.T) { test(t, onDisk(t)) })
	t.Run("s3", func(t *testing.T) { test(t, onS3(t)) })
}

// files lists all files below a folder.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	r.Read(b)
	return b
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func put(t testing.TB, s blob.Store, company string, b []byte) string {
	t.Helper()
	ref, err := s.Put(context.Background(), company, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (blob.Ref{Hash: hashOf(b), Size: int64(len(b))}); ref != want {
		t.Fatalf("put gives %v, want %v", ref, want)
	}
	return ref.Hash
}

// get reads a blob, or tells the kind of the failure.
func get(s blob.Store, company, hash string) ([]byte, error) {
	r, size, err := s.Open(context.Background(), company, hash)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err == nil && int64(len(b)) != size {
		err = fmt.Errorf("%d bytes where %d were announced", len(b), size)
	}
	return b, err
}

func mustGet(t testing.TB, s blob.Store, company, hash string) []byte {
	t.Helper()
	b, err := get(s, company, hash)
	if err != nil {
		t.Fatal(err)
	}
	if hashOf(b) != hash {
		t.Fatalf("the bytes of %s have the hash %s", hash, hashOf(b))
	}
	return b
}

func wantKind(t testing.TB, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Fatalf("error %v, want one that is %v", err, kind)
	}
}

func all(t testing.TB, s blob.Store) []string {
	t.Helper()
	var list []string
	err := s.Walk(context.Background(), func(company string, b blob.Info) error {
		list = append(list, company+" "+b.Hash)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// used is an inUse that knows these hashes of any company.
func used(hashes ...string) blob.InUse {
	return func(_ context.Context, _ string, asked []string) (map[string]bool, error) {
		rows := map[string]bool{}
		for _, h := range asked {
			rows[h] = slices.Contains(hashes, h)
		}
		return rows, nil
	}
}

func TestBytesComeBackAsTheyCame(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, n := range []int{0, 1, 300 << 10, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 5} {
			b := random(n)
			h := put(t, p, ann, b)
			if !bytes.Equal(mustGet(t, p, ann, h), b) {
				t.Errorf("%d bytes came back changed", n)
			}
			info, err := p.Stat(t.Context(), ann, h)
			if err != nil || info.Hash != h || info.Size != int64(n) {
				t.Errorf("stat of %d bytes gives %v, %v", n, info, err)
			}
			if age := time.Since(info.Renewed.Time()); age > time.Minute || age < -time.Minute {
				t.Errorf("a new blob is %v old", age)
			}
		}
		// Reading in small pieces, and one byte at a time, is the same upload.
		b := random(70_000)
		for _, r := range []io.Reader{iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			ref, err := p.Put(t.Context(), ann, r, 70_000)
			if err != nil || ref.Hash != hashOf(b) {
				t.Errorf("put gives %v, %v", ref, err)
			}
		}
		if left := p.temps(); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
	})
}

func TestRangesAndHead(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		b := random(2<<20 + 7)
		h := put(t, p, ann, b)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f, _, err := p.Open(r.Context(), ann, h)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			w.Header().Set("Content-Type", "image/jpeg")
			http.ServeContent(w, r, "", time.Time{}, f)
		}))
		defer server.Close()
		for _, c := range []struct {
			method, ranges string
			status         int
			want           []byte
		}{
			{"GET", "", 200, b},
			{"HEAD", "", 200, nil},
			{"GET", "bytes=0-0", 206, b[:1]},
			{"GET", "bytes=1000000-1999999", 206, b[1000000:2000000]},
			{"GET", "bytes=-5", 206, b[len(b)-5:]},
			{"GET", "bytes=9999999-", 416, nil},
		} {
			req, err := http.NewRequestWithContext(t.Context(), c.method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.ranges != "" {
				req.Header.Set("Range", c.ranges)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != c.status || c.want != nil && !bytes.Equal(got, c.want) {
				t.Errorf("%s %s: status %d, %d bytes, %v", c.method, c.ranges, res.StatusCode, len(got), err)
			}
			if c.method == "HEAD" && res.ContentLength != int64(len(b)) {
				t.Errorf("HEAD announces %d bytes", res.ContentLength)
			}
		}
	})
}

func TestSeeking(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		b := random(100_000)
		f, size, err := p.Open(t.Context(), ann, put(t, p, ann, b))
		if err != nil || size != int64(len(b)) {
			t.Fatal(size, err)
		}
		defer f.Close()
		for _, c := range []struct {
			offset int64
			whence int
			at     int64
		}{
			{50_000, io.SeekStart, 50_000},
			{-10, io.SeekCurrent, 50_090}, // after the hundred bytes read above
			{-1, io.SeekEnd, 99_999},
			{5, io.SeekEnd, 100_005},
			{0, io.SeekStart, 0},
		} {
			at, err := f.Seek(c.offset, c.whence)
			if err != nil || at != c.at {
				t.Fatalf("seek %v: at %d, %v", c, at, err)
			}
			want := b[min(at, size):min(at+100, size)]
			got := make([]byte, 100)
			n, err := io.ReadFull(f, got)
			if !bytes.Equal(got[:n], want) || (n < 100) != (err != nil) {
				t.Errorf("at %d: %d bytes, %v", at, n, err)
			}
		}
		if _, err := f.Seek(-1, io.SeekStart); err == nil {
			t.Error("one can seek before the start")
		}
	})
}

func TestOnDiskABlobIsAFile(t *testing.T) {
	p := onDisk(t)
	f, _, err := p.Open(t.Context(), ann, put(t, p, ann, random(10)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("a blob is a %T, which net/http cannot send from the kernel", f)
	}
}

func TestLimit(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, limit := range []int64{0, 10, 64 << 10, 1<<20 - 1, 1 << 20, 1<<20 + 1, 2 << 20} {
			put(t, p, ann, random(int(limit)))
			before := all(t, p)
			r := &counting{Reader: zeros{}}
			_, err := p.Put(t.Context(), ann, r, limit)
			wantKind(t, err, errs.TooLarge)
			if r.n > limit+1 {
				t.Errorf("limit %d: %d bytes were read", limit, r.n)
			}
			if after := all(t, p); !slices.Equal(before, after) {
				t.Errorf("limit %d: a blob over the limit was kept", limit)
			}
		}
		if left := p.temps(); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	refusal := errs.New(errs.Unsupported, "pdfEncrypted", "The PDF is encrypted.")
	each(t, func(t *testing.T, p place) {
		for _, n := range []int{0, 100, 3 << 20} {
			for _, fault := range []error{refusal, io.ErrUnexpectedEOF, errors.New("cut")} {
				_, err := p.Put(t.Context(), ann, io.MultiReader(bytes.NewReader(random(n)), iotest.ErrReader(fault)), 10<<20)
				if err != fault {
					t.Errorf("the reader's %v came back as %v", fault, err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			_, err := p.Put(ctx, ann, io.MultiReader(bytes.NewReader(random(n)), call(cancel), zeros{}), 10<<20)
			wantKind(t, err, errs.Unavailable)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled upload fails with %v", err)
			}
		}
		_, err := p.Put(t.Context(), ann, stuck{}, 10)
		if err != io.ErrNoProgress {
			t.Errorf("a reader that gives nothing fails with %v", err)
		}
		if left := append(all(t, p), p.temps()...); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// call is a reader that calls a function and ends.
type call func()

func (c call) Read([]byte) (int, error) { c(); return 0, io.EOF }

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestMoreUploadsThanBuffers(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		const n = 50
		arrived, wait := make(chan struct{}, n), make(chan struct{})
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				b := random(100_000 + i)
				half := call(func() { arrived <- struct{}{}; <-wait })
				ref, err := p.Put(t.Context(), ann, io.MultiReader(bytes.NewReader(b[:50_000]), half, bytes.NewReader(b[50_000:])), 1<<20)
				if err != nil || ref.Hash != hashOf(b) {
					t.Errorf("upload %d: %v, %v", i, ref, err)
				}
			})
		}
		for range n {
			<-arrived
		}
		close(wait)
		group.Wait()
		if got := all(t, p); len(got) != n {
			t.Errorf("%d blobs of %d were kept", len(got), n)
		}
	})
}

func TestEqualBytesAreKeptOnce(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, n := range []int{300 << 10, 2 << 20} {
			b := random(n)
			var group sync.WaitGroup
			for range 16 {
				group.Go(func() {
					ref, err := p.Put(t.Context(), ann, bytes.NewReader(b), int64(n))
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := get(p, ann, ref.Hash); err != nil || !bytes.Equal(got, b) {
						t.Errorf("a blob that was put cannot be read: %d bytes, %v", len(got), err)
					}
				})
			}
			group.Wait()
		}
		if got := all(t, p); len(got) != 2 {
			t.Errorf("kept: %v", got)
		}
		if left := p.temps(); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
	})
}

func TestCompaniesDoNotShare(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		b := []byte("a receipt")
		h := put(t, p, ann, b)
		absent := func() {
			t.Helper()
			_, _, err := p.Open(t.Context(), eve, h)
			wantKind(t, err, errs.NotFound)
			_, err = p.Stat(t.Context(), eve, h)
			wantKind(t, err, errs.NotFound)
			wantKind(t, p.Touch(t.Context(), eve, h), errs.NotFound)
		}
		absent()
		put(t, p, eve, b)
		if want := []string{ann + " " + h, eve + " " + h}; !slices.Equal(all(t, p), want) {
			t.Errorf("kept: %v", all(t, p))
		}
		if err := p.Delete(t.Context(), eve, h); err != nil {
			t.Fatal(err)
		}
		absent()
		mustGet(t, p, ann, h)
	})
}

func TestNothingButAHashReachesAPath(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		h := put(t, p, ann, []byte("x"))
		for _, c := range [][2]string{
			{ann, ""}, {ann, h[:63]}, {ann, h + "0"}, {ann, strings.ToUpper(h)}, {ann, h[:62] + "/."},
			{ann, strings.Repeat("../", 21) + "x"}, {ann, h[:63] + "\x00"}, {ann, h[:63] + "g"},
			{"", h}, {".", h}, {"..", h}, {ann + "/" + h[:2], h}, {strings.ToUpper(ann), h}, {"a\\b", h}, {strings.Repeat("a", 65), h},
		} {
			_, _, err := p.Open(t.Context(), c[0], c[1])
			wantKind(t, err, errs.NotFound)
			_, err = p.Stat(t.Context(), c[0], c[1])
			wantKind(t, err, errs.NotFound)
			wantKind(t, p.Touch(t.Context(), c[0], c[1]), errs.NotFound)
			if err := p.Delete(t.Context(), c[0], c[1]); err != nil {
				t.Error(err)
			}
			if c[0] != ann {
				_, err = p.Put(t.Context(), c[0], strings.NewReader("y"), 1)
				wantKind(t, err, errs.Internal)
			}
		}
		mustGet(t, p, ann, h)
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		row := put(t, p, ann, []byte("has a row"))
		waste := put(t, p, ann, []byte("waste"))
		again := put(t, p, ann, []byte("put again"))
		touched := put(t, p, ann, []byte("touched"))
		other := put(t, p, eve, []byte("has a row"))
		p.later(25 * time.Hour)
		put(t, p, ann, []byte("put again"))
		if err := p.Touch(t.Context(), ann, touched); err != nil {
			t.Fatal(err)
		}
		fresh := put(t, p, ann, []byte("fresh"))

		moved, err := p.Sweep(t.Context(), day, func(ctx context.Context, company string, hashes []string) (map[string]bool, error) {
			return map[string]bool{row: company == ann}, nil
		})
		if err != nil || moved != 2 {
			t.Fatalf("moved %d, %v", moved, err)
		}
		want := []string{ann + " " + row, ann + " " + again, ann + " " + touched, ann + " " + fresh}
		slices.Sort(want)
		got := all(t, p)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("in place:\n%v, want\n%v", got, want)
		}
		// What is in the trash can be read, and is kept for its own day.
		mustGet(t, p, ann, waste)
		mustGet(t, p, eve, other)
		p.later(time.Hour)
		if n, err := p.EmptyTrash(t.Context(), day, used()); err != nil || n != 0 {
			t.Fatalf("removed %d, %v", n, err)
		}
		p.later(24 * time.Hour)
		if n, err := p.EmptyTrash(t.Context(), day, used(other)); err != nil || n != 1 {
			t.Fatalf("removed %d, %v", n, err)
		}
		_, _, err = p.Open(t.Context(), ann, waste)
		wantKind(t, err, errs.NotFound)
		mustGet(t, p, eve, other)
		if !slices.Contains(all(t, p), eve+" "+other) {
			t.Error("what got a row in the trash was not given back")
		}
	})
}

func TestTheTrashGivesBack(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		var hashes []string
		for _, s := range []string{"touched", "put", "row", "deleted"} {
			hashes = append(hashes, put(t, p, ann, []byte(s)))
		}
		p.later(25 * time.Hour)
		if moved, err := p.Sweep(t.Context(), day, used()); err != nil || moved != 4 {
			t.Fatalf("moved %d, %v", moved, err)
		}
		if got := all(t, p); len(got) > 0 {
			t.Fatalf("in place: %v", got)
		}
		if err := p.Touch(t.Context(), ann, hashes[0]); err != nil {
			t.Fatal(err)
		}
		put(t, p, ann, []byte("put"))
		if err := p.Delete(t.Context(), ann, hashes[3]); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Sweep(t.Context(), day, used(hashes[2])); err != nil {
			t.Fatal(err)
		}
		if got := all(t, p); len(got) != 3 {
			t.Errorf("in place: %v", got)
		}
		p.later(25 * time.Hour)
		if _, err := p.EmptyTrash(t.Context(), day, used(hashes...)); err != nil {
			t.Fatal(err)
		}
		for _, h := range hashes[:3] {
			mustGet(t, p, ann, h)
		}
		_, _, err := p.Open(t.Context(), ann, hashes[3])
		wantKind(t, err, errs.NotFound)
	})
}

// The writer comes between the question and the answer's use, where no row can be
// seen yet.
func TestPutBetweenQuestionAndMove(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		content := []byte("old")
		h := put(t, p, ann, content)
		for _, again := range []func(){
			func() { put(t, p, ann, content) },
			func() {
				if err := p.Touch(t.Context(), ann, h); err != nil {
					t.Error(err)
				}
			},
		} {
			inUse := func(context.Context, string, []string) (map[string]bool, error) { again(); return nil, nil }
			p.later(25 * time.Hour)
			if moved, err := p.Sweep(t.Context(), day, inUse); err != nil || moved != 0 {
				t.Errorf("moved %d, %v", moved, err)
			}
			if got := all(t, p); !slices.Equal(got, []string{ann + " " + h}) {
				t.Errorf("in place: %v", got)
			}
			p.later(25 * time.Hour)
			if moved, err := p.Sweep(t.Context(), day, used()); err != nil || moved != 1 {
				t.Errorf("moved %d, %v", moved, err)
			}
			p.later(25 * time.Hour)
			if _, err := p.EmptyTrash(t.Context(), day, inUse); err != nil {
				t.Error(err)
			}
			mustGet(t, p, ann, h)
		}
	})
}

func TestSweepAsksInBatchesOfOneCompany(t *testing.T) {
	p := onDisk(t)
	const n = 1100
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range n / 4 {
				put(t, p, ann, fmt.Append(nil, w, " ", i))
			}
		})
	}
	group.Wait()
	put(t, p, eve, []byte("x"))
	p.later(25 * time.Hour)
	var asked []string
	moved, err := p.Sweep(t.Context(), day, func(_ context.Context, company string, hashes []string) (map[string]bool, error) {
		asked = append(asked, fmt.Sprint(company[len(company)-1:], " ", len(hashes)))
		return nil, nil
	})
	if err != nil || moved != n+1 {
		t.Fatalf("moved %d, %v", moved, err)
	}
	if want := []string{"1 500", "1 500", "1 100", "2 1"}; !slices.Equal(asked, want) {
		t.Errorf("asked about %v", asked)
	}
}

func TestSweepStopsWhenRowsCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		h := put(t, p, ann, []byte("x"))
		p.later(25 * time.Hour)
		down := errs.New(errs.Unavailable, "database", "The database does not answer.")
		moved, err := p.Sweep(t.Context(), day, func(context.Context, string, []string) (map[string]bool, error) { return nil, down })
		if moved != 0 || err != error(down) {
			t.Errorf("moved %d, %v", moved, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		moved, err = p.Sweep(ctx, day, func(context.Context, string, []string) (map[string]bool, error) { cancel(); return nil, nil })
		if moved != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("moved %d, %v", moved, err)
		}
		if got := all(t, p); !slices.Equal(got, []string{ann + " " + h}) {
			t.Errorf("in place: %v", got)
		}
	})
}

// A put and a sweep that takes everything older than this very moment, as often and
// as close together as they can: whoever was told that a blob is kept, and commits a
// row for it, can read it ever after.
func TestSweepNeverLosesAPut(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		const blobs = 8
		var mu sync.Mutex
		rows := map[string]int{} // how many rows name a blob
		inUse := func(_ context.Context, _ string, hashes []string) (map[string]bool, error) {
			mu.Lock()
			defer mu.Unlock()
			answer := map[string]bool{}
			for _, h := range hashes {
				answer[h] = rows[h] > 0
			}
			return answer, nil
		}
		stop := make(chan struct{})
		var sweeper, writers sync.WaitGroup
		sweeps, moves := 0, 0
		sweeper.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				moved, err := p.Sweep(context.Background(), 0, inUse)
				if err != nil {
					t.Errorf("sweep: %v", err)
				}
				sweeps++
				moves += moved
			}
		})
		for w := range 4 {
			writers.Go(func() {
				for i := range 150 {
					content := fmt.Appendf(nil, "blob %d", (w+i)%blobs)
					ref, err := p.Put(context.Background(), ann, bytes.NewReader(content), 100)
					if err == nil && i%3 == 0 {
						err = p.Touch(context.Background(), ann, ref.Hash)
					}
					if err != nil {
						t.Errorf("put: %v", err)
						return
					}
					mu.Lock()
					rows[ref.Hash]++
					mu.Unlock()
					if got, err := get(p, ann, ref.Hash); err != nil || !bytes.Equal(got, content) {
						t.Errorf("a blob with a row cannot be read: %q, %v", got, err)
						return
					}
					mu.Lock()
					rows[ref.Hash]--
					mu.Unlock()
				}
			})
		}
		writers.Wait()
		close(stop)
		sweeper.Wait()
		if sweeps < 3 || moves < 3 {
			t.Errorf("only %d sweeps took %d blobs: nothing was put to the test", sweeps, moves)
		}
	})
}

func TestReadiness(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		if err := p.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	s, err := blob.Open(t.Context(), blob.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil {
		t.Error("a store without its folder says that it is ready")
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []blob.Options{
		{},
		{Dir: t.TempDir(), URL: "s3://bucket"},
		{URL: "bucket"}, {URL: "http://bucket"}, {URL: "s3://"}, {URL: "s3://user@bucket"}, {URL: "s3://bucket#x"},
		{URL: "s3://bucket?endpoint=127.0.0.1:9000"}, {URL: "s3://bucket?endpoint=ftp://x"}, {URL: "s3://bucket?endpoint=http://x/path"},
		{URL: "s3://bucket?endpont=http://127.0.0.1"}, {URL: "s3://bucket?region=a&region=b"}, {URL: "s3://bucket?region=%zz"},
		{URL: "s3://bucket", AccessKey: "a"}, {URL: "s3://bucket?secret_key=a"},
	} {
		s, err := blob.Open(t.Context(), o)
		if err == nil {
			s.Close()
		}
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := blob.Open(t.Context(), blob.Options{Dir: filepath.Join(os.DevNull, "x")}); err == nil {
		t.Error("a folder that cannot be is opened")
	}
}

// A process that is killed while it writes leaves only whole blobs, all that it
// acknowledged, and no temporary files once the store is opened again.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	child, out := startChild(t, "write", dir)
	acknowledged := map[string]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acknowledged[lines.Text()] = true
		if len(acknowledged) == 50 {
			child.Process.Kill()
		}
	}
	child.Wait()
	if len(acknowledged) < 50 {
		t.Fatalf("the child acknowledged %d blobs", len(acknowledged))
	}
	s, err := blob.Open(t.Context(), blob.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for h := range acknowledged {
		mustGet(t, s, ann, h)
	}
	for _, line := range all(t, s) {
		mustGet(t, s, ann, strings.Fields(line)[1])
	}
	if left := files(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	if mine := filepath.Join(dir, "tmp", "notes.txt"); os.WriteFile(mine, nil, 0o600) == nil {
		if _, err := blob.Open(t.Context(), blob.Options{Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(mine); err != nil {
			t.Errorf("a file that is not the store's was removed: %v", err)
		}
	}
}
