package scale

import (
	"container/heap"
	"time"

	"quittance/internal/domain/expense"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// What happens to a report, in this order.
type kind string

const (
	create kind = "create"
	submit kind = "submit"
	decide kind = "decide" // approve or send back, by whoever it waits for
	pay    kind = "pay"    // hand over for payment, or confirm it
)

// claim is one report of a person on its way.
type claim struct {
	owner  *person
	month  time.Month
	report string // id
	opens  value.Instant
	delays []int // days between one thing and the next; the last one is used again
	denied bool  // the first decision sends it back
}

// event is a thing that happens to a report at a time.
type event struct {
	at    value.Instant
	order int // of planning, which decides between events of one time
	turn  int // how many things have happened to the report before
	kind  kind
	claim *claim
}

// agenda is what will happen, the first thing first: a heap.
type agenda struct {
	events  []*event
	planned int
}

func (a *agenda) Len() int { return len(a.events) }
func (a *agenda) Less(i, j int) bool {
	if a.events[i].at != a.events[j].at {
		return a.events[i].at < a.events[j].at
	}
	return a.events[i].order < a.events[j].order
}
func (a *agenda) Swap(i, j int) { a.events[i], a.events[j] = a.events[j], a.events[i] }
func (a *agenda) Push(e any)    { a.events = append(a.events, e.(*event)) } //nolint:forcetypeassert // container/heap gives back what it was given
func (a *agenda) Pop() any {
	last := a.events[len(a.events)-1]
	a.events = a.events[:len(a.events)-1]
	return last
}

func (y *year) add(e *event) {
	y.todo.planned++
	e.order = y.todo.planned
	heap.Push(&y.todo, e)
}

// plan notes a report of each person for each month, late in it.
func (y *year) plan() {
	for month := time.January; month <= time.December; month++ {
		for i := range y.people {
			day, minute := 20+y.rand.IntN(8), y.rand.IntN(8*60)
			at := instant(month, day, 8).Add(time.Duration(minute) * time.Minute)
			c := &claim{owner: &y.people[i], month: month, opens: at, denied: chance(y.rand, 6)}
			for range 6 {
				c.delays = append(c.delays, 1+y.rand.IntN(4))
			}
			if chance(y.rand, 3) {
				c.delays[0] = 90 // forgotten for a while
			}
			y.add(&event{at: at, kind: create, claim: c})
		}
	}
}

// then is what happens to the report next.
func (e *event) then(k kind) *event {
	days := e.claim.delays[min(e.turn, len(e.claim.delays)-1)]
	return &event{at: e.at.Add(time.Duration(days) * 24 * time.Hour), kind: k, claim: e.claim, turn: e.turn + 1}
}

// move does one thing to a report and tells what comes after it.
func (y *year) move(tx *store.Tx, e *event) (*event, error) {
	c := e.claim
	r, err := y.Expense.Report(tx, y.admin, c.report)
	if err != nil {
		return nil, err
	}
	switch e.kind {
	case submit:
		m, err := y.Expense.Submit(tx, actor(c.owner.Person), c.report)
		if err != nil {
			return nil, err
		}
		if b := m.Blocking(); len(b) > 0 {
			return nil, errs.New(errs.Invalid, b[0].Code, b[0].Message)
		}
		return e.then(decide), nil
	case decide:
		return y.decide(tx, e, r)
	case pay:
		if err := y.Expense.Act(tx, y.admin, r.Step, expense.ActionApprove, ""); err != nil {
			return nil, err
		}
		if r.PaymentStatus == expense.ProcessingPayment {
			return e.then(pay), nil
		}
	case create:
	}
	return nil, nil
}

// decide is done by the approver whom the report waits for, else by the administrator.
func (y *year) decide(tx *store.Tx, e *event, r *expense.Report) (*event, error) {
	c, by := e.claim, y.admin
	if r.Approver != "" {
		p, err := y.Org.FindPerson(tx, y.Company, r.Approver)
		if err != nil {
			return nil, err
		}
		by = actor(p)
	}
	if c.denied && !r.EverSentBack {
		return e.then(submit), y.Expense.Act(tx, by, r.Step, expense.ActionSendBack, "Please add the purpose of the journey.")
	}
	if err := y.Expense.Act(tx, by, r.Step, expense.ActionApprove, ""); err != nil {
		return nil, err
	}
	r, err := y.Expense.Report(tx, y.admin, c.report)
	if err != nil {
		return nil, err
	}
	if r.ApprovalStatus == expense.Approved {
		return e.then(pay), nil
	}
	return e.then(decide), nil
}
