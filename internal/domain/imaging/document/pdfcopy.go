package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"quittance/internal/kernel/errs"
)

// This file copies the pages of PDFs. It runs in the sandbox only. What comes along is
// chosen, not what stays behind: of a page its contents, its resources and its boxes,
// of an annotation its looks; nothing of the catalog but which layers are hidden. So
// scripts, actions, attachments, links and forms are left out without being searched
// for.

// Bounds of a copy.
const (
	maxCopyDepth   = 100    // of direct objects in each other
	maxTreeDepth   = 64     // of the page tree
	maxTreeNodes   = 20_000 // a page tree may branch without pages
	maxAnnotations = 5_000  // a page
)

// copier copies the objects of one file into a writer.
type copier struct {
	to      *pdfWriter
	from    *model.XRefTable
	numbers map[int]int // of the objects that were asked for: theirs to ours
	queue   []pending
	nodes   int
}

// pending is an object that something refers to and that is not written yet.
type pending struct {
	object int
	plain  bool // a dictionary whose keys are free names, see plainKeys
}

// addPDF copies all pages of a file.
func (p *pdfWriter) addPDF(b []byte) error {
	ctx, err := readPDF(b)
	if err != nil {
		return err
	}
	catalog, err := ctx.Catalog()
	if err != nil || catalog == nil {
		return damaged(PDF, "its catalog is missing")
	}
	c := &copier{to: p, from: ctx.XRefTable, numbers: map[int]int{}}
	before := len(p.pages)
	if err := c.tree(catalog["Pages"], inherited{}, nil); err != nil {
		return err
	}
	if len(p.pages) == before {
		return damaged(PDF, "it has no page")
	}
	c.layers(catalog)
	return c.drain()
}

// readPDF reads all objects of a file, within limits. A wrong cross-reference table
// is mended where that can be done.
func readPDF(b []byte) (*model.Context, error) {
	if _, err := inspectPDF(b); err != nil && errs.As(err).Code == protected().Code {
		return nil, err // the library overlooks some
	}
	model.ConfigPath = "disable" // no files here
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Limits.MaxStreamBytes = MaxMerged
	conf.Limits.MaxDecodeBytes = 256 << 20
	conf.Limits.MaxObjectCount = 2_000_000
	conf.Limits.MaxXRefEntries = 2_000_000
	ctx, err := pdfcpu.Read(bytes.NewReader(b), conf)
	switch {
	case errors.Is(err, pdfcpu.ErrWrongPassword), err == nil && (ctx.Encrypt != nil || ctx.E != nil):
		return nil, protected()
	case err != nil:
		return nil, damaged(PDF, "its objects cannot be read").Because(err)
	}
	return ctx, nil
}

// resolve follows a reference to what it means; nil when there is nothing.
func (c *copier) resolve(o types.Object) types.Object {
	for range 8 {
		r, ok := o.(types.IndirectRef)
		if !ok {
			return o
		}
		v, err := c.from.Dereference(r)
		if err != nil {
			return nil
		}
		o = v
	}
	return nil
}

func (c *copier) dict(o types.Object) types.Dict {
	switch d := c.resolve(o).(type) {
	case types.Dict:
		return d
	case types.StreamDict:
		return d.Dict
	}
	return nil
}

func (c *copier) array(o types.Object) types.Array {
	a, _ := c.resolve(o).(types.Array)
	return a
}

func (c *copier) number(o types.Object) (float64, bool) {
	switch n := c.resolve(o).(type) {
	case types.Integer:
		return float64(n), true
	case types.Float:
		return float64(n), true
	}
	return 0, false
}

func (c *copier) nameOf(o types.Object) string {
	n, _ := c.resolve(o).(types.Name)
	return string(n)
}

// inherited is what the nodes of a page tree hand down.
type inherited struct {
	resources, mediaBox, cropBox, rotate types.Object
}

func (in inherited) with(d types.Dict) inherited {
	for key, to := range map[string]*types.Object{"Resources": &in.resources, "MediaBox": &in.mediaBox, "CropBox": &in.cropBox, "Rotate": &in.rotate} {
		if v, ok := d[key]; ok {
			*to = v
		}
	}
	return in
}

