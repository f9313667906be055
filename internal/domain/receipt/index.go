package receipt

import (
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/wire"
)

// index is the list of the services' addresses.
type index struct{ Links []link }

type link struct{ Rel, Method, Href string }

func (i *index) fields(f *wire.Fields) {
	wire.List(f, "links", &i.Links, (*link).fields, "The addresses of the services.")
}

func (l *link) fields(f *wire.Fields) {
	f.Text("rel", &l.Rel, "What the address is for.")
	f.Text("method", &l.Method, "The method to call it with.", wire.OmitEmpty)
	f.Text("href", &l.Href, "The address; names in braces are to be filled in.")
}

var indexSchema = wire.Bind("ServiceIndex", (*index).fields)

func (s *Service) indexOperations() []api.Operation {
	at := func(path, id string) api.Operation {
		return api.Custom(api.Receipts, "GET", path, getIndex,
			api.Doc{ID: id, Group: "Receipts", Summary: "Get the addresses of the receipt services"},
			auth.AnyToken(), api.About(api.Nobody), api.Answers(200, "The addresses.", api.SchemaOf("ServiceIndex", indexSchema)))
	}
	return []api.Operation{at("/", "receipts.index"), at("/v4", "receipts.index.v4")}
}

func getIndex(c *api.Call) (api.Answer, error) {
	base := c.URL(api.Receipts.Base[0])
	return api.Object(200, indexSchema, &index{[]link{
		{Rel: "self", Href: base + "/v4"},
		{"receipt-get", "GET", base + "/v4/{receiptId}"},
		{"receipt-post", "POST", base + "/v4/users/{userId}"},
		{"receipts-get-user", "GET", base + "/v4/users/{userId}"},
		{"schemas-get", "GET", base + "/schemas"},
	}}), nil
}
