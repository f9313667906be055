package wire

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Mode says what a body means to the record it is laid over.
type Mode uint8

const (
	// Create makes something new: null, nil, "" and an empty element are as if absent,
	// and what is required must be there.
	Create Mode = iota
	// Update overlays what stands: null and nil clear; "" and an empty element clear
	// optional text and mean nothing for other types. What an update makes anew inside
	// the record, a group or an item of a list, is read as in Create.
	Update
	// Query is Create for parameters, whose letter case never counts.
	Query
	// Stored reads back what the program itself has written to storage: it takes
	// read-only fields too and checks neither lengths nor enumerations nor what is required.
	Stored
)

// The limits of a body's values.
const (
	maxText      = 64 << 10 // bytes of a text
	maxNumber    = 64       // characters of a number
	maxItems     = 1000     // of a list without Max
	maxListBytes = 64 << 20 // of all lists of one body, as Go values
	maxIgnored   = 100
)

// Decode lays d over *v, as decisions.md 9 to 13 say. It tells which fields were
// given and lists all problems, at most 100, with paths such as "Items[2].Name".
// With problems *v is partly changed and must not be used. Lists and byte slices
// are replaced, never written into, so that a shallow copy of *v keeps what stood.
// Texts share the document's memory.
func (s *Schema[T]) Decode(d *Document, v *T, mode Mode) (Set, []errs.Field) {
	set := Set{table: s.table, given: make(bits, len(s.table.fields)/64+1)}
	if d == nil {
		d = &Document{&tree{nodes: []node{{kind: objectNode, end: 1}}}, 0}
	}
	dec := decoder{tree: d.tree, exact: s.exact && mode != Query}
	p, _ := addressOf(v)
	switch n := &d.nodes[d.at]; {
	case n.kind == objectNode:
		dec.object(s.table, p, d.at, mode, set.given)
	case d.format == fromXML && (n.kind == nullNode || dec.isBlank(d.at)):
		dec.missing(s.table, p, mode, nil)
	default:
		dec.problems.Add("", "type", "The body must be an object.")
	}
	set.ignored = dec.ignored
	return set, dec.problems.Fields()
}

// decoder is the state of one Decode.
type decoder struct {
	*tree
	exact    bool
	path     []step
	problems errs.Problems
	ignored  []string
	lists    uintptr // bytes made for lists so far
}

// step is one part of a path: a member, or an item of the list before it.
type step struct {
	name  string
	index int // -1 for a member
}

func (d *decoder) pathOf(name string) string {
	var b strings.Builder
	write := func(s step) {
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			return
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
	}
	for _, s := range d.path {
		write(s)
	}
	if name != "" {
		write(step{name, -1})
	}
	return b.String()
}

// problem notes a problem of a member of the object at hand. It returns false.
func (d *decoder) problem(f *field, code, message string) bool {
	if len(d.problems.Fields()) < errs.MaxFields {
		d.problems.Add(d.pathOf(f.name), code, message)
	}
	return false
}

func (d *decoder) enter(name string, index int) { d.path = append(d.path, step{name, index}) }
func (d *decoder) leave()                       { d.path = d.path[:len(d.path)-1] }

// skip notes a name that counts for nothing.
func (d *decoder) skip(name string) {
	if len(d.ignored) >= maxIgnored {
		return
	}
	if len(name) > maxNumber {
		name = name[:maxNumber] + "…"
	}
	d.ignored = append(d.ignored, strings.ToValidUTF8(d.pathOf(name), "\ufffd"))
}

