package receipt_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/receipt"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

const (
	receiptsOfAnn = "/receipts/v4/users/" + Ann
	schemaBase    = "http://schema.concursolutions.com/"
)

// samples are receipts of every type.
var samples = []string{"air-receipt", "car-rental-receipt", "general-receipt", "ground-transport-receipt", "hotel-receipt", "jpt-ic-card-receipt", "rail-receipt"}

func sample(t testing.TB, kind string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "samples", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func linkTo(kind string) map[string]string {
	return map[string]string{"Link": "<" + schemaBase + kind + ".schema.json>;rel=describedBy"}
}

// receiptPosting is the request with a receipt as JSON.
func receiptPosting(token, kind string, body []byte) Request {
	return Request{Method: "POST", Path: receiptsOfAnn, Token: token, Type: "application/json", Header: linkTo(kind), Body: body}
}

// multipartPosting is the request with a receipt as multipart.
func multipartPosting(kind string, parts ...Part) Request {
	body, media := Multipart(parts...)
	return Request{Method: "POST", Path: receiptsOfAnn, Token: "ann", Type: media, Header: linkTo(kind), Body: body}
}

var receiptLocation = regexp.MustCompile("^" + PublicURL + "/receipts/v4/([0-9a-f]{32})$")

// postReceipt posts a receipt and gives its id.
func (w world) postReceipt(t testing.TB, kind string, q Request) string {
	t.Helper()
	r := w.Do(q)
	if body := Text(r); r.StatusCode != 201 || body != "" {
		t.Fatalf("posting: %d %q", r.StatusCode, body)
	}
	m := receiptLocation.FindStringSubmatch(r.Header.Get("Location"))
	if m == nil {
		t.Fatalf("the Location is %q", r.Header.Get("Location"))
	}
	want := "<" + schemaBase + kind + `.schema.json>; rel="describedBy", <` + PublicURL + "/receipts/v4/status/" + m[1] + `>; rel="processing-status"`
	if got := r.Header.Values("Link"); len(got) != 1 || got[0] != want {
		t.Errorf("the Link is %q, want %q", got, want)
	}
	return m[1]
}

// recordOf is what GET shows of a receipt of ann's that came at the start.
func recordOf(id, kind, image string, body []byte) string {
	if image != "" {
		image = PublicURL + "/receipts/v4/" + id + "/image"
	}
	return fmt.Sprintf(`{"dateTimeReceived":"2024-05-08T23:05:52.087Z","id":"%s","image":"%s","receipt":%s,"userId":"%s","validationSchema":"%s%s.schema.json","self":"%s/receipts/v4/%s","template":"%s/receipts/v4/{receiptId}"}`,
		id, image, bytes.TrimSpace(body), Ann, schemaBase, kind, PublicURL, id, PublicURL)
}

// file gets a file, of this type.
func (w world) file(t *testing.T, path, accept, media string) []byte {
	t.Helper()
	r := w.Do(Request{Method: "GET", Path: path, Token: "ann", Accept: accept})
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != media {
		t.Fatalf("%s, Accept %q: %d %s %v, want %s", path, accept, r.StatusCode, r.Header.Get("Content-Type"), err, media)
	}
	return b
}

// drawn is the picture that a renderer makes.
func drawn(t *testing.T, draw func(context.Context, receipt.Drawing) ([]byte, error), d receipt.Drawing) []byte {
	t.Helper()
	b, err := draw(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReceipt(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		listed := ""
		for i, kind := range samples {
			body := sample(t, kind)
			w.Advance(time.Duration(i) * time.Second)
			came := w.Now() / 1000 * 1000
			id := w.postReceipt(t, kind, receiptPosting("ann", kind, body))
			one := "/receipts/v4/" + id
			w.wantStatus(t, id, "ACCEPTED", accepted)
			for _, path := range []string{one, one + "/image"} {
				if body := w.get(t, 404, "ann", path); body != "" {
					t.Errorf("a 404 has the body %s", body)
				}
			}
			if body := w.get(t, 200, "ann", receiptsOfAnn); body != `{"receipts":[`+listed+`]}` {
				t.Errorf("listed %s before it is there", body)
			}

			w.work(t)
			w.wantStatus(t, id, "PROCESSED", accepted, initiated, generated, finished)
			record := strings.Replace(recordOf(id, kind, "image", body), "2024-05-08T23:05:52.087Z", came.Time().Format("2006-01-02T15:04:05.000Z"), 1)
			if got := w.get(t, 200, "ann", one); got != record {
				t.Errorf("the record is %s, want %s", got, record)
			}
			listed = strings.TrimSuffix(record+","+listed, ",") // the newest first
			if got := w.get(t, 200, "ann", receiptsOfAnn); got != `{"receipts":[`+listed+`]}` {
				t.Errorf("listed %s", got)
			}
			want := drawn(t, renderer().PDF, receipt.Drawing{ID: id, Type: kind, JSON: bytes.TrimSpace(body), Traveller: "Archer, Ann", Received: came})
			if pdf := w.file(t, one+"/image", "", "application/pdf"); !bytes.Equal(pdf, want) {
				t.Errorf("the image of %s is not what is drawn of it", kind)
			}
		}
	})
}

func TestImageOfReceipt(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.postReceipt(t, "hotel-receipt", receiptPosting("ann", "hotel-receipt", sample(t, "hotel-receipt")))
		w.work(t)
		path := "/receipts/v4/" + id + "/image"
		for accept, media := range map[string]string{
			"": "application/pdf", "*/*": "application/pdf", "application/pdf": "application/pdf", "application/json": "application/pdf",
			"image/png": "image/png", "image/*": "image/png", "image/png, application/pdf;q=0.5": "image/png", "image/png;q=0.5, application/pdf": "application/pdf",
			"image/avif,image/webp,image/*,*/*;q=0.8": "image/png",
		} {
			w.file(t, path, accept, media)
		}
		want := drawn(t, renderer().PNG, receipt.Drawing{ID: id, Type: "hotel-receipt", JSON: bytes.TrimSpace(sample(t, "hotel-receipt")), Traveller: "Archer, Ann", Received: w.Now() / 1000 * 1000})
		if got := w.file(t, path, "image/png", "image/png"); !bytes.Equal(got, want) {
			t.Error("the PNG is not the one that is drawn")
		}
		items := strings.Repeat(`{"sequenceNumber":1,"description":"A night","total":"1"},`, 1000)
		long := bytes.Replace(sample(t, "hotel-receipt"), []byte(`"lineItems": [`), []byte(`"lineItems": [`+items), 1)
		id = w.postReceipt(t, "hotel-receipt", receiptPosting("ann", "hotel-receipt", long))
		w.work(t)
		path = "/receipts/v4/" + id + "/image"
		w.call(t, 406, Request{Method: "GET", Path: path, Token: "ann", Accept: "image/png"})
		w.file(t, path, "", "application/pdf")

		// One that was posted comes back as it was, whatever is asked for.
		for media, file := range map[string][]byte{"image/jpeg": JPEG(2), "image/png": PNG(2), "image/gif": GIF(2), "image/tiff": TIFF(2)} {
			id := w.postReceipt(t, "hotel-receipt", multipartPosting("hotel-receipt",
				Part{Name: "receipt", Content: sample(t, "hotel-receipt")}, Part{Name: "image", FileName: "bill", Type: media, Content: file}))
			w.work(t)
			w.wantStatus(t, id, "PROCESSED", accepted, initiated, finished)
			for _, accept := range []string{"", "image/png", "application/pdf"} {
				if got := w.file(t, "/receipts/v4/"+id+"/image", accept, media); !bytes.Equal(got, file) {
					t.Errorf("%s comes back changed", media)
				}
			}
		}
	})
}

