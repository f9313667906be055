package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Itemization is a part of an entry. The currency and the rate are the entry's.
type Itemization struct {
	Seq               int64
	ID                string // gW…
	Entry             string
	Report            string
	Company           string
	Owner             string // user id
	OwnerLogin        string
	ExpenseType       string // code
	TransactionDate   value.Date
	TransactionAmount value.Money
	PostedAmount      value.Money
	ApprovedAmount    value.Money
	IsPersonal        bool
	IsBillable        bool
	Exceptions        int64 // how many rows of report_exception stand on it
	AllocationType    string
	Comment           string
	Description       string
	Location          string // id
	OrgUnits          [6]CustomField
	Customs           [40]CustomField
	ModifiedAt        value.Instant
}

func (i *Itemization) columns(c *store.Columns) {
	c.Seq(&i.Seq)
	c.Key("id", &i.ID)
	c.Text("entry_id", &i.Entry)
	c.Text("report_id", &i.Report)
	c.Text("company_id", &i.Company)
	c.Text("owner_id", &i.Owner)
	c.Text("expense_type", &i.ExpenseType)
	c.Date("transaction_date", &i.TransactionDate)
	c.Money("transaction_amount", &i.TransactionAmount)
	c.Money("posted_amount", &i.PostedAmount)
	c.Money("approved_amount", &i.ApprovedAmount)
	c.Bool("personal", &i.IsPersonal)
	c.Bool("billable", &i.IsBillable)
	c.Int("exceptions", &i.Exceptions)
	c.Instant("modified_at", &i.ModifiedAt)
	store.Document(c, "doc", i, (*Itemization).document)
}

func (i *Itemization) document(f *wire.Fields) {
	f.Text("ownerLogin", &i.OwnerLogin, "", wire.OmitEmpty)
	f.Text("allocation", &i.AllocationType, "", wire.OmitEmpty)
	f.Text("comment", &i.Comment, "", wire.OmitEmpty)
	f.Text("description", &i.Description, "", wire.OmitEmpty)
	f.Text("location", &i.Location, "", wire.OmitEmpty)
	wire.Repeat(f, "o", i.OrgUnits[:], (*CustomField).document, "", wire.OmitEmpty)
	wire.Repeat(f, "c", i.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var itemizations = store.NewTable("itemization", (*Itemization).columns)
