package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"unicode/utf8"

	"quittance/internal/kernel/errs"
)

// ParseXML reads one XML document. The root's name, prefixes, attributes other than
// i:nil and the declared encoding do not count; a byte order mark is cut. Document
// types, entities beyond the five, nesting deeper than 64 and anything after the
// root are errors of kind Invalid that say where. Bytes that are not UTF-8 and
// control characters become a problem of the field they are for.
func ParseXML(b []byte) (*Document, error) {
	if len(b) > maxSource {
		return nil, errs.New(errs.TooLarge, "syntax", "The XML is too large.")
	}
	if bytes.HasPrefix(b, []byte("\xFE\xFF")) || bytes.HasPrefix(b, []byte("\xFF\xFE")) {
		return nil, errs.New(errs.Invalid, "syntax", "The XML is in UTF-16; send UTF-8.")
	}
	b = markXML(cutMark(b))
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, errs.New(errs.Invalid, "syntax", "The body is empty; send XML.")
	}
	p := xmlParser{decoder: xml.NewDecoder(bytes.NewReader(b))}
	p.decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	p.nodes = make([]node, 0, min(len(b)/24+4, 4096))
	p.text = make([]byte, 0, len(b)/2)
	for {
		// RawToken leaves prefixes alone, which do not count; the tags are matched here.
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) && len(p.open) == 0 && len(p.nodes) > 0 {
			return &Document{&tree{src: string(p.text), nodes: p.nodes, format: fromXML, root: p.root}, 0}, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, p.fail("it ends too early")
		}
		if err != nil {
			return nil, p.fail("it is not well formed")
		}
		if why := p.token(token); why != "" {
			return nil, p.fail(why)
		}
	}
}

// markXML puts marks in the place of what no XML text may hold.
func markXML(b []byte) []byte {
	var out []byte
	start := 0
	for i := 0; i < len(b); {
		c := b[i]
		if c >= ' ' && c < utf8.RuneSelf || c == '\n' || c == '\r' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		mark := rune(0)
		switch {
		case r == utf8.RuneError && size == 1:
			mark = markEncoding
		case c < ' ' || r == 0xFFFE || r == 0xFFFF:
			mark = markControl
		}
		if mark != 0 {
			out = utf8.AppendRune(append(out, b[start:i]...), mark)
			start = i + size
		}
		i += size
	}
	if start == 0 {
		return b
	}
	return append(out, b[start:]...)
}

type xmlParser struct {
	decoder *xml.Decoder
	nodes   []node
	text    []byte // names and texts, one after the other
	open    []openElement
	root    string
}

type openElement struct {
	at   int32
	name xml.Name
	null bool
}

func (p *xmlParser) fail(why string) error {
	line, column := p.decoder.InputPos()
	return errs.Newf(errs.Invalid, "syntax", "The XML cannot be read at line %d, column %d: %s.", line, column, why)
}

// token takes one token in, or says what is wrong with it.
func (p *xmlParser) token(token xml.Token) string {
	switch token := token.(type) {
	case xml.StartElement:
		return p.start(token)
	case xml.EndElement:
		if len(p.open) == 0 {
			return "an element ends that was not begun"
		}
		e := p.open[len(p.open)-1]
		if e.name != token.Name {
			return "the element " + quoteShort(e.name.Local) + " is not closed"
		}
		p.open = p.open[:len(p.open)-1]
		n := &p.nodes[e.at]
		n.end = int32(len(p.nodes))
		switch {
		case e.null:
			n.kind, n.to = nullNode, n.from
			n.end = e.at + 1
			p.nodes = p.nodes[:n.end]
		case n.kind == stringNode:
			n.to = uint32(len(p.text))
		}
	case xml.CharData:
		if len(p.open) == 0 {
			if len(bytes.TrimSpace(token)) > 0 {
				return "there is text outside the root element"
			}
			return ""
		}
		// Text between the children of an element is layout.
		if p.nodes[p.open[len(p.open)-1].at].kind == stringNode {
			p.text = append(p.text, token...)
		}
	case xml.Directive:
		return "document type declarations are not taken"
	}
	return ""
}

func (p *xmlParser) start(token xml.StartElement) string {
	switch {
	case len(p.open) == 0 && len(p.nodes) > 0:
		return "there is more than one root element"
	case len(p.open) == maxDepth:
		return "it nests deeper than 64 levels"
	case len(p.nodes) == maxNodes:
		return "there are more than 500,000 elements"
	}
	n := node{kind: stringNode}
	if len(p.open) == 0 {
		p.root = token.Name.Local
	} else {
		p.nodes[p.open[len(p.open)-1].at].kind = objectNode
		n.nameFrom = uint32(len(p.text))
		p.text = append(p.text, token.Name.Local...)
		n.nameTo = uint32(len(p.text))
	}
	n.from = uint32(len(p.text))
	null := false
	for _, a := range token.Attr {
		if a.Name.Local == "nil" && a.Name.Space != "" && (a.Value == "true" || a.Value == "1") {
			null = true
		}
	}
	p.open = append(p.open, openElement{int32(len(p.nodes)), token.Name, null})
	p.nodes = append(p.nodes, n)
	return ""
}
