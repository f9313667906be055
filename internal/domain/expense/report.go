package expense

import (
	"slices"
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Report is an expense report.
type Report struct {
	Seq              int64
	ID               string // 20 hex digits
	Company          string
	Owner            string // user id
	OwnerLogin       string
	OwnerName        string
	Name             string
	Purpose          string
	Comment          string // what a body brings; kept as LastComment
	LastComment      string
	Policy           string // id
	Group            string // id of the expense group
	ApprovalStatus   string // A_NOTF …
	PaymentStatus    string // P_NOTP …
	Approver         string // user id of who is asked to approve now; empty for nobody
	ApproverLogin    string // the owner's manager until somebody is asked, then the last who was
	ApproverName     string
	Step             string // id of the step that is open; empty when none is
	Submissions      int64  // how often it was submitted
	Currency         value.Currency
	Country          string
	Subdivision      string
	Ledger           string
	Sums             Sums
	UserDefinedDate  value.Date
	CreatedAt        value.Instant
	ModifiedAt       value.Instant
	SubmittedAt      value.Instant
	ProcessingAt     value.Instant
	PaidAt           value.Instant
	EverSentBack     bool
	ReceiptsReceived bool
	HasImage         bool // of its own; entries have theirs
	IsTestUser       bool
	Exceptions       int64 // how many rows of report_exception it has
	BatchID          string
	Reimbursement    string
	OrgUnits         [6]CustomField
	Customs          [20]CustomField

	// Not kept: filled for what shows it.
	HasException      bool
	Claimed           value.Money
	ApprovalName      string
	PaymentName       string
	WorkflowActionURL string
	URI               string
}

// Sums are the amounts of a report in its currency. What is claimed is Total less
// Personal.
type Sums struct {
	Total       value.Money // of all entries
	Personal    value.Money // what is the owner's own
	Approved    value.Money
	DueEmployee value.Money // approved and paid by the owner
	DueCard     value.Money // approved and paid by a card that is billed to the company
}

func (r *Report) columns(c *store.Columns) {
	c.Seq(&r.Seq)
	c.Key("id", &r.ID)
	c.Text("company_id", &r.Company)
	c.Text("owner_id", &r.Owner)
	c.Text("policy_id", &r.Policy)
	c.Text("group_id", &r.Group)
	c.Currency("currency", &r.Currency)
	c.Text("country", &r.Country)
	c.Text("approval_status", &r.ApprovalStatus)
	c.Text("payment_status", &r.PaymentStatus)
	c.Text("approver_id", &r.Approver)
	c.Text("step_id", &r.Step)
	c.Text("batch_id", &r.BatchID)
	c.Text("reimbursement", &r.Reimbursement)
	c.Bool("test_user", &r.IsTestUser)
	c.Bool("has_image", &r.HasImage)
	c.Int("exceptions", &r.Exceptions)
	r.Sums.columns(c)
	c.Date("user_defined_date", &r.UserDefinedDate)
	c.Instant("created_at", &r.CreatedAt)
	c.Instant("modified_at", &r.ModifiedAt)
	c.Instant("submitted_at", &r.SubmittedAt)
	c.Instant("processing_at", &r.ProcessingAt)
	c.Instant("paid_at", &r.PaidAt)
	store.Document(c, "doc", r, (*Report).document)
}

func (s *Sums) columns(c *store.Columns) {
	c.Money("total", &s.Total)
	c.Money("personal", &s.Personal)
	c.Money("approved", &s.Approved)
	c.Money("due_employee", &s.DueEmployee)
	c.Money("due_card", &s.DueCard)
}

func (r *Report) document(f *wire.Fields) {
	f.Text("name", &r.Name, "", wire.OmitEmpty)
	f.Text("purpose", &r.Purpose, "", wire.OmitEmpty)
	f.Text("lastComment", &r.LastComment, "", wire.OmitEmpty)
	f.Text("ownerLogin", &r.OwnerLogin, "", wire.OmitEmpty)
	f.Text("ownerName", &r.OwnerName, "", wire.OmitEmpty)
	f.Text("approverLogin", &r.ApproverLogin, "", wire.OmitEmpty)
	f.Text("approverName", &r.ApproverName, "", wire.OmitEmpty)
	f.Int("submissions", &r.Submissions, "", wire.OmitEmpty)
	f.Text("subdivision", &r.Subdivision, "", wire.OmitEmpty)
	f.Text("ledger", &r.Ledger, "", wire.OmitEmpty)
	f.Bool("everSentBack", &r.EverSentBack, "", wire.OmitEmpty)
	f.Bool("receiptsReceived", &r.ReceiptsReceived, "", wire.OmitEmpty)
	wire.Repeat(f, "o", r.OrgUnits[:], (*CustomField).document, "", wire.OmitEmpty)
	wire.Repeat(f, "c", r.Customs[:], (*CustomField).document, "", wire.OmitEmpty)
}

var reports = store.NewTable("report", (*Report).columns)

func (r *Report) v3(f *wire.Fields) {
	f.Money("AmountDueCompanyCard", &r.Sums.DueCard, "What is owed to the company card's issuer.", wire.ReadOnly)
	f.Money("AmountDueEmployee", &r.Sums.DueEmployee, "What is owed to the employee.", wire.ReadOnly)
	f.Text("ApprovalStatusCode", &r.ApprovalStatus, "The approval status: A_NOTF not submitted, A_PEND waiting for a manager, A_ACCO for accounting, A_APPR approved, A_RESU sent back, and others where a policy asks for them.", wire.ReadOnly)
	f.Text("ApprovalStatusName", &r.ApprovalName, "The name of the approval status.", wire.ReadOnly)
	f.Text("ApproverLoginID", &r.ApproverLogin, "The login of the report owner's approver.", wire.ReadOnly)
	f.Text("ApproverName", &r.ApproverName, "The name of the report owner's approver.", wire.ReadOnly)
	f.Text("Country", &r.Country, "The report's country (ISO 3166-1, two letters).", wire.ReadOnly, wire.Max(2))
	f.Text("CountrySubdivision", &r.Subdivision, "The report's country subdivision (ISO 3166-2).", wire.ReadOnly)
	f.Instant("CreateDate", &r.CreatedAt, "When the report was made.", wire.ReadOnly)
	f.Currency("CurrencyCode", &r.Currency, "The report's currency (ISO 4217).", wire.ReadOnly)
	wire.Repeat(f, "Custom", r.Customs[:], (*CustomField).v3, "A custom field, as the company's report form has it. A plain text is taken as its value; for a list field, as the item's id or code.", wire.ScalarInput("Value"))
	f.Bool("EverSentBack", &r.EverSentBack, "Whether the report has ever been sent back.", wire.ReadOnly)
	f.Bool("HasException", &r.HasException, "Whether the rules have found anything on the report's entries.", wire.ReadOnly)
	f.Text("ID", &r.ID, "The report's id.", wire.ReadOnly, wire.NotNull)
	f.Text("LastComment", &r.LastComment, "The newest comment on the report.", wire.ReadOnly, wire.NotNull)
	f.Instant("LastModifiedDate", &r.ModifiedAt, "When the report or one of its entries was last changed.", wire.ReadOnly)
	f.Text("LedgerName", &r.Ledger, "The ledger that the report is posted to.", wire.ReadOnly, wire.Max(20))
	f.Text("Name", &r.Name, "What the owner calls the report.", wire.RequiredOnCreate, wire.Max(40))
	wire.Repeat(f, "OrgUnit", r.OrgUnits[:], (*CustomField).v3, "An organisational unit, as the company's report form has it.", wire.ScalarInput("Value"))
	f.Text("OwnerLoginID", &r.OwnerLogin, "The login of the report's owner.", wire.ReadOnly)
	f.Text("OwnerName", &r.OwnerName, "The name of the report's owner.", wire.ReadOnly)
	f.Instant("PaidDate", &r.PaidAt, "When the report was handed over for payment.", wire.ReadOnly)
	f.Text("PaymentStatusCode", &r.PaymentStatus, "The payment status: P_NOTP not paid, P_PROC processing, P_PAID sent for payment, P_PAYC confirmed, P_HOLD on hold.", wire.ReadOnly)
	f.Text("PaymentStatusName", &r.PaymentName, "The name of the payment status.", wire.ReadOnly)
	f.Money("PersonalAmount", &r.Sums.Personal, "The sum of personal expenses.", wire.ReadOnly)
	f.Text("PolicyID", &r.Policy, "The policy of the report: the owner's default one unless it is created with another of the owner's group. It cannot be changed later.", wire.Max(64))
	f.Instant("ProcessingPaymentDate", &r.ProcessingAt, "When the report was approved and ready to be paid.", wire.ReadOnly)
	f.Bool("ReceiptsReceived", &r.ReceiptsReceived, "Whether accounting has confirmed the receipts.", wire.ReadOnly)
	f.Instant("SubmitDate", &r.SubmittedAt, "When the report was submitted.", wire.ReadOnly)
	f.Money("Total", &r.Sums.Total, "The sum of all entries.", wire.ReadOnly)
	f.Money("TotalApprovedAmount", &r.Sums.Approved, "The sum of what is approved.", wire.ReadOnly)
	f.Money("TotalClaimedAmount", &r.Claimed, "The sum of all entries that are not personal.", wire.ReadOnly)
	f.Text("URI", &r.URI, "The report's address.", wire.ReadOnly, wire.NotNull)
	f.Date("UserDefinedDate", &r.UserDefinedDate, "The date that the owner gives the report; today unless given.")
	f.Text("WorkflowActionUrl", &r.WorkflowActionURL, "Where an action on the report's open step is posted; empty while none is open.", wire.ReadOnly, wire.NotNull)
	f.Text("Comment", &r.Comment, "A comment on the report; shown as LastComment.", wire.WriteOnly, wire.Max(500))
	f.Text("Purpose", &r.Purpose, "The business purpose of the report.", wire.WriteOnly, wire.Max(500))
}

// show fills what is not kept.
func (s *Service) showReport(cfg *org.Config, r *Report) {
	r.HasException = r.Exceptions > 0
	r.Claimed = r.Sums.Total - r.Sums.Personal
	r.ApprovalName, r.PaymentName = statusName(r.ApprovalStatus), statusName(r.PaymentStatus)
	r.URI = s.url + api.V3.Base[0] + "/expense/reports/" + r.ID
	r.WorkflowActionURL = ""
	if r.Step != "" {
		r.WorkflowActionURL = s.url + api.V11.Base[0] + "/report/" + r.Step + "/workflowaction"
	}
	form := cfg.FormFields(org.ReportForm)
	showCustoms(form, orgUnitNames, r.OrgUnits[:])
	showCustoms(form, customNames, r.Customs[:])
}

// ReportQuery is what reports are searched by. All conditions must hold; what is said
// of entries must hold for one of them. Dates are exclusive.
type ReportQuery struct {
	ApprovalStatus   string // codes, separated by commas
	PaymentStatus    string // codes, separated by commas
	Currency         value.Currency
	PaymentType      string // id or code
	Reimbursement    string
	ApproverLogin    string
	ExpenseType      string // code
	AttendeeType     string // code or id
	Country          string
	Batch            string
	Vendor           string
	HasVAT           value.Opt[bool]
	HasImages        value.Opt[bool]
	HasAttendees     value.Opt[bool]
	HasBillable      value.Opt[bool]
	IsTestUser       value.Opt[bool]
	Group            string
	EntryDateBefore  value.Date
	EntryDateAfter   value.Date
	CreatedBefore    value.Instant
	CreatedAfter     value.Instant
	DefinedBefore    value.Date
	DefinedAfter     value.Date
	SubmittedBefore  value.Instant
	SubmittedAfter   value.Instant
	ProcessingBefore value.Instant
	ProcessingAfter  value.Instant
	PaidBefore       value.Instant
	PaidAfter        value.Instant
	ModifiedBefore   value.Instant
	ModifiedAfter    value.Instant
}

func (q *ReportQuery) v3(f *wire.Fields) {
	f.Text("approvalStatusCode", &q.ApprovalStatus, "Reports with this approval status, or one of several that commas separate.")
	f.Text("paymentStatusCode", &q.PaymentStatus, "Reports with this payment status, or one of several that commas separate.")
	f.Currency("currencyCode", &q.Currency, "Reports in this currency (ISO 4217).")
	f.Text("paymentType", &q.PaymentType, "Reports with an entry of this payment type, by id or code.")
	f.Text("reimbursementMethod", &q.Reimbursement, "Reports whose owner is reimbursed so.", wire.Enum("ADPPAYR", "APCHECK", "CNQRPAY", "PMTSERV"))
	f.Text("approverLoginID", &q.ApproverLogin, "Reports that this user is asked to approve. Naming themselves, approvers find everything that waits for them or was decided by them.")
	f.Text("expenseTypeCode", &q.ExpenseType, "Reports with an entry of this expense type.")
	f.Text("attendeeTypeCode", &q.AttendeeType, "Reports with an entry that has an attendee of this type.")
	f.Text("countryCode", &q.Country, "Reports of this country (ISO 3166-1, two letters).", wire.Max(2))
	f.Text("batchID", &q.Batch, "Reports that are paid with this batch.")
	f.Text("vendorName", &q.Vendor, "Reports with an entry of the vendor with this description.")
	wire.Optional(f, "hasVAT", &q.HasVAT, "Reports with, or without, an entry that carries value added tax.")
	wire.Optional(f, "hasImages", &q.HasImages, "Reports with, or without, an image on the report or on an entry.")
	wire.Optional(f, "hasAttendees", &q.HasAttendees, "Reports with, or without, an entry that has attendees.")
	wire.Optional(f, "hasBillableExpenses", &q.HasBillable, "Reports with, or without, a billable entry.")
	wire.Optional(f, "isTestUser", &q.IsTestUser, "Reports whose owner is, or is not, a user for tests.")
	f.Text("expenseGroupConfigID", &q.Group, "Reports of this expense group.")
	f.Date("entryTransactionDateBefore", &q.EntryDateBefore, "Reports with an entry dated before this day.")
	f.Date("entryTransactionDateAfter", &q.EntryDateAfter, "Reports with an entry dated after this day.")
	f.Instant("createDateBefore", &q.CreatedBefore, "Reports made before this.")
	f.Instant("createDateAfter", &q.CreatedAfter, "Reports made after this.")
	f.Date("userDefinedDateBefore", &q.DefinedBefore, "Reports that their owner dated before this day.")
	f.Date("userDefinedDateAfter", &q.DefinedAfter, "Reports that their owner dated after this day.")
	f.Instant("submitDateBefore", &q.SubmittedBefore, "Reports submitted before this.")
	f.Instant("submitDateAfter", &q.SubmittedAfter, "Reports submitted after this.")
	f.Instant("processingPaymentDateBefore", &q.ProcessingBefore, "Reports approved for payment before this.")
	f.Instant("processingPaymentDateAfter", &q.ProcessingAfter, "Reports approved for payment after this.")
	f.Instant("paidDateBefore", &q.PaidBefore, "Reports paid before this.")
	f.Instant("paidDateAfter", &q.PaidAfter, "Reports paid after this.")
	f.Instant("modifiedDateBefore", &q.ModifiedBefore, "Reports last changed before this.")
	f.Instant("modifiedDateAfter", &q.ModifiedAfter, "Reports last changed after this.")
}

// where turns the query into conditions on the table report.
func (q *ReportQuery) where(cfg *org.Config) store.Predicate {
	var p store.Predicate
	text := func(column, value string) {
		if value != "" {
			p = p.And(column+" = ?", value)
		}
	}
	codes := func(column, list string) {
		if some := codesOf(list); list != "" {
			p = p.In(column, some...)
		}
	}
	flag := func(column string, asked value.Opt[bool]) {
		if asked.Valid {
			p = p.And(column+" = ?", asked.V)
		}
	}
	codes("approval_status", q.ApprovalStatus)
	codes("payment_status", q.PaymentStatus)
	text("currency", string(q.Currency))
	text("reimbursement", q.Reimbursement)
	text("country", strings.ToUpper(q.Country))
	if q.Batch != "" {
		p = p.And("batch_id = ? AND batch_id <> ''", q.Batch) // as the index says it
	}
	text("group_id", q.Group)
	if q.PaymentType != "" {
		p = store.And(p, withTrait(paymentTrait, paymentTypeID(cfg, q.PaymentType)))
	}
	if q.ExpenseType != "" {
		p = store.And(p, withTrait(typeTrait, expenseCode(cfg, q.ExpenseType)))
	}
	if q.AttendeeType != "" {
		p = p.And("EXISTS (SELECT 1 FROM entry_attendee x WHERE x.company_id = report.company_id AND x.attendee_type_id = ? AND x.report_seq = report.seq)", attendeeTypeID(cfg, q.AttendeeType))
	}
	if vendorKey(q.Vendor) != "" {
		p = store.And(p, withTrait(vendorTrait, vendorKey(q.Vendor)))
	}
	flag("with_vat", q.HasVAT)
	flag("with_images", q.HasImages)
	flag("with_attendees", q.HasAttendees)
	flag("with_billable", q.HasBillable)
	flag("test_user", q.IsTestUser)
	for _, s := range q.spans() {
		p = store.And(p, s)
	}
	return p
}

// spans are the conditions on days and times, one for each column that is asked for.
// What has not happened yet is neither before nor after anything.
func (q *ReportQuery) spans() []store.Predicate {
	var all []store.Predicate
	span := func(column string, before, after int64) {
		var p store.Predicate
		if before != 0 {
			p = p.And(column+" > 0 AND "+column+" < ?", before)
		}
		if after != 0 {
			p = p.And(column+" > ?", after)
		}
		if !p.IsZero() {
			all = append(all, p)
		}
	}
	span("first_entry", int64(q.EntryDateBefore), 0)
	span("last_entry", 0, int64(q.EntryDateAfter))
	span("user_defined_date", int64(q.DefinedBefore), int64(q.DefinedAfter))
	span("created_at", int64(q.CreatedBefore), int64(q.CreatedAfter))
	span("submitted_at", int64(q.SubmittedBefore), int64(q.SubmittedAfter))
	span("processing_at", int64(q.ProcessingBefore), int64(q.ProcessingAfter))
	span("paid_at", int64(q.PaidBefore), int64(q.PaidAfter))
	span("modified_at", int64(q.ModifiedBefore), int64(q.ModifiedAfter))
	return all
}

// codesOf are the codes of a list that commas separate.
func codesOf(list string) []any {
	var some []any
	for code := range strings.SplitSeq(list, ",") {
		if code = strings.ToUpper(strings.TrimSpace(code)); code != "" && len(some) < 100 && !slices.Contains(some, any(code)) {
			some = append(some, code)
		}
	}
	return some
}

// index is where the reports of a whole company are found for which the query asks
// something of their entries, or of a span of time; nil where the table's own indexes
// are in the order of the list.
func (q *ReportQuery) index(cfg *org.Config, company store.Predicate) index {
	switch {
	case q.Batch != "":
		return nil
	case vendorKey(q.Vendor) != "":
		return reportsWith(company, vendorTrait, vendorKey(q.Vendor))
	case q.AttendeeType != "":
		return inOrder("SELECT DISTINCT report_seq FROM entry_attendee", company.And("attendee_type_id = ?", attendeeTypeID(cfg, q.AttendeeType)), "report_seq")
	case q.ExpenseType != "":
		return reportsWith(company, typeTrait, expenseCode(cfg, q.ExpenseType))
	case q.PaymentType != "":
		return reportsWith(company, paymentTrait, paymentTypeID(cfg, q.PaymentType))
	}
	if spans := q.spans(); len(spans) > 0 {
		return sorted("SELECT seq FROM report", store.And(company, spans[0]), "seq")
	}
	return nil
}

// ranges are the parts of a company's reports that are in the order of the list each,
// where the query names several statuses.
func (q *ReportQuery) ranges(company store.Predicate) []store.Predicate {
	for _, some := range [...]struct{ column, list string }{{"approval_status", q.ApprovalStatus}, {"payment_status", q.PaymentStatus}} {
		if codes := codesOf(some.list); len(codes) > 1 {
			all := make([]store.Predicate, len(codes))
			for i, code := range codes {
				all[i] = company.And(some.column+" = ?", code)
			}
			return all
		}
	}
	return nil
}

// FindReports lists reports in order of creation: the subject's, or those that the
// caller approves when the query names the caller as the approver.
func (s *Service) FindReports(tx *store.Tx, a *auth.Actor, q *ReportQuery, page store.Page) (api.Listing[Report], error) {
	var none api.Listing[Report]
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return none, err
	}
	access, where := a.Listed(""), q.where(cfg)
	var places index
	if a.All {
		places = q.index(cfg, a.InCompany(""))
	}
	if q.ApproverLogin != "" {
		approver, err := s.org.FindPerson(tx, a.Company, q.ApproverLogin)
		switch {
		case errs.Is(err, errs.NotFound):
			return none, nil
		case err != nil:
			return none, err
		case approver.ID == a.Self.ID && !a.Named:
			access = a.InCompany("")
			if places, err = s.approved(tx, a); err != nil {
				return none, err
			}
		default:
			where = where.And("approver_id = ? AND approver_id <> ''", approver.ID) // as the index says it
			places = nil
		}
	}
	var rows []Report
	var more bool
	if parts := q.ranges(a.InCompany("")); places != nil {
		rows, more, err = along(tx, reports, places, access, where, page)
	} else if a.All && len(parts) > 0 {
		for i := range parts {
			parts[i] = store.And(parts[i], where)
		}
		rows, more, err = listRanges(tx, reports, parts, page)
	} else {
		rows, more, err = reports.List(tx, access, where, page)
	}
	if err != nil {
		return none, err
	}
	for i := range rows {
		s.showReport(cfg, &rows[i])
	}
	return api.Page(reports, rows, more, page), nil
}

