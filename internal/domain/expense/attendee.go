package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Attendee is somebody who took part in what entries paid for.
type Attendee struct {
	Seq           int64
	ID            string // gW…
	Company       string
	Owner         string // user id; empty when the attendee is shared
	OwnerLogin    string
	OwnerName     string
	Type          string // id of the attendee type
	ExternalID    string
	FirstName     string
	LastName      string
	MiddleInitial string
	Suffix        string
	Title         string
	CompanyName   string
	Currency      value.Currency
	OpeningYTD    value.Money // spent in the current year before the attendee was known here
	Customs       [25]CustomField
	Version       int64 // from 1
	ModifiedAt    value.Instant
}

func (a *Attendee) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Text("attendee_type_id", &a.Type)
	c.Text("external_id", &a.ExternalID)
	c.Int("version", &a.Version)
	c.Instant("modified_at", &a.ModifiedAt)
	store.Document(c, "doc", a, (*Attendee).document)
}

func (a *Attendee) document(f *wire.Fields) {
	f.Text("ownerLogin", &a.OwnerLogin, "", wire.OmitEmpty)
	f.Text("ownerName", &a.OwnerName, "", wire.OmitEmpty)
	f.Text("firstName", &a.FirstName, "", wire.OmitEmpty)
	f.Text("lastName", &a.LastName, "", wire.OmitEmpty)
	f.Text("middleInitial", &a.MiddleInitial, "", wire.OmitEmpty)
	f.Text("suffix", &a.Suffix, "", wire.OmitEmpty)
	f.Text("title", &a.Title, "", wire.OmitEmpty)
	f.Text("company", &a.CompanyName, "", wire.OmitEmpty)
	f.Currency("currency", &a.Currency, "", wire.OmitEmpty)
	f.Money("openingYTD", &a.OpeningYTD, "", wire.OmitEmpty)
	wire.Repeat(f, "c", a.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var attendees = store.NewTable("attendee", (*Attendee).columns)
