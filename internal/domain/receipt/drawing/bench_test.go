package drawing

import (
	"context"
	"testing"
)

// BenchmarkPDF draws receipts one after the other on one worker; ns/op is for one.
func BenchmarkPDF(b *testing.B) { bench(b, (*Renderer).PDF) }

// BenchmarkPNG is the same for PNG.
func BenchmarkPNG(b *testing.B) { bench(b, (*Renderer).PNG) }

func bench(b *testing.B, draw func(*Renderer, context.Context, *Input) ([]byte, error)) {
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