// approved is where the reports are found that the actor is or was asked to approve, and
// those that wait for somebody for whom the actor may approve today.
func (s *Service) approved(tx *store.Tx, a *auth.Actor) (index, error) {
	own := store.Where("user_id = ?", a.Self.ID)
	all, err := s.org.DelegatedTo(tx, a.Company, a.Self.ID)
	if err != nil {
		return nil, err
	}
	var people []any
	for _, d := range all {
		if d.Approves(a.Today) {
			people = append(people, d.User)
		}
	}
	if len(people) == 0 {
		return inOrder("SELECT report_seq FROM report_approver", own, "report_seq"), nil
	}
	waiting := a.InCompany("").In("approver_id", people...).And("approver_id <> '' AND owner_id <> ?", a.Self.ID)
	return sorted("SELECT w.seq FROM (SELECT report_seq AS seq FROM report_approver WHERE "+own.SQL+" UNION SELECT seq FROM report WHERE "+waiting.SQL+") w",
		store.Where("w.seq > 0", append(own.Args, waiting.Args...)...), "w.seq"), nil
}

// Report reads a report that the actor may see.
func (s *Service) Report(tx *store.Tx, a *auth.Actor, id string) (*Report, error) {
	r, err := reports.Get(tx, visible(a, "report.id"), id)
	if err != nil {
		return nil, err
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return nil, err
	}
	s.showReport(cfg, r)
	return r, nil
}

