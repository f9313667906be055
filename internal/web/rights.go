package web

import "slices"

// right is one line of the consent page: an area of the data and how far the
// application reaches into it.
type right struct{ Area, Access string }

// How far a scope reaches, the farther the greater.
type access uint8

const (
	reads access = 1 << iota
	adds
	changes
	decides
)

// reach says what a scope opens.
type reach struct {
	area   area
	access access
}

type area uint8

// The areas, in the order in which they are shown.
const (
	profile area = iota
	reports
	approvals
	receipts
	attendees
	travel
	invoices
	payments
	budgets
	settings
	people
)

var areaNames = map[area]string{
	profile: "Your name and company", reports: "Expense reports", approvals: "Approval of reports",
	receipts: "Receipts and images", attendees: "Attendees", travel: "Travel requests",
	invoices: "Invoices and vendors", payments: "Payments to vendors", budgets: "Budgets",
	settings: "Lists and settings", people: "Users of the company",
}

var reaches = map[string]reach{
	"openid": {profile, reads}, "user.read": {profile, reads}, "company.read": {profile, reads},
	"EXPRPT": {reports, changes}, "expense.report.read": {reports, reads}, "expense.report.readwrite": {reports, changes},
	"quickexpense.writeonly":              {reports, adds},
	"expense.report.workflowstatus.write": {approvals, decides},
	"IMAGE":                               {receipts, changes}, "RCTIMG": {receipts, changes}, "ERECPT": {receipts, adds}, "TAXINV": {receipts, changes},
	"receipts.read": {receipts, reads}, "receipts.write": {receipts, changes}, "receipts.writeonly": {receipts, adds},
	"ATTEND": {attendees, changes}, "attendee.admin.read": {attendees, reads},
	"TRVREQ": {travel, changes}, "travelrequest.write": {travel, changes}, "INSGHT": {travel, reads},
	"INVPMT": {invoices, changes}, "INVPO": {invoices, changes}, "INVTV": {invoices, changes}, "INVVEN": {invoices, changes},
	"purchaserequest.read": {invoices, reads}, "purchaserequest.write": {invoices, changes},
	"invoice.providerpayment.write": {payments, changes},
	"budgetitem.read":               {budgets, reads}, "budgetitem.write": {budgets, changes},
	"fiscalcalendar.read": {budgets, reads}, "fiscalcalendar.write": {budgets, changes},
	"CONFIG": {settings, reads}, "LIST": {settings, changes}, "SUPSVC": {settings, reads}, "CONREQ": {settings, changes},
	"USER": {people, reads},
}

// rights says in a few lines what a list of scopes opens.
func rights(scopes []string) []right {
	all := map[area]access{}
	for _, s := range scopes {
		if r, ok := reaches[s]; ok {
			all[r.area] |= r.access
		}
	}
	areas := make([]area, 0, len(all))
	for a := range all {
		areas = append(areas, a)
	}
	slices.Sort(areas)
	lines := make([]right, len(areas))
	for i, a := range areas {
		lines[i] = right{areaNames[a], accessName(all[a])}
	}
	return lines
}

func accessName(a access) string {
	switch {
	case a&decides != 0:
		return "decide"
	case a&changes != 0:
		return "read and change"
	case a&adds != 0 && a&reads != 0:
		return "read and add"
	case a&adds != 0:
		return "add"
	}
	return "read"
}
