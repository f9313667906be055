package imaging_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

const (
	v1 = "/api/image/v1.0"
	v3 = "/api/v3.0/expense/receiptimages"
)

// call makes a call whose status must be this one, and gives its body.
func call(t *testing.T, w *World, status int, q Request) string {
	t.Helper()
	r := w.Do(q)
	text := Text(r)
	if r.StatusCode != status {
		t.Fatalf("%s %s as %s: %d %s, want %d", q.Method, q.Path, q.Token, r.StatusCode, text, status)
	}
	return text
}

func post(token, path string, body []byte) Request {
	return Request{Method: "POST", Path: path, Token: token, Accept: "application/json", Type: "image/jpeg", Body: body}
}

func get(token, path string) Request {
	return Request{Method: "GET", Path: path, Token: token, Accept: "application/json"}
}

// member is one member of a JSON object.
func member(t *testing.T, body, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	s, ok := all[name].(string)
	if !ok {
		t.Fatalf("no text %s in %s", name, body)
	}
	return s
}

// follow gets a link without a token.
func follow(t *testing.T, w *World, status int, link string) *http.Response {
	t.Helper()
	if !strings.HasPrefix(link, PublicURL+"/file/") {
		t.Fatalf("%q is no link", link)
	}
	r := w.Do(Request{Method: "GET", Path: link})
	if r.StatusCode != status {
		t.Fatalf("GET %s: %d %s, want %d", link, r.StatusCode, Text(r), status)
	}
	return r
}

func bytesOf(t *testing.T, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameFile follows a link and compares every byte.
func sameFile(t *testing.T, w *World, link, media string, want []byte) {
	t.Helper()
	r := follow(t, w, 200, link)
	if got := r.Header.Get("Content-Type"); got != media {
		t.Errorf("the file is %s, want %s", got, media)
	}
	if !bytes.Equal(bytesOf(t, r), want) {
		t.Error("the bytes are not those that came")
	}
}

func TestReceiptIsOneRecordForEveryService(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		photo, scan := JPEG(1), PNG(2)
		one := member(t, call(t, w, 201, post("ann", v1+"/receipt", photo)), "Id")
		made := call(t, w, 200, post("ann", v3, scan))
		two := member(t, made, "ID")
		if want := PublicURL + v3 + "/" + two; member(t, made, "URI") != want {
			t.Errorf("the URI is %s, want %s", member(t, made, "URI"), want)
		}
		list := call(t, w, 200, get("ann", v3))
		want := fmt.Sprintf(`{"Items":[{"ID":"%s","URI":"%s"},{"ID":"%s","URI":"%s"}],"NextPage":null}`,
			one, PublicURL+v3+"/"+one, two, PublicURL+v3+"/"+two)
		if list != want {
			t.Errorf("listed %s, want %s", list, want)
		}
		for _, c := range []struct {
			id, media string
			file      []byte
		}{{one, "image/jpeg", photo}, {two, "image/png", scan}} {
			sameFile(t, w, member(t, call(t, w, 200, get("ann", v1+"/receipt/"+c.id)), "Url"), c.media, c.file)
			sameFile(t, w, member(t, call(t, w, 200, get("ann", v3+"/"+c.id)), "URI"), c.media, c.file)
			r := w.Do(Request{Method: "GET", Path: v3 + "/" + c.id, Token: "ann", Accept: "image/*"})
			if got := r.Header.Get("Content-Type"); got != c.media || !bytes.Equal(bytesOf(t, r), c.file) {
				t.Errorf("Accept image/* gave %s, want the %s", got, c.media)
			}
		}
		if n := w.BlobCount(t, Company); n != 2 {
			t.Errorf("%d blobs, want 2", n)
		}
	})
}

func TestGoldens(t *testing.T) {
	w := New(t, storetest.SQLite)
	photo := JPEG(1)
	for _, c := range []struct {
		name string
		q    Request
	}{
		{"v1-receipt-post-xml", Request{Method: "POST", Path: v1 + "/receipt", Token: "ann", Body: photo, Type: "image/jpeg"}},
		{"v1-receipt-post-json", post("ann", v1+"/receipt", photo)},
		{"v1-entry-post-xml", Request{Method: "POST", Path: v1 + "/expenseentry/" + EarlyEntry, Token: "ann", Body: photo, Type: "image/jpg"}},
		{"v1-entry-second-xml", Request{Method: "POST", Path: v1 + "/expenseentry/" + EarlyEntry, Token: "ann", Body: photo}},
		{"v1-entry-get-xml", Request{Method: "GET", Path: v1 + "/expenseentry/" + EarlyEntry, Token: "ann"}},
		{"v1-entry-get-json", get("ann", v1+"/expenseentry/"+EarlyEntry)},
		{"v1-entry-unknown-xml", Request{Method: "GET", Path: v1 + "/expenseentry/none", Token: "ann"}},
		{"v1-entry-without-image-json", get("ann", v1+"/expenseentry/"+LateEntry)},
		{"v1-entry-locked-json", post("ann", v1+"/expenseentry/"+LockedEntry, photo)},
		{"v1-wrong-type-json", post("ann", v1+"/receipt", []byte("Total: 12.50"))},
		{"v1-no-token-xml", Request{Method: "POST", Path: v1 + "/receipt", Body: photo}},
		{"v3-post-json", post("ann", v3, photo)},
		{"v3-post-xml", Request{Method: "POST", Path: v3, Token: "ann", Body: photo, Type: "image/jpeg"}},
		{"v3-list-json", get("ann", v3+"?limit=2")},
		{"v3-list-xml", Request{Method: "GET", Path: v3 + "?limit=2", Token: "ann"}},
		{"v3-list-xml-observed", Request{Method: "GET", Path: v3 + "?limit=2", Token: "ann-observed"}},
		{"v3-list-empty-json", get("bob", v3)},
		{"v3-get-unknown-json", get("ann", v3+"/gWnone")},
		{"v3-get-unknown-xml", Request{Method: "GET", Path: v3 + "/gWnone", Token: "ann"}},
		{"link-damaged", Request{Method: "GET", Path: "/file/AAAA"}},
	} {
		t.Run(c.name, func(t *testing.T) { Golden(t, c.name, w.Do(c.q)) })
	}
	var id string
	w.ReadTx(t, func(tx *store.Tx) error { return tx.QueryRow("SELECT id FROM image ORDER BY seq").Scan(&id) })
	for _, c := range []struct {
		name string
		q    Request
	}{
		{"v3-get-json", get("ann", v3+"/"+id)},
		{"v3-get-xml", Request{Method: "GET", Path: v3 + "/" + id, Token: "ann"}},
		{"v3-put-json", Request{Method: "PUT", Path: v3 + "/" + id, Token: "ann", Accept: "application/json", Body: photo}},
		{"v3-put-xml-observed", Request{Method: "PUT", Path: v3 + "/" + id, Token: "ann-observed", Body: photo}},
		{"v3-delete-xml", Request{Method: "DELETE", Path: v3 + "/" + id, Token: "ann"}},
	} {
		t.Run(c.name, func(t *testing.T) { Golden(t, c.name, w.Do(c.q)) })
	}
}