// CreateReport makes a report of the actor's subject: in the subject's currency and
// country, under the subject's default policy unless r names another of the group.
// What the services do not let callers set (batch, reimbursement, subdivision and
// the like) is kept as r has it.
func (s *Service) CreateReport(tx *store.Tx, a *auth.Actor, r *Report, in *api.Input) (string, error) {
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return "", err
	}
	owner := a.Subject
	group, ok := cfg.GroupOf(owner)
	if !ok || len(group.Policies) == 0 {
		return "", errs.New(errs.Invalid, "policy", "The owner's expense group has no policy; an administrator must configure one.")
	}
	policy := group.Policies[0]
	if r.Policy != "" {
		policy, ok = cfg.Policy(r.Policy)
		if !ok || policy.Group != group.ID {
			in.Add("PolicyID", "unknown", "names no policy of the owner's expense group.")
			return "", in.Err()
		}
	}
	r.ID = s.ids.Hex20()
	r.Company, r.Owner, r.OwnerLogin, r.OwnerName = a.Company, owner.ID, owner.Login, owner.Name
	r.Policy, r.Group = policy.ID, group.ID
	r.Currency, r.Country, r.Ledger = owner.Currency, owner.Country, cut(cfg.Company.Ledger, 20)
	r.ApprovalStatus, r.PaymentStatus = NotSubmitted, NotPaid
	r.IsTestUser = owner.Test
	if r.Reimbursement == "" {
		r.Reimbursement = owner.Reimbursement
	}
	if owner.Manager != "" {
		manager, err := s.org.FindPerson(tx, a.Company, owner.Manager)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return "", err
		}
		r.ApproverLogin, r.ApproverName = manager.Login, manager.Name
	}
	if r.UserDefinedDate == 0 {
		r.UserDefinedDate = tx.Now().Date()
	}
	r.LastComment, r.Comment = r.Comment, ""
	r.CreatedAt, r.ModifiedAt = tx.Now(), tx.Now()
	if err := s.settleReport(tx, cfg, nil, r, in); err != nil {
		return "", err
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	return r.ID, reports.Insert(tx, r)
}

