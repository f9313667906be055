package scale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"image/png"
	"time"

	"quittance/internal/domain/imaging/document"
	"quittance/internal/domain/receipt/drawing"
)

// poolSize is how many files all images of the year share.
const poolSize = 64

// photograph fills the pool: receipts that are drawn, one in eight as the JPEG that
// a camera would have made of it.
func (y *year) photograph() error {
	type amount = json.Number
	for n := range poolSize {
		total := 400 + y.rand.IntN(40_000)
		tax := total / 11
		cents := func(c int) amount { return amount(fmt.Sprintf("%d.%02d", c/100, c%100)) }
		body, err := json.Marshal(map[string]any{
			"reference": fmt.Sprintf("R-%04d", n+1), "dateTime": fmt.Sprintf("%d-%02d-%02dT12:%02d:00+01:00", Year, 1+y.rand.IntN(12), 1+y.rand.IntN(28), y.rand.IntN(60)),
			"total": cents(total), "subtotal": cents(total - tax), "taxesTotal": cents(tax), "currencyCode": one(y.rand, offices).currency,
			"seller":    map[string]any{"name": one(y.rand, companies), "location": map[string]any{"address": map[string]any{"addressLocality": "Harbourtown", "streetAddress": fmt.Sprintf("%d Quay Street", 1+y.rand.IntN(99)), "addressCountry": "GB"}}},
			"lineItems": []map[string]any{{"sequenceNumber": 1, "description": one(y.rand, spendings).text, "quantity": 1, "amount": cents(total - tax)}},
			"payments":  []map[string]any{{"source": "Cash", "amount": cents(total)}},
		})
		if err != nil {
			return err
		}
		in := drawing.Input{ID: fmt.Sprintf("%032x", n+1), Type: "general-receipt", JSON: body, Traveller: one(y.rand, lastNames), Received: instant(time.January, 1, 8)}
		file, err := y.drawn(in, n%8 == 0)
		if err != nil {
			return err
		}
		f, err := y.Imaging.Keep(y.ctx, y.Company, bytes.NewReader(file), []document.Type{document.PDF, document.JPEG}, int64(len(file)))
		if err != nil {
			return err
		}
		y.pool = append(y.pool, f)
	}
	return nil
}

// drawn draws a receipt as a PDF, or as a JPEG.
func (y *year) drawn(in drawing.Input, photo bool) ([]byte, error) {
	if !photo {
		return y.Draw.PDF(y.ctx, in)
	}
	b, err := y.Draw.PNG(y.ctx, in)
	if err != nil {
		return nil, err
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: 60})
	return out.Bytes(), err
}
