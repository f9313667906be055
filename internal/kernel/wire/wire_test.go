package wire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// everything has a field of every kind.
type everything struct {
	Head     head // embedded by value
	Text     string
	Note     string
	Kept     string
	Status   string
	Flag     bool
	Count    int64
	Amount   value.Money
	Rate     value.Rate
	Quantity value.Decimal
	Currency value.Currency
	Day      value.Date
	At       value.Instant
	Raw      RawJSON
	Bytes    []byte
	Tags     []string

	MaybeText   value.Opt[string]
	MaybeFlag   value.Opt[bool]
	MaybeCount  value.Opt[int64]
	MaybeAmount value.Opt[value.Money]
	MaybeRate   value.Opt[value.Rate]
	MaybePart   value.Opt[value.Decimal]

	Place   place2
	Journey value.Opt[journey]
	Lines   []line
	Custom  [3]custom
}

type head struct{ ID string }

type place2 struct {
	City    string
	Country string
}

type journey struct {
	Unit     string
	Distance int64
	Stops    []stop
}

type stop struct {
	Name string
	Home bool
}

type line struct {
	ID     string
	Name   string
	Amount value.Money
	Custom [2]custom
}

type custom struct {
	Type, Value, Code string
}

func (c *custom) bind(f *Fields) {
	f.Text("Type", &c.Type, "Kind of the custom field.", ReadOnly)
	f.Text("Value", &c.Value, "Its value.", Max(48))
	f.Text("Code", &c.Code, "Code of the list item.")
}

func (p *place2) bind(f *Fields) {
	f.Text("City", &p.City, "City.")
	f.Text("Country", &p.Country, "Country.")
}

func (s *stop) bind(f *Fields) {
	f.Text("Name", &s.Name, "Name.", RequiredOnCreate)
	f.Bool("Home", &s.Home, "Whether it is home.")
}

func (j *journey) bind(f *Fields) {
	f.Text("UnitOfMeasure", &j.Unit, "Unit.", RequiredOnCreate, Enum("M", "K"))
	f.Int("Distance", &j.Distance, "Distance.")
	List(f, "Stops", &j.Stops, (*stop).bind, "Stops.", Item("Stop"))
}

func (l *line) bind(f *Fields) {
	f.Text("LineItemID", &l.ID, "Id.", ReadOnly)
	f.Text("Name", &l.Name, "Name.", RequiredOnCreate)
	f.Money("Amount", &l.Amount, "Amount.")
	Repeat(f, "Custom", l.Custom[:], (*custom).bind, "Custom field.", ScalarInput("Value"))
}

func (e *everything) bind(f *Fields) {
	f.Text("ID", &e.Head.ID, "The id.", ReadOnly)
	f.Text("Text", &e.Text, "Some text.", RequiredOnCreate, Max(20))
	f.Text("Note", &e.Note, "A note.", Alias("Remark"))
	f.Text("Kept", &e.Kept, "Stays as it was.", FixedAfterCreate)
	f.Text("Status", &e.Status, "The status.", Enum("OPEN", "CLOSED"))
	f.Bool("Flag", &e.Flag, "A flag.")
	f.Int("Count", &e.Count, "A count.")
	f.Money("Amount", &e.Amount, "An amount.")
	f.Rate("Rate", &e.Rate, "A rate.")
	f.Decimal("Quantity", &e.Quantity, "A quantity.", AsText, Decimals(8))
	f.Currency("CurrencyCode", &e.Currency, "A currency.")
	f.Date("Day", &e.Day, "A day.")
	f.Instant("At", &e.At, "A time.")
	f.Raw("Raw", &e.Raw, "Anything.")
	f.Bytes("Bytes", &e.Bytes, "Bytes.")
	f.Texts("Tags", &e.Tags, "Tags.", Item("Tag"))
	Optional(f, "MaybeText", &e.MaybeText, "Text or none.")
	Optional(f, "MaybeFlag", &e.MaybeFlag, "A flag or none.")
	Optional(f, "MaybeCount", &e.MaybeCount, "A count or none.")
	Optional(f, "MaybeAmount", &e.MaybeAmount, "An amount or none.")
	Optional(f, "MaybeRate", &e.MaybeRate, "A rate or none.")
	Optional(f, "MaybePart", &e.MaybePart, "A part or none.")
	Object(f, "Place", &e.Place, (*place2).bind, "Where.")
	Group(f, "Journey", &e.Journey, (*journey).bind, "Which way.")
	List(f, "Lines", &e.Lines, (*line).bind, "The lines.", Item("Line"))
	Repeat(f, "Custom", e.Custom[:], (*custom).bind, "A custom field.", ScalarInput("Value"))
}

var everythingSchema = Bind("Everything", (*everything).bind)

func full() everything {
	return everything{
		Head: head{"gW1"}, Text: `a "b" <c> & d`, Note: "line\nnext\ttab\r é 😀", Kept: "k", Status: "OPEN", Flag: true,
		Count: -3, Amount: 12_5000, Rate: value.RateOne / 4, Quantity: 100 * value.DecimalOne, Currency: "EUR",
		Day: 20240311, At: 1710143792120000, Raw: RawJSON(`{"a": [1, 2.50]}`), Bytes: []byte{0, 255, 1},
		Tags: []string{"x", "y"}, MaybeText: value.Some("t"), MaybeFlag: value.Some(false), MaybeCount: value.Some[int64](0),
		MaybeAmount: value.Some[value.Money](0), MaybeRate: value.Some(value.RateOne), MaybePart: value.Some[value.Decimal](5),
		Place:   place2{City: "Kiel"},
		Journey: value.Some(journey{Unit: "K", Distance: 7, Stops: []stop{{"A", true}, {"B", false}}}),
		Lines:   []line{{ID: "1", Name: "one", Amount: 1}, {Name: "two", Custom: [2]custom{{Value: "v"}}}},
		Custom:  [3]custom{{Type: "Text", Value: "cv"}, {}, {Code: "cc"}},
	}
}

var (
	nullJSON   = &Style{}
	omitJSON   = &Style{Nulls: NullOmit, Dates: ISODate}
	storedJSON = &Style{Nulls: NullOmit, Dates: Micros}
	seedXML    = &Style{XML: true, Nulls: NullOmit}
	wireXML    = &Style{XML: true, Nulls: NullWrite, XMLDecimals: 8, ItemWrappers: true}
)

