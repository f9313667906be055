package wire

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"quittance/internal/kernel/errs"
)

// ParseJSON reads one JSON value (RFC 8259). A byte order mark is cut. A name given
// twice in one object, nesting deeper than 64 and anything after the value are
// errors of kind Invalid that say where. Texts with bytes that are not UTF-8 or with
// half a surrogate pair are read, and become a problem of the field they are for.
func ParseJSON(b []byte) (*Document, error) {
	if len(b) > maxSource {
		return nil, errs.New(errs.TooLarge, "syntax", "The JSON is too large.")
	}
	p := jsonParser{s: string(cutMark(b))}
	p.nodes = make([]node, 0, min(len(b)/12+4, 4096))
	p.blanks()
	if p.i == len(p.s) {
		return nil, errs.New(errs.Invalid, "syntax", "The body is empty; send JSON.")
	}
	if !p.value(0, 0, 0) {
		return nil, p.err
	}
	if p.blanks(); p.i < len(p.s) {
		p.fail(p.i, "something follows the end of the value")
		return nil, p.err
	}
	return &Document{&tree{src: p.s, nodes: p.nodes, names: p.names}, 0}, nil
}

type jsonParser struct {
	s     string
	i     int
	nodes []node
	names map[int32]string
	seen  []int32 // hash table of names, reused from object to object
	err   *errs.Error
}

// nameSeed keeps clients from choosing names that collide.
var nameSeed = maphash.MakeSeed()

func (p *jsonParser) fail(at int, why string) bool {
	before := p.s[:min(at, len(p.s))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	p.err = errs.Newf(errs.Invalid, "syntax", "The JSON cannot be read at line %d, column %d: %s.", line, column, why)
	return false
}

func (p *jsonParser) blanks() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// value reads a value inside depth others, whose name is s[nameFrom:nameTo].
func (p *jsonParser) value(depth, nameFrom, nameTo int) bool {
	if p.i == len(p.s) {
		return p.fail(p.i, "it ends too early")
	}
	if len(p.nodes) == maxNodes {
		return p.fail(p.i, "there are more than 500,000 values")
	}
	at := len(p.nodes)
	p.nodes = append(p.nodes, node{nameFrom: uint32(nameFrom), nameTo: uint32(nameTo), from: uint32(p.i)})
	var ok bool
	kind, escaped, from := nullNode, false, p.i
	to := -1
	switch c := p.s[p.i]; {
	case c == '"':
		kind = stringNode
		p.i++
		from = p.i
		escaped, ok = p.string()
		to = p.i - 1
	case c == '{':
		kind = objectNode
		ok = p.object(depth+1, int32(at))
	case c == '[':
		kind = arrayNode
		ok = p.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		kind = numberNode
		ok = p.number()
	case c == 't':
		kind = boolNode
		ok = p.literal("true")
	case c == 'f':
		kind = boolNode
		ok = p.literal("false")
	case c == 'n':
		ok = p.literal("null")
	default:
		return p.fail(p.i, "a value is expected here")
	}
	if !ok {
		return false
	}
	if to < 0 {
		to = p.i
	}
	n := &p.nodes[at]
	n.kind, n.escaped, n.from, n.to, n.end = kind, escaped, uint32(from), uint32(to), int32(len(p.nodes))
	return true
}

func (p *jsonParser) literal(word string) bool {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return p.fail(p.i, "a value is expected here")
	}
	p.i += len(word)
	return true
}

// string reads to the closing quote.
func (p *jsonParser) string() (escaped, ok bool) {
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return escaped, true
		case c < ' ':
			return false, p.fail(p.i, "a text holds a line break or a control character that is not escaped")
		case c != '\\':
			p.i++
			continue
		}
		escaped = true
		rest := p.s[p.i+1:]
		switch {
		case rest == "":
			p.i++
		case strings.IndexByte(`"\/bfnrt`, rest[0]) >= 0:
			p.i += 2
		case rest[0] == 'u' && len(rest) >= 5 && isHex(rest[1:5]):
			p.i += 6
		default:
			return false, p.fail(p.i, "a text holds an escape that JSON does not know")
		}
	}
	return false, p.fail(start-1, "a text does not end")
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

