package text

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"quittance/internal/domain/receipt/drawing/fonts"
)

var set = new(fonts.Set)

var plain = Style{Size: 9000}

// visual is a line's text as it stands, from the left.
func visual(l Line) string {
	var b strings.Builder
	for _, r := range l.Runs {
		text := slices.Clone(r.Text)
		if r.RightToLeft {
			slices.Reverse(text)
		}
		b.WriteString(string(text))
	}
	return b.String()
}

// logical is all characters of lines, without blanks, in any order within a line.
func letters(lines ...Line) string {
	var all []rune
	for _, l := range lines {
		for _, r := range l.Runs {
			for _, c := range r.Text {
				if !unicode.IsSpace(c) {
					all = append(all, c)
				}
			}
		}
	}
	slices.Sort(all)
	return string(all)
}

func TestOrder(t *testing.T) {
	s := New(set)
	for _, c := range []struct{ text, want string }{
		{"plain text", "plain text"},
		{"from שלום 12 to", "from 12 םולש to"},
		{"שלום 12.50 abc", "abc 12.50 םולש"},
		{"سعر 3 × 45 EUR", "EUR 45 × 3 رعس"}, // the paragraph runs to the left
		{Isolate("שלום 1") + " – " + Isolate("abc"), "1 םולש – abc"},
		{Isolate("אב") + " · " + Isolate("12") + " · " + Isolate("גד"), "בא · 12 · דג"},
		{"a \u202e05.9\u202c b", "a 05.9 b"}, // no override turns an amount around
	} {
		if got := visual(s.Line(c.text, plain)); got != c.want {
			t.Errorf("%q stands as %q, want %q", c.text, got, c.want)
		}
	}
}

func TestIsolateIsSafe(t *testing.T) {
	for _, hostile := range []string{"א\u2069\u2069b", "\u2067א", "\u2069\u2068א"} {
		depth := 0
		inner := strings.TrimSuffix(strings.TrimPrefix(Isolate(hostile), "\u2068"), "\u2069")
		for _, r := range inner {
			if r >= '\u2066' && r <= '\u2068' {
				depth++
			}
			if r == '\u2069' {
				depth--
			}
			if depth < 0 {
				t.Errorf("%q ends what holds it", hostile)
			}
		}
		if depth != 0 {
			t.Errorf("%q goes on behind its end", hostile)
		}
	}
}

func glyphs(l Line) []uint16 {
	var ids []uint16
	for _, r := range l.Runs {
		for _, g := range r.Glyphs {
			if !g.Blank {
				ids = append(ids, g.ID)
			}
		}
	}
	return ids
}

// Arabic letters join: their glyphs differ from those of the letters alone, and lam and
// alef are one, with a blank for the other letter.
func TestArabicJoins(t *testing.T) {
	s := New(set)
	word := s.Line("سلام", plain)
	var alone []uint16
	for _, r := range "سلام" {
		alone = append(alone, glyphs(s.Line(string(r), plain))...)
	}
	slices.Reverse(alone)
	if got := glyphs(word); slices.Equal(got, alone) || len(got) != 3 {
		t.Errorf("%d glyphs, of letters alone: %v", len(got), slices.Equal(got, alone))
	}
	r := word.Runs[0]
	var read []rune
	for _, g := range r.Glyphs {
		read = append(read, r.Text[g.From:g.To]...)
	}
	slices.Reverse(read)
	if string(read) != "سلام" {
		t.Errorf("the glyphs read %q", string(read))
	}
}

// One Han character has another form in each country; kana and hangul tell by
// themselves.
func TestRegionalForms(t *testing.T) {
	s := New(set)
	forms := map[string]uint16{}
	for _, tag := range []string{"ja", "zh-Hans", "zh-Hant"} {
		s.SetLanguage(tag)
		forms[tag] = glyphs(s.Line("骨", plain))[0]
	}
	if forms["ja"] == forms["zh-Hans"] || forms["zh-Hans"] == forms["zh-Hant"] {
		t.Errorf("one form for all: %v", forms)
	}
	s.SetLanguage("zh-Hans")
	if got := glyphs(s.Line("骨の", plain))[0]; got != forms["ja"] {
		t.Errorf("beside kana a Chinese form stands")
	}
	s.SetLanguage("")
	if got := glyphs(s.Line("骨", plain))[0]; got != forms["ja"] {
		t.Errorf("without a language it is not the form of the typeface")
	}
}

