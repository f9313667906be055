package expense

import (
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// managerContext is the context of those who decide on other people's reports.
const managerContext = "MANAGER"

// workflowOperations lists the calls that move reports: v1.1 in XML, v4 in JSON, and
// our extensions beside them.
func (s *Service) workflowOperations() []api.Operation {
	user := "/users/{userId}/context/{contextType}/reports/{reportId}"
	return []api.Operation{
		s.submitV1(), s.actionV1(), s.submitV4(),
		s.actionV4("reports.approveAsSystem", "/reports/{reportId}/approve", ActionApprove),
		s.actionV4("reports.sendBackAsSystem", "/reports/{reportId}/sendBack", ActionSendBack),
		s.actionV4("reports.approve", user+"/approve", ActionApprove, managerContext),
		s.actionV4("reports.sendBack", user+"/sendBack", ActionSendBack, managerContext),
		s.actionV4("reports.recall", user+"/recall", ActionRecall, "TRAVELER", "PROXY"),
		s.reduceV4(), s.history(), s.removal(),
	}
}

// A delegate may do for a person what the person has granted, and no more. These are the
// rights that the calls ask for.
func mayPrepare(d auth.Delegation) bool { return d.Prepare }
func maySubmit(d auth.Delegation) bool  { return d.Submit }

func mayApprove(tx *store.Tx) func(auth.Delegation) bool {
	today := tx.Now().Date()
	return func(d auth.Delegation) bool { return d.Approves(today) }
}

// delegated is the person with this id as an actor, when the caller is a delegate with a
// right; nil when not, whether there is such a person or not.
func (s *Service) delegated(tx *store.Tx, a *auth.Actor, userID string, may func(auth.Delegation) bool) (*auth.Actor, error) {
	if a.Kind != auth.User || userID == "" || may == nil {
		return nil, nil
	}
	d, err := s.org.Delegation(tx, a.Company, strings.ToLower(userID), a.ID)
	if err != nil || !may(d) {
		return nil, err
	}
	p, err := s.org.FindPerson(tx, a.Company, d.User)
	return asPerson(p), err
}

// asPerson is a person as an actor, without the roles that the person has.
func asPerson(p auth.Person) *auth.Actor {
	return &auth.Actor{Kind: auth.User, ID: p.ID, Company: p.Company, Self: p, Subject: p}
}

// inPath is the actor acting for the user whom the path names: the actor itself; for
// administrators anybody of the company; for others who has made them a delegate with a
// right. Look-ups then reach that user's records.
func (s *Service) inPath(tx *store.Tx, a *auth.Actor, userID string, may func(auth.Delegation) bool) (*auth.Actor, error) {
	named := *a
	named.Named, named.All = true, false
	if a.Kind == auth.User && strings.EqualFold(userID, a.ID) {
		named.Subject = a.Self
		return &named, nil
	}
	if !a.Administers() {
		person, err := s.delegated(tx, a, userID, may)
		if err == nil && person == nil {
			err = errs.New(errs.Forbidden, "user", "This token belongs to another user than the one in the path.")
		}
		if err != nil {
			return nil, err
		}
		named.Subject = person.Self
		return &named, nil
	}
	p, err := s.org.FindPerson(tx, a.Company, userID)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.New(errs.NotFound, "user", "There is no such user in the company.")
	}
	named.Subject = p
	return &named, err
}

// asManager is with whose rights the actor decides as the user whom the path names, and
// who is noted as having done it. An administrator, or a delegate, who names a manager
// does what that manager may, and no more; what the manager may by a role is the
// administrator's alone to do.
func (s *Service) asManager(tx *store.Tx, a *auth.Actor, userID string) (by, noted *auth.Actor, err error) {
	noted, err = s.inPath(tx, a, userID, mayApprove(tx))
	if err != nil || a.Kind == auth.User && noted.Subject.ID == a.Self.ID {
		return a, a, err
	}
	by = asPerson(noted.Subject)
	if !a.Administers() {
		return by, noted, nil
	}
	processor, err := s.org.HasRole(tx, by.ID, auth.ExpenseProcessor)
	if processor {
		by.Roles = []auth.Role{auth.ExpenseProcessor}
	}
	return by, noted, err
}

