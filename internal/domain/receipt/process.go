package receipt

import (
	"bytes"
	"context"
	"errors"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/document"
	"quittance/internal/domain/receipt/drawing"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
)

// The kinds of the jobs that process image-only receipts and e-receipts; their
// payload is the receipt's id.
const (
	imageJob   = "receipt.image"
	receiptJob = "receipt.data"
)

// Drawer draws receipts; *drawing.Renderer does.
type Drawer interface {
	// PDF draws a receipt as a PDF. Of errors, errs.Invalid and errs.TooLarge are
	// final.
	PDF(ctx context.Context, d Drawing) ([]byte, error)
	// PNG draws the pages of the same picture below one another; errs.NotAcceptable
	// when they are too many for that.
	PNG(ctx context.Context, d Drawing) ([]byte, error)
}

// Drawing is a receipt that is to be drawn.
type Drawing = drawing.Input

func drawingOf(r *eReceipt, owner auth.Person) Drawing {
	return Drawing{ID: r.ID, Type: r.Kind, JSON: []byte(r.Body), Traveller: owner.Name, Received: r.Received}
}

// processing is how one kind of receipt is processed: its owner is looked for, and its
// image opened or drawn. What came out is committed with the job's end.
type processing struct {
	s *Service
	// set brings the receipt's record to a state.
	set func(tx *store.Tx, id string, to imaging.State) error
	// picture makes sure of the image; made, which may be nil, notes a new one.
	picture func(ctx context.Context, id string, owner auth.Person) (made func(tx *store.Tx) error, err error)
}

func (p processing) handler() job.Handler {
	return job.Handler{
		Begun: func(tx *store.Tx, j job.Job) error {
			return unlessGone(p.move(tx, j.Payload, imaging.Processing, info, saidInitiated))
		},
		Run: p.run,
		Retried: func(tx *store.Tx, j job.Job, err error) error {
			message := saidImagingError
			if known, ok := errors.AsType[*retryable](err); ok {
				message = known.message
			}
			return unlessGone(advance(tx, j.Payload, imaging.Processing, problem, message))
		},
		Failed: func(tx *store.Tx, j job.Job, _ error) error { return p.fail(tx, j.Payload) },
	}
}

// retryable is a failure that another attempt may mend, with what the log says of it.
type retryable struct {
	message string
	error
}

func (r *retryable) Unwrap() error { return r.error }

// run makes one attempt.
func (p processing) run(ctx context.Context, j job.Job) (commit func(tx *store.Tx) error, err error) {
	id := j.Payload
	var person auth.Person
	gone := false
	if err := p.s.db.Read(ctx, func(tx *store.Tx) error {
		var company, owner string
		err := tx.QueryRow("SELECT company_id, owner_id FROM receipt_status WHERE receipt_id = ?", id).Scan(&company, &owner)
		if gone = errs.Is(err, errs.NotFound); gone || err != nil {
			return unlessGone(err)
		}
		person, err = p.s.directory.FindPerson(tx, company, owner)
		return err
	}); err != nil {
		return nil, &retryable{saidProfileError, err}
	}
	if gone {
		return nil, nil
	}
	made, err := p.picture(ctx, id, person)
	switch {
	case err == nil:
		return func(tx *store.Tx) error {
			if made != nil {
				if err := made(tx); err != nil {
					return err
				}
			}
			return unlessGone(p.move(tx, id, imaging.Processed, info, saidFinished))
		}, nil
	case isPassing(err):
		return nil, err
	}
	// The image is no good, and another attempt would say the same.
	return func(tx *store.Tx) error { return p.fail(tx, id) }, nil
}

func (p processing) fail(tx *store.Tx, id string) error {
	return unlessGone(p.move(tx, id, imaging.Failed, problem, saidFailed))
}

// move brings the status and the record to a state and writes a line about it.
func (p processing) move(tx *store.Tx, id string, to imaging.State, level, message string) error {
	if err := p.set(tx, id, to); err != nil {
		return err
	}
	return advance(tx, id, to, level, message)
}

// isPassing tells what another attempt may mend from a verdict on the image.
func isPassing(err error) bool {
	_, passing := errors.AsType[*retryable](err)
	return passing
}

// imageOnly is how image-only receipts are processed.
func (s *Service) imageOnly() processing {
	return processing{s: s, set: imaging.SetState,
		picture: func(ctx context.Context, id string, _ auth.Person) (func(tx *store.Tx) error, error) {
			return nil, s.open(ctx, id)
		}}
}

// withData is how e-receipts are processed.
func (s *Service) withData() processing {
	return processing{s: s,
		set: func(tx *store.Tx, id string, to imaging.State) error {
			if to == imaging.Processing {
				return nil // the record has no use for it, and to write it means to write the whole receipt anew
			}
			n, err := tx.Exec("UPDATE e_receipt SET state = ? WHERE id = ?", string(to), id)
			if err == nil && n == 0 {
				return errNoReceipt
			}
			return err
		},
		picture: func(ctx context.Context, id string, owner auth.Person) (func(tx *store.Tx) error, error) {
			var r *eReceipt
			if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
				r, err = receipts.Get(tx, store.Unrestricted(), id)
				return err
			}); err != nil {
				return nil, &retryable{saidRetrievalError, err}
			}
			if !r.Drawn {
				return nil, s.open(ctx, id)
			}
			return s.draw(ctx, r, owner)
		}}
}

// open proves that the image of a receipt can be opened.
func (s *Service) open(ctx context.Context, id string) error {
	err := s.images.Check(ctx, id)
	switch {
	case err == nil:
		return nil
	case errs.As(err).Code == imaging.CodeUnread:
		return &retryable{saidRetrievalError, err}
	case errs.Is(err, errs.Unavailable) || errs.Is(err, errs.Internal):
		return &retryable{saidImagingError, err}
	}
	return err
}

// draw makes the image of a receipt: first its bytes are kept, then, with the end of
// the job, its row.
func (s *Service) draw(ctx context.Context, r *eReceipt, owner auth.Person) (made func(tx *store.Tx) error, err error) {
	if s.drawer == nil {
		return nil, &retryable{saidRetrievalError, errors.New("receipt: there is nobody to draw it")}
	}
	picture, err := s.drawer.PDF(ctx, drawingOf(r, owner))
	switch {
	case errs.Is(err, errs.Invalid) || errs.Is(err, errs.TooLarge):
		return nil, err // it would be no better the next time
	case err != nil:
		return nil, &retryable{saidRetrievalError, err}
	}
	f, err := s.images.Keep(ctx, r.Company, bytes.NewReader(picture), []document.Type{document.PDF}, imaging.MaxFileBytes)
	if err != nil {
		return nil, &retryable{saidImagingError, err}
	}
	m := s.imageOf(r)
	return func(tx *store.Tx) error {
		if err := s.attach(tx, r, m, f); err != nil {
			return err
		}
		return say(tx, r.ID, info, saidGenerated)
	}, nil
}

// unlessGone forgets that a receipt was deleted while it was being processed.
func unlessGone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