// TestParts: what a multipart body may look like.
func TestParts(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		body := sample(t, "general-receipt")
		data := Part{Name: "receipt", Content: body}
		picture := Part{Name: "image", FileName: "bill.png", Type: "image/png", Content: PNG(1)}
		for name, parts := range map[string][]Part{
			"as curl sends it":        {data, picture},
			"the image first":         {picture, data},
			"a type":                  {{Name: "receipt", Type: "application/json", Content: body}, picture},
			"a file":                  {{Name: "receipt", FileName: "receipt.json", Type: "application/octet-stream", Content: body}, picture},
			"a wrong type of both":    {{Name: "receipt", Type: "text/plain", Content: body}, {Name: "image", FileName: "a.txt", Type: "text/plain", Content: PNG(1)}},
			"a type that is none":     {data, {Name: "image", FileName: "a", Type: "image/image/png", Content: PNG(1)}},
			"others beside":           {{Name: "note", Content: []byte("hello")}, data, picture},
			"exactly the most":        {data, {Name: "image", FileName: "a.tiff", Content: padded(receipt.MaxImage)}},
			"the receipt alone":       {data},
			"the receipt, and others": {data, {Name: "picture", FileName: "a.png", Content: PNG(1)}},
		} {
			t.Run(name, func(t *testing.T) {
				id := w.postReceipt(t, "general-receipt", multipartPosting("general-receipt", parts...))
				w.work(t)
				if got := w.get(t, 200, "ann", "/receipts/v4/"+id); got != recordOf(id, "general-receipt", "image", body) {
					t.Errorf("the record is %s", got)
				}
				media := "image/png"
				switch {
				case strings.HasPrefix(name, "the receipt"):
					media = "application/pdf"
				case name == "exactly the most":
					media = "image/tiff"
				}
				w.file(t, "/receipts/v4/"+id+"/image", "", media)
			})
		}
	})
}

