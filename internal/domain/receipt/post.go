package receipt

import (
	"bytes"
	"io"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// MaxReceipt is the largest JSON of a receipt, in bytes.
const MaxReceipt = 1 << 20

// The documented sentences of refusals (receipts.md §5).
var (
	errMediaType  = errs.New(errs.Unsupported, "mediaType", "Specified Content-Type is not supported")
	errLink       = errs.New(errs.Invalid, "link", "Link header must be provided and include a URL to a known receipt schema")
	errUnparsed   = errs.New(errs.Invalid, "body", "Request body could not be parsed")
	errTooLarge   = errs.New(errs.TooLarge, "fileSize", "Max file size exceeded")
	errImageType  = errs.New(errs.Unsupported, "fileType", "Invalid image type")
	errOtherUser  = errs.New(errs.Unauthenticated, "user", "User ID in the URL must match the ID in the sub claim of the JWT")
	errTwoOfAKind = errs.New(errs.Invalid, "multipart", "A part is there twice")
)

// postReceipt takes a receipt. The order of checks is that of receipts.md §5.
func (s *Service) postReceipt(c *api.Call) (api.Answer, error) {
	of, err := owner(c)
	if err != nil {
		return nil, err
	}
	media, params := c.MediaType()
	if media != "application/json" && (media != "multipart/form-data" || params["boundary"] == "") {
		return nil, errMediaType
	}
	kind, known := describedBy(c.Headers("Link"))
	if !known {
		return nil, errLink
	}
	var d *wire.Document
	var file *imaging.File
	if media == "application/json" {
		d, err = s.readReceipt(kind, c.Body())
	} else {
		d, file, err = s.readParts(c, kind)
	}
	if err != nil {
		return nil, err
	}
	r := s.newReceipt(c.Actor().Company, of.ID, kind, string(d.Raw()))
	if err := s.keep(c, r, file); err != nil {
		return nil, err
	}
	base := c.URL(api.Receipts.Base[0])
	return api.Empty(201).
		Header("Link", "<"+schemaID(kind)+`>; rel="describedBy", <`+base+"/v4/status/"+r.ID+`>; rel="processing-status"`).
		Header("Location", base+"/v4/"+r.ID), nil
}

// readReceipt reads and checks the JSON of a receipt.
func (s *Service) readReceipt(kind string, from io.Reader) (*wire.Document, error) {
	b, err := io.ReadAll(io.LimitReader(from, MaxReceipt+1))
	switch {
	case errs.Is(err, errs.TooLarge) || len(b) > MaxReceipt:
		return nil, errTooLarge
	case err != nil:
		return nil, errUnparsed.Because(err)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, errUnparsed
	}
	d, err := wire.ParseJSON(b)
	if err != nil {
		e := errUnparsed.Because(err)
		e.Fields = []errs.Field{{Code: "syntax", Message: errs.As(err).Message}}
		return nil, e
	}
	return d, s.check(kind, d)
}

// readParts reads the parts of a receipt with an image. What is wrong with the
// receipt counts before what is wrong with the image, in whatever order they come.
func (s *Service) readParts(c *api.Call, kind string) (d *wire.Document, file *imaging.File, err error) {
	var imageErr error
	images := 0
	err = c.Parts(func(p api.Part) (err error) {
		switch p.Name {
		case "receipt":
			if d != nil {
				return errTwoOfAKind
			}
			d, err = s.readReceipt(kind, p)
			return err
		case "image":
			if images++; images > 1 {
				return errTwoOfAKind
			}
			var f imaging.File
			f, imageErr = s.keepImage(c, p)
			file = &f
		}
		return nil
	})
	switch e := errs.As(err); {
	case err == nil && d == nil:
		return nil, nil, errUnparsed
	case err == nil:
		return d, file, imageErr
	case e.Code == "multipart":
		return nil, nil, errUnparsed.Because(err)
	}
	return nil, nil, documented(err)
}

// keepImage keeps an image as it streams in. Of one that is too large and of a wrong
// type the size is told.
func (s *Service) keepImage(c *api.Call, from io.Reader) (imaging.File, error) {
	counted := &counter{r: from}
	f, err := s.KeepImage(c.Context(), c.Actor().Company, counted, s.maxImage)
	if errs.Is(err, errs.Unsupported) {
		if _, rest := io.Copy(io.Discard, io.LimitReader(counted, s.maxImage+1-counted.n)); rest == nil && counted.n > s.maxImage {
			err = errTooLarge.Because(err)
		}
	}
	return f, documented(err)
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// documented puts the documented sentence of a refused image in the place of ours.
func documented(err error) error {
	switch {
	case errs.Is(err, errs.TooLarge):
		return errTooLarge.Because(err)
	case errs.Is(err, errs.Unsupported):
		return errImageType.Because(err)
	}
	return err
}

// newReceipt is a receipt that was just posted. It is made before a write begins,
// since the write may run twice.
func (s *Service) newReceipt(company, owner, kind, body string) *eReceipt {
	return &eReceipt{
		ID: s.ids.Hex32(), Company: company, Owner: owner, Kind: kind, State: imaging.Accepted,
		Received: s.clock() / 1000 * 1000, Body: body,
	}
}

// keep writes a receipt, with its image if one was posted, and queues it.
func (s *Service) keep(c *api.Call, r *eReceipt, file *imaging.File) error {
	r.Drawn = file == nil
	var m *imaging.Image
	if file != nil {
		m = s.imageOf(r)
	}
	return c.Write(func(tx *store.Tx) error {
		row := *r
		if err := receipts.Insert(tx, &row); err != nil {
			return err
		}
		if m != nil {
			if err := s.attach(tx, r, m, *file); err != nil {
				return err
			}
		}
		if err := accept(tx, r.ID, r.Company, r.Owner); err != nil {
			return err
		}
		return s.jobs.Enqueue(tx, receiptJob, r.ID, job.Spec{Company: r.Company})
	})
}

// imageOf is a new image of a receipt. The two share the id, so that there is one.
func (s *Service) imageOf(r *eReceipt) *imaging.Image {
	m := s.images.NewImage(r.Company, r.Owner, ofReceipt)
	m.ReceiptID = r.ID
	return m
}

func (s *Service) attach(tx *store.Tx, r *eReceipt, m *imaging.Image, f imaging.File) error {
	if err := imaging.Insert(tx, m, f); err != nil {
		return err
	}
	return s.images.AttachExisting(tx, &auth.Actor{Company: r.Company}, m.ID, imaging.EReceipt, imaging.Held{ID: r.ID, Owner: r.Owner})
}
