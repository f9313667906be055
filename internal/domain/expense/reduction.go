package expense

import (
	"math/big"
	"slices"
	"strings"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// Who decides on a report may approve less of an entry than is claimed, and as long as
// the report waits for a decision that can be taken back. What comes back to its owner
// is claimed as a whole again.

// reduction is the body of the call.
type reduction struct {
	Approved amountV4
	Comment  string
}

func (r *reduction) v4(f *wire.Fields) {
	wire.Object(f, "approvedAmount", &r.Approved, (*amountV4).v4, "What is approved of the expense, in the report's currency: anything from nothing to what is claimed, which is the posted amount without what is personal.", wire.RequiredOnCreate)
	f.Text("comment", &r.Comment, "What to say to the report's owner.", wire.Max(maxActionComment))
}

var reductionSchema = wire.Bind("ApprovedAmount", (*reduction).v4).Exact()

// Reduce approves an amount of an entry of the report that waits at a step, with the
// rights of one actor, and notes another as having done it. It is errs.Conflict when
// the step is done, and errs.NotFound when the report has no such entry. Where nothing
// changes, nothing is noted.
func (s *Service) Reduce(tx *store.Tx, by, noted *auth.Actor, stepID, entry string, to value.Money, currency value.Currency, comment string) error {
	r, step, err := s.stepToActOn(tx, by, noted, stepID, ActionApprove)
	if err != nil {
		return err
	}
	if step.pays() {
		return errApproved
	}
	e, err := entries.One(tx, store.Where("company_id = ? AND report_id = ?", r.Company, r.ID), store.Where("id = ?", entry))
	if err != nil {
		return err
	}
	var problems errs.Problems
	claimed := e.PostedAmount - e.PersonalAmount
	if currency != r.Currency {
		problems.Addf("approvedAmount.currencyCode", "currency", "must be %s, the report's currency.", r.Currency)
	} else if to.Round(r.Currency.Digits()) != to {
		problems.Addf("approvedAmount.value", "digits", "has more decimals than %s has.", r.Currency)
	} else if beyond(to, claimed) || to != 0 && (to < 0) != (claimed < 0) {
		problems.Addf("approvedAmount.value", "range", "must lie between nothing and the %s that are claimed.", amount(claimed, r.Currency))
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if to == e.ApprovedAmount {
		return nil
	}
	before := sumsOf(e)
	e.ApprovedAmount, e.ModifiedAt = to, tx.Now()
	if r.Sums, err = r.Sums.minus(before).plus(sumsOf(e)); err != nil {
		return errs.OnField("approvedAmount.value", "range", "makes the report's total larger than can be kept.")
	}
	if err := entries.Update(tx, e); err != nil {
		return err
	}
	if e.HasItemizations {
		parts, err := partsOf(tx, e.ID)
		if err != nil {
			return err
		}
		spread(to, parts, coinOf(r.Currency))
		if err := itemizations.SaveChildren(tx, store.Where("entry_id = ?", e.ID), parts); err != nil {
			return err
		}
	}
	c, err := s.org.Config(tx, r.Company)
	if err != nil {
		return err
	}
	kind, _ := c.ExpenseType(e.Policy, e.ExpenseType)
	said := entryName(kind, e) + ", " + e.TransactionDate.String() + ": " + amount(to, r.Currency) + " of " + amount(claimed, r.Currency) + " approved."
	if comment = strings.TrimSpace(comment); comment != "" {
		r.LastComment = comment
		said += " " + comment
	}
	return s.save(tx, noted, r, "REDUCE", step.ID, said)
}

// spread divides what is approved of an entry among the parts that are not personal, in
// proportion to what they are. What the smallest coins cannot divide goes, a coin each,
// to the parts that it is missing the most from; of equal ones to the first.
func spread(approved value.Money, parts []Itemization, coin value.Money) {
	var whole value.Money
	var business []*Itemization
	for i := range parts {
		if p := &parts[i]; !p.IsPersonal {
			business = append(business, p)
			whole += p.PostedAmount
		}
	}
	if whole == 0 { // nothing is claimed: parts that cancel each other out, or none
		return
	}
	missing := make(map[*Itemization]*big.Int, len(business))
	left := approved
	for _, p := range business {
		// In coins, of which there are few enough for the quotient to fit.
		share, rest := new(big.Int), new(big.Int)
		share.Mul(big.NewInt(int64(approved/coin)), big.NewInt(int64(p.PostedAmount/coin)))
		of := big.NewInt(int64(whole / coin))
		if of.Sign() < 0 {
			share.Neg(share)
			of.Neg(of)
		}
		share.DivMod(share, of, rest)
		p.ApprovedAmount = value.Money(share.Int64()) * coin
		left -= p.ApprovedAmount
		missing[p] = rest
	}
	slices.SortStableFunc(business, func(a, b *Itemization) int { return missing[b].Cmp(missing[a]) })
	for _, p := range business[:left/coin] {
		p.ApprovedAmount += coin
	}
}

// claimAgain lets everything that is claimed of a report's entries count as approved
// again, since the report is its owner's again.
func claimAgain(tx *store.Tx, r *Report) error {
	for _, update := range []string{
		`UPDATE entry SET approved_amount = posted_amount - personal_amount, modified_at = ?
			WHERE company_id = ? AND report_id = ? AND approved_amount <> posted_amount - personal_amount`,
		`UPDATE itemization SET approved_amount = posted_amount, modified_at = ?
			WHERE company_id = ? AND report_id = ? AND NOT personal AND approved_amount <> posted_amount`,
	} {
		if _, err := tx.Exec(update, int64(tx.Now()), r.Company, r.ID); err != nil {
			return err
		}
	}
	var err error
	r.Sums, err = sumEntries(tx, r.Company, r.ID)
	return err
}

func (s *Service) reduceV4() api.Operation {
	handle := func(c *api.Call) (api.Answer, error) {
		if err := checkContext(c.Param("contextType"), []string{managerContext}); err != nil {
			return nil, err
		}
		doc, err := c.Document()
		if err != nil {
			return nil, err
		}
		var given reduction
		if _, problems := reductionSchema.Decode(doc, &given, wire.Create); len(problems) > 0 {
			return nil, errs.OfFields(problems)
		}
		who := func(tx *store.Tx) (by, noted *auth.Actor, err error) {
			return s.asManager(tx, c.Actor(), c.Param("userId"))
		}
		if err := s.onOpenStep(c, who, true, func(tx *store.Tx, by, noted *auth.Actor, step *Step) error {
			return s.Reduce(tx, by, noted, step.ID, c.Param("expenseId"), given.Approved.Value, given.Approved.Currency, given.Comment)
		}); err != nil {
			return nil, err
		}
		return api.Empty(204), nil
	}
	return api.Custom(api.ExpenseV4, "PATCH", "/users/{userId}/context/{contextType}/reports/{reportId}/expenses/{expenseId}", handle,
		api.Doc{ID: "reports.reduce", Group: "Workflow", Summary: "Approves an amount of an expense", Extension: true,
			Description: "For the one whose turn it is to decide on the report, in the context MANAGER. The report's sums follow at once; an itemized expense is reduced in proportion to its itemizations. When the report comes back to its owner, all that is claimed counts as approved again."},
		auth.Scope("expense.report.workflowstatus.write"), api.About(api.PathUser), api.Takes(api.SchemaOf("ApprovedAmount", reductionSchema)),
		api.Answers(204, "It is done.", api.Content{}), api.Answers(409, "The report has moved on; nothing was changed.", api.Content{}))
}
