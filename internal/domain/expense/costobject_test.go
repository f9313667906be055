package expense

import (
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/value"
)

// costObjects are the approvals of the default policy, in their order.
func (w *world) costObjects(approvals ...org.CostObjectApproval) {
	w.t.Helper()
	policy := w.config().Groups[0].Policies[0].ID
	w.exec("DELETE FROM cost_object_approval WHERE company_id = ?", demo)
	for i, a := range approvals {
		w.exec("INSERT INTO cost_object_approval (company_id, policy_id, position, field, value, value_key, above, approver_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			demo, policy, i+1, a.Field, a.Value, strings.ToLower(a.Value), int64(a.Above), a.Approver)
	}
}

func TestClaimedForACostObject(t *testing.T) {
	const unit = value.MoneyUnit
	w := newWorld(t)
	w.costObjects(org.CostObjectApproval{Field: "Custom2", Value: "Alpine"}, org.CostObjectApproval{Field: "OrgUnit1", Value: "210"})
	alpine, other := CustomField{Value: "The mountain", Code: "ALPINE", ListItem: "gW1"}, CustomField{Value: "Alpine", Code: "OTHER", ListItem: "gW2"}
	share := func(d *draft, itemization, percent string, f CustomField) {
		d.allocate(itemization, percent)
		d.lines[0].Allocations[len(d.lines[0].Allocations)-1].Customs[1].CustomField = f
	}
	split := func(d *draft) {
		d.costs(20 * unit)
		d.itemize(12*unit, 8*unit)
		for i := range d.lines[0].Itemizations {
			p := &d.lines[0].Itemizations[i]
			p.PostedAmount = p.TransactionAmount
		}
	}
	for _, c := range []struct {
		name string
		edit func(*draft)
		want string // of Alpine, in the report's currency
	}{
		{"nobody names it", func(d *draft) {}, "0"},
		{"the report", func(d *draft) { d.report.Customs[1] = alpine }, "20"},
		{"a plain text", func(d *draft) { d.report.Customs[1] = CustomField{Value: " alpine "} }, "20"},
		{"the code counts before the name", func(d *draft) { d.report.Customs[1] = other }, "0"},
		{"another field", func(d *draft) { d.report.Customs[2] = alpine }, "0"},
		{"the entry", func(d *draft) { d.lines[0].Entry.Customs[1] = alpine }, "20"},
		{"the entry counts before the report", func(d *draft) { d.report.Customs[1] = alpine; d.lines[0].Entry.Customs[1] = other }, "0"},
		{"a personal entry", func(d *draft) {
			d.report.Customs[1] = alpine
			e := d.lines[0].Entry
			e.IsPersonal, e.PersonalAmount = true, e.PostedAmount
		}, "0"},
		{"a refund", func(d *draft) { d.report.Customs[1] = alpine; d.costs(-3 * unit) }, "-3"},
		{"shares", func(d *draft) { share(d, "", "25", alpine); share(d, "", "75", other) }, "5"},
		{"shares that do not say are the entry's", func(d *draft) {
			d.lines[0].Entry.Customs[1] = alpine
			share(d, "", "25", CustomField{})
			share(d, "", "75", other)
		}, "5"},
		{"or the report's", func(d *draft) {
			d.report.Customs[1] = alpine
			share(d, "", "60", CustomField{})
			share(d, "", "40", alpine)
		}, "20"},
		{"thirds", func(d *draft) {
			for range 3 {
				share(d, "", "33.33333333", alpine)
			}
		}, "20"},
		{"itemizations", func(d *draft) { split(d); d.lines[0].Itemizations[1].Customs[1] = alpine }, "8"},
		{"itemizations that do not say are the entry's", func(d *draft) {
			split(d)
			d.lines[0].Entry.Customs[1] = alpine
			d.lines[0].Itemizations[1].Customs[1] = other
		}, "12"},
		{"personal itemizations", func(d *draft) {
			split(d)
			d.lines[0].Entry.Customs[1] = alpine
			d.lines[0].Itemizations[0].IsPersonal = true
		}, "8"},
		{"shares of an itemization", func(d *draft) {
			split(d)
			share(d, "I1", "50", alpine)
			share(d, "I1", "50", other)
			share(d, "", "100", alpine)
		}, "14"}, // half of the first, and the second by the entry's share
		{"a large amount", func(d *draft) {
			d.costs(900_000_000_000_000 * unit)
			share(d, "", "50", alpine)
			share(d, "", "50", other)
		}, "450000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.org.Forget()
			d := newDraft(w.config())
			c.edit(d)
			if got := claimedFor(&d.policy.CostObjects[0], d.report, d.lines).String(); got != c.want {
				t.Errorf("%s are claimed, want %s", got, c.want)
			}
			if got := claimedFor(&d.policy.CostObjects[1], d.report, d.lines); got != 0 {
				t.Errorf("%s are claimed for another cost object", got)
			}
		})
	}
}

