package expense

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// TaxInvoice is the invoice in XML that a tax authority wants for an expense. A
// validation company reads it from a queue and answers what it has found.
type TaxInvoice struct {
	Seq        int64
	ID         string // gW…
	Company    string
	Owner      string // user id
	Entry      string
	Report     string
	Receipt    string // the invoice's plain id, 20 hex digits
	Status     string // TaxValid …; empty while it waits in the queue
	Comment    string // with the status
	ModifiedAt value.Instant

	URI string // not kept
}

// TaxDocument is an invoice with its XML, which may be large.
type TaxDocument struct {
	TaxInvoice
	Data    string
	Account string // not kept: what the validation company calls the company
}

func (t *TaxInvoice) columns(c *store.Columns) {
	c.Seq(&t.Seq)
	c.Key("id", &t.ID)
	c.Text("company_id", &t.Company)
	c.Text("owner_id", &t.Owner)
	c.Text("entry_id", &t.Entry)
	c.Text("report_id", &t.Report)
	c.Text("receipt_id", &t.Receipt)
	c.Text("status", &t.Status)
	c.Text("comment", &t.Comment)
	c.Instant("modified_at", &t.ModifiedAt)
}

func (t *TaxDocument) columns(c *store.Columns) {
	t.TaxInvoice.columns(c)
	c.Text("data", &t.Data)
}

var (
	taxInvoices  = store.NewTable("digital_tax_invoice", (*TaxInvoice).columns)
	taxDocuments = store.NewTable("digital_tax_invoice", (*TaxDocument).columns)
)

// What a validation company finds of an invoice.
const (
	TaxValid    = "VALID"
	TaxInvalid  = "INVLD"
	TaxWarnings = "WARNG" // valid, with warnings
)

// maxTaxInvoice is how many bytes an invoice may have.
const maxTaxInvoice = 1 << 20

// row is an invoice in the queue's list.
func (t *TaxInvoice) row(f *wire.Fields) {
	f.Text("ConcurReceiptID", &t.Receipt, "The invoice's plain id.")
	f.Text("ID", &t.ID, "The id of the invoice in the queue.")
	f.Text("URI", &t.URI, "The address of the invoice in the queue.")
}

func (t *TaxDocument) v3(f *wire.Fields) {
	f.Text("AccountID", &t.Account, "What the validation company calls the company that owns the invoice.")
	f.Text("ConcurReceiptID", &t.Receipt, "The invoice's plain id.")
	f.Text("DocumentID", &t.Report, "The plain id of the report.")
	f.Text("ReceiptData", &t.Data, "The invoice, in XML.")
}

func (t *TaxInvoice) answer(f *wire.Fields) {
	f.Text("Comment", &t.Comment, "What is to be said with the status.", wire.Max(2000))
	f.Text("Status", &t.Status, "VALID, INVLD when the invoice is invalid, WARNG when it is valid with warnings.", wire.RequiredOnCreate, wire.Enum(TaxValid, TaxInvalid, TaxWarnings))
}

// ofEntry is how our extension shows an entry's invoice.
func (t *TaxDocument) ofEntry(f *wire.Fields) {
	f.Text("Comment", &t.Comment, "What the validation company says with the status.")
	f.Text("ConcurReceiptID", &t.Receipt, "The invoice's plain id.")
	f.Text("EntryID", &t.Entry, "The entry.")
	f.Text("ID", &t.ID, "The id of the invoice in the queue of the validation company.")
	f.Instant("LastModified", &t.ModifiedAt, "When the invoice was uploaded or validated (UTC).")
	f.Text("ReceiptData", &t.Data, "The invoice, in XML.")
	f.Text("Status", &t.Status, "VALID, INVLD or WARNG; null while the invoice waits for its validation.")
	f.Text("URI", &t.URI, "The address of the entry's invoice.")
}

var entryTaxInvoice = wire.Bind("EntryTaxInvoice", (*TaxDocument).ofEntry)

// TaxInvoiceQuery is what the queue is searched by.
type TaxInvoiceQuery struct{ ModifiedAfter value.Instant }

func (q *TaxInvoiceQuery) v3(f *wire.Fields) {
	f.Instant("modifiedafter", &q.ModifiedAfter, "Invoices that came into the queue after this.")
}

