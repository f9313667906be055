package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/text"
)

// face is a typeface as one document uses it. A code, from 1 on, is a glyph together
// with the text that it stands for, so that one glyph may stand for several texts.
type face struct {
	number int
	font   *fonts.Font
	byRune map[uint64]uint16 // glyph and character, for those that stand for one
	byText map[string]uint16 // glyph and text, for the others
	glyphs []coded
	subset map[uint16]uint16 // glyph of the font: glyph of the subset
	sorted []uint16          // glyphs of the subset, by first use
}

type coded struct {
	glyph uint16 // of the subset
	width int
	text  []rune
}

func (w *Writer) face(id fonts.ID) *face {
	if f := w.faces[id]; f != nil {
		return f
	}
	f := &face{
		number: len(w.order), font: w.set.Font(id), byRune: make(map[uint64]uint16, 64), byText: map[string]uint16{},
		subset: map[uint16]uint16{0: 0}, sorted: []uint16{0},
	}
	w.faces[id] = f
	w.order = append(w.order, id)
	return f
}

// blank is the glyph of the subset without an outline; the last one there.
const blank = 0xFFFF

// cid is the code for a glyph of a run.
func (f *face) cid(run *text.Run, g *text.Glyph) uint16 {
	glyph := uint64(g.ID)
	if g.Blank {
		glyph = blank
	}
	stands := run.Text[g.From:g.To]
	if len(stands) == 1 {
		key := glyph<<32 | uint64(stands[0])
		if cid, ok := f.byRune[key]; ok {
			return cid
		}
		cid := f.add(g, stands)
		f.byRune[key] = cid
		return cid
	}
	key := strconv.FormatUint(glyph, 36) + " " + string(stands)
	if cid, ok := f.byText[key]; ok {
		return cid
	}
	cid := f.add(g, stands)
	f.byText[key] = cid
	return cid
}

// space is the code for a blank.
func (f *face) space() uint16 {
	glyph, _ := f.font.Layout.NominalGlyph(' ')
	return f.cid(&text.Run{Text: []rune{' '}}, &text.Glyph{ID: uint16(glyph), To: 1})
}

func (f *face) add(g *text.Glyph, stands []rune) uint16 {
	if len(f.glyphs) == 0xFFFE {
		return 1 // more than a code can tell apart; no font has as many glyphs
	}
	c := coded{glyph: blank, text: stands}
	if !g.Blank {
		c.width = f.font.Advance(g.ID)
		at, ok := f.subset[g.ID]
		if !ok {
			at = uint16(len(f.sorted))
			f.subset[g.ID] = at
			f.sorted = append(f.sorted, g.ID)
		}
		c.glyph = at
	}
	f.glyphs = append(f.glyphs, c)
	return uint16(len(f.glyphs))
}

// writeFace writes a typeface and gives its object.
func (w *Writer) writeFace(f *face) int {
	file := f.file()
	sum := sha256.Sum256(file)
	name := make([]byte, 0, 48)
	for _, b := range sum[:6] {
		name = append(name, 'A'+b%26)
	}
	name = append(append(name, '+'), f.font.PostScript...)

	fileObject, mapObject, textObject := w.newObject(), w.newObject(), w.newObject()
	w.stream(fileObject, "/Length1 "+strconv.Itoa(len(file)), file)
	glyphs := make([]byte, 2, 2+2*len(f.glyphs))
	widths := []byte("[1[")
	for _, c := range f.glyphs {
		g := c.glyph
		if g == blank {
			g = uint16(len(f.sorted))
		}
		glyphs = binary.BigEndian.AppendUint16(glyphs, g)
		widths = appendInts(widths, c.width)
	}
	widths = append(widths, "]]"...)
	w.stream(mapObject, "", glyphs)
	w.stream(textObject, "", f.texts())

	descriptor, descendant, object := w.newObject(), w.newObject(), w.newObject()
	b := append([]byte("<</Type/FontDescriptor/FontName/"), name...)
	b = append(b, "/Flags 4/ItalicAngle 0/StemV 80/FontBBox["...)
	b = append(appendInts(b, f.font.Bounds[:]...), "]/Ascent "...)
	b = append(appendInts(b, f.font.Ascent), "/Descent "...)
	b = append(appendInts(b, f.font.Descent), "/CapHeight "...)
	b = append(appendInts(b, f.font.CapHeight), "/FontFile2 "...)
	w.object(descriptor, append(appendRef(b, fileObject), ">>"...))
	b = append([]byte("<</Type/Font/Subtype/CIDFontType2/BaseFont/"), name...)
	b = appendRef(append(b, "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor "...), descriptor)
	b = append(append(b, "/W"...), widths...)
	b = appendRef(append(b, "/CIDToGIDMap "...), mapObject)
	w.object(descendant, append(b, ">>"...))
	b = append([]byte("<</Type/Font/Subtype/Type0/BaseFont/"), name...)
	b = appendRef(append(b, "/Encoding/Identity-H/DescendantFonts["...), descendant)
	b = appendRef(append(b, "]/ToUnicode "...), textObject)
	w.object(object, append(b, ">>"...))
	return object
}

