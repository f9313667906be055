package document

import "encoding/binary"

// gifWalker follows the blocks of a GIF file to its trailer.
type gifWalker struct {
	scan          scanner
	step          func(*gifWalker, []byte) error
	width, height int
	frames        int
	ended         bool
	trailing      padding
}

func newGIFWalker() *gifWalker {
	w := &gifWalker{}
	w.scan.next(6, 7) // the signature, then the screen
	w.step = (*gifWalker).screen
	return w
}

func (w *gifWalker) write(p []byte) error {
	return w.scan.write(p, false, func(head []byte) error { return w.step(w, head) })
}

// expect sets what comes next.
func (w *gifWalker) expect(skip int64, want int, step func(*gifWalker, []byte) error) {
	w.scan.next(skip, want)
	w.step = step
}

// colours is the size of the colour table that the flags announce.
func colours(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (w *gifWalker) screen(b []byte) error {
	w.width, w.height = int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	if err := checkSize(GIF, int64(w.width), int64(w.height)); err != nil {
		return err
	}
	w.expect(colours(b[4]), 1, (*gifWalker).block)
	return nil
}

func (w *gifWalker) block(b []byte) error {
	switch b[0] {
	case 0x21: // an extension: its label, then data
		w.expect(1, 1, (*gifWalker).data)
	case 0x2c:
		w.expect(0, 9, (*gifWalker).frame)
	case 0x3b:
		w.ended = true
		w.expect(0, 1, (*gifWalker).after)
	default:
		return damaged(GIF, "it has a block of no known kind")
	}
	return nil
}

func (w *gifWalker) frame(b []byte) error {
	left, top := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	width, height := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
	if width == 0 || height == 0 || left+width > w.width || top+height > w.height {
		return damaged(GIF, "a frame lies outside of the image")
	}
	w.frames++
	w.expect(colours(b[8]), 1, (*gifWalker).codeSize)
	return nil
}

func (w *gifWalker) codeSize(b []byte) error {
	if b[0] < 2 || b[0] > 8 {
		return damaged(GIF, "a frame's code size is wrong")
	}
	w.expect(0, 1, (*gifWalker).data)
	return nil
}

// data passes over a chain of data blocks, each after its length.
func (w *gifWalker) data(b []byte) error {
	if b[0] == 0 {
		w.expect(0, 1, (*gifWalker).block)
	} else {
		w.expect(int64(b[0]), 1, (*gifWalker).data)
	}
	return nil
}

func (w *gifWalker) after(b []byte) error {
	if !w.trailing.write(b) {
		return damaged(GIF, "other data follows its end")
	}
	w.expect(0, 1, (*gifWalker).after)
	return nil
}

func (w *gifWalker) end() (Info, error) {
	if !w.ended {
		return Info{}, truncated(GIF)
	}
	if w.frames == 0 {
		return Info{}, damaged(GIF, "it has no image")
	}
	return Info{Type: GIF, Pages: 1, Width: w.width, Height: w.height}, nil
}
