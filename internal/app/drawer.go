package app

import (
	"context"

	"quittance/internal/domain/receipt"
	"quittance/internal/domain/receipt/drawing"
)

// drawer lets the receipts area draw with the renderer.
type drawer struct{ renderer *drawing.Renderer }

// PDF implements receipt.Drawer.
func (d drawer) PDF(ctx context.Context, r receipt.Drawing) ([]byte, error) {
	return d.renderer.PDF(ctx, (*drawing.Input)(&r))
}

// PNG implements receipt.Drawer.
func (d drawer) PNG(ctx context.Context, r receipt.Drawing) ([]byte, error) {
	return d.renderer.PNG(ctx, (*drawing.Input)(&r))
}
