package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"quittance/internal/kernel/errs"
)

// List reads one page in the page's order, as far as access reaches, and says
// whether more rows follow in the direction of reading: behind the page, or in front
// of it for Before and Last. Every page costs the same, those by Position excepted.
func (t *Table[T]) List(tx *Tx, access, where Predicate, page Page) (list []T, more bool, err error) {
	keys, err := t.keys(page.Order)
	if err != nil {
		return nil, false, err
	}
	if page.Limit < 1 || page.Limit > MaxLimit {
		return nil, false, t.misuse(fmt.Sprintf("is listed with the limit %d", page.Limit))
	}
	if page.Position < 0 || page.Position > MaxPosition {
		return nil, false, errs.Newf(errs.Invalid, "position", "A list can be read from position 0 to %d; ask for later rows page by page.", MaxPosition)
	}
	backward := page.Last || page.Before != nil
	if backward {
		keys = reversed(keys)
	}
	from := page.After
	if from == nil {
		from = page.Before
	}
	want := page.Limit + 1 // the one too many tells that more follow
	if from == nil {
		tail, args := " ORDER BY "+orderSQL(keys)+limited, []any{int64(want)}
		if page.Position > 0 {
			tail, args = tail+" OFFSET ?", append(args, int64(page.Position))
		}
		list, err = t.read(tx, access, where, tail, want, args...)
	} else {
		list, err = t.behind(tx, access, where, keys, from, want)
	}
	if err != nil {
		return nil, false, err
	}
	if len(list) > page.Limit {
		list, more = list[:page.Limit], true
	}
	if backward {
		slices.Reverse(list)
	}
	return list, more, nil
}

// KeyOf is what Page.After and Page.Before want of a row: its values of the order's
// columns and of the tie-breaker, each a string, an int64 or a bool.
func (t *Table[T]) KeyOf(row *T, order Order) []any {
	keys, err := t.keys(order)
	if err != nil {
		return nil
	}
	c := t.written(row)
	values := make([]any, len(keys))
	for i, k := range keys {
		if k.Column == "seq" && t.hasSeq {
			values[i] = *c.seq
			continue
		}
		values[i] = c.vals[slices.IndexFunc(t.list, func(info column) bool { return info.name == k.Column })]
	}
	return values
}

// tieBreaker is the column that no two rows share.
func (t *Table[T]) tieBreaker() string {
	if t.hasSeq {
		return "seq"
	}
	return t.identity()
}

// keys completes an order with the tie-breaker and checks its columns: an order may
// come from a request's choice, and a NULL has no place in a keyset.
func (t *Table[T]) keys(order Order) ([]Key, error) {
	last := t.tieBreaker()
	keys := make([]Key, 0, len(order)+1)
	for _, k := range order {
		if k.Column == last {
			return append(keys, k), nil
		}
		i := slices.IndexFunc(t.list, func(info column) bool { return info.name == k.Column })
		if i < 0 || t.list[i].nullable {
			return nil, t.misuse("cannot be sorted by " + k.Column)
		}
		keys = append(keys, k)
	}
	return append(keys, Key{last, len(order) > 0 && order[len(order)-1].Desc}), nil
}

func reversed(keys []Key) []Key {
	r := slices.Clone(keys)
	for i := range r {
		r[i].Desc = !r[i].Desc
	}
	return r
}

func orderSQL(keys []Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.Column
		if k.Desc {
			parts[i] += " DESC"
		}
	}
	return strings.Join(parts, ", ")
}

// behind reads the rows behind the one with these values: first those that equal it
// in all keys but the last, then in all but the last two, and so on. Each step is one
// range of an index, in whatever directions the keys go. A comparison of rows,
// (name, seq) > (?, ?), would not do: SQLite uses no index for the part of seq, and a
// page deep among equal names would cost as much as all before it.
func (t *Table[T]) behind(tx *Tx, access, where Predicate, keys []Key, values []any, want int) ([]T, error) {
	if len(values) != len(keys) {
		return nil, badPage
	}
	args := make([]any, len(values))
	for i, v := range values {
		if args[i] = keyValue(v); args[i] == nil {
			return nil, badPage
		}
	}
	var list []T
	for i := len(keys) - 1; i >= 0 && len(list) < want; i-- {
		step := ""
		for _, k := range keys[:i] {
			step += k.Column + " = ? AND "
		}
		step += keys[i].Column + beyond(keys[i]) + "?"
		missing := want - len(list)
		rows, err := t.read(tx, access, And(where, Predicate{step, args[:i+1]}),
			" ORDER BY "+orderSQL(keys[i:])+limited, missing, int64(missing))
		if err != nil {
			return nil, err
		}
		if list == nil {
			list = rows
		} else {
			list = append(list, rows...)
		}
	}
	return list, nil
}

func beyond(k Key) string {
	if k.Desc {
		return " < "
	}
	return " > "
}

// badPage answers a place in a list that does not fit the list's order.
var badPage = errs.New(errs.Invalid, "page", "The page token does not belong to this list.")

// keyValue is v as the drivers take it, or nil. Values that went through JSON are
// numbers of its kinds.
func keyValue(v any) any {
	switch v := v.(type) {
	case string, int64, bool:
		return v
	case int:
		return int64(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	}
	return nil
}
