package receipt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/document"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/domain/receipt"
	"quittance/internal/domain/receipt/drawing"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

func TestMain(m *testing.M) { Main(m, document.Jobs()) }

const (
	ofAnn = "/receipts/v4/users/" + Ann + "/image-only-receipts"
	v3    = "/api/v3.0/expense/receiptimages"
)

// world is a World with the receipts area and its jobs, which run when a test says so.
type world struct {
	*World
	jobs   *job.Queue
	drawer *drawer
}

// withReceipts adds the receipts area; area is where that of the next World goes.
func withReceipts(area *world) Option {
	return Area(func(w *World) []api.Operation {
		*area = world{w, job.New(job.Options{DB: w.DB, Clock: w.Now, IDs: w.IDs}), newDrawer()}
		return receipt.New(receipt.Options{DB: w.DB, Images: w.Images, Jobs: area.jobs, IDs: w.IDs, Clock: w.Now, Directory: Directory{},
			Tokens: owners{}, Drawer: area.drawer}).Operations()
	})
}

func engines(t *testing.T, test func(t *testing.T, w world)) {
	var area world
	Engines(t, func(t *testing.T, _ *World) { test(t, area) }, withReceipts(&area))
}

func onSQLite(t testing.TB) world {
	var area world
	New(t, storetest.SQLite, withReceipts(&area))
	return area
}

// renderer is the one of all tests: it opens the typefaces once.
var renderer = sync.OnceValue(func() *drawing.Renderer {
	r, err := drawing.New(drawing.Options{})
	if err != nil {
		panic(err)
	}
	return r
})

// drawer is the renderer, which fails when a test says so.
type drawer struct {
	*drawing.Renderer
	fail func(receipt.Drawing) error
}

func newDrawer() *drawer {
	return &drawer{renderer(), func(receipt.Drawing) error { return nil }}
}

func (d *drawer) PDF(ctx context.Context, r receipt.Drawing) ([]byte, error) {
	if err := d.fail(r); err != nil {
		return nil, err
	}
	return d.Renderer.PDF(ctx, r)
}

// owners are the tokens that matching facts may name.
type owners struct{}

func (owners) Authenticate(_ context.Context, token string) (*auth.Actor, error) {
	of := func(p auth.Person, scopes ...string) *auth.Actor {
		return &auth.Actor{Kind: auth.User, ID: p.ID, Company: p.Company, Self: p, Scopes: scopes}
	}
	switch token {
	case "token-of-ann":
		return of(People[0], "receipts.write"), nil
	case "token-of-eve":
		return of(People[6], "ERECPT"), nil
	case "token-for-reports":
		return of(People[0], "EXPRPT"), nil
	case "token-of-the-company":
		return &auth.Actor{Kind: auth.Company, ID: Company, Company: Company, Scopes: []string{"receipts.write"}}, nil
	case "token-without-database":
		return nil, errs.New(errs.Unavailable, "database", "The database cannot be reached.")
	}
	return nil, errs.New(errs.Forbidden, "token", "The token is not known.")
}

// work does the jobs that are due.
func (w world) work(t testing.TB) {
	t.Helper()
	if err := w.jobs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w world) call(t testing.TB, status int, q Request) string {
	t.Helper()
	r := w.Do(q)
	body := Text(r)
	if r.StatusCode != status {
		t.Fatalf("%s %s as %q: %d %s, want %d", q.Method, q.Path, q.Token, r.StatusCode, body, status)
	}
	return body
}

func (w world) get(t testing.TB, status int, token, path string) string {
	t.Helper()
	return w.call(t, status, Request{Method: "GET", Path: path, Token: token})
}

// posting is the request with an image.
func posting(token, path string, file []byte) Request {
	body, media := Multipart(Part{Name: "image", FileName: "lunch.jpg", Type: "image/jpeg", Content: file})
	return Request{Method: "POST", Path: path, Token: token, Type: media, Body: body}
}

var location = regexp.MustCompile("^" + PublicURL + "/receipts/v4/images/([0-9a-f]{32})$")

