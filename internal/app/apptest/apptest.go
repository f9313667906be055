// Package apptest starts the whole program in a test: a dev server on a free port of
// the loopback address, with a data folder of its own and fast passwords.
package apptest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/config"
)

// Skip skips a test for a reason, or fails it where every test has to run.
func Skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot run: " + why)
	}
	t.Skip(why)
}

// Start starts a dev server that ends with the test.
func Start(t testing.TB, change ...func(*app.Options)) *app.App {
	t.Helper()
	c, err := config.Load("dev", []string{"--data", t.TempDir(), "--listen", "127.0.0.1:0", "--allow-weak-sandbox"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := app.Options{Config: c, PasswordCost: auth.PasswordCost{Memory: 64, Iterations: 1, AtOnce: 2, Wait: 5 * time.Second}, Logger: Logger(t)}
	for _, f := range change {
		f(&o)
	}
	a, err := app.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("the server did not stop in order: %v", err)
		}
	})
	return a
}

// Client is a client with the documented profile's application.
func Client(a *app.App) *client.Client {
	return client.New(a.PublicURL(), client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})
}

// SignIn signs a seeded person in: "ann" is ann@demo.test with ann-password.
func SignIn(t testing.TB, a *app.App, name string) *client.Session {
	t.Helper()
	domain := "demo"
	if name == "eve" {
		domain = "other"
	}
	s, err := Client(a).SignIn(context.Background(), name+"@"+domain+".test", name+"-password")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Logger writes warnings and errors into the test's log.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(bytes.TrimSpace(p)), "\n"))
	return len(p), nil
}

// Do sends one request of a session and gives the status and the body of its answer.
func Do(ctx context.Context, s *client.Session, method, path, media, body string) (int, string, error) {
	if strings.HasPrefix(path, "/") {
		path = s.Base() + path
	}
	request, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Accept", "application/json")
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	answer, err := s.HTTP.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), err
}
