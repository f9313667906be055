package value

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Money is an amount in 1/10,000 of a currency's unit. Its range is that of the
// services: ±922,337,203,685,477.5807. The currency stands beside it, never in it.
type Money int64

// Rate is an exchange rate in units of 10⁻¹².
type Rate int64

// Decimal is a number with eight decimals: percentages and unit prices.
type Decimal int64

const (
	// MoneyUnit is one whole unit of a currency.
	MoneyUnit Money = 10_000
	// RateOne is the rate between equal currencies.
	RateOne Rate = 1_000_000_000_000
	// DecimalOne is the number 1.
	DecimalOne Decimal = 100_000_000
)

// The ways in which a number can fail to be read.
var (
	ErrNumberSyntax = errors.New("not a decimal number")
	ErrNumberRange  = errors.New("number out of range")
)

// ParseMoney reads a decimal number: sign, digits, point, exponent; blanks around
// it are cut. More than four decimals are rounded half away from zero.
func ParseMoney(s string) (Money, error) { n, err := parseScaled(s, 4); return Money(n), err }

// ParseRate reads a decimal number with up to twelve decimals.
func ParseRate(s string) (Rate, error) { n, err := parseScaled(s, 12); return Rate(n), err }

// ParseDecimal reads a decimal number with up to eight decimals.
func ParseDecimal(s string) (Decimal, error) { n, err := parseScaled(s, 8); return Decimal(n), err }

// parseScaled reads s as a number times 10^scale, rounded half away from zero.
func parseScaled(s string, scale int) (int64, error) {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n' || s[0] == '\r') {
		s = s[1:]
	}
	for n := len(s); n > 0 && (s[n-1] == ' ' || s[n-1] == '\t' || s[n-1] == '\n' || s[n-1] == '\r'); n = len(s) {
		s = s[:n-1]
	}
	if len(s) > 64 {
		return 0, ErrNumberRange
	}
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	mantissa, digits, point, i := uint64(0), 0, -1, 0
	overflow := false
	dropped := 0
scan:
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
			if mantissa > (math.MaxUint64-9)/10 {
				if point < 0 {
					overflow = true
				} else {
					dropped++
				}
				continue
			}
			mantissa = mantissa*10 + uint64(c-'0')
		case c == '.' && point < 0:
			point = digits
		default:
			break scan
		}
	}
	if digits == 0 {
		return 0, ErrNumberSyntax
	}
	exponent := 0
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return 0, ErrNumberSyntax
		}
		e, err := strconv.Atoi(s[i+1:])
		if err != nil {
			if errors.Is(err, strconv.ErrRange) {
				return 0, ErrNumberRange
			}
			return 0, ErrNumberSyntax
		}
		exponent = e
	}
	if overflow {
		return 0, ErrNumberRange
	}
	if mantissa == 0 {
		return 0, nil
	}
	decimals := 0
	if point >= 0 {
		decimals = digits - point - dropped
	}
	shift := scale - decimals + exponent
	for ; shift > 0; shift-- {
		if mantissa > math.MaxInt64/10 {
			return 0, ErrNumberRange
		}
		mantissa *= 10
	}
	if shift < 0 {
		if shift < -20 {
			return 0, nil
		}
		for ; shift < -1; shift++ {
			mantissa /= 10
		}
		last := mantissa % 10
		mantissa /= 10
		if last >= 5 {
			mantissa++
		}
	}
	if mantissa > math.MaxInt64 {
		return 0, ErrNumberRange
	}
	if neg {
		return -int64(mantissa), nil
	}
	return int64(mantissa), nil
}

// powers are 10⁰ to 10¹².
var powers = [...]uint64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000, 1_000_000_000_000}

// appendScaled writes n/10^scale with at least min decimals and no further zeros.
func appendScaled(dst []byte, n int64, scale, min int) []byte {
	u := uint64(n)
	if n < 0 {
		dst, u = append(dst, '-'), -u
	}
	whole, fraction := u/powers[scale], u%powers[scale]
	dst = strconv.AppendUint(dst, whole, 10)
	if fraction == 0 && min == 0 {
		return dst
	}
	decimals := scale
	for decimals > min && fraction%10 == 0 {
		fraction /= 10
		decimals--
	}
	dst = append(dst, '.')
	for d := decimals - 1; d > 0 && fraction < powers[d]; d-- {
		dst = append(dst, '0')
	}
	if decimals > 0 {
		dst = strconv.AppendUint(dst, fraction, 10)
	}
	for ; decimals < min; decimals++ {
		dst = append(dst, '0')
	}
	return dst
}

