package expense

import (
	"fmt"
	"strings"
	"testing"

	"quittance/internal/kernel/wire/wiretest"
)

// makers are the calls that make something, each with a body that is right.
var makers = []struct{ call, body string }{
	{"POST /expense/reports", `{"Name":"Bergen"}`},
	{"POST /expense/entries", lunch("r", "1")},
	{"POST /expense/itemizations", part("e", "1", "")},
	{"POST /expense/attendees", guest("PRIVATE", "New", "")},
	{"POST /expense/entryattendeeassociations", with("e", "free", "")},
}

// A call makes one record: none, a list of one, or of 1,001 is refused as a whole.
func TestOneRecordACall(t *testing.T) {
	w := newWorld(t)
	w.ofAnn()
	before := w.allOfAnn()
	for _, m := range makers {
		path := "/api/v3.0" + strings.TrimPrefix(m.call, "POST ")
		one := w.fill(m.body)
		element := strings.TrimPrefix(strings.TrimSuffix(wiretest.XML(t, one), "</Body>"), `<Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`)
		for name, c := range map[string]struct{ media, body string }{
			"no body":                 {inJSON, ""},
			"blanks":                  {inJSON, " \r\n\t"},
			"null":                    {inJSON, "null"},
			"a text":                  {inJSON, `"Bergen"`},
			"an empty object":         {inJSON, "{}"},
			"an empty list":           {inJSON, "[]"},
			"a list of one":           {inJSON, "[" + one + "]"},
			"a list of 1,001":         {inJSON, "[" + strings.Repeat(one+",", 1000) + one + "]"},
			"a list as Items":         {inJSON, `{"Items":[` + one + `]}`},
			"two objects":             {inJSON, one + one},
			"half an object":          {inJSON, one[:len(one)-1]},
			"a name twice":            {inJSON, strings.TrimSuffix(one, "}") + `,"Unknown":1,"Unknown":2}`},
			"an empty element":        {inXML, "<Body/>"},
			"no root":                 {inXML, " "},
			"two roots":               {inXML, "<Body>" + element + "</Body><Body>" + element + "</Body>"},
			"1,001 items":             {inXML, "<Body>" + strings.Repeat("<Items>"+element+"</Items>", 1001) + "</Body>"},
			"every element twice":     {inXML, "<Body>" + element + element + "</Body>"},
			"attributes for elements": {inXML, `<Body Name="Bergen" LastName="New" ReportID="x" EntryID="x"/>`},
			"a document type":         {inXML, `<!DOCTYPE Body><Body>` + element + `</Body>`},
			"an entity":               {inXML, strings.Replace("<Body>"+element+"</Body>", "</", "&lol;</", 1)},
			"JSON as XML":             {inXML, one},
			"XML as JSON":             {inJSON, "<Body>" + element + "</Body>"},
		} {
			a := w.send("ann", "POST", path, c.media, inJSON, c.body)
			if a.status != 400 || wiretest.Fields(t, a.body)["Message"] == "" {
				t.Errorf("%s, %s: %d %s", m.call, name, a.status, a.body)
			}
		}
		for name, media := range map[string]string{"text": "text/plain", "parts": "multipart/form-data; boundary=x", "none that there is": "garbage"} {
			if a := w.send("ann", "POST", path, media, inJSON, one); a.status != 415 {
				t.Errorf("%s as %s: %d %s", m.call, name, a.status, a.body)
			}
		}
		if a := w.send("ann", "POST", path, inJSON, "text/html", one); a.status != 406 {
			t.Errorf("%s for a page: %d %s", m.call, a.status, a.body)
		}
		if a := w.send("ann", "POST", path, inJSON, inJSON, one+strings.Repeat(" ", 11<<20)); a.status != 413 {
			t.Errorf("%s with a large body: %d %s", m.call, a.status, a.body)
		}
	}
	if after := w.allOfAnn(); after != before {
		t.Errorf("ann's records were\n%s\nand are\n%s", before, after)
	}
	w.sound()
}

