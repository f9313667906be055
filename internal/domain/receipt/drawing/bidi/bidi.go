// Package bidi finds the embedding levels of a paragraph by the Unicode Bidirectional
// Algorithm (UAX #9), and the order in which the runs of a line stand. The libraries
// at hand merge runs by direction and drop the levels, which puts numbers after
// Hebrew or Arabic on the wrong side.
package bidi

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// Level is an embedding level: even runs go to the right, odd ones to the left.
type Level uint8

// RightToLeft reports whether text of this level runs to the left.
func (l Level) RightToLeft() bool { return l&1 == 1 }

// Removed marks the formatting characters that the algorithm takes out; they take no
// room on the line.
const Removed Level = 0xFF

// Direction is that of a paragraph.
type Direction uint8

// The directions.
const (
	Auto Direction = iota // that of the first strong character, else to the right
	LeftToRight
	RightToLeft
)

const maxDepth = 125

type class = bidi.Class

// Resolver finds levels. It keeps its memory from one paragraph to the next and is
// not safe for concurrent use. The zero value is ready.
type Resolver struct {
	types  []class // as the rules change them
	orig   []class // as the characters have them
	levels []Level
	given  []Level // the levels before the implicit rules change them
	match  []int32 // isolate initiator: index of its PDI, or -1; PDI: its initiator, or -1
	seq    []int32 // indexes of one isolating run sequence
	runs   []levelRun
	opens  []opening
	pairs  []pair
}

type levelRun struct{ from, to int32 } // in indexes that are not removed
type opening struct {
	bracket rune
	at      int32
}
type pair struct{ open, close int32 }

func isInitiator(c class) bool { return c == bidi.LRI || c == bidi.RLI || c == bidi.FSI }

// removedClass reports what rule X9 takes out.
func removedClass(c class) bool {
	switch c {
	case bidi.RLE, bidi.LRE, bidi.RLO, bidi.LRO, bidi.PDF, bidi.BN:
		return true
	}
	return false
}

func classOf(r rune) class {
	var b [utf8.UTFMax]byte
	if !utf8.ValidRune(r) {
		return bidi.L
	}
	p, _ := bidi.Lookup(b[:utf8.EncodeRune(b[:], r)])
	return p.Class()
}

// plain reports whether a character can neither run to the left nor change levels, as
// most can not; it spares them the look-up.
func plain(r rune) bool {
	return r < 0x590 || r > 0x8FF && r < 0x200B || r > 0x206F && r < 0xFB1D
}

// Levels gives the level of each character of a paragraph and that of the paragraph,
// with rules P2 to L1. Trailing blanks of lines are for Visual. The slice is valid
// until the next call.
func (s *Resolver) Levels(text []rune, direction Direction) ([]Level, Level) {
	s.levels = sized(s.levels, len(text))
	if direction != RightToLeft {
		simple := true
		for _, r := range text {
			if !plain(r) {
				simple = false
				break
			}
		}
		if simple {
			clear(s.levels)
			return s.levels, 0
		}
	}
	s.orig = sized(s.orig, len(text))
	for i, r := range text {
		s.orig[i] = classOf(r)
	}
	s.types = append(s.types[:0], s.orig...)
	s.matchIsolates()
	base := Level(0)
	switch direction {
	case RightToLeft:
		base = 1
	case Auto:
		base = s.firstStrong(0, len(text))
	}
	s.explicit(base)
	s.resolveSequences(text, base)
	s.resetBlanks(base)
	return s.levels, base
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}

// matchIsolates pairs isolate initiators with their ends (BD9).
func (s *Resolver) matchIsolates() {
	s.match = sized(s.match, len(s.orig))
	var open []int32
	for i, c := range s.orig {
		s.match[i] = -1
		switch {
		case isInitiator(c):
			open = append(open, int32(i))
		case c == bidi.PDI && len(open) > 0:
			at := open[len(open)-1]
			open = open[:len(open)-1]
			s.match[at], s.match[i] = int32(i), at
		case c == bidi.B:
			open = open[:0]
		}
	}
}

// firstStrong is the level that the first strong character outside isolates asks for,
// 0 when there is none (P2, P3).
func (s *Resolver) firstStrong(from, to int) Level {
	for i := from; i < to; i++ {
		switch c := s.orig[i]; {
		case c == bidi.L:
			return 0
		case c == bidi.R || c == bidi.AL:
			return 1
		case isInitiator(c):
			if s.match[i] < 0 {
				return 0
			}
			i = int(s.match[i])
		case c == bidi.B:
			return 0
		}
	}
	return 0
}

