package expense

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/receipt"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// quickWorld is a world with quick expenses and receipts, whose jobs run when a test
// says so.
type quickWorld struct {
	*world
	jobs *job.Queue
}

// Authenticate gives the people of a world the scopes of quick expenses and receipts.
func (w quickWorld) Authenticate(ctx context.Context, token string) (*auth.Actor, error) {
	a, err := w.world.Authenticate(ctx, token)
	if err == nil && a.Scopes != nil || token == "company" {
		a.Scopes = append(a.Scopes, "quickexpense.writeonly", "receipts.read", "receipts.write")
	}
	return a, err
}

func withQuickExpenses(w *world) quickWorld {
	clock := func() value.Instant { return w.now }
	ids := value.NewIDs(rand.New(rand.NewSource(10)))
	q := quickWorld{w, job.New(job.Options{DB: w.db, Clock: clock, IDs: ids})}
	receipts := receipt.New(receipt.Options{DB: w.db, Images: w.images, Jobs: q.jobs, IDs: ids, Clock: clock, Directory: w.org, Tokens: q, Drawer: onePage{}})
	quick := NewQuickExpenses(QuickExpenseOptions{Org: w.org, IDs: ids, Images: w.images, Receipts: receipts})
	w.server = api.NewServer(api.Options{DB: w.db, Clock: clock, IDs: ids, Logger: slog.New(slog.DiscardHandler), PublicURL: publicURL,
		Authenticator: q, Directory: w.org, Signer: auth.NewSigner([]byte("0123456789abcdef0123456789abcdef"))},
		w.expense.Operations(), w.images.Operations(), receipts.Operations(), quick.Operations())
	return q
}

