package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"

	"quittance/internal/app/scale"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// randomness is what ids are made of: the system's, or a seed's while a year is made.
type randomness struct {
	mu   sync.Mutex
	from io.Reader // nil: the system's
}

// Read implements io.Reader.
func (r *randomness) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from == nil {
		return rand.Read(p)
	}
	return r.from.Read(p)
}

// use takes another source and gives the one before.
func (r *randomness) use(from io.Reader) io.Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.from
	r.from = from
	return before
}

// makeYear gives the demo company a year (package scale) and notes in the store which.
func (a *App) makeYear(ctx context.Context) error {
	before := a.random.use(scale.Random(a.options.ScaleSeed + 1)) // another one than what the year itself is drawn from
	defer a.random.use(before)
	made, err := scale.Make(ctx, scale.Options{
		DB: a.DB, Org: a.Org, Expense: a.Expense, Imaging: a.Imaging, Draw: a.renderer, Clock: a.clock, Log: a.log,
		Company: DemoCompany, Administrator: "wes@demo.test", Top: "cora@demo.test", People: a.options.Scale, Seed: a.options.ScaleSeed,
	})
	if err != nil {
		return fmt.Errorf("the year cannot be made: %w", err)
	}
	a.log.Info("the year is made", "people", made.People, "reports", made.Reports, "entries", made.Entries, "itemizations", made.Itemizations,
		"attendees", made.Attendees, "associations", made.Associations, "allocations", made.Allocations, "images", made.Images, "tax invoices", made.Taxes)
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO store_meta (key, value) VALUES ('year', ?)", a.yearMark())
		return err
	})
}

// yearMark is the year that the options ask for.
func (a *App) yearMark() string {
	return fmt.Sprintf("%d people, seed %d", a.options.Scale, a.options.ScaleSeed)
}

// checkYear refuses a store that was filled already with something else than the year
// that is asked for, or with a part of it.
func (a *App) checkYear(ctx context.Context) error {
	if a.options.Scale == 0 {
		return nil
	}
	var has string
	if err := a.DB.Read(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow("SELECT value FROM store_meta WHERE key = 'year'").Scan(&has)
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		return err
	}); err != nil {
		return err
	}
	if want := a.yearMark(); has != want {
		return fmt.Errorf("--scale wants an empty store: this one holds another sandbox than a year of %s, or a part of it", want)
	}
	return nil
}
