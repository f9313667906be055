// Package receipt keeps receipts of Receipts v4: how they are posted, processed and
// read. Image-only receipts are the images of package imaging.
package receipt

import (
	"context"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
)

// Options are what the service needs; all are required.
type Options struct {
	DB        *store.DB
	Images    *imaging.Service
	Jobs      *job.Queue
	Directory Directory
}

// Directory finds users; domain/org does.
type Directory interface {
	// FindPerson finds a user of a company by id; errs.NotFound when there is none.
	FindPerson(tx *store.Tx, company, loginOrID string) (auth.Person, error)
}

// Service is the receipts area.
type Service struct {
	db        *store.DB
	images    *imaging.Service
	jobs      *job.Queue
	directory Directory
}

// New makes the service and sets the handlers of its jobs.
func New(o Options) *Service {
	s := &Service{db: o.DB, images: o.Images, jobs: o.Jobs, directory: o.Directory}
	s.jobs.Handle(imageJob, s.handler())
	s.jobs.Every(time.Hour, "forget statuses", func(ctx context.Context) error {
		return s.db.Write(ctx, func(tx *store.Tx) error {
			_, err := Forget(tx)
			return err
		})
	})
	return s
}

var (
	reads  = auth.Scope("receipts.read", "receipts.write")
	writes = auth.Scope("receipts.write", "receipts.writeonly")
)

// Operations lists what the area answers over HTTP.
func (s *Service) Operations() []api.Operation {
	ops := append(s.indexOperations(), s.imageOnlyOperations()...)
	return append(ops, api.Custom(api.Receipts, "GET", "/v4/status/{receiptId}", s.getStatus,
		api.Doc{ID: "receipts.status", Group: "Receipts", Summary: "Get the status of a receipt", Description: "It is kept for two weeks after the POST."},
		reads, api.About(api.CallerOnly), api.Answers(200, "The status and what happened so far.", api.SchemaOf("Status", statusSchema))))
}
