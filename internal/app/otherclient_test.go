package app_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quittance/internal/app/apptest"
)

// TestClientOfAnotherMake runs the npm package concur-platform, unmodified, against
// the server, with the application of the observed profile.
func TestClientOfAnotherMake(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			apptest.Skip(t, tool+" is not installed")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	source := filepath.Join("..", "..", "e2e", "concur-platform")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "journey.js"} {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		apptest.Skip(t, "npm cannot install the client: "+strings.TrimSpace(string(out)))
	}
	server := apptest.Start(t)
	photo, err := filepath.Abs("demodata/receipt-photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(ctx, "node", "--no-deprecation", "journey.js")
	run.Dir = dir
	run.Env = append(os.Environ(), "CONCUR_BASE_URI="+server.PublicURL(), "PHOTO="+photo)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "ok "); n < 12 {
		t.Errorf("only %d steps:\n%s", n, out)
	}
}
