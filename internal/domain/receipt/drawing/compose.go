package drawing

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/domain/receipt/drawing/text"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// composer lays one receipt out.
type composer struct {
	layout
	locale
	in       *Input
	doc      *wire.Document
	currency string
	digits   int // of the currency
	merchant string
}

// kinds are the types of receipts: what each is called, and its own part.
var kinds = map[string]struct {
	title string
	part  func(*composer)
}{
	"general-receipt":          {"Receipt", nil},
	"air-receipt":              {"Flight receipt", (*composer).air},
	"car-rental-receipt":       {"Car rental receipt", (*composer).carRental},
	"ground-transport-receipt": {"Ride receipt", (*composer).groundTransport},
	"hotel-receipt":            {"Hotel receipt", (*composer).hotel},
	"rail-receipt":             {"Rail receipt", (*composer).rail},
	"jpt-ic-card-receipt":      {"IC card receipt", (*composer).icCard},
}

// compose lays a receipt out; its pages go to the sink.
func compose(ctx context.Context, w *worker, sink page.Sink, limit int, in *Input, doc *wire.Document) *composer {
	c := &composer{in: in, doc: doc}
	seller := c.seller()
	home := countryOf(seller.Field("location"))
	c.locale = localeOf(home)
	w.shaper.SetLanguage(c.language)
	c.layout = layout{
		ctx: ctx, shaper: w.shaper, sink: sink, limit: limit, ops: w.ops[:0], nodes: w.nodes[:0],
		left: marginSide, right: c.paper.Width - marginSide, top: marginTop, bottom: c.paper.Height - marginFoot,
	}
	c.currency = strings.ToUpper(str(doc, "currencyCode"))
	c.digits = value.Currency(c.currency).Digits()
	c.merchant = str(seller, "name")
	kind, ok := kinds[in.Type]
	if !ok {
		kind = kinds["general-receipt"]
	}
	title := kind.title
	if isTrue(doc, "taxInvoice") {
		title += " · Tax invoice"
	}
	subject := title
	if c.merchant != "" {
		subject += ", " + text.Isolate(c.merchant)
	}
	sink.Begin(page.Info{
		Title: text.Plain(cut(subject, 200)), Subject: "Receipt " + in.ID, Language: "en", Created: in.Received.Time(), Size: c.paper,
	})
	c.node(page.Document, page.Artifact)
	c.begin = c.runningHead
	c.y = c.top
	c.header(title)
	c.parties(seller)
	if kind.part != nil {
		kind.part(c)
	}
	c.items("Items", list(doc, "lineItems"))
	c.discounts()
	c.taxes()
	c.totals()
	c.payments()
	c.finish()
	if cap(c.nodes) < 1<<14 {
		w.ops, w.nodes = c.ops[:0], c.nodes[:0]
	}
	return c
}

// str is the text at a path, without the blanks around it; empty when it is absent.
func str(d *wire.Document, path ...string) string {
	for _, name := range path {
		d = d.Field(name)
	}
	return strings.TrimSpace(d.Text())
}

func isTrue(d *wire.Document, name string) bool { return str(d, name) == "true" }

// list is the objects of an array; an object alone counts as one.
func list(d *wire.Document, name string) []*wire.Document {
	field := d.Field(name)
	if field == nil {
		return nil
	}
	return slices.DeleteFunc(field.Elements(""), func(e *wire.Document) bool { return !e.IsObject() })
}

// Fields of which one must say something, or else there is nothing to show.
var (
	taxFields      = []string{"name", "rate", "rateType", "amount"}
	discountFields = []string{"discountName", "discountCode", "discountRate", "discountAmount"}
	paymentFields  = []string{"amount", "source", "ticketNumber"}
)

// told keeps what says something in one of the fields.
func told(all []*wire.Document, fields []string) []*wire.Document {
	return slices.DeleteFunc(all, func(d *wire.Document) bool {
		return !slices.ContainsFunc(fields, func(f string) bool { return str(d, f) != "" })
	})
}

// cut shortens a text that only says what a document is.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// seller is who gave the receipt; old IC card receipts call it merchant.
func (c *composer) seller() *wire.Document {
	if s := c.doc.Field("seller"); s.IsObject() {
		return s
	}
	return c.doc.Field("merchant")
}

