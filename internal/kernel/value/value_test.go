package value

import (
	"bytes"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestParseMoney(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "12.5": "12.5", " 307.01 ": "307.01", "+7": "7", ".5": "0.5", "-.5": "-0.5", "10.": "10",
		"1e3": "1000", "1.5E+2": "150", "12345e-2": "123.45", "10.100000000000001": "10.1",
		"0.00005": "0.0001", "0.000049999": "0", "-0.00005": "-0.0001",
		"922337203685477.5807": "922337203685477.5807", "-922337203685477.5807": "-922337203685477.5807",
		"0.000000000000000000000000000000000000000001": "0", "1e-400": "0",
		"0000000000000000000000000000012": "12",
	} {
		got, err := ParseMoney(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseMoney(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		"": ErrNumberSyntax, "-": ErrNumberSyntax, "1,5": ErrNumberSyntax, "1.2.3": ErrNumberSyntax, "0x10": ErrNumberSyntax,
		"NaN": ErrNumberSyntax, "1e": ErrNumberSyntax, "ten": ErrNumberSyntax, "1 2": ErrNumberSyntax,
		"922337203685477.5808": ErrNumberRange, "1e15": ErrNumberRange, "1e999999999999999999999": ErrNumberRange,
		"99999999999999999999999999": ErrNumberRange, strings.Repeat("9", 65): ErrNumberRange,
	} {
		if _, err := ParseMoney(in); err != want {
			t.Errorf("ParseMoney(%q) = %v; want %v", in, err, want)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"1", "-2.50", "1e-4", "922337203685477.5807", "1.23456789e5"} {
		f.Add(s)
	}
	plain := regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseMoney(s)
		trimmed := strings.Trim(s, " \t\r\n")
		if err != nil {
			if err == ErrNumberSyntax && plain.MatchString(trimmed) && len(trimmed) <= 64 {
				t.Fatalf("%q is a number", s)
			}
			return
		}
		if again, err := ParseMoney(got.String()); err != nil || again != got {
			t.Fatalf("%q → %s → %s, %v", s, got, again, err)
		}
		exact, ok := new(big.Rat).SetString(trimmed)
		if !ok {
			return
		}
		off := new(big.Rat).Sub(exact, big.NewRat(int64(got), 10_000))
		if off.Abs(off).Cmp(big.NewRat(1, 20_000)) > 0 {
			t.Fatalf("%q → %s is off by %s", s, got, off)
		}
	})
}

func TestRound(t *testing.T) {
	for _, c := range []struct {
		in     string
		digits int
		want   string
	}{
		{"1.005", 2, "1.01"}, {"-1.005", 2, "-1.01"}, {"1.0049", 2, "1"}, {"0.5", 0, "1"}, {"-0.5", 0, "-1"},
		{"1.2345", 3, "1.235"}, {"1.2344", 3, "1.234"}, {"1.2345", 4, "1.2345"}, {"0.4999", 0, "0"},
	} {
		m, err := ParseMoney(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Round(c.digits); got.String() != c.want {
			t.Errorf("%s to %d digits = %s, want %s", c.in, c.digits, got, c.want)
		}
	}
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		amount, rate string
		digits       int
		want         string
	}{
		{"10", "1.1", 2, "11"}, {"100", "0.0067", 2, "0.67"}, {"33.33", "156.785", 0, "5226"},
		{"-33.33", "156.785", 0, "-5226"}, {"1", "0.005", 2, "0.01"}, {"1", "0.0049", 2, "0"},
		{"922337203685477", "1", 2, "922337203685477"}, {"12.345", "0.3071", 3, "3.791"},
	} {
		m, err := ParseMoney(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRate(c.rate)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.Convert(r, c.digits); err != nil || got.String() != c.want {
			t.Errorf("%s × %s = %s, %v; want %s", c.amount, c.rate, got, err, c.want)
		}
	}
	if _, err := Money(1<<62).Convert(4*RateOne, 2); err != ErrNumberRange {
		t.Errorf("a product out of range gives %v", err)
	}
	if r, err := Per(RateOne, 3*RateOne); err != nil || r.String() != "0.333333333333" {
		t.Errorf("1/3 = %s, %v", r, err)
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"2024-03-11": "2024-03-11", "2024-03-11T23:59:59": "2024-03-11", "2024-03-11T23:59:59.123-08:00": "2024-03-11",
		"2024-03-11T23:59:59Z": "2024-03-11", "2024-02-29": "2024-02-29", " 2024-03-11 ": "2024-03-11", "0001-01-01": "", // how .NET clients write none

	} {
		if d, err := ParseDate(in); err != nil || d.String() != want {
			t.Errorf("ParseDate(%q) = %s, %v", in, d, err)
		}
	}
	for _, in := range []string{"", "2023-02-29", "11.3.2024", "2024-3-11", "2024-03-11T25:00:00", "2024-03-11T10", "yesterday..", "2024-03-11T10:00:00+99:99"} {
		if d, err := ParseDate(in); err == nil {
			t.Errorf("ParseDate(%q) = %s", in, d)
		}
	}
	i, err := ParseInstant("2024-03-11T07:56:32.25+01:00")
	if err != nil || i.Time().Format("2006-01-02T15:04:05.000Z07:00") != "2024-03-11T06:56:32.250Z" || i.Date().String() != "2024-03-11" {
		t.Errorf("%v %v", i.Time(), err)
	}
	if d := Date(20240311); !d.Time().Equal(d.Time()) || DateOf(d.Time()) != d {
		t.Error("a date does not survive the way through time.Time")
	}
}

func TestFixedDecimals(t *testing.T) {
	for _, c := range []struct {
		in   string
		min  int
		want string
	}{{"0", 8, "0.00000000"}, {"2500", 8, "2500.00000000"}, {"-0.05", 2, "-0.05"}, {"0.0001", 2, "0.0001"}, {"12.3", 2, "12.30"}, {"1.0203", 0, "1.0203"}, {"1.02", 3, "1.020"}} {
		m, err := ParseMoney(c.in)
		if got := string(m.AppendFixed(nil, c.min)); err != nil || got != c.want {
			t.Errorf("%s with %d decimals = %s, %v; want %s", c.in, c.min, got, err, c.want)
		}
	}
	if r := RateOne / 1000; r.String() != "0.001" {
		t.Errorf("a thousandth is %s", r)
	}
}

func TestIDs(t *testing.T) {
	ids := NewIDs(bytes.NewReader(bytes.Repeat([]byte{0xfb, 0xff, 0x01, 0xfe}, 100)))
	for name, c := range map[string]struct{ id, form string }{
		"protected": {ids.Protected(), `^gW[A-Za-z0-9$]{32,64}$`},
		"report":    {ids.Hex20(), `^[0-9A-F]{20}$`},
		"receipt":   {ids.Hex32(), `^[0-9a-f]{32}$`},
		"upper":     {ids.UpperHex32(), `^[0-9A-F]{32}$`},
		"uuid":      {ids.UUID(), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
	} {
		if !regexp.MustCompile(c.form).MatchString(c.id) {
			t.Errorf("%s id %q", name, c.id)
		}
	}
	if !IsUUID("0F1E2D3C-4B5A-6978-8796-a5b4c3d2e1f0") || IsUUID("0f1e2d3c4b5a69788796a5b4c3d2e1f0") || IsUUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fg") {
		t.Error("IsUUID")
	}
}

func TestCurrency(t *testing.T) {
	for code, digits := range map[Currency]int{"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4} {
		if !code.Valid() || code.Digits() != digits {
			t.Errorf("%s has %d digits", code, code.Digits())
		}
	}
	if c, ok := ParseCurrency(" gbo"); c != "GBP" || !ok {
		t.Errorf("GBO is %s", c)
	}
	if _, ok := ParseCurrency("XXQ"); ok {
		t.Error("XXQ is no currency")
	}
	if n := len(Currencies()); n < 160 {
		t.Errorf("only %d currencies", n)
	}
}
