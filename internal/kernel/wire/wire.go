// Package wire binds names to the fields of plain structs, as package flag binds
// variables, and from one binding reads and writes JSON and XML, reads forms and
// queries, and describes the result.
//
// A binding is a method that is called once, on a zero value, when the program
// starts. What it leaves is a table of names, kinds and offsets; encoding and
// decoding walk that table without reflection and without an allocation per field.
package wire

import (
	"reflect"
	"strconv"
	"strings"

	"quittance/internal/kernel/value"
)

// RawJSON is a JSON value that is kept byte for byte. In XML and in forms it is text.
type RawJSON []byte

type kind uint8

const (
	textKind kind = iota
	boolKind
	intKind
	moneyKind
	rateKind
	decimalKind
	currencyKind
	dateKind
	instantKind
	rawKind
	bytesKind
	textsKind
	objectKind
	groupKind
	listKind
)

type flag uint16

const (
	readOnly flag = 1 << iota
	writeOnly
	required
	fixed
	deprecated
	notNull
	omitEmpty
	asText
	wrapped
	ownDates
	optional  // the value is inside an Opt, whose Valid lies at field.valid
	neverNull // numbers, booleans and lists that are always there
)

// field is one bound field: what the encoders look at for each of them, close
// together, and behind a pointer the rest.
type field struct {
	key, open, close string // `,"Name":`, <Name>, </Name>
	offset           uintptr
	valid            uintptr // of Opt.Valid
	child            *table  // of objects, groups and lists
	stride           uintptr // of a list's items
	kind             kind
	dates            DateForm
	decimals         uint8
	flags            flag
	*details
}

// details is what is seldom looked at.
type details struct {
	name    string
	max     int
	enum    []string
	aliases []string
	item    string // element name inside a wrapped list
	doc     string
	example string

	empty, null                  string // <Name/>, <Name i:nil="true"/>
	itemKey, itemOpen, itemClose string
	readOnlyName                 string // as Ignored tells it

	// of objects, groups and lists
	scalarName string
	scalar     int // index in child, -1 without ScalarInput
	keyName    string
	keyField   int // index in child, -1 without Key
	clear      func(pointer)
	make       func(n int) slice
	assign     func(to, from pointer)
}

// table is a finished binding.
type table struct {
	name   string
	fields []field
	names  map[string]place // exact spellings
	folded map[string]place // lower-case spellings
}

// place is where a name leads: the field's index, and whether the name is an alias.
type place struct {
	index int
	alias bool
}

// Fields records the bindings of one zero value.
type Fields struct {
	owner  string
	base   pointer
	size   uintptr
	depth  int
	fields []field
}

// Schema is the finished binding of T. It is safe for use by several goroutines.
type Schema[T any] struct {
	table *table
	exact bool
}

// maxDepth is how deep bodies and bindings may nest.
const maxDepth = 64

// Bind calls bind once on a zero value of T and keeps what it bound. Mistakes in a
// binding (an address outside T, a name bound twice) panic with the field's name:
// they are found when the program starts.
func Bind[T any](name string, bind func(*T, *Fields)) *Schema[T] {
	return &Schema[T]{table: bindTable(name, bind, 0)}
}

// Exact is the same binding for families whose names are matched letter by letter.
func (s *Schema[T]) Exact() *Schema[T] { return &Schema[T]{table: s.table, exact: true} }

// Name is what Bind was given.
func (s *Schema[T]) Name() string { return s.table.name }

func bindTable[T any](name string, bind func(*T, *Fields), depth int) *table {
	if depth > maxDepth {
		panic("wire: " + name + ": the binding contains itself")
	}
	zero := new(T)
	f := &Fields{owner: name, depth: depth}
	f.base, f.size = addressOf(zero)
	bind(zero, f)
	return f.finish()
}

func (f *Fields) finish() *table {
	t := &table{name: f.owner, fields: f.fields, names: map[string]place{}, folded: map[string]place{}}
	for i := range t.fields {
		b := &t.fields[i]
		switch b.kind {
		case boolKind, intKind, moneyKind, rateKind, decimalKind, listKind:
			if b.flags&optional == 0 {
				b.flags |= neverNull
			}
		default:
		}
		if at, bound := t.names[b.name]; bound && !at.alias {
			panic("wire: " + f.owner + ": the name " + strconv.Quote(b.name) + " is bound twice")
		}
		t.names[b.name] = place{index: i}
		if lower := strings.ToLower(b.name); !hasPlace(t.folded, lower) {
			t.folded[lower] = place{index: i}
		}
	}
	for i := range t.fields {
		for _, alias := range t.fields[i].aliases {
			if hasPlace(t.names, alias) {
				panic("wire: " + f.owner + ": the alias " + strconv.Quote(alias) + " is bound twice")
			}
			t.names[alias] = place{i, true}
			if lower := strings.ToLower(alias); !hasPlace(t.folded, lower) {
				t.folded[lower] = place{i, true}
			}
		}
	}
	return t
}

func hasPlace(m map[string]place, name string) bool { _, ok := m[name]; return ok }

