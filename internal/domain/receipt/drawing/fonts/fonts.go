// Package fonts holds the typefaces that receipts are drawn with: Noto Sans for Latin,
// Greek and Cyrillic, its Arabic and Hebrew companions, arrows and symbols, and one face
// for Chinese, Japanese and Korean with the regional forms of each. They are compiled
// in, gzipped, and inflated when first asked for. scripts/fonts/subset.py makes them.
package fonts

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

//go:embed data/*.ttf.gz data/manifest.json data/OFL.txt
var files embed.FS

// ID names a typeface.
type ID uint8

// The typefaces.
const (
	Sans ID = iota
	SansBold
	Arabic
	ArabicBold
	Hebrew
	HebrewBold
	Math
	Symbols
	CJK
	Count // how many there are
)

var names = [Count]struct{ file, postScript string }{
	{"sans-regular", "NotoSans-Regular"}, {"sans-bold", "NotoSans-Bold"},
	{"arabic-regular", "NotoSansArabic-Regular"}, {"arabic-bold", "NotoSansArabic-Bold"},
	{"hebrew-regular", "NotoSansHebrew-Regular"}, {"hebrew-bold", "NotoSansHebrew-Bold"},
	{"math", "NotoSansMath-Regular"}, {"symbols", "NotoSansSymbols2-Regular"},
	{"cjk", "NotoSansCJKjp-Regular"},
}

// Em is how many units every typeface divides its size into.
const Em = 1000

// Font is one typeface. It never changes and is safe for concurrent use.
type Font struct {
	ID         ID
	PostScript string     // the name of the full font
	Layout     *font.Font // what the shaper needs: everything but the outlines
	Ascent     int        // in units, as all below
	Descent    int        // negative
	CapHeight  int
	Bounds     [4]int // least x and y, greatest x and y

	glyphs   int
	wide     int // how many advances hmtx has
	hmtx     []byte
	glyf     []byte
	loca     []byte
	longLoca bool
}

// Set is the typefaces of one renderer, each opened when first asked for. The zero
// value is ready, and it is safe for concurrent use.
type Set struct {
	slots [Count]struct {
		once sync.Once
		font *Font
	}
}

// Font gives a typeface. The files are part of the program, so one that does not open
// is a fault of the build, and it panics.
func (s *Set) Font(id ID) *Font {
	slot := &s.slots[id]
	slot.once.Do(func() {
		f, err := open(id)
		if err != nil {
			panic(fmt.Sprintf("fonts: the font %s that is compiled in does not open: %v", names[id].file, err))
		}
		slot.font = f
	})
	return slot.font
}

// inflate gives the bytes of a font file.
func inflate(id ID) ([]byte, error) {
	packed, err := files.ReadFile("data/" + names[id].file + ".ttf.gz")
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	// The trailer of gzip is the length.
	out := bytes.NewBuffer(make([]byte, 0, int(binary.LittleEndian.Uint32(packed[len(packed)-4:]))+bytes.MinRead))
	if _, err := io.Copy(out, r); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func open(id ID) (*Font, error) {
	data, err := inflate(id)
	if err != nil {
		return nil, err
	}
	f := &Font{ID: id, PostScript: names[id].postScript}
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		entry := data[12+16*i:]
		tag := string(entry[:4])
		from, size := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		tables[tag] = data[from : from+size]
		// The shaper would unpack every outline, of which it needs none.
		if tag == "glyf" || tag == "loca" {
			copy(entry, "none")
		}
	}
	head, hhea, os2 := tables["head"], tables["hhea"], tables["OS/2"]
	if em := binary.BigEndian.Uint16(head[18:]); em != Em {
		return nil, fmt.Errorf("its em has %d units, not %d", em, Em)
	}
	for i := range f.Bounds {
		f.Bounds[i] = signed(head[36+2*i:])
	}
	f.longLoca = binary.BigEndian.Uint16(head[50:]) == 1
	f.Ascent, f.Descent = signed(hhea[4:]), signed(hhea[6:])
	f.CapHeight = signed(os2[88:])
	f.wide = int(binary.BigEndian.Uint16(hhea[34:]))
	f.glyphs = int(binary.BigEndian.Uint16(tables["maxp"][4:]))
	f.hmtx, f.glyf, f.loca = tables["hmtx"], tables["glyf"], tables["loca"]
	loader, err := opentype.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	f.Layout, err = font.NewFont(loader)
	return f, err
}

func signed(b []byte) int { return int(int16(binary.BigEndian.Uint16(b))) }

// Glyphs is how many glyphs there are.
func (f *Font) Glyphs() int { return f.glyphs }

// Advance is a glyph's width.
func (f *Font) Advance(glyph uint16) int {
	return int(binary.BigEndian.Uint16(f.hmtx[4*min(int(glyph), f.wide-1):]))
}

// Bearing is the distance from a glyph's origin to its left edge.
func (f *Font) Bearing(glyph uint16) int {
	if int(glyph) < f.wide {
		return signed(f.hmtx[4*int(glyph)+2:])
	}
	return signed(f.hmtx[4*f.wide+2*(int(glyph)-f.wide):])
}

// Glyph is a glyph's outline as the font file has it; empty for a blank one.
func (f *Font) Glyph(glyph uint16) []byte {
	return f.glyf[f.offset(int(glyph)):f.offset(int(glyph)+1)]
}

func (f *Font) offset(glyph int) int {
	if f.longLoca {
		return int(binary.BigEndian.Uint32(f.loca[4*glyph:]))
	}
	return 2 * int(binary.BigEndian.Uint16(f.loca[2*glyph:]))
}

// Point is one point of an outline, y upwards.
type Point struct {
	X, Y int
	On   bool // on the curve; else the control point of a quadratic curve
	Last bool // ends a contour
}

// Outline appends the points of a glyph's contours.
func (f *Font) Outline(dst []Point, glyph uint16) []Point {
	const (
		onCurve = 1 << iota
		shortX
		shortY
		repeated
		sameX
		sameY
	)
	b := f.Glyph(glyph)
	if len(b) < 10 {
		return dst
	}
	contours := signed(b)
	ends := b[10:]
	n := int(binary.BigEndian.Uint16(ends[2*contours-2:])) + 1
	b = ends[2*contours:]
	b = b[2+int(binary.BigEndian.Uint16(b)):] // no instructions, but their length
	start := len(dst)
	flags := make([]byte, 0, 256)
	for len(flags) < n {
		flag := b[0]
		b = b[1:]
		flags = append(flags, flag)
		if flag&repeated != 0 {
			for range b[0] {
				flags = append(flags, flag)
			}
			b = b[1:]
		}
	}
	x := 0
	for _, flag := range flags {
		switch {
		case flag&shortX != 0 && flag&sameX != 0:
			x += int(b[0])
			b = b[1:]
		case flag&shortX != 0:
			x -= int(b[0])
			b = b[1:]
		case flag&sameX == 0:
			x += signed(b)
			b = b[2:]
		}
		dst = append(dst, Point{X: x, On: flag&onCurve != 0})
	}
	y := 0
	for i, flag := range flags {
		switch {
		case flag&shortY != 0 && flag&sameY != 0:
			y += int(b[0])
			b = b[1:]
		case flag&shortY != 0:
			y -= int(b[0])
			b = b[1:]
		case flag&sameY == 0:
			y += signed(b)
			b = b[2:]
		}
		dst[start+i].Y = y
	}
	for c := range contours {
		dst[start+int(binary.BigEndian.Uint16(ends[2*c:]))].Last = true
	}
	return dst
}
