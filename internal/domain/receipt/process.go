package receipt

import (
	"context"
	"errors"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
)

// imageJob is the kind of the jobs that process image-only receipts; their payload is
// the receipt's id.
const imageJob = "receipt.image"

// handler is how an image-only receipt is processed: its owner is looked for, and the
// image is proved to open. What came out is committed with the job's end.
func (s *Service) handler() job.Handler {
	return job.Handler{
		Run: s.process,
		Retried: func(tx *store.Tx, j job.Job, err error) error {
			message := saidImagingError
			var known *retryable
			if errors.As(err, &known) {
				message = known.message
			}
			return unlessGone(advance(tx, j.Payload, imaging.Processing, problem, message))
		},
		Failed: func(tx *store.Tx, j job.Job, _ error) error { return fail(tx, j.Payload) },
	}
}

func (s *Service) enqueue(tx *store.Tx, id, company string) error {
	return s.jobs.Enqueue(tx, imageJob, id, job.Spec{Company: company})
}

// retryable is a failure that another attempt may mend, with what the log says of it.
type retryable struct {
	message string
	error
}

func (r *retryable) Unwrap() error { return r.error }

// process makes one attempt.
func (s *Service) process(ctx context.Context, j job.Job) (commit func(tx *store.Tx) error, err error) {
	id := j.Payload
	var company, owner string
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow("SELECT company_id, owner_id FROM receipt_status WHERE receipt_id = ?", id).Scan(&company, &owner); err != nil {
			return err
		}
		return move(tx, id, imaging.Processing, info, saidInitiated)
	})
	if err != nil {
		return nil, unlessGone(err)
	}
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		_, err := s.directory.FindPerson(tx, company, owner)
		return err
	}); err != nil {
		return nil, &retryable{saidProfileError, err}
	}
	err = s.images.Check(ctx, id)
	switch {
	case err == nil:
		return func(tx *store.Tx) error { return unlessGone(move(tx, id, imaging.Processed, info, saidFinished)) }, nil
	case errs.As(err).Code == imaging.CodeUnread:
		return nil, &retryable{saidRetrievalError, err}
	case errs.Is(err, errs.Unavailable) || errs.Is(err, errs.Internal):
		return nil, &retryable{saidImagingError, err}
	}
	// The image is no good, and another attempt would say the same.
	return func(tx *store.Tx) error { return fail(tx, id) }, nil
}

func fail(tx *store.Tx, id string) error {
	return unlessGone(move(tx, id, imaging.Failed, problem, saidFailed))
}

// move brings the status and the image to a state and writes a line about it.
func move(tx *store.Tx, id string, to imaging.State, level, message string) error {
	if err := imaging.SetState(tx, id, to); err != nil {
		return err
	}
	return advance(tx, id, to, level, message)
}

// unlessGone forgets that a receipt was deleted while it was being processed.
func unlessGone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