func address(holder *wire.Document) *wire.Document { return holder.Field("address") }

// countryOf is the country of a place, by its code of two letters.
func countryOf(location *wire.Document) string {
	a := address(location)
	if code := str(a, "addressCountry"); code != "" {
		return country(code)
	}
	return country(str(a, "countryCode"))
}

// join puts texts side by side that may run in different directions.
func join(separator string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, text.Isolate(p))
		}
	}
	if len(kept) == 1 {
		return strings.TrimSuffix(strings.TrimPrefix(kept[0], "\u2068"), "\u2069")
	}
	return strings.Join(kept, separator)
}

const dot = " · "

// words puts texts side by side that are one: a name, a line of an address. They run
// in the direction of the first.
func words(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}

// header is the seller's mark and name, what this is, and the total.
func (c *composer) header(title string) {
	const tile = 44 * point
	top, nameAt := c.y, c.left
	section := c.node(page.Section, 0)
	mark := sized(18*point, tile).bold().in(page.White)
	marked := c.shaper.Line(initials(c.merchant, func(r rune) bool { return isDrawn(c.shaper.Line(string(r), mark.style)) }), mark.style)
	if len(marked.Runs) > 0 {
		nameAt += tile + 12*point
		c.ops = append(c.ops,
			page.Op{Kind: page.Tile, Ink: page.Accent, Node: page.Artifact, X: c.left, Y: top, W: tile, H: tile},
			// Capitals stand in the middle of the tile.
			page.Op{Kind: page.Text, Ink: page.White, Node: page.Artifact,
				X: c.left + (tile-marked.Width)/2, Y: top + tile/2 + mark.style.Size*36/100, Line: marked})
	}

	when := readMoment(str(c.doc, "dateTime"))
	total := c.inCurrency(str(c.doc, "total"))
	rightWidth := c.width() * 42 / 100
	size := 20 * point
	totalWidth := 0
	for ; ; size -= 2 * point {
		totalWidth = c.shaper.Line(cut(total, 100), text.Style{Size: size, Bold: true, Figures: true}).Width
		if totalWidth <= rightWidth || size <= 12*point {
			break
		}
	}
	amount := sized(size, size*5/4).bold().figures().in(page.Accent)
	date := c.dayAndClock(when)
	if date != "" && when.offset != "" {
		date += " (" + when.offset + ")"
	}
	totalName := "Total"
	switch {
	case total == "":
		totalName = ""
	case strings.HasPrefix(str(c.doc, "total"), "-"):
		totalName = "Total, refunded"
	}
	rightWidth = min(rightWidth, max(totalWidth, c.shaper.Line(cut(date, 60), small.style).Width, 90*point))
	c.row([]cell{
		{pieces: []piece{{c.merchant, sized(15*point, 19*point).bold()}, {title, sized(9500, 14*point).in(page.Gray)}},
			x: nameAt, w: c.right - nameAt - rightWidth - gutter, node: c.node(page.H1, section)},
		{pieces: []piece{{totalName, label}, {total, amount}, {date, small}},
			x: c.right - rightWidth, w: rightWidth, right: true, node: c.node(page.P, section)},
	})
	if c.pages == 0 && nameAt > c.left {
		c.y = max(c.y, top+tile)
	}
	c.space(14 * point)
	c.rule(page.Line, c.left, c.width())
	c.space(12 * point)
}

// isDrawn holds for a line of which every character has a glyph.
func isDrawn(line text.Line) bool {
	for _, r := range line.Runs {
		if slices.ContainsFunc(r.Glyphs, func(g text.Glyph) bool { return g.ID == 0 && !g.Blank }) {
			return false
		}
	}
	return true
}

// initials are the first letters of the first two words of a name that can be drawn.
func initials(name string, drawn func(rune) bool) string {
	var b []rune
	for _, word := range strings.FieldsFunc(cut(name, 200), func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '/' }) {
		for _, r := range word {
			if r = unicode.ToUpper(r); (unicode.IsLetter(r) || unicode.IsDigit(r)) && drawn(r) {
				b = append(b, r)
				break
			}
		}
		// Letters of other scripts say enough alone.
		if len(b) == 2 || len(b) == 1 && b[0] >= 0x590 {
			break
		}
	}
	return string(b)
}

