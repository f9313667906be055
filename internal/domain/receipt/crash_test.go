package receipt_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/receipt"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/sandbox"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
	"quittance/internal/kernel/value"
)

// What the child process of TestKilled works on, where it ends, and how many minutes
// after the start it is; in the environment.
const (
	crashFolder   = "RECEIPT_TEST_FOLDER"
	crashDatabase = "RECEIPT_TEST_DATABASE"
	crashPoint    = "RECEIPT_TEST_POINT"
	crashMinutes  = "RECEIPT_TEST_MINUTES"
)

// kill ends this process as a power cut would.
func kill() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// deadlyBlobs end the process around the writing and the reading of a file.
type deadlyBlobs struct {
	blob.Store
	point string
}

func (b deadlyBlobs) Put(ctx context.Context, company string, r io.Reader, limit int64) (blob.Ref, error) {
	ref, err := b.Store.Put(ctx, company, r, limit)
	if b.point == "kept" {
		kill()
	}
	return ref, err
}

func (b deadlyBlobs) Open(ctx context.Context, company, hash string) (io.ReadSeekCloser, int64, error) {
	if b.point == "opening" {
		kill()
	}
	return b.Store.Open(ctx, company, hash)
}

// crashDB opens the database in the folder, or the one of PostgreSQL that is named.
func crashDB(t *testing.T, folder, database string, clock value.Clock) *store.DB {
	t.Helper()
	if database != "" {
		db, err := store.Open(t.Context(), store.Options{URL: database, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	return storetest.SQLite(t, storetest.With(func(o *store.Options) {
		fresh := o.Path
		o.Path, o.Clock = filepath.Join(folder, "quittance.db"), clock
		if _, err := os.Stat(o.Path); err == nil {
			return
		}
		b, err := os.ReadFile(fresh)
		if err == nil {
			err = os.WriteFile(o.Path, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}))
}

// crashWorld is a server over a folder and a database that outlive it. Some minutes
// have passed since the start: what a dead server had claimed is free on PostgreSQL.
func crashWorld(t *testing.T, folder, database, point string, minutes int) world {
	t.Helper()
	clock := func() value.Instant { return Start.Add(time.Duration(minutes) * time.Minute) }
	db := crashDB(t, folder, database, clock)
	blobs, err := blob.Open(t.Context(), blob.Options{Dir: folder, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	box := sandbox.New(sandbox.Options{})
	t.Cleanup(func() { box.Close() })
	ids, signer := value.NewIDs(nil), auth.NewSigner(bytes.Repeat([]byte{7}, 32))
	images := imaging.New(imaging.Options{DB: db, Blobs: deadlyBlobs{blobs, point}, Sandbox: box, IDs: ids, Clock: clock, Signer: signer, PublicURL: PublicURL})
	jobs := job.New(job.Options{DB: db, Clock: clock, IDs: ids})
	d := newDrawer()
	d.fail = func(receipt.Drawing) error {
		if point == "drawing" {
			kill()
		}
		return nil
	}
	service := receipt.New(receipt.Options{DB: db, Images: images, Jobs: jobs, IDs: ids, Clock: clock, Directory: Directory{}, Tokens: owners{}, Drawer: d})
	server := api.NewServer(api.Options{DB: db, Clock: clock, IDs: ids, Logger: slog.New(slog.DiscardHandler), PublicURL: PublicURL,
		Authenticator: owners{}, Directory: Directory{}, Signer: signer}, service.Operations())
	return world{&World{DB: db, Blobs: blobs, Sandbox: box, Images: images, IDs: ids, Signer: signer, Server: server}, jobs, d}
}

// TestCrashChild is the child process: it posts a receipt, unless there is one, and
// processes it, until it ends where it is told to.
func TestCrashChild(t *testing.T) {
	folder, point := os.Getenv(crashFolder), os.Getenv(crashPoint)
	if folder == "" {
		return // only as the child process of TestKilled there is something to do
	}
	minutes, err := strconv.Atoi(os.Getenv(crashMinutes))
	if err != nil {
		t.Fatal(err)
	}
	w := crashWorld(t, folder, os.Getenv(crashDatabase), point, minutes)
	if w.Count(t, "e_receipt") == 0 {
		q := receiptPosting("token-of-ann", "general-receipt", sample(t, "general-receipt"))
		if strings.HasSuffix(folder, "with-image") {
			q = multipartPosting("general-receipt", Part{Name: "receipt", Content: q.Body}, Part{Name: "image", FileName: "a.png", Content: PNG(1)})
		}
		r := httptest.NewRequest(q.Method, q.Path, bytes.NewReader(q.Body))
		r.Header.Set("Authorization", "Bearer token-of-ann")
		r.Header.Set("Content-Type", q.Type)
		r.Header.Set("Link", q.Header["Link"])
		rec := httptest.NewRecorder()
		w.Server.ServeHTTP(rec, r)
		if rec.Code != 201 {
			t.Fatal(rec.Code, rec.Body)
		}
	}
	if point == "accepted" {
		kill()
	}
	w.work(t)
	kill()
}

// TestKilled ends the process at each step of the way of a receipt. It ends processed,
// once, with one image.
func TestKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testKilled(t, func(*testing.T) string { return "" }) })
	t.Run("postgres", func(t *testing.T) { testKilled(t, func(t *testing.T) string { return storetest.PostgresURL(t) }) })
}

// testKilled is TestKilled on one engine; database is the name of a new database.
func testKilled(t *testing.T, database func(*testing.T) string) {
	for _, c := range []struct {
		name   string
		points []string
	}{
		{"drawn", []string{"accepted"}},
		{"drawn", []string{"drawing"}},
		{"drawn", []string{"drawing", "drawing", "kept"}},
		{"drawn", []string{"kept", "kept"}},
		{"drawn", []string{"processed"}},
		{"drawn", []string{"accepted", "drawing", "kept", "processed"}},
		{"with-image", []string{"accepted", "opening", "opening"}},
		{"with-image", []string{"kept", "accepted"}}, // the first POST is never answered
		{"with-image", []string{"processed", "processed"}},
	} {
		t.Run(c.name+" "+strings.Join(c.points, " "), func(t *testing.T) {
			name, folder := database(t), filepath.Join(t.TempDir(), c.name)
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			for minutes, point := range c.points {
				child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.count=1")
				child.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), crashFolder+"="+folder, crashDatabase+"="+name, crashPoint+"="+point, crashMinutes+"="+strconv.Itoa(minutes))
				out, err := child.CombinedOutput()
				if err == nil || child.ProcessState.Exited() {
					t.Fatalf("the child was not killed: %v\n%s", err, out)
				}
			}
			w := crashWorld(t, folder, name, "", len(c.points))
			var id string
			w.ReadTx(t, func(tx *store.Tx) error { return tx.QueryRow("SELECT id FROM e_receipt").Scan(&id) })
			for range 2 {
				w.work(t)
				for from, want := range map[string]int64{
					"e_receipt WHERE state = 'PROCESSED'": 1, "e_receipt": 1, "image": 1, "image_part": 1, "attachment": 1, "receipt_status WHERE status = 'PROCESSED'": 1,
					"receipt_log WHERE message = 'Receipt accepted. Queued for processing.'": 1, "receipt_log WHERE message = 'Processing finished.'": 1,
					"receipt_log WHERE message = 'Receipt image generated.'": map[string]int64{"drawn": 1}[c.name], "job WHERE kind NOT LIKE 'every:%'": 0,
				} {
					if n := w.Count(t, from); n != want {
						t.Errorf("%d rows of %s, want %d", n, from, want)
					}
				}
			}
			media := map[string]string{"drawn": "application/pdf", "with-image": "image/png"}[c.name]
			r := w.Do(Request{Method: "GET", Path: "/receipts/v4/" + id + "/image", Token: "token-of-ann"})
			if r.StatusCode != 200 || r.Header.Get("Content-Type") != media {
				t.Errorf("the image: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
			}
			if record := w.get(t, 200, "token-of-ann", "/receipts/v4/"+id); !strings.Contains(record, `/image","receipt"`) {
				t.Errorf("the record is %s", record)
			}
		})
	}
}