// recaller is with whose rights the actor takes back a report of the user whom the path
// names, and who is noted as having done it. In the context PROXY it is for another
// person that the actor does, who may be named by the report alone.
func (s *Service) recaller(tx *store.Tx, a *auth.Actor, userID, report string, proxy bool) (by, noted *auth.Actor, err error) {
	var may func(auth.Delegation) bool
	if proxy {
		may = maySubmit
	}
	if proxy && strings.EqualFold(userID, a.ID) {
		if a.Administers() {
			return a, a, nil
		}
		h, err := heads.Get(tx, a.InCompany(""), report)
		if err != nil {
			return nil, nil, err
		}
		owner, err := s.delegated(tx, a, h.Owner, may)
		if err != nil {
			return nil, nil, err
		}
		if owner != nil {
			return owner, a, nil
		}
	}
	noted, err = s.inPath(tx, a, userID, may)
	if err != nil || a.Administers() || noted.Subject.ID == a.Self.ID {
		return noted, noted, err
	}
	return asPerson(noted.Subject), noted, nil
}

// asOwner is the actor acting for the owner whom the header X-UserID names.
func (s *Service) asOwner(tx *store.Tx, a *auth.Actor, login string) (*auth.Actor, error) {
	named := *a
	login = strings.TrimSpace(login)
	switch {
	case login == "":
		return a, nil
	case a.Kind == auth.User && (strings.EqualFold(login, a.Self.Login) || strings.EqualFold(login, a.ID)):
		named.Subject, named.Named = a.Self, true
		return &named, nil
	}
	p, err := s.org.FindPerson(tx, a.Company, login)
	known := !errs.Is(err, errs.NotFound)
	if known && err != nil {
		return nil, err
	}
	if !a.Administers() {
		person, err := s.delegated(tx, a, p.ID, maySubmit)
		if err == nil && person == nil {
			err = errs.New(errs.Forbidden, "user", "Only an administrator ("+string(auth.WebServicesAdministrator)+" or "+string(auth.CanAdminister)+") may name another user.")
		}
		if err != nil {
			return nil, err
		}
	} else if !known {
		return nil, errs.New(errs.Invalid, "user", "Invalid User:"+login)
	}
	named.Subject, named.Named = p, true
	return &named, nil
}

// The answers of v1.1. Members are in order of the alphabet, as readers of that
// generation expect them.

type reportStatus struct {
	Message    string
	Exceptions []reportException
	Status     string
}

type reportException struct {
	Currency    value.Currency
	Event       string
	Code        string
	Level       string
	Visibility  string
	ExpenseType string
	ExpenseName string
	Cleared     string
	Severity    int64
	Amount      value.Opt[value.Money]
	Date        value.Date
	Kind        string
}

func (r *reportStatus) v1(f *wire.Fields) {
	f.Text("Message", &r.Message, "Why the report was not submitted.")
	wire.List(f, "ReportExceptions", &r.Exceptions, (*reportException).v1, "What the rules found.", wire.Wrapped, wire.Item("ReportException"), wire.OmitEmpty)
	f.Text("Status", &r.Status, "SUCCESS or FAILURE.")
}

func (x *reportException) v1(f *wire.Fields) {
	f.Currency("CrnCode", &x.Currency, "The currency of the entry.")
	f.Text("EventCode", &x.Event, "What brought the exception up.")
	f.Text("ExceptionCode", &x.Code, "Which exception it is.")
	f.Text("ExceptionErrorCode", &x.Level, "ERROR keeps the report from being submitted, WARNING does not.")
	f.Text("ExceptionVisibility", &x.Visibility, "Who sees the exception.")
	f.Text("ExpKey", &x.ExpenseType, "The code of the entry's expense type.")
	f.Text("ExpName", &x.ExpenseName, "The name of the entry's expense type.")
	f.Text("IsCleared", &x.Cleared, "Y when an Expense Processor has cleared the exception, else N.")
	f.Int("SeverityLevel", &x.Severity, "99 for errors, 1 for warnings.")
	wire.Optional(f, "TransactionAmount", &x.Amount, "The amount of the entry.")
	f.Date("TransactionDate", &x.Date, "The day of the entry.")
	f.Text("Type", &x.Kind, "Report, Entry or Itemization: what the exception stands on.")
}

