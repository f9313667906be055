package receipt

import (
	"context"
	"io"
	"strconv"
	"strings"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/document"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// MaxImage is the largest image that receipts take, in bytes, unless Options say
// otherwise (receipts.md §4.5).
const MaxImage = 5 << 20

// postedRoom is what a multipart body may have beside an image, parts that nobody wants
// included.
const postedRoom = 27 << 20

// pageSize is how many receipts a page lists.
const pageSize = 50

// imageTypes are what Receipts v4 takes.
var imageTypes = []document.Type{document.PDF, document.JPEG, document.PNG, document.GIF, document.TIFF}

// imageRecord is the record of an image-only receipt.
type imageRecord struct {
	Received string // Wed May 24 2017 16:14:17 GMT+00:00
	ID       string
	Image    string
	User     string
}

func (r *imageRecord) fields(f *wire.Fields) {
	f.Text("dateTimeReceived", &r.Received, "When the image came in.", wire.Example("Wed May 24 2017 16:14:17 GMT+00:00"))
	f.Text("id", &r.ID, "The receipt's id.")
	f.Text("image", &r.Image, "The address of the image; empty until there is one.", wire.NotNull)
	f.Text("userId", &r.User, "The id of the owner.")
}

// imagePage is one page of a user's image-only receipts.
type imagePage struct {
	Receipts []imageRecord
	Next     string
}

func (p *imagePage) fields(f *wire.Fields) {
	wire.List(f, "receiptsImages", &p.Receipts, (*imageRecord).fields, "The receipts of this page, the newest first.")
	f.Text("next", &p.Next, "The address of the next page; absent on the last one.", wire.OmitEmpty)
}

var (
	imageSchema     = wire.Bind("ImageOnlyReceipt", (*imageRecord).fields)
	imagePageSchema = wire.Bind("ImageOnlyReceipts", (*imagePage).fields)
)

const (
	imageOnlyPath = "/v4/image-only-receipts"
	imagesPath    = "/v4/images" // what the Location of a POST names (contradictions.md B2)
)

func (s *Service) imageOnlyOperations() []api.Operation {
	doc := func(id, summary, description string) api.Doc {
		return api.Doc{ID: "receipts.imageonly." + id, Group: "Receipts", Summary: summary, Description: description}
	}
	file := api.Content{Media: []string{"application/pdf", "image/png", "image/jpeg", "image/gif", "image/tiff"}}
	ofUser := "/v4/users/{userId}/image-only-receipts"
	page := api.Answers(200, "A page of receipts.", api.SchemaOf("ImageOnlyReceipts", imagePageSchema))
	ops := []api.Operation{
		api.Custom(api.Receipts, "POST", ofUser, telling(notSaved, s.postImageOnly),
			doc("post", "Post an image-only receipt", "The multipart body has the file in the part image: PDF, PNG, JPEG, GIF or TIFF of at most 5 MB, or what the server is set to. Location tells where the receipt will be, Link where its processing can be watched."),
			writes, api.About(api.PathUser), api.MaxBody(s.maxImage+postedRoom),
			api.Takes(api.Content{Media: []string{"multipart/form-data"}, Name: "ImageOnlyReceiptPost"}),
			api.Answers(202, "The image is queued for processing.", api.Content{})),
		api.Custom(api.Receipts, "GET", ofUser, telling(notListed, s.listImageOnly),
			doc("list", "Get a user's image-only receipts", "The newest first, 50 a page."), reads, api.About(api.PathUser), page),
		api.Custom(api.Receipts, "GET", ofUser+"/page/{token}", telling(notListed, s.listImageOnly),
			doc("page", "Get a further page of a user's image-only receipts", ""), reads, api.About(api.PathUser), page),
	}
	for _, at := range []struct{ path, id string }{{imageOnlyPath, ""}, {imagesPath, "alias."}} {
		ops = append(ops,
			api.Custom(api.Receipts, "GET", at.path+"/{receiptId}", telling(ourFault, s.getImageOnly),
				doc(at.id+"get", "Get an image-only receipt", "It is there when its processing is over."), reads, api.About(api.CallerOnly),
				api.Answers(200, "The receipt.", api.SchemaOf("ImageOnlyReceipt", imageSchema))),
			api.Custom(api.Receipts, "GET", at.path+"/{receiptId}/image", telling(ourFault, s.getImage),
				doc(at.id+"image", "Get the image of an image-only receipt", "In the format in which it came."), reads, api.About(api.CallerOnly),
				api.AlsoAnswers("image/*", "application/pdf"), api.Answers(200, "The image.", file)))
	}
	return ops
}

// owner is the user of the path. A user's token works for that user alone.
func owner(c *api.Call) (auth.Person, error) {
	id := c.Param("userId")
	if a := c.Actor(); a.Kind == auth.User && !strings.EqualFold(id, a.ID) {
		return auth.Person{}, errOtherUser
	}
	return c.Own(id)
}

func (s *Service) postImageOnly(c *api.Call) (api.Answer, error) {
	of, err := owner(c)
	if err != nil {
		return nil, err
	}
	f, err := s.postedImage(c)
	if err != nil {
		return nil, err
	}
	m := s.NewImage(c.Actor().Company, of.ID)
	if err := c.Write(func(tx *store.Tx) error { return s.InsertImage(tx, m, f) }); err != nil {
		return nil, err
	}
	base := c.URL(api.Receipts.Base[0])
	return api.Empty(202).
		Header("Link", "<"+base+"/v4/status/"+m.ReceiptID+`>; rel="processing-status"`).
		Header("Location", base+imagesPath+"/"+m.ReceiptID), nil
}

// KeepImage stores the file of an image-only receipt, of at most limit bytes, as it
// streams in. The caller then makes the receipt with NewImage and InsertImage.
func (s *Service) KeepImage(ctx context.Context, company string, r io.Reader, limit int64) (imaging.File, error) {
	return s.images.Keep(ctx, company, r, imageTypes, limit)
}

// NewImage is a new image-only receipt. It is made before a write begins, since the
// write may run twice.
func (s *Service) NewImage(company, owner string) *imaging.Image {
	return s.images.NewImage(company, owner, imaging.Accepted)
}

// InsertImage writes an image-only receipt and queues it for processing.
func (s *Service) InsertImage(tx *store.Tx, m *imaging.Image, f imaging.File) error {
	if err := imaging.Insert(tx, m, f); err != nil {
		return err
	}
	if err := accept(tx, m.ReceiptID, m.Company, m.Owner); err != nil {
		return err
	}
	return s.jobs.Enqueue(tx, imageJob, m.ReceiptID, job.Spec{Company: m.Company})
}

// postedImage keeps the part image of the request. The sentences are the documented
// ones (receipts.md §5).
func (s *Service) postedImage(c *api.Call) (imaging.File, error) {
	media, params := c.MediaType()
	if media != "multipart/form-data" || params["boundary"] == "" {
		return imaging.File{}, errMediaType
	}
	f, err := imaging.OneFile(c, func(p api.Part) bool { return p.Name == "image" }, func(p api.Part) (imaging.File, error) {
		return s.keepImage(c, p)
	})
	if err != nil && errs.As(err).Code == "multipart" {
		err = errUnparsed.Because(err)
	}
	return f, documented(err)
}

func (s *Service) listImageOnly(c *api.Call) (api.Answer, error) {
	of, err := owner(c)
	if err != nil {
		return nil, err
	}
	var before value.Instant
	var beforeID string
	if token := c.Param("token"); token != "" {
		if before, beforeID, err = parseToken(token); err != nil {
			return nil, err
		}
	}
	var page imagePage
	if err := c.Read(func(tx *store.Tx) error {
		page = imagePage{}
		found, more, err := imaging.Newest(tx, c.Actor(), of.ID, before, beforeID, pageSize)
		if err != nil {
			return err
		}
		for i := range found {
			page.Receipts = append(page.Receipts, shown(c, &found[i]))
		}
		if more {
			last := &found[len(found)-1]
			page.Next = c.URL(api.Receipts.Base[0] + "/v4/users/" + of.ID + "/image-only-receipts/page/" + tokenOf(last.Created, last.ReceiptID))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return api.Object(200, imagePageSchema, &page), nil
}

// tokenOf names a row in the address of the page behind it.
func tokenOf(at value.Instant, id string) string {
	return strconv.FormatInt(int64(at)/1000, 10) + "_" + id
}

// parseToken reads {milliseconds since 1970}_{32 hex digits}.
func parseToken(token string) (value.Instant, string, error) {
	millis, id, ok := strings.Cut(token, "_")
	n, err := strconv.ParseInt(millis, 10, 64)
	if !ok || err != nil || n <= 0 || n > 1<<50 || len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return 0, "", errs.New(errs.Invalid, "page", "The page token is not one that this call has given; take it from next.")
	}
	return value.Instant(n * 1000), id, nil
}

// shown is the record of an image.
func shown(c *api.Call, m *imaging.Image) imageRecord {
	return imageRecord{
		Received: m.Created.Time().Format("Mon Jan 02 2006 15:04:05 GMT+00:00"),
		ID:       m.ReceiptID,
		Image:    c.URL(api.Receipts.Base[0] + imageOnlyPath + "/" + m.ReceiptID + "/image"),
		User:     m.Owner,
	}
}

func (s *Service) getImageOnly(c *api.Call) (api.Answer, error) {
	m, err := s.find(c)
	if err != nil {
		return nil, err
	}
	r := shown(c, m)
	return api.Object(200, imageSchema, &r), nil
}

func (s *Service) getImage(c *api.Call) (api.Answer, error) {
	m, err := s.find(c)
	if err != nil {
		return nil, err
	}
	return s.images.Stream(c, m)
}

func (s *Service) find(c *api.Call) (m *imaging.Image, err error) {
	err = c.Read(func(tx *store.Tx) (err error) {
		m, err = imaging.Readable(tx, reached(c.Actor()), c.Param("receiptId"))
		return err
	})
	return m, err
}
