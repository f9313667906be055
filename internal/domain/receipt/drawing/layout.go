package drawing

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/domain/receipt/drawing/text"
	"quittance/internal/kernel/errs"
)

// All distances are in 1/1000 point.
const (
	point       = 1000
	marginSide  = 54 * point
	marginTop   = 50 * point
	marginFoot  = 62 * point // where the text ends; the footer stands below
	footLine    = 46 * point // from the lower edge of the page
	gutter      = 12 * point
	hairline    = 500
	maxPages    = 2000
	maxPNGPages = 20
)

// look is how a piece of text looks and how much room a line of it takes.
type look struct {
	style text.Style
	ink   page.Ink
	lead  int // from one base line to the next
	above int // the part of lead that is left free above the text
}

func (k look) bold() look           { k.style.Bold = true; return k }
func (k look) in(ink page.Ink) look { k.ink = ink; return k }
func (k look) figures() look        { k.style.Figures = true; return k }
func (k look) baseline() int        { return k.above + (k.lead-k.above-k.style.Size)/2 + k.style.Size*86/100 }
func sized(size, lead int) look {
	return look{style: text.Style{Size: size}, ink: page.Black, lead: lead}
}
func (l *layout) room() int          { return l.bottom - l.y }
func (l *layout) width() int         { return l.right - l.left }
func (l *layout) full() bool         { return l.err != nil }
func (l *layout) space(distance int) { l.y += distance }

var (
	body  = sized(9*point, 13*point)
	small = sized(7500, 10500).in(page.Gray)
	label = sized(7*point, 10500).in(page.Gray)
	head  = sized(10500, 15*point).bold()
	under = look{style: label.style, ink: page.Gray, lead: 16 * point, above: 5500} // a label below other texts
)

// piece is a text with its look: a paragraph of a cell.
type piece struct {
	text string
	look look
}

// setLine is one line of a cell once it is set.
type setLine struct {
	line   text.Line
	look   look
	indent int
}

// layout places texts on pages, from the top down, and begins new pages as needed.
type layout struct {
	ctx    context.Context
	shaper *text.Shaper
	sink   page.Sink
	limit  int // of pages

	left, right, top, bottom int
	y                        int
	ops                      []page.Op
	nodes                    []page.Node
	pages                    int // taken by the sink
	err                      error

	// title is the heading of the section at hand until its first row is drawn, which
	// it stays with; keep is what else must stand on the same page.
	title     piece
	titleNode int32
	keep      int

	// begin draws what stands at the top of every page but the first, and moves y.
	begin func()
	// repeat draws the heading of the table that goes on on a new page; nil outside tables.
	repeat func()
}

func (l *layout) node(tag page.Tag, parent int32) int32 {
	l.nodes = append(l.nodes, page.Node{Tag: tag, Parent: parent})
	return int32(len(l.nodes) - 1)
}

// newPage gives the page to the sink and begins another.
func (l *layout) newPage() {
	if l.full() {
		return
	}
	if l.err = l.ctx.Err(); l.err != nil {
		return
	}
	if l.pages+1 >= l.limit {
		l.err = tooLong(l.limit)
		return
	}
	if l.err = l.sink.Page(l.ops); l.err != nil {
		return
	}
	l.pages++
	l.ops = l.ops[:0]
	l.y = l.top
	if l.begin != nil {
		l.begin()
	}
	if l.repeat != nil {
		l.repeat()
	}
}

func tooLong(limit int) error {
	if limit == maxPNGPages {
		return errs.New(errs.NotAcceptable, "pages", "The receipt has more than 20 pages, which are too many for one PNG; ask for the PDF.")
	}
	return errs.New(errs.TooLarge, "pages", "The receipt would fill more than 2,000 pages; split it into several.")
}

// need begins a new page unless this much fits on the one at hand.
func (l *layout) need(height int) {
	if l.room() < height && l.y > l.top {
		l.newPage()
	}
}

func (l *layout) rule(ink page.Ink, x, w int) {
	l.ops = append(l.ops, page.Op{Kind: page.Box, Ink: ink, Node: page.Artifact, X: x, Y: l.y, W: w, H: hairline})
}

// put draws one line with its top at y.
func (l *layout) put(node int32, line text.Line, k look, x, y int) {
	l.ops = append(l.ops, page.Op{Kind: page.Text, Ink: k.ink, Node: node, X: x, Y: y + k.baseline(), Line: line})
}

// wrap sets a piece in a column.
func (l *layout) wrap(dst []setLine, p piece, width int) []setLine {
	if p.text == "" {
		return dst
	}
	lines := l.shaper.Wrap(nil, p.text, p.look.style, width)
	widest := 0
	for _, line := range lines {
		widest = max(widest, line.Width)
	}
	for _, line := range lines {
		indent := 0
		if line.RightToLeft {
			indent = widest - line.Width // the lines begin below each other
		}
		dst = append(dst, setLine{line, p.look, indent})
	}
	return dst
}

// cell is a column's part of a row.
type cell struct {
	pieces []piece
	x, w   int
	right  bool // set flush right
	node   int32
	lines  []setLine
}

