// Package raster draws laid-out pages as one PNG of 150 dots an inch, the pages below
// each other. Everything is reckoned in integers, down to the curves, so that every
// machine draws the same picture.
package raster

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"
	"slices"

	"golang.org/x/image/vector"

	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/page"
)

const (
	dot       = 480 // 1/1000 points to a pixel: 72,000 to the inch, 150 dots to the inch
	steps     = 4   // positions of a glyph between two pixels
	levels    = 32  // shades from white to an ink
	cacheSize = 8 << 20
)

// Writer draws documents, one after the other, and remembers glyphs. It is not safe
// for concurrent use. It is a page.Sink.
type Writer struct {
	set   *fonts.Set
	info  page.Info
	pages [][]page.Op

	wide, high int // of a page, in pixels
	canvas     []byte
	zip        *zlib.Writer
	idat       bytes.Buffer
	out        []byte

	shapes *vector.Rasterizer
	points []fonts.Point
	glyphs map[glyphKey]*mask
	cached int // bytes of masks
}

type glyphKey struct {
	font     fonts.ID
	glyph    uint16
	step     uint8
	embolden bool
	size     int
}

// mask is how much of each pixel a shape covers.
type mask struct {
	image.Alpha
	left, top int // of its corner, from the origin
}

// New makes a writer that takes its typefaces from a set.
func New(set *fonts.Set) *Writer {
	return &Writer{set: set, shapes: vector.NewRasterizer(1, 1), glyphs: map[glyphKey]*mask{}}
}

// Begin starts a document.
func (w *Writer) Begin(info page.Info) {
	w.info = info
	clear(w.pages)
	w.pages = w.pages[:0]
	w.wide, w.high = (info.Size.Width+dot/2)/dot, (info.Size.Height+dot/2)/dot
}

// Page keeps a page until the end.
func (w *Writer) Page(ops []page.Op) error {
	w.pages = append(w.pages, slices.Clone(ops))
	return nil
}

// Over adds to a page.
func (w *Writer) Over(number int, ops []page.Op) {
	w.pages[number] = append(w.pages[number], ops...)
}

// Finish draws all pages and gives the PNG. The slice is the caller's until the next
// Begin.
func (w *Writer) Finish([]page.Node) []byte {
	if w.zip == nil {
		z, err := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
		if err != nil {
			panic(err) // the level is a constant
		}
		w.zip = z
	}
	w.idat.Reset()
	w.zip.Reset(&w.idat)
	size := w.high * (w.wide + 1)
	if cap(w.canvas) < size {
		w.canvas = make([]byte, size)
	}
	w.canvas = w.canvas[:size]
	for _, ops := range w.pages {
		clear(w.canvas)
		for i := range ops {
			w.draw(&ops[i])
		}
		// Each row is led by its filter, which is none. A bytes.Buffer takes everything.
		_, _ = w.zip.Write(w.canvas)
	}
	_ = w.zip.Close()

	w.out = append(w.out[:0], "\x89PNG\r\n\x1a\n"...)
	head := binary.BigEndian.AppendUint32(nil, uint32(w.wide))
	head = binary.BigEndian.AppendUint32(head, uint32(w.high*len(w.pages)))
	w.chunk("IHDR", append(head, 8, 3, 0, 0, 0)) // one byte a pixel, which names a colour
	w.chunk("PLTE", palette())
	const dotsPerMetre = 5906
	density := binary.BigEndian.AppendUint32(nil, dotsPerMetre)
	w.chunk("pHYs", append(binary.BigEndian.AppendUint32(density, dotsPerMetre), 1))
	w.chunk("IDAT", w.idat.Bytes())
	w.chunk("IEND", nil)
	return w.out
}

func (w *Writer) chunk(kind string, data []byte) {
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(len(data)))
	start := len(w.out)
	w.out = append(append(w.out, kind...), data...)
	w.out = binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out[start:]))
}

// A pixel is a shade: 0 to 31 from white to black, 32 to 63 from white to the accent.

// palette is the colours of all shades.
func palette() []byte {
	var p []byte
	for _, ink := range [...]page.Ink{page.Black, page.Accent} {
		r, g, b := ink.RGB()
		for level := range levels {
			for _, c := range [...]uint8{r, g, b} {
				p = append(p, uint8(255-(255-int(c))*level/(levels-1)))
			}
		}
	}
	return p
}

