package drawing

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/kernel/value"
)

// locale is how the seller's country writes dates, amounts and addresses, and the
// paper that it uses.
type locale struct {
	paper    page.Size
	language string // for letters that differ by country; see text.Shaper.SetLanguage
	date     dateForm
	twelve   bool // the clock has twelve hours
	decimal  string
	group    string
	lakh     bool // groups of two above the thousands
	address  addressForm
}

type dateForm uint8

const (
	dayMonthName   dateForm = iota // 11 Mar 2024
	monthNameDay                   // Mar 11, 2024
	dayMonthDots                   // 11.03.2024
	dayMonthStroke                 // 11/03/2024
	dayMonthDash                   // 11-03-2024
	yearFirstDash                  // 2024-03-11
	yearFirstDots                  // 2024. 3. 11.
	yearFirstSlash                 // 2024/03/11
	yearFirstHan                   // 2024年3月11日
)

type addressForm uint8

const (
	codeCity       addressForm = iota // 10435 Berlin
	cityCode                          // York YO1 1AA
	cityRegionCode                    // Portland, OR 97218
)

//go:embed countries.txt
var countryLines string

// countries are ISO 3166-1: the name of each by its code of two letters, and that code
// by the one of three. The names are those of Unicode CLDR.
var countryNames, countryCodes = func() (names, codes map[string]string) {
	names, codes = map[string]string{}, map[string]string{}
	for line := range strings.Lines(countryLines) {
		names[line[:2]] = strings.TrimSpace(line[7:])
		codes[line[3:6]] = line[:2]
	}
	return names, codes
}()

// country brings a code of two or three letters to the one of two.
func country(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if two, ok := countryCodes[code]; ok {
		return two
	}
	return code
}

// countryName is the name of a country, or its code when it is not known.
func countryName(code string) string {
	if name, ok := countryNames[country(code)]; ok {
		return name
	}
	return code
}

// in reports whether a list of codes holds one.
func in(list, code string) bool { return len(code) == 2 && strings.Contains(list, code) }

const nbsp = "\u00a0"

func localeOf(code string) locale {
	l := locale{paper: page.A4, decimal: ".", group: ","}
	if in("US CA MX PH CL CO CR GT PA SV VE NI HN DO PR BO BZ GU VI AS MP", code) {
		l.paper = page.Letter
	}
	switch {
	case code == "JP":
		l.language, l.date = "ja", yearFirstSlash
	case code == "KR":
		l.language, l.date = "ko", yearFirstDots
	case in("CN SG", code):
		l.language, l.date = "zh-Hans", yearFirstHan
	case in("TW HK MO", code):
		l.language, l.date = "zh-Hant", yearFirstHan
	case in("IR AF", code):
		l.language = "fa"
	case code == "PK":
		l.language = "ur"
	}
	switch {
	case in("SG HK", code):
		l.date = dayMonthName
	case in("US CA PH PR GU VI AS MP", code):
		l.date = monthNameDay
	case in("DE AT CH LI CZ SK PL FI NO DK EE LV RU UA BY TR RO BG HR SI RS BA ME MK IS AM AZ GE KZ LU IL", code):
		l.date = dayMonthDots
	case in("FR ES IT PT BE GR CY MT BR AR CL CO PE EC UY PY BO VE MX CR GT PA DO SV HN NI CU VN ID MA DZ TN EG SA AE QA KW BH OM JO LB IQ LY YE SY SD MC SM VA", code):
		l.date = dayMonthStroke
	case code == "NL":
		l.date = dayMonthDash
	case in("SE LT HU", code):
		l.date = yearFirstDash
	}
	l.twelve = in("US CA AU NZ IN PH PK BD PR GU VI AS MP", code)
	switch {
	case in("DE AT NL BE ES IT BR AR CL CO UY PY EC VE BO ID TR GR DK IS HR SI RS BA ME MK RO VN AL XK LU SM VA", code):
		l.decimal, l.group = ",", "."
	case in("FR PL CZ SK HU SE NO FI EE LV LT RU UA BY BG KZ PT MC DZ MA TN", code):
		l.decimal, l.group = ",", nbsp
	case in("CH LI", code):
		l.group = "’"
	case in("IN BD NP", code):
		l.lakh = true
	}
	switch {
	case in("US CA AU BR MX PR GU VI AS MP", code):
		l.address = cityRegionCode
	case in("GB IE NZ IN ZA HK GG JE IM PK BD LK KE NG GH SG ID IL AE", code):
		l.address = cityCode
	}
	return l
}

