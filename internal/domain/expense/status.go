package expense

// The approval statuses of a report (expense.md §2.2).
const (
	NotSubmitted    = "A_NOTF"
	Filed           = "A_FILE"
	PendingManager  = "A_PEND"
	PendingAccounts = "A_ACCO"
	Approved        = "A_APPR"
	SentBack        = "A_RESU"
	PendingCost     = "A_PECO"
	PendingBudget   = "A_PBDG"
	PendingExternal = "A_EXTV"
	PendingPrepaid  = "A_PVAL"
	PendingAnomaly  = "A_AAFH"
	PendingReceipts = "A_RHLD"
	ExpiredInQueue  = "A_TEXP"
)

// The payment statuses of a report (expense.md §2.3).
const (
	NotPaid           = "P_NOTP"
	ProcessingPayment = "P_PROC"
	Paid              = "P_PAID"
	PaymentConfirmed  = "P_PAYC"
	PaymentOnHold     = "P_HOLD"
)

// statusName is what a status is called.
func statusName(code string) string {
	switch code {
	case NotSubmitted:
		return "Not Submitted"
	case Filed:
		return "Submitted"
	case PendingManager:
		return "Submitted & Pending Approval"
	case PendingAccounts:
		return "Accounting Review"
	case Approved:
		return "Approved"
	case SentBack:
		return "Sent Back to Employee"
	case PendingCost:
		return "Pending Cost Object Approval"
	case PendingBudget:
		return "Pending Budget Approval"
	case PendingExternal:
		return "Pending External Validation"
	case PendingPrepaid:
		return "Pending Prepayment Validation"
	case PendingAnomaly:
		return "Anomaly and Fraud Check"
	case PendingReceipts:
		return "Waiting for Receipt Images"
	case ExpiredInQueue:
		return "Approval Time Expired"
	case NotPaid:
		return "Not Paid"
	case ProcessingPayment:
		return "Processing Payment"
	case Paid:
		return "Sent for Payment"
	case PaymentConfirmed:
		return "Payment Confirmed"
	case PaymentOnHold:
		return "Payment on Hold"
	}
	return code
}

// editable reports whether a report with this approval status can be changed.
func editable(approvalStatus string) bool {
	return approvalStatus == NotSubmitted || approvalStatus == SentBack
}
