package document

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Worker(Jobs())
	os.Exit(m.Run())
}

// tool gives the path of a program that judges PDFs. Without it the test is skipped,
// and fails where CI must have it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing (Debian: qpdf, poppler-utils)", name)
		}
		t.Skipf("%s is missing (Debian: qpdf, poppler-utils)", name)
	}
	return path
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	b, err := exec.Command(tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, b)
	}
	return string(b)
}

func newSandbox(t testing.TB) *sandbox.Sandbox {
	s := sandbox.New(sandbox.Options{})
	t.Cleanup(func() { s.Close() })
	return s
}

type file struct {
	kind Type
	data []byte
}

func mergeFiles(s *sandbox.Sandbox, l Layout, files ...file) ([]byte, error) {
	var parts []Part
	for _, f := range files {
		parts = append(parts, Part{f.kind, bytes.NewReader(f.data)})
	}
	out, err := Merge(context.Background(), s, parts, l)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	return io.ReadAll(out)
}

func mustMerge(t *testing.T, s *sandbox.Sandbox, files ...file) string {
	t.Helper()
	b, err := mergeFiles(s, Layout{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "merged.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if says := output(t, "qpdf", "--check", path); !strings.Contains(says, "No syntax or stream encoding errors found") {
		t.Errorf("qpdf: %s", says)
	}
	return path
}

// page draws a page of a PDF at 150 dpi.
func page(t *testing.T, path string, n int) image.Image {
	t.Helper()
	to := filepath.Join(t.TempDir(), "page")
	output(t, "pdftoppm", "-r", "150", "-png", "-singlefile", "-f", strconv.Itoa(n), "-l", strconv.Itoa(n), path, to)
	f, err := os.Open(to + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// sameColours compares the middles of the quarters.
func sameColours(t *testing.T, what string, img image.Image, want [2][2]color.RGBA) {
	t.Helper()
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	for y := range 2 {
		for x := range 2 {
			r, g, b, _ := img.At(w*(2*x+1)/4, h*(2*y+1)/4).RGBA()
			for i, v := range [3]uint32{r, g, b} {
				c := want[y][x]
				if d := int(v>>8) - int([3]uint8{c.R, c.G, c.B}[i]); d < -12 || d > 12 {
					t.Errorf("%s: quarter %d,%d is %d,%d,%d, want %v", what, x, y, r>>8, g>>8, b>>8, c)
					break
				}
			}
		}
	}
}

func pageCount(t *testing.T, path string) int {
	t.Helper()
	for line := range strings.Lines(output(t, "pdfinfo", path)) {
		if n, ok := strings.CutPrefix(line, "Pages:"); ok {
			v, err := strconv.Atoi(strings.TrimSpace(n))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatal("pdfinfo counts no pages")
	return 0
}

// Every kind of image comes out with its colours, the right way up and in its size.
func TestMergeImages(t *testing.T) {
	s := newSandbox(t)
	img := corners(120, 80)
	seeThrough := image.NewNRGBA(img.Bounds())
	grey16, colour16 := image.NewGray16(img.Bounds()), image.NewNRGBA64(img.Bounds())
	grey := image.NewGray(img.Bounds())
	for y := range 80 {
		for x := range 120 {
			c := img.RGBAAt(x, y)
			seeThrough.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, 255})
			if x < 60 && y < 40 {
				seeThrough.SetNRGBA(x, y, color.NRGBA{0, 0, 0, 0})
			}
			colour16.Set(x, y, c)
			grey.Set(x, y, c)
			grey16.Set(x, y, c)
		}
	}
	onWhite := cornerColours
	onWhite[0][0] = color.RGBA{255, 255, 255, 255}
	shades := [2][2]color.RGBA{}
	for y := range 2 {
		for x := range 2 {
			g := color.GrayModel.Convert(cornerColours[y][x]).(color.Gray).Y
			shades[y][x] = color.RGBA{g, g, g, 255}
		}
	}
	hole := paletted(img)
	hole.Palette[2] = color.RGBA{}
	part := image.NewPaletted(image.Rect(60, 40, 120, 80), hole.Palette)
	for i := range part.Pix {
		part.Pix[i] = 5
	}
	small := gifOf(part)
	binary.LittleEndian.PutUint16(small[6:], 120)
	binary.LittleEndian.PutUint16(small[8:], 80)
	white := color.RGBA{255, 255, 255, 255}
	black := color.RGBA{0, 0, 0, 255}
	cmyk := jpegOf(img)

	tests := []struct {
		name string
		file file
		want [2][2]color.RGBA
	}{
		{"jpeg", file{JPEG, cmyk}, cornerColours},
		{"jpeg grey", file{JPEG, jpegOf(grey)}, shades},
		{"jpeg and a film", file{JPEG, append(jpegOf(img), "film and more"...)}, cornerColours},
		{"png", file{PNG, pngOf(img)}, cornerColours},
		{"png grey", file{PNG, pngOf(grey)}, shades},
		{"png palette", file{PNG, pngOf(paletted(img))}, cornerColours},
		{"png see-through", file{PNG, pngOf(seeThrough)}, onWhite},
		{"png palette see-through", file{PNG, pngOf(hole)}, onWhite},
		{"png 16 bits", file{PNG, pngOf(colour16)}, cornerColours},
		{"png grey 16 bits", file{PNG, pngOf(grey16)}, shades},
		{"png interlaced", file{PNG, interlacedPNG(img)}, cornerColours},
		{"gif", file{GIF, gifOf(paletted(img))}, cornerColours},
		{"gif animated", file{GIF, gifOf(paletted(img), paletted(image.NewRGBA(img.Bounds())))}, cornerColours},
		{"gif with a hole", file{GIF, gifOf(hole)}, onWhite},
		{"gif of a part", file{GIF, small}, [2][2]color.RGBA{{white, white}, {white, cornerColours[1][1]}}},
		{"tiff", file{TIFF, tiffOf(binary.LittleEndian, rgbPage(img))}, cornerColours},
		{"tiff big-endian", file{TIFF, tiffOf(binary.BigEndian, rgbPage(img))}, cornerColours},
		{"tiff fax", file{TIFF, tiffOf(binary.LittleEndian, faxPage(120, 80))}, [2][2]color.RGBA{{black, white}, {black, white}}},
		{"tiff of jpeg tiles", file{TIFF, tiffOf(binary.LittleEndian, jpegPage(img, 16))}, cornerColours},
		{"tiff of one jpeg", file{TIFF, tiffOf(binary.BigEndian, onePhotoPage(img))}, cornerColours},
	}
	var all []file
	for _, test := range tests {
		if _, err := inspect(test.file.data, Options{}); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		all = append(all, test.file)
	}
	path := mustMerge(t, s, all...)
	if n := pageCount(t, path); n != len(tests) {
		t.Fatalf("%d pages of %d files", n, len(tests))
	}
	for i, test := range tests {
		got := page(t, path, i+1)
		if got.Bounds().Dx() != 120 || got.Bounds().Dy() != 80 {
			t.Errorf("%s: %v", test.name, got.Bounds())
		}
		sameColours(t, test.name, got, test.want)
	}
}

// The eight ways in which a camera can be held.
func TestMergeOrientation(t *testing.T) {
	a, b, c, d := cornerColours[0][0], cornerColours[0][1], cornerColours[1][0], cornerColours[1][1]
	want := [9][2][2]color.RGBA{1: {{a, b}, {c, d}}, 2: {{b, a}, {d, c}}, 3: {{d, c}, {b, a}}, 4: {{c, d}, {a, b}},
		5: {{a, c}, {b, d}}, 6: {{c, a}, {d, b}}, 7: {{d, b}, {c, a}}, 8: {{b, d}, {a, c}}}
	var files []file
	for o := 1; o <= 8; o++ {
		files = append(files, file{JPEG, withExif(jpegOf(corners(120, 80)), o)},
			file{TIFF, tiffOf(binary.LittleEndian, rgbPage(corners(120, 80), tag(tagOrientation, uint32(o))))})
	}
	path := mustMerge(t, newSandbox(t), files...)
	for i := range files {
		o := i/2 + 1
		got := page(t, path, i+1)
		if turned := got.Bounds().Dx() == 80; turned != (o >= 5) {
			t.Errorf("orientation %d: %v", o, got.Bounds())
		}
		sameColours(t, fmt.Sprintf("%s, orientation %d", files[i].kind, o), got, want[o])
	}
}

func TestMergePages(t *testing.T) {
	s := newSandbox(t)
	path := mustMerge(t, s,
		file{PDF, textPDF("first", "second")},
		file{TIFF, tiffOf(binary.LittleEndian, rgbPage(corners(40, 30)), faxPage(16, 16), rgbPage(corners(30, 40)))},
		file{PDF, compressedPDF("")},
		file{JPEG, jpegOf(corners(40, 30))},
		file{PDF, updated(textPDF("last"), rootTrailer)})
	if n := pageCount(t, path); n != 8 {
		t.Errorf("%d pages", n)
	}
	text := strings.Fields(output(t, "pdftotext", path, "-"))
	if got := strings.Join(text, " "); got != "first second compressed last" {
		t.Errorf("the text is %q", got)
	}
}

func TestMergeIsDeterministic(t *testing.T) {
	files := []file{{PDF, hostilePDF()}, {PNG, interlacedPNG(corners(40, 30))}, {PDF, compressedPDF("")}, {JPEG, jpegOf(corners(40, 30))}}
	first, err := mergeFiles(newSandbox(t), Layout{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t)
	for range 3 {
		again, err := mergeFiles(s, Layout{}, files...)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%v, %d and %d bytes", err, len(first), len(again))
		}
	}
	other, err := mergeFiles(s, Layout{}, files[1:]...)
	if err != nil || bytes.Equal(other[len(other)-100:], first[len(first)-100:]) {
		t.Errorf("%v, the same identity for other parts", err)
	}
}

// hostilePDF does all that a PDF can do beside showing a page, and draws "harmless".
func hostilePDF() []byte {
	p := newPDF()
	js := "<</S/JavaScript/JS(app.alert\\(1\\))>>"
	p.object(1, "<</Type/Catalog/Pages 2 0 R/OpenAction "+js+"/AA<</WC 20 0 R>>/Names<</JavaScript<</Names[(a) 20 0 R]>>/EmbeddedFiles<</Names[(b) 21 0 R]>>>>"+
		"/AcroForm<</Fields[8 0 R]/XFA 22 0 R/CO[8 0 R]>>/URI<</Base(http://evil.test/)>>/AF[21 0 R]/Outlines<</First 23 0 R/Last 23 0 R>>"+
		"/OCProperties<</OCGs[30 0 R 31 0 R]/D<</OFF[31 0 R]>>>>>>")
	p.object(2, "<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 300 200]>>")
	p.object(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R/AA<</O 20 0 R>>/AF[21 0 R]/Metadata 22 0 R/PieceInfo<</X<</Private 22 0 R>>>>"+
		"/Resources<</Font<</AA 5 0 R/A 5 0 R>>/XObject<</Parent 6 0 R/JS 7 0 R>>/Properties<</L1 30 0 R/L2 31 0 R>>>>"+
		"/Annots[8 0 R 9 0 R 10 0 R 11 0 R 12 0 R 13 0 R]>>")
	p.stream(4, "", "BT /AA 24 Tf 20 100 Td (harmless) Tj ET q 1 0 0 1 20 20 cm /Parent Do Q"+
		" /OC /L1 BDC BT /A 10 Tf 20 80 Td (shown) Tj ET EMC /OC /L2 BDC BT /A 10 Tf 20 60 Td (hidden) Tj ET EMC")
	p.object(5, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/AA 20 0 R>>")
	p.stream(6, "/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</Font<</AA 5 0 R>>>>/OPI<</X 22 0 R>>/Ref<</F(other.pdf)>>", "BT /AA 10 Tf (inside) Tj ET")
	p.stream(7, "/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/F(/etc/passwd)/FFilter/X", "x")
	p.object(8, "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(filled in)/Rect[10 120 100 140]/AA<</K 20 0 R>>/A 20 0 R/AP<</N 14 0 R>>/F 4/Parent 1 0 R>>")
	p.object(9, "<</Type/Annot/Subtype/Link/Rect[0 0 300 200]/A<</S/URI/URI(http://evil.test/link)>>>>")
	p.object(10, "<</Type/Annot/Subtype/FileAttachment/Rect[0 0 10 10]/FS 21 0 R/AP<</N 14 0 R>>>>")
	p.object(11, "<</Type/Annot/Subtype/Screen/Rect[0 0 10 10]/A<</S/Rendition/JS(evil)>>/AP<</N 14 0 R>>>>")
	p.object(12, "<</Type/Annot/Subtype/Square/Rect[200 120 280 180]/C[1 0 0]/BS<</W 3>>/A<</S/Launch/F(cmd.exe)>>>>")
	p.object(13, "<</Type/Annot/Subtype/Widget/FT/Tx/T(bare)/V(typed)/DA(/Helv 12 Tf 0 g)/Rect[10 150 100 170]>>")
	p.stream(14, "/Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</Font<</F 5 0 R>>>>/AA 20 0 R", "BT /F 10 Tf 5 5 Td (field) Tj ET")
	p.object(20, js)
	p.object(21, "<</Type/Filespec/F(evil.exe)/EF<</F 22 0 R>>>>")
	p.stream(22, "/Type/EmbeddedFile", "MZ evil")
	p.object(23, "<</Title(evil)/A 20 0 R>>")
	p.object(30, "<</Type/OCG/Name(one)>>")
	p.object(31, "<</Type/OCG/Name(two)>>")
	return p.table(rootTrailer)
}

func TestMergeLeavesOutWhatActs(t *testing.T) {
	path := mustMerge(t, newSandbox(t), file{PDF, hostilePDF()})
	plain := filepath.Join(t.TempDir(), "plain.pdf")
	output(t, "qpdf", "--qdf", "--object-streams=disable", path, plain)
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"JavaScript", "app.alert", "/OpenAction", "/AA <<", "/AA 20", "Launch", "/URI", "evil", "EmbeddedFile", "/EF", "/AF",
		"Filespec", "AcroForm", "XFA", "/Names", "Metadata", "PieceInfo", "OPI", "/Ref", "passwd", "other.pdf", "Rendition", "/Link", "FileAttachment", "Outlines", "cmd.exe"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("the merged PDF contains %q", word)
		}
	}
	// Resources may be called as keys that are left out elsewhere.
	text := strings.Join(strings.Fields(output(t, "pdftotext", "-layout", path, "-")), " ")
	for _, word := range []string{"harmless", "inside", "shown"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in the text %q", word, text)
		}
	}
	img := page(t, path, 1)
	dark := func(x0, y0, x1, y1 int) int { // points from the top left
		n, scale := 0, 150.0/72
		for y := int(float64(y0) * scale); y < int(float64(y1)*scale); y++ {
			for x := int(float64(x0) * scale); x < int(float64(x1)*scale); x++ {
				if _, g, _, _ := img.At(x, y).RGBA(); g < 0x8000 {
					n++
				}
			}
		}
		return n
	}
	for what, n := range map[string]int{"the shown layer": dark(18, 110, 80, 123), "the field": dark(10, 60, 100, 80), "the square": dark(199, 20, 281, 80), "the bare field": dark(10, 30, 100, 50)} {
		if n < 20 {
			t.Errorf("%s is not drawn", what)
		}
	}
	if dark(18, 130, 80, 143) > 0 {
		t.Error("the hidden layer is drawn")
	}
}

func TestMergeRefuses(t *testing.T) {
	s := newSandbox(t)
	good := file{JPEG, jpegOf(corners(4, 4))}
	loop := newPDF()
	loop.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	loop.object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
	loop.object(3, "<</Type/Pages/Count 1/Parent 2 0 R/Kids[2 0 R]>>")
	wide := newPDF() // a tree that doubles at every level
	wide.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	for n := 2; n < 40; n++ {
		wide.object(n, fmt.Sprintf("<</Type/Pages/Count 1/Kids[%d 0 R %d 0 R]>>", n+1, n+1))
	}
	wide.object(40, "<</Type/Page/MediaBox[0 0 9 9]>>")
	empty := newPDF()
	empty.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	empty.object(2, "<</Type/Pages/Count 1/Kids[9 0 R]>>")
	deep := newPDF()
	deep.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	deep.object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
	deep.object(3, "<</Type/Page/MediaBox[0 0 9 9]/Resources<</ExtGState "+strings.Repeat("<</X ", 200)+"1"+strings.Repeat(">>", 200)+">>>>")

	bigPNG := []byte(pngSignature + ihdr(10_000, 10_000, 8, 6, 0) + pngChunk("IDAT", deflated([]byte("little"))) + pngChunk("IEND", ""))
	bombPNG := []byte(pngSignature + ihdr(10, 10, 8, 2, 0) + pngChunk("IDAT", bomb()) + pngChunk("IEND", ""))
	tests := []struct {
		name  string
		files []file
		code  string
		says  string
	}{
		{"nothing", nil, "pages", "no page"},
		{"too many pages", []file{{PDF, manyPages(1500)}, {PDF, manyPages(501)}}, "pages", "2000"},
		{"a page tree that loops", []file{good, {PDF, loop.table(rootTrailer)}}, "damaged", "File 2 of 2"},
		{"a page tree that doubles", []file{{PDF, wide.table(rootTrailer)}}, "pages", "2000"},
		{"a page tree without pages", []file{{PDF, empty.table(rootTrailer)}}, "damaged", "no page"},
		{"resources that are nested", []file{{PDF, deep.table(rootTrailer)}}, "damaged", ""},
		{"a PDF with a password", []file{{PDF, bytes.Replace(textPDF("x"), []byte("/Root"), []byte("/Encrypt<</Filter/Standard/V 1/R 2/O(x)/U(x)/P -1>>/ID[<00><00>]/Root"), 1)}}, "encrypted", ""},
		{"a PDF that is none", []file{{PDF, []byte("%PDF-1.4 and then nothing")}}, "damaged", "PDF"},
		{"a PNG without data", []file{{PNG, bigPNG}}, "damaged", "PNG"},
		{"a PNG that inflates without end", []file{{PNG, bombPNG}}, "damaged", "PNG"},
		{"a JPEG that is cut off", []file{{JPEG, good.data[:100]}}, "truncated", "JPEG"},
		{"a TIFF of 8 bytes", []file{{TIFF, []byte("II*\x00\x08\x00\x00\x00")}}, "truncated", "TIFF"},
		{"a TIFF of nothing", []file{{TIFF, tiffOf(binary.LittleEndian, tiffPageOf{[]tiffTag{longTag(tagWidth, 10_000), longTag(tagHeight, 10_000),
			tag(tagBits, 16, 16, 16), tag(tagCompression, 8), tag(tagPhotometric, 2), longTag(tagStripOffsets), tag(tagSamples, 3),
			longTag(tagRowsPerStrip, 10_000), longTag(tagStripByteCounts)}, [][]byte{[]byte(deflated([]byte("little")))}})}}, "", ""},
		{"a GIF of nothing", []file{{GIF, []byte("GIF89a\x10\x27\x10\x27\x00\x00\x00\x2c\x00\x00\x00\x00\x10\x27\x10\x27\x00\x02\x00\x3b")}}, "damaged", "GIF"},
		{"a type that is none", []file{{"text/html", []byte("<html>")}}, "unprocessable", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := mergeFiles(s, Layout{}, test.files...)
			e := errs.As(err)
			if e == nil || e.Kind != errs.Invalid || test.code != "" && e.Code != test.code || !strings.Contains(e.Message, test.says) {
				t.Errorf("got %v, want %s with %q", err, test.code, test.says)
			}
			if _, err := mergeFiles(s, Layout{}, good); err != nil {
				t.Errorf("the next merge: %v", err)
			}
		})
	}
}

