package expense

import (
	"quittance/internal/kernel/store"
)

// place is where a row stands in a list: by seq, or by the seq of its report and then
// by its own.
type place struct{ report, seq int64 }

// index finds where the rows of a list stand for which a condition holds: up to n
// places behind one, in the order of the list, as one range of an index.
type index func(tx *store.Tx, behind place, n int) ([]place, error)

// along lists a page of the rows that stand at the places of an index, as far as access
// and where reach. column is what places tell of the rows: their own seq, or that of
// their reports. It asks for more places as long as the page is not full.
func along[T any](tx *store.Tx, t *store.Table[T], places index, column string, access, where store.Predicate, page store.Page) ([]T, bool, error) {
	behind := placeOf(page)
	if column == "report_seq" {
		behind.report, behind.seq = behind.report-1, 0 // the rest of the page's last report too
	}
	skip, want := page.Position, page.Limit+1
	page.Position = 0
	var all []T
	for n := page.Limit + 1; ; n = min(4*n, mostPlaces) {
		found, err := places(tx, behind, n)
		if err != nil || len(found) == 0 {
			return all, false, err
		}
		seqs := make([]int64, len(found))
		for i, p := range found {
			seqs[i] = p.seq
			if column == "report_seq" {
				seqs[i] = p.report
			}
		}
		for more := true; more; {
			var rows []T
			part := page
			part.Limit = min(max(want-len(all), 1)+skip, store.MaxLimit)
			if rows, more, err = t.List(tx, access, store.And(where, store.In(column, seqs...)), part); err != nil {
				return nil, false, err
			}
			if len(rows) > 0 {
				page.After = t.KeyOf(&rows[len(rows)-1], page.Order)
			}
			passed := min(skip, len(rows))
			skip -= passed
			if all = append(all, rows[passed:]...); len(all) >= want {
				return all[:want-1], true, nil
			}
		}
		if len(found) < n {
			return all, false, nil
		}
		behind = found[len(found)-1]
	}
}

// mostPlaces is how many places are asked for at once.
const mostPlaces = 1024

// placeOf is the place of the last row of the page before.
func placeOf(page store.Page) place {
	at := make([]int64, 2)
	for i, v := range page.After {
		if n, ok := v.(int64); ok && i < len(at) {
			at[i] = n
		}
	}
	if len(page.After) == 1 {
		return place{seq: at[0]}
	}
	return place{report: at[0], seq: at[1]}
}

// reportsOf are the reports for which a condition holds.
func reportsOf(p store.Predicate) index {
	return reportsIn("SELECT seq, seq FROM report WHERE "+p.SQL+" AND seq > ? ORDER BY seq LIMIT ? + 0", p.Args)
}

// reportsWithin are the reports of a span of time. All of the span is read from its
// column's index, and the first of it in the order of the list are kept; the sums keep
// planners from going through the table in that order instead.
func reportsWithin(p store.Predicate) index {
	return reportsIn("SELECT seq, seq FROM report WHERE "+p.SQL+" AND seq + 0 > ? ORDER BY seq + 0 LIMIT ? + 0", p.Args)
}

// reportsWith are the reports of the rows of another table for which a condition holds,
// each once.
func reportsWith(table string, p store.Predicate) index {
	return reportsIn("SELECT DISTINCT report_seq, report_seq FROM "+table+" WHERE "+p.SQL+" AND report_seq > ? ORDER BY report_seq LIMIT ? + 0", p.Args)
}

func reportsIn(query string, args []any) index {
	return func(tx *store.Tx, behind place, n int) ([]place, error) {
		return readPlaces(tx, query, append(args[:len(args):len(args)], max(behind.report, behind.seq), int64(n))...)
	}
}

// entriesWith are the entries of whose associations a condition holds.
func entriesWith(p store.Predicate) index {
	return func(tx *store.Tx, behind place, n int) ([]place, error) {
		return readPlaces(tx, "SELECT DISTINCT report_seq, entry_seq FROM entry_attendee WHERE "+p.SQL+" AND (report_seq, entry_seq) > (?, ?) ORDER BY report_seq, entry_seq LIMIT ? + 0",
			append(p.Args[:len(p.Args):len(p.Args)], behind.report, behind.seq, int64(n))...)
	}
}

func readPlaces(tx *store.Tx, query string, args ...any) ([]place, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.report, &p.seq); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}
