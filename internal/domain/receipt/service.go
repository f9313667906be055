// Package receipt keeps receipts of Receipts v4 and v3: how they are posted, processed
// and read. Image-only receipts are the images of package imaging; e-receipts are
// data, with an image that came along or was drawn.
package receipt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/job"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Options are what the service needs; all but the Drawer and the limit are required.
type Options struct {
	DB        *store.DB
	Images    *imaging.Service
	Jobs      *job.Queue
	IDs       *value.IDs
	Clock     value.Clock
	Directory Directory
	Tokens    api.Authenticator // reads the tokens by which Receipts v3 names users
	Drawer    Drawer            // without one no e-receipts are taken
	MaxImage  int64             // the largest image, in bytes; 0 is MaxImage
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
	ids       *value.IDs
	clock     value.Clock
	directory Directory
	tokens    api.Authenticator
	drawer    Drawer
	schemas   *wire.JSONSchemas
	maxImage  int64
}

// New makes the service and sets the handlers of its jobs.
func New(o Options) *Service {
	s := &Service{db: o.DB, images: o.Images, jobs: o.Jobs, ids: o.IDs, clock: o.Clock, directory: o.Directory,
		tokens: o.Tokens, drawer: o.Drawer, schemas: compileSchemas(), maxImage: cmp.Or(o.MaxImage, MaxImage)}
	s.jobs.Handle(imageJob, s.imageOnly().handler())
	s.jobs.Handle(receiptJob, s.withData().handler())
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

// The documented sentences of what is the server's fault (receipts.md §5).
const (
	ourFault  = "Internal error"
	notSaved  = "Unable to save receipt into the database"
	notListed = "Could not get available receipts"
)

// telling has a call answer with this sentence when the server is at fault.
func telling(sentence string, answer func(c *api.Call) (api.Answer, error)) func(c *api.Call) (api.Answer, error) {
	return func(c *api.Call) (api.Answer, error) {
		a, err := answer(c)
		if err != nil && errs.KindOf(err) == errs.Internal {
			return nil, errs.New(errs.Internal, "internal", sentence).Because(err)
		}
		return a, err
	}
}

// Operations lists what the area answers over HTTP.
func (s *Service) Operations() []api.Operation {
	ops := slices.Concat(s.indexOperations(), schemaOperations(), s.receiptOperations(), s.imageOnlyOperations(), s.v3Operations())
	return append(ops, api.Custom(api.Receipts, "GET", "/v4/status/{receiptId}", telling(ourFault, s.getStatus),
		api.Doc{ID: "receipts.status", Group: "Receipts", Summary: "Get the status of a receipt", Description: "It is kept for two weeks after the POST."},
		reads, api.About(api.CallerOnly), api.Answers(200, "The status and what happened so far.", api.SchemaOf("Status", statusSchema))))
}
