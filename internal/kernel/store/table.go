package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"quittance/internal/kernel/errs"
)

// Table reads and writes the rows of one table as values of T. Its SQL texts are
// built once; what a row consists of is told by T's columns method.
type Table[T any] struct {
	name    string
	columns func(*T, *Columns)
	list    []column // all columns but seq, as columns names them
	all     []string // names with seq, in order
	docs    []any
	key     int // index in list; -1 when the table has none
	hasSeq  bool

	selectFrom, insert, update, remove string
}

// NewTable describes a table. It panics when columns names one twice, or none by
// which a row can be found again.
func NewTable[T any](name string, columns func(*T, *Columns)) *Table[T] {
	var zero T
	c := Columns{mode: describing}
	columns(&zero, &c)
	t := &Table[T]{name: name, columns: columns, docs: c.docs, key: -1}
	seen := map[string]bool{}
	for _, info := range c.infos {
		if seen[info.name] {
			panic("store: table " + name + " names column " + info.name + " twice")
		}
		seen[info.name] = true
		t.all = append(t.all, info.name)
		if info.seq {
			t.hasSeq = true
			continue
		}
		if info.key {
			t.key = len(t.list)
		}
		t.list = append(t.list, info)
	}
	if t.key < 0 && !t.hasSeq {
		panic("store: table " + name + " has neither a key nor a seq")
	}
	var names, sets []string
	for i, info := range t.list {
		names = append(names, info.name)
		if i != t.key {
			sets = append(sets, info.name+" = ?")
		}
	}
	t.selectFrom = "SELECT " + strings.Join(t.all, ", ") + " FROM " + name
	t.insert = "INSERT INTO " + name + " (" + strings.Join(names, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) + ")"
	t.update = "UPDATE " + name + " SET " + strings.Join(sets, ", ") + " WHERE " + t.identity() + " = ?"
	t.remove = "DELETE FROM " + name + " WHERE " + t.identity() + " = ?"
	return t
}

// Name is the table's name.
func (t *Table[T]) Name() string { return t.name }

// identity is the column by which one row is found: the key, else seq.
func (t *Table[T]) identity() string {
	if t.key >= 0 {
		return t.list[t.key].name
	}
	return "seq"
}

// Get reads the row with this key, as far as access reaches; NotFound when there is
// none or it is not visible: the same answer.
func (t *Table[T]) Get(tx *Tx, access Predicate, key string) (*T, error) {
	if t.key < 0 {
		return nil, t.misuse("has no key")
	}
	return t.One(tx, access, Predicate{SQL: t.list[t.key].name + " = ?", Args: []any{key}})
}

// One reads the first row, by seq, for which where holds, as far as access reaches;
// NotFound when there is none.
func (t *Table[T]) One(tx *Tx, access, where Predicate) (*T, error) {
	rows, err := t.query(tx, access, where, " ORDER BY "+t.tieBreaker()+" LIMIT 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, cmp.Or(rows.Err(), notFound(nil))
	}
	one, c := new(T), Columns{vals: make([]any, 0, len(t.all))}
	if err := rows.Scan(t.into(one, &c)...); err != nil {
		return nil, err
	}
	return one, nil
}

// Lock makes later writers of the row with this key wait for the end of tx, and
// waits for earlier ones: the first step of a change to an aggregate.
func (t *Table[T]) Lock(tx *Tx, key string) error { return tx.lock(t.name, t.identity(), key) }

// Keep keeps the row with this key from being locked or removed until the end of tx, and
// waits for whoever has locked it; others may keep it too. It is for what names the row.
func (t *Table[T]) Keep(tx *Tx, key string) error { return tx.keep(t.name, t.identity(), key) }

// Insert writes a new row and fills its seq.
func (t *Table[T]) Insert(tx *Tx, r *T) error {
	c := t.written(r)
	if !t.hasSeq {
		_, err := tx.Exec(t.insert, c.vals...)
		return err
	}
	seq, err := tx.insert(t.insert, c.vals)
	if err != nil {
		return err
	}
	*c.seq = seq
	return nil
}

// Update writes the row that has r's key; NotFound when there is none.
func (t *Table[T]) Update(tx *Tx, r *T) error {
	c := t.written(r)
	n, err := tx.Exec(t.update, t.updateArgs(c)...)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound(nil)
	}
	return nil
}

// Delete removes the row with this key; NotFound when there is none. The caller has
// read it with its access before.
func (t *Table[T]) Delete(tx *Tx, key string) error {
	if t.key < 0 {
		return t.misuse("has no key")
	}
	n, err := tx.Exec(t.remove, key)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound(nil)
	}
	return nil
}

// DeleteWhere removes the rows for which both predicates hold and says how many.
func (t *Table[T]) DeleteWhere(tx *Tx, access, where Predicate) (int64, error) {
	if access.IsZero() {
		return 0, t.misuse("is used without an access predicate")
	}
	p := And(access, where)
	return tx.Exec("DELETE FROM "+t.name+" WHERE "+p.SQL, p.Args...)
}