// padded is a TIFF of n bytes.
func padded(n int) []byte {
	file := TIFF(1)
	return append(file, make([]byte, n-len(file))...)
}

func TestReceiptRefusals(t *testing.T) {
	w := onSQLite(t)
	body := sample(t, "general-receipt")
	data := Part{Name: "receipt", Content: body}
	picture := Part{Name: "image", FileName: "bill.png", Type: "image/png", Content: PNG(1)}
	broken := Part{Name: "receipt", Content: []byte(`{"total":`)}
	wrong := Part{Name: "receipt", Content: []byte(`{}`)}
	huge := Part{Name: "image", FileName: "a.tiff", Content: padded(receipt.MaxImage + 1)}
	text := Part{Name: "image", FileName: "a.png", Type: "image/png", Content: []byte("Total: 12.50")}
	linked := func(link string) Request {
		q := receiptPosting("ann", "", body)
		q.Header = map[string]string{"Link": link}
		return q
	}
	typed := func(media string) Request {
		q := receiptPosting("ann", "general-receipt", body)
		q.Type = media
		return q
	}
	other := receiptPosting("bob", "nothing", []byte("{"))
	other.Type = "text/plain"
	untyped := receiptPosting("ann", "nothing", []byte("{"))
	untyped.Type = "text/plain"
	unlinked := receiptPosting("ann", "nothing", []byte("{"))
	stranger := receiptPosting("company", "general-receipt", body)
	stranger.Path = strings.Replace(stranger.Path, Ann, Eve, 1)
	cut := multipartPosting("general-receipt", data, picture)
	cut.Body = cut.Body[:len(cut.Body)-200]
	const (
		notTaken = `{"message":"Specified Content-Type is not supported"}`
		noLink   = `{"message":"Link header must be provided and include a URL to a known receipt schema"}`
		unparsed = `{"message":"Request body could not be parsed"`
		invalid  = `{"message":"Receipt failed schema validation","validationErrors":[`
		tooLarge = `{"message":"Max file size exceeded"}`
		noImage  = `{"message":"Invalid image type"}`
		notYours = `{"message":"User ID in the URL must match the ID in the sub claim of the JWT"}`
	)
	for _, c := range []struct {
		name   string
		q      Request
		status int
		body   string // the beginning; "" is all
	}{
		{"no token", receiptPosting("", "general-receipt", body), 403, ""},
		{"an unknown token", receiptPosting("nobody", "general-receipt", body), 403, ""},
		{"no scope", receiptPosting("unscoped", "general-receipt", body), 403, ""},
		{"another user, before all else", other, 401, notYours},
		{"an administrator for another user", receiptPosting("wes", "general-receipt", body), 401, notYours},
		{"a user of another company", stranger, 404, ""},
		{"the type before the link", untyped, 415, notTaken},
		{"the link before the body", unlinked, 400, noLink},
		{"no type", typed(""), 415, notTaken},
		{"XML", typed("application/xml"), 415, notTaken},
		{"a form", typed("application/x-www-form-urlencoded"), 415, notTaken},
		{"multipart without boundary", typed("multipart/form-data"), 415, notTaken},
		{"other multipart", typed("multipart/mixed; boundary=x"), 415, notTaken},
		{"no link", linked(""), 400, noLink},
		{"an unknown schema", linkedTo(receiptPosting("ann", "", body), "taxi-receipt"), 400, noLink},
		{"a supporting schema", linkedTo(receiptPosting("ann", "", body), "receipt-core"), 400, noLink},
		{"another relation", linked("<" + schemaBase + "general-receipt.schema.json>;rel=self"), 400, noLink},
		{"no relation", linked("<" + schemaBase + "general-receipt.schema.json>"), 400, noLink},
		{"another host", linked("<http://schema.example.com/general-receipt.schema.json>;rel=describedBy"), 400, noLink},
		{"a path before", linked("<" + schemaBase + "v1/general-receipt.schema.json>;rel=describedBy"), 400, noLink},
		{"no ending", linked("<" + schemaBase + "general-receipt>;rel=describedBy"), 400, noLink},
		{"an empty body", receiptPosting("ann", "general-receipt", nil), 400, unparsed + "}"},
		{"blanks", receiptPosting("ann", "general-receipt", []byte(" \n")), 400, unparsed + "}"},
		{"half a body", receiptPosting("ann", "general-receipt", body[:len(body)/2]), 400, unparsed + `,"validationErrors":[{"dataPath":"","keyword":"syntax","message":"The JSON cannot be read at line 34, column `},
		{"two bodies", receiptPosting("ann", "general-receipt", append(slices.Clone(body), body...)), 400, unparsed},
		{"a name twice", receiptPosting("ann", "general-receipt", []byte(`{"total":"1","total":"2"}`)), 400, unparsed},
		{"a list", receiptPosting("ann", "general-receipt", []byte(`[]`)), 400, invalid + `{"dataPath":"","keyword":"type","message":"must be of the type object, not array.","schemaPath":"receipt-core.schema.json#/type"}]}`},
		{"not UTF-8", receiptPosting("ann", "general-receipt", bytes.Replace(body, []byte("reference"), []byte("refer\xffence"), 1)), 400, invalid},
		{"more JSON than is taken", receiptPosting("ann", "general-receipt", []byte(`{"x":"`+strings.Repeat("x", receipt.MaxReceipt)+`"}`)), 413, tooLarge},
		{"parts without a receipt", multipartPosting("general-receipt", picture), 400, unparsed + "}"},
		{"no parts", multipartPosting("general-receipt"), 400, unparsed + "}"},
		{"two receipts", multipartPosting("general-receipt", data, data), 400, unparsed + "}"},
		{"two images", multipartPosting("general-receipt", data, picture, picture), 400, unparsed + "}"},
		{"parts cut off", cut, 400, unparsed + "}"},
		{"a part that is no JSON", multipartPosting("general-receipt", broken, picture), 400, unparsed},
		{"a part that breaks the schema", multipartPosting("general-receipt", wrong, picture), 400, invalid},
		{"one byte too many", multipartPosting("general-receipt", data, huge), 413, tooLarge},
		{"the size before the type", multipartPosting("general-receipt", data, Part{Name: "image", FileName: "a", Content: bytes.Repeat([]byte("Total "), receipt.MaxImage/5)}), 413, tooLarge},
		{"the receipt before the size", multipartPosting("general-receipt", huge, wrong), 400, invalid},
		{"an image of another type", multipartPosting("general-receipt", data, text), 415, noImage},
		{"the receipt before the type of the image", multipartPosting("general-receipt", text, broken), 400, unparsed},
		{"an empty image", multipartPosting("general-receipt", data, Part{Name: "image", FileName: "a.png"}), 400, `{"message":"The file is empty."}`},
		{"half an image", multipartPosting("general-receipt", data, Part{Name: "image", FileName: "a.jpg", Content: JPEG(1)[:300]}), 400, `{"message":"The JPEG file ends too early; it was probably cut off on its way."}`},
		{"a bad page", Request{Method: "GET", Path: receiptsOfAnn + "/page/x", Token: "ann"}, 400, `{"message":"The page token`},
		{"listing another user's", Request{Method: "GET", Path: receiptsOfAnn, Token: "bob"}, 401, notYours},
		{"listing an unknown user's", Request{Method: "GET", Path: strings.Replace(receiptsOfAnn, Ann, "none", 1), Token: "company"}, 404, ""},
		{"a known user without receipts", Request{Method: "GET", Path: strings.Replace(receiptsOfAnn, Ann, Bob, 1), Token: "bob"}, 200, `{"receipts":[]}`},
		{"an unknown receipt", Request{Method: "GET", Path: "/receipts/v4/00000000000000000000000000000000", Token: "ann"}, 404, ""},
		{"the image of an unknown receipt", Request{Method: "GET", Path: "/receipts/v4/00000000000000000000000000000000/image", Token: "ann"}, 404, ""},
		{"an unknown schema", Request{Method: "GET", Path: "/receipts/schemas/taxi-receipt.schema.json", Token: "ann"}, 404, ""},
		{"a schema without its ending", Request{Method: "GET", Path: "/receipts/schemas/hotel-receipt", Token: "ann"}, 404, ""},
		{"a schema outside", Request{Method: "GET", Path: "/receipts/schemas/..%2f..%2fservice.go.schema.json", Token: "ann"}, 404, ""},
		{"schemas without a token", Request{Method: "GET", Path: "/receipts/schemas"}, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.call(t, c.status, c.q)
			if !strings.HasPrefix(got, c.body) || c.body == "" && got != "" {
				t.Errorf("the answer is %s, want %s", got, c.body)
			}
		})
	}
	for _, table := range []string{"e_receipt", "image", "attachment", "receipt_status", "receipt_log", "job WHERE kind NOT LIKE 'every:%'"} {
		if n := w.Count(t, table); n != 0 {
			t.Errorf("%d rows of %s are left of what was refused", n, table)
		}
	}
}

