package invoice_test

import (
	"strings"
	"testing"

	"quittance/internal/domain/imaging/document"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/invoice"
	"quittance/internal/kernel/store"
)

func TestMain(m *testing.M) { Main(m, document.Jobs()) }

func TestPaymentRequestTakesOneImage(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		w.WriteTx(t, func(tx *store.Tx) error { return invoice.SeedDemo(tx, Company, Ivan) })
		at := func(version, id string) string { return "/api/image/" + version + "/invoice/" + id }
		for i, c := range []struct {
			method, path, token string
			status              int
			says                string
		}{
			{"GET", at("v1.0", invoice.SeededPaymentRequest), "ivan", 404, "No image"},
			{"POST", at("v1.0", invoice.SeededPaymentRequest), "ann", 404, ""},
			{"POST", at("v1.0", invoice.SeededPaymentRequest), "eve", 404, ""},
			{"POST", at("v1.0", "00000000000000000000"), "ivan", 404, ""},
			{"POST", at("v1.1", invoice.SeededPaymentRequest), "ivan", 201, invoice.SeededPaymentRequest},
			{"POST", at("v1.0", invoice.SeededPaymentRequest), "ivan", 400, "An image is already attached"},
			{"POST", at("v1.0", invoice.SeededPaymentRequest), "cora", 400, "An image is already attached"},
			{"GET", at("v1.0", invoice.SeededPaymentRequest), "ivan", 200, "<Url>" + PublicURL + "/file/"},
			{"GET", at("v1.1", invoice.SeededPaymentRequest), "wes", 200, "<Url>" + PublicURL + "/file/"},
			{"GET", at("v1.0", invoice.SeededPaymentRequest), "bob", 404, ""},
		} {
			q := Request{Method: c.method, Path: c.path, Token: c.token}
			if c.method == "POST" {
				q.Body = JPEG(uint64(i))
			}
			r := w.Do(q)
			if body := Text(r); r.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%s %s as %s: %d %s, want %d %s", c.method, c.path, c.token, r.StatusCode, body, c.status, c.says)
			}
		}
		if n := w.Count(t, "attachment WHERE kind = 'payment-request' AND owner_id = ?", Ivan); n != 1 {
			t.Errorf("%d attachments, want 1", n)
		}
	}, PaymentRequests(invoice.ImageHolder{}))
}
