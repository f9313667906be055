package expense

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/store"
)

func TestReportIsMade(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo","Comment":"first","Purpose":"Fair","Custom1":"because","Custom2":"BEACON","OrgUnit1":{"Code":"210"},"Custom3":"Y"}`, keep: "r"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Name=Oslo; LastComment=first; ApprovalStatusCode=A_NOTF; PaymentStatusCode=P_NOTP; Total=0; OwnerLoginID=ann@demo.test; OwnerName=Archer, Ann; " +
				"Custom1.Value=because; Custom1.Type=Text; Custom2.Value=Beacon; Custom2.Code=BEACON; Custom2.Type=List; OrgUnit1.Value=Field Sales; Custom3.Value=true; Custom4.Value=; HasException=false; " +
				"ApproverLoginID=bob@demo.test; CurrencyCode=USD; Country=US; UserDefinedDate=2025-03-11T00:00:00; WorkflowActionUrl=; SubmitDate="},
			step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":12.5,"TransactionCurrencyCode":"USD","PaymentTypeID":"CASHX"}`, keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "TransactionAmount=12.5; PostedAmount=12.5; ExpenseTypeName=Lunch; PaymentTypeName=Cash; ReportID={r}; ReportOwnerID=ann@demo.test; TaxReceiptType=; AllocationType=N; HasExceptions=false"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=12.5; AmountDueEmployee=12.5; TotalClaimedAmount=12.5"},
			step{as: "ann", call: "GET /expense/entries", want: "Items=1; Items[0].ID={e}"},
			step{as: "ann", call: "GET /expense/reports", want: "Items=1; Items[0].ID={r}"},
		)
	})
}

func TestReportRefusals(t *testing.T) {
	long := strings.Repeat("x", 501)
	for _, c := range []struct{ name, as, body, want string }{
		{"no name", "ann", `{}`, "Name: is required."},
		{"blank name", "ann", `{"Name":""}`, "Name: is required."},
		{"null name", "ann", `{"Name":null}`, "Name: is required."},
		{"long name", "ann", `{"Name":"` + long[:41] + `"}`, "Name: must be at most 40 characters long."},
		{"long comment", "ann", `{"Name":"x","Comment":"` + long + `"}`, "Comment: must be at most 500 characters long."},
		{"long purpose", "ann", `{"Name":"x","Purpose":"` + long + `"}`, "Purpose: must be at most 500 characters long."},
		{"long custom", "ann", `{"Name":"x","Custom7":"` + long[:49] + `"}`, "must be at most 48 characters long."},
		{"bad date", "ann", `{"Name":"x","UserDefinedDate":"11.3.2025"}`, "UserDefinedDate: must be a date"},
		{"no such policy", "ann", `{"Name":"x","PolicyID":"gWnone"}`, "PolicyID: names no policy of the owner's expense group."},
		{"no such list item", "ann", `{"Name":"x","Custom2":"NONE"}`, "Custom2: names no item of its list"},
		{"no boolean", "ann", `{"Name":"x","Custom3":"perhaps"}`, "Custom3: must be true or false."},
		{"no custom date", "ann", `{"Name":"x","Custom4":"soon"}`, "Custom4: must be a date"},
		{"all at once", "ann", `{"UserDefinedDate":"never","Custom3":"perhaps","Custom2":"NONE","Purpose":"` + long + `"}`, "UserDefinedDate: must be a date, written as 2024-03-11.; Purpose: must be at most 500 characters long.; Name: is required.; Custom2: names no item of its list; give the item's id or code.; Custom3: must be true or false."},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(w *world) {
				f := w.step("", step{as: c.as, call: "POST /expense/reports", body: c.body, status: 400})
				for _, part := range strings.Split(c.want, "; ") {
					if !strings.Contains(f["Message"], strings.TrimSuffix(part, ".")) {
						t.Errorf("the message is\n%s\nwithout\n%s", f["Message"], part)
					}
				}
				w.run(step{as: "wes", call: "GET /expense/reports?user=ALL", want: "Items=0"})
			})
		})
	}
}

