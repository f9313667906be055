package wire

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// AppendJSON writes v as an object.
func (s *Schema[T]) AppendJSON(dst []byte, v *T, st *Style) []byte {
	p, _ := addressOf(v)
	return s.table.appendJSON(dst, p, st)
}

func (t *table) appendJSON(dst []byte, p pointer, st *Style) []byte {
	start := len(dst)
	for i := range t.fields {
		f := &t.fields[i]
		if f.flags&(readOnly|writeOnly) != 0 && f.hidden(st) {
			continue
		}
		if f.flags&neverNull == 0 && f.isNull(p, st) {
			switch {
			case f.flags&omitEmpty != 0:
				continue
			case f.flags&notNull != 0 && f.kind != rawKind:
			case st.Nulls == NullOmit:
				continue
			default:
				dst = append(dst, f.key...)
				dst = append(dst, "null"...)
				continue
			}
		} else if f.flags&omitEmpty != 0 && f.isZero(p, st) {
			continue
		}
		dst = append(dst, f.key...)
		if f.kind == textKind {
			dst = AppendJSONText(dst, *textAt(offset(p, f.offset)))
		} else {
			dst = f.appendJSON(dst, offset(p, f.offset), st)
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // where the first field has its comma
	return append(dst, '}')
}

// hidden says whether a style does not show the field.
func (f *field) hidden(st *Style) bool {
	if st.compare {
		return f.flags&readOnly != 0
	}
	return f.flags&writeOnly != 0
}

// isNull says whether the field of the struct at p is shown as null.
func (f *field) isNull(p pointer, st *Style) bool {
	if f.flags&optional != 0 {
		return !*boolAt(offset(p, f.valid))
	}
	at := offset(p, f.offset)
	switch f.kind {
	case textKind:
		return *textAt(at) == ""
	case currencyKind:
		return *currencyAt(at) == ""
	case dateKind:
		return *dateAt(at) == 0
	case instantKind:
		return *instantAt(at) == 0
	case rawKind, bytesKind, textsKind:
		return sliceAt(at).len == 0
	case objectKind:
		return f.child.isZero(at, st)
	default:
		return false
	}
}

// isZero says whether the field of the struct at p is zero.
func (f *field) isZero(p pointer, st *Style) bool {
	if f.flags&optional != 0 {
		return !*boolAt(offset(p, f.valid))
	}
	at := offset(p, f.offset)
	switch f.kind {
	case boolKind:
		return !*boolAt(at)
	case intKind, moneyKind, rateKind, decimalKind:
		return *intAt(at) == 0
	case listKind:
		return sliceAt(at).len == 0
	case objectKind:
		return f.child.isZero(at, st)
	default:
		return f.isNull(p, st)
	}
}

// isZero says whether all that a style shows of the struct at p is zero.
func (t *table) isZero(p pointer, st *Style) bool {
	for i := range t.fields {
		if f := &t.fields[i]; !f.hidden(st) && !f.isZero(p, st) {
			return false
		}
	}
	return true
}

// appendJSON writes the value that lies at at, unless it is text, which the table
// writes itself.
func (f *field) appendJSON(dst []byte, at pointer, st *Style) []byte {
	switch f.kind {
	case currencyKind:
		return AppendJSONText(dst, string(*currencyAt(at)))
	case boolKind, intKind, moneyKind, rateKind, decimalKind:
		if f.flags&asText != 0 {
			return append(f.appendNumber(append(dst, '"'), at, int(f.decimals)), '"')
		}
		return f.appendNumber(dst, at, int(f.decimals))
	case dateKind, instantKind:
		return f.appendDateJSON(dst, at, st)
	case rawKind:
		return append(dst, *rawAt(at)...)
	case bytesKind:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), *bytesAt(at)), '"')
	case objectKind, groupKind:
		return f.child.appendJSON(dst, at, st)
	default: // a list
	}
	if f.flags&wrapped != 0 {
		dst = append(append(dst, '{'), f.itemKey...)
	}
	dst = append(dst, '[')
	if f.kind == textsKind {
		for i, s := range *textsAt(at) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSONText(dst, s)
		}
	} else {
		list := sliceAt(at)
		for i := range list.len {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = f.child.appendJSON(dst, item(list.data, i, f.stride), st)
		}
	}
	dst = append(dst, ']')
	if f.flags&wrapped != 0 {
		dst = append(dst, '}')
	}
	return dst
}

// appendNumber writes a number or a boolean, which look alike in both formats.
func (f *field) appendNumber(dst []byte, at pointer, decimals int) []byte {
	switch f.kind {
	case boolKind:
		return strconv.AppendBool(dst, *boolAt(at))
	case intKind:
		return strconv.AppendInt(dst, *intAt(at), 10)
	case moneyKind:
		return moneyAt(at).AppendFixed(dst, decimals)
	case rateKind:
		return rateAt(at).AppendFixed(dst, decimals)
	default:
		return decimalAt(at).AppendFixed(dst, decimals)
	}
}

// form is how a style writes this field's dates.
func (f *field) form(st *Style) DateForm {
	if f.flags&ownDates != 0 {
		return f.dates
	}
	return st.Dates
}

func (f *field) appendDateJSON(dst []byte, at pointer, st *Style) []byte {
	form := f.form(st)
	if form == EpochMillis {
		if f.isNoDate(at) {
			return append(dst, '0')
		}
		return f.appendDate(dst, at, form)
	}
	return append(f.appendDate(append(dst, '"'), at, form), '"')
}

func (f *field) isNoDate(at pointer) bool {
	if f.kind == dateKind {
		return *dateAt(at) == 0
	}
	return *instantAt(at) == 0
}

// appendDate writes a date or an instant; nothing for none.
func (f *field) appendDate(dst []byte, at pointer, form DateForm) []byte {
	switch {
	case f.isNoDate(at):
		return dst
	case f.kind == dateKind:
		return appendDate(dst, *dateAt(at), form)
	}
	return appendInstant(dst, *instantAt(at), form)
}

// AppendJSONText writes a JSON string with its quotes. Bytes that are not UTF-8
// become U+FFFD.
func AppendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if i += plainJSON(s[i:]); i == len(s) {
			break
		}
		c := s[i]
		if c < utf8.RuneSelf {
			dst = appendJSONEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

// plainJSON is how many bytes at the start of s are ASCII that stands for itself.
// It looks at eight at a time: in each byte of the sum, the top bit tells.
func plainJSON(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := word(s[i:])
		if (w|(w-0x20*ones)|zeros(w^'"'*ones)|zeros(w^'\\'*ones))&tops != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// zeros sets the top bit of the lowest byte of w that is zero, and of none when no
// byte is.
func zeros(w uint64) uint64 { return (w - ones) &^ w }

// word is the first eight bytes of s.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func appendJSONEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
