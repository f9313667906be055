//go:build unix

package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
)

// The benchmarks call the handler without sockets: what is measured is the server
// alone. `make bench` measures the whole over loopback, beside peers.

func benchServer(b *testing.B) (*app.App, *client.Session, http.Handler) {
	server := apptest.Start(b)
	return server, apptest.SignIn(b, server, "ann"), server.Handler()
}

// metered runs fn b.N times on many goroutines and reports how much of the processors
// each took: the rate says little on a machine that does other things too.
func metered(b *testing.B, goroutines int, fn func(*testing.PB)) {
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.ReportAllocs()
	b.SetParallelism(goroutines)
	b.ResetTimer()
	before := cpu()
	b.RunParallel(fn)
	b.ReportMetric(float64(cpu()-before)/1e3/float64(b.N), "cpu-µs/op")
}

// caller calls the handler again and again, with next to no work of its own.
type caller struct {
	handler http.Handler
	request http.Request
	header  http.Header
	status  int
	answer  []byte
}

func newCaller(h http.Handler, method, path, token string) *caller {
	c := &caller{handler: h, header: http.Header{}}
	u, err := url.Parse(path)
	if err != nil {
		panic(err)
	}
	c.request = http.Request{Method: method, URL: u, Host: "localhost", RemoteAddr: "127.0.0.1:1", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}}}
	return c
}

func (c *caller) Header() http.Header         { return c.header }
func (c *caller) WriteHeader(status int)      { c.status = status }
func (c *caller) Write(p []byte) (int, error) { c.answer = append(c.answer, p...); return len(p), nil }

func (c *caller) call(b *testing.B, body string) {
	clear(c.header)
	c.status, c.answer = http.StatusOK, c.answer[:0]
	r := c.request
	if r.Body = http.NoBody; body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header["Content-Type"] = []string{"application/json"}
	}
	c.handler.ServeHTTP(c, &r)
	if c.status != http.StatusOK {
		b.Errorf("%s %s: %d %s", r.Method, r.URL, c.status, c.answer)
	}
}

// Amounts differ as they do in life: the rules look at every entry of the same owner,
// day and amount.
func BenchmarkPostEntry(b *testing.B) {
	_, ann, h := benchServer(b)
	reports := make([]string, 32)
	for i := range reports {
		made, err := ann.CreateReport(context.Background(), client.Report{Name: fmt.Sprint("Bench ", i)})
		if err != nil {
			b.Fatal(err)
		}
		reports[i] = made.ID
	}
	var n atomic.Int64
	metered(b, 16, func(pb *testing.PB) {
		c := newCaller(h, "POST", "/api/v3.0/expense/entries", ann.Token)
		for pb.Next() {
			i := n.Add(1) + 100
			c.call(b, fmt.Sprintf(
				`{"ReportID":"%s","ExpenseTypeCode":"TAXIX","PaymentTypeID":"CASHX","TransactionDate":"2026-11-02","TransactionAmount":%d.%02d,"TransactionCurrencyCode":"USD","VendorDescription":"Cab %d"}`,
				reports[i%32], i%39989/100, i%39989%100, i))
		}
	})
}

func BenchmarkGetEntry(b *testing.B) {
	_, ann, h := benchServer(b)
	reports, err := ann.Reports(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	entries, err := ann.Entries(context.Background(), reports[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	path := "/api/v3.0/expense/entries/" + url.PathEscape(entries[0].ID)
	metered(b, 16, func(pb *testing.PB) {
		c := newCaller(h, "GET", path, ann.Token)
		for pb.Next() {
			c.call(b, "")
		}
	})
}

func BenchmarkEntryPage(b *testing.B) {
	_, ann, h := benchServer(b)
	made, err := ann.CreateReport(context.Background(), client.Report{Name: "Bench"})
	if err != nil {
		b.Fatal(err)
	}
	for range 100 {
		if _, err = ann.CreateEntry(context.Background(), client.Entry{ReportID: made.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX",
			TransactionDate: "2026-11-02", TransactionAmount: "12.5", TransactionCurrencyCode: "USD", VendorDescription: "Cab"}); err != nil {
			b.Fatal(err)
		}
	}
	metered(b, 16, func(pb *testing.PB) {
		c := newCaller(h, "GET", "/api/v3.0/expense/entries?limit=25", ann.Token)
		for pb.Next() {
			c.call(b, "")
		}
		b.SetBytes(int64(len(c.answer)))
	})
}

func BenchmarkDownload(b *testing.B) {
	server, ann, _ := benchServer(b)
	photo, err := os.ReadFile("demodata/receipt-photo.jpg")
	if err != nil {
		b.Fatal(err)
	}
	reports, err := ann.Reports(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	entries, err := ann.Entries(context.Background(), reports[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := ann.AttachToEntry(context.Background(), entries[0].ID, "image/jpeg", photo); err != nil {
		b.Fatal(err)
	}
	image, err := ann.EntryImage(context.Background(), entries[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(photo)))
	metered(b, 8, func(pb *testing.PB) {
		conn, err := net.Dial("tcp", server.Address())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		path := strings.TrimPrefix(image.URL, server.PublicURL())
		r := bufio.NewReaderSize(conn, 64<<10)
		for pb.Next() {
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
			answer, err := http.ReadResponse(r, nil)
			if err != nil {
				b.Error(err)
				return
			}
			if n, err := io.Copy(io.Discard, answer.Body); err != nil || n != int64(len(photo)) {
				b.Error(n, err)
				return
			}
		}
	})
}
