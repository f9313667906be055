// Package text turns a text of any language into lines of glyphs: it chooses
// typefaces, orders mixed directions, shapes with HarfBuzz's rules and breaks lines.
// All positions are integers, so that every machine comes to the same ones.
package text

import (
	"unicode/utf8"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/harfbuzz"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"

	"quittance/internal/domain/receipt/drawing/bidi"
	"quittance/internal/domain/receipt/drawing/fonts"
)

// Style is how a text looks.
type Style struct {
	Size    int // in 1/1000 point
	Bold    bool
	Figures bool // an amount: its hyphens look like minus signs, and stay hyphens when copied
}

// Glyph is one glyph of a run. Distances are in 1/1000 of the size.
type Glyph struct {
	ID      uint16
	Blank   bool // nothing to draw: it stands for one more letter of the ligature beside it
	Advance int16
	X, Y    int16  // where it is drawn, from where it stands; Y upwards
	From    uint16 // what it stands for, in the run's text
	To      uint16
}

// Run is glyphs of one typeface, in the order in which they stand, from the left. It
// never changes and may stand in several lines.
type Run struct {
	Font        fonts.ID
	Embolden    bool // the typeface has no bold: its strokes are to be thickened
	RightToLeft bool
	Text        []rune // in reading order
	Glyphs      []Glyph
	Width       int // in 1/1000 of the size
}

// Line is one line.
type Line struct {
	Size  int // in 1/1000 point
	Width int // in 1/1000 point
	Runs  []*Run
	Space bool // the text has a blank or its end behind the line: no word goes on

	RightToLeft bool // the paragraph runs so
}

const (
	maxRun     = 1000 // the longest run that is shaped at once, in characters
	maxCached  = 64   // the longest run that is remembered
	cacheSize  = 4096 // how many runs are remembered
	maxScratch = 1 << 16
	maxMissing = 16
)

// Shaper makes lines. It is not safe for concurrent use; what it makes is.
type Shaper struct {
	set      *fonts.Set
	faces    [fonts.Count]*harfbuzz.Font
	buffer   *harfbuzz.Buffer
	segments segmenter.Segmenter
	resolver bidi.Resolver
	language language.Language
	cache    map[runKey]*Run
	missing  []rune

	// The paragraph at hand.
	source    string
	ascii     bool
	local     language.Language // of this paragraph: kana and hangul say more than the receipt
	runes     []rune
	items     []item
	levels    []bidi.Level
	leftward  bool // the paragraph runs from right to left
	visual    []bidi.Run
	breaks    []int
	graphemes []int
	widths    []int
}

// item is what decides how a character is shaped.
type item struct {
	font   fonts.ID
	script language.Script
}

type runKey struct {
	item
	language language.Language
	rtl      bool
	figures  bool
	embolden bool
	text     string
}

// New makes a shaper.
func New(set *fonts.Set) *Shaper {
	return &Shaper{set: set, buffer: harfbuzz.NewBuffer(), cache: map[runKey]*Run{}}
}

// SetLanguage says how Han characters and Arabic letters that differ by country look
// from now on: a tag such as "ja", "ko", "zh-Hans", "zh-Hant", "fa" or "ur".
func (s *Shaper) SetLanguage(tag string) { s.language = language.NewLanguage(tag) }

// Missing lists characters that no typeface has, of the lines made since the last call;
// a box stands for each.
func (s *Shaper) Missing() []rune {
	m := s.missing
	s.missing = nil
	return m
}

func (s *Shaper) face(id fonts.ID) *harfbuzz.Font {
	if s.faces[id] == nil {
		s.faces[id] = harfbuzz.NewFont(font.NewFace(s.set.Font(id).Layout))
	}
	return s.faces[id]
}

// Line makes one line of a text, however long; line breaks in it become blanks.
func (s *Shaper) Line(text string, style Style) Line {
	s.paragraph(oneLine(clean(text)), style)
	return s.line(0, len(s.runes), style)
}