// post posts an image for ann and gives the receipt's id.
func (w world) post(t *testing.T, file []byte) string {
	t.Helper()
	r := w.Do(posting("ann", ofAnn, file))
	if body := Text(r); r.StatusCode != 202 || body != "" {
		t.Fatalf("posting: %d %q", r.StatusCode, body)
	}
	m := location.FindStringSubmatch(r.Header.Get("Location"))
	if m == nil {
		t.Fatalf("the Location is %q", r.Header.Get("Location"))
	}
	if want := "<" + PublicURL + "/receipts/v4/status/" + m[1] + `>; rel="processing-status"`; r.Header.Get("Link") != want {
		t.Errorf("the Link is %q, want %q", r.Header.Get("Link"), want)
	}
	return m[1]
}

type status struct {
	Status string
	Logs   []struct{ LogLevel, Message, Timestamp string }
}

// status reads a status; lines are "LEVEL message".
func (w world) status(t *testing.T, id string) (s status, lines []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(w.get(t, 200, "ann", "/receipts/v4/status/"+id)), &s); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Logs {
		if _, err := time.Parse(http.TimeFormat, l.Timestamp); err != nil {
			t.Errorf("the time %q is not in the form of HTTP: %v", l.Timestamp, err)
		}
		lines = append(lines, l.LogLevel+" "+l.Message)
	}
	return s, lines
}

func (w world) wantStatus(t *testing.T, id, state string, lines ...string) {
	t.Helper()
	s, got := w.status(t, id)
	if s.Status != state || !slices.Equal(got, lines) {
		t.Errorf("the status is %s %q, want %s %q", s.Status, got, state, lines)
	}
}

const (
	accepted  = "INFO Receipt accepted. Queued for processing."
	initiated = "INFO Initiated receipt processing."
	retrieval = "ERROR Error during image generation or retrieval. Queued for reprocessing."
	failed    = "ERROR Processing failed."
	generated = "INFO Receipt image generated."
	finished  = "INFO Processing finished."
)

func TestImageOnlyReceipt(t *testing.T) {
	for name, file := range map[string][]byte{"image/jpeg": JPEG(1), "image/png": PNG(1), "image/gif": GIF(1), "image/tiff": TIFF(1)} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, w world) {
				id := w.post(t, file)
				one := "/receipts/v4/image-only-receipts/" + id
				alias := "/receipts/v4/images/" + id
				w.wantStatus(t, id, "ACCEPTED", accepted)
				for _, path := range []string{one, one + "/image", alias, alias + "/image"} {
					if body := w.get(t, 404, "ann", path); body != "" {
						t.Errorf("a 404 has the body %s", body)
					}
				}
				if body := w.get(t, 200, "ann", ofAnn); body != `{"receiptsImages":[]}` {
					t.Errorf("listed %s before it is there", body)
				}
				if body := w.call(t, 200, Request{Method: "GET", Path: v3, Token: "ann", Accept: "application/json"}); strings.Contains(body, "ID") {
					t.Errorf("v3 lists %s before it is there", body)
				}

				w.work(t)
				w.wantStatus(t, id, "PROCESSED", accepted, initiated, finished)
				record := fmt.Sprintf(`{"dateTimeReceived":"Wed May 08 2024 23:05:52 GMT+00:00","id":"%s","image":"%s%s/image","userId":"%s"}`, id, PublicURL, one, Ann)
				for _, path := range []string{one, alias} {
					if body := w.get(t, 200, "ann", path); body != record {
						t.Errorf("%s is %s, want %s", path, body, record)
					}
					r := w.Do(Request{Method: "GET", Path: path + "/image", Token: "ann"})
					b, err := io.ReadAll(r.Body)
					if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != name || !bytes.Equal(b, file) {
						t.Errorf("%s/image: %d %s, %d bytes, %v", path, r.StatusCode, r.Header.Get("Content-Type"), len(b), err)
					}
				}
				if body := w.get(t, 200, "ann", ofAnn); body != `{"receiptsImages":[`+record+`]}` {
					t.Errorf("listed %s", body)
				}
			})
		})
	}
}

