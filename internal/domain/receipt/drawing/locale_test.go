package drawing

import (
	"math/rand/v2"
	"strings"
	"testing"

	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		country, in string
		digits      int
		want        string
	}{
		{"US", "1234567.5", 2, "1,234,567.50"},
		{"DE", "1234567.5", 2, "1.234.567,50"},
		{"FR", "1234567.5", 2, "1\u00a0234\u00a0567,50"},
		{"CH", "1234567.5", 2, "1’234’567.50"},
		{"IN", "12345678.9", 2, "1,23,45,678.90"},
		{"JP", "2400", 0, "2,400"},
		{"JP", "2400.00", 0, "2,400"},
		{"BH", "1.5", 3, "1.500"},
		{"US", "-.5", 2, "-0.50"},
		{"US", ".00", 2, "0.00"},
		{"US", "-0", 2, "0.00"},
		{"US", "0012", 2, "12.00"},
		{"US", "1.23456789012345678901", 2, "1.23456789012345678901"}, // nothing is rounded away
		{"US", "123456789012345678901234567890", 2, "123,456,789,012,345,678,901,234,567,890.00"},
		{"US", "", 2, ""},
		{"US", "abc", 2, "abc"},
		{"US", "1e5", 2, "1e5"},
		{"US", "--1", 2, "--1"},
		{"US", "-", 2, "-"},
		{"", "1000", 2, "1,000.00"},
	} {
		l := localeOf(c.country)
		if got := l.amount(c.in, c.digits); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.in, c.country, got, c.want)
		}
	}
}