// object lays the members of the object node at over the struct at p and notes in
// given what they changed or set.
func (d *decoder) object(t *table, p pointer, at int32, mode Mode, given bits) {
	var small [8]uint64
	seen, exact := bits(small[:4]), bits(small[4:]) // taken; has a member of just its name
	if len(t.fields) > 4*64 {
		seen, exact = make(bits, len(t.fields)/64+1), make(bits, len(t.fields)/64+1)
	}
	for c := at + 1; c < d.nodes[at].end; c = d.nodes[c].end {
		name := d.name(c)
		i, second := t.find(name, d.exact)
		if i < 0 {
			d.skip(name)
			continue
		}
		f := &t.fields[i]
		several := d.format != fromJSON && (f.kind == listKind || f.kind == textsKind)
		if second && !several && !seen.has(i) && !exact.has(i) && d.hasName(at, f.name) {
			exact.add(i) // looked for once, however many spellings come
		}
		switch {
		case f.flags&readOnly != 0 && mode != Stored:
			if len(d.path) == 0 && len(d.ignored) < maxIgnored {
				d.ignored = append(d.ignored, f.readOnlyName)
			} else {
				d.skip(f.readOnlyName)
			}
			continue
		case seen.has(i) && several: // taken with its first sibling
			continue
		case second && !several && (seen.has(i) || exact.has(i)):
			d.skip(name)
			continue
		case seen.has(i) && d.format == fromXML:
			d.problem(f, "duplicate", "is given more than once.")
			continue
		case seen.has(i):
			continue
		}
		seen.add(i)
		if d.field(t, f, i, p, at, c, mode) {
			given.add(i)
		}
	}
	d.missing(t, p, mode, given)
}

// hasName says whether the object has a member with just this name.
func (d *decoder) hasName(at int32, name string) bool {
	for c := at + 1; c < d.nodes[at].end; c = d.nodes[c].end {
		if d.name(c) == name {
			return true
		}
	}
	return false
}