// TestOneStore: what came through one service shows in the others.
func TestOneStore(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.post(t, JPEG(1))
		w.work(t)
		w.Advance(time.Second)
		w.call(t, 200, Request{Method: "POST", Path: v3, Token: "ann", Body: PNG(2)})
		w.Advance(time.Second)
		w.call(t, 201, Request{Method: "POST", Path: "/api/image/v1.0/receipt", Token: "ann", Body: PNG(3)})
		w.call(t, 201, Request{Method: "POST", Path: "/api/image/v1.0/expenseentry/" + EarlyEntry, Token: "ann", Body: PNG(4)}) // no receipt of its own
		var list struct {
			Items []struct{ ID string }
		}
		json.Unmarshal([]byte(w.call(t, 200, Request{Method: "GET", Path: v3, Token: "ann", Accept: "application/json"})), &list)
		if len(list.Items) != 3 {
			t.Fatalf("v3 lists %v, want 3", list.Items)
		}
		var page struct {
			ReceiptsImages []struct{ ID string }
		}
		json.Unmarshal([]byte(w.get(t, 200, "ann", ofAnn)), &page)
		if len(page.ReceiptsImages) != 3 || page.ReceiptsImages[2].ID != id {
			t.Fatalf("v4 lists %v, want 3 and the first one last", page.ReceiptsImages)
		}
		w.call(t, 200, Request{Method: "GET", Path: v3 + "/" + list.Items[0].ID, Token: "ann"})
		w.get(t, 200, "ann", "/receipts/v4/images/"+page.ReceiptsImages[0].ID)
		w.get(t, 404, "ann", "/receipts/v4/status/"+page.ReceiptsImages[0].ID) // it was never queued

		w.WriteTx(t, func(tx *store.Tx) error {
			return w.Images.AttachExisting(tx, AnnActor(), id, imaging.Entry, imaging.Held{ID: LateEntry, Owner: Ann})
		})
		w.call(t, 400, Request{Method: "DELETE", Path: v3 + "/" + list.Items[0].ID, Token: "ann"})
		w.call(t, 200, Request{Method: "GET", Path: "/api/image/v1.0/expenseentry/" + LateEntry, Token: "ann"})
	})
}

func TestRefusals(t *testing.T) {
	w := onSQLite(t)
	w.work(t)
	big, bigType := Multipart(Part{Name: "image", FileName: "a.jpg", Content: append(JPEG(1), make([]byte, receipt.MaxImage)...)})
	text, textType := Multipart(Part{Name: "image", FileName: "a.jpg", Type: "image/jpeg", Content: []byte("Total: 12.50")})
	none, noneType := Multipart(Part{Name: "picture", FileName: "a.jpg", Content: JPEG(1)})
	half, halfType := Multipart(Part{Name: "image", FileName: "a.jpg", Content: JPEG(1)[:300]})
	odd, oddType := Multipart(Part{Name: "image", Type: "image/image/png", Content: PNG(1)})
	upper := strings.Replace(ofAnn, Ann, strings.ToUpper(Ann), 1)
	for _, c := range []struct {
		name   string
		q      Request
		status int
		body   string
	}{
		{"no token", Request{Method: "POST", Path: ofAnn, Type: textType, Body: text}, 403, ""},
		{"an unknown token", Request{Method: "POST", Path: ofAnn, Token: "nobody", Type: textType, Body: text}, 403, ""},
		{"no scope", Request{Method: "POST", Path: ofAnn, Token: "unscoped", Type: textType, Body: text}, 403, ""},
		{"another user's token, before all else", Request{Method: "POST", Path: ofAnn, Token: "bob", Type: "text/plain", Body: text}, 401, `{"message":"User ID in the URL must match the ID in the sub claim of the JWT"}`},
		{"an administrator's token", Request{Method: "POST", Path: ofAnn, Token: "wes", Type: textType, Body: text}, 401, `{"message":"User ID in the URL must match the ID in the sub claim of the JWT"}`},
		{"a user of another company", posting("company", strings.Replace(ofAnn, Ann, Eve, 1), JPEG(1)), 404, ""},
		{"an unknown user", posting("company", strings.Replace(ofAnn, Ann, "a0000000-0000-4000-8000-00000000ffff", 1), JPEG(1)), 404, ""},
		{"a plain body", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: "image/jpeg", Body: JPEG(1)}, 415, `{"message":"Specified Content-Type is not supported"}`},
		{"no type", Request{Method: "POST", Path: ofAnn, Token: "ann", Body: text}, 415, `{"message":"Specified Content-Type is not supported"}`},
		{"too large", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: bigType, Body: big}, 413, `{"message":"Max file size exceeded"}`},
		{"text", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: textType, Body: text}, 415, `{"message":"Invalid image type"}`},
		{"no part image", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: noneType, Body: none}, 400, `{"message":"Request body could not be parsed"}`},
		{"cut", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: textType, Body: half[:200]}, 400, `{"message":"Request body could not be parsed"}`},
		{"half a JPEG", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: halfType, Body: half}, 400, `{"message":"The JPEG file ends too early; it was probably cut off on its way."}`},
		{"an odd type and no file name", Request{Method: "POST", Path: ofAnn, Token: "ann", Type: oddType, Body: odd}, 202, ""},
		{"the id in capitals", posting("ann", upper, JPEG(1)), 202, ""},
		{"a company's token for a user", posting("company", ofAnn, JPEG(2)), 202, ""},
		{"listing without a token", Request{Method: "GET", Path: ofAnn}, 403, ""},
		{"listing another user's", Request{Method: "GET", Path: ofAnn, Token: "bob"}, 401, `{"message":"User ID in the URL must match the ID in the sub claim of the JWT"}`},
		{"listing an unknown user's", Request{Method: "GET", Path: strings.Replace(ofAnn, Ann, "none", 1), Token: "company"}, 404, ""},
		{"a known user without receipts", Request{Method: "GET", Path: strings.Replace(ofAnn, Ann, Bob, 1), Token: "bob"}, 200, `{"receiptsImages":[]}`},
		{"an unknown receipt", Request{Method: "GET", Path: "/receipts/v4/images/00000000000000000000000000000000", Token: "ann"}, 404, ""},
		{"an unknown status", Request{Method: "GET", Path: "/receipts/v4/status/00000000000000000000000000000000", Token: "ann"}, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if body := w.call(t, c.status, c.q); body != c.body {
				t.Errorf("the answer is %s, want %s", body, c.body)
			}
		})
	}
	if n := w.Count(t, "image WHERE owner_id = ?", Ann); n != 3 {
		t.Errorf("%d images, want the three that were taken", n)
	}
}

