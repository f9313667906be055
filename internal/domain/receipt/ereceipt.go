package receipt

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// eReceipt is a receipt with its data. Its image is attached to it (imaging.EReceipt):
// the one that was posted with it, or the one that is drawn of the data.
type eReceipt struct {
	Seq      int64
	ID       string // 32 hex digits
	Number   string // the id that Receipts v3 gave it; empty for what came through v4
	Company  string
	Owner    string // user id
	Kind     string // the name of its schema, such as hotel-receipt
	State    imaging.State
	Drawn    bool          // no image was posted
	Received value.Instant // whole milliseconds, since paging tokens carry no more
	Body     string        // the JSON, byte for byte
}

func (r *eReceipt) columns(c *store.Columns) {
	c.Seq(&r.Seq)
	c.Key("id", &r.ID)
	c.OptText("number", &r.Number)
	c.Text("company_id", &r.Company)
	c.Text("owner_id", &r.Owner)
	c.Text("kind", &r.Kind)
	c.Text("state", (*string)(&r.State))
	c.Bool("drawn", &r.Drawn)
	c.Instant("received_at", &r.Received)
	c.Text("body", &r.Body)
}

var receipts = store.NewTable("e_receipt", (*eReceipt).columns)

// processed are the receipts that may be shown: those whose processing is over, for
// good or ill (decisions.md 31).
var processed = store.In("state", string(imaging.Processed), string(imaging.Failed))

// ofReceipt is the state of an image that belongs to an e-receipt and is shown with
// it: no list of images has it, whatever the state of the receipt, but a record can
// be given it by the receipt's id (imaging.Service.AttachExisting).
const ofReceipt imaging.State = "E-RECEIPT"

// record is what a GET shows.
type record struct {
	Received value.Instant
	ID       string
	Image    string
	Receipt  wire.RawJSON
	User     string
	Schema   string
	Self     string
	Template string
}

func (r *record) fields(f *wire.Fields) {
	f.Instant("dateTimeReceived", &r.Received, "When the receipt came in.")
	f.Text("id", &r.ID, "The receipt's id.")
	f.Text("image", &r.Image, "The address of the image; empty until there is one.", wire.NotNull)
	f.Raw("receipt", &r.Receipt, "The receipt, as it was posted.")
	f.Text("userId", &r.User, "The id of the owner.")
	f.Text("validationSchema", &r.Schema, "The schema that the receipt keeps to.")
	f.Text("self", &r.Self, "The address of this record.")
	f.Text("template", &r.Template, "The form of the address; the name in braces is to be filled in.")
}

// recordPage is one page of a user's e-receipts.
type recordPage struct {
	Receipts []record
	Next     string
}

func (p *recordPage) fields(f *wire.Fields) {
	wire.List(f, "receipts", &p.Receipts, (*record).fields, "The receipts of this page, the newest first.")
	f.Text("next", &p.Next, "The address of the next page; absent on the last one.", wire.OmitEmpty)
}

var (
	recordSchema     = wire.Bind("Receipt", (*record).fields)
	recordPageSchema = wire.Bind("Receipts", (*recordPage).fields)
)

const (
	ofUserPath  = "/v4/users/{userId}"
	receiptPath = "/v4/{receiptId}"
)

func (s *Service) receiptOperations() []api.Operation {
	doc := func(id, summary, description string) api.Doc {
		return api.Doc{ID: "receipts." + id, Group: "Receipts", Summary: summary, Description: description}
	}
	page := api.Answers(200, "A page of receipts.", api.SchemaOf("Receipts", recordPageSchema))
	ops := []api.Operation{
		api.Custom(api.Receipts, "GET", ofUserPath, telling(notListed, s.listReceipts),
			doc("list", "Get a user's e-receipts", "The newest first, 50 a page."), reads, api.About(api.PathUser), page),
		api.Custom(api.Receipts, "GET", ofUserPath+"/page/{token}", telling(notListed, s.listReceipts),
			doc("page", "Get a further page of a user's e-receipts", ""), reads, api.About(api.PathUser), page),
		api.Custom(api.Receipts, "GET", receiptPath, telling(ourFault, s.getReceipt),
			doc("get", "Get an e-receipt", "It is there when its processing is over. What came through Receipts v3 is found by either of its ids."), reads, api.About(api.CallerOnly),
			api.Answers(200, "The receipt.", api.SchemaOf("Receipt", recordSchema))),
		api.Custom(api.Receipts, "GET", receiptPath+"/image", telling(ourFault, s.getReceiptImage),
			doc("image", "Get the image of an e-receipt", "One that was posted comes back as it was. One that was drawn is a PDF, or a PNG with all pages below one another where Accept asks for an image."),
			reads, api.About(api.CallerOnly), api.AlsoAnswers("image/*", "application/pdf"),
			api.Answers(200, "The image.", api.Content{Media: []string{"application/pdf", "image/png", "image/jpeg", "image/gif", "image/tiff"}})),
	}
	if s.drawer == nil {
		return ops
	}
	return append(ops,
		api.Custom(api.Receipts, "POST", ofUserPath, telling(notSaved, s.postReceipt),
			doc("post", "Post an e-receipt", "The body is the receipt as JSON or, with an image, multipart/form-data with the parts receipt and image: a PDF, PNG, JPEG, GIF or TIFF of at most 5 MB, or what the server is set to. Without an image one is drawn. Location tells where the receipt will be, Link where its processing can be watched."),
			writes, api.About(api.PathUser), api.MaxBody(s.maxImage+postedRoom),
			api.HeaderParameter("Link", "The JSON schema that the receipt keeps to: <http://schema.concursolutions.com/{type}.schema.json>;rel=describedBy"),
			api.Takes(api.Content{Media: []string{"application/json", "multipart/form-data"}, Name: "ReceiptPost"}),
			api.Answers(201, "The receipt is queued for processing.", api.Content{})))
}

