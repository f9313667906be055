package document

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"

	"quittance/internal/kernel/errs"
)

// Bounds of what is read of a PDF file's structure.
const (
	maxPDFSections  = 1024    // of cross-references; one an incremental update
	maxPDFRanges    = 1 << 16 // of object numbers in all of them
	maxPDFInflated  = 4 << 20 // bytes, of cross-reference and object streams together
	maxPDFSearch    = 2048    // bytes at the end of the file that are searched for startxref
	pdfWorkPerByte  = 8       // how often a byte may be read
	pdfWorkAtLeast  = 1 << 20
	maxPDFStreamObs = 1 << 17 // objects of one object stream
)

// pdfFile is a PDF file, as its cross-references show it.
type pdfFile struct {
	lexer
	base     int     // where the header is: offsets count from there
	ranges   []xrefs // the newest first
	room     int     // bytes that may still be inflated
	root     any
	sections int
	seen     map[int64]bool
	stream   objectStream // the last one that was opened
}

// xrefs is a run of object numbers with their places: rows of a stream, or entries
// of a table as text.
type xrefs struct {
	first, count int64
	rows         []byte // of a stream
	widths       [3]int
	text         int // position of the entries of a table
}

type objectStream struct {
	number int64
	data   []byte
	first  int64
	count  int64
}

func newPDFFile(b []byte) *pdfFile {
	work := int64(len(b))*pdfWorkPerByte + pdfWorkAtLeast
	return &pdfFile{lexer: lexer{data: b, work: &work}, room: maxPDFInflated, seen: map[int64]bool{}}
}

// inspectPDF judges a whole file: its cross-references must be there and lead to a
// page tree, and nothing may be encrypted. The pages themselves are not looked at.
func inspectPDF(b []byte) (Info, error) {
	b = bytes.TrimRight(b, "\x00\t\n\f\r ")
	f := newPDFFile(b)
	f.base = bytes.Index(b[:min(len(b), headerWindow)], []byte("%PDF-"))
	if f.base < 0 {
		return Info{}, damaged(PDF, "its header is missing")
	}
	tail := b[max(0, len(b)-maxPDFSearch):]
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return Info{}, truncated(PDF)
	}
	f.at(len(b) - len(tail) + i + len("startxref"))
	start, err := f.integer()
	if err != nil {
		return Info{}, damaged(PDF, "the place of its cross-reference table is not said")
	}
	// A newer version of the file may have begun after this one, and been cut off.
	after := bytes.TrimLeft(b[f.pos:], "\x00\t\n\f\r ")
	after, ended := bytes.CutPrefix(after, []byte("%%EOF"))
	after = bytes.TrimLeft(after, "\x00\t\n\f\r ")
	if len(after) > 0 && (!ended && after[0] != '%' || after[0] >= '0' && after[0] <= '9') {
		return Info{}, truncated(PDF)
	}
	if err := f.chain(start); err != nil {
		return Info{}, asPDFError(err)
	}
	pages, err := f.pages()
	if err != nil {
		return Info{}, asPDFError(err)
	}
	return Info{Type: PDF, Pages: pages}, nil
}

func asPDFError(err error) error {
	var e *errs.Error
	if errors.As(err, &e) {
		return err
	}
	return damaged(PDF, err.Error())
}

// chain follows the cross-reference sections from the newest to the oldest.
func (f *pdfFile) chain(at int64) error {
	for more := true; more; {
		if f.seen[at] {
			return damaged(PDF, "its cross-reference tables form a loop")
		}
		f.seen[at] = true
		if f.sections++; f.sections > maxPDFSections {
			return damaged(PDF, "it has been changed too many times")
		}
		d, err := f.section(at)
		if err != nil {
			return err
		}
		if _, ok := d["Encrypt"]; ok {
			return protected()
		}
		if f.root == nil {
			f.root = d["Root"]
		}
		// A hybrid file has a second section, for readers that know object streams.
		if hidden, ok := d["XRefStm"].(int64); ok && !f.seen[hidden] {
			f.seen[hidden] = true
			h, err := f.section(hidden)
			if err != nil {
				return err
			}
			if _, ok := h["Encrypt"]; ok {
				return protected()
			}
		}
		at, more = d["Prev"].(int64)
	}
	return nil
}

