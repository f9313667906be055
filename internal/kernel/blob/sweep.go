package blob

import (
	"context"
	"time"

	"quittance/internal/kernel/errs"
)

// batch is how many hashes inUse is asked about at once.
const batch = 500

// area is where a blob lies.
type area string

const (
	live  area = "blobs"
	trash area = "trash"
)

// engine is what sweeping needs of a store.
type engine interface {
	// walk lists an area ordered by company, until fn fails.
	walk(ctx context.Context, a area, fn func(company string, b Info) error) error
	// discard moves a blob to the trash unless it was renewed after cutoff.
	discard(ctx context.Context, k key, cutoff time.Time) (bool, error)
	// restore moves a blob out of the trash; NotFound when it is not there.
	restore(ctx context.Context, k key) error
	// destroy removes a blob from the trash.
	destroy(ctx context.Context, k key) error
}

// sweep is Store.Sweep with the cutoff worked out. The trash comes first: what has
// got a row is given back before anything else can go wrong.
func sweep(ctx context.Context, e engine, cutoff time.Time, inUse InUse) (int, error) {
	err := eachBatch(ctx, e, trash, time.Time{}, inUse, func(k key, used bool) error {
		if !used {
			return nil
		}
		return restore(ctx, e, k)
	})
	if err != nil {
		return 0, err
	}
	moved := 0
	err = eachBatch(ctx, e, live, cutoff, inUse, func(k key, used bool) error {
		if used {
			return nil
		}
		done, err := e.discard(ctx, k, cutoff)
		if done {
			moved++
		}
		return err
	})
	return moved, err
}

// emptyTrash is Store.EmptyTrash with the cutoff worked out.
func emptyTrash(ctx context.Context, e engine, cutoff time.Time, inUse InUse) (int, error) {
	removed := 0
	err := eachBatch(ctx, e, trash, cutoff, inUse, func(k key, used bool) error {
		if used {
			return restore(ctx, e, k)
		}
		err := e.destroy(ctx, k)
		if err == nil {
			removed++
		}
		return err
	})
	return removed, err
}

// restore gives a blob back; one that left the trash meanwhile needs no help.
func restore(ctx context.Context, e engine, k key) error {
	if err := e.restore(ctx, k); err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return nil
}

// eachBatch walks the blobs of an area that are not newer than cutoff (all when it
// is zero), asks about them in batches of one company, and calls fn for each.
func eachBatch(ctx context.Context, e engine, a area, cutoff time.Time, inUse InUse, fn func(k key, used bool) error) error {
	var company string
	hashes := make([]string, 0, batch)
	flush := func() error {
		if len(hashes) == 0 {
			return nil
		}
		used, err := inUse(ctx, company, hashes)
		if err != nil {
			return err
		}
		for _, hash := range hashes {
			if err := ctx.Err(); err != nil {
				return cancelled(err)
			}
			if err := fn(key{company, hash}, used[hash]); err != nil {
				return err
			}
		}
		hashes = hashes[:0]
		return nil
	}
	err := e.walk(ctx, a, func(c string, b Info) error {
		if !cutoff.IsZero() && b.Renewed.Time().After(cutoff) {
			return nil
		}
		if c != company || len(hashes) == batch {
			if err := flush(); err != nil {
				return err
			}
			company = c
		}
		hashes = append(hashes, b.Hash)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