// inCurrency is an amount with its currency's code before it.
func (c *composer) inCurrency(s string) string {
	if s == "" {
		return ""
	}
	return strings.TrimSpace(c.currency + nbsp + c.amount(s, c.digits))
}

// runningHead stands on top of the pages behind the first.
func (c *composer) runningHead() {
	c.y = 34 * point
	name := c.merchant
	if name == "" {
		name = "Receipt"
	}
	half := c.width() * 2 / 3
	if lines := c.shaper.Wrap(nil, cut(name, 300), small.style, half); len(lines) > 0 {
		c.put(page.Artifact, lines[0], small, c.left, c.y)
	}
	reference := cut(str(c.doc, "reference"), 60)
	if lines := c.shaper.Wrap(nil, reference, small.style, c.width()/3-gutter); len(lines) > 0 {
		c.put(page.Artifact, lines[0], small, c.right-lines[0].Width, c.y)
	}
	c.y += small.lead + 4*point
	c.rule(page.Line, c.left, c.width())
	c.y = c.top + 8*point
}

// parties says who sold, who was between, and who travelled; and the receipt's numbers.
func (c *composer) parties(seller *wire.Document) {
	section := c.node(page.Section, 0)
	type party struct {
		name   string
		pieces []piece
	}
	var all []party
	lines := c.location(seller.Field("location"), c.merchant)
	sold := []piece{{c.merchant, body.bold()}}
	if d := str(seller, "description"); d != "" {
		sold = append(sold, piece{d, small})
	}
	sold = append(sold, lines...)
	if id := str(seller, "taxId"); id != "" {
		sold = append(sold, piece{join(" ", "Tax ID", id), small})
	}
	all = append(all, party{"Seller", sold})
	if broker := c.doc.Field("broker"); broker.IsObject() {
		name := str(broker, "name")
		through := []piece{{name, body.bold()}}
		if d := str(broker, "description"); d != "" {
			through = append(through, piece{d, small})
		}
		through = append(through, c.location(broker.Field("location"), name)...)
		if id := str(broker, "taxId"); id != "" {
			through = append(through, piece{join(" ", "Tax ID", id), small})
		}
		all = append(all, party{"Sold through", through})
	}
	if c.in.Traveller != "" {
		all = append(all, party{"Traveller", []piece{{c.in.Traveller, body.bold()}}})
	}
	numbers := []fact{
		c.fact("Reference", str(c.doc, "reference")),
		c.fact("Confirmation", str(c.doc, "confirmationNumber")),
		c.fact("Itinerary", str(c.doc, "itineraryLocator")),
		c.fact("Segment", str(c.doc, "segmentLocator")),
		c.fact("Collection", str(c.doc, "collectionReference")),
	}
	w := (c.width() - 2*gutter) / 3
	cells := make([]cell, 0, 3)
	for _, p := range all {
		if !slices.ContainsFunc(p.pieces, func(q piece) bool { return q.text != "" }) {
			continue
		}
		cells = append(cells, cell{pieces: append([]piece{{p.name, label}}, p.pieces...), x: c.left + len(cells)*(w+gutter), w: w, node: c.node(page.P, section)})
	}
	if len(cells) < 3 {
		var pieces []piece
		for _, n := range numbers {
			if n.values[0].text == "" {
				continue
			}
			name := piece{n.name, under}
			if len(pieces) == 0 {
				name.look = label
			}
			pieces = append(pieces, name, n.values[0])
		}
		cells = append(cells, cell{pieces: pieces, x: c.left + 2*(w+gutter), w: w, node: c.node(page.P, section)})
		numbers = nil
	}
	c.row(cells)
	if numbers != nil {
		c.space(8 * point)
		c.facts(section, 4, numbers)
	}
}

func (c *composer) fact(name, text string) fact { return fact{name, []piece{{text, body}}} }

// moment is a fact of a date and time of day.
func (c *composer) moment(name string, d *wire.Document, field string) fact {
	m := readMoment(str(d, field))
	return fact{name, []piece{{c.day(m), body}, {c.clock(m), small}}}
}