// Append writes the shortest plain form: 2500, 307.01, -0.5.
func (m Money) Append(dst []byte) []byte { return appendScaled(dst, int64(m), 4, 0) }

// AppendFixed writes at least this many decimals, padded with zeros.
func (m Money) AppendFixed(dst []byte, decimals int) []byte {
	return appendScaled(dst, int64(m), 4, decimals)
}

// String is the shortest plain form.
func (m Money) String() string { return string(m.Append(nil)) }

// Append writes the shortest plain form.
func (r Rate) Append(dst []byte) []byte { return appendScaled(dst, int64(r), 12, 0) }

// AppendFixed writes at least this many decimals.
func (r Rate) AppendFixed(dst []byte, decimals int) []byte {
	return appendScaled(dst, int64(r), 12, decimals)
}

// String is the shortest plain form.
func (r Rate) String() string { return string(r.Append(nil)) }

// Append writes the shortest plain form.
func (d Decimal) Append(dst []byte) []byte { return appendScaled(dst, int64(d), 8, 0) }

// AppendFixed writes at least this many decimals.
func (d Decimal) AppendFixed(dst []byte, decimals int) []byte {
	return appendScaled(dst, int64(d), 8, decimals)
}

// String is the shortest plain form.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Round rounds half away from zero to this many decimals (0 to 4).
func (m Money) Round(decimals int) Money {
	unit := Money(1)
	for d := decimals; d < 4; d++ {
		unit *= 10
	}
	rest := m % unit
	m -= rest
	switch {
	case rest >= (unit+1)/2 && rest > 0:
		return m + unit
	case -rest >= (unit+1)/2 && rest < 0:
		return m - unit
	}
	return m
}

// Convert multiplies by a rate with a 128-bit product and rounds half away from
// zero to the target currency's decimals.
func (m Money) Convert(r Rate, decimals int) (Money, error) {
	n, err := mulDiv(int64(m), int64(r), int64(RateOne), decimals)
	return Money(n), err
}

// Times multiplies by a number, for quantities, distances and percentages.
func (m Money) Times(d Decimal, decimals int) (Money, error) {
	n, err := mulDiv(int64(m), int64(d), int64(DecimalOne), decimals)
	return Money(n), err
}

// mulDiv is a×b/c, rounded once, half away from zero, to a multiple of 10^(4−decimals).
func mulDiv(a, b, c int64, decimals int) (int64, error) {
	neg := (a < 0) != (b < 0)
	ua, ub := absolute(a), absolute(b)
	unit := uint64(1)
	for d := decimals; d < 4; d++ {
		unit *= 10
	}
	hi, lo := bits.Mul64(ua, ub)
	div := uint64(c) * unit // at most 10¹⁶: no overflow
	if hi >= div {
		return 0, ErrNumberRange
	}
	q, rem := bits.Div64(hi, lo, div)
	if rem >= div-rem {
		q++
	}
	hi, lo = bits.Mul64(q, unit)
	if hi != 0 || lo > math.MaxInt64 {
		return 0, ErrNumberRange
	}
	if neg {
		return -int64(lo), nil
	}
	return int64(lo), nil
}

func absolute(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Per is the rate that turns an amount in one currency into another: to/from.
// It fails when from is zero or the rate does not fit.
func Per(to, from Rate) (Rate, error) {
	if from == 0 {
		return 0, ErrNumberRange
	}
	n := new(big.Int).Mul(big.NewInt(int64(to)), big.NewInt(int64(RateOne)))
	half := new(big.Int).Quo(big.NewInt(int64(from)), big.NewInt(2))
	n.Add(n, half).Quo(n, big.NewInt(int64(from)))
	if !n.IsInt64() {
		return 0, ErrNumberRange
	}
	return Rate(n.Int64()), nil
}

// AddMoney is a+b, or an error when the sum is out of range.
func AddMoney(a, b Money) (Money, error) {
	s := a + b
	if (a > 0 && b > 0 && s <= 0) || (a < 0 && b < 0 && s >= 0) {
		return 0, ErrNumberRange
	}
	return s, nil
}