// shade is an ink as a row of shades and a level in it.
func shade(ink page.Ink) (family, level int) {
	switch ink {
	case page.White:
		return 0, 0
	case page.Accent:
		return levels, levels - 1
	case page.Tint:
		return levels, 2
	}
	darkest, _, _ := page.Black.RGB()
	c, _, _ := ink.RGB()
	return 0, (255 - int(c)) * (levels - 1) / (255 - int(darkest))
}

// blend covers a pixel with a shade, by 0 to 255.
func blend(pixel byte, family, level, cover int) byte {
	below, under := int(pixel)&(levels-1), int(pixel)&^(levels-1)
	mixed := below + ((level-below)*cover+sign(level-below)*127)/255
	if level > 0 && (below == 0 || cover >= 128) {
		under = family
	}
	return byte(under | mixed)
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func (w *Writer) draw(op *page.Op) {
	family, level := shade(op.Ink)
	switch op.Kind {
	case page.Box:
		x0, y0 := max(op.X/dot, 0), max(op.Y/dot, 0)
		x1, y1 := min(max((op.X+op.W)/dot, x0+1), w.wide), min(max((op.Y+op.H)/dot, y0+1), w.high)
		for y := y0; y < y1; y++ {
			row := w.canvas[y*(w.wide+1)+1:][:w.wide]
			for x := x0; x < x1; x++ {
				row[x] = byte(family | level)
			}
		}
	case page.Tile:
		w.tile(op, family, level)
	case page.Text:
		x := op.X
		y := (op.Y + dot/2) / dot
		for _, run := range op.Line.Runs {
			pen := 0
			for i := range run.Glyphs {
				g := &run.Glyphs[i]
				if !g.Blank {
					at := x + (pen+int(g.X))*op.Line.Size/fonts.Em
					// To the nearest of the positions between two pixels.
					at = (at*steps + dot/2) / dot
					up := (int(g.Y)*op.Line.Size/fonts.Em + dot/2) / dot
					m := w.glyph(glyphKey{run.Font, g.ID, uint8(at % steps), run.Embolden, op.Line.Size})
					w.cover(m, at/steps, y-up, family, level)
				}
				pen += int(g.Advance)
			}
			x += run.Width * op.Line.Size / fonts.Em
		}
	}
}

// cover draws a mask with its origin at a pixel.
func (w *Writer) cover(m *mask, x, y, family, level int) {
	x, y = x+m.left, y+m.top
	wide, high := m.Rect.Dx(), m.Rect.Dy()
	for row := max(0, -y); row < high && y+row < w.high; row++ {
		from := m.Pix[row*m.Stride:][:wide]
		to := w.canvas[(y+row)*(w.wide+1)+1:][:w.wide]
		for column := max(0, -x); column < wide && x+column < w.wide; column++ {
			if c := from[column]; c != 0 {
				to[x+column] = blend(to[x+column], family, level, int(c))
			}
		}
	}
}

// fine is the grid of outlines: 64 to a pixel.
const fine = 64

// glyph is a glyph's mask.
func (w *Writer) glyph(key glyphKey) *mask {
	if m, ok := w.glyphs[key]; ok {
		return m
	}
	w.points = w.set.Font(key.font).Outline(w.points[:0], key.glyph)
	for i := range w.points {
		p := &w.points[i]
		p.X = scaled(p.X, key.size) + int(key.step)*fine/steps
		p.Y = -scaled(p.Y, key.size)
	}
	shift := 0
	if key.embolden {
		shift = key.size * fine / (45 * dot)
	}
	m := w.fill(w.points, shift)
	if w.cached += len(m.Pix) + 64; w.cached > cacheSize {
		clear(w.glyphs)
		w.cached = len(m.Pix) + 64
	}
	w.glyphs[key] = m
	return m
}

// scaled turns units of a typeface into 1/64 pixel.
func scaled(n, size int) int {
	v := n * size * fine / (dot * fonts.Em / 100)
	return (v + sign(v)*50) / 100
}

// fill makes the mask of an outline, with y downwards. Bold is made by filling it again
// further to the right.
func (w *Writer) fill(points []fonts.Point, shift int) *mask {
	if len(points) == 0 {
		return &mask{}
	}
	low, high := points[0], points[0]
	for _, p := range points {
		low.X, low.Y = min(low.X, p.X), min(low.Y, p.Y)
		high.X, high.Y = max(high.X, p.X), max(high.Y, p.Y)
	}
	high.X += shift
	m := &mask{left: floor(low.X), top: floor(low.Y)}
	wide, tall := floor(high.X)-m.left+1, floor(high.Y)-m.top+1
	m.Alpha = *image.NewAlpha(image.Rect(0, 0, wide, tall))
	w.shapes.Reset(wide, tall)
	w.trace(points, -m.left*fine, -m.top*fine)
	w.shapes.Draw(&m.Alpha, m.Rect, image.Opaque, image.Point{})
	if shift > 0 {
		second := image.NewAlpha(m.Rect)
		w.shapes.Reset(wide, tall)
		w.trace(points, shift-m.left*fine, -m.top*fine)
		w.shapes.Draw(second, m.Rect, image.Opaque, image.Point{})
		for i, c := range second.Pix {
			m.Pix[i] = max(m.Pix[i], c)
		}
	}
	return m
}

// floor is the pixel of a position.
func floor(n int) int {
	if n < 0 {
		return -((-n + fine - 1) / fine)
	}
	return n / fine
}

// trace gives the contours of an outline to the rasterizer, moved.
func (w *Writer) trace(points []fonts.Point, dx, dy int) {
	for from := 0; from < len(points); {
		to := from
		for !points[to].Last {
			to++
		}
		w.contour(points[from:to+1], dx, dy)
		from = to + 1
	}
}

// contour traces one contour of lines and quadratic curves. Between two control points
// in a row a point on the curve lies in the middle.
func (w *Writer) contour(points []fonts.Point, dx, dy int) {
	n := len(points)
	if n < 3 {
		return
	}
	start := points[0]
	first := 1
	if !start.On {
		if last := points[n-1]; last.On {
			start = last
			n--
		} else {
			start = middle(start, last)
		}
		first = 0
	}
	w.shapes.MoveTo(float(start.X+dx), float(start.Y+dy))
	at := start
	var control *fonts.Point
	for i := first; i < n; i++ {
		p := points[i]
		switch {
		case p.On && control == nil:
			w.shapes.LineTo(float(p.X+dx), float(p.Y+dy))
			at = p
		case p.On:
			w.curve(at, *control, p, dx, dy)
			at, control = p, nil
		case control == nil:
			control = &points[i]
		default:
			m := middle(*control, p)
			w.curve(at, *control, m, dx, dy)
			at, control = m, &points[i]
		}
	}
	if control != nil {
		w.curve(at, *control, start, dx, dy)
	}
	w.shapes.ClosePath()
}

func middle(a, b fonts.Point) fonts.Point { return fonts.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2} }