// manyPages is a flat file of small pages.
func manyPages(n int) []byte {
	p := newPDF()
	p.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	var kids []int
	for i := range n {
		kids = append(kids, 3+i)
		p.object(3+i, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
	}
	p.object(2, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", n, references(kids)))
	return p.table(rootTrailer)
}

func TestCheck(t *testing.T) {
	s := newSandbox(t)
	for name, f := range goodFiles() {
		if name == "pdf hybrid" {
			continue // its page tree is hidden from old readers, which nobody would want
		}
		pages, err := Check(context.Background(), s, Part{f.want.Type, bytes.NewReader(f.data)})
		if err != nil || pages != f.want.Pages {
			t.Errorf("%s: %d pages, %v", name, pages, err)
		}
	}
	if pages, err := Check(context.Background(), s, Part{PDF, bytes.NewReader(manyPages(MaxPages))}); err != nil || pages != MaxPages {
		t.Errorf("%d pages, %v", pages, err)
	}
	if _, err := Check(context.Background(), s, Part{PDF, bytes.NewReader(manyPages(MaxPages + 1))}); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

// Photos lose the notes of the camera, which say where they were taken.
func TestPhotoNotesAreLeftOut(t *testing.T) {
	b := jpegOf(corners(40, 30))
	b = []byte(string(b[:2]) + segment(0xe1, "http://ns.adobe.com/xap/1.0/ at home") + segment(0xed, "Photoshop") + segment(0xfe, "secret note") + segment(0xee, "Adobe\x00\x64\x00\x00\x00\x00\x01") + string(b[2:]))
	ph, err := readPhoto(append(b, "trailer"...))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"home", "Photoshop", "secret", "trailer"} {
		if bytes.Contains(ph.data, []byte(word)) {
			t.Errorf("%q is kept", word)
		}
	}
	if !bytes.Contains(ph.data, []byte("Adobe\x00\x64")) {
		t.Error("the marker of the colours is lost")
	}
	if info, err := inspect(ph.data, Options{}); err != nil || info.Width != 40 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestMergedSizeIsLimited(t *testing.T) {
	p, err := newPDFWriter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 20<<20)
	for range 9 {
		if _, err := p.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Write(block); !errs.Is(err, errs.Invalid) {
		t.Errorf("over %d MB: %v", MaxMerged>>20, err)
	}
}

func TestPageSize(t *testing.T) {
	tests := []struct {
		width, height int
		sheet         paper
		w, h          float64
	}{
		{100, 50, a4, 48, 24},            // its own size at 150 dpi
		{1240, 1754, a4, 595.20, 841.89}, // A4 at 150 dpi
		{4032, 3024, a4, 793.71, 595.28}, // a phone's photo, lying
		{3024, 4032, a4, 595.28, 793.71},
		{3024, 4032, letter, 594, 792},
		{800, 6000, a4, 384, 2880},         // a till roll keeps its size
		{1600, 60000, a4, 112.25, 4209.45}, // but not any size
		{1, 1, a4, 3, 3},
		{1, 65535, a4, 3, 4209.45},
	}
	for _, test := range tests {
		w, h := pageSize(test.width, test.height, test.sheet)
		if math.Abs(w-test.w) > 0.3 || math.Abs(h-test.h) > 0.3 {
			t.Errorf("%d × %d: %.2f × %.2f, want %.2f × %.2f", test.width, test.height, w, h, test.w, test.h)
		}
	}
}

// FuzzMerge looks for files that an inspection takes and that bring the merge down; a
// crash would cost only the child, but an answer is better.
func FuzzMerge(f *testing.F) {
	for _, file := range goodFiles() {
		f.Add(file.data)
	}
	f.Add(hostilePDF())
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := inspect(b, Options{MaxBytes: 1 << 20})
		if err != nil || info.Width*info.Height > 1<<20 {
			return
		}
		mergeParts(order{Types: []Type{info.Type}}, &oneSource{b}, io.Discard)
	})
}

type oneSource struct{ b []byte }

func (s *oneSource) Next() (io.Reader, error) { return bytes.NewReader(s.b), nil }

func BenchmarkMerge(b *testing.B) {
	photo := jpegOf(noise(920, 920)) // 1.2 MB
	text := textPDF(strings.Repeat("x", 1_200_000))
	var photos, texts, mixed []file
	for i := range 10 {
		photos = append(photos, file{JPEG, photo})
		texts = append(texts, file{PDF, text})
		mixed = append(mixed, []file{{JPEG, photo}, {PDF, text}}[i%2])
	}
	s := newSandbox(b)
	for _, test := range []struct {
		name  string
		files []file
	}{
		{"ten photos", photos}, {"ten PDFs", texts}, {"mixed", mixed},
		{"one PNG 12 MP opaque", []file{{PNG, pngOf(corners(4000, 3000))}}},
		{"one PNG 12 MP see-through", []file{{PNG, pngOf(image.NewNRGBA(image.Rect(0, 0, 4000, 3000)))}}},
		{"small PDF", []file{{PDF, textPDF("x")}}},
	} {
		b.Run(test.name, func(b *testing.B) {
			size := 0
			for _, f := range test.files {
				size += len(f.data)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := mergeFiles(s, Layout{}, test.files...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
