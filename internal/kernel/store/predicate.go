package store

import "strings"

// Predicate is a condition in SQL with its arguments. Values never stand in the
// text: every one has its `?`. The zero Predicate is no condition.
type Predicate struct {
	SQL  string
	Args []any
}

// Where makes a predicate.
func Where(sql string, args ...any) Predicate { return Predicate{sql, args} }

// Unrestricted is the access predicate of code that acts for no caller: tokens,
// jobs, sweeps. Whoever acts for a caller takes its predicate from the Actor.
func Unrestricted() Predicate { return Predicate{SQL: "1 = 1"} }

// And joins predicates so that all must hold; zero predicates are left out.
func And(all ...Predicate) Predicate { return join(" AND ", all) }

// Or joins predicates so that one must hold; zero predicates are left out.
func Or(all ...Predicate) Predicate { return join(" OR ", all) }

// And narrows p by a further condition.
func (p Predicate) And(sql string, args ...any) Predicate {
	return And(p, Predicate{sql, args})
}

// In limits p to rows whose column holds one of the values; with no values, to none.
func (p Predicate) In(column string, values ...any) Predicate {
	return And(p, In(column, values...))
}

// In holds for rows whose column is one of the values; without values for none.
func In[V any](column string, values ...V) Predicate {
	if len(values) == 0 {
		return Predicate{SQL: "1 = 0"}
	}
	// The list is filled up to a power of two with its last value, so that lists of
	// any length share a few prepared statements.
	n := 1
	for n < len(values) {
		n *= 2
	}
	args := make([]any, n)
	for i := range args {
		args[i] = values[min(i, len(values)-1)]
	}
	return Predicate{SQL: column + " IN (?" + strings.Repeat(", ?", n-1) + ")", Args: args}
}

// IsZero reports whether p is no condition.
func (p Predicate) IsZero() bool { return p.SQL == "" }

func join(with string, all []Predicate) Predicate {
	var some []Predicate
	size := 0
	for _, p := range all {
		if !p.IsZero() {
			some, size = append(some, p), size+len(p.Args)
		}
	}
	switch len(some) {
	case 0:
		return Predicate{}
	case 1:
		return some[0]
	}
	var sql strings.Builder
	args := make([]any, 0, size)
	for i, p := range some {
		if i > 0 {
			sql.WriteString(with)
		}
		sql.WriteString("(" + p.SQL + ")")
		args = append(args, p.Args...)
	}
	return Predicate{sql.String(), args}
}