// tree copies the pages below a node. The path is the object numbers above it.
func (c *copier) tree(node types.Object, in inherited, path []int) error {
	if c.nodes++; c.nodes > maxTreeNodes {
		return damaged(PDF, "its page tree has no end")
	}
	if r, ok := node.(types.IndirectRef); ok {
		n := r.ObjectNumber.Value()
		if slices.Contains(path, n) || len(path) == maxTreeDepth {
			return damaged(PDF, "its page tree forms a loop")
		}
		path = append(path[:len(path):len(path)], n)
	} else if len(path) > 0 {
		return nil // a page is always an object of its own
	}
	d := c.dict(node)
	if d == nil {
		return nil // readers pass over a page that is not there
	}
	in = in.with(d)
	if kids, ok := d["Kids"]; ok {
		for _, kid := range c.array(kids) {
			if err := c.tree(kid, in, path); err != nil {
				return err
			}
		}
		return nil
	}
	return c.page(d, in)
}

// page copies one page.
func (c *copier) page(d types.Dict, in inherited) error {
	var b []byte
	box := c.rectangle(in.mediaBox)
	if box == "" {
		box = "[0 0 612 792]"
	}
	b = append(b, "/MediaBox"+box...)
	if box := c.rectangle(in.cropBox); box != "" {
		b = append(b, "/CropBox"+box...)
	}
	if n, ok := c.number(in.rotate); ok && int(n)%90 == 0 {
		b = fmt.Appendf(b, "/Rotate %d", ((int(n)%360)+360)%360)
	}
	if n, ok := c.number(d["UserUnit"]); ok && n > 0 && n < 1e6 {
		b = append(b, "/UserUnit "+real(n)...)
	}
	var err error
	if v, ok := d["Group"]; ok {
		if b, err = c.appendObject(append(b, "/Group "...), v, false, 0); err != nil {
			return err
		}
	}
	b = append(b, "/Resources"...)
	if b, err = c.appendResources(b, in.resources); err != nil {
		return err
	}
	b = c.appendContents(b, d["Contents"])
	if b, err = c.appendAnnotations(b, d["Annots"]); err != nil {
		return err
	}
	if err := c.to.page(b); err != nil {
		return err
	}
	return c.drain()
}

// rectangle writes four numbers; "" when it is none.
func (c *copier) rectangle(o types.Object) string {
	a := c.array(o)
	if len(a) != 4 {
		return ""
	}
	var v [4]float64
	for i := range a {
		n, ok := c.number(a[i])
		if !ok || n < -1e6 || n > 1e6 {
			return ""
		}
		v[i] = n
	}
	if v[0] == v[2] || v[1] == v[3] {
		return ""
	}
	return fmt.Sprintf("[%s %s %s %s]", real(v[0]), real(v[1]), real(v[2]), real(v[3]))
}

