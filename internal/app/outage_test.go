package app_test

import (
	"context"
	"database/sql"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/blob/blobtest"
	"quittance/internal/kernel/store/storetest"
)

// cable leads connections to a server until it is cut.
type cable struct {
	address         string // of this end
	network, server string // the other end
	mu              sync.Mutex
	socket          net.Listener
	open            map[net.Conn]bool
	work            sync.WaitGroup
}

func newCable(t *testing.T, network, server string) *cable {
	t.Helper()
	c := &cable{address: "127.0.0.1:0", network: network, server: server, open: map[net.Conn]bool{}}
	c.join(t)
	t.Cleanup(c.cut)
	return c
}

// join makes the cable whole, on the same address each time.
func (c *cable) join(t *testing.T) {
	t.Helper()
	socket, err := net.Listen("tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket, c.address = socket, socket.Addr().String()
	c.work.Go(func() {
		for {
			near, err := socket.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial(c.network, c.server)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			joined := c.socket == socket
			if joined {
				c.open[near], c.open[far] = true, true
			}
			c.mu.Unlock()
			if !joined {
				near.Close()
				far.Close()
				return
			}
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				c.work.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					pair[0].Close()
					pair[1].Close()
					c.mu.Lock()
					delete(c.open, pair[0])
					c.mu.Unlock()
				})
			}
		}
	})
}

// cut ends every connection and takes no new ones.
func (c *cable) cut() {
	c.mu.Lock()
	if c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
	for end := range c.open {
		end.Close()
	}
	c.mu.Unlock()
	c.work.Wait()
}

