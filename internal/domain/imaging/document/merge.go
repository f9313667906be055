package document

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/sandbox"
)

// Part is one file of a merge, of a type that an inspection found.
type Part struct {
	Type  Type
	Bytes io.Reader
}

// Layout is how pages are made of images.
type Layout struct {
	Letter bool // sheets are US Letter instead of A4
}

// The kinds of jobs.
const (
	jobMerge = "document.merge"
	jobCheck = "document.check"
)

// Jobs are what the sandbox's children must know for Merge and Check.
func Jobs() map[string]sandbox.Job {
	return map[string]sandbox.Job{jobMerge: mergeJob, jobCheck: checkJob}
}

// order is the parameters of a job.
type order struct {
	Types  []Type `json:"types"`
	Letter bool   `json:"letter,omitempty"`
}

// result is the output of a check.
type result struct {
	Pages int `json:"pages"`
}

// Merge makes one PDF of the parts, in their order: images become pages of their own,
// the pages of PDFs are copied with what they show and nothing else, so that no
// script, action, attachment, form or link comes along. The same parts give the same
// bytes (within one release: compression may change with the Go version).
//
// The output must be read to io.EOF, which alone means success. Errors are those of
// sandbox.Run; Invalid when a part is damaged (the sentence names it), or when the
// result is over MaxPages or MaxMerged.
func Merge(ctx context.Context, s *sandbox.Sandbox, parts []Part, l Layout) (io.ReadCloser, error) {
	if len(parts) == 0 {
		return nil, errs.New(errs.Invalid, "pages", "There is no page to show.")
	}
	if len(parts) > MaxPages {
		return nil, errs.Newf(errs.Invalid, "pages", "The files together have more than %d pages.", MaxPages)
	}
	return run(ctx, s, jobMerge, parts, l)
}

// Check tells whether Merge can show the file, by trying, and how many pages it has.
// Worth its time after the upload of a PDF: an inspection sees that the file is whole,
// and only a reader of the pages sees that they are.
func Check(ctx context.Context, s *sandbox.Sandbox, p Part) (pages int, err error) {
	out, err := run(ctx, s, jobCheck, []Part{p}, Layout{})
	if err != nil {
		return 0, err
	}
	defer out.Close()
	b, err := io.ReadAll(io.LimitReader(out, 1024))
	if err != nil {
		return 0, err
	}
	var r result
	if err := json.Unmarshal(b, &r); err != nil || r.Pages < 1 || r.Pages > MaxPages {
		return 0, errs.New(errs.Invalid, "unprocessable", "The file cannot be processed; it may be damaged.").Because(err)
	}
	return r.Pages, nil
}

func run(ctx context.Context, s *sandbox.Sandbox, kind string, parts []Part, l Layout) (io.ReadCloser, error) {
	o := order{Letter: l.Letter}
	inputs := make([]io.Reader, 0, len(parts))
	for _, p := range parts {
		o.Types = append(o.Types, p.Type)
		inputs = append(inputs, p.Bytes)
	}
	params, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return s.Run(ctx, kind, params, inputs)
}

// mergeJob runs in the sandbox.
func mergeJob(c *sandbox.Call) error {
	_, err := merge(c, c)
	return err
}

// checkJob merges one part into nothing.
func checkJob(c *sandbox.Call) error {
	pages, err := merge(c, io.Discard)
	if err != nil {
		return err
	}
	return json.NewEncoder(c).Encode(result{Pages: pages})
}

// source gives the parts one after the other; a *sandbox.Call is one.
type source interface {
	Next() (io.Reader, error)
}

func merge(c *sandbox.Call, w io.Writer) (pages int, err error) {
	var o order
	if err := json.Unmarshal(c.Params, &o); err != nil {
		return 0, err
	}
	return mergeParts(o, c, w)
}

func mergeParts(o order, parts source, w io.Writer) (pages int, err error) {
	p, err := newPDFWriter(w)
	if err != nil {
		return 0, err
	}
	sheet := a4
	if o.Letter {
		sheet = letter
	}
	var part bytes.Buffer // nothing of a part is kept
	for i, t := range o.Types {
		r, err := parts.Next()
		if err != nil {
			return 0, err
		}
		part.Reset()
		if _, err := part.ReadFrom(io.LimitReader(r, MaxMerged+1)); err != nil {
			return 0, err
		}
		if part.Len() > MaxMerged {
			return 0, tooLarge(MaxMerged)
		}
		if err := p.add(t, part.Bytes(), sheet); err != nil {
			return 0, ofPart(err, i, len(o.Types))
		}
	}
	return len(p.pages), p.finish()
}

func (p *pdfWriter) add(t Type, b []byte, sheet paper) error {
	switch t {
	case JPEG:
		return p.addJPEG(b, sheet)
	case PNG:
		return p.addPNG(b, sheet)
	case GIF:
		return p.addGIF(b, sheet)
	case TIFF:
		return p.addTIFF(b, sheet)
	case PDF:
		return p.addPDF(b)
	}
	return fmt.Errorf("document: no type %q", t)
}

// ofPart names the part that an error is about, when there are several.
func ofPart(err error, i, n int) error {
	var e *errs.Error
	if n == 1 || !errors.As(err, &e) || slices.Contains([]string{"mergedSize", "pages", "resultTooLarge"}, e.Code) {
		return err
	}
	named := *e
	named.Message = fmt.Sprintf("File %d of %d: %s", i+1, n, e.Message)
	return &named
}