// missing notes the required fields that are not there.
func (d *decoder) missing(t *table, p pointer, mode Mode, given bits) {
	if mode == Update || mode == Stored {
		return
	}
	for i := range t.fields {
		f := &t.fields[i]
		if f.flags&required == 0 || given.has(i) || !f.isZero(p, comparing) {
			continue
		}
		path := d.pathOf(f.name)
		reported := slices.ContainsFunc(d.problems.Fields(), func(p errs.Field) bool {
			rest, below := strings.CutPrefix(p.Path, path)
			return below && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
		if !reported {
			d.problem(f, "required", "is required.")
		}
	}
}

// comparing shows all that a caller may set, and nothing else; instants as exactly
// as the families do.
var comparing = &Style{Dates: ISODate, compare: true}

// field lays the node c, a member of the object node at, over the field f (number
// index of t) of the struct at p. It says whether the field counts as given.
func (d *decoder) field(t *table, f *field, index int, p pointer, at, c int32, mode Mode) bool {
	switch f.kind {
	case listKind, textsKind:
		items, found := d.items(t, f, index, at, c)
		switch {
		case found == foundNothing:
			return false
		case found == foundNull:
			return d.clear(f, p, mode)
		case f.kind == textsKind:
			return d.texts(f, p, items, mode)
		}
		return d.list(f, p, items, mode)
	case objectKind, groupKind:
		if d.nodes[c].kind == nullNode {
			return d.clear(f, p, mode)
		}
		return d.compound(f, p, c, mode)
	default:
	}
	switch kind := d.nodes[c].kind; {
	case kind == nullNode:
		return d.clear(f, p, mode)
	case f.kind == rawKind && mode != Stored && d.isBlank(c):
		return false
	case f.kind == rawKind:
		return d.rawJSON(f, p, c, mode)
	case kind == objectNode || kind == arrayNode:
		return d.problem(f, "type", "must be a single value.")
	}
	return d.scalar(f, p, c, mode)
}

// isBlank says whether a node is text with nothing but blanks: an empty element or "".
func (d *decoder) isBlank(c int32) bool {
	n := &d.nodes[c]
	return n.kind == stringNode && !n.escaped && strings.TrimSpace(d.src[n.from:n.to]) == ""
}

// clear empties a field that was given as null, nil or, if text, as "".
func (d *decoder) clear(f *field, p pointer, mode Mode) bool {
	if mode != Update || f.isZero(p, comparing) {
		return false
	}
	if f.flags&required != 0 {
		return d.problem(f, "required", "is required and cannot be cleared.")
	}
	if f.flags&fixed != 0 {
		return d.problem(f, "fixed", "cannot be changed after creation.")
	}
	at := offset(p, f.offset)
	if f.flags&optional != 0 {
		*boolAt(offset(p, f.valid)) = false
	}
	switch f.kind {
	case textKind:
		*textAt(at) = ""
	case currencyKind:
		*currencyAt(at) = ""
	case boolKind:
		*boolAt(at) = false
	case intKind, moneyKind, rateKind, decimalKind, instantKind:
		*intAt(at) = 0
	case dateKind:
		*dateAt(at) = 0
	case rawKind, bytesKind, textsKind, listKind:
		*sliceAt(at) = slice{}
	case groupKind:
		f.clear(at)
	default:
		d.clearMembers(f, at)
	}
	return true
}

// clearMembers empties what a caller may set of the object f that lies at at.
func (d *decoder) clearMembers(f *field, at pointer) {
	d.enter(f.name, -1)
	for i := range f.child.fields {
		m := &f.child.fields[i]
		if m.flags&readOnly == 0 && !m.isZero(at, comparing) {
			free := *m
			free.flags &^= required // the whole goes, so nothing of it is missing
			d.clear(&free, at, Update)
		}
	}
	d.leave()
}

// compound lays a node over an object or a group.
func (d *decoder) compound(f *field, p pointer, c int32, mode Mode) bool {
	at := offset(p, f.offset)
	kind := d.nodes[c].kind
	blank := d.isBlank(c)
	switch {
	case kind == arrayNode, kind != objectNode && f.scalar < 0 && !blank:
		return d.problem(f, "type", "must be an object.")
	case blank && f.scalar < 0:
		return false
	case blank:
		return d.clear(f, p, mode)
	}
	standing := !f.isNull(p, comparing)
	inner := mode
	if mode == Update && f.kind == groupKind && !standing {
		inner = Create
	}
	// A fixed object, and one that is a single value, is compared as a whole.
	var before []byte
	whole := mode == Update && (f.flags&fixed != 0 || f.scalar >= 0)
	if whole && standing {
		before = f.child.appendJSON(nil, at, comparing)
	}
	if f.kind == groupKind && !standing {
		f.clear(at)
		*boolAt(offset(p, f.valid)) = true
	}
	if whole && standing && f.scalar >= 0 {
		if kind != objectNode && d.standsFor(f, at, c) {
			return false
		}
		d.clearMembers(f, at)
		inner = Create
	}
	d.enter(f.name, -1)
	given := make(bits, len(f.child.fields)/64+1)
	if kind == objectNode {
		d.object(f.child, at, c, inner, given)
	} else if m := &f.child.fields[f.scalar]; d.field(f.child, m, f.scalar, at, c, c, inner) {
		given.add(f.scalar)
	}
	d.leave()
	switch {
	case f.kind == groupKind && (mode != Update || !standing): // it is there now
	case whole && standing:
		if slices.Equal(before, f.child.appendJSON(nil, at, comparing)) {
			return false
		}
	case (Set{given: given}).Empty():
		return false
	}
	if mode == Update && f.flags&fixed != 0 {
		return d.problem(f, "fixed", "cannot be changed after creation.")
	}
	return true
}

// standsFor says whether a scalar is what the object's scalar member holds already.
// Its other members then stay as they are.
func (d *decoder) standsFor(f *field, at pointer, c int32) bool {
	m := &f.child.fields[f.scalar]
	text, sound := d.text(c)
	return sound && m.kind == textKind && !m.isNull(at, comparing) && *textAt(offset(at, m.offset)) == text
}

type found uint8

const (
	foundNothing found = iota
	foundNull
	foundItems
)

// items gathers the nodes that are the items of a list: of an array, of a single
// object, of the siblings of one name, or of a wrapper whose children are called
// as the binding's items are.
func (d *decoder) items(t *table, f *field, index int, at, c int32) ([]int32, found) {
	var items []int32
	result := foundNothing
	take := func(c int32) {
		if d.nodes[c].kind != nullNode && !(f.kind == listKind && d.isBlank(c)) {
			items = append(items, c)
		}
	}
	takeAll := func(c int32) {
		result = foundItems
		for e := c + 1; e < d.nodes[c].end; e = d.nodes[e].end {
			take(e)
		}
	}
	one := func(c int32) {
		switch n := &d.nodes[c]; {
		case n.kind == nullNode:
			if result == foundNothing {
				result = foundNull
			}
		case n.kind == arrayNode:
			takeAll(c)
		case n.kind == objectNode && d.isWrapper(f, c):
			result = foundItems
			for e := c + 1; e < d.nodes[c].end; e = d.nodes[e].end {
				switch {
				case !strings.EqualFold(d.name(e), f.item):
					d.skip(d.name(e))
				case d.nodes[e].kind == arrayNode:
					takeAll(e)
				default:
					take(e)
				}
			}
		case !d.isBlank(c) || f.kind == textsKind && n.to > n.from:
			result = foundItems
			take(c)
		}
	}
	if d.format == fromJSON {
		one(c)
		return items, result
	}
	for ; c < d.nodes[at].end; c = d.nodes[c].end {
		if i, _ := t.find(d.name(c), d.exact); i == index {
			one(c)
		}
	}
	return items, result
}

// isWrapper says whether the object node c holds items under the name of the
// list's items, rather than being an item itself.
func (d *decoder) isWrapper(f *field, c int32) bool {
	for e := c + 1; e < d.nodes[c].end; e = d.nodes[e].end {
		name := d.name(e)
		if name != f.item && (d.exact || !strings.EqualFold(name, f.item)) {
			continue
		}
		if f.child == nil {
			return true
		}
		// An item may have a member of that name. It is told by what it holds.
		m, _ := f.child.find(name, d.exact)
		inside := d.nodes[e].kind == objectNode || d.nodes[e].kind == arrayNode
		if m < 0 || inside && name == f.item {
			return true
		}
	}
	return false
}

// list reads the items of a list of structs.
func (d *decoder) list(f *field, p pointer, items []int32, mode Mode) bool {
	most := maxItems
	if f.max > 0 {
		most = f.max
	}
	if mode != Stored {
		d.lists += uintptr(len(items)) * f.stride
		switch {
		case len(items) > most:
			return d.problem(f, "limit", "may have at most "+strconv.Itoa(most)+" items.")
		case d.lists > maxListBytes:
			return d.problem(f, "limit", "makes the body too large.")
		}
	}
	at := offset(p, f.offset)
	old, made := *sliceAt(at), f.make(len(items))
	given := make(bits, len(f.child.fields)/64+1)
	d.enter(f.name, -1)
	for i, c := range items {
		to := item(made.data, i, f.stride)
		inner := mode
		if mode == Update {
			inner = Create
			if f.keyField >= 0 {
				if from := d.standing(f, old, c); from != nil {
					f.assign(to, from)
					inner = Update
				}
			}
		}
		d.enter("", i)
		clear(given)
		switch m := f.scalar; {
		case d.nodes[c].kind == objectNode:
			d.object(f.child, to, c, inner, given)
		case m >= 0 && d.nodes[c].kind != arrayNode:
			d.field(f.child, &f.child.fields[m], m, to, c, c, inner)
		default:
			d.problems.Add(d.pathOf(""), "type", "must be an object.")
		}
		d.leave()
	}
	d.leave()
	if mode == Update {
		before := f.appendJSON(nil, at, comparing)
		*sliceAt(at) = made
		after := f.appendJSON(nil, at, comparing)
		*sliceAt(at) = old
		if slices.Equal(before, after) {
			return false
		}
		if len(items) == 0 {
			return d.clear(f, p, mode)
		}
		if f.flags&fixed != 0 {
			return d.problem(f, "fixed", "cannot be changed after creation.")
		}
	}
	if len(items) == 0 {
		made = slice{}
	}
	*sliceAt(at) = made
	return len(items) > 0
}

// standing finds the item of the old list that the node c is for, by its key.
func (d *decoder) standing(f *field, old slice, c int32) pointer {
	k := &f.child.fields[f.keyField]
	key := ""
	for e := c + 1; e < d.nodes[c].end && d.nodes[c].kind == objectNode; e = d.nodes[e].end {
		if i, _ := f.child.find(d.name(e), d.exact); i == f.keyField {
			key, _ = d.text(e)
			break
		}
	}
	if key == "" {
		return nil
	}
	for i := range old.len {
		from := item(old.data, i, f.stride)
		at := offset(from, k.offset)
		if k.kind == textKind && *textAt(at) == key || k.kind == intKind && strconv.FormatInt(*intAt(at), 10) == key {
			return from
		}
	}
	return nil
}

// texts reads the items of a list of texts.
func (d *decoder) texts(f *field, p pointer, items []int32, mode Mode) bool {
	if mode != Stored && len(items) > maxItems {
		return d.problem(f, "limit", "may have at most "+strconv.Itoa(maxItems)+" items.")
	}
	list := make([]string, 0, len(items))
	d.enter(f.name, -1)
	sound := true
	for i, c := range items {
		d.enter("", i)
		here := &field{details: &details{max: f.max, enum: f.enum}}
		if kind := d.nodes[c].kind; kind == objectNode || kind == arrayNode {
			sound = d.problem(here, "type", "must be a text.")
		} else if s, ok := d.checkedText(here, c, mode); ok {
			list = append(list, s)
		} else {
			sound = false
		}
		d.leave()
	}
	d.leave()
	if !sound {
		return false
	}
	at := textsAt(offset(p, f.offset))
	switch {
	case mode != Update && len(list) == 0:
		*at = nil
		return false
	case mode == Update && slices.Equal(*at, list):
		return false
	case len(list) == 0:
		return d.clear(f, p, mode)
	case mode == Update && f.flags&fixed != 0:
		return d.problem(f, "fixed", "cannot be changed after creation.")
	}
	*at = list
	return true
}

// rawJSON keeps a value's source.
func (d *decoder) rawJSON(f *field, p pointer, c int32, mode Mode) bool {
	src := d.raw(c)
	if d.format != fromJSON {
		if d.nodes[c].kind != stringNode {
			return d.problem(f, "type", "must be JSON as text.")
		}
		if src = strings.TrimSpace(src); src == "" {
			return false
		}
		if _, err := ParseJSON([]byte(src)); err != nil {
			return d.problem(f, "syntax", errs.As(err).Message)
		}
	}
	if !utf8.ValidString(src) && mode != Stored {
		return d.problem(f, "characters", "holds bytes that are not UTF-8.")
	}
	return d.putBytes(f, p, []byte(src), mode)
}

func (d *decoder) putBytes(f *field, p pointer, b []byte, mode Mode) bool {
	at := bytesAt(offset(p, f.offset))
	if mode == Update {
		if slices.Equal(*at, b) {
			return false
		}
		if f.flags&fixed != 0 {
			return d.problem(f, "fixed", "cannot be changed after creation.")
		}
	}
	*at = b
	return true
}

// scalar reads text, a number or a boolean into a field that is a single value.
func (d *decoder) scalar(f *field, p pointer, c int32, mode Mode) bool {
	at := offset(p, f.offset)
	if f.kind == textKind {
		s, ok := d.checkedText(f, c, mode)
		switch {
		case !ok:
			return false
		case s == "" && mode != Stored:
			return d.clear(f, p, mode)
		}
		return put(d, f, p, textAt(at), s, mode)
	}
	s, sound := d.text(c)
	if f.kind == bytesKind {
		return d.base64(f, p, s, mode)
	}
	s = strings.TrimFunc(s, isBlank)
	switch {
	case s == "":
		return false
	case !sound || len(s) > maxNumber:
		return d.problem(f, "range", "is longer than any value of this kind.")
	}
	isBool := d.nodes[c].kind == boolNode
	switch f.kind {
	case boolKind:
		b, ok := parseBool(s)
		if !ok {
			return d.problem(f, "type", "must be true or false.")
		}
		return put(d, f, p, boolAt(at), b, mode)
	case currencyKind:
		code, ok := value.ParseCurrency(s)
		if !ok && mode != Stored {
			return d.problem(f, "currency", "must be a currency code of ISO 4217.")
		}
		return put(d, f, p, currencyAt(at), code, mode)
	case dateKind:
		day, ok := parseDate(f, s)
		if !ok || isBool {
			return d.problem(f, "date", "must be a date, written as 2024-03-11.")
		}
		return put(d, f, p, dateAt(at), day, mode)
	case instantKind:
		i, ok := parseInstant(f, s)
		if !ok || isBool {
			return d.problem(f, "date", "must be a date and time, written as 2024-03-11T07:56:32.")
		}
		if mode == Update && f.stands(p) && sameInstant(f, *instantAt(at), i) {
			return false
		}
		return put(d, f, p, instantAt(at), i, mode)
	default:
	}
	if isBool {
		return d.problem(f, "type", "must be a number.")
	}
	var err error
	switch f.kind {
	case intKind:
		var n int64
		if n, err = parseInt(s); err == nil {
			return put(d, f, p, intAt(at), n, mode)
		}
	case moneyKind:
		var m value.Money
		if m, err = value.ParseMoney(s); err == nil {
			return put(d, f, p, moneyAt(at), m, mode)
		}
	case rateKind:
		var r value.Rate
		if r, err = value.ParseRate(s); err == nil {
			return put(d, f, p, rateAt(at), r, mode)
		}
	default:
		var n value.Decimal
		if n, err = value.ParseDecimal(s); err == nil {
			return put(d, f, p, decimalAt(at), n, mode)
		}
	}
	switch {
	case errors.Is(err, value.ErrNumberRange):
		return d.problem(f, "range", "is a number out of range.")
	case f.kind == intKind:
		return d.problem(f, "type", "must be a whole number.")
	}
	return d.problem(f, "type", "must be a number.")
}

// stands says whether there is a value to compare with.
func (f *field) stands(p pointer) bool {
	return f.flags&optional == 0 || *boolAt(offset(p, f.valid))
}

// put sets a single value, unless an update gives what stands already.
func put[T comparable](d *decoder, f *field, p pointer, at *T, v T, mode Mode) bool {
	if mode == Update {
		if f.stands(p) && *at == v {
			return false
		}
		if f.flags&fixed != 0 {
			return d.problem(f, "fixed", "cannot be changed after creation.")
		}
	}
	*at = v
	if f.flags&optional != 0 {
		*boolAt(offset(p, f.valid)) = true
	}
	return true
}

// checkedText is a scalar as text that is fit to be kept.
func (d *decoder) checkedText(f *field, c int32, mode Mode) (string, bool) {
	s, sound := d.text(c)
	switch {
	case mode == Stored:
		return s, true
	case len(s) > maxText:
		return "", d.problem(f, "tooLong", "is longer than 64 KB.")
	case !sound:
		return "", d.problem(f, "characters", "holds half a surrogate pair.")
	}
	if why := checkText(s); why != "" {
		return "", d.problem(f, "characters", why)
	}
	if f.max > 0 && len(s) > f.max && utf8.RuneCountInString(s) > f.max {
		return "", d.problem(f, "tooLong", "must be at most "+strconv.Itoa(f.max)+" characters long.")
	}
	if len(f.enum) == 0 || s == "" || slices.Contains(f.enum, s) {
		return s, true
	}
	for _, allowed := range f.enum {
		if strings.EqualFold(allowed, s) {
			return allowed, true
		}
	}
	return "", d.problem(f, "enum", "must be one of "+strings.Join(f.enum, ", ")+".")
}

// checkText says what is wrong with a text's characters; "" when nothing is.
func checkText(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7F {
			plain = false
			break
		}
	}
	if plain {
		return ""
	}
	for i, r := range s {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
		case r == markEncoding:
			return "holds bytes that are not UTF-8."
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return "holds bytes that are not UTF-8."
			}
		case unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF || r == markControl:
			return "holds a control character."
		}
	}
	return ""
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

