package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

func TestSyntaxErrorsSayWhere(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	bomb := strings.Repeat(`{"a":`, 100_000)
	const dtd = `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><lolz>&lol1;</lolz>`
	for _, c := range []struct{ body, want string }{
		{``, "empty"}, {" \n ", "empty"}, {"\xef\xbb\xbf", "empty"},
		{`{`, "line 1, column 2: a name in quotes"}, {`{"a"`, "column 5: a colon"}, {`{"a":}`, "column 6: a value"}, {`{"a":1,}`, "column 8: a name"},
		{`{"a":1 "b":2}`, "column 8: a comma or a closing brace"}, {`[1 2]`, "column 4: a comma or a closing bracket"}, {`[1,]`, "column 4: a value"},
		{"{\n  \"é\": nul\n}", "line 2, column 8: a value"}, {`{"a":1}{`, "column 8: something follows"}, {`1 1`, "column 3: something follows"},
		{`{"a":1,"b":2,"a":3}`, `column 14: the name "a" is given twice`}, {`{"a":1,"\u0061":3}`, `column 8: the name "a" is given twice`},
		{`{"x":{"k":1,"k":2}}`, `column 13: the name "k" is given twice`},
		{`{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"10":0,"\u0035":0}`, `column 63: the name "5" is given twice`},
		{deep, "column 65: it nests deeper than 64"}, {bomb, "nests deeper than 64"},
		{`"a` + "\n" + `"`, "column 3: a text holds a line break"}, {`"\x"`, "column 2: a text holds an escape"}, {`"\u12g4"`, "column 2: a text holds an escape"}, {"\"\\u000\x11\"", "column 2: a text holds an escape"},
		{`"abc`, "column 1: a text does not end"}, {`"\`, "does not end"}, {`01`, "column 1: a number"}, {`1.`, "a number"}, {`-`, "a number"}, {`+1`, "a value"}, {`1e`, "a number"},
		{`.5`, "a value"}, {`NaN`, "a value"}, {`'a'`, "a value"}, {`{a:1}`, "a name in quotes"}, {`// x`, "a value"},
		{`[` + strings.Repeat("1,", 500_000) + `1]`, "more than 500,000"},
	} {
		_, err := ParseJSON([]byte(c.body))
		wantSyntax(t, "JSON", c.body, err, c.want)
	}
	for _, c := range []struct{ body, want string }{
		{``, "empty"}, {"  ", "empty"}, {"\xff\xfe<\x00a\x00", "UTF-16"},
		{`<a>`, "ends too early"}, {`<a></b>`, `the element "a" is not closed`}, {`</a>`, "ends that was not begun"}, {`<a/><b/>`, "more than one root"}, {`x<a/>`, "text outside"},
		{`<a/>x`, "text outside"}, {"<a>\n<b></c></a>", "line 2, column"}, {`<a>&x;</a>`, "not well formed"}, {`<a>&nbsp;</a>`, "not well formed"}, {`<a b=c/>`, "not well formed"},
		{dtd, "document type"}, {`<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, "document type"},
		{`<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><a>&x;</a>`, "document type"},
		{strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), "deeper than 64"}, {strings.Repeat("<a>", 200_000), "deeper than 64"},
		{`<a>&#1;</a>`, "not well formed"}, {"<a\x00/>", "not well formed"}, {`{"a":1}`, "text outside"},
		{`<a>` + strings.Repeat("<b/>", 500_000) + `</a>`, "more than 500,000"},
	} {
		_, err := ParseXML([]byte(c.body))
		wantSyntax(t, "XML", c.body, err, c.want)
	}
	for _, c := range []struct{ body, want string }{
		{`a=1&b=%zz`, "byte 4: a percent sign"}, {`%=1`, "byte 0: a percent sign"}, {"a" + strings.Repeat("[b]", 64) + "=1", "deeper than 64"},
		{strings.Repeat("a=1&", 10_001), "more than 10,000"}, {strings.Repeat("a"+strings.Repeat("[]", 60)+"=1&", 1000), "more than 50,000"},
	} {
		_, err := ParseForm(c.body)
		wantSyntax(t, "form", c.body, err, c.want)
	}
	_, err := ParseQuery("a=%q")
	wantSyntax(t, "query", "a=%q", err, "The query cannot be read at byte 0")
}

func wantSyntax(t *testing.T, what, body string, err error, want string) {
	t.Helper()
	if !errs.Is(err, errs.Invalid) || errs.As(err).Code != "syntax" || !strings.Contains(errs.As(err).Message, want) || !strings.HasSuffix(errs.As(err).Message, ".") {
		t.Errorf("%s %.60q: got %v, want …%s…", what, body, err, want)
	}
}

func TestParseTolerates(t *testing.T) {
	for _, body := range []string{
		"\xef\xbb\xbf{\"Text\":\"x\"}", " \r\n\t{ \"Text\" : \"x\" } ", `{"Text":"\u0078"}`,
	} {
		d, err := ParseJSON([]byte(body))
		if err != nil || d.Field("text").Text() != "x" || !d.Has("Text") || d.Has("Texts") || !d.IsObject() || d.IsArray() {
			t.Errorf("%q: %v", body, err)
		}
	}
	for _, body := range []string{
		`<Report><Text>x</Text></Report>`, "\xef\xbb\xbf<a><Text>x</Text></a>", `<?xml version="1.0" encoding="ISO-8859-1"?><a><Text>x</Text></a>`,
		`<?xml version="1.0" encoding="utf-16"?><a><Text>x</Text></a>`, `<n:a xmlns:n="urn:x"><n:Text n:z="1">x</n:Text></n:a>`, `<a xmlns="urn:x"><Text><![CDATA[x]]></Text></a>`,
		`<a><!-- c --><Text><!-- a -->x<!-- b --></Text></a>`, `<a><?pi x?><Text>&#x78;</Text></a> <!-- end -->`, "<a>stray<Text>x</Text>text</a>",
	} {
		d, err := ParseXML([]byte(body))
		if err != nil || d.Field("Text").Text() != "x" || !d.IsObject() {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestBadCharactersAreAProblemOfTheField(t *testing.T) {
	for _, body := range []string{
		"{\"Text\":\"ok\",\"Note\":\"a\xffb\"}", `{"Text":"ok","Note":"a\ud800b"}`, `{"Text":"ok","Note":"\udc00\ud800"}`, `{"Text":"ok","Note":"\u0000"}`, `{"Text":"ok","Note":"\uffff"}`,
		"<a><Text>ok</Text><Note>a\xffb</Note></a>", "<a><Text>ok</Text><Note>a\x00b</Note></a>", "<a><Text>ok</Text><Note>a\x0bb</Note></a>",
		"<?xml version='1.0' encoding='ISO-8859-1'?><a><Text>ok</Text><Note>Caf\xe9</Note></a>", "<a><Text>ok</Text><Note>\uffff</Note></a>",
		"Text=ok&Note=%ff", "Text=ok&Note=%00", "Text=ok&Note=%c2%80",
	} {
		var d *Document
		var err error
		switch body[0] {
		case '{':
			d, err = ParseJSON([]byte(body))
		case '<':
			d, err = ParseXML([]byte(body))
		default:
			d, err = ParseForm(body)
		}
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		v := everything{}
		if _, problems := everythingSchema.Decode(d, &v, Create); listed(problems) != "Note characters" {
			t.Errorf("%q: %v", body, problems)
		}
		if text := d.Field("Note").Text(); strings.ToValidUTF8(text, "") != text || strings.ContainsRune(text, markEncoding) || strings.ContainsRune(text, markControl) {
			t.Errorf("%q: Text is %q", body, text)
		}
	}
	// Paired surrogates and the characters beside the surrogates are fine.
	v := everything{}
	if _, problems := decode(t, everythingSchema, `{"Text":"\ud83d\ude00\ud7ff\ue000"}`, &v, Create); len(problems) > 0 || v.Text != "😀\ud7ff\ue000" {
		t.Errorf("%q, %v", v.Text, problems)
	}
}

func TestXMLGivenTwice(t *testing.T) {
	v := everything{}
	if _, problems := decodeXML(t, everythingSchema, `<a><Text>a</Text><Text>b</Text></a>`, &v, Create); listed(problems) != "Text duplicate" {
		t.Errorf("%v", problems)
	}
}

func TestForm(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"Text=a+b%20c", `{"Text":"a b c"}`},
		{"Text=a&Text=b", `{"Text":"a"}`},
		{"Place[City]=Kiel&Place[Country]=DE", `{"Place":{"City":"Kiel","Country":"DE"}}`},
		{"Tags=a&Tags=b", `{"Tags":["a","b"]}`},
		{"Tags[]=a&Tags[]=b", `{"Tags":["a","b"]}`},
		{"Tags[1]=b&Tags[0]=a&Tags[10]=c", `{"Tags":["a","b","c"]}`},
		{"Custom1=v&Custom2[Value]=w", `{"Custom1":{"Value":"v"},"Custom2":{"Value":"w"}}`},
		{"Lines[0][Custom1][Value]=x&Lines[0][Name]=n&Lines[1][Name]=m", `{"Lines":[{"Name":"n","Custom1":{"Value":"x"}},{"Name":"m"}]}`},
		{"Journey[Stops][][Name]=a&Journey[Stops][][Home]=Y&Journey[Stops][][Name]=b&Journey[UnitOfMeasure]=k&Journey[Distance]=1",
			`{"Journey":{"UnitOfMeasure":"K","Distance":1,"Stops":[{"Name":"a","Home":true},{"Name":"b"}]}}`},
		{"&&Flag=1&", `{"Flag":true}`},
		{"Place[City=x&Place]City=y&[Place]=z", `{}`},
	} {
		d, err := ParseForm(c.body)
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		v, want := everything{}, everything{}
		_, problems := everythingSchema.Decode(d, &v, Update)
		if _, p := decode(t, everythingSchema, c.want, &want, Update); len(p) > 0 {
			t.Fatal(p)
		}
		if len(problems) > 0 || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %+v, %v", c.body, v, problems)
		}
	}
	d, err := ParseForm("1[Name]=b&0[Name]=a")
	if err != nil || !d.IsArray() || d.Len() != 2 || d.At(0).Field("Name").Text() != "a" {
		t.Errorf("a numbered form is %v, %v", d, err)
	}
}

func TestQuery(t *testing.T) {
	d, err := ParseQuery("??token=a/b=+%2B&%20user%20=ALL&limit=1&limit=2&?x=1&=e&1=2")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"token": "a/b= +", "USER": "ALL", "limit": "1", "x": "1", "": "e", "none": ""} {
		if got := d.Field(name).Text(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	v := everything{}
	set, problems := everythingSchema.Exact().Decode(must(ParseQuery("text=x&tags=a&tags=b&NOTE=&credtype =1&amount=")), &v, Query)
	if len(problems) > 0 || v.Text != "x" || !slices.Equal(v.Tags, []string{"a", "b"}) || strings.Join(set.Names(), ",") != "Text,Tags" || set.Ignored()[0] != "credtype" {
		t.Errorf("%+v, %v, %v", set, v, problems)
	}
	if d := must(ParseQuery("")); !d.IsObject() || d.Len() != 0 {
		t.Error("an empty query is no object")
	}
}

func must(d *Document, err error) *Document {
	if err != nil {
		panic(err)
	}
	return d
}

func TestDocuments(t *testing.T) {
	d := must(ParseJSON([]byte(` [ {"a":"\u0041"}, 2, null, [true], "x" ] `)))
	if !d.IsArray() || d.IsObject() || d.Len() != 5 || d.At(5) != nil || d.At(1).Text() != "2" || !d.At(2).IsNull() || !d.At(3).IsArray() {
		t.Errorf("%d items", d.Len())
	}
	if got := d.At(0).Field("A").Text(); got != "A" || string(d.At(0).Raw()) != `{"a":"\u0041"}` || string(d.At(4).Raw()) != `"x"` || string(d.At(3).At(0).Raw()) != "true" {
		t.Errorf("%q, %s", got, d.At(0).Raw())
	}
	var none *Document
	if none.IsArray() || none.IsObject() || !none.IsNull() || none.Len() != 0 || none.At(0) != nil || none.Field("a") != nil || none.Has("a") ||
		none.Text() != "" || none.Raw() != nil || none.Names() != nil || none.Elements("a") != nil {
		t.Error("nil is not an empty document")
	}
	v := everything{}
	if set, problems := everythingSchema.Decode(none, &v, Update); !set.Empty() || len(problems) > 0 {
		t.Error("nil changes something")
	}
	if got := must(ParseJSON([]byte(`{"b":1,"a":2}`))).Names(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("names are %v", got)
	}
	for _, c := range []struct {
		body string
		list bool
		n    int // Elements("Attendee")
	}{
		{`<A><Attendee><N>1</N></Attendee><Attendee><N>2</N></Attendee></A>`, true, 2},
		{`<A><Attendee><N>1</N></Attendee></A>`, false, 1},
		{`<ArrayOfAttendee><Attendee><N>1</N></Attendee></ArrayOfAttendee>`, true, 1},
		{`<Attendee><N>1</N></Attendee>`, false, 1},
		{`<Attendee><N>1</N><M>1</M></Attendee>`, false, 1},
		{`[{"N":1},{"N":2}]`, true, 2},
		{`{"N":1}`, false, 1},
		{`[]`, true, 0},
	} {
		parse := ParseJSON
		if c.body[0] == '<' {
			parse = ParseXML
		}
		d := must(parse([]byte(c.body)))
		if d.IsArray() != c.list || len(d.Elements("Attendee")) != c.n {
			t.Errorf("%s: %v, %d", c.body, d.IsArray(), len(d.Elements("Attendee")))
		}
		for _, e := range d.Elements("Attendee") {
			if e.Field("N").Text() == "" {
				t.Errorf("%s: an element has no N", c.body)
			}
		}
	}
}

// TestManyNames checks the name table of large objects.
func TestManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"Custom2":"x"`)
	for i := range 20_000 {
		fmt.Fprintf(&b, `,"n%d":{"a":1,"b":[2]}`, i)
	}
	d := must(ParseJSON([]byte(b.String() + "}")))
	if d.Len() != 20_001 {
		t.Errorf("%d members", d.Len())
	}
	if _, err := ParseJSON([]byte(b.String() + `,"n19":1}`)); err == nil {
		t.Error("a name given twice is taken")
	}
	v := everything{}
	if set, _ := everythingSchema.Decode(d, &v, Update); v.Custom[1].Value != "x" || len(set.Ignored()) != maxIgnored {
		t.Errorf("%+v, %d ignored", v.Custom, len(set.Ignored()))
	}
}

// FuzzParseJSON compares with encoding/json, which takes names twice and nests
// deeper; when both take a body, every scalar reads alike.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{}`, `[1,-0.5e+3,"\u00e9\ud83d\ude00\n",true,false,null]`, `{"a":{"b":[]},"c":""}`, `{"a":1,"a":2}`, "\"\xff\"", `"\ud800"`, `1e999999999`, `[[`, `"\"`, ` 0 `, "{\"\":1}\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseJSON(b)
		valid := json.Valid(cutMark(b))
		if err != nil {
			if m := errs.As(err).Message; valid && !strings.Contains(m, "given twice") && !strings.Contains(m, "deeper than 64") && !strings.Contains(m, "500,000") {
				t.Fatalf("%q is refused: %v", b, err)
			}
			return
		}
		if !valid {
			t.Fatalf("%q is taken", b)
		}
		var want any
		dec := json.NewDecoder(strings.NewReader(string(cutMark(b))))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		same(t, d, want)
	})
}

