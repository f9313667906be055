package imaging

import (
	"context"
	"io"
	"strings"

	"quittance/internal/domain/imaging/document"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

const pdf = string(document.PDF)

// uploadTypes are what Image v1 and Receipt Images v3 take.
var uploadTypes = []document.Type{document.PDF, document.JPEG, document.PNG}

// Keep stores a file as it streams in and tells what it is. The content decides
// about the type, and what is damaged, encrypted or too large is refused
// (decisions.md 17) and leaves nothing behind. The caller's row follows; without one
// the next sweep takes the file.
func (s *Service) Keep(ctx context.Context, company string, r io.Reader, types []document.Type, limit int64) (File, error) {
	inspected := document.Inspect(r, document.Options{Types: types, MaxBytes: limit})
	ref, err := s.blobs.Put(ctx, company, inspected, limit)
	if err != nil {
		return File{}, err
	}
	info, err := inspected.Info()
	if err != nil {
		return File{}, err
	}
	return File{Hash: ref.Hash, MediaType: string(info.Type), Size: ref.Size, Pages: int64(info.Pages)}, nil
}

// upload keeps the one file of a request: the body itself or, of a multipart body,
// its file part, whatever it is called. Without a file name the documented name of
// the part tells it. The file has at most limit bytes.
func (s *Service) upload(c *api.Call, company string, limit int64) (File, error) {
	keep := func(r io.Reader) (File, error) {
		f, err := s.Keep(c.Context(), company, r, uploadTypes, limit)
		if err != nil || f.MediaType == string(document.JPEG) {
			return f, err
		}
		return f, s.checkFile(c.Context(), company, f.Hash, f.MediaType)
	}
	if media, _ := c.MediaType(); !strings.HasPrefix(media, "multipart/") {
		return keep(c.Body())
	}
	return OneFile(c, func(p api.Part) bool { return p.FileName != "" || strings.EqualFold(p.Name, "Image File") },
		func(p api.Part) (File, error) { return keep(p) })
}

// checkFile proves in the sandbox that a kept file can be opened. PDFs and PNGs are
// checked before they are attached, since one that cannot be merged would keep its
// report from ever having its PDF; a JPEG is embedded as it is.
func (s *Service) checkFile(ctx context.Context, company, hash, mediaType string) error {
	b, _, err := s.blobs.Open(ctx, company, hash)
	if err != nil {
		return errs.New(errs.Unavailable, CodeUnread, "The file cannot be read on the server.").Because(err)
	}
	defer b.Close()
	_, err = document.Check(ctx, s.sandbox, document.Part{Type: document.Type(mediaType), Bytes: b})
	return err
}

// OneFile takes the one part of a multipart body that is the file; others are
// skipped. A second one, or none, is errs.Invalid.
func OneFile(c *api.Call, isFile func(api.Part) bool, keep func(api.Part) (File, error)) (File, error) {
	var f File
	found := false
	err := c.Parts(func(p api.Part) (err error) {
		if !isFile(p) {
			return nil
		}
		if found {
			return errs.New(errs.Invalid, "multipart", "The multipart body has more than one file; send one at a time.")
		}
		found = true
		f, err = keep(p)
		return err
	})
	if err == nil && !found {
		err = errs.New(errs.Invalid, "multipart", "The multipart body has no file.")
	}
	return f, err
}

// fileName is what a browser calls a file that it saves.
func fileName(mediaType string) string {
	_, ending, _ := strings.Cut(mediaType, "/")
	return "image." + ending
}

// mergeFiles makes one PDF of files and keeps it.
func (s *Service) mergeFiles(ctx context.Context, parts []Part) (File, error) {
	f := File{MediaType: pdf}
	inputs := make([]document.Part, len(parts))
	for i, p := range parts {
		input := &lazy{open: func() (io.ReadCloser, error) {
			b, _, err := s.blobs.Open(ctx, p.Company, p.Hash)
			return b, err
		}}
		defer input.close()
		inputs[i] = document.Part{Type: document.Type(p.MediaType), Bytes: input}
		f.Pages += p.Pages
	}
	merged, err := document.Merge(ctx, s.sandbox, inputs, document.Layout{})
	if err != nil {
		return File{}, err
	}
	defer merged.Close()
	ref, err := s.blobs.Put(ctx, parts[0].Company, merged, MaxFileBytes)
	if errs.Is(err, errs.TooLarge) {
		return File{}, errs.Newf(errs.Invalid, "imageTooLarge", "The images together make a PDF of more than %d MB.", MaxFileBytes>>20).Because(err)
	}
	f.Hash, f.Size = ref.Hash, ref.Size
	return f, err
}

// Check proves in the sandbox that every file of an image can be opened. An error of
// kind Invalid, TooLarge, Unsupported or NotAcceptable is about the file; with
// errs.NotFound the image is gone; every other is worth another try, and has the code
// CodeUnread when the bytes could not be read.
func (s *Service) Check(ctx context.Context, receiptID string) error {
	var parts []Part
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		m, err := find(tx, store.Unrestricted(), receiptID)
		if err != nil {
			return err
		}
		parts, err = partsOf(tx, m.ID)
		return err
	}); err != nil {
		return err
	}
	for _, p := range parts {
		if err := s.checkFile(ctx, p.Company, p.Hash, p.MediaType); err != nil {
			return err
		}
	}
	return nil
}

// CodeUnread is the code of an error that tells of bytes that cannot be read.
const CodeUnread = "unread"

// lazy opens a file when its turn has come, so that a merge of many holds one.
type lazy struct {
	open func() (io.ReadCloser, error)
	file io.ReadCloser
	err  error
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.file == nil && l.err == nil {
		l.file, l.err = l.open()
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.file.Read(p)
	if err != nil {
		l.err = err
		l.file.Close()
	}
	return n, err
}

func (l *lazy) close() {
	if l.file != nil && l.err == nil {
		l.file.Close()
	}
}
