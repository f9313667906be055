package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	reason "github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"quittance/internal/kernel/errs"
)

// JSONSchemas are documents of JSON Schema, drafts 4 to 2020-12, that may refer to one
// another. What a schema's bodies mean to the program is not their business: they
// judge a Document, where a Schema binds it. They are safe for use by several
// goroutines.
type JSONSchemas struct {
	compiled     map[string]*jsonschema.Schema
	descriptions map[string]string // by the location of the schema that has it
}

// JSONFormat is a format of texts beside those that JSON Schema knows.
type JSONFormat struct {
	Name  string
	Holds func(text string) bool
}

// CompileJSONSchemas reads documents, each of which has an absolute $id. What they
// refer to must be among them: nothing is fetched. Formats are asserted.
func CompileJSONSchemas(documents [][]byte, formats ...JSONFormat) (*JSONSchemas, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(nothingElse{})
	c.AssertFormat()
	for _, f := range formats {
		c.RegisterFormat(&jsonschema.Format{Name: f.Name, Validate: func(v any) error {
			if text, ok := v.(string); ok && !f.Holds(text) {
				return errors.New("it does not hold")
			}
			return nil
		}})
	}
	var ids []string
	for _, b := range documents {
		d, err := ParseJSON(b)
		if err != nil {
			return nil, err
		}
		id := d.Field("$id").Text()
		if err := c.AddResource(id, d.plain(d.at)); err != nil {
			return nil, fmt.Errorf("wire: the JSON schema %q cannot be taken: %w", id, err)
		}
		ids = append(ids, id)
	}
	s := &JSONSchemas{compiled: map[string]*jsonschema.Schema{}, descriptions: map[string]string{}}
	for _, id := range ids {
		compiled, err := c.Compile(id)
		if err != nil {
			return nil, fmt.Errorf("wire: the JSON schema %q cannot be read: %w", id, err)
		}
		s.compiled[id] = compiled
		s.collect(compiled, map[*jsonschema.Schema]bool{})
	}
	return s, nil
}

// nothingElse refuses to fetch documents.
type nothingElse struct{}

func (nothingElse) Load(url string) (any, error) {
	return nil, errors.New(url + " is not among the documents")
}

// collect gathers the descriptions of a schema and of all that it consists of.
func (s *JSONSchemas) collect(at *jsonschema.Schema, seen map[*jsonschema.Schema]bool) {
	if at == nil || seen[at] {
		return
	}
	seen[at] = true
	if at.Description != "" {
		s.descriptions[at.Location] = at.Description
	}
	for _, part := range slices.Concat([]*jsonschema.Schema{at.Ref, at.If, at.Then, at.Else, at.Not, at.Items2020, at.Contains}, at.AllOf, at.AnyOf, at.OneOf, at.PrefixItems) {
		s.collect(part, seen)
	}
	for _, part := range at.Properties {
		s.collect(part, seen)
	}
	if items, ok := at.Items.(*jsonschema.Schema); ok {
		s.collect(items, seen)
	}
}

// Check holds a JSON document against the schema with this $id and lists all problems
// in the order of the document, at most 100, with paths such as "payments[0].amount";
// a missing member is named itself. The code of a problem is the schema's keyword, or
// that of Decode for what no family takes: texts above 64 KB or with control
// characters, and numbers of more than 64 characters.
func (s *JSONSchemas) Check(id string, d *Document) []errs.Field {
	compiled := s.compiled[id]
	if compiled == nil || d.format != fromJSON {
		return []errs.Field{{Code: "schema", Message: "There is no JSON schema for this."}}
	}
	found := d.unfit()
	if found == nil {
		err := compiled.Validate(d.plain(d.at))
		if failure, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
			s.flatten(id, d, failure, &found)
		}
	}
	slices.SortStableFunc(found, func(a, b placedProblem) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return strings.Compare(a.Path, b.Path)
	})
	var list []errs.Field
	for i, p := range found {
		if i > 0 && p.Path == found[i-1].Path && p.Code == found[i-1].Code {
			continue
		}
		if len(list) == errs.MaxFields {
			break
		}
		list = append(list, p.Field)
	}
	return list
}

// placedProblem is a problem with the node that has it.
type placedProblem struct {
	at int32
	errs.Field
}

// rulePlace is where a keyword stands in the schemas: "#/properties/total/type" in the
// one with this $id, "common.schema.json#/definitions/currency/pattern" in another.
func rulePlace(id, location, keyword string) string {
	document, within, _ := strings.Cut(location, "#")
	name := ""
	if document != id {
		name = document[strings.LastIndexByte(document, '/')+1:]
	}
	return name + "#" + within + "/" + keyword
}

