// Package value holds the small types that every layer shares: money that is never
// a float, dates and instants, optional values, ISO 4217 currencies and the shapes
// of public ids. It imports nothing of the product.
package value

// Opt is a value that may be absent where its zero is a value of its own
// (an amount of 0, a false). The zero Opt is absent.
type Opt[T any] struct {
	V     T
	Valid bool
}

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, Valid: true} }

// Or is the value, or what stands in for an absent one.
func (o Opt[T]) Or(alternative T) T {
	if o.Valid {
		return o.V
	}
	return alternative
}
