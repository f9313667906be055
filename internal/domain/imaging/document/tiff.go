package document

import "encoding/binary"

// Tags of a TIFF directory.
const (
	tagSubfile         = 254
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagJPEGTables      = 347
)

const compressionJPEG = 7

const (
	maxTIFFEntries = 256     // of a directory; real ones have twenty
	maxTIFFStrips  = 1 << 20 // of a file
)

// tiffFile is a TIFF file as its directories show it.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
	first int64 // offset of the first directory
	seen  int64 // strips checked so far
}

func openTIFF(b []byte) (*tiffFile, error) {
	if len(b) < 8 {
		return nil, truncated(TIFF)
	}
	t := &tiffFile{data: b}
	switch string(b[:4]) {
	case "II*\x00":
		t.order = binary.LittleEndian
	case "MM\x00*":
		t.order = binary.BigEndian
	default:
		return nil, damaged(TIFF, "its header is wrong")
	}
	t.first = int64(t.order.Uint32(b[4:]))
	return t, nil
}

// directory is one page.
type directory struct {
	file    *tiffFile
	offset  int64
	entries []byte // 12 bytes each
	next    int64
}

func (t *tiffFile) directory(offset int64) (*directory, error) {
	size := int64(len(t.data))
	if offset < 8 || offset+2 > size {
		return nil, truncated(TIFF)
	}
	n := int64(t.order.Uint16(t.data[offset:]))
	end := offset + 2 + 12*n
	if n == 0 || n > maxTIFFEntries {
		return nil, damaged(TIFF, "a directory has no sensible number of entries")
	}
	if end+4 > size {
		return nil, truncated(TIFF)
	}
	return &directory{file: t, offset: offset, entries: t.data[offset+2 : end], next: int64(t.order.Uint32(t.data[end:]))}, nil
}

// field finds the values of a tag: their number, their size in bytes and where they
// are; n is 0 when the tag is absent.
func (d *directory) field(tag uint16) (n int64, size int, values []byte, err error) {
	o := d.file.order
	for e := d.entries; len(e) > 0; e = e[12:] {
		if o.Uint16(e) != tag {
			continue
		}
		kind := o.Uint16(e[2:])
		sizes := [...]int{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8}
		if int(kind) >= len(sizes) || kind == 0 {
			return 0, 0, nil, damaged(TIFF, "a directory has an entry of no known kind")
		}
		n, size = int64(o.Uint32(e[4:])), sizes[kind]
		if n*int64(size) <= 4 {
			return n, size, e[8 : 8+n*int64(size)], nil
		}
		at := int64(o.Uint32(e[8:]))
		if at+n*int64(size) > int64(len(d.file.data)) {
			return 0, 0, nil, truncated(TIFF)
		}
		return n, size, d.file.data[at : at+n*int64(size)], nil
	}
	return 0, 0, nil, nil
}

// integer reads value i of a field.
func (d *directory) integer(values []byte, size, i int) int64 {
	switch v := values[i*size:]; size {
	case 1:
		return int64(v[0])
	case 2:
		return int64(d.file.order.Uint16(v))
	case 4:
		return int64(d.file.order.Uint32(v))
	}
	return 0
}

// number is the first value of a tag, or the default when there is none.
func (d *directory) number(tag uint16, absent int64) int64 {
	n, size, values, err := d.field(tag)
	if err != nil || n == 0 {
		return absent
	}
	return d.integer(values, size, 0)
}

// pages walks the chain of directories. Smaller copies of a page are not pages.
func (t *tiffFile) pages() ([]*directory, error) {
	var all, pages []*directory
	seen := map[int64]bool{}
	for at := t.first; at != 0; {
		if seen[at] {
			return nil, damaged(TIFF, "its directories form a loop")
		}
		seen[at] = true
		if len(all) == MaxPages {
			return nil, tooManyPages()
		}
		d, err := t.directory(at)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
		if d.number(tagSubfile, 0)&(1|4) == 0 { // neither a thumbnail nor a mask
			pages = append(pages, d)
		}
		at = d.next
	}
	if len(pages) == 0 {
		pages = all
	}
	if len(pages) == 0 {
		return nil, damaged(TIFF, "it has no page")
	}
	return pages, nil
}