// After the managers those who answer for cost objects are asked, one after the other
// and each person once.
func TestCostObjectApproval(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.costObjects(
			org.CostObjectApproval{Field: "OrgUnit1", Value: "210", Above: 50_0000, Approver: ivanID},
			org.CostObjectApproval{Field: "Custom2", Value: "alpine", Approver: coraID},
			org.CostObjectApproval{Field: "OrgUnit1", Value: "210", Approver: coraID},
			org.CostObjectApproval{Field: "Custom2", Value: "BEACON", Approver: bobID},
			org.CostObjectApproval{Field: "Custom2", Value: "CINDER", Approver: annID})
		manager := func(id string) {
			t.Helper()
			d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
			d.expect(id, map[string]any{"ApprovalStatusCode": "A_PEND", "ApproverLoginID": "bob@demo.test"})
			d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		}
		made := func(entries ...map[string]any) string {
			t.Helper()
			id := d.report("ann", `{"Name":"Trip","OrgUnit1":"210"}`)
			for _, e := range entries {
				d.entry("ann", id, e)
			}
			return id
		}

		// At the amount nobody is asked for 210 but cora, who answers for Alpine too.
		id := made(map[string]any{"TransactionAmount": 30, "Custom2": "ALPINE"}, map[string]any{"TransactionAmount": 20, "Custom2": "BEACON"},
			map[string]any{"TransactionAmount": 70, "OrgUnit1": "410", "Custom2": "CINDER"})
		d.want(404, "cora", "GET", "/api/v3.0/expense/reports/"+id, "")
		manager(id)
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PECO", "ApprovalStatusName": "Pending Cost Object Approval", "ApproverLoginID": "cora@demo.test", "PaymentStatusCode": "P_NOTP"})
		d.want(200, "cora", "GET", "/api/v3.0/expense/reports/"+id, "")
		if got := d.object(d.want(200, "cora", "GET", "/api/v3.0/expense/reports?approverLoginID=cora@demo.test", ""))["Items"].([]any); len(got) != 1 {
			t.Errorf("%d reports wait for cora", len(got))
		}
		for _, c := range [][2]string{{"bob", bobID}, {"ann", annID}} {
			d.want(403, c[0], "PATCH", d.context(c[1], "MANAGER", id)+"/approve", "")
		}
		d.want(404, "ivan", "POST", d.url(id), action("Approve", ""))
		if got := d.want(200, "cora", "POST", d.url(id), action("Approve", "")); got != acted {
			t.Errorf("approved: %s", got)
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "PaymentStatusCode": "P_PROC"})
		want := "SUBMIT Archer, Ann A_PEND/P_NOTP; APPROVE Baker, Bob A_PECO/P_NOTP; APPROVE Clarke, Cora A_APPR/P_PROC"
		if got := d.actions(id); got != want {
			t.Errorf("the history is %s, want %s", got, want)
		}

		// Above it ivan comes first. Each of them can send it back, and then all are asked again.
		id = made(map[string]any{"TransactionAmount": 51, "Custom2": "ALPINE"})
		for round, back := range []func(){
			func() { d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`) },
			func() {
				d.want(204, "company", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
				d.expect(id, map[string]any{"ApprovalStatusCode": "A_PECO", "ApproverLoginID": "cora@demo.test"})
				d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "")
				d.want(404, "cora", "GET", "/api/v3.0/expense/reports/"+id, "") // who has not decided
			},
			func() { d.want(204, "wes", "PATCH", "/expensereports/v4/reports/"+id+"/approve", "") },
		} {
			manager(id)
			d.expect(id, map[string]any{"ApprovalStatusCode": "A_PECO", "ApproverLoginID": "ivan@demo.test"})
			d.want(404, "cora", "PATCH", d.context(coraID, "MANAGER", id)+"/approve", "")
			back()
			if round == 2 {
				d.want(204, "cora", "PATCH", d.context(coraID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`)
			}
			d.expect(id, map[string]any{"TotalApprovedAmount": 51})
		}

		// Less may be approved there too.
		manager(id)
		entry := d.object(d.want(200, "ann", "GET", "/api/v3.0/expense/entries?reportID="+id, ""))["Items"].([]any)[0].(map[string]any)["ID"].(string)
		d.want(204, "ivan", "PATCH", d.reduction(ivanID, id, entry), reduced("50", "USD"))
		d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApproverLoginID": "cora@demo.test", "TotalApprovedAmount": 50})
		d.want(204, "cora", "PATCH", d.context(coraID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
	})
}

// An owner who answers for a cost object is not asked; the owner's manager is, where that
// one has not been asked yet.
func TestOwnCostObjects(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.costObjects(org.CostObjectApproval{Field: "Custom2", Value: "CINDER", Approver: ivanID},
			org.CostObjectApproval{Field: "Custom2", Value: "DELTA", Approver: wesID})
		file := func(name, user, project string) string {
			t.Helper()
			id := d.report(name, `{"Name":"Trip"}`)
			d.entry(name, id, map[string]any{"Custom2": project})
			d.want(204, name, "PATCH", d.v4(user, id)+"/submit", "")
			return id
		}
		d.person("ivan", func(u *org.User) { u.Manager = bobID })
		id := file("ivan", ivanID, "CINDER")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"}) // bob has approved it already

		id = file("ivan", ivanID, "DELTA")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PECO", "ApproverLoginID": "wes@demo.test"})

		d.person("wes", func(u *org.User) { u.Manager = "" })
		id = file("wes", wesID, "DELTA")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"}) // nobody is left to ask

		// With an accounting step, that comes last.
		d.exec("UPDATE policy SET accounting_step = ? WHERE company_id = ?", true, demo)
		id = file("ann", annID, "DELTA")
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_PECO"})
		d.want(204, "wes", "PATCH", d.context(wesID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_ACCO"})
		d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
	})
}
