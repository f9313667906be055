package document

import "hash/crc32"

// scanner hands out the headers of a streamed file and passes over the rest.
type scanner struct {
	skip int64  // bytes to pass over first
	want int    // then bytes to gather for the next step
	head []byte // gathered so far
	sum  uint32 // CRC-32 of what was passed over
}

// next says what comes: skip bytes of no interest, then a header of want bytes.
func (s *scanner) next(skip int64, want int) {
	s.skip, s.want, s.head = skip, want, s.head[:0]
}

// write takes the next bytes and calls step with every header. A step calls next.
func (s *scanner) write(p []byte, checksum bool, step func(head []byte) error) error {
	for len(p) > 0 {
		if s.skip > 0 {
			n := int(min(s.skip, int64(len(p))))
			if checksum {
				s.sum = crc32.Update(s.sum, crc32.IEEETable, p[:n])
			}
			s.skip -= int64(n)
			p = p[n:]
			continue
		}
		n := min(s.want-len(s.head), len(p))
		s.head = append(s.head, p[:n]...)
		p = p[n:]
		if len(s.head) == s.want {
			if err := step(s.head); err != nil {
				return err
			}
		}
	}
	return nil
}

// padding is what may follow the end of a file: a few blanks and zeros.
type padding int

const maxPadding = 4096

func (n *padding) write(p []byte) bool {
	for _, c := range p {
		if *n++; *n > maxPadding || c != 0 && c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}
