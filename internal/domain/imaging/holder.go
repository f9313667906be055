package imaging

import (
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// Kind says what sort of record images are attached to.
type Kind string

// The kinds of records that hold images. All but Report hold one image only; the
// database has a unique index that says so.
const (
	Entry          Kind = "entry"
	Report         Kind = "report"
	PaymentRequest Kind = "payment-request"
	QuickExpense   Kind = "quick-expense"
	EReceipt       Kind = "receipt"
)

// Purpose says what a record is looked up for.
type Purpose uint8

const (
	// ToRead is for links to the images: the owner, the administrators (see Reached)
	// and the current and past approvers may.
	ToRead Purpose = iota
	// ToChange is for attaching and detaching: the owner and the administrators may.
	ToChange
)

// Held is what imaging needs to know of a record that holds images.
type Held struct {
	ID    string // the public id, as the record itself spells it
	Owner string // user id; new images belong to this user
	// Locked is a sentence for the caller that tells why images can neither be added
	// nor taken away now, such as "The report is submitted."; empty when they can.
	Locked string
}

// Holder is one kind of record that holds images. The area above declares the
// record and fills this in; app hands it over in Options.
type Holder interface {
	// Find finds a record by its public id. It is errs.NotFound when there is none
	// within the actor's reach for the purpose; with ToChange it also locks the root
	// row of the record's aggregate (store.Tx.Lock).
	Find(tx *store.Tx, a *auth.Actor, id string, p Purpose) (Held, error)
	// Changed is told, in the same transaction, how many images the record has after
	// one was attached or detached, so that flags such as HasImage follow.
	Changed(tx *store.Tx, id string, images int64) error
}

// ReportHolder is the Holder of reports, which gather the images of their entries.
type ReportHolder interface {
	Holder
	// EntryIDs lists the public ids of the report's entries by transaction date and,
	// on one day, in the order in which they were made.
	EntryIDs(tx *store.Tx, reportID string) ([]string, error)
}

// administers reports whether the actor may change the images of other users.
func administers(a *auth.Actor) bool { return a.Administers() || a.Has(auth.CompanyAdministrator) }

// Reached is the predicate for looking an image, or a record that holds images, up
// by id: the owner, Company Administrators, Web Services Administrators and Can
// Administer, and company tokens (images.md §1). It is wider than Actor.Reached by
// the Company Administrator. alias is the table's alias in the query, or empty.
func Reached(a *auth.Actor, alias string) store.Predicate {
	if !a.Named && a.Has(auth.CompanyAdministrator) {
		return a.InCompany(alias)
	}
	return a.Reached(alias)
}
