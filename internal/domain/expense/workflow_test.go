package expense

import (
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// desk is a world with short words for moving reports.
type desk struct{ *world }

const (
	annID  = "a0000000-0000-4000-8000-000000000001"
	bobID  = "b0000000-0000-4000-8000-000000000001"
	wesID  = "e0000000-0000-4000-8000-000000000001"
	coraID = "cc000000-0000-4000-8000-000000000001"
	ivanID = "d0000000-0000-4000-8000-000000000001"
	eveID  = "a0000000-0000-4000-8000-000000000002"
)

// desks runs a test on both engines.
func desks(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Run("sqlite", func(t *testing.T) { test(t, &desk{newWorld(t)}) })
	t.Run("postgres", func(t *testing.T) { test(t, &desk{newPostgresWorld(t)}) })
}

// pass lets time pass.
func (d *desk) pass(by time.Duration) { d.now = d.now.Add(by) }

// reply is an answer.
type reply struct {
	status int
	body   string
}

// call makes a call; a body that begins with < is XML.
func (d *desk) call(token, method, path, body string, headers ...string) reply {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	switch {
	case strings.HasPrefix(body, "<"):
		r.Header.Set("Content-Type", "application/xml")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(path, "/api/v3.0/") {
		r.Header.Set("Accept", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	return reply{w.Code, w.Body.String()}
}

// want makes a call whose status must be this one and gives its body.
func (d *desk) want(status int, token, method, path, body string, headers ...string) string {
	d.t.Helper()
	r := d.call(token, method, path, body, headers...)
	if r.status != status {
		d.t.Fatalf("%s %s as %s: %d %s, want %d", method, path, token, r.status, r.body, status)
	}
	return r.body
}

// object reads a JSON answer.
func (d *desk) object(body string) map[string]any {
	d.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		d.t.Fatalf("%v in %s", err, body)
	}
	return m
}

// report makes a report and gives its id.
func (d *desk) report(token, body string) string {
	d.t.Helper()
	return d.object(d.want(200, token, "POST", "/api/v3.0/expense/reports", body))["ID"].(string)
}

// entry adds an entry to a report: a taxi of 20 dollars but for the members given.
func (d *desk) entry(token, report string, members map[string]any) string {
	d.t.Helper()
	e := map[string]any{"ReportID": report, "ExpenseTypeCode": "TAXIX", "TransactionDate": "2025-03-07", "TransactionAmount": 20,
		"TransactionCurrencyCode": "USD", "PaymentTypeID": "CASHX"}
	for k, v := range members {
		e[k] = v
	}
	body, err := json.Marshal(e)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.object(d.want(200, token, "POST", "/api/v3.0/expense/entries", string(body)))["ID"].(string)
}

// filed is a report with one entry, that was submitted.
func (d *desk) filed(token, user string) string {
	d.t.Helper()
	id := d.report(token, `{"Name":"Trip"}`)
	d.entry(token, id, nil)
	d.want(204, token, "PATCH", d.v4(user, id)+"/submit", "")
	return id
}

// reviewed is the id of the policy that has an accounting step.
func (d *desk) reviewed() string {
	d.t.Helper()
	var id string
	d.read(func(tx *store.Tx) error {
		return tx.QueryRow("SELECT id FROM policy WHERE company_id = ? AND accounting_step", demo).Scan(&id)
	})
	return id
}

func (d *desk) v4(user, report string) string {
	return "/expensereports/v4/users/" + user + "/reports/" + report
}

func (d *desk) context(user, kind, report string) string {
	return "/expensereports/v4/users/" + user + "/context/" + kind + "/reports/" + report
}

// see reads a report over HTTP.
func (d *desk) see(token, id string) map[string]any {
	d.t.Helper()
	return d.object(d.want(200, token, "GET", "/api/v3.0/expense/reports/"+id, ""))
}

// expect compares members of a report as its owner or an administrator sees it.
func (d *desk) expect(id string, members map[string]any) {
	d.t.Helper()
	r := d.see("wes", id)
	for k, want := range members {
		if got := r[k]; fmt.Sprint(got) != fmt.Sprint(want) {
			d.t.Errorf("%s of %s is %v, want %v", k, id, got, want)
		}
	}
}

// url is the path of a report's open step.
func (d *desk) url(id string) string {
	d.t.Helper()
	full, _ := d.see("wes", id)["WorkflowActionUrl"].(string)
	path, ok := strings.CutPrefix(full, publicURL)
	if !ok {
		d.t.Fatalf("the report's step is at %q", full)
	}
	return path
}

func action(what, comment string) string {
	return `<WorkflowAction xmlns="http://www.concursolutions.com/api/expense/expensereport/2011/03"><Action>` + what + `</Action><Comment>` + comment + `</Comment></WorkflowAction>`
}

const (
	namespaces   = ` xmlns="http://www.concursolutions.com/api/expense/expensereport/2011/03" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"`
	acted        = `<ActionStatus` + namespaces + `><Message>SUCCESS!</Message><Status>SUCCESS!</Status></ActionStatus>`
	tooLate      = `<ActionStatus` + namespaces + `><Message>The report has been changed in the meantime. Read it again, and act on the step that is open now.</Message><Status>FAILURE</Status></ActionStatus>`
	submitted    = `<ReportStatus` + namespaces + `><Status>SUCCESS</Status></ReportStatus>`
	v1           = "/api/expense/expensereport/v1.1/report/"
	annSubmitsAt = "2025-03-11T09:30:00"
)

// photo is a JPEG; each number gives another one.
func photo(n uint64) string {
	m := image.NewGray(image.Rect(0, 0, 16, 16))
	r := rand.New(rand.NewPCG(n, n))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	var b strings.Builder
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.String()
}

// actions tells a report's history in one line.
func (d *desk) actions(id string) string {
	d.t.Helper()
	h := d.object(d.want(200, "wes", "GET", "/expensereports/v4/reports/"+id+"/history", ""))
	var all []string
	for _, e := range h["events"].([]any) {
		e := e.(map[string]any)
		all = append(all, fmt.Sprint(e["action"], " ", e["name"], " ", e["approvalStatusId"], "/", e["paymentStatusId"]))
	}
	return strings.Join(all, "; ")
}

func TestReportGoesThroughApprovalAndPayment(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		d.entry("ann", id, nil)
		if got := d.want(200, "ann", "POST", v1+id+"/submit", ""); got != submitted {
			t.Errorf("submitted: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "PaymentStatusCode": "P_NOTP", "ApproverLoginID": "bob@demo.test",
			"SubmitDate": annSubmitsAt, "ProcessingPaymentDate": nil, "TotalApprovedAmount": 20})
		d.pass(time.Hour)
		if got := d.want(200, "bob", "POST", d.url(id), action("Approve", "")); got != acted {
			t.Errorf("approved: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "PaymentStatusCode": "P_PROC", "ProcessingPaymentDate": "2025-03-11T10:30:00",
			"PaidDate": nil, "ReceiptsReceived": false})
		d.pass(time.Hour)
		if got := d.want(200, "wes", "POST", d.url(id), action("Approve", "")); got != acted {
			t.Errorf("extracted: %s", got)
		}
		d.expect(id, map[string]any{"PaymentStatusCode": "P_PAID", "PaidDate": "2025-03-11T11:30:00"})
		if got := d.want(200, "company", "POST", d.url(id), action("Approve", "")); got != acted {
			t.Errorf("confirmed: %s", got)
		}
		d.expect(id, map[string]any{"PaymentStatusCode": "P_PAYC", "WorkflowActionUrl": "", "ApprovalStatusCode": "A_APPR"})
		want := "SUBMIT Archer, Ann A_PEND/P_NOTP; APPROVE Baker, Bob A_APPR/P_PROC; EXTRACT Walker, Wes A_APPR/P_PAID; CONFIRM <nil> A_APPR/P_PAYC"
		if got := d.actions(id); got != want {
			t.Errorf("the history is %s, want %s", got, want)
		}
	})
}

func TestSendBackAndResubmit(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.filed("ann", annID)
		step := d.url(id)
		d.want(400, "ann", "PUT", "/api/v3.0/expense/reports/"+id, `{"Name":"Changed"}`)
		if got := d.want(200, "bob", "POST", step, action("Send Back to Employee", "Where is the hotel?")); got != acted {
			t.Errorf("sent back: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_RESU", "EverSentBack": true, "LastComment": "Where is the hotel?", "WorkflowActionUrl": ""})
		if got := d.want(200, "bob", "POST", step, action("Approve", "")); got != tooLate {
			t.Errorf("the step is good twice: %s", got)
		}
		d.want(200, "ann", "PUT", "/api/v3.0/expense/reports/"+id, `{"Name":"Changed"}`)
		d.entry("ann", id, map[string]any{"TransactionAmount": 30})
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "EverSentBack": true, "Name": "Changed", "Total": 50})
		if again := d.url(id); again == step {
			t.Error("the step of the second round has the id of the first")
		}
		want := "SUBMIT Archer, Ann A_PEND/P_NOTP; SEND_BACK Baker, Bob A_RESU/P_NOTP; SUBMIT Archer, Ann A_PEND/P_NOTP"
		if got := d.actions(id); got != want {
			t.Errorf("the history is %s, want %s", got, want)
		}
	})
}