// add records a field that lies at p.
func (f *Fields) add(name string, k kind, p pointer, size uintptr, doc string, opts []Option) *field {
	at, inside := distance(f.base, f.size, p, size)
	if !inside {
		panic("wire: " + f.owner + ": " + strconv.Quote(name) + " is bound to an address outside the struct")
	}
	b := field{kind: k, offset: at, details: &details{name: name, doc: doc, item: name, scalar: -1, keyField: -1}}
	for _, opt := range opts {
		opt(&b)
	}
	f.check(&b)
	b.key = string(append(AppendJSONText([]byte(","), name), ':'))
	b.open, b.close = "<"+name+">", "</"+name+">"
	b.empty, b.null = "<"+name+"/>", "<"+name+` i:nil="true"/>`
	b.itemOpen, b.itemClose = "<"+b.item+">", "</"+b.item+">"
	b.itemKey = string(append(AppendJSONText(nil, b.item), ':'))
	b.readOnlyName = name + " (read-only)"
	f.fields = append(f.fields, b)
	return &f.fields[len(f.fields)-1]
}

// check refuses options that mean nothing for the kind.
func (f *Fields) check(b *field) {
	refuse := func(why string) { panic("wire: " + f.owner + ": " + strconv.Quote(b.name) + " " + why) }
	compound := b.kind == objectKind || b.kind == groupKind || b.kind == listKind
	switch {
	case b.name == "" || strings.ContainsAny(b.name, " <>&\"'/="):
		refuse("is not a name")
	case b.item == "" || strings.ContainsAny(b.item, " <>&\"'/="):
		refuse("has items without a proper name")
	case b.flags&readOnly != 0 && b.flags&(writeOnly|required|fixed) != 0:
		refuse("is read-only and cannot be written, required or fixed")
	case len(b.enum) > 0 && b.kind != textKind && b.kind != textsKind:
		refuse("is no text and cannot have an enumeration")
	case b.flags&ownDates != 0 && b.kind != dateKind && b.kind != instantKind:
		refuse("is no date and cannot have a layout")
	case b.decimals != 0 && b.kind != moneyKind && b.kind != rateKind && b.kind != decimalKind:
		refuse("is no decimal number and cannot have decimals")
	case b.flags&wrapped != 0 && b.kind != listKind && b.kind != textsKind:
		refuse("is no list and cannot be wrapped")
	case b.scalarName != "" && !compound:
		refuse("is no object and cannot have a scalar input")
	case b.keyName != "" && b.kind != listKind:
		refuse("is no list and cannot have a key")
	}
}

func bindScalar[T any](f *Fields, name string, k kind, p *T, doc string, opts []Option) {
	at, size := pointer(nil), uintptr(0)
	if p != nil {
		at, size = addressOf(p)
	}
	f.add(name, k, at, size, doc, opts)
}

// Text binds a text; empty is none.
func (f *Fields) Text(name string, p *string, doc string, opts ...Option) {
	bindScalar(f, name, textKind, p, doc, opts)
}

// Bool binds a boolean that is always there.
func (f *Fields) Bool(name string, p *bool, doc string, opts ...Option) {
	bindScalar(f, name, boolKind, p, doc, opts)
}

// Int binds a whole number that is always there.
func (f *Fields) Int(name string, p *int64, doc string, opts ...Option) {
	bindScalar(f, name, intKind, p, doc, opts)
}

// Money binds an amount that is always there.
func (f *Fields) Money(name string, p *value.Money, doc string, opts ...Option) {
	bindScalar(f, name, moneyKind, p, doc, opts)
}

// Rate binds an exchange rate that is always there.
func (f *Fields) Rate(name string, p *value.Rate, doc string, opts ...Option) {
	bindScalar(f, name, rateKind, p, doc, opts)
}

// Decimal binds a number with up to eight decimals that is always there.
func (f *Fields) Decimal(name string, p *value.Decimal, doc string, opts ...Option) {
	bindScalar(f, name, decimalKind, p, doc, opts)
}

// Currency binds an ISO 4217 code; empty is none.
func (f *Fields) Currency(name string, p *value.Currency, doc string, opts ...Option) {
	bindScalar(f, name, currencyKind, p, doc, opts)
}

// Date binds a calendar day; zero is none.
func (f *Fields) Date(name string, p *value.Date, doc string, opts ...Option) {
	bindScalar(f, name, dateKind, p, doc, opts)
}

// Instant binds a point in time; zero is none.
func (f *Fields) Instant(name string, p *value.Instant, doc string, opts ...Option) {
	bindScalar(f, name, instantKind, p, doc, opts)
}

// Raw binds JSON that is kept and written byte for byte; empty is none. What the
// program itself puts there must be one well-formed JSON value.
func (f *Fields) Raw(name string, p *RawJSON, doc string, opts ...Option) {
	bindScalar(f, name, rawKind, p, doc, opts)
}

// Bytes binds bytes that are Base64 on the wire; empty is none.
func (f *Fields) Bytes(name string, p *[]byte, doc string, opts ...Option) {
	bindScalar(f, name, bytesKind, p, doc, opts)
}

