package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"

	"quittance/internal/kernel/errs"
)

// The two sides speak frames: one byte of type, four of length, the bytes. The
// parent sends a request, and after the child's accept every input as data frames
// and an end frame (or an abort frame). The child answers output frames and one
// verdict. The parent trusts nothing that the child says: lengths are bounded,
// sentences cleaned.
const (
	frameRequest = 'J' // parent: kind, params, number of inputs
	frameData    = 'D' // parent: bytes of the current input
	frameEnd     = 'E' // parent: the current input ends here
	frameAbort   = 'X' // parent: the current input cannot be read
	frameReady   = 'R' // child: started; the mask of the guards that it put on
	frameAccept  = 'A' // child: the request is read
	frameOutput  = 'O' // child: bytes of the output
	frameVerdict = 'V' // child: the job is over
)

const (
	chunk      = 64 << 10 // bytes of a data or output frame
	maxKind    = 64
	maxParams  = 256 << 10
	maxInputs  = 10_000
	maxText    = 400 // runes of a sentence from the child
	headerSize = 5
)

var errProtocol = errors.New("sandbox: the other side does not keep to the protocol")

// limitOf is how long a frame of this type may be; 0 for unknown types.
func limitOf(kind byte) uint32 {
	switch kind {
	case frameRequest:
		return maxKind + maxParams + 16
	case frameData, frameOutput:
		return chunk
	case frameEnd, frameAbort, frameReady, frameAccept:
		return 16
	case frameVerdict:
		return 16 << 10
	}
	return 0
}

// writeFrame writes one frame.
func writeFrame(w io.Writer, kind byte, body []byte) error {
	b := make([]byte, headerSize, headerSize+len(body))
	return writeRoomy(w, kind, append(b, body...))
}

// writeRoomy writes a frame whose body is preceded by room for the header, in one
// call.
func writeRoomy(w io.Writer, kind byte, b []byte) error {
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-headerSize))
	_, err := w.Write(b)
	return err
}

// readHeader reads the type and the length of the next frame.
func readHeader(r *bufio.Reader) (byte, int, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > limitOf(head[0]) {
		return 0, 0, errProtocol
	}
	return head[0], int(n), nil
}

// readFrame reads a whole frame of the wanted type.
func readFrame(r *bufio.Reader, want byte) ([]byte, error) {
	kind, n, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	if kind != want {
		return nil, errProtocol
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	return body, err
}

func appendText(b []byte, s string) []byte {
	if len(s) > 4<<10 {
		s = s[:4<<10]
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

func cutText(b []byte) (string, []byte, error) {
	if len(b) < 2 {
		return "", nil, errProtocol
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n {
		return "", nil, errProtocol
	}
	return string(b[2 : 2+n]), b[2+n:], nil
}

// verdict is how a job ended, and what the child has used so far.
type verdict struct {
	status  byte // index in verdictKinds
	cpu     uint64
	memory  uint64
	code    string
	message string
	detail  string // for the log
}

// verdictKinds are the kinds that a job may give; 0 is success.
var verdictKinds = [...]errs.Kind{errs.Internal, errs.Invalid, errs.TooLarge, errs.Unsupported, errs.NotAcceptable}

func (v verdict) encode() []byte {
	b := []byte{v.status}
	b = binary.BigEndian.AppendUint64(b, v.cpu)
	b = binary.BigEndian.AppendUint64(b, v.memory)
	b = appendText(b, v.code)
	b = appendText(b, v.message)
	return appendText(b, v.detail)
}

func decodeVerdict(b []byte) (v verdict, err error) {
	if len(b) < 17 || int(b[0]) >= len(verdictKinds) {
		return v, errProtocol
	}
	v.status = b[0]
	v.cpu = binary.BigEndian.Uint64(b[1:])
	v.memory = binary.BigEndian.Uint64(b[9:])
	b = b[17:]
	for _, p := range []*string{&v.code, &v.message, &v.detail} {
		var s string
		if s, b, err = cutText(b); err != nil {
			return v, err
		}
		*p = clean(s)
	}
	return v, nil
}

// err is what the caller is told; nil for success.
func (v verdict) err() error {
	if v.status == 0 {
		return nil
	}
	e := errs.New(verdictKinds[v.status], v.code, v.message)
	if v.detail != "" {
		e = e.Because(errors.New(v.detail))
	}
	return e
}

// clean keeps what may stand in a sentence or a log line.
func clean(s string) string {
	out := make([]rune, 0, min(len(s), maxText))
	for _, r := range s {
		if len(out) == maxText {
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
