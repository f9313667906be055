// Package document knows what an uploaded file is, and makes one PDF of several.
//
// Inspect walks the structure of a file while it streams by, in the server process:
// signatures, headers, markers, chunks and cross-references, within limits, and
// never a pixel. Whatever decodes a file (Merge, Check) runs in a sandbox.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"quittance/internal/kernel/errs"
)

// Type is the media type of a file, found from its content alone.
type Type string

// The types that are known.
const (
	PDF  Type = "application/pdf"
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	GIF  Type = "image/gif"
	TIFF Type = "image/tiff"
)

// name is what people call the type.
func (t Type) name() string {
	return map[Type]string{PDF: "PDF", JPEG: "JPEG", PNG: "PNG", GIF: "GIF", TIFF: "TIFF"}[t]
}

// Limits that every file keeps, whatever the operation.
const (
	MaxPixels = 100_000_000 // a page
	MaxPages  = 2_000
)

// Options of an inspection.
type Options struct {
	Types    []Type // what the operation takes; empty means every known type
	MaxBytes int64  // size limit; 10 MiB when 0
}

const defaultMaxBytes = 10 << 20

// Info is what a file is.
type Info struct {
	Type   Type
	Bytes  int64
	Pages  int // at least 1; a GIF has one, however many frames it shows
	Width  int // pixels of the first page, as stored; 0 for a PDF
	Height int
}

// walker goes over the bytes of one type of file.
type walker interface {
	// write takes the next bytes, and fails as early as it can.
	write(p []byte) error
	// end is asked when all is written: is the file whole, and what is it?
	end() (Info, error)
}

// Inspector passes a file through and judges it. It is an io.Reader: its Read gives
// the bytes as they are, and in place of the bytes that condemn the file, or of
// io.EOF when something is missing, an *errs.Error: Unsupported for a type that is
// not taken, TooLarge, or Invalid with the reason.
type Inspector struct {
	r       io.Reader
	options Options
	head    []byte // until the type is known
	walker  walker
	size    int64
	info    Info
	err     error // io.EOF when the file is good
}

// Inspect starts an inspection of what r gives.
func Inspect(r io.Reader, o Options) *Inspector {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	return &Inspector{r: r, options: o}
}

// Read implements io.Reader.
func (i *Inspector) Read(p []byte) (int, error) {
	if i.err != nil {
		return 0, i.err
	}
	n, err := i.r.Read(p)
	if n > 0 {
		if i.err = i.take(p[:n]); i.err != nil {
			return 0, i.err
		}
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		if i.err = i.judge(); !errors.Is(i.err, io.EOF) {
			return 0, i.err
		}
		return n, io.EOF
	}
	i.err = err
	return n, err
}

// Info is what the file is. Before it has been read to its end, and when it is no
// good, there is only an error.
func (i *Inspector) Info() (Info, error) {
	switch {
	case i.err == nil:
		return Info{}, errs.New(errs.Internal, "internal", "The file has not been read to its end.")
	case errors.Is(i.err, io.EOF):
		return i.info, nil
	}
	return Info{}, i.err
}

func (i *Inspector) take(p []byte) error {
	i.size += int64(len(p))
	if i.size > i.options.MaxBytes {
		return tooLarge(i.options.MaxBytes)
	}
	if i.walker != nil {
		return i.walker.write(p)
	}
	i.head = append(i.head, p...)
	if len(i.head) < signatureSize {
		return nil
	}
	if signature(i.head) == "" && len(i.head) < headerWindow {
		return nil
	}
	return i.begin()
}

// begin decides on the type.
func (i *Inspector) begin() error {
	t, reason := sniff(i.head)
	if t == "" {
		return reason
	}
	if len(i.options.Types) > 0 && !slices.Contains(i.options.Types, t) {
		return i.notTaken()
	}
	switch t {
	case JPEG:
		i.walker = newJPEGWalker()
	case PNG:
		i.walker = newPNGWalker(i.options.MaxBytes)
	case GIF:
		i.walker = newGIFWalker()
	case TIFF:
		i.walker = &whole{judge: inspectTIFF}
	case PDF:
		i.walker = &whole{judge: inspectPDF}
	}
	head := i.head
	i.head = nil
	return i.walker.write(head)
}

func (i *Inspector) judge() error {
	if i.size == 0 {
		return errs.New(errs.Invalid, "empty", "The file is empty.")
	}
	if i.walker == nil {
		if err := i.begin(); err != nil {
			return err
		}
	}
	info, err := i.walker.end()
	if err != nil {
		return err
	}
	i.info = info
	i.info.Bytes = i.size
	i.walker = nil
	return io.EOF
}