// location is a place in lines, without a name that was said before.
func (c *composer) location(d *wire.Document, said string) []piece {
	var lines []piece
	add := func(s string, k look) {
		if s != "" {
			lines = append(lines, piece{s, k})
		}
	}
	if name := str(d, "name"); name != said && name != countryName(countryOf(d)) {
		add(join(dot, name, str(d, "number")), body)
	} else {
		add(str(d, "number"), small)
	}
	a := address(d)
	for _, line := range c.addressLines(a) {
		add(line, body)
	}
	add(str(d, "telephoneNumber"), small)
	if fax := str(d, "faxNumber"); fax != "" {
		add(join(" ", "Fax", fax), small)
	}
	add(str(d, "emailAddress"), small)
	add(str(d, "internetAddress"), small)
	if str(a, "streetAddress") == "" && str(a, "address") == "" {
		if lat, long := str(d, "latitude"), str(d, "longitude"); lat != "" && long != "" {
			add(lat+", "+long, small)
		}
	}
	return lines
}

// addressLines is an address as its country writes it.
func (c *composer) addressLines(a *wire.Document) []string {
	either := func(names ...string) string {
		for _, n := range names {
			if s := str(a, n); s != "" {
				return s
			}
		}
		return ""
	}
	var lines []string
	add := func(s string) {
		if s != "" {
			lines = append(lines, s)
		}
	}
	add(either("streetAddress", "address"))
	add(str(a, "address2"))
	city, region, code := either("addressLocality", "city"), either("addressRegion", "countrySubdivisionCode"), str(a, "postalCode")
	land := either("addressCountry", "countryCode")
	switch localeOf(country(land)).address {
	case cityRegionCode:
		add(words(", ", city, words(" ", region, code)))
	case cityCode:
		add(words(" ", city, code))
	default:
		add(words(" ", code, city))
	}
	if land != "" {
		add(countryName(land))
	}
	return lines
}

// items is a table of line items, in the order of their numbers.
func (c *composer) items(title string, items []*wire.Document) {
	items = told(items, []string{"description", "total", "quantity", "unitCost", "subtotal", "taxesTotal"})
	if len(items) == 0 {
		return
	}
	slices.SortStableFunc(items, func(a, b *wire.Document) int {
		x, errX := strconv.ParseInt(str(a, "sequenceNumber"), 10, 64)
		y, errY := strconv.ParseInt(str(b, "sequenceNumber"), 10, 64)
		switch {
		case errX != nil || errY != nil || x == y:
			return 0
		case x < y:
			return -1
		}
		return 1
	})
	rows := make([]tableRow, 0, len(items))
	for _, it := range items {
		rows = append(rows, tableRow{cells: [][]piece{
			c.described(it),
			c.number(str(it, "quantity")),
			c.figure(str(it, "unitCost")),
			c.figure(str(it, "subtotal")),
			c.figure(str(it, "taxesTotal")),
			c.figure(str(it, "total")),
		}})
	}
	c.table(c.heading(title), []column{
		{"Description", false}, {"Quantity", true}, {"Unit price", true}, {"Net", true}, {"Tax", true}, {c.amountTitle(), true},
	}, rows)
}

func (c *composer) amountTitle() string {
	if c.currency == "" {
		return "Amount"
	}
	return "Amount (" + c.currency + ")"
}

// described is a line item's description with what belongs to it.
func (c *composer) described(it *wire.Document) []piece {
	pieces := []piece{{str(it, "description"), body}}
	if more := str(it, "additionalDescription"); more != "" {
		pieces = append(pieces, piece{more, small})
	}
	vat := ""
	switch {
	case isTrue(it, "amountIncludesVat"):
		vat = "VAT included"
	case isTrue(it, "vatApplicable"):
		vat = "VAT applies"
	}
	about := join(dot, c.dayAndClock(readMoment(str(it, "dateTime"))), str(it, "reference"), str(it, "semanticsCode"), vat)
	if about != "" {
		pieces = append(pieces, piece{about, small})
	}
	return append(pieces, c.included(it)...)
}

// included is the taxes and discounts that an item's total has in it.
func (c *composer) included(it *wire.Document) []piece {
	var pieces []piece
	for _, t := range told(list(it, "taxes"), taxFields) {
		pieces = append(pieces, piece{join(dot, c.taxText(t), c.amount(str(t, "amount"), c.digits)), small.figures()})
	}
	for _, d := range told(list(it, "discounts"), discountFields) {
		pieces = append(pieces, piece{join(dot, c.discountText(d), c.amount(str(d, "discountAmount"), c.digits)), small.figures()})
	}
	return pieces
}