// validates refuses everybody but administrators: the queue is the company's.
func validates(a *auth.Actor) error {
	if a.Administers() {
		return nil
	}
	return errs.New(errs.Forbidden, "role", "Only a "+string(auth.WebServicesAdministrator)+" or "+string(auth.CanAdminister)+" works on the queue of tax invoices.")
}

// inQueue is the condition that the index of the queue has.
const inQueue = "status = ''"

// FindTaxInvoices lists the invoices that wait for their validation, by the time at
// which they came.
func (s *Service) FindTaxInvoices(tx *store.Tx, a *auth.Actor, q *TaxInvoiceQuery, page store.Page) (api.Listing[TaxInvoice], error) {
	var none api.Listing[TaxInvoice]
	if err := validates(a); err != nil {
		return none, err
	}
	page.Order = store.Ascending("modified_at")
	rows, more, err := taxInvoices.List(tx, a.InCompany(""), q.where(), page)
	if err != nil {
		return none, err
	}
	for i := range rows {
		rows[i].URI = s.url + api.V3.Base[0] + "/expense/digitaltaxinvoices/" + rows[i].ID
	}
	return api.Page(taxInvoices, rows, more, page), nil
}

func (q *TaxInvoiceQuery) where() store.Predicate {
	p := store.Where(inQueue)
	if q.ModifiedAfter != 0 {
		p = p.And("modified_at > ?", int64(q.ModifiedAfter))
	}
	return p
}

// TaxInvoice reads an invoice for its validation; one that is validated too.
func (s *Service) TaxInvoice(tx *store.Tx, a *auth.Actor, id string) (*TaxDocument, error) {
	if err := validates(a); err != nil {
		return nil, err
	}
	t, err := taxDocuments.Get(tx, a.InCompany(""), id)
	if err != nil {
		return nil, err
	}
	err = tx.QueryRow("SELECT account_id FROM tax_account WHERE company_id = ?", a.Company).Scan(&t.Account)
	if errs.Is(err, errs.NotFound) {
		t.Account, err = a.Company, nil
	}
	return t, err
}

// SetTaxAccount sets what the validation company calls a company; its id without that.
func (s *Service) SetTaxAccount(tx *store.Tx, company, account string) error {
	_, err := tx.Exec("INSERT INTO tax_account (company_id, account_id) VALUES (?, ?) ON CONFLICT (company_id) DO UPDATE SET account_id = excluded.account_id", company, account)
	return err
}

func (s *Service) taxInvoiceToChange(tx *store.Tx, a *auth.Actor, id string) (*TaxInvoice, error) {
	if err := validates(a); err != nil {
		return nil, err
	}
	if err := lockParent(tx, "digital_tax_invoice", id); err != nil {
		return nil, err
	}
	return taxInvoices.Get(tx, a.InCompany(""), id)
}

// AnswerTaxInvoice notes what a validation company has found: the invoice leaves the
// queue, and what is wrong with it becomes an exception of its entry. Saying the same
// once more changes nothing.
func (s *Service) AnswerTaxInvoice(tx *store.Tx, a *auth.Actor, old, t *TaxInvoice, in *api.Input) error {
	if err := in.Err(); err != nil {
		return err
	}
	if t.Status == "" {
		return errs.OnField("Status", "required", "is required.")
	}
	if *t == *old {
		return nil
	}
	if old.Status != "" {
		return errs.New(errs.Invalid, "validated", "The invoice is validated already and has left the queue.")
	}
	t.ModifiedAt = tx.Now()
	if err := taxInvoices.Update(tx, t); err != nil {
		return err
	}
	e, err := entries.Get(tx, a.InCompany(""), t.Entry)
	if err != nil {
		return err
	}
	return s.taxFound(tx, e, t.Status)
}

// taxFound notes on an entry what its invoice came to. A report that is submitted keeps
// what was found when it was, and gets what the invoice came to beside it.
func (s *Service) taxFound(tx *store.Tx, e *Entry, status string) error {
	cfg, err := s.org.Config(tx, e.Company)
	if err != nil {
		return err
	}
	h, err := heads.Get(tx, store.Where("company_id = ?", e.Company), e.Report)
	if err != nil {
		return err
	}
	e.TaxInvoice = status
	if editable(h.ApprovalStatus) {
		return s.reviewAgain(tx, cfg, h, e)
	}
	var found findings
	found.taxInvoice(cfg, e)
	for i := range found {
		if err := exceptions.Insert(tx, &found[i]); err != nil {
			return err
		}
	}
	e.Exceptions += int64(len(found))
	h.Exceptions += int64(len(found))
	e.ModifiedAt = tx.Now()
	if err := entries.Update(tx, e); err != nil {
		return err
	}
	return h.adjust(tx)
}