func quickEngines(t *testing.T, test func(t *testing.T, w quickWorld)) {
	t.Run("sqlite", func(t *testing.T) { test(t, withQuickExpenses(newWorld(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, withQuickExpenses(newPostgresWorld(t))) })
}

// onePage draws every receipt as one empty page.
type onePage struct{}

func (onePage) PDF(context.Context, receipt.Drawing) ([]byte, error) {
	var b bytes.Buffer
	page := fpdf.New("P", "mm", "A5", "")
	page.AddPage()
	err := page.Output(&b)
	return b.Bytes(), err
}

func (onePage) PNG(context.Context, receipt.Drawing) ([]byte, error) {
	return imagingtest.PNG(1), nil
}

const (
	quickOfAnn = "/quickexpense/v4/users/" + annID + "/context/TRAVELER/quickexpenses"
	lunchBody  = `{"transactionDate":"2025-03-10","transactionAmount":{"value":12.5,"currencyCode":"EUR"},"location":{"city":"Berlin","countryCode":"DE"}}`
)

var quickURI = regexp.MustCompile(`^\{"quickExpenseIdUri":"` + publicURL + quickOfAnn + `/([0-9A-F]{32})"\}$`)

func (w quickWorld) post(t testing.TB, as, path, media, body string) answer {
	t.Helper()
	return w.send(as, "POST", path, media, "", body)
}

// make posts a quick expense of ann's and gives its id.
func (w quickWorld) make(t testing.TB, as, path, media, body string) string {
	t.Helper()
	a := w.post(t, as, path, media, body)
	m := quickURI.FindStringSubmatch(a.body)
	if a.status != 201 || m == nil {
		t.Fatalf("%s: %d %s", body, a.status, a.body)
	}
	return m[1]
}

func TestQuickExpense(t *testing.T) {
	quickEngines(t, func(t *testing.T, w quickWorld) {
		var place string
		for _, l := range w.config().Locations() {
			place = l.ID
		}
		for _, c := range [][2]string{
			{lunchBody, `"comment":null,"entryDetails":null,"expenseTypeId":"UNDEF","location":{"city":"Berlin","countryCode":"DE","countrySubDivisionCode":null,"id":null,"name":null},"paymentTypeId":null,"transactionAmount":{"currencyCode":"EUR","value":12.5},"transactionDate":"2025-03-10","vendor":null`},
			{`{"comment":"with Mara","entryDetails":"Lunch","expenseTypeId":"lunch","location":{"city":"Seattle","countryCode":"us","countrySubDivisionCode":"us-wa","id":"` + place + `","name":"Pier 52"},"paymentTypeId":"CASHX",
				"transactionAmount":{"currencyCode":"JPY","value":"1234.5"},"transactionDate":"2025-03-10T00:00:00","vendor":"Ivar's","unknown":1}`,
				`"comment":"with Mara","entryDetails":"Lunch","expenseTypeId":"LUNCH","location":{"city":"Seattle","countryCode":"US","countrySubDivisionCode":"US-WA","id":"` + place + `","name":"Pier 52"},"paymentTypeId":"CASHX","transactionAmount":{"currencyCode":"JPY","value":1235},"transactionDate":"2025-03-10","vendor":"Ivar's"`},
			{`{"expenseTypeId":"NULL","location":null,"comment":null,"transactionAmount":{"currencyCode":"USD","value":-3},"transactionDate":"2024-02-29"}`,
				`"comment":null,"entryDetails":null,"expenseTypeId":"UNDEF","location":null,"paymentTypeId":null,"transactionAmount":{"currencyCode":"USD","value":-3},"transactionDate":"2024-02-29","vendor":null`},
			{`{"expenseTypeId":"UNDEF","paymentTypeId":"PENDC","transactionAmount":{"currencyCode":"USD","value":0},"transactionDate":"2024-02-29"}`,
				`"comment":null,"entryDetails":null,"expenseTypeId":"UNDEF","location":null,"paymentTypeId":"PENDC","transactionAmount":{"currencyCode":"USD","value":0},"transactionDate":"2024-02-29","vendor":null`},
		} {
			for _, as := range []string{"ann", "company"} {
				id := w.make(t, as, quickOfAnn, "application/json", c[0])
				a := w.send("ann", "GET", quickOfAnn+"/"+id, "", "", "")
				if want := `{"id":"` + id + `",` + c[1] + `}`; a.status != 200 || a.body != want {
					t.Errorf("%s\n is  %d %s\nwant %s", c[0], a.status, a.body, want)
				}
			}
		}
		id := w.make(t, "ann", strings.Replace(quickOfAnn, annID, strings.ToUpper(annID), 1), "application/json", lunchBody)
		for _, c := range []struct {
			as, path string
			status   int
		}{
			{"ann", quickOfAnn + "/" + id, 200}, {"company", quickOfAnn + "/" + id, 200}, {"bob", quickOfAnn + "/" + id, 403}, {"eve", quickOfAnn + "/" + id, 403},
			{"bob", strings.Replace(quickOfAnn, annID, bobID, 1) + "/" + id, 404}, {"ann", quickOfAnn + "/" + strings.ToLower(id), 404}, {"ann", quickOfAnn + "/0", 404}, {"", quickOfAnn + "/" + id, 401},
		} {
			if a := w.send(c.as, "GET", c.path, "", "", ""); a.status != c.status {
				t.Errorf("%q GET %s: %d %s, want %d", c.as, c.path, a.status, a.body, c.status)
			}
		}
	})
}

func TestQuickExpenseRefusals(t *testing.T) {
	w := withQuickExpenses(newWorld(t))
	ofBob := strings.Replace(quickOfAnn, annID, bobID, 1)
	with := func(member string) string { return strings.TrimSuffix(lunchBody, "}") + "," + member + "}" }
	for _, c := range []struct {
		name, as, path, media, body string
		status                      int
		want                        []string // "source message" of validation errors, or a part of the message
	}{
		{"no token", "", quickOfAnn, inJSON, lunchBody, 401, nil},
		{"no scope", "unscoped", quickOfAnn, inJSON, lunchBody, 403, nil},
		{"another user", "bob", quickOfAnn, inJSON, lunchBody, 403, nil},
		{"an administrator", "wes", quickOfAnn, inJSON, lunchBody, 403, nil},
		{"another company's user", "company", strings.Replace(quickOfAnn, annID, eveID, 1), inJSON, lunchBody, 404, nil},
		{"an unknown user", "company", strings.Replace(quickOfAnn, annID, "none", 1), inJSON, lunchBody, 404, nil},
		{"another context", "ann", strings.Replace(quickOfAnn, "TRAVELER", "MANAGER", 1), inJSON, lunchBody, 400, []string{"contextType must be TRAVELER."}},
		{"the user before the context", "ann", strings.Replace(ofBob, "TRAVELER", "MANAGER", 1), inJSON, lunchBody, 403, nil},
		{"XML", "ann", quickOfAnn, inXML, "<a/>", 415, nil},
		{"no JSON", "ann", quickOfAnn, inJSON, "{", 400, []string{"The JSON cannot be read"}},
		{"nothing", "ann", quickOfAnn, inJSON, "", 400, []string{"transactionAmount is required.", "transactionDate is required."}},
		{"nothing in it", "ann", quickOfAnn, inJSON, `{"transactionAmount":{}}`, 400, []string{"transactionAmount.currencyCode is required.", "transactionAmount.value is required.", "transactionDate is required."}},
		{"all wrong", "ann", quickOfAnn, inJSON, `{"transactionDate":"10.03.2025","transactionAmount":{"value":"much","currencyCode":"EURO"},"paymentTypeId":"GOLD","expenseTypeId":"NOTYPE","location":{"countryCode":"XX","countrySubDivisionCode":"WA","id":"nowhere"}}`, 400,
			[]string{"transactionDate must be a date, written as 2024-03-11.", "transactionAmount.value must be a number.", "transactionAmount.currencyCode must be a currency code of ISO 4217.", "paymentTypeId must be one of CASHX, CPAID, PENDC.",
				"expenseTypeId names no expense type of the traveller's policies; UNDEF stands for none.", "location.countryCode must be a country code of ISO 3166-1.", "location.countrySubDivisionCode must be a code of ISO 3166-2, such as US-WA.", "location.id names no location."}},
		{"out of range", "ann", quickOfAnn, inJSON, strings.Replace(lunchBody, "12.5", "1e15", 1), 400, []string{"transactionAmount.value is a number out of range."}},
		{"no such day", "ann", quickOfAnn, inJSON, strings.Replace(lunchBody, "2025-03-10", "2025-02-29", 1), 400, []string{"transactionDate must be a date, written as 2024-03-11."}},
		{"a location that is text", "ann", quickOfAnn, inJSON, strings.Replace(lunchBody, `{"city":"Berlin","countryCode":"DE"}`, `"Berlin"`, 1), 400, []string{"location must be an object."}},
		{"a comment that is none", "ann", quickOfAnn, inJSON, with(`"comment":{}`), 400, []string{"comment must be a single value."}},
		{"a subdivision of no country", "ann", quickOfAnn, inJSON, strings.Replace(lunchBody, `"countryCode":"DE"`, `"countrySubDivisionCode":"XX-1"`, 1), 400, []string{"location.countrySubDivisionCode must be a code of ISO 3166-2, such as US-WA."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.post(t, c.as, c.path, c.media, c.body)
			var e struct {
				ErrorID, ErrorMessage, HTTPStatus, Path, Timestamp string
				ValidationErrors                                   []struct{ Source, Message string }
			}
			if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != c.status || e.ErrorMessage == "" || e.Path != c.path || !strings.HasPrefix(e.HTTPStatus, fmt.Sprint(c.status)) || e.Timestamp == "" {
				t.Fatalf("%d %s %v, want %d", a.status, a.body, err, c.status)
			}
			if len(e.ValidationErrors) == 0 {
				if len(c.want) > 0 && !strings.Contains(e.ErrorMessage, c.want[0]) {
					t.Errorf("the message is %q", e.ErrorMessage)
				}
				return
			}
			got := map[string]bool{}
			for _, v := range e.ValidationErrors {
				got[v.Source+" "+v.Message] = true
			}
			for _, want := range c.want {
				if !got[want] {
					t.Errorf("%q is missing in %s", want, a.body)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%d problems, want %d: %s", len(got), len(c.want), a.body)
			}
		})
	}
	if n := w.rows(t, "quick_expense"); n != 0 {
		t.Errorf("%d quick expenses of what was refused", n)
	}
}

func (w quickWorld) rows(t testing.TB, from string, args ...any) (n int64) {
	t.Helper()
	w.read(func(tx *store.Tx) error { return tx.QueryRow("SELECT COUNT(*) FROM "+from, args...).Scan(&n) })
	return n
}

func quickParts(parts ...imagingtest.Part) (body, media string) {
	b, media := imagingtest.Multipart(parts...)
	return string(b), media
}

func TestQuickExpenseWithImage(t *testing.T) {
	quickEngines(t, func(t *testing.T, w quickWorld) {
		data := imagingtest.Part{Name: "quickExpenseRequest", Content: []byte(lunchBody)}
		for i, parts := range [][]imagingtest.Part{
			{data, {Name: "fileContent", FileName: "a.jpg", Type: "image/jpeg", Content: imagingtest.JPEG(1)}},
			{{Name: "fileContent", FileName: "a.png", Type: "image/png", Content: imagingtest.PNG(2)}, data},
			{{Name: "quickExpenseRequest", Type: "application/json", FileName: "q.json", Content: []byte(lunchBody)}, {Name: "fileContent", Content: imagingtest.GIF(3)}},
			{data, {Name: "fileContent", FileName: "a", Type: "text/plain", Content: imagingtest.TIFF(4)}, {Name: "other", Content: []byte("x")}},
		} {
			body, media := quickParts(parts...)
			id := w.make(t, "ann", quickOfAnn+"/image", media, body)
			a := w.send("ann", "GET", quickOfAnn+"/"+id, "", "", "")
			image := regexp.MustCompile(`"receiptImageId":"(gW[^"]+)"`).FindStringSubmatch(a.body)
			if a.status != 200 || image == nil {
				t.Fatalf("case %d: %d %s", i, a.status, a.body)
			}
			var receiptID string
			w.read(func(tx *store.Tx) error {
				return tx.QueryRow("SELECT receipt_id FROM image WHERE id = ? AND owner_id = ? AND in_store = ? AND state = 'ACCEPTED'", image[1], annID, true).Scan(&receiptID)
			})
			if a := w.send("ann", "GET", "/receipts/v4/status/"+receiptID, "", "", ""); a.status != 200 || !strings.HasPrefix(a.body, `{"status":"ACCEPTED"`) {
				t.Errorf("the receipt's status: %d %s", a.status, a.body)
			}
			if n := w.rows(t, "job WHERE payload = ?", receiptID); n != 1 {
				t.Errorf("%d jobs for the receipt", n)
			}
		}
		if w.rows(t, "image") != 4 || w.rows(t, "attachment WHERE kind = ?", string(imaging.QuickExpense)) != 4 || w.rows(t, "quick_expense") != 4 {
			t.Error("not one image and one attachment for each quick expense")
		}
	})
}

func TestQuickExpenseImageRefusals(t *testing.T) {
	w := withQuickExpenses(newWorld(t))
	data := imagingtest.Part{Name: "quickExpenseRequest", Content: []byte(lunchBody)}
	image := imagingtest.Part{Name: "fileContent", FileName: "a.jpg", Content: imagingtest.JPEG(1)}
	big := imagingtest.Part{Name: "fileContent", FileName: "a.tiff", Content: append(imagingtest.TIFF(1), make([]byte, receipt.MaxImage)...)}
	for _, c := range []struct {
		name   string
		parts  []imagingtest.Part
		status int
		want   string
	}{
		{"no image", []imagingtest.Part{data}, 400, `"source":"fileContent","message":"is required."`},
		{"no data", []imagingtest.Part{image}, 400, `"source":"quickExpenseRequest","message":"is required."`},
		{"nothing", nil, 400, `"source":"quickExpenseRequest","message":"is required."},{"source":"fileContent"`},
		{"two images", []imagingtest.Part{data, image, image}, 400, "a part twice"},
		{"two of the data", []imagingtest.Part{data, data, image}, 400, "a part twice"},
		{"too large", []imagingtest.Part{data, big}, 413, "larger than 5 MB"},
		{"text", []imagingtest.Part{data, {Name: "fileContent", FileName: "a.png", Type: "image/png", Content: []byte("Total 12")}}, 415, "not of a known type"},
		{"half an image", []imagingtest.Part{data, {Name: "fileContent", FileName: "a.jpg", Content: imagingtest.JPEG(1)[:300]}}, 400, "ends too early"},
		{"bad data after a bad image", []imagingtest.Part{big, {Name: "quickExpenseRequest", Content: []byte(`{}`)}}, 400, `"source":"transactionDate"`},
		{"no JSON", []imagingtest.Part{{Name: "quickExpenseRequest", Content: []byte(`{`)}, image}, 400, "The JSON cannot be read"},
		{"much JSON", []imagingtest.Part{{Name: "quickExpenseRequest", Content: append([]byte(lunchBody), bytes.Repeat([]byte(" "), 1<<20)...)}, image}, 413, "larger than 1 MB"},
	} {
		body, media := quickParts(c.parts...)
		if a := w.post(t, "ann", quickOfAnn+"/image", media, body); a.status != c.status || !strings.Contains(a.body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.body, c.status, c.want)
		}
	}
	if a := w.post(t, "ann", quickOfAnn+"/image", inJSON, lunchBody); a.status != 415 {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
	body, media := quickParts(data, image)
	for as, status := range map[string]int{"bob": 403, "": 401, "unscoped": 403} {
		if a := w.post(t, as, quickOfAnn+"/image", media, body); a.status != status {
			t.Errorf("%q: %d %s", as, a.status, a.body)
		}
	}
	for _, table := range []string{"quick_expense", "image", "attachment", "receipt_status"} {
		if n := w.rows(t, table); n != 0 {
			t.Errorf("%d rows of %s are left of what was refused", n, table)
		}
	}
}

func TestQuickExpenseRate(t *testing.T) {
	w := withQuickExpenses(newWorld(t))
	body, media := quickParts(imagingtest.Part{Name: "quickExpenseRequest", Content: []byte(lunchBody)}, imagingtest.Part{Name: "fileContent", FileName: "a.png", Content: imagingtest.PNG(1)})
	for range 60 {
		w.make(t, "ann", quickOfAnn, inJSON, lunchBody)
		w.make(t, "ann", quickOfAnn+"/image", media, body)
	}
	for path, b := range map[string][2]string{quickOfAnn: {inJSON, lunchBody}, quickOfAnn + "/image": {media, body}} {
		a := w.post(t, "ann", path, b[0], b[1])
		if a.status != 429 || a.header.Get("Retry-After") != "300" || !strings.Contains(a.body, `"httpStatus":"429 TOO_MANY_REQUESTS"`) {
			t.Errorf("%d, Retry-After %s: %s", a.status, a.header.Get("Retry-After"), a.body)
		}
	}
	if a := w.post(t, "bob", strings.Replace(quickOfAnn, annID, bobID, 1), inJSON, lunchBody); a.status != 201 {
		t.Errorf("another user: %d %s", a.status, a.body)
	}
	w.now = w.now.Add(5 * time.Minute)
	w.make(t, "ann", quickOfAnn, inJSON, lunchBody)
}

// TestQuickExpenseLimits: an operator may want others.
func TestQuickExpenseLimits(t *testing.T) {
	w := withQuickExpenses(newWorld(t))
	limited := NewQuickExpenses(QuickExpenseOptions{Org: w.org, IDs: w.expense.ids, Images: w.images,
		Receipts: receipt.New(receipt.Options{DB: w.db, Images: w.images, Jobs: job.New(job.Options{DB: w.db}), IDs: w.expense.ids, Directory: w.org}),
		MaxImage: 1000, Calls: 2, Window: time.Minute})
	w.server = api.NewServer(api.Options{DB: w.db, Clock: func() value.Instant { return w.now }, IDs: w.expense.ids, Logger: slog.New(slog.DiscardHandler), PublicURL: publicURL,
		Authenticator: w, Directory: w.org}, limited.Operations())
	body, media := quickParts(imagingtest.Part{Name: "quickExpenseRequest", Content: []byte(lunchBody)}, imagingtest.Part{Name: "fileContent", FileName: "a.tiff", Content: append(imagingtest.TIFF(1), make([]byte, 1000)...)})
	for i, want := range []int{413, 201, 429} {
		path, m, b := quickOfAnn, inJSON, lunchBody
		if i == 0 {
			path, m, b = quickOfAnn+"/image", media, body
		}
		if a := w.post(t, "ann", path, m, b); a.status != want {
			t.Errorf("call %d: %d %s, want %d", i+1, a.status, a.body, want)
		}
	}
	w.now = w.now.Add(time.Minute)
	w.make(t, "ann", quickOfAnn, inJSON, lunchBody)
}

// TestEReceiptOnEntry: an e-receipt, named by its id, gives an entry its image.
func TestEReceiptOnEntry(t *testing.T) {
	quickEngines(t, func(t *testing.T, w quickWorld) {
		sample, err := os.ReadFile(filepath.Join("..", "receipt", "testdata", "samples", "hotel-receipt.json"))
		if err != nil {
			t.Fatal(err)
		}
		post := func(user string) (id string) {
			r := httptest.NewRequest("POST", "/receipts/v4/users/"+user, bytes.NewReader(sample))
			r.Header.Set("Authorization", "Bearer company")
			r.Header.Set("Content-Type", inJSON)
			r.Header.Set("Link", "<http://schema.concursolutions.com/hotel-receipt.schema.json>;rel=describedBy")
			rec := httptest.NewRecorder()
			w.server.ServeHTTP(rec, r)
			_, id, ok := strings.Cut(rec.Header().Get("Location"), "/receipts/v4/")
			if rec.Code != 201 || !ok {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			return id
		}
		w.kept["receipt"], w.kept["bobs"] = post(annID), post(bobID)
		entry := `{"ReportID":"{r}","ExpenseTypeCode":"LODNG","PaymentTypeID":"CASHX","TransactionDate":"2025-03-10","TransactionAmount":321,"TransactionCurrencyCode":"USD"%s}`
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Hamburg"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: fmt.Sprintf(entry, `,"ElectronicReceiptID":"{receipt}"`), status: 400, want: "ElectronicReceiptID"}, // it is not there yet
		)
		if err := w.jobs.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.run(
			step{as: "ann", call: "POST /expense/entries", body: fmt.Sprintf(entry, `,"ElectronicReceiptID":"{receipt}"`), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true; ElectronicReceiptID={receipt}"},
			step{as: "ann", call: "GET /api/image/v1.0/expenseentry/{e}"},
			step{as: "ann", call: "POST /expense/entries", body: fmt.Sprintf(entry, `,"ElectronicReceiptID":"{bobs}"`), status: 400, want: "ElectronicReceiptID"},
			step{as: "ann", call: "POST /expense/entries", body: fmt.Sprintf(entry, ""), keep: "other"},
			step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ElectronicReceiptID":"{bobs}"}`, status: 400, want: "ElectronicReceiptID"},
			step{as: "ann", call: "GET /expense/entries/{other}", want: "HasImage=false"},
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
			step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ElectronicReceiptID":"{receipt}"}`},
			step{as: "ann", call: "GET /expense/entries/{other}", want: "HasImage=true; ElectronicReceiptID={receipt}"},
		)
		// The receipt keeps its image, whatever becomes of the entries.
		if a := w.send("ann", "GET", "/receipts/v4/"+w.kept["receipt"]+"/image", "", "", ""); a.status != 200 || !strings.HasPrefix(a.body, "%PDF-") {
			t.Errorf("the image of the receipt: %d", a.status)
		}
	})
}

func TestQuickExpenseGoldens(t *testing.T) {
	w := withQuickExpenses(newWorld(t))
	var text strings.Builder
	for _, body := range []string{lunchBody, `{"transactionDate":"x"}`} {
		a := w.post(t, "ann", quickOfAnn, inJSON, body)
		fmt.Fprintf(&text, "POST %s\n%d\n%s\n\n", body, a.status, a.body)
	}
	golden(t, "quick-expenses", regexp.MustCompile(`"errorId":"[^"]+"`).ReplaceAllString(text.String(), `"errorId":"…"`))
}