func TestReportPolicy(t *testing.T) {
	w := newWorld(t)
	var standard, reviewed string
	for _, p := range w.config().Groups[0].Policies {
		if p.AccountingStep {
			reviewed = p.ID
		} else {
			standard = p.ID
		}
	}
	w.kept["standard"], w.kept["reviewed"] = standard, reviewed
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"a"}`, keep: "a"},
		step{as: "ann", call: "GET /expense/reports/{a}", want: "PolicyID={standard}"},
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"b","PolicyID":"{reviewed}"}`, keep: "b"},
		step{as: "ann", call: "GET /expense/reports/{b}", want: "PolicyID={reviewed}"},
		// Never changed, and never a failure (contradictions.md B16).
		step{as: "ann", call: "PUT /expense/reports/{b}", body: `{"PolicyID":"{standard}","Name":"c"}`},
		step{as: "ann", call: "PUT /expense/reports/{b}", body: `{"PolicyID":"gWnone"}`},
		step{as: "ann", call: "GET /expense/reports/{b}", want: "PolicyID={reviewed}; Name=c"},
	)
}

func TestReportUpdate(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo","Comment":"first","Purpose":"Fair","UserDefinedDate":"2025-01-31","Custom1":"a","Custom2":"BEACON","OrgUnit2":"x"}`, keep: "r"},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Custom1":"b","UserDefinedDate":"2025-02-01T00:00:00"}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Name=Oslo; LastComment=first; Custom1.Value=b; Custom2.Code=BEACON; OrgUnit2.Value=x; UserDefinedDate=2025-02-01T00:00:00"},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Comment":"second","Custom2":{"Code":"ember"},"OrgUnit2":null,"Custom1":""}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "LastComment=second; Custom2.Value=Ember; Custom2.Code=EMBER; OrgUnit2.Value=; Custom1.Value="},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Name":null}`, status: 400, want: "Name: is required and cannot be cleared."},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"UserDefinedDate":null}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "UserDefinedDate=2025-03-11T00:00:00; Name=Oslo"},
			step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"UserDefinedDate":"x","Custom4":"y","Name":"` + strings.Repeat("n", 41) + `"}`, status: 400, want: "Custom4: must be a date"},
			step{as: "ann", call: "PUT /expense/reports/5EED0000000000000000", body: `{"Name":"x"}`, status: 404},
		)
		w.read(func(tx *store.Tx) error {
			r, err := reports.Get(tx, store.Unrestricted(), w.kept["r"])
			if err == nil && (r.Purpose != "Fair" || r.Comment != "") {
				t.Errorf("kept: purpose %q, comment %q", r.Purpose, r.Comment)
			}
			return err
		})
	})
}

func TestWholeReportSentBackChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo","Comment":"first","Custom1":"a","Custom2":"BEACON","Custom4":"2025-01-02"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12.5")},
	)
	w.now = w.now.Add(time.Hour)
	for _, format := range []struct{ as, media string }{{"ann", inJSON}, {"ann", inXML}, {"ann!", inJSON}, {"ann!", inXML}} {
		get := w.send(format.as, "GET", "/api/v3.0/expense/reports/"+w.kept["r"], "", format.media, "")
		put := w.send(format.as, "PUT", "/api/v3.0/expense/reports/"+w.kept["r"], format.media, format.media, get.body)
		if put.status/100 != 2 {
			t.Fatalf("%v: %d %s", format, put.status, put.body)
		}
		if again := w.send(format.as, "GET", "/api/v3.0/expense/reports/"+w.kept["r"], "", format.media, ""); again.body != get.body {
			t.Errorf("%v: was\n%s\nis\n%s", format, get.body, again.body)
		}
	}
	// Nothing to change is a success even where nothing can be changed.
	w.submit("ann", "r")
	w.run(
		step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Name":"Oslo"}`},
		step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Name":"Bergen"}`, status: 400, want: "The report is submitted"},
	)
}

