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

// TestPagesInABrowser walks through the sign-in and the consent in Chromium. With
// QUITTANCE_SCREENSHOTS set to a folder, pictures of all pages stay there.
func TestPagesInABrowser(t *testing.T) {
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		apptest.Skip(t, "Chromium is not installed")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			apptest.Skip(t, tool+" is not installed")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "pages.js"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "e2e", "browser", name))
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
		apptest.Skip(t, "npm cannot install playwright-core: "+strings.TrimSpace(string(out)))
	}
	screenshots := os.Getenv("QUITTANCE_SCREENSHOTS")
	if screenshots == "" {
		screenshots = t.TempDir()
	}
	server := apptest.Start(t)
	run := exec.CommandContext(ctx, "node", "pages.js")
	run.Dir = dir
	run.Env = append(os.Environ(), "BASE="+server.PublicURL(), "CHROMIUM="+chromium, "SCREENSHOTS="+screenshots)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "ok "); n < 18 {
		t.Errorf("only %d steps:\n%s", n, out)
	}
}