// TestOurFault: what is wrong with the database is told in the documented sentences.
func TestOurFault(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
		w.WriteTx(t, func(tx *store.Tx) error {
			for _, table := range []string{"receipt_log", "e_receipt", "image"} {
				if _, err := tx.Exec("DROP TABLE " + table); err != nil {
					return err
				}
			}
			return nil
		})
		const (
			internal  = `{"message":"Internal error"}`
			notSaved  = `{"message":"Unable to save receipt into the database"}`
			notListed = `{"message":"Could not get available receipts"}`
		)
		for _, c := range []struct {
			q    Request
			want string
		}{
			{receiptPosting("ann", "general-receipt", sample(t, "general-receipt")), notSaved},
			{posting("ann", ofAnn, JPEG(1)), notSaved},
			{Request{Method: "GET", Path: receiptsOfAnn, Token: "ann"}, notListed},
			{Request{Method: "GET", Path: ofAnn, Token: "ann"}, notListed},
			{Request{Method: "GET", Path: "/receipts/v4/" + id, Token: "ann"}, internal},
			{Request{Method: "GET", Path: "/receipts/v4/" + id + "/image", Token: "ann"}, internal},
			{Request{Method: "GET", Path: "/receipts/v4/images/" + id, Token: "ann"}, internal},
			{Request{Method: "GET", Path: "/receipts/v4/status/" + id, Token: "ann"}, internal},
		} {
			if got := w.call(t, 500, c.q); got != c.want {
				t.Errorf("%s %s: %s, want %s", c.q.Method, c.q.Path, got, c.want)
			}
		}
	})
}