type actionStatus struct{ Message, Status string }

func (r *actionStatus) v1(f *wire.Fields) {
	f.Text("Message", &r.Message, "Why nothing was done; SUCCESS! when it was.")
	f.Text("Status", &r.Status, "SUCCESS! or FAILURE.")
}

type workflowAction struct{ Action, Comment string }

func (r *workflowAction) v1(f *wire.Fields) {
	f.Text("Action", &r.Action, "What to do with the step.", wire.RequiredOnCreate, wire.Enum(string(ActionApprove), string(ActionSendBack), string(ActionRecall)))
	f.Text("Comment", &r.Comment, "What to say with it; required when the report is sent back.", wire.Max(maxActionComment))
}

// reportAction is the body of the v4 calls.
type reportAction struct{ Comment, Rejected string }

func (r *reportAction) v4(f *wire.Fields) {
	f.Text("comment", &r.Comment, "What to say to the report's owner; required when the report is sent back.", wire.Max(maxActionComment))
	f.Text("expenseRejectedComment", &r.Rejected, "What to say of the expenses that are rejected.", wire.Max(maxActionComment))
}

var (
	reportStatusSchema   = wire.Bind("ReportStatus", (*reportStatus).v1)
	actionStatusSchema   = wire.Bind("ActionStatus", (*actionStatus).v1)
	workflowActionSchema = wire.Bind("WorkflowAction", (*workflowAction).v1)
	reportActionSchema   = wire.Bind("ReportAction", (*reportAction).v4).Exact()
)

const failure = "FAILURE"

// whyNot joins the sentences of blocking exceptions; what stands on several entries is
// told once.
func whyNot(blocking []Exception) string {
	var b strings.Builder
	b.WriteString("The report cannot be submitted.")
	told := map[string]bool{}
	for i := range blocking {
		if m := blocking[i].Message; !told[m] {
			told[m] = true
			b.WriteString(" " + m)
		}
	}
	return b.String()
}

// status is a submission as v1.1 answers it.
func (s *Service) status(tx *store.Tx, m *Submission) (*reportStatus, error) {
	c, err := s.org.Config(tx, m.Report.Company)
	if err != nil {
		return nil, err
	}
	r := &reportStatus{Status: "SUCCESS"}
	if b := m.Blocking(); len(b) > 0 {
		r.Status, r.Message = failure, whyNot(b)
	}
	at := make(map[string]*Entry, len(m.Lines))
	for i := range m.Lines {
		at[m.Lines[i].Entry.ID] = m.Lines[i].Entry
	}
	for i := range m.Found {
		x := &m.Found[i]
		v := reportException{Event: "SUBMIT", Code: x.Code, Level: x.Level, Visibility: "ALL", Cleared: "N", Severity: 1, Kind: "Report"}
		if x.Level == LevelError {
			v.Severity = 99
		}
		if e := at[x.Entry]; e != nil {
			v.Kind, v.Currency, v.ExpenseType, v.Date = "Entry", e.TransactionCurrency, e.ExpenseType, e.TransactionDate
			v.Amount = value.Some(e.TransactionAmount)
			if t, ok := c.ExpenseType(e.Policy, e.ExpenseType); ok {
				v.ExpenseName = t.Name
			}
			if x.Itemization != "" {
				v.Kind = "Itemization"
			}
		}
		r.Exceptions = append(r.Exceptions, v)
	}
	return r, nil
}

