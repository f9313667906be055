package document

import (
	"errors"
	"strconv"
)

// Values of PDF syntax, as far as the structure of a file needs them: int64, name,
// ref, []any, dict; nil for everything else.
type (
	name string
	ref  struct{ number, generation int64 }
	dict map[name]any
)

// structural are the keys whose values are kept; others are read over.
var structural = map[name]bool{
	"Type": true, "Size": true, "Root": true, "Prev": true, "XRefStm": true, "Encrypt": true,
	"W": true, "Index": true, "Length": true, "Filter": true, "DecodeParms": true, "Predictor": true, "Columns": true,
	"Colors": true, "BitsPerComponent": true, "N": true, "First": true, "Pages": true, "Count": true, "Kids": true,
}

const (
	maxPDFDepth  = 64
	maxPDFValues = 20_000 // kept of one object
	maxPDFName   = 127
)

var errSyntax = errors.New("its syntax is wrong")

// lexer reads values at a position of a PDF file or of an inflated object stream.
// Work is what it may still read, over all positions: a file cannot make it go over
// the same bytes again and again.
type lexer struct {
	data []byte
	pos  int
	work *int64
	kept int
}

func (l *lexer) at(pos int) { l.pos, l.kept = pos, 0 }

// spend counts n bytes of work.
func (l *lexer) spend(n int) { *l.work -= int64(n) }

const (
	regular = iota
	blank
	delimiter
)

// class tells what a byte is in PDF syntax.
func class(c byte) int {
	switch c {
	case 0, '\t', '\n', '\f', '\r', ' ':
		return blank
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return delimiter
	}
	return regular
}

// space passes over blanks and comments.
func (l *lexer) space() {
	start := l.pos
	for l.pos < len(l.data) {
		c := l.data[l.pos]
		if c == '%' {
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
			continue
		}
		if class(c) != blank {
			break
		}
		l.pos++
	}
	l.spend(l.pos - start)
}

// word is the next run of regular bytes; empty when something else is next.
func (l *lexer) word() []byte {
	l.space()
	start := l.pos
	for l.pos < len(l.data) && class(l.data[l.pos]) == regular {
		l.pos++
	}
	l.spend(l.pos - start)
	return l.data[start:l.pos]
}

// integer reads an integer that must come next.
func (l *lexer) integer() (int64, error) {
	v, ok := toInteger(l.word())
	if !ok {
		return 0, errSyntax
	}
	return v, nil
}

func toInteger(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	return v, err == nil
}

// keyword reads a word that must come next.
func (l *lexer) keyword(want string) error {
	if string(l.word()) != want {
		return errSyntax
	}
	return nil
}

// value reads the next value. Only when keep is set is it worth anything.
func (l *lexer) value(keep bool, depth int) (any, error) {
	if depth > maxPDFDepth || *l.work < 0 {
		return nil, errSyntax
	}
	l.space()
	if l.pos >= len(l.data) {
		return nil, errSyntax
	}
	switch c := l.data[l.pos]; c {
	case '/':
		n := l.name()
		if !keep {
			return nil, nil
		}
		return n, nil
	case '(':
		return nil, l.text()
	case '[':
		return l.array(keep, depth)
	case '<':
		if l.pos+1 < len(l.data) && l.data[l.pos+1] == '<' {
			return l.dict(keep, depth)
		}
		return nil, l.hex()
	}
	w := l.word()
	if len(w) == 0 {
		return nil, errSyntax
	}
	v, ok := toInteger(w)
	if !ok {
		return nil, nil // true, null, 1.5
	}
	// "12 0 R" is a reference.
	back := l.pos
	if g, ok := toInteger(l.word()); ok && g >= 0 && v >= 0 && string(l.word()) == "R" {
		return ref{v, g}, nil
	}
	l.pos = back
	return v, nil
}

func (l *lexer) name() name {
	l.pos++
	start := l.pos
	escaped := false
	for l.pos < len(l.data) && class(l.data[l.pos]) == regular {
		escaped = escaped || l.data[l.pos] == '#'
		l.pos++
	}
	b := l.data[start:l.pos]
	l.spend(len(b) + 1)
	if len(b) > maxPDFName {
		return ""
	}
	if !escaped {
		return name(b)
	}
	plain := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) {
			if v, err := strconv.ParseUint(string(b[i+1:i+3]), 16, 8); err == nil {
				plain = append(plain, byte(v))
				i += 2
				continue
			}
		}
		plain = append(plain, b[i])
	}
	return name(plain)
}

// text passes over a string in parentheses.
func (l *lexer) text() error {
	start, open := l.pos, 0
	for ; l.pos < len(l.data); l.pos++ {
		switch l.data[l.pos] {
		case '\\':
			l.pos++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.pos++
				l.spend(l.pos - start)
				return nil
			}
		}
	}
	return errSyntax
}

func (l *lexer) hex() error {
	start := l.pos
	for ; l.pos < len(l.data); l.pos++ {
		if l.data[l.pos] == '>' {
			l.pos++
			l.spend(l.pos - start)
			return nil
		}
	}
	return errSyntax
}

func (l *lexer) array(keep bool, depth int) (any, error) {
	l.pos++
	var a []any
	for {
		l.space()
		if l.pos >= len(l.data) {
			return nil, errSyntax
		}
		if l.data[l.pos] == ']' {
			l.pos++
			l.spend(1)
			return a, nil
		}
		v, err := l.value(keep, depth+1)
		if err != nil {
			return nil, err
		}
		if keep {
			if l.kept++; l.kept > maxPDFValues {
				return nil, errSyntax
			}
			a = append(a, v)
		}
	}
}

func (l *lexer) dict(keep bool, depth int) (any, error) {
	l.pos += 2
	var d dict
	for {
		l.space()
		if l.pos+1 >= len(l.data) {
			return nil, errSyntax
		}
		if l.data[l.pos] == '>' && l.data[l.pos+1] == '>' {
			l.pos += 2
			l.spend(2)
			if keep && d == nil {
				d = dict{}
			}
			return d, nil
		}
		if l.data[l.pos] != '/' {
			return nil, errSyntax
		}
		key := l.name()
		wanted := keep && structural[key]
		v, err := l.value(wanted, depth+1)
		if err != nil {
			return nil, err
		}
		if wanted && v != nil {
			if l.kept++; l.kept > maxPDFValues {
				return nil, errSyntax
			}
			if d == nil {
				d = dict{}
			}
			d[key] = v
		}
	}
}
