package app

import (
	"context"
	"os"
	"path/filepath"

	"quittance/internal/domain/invoice"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// The seeded records that scripts and tests may rely on (the table in the guide).
const (
	DemoCompany        = "c0000000-0000-4000-8000-000000000001"
	DemoUser           = "a0000000-0000-4000-8000-000000000001" // ann
	DemoInvoiceUser    = "d0000000-0000-4000-8000-000000000001" // ivan
	DemoPaymentRequest = "5EED00000000000000A1"
)

// seed fills an empty store with the demo company, and keeps a copy of the seeded
// database for Reset.
func (a *App) seed(ctx context.Context) error {
	empty := false
	if err := a.DB.Read(ctx, func(tx *store.Tx) error {
		companies, err := a.Org.Companies(tx)
		empty = len(companies) == 0
		return err
	}); err != nil {
		return err
	}
	a.snapshot = filepath.Join(a.options.Data, "seed.db")
	if !empty {
		return a.checkYear(ctx)
	}
	if err := a.fill(ctx, func(*store.Tx) error { return nil }); err != nil {
		return err
	}
	if a.options.Scale > 0 {
		if err := a.makeYear(ctx); err != nil {
			return err
		}
	}
	if a.DB.Engine() != store.SQLite {
		return nil
	}
	// The key that signs is made in the background; the copy has to have it, or tokens
	// would end with the first start after a reset.
	if _, err := a.keys.JWKS(ctx); err != nil {
		return err
	}
	return a.DB.Snapshot(ctx, a.snapshot)
}

// fill makes the seed in one transaction, through the services, after what prepare does.
func (a *App) fill(ctx context.Context, prepare func(tx *store.Tx) error) error {
	seed, err := org.DevSeed()
	if err != nil {
		return err
	}
	if err := seed.Hash(ctx, a.passwords); err != nil {
		return err
	}
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		if err := prepare(tx); err != nil {
			return err
		}
		if err := a.Org.ApplySeed(tx, seed); err != nil {
			return err
		}
		ann, err := a.Org.FindPerson(tx, DemoCompany, DemoUser)
		if err != nil {
			return err
		}
		if _, err := a.Expense.SeedDemo(tx, ann); err != nil {
			return err
		}
		return invoice.SeedDemo(tx, DemoCompany, DemoInvoiceUser)
	})
}

// Reset puts a dev server back to its seed: records, clock, mail, plans and the
// request log. Images stay in the store until the sweep, since nothing leads there.
func (a *App) Reset(ctx context.Context) error {
	a.resetting.Lock()
	defer a.resetting.Unlock()
	if a.DB.Engine() == store.SQLite {
		if err := a.checkSnapshot(ctx); err != nil {
			return err
		}
		if err := a.DB.ReplaceWith(ctx, a.snapshot); err != nil {
			return err
		}
	} else if err := a.resetPostgres(ctx); err != nil {
		return err
	}
	a.clock.Move(0)
	a.faults.clear()
	a.requests.clear()
	if a.outbox != nil {
		a.outbox.Clear()
	}
	a.Org.Forget()
	return a.Jobs.Recover(ctx) // the periodic tasks, which the seed knows nothing of
}

// checkSnapshot brings the copy of the seed to the schema of this program, once: the
// folder may have been made by an older one.
func (a *App) checkSnapshot(ctx context.Context) error {
	if _, err := os.Stat(a.snapshot); err != nil {
		return errs.New(errs.Conflict, "reset", "This folder has no copy of its seed; start with an empty one to be able to reset.").Because(err)
	}
	if a.migrated {
		return nil
	}
	o := storeOptions(&a.options, a.clock.Now)
	o.Path = a.snapshot
	db, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	a.migrated = true
	return db.Close()
}

// keptTables survive a reset: what the schema, the tokens and the links stand on.
const keptTables = `'store_meta', 'goose_db_version', 'signing_key', 'secret'`

// resetPostgres empties every table and fills the seed anew, in one transaction:
// slower than a copy, and other servers on the same database see it too. Reports come
// first, as in every change of one, or it would seldom get by the calls under way.
func (a *App) resetPostgres(ctx context.Context) error {
	return a.fill(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN (" + keptTables + ") ORDER BY tablename <> 'report', tablename")
		if err != nil {
			return err
		}
		defer rows.Close()
		var names []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		for _, name := range names {
			if _, err := tx.Exec(`TRUNCATE TABLE "` + name + `" RESTART IDENTITY CASCADE`); err != nil {
				return err
			}
		}
		return nil
	})
}
