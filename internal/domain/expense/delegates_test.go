package expense

import (
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

// delegate makes what one person lets another one do.
func (w *world) delegate(d auth.Delegation) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error { return w.org.SetDelegation(tx, demo, d) })
}

// lastEvent tells who did something for whom.
func (d *desk) lastEvent(id string) string {
	d.t.Helper()
	all := d.object(d.want(200, "wes", "GET", "/expensereports/v4/reports/"+id+"/history?limit=1000", ""))["events"].([]any)
	e := all[len(all)-1].(map[string]any)
	text := e["action"].(string) + " by " + e["loginId"].(string)
	if whom, ok := e["onBehalfOfLoginId"].(string); ok {
		text += " for " + whom
	}
	return text
}

// Who prepares for somebody names that person, and has that person's records alone.
func TestDelegatesPrepare(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Hers"}`, keep: "hers"},
			step{as: "ivan", call: "POST /expense/reports", body: `{"Name":"His"}`, keep: "his"},
		)
		const ann = "?user=ann@demo.test"
		refused := func() {
			t.Helper()
			w.run(
				step{as: "cora", call: "GET /expense/reports" + ann, status: 403, want: "may name another user"},
				step{as: "cora", call: "POST /expense/reports" + ann, body: `{"Name":"x"}`, status: 403, want: "may name another user"},
				step{as: "cora", call: "GET /expense/reports/{hers}" + ann, status: 403, want: "may name another user"},
			)
		}
		refused()
		w.delegate(auth.Delegation{User: annID, Delegate: coraID, Submit: true, Approve: true})
		refused()
		w.delegate(auth.Delegation{User: annID, Delegate: coraID, Prepare: true})
		w.run(
			step{as: "cora", call: "POST /expense/reports" + ann, body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "cora", call: "GET /expense/reports/{r}" + ann, want: "OwnerLoginID=ann@demo.test; ApproverLoginID=bob@demo.test"},
			step{as: "cora", call: "GET /expense/reports" + ann, want: "Items=2; Items[0].Name=Hers; Items[1].Name=Oslo"},
			step{as: "cora", call: "PUT /expense/reports/{hers}" + ann, body: `{"Name":"Theirs"}`},
			step{as: "cora", call: "POST /expense/entries" + ann, body: lunch("r", "30"), keep: "e"},
			step{as: "cora", call: "GET /expense/entries" + ann, want: "Items=1; Items[0].ReportOwnerID=ann@demo.test"},
			step{as: "cora", call: "PUT /expense/entries/{e}" + ann, body: `{"TransactionAmount":20}`},
			step{as: "cora", call: "POST /expense/itemizations" + ann, body: `{"EntryID":"{e}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":20}`, keep: "i"},
			step{as: "cora", call: "PUT /expense/itemizations/{i}" + ann, body: `{"Description":"x"}`},
			step{as: "cora", call: "GET /expense/allocations" + ann + "&entryID={e}", want: "Items=2"},
			step{as: "cora", call: "POST /expense/attendees" + ann, body: `{"AttendeeTypeID":"BUSGUEST","LastName":"Guest"}`, keep: "g"},
			step{as: "cora", call: "POST /expense/entryattendeeassociations" + ann, body: `{"EntryID":"{e}","AttendeeID":"{g}"}`, keep: "a"},
			step{as: "cora", call: "DELETE /expense/entryattendeeassociations/{a}" + ann},
			step{as: "cora", call: "DELETE /expense/itemizations/{i}" + ann},

			// Unnamed, they are not there; and nobody else's are.
			step{as: "cora", call: "GET /expense/reports", want: "Items=0"},
			step{as: "cora", call: "GET /expense/reports/{r}", status: 404},
			step{as: "cora", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":1}`, status: 404},
			step{as: "cora", call: "GET /expense/reports/{his}" + ann, status: 404},
			step{as: "cora", call: "GET /expense/reports?user=ivan@demo.test", status: 403, want: "may name another user"},
			step{as: "cora", call: "GET /expense/reports?user=ALL", status: 403, want: "may name another user"},
			step{as: "ann", call: "GET /expense/reports?user=cora@demo.test", status: 403, want: "may name another user"},
			step{as: "cora", call: "POST /expense/entries" + ann, body: lunch("his", "1"), status: 400, want: "ReportID: names no report"},
			step{as: "cora", call: "DELETE /expense/entries/{e}" + ann},
		)
		w.sound()
	})
}

