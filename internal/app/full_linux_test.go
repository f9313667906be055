package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
)

// fullEnv names the folder in which this test program, started once more in a mount
// namespace of its own, mounts a small file system.
const fullEnv = "QUITTANCE_TEST_FULL"

// TestFullDisk runs the server on a file system of 24 MB that fills up.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullEnv); dir != "" {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
			t.Fatalf("no mount: %v", err)
		}
		onFullDisk(t, dir)
		return
	}
	var reasons []string
	for _, attributes := range []*syscall.SysProcAttr{
		{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}},
		{Cloneflags: syscall.CLONE_NEWNS}, // root without user namespaces
	} {
		attributes.Pdeathsig = syscall.SIGKILL
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		c.Env, c.SysProcAttr = append(os.Environ(), fullEnv+"="+t.TempDir()), attributes
		out, err := c.CombinedOutput()
		switch {
		case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL):
			reasons = append(reasons, err.Error())
		case bytes.Contains(out, []byte("no mount")):
			reasons = append(reasons, string(out))
		case err != nil || !bytes.Contains(out, []byte("--- PASS: TestFullDisk")):
			t.Fatalf("%v\n%s", err, out)
		default:
			return
		}
	}
	apptest.Skip(t, "this machine gives a test no mount namespace: "+strings.Join(reasons, "; "))
}