func linkedTo(q Request, kind string) Request {
	q.Header = linkTo(kind)
	return q
}

func TestLinkSpellings(t *testing.T) {
	w := onSQLite(t)
	body := sample(t, "general-receipt")
	address := schemaBase + "general-receipt.schema.json"
	for _, link := range []string{
		"<" + address + ">;rel=describedBy",
		"<" + address + `>; rel="describedBy"`,
		"<" + address + ">;rel=describedby",
		"<" + address + "> ; REL = DescribedBy",
		"<" + strings.Replace(address, "http", "https", 1) + ">; rel=describedBy",
		"<" + address + `>; rel="self describedBy"; type="application/json"`,
		"<https://example.com>; rel=help, <" + address + ">; rel=describedBy",
		"<" + schemaBase + "hotel-receipt.schema.json>; rel=alternate,<" + address + ">;rel=describedBy",
		`"` + address + `;rel=describedBy"`,
		"\u201c" + address + ";rel=describedBy\u201d",
		address + ";rel=describedBy",
		address + `; rel="describedBy"`,
	} {
		q := receiptPosting("ann", "", body)
		q.Header = map[string]string{"link": link}
		if r := w.Do(q); r.StatusCode != 201 {
			t.Errorf("Link: %s is answered with %d %s", link, r.StatusCode, Text(r))
		}
	}
}

// TestAsPosted: the JSON comes back byte for byte, with all that no schema declares.
func TestAsPosted(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		body := []byte("{ \"unknown\" : [1e2, 1.50, -0, true , null, {\"\\u00e4\":\"\\ud83d\\ude00 \\/ \u20ac\u3042\"}],\r\n\t" +
			`"dateTime":"2024-03-11T07+01","total":".50","currencyCode":"EUR","seller":{"name":"A","location":{"address":{"addressCountry":"DEU","postalCode":""}}},"payments":[{"amount":"-.5","fare":1}]  }`)
		id := w.postReceipt(t, "general-receipt", receiptPosting("company", "general-receipt", slices.Concat([]byte("\ufeff \n"), body, []byte("\n"))))
		w.work(t)
		if got := w.get(t, 200, "ann", "/receipts/v4/"+id); got != recordOf(id, "general-receipt", "image", body) {
			t.Errorf("the record is %s", got)
		}
		want := drawn(t, renderer().PDF, receipt.Drawing{ID: id, Type: "general-receipt", JSON: body, Traveller: "Archer, Ann", Received: w.Now() / 1000 * 1000})
		if got := w.file(t, "/receipts/v4/"+id+"/image", "", "application/pdf"); !bytes.Equal(got, want) {
			t.Error("the image is not what is drawn of it")
		}
	})
}