// flatten lists the leaves of a failure of the schema with this $id.
func (s *JSONSchemas) flatten(id string, d *Document, e *jsonschema.ValidationError, found *[]placedProblem) {
	at, path := d.locate(e.InstanceLocation)
	add := func(path, code, text string) {
		if about := s.descriptions[e.SchemaURL]; about != "" && code != "required" && code != "type" {
			text += " " + about
		}
		*found = append(*found, placedProblem{at, errs.Field{Path: path, Code: code, Message: text, Schema: rulePlace(id, e.SchemaURL, code)}})
	}
	switch k := e.ErrorKind.(type) {
	case *reason.Required:
		for _, name := range k.Missing {
			add(joinPath(path, name), "required", "is required.")
		}
		return
	case *reason.AnyOf:
		if names := alternatives(e.Causes); names != nil {
			add(path, "anyOf", "must have "+strings.Join(names, " or ")+".")
			return
		}
		add(path, "anyOf", "has none of the forms that are allowed here.")
		return
	}
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			s.flatten(id, d, cause, found)
		}
		return
	}
	switch k := e.ErrorKind.(type) {
	case *reason.Type:
		add(path, "type", "must be of the type "+strings.Join(k.Want, " or ")+", not "+k.Got+".")
	case *reason.Enum:
		values := make([]string, len(k.Want))
		for i, v := range k.Want {
			values[i] = fmt.Sprint(v)
		}
		add(path, "enum", "must be one of "+strings.Join(values, ", ")+".")
	case *reason.Pattern:
		add(path, "pattern", "must match the pattern "+k.Want+".")
	case *reason.Format:
		add(path, "format", "must have the format "+k.Want+".")
	case *reason.MinLength:
		add(path, "minLength", "must be at least "+counted(k.Want, "character")+" long.")
	case *reason.MaxLength:
		add(path, "maxLength", "must be at most "+counted(k.Want, "character")+" long.")
	case *reason.MinItems:
		add(path, "minItems", "must have at least "+counted(k.Want, "item")+".")
	case *reason.MaxItems:
		add(path, "maxItems", "must have at most "+counted(k.Want, "item")+".")
	case *reason.Minimum:
		add(path, "minimum", "must be "+k.Want.RatString()+" or more.")
	case *reason.Maximum:
		add(path, "maximum", "must be "+k.Want.RatString()+" or less.")
	default:
		code := "schema"
		if keyword := k.KeywordPath(); len(keyword) > 0 {
			code = keyword[len(keyword)-1]
		}
		add(path, code, k.LocalizedString(message.NewPrinter(language.English)))
	}
}

// alternatives are the members of which one is missing, when that is all that is wrong.
func alternatives(causes []*jsonschema.ValidationError) []string {
	var names []string
	for _, cause := range causes {
		k, ok := cause.ErrorKind.(*reason.Required)
		if !ok || len(k.Missing) != 1 {
			return nil
		}
		names = append(names, k.Missing[0])
	}
	return names
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// locate finds the value that steps lead to, and its path.
func (d *Document) locate(steps []string) (at int32, path string) {
	at = d.at
	for _, step := range steps {
		array, n := d.nodes[at].kind == arrayNode, 0
		for c := at + 1; c < d.nodes[at].end; c = d.nodes[c].end {
			if array && strconv.Itoa(n) == step || !array && d.name(c) == step {
				at = c
				break
			}
			n++
		}
		if array {
			path += "[" + step + "]"
		} else {
			path = joinPath(path, step)
		}
	}
	return at, path
}

// joinPath puts a member's name behind a path.
func joinPath(path, name string) string {
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !(r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}):
		return path + "[" + quoteShort(name) + "]"
	case path == "":
		return name
	}
	return path + "." + name
}

// unfit lists the values that no family takes, whatever their schema.
func (d *Document) unfit() (found []placedProblem) {
	for i := d.at; i < d.nodes[d.at].end; i++ {
		code, why := d.unfitValue(i)
		if why == "" {
			continue
		}
		found = append(found, placedProblem{i, errs.Field{Path: d.pathTo(i), Code: code, Message: why}})
		if len(found) == errs.MaxFields {
			break
		}
	}
	return found
}

func (d *Document) unfitValue(i int32) (code, why string) {
	if why := checkText(d.name(i)); why != "" && i > d.at {
		return "characters", "has a name that " + why
	}
	switch n := &d.nodes[i]; n.kind {
	case stringNode:
		text, sound := d.text(i)
		switch {
		case len(text) > maxText:
			return "tooLong", "is longer than 64 KB."
		case !sound:
			return "characters", "holds half a surrogate pair."
		}
		return "characters", checkText(text)
	case numberNode:
		text := d.src[n.from:n.to]
		if e := strings.IndexAny(text, "eE"); len(text) > maxNumber || e >= 0 && len(strings.TrimLeft(text[e+1:], "+-0")) > 3 {
			return "range", "is a number out of range."
		}
	default:
	}
	return "", ""
}

// pathTo is the path to a node somewhere below the document.
func (d *Document) pathTo(target int32) string {
	path, at := "", d.at
	for at != target {
		n := 0
		for c := range (&Document{d.tree, at}).children() {
			if target < d.nodes[c].end {
				if d.nodes[at].kind == arrayNode {
					path += "[" + strconv.Itoa(n) + "]"
				} else {
					path = joinPath(path, d.name(c))
				}
				at = c
				break
			}
			n++
		}
	}
	return path
}

// plain is a value as Go's own types, as the library wants it. Numbers are whole, or
// keep their digits.
func (t *tree) plain(i int32) any {
	n := &t.nodes[i]
	switch n.kind {
	case objectNode:
		m := make(map[string]any)
		for c := i + 1; c < n.end; c = t.nodes[c].end {
			m[t.name(c)] = t.plain(c)
		}
		return m
	case arrayNode:
		list := []any{}
		for c := i + 1; c < n.end; c = t.nodes[c].end {
			list = append(list, t.plain(c))
		}
		return list
	case stringNode:
		text, _ := t.text(i)
		return text
	case numberNode:
		text := t.src[n.from:n.to]
		if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
			return whole
		}
		return json.Number(text)
	case boolNode:
		return t.src[n.from] == 't'
	default:
		return nil
	}
}
