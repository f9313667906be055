//go:build ignore

// Generate draws receipt-photo.jpg, the photo of a paper receipt on a table that the
// demo uploads. Nobody's receipt is shown. Run it in its folder:
//
//	go run main.go ../receipt-photo.jpg
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

const (
	photoWidth, photoHeight = 1500, 2000
	paperWidth, paperHeight = 900, 1640 // of the flat receipt
	targetSize              = 300 << 10
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run main.go receipt-photo.jpg")
	}
	photo := shoot(drawReceipt())
	for quality := 95; quality > 30; quality-- {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, photo, &jpeg.Options{Quality: quality}); err != nil {
			log.Fatal(err)
		}
		if b.Len() <= targetSize {
			if err := os.WriteFile(os.Args[1], b.Bytes(), 0o644); err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%d bytes, quality %d\n", b.Len(), quality)
			return
		}
	}
	log.Fatal("the photo does not get small enough")
}

// drawReceipt prints the receipt, black on white.
func drawReceipt() *image.Gray {
	paper := image.NewGray(image.Rect(0, 0, paperWidth, paperHeight))
	for i := range paper.Pix {
		paper.Pix[i] = 255
	}
	face := func(data []byte, size float64) font.Face {
		f, err := opentype.Parse(data)
		if err != nil {
			log.Fatal(err)
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			log.Fatal(err)
		}
		return face
	}
	normal, bold, large := face(gomono.TTF, 34), face(gomonobold.TTF, 34), face(gomonobold.TTF, 62)
	y := 60
	write := func(f font.Face, x int, s string) {
		d := font.Drawer{Dst: paper, Src: image.NewUniform(color.Gray{38}), Face: f, Dot: fixed.P(x, y)}
		d.DrawString(s)
	}
	center := func(f font.Face, s string) {
		y += f.Metrics().Height.Ceil() + 6
		write(f, (paperWidth-font.MeasureString(f, s).Ceil())/2, s)
	}
	pair := func(f font.Face, left, right string) {
		y += f.Metrics().Height.Ceil() + 8
		write(f, 60, left)
		write(f, paperWidth-60-font.MeasureString(f, right).Ceil(), right)
	}
	rule := func() { center(normal, strings.Repeat("-", 38)) }

	center(large, "CAFÉ MERIDIAN")
	center(normal, "418 Harbor Street")
	center(normal, "Portland, OR 97204")
	center(normal, "Tel 503 555 0142")
	y += 24
	pair(normal, "Table 12", "Server: Mia")
	pair(normal, "2026-03-14", "12:47")
	pair(normal, "Check 004817", "Guests: 3")
	rule()
	for _, line := range [][2]string{{"2 Soup of the day", "13.00"}, {"1 Caesar salad", "11.50"}, {"1 Grilled salmon", "24.00"},
		{"1 Mushroom risotto", "18.50"}, {"3 Sparkling water", "10.50"}, {"2 Espresso", "6.80"}, {"1 Lemon tart", "8.20"}} {
		pair(normal, line[0], line[1])
	}
	rule()
	pair(normal, "Subtotal", "92.50")
	pair(normal, "Service 18 %", "16.65")
	pair(bold, "TOTAL  USD", "109.15")
	rule()
	pair(normal, "VISA ************4242", "109.15")
	pair(normal, "Auth 771 093", "APPROVED")
	y += 24
	center(bold, "Thank you for your visit!")
	center(normal, "Please keep this receipt.")
	y += 40
	random := rand.New(rand.NewPCG(4, 17))
	for x := 170; x < paperWidth-170; { // a bar code
		w := 3 + 3*random.IntN(3)
		for dx := range w {
			for dy := range 120 {
				paper.SetGray(x+dx, y+dy, color.Gray{30})
			}
		}
		x += w + 3 + 3*random.IntN(3)
	}
	y += 130
	center(normal, "0048 1720 2603 14")
	return paper
}

// noise is smooth noise between -1 and 1, the same for the same seed.
type noise [64][64]float64

func newNoise(seed uint64) *noise {
	random := rand.New(rand.NewPCG(seed, seed))
	var n noise
	for y := range n {
		for x := range n[y] {
			n[y][x] = 2*random.Float64() - 1
		}
	}
	return &n
}

func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	smooth := func(t float64) float64 { return t * t * (3 - 2*t) }
	u, v := smooth(x-fx), smooth(y-fy)
	value := func(dx, dy int) float64 { return n[(int(fy)+dy)&63][(int(fx)+dx)&63] }
	top := value(0, 0)*(1-u) + value(1, 0)*u
	bottom := value(0, 1)*(1-u) + value(1, 1)*u
	return top*(1-v) + bottom*v
}