// section reads a table with its trailer, or a stream; it gives the trailer.
func (f *pdfFile) section(at int64) (dict, error) {
	if at < 0 || at >= int64(len(f.data)-f.base) {
		return nil, damaged(PDF, "its cross-reference table is not where it says, or the end of the file is missing")
	}
	f.at(f.base + int(at))
	f.space()
	if bytes.HasPrefix(f.data[f.pos:], []byte("xref")) {
		f.pos += len("xref")
		return f.table()
	}
	if _, err := f.header(); err != nil {
		return nil, damaged(PDF, "its cross-reference table is not where it says")
	}
	return f.xrefStream()
}

// header reads "12 0 obj" and gives the number.
func (f *pdfFile) header() (int64, error) {
	n, err := f.integer()
	if err != nil {
		return 0, err
	}
	if _, err := f.integer(); err != nil {
		return 0, err
	}
	return n, f.keyword("obj")
}

func (f *pdfFile) addRange(x xrefs) error {
	if len(f.ranges) == maxPDFRanges {
		return damaged(PDF, "its cross-reference table has too many parts")
	}
	f.ranges = append(f.ranges, x)
	return nil
}

func (f *pdfFile) table() (dict, error) {
	for {
		back := f.pos
		w := f.word()
		if string(w) == "trailer" {
			break
		}
		f.pos = back
		first, err := f.integer()
		if err != nil {
			return nil, err
		}
		count, err := f.integer()
		if err != nil {
			return nil, err
		}
		if first < 0 || count < 0 || count > int64(len(f.data)-f.pos)/4 {
			return nil, errSyntax
		}
		x := xrefs{first: first, count: count, text: f.pos}
		for i := range count {
			_, generation, kind, err := f.entry()
			if err != nil {
				return nil, err
			}
			if i == 0 && first == 1 && kind == 'f' && generation == 65535 {
				x.first = 0 // a frequent mistake of writers
			}
		}
		if err := f.addRange(x); err != nil {
			return nil, err
		}
	}
	v, err := f.value(true, 0)
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, errSyntax
	}
	return d, nil
}

// entry reads one line of a table.
func (f *pdfFile) entry() (offset, generation int64, kind byte, err error) {
	if *f.work < 0 {
		return 0, 0, 0, errSyntax
	}
	if offset, err = f.integer(); err != nil {
		return
	}
	if generation, err = f.integer(); err != nil {
		return
	}
	if w := f.word(); len(w) == 1 && (w[0] == 'n' || w[0] == 'f') {
		return offset, generation, w[0], nil
	}
	return 0, 0, 0, errSyntax
}

// xrefStream reads a cross-reference stream after its header.
func (f *pdfFile) xrefStream() (dict, error) {
	d, rows, err := f.openStream(0)
	if err != nil {
		return nil, err
	}
	if d["Type"] != name("XRef") {
		return nil, damaged(PDF, "its cross-reference table is not where it says")
	}
	w, _ := d["W"].([]any)
	if len(w) != 3 {
		return nil, errSyntax
	}
	var widths [3]int
	for i, v := range w {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 8 {
			return nil, errSyntax
		}
		widths[i] = int(n)
	}
	stride := widths[0] + widths[1] + widths[2]
	if stride == 0 {
		return nil, errSyntax
	}
	index, ok := d["Index"].([]any)
	if !ok {
		index = []any{int64(0), d["Size"]}
	}
	for ; len(index) >= 2; index = index[2:] {
		first, ok1 := index[0].(int64)
		count, ok2 := index[1].(int64)
		if !ok1 || !ok2 || first < 0 || count < 0 {
			return nil, errSyntax
		}
		count = min(count, int64(len(rows)/stride)) // writers miscount
		if err := f.addRange(xrefs{first: first, count: count, rows: rows, widths: widths, text: -1}); err != nil {
			return nil, err
		}
		rows = rows[int(count)*stride:]
	}
	return d, nil
}