func TestEntryTakesOneImage(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		path := v1 + "/expenseentry/" + EarlyEntry
		photo := JPEG(1)
		call(t, w, 404, get("ann", path))
		if id := member(t, call(t, w, 201, post("ann", path, photo)), "Id"); id != EarlyEntry {
			t.Errorf("the Id is %q, want the entry's as given", id)
		}
		refusal := call(t, w, 400, post("ann", path, PNG(2)))
		if !strings.Contains(refusal, "An image is already attached") {
			t.Errorf("the refusal says %s", refusal)
		}
		sameFile(t, w, member(t, call(t, w, 200, get("ann", path)), "Url"), "image/jpeg", photo)
		if n := w.Count(t, "test_entry WHERE id = ? AND images = 1", EarlyEntry); n != 1 {
			t.Error("the entry was not told of its image")
		}
		if n := w.Count(t, "image"); n != 1 {
			t.Errorf("%d image rows, want 1", n)
		}
		if list := call(t, w, 200, get("ann", v3)); list != `{"Items":[],"NextPage":null}` {
			t.Errorf("an entry's own image is among the receipts: %s", list)
		}

		link := member(t, call(t, w, 200, get("ann", path)), "Url")
		remove := Request{Method: "DELETE", Path: path, Token: "ann", Accept: "application/json"}
		if body := call(t, w, 200, remove); body != "{}" {
			t.Errorf("the removal answers %s", body)
		}
		follow(t, w, 404, link)
		call(t, w, 404, remove)
		call(t, w, 404, get("ann", path))
		if n := w.Count(t, "image"); n != 0 {
			t.Errorf("%d image rows are left", n)
		}
		if n := w.Count(t, "test_entry WHERE id = ? AND images = 0", EarlyEntry); n != 1 {
			t.Error("the entry was not told that its image is gone")
		}
		call(t, w, 201, post("ann", path, PNG(2)))
	})
}

func TestRaceForOneEntry(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		var wg sync.WaitGroup
		status := make([]int, 8)
		for i := range status {
			wg.Add(1)
			go func() {
				defer wg.Done()
				status[i] = w.Do(post("ann", v1+"/expenseentry/"+EarlyEntry, JPEG(uint64(i)))).StatusCode
			}()
		}
		wg.Wait()
		slices.Sort(status)
		if want := []int{201, 400, 400, 400, 400, 400, 400, 400}; !slices.Equal(status, want) {
			t.Errorf("the answers are %v, want %v", status, want)
		}
		for table, want := range map[string]int64{"image": 1, "image_part": 1, "attachment": 1} {
			if n := w.Count(t, table); n != want {
				t.Errorf("%d rows in %s, want %d", n, table, want)
			}
		}
	})
}

