package document

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"

	"quittance/internal/kernel/errs"
)

// MaxMerged is the largest merged PDF, in bytes.
const MaxMerged = 200 << 20

// pdfWriter writes a PDF file object by object, as they come, so that a merge needs
// no more memory than its largest part. The same objects give the same bytes.
type pdfWriter struct {
	out     *bufio.Writer
	hash    hash.Hash
	size    int64
	offsets []int64 // of the objects, by number less one
	pages   []int   // object numbers, in order
	layers  []int   // optional content groups
	hidden  []int   // those of them that are off
}

// The first two objects.
const (
	catalogObject = 1
	treeObject    = 2
)

func newPDFWriter(w io.Writer) (*pdfWriter, error) {
	p := &pdfWriter{hash: sha256.New(), offsets: make([]int64, 2)}
	p.out = bufio.NewWriterSize(io.MultiWriter(w, p.hash), 64<<10)
	_, err := io.WriteString(p, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return p, err
}

// Write adds raw bytes, within the limit.
func (p *pdfWriter) Write(b []byte) (int, error) {
	if p.size += int64(len(b)); p.size > MaxMerged {
		return 0, errs.Newf(errs.Invalid, "mergedSize", "The files together make a PDF of more than %d MB.", MaxMerged>>20)
	}
	return p.out.Write(b)
}

// number reserves an object number.
func (p *pdfWriter) number() int {
	p.offsets = append(p.offsets, 0)
	return len(p.offsets)
}

// object writes an object that is no stream.
func (p *pdfWriter) object(number int, body []byte) error {
	p.offsets[number-1] = p.size
	_, err := fmt.Fprintf(p, "%d 0 obj\n%s\nendobj\n", number, body)
	return err
}

// stream writes a stream of known length. The dictionary is given without its
// brackets and its Length.
func (p *pdfWriter) stream(number int, entries, data []byte) error {
	p.offsets[number-1] = p.size
	if _, err := fmt.Fprintf(p, "%d 0 obj\n<<%s/Length %d>>\nstream\n", number, entries, len(data)); err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		return err
	}
	_, err := io.WriteString(p, "\nendstream\nendobj\n")
	return err
}

// streamOf writes a stream of a length that is known only afterwards.
func (p *pdfWriter) streamOf(number int, entries []byte, data func(io.Writer) error) error {
	length := p.number()
	p.offsets[number-1] = p.size
	if _, err := fmt.Fprintf(p, "%d 0 obj\n<<%s/Length %d 0 R>>\nstream\n", number, entries, length); err != nil {
		return err
	}
	start := p.size
	if err := data(p); err != nil {
		return err
	}
	n := p.size - start
	if _, err := io.WriteString(p, "\nendstream\nendobj\n"); err != nil {
		return err
	}
	return p.object(length, strconv.AppendInt(nil, n, 10))
}

// page writes a page; the entries are those beside Type and Parent.
func (p *pdfWriter) page(entries []byte) error {
	if len(p.pages) == MaxPages {
		return errs.Newf(errs.Invalid, "pages", "The files together have more than %d pages.", MaxPages)
	}
	n := p.number()
	p.pages = append(p.pages, n)
	return p.object(n, fmt.Appendf(nil, "<</Type/Page/Parent %d 0 R%s>>", treeObject, entries))
}

// finish writes the page tree, the catalog and the cross-reference table.
func (p *pdfWriter) finish() error {
	if len(p.pages) == 0 {
		return errs.New(errs.Invalid, "pages", "There is no page to show.")
	}
	tree := fmt.Appendf(nil, "<</Type/Pages/Count %d/Kids[%s]>>", len(p.pages), references(p.pages))
	if err := p.object(treeObject, tree); err != nil {
		return err
	}
	catalog := fmt.Appendf(nil, "<</Type/Catalog/Pages %d 0 R", treeObject)
	if len(p.layers) > 0 {
		catalog = fmt.Appendf(catalog, "/OCProperties<</OCGs[%s]/D<</OFF[%s]>>>>", references(p.layers), references(p.hidden))
	}
	if err := p.object(catalogObject, append(catalog, ">>"...)); err != nil {
		return err
	}
	start := p.size
	fmt.Fprintf(p, "xref\n0 %d\n0000000000 65535 f \n", len(p.offsets)+1) // a failure is that of the last write
	for _, at := range p.offsets {
		if at == 0 {
			fmt.Fprint(p, "0000000000 65535 f \n") // reserved, but never written
			continue
		}
		fmt.Fprintf(p, "%010d 00000 n \n", at)
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	id := p.hash.Sum(nil)[:16]
	if _, err := fmt.Fprintf(p, "trailer\n<</Size %d/Root %d 0 R/ID[<%x><%x>]>>\nstartxref\n%d\n%%%%EOF\n",
		len(p.offsets)+1, catalogObject, id, id, start); err != nil {
		return err
	}
	return p.out.Flush()
}

func references(numbers []int) []byte {
	var b []byte
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%d 0 R", n)
	}
	return b
}

// decimal writes a length in points.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// paper is the larger and the smaller side of a sheet, in points.
type paper struct{ short, long float64 }

var (
	a4     = paper{595.28, 841.89}
	letter = paper{612, 792}
)

const (
	pointsPerPixel = 72.0 / 150 // an image's own size is at 150 dots an inch
	rollRatio      = 2.5        // longer images are till rolls, and may be longer than the sheet
	rollSheets     = 5
	smallest       = 3 // points; the smallest page that readers accept
)

// pageSize is the size of the page for one image, in points. The page has the
// image's own proportions, and its own size unless that is larger than a sheet.
func pageSize(width, height int, sheet paper) (float64, float64) {
	w, h := float64(width)*pointsPerPixel, float64(height)*pointsPerPixel
	short, long := min(w, h), max(w, h)
	limit := sheet.long
	if long > rollRatio*short {
		limit *= rollSheets
	}
	scale := min(1, sheet.short/short, limit/long)
	return max(w*scale, smallest), max(h*scale, smallest)
}

// upright is the matrix that draws the unit square of an image with this Exif
// orientation on a page of w × h.
func upright(orientation int, w, h float64) string {
	m := [9][6]float64{
		1: {w, 0, 0, h, 0, 0},
		2: {-w, 0, 0, h, w, 0},
		3: {-w, 0, 0, -h, w, h},
		4: {w, 0, 0, -h, 0, h},
		5: {0, -h, -w, 0, w, h},
		6: {0, -h, w, 0, 0, h},
		7: {0, h, w, 0, 0, 0},
		8: {0, h, -w, 0, w, 0},
	}[orientation]
	s := ""
	for _, v := range m {
		s += decimal(v) + " "
	}
	return s
}

// imagePage writes a page that shows one image object and nothing else.
func (p *pdfWriter) imagePage(image, width, height, orientation int, sheet paper) error {
	if orientation >= 5 {
		width, height = height, width
	}
	w, h := pageSize(width, height, sheet)
	content := p.number()
	if err := p.stream(content, nil, []byte("q "+upright(orientation, w, h)+"cm /I Do Q")); err != nil {
		return err
	}
	return p.page(fmt.Appendf(nil, "/MediaBox[0 0 %s %s]/Resources<</XObject<</I %d 0 R>>>>/Contents %d 0 R",
		decimal(w), decimal(h), image, content))
}
