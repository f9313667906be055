package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

//go:embed demodata/taxi-receipt.json
var taxiRide []byte

// photo is a JPEG like no other: its comment, of about this many bytes, is random.
func photo(r *rand.Rand, size int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		panic(err) // of a picture in memory: cannot fail
	}
	plain := b.Bytes()
	out := append([]byte{}, plain[:2]...)
	for size > 0 {
		n := min(size, 60_000)
		out = append(out, 0xff, 0xfe, byte((n+2)>>8), byte(n+2))
		for range n {
			out = append(out, byte(r.Uint32()))
		}
		size -= n
	}
	return append(out, plain[2:]...)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// journal is what clients were answered, and what they asked for without an answer.
type journal struct {
	mu      sync.Mutex
	reports map[string]*keptReport
	images  map[string]string // v3 receipt images: hash by id
	posted  map[string]string // image-only receipts: hash by receipt id
	drawn   []string          // e-receipts, which get their image later
	sent    map[string]bool   // hashes of everything that was ever sent
	refused []string          // answers that no fault explains
}

type keptReport struct {
	name    string
	entries map[string]*keptEntry
	submit  bool // asked for
	handed  bool // answered
}

type keptEntry struct {
	amounts []string // what it may be; the first was answered
	image   string   // hash, when answered
}

