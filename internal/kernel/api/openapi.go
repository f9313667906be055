package api

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"quittance/internal/kernel/wire"
)

type object = map[string]any

// OpenAPI is the OpenAPI 3.1 document of all operations. Nothing in it is written
// by hand: it is what the declarations say.
func (s *Server) OpenAPI(version string) []byte {
	paths := object{}
	schemas := &schemaSet{byName: object{}}
	tags := map[string]bool{}
	for _, op := range s.operations {
		for i, base := range op.Family.Base {
			path := base + op.Path
			item, _ := paths[path].(object)
			if item == nil {
				item = object{}
				paths[path] = item
			}
			o := op.describe(schemas)
			if i > 0 {
				o["operationId"] = op.Doc.ID + "." + strconv.Itoa(i+1)
			}
			item[strings.ToLower(op.Method)] = o
		}
		tags[op.Doc.Group] = true
	}
	var groups []object
	for _, name := range sortedKeys(tags) {
		groups = append(groups, object{"name": name})
	}
	b, err := json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Quittance", "version": version,
			"description": "A self-hosted spend server that speaks the Concur web services. Operations marked x-quittance-extension are our own.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []object{{"url": s.options.PublicURL}},
		"tags":    groups,
		"paths":   paths,
		"components": object{
			"schemas":         schemas.byName,
			"securitySchemes": object{"oauth2": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
		},
	})
	if err != nil {
		panic("api: the OpenAPI document cannot be written: " + err.Error())
	}
	return b
}

func (o *Operation) describe(schemas *schemaSet) object {
	d := object{
		"operationId": o.Doc.ID, "summary": o.Doc.Summary, "tags": []string{o.Doc.Group},
		"responses": o.describeResponses(schemas),
	}
	text := o.Doc.Description
	if names := o.scopes.Names(); len(names) > 0 {
		text = strings.TrimSpace(text + " Needs the scope " + strings.Join(names, " or ") + ".")
	}
	if text != "" {
		d["description"] = text
	}
	if o.Doc.Deprecated {
		d["deprecated"] = true
	}
	if o.Doc.Extension {
		d["x-quittance-extension"] = true
	}
	if o.scopes.IsOpen() {
		d["security"] = []object{}
	} else {
		d["security"] = []object{{"oauth2": append([]string{}, o.scopes.Names()...)}}
	}
	var parameters []object
	for _, s := range segments(o.Path) {
		if strings.HasPrefix(s, "{") {
			parameters = append(parameters, object{"in": "path", "name": strings.Trim(s, "{}"), "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, p := range o.parameters {
		schema := object{"type": "string"}
		switch {
		case p.Field != nil:
			schema = schemas.field(p.Field, false)
			delete(schema, "description")
		case p.Name == "limit":
			schema = object{"type": "integer", "minimum": 1, "maximum": o.limit.max, "default": o.limit.standard}
		}
		parameters = append(parameters, object{"in": p.In, "name": p.Name, "description": p.Doc, "schema": schema})
	}
	if parameters != nil {
		d["parameters"] = parameters
	}
	if o.request != nil {
		d["requestBody"] = object{"required": true, "content": schemas.content(o.request)}
	}
	return d
}

func (o *Operation) describeResponses(schemas *schemaSet) object {
	all := object{}
	for i := range o.responses {
		r := &o.responses[i]
		d := object{"description": r.Doc}
		if len(r.Media) > 0 {
			d["content"] = schemas.content(&r.Content)
		}
		all[strconv.Itoa(r.Status)] = d
	}
	all["default"] = object{"description": "An error in the form of the " + o.Family.Name + " services."}
	return all
}

// schemaSet holds the named schemas of the document. A name that two operations
// give to different shapes is numbered.
type schemaSet struct{ byName object }

func (s *schemaSet) content(c *Content) object {
	all := object{}
	for _, media := range c.Media {
		switch {
		case c.Fields == nil && c.Name != "" && (strings.Contains(media, "json") || strings.Contains(media, "xml")):
			all[media] = object{"schema": object{"type": "object", "title": c.Name}}
		case c.Fields == nil:
			all[media] = object{}
		default:
			schema := s.named(c.Name, c.Fields, c.Input, c.Update)
			if c.Array {
				schema = object{"type": "array", "items": schema}
			}
			all[media] = object{"schema": schema}
		}
	}
	return all
}

func (s *schemaSet) named(name string, fields []wire.Description, input, update bool) object {
	schema := s.object(fields, input, update)
	if name == "" {
		return schema
	}
	text, _ := json.Marshal(schema)
	for i := 1; ; i++ {
		n := name
		if i > 1 {
			n += strconv.Itoa(i)
		}
		standing, ok := s.byName[n]
		if ok {
			if other, _ := json.Marshal(standing); string(other) != string(text) {
				continue
			}
		}
		s.byName[n] = schema
		return object{"$ref": "#/components/schemas/" + n}
	}
}

func (s *schemaSet) object(fields []wire.Description, input, update bool) object {
	properties := object{}
	var required []string
	for i := range fields {
		f := &fields[i]
		if input && f.ReadOnly || !input && f.WriteOnly {
			continue
		}
		properties[f.Name] = s.field(f, input)
		if f.Required && input && !update {
			required = append(required, f.Name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

func (s *schemaSet) field(f *wire.Description, input bool) object {
	d := object{}
	switch f.Type {
	case "array":
		if len(f.Children) > 0 {
			d["type"], d["items"] = "array", s.named(f.TypeName, f.Children, input, false)
		} else {
			d["type"], d["items"] = "array", object{"type": "string"}
		}
	case "object":
		d = s.object(f.Children, input, false)
	case "":
	default:
		d["type"] = f.Type
	}
	if f.Doc != "" {
		d["description"] = f.Doc
	}
	if f.Format != "" {
		d["format"] = f.Format
	}
	if f.Max > 0 {
		d["maxLength"] = f.Max
	}
	if len(f.Enum) > 0 {
		d["enum"] = f.Enum
	}
	if f.ReadOnly {
		d["readOnly"] = true
	}
	if f.WriteOnly {
		d["writeOnly"] = true
	}
	if f.Deprecated {
		d["deprecated"] = true
	}
	if f.Example != "" {
		d["examples"] = []string{f.Example}
	}
	return d
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Guards lists what every operation must have said; the tests fail on what it returns.
func Guards(ops []*Operation) (faults []string) {
	for _, o := range ops {
		switch {
		case !o.scopes.Declared():
			faults = append(faults, o.Doc.ID+" declares no scope")
		case o.subject == undeclaredSubject:
			faults = append(faults, o.Doc.ID+" declares no subject")
		case o.Doc.Group == "":
			faults = append(faults, o.Doc.ID+" belongs to no group")
		}
	}
	return faults
}
