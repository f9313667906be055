package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

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

func call(b *testing.B, h http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w
}

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
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			call(b, h, "POST", "/api/v3.0/expense/entries", ann.Token, fmt.Sprintf(
				`{"ReportID":"%s","ExpenseTypeCode":"TAXIX","PaymentTypeID":"CASHX","TransactionDate":"2026-11-02","TransactionAmount":%d.%02d,"TransactionCurrencyCode":"USD","VendorDescription":"Cab %d"}`,
				reports[i%32], i%400+1, i%100, i))
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
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			call(b, h, "GET", path, ann.Token, "")
		}
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
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
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
