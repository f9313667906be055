package expense

import (
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Exception is something that the rules found wrong or remarkable.
type Exception struct {
	Seq         int64
	Report      string
	Entry       string // the entry it stands on; empty when it is about the whole report
	Itemization string // the itemization of that entry; empty when it is about the entry itself
	Company     string
	Code        string
	Level       string // LevelError or LevelWarning
	Message     string
	Cleared     bool
}

// The levels of exceptions: an error keeps a report from being submitted.
const (
	LevelError   = "ERROR"
	LevelWarning = "WARNING"
)

func (x *Exception) columns(c *store.Columns) {
	c.Seq(&x.Seq)
	c.Text("report_id", &x.Report)
	c.Text("entry_id", &x.Entry)
	c.Text("itemization_id", &x.Itemization)
	c.Text("company_id", &x.Company)
	c.Text("code", &x.Code)
	c.Text("level", &x.Level)
	c.Text("message", &x.Message)
	c.Bool("cleared", &x.Cleared)
}

var exceptions = store.NewTable("report_exception", (*Exception).columns)

// Event is one thing that happened to a report. Events are never changed.
type Event struct {
	Seq            int64
	Report         string
	Company        string
	Action         string
	Step           string // id of the step that was acted on; empty for none
	Actor          string // user id; empty for the system
	ActorLogin     string
	ActorName      string
	ApprovalStatus string // afterwards
	PaymentStatus  string // afterwards
	Comment        string
	At             value.Instant

	For auth.Person // not kept: for whom it was done, when the actor is another
}

func (e *Event) columns(c *store.Columns) {
	c.Seq(&e.Seq)
	c.Text("report_id", &e.Report)
	c.Text("company_id", &e.Company)
	c.Text("action", &e.Action)
	c.Text("step_id", &e.Step)
	c.Text("actor_id", &e.Actor)
	c.Text("actor_login", &e.ActorLogin)
	c.Text("actor_name", &e.ActorName)
	c.Text("approval_status", &e.ApprovalStatus)
	c.Text("payment_status", &e.PaymentStatus)
	c.Text("comment", &e.Comment)
	c.Instant("at", &e.At)
}

var events = store.NewTable("report_event", (*Event).columns)

// Step is one step of a report's way through approval and payment. Its id is good
// for one action.
type Step struct {
	Seq      int64
	ID       string // gW…
	Report   string
	Company  string
	Kind     string // manager, costObject, accounting, extract, confirmation: see the workflow
	Level    int64  // of managers, and the position of cost objects in the policy, from 1
	Approver string // user id; empty when a role acts
	State    string
	OpenedAt value.Instant
	ClosedAt value.Instant
	ClosedBy string // user id
}

func (s *Step) columns(c *store.Columns) {
	c.Seq(&s.Seq)
	c.Key("id", &s.ID)
	c.Text("report_id", &s.Report)
	c.Text("company_id", &s.Company)
	c.Text("kind", &s.Kind)
	c.Int("level", &s.Level)
	c.Text("approver_id", &s.Approver)
	c.Text("state", &s.State)
	c.Instant("opened_at", &s.OpenedAt)
	c.Instant("closed_at", &s.ClosedAt)
	c.Text("closed_by", &s.ClosedBy)
}

var steps = store.NewTable("report_step", (*Step).columns)

// pays reports whether the step is one of payment, which follows approval.
func (s *Step) pays() bool { return s.Kind == extractStep || s.Kind == confirmationStep }

// asks reports whether the step asks the actor in person.
func (s *Step) asks(a *auth.Actor) bool { return s.Approver != "" && s.Approver == a.Self.ID }

// addApprover notes that a user is asked to approve a report, and from then on may
// read it. Noting it twice changes nothing.
func addApprover(tx *store.Tx, company, report, user string) error {
	_, err := tx.Exec(`INSERT INTO report_approver (report_id, user_id, company_id, report_seq)
		SELECT id, ?, company_id, seq FROM report WHERE company_id = ? AND id = ? ON CONFLICT DO NOTHING`, user, company, report)
	return err
}
