package imaging

import (
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

const receiptImagesPath = "/expense/receiptimages"

func (m *Image) v3(f *wire.Fields) {
	f.Text("ID", &m.ID, "The id of the receipt image.", wire.ReadOnly)
	f.Text("URI", &m.URI, "The address of the receipt image; for a single one a link to the file that works without a token, for fifteen minutes unless the server is set otherwise.", wire.ReadOnly)
}

var imageV3Schema = wire.Bind("ReceiptImage", (*Image).v3)

var receiptImageNames = api.Names{One: "ReceiptImage", Many: "ReceiptImageCollection", WireOne: "ReceiptImage", WireMany: "ReceiptImages"}

func (s *Service) receiptImages() []api.Operation {
	scopes := auth.Scope("IMAGE", "RCTIMG")
	doc := func(id, summary, description string) api.Doc {
		return api.Doc{ID: "receiptimages." + id, Group: "Receipt Images", Summary: summary, Description: description}
	}
	both := []string{"application/json", "application/xml"}
	one := api.SchemaOf("ReceiptImage", imageV3Schema, both...)
	void := api.Content{Media: both, Name: "Void"}
	file := api.Takes(api.Content{Media: uploadMedia, Name: "ImageFile"})
	named, user := api.Named(receiptImageNames), api.About(api.UserParameter)
	userParameter := api.QueryParameter("user", "The login of the user whose image is meant; others than the own need an administrator's role, or that person's leave to prepare.")
	room := api.MaxBody(s.maxReceiptImage + multipartRoom)
	return []api.Operation{
		api.List(api.V3, receiptImagesPath, s.list, (*api.NoFilter).V3, (*Image).v3,
			doc("list", "List receipt images", "All images of the user, whichever service they came through, in order of arrival."),
			scopes, api.About(api.UserOrAll), api.Delegable(), named),
		api.Custom(api.V3, "POST", receiptImagesPath, s.postImage,
			doc("post", "Upload a receipt image", "The body is the file itself, a PDF, JPEG or PNG of at most "+size(s.maxReceiptImage)+", or multipart/form-data with one file."),
			scopes, user, api.Delegable(), userParameter, named, room, file, api.Answers(200, "The image was taken.", one)),
		api.Custom(api.V3, "GET", receiptImagesPath+"/{id}", s.getImage,
			doc("get", "Get a link to a receipt image", "With Accept image/* or application/pdf the answer is the file itself. An image of several files is one PDF."),
			scopes, user, api.Delegable(), userParameter, named, api.AlsoAnswers("image/*", "application/pdf"), api.Answers(200, "The link.", one)),
		api.Custom(api.V3, "PUT", receiptImagesPath+"/{id}", s.appendImage,
			doc("put", "Append to a receipt image", "From then on the image is one PDF with the pages in order of arrival."),
			scopes, user, api.Delegable(), userParameter, named, room, file, api.Answers(200, "The file was appended.", void)),
		api.Delete(api.V3, receiptImagesPath+"/{id}", s.deleteImage,
			doc("delete", "Delete a receipt image", "Refused while the image is attached to a record. Links to it stop working at once."),
			scopes, user, api.Delegable(), named),
	}
}

func (s *Service) list(tx *store.Tx, a *auth.Actor, _ *api.NoFilter, p store.Page) (api.Listing[Image], error) {
	rows, more, err := images.List(tx, a.Listed(""), readable, p)
	for i := range rows {
		rows[i].URI = s.uri(rows[i].ID)
	}
	return api.Page(images, rows, more, p), err
}

// uri is the address of an image in Receipt Images v3.
func (s *Service) uri(id string) string {
	return s.publicURL + api.V3.Base[0] + receiptImagesPath + "/" + id
}

func (s *Service) postImage(c *api.Call) (api.Answer, error) {
	a := c.Actor()
	if a.All || a.Subject.ID == "" {
		return nil, errs.New(errs.Invalid, "user", "Name the user for whom the image is kept in the user parameter.")
	}
	m, err := s.create(c, a.Subject, s.maxReceiptImage)
	if err != nil {
		return nil, err
	}
	m.URI = s.uri(m.ID)
	return api.Object(200, imageV3Schema, m), nil
}

func (s *Service) getImage(c *api.Call) (api.Answer, error) {
	var m *Image
	if err := c.Read(func(tx *store.Tx) (err error) {
		m, err = Readable(tx, c.Actor().Reached(""), c.Param("id"))
		return err
	}); err != nil {
		return nil, err
	}
	t := target{ofImage, m.ID}
	f, err := s.shown(c.Context(), t)
	if err != nil {
		return nil, err
	}
	if c.Chosen() != "" {
		return s.stream(c, f)
	}
	m.URI = s.linkTo(t)
	return api.Object(200, imageV3Schema, m), nil
}

func (s *Service) appendImage(c *api.Call) (api.Answer, error) {
	a, id := c.Actor(), c.Param("id")
	if err := c.Read(func(tx *store.Tx) error {
		_, err := Readable(tx, a.Reached(""), id)
		return err
	}); err != nil {
		return nil, err
	}
	f, err := s.upload(c, a.Company, s.maxReceiptImage)
	if err != nil {
		return nil, err
	}
	if err := c.Write(func(tx *store.Tx) error {
		m, err := findToChange(tx, store.And(a.Reached(""), readable), id)
		if err != nil {
			return err
		}
		if err := s.checkUnlocked(tx, a, m.ID); err != nil {
			return err
		}
		parts, err := partsOf(tx, m.ID)
		if err != nil {
			return err
		}
		next := int64(1)
		if n := len(parts); n > 0 {
			next = parts[n-1].Position + 1
		}
		if err := checkTotal(append(parts, Part{File: f})); err != nil {
			return err
		}
		return insertPart(tx, m, next, f)
	}); err != nil {
		return nil, err
	}
	return api.Void(), nil
}

// checkUnlocked refuses to change an image that a record shows whose images cannot be
// changed now.
func (s *Service) checkUnlocked(tx *store.Tx, a *auth.Actor, imageID string) error {
	rows, err := tx.Query("SELECT kind, holder_id FROM attachment WHERE image_id = ? ORDER BY seq", imageID)
	if err != nil {
		return err
	}
	type place struct {
		kind Kind
		id   string
	}
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan((*string)(&p.kind), &p.id); err != nil {
			rows.Close()
			return err
		}
		places = append(places, p)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, p := range places {
		holder := s.holder(p.kind)
		if holder == nil {
			continue
		}
		h, err := holder.Find(tx, a, p.id, ToChange)
		if err != nil {
			return err
		}
		if h.Locked != "" {
			return locked(h.Locked)
		}
	}
	return nil
}

func (s *Service) deleteImage(tx *store.Tx, a *auth.Actor, id string) error {
	m, err := findToChange(tx, store.And(a.Reached(""), readable), id)
	if err != nil {
		return err
	}
	used, err := isAttached(tx, m.ID)
	if err != nil {
		return err
	}
	if used {
		return errs.New(errs.Invalid, "attached", "The image is attached to a record and cannot be deleted; take it off the record first.")
	}
	return remove(tx, m.ID)
}
