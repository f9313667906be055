package expense

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/value"
)

// The rules are pure functions of what a report holds and of the company's
// configuration (decisions.md 28). What they find are exceptions; an exception of
// LevelError keeps the report from being submitted. Rules of an entry are judged
// whenever it is written and once more with the whole report when that is submitted.

// The codes of exceptions.
const (
	codeNoEntries      = "NOENTRIES"   // the report is empty
	codeItemizations   = "ITEMIZESUM"  // the itemizations do not add up to the entry
	codeReceipt        = "NORECEIPT"   // a receipt is required and there is no image
	codeAllocations    = "ALLOCSUM"    // the allocations do not add up to 100 %
	codeLimit          = "OVERLIMIT"   // above the policy's limit for the expense type; an error where that blocks
	codeAttendees      = "NOATTENDEES" // the expense type asks for attendees and there are none
	codeNoRate         = "NORATE"      // no exchange rate is known
	codeDuplicateEntry = "DUPENTRY"    // another entry of the owner is the same
	codeDuplicateImage = "DUPIMAGE"    // another entry of the owner has the same image
	codeRequiredField  = "REQFIELD"    // a custom field that the form requires is empty
	codeFuture         = "FUTUREDATE"  // the transaction has not taken place yet
	codeExpenseType    = "NOTYPE"      // the policy has no such expense type any more
	codeTaxInvoice     = "TAXINVOICE"  // the validation of the tax invoice found something
)

// Lines is an entry with everything below it, as the rules see it.
type Lines struct {
	Entry        *Entry
	Itemizations []Itemization
	Allocations  []Allocation // of the entry and of its itemizations; not the hidden ones
	SameEntries  []string     // names of the reports that hold another entry of the owner with its amount, currency, day and vendor
	SameImages   []string     // names of the reports that hold another entry of the owner with an image of the same bytes
}

// judgeReport finds all exceptions of a report that is to be submitted.
func judgeReport(c *org.Config, r *Report, lines []Lines, now value.Instant) []Exception {
	var found findings
	if len(lines) == 0 {
		found.add(nil, nil, codeNoEntries, LevelError, "The report has no entries. Add at least one expense.")
	}
	found.requireFields(nil, nil, c.FormFields(org.ReportForm), r.OrgUnits[:], r.Customs[:])
	for i := range lines {
		l := &lines[i]
		found.entry(c, l.Entry, l.Itemizations, now)
		found.allocations(l)
		found.twins(l)
	}
	for i := range found {
		found[i].Report, found[i].Company = r.ID, r.Company
	}
	return found
}

// judgeEntry finds the exceptions of an entry and its itemizations that follow from
// them alone.
func judgeEntry(c *org.Config, e *Entry, items []Itemization, now value.Instant) []Exception {
	var found findings
	found.entry(c, e, items, now)
	return found
}

// blocking are those of the exceptions that keep a report from being submitted.
func blocking(found []Exception) []Exception {
	var errors []Exception
	for _, x := range found {
		if x.Level == LevelError {
			errors = append(errors, x)
		}
	}
	return errors
}

// findings collects exceptions.
type findings []Exception

// add notes an exception on an itemization, an entry, or the report.
func (f *findings) add(e *Entry, i *Itemization, code, level, format string, args ...any) {
	x := Exception{Code: code, Level: level, Message: fmt.Sprintf(format, args...)}
	if e != nil {
		x.Entry, x.Report, x.Company = e.ID, e.Report, e.Company
	}
	if i != nil {
		x.Itemization = i.ID
	}
	*f = append(*f, x)
}

// entry judges what follows from an entry and its itemizations alone.
func (f *findings) entry(c *org.Config, e *Entry, items []Itemization, now value.Instant) {
	kind, known := c.ExpenseType(e.Policy, e.ExpenseType)
	if !known {
		f.add(e, nil, codeExpenseType, LevelError, "The policy has no expense type %s any more. Choose another one.", e.ExpenseType)
	}
	if !e.HasImage && receiptRequired(c, e) {
		f.add(e, nil, codeReceipt, LevelError, "%s needs a receipt. Attach an image of it.", entryName(kind, e))
	}
	if known && kind.Limit.Valid {
		if spent := inBooks(c, e); spent > kind.Limit.V {
			level := LevelWarning
			if kind.LimitBlocks {
				level = LevelError
			}
			f.add(e, nil, codeLimit, level, "%s costs %s; the policy's limit is %s.",
				entryName(kind, e), amount(spent, c.Company.Currency), amount(kind.Limit.V, c.Company.Currency))
		}
	}
	if known && kind.AttendeesRequired && !e.HasAttendees {
		f.add(e, nil, codeAttendees, LevelError, "%s needs its attendees. Add who took part.", kind.Name)
	}
	if e.RateUnknown {
		f.add(e, nil, codeNoRate, LevelWarning, "No exchange rate from %s to %s is known for %s, so 1 was taken. Give the entry its rate.",
			e.TransactionCurrency, e.ReportCurrency, e.TransactionDate)
	}
	if e.TransactionDate > farthest(now) {
		f.add(e, nil, codeFuture, LevelWarning, "The transaction date %s is in the future.", e.TransactionDate)
	}
	f.taxInvoice(c, e)
	f.requireFields(e, nil, c.FormFields(org.EntryForm), e.OrgUnits[:], e.Customs[:])
	if len(items) == 0 {
		return
	}
	var sum value.Money
	form := c.FormFields(org.ItemizationForm)
	for n := range items {
		i := &items[n]
		sum += i.TransactionAmount
		if _, ok := c.ExpenseType(e.Policy, i.ExpenseType); !ok {
			f.add(e, i, codeExpenseType, LevelError, "The policy has no expense type %s any more. Choose another one for the itemization.", i.ExpenseType)
		}
		f.requireFields(e, i, form, i.OrgUnits[:], i.Customs[:])
	}
	if sum != e.TransactionAmount {
		f.add(e, nil, codeItemizations, LevelError, "The itemizations add up to %s; the entry is %s. Itemize the rest, or correct the amounts.",
			amount(sum, e.TransactionCurrency), amount(e.TransactionAmount, e.TransactionCurrency))
	}
}

