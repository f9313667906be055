package expense

import (
	"quittance/internal/kernel/store"
)

// index finds the seqs of the rows of a list for which a condition holds: the first n
// behind one, in order.
type index func(tx *store.Tx, behind int64, n int) ([]int64, error)

// inOrder is an index that is read in the order of the list: column is the seq there.
func inOrder(query string, where store.Predicate, column string) index {
	return seqs(query+" WHERE "+where.SQL+" AND "+column+" > ? ORDER BY "+column+" LIMIT ? + 0", where.Args)
}

// sorted is an index that is in another order, such as that of a time. All of the range
// is read from it, and the first of it in the order of the list are kept; the sums keep
// planners from going through the table in that order instead.
func sorted(query string, where store.Predicate, column string) index {
	return seqs(query+" WHERE "+where.SQL+" AND "+column+" + 0 > ? ORDER BY "+column+" + 0 LIMIT ? + 0", where.Args)
}

func seqs(query string, args []any) index {
	return func(tx *store.Tx, behind int64, n int) ([]int64, error) {
		rows, err := tx.Query(query, append(args[:len(args):len(args)], behind, int64(n))...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var found []int64
		for rows.Next() {
			var seq int64
			if err := rows.Scan(&seq); err != nil {
				return nil, err
			}
			found = append(found, seq)
		}
		return found, rows.Err()
	}
}

// mostPlaces is how many seqs an index is asked for at once.
const mostPlaces = 1024

// along lists a page, by seq, of the rows that an index finds, as far as access and
// where reach. It asks the index for more as long as the page is not full.
func along[T any](tx *store.Tx, t *store.Table[T], places index, access, where store.Predicate, page store.Page) ([]T, bool, error) {
	var behind int64
	if len(page.After) > 0 {
		behind, _ = page.After[0].(int64)
	}
	var all []T
	skip, want := page.Position, page.Limit+1
	for n := want; ; n = min(4*n, mostPlaces) {
		found, err := places(tx, behind, n)
		if err != nil || len(found) == 0 {
			return all, false, err
		}
		rows, err := t.All(tx, access, store.And(where, store.In("seq", found...)), "seq", len(found))
		if err != nil {
			return nil, false, err
		}
		passed := min(skip, len(rows))
		skip -= passed
		if all = append(all, rows[passed:]...); len(all) >= want {
			return all[:page.Limit], true, nil
		}
		if len(found) < n {
			return all, false, nil
		}
		behind = found[len(found)-1]
	}
}