// openStream reads a dictionary and inflates the stream behind it. Depth counts the
// objects that led here.
func (f *pdfFile) openStream(depth int) (dict, []byte, error) {
	v, err := f.value(true, 0)
	if err != nil {
		return nil, nil, err
	}
	d, ok := v.(dict)
	if !ok || f.keyword("stream") != nil {
		return nil, nil, errSyntax
	}
	start := f.pos
	if start < len(f.data) && f.data[start] == '\r' {
		start++
	}
	if start < len(f.data) && f.data[start] == '\n' {
		start++
	}
	length, ok := d["Length"].(int64)
	if !ok {
		if r, isRef := d["Length"].(ref); isRef {
			v, err := f.object(r, depth+1)
			if err != nil {
				return nil, nil, err
			}
			length, ok = v.(int64)
		}
	}
	if !ok || length < 0 || length > int64(len(f.data)-start) {
		return nil, nil, truncated(PDF)
	}
	body, err := f.inflate(d, f.data[start:start+int(length)])
	return d, body, err
}

// inflate undoes the filter of a structural stream, within what room is left.
func (f *pdfFile) inflate(d dict, raw []byte) ([]byte, error) {
	filter, parms := d["Filter"], d["DecodeParms"]
	if a, ok := filter.([]any); ok {
		switch len(a) {
		case 0:
			filter = nil
		case 1:
			filter = a[0]
		default:
			return nil, unreadable(PDF, "its cross-references are encoded twice")
		}
	}
	if a, ok := parms.([]any); ok && len(a) > 0 {
		parms = a[0]
	}
	if filter == nil {
		return raw, nil
	}
	if filter != name("FlateDecode") && filter != name("Fl") {
		return nil, unreadable(PDF, "its cross-references are in an unusual encoding")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, damaged(PDF, "its cross-references cannot be inflated")
	}
	var out bytes.Buffer
	_, err = out.ReadFrom(io.LimitReader(z, int64(f.room)+1))
	if out.Len() > f.room {
		return nil, damaged(PDF, "its cross-references inflate without end")
	}
	f.room -= out.Len()
	if err != nil && out.Len() == 0 {
		return nil, damaged(PDF, "its cross-references cannot be inflated")
	}
	p, _ := parms.(dict)
	return unpredict(p, out.Bytes())
}