func TestReportGathersItsImages(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		path := v1 + "/report/" + Report
		call(t, w, 404, get("ann", path))
		call(t, w, 201, post("ann", v1+"/expenseentry/"+LateEntry, JPEG(4)))
		call(t, w, 201, post("ann", v1+"/expenseentry/"+EarlyEntry, JPEG(3)))
		for seed := uint64(1); seed <= 2; seed++ {
			if id := member(t, call(t, w, 201, post("ann", path, JPEG(seed))), "Id"); id != Report {
				t.Errorf("the Id is %q", id)
			}
		}
		if n := w.Count(t, "test_report WHERE id = ? AND images = 2", Report); n != 1 {
			t.Error("the report was not told of its images")
		}
		link := member(t, call(t, w, 200, get("ann", path)), "Url")
		if n := w.Count(t, "derived_file"); n != 1 {
			t.Errorf("%d derived files after asking for the link, want 1", n)
		}
		r := follow(t, w, 200, link)
		if got := r.Header.Get("Content-Type"); got != "application/pdf" {
			t.Errorf("the report's file is %s", got)
		}
		merged := bytesOf(t, r)
		// The parts are JPEGs, and a PDF keeps their data: report 1, report 2, early, late.
		at := -1
		for _, seed := range []uint64{1, 2, 3, 4} {
			next := bytes.Index(merged, scanOf(JPEG(seed)))
			if next <= at {
				t.Fatalf("picture %d is at %d, after %d", seed, next, at)
			}
			at = next
		}
		again := bytesOf(t, follow(t, w, 200, member(t, call(t, w, 200, get("bob", path)), "Url")))
		if !bytes.Equal(again, merged) {
			t.Error("the approver's PDF is another")
		}

		// A new image changes what a link shows, a removed one takes itself away.
		call(t, w, 201, post("ann", path, JPEG(5)))
		if !bytes.Contains(bytesOf(t, follow(t, w, 200, link)), scanOf(JPEG(5))) {
			t.Error("the appended image is not in the PDF")
		}
		call(t, w, 200, Request{Method: "DELETE", Path: v1 + "/expenseentry/" + LateEntry, Token: "ann"})
		if bytes.Contains(bytesOf(t, follow(t, w, 200, link)), scanOf(JPEG(4))) {
			t.Error("the removed image is still in the PDF")
		}
		w.WriteTx(t, func(tx *store.Tx) error {
			if err := w.Images.DetachAll(tx, imaging.Entry, EarlyEntry, LateEntry); err != nil {
				return err
			}
			return w.Images.DetachAll(tx, imaging.Report, Report)
		})
		follow(t, w, 404, link)
		for _, table := range []string{"image", "image_part", "attachment", "derived_file"} {
			if n := w.Count(t, table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
	})
}

// scanOf is the compressed data of a JPEG, by which its picture is recognised.
func scanOf(b []byte) []byte {
	at := bytes.Index(b, []byte{0xff, 0xda})
	return b[at+14 : len(b)-2]
}

func TestReportOfOneFile(t *testing.T) {
	w := New(t, storetest.SQLite)
	path := v1 + "/report/" + Report
	call(t, w, 201, post("ann", path, JPEG(1)))
	link := member(t, call(t, w, 200, get("ann", path)), "Url")
	r := follow(t, w, 200, link)
	pdf := bytesOf(t, r)
	if r.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Error("a report with one photo is not shown as a PDF")
	}
	w.WriteTx(t, func(tx *store.Tx) error { return w.Images.DetachAll(tx, imaging.Report, Report) })
	call(t, w, 201, post("ann", path, pdf))
	sameFile(t, w, member(t, call(t, w, 200, get("ann", path)), "Url"), "application/pdf", pdf)
}

func TestAppendMakesOnePDF(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
		put := Request{Method: "PUT", Path: v3 + "/" + id, Token: "ann", Accept: "application/json", Body: PNG(2)}
		if body := call(t, w, 200, put); body != "{}" {
			t.Errorf("the append answers %s", body)
		}
		link := member(t, call(t, w, 200, get("ann", v3+"/"+id)), "URI")
		r := follow(t, w, 200, link)
		if got := r.Header.Get("Content-Type"); got != "application/pdf" {
			t.Fatalf("the appended image is %s", got)
		}
		two := bytesOf(t, r)
		r = w.Do(Request{Method: "GET", Path: v3 + "/" + id, Token: "ann", Accept: "image/*"})
		if r.Header.Get("Content-Type") != "application/pdf" || !bytes.Equal(bytesOf(t, r), two) {
			t.Error("the bytes asked for directly are others")
		}
		var pages int64
		w.ReadTx(t, func(tx *store.Tx) error { return tx.QueryRow("SELECT pages FROM derived_file").Scan(&pages) })
		if pages != 2 {
			t.Errorf("%d pages, want 2", pages)
		}
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				q := put
				q.Body = JPEG(uint64(10 + i))
				if r := w.Do(q); r.StatusCode != 200 {
					t.Errorf("an append at the same time: %d %s", r.StatusCode, Text(r))
				}
			}()
		}
		wg.Wait()
		follow(t, w, 200, link)
		w.ReadTx(t, func(tx *store.Tx) error { return tx.QueryRow("SELECT pages FROM derived_file").Scan(&pages) })
		if pages != 8 {
			t.Errorf("%d pages, want 8", pages)
		}
	})
}

func TestDeleteReceiptImage(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
		link := member(t, call(t, w, 200, get("ann", v3+"/"+id)), "URI")
		attach := func(image string) error {
			return w.DB.Write(t.Context(), func(tx *store.Tx) error {
				return w.Images.AttachExisting(tx, AnnActor(), image, imaging.Entry, imaging.Held{ID: EarlyEntry, Owner: Ann})
			})
		}
		if err := attach(id); err != nil {
			t.Fatal(err)
		}
		if err := attach(id); err != nil {
			t.Errorf("attaching the same again: %v", err)
		}
		other := member(t, call(t, w, 200, post("ann", v3, JPEG(2))), "ID")
		if err := attach(other); errs.As(err).Code != "imageAttached" {
			t.Errorf("a second image: %v", err)
		}
		foreign := member(t, call(t, w, 200, post("bob", v3, JPEG(3))), "ID")
		if err := attach(foreign); !errs.Is(err, errs.Invalid) || errs.As(err).Code != "image" {
			t.Errorf("another user's image: %v", err)
		}
		sameFile(t, w, member(t, call(t, w, 200, get("bob", v1+"/expenseentry/"+EarlyEntry)), "Url"), "image/jpeg", JPEG(1))

		remove := Request{Method: "DELETE", Path: v3 + "/" + id, Token: "ann", Accept: "application/json"}
		call(t, w, 400, remove)
		sameFile(t, w, link, "image/jpeg", JPEG(1))
		call(t, w, 200, Request{Method: "DELETE", Path: v1 + "/expenseentry/" + EarlyEntry, Token: "ann"})
		sameFile(t, w, link, "image/jpeg", JPEG(1)) // it is among the receipts again
		if body := call(t, w, 200, remove); body != "{}" {
			t.Errorf("the removal answers %s", body)
		}
		follow(t, w, 404, link)
		call(t, w, 404, remove)
		call(t, w, 404, get("ann", v3+"/"+id))
	})
}

