package receipt

import (
	"os"
	"path/filepath"
	"testing"

	"quittance/internal/kernel/wire"
)

// BenchmarkCheck holds the samples against their schemas, parsing included.
func BenchmarkCheck(b *testing.B) {
	s := &Service{schemas: compileSchemas()}
	for _, kind := range []string{"general-receipt", "hotel-receipt", "air-receipt"} {
		body, err := os.ReadFile(filepath.Join("testdata", "samples", kind+".json"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := wire.ParseJSON(body)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.check(kind, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompileSchemas(b *testing.B) {
	for b.Loop() {
		compileSchemas()
	}
}
