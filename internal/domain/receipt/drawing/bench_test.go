package drawing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkPDF draws receipts one after the other on one worker; ns/op is for one.
func BenchmarkPDF(b *testing.B) { bench(b, (*Renderer).PDF) }

// BenchmarkPDFOfNews draws receipts of 12 items whose texts and amounts were not seen
// before, so that nothing is known of their words.
func BenchmarkPDFOfNews(b *testing.B) {
	r, err := New(Options{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := make([]byte, 3+random.IntN(8))
		for i := range w {
			w[i] = "aaeeiioottnnsshrdlucmfwypvbgkjqxz"[random.IntN(33)]
		}
		return string(w)
	}
	words := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = word()
		}
		return strings.Join(all, " ")
	}
	amount := func() string { return fmt.Sprintf("%d.%02d", random.IntN(5000), random.IntN(100)) }
	news := make([]Input, 500)
	for n := range news {
		var items []string
		for i := range 12 {
			items = append(items, fmt.Sprintf(`{"sequenceNumber":%d,"description":%q,"reference":%q,"quantity":%d,"unitCost":%q,"total":%q}`,
				i, words(4), word(), random.IntN(40), amount(), amount()))
		}
		news[n] = Input{ID: fmt.Sprintf("%032x", n), Type: "general-receipt", Traveller: words(2), Received: 1, JSON: fmt.Appendf(nil,
			`{"dateTime":"2024-03-11T12:42:10+0100","total":%q,"subtotal":%q,"taxesTotal":%q,"currencyCode":"EUR","reference":%q,"seller":{"name":%q,"location":{"address":{"addressCountry":"DE","streetAddress":%q,"addressLocality":%q}}},"payments":[{"amount":%q}],"lineItems":[%s]}`,
			amount(), amount(), amount(), word(), words(3), words(2), word(), amount(), strings.Join(items, ","))}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := r.PDF(context.Background(), news[n%len(news)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}

// BenchmarkPNG is the same for PNG.
func BenchmarkPNG(b *testing.B) { bench(b, (*Renderer).PNG) }

func bench(b *testing.B, draw func(*Renderer, context.Context, Input) ([]byte, error)) {
	for _, name := range []string{"general-sample", "hotel-sample", "air-sample", "hotel-japanese", "general-mixed", "general-80-lines"} {
		b.Run(name, func(b *testing.B) {
			r, err := New(Options{Workers: 1})
			if err != nil {
				b.Fatal(err)
			}
			in := inputOf(b, "testdata/receipts/"+name+".json")
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				out, err := draw(r, context.Background(), in)
				if err != nil {
					b.Fatal(err)
				}
				size = len(out)
			}
			b.ReportMetric(float64(size), "bytes")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
		})
	}
}
