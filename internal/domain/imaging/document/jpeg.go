package document

import (
	"bytes"
	"encoding/binary"
)

// Bounds of a JPEG file. Phones append data after the image: a short film, a second
// picture, the maker's notes.
const (
	maxJPEGScans   = 500 // a progressive image has about ten
	maxJPEGTrailer = 6 << 20
)

// Where the walk is.
type jpegState uint8

const (
	jpegStart    jpegState = iota // before SOI
	jpegMarker                    // 0xFF of a marker is next
	jpegCode                      // its code is next
	jpegLength                    // the length of its segment is next
	jpegSegment                   // inside of the segment
	jpegScan                      // inside of compressed data
	jpegScanCode                  // after 0xFF there
	jpegDone                      // after EOI
)

// jpegWalker follows the markers of a JPEG file from SOI to EOI.
type jpegWalker struct {
	state   jpegState
	code    byte     // of the current segment
	head    [32]byte // the beginning of the segment, as far as it is needed
	have    int
	left    int // bytes of the segment still to come
	scans   int
	width   int
	height  int
	trailer int64
}

func newJPEGWalker() *jpegWalker { return &jpegWalker{} }

func (w *jpegWalker) write(p []byte) error {
	for len(p) > 0 {
		switch w.state {
		case jpegScan: // first, as nearly all of a photo is here
			i := bytes.IndexByte(p, 0xff)
			if i < 0 {
				return nil
			}
			p = p[i+1:]
			w.state = jpegScanCode
		case jpegScanCode:
			c := p[0]
			p = p[1:]
			switch {
			case c == 0 || c >= 0xd0 && c <= 0xd7: // a stuffed 0xFF, or a restart
				w.state = jpegScan
			case c == 0xff: // filling
			default:
				if err := w.marker(c); err != nil {
					return err
				}
			}
		case jpegStart:
			w.head[w.have] = p[0]
			w.have++
			p = p[1:]
			if w.have == 2 {
				w.state = jpegMarker
			}
		case jpegMarker:
			if p[0] != 0xff {
				return damaged(JPEG, "there is no marker where one must be")
			}
			p = p[1:]
			w.state = jpegCode
		case jpegCode:
			c := p[0]
			p = p[1:]
			if c != 0xff {
				if err := w.marker(c); err != nil {
					return err
				}
			}
		case jpegLength:
			w.head[w.have] = p[0]
			w.have++
			p = p[1:]
			if w.have == 2 {
				w.left = int(binary.BigEndian.Uint16(w.head[:])) - 2
				w.have = 0
				if w.left < 0 {
					return damaged(JPEG, "a segment has no length")
				}
				w.state = jpegSegment
				if err := w.segmentEnd(); err != nil {
					return err
				}
			}
		case jpegSegment:
			n := min(w.left, len(p))
			w.have += copy(w.head[w.have:], p[:n])
			w.left -= n
			p = p[n:]
			if err := w.segmentEnd(); err != nil {
				return err
			}
		case jpegDone:
			w.trailer += int64(len(p))
			if w.trailer > maxJPEGTrailer {
				return damaged(JPEG, "too much other data follows the image")
			}
			return nil
		}
	}
	return nil
}

// marker acts on a marker's code.
func (w *jpegWalker) marker(c byte) error {
	w.code, w.have = c, 0
	switch {
	case c == 0xd9:
		if w.scans == 0 {
			return damaged(JPEG, "it has no image")
		}
		w.state = jpegDone
		return nil
	case c == 0x01: // TEM stands alone
		w.state = jpegMarker
		return nil
	case c == 0xc0 || c == 0xc1 || c == 0xc2:
		if w.width > 0 {
			return damaged(JPEG, "it has two frames")
		}
	case c == 0xc4:
	case c == 0xc3 || c >= 0xc5 && c <= 0xc8 || c >= 0xc9 && c <= 0xcf:
		return unreadable(JPEG, "it is lossless, hierarchical or arithmetically coded; save it as an ordinary JPEG")
	case c == 0xda:
		if w.width == 0 {
			return damaged(JPEG, "its data comes before its header")
		}
		if w.scans++; w.scans > maxJPEGScans {
			return damaged(JPEG, "it has too many scans")
		}
	case c < 0xc0 || c >= 0xd0 && c <= 0xd8 || c == 0xdc:
		return damaged(JPEG, "it has a marker where none may be")
	}
	w.state = jpegLength
	return nil
}