// fill takes all the room that is left.
func fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096, 1} {
		for b := make([]byte, size); err == nil; {
			_, err = f.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	f.Close()
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

func onFullDisk(t *testing.T, dir string) {
	data := filepath.Join(dir, "data")
	server := apptest.Start(t, func(o *app.Options) { o.Data = data })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r := rand.New(rand.NewPCG(1, 2))
	ann := apptest.SignIn(t, server, "ann")
	report, err := ann.CreateReport(ctx, client.Report{Name: "Kept"})
	if err != nil {
		t.Fatal(err)
	}
	first := photo(r, 100_000)
	image, err := ann.UploadReceiptImage(ctx, "image/jpeg", first)
	if err != nil {
		t.Fatal(err)
	}
	reports, _ := ann.Reports(ctx)
	before := len(reports)

	release := fill(t, dir)
	refuses := func(what, sentence string, status int, header http.Header, body string) {
		t.Helper()
		if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, sentence) {
			t.Errorf("%s on a full disk: %d, Retry-After %q, %s", what, status, header.Get("Retry-After"), body)
		}
	}
	for range 3 {
		for _, c := range []struct{ what, method, path, media, body, sentence string }{
			{"a report", "POST", "/api/v3.0/expense/reports", "application/json", `{"Name":"Lost"}`, `"Error":{"Message":"`},
			{"a change", "PUT", "/api/v3.0/expense/reports/" + report.ID, "application/json", `{"Name":"Changed"}`, `"Error":{"Message":"`},
			{"submit", "PATCH", "/expensereports/v4/users/" + ann.UserID + "/reports/" + report.ID + "/submit", "", "", `"errorMessage":"`},
			{"a small image", "POST", "/api/v3.0/expense/receiptimages", "image/jpeg", string(photo(r, 50_000)), `"Error":{"Message":"`},
			{"a large image", "POST", "/api/v3.0/expense/receiptimages", "image/jpeg", string(photo(r, 3_000_000)), `"Error":{"Message":"`},
			{"an image of a report", "POST", "/api/image/v1.0/report/" + report.ID, "image/jpeg", string(photo(r, 3_000)), `"Error":{"Message":"`},
		} {
			status, header, body := exchange(t, ann, c.method, c.path, c.media, c.body)
			refuses(c.what, c.sentence, status, header, body)
		}
		if _, err := ann.PostImageOnlyReceipt(ctx, "r.jpg", "image/jpeg", photo(r, 2000)); client.StatusOf(err) != 503 {
			t.Errorf("an image-only receipt on a full disk: %v", err)
		}
		if _, err := apptest.Client(server).SignIn(ctx, "ann@demo.test", "ann-password"); client.StatusOf(err) != 503 {
			t.Errorf("a sign-in on a full disk: %v", err)
		}
		// What is there can be read.
		if got, err := ann.Report(ctx, report.ID); err != nil || got.Name != "Kept" {
			t.Errorf("reading on a full disk: %v, %+v", err, got)
		}
		if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", ""); status != 200 {
			t.Errorf("reading an image on a full disk: %d %s", status, body)
		}
	}
	if status, body := get(t, "GET", server.PublicURL()+"/readyz", ""); status != 503 || !strings.Contains(body, "disk is full") {
		t.Errorf("a full disk is ready: %d %s", status, body)
	}
	if status, _ := get(t, "GET", server.PublicURL()+"/healthz", ""); status != 200 {
		t.Errorf("a full disk is no reason to end the process: %d", status)
	}
	if left := filesIn(t, filepath.Join(data, "tmp")); len(left) > 0 {
		t.Errorf("temporary files on a full disk: %v", left)
	}

	release()
	if status, body := get(t, "GET", server.PublicURL()+"/readyz", ""); status != 200 {
		t.Errorf("with room again: %d %s", status, body)
	}
	if reports, err = ann.Reports(ctx); err != nil || len(reports) != before {
		t.Errorf("refused reports are there: %d, want %d; %v", len(reports), before, err)
	}
	if got, err := ann.Report(ctx, report.ID); err != nil || got.Name != "Kept" || got.ApprovalStatusCode != "A_NOTF" {
		t.Errorf("a refused change was made: %v, %+v", err, got)
	}

	// The clients themselves fill the disk, many at once; each answer holds.
	var mu sync.Mutex
	kept, answered := map[string]string{}, 0
	var group sync.WaitGroup
	for n := range 4 {
		mine := rand.New(rand.NewPCG(7, uint64(n)))
		group.Go(func() {
			for full := 0; full < 3; {
				content := photo(mine, 200_000+mine.IntN(1_500_000))
				made, err := ann.UploadReceiptImage(ctx, "image/jpeg", content)
				switch {
				case err == nil:
					mu.Lock()
					kept[made.ID] = hashOf(content)
					mu.Unlock()
				case client.StatusOf(err) == 503:
					full++
				default:
					t.Errorf("an upload on a disk that fills up: %v", err)
					return
				}
				_, err = ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
					TransactionDate: "2026-01-05", TransactionAmount: "1", TransactionCurrencyCode: "USD"})
				switch {
				case err == nil:
					mu.Lock()
					answered++
					mu.Unlock()
				case client.StatusOf(err) != 503:
					t.Errorf("an entry on a disk that fills up: %v", err)
				}
			}
		})
	}
	group.Wait()
	got, err := ann.Report(ctx, report.ID)
	entries, errEntries := ann.Entries(ctx, report.ID)
	if err != nil || errEntries != nil || len(entries) != answered || got.Total.String() != fmt.Sprint(answered) {
		t.Errorf("%d entries were answered; there are %d, the report totals %s; %v", answered, len(entries), got.Total, errors.Join(err, errEntries))
	}
	for id, hash := range kept {
		var uri struct{ URI string }
		if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+id, "", ""); status != 200 || !unmarshal(body, &uri) {
			t.Fatalf("%d %s", status, body)
		}
		if b, _, err := ann.Download(ctx, uri.URI); err != nil || hashOf(b) != hash {
			t.Errorf("an image on a full disk is damaged: %v", err)
		}
	}
	if len(kept) < 4 || answered < 4 {
		t.Errorf("only %d images and %d entries fitted", len(kept), answered)
	}
	if left := filesIn(t, filepath.Join(data, "tmp")); len(left) > 0 {
		t.Errorf("temporary files on a full disk: %v", left)
	}
}