func TestRecall(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.filed("ann", annID)
		d.want(403, "bob", "POST", d.url(id), action("Recall to Employee", ""))
		step := d.url(id)
		if got := d.want(200, "ann", "POST", step, action("Recall to Employee", "")); got != acted {
			t.Errorf("recalled: %s", got)
		}
		if got := d.want(200, "bob", "POST", step, action("Approve", "")); got != tooLate {
			t.Errorf("approved a draft: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_NOTF", "EverSentBack": false, "SubmitDate": nil})
		d.want(404, "bob", "GET", "/api/v3.0/expense/reports/"+id, "") // he has not decided on it
		d.want(409, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "")
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", `{"comment":"Forgot one"}`)
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_NOTF", "LastComment": "Forgot one"})
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "wes", "PATCH", d.context(wesID, "PROXY", id)+"/recall", "")
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		step = d.url(id)
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		if got := d.want(200, "ann", "POST", step, action("Recall to Employee", "")); got != tooLate {
			t.Errorf("recalled after approval: %s", got)
		}
		d.want(403, "ann", "POST", d.url(id), action("Recall to Employee", ""))
		if got := d.want(200, "wes", "POST", d.url(id), action("Recall to Employee", "")); !strings.Contains(got, "<Status>FAILURE</Status>") {
			t.Errorf("an approved report was recalled: %s", got)
		}
		d.want(409, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
	})
}

