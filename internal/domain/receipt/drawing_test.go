package receipt_test

import (
	"bytes"
	"encoding/json"
	"image/png"
	"testing"

	"quittance/internal/domain/imaging/document"
)

// TestDrawn: each sample, and each with members of all the wrong kinds that no schema
// declares, ends as a PDF that opens and as a PNG.
func TestDrawn(t *testing.T) {
	w := onSQLite(t)
	for _, kind := range samples {
		odd := parsed(t, sample(t, kind)).(map[string]any)
		for _, name := range []string{"fare", "guests2", "tip", "notes", "lineItemsTotal"} {
			odd[name] = []any{map[string]any{"amount": []any{nil, true}}, "\u0627\u0644 \u3042 \U0001F600", 1e300}
		}
		changed, err := json.Marshal(odd)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range [][]byte{sample(t, kind), changed} {
			id := w.postReceipt(t, kind, receiptPosting("ann", kind, body))
			w.work(t)
			w.wantStatus(t, id, "PROCESSED", accepted, initiated, generated, finished)
			pdf := w.file(t, "/receipts/v4/"+id+"/image", "", "application/pdf")
			if _, err := document.Check(t.Context(), w.Sandbox, document.Part{Type: document.PDF, Bytes: bytes.NewReader(pdf)}); err != nil {
				t.Errorf("%s: the PDF does not open: %v", kind, err)
			}
			if _, err := png.Decode(bytes.NewReader(w.file(t, "/receipts/v4/"+id+"/image", "image/png", "image/png"))); err != nil {
				t.Errorf("%s: the PNG does not open: %v", kind, err)
			}
		}
	}
	for _, body := range []string{v3General, v3Hotel, v3Ride} {
		number := w.postV3(t, "company", "application/json", body)
		w.work(t)
		w.wantStatus(t, w.read(t, "ann", number).ID, "PROCESSED", accepted, initiated, generated, finished)
	}
}

// BenchmarkReceipt posts a receipt, has it drawn and reads it.
func BenchmarkReceipt(b *testing.B) {
	w := onSQLite(b)
	body := sample(b, "hotel-receipt")
	for b.Loop() {
		id := w.postReceipt(b, "hotel-receipt", receiptPosting("ann", "hotel-receipt", body))
		w.work(b)
		w.get(b, 200, "ann", "/receipts/v4/"+id)
	}
}
