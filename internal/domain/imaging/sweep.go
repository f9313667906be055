package imaging

import (
	"context"
	"time"

	"quittance/internal/kernel/store"
)

// sweepAfter is how long a blob without a row is kept, and then again in the trash.
const sweepAfter = 24 * time.Hour

// Swept is what a sweep did.
type Swept struct {
	Discarded int // blobs moved to the trash
	Destroyed int // blobs that had been there for a day
}

// Sweep moves blobs that no row names to the trash, and destroys those that have
// been there for a day. It is run from time to time, by one server at a time.
func (s *Service) Sweep(ctx context.Context) (done Swept, err error) {
	inUse := func(ctx context.Context, company string, hashes []string) (used map[string]bool, err error) {
		err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
			used, err = InUse(tx, company, hashes)
			return err
		})
		return used, err
	}
	if done.Discarded, err = s.blobs.Sweep(ctx, sweepAfter, inUse); err != nil {
		return done, err
	}
	done.Destroyed, err = s.blobs.EmptyTrash(ctx, sweepAfter, inUse)
	return done, err
}

// Files names every file that a record names, each once, ordered by company and hash:
// what a backup has to hold.
func Files(tx *store.Tx, each func(company, hash string) error) error {
	rows, err := tx.Query("SELECT company_id, hash FROM image_part UNION SELECT company_id, hash FROM derived_file ORDER BY 1, 2")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var company, hash string
		if err := rows.Scan(&company, &hash); err != nil {
			return err
		}
		if err := each(company, hash); err != nil {
			return err
		}
	}
	return rows.Err()
}
