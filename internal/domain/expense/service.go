// Package expense is the area of expense reports: reports, their entries and what is
// below them, the rules, and the way of a report through approval and payment.
package expense

import (
	"slices"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Options are what the area is made of; all are required.
type Options struct {
	Org       *org.Service
	IDs       *value.IDs
	PublicURL string // base of links, without a trailing slash
}

// Service is the area. Its methods take a transaction and an actor, so that they can
// be called together with those of other areas in one transaction, without HTTP.
type Service struct {
	org    *org.Service
	ids    *value.IDs
	url    string
	images Images
}

// Images is what the area asks of those who keep images and receipts.
type Images interface {
	// AttachExisting gives a record the image of one of its owner's receipts, which is
	// named by any of its ids; errs.Invalid says why that cannot be. It tells
	// imaging.Holder.Changed.
	AttachExisting(tx *store.Tx, a *auth.Actor, receiptID string, kind imaging.Kind, to imaging.Held) error
	// DetachAll takes the images off records; Changed is not told.
	DetachAll(tx *store.Tx, kind imaging.Kind, ids ...string) error
}

// New makes the area. UseImages completes it.
func New(o Options) *Service {
	return &Service{org: o.Org, ids: o.IDs, url: o.PublicURL}
}

// UseImages hands over the keeper of images, which itself asks this area's holders
// (EntryHolder, ReportHolder) and therefore is made after it. It is called once,
// before the first call.
func (s *Service) UseImages(i Images) { s.images = i }

// Operations lists what reports and all below them answer over HTTP.
func (s *Service) Operations() []api.Operation {
	return slices.Concat(s.reportOperations(), s.entryOperations(), s.itemizationOperations(), s.allocationOperations(),
		s.attendeeOperations(), s.associationOperations(), s.taxInvoiceOperations(), s.workflowOperations())
}

// scope is what the v3 calls of reports and all below them ask for.
var scope = auth.Scope("EXPRPT")

// visible is the one condition under which an actor may read a report and all below
// it: the own ones, those that the actor administers, and those that the actor is or
// was asked to approve (decisions.md 2). report is the column, with its table, that
// holds the report's id.
func visible(a *auth.Actor, report string) store.Predicate {
	own := a.Reached("")
	if a.Named || a.Administers() {
		return own
	}
	return store.Or(own, approvedBy(a, report))
}

// approvedBy holds for what the actor is or was asked to approve, and for what waits for
// those for whom the actor may approve today.
func approvedBy(a *auth.Actor, report string) store.Predicate {
	of := approverIs(a)
	return store.Where("company_id = ? AND EXISTS (SELECT 1 FROM report_approver v WHERE v.report_id = "+report+" AND "+of.SQL+")", append([]any{a.Company}, of.Args...)...)
}

// approverIs holds for rows v of report_approver that are the actor's, or of somebody for
// whom the report waits and the actor may approve today.
func approverIs(a *auth.Actor) store.Predicate {
	return store.Where(`(v.user_id = ? OR EXISTS (SELECT 1 FROM delegate d JOIN report w ON w.id = v.report_id AND w.approver_id = d.user_id
		WHERE d.user_id = v.user_id AND d.delegate_id = ? AND d.company_id = ? AND d.approve
		AND d.approve_from <= ? AND (d.approve_until = 0 OR d.approve_until >= ?)))`, a.Self.ID, a.Self.ID, a.Company, int64(a.Today), int64(a.Today))
}

var (
	errReadOnly = errs.New(errs.Forbidden, "readOnly", "Only the owner of the report or an administrator may change this.")
	errLocked   = errs.New(errs.Invalid, "locked", "The report is submitted; it can be changed again when it is sent back or recalled.")
)

// toChange turns "not found among what the actor may change" into a refusal that says
// so, where the actor may read the record.
func toChange[T any](tx *store.Tx, t *store.Table[T], a *auth.Actor, report, id string, err error) error {
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	if n, countErr := t.Count(tx, visible(a, report), store.Where("id = ?", id)); countErr != nil {
		return countErr
	} else if n > 0 {
		return errReadOnly
	}
	return err
}

// yes is a filter that asks whether something is so; absent, it asks nothing.
func yes(where store.Predicate, asked value.Opt[bool], condition string) store.Predicate {
	if !asked.Valid {
		return where
	}
	if !asked.V {
		condition = "NOT (" + condition + ")"
	}
	return where.And(condition)
}

// onField puts an error about a record that a field names at that field.
func onField(path string, err error) error {
	if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
		return err
	}
	e := errs.As(err)
	return errs.OnField(path, e.Code, e.Message)
}
