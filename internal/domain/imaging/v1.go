package imaging

import (
	"strconv"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// MaxUpload is the largest file that Image v1 and Receipt Images v3 take, in bytes,
// unless Options say otherwise.
const MaxUpload = 10 << 20

// multipartRoom is what the parts of a multipart body may need beside the file.
const multipartRoom = 64 << 10

// uploadMedia are the types that Image v1 and Receipt Images v3 declare to take.
var uploadMedia = []string{"application/pdf", "image/jpg", "image/jpeg", "image/png", "multipart/form-data"}

// imageV1 is the answer of Image v1. Url is there even when it is empty.
type imageV1 struct {
	ID  string
	URL value.Opt[string]
}

func (m *imageV1) fields(f *wire.Fields) {
	f.Text("Id", &m.ID, "The id that the call was about: of the new image, or of the record as given.")
	wire.Optional(f, "Url", &m.URL, "A link to the file that works without a token, for fifteen minutes unless the server is set otherwise; empty after an upload.", wire.NotNull)
}

var imageV1Schema = wire.Bind("Image", (*imageV1).fields)

func answerV1(status int, id, url string) api.Answer {
	return api.Object(status, imageV1Schema, &imageV1{ID: id, URL: value.Opt[string]{V: url, Valid: true}}).Root("Image")
}

func (s *Service) imageV1() []api.Operation {
	xml := []string{"application/xml", "application/json"}
	answer := api.SchemaOf("Image", imageV1Schema, xml...)
	post := func(path, id, summary string, handle func(*api.Call) (api.Answer, error)) api.Operation {
		return api.Custom(api.ImageV1, "POST", path, handle,
			api.Doc{ID: "image." + id + ".post", Group: "Image", Summary: summary, Deprecated: true,
				Description: "The body is the file itself, a PDF, JPEG or PNG of at most " + size(s.maxImage) + ", or multipart/form-data with one file. A PDF must not be encrypted."},
			auth.Scope("IMAGE"), api.About(api.CallerOnly), api.MaxBody(s.maxImage+multipartRoom),
			api.Takes(api.Content{Media: uploadMedia, Name: "ImageFile"}), api.Answers(201, "The image was taken.", answer))
	}
	get := func(path, id, summary string, handle func(*api.Call) (api.Answer, error)) api.Operation {
		return api.Custom(api.ImageV1, "GET", path, handle,
			api.Doc{ID: "image." + id + ".get", Group: "Image", Summary: summary, Deprecated: true},
			auth.Scope("IMAGE"), api.About(api.CallerOnly), api.Answers(200, "The link.", answer))
	}
	return []api.Operation{
		post("/receipt", "receipt", "Post an image to the caller's available receipts", s.postReceipt),
		get("/receipt/{imageId}", "receipt", "Get a link to a receipt image", s.getReceipt),
		post("/expenseentry/{entryId}", "entry", "Attach an image to an expense entry that has none", s.postTo(Entry, "entryId")),
		get("/expenseentry/{entryId}", "entry", "Get a link to an expense entry's image", s.getOf(Entry, "entryId")),
		api.Custom(api.ImageV1, "DELETE", "/expenseentry/{entryId}", s.deleteOfEntry,
			api.Doc{ID: "image.entry.delete", Group: "Image", Summary: "Take the image off an expense entry", Extension: true,
				Description: "Works while the report can be edited. A receipt image stays among the available receipts; an image that was posted straight to the entry is deleted."},
			auth.Scope("IMAGE"), api.About(api.CallerOnly), api.Answers(200, "The entry has no image now.", api.Content{Media: xml, Name: "Void"})),
		post("/invoice/{requestId}", "invoice", "Attach an image to a payment request that has none", s.postTo(PaymentRequest, "requestId")),
		get("/invoice/{requestId}", "invoice", "Get a link to a payment request's image", s.getOf(PaymentRequest, "requestId")),
		post("/report/{reportId}", "report", "Append an image to those of a report", s.postTo(Report, "reportId")),
		get("/report/{reportId}", "report", "Get a link to one PDF with all images of a report and of its entries", s.getReport),
	}
}

// postReceipt puts an image into the caller's receipt store.
func (s *Service) postReceipt(c *api.Call) (api.Answer, error) {
	a := c.Actor()
	if a.Kind != auth.User {
		return nil, errs.New(errs.Invalid, "user", "This token belongs to no user who could own the image; use a user's token, or Receipt Images v3 with the user parameter.")
	}
	m, err := s.create(c, a.Self, s.maxImage)
	if err != nil {
		return nil, err
	}
	return answerV1(201, m.ID, ""), nil
}

// create takes the request's file as a new receipt image of the owner.
func (s *Service) create(c *api.Call, owner auth.Person, limit int64) (*Image, error) {
	a := c.Actor()
	f, err := s.upload(c, a.Company, limit)
	if err != nil {
		return nil, err
	}
	m := s.NewImage(a.Company, owner.ID, Processed)
	return m, c.Write(func(tx *store.Tx) error { return Insert(tx, m, f) })
}

func (s *Service) getReceipt(c *api.Call) (api.Answer, error) {
	id := c.Param("imageId")
	var m *Image
	if err := c.Read(func(tx *store.Tx) (err error) {
		m, err = Readable(tx, Reached(c.Actor(), ""), id)
		return err
	}); err != nil {
		return nil, err
	}
	return s.answerLink(c, id, target{ofImage, m.ID})
}

// postTo attaches the request's file to a record.
func (s *Service) postTo(kind Kind, param string) func(c *api.Call) (api.Answer, error) {
	return func(c *api.Call) (api.Answer, error) {
		a, id, holder := c.Actor(), c.Param(param), s.holder(kind)
		// What is certain to be refused is refused before the body is read. An approver,
		// who may read and not attach, is refused behind it, like a stranger.
		if err := c.Read(func(tx *store.Tx) error {
			h, err := holder.Find(tx, a, id, ToRead)
			if err != nil || h.Owner != a.ID && !administers(a) {
				return err
			}
			standing, err := ImageIDs(tx, kind, h.ID)
			switch {
			case err != nil:
				return err
			case h.Locked != "":
				return locked(h.Locked)
			case kind != Report && len(standing) > 0:
				return errAttached
			}
			return nil
		}); err != nil {
			return nil, err
		}
		f, err := s.upload(c, a.Company, s.maxImage)
		if err != nil {
			return nil, err
		}
		m := s.newImage(a.Company, "", false, Processed)
		if err := c.Write(func(tx *store.Tx) error {
			h, err := holder.Find(tx, a, id, ToChange)
			if err != nil {
				return err
			}
			if h.Locked != "" {
				return locked(h.Locked)
			}
			owned := *m
			owned.Owner = h.Owner
			if err := Insert(tx, &owned, f); err != nil {
				return err
			}
			return s.attach(tx, kind, h, &owned)
		}); err != nil {
			return nil, err
		}
		return answerV1(201, id, ""), nil
	}
}

// getOf gives a link to the one image of a record.
func (s *Service) getOf(kind Kind, param string) func(c *api.Call) (api.Answer, error) {
	return func(c *api.Call) (api.Answer, error) {
		id := c.Param(param)
		var image string
		if err := c.Read(func(tx *store.Tx) error {
			h, err := s.holder(kind).Find(tx, c.Actor(), id, ToRead)
			if err != nil {
				return err
			}
			standing, err := ImageIDs(tx, kind, h.ID)
			if err != nil {
				return err
			}
			if len(standing) == 0 {
				return errNothing
			}
			image = standing[0]
			return nil
		}); err != nil {
			return nil, err
		}
		return s.answerLink(c, id, target{ofImage, image})
	}
}

func (s *Service) getReport(c *api.Call) (api.Answer, error) {
	id := c.Param("reportId")
	var report Held
	if err := c.Read(func(tx *store.Tx) (err error) {
		report, err = s.reports.Find(tx, c.Actor(), id, ToRead)
		return err
	}); err != nil {
		return nil, err
	}
	return s.answerLink(c, id, target{ofReport, report.ID})
}

// answerLink makes sure that there is something to show and gives a link to it.
func (s *Service) answerLink(c *api.Call, id string, t target) (api.Answer, error) {
	if _, err := s.shown(c.Context(), t); err != nil {
		return nil, err
	}
	return answerV1(200, id, s.linkTo(t)), nil
}

// deleteOfEntry takes the image off an entry (decisions.md 27).
func (s *Service) deleteOfEntry(c *api.Call) (api.Answer, error) {
	a, id, holder := c.Actor(), c.Param("entryId"), s.holder(Entry)
	if err := c.Write(func(tx *store.Tx) error {
		h, err := holder.Find(tx, a, id, ToChange)
		if err != nil {
			return err
		}
		standing, err := ImageIDs(tx, Entry, h.ID)
		switch {
		case err != nil:
			return err
		case len(standing) == 0:
			return errNothing
		case h.Locked != "":
			return locked(h.Locked)
		}
		if err := s.DetachAll(tx, Entry, h.ID); err != nil {
			return err
		}
		return s.changed(tx, Entry, h.ID)
	}); err != nil {
		return nil, err
	}
	return api.Void(), nil
}

// size is a number of bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1 << 20, "MB"}, {1 << 10, "KB"}} {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
