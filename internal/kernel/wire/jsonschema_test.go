package wire

import (
	"fmt"
	"strings"
	"testing"
)

const (
	orderSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://example.test/order.json","type":"object",
		"properties":{"id":{"type":"string","pattern":"^[A-Z]+$"},"lines":{"type":"array","minItems":1,"maxItems":3,"items":{"$ref":"http://example.test/line.json"}},
			"on":{"type":"string","format":"workday"},"note":{"type":"string","maxLength":4},"odd name":{"type":"integer","minimum":1,"maximum":9},"home":{"anyOf":[{"required":["street"]},{"required":["box"]}]}},
		"required":["id","lines"]}`
	lineSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://example.test/line.json","type":"object","description":"One thing that was ordered.",
		"properties":{"sku":{"description":"A number of the catalogue.","enum":["A1","B2"]},"n":{"type":"number"}},"required":["sku"]}`
)

func orders(t testing.TB) *JSONSchemas {
	t.Helper()
	s, err := CompileJSONSchemas([][]byte{[]byte(orderSchema), []byte(lineSchema)},
		JSONFormat{Name: "workday", Holds: func(text string) bool { return text != "Sunday" }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONSchemas(t *testing.T) {
	s := orders(t)
	for _, c := range []struct{ body, want string }{
		{`{"id":"A","lines":[{"sku":"A1","n":1.5e3}],"on":"Monday","more":{"x":[null,true]},"odd name":9}`, ""},
		{`[]`, " type must be of the type object, not array."},
		{`{}`, "id required is required.; lines required is required."},
		{`{"lines":[],"id":"a"}`, "lines minItems must have at least 1 item.; id pattern must match the pattern ^[A-Z]+$."},
		{`{"id":"A","lines":[{"sku":"A1"},{"n":"1"},{"sku":"C3"}]}`,
			"lines[1].sku required is required.; lines[1].n type must be of the type number, not string.; lines[2].sku enum must be one of A1, B2. A number of the catalogue."},
		{`{"id":"A","lines":[{"sku":"A1"},{"sku":"A1"},{"sku":"A1"},7]}`, "lines maxItems must have at most 3 items.; lines[3] type must be of the type object, not number."},
		{`{"id":"A","lines":[{"sku":"A1"}],"on":"Sunday","note":"éééé","odd name":0}`, `on format must have the format workday.; ["odd name"] minimum must be 1 or more.`},
		{`{"id":"A","lines":[{"sku":"A1"}],"note":"12345","odd name":10,"home":{}}`,
			`note maxLength must be at most 4 characters long.; ["odd name"] maximum must be 9 or less.; home anyOf must have street or box.`},
		{`{"id":"A","lines":[{"sku":"A1"}],"x":{"y":["ok","a\u0000b"]}}`, "x.y[1] characters holds a control character."},
		{`{"id":"A","lines":[{"sku":"A1"}],"x":"\ud800"}`, "x characters holds half a surrogate pair."},
		{"{\"id\":\"A\",\"lines\":[{\"sku\":\"A1\"}],\"x\xff\":1}", "[\"x\uFFFD\"] characters has a name that holds bytes that are not UTF-8."},
		{`{"id":"A","lines":[{"sku":"A1","n":1e999999999}]}`, "lines[0].n range is a number out of range."},
		{`{"id":"A","lines":[{"sku":"A1","n":` + strings.Repeat("9", 65) + `}]}`, "lines[0].n range is a number out of range."},
		{`{"id":"A","lines":[{"sku":"A1"}],"x":"` + strings.Repeat("x", maxText+1) + `"}`, "x tooLong is longer than 64 KB."},
	} {
		d, err := ParseJSON([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range s.Check("http://example.test/order.json", d) {
			got = append(got, f.Path+" "+f.Code+" "+f.Message)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%.80s\n  has %q\n want %q", c.body, strings.Join(got, "; "), c.want)
		}
	}
}

func TestJSONSchemasLimits(t *testing.T) {
	s := orders(t)
	body := `{"id":"A","lines":[{"sku":"A1"}],"x":[` + strings.Repeat(`"\u0000",`, 500) + `0]}`
	d, err := ParseJSON([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if found := s.Check("http://example.test/order.json", d); len(found) != 100 || found[99].Path != "x[99]" {
		t.Errorf("%d problems, want the first 100", len(found))
	}
	if found := s.Check("http://example.test/none.json", d); len(found) != 1 {
		t.Errorf("an unknown schema has no problem: %v", found)
	}
	xml, err := ParseXML([]byte("<a><id>A</id></a>"))
	if err != nil {
		t.Fatal(err)
	}
	if found := s.Check("http://example.test/order.json", xml); len(found) != 1 {
		t.Errorf("XML has no problem: %v", found)
	}
	inner := d.Field("lines").At(0)
	if found := s.Check("http://example.test/line.json", inner); len(found) != 0 {
		t.Errorf("a part of a document has problems: %v", found)
	}
}

func TestJSONSchemasThatAreNone(t *testing.T) {
	for name, documents := range map[string][]string{
		"no JSON":                   {`{`},
		"no schema":                 {`{"$id":"http://example.test/a.json","type":"thing"}`},
		"a reference that is not":   {`{"$id":"http://example.test/a.json","$ref":"http://example.test/b.json"}`},
		"a pattern that is none":    {`{"$id":"http://example.test/a.json","pattern":"("}`},
		"a file outside":            {`{"$id":"http://example.test/a.json","$ref":"file:///etc/passwd"}`},
		"the same id twice":         {lineSchema, lineSchema},
		"a pattern of another make": {`{"$id":"http://example.test/a.json","pattern":"^(?!x)"}`},
	} {
		var all [][]byte
		for _, d := range documents {
			all = append(all, []byte(d))
		}
		if _, err := CompileJSONSchemas(all); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestJSONSchemaFormats(t *testing.T) {
	for _, draft := range []string{"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"} {
		s, err := CompileJSONSchemas([][]byte{[]byte(fmt.Sprintf(`{"$schema":%q,"$id":"http://example.test/a.json","format":"email"}`, draft))})
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseJSON([]byte(`"nobody"`))
		if err != nil {
			t.Fatal(err)
		}
		if found := s.Check("http://example.test/a.json", d); len(found) != 1 || found[0].Code != "format" {
			t.Errorf("%s: %v", draft, found)
		}
	}
}