func (p *jsonParser) digits() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

func (p *jsonParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *jsonParser) number() bool {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	ok := true
	if p.peek() == '0' {
		p.i++
	} else {
		ok = p.digits()
	}
	if ok && p.peek() == '.' {
		p.i++
		ok = p.digits()
	}
	if c := p.peek(); ok && (c == 'e' || c == 'E') {
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		ok = p.digits()
	}
	if !ok || p.peek() >= '0' && p.peek() <= '9' {
		return p.fail(start, "a number is not written as JSON wants it")
	}
	return true
}

func (p *jsonParser) array(depth int) bool {
	if depth > maxDepth {
		return p.fail(p.i, "it nests deeper than 64 levels")
	}
	p.i++
	p.blanks()
	if p.peek() == ']' {
		p.i++
		return true
	}
	for {
		p.blanks()
		if !p.value(depth, 0, 0) {
			return false
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return true
		default:
			return p.fail(p.i, "a comma or a closing bracket is expected here")
		}
	}
}

func (p *jsonParser) object(depth int, at int32) bool {
	if depth > maxDepth {
		return p.fail(p.i, "it nests deeper than 64 levels")
	}
	p.i++
	p.blanks()
	if p.peek() == '}' {
		p.i++
		return true
	}
	for members := 1; ; members++ {
		p.blanks()
		if p.peek() != '"' {
			return p.fail(p.i, "a name in quotes is expected here")
		}
		p.i++
		from := p.i
		escaped, ok := p.string()
		if !ok {
			return false
		}
		to := p.i - 1
		if p.blanks(); p.peek() != ':' {
			return p.fail(p.i, "a colon is expected here")
		}
		p.i++
		p.blanks()
		index := int32(len(p.nodes))
		if escaped {
			if p.names == nil {
				p.names = map[int32]string{}
			}
			p.names[index], _ = unescape(p.s[from:to])
		}
		if !p.value(depth, from, to) {
			return false
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			return p.distinct(at, members)
		default:
			return p.fail(p.i, "a comma or a closing brace is expected here")
		}
	}
}

// distinct checks that no two of an object's members have one name. The object's
// nodes are the last ones.
func (p *jsonParser) distinct(at int32, members int) bool {
	t := tree{src: p.s, nodes: p.nodes, names: p.names}
	end := int32(len(p.nodes))
	if members <= 8 {
		for a := at + 1; a < end; a = p.nodes[a].end {
			for b := p.nodes[a].end; b < end; b = p.nodes[b].end {
				if t.name(a) == t.name(b) {
					return p.twice(&t, b)
				}
			}
		}
		return true
	}
	size := 16
	for size < 2*members {
		size *= 2
	}
	if cap(p.seen) < size {
		p.seen = make([]int32, size)
	}
	seen := p.seen[:size]
	clear(seen)
	for c := at + 1; c < end; c = p.nodes[c].end {
		name := t.name(c)
		slot := int(maphash.String(nameSeed, name) & uint64(size-1))
		for ; seen[slot] != 0; slot = (slot + 1) & (size - 1) {
			if t.name(seen[slot]) == name {
				return p.twice(&t, c)
			}
		}
		seen[slot] = c
	}
	return true
}

func (p *jsonParser) twice(t *tree, c int32) bool {
	return p.fail(int(p.nodes[c].nameFrom)-1, "the name "+quoteShort(t.name(c))+" is given twice in one object")
}

// quoteShort shows a client's text in a sentence, cut and made printable.
func quoteShort(s string) string {
	cut := strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(cut) > 40 {
		cut = string([]rune(cut)[:40]) + "…"
	}
	return string(AppendJSONText(nil, cut))
}
