package fonts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func TestFontsAreThoseOfTheManifest(t *testing.T) {
	raw, err := files.ReadFile("data/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Fonts []struct{ Name, SHA256, SourceSHA256, Package, Version string }
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Fonts) != int(Count) {
		t.Fatalf("%d fonts in the manifest, %d in the program", len(manifest.Fonts), Count)
	}
	for id, m := range manifest.Fonts {
		data, err := inflate(ID(id))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if names[id].file != m.Name || hex.EncodeToString(sum[:]) != m.SHA256 {
			t.Errorf("%s is not what the manifest says", m.Name)
		}
		if len(m.SourceSHA256) != 64 || m.Package == "" || m.Version == "" {
			t.Errorf("the source of %s is not recorded", m.Name)
		}
	}
	if licence, err := files.ReadFile("data/OFL.txt"); err != nil || !strings.Contains(string(licence), "SIL OPEN FONT LICENSE Version 1.1") {
		t.Errorf("the licence is missing: %v", err)
	}
}

// Every outline must be a simple one: the PDF writer copies glyphs one by one.
func TestOutlines(t *testing.T) {
	var set Set
	for id := range Count {
		f := set.Font(id)
		var points []Point
		for g := range f.Glyphs() {
			raw := f.Glyph(uint16(g))
			if len(raw) > 0 && signed(raw) <= 0 {
				t.Fatalf("%s: glyph %d is made of others", f.PostScript, g)
			}
			points = f.Outline(points[:0], uint16(g))
			if len(raw) == 0 {
				continue
			}
			if !points[len(points)-1].Last {
				t.Fatalf("%s: glyph %d has an open contour", f.PostScript, g)
			}
			// The bounding box in front of a glyph is that of its points.
			low, high := points[0], points[0]
			for _, p := range points {
				low.X, low.Y = min(low.X, p.X), min(low.Y, p.Y)
				high.X, high.Y = max(high.X, p.X), max(high.Y, p.Y)
			}
			if low.X < signed(raw[2:]) || low.Y < signed(raw[4:]) || high.X > signed(raw[6:]) || high.Y > signed(raw[8:]) {
				t.Fatalf("%s: glyph %d leaves its box", f.PostScript, g)
			}
			if f.Bearing(uint16(g)) != signed(raw[2:]) {
				t.Fatalf("%s: glyph %d has bearing %d, box %d", f.PostScript, g, f.Bearing(uint16(g)), signed(raw[2:]))
			}
		}
		for _, space := range []rune{' ', '\u00a0'} {
			if _, ok := f.Layout.NominalGlyph(space); !ok {
				t.Errorf("%s has no %U", f.PostScript, space)
			}
		}
	}
}

func TestCoverage(t *testing.T) {
	var set Set
	for id, text := range map[ID]string{
		Sans:   "Zażółć gęślą jaźń – Ελληνικά ΐ Кириллица Ђ ї € £ ¥ ₹ ₺ ₿ № • …",
		Arabic: "العربيةپچگ،؟٠١٢", Hebrew: "עברית״׳שׁ",
		Math: "→←−≤∞≈", Symbols: "■●▲★✓✈☎",
		CJK: "東京中国中國國体體龍龙한국어훼쇼ひらがなカタカナ、。「」￥①㈱﨑",
	} {
		for _, r := range text {
			if _, ok := set.Font(id).Layout.NominalGlyph(r); !ok {
				t.Errorf("%s has no %c %U", names[id].file, r, r)
			}
		}
	}
	// Figures stand in columns.
	for _, id := range []ID{Sans, SansBold} {
		f := set.Font(id)
		zero, _ := f.Layout.NominalGlyph('0')
		for r := '1'; r <= '9'; r++ {
			if g, _ := f.Layout.NominalGlyph(r); f.Advance(uint16(g)) != f.Advance(uint16(zero)) {
				t.Errorf("%s: %c has its own width", f.PostScript, r)
			}
		}
	}
}

func BenchmarkOpenCJK(b *testing.B) {
	for b.Loop() {
		if _, err := open(CJK); err != nil {
			b.Fatal(err)
		}
	}
}