// settleReport checks what a body may set of a report.
func (s *Service) settleReport(tx *store.Tx, cfg *org.Config, old, r *Report, in *api.Input) error {
	return s.settleCustoms(tx, cfg, org.ReportForm, old.fields(), r.fields(), in)
}

// fields are the custom fields of the report; none of no report.
func (r *Report) fields() customFields {
	if r == nil {
		return customFields{}
	}
	return customFields{r.OrgUnits[:], r.Customs[:]}
}

// reportToChange reads a report for a change, after all changes before it.
func (s *Service) reportToChange(tx *store.Tx, a *auth.Actor, id string) (*Report, error) {
	if err := reports.Lock(tx, id); err != nil {
		return nil, err
	}
	r, err := reports.Get(tx, a.Reached(""), id)
	if err != nil {
		return nil, toChange(tx, reports, a, "report.id", id, err)
	}
	return r, nil
}

// UpdateReport saves what was changed of a report that was read for a change.
func (s *Service) UpdateReport(tx *store.Tx, a *auth.Actor, old, r *Report, in *api.Input) error {
	r.Policy = old.Policy
	if *r == *old {
		return in.Err()
	}
	if !editable(old.ApprovalStatus) {
		return errLocked
	}
	cfg, err := s.org.Config(tx, a.Company)
	if err != nil {
		return err
	}
	if err := s.settleReport(tx, cfg, old, r, in); err != nil {
		return err
	}
	if err := in.Err(); err != nil {
		return err
	}
	if r.UserDefinedDate == 0 {
		r.UserDefinedDate = tx.Now().Date()
	}
	if r.Comment != "" {
		r.LastComment, r.Comment = r.Comment, ""
	}
	r.ModifiedAt = tx.Now()
	return reports.Update(tx, r)
}

