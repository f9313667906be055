package value

import (
	"errors"
	"strings"
	"time"
)

// Instant is a point in time in microseconds since 1970 UTC; zero means none.
type Instant int64

// Date is a calendar day written as the number yyyymmdd; zero means none. The
// number sorts as the days do and reads in a database without a manual.
type Date int32

// ErrTimeSyntax is the failure to read a date or a time.
var ErrTimeSyntax = errors.New("not a date or time")

// InstantOf turns a time into an Instant, cut to microseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time is the instant in UTC; the zero time for none.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

// Add moves an instant.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Microseconds()) }

// Date is the day of the instant in UTC.
func (i Instant) Date() Date { return DateOf(i.Time()) }

// DateOf is the calendar day of t in t's own zone.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// Time is midnight UTC of the day; the zero time for none.
func (d Date) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 0, 0, 0, 0, time.UTC)
}

// Append writes yyyy-mm-dd; nothing for none.
func (d Date) Append(dst []byte) []byte {
	if d == 0 {
		return dst
	}
	y, m, day := int(d)/10000, int(d)/100%100, int(d)%100
	return append(dst,
		byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// String is yyyy-mm-dd; empty for none.
func (d Date) String() string { return string(d.Append(nil)) }

// ParseDate reads a calendar day: yyyy-mm-dd, with or without a time, a fraction
// and a zone behind it, which must be well formed and are then left out: the day
// that was written counts (decisions.md 10).
func ParseDate(s string) (Date, error) {
	t, err := parseTime(s)
	if err != nil {
		return 0, err
	}
	return DateOf(t), nil
}

// ParseInstant reads a date or a time; without a zone it is UTC.
func ParseInstant(s string) (Instant, error) {
	t, err := parseTime(s)
	if err != nil {
		return 0, err
	}
	return InstantOf(t), nil
}

// parseTime reads yyyy-mm-dd, then T or a blank and hh:mm[:ss[.fraction]], then Z or
// ±hh:mm or ±hhmm; a zone may stand behind a date alone. Without a zone it is UTC.
func parseTime(s string) (time.Time, error) {
	s = strings.Trim(s, " ")
	if len(s) < 10 || len(s) > 40 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, ErrTimeSyntax
	}
	ok := true
	number := func(from, to int) int {
		n := 0
		for i := from; i < to; i++ {
			if i >= len(s) || s[i] < '0' || s[i] > '9' {
				ok = false
				return 0
			}
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	var hour, minute, second, nanos int
	at := 10
	if at < len(s) && (s[at] == 'T' || s[at] == ' ' || s[at] == 't') {
		if len(s) < 16 || s[13] != ':' {
			return time.Time{}, ErrTimeSyntax
		}
		hour, minute, at = number(11, 13), number(14, 16), 16
		if at < len(s) && s[at] == ':' {
			second, at = number(17, 19), 19
			if at < len(s) && (s[at] == '.' || s[at] == ',') {
				at++
				first := at
				for unit := 100_000_000; at < len(s) && s[at] >= '0' && s[at] <= '9'; at++ {
					nanos += int(s[at]-'0') * unit
					unit /= 10
				}
				ok = ok && at > first
			}
		}
	}
	zone := time.UTC
	if at < len(s) {
		switch sign := s[at]; {
		case (sign == 'Z' || sign == 'z') && at+1 == len(s):
		case sign == '+' || sign == '-':
			h, m := number(at+1, at+3), 0
			rest := s[min(at+3, len(s)):]
			switch {
			case len(rest) == 3 && rest[0] == ':':
				m = number(at+4, at+6)
			case len(rest) == 2:
				m = number(at+3, at+5)
			default:
				ok = false
			}
			ok = ok && h <= 23 && m <= 59
			if offset := (h*60 + m) * 60; sign == '-' {
				zone = time.FixedZone("", -offset)
			} else if offset > 0 {
				zone = time.FixedZone("", offset)
			}
		default:
			ok = false
		}
	}
	if !ok || year < 1 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrTimeSyntax
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, zone)
	if t.Day() != day {
		return time.Time{}, ErrTimeSyntax // the month has no such day
	}
	return t, nil
}

// Clock tells the time. Nothing in the product asks the machine's clock directly.
type Clock func() Instant

// SystemClock is the machine's clock.
func SystemClock() Instant { return InstantOf(time.Now()) }