// TestAttachRacesDelete: an image that is attached stands, one that is gone is not
// attached.
func TestAttachRacesDelete(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		for range 10 {
			id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
			var attached error
			var deleted int
			var wg sync.WaitGroup
			wg.Go(func() {
				attached = w.DB.Write(t.Context(), func(tx *store.Tx) error {
					return w.Images.AttachExisting(tx, AnnActor(), id, imaging.Report, imaging.Held{ID: Report, Owner: Ann})
				})
			})
			wg.Go(func() { deleted = w.Do(Request{Method: "DELETE", Path: v3 + "/" + id, Token: "ann"}).StatusCode })
			wg.Wait()
			if (attached == nil) == (deleted == 200) {
				t.Errorf("attaching says %v, deleting %d", attached, deleted)
			}
		}
		if n := w.Count(t, "attachment a WHERE NOT EXISTS (SELECT 1 FROM image m WHERE m.id = a.image_id)"); n != 0 {
			t.Errorf("%d attachments lead nowhere", n)
		}
	})
}

func TestLocked(t *testing.T) {
	w := New(t, storetest.SQLite)
	for _, path := range []string{v1 + "/expenseentry/" + LockedEntry, v1 + "/report/" + LockedReport} {
		if body := call(t, w, 400, post("ann", path, JPEG(1))); !strings.Contains(body, "The report is submitted.") {
			t.Errorf("%s: %s", path, body)
		}
	}
	id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
	w.WriteTx(t, func(tx *store.Tx) error {
		return w.Images.AttachExisting(tx, AnnActor(), id, imaging.Entry, imaging.Held{ID: LockedEntry, Owner: Ann})
	})
	call(t, w, 400, Request{Method: "PUT", Path: v3 + "/" + id, Token: "ann", Body: JPEG(2)})
	call(t, w, 400, Request{Method: "DELETE", Path: v1 + "/expenseentry/" + LockedEntry, Token: "ann"})
	call(t, w, 200, get("ann", v1+"/expenseentry/"+LockedEntry))
}

func TestWhoMay(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		entry, report := v1+"/expenseentry/"+EarlyEntry, v1+"/report/"+Report
		call(t, w, 201, post("ann", entry, JPEG(1)))
		id := member(t, call(t, w, 201, post("ann", v1+"/receipt", JPEG(2))), "Id")
		receipt := v1 + "/receipt/" + id
		image := v3 + "/" + id
		for _, c := range []struct {
			token                                  string
			entry, report, receipt, image, imageAs int
		}{
			{"ann", 200, 200, 200, 200, 200},
			{"bob", 200, 200, 404, 404, 403}, // approves the report
			{"cora", 200, 200, 200, 404, 403},
			{"wes", 200, 200, 200, 200, 200},
			{"cane", 200, 200, 200, 200, 200},
			{"company", 200, 200, 200, 200, 200},
			{"ivan", 404, 404, 404, 404, 403},
			{"eve", 404, 404, 404, 404, 403},
			{"unscoped", 403, 403, 403, 403, 403},
			{"unknown", 403, 403, 403, 403, 403},
			{"", 401, 401, 401, 401, 401},
		} {
			for path, want := range map[string]int{entry: c.entry, report: c.report, receipt: c.receipt, image: c.image, image + "?user=ann@demo.test": c.imageAs} {
				if r := w.Do(get(c.token, path)); r.StatusCode != want {
					t.Errorf("%q reads %s: %d, want %d", c.token, path, r.StatusCode, want)
				}
			}
		}
		// What is not the caller's answers like what is not there.
		for _, c := range []struct {
			q             Request
			theirs, never string
		}{
			{get("eve", ""), entry, v1 + "/expenseentry/none"},
			{get("eve", ""), report, v1 + "/report/none"},
			{get("eve", ""), receipt, v1 + "/receipt/none"},
			{get("ivan", ""), image, v3 + "/none"},
			{post("bob", "", JPEG(5)), entry, v1 + "/expenseentry/none"}, // an approver reads, and does not attach
			{post("ivan", "", JPEG(5)), report, v1 + "/report/none"},
			{Request{Method: "DELETE", Token: "bob"}, entry, v1 + "/expenseentry/none"},
			{Request{Method: "DELETE", Token: "eve"}, image, v3 + "/none"},
			{Request{Method: "PUT", Token: "eve", Body: JPEG(5)}, image, v3 + "/none"},
		} {
			one, two := c.q, c.q
			one.Path, two.Path = c.theirs, c.never
			a, b := call(t, w, 404, one), call(t, w, 404, two)
			if a != b {
				t.Errorf("%s %s as %s answers %s, an absent one %s", one.Method, one.Path, one.Token, a, b)
			}
		}
		// Administrators attach for the owner.
		for i, token := range []string{"cora", "wes", "cane", "company"} {
			call(t, w, 201, post(token, report, JPEG(uint64(20+i))))
		}
		if n := w.Count(t, "image WHERE owner_id = ?", Ann); n != 6 {
			t.Errorf("%d images are ann's, want 6", n)
		}
		// The user parameter.
		call(t, w, 403, post("bob", v3+"?user=ann@demo.test", JPEG(9)))
		call(t, w, 200, post("wes", v3+"?user=ann@demo.test", JPEG(9)))
		if body := call(t, w, 400, post("wes", v3+"?user=nobody@demo.test", JPEG(9))); !strings.Contains(body, `"Invalid User`) {
			t.Errorf("an unknown user: %s", body)
		}
		call(t, w, 400, post("company", v3, JPEG(9)))
		call(t, w, 400, post("company", v1+"/receipt", JPEG(9)))
		for path, want := range map[string]int{v3: 0, v3 + "?user=ann@demo.test": 2, v3 + "?user=ALL": 2} {
			if body := call(t, w, 200, get("wes", path)); strings.Count(body, `"ID"`) != want {
				t.Errorf("%s lists %s, want %d", path, body, want)
			}
		}
		call(t, w, 403, get("ann", v3+"?user=ALL"))
		if body := call(t, w, 200, get("eve", v3)); strings.Contains(body, "ID") {
			t.Errorf("eve sees %s", body)
		}
	})
}