// figure is an amount in a table; nothing for an empty one.
func (c *composer) figure(s string) []piece {
	if s == "" {
		return nil
	}
	return []piece{{c.amount(s, c.digits), body.figures()}}
}

func (c *composer) number(s string) []piece {
	if s == "" {
		return nil
	}
	return []piece{{c.amount(s, 0), body.figures()}}
}

// remarks are rows below a segment: its taxes, discounts and further amounts.
func (c *composer) remarks(segment *wire.Document) []tableRow {
	var rows []tableRow
	add := func(amount string, about ...piece) {
		var figure []piece
		if amount != "" {
			figure = []piece{{c.amount(amount, c.digits), small.figures()}}
		}
		rows = append(rows, tableRow{span: true, cells: [][]piece{about, figure}})
	}
	for _, t := range told(list(segment, "taxes"), taxFields) {
		add(str(t, "amount"), piece{c.taxText(t), small})
	}
	for _, d := range told(list(segment, "discounts"), discountFields) {
		add(str(d, "discountAmount"), piece{c.discountText(d), small})
	}
	for _, it := range list(segment, "lineItems") {
		what := str(it, "description")
		if q := str(it, "quantity"); q != "" {
			what = join(" × ", c.amount(q, 0), what)
		}
		what = join(dot, what, str(it, "additionalDescription"), c.dayAndClock(readMoment(str(it, "dateTime"))), str(it, "reference"), str(it, "semanticsCode"))
		add(str(it, "total"), append([]piece{{what, small}}, c.included(it)...)...)
	}
	return rows
}

func (c *composer) taxText(t *wire.Document) string {
	return join(dot, c.taxName(t), c.authority(t), c.percent(str(t, "rate")), str(t, "rateType"))
}

func (c *composer) discountText(d *wire.Document) string {
	return join(dot, c.discountName(d), str(d, "discountCode"), c.percent(str(d, "discountRate")))
}

func (c *composer) taxName(t *wire.Document) string {
	if name := str(t, "name"); name != "" {
		return name
	}
	return "Tax"
}

func (c *composer) discountName(d *wire.Document) string {
	if name := str(d, "discountName"); name != "" {
		return name
	}
	return "Discount"
}

// authority is who levies a tax.
func (c *composer) authority(t *wire.Document) string {
	land := str(t, "authority", "addressCountry")
	if land == "" {
		return ""
	}
	return join(", ", str(t, "authority", "addressRegion"), countryName(land))
}

func (c *composer) discounts() {
	all := told(list(c.doc, "discounts"), discountFields)
	if len(all) == 0 {
		return
	}
	rows := make([]tableRow, 0, len(all))
	for _, d := range all {
		rows = append(rows, tableRow{cells: [][]piece{
			plain(c.discountName(d)), plain(str(d, "discountCode")), c.rate(str(d, "discountRate")), c.figure(str(d, "discountAmount")),
		}})
	}
	c.table(c.heading("Discounts"), []column{{"Discount", false}, {"Code", false}, {"Rate", true}, {c.amountTitle(), true}}, rows)
}

func plain(s string) []piece {
	if s == "" {
		return nil
	}
	return []piece{{s, body}}
}

func (c *composer) rate(s string) []piece {
	if s == "" {
		return nil
	}
	return []piece{{c.percent(s), body.figures()}}
}

func (c *composer) taxes() {
	all := told(list(c.doc, "taxes"), taxFields)
	if len(all) == 0 {
		return
	}
	rows := make([]tableRow, 0, len(all))
	for _, t := range all {
		rows = append(rows, tableRow{cells: [][]piece{
			plain(c.taxName(t)), plain(c.authority(t)), plain(str(t, "rateType")), c.rate(str(t, "rate")), c.figure(str(t, "amount")),
		}})
	}
	c.table(c.heading("Taxes"), []column{{"Tax", false}, {"Authority", false}, {"Type", false}, {"Rate", true}, {c.amountTitle(), true}}, rows)
}

// sum is an amount that leads to the total, with its name.
type sum struct{ name, amount string }