func (s *Service) submitV1() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		var answer *reportStatus
		err := c.Write(func(tx *store.Tx) error {
			a, err := s.asOwner(tx, c.Actor(), c.Header("X-UserID"))
			if err != nil {
				return err
			}
			m, err := s.Submit(tx, a, c.Param("reportId"))
			if err != nil {
				return err
			}
			answer, err = s.status(tx, m)
			return err
		})
		if errs.Is(err, errs.Conflict) {
			answer, err = &reportStatus{Message: errs.As(err).Message, Status: failure}, nil
		}
		if err != nil {
			return nil, err
		}
		return api.Object(200, reportStatusSchema, answer).Root("ReportStatus"), nil
	}
	return api.Custom(api.V11, "POST", "/report/{reportId}/submit", handle,
		api.Doc{ID: "reports.submitXML", Group: "Workflow", Summary: "Submits a report (XML)",
			Description: "Status is SUCCESS, or FAILURE with what the rules found. An administrator, or a delegate who may submit for the owner, names the report's owner in X-UserID."},
		auth.Scope("EXPRPT", "expense.report.readwrite"), api.About(api.CallerOnly),
		api.HeaderParameter("X-UserID", "The login of the report's owner; others than the caller need an administrator's role, or to be a delegate who may submit for the owner."),
		api.Answers(200, "How it went; a refused report is a FAILURE.", api.SchemaOf("ReportStatus", reportStatusSchema, "application/xml")))
}

func (s *Service) actionV1() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		doc, err := c.Document()
		if err != nil {
			return nil, err
		}
		var given workflowAction
		_, problems := workflowActionSchema.Decode(doc, &given, wire.Create)
		if err := checkAction(Action(given.Action), given.Comment, "Comment", problems); err != nil {
			return nil, err
		}
		answer := &actionStatus{Message: "SUCCESS!", Status: "SUCCESS!"}
		err = c.Write(func(tx *store.Tx) error {
			return s.Act(tx, c.Actor(), c.Param("workflowStepId"), Action(given.Action), given.Comment)
		})
		if errs.Is(err, errs.Conflict) {
			answer, err = &actionStatus{Message: errs.As(err).Message, Status: failure}, nil
		}
		if err != nil {
			return nil, err
		}
		return api.Object(200, actionStatusSchema, answer).Root("ActionStatus"), nil
	}
	return api.Custom(api.V11, "POST", "/report/{workflowStepId}/workflowaction", handle,
		api.Doc{ID: "reports.actXML", Group: "Workflow", Summary: "Acts on a workflow step (XML)",
			Description: "The address is a report's WorkflowActionUrl. A step is good for one action; once the report has moved on, the answer is a FAILURE."},
		auth.Scope("EXPRPT", "expense.report.workflowstatus.write"), api.About(api.CompanyWide),
		api.Takes(api.SchemaOf("WorkflowAction", workflowActionSchema, "application/xml")),
		api.Answers(200, "How it went; an action that came too late is a FAILURE.", api.SchemaOf("ActionStatus", actionStatusSchema, "application/xml")))
}

// checkAction adds to the problems of a body the comment that a send-back lacks.
func checkAction(action Action, comment, name string, problems []errs.Field) error {
	if action == ActionSendBack && strings.TrimSpace(comment) == "" {
		missing := true
		for _, p := range problems {
			missing = missing && p.Path != name
		}
		if missing {
			problems = append(problems, errs.Field{Path: name, Code: "required", Message: "must say why the report is sent back."})
		}
	}
	return errs.OfFields(problems)
}

