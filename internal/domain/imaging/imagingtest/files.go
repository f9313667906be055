package imagingtest

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/textproto"

	"golang.org/x/image/tiff"
)

// picture is a picture of noise, so that it compresses badly; seeds give different ones.
func picture(seed uint64, width, height int) image.Image {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White, color.Gray{128}, color.RGBA{200, 30, 30, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(r.IntN(4))
	}
	return m
}

func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// JPEG, PNG, GIF and TIFF are small pictures, a different one for each seed.
func JPEG(seed uint64) []byte { return JPEGOf(seed, 40, 30) }

// JPEGOf is a JPEG of these sides.
func JPEGOf(seed uint64, width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(seed, width, height), nil) })
}

// PNG is a PNG.
func PNG(seed uint64) []byte {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, picture(seed, 40, 30)) })
}

// GIF is a GIF.
func GIF(seed uint64) []byte {
	return encoded(func(b *bytes.Buffer) error { return gif.Encode(b, picture(seed, 40, 30), nil) })
}

// TIFF is a TIFF.
func TIFF(seed uint64) []byte {
	return encoded(func(b *bytes.Buffer) error { return tiff.Encode(b, picture(seed, 40, 30), nil) })
}

// Part is one part of a multipart body; without a FileName it is a plain field.
type Part struct {
	Name, FileName, Type string
	Content              []byte
}

// Multipart writes a multipart/form-data body and tells its Content-Type.
func Multipart(parts ...Part) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("boundary-of-the-test"); err != nil {
		panic(err)
	}
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + p.Name + `"`
		if p.FileName != "" {
			d += `; filename="` + p.FileName + `"`
		}
		h.Set("Content-Disposition", d)
		if p.Type != "" {
			h.Set("Content-Type", p.Type)
		}
		part, err := w.CreatePart(h)
		if err != nil {
			panic(err)
		}
		part.Write(p.Content)
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}
