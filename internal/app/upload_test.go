package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/store"
)

// raw begins a request of a session on a connection of its own: the head as it is
// written here, and as much of a body as is given.
func raw(t *testing.T, server *app.App, s *client.Session, head string, body []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", server.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head = strings.ReplaceAll(head, "\n", "\r\n")
	if _, err := fmt.Fprintf(c, "%s\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n\r\n", head, server.Address(), s.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(body); err != nil {
		t.Fatal(err)
	}
	return c
}

// rows counts the rows of a table.
func rows(t *testing.T, server *app.App, table string) (n int64) {
	t.Helper()
	if err := server.DB.Read(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestClientGoesAway: what came in halfway leaves nothing behind, and nobody else
// waits for it.
func TestClientGoesAway(t *testing.T) {
	data := t.TempDir()
	server := apptest.Start(t, func(o *app.Options) { o.Data = data })
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	report, err := ann.CreateReport(ctx, client.Report{Name: "Lisbon"})
	if err != nil {
		t.Fatal(err)
	}
	content := photo(rand.New(rand.NewPCG(5, 6)), 3_000_000)
	images, records := rows(t, server, "image"), rows(t, server, "report")
	head := func(path, media string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\nContent-Type: %s\nContent-Length: %d", path, media, len(content))
	}
	var open []net.Conn
	for _, at := range []int{0, 1, 1000, 500_000, 2_000_000, len(content) - 1} {
		open = append(open,
			raw(t, server, ann, head("/api/v3.0/expense/receiptimages", "image/jpeg"), content[:at]),
			raw(t, server, ann, head("/api/image/v1.0/report/"+report.ID, "image/jpeg"), content[:at]),
			raw(t, server, ann, head("/receipts/v4/users/"+ann.UserID+"/image-only-receipts", "multipart/form-data; boundary=x"),
				append([]byte("--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"), content[:at]...)))
	}
	// Uploads that are under way, as many as there are large buffers and more, keep
	// nobody from being served.
	for range 40 {
		open = append(open, raw(t, server, ann, head("/api/v3.0/expense/receiptimages", "image/jpeg"), content[:100_000]))
	}
	if _, err := ann.UploadReceiptImage(ctx, "image/jpeg", content); err != nil {
		t.Errorf("an upload beside unfinished ones: %v", err)
	}
	if _, err := ann.CreateReport(ctx, client.Report{Name: "Porto"}); err != nil {
		t.Errorf("a report beside unfinished uploads: %v", err)
	}
	for _, c := range open {
		c.Close()
	}
	apptest.Eventually(t, "no temporary file is left", func() bool { return len(filesIn(t, filepath.Join(data, "tmp"))) == 0 })
	// A full stop waits for whatever still runs.
	stopping, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if n := rows(t, server, "image") - images; n != 1 {
		t.Errorf("%d images, want the one that came whole", n)
	}
	if n := rows(t, server, "report") - records; n != 1 {
		t.Errorf("%d reports, want 1", n)
	}
	if err := server.Stop(stopping); err != nil {
		t.Fatal(err)
	}
	checkStore(t, data)
}

// TestSlowBody: a client that sends a body by drops is cut off, whatever it sends to.
func TestSlowBody(t *testing.T) {
	server := apptest.Start(t, func(o *app.Options) { o.ReadTime = 300 * time.Millisecond })
	ann := apptest.SignIn(t, server, "ann")
	for _, c := range []struct{ what, head string }{
		{"an image", "POST /api/v3.0/expense/receiptimages HTTP/1.1\nContent-Type: image/jpeg\nContent-Length: 1000000"},
		{"an image in chunks", "POST /api/v3.0/expense/receiptimages HTTP/1.1\nContent-Type: image/jpeg\nTransfer-Encoding: chunked"},
		{"a record", "POST /api/v3.0/expense/reports HTTP/1.1\nContent-Type: application/json\nContent-Length: 1000000"},
		{"a form", "POST /oauth2/v0/token HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 1000"},
		{"a receipt", "POST /receipts/v4/users/" + ann.UserID + "/image-only-receipts HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 1000000"},
		{"a hook", "POST /-/clock HTTP/1.1\nContent-Length: 1000000"},
	} {
		connection := raw(t, server, ann, c.head, nil)
		ended := make(chan struct{})
		var drops sync.WaitGroup
		drops.Go(func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-ended:
					return
				case <-tick.C:
					drop := " "
					if strings.Contains(c.head, "chunked") {
						drop = "1\r\n \r\n"
					}
					if _, err := io.WriteString(connection, drop); err != nil {
						return
					}
				}
			}
		})
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		close(ended)
		drops.Wait()
		if err != nil {
			continue // cut off without a word
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 400 && answer.StatusCode != 408 && answer.StatusCode != 503 {
			t.Errorf("%s by drops: %d %s", c.what, answer.StatusCode, body)
		}
		if !answer.Close {
			t.Errorf("%s by drops: the connection stays", c.what)
		}
		connection.Close()
	}
}

// TestCancelledAmongNeighbours: calls that are given up while they wait for a common
// transaction take nobody with them.
func TestCancelledAmongNeighbours(t *testing.T) {
	server := apptest.Start(t)
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	report, err := ann.CreateReport(ctx, client.Report{Name: "Busy"})
	if err != nil {
		t.Fatal(err)
	}
	entry := client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX", TransactionDate: "2026-01-05",
		TransactionAmount: "1", TransactionCurrencyCode: "USD"}
	var answered, given atomic.Int64
	var neighbours, impatient sync.WaitGroup
	stop := make(chan struct{})
	for n := range 8 {
		r := rand.New(rand.NewPCG(9, uint64(n)))
		impatient.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				short, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(3000))*time.Microsecond)
				if _, err := ann.CreateEntry(short, entry); err == nil {
					answered.Add(1)
				} else {
					given.Add(1)
				}
				cancel()
			}
		})
		neighbours.Go(func() {
			for range 40 {
				if _, err := ann.CreateEntry(ctx, entry); err != nil {
					t.Errorf("a neighbour of cancelled calls: %v", err)
					return
				}
				answered.Add(1)
			}
		})
	}
	neighbours.Wait()
	close(stop)
	impatient.Wait()
	// Calls that were given up may still be at work.
	var entries []client.Entry
	var got client.Report
	apptest.Eventually(t, "the report is at rest", func() bool {
		before := len(entries)
		if entries, err = ann.Entries(ctx, report.ID); err != nil {
			t.Fatal(err)
		}
		if got, err = ann.Report(ctx, report.ID); err != nil {
			t.Fatal(err)
		}
		return before == len(entries)
	})
	n := int64(len(entries))
	if n < answered.Load() || n > answered.Load()+given.Load() || got.Total.String() != fmt.Sprint(n) {
		t.Errorf("%d entries, %d answered, %d given up; the report totals %s", n, answered.Load(), given.Load(), got.Total)
	}
	if given.Load() == 0 {
		t.Error("nobody gave up")
	}
}