func TestDelegatesSubmitAndRecall(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		d.entry("ann", id, nil)
		submit, proxy := d.v4(annID, id)+"/submit", d.context(annID, "PROXY", id)+"/recall"
		by := func(want string) {
			t.Helper()
			if got := d.lastEvent(id); got != want {
				t.Errorf("the event is %s, want %s", got, want)
			}
		}
		refused := func() {
			t.Helper()
			d.want(403, "cora", "PATCH", submit, "")
			d.want(403, "cora", "POST", v1+id+"/submit", "", "X-UserID", "ann@demo.test")
			d.want(403, "cora", "POST", v1+id+"/submit", "", "X-UserID", "nobody@demo.test")
			d.want(404, "cora", "POST", v1+id+"/submit", "")
		}
		refused()
		for _, none := range []auth.Delegation{{User: annID, Delegate: coraID, Prepare: true, Approve: true}, {User: annID, Delegate: ivanID, Submit: true}, {User: coraID, Delegate: annID, Submit: true}} {
			d.delegate(none)
			refused()
		}
		d.delegate(auth.Delegation{User: annID, Delegate: coraID, Submit: true})
		d.want(404, "cora", "PATCH", d.v4(coraID, id)+"/submit", "")
		d.want(403, "cora", "PATCH", d.v4(bobID, id)+"/submit", "")
		d.want(204, "cora", "PATCH", strings.Replace(submit, annID, strings.ToUpper(annID), 1), "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "OwnerLoginID": "ann@demo.test"})
		by("SUBMIT by cora@demo.test for ann@demo.test")
		d.want(404, "cora", "GET", "/api/v3.0/expense/reports/"+id, "") // that is another right

		d.want(403, "cora", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "")
		d.want(404, "cora", "PATCH", d.context(coraID, "TRAVELER", id)+"/recall", "")
		d.want(403, "cora", "PATCH", d.context(bobID, "PROXY", id)+"/recall", "")
		d.want(403, "bob", "PATCH", proxy, "")
		d.want(204, "cora", "PATCH", proxy, `{"comment":"Wait"}`)
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_NOTF", "LastComment": "Wait"})
		by("RECALL by cora@demo.test for ann@demo.test")
		if got := d.want(200, "cora", "POST", v1+id+"/submit", "", "X-UserID", " ANN@demo.test "); got != submitted {
			t.Errorf("submitted: %s", got)
		}
		d.want(204, "cora", "PATCH", d.context(coraID, "PROXY", id)+"/recall", "") // the report tells whose it is
		d.want(404, "ivan", "PATCH", d.context(ivanID, "PROXY", "00000000000000000000")+"/recall", "")
		d.want(204, "cora", "PATCH", submit, "")
		if got := d.want(200, "cora", "POST", d.url(id), action("Recall to Employee", "")); got != acted {
			t.Errorf("recalled: %s", got)
		}
		by("RECALL by cora@demo.test for ann@demo.test")
		d.want(204, "ann", "PATCH", submit, "")
		by("SUBMIT by ann@demo.test")
		d.want(404, "cora", "POST", d.url(id), action("Approve", ""))
		d.want(403, "cora", "DELETE", d.v4(annID, id), "")

		d.delegate(auth.Delegation{User: annID, Delegate: coraID})
		d.want(403, "cora", "PATCH", proxy, "")
		d.want(404, "cora", "POST", d.url(id), action("Recall to Employee", ""))
	})
}

