package document

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"quittance/internal/kernel/errs"
)

// inspect reads a file through an inspector.
func inspect(b []byte, o Options) (Info, error) {
	return inspectReader(bytes.NewReader(b), o)
}

func inspectReader(r io.Reader, o Options) (Info, error) {
	i := Inspect(r, o)
	_, err := io.Copy(io.Discard, i)
	info, infoErr := i.Info()
	if err != infoErr {
		return Info{}, fmt.Errorf("read gave %v, info %v", err, infoErr)
	}
	return info, err
}

// goodFiles is one file a kind, and what it is.
func goodFiles() map[string]struct {
	data []byte
	want Info
} {
	img := corners(40, 30)
	type file = struct {
		data []byte
		want Info
	}
	return map[string]file{
		"jpeg":              {jpegOf(img), Info{Type: JPEG, Pages: 1, Width: 40, Height: 30}},
		"jpeg grey":         {jpegOf(image.NewGray(img.Bounds())), Info{Type: JPEG, Pages: 1, Width: 40, Height: 30}},
		"jpeg exif":         {withExif(jpegOf(img), 6), Info{Type: JPEG, Pages: 1, Width: 40, Height: 30}},
		"jpeg progressive":  {[]byte(soi + segment(0xe0, "JFIF") + segment(0xc2, frame(8, 30, 40, 3)) + scan + segment(0xc4, "x") + scan + eoi), Info{Type: JPEG, Pages: 1, Width: 40, Height: 30}},
		"jpeg filled":       {[]byte(soi + "\xff\xff" + segment(0xc0, frame(8, 30, 40, 1)) + scan + "\xff\xff\xff\xd9"), Info{Type: JPEG, Pages: 1, Width: 40, Height: 30}},
		"png":               {pngOf(img), Info{Type: PNG, Pages: 1, Width: 40, Height: 30}},
		"png palette":       {pngOf(paletted(img)), Info{Type: PNG, Pages: 1, Width: 40, Height: 30}},
		"png 16 bits":       {pngOf(image.NewRGBA64(img.Bounds())), Info{Type: PNG, Pages: 1, Width: 40, Height: 30}},
		"png interlaced":    {interlacedPNG(img), Info{Type: PNG, Pages: 1, Width: 40, Height: 30}},
		"gif":               {gifOf(paletted(img)), Info{Type: GIF, Pages: 1, Width: 40, Height: 30}},
		"gif animated":      {gifOf(paletted(img), paletted(img), paletted(img)), Info{Type: GIF, Pages: 1, Width: 40, Height: 30}},
		"tiff little":       {tiffOf(binary.LittleEndian, rgbPage(img)), Info{Type: TIFF, Pages: 1, Width: 40, Height: 30}},
		"tiff big":          {tiffOf(binary.BigEndian, rgbPage(img), rgbPage(img), faxPage(32, 16)), Info{Type: TIFF, Pages: 3, Width: 40, Height: 30}},
		"tiff of tiles":     {tiffOf(binary.LittleEndian, jpegPage(img, 16)), Info{Type: TIFF, Pages: 1, Width: 40, Height: 30}},
		"tiff with preview": {tiffOf(binary.LittleEndian, rgbPage(img), tiffPageOf{append([]tiffTag{longTag(tagSubfile, 1)}, rgbPage(corners(4, 3)).tags...), rgbPage(corners(4, 3)).data}), Info{Type: TIFF, Pages: 1, Width: 40, Height: 30}},
		"pdf":               {textPDF("one", "two"), Info{Type: PDF, Pages: 2}},
		"pdf compressed":    {compressedPDF(""), Info{Type: PDF, Pages: 1}},
		"pdf updated":       {updated(updated(textPDF("one"), rootTrailer), rootTrailer), Info{Type: PDF, Pages: 1}},
		"pdf hybrid":        {hybridPDF(""), Info{Type: PDF, Pages: 1}},
	}
}

func TestGoodFiles(t *testing.T) {
	for name, file := range goodFiles() {
		want := file.want
		want.Bytes = int64(len(file.data))
		for how, r := range map[string]io.Reader{
			"whole":           bytes.NewReader(file.data),
			"byte by byte":    iotest.OneByteReader(bytes.NewReader(file.data)),
			"with the end":    iotest.DataErrReader(bytes.NewReader(file.data)),
			"in small halves": iotest.HalfReader(bytes.NewReader(file.data)),
		} {
			i := Inspect(r, Options{})
			got, err := io.ReadAll(i)
			if err != nil || !bytes.Equal(got, file.data) {
				t.Errorf("%s %s: %v, and %d of %d bytes came through", name, how, err, len(got), len(file.data))
				continue
			}
			if info, err := i.Info(); err != nil || info != want {
				t.Errorf("%s %s: got %+v, %v, want %+v", name, how, info, err, want)
			}
		}
	}
}

