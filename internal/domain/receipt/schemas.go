package receipt

import (
	"embed"
	"regexp"
	"slices"
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// The JSON schemas, and what they are called: the type of a receipt is its schema's
// name without the ending (receipts.md §6).
const (
	schemaHost   = "schema.concursolutions.com"
	schemaEnding = ".schema.json"
)

var (
	receiptTypes = []string{"air-receipt", "car-rental-receipt", "general-receipt", "ground-transport-receipt",
		"hotel-receipt", "jpt-ic-card-receipt", "rail-receipt"}
	supportingSchemas = []string{"address-original", "address", "common", "discount", "line-item", "location", "merchant",
		"payments", "receipt-core", "taxes"}
)

//go:embed schemas
var schemaFiles embed.FS

// schemaID is the address by which a schema is known; nothing is fetched there.
func schemaID(name string) string { return "http://" + schemaHost + "/" + name + schemaEnding }

func schemaFile(name string) ([]byte, error) {
	return schemaFiles.ReadFile("schemas/" + name + schemaEnding)
}

// compileSchemas reads the embedded documents; a mistake in them is found at start.
func compileSchemas() *wire.JSONSchemas {
	var documents [][]byte
	for _, name := range slices.Concat(receiptTypes, supportingSchemas) {
		b, err := schemaFile(name)
		if err != nil {
			panic("receipt: " + err.Error())
		}
		documents = append(documents, b)
	}
	s, err := wire.CompileJSONSchemas(documents,
		wire.JSONFormat{Name: "dateTime", Holds: isRealTime},
		wire.JSONFormat{Name: "amount", Holds: isReasonable},
		wire.JSONFormat{Name: "country-code", Holds: IsCountry},
		wire.JSONFormat{Name: "currency-code", Holds: func(code string) bool { return value.Currency(code).Valid() }})
	if err != nil {
		panic("receipt: " + err.Error())
	}
	return s
}

var timeForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[T ](\d{2})(?::(\d{2})(?::(\d{2}))?)?(?:\.\d+)?[+-](\d{2}):?(\d{2})?$`)

// isRealTime refuses days and times that do not exist. Whether the form is right is
// for the schema's pattern to say.
func isRealTime(text string) bool {
	m := timeForm.FindStringSubmatch(text)
	if m == nil {
		return true
	}
	_, err := value.ParseDate(m[1])
	// Two digits, or none, compare as numbers do. A minute may have a leap second.
	return err == nil && m[2] <= "23" && m[3] <= "59" && m[4] <= "60" && m[5] <= "18" && m[6] <= "59"
}

// The digits of an amount that are taken before and behind the point: what the
// services' own amounts have, and unit prices.
const (
	wholeDigits   = 15
	decimalDigits = 8
)

// isReasonable refuses amounts with more digits than any amount of money has.
func isReasonable(text string) bool {
	whole, decimals, _ := strings.Cut(text, ".")
	return len(strings.TrimLeft(whole, "-0")) <= wholeDigits && len(strings.TrimRight(decimals, "0")) <= decimalDigits
}

// check holds the JSON of a receipt against the schema of its type.
func (s *Service) check(kind string, d *wire.Document) error {
	problems := s.schemas.Check(schemaID(kind), d)
	if len(problems) == 0 {
		return nil
	}
	for i, p := range problems {
		if p.Path != "" && p.Path[0] != '[' {
			problems[i].Path = "." + p.Path // as JavaScript writes it
		}
	}
	e := errs.New(errs.Invalid, "schema", "Receipt failed schema validation")
	e.Fields = problems
	return e
}

// describedBy finds the type of receipt that Link headers name (RFC 8288). The value
// is also taken as the source document misprints it, without the angle brackets, with
// or without quotes around the whole (receipts.md §2).
func describedBy(headers []string) (string, bool) {
	for _, link := range strings.FieldsFunc(unquoted.Replace(strings.Join(headers, ",")), func(r rune) bool { return r == ',' }) {
		target, parameters, _ := strings.Cut(link, ";")
		if !isDescription(parameters) {
			continue
		}
		target = strings.Trim(strings.TrimSpace(target), "<>")
		scheme, rest, _ := strings.Cut(target, "://")
		host, path, _ := strings.Cut(rest, "/")
		name, ended := strings.CutSuffix(path, schemaEnding)
		known := (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) && strings.EqualFold(host, schemaHost) &&
			ended && slices.Contains(receiptTypes, name)
		return name, known
	}
	return "", false
}

// unquoted takes quotes away, those of word processors too.
var unquoted = strings.NewReplacer(`"`, "", "\u201c", "", "\u201d", "")

func isDescription(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.ContainsFunc(strings.Fields(v), func(rel string) bool {
			return strings.EqualFold(strings.Trim(rel, "<>"), "describedby")
		}) {
			return true
		}
	}
	return false
}

// schemaIndex lists the schemas.
type schemaIndex struct{ Receipts, Supporting []link }

func (i *schemaIndex) fields(f *wire.Fields) {
	wire.List(f, "receiptSchemas", &i.Receipts, (*link).fields, "The schemas of receipts: one of them is named in the Link header of a POST.")
	wire.List(f, "supportingSchemas", &i.Supporting, (*link).fields, "The schemas that those refer to.")
}

var schemaIndexSchema = wire.Bind("SchemaIndex", (*schemaIndex).fields)

const schemasPath = "/schemas"

func schemaOperations() []api.Operation {
	doc := func(id, summary string) api.Doc {
		return api.Doc{ID: "receipts." + id, Group: "Receipts", Summary: summary}
	}
	return []api.Operation{
		api.Custom(api.Receipts, "GET", schemasPath, getSchemas, doc("schemas", "List the JSON schemas of receipts"),
			auth.AnyToken(), api.About(api.Nobody), api.Answers(200, "The schemas.", api.SchemaOf("SchemaIndex", schemaIndexSchema))),
		api.Custom(api.Receipts, "GET", schemasPath+"/{schemaId}", getSchema, doc("schema", "Get a JSON schema"),
			auth.AnyToken(), api.About(api.Nobody), api.Answers(200, "The schema, of draft 7.", api.Content{Media: []string{"application/json"}, Name: "JSONSchema"})),
	}
}

func getSchemas(c *api.Call) (api.Answer, error) {
	links := func(names []string) (all []link) {
		for _, name := range names {
			all = append(all, link{schemaID(name), "GET", c.URL(api.Receipts.Base[0] + schemasPath + "/" + name + schemaEnding)})
		}
		return all
	}
	return api.Object(200, schemaIndexSchema, &schemaIndex{links(receiptTypes), links(supportingSchemas)}), nil
}

func getSchema(c *api.Call) (api.Answer, error) {
	name, ended := strings.CutSuffix(c.Param("schemaId"), schemaEnding)
	if !ended || !slices.Contains(receiptTypes, name) && !slices.Contains(supportingSchemas, name) {
		return nil, errs.New(errs.NotFound, "schema", "There is no such schema.")
	}
	b, err := schemaFile(name)
	if err != nil {
		return nil, err
	}
	return api.RawJSON(200, b), nil
}