// Texts binds a list of texts; empty is none.
func (f *Fields) Texts(name string, p *[]string, doc string, opts ...Option) {
	bindScalar(f, name, textsKind, p, doc, opts)
}

// Scalar is what Optional binds.
type Scalar interface {
	string | bool | int64 | value.Money | value.Rate | value.Decimal | value.Currency | value.Date | value.Instant
}

// Optional binds a value that may be absent where its zero is a value of its own.
func Optional[T Scalar](f *Fields, name string, p *value.Opt[T], doc string, opts ...Option) {
	var k kind
	switch any(*new(T)).(type) {
	case string:
		k = textKind
	case bool:
		k = boolKind
	case int64:
		k = intKind
	case value.Money:
		k = moneyKind
	case value.Rate:
		k = rateKind
	case value.Decimal:
		k = decimalKind
	case value.Currency:
		k = currencyKind
	case value.Date:
		k = dateKind
	case value.Instant:
		k = instantKind
	}
	bindOpt(f, name, k, p, doc, opts)
}

// bindOpt records the value inside an Opt and where its Valid lies.
func bindOpt[T any](f *Fields, name string, k kind, p *value.Opt[T], doc string, opts []Option) *field {
	if p == nil {
		return f.add(name, k, nil, 0, doc, opts)
	}
	at, size := addressOf(&p.V)
	b := f.add(name, k, at, size, doc, opts)
	at, size = addressOf(&p.Valid)
	b.valid, _ = distance(f.base, f.size, at, size)
	b.flags |= optional
	return b
}

// Object binds a struct that is always there. It is shown as null when all it
// holds is zero, unless it is NotNull.
func Object[T any](f *Fields, name string, p *T, bind func(*T, *Fields), doc string, opts ...Option) {
	at, size := pointer(nil), uintptr(0)
	if p != nil {
		at, size = addressOf(p)
	}
	setChild(f, f.add(name, objectKind, at, size, doc, opts), bindTable(typeName[T](), bind, f.depth+1))
}

// Group binds a struct that may be absent.
func Group[T any](f *Fields, name string, p *value.Opt[T], bind func(*T, *Fields), doc string, opts ...Option) {
	b := bindOpt(f, name, groupKind, p, doc, opts)
	b.clear = clearOf[T]
	setChild(f, b, bindTable(typeName[T](), bind, f.depth+1))
}

// List binds a list of structs.
func List[T any](f *Fields, name string, p *[]T, bind func(*T, *Fields), doc string, opts ...Option) {
	at, size := pointer(nil), uintptr(0)
	if p != nil {
		at, size = addressOf(p)
	}
	b := f.add(name, listKind, at, size, doc, opts)
	_, b.stride = addressOf(new(T))
	b.make, b.assign = sliceOf[T], copyOf[T]
	setChild(f, b, bindTable(typeName[T](), bind, f.depth+1))
}

// Repeat binds the elements of an array field (r.Custom[:]) as prefix1, prefix2 …,
// all with one shared binding. Each is an Object.
func Repeat[T any](f *Fields, prefix string, arr []T, bind func(*T, *Fields), doc string, opts ...Option) {
	child := bindTable(typeName[T](), bind, f.depth+1)
	for i := range arr {
		at, size := addressOf(&arr[i])
		setChild(f, f.add(prefix+strconv.Itoa(i+1), objectKind, at, size, doc, opts), child)
	}
}

func typeName[T any]() string { return reflect.TypeFor[T]().Name() }

// setChild gives a compound field the binding of its members and finds the members
// that its options name.
func setChild(f *Fields, b *field, child *table) {
	b.child = child
	find := func(name string) int {
		if name == "" {
			return -1
		}
		at, bound := child.names[name]
		if !bound {
			panic("wire: " + f.owner + ": " + strconv.Quote(b.name) + " names a member " + strconv.Quote(name) + " that it does not have")
		}
		return at.index
	}
	b.scalar, b.keyField = find(b.scalarName), find(b.keyName)
	if b.scalar >= 0 && child.fields[b.scalar].kind >= textsKind {
		panic("wire: " + f.owner + ": the scalar of " + strconv.Quote(b.name) + " must be a single value")
	}
	for i := range child.fields {
		if b.scalar >= 0 && child.fields[i].flags&fixed != 0 {
			panic("wire: " + f.owner + ": " + strconv.Quote(b.name) + " is replaced whole, so only the whole can be fixed")
		}
	}
	if b.keyField >= 0 {
		if k := child.fields[b.keyField].kind; k != textKind && k != intKind {
			panic("wire: " + f.owner + ": the key of " + strconv.Quote(b.name) + " must be a text or a whole number")
		}
	}
}

// find looks a name up: letter by letter, then, unless exact, without letter case.
// second says that the name is an alias or differs in case.
func (t *table) find(name string, exact bool) (index int, second bool) {
	if at, ok := t.names[name]; ok {
		return at.index, at.alias
	}
	if exact || len(name) > 128 {
		return -1, false
	}
	var buf [128]byte
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	if at, ok := t.folded[string(buf[:len(name)])]; ok {
		return at.index, true
	}
	return -1, false
}
