package expense

import (
	"math"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// nextCostObject is who approves next for a cost object, and its position in the policy,
// from 1: the first of the policy's approvals that what is claimed for the cost object
// asks for, and whose approver has not been asked since the report was submitted, as a
// manager or for another cost object. For an owner who answers for a cost object the
// owner's manager does. Nobody follows where all have been asked.
func (s *Service) nextCostObject(tx *store.Tx, c *org.Config, policy *org.Policy, r *Report) (auth.Person, int64, error) {
	var none auth.Person
	if policy == nil || len(policy.CostObjects) == 0 {
		return none, 0, nil
	}
	lines, err := linesOf(tx, r)
	if err != nil {
		return none, 0, err
	}
	asked, err := askedThisRound(tx, r)
	if err != nil {
		return none, 0, err
	}
	owner, err := s.org.FindPerson(tx, r.Company, r.Owner)
	if err != nil {
		return none, 0, err
	}
	today := tx.Now().Date()
	for i := range policy.CostObjects {
		o := &policy.CostObjects[i]
		p, err := s.org.FindPerson(tx, r.Company, o.Approver)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err == nil && (p.ID == owner.ID || p.Left) { // somebody else answers for it
			p, err = s.above(tx, p, map[string]bool{owner.ID: true, p.ID: true})
		}
		if err != nil {
			return none, 0, err
		}
		if p.ID == "" || asked[p.ID] || booked(c, claimedFor(o, r, lines), r.Currency, today) <= o.Above {
			continue
		}
		return p, int64(i + 1), nil
	}
	return none, 0, nil
}

// askedThisRound are those who have been asked to approve a report since it was
// submitted last.
func askedThisRound(tx *store.Tx, r *Report) (map[string]bool, error) {
	asked := map[string]bool{}
	err := each(tx, steps, store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID), func(s *Step) {
		switch s.State {
		case stepSentBack, stepRecalled:
			clear(asked)
		case stepApproved:
			asked[s.Approver] = true
		}
	})
	return asked, err
}

// claimedFor is what a report claims for a cost object, in the report's currency. What
// a share is for says its allocation or, when that does not, the itemization or the entry
// that it is a share of, or else the report.
func claimedFor(o *org.CostObjectApproval, r *Report, lines []Lines) value.Money {
	whole := r.fields().named(o.Field)
	var sum value.Money
	count := func(m value.Money) {
		var err error
		if sum, err = value.AddMoney(sum, m); err != nil {
			sum = math.MaxInt64 // above whatever amount
		}
	}
	// named reports whether the first of the fields that says anything says it.
	named := func(fields ...*CustomField) bool {
		for _, f := range fields {
			if f != nil && !f.IsZero() {
				return o.Names(o.Field, anyOf(f.Code, f.Value))
			}
		}
		return false
	}
	for i := range lines {
		l := &lines[i]
		// divided counts what the allocations of something say of it; it is false when
		// nobody has allocated it.
		divided := func(m value.Money, of string, own ...*CustomField) bool {
			var shares, those int
			var part value.Decimal
			for n := range l.Allocations {
				x := &l.Allocations[n]
				if x.Itemization != of {
					continue
				}
				shares++
				share := customFields{customs: x.fields()}
				if named(append([]*CustomField{share.named(o.Field)}, own...)...) {
					those, part = those+1, part+x.Percentage
				}
			}
			if shares > 0 && those == shares {
				count(m) // to the coin
			} else {
				count(percent(m, part))
			}
			return shares > 0
		}
		entry := l.Entry.fields().named(o.Field)
		if m := l.Entry.PostedAmount - l.Entry.PersonalAmount; len(l.Itemizations) == 0 && !divided(m, "", entry, whole) && named(entry, whole) {
			count(m)
		}
		for n := range l.Itemizations {
			p := &l.Itemizations[n]
			if p.IsPersonal {
				continue
			}
			own := p.fields().named(o.Field)
			if !divided(p.PostedAmount, p.ID, own, entry, whole) && !divided(p.PostedAmount, "", own, entry, whole) && named(own, entry, whole) {
				count(p.PostedAmount)
			}
		}
	}
	return sum
}

// percent is a share of an amount. Taken of its hundredth, it is never out of range.
func percent(m value.Money, share value.Decimal) value.Money {
	hundredth, err := (m / 100).Times(share, 4)
	rest, restErr := (m % 100).Times(share, 4)
	if err != nil || restErr != nil {
		return m // no share is above 100
	}
	return hundredth + rest/100
}
