package expense

import "testing"

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