// explicit applies the embeddings, overrides and isolates (X1 to X8).
func (s *Resolver) explicit(base Level) {
	type status struct {
		level    Level
		override class // ON for none
		isolate  bool
	}
	var stack [maxDepth + 2]status
	stack[0] = status{base, bidi.ON, false}
	top, overIsolates, overEmbeddings, isolates := 0, 0, 0, 0
	next := func(odd bool) Level {
		if odd {
			return (stack[top].level + 1) | 1
		}
		return (stack[top].level + 2) &^ 1
	}
	for i, c := range s.orig {
		switch {
		case c == bidi.RLE || c == bidi.LRE || c == bidi.RLO || c == bidi.LRO:
			s.levels[i] = Removed
			level := next(c == bidi.RLE || c == bidi.RLO)
			if level > maxDepth || overIsolates > 0 || overEmbeddings > 0 {
				if overIsolates == 0 {
					overEmbeddings++
				}
				continue
			}
			override := bidi.ON
			if c == bidi.RLO {
				override = bidi.R
			} else if c == bidi.LRO {
				override = bidi.L
			}
			top++
			stack[top] = status{level, override, false}
		case isInitiator(c):
			s.levels[i] = stack[top].level
			if o := stack[top].override; o != bidi.ON {
				s.types[i] = o
			}
			rtl := c == bidi.RLI
			if c == bidi.FSI {
				end := len(s.orig)
				if s.match[i] >= 0 {
					end = int(s.match[i])
				}
				rtl = s.firstStrong(i+1, end) == 1
			}
			level := next(rtl)
			if level > maxDepth || overIsolates > 0 || overEmbeddings > 0 {
				overIsolates++
				continue
			}
			isolates++
			top++
			stack[top] = status{level, bidi.ON, true}
		case c == bidi.PDI:
			switch {
			case overIsolates > 0:
				overIsolates--
			case isolates > 0:
				overEmbeddings = 0
				for !stack[top].isolate {
					top--
				}
				top--
				isolates--
			}
			s.levels[i] = stack[top].level
			if o := stack[top].override; o != bidi.ON {
				s.types[i] = o
			}
		case c == bidi.PDF:
			s.levels[i] = Removed
			switch {
			case overIsolates > 0:
			case overEmbeddings > 0:
				overEmbeddings--
			case !stack[top].isolate && top > 0:
				top--
			}
		case c == bidi.B:
			top, overIsolates, overEmbeddings, isolates = 0, 0, 0, 0
			s.levels[i] = base
		case c == bidi.BN:
			s.levels[i] = Removed
		default:
			s.levels[i] = stack[top].level
			if o := stack[top].override; o != bidi.ON {
				s.types[i] = o
			}
		}
	}
}

// resolveSequences finds the level runs, joins them to isolating run sequences (X10)
// and resolves each.
func (s *Resolver) resolveSequences(text []rune, base Level) {
	s.given = append(s.given[:0], s.levels...)
	s.runs = s.runs[:0]
	last := int32(-1)
	for i, level := range s.levels {
		if level == Removed {
			continue
		}
		if last < 0 || s.levels[last] != level {
			s.runs = append(s.runs, levelRun{int32(i), int32(i) + 1})
		}
		s.runs[len(s.runs)-1].to = int32(i) + 1
		last = int32(i)
	}
	// runAt finds the run that a matching PDI begins.
	runAt := map[int32]int{}
	for n, run := range s.runs {
		if s.orig[run.from] == bidi.PDI {
			runAt[run.from] = n
		}
	}
	for n := range s.runs {
		first := s.runs[n].from
		if s.orig[first] == bidi.PDI && s.match[first] >= 0 {
			continue // its sequence began at the initiator
		}
		s.seq = s.seq[:0]
		for at := n; ; {
			end := int32(-1)
			for i := s.runs[at].from; i < s.runs[at].to; i++ {
				if s.levels[i] != Removed {
					s.seq = append(s.seq, i)
					end = i
				}
			}
			if !isInitiator(s.orig[end]) || s.match[end] < 0 {
				break
			}
			following, ok := runAt[s.match[end]]
			if !ok {
				break
			}
			at = following
		}
		s.resolve(text, base)
	}
}