// Wrap appends the lines of a text in a column of this width, in 1/1000 point. A word
// that is wider than the column is cut; a text without characters has no lines.
func (s *Shaper) Wrap(dst []Line, text string, style Style, width int) []Line {
	text = clean(text)
	for from := 0; from < len(text); {
		to := from
		for to < len(text) && text[to] != '\n' {
			to++
		}
		dst = s.wrap(dst, text[from:to], style, width)
		from = to + 1
	}
	if cap(s.runes) > maxScratch {
		s.runes, s.items, s.breaks, s.graphemes = nil, nil, nil, nil
		s.resolver, s.segments = bidi.Resolver{}, segmenter.Segmenter{}
	}
	return dst
}

func (s *Shaper) wrap(dst []Line, text string, style Style, width int) []Line {
	s.paragraph(text, style)
	n := len(s.runes)
	room := width * fonts.Em / style.Size
	if n <= maxRun {
		if line := s.line(0, n, style); line.Width <= width {
			if len(line.Runs) > 0 {
				dst = append(dst, line)
			}
			return dst
		}
	}
	s.segments.Init(s.runes)
	s.breaks = s.breaks[:0]
	for lines := s.segments.LineIterator(); lines.Next(); {
		l := lines.Line()
		s.breaks = append(s.breaks, l.Offset+len(l.Text))
	}
	s.graphemes = s.graphemes[:0]
	start, used := 0, 0 // where the line begins, and the room that it takes
	first := 0          // the first break behind start
	for k := 0; k < len(s.breaks); {
		from, to := start, s.breaks[k]
		if k > first {
			from = s.breaks[k-1]
		}
		solid := s.trimmed(from, to)
		word := room + 1 // too wide, whatever it is
		if solid-from <= maxRun {
			word = s.measure(from, solid, style)
		}
		switch {
		case used+word <= room:
			used += word + s.measure(solid, to, style)
			k++
			if k < len(s.breaks) {
				continue
			}
			if line := s.line(start, to, style); len(line.Runs) > 0 {
				dst = append(dst, line)
			}
		case from > start:
			dst = append(dst, s.line(start, from, style))
			start, used, first = from, 0, k
		default:
			start = s.cut(start, solid, room, style)
			dst = append(dst, s.line(from, start, style))
			used, first = 0, k
			if start == solid {
				start = to
				k++
				first = k
			}
		}
	}
	return dst
}

// cut finds where a word that is too wide ends its line: at least one grapheme is on it.
func (s *Shaper) cut(from, to, room int, style Style) int {
	to = min(to, from+maxRun, from+room/150+16) // few characters are narrower
	if len(s.graphemes) == 0 {
		for g := s.segments.GraphemeIterator(); g.Next(); {
			s.graphemes = append(s.graphemes, g.Grapheme().Offset)
		}
		s.graphemes = append(s.graphemes, len(s.runes))
	}
	// The widths of the characters as they are within the word.
	s.widths = append(s.widths[:0], make([]int, to-from)...)
	s.runs(from, to, style, func(at int, r *Run) {
		for _, g := range r.Glyphs {
			s.widths[min(at-from+int(g.From), len(s.widths)-1)] += int(g.Advance)
		}
	})
	low, high := 0, len(s.graphemes)
	for low < high {
		if mid := (low + high) / 2; s.graphemes[mid] <= from {
			low = mid + 1
		} else {
			high = mid
		}
	}
	end, sum := from, 0
	for g := low; g < len(s.graphemes) && s.graphemes[g] <= to; g++ {
		for i := end; i < s.graphemes[g]; i++ {
			sum += s.widths[i-from]
		}
		if sum > room && end > from {
			break
		}
		end = s.graphemes[g]
		if sum > room {
			break
		}
	}
	if end == from { // a grapheme longer than a run
		end = to
	}
	// Letters at the end of a line may have other forms than in the word.
	for g := low; end > s.graphemes[g]; {
		if s.measure(from, end, style) <= room {
			break
		}
		last := g
		for last+1 < len(s.graphemes) && s.graphemes[last+1] < end {
			last++
		}
		end = s.graphemes[last]
	}
	if style.Figures {
		end = s.groupEnd(from, end)
	}
	return end
}

