package store

// MaxPosition is the highest row number at which a page can begin: a position costs
// as much as all rows before it.
const MaxPosition = 1_000_000

// MaxLimit is the most rows that one List or All returns.
const MaxLimit = 10_000

// Key is one column of an order. Its values are never NULL.
type Key struct {
	Column string
	Desc   bool
}

// Order is the keys by which a list is sorted, the most significant first. List
// breaks ties by the table's seq (its key when it has no seq), in the direction of
// the last key; the zero Order is that column alone, ascending.
type Order []Key

// Ascending is the order by these columns.
func Ascending(columns ...string) Order { return orderBy(columns, false) }

// Descending is the order by these columns from the greatest on.
func Descending(columns ...string) Order { return orderBy(columns, true) }

func orderBy(columns []string, desc bool) Order {
	o := make(Order, len(columns))
	for i, c := range columns {
		o[i] = Key{c, desc}
	}
	return o
}

// Page says which rows of a list are wanted. At most one of After, Before, Last and
// Position is set; with none of them it is the first page.
type Page struct {
	Limit    int   // how many rows, from 1 to MaxLimit
	After    []any // what KeyOf gave for the row before the first wanted
	Before   []any // what KeyOf gave for the row behind the last wanted
	Last     bool  // the last rows of the list
	Position int   // rows to skip, at most MaxPosition
	Order    Order
}
