package expense

import (
	"cmp"
	"io"
	"strings"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/org"
	"quittance/internal/domain/receipt"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// QuickExpense is what a traveller noted of an expense that is in no report yet
// (expense.md §10).
type QuickExpense struct {
	Seq         int64
	ID          string // 32 upper-case hex digits
	Company     string
	Owner       string // user id
	Date        value.Date
	Amount      amountV4
	Created     value.Instant
	Comment     string
	Details     string
	ExpenseType string // code; UNDEF for none
	PaymentType string // CASHX, CPAID, PENDC or empty
	Vendor      string
	Location    quickLocation

	Image string // not kept: the id of its receipt image, filled for what shows it
}

// amountV4 is an amount as the v4 calls write it.
type amountV4 struct {
	Value    value.Money
	Currency value.Currency
}

type quickLocation struct{ City, Country, Subdivision, ID, Name string }

func (q *QuickExpense) columns(c *store.Columns) {
	c.Seq(&q.Seq)
	c.Key("id", &q.ID)
	c.Text("company_id", &q.Company)
	c.Text("owner_id", &q.Owner)
	c.Date("transaction_date", &q.Date)
	c.Money("amount", &q.Amount.Value)
	c.Currency("currency", &q.Amount.Currency)
	c.Instant("created_at", &q.Created)
	store.Document(c, "doc", q, (*QuickExpense).document)
}

func (q *QuickExpense) document(f *wire.Fields) {
	f.Text("comment", &q.Comment, "", wire.OmitEmpty)
	f.Text("details", &q.Details, "", wire.OmitEmpty)
	f.Text("type", &q.ExpenseType, "", wire.OmitEmpty)
	f.Text("payment", &q.PaymentType, "", wire.OmitEmpty)
	f.Text("vendor", &q.Vendor, "", wire.OmitEmpty)
	wire.Object(f, "location", &q.Location, (*quickLocation).v4, "", wire.OmitEmpty)
}

var quickExpenses = store.NewTable("quick_expense", (*QuickExpense).columns)

// The expense types that stand for none.
const (
	undefinedType = "UNDEF"
	nullType      = "NULL"
)

func (q *QuickExpense) v4(f *wire.Fields) {
	f.Text("comment", &q.Comment, "A comment on the expense.")
	f.Text("entryDetails", &q.Details, "What the expense was for.")
	f.Text("expenseTypeId", &q.ExpenseType, "The expense type, one of the traveller's policies. UNDEF, and NULL, stand for none.")
	wire.Object(f, "location", &q.Location, (*quickLocation).v4, "Where it was.")
	f.Text("paymentTypeId", &q.PaymentType, "How it was paid: in cash, by the company, or with a card whose charge is still to come.", wire.Enum("CASHX", "CPAID", "PENDC"))
	wire.Object(f, "transactionAmount", &q.Amount, (*amountV4).v4, "What it cost.", wire.RequiredOnCreate)
	f.Date("transactionDate", &q.Date, "The day of the expense.", wire.RequiredOnCreate)
	f.Text("vendor", &q.Vendor, "The name of the vendor.")
}

func (a *amountV4) v4(f *wire.Fields) {
	f.Currency("currencyCode", &a.Currency, "The currency (ISO 4217).", wire.RequiredOnCreate)
	f.Money("value", &a.Value, "The amount.", wire.RequiredOnCreate)
}

func (l *quickLocation) v4(f *wire.Fields) {
	f.Text("city", &l.City, "The city.")
	f.Text("countryCode", &l.Country, "The country (ISO 3166-1).")
	f.Text("countrySubDivisionCode", &l.Subdivision, "The country subdivision (ISO 3166-2), such as US-WA.")
	f.Text("id", &l.ID, "The id of a location.")
	f.Text("name", &l.Name, "What the place is called.")
}

// shown is a quick expense as GET shows it.
func (q *QuickExpense) shown(f *wire.Fields) {
	f.Text("id", &q.ID, "The id of the quick expense.")
	q.v4(f)
	f.Text("receiptImageId", &q.Image, "The id of the receipt image; absent without one.", wire.OmitEmpty)
}

// newQuickExpense is the answer to a POST.
type newQuickExpense struct{ URI string }

func (a *newQuickExpense) v4(f *wire.Fields) {
	f.Text("quickExpenseIdUri", &a.URI, "The address of the quick expense.")
}

var (
	quickExpenseSchema    = wire.Bind("QuickExpenseRequest", (*QuickExpense).v4).Exact()
	shownQuickSchema      = wire.Bind("QuickExpense", (*QuickExpense).shown)
	newQuickExpenseSchema = wire.Bind("NewQuickExpenseResponse", (*newQuickExpense).v4)
)

// QuickExpenseOptions are what the service of quick expenses needs; all but the limits
// are required.
type QuickExpenseOptions struct {
	Org      *org.Service
	IDs      *value.IDs
	Images   *imaging.Service
	Receipts *receipt.Service

	MaxImage int64         // the largest image, in bytes; 0 is receipt.MaxImage
	Calls    int           // how many quick expenses a user may post in Window; 0 is 120
	Window   time.Duration // 0 is 5 minutes
}

// QuickExpenses is the service of quick expenses.
type QuickExpenses struct {
	org      *org.Service
	ids      *value.IDs
	images   *imaging.Service
	receipts *receipt.Service
	maxImage int64
	rate     api.Rate
}

// NewQuickExpenses makes the service.
func NewQuickExpenses(o QuickExpenseOptions) *QuickExpenses {
	return &QuickExpenses{org: o.Org, ids: o.IDs, images: o.Images, receipts: o.Receipts, maxImage: cmp.Or(o.MaxImage, receipt.MaxImage),
		rate: api.Rate{Calls: cmp.Or(o.Calls, 120), Window: cmp.Or(o.Window, 5*time.Minute), Shared: "quickexpenses"}}
}

const (
	quickExpensePath = "/users/{userId}/context/{contextType}/quickexpenses"
	traveler         = "TRAVELER"
)

// Operations lists what quick expenses answer over HTTP.
func (s *QuickExpenses) Operations() []api.Operation {
	doc := func(id, summary, description string) api.Doc {
		return api.Doc{ID: "quickexpenses." + id, Group: "Quick Expenses", Summary: summary, Description: description}
	}
	writes := auth.Scope("quickexpense.writeonly")
	common := []api.Option{
		api.About(api.PathUser), api.Limited(s.rate),
		api.HeaderParameter("concur-correlationid", "An id of the caller's own, which the answer repeats when it is a UUID."),
		api.HeaderParameter("accept-language", "The language of messages. They are in English."),
		api.Answers(201, "The quick expense was made.", api.SchemaOf("NewQuickExpenseResponse", newQuickExpenseSchema)),
	}
	body := api.SchemaOf("QuickExpenseRequest", quickExpenseSchema)
	body.Input = true
	withImage := api.Content{Media: []string{"multipart/form-data"}, Name: "QuickExpenseWithImage"}
	shown := doc("get", "Get a quick expense", "What was posted, at the address that the POST answered.")
	shown.Extension = true
	return []api.Operation{
		api.Custom(api.QuickExpenseV4, "POST", quickExpensePath, s.post,
			doc("post", "Make a quick expense", "At most 120 calls of a user in 5 minutes, or what the server is set to, those with an image included; counted by each server for itself."),
			writes, append(common, api.Takes(body))...),
		api.Custom(api.QuickExpenseV4, "POST", quickExpensePath+"/image", s.postWithImage,
			doc("post.image", "Make a quick expense with an image", "The multipart body has the quick expense as JSON in the part quickExpenseRequest and the image in the part fileContent: a PDF, PNG, JPEG, GIF or TIFF of at most 5 MB, or what the server is set to. The image becomes an image-only receipt of the user."),
			writes, append(common, api.Takes(withImage), api.MaxBody(s.maxImage+quickRoom))...),
		api.Custom(api.QuickExpenseV4, "GET", quickExpensePath+"/{id}", s.get, shown,
			auth.Scope("EXPRPT", "expense.report.read", "expense.report.readwrite"), api.About(api.PathUser),
			api.Answers(200, "The quick expense.", api.SchemaOf("QuickExpense", shownQuickSchema))),
	}
}

// maxQuickJSON bounds the JSON of a multipart body, and quickRoom all that is in it
// beside the image, in bytes.
const (
	maxQuickJSON = 1 << 20
	quickRoom    = 27 << 20
)

// traveller is the user of the path, in the context of the path.
func (s *QuickExpenses) traveller(c *api.Call) (auth.Person, error) {
	p, err := c.Own(c.Param("userId"))
	if err == nil && c.Param("contextType") != traveler {
		err = errs.OnField("contextType", "enum", "must be "+traveler+".")
	}
	return p, err
}

func (s *QuickExpenses) post(c *api.Call) (api.Answer, error) {
	owner, err := s.traveller(c)
	if err != nil {
		return nil, err
	}
	d, err := c.Document()
	if err != nil {
		return nil, err
	}
	q, err := s.read(c, owner, d)
	if err != nil {
		return nil, err
	}
	if err := c.Write(func(tx *store.Tx) error { return s.insert(tx, q) }); err != nil {
		return nil, err
	}
	return made(c, q), nil
}

func (s *QuickExpenses) postWithImage(c *api.Call) (api.Answer, error) {
	owner, err := s.traveller(c)
	if err != nil {
		return nil, err
	}
	q, f, err := s.readParts(c, owner)
	if err != nil {
		return nil, err
	}
	m := s.receipts.NewImage(q.Company, q.Owner)
	if err := c.Write(func(tx *store.Tx) error {
		if err := s.insert(tx, q); err != nil {
			return err
		}
		if err := s.receipts.InsertImage(tx, m, *f); err != nil {
			return err
		}
		return s.images.AttachExisting(tx, c.Actor(), m.ID, imaging.QuickExpense, imaging.Held{ID: q.ID, Owner: q.Owner})
	}); err != nil {
		return nil, err
	}
	return made(c, q), nil
}

// readParts reads the quick expense and keeps the image of a multipart body. What is
// wrong with the quick expense is told before what is wrong with the image.
func (s *QuickExpenses) readParts(c *api.Call, owner auth.Person) (q *QuickExpense, f *imaging.File, err error) {
	var imageErr error
	twice := errs.New(errs.Invalid, "multipart", "The multipart body has a part twice.")
	err = c.Parts(func(p api.Part) (err error) {
		switch p.Name {
		case "quickExpenseRequest":
			if q != nil {
				return twice
			}
			b, err := io.ReadAll(io.LimitReader(p, maxQuickJSON+1))
			if err != nil {
				return err
			}
			if len(b) > maxQuickJSON {
				return errs.New(errs.TooLarge, "tooLarge", "The part quickExpenseRequest is larger than 1 MB.")
			}
			d, err := wire.ParseJSON(b)
			if err != nil {
				return err
			}
			q, err = s.read(c, owner, d)
			return err
		case "fileContent":
			if f != nil {
				return twice
			}
			f = new(imaging.File)
			*f, imageErr = s.receipts.KeepImage(c.Context(), c.Actor().Company, p, s.maxImage)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var p errs.Problems
	if q == nil {
		p.Add("quickExpenseRequest", "required", "is required.")
	}
	if f == nil {
		p.Add("fileContent", "required", "is required.")
	}
	if err := p.Err(); err != nil {
		return nil, nil, err
	}
	return q, f, imageErr
}

// read makes a quick expense of a body and lists all its problems.
func (s *QuickExpenses) read(c *api.Call, owner auth.Person, d *wire.Document) (*QuickExpense, error) {
	q := &QuickExpense{}
	_, found := quickExpenseSchema.Decode(d, q, wire.Create)
	var p errs.Problems
	for _, f := range found {
		p.Add(f.Path, f.Code, f.Message)
	}
	var cfg *org.Config
	if err := c.Read(func(tx *store.Tx) (err error) {
		cfg, err = s.org.Config(tx, c.Actor().Company)
		return err
	}); err != nil {
		return nil, err
	}
	q.check(cfg, owner, &p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	q.ID, q.Company, q.Owner, q.Created = s.ids.UpperHex32(), c.Actor().Company, owner.ID, c.Now()
	return q, nil
}

// check holds a quick expense against the configuration and brings it into the form in
// which it is kept.
func (q *QuickExpense) check(cfg *org.Config, owner auth.Person, p *errs.Problems) {
	q.Amount.Value = q.Amount.Value.Round(q.Amount.Currency.Digits())
	switch code := strings.ToUpper(q.ExpenseType); code {
	case "", undefinedType, nullType:
		q.ExpenseType = undefinedType
	default:
		q.ExpenseType = ""
		if g, ok := cfg.GroupOf(owner); ok {
			for _, policy := range g.Policies {
				if t, ok := policy.ExpenseType(code); ok {
					q.ExpenseType = t.Code
					break
				}
			}
		}
		if q.ExpenseType == "" {
			p.Add("expenseTypeId", "unknown", "names no expense type of the traveller's policies; UNDEF stands for none.")
		}
	}
	l := &q.Location
	l.Country, l.Subdivision = strings.ToUpper(l.Country), strings.ToUpper(l.Subdivision)
	if l.Country != "" && !receipt.IsCountry(l.Country) {
		p.Add("location.countryCode", "country", "must be a country code of ISO 3166-1.")
	}
	if l.Subdivision != "" && !isSubdivision(l.Subdivision) {
		p.Add("location.countrySubDivisionCode", "subdivision", "must be a code of ISO 3166-2, such as US-WA.")
	}
	if l.ID != "" {
		if _, ok := cfg.Location(l.ID); !ok {
			p.Add("location.id", "unknown", "names no location.")
		}
	}
}

// isSubdivision reports whether a text has the form of ISO 3166-2: a country, a dash
// and up to three letters or digits.
func isSubdivision(code string) bool {
	country, part, ok := strings.Cut(code, "-")
	return ok && len(country) == 2 && receipt.IsCountry(country) && len(part) >= 1 && len(part) <= 3 &&
		strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func (s *QuickExpenses) insert(tx *store.Tx, q *QuickExpense) error {
	row := *q // the closure may run again
	return quickExpenses.Insert(tx, &row)
}

// made tells where a new quick expense is.
func made(c *api.Call, q *QuickExpense) api.Answer {
	return api.Object(201, newQuickExpenseSchema, &newQuickExpense{
		URI: c.URL(api.QuickExpenseV4.Base[0] + "/users/" + q.Owner + "/context/" + traveler + "/quickexpenses/" + q.ID)})
}

func (s *QuickExpenses) get(c *api.Call) (api.Answer, error) {
	owner, err := s.traveller(c)
	if err != nil {
		return nil, err
	}
	var q *QuickExpense
	if err := c.Read(func(tx *store.Tx) (err error) {
		q, err = quickExpenses.Get(tx, c.Actor().InCompany("").And("owner_id = ?", owner.ID), c.Param("id"))
		if errs.Is(err, errs.NotFound) {
			return errs.New(errs.NotFound, "quickExpense", "There is no such quick expense.")
		}
		if err != nil {
			return err
		}
		images, err := imaging.ImageIDs(tx, imaging.QuickExpense, q.ID)
		if len(images) > 0 {
			q.Image = images[0]
		}
		return err
	}); err != nil {
		return nil, err
	}
	return api.Object(200, shownQuickSchema, q), nil
}