func TestAccountingReview(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip","PolicyID":"`+d.reviewed()+`"}`)
		entry := d.entry("ann", id, map[string]any{"TransactionAmount": 90})
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+entry, photo(1), "Content-Type", "image/jpeg")
		bare := d.entry("ann", id, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(404, "ivan", "GET", "/api/v3.0/expense/reports/"+id, "")
		d.want(404, "ivan", "POST", d.url(id), action("Approve", ""))
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", `{"comment":" Fine "}`)
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_ACCO", "PaymentStatusCode": "P_NOTP", "LastComment": "Fine", "ReceiptsReceived": false})
		d.want(200, "ivan", "GET", "/api/v3.0/expense/entries/"+entry, "")
		d.want(403, "bob", "POST", d.url(id), action("Approve", ""))
		d.want(403, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.want(404, "cora", "POST", d.url(id), action("Approve", ""))
		if got := d.want(200, "ivan", "POST", d.url(id), action("Approve", "")); got != acted {
			t.Errorf("reviewed: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "PaymentStatusCode": "P_PROC", "ReceiptsReceived": true})
		for e, want := range map[string]bool{entry: true, bare: false} {
			if got := d.object(d.want(200, "ivan", "GET", "/api/v3.0/expense/entries/"+e, ""))["ReceiptReceived"]; got != want {
				t.Errorf("ReceiptReceived is %v, want %v", got, want)
			}
		}

		back := d.report("ann", `{"Name":"Back","PolicyID":"`+d.reviewed()+`"}`)
		d.entry("ann", back, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, back)+"/submit", "")
		d.want(204, "company", "PATCH", "/expensereports/v4/reports/"+back+"/approve", "")
		d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", back)+"/sendBack", `{"comment":"No"}`)
		d.expect(back, map[string]any{"ApprovalStatusCode": "A_RESU", "EverSentBack": true})
		d.want(200, "ivan", "GET", "/api/v3.0/expense/reports/"+back, "")
	})
}

// Who could have reviewed a report and did not no longer reads it.
func TestProcessorsReadWhileTheyReview(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.write(func(tx *store.Tx) error { return d.org.SetRoles(tx, coraID, auth.ExpenseProcessor) })
		id := d.report("ann", `{"Name":"Trip","PolicyID":"`+d.reviewed()+`"}`)
		d.entry("ann", id, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		path := "/api/v3.0/expense/reports/" + id
		d.want(200, "cora", "GET", path, "")
		d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
		d.want(404, "cora", "GET", path, "")
		d.want(200, "ivan", "GET", path, "")
		d.want(200, "bob", "GET", path, "")
	})
}

func TestMoreManagersByAmount(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		for _, c := range []struct {
			amount   int
			personal bool
			after    string // what bob's approval leads to
		}{{10000, false, "A_APPR"}, {10001, false, "A_PEND"}, {10001, true, "A_APPR"}} {
			id := d.report("ann", `{"Name":"Trip"}`)
			entry := d.entry("ann", id, map[string]any{"TransactionAmount": c.amount, "IsPersonal": c.personal})
			d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+entry, photo(uint64(c.amount)), "Content-Type", "image/jpeg")
			d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
			d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
			d.expect(id, map[string]any{"ApprovalStatusCode": c.after})
			if c.after == "A_APPR" {
				continue
			}
			d.expect(id, map[string]any{"ApproverLoginID": "cora@demo.test"})
			d.want(403, "bob", "POST", d.url(id), action("Approve", ""))
			d.want(204, "cora", "PATCH", d.context(coraID, "MANAGER", id)+"/approve", "")
			d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
		}
	})
}

// A line of managers that comes back to somebody who is in it ends there, and who has
// no manager needs none.
func TestManagersThatAreNotThere(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.person("bob", func(u *org.User) { u.Manager = annID })
		id := d.report("ann", `{"Name":"Trip"}`)
		entry := d.entry("ann", id, map[string]any{"TransactionAmount": 20000})
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+entry, photo(1), "Content-Type", "image/jpeg")
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})

		own := d.filed("wes", wesID)
		d.expect(own, map[string]any{"ApprovalStatusCode": "A_APPR", "PaymentStatusCode": "P_PROC"})

		d.person("ann", func(u *org.User) { u.Manager = annID })
		own = d.filed("ann", annID)
		d.expect(own, map[string]any{"ApprovalStatusCode": "A_APPR"})
	})
}

