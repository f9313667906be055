package imaging

import (
	"context"
	"strings"
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// LinkLife is how long a link to a file works, unless Options say otherwise.
const LinkLife = 15 * time.Minute

const linkPurpose = "file"

// target is what a link leads to: an image, or the one PDF of a report. What is
// there is worked out when the link is followed, so that a deleted image is gone at
// once and an appended page is there at once.
type target struct{ kind, id string }

// The kinds of targets.
const (
	ofImage  = "image"
	ofReport = "report"
)

// linkTo makes a link that works without a token.
func (s *Service) linkTo(t target) string {
	return s.publicURL + api.Links.Base[0] + "/" + s.signer.Sign(linkPurpose, t.kind+" "+t.id, s.clock().Add(s.linkLife))
}

func (s *Service) link() api.Operation {
	return api.Custom(api.Links, "GET", "/{link}", s.follow,
		api.Doc{ID: "file.get", Group: "Image", Summary: "Follow a link to a file", Extension: true,
			Description: "The bytes as they are kept, with Range and HEAD. A link that is damaged or has expired is 403; one to a deleted image 404."},
		auth.Open("the link is signed and expires; browsers and viewers follow it without a token"),
		api.About(api.Nobody), api.AlsoAnswers("image/*", "application/pdf"),
		api.Answers(200, "The file.", api.Content{Media: []string{"application/pdf", "image/jpeg", "image/png", "image/gif", "image/tiff"}}))
}

func (s *Service) follow(c *api.Call) (api.Answer, error) {
	payload, err := s.signer.Verify(linkPurpose, c.Param("link"), s.clock())
	if err != nil {
		return nil, errs.New(errs.Forbidden, "link", "The link is damaged or has expired; ask for a new one.").Because(err)
	}
	kind, id, _ := strings.Cut(payload, " ")
	f, err := s.shown(c.Context(), target{kind, id})
	if err != nil {
		return nil, err
	}
	return s.stream(c, f)
}

// shownFile is a file as it is handed out.
type shownFile struct {
	File
	company string
}

// parts lists the files of a target in the order in which they are shown: an image's
// own; of a report its images in order of arrival, then those of its entries by
// transaction date (decisions.md 30). It is errs.NotFound when there are none.
func (s *Service) parts(tx *store.Tx, t target) ([]Part, error) {
	ids := []string{t.id}
	if t.kind == ofReport {
		entries, err := s.reports.EntryIDs(tx, t.id)
		if err != nil {
			return nil, err
		}
		if ids, err = ImageIDs(tx, Report, t.id); err != nil {
			return nil, err
		}
		ofEntries, err := ImageIDs(tx, Entry, entries...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, ofEntries...)
	}
	parts, err := partsOf(tx, ids...)
	if err == nil && len(parts) == 0 {
		if t.kind == ofImage {
			return nil, errNoImage
		}
		return nil, errNothing
	}
	return parts, err
}

// shown is the file that a target shows. A single file is shown as it is, but for a
// report, which is always a PDF; several are merged.
func (s *Service) shown(ctx context.Context, t target) (shownFile, error) {
	var parts []Part
	var merged File
	var key string
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		if parts, err = s.parts(tx, t); err != nil || t.isShownBy(parts) {
			return err
		}
		merged, key, err = derived(tx, t)
		return err
	}); err != nil {
		return shownFile{}, err
	}
	file := shownFile{company: parts[0].Company}
	switch {
	case t.isShownBy(parts):
		file.File = parts[0].File
		return file, nil
	case key == keyOf(parts):
		file.File = merged
		return file, nil
	}
	if err := checkTotal(parts); err != nil {
		return shownFile{}, err
	}
	var err error
	file.File, err = s.merge(ctx, t, parts)
	return file, err
}

// isShownBy reports whether the files need no merging.
func (t target) isShownBy(parts []Part) bool {
	return len(parts) == 1 && (t.kind == ofImage || parts[0].MediaType == pdf)
}

// merge makes one PDF of files and keeps it for the target. Callers who want the
// same at the same time share the work, which goes on when one of them leaves.
func (s *Service) merge(ctx context.Context, t target, parts []Part) (File, error) {
	key := keyOf(parts)
	v, err, _ := s.merging.Do(t.kind+" "+t.id+" "+key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		f, err := s.mergeFiles(ctx, parts)
		if err != nil {
			return File{}, err
		}
		return f, s.db.Write(ctx, func(tx *store.Tx) error {
			now, err := s.parts(tx, t)
			if errs.Is(err, errs.NotFound) || err == nil && keyOf(now) != key {
				return nil // changed meanwhile: the PDF is not kept, and the next sweep takes it
			}
			if err != nil {
				return err
			}
			return keepDerived(tx, t, parts[0].Company, key, f)
		})
	})
	f, _ := v.(File)
	return f, err
}

// Stream answers with the bytes of an image.
func (s *Service) Stream(c *api.Call, m *Image) (api.Answer, error) {
	f, err := s.shown(c.Context(), target{ofImage, m.ID})
	if err != nil {
		return nil, err
	}
	return s.stream(c, f)
}

// stream answers with a file's bytes.
func (s *Service) stream(c *api.Call, f shownFile) (api.Answer, error) {
	content, _, err := s.blobs.Open(c.Context(), f.company, f.Hash)
	if errs.Is(err, errs.NotFound) {
		// The row is there and the bytes are not: no fault of the caller's.
		return nil, errs.New(errs.Internal, "blob", "The file cannot be read on the server.").Because(err)
	}
	if err != nil {
		return nil, err
	}
	return api.Stream(f.MediaType, fileName(f.MediaType), f.Hash, time.Time{}, content), nil
}