// amount writes a decimal number of the client with the country's signs and at least
// this many decimals. Digits are never rounded away; what is no number stays as it is.
func (l *locale) amount(s string, decimals int) string {
	s = strings.TrimSpace(s)
	sign, digits := "", s
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return s
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	for len(fraction) > decimals && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	for len(fraction) < decimals {
		fraction += "0"
	}
	if whole == "0" && strings.Trim(fraction, "0") == "" {
		sign = ""
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(whole) {
		b.WriteByte(whole[i])
		if rest := len(whole) - 1 - i; rest == 3 || rest > 3 && (l.lakh && rest%2 == 1 || !l.lakh && rest%3 == 0) {
			b.WriteString(l.group)
		}
	}
	if fraction != "" {
		b.WriteString(l.decimal + fraction)
	}
	return b.String()
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (l *locale) money(m value.Money, decimals int) string { return l.amount(m.String(), decimals) }

// percent writes a rate with a sign behind it.
func (l *locale) percent(s string) string {
	m, err := value.ParseMoney(s)
	if s == "" || err != nil {
		return s
	}
	sign := "%"
	if l.decimal == "," {
		sign = nbsp + "%"
	}
	return l.money(m, 0) + sign
}

// length writes a distance, which may come with the noise of binary fractions.
func (l *locale) length(s string, decimals int) string {
	m, err := value.ParseMoney(s)
	if s == "" || err != nil {
		return s
	}
	return l.money(m.Round(2), decimals)
}

// moment is a date and time as the client wrote it, with the offset of its own zone.
type moment struct {
	time   time.Time // the local date and time
	clock  bool      // the time of day is known
	offset string    // UTC+2
	raw    string    // what was written, when it cannot be read
}

// readMoment reads the forms of receipts.md §6: a date, the hour at least, an offset.
func readMoment(s string) moment {
	s = strings.TrimSpace(s)
	m := moment{raw: s}
	if len(s) < 10 {
		return m
	}
	t, err := time.Parse("2006-01-02", s[:10])
	if err != nil || t.Year() == 0 {
		return m
	}
	rest := s[10:]
	if rest == "" {
		m.time = t
		return m
	}
	if rest[0] != 'T' && rest[0] != ' ' {
		return m
	}
	rest = rest[1:]
	zone := strings.IndexAny(rest, "+-Z")
	if zone >= 0 {
		z := strings.ReplaceAll(rest[zone:], ":", "")
		rest = rest[:zone]
		switch {
		case z == "Z" || z == "+0000" || z == "-0000" || z == "+00" || z == "-00":
			m.offset = "UTC"
		case (len(z) == 3 || len(z) == 5) && allDigits(z[1:]):
			m.offset = "UTC" + z[:1] + strings.TrimPrefix(z[1:3], "0")
			if z[2:3] == "0" && z[1:2] == "0" {
				m.offset = "UTC" + z[:1] + "0"
			}
			if len(z) == 5 && z[3:] != "00" {
				m.offset += ":" + z[3:]
			}
		default:
			return m
		}
	}
	rest, _, _ = strings.Cut(rest, ".")
	for _, layout := range [...]string{"15:04:05", "15:04", "15"} {
		if clock, err := time.Parse(layout, rest); err == nil {
			m.time = t.Add(time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute)
			m.clock = true
			return m
		}
	}
	return m
}

func (l *locale) day(m moment) string {
	if m.time.IsZero() {
		return m.raw
	}
	layout := [...]string{
		dayMonthName: "2 Jan 2006", monthNameDay: "Jan 2, 2006", dayMonthDots: "02.01.2006", dayMonthStroke: "02/01/2006",
		dayMonthDash: "02-01-2006", yearFirstDash: "2006-01-02", yearFirstDots: "2006. 1. 2.", yearFirstSlash: "2006/01/02",
		yearFirstHan: "2006年1月2日",
	}[l.date]
	return m.time.Format(layout)
}

// clock is the time of day; empty when it is not known.
func (l *locale) clock(m moment) string {
	switch {
	case !m.clock:
		return ""
	case l.twelve:
		return m.time.Format("3:04" + nbsp + "PM")
	}
	return m.time.Format("15:04")
}

// dayAndClock is both on one line.
func (l *locale) dayAndClock(m moment) string {
	c := l.clock(m)
	switch {
	case c == "":
		return l.day(m)
	case l.date >= yearFirstDots: // where the day's form ends by itself
		return l.day(m) + " " + c
	}
	return l.day(m) + ", " + c
}

// duration writes an ISO 8601 duration in words, or as it came when it is none.
func duration(s string) string {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return s
	}
	var parts []string
	clock := false
	for rest != "" {
		if rest[0] == 'T' {
			clock, rest = true, rest[1:]
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.' || rest[n] == ',') {
			n++
		}
		if n == 0 || n == len(rest) {
			return s
		}
		unit := ""
		switch rest[n] {
		case 'Y':
			unit = "y"
		case 'W':
			unit = "w"
		case 'D':
			unit = "d"
		case 'H':
			unit = "h"
		case 'S':
			unit = "s"
		case 'M':
			unit = "months"
			if clock {
				unit = "min"
			}
		default:
			return s
		}
		parts = append(parts, rest[:n]+nbsp+unit)
		rest = rest[n+1:]
	}
	if len(parts) == 0 {
		return s
	}
	return strings.Join(parts, " ")
}

// exact reads an amount that can be reckoned with: four decimals at most.
func exact(s string) (value.Money, bool) {
	m, err := value.ParseMoney(s)
	if err != nil || s == "" {
		return 0, false
	}
	_, fraction, _ := strings.Cut(strings.TrimSpace(s), ".")
	if strings.ContainsAny(s, "eE") || len(strings.TrimRight(fraction, "0")) > 4 {
		return 0, false
	}
	return m, true
}

func itoa(n int) string { return strconv.Itoa(n) }