func TestWhoMayAct(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.filed("ann", annID)
		step := d.url(id)
		approve, back := action("Approve", ""), action("Send Back to Employee", "No")
		for _, c := range []struct {
			status              int
			token, method, path string
			body                string
		}{
			{401, "", "POST", step, approve},
			{403, "nobody", "POST", step, approve},
			{403, "unscoped", "POST", step, approve},
			{403, "ann", "POST", step, approve},
			{403, "ann", "POST", step, back},
			{404, "cora", "POST", step, approve},
			{404, "ivan", "POST", step, approve},
			{404, "eve", "POST", step, approve},
			{404, "bob", "POST", v1 + "gWnone/workflowaction", approve},
			{404, "bob", "POST", v1 + id + "/workflowaction", approve},

			{401, "", "PATCH", d.v4(annID, id) + "/submit", ""},
			{403, "unscoped", "PATCH", d.v4(annID, id) + "/submit", ""},
			{403, "bob", "PATCH", d.v4(annID, id) + "/submit", ""},
			{404, "bob", "PATCH", d.v4(bobID, id) + "/submit", ""},
			{403, "eve", "PATCH", d.v4(annID, id) + "/submit", ""},
			{404, "eve", "PATCH", d.v4(eveID, id) + "/submit", ""},
			{404, "wes", "PATCH", d.v4(wesID, id) + "/submit", ""},
			{404, "wes", "PATCH", d.v4(eveID, id) + "/submit", ""},
			{404, "ann", "PATCH", d.v4(annID, "00000000000000000000") + "/submit", ""},
			{409, "wes", "PATCH", d.v4(annID, id) + "/submit", ""},
			{409, "company", "PATCH", d.v4(annID, id) + "/submit", ""},

			{403, "bob", "PATCH", d.context(annID, "MANAGER", id) + "/approve", ""},
			{403, "ann", "PATCH", d.context(annID, "MANAGER", id) + "/approve", ""},
			{404, "cora", "PATCH", d.context(coraID, "MANAGER", id) + "/approve", ""},
			{404, "company", "PATCH", d.context(coraID, "MANAGER", id) + "/approve", ""},
			{403, "company", "PATCH", d.context(annID, "MANAGER", id) + "/approve", ""},
			{404, "company", "PATCH", d.context(eveID, "MANAGER", id) + "/approve", ""},
			{400, "bob", "PATCH", d.context(bobID, "TRAVELER", id) + "/approve", ""},
			{400, "bob", "PATCH", d.context(bobID, "manager", id) + "/approve", ""},
			{400, "bob", "PATCH", d.context(bobID, "PROXY", id) + "/sendBack", `{"comment":"No"}`},
			{400, "ann", "PATCH", d.context(annID, "MANAGER", id) + "/recall", ""},
			{404, "bob", "PATCH", d.context(bobID, "TRAVELER", id) + "/recall", ""},
			{404, "bob", "PATCH", d.context(bobID, "PROXY", id) + "/recall", ""},
			{403, "ann", "PATCH", "/expensereports/v4/reports/" + id + "/approve", ""},
			{404, "cora", "PATCH", "/expensereports/v4/reports/" + id + "/approve", ""},
			{404, "eve", "PATCH", "/expensereports/v4/reports/" + id + "/sendBack", `{"comment":"No"}`},

			{404, "cora", "GET", "/expensereports/v4/reports/" + id + "/history", ""},
			{404, "eve", "GET", "/expensereports/v4/reports/" + id + "/history", ""},
			{200, "bob", "GET", "/expensereports/v4/reports/" + id + "/history", ""},
			{403, "bob", "DELETE", d.v4(annID, id), ""},
			{404, "bob", "DELETE", d.v4(bobID, id), ""},
			{404, "eve", "DELETE", d.v4(eveID, id), ""},
		} {
			if r := d.call(c.token, c.method, c.path, c.body); r.status != c.status {
				t.Errorf("%s %s as %q: %d %s, want %d", c.method, c.path, c.token, r.status, r.body, c.status)
			}
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND"})
		if got := d.actions(id); got != "SUBMIT Archer, Ann A_PEND/P_NOTP" {
			t.Errorf("a refused call left a trace: %s", got)
		}
		// The answer for another's id is the answer for one that is not there.
		for _, c := range [][3]string{
			{"POST", v1 + strings.TrimPrefix(step, v1), v1 + "gWAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/workflowaction"},
		} {
			other, none := d.call("cora", c[0], c[1], approve), d.call("cora", c[0], c[2], approve)
			strip := func(s string) string { return s[:strings.Index(s, "<Server-Time>")] }
			if other.status != none.status || strip(other.body) != strip(none.body) {
				t.Errorf("another's step answers %v, none %v", other, none)
			}
		}
		// Company tokens name the manager for whom they act.
		d.want(204, "company", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		if got := d.actions(id); got != "SUBMIT Archer, Ann A_PEND/P_NOTP; APPROVE Baker, Bob A_APPR/P_PROC" {
			t.Errorf("the history is %s", got)
		}
		d.want(403, "bob", "POST", d.url(id), approve)
		d.want(403, "ann", "POST", d.url(id), approve)
		d.want(409, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.want(404, "eve", "POST", d.url(id), approve)
	})
}

func TestOwnerIsNamedInAHeader(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		make := func() string {
			id := d.report("ann", `{"Name":"Trip"}`)
			d.entry("ann", id, nil)
			return id
		}
		id := make()
		d.want(403, "bob", "POST", v1+id+"/submit", "", "X-UserID", "ann@demo.test")
		d.want(404, "bob", "POST", v1+id+"/submit", "")
		d.want(400, "wes", "POST", v1+id+"/submit", "", "X-UserID", "eve@other.test")
		d.want(404, "wes", "POST", v1+id+"/submit", "", "X-UserID", "bob@demo.test")
		if got := d.want(200, "wes", "POST", v1+id+"/submit", "", "X-UserID", "ANN@demo.test"); got != submitted {
			t.Errorf("submitted for the owner: %s", got)
		}
		if got := d.actions(id); got != "SUBMIT Walker, Wes A_PEND/P_NOTP" {
			t.Errorf("the history is %s", got)
		}
		if got := d.want(200, "ann", "POST", v1+id+"/submit", "", "X-UserID", " ann@demo.test "); !strings.Contains(got, "<Message>The report is submitted already.</Message><Status>FAILURE</Status>") {
			t.Errorf("submitted twice: %s", got)
		}
		id = make()
		d.want(200, "company", "POST", v1+id+"/submit", "", "X-UserID", "ann@demo.test")
		if got := d.actions(id); got != "SUBMIT Archer, Ann A_PEND/P_NOTP" {
			t.Errorf("the history is %s", got)
		}
	})
}

