package expense

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/wire/wiretest"
)

// row is a row of a list as an answer shows it.
type row map[string]string

// all walks through a list in pages of a size, from one to the next.
func (w *world) all(as, call string, limit int) []row { return w.walk(as, call, limit, false) }

// walk is all; a client that counts names the position of each page itself.
func (w *world) walk(as, call string, limit int, counts bool) (rows []row) {
	w.t.Helper()
	first := "GET " + call + "&limit=" + strconv.Itoa(limit)
	call = first
	for turn := 0; call != ""; turn++ {
		if turn == 500 {
			w.t.Fatal(call, "has no end")
		}
		f := w.step(call, step{as: as, call: call})
		n, err := strconv.Atoi(f["Items"])
		if err != nil || n > limit {
			w.t.Fatalf("%s has %q rows", call, f["Items"])
		}
		page := make([]row, n)
		for key, v := range f {
			if rest, ok := strings.CutPrefix(key, "Items["); ok {
				number, name, _ := strings.Cut(rest, "].")
				at, err := strconv.Atoi(number)
				if err != nil {
					w.t.Fatal(key)
				}
				if page[at] == nil {
					page[at] = row{}
				}
				page[at][name] = v
			}
		}
		rows = append(rows, page...)
		if f["NextPage"] == "" {
			break
		}
		if call = "GET " + f["NextPage"]; counts {
			call = first + "&offset=" + strconv.Itoa(len(rows))
		}
	}
	return rows
}

func idsOf(rows []row) []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r["ID"]
	}
	return ids
}

// asked is a filter of a list, and for which of the rows shown it holds.
type asked struct {
	query string
	holds func(r row) bool
}

// However records were made, changed, moved and removed, every filter, alone and with
// another, finds just the rows for which it holds by what the services show: in one
// list of the company, in that of a user, and page by page.
func TestFiltersFindWhatIsShown(t *testing.T) {
	for name, make := range map[string]func(testing.TB) *world{"sqlite": newWorld, "postgres": newPostgresWorld} {
		t.Run(name, func(t *testing.T) {
			w := make(t)
			r := rand.New(rand.NewPCG(7, 11))
			w.person("ivan", func(u *org.User) { u.Currency, u.Country, u.Test, u.Reimbursement = "EUR", "DE", true, "ADPPAYR" })
			f := w.scramble(r)
			w.filtersHold(r, "/expense/reports?", f.reports())
			w.filtersHold(r, "/expense/entries?", f.entries())
			w.sound()
		})
	}
}

// people own what is filtered.
var people = []string{"ann", "bob", "ivan"}

// shown is everything that the filters are held against.
type shown struct {
	w          *world
	byReport   map[string][]row // entries
	kinds      map[string]string
	attendees  map[string][]string // ids by entry
	types      map[string][]string // codes of attendee types by entry
	paymentIDs map[string]string   // by code
	images     map[string]bool     // reports with an image of their own
}