// groupEnd is where the last whole group of an amount's digits ends in s.runes[from:to];
// without one it is to. What follows a group is another, or three digits and the end or
// the decimals; what follows the sign of the decimals is neither.
func (s *Shaper) groupEnd(from, to int) int {
	digits := func(at int) (n int) {
		for at+n < len(s.runes) && s.runes[at+n] >= '0' && s.runes[at+n] <= '9' {
			n++
		}
		return n
	}
	for i := to; i > from+1; i-- {
		n := digits(i)
		if digits(i-1) == 0 && digits(i-2) > 0 && n > 0 && (n == 3 || digits(i+n+1) > 0) {
			return i
		}
	}
	return to
}

// trimmed is the end of s.runes[from:to] without the blanks there.
func (s *Shaper) trimmed(from, to int) int {
	for to > from && isBlank(s.runes[to-1]) {
		to--
	}
	return to
}

func isBlank(r rune) bool {
	return r == ' ' || r == '\u00a0' || r >= '\u2000' && r <= '\u200b' || r == '\u3000' || r == '\u205f' || r == '\u1680'
}

// line makes a line of s.runes[from:to], without the blanks at its end.
func (s *Shaper) line(from, to int, style Style) Line {
	end := to
	to = s.trimmed(from, to)
	line := Line{Size: style.Size, Space: to < end || end == len(s.runes), RightToLeft: s.leftward}
	width := 0
	s.runs(from, to, style, func(_ int, r *Run) {
		if len(r.Glyphs) > 0 {
			line.Runs = append(line.Runs, r)
			width += r.Width
		}
	})
	line.Width = (width*style.Size + fonts.Em - 1) / fonts.Em
	return line
}

func (s *Shaper) measure(from, to int, style Style) int {
	width := 0
	s.runs(from, to, style, func(_ int, r *Run) { width += r.Width })
	return width
}

// runs shapes s.runes[from:to] and calls take for each run, from the left, with where
// the run begins in the paragraph.
func (s *Shaper) runs(from, to int, style Style, take func(at int, r *Run)) {
	if from == to {
		return
	}
	if s.levels == nil && len(s.items) == 0 { // all Latin
		for ; from < to; from += maxRun {
			take(from, s.run(from, min(to, from+maxRun), item{sansOf(style), language.Latin}, false, style))
		}
		return
	}
	s.visual = bidi.Visual(s.visual[:0], s.levels[from:to])
	for _, v := range s.visual {
		a, b := v.From+from, v.To+from
		if v.Level.RightToLeft() {
			for b > a {
				at := b - 1
				for at > a && b-at < maxRun && s.items[at-1] == s.items[b-1] {
					at--
				}
				take(at, s.run(at, b, s.items[at], true, style))
				b = at
			}
			continue
		}
		for a < b {
			end := a + 1
			for end < b && end-a < maxRun && s.items[end] == s.items[a] {
				end++
			}
			take(a, s.run(a, end, s.items[a], false, style))
			a = end
		}
	}
}

// run shapes s.runes[from:to], which is of one item and one direction.
func (s *Shaper) run(from, to int, it item, rtl bool, style Style) *Run {
	key := runKey{item: it, rtl: rtl, figures: style.Figures}
	switch it.font {
	case fonts.CJK:
		key.language, key.embolden = s.local, style.Bold
	case fonts.Arabic, fonts.ArabicBold:
		key.language = s.local
	case fonts.Math, fonts.Symbols:
		key.embolden = style.Bold
	}
	cached := to-from <= maxCached
	if cached {
		if s.ascii {
			key.text = s.source[from:to]
		} else {
			key.text = string(s.runes[from:to])
		}
		if r, ok := s.cache[key]; ok {
			s.note(r)
			return r
		}
	}
	r := s.shape(s.runes[from:to], key)
	s.note(r)
	if cached {
		if len(s.cache) >= cacheSize {
			clear(s.cache)
		}
		if s.ascii {
			key.text = string([]byte(key.text)) // not to keep the whole source
		}
		s.cache[key] = r
	}
	return r
}