// onServers starts a server with PostgreSQL and S3 behind cables.
func onServers(t *testing.T) (server *app.App, database, blobs *cable, direct string) {
	t.Helper()
	direct = storetest.PostgresURL(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	if dir := u.Query().Get("host"); dir != "" {
		database = newCable(t, "unix", dir+"/.s.PGSQL.5432")
	} else {
		database = newCable(t, "tcp", u.Host)
	}
	through := *u
	through.Host, through.RawQuery = database.address, "sslmode=disable"
	s3 := blobtest.S3(t).Options
	bucket, err := url.Parse(s3.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := bucket.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	if err != nil || endpoint.Scheme != "http" {
		apptest.Skip(t, "the S3 server is not one that this test can cut off")
	}
	blobs = newCable(t, "tcp", endpoint.Host)
	query.Set("endpoint", "http://"+blobs.address)
	bucket.RawQuery = query.Encode()
	server = apptest.Start(t, func(o *app.Options) {
		o.Database, o.Blobs, o.BlobsAccess, o.BlobsSecret = through.String(), bucket.String(), s3.AccessKey, s3.SecretKey
	})
	return server, database, blobs, direct
}

// TestOutage takes the database away, then the blobs, and gives them back.
func TestOutage(t *testing.T) {
	server, database, blobs, direct := onServers(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r := rand.New(rand.NewPCG(3, 4))
	ann := apptest.SignIn(t, server, "ann")
	report, err := ann.CreateReport(ctx, client.Report{Name: "Kept"})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
		TransactionDate: "2026-01-05", TransactionAmount: "1", TransactionCurrencyCode: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	content := photo(r, 20_000)
	image, err := ann.UploadReceiptImage(ctx, "image/jpeg", content)
	if err != nil {
		t.Fatal(err)
	}
	ready := func(want int, sentence string) {
		t.Helper()
		apptest.Eventually(t, "readiness "+sentence, func() bool {
			status, body := get(t, "GET", server.PublicURL()+"/readyz", "")
			return status == want && strings.Contains(body, sentence)
		})
	}
	type call struct{ what, method, path, accept, media, body, form string }
	records := []call{
		{"reading v3", "GET", "/api/v3.0/expense/reports/" + report.ID, "application/json", "", "", `"Error":{"Message":"`},
		{"reading v3 as XML", "GET", "/api/v3.0/expense/reports/" + report.ID, "application/xml", "", "", `<Error><Message>`},
		{"a list", "GET", "/api/v3.0/expense/entries", "application/json", "", "", `"Error":{"Message":"`},
		{"a new report", "POST", "/api/v3.0/expense/reports", "application/json", "application/json", `{"Name":"Lost"}`, `"Error":{"Message":"`},
		{"a change", "PUT", "/api/v3.0/expense/entries/" + entry.ID, "application/json", "application/json", `{"TransactionAmount":2}`, `"Error":{"Message":"`},
		{"submit v4", "PATCH", "/expensereports/v4/users/" + ann.UserID + "/reports/" + report.ID + "/submit", "application/json", "", "", `"errorMessage":"`},
		{"a receipt's status", "GET", "/receipts/v4/status/x", "application/json", "", "", `{"message":"`},
		{"a link", "GET", "/api/image/v1.0/receipt/" + image.ID, "application/json", "", "", `"Error":{"Message":"`},
		{"a token", "POST", "/oauth2/v0/token", "", "application/x-www-form-urlencoded",
			"grant_type=password&username=ann@demo.test&password=ann-password&client_id=quittance-dev&client_secret=quittance-dev-secret", `"error":"temporarily_unavailable"`},
	}
	files := []call{
		{"an upload", "POST", "/api/v3.0/expense/receiptimages", "application/json", "image/jpeg", string(photo(r, 2000)), `"Error":{"Message":"`},
		{"an image of an entry", "POST", "/api/image/v1.0/expenseentry/" + entry.ID, "application/xml", "image/jpeg", string(photo(r, 2000)), `<Message>`},
		{"the bytes of an image", "GET", "/api/v3.0/expense/receiptimages/" + image.ID, "image/*", "", "", `Message`},
	}
	refused := func(calls []call) {
		t.Helper()
		for _, c := range calls {
			status, header, body := exchange(t, ann, c.method, c.path, c.media, c.body, "Accept", c.accept)
			if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, c.form) {
				t.Errorf("%s: %d, Retry-After %q, %s", c.what, status, header.Get("Retry-After"), body)
			}
		}
	}

	// The database goes.
	database.cut()
	for range 2 {
		refused(records)
	}
	ready(503, "database cannot be reached")
	if status, _ := get(t, "GET", server.PublicURL()+"/healthz", ""); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	database.join(t)
	ready(200, `"database":"ok"`)
	if got, err := ann.Report(ctx, report.ID); err != nil || got.Name != "Kept" || got.ApprovalStatusCode != "A_NOTF" {
		t.Errorf("after the outage: %v, %+v", err, got)
	}

	// Its connections are ended under it, under load: a call fails with 503 or
	// succeeds, and what was answered is there.
	admin, err := sql.Open("pgx", direct)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var group sync.WaitGroup
	var mu sync.Mutex
	answered, failures := 1, 0
	stop := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
					TransactionDate: "2026-01-05", TransactionAmount: "1", TransactionCurrencyCode: "USD"})
				mu.Lock()
				switch client.StatusOf(err) {
				case 0:
					answered++
				case 503:
					failures++
				default:
					t.Errorf("an entry while connections are ended: %v", err)
				}
				mu.Unlock()
				if err != nil && client.StatusOf(err) == 0 {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 5 {
		apptest.Eventually(t, "entries between the ends of connections", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return answered > (n+1)*10
		})
		if _, err := admin.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	group.Wait()
	entries, err := ann.Entries(ctx, report.ID)
	got, errReport := ann.Report(ctx, report.ID)
	// A commit whose answer was lost may have been made: it is then one of the failures.
	if err != nil || errReport != nil || len(entries) < answered || len(entries) > answered+failures {
		t.Errorf("%d entries were answered and %d failed; there are %d: %v %v", answered, failures, len(entries), err, errReport)
	}
	if total, _ := got.Total.Int64(); total != int64(len(entries)) {
		t.Errorf("the report totals %s with %d entries of 1", got.Total, len(entries))
	}
	t.Logf("%d entries, %d calls failed with 503", answered, failures)

	// The blobs go: only what needs them fails.
	blobs.cut()
	var apart sync.WaitGroup
	for _, one := range files { // at once: each is tried again for a while before it is refused
		apart.Go(func() { refused([]call{one}) })
	}
	apart.Go(func() {
		if _, err := ann.PostImageOnlyReceipt(ctx, "r.jpg", "image/jpeg", content); client.StatusOf(err) != 503 {
			t.Errorf("an image-only receipt without blobs: %v", err)
		}
	})
	ready(503, `"database":"ok"`)
	if _, err := ann.CreateReport(ctx, client.Report{Name: "Without images"}); err != nil {
		t.Errorf("a report without blobs: %v", err)
	}
	apart.Wait()
	blobs.join(t)
	ready(200, `"blobs":"ok"`)
	if _, err := ann.AttachToEntry(ctx, entry.ID, "image/jpeg", content); err != nil {
		t.Errorf("an image with the blobs back: %v", err)
	}
	if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", "", "Accept", "image/*"); status != http.StatusOK || hashOf([]byte(body)) != hashOf(content) {
		t.Errorf("the image: %d", status)
	}
	if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages?limit=100", "", ""); status != 200 || strings.Count(body, `"ID"`) != 1 {
		t.Errorf("refused uploads are there: %d %s", status, body)
	}

	// A receipt that is posted while the blobs are there and processed while they are
	// not is processed when they are back.
	posted, err := ann.PostImageOnlyReceipt(ctx, "r.jpg", "image/jpeg", photo(r, 2000))
	if err != nil {
		t.Fatal(err)
	}
	blobs.cut()
	blobs.join(t)
	waiting, stopWaiting := context.WithTimeout(ctx, 30*time.Second)
	defer stopWaiting()
	if status, err := ann.AwaitReceipt(waiting, posted); err != nil || status.Status != "PROCESSED" {
		t.Errorf("a receipt across an outage: %v %+v", err, status)
	}
}
