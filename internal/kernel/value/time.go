package value

import (
	"errors"
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

var timeLayouts = [...]string{
	"2006-01-02",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04",
	"2006-01-02T15:04Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02Z07:00",
}

func parseTime(s string) (time.Time, error) {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for n := len(s); n > 0 && s[n-1] == ' '; n = len(s) {
		s = s[:n-1]
	}
	if len(s) < 10 || len(s) > 40 {
		return time.Time{}, ErrTimeSyntax
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if t.Year() < 1 {
				return time.Time{}, ErrTimeSyntax
			}
			return t, nil
		}
	}
	return time.Time{}, ErrTimeSyntax
}

// Clock tells the time. Nothing in the product asks the machine's clock directly.
type Clock func() Instant

// SystemClock is the machine's clock.
func SystemClock() Instant { return InstantOf(time.Now()) }