func same(t *testing.T, d *Document, want any) {
	switch want := want.(type) {
	case nil:
		if !d.IsNull() {
			t.Fatalf("%s is not null", d.Raw())
		}
	case string:
		// encoding/json writes one U+FFFD for each bad byte, we one for each run of them.
		squeeze := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\ufffd", "") }
		if squeeze(d.Text()) != squeeze(want) {
			t.Fatalf("text is %q, want %q", d.Text(), want)
		}
	case json.Number:
		if d.Text() != want.String() {
			t.Fatalf("number is %q, want %q", d.Text(), want)
		}
	case bool:
		if d.Text() != fmt.Sprint(want) {
			t.Fatalf("boolean is %q, want %v", d.Text(), want)
		}
	case []any:
		if d.Len() != len(want) || !d.IsArray() {
			t.Fatalf("array has %d items, want %d", d.Len(), len(want))
		}
		for i := range want {
			same(t, d.At(i), want[i])
		}
	case map[string]any:
		if d.Len() < len(want) || !d.IsObject() { // names that differ in bad bytes only are one there
			t.Fatalf("object has %d members, want %d", d.Len(), len(want))
		}
		if d.Len() == len(want) {
			for name, v := range want {
				if strings.Contains(name, "\ufffd") {
					continue
				}
				same(t, d.Field(name), v)
			}
		}
	}
}