// resolve applies rules W1 to I2 to one isolating run sequence.
func (s *Resolver) resolve(text []rune, base Level) {
	seq := s.seq
	first, last := seq[0], seq[len(seq)-1]
	level := s.given[first]
	// The levels around the sequence give its ends a direction.
	before, after := base, base
	for i := first - 1; i >= 0; i-- {
		if s.given[i] != Removed {
			before = s.given[i]
			break
		}
	}
	if !isInitiator(s.orig[last]) || s.match[last] >= 0 {
		for i := int(last) + 1; i < len(s.given); i++ {
			if s.given[i] != Removed {
				after = s.given[i]
				break
			}
		}
	}
	sos, eos := directionOf(max(level, before)), directionOf(max(level, after))

	// W1: marks take the type before them. W2: numbers after Arabic letters are Arabic.
	// W3: Arabic letters are R.
	previous, strong := sos, sos
	for _, i := range seq {
		t := s.types[i]
		if t == bidi.NSM {
			t = previous
			if p := previous; isInitiator(p) || p == bidi.PDI {
				t = bidi.ON
			}
		}
		previous = t
		switch t {
		case bidi.L, bidi.R, bidi.AL:
			strong = t
		case bidi.EN:
			if strong == bidi.AL {
				t = bidi.AN
			}
		}
		s.types[i] = t
	}
	for _, i := range seq {
		if s.types[i] == bidi.AL {
			s.types[i] = bidi.R
		}
	}
	// W4: a separator between two numbers of one kind.
	for k := 1; k+1 < len(seq); k++ {
		t, p, n := s.types[seq[k]], s.types[seq[k-1]], s.types[seq[k+1]]
		switch {
		case (t == bidi.ES || t == bidi.CS) && p == bidi.EN && n == bidi.EN:
			s.types[seq[k]] = bidi.EN
		case t == bidi.CS && p == bidi.AN && n == bidi.AN:
			s.types[seq[k]] = bidi.AN
		}
	}
	// W5: terminators beside European numbers. W6: what is left of separators is neutral.
	for k := 0; k < len(seq); k++ {
		if s.types[seq[k]] != bidi.ET {
			continue
		}
		end := k
		for end < len(seq) && s.types[seq[end]] == bidi.ET {
			end++
		}
		t := bidi.ON
		if k > 0 && s.types[seq[k-1]] == bidi.EN || end < len(seq) && s.types[seq[end]] == bidi.EN {
			t = bidi.EN
		}
		for ; k < end; k++ {
			s.types[seq[k]] = t
		}
		k--
	}
	for _, i := range seq {
		if t := s.types[i]; t == bidi.ES || t == bidi.CS {
			s.types[i] = bidi.ON
		}
	}
	// W7: European numbers after L are L.
	strong = sos
	for _, i := range seq {
		switch t := s.types[i]; t {
		case bidi.L, bidi.R:
			strong = t
		case bidi.EN:
			if strong == bidi.L {
				s.types[i] = bidi.L
			}
		}
	}
	s.resolveBrackets(text, level, sos)
	// N1, N2: neutrals take the direction around them, else the embedding's.
	for k := 0; k < len(seq); k++ {
		if !neutral(s.types[seq[k]]) {
			continue
		}
		end := k
		for end < len(seq) && neutral(s.types[seq[end]]) {
			end++
		}
		left, right := sos, eos
		if k > 0 {
			left = strongType(s.types[seq[k-1]])
		}
		if end < len(seq) {
			right = strongType(s.types[seq[end]])
		}
		t := directionOf(level)
		if left == right {
			t = left
		}
		for ; k < end; k++ {
			s.types[seq[k]] = t
		}
		k--
	}
	// I1, I2.
	for _, i := range seq {
		switch t := s.types[i]; {
		case level&1 == 0 && t == bidi.R, level&1 == 1 && t != bidi.R:
			s.levels[i] = level + 1
		case level&1 == 0 && (t == bidi.AN || t == bidi.EN):
			s.levels[i] = level + 2
		}
	}
}

func directionOf(l Level) class {
	if l.RightToLeft() {
		return bidi.R
	}
	return bidi.L
}

func neutral(c class) bool {
	switch c {
	case bidi.B, bidi.S, bidi.WS, bidi.ON, bidi.LRI, bidi.RLI, bidi.FSI, bidi.PDI:
		return true
	}
	return false
}

// strongType counts numbers as R, as rules N0 and N1 do.
func strongType(c class) class {
	if c == bidi.EN || c == bidi.AN {
		return bidi.R
	}
	return c
}