// base64 reads bytes in either alphabet, padded or not, with line breaks.
func (d *decoder) base64(f *field, p pointer, s string, mode Mode) bool {
	clean := strings.TrimRight(strings.Map(func(r rune) rune {
		switch {
		case isBlank(r):
			return -1
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		}
		return r
	}, s), "=")
	if clean == "" {
		return false
	}
	if f.max > 0 && mode != Stored && base64.RawStdEncoding.DecodedLen(len(clean)) > f.max {
		return d.problem(f, "tooLong", "must be at most "+strconv.Itoa(f.max)+" bytes long.")
	}
	b, err := base64.RawStdEncoding.DecodeString(clean)
	if err != nil {
		return d.problem(f, "base64", "must be written in Base64.")
	}
	return d.putBytes(f, p, b, mode)
}

func parseBool(s string) (v, ok bool) {
	switch {
	case s == "1", strings.EqualFold(s, "true"), strings.EqualFold(s, "Y"):
		return true, true
	case s == "0", strings.EqualFold(s, "false"), strings.EqualFold(s, "N"):
		return false, true
	}
	return false, false
}

// parseInt reads a whole number, which may be written with decimals that are zero
// or with an exponent.
func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, strconv.ErrRange):
		return 0, value.ErrNumberRange
	}
	// mantissa × 10^exponent, where the mantissa's digits have no point.
	mantissa, tail, hasExponent := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, tail, hasExponent = s[:i], s[i+1:], true
	}
	exponent := 0
	if hasExponent {
		if exponent, err = strconv.Atoi(tail); errors.Is(err, strconv.ErrRange) {
			return 0, value.ErrNumberRange
		} else if err != nil {
			return 0, value.ErrNumberSyntax
		}
	}
	sign := ""
	if mantissa != "" && (mantissa[0] == '-' || mantissa[0] == '+') {
		sign, mantissa = mantissa[:1], mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, value.ErrNumberSyntax
	}
	exponent -= len(fraction)
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	for exponent < 0 && strings.HasSuffix(digits, "0") {
		digits = digits[:len(digits)-1]
		exponent++
	}
	switch {
	case exponent < 0:
		return 0, value.ErrNumberSyntax // a fraction
	case len(digits)+exponent > 19:
		return 0, value.ErrNumberRange
	}
	n, err = strconv.ParseInt(sign+digits+strings.Repeat("0", exponent), 10, 64)
	if err != nil {
		return 0, value.ErrNumberRange
	}
	return n, nil
}

