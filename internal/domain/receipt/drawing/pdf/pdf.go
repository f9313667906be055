// Package pdf writes laid-out pages as a tagged PDF 1.7: glyphs by number from subsets
// of their typefaces, with the text that each stands for, and a structure tree. The
// same pages give the same bytes: nothing depends on time or on the order of maps.
package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf16"

	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/domain/receipt/drawing/text"
)

// Writer writes documents, one after the other, and keeps its memory between them. It
// is not safe for concurrent use. It is a page.Sink.
type Writer struct {
	set  *fonts.Set
	info page.Info

	out     []byte
	offsets []place // of objects, by number; number 0 is unused
	zip     *zlib.Writer
	zipped  bytes.Buffer

	packed   []byte // objects that are waiting for an object stream
	packedAt []place

	content []byte
	pages   []sheet
	marks   [][]int32 // by page: the node of each marked-content id
	uses    []use     // in the order of pages
	faces   [fonts.Count]*face
	order   []fonts.ID // of faces, by first use
}

// place is where an object is: at an offset of the file, or in an object stream.
type place struct {
	object int // its own number while it waits
	stream int // the stream that holds it, or 0
	at     int // the offset, or the index in the stream
}

type sheet struct{ object, contents, over int }

// use is one piece of content of a node.
type use struct {
	node       int32
	page, mark int
}

// level of compression: 3 saves 8 % of the bytes and has the whole take a quarter
// longer; 6 saves 3 % more for half as long again.
const level = zlib.BestSpeed

// short is how long a stream must be for compression to be worth its start: what it
// would save of shorter ones is a tenth of a file, and costs as much of the time.
const short = 2048

// keep is the most memory that a writer keeps from one document to the next.
const keep = 4 << 20

// New makes a writer that takes its typefaces from a set.
func New(set *fonts.Set) *Writer {
	z, err := zlib.NewWriterLevel(nil, level)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &Writer{set: set, zip: z}
}

// Fixed objects.
const (
	catalogObject = 1 + iota
	pagesObject
	infoObject
	treeObject
	parentsObject
	firstFree
)

// Begin starts a document.
func (w *Writer) Begin(info page.Info) {
	if cap(w.out) > keep {
		*w = *New(w.set) // a large document's memory is not kept
	}
	w.info = info
	w.out = append(w.out[:0], "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"...)
	w.offsets = append(w.offsets[:0], make([]place, firstFree)...)
	w.packed, w.packedAt = w.packed[:0], w.packedAt[:0]
	w.pages, w.marks, w.uses, w.order = w.pages[:0], w.marks[:0], w.uses[:0], w.order[:0]
	w.faces = [fonts.Count]*face{}
}

func (w *Writer) newObject() int {
	w.offsets = append(w.offsets, place{})
	return len(w.offsets) - 1
}

// object keeps an object for the next object stream.
func (w *Writer) object(number int, body []byte) {
	w.packedAt = append(w.packedAt, place{object: number, at: len(w.packed)})
	w.packed = append(append(w.packed, body...), '\n')
	if len(w.packedAt) == 200 {
		w.flush()
	}
}

// flush writes the waiting objects as one object stream.
func (w *Writer) flush() {
	if len(w.packedAt) == 0 {
		return
	}
	var head []byte
	stream := w.newObject()
	for i, p := range w.packedAt {
		head = appendInts(head, p.object, p.at)
		w.offsets[p.object] = place{stream: stream, at: i}
	}
	dict := append([]byte("/Type/ObjStm/N "), strconv.Itoa(len(w.packedAt))...)
	dict = append(append(dict, "/First "...), strconv.Itoa(len(head))...)
	w.stream(stream, string(dict), append(head, w.packed...))
	w.packed, w.packedAt = w.packed[:0], w.packedAt[:0]
}

func appendInts(dst []byte, ints ...int) []byte {
	for _, n := range ints {
		dst = append(strconv.AppendInt(dst, int64(n), 10), ' ')
	}
	return dst
}

// stream writes a stream, compressed unless it is short.
func (w *Writer) stream(number int, dict string, data []byte) {
	w.offsets[number] = place{at: len(w.out)}
	w.out = append(strconv.AppendInt(w.out, int64(number), 10), " 0 obj\n<<"...)
	w.out = append(w.out, dict...)
	if len(data) >= short {
		w.zipped.Reset()
		w.zip.Reset(&w.zipped)
		// A bytes.Buffer takes everything.
		_, _ = w.zip.Write(data)
		_ = w.zip.Close()
		data = w.zipped.Bytes()
		w.out = append(w.out, "/Filter/FlateDecode"...)
	}
	w.out = strconv.AppendInt(append(w.out, "/Length "...), int64(len(data)), 10)
	w.out = append(append(append(w.out, ">>stream\n"...), data...), "\nendstream\nendobj\n"...)
}

