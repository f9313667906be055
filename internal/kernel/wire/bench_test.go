package wire

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"testing"

	"quittance/internal/kernel/value"
)

// ten has ten fields; wide embeds it eight times by value: 80 fields as a report
// or an entry has them.
type ten struct {
	Name, Code, Comment, Empty string
	Flag                       bool
	Count                      int64
	Amount, Tax                value.Money
	Day                        value.Date
	At                         value.Instant
}

type wide struct{ Part [8]ten }

func (w *wide) bind(f *Fields) {
	for i := range w.Part {
		p, n := &w.Part[i], fmt.Sprint(i+1)
		f.Text("Name"+n, &p.Name, "")
		f.Text("Code"+n, &p.Code, "")
		f.Text("Comment"+n, &p.Comment, "")
		f.Text("Empty"+n, &p.Empty, "", NotNull)
		f.Bool("Flag"+n, &p.Flag, "")
		f.Int("Count"+n, &p.Count, "")
		f.Money("Amount"+n, &p.Amount, "")
		f.Money("Tax"+n, &p.Tax, "")
		f.Date("Day"+n, &p.Day, "")
		f.Instant("At"+n, &p.At, "")
	}
}

var wideSchema = Bind("wide", (*wide).bind)

// tagged is the same record for the standard library, with times as finished text
// and amounts as floats, which costs it the least.
type tagged struct {
	Name1, Code1, Comment1, Empty1 string
	Flag1                          bool
	Count1                         int64
	Amount1, Tax1                  float64
	Day1, At1                      string
	Name2, Code2, Comment2, Empty2 string
	Flag2                          bool
	Count2                         int64
	Amount2, Tax2                  float64
	Day2, At2                      string
	Name3, Code3, Comment3, Empty3 string
	Flag3                          bool
	Count3                         int64
	Amount3, Tax3                  float64
	Day3, At3                      string
	Name4, Code4, Comment4, Empty4 string
	Flag4                          bool
	Count4                         int64
	Amount4, Tax4                  float64
	Day4, At4                      string
	Name5, Code5, Comment5, Empty5 string
	Flag5                          bool
	Count5                         int64
	Amount5, Tax5                  float64
	Day5, At5                      string
	Name6, Code6, Comment6, Empty6 string
	Flag6                          bool
	Count6                         int64
	Amount6, Tax6                  float64
	Day6, At6                      string
	Name7, Code7, Comment7, Empty7 string
	Flag7                          bool
	Count7                         int64
	Amount7, Tax7                  float64
	Day7, At7                      string
	Name8, Code8, Comment8, Empty8 string
	Flag8                          bool
	Count8                         int64
	Amount8, Tax8                  float64
	Day8, At8                      string
}

func page() []wide {
	rows := make([]wide, 25)
	for i := range rows {
		for j := range rows[i].Part {
			rows[i].Part[j] = ten{Name: fmt.Sprintf("Name of thing %d", i), Code: "EXPRPT", Comment: "Größe & weight of a longer remark, as people write them",
				Flag: i%2 == 0, Count: int64(i * j), Amount: value.Money(1234567 + i), Tax: value.Money(190000 * i), Day: 20240311, At: 1710143792120000}
		}
	}
	return rows
}

func taggedPage(tb testing.TB) []tagged {
	rows := page()
	out := make([]tagged, len(rows))
	for i := range rows {
		if err := json.Unmarshal(wideSchema.AppendJSON(nil, &rows[i], nullJSON), &out[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

func pageJSON(dst []byte, rows []wide) []byte {
	dst = append(dst, `{"Items":[`...)
	for i := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = wideSchema.AppendJSON(dst, &rows[i], nullJSON)
	}
	return append(dst, "]}"...)
}

// TestEqualOutput keeps the comparison fair: both write the same bytes.
func TestEqualOutput(t *testing.T) {
	rows := page()
	theirs, err := json.Marshal(struct{ Items []tagged }{taggedPage(t)})
	if err != nil {
		t.Fatal(err)
	}
	ours := string(pageJSON(nil, rows))
	unescaped, _ := json.Marshal("&")
	if got := len(theirs) - (len(unescaped)-3)*25*8; got != len(ours) { // encoding/json writes & as \u0026
		t.Errorf("ours has %d bytes, theirs %d", len(ours), got)
	}
}

func BenchmarkJSON(b *testing.B) {
	rows, buf := page(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = pageJSON(buf[:0], rows)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkEncodingJSON(b *testing.B) {
	rows := taggedPage(b)
	b.ReportAllocs()
	for b.Loop() {
		out, err := json.Marshal(struct{ Items []tagged }{rows})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}

func benchmarkXML(b *testing.B, st *Style) {
	rows, buf := page(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = buf[:0]
		for i := range rows {
			buf = wideSchema.AppendXML(buf, "Items", &rows[i], st)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkXML(b *testing.B)         { benchmarkXML(b, seedXML) }
func BenchmarkXMLObserved(b *testing.B) { benchmarkXML(b, wireXML) }

func BenchmarkEncodingXML(b *testing.B) {
	rows := taggedPage(b)
	b.ReportAllocs()
	for b.Loop() {
		out, err := xml.Marshal(rows)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}

func BenchmarkParseDecodeJSON(b *testing.B) {
	rows := page()
	body := wideSchema.AppendJSON(nil, &rows[3], nullJSON)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v wide
		d, err := ParseJSON(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, problems := wideSchema.Decode(d, &v, Create); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkEncodingJSONUnmarshal(b *testing.B) {
	rows := page()
	body := wideSchema.AppendJSON(nil, &rows[3], nullJSON)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v tagged
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseDecodeXML(b *testing.B) {
	rows := page()
	body := wideSchema.AppendXML(nil, "Report", &rows[3], seedXML)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var v wide
		d, err := ParseXML(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, problems := wideSchema.Decode(d, &v, Create); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
