package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Association says that an attendee took part in what an entry paid for.
type Association struct {
	Seq           int64
	ID            string // gW…
	Entry         string
	Attendee      string
	Report        string
	Company       string
	Owner         string      // user id of the entry's owner
	Amount        value.Money // the attendee's share, in the entry's transaction currency
	AttendeeCount int64       // above 1: with unnamed guests
	Customs       [5]CustomField
}

func (a *Association) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("entry_id", &a.Entry)
	c.Text("attendee_id", &a.Attendee)
	c.Text("report_id", &a.Report)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Money("amount", &a.Amount)
	c.Int("attendee_count", &a.AttendeeCount)
	store.Document(c, "doc", a, (*Association).document)
}

func (a *Association) document(f *wire.Fields) {
	wire.Repeat(f, "c", a.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var associations = store.NewTable("entry_attendee", (*Association).columns)