// scramble makes reports of several people with all that is below them and changes it
// at random.
func (w *world) scramble(r *rand.Rand) shown {
	w.t.Helper()
	s := shown{w: w, byReport: map[string][]row{}, attendees: map[string][]string{}, types: map[string][]string{}, paymentIDs: map[string]string{}, images: map[string]bool{}, kinds: map[string]string{}}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	type owned struct{ owner, id string }
	var reports, entries, associations []owned
	guests := map[string][]string{}
	for _, as := range people {
		for _, kind := range []string{"BUSGUEST", "SPOUSE", "PRIVATE"} {
			w.run(step{as: as, call: "POST /expense/attendees", body: guest(kind, "Guest", ""), keep: "g"})
			guests[as] = append(guests[as], w.kept["g"])
			s.kinds[w.kept["g"]] = kind
		}
	}
	for _, code := range []string{"CASHX", "CPAID", "PENDC"} {
		p, _ := w.config().PaymentType(code, "")
		s.paymentIDs[code] = p.ID
	}
	try := func(as, method, path, body string) string {
		a := w.send(as, method, w.fill(path), inJSON, inJSON, w.fill(body))
		if a.status != 200 && a.status != 204 && a.status != 400 && a.status != 404 && a.status != 409 {
			w.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		if a.status == 200 && method == "POST" {
			return wiretest.Fields(w.t, a.body)["ID"]
		}
		return ""
	}
	const v3 = "/api/v3.0/expense/"
	for range 260 {
		w.now = w.now.Add(time.Minute)
		as := pick(people...)
		of := func(list []owned) owned {
			var mine []owned
			for _, o := range list {
				if o.owner == as {
					mine = append(mine, o)
				}
			}
			if len(mine) == 0 {
				return owned{as, "none"}
			}
			return mine[r.IntN(len(mine))]
		}
		switch n := r.IntN(20); {
		case n < 2 || len(reports) < 6:
			id := try(as, "POST", v3+"reports", fmt.Sprintf(`{"Name":"R","UserDefinedDate":"2025-0%d-01"}`, 1+r.IntN(4)))
			reports = append(reports, owned{as, id})
		case n < 8:
			if id := try(as, "POST", v3+"entries", fmt.Sprintf(`{"ReportID":"%s","ExpenseTypeCode":"%s","TransactionDate":"2025-0%d-1%d","TransactionAmount":%d,"TransactionCurrencyCode":"USD","PaymentTypeID":"%s","VendorDescription":"%s","IsBillable":%t}`,
				of(reports).id, pick("LUNCH", "CELPH", "TAXIX"), 1+r.IntN(3), r.IntN(10), 5+r.IntN(50), pick("CASHX", "CPAID", "PENDC"), pick("", "Café Ürün", "CAFÉ ÜRÜN", "Telco"), r.IntN(4) == 0)); id != "" {
				entries = append(entries, owned{as, id})
			}
		case n < 10:
			try(as, "PUT", v3+"entries/"+of(entries).id, fmt.Sprintf(`{"ReportID":"%s"}`, of(reports).id))
		case n < 12:
			try(as, "PUT", v3+"entries/"+of(entries).id, fmt.Sprintf(`{"ExpenseTypeCode":"%s","TransactionDate":"2025-0%d-15","PaymentTypeID":"%s","VendorDescription":"%s","IsBillable":%t}`,
				pick("LUNCH", "CELPH", "TAXIX"), 1+r.IntN(4), pick("CASHX", "CPAID", "PENDC"), pick("", "Café Ürün", "Telco"), r.IntN(3) == 0))
		case n < 15:
			if id := try(as, "POST", v3+"entryattendeeassociations", fmt.Sprintf(`{"EntryID":"%s","AttendeeID":"%s"}`, of(entries).id, pick(guests[as]...))); id != "" {
				associations = append(associations, owned{as, id})
			}
		case n < 16:
			try(as, "DELETE", v3+"entryattendeeassociations/"+of(associations).id, "")
		case n < 17:
			try(as, "DELETE", v3+"entries/"+of(entries).id, "")
		case n < 18:
			if e := of(entries); e.id != "none" {
				a := w.send(as, "POST", "/api/image/v1.0/expenseentry/"+e.id, "image/jpeg", "", string(pictures(r.Uint64N(1000))))
				if a.status != 201 && a.status != 400 && a.status != 404 && a.status != 409 {
					w.t.Fatal(a.status, a.body)
				}
			}
		case n < 19:
			if e := of(entries); e.id != "none" {
				w.send(as, "DELETE", "/api/image/v1.0/expenseentry/"+e.id, "", "", "")
			}
		default:
			rep := of(reports)
			if rep.id == "none" {
				continue
			}
			switch r.IntN(3) {
			case 0:
				if a := w.send(as, "POST", "/api/image/v1.0/report/"+rep.id, "image/jpeg", "", string(pictures(r.Uint64N(1000)))); a.status == 201 {
					s.images[rep.id] = true
				}
			case 1:
				w.send(as, "PATCH", "/expensereports/v4/users/"+w.actor(as).ID+"/reports/"+rep.id+"/submit", "", inJSON, "")
			default:
				w.send(as, "PATCH", "/expensereports/v4/users/"+w.actor(as).ID+"/context/TRAVELER/reports/"+rep.id+"/recall", inJSON, inJSON, `{"comment":"x"}`)
			}
		}
	}
	for i, rep := range reports {
		if i%3 == 0 { // some cannot be: they have no entries, or one that lacks its receipt
			w.now = w.now.Add(time.Minute)
			w.send(rep.owner, "PATCH", "/expensereports/v4/users/"+w.actor(rep.owner).ID+"/reports/"+rep.id+"/submit", "", inJSON, "")
		}
	}
	for _, e := range w.all("wes", "/expense/entries?user=ALL", 100) {
		s.byReport[e["ReportID"]] = append(s.byReport[e["ReportID"]], e)
	}
	for _, x := range w.all("wes", "/expense/entryattendeeassociations?user=ALL", 100) {
		s.attendees[x["EntryID"]] = append(s.attendees[x["EntryID"]], x["AttendeeID"])
		s.types[x["EntryID"]] = append(s.types[x["EntryID"]], s.kinds[x["AttendeeID"]])
	}
	return s
}

// any holds for reports with an entry for which a condition holds.
func (s shown) any(holds func(e row) bool) func(row) bool {
	return func(r row) bool { return slices.ContainsFunc(s.byReport[r["ID"]], holds) }
}

func is(field, value string) func(row) bool { return func(r row) bool { return r[field] == value } }

func not(holds func(row) bool) func(row) bool { return func(r row) bool { return !holds(r) } }

func (s shown) reports() []asked {
	withType := func(code string) func(row) bool {
		return s.any(func(e row) bool { return slices.Contains(s.types[e["ID"]], code) })
	}
	images := func(r row) bool { return s.images[r["ID"]] || s.any(is("HasImage", "true"))(r) }
	return []asked{
		{"approvalStatusCode=A_NOTF", is("ApprovalStatusCode", "A_NOTF")},
		{"approvalStatusCode=a_pend", is("ApprovalStatusCode", "A_PEND")},
		{"approvalStatusCode=A_NOTF,A_PEND,A_NOTF", func(row) bool { return true }},
		{"approvalStatusCode=A_APPR,A_RESU", func(row) bool { return false }},
		{"paymentStatusCode=P_NOTP,P_PAID", func(row) bool { return true }},
		{"currencyCode=EUR", is("CurrencyCode", "EUR")},
		{"countryCode=us", is("Country", "US")},
		{"isTestUser=true", is("OwnerLoginID", "ivan@demo.test")},
		{"isTestUser=false", not(is("OwnerLoginID", "ivan@demo.test"))},
		{"reimbursementMethod=ADPPAYR", is("OwnerLoginID", "ivan@demo.test")},
		{"paymentType=CPAID", s.any(is("PaymentTypeID", s.paymentIDs["CPAID"]))},
		{"paymentType=" + s.paymentIDs["PENDC"], s.any(is("PaymentTypeID", s.paymentIDs["PENDC"]))},
		{"expenseTypeCode=celph", s.any(is("ExpenseTypeCode", "CELPH"))},
		{"expenseTypeCode=NONE", func(row) bool { return false }},
		{"attendeeTypeCode=SPOUSE", withType("SPOUSE")},
		{"attendeeTypeCode=private", withType("PRIVATE")},
		{"vendorName=caf%C3%A9%20%C3%9Cr%C3%BCn", s.any(func(e row) bool { return strings.EqualFold(e["VendorDescription"], "café ürün") })},
		{"hasVAT=true", s.any(is("HasVAT", "true"))},
		{"hasVAT=false", not(s.any(is("HasVAT", "true")))},
		{"hasImages=true", images},
		{"hasImages=false", not(images)},
		{"hasAttendees=true", s.any(is("HasAttendees", "true"))},
		{"hasAttendees=false", not(s.any(is("HasAttendees", "true")))},
		{"hasBillableExpenses=true", s.any(is("IsBillable", "true"))},
		{"hasBillableExpenses=false", not(s.any(is("IsBillable", "true")))},
		{"entryTransactionDateBefore=2025-01-15", s.any(func(e row) bool { return e["TransactionDate"] < "2025-01-15" })},
		{"entryTransactionDateAfter=2025-03-14", s.any(func(e row) bool { return e["TransactionDate"] > "2025-03-14T00:00:00" })},
		{"userDefinedDateBefore=2025-03-01", func(r row) bool { return r["UserDefinedDate"] < "2025-03-01" }},
		{"userDefinedDateAfter=2025-02-01", func(r row) bool { return r["UserDefinedDate"] > "2025-02-01T00:00:00" }},
		{"createDateAfter=2025-03-11T10:30:00", func(r row) bool { return r["CreateDate"] > "2025-03-11T10:30:00" }},
		{"createDateBefore=2025-03-11T10:30:00", func(r row) bool { return r["CreateDate"] < "2025-03-11T10:30:00" }},
		{"modifiedDateAfter=2025-03-11T13:00:00", func(r row) bool { return r["LastModifiedDate"] > "2025-03-11T13:00:00" }},
		{"modifiedDateBefore=2025-03-11T13:00:00", func(r row) bool { return r["LastModifiedDate"] < "2025-03-11T13:00:00" }},
		{"submitDateAfter=2025-03-11T11:00:00", func(r row) bool { return r["SubmitDate"] > "2025-03-11T11:00:00" }},
		{"submitDateBefore=2025-03-11T13:55:00", func(r row) bool { return r["SubmitDate"] != "" && r["SubmitDate"] < "2025-03-11T13:55:00" }},
		{"paidDateBefore=2030-01-01", is("PaidDate", "never")},
	}
}

func (s shown) entries() []asked {
	first := ""
	for id := range s.byReport {
		if first == "" || id < first {
			first = id
		}
	}
	var guest string
	for _, ids := range s.attendees {
		for _, id := range ids {
			if guest == "" || id < guest {
				guest = id
			}
		}
	}
	return []asked{
		{"reportID=" + first, is("ReportID", first)},
		{"reportID=none", func(row) bool { return false }},
		{"paymentTypeID=cpaid", is("PaymentTypeID", s.paymentIDs["CPAID"])},
		{"paymentTypeID=" + s.paymentIDs["CASHX"], is("PaymentTypeID", s.paymentIDs["CASHX"])},
		{"isBillable=true", is("IsBillable", "true")},
		{"isBillable=false", is("IsBillable", "false")},
		{"attendeeTypeCode=BUSGUEST", func(e row) bool { return slices.Contains(s.types[e["ID"]], "BUSGUEST") }},
		{"attendeeTypeCode=SPOUSE", func(e row) bool { return slices.Contains(s.types[e["ID"]], "SPOUSE") }},
		{"hasAttendees=true", func(e row) bool { return len(s.attendees[e["ID"]]) > 0 }},
		{"hasAttendees=false", func(e row) bool { return len(s.attendees[e["ID"]]) == 0 }},
		{"hasVAT=true", is("HasVAT", "true")},
		{"hasVAT=false", is("HasVAT", "false")},
		{"expenseTypeCode=Lunch", is("ExpenseTypeCode", "LUNCH")},
		{"expenseTypeCode=TAXIX", is("ExpenseTypeCode", "TAXIX")},
		{"attendeeID=" + guest, func(e row) bool { return slices.Contains(s.attendees[e["ID"]], guest) }},
		{"attendeeID=none", func(row) bool { return false }},
	}
}

// filtersHold tries every filter of a list alone and many pairs of them.
func (w *world) filtersHold(r *rand.Rand, path string, filters []asked) {
	w.t.Helper()
	whole := map[string][]row{}
	users := map[string]string{"user=ALL": "wes", "user=ann@demo.test": "wes", "user=ivan@demo.test": "ivan"}
	for user, as := range users {
		whole[user] = w.all(as, path+user, 100)
		if len(whole[user]) < 3 {
			w.t.Fatalf("%s%s has %d rows", path, user, len(whole[user]))
		}
	}
	try := func(query string, holds func(row) bool) {
		w.t.Helper()
		for user, as := range users {
			var want []string
			for _, one := range whole[user] {
				if holds(one) {
					want = append(want, one["ID"])
				}
			}
			limit := 2 + r.IntN(8)
			got := idsOf(w.all(as, path+user+"&"+query, limit))
			if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				w.t.Errorf("%s%s&%s in pages of %d finds\n%v, what is shown says\n%v", path, user, query, limit, got, want)
			}
			if counted := idsOf(w.walk(as, path+user+"&"+query, limit+3, true)); !slices.Equal(got, counted) {
				w.t.Errorf("%s%s&%s in pages of %d finds\n%v, and for those who count\n%v", path, user, query, limit, got, counted)
			}
		}
	}
	for i, a := range filters {
		try(a.query, a.holds)
		b := filters[r.IntN(len(filters))]
		if name, _, _ := strings.Cut(a.query, "="); i%2 == 0 && !strings.HasPrefix(b.query, name+"=") {
			try(a.query+"&"+b.query, func(x row) bool { return a.holds(x) && b.holds(x) })
		}
	}
}
