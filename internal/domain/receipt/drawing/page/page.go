// Package page is what a receipt is once it is laid out: texts and boxes at their
// places, in the order in which they are read, with what each is. The PDF and the PNG
// are drawn from it. Distances are integers in 1/1000 point, from the upper left.
package page

import (
	"time"

	"quittance/internal/domain/receipt/drawing/text"
)

// Ink is a colour.
type Ink uint8

// The inks. All are shades of grey but Accent and Tint, a wash of it.
const (
	Black Ink = iota
	Gray
	Line
	White
	Accent
	Tint
	Inks // how many there are
)

// RGB is an ink's colour.
func (i Ink) RGB() (r, g, b uint8) {
	c := [Inks][3]uint8{{0x1a, 0x1a, 0x1a}, {0x68, 0x68, 0x68}, {0xd0, 0xd0, 0xd0}, {0xff, 0xff, 0xff}, {0x1f, 0x4e, 0x5f}, {0xee, 0xf3, 0xf4}}[i]
	return c[0], c[1], c[2]
}

// Kind is what an operation draws.
type Kind uint8

// The kinds of operations.
const (
	Text Kind = iota // Line with its left end at X and its base line at Y
	Box              // a filled box
	Tile             // a filled box with round corners
)

// Radius is that of a tile's corners.
const Radius = 5_000

// Artifact is the Node of what carries no meaning: lines, repeated headings, footers.
const Artifact = -1

// Op draws one thing.
type Op struct {
	Kind       Kind
	Ink        Ink
	Node       int32 // in the document's nodes, or Artifact
	X, Y, W, H int
	Line       text.Line
}

// Node is one element of the document's structure.
type Node struct {
	Tag    Tag
	Parent int32 // an earlier node; Artifact for the root, which is node 0
	// Text is what stands there in reading order, when some of it runs to the left:
	// glyphs are drawn from the left. Empty otherwise.
	Text string
}

// Tag is a kind of structure, with the name that PDF has for it.
type Tag string

// The tags in use.
const (
	Document Tag = "Document"
	Section  Tag = "Sect"
	H1       Tag = "H1"
	H2       Tag = "H2"
	P        Tag = "P"
	Table    Tag = "Table"
	TR       Tag = "TR"
	TH       Tag = "TH"
	TD       Tag = "TD"
)

// Size is that of a page.
type Size struct{ Width, Height int }

// The sizes of paper.
var (
	A4     = Size{595_276, 841_890}
	Letter = Size{612_000, 792_000}
)

// Info is what a document says of itself.
type Info struct {
	Title    string
	Subject  string
	Language string // of its labels: a tag such as "en"
	Created  time.Time
	Size     Size
}

// Sink draws one document after the other.
type Sink interface {
	Begin(Info)
	// Page takes the next page. The slice is the caller's again afterwards.
	Page(ops []Op) error
	// Over draws more on a page that was taken before, counted from 0.
	Over(page int, ops []Op)
	// Finish gives the whole file. The slice is the caller's until the next Begin.
	Finish(nodes []Node) []byte
}
