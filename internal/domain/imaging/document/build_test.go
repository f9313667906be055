package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
)

// Builders of the files that the tests look at.

// corners is an image with a colour of its own in each quarter: red, green, blue and
// grey, from the top left in reading order.
func corners(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, cornerColours[y*2/h][x*2/w])
		}
	}
	return img
}

var cornerColours = [2][2]color.RGBA{
	{{230, 20, 20, 255}, {20, 200, 20, 255}},
	{{20, 20, 230, 255}, {128, 128, 128, 255}},
}

func noise(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(random.Uint32())
	}
	return img
}

func jpegOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// segment is a JPEG segment.
func segment(code byte, body string) string {
	return string([]byte{0xff, code, byte((len(body) + 2) >> 8), byte(len(body) + 2)}) + body
}

// frame is the body of a JPEG frame header.
func frame(precision, h, w, n int) string {
	b := []byte{byte(precision), byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(n)}
	for i := range n {
		b = append(b, byte(i+1), 0x11, 0)
	}
	return string(b)
}

const (
	soi  = "\xff\xd8"
	eoi  = "\xff\xd9"
	scan = "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + "data\xff\x00data\xff\xd0data"
)

// withExif puts an orientation into a JPEG file.
func withExif(b []byte, orientation int) []byte {
	tiff := "II*\x00\x08\x00\x00\x00" + "\x01\x00" + "\x12\x01\x03\x00\x01\x00\x00\x00" + string([]byte{byte(orientation), 0, 0, 0}) + "\x00\x00\x00\x00"
	return []byte(string(b[:2]) + segment(0xe1, "Exif\x00\x00"+tiff) + string(b[2:]))
}

func pngOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func pngChunk(name, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(b, name+body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(name+body))))
}

func ihdr(w, h uint32, depth, colour, interlace byte) string {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return pngChunk("IHDR", string(append(b, depth, colour, 0, 0, interlace)))
}

func deflated(b []byte) string {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.String()
}

// interlacedPNG writes an image in the seven passes of Adam7.
func interlacedPNG(img *image.RGBA) []byte {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	var raw []byte
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		for y := p[1]; y < h; y += p[3] {
			if p[0] < w {
				raw = append(raw, 0)
			}
			for x := p[0]; x < w; x += p[2] {
				c := img.RGBAAt(x, y)
				raw = append(raw, c.R, c.G, c.B)
			}
		}
	}
	return []byte(pngSignature + ihdr(uint32(w), uint32(h), 8, 2, 1) + pngChunk("IDAT", deflated(raw)) + pngChunk("IEND", ""))
}

func paletted(img image.Image) *image.Paletted {
	p := image.NewPaletted(img.Bounds(), color.Palette{color.White, color.Black,
		cornerColours[0][0], cornerColours[0][1], cornerColours[1][0], cornerColours[1][1]})
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			p.Set(x, y, img.At(x, y))
		}
	}
	return p
}