// TestWritersOfOneReport: parallel changes of one record are made one after the other,
// each over what then stands.
func TestWritersOfOneReport(t *testing.T) {
	server := apptest.Start(t)
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	for range 10 {
		report, err := ann.CreateReport(ctx, client.Report{Name: "Before"})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for _, change := range []string{`{"Name":"After"}`, `{"UserDefinedDate":"2026-02-03"}`, `{"Comment":"Paid by card"}`} {
			group.Go(func() {
				if status, _, body := exchange(t, ann, "PUT", "/api/v3.0/expense/reports/"+report.ID, "application/json", change); status != 200 {
					t.Errorf("%s: %d %s", change, status, body)
				}
			})
		}
		for range 16 {
			group.Go(func() {
				if _, err := ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
					TransactionDate: "2026-01-05", TransactionAmount: "12.34", TransactionCurrencyCode: "USD"}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		_, _, got := exchange(t, ann, "GET", "/api/v3.0/expense/reports/"+report.ID, "", "")
		for _, want := range []string{`"Name":"After"`, `"UserDefinedDate":"2026-02-03T`, `"LastComment":"Paid by card"`, `"Total":197.44,`} {
			if !strings.Contains(got, want) {
				t.Fatalf("after parallel changes %s is not in %s", want, got)
			}
		}
	}
}

// TestSubmitRacesEntry: an entry comes before the submit and is in it, or is refused.
func TestSubmitRacesEntry(t *testing.T) {
	server := apptest.Start(t)
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	entry := client.Entry{ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX", TransactionDate: "2026-01-05", TransactionAmount: "10", TransactionCurrencyCode: "USD"}
	for range 15 {
		report, err := ann.CreateReport(ctx, client.Report{Name: "Race"})
		if err != nil {
			t.Fatal(err)
		}
		entry.ReportID = report.ID
		if _, err := ann.CreateEntry(ctx, entry); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var answered atomic.Int64
		answered.Store(1)
		for range 4 {
			group.Go(func() {
				_, err := ann.CreateEntry(ctx, entry)
				switch client.StatusOf(err) {
				case 0:
					answered.Add(1)
				case 400, 403, 409:
				default:
					t.Errorf("an entry beside a submit: %v", err)
				}
			})
		}
		group.Go(func() {
			if err := ann.Submit(ctx, report.ID); err != nil {
				t.Errorf("a submit beside entries: %v", err)
			}
		})
		group.Wait()
		got, err := ann.Report(ctx, report.ID)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := ann.Entries(ctx, report.ID)
		if err != nil || int64(len(entries)) != answered.Load() || got.Total.String() != fmt.Sprint(10*answered.Load()) || got.ApprovalStatusCode != "A_PEND" {
			t.Errorf("%d entries, %d answered, total %s, %s: %v", len(entries), answered.Load(), got.Total, got.ApprovalStatusCode, err)
		}
		if _, err := ann.CreateEntry(ctx, entry); err == nil {
			t.Error("a submitted report took an entry")
		}
	}
}
