package expense

import (
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// A report's way (workflow.md §3): its owner submits it, the managers approve it, one
// more for each amount that the policy names, then those who answer for the cost objects
// that much is claimed for; accounting reviews it where the policy
// asks for that, and then it is handed over for payment and the payment is confirmed.
// Each of these is a step with an id of its own, opened when the one before it is
// done, and good for one action: the conditional UPDATE of close decides who acts.

// The kinds of steps.
const (
	managerStep      = "manager"      // a manager of the owner approves
	costObjectStep   = "costObject"   // who answers for a cost object approves
	accountingStep   = "accounting"   // an Expense Processor reviews
	extractStep      = "extract"      // the report is handed over for payment
	confirmationStep = "confirmation" // the payment is confirmed
)

// The states of a step: open, or how it ended.
const (
	stepOpen     = "open"
	stepApproved = "approved"
	stepSentBack = "sentBack"
	stepRecalled = "recalled"
)

// Action is what can be done with a step, in the words of the v1.1 calls.
type Action string

// The actions.
const (
	ActionApprove  Action = "Approve"
	ActionSendBack Action = "Send Back to Employee"
	ActionRecall   Action = "Recall to Employee"
)

// maxActionComment is how many characters a comment on an action has at most.
const maxActionComment = 2000

var (
	errMoved     = errs.New(errs.Conflict, "moved", "The report has been changed in the meantime. Read it again, and act on the step that is open now.")
	errSubmitted = errs.New(errs.Conflict, "submitted", "The report is submitted already.")
	errNoStep    = errs.New(errs.Conflict, "noStep", "The report waits for nobody: it is not submitted, or it is paid and confirmed.")
	errNotTurn   = errs.New(errs.Forbidden, "notTurn", "The report does not wait for you: only its current approver, or an administrator, may do this.")
	errApproved  = errs.New(errs.Conflict, "approved", "The report is approved already.")
	errOwnReport = errs.New(errs.Forbidden, "ownReport", "Nobody approves their own report.")
)

// Submission is how handing a report in went.
type Submission struct {
	Report *Report
	Lines  []Lines
	Found  []Exception // all of them; the report is submitted when none is an error
}

// Blocking are the exceptions for which the report was not submitted; none when it was.
func (m *Submission) Blocking() []Exception { return blocking(m.Found) }

// Submit hands a report in. The rules judge it first: with a blocking exception it
// stays as it is, and what was found is kept on its entries either way. It is
// errs.Conflict when the report is submitted already.
func (s *Service) Submit(tx *store.Tx, a *auth.Actor, id string) (*Submission, error) {
	r, err := s.reportToChange(tx, a, id)
	if err != nil {
		return nil, err
	}
	if !editable(r.ApprovalStatus) {
		return nil, errSubmitted
	}
	c, err := s.org.Config(tx, r.Company)
	if err != nil {
		return nil, err
	}
	m := &Submission{Report: r}
	if m.Lines, err = linesOf(tx, r); err != nil {
		return nil, err
	}
	if err := findTwins(tx, r.Company, m.Lines); err != nil {
		return nil, err
	}
	m.Found = judgeReport(c, r, m.Lines, tx.Now())
	if err := keepReportExceptions(tx, r, m.Found); err != nil {
		return nil, err
	}
	if len(m.Blocking()) > 0 {
		return m, reports.Update(tx, r)
	}
	r.Submissions++
	r.SubmittedAt, r.ReceiptsReceived = tx.Now(), false
	if err := s.open(tx, c, r, &Step{}); err != nil {
		return nil, err
	}
	return m, s.save(tx, a, r, "SUBMIT", "", "")
}

// Act does one action on a step. It is errs.Conflict when the step is done already or
// the action is none of the step's, and errs.Forbidden when it is another's turn. A
// delegate does it for whose turn it is.
func (s *Service) Act(tx *store.Tx, a *auth.Actor, stepID string, action Action, comment string) error {
	by, err := s.standsFor(tx, a, stepID, action)
	if err != nil {
		return err
	}
	return s.act(tx, by, a, stepID, action, comment)
}

// standsFor is with whose rights an actor does an action on a step: mostly the own ones,
// those of who is asked, or of the report's owner, for their delegates.
func (s *Service) standsFor(tx *store.Tx, a *auth.Actor, stepID string, action Action) (*auth.Actor, error) {
	if a.Administers() {
		return a, nil
	}
	step, err := steps.Get(tx, a.InCompany(""), stepID)
	if err != nil {
		return nil, err
	}
	whose, may := step.Approver, mayApprove(tx)
	if action == ActionRecall {
		h, err := heads.Get(tx, a.InCompany(""), step.Report)
		if err != nil {
			return nil, err
		}
		whose, may = h.Owner, maySubmit
	}
	if whose == a.Self.ID {
		return a, nil
	}
	if person, err := s.delegated(tx, a, whose, may); err != nil || person != nil {
		return person, err
	}
	return a, nil
}

// act does an action with the rights of one actor and notes another as having done it.
func (s *Service) act(tx *store.Tx, a, noted *auth.Actor, stepID string, action Action, comment string) error {
	r, step, err := s.stepToActOn(tx, a, noted, stepID, action)
	if err != nil {
		return err
	}
	state := map[Action]string{ActionApprove: stepApproved, ActionSendBack: stepSentBack, ActionRecall: stepRecalled}[action]
	if err := s.close(tx, noted, step, state); err != nil {
		return err
	}
	if comment = strings.TrimSpace(comment); comment != "" {
		r.LastComment = comment
	}
	if action == ActionApprove {
		return s.approve(tx, noted, r, step, comment)
	}
	if err := claimAgain(tx, r); err != nil {
		return err
	}
	if err := judgeTwinsAgain(tx, r); err != nil {
		return err
	}
	r.Step, r.Approver = "", ""
	if action == ActionSendBack {
		r.ApprovalStatus, r.EverSentBack = SentBack, true
		return s.save(tx, noted, r, "SEND_BACK", step.ID, comment)
	}
	r.ApprovalStatus, r.SubmittedAt = NotSubmitted, 0
	return s.save(tx, noted, r, "RECALL", step.ID, comment)
}

// stepToActOn reads a step, and the report that waits at it, for an action: after all
// changes before it, and only when it is the actor's to do.
func (s *Service) stepToActOn(tx *store.Tx, a, noted *auth.Actor, stepID string, action Action) (*Report, *Step, error) {
	step, err := steps.Get(tx, a.InCompany(""), stepID)
	if err != nil {
		return nil, nil, err
	}
	if err := reports.Lock(tx, step.Report); err != nil {
		return nil, nil, err
	}
	access := visible(a, "report.id")
	if step.Kind == accountingStep && a.Has(auth.ExpenseProcessor) || step.asks(a) {
		access = a.InCompany("") // who was asked is told that it is too late, even of a report that is a draft again
	}
	r, err := reports.Get(tx, access, step.Report)
	if err != nil {
		return nil, nil, err
	}
	if r.Step != step.ID {
		return nil, nil, errMoved
	}
	return r, step, mayAct(a, noted, r, step, action)
}

// mayAct checks that the step knows the action and that it is the actor's to do.
// Administrators stand in for everybody, as the system does, but nobody approves the
// own report, in whosever name.
func mayAct(a, noted *auth.Actor, r *Report, step *Step, action Action) error {
	owns := func(a *auth.Actor) bool { return a.Kind == auth.User && a.Self.ID == r.Owner }
	own := owns(a)
	payment := step.pays()
	switch {
	case payment && !a.Administers():
		return errs.New(errs.Forbidden, "payment", "The report is approved; only an administrator moves it through payment.")
	case payment && action != ActionApprove:
		return errs.New(errs.Conflict, "approved", "The report is approved; it can be neither sent back nor recalled.")
	case payment:
		return nil
	case action == ActionRecall && !own && !a.Administers():
		return errs.New(errs.Forbidden, "recall", "Only the owner of the report may recall it.")
	case action == ActionRecall:
		return nil
	case own, owns(noted):
		return errOwnReport
	case a.Administers(), step.asks(a), step.Kind == accountingStep && a.Has(auth.ExpenseProcessor):
		return nil
	}
	return errNotTurn
}

// close ends a step. Of several who try, one changes the row.
func (s *Service) close(tx *store.Tx, a *auth.Actor, step *Step, state string) error {
	by := doer(a)
	n, err := tx.Exec("UPDATE report_step SET state = ?, closed_at = ?, closed_by = ? WHERE id = ? AND state = ?",
		state, int64(tx.Now()), by.ID, step.ID, stepOpen)
	if err != nil {
		return err
	}
	if n != 1 {
		return errMoved
	}
	// Whoever could have acted could read the report while it waited, all processors and
	// delegates; from now on who was asked and who acted can. What was recalled is its
	// owner's again, but for those who have decided on it before.
	if state != stepRecalled && a.Kind == auth.User && !a.Administers() {
		if err := addApprover(tx, step.Company, step.Report, by.ID); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`DELETE FROM report_approver WHERE report_id = ? AND NOT EXISTS (SELECT 1 FROM report_step t
		WHERE t.report_id = report_approver.report_id AND t.state <> ? AND (t.approver_id = report_approver.user_id OR t.closed_by = report_approver.user_id))`,
		step.Report, stepRecalled)
	return err
}

// approve moves a report on from a step that is approved.
func (s *Service) approve(tx *store.Tx, a *auth.Actor, r *Report, step *Step, comment string) error {
	switch step.Kind {
	case extractStep:
		r.PaymentStatus, r.PaidAt = Paid, tx.Now()
		if err := s.openStep(tx, r, &Step{Kind: confirmationStep}); err != nil {
			return err
		}
		return s.save(tx, a, r, "EXTRACT", step.ID, comment)
	case confirmationStep:
		r.PaymentStatus, r.Step = PaymentConfirmed, ""
		return s.save(tx, a, r, "CONFIRM", step.ID, comment)
	case accountingStep:
		if err := s.receive(tx, r); err != nil {
			return err
		}
	}
	c, err := s.org.Config(tx, r.Company)
	if err != nil {
		return err
	}
	if err := s.open(tx, c, r, step); err != nil {
		return err
	}
	return s.save(tx, a, r, "APPROVE", step.ID, comment)
}

// open finds the step that follows done, the zero Step when the report has just been
// submitted, and opens it.
func (s *Service) open(tx *store.Tx, c *org.Config, r *Report, done *Step) error {
	policy, _ := c.Policy(r.Policy)
	if done.Kind == "" || done.Kind == managerStep {
		manager, level, err := s.nextManager(tx, c, policy, r, done.Level)
		if err != nil {
			return err
		}
		if manager.ID != "" {
			return s.ask(tx, r, PendingManager, manager, &Step{Kind: managerStep, Level: level})
		}
	}
	if done.Kind != accountingStep {
		approver, position, err := s.nextCostObject(tx, c, policy, r)
		if err != nil {
			return err
		}
		if approver.ID != "" {
			return s.ask(tx, r, PendingCost, approver, &Step{Kind: costObjectStep, Level: position})
		}
	}
	r.Approver = ""
	if done.Kind != accountingStep && policy != nil && policy.AccountingStep {
		r.ApprovalStatus = PendingAccounts
		processors, err := s.org.People(tx, r.Company, auth.ExpenseProcessor)
		if err != nil {
			return err
		}
		for i := range processors {
			if processors[i].ID == r.Owner {
				continue
			}
			if err := addApprover(tx, r.Company, r.ID, processors[i].ID); err != nil {
				return err
			}
		}
		return s.openStep(tx, r, &Step{Kind: accountingStep})
	}
	r.ApprovalStatus, r.PaymentStatus, r.ProcessingAt = Approved, ProcessingPayment, tx.Now()
	if err := payThroughExpensePay(tx, r); err != nil {
		return err
	}
	return s.openStep(tx, r, &Step{Kind: extractStep})
}

// expensePay is the reimbursement method of those whom Expense Pay pays.
const expensePay = "CNQRPAY"

// payThroughExpensePay notes on the entries of an approved report which of them Expense
// Pay pays: those that are owed to an owner who is reimbursed through it.
func payThroughExpensePay(tx *store.Tx, r *Report) error {
	if r.Reimbursement != expensePay {
		return nil
	}
	all, err := entriesOf(tx, r)
	if err != nil {
		return err
	}
	for i := range all {
		e := &all[i]
		if sumsOf(e).DueEmployee == 0 {
			continue
		}
		e.IsPaidByExpensePay, e.ModifiedAt = true, tx.Now()
		if err := entries.Update(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// ask opens a step at which one person decides, who may read the report from now on.
func (s *Service) ask(tx *store.Tx, r *Report, status string, who auth.Person, step *Step) error {
	r.ApprovalStatus = status
	r.Approver, r.ApproverLogin, r.ApproverName = who.ID, who.Login, who.Name
	step.Approver = who.ID
	if err := addApprover(tx, r.Company, r.ID, who.ID); err != nil {
		return err
	}
	return s.openStep(tx, r, step)
}

// openStep opens a step of a report.
func (s *Service) openStep(tx *store.Tx, r *Report, step *Step) error {
	step.ID, step.Report, step.Company = s.ids.Protected(), r.ID, r.Company
	step.State, step.OpenedAt = stepOpen, tx.Now()
	r.Step = step.ID
	return steps.Insert(tx, step)
}

// nextManager is the manager who approves after the one at a level: level 1 is the
// owner's own manager, who always does; the others do when what is claimed is above
// their amount. Nobody follows where the line of managers ends or comes back to
// somebody who is in it already.
func (s *Service) nextManager(tx *store.Tx, c *org.Config, policy *org.Policy, r *Report, after int64) (auth.Person, int64, error) {
	var none auth.Person
	claimed := booked(c, r.Sums.Total-r.Sums.Personal, r.Currency, tx.Now().Date())
	next := int64(0)
	if after < 1 {
		next = 1
	} else if policy != nil {
		for _, l := range policy.Approvals {
			if l.Level > after && claimed > l.Above && (next == 0 || l.Level < next) {
				next = l.Level
			}
		}
	}
	if next == 0 {
		return none, 0, nil
	}
	person, err := s.org.FindPerson(tx, r.Company, r.Owner)
	if err != nil {
		return none, 0, err
	}
	line := map[string]bool{person.ID: true}
	for level := int64(1); level <= next; level++ {
		if person, err = s.above(tx, person, line); err != nil || person.ID == "" {
			return none, 0, err
		}
	}
	return person, next, nil
}

// above is the manager of a person, or the manager's where that one has left; nobody
// where the line ends or comes back to somebody who is in it, to which it adds.
func (s *Service) above(tx *store.Tx, person auth.Person, line map[string]bool) (auth.Person, error) {
	for {
		if person.Manager == "" || line[person.Manager] {
			return auth.Person{}, nil
		}
		manager, err := s.org.FindPerson(tx, person.Company, person.Manager)
		if errs.Is(err, errs.NotFound) {
			return auth.Person{}, nil
		}
		if err != nil {
			return auth.Person{}, err
		}
		line[manager.ID] = true
		if !manager.Left {
			return manager, nil
		}
		person = manager
	}
}

// receive notes what the accounting review confirms: that the receipts are there, and
// that what the rules remarked has been seen (decisions.md 25).
func (s *Service) receive(tx *store.Tx, r *Report) error {
	all, err := entriesOf(tx, r)
	if err != nil {
		return err
	}
	r.ReceiptsReceived = r.HasImage
	for i := range all {
		e := &all[i]
		if !e.HasImage {
			continue
		}
		e.ReceiptReceived, r.ReceiptsReceived = true, true
		if err := entries.Update(tx, e); err != nil {
			return err
		}
	}
	_, err = tx.Exec("UPDATE report_exception SET cleared = ? WHERE report_id = ?", true, r.ID)
	return err
}

// save writes a report that has moved, with the event that tells of it.
func (s *Service) save(tx *store.Tx, a *auth.Actor, r *Report, action, step, comment string) error {
	r.ModifiedAt = tx.Now()
	if err := reports.Update(tx, r); err != nil {
		return err
	}
	return appendEvent(tx, a, r, action, step, comment)
}

// entriesOf reads the entries of a report, in order of creation.
func entriesOf(tx *store.Tx, r *Report) ([]Entry, error) {
	all, err := entries.All(tx, store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID), "seq", store.MaxLimit)
	if err == nil && len(all) == store.MaxLimit {
		return nil, errs.Newf(errs.Invalid, "tooManyEntries", "A report with %d entries or more cannot be submitted; split it.", store.MaxLimit)
	}
	return all, err
}

// linesOf reads everything below a report, for the rules.
func linesOf(tx *store.Tx, r *Report) ([]Lines, error) {
	all, err := entriesOf(tx, r)
	if err != nil {
		return nil, err
	}
	lines := make([]Lines, len(all))
	at := make(map[string]*Lines, len(all))
	for i := range all {
		lines[i].Entry = &all[i]
		at[all[i].ID] = &lines[i]
	}
	own, below := store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID)
	if err := each(tx, itemizations, own, below, func(i *Itemization) {
		if l := at[i.Entry]; l != nil {
			l.Itemizations = append(l.Itemizations, *i)
		}
	}); err != nil {
		return nil, err
	}
	if err := each(tx, allocations, own, below, func(x *Allocation) {
		if l := at[x.Entry]; l != nil {
			l.Allocations = append(l.Allocations, *x)
		}
	}); err != nil {
		return nil, err
	}
	return lines, nil
}

// each reads all rows of a condition, page by page.
func each[T any](tx *store.Tx, t *store.Table[T], access, where store.Predicate, f func(*T)) error {
	page := store.Page{Limit: 1000}
	for {
		rows, more, err := t.List(tx, access, where, page)
		if err != nil {
			return err
		}
		for i := range rows {
			f(&rows[i])
		}
		if !more {
			return nil
		}
		page.After = t.KeyOf(&rows[len(rows)-1], nil)
	}
}

// openStepOf is the step that a report waits at, for those who may read the report;
// errNoStep when it waits for nobody.
func (s *Service) openStepOf(tx *store.Tx, a *auth.Actor, reportID string) (*Step, error) {
	r, err := reports.Get(tx, visible(a, "report.id"), reportID)
	if err != nil {
		return nil, err
	}
	if r.Step == "" {
		return nil, errNoStep
	}
	return steps.Get(tx, store.Where("company_id = ?", r.Company), r.Step)
}
