package drawing

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quittance/internal/kernel/value"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files")
	outDir = flag.String("out", "", "a folder to which the drawn receipts are written")
)

// types tells a receipt's schema by the name of its file.
var types = []string{"air", "car-rental", "general", "ground-transport", "hotel", "jpt-ic-card", "rail"}

func inputOf(t testing.TB, path string) *Input {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	in := &Input{ID: "5f0c1d2e3a4b4c5d8e9f0a1b2c3d4ee1", JSON: raw, Traveller: "Mara Ilves", Received: value.Instant(1_710_231_302_087_000)}
	for _, kind := range types {
		if strings.HasPrefix(name, kind) {
			in.Type = kind + "-receipt"
		}
	}
	if in.Type == "" {
		t.Fatalf("%s is of no type", name)
	}
	return in
}

func receipts(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/receipts/*.json")
	if err != nil || len(all) < 7 {
		t.Fatalf("%d receipts, %v", len(all), err)
	}
	return all
}

func TestDraw(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range receipts(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			out, err := r.PDF(context.Background(), inputOf(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if *outDir != "" {
				if err := os.WriteFile(filepath.Join(*outDir, name+".pdf"), out, 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err = r.PNG(context.Background(), inputOf(t, path)); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(*outDir, name+".png"), out, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