// UploadTaxInvoice keeps the invoice of an entry of a report that is not submitted, in
// the place of one that it had, and puts it into the queue. It gives the invoice's id.
func (s *Service) UploadTaxInvoice(tx *store.Tx, a *auth.Actor, entry, data string) (string, error) {
	if err := lockEntry(tx, entry); err != nil {
		return "", err
	}
	e, err := entries.Get(tx, a.Reached(""), entry)
	if err != nil {
		return "", toChange(tx, entries, a, "entry.report_id", entry, err)
	}
	p, err := parentOf(tx, store.Where("company_id = ?", e.Company), e.ID)
	if err != nil {
		return "", err
	}
	cfg, err := s.org.Config(tx, e.Company)
	if err != nil {
		return "", err
	}
	if g, ok := cfg.Group(p.head.Group); !ok || !g.AllowDigitalTaxInvoice {
		return "", errs.New(errs.Invalid, "notAllowed", "The owner's expense group takes no digital tax invoices.")
	}
	t, err := taxDocuments.One(tx, store.Where("entry_id = ?", e.ID), store.Predicate{})
	if err == nil && t.Data == data {
		return t.ID, nil
	}
	if errs.Is(err, errs.NotFound) {
		t = &TaxDocument{TaxInvoice: TaxInvoice{ID: s.ids.Protected(), Company: e.Company, Owner: e.Owner, Entry: e.ID, Report: e.Report, Receipt: s.ids.Hex20(), ModifiedAt: tx.Now()}, Data: data}
		return t.ID, taxDocuments.Insert(tx, t)
	}
	if err != nil {
		return "", err
	}
	t.Data, t.Status, t.Comment, t.ModifiedAt = data, "", "", tx.Now()
	if err := taxDocuments.Update(tx, t); err != nil {
		return "", err
	}
	return t.ID, s.taxFound(tx, e, "")
}

// EntryTaxInvoice reads the invoice of an entry that the actor may see.
func (s *Service) EntryTaxInvoice(tx *store.Tx, a *auth.Actor, entry string) (*TaxDocument, error) {
	if _, err := entries.Get(tx, visible(a, "entry.report_id"), entry); err != nil {
		return nil, err
	}
	t, err := taxDocuments.One(tx, a.InCompany(""), store.Where("entry_id = ?", entry))
	if err == nil {
		t.URI = s.url + api.V3.Base[0] + taxInvoicePath(entry)
	}
	return t, err
}

func taxInvoicePath(entry string) string { return "/expense/entries/" + entry + "/taxinvoice" }

// readTaxInvoice takes the XML of an upload, byte for byte but for a byte order mark.
func readTaxInvoice(c *api.Call) (string, error) {
	media, _ := c.MediaType()
	if media != "" && media != "application/xml" && media != "text/xml" && !strings.HasSuffix(media, "+xml") {
		return "", errs.Newf(errs.Unsupported, "mediaType", "A tax invoice is XML; send it as application/xml, not as %s.", media)
	}
	b, err := c.All()
	if err != nil {
		return "", err
	}
	if _, err := wire.ParseXML(b); err != nil {
		return "", err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		return "", errs.New(errs.Invalid, "encoding", "The XML is not in UTF-8; send it in UTF-8.")
	}
	if bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF }) {
		return "", errs.New(errs.Invalid, "characters", "The XML holds control characters, which XML does not have.")
	}
	return string(b), nil
}

func (s *Service) uploadTaxInvoice() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		data, err := readTaxInvoice(c)
		if err != nil {
			return nil, err
		}
		entry, id := c.Param("id"), ""
		if err := c.Write(func(tx *store.Tx) (err error) {
			id, err = s.UploadTaxInvoice(tx, c.Actor(), entry, data)
			return err
		}); err != nil {
			return nil, err
		}
		return api.Created(c, id, c.URL(api.V3.Base[0]+taxInvoicePath(entry))), nil
	}
	return api.Custom(api.V3, "POST", taxInvoicePath("{id}"), handle,
		api.Doc{ID: "entries.taxinvoice.upload", Group: "Digital Tax Invoices", Summary: "Uploads the tax invoice of an entry", Extension: true,
			Description: "The body is the invoice itself, in XML of at most 1 MB, without a document type. It goes into the queue of the validation company, in the place of one that the entry had. The report must not be submitted."},
		scope, api.About(api.UserParameter), api.Delegable(), api.MaxBody(maxTaxInvoice), userDescribed,
		api.Takes(api.Content{Media: []string{"application/xml", "text/xml"}}),
		api.Answers(200, "The invoice was taken.", createdContent))
}