// Every file that was cut off on its way is refused, wherever it was cut.
func TestTruncatedFiles(t *testing.T) {
	for name, file := range goodFiles() {
		for n := range len(file.data) {
			if complete(file.data, n) {
				continue
			}
			_, err := inspect(file.data[:n], Options{})
			if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Unsupported) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(file.data), err)
			}
			if n > 16 && errs.Is(err, errs.Unsupported) {
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
		}
	}
}

// complete says that the first n bytes of a PDF are an older version of it, or all but
// its last word.
func complete(b []byte, n int) bool {
	i := bytes.LastIndex(b[:n], []byte("startxref\n"))
	if i < 0 {
		return false
	}
	i += len("startxref\n")
	number := bytes.IndexByte(b[i:], '\n')
	return n >= i+number && strings.HasPrefix("\n%%EOF\n", string(b[i+number:n]))
}

func TestPhonesAppendData(t *testing.T) {
	b := append(jpegOf(corners(40, 30)), bytes.Repeat([]byte("film\xff\xd8\xff"), 1000)...)
	if _, err := inspect(b, Options{}); err != nil {
		t.Error(err)
	}
	for _, file := range [][]byte{pngOf(corners(40, 30)), gifOf(paletted(corners(40, 30))), textPDF("x")} {
		if _, err := inspect(append(file, 0, '\n', 0, 0), Options{}); err != nil {
			t.Error(err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	photo, picture := jpegOf(corners(40, 30)), pngOf(corners(40, 30))
	text, packed := textPDF("one"), compressedPDF("")
	swap := func(b []byte, old, new string) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("nothing to swap: " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
	page := func(tags ...tiffTag) []byte { return tiffOf(binary.LittleEndian, tiffPageOf{tags, [][]byte{{1}}}) }
	long := newPDF()
	long.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	long.object(2, "<</Type/Pages/Count 2001/Kids[3 0 R]>>")

	tests := []struct {
		name string
		data []byte
		kind errs.Kind
		code string
	}{
		{"empty", nil, errs.Invalid, "empty"},
		{"text", []byte("Dear Sir or Madam,\n"), errs.Unsupported, "fileType"},
		{"one byte", []byte("x"), errs.Unsupported, "fileType"},
		{"long text", bytes.Repeat([]byte("Dear Sir or Madam,\n"), 500), errs.Unsupported, "fileType"},
		{"html", []byte("<html><script>alert(1)</script>%PDF-1.4"), errs.Unsupported, "fileType"},
		{"zip with a pdf inside", append([]byte("PK\x03\x04 stored "), text...), errs.Unsupported, "fileType"},
		{"webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), errs.Unsupported, "fileType"},
		{"base64 of a jpeg", []byte(base64.StdEncoding.EncodeToString(photo)), errs.Unsupported, "fileType"},
		{"base64 of a pdf in lines", []byte("JVBERi0xLjcK\r\nJVBERi0xLjcK\r\n"), errs.Unsupported, "fileType"},
		{"data url", []byte("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)), errs.Unsupported, "fileType"},
		{"not base64 after all", []byte("/9j/ is how it begins, but no more"), errs.Unsupported, "fileType"},

		{"jpeg without image", []byte(soi + eoi), errs.Invalid, "damaged"},
		{"jpeg without header", []byte(soi + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg without height", []byte(soi + segment(0xc0, frame(8, 0, 40, 3)) + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg without width", []byte(soi + segment(0xc0, frame(8, 40, 0, 3)) + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg of 4 gigapixels", []byte(soi + segment(0xc0, frame(8, 65535, 65535, 3)) + scan + eoi), errs.Invalid, "pixels"},
		{"jpeg of 12 bits", []byte(soi + segment(0xc1, frame(12, 30, 40, 3)) + scan + eoi), errs.Invalid, "variant"},
		{"jpeg of two colours", []byte(soi + segment(0xc0, frame(8, 30, 40, 2)) + scan + eoi), errs.Invalid, "variant"},
		{"jpeg lossless", []byte(soi + segment(0xc3, frame(8, 30, 40, 3)) + scan + eoi), errs.Invalid, "variant"},
		{"jpeg arithmetic", []byte(soi + segment(0xc9, frame(8, 30, 40, 3)) + scan + eoi), errs.Invalid, "variant"},
		{"jpeg hierarchical", []byte(soi + segment(0xc5, frame(8, 30, 40, 3)) + scan + eoi), errs.Invalid, "variant"},
		{"jpeg of two frames", []byte(soi + segment(0xc0, frame(8, 30, 40, 3)) + segment(0xc0, frame(8, 30, 40, 3)) + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg header too short", []byte(soi + segment(0xc0, frame(8, 30, 40, 3)[:8]) + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg header too long", []byte(soi + segment(0xc0, frame(8, 30, 40, 3)+"x") + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg length of one", []byte(soi + "\xff\xe0\x00\x01" + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg rubbish between segments", []byte(soi + segment(0xe0, "JFIF") + "rubbish" + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg in a jpeg", []byte(soi + soi + segment(0xc0, frame(8, 30, 40, 3)) + scan + eoi), errs.Invalid, "damaged"},
		{"jpeg of a thousand scans", []byte(soi + segment(0xc2, frame(8, 30, 40, 3)) + strings.Repeat(scan, 1000) + eoi), errs.Invalid, "damaged"},
		{"jpeg and a large file", append(photo, make([]byte, maxJPEGTrailer+1)...), errs.Invalid, "damaged"},

		{"png with a wrong sum", swap(picture, "IDAT\x78", "IDAT\x79"), errs.Invalid, "damaged"},
		{"png without header", []byte(pngSignature + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png without image", []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png of no width", []byte(pngSignature + ihdr(0, 1, 8, 2, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png of 4 billion rows", []byte(pngSignature + ihdr(1, 1<<32-1, 8, 2, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "pixels"},
		{"png of 101 megapixels", []byte(pngSignature + ihdr(10_100, 10_000, 8, 2, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "pixels"},
		{"png of 3 bits", []byte(pngSignature + ihdr(1, 1, 3, 0, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png of colour 5", []byte(pngSignature + ihdr(1, 1, 8, 5, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png without its palette", []byte(pngSignature + ihdr(1, 1, 8, 3, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png with two headers", []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + ihdr(1, 1, 8, 2, 0) + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png with split data", []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + pngChunk("IDAT", "x") + pngChunk("tEXt", "x") + pngChunk("IDAT", "x") + pngChunk("IEND", "")), errs.Invalid, "damaged"},
		{"png with a promised gigabyte", []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + "\x40\x00\x00\x00IDATxxxxxxxxxxxxxxxx"), errs.Invalid, "truncated"},
		{"png with an unknown needed chunk", []byte(pngSignature + pngChunk("CgBI", "xxxx") + ihdr(1, 1, 8, 2, 0)), errs.Invalid, "variant"},
		{"png with a nameless chunk", []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + pngChunk("\x00\x01\x02\x03", "")), errs.Invalid, "damaged"},
		{"png and a zip", append(pngOf(corners(4, 4)), "PK\x03\x04"...), errs.Invalid, "damaged"},
		{"png and a lot of nothing", append(pngOf(corners(4, 4)), make([]byte, 10_000)...), errs.Invalid, "damaged"},

		{"gif without image", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x3b"), errs.Invalid, "damaged"},
		{"gif without size", []byte("GIF89a\x00\x00\x04\x00\x00\x00\x00\x3b"), errs.Invalid, "damaged"},
		{"gif of 4 gigapixels", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00\x3b"), errs.Invalid, "pixels"},
		{"gif with a frame outside", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x2c\x01\x00\x00\x00\x04\x00\x04\x00\x00\x02\x00\x3b"), errs.Invalid, "damaged"},
		{"gif with an empty frame", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x2c\x01\x00\x00\x00\x00\x00\x04\x00\x00\x02\x00\x3b"), errs.Invalid, "damaged"},
		{"gif with a wrong code size", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x04\x00\x04\x00\x00\x0c\x00\x3b"), errs.Invalid, "damaged"},
		{"gif with an unknown block", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x99"), errs.Invalid, "damaged"},
		{"gif and a script", append(gifOf(paletted(corners(4, 4))), "/*<script>"...), errs.Invalid, "damaged"},

		{"tiff of 8 bytes", []byte("II*\x00\x08\x00\x00\x00"), errs.Invalid, "truncated"},
		{"tiff far away", []byte("MM\x00*\xff\xff\xff\xff"), errs.Invalid, "truncated"},
		{"tiff without page", []byte("II*\x00\x00\x00\x00\x00"), errs.Invalid, "damaged"},
		{"tiff in its header", []byte("II*\x00\x02\x00\x00\x00"), errs.Invalid, "truncated"},
		{"big tiff", []byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"), errs.Unsupported, "fileType"},
		{"tiff without entries", []byte("II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"), errs.Invalid, "damaged"},
		{"tiff of 65,535 entries", append([]byte("II*\x00\x08\x00\x00\x00\xff\xff"), make([]byte, 12*65535+4)...), errs.Invalid, "damaged"},
		{"tiff that loops", loopingTIFF(), errs.Invalid, "damaged"},
		{"tiff without size", page(tag(tagCompression, 1), longTag(tagStripOffsets), longTag(tagStripByteCounts)), errs.Invalid, "damaged"},
		{"tiff of 4 gigapixels", page(longTag(tagWidth, 65535), longTag(tagHeight, 65535), longTag(tagStripOffsets), longTag(tagStripByteCounts)), errs.Invalid, "pixels"},
		{"tiff with too few strips", page(longTag(tagWidth, 8), longTag(tagHeight, 80), longTag(tagStripOffsets), longTag(tagRowsPerStrip, 8), longTag(tagStripByteCounts)), errs.Invalid, "damaged"},
		{"tiff without data", page(longTag(tagWidth, 8), longTag(tagHeight, 8)), errs.Invalid, "damaged"},
		{"tiff in an old compression", page(longTag(tagWidth, 8), longTag(tagHeight, 8), tag(tagCompression, 6), longTag(tagStripOffsets), longTag(tagStripByteCounts)), errs.Invalid, "variant"},
		{"tiff in cyan and magenta", page(longTag(tagWidth, 8), longTag(tagHeight, 8), tag(tagBits, 8, 8, 8, 8), tag(tagPhotometric, 5), longTag(tagStripOffsets), tag(tagSamples, 4), longTag(tagStripByteCounts)), errs.Invalid, "variant"},
		{"tiff of tiny tiles", page(longTag(tagWidth, 8), longTag(tagHeight, 8), longTag(tagTileWidth, 0), longTag(tagTileLength, 1), longTag(tagTileOffsets), longTag(tagTileByteCounts)), errs.Invalid, "damaged"},

		{"pdf with a password", swap(text, "/Root", "/Encrypt 9 0 R/Root"), errs.Invalid, "encrypted"},
		{"pdf with a password, spelled oddly", swap(text, "/Root", "/#45ncrypt<</Filter/Standard>>/Root"), errs.Invalid, "encrypted"},
		{"pdf with a password in a stream", compressedPDF("/Encrypt 9 0 R"), errs.Invalid, "encrypted"},
		{"pdf with a password in the hidden stream", hybridPDF("/Encrypt 9 0 R"), errs.Invalid, "encrypted"},
		{"pdf with a password before an update", updated(swap(text, "/Root", "/Encrypt 9 0 R/Root"), rootTrailer), errs.Invalid, "encrypted"},
		{"pdf with a password in an update", updated(text, rootTrailer+"/Encrypt 9 0 R"), errs.Invalid, "encrypted"},
		{"pdf of 2,001 pages", long.table(rootTrailer), errs.Invalid, "pages"},
		{"pdf without pages", swap(text, "/Count 1", "/Count 0"), errs.Invalid, "damaged"},
		{"pdf of minus one page", swap(text, "/Count 1", "/Count -1"), errs.Invalid, "damaged"},
		{"pdf without catalog", swap(text, "/Root 1", "/Root 9"), errs.Invalid, "damaged"},
		{"pdf without root", swap(text, rootTrailer, ""), errs.Invalid, "damaged"},
		{"pdf whose trees are mixed up", swap(text, "/Pages 2", "/Pages 3"), errs.Invalid, "damaged"},
		{"pdf that only begins", []byte("%PDF-1.7\n"), errs.Invalid, "truncated"},
		{"pdf that loops", loopingPDF(), errs.Invalid, "damaged"},
		{"pdf whose table is elsewhere", swap(text, "startxref\n", "startxref\n1"), errs.Invalid, "damaged"},
		{"pdf in a pdf's length", selfLengthPDF(), errs.Invalid, "damaged"},
		{"pdf that inflates without end", bombPDF(), errs.Invalid, "damaged"},
		{"pdf with open brackets", swap(text, rootTrailer, "/X "+strings.Repeat("[", 100_000)), errs.Invalid, "damaged"},
		{"pdf with an odd predictor", swap(packed, "/Predictor 12", "/Predictor 2 "), errs.Invalid, "variant"},
		{"pdf and a large zip", append(text, bytes.Repeat([]byte("PK\x03\x04"), 1000)...), errs.Invalid, "truncated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := inspect(test.data, Options{})
			e := errs.As(err)
			if e == nil || e.Kind != test.kind || e.Code != test.code {
				t.Errorf("got %v, want %v %s", err, test.kind, test.code)
			}
			_, err2 := inspectReader(iotest.OneByteReader(bytes.NewReader(test.data)), Options{})
			if err == nil || err2 == nil || err.Error() != err2.Error() {
				t.Errorf("byte by byte: %v; else %v", err2, err)
			}
		})
	}
}

// A file is what it begins as, whatever else is in it.
func TestFilesOfTwoKinds(t *testing.T) {
	both := append(jpegOf(corners(40, 30)), textPDF("hidden")...)
	if info, err := inspect(both, Options{Types: []Type{PDF, JPEG}}); err != nil || info.Type != JPEG {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := inspect(both, Options{Types: []Type{PDF}}); !errs.Is(err, errs.Unsupported) {
		t.Errorf("%v", err)
	}
	for _, before := range []string{"\n\n", "\xef\xbb\xbf", "\x00\x00\x00\x00", "\x1b%-12345X@PJL JOB\r\n"} {
		if info, err := inspect(append([]byte(before), textPDF("one")...), Options{}); err != nil || info.Type != PDF {
			t.Errorf("a PDF after %q: %+v, %v", before, info, err)
		}
	}
	far := append(bytes.Repeat([]byte{' '}, 1100), textPDF("one")...)
	if _, err := inspect(far, Options{}); !errs.Is(err, errs.Unsupported) {
		t.Errorf("a PDF far away: %v", err)
	}
}

func TestOptions(t *testing.T) {
	b := jpegOf(noise(100, 100))
	_, err := inspect(b, Options{Types: []Type{PDF, PNG}})
	if e := errs.As(err); e == nil || e.Kind != errs.Unsupported || !strings.Contains(e.Message, "PDF, PNG") {
		t.Errorf("%v", err)
	}
	size := int64(len(b))
	if _, err := inspect(b, Options{MaxBytes: size}); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	if _, err := inspect(b, Options{MaxBytes: size - 1}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("one over the limit: %v", err)
	}
	_, err = inspectReader(io.MultiReader(bytes.NewReader(b), endless{}), Options{MaxBytes: 5 << 20})
	if e := errs.As(err); e == nil || e.Kind != errs.TooLarge || !strings.Contains(e.Message, "5 MB") {
		t.Errorf("without end: %v", err)
	}
	for code, body := range map[string][]byte{
		"Base64":         []byte(base64.StdEncoding.EncodeToString(b)),
		"must begin":     append([]byte("To whom it may concern: "), textPDF("x")...),
		"PDF, JPEG, PNG": []byte("something else altogether"),
	} {
		if _, err := inspect(body, Options{}); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%v does not say %q", err, code)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestReaderErrorsPass(t *testing.T) {
	gone := errors.New("the connection is gone")
	i := Inspect(io.MultiReader(bytes.NewReader(jpegOf(corners(4, 4))[:50]), iotest.ErrReader(gone)), Options{})
	if _, err := io.Copy(io.Discard, i); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := i.Info(); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := Inspect(bytes.NewReader(nil), Options{}).Info(); !errs.Is(err, errs.Internal) {
		t.Errorf("before the end: %v", err)
	}
}

// A bad file is refused before its end, and its bytes do not come through.
func TestRefusedEarly(t *testing.T) {
	for name, head := range map[string]string{
		"text":  strings.Repeat("x", 4096),
		"pixel": pngSignature + ihdr(60_000, 60_000, 8, 2, 0),
		"jpeg":  soi + segment(0xc3, frame(8, 30, 40, 3)),
		"gif":   "GIF89a\xff\xff\xff\xff\x00\x00\x00",
	} {
		i := Inspect(io.MultiReader(strings.NewReader(head), iotest.ErrReader(errors.New("read too far"))), Options{})
		n, err := io.Copy(io.Discard, i)
		if e := errs.As(err); e == nil || e.Kind == errs.Internal {
			t.Errorf("%s: %v", name, err)
		}
		if n != 0 {
			t.Errorf("%s: %d bytes came through", name, n)
		}
	}
}

// Hostile files cost no more memory than a few times their size.
func TestHostileFilesCostLittle(t *testing.T) {
	const limit = 10 << 20
	repeat := func(s string) string { return strings.Repeat(s, limit/len(s)-400) }
	asTrailer := func(s string) []byte {
		p := newPDF()
		p.object(1, "<</Type/Catalog/Pages 2 0 R>>")
		p.object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
		return p.table(rootTrailer + s)
	}
	sections := newPDF()
	sections.WriteString("xref\n" + repeat("0 0\n") + "trailer\n<<>>\nstartxref\n15\n")
	entries := newPDF()
	entries.WriteString(fmt.Sprintf("xref\n0 %d\n", limit/20-1000) + repeat("0000000000 00000 n \n") + "\ntrailer\n<</Root 1 0 R>>\nstartxref\n15\n")
	strips := make([]uint32, 1<<16)
	var pages []tiffPageOf
	shared := tiffPageOf{tags: []tiffTag{longTag(tagWidth, 1), longTag(tagHeight, 1<<16), tag(tagCompression, 1), tag(tagPhotometric, 1),
		longTag(tagStripOffsets), tag(tagRowsPerStrip, 1), longTag(tagStripByteCounts)}}
	for range 18 {
		p := shared
		p.data = make([][]byte, len(strips))
		pages = append(pages, p)
	}
	files := map[string][]byte{
		"tiff of 8 bytes":   []byte("II*\x00\x08\x00\x00\x00"),
		"tiff of strips":    tiffOf(binary.LittleEndian, pages...),
		"pdf bomb":          bombPDF(),
		"pdf names":         asTrailer(repeat("/Size/Size")),
		"pdf numbers":       asTrailer("/W[" + repeat("1 ") + "]"),
		"pdf dictionaries":  asTrailer("/W[" + repeat("<<>>") + "]"),
		"pdf open arrays":   asTrailer("/W" + repeat("[")),
		"pdf strings":       asTrailer("/W(" + repeat("(") + ")"),
		"pdf comments":      asTrailer(repeat("%\n")),
		"pdf sections":      sections.Bytes(),
		"pdf entries":       entries.Bytes(),
		"pdf of blanks":     []byte("%PDF-1.7\n" + repeat(" ") + "x"),
		"jpeg of markers":   []byte(soi + repeat("\xff")),
		"jpeg of segments":  []byte(soi + repeat("\xff\xe0\x00\x02")),
		"jpeg of stuffing":  []byte(soi + segment(0xc0, frame(8, 30, 40, 3)) + scan + repeat("\xff\x00")),
		"png of chunks":     []byte(pngSignature + ihdr(1, 1, 8, 2, 0) + repeat(pngChunk("tEXt", ""))),
		"gif of extensions": []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00" + repeat("\x21\x01\x00")),
		"gif of blocks":     []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00\x21\x01" + repeat("\x01x")),
	}
	for name, b := range files {
		if len(b) > limit {
			t.Fatalf("%s is over the limit: %d", name, len(b))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := inspect(b, Options{MaxBytes: limit})
		runtime.ReadMemStats(&after)
		if err == nil && name != "pdf comments" {
			t.Errorf("%s was taken", name)
		}
		if used, allowed := after.TotalAlloc-before.TotalAlloc, uint64(6*len(b)+40<<20); used > allowed {
			t.Errorf("%s of %d bytes: %d MB allocated", name, len(b), used>>20)
		}
	}
}

func TestStreamedTypesKeepNothing(t *testing.T) {
	for name, b := range map[string][]byte{
		"jpeg": jpegOf(noise(800, 800)), "png": pngOf(noise(500, 500)), "gif": gifOf(paletted(noise(900, 900))),
	} {
		buf := make([]byte, 32<<10)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := Inspect(bytes.NewReader(b), Options{}); ; {
			if _, err := i.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if allocated > 64<<10 {
			t.Errorf("%s: %d bytes allocated for %d", name, allocated, len(b))
		}
	}
}

func loopingTIFF() []byte {
	b := tiffOf(binary.LittleEndian, rgbPage(corners(4, 4)), rgbPage(corners(4, 4)))
	copy(b[len(b)-4:], b[4:8])
	return b
}

func loopingPDF() []byte {
	b := updated(textPDF("one"), rootTrailer)
	i := bytes.LastIndex(b, []byte("/Prev "))
	j := bytes.IndexByte(b[i+6:], '/') + i + 6
	start := strings.Fields(string(b[bytes.LastIndex(b, []byte("startxref\n")):]))[1]
	return []byte(string(b[:i+6]) + start + string(b[j:]))
}

// selfLengthPDF has an object stream whose length is one of its own objects.
func selfLengthPDF() []byte {
	p := newPDF()
	p.object(5, "<</Type/ObjStm/N 1/First 4/Length 7 0 R>>\nstream\n7 0 9\nendstream")
	at := p.Len()
	row := func(kind, a, b int) string { return string([]byte{byte(kind), byte(a >> 8), byte(a), byte(b)}) }
	p.stream(6, "/Type/XRef/Size 8/W[1 2 1]/Root 1 0 R", row(0, 0, 0)+row(2, 5, 0)+row(0, 0, 0)+row(0, 0, 0)+row(0, 0, 0)+row(1, p.offsets[5], 0)+row(1, at, 0)+row(2, 5, 0))
	fmt.Fprintf(p, "startxref\n%d\n", at)
	return p.Bytes()
}

// bombPDF has a cross-reference stream that is a thousand times smaller than what it inflates to.
func bombPDF() []byte {
	p := newPDF()
	at := p.Len()
	p.stream(6, "/Type/XRef/Size 8/W[1 2 1]/Root 1 0 R/Filter/FlateDecode", bomb())
	fmt.Fprintf(p, "startxref\n%d\n", at)
	return p.Bytes()
}

var bomb = sync.OnceValue(func() string { return deflated(make([]byte, 1<<26)) })

func fuzz(f *testing.F, kinds Type) {
	for _, file := range goodFiles() {
		if file.want.Type == kinds {
			f.Add(file.data)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := inspect(b, Options{MaxBytes: 1 << 20})
		again, err2 := inspectReader(iotest.OneByteReader(bytes.NewReader(b)), Options{MaxBytes: 1 << 20})
		if info != again || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("at once %+v, %v; byte by byte %+v, %v", info, err, again, err2)
		}
		if err != nil {
			if e := errs.As(err); e.Kind == errs.Internal {
				t.Fatal(err)
			}
			return
		}
		if info.Pages < 1 || info.Pages > MaxPages || info.Width*info.Height > MaxPixels || info.Type != PDF && (info.Width < 1 || info.Height < 1) {
			t.Fatalf("%+v", info)
		}
		if info.Type == JPEG {
			ph, err := readPhoto(b)
			if err != nil {
				t.Fatal(err)
			}
			if inner, err := inspect(ph.data, Options{}); err != nil || inner.Width != info.Width || inner.Height != info.Height {
				t.Fatalf("its photo: %+v, %v", inner, err)
			}
		}
	})
}

func FuzzJPEG(f *testing.F) { fuzz(f, JPEG) }
func FuzzPNG(f *testing.F)  { fuzz(f, PNG) }
func FuzzGIF(f *testing.F)  { fuzz(f, GIF) }
func FuzzTIFF(f *testing.F) { fuzz(f, TIFF) }
func FuzzPDF(f *testing.F)  { fuzz(f, PDF) }

func BenchmarkInspect(b *testing.B) {
	photo := jpegOf(noise(460, 460))
	for name, data := range map[string][]byte{
		"jpeg": photo, "png": pngOf(noise(300, 300)), "gif": gifOf(paletted(noise(600, 600))),
		"tiff": tiffOf(binary.LittleEndian, rgbPage(noise(320, 320))), "pdf": textPDF(strings.Repeat("x", 300_000)),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			buf := make([]byte, 32<<10)
			for b.Loop() {
				i := Inspect(bytes.NewReader(data), Options{})
				for {
					if _, err := i.Read(buf); err != nil {
						break
					}
				}
				if _, err := i.Info(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