// unpredict undoes the PNG predictor, in place.
func unpredict(p dict, b []byte) ([]byte, error) {
	number := func(key name, absent int64) int64 {
		if v, ok := p[key].(int64); ok {
			return v
		}
		return absent
	}
	predictor := number("Predictor", 1)
	if predictor <= 1 {
		return b, nil
	}
	columns := number("Columns", 1)
	if predictor < 10 || columns < 1 || columns > 64 || number("Colors", 1) != 1 || number("BitsPerComponent", 8) != 8 {
		return nil, unreadable(PDF, "its cross-references are in an unusual encoding")
	}
	n := int(columns)
	out := b[:0]
	previous := make([]byte, n)
	for len(b) >= n+1 {
		kind, row := b[0], b[1:n+1]
		b = b[n+1:]
		if kind > 4 {
			return nil, damaged(PDF, "its cross-references cannot be read")
		}
		var left, corner byte
		for i, v := range row {
			up := previous[i]
			switch kind {
			case 1:
				v += left
			case 2:
				v += up
			case 3:
				v += byte((int(left) + int(up)) / 2)
			case 4:
				v += paeth(left, up, corner)
			}
			corner, left = up, v
			previous[i] = v
		}
		out = append(out, previous...)
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	if pa <= pb && pa <= pc {
		return a
	}
	if pb <= pc {
		return b
	}
	return c
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// place is where an object is: in the file, or in an object stream.
type place struct {
	kind     int64 // 1 in the file, 2 in a stream
	at       int64 // offset, or number of the stream
	position int64 // in the stream
}

// find looks an object up, in the newest section that knows it.
func (f *pdfFile) find(number int64) (place, bool) {
	for _, x := range f.ranges {
		if number < x.first || number >= x.first+x.count {
			continue
		}
		if x.text < 0 {
			return x.row(number - x.first), true
		}
		f.at(x.text)
		for range number - x.first {
			if _, _, _, err := f.entry(); err != nil {
				return place{}, false
			}
		}
		offset, _, kind, err := f.entry()
		if err != nil {
			return place{}, false
		}
		if kind == 'n' {
			return place{kind: 1, at: offset}, true
		}
		// Free here; in a hybrid file the other section has it.
	}
	return place{}, false
}

func (x xrefs) row(i int64) place {
	stride := x.widths[0] + x.widths[1] + x.widths[2]
	row := x.rows[int(i)*stride:]
	var v [3]int64
	v[0] = 1 // when the first column is missing
	for c, w := range x.widths {
		if w > 0 {
			v[c] = 0
		}
		for range w {
			v[c] = v[c]<<8 | int64(row[0])
			row = row[1:]
		}
	}
	return place{v[0], v[1], v[2]}
}

// object reads an indirect object. Depth bounds lengths and streams that refer to
// objects themselves.
func (f *pdfFile) object(r ref, depth int) (any, error) {
	if depth > 4 {
		return nil, damaged(PDF, "its objects refer to each other in a loop")
	}
	back, kept := f.pos, f.kept
	defer func() { f.pos, f.kept = back, kept }()
	p, ok := f.find(r.number)
	if !ok {
		return nil, damaged(PDF, "an object is missing")
	}
	switch p.kind {
	case 1:
		if p.at < 0 || p.at >= int64(len(f.data)-f.base) {
			return nil, damaged(PDF, "an object is missing")
		}
		f.at(f.base + int(p.at))
		if n, err := f.header(); err != nil || n != r.number {
			return nil, damaged(PDF, "an object is not where its cross-reference says")
		}
		return f.value(true, 0)
	case 2:
		return f.compressed(r.number, p, depth)
	}
	return nil, damaged(PDF, "an object is missing")
}

// compressed reads an object of an object stream.
func (f *pdfFile) compressed(number int64, p place, depth int) (any, error) {
	if f.stream.data == nil || f.stream.number != p.at {
		if err := f.openObjects(p.at, depth); err != nil {
			return nil, err
		}
	}
	s := f.stream
	l := lexer{data: s.data, work: f.work}
	for i := range s.count {
		n, err := l.integer()
		if err != nil {
			return nil, err
		}
		at, err := l.integer()
		if err != nil {
			return nil, err
		}
		if n != number || i != p.position && p.position < s.count {
			continue
		}
		if at < 0 || s.first+at >= int64(len(s.data)) {
			break
		}
		l.at(int(s.first + at))
		return l.value(true, 0)
	}
	return nil, damaged(PDF, "an object is missing")
}

func (f *pdfFile) openObjects(number int64, depth int) error {
	if depth > 2 {
		return damaged(PDF, "its objects refer to each other in a loop")
	}
	p, ok := f.find(number)
	if !ok || p.kind != 1 || p.at < 0 || p.at >= int64(len(f.data)-f.base) {
		return damaged(PDF, "an object is missing")
	}
	f.at(f.base + int(p.at))
	if n, err := f.header(); err != nil || n != number {
		return damaged(PDF, "an object is not where its cross-reference says")
	}
	d, data, err := f.openStream(depth + 1)
	if err != nil {
		return err
	}
	first, ok1 := d["First"].(int64)
	count, ok2 := d["N"].(int64)
	if !ok1 || !ok2 || first < 0 || count < 0 || count > maxPDFStreamObs {
		return errSyntax
	}
	f.stream = objectStream{number: number, data: data, first: first, count: count}
	return nil
}

// pages is the number of pages that the page tree's root announces.
func (f *pdfFile) pages() (int, error) {
	catalog, err := f.dictOf(f.root)
	if err != nil {
		return 0, err
	}
	tree, err := f.dictOf(catalog["Pages"])
	if err != nil {
		return 0, err
	}
	count, ok := tree["Count"].(int64)
	if r, isRef := tree["Count"].(ref); isRef {
		v, err := f.object(r, 0)
		if err != nil {
			return 0, err
		}
		count, ok = v.(int64)
	}
	kids := tree["Kids"]
	if r, isRef := kids.(ref); isRef {
		if kids, err = f.object(r, 0); err != nil {
			return 0, err
		}
	}
	list, _ := kids.([]any)
	if !ok || count < 1 || len(list) == 0 {
		return 0, damaged(PDF, "it has no page")
	}
	if count > MaxPages {
		return 0, tooManyPages()
	}
	return int(count), nil
}

// dictOf is the dictionary that v is, or refers to.
func (f *pdfFile) dictOf(v any) (dict, error) {
	if r, ok := v.(ref); ok {
		var err error
		if v, err = f.object(r, 0); err != nil {
			return nil, err
		}
	}
	d, ok := v.(dict)
	if !ok {
		return nil, damaged(PDF, "its catalog or its page tree is missing")
	}
	return d, nil
}