func (s *Service) submitV4() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		var refused []Exception
		err := c.Write(func(tx *store.Tx) error {
			a, err := s.inPath(tx, c.Actor(), c.Param("userId"), maySubmit)
			if err != nil {
				return err
			}
			m, err := s.Submit(tx, a, c.Param("reportId"))
			if err == nil {
				refused = m.Blocking()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(refused) > 0 {
			e := errs.New(errs.Invalid, "exceptions", whyNot(refused))
			for _, x := range refused {
				if len(e.Fields) < errs.MaxFields {
					e.Fields = append(e.Fields, errs.Field{Path: sourceOf(&x), Code: x.Code, Message: x.Code + ": " + x.Message})
				}
			}
			return nil, e
		}
		return api.Empty(204), nil
	}
	return api.Custom(api.ExpenseV4, "PATCH", "/users/{userId}/reports/{reportId}/submit", handle,
		api.Doc{ID: "reports.submit", Group: "Workflow", Summary: "Submits a report",
			Description: "The rules judge the report first; when one forbids it, the answer is 400 with every exception and the entry it stands on."},
		auth.Scope("expense.report.readwrite"), api.About(api.PathUser),
		api.Answers(204, "The report is submitted.", api.Content{}), api.Answers(409, "The report is submitted already.", api.Content{}))
}

// sourceOf says what an exception stands on.
func sourceOf(x *Exception) string {
	switch {
	case x.Itemization != "":
		return "itemization " + x.Itemization
	case x.Entry != "":
		return "entry " + x.Entry
	}
	return "report"
}

// onOpenStep does something with the step that the report of the path waits at; what
// follows approval is no step of those who judge. Which step it is, is read before the
// change: of two calls at the same time one is too late.
func (s *Service) onOpenStep(c *api.Call, who func(*store.Tx) (by, noted *auth.Actor, err error), judging bool, do func(tx *store.Tx, by, noted *auth.Actor, step *Step) error) error {
	var step *Step
	if err := c.Read(func(tx *store.Tx) error {
		by, _, err := who(tx)
		if err != nil {
			return err
		}
		step, err = s.openStepOf(tx, by, c.Param("reportId"))
		return err
	}); err != nil {
		return err
	}
	if judging && step.pays() {
		return errApproved
	}
	return c.Write(func(tx *store.Tx) error {
		by, noted, err := who(tx)
		if err != nil {
			return err
		}
		return do(tx, by, noted, step)
	})
}

// actionV4 is one of the v4 calls that act on the step a report waits at.
func (s *Service) actionV4(id, path string, action Action, contexts ...string) api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		if err := checkContext(c.Param("contextType"), contexts); err != nil {
			return nil, err
		}
		doc, err := c.Document()
		if err != nil {
			return nil, err
		}
		var given reportAction
		_, problems := reportActionSchema.Decode(doc, &given, wire.Create)
		if err := checkAction(action, given.Comment, "comment", problems); err != nil {
			return nil, err
		}
		comment := given.Comment
		if given.Rejected != "" {
			comment = strings.TrimPrefix(comment+"\n"+given.Rejected, "\n")
		}
		who := func(tx *store.Tx) (by, noted *auth.Actor, err error) {
			a, userID := c.Actor(), c.Param("userId")
			switch {
			case len(contexts) == 0:
				return a, a, nil
			case action != ActionRecall:
				return s.asManager(tx, a, userID)
			}
			return s.recaller(tx, a, userID, c.Param("reportId"), c.Param("contextType") == "PROXY")
		}
		if err := s.onOpenStep(c, who, len(contexts) > 0, func(tx *store.Tx, by, noted *auth.Actor, step *Step) error {
			return s.act(tx, by, noted, step.ID, action, comment)
		}); err != nil {
			return nil, err
		}
		return api.Empty(204), nil
	}
	about, summary := api.PathUser, map[Action]string{ActionApprove: "Approves a report", ActionSendBack: "Sends a report back", ActionRecall: "Recalls a report"}[action]
	if len(contexts) == 0 {
		about, summary = api.CompanyWide, summary+", as the system"
	}
	return api.Custom(api.ExpenseV4, "PATCH", path, handle,
		api.Doc{ID: id, Group: "Workflow", Summary: summary,
			Description: "Acts on the step that the report waits at. When somebody else has acted meanwhile, nothing changes and the answer is 409."},
		auth.Scope("expense.report.workflowstatus.write"), api.About(about), api.Takes(api.SchemaOf("ReportAction", reportActionSchema)),
		api.Answers(204, "It is done.", api.Content{}), api.Answers(409, "The report has moved on; nothing was changed.", api.Content{}))
}

// checkContext refuses a context that the call does not know.
func checkContext(given string, known []string) error {
	for _, k := range known {
		if given == k {
			return nil
		}
	}
	if len(known) == 0 {
		return nil
	}
	return errs.OnField("contextType", "enum", "must be "+strings.Join(known, " or ")+".")
}
