package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync"

	"quittance/internal/kernel/errs"
)

const (
	bigBuffer   = 1 << 20  // an upload up to this size is hashed before it touches a disk
	smallBuffer = 64 << 10 // for copying when the big buffers are all taken
	bigBuffers  = 32       // so many at once: what slow clients hold is bounded
)

// spooler reads uploads to their end, so that the hash is known before the blob has
// a place: a small one into memory, others into a temporary file.
type spooler struct {
	dir        string // of the temporary files; "" is the system's
	unnamed    bool   // remove their names at once, where the system can
	big, small sync.Pool
	slots      chan struct{} // one for each big buffer in use
}

func newSpooler(dir string) *spooler {
	return &spooler{
		dir:   dir,
		big:   sync.Pool{New: func() any { return new([bigBuffer]byte) }},
		small: sync.Pool{New: func() any { return new([smallBuffer]byte) }},
		slots: make(chan struct{}, bigBuffers),
	}
}

// spool is an upload that was read to its end: in mem, or in file. It is discarded
// after use.
type spool struct {
	Ref
	mem  []byte
	file *os.File // its name may be gone
	from *spooler
	big  *[bigBuffer]byte
	keep bool // mem may still be read by a request that failed: do not use it again
}

// read takes all of r, at most limit bytes.
func (p *spooler) read(ctx context.Context, r io.Reader, limit int64) (s *spool, err error) {
	s = &spool{from: p}
	defer func() {
		if err != nil {
			s.discard()
			s = nil
		}
	}()
	var buf []byte
	select {
	case p.slots <- struct{}{}:
		s.big = p.big.Get().(*[bigBuffer]byte)
		buf = s.big[:]
	default:
		small := p.small.Get().(*[smallBuffer]byte)
		defer p.small.Put(small)
		buf = small[:]
	}
	sum := sha256.New()
	for {
		n, end, err := fill(ctx, r, buf, sum, limit-s.Size)
		s.Size += int64(n)
		if err != nil {
			return s, err
		}
		if end && s.file == nil && s.big != nil {
			s.mem = buf[:n]
			break
		}
		if s.file == nil {
			if s.file, err = os.CreateTemp(p.dir, tempPattern); err != nil {
				return s, diskError(err)
			}
			if p.unnamed {
				os.Remove(s.file.Name())
			}
		}
		if _, err := s.file.Write(buf[:n]); err != nil {
			return s, diskError(err)
		}
		if end {
			break
		}
	}
	s.Hash = hex.EncodeToString(sum.Sum(nil))
	return s, nil
}

// fill reads until buf is full or r ends, and hashes what it reads while that is
// still in the processor's cache. One byte more than limit is TooLarge.
func fill(ctx context.Context, r io.Reader, buf []byte, sum hash.Hash, limit int64) (n int, end bool, err error) {
	for idle := 0; n < len(buf); {
		if err := ctx.Err(); err != nil {
			return n, false, cancelled(err)
		}
		room := buf[n:]
		if int64(len(room)) > limit-int64(n)+1 {
			room = room[:max(limit-int64(n)+1, 0)]
		}
		got, err := r.Read(room)
		if int64(n+got) > limit {
			return n, false, errs.New(errs.TooLarge, "tooLarge", "The file is larger than is allowed here.")
		}
		sum.Write(buf[n : n+got])
		n += got
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
		if got > 0 {
			idle = 0
		} else if idle++; idle == 100 {
			return n, false, io.ErrNoProgress
		}
	}
	return n, false, nil
}

// content reads the upload from its start; each call gives a reader of its own.
func (s *spool) content() io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.mem)
	}
	return io.NewSectionReader(s.file, 0, s.Size)
}

// discard gives back the buffer and removes the temporary file, if it is still there.
func (s *spool) discard() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
	if s.big != nil {
		if !s.keep {
			s.from.big.Put(s.big)
		}
		<-s.from.slots
	}
}