func TestWhoReadsReceipts(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
		w.work(t)
		for _, path := range []string{"/receipts/v4/" + id, "/receipts/v4/" + id + "/image", "/receipts/v4/status/" + id} {
			for token, want := range map[string]int{"ann": 200, "company": 200, "bob": 404, "wes": 404, "cora": 404, "eve": 404, "unscoped": 403, "": 403} {
				if body := w.get(t, want, token, path); want != 200 && body != "" {
					t.Errorf("a refusal has the body %s", body)
				}
			}
		}
		// It is no image-only receipt.
		for _, path := range []string{"/receipts/v4/images/" + id, "/receipts/v4/image-only-receipts/" + id, "/receipts/v4/image-only-receipts/" + id + "/image", v3 + "/" + id} {
			w.call(t, 404, Request{Method: "GET", Path: path, Token: "ann", Accept: "application/json"})
		}
		w.call(t, 404, Request{Method: "DELETE", Path: v3 + "/" + id, Token: "ann"})
		if body := w.get(t, 200, "ann", ofAnn); body != `{"receiptsImages":[]}` {
			t.Errorf("the image-only receipts are %s", body)
		}
		if body := w.call(t, 200, Request{Method: "GET", Path: v3, Token: "ann", Accept: "application/json"}); !strings.HasPrefix(body, `{"Items":[]`) {
			t.Errorf("the receipt images are %s", body)
		}
	})
}

// TestReceiptOnEntry: the image of an e-receipt serves an entry.
func TestReceiptOnEntry(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
		attach := func(entry, owner string) (err error) {
			return w.DB.Write(t.Context(), func(tx *store.Tx) error {
				return w.Images.AttachExisting(tx, AnnActor(), id, imaging.Entry, imaging.Held{ID: entry, Owner: owner})
			})
		}
		if err := attach(LateEntry, Ann); !errs.Is(err, errs.Invalid) {
			t.Errorf("before it is there: %v", err)
		}
		w.work(t)
		if err := attach(LateEntry, Bob); !errs.Is(err, errs.Invalid) {
			t.Errorf("for another's entry: %v", err)
		}
		for range 2 { // the second time changes nothing
			if err := attach(LateEntry, Ann); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.Count(t, "attachment WHERE kind = 'entry'"); n != 1 || w.Count(t, "test_entry WHERE id = ? AND images = 1", LateEntry) != 1 {
			t.Errorf("%d attachments", n)
		}
		w.call(t, 200, Request{Method: "GET", Path: "/api/image/v1.0/expenseentry/" + LateEntry, Token: "ann"})
		w.call(t, 200, Request{Method: "DELETE", Path: "/api/image/v1.0/expenseentry/" + LateEntry, Token: "ann"})
		w.file(t, "/receipts/v4/"+id+"/image", "", "application/pdf") // the receipt keeps it
		if err := attach(EarlyEntry, Ann); err != nil {
			t.Error(err)
		}
	})
}

func TestReceiptPaging(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		body := sample(t, "general-receipt")
		var want []string
		for i := range 120 {
			if i%7 == 0 { // several came within one millisecond
				w.Advance(time.Millisecond)
			}
			id := w.postReceipt(t, "general-receipt", receiptPosting("company", "general-receipt", body))
			want = append(want, fmt.Sprintf("%d_%s", int64(w.Now())/1000, id))
		}
		w.work(t)
		slices.Sort(want)
		slices.Reverse(want)
		var got []string
		pages := 0
		for next := receiptsOfAnn; next != ""; pages++ {
			var page struct {
				Receipts []struct{ ID string }
				Next     string
			}
			if err := json.Unmarshal([]byte(w.get(t, 200, "ann", next)), &page); err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Receipts {
				got = append(got, r.ID)
			}
			if page.Next != "" && page.Next != PublicURL+receiptsOfAnn+"/page/"+want[len(got)-1] {
				t.Errorf("next is %s", page.Next)
			}
			next = page.Next
			// What comes in meanwhile does not shift the pages.
			w.Advance(time.Millisecond)
			w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", body))
			w.work(t)
		}
		for i := range want {
			_, want[i], _ = strings.Cut(want[i], "_")
		}
		if pages != 3 || !slices.Equal(got, want) {
			t.Errorf("%d pages with %d receipts, want 3 with %d, the newest first", pages, len(got), len(want))
		}
	})
}

func TestReceiptThatDoesNotOpen(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		body := sample(t, "general-receipt")
		id := w.postReceipt(t, "general-receipt", multipartPosting("general-receipt",
			Part{Name: "receipt", Content: body}, Part{Name: "image", FileName: "a.gif", Content: broken()}))
		w.work(t)
		w.wantStatus(t, id, "FAILED", accepted, initiated, failed)
		if got := w.get(t, 200, "ann", "/receipts/v4/"+id); got != recordOf(id, "general-receipt", "image", body) {
			t.Errorf("the record is %s", got)
		}
		w.file(t, "/receipts/v4/"+id+"/image", "", "image/gif") // as it came
	})
}

