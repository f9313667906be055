package expense

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/value"
)

// draft is a report with one sound entry, for rules to find fault with.
type draft struct {
	cfg    *org.Config // the test's own
	policy *org.Policy
	taxi   *org.ExpenseType
	report *Report
	lines  []Lines
}

func newDraft(cfg *org.Config) *draft {
	policy := cfg.Groups[0].Policies[0]
	taxi, _ := policy.ExpenseType("TAXIX")
	r := &Report{ID: "R", Company: cfg.Company.ID, Policy: policy.ID, Currency: "USD"}
	return &draft{cfg, policy, taxi, r, []Lines{{Entry: newDraftEntry(r, "E")}}}
}

func newDraftEntry(r *Report, id string) *Entry {
	return &Entry{ID: id, Report: r.ID, Company: r.Company, Policy: r.Policy, ReportCurrency: r.Currency, ExpenseType: "TAXIX",
		TransactionDate: 20250307, TransactionAmount: 20 * value.MoneyUnit, TransactionCurrency: "USD", ExchangeRate: value.RateOne, PostedAmount: 20 * value.MoneyUnit}
}

// costs sets the amount of the first entry, in the report's currency.
func (d *draft) costs(m value.Money) {
	d.lines[0].Entry.TransactionAmount, d.lines[0].Entry.PostedAmount = m, m
}

// itemize splits the first entry.
func (d *draft) itemize(amounts ...value.Money) {
	for n, m := range amounts {
		d.lines[0].Itemizations = append(d.lines[0].Itemizations, Itemization{ID: fmt.Sprintf("I%d", n+1), Entry: "E", ExpenseType: "TAXIX", TransactionAmount: m})
	}
}

// allocate gives the first entry, or one of its itemizations, shares.
func (d *draft) allocate(itemization string, percent ...string) {
	for _, text := range percent {
		p, err := value.ParseDecimal(text)
		if err != nil {
			panic(err)
		}
		d.lines[0].Allocations = append(d.lines[0].Allocations, Allocation{Entry: "E", Itemization: itemization, Percentage: p})
	}
}

// require makes a form ask for a field.
func (d *draft) require(kind org.FormKind, name string) {
	d.cfg.FormFields(kind).Field(name).Required = true
	fields := d.cfg.FormFields(kind).Fields
	for i := range fields {
		if fields[i].Name == name {
			fields[i].Required = true
		}
	}
}