// The forms in which clients say the same: a prefix, comments, CDATA and characters by
// number in XML; other letters, unknown and read-only names; fields of a form.
func TestBodiesInOtherWords(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ media, body string }{
		{inJSON, `{"Name":"Café <&> 7","Purpose":"Fair","Custom1":"x","UserDefinedDate":"2025-02-01"}`},
		{"application/json; charset=utf-8", "\ufeff" + ` { "name" : "Caf\u00e9 \u003c&> 7", "PURPOSE" : "Fair", "custom1" : { "value" : "x" }, "UserDefinedDate" : "2025-02-01T00:00:00.000" } `},
		{"text/json", `{"ID":"x","URI":null,"Total":"much","Items":[[]],"Name":"Café <&> 7","Purpose":"Fair","Custom1":{"Type":"List","Value":"x","Code":null},"UserDefinedDate":"2025-02-01 10:00"}`},
		{inXML, "<Report><Name>Café &lt;&amp;&gt; 7</Name><Purpose>Fair</Purpose><Custom1>x</Custom1><UserDefinedDate>2025-02-01</UserDefinedDate></Report>"},
		{"text/xml; charset=utf-8", "\ufeff" + `<?xml version="1.0" encoding="utf-16"?><!-- by hand --><r:Report xmlns:r="urn:r" r:version="2"><?keep?><r:Name a="b">Caf&#xE9;<!-- é --> <![CDATA[<&>]]> &#55;</r:Name>
			<r:purpose>Fair</r:purpose><r:Custom1><r:Value>x</r:Value><r:Code nil="true"/></r:Custom1><r:UserDefinedDate> 2025-02-01T00:00:00Z </r:UserDefinedDate><r:Total>much</r:Total></r:Report>`},
		{"application/soap+xml", `<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ID/><URI i:nil="true"/><Name>Café &#60;&#38;&gt; 7</Name><Purpose i:nil="false">Fair</Purpose><Custom1><Value>x</Value></Custom1><Custom2 i:nil="true">y</Custom2><UserDefinedDate>2025-02-01</UserDefinedDate></x>`},
		{"application/x-www-form-urlencoded", "Name=Caf%C3%A9+%3C%26%3E+7&Purpose=Fair&Custom1[Value]=x&UserDefinedDate=2025-02-01&Unknown[]=1"},
	} {
		a := w.send("ann", "POST", "/api/v3.0/expense/reports", c.media, inJSON, c.body)
		if a.status != 200 {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
			continue
		}
		w.kept["r"] = wiretest.Fields(t, a.body)["ID"]
		w.run(step{as: "ann", call: "GET /expense/reports/{r}", want: "Name=Café <&> 7; Custom1.Value=x; Custom1.Type=Text; Custom2.Value=; UserDefinedDate=2025-02-01T00:00:00; Total=0"})
	}
}

// What cannot be kept is a problem of its field, in either format, whatever the field.
func TestTextsThatCannotBeKept(t *testing.T) {
	both(t, func(w *world) {
		w.ofAnn()
		before := w.allOfAnn()
		type text struct{ json, xml string }
		for name, c := range map[string]struct {
			text
			want string
		}{
			"a control character": {text{`a\u0007b`, "a\x07b"}, "holds a control character"},
			"no UTF-8":            {text{"a\xffb", "a\xffb"}, "not UTF-8"},
			"too much of it":      {text{strings.Repeat("x", 70_000), strings.Repeat("x", 70_000)}, "is longer than 64 KB"},
			"a value in it":       {text{"", "<b>x</b>"}, "must be a single value"},
		} {
			for _, f := range []string{"reports/{r} Name", "reports/{r} Purpose", "entries/{e} Description", "entries/{e} VendorDescription", "entries/{e} Comment", "itemizations/{i} Description",
				"attendees/{a} FirstName", "attendees/{a} Company", "entryattendeeassociations/{x} Custom1"} {
				path, field, _ := strings.Cut(w.fill(f), " ")
				media, body := inJSON, fmt.Sprintf(`{"%s":"%s"}`, field, c.json)
				if w.xml {
					media, body = inXML, fmt.Sprintf("<B><%s>%s</%s></B>", field, c.xml, field)
				} else if c.json == "" {
					body = fmt.Sprintf(`{"%s":{"b":"x"}}`, field)
				}
				a := w.send("ann", "PUT", "/api/v3.0/expense/"+path, media, media, body)
				if m := wiretest.Fields(t, a.body)["Message"]; a.status != 400 || !strings.HasPrefix(m, field+": ") || !strings.Contains(m, c.want) {
					t.Errorf("%s in %s: %d %s", name, field, a.status, a.body)
				}
			}
		}
		if after := w.allOfAnn(); after != before {
			t.Error("ann's records have changed")
		}
	})
}