const (
	profile = "ERROR Error from User Profile service. Queued for reprocessing."
	keeping = "ERROR Error from Imaging service. Queued for reprocessing."
)

func TestReceiptRetries(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		body := sample(t, "general-receipt")
		post := func() string {
			return w.postReceipt(t, "general-receipt", receiptPosting("company", "general-receipt", body))
		}
		mended, lost, orphan := post(), post(), post()
		move := func(id, owner string) {
			w.WriteTx(t, func(tx *store.Tx) error {
				_, err := tx.Exec("UPDATE receipt_status SET owner_id = ? WHERE receipt_id = ?", owner, id)
				return err
			})
		}
		move(orphan, "nobody")
		w.drawer.fail = func(d receipt.Drawing) error {
			if d.ID == mended || d.ID == lost {
				return errors.New("no ink")
			}
			return nil
		}
		w.work(t)
		w.wantStatus(t, mended, "PROCESSING", accepted, initiated, retrieval)
		w.get(t, 404, "ann", "/receipts/v4/"+mended)
		w.get(t, 404, "ann", "/receipts/v4/"+mended+"/image")
		move(orphan, Ann)
		w.wantStatus(t, orphan, "PROCESSING", accepted, initiated, profile)
		w.drawer.fail = func(d receipt.Drawing) error {
			if d.ID == lost {
				return errors.New("no ink")
			}
			return nil
		}
		want := []string{accepted, initiated, retrieval}
		for range 4 {
			w.Advance(time.Hour)
			w.work(t)
			want = append(want, initiated, retrieval)
		}
		want[len(want)-1] = failed
		w.wantStatus(t, mended, "PROCESSED", accepted, initiated, retrieval, initiated, generated, finished)
		w.wantStatus(t, orphan, "PROCESSED", accepted, initiated, profile, initiated, generated, finished)
		w.wantStatus(t, lost, "FAILED", want...)
		if got, want := w.get(t, 200, "ann", "/receipts/v4/"+lost), recordOf(lost, "general-receipt", "", body); got != want {
			t.Errorf("the record is %s, want %s", got, want)
		}
		w.get(t, 404, "ann", "/receipts/v4/"+lost+"/image")
		if n := w.Count(t, "image"); n != 2 {
			t.Errorf("%d images of two receipts that have one", n)
		}
		if n := w.Count(t, "job WHERE kind NOT LIKE 'every:%'"); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
}

// TestReceiptThatCannotBeDrawn fails at once.
func TestReceiptThatCannotBeDrawn(t *testing.T) {
	w := onSQLite(t)
	id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
	w.drawer.fail = func(receipt.Drawing) error {
		return errs.New(errs.TooLarge, "pages", "The receipt has more than 2,000 pages.")
	}
	w.work(t)
	w.wantStatus(t, id, "FAILED", accepted, initiated, failed)
	w.get(t, 200, "ann", "/receipts/v4/"+id)
	w.get(t, 404, "ann", "/receipts/v4/"+id+"/image")
}

// TestReceiptWhileBlobsAreAway: the image cannot be kept, and then it can.
func TestReceiptWhileBlobsAreAway(t *testing.T) {
	w := onSQLite(t)
	id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
	away := w.BlobDir + "-away"
	if err := os.Rename(w.BlobDir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.BlobDir, nil, 0o600); err != nil { // no folder can be made here
		t.Fatal(err)
	}
	w.work(t)
	w.wantStatus(t, id, "PROCESSING", accepted, initiated, keeping)
	if err := errors.Join(os.Remove(w.BlobDir), os.Rename(away, w.BlobDir)); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	w.work(t)
	w.wantStatus(t, id, "PROCESSED", accepted, initiated, keeping, initiated, generated, finished)
}

// TestForgetKeepsWork: a status past its life stays while the receipt is worked on.
func TestForgetKeepsWork(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.postReceipt(t, "general-receipt", receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
		w.Advance(receipt.StatusLife + time.Hour)
		w.WriteTx(t, func(tx *store.Tx) error {
			if n, err := receipt.Forget(tx); n != 0 || err != nil {
				t.Errorf("forgot %d, %v", n, err)
			}
			return nil
		})
		w.get(t, 404, "ann", "/receipts/v4/status/"+id)
		w.work(t)
		w.get(t, 200, "ann", "/receipts/v4/"+id)
	})
}