func TestBodies(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.filed("ann", annID)
		step := d.url(id)
		long := strings.Repeat("ä", 2000)
		for _, c := range []struct {
			body, says string
		}{
			{"<WorkflowAction>", "XML"},
			{"<WorkflowAction></Action>", "XML"},
			{"", "Action: "},
			{"<WorkflowAction/>", "Action: "},
			{"<WorkflowAction><Action>Reject</Action></WorkflowAction>", "Action: "},
			{action("Send Back to Employee", ""), "Comment: must say why the report is sent back."},
			{action("Send Back to Employee", "  "), "Comment: must say why the report is sent back."},
			{action("Send Back to Employee", long+"ä"), "Comment: "},
			{action("Approve", long+"ä"), "Comment: "},
		} {
			r := d.call("bob", "POST", step, c.body)
			if r.status != 400 || !strings.Contains(r.body, c.says) || !strings.HasPrefix(r.body, "<Error><Message>") {
				t.Errorf("%.60q: %d %s, want 400 with %q", c.body, r.status, r.body, c.says)
			}
		}
		for _, c := range []struct{ action, body, says string }{
			{"sendBack", ``, `"source":"comment"`},
			{"sendBack", `{"comment":null}`, `"source":"comment"`},
			{"sendBack", `{"comment":" "}`, `"source":"comment"`},
			{"sendBack", `{"comment":"` + long + `ä"}`, `"source":"comment"`},
			{"sendBack", `{"comment":`, `JSON`},
			{"approve", `{"comment":"` + long + `ä"}`, `"source":"comment"`},
			{"approve", `{"expenseRejectedComment":"` + long + `ä"}`, `"source":"expenseRejectedComment"`},
		} {
			r := d.call("bob", "PATCH", d.context(bobID, "MANAGER", id)+"/"+c.action, c.body)
			if r.status != 400 || !strings.Contains(r.body, c.says) || !strings.Contains(r.body, `"httpStatus":"400 BAD_REQUEST"`) {
				t.Errorf("%s %.60q: %d %s, want 400 with %s", c.action, c.body, r.status, r.body, c.says)
			}
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND"})
		d.want(200, "bob", "POST", step, strings.ReplaceAll(action("send back to employee", long), "WorkflowAction", "Anything"))
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_RESU", "LastComment": long})
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", `{"reportSource":"OTHER"}`)
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/sendBack", `{"comment":"Two things","expenseRejectedComment":"Not the bar","currentSequence":7}`,
			"Content-Type", "application/merge-patch+json")
		d.expect(id, map[string]any{"LastComment": "Two things\nNot the bar"})
	})
}