// All reads up to limit rows in the order of an SQL text ("" for seq).
func (t *Table[T]) All(tx *Tx, access, where Predicate, orderBy string, limit int) ([]T, error) {
	if limit < 1 || limit > MaxLimit {
		return nil, t.misuse(fmt.Sprintf("is read with the limit %d", limit))
	}
	if orderBy == "" {
		orderBy = t.tieBreaker()
	}
	return t.read(tx, access, where, " ORDER BY "+orderBy+limited, limit, int64(limit))
}

// Count is how many rows there are.
func (t *Table[T]) Count(tx *Tx, access, where Predicate) (int64, error) {
	if access.IsZero() {
		return 0, t.misuse("is used without an access predicate")
	}
	p := And(access, where)
	var n int64
	err := tx.QueryRow("SELECT COUNT(*) FROM "+t.name+" WHERE "+p.SQL, p.Args...).Scan((*scanInt)(&n))
	return n, err
}

// SaveChildren makes the rows of a parent what now lists: rows that are gone are
// deleted, changed ones updated, new ones inserted. Rows are matched by key (by seq
// in a table without one), and now's rows get their seq.
func (t *Table[T]) SaveChildren(tx *Tx, parent Predicate, now []T) error {
	before, err := t.read(tx, parent, Predicate{}, " ORDER BY "+t.tieBreaker(), 0)
	if err != nil {
		return err
	}
	old := make(map[any]*Columns, len(before))
	order := make([]any, 0, len(before))
	for i := range before {
		c := t.written(&before[i])
		id := t.idOf(c)
		old[id] = c
		order = append(order, id)
	}
	keep := make(map[any]bool, len(now))
	changed := make([]*Columns, 0, len(now))
	var fresh []int
	for i := range now {
		c := t.written(&now[i])
		id := t.idOf(c)
		was, known := old[id]
		switch {
		case !known:
			fresh = append(fresh, i)
			continue
		case keep[id]:
			return t.misuse("is given one child twice")
		}
		keep[id] = true
		if t.hasSeq {
			*c.seq = *was.seq
		}
		if !slices.EqualFunc(was.vals, c.vals, sameValue) {
			changed = append(changed, c)
		}
	}
	for _, id := range order {
		if !keep[id] {
			if _, err := tx.Exec(t.remove, id); err != nil {
				return err
			}
		}
	}
	for _, c := range changed {
		if _, err := tx.Exec(t.update, t.updateArgs(c)...); err != nil {
			return err
		}
	}
	for _, i := range fresh {
		if err := t.Insert(tx, &now[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table[T]) idOf(c *Columns) any {
	if t.key >= 0 {
		return c.vals[t.key]
	}
	return *c.seq
}

func (t *Table[T]) updateArgs(c *Columns) []any {
	id := t.idOf(c)
	args := make([]any, 0, len(c.vals)+1)
	for i, v := range c.vals {
		if i != t.key {
			args = append(args, v)
		}
	}
	return append(args, id)
}

// written gathers a row's values, all but seq.
func (t *Table[T]) written(r *T) *Columns {
	c := &Columns{mode: writing, docs: t.docs, vals: make([]any, 0, len(t.list))}
	t.columns(r, c)
	return c
}

// query runs a SELECT of the table.
func (t *Table[T]) query(tx *Tx, access, where Predicate, tail string, tailArgs ...any) (*Rows, error) {
	if access.IsZero() {
		return nil, t.misuse("is used without an access predicate")
	}
	p := And(access, where)
	args := p.Args
	if len(tailArgs) > 0 {
		args = slices.Concat(args, tailArgs)
	}
	return tx.Query(t.selectFrom+" WHERE "+p.SQL+tail, args...)
}

// limited ends a query of at most so many rows. The sum keeps SQLite from planning the
// statement anew whenever a limit is bound.
const limited = " LIMIT ? + 0"

// into makes c the destinations of a row's columns in r.
func (t *Table[T]) into(r *T, c *Columns) []any {
	*c = Columns{mode: scanning, docs: t.docs, vals: c.vals[:0]}
	t.columns(r, c)
	return c.vals
}

// read runs a SELECT of the table and scans its rows, each in its place: rows may be
// large. hint is how many to expect.
func (t *Table[T]) read(tx *Tx, access, where Predicate, tail string, hint int, tailArgs ...any) ([]T, error) {
	rows, err := t.query(tx, access, where, tail, tailArgs...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	c := Columns{vals: make([]any, 0, len(t.all))}
	list := make([]T, 0, min(hint, 100))
	for rows.Next() {
		list = append(list, *new(T))
		if err := rows.Scan(t.into(&list[len(list)-1], &c)...); err != nil {
			return nil, err
		}
	}
	return list, rows.Err()
}

func (t *Table[T]) misuse(how string) error {
	return errs.As(fmt.Errorf("store: table %s %s", t.name, how))
}

func sameValue(a, b any) bool {
	x, ok := a.([]byte)
	if !ok {
		return a == b
	}
	y, ok := b.([]byte)
	return ok && bytes.Equal(x, y)
}