// FuzzParseXML checks that nothing panics, that what is read can be decoded, and
// that no document type comes through.
func FuzzParseXML(f *testing.F) {
	for _, s := range []string{`<a/>`, `<a><Text>x</Text><Lines><Line><Name>n</Name></Line></Lines></a>`, `<a i:nil="true"><b/></a>`, `<!DOCTYPE a><a/>`, "<a>\x00\xff</a>", `<a><![CDATA[x]]></a>`,
		`<?xml version="1.0" encoding="latin1"?><a>&#x41;&amp;</a>`, `<a><b></a></b>`, `<x:a xmlns:x="y"><x:b/></x:a>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseXML(b)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		check(t, d)
		decodeAll(t, d)
	})
}

// check walks a document and compares its ways of telling what is in it.
func check(t *testing.T, d *Document) {
	n := int32(0)
	var walk func(d *Document)
	walk = func(d *Document) {
		n++
		for c := range d.children() {
			walk(&Document{d.tree, c})
		}
		if text := d.Text(); strings.ToValidUTF8(text, "") != text {
			t.Fatalf("text %q is not UTF-8", text)
		}
	}
	walk(d)
	if int(n) != len(d.nodes) {
		t.Fatalf("%d of %d nodes are reached", n, len(d.nodes))
	}
}

// decodeAll reads a document in every mode and checks what holds for every body.
func decodeAll(t *testing.T, d *Document) {
	for _, mode := range []Mode{Create, Update, Query, Stored} {
		v, again := full(), full()
		set, problems := everythingSchema.Decode(d, &v, mode)
		set2, problems2 := everythingSchema.Decode(d, &again, mode)
		if !reflect.DeepEqual(v, again) || !reflect.DeepEqual(problems, problems2) || !slices.Equal(set.Names(), set2.Names()) {
			t.Fatalf("mode %d: two readings differ", mode)
		}
		if len(problems) > errs.MaxFields || len(set.Ignored()) > maxIgnored {
			t.Fatalf("mode %d: %d problems, %d ignored", mode, len(problems), len(set.Ignored()))
		}
		if len(problems) > 0 {
			continue
		}
		before := full()
		if mode != Stored && v.Head != before.Head {
			t.Fatalf("mode %d: a read-only field is set", mode)
		}
		out := everythingSchema.AppendJSON(nil, &v, nullJSON)
		if !json.Valid(out) {
			t.Fatalf("mode %d: %s is not JSON", mode, out)
		}
		if mode == Update {
			// An update that is applied twice changes nothing more.
			set, problems := everythingSchema.Decode(d, &v, Update)
			if len(problems) > 0 || !set.Empty() {
				t.Fatalf("the same update again gives %v, %v", set.Names(), problems)
			}
			if set2.Empty() && !reflect.DeepEqual(again, before) {
				t.Fatal("nothing is given but something changed")
			}
		}
	}
}

// FuzzDecode reads JSON and forms into a struct with a field of every kind.
func FuzzDecode(f *testing.F) {
	v := full()
	f.Add(string(everythingSchema.AppendJSON(nil, &v, nullJSON)))
	for _, s := range []string{`{"Text":null,"Lines":{"Line":[{"Name":"a"}]},"Custom1":"x","Tags":"a"}`, `{"Journey":{"Stops":[{"Name":"x"}]},"Lines":[]}`, `{"Amount":"1e5","Count":1e3}`,
		`Lines[0][Name]=a&Tags[]=b&Custom1[Value]=c`, `{"MaybeFlag":0,"Bytes":"AAAA","Raw":{}}`, `{"Place":{"City":null},"lines":[{"Name":"x","Custom1":{"Code":"1"}}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseJSON([]byte(s)); err == nil {
			check(t, d)
			decodeAll(t, d)
		}
		if d, err := ParseForm(s); err == nil {
			check(t, d)
			decodeAll(t, d)
		}
		if d, err := ParseQuery(s); err == nil {
			check(t, d)
		}
	})
}

// FuzzBothFormats writes one record in both formats and in every style, and reads
// it back: both readings are the record.
func FuzzBothFormats(f *testing.F) {
	f.Add("text", "note & <b>", int64(5), int64(123456), true, uint32(3))
	f.Add("\u0080", "\r\n\t", int64(-1), int64(-1), false, uint32(0))
	f.Fuzz(func(t *testing.T, text, note string, count, amount int64, flag bool, bits uint32) {
		v := record(text, note, count, amount, flag, bits)
		if v.Text == "" || checkText(text) != "" || checkText(note) != "" || len([]rune(text)) > 20 || len(note) > 48 {
			return
		}
		for _, pair := range [][2]*Style{{nullJSON, seedXML}, {omitJSON, wireXML}, {storedJSON, &Style{Nulls: NullOmit, Dates: Micros, ItemWrappers: true}}} {
			var a, b everything
			j := everythingSchema.AppendJSON(nil, &v, pair[0])
			x := everythingSchema.AppendXML(nil, "Any"+NilNamespace, &v, pair[1])
			if !json.Valid(j) {
				t.Fatalf("%s is not JSON", j)
			}
			_, problems := decode(t, everythingSchema, string(j), &a, Create)
			if len(problems) > 0 {
				t.Fatalf("%s\n%v", j, problems)
			}
			if _, problems = decodeXML(t, everythingSchema, string(x), &b, Create); len(problems) > 0 {
				t.Fatalf("%s\n%v", x, problems)
			}
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("the formats differ:\n%+v\n%+v\n%s\n%s", a, b, j, x)
			}
			a.Head, v.Head = head{}, head{}
			if !reflect.DeepEqual(a, v) {
				t.Fatalf("read back:\n%+v, want\n%+v", a, v)
			}
		}
	})
}

