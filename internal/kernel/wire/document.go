package wire

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Document is a parsed body or query: JSON, XML or form, as one small tree. It
// never changes, so it may be decoded any number of times, also at once. The zero
// of its pointer, nil, is a document without anything.
type Document struct {
	*tree
	at int32
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	numberNode // JSON only; the others have text
	boolNode   // JSON only
	objectNode
	arrayNode
)

// node is one value of a tree. A value's descendants follow it directly and end
// before end, where its next sibling is.
type node struct {
	nameFrom, nameTo uint32 // its name in the object around it, in src
	from, to         uint32 // a scalar's text without quotes, or a JSON container's source
	end              int32
	kind             nodeKind
	escaped          bool // a JSON string with escapes
}

type format uint8

const (
	fromJSON format = iota
	fromXML
	fromForm
)

// tree is what the documents of one body share.
type tree struct {
	src    string
	nodes  []node
	names  map[int32]string // names that have escapes in the source
	format format
	root   string // the name of an XML root
}

// The limits of a body. How large it may be is for the listener to say.
const (
	maxNodes  = 500_000
	maxSource = 1 << 30
)

// Marks that stand for what no XML text can hold. No character is ever assigned to
// their code points; checkText refuses them with the problem that they stand for.
const (
	markEncoding = '\U0010FFFE' // bytes that are not UTF-8
	markControl  = '\U0010FFFF' // a control character
)

var byteOrderMark = []byte("\xEF\xBB\xBF")

func cutMark(b []byte) []byte { return bytes.TrimPrefix(b, byteOrderMark) }

func (t *tree) name(i int32) string {
	if n := &t.nodes[i]; n.nameTo > n.nameFrom {
		if t.names != nil {
			if name, ok := t.names[i]; ok {
				return name
			}
		}
		return t.src[n.nameFrom:n.nameTo]
	}
	return ""
}

// text is a scalar's text as it came, escapes resolved. sound is false when it has
// a surrogate without its pair; U+FFFD then stands there.
func (t *tree) text(i int32) (text string, sound bool) {
	n := &t.nodes[i]
	if n.kind == objectNode || n.kind == arrayNode || n.kind == nullNode {
		return "", true
	}
	if n.escaped {
		return unescape(t.src[n.from:n.to])
	}
	return t.src[n.from:n.to], true
}

// raw is a value's JSON source.
func (t *tree) raw(i int32) string {
	n := &t.nodes[i]
	if t.format == fromJSON && n.kind == stringNode {
		return t.src[n.from-1 : n.to+1]
	}
	return t.src[n.from:n.to]
}

// unescape resolves the escapes of a JSON string that was found well formed.
func unescape(s string) (string, bool) {
	sound := true
	b := make([]byte, 0, len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return string(append(b, s...)), sound
		}
		b = append(b, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hexRune(s)
			s = s[4:]
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if strings.HasPrefix(s, `\u`) {
					pair = utf16.DecodeRune(r, hexRune(s[2:]))
				}
				if r = pair; pair == utf8.RuneError {
					sound = false
				} else {
					s = s[6:]
				}
			}
			b = utf8.AppendRune(b, r)
		default: // a quote, a slash, a backslash
			b = append(b, c)
		}
	}
}

func hexRune(s string) rune {
	n, err := strconv.ParseUint(s[:4], 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// IsArray reports whether the document is a list: a JSON array, form fields that
// are numbered from the outset, or an XML root whose children are several objects
// of one name, or that is called ArrayOf….
func (d *Document) IsArray() bool {
	if d == nil {
		return false
	}
	if d.format != fromXML || d.at != 0 {
		return d.nodes[d.at].kind == arrayNode
	}
	if strings.HasPrefix(d.root, "ArrayOf") {
		return true
	}
	name, n := "", 0
	for c := range d.children() {
		if n > 0 && d.name(c) != name || d.nodes[c].kind != objectNode {
			return false
		}
		name = d.name(c)
		n++
	}
	return n > 1
}

// IsObject reports whether the document has members, or may have: {} and an empty
// XML element are objects too.
func (d *Document) IsObject() bool {
	if d == nil {
		return false
	}
	return d.nodes[d.at].kind == objectNode || d.format == fromXML && d.at == 0
}

// IsNull reports whether the document is absent, a JSON null or an XML nil.
func (d *Document) IsNull() bool { return d == nil || d.nodes[d.at].kind == nullNode }

// children runs over the indexes of the values directly inside.
func (d *Document) children() func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		for c := d.at + 1; c < d.nodes[d.at].end; c = d.nodes[c].end {
			if !yield(c) {
				return
			}
		}
	}
}

// Len is how many values lie directly inside: items of an array, members of an object.
func (d *Document) Len() int {
	n := 0
	if d != nil {
		for range d.children() {
			n++
		}
	}
	return n
}

// At is the value number i, from 0; nil past the end.
func (d *Document) At(i int) *Document {
	if d != nil {
		for c := range d.children() {
			if i == 0 {
				return &Document{d.tree, c}
			}
			i--
		}
	}
	return nil
}

// Elements lists the records of a body that may hold one or many: the items of an
// array, the XML children that are called item, or else the document itself.
func (d *Document) Elements(item string) []*Document {
	if d == nil {
		return nil
	}
	var found []*Document
	array := d.nodes[d.at].kind == arrayNode || d.format == fromXML && d.IsArray()
	for c := range d.children() {
		if array || d.format == fromXML && strings.EqualFold(d.name(c), item) {
			found = append(found, &Document{d.tree, c})
		}
	}
	if found == nil && !array {
		found = append(found, d)
	}
	return found
}

// Field is the member with this name, matched letter by letter, then without letter
// case; of several the first. It is nil when there is none.
func (d *Document) Field(name string) *Document {
	if d == nil || d.nodes[d.at].kind != objectNode {
		return nil
	}
	other := int32(-1)
	for c := range d.children() {
		switch n := d.name(c); {
		case n == name:
			return &Document{d.tree, c}
		case other < 0 && strings.EqualFold(n, name):
			other = c
		}
	}
	if other < 0 {
		return nil
	}
	return &Document{d.tree, other}
}

// Has reports whether there is a member with this name, null or not.
func (d *Document) Has(name string) bool { return d.Field(name) != nil }

// Names lists the members' names in the order in which they came.
func (d *Document) Names() []string {
	var names []string
	if d != nil && d.nodes[d.at].kind == objectNode {
		for c := range d.children() {
			names = append(names, d.name(c))
		}
	}
	return names
}

// Text is a scalar as text; empty for null, objects and arrays. It is valid UTF-8
// but may hold control characters.
func (d *Document) Text() string {
	if d == nil {
		return ""
	}
	s, _ := d.text(d.at)
	if d.format == fromXML && strings.ContainsAny(s, string(markEncoding)+string(markControl)) {
		s = strings.Map(func(r rune) rune {
			if r == markEncoding || r == markControl {
				return utf8.RuneError
			}
			return r
		}, s)
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// Raw is a JSON document's source, byte for byte. Of XML and of forms it is the text.
func (d *Document) Raw() []byte {
	if d == nil {
		return nil
	}
	if d.format != fromJSON {
		return []byte(d.Text())
	}
	return slices.Clone([]byte(d.raw(d.at)))
}