func TestEncodeEverything(t *testing.T) {
	v, zero := full(), everything{}
	for _, c := range []struct{ name, got, want string }{
		{"JSON", string(everythingSchema.AppendJSON(nil, &v, nullJSON)),
			`{"ID":"gW1","Text":"a \"b\" <c> & d","Note":"line\nnext\ttab\r é 😀","Kept":"k","Status":"OPEN","Flag":true,"Count":-3,"Amount":12.5,"Rate":0.25,` +
				`"Quantity":"100.00000000","CurrencyCode":"EUR","Day":"2024-03-11T00:00:00","At":"2024-03-11T07:56:32.12","Raw":{"a": [1, 2.50]},"Bytes":"AP8B",` +
				`"Tags":["x","y"],"MaybeText":"t","MaybeFlag":false,"MaybeCount":0,"MaybeAmount":0,"MaybeRate":1,"MaybePart":0.00000005,` +
				`"Place":{"City":"Kiel","Country":null},"Journey":{"UnitOfMeasure":"K","Distance":7,"Stops":[{"Name":"A","Home":true},{"Name":"B","Home":false}]},` +
				`"Lines":[{"LineItemID":"1","Name":"one","Amount":0.0001,"Custom1":null,"Custom2":null},{"LineItemID":null,"Name":"two","Amount":0,` +
				`"Custom1":{"Type":null,"Value":"v","Code":null},"Custom2":null}],"Custom1":{"Type":"Text","Value":"cv","Code":null},"Custom2":null,` +
				`"Custom3":{"Type":null,"Value":null,"Code":"cc"}}`},
		{"empty JSON", string(everythingSchema.AppendJSON(nil, &zero, nullJSON)),
			`{"ID":null,"Text":null,"Note":null,"Kept":null,"Status":null,"Flag":false,"Count":0,"Amount":0,"Rate":0,"Quantity":"0.00000000","CurrencyCode":null,` +
				`"Day":null,"At":null,"Raw":null,"Bytes":null,"Tags":null,"MaybeText":null,"MaybeFlag":null,"MaybeCount":null,"MaybeAmount":null,"MaybeRate":null,` +
				`"MaybePart":null,"Place":null,"Journey":null,"Lines":[],"Custom1":null,"Custom2":null,"Custom3":null}`},
		{"empty JSON, nulls omitted", string(everythingSchema.AppendJSON(nil, &zero, omitJSON)),
			`{"Flag":false,"Count":0,"Amount":0,"Rate":0,"Quantity":"0.00000000","Lines":[]}`},
		{"seed XML", string(everythingSchema.AppendXML(nil, "ReportGet", &v, seedXML)),
			"<ReportGet><ID>gW1</ID><Text>a &quot;b&quot; &lt;c&gt; &amp; d</Text><Note>line\nnext\ttab&#xD; é 😀</Note><Kept>k</Kept><Status>OPEN</Status><Flag>true</Flag>" +
				`<Count>-3</Count><Amount>12.5</Amount><Rate>0.25</Rate><Quantity>100.00000000</Quantity><CurrencyCode>EUR</CurrencyCode><Day>2024-03-11T00:00:00</Day>` +
				`<At>2024-03-11T07:56:32.12</At><Raw>{&quot;a&quot;: [1, 2.50]}</Raw><Bytes>AP8B</Bytes><Tags>x</Tags><Tags>y</Tags><MaybeText>t</MaybeText><MaybeFlag>false</MaybeFlag>` +
				`<MaybeCount>0</MaybeCount><MaybeAmount>0</MaybeAmount><MaybeRate>1</MaybeRate><MaybePart>0.00000005</MaybePart><Place><City>Kiel</City></Place>` +
				`<Journey><UnitOfMeasure>K</UnitOfMeasure><Distance>7</Distance><Stops><Name>A</Name><Home>true</Home></Stops><Stops><Name>B</Name><Home>false</Home></Stops></Journey>` +
				`<Lines><LineItemID>1</LineItemID><Name>one</Name><Amount>0.0001</Amount></Lines><Lines><Name>two</Name><Amount>0</Amount><Custom1><Value>v</Value></Custom1></Lines>` +
				`<Custom1><Type>Text</Type><Value>cv</Value></Custom1><Custom3><Code>cc</Code></Custom3></ReportGet>`},
		{"empty wire XML", string(everythingSchema.AppendXML(nil, "Report"+NilNamespace, &zero, wireXML)),
			`<Report xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ID i:nil="true"/><Text i:nil="true"/><Note i:nil="true"/><Kept i:nil="true"/><Status i:nil="true"/>` +
				`<Flag>false</Flag><Count>0</Count><Amount>0.00000000</Amount><Rate>0.00000000</Rate><Quantity>0.00000000</Quantity><CurrencyCode i:nil="true"/><Day i:nil="true"/>` +
				`<At i:nil="true"/><Raw i:nil="true"/><Bytes i:nil="true"/><Tags i:nil="true"/><MaybeText i:nil="true"/><MaybeFlag i:nil="true"/><MaybeCount i:nil="true"/>` +
				`<MaybeAmount i:nil="true"/><MaybeRate i:nil="true"/><MaybePart i:nil="true"/><Place i:nil="true"/><Journey i:nil="true"/><Lines/>` +
				`<Custom1 i:nil="true"/><Custom2 i:nil="true"/><Custom3 i:nil="true"/></Report>`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
	}
	x := string(everythingSchema.AppendXML(nil, "Report", &v, wireXML))
	for _, want := range []string{"<Amount>12.50000000</Amount><Rate>0.25000000</Rate>", "<Tags><Tag>x</Tag><Tag>y</Tag></Tags>",
		"<Lines><Line><LineItemID>1</LineItemID><Name>one</Name><Amount>0.00010000</Amount>", "<Stops><Stop><Name>A</Name>"} {
		if !strings.Contains(x, want) {
			t.Errorf("observed XML lacks %s:\n%s", want, x)
		}
	}
}

// flags shows the options that change what is written.
type flags struct {
	Plain, Never, Omit, Secret string
	Zero                       int64
	Money                      value.Money
	Flag                       bool
	Day                        value.Date
	At                         value.Instant
	Never2                     value.Opt[value.Money]
	Texts                      []string
	Place                      place2
	Lines                      []stop
}

func TestOutputOptions(t *testing.T) {
	s := Bind("flags", func(v *flags, f *Fields) {
		f.Text("Plain", &v.Plain, "")
		f.Text("Never", &v.Never, "", NotNull)
		f.Text("Omit", &v.Omit, "", OmitEmpty)
		f.Text("Secret", &v.Secret, "", WriteOnly)
		f.Int("Zero", &v.Zero, "", OmitEmpty)
		f.Money("Money", &v.Money, "", AsText)
		f.Bool("Flag", &v.Flag, "", AsText)
		f.Date("Day", &v.Day, "", NotNull)
		f.Instant("At", &v.At, "", Layout(EpochMillis))
		Optional(f, "Never2", &v.Never2, "", NotNull)
		f.Texts("Texts", &v.Texts, "", NotNull)
		Object(f, "Place", &v.Place, (*place2).bind, "", NotNull)
		List(f, "Lines", &v.Lines, (*stop).bind, "", Item("Line"), Wrapped)
	})
	v := flags{Secret: "s3cret", Plain: "a\x01\xff\u2028"}
	for _, c := range []struct{ got, want string }{
		{string(s.AppendJSON(nil, &v, nullJSON)), `{"Plain":"a\u0001` + "\ufffd\u2028" +
			`","Never":"","Money":"0","Flag":"false","Day":"","At":null,"Never2":0,"Texts":[],"Place":{"City":null,"Country":null},"Lines":{"Line":[]}}`},
		{string(s.AppendJSON(nil, &flags{At: 1500, Zero: 1, Omit: "o", Lines: []stop{{}}}, omitJSON)),
			`{"Never":"","Omit":"o","Zero":1,"Money":"0","Flag":"false","Day":"","At":1,"Never2":0,"Texts":[],"Place":{},"Lines":{"Line":[{"Home":false}]}}`},
		{string(s.AppendXML(nil, "X", &v, seedXML)), "<X><Plain>a\ufffd\ufffd\u2028</Plain><Money>0</Money><Flag>false</Flag></X>"},
		{string(s.AppendXML(nil, "X", &v, wireXML)), "<X><Plain>a\ufffd\ufffd\u2028</Plain><Never></Never><Money>0</Money><Flag>false</Flag><Day></Day>" +
			`<At i:nil="true"/><Never2>0.00000000</Never2><Texts/><Place><City i:nil="true"/><Country i:nil="true"/></Place><Lines/></X>`},
		{string(s.AppendXML(nil, "X", &flags{Lines: []stop{{Name: "n"}}}, seedXML)),
			"<X><Money>0</Money><Flag>false</Flag><Lines><Line><Name>n</Name><Home>false</Home></Line></Lines></X>"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestDateForms(t *testing.T) {
	day := value.Date(20240311)
	at := value.Instant(1710143792_120_045)
	for _, c := range []struct {
		form     DateForm
		day, at  string
		readable bool
	}{
		{V3DateTime, "2024-03-11T00:00:00", "2024-03-11T07:56:32.12", true},
		{ISODate, "2024-03-11", "2024-03-11T07:56:32.120Z", true},
		{MillisZ, "2024-03-11T00:00:00.000Z", "2024-03-11T07:56:32.120Z", true},
		{EpochMillis, "1710115200000", "1710143792120", false},
		{Seconds, "2024-03-11T00:00:00", "2024-03-11T07:56:32", true},
		{DayOnly, "2024-03-11", "2024-03-11", true},
		{BlankSeconds, "2024-03-11 00:00:00", "2024-03-11 07:56:32", true},
		{BlankTenths, "2024-03-11 00:00:00.0", "2024-03-11 07:56:32.1", true},
		{BlankMillis, "2024-03-11 00:00:00.000", "2024-03-11 07:56:32.120", true},
		{HTTPDate, "Mon, 11 Mar 2024 00:00:00 GMT", "Mon, 11 Mar 2024 07:56:32 GMT", false},
		{ReceiptISO, "2024-03-11T00:00:00.000Z", "2024-03-11T07:56:32.120Z", true},
		{ReceiptLong, "Mon Mar 11 2024 00:00:00 GMT+00:00", "Mon Mar 11 2024 07:56:32 GMT+00:00", false},
		{USTime, "3/11/2024 12:00:00 AM", "3/11/2024 7:56:32 AM", false},
		{Micros, "2024-03-11", "2024-03-11T07:56:32.120045Z", true},
	} {
		if got := string(appendDate(nil, day, c.form)); got != c.day {
			t.Errorf("form %d: date %s, want %s", c.form, got, c.day)
		}
		if got := string(appendInstant(nil, at, c.form)); got != c.at {
			t.Errorf("form %d: instant %s, want %s", c.form, got, c.at)
		}
		if d, err := value.ParseDate(c.day); (err == nil && d == day) != c.readable {
			t.Errorf("form %d: reading %s back gives %v, %v", c.form, c.day, d, err)
		}
	}
	if got := string(appendDate(nil, 19700101, HTTPDate)); got != "Thu, 01 Jan 1970 00:00:00 GMT" {
		t.Errorf("the first day is written as %s", got)
	}
	if got := string(appendInstant(nil, value.Instant(1710143792_000_000), V3DateTime)); got != "2024-03-11T07:56:32" {
		t.Errorf("a whole second is written as %s", got)
	}
}

// TestCivil compares with package time, over leap years, centuries and before 1970.
func TestCivil(t *testing.T) {
	for day := int64(-719_162); day < 2_932_896; day += 13 {
		y, m, d := time.Unix(day*86_400, 0).UTC().Date()
		if gy, gm, gd := civil(day); int(gy) != y || int(gm) != int(m) || int(gd) != d {
			t.Fatalf("day %d is %d-%d-%d, want %d-%d-%d", day, gy, gm, gd, y, m, d)
		}
	}
	for _, at := range []value.Instant{-1, -1_000_001, 951_782_400_000_000 - 1, 253_402_300_799_999_999, -62_135_596_800_000_000} {
		want := at.Time().Format("2006-01-02T15:04:05.000000Z")
		if got := string(appendInstant(nil, at, Micros)); got != want {
			t.Errorf("%d is %s, want %s", at, got, want)
		}
	}
}

// decode reads a JSON body over v.
func decode[T any](t *testing.T, s *Schema[T], body string, v *T, mode Mode) (Set, []errs.Field) {
	t.Helper()
	d, err := ParseJSON([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s.Decode(d, v, mode)
}

func decodeXML[T any](t *testing.T, s *Schema[T], body string, v *T, mode Mode) (Set, []errs.Field) {
	t.Helper()
	d, err := ParseXML([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s.Decode(d, v, mode)
}

func listed(problems []errs.Field) string {
	var b strings.Builder
	for i, p := range problems {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(p.Path + " " + p.Code)
	}
	return b.String()
}

// TestScalars reads one value into one field, in all three formats.
func TestScalars(t *testing.T) {
	for _, c := range []struct {
		field, in string // in is the JSON value
		want      string // what the field then shows in JSON, or the problem's code after a "!"
	}{
		{"Text", `"x"`, `"x"`}, {"Text", `12.50`, `"12.50"`}, {"Text", `true`, `"true"`}, {"Text", `"é😀"`, `"é😀"`},
		{"Text", `"123456789012345678901"`, "!tooLong"}, {"Text", `"éééééééééééééééééééé"`, `"éééééééééééééééééééé"`},
		{"Text", `"a\u0001"`, "!characters"}, {"Text", `"a\u007f"`, "!characters"}, {"Text", `"a\t\r\nb"`, `"a\t\r\nb"`},
		{"Status", `"closed"`, `"CLOSED"`}, {"Status", `"DONE"`, "!enum"},
		{"Flag", `true`, `true`}, {"Flag", `"Y"`, `true`}, {"Flag", `1`, `true`}, {"Flag", `"TRUE"`, `true`}, {"Flag", `" true "`, `true`},
		{"Flag", `"n"`, `false`}, {"Flag", `0`, `false`}, {"Flag", `"yes"`, "!type"}, {"Flag", `2`, "!type"},
		{"Count", `7`, `7`}, {"Count", `"-7"`, `-7`}, {"Count", `" +7 "`, `7`}, {"Count", `7.0`, `7`}, {"Count", `1.5e1`, `15`}, {"Count", `70e-1`, `7`},
		{"Count", `7.5`, "!type"}, {"Count", `"seven"`, "!type"}, {"Count", `true`, "!type"}, {"Count", `9223372036854775808`, "!range"},
		{"Count", `9223372036854775807`, `9223372036854775807`}, {"Count", `1e999999999`, "!range"}, {"Count", `1e99999999999999999999`, "!range"}, {"Count", `"1e"`, "!type"},
		{"Count", `0e999999999`, `0`}, {"Count", `1e-999999999`, "!type"},
		{"Amount", `10.100000000000001`, `10.1`}, {"Amount", `"12.5 "`, `12.5`}, {"Amount", `1e2`, `100`}, {"Amount", `1e999999999`, "!range"},
		{"Amount", `922337203685477.5808`, "!range"}, {"Amount", `-922337203685477.5807`, `-922337203685477.5807`}, {"Amount", `"1,5"`, "!type"},
		{"Amount", `"` + strings.Repeat("1", 65) + `"`, "!range"}, {"Amount", `false`, "!type"}, {"Amount", `"€1"`, "!type"},
		{"Rate", `0.123456789012`, `0.123456789012`}, {"Quantity", `"33.33333333"`, `"33.33333333"`}, {"Quantity", `1`, `"1.00000000"`},
		{"CurrencyCode", `"eur"`, `"EUR"`}, {"CurrencyCode", `"EURO"`, "!currency"}, {"CurrencyCode", `978`, "!currency"},
		{"Day", `"2024-03-11"`, `"2024-03-11T00:00:00"`}, {"Day", `"2024-03-11T23:59:59-08:00"`, `"2024-03-11T00:00:00"`}, {"Day", `"11.3.2024"`, "!date"},
		{"Day", `"2024-02-30"`, "!date"}, {"Day", `20240311`, "!date"}, {"Day", `true`, "!date"},
		{"At", `"2024-03-11T07:56:32.123+01:00"`, `"2024-03-11T06:56:32.123"`}, {"At", `"2024-03-11"`, `"2024-03-11T00:00:00"`}, {"At", `1710143792123`, "!date"},
		{"Raw", `{"a":[1,{}]}`, `{"a":[1,{}]}`}, {"Raw", `"x"`, `"x"`},
		{"Bytes", `"AP8B"`, `"AP8B"`}, {"Bytes", `"AP8"`, `"AP8="`}, {"Bytes", `"-_8="`, `"+/8="`}, {"Bytes", `"A!"`, "!base64"},
		{"Tags", `["a","b"]`, `["a","b"]`}, {"Tags", `"a"`, `["a"]`}, {"Tags", `[1,null,true]`, `["1","true"]`}, {"Tags", `{"Tag":["a","b"]}`, `["a","b"]`},
		{"MaybeText", `"x"`, `"x"`}, {"MaybeFlag", `false`, `false`}, {"MaybeCount", `0`, `0`}, {"MaybeAmount", `"0.0"`, `0`},
		{"MaybeRate", `1`, `1`}, {"MaybePart", `0.5`, `0.5`},
		{"Text", `{}`, "!type"}, {"Amount", `[1]`, "!type"}, {"Day", `{"a":1}`, "!type"},
		{"Place", `"Kiel"`, "!type"}, {"Place", `[]`, "!type"}, {"Journey", `12`, "!type"}, {"Lines", `"x"`, "!type"}, {"Lines", `[1]`, "!type"},
		{"Custom1", `"v"`, `{"Type":null,"Value":"v","Code":null}`}, {"Custom1", `12`, `{"Type":null,"Value":"12","Code":null}`},
		{"Custom1", `{"Code":"c","Type":"no"}`, `{"Type":null,"Value":null,"Code":"c"}`}, {"Custom1", `["v"]`, "!type"},
	} {
		check := func(format string, d *Document, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s %s %s: %v", format, c.field, c.in, err)
				return
			}
			v := everything{Text: "old"}
			set, problems := everythingSchema.Decode(d, &v, Update)
			shown := ""
			for _, p := range problems {
				shown += "!" + p.Code
				if p.Path != c.field && !strings.HasPrefix(p.Path, c.field+"[") || p.Message == "" {
					t.Errorf("%s %s %s: the problem is at %q: %s", format, c.field, c.in, p.Path, p.Message)
				}
			}
			if shown == "" {
				shown = ofMember(t, everythingSchema.AppendJSON(nil, &v, nullJSON), c.field)
			}
			if shown != c.want {
				t.Errorf("%s %s %s: got %s, want %s", format, c.field, c.in, shown, c.want)
			}
			zero := c.want == "false" || c.want == "0"
			if !strings.HasPrefix(c.want, "!") && set.Has(c.field) == (zero && !strings.HasPrefix(c.field, "Maybe")) {
				t.Errorf("%s %s %s: Has is %v", format, c.field, c.in, set.Has(c.field))
			}
		}
		d, err := ParseJSON([]byte(`{"` + c.field + `":` + c.in + `}`))
		check("JSON", d, err)
		one, _ := ParseJSON([]byte(c.in))
		if !one.IsObject() && !one.IsArray() && !strings.ContainsAny(one.Text(), "\x01") && c.in != `"x"` {
			d, err = ParseXML(append(AppendXMLText([]byte("<Any><"+c.field+">"), one.Text()), "</"+c.field+"></Any>"...))
			if c.in != "true" && c.in != "false" && c.field != "Day" { // XML has no types to refuse
				check("XML", d, err)
			}
		}
	}
}

// ofMember cuts one member out of an encoded object.
func ofMember(t *testing.T, b []byte, name string) string {
	t.Helper()
	d, err := ParseJSON(b)
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return string(d.Field(name).Raw())
}

// TestEmpties is decision 9: what null, nil, "" and an empty element mean.
func TestEmpties(t *testing.T) {
	full := full()
	shown := func(v *everything) string { return string(everythingSchema.AppendJSON(nil, v, nullJSON)) }
	for _, c := range []struct{ field, null, empty string }{ // what an update then shows, or !code; "=" for unchanged
		{"Text", "!required", "!required"}, {"Note", "null", "null"}, {"Kept", "!fixed", "!fixed"}, {"Status", "null", "null"},
		{"Flag", "false", "="}, {"Count", "0", "="}, {"Amount", "0", "="}, {"Rate", "0", "="}, {"Quantity", `"0.00000000"`, "="},
		{"CurrencyCode", "null", "="}, {"Day", "null", "="}, {"At", "null", "="}, {"Raw", "null", "="}, {"Bytes", "null", "="}, {"Tags", "null", "="},
		{"MaybeText", "null", "null"}, {"MaybeFlag", "null", "="}, {"MaybeCount", "null", "="}, {"MaybeAmount", "null", "="},
		{"Place", "null", "="}, {"Journey", "null", "="}, {"Lines", "[]", "="}, {"Custom1", `{"Type":"Text","Value":null,"Code":null}`, `{"Type":"Text","Value":null,"Code":null}`},
		{"ID", "=", "="},
	} {
		for form, body := range map[string]string{
			"null":  `{"` + c.field + `":null}`,
			`""`:    `{"` + c.field + `":""}`,
			"nil":   `<A xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><` + c.field + ` i:nil="true"/></A>`,
			"empty": `<A><` + c.field + `/></A>`,
		} {
			read := decode[everything]
			if body[0] == '<' {
				read = decodeXML[everything]
			}
			want := c.null
			if form == `""` || form == "empty" {
				want = c.empty
			}
			v := full
			set, problems := read(t, everythingSchema, body, &v, Update)
			got := ofMember(t, []byte(shown(&v)), c.field)
			switch {
			case len(problems) > 0:
				got = "!" + problems[0].Code
			case got == ofMember(t, []byte(shown(&full)), c.field):
				got = "="
			}
			if got != want {
				t.Errorf("update, %s of %s: got %s, want %s", form, c.field, got, want)
			}
			if set.Has(c.field) != (want != "=" && want[0] != '!') {
				t.Errorf("update, %s of %s: Has is %v", form, c.field, set.Has(c.field))
			}

			fresh := everything{}
			set, problems = read(t, everythingSchema, body, &fresh, Create)
			if !reflect.DeepEqual(fresh, everything{}) || !set.Empty() || listed(problems) != "Text required" {
				t.Errorf("create, %s of %s: %s, given %v, problems %s", form, c.field, shown(&fresh), set.Names(), listed(problems))
			}

			// What is empty already can be cleared again.
			fresh = everything{}
			set, problems = read(t, everythingSchema, body, &fresh, Update)
			if !reflect.DeepEqual(fresh, everything{}) || !set.Empty() || len(problems) > 0 {
				t.Errorf("update of nothing, %s of %s: %s, given %v, problems %s", form, c.field, shown(&fresh), set.Names(), listed(problems))
			}
		}
	}
}

// TestSendBackWhole is decision 9: a whole object sent back changes nothing.
func TestSendBackWhole(t *testing.T) {
	for _, st := range []*Style{nullJSON, omitJSON, storedJSON} {
		before, v := full(), full()
		before.At, v.At = before.At+45, v.At+45 // microseconds are not shown
		body := everythingSchema.AppendJSON(nil, &v, st)
		set, problems := decode(t, everythingSchema, string(body), &v, Update)
		if !set.Empty() || len(problems) > 0 || !reflect.DeepEqual(v, before) {
			t.Errorf("given %v, problems %v", set.Names(), problems)
		}
		if got := strings.Join(set.Ignored(), ","); got != "ID (read-only),Lines[0].LineItemID (read-only),Custom1.Type (read-only)" && st != nullJSON {
			t.Errorf("ignored %s", got)
		}
	}
	for _, st := range []*Style{seedXML, wireXML} {
		before, v := full(), full()
		body := everythingSchema.AppendXML(nil, "Report"+NilNamespace, &v, st)
		set, problems := decodeXML(t, everythingSchema, string(body), &v, Update)
		if !set.Empty() || len(problems) > 0 || !reflect.DeepEqual(v, before) {
			t.Errorf("given %v, problems %v", set.Names(), problems)
		}
	}
	v := full()
	if set, problems := decode(t, everythingSchema, `{}`, &v, Update); !set.Empty() || len(problems) > 0 {
		t.Errorf("{} gives %v, %v", set.Names(), problems)
	}
	if set, problems := decodeXML(t, everythingSchema, `<Report/>`, &v, Update); !set.Empty() || len(problems) > 0 {
		t.Errorf("<Report/> gives %v, %v", set.Names(), problems)
	}
}

func TestUpdateLeavesWhatStood(t *testing.T) {
	old := full()
	v := old // shallow, as an operation copies
	_, problems := decode(t, everythingSchema, `{"Tags":["new"],"Bytes":"AAAA","Raw":[],"Lines":[{"Name":"n","Amount":5}],"Journey":{"Stops":[{"Name":"Z"}]}}`, &v, Update)
	if len(problems) > 0 || !reflect.DeepEqual(old, full()) {
		t.Errorf("problems %v, the old record is now %+v", problems, old)
	}
	if v.Tags[0] != "new" || len(v.Lines) != 1 || v.Lines[0].Name != "n" || v.Journey.V.Unit != "K" || v.Journey.V.Stops[0].Name != "Z" {
		t.Errorf("the new record is %+v", v)
	}
}

func TestProblemsHavePaths(t *testing.T) {
	for _, c := range []struct {
		body string
		mode Mode
		want string
	}{
		{`{"Text":"x"}`, Create, ""},
		{`{}`, Create, "Text required"},
		{`{}`, Query, "Text required"},
		{`{}`, Stored, ""},
		{`{"Text":{}}`, Create, "Text type"},
		{`{"Text":"x","Lines":[{"Name":"a"},{"Amount":"x","Custom2":{"Value":[]}},{}]}`, Create,
			"Lines[1].Amount type | Lines[1].Custom2.Value type | Lines[1].Name required | Lines[2].Name required"},
		{`{"Text":"x","Journey":{"Distance":"far","Stops":[{"Name":"a"},{"Home":true}]}}`, Create,
			"Journey.Distance type | Journey.Stops[1].Name required | Journey.UnitOfMeasure required"},
		{`{"Journey":{}}`, Update, "Journey.UnitOfMeasure required"}, // made anew by the update
		{`{"Journey":{"UnitOfMeasure":"MILE"}}`, Update, "Journey.UnitOfMeasure enum"},
		{`{"Kept":"other"}`, Update, "Kept fixed"},
		{`{"Lines":[{"Name":""}]}`, Update, "Lines[0].Name required"},
		{`[{"Text":"x"}]`, Create, " type"},
		{`"x"`, Create, " type"},
		{`null`, Create, " type"},
		{`{"Tags":["ok",{}]}`, Update, "Tags[1] type"},
	} {
		v := everything{}
		if _, problems := decode(t, everythingSchema, c.body, &v, c.mode); listed(problems) != c.want {
			t.Errorf("%s: got %s, want %s", c.body, listed(problems), c.want)
		}
	}
	var b strings.Builder
	for i := range 150 {
		fmt.Fprintf(&b, `,{"Amount":"%d x"}`, i)
	}
	v := everything{}
	_, problems := decode(t, everythingSchema, `{"Lines":[{}`+b.String()+`]}`, &v, Update)
	if len(problems) != errs.MaxFields {
		t.Errorf("%d problems are listed", len(problems))
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		body          string
		exact         bool
		note, ignored string
	}{
		{`{"Note":"a"}`, false, "a", ""},
		{`{"note":"a"}`, false, "a", ""},
		{`{"note":"a"}`, true, "", "note"},
		{`{"Remark":"a"}`, true, "a", ""},
		{`{"REMARK":"a"}`, false, "a", ""},
		{`{"note":"a","Note":"b"}`, false, "b", "note"},
		{`{"Remark":"a","Note":"b"}`, true, "b", "Remark"},
		{`{"NOTE":"a","note":"b"}`, false, "a", "note"},
		{`{"NOTE":"a","note":"b","Remark":"c","Note":"d","nOTE":"e"}`, false, "d", "NOTE,note,Remark,nOTE"},
		{`{"N\u006fte":"a"}`, true, "a", ""},
		{`{"credtype ":"a","ID":"x","Place":{"Zip":1}}`, false, "", "credtype ,ID (read-only),Place.Zip"},
	} {
		s := everythingSchema
		if c.exact {
			s = s.Exact()
		}
		v := everything{}
		set, problems := decode(t, s, c.body, &v, Update)
		if v.Note != c.note || strings.Join(set.Ignored(), ",") != c.ignored || len(problems) > 0 {
			t.Errorf("%s: Note %q, ignored %q, problems %v", c.body, v.Note, set.Ignored(), problems)
		}
	}
	v := everything{}
	set, _ := decode(t, everythingSchema, `{"`+strings.Repeat("n", 1000)+`":1}`, &v, Update)
	if len(set.Ignored()[0]) > 80 {
		t.Errorf("a long name is noted as %s", set.Ignored()[0])
	}
}

// TestLists is decision 14: the shapes in which a list comes.
func TestLists(t *testing.T) {
	want := []line{{Name: "a"}, {Name: "b"}}
	for _, body := range []string{
		`{"Lines":[{"Name":"a"},{"Name":"b"}]}`,
		`{"Lines":[{"Name":"a"},null,{"Name":"b"}]}`,
		`{"Lines":{"Line":[{"Name":"a"},{"Name":"b"}]}}`,
		`<R><Lines><Name>a</Name></Lines><Lines><Name>b</Name></Lines></R>`,
		`<R><Lines><Name>a</Name></Lines><Text>x</Text><Lines><Name>b</Name></Lines></R>`,
		`<R><Lines><Line><Name>a</Name></Line><Line><Name>b</Name></Line></Lines></R>`,
		`<R><Lines><Line><Name>a</Name></Line></Lines><Lines><Name>b</Name></Lines></R>`,
		`<R><Lines> <Line><Name>a</Name></Line> <Line i:nil="true"/> <Line><Name>b</Name></Line> </Lines></R>`,
		`Lines[0][Name]=a&Lines[1][Name]=b`,
		`Lines[10][Name]=b&Lines[9][Name]=a`,
		`Lines[][Name]=a&Lines[][Name]=b`,
		`Lines[4000000000][Name]=a&Lines[99999999999999999999][Name]=b`,
		`Lines%5B0%5D%5BName%5D=a&Lines[x][Name]=ignored&Lines[1][Name]=b`,
	} {
		v := everything{}
		var d *Document
		var err error
		switch body[0] {
		case '{':
			d, err = ParseJSON([]byte(body))
		case '<':
			d, err = ParseXML([]byte(body))
		default:
			d, err = ParseForm(body)
		}
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		_, problems := everythingSchema.Decode(d, &v, Update)
		if strings.Contains(body, "ignored") { // mixed keys are members, not items
			if listed(problems) != "Lines[0].Name required" {
				t.Errorf("%s: %v", body, problems)
			}
			continue
		}
		if len(problems) > 0 || !reflect.DeepEqual(v.Lines, want) {
			t.Errorf("%s: %+v, %v", body, v.Lines, problems)
		}
	}
	for _, body := range []string{`{"Lines":{"Name":"a"}}`, `<R><Lines><Name>a</Name></Lines></R>`, `<R><lines><line><name>a</name></line></lines></R>`} {
		v := everything{}
		read := decode[everything]
		if body[0] == '<' {
			read = decodeXML[everything]
		}
		if _, problems := read(t, everythingSchema, body, &v, Update); len(problems) > 0 || len(v.Lines) != 1 || v.Lines[0].Name != "a" {
			t.Errorf("%s: %+v, %v", body, v.Lines, problems)
		}
	}
	v := everything{Lines: make([]line, 2)}
	if set, problems := decode(t, everythingSchema, `{"Lines":[]}`, &v, Update); !set.Has("Lines") || len(v.Lines) != 0 || len(problems) > 0 {
		t.Errorf("[] gives %v, %v, %v", v.Lines, set.Names(), problems)
	}
}

// tree2 has a list whose items have the list's name and a member of that name.
type tree2 struct{ Line []tree2Line }
type tree2Line struct {
	Line  string
	Total value.Money
}

func TestItemNamedAsItsMember(t *testing.T) {
	s := Bind("tree", func(v *tree2, f *Fields) {
		List(f, "Line", &v.Line, func(l *tree2Line, f *Fields) {
			f.Text("Line", &l.Line, "")
			f.Money("Total", &l.Total, "")
		}, "")
	})
	for _, body := range []string{
		`<R><Line><Line>a</Line><Total>1</Total></Line></R>`,
		`<R><Line><Line><Line>a</Line><Total>1</Total></Line></Line></R>`,
	} {
		v := tree2{}
		if _, problems := decodeXML(t, s, body, &v, Create); len(problems) > 0 || len(v.Line) != 1 || v.Line[0] != (tree2Line{"a", 1_0000}) {
			t.Errorf("%s: %+v, %v", body, v, problems)
		}
	}
}

type keyed struct{ Items []keyedItem }
type keyedItem struct {
	ID, Name, Note string
	N              int64
}

func TestKeyedListsOverlay(t *testing.T) {
	s := Bind("keyed", func(v *keyed, f *Fields) {
		List(f, "Items", &v.Items, func(i *keyedItem, f *Fields) {
			f.Text("ID", &i.ID, "", ReadOnly)
			f.Text("Name", &i.Name, "", RequiredOnCreate)
			f.Text("Note", &i.Note, "")
			f.Int("N", &i.N, "")
		}, "", Key("ID"))
	})
	old := keyed{[]keyedItem{{"1", "one", "n1", 1}, {"2", "two", "n2", 2}}}
	v := old
	set, problems := decode(t, s, `{"Items":[{"ID":"2","Note":null},{"Name":"new"}]}`, &v, Update)
	want := []keyedItem{{"2", "two", "", 2}, {"", "new", "", 0}}
	if len(problems) > 0 || !set.Has("Items") || !reflect.DeepEqual(v.Items, want) || old.Items[1].Note != "n2" {
		t.Errorf("%+v, old %+v, %v", v, old, problems)
	}
	v = old
	if _, problems = decode(t, s, `{"Items":[{"ID":"3"}]}`, &v, Update); listed(problems) != "Items[0].Name required" {
		t.Errorf("%v", problems)
	}
}

// TestCustoms is decision 13: strings and objects come in, and replace the whole.
func TestCustoms(t *testing.T) {
	start := custom{Type: "List", Value: "old", Code: "O"}
	for _, c := range []struct {
		in    string
		want  custom
		given bool
	}{
		{`"new"`, custom{"List", "new", ""}, true},
		{`"old"`, start, false},
		{`{"Value":"new"}`, custom{"List", "new", ""}, true},
		{`{"Type":"x","Value":"old","Code":"O"}`, start, false},
		{`{"Code":"N"}`, custom{"List", "", "N"}, true},
		{`null`, custom{"List", "", ""}, true},
		{`""`, custom{"List", "", ""}, true},
	} {
		v := everything{Custom: [3]custom{start}}
		set, problems := decode(t, everythingSchema, `{"Custom1":`+c.in+`}`, &v, Update)
		if len(problems) > 0 || v.Custom[0] != c.want || set.Has("Custom1") != c.given {
			t.Errorf("%s: %+v, given %v, %v", c.in, v.Custom[0], set.Names(), problems)
		}
	}
}

func TestFixedCompounds(t *testing.T) {
	type fixedly struct {
		Place place2
		Group value.Opt[place2]
		Lines []stop
		Tags  []string
		At    value.Instant
		Raw   RawJSON
	}
	s := Bind("fixedly", func(v *fixedly, f *Fields) {
		Object(f, "Place", &v.Place, (*place2).bind, "", FixedAfterCreate)
		Group(f, "Group", &v.Group, (*place2).bind, "", FixedAfterCreate)
		List(f, "Lines", &v.Lines, (*stop).bind, "", FixedAfterCreate)
		f.Texts("Tags", &v.Tags, "", FixedAfterCreate)
		f.Instant("At", &v.At, "", FixedAfterCreate)
		f.Raw("Raw", &v.Raw, "", FixedAfterCreate)
	})
	start := fixedly{place2{"Kiel", "DE"}, value.Some(place2{"Rom", "IT"}), []stop{{"a", true}}, []string{"t"}, 1710143792120045, RawJSON("1")}
	for _, c := range []struct{ in, want string }{
		{`{"Place":{"City":"Kiel"},"Group":{"Country":"IT"},"Lines":[{"Name":"a","Home":1}],"Tags":["t"],"At":"2024-03-11T07:56:32.12","Raw":1}`, ""},
		{`{"Place":{"City":"Bonn"},"Group":{"Country":"FR"},"Lines":[],"Tags":["t","u"],"At":"2024-03-11T07:56:33","Raw":2}`,
			"Place fixed | Group fixed | Lines fixed | Tags fixed | At fixed | Raw fixed"},
		{`{"Place":null,"Group":null,"Lines":null,"Tags":null,"At":null,"Raw":null}`,
			"Place fixed | Group fixed | Lines fixed | Tags fixed | At fixed | Raw fixed"},
	} {
		v := start
		set, problems := decode(t, s, c.in, &v, Update)
		if listed(problems) != c.want || c.want == "" && (!set.Empty() || !reflect.DeepEqual(v, start)) {
			t.Errorf("%s: %s, given %v", c.in, listed(problems), set.Names())
		}
	}
}

func TestLimits(t *testing.T) {
	type limited struct {
		Few  []stop
		Many []stop
		Text string
		Big  []byte
		Tags []string
	}
	s := Bind("limited", func(v *limited, f *Fields) {
		List(f, "Few", &v.Few, (*stop).bind, "", Max(2))
		List(f, "Many", &v.Many, (*stop).bind, "")
		f.Text("Text", &v.Text, "")
		f.Bytes("Big", &v.Big, "", Max(100_000))
		f.Texts("Tags", &v.Tags, "", Max(2), Enum("a", "b", "ccc"))
	})
	long := strings.Repeat("x", 64<<10)
	for _, c := range []struct{ body, want string }{
		{`{"Few":[{"Name":"a"},{"Name":"a"},{"Name":"a"}]}`, "Few limit"},
		{`{"Many":[` + strings.Repeat(`{"Name":"a"},`, 1000) + `{"Name":"a"}]}`, "Many limit"},
		{`{"Text":"` + long + `"}`, ""},
		{`{"Text":"` + long + `x"}`, "Text tooLong"},
		{`{"Big":"` + strings.Repeat("AAAA", 33_000) + `"}`, ""},
		{`{"Big":"` + strings.Repeat("AAAA", 34_000) + `"}`, "Big tooLong"},
		{`{"Tags":["A","b","ccc","d"]}`, "Tags[2] tooLong | Tags[3] enum"},
		{`{"unknown":"` + long + long + `","n":` + strings.Repeat("1", 1000) + `}`, ""},
	} {
		v := limited{}
		if _, problems := decode(t, s, c.body, &v, Create); listed(problems) != c.want {
			t.Errorf("%.60s: %s, want %s", c.body, listed(problems), c.want)
		}
	}
	v := limited{}
	if _, problems := decode(t, s, `{"Text":"`+long+`x","Few":[{},{},{}]}`, &v, Stored); len(problems) > 0 || len(v.Few) != 3 {
		t.Errorf("what is stored is refused: %s", listed(problems))
	}
}

func TestStoredLosesNothing(t *testing.T) {
	v := full()
	v.At += 45
	v.Custom[1].Type = "read-only fields are stored too"
	var back everything
	set, problems := decode(t, everythingSchema, string(everythingSchema.AppendJSON(nil, &v, storedJSON)), &back, Stored)
	if len(problems) > 0 || !reflect.DeepEqual(v, back) || len(set.Ignored()) > 0 {
		t.Errorf("problems %v\n got %+v\nwant %+v", problems, back, v)
	}
}

func TestEpochLayout(t *testing.T) {
	type at struct{ At value.Instant }
	s := Bind("at", func(v *at, f *Fields) { f.Instant("At", &v.At, "", Layout(EpochMillis)) })
	for in, want := range map[string]string{`1710143792123`: "", `"1710143792123"`: "", `"2024-03-11T07:56:32.123Z"`: "", `9e99`: "At date", `99999999999999999`: "At date"} {
		v := at{}
		_, problems := decode(t, s, `{"At":`+in+`}`, &v, Create)
		if listed(problems) != want || want == "" && v.At != 1710143792123000 {
			t.Errorf("%s: %d, %s", in, v.At, listed(problems))
		}
	}
}

func TestBindRefuses(t *testing.T) {
	type small struct {
		A, B string
		L    []place2
	}
	var outside string
	for name, c := range map[string]struct {
		bind func(*small, *Fields)
		want string
	}{
		"outside":       {func(v *small, f *Fields) { f.Text("Lost", &outside, "") }, `"Lost" is bound to an address outside`},
		"nil":           {func(v *small, f *Fields) { f.Text("Nothing", nil, "") }, `"Nothing" is bound to an address outside`},
		"beyond":        {func(v *small, f *Fields) { Repeat(f, "C", make([]place2, 2), (*place2).bind, "") }, `"C1" is bound to an address outside`},
		"twice":         {func(v *small, f *Fields) { f.Text("A", &v.A, ""); f.Text("A", &v.B, "") }, `"A" is bound twice`},
		"alias twice":   {func(v *small, f *Fields) { f.Text("A", &v.A, "", Alias("B")); f.Text("B", &v.B, "") }, `"B" is bound twice`},
		"no name":       {func(v *small, f *Fields) { f.Text("", &v.A, "") }, "is not a name"},
		"bad name":      {func(v *small, f *Fields) { f.Text("a<b", &v.A, "") }, "is not a name"},
		"required":      {func(v *small, f *Fields) { f.Text("A", &v.A, "", ReadOnly, RequiredOnCreate) }, `"A" is read-only`},
		"enum":          {func(v *small, f *Fields) { f.Currency("A", (*value.Currency)(&v.A), "", Enum("x")) }, "enumeration"},
		"layout":        {func(v *small, f *Fields) { f.Text("A", &v.A, "", Layout(ISODate)) }, "layout"},
		"decimals":      {func(v *small, f *Fields) { f.Text("A", &v.A, "", Decimals(2)) }, "decimals"},
		"scalar":        {func(v *small, f *Fields) { f.Text("A", &v.A, "", ScalarInput("X")) }, "scalar input"},
		"key":           {func(v *small, f *Fields) { List(f, "L", &v.L, (*place2).bind, "", Key("Nowhere")) }, `"Nowhere"`},
		"wrapped":       {func(v *small, f *Fields) { f.Text("A", &v.A, "", Wrapped) }, "wrapped"},
		"nil list":      {func(v *small, f *Fields) { List(f, "L", nil, (*place2).bind, "") }, `"L" is bound to an address outside`},
		"nil group":     {func(v *small, f *Fields) { Group(f, "G", nil, (*place2).bind, "") }, `"G" is bound to an address outside`},
		"scalar absent": {func(v *small, f *Fields) { List(f, "L", &v.L, (*place2).bind, "", ScalarInput("Zip")) }, `"Zip"`},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) || !strings.Contains(got, "small") {
					t.Errorf("panics with %q, want %q", got, c.want)
				}
			}()
			Bind("small", c.bind)
		})
	}
}

type endless struct{ Children []endless }

func (e *endless) bind(f *Fields) { List(f, "Children", &e.Children, (*endless).bind, "") }

func TestEndlessBinding(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "contains itself") {
			t.Errorf("panics with %q", got)
		}
	}()
	Bind("endless", (*endless).bind)
}

func TestDescribe(t *testing.T) {
	list := everythingSchema.Describe()
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s:%s:%s", d.Name, d.Type, d.Format)
		for _, f := range []struct {
			on   bool
			name string
		}{{d.ReadOnly, "ro"}, {d.Required, "req"}, {d.Fixed, "fix"}, {d.Nullable, "null"}, {d.Max > 0, "max"}, {len(d.Enum) > 0, "enum"}} {
			if f.on {
				b.WriteString(" " + f.name)
			}
		}
		if d.TypeName != "" {
			fmt.Fprintf(&b, " %s(%d)", d.TypeName, len(d.Children))
		}
		if d.ItemType != "" {
			fmt.Fprintf(&b, " of %s %s", d.ItemType, d.Item)
		}
		b.WriteString("; ")
	}
	want := "ID:string: ro null; Text:string: req null max; Note:string: null; Kept:string: fix null; Status:string: null enum; Flag:boolean:; Count:integer:int64; " +
		"Amount:number:decimal; Rate:number:decimal; Quantity:string:decimal; CurrencyCode:string: null; Day:string:date null; At:string:date-time null; Raw:: null; " +
		"Bytes:string:byte null; Tags:array: null of string Tag; MaybeText:string: null; MaybeFlag:boolean: null; MaybeCount:integer:int64 null; MaybeAmount:number:decimal null; " +
		"MaybeRate:number:decimal null; MaybePart:number:decimal null; Place:object: null place2(2); Journey:object: null journey(3); Lines:array: line(5) of object Line; " +
		"Custom1:object: null custom(3); Custom2:object: null custom(3); Custom3:object: null custom(3); "
	if b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
	if list[1].Doc != "Some text." || list[2].Aliases[0] != "Remark" || list[4].Enum[1] != "CLOSED" || list[25].Scalar != "Value" {
		t.Errorf("%+v", list[:5])
	}
}
