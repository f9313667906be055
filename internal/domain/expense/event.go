package expense

import (
	"strconv"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// doer is who does something: the caller or, when a company's token acts for a person
// whom it names, that person.
func doer(a *auth.Actor) auth.Person {
	if a.Self.ID == "" && a.Named {
		return a.Subject
	}
	return a.Self
}

// appendEvent notes what has been done with a report, and by whom.
func appendEvent(tx *store.Tx, a *auth.Actor, r *Report, action, step, comment string) error {
	by := doer(a)
	e := Event{
		Report: r.ID, Company: r.Company, Action: action, Step: step, Comment: comment, At: tx.Now(),
		ApprovalStatus: r.ApprovalStatus, PaymentStatus: r.PaymentStatus,
		Actor: by.ID, ActorLogin: by.Login, ActorName: by.Name,
	}
	return events.Insert(tx, &e)
}

func (e *Event) v4(f *wire.Fields) {
	f.Text("action", &e.Action, "What was done: SUBMIT, APPROVE, SEND_BACK, RECALL, REDUCE (less, or more again, of an expense is approved), EXTRACT (handed over for payment) or CONFIRM (the payment).")
	f.Instant("timestamp", &e.At, "When it was done.")
	f.Text("userId", &e.Actor, "Who did it; null for the system.")
	f.Text("loginId", &e.ActorLogin, "The login of who did it.")
	f.Text("name", &e.ActorName, "The name of who did it.")
	f.Text("onBehalfOfUserId", &e.For.ID, "For whom it was done: whose turn it was to decide, or the report's owner; null when they did it themselves.")
	f.Text("onBehalfOfLoginId", &e.For.Login, "The login of for whom it was done.")
	f.Text("onBehalfOfName", &e.For.Name, "The name of for whom it was done.")
	f.Text("workflowStepId", &e.Step, "The step that was acted on; null for a submit.")
	f.Text("approvalStatusId", &e.ApprovalStatus, "The report's approval status afterwards.")
	f.Text("paymentStatusId", &e.PaymentStatus, "The report's payment status afterwards.")
	f.Text("comment", &e.Comment, "What was said with it.")
}

// history is a page of a report's events.
type history struct {
	Events []Event
	Next   string
}

func (h *history) v4(f *wire.Fields) {
	wire.List(f, "events", &h.Events, (*Event).v4, "What happened to the report, the oldest first.", wire.NotNull)
	f.Text("nextPage", &h.Next, "The address of the next page; null at the end.")
}

var historySchema = wire.Bind("ReportHistory", (*history).v4).Exact()

// historyLimit is how many events a page has, and maxHistoryLimit how many it may have.
const (
	historyLimit    = 100
	maxHistoryLimit = 1000
)

// History reads a page of what happened to a report, the oldest first: up to limit
// events after the first offset. Events are only ever added, so a position is stable.
func (s *Service) History(tx *store.Tx, a *auth.Actor, reportID string, offset, limit int) (list []Event, more bool, err error) {
	r, err := reports.Get(tx, visible(a, "report.id"), reportID)
	if err != nil {
		return nil, false, err
	}
	list, more, err = events.List(tx, a.InCompany(""), store.Where("report_id = ?", r.ID), store.Page{Limit: limit, Position: offset})
	if err != nil {
		return nil, false, err
	}
	return list, more, s.tellFor(tx, r, list)
}

// tellFor fills in for whom the events of a report were done.
func (s *Service) tellFor(tx *store.Tx, r *Report, list []Event) error {
	asked := map[string]string{} // who, by step
	if err := each(tx, steps, store.Where("company_id = ?", r.Company), store.Where("report_id = ?", r.ID), func(s *Step) {
		asked[s.ID] = s.Approver
	}); err != nil {
		return err
	}
	people := map[string]auth.Person{}
	for i := range list {
		e := &list[i]
		who := asked[e.Step]
		if e.Action == "SUBMIT" || e.Action == "RECALL" {
			who = r.Owner
		}
		if who == "" || who == e.Actor {
			continue
		}
		p, ok := people[who]
		if !ok {
			var err error
			if p, err = s.org.FindPerson(tx, r.Company, who); err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			p.ID = who
			people[who] = p
		}
		e.For = p
	}
	return nil
}

func (s *Service) history() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		var problems errs.Problems
		number := func(name string, standard, least, most int) int {
			text := c.QueryText(name)
			if text == "" {
				return standard
			}
			n, err := strconv.Atoi(text)
			if err != nil || n < least || n > most {
				problems.Addf(name, "range", "must be a whole number from %d to %d.", least, most)
			}
			return n
		}
		limit, offset := number("limit", historyLimit, 1, maxHistoryLimit), number("offset", 0, 0, store.MaxPosition)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		var h history
		var more bool
		id := c.Param("reportId")
		err := c.Read(func(tx *store.Tx) (err error) {
			h.Events, more, err = s.History(tx, c.Actor(), id, offset, limit)
			return err
		})
		if err != nil {
			return nil, err
		}
		if more {
			h.Next = c.URL(api.ExpenseV4.Base[0] + "/reports/" + id + "/history?offset=" + strconv.Itoa(offset+limit) + "&limit=" + strconv.Itoa(limit))
		}
		return api.Object(200, historySchema, &h), nil
	}
	return api.Custom(api.ExpenseV4, "GET", "/reports/{reportId}/history", handle,
		api.Doc{ID: "reports.history", Group: "Workflow", Summary: "Lists what happened to a report", Extension: true,
			Description: "Every submit and every action is an event: who, what, when and with which comment. Whoever may read the report may read its history."},
		auth.Scope("expense.report.read", "expense.report.readwrite", "expense.report.workflowstatus.write"), api.About(api.CompanyWide),
		api.QueryParameter("offset", "How many events to pass over; 0 without it."), api.QueryParameter("limit", "How many events at most, from 1 to 1000; 100 without it."),
		api.Answers(200, "Events, the oldest first.", api.SchemaOf("ReportHistory", historySchema)))
}