// allocations judges the shares of an entry and of each of its itemizations. Shares
// have eight decimals, so three of a third may miss 100 by as much as their rounding.
func (f *findings) allocations(l *Lines) {
	check := func(i *Itemization, id, what string) {
		var sum, shares value.Decimal
		for n := range l.Allocations {
			if l.Allocations[n].Itemization == id {
				sum, shares = sum+l.Allocations[n].Percentage, shares+1
			}
		}
		if off := sum - wholeAllocation; shares > 0 && (off > shares || off < -shares) {
			f.add(l.Entry, i, codeAllocations, LevelError, "The allocations of %s add up to %s %%; they must make 100 %%.", what, sum)
		}
	}
	check(nil, "", "the entry")
	for n := range l.Itemizations {
		check(&l.Itemizations[n], l.Itemizations[n].ID, "the itemization")
	}
}

// twins judges what looks like an expense that was claimed before.
func (f *findings) twins(l *Lines) {
	if len(l.SameEntries) > 0 {
		f.add(l.Entry, nil, codeDuplicateEntry, LevelWarning, "Another expense has the same amount, date and vendor. It is in %s.", inReports(l.SameEntries))
	}
	if len(l.SameImages) > 0 {
		f.add(l.Entry, nil, codeDuplicateImage, LevelWarning, "Another expense has the same receipt image. It is in %s.", inReports(l.SameImages))
	}
}

// requireFields judges the fields that a form requires.
func (f *findings) requireFields(e *Entry, i *Itemization, form org.Form, units, customs []CustomField) {
	for n := range form.Fields {
		field := &form.Fields[n]
		if !field.Required {
			continue
		}
		if v := customNamed(field.Name, units, customs); v != nil && v.IsZero() {
			label := field.Label
			if label == "" {
				label = field.Name
			}
			f.add(e, i, codeRequiredField, LevelError, "%s (%s) must be filled in.", label, field.Name)
		}
	}
}

// customNamed finds OrgUnit2 or Custom7 among a record's fields; nil when the record
// has none of that name.
func customNamed(name string, units, customs []CustomField) *CustomField {
	from, number := customs, strings.TrimPrefix(name, "Custom")
	if rest, ok := strings.CutPrefix(name, "OrgUnit"); ok {
		from, number = units, rest
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(from) {
		return nil
	}
	return &from[n-1]
}

// receiptRequired reports whether an entry needs an image of its receipt: its amount
// is above what its type allows without one or, when the type says nothing, its
// policy. A journey has no receipt, so only its type can ask for one.
func receiptRequired(c *org.Config, e *Entry) bool {
	policy, ok := c.Policy(e.Policy)
	if !ok {
		return false
	}
	above := policy.ReceiptRequiredAbove
	if kind, ok := policy.ExpenseType(e.ExpenseType); ok {
		if kind.Mileage() {
			above = value.Opt[value.Money]{}
		}
		if kind.ReceiptRequiredAbove.Valid {
			above = kind.ReceiptRequiredAbove
		}
	}
	return above.Valid && inBooks(c, e) > above.V
}

// inBooks is an entry's amount in the company's currency, in which limits are set.
func inBooks(c *org.Config, e *Entry) value.Money {
	return booked(c, e.PostedAmount, e.ReportCurrency, e.TransactionDate)
}

// booked converts an amount to the company's currency; at 1 when no rate is known.
func booked(c *org.Config, m value.Money, from value.Currency, on value.Date) value.Money {
	rate, ok := c.Rate(from, c.Company.Currency, on)
	if !ok {
		return m
	}
	converted, err := m.Convert(rate, c.Company.Currency.Digits())
	if err != nil {
		return m // out of any limit's range as it is
	}
	return converted
}

// farthest is the latest day that has begun anywhere on earth.
func farthest(now value.Instant) value.Date { return now.Add(14 * time.Hour).Date() }

func entryName(kind *org.ExpenseType, e *Entry) string {
	if kind == nil {
		return e.ExpenseType
	}
	return kind.Name
}

// amount is a sum as sentences show it: 12.50 EUR.
func amount(m value.Money, c value.Currency) string {
	return string(m.AppendFixed(nil, c.Digits())) + " " + string(c)
}

// inReports lists a few report names for a sentence.
func inReports(reports []string) string {
	const few = 3
	shown := reports[:min(len(reports), few)]
	text := "the report “" + strings.Join(shown, "”, “") + "”"
	if more := len(reports) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