// row draws cells side by side from y on, and moves y below the highest. What does not
// fit goes on on the next page, line by line; a short row goes there whole.
func (l *layout) row(cells []cell) {
	tallest := l.set(cells)
	l.drawTitle(tallest)
	l.fit(tallest)
	l.place(cells)
}

// fit begins a new page for a row of this height, unless it fits on the one at hand or
// is so high that it is better broken.
func (l *layout) fit(height int) {
	if height > l.room() && (height <= (l.bottom-l.top)/3 || l.room() < 4*body.lead) {
		l.need(height)
	}
}

// place draws cells whose lines are set.
func (l *layout) place(cells []cell) {
	for !l.full() {
		start, tallest, rest := l.y, 0, false
		for i := range cells {
			c := &cells[i]
			y := start
			for len(c.lines) > 0 && (y+c.lines[0].look.lead <= l.bottom || y == l.top) {
				s := c.lines[0]
				x := c.x + s.indent
				if c.right {
					x = c.x + c.w - s.line.Width
				}
				l.put(c.node, s.line, s.look, x, y)
				y += s.look.lead
				c.lines = c.lines[1:]
			}
			tallest = max(tallest, y-start)
			rest = rest || len(c.lines) > 0
		}
		l.y += tallest
		if !rest {
			return
		}
		l.newPage()
		if l.repeat != nil {
			l.space(cellPadding)
		}
	}
}

// set breaks the cells' texts into lines and gives the height of the highest.
func (l *layout) set(cells []cell) int {
	tallest := 0
	for i := range cells {
		c := &cells[i]
		c.lines = c.lines[:0]
		for _, p := range c.pieces {
			c.lines = l.wrap(c.lines, p, c.w)
		}
		tallest = max(tallest, height(c.lines))
		l.note(c)
	}
	return tallest
}

// note keeps a cell's text in reading order where its glyphs are not.
func (l *layout) note(c *cell) {
	const longest = 4096
	if c.node < 0 || !slices.ContainsFunc(c.lines, runsLeft) {
		return
	}
	var texts []string
	size := 0
	for _, p := range c.pieces {
		if p.text != "" {
			texts = append(texts, p.text)
			size += len(p.text)
		}
	}
	if size <= longest {
		l.nodes[c.node].Text = text.Plain(strings.Join(texts, "\n"))
	}
}

func runsLeft(s setLine) bool {
	return slices.ContainsFunc(s.line.Runs, func(r *text.Run) bool { return r.RightToLeft })
}

func height(lines []setLine) int {
	h := 0
	for _, s := range lines {
		h += s.look.lead
	}
	return h
}

// heading begins a section and gives its node. The title is drawn with the first row.
func (l *layout) heading(title string) int32 {
	section := l.node(page.Section, 0)
	l.title, l.titleNode = piece{title, head}, l.node(page.H2, section)
	return section
}

// drawTitle draws the heading that is waiting, on the page on which a row of this
// height follows.
func (l *layout) drawTitle(height int) {
	if l.title.text == "" {
		return
	}
	title := l.title
	l.title.text = ""
	// Less than the usual room stands above a title that would have to go to the next
	// page for it.
	const above, least, below = 16 * point, 9 * point, 5 * point
	section := head.lead + below + min(height+l.keep, (l.bottom-l.top)/3)
	l.need(least + section)
	if l.y > l.top+above {
		l.space(min(above, max(least, l.room()-section)))
	}
	l.row([]cell{{pieces: []piece{title}, x: l.left, w: l.width(), node: l.titleNode}})
	l.space(below)
}

// fact is a value with its name.
type fact struct {
	name   string
	values []piece
}

// facts sets facts in a grid of columns; those without a value are left out.
func (l *layout) facts(section int32, columns int, all []fact) {
	var kept []fact
	for _, f := range all {
		for _, v := range f.values {
			if v.text != "" {
				kept = append(kept, f)
				break
			}
		}
	}
	w := (l.width() - (columns-1)*gutter) / columns
	for len(kept) > 0 && !l.full() {
		n := min(columns, len(kept))
		cells := make([]cell, n)
		for i, f := range kept[:n] {
			cells[i] = cell{pieces: append([]piece{{f.name, label}}, f.values...), x: l.left + i*(w+gutter), w: w, node: l.node(page.P, section)}
		}
		l.row(cells)
		l.space(6 * point)
		kept = kept[n:]
	}
}

// column is a column of a table.
type column struct {
	title string
	right bool // amounts: flush right, and no wider than needed
}

// tableRow is a row of a table. With span, the first cell reaches over all columns but
// the last, as remarks on the row above do.
type tableRow struct {
	cells [][]piece
	span  bool
}

const (
	cellPadding = 4 * point
	minAmount   = 42 * point
	minText     = 70 * point // the least width of a column of text, where there is room
)

