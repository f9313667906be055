package expense

import (
	"fmt"
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

func TestSpread(t *testing.T) {
	const coin = value.MoneyUnit / 100
	money := func(texts string) (all []value.Money) {
		for _, text := range strings.Fields(texts) {
			m, err := value.ParseMoney(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		return all
	}
	for _, c := range []struct{ approved, posted, want string }{ // p marks personal parts
		{"15", "10 10", "7.5 7.5"},
		{"0", "10 10", "0 0"},
		{"20", "10 10", "10 10"},
		{"10", "10 10 10", "3.34 3.33 3.33"},
		{"0.01", "3 7", "0 0.01"},
		{"10", "p5 10 10", "0 5 5"},
		{"-10", "-10 -10 -10", "-3.33 -3.33 -3.34"},
		{"10", "30 -10", "15 -5"},
		{"9.99", "30 -10", "14.99 -5"},
		{"0", "10 -10", "10 -10"},
		{"0", "p5", "0"},
		{"461168601842738.79", "922337203685477.58 -0.01 0.01", "461168601842738.79 0 0"},
	} {
		var parts []Itemization
		for _, text := range strings.Fields(c.posted) {
			posted, personal := strings.CutPrefix(text, "p")
			i := Itemization{IsPersonal: personal, PostedAmount: money(posted)[0]}
			if !personal {
				i.ApprovedAmount = i.PostedAmount
			}
			parts = append(parts, i)
		}
		spread(money(c.approved)[0], parts, coin)
		var got []string
		for i := range parts {
			got = append(got, parts[i].ApprovedAmount.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s is spread as %s, want %s", c.approved, c.posted, strings.Join(got, " "), c.want)
		}
	}
}

// reduced is the body that approves an amount.
func reduced(value, currency string) string {
	return `{"approvedAmount":{"value":"` + value + `","currencyCode":"` + currency + `"},"comment":"Too dear"}`
}

func (d *desk) reduction(user, report, entry string) string {
	return d.context(user, "MANAGER", report) + "/expenses/" + entry
}

func TestApproverReducesAnAmount(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip","PolicyID":"`+d.reviewed()+`"}`)
		cash := d.entry("ann", id, nil)
		card := d.entry("ann", id, map[string]any{"PaymentTypeID": "CBCP", "TransactionAmount": 15})
		refund := d.entry("ann", id, map[string]any{"TransactionAmount": -5})
		split := d.entry("ann", id, map[string]any{"TransactionAmount": 24})
		part := func(amount string, personal bool) string {
			return d.object(d.want(200, "ann", "POST", "/api/v3.0/expense/itemizations", fmt.Sprintf(
				`{"EntryID":"%s","ExpenseTypeCode":"TAXIX","TransactionDate":"2025-03-07","TransactionAmount":%s,"IsPersonal":%v}`, split, amount, personal)))["ID"].(string)
		}
		one, two, own := part("5", false), part("10", false), part("9", true)
		d.want(409, "wes", "PATCH", d.reduction(wesID, id, cash), reduced("1", "USD"))
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		approved := func(kind, id, want string) {
			t.Helper()
			if got := d.object(d.want(200, "wes", "GET", "/api/v3.0/expense/"+kind+"/"+id, ""))["ApprovedAmount"]; fmt.Sprint(got) != want {
				t.Errorf("%s are approved, want %s", fmt.Sprint(got), want)
			}
			d.sound()
		}
		path := d.reduction(bobID, id, cash)
		for _, c := range []struct {
			status            int
			token, path, body string
			says              string
		}{
			{400, "bob", path, reduced("20.01", "USD"), "must lie between nothing and the 20.00 USD that are claimed."},
			{400, "bob", path, reduced("-1", "USD"), "must lie between nothing"},
			{400, "bob", path, reduced("1", "EUR"), "must be USD, the report's currency."},
			{400, "bob", path, reduced("1.005", "USD"), "has more decimals than USD has."},
			{400, "bob", path, `{"comment":"Too dear"}`, "approvedAmount"},
			{400, "bob", path, `{"approvedAmount":{"currencyCode":"USD"}}`, "approvedAmount.value"},
			{400, "bob", path, reduced("x", "USD"), "approvedAmount.value"},
			{400, "bob", d.reduction(bobID, id, refund), reduced("1", "USD"), "must lie between nothing and the -5.00 USD"},
			{400, "bob", d.reduction(bobID, id, refund), reduced("-6", "USD"), "must lie between nothing"},
			{400, "bob", strings.Replace(path, "MANAGER", "TRAVELER", 1), reduced("1", "USD"), "contextType"},
			{404, "bob", d.reduction(bobID, id, "gWnone"), reduced("1", "USD"), ""},
			{404, "bob", d.reduction(bobID, "00000000000000000000", cash), reduced("1", "USD"), ""},
			{403, "ann", d.reduction(annID, id, cash), reduced("1", "USD"), "Nobody approves their own report."},
			{403, "ann", path, reduced("1", "USD"), ""},
			{404, "cora", d.reduction(coraID, id, cash), reduced("1", "USD"), ""},
			{404, "ivan", d.reduction(ivanID, id, cash), reduced("1", "USD"), ""},
			{404, "eve", d.reduction(eveID, id, cash), reduced("1", "USD"), ""},
			{403, "unscoped", path, reduced("1", "USD"), ""},
			{401, "", path, reduced("1", "USD"), ""},
		} {
			if r := d.call(c.token, "PATCH", c.path, c.body); r.status != c.status || !strings.Contains(r.body, c.says) {
				t.Errorf("%s as %q: %d %s, want %d with %q", c.body, c.token, r.status, r.body, c.status, c.says)
			}
		}
		approved("entries", cash, "20")
		d.want(204, "bob", "PATCH", path, reduced("12.50", "USD"))
		approved("entries", cash, "12.5")
		d.expect(id, map[string]any{"Total": 54, "TotalClaimedAmount": 45, "TotalApprovedAmount": 37.5, "AmountDueEmployee": 22.5, "AmountDueCompanyCard": 15,
			"LastComment": "Too dear", "ApprovalStatusCode": "A_PEND"})
		d.want(204, "bob", "PATCH", d.reduction(bobID, id, card), reduced("0", "USD"))
		d.want(204, "company", "PATCH", d.reduction(bobID, id, refund), reduced("-4", "USD"))
		approved("entries", refund, "-4")
		d.want(204, "bob", "PATCH", d.reduction(bobID, id, split), reduced("10", "USD"))
		approved("entries", split, "10")
		approved("itemizations", one, "3.33")
		approved("itemizations", two, "6.67")
		approved("itemizations", own, "0")
		d.expect(id, map[string]any{"TotalApprovedAmount": 18.5, "AmountDueEmployee": 18.5, "AmountDueCompanyCard": 0})
		d.want(204, "bob", "PATCH", d.reduction(bobID, id, split), `{"approvedAmount":{"value":15,"currencyCode":"USD"}}`)
		approved("itemizations", two, "10")
		d.want(204, "bob", "PATCH", d.reduction(bobID, id, split), reduced("15", "USD")) // nothing changes, nothing is noted
		want := "SUBMIT Archer, Ann A_PEND/P_NOTP" + strings.Repeat("; REDUCE Baker, Bob A_PEND/P_NOTP", 5)
		if got := d.actions(id); got != want {
			t.Errorf("the history is %s, want %s", got, want)
		}
		if h := d.want(200, "ann", "GET", "/expensereports/v4/reports/"+id+"/history", ""); !strings.Contains(h, `"comment":"Taxi, 2025-03-07: 12.50 USD of 20.00 USD approved. Too dear"`) {
			t.Errorf("the history does not say what was reduced: %s", h)
		}

		// The next one judges on; what is approved in the end is what is paid.
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/approve", "")
		d.want(403, "bob", "PATCH", path, reduced("20", "USD"))
		d.want(204, "ivan", "PATCH", d.reduction(ivanID, id, cash), reduced("11", "USD"))
		d.want(204, "ivan", "PATCH", d.context(ivanID, "MANAGER", id)+"/approve", "")
		approved("entries", cash, "11")
		for _, token := range []string{"ivan", "company"} {
			d.want(409, token, "PATCH", d.reduction(ivanID, id, cash), reduced("20", "USD"))
		}
		d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR", "TotalApprovedAmount": 22})
	})
}

// What comes back is claimed as a whole again.
func TestReductionsEndWithTheRound(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		id := d.report("ann", `{"Name":"Trip"}`)
		plus, minus := d.entry("ann", id, nil), d.entry("ann", id, map[string]any{"TransactionAmount": -20})
		for _, back := range []func(){
			func() { d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`) },
			func() { d.want(204, "ann", "PATCH", d.context(annID, "TRAVELER", id)+"/recall", "") },
		} {
			d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
			d.want(204, "bob", "PATCH", d.reduction(bobID, id, plus), reduced("3", "USD"))
			d.want(204, "bob", "PATCH", d.reduction(bobID, id, minus), reduced("-3", "USD")) // the sum is what it was
			back()
			d.expect(id, map[string]any{"TotalApprovedAmount": 0, "AmountDueEmployee": 0})
			for entry, want := range map[string]any{plus: 20., minus: -20.} {
				if got := d.object(d.want(200, "ann", "GET", "/api/v3.0/expense/entries/"+entry, ""))["ApprovedAmount"]; got != want {
					t.Errorf("%v are approved, want %v", got, want)
				}
			}
			d.sound()
		}
		step := ""
		d.want(204, "ann", "PATCH", d.v4(annID, id)+"/submit", "")
		d.read(func(tx *store.Tx) error {
			r, err := reports.Get(tx, store.Unrestricted(), id)
			step = r.Step
			return err
		})
		// A reduction that comes after the step has moved on changes nothing.
		d.want(204, "bob", "PATCH", d.context(bobID, "MANAGER", id)+"/sendBack", `{"comment":"No"}`)
		bob := d.actor("bob")
		err := d.db.Write(t.Context(), func(tx *store.Tx) error {
			return d.expense.Reduce(tx, bob, bob, step, plus, 1, "USD", "")
		})
		if err == nil || err.Error() != errMoved.Error() {
			t.Errorf("reduced after the step: %v", err)
		}
	})
}

// Expense Pay pays what is owed to those who are reimbursed through it, from the moment
// of the approval on.
func TestPaidByExpensePay(t *testing.T) {
	desks(t, func(t *testing.T, d *desk) {
		d.person("ann", func(u *org.User) { u.Reimbursement = expensePay })
		d.person("bob", func(u *org.User) { u.Reimbursement = "APCHECK" })
		d.write(func(tx *store.Tx) error { return d.org.SetRoles(tx, coraID, auth.WebServicesAdministrator) })
		for _, c := range []struct{ token, user string }{{"ann", annID}, {"bob", bobID}} {
			id := d.report(c.token, `{"Name":"Trip"}`)
			entries := map[string]bool{ // and whether Expense Pay pays it
				d.entry(c.token, id, nil):                                                               true,
				d.entry(c.token, id, map[string]any{"PaymentTypeID": "CPAID"}):                          false,
				d.entry(c.token, id, map[string]any{"PaymentTypeID": "CBCP"}):                           false,
				d.entry(c.token, id, map[string]any{"IsPersonal": true, "VendorDescription": "Ticket"}): false,
			}
			see := func(approved bool) {
				t.Helper()
				for e, paid := range entries {
					want := paid && approved && c.token == "ann"
					if got := d.object(d.want(200, "wes", "GET", "/api/v3.0/expense/entries/"+e, ""))["IsPaidByExpensePay"]; got != want {
						t.Errorf("IsPaidByExpensePay of %s is %v, want %v", c.token, got, want)
					}
				}
			}
			see(false)
			d.want(204, c.token, "PATCH", d.v4(c.user, id)+"/submit", "")
			see(false)
			d.want(204, "company", "PATCH", "/expensereports/v4/reports/"+id+"/approve", "")
			d.expect(id, map[string]any{"ApprovalStatusCode": "A_APPR"})
			see(true)
		}
	})
}