// reckon gives what leads to a total. The seller's sums may have discounts in the
// subtotal or beside it, or leave something out; the lines given add up to the total,
// whenever all are numbers to reckon with. included is the taxes that the others have
// in them.
func reckon(total, subtotal, discounts, taxes string) (lines []sum, included string) {
	add := func(name, amount string) {
		if amount != "" {
			lines = append(lines, sum{name, amount})
		}
	}
	s, okS := exact(subtotal)
	x, okX := exact(total)
	d, okD := exact(discounts)
	t, okT := exact(taxes)
	known := okX && (okS || subtotal == "") && (okD || discounts == "") && (okT || taxes == "") && summable(s, x, d, t)
	switch {
	case !known: // what was said
		add("Subtotal", subtotal)
		add("Discounts", discounts)
		add("Taxes", taxes)
	case subtotal == "" && discounts == "" && taxes == "":
	case subtotal == "":
		name := "Before discounts and taxes"
		if discounts == "" {
			name = "Before taxes"
		} else if taxes == "" {
			name = "Before discounts"
		}
		add(name, (x - t - d).String())
		add("Discounts", discounts)
		add("Taxes", taxes)
	case d != 0 && s+t == x: // the subtotal has the discounts in it
		add("Before discounts", (s - d).String())
		add("Discounts", discounts)
		add("Subtotal", subtotal)
		add("Taxes", taxes)
	case t != 0 && s+d == x: // the amounts have the taxes in them
		add("Subtotal", subtotal)
		add("Discounts", discounts)
		included = taxes
	default:
		add("Subtotal", subtotal)
		add("Discounts", discounts)
		add("Taxes", taxes)
		if rest := x - s - d - t; rest != 0 {
			add("Not itemized", rest.String())
		}
	}
	return lines, included
}

func (c *composer) totals() {
	total := str(c.doc, "total")
	sums, included := reckon(total, str(c.doc, "subtotal"),
		c.given("discountsTotal", "discounts", "discountAmount"), c.given("taxesTotal", "taxes", "amount"))
	if included != "" {
		sums = append(sums, sum{"Taxes included", included})
	}
	c.title.text = "" // a section without anything in it has none
	w := c.width() * 55 / 100
	x0 := c.right - w
	half := (w - gutter) / 2
	strong := sized(12*point, 17*point).bold().in(page.Accent)
	section := c.node(page.Section, 0)
	table := c.node(page.Table, section)
	cells := func(name, amount string, k look) []cell {
		tr := c.node(page.TR, table)
		return []cell{
			{pieces: []piece{{name, k}}, x: x0, w: half, node: c.node(page.TD, tr)},
			{pieces: []piece{{amount, k.figures()}}, x: x0 + half + gutter, w: half, right: true, node: c.node(page.TD, tr)},
		}
	}
	// All of it stands on one page, but for sums that take more than that.
	const apart, above, pad = 3 * point, 14 * point, 5 * point
	if total == "" && len(sums) == 0 {
		return
	}
	last := cells("Total", c.inCurrency(total), strong)
	high := c.set(last)
	c.need(above + len(sums)*(body.lead+apart) + 2*pad + high)
	c.space(above)
	for i, line := range sums {
		k := body
		if included != "" && i == len(sums)-1 {
			k = k.in(page.Gray)
		}
		c.row(cells(line.name, c.amount(line.amount, c.digits), k))
		c.space(apart)
	}
	if high+2*pad <= c.room() {
		// A little wider than the texts, so that all amounts of the page stand below
		// each other.
		const beyond = 8 * point
		c.ops = append(c.ops, page.Op{Kind: page.Tile, Ink: page.Tint, Node: page.Artifact, X: x0 - beyond, Y: c.y, W: w + 2*beyond, H: high + 2*pad})
		c.space(pad)
	}
	c.fit(high)
	c.place(last)
	c.space(pad)
}

// given is a sum that the receipt states, or else that of its parts when all of them
// can be reckoned with.
func (c *composer) given(name, parts, field string) string {
	if s := str(c.doc, name); s != "" {
		return s
	}
	var sum value.Money
	all := list(c.doc, parts)
	for _, p := range all {
		m, ok := exact(str(p, field))
		if !ok {
			return ""
		}
		var err error
		if sum, err = value.AddMoney(sum, m); err != nil {
			return ""
		}
	}
	if len(all) == 0 {
		return ""
	}
	return sum.String()
}