// float turns 1/64 pixels into pixels; it is exact.
func float(n int) float32 { return float32(n) / fine }

// curve traces a quadratic curve as lines.
func (w *Writer) curve(a, b, c fonts.Point, dx, dy int) {
	bend := max(abs(a.X-2*b.X+c.X), abs(a.Y-2*b.Y+c.Y))
	n := 2
	for n < 16 && bend > n*n*4 {
		n *= 2
	}
	for i := 1; i <= n; i++ {
		j := n - i
		x := (a.X*j*j + 2*b.X*i*j + c.X*i*i) / (n * n)
		y := (a.Y*j*j + 2*b.Y*i*j + c.Y*i*i) / (n * n)
		w.shapes.LineTo(float(x+dx), float(y+dy))
	}
}

func abs(n int) int { return n * sign(n) }

// tile fills a box with round corners. How much of a corner's pixel is covered is
// counted on a grid of 8 by 8 within it.
func (w *Writer) tile(op *page.Op, family, level int) {
	const grid = 8
	const r = page.Radius / dot
	x0, y0, x1, y1 := (op.X+dot/2)/dot, (op.Y+dot/2)/dot, (op.X+op.W+dot/2)/dot, (op.Y+op.H+dot/2)/dot
	for y := y0; y < y1; y++ {
		dy := max(y0+r-y, y-(y1-1-r), 0) // how far in the corner, counted from 1
		for x := x0; x < x1; x++ {
			dx := max(x0+r-x, x-(x1-1-r), 0)
			cover := 255
			if dx > 0 && dy > 0 {
				inside := 0
				for i := range grid {
					for j := range grid {
						a, b := 2*grid*(dx-1)+2*i+1, 2*grid*(dy-1)+2*j+1
						if a*a+b*b <= 4*grid*grid*r*r {
							inside++
						}
					}
				}
				cover = 255 * inside / (grid * grid)
			}
			w.dot(x, y, family, level, cover)
		}
	}
}

// dot covers one pixel, where there is one.
func (w *Writer) dot(x, y, family, level, cover int) {
	if x >= 0 && y >= 0 && x < w.wide && y < w.high && cover > 0 {
		p := &w.canvas[y*(w.wide+1)+1+x]
		*p = blend(*p, family, level, cover)
	}
}
