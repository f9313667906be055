package expense

import (
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Allocation is a share of an entry or of an itemization.
//
// What nobody has allocated has no row. It is shown with one hidden allocation of
// 100 %, which follows from the entry: its id from hiddenAllocationID, its account
// code from the expense type, its place in a list from the entry's seq.
type Allocation struct {
	Seq           int64
	ID            string // gW…
	Entry         string
	Itemization   string // empty when the entry itself is allocated
	Report        string
	Company       string
	Owner         string        // user id
	Percentage    value.Decimal // of 100
	PercentEdited bool
	AccountCode1  string // empty: the expense type's
	AccountCode2  string
	Customs       [20]CustomField
}

func (a *Allocation) columns(c *store.Columns) {
	c.Seq(&a.Seq)
	c.Key("id", &a.ID)
	c.Text("entry_id", &a.Entry)
	c.Text("itemization_id", &a.Itemization)
	c.Text("report_id", &a.Report)
	c.Text("company_id", &a.Company)
	c.Text("owner_id", &a.Owner)
	c.Decimal("percentage", &a.Percentage)
	c.Bool("percent_edited", &a.PercentEdited)
	store.Document(c, "doc", a, (*Allocation).document)
}

func (a *Allocation) document(f *wire.Fields) {
	f.Text("account1", &a.AccountCode1, "", wire.OmitEmpty)
	f.Text("account2", &a.AccountCode2, "", wire.OmitEmpty)
	wire.Repeat(f, "c", a.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var allocations = store.NewTable("allocation", (*Allocation).columns)

// wholeAllocation is 100 %.
const wholeAllocation = 100 * value.DecimalOne

// The types of allocation of an entry.
const (
	NotAllocated    = "N"
	PartlyAllocated = "P"
	FullyAllocated  = "F"
)

// hiddenMark stands behind the two letters with which every protected id begins.
const hiddenMark = "h"

// hiddenAllocationID is the id of the hidden allocation of an entry or itemization. An
// id that no row has is looked up as one of these: without the mark it is the id of
// what is not allocated.
func hiddenAllocationID(of string) string { return of[:2] + hiddenMark + of[2:] }