// Page writes a page.
func (w *Writer) Page(ops []page.Op) error {
	w.marks = append(w.marks, nil)
	s := sheet{object: w.newObject(), contents: w.newObject()}
	w.pages = append(w.pages, s)
	w.draw(len(w.pages)-1, ops)
	w.stream(s.contents, "", w.content)
	return nil
}

// Over writes more on a page.
func (w *Writer) Over(number int, ops []page.Op) {
	w.draw(number, ops)
	w.pages[number].over = w.newObject()
	w.stream(w.pages[number].over, "", w.content)
}

// draw turns operations into a content stream, in w.content.
func (w *Writer) draw(number int, ops []page.Op) {
	c := w.content[:0]
	ink := page.Inks
	open := int32(-2)
	for i := range ops {
		op := &ops[i]
		if op.Node != open {
			if open != -2 {
				c = append(c, "EMC\n"...)
			}
			if open = op.Node; open == page.Artifact {
				c = append(c, "/Artifact BMC\n"...)
			} else {
				mark := len(w.marks[number])
				w.marks[number] = append(w.marks[number], open)
				w.uses = append(w.uses, use{open, number, mark})
				// The structure tree has the tag; here it only must be one.
				c = append(strconv.AppendInt(append(c, "/P<</MCID "...), int64(mark), 10), ">>BDC\n"...)
			}
		}
		if op.Ink != ink {
			ink = op.Ink
			c = appendInk(c, ink)
		}
		switch op.Kind {
		case page.Box:
			c = w.appendPoint(c, op.X, op.Y+op.H)
			c = appendLength(c, op.W)
			c = append(appendLength(c, op.H), "re f\n"...)
		case page.Tile:
			c = w.appendTile(c, op)
		case page.Text:
			c = append(c, "BT "...)
			c = w.appendPoint(c, op.X, op.Y)
			c = w.appendLine(append(c, "Td\n"...), &op.Line)
			c = append(c, "ET\n"...)
		}
	}
	if open != -2 {
		c = append(c, "EMC\n"...)
	}
	w.content = c
}

// appendLength writes 1/1000 point in points.
func appendLength(dst []byte, n int) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendInt(dst, int64(n/1000), 10)
	if rest := n % 1000; rest != 0 {
		dst = append(dst, '.', byte('0'+rest/100))
		if rest %= 100; rest != 0 {
			dst = append(dst, byte('0'+rest/10))
			if rest %= 10; rest != 0 {
				dst = append(dst, byte('0'+rest))
			}
		}
	}
	return append(dst, ' ')
}

func (w *Writer) appendPoint(dst []byte, x, y int) []byte {
	return appendLength(appendLength(dst, x), w.info.Size.Height-y)
}

// appendInk sets the colour of areas and of strokes.
func appendInk(dst []byte, ink page.Ink) []byte {
	r, g, b := ink.RGB()
	part := func(c uint8) { dst = appendLength(dst, (int(c)*1000+127)/255) }
	for _, operator := range [...]string{"rg ", "RG\n"} {
		part(r)
		part(g)
		part(b)
		dst = append(dst, operator...)
	}
	return dst
}

// appendTile draws a box with round corners; a curve bends like a circle when its
// control points are 0.552 of the radius away.
func (w *Writer) appendTile(dst []byte, op *page.Op) []byte {
	const r, k = page.Radius, page.Radius * 552 / 1000
	x0, y0, x1, y1 := op.X, op.Y, op.X+op.W, op.Y+op.H
	curve := func(points ...int) {
		for i := 0; i < len(points); i += 2 {
			dst = w.appendPoint(dst, points[i], points[i+1])
		}
		dst = append(dst, "c\n"...)
	}
	line := func(x, y int) { dst = append(w.appendPoint(dst, x, y), "l\n"...) }
	dst = append(w.appendPoint(dst, x0+r, y0), "m\n"...)
	line(x1-r, y0)
	curve(x1-r+k, y0, x1, y0+r-k, x1, y0+r)
	line(x1, y1-r)
	curve(x1, y1-r+k, x1-r+k, y1, x1-r, y1)
	line(x0+r, y1)
	curve(x0+r-k, y1, x0, y1-r+k, x0, y1-r)
	line(x0, y0+r)
	curve(x0, y0+r-k, x0+r-k, y0, x0+r, y0)
	return append(dst, "f\n"...)
}