func TestDelegatesApprove(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		see := func(status int, name, id string) {
			t.Helper()
			d.want(status, name, "GET", "/api/v3.0/expense/reports/"+id, "")
		}
		by := func(id, want string) {
			t.Helper()
			if got := d.lastEvent(id); got != want {
				t.Errorf("the event is %s, want %s", got, want)
			}
		}
		today := d.now.Date()
		for _, none := range []auth.Delegation{{Prepare: true, Submit: true}, {Approve: true, ApproveFrom: today + 1}, {Approve: true, ApproveUntil: today - 1}} {
			none.User, none.Delegate = bobID, coraID
			d.delegate(none)
			id := d.filed("ann", annID)
			see(404, "cora", id)
			d.want(403, "cora", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
			d.want(404, "cora", "POST", d.url(id), action("Approve", ""))
		}

		d.delegate(auth.Delegation{User: bobID, Delegate: coraID, Approve: true, ApproveFrom: today, ApproveUntil: today})
		d.delegate(auth.Delegation{User: bobID, Delegate: ivanID, Approve: true})
		d.delegate(auth.Delegation{User: bobID, Delegate: annID, Approve: true})
		id := d.filed("ann", annID)
		see(200, "cora", id)
		see(200, "ivan", id)
		entry := d.object(d.want(200, "cora", "GET", "/api/v3.0/expense/entries?reportID="+id, ""))["Items"].([]any)[0].(map[string]any)["ID"].(string)
		d.want(403, "ann", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "") // her own, in bob's name
		d.want(403, "ann", "POST", d.url(id), action("Approve", ""))
		d.want(403, "ann", "PATCH", d.reduction(bobID, id, entry), reduced("1", "USD"))
		d.want(403, "cora", "PATCH", d.context(annID, "MANAGER", id)+"/approve", "")
		d.want(403, "cora", "PATCH", d.context(bobID, "PROXY", id)+"/recall", "")
		d.want(204, "cora", "PATCH", d.reduction(bobID, id, entry), reduced("19", "USD"))
		by(id, "REDUCE by cora@demo.test for bob@demo.test")
		d.want(204, "cora", "PATCH", d.context(bobID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`)
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_RESU", "LastComment": "No"})
		by(id, "SEND_BACK by cora@demo.test for bob@demo.test")
		see(200, "cora", id) // who has decided
		see(404, "ivan", id) // who could have
		see(200, "bob", id)

		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		see(200, "ivan", id)
		if got := d.want(200, "ivan", "POST", d.url(id), action("Approve", "Fine")); got != acted {
			t.Errorf("approved: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "ApproverLoginID": "bob@demo.test"})
		by(id, "APPROVE by ivan@demo.test for bob@demo.test")
		d.want(403, "ivan", "POST", d.url(id), action("Approve", "")) // payment is no judgement

		// Days pass, and rights end.
		id = d.filed("ann", annID)
		d.pass(24 * 3600e9)
		d.want(403, "cora", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.want(404, "cora", "POST", d.url(id), action("Approve", ""))
		see(404, "cora", id)
		// They begin too, for what waits already, and end with the delegation.
		lists := func(name string, want bool) {
			t.Helper()
			body := d.want(200, name, "GET", "/api/v3.0/expense/reports?approverLoginID="+name+"@demo.test", "")
			if strings.Contains(body, id) != want {
				t.Errorf("%s finds the report among those to decide on: %v, want %v", name, !want, want)
			}
		}
		d.delegate(auth.Delegation{User: bobID, Delegate: coraID, Approve: true, ApproveFrom: d.now.Date()})
		see(200, "cora", id)
		lists("cora", true)
		lists("ann", false) // the owner's own, although bob lets her approve
		d.delegate(auth.Delegation{User: bobID, Delegate: coraID})
		see(404, "cora", id)
		lists("cora", false)
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		by(id, "APPROVE by bob@demo.test")

		// Who has left is not asked: whoever stands above answers.
		var bob org.User
		d.write(func(tx *store.Tx) error {
			u, err := d.org.User(tx, bobID)
			if err != nil {
				return err
			}
			bob, u.Active = *u, false
			return d.org.UpdateUser(tx, u)
		})
		d.costObjects(org.CostObjectApproval{Field: "Custom2", Value: "DELTA", Approver: bobID})
		id = d.report("ann", `{"Name":"Trip","Custom2":"DELTA"}`)
		d.entry("ann", id, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "ApproverLoginID": "cora@demo.test"})
		d.want(204, "cora", "PATCH", d.context(coraID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"}) // cora has answered for bob's cost object already
		d.costObjects()
		d.write(func(tx *store.Tx) error { bob.Active = true; return d.org.UpdateUser(tx, &bob) })

		// The one who submits for somebody does not approve it on the way of another right,
		// unless asked; nobody's delegate does what a role allows.
		d.delegate(auth.Delegation{User: ivanID, Delegate: coraID, Approve: true})
		id = d.report("ann", `{"Name":"Trip","PolicyID":"`+d.reviewed()+`"}`)
		d.entry("ann", id, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_ACCO"})
		d.want(404, "cora", "POST", d.url(id), action("Approve", ""))
		d.want(403, "cora", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")

		// For cost objects as for managers.
		d.costObjects(org.CostObjectApproval{Field: "Custom2", Value: "DELTA", Approver: ivanID})
		id = d.report("ann", `{"Name":"Trip","Custom2":"DELTA"}`)
		d.entry("ann", id, nil)
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		see(404, "cora", id)
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		see(200, "cora", id)
		d.want(204, "cora", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
		by(id, "APPROVE by cora@demo.test for ivan@demo.test")
	})
}

// An administrator decides in a manager's name, but not on the own report.
func TestAdministratorsOwnReport(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.person("wes", func(u *org.User) { u.Manager = bobID })
		id := d.filed("wes", wesID)
		d.want(403, "wes", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND"})
	})
}