func (i *Inspector) notTaken() error {
	names := make([]string, 0, len(i.options.Types))
	for _, t := range i.options.Types {
		names = append(names, t.name())
	}
	if len(names) == 0 {
		names = []string{"PDF", "JPEG", "PNG", "GIF", "TIFF"}
	}
	return errs.Newf(errs.Unsupported, "fileType", "The file's content is not of a type that is taken here: %s.", strings.Join(names, ", "))
}

const (
	signatureSize = 8
	headerWindow  = 1024 + 5 // a PDF's header begins in its first 1,024 bytes
)

// signature knows a type from the first bytes of a file; "" is unknown.
func signature(b []byte) Type {
	for _, s := range []struct {
		t     Type
		start string
	}{
		{JPEG, "\xff\xd8\xff"},
		{PNG, "\x89PNG\r\n\x1a\n"},
		{GIF, "GIF87a"}, {GIF, "GIF89a"},
		{TIFF, "II*\x00"}, {TIFF, "MM\x00*"},
		{PDF, "%PDF-"},
	} {
		if bytes.HasPrefix(b, []byte(s.start)) {
			return s.t
		}
	}
	return ""
}

// sniff is signature, with the few things that may stand before the header of a PDF
// (blanks, a byte order mark, the wrapping of a print job), and with the reason when
// the type is unknown.
func sniff(b []byte) (Type, error) {
	if t := signature(b); t != "" {
		return t, nil
	}
	unknown := errs.New(errs.Unsupported, "fileType", "The file's content is not of a known type. PDF, JPEG, PNG, GIF and TIFF are known.")
	if looksBase64(b) {
		unknown.Message = "The body is Base64 text. Send the raw bytes of the file instead."
		return "", unknown
	}
	if i := bytes.Index(b[:min(len(b), headerWindow)], []byte("%PDF-")); i >= 0 {
		before := bytes.TrimPrefix(b[:i], []byte("\xef\xbb\xbf"))
		if len(bytes.Trim(before, "\x00\t\n\f\r ")) == 0 || bytes.HasPrefix(before, []byte("\x1b%-12345X")) {
			return PDF, nil
		}
		unknown.Message = "A PDF must begin with %PDF-, and this file has other data before it."
	}
	return "", unknown
}

// looksBase64 tells the text of an encoded file of a known type.
func looksBase64(b []byte) bool {
	b = bytes.TrimPrefix(bytes.TrimSpace(b), []byte("\xef\xbb\xbf"))
	if i := bytes.Index(b, []byte(";base64,")); bytes.HasPrefix(b, []byte("data:")) && i > 0 && i < 64 {
		b = b[i+len(";base64,"):]
	}
	known := false
	for _, start := range []string{"JVBERi", "/9j/", "iVBORw0KGg", "R0lGOD", "SUkqA", "TU0AK"} {
		known = known || bytes.HasPrefix(b, []byte(start))
	}
	if !known {
		return false
	}
	return bytes.IndexFunc(b, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("+/=\r\n", r))
	}) < 0
}

// whole is the walker of the types whose structure is read from the end or at
// random: it keeps the bytes, which the size limit bounds.
type whole struct {
	data  []byte
	judge func([]byte) (Info, error)
}

func (w *whole) write(p []byte) error {
	w.data = append(w.data, p...)
	return nil
}

func (w *whole) end() (Info, error) { return w.judge(w.data) }

// What can be wrong with a file.

func tooLarge(limit int64) *errs.Error {
	size := fmt.Sprintf("%d bytes", limit)
	if limit%(1<<20) == 0 {
		size = fmt.Sprintf("%d MB", limit>>20)
	}
	return errs.Newf(errs.TooLarge, "fileSize", "The file is larger than %s.", size)
}

func truncated(t Type) *errs.Error {
	return errs.Newf(errs.Invalid, "truncated", "The %s file ends too early; it was probably cut off on its way.", t.name())
}

func damaged(t Type, detail string) *errs.Error {
	return errs.Newf(errs.Invalid, "damaged", "The %s file is damaged: %s.", t.name(), detail)
}

func unreadable(t Type, detail string) *errs.Error {
	return errs.Newf(errs.Invalid, "variant", "This kind of %s file cannot be read: %s.", t.name(), detail)
}

func protected() *errs.Error {
	return errs.New(errs.Invalid, "encrypted", "The PDF is protected, with a password or with restrictions. Save it without protection and send it again.")
}

func tooManyPages() *errs.Error {
	return errs.Newf(errs.Invalid, "pages", "The file has more than %d pages.", MaxPages)
}

// checkSize refuses pages without pixels and with too many.
func checkSize(t Type, width, height int64) error {
	if width <= 0 || height <= 0 {
		return damaged(t, "it says that it has no pixels")
	}
	if width > MaxPixels || height > MaxPixels || width*height > MaxPixels {
		return errs.Newf(errs.Invalid, "pixels", "A page of the file has more than %d megapixels (%d × %d).", MaxPixels/1_000_000, width, height)
	}
	return nil
}
