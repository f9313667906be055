package document

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// pngHeader is the IHDR chunk.
type pngHeader struct {
	width, height int
	depth         int
	colour        int // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
	interlaced    bool
}

// samples is the number of values a pixel has.
func (h pngHeader) samples() int { return [...]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[h.colour] }

// dataSize is the length of the image data once inflated, filter bytes included, of
// an image that is not interlaced.
func (h pngHeader) dataSize() int64 {
	return int64(h.height) * (1 + (int64(h.width)*int64(h.samples()*h.depth)+7)/8)
}

func parsePNGHeader(b []byte) (h pngHeader, err error) {
	width, height := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if err := checkSize(PNG, int64(width), int64(height)); err != nil {
		return h, err
	}
	depths, ok := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}[b[9]]
	if !ok || strings.IndexByte(depths, b[8]) < 0 || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return h, damaged(PNG, "its header is wrong")
	}
	return pngHeader{width: int(width), height: int(height), depth: int(b[8]), colour: int(b[9]), interlaced: b[12] == 1}, nil
}

// pngWalker follows the chunks of a PNG file and checks their sums. Compressed text
// is not inflated.
type pngWalker struct {
	scan     scanner
	step     func(*pngWalker, []byte) error
	limit    int64 // of the whole file
	size     int64 // so far, by the chunks' lengths
	chunk    string
	last     string // the chunk before
	header   pngHeader
	saw      byte
	ended    bool
	trailing padding
}

// What a PNG walk has seen.
const (
	sawPalette = 1 << iota
	sawData
)

func (w *pngWalker) seen(what byte) bool { return w.saw&what != 0 }
func (w *pngWalker) note(what byte)      { w.saw |= what }

func newPNGWalker(limit int64) *pngWalker {
	w := &pngWalker{limit: limit}
	w.scan.next(8, 8) // the signature, then a length and a name
	w.step = (*pngWalker).chunkBegin
	return w
}

func (w *pngWalker) write(p []byte) error {
	return w.scan.write(p, true, func(head []byte) error { return w.step(w, head) })
}

func (w *pngWalker) chunkBegin(b []byte) error {
	if w.ended {
		if !w.trailing.write(b) {
			return damaged(PNG, "other data follows its end")
		}
		w.scan.next(0, 1)
		return nil
	}
	n, name := int64(binary.BigEndian.Uint32(b)), string(b[4:8])
	if strings.IndexFunc(name, func(r rune) bool { return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') }) >= 0 {
		return damaged(PNG, "a chunk has no proper name")
	}
	if w.size += n + 12; w.size > w.limit {
		return truncated(PNG) // or over the limit: what it promises cannot come
	}
	w.last, w.chunk = w.chunk, name
	if err := w.order(n); err != nil {
		return err
	}
	w.scan.sum = crc32.ChecksumIEEE(b[4:8])
	if name == "IHDR" {
		w.scan.next(0, 13+4)
	} else {
		w.scan.next(n, 4)
	}
	w.step = (*pngWalker).chunkEnd
	return nil
}

// order checks that the chunk may stand where it stands.
func (w *pngWalker) order(n int64) error {
	first := w.last == ""
	var ok bool
	switch w.chunk {
	case "IHDR":
		ok = first && n == 13
	case "PLTE":
		ok = !first && n > 0 && n <= 768 && n%3 == 0 && !w.seen(sawPalette) && !w.seen(sawData)
		w.note(sawPalette)
	case "IDAT":
		ok = !first && (w.last == "IDAT" || !w.seen(sawData)) && (w.header.colour != 3 || w.seen(sawPalette))
		w.note(sawData)
	case "IEND":
		ok = n == 0 && w.seen(sawData)
	default:
		ok = !first
		if w.chunk[0] < 'a' {
			return unreadable(PNG, "it needs an extension that is not known")
		}
	}
	if !ok {
		return damaged(PNG, "its chunks are out of order")
	}
	return nil
}

func (w *pngWalker) chunkEnd(b []byte) error {
	sum := w.scan.sum
	if w.chunk == "IHDR" {
		sum = crc32.Update(sum, crc32.IEEETable, b[:13])
		header, err := parsePNGHeader(b[:13])
		if err != nil {
			return err
		}
		w.header = header
		b = b[13:]
	}
	if sum != binary.BigEndian.Uint32(b) {
		return damaged(PNG, "the check sum of a chunk is wrong")
	}
	w.step = (*pngWalker).chunkBegin
	if w.chunk == "IEND" {
		w.ended = true
		w.scan.next(0, 1)
	} else {
		w.scan.next(0, 8)
	}
	return nil
}

func (w *pngWalker) end() (Info, error) {
	if !w.ended {
		return Info{}, truncated(PNG)
	}
	return Info{Type: PNG, Pages: 1, Width: w.header.width, Height: w.header.height}, nil
}