func (s *Service) reportOperations() []api.Operation {
	named := api.Named(api.Names{One: "ReportGet", Many: "ReportCollection", WireOne: "Report", WireMany: "Reports", Post: "ReportPost", Put: "ReportPut"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: id, Group: "Reports", Summary: summary, Description: more}
	}
	return []api.Operation{
		api.List(api.V3, "/expense/reports", s.FindReports, (*ReportQuery).v3, (*Report).v3,
			doc("reports.list", "Lists reports", "In order of creation. Every condition must hold; what is said of entries must hold for one of them."),
			scope, named, api.About(api.UserOrAll), api.Delegable()),
		api.Create(api.V3, "/expense/reports", s.CreateReport, (*Report).v3,
			doc("reports.create", "Makes a report", "The report begins as a draft without entries, in its owner's currency."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Get(api.V3, "/expense/reports/{id}", s.Report, (*Report).v3,
			doc("reports.get", "Reads a report", "Its owner, administrators and everybody who is or was asked to approve it may read a report."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
		api.Update(api.V3, "/expense/reports/{id}", s.reportToChange, s.UpdateReport, (*Report).v3,
			doc("reports.update", "Changes a report", "Only what the body names is changed. A submitted report cannot be changed until it comes back."),
			scope, named, api.About(api.UserParameter), api.Delegable()),
	}
}