func TestRatesAndLengths(t *testing.T) {
	us, de := localeOf("US"), localeOf("DE")
	for _, c := range []struct{ got, want string }{
		{us.percent("7.5"), "7.5%"}, {de.percent("19"), "19\u00a0%"}, {us.percent("0.0700000000001"), "0.07%"}, {us.percent("1e1"), "10%"},
		{us.percent(""), ""}, {us.percent("reduced"), "reduced"},
		{us.length("11.799999999999999", 0), "11.8"}, {de.length("10411", 1), "10.411,0"}, {us.length("far", 0), "far"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestMoments(t *testing.T) {
	for _, c := range []struct{ country, in, want, offset string }{
		{"DE", "2024-03-11T12:42:10+0100", "11.03.2024, 12:42", "UTC+1"},
		{"US", "2024-03-11T00:42:10-05:00", "Mar 11, 2024, 12:42\u00a0AM", "UTC-5"},
		{"GB", "2024-03-01 09:05+00:00", "1 Mar 2024, 09:05", "UTC"},
		{"FR", "2024-03-11T12:42:10.123+0100", "11/03/2024, 12:42", "UTC+1"},
		{"JP", "2024-03-11T12:42:10+09:00", "2024/03/11 12:42", "UTC+9"},
		{"KR", "2024-03-11T12:42:10+0900", "2024. 3. 11. 12:42", "UTC+9"},
		{"CN", "2024-03-11T12+08", "2024年3月11日 12:00", "UTC+8"},
		{"SE", "2024-03-11T12:42+0100", "2024-03-11, 12:42", "UTC+1"},
		{"NL", "2024-03-11T12:42+0100", "11-03-2024, 12:42", "UTC+1"},
		{"IN", "2024-03-11T12:42:10+0530", "11 Mar 2024, 12:42\u00a0PM", "UTC+5:30"},
		{"CA", "2024-03-11T12:42:10-0330", "Mar 11, 2024, 12:42\u00a0PM", "UTC-3:30"},
		{"US", "2024-03-11T12:42:10+0030", "Mar 11, 2024, 12:42\u00a0PM", "UTC+0:30"},
		{"US", "2024-03-11", "Mar 11, 2024", ""},
		{"US", "2024-02-30T10:00+0100", "2024-02-30T10:00+0100", ""}, // as it came
		{"US", "2024-03-11T25:00+0100", "2024-03-11T25:00+0100", "UTC+1"},
		{"US", "2024-03-11T10:00+1", "2024-03-11T10:00+1", ""},
		{"US", "yesterday", "yesterday", ""},
		{"US", "", "", ""},
	} {
		l := localeOf(c.country)
		m := readMoment(c.in)
		if got := l.dayAndClock(m); got != c.want || m.offset != c.offset {
			t.Errorf("%s in %s is %q %q, want %q %q", c.in, c.country, got, m.offset, c.want, c.offset)
		}
	}
}

func TestDurations(t *testing.T) {
	for in, want := range map[string]string{
		"PT21M": "21\u00a0min", "PT1H30M": "1\u00a0h 30\u00a0min", "P1DT2H": "1\u00a0d 2\u00a0h", "P2M": "2\u00a0months", "PT0.5S": "0.5\u00a0s",
		"P": "P", "": "", "PT": "PT", "PTM": "PTM", "P1X": "P1X", "21 minutes": "21 minutes", "P1": "P1",
	} {
		if got := duration(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestPaper(t *testing.T) {
	for code, want := range map[string]page.Size{"US": page.Letter, "CA": page.Letter, "MX": page.Letter, "DE": page.A4, "JP": page.A4, "": page.A4, "??": page.A4} {
		if got := localeOf(code).paper; got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if country(" usa ") != "US" || countryName("DEU") != "Germany" || countryName("XX") != "XX" || len(countryNames) < 249 {
		t.Error("codes of countries are not read")
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		`{"streetAddress":"Kastanienallee 12","addressLocality":"Berlin","postalCode":"10435","addressRegion":"BE","addressCountry":"DE"}`:  "Kastanienallee 12|10435 Berlin|Germany",
		`{"streetAddress":"7000 Airport Way","addressLocality":"Portland","postalCode":"97218","addressRegion":"OR","addressCountry":"US"}`: "7000 Airport Way|Portland, OR 97218|United States",
		`{"addressLocality":"York","postalCode":"YO1 1AA","addressCountry":"GB"}`:                                                           "York YO1 1AA|United Kingdom",
		`{"address":"丸の内1-9-1","address2":"B1","city":"東京","postalCode":"100-0005","countryCode":"JPN"}`:                                    "丸の内1-9-1|B1|100-0005 東京|Japan",
		`{"addressCountry":"US","addressRegion":"TX"}`:                                                                                      "TX|United States",
		`{}`: "",
	} {
		doc, err := wire.ParseJSON([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		var c composer
		if got := strings.Join(c.addressLines(doc), "|"); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

func TestReckon(t *testing.T) {
	for _, c := range []struct{ total, subtotal, discounts, taxes, want string }{
		{"59.50", "50.00", "", "9.50", "Subtotal 50.00, Taxes 9.50"},
		{"59.50", "50.00", "-2.50", "9.50", "Before discounts 52.5, Discounts -2.50, Subtotal 50.00, Taxes 9.50"},
		{"57.00", "50.00", "-2.50", "9.50", "Subtotal 50.00, Discounts -2.50, Taxes 9.50"},
		{"50", "50", "", "8", "Subtotal 50, included 8"},
		{"50", "55", "-5", "8", "Subtotal 55, Discounts -5, included 8"},
		{"50", "", "", "8", "Before taxes 42, Taxes 8"},
		{"50", "", "-5", "", "Before discounts 55, Discounts -5"},
		{"50", "", "-5", "8", "Before discounts and taxes 47, Discounts -5, Taxes 8"},
		{"50", "", "", "", ""},
		{"60", "50", "", "8", "Subtotal 50, Taxes 8, Not itemized 2"},
		{"-184.75", "-171.07", "0", "-13.68", "Subtotal -171.07, Discounts 0, Taxes -13.68"},
		{"0", "25", "-25", "0.00", "Subtotal 25, Discounts -25, Taxes 0.00"},
		{"x", "50", "", "8", "Subtotal 50, Taxes 8"},
		{"1.123456789", "1", "", "0.123456789", "Subtotal 1, Taxes 0.123456789"}, // too fine to reckon with
		{"99999999999999999999999", "1", "", "", "Subtotal 1"},
	} {
		lines, included := reckon(c.total, c.subtotal, c.discounts, c.taxes)
		var got []string
		for _, l := range lines {
			got = append(got, l.name+" "+l.amount)
		}
		if included != "" {
			got = append(got, "included "+included)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s of %s, %s, %s: %q, want %q", c.total, c.subtotal, c.discounts, c.taxes, s, c.want)
		}
	}
}

// Whatever a seller sends, what is shown adds up to the total. A line named Subtotal
// behind others is their sum and counts for them.
func TestReckonAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	amount := func() string {
		if random.IntN(4) == 0 {
			return ""
		}
		return value.Money(random.Int64N(21) * 5000).String()
	}
	for range 20_000 {
		total, subtotal, discounts, taxes := value.Money(random.Int64N(21)*5000).String(), amount(), amount(), amount()
		if discounts != "" && discounts != "0" {
			discounts = "-" + discounts
		}
		lines, _ := reckon(total, subtotal, discounts, taxes)
		var sum value.Money
		for i, l := range lines {
			m, ok := exact(l.amount)
			if !ok {
				t.Fatalf("%q is no number", l.amount)
			}
			if l.name == "Subtotal" && i > 0 {
				if sum != m {
					t.Fatalf("%s, %s, %s, %s: the subtotal is not the sum of the lines above: %v", total, subtotal, discounts, taxes, lines)
				}
				continue
			}
			sum += m
		}
		if x, _ := exact(total); len(lines) > 0 && sum != x {
			t.Fatalf("%s, %s, %s, %s: %v add up to %s", total, subtotal, discounts, taxes, lines, sum)
		}
	}
}
