package api

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// route is a node of a family's trie. Literal segments win over parameters, and a
// literal that leads nowhere gives way to a parameter beside it: /v4/status/{id}
// stands next to /v4/{id}/image, which net/http's mux refuses.
type route struct {
	literals map[string]*route
	param    *route
	ops      map[string]*Operation // by method
	names    []string              // of the parameters on the way here, for this node's operations
}

func (n *route) child(segment string) *route {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param = &route{}
		}
		return n.param
	}
	if n.literals == nil {
		n.literals = map[string]*route{}
	}
	next := n.literals[segment]
	if next == nil {
		next = &route{}
		n.literals[segment] = next
	}
	return next
}

func (n *route) add(path string, fold bool, op *Operation) {
	var names []string
	for _, s := range segments(path) {
		if strings.HasPrefix(s, "{") {
			names = append(names, strings.Trim(s, "{}"))
		} else if fold {
			s = strings.ToLower(s)
		}
		n = n.child(s)
	}
	if n.ops == nil {
		n.ops = map[string]*Operation{}
	}
	if other := n.ops[op.Method]; other != nil {
		panic(fmt.Sprintf("api: %s and %s are both %s %s", other.Doc.ID, op.Doc.ID, op.Method, path))
	}
	n.ops[op.Method] = op
	n.names = names
}

// find walks the path; values are the parameters on the way.
func (n *route) find(path []string, fold bool, values []string) (*route, []string) {
	if len(path) == 0 {
		if n.ops == nil {
			return nil, nil
		}
		return n, values
	}
	key := path[0]
	if fold {
		key = strings.ToLower(key)
	}
	if next := n.literals[key]; next != nil {
		if found, v := next.find(path[1:], fold, values); found != nil {
			return found, v
		}
	}
	if n.param != nil {
		return n.param.find(path[1:], fold, append(values, path[0]))
	}
	return nil, nil
}

func (n *route) methods() []string {
	all := []string{"OPTIONS"}
	for m := range n.ops {
		all = append(all, m)
		if m == "GET" {
			all = append(all, "HEAD")
		}
	}
	sort.Strings(all)
	return all
}

// segments cleans a path: double and trailing slashes mean nothing.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// router finds the family by prefix, then the operation by path.
type router struct {
	bases []base // longest first
}

type base struct {
	prefix []string
	family *Family
	root   *route
}

func (r *router) add(op *Operation) {
	for _, prefix := range op.Family.Base {
		r.at(op.Family, prefix).add(op.Path, op.Family.FoldCase, op)
	}
}

func (r *router) at(f *Family, prefix string) *route {
	s := segments(prefix)
	for i := range r.bases {
		if r.bases[i].family == f && strings.Join(r.bases[i].prefix, "/") == strings.Join(s, "/") {
			return r.bases[i].root
		}
	}
	r.bases = append(r.bases, base{s, f, &route{}})
	sort.SliceStable(r.bases, func(i, j int) bool { return len(r.bases[i].prefix) > len(r.bases[j].prefix) })
	for i := range r.bases {
		if r.bases[i].family == f && strings.Join(r.bases[i].prefix, "/") == strings.Join(s, "/") {
			return r.bases[i].root
		}
	}
	return nil
}

// match gives the family whose prefix the path has, and the route when there is one.
func (r *router) match(path string) (f *Family, found *route, values []string) {
	all := segments(path)
	if !printable(path) {
		defer func() { found, values = nil, nil }() // the family, for the form of the answer
	}
	var space [4]string
	for i := range r.bases {
		b := &r.bases[i]
		if !b.covers(all) {
			continue
		}
		if f == nil {
			f = b.family
		}
		if found, values = b.root.find(all[len(b.prefix):], b.family.FoldCase, space[:0]); found != nil {
			return b.family, found, values
		}
	}
	return f, nil, nil
}

// printable reports whether a path can have been meant: ids and names are texts without
// control characters.
func printable(path string) bool {
	return utf8.ValidString(path) && !strings.ContainsFunc(path, unicode.IsControl)
}

func (b *base) covers(path []string) bool {
	if len(path) < len(b.prefix) {
		return false
	}
	for i, s := range b.prefix {
		if s != path[i] && !(b.family.FoldCase && strings.EqualFold(s, path[i])) {
			return false
		}
	}
	return true
}
