package store

import (
	"fmt"

	"quittance/internal/kernel/wire"
)

// stored is how documents are kept: nothing lost, nothing empty.
var stored = &wire.Style{Nulls: wire.NullOmit, Dates: wire.Micros}

// Document binds a TEXT column that holds the rest of the record r as one JSON
// object, through a binding like those of the wire. The binding is made once, when
// the table is described.
func Document[T any](c *Columns, name string, r *T, bind func(*T, *wire.Fields)) {
	if c.mode == describing {
		c.describe(name, false)
		c.docs = append(c.docs, wire.Bind(name, bind).Exact())
		return
	}
	schema := c.docs[c.doc].(*wire.Schema[T])
	c.doc++
	if c.mode == writing {
		c.vals = append(c.vals, string(schema.AppendJSON(nil, r, stored)))
		return
	}
	c.vals = append(c.vals, &scanDocument[T]{r, schema, name})
}

type scanDocument[T any] struct {
	r      *T
	schema *wire.Schema[T]
	name   string
}

func (d *scanDocument[T]) Scan(src any) error {
	var text []byte
	switch v := src.(type) {
	case string:
		text = []byte(v)
	case []byte:
		text = v
	case nil:
	default:
		return scanError(src, "a document")
	}
	if len(text) == 0 {
		return nil
	}
	doc, err := wire.ParseJSON(text)
	if err != nil {
		return fmt.Errorf("store: the document in column %s is damaged: %v", d.name, err) //nolint:errorlint // its kind is for callers that sent a document
	}
	if _, problems := d.schema.Decode(doc, d.r, wire.Stored); len(problems) > 0 {
		return fmt.Errorf("store: the document in column %s does not fit: %s %s", d.name, problems[0].Path, problems[0].Message)
	}
	return nil
}