func (j *journal) note(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

// lost reports whether a call got no answer, and notes answers that it should not get.
func (j *journal) lost(err error) bool {
	if status := client.StatusOf(err); status != 0 {
		j.note(func() { j.refused = append(j.refused, err.Error()) })
	}
	return err != nil
}

// work is one client, until a call gets no answer.
func (j *journal) work(ctx context.Context, s *client.Session, r *rand.Rand, shared string) {
	send := func(size int) (content []byte, hash string) {
		content = photo(r, size)
		hash = hashOf(content)
		j.note(func() { j.sent[hash] = true })
		return content, hash
	}
	amount := func() string { return fmt.Sprintf("%d.%02d", 1+r.IntN(500), r.IntN(100)) }
	add := func(report string) (string, bool) {
		a := amount()
		made, err := s.CreateEntry(ctx, client.Entry{ReportID: report, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX", TransactionDate: "2026-01-05",
			TransactionAmount: json.Number(a), TransactionCurrencyCode: "USD"})
		if j.lost(err) {
			return "", false
		}
		j.note(func() { j.reports[report].entries[made.ID] = &keptEntry{amounts: []string{a}} })
		return made.ID, true
	}
	for ctx.Err() == nil {
		name := fmt.Sprintf("Trip %d", r.Uint64())
		made, err := s.CreateReport(ctx, client.Report{Name: name})
		if j.lost(err) {
			return
		}
		mine := &keptReport{name: name, entries: map[string]*keptEntry{}}
		j.note(func() { j.reports[made.ID] = mine })
		for range 2 {
			id, ok := add(made.ID)
			if !ok {
				return
			}
			content, hash := send(r.IntN(150_000))
			if _, err := s.AttachToEntry(ctx, id, "image/jpeg", content); j.lost(err) {
				return
			}
			j.note(func() { mine.entries[id].image = hash })
			to := amount()
			j.note(func() { mine.entries[id].amounts = append(mine.entries[id].amounts, to) })
			if status, body, err := apptest.Do(ctx, s, "PUT", "/api/v3.0/expense/entries/"+id, "application/json", `{"TransactionAmount":`+to+`}`); err != nil {
				return
			} else if status != 200 {
				j.note(func() { j.refused = append(j.refused, body) })
				return
			}
			j.note(func() { mine.entries[id].amounts = []string{to} })
		}
		if _, ok := add(shared); !ok {
			return
		}
		content, hash := send(r.IntN(2_000_000))
		image, err := s.UploadReceiptImage(ctx, "image/jpeg", content)
		if j.lost(err) {
			return
		}
		j.note(func() { j.images[image.ID] = hash })
		content, hash = send(r.IntN(50_000))
		posted, err := s.PostImageOnlyReceipt(ctx, "r.jpg", "image/jpeg", content)
		if j.lost(err) {
			return
		}
		j.note(func() { j.posted[path.Base(posted.Location)] = hash })
		if posted, err = s.PostReceipt(ctx, "ground-transport-receipt", taxiRide); j.lost(err) {
			return
		}
		j.note(func() { j.drawn = append(j.drawn, path.Base(posted.Location)) })
		j.note(func() { mine.submit = true })
		if err := s.Submit(ctx, made.ID); j.lost(err) {
			return
		}
		j.note(func() { mine.handed = true })
	}
}

// check reads everything back.
func (j *journal) check(t *testing.T, ctx context.Context, s *client.Session) {
	t.Helper()
	for _, refusal := range j.refused {
		t.Error("a call was refused: " + refusal)
	}
	content := func(what, link string) string {
		b, _, err := s.Download(ctx, link)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return hashOf(b)
	}
	get := func(path string, into any) int {
		status, body, err := apptest.Do(ctx, s, "GET", path, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if status == 200 {
			if err := json.Unmarshal([]byte(body), into); err != nil {
				t.Fatalf("%s: %v in %s", path, err, body)
			}
		}
		return status
	}
	for id, kept := range j.reports {
		r, err := s.Report(ctx, id)
		if err != nil {
			t.Errorf("an answered report is gone: %v", err)
			continue
		}
		if r.Name != kept.name {
			t.Errorf("report %s is called %q, want %q", id, r.Name, kept.name)
		}
		if submitted := r.ApprovalStatusCode == "A_PEND"; kept.handed && !submitted || !kept.submit && submitted {
			t.Errorf("report %s is %s; submit was asked for: %v, answered: %v", id, r.ApprovalStatusCode, kept.submit, kept.handed)
		}
		entries, err := s.Entries(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]client.Entry{}
		var sum value.Money
		for _, e := range entries {
			there[e.ID] = e
			m, err := value.ParseMoney(e.PostedAmount.String())
			if err != nil {
				t.Fatal(err)
			}
			sum += m
			// An entry has its image whole, or none.
			var link client.Image
			switch status := get("/api/image/v1.0/expenseentry/"+e.ID, &link); {
			case e.HasImage && status != 200, !e.HasImage && status != 404:
				t.Errorf("entry %s has an image: %v, and its link is %d", e.ID, e.HasImage, status)
			case e.HasImage:
				if h := content("an entry's image", link.URL); !j.sent[h] || kept.entries[e.ID] != nil && kept.entries[e.ID].image != "" && kept.entries[e.ID].image != h {
					t.Errorf("entry %s shows another file than was sent", e.ID)
				}
			}
		}
		if total, err := value.ParseMoney(r.Total.String()); err != nil || total != sum {
			t.Errorf("report %s totals %s, its entries %s", id, r.Total, sum)
		}
		for entry, k := range kept.entries {
			e, ok := there[entry]
			got, _ := value.ParseMoney(e.TransactionAmount.String())
			if !ok || !slices.ContainsFunc(k.amounts, func(a string) bool { m, err := value.ParseMoney(a); return err == nil && m == got }) {
				t.Errorf("an answered entry of report %s is %s, want one of %v; there: %v", id, e.TransactionAmount, k.amounts, ok)
			}
			if k.image != "" && !e.HasImage {
				t.Errorf("entry %s has lost its image", entry)
			}
		}
	}
	for id, hash := range j.images {
		var m struct{ ID, URI string }
		if status := get("/api/v3.0/expense/receiptimages/"+id, &m); status != 200 {
			t.Errorf("an answered receipt image is %d", status)
		} else if content("a receipt image", m.URI) != hash {
			t.Errorf("receipt image %s has other bytes", id)
		}
	}
	waiting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	processed := func(id string) {
		t.Helper()
		status, err := s.AwaitReceipt(waiting, client.Posted{Status: "/receipts/v4/status/" + id})
		finished := 0
		for _, l := range status.Logs {
			if l.Message == "Processing finished." {
				finished++
			}
		}
		if err != nil || status.Status != "PROCESSED" || finished != 1 {
			t.Errorf("receipt %s: %v, %+v", id, err, status)
		}
	}
	for _, id := range j.drawn {
		processed(id)
		if b, media, err := s.ReceiptImage(ctx, client.Posted{Location: "/receipts/v4/" + id}); err != nil || media != "application/pdf" || !bytes.HasPrefix(b, []byte("%PDF-")) {
			t.Errorf("e-receipt %s has no image: %v, %s", id, err, media)
		}
	}
	for id, hash := range j.posted {
		processed(id)
		_, body, err := apptest.Do(ctx, s, "GET", "/receipts/v4/images/"+id+"/image", "", "")
		if err != nil || hashOf([]byte(body)) != hash {
			t.Errorf("receipt %s has other bytes: %v", id, err)
		}
	}
	j.checkReceipts(t, ctx, s)
}

// checkReceipts walks every page of the receipts: each answered one is there once.
func (j *journal) checkReceipts(t *testing.T, ctx context.Context, s *client.Session) {
	t.Helper()
	seen := map[string]int{}
	for next := "/receipts/v4/users/" + s.UserID + "/image-only-receipts"; next != ""; {
		status, body, err := apptest.Do(ctx, s, "GET", next, "", "")
		var page struct {
			ReceiptsImages []struct{ ID string }
			Next           string
		}
		if err != nil || status != 200 || json.Unmarshal([]byte(body), &page) != nil {
			t.Fatalf("%v, %d %s", err, status, body)
		}
		for _, r := range page.ReceiptsImages {
			seen[r.ID]++
		}
		next = page.Next
	}
	for id := range j.posted {
		if seen[id] != 1 {
			t.Errorf("receipt %s is listed %d times", id, seen[id])
		}
	}
}

// TestKill kills the program at random moments under load, again and again: what was
// answered is there, whole; what was not is there whole or not at all.
func TestKill(t *testing.T) {
	const rounds, clients = 5, 6
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	data, temp := filepath.Join(t.TempDir(), "data"), t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	j := &journal{reports: map[string]*keptReport{}, images: map[string]string{}, posted: map[string]string{}, sent: map[string]bool{}}
	start := func() (*apptest.Process, *client.Session) {
		p := apptest.Program(t, []string{"TMPDIR=" + temp}, "dev", "--data", data, "--listen", "127.0.0.1:0", "--allow-weak-sandbox")
		s, err := client.New(p.URL(), client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"}).SignIn(ctx, "ann@demo.test", "ann-password")
		if err != nil {
			t.Fatal(err)
		}
		return p, s
	}
	p, s := start()
	made, err := s.CreateReport(ctx, client.Report{Name: "Shared"})
	if err != nil {
		t.Fatal(err)
	}
	j.reports[made.ID] = &keptReport{name: "Shared", entries: map[string]*keptEntry{}}
	answered := 0
	for range rounds {
		var group sync.WaitGroup
		for range clients {
			mine := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
			group.Go(func() { j.work(ctx, s, mine, made.ID) })
		}
		// The moment is a number of answers from now, and then any instruction.
		goal := answered + 20 + r.IntN(150)
		apptest.Eventually(t, "answers under load", func() bool {
			j.mu.Lock()
			defer j.mu.Unlock()
			answered = len(j.posted) + len(j.images) + len(j.refused)
			for _, report := range j.reports {
				answered += 1 + len(report.entries)
			}
			return answered >= goal
		})
		p.Kill()
		group.Wait()
		s.HTTP.CloseIdleConnections()
		p, s = start()
		j.check(t, ctx, s)
		if t.Failed() {
			t.Fatalf("after a kill; the server said:\n%s", p.Output())
		}
	}
	p.Kill() // once more, with nothing going on
	for _, dir := range []string{filepath.Join(data, "tmp"), temp} {
		if left := filesIn(t, dir); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
	}
	checkStore(t, data)
	t.Logf("%d reports, %d receipt images, %d image-only receipts, %d e-receipts", len(j.reports), len(j.images), len(j.posted), len(j.drawn))
}

func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// checkStore opens a dev folder that nobody uses and holds its records and blobs
// against each other; two days later nothing is left that no record names.
func checkStore(t *testing.T, data string) {
	t.Helper()
	clock := new(app.Clock)
	server := apptest.Start(t, func(o *app.Options) { o.Data, o.Clock = data, clock })
	ctx := context.Background()
	for _, c := range []struct{ what, query string }{
		{"images without a file", `SELECT COUNT(*) FROM image i WHERE NOT EXISTS (SELECT 1 FROM image_part p WHERE p.image_id = i.id)`},
		{"files without an image", `SELECT COUNT(*) FROM image_part p WHERE NOT EXISTS (SELECT 1 FROM image i WHERE i.id = p.image_id)`},
		{"attachments without an image", `SELECT COUNT(*) FROM attachment a WHERE NOT EXISTS (SELECT 1 FROM image i WHERE i.id = a.image_id)`},
		{"attachments without an entry", `SELECT COUNT(*) FROM attachment a WHERE kind = 'entry' AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = a.holder_id)`},
		{"images that nobody holds", `SELECT COUNT(*) FROM image i WHERE NOT in_store AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.image_id = i.id)`},
		{"entries without a report", `SELECT COUNT(*) FROM entry e WHERE NOT EXISTS (SELECT 1 FROM report r WHERE r.id = e.report_id)`},
		{"entries whose mark of an image is wrong", `SELECT COUNT(*) FROM entry e WHERE has_image <> EXISTS (SELECT 1 FROM attachment a WHERE a.kind = 'entry' AND a.holder_id = e.id)`},
		{"reports whose total is wrong", `SELECT COUNT(*) FROM report r WHERE total <> (SELECT COALESCE(SUM(posted_amount), 0) FROM entry e WHERE e.report_id = r.id)`},
		{"e-receipts without their one image", `SELECT COUNT(*) FROM e_receipt r WHERE drawn AND 1 <> (SELECT COUNT(*) FROM attachment a JOIN image_part p ON p.image_id = a.image_id WHERE a.kind = 'receipt' AND a.holder_id = r.id)`},
		{"receipts without an end", `SELECT COUNT(*) FROM receipt_status WHERE status NOT IN ('PROCESSED', 'FAILED')`},
	} {
		if err := server.DB.Read(ctx, func(tx *store.Tx) error {
			var n int64
			err := tx.QueryRow(c.query).Scan(&n)
			if n != 0 {
				t.Errorf("%d %s", n, c.what)
			}
			return err
		}); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	for range 2 {
		clock.Move(clock.Offset() + 25*time.Hour)
		if _, err := server.Imaging.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	named := map[string]bool{}
	if err := server.DB.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query("SELECT hash FROM image_part UNION SELECT hash FROM derived_file")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var hash string
			if err := rows.Scan(&hash); err != nil {
				return err
			}
			named[hash] = true
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	for hash := range named {
		f, _, err := server.Blobs.Open(ctx, app.DemoCompany, hash)
		if err != nil {
			t.Errorf("a record names a file that is gone: %v", err)
			continue
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(f); err != nil || hashOf(b.Bytes()) != hash {
			t.Errorf("the file %s is damaged: %v", hash, err)
		}
		f.Close()
	}
	if err := server.Blobs.Walk(ctx, func(_ string, i blob.Info) error {
		if !named[i.Hash] {
			t.Errorf("a file that no record names is still there after two days: %s", i.Hash)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, path := range filesIn(t, filepath.Join(data, "trash")) {
		if !strings.HasPrefix(filepath.Base(path), ".") {
			t.Errorf("the trash was not emptied: %s", path)
		}
	}
	if _, err := server.Blobs.Stat(ctx, app.DemoCompany, strings.Repeat("0", 64)); !errs.Is(err, errs.NotFound) {
		t.Errorf("an absent file: %v", err)
	}
}