func TestUploads(t *testing.T) {
	w := New(t, storetest.SQLite)
	photo := JPEG(1)
	one := func(name, file, media string) ([]byte, string) {
		return Multipart(Part{Name: "note", Content: []byte("lunch")}, Part{Name: name, FileName: file, Type: media, Content: photo})
	}
	named, namedType := one("Image File", "", "")
	any, anyType := one("whatever", "lunch.jpg", "image/image/jpeg")
	none, noneType := Multipart(Part{Name: "note", Content: []byte("lunch")})
	two, twoType := Multipart(Part{Name: "a", FileName: "a.jpg", Content: photo}, Part{Name: "b", FileName: "b.jpg", Content: photo})
	for _, c := range []struct {
		name, media string
		body        []byte
		status      int
		sentence    string
	}{
		{"without a type", "", photo, 201, ""},
		{"with a wrong type", "application/json", photo, 201, ""},
		{"a PNG called JPEG", "image/jpeg", PNG(2), 201, ""},
		{"a part with the documented name", namedType, named, 201, ""},
		{"any one file part", anyType, any, 201, ""},
		{"a multipart body without a file", noneType, none, 400, "no file"},
		{"a multipart body with two files", twoType, two, 400, "more than one file"},
		{"a multipart body that is cut", anyType, any[:len(any)-40], 400, ""},
		{"a multipart body without a boundary", "multipart/form-data", any, 415, "boundary"},
		{"nothing", "image/jpeg", []byte{}, 400, "empty"},
		{"half a JPEG", "image/jpeg", photo[:len(photo)/2], 400, "too early"},
		{"text", "image/jpeg", []byte("Total: 12.50"), 415, ""},
		{"a GIF, which Image v1 does not take", "image/gif", GIF(1), 415, "PDF, JPEG, PNG"},
		{"Base64", "image/jpeg", []byte("/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAAEBAQEBAQEBAQEBAQEBAQ=="), 415, "Base64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.Count(t, "image")
			q := Request{Method: "POST", Path: v1 + "/receipt", Token: "ann", Accept: "application/json", Type: c.media, Body: c.body}
			body := call(t, w, c.status, q)
			if !strings.Contains(body, c.sentence) {
				t.Errorf("the answer %s does not say %q", body, c.sentence)
			}
			if n := w.Count(t, "image") - before; (n == 1) != (c.status == 201) {
				t.Errorf("%d new rows", n)
			}
		})
	}
	if n := w.BlobCount(t, Company); n != 2 {
		t.Errorf("%d blobs, want 2", n)
	}
	noTemporaryFiles(t, w)
}

// pngOf is a PNG that says that it has these sides, with right sums and no real data.
func pngOf(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		named := append([]byte(name), data...)
		b = append(b, named...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(named))
	}
	head := binary.BigEndian.AppendUint32(nil, width)
	head = binary.BigEndian.AppendUint32(head, height)
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte("\x78\x9c\x03\x00\x00\x00\x00\x01"))
	chunk("IEND", nil)
	return b
}

