package blob_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/blob/blobtest"
	"quittance/internal/kernel/errs"
)

func TestS3Keys(t *testing.T) {
	server := blobtest.S3(t)
	if server.Dir == "" {
		t.Skip("the files of this S3 server cannot be seen")
	}
	s, err := blob.Open(t.Context(), server.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := put(t, s, ann, []byte("x"))
	for range 2 {
		got := files(t, server.Dir)
		if want := filepath.Join(server.Dir, "spend", "blobs", ann, h[:2], h); len(got) != 1 || got[0] != want {
			t.Errorf("the bucket has %v, want %s", got, want)
		}
		// A second store with the same address finds it, and puts no second copy.
		other, err := blob.Open(t.Context(), server.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		mustGet(t, other, ann, h)
		put(t, other, ann, []byte("x"))
	}
}

func TestS3ThatRefuses(t *testing.T) {
	server := blobtest.S3(t)
	if server.Stop == nil {
		t.Skip("this S3 server has other keys")
	}
	for name, change := range map[string]func(*blob.Options){
		"wrong secret":   func(o *blob.Options) { o.SecretKey = "wrong" },
		"unknown key":    func(o *blob.Options) { o.AccessKey = "nobody" },
		"missing bucket": func(o *blob.Options) { o.URL = strings.Replace(o.URL, "quittance", "elsewhere", 1) },
	} {
		o := server.Options
		change(&o)
		_, err := blob.Open(t.Context(), o)
		if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.As(err).Message, "bucket") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestS3ThatIsGone(t *testing.T) {
	server := blobtest.S3(t)
	if server.Stop == nil {
		t.Skip("this S3 server cannot be stopped")
	}
	s, err := blob.Open(t.Context(), server.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := put(t, s, ann, []byte("x"))
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var group sync.WaitGroup
	for name, try := range map[string]func() error{
		"put":   func() error { _, err := s.Put(ctx, ann, strings.NewReader("x"), 1); return err },
		"open":  func() error { _, _, err := s.Open(ctx, ann, h); return err },
		"stat":  func() error { _, err := s.Stat(ctx, ann, h); return err },
		"check": func() error { return s.Check(ctx) },
		"walk":  func() error { return s.Walk(ctx, func(string, blob.Info) error { return nil }) },
		"sweep": func() error { _, err := s.Sweep(ctx, day, used()); return err },
	} {
		group.Go(func() {
			if err := try(); !errs.Is(err, errs.Unavailable) || errs.As(err).Code != "storageDown" {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		t.Error("a server that is gone is waited for too long")
	}
}

// A download whose connection breaks goes on where it broke.
func TestS3ConnectionThatBreaks(t *testing.T) {
	server := blobtest.S3(t)
	u, err := url.Parse(server.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	if err != nil || endpoint.Scheme != "http" {
		t.Skip("this S3 server cannot be reached through a plain relay")
	}
	relay := startRelay(t, endpoint.Host)
	query.Set("endpoint", "http://"+relay.address)
	u.RawQuery = query.Encode()
	o := server.Options
	o.URL = u.String()
	s, err := blob.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := random(4 << 20)
	h := put(t, s, ann, b)
	relay.limit.Store(1 << 20) // each connection carries no more than this from now on
	f, _, err := s.Open(t.Context(), ann, h)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d bytes of %d, %v", len(got), len(b), err)
	}
	relay.limit.Store(1) // and now nothing useful
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(f); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a server that only breaks connections gives %v", err)
	}
}

// relay passes connections on, and closes each when it has carried limit bytes to
// the client.
type relay struct {
	address string
	limit   atomic.Int64
}

func startRelay(t *testing.T, to string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: l.Addr().String()}
	r.limit.Store(1 << 40)
	var group sync.WaitGroup
	t.Cleanup(func() { l.Close(); group.Wait() })
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer client.Close()
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				group.Go(func() { io.Copy(server, client); server.Close() })
				carried := int64(0)
				buf := make([]byte, 32<<10)
				for {
					n, err := server.Read(buf)
					carried += int64(n)
					if over := carried - r.limit.Load(); over > 0 {
						client.Write(buf[:max(int64(n)-over, 0)])
						return
					}
					if _, writeErr := client.Write(buf[:n]); err != nil || writeErr != nil {
						return
					}
				}
			})
		}
	})
	return r
}