// appendLine shows a line's glyphs.
func (w *Writer) appendLine(c []byte, line *text.Line) []byte {
	const digits = "0123456789abcdef"
	font := fonts.Count
	bold := false
	for _, run := range line.Runs {
		f := w.face(run.Font)
		if run.Font != font {
			font = run.Font
			c = append(strconv.AppendInt(append(c, "/F"...), int64(f.number), 10), ' ')
			c = append(appendLength(c, line.Size), "Tf\n"...)
		}
		if run.Embolden != bold {
			if bold = run.Embolden; bold {
				c = append(appendLength(append(c, "2 Tr "...), line.Size/45), "w\n"...)
			} else {
				c = append(c, "0 Tr\n"...)
			}
		}
		shift, rise := 0, 0 // by how much the next glyph goes to the left; the height
		shown, hex := false, false
		for i := range run.Glyphs {
			g := &run.Glyphs[i]
			cid := f.cid(run, g)
			shift -= int(g.X)
			if int(g.Y) != rise {
				if hex {
					c = append(c, '>')
				}
				if shown {
					c = append(c, "]TJ "...)
				}
				shown, hex = false, false
				rise = int(g.Y)
				c = append(appendLength(c, rise*line.Size/fonts.Em), "Ts\n"...)
			}
			if !shown {
				c, shown = append(c, '['), true
			}
			if shift != 0 {
				if hex {
					c, hex = append(c, '>'), false
				}
				c = strconv.AppendInt(c, int64(shift), 10)
				shift = 0
			}
			if !hex {
				c, hex = append(c, '<'), true
			}
			c = append(c, digits[cid>>12], digits[cid>>8&15], digits[cid>>4&15], digits[cid&15])
			shift += int(g.X) + f.glyphs[cid-1].width - int(g.Advance)
		}
		if hex {
			c = append(c, '>')
		}
		if shift != 0 {
			c = strconv.AppendInt(c, int64(shift), 10)
		}
		if shown {
			c = append(c, "]TJ\n"...)
		}
		if rise != 0 {
			c = append(c, "0 Ts\n"...)
		}
	}
	if n := len(line.Runs); n > 0 && line.Space {
		// Readers that follow the structure put lines together as they are.
		cid := w.face(line.Runs[n-1].Font).space()
		c = append(c, '<', digits[cid>>12], digits[cid>>8&15], digits[cid>>4&15], digits[cid&15])
		c = append(c, ">Tj\n"...)
	}
	if bold {
		c = append(c, "0 Tr\n"...)
	}
	return c
}

// Finish writes what follows the pages and gives the whole file. The slice is the
// caller's until the next Begin.
func (w *Writer) Finish(nodes []page.Node) []byte {
	var fontRefs []byte
	for _, id := range w.order {
		f := w.faces[id]
		fontRefs = append(strconv.AppendInt(append(fontRefs, "/F"...), int64(f.number), 10), ' ')
		fontRefs = appendRef(fontRefs, w.writeFace(f))
	}
	kids := []byte("<</Type/Pages/Kids[")
	for i, p := range w.pages {
		kids = append(appendRef(kids, p.object), ' ')
		b := appendRef([]byte("<</Type/Page/Parent "), pagesObject)
		b = appendRef(append(b, "/Contents["...), p.contents)
		if p.over != 0 {
			b = appendRef(append(b, ' '), p.over)
		}
		b = strconv.AppendInt(append(b, "]/Tabs/S/StructParents "...), int64(i), 10)
		w.object(p.object, append(b, ">>"...))
	}
	kids = strconv.AppendInt(append(kids, "]/Count "...), int64(len(w.pages)), 10)
	kids = append(kids, "/MediaBox[0 0 "...)
	kids = appendLength(appendLength(kids, w.info.Size.Width), w.info.Size.Height)
	kids = append(append(append(kids, "]/Resources<</Font<<"...), fontRefs...), ">>>>>>"...)
	w.object(pagesObject, kids)
	w.writeTree(nodes)

	b := appendRef([]byte("<</Type/Catalog/Pages "), pagesObject)
	b = appendRef(append(b, "/StructTreeRoot "...), treeObject)
	b = appendText(append(b, "/MarkInfo<</Marked true>>/ViewerPreferences<</DisplayDocTitle true>>/Lang"...), w.info.Language)
	w.object(catalogObject, append(b, ">>"...))
	b = appendText([]byte("<</Title"), w.info.Title)
	b = appendText(append(b, "/Subject"...), w.info.Subject)
	b = append(b, "/Producer(Quittance)"...)
	if !w.info.Created.IsZero() {
		b = append(w.info.Created.UTC().AppendFormat(append(b, "/CreationDate(D:"...), "20060102150405Z"), ')')
	}
	w.object(infoObject, append(b, ">>"...))
	w.flush()
	w.writeReferences()
	return w.out
}

func appendRef(dst []byte, object int) []byte {
	return append(strconv.AppendInt(dst, int64(object), 10), " 0 R"...)
}

// appendText writes a text string: UTF-16 in hexadecimal.
func appendText(dst []byte, s string) []byte {
	return append(appendUTF16(append(dst, "<feff"...), []rune(s)), '>')
}