// octaves adds finer and finer noise.
func (n *noise) octaves(x, y float64, count int) float64 {
	sum, weight := 0.0, 0.5
	for range count {
		sum += weight * n.at(x, y)
		x, y, weight = 2*x+7, 2*y+3, weight/2
	}
	return sum
}

// flat maps a place in the photo to one on the flat receipt: the camera is held a
// little askew, and the paper curls.
func flat(x, y float64) (float64, float64) {
	x, y = x-photoWidth/2, y-photoHeight/2
	const turn = 0.04
	x, y = x*math.Cos(turn)+y*math.Sin(turn), -x*math.Sin(turn)+y*math.Cos(turn)
	depth := 1 + y*0.00009 + x*0.00003 // the far end is smaller
	x, y = x*1.02/depth, y*1.12/depth
	x += 9 * math.Sin(y/430) // curled
	return x + paperWidth/2, y + paperHeight/2 - 6*math.Sin(x/260)
}

// shoot takes the photo.
func shoot(receipt *image.Gray) *image.RGBA {
	photo := image.NewRGBA(image.Rect(0, 0, photoWidth, photoHeight))
	random := rand.New(rand.NewPCG(8, 15))
	grain, crumple, fibre, light := newNoise(1), newNoise(2), newNoise(3), newNoise(4)
	for py := range photoHeight {
		for px := range photoWidth {
			var sum [3]float64
			for _, d := range [4][2]float64{{0.1, 0.3}, {0.6, 0.1}, {0.9, 0.7}, {0.4, 0.9}} { // soft edges
				c := look(receipt, float64(px)+d[0], float64(py)+d[1], grain, crumple, fibre)
				for i := range sum {
					sum[i] += c[i] / 4
				}
			}
			x, y := float64(px)/photoWidth, float64(py)/photoHeight
			lamp := 1.06 - 0.30*math.Hypot(x-0.36, (y-0.30)*1.2) + 0.05*light.at(2.5*x, 2.5*y)
			shake := random.NormFloat64() * 3.2
			for i := range sum {
				v := sum[i]*lamp + shake + random.NormFloat64()*1.8
				photo.Pix[photo.PixOffset(px, py)+i] = byte(min(max(v, 0), 255))
			}
			photo.Pix[photo.PixOffset(px, py)+3] = 255
		}
	}
	return photo
}

// look is the colour at a place of the photo, before light and camera.
func look(receipt *image.Gray, px, py float64, grain, crumple, fibre *noise) [3]float64 {
	x, y := flat(px, py)
	ragged := 3 * fibre.at(x/9, 0.5) // the torn end
	if x >= 0 && y >= ragged && x < paperWidth-1 && y < paperHeight-1-ragged {
		ink := sample(receipt, x, y) / 255
		fade := 0.10 * (crumple.octaves(x/300+9, y/200, 3) + 0.5) // a print head that is not new
		ink = 1 - (1-ink)*(1-fade)
		slope := crumple.octaves(x/230, y/310, 4) - crumple.octaves((x+14)/230, (y+10)/310, 4)
		crease := 0.0
		for _, fold := range [2]float64{paperHeight * 0.36, paperHeight * 0.69} {
			d := y - fold - 0.03*x
			crease += 0.11 * math.Exp(-d*d/90) * math.Copysign(1, d)
		}
		shade := 1 + 0.7*slope + crease + 0.012*fibre.octaves(x/3, y/3, 2)
		v := 232 * shade * ink
		return [3]float64{v * 1.0, v * 0.985, v * 0.945}
	}
	// The table: boards with grain, and the shadow of the paper on it.
	board := math.Floor(px / 370)
	g := grain.octaves(px/26+board*13, py/420+board*5, 5)
	lines := 0.5 + 0.5*math.Sin(px/7+14*grain.octaves(px/210+board*3, py/900, 3))
	v := 0.62 + 0.28*g + 0.07*lines
	if gap := math.Mod(px, 370); gap < 5 {
		v *= 0.45 + 0.1*gap
	}
	sx, sy := flat(px-16, py-22)
	away := math.Hypot(max(-sx, sx-paperWidth, 0), max(-sy, sy-paperHeight, 0))
	v *= 1 - 0.55*math.Exp(-away/16)
	return [3]float64{172 * v, 122 * v, 82 * v}
}

// sample reads between the pixels.
func sample(m *image.Gray, x, y float64) float64 {
	ix, iy := int(x), int(y)
	u, v := x-float64(ix), y-float64(iy)
	at := func(dx, dy int) float64 { return float64(m.GrayAt(ix+dx, iy+dy).Y) }
	return (at(0, 0)*(1-u)+at(1, 0)*u)*(1-v) + (at(0, 1)*(1-u)+at(1, 1)*u)*v
}