func TestSubmitIsRefused(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		if got, want := d.want(200, "ann", "POST", v1+id+"/submit", ""), `<ReportStatus`+namespaces+`><Message>The report cannot be submitted. The report has no entries. Add at least one expense.</Message>`+
			`<ReportExceptions><ReportException><EventCode>SUBMIT</EventCode><ExceptionCode>NOENTRIES</ExceptionCode><ExceptionErrorCode>ERROR</ExceptionErrorCode>`+
			`<ExceptionVisibility>ALL</ExceptionVisibility><IsCleared>N</IsCleared><SeverityLevel>99</SeverityLevel><Type>Report</Type></ReportException></ReportExceptions>`+
			`<Status>FAILURE</Status></ReportStatus>`; got != want {
			t.Errorf("submitted empty:\n%s, want\n%s", got, want)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_NOTF", "HasException": false})
		dear := d.entry("ann", id, map[string]any{"TransactionAmount": 100})
		d.entry("ann", id, map[string]any{"TransactionAmount": 70, "ExpenseTypeCode": "LUNCH"})
		got := d.want(200, "ann", "POST", v1+id+"/submit", "")
		for _, want := range []string{
			"<Status>FAILURE</Status>",
			"<Message>The report cannot be submitted. Taxi needs a receipt. Attach an image of it.</Message>",
			"<ReportException><CrnCode>USD</CrnCode><EventCode>SUBMIT</EventCode><ExceptionCode>NORECEIPT</ExceptionCode><ExceptionErrorCode>ERROR</ExceptionErrorCode>" +
				"<ExceptionVisibility>ALL</ExceptionVisibility><ExpKey>TAXIX</ExpKey><ExpName>Taxi</ExpName><IsCleared>N</IsCleared><SeverityLevel>99</SeverityLevel>" +
				"<TransactionAmount>100</TransactionAmount><TransactionDate>2025-03-07T00:00:00</TransactionDate><Type>Entry</Type></ReportException>",
			"<ExceptionCode>OVERLIMIT</ExceptionCode><ExceptionErrorCode>WARNING</ExceptionErrorCode>",
			"<SeverityLevel>1</SeverityLevel>",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("refused: %s\nwithout %s", got, want)
			}
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_NOTF", "HasException": true, "SubmitDate": nil})
		refusal := d.want(400, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		if !strings.Contains(refusal, `{"source":"entry `+dear+`","message":"NORECEIPT: Taxi needs a receipt. Attach an image of it."}`) || strings.Contains(refusal, "OVERLIMIT") {
			t.Errorf("refused in JSON: %s", refusal)
		}
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+dear, photo(1), "Content-Type", "image/jpeg")
		got = d.want(200, "ann", "POST", v1+id+"/submit", "")
		if !strings.Contains(got, "<ExceptionCode>OVERLIMIT</ExceptionCode>") || strings.Contains(got, "<Message>") || !strings.HasSuffix(got, "<Status>SUCCESS</Status></ReportStatus>") {
			t.Errorf("submitted with a warning: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "HasException": true})
	})
}

func TestDoublesAreRemarked(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		same := photo(1)
		first := d.report("ann", `{"Name":"First"}`)
		one := d.entry("ann", first, map[string]any{"VendorDescription": "City Cabs", "TransactionAmount": 41})
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+one, same, "Content-Type", "image/jpeg")
		d.want(204, "ann", "PATCH", d.v4(annID, first)+"/submit", "")

		second := d.report("ann", `{"Name":"Second"}`)
		two := d.entry("ann", second, map[string]any{"VendorDescription": " CITY cabs", "TransactionAmount": 41})
		three := d.entry("ann", second, map[string]any{"TransactionAmount": 42})
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+three, same, "Content-Type", "image/jpeg")
		d.want(204, "ann", "PATCH", d.v4(annID, second)+"/submit", "")
		found := map[string]string{}
		d.read(func(tx *store.Tx) error {
			r, err := reports.Get(tx, store.Unrestricted(), second)
			if err != nil {
				return err
			}
			all, err := exceptionsOf(tx, r)
			for _, x := range all {
				found[x.Entry] += x.Code + " " + x.Level + " " + x.Message
			}
			return err
		})
		want := map[string]string{
			two:   "DUPENTRY WARNING Another expense has the same amount, date and vendor. It is in the report “First”.",
			three: "DUPIMAGE WARNING Another expense has the same receipt image. It is in the report “First”.",
		}
		if fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("found %v, want %v", found, want)
		}

		// Of another person's expenses nothing is told.
		third := d.report("bob", `{"Name":"Third"}`)
		d.entry("bob", third, map[string]any{"VendorDescription": "City Cabs", "TransactionAmount": 41})
		d.want(204, "bob", "PATCH", d.v4(bobID, third)+"/submit", "")
		d.expect(third, map[string]any{"HasException": false})
	})
}

// Of two entries that look the same each says so, for as long as there are two.
func TestTwinsComeAndGo(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		cab := map[string]any{"VendorDescription": "City Cabs"}
		first, second := d.report("ann", `{"Name":"First"}`), d.report("ann", `{"Name":"Second"}`)
		marked := func(entry string, want bool) {
			t.Helper()
			if got := d.object(d.want(200, "ann", "GET", "/api/v3.0/expense/entries/"+entry, ""))["HasExceptions"]; got != want {
				t.Errorf("HasExceptions is %v, want %v", got, want)
			}
			d.sound()
		}
		one := d.entry("ann", first, cab)
		marked(one, false)
		two := d.entry("ann", second, cab)
		marked(one, true)
		marked(two, true)
		path := "/api/v3.0/expense/entries/" + two
		d.want(200, "ann", "PUT", path, `{"TransactionAmount":21}`)
		marked(one, false)
		marked(two, false)
		d.want(200, "ann", "PUT", path, `{"TransactionAmount":20}`)
		marked(one, true)
		d.want(200, "ann", "PUT", path, `{"VendorDescription":" city CABS "}`)
		marked(one, true)
		d.want(200, "ann", "PUT", path, `{"ReportID":"`+first+`"}`)
		marked(one, true)
		marked(two, true)

		three := d.entry("ann", second, cab)
		d.want(200, "ann", "DELETE", path, "")
		marked(one, true)
		marked(three, true)
		d.want(204, "ann", "DELETE", d.v4(annID, second), "")
		marked(one, false)

		// What is submitted keeps what was found, and is judged again when it comes back.
		d.want(204, "ann", "PATCH", d.v4(annID, first)+"/submit", "")
		third := d.report("ann", `{"Name":"Third"}`)
		four := d.entry("ann", third, cab)
		marked(one, false)
		marked(four, true)
		d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", first)+"/recall", "")
		marked(one, true)
		d.want(204, "ann", "PATCH", d.v4(annID, first)+"/submit", "")
		d.want(200, "ann", "DELETE", "/api/v3.0/expense/entries/"+four, "")
		marked(one, true)
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", first)+"/sendBack", `{"comment":"No"}`)
		marked(one, false)
	})
}