// pdfOf is a PDF with one empty page; trailer stands in its trailer.
func pdfOf(trailer string) []byte {
	var b bytes.Buffer
	var at [4]int
	b.WriteString("%PDF-1.4\n")
	for i, o := range []string{"", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"} {
		if i > 0 {
			at[i] = b.Len()
			fmt.Fprintf(&b, "%d 0 obj%s endobj\n", i, o)
		}
	}
	xref := b.Len()
	b.WriteString("xref\n0 4\n0000000000 65535 f \n")
	for _, offset := range at[1:] {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer<</Size 4/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", trailer, xref)
	return b.Bytes()
}

// TestHostileFiles: nothing that is refused leaves a row or a file.
func TestHostileFiles(t *testing.T) {
	w := New(t, storetest.SQLite)
	call(t, w, 200, post("ann", v3, pdfOf(""))) // what the others differ from
	id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
	for name, c := range map[string]struct {
		file   []byte
		status int
	}{
		"a PNG of 400 megapixels":       {pngOf(20_000, 20_000), 400},
		"a PNG of 4 gigapixels":         {pngOf(1<<31-1, 2), 400},
		"a PNG with a wrong sum":        {append(PNG(1)[:60], append([]byte{0xff}, PNG(1)[61:]...)...), 400},
		"an encrypted PDF":              {pdfOf("/Encrypt 3 0 R"), 400},
		"a PDF without its end":         {pdfOf("")[:250], 400},
		"a PDF behind a page of HTML":   {append([]byte("<html><script>alert(1)</script>"), pdfOf("")...), 415},
		"a TIFF of eight bytes":         {[]byte("II*\x00\x08\x00\x00\x00"), 415},
		"an SVG":                        {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 415},
		"the first bytes of a JPEG":     {[]byte("\xff\xd8\xff"), 400},
		"a JPEG with the end in a note": {append([]byte("\xff\xd8\xff\xfe\x00\x04\xff\xd9"), bytes.Repeat([]byte{0}, 100)...), 400},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range []Request{
				post("ann", v3, c.file),
				post("ann", v1+"/receipt", c.file),
				post("ann", v1+"/expenseentry/"+EarlyEntry, c.file),
				{Method: "PUT", Path: v3 + "/" + id, Token: "ann", Accept: "application/json", Body: c.file},
			} {
				body := call(t, w, c.status, q)
				if strings.Contains(body, "Something went wrong") {
					t.Errorf("the refusal says nothing: %s", body)
				}
			}
		})
	}
	for table, want := range map[string]int64{"image": 2, "image_part": 2, "attachment": 0} {
		if n := w.Count(t, table); n != want {
			t.Errorf("%d rows in %s, want %d", n, table, want)
		}
	}
	if n := w.BlobCount(t, Company); n != 2 {
		t.Errorf("%d blobs, want 2", n)
	}
	noTemporaryFiles(t, w)
}

// TestPartThatCannotBeMerged: a file that is whole by its structure, but whose pixels
// are not there, is refused at the door. Taken, it would keep the report from ever
// having its one PDF.
func TestPartThatCannotBeMerged(t *testing.T) {
	w := New(t, storetest.SQLite)
	path := v1 + "/report/" + Report
	call(t, w, 201, post("ann", path, JPEG(1)))
	interlaced := pngOf(40, 40)
	interlaced[28] = 1 // of IHDR; its sum follows
	binary.BigEndian.PutUint32(interlaced[29:], crc32.ChecksumIEEE(interlaced[12:29]))
	body := call(t, w, 400, post("ann", path, interlaced))
	if !strings.Contains(body, "PNG") {
		t.Errorf("the refusal does not say what is wrong: %s", body)
	}
	call(t, w, 201, post("ann", path, PNG(2)))
	call(t, w, 200, get("ann", path))
	if n := w.Count(t, "image_part"); n != 2 {
		t.Errorf("%d parts", n)
	}
}

// TestTooMuchForOnePDF: an image grows to 2,000 pages and no further.
func TestTooMuchForOnePDF(t *testing.T) {
	w := New(t, storetest.SQLite)
	id := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
	w.WriteTx(t, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE image_part SET pages = ?", imaging.MaxFilePages)
		return err
	})
	put := Request{Method: "PUT", Path: v3 + "/" + id, Token: "ann", Accept: "application/json", Body: JPEG(2)}
	if body := call(t, w, 400, put); !strings.Contains(body, "2001 pages") {
		t.Errorf("the refusal says %s", body)
	}
	call(t, w, 201, post("ann", v1+"/report/"+Report, JPEG(3)))
	call(t, w, 201, post("ann", v1+"/expenseentry/"+EarlyEntry, JPEG(4)))
	w.WriteTx(t, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE image_part SET size = ? WHERE pages = 1", imaging.MaxFileBytes/2+1)
		return err
	})
	if body := call(t, w, 400, get("ann", v1+"/report/"+Report)); !strings.Contains(body, "200 MB") {
		t.Errorf("the refusal says %s", body)
	}
}