// parseDate reads a day; a field that is written in milliseconds is read so too.
func parseDate(f *field, s string) (value.Date, bool) {
	if i, ok := parseMillis(f, s); ok {
		return i.Date(), true
	}
	day, err := value.ParseDate(s)
	return day, err == nil
}

func parseInstant(f *field, s string) (value.Instant, bool) {
	if i, ok := parseMillis(f, s); ok {
		return i, true
	}
	i, err := value.ParseInstant(s)
	return i, err == nil
}

func parseMillis(f *field, s string) (value.Instant, bool) {
	if f.flags&ownDates == 0 || f.dates != EpochMillis {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	const year9999 = 253_402_300_799_999
	if err != nil || n < -year9999 || n > year9999 || n > math.MaxInt64/1000 {
		return 0, false
	}
	return value.Instant(n * 1000), true
}

// sameInstant says whether b is what a caller was shown of a. The forms show less
// than what is kept.
func sameInstant(f *field, a, b value.Instant) bool {
	for _, shown := range [...]value.Instant{1, 1_000, 1_000_000} {
		if b%shown == 0 && a-a%shown == b {
			return true
		}
	}
	return f.flags&ownDates != 0 && f.dates == DayOnly && b.Date().Time().Equal(b.Time()) && a.Date() == b.Date()
}