func TestWhoReads(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.post(t, JPEG(1))
		w.work(t)
		for _, path := range []string{"/receipts/v4/image-only-receipts/", "/receipts/v4/images/", "/receipts/v4/status/"} {
			for token, want := range map[string]int{"ann": 200, "company": 200, "bob": 404, "wes": 404, "cora": 404, "eve": 404} {
				w.get(t, want, token, path+id)
			}
		}
		w.get(t, 404, "eve", "/receipts/v4/images/"+id+"/image")
		w.get(t, 200, "company", "/receipts/v4/images/"+id+"/image")
	})
}

func TestPaging(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		var want []string
		w.WriteTx(t, func(tx *store.Tx) error {
			for i := range 120 {
				if i%7 == 0 { // several came within one millisecond
					w.Advance(time.Millisecond)
				}
				m := w.Images.NewImage(Company, Ann, imaging.Processed)
				want = append(want, fmt.Sprintf("%d_%s", int64(m.Created)/1000, m.ReceiptID))
				if err := imaging.Insert(tx, m, imaging.File{Hash: "h", MediaType: "image/png", Size: 1, Pages: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		slices.Sort(want)
		slices.Reverse(want)
		next, pages := PublicURL+ofAnn, 0
		var got []string
		for next != "" {
			var page struct {
				ReceiptsImages []struct{ ID string }
				Next           string
			}
			body := w.get(t, 200, "ann", next)
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			pages++
			for _, r := range page.ReceiptsImages {
				got = append(got, r.ID)
			}
			if page.Next != "" {
				if wantNext := PublicURL + ofAnn + "/page/" + want[len(got)-1]; page.Next != wantNext {
					t.Errorf("next is %s, want %s", page.Next, wantNext)
				}
				// What comes in meanwhile does not shift the pages.
				m := w.Images.NewImage(Company, Ann, imaging.Processed)
				w.WriteTx(t, func(tx *store.Tx) error {
					return imaging.Insert(tx, m, imaging.File{Hash: "h", MediaType: "image/png", Size: 1, Pages: 1})
				})
			} else if strings.Contains(body, "next") {
				t.Errorf("the last page names a next one: %s", body)
			}
			next = page.Next
		}
		for i := range want {
			_, want[i], _ = strings.Cut(want[i], "_")
		}
		if pages != 3 || !slices.Equal(got, want) {
			t.Errorf("%d pages with %d receipts, want 3 with %d, the newest first", pages, len(got), len(want))
		}
		for _, token := range []string{"x", "1", "1_", "_" + want[0], "-1_" + want[0], "1_" + strings.ToUpper(want[0]), "99999999999999999999_" + want[0], "1_" + want[0] + "0"} {
			w.get(t, 400, "ann", ofAnn+"/page/"+token)
		}
	})
}

func TestStatusIsKeptTwoWeeks(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.post(t, JPEG(1))
		w.work(t)
		w.Advance(receipt.StatusLife - time.Minute)
		w.get(t, 200, "ann", "/receipts/v4/status/"+id)
		w.Advance(time.Minute)
		w.get(t, 404, "ann", "/receipts/v4/status/"+id)
		w.get(t, 200, "ann", "/receipts/v4/images/"+id)
		young := w.post(t, JPEG(2))
		w.WriteTx(t, func(tx *store.Tx) error {
			if n, err := receipt.Forget(tx); n != 1 || err != nil {
				t.Errorf("forgot %d, %v, want the old one", n, err)
			}
			return nil
		})
		w.wantStatus(t, young, "ACCEPTED", accepted)
		if n := w.Count(t, "receipt_log WHERE receipt_id = ?", id); n != 0 {
			t.Errorf("%d lines of the old one are left", n)
		}
	})
}

// broken is a GIF whose blocks are in order and whose data is none.
func broken() []byte {
	b := GIF(1)
	at := bytes.LastIndexByte(b[:len(b)/2], 0x2c) + 11 // behind the frame's header and its code size
	if at < 11 {
		panic("no frame")
	}
	for i := at + 1; i < at+100; i++ {
		b[i] = 0xff
	}
	return b
}

func TestImageThatDoesNotOpen(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		id := w.post(t, broken())
		w.work(t)
		w.wantStatus(t, id, "FAILED", accepted, initiated, failed)
		w.get(t, 200, "ann", "/receipts/v4/images/"+id) // the record and its file are there all the same
		w.get(t, 200, "ann", "/receipts/v4/images/"+id+"/image")
	})
}