// record makes a record whose parts are there or not as bits say. It has no empty
// slices, which cannot be told from none, and nothing finer than milliseconds.
func record(text, note string, count, amount int64, flag bool, bits uint32) everything {
	on := func(i int) bool { return bits>>i&1 == 1 }
	v := everything{Text: text, Flag: flag, Count: count, Amount: value.Money(amount)}
	if on(0) {
		v.Note, v.Status, v.Currency, v.Day, v.At = note, "CLOSED", "JPY", 20240229, 1_710_143_792_120_000
	}
	if on(1) && note != "" {
		v.Tags, v.Place.City = []string{note, "b"}, note
	}
	if on(2) {
		v.Raw, v.Bytes = RawJSON(`{"a":[1,"<&>"]}`), []byte(text)
	}
	if on(3) {
		v.Journey = value.Some(journey{Unit: "M", Distance: count, Stops: []stop{{text, flag}, {"x", true}}})
	}
	if on(4) {
		v.Lines = []line{{Name: text, Amount: value.Money(amount)}, {Name: "b", Custom: [2]custom{{}, {Value: note}}}}
	}
	if on(5) {
		v.MaybeFlag, v.MaybeCount, v.MaybeAmount = value.Some(flag), value.Some(count), value.Some(value.Money(amount))
		v.MaybeText = value.Some(text)
	}
	if on(6) {
		v.Custom[2].Code = note
	}
	return v
}
