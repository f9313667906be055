// Package imaging keeps the images of receipts, expense entries, reports and payment
// requests: Image v1, Receipt Images v3, the links to files, and what Receipts v4 and
// the expense area build on. Nothing is decoded here: an upload is walked for its
// structure while it streams into the blob store, and PDFs are merged in the sandbox.
package imaging

import (
	"cmp"
	"time"

	"golang.org/x/sync/singleflight"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/blob"
	"quittance/internal/kernel/sandbox"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Options are what the service needs; all but the limits are required.
type Options struct {
	DB        *store.DB
	Blobs     blob.Store
	Sandbox   *sandbox.Sandbox
	IDs       *value.IDs
	Clock     value.Clock
	Signer    *auth.Signer
	PublicURL string // base of links, without a trailing slash

	MaxImage        int64         // largest file of Image v1, in bytes; 0 is MaxUpload
	MaxReceiptImage int64         // largest file of Receipt Images v3; 0 is MaxUpload
	LinkLife        time.Duration // how long a link works; 0 is LinkLife

	Entries         Holder
	Reports         ReportHolder
	PaymentRequests Holder
}

// Service is the imaging area.
type Service struct {
	db        *store.DB
	blobs     blob.Store
	sandbox   *sandbox.Sandbox
	ids       *value.IDs
	clock     value.Clock
	signer    *auth.Signer
	publicURL string

	maxImage, maxReceiptImage int64
	linkLife                  time.Duration

	holders map[Kind]Holder
	reports ReportHolder
	merging singleflight.Group
}

// New makes the service.
func New(o Options) *Service {
	return &Service{
		db: o.DB, blobs: o.Blobs, sandbox: o.Sandbox, ids: o.IDs, clock: o.Clock, signer: o.Signer, publicURL: o.PublicURL,
		maxImage: cmp.Or(o.MaxImage, MaxUpload), maxReceiptImage: cmp.Or(o.MaxReceiptImage, MaxUpload), linkLife: cmp.Or(o.LinkLife, LinkLife),
		holders: map[Kind]Holder{Entry: o.Entries, Report: o.Reports, PaymentRequest: o.PaymentRequests},
		reports: o.Reports,
	}
}

// holder is the area above that keeps records of this kind; nil for kinds whose area
// asks for no word of changes.
func (s *Service) holder(k Kind) Holder { return s.holders[k] }

// Operations lists what the area answers over HTTP.
func (s *Service) Operations() []api.Operation {
	return append(append(s.imageV1(), s.receiptImages()...), s.link())
}
