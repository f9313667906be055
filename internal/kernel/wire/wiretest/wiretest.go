// Package wiretest reads and writes bodies in tests of services that speak both JSON and
// XML, so that one scenario runs in either.
package wiretest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Fields flattens a body of either format: "Items[0].ID". Lists have their length under
// their own name, in XML those of elements that come several times, and Items; what is
// null, absent or empty is "".
func Fields(t testing.TB, body string) map[string]string {
	t.Helper()
	f := map[string]string{}
	switch {
	case body == "":
	case body[0] == '{':
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		flattenJSON(f, "", v)
	default:
		flattenXML(t, f, body)
	}
	return f
}

func flattenJSON(f map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			if path != "" {
				k = path + "." + k
			}
			flattenJSON(f, k, m)
		}
	case []any:
		f[path] = strconv.Itoa(len(v))
		for i, m := range v {
			flattenJSON(f, path+"["+strconv.Itoa(i)+"]", m)
		}
	case nil:
	default:
		f[path] = fmt.Sprint(v)
	}
}

// flattenXML takes elements that come several times, and Items, for lists.
func flattenXML(t testing.TB, f map[string]string, body string) {
	t.Helper()
	type node struct {
		name     string
		text     strings.Builder
		children []*node
	}
	root := &node{}
	open := []*node{root}
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local}
			above := open[len(open)-1]
			above.children = append(above.children, n)
			open = append(open, n)
		case xml.CharData:
			open[len(open)-1].text.Write(token)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	var walk func(path string, n *node)
	walk = func(path string, n *node) {
		count := map[string]int{}
		for _, c := range n.children {
			count[c.name]++
		}
		at := map[string]int{}
		for _, c := range n.children {
			here := c.name
			if path != "" {
				here = path + "." + c.name
			}
			if count[c.name] > 1 || c.name == "Items" {
				f[here] = strconv.Itoa(count[c.name])
				here += "[" + strconv.Itoa(at[c.name]) + "]"
				at[c.name]++
			}
			if len(c.children) == 0 {
				f[here] = c.text.String()
			}
			walk(here, c)
		}
	}
	walk("", root.children[0])
	if _, refused := f["Message"]; !refused && f["Items"] == "" {
		f["Items"] = "0"
	}
}

// XML says a JSON object in XML, with an arbitrary root; null is i:nil. A body that is
// no JSON object is given back as it is.
func XML(t testing.TB, body string) string {
	t.Helper()
	if !strings.HasPrefix(body, "{") {
		return body
	}
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var b bytes.Buffer
	b.WriteString(`<Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`)
	writeXML(&b, "", v)
	b.WriteString("</Body>")
	return b.String()
}

func writeXML(b *bytes.Buffer, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if _, list := v[k].([]any); list {
				writeXML(b, k, v[k])
				continue
			}
			if v[k] == nil {
				b.WriteString("<" + k + ` i:nil="true"/>`)
				continue
			}
			b.WriteString("<" + k + ">")
			writeXML(b, k, v[k])
			b.WriteString("</" + k + ">")
		}
	case []any:
		for _, m := range v {
			b.WriteString("<" + name + ">")
			writeXML(b, name, m)
			b.WriteString("</" + name + ">")
		}
	default:
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v)))
	}
}

// Fill puts what a scenario has kept in the place of {name}; other braces stay.
func Fill(text string, kept map[string]string) string {
	return braces.ReplaceAllStringFunc(text, func(m string) string {
		if v, ok := kept[m[1:len(m)-1]]; ok {
			return v
		}
		return m
	})
}

var braces = regexp.MustCompile(`\{([a-zA-Z0-9]+)\}`)

// Compare holds fields against what is wanted of them, "Total=12.5; Items=2", and gives
// the first difference; "" when there is none.
func Compare(fields map[string]string, want string) string {
	for _, pair := range strings.Split(want, "; ") {
		if key, value, ok := strings.Cut(pair, "="); ok && fields[key] != value {
			return fmt.Sprintf("%s is %q, want %q", key, fields[key], value)
		}
	}
	return ""
}