func TestFontsByScript(t *testing.T) {
	s := New(set)
	for _, c := range []struct {
		text string
		want []fonts.ID
	}{
		{"Hello, Ελλάδα, Киев €5", []fonts.ID{fonts.Sans, fonts.Sans, fonts.Sans, fonts.Sans, fonts.Sans}},
		{"שלום", []fonts.ID{fonts.Hebrew}},
		{"中文“引号”……", []fonts.ID{fonts.CJK}},
		{"a “b” …", []fonts.ID{fonts.Sans}},
		{"a→b", []fonts.ID{fonts.Sans, fonts.Math, fonts.Sans}},
		{"✓ ok", []fonts.ID{fonts.Symbols, fonts.Sans}},
	} {
		var got []fonts.ID
		for _, r := range s.Line(c.text, plain).Runs {
			got = append(got, r.Font)
		}
		if !slices.Equal(slices.Compact(slices.Clone(got)), slices.Compact(slices.Clone(c.want))) {
			t.Errorf("%q is set in %v, want %v", c.text, got, c.want)
		}
	}
}

// An amount's hyphen looks like a minus sign and reads as a hyphen.
func TestFigures(t *testing.T) {
	s := New(set)
	figures := plain
	figures.Figures = true
	minus, hyphen, dash := s.Line("-2.50", figures), s.Line("-2.50", plain), s.Line("–2.50", plain)
	if visual(minus) != "-2.50" || !slices.Equal(glyphs(minus), glyphs(dash)) || slices.Equal(glyphs(minus), glyphs(hyphen)) {
		t.Errorf("%q is drawn %v, a dash %v", visual(minus), glyphs(minus), glyphs(dash))
	}
	if s.Line("111.11", plain).Width != s.Line("888.88", plain).Width {
		t.Error("figures have different widths")
	}
}

func TestMissing(t *testing.T) {
	s := New(set)
	line := s.Line("ok ภา x", plain)
	if got := s.Missing(); string(got) != "ภา" {
		t.Errorf("%q is missing", string(got))
	}
	if visual(line) != "ok ภา x" {
		t.Errorf("the text is lost: %q", visual(line))
	}
	if got := s.Missing(); got != nil {
		t.Errorf("told twice: %q", string(got))
	}
	s.Line("ok ภา x", plain)
	if got := s.Missing(); string(got) != "ภา" {
		t.Errorf("not told of a run that was known: %q", string(got))
	}
}

// No direction mark, variation selector or joiner counts as missing.
func TestIgnorables(t *testing.T) {
	s := New(set)
	for _, text := range []string{"a\u200eb\u200fא", "✈\ufe0f", "می\u200cخواهم", "a\u200bb", "co\u00adop", "\u2068x\u2069א"} {
		s.Line(text, plain)
		if got := s.Missing(); got != nil {
			t.Errorf("%q: %U is missing", text, got)
		}
	}
}

func TestWrap(t *testing.T) {
	s := New(set)
	for _, c := range []struct {
		text  string
		width int
		lines int
	}{
		{"", 1000, 0},
		{" \n ", 1000, 0},
		{"one", 100_000, 1},
		{"one\ntwo", 100_000, 2},
		{"one\r\n\r\ntwo\u2028three", 100_000, 3},
		{"one two", 18_000, 2},
		{strings.Repeat("x", 50), 45_000, 6},
	} {
		lines := s.Wrap(nil, c.text, plain, c.width)
		if len(lines) != c.lines {
			t.Errorf("%q has %d lines, want %d", c.text, len(lines), c.lines)
		}
	}
	lines := s.Wrap(nil, "שלום לכולם ומה שלומכם היום 12 בבוקר", plain, 60_000)
	if len(lines) < 3 || !strings.HasSuffix(visual(lines[0]), "םולש") {
		t.Errorf("the first words are on line %q", visual(lines[0]))
	}
}