func real(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// appendContents copies the streams that draw the page.
func (c *copier) appendContents(b []byte, o types.Object) []byte {
	var streams []int
	add := func(o types.Object) {
		if r, ok := o.(types.IndirectRef); ok {
			if _, ok := c.resolve(r).(types.StreamDict); ok {
				streams = append(streams, c.ask(r, false))
			}
		}
	}
	if a := c.array(o); a != nil {
		for _, v := range a {
			add(v)
		}
	} else {
		add(o)
	}
	if len(streams) == 0 {
		return b
	}
	return fmt.Appendf(b, "/Contents[%s]", references(streams))
}

// categories are the parts of a resource dictionary.
var categories = []string{"ColorSpace", "ExtGState", "Font", "Pattern", "ProcSet", "Properties", "Shading", "XObject"}

func (c *copier) appendResources(b []byte, o types.Object) ([]byte, error) {
	d := c.dict(o)
	b = append(b, "<<"...)
	for _, category := range categories {
		v, ok := d[category]
		if !ok {
			continue
		}
		var err error
		if b, err = c.appendObject(append(b, "/"+category+" "...), v, true, 1); err != nil {
			return nil, err
		}
	}
	return append(b, ">>"...), nil
}

// looks are the kinds of annotations that are drawn on the page. Links, films, sounds,
// attached files and the like are not.
var looks = []string{"Caret", "Circle", "FreeText", "Highlight", "Ink", "Line", "PolyLine", "Polygon", "Square", "Squiggly",
	"Stamp", "StrikeOut", "Text", "Underline", "Watermark", "Widget"}

// shape are the keys from which readers draw an annotation that brings no look along.
var shape = []string{"BE", "BS", "Border", "C", "CA", "Contents", "DA", "IC", "IT", "InkList", "L", "LE", "Q", "QuadPoints", "RD", "Vertices"}

// Flags of an annotation.
const (
	flagHidden = 1 << 1
	flagPrint  = 1 << 2
	flagNoView = 1 << 5
	flagFixed  = 1<<6 | 1<<7 // read only, locked
)

// appendAnnotations keeps how annotations and filled-in fields look; they do nothing
// any more.
func (c *copier) appendAnnotations(b []byte, o types.Object) ([]byte, error) {
	var numbers []int
	for i, v := range c.array(o) {
		if i == maxAnnotations {
			break
		}
		body, err := c.annotation(c.dict(v))
		if err != nil {
			return nil, err
		}
		if body == nil {
			continue
		}
		n := c.to.number()
		numbers = append(numbers, n)
		if err := c.to.object(n, body); err != nil {
			return nil, err
		}
	}
	if len(numbers) == 0 {
		return b, nil
	}
	return fmt.Appendf(b, "/Annots[%s]", references(numbers)), nil
}

// annotation is what is kept of an annotation; nil for nothing.
func (c *copier) annotation(d types.Dict) ([]byte, error) {
	kind, rect := c.nameOf(d["Subtype"]), c.rectangle(d["Rect"])
	flags, _ := c.number(d["F"])
	if rect == "" || !slices.Contains(looks, kind) || int(flags)&(flagHidden|flagNoView) != 0 {
		return nil, nil
	}
	look := c.dict(d["AP"])["N"]
	if states, ok := c.resolve(look).(types.Dict); ok { // one look a state: a box is ticked or not
		look = states[c.nameOf(d["AS"])]
	}
	var rest []byte
	r, isReference := look.(types.IndirectRef)
	_, isStream := c.resolve(look).(types.StreamDict)
	switch {
	case isReference && isStream:
		kind, rest = "Stamp", fmt.Appendf(nil, "/AP<</N %d 0 R>>", c.ask(r, false))
	case kind == "Widget":
		kind = "FreeText" // a reader would draw the value of the field
		value := c.fieldValue(d, "V")
		if value == "" {
			return nil, nil
		}
		look := c.fieldValue(d, "DA")
		if look == "" {
			look = "(/Helv 9 Tf 0 g)"
		}
		rest = fmt.Appendf(nil, "/Contents%s/DA%s", value, look)
	case kind == "Stamp" || kind == "Text":
		return nil, nil
	default:
		for _, key := range shape {
			v, ok := d[key]
			if !ok {
				continue
			}
			var err error
			if rest, err = c.appendEntry(rest, key, v, false, 0); err != nil {
				return nil, err
			}
		}
	}
	if layer, ok := d["OC"].(types.IndirectRef); ok {
		rest = fmt.Appendf(rest, "/OC %d 0 R", c.ask(layer, false))
	}
	return fmt.Appendf(nil, "<</Type/Annot/Subtype/%s/Rect%s/F %d%s>>", kind, rect, int(flags)&flagPrint|flagFixed, rest), nil
}

// fieldValue is a text of a form's field, or of the fields above it; "" when it has
// none.
func (c *copier) fieldValue(d types.Dict, key string) string {
	for range maxTreeDepth {
		switch v := c.resolve(d[key]).(type) {
		case types.StringLiteral:
			return v.PDFString()
		case types.HexLiteral:
			return v.PDFString()
		}
		if d = c.dict(d["Parent"]); d == nil {
			break
		}
	}
	return ""
}

// layers tells the writer of the file's layers that were copied, and which are hidden.
func (c *copier) layers(catalog types.Dict) {
	properties := c.dict(catalog["OCProperties"])
	config := c.dict(properties["D"])
	copied := func(o types.Object) []int {
		var numbers []int
		for _, v := range c.array(o) {
			if r, ok := v.(types.IndirectRef); ok {
				if n, ok := c.numbers[r.ObjectNumber.Value()]; ok {
					numbers = append(numbers, n)
				}
			}
		}
		return numbers
	}
	all := copied(properties["OCGs"])
	off := copied(config["OFF"])
	if c.nameOf(config["BaseState"]) == "OFF" {
		on := copied(config["ON"])
		off = slices.DeleteFunc(slices.Clone(all), func(n int) bool { return slices.Contains(on, n) })
	}
	c.to.layers = append(c.to.layers, all...)
	c.to.hidden = append(c.to.hidden, off...)
}

// ask gives the number that an object has, or will have, in the result.
func (c *copier) ask(r types.IndirectRef, plain bool) int {
	n := r.ObjectNumber.Value()
	if ours, ok := c.numbers[n]; ok {
		return ours
	}
	ours := c.to.number()
	c.numbers[n] = ours
	c.queue = append(c.queue, pending{n, plain})
	return ours
}

// drain writes what was asked for, and what that asks for.
func (c *copier) drain() error {
	for len(c.queue) > 0 {
		next := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		if err := c.write(next); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) write(next pending) error {
	o := c.resolve(*types.NewIndirectRef(next.object, 0)) // generations do not matter to the library
	number := c.numbers[next.object]
	s, ok := o.(types.StreamDict)
	if !ok {
		b, err := c.appendObject(nil, o, next.plain, 0)
		if err != nil {
			return err
		}
		return c.to.object(number, b)
	}
	if forbidden(s.Dict) {
		return c.to.object(number, []byte("null"))
	}
	var b []byte
	for _, key := range sortedKeys(s.Dict) {
		if slices.Contains([]string{"Length", "F", "FFilter", "FDecodeParms", "DL"}, key) { // the data is here, never elsewhere
			continue
		}
		var err error
		if b, err = c.appendEntry(b, key, s.Dict[key], false, 0); err != nil {
			return err
		}
	}
	return c.to.stream(number, b, s.Raw)
}

// dropped are the keys of things that a page does not need to be drawn, wherever they
// are.
var dropped = map[string]bool{
	"A": true, "AA": true, "AF": true, "EF": true, "JS": true, "JavaScript": true, "Launch": true, "Metadata": true, "OPI": true,
	"OpenAction": true, "Parent": true, "PieceInfo": true, "Ref": true, "StructParent": true, "StructParents": true, "URI": true,
}

// plainKeys are the keys of dictionaries whose own keys are free names.
var plainKeys = map[string]bool{
	"ColorSpace": true, "ExtGState": true, "Font": true, "Pattern": true, "Properties": true, "Shading": true, "XObject": true,
	"CharProcs": true, "Colorants": true,
}

// forbidden knows actions, files and scripts by what they say they are.
func forbidden(d types.Dict) bool {
	kind, _ := d["Type"].(types.Name)
	switch kind {
	case "Action", "EmbeddedFile", "Filespec", "F":
		return true
	}
	action, _ := d["S"].(types.Name)
	switch action {
	case "JavaScript", "Launch", "URI", "GoTo", "GoToR", "GoToE", "SubmitForm", "ImportData", "Rendition", "Named":
		return true
	}
	return false
}

func sortedKeys(d types.Dict) []string {
	keys := make([]string, 0, len(d))
	for key := range d {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (c *copier) appendEntry(b []byte, key string, v types.Object, plain bool, depth int) ([]byte, error) {
	if !plain && dropped[key] {
		return b, nil
	}
	b = append(b, types.Name(key).PDFString()...)
	b = append(b, ' ')
	return c.appendObject(b, v, !plain && plainKeys[key], depth+1)
}

// appendObject writes an object that is no stream. Plain says that it is, if it is a
// dictionary, one whose keys are free names.
func (c *copier) appendObject(b []byte, o types.Object, plain bool, depth int) ([]byte, error) {
	if depth > maxCopyDepth {
		return nil, damaged(PDF, "its objects are nested too deeply")
	}
	switch v := o.(type) {
	case types.IndirectRef:
		return fmt.Appendf(b, "%d 0 R", c.ask(v, plain)), nil
	case types.Dict:
		if !plain && forbidden(v) {
			return append(b, "null"...), nil
		}
		b = append(b, "<<"...)
		for _, key := range sortedKeys(v) {
			var err error
			if b, err = c.appendEntry(b, key, v[key], plain, depth); err != nil {
				return nil, err
			}
		}
		return append(b, ">>"...), nil
	case types.Array:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ' ')
			}
			var err error
			if b, err = c.appendObject(b, item, false, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case types.Name, types.StringLiteral, types.HexLiteral, types.Integer, types.Boolean:
		return append(b, v.PDFString()...), nil
	case types.Float:
		return append(b, real(float64(v))...), nil
	}
	return append(b, "null"...), nil
}