// noTemporaryFiles looks for files in the blob folder that are no blobs.
func noTemporaryFiles(t *testing.T, w *World) {
	t.Helper()
	err := filepath.WalkDir(w.BlobDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && len(d.Name()) != 64 {
			if s, err := d.Info(); err == nil && s.Size() > 0 {
				t.Errorf("a file was left: %s", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// padded is a JPEG of exactly n bytes: comments fill it.
func padded(t *testing.T, n int) []byte {
	t.Helper()
	photo := JPEG(1)
	b := slices.Clone(photo[:2])
	for left := n - len(photo); left > 0; {
		size := min(left, 65535+2)
		if rest := left - size; rest > 0 && rest < 4 {
			size -= 4
		}
		b = append(b, 0xff, 0xfe, byte((size-2)>>8), byte(size-2))
		b = append(b, make([]byte, size-4)...)
		left -= size
	}
	b = append(b, photo[2:]...)
	if len(b) != n {
		t.Fatalf("%d bytes, want %d", len(b), n)
	}
	return b
}

func TestSizeLimit(t *testing.T) {
	w := New(t, storetest.SQLite)
	server := httptest.NewServer(w.Server)
	defer server.Close()
	for _, c := range []struct {
		size    int
		chunked bool
		status  int
	}{
		{imaging.MaxUpload, false, 201},
		{imaging.MaxUpload, true, 201},
		{imaging.MaxUpload + 1, false, 413},
		{imaging.MaxUpload + 1, true, 413},
		{imaging.MaxUpload + 1<<20, false, 413},
		{imaging.MaxUpload + 1<<20, true, 413},
	} {
		var body io.Reader = bytes.NewReader(padded(t, c.size))
		if c.chunked {
			body = struct{ io.Reader }{body} // hides the length
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+v1+"/receipt", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer ann")
		before := w.Count(t, "image")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%d bytes, chunked %v: %v", c.size, c.chunked, err)
		}
		if answer.StatusCode != c.status {
			t.Errorf("%d bytes, chunked %v: %d %s, want %d", c.size, c.chunked, answer.StatusCode, Text(answer), c.status)
		}
		answer.Body.Close()
		if n := w.Count(t, "image") - before; (n == 1) != (c.status == 201) {
			t.Errorf("%d bytes: %d new rows", c.size, n)
		}
	}
	if n := w.BlobCount(t, Company); n != 1 {
		t.Errorf("%d blobs, want 1", n)
	}
	noTemporaryFiles(t, w)
}

func TestClientThatLeaves(t *testing.T) {
	w := New(t, storetest.SQLite)
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer close(over)
		w.Server.ServeHTTP(rw, r)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := padded(t, 4<<20)
	fmt.Fprintf(conn, "POST %s/receipt HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\nContent-Length: %d\r\n\r\n", v1, len(body))
	conn.Write(body[:len(body)-1])
	conn.Close()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Fatal("the call does not end")
	}
	if n := w.Count(t, "image"); n != 0 {
		t.Errorf("%d rows", n)
	}
	if n := w.BlobCount(t, Company); n != 0 {
		t.Errorf("%d blobs", n)
	}
	noTemporaryFiles(t, w)
}

func TestLinks(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		photo := JPEGOf(1, 200, 200)
		id := member(t, call(t, w, 201, post("ann", v1+"/receipt", photo)), "Id")
		link := member(t, call(t, w, 200, get("ann", v1+"/receipt/"+id)), "Url")

		head := w.Do(Request{Method: "HEAD", Path: link})
		if head.StatusCode != 200 || head.ContentLength != int64(len(photo)) || Text(head) != "" {
			t.Errorf("HEAD: %d, length %d", head.StatusCode, head.ContentLength)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "sandbox; default-src 'none'",
			"Content-Disposition": `inline; filename="image.jpeg"`, "Accept-Ranges": "bytes",
		} {
			if got := head.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		ranged := w.Do(Request{Method: "GET", Path: link, Header: map[string]string{"Range": "bytes=10-19"}})
		if ranged.StatusCode != 206 || !bytes.Equal(bytesOf(t, ranged), photo[10:20]) {
			t.Errorf("a range: %d", ranged.StatusCode)
		}
		ranged = w.Do(Request{Method: "GET", Path: link, Header: map[string]string{"Range": "bytes=99999999-"}})
		if ranged.StatusCode != 416 {
			t.Errorf("a range behind the end: %d, want 416", ranged.StatusCode)
		}
		same := w.Do(Request{Method: "GET", Path: link, Header: map[string]string{"If-None-Match": head.Header.Get("ETag")}})
		if same.StatusCode != 304 {
			t.Errorf("what is there already: %d, want 304", same.StatusCode)
		}

		signed := strings.TrimPrefix(link, PublicURL+"/file/")
		for i := 0; i < len(signed); i += 7 {
			c := byte('A')
			if signed[i] == c {
				c = 'B'
			}
			follow(t, w, 403, PublicURL+"/file/"+signed[:i]+string(c)+signed[i+1:])
		}
		other := w.Signer.Sign("paging", "image "+id, w.Now().Add(time.Hour))
		follow(t, w, 403, PublicURL+"/file/"+other)
		w.Advance(imaging.LinkLife - time.Microsecond)
		follow(t, w, 200, link)
		w.Advance(time.Microsecond)
		follow(t, w, 403, link)
	})
}

func TestPaging(t *testing.T) {
	w := New(t, storetest.SQLite)
	var want, got []string
	for i := range 7 {
		want = append(want, member(t, call(t, w, 200, post("ann", v3, JPEG(uint64(i)))), "ID"))
	}
	for next := PublicURL + v3 + "?limit=3"; next != ""; {
		var page struct {
			Items    []struct{ ID string }
			NextPage string
		}
		if err := json.Unmarshal([]byte(call(t, w, 200, get("ann", next))), &page); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			got = append(got, i.ID)
		}
		next = page.NextPage
	}
	if !slices.Equal(got, want) {
		t.Errorf("walked %v, want %v", got, want)
	}
	call(t, w, 400, get("ann", v3+"?limit=101"))
	call(t, w, 400, get("ann", v3+"?offset=nonsense"))
}

func TestSweep(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		kept := member(t, call(t, w, 200, post("ann", v3, JPEG(1))), "ID")
		gone := member(t, call(t, w, 200, post("ann", v3, JPEG(2))), "ID")
		call(t, w, 200, post("eve", v3, JPEG(2))) // the same bytes in another company
		call(t, w, 200, Request{Method: "PUT", Path: v3 + "/" + kept, Token: "ann", Body: JPEG(3)})
		call(t, w, 200, get("ann", v3+"/"+kept)) // merges
		call(t, w, 200, Request{Method: "DELETE", Path: v3 + "/" + gone, Token: "ann"})
		if n := w.BlobCount(t, Company); n != 4 {
			t.Fatalf("%d blobs, want two parts, their PDF and the deleted one", n)
		}
		sweep := func(want imaging.Swept) {
			t.Helper()
			if got, err := w.Images.Sweep(t.Context()); err != nil || got != want {
				t.Errorf("swept %+v, %v, want %+v", got, err, want)
			}
		}
		sweep(imaging.Swept{})
		w.Age(t, 25*time.Hour)
		sweep(imaging.Swept{Discarded: 1})
		if n := w.BlobCount(t, Company); n != 3 {
			t.Errorf("%d blobs, want 3", n)
		}
		w.Age(t, 25*time.Hour)
		sweep(imaging.Swept{Destroyed: 1})
		if n := w.BlobCount(t, Other); n != 1 {
			t.Errorf("the other company has %d blobs, want 1", n)
		}
		r := w.Do(Request{Method: "GET", Path: v3 + "/" + kept, Token: "ann", Accept: "application/pdf"})
		if r.StatusCode != 200 || len(bytesOf(t, r)) == 0 {
			t.Errorf("what is in use was swept: %d", r.StatusCode)
		}
	})
}

