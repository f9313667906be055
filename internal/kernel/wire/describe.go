package wire

// Description says what a field is, for the OpenAPI document.
type Description struct {
	Name    string
	Type    string // string, number, integer, boolean, object, array; "" for any
	Format  string // date, date-time, byte, int64, decimal; mostly empty
	Doc     string
	Example string

	ReadOnly   bool
	WriteOnly  bool
	Required   bool // on create
	Fixed      bool // after create
	Deprecated bool
	Nullable   bool // may be null where a style writes nulls

	Max  int      // characters of a text or of each text of a list, items of a list of objects, bytes; 0 is no limit of its own
	Enum []string // of a text, or of each text of a list

	TypeName string // the Go name of the struct of an object or of an array's items
	ItemType string // of an array: object or string
	Item     string // of an array: the name of its elements inside an XML wrapper
	Wrapped  bool   // of an array: always inside an object under Item
	Scalar   string // of an object: the member that a plain value is read into
	Aliases  []string
	Children []Description // members of an object or of an array's items
}

// Describe lists the fields in their order, repeated ones expanded.
func (s *Schema[T]) Describe() []Description {
	return s.table.describe(map[*table][]Description{})
}

// describe shares the members of bindings that are used several times.
func (t *table) describe(known map[*table][]Description) []Description {
	if list, ok := known[t]; ok {
		return list
	}
	list := make([]Description, len(t.fields))
	for i := range t.fields {
		list[i] = t.fields[i].describe(known)
	}
	known[t] = list
	return list
}

func (f *field) describe(known map[*table][]Description) Description {
	d := Description{
		Name: f.name, Doc: f.doc, Example: f.example, Max: f.max, Enum: f.enum, Aliases: f.aliases, Scalar: f.scalarName,
		ReadOnly: f.flags&readOnly != 0, WriteOnly: f.flags&writeOnly != 0, Required: f.flags&required != 0,
		Fixed: f.flags&fixed != 0, Deprecated: f.flags&deprecated != 0,
	}
	d.Type, d.Format = f.describedType()
	switch f.kind {
	case boolKind, intKind, moneyKind, rateKind, decimalKind:
		d.Nullable = f.flags&optional != 0
	case listKind:
		d.ItemType, d.Item, d.Wrapped = "object", f.item, f.flags&wrapped != 0
	case textsKind:
		d.ItemType, d.Item, d.Wrapped, d.Nullable = "string", f.item, f.flags&wrapped != 0, true
	default:
		d.Nullable = true
	}
	if f.flags&(notNull|omitEmpty) != 0 {
		d.Nullable = false
	}
	if f.child != nil {
		d.TypeName, d.Children = f.child.name, f.child.describe(known)
	}
	return d
}

func (f *field) describedType() (name, format string) {
	switch f.kind {
	case boolKind:
		name = "boolean"
	case intKind:
		name, format = "integer", "int64"
	case moneyKind, rateKind, decimalKind:
		name, format = "number", "decimal"
	case dateKind, instantKind:
		switch {
		case f.flags&ownDates != 0 && f.dates == EpochMillis:
			return "integer", "int64"
		case f.flags&ownDates != 0 && f.dates == DayOnly, f.kind == dateKind:
			return "string", "date"
		case f.flags&ownDates != 0 && f.dates >= BlankSeconds && f.dates != ReceiptISO && f.dates != Micros:
			return "string", "" // not the date-time of RFC 3339
		}
		return "string", "date-time"
	case bytesKind:
		return "string", "byte"
	case rawKind:
		return "", ""
	case objectKind, groupKind:
		return "object", ""
	case listKind, textsKind:
		return "array", ""
	default:
		return "string", ""
	}
	if f.flags&asText != 0 {
		return "string", format
	}
	return name, format
}
