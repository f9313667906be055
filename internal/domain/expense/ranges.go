package expense

import (
	"cmp"
	"slices"

	"quittance/internal/kernel/store"
)

// listRanges reads a page, by seq, of the rows that lie in several ranges of an index:
// each range is read in its own order and they are put together here, which costs the
// same on every page. No row may lie in two of them.
func listRanges[T any](tx *store.Tx, t *store.Table[T], ranges []store.Predicate, page store.Page) ([]T, bool, error) {
	if len(ranges) == 1 {
		return t.List(tx, ranges[0], store.Predicate{}, page)
	}
	const stride = 1000
	for page.Position > 0 { // a client that counts pays for what it passes over
		skip := min(page.Position, stride)
		rows, _, err := together(tx, t, ranges, store.Page{Limit: skip, After: page.After})
		if err != nil || len(rows) < skip {
			return nil, false, err
		}
		page.After, page.Position = t.KeyOf(&rows[skip-1], nil), page.Position-skip
	}
	return together(tx, t, ranges, page)
}

func together[T any](tx *store.Tx, t *store.Table[T], ranges []store.Predicate, page store.Page) (all []T, more bool, err error) {
	for _, r := range ranges {
		rows, m, err := t.List(tx, r, store.Predicate{}, page)
		if err != nil {
			return nil, false, err
		}
		all, more = append(all, rows...), more || m
	}
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(t.KeyOf(&a, nil)[0].(int64), t.KeyOf(&b, nil)[0].(int64)) })
	if len(all) > page.Limit {
		return all[:page.Limit], true, nil
	}
	return all, more, nil
}
