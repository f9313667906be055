package raster

import (
	"quittance/internal/domain/receipt/drawing/fonts"
	"quittance/internal/domain/receipt/drawing/page"
)

type Writer struct{}

func New(*fonts.Set) *Writer                { return &Writer{} }
func (w *Writer) Begin(page.Info)           {}
func (w *Writer) Page([]page.Op) error      { return nil }
func (w *Writer) Over(int, []page.Op)       {}
func (w *Writer) Finish([]page.Node) []byte { return nil }
