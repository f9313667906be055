package wire

import (
	"net/url"
	"slices"
	"strings"

	"quittance/internal/kernel/errs"
)

// How many fields a form or a query may have, and how many parts all their names.
const (
	maxPairs = 10_000
	maxParts = 50_000
)

// ParseForm reads a body of type application/x-www-form-urlencoded. Brackets nest:
// Vendor[0][VendorCode]=… gives lists and objects, Items[][Name] begins a new item
// when the last one has a Name. Numbers in brackets are keys that order the items,
// never sizes. A field for one value that comes several times has its first value.
func ParseForm(raw string) (*Document, error) {
	root := &formNode{}
	count := 0
	err := pairs(raw, "The form", func(name, text string) string {
		path, ok := splitName(name)
		if !ok {
			return "a name nests deeper than 64 levels"
		}
		count += len(path)
		if count > maxParts {
			return "there are more than 50,000 parts of names"
		}
		root.put(path, text)
		return ""
	})
	if err != nil {
		return nil, err
	}
	return root.document(true), nil
}

// ParseQuery reads a raw query string. Names are trimmed and a question mark before
// them is cut; brackets mean nothing. Of a parameter for one value that comes several
// times the first counts; a parameter for a list has them all.
func ParseQuery(raw string) (*Document, error) {
	root := &formNode{}
	err := pairs(raw, "The query", func(name, text string) string {
		name = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(name), "?"))
		root.children = append(root.children, &formNode{name: name, text: text, leaf: true})
		return ""
	})
	if err != nil {
		return nil, err
	}
	return root.document(false), nil
}

// pairs calls take with each decoded name and value of raw.
func pairs(raw, what string, take func(name, text string) string) error {
	fail := func(at int, why string) error {
		return errs.Newf(errs.Invalid, "syntax", "%s cannot be read at byte %d: %s.", what, at, why)
	}
	if len(raw) > maxSource {
		return errs.New(errs.TooLarge, "syntax", what+" is too large.")
	}
	count, at := 0, 0
	for at < len(raw) {
		pair, _, _ := strings.Cut(raw[at:], "&")
		if pair != "" {
			if count++; count > maxPairs {
				return fail(at, "there are more than 10,000 fields")
			}
			name, text, _ := strings.Cut(pair, "=")
			name, err := url.QueryUnescape(name)
			if err != nil {
				return fail(at, "a percent sign is not followed by two hex digits")
			}
			text, err = url.QueryUnescape(text)
			if err != nil {
				return fail(at, "a percent sign is not followed by two hex digits")
			}
			if why := take(name, text); why != "" {
				return fail(at, why)
			}
		}
		at += len(pair) + 1
	}
	return nil
}

// splitName takes a[b][] apart. A name whose brackets do not match is a plain name.
func splitName(name string) (path []string, ok bool) {
	name = strings.TrimSpace(name)
	first, rest, nested := strings.Cut(name, "[")
	if !nested || first == "" || !strings.HasSuffix(rest, "]") {
		return []string{name}, true
	}
	path = append(path, first)
	for _, key := range strings.Split(rest[:len(rest)-1], "][") {
		if strings.ContainsAny(key, "[]") {
			return []string{name}, true
		}
		path = append(path, strings.TrimSpace(key))
	}
	return path, len(path) <= maxDepth
}

// formNode is a form while it is put together.
type formNode struct {
	name     string
	text     string
	leaf     bool
	children []*formNode
	inner    map[string]*formNode // the children that are no leaves, by name
	leaves   map[string]bool      // the names of those that are
}

func (n *formNode) put(path []string, text string) {
	for ; len(path) > 1; path = path[1:] {
		name := path[0]
		next := n.inner[name]
		if name == "" && next != nil && next.leaves[path[1]] {
			next = nil // the last item has this member: a new one begins
		}
		if next == nil {
			next = &formNode{name: name}
			n.children = append(n.children, next)
			if n.inner == nil {
				n.inner = map[string]*formNode{}
			}
			n.inner[name] = next
		}
		n = next
	}
	n.children = append(n.children, &formNode{name: path[0], text: text, leaf: true})
	if n.leaves == nil {
		n.leaves = map[string]bool{}
	}
	n.leaves[path[0]] = true
}

// isArray says whether all children have numbers or nothing for names. At the root
// they must be numbers, with something in brackets behind them.
func (n *formNode) isArray(root bool) bool {
	for _, c := range n.children {
		if strings.Trim(c.name, "0123456789") != "" || root && (c.leaf || c.name == "") {
			return false
		}
	}
	return len(n.children) > 0
}

// document flattens the tree; lists says whether the whole of it may be a list.
func (n *formNode) document(lists bool) *Document {
	t := &tree{format: fromForm}
	var text []byte
	var flatten func(n *formNode)
	flatten = func(n *formNode) {
		at := len(t.nodes)
		flat := node{kind: objectNode, nameFrom: uint32(len(text))}
		text = append(text, n.name...)
		flat.nameTo, flat.from = uint32(len(text)), uint32(len(text))
		switch {
		case n.leaf:
			flat.kind = stringNode
			text = append(text, n.text...)
		case (at > 0 || lists) && n.isArray(at == 0):
			flat.kind = arrayNode
			slices.SortStableFunc(n.children, func(a, b *formNode) int {
				x, y := strings.TrimLeft(a.name, "0"), strings.TrimLeft(b.name, "0")
				if len(x) != len(y) {
					return len(x) - len(y)
				}
				return strings.Compare(x, y)
			})
		}
		flat.to = uint32(len(text))
		t.nodes = append(t.nodes, flat)
		for _, c := range n.children {
			flatten(c)
		}
		t.nodes[at].end = int32(len(t.nodes))
	}
	flatten(n)
	t.src = string(text)
	return &Document{t, 0}
}