// checkWrap holds what must be so for any text: no line is wider than the column
// unless it has a single grapheme, and nothing is lost.
func checkWrap(t *testing.T, s *Shaper, text string, width int) {
	t.Helper()
	lines := s.Wrap(nil, text, plain, width)
	for _, l := range lines {
		if l.Width > width+plain.Size/50 {
			if shown := []rune(strings.TrimFunc(visual(l), unicode.IsSpace)); len(shown) > 1 && !hasMark(shown) {
				t.Errorf("%q is %d wide in a column of %d", visual(l), l.Width, width)
			}
		}
	}
	var want []rune
	for _, r := range clean(text) {
		if !unicode.IsSpace(r) && !isControl(r) && !isBlank(r) {
			want = append(want, r)
		}
	}
	slices.Sort(want)
	got := strings.Map(func(r rune) rune {
		if isBlank(r) {
			return -1
		}
		return r
	}, letters(lines...))
	if strip(got) != strip(string(want)) {
		t.Errorf("of %q remains %q", text, got)
	}
}

// strip takes out what the algorithm of directions removes at the ends of runs.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

func hasMark(runes []rune) bool {
	return slices.ContainsFunc(runes, func(r rune) bool {
		return unicode.In(r, unicode.M, unicode.Cf) || r >= 0x1100 && r < 0x1200 || r >= 0x1f000 || unicode.Is(unicode.Regional_Indicator, r) ||
			unicode.In(r, unicode.Co, unicode.Lo)
	})
}

var samples = []string{
	"The quick brown fox jumps over the lazy dog, and then some more words follow.",
	"Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
	"会席料理「春の御膳」追加料金、地酒の飲み比べ三種、季節の果物を含む特別なお料理です。",
	"경부고속철도 서울에서 부산까지 가는 열차의 승차권입니다.",
	"إقامة ليلتين في غرفة 1204 (شامل الإفطار) في فندق النخيل بدبي",
	"חשבונית מס׳ 4471 עבור ארוחת צהריים (3 סועדים) בתל אביב",
	"mixed שלום 12 سلام 中文 €5 – (a [b] c) 50% …",
	"שָׁלוֹם עֲלֵיכֶם e\u0301 Z\u0338\u0322\u031b\u0324g",
	"https://example.com/a/very/long/path?with=query&and=more#fragment",
	"👩‍👩‍👧‍👦 🇩🇪 ✈️ ภาษาไทย हिन्दी",
}

func TestWrapLosesNothing(t *testing.T) {
	s := New(set)
	for _, text := range samples {
		for _, width := range []int{1, 5_000, 12_000, 40_000, 90_000, 1_000_000} {
			checkWrap(t, s, text, width)
		}
	}
}

// A text of a megabyte wraps in linear time, with and without blanks.
func TestWrapLong(t *testing.T) {
	s := New(set)
	for _, text := range []string{
		strings.Repeat("words and words ", 1<<16), strings.Repeat("x", 1<<20), strings.Repeat("界", 1<<18),
		strings.Repeat("سلام ", 1<<16), strings.Repeat("\u0301", 1<<16), strings.Repeat("\u200b", 1<<18), strings.Repeat("(", 1<<18) + "א",
	} {
		lines := s.Wrap(nil, text, plain, 200_000)
		if got := letters(lines...); len(lines) == 0 && strings.TrimLeft(text, "\u200b") != "" || len(strip(got)) < len(strip(strings.ReplaceAll(text, " ", "")))/2 {
			t.Errorf("%.20q… has %d lines", text, len(lines))
		}
	}
	if len(s.cache) > cacheSize || cap(s.runes) > maxScratch {
		t.Errorf("%d runs and %d characters are kept", len(s.cache), cap(s.runes))
	}
}

func FuzzWrap(f *testing.F) {
	for i, text := range samples {
		f.Add(text, 1000*(i+1))
	}
	s := New(set)
	f.Fuzz(func(t *testing.T, text string, width int) {
		checkWrap(t, s, strings.ToValidUTF8(text, "?"), min(max(width, 1), 1_000_000))
	})
}

func BenchmarkLineKnown(b *testing.B) {
	s := New(set)
	for b.Loop() {
		s.Line("Printer paper A4", plain)
	}
}

// BenchmarkShape shapes what was not seen before.
func BenchmarkShape(b *testing.B) {
	for _, text := range []string{"Printer paper A4 and more", "إقامة ليلتين في غرفة", "会席料理「春の御膳」追加料金"} {
		b.Run(text, func(b *testing.B) {
			s := New(set)
			for b.Loop() {
				clear(s.cache)
				s.Line(text, plain)
			}
		})
	}
}
