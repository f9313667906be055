package bidi

import (
	"bufio"
	"compress/gzip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestUnicodeConformance runs Unicode's BidiCharacterTest.txt, version 15.0.0, which
// is that of the character tables: characters; direction; paragraph level; levels;
// visual order.
func TestUnicodeConformance(t *testing.T) {
	f, err := os.Open("testdata/BidiCharacterTest-15.0.0.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(r)
	var s Resolver
	cases, failures := 0, 0
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, ";")
		var text []rune
		for _, code := range strings.Fields(fields[0]) {
			n, err := strconv.ParseUint(code, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, rune(n))
		}
		direction := map[string]Direction{"0": LeftToRight, "1": RightToLeft, "2": Auto}[fields[1]]
		levels, base := s.Levels(text, direction)
		var got []string
		for _, l := range levels {
			if l == Removed {
				got = append(got, "x")
			} else {
				got = append(got, strconv.Itoa(int(l)))
			}
		}
		var order []string
		for _, run := range Visual(nil, levels) {
			part := []string{}
			for i := run.From; i < run.To; i++ {
				if levels[i] != Removed {
					part = append(part, strconv.Itoa(i))
				}
			}
			if run.Level.RightToLeft() {
				slices.Reverse(part)
			}
			order = append(order, part...)
		}
		cases++
		if strconv.Itoa(int(base)) != fields[2] || strings.Join(got, " ") != fields[3] || strings.Join(order, " ") != fields[4] {
			if failures++; failures <= 10 {
				t.Errorf("%s\n got paragraph %d, levels %v, order %v", line, base, got, order)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if cases != 91_707 || failures > 0 {
		t.Errorf("%d of %d cases failed", failures, cases)
	}
}

// Numbers after Hebrew or Arabic in a line that runs to the right: what libraries
// that drop the levels get wrong.
func TestNumbersAfterHebrew(t *testing.T) {
	for _, c := range []struct{ text, visual string }{
		{"total אבג 12 EUR", "total 12 גבא EUR"},
		{"אבג 12.50 דה", "הד 12.50 גבא"},
		{"a (אב) b", "a (בא) b"},
		{"אב (12) גד", "דג (12) בא"},
		{"\u2068אב 1\u2069 - \u2068cd\u2069", "1 בא - cd"},
	} {
		text := []rune(c.text)
		var s Resolver
		levels, _ := s.Levels(text, LeftToRight)
		if c.text[0] != 't' && c.text[0] != 'a' && c.text[0] != 0xE2 {
			levels, _ = s.Levels(text, Auto)
		}
		var got strings.Builder
		for _, run := range Visual(nil, levels) {
			part := slices.Clone(text[run.From:run.To])
			if run.Level.RightToLeft() {
				slices.Reverse(part)
				for i, r := range part {
					if n := strings.IndexRune("()", r); n >= 0 {
						part[i] = rune(")("[n])
					}
				}
			}
			for _, r := range part {
				if r != '\u2068' && r != '\u2069' {
					got.WriteRune(r)
				}
			}
		}
		if got.String() != c.visual {
			t.Errorf("%q stands as %q, want %q", c.text, got.String(), c.visual)
		}
	}
}

func FuzzLevels(f *testing.F) {
	f.Add("a אב 12 (ج) \u202e x \u2067 y \u2069", byte(0))
	f.Fuzz(func(t *testing.T, text string, direction byte) {
		runes := []rune(text)
		var s Resolver
		levels, base := s.Levels(runes, Direction(direction%3))
		if base > 1 || len(levels) != len(runes) {
			t.Fatalf("base %d, %d levels of %d characters", base, len(levels), len(runes))
		}
		for i, l := range levels {
			if l != Removed && (l < base || l > maxDepth+1) {
				t.Fatalf("character %d has level %d", i, l)
			}
		}
		shown := 0
		for _, run := range Visual(nil, levels) {
			for _, l := range levels[run.From:run.To] {
				if l != Removed {
					shown++
				}
			}
		}
		for _, l := range levels {
			if l == Removed {
				shown++
			}
		}
		if shown != len(runes) {
			t.Fatalf("%d of %d characters stand somewhere", shown, len(runes))
		}
	})
}

func BenchmarkLevels(b *testing.B) {
	text := []rune("Hotel מלון דן 5 (Tel Aviv) – الغرفة 312, 2 nights")
	var s Resolver
	for b.Loop() {
		s.Levels(text, Auto)
	}
}

// A long run of brackets must not take quadratic time.
func BenchmarkManyBrackets(b *testing.B) {
	text := []rune(strings.Repeat("א(", 40) + strings.Repeat("()א", 100_000))
	var s Resolver
	for b.Loop() {
		s.Levels(text, Auto)
	}
}