func TestRetries(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		file := JPEG(1)
		mended, lost := w.post(t, file), w.post(t, JPEG(2))
		var refs []blob.Info
		w.Blobs.Walk(t.Context(), func(_ string, b blob.Info) error { refs = append(refs, b); return nil })
		for _, b := range refs {
			if err := w.Blobs.Delete(t.Context(), Company, b.Hash); err != nil {
				t.Fatal(err)
			}
		}
		w.work(t)
		w.wantStatus(t, mended, "PROCESSING", accepted, initiated, retrieval)
		w.get(t, 404, "ann", "/receipts/v4/images/"+mended)
		if _, err := w.Blobs.Put(t.Context(), Company, bytes.NewReader(file), receipt.MaxImage); err != nil {
			t.Fatal(err)
		}
		want := []string{accepted, initiated, retrieval}
		for range 4 {
			w.Advance(time.Hour)
			w.work(t)
			want = append(want, initiated, retrieval)
		}
		want[len(want)-1] = failed
		w.wantStatus(t, mended, "PROCESSED", accepted, initiated, retrieval, initiated, finished)
		w.wantStatus(t, lost, "FAILED", want...)
	})
}

func TestGoldens(t *testing.T) {
	w := onSQLite(t)
	id := w.post(t, JPEG(1))
	w.work(t)
	Golden(t, "post", w.Do(posting("ann", ofAnn, JPEG(2))))
	for name, path := range map[string]string{
		"index": "/receipts/", "index-v4": "/receipts/v4", "status": "/receipts/v4/status/" + id, "get": "/receipts/v4/images/" + id, "list": ofAnn,
	} {
		Golden(t, name, w.Do(Request{Method: "GET", Path: path, Token: "ann"}))
	}
}