func (s *Service) readEntryTaxInvoice() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		var t *TaxDocument
		if err := c.Read(func(tx *store.Tx) (err error) {
			t, err = s.EntryTaxInvoice(tx, c.Actor(), c.Param("id"))
			return err
		}); err != nil {
			return nil, err
		}
		return api.Object(200, entryTaxInvoice, t).Root("EntryTaxInvoice"), nil
	}
	return api.Custom(api.V3, "GET", taxInvoicePath("{id}"), handle,
		api.Doc{ID: "entries.taxinvoice.get", Group: "Digital Tax Invoices", Summary: "Reads the tax invoice of an entry", Extension: true,
			Description: "With what the validation company has found. Whoever may read the report may read it."},
		scope, api.About(api.UserParameter), api.Delegable(), userDescribed,
		api.Answers(200, "The invoice.", api.SchemaOf("EntryTaxInvoice", entryTaxInvoice, "application/json", "application/xml")))
}

// userDescribed describes the user parameter of operations that read their body
// themselves.
var userDescribed = api.QueryParameter("user", "The login of the user whose data is meant; others than the own need an administrator's role.")

// createdContent is {ID, URI} in the OpenAPI document.
var createdContent = api.SchemaOf("CreateResponse", wire.Bind("CreateResponse", func(v *struct{ ID, URI string }, f *wire.Fields) {
	f.Text("ID", &v.ID, "The id of the record.")
	f.Text("URI", &v.URI, "The address of the record.")
}), "application/json", "application/xml")

func (s *Service) taxInvoiceOperations() []api.Operation {
	named := api.Named(api.Names{One: "DigitalTaxInvoiceGetSingle", Many: "DigitalTaxInvoiceCollection", WireOne: "DigitalTaxInvoice", WireMany: "DigitalTaxInvoices", Put: "DigitalTaxInvoicePut"})
	listed := api.Named(api.Names{One: "DigitalTaxInvoiceGetAll", Many: "DigitalTaxInvoiceCollection", WireOne: "DigitalTaxInvoice", WireMany: "DigitalTaxInvoices"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "digitaltaxinvoices." + id, Group: "Digital Tax Invoices", Summary: summary, Description: more}
	}
	scope := auth.Scope("TAXINV")
	return []api.Operation{
		api.List(api.V3, "/expense/digitaltaxinvoices", s.FindTaxInvoices, (*TaxInvoiceQuery).v3, (*TaxInvoice).row,
			doc("list", "Lists the tax invoices that wait for their validation", "In the order in which they came. For administrators and validation companies."),
			scope, listed, api.About(api.CompanyWide)),
		api.Get(api.V3, "/expense/digitaltaxinvoices/{id}", s.TaxInvoice, (*TaxDocument).v3,
			doc("get", "Reads a tax invoice", "With its XML."),
			scope, named, api.About(api.CompanyWide)),
		api.Update(api.V3, "/expense/digitaltaxinvoices/{id}", s.taxInvoiceToChange, s.AnswerTaxInvoice, (*TaxInvoice).answer,
			doc("update", "Answers what the validation of a tax invoice came to", "The invoice leaves the queue; its entry gets an exception unless it is valid."),
			scope, named, api.About(api.CompanyWide)),
		s.uploadTaxInvoice(), s.readEntryTaxInvoice(),
	}
}

// taxInvoice judges what the validation of an entry's tax invoice came to.
func (f *findings) taxInvoice(c *org.Config, e *Entry) {
	kind, _ := c.ExpenseType(e.Policy, e.ExpenseType)
	switch e.TaxInvoice {
	case TaxInvalid:
		f.add(e, nil, codeTaxInvoice, LevelWarning, "The tax invoice of %s is not valid. Upload a valid one.", entryName(kind, e))
	case TaxWarnings:
		f.add(e, nil, codeTaxInvoice, LevelWarning, "The tax invoice of %s is valid with warnings.", entryName(kind, e))
	}
}