// summable reports whether amounts may be added without a look at the range.
func summable(amounts ...value.Money) bool {
	const limit = 1 << 60
	for _, m := range amounts {
		if m > limit || m < -limit {
			return false
		}
	}
	return true
}

func (c *composer) payments() {
	all := told(list(c.doc, "payments"), paymentFields)
	if len(all) == 0 {
		return
	}
	rows := make([]tableRow, 0, len(all)+2)
	var paid value.Money
	reckoned := true
	for _, p := range all {
		how, more := paymentName(p)
		pieces := []piece{{how, body}}
		if more != "" {
			pieces = append(pieces, piece{more, small})
		}
		amount := str(p, "amount")
		m, ok := exact(amount)
		if reckoned = reckoned && ok && summable(paid, m); reckoned {
			paid += m
		}
		rows = append(rows, tableRow{cells: [][]piece{pieces, c.figure(amount)}})
	}
	if reckoned && len(all) > 1 {
		rows = append(rows, tableRow{cells: [][]piece{{{"Paid", body.bold()}}, {{c.money(paid, c.digits), body.bold().figures()}}}})
	}
	if total, ok := exact(str(c.doc, "total")); ok && reckoned && summable(paid, total) && total != paid {
		rows = append(rows, tableRow{cells: [][]piece{{{"Total less payments", body}}, {{c.money(total-paid, c.digits), body.figures()}}}})
	}
	c.table(c.heading("Payment"), []column{{"Method", false}, {c.amountTitle(), true}}, rows)
}

var paymentSources = map[string]string{
	"GhostCard": "Ghost card", "LodgeCard": "Lodge card", "DirectPay": "Direct pay", "Invoice": "Invoice",
	"ApplePay": "Apple Pay", "AndroidPay": "Android Pay", "SamsungPay": "Samsung Pay", "PayPal": "PayPal", "OlaMoney": "Ola Money",
}

// paymentName says how something was paid. Of a card's number no more than the last
// four digits are ever drawn, whatever came.
func paymentName(p *wire.Document) (how, more string) {
	source := str(p, "source")
	if name, ok := paymentSources[source]; ok {
		source = name
	}
	card := p.Field("cardDetail")
	number := str(card, "creditCardId")
	if digits := []rune(number); len(digits) > 4 {
		number = string(digits[len(digits)-4:])
	}
	if number != "" {
		number = "•••• " + number
	}
	cardName := join(" ", str(card, "cardType"), number)
	if code := str(card, "authorizationCode"); code != "" {
		more = join(" ", "Authorization", code)
	}
	switch ticket := str(p, "ticketNumber"); {
	case ticket != "":
		return join(" ", "Unused ticket", ticket), more
	case source != "" && cardName != "":
		return join(dot, source, cardName), more
	case source != "":
		return source, more
	case cardName != "":
		return cardName, more
	}
	return "Cash", more
}

// finish gives the last page to the sink, and every page its footer.
func (c *composer) finish() {
	if c.full() {
		return
	}
	count := c.pages + 1
	body := len(c.ops)
	c.footer(count, count)
	if c.err = c.sink.Page(c.ops); c.err != nil {
		return
	}
	foot := slices.Clone(c.ops[body:])
	for i := range c.pages {
		c.ops = append(c.ops[:0], foot[:0]...)
		c.footer(i+1, count)
		c.sink.Over(i, c.ops)
	}
}

// footer names the receipt and counts the pages.
func (c *composer) footer(number, count int) {
	c.y = c.paper.Height - footLine
	c.rule(page.Line, c.left, c.width())
	c.y += 6 * point
	id := c.shaper.Line("Receipt "+c.in.ID, small.style)
	c.put(page.Artifact, id, small, c.left, c.y)
	pages := c.shaper.Line("Page "+itoa(number)+" of "+itoa(count), small.style)
	c.put(page.Artifact, pages, small, c.right-pages.Width, c.y)
	note := "Drawn from the data that the seller sent."
	if c.in.Received != 0 {
		note = "Drawn from the data that the seller sent, received " + c.in.Received.Time().Format("2006-01-02 15:04") + " UTC."
	}
	c.y += small.lead
	c.put(page.Artifact, c.shaper.Line(note, label.style), label, c.left, c.y)
}