func TestHistoryHasPages(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		d.entry("ann", id, nil)
		path := "/expensereports/v4/reports/" + id + "/history"
		if got := d.want(200, "ann", "GET", path, ""); got != `{"events":[],"nextPage":null}` {
			t.Errorf("of a draft: %s", got)
		}
		for range 3 {
			d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
			d.pass(time.Minute)
			d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", `{"comment":"Oh"}`)
		}
		var all []string
		for next, pages := path+"?limit=4", 0; next != ""; pages++ {
			if pages == 3 {
				t.Fatal("the pages do not end")
			}
			h := d.object(d.want(200, "ann", "GET", next, ""))
			for _, e := range h["events"].([]any) {
				e := e.(map[string]any)
				all = append(all, fmt.Sprint(e["action"], e["timestamp"], e["comment"], e["loginId"]))
			}
			next, _ = h["nextPage"].(string)
			next = strings.TrimPrefix(next, publicURL)
		}
		if len(all) != 6 || all[0] != "SUBMIT2025-03-11T09:30:00.000Z<nil>ann@demo.test" || all[5] != "RECALL2025-03-11T09:33:00.000ZOhann@demo.test" {
			t.Errorf("the events are %q", all)
		}
		for _, query := range []string{"?limit=0", "?limit=1001", "?offset=-1", "?offset=x"} {
			d.want(400, "ann", "GET", path+query, "")
		}
	})
}

func TestDraftIsRemoved(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		entry := d.entry("ann", id, nil)
		keep := d.report("ann", `{"Name":"Other"}`)
		d.entry("ann", keep, nil)
		d.want(201, "ann", "POST", "/api/image/v1.0/expenseentry/"+entry, photo(1), "Content-Type", "image/jpeg")
		d.want(201, "ann", "POST", "/api/image/v1.0/report/"+id, photo(2), "Content-Type", "image/jpeg")
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(409, "ann", "DELETE", d.v4(annID, id), "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`)
		d.want(409, "ann", "DELETE", d.v4(annID, id), "")
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "")
		if got := d.want(204, "ann", "DELETE", d.v4(annID, id), ""); got != "" {
			t.Errorf("the answer has a body: %s", got)
		}
		d.want(404, "ann", "GET", "/api/v3.0/expense/reports/"+id, "")
		d.want(404, "ann", "GET", "/api/v3.0/expense/entries/"+entry, "")
		d.want(404, "ann", "DELETE", d.v4(annID, id), "")
		d.read(func(tx *store.Tx) error {
			for _, table := range []string{"entry", "report_event", "report_step", "report_approver", "report_exception"} {
				var n int64
				if err := tx.QueryRow("SELECT COUNT(*) FROM "+table+" WHERE report_id = ?", id).Scan(&n); err != nil {
					return err
				}
				if n != 0 {
					t.Errorf("%d rows are left in %s", n, table)
				}
			}
			var n int64
			if err := tx.QueryRow("SELECT COUNT(*) FROM attachment").Scan(&n); err != nil {
				return err
			}
			if n != 0 {
				t.Errorf("%d attachments are left", n)
			}
			return nil
		})
		d.want(204, "wes", "DELETE", d.v4(annID, keep), "")
	})
}

func TestSeededDraftCanBeSubmitted(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		var demo *Demo
		d.write(func(tx *store.Tx) (err error) {
			owner, err := d.org.FindPerson(tx, "c0000000-0000-4000-8000-000000000001", annID)
			if err != nil {
				return err
			}
			demo, err = d.expense.SeedDemo(tx, owner)
			return err
		})
		d.expect(demo.Report, map[string]any{"ApprovalStatusCode": "A_NOTF", "OwnerLoginID": "ann@demo.test", "HasException": false, "Total": "56.54"})
		if len(demo.Entries) != 2 {
			t.Fatalf("%d entries", len(demo.Entries))
		}
		d.want(204, "ann", "PATCH", d.v4(annID, demo.Report)+"/submit", "")
	})
}

// together makes the calls at the same moment and gives their answers.
func (d *desk) together(calls ...func() reply) []reply {
	replies := make([]reply, len(calls))
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(func() {
			<-gate
			replies[i] = call()
		})
	}
	close(gate)
	all.Wait()
	return replies
}

