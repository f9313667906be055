package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/store/storetest"
)

// TestHTTP2 runs a client with prior knowledge of HTTP/2 over a plain connection, as a
// proxy in front of the server does.
func TestHTTP2(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	ann.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := transport.RoundTrip(r)
		if err == nil && answer.ProtoMajor != 2 {
			t.Errorf("%s was answered in %s", r.URL.Path, answer.Proto)
		}
		return answer, err
	}), Timeout: 30 * time.Second}
	ctx := context.Background()
	content := photo(rand.New(rand.NewPCG(1, 1)), 2_000_000)
	image, err := ann.UploadReceiptImage(ctx, "image/jpeg", content)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", "", "Accept", "image/*"); status != 200 || body != string(content) {
		t.Errorf("an image over HTTP/2: %d, %d bytes", status, len(body))
	}
	if err := app.Demo(ctx, server.PublicURL(), t.TempDir()+"/report.pdf", io.Discard); err != nil {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// variants are spellings of a path that clients come with.
func variants(path string) []string {
	return []string{path, path + "/", "/" + path, strings.ReplaceAll(path, "/", "//"), strings.ReplaceAll(path, "/", "//") + "//",
		strings.ToUpper(path), strings.ToLower(path), "/." + path, path + "/.", path + "/..", path + "?", path + "/?a=b", path + "%2F", path + "%20"}
}

// TestNothingRedirects walks every operation in every spelling, with and without a
// token: the authorization pages alone may send a browser elsewhere. Nothing fails
// inside the server, and every answer can be traced.
func TestNothingRedirects(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	paths := map[string][]string{"/healthz": {"GET"}, "/readyz": {"GET", "POST"}, "/openapi.json": {"GET", "PUT"}, "/metrics": {"GET"}, "/": {"GET", "POST"},
		"": {"GET"}, "/index.html": {"GET"}, "/favicon.ico": {"GET"}}
	for _, op := range server.API.Operations() {
		if op.Doc.ID == "hooks.reset" || op.Doc.ID == "hooks.fault" {
			continue
		}
		path := strings.NewReplacer("{userId}", ann.UserID, "{", "", "}", "").Replace(op.Route())
		paths[path] = append(paths[path], op.Method, "OPTIONS")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}
	calls := 0
	for path, methods := range paths {
		for _, spelling := range variants(path) {
			for _, method := range methods {
				for _, token := range []string{"", ann.Token} {
					request, err := http.NewRequestWithContext(t.Context(), method, server.PublicURL()+"/", strings.NewReader("{}"))
					if err != nil {
						t.Fatal(err)
					}
					request.URL.Opaque = spelling // written as it is
					if spelling == "" {
						request.URL.Opaque = "/"
					}
					if strings.HasPrefix(spelling, "//") {
						request.URL.Opaque = request.URL.Scheme + "://" + request.URL.Host + spelling
					}
					request.Header.Set("Content-Type", "application/json")
					if token != "" {
						request.Header.Set("Authorization", "Bearer "+token)
					}
					answer, err := client.Do(request)
					if err != nil {
						t.Fatalf("%s %s: %v", method, spelling, err)
					}
					body, _ := io.ReadAll(answer.Body)
					answer.Body.Close()
					calls++
					if answer.StatusCode/100 == 3 || answer.Header.Get("Location") != "" && answer.StatusCode/100 != 2 || answer.StatusCode >= 500 {
						t.Errorf("%s %s: %d to %q %.200s", method, spelling, answer.StatusCode, answer.Header.Get("Location"), body)
					}
				}
			}
		}
	}
	if calls < 1000 {
		t.Errorf("only %d calls", calls)
	}
}

// TestPathsAreLenient: slashes mean nothing, nor does the case of the old services'
// paths and query names; in the new ones it does.
func TestPathsAreLenient(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	report, err := ann.CreateReport(t.Context(), client.Report{Name: "Lisbon"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"//api//v3.0//expense/reports/" + report.ID + "//":       200,
		"/API/V3.0/Expense/REPORTS/" + report.ID:                 200,
		"/api/v3.0/expense/entries?REPORTID=" + report.ID:        200,
		"/Api/Image/V1.0/Report/" + report.ID:                    404, // no image yet; the path is known
		"/api/v3.0/expense/reports/" + report.ID + "/x":          404,
		"/expensereports//v4/reports/" + report.ID + "/history/": 200,
		"/EXPENSEREPORTS/v4/reports/" + report.ID + "/history":   404,
		"/receipts/V4": 404,
	} {
		if status, _, body := exchange(t, ann, "GET", path, "", ""); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

// TestOddRequests: what is unusual and allowed works; what is not is refused in the
// protocol's words.
func TestOddRequests(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	send := func(head, body string) (*http.Response, string) {
		t.Helper()
		c := raw(t, server, ann, head, []byte(body))
		answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: strings.Fields(head)[0]})
		if err != nil {
			t.Fatalf("%.80s: %v", head, err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("%.80s: %v", head, err)
		}
		return answer, string(b)
	}
	const create = "POST /api/v3.0/expense/reports HTTP/1.1\nContent-Type: application/json\n"
	for _, c := range []struct {
		what, head, body string
		want             int
	}{
		{"chunks", create + "Transfer-Encoding: chunked", "7\r\n{\"Name\"\r\n8\r\n:\"Bits\"}\r\n0\r\n\r\n", 200},
		{"a chunk of nonsense", create + "Transfer-Encoding: chunked", "z\r\n{}\r\n0\r\n\r\n", 400},
		{"two lengths", create + "Content-Length: 2\nContent-Length: 3", "{}", 400},
		{"length and chunks", create + "Content-Length: 2\nTransfer-Encoding: chunked", "0\r\n\r\n", 400},
		{"a negative length", create + "Content-Length: -1", "", 400},
		{"a claimed length of a terabyte", create + "Content-Length: 1099511627776", "{}", 413},
		{"a long path", "GET /api/v3.0/expense/reports/" + strings.Repeat("a", 30_000) + " HTTP/1.1", "", 404},
		{"a long query", "GET /api/v3.0/expense/reports?x=" + strings.Repeat("a", 30_000) + " HTTP/1.1", "", 200},
		{"a query beyond reason", "GET /api/v3.0/expense/reports?x=" + strings.Repeat("a", 100_000) + " HTTP/1.1", "", 431},
		{"headers beyond reason", "GET /api/v3.0/expense/reports HTTP/1.1\nX-Long: " + strings.Repeat("a", 100_000), "", 431},
		{"a thousand headers", "GET /api/v3.0/expense/reports HTTP/1.1" + strings.Repeat("\nX-More: a", 1000), "", 200},
		{"a form with a million names", "POST /oauth2/v0/token HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 2000000", strings.Repeat("a&", 1000), 413},
		{"a compressed body", create + "Content-Encoding: gzip\nContent-Length: 2", "{}", 415},
		{"a coding that we do not know", create + "Transfer-Encoding: gzip", "", 501},
		{"HTTP/1.0", "GET /api/v3.0/expense/reports HTTP/1.0", "", 200},
		{"a whole address", "GET http://elsewhere.example/api/v3.0/expense/reports HTTP/1.1", "", 200},
		{"a method of one's own", "PURGE /api/v3.0/expense/reports HTTP/1.1", "", 405},
		{"TRACE", "TRACE /api/v3.0/expense/reports HTTP/1.1", "", 405},
		{"CONNECT", "CONNECT elsewhere.example:443 HTTP/1.1", "", 404},
		{"OPTIONS of everything", "OPTIONS * HTTP/1.1", "", 200},
		{"bytes that are no text", "GET /api/v3.0/expense/reports/%00%ff%fe HTTP/1.1", "", 404},
		{"a header with a control", "GET /api/v3.0/expense/reports HTTP/1.1\nX-A: a\x00b", "", 400},
	} {
		answer, body := send(c.head, c.body)
		if answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %.300s", c.what, answer.StatusCode, c.want, body)
		}
		if strings.Contains(body, "elsewhere.example") {
			t.Errorf("%s: the answer takes an address from the request: %.300s", c.what, body)
		}
	}
}

// TestExpect: a client that asks first is told to go on, or why not, before it sends.
func TestExpect(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	content := photo(rand.New(rand.NewPCG(2, 2)), 100_000)
	ask := func(length int, media string) (net.Conn, *bufio.Reader, string) {
		t.Helper()
		c := raw(t, server, ann, fmt.Sprintf("POST /api/v3.0/expense/receiptimages HTTP/1.1\nContent-Type: %s\nContent-Length: %d\nExpect: 100-continue", media, length), nil)
		r := bufio.NewReader(c)
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return c, r, line
	}
	c, r, line := ask(len(content), "image/jpeg")
	if !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("a client that asks is told %q", line)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(content); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("after going on: %v %v", answer, err)
	}
	if _, _, line := ask(50<<20, "image/jpeg"); !strings.HasPrefix(line, "HTTP/1.1 413 ") {
		t.Errorf("a client that asks with too much is told %q", line)
	}
}

// TestHeadAndRange: HEAD where GET is, and parts of files, as viewers ask for them.
func TestHeadAndRange(t *testing.T) {
	server := apptest.Start(t)
	ann := apptest.SignIn(t, server, "ann")
	content := photo(rand.New(rand.NewPCG(3, 3)), 300_000)
	image, err := ann.UploadReceiptImage(t.Context(), "image/jpeg", content)
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ URI string }
	status, whole, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", "")
	if status != 200 || json.Unmarshal([]byte(body), &record) != nil {
		t.Fatalf("%d %s", status, body)
	}
	if status, head, nothing := exchange(t, ann, "HEAD", "/api/v3.0/expense/receiptimages/"+image.ID, "", ""); status != 200 || nothing != "" ||
		head.Get("Content-Type") != whole.Get("Content-Type") || head.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v %q", status, head, nothing)
	}
	link := strings.TrimPrefix(record.URI, server.PublicURL())
	ask := func(method string, header ...string) (int, http.Header, string) {
		t.Helper()
		return exchange(t, ann, method, link, "", "", header...)
	}
	_, first, all := ask("GET")
	if all != string(content) || first.Get("Content-Type") != "image/jpeg" || first.Get("X-Content-Type-Options") != "nosniff" || first.Get("Set-Cookie") != "" {
		t.Errorf("the file: %d bytes, %v", len(all), first)
	}
	if status, head, nothing := ask("HEAD"); status != 200 || nothing != "" || head.Get("Content-Length") != fmt.Sprint(len(content)) {
		t.Errorf("HEAD of the file: %d %v", status, head)
	}
	for _, c := range []struct {
		asked, given string
		want         int
		bytes        []byte
	}{
		{"bytes=0-99", fmt.Sprintf("bytes 0-99/%d", len(content)), 206, content[:100]},
		{"bytes=-10", fmt.Sprintf("bytes %d-%d/%d", len(content)-10, len(content)-1, len(content)), 206, content[len(content)-10:]},
		{"bytes=299999-", fmt.Sprintf("bytes 299999-%d/%d", len(content)-1, len(content)), 206, content[299_999:]},
		{"bytes=900000-", fmt.Sprintf("bytes */%d", len(content)), 416, nil},
	} {
		status, header, part := ask("GET", "Range", c.asked)
		if status != c.want || header.Get("Content-Range") != c.given || c.bytes != nil && !bytes.Equal([]byte(part), c.bytes) {
			t.Errorf("%s: %d %q, %d bytes; want %d %q", c.asked, status, header.Get("Content-Range"), len(part), c.want, c.given)
		}
	}
	if status, _, nothing := ask("GET", "If-None-Match", first.Get("ETag")); status != 304 || nothing != "" {
		t.Errorf("a file that the client has: %d", status)
	}
	if status, _, part := ask("GET", "Range", "bytes=0-9", "If-Range", `"other"`); status != 200 || len(part) != len(content) {
		t.Errorf("a range of a file that was another: %d, %d bytes", status, len(part))
	}
}

// TestTextsOnPostgreSQL: what SQLite stores and PostgreSQL does not is refused or not
// found, and never a failure of the server.
func TestTextsOnPostgreSQL(t *testing.T) {
	database := storetest.PostgresURL(t)
	server := apptest.Start(t, func(o *app.Options) { o.Database = database })
	ann := apptest.SignIn(t, server, "ann")
	for _, path := range []string{"/api/v3.0/expense/reports/%00", "/api/v3.0/expense/reports/a%ff", "/api/v3.0/expense/entries?reportID=%00", "/receipts/v4/status/%00",
		"/api/image/v1.0/receipt/%00%ff", "/expensereports/v4/reports/%00/history", "/api/v3.0/expense/reports?user=%00"} {
		if status, _, body := exchange(t, ann, "GET", path, "", ""); status != 404 && status != 400 && status != 403 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, body := range []string{`{"Name":"a\u0000b"}`, "{\"Name\":\"a\xffb\"}", `{"Name":"a\ud800b"}`} {
		if status, _, answer := exchange(t, ann, "POST", "/api/v3.0/expense/reports", "application/json", body); status != 400 {
			t.Errorf("%q: %d %s", body, status, answer)
		}
	}
}
