package wire

import (
	"unsafe"

	"quittance/internal/kernel/value"
)

// This is the only file of the product that uses unsafe. A binding keeps where a
// field lies inside its struct; these helpers turn the address of a struct and
// such an offset into a typed pointer again. That is sound because Bind has
// checked that every offset lies inside the struct and was taken from a pointer
// of just that type.

// pointer is the address of a struct or of a field of it.
type pointer = unsafe.Pointer

// addressOf is where p points and how many bytes lie there.
func addressOf[T any](p *T) (pointer, uintptr) {
	return pointer(p), unsafe.Sizeof(*p)
}

// distance is how far inside the block at base p lies, and whether all of its
// size bytes do.
func distance(base pointer, length uintptr, p pointer, size uintptr) (uintptr, bool) {
	from, at := uintptr(base), uintptr(p)
	if p == nil || at < from || size > length || at-from > length-size {
		return 0, false
	}
	return at - from, true
}

func offset(p pointer, by uintptr) pointer { return unsafe.Add(p, by) }

func item(data pointer, i int, stride uintptr) pointer {
	return unsafe.Add(data, uintptr(i)*stride)
}

func elements[T any](arr []T) pointer { return pointer(unsafe.SliceData(arr)) }

// slice is a []T of any T, as the runtime lays it out.
type slice struct {
	data     pointer
	len, cap int
}

func sliceAt(p pointer) *slice { return (*slice)(p) }

// sliceOf makes n zero values.
func sliceOf[T any](n int) slice {
	s := make([]T, n)
	return slice{elements(s), n, n}
}

func clearOf[T any](p pointer) {
	var zero T
	*(*T)(p) = zero
}

func copyOf[T any](to, from pointer) { *(*T)(to) = *(*T)(from) }

func textAt(p pointer) *string             { return (*string)(p) }
func boolAt(p pointer) *bool               { return (*bool)(p) }
func intAt(p pointer) *int64               { return (*int64)(p) }
func moneyAt(p pointer) *value.Money       { return (*value.Money)(p) }
func rateAt(p pointer) *value.Rate         { return (*value.Rate)(p) }
func decimalAt(p pointer) *value.Decimal   { return (*value.Decimal)(p) }
func currencyAt(p pointer) *value.Currency { return (*value.Currency)(p) }
func dateAt(p pointer) *value.Date         { return (*value.Date)(p) }
func instantAt(p pointer) *value.Instant   { return (*value.Instant)(p) }
func rawAt(p pointer) *RawJSON             { return (*RawJSON)(p) }
func bytesAt(p pointer) *[]byte            { return (*[]byte)(p) }
func textsAt(p pointer) *[]string          { return (*[]string)(p) }