// find reads a receipt that the caller may see.
func (s *Service) findReceipt(tx *store.Tx, a *auth.Actor, id string) (*eReceipt, error) {
	by := store.Where("id = ?", id)
	if len(id) == numberDigits {
		by = store.Where("number = ?", id)
	}
	r, err := receipts.One(tx, reached(a).And(processed.SQL, processed.Args...), by)
	if errs.Is(err, errs.NotFound) {
		return nil, errNoReceipt
	}
	return r, err
}

// shownReceipt is the record of a receipt; hasImage says that there is an image. Images
// of what came through Receipts v3 are not shown here, as documented.
func shownReceipt(c *api.Call, r *eReceipt, hasImage bool) record {
	base := c.URL(api.Receipts.Base[0])
	shown := record{
		Received: r.Received, ID: r.ID, Receipt: wire.RawJSON(r.Body), User: r.Owner, Schema: schemaID(r.Kind),
		Self: base + "/v4/" + r.ID, Template: base + receiptPath,
	}
	if hasImage && r.Number == "" {
		shown.Image = shown.Self + "/image"
	}
	return shown
}

func (s *Service) getReceipt(c *api.Call) (api.Answer, error) {
	var shown record
	if err := c.Read(func(tx *store.Tx) error {
		r, err := s.findReceipt(tx, c.Actor(), c.Param("receiptId"))
		if err != nil {
			return err
		}
		images, err := imaging.Counts(tx, imaging.EReceipt, r.ID)
		shown = shownReceipt(c, r, images[r.ID] > 0)
		return err
	}); err != nil {
		return nil, err
	}
	return api.Object(200, recordSchema, &shown), nil
}

func (s *Service) listReceipts(c *api.Call) (api.Answer, error) {
	of, err := owner(c)
	if err != nil {
		return nil, err
	}
	where := store.Where("owner_id = ?", of.ID).And(processed.SQL, processed.Args...)
	if token := c.Param("token"); token != "" {
		before, beforeID, err := parseToken(token)
		if err != nil {
			return nil, err
		}
		where = where.And("(received_at, id) < (?, ?)", int64(before), beforeID)
	}
	var page recordPage
	if err := c.Read(func(tx *store.Tx) error {
		page = recordPage{}
		found, more, err := receipts.List(tx, c.Actor().InCompany(""), where, store.Page{Limit: pageSize, Order: store.Descending("received_at", "id")})
		if err != nil {
			return err
		}
		ids := make([]string, len(found))
		for i := range found {
			ids[i] = found[i].ID
		}
		images, err := imaging.Counts(tx, imaging.EReceipt, ids...)
		if err != nil {
			return err
		}
		for i := range found {
			page.Receipts = append(page.Receipts, shownReceipt(c, &found[i], images[found[i].ID] > 0))
		}
		if more {
			last := &found[len(found)-1]
			page.Next = c.URL(api.Receipts.Base[0] + "/v4/users/" + of.ID + "/page/" + tokenOf(last.Received, last.ID))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return api.Object(200, recordPageSchema, &page), nil
}

func (s *Service) getReceiptImage(c *api.Call) (api.Answer, error) {
	var r *eReceipt
	var image string
	var traveller auth.Person
	if err := c.Read(func(tx *store.Tx) (err error) {
		if r, err = s.findReceipt(tx, c.Actor(), c.Param("receiptId")); err != nil {
			return err
		}
		images, err := imaging.ImageIDs(tx, imaging.EReceipt, r.ID)
		if err != nil {
			return err
		}
		if len(images) == 0 || r.Number != "" {
			return errNoReceipt
		}
		image = images[0]
		traveller, err = s.directory.FindPerson(tx, r.Company, r.Owner)
		return err
	}); err != nil {
		return nil, err
	}
	if !r.Drawn || s.drawer == nil || !strings.HasPrefix(c.Chosen(), "image/") {
		return s.images.Stream(c, &imaging.Image{ID: image})
	}
	picture, err := s.drawer.PNG(c.Context(), drawingOf(r, traveller))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(picture)
	return api.Stream("image/png", "image.png", fmt.Sprintf("%x", sum), time.Time{}, opened{bytes.NewReader(picture)}), nil
}

// opened is bytes as a file that needs no closing.
type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }
