package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/tiff"
)

// This file puts images into a PDF. It runs in the sandbox only.

// addJPEG embeds the image as it is.
func (p *pdfWriter) addJPEG(b []byte, sheet paper) error {
	ph, err := readPhoto(b)
	if err != nil {
		return err
	}
	return p.addPhoto(ph, sheet)
}

func (p *pdfWriter) addPhoto(ph *photo, sheet paper) error {
	space := map[int]string{1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}[ph.colours]
	if ph.colours == 4 && ph.inverted {
		space += "/Decode[1 0 1 0 1 0 1 0]"
	}
	n := p.number()
	entries := fmt.Appendf(nil, "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace%s/Filter/DCTDecode",
		ph.width, ph.height, space)
	if err := p.stream(n, entries, ph.data); err != nil {
		return err
	}
	return p.imagePage(n, ph.width, ph.height, ph.orientation, sheet)
}

// addPNG embeds the compressed data as it is where PDF knows the same form, which is
// most of the time, and decodes the image else.
func (p *pdfWriter) addPNG(b []byte, sheet paper) error {
	w := newPNGWalker(int64(len(b)))
	if err := w.write(b); err != nil {
		return err
	}
	if _, err := w.end(); err != nil {
		return err
	}
	var data, palette []byte
	transparent, turned := false, 1
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		chunk := b[at+8 : at+8+n]
		switch string(b[at+4 : at+8]) {
		case "IDAT":
			data = append(data, chunk...)
		case "PLTE":
			palette = chunk
		case "tRNS":
			transparent = true
		case "eXIf":
			turned = exifOrientation(chunk)
		}
		at += 12 + n
	}
	h := w.header
	if h.interlaced || transparent || h.colour == 4 || h.colour == 6 {
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			return damaged(PNG, "its image cannot be decoded")
		}
		return p.addRaster(img, img.Bounds(), turned, sheet)
	}
	if err := checkInflated(data, h.dataSize()); err != nil {
		return err
	}
	space := "/DeviceGray"
	switch h.colour {
	case 2:
		space = "/DeviceRGB"
	case 3:
		space = indexed(palette)
	}
	n := p.number()
	entries := fmt.Appendf(nil, "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%s/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent %d/Columns %d>>",
		h.width, h.height, h.depth, space, h.samples(), h.depth, h.width)
	if err := p.stream(n, entries, data); err != nil {
		return err
	}
	return p.imagePage(n, h.width, h.height, turned, sheet)
}

func indexed(palette []byte) string {
	return fmt.Sprintf("[/Indexed/DeviceRGB %d<%x>]", len(palette)/3-1, palette)
}

// checkInflated makes sure that compressed data is whole, and no more than it says.
func checkInflated(data []byte, size int64) error {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return damaged(PNG, "its image cannot be decoded")
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, size+1))
	if err != nil || n != size {
		return damaged(PNG, "its image cannot be decoded")
	}
	return nil
}

// addGIF shows the first frame: a page does not move.
func (p *pdfWriter) addGIF(b []byte, sheet paper) error {
	config, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return damaged(GIF, "its image cannot be decoded")
	}
	if err := checkSize(GIF, int64(config.Width), int64(config.Height)); err != nil {
		return err
	}
	img, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return damaged(GIF, "its image cannot be decoded")
	}
	return p.addRaster(img, image.Rect(0, 0, config.Width, config.Height), 1, sheet)
}

// addTIFF shows every page.
func (p *pdfWriter) addTIFF(b []byte, sheet paper) error {
	t, err := openTIFF(b)
	if err != nil {
		return err
	}
	pages, err := t.pages()
	if err != nil {
		return err
	}
	for _, d := range pages {
		if err := d.check(); err != nil {
			return err
		}
		if err := p.addTIFFPage(d, sheet); err != nil {
			return err
		}
	}
	return nil
}

func (p *pdfWriter) addTIFFPage(d *directory, sheet paper) error {
	turned := orientation(d.number(tagOrientation, 1))
	if d.number(tagCompression, 1) == compressionJPEG {
		return p.addTIFFPhoto(d, turned, sheet)
	}
	img, err := tiff.Decode(&tiffPage{d, 0})
	if err != nil {
		return damaged(TIFF, "a page cannot be decoded")
	}
	return p.addRaster(img, img.Bounds(), turned, sheet)
}

// tiffPage presents a file as if one page were its first: the library decodes only
// that.
type tiffPage struct {
	page *directory
	at   int64
}

func (r *tiffPage) ReadAt(b []byte, at int64) (int, error) {
	data := r.page.file.data
	if at < 0 || at >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(b, data[at:])
	var link [4]byte
	r.page.file.order.PutUint32(link[:], uint32(r.page.offset))
	for i, v := range link {
		if j := 4 + int64(i) - at; j >= 0 && j < int64(n) {
			b[j] = v
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (r *tiffPage) Read(b []byte) (int, error) {
	n, err := r.ReadAt(b, r.at)
	r.at += int64(n)
	return n, err
}

// addTIFFPhoto shows a page whose strips or tiles are JPEG images. A single strip is
// embedded as it is.
func (p *pdfWriter) addTIFFPhoto(d *directory, turned int, sheet paper) error {
	width, height := int(d.number(tagWidth, 0)), int(d.number(tagHeight, 0))
	blockWidth, blockHeight := width, int(min(d.number(tagRowsPerStrip, int64(height)), int64(height)))
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	if n, _, _, _ := d.field(tagTileOffsets); n > 0 {
		offsets, counts = tagTileOffsets, tagTileByteCounts
		blockWidth, blockHeight = int(d.number(tagTileWidth, 0)), int(d.number(tagTileLength, 0))
	}
	_, size, at, _ := d.field(offsets) // check has seen them
	n, sizeCounts, lengths, _ := d.field(counts)
	block := func(i int) []byte {
		start := d.integer(at, size, i)
		return d.file.data[start : start+d.integer(lengths, sizeCounts, i)]
	}
	if n == 1 && blockWidth == width && blockHeight >= height {
		ph, err := readPhoto(d.wholeJPEG(block(0)))
		if err != nil || ph.width != width || ph.height != height {
			return damaged(TIFF, "a page cannot be decoded")
		}
		ph.orientation = turned
		return p.addPhoto(ph, sheet)
	}
	if blockWidth < 8 || blockHeight < 1 {
		return damaged(TIFF, "a page cannot be decoded")
	}
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	across := (width + blockWidth - 1) / blockWidth
	for i := range int(n) {
		b := d.wholeJPEG(block(i))
		config, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || config.Width > blockWidth || config.Height > blockHeight {
			return damaged(TIFF, "a page cannot be decoded")
		}
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			return damaged(TIFF, "a page cannot be decoded")
		}
		corner := image.Pt(i%across*blockWidth, i/across*blockHeight)
		draw.Draw(canvas, img.Bounds().Add(corner), img, image.Point{}, draw.Src)
	}
	return p.addRaster(canvas, canvas.Bounds(), turned, sheet)
}

// wholeJPEG joins the tables that all strips share with one strip.
func (d *directory) wholeJPEG(strip []byte) []byte {
	_, _, tables, _ := d.field(tagJPEGTables)
	out := []byte{0xff, 0xd8}
	if d.number(tagPhotometric, 0) == 2 { // RGB as it is, which only this marker can say
		out = append(out, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"...)
	}
	if len(tables) > 4 {
		out = append(out, tables[2:len(tables)-2]...)
	}
	if len(strip) > 2 {
		out = append(out, strip[2:]...)
	}
	return out
}

// bandRows is how many rows of an image are turned into samples at a time.
const bandRows = 64

// addRaster shows what r is of a decoded image, on white paper.
func (p *pdfWriter) addRaster(img image.Image, r image.Rectangle, turned int, sheet paper) error {
	s := samplesOf(img, r)
	n := p.number()
	entries := fmt.Appendf(nil, "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%s/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent %d/Columns %d>>",
		r.Dx(), r.Dy(), s.bits, s.space, s.colours, s.bits, r.Dx())
	err := p.streamOf(n, entries, func(w io.Writer) error {
		z, err := zlib.NewWriterLevel(w, zlib.BestSpeed)
		if err != nil {
			return err
		}
		if err := s.write(z); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return err
	}
	return p.imagePage(n, r.Dx(), r.Dy(), turned, sheet)
}

// samples is how the pixels of an image go into a PDF.
type samples struct {
	space   string
	colours int
	bits    int
	write   func(io.Writer) error
}

// samplesOf chooses the smallest form: one bit a pixel for black and white, a byte
// for grey and for palettes, three for everything else.
func samplesOf(img image.Image, r image.Rectangle) samples {
	if img.Bounds() == r {
		switch m := img.(type) {
		case *image.Gray:
			if bilevel(m) {
				return samples{"/DeviceGray", 1, 1, func(w io.Writer) error {
					return writeRows(w, r, (r.Dx()+7)/8, 0, func(row []byte, y int) {
						clear(row)
						for x, v := range m.Pix[m.PixOffset(r.Min.X, y):][:r.Dx()] {
							row[x/8] |= v & 0x80 >> (x % 8)
						}
					})
				}}
			}
			return samples{"/DeviceGray", 1, 8, func(w io.Writer) error {
				return writeRows(w, r, r.Dx(), 1, func(row []byte, y int) { copy(row, m.Pix[m.PixOffset(r.Min.X, y):]) })
			}}
		case *image.Paletted:
			if len(m.Palette) > 0 && m.Opaque() {
				return samples{indexed(rgb(m.Palette)), 1, 8, func(w io.Writer) error {
					return writeRows(w, r, r.Dx(), 0, func(row []byte, y int) { copy(row, m.Pix[m.PixOffset(r.Min.X, y):]) })
				}}
			}
		}
	}
	band := image.NewRGBA(image.Rect(0, 0, r.Dx(), min(bandRows, r.Dy())))
	return samples{"/DeviceRGB", 3, 8, func(w io.Writer) error {
		return writeRows(w, r, 3*r.Dx(), 3, func(row []byte, y int) {
			y -= r.Min.Y
			if y%bandRows == 0 {
				draw.Draw(band, band.Bounds(), image.White, image.Point{}, draw.Src)
				draw.Draw(band, band.Bounds(), img, image.Pt(r.Min.X, r.Min.Y+y), draw.Over)
			}
			from := band.Pix[y%bandRows*band.Stride:]
			for x := range r.Dx() {
				copy(row[3*x:3*x+3], from[4*x:4*x+3])
			}
		})
	}}
}

// writeRows writes row after row, each after its PNG filter: none, or, when distance
// says how many bytes the pixel to the left is away, the difference to that.
func writeRows(w io.Writer, r image.Rectangle, size, distance int, fill func(row []byte, y int)) error {
	line := make([]byte, 1+size)
	row := line[1:]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		fill(row, y)
		if distance > 0 {
			line[0] = 1
			for i := size - 1; i >= distance; i-- {
				row[i] -= row[i-distance]
			}
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func bilevel(m *image.Gray) bool {
	r := m.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range m.Pix[m.PixOffset(r.Min.X, y):][:r.Dx()] {
			if v != 0 && v != 0xff {
				return false
			}
		}
	}
	return true
}

func rgb(p color.Palette) []byte {
	b := make([]byte, 0, 3*len(p))
	for _, c := range p {
		red, green, blue, _ := c.RGBA()
		b = append(b, byte(red>>8), byte(green>>8), byte(blue>>8))
	}
	return b
}