// TestImageLimit: an operator may want another one.
func TestImageLimit(t *testing.T) {
	var area world
	w := New(t, storetest.SQLite, Area(func(w *World) []api.Operation {
		area = world{w, job.New(job.Options{DB: w.DB, Clock: w.Now, IDs: w.IDs}), newDrawer()}
		return receipt.New(receipt.Options{DB: w.DB, Images: w.Images, Jobs: area.jobs, IDs: w.IDs, Clock: w.Now, Directory: Directory{},
			Tokens: owners{}, Drawer: area.drawer, MaxImage: 20_000}).Operations()
	}))
	for size, want := range map[int][3]int{20_000: {201, 202, 200}, 20_001: {413, 413, 400}} {
		file := padded(size)
		got := [3]int{
			w.Do(multipartPosting("general-receipt", Part{Name: "receipt", Content: sample(t, "general-receipt")}, Part{Name: "image", FileName: "a", Content: file})).StatusCode,
			w.Do(posting("ann", ofAnn, file)).StatusCode,
			w.Do(v3Posting("ann", "application/json", strings.Replace(v3General, `"Type":"General"`, `"Type":"General","ImageBase64":"`+base64.StdEncoding.EncodeToString(paddedJPEG(size))+`"`, 1))).StatusCode,
		}
		if got != want {
			t.Errorf("%d bytes: %v, want %v", size, got, want)
		}
	}
}

// paddedJPEG is a JPEG of n bytes: behind its start is a comment.
func paddedJPEG(n int) []byte {
	file := JPEGOf(1, 8, 8)
	fill := n - len(file) - 4
	comment := append([]byte{0xff, 0xfe, byte((fill + 2) >> 8), byte(fill + 2)}, make([]byte, fill)...)
	return slices.Concat(file[:2], comment, file[2:])
}

func TestReceiptGoldens(t *testing.T) {
	w := onSQLite(t)
	first := w.Do(receiptPosting("ann", "general-receipt", sample(t, "general-receipt")))
	Golden(t, "receipt-post", first)
	id := receiptLocation.FindStringSubmatch(first.Header.Get("Location"))[1]
	w.work(t)
	bad := bytes.Replace(sample(t, "general-receipt"), []byte(`"total"`), []byte(`"sum"`), 1)
	bad = bytes.Replace(bad, []byte(`"currencyCode": "`), []byte(`"currencyCode": "x`), 1)
	many := parsed(t, sample(t, "general-receipt"))
	for path, to := range map[string]string{
		".dateTime": `"2024-03-11T12:42:10"`, ".total": `"12,50"`, ".subtotal": `"1234567890123456"`, ".taxesTotal": `"0.123456789"`, ".seller.location.address.addressCountry": "absent",
		".payments[0].amount": `20`, ".lineItems[1].description": `" "`, ".taxes[0].authority": "absent",
	} {
		many = change(t, many, path, to)
	}
	manyBody, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	Golden(t, "receipt-many-problems", w.Do(receiptPosting("ann", "general-receipt", manyBody)))
	Golden(t, "receipt-invalid", w.Do(receiptPosting("ann", "general-receipt", bad)))
	Golden(t, "receipt-unlinked", w.Do(Request{Method: "POST", Path: receiptsOfAnn, Token: "ann", Type: "application/json", Body: bad}))
	for name, path := range map[string]string{
		"schemas": "/receipts/schemas", "schemas-slash": "/receipts/schemas/", "schema": "/receipts/schemas/payments.schema.json",
		"receipt-status": "/receipts/v4/status/" + id, "receipt-get": "/receipts/v4/" + id, "receipt-list": receiptsOfAnn,
	} {
		Golden(t, name, w.Do(Request{Method: "GET", Path: path, Token: "ann"}))
	}
}

// TestSchemasAsServed: every schema of the index can be fetched and says who it is.
func TestSchemasAsServed(t *testing.T) {
	w := onSQLite(t)
	var index struct {
		ReceiptSchemas, SupportingSchemas []struct{ Rel, Method, Href string }
	}
	if err := json.Unmarshal([]byte(w.get(t, 200, "ann", "/receipts/schemas")), &index); err != nil {
		t.Fatal(err)
	}
	if len(index.ReceiptSchemas) != 7 || len(index.SupportingSchemas) != 10 {
		t.Errorf("%d and %d schemas", len(index.ReceiptSchemas), len(index.SupportingSchemas))
	}
	for _, link := range slices.Concat(index.ReceiptSchemas, index.SupportingSchemas) {
		r := w.Do(Request{Method: link.Method, Path: link.Href, Token: "unscoped"})
		var schema struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal([]byte(Text(r)), &schema); err != nil || r.StatusCode != http.StatusOK || schema.ID != link.Rel {
			t.Errorf("%s is %d, %q, %v", link.Href, r.StatusCode, schema.ID, err)
		}
	}
}