// table sets a table whose heading stands on each of its pages. Columns without any
// content are left out.
func (l *layout) table(section int32, columns []column, rows []tableRow) {
	keep := make([]int, 0, len(columns))
	for c := range columns {
		for _, r := range rows {
			if !r.span && len(r.cells[c]) > 0 {
				keep = append(keep, c)
				break
			}
		}
	}
	if len(keep) == 0 {
		return
	}
	xs, widths := l.columns(columns, keep, rows)
	table := l.node(page.Table, section)
	headings := func(artifact bool) {
		tr := int32(page.Artifact)
		if !artifact {
			tr = l.node(page.TR, table)
		}
		cells := make([]cell, len(keep))
		for i, c := range keep {
			node := int32(page.Artifact)
			if !artifact {
				node = l.node(page.TH, tr)
			}
			cells[i] = cell{pieces: []piece{{columns[c].title, label}}, x: xs[i], w: widths[i], right: columns[c].right, node: node}
		}
		l.row(cells)
		l.space(3 * point)
		l.rule(page.Gray, l.left, l.width())
	}
	if len(rows) > 0 && !rows[0].span {
		cells := make([]cell, len(keep))
		for i, c := range keep {
			cells[i] = cell{pieces: rows[0].cells[c], w: widths[i], node: page.Artifact}
		}
		l.keep = 2*cellPadding + l.set(cells)
	}
	headings(false)
	l.keep = 0
	l.repeat = func() { headings(true) }
	cells := make([]cell, 0, len(keep))
	for n, r := range rows {
		if l.full() {
			break
		}
		if n > 0 && !r.span && l.y > l.top {
			l.rule(page.Line, l.left, l.width())
		}
		tr := l.node(page.TR, table)
		cells = cells[:0]
		if r.span {
			last := len(keep) - 1
			indent := xs[min(1, last)] - l.left
			if last == 0 || indent > 40*point {
				indent = 8 * point
			}
			w := xs[last] - gutter - l.left - indent
			if last == 0 || len(r.cells[1]) == 0 {
				w = l.width() - indent
			}
			cells = append(cells, cell{pieces: r.cells[0], x: l.left + indent, w: w, node: l.node(page.TD, tr)})
			if last > 0 && len(r.cells[1]) > 0 {
				cells = append(cells, cell{pieces: r.cells[1], x: xs[last], w: widths[last], right: columns[keep[last]].right, node: l.node(page.TD, tr)})
			}
		} else {
			for i, c := range keep {
				cells = append(cells, cell{pieces: r.cells[c], x: xs[i], w: widths[i], right: columns[c].right, node: l.node(page.TD, tr)})
			}
		}
		l.fit(cellPadding + l.set(cells))
		if !r.span {
			l.space(cellPadding)
		}
		l.place(cells)
		l.space(cellPadding)
	}
	l.repeat = nil
}

// share divides room among columns, each of which has the width that it would like: who
// wants less than an equal part has what it wants, and leaves the rest to the others.
func share(widths, among []int, room int) {
	among = slices.Clone(among)
	slices.SortStableFunc(among, func(i, j int) int { return cmp.Compare(widths[i], widths[j]) })
	for n, i := range among {
		widths[i] = min(widths[i], room/(len(among)-n))
		room -= widths[i]
	}
}

// columns finds the places and widths of a table's columns: what each would like, and
// where that is too much, amounts first and the rest of the room shared by the texts.
func (l *layout) columns(columns []column, keep []int, rows []tableRow) (xs, widths []int) {
	room := l.width() - (len(keep)-1)*gutter
	widths = make([]int, len(keep))
	natural := func(pieces []piece) int {
		w := 0
		for _, p := range pieces {
			if len(p.text) > 400 {
				return room
			}
			if p.text != "" {
				w = max(w, l.shaper.Line(p.text, p.look.style).Width)
			}
		}
		return min(w, room)
	}
	for i, c := range keep {
		widths[i] = natural([]piece{{columns[c].title, label}})
	}
	for _, r := range rows {
		if r.span {
			last := len(keep) - 1
			if len(r.cells[1]) > 0 && columns[keep[last]].right {
				widths[last] = max(widths[last], natural(r.cells[1]))
			}
			continue
		}
		for i, c := range keep {
			if widths[i] < room {
				widths[i] = max(widths[i], natural(r.cells[c]))
			}
		}
	}
	total, texts, amounts := 0, []int(nil), []int(nil)
	for i, c := range keep {
		if columns[c].right {
			widths[i] = max(widths[i], minAmount)
			amounts = append(amounts, i)
		} else {
			texts = append(texts, i)
		}
		total += widths[i]
	}
	if total > room {
		// The texts have what the amounts leave, and a least that these leave them.
		least := 0
		for _, i := range texts {
			least += min(widths[i], max(minText, 2*minText/len(texts)))
		}
		share(widths, amounts, room-min(least, room/2))
		for _, i := range amounts {
			room -= widths[i]
		}
		share(widths, texts, room)
	} else {
		// What nobody needs is between the texts, or the amounts where these are alone.
		extra := texts
		if len(texts) == 0 {
			extra = amounts
		}
		for n, i := range extra {
			more := (room - total) / (len(extra) - n)
			widths[i] += more
			total += more
		}
	}
	xs = make([]int, len(keep))
	x := l.left
	for i := range keep {
		xs[i] = x
		x += widths[i] + gutter
	}
	return xs, widths
}