// texts is the table of what each code stands for.
func (f *face) texts() []byte {
	const digits = "0123456789abcdef"
	b := []byte("/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n" +
		"/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n")
	for from := 0; from < len(f.glyphs); from += 100 {
		part := f.glyphs[from:min(from+100, len(f.glyphs))]
		b = append(strconv.AppendInt(b, int64(len(part)), 10), " beginbfchar\n"...)
		for i, c := range part {
			cid := from + i + 1
			b = append(b, '<', digits[cid>>12&15], digits[cid>>8&15], digits[cid>>4&15], digits[cid&15], '>', '<')
			b = append(appendUTF16(b, c.text), ">\n"...)
		}
		b = append(b, "endbfchar\n"...)
	}
	return append(b, "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n"...)
}

// file makes a TrueType file of the glyphs in use: their outlines are copied as they
// are, none is made of others. The last glyph is blank.
func (f *face) file() []byte {
	n := len(f.sorted) + 1
	var glyf []byte
	loca := make([]byte, 0, 4*(n+1))
	hmtx := make([]byte, 0, 4*n)
	points, contours := 0, 0
	for _, g := range f.sorted {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		outline := f.font.Glyph(g)
		if len(outline) > 0 {
			c := int(binary.BigEndian.Uint16(outline))
			contours = max(contours, c)
			points = max(points, int(binary.BigEndian.Uint16(outline[10+2*(c-1):]))+1)
		}
		glyf = append(glyf, outline...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.font.Advance(g)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.font.Bearing(g)))
	}
	hmtx = append(hmtx, 0, 0, 0, 0)
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))

	be := binary.BigEndian
	head := make([]byte, 54)
	be.PutUint32(head[0:], 0x00010000)
	be.PutUint32(head[4:], 0x00010000)
	be.PutUint32(head[12:], 0x5F0F3CF5)
	be.PutUint16(head[18:], fonts.Em)
	for i, bound := range f.font.Bounds {
		be.PutUint16(head[36+2*i:], uint16(bound))
	}
	be.PutUint16(head[46:], 8) // the smallest readable size
	be.PutUint16(head[48:], 2) // the direction of glyphs, as today's fonts have it
	be.PutUint16(head[50:], 1) // loca has 32 bits
	hhea := make([]byte, 36)
	be.PutUint32(hhea[0:], 0x00010000)
	be.PutUint16(hhea[4:], uint16(f.font.Ascent))
	be.PutUint16(hhea[6:], uint16(f.font.Descent))
	be.PutUint16(hhea[34:], uint16(n))
	maxp := make([]byte, 32)
	be.PutUint32(maxp[0:], 0x00010000)
	be.PutUint16(maxp[4:], uint16(n))
	be.PutUint16(maxp[6:], uint16(points))
	be.PutUint16(maxp[8:], uint16(contours))
	be.PutUint16(maxp[14:], 1) // no twilight zone

	tables := []struct {
		tag  string
		data []byte
	}{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}}
	out := make([]byte, 0, 12+16*len(tables)+len(glyf)+len(hmtx)+len(loca)+200)
	// The numbers behind the count of tables help a binary search among six.
	out = append(out, 0, 1, 0, 0, 0, 6, 0, 64, 0, 2, 0, 32)
	at := 12 + 16*len(tables)
	for _, t := range tables {
		out = append(out, t.tag...)
		out = be.AppendUint32(out, checksum(t.data))
		out = be.AppendUint32(out, uint32(at))
		out = be.AppendUint32(out, uint32(len(t.data)))
		at += (len(t.data) + 3) &^ 3
	}
	headAt := 0
	for _, t := range tables {
		if t.tag == "head" {
			headAt = len(out)
		}
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	be.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	sum := uint32(0)
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		sum += binary.BigEndian.Uint32(last[:])
	}
	return sum
}