// check judges a page: its size, its samples, and that its data lies in the file.
func (d *directory) check() error {
	width, height := d.number(tagWidth, 0), d.number(tagHeight, 0)
	if err := checkSize(TIFF, width, height); err != nil {
		return err
	}
	if err := d.checkVariant(); err != nil {
		return err
	}
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	rows := d.number(tagRowsPerStrip, height)
	if rows <= 0 || rows > height {
		rows = height
	}
	want := (height + rows - 1) / rows
	if n, _, _, _ := d.field(tagTileOffsets); n > 0 {
		offsets, counts = tagTileOffsets, tagTileByteCounts
		tw, th := d.number(tagTileWidth, 0), d.number(tagTileLength, 0)
		if tw <= 0 || th <= 0 || tw > 1<<14 || th > 1<<14 {
			return damaged(TIFF, "its tiles have no sensible size")
		}
		want = ((width + tw - 1) / tw) * ((height + th - 1) / th)
	}
	return d.checkData(offsets, counts, want)
}

// checkVariant refuses what decodeTIFF cannot show. TIFF is a family of formats; these
// are those that scanners and fax machines write.
func (d *directory) checkVariant() error {
	samples, compression := d.number(tagSamples, 1), d.number(tagCompression, 1)
	photometric := d.number(tagPhotometric, 0)
	n, size, bits, err := d.field(tagBits)
	if err != nil {
		return err
	}
	depth := int64(1)
	if n > 0 && n <= 8 {
		depth = d.integer(bits, size, 0)
		for i := range int(n) {
			if d.integer(bits, size, i) != depth {
				return unreadable(TIFF, "its samples have different sizes")
			}
		}
	}
	switch compression {
	case 1, 2, 3, 4, 5, 8, 32946, 32773:
	case compressionJPEG:
		if depth == 8 && (samples == 1 && photometric <= 1 || samples == 3 && (photometric == 2 || photometric == 6)) {
			return nil
		}
		return unreadable(TIFF, "its colours are not RGB or grey")
	default:
		return unreadable(TIFF, "its compression is not known")
	}
	switch {
	case photometric < 0 || photometric > 3:
		return unreadable(TIFF, "its colours are not RGB, a palette or grey")
	case photometric == 2 && (n != samples || samples != 3 && samples != 4 || depth == 1):
		return unreadable(TIFF, "its colours are not RGB with 8 or 16 bits")
	case photometric != 2 && samples != 1:
		return unreadable(TIFF, "it has more than one value a pixel")
	case photometric == 3 && depth == 16:
		return unreadable(TIFF, "its palette is too large")
	case samples == 4 && d.number(tagExtraSamples, 0) != 1 && d.number(tagExtraSamples, 0) != 2:
		return unreadable(TIFF, "it has a fourth value a pixel of no known meaning")
	case samples > 1 && d.number(tagPlanar, 1) != 1:
		return unreadable(TIFF, "its colours are stored apart")
	case depth != 1 && depth != 8 && depth != 16:
		return unreadable(TIFF, "its samples do not have 1, 8 or 16 bits")
	}
	return nil
}

func (d *directory) checkData(offsets, counts uint16, want int64) error {
	n, size, at, err := d.field(offsets)
	if err != nil {
		return err
	}
	m, sizeCounts, lengths, err := d.field(counts)
	if err != nil {
		return err
	}
	if n == 0 || n != m || n < want || n > want+1 || size == 8 || sizeCounts == 8 {
		return damaged(TIFF, "its table of image data is wrong")
	}
	if d.file.seen += n; d.file.seen > maxTIFFStrips {
		return damaged(TIFF, "its images are cut into too many strips")
	}
	for i := range int(n) {
		if d.integer(at, size, i)+d.integer(lengths, sizeCounts, i) > int64(len(d.file.data)) {
			return truncated(TIFF)
		}
	}
	return nil
}

// inspectTIFF judges a whole file.
func inspectTIFF(b []byte) (Info, error) {
	t, err := openTIFF(b)
	if err != nil {
		return Info{}, err
	}
	pages, err := t.pages()
	if err != nil {
		return Info{}, err
	}
	for _, d := range pages {
		if err := d.check(); err != nil {
			return Info{}, err
		}
	}
	return Info{Type: TIFF, Pages: len(pages),
		Width: int(pages[0].number(tagWidth, 0)), Height: int(pages[0].number(tagHeight, 0))}, nil
}