func TestRules(t *testing.T) {
	const unit = value.MoneyUnit
	w := newWorld(t)
	money := func(m value.Money) value.Opt[value.Money] { return value.Some(m) }
	for _, c := range []struct {
		name string
		edit func(*draft)
		want string // level, code, what it stands on; separated by "; "
	}{
		{"nothing to find", func(d *draft) {}, ""},
		{"no entries", func(d *draft) { d.lines = nil }, "ERROR NOENTRIES report"},

		{"itemizations add up", func(d *draft) { d.itemize(15*unit, 5*unit) }, ""},
		{"itemizations are short", func(d *draft) { d.itemize(15*unit, 4*unit) }, "ERROR ITEMIZESUM E"},
		{"itemizations are short by the smallest amount", func(d *draft) { d.itemize(15*unit, 5*unit-1) }, "ERROR ITEMIZESUM E"},
		{"itemizations are above", func(d *draft) { d.itemize(15*unit, 6*unit) }, "ERROR ITEMIZESUM E"},
		{"itemizations of a refund", func(d *draft) { d.costs(-9 * unit); d.itemize(-4*unit, -5*unit) }, ""},

		{"receipt at the policy's amount", func(d *draft) { d.costs(75 * unit) }, ""},
		{"receipt above the policy's amount", func(d *draft) { d.costs(75*unit + 100) }, "ERROR NORECEIPT E"},
		{"receipt is there", func(d *draft) { d.costs(900 * unit); d.lines[0].Entry.HasImage = true }, ""},
		{"receipt above the type's amount", func(d *draft) { d.taxi.ReceiptRequiredAbove = money(10 * unit) }, "ERROR NORECEIPT E"},
		{"receipt: the type asks for less than the policy", func(d *draft) { d.taxi.ReceiptRequiredAbove = money(1000 * unit); d.costs(900 * unit) }, ""},
		{"receipt for every amount", func(d *draft) { d.taxi.ReceiptRequiredAbove = money(0) }, "ERROR NORECEIPT E"},
		{"receipt: nothing was spent", func(d *draft) { d.taxi.ReceiptRequiredAbove = money(0); d.costs(0) }, ""},
		{"receipt: the policy never asks", func(d *draft) {
			d.policy.ReceiptRequiredAbove = value.Opt[value.Money]{}
			d.costs(100_000 * unit)
		}, ""},
		{"receipt: personal expenses too", func(d *draft) { d.costs(90 * unit); d.lines[0].Entry.IsPersonal = true }, "ERROR NORECEIPT E"},
		{"receipt: none for a journey", func(d *draft) { d.costs(90 * unit); d.taxi.ExpenseCode = org.PersonalCarMileage }, ""},
		{"receipt: for a journey whose type asks", func(d *draft) {
			d.costs(90 * unit)
			d.taxi.ExpenseCode, d.taxi.ReceiptRequiredAbove = org.CompanyCarMileage, money(10*unit)
		}, "ERROR NORECEIPT E"},
		{"receipt: amounts are in the company's currency", func(d *draft) { // 1 EUR is 1.039 USD
			d.report.Currency, d.lines[0].Entry.ReportCurrency = "EUR", "EUR"
			d.costs(73 * unit)
		}, "ERROR NORECEIPT E"},
		{"receipt: in the company's currency it is less", func(d *draft) { // 1 JPY is 0.00636 USD
			d.report.Currency, d.lines[0].Entry.ReportCurrency = "JPY", "JPY"
			d.costs(11_000 * unit)
		}, ""},
		{"receipt: without a rate the amount counts as it is", func(d *draft) {
			d.report.Currency, d.lines[0].Entry.ReportCurrency = "KWD", "KWD"
			d.costs(76 * unit)
		}, "ERROR NORECEIPT E"},

		{"limit is kept", func(d *draft) { d.taxi.Limit = money(20 * unit) }, ""},
		{"limit is passed", func(d *draft) { d.taxi.Limit = money(20*unit - 100) }, "WARNING OVERLIMIT E"},
		{"limit that blocks is kept", func(d *draft) { d.taxi.Limit, d.taxi.LimitBlocks = money(20*unit), true }, ""},
		{"limit that blocks is passed", func(d *draft) { d.taxi.Limit, d.taxi.LimitBlocks = money(20*unit-100), true }, "ERROR OVERLIMIT E"},
		{"there is no limit that could block", func(d *draft) { d.taxi.LimitBlocks = true; d.costs(70 * unit) }, ""},
		{"attendees are missing", func(d *draft) { d.taxi.AttendeesRequired = true }, "ERROR NOATTENDEES E"},
		{"attendees are there", func(d *draft) { d.taxi.AttendeesRequired = true; d.lines[0].Entry.HasAttendees = true }, ""},
		{"type left the policy", func(d *draft) { d.lines[0].Entry.ExpenseType = "GONE" }, "ERROR NOTYPE E"},
		{"type of an itemization left the policy", func(d *draft) { d.itemize(20 * unit); d.lines[0].Itemizations[0].ExpenseType = "GONE" }, "ERROR NOTYPE E/I1"},
		{"no rate", func(d *draft) { d.lines[0].Entry.RateUnknown = true }, "WARNING NORATE E"},

		{"today", func(d *draft) { d.lines[0].Entry.TransactionDate = 20250311 }, ""},
		{"a day that has begun nowhere", func(d *draft) { d.lines[0].Entry.TransactionDate = 20250312 }, "WARNING FUTUREDATE E"},

		{"allocated in whole", func(d *draft) { d.allocate("", "60", "40") }, ""},
		{"allocated in part", func(d *draft) { d.allocate("", "60", "30") }, "ERROR ALLOCSUM E"},
		{"allocated twice", func(d *draft) { d.allocate("", "100", "0.00001") }, "ERROR ALLOCSUM E"},
		{"allocated by thirds", func(d *draft) { d.allocate("", "33.33333333", "33.33333333", "33.33333333") }, ""},
		{"allocated by rough thirds", func(d *draft) { d.allocate("", "33.3333", "33.3333", "33.3333") }, "ERROR ALLOCSUM E"},
		{"an itemization is allocated in part", func(d *draft) {
			d.itemize(12*unit, 8*unit)
			d.allocate("I1", "100")
			d.allocate("I2", "50", "40")
		}, "ERROR ALLOCSUM E/I2"},

		{"another with the same amount", func(d *draft) { d.lines[0].SameEntries = []string{"May"} }, "WARNING DUPENTRY E"},
		{"another with the same image", func(d *draft) { d.lines[0].SameImages = []string{"May"} }, "WARNING DUPIMAGE E"},

		{"report field is empty", func(d *draft) { d.require(org.ReportForm, "Custom1") }, "ERROR REQFIELD report"},
		{"report field is filled", func(d *draft) { d.require(org.ReportForm, "Custom1"); d.report.Customs[0].Value = "Sales" }, ""},
		{"entry field is empty", func(d *draft) { d.require(org.EntryForm, "Custom40") }, "ERROR REQFIELD E"},
		{"entry field is filled", func(d *draft) { d.require(org.EntryForm, "Custom40"); d.lines[0].Entry.Customs[39].Value = "x" }, ""},
		{"entry unit is empty", func(d *draft) { d.require(org.EntryForm, "OrgUnit1"); d.lines[0].Entry.Customs[0].Value = "x" }, "ERROR REQFIELD E"},
		{"entry unit is filled from a list", func(d *draft) { d.require(org.EntryForm, "OrgUnit1"); d.lines[0].Entry.OrgUnits[0].ListItem = "gW1" }, ""},
		{"itemization field is empty", func(d *draft) { d.require(org.ItemizationForm, "Custom2"); d.itemize(20 * unit) }, "ERROR REQFIELD E/I1"},
		{"itemization field is asked of itemized entries alone", func(d *draft) { d.require(org.ItemizationForm, "Custom2") }, ""},

		{"every entry is judged", func(d *draft) {
			second := newDraftEntry(d.report, "F")
			second.PostedAmount, second.RateUnknown = 500*unit, true
			d.lines[0].Entry.RateUnknown = true
			d.lines = append(d.lines, Lines{Entry: second})
		}, "WARNING NORATE E; ERROR NORECEIPT F; WARNING NORATE F"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.org.Forget() // so that the configuration is the case's own
			d := newDraft(w.config())
			c.edit(d)
			var found []string
			for _, x := range judgeReport(d.cfg, d.report, d.lines, start) {
				if x.Report != "R" || x.Company != d.report.Company || x.Cleared || !strings.HasSuffix(x.Message, ".") {
					t.Errorf("found %+v", x)
				}
				on := "report"
				if x.Entry != "" {
					on = strings.TrimSuffix(x.Entry+"/"+x.Itemization, "/")
				}
				found = append(found, x.Level+" "+x.Code+" "+on)
			}
			if got := strings.Join(found, "; "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// What is judged when an entry is written is what is judged when it is submitted, but
// for what needs its allocations and its doubles.
func TestEntryRulesAreTheReports(t *testing.T) {
	d := newDraft(newWorld(t).config())
	d.require(org.EntryForm, "Custom1")
	d.require(org.ItemizationForm, "Custom1")
	e := d.lines[0].Entry
	e.RateUnknown, e.TransactionDate, e.PostedAmount = true, 20990101, 500*value.MoneyUnit
	d.itemize(3)
	written := judgeEntry(d.cfg, e, d.lines[0].Itemizations, start)
	d.allocate("", "10")
	d.lines[0].SameEntries, d.lines[0].SameImages = []string{"A"}, []string{"B"}
	submitted := judgeReport(d.cfg, d.report, d.lines, start)
	if len(written) != 6 || !slices.Equal(written, submitted[:6]) || len(submitted) != 9 {
		t.Errorf("written: %v\nsubmitted: %v", written, submitted)
	}
	if got := len(blocking(submitted)); got != 5 {
		t.Errorf("%d of them block, want 5", got)
	}
}

func TestSentences(t *testing.T) {
	d := newDraft(newWorld(t).config())
	e := d.lines[0].Entry
	d.taxi.Limit = value.Some(12_50_00 * value.Money(1))
	d.itemize(1 * value.MoneyUnit)
	d.allocate("", "12.5")
	d.require(org.EntryForm, "OrgUnit1")
	d.lines[0].SameEntries = []string{"One", "Two", "Three", "Four", "Five"}
	e.RateUnknown, e.TransactionDate, e.TransactionCurrency, e.TransactionAmount = true, 20260101, "JPY", 2000*value.MoneyUnit
	var got []string
	for _, x := range judgeReport(d.cfg, d.report, d.lines, start) {
		got = append(got, x.Message)
	}
	want := []string{
		"Taxi costs 20.00 USD; the policy's limit is 12.50 USD.",
		"No exchange rate from JPY to USD is known for 2026-01-01, so 1 was taken. Give the entry its rate.",
		"The transaction date 2026-01-01 is in the future.",
		"Cost Center (OrgUnit1) must be filled in.",
		"The itemizations add up to 1 JPY; the entry is 2000 JPY. Itemize the rest, or correct the amounts.",
		"The allocations of the entry add up to 12.5 %; they must make 100 %.",
		"Another expense has the same amount, date and vendor. It is in the report “One”, “Two”, “Three” and 2 more.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the sentences are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFarthestDay(t *testing.T) {
	for _, c := range []struct {
		at   string
		want value.Date
	}{
		{"2025-03-11T09:59:59Z", 20250311},
		{"2025-03-11T10:00:00Z", 20250312},
		{"2025-12-31T23:00:00Z", 20260101},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := farthest(value.InstantOf(at)); got != c.want {
			t.Errorf("at %s it is %s somewhere, want %s", c.at, got, c.want)
		}
	}
}