func TestReportIsLockedWhileSubmitted(t *testing.T) {
	everywhere(t, func(w *world) {
		locked := func(status int) {
			w.t.Helper()
			w.run(
				step{as: "ann", call: "PUT /expense/reports/{r}", body: `{"Purpose":"{p}"}`, status: status},
				step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Description":"{p}"}`, status: status},
				step{as: "ann", call: "POST /expense/entries", body: lunch("r", "1"), status: status},
				step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ReportID":"{r}"}`, status: status},
			)
			w.kept["p"] += "+"
		}
		w.kept["p"] = "p"
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Other"}`, keep: "o"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12.5"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("o", "3"), keep: "other"},
		)
		w.submit("ann", "r")
		locked(400)
		w.run(step{as: "ann", call: "DELETE /expense/entries/{e}", status: 400, want: "The report is submitted"},
			step{as: "wes", call: "DELETE /expense/entries/{e}", status: 400},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{o}"}`, status: 400},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "ApprovalStatusCode=A_PEND; ApproverLoginID=bob@demo.test",
				check: func(w *world, f map[string]string) {
					if !regexp.MustCompile(`^https://spend.example/api/expense/expensereport/v1.1/report/gW[^/]+/workflowaction$`).MatchString(f["WorkflowActionUrl"]) {
						t.Errorf("WorkflowActionUrl is %q", f["WorkflowActionUrl"])
					}
				}})
		w.act("ann", "r", ActionRecall)
		locked(200)
		w.run(step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ReportID":"{o}"}`})
		w.submit("ann", "r")
		w.act("bob", "r", ActionSendBack)
		w.run(step{as: "ann", call: "GET /expense/reports/{r}", want: "ApprovalStatusCode=A_RESU; EverSentBack=true; LastComment=because; WorkflowActionUrl="})
		locked(200)
		w.run(step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ReportID":"{o}"}`})

		// The documented, stricter rule is a switch of the policy.
		w.exec("UPDATE policy SET strict_edits = ? WHERE company_id = ?", true, demo)
		w.run(
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "1"), status: 400, want: "was submitted before"},
			step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ReportID":"{r}"}`, status: 400, want: "was submitted before"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Description":"still mine"}`},
			step{as: "ann", call: "POST /expense/entries", body: lunch("o", "1")},
		)
		w.sound()
	})
}

func TestWhoMayReadAndChange(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12.5"), keep: "e"},
		)
		see := func(as string, status int) {
			w.t.Helper()
			w.run(
				step{as: as, call: "GET /expense/reports/{r}", status: status},
				step{as: as, call: "GET /expense/entries/{e}", status: status},
			)
			n := "0"
			if status == 200 {
				n = "1"
			}
			w.run(step{as: as, call: "GET /expense/entries?reportID={r}", want: "Items=" + n})
		}
		for _, as := range []string{"bob", "cora", "ivan", "eve"} {
			see(as, 404)
			w.run(
				step{as: as, call: "PUT /expense/reports/{r}", body: `{"Name":"x"}`, status: 404},
				step{as: as, call: "PUT /expense/entries/{e}", body: `{"Description":"x"}`, status: 404},
				step{as: as, call: "DELETE /expense/entries/{e}", status: 404},
				step{as: as, call: "POST /expense/entries", body: lunch("r", "1"), status: 400, want: "ReportID: names no report"},
			)
		}
		for _, as := range []string{"ann", "wes", "company"} {
			see(as, 200)
		}
		w.run(
			step{as: "", call: "GET /expense/reports", status: 401},
			step{as: "nobody", call: "GET /expense/reports", status: 403},
			step{as: "unscoped", call: "GET /expense/reports", status: 403, want: "EXPRPT"},
			step{as: "unscoped", call: "POST /expense/entries", body: lunch("r", "1"), status: 403},
		)

		// The approver may read, from the moment of the submit on, and for good.
		w.submit("ann", "r")
		see("bob", 200)
		see("cora", 404)
		w.run(
			step{as: "bob", call: "PUT /expense/reports/{r}", body: `{"Name":"x"}`, status: 403, want: "Only the owner"},
			step{as: "bob", call: "PUT /expense/entries/{e}", body: `{"Description":"x"}`, status: 403},
			step{as: "bob", call: "DELETE /expense/entries/{e}", status: 403},
			step{as: "bob", call: "GET /expense/reports", want: "Items=0"},
			step{as: "bob", call: "GET /expense/entries", want: "Items=0"},
			step{as: "bob", call: "GET /expense/reports?approverLoginID=BOB@demo.test", want: "Items=1; Items[0].ID={r}"},
			step{as: "bob", call: "GET /expense/reports?approverLoginID=bob@demo.test&approvalStatusCode=A_APPR", want: "Items=0"},
			step{as: "cora", call: "GET /expense/reports?approverLoginID=cora@demo.test", want: "Items=0"},
			step{as: "cora", call: "GET /expense/reports?approverLoginID=bob@demo.test", want: "Items=0"},
			step{as: "ann", call: "GET /expense/reports?approverLoginID=bob@demo.test", want: "Items=1"},
			step{as: "ann", call: "GET /expense/reports?approverLoginID=cora@demo.test", want: "Items=0"},
			step{as: "wes", call: "GET /expense/reports?approverLoginID=bob@demo.test&user=ALL", want: "Items=1"},
			step{as: "wes", call: "GET /expense/reports?approverLoginID=nobody@demo.test&user=ALL", want: "Items=0"},
		)
		w.act("bob", "r", ActionApprove)
		see("bob", 200)
		w.run(step{as: "bob", call: "GET /expense/reports?approverLoginID=bob@demo.test", want: "Items=1; Items[0].ApprovalStatusCode=A_APPR; Items[0].PaymentStatusCode=P_PROC"})

		// The user parameter.
		w.run(
			step{as: "ann", call: "GET /expense/reports?user=ann@demo.test", want: "Items=1"},
			step{as: "ann", call: "GET /expense/reports?user=bob@demo.test", status: 403},
			step{as: "ann", call: "GET /expense/reports?user=ALL", status: 403},
			step{as: "wes", call: "GET /expense/reports", want: "Items=0"},
			step{as: "wes", call: "GET /expense/reports?user=ANN@demo.test", want: "Items=1"},
			step{as: "wes", call: "GET /expense/reports?user=all", want: "Items=1"},
			step{as: "wes", call: "GET /expense/entries?user=ALL", want: "Items=1"},
			step{as: "wes", call: "GET /expense/entries?user=bob@demo.test", want: "Items=0"},
			step{as: "wes", call: "GET /expense/reports?user=eve@other.test", status: 400, want: "Invalid User"},
			step{as: "wes", call: "GET /expense/reports/{r}?user=bob@demo.test", status: 404},
			step{as: "wes", call: "GET /expense/entries/{e}?user=bob@demo.test", status: 404},
			step{as: "wes", call: "GET /expense/reports/{r}?user=ALL"},
			step{as: "company", call: "GET /expense/reports", want: "Items=1"},
			step{as: "eve", call: "GET /expense/entries", want: "Items=0"},
			step{as: "wes", call: "POST /expense/reports?user=bob@demo.test", body: `{"Name":"for Bob"}`, keep: "b"},
			step{as: "bob", call: "GET /expense/reports/{b}", want: "OwnerLoginID=bob@demo.test; ApproverLoginID=cora@demo.test"},
			step{as: "wes", call: "POST /expense/entries?user=bob@demo.test", body: lunch("b", "7"), keep: "be"},
			step{as: "wes", call: "POST /expense/entries", body: lunch("b", "8")},
			step{as: "bob", call: "GET /expense/entries/{be}", want: "ReportOwnerID=bob@demo.test"},
			step{as: "bob", call: "GET /expense/reports/{b}", want: "Total=15"},
			step{as: "wes", call: "POST /expense/entries?user=ann@demo.test", body: lunch("b", "9"), status: 400, want: "ReportID"},
			step{as: "company", call: "POST /expense/reports", body: `{"Name":"whose"}`, status: 400, want: "user"},
			step{as: "company", call: "POST /expense/reports?user=ann@demo.test", body: `{"Name":"hers"}`, keep: "c"},
			step{as: "ann", call: "GET /expense/reports/{c}", want: "OwnerLoginID=ann@demo.test"},
		)
	})
}

func TestReportFilters(t *testing.T) {
	everywhere(t, func(w *world) {
		w.person("ivan", func(u *org.User) { u.Currency, u.Country, u.Reimbursement, u.Test = "EUR", "DE", "ADPPAYR", true })
		w.person("ann", func(u *org.User) { u.Reimbursement = "CNQRPAY" })
		w.kept["group"] = w.config().Groups[0].ID
		cash, _ := w.config().PaymentType("CASHX", "")
		w.kept["cash"] = cash.ID
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"full","UserDefinedDate":"2025-02-01"}`, keep: "full"},
			step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{full}","ExpenseTypeCode":"CELPH","TransactionDate":"2025-01-15","TransactionAmount":9,"TransactionCurrencyCode":"USD","PaymentTypeID":"CPAID","VendorDescription":"Café Ürün","IsBillable":true}`, keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("full", "12.5"), keep: "e2"},
		)
		w.now = w.now.Add(24 * time.Hour)
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"empty","UserDefinedDate":"2025-03-01"}`, keep: "empty"},
			step{as: "ivan", call: "POST /expense/reports", body: `{"Name":"ivan"}`, keep: "ivan"},
			step{as: "ivan", call: "POST /expense/entries", body: lunch("ivan", "1"), keep: "ie"},
		)
		w.now = w.now.Add(24 * time.Hour)
		guest, _ := w.config().AttendeeType("BUSGUEST")
		w.kept["guest"] = guest.ID
		w.run(
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"BUSGUEST","LastName":"Guest"}`, keep: "aGuest"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{aGuest}"}`},
		)
		w.submit("ann", "full")
		w.act("bob", "full", ActionApprove)
		w.now = w.now.Add(24 * time.Hour)
		w.act("wes", "full", ActionApprove) // handed over for payment
		w.exec("UPDATE report SET batch_id = 'B1' WHERE id = ?", w.kept["full"])
		w.attach("ivan", "/expenseentry/{ie}", 1)
		w.attach("ann", "/report/{empty}", 2)

		for _, c := range []struct{ filter, want string }{
			{"", "full empty ivan"},
			{"approvalStatusCode=A_APPR", "full"},
			{"approvalStatusCode=a_notf", "empty ivan"},
			{"approvalStatusCode=A_APPR,%20A_NOTF", "full empty ivan"},
			{"approvalStatusCode=A_PEND", ""},
			{"paymentStatusCode=P_PAID", "full"},
			{"paymentStatusCode=P_NOTP,P_HOLD", "empty ivan"},
			{"currencyCode=eur", "ivan"},
			{"currencyCode=USD", "full empty"},
			{"paymentType={cash}", "full ivan"},
			{"paymentType=CPAID", "full"},
			{"paymentType=PENDC", ""},
			{"paymentType=gWnone", ""},
			{"reimbursementMethod=ADPPAYR", "ivan"},
			{"reimbursementMethod=cnqrpay", "full empty"},
			{"reimbursementMethod=PMTSERV", ""},
			{"expenseTypeCode=celph", "full"},
			{"expenseTypeCode=LUNCH", "full ivan"},
			{"expenseTypeCode=NONE", ""},
			{"attendeeTypeCode=BUSGUEST", "full"},
			{"attendeeTypeCode={guest}", "full"},
			{"attendeeTypeCode=SPOUSE", ""},
			{"countryCode=de", "ivan"},
			{"countryCode=US", "full empty"},
			{"batchID=B1", "full"},
			{"batchID=B2", ""},
			{"vendorName=CAF%C3%89%20%C3%BCr%C3%BCn", "full"},
			{"vendorName=Caf", ""},
			{"hasVAT=true", "full"},
			{"hasVAT=false", "empty ivan"},
			{"hasImages=true", "empty ivan"},
			{"hasImages=false", "full"},
			{"hasAttendees=true", "full"},
			{"hasAttendees=N", "empty ivan"},
			{"hasBillableExpenses=1", "full"},
			{"hasBillableExpenses=0", "empty ivan"},
			{"isTestUser=true", "ivan"},
			{"isTestUser=false", "full empty"},
			{"expenseGroupConfigID={group}", "full empty ivan"},
			{"expenseGroupConfigID=gWnone", ""},
			{"entryTransactionDateBefore=2025-01-16", "full"},
			{"entryTransactionDateBefore=2025-01-15", ""},
			{"entryTransactionDateAfter=2025-03-09", "full ivan"},
			{"entryTransactionDateAfter=2025-03-10", ""},
			{"createDateBefore=2025-03-12", "full"},
			{"createDateAfter=2025-03-12", "empty ivan"},
			{"createDateAfter=2025-03-11T09:30:00", "empty ivan"},
			{"createDateBefore=2025-03-11T09:30:00", ""},
			{"userDefinedDateBefore=2025-03-01", "full"},
			{"userDefinedDateAfter=2025-02-01", "empty ivan"},
			{"submitDateBefore=2025-03-14", "full"},
			{"submitDateBefore=2025-03-13", ""},
			{"submitDateAfter=2025-03-13", "full"},
			{"submitDateAfter=2025-03-14", ""},
			{"processingPaymentDateBefore=2025-03-14", "full"},
			{"processingPaymentDateAfter=2025-03-14", ""},
			{"paidDateBefore=2025-03-15", "full"},
			{"paidDateBefore=2025-03-14", ""},
			{"paidDateAfter=2025-03-14", "full"},
			{"paidDateAfter=2025-03-15", ""},
			{"modifiedDateBefore=2025-03-14", ""},
			{"modifiedDateAfter=2025-03-14", "full empty ivan"},
			{"ReportingPeriod=7&hasVAT=true&isTestUser=false&currencyCode=USD", "full"},
			{"hasVAT=true&hasVAT=", "full"},
			{"hasVAT=true&currencyCode=EUR", ""},
		} {
			f := w.step(c.filter, step{as: "wes", call: "GET /expense/reports?user=ALL&" + c.filter})
			if got := itemNames(f); got != c.want {
				t.Errorf("%s finds %q, want %q", c.filter, got, c.want)
			}
		}
		for filter, want := range map[string]string{
			"createDateBefore=yesterday": "createDateBefore: must be a date", "hasVAT=maybe": "hasVAT: must be true or false", "currencyCode=XXQ": "currencyCode: must be a currency",
			"reimbursementMethod=PAY_PAL": "reimbursementMethod: must be one of", "countryCode=USA": "countryCode: must be at most 2", "limit=101": "limit: must be", "limit=0": "limit: must be",
			"limit=x": "limit: must be", "offset=nonsense": "offset: is not one", "userDefinedDateAfter=2025-02-30": "userDefinedDateAfter: must be a date",
		} {
			w.run(step{as: "wes", call: "GET /expense/reports?user=ALL&" + filter, status: 400, want: want})
		}
	})
}

