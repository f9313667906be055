package wire

import (
	"strconv"
	"time"

	"quittance/internal/kernel/value"
)

// Nulls says how a value that is not there is written.
type Nulls uint8

const (
	NullWrite Nulls = iota // JSON null, XML <Name i:nil="true"/>
	NullOmit               // left out
)

// NilNamespace declares the prefix of i:nil. It belongs on the root of every XML
// document that is written with NullWrite.
const NilNamespace = ` xmlns:i="http://www.w3.org/2001/XMLSchema-instance"`

// Style is how a family writes its values. A style is never changed once it is used.
type Style struct {
	XML          bool     // says which format the style is meant for; the encoders do not look at it
	Nulls        Nulls    // how absent values are written
	XMLDecimals  int      // the least number of decimals of Money, Rate and Decimal in XML; 0 is the shortest form
	Dates        DateForm // unless a field has a Layout of its own
	ItemWrappers bool     // XML lists as <Items><Report>…</Report></Items>, not as repeated <Items>

	compare bool // what a caller may set, for comparing two values: with write-only, without read-only fields
}

// DateForm is how dates and instants are written (conventions.md §7). Instants are UTC.
type DateForm uint8

const (
	V3DateTime   DateForm = iota // 2024-03-11T07:56:32.12 without zone, fraction in milliseconds without trailing zeros; a date is …T00:00:00
	ISODate                      // a date is 2024-03-11, an instant 2024-03-11T07:56:32.120Z
	MillisZ                      // 2024-03-11T07:56:32.120Z; a date is …T00:00:00.000Z
	EpochMillis                  // milliseconds since 1970, a number
	Seconds                      // 2024-03-11T07:56:32
	DayOnly                      // 2024-03-11, for instants too
	BlankSeconds                 // 2024-03-11 07:56:32
	BlankTenths                  // 2024-03-11 07:56:32.0
	BlankMillis                  // 2024-03-11 07:56:32.120
	HTTPDate                     // Mon, 11 Mar 2024 07:56:32 GMT
	ReceiptISO                   // 2024-03-11T07:56:32.120Z, an alias of MillisZ for e-receipts
	ReceiptLong                  // Mon Mar 11 2024 07:56:32 GMT+00:00
	USTime                       // 3/11/2024 7:56:32 AM
	Micros                       // a date is 2024-03-11, an instant 2024-03-11T07:56:32.120000Z: loses nothing, for stored documents
)

// appendDate writes a calendar day, which is not none.
func appendDate(dst []byte, d value.Date, form DateForm) []byte {
	switch form {
	case ISODate, DayOnly, Micros, V3DateTime, Seconds, MillisZ, ReceiptISO:
	default:
		return appendInstant(dst, value.InstantOf(d.Time()), form)
	}
	n := uint32(d)
	dst = appendDay(dst, n/10000, n/100%100, n%100)
	switch form {
	case V3DateTime, Seconds:
		return append(dst, "T00:00:00"...)
	case MillisZ, ReceiptISO:
		return append(dst, "T00:00:00.000Z"...)
	default:
		return dst
	}
}

// appendInstant writes an instant, which is not none.
func appendInstant(dst []byte, i value.Instant, form DateForm) []byte {
	switch form {
	case EpochMillis:
		return strconv.AppendInt(dst, time.UnixMicro(int64(i)).UnixMilli(), 10)
	case HTTPDate:
		return time.UnixMicro(int64(i)).UTC().AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 GMT")
	case ReceiptLong:
		return time.UnixMicro(int64(i)).UTC().AppendFormat(dst, "Mon Jan 02 2006 15:04:05 GMT+00:00")
	case USTime:
		return time.UnixMicro(int64(i)).UTC().AppendFormat(dst, "1/2/2006 3:04:05 PM")
	default:
	}
	const day = 24 * 60 * 60 * 1_000_000
	days, rest := int64(i)/day, int64(i)%day
	if rest < 0 {
		days, rest = days-1, rest+day
	}
	year, month, dayOfMonth := civil(days)
	dst = appendDay(dst, year, month, dayOfMonth)
	if form == DayOnly {
		return dst
	}
	seconds, micros := uint32(rest/1_000_000), uint32(rest%1_000_000)
	dst = append(dst, "T00:00:00"...)
	b := dst[len(dst)-9:]
	if form == BlankSeconds || form == BlankTenths || form == BlankMillis {
		b[0] = ' '
	}
	putTwo(b[1:], seconds/3600)
	putTwo(b[4:], seconds/60%60)
	putTwo(b[7:], seconds%60)
	switch form {
	case V3DateTime:
		if micros >= 1000 {
			dst = appendMillis(dst, micros)
			for dst[len(dst)-1] == '0' {
				dst = dst[:len(dst)-1]
			}
		}
	case BlankTenths:
		dst = append(dst, '.', byte('0'+micros/100_000))
	case BlankMillis:
		dst = appendMillis(dst, micros)
	case ISODate, MillisZ, ReceiptISO:
		dst = append(appendMillis(dst, micros), 'Z')
	case Micros:
		dst = appendMillis(dst, micros)
		dst = append(dst, byte('0'+micros/100%10), byte('0'+micros/10%10), byte('0'+micros%10), 'Z')
	default:
	}
	return dst
}

// civil is the date of a number of days since 1970, by counting in years that
// begin in March, so that the leap day is a year's last. It counts from long before
// any instant, in 32 bits without a sign, where divisions are cheap.
func civil(days int64) (year, month, day uint32) {
	const (
		eras = 1000    // of 400 years
		era  = 146_097 // days
	)
	n := uint32(days + 719_468 + eras*era) // days since 1 March of the year 0, and more
	inEra := n % era
	yearOfEra := (inEra - inEra/1460 + inEra/36_524 - inEra/146_096) / 365
	dayOfYear := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	march := (5*dayOfYear + 2) / 153 // months since March
	year, month, day = yearOfEra+(n/era-eras)*400, march+3, dayOfYear-(153*march+2)/5+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

func appendDay(dst []byte, year, month, day uint32) []byte {
	dst = append(dst, "0000-00-00"...)
	b := dst[len(dst)-10:]
	putTwo(b, year/100%100)
	putTwo(b[2:], year%100)
	putTwo(b[5:], month)
	putTwo(b[8:], day)
	return dst
}

func putTwo(b []byte, n uint32) { b[0], b[1] = byte('0'+n/10), byte('0'+n%10) }

func appendMillis(dst []byte, micros uint32) []byte {
	millis := micros / 1000
	return append(dst, '.', byte('0'+millis/100), byte('0'+millis/10%10), byte('0'+millis%10))
}
