package text

import (
	"strings"
	"unicode"

	"github.com/go-text/typesetting/language"
	"golang.org/x/text/unicode/norm"

	"quittance/internal/domain/receipt/drawing/fonts"
)

// scriptOf is a character's script, of those that the typefaces tell apart. Common and
// Inherited characters take that of their neighbours.
func scriptOf(r rune) language.Script {
	switch script := language.LookupScript(r); script {
	case language.Hiragana, language.Katakana, language.Katakana_Or_Hiragana, language.Bopomofo:
		return language.Han
	case language.Latin, language.Greek, language.Cyrillic, language.Arabic, language.Hebrew, language.Han, language.Hangul,
		language.Inherited:
		return script
	}
	return language.Common
}

// itemize finds the typeface and the script of each character of the paragraph.
func (s *Shaper) itemize(style Style) {
	sans, arabic, hebrew := fonts.Sans, fonts.Arabic, fonts.Hebrew
	if style.Bold {
		sans, arabic, hebrew = fonts.SansBold, fonts.ArabicBold, fonts.HebrewBold
	}
	last := item{sans, language.Latin}
	for i, r := range s.runes {
		it := item{last.font, scriptOf(r)}
		switch it.script {
		case language.Arabic:
			it.font = arabic
		case language.Hebrew:
			it.font = hebrew
		case language.Han, language.Hangul:
			it.font = fonts.CJK
		case language.Inherited:
			it = last
		case language.Common:
			it.script = last.script
			switch {
			case r == ' ' || r == '\u00a0' || isControl(r) || unicode.Is(unicode.M, r):
			case r >= '0' && r <= '9':
				it.font = sans
			case (last.font == fonts.CJK || i == 0) && s.wide(i):
				it.font = fonts.CJK
			case last.font == arabic || last.font == hebrew:
			default:
				it.font = sans
			}
		default:
			it.font = sans
		}
		if !s.has(it.font, r) && !isControl(r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Variation_Selector, r) {
			for _, other := range [...]fonts.ID{sans, fonts.Math, fonts.Symbols, fonts.CJK, arabic, hebrew} {
				if s.has(other, r) {
					it.font = other
					break
				}
			}
		}
		if it.font == fonts.Math || it.font == fonts.Symbols {
			it.script = language.Common
		} else if it.script == language.Common {
			it.script = language.Latin
		}
		s.items = append(s.items, it)
		last = it
	}
}

// wide reports whether a character that stands behind a Chinese or Japanese one is
// wide: its own, or one that other scripts share and that such text goes on behind.
func (s *Shaper) wide(i int) bool {
	const far = 8
	if s.runes[i] >= '\u2e80' {
		return true
	}
	if !shared(s.runes[i]) {
		return false
	}
	for _, r := range s.runes[i+1 : min(i+far, len(s.runes))] {
		if !shared(r) {
			return r >= '\u2e80'
		}
	}
	return i > 0
}

// shared reports the quotation marks, dashes and dots of all scripts.
func shared(r rune) bool { return r >= '\u2014' && r <= '\u2026' || r == '\u00b7' || r == '\u203b' }

func (s *Shaper) has(id fonts.ID, r rune) bool {
	_, ok := s.face(id).Face().NominalGlyph(r)
	return ok
}

// isControl reports the characters that steer direction: they are obeyed, not drawn.
func isControl(r rune) bool {
	return r == '\u200e' || r == '\u200f' || r == '\u061c' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// clean makes a text of a client fit to be drawn: composed characters, '\n' alone for
// line breaks, blanks for other controls. Overrides of direction become embeddings: a
// receipt must not show 50 where its data says 05.
func clean(text string) string {
	plain := true
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
			return '\n'
		case r < ' ', r >= 0x7f && r < 0xa0:
			return ' '
		case r == '\u202d':
			return '\u202a'
		case r == '\u202e':
			return '\u202b'
		}
		return r
	}, text))
}

// Plain is a text as it is drawn, in reading order and without the characters that
// steer direction.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, clean(text))
}

func oneLine(text string) string {
	if strings.IndexByte(text, '\n') < 0 {
		return text
	}
	return strings.ReplaceAll(text, "\n", " ")
}

// Isolate wraps a text that is to stand within another, so that neither changes the
// direction of the other.
func Isolate(text string) string {
	plain, matched, depth := true, true, 0
	for _, r := range text {
		switch {
		case r >= '\u2066' && r <= '\u2068':
			depth++
		case r == '\u2069':
			depth--
			matched = matched && depth >= 0
		}
		plain = plain && r < 0x590
	}
	if plain {
		return text
	}
	if !matched || depth != 0 {
		// Ends of isolates that are not its own would end ours.
		text = strings.Map(func(r rune) rune {
			if r >= '\u2066' && r <= '\u2069' {
				return -1
			}
			return r
		}, text)
	}
	return "\u2068" + text + "\u2069"
}