// itemNames lists the names of a list's items.
func itemNames(f map[string]string) string {
	var names []string
	for i := range 100 {
		if name := f["Items["+strconv.Itoa(i)+"].Name"]; name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestPaging(t *testing.T) {
	everywhere(t, func(w *world) {
		for i := range 7 {
			w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"r` + strconv.Itoa(i) + `"}`})
		}
		w.run(step{as: "bob", call: "POST /expense/reports", body: `{"Name":"bob"}`})
		walk := func(as, call string) string {
			w.t.Helper()
			var all []string
			for range 10 {
				f := w.step(call, step{as: as, call: call})
				all = append(all, itemNames(f))
				if f["NextPage"] == "" {
					return strings.Join(all, "|")
				}
				if !strings.HasPrefix(f["NextPage"], publicURL+"/api/v3.0/expense/reports?") {
					w.t.Fatalf("NextPage is %q", f["NextPage"])
				}
				call = "GET " + f["NextPage"]
			}
			w.t.Fatal("the list has no end")
			return ""
		}
		for call, want := range map[string]string{
			"GET /expense/reports?limit=3":                    "r0 r1 r2|r3 r4 r5|r6",
			"GET /expense/reports?limit=7":                    "r0 r1 r2 r3 r4 r5 r6",
			"GET /expense/reports?limit=5&offset=4":           "r4 r5 r6",
			"GET /expense/reports?limit=2&currencyCode=USD":   "r0 r1|r2 r3|r4 r5|r6",
			"GET /expense/reports?limit=2&currencyCode=EUR":   "",
			"GET /expense/reports?offset=7":                   "",
			"GET /expense/reports?limit=6&isTestUser=false":   "r0 r1 r2 r3 r4 r5|r6",
			"GET /expense/reports?limit=6&user=ann@demo.test": "r0 r1 r2 r3 r4 r5|r6",
		} {
			if got := walk("ann", call); got != want {
				t.Errorf("%s: %s, want %s", call, got, want)
			}
		}
		if got := walk("wes", "GET /expense/reports?limit=5&user=ALL"); got != "r0 r1 r2 r3 r4|r5 r6 bob" {
			t.Error(got)
		}
		w.run(step{as: "ann", call: "GET /expense/reports?limit=2&currencyCode=USD", keep: "next"})
		token := regexp.MustCompile(`offset=([^&]+)`).FindStringSubmatch(w.kept["next"])[1]
		w.kept["token"], w.kept["broken"] = token, token[:len(token)-2]+"zz"
		w.run(
			step{as: "ann", call: "GET /expense/reports?offset={token}", want: "Items=2; Items[0].Name=r2"},
			step{as: "ann", call: "GET /expense/reports?offset={token}&limit=4", want: "Items=4; Items[0].Name=r2"},
			step{as: "ann", call: "GET /expense/reports?offset={broken}", status: 400, want: "offset: is not one"},
			step{as: "ann", call: "GET /expense/reports?offset={token}&currencyCode=EUR", status: 400, want: "offset: belongs to a query with other filters"},
			step{as: "ann", call: "GET /expense/entries?offset={token}", status: 400, want: "offset: is not one"},
			step{as: "bob", call: "GET /expense/reports?offset={token}", status: 403},
			step{as: "eve", call: "GET /expense/reports?offset={token}", status: 400, want: "offset: is not one"},
		)
	})
}

func TestTwoUpdatesOfOneReport(t *testing.T) {
	// Each of many changes another field; all of them stand in the end.
	race := func(w *world) {
		w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"race"}`, keep: "r"})
		var all sync.WaitGroup
		for i := range 12 {
			all.Add(2)
			n := strconv.Itoa(i + 5)
			go func() {
				defer all.Done()
				if a := w.send("ann", "PUT", "/api/v3.0/expense/reports/"+w.kept["r"], inJSON, inJSON, `{"Custom`+n+`":"`+n+`"}`); a.status != 200 {
					t.Error(a.status, a.body)
				}
			}()
			go func() {
				defer all.Done()
				if a := w.send("ann", "POST", "/api/v3.0/expense/entries", inJSON, inJSON, w.fill(lunch("r", n))); a.status != 200 {
					t.Error(a.status, a.body)
				}
			}()
		}
		all.Wait()
		f := w.step("", step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=126"})
		for i := range 12 {
			if n := strconv.Itoa(i + 5); f["Custom"+n+".Value"] != n {
				t.Errorf("Custom%s is lost", n)
			}
		}
		w.sound()
	}
	t.Run("sqlite", func(t *testing.T) { race(newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { race(newPostgresWorld(t)) })
}

// TestGoldens shows reports and entries in both formats and profiles, byte for byte.
func TestGoldens(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo & back","Comment":"first","Custom2":"BEACON","OrgUnit1":"210"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":12.5,"TransactionCurrencyCode":"EUR","PaymentTypeID":"CASHX","Custom4":"3","Comment":"mine"}`, keep: "e"},
		step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{r}","ExpenseTypeCode":"MILEG","TransactionDate":"2025-03-10","Journey":{"StartLocation":"A","EndLocation":"B","UnitOfMeasure":"M","BusinessDistance":10}}`},
	)
	w.now = w.now.Add(1500 * time.Millisecond)
	w.submit("ann", "r")
	var text strings.Builder
	show := func(as, method, path, media, body string) {
		a := w.send(as, method, w.fill("/api/v3.0"+path), media, media, w.fill(body))
		text.WriteString("=== " + as + " " + method + " " + path + " " + media + "\n" + strconv.Itoa(a.status) + " " + a.header.Get("Content-Type") + "\n" + a.body + "\n\n")
	}
	for _, as := range []string{"ann", "ann!"} {
		for _, media := range []string{inJSON, inXML} {
			show(as, "GET", "/expense/reports/{r}", media, "")
			show(as, "GET", "/expense/reports?limit=1", media, "")
			show(as, "GET", "/expense/entries/{e}", media, "")
			show(as, "GET", "/expense/entries?limit=1", media, "")
			show(as, "GET", "/expense/entries?hasVAT=true", media, "")
			body := `{"Name":"New"}`
			if media == inXML {
				body = `<ReportPost><Name>New</Name></ReportPost>`
			}
			show(as, "POST", "/expense/reports", media, body)
			show(as, "PUT", "/expense/reports/{r}", media, body)
			show(as, "DELETE", "/expense/entries/gWnone", media, "")
		}
	}
	golden(t, "goldens", text.String())
}
