// Package invoice keeps payment requests: suppliers' invoices on their way to being
// paid.
package invoice

import (
	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// PaymentRequest is one supplier's invoice.
type PaymentRequest struct {
	Seq     int64
	ID      string // 20 upper-case hex digits
	Company string
	Owner   string // user id
	Created value.Instant
}

func (r *PaymentRequest) columns(c *store.Columns) {
	c.Seq(&r.Seq)
	c.Key("id", &r.ID)
	c.Text("company_id", &r.Company)
	c.Text("owner_id", &r.Owner)
	c.Instant("created_at", &r.Created)
}

var paymentRequests = store.NewTable("payment_request", (*PaymentRequest).columns)

// ImageHolder is how payment requests hold images (imaging.Holder). It has no state.
type ImageHolder struct{}

var _ imaging.Holder = ImageHolder{}

// Find finds a payment request for its owner and for administrators.
func (ImageHolder) Find(tx *store.Tx, a *auth.Actor, id string, p imaging.Purpose) (imaging.Held, error) {
	r, err := paymentRequests.Get(tx, imaging.Reached(a, ""), id)
	if err != nil {
		return imaging.Held{}, err
	}
	if p == imaging.ToChange {
		if err := tx.Lock("payment_request", r.ID); err != nil {
			return imaging.Held{}, err
		}
	}
	return imaging.Held{ID: r.ID, Owner: r.Owner}, nil
}

// Changed has nothing to keep: a payment request tells of its image by the
// attachment alone.
func (ImageHolder) Changed(*store.Tx, string, int64) error { return nil }

// SeededPaymentRequest is the id of the payment request of every dev server.
const SeededPaymentRequest = "5EED00000000000000A1"

// SeedDemo gives this user the payment request that scripts and tests rely on.
func SeedDemo(tx *store.Tx, company, owner string) error {
	return paymentRequests.Insert(tx, &PaymentRequest{
		ID: SeededPaymentRequest, Company: company, Owner: owner, Created: tx.Now(),
	})
}