// segmentEnd acts on a segment that is complete.
func (w *jpegWalker) segmentEnd() error {
	if w.left > 0 {
		return nil
	}
	head := w.head[:w.have]
	w.have = 0
	w.state = jpegMarker
	switch w.code {
	case 0xda:
		if len(head) < 6 || len(head) != 4+2*int(head[0]) {
			return damaged(JPEG, "a scan's header is wrong")
		}
		w.state = jpegScan
	case 0xc0, 0xc1, 0xc2:
		if len(head) < 9 || len(head) != 6+3*int(head[5]) {
			return damaged(JPEG, "its header is wrong")
		}
		if head[0] != 8 {
			return unreadable(JPEG, "it does not have 8 bits a sample")
		}
		if n := head[5]; n != 1 && n != 3 && n != 4 {
			return unreadable(JPEG, "it does not have one, three or four colours")
		}
		height, width := binary.BigEndian.Uint16(head[1:]), binary.BigEndian.Uint16(head[3:])
		if err := checkSize(JPEG, int64(width), int64(height)); err != nil {
			return err
		}
		w.width, w.height = int(width), int(height)
	}
	return nil
}

func (w *jpegWalker) end() (Info, error) {
	if w.state != jpegDone {
		return Info{}, truncated(JPEG)
	}
	return Info{Type: JPEG, Pages: 1, Width: w.width, Height: w.height}, nil
}

// photo is what a PDF needs to know of a JPEG file.
type photo struct {
	data        []byte // the image alone, without notes about place, maker and time
	width       int
	height      int
	colours     int
	inverted    bool // four colours as Adobe writes them
	orientation int  // 1 to 8, as in Exif
}

// readPhoto takes apart a whole JPEG file. The segments that a PDF does not need are
// left out, and so is what follows the image.
func readPhoto(b []byte) (*photo, error) {
	w := newJPEGWalker()
	if err := w.write(b); err != nil {
		return nil, err
	}
	if _, err := w.end(); err != nil {
		return nil, err
	}
	ph := &photo{width: w.width, height: w.height, orientation: 1}
	out := make([]byte, 0, len(b))
	out = append(out, b[:2]...)
	for i := 2; ; {
		for b[i] == 0xff { // the marker, with filling
			i++
		}
		code := b[i]
		i++
		if code == 0x01 {
			continue
		}
		if code == 0xd9 {
			ph.data = append(out, 0xff, 0xd9)
			return ph, nil
		}
		n := int(binary.BigEndian.Uint16(b[i:]))
		segment := b[i+2 : i+n]
		switch {
		case code == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")):
			ph.orientation = exifOrientation(segment[6:])
		case code == 0xee && bytes.HasPrefix(segment, []byte("Adobe")):
			ph.inverted = true
		case code == 0xc0 || code == 0xc1 || code == 0xc2:
			ph.colours = int(segment[5])
		}
		if code < 0xe0 || code > 0xef && code != 0xfe || code == 0xe0 || code == 0xee {
			out = append(append(out, 0xff, code), b[i:i+n]...)
		}
		i += n
		if code == 0xda {
			end := scanEnd(b, i)
			out = append(out, b[i:end]...)
			i = end
		}
	}
}

// scanEnd is the index of the marker that ends the compressed data at i.
func scanEnd(b []byte, i int) int {
	for {
		i += bytes.IndexByte(b[i:], 0xff)
		j := i + 1
		for b[j] == 0xff {
			j++
		}
		if c := b[j]; c != 0 && (c < 0xd0 || c > 0xd7) {
			return i
		}
		i = j
	}
}

// exifOrientation reads one tag of the first directory; 1 is upright, and is what
// everything odd means.
func exifOrientation(b []byte) int {
	t, err := openTIFF(b)
	if err != nil {
		return 1
	}
	d, err := t.directory(t.first)
	if err != nil {
		return 1
	}
	return orientation(d.number(tagOrientation, 1))
}

func orientation(v int64) int {
	if v < 1 || v > 8 {
		return 1
	}
	return int(v)
}
