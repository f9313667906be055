package wire

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// AppendXML writes v as <element>…</element>, without a declaration. What follows
// a blank in element are attributes of the start tag (see NilNamespace).
func (s *Schema[T]) AppendXML(dst []byte, element string, v *T, st *Style) []byte {
	p, _ := addressOf(v)
	dst = append(append(append(dst, '<'), element...), '>')
	dst = s.table.appendXML(dst, p, st)
	name, _, _ := strings.Cut(element, " ")
	return append(append(append(dst, "</"...), name...), '>')
}

// appendXML writes the elements of the struct at p.
func (t *table) appendXML(dst []byte, p pointer, st *Style) []byte {
	for i := range t.fields {
		f := &t.fields[i]
		if f.flags&(readOnly|writeOnly) != 0 && f.hidden(st) {
			continue
		}
		if f.flags&neverNull == 0 && f.isNull(p, st) {
			switch {
			case st.Nulls == NullOmit || f.flags&omitEmpty != 0:
				continue
			case f.flags&notNull == 0 || f.kind == rawKind:
				dst = append(dst, f.null...)
				continue
			}
		} else if f.flags&omitEmpty != 0 && f.isZero(p, st) {
			continue
		}
		at := offset(p, f.offset)
		if f.kind == listKind || f.kind == textsKind {
			dst = f.appendListXML(dst, at, st)
			continue
		}
		dst = append(dst, f.open...)
		dst = f.appendXML(dst, at, st)
		dst = append(dst, f.close...)
	}
	return dst
}

// appendXML writes the value that lies at at, without its element.
func (f *field) appendXML(dst []byte, at pointer, st *Style) []byte {
	switch f.kind {
	case textKind:
		return AppendXMLText(dst, *textAt(at))
	case currencyKind:
		return AppendXMLText(dst, string(*currencyAt(at)))
	case boolKind, intKind, moneyKind, rateKind, decimalKind:
		decimals := int(f.decimals)
		if f.flags&asText == 0 {
			decimals = max(decimals, st.XMLDecimals)
		}
		return f.appendNumber(dst, at, decimals)
	case dateKind, instantKind:
		return f.appendDate(dst, at, f.form(st))
	case rawKind:
		return AppendXMLText(dst, string(*rawAt(at)))
	case bytesKind:
		return base64.StdEncoding.AppendEncode(dst, *bytesAt(at))
	default:
		return f.child.appendXML(dst, at, st)
	}
}

// appendListXML writes a list: in one wrapper, or the field's element once an item.
func (f *field) appendListXML(dst []byte, at pointer, st *Style) []byte {
	list := sliceAt(at)
	wrapper := st.ItemWrappers || f.flags&wrapped != 0
	open, close := f.open, f.close
	switch {
	case wrapper && list.len == 0 && st.Nulls == NullOmit:
		return dst
	case wrapper && list.len == 0:
		return append(dst, f.empty...)
	case wrapper:
		dst = append(dst, f.open...)
		open, close = f.itemOpen, f.itemClose
	}
	for i := range list.len {
		dst = append(dst, open...)
		if f.kind == textsKind {
			dst = AppendXMLText(dst, (*textsAt(at))[i])
		} else {
			dst = f.child.appendXML(dst, item(list.data, i, f.stride), st)
		}
		dst = append(dst, close...)
	}
	if wrapper {
		dst = append(dst, f.close...)
	}
	return dst
}

// AppendXMLText writes character data, escaped so that it is safe in an element
// and in an attribute. Characters that XML does not have become U+FFFD.
func AppendXMLText(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		if i += plainXML(s[i:]); i == len(s) {
			break
		}
		c := s[i]
		size, escape := 1, ""
		switch {
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '"':
			escape = "&quot;"
		case c == '\r': // a reader would turn it into a line feed
			escape = "&#xD;"
		case c == '\t', c == '\n':
		case c < ' ':
			escape = "\ufffd"
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				escape = "\ufffd"
			}
		}
		if escape != "" {
			dst = append(append(dst, s[start:i]...), escape...)
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

// plainXML is plainJSON for character data.
func plainXML(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := word(s[i:])
		if (w|(w-0x20*ones)|zeros(w^'&'*ones)|zeros(w^'<'*ones)|zeros(w^'>'*ones)|zeros(w^'"'*ones))&tops != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '&' || c == '<' || c == '>' || c == '"' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}