// Of all who act on one step at the same time, one wins.
func TestOneOfManyWins(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.write(func(tx *store.Tx) error { return d.org.SetRoles(tx, coraID, auth.ExpenseProcessor) })
		policy := d.reviewed()
		for round := range 8 {
			id := d.report("ann", `{"Name":"Trip","PolicyID":"`+policy+`"}`)
			d.entry("ann", id, nil)
			submits := d.together(
				func() reply { return d.call("ann", "PATCH", d.v4(annID, id)+"/submit", "") },
				func() reply { return d.call("wes", "PATCH", d.v4(annID, id)+"/submit", "") },
				func() reply { return d.call("company", "PATCH", d.v4(annID, id)+"/submit", "") })
			one(t, submits, func(r reply) bool { return r.status == 204 }, func(r reply) bool { return r.status == 409 })

			step := d.url(id)
			approvals := d.together(
				func() reply { return d.call("bob", "POST", step, action("Approve", "")) },
				func() reply { return d.call("wes", "POST", step, action("Approve", "")) },
				func() reply { return d.call("company", "POST", step, action("Send Back to Employee", "No")) },
				func() reply { return d.call("ann", "POST", step, action("Recall to Employee", "")) })
			one(t, approvals, func(r reply) bool { return r.body == acted }, func(r reply) bool { return r.body == tooLate })
			if d.see("wes", id)["ApprovalStatusCode"] != "A_ACCO" {
				if n := strings.Count(d.actions(id), ";"); n != 1 {
					t.Fatalf("round %d: %d actions after the submit", round, n)
				}
				continue
			}
			reviews := d.together(
				func() reply { return d.call("ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "") },
				func() reply { return d.call("cora", "PATCH", d.context(coraID, "MANAGER", id)+"/approve", "") },
				func() reply { return d.call("ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "") })
			one(t, reviews, func(r reply) bool { return r.status == 204 }, func(r reply) bool { return r.status == 409 || r.status == 404 })
			d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "PaymentStatusCode": "P_PROC"})
			if n := strings.Count(d.actions(id), ";"); n != 2 {
				t.Fatalf("round %d: the history is %s", round, d.actions(id))
			}
		}
	})
}

func one(t *testing.T, replies []reply, won, lost func(reply) bool) {
	t.Helper()
	winners := 0
	for _, r := range replies {
		switch {
		case won(r):
			winners++
		case !lost(r):
			t.Errorf("neither won nor lost: %d %s", r.status, r.body)
		}
	}
	if winners != 1 {
		t.Fatalf("%d have won: %v", winners, replies)
	}
}

// A change that races a submit is in the report before the rules judge it, or refused.
func TestSubmitRacesChanges(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		for round := range 10 {
			id := d.report("ann", `{"Name":"Old"}`)
			entry := d.entry("ann", id, nil)
			dear := `{"ReportID":"` + id + `","ExpenseTypeCode":"TAXIX","TransactionDate":"2025-03-07","TransactionAmount":500,"TransactionCurrencyCode":"USD","PaymentTypeID":"CASHX"}`
			r := d.together(
				func() reply { return d.call("ann", "PATCH", d.v4(annID, id)+"/submit", "") },
				func() reply { return d.call("ann", "PUT", "/api/v3.0/expense/reports/"+id, `{"Name":"New"}`) },
				func() reply { return d.call("ann", "POST", "/api/v3.0/expense/entries", dear) },
				func() reply {
					return d.call("ann", "PUT", "/api/v3.0/expense/entries/"+entry, `{"TransactionAmount":30}`)
				})
			report := d.see("wes", id)
			total := 20.0
			if r[2].status == 200 {
				total += 500
			}
			if r[3].status == 200 {
				total += 10
			}
			if (r[1].status == 200) != (report["Name"] == "New") || report["Total"] != total {
				t.Fatalf("round %d: %v left the report %v with the total %v", round, r, report["Name"], report["Total"])
			}
			switch {
			case r[0].status == 204 && r[2].status == 400 && report["ApprovalStatusCode"] == "A_PEND":
			case r[0].status == 400 && r[2].status == 200 && report["ApprovalStatusCode"] == "A_NOTF":
			default:
				t.Fatalf("round %d: submitting answered %v, a new entry %v", round, r[0], r[2])
			}
		}
	})
}

// Neither an administrator nor a processor decides on the own report.
func TestNobodyApprovesTheirOwn(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.person("wes", func(u *org.User) { u.Manager = bobID })
		id := d.filed("wes", wesID)
		d.want(403, "wes", "POST", d.url(id), action("Approve", ""))
		d.want(403, "wes", "PATCH", "/expensereports/v4/reports/"+id+"/approve", "")
		d.want(403, "company", "PATCH", d.context(wesID, "MANAGER", id)+"/approve", "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.want(200, "wes", "POST", d.url(id), action("Approve", "")) // paying is no judgement
		d.expect(id, map[string]any{"PaymentStatusCode": "P_PAID"})

		d.person("ivan", func(u *org.User) { u.Manager = bobID })
		id = d.report("ivan", `{"Name":"Trip","PolicyID":"`+d.reviewed()+`"}`)
		d.entry("ivan", id, nil)
		d.want(204, "ivan", "PATCH", d.v4(ivanID, id)+"/submit", "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_ACCO"})
		d.want(403, "ivan", "POST", d.url(id), action("Approve", ""))
		d.want(204, "company", "PATCH", "/expensereports/v4/reports/"+id+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
	})
}