// resolveBrackets gives a pair of brackets the direction of what it holds (N0).
func (s *Resolver) resolveBrackets(text []rune, level Level, sos class) {
	const maxOpen = 63
	seq := s.seq
	s.opens, s.pairs = s.opens[:0], s.pairs[:0]
scan:
	for k, i := range seq {
		if s.types[i] != bidi.ON {
			continue
		}
		partner, opens, ok := bracket(text[i])
		switch {
		case !ok:
		case opens:
			if len(s.opens) == maxOpen {
				s.pairs = s.pairs[:0]
				break scan
			}
			s.opens = append(s.opens, opening{partner, int32(k)})
		default:
			for n := len(s.opens) - 1; n >= 0; n-- {
				if s.opens[n].bracket == partner {
					s.pairs = append(s.pairs, pair{s.opens[n].at, int32(k)})
					s.opens = s.opens[:n]
					break
				}
			}
		}
	}
	if len(s.pairs) == 0 {
		return
	}
	sortPairs(s.pairs)
	embedding := directionOf(level)
	// context is the last strong type before position seen: pairs come in the order of
	// their openings, so that it is found in one pass.
	context, seen := sos, int32(0)
	for _, p := range s.pairs {
		for ; seen < p.open; seen++ {
			if t := strongType(s.types[seq[seen]]); t == bidi.L || t == bidi.R {
				context = t
			}
		}
		found, other := false, false
		for k := p.open + 1; k < p.close; k++ {
			switch t := strongType(s.types[seq[k]]); {
			case t != bidi.L && t != bidi.R:
			case t == embedding:
				found = true
			default:
				other = true
			}
			if found {
				break
			}
		}
		var t class
		switch {
		case found:
			t = embedding
		case other && context != embedding:
			t = context
		case other:
			t = embedding
		default:
			continue
		}
		s.setBracket(p.open, t)
		s.setBracket(p.close, t)
	}
}

// setBracket gives a bracket a direction, and the marks behind it.
func (s *Resolver) setBracket(k int32, t class) {
	s.types[s.seq[k]] = t
	for k++; int(k) < len(s.seq) && s.orig[s.seq[k]] == bidi.NSM; k++ {
		s.types[s.seq[k]] = t
	}
}

// sortPairs orders pairs by their openings. They come ordered by their ends, so that
// few stand far from their place; but nesting may be deep, so it is a merge sort.
func sortPairs(pairs []pair) {
	if len(pairs) < 2 {
		return
	}
	half := len(pairs) / 2
	sortPairs(pairs[:half])
	sortPairs(pairs[half:])
	merged := make([]pair, 0, len(pairs))
	a, b := pairs[:half], pairs[half:]
	for len(a) > 0 && len(b) > 0 {
		if a[0].open <= b[0].open {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	merged = append(append(merged, a...), b...)
	copy(pairs, merged)
}

// resetBlanks gives separators, and the blanks before them and at the end, the
// paragraph's level (L1).
func (s *Resolver) resetBlanks(base Level) {
	trailing := true
	for i := len(s.levels) - 1; i >= 0; i-- {
		switch c := s.orig[i]; {
		case c == bidi.B || c == bidi.S:
			s.levels[i], trailing = base, true
		case c == bidi.WS || isInitiator(c) || c == bidi.PDI:
			if trailing {
				s.levels[i] = base
			}
		case removedClass(c):
		default:
			trailing = false
		}
	}
}

// Run is a part of a line whose characters have one level.
type Run struct {
	From, To int
	Level    Level
}

// Visual appends the runs of a line in the order in which they stand, from the left
// (L2). The blanks at the end of the line are to be cut before.
func Visual(dst []Run, levels []Level) []Run {
	start := len(dst)
	highest, lowestOdd := Level(0), Level(0xFF)
	for i, level := range levels {
		if level == Removed {
			continue
		}
		highest = max(highest, level)
		if level.RightToLeft() {
			lowestOdd = min(lowestOdd, level)
		}
		if n := len(dst); n > start && dst[n-1].Level == level {
			dst[n-1].To = i + 1
		} else {
			dst = append(dst, Run{i, i + 1, level})
		}
	}
	runs := dst[start:]
	for level := highest; level >= lowestOdd; level-- {
		for i := 0; i < len(runs); i++ {
			if runs[i].Level < level {
				continue
			}
			end := i
			for end < len(runs) && runs[end].Level >= level {
				end++
			}
			for a, b := i, end-1; a < b; a, b = a+1, b-1 {
				runs[a], runs[b] = runs[b], runs[a]
			}
			i = end
		}
	}
	return dst
}
