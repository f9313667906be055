package app_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/config"
)

// TestLimits: what an operator sets is what the calls take, and what the document says.
func TestLimits(t *testing.T) {
	clock := new(app.Clock)
	server := apptest.Start(t, func(o *app.Options) {
		o.Clock = clock
		o.Limits.Body, o.Limits.Image, o.Limits.ReceiptImage, o.Limits.LinkLife = 2<<10, 20<<10, 40<<10, time.Minute
		o.Limits.Receipt, o.Limits.QuickExpenseRate = 30<<10, config.Rate{Calls: 3, Per: time.Minute}
	})
	ann := apptest.SignIn(t, server, "ann")
	r := rand.New(rand.NewPCG(6, 6))
	post := func(path string, size int) int {
		t.Helper()
		status, _, _ := exchange(t, ann, "POST", path, "image/jpeg", string(photo(r, size)))
		return status
	}
	for _, c := range []struct {
		path string
		size int
		want int
	}{
		{"/api/image/v1.0/receipt", 19 << 10, 201}, {"/api/image/v1.0/receipt", 21 << 10, 413}, {"/api/image/v1.0/receipt", 1 << 20, 413},
		{"/api/v3.0/expense/receiptimages", 39 << 10, 200}, {"/api/v3.0/expense/receiptimages", 41 << 10, 413},
	} {
		if got := post(c.path, c.size); got != c.want {
			t.Errorf("%d bytes to %s: %d, want %d", c.size, c.path, got, c.want)
		}
	}
	for size, want := range map[int]int{1 << 10: 200, 3 << 10: 413} {
		body := `{"Name":"Lisbon"` + strings.Repeat(" ", size) + `}`
		if status, _, answer := exchange(t, ann, "POST", "/api/v3.0/expense/reports", "application/json", body); status != want {
			t.Errorf("a record of %d bytes: %d %s", len(body), status, answer)
		}
	}
	for size, want := range map[int]int{29 << 10: 0, 31 << 10: 413} {
		if _, err := ann.PostImageOnlyReceipt(t.Context(), "r.jpg", "image/jpeg", photo(r, size)); client.StatusOf(err) != want {
			t.Errorf("an image-only receipt of %d bytes: %v", size, err)
		}
	}
	for n := range 4 {
		status, header, body := exchange(t, ann, "POST", "/quickexpense/v4/users/"+ann.UserID+"/context/TRAVELER/quickexpenses", "application/json",
			`{"transactionAmount":{"value":12.5,"currencyCode":"USD"},"transactionDate":"2026-01-05"}`)
		if n < 3 && status != 201 || n == 3 && (status != 429 || header.Get("Retry-After") == "") {
			t.Errorf("quick expense %d: %d %s", n+1, status, body)
		}
	}
	image, err := ann.UploadReceiptImage(t.Context(), "image/jpeg", photo(r, 100))
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ URI string }
	if status, _, body := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", ""); status != http.StatusOK || json.Unmarshal([]byte(body), &record) != nil {
		t.Fatalf("%d %s", status, body)
	}
	if _, _, err := ann.Download(t.Context(), record.URI); err != nil {
		t.Error(err)
	}
	clock.Move(61 * time.Second)
	if _, _, err := ann.Download(t.Context(), record.URI); client.StatusOf(err) != 403 {
		t.Errorf("a link after its minute: %v", err)
	}
	if _, document := get(t, "GET", server.PublicURL()+"/openapi.json", ""); !strings.Contains(document, "at most 20 KB") || !strings.Contains(document, "at most 40 KB") {
		t.Error("the document tells of other limits")
	}
}