func gifOf(frames ...*image.Paletted) []byte {
	g := &gif.GIF{Image: frames, Delay: make([]int, len(frames))}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tiffTag is an entry of a directory, with values of 16 or 32 bits.
type tiffTag struct {
	tag    uint16
	long   bool
	values []uint32
}

// tiffOf writes pages of entries; a strip's place is filled in where data is given.
type tiffPageOf struct {
	tags []tiffTag
	data [][]byte
}

func tiffOf(order binary.AppendByteOrder, pages ...tiffPageOf) []byte {
	b := []byte("II*\x00")
	if order.String() == "BigEndian" {
		b = []byte("MM\x00*")
	}
	put := order.(binary.ByteOrder)
	b = append(b, 0, 0, 0, 0)
	link := 4
	for _, p := range pages {
		var offsets, counts []uint32
		for _, d := range p.data {
			offsets = append(offsets, uint32(len(b)))
			counts = append(counts, uint32(len(d)))
			b = append(b, d...)
		}
		tags := make([]tiffTag, 0, len(p.tags)+2)
		for _, t := range p.tags {
			if t.tag == tagStripOffsets || t.tag == tagTileOffsets {
				t.values = offsets
			}
			if t.tag == tagStripByteCounts || t.tag == tagTileByteCounts {
				t.values = counts
			}
			tags = append(tags, t)
		}
		var entries []byte
		for _, t := range tags {
			kind, size := uint16(3), 2
			if t.long {
				kind, size = 4, 4
			}
			var v []byte
			for _, n := range t.values {
				if t.long {
					v = order.AppendUint32(v, n)
				} else {
					v = order.AppendUint16(v, uint16(n))
				}
			}
			if t.tag == tagJPEGTables {
				kind, size = 7, 1
				v = v[:0]
				for _, n := range t.values {
					v = append(v, byte(n))
				}
			}
			entries = order.AppendUint16(entries, t.tag)
			entries = order.AppendUint16(entries, kind)
			entries = order.AppendUint32(entries, uint32(len(v)/size))
			if len(v) > 4 {
				entries = order.AppendUint32(entries, uint32(len(b)))
				b = append(b, v...)
			} else {
				entries = append(entries, append(v, 0, 0, 0, 0)[:4]...)
			}
		}
		put.PutUint32(b[link:], uint32(len(b)))
		b = order.AppendUint16(b, uint16(len(tags)))
		b = append(b, entries...)
		link = len(b)
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

func tag(t uint16, values ...uint32) tiffTag { return tiffTag{tag: t, values: values} }

func longTag(t uint16, values ...uint32) tiffTag {
	return tiffTag{tag: t, long: true, values: values}
}

// rgbPage is a TIFF page in two uncompressed strips.
func rgbPage(img *image.RGBA, more ...tiffTag) tiffPageOf {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	rows := (h + 1) / 2
	var strips [][]byte
	for y := 0; y < h; y += rows {
		var s []byte
		for r := y; r < min(y+rows, h); r++ {
			for x := range w {
				c := img.RGBAAt(x, r)
				s = append(s, c.R, c.G, c.B)
			}
		}
		strips = append(strips, s)
	}
	tags := []tiffTag{longTag(tagWidth, uint32(w)), longTag(tagHeight, uint32(h)), tag(tagBits, 8, 8, 8), tag(tagCompression, 1),
		tag(tagPhotometric, 2), longTag(tagStripOffsets)}
	tags = append(tags, more...) // the orientation comes here
	tags = append(tags, tag(tagSamples, 3), longTag(tagRowsPerStrip, uint32(rows)), longTag(tagStripByteCounts))
	return tiffPageOf{tags, strips}
}

// jpegPage is a TIFF page whose tiles are JPEG images.
func jpegPage(img *image.RGBA, tile int) tiffPageOf {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	var tiles [][]byte
	for y := 0; y < h; y += tile {
		for x := 0; x < w; x += tile {
			part := image.NewRGBA(image.Rect(0, 0, tile, tile))
			for dy := range tile {
				for dx := range tile {
					part.SetRGBA(dx, dy, img.RGBAAt(min(x+dx, w-1), min(y+dy, h-1)))
				}
			}
			tiles = append(tiles, jpegOf(part))
		}
	}
	return tiffPageOf{[]tiffTag{longTag(tagWidth, uint32(w)), longTag(tagHeight, uint32(h)), tag(tagBits, 8, 8, 8), tag(tagCompression, 7),
		tag(tagPhotometric, 6), tag(tagSamples, 3), longTag(tagTileWidth, uint32(tile)), longTag(tagTileLength, uint32(tile)),
		longTag(tagTileOffsets), longTag(tagTileByteCounts)}, tiles}
}

// onePhotoPage is a TIFF page of one JPEG strip, with its tables apart.
func onePhotoPage(img *image.RGBA) tiffPageOf {
	b := jpegOf(img)
	i := bytes.Index(b, []byte("\xff\xc0")) // the quantization tables stand before the frame
	var tables []uint32
	for _, c := range append(append([]byte{}, b[:i]...), eoi...) {
		tables = append(tables, uint32(c))
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	return tiffPageOf{[]tiffTag{longTag(tagWidth, uint32(w)), longTag(tagHeight, uint32(h)), tag(tagBits, 8, 8, 8), tag(tagCompression, 7),
		tag(tagPhotometric, 6), longTag(tagStripOffsets), tag(tagSamples, 3), longTag(tagRowsPerStrip, uint32(h)), longTag(tagStripByteCounts),
		tag(tagJPEGTables, tables...)},
		[][]byte{append([]byte(soi), b[i:]...)}}
}

// faxPage is black and white, one bit a pixel: the left half is black.
func faxPage(w, h int) tiffPageOf {
	row := make([]byte, (w+7)/8)
	for x := range w / 2 {
		row[x/8] |= 0x80 >> (x % 8)
	}
	return tiffPageOf{[]tiffTag{longTag(tagWidth, uint32(w)), longTag(tagHeight, uint32(h)), tag(tagBits, 1), tag(tagCompression, 1),
		tag(tagPhotometric, 0), longTag(tagStripOffsets), tag(tagSamples, 1), longTag(tagRowsPerStrip, uint32(h)), longTag(tagStripByteCounts)},
		[][]byte{bytes.Repeat(row, h)}}
}

// pdfBuilder writes PDF files, good and bad.
type pdfBuilder struct {
	bytes.Buffer
	offsets map[int]int
}

func newPDF() *pdfBuilder {
	p := &pdfBuilder{offsets: map[int]int{}}
	p.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return p
}

func (p *pdfBuilder) object(n int, body string) {
	p.offsets[n] = p.Len()
	fmt.Fprintf(p, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (p *pdfBuilder) stream(n int, entries, data string) {
	p.object(n, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", entries, len(data), data))
}

// table ends the file with a table of the objects so far, and a trailer.
func (p *pdfBuilder) table(trailer string) []byte {
	start := p.Len()
	p.tableOnly(trailer)
	fmt.Fprintf(p, "startxref\n%d\n%%%%EOF\n", start)
	return p.Bytes()
}

func (p *pdfBuilder) tableOnly(trailer string) {
	size := 1
	for n := range p.offsets {
		size = max(size, n+1)
	}
	fmt.Fprintf(p, "xref\n0 %d\n0000000000 65535 f \n", size)
	for n := 1; n < size; n++ {
		if at, ok := p.offsets[n]; ok {
			fmt.Fprintf(p, "%010d 00000 n \n", at)
		} else {
			p.WriteString("0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(p, "trailer\n<</Size %d%s>>\n", size, trailer)
}

const rootTrailer = "/Root 1 0 R"

// textPDF is a file of one page a text.
func textPDF(texts ...string) []byte {
	p := newPDF()
	p.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	var kids []int
	for i, t := range texts {
		page, content := 10+2*i, 11+2*i
		kids = append(kids, page)
		p.object(page, fmt.Sprintf("<</Type/Page/Parent 2 0 R/Contents %d 0 R>>", content))
		p.stream(content, "", "BT /F1 24 Tf 20 100 Td ("+t+") Tj ET")
	}
	p.object(3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	p.object(2, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 300 200]/Resources<</Font<</F1 3 0 R>>>>>>", len(kids), references(kids)))
	return p.table(rootTrailer)
}

// compressedPDF keeps catalog and page tree in an object stream, and its references in
// a stream with a predictor.
func compressedPDF(trailer string) []byte {
	p := newPDF()
	p.stream(4, "", "BT /F1 24 Tf 20 100 Td (compressed) Tj ET")
	catalog, tree, page := "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
	head := fmt.Sprintf("1 0 2 %d 3 %d ", len(catalog)+1, len(catalog)+len(tree)+2)
	p.stream(5, fmt.Sprintf("/Type/ObjStm/N 3/First %d/Filter/FlateDecode", len(head)), deflated([]byte(head+catalog+" "+tree+" "+page)))
	start := p.Len()
	rows := [][4]byte{{0, 0, 0, 0}, {2, 0, 5, 0}, {2, 0, 5, 1}, {2, 0, 5, 2},
		{1, byte(p.offsets[4] >> 8), byte(p.offsets[4]), 0}, {1, byte(p.offsets[5] >> 8), byte(p.offsets[5]), 0}, {1, byte(start >> 8), byte(start), 0}}
	var raw []byte
	var last [4]byte
	for _, r := range rows {
		raw = append(raw, 2) // the difference to the row above
		for i := range r {
			raw = append(raw, r[i]-last[i])
		}
		last = r
	}
	p.stream(6, "/Type/XRef/Size 7/W[1 2 1]/Root 1 0 R/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 4>>"+trailer, deflated(raw))
	fmt.Fprintf(p, "startxref\n%d\n%%%%EOF\n", start)
	return p.Bytes()
}

// updated appends an incremental update to a file that ends with a table.
func updated(b []byte, trailer string) []byte {
	i := bytes.LastIndex(b, []byte("startxref\n"))
	prev := strings.Fields(string(b[i:]))[1]
	p := &pdfBuilder{offsets: map[int]int{}}
	p.Write(b)
	at := p.Len()
	p.WriteString("90 0 obj\n(new)\nendobj\n")
	start := p.Len()
	fmt.Fprintf(p, "xref\n90 1\n%010d 00000 n \ntrailer\n<</Size 91/Prev %s%s>>\nstartxref\n%d\n%%%%EOF\n", at, prev, trailer, start)
	return p.Bytes()
}

// hybridPDF has a table that leaves the tree to a hidden stream.
func hybridPDF(hidden string) []byte {
	p := newPDF()
	p.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	p.object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>")
	p.stream(5, "/Type/ObjStm/N 1/First 4", "2 0 <</Type/Pages/Count 1/Kids[3 0 R]>>")
	at := p.Len()
	p.stream(6, "/Type/XRef/Size 7/W[1 2 1]/Index[2 1]"+hidden, "\x02\x00\x05\x00")
	start := p.Len()
	p.tableOnly(fmt.Sprintf("/Root 1 0 R/XRefStm %d", at))
	fmt.Fprintf(p, "startxref\n%d\n%%%%EOF\n", start)
	return p.Bytes()
}