// note remembers characters without a glyph.
func (s *Shaper) note(r *Run) {
	for _, g := range r.Glyphs {
		if g.ID == 0 && !g.Blank && g.From < g.To && len(s.missing) < maxMissing {
			s.missing = append(s.missing, r.Text[g.From])
		}
	}
}

// shape does the shaping.
func (s *Shaper) shape(runes []rune, key runKey) *Run {
	text := make([]rune, 0, len(runes))
	for _, r := range runes {
		if !isControl(r) {
			text = append(text, r)
		}
	}
	r := &Run{Font: key.font, Embolden: key.embolden, RightToLeft: key.rtl, Text: text}
	if len(text) == 0 {
		return r
	}
	drawn := text
	if key.figures {
		drawn = make([]rune, len(text))
		for i, c := range text {
			if c == '-' {
				c = '\u2013' // Noto Sans has no minus sign; this dash looks like one
			}
			drawn[i] = c
		}
	}
	b := s.buffer
	b.Clear()
	b.Props = harfbuzz.SegmentProperties{Language: key.language, Script: key.script, Direction: harfbuzz.LeftToRight}
	if key.rtl {
		b.Props.Direction = harfbuzz.RightToLeft
	}
	b.Flags = harfbuzz.Bot | harfbuzz.Eot | harfbuzz.DoNotinsertDottedCircle
	b.AddRunes(drawn, 0, -1)
	b.Shape(s.face(key.font), nil)
	glyphs := s.set.Font(key.font).Glyphs()
	r.Glyphs = make([]Glyph, 0, len(b.Info))
	for i := 0; i < len(b.Info); {
		end := i
		for end < len(b.Info) && b.Info[end].Cluster == b.Info[i].Cluster {
			end++
		}
		from, to := b.Info[i].Cluster, len(text)
		if key.rtl && i > 0 {
			to = b.Info[i-1].Cluster
		} else if !key.rtl && end < len(b.Info) {
			to = b.Info[end].Cluster
		}
		n, k := to-from, end-i
		if key.rtl {
			// Readers of a PDF turn the letters of such a line around one by one.
			for j := to - 1; j >= from+k; j-- {
				r.Glyphs = append(r.Glyphs, Glyph{Blank: true, From: uint16(j), To: uint16(j) + 1})
			}
			n = min(n, k)
		}
		for j := range k {
			info, pos := b.Info[i+j], b.Pos[i+j]
			g := Glyph{Advance: int16(pos.XAdvance), X: int16(pos.XOffset), Y: int16(min(max(pos.YOffset, -400), 400))}
			if int(info.Glyph) < glyphs {
				g.ID = uint16(info.Glyph)
			}
			switch {
			case key.rtl && j < n:
				g.From = uint16(from + n - 1 - j)
				g.To = g.From + 1
			case !key.rtl && n == k:
				g.From = uint16(from + j)
				g.To = g.From + 1
			case !key.rtl && j == 0:
				g.From, g.To = uint16(from), uint16(to)
			default:
				g.From, g.To = uint16(from), uint16(from)
			}
			r.Width += int(g.Advance)
			r.Glyphs = append(r.Glyphs, g)
		}
		i = end
	}
	return r
}

// paragraph prepares a text without line breaks.
func (s *Shaper) paragraph(text string, style Style) {
	s.source, s.ascii = text, true
	s.runes = s.runes[:0]
	latin := true
	for _, r := range text {
		s.runes = append(s.runes, r)
		if r >= utf8.RuneSelf {
			s.ascii = false
			latin = latin && r < 0x300
		}
	}
	s.items, s.levels, s.leftward = s.items[:0], nil, false
	if latin {
		return
	}
	s.local = s.language
	for _, r := range s.runes {
		if r >= 0x3040 && r < 0x3100 {
			s.local = "ja"
			break
		}
		if r >= 0xac00 && r < 0xd7b0 {
			s.local = "ko"
		}
	}
	var base bidi.Level
	s.levels, base = s.resolver.Levels(s.runes, bidi.Auto)
	s.leftward = base.RightToLeft()
	s.itemize(style)
}

func sansOf(style Style) fonts.ID {
	if style.Bold {
		return fonts.SansBold
	}
	return fonts.Sans
}