func appendUTF16(dst []byte, runes []rune) []byte {
	const digits = "0123456789abcdef"
	unit := func(u rune) { dst = append(dst, digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15]) }
	for _, r := range runes {
		if r >= 0x10000 {
			high, low := utf16.EncodeRune(r)
			unit(high)
			unit(low)
			continue
		}
		unit(r)
	}
	return dst
}

// writeTree writes the structure: each node with its content and its children, in the
// order of the nodes, and for each page the nodes of its marks. Nodes without any
// content are left out.
func (w *Writer) writeTree(nodes []page.Node) {
	// The first use and the first child of each node, and what follows each of them.
	firstUse, nextUse := links(len(nodes)), links(len(w.uses))
	for i := len(w.uses) - 1; i >= 0; i-- {
		n := w.uses[i].node
		nextUse[i], firstUse[n] = firstUse[n], int32(i)
	}
	firstChild, nextChild := links(len(nodes)), links(len(nodes))
	objects := make([]int, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		if parent := nodes[i].Parent; parent >= 0 && (firstUse[i] >= 0 || firstChild[i] >= 0) {
			nextChild[i], firstChild[parent] = firstChild[parent], int32(i)
		}
	}
	for i := range nodes {
		if i == 0 || firstUse[i] >= 0 || firstChild[i] >= 0 {
			objects[i] = w.newObject()
		}
	}
	var b []byte
	for i, n := range nodes {
		if objects[i] == 0 {
			continue
		}
		b = append(append(b[:0], "<</S/"...), n.Tag...)
		parent := treeObject
		if n.Parent >= 0 {
			parent = objects[n.Parent]
		}
		b = appendRef(append(b, "/P "...), parent)
		if n.Text != "" {
			b = appendText(append(b, "/ActualText"...), n.Text)
		}
		if n.Tag == page.TH {
			b = append(b, "/A<</O/Table/Scope/Column>>"...)
		}
		home := -1 // the page of marks that are given by number alone
		if u := firstUse[i]; u >= 0 {
			home = w.uses[u].page
			b = appendRef(append(b, "/Pg "...), w.pages[home].object)
		}
		b = append(b, "/K["...)
		for u := firstUse[i]; u >= 0; u = nextUse[u] {
			if at := w.uses[u]; at.page == home {
				b = appendInts(b, at.mark)
			} else {
				b = appendRef(append(b, "<</Type/MCR/Pg "...), w.pages[at.page].object)
				b = append(strconv.AppendInt(append(b, "/MCID "...), int64(at.mark), 10), ">>"...)
			}
		}
		for child := firstChild[i]; child >= 0; child = nextChild[child] {
			b = append(appendRef(b, objects[child]), ' ')
		}
		w.object(objects[i], append(b, "]>>"...))
	}
	b = append(b[:0], "<</Type/StructTreeRoot/K "...)
	b = appendRef(b, objects[0])
	b = appendRef(append(b, "/ParentTree "...), parentsObject)
	b = strconv.AppendInt(append(b, "/ParentTreeNextKey "...), int64(len(w.pages)), 10)
	w.object(treeObject, append(b, ">>"...))
	b = append(b[:0], "<</Nums["...)
	for i, marks := range w.marks {
		b = append(appendInts(b, i), '[')
		for _, node := range marks {
			b = append(appendRef(b, objects[node]), ' ')
		}
		b = append(b, "]\n"...)
	}
	w.object(parentsObject, append(b, "]>>"...))
}

// links is a list of indexes that lead nowhere yet.
func links(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = -1
	}
	return all
}

// writeReferences ends the file with where each object is.
func (w *Writer) writeReferences() {
	sum := sha256.Sum256(w.out)
	id := hex.EncodeToString(sum[:16])
	number := w.newObject()
	w.offsets[number] = place{at: len(w.out)}
	table := make([]byte, 0, 7*len(w.offsets))
	for i, p := range w.offsets {
		kind, a, b := 1, p.at, 0
		switch {
		case i == 0:
			kind, a, b = 0, 0, 65535
		case p.stream != 0:
			kind, a, b = 2, p.stream, p.at
		}
		table = append(table, byte(kind), byte(a>>24), byte(a>>16), byte(a>>8), byte(a), byte(b>>8), byte(b))
	}
	start := len(w.out)
	dict := append([]byte("/Type/XRef/W[1 4 2]/Size "), strconv.Itoa(len(w.offsets))...)
	dict = appendRef(append(dict, "/Root "...), catalogObject)
	dict = appendRef(append(dict, "/Info "...), infoObject)
	dict = append(append(append(dict, "/ID[<"...), id+"><"+id...), ">]"...)
	w.stream(number, string(dict), table)
	w.out = append(strconv.AppendInt(append(w.out, "startxref\n"...), int64(start), 10), "\n%%EOF\n"...)
}