func TestLookups(t *testing.T) {
	w := New(t, storetest.SQLite)
	for seed := range uint64(2) {
		call(t, w, 201, post("ann", v1+"/report/"+Report, JPEG(seed)))
	}
	call(t, w, 201, post("ann", v1+"/expenseentry/"+EarlyEntry, JPEG(3)))
	w.ReadTx(t, func(tx *store.Tx) error {
		counts, err := imaging.Counts(tx, imaging.Entry, EarlyEntry, LateEntry)
		if err != nil || len(counts) != 1 || counts[EarlyEntry] != 1 {
			t.Errorf("counted %v, %v", counts, err)
		}
		counts, err = imaging.Counts(tx, imaging.Report, Report)
		if err != nil || counts[Report] != 2 {
			t.Errorf("counted %v, %v", counts, err)
		}
		many := make([]string, 2000)
		for i := range many {
			many[i] = fmt.Sprint("none", i)
		}
		many[1999] = EarlyEntry
		ids, err := imaging.ImageIDs(tx, imaging.Entry, many...)
		if err != nil || len(ids) != 1 {
			t.Errorf("found %v, %v", ids, err)
		}
		return nil
	})
}

// TestXMLIsWellFormed reads an answer as a client does.
func TestHoldersOfSameBytes(t *testing.T) {
	Engines(t, func(t *testing.T, w *World) {
		for holder, seed := range map[string]uint64{"/expenseentry/" + EarlyEntry: 1, "/expenseentry/" + LateEntry: 1, "/report/" + Report: 1} {
			call(t, w, 201, post("ann", v1+holder, JPEG(seed)))
		}
		same := func(company string, holders ...string) string {
			var found map[string][]string
			w.ReadTx(t, func(tx *store.Tx) (err error) {
				found, err = imaging.HoldersOfSameBytes(tx, company, imaging.Entry, holders...)
				return err
			})
			return fmt.Sprint(found)
		}
		if got, want := same(Company, EarlyEntry, LateEntry, "none"), fmt.Sprint(map[string][]string{EarlyEntry: {LateEntry}, LateEntry: {EarlyEntry}}); got != want {
			t.Errorf("found %s, want %s", got, want)
		}
		if got := same("another", EarlyEntry); got != "map[]" {
			t.Errorf("another company found %s", got)
		}
		w.WriteTx(t, func(tx *store.Tx) error { return w.Images.DetachAll(tx, imaging.Entry, LateEntry) })
		call(t, w, 201, post("ann", v1+"/expenseentry/"+LateEntry, JPEG(2)))
		if got := same(Company, EarlyEntry, LateEntry); got != "map[]" {
			t.Errorf("found %s of other bytes", got)
		}
	})
}

func TestXMLIsWellFormed(t *testing.T) {
	w := New(t, storetest.SQLite)
	call(t, w, 201, post("ann", "/api/image/v1.1/expenseentry/"+EarlyEntry, JPEG(1)))
	var image struct {
		XMLName xml.Name `xml:"http://www.concursolutions.com/api/image/2011/02 Image"`
		ID      string   `xml:"Id"`
		URL     string   `xml:"Url"`
	}
	body := call(t, w, 200, Request{Method: "GET", Path: "/api/Image/V1.0/ExpenseEntry/" + EarlyEntry, Token: "ann", Accept: "*/*"})
	if err := xml.Unmarshal([]byte(body), &image); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if image.ID != EarlyEntry {
		t.Errorf("read %+v", image)
	}
	sameFile(t, w, image.URL, "image/jpeg", JPEG(1))
}

func BenchmarkUpload(b *testing.B) {
	w := New(b, storetest.SQLite)
	photo := JPEGOf(1, 790, 576)
	b.SetBytes(int64(len(photo)))
	var n int
	var mu sync.Mutex
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		own := slices.Clone(photo)
		for pb.Next() {
			mu.Lock()
			n++
			i := n
			mu.Unlock()
			// Another comment makes other bytes.
			body := append([]byte{0xff, 0xd8, 0xff, 0xfe, 0, 6, byte(i), byte(i >> 8), byte(i >> 16), 0}, own[2:]...)
			if r := w.Do(post("ann", v3, body)); r.StatusCode != 200 {
				b.Errorf("%d %s", r.StatusCode, Text(r))
			}
		}
	})
}

func BenchmarkDownload(b *testing.B) {
	w := New(b, storetest.SQLite)
	server := httptest.NewServer(w.Server)
	defer server.Close()
	photo := JPEGOf(1, 790, 576)
	var made struct{ ID, URI string }
	json.Unmarshal([]byte(Text(w.Do(post("ann", v3, photo)))), &made)
	json.Unmarshal([]byte(Text(w.Do(get("ann", v3+"/"+made.ID)))), &made)
	link := server.URL + strings.TrimPrefix(made.URI, PublicURL)
	b.SetBytes(int64(len(photo)))
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.Get(link)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	})
}
