package wire

// Option says something more about a field than its name and type.
type Option func(*field)

// ReadOnly fields are written and, in a body, skipped: a whole object may be sent back.
func ReadOnly(f *field) { f.flags |= readOnly }

// WriteOnly fields are read and never written.
func WriteOnly(f *field) { f.flags |= writeOnly }

// RequiredOnCreate fields must be given when something new is made, and cannot be
// cleared later. In a query binding it makes the parameter required.
func RequiredOnCreate(f *field) { f.flags |= required }

// FixedAfterCreate fields may be given on create only. A value equal to what stands
// is as if absent, a different one is a problem.
func FixedAfterCreate(f *field) { f.flags |= fixed }

// Deprecated marks the field in the description.
func Deprecated(f *field) { f.flags |= deprecated }

// NotNull fields are never null: empty text and dates are "", an absent number is 0,
// an absent object is written with its empty members, an empty list is [].
// Where a style leaves empty XML elements out, it leaves these out too.
func NotNull(f *field) { f.flags |= notNull }

// OmitEmpty fields are left out when they are zero, whatever the style.
func OmitEmpty(f *field) { f.flags |= omitEmpty }

// AsText writes a number or a boolean as a JSON string.
func AsText(f *field) { f.flags |= asText }

// Wrapped writes a list inside an object under its item name, in both formats and
// whatever the style: {"LineItems":{"LineItem":[…]}}.
func Wrapped(f *field) { f.flags |= wrapped }

// Max limits a text to n characters, each of a list of texts to n characters, a
// list of objects to n items, and bytes to n bytes. Lists of objects without Max
// take up to 1,000 items.
func Max(n int) Option { return func(f *field) { f.max = n } }

// Enum lists the values that a text may have. Letter case does not count on input;
// what is kept is spelled as here.
func Enum(values ...string) Option { return func(f *field) { f.enum = values } }

// Alias names one more spelling that is read as this field.
func Alias(name string) Option { return func(f *field) { f.aliases = append(f.aliases, name) } }

// Decimals pads a number to at least n decimals.
func Decimals(n uint8) Option { return func(f *field) { f.decimals = n } }

// Item names the elements inside a wrapped list; without it they have the list's name.
func Item(name string) Option { return func(f *field) { f.item = name } }

// Key names the member of a list's items by which an update recognises an item that
// stands: such an item is overlaid, others are new, and those not given are gone.
func Key(name string) Option { return func(f *field) { f.keyName = name } }

// ScalarInput lets a plain text or number stand for the object: it is read into this
// member. The object is then one value: a body that gives it replaces it whole, but
// for its read-only members (decisions.md 13).
func ScalarInput(name string) Option { return func(f *field) { f.scalarName = name } }

// Example is shown in the description.
func Example(text string) Option { return func(f *field) { f.example = text } }

// Layout writes this date in its own form, whatever the style.
func Layout(form DateForm) Option {
	return func(f *field) { f.dates, f.flags = form, f.flags|ownDates }
}
