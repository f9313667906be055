package drawing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/domain/receipt/drawing/text"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files")
	outDir = flag.String("out", "", "a folder to which the drawn receipts are written, to look at")
)

// types are the schemas; the name of a receipt's file begins with its type.
var types = []string{"air", "car-rental", "general", "ground-transport", "hotel", "jpt-ic-card", "rail"}

func inputOf(t testing.TB, path string) Input {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := Input{ID: "5f0c1d2e3a4b4c5d8e9f0a1b2c3d4ee1", JSON: raw, Traveller: "Mara Ilves", Received: value.Instant(1_710_231_302_087_000)}
	for _, kind := range types {
		if strings.HasPrefix(filepath.Base(path), kind) {
			in.Type = kind + "-receipt"
		}
	}
	if in.Type == "" {
		t.Fatalf("%s is of no type", path)
	}
	return in
}

func receipts(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/receipts/*.json")
	if err != nil || len(all) < 25 {
		t.Fatalf("%d receipts, %v", len(all), err)
	}
	return all
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".json") }

func newRenderer(t testing.TB) *Renderer {
	t.Helper()
	r, err := New(Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tool runs a program of poppler or qpdf.
func tool(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// TestGolden holds what a reader finds in each PDF, and that the PDF is sound.
func TestGolden(t *testing.T) {
	r := newRenderer(t)
	for _, path := range receipts(t) {
		t.Run(nameOf(path), func(t *testing.T) {
			out, err := r.PDF(context.Background(), inputOf(t, path))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if *outDir != "" {
				dir = *outDir
				picture, err := r.PNG(context.Background(), inputOf(t, path))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, nameOf(path)+".png"), picture, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(dir, nameOf(path)+".pdf")
			if err := os.WriteFile(file, out, 0o600); err != nil {
				t.Fatal(err)
			}
			tool(t, "qpdf", "--check", file)
			if about := string(tool(t, "pdfinfo", file)); !strings.Contains(about, "Tagged:          yes") {
				t.Errorf("not tagged:\n%s", about)
			}
			for i, line := range strings.Split(strings.TrimSpace(string(tool(t, "pdffonts", file))), "\n") {
				if i >= 2 && !strings.Contains(line, "yes yes yes") {
					t.Errorf("a typeface is not embedded, no subset, or has no text: %s", line)
				}
			}
			got := tool(t, "pdftotext", "-layout", file, "-")
			golden := filepath.Join("testdata/golden", nameOf(path)+".txt")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			// Where poppler puts blanks depends on its version.
			if g, w := strings.Fields(string(got)), strings.Fields(string(want)); !slices.Equal(g, w) {
				t.Errorf("the text differs from %s; got\n%s", golden, got)
			}
		})
	}
}

// The product puts drawn receipts into the PDF of a report, with pdfcpu.
func TestPDFCanBeMerged(t *testing.T) {
	r := newRenderer(t)
	for _, name := range []string{"general-sample", "general-mixed", "general-80-lines"} {
		out, err := r.PDF(context.Background(), inputOf(t, "testdata/receipts/"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := api.Validate(bytes.NewReader(out), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := api.PageCount(bytes.NewReader(out), nil); err != nil || n < 1 {
			t.Errorf("%s: %d pages, %v", name, n, err)
		}
	}
}

// TestPNGIsThePDF compares the PNG with what poppler makes of the PDF: one layout.
func TestPNGIsThePDF(t *testing.T) {
	r := newRenderer(t)
	for _, name := range []string{"general-sample", "air-sample", "hotel-japanese", "hotel-arabic", "general-mixed", "general-refund", "jpt-ic-card-long"} {
		t.Run(name, func(t *testing.T) {
			in := inputOf(t, "testdata/receipts/"+name+".json")
			out, err := r.PDF(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "in.pdf"), out, 0o600); err != nil {
				t.Fatal(err)
			}
			tool(t, "pdftoppm", "-r", "150", "-png", filepath.Join(dir, "in.pdf"), filepath.Join(dir, "page"))
			out, err = r.PNG(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := png.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			pages, err := filepath.Glob(filepath.Join(dir, "page*.png"))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(pages)
			if ours.Bounds().Dy()%len(pages) != 0 {
				t.Fatalf("%d rows for %d pages", ours.Bounds().Dy(), len(pages))
			}
			high := ours.Bounds().Dy() / len(pages)
			for i, file := range pages {
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := png.Decode(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				compare(t, ours, theirs, i*high)
			}
		})
	}
}

// compare holds that squares of two pictures have nearly the same darkness: glyphs may
// lie a fraction of a pixel apart, but no more.
func compare(t *testing.T, ours, theirs image.Image, top int) {
	t.Helper()
	const square = 24
	b := theirs.Bounds()
	inked := 0
	for y := 0; y+square <= b.Dy() && y+square <= ours.Bounds().Dy()-top; y += square {
		for x := 0; x+square <= b.Dx() && x+square <= ours.Bounds().Dx(); x += square {
			var a, c int
			for j := range square {
				for i := range square {
					a += 255 - int(gray(ours.At(x+i, top+y+j)))
					c += 255 - int(gray(theirs.At(x+i, y+j)))
				}
			}
			a, c = a/(square*square), c/(square*square)
			if c > 10 {
				inked++
			}
			if a-c > 40 || c-a > 40 {
				t.Fatalf("at %d, %d the PNG has darkness %d, the PDF %d", x, top+y, a, c)
			}
		}
	}
	if inked < 20 {
		t.Errorf("only %d squares have ink", inked)
	}
}

func gray(c color.Color) uint8 { return color.GrayModel.Convert(c).(color.Gray).Y }

// recorder keeps what is laid out.
type recorder struct {
	info  page.Info
	pages [][]page.Op
}

func (r *recorder) Begin(info page.Info) { r.info = info }
func (r *recorder) Page(ops []page.Op) error {
	r.pages = append(r.pages, slices.Clone(ops))
	return nil
}
func (r *recorder) Over(n int, ops []page.Op)   { r.pages[n] = append(r.pages[n], ops...) }
func (r *recorder) Finish(n []page.Node) []byte { return nil }

func record(t testing.TB, w *worker, in *Input) (*recorder, *composer) {
	t.Helper()
	doc, err := wire.ParseJSON(in.JSON)
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	c := compose(context.Background(), w, rec, maxPages, in, doc)
	if c.err != nil {
		t.Fatal(c.err)
	}
	return rec, c
}

func newWorker() *worker { return &worker{shaper: text.New(new(fonts.Set))} }

// area is where a line of text has ink, or nearly so.
func area(op page.Op) image.Rectangle {
	return image.Rect(op.X, op.Y-op.Line.Size*75/100, op.X+op.Line.Width, op.Y+op.Line.Size*20/100)
}

// checkPlaces holds that no text overlaps another or leaves the page, and that boxes
// with texts hold them.
func checkPlaces(t testing.TB, rec *recorder) {
	t.Helper()
	for n, ops := range rec.pages {
		var texts []page.Op
		for _, op := range ops {
			if op.Kind == page.Text {
				texts = append(texts, op)
			}
		}
		slices.SortStableFunc(texts, func(a, b page.Op) int { return area(a).Min.Y - area(b).Min.Y })
		// A thousandth of the width may be lost where a line is put together.
		paper := image.Rect(30*point, 30*point, rec.info.Size.Width-30*point, rec.info.Size.Height-15*point)
		for i, op := range texts {
			a := area(op)
			if !a.In(paper) {
				t.Fatalf("page %d: %q leaves the page: %v", n+1, shown(op.Line), a)
			}
			for _, other := range texts[i+1:] {
				b := area(other)
				if b.Min.Y >= a.Max.Y {
					break
				}
				if a.Overlaps(b) {
					t.Fatalf("page %d: %q and %q overlap: %v, %v", n+1, shown(op.Line), shown(other.Line), a, b)
				}
			}
		}
	}
}

// shown is a line's text in reading order, run by run.
func shown(l text.Line) string {
	var b strings.Builder
	for _, r := range l.Runs {
		b.WriteString(string(r.Text))
	}
	return b.String()
}

func TestPlaces(t *testing.T) {
	w := newWorker()
	for _, path := range receipts(t) {
		t.Run(nameOf(path), func(t *testing.T) {
			rec, _ := record(t, w, new(inputOf(t, path)))
			checkPlaces(t, rec)
		})
	}
}

// TestNothingIsLeftOut looks for every text of the samples on the page.
func TestNothingIsLeftOut(t *testing.T) {
	// What is shown in another form, or only by its effect.
	other := map[string]bool{
		"addressCountry": true, "addressRegion": true, "dateTime": true, "source": true, "currencyCode": true, "travelDuration": true,
		"latitude": true, "longitude": true, "countryCode": true, "lineItems": true,
	}
	w := newWorker()
	for _, path := range receipts(t) {
		if strings.Contains(path, "symbols") || strings.Contains(path, "refund") {
			continue // their controls and their card number are not to be shown
		}
		t.Run(nameOf(path), func(t *testing.T) {
			in := inputOf(t, path)
			rec, _ := record(t, w, &in)
			var all strings.Builder
			for _, ops := range rec.pages {
				for _, op := range ops {
					if op.Kind == page.Text {
						all.WriteString(squeeze(shown(op.Line)))
					}
				}
			}
			letters := all.String()
			var doc any
			if err := json.Unmarshal(in.JSON, &doc); err != nil {
				t.Fatal(err)
			}
			walk(doc, "", func(name, s string) {
				if other[name] || strings.HasSuffix(name, "DateTime") {
					return
				}
				// Words one by one: lines of two directions are put together otherwise.
				for word := range strings.FieldsSeq(text.Plain(s)) {
					if squeezed := strings.TrimFunc(squeeze(word), unicode.IsPunct); !mixed(squeezed) && !isAmount(squeezed) && !strings.Contains(letters, squeezed) {
						t.Errorf("%s: %q is not on the page", name, word)
					}
				}
			})
		})
	}
}

// squeeze takes out blanks: lines may break anywhere.
func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u200b", "")), "")
}

func mixed(s string) bool {
	left, right := false, false
	for _, r := range s {
		if r >= 0x590 && r < 0x900 {
			right = true
		} else {
			left = true
		}
	}
	return left && right
}

func isAmount(s string) bool { return strings.Trim(s, "0123456789.,-") == "" }

func walk(v any, name string, visit func(name, s string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			walk(member, key, visit)
		}
	case []any:
		for _, item := range v {
			walk(item, name, visit)
		}
	case string:
		visit(name, v)
	}
}

func TestOnlyFourDigitsOfACard(t *testing.T) {
	in := inputOf(t, "testdata/receipts/general-refund.json")
	if !bytes.Contains(in.JSON, []byte("4242424242424242")) {
		t.Fatal("the receipt has no card number")
	}
	rec, _ := record(t, newWorker(), &in)
	found := false
	for _, ops := range rec.pages {
		for _, op := range ops {
			s := shown(op.Line)
			found = found || s == "Visa •••• 4242"
			if strings.Contains(s, "42424") {
				t.Errorf("more than four digits are shown: %q", s)
			}
		}
	}
	if !found {
		t.Error("the card is not shown")
	}
}

// drawAll is the sum of all receipts in both forms, drawn in an order.
func drawAll(t testing.TB, backwards bool) string {
	r := newRenderer(t)
	paths := receipts(t)
	if backwards {
		slices.Reverse(paths)
	}
	sums := map[string]string{}
	for _, path := range paths {
		h := sha256.New()
		for _, draw := range []func(context.Context, Input) ([]byte, error){r.PDF, r.PNG} {
			out, err := draw(context.Background(), inputOf(t, path))
			if err != nil {
				t.Fatal(err)
			}
			h.Write(out)
		}
		sums[path] = hex.EncodeToString(h.Sum(nil))
	}
	slices.Sort(paths)
	var b strings.Builder
	for _, path := range paths {
		fmt.Fprintln(&b, path, sums[path])
	}
	return b.String()
}

// TestSameBytes draws everything in other processes, in another order, another time
// zone and with another number of processors: what a worker learned before, the zone
// and the machine's clock must not show.
func TestSameBytes(t *testing.T) {
	const child = "DRAWING_TEST_CHILD"
	if order := os.Getenv(child); order != "" {
		fmt.Print("sums\n" + drawAll(t, order == "backwards"))
		return
	}
	want := drawAll(t, false)
	for _, env := range [][]string{
		{child + "=forwards", "TZ=Asia/Tokyo", "GOMAXPROCS=1", "LANG=ja_JP.UTF-8"},
		{child + "=backwards", "TZ=America/Los_Angeles", "GOGC=20"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSameBytes$")
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, got, _ := strings.Cut(string(out), "sums\n")
		if !strings.HasPrefix(got, want) {
			t.Errorf("%v: other bytes:\n%s\nwant\n%s", env, got, want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	r := newRenderer(t)
	want := map[string][]byte{}
	names := []string{"general-sample", "hotel-arabic", "hotel-japanese", "air-sample"}
	for _, name := range names {
		out, err := r.PDF(context.Background(), inputOf(t, "testdata/receipts/"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		want[name] = out
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, name := range names {
				out, err := r.PDF(context.Background(), inputOf(t, "testdata/receipts/"+name+".json"))
				if err != nil || !bytes.Equal(out, want[name]) {
					t.Errorf("%s: other bytes, %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestRefusals(t *testing.T) {
	r := newRenderer(t)
	ctx := context.Background()
	general := func(items int, description string) Input {
		var b strings.Builder
		b.WriteString(`{"dateTime":"2024-03-11T12:42:10+0100","total":"1","currencyCode":"EUR","seller":{"name":"S","location":{"address":{"addressCountry":"DE"}}},"payments":[{"amount":"1"}],"lineItems":[`)
		for i := range items {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"sequenceNumber":%d,"description":%q,"quantity":2,"unitCost":"%d.50","total":"%d.00"}`, i+1, description, i, 2*i+1)
		}
		b.WriteString("]}")
		return Input{ID: "x", Type: "general-receipt", JSON: []byte(b.String())}
	}
	for _, body := range []string{"", "{", "[]", `"x"`, "null", `{"a":1,"a":2}`} {
		if _, err := r.PDF(ctx, Input{Type: "general-receipt", JSON: []byte(body)}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if out, err := r.PDF(ctx, general(10_000, "A line item")); err != nil || !bytes.HasPrefix(out, []byte("%PDF-")) {
		t.Errorf("10,000 items: %v", err)
	}
	if out, err := r.PDF(ctx, general(1, strings.Repeat("a megabyte ", 95_000))); err != nil || !bytes.HasPrefix(out, []byte("%PDF-")) {
		t.Errorf("a megabyte: %v", err)
	}
	if _, err := r.PDF(ctx, general(1, strings.Repeat("line\n", 140_000))); !errs.Is(err, errs.TooLarge) {
		t.Errorf("more than 2,000 pages: %v", err)
	}
	if _, err := r.PNG(ctx, general(1000, "A line item")); !errs.Is(err, errs.NotAcceptable) {
		t.Errorf("a PNG of more than 20 pages: %v", err)
	}
	if out, err := r.PNG(ctx, general(500, "A line item")); err != nil || !bytes.HasPrefix(out, []byte("\x89PNG")) {
		t.Errorf("a PNG of fewer than 20 pages: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.PDF(cancelled, general(10_000, "A line item")); err == nil {
		t.Error("drawn for nobody")
	}
	// An unknown type is a general receipt; the workers are all still there.
	for range 5 {
		if _, err := r.PDF(ctx, Input{Type: "boat-receipt", JSON: []byte(`{}`)}); err != nil {
			t.Error(err)
		}
	}
	if _, err := New(Options{Workers: -1}); err == nil {
		t.Error("a negative number of workers")
	}
}

func TestMissingCharactersAreLogged(t *testing.T) {
	var log bytes.Buffer
	r, err := New(Options{Workers: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"general-symbols", "general-mixed", "hotel-arabic"} {
		log.Reset()
		if _, err := r.PDF(context.Background(), inputOf(t, "testdata/receipts/"+name+".json")); err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(log.String(), "U+0E23"); told != (name == "general-symbols") || !told && log.Len() > 0 {
			t.Errorf("%s: the log has %q", name, log.String())
		}
	}
}

// FuzzDraw puts any text in the place of any value of a receipt. Whatever comes,
// nothing overlaps or leaves the page.
func FuzzDraw(f *testing.F) {
	paths := receipts(f)
	for i, s := range []string{"", "-99999999999999999999.999", "שלום (12)", "2024-02-30T25:61+0100", strings.Repeat("long ", 400), strings.Repeat("W", 300), "\x00\u202e\ufffd", "1e400", "漢字かな交じり文"} {
		f.Add(i*7, i*5, s)
	}
	w := newWorker()
	f.Fuzz(func(t *testing.T, which, leaf int, s string) {
		if len(s) > 1<<16 {
			return
		}
		in := inputOf(t, paths[abs(which)%len(paths)])
		var doc any
		if err := json.Unmarshal(in.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		count := 0
		replace(&doc, func() bool { count++; return false }, s)
		n := abs(leaf) % count
		replace(&doc, func() bool { n--; return n == -1 }, s)
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		in.JSON = raw
		rec, _ := record(t, w, &in)
		checkPlaces(t, rec)
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

// replace puts s in the place of scalars for which hit says so, in a fixed order.
func replace(v *any, hit func() bool, s string) {
	switch at := (*v).(type) {
	case map[string]any:
		names := make([]string, 0, len(at))
		for name := range at {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			member := at[name]
			replace(&member, hit, s)
			at[name] = member
		}
	case []any:
		for i := range at {
			replace(&at[i], hit, s)
		}
	default:
		if hit() {
			*v = s
		}
	}
}

// FuzzBytes draws any bytes.
func FuzzBytes(f *testing.F) {
	for _, path := range receipts(f) {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, 3)
	}
	r := newRenderer(f)
	f.Fuzz(func(t *testing.T, raw []byte, kind int) {
		in := Input{ID: "x", Type: types[abs(kind)%len(types)] + "-receipt", JSON: raw}
		if out, err := r.PDF(context.Background(), in); err != nil {
			if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.TooLarge) {
				t.Fatal(err)
			}
		} else if !bytes.HasPrefix(out, []byte("%PDF-1.7")) {
			t.Fatal("no PDF")
		}
	})
}
