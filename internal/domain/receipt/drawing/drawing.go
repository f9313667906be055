// Package drawing draws a receipt that came as data: a page or more that a traveller
// would hand to an auditor, as a tagged PDF or as a PNG. Both come from one layout.
package drawing

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"

	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/domain/receipt/drawing/pdf"
	"quittance/internal/domain/receipt/drawing/raster"
	"quittance/internal/domain/receipt/drawing/text"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Input is a receipt to draw. The same input gives the same bytes within a release.
type Input struct {
	ID        string        // 32 hex digits; stands in the footer
	Type      string        // the schema's name: "hotel-receipt" …; an unknown one is drawn as a general receipt
	JSON      []byte        // the receipt as it was posted
	Traveller string        // the name of its owner
	Received  value.Instant // when it was posted
}

// Options are what a renderer needs; the zero value is fine.
type Options struct {
	Workers int          // how many receipts are drawn at once; 0: one a core
	Log     *slog.Logger // told of characters that no typeface has; nil: nobody is
}

// Renderer draws receipts. It is safe for concurrent use.
type Renderer struct {
	workers chan *worker
	log     *slog.Logger
}

// worker draws one receipt at a time and keeps what it learned of texts and glyphs.
type worker struct {
	shaper *text.Shaper
	pdf    *pdf.Writer
	raster *raster.Writer
	ops    []page.Op
	nodes  []page.Node
}

// New makes a renderer. Typefaces are opened when a receipt first needs them.
func New(o Options) (*Renderer, error) {
	if o.Workers < 0 {
		return nil, fmt.Errorf("drawing: %d workers", o.Workers)
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Renderer{workers: make(chan *worker, o.Workers), log: o.Log}
	set := new(fonts.Set)
	for range o.Workers {
		r.workers <- &worker{shaper: text.New(set), pdf: pdf.New(set), raster: raster.New(set)}
	}
	return r, nil
}

// PDF draws a receipt as a tagged PDF. A receipt that would fill more than 2,000 pages
// is errs.TooLarge; JSON that cannot be read is errs.Invalid.
func (r *Renderer) PDF(ctx context.Context, in Input) ([]byte, error) {
	return r.draw(ctx, &in, maxPages, func(w *worker) page.Sink { return w.pdf })
}

// PNG draws a receipt as one PNG at 150 dpi, its pages stacked. More than 20 pages are
// errs.NotAcceptable.
func (r *Renderer) PNG(ctx context.Context, in Input) ([]byte, error) {
	return r.draw(ctx, &in, maxPNGPages, func(w *worker) page.Sink { return w.raster })
}

func (r *Renderer) draw(ctx context.Context, in *Input, limit int, sink func(*worker) page.Sink) ([]byte, error) {
	doc, err := wire.ParseJSON(in.JSON)
	if err != nil {
		return nil, err
	}
	if !doc.IsObject() {
		return nil, errs.New(errs.Invalid, "syntax", "A receipt is a JSON object.")
	}
	var w *worker
	select {
	case w = <-r.workers:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { r.workers <- w }()
	c := compose(ctx, w, sink(w), limit, in, doc)
	if missing := w.shaper.Missing(); len(missing) > 0 {
		r.log.LogAttrs(ctx, slog.LevelWarn, "characters without a glyph", slog.String("receipt", in.ID), slog.String("characters", codes(missing)))
	}
	if c.err != nil {
		return nil, c.err
	}
	return bytes.Clone(c.sink.Finish(c.nodes)), nil
}

// codes names characters by their numbers.
func codes(runes []rune) string {
	var b strings.Builder
	for i, r := range runes {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%U", r)
	}
	return b.String()
}
