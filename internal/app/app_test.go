package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/blob/blobtest"
	"quittance/internal/kernel/store/storetest"
)

func TestMain(m *testing.M) {
	apptest.Child()
	storetest.Main(m)
}

// TestMainJob runs the demo's journey on embedded storage, and on PostgreSQL with S3.
func TestMainJob(t *testing.T) {
	for name, change := range map[string]func(*testing.T) func(*app.Options){
		"embedded": func(*testing.T) func(*app.Options) { return func(*app.Options) {} },
		"PostgreSQL and S3": func(t *testing.T) func(*app.Options) {
			database, s3 := storetest.PostgresURL(t), blobtest.S3(t).Options
			return func(o *app.Options) {
				o.Database, o.Blobs, o.BlobsAccess, o.BlobsSecret = database, s3.URL, s3.AccessKey, s3.SecretKey
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := apptest.Start(t, change(t))
			file := filepath.Join(t.TempDir(), "report.pdf")
			var out bytes.Buffer
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			if err := app.Demo(ctx, server.PublicURL(), file, &out); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			pdf, err := os.ReadFile(file)
			if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Fatalf("the PDF: %v, %d bytes", err, len(pdf))
			}
			if err := server.Reset(ctx); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			if err := app.Demo(ctx, server.PublicURL(), file, &out); err != nil {
				t.Fatalf("after a reset: %v\n%s", err, &out)
			}
		})
	}
}

func get(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func TestHooks(t *testing.T) {
	server := apptest.Start(t)
	base := server.PublicURL()
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	made, err := ann.CreateReport(ctx, client.Report{Name: "Before the reset"})
	if err != nil {
		t.Fatal(err)
	}
	// A planned failure hits the operation that it names, as often as it says.
	if status, body := get(t, "POST", base+"/-/fault", `{"operation":"reports.get","status":503,"count":1}`); status != 200 {
		t.Fatal(status, body)
	}
	if _, err := ann.Report(ctx, made.ID); client.StatusOf(err) != 503 {
		t.Errorf("the planned failure: %v", err)
	}
	if _, err := ann.Report(ctx, made.ID); err != nil {
		t.Errorf("after it: %v", err)
	}
	for _, bad := range []string{`{"operation":"nothing","status":503}`, `{"operation":"*","status":418}`, `{"operation":"*"}`, `{"operation":"*","staus":503}`, `[]`} {
		if status, body := get(t, "POST", base+"/-/fault", bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	// The request log has the failure and no secret.
	_, log := get(t, "GET", base+"/-/requests", "")
	if !strings.Contains(log, `"reports.get"`) || !strings.Contains(log, "planned") {
		t.Errorf("the request log lacks the failure: %s", log)
	}
	for _, secret := range []string{ann.Token, "ann-password", "quittance-dev-secret"} {
		if strings.Contains(log, secret) {
			t.Errorf("the request log shows %q", secret[:8])
		}
	}
	// The clock moves, tokens expire by it, and goes back.
	if status, body := get(t, "POST", base+"/-/clock", `{"advance":"2h"}`); status != 200 {
		t.Fatal(status, body)
	}
	if _, err := ann.Report(ctx, made.ID); client.StatusOf(err) != 403 {
		t.Errorf("a token of two hours ago: %v", err)
	}
	if status, body := get(t, "POST", base+"/-/clock", `{"reset":true}`); status != 200 {
		t.Fatal(status, body)
	}
	// The reset forgets what was made; tokens and the seed stay.
	if status, body := get(t, "POST", base+"/-/reset", ""); status != 200 {
		t.Fatal(status, body)
	}
	if _, err := ann.Report(ctx, made.ID); client.StatusOf(err) != 404 {
		t.Errorf("the report after the reset: %v", err)
	}
	apptest.SignIn(t, server, "bob")
}

func TestHealth(t *testing.T) {
	server := apptest.Start(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": `"database":"ok"`, "/metrics": "quittance_calls_total", "/openapi.json": `"openapi":"3.1.0"`} {
		if path == "/metrics" {
			apptest.SignIn(t, server, "ann")
		}
		if status, body := get(t, "GET", server.PublicURL()+path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
}

// TestEveryOperationIsGuarded holds each operation to what the kernel demands, and
// tries every one of them without a token, with a token without scopes, and with a
// token of another company's user.
func TestEveryOperationIsGuarded(t *testing.T) {
	server := apptest.Start(t)
	for _, fault := range api.Guards(server.API.Operations()) {
		t.Error(fault)
	}
	for _, op := range server.API.Operations() {
		if op.Scopes().IsOpen() {
			continue
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(op.Route())
		request, err := http.NewRequestWithContext(context.Background(), op.Method, server.PublicURL()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 401 && answer.StatusCode != 403 {
			t.Errorf("%s %s without a token: %d", op.Method, path, answer.StatusCode)
		}
		request.Header.Set("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")
		if answer, err = http.DefaultClient.Do(request); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 401 && answer.StatusCode != 403 {
			t.Errorf("%s %s with an unsigned token: %d", op.Method, path, answer.StatusCode)
		}
	}
}

func TestServeHasNoHooks(t *testing.T) {
	server := apptest.Start(t, func(o *app.Options) { o.Command, o.PublicURL = "serve", "https://spend.example" })
	base := "http://" + server.Address()
	for _, path := range []string{"/-/reset", "/-/clock", "/-/fault", "/-/requests", "/-/mail"} {
		for _, method := range []string{"GET", "POST"} {
			if status, _ := get(t, method, base+path, "{}"); status != 404 {
				t.Errorf("%s %s: %d", method, path, status)
			}
		}
	}
	if status, _ := get(t, "GET", base+"/metrics", ""); status != 404 {
		t.Errorf("metrics on the public address: %d", status)
	}
	var ready map[string]string
	if _, body := get(t, "GET", base+"/readyz", ""); json.Unmarshal([]byte(body), &ready) != nil || ready["status"] != "ready" || len(ready) != 1 {
		t.Errorf("readiness tells strangers %v", ready)
	}
	if status, _ := get(t, "POST", base+"/oauth2/v0/token", ""); status == 404 {
		t.Error("serve has no token service")
	}
}
