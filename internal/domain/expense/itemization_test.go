package expense

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// part is the body of an itemization with these further members.
func part(entry, amount, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"EntryID":"{` + entry + `}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":` + amount + more + `}`
}

func TestItemizations(t *testing.T) {
	everywhere(t, func(w *world) {
		oslo := w.config().Locations()[3]
		w.kept["place"] = oslo.ID
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(strings.Replace(lunch("r", "30"), "USD", "EUR", 1), "}") + `,"LocationID":"{place}"}`, keep: "e"},
			step{as: "ann", call: "POST /expense/itemizations", keep: "a",
				body: part("e", `"10.000000000000001"`, `"IsPersonal":"N","IsBillable":1,"Comment":"dry","Description":"Starter","Custom1":"why","Custom2":{"Value":"EMBER"},"OrgUnit1":"410","Custom40":"`+strings.Repeat("x", 64)+`","Unknown":1`)},
			step{as: "ann", call: "GET /expense/itemizations/{a}", want: "ID={a}; EntryID={e}; ReportID={r}; ReportOwnerID=ann@demo.test; TransactionAmount=10; PostedAmount=10.39; ApprovedAmount=10.39; " +
				"TransactionDate=2025-03-10T00:00:00; LastModified=2025-03-11T09:30:00; ExpenseTypeCode=LUNCH; ExpenseTypeName=Lunch; SpendCategoryCode=MEALA; AllocationType=N; IsPersonal=false; IsBillable=true; " +
				"HasComments=true; Comment=; HasExceptions=false; IsImageRequired=false; Description=Starter; Custom1.Value=why; Custom1.Type=Text; Custom2.Value=Ember; Custom2.Code=EMBER; Custom2.Type=List; OrgUnit1.Value=Finance; " +
				"Custom40.Value=" + strings.Repeat("x", 64) + "; LocationID={place}; LocationName=" + oslo.Name + "; LocationCountry=" + oslo.Country + "; LocationSubdivision=" + oslo.Subdivision +
				"; URI=https://spend.example/api/v3.0/expense/itemizations/{a}"},
			// The rest is missing, which is remarked on the entry.
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasItemizations=true; HasExceptions=true; PostedAmount=31.17; ApprovedAmount=31.17"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10", `"IsPersonal":true`), keep: "b"},
			step{as: "ann", call: "GET /expense/itemizations/{b}", want: "PostedAmount=10.39; ApprovedAmount=0; IsPersonal=true"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=31.17; PersonalAmount=10.39; TotalClaimedAmount=20.78; TotalApprovedAmount=20.78; AmountDueEmployee=20.78; HasException=true"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10.01", ""), status: 400, want: "TransactionAmount: does not fit: the itemizations come to 30.01 EUR, the entry to 30.00 EUR."},
			step{as: "ann", call: "POST /expense/itemizations", body: strings.Replace(part("e", "10", ""), "LUNCH", "dinnr", 1), keep: "c"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false; ApprovedAmount=20.78"},
			step{as: "ann", call: "GET /expense/itemizations", want: "Items=3; Items[0].ID={a}; Items[2].ID={c}; Items[2].ExpenseTypeCode=DINNR; NextPage="},
			step{as: "ann", call: "GET /expense/itemizations/gWnone", status: 404},
		)
		w.sound()
		w.now = w.now.Add(time.Hour)
		w.run(
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{"TransactionAmount":9,"Comment":null,"Custom1":"","OrgUnit1":null,"IsPersonal":true,"TransactionDate":"2025-03-09"}`},
			step{as: "ann", call: "GET /expense/itemizations/{a}", want: "TransactionAmount=9; PostedAmount=9.35; ApprovedAmount=0; HasComments=false; Custom1.Value=; OrgUnit1.Value=; Custom2.Code=EMBER; Description=Starter; TransactionDate=2025-03-09T00:00:00; LastModified=2025-03-11T10:30:00"},
			step{as: "ann", call: "GET /expense/itemizations/{b}", want: "LastModified=2025-03-11T09:30:00"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=31.17; PersonalAmount=19.74; TotalClaimedAmount=11.43; AmountDueEmployee=11.43; LastModifiedDate=2025-03-11T10:30:00"},
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{}`},
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{"ID":"x","ReportID":"x","PostedAmount":1,"Nonsense":[]}`},
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{"TransactionAmount":10.01}`, status: 400, want: "does not fit"},
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{"TransactionAmount":null,"ExpenseTypeCode":null,"TransactionDate":null,"EntryID":null}`, status: 400, want: "TransactionAmount: is required and cannot be cleared"},
			step{as: "ann", call: "PUT /expense/itemizations/{a}", body: `{"ExpenseTypeCode":"NOPE","Custom2":"NONE","Comment":"` + strings.Repeat("x", 501) + `"}`, status: 400, want: "Comment: must be at most 500 characters long; ExpenseTypeCode: is no expense type of the report's policy; Custom2: names no item"},
			step{as: "ann", call: "PUT /expense/itemizations/gWnone", body: `{"Description":"x"}`, status: 404},
			step{as: "ann", call: "DELETE /expense/itemizations/gWnone", status: 404},
			// With the last part gone the entry counts as a whole again.
			step{as: "ann", call: "DELETE /expense/itemizations/{a}"},
			step{as: "ann", call: "GET /expense/itemizations/{a}", status: 404},
			step{as: "ann", call: "DELETE /expense/itemizations/{b}"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "PersonalAmount=0; AmountDueEmployee=31.17"},
			step{as: "ann", call: "DELETE /expense/itemizations/{c}"},
			step{as: "ann", call: "DELETE /expense/itemizations/{c}", status: 404},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasItemizations=false; HasExceptions=false; ApprovedAmount=31.17"},
		)
		w.sound()
	})
}

func TestItemizationRefusals(t *testing.T) {
	long := strings.Repeat("x", 501)
	cases := []refusal{
		{"nothing", `{}`, "EntryID: is required; ExpenseTypeCode: is required; TransactionAmount: is required; TransactionDate: is required"},
		{"empty values", `{"EntryID":"","ExpenseTypeCode":null,"TransactionAmount":"","TransactionDate":""}`, "EntryID: is required; ExpenseTypeCode: is required; TransactionAmount: is required; TransactionDate: is required"},
		{"no such entry", strings.Replace(part("e", "1", ""), "{e}", "gWnone", 1), "EntryID: names no entry that can be changed"},
		{"another's entry", part("bobs", "1", ""), "EntryID: names no entry that can be changed"},
		{"another company's entry", part("eves", "1", ""), "EntryID: names no entry that can be changed"},
		{"a personal entry", part("own", "1", ""), "EntryID: names a personal entry"},
		{"a mileage entry", part("miles", "1", ""), "EntryID: names a mileage entry"},
		{"a mileage type", strings.Replace(part("e", "1", ""), "LUNCH", "MILEG", 1), "ExpenseTypeCode: cannot be the mileage type MILEG"},
		{"no such type", strings.Replace(part("e", "1", ""), "LUNCH", "NOPE", 1), "ExpenseTypeCode: is no expense type of the report's policy"},
		{"no number", part("e", `"one"`, ""), "TransactionAmount: must be a number"},
		{"too much", part("e", "30.01", ""), "TransactionAmount: does not fit: the itemizations come to 30.01 USD, the entry to 30.00 USD"},
		{"far too much", part("e", "922337203685477", ""), "TransactionAmount: does not fit"},
		{"out of range", part("e", "922337203685478", ""), "TransactionAmount: is a number out of range"},
		{"less than nothing for oneself", part("e", "-1", `"IsPersonal":true`), "TransactionAmount: does not fit: the personal itemizations come to -1.00 USD"},
		{"no date", strings.Replace(part("e", "1", ""), "2025-03-10", "2025-02-30", 1), "TransactionDate: must be a date"},
		{"no boolean", part("e", "1", `"IsPersonal":"perhaps"`), "IsPersonal: must be true or false"},
		{"long texts", part("e", "1", `"Description":"`+long[:65]+`","Comment":"`+long+`"`), "Description: must be at most 64 characters long; Comment: must be at most 500 characters long"},
		{"long customs", part("e", "1", `"Custom1":"`+long[:65]+`","OrgUnit3":"`+long[:65]+`"`), "Custom1.Value: must be at most 64; OrgUnit3.Value: must be at most 64"},
		{"no list item", part("e", "1", `"Custom2":"NONE","OrgUnit1":"NONE"`), "Custom2: names no item of its list; OrgUnit1: names no item of its list"},
		{"much at once", `{"EntryID":"{own}","ExpenseTypeCode":"NOPE","TransactionAmount":"x","TransactionDate":"y","IsBillable":7,"Custom2":"NONE"}`,
			"IsBillable: must be true or false; TransactionAmount: must be a number; TransactionDate: must be a date; EntryID: names a personal entry; ExpenseTypeCode: is no expense type; Custom2: names no item"},
	}
	both(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "5"), "}") + `,"IsPersonal":true}`, keep: "own"},
			step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), keep: "miles"},
			step{as: "bob", call: "POST /expense/reports", body: `{"Name":"Bob"}`, keep: "rb"},
			step{as: "bob", call: "POST /expense/entries", body: lunch("rb", "30"), keep: "bobs"},
			step{as: "eve", call: "POST /expense/reports", body: `{"Name":"Eve"}`, keep: "re"},
			step{as: "eve", call: "POST /expense/entries", body: lunch("re", "30"), keep: "eves"},
		)
		w.refuses("POST /expense/itemizations", cases)
		w.run(
			step{as: "ann", call: "GET /expense/itemizations", want: "Items=0"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasItemizations=false; HasExceptions=false"},
		)
		w.sound()
	})
}

// refusal is a body that must be refused, and parts of the message in any order.
type refusal struct{ name, body, want string }

// refuses tries bodies as ann.
func (w *world) refuses(call string, cases []refusal) {
	w.t.Helper()
	for _, c := range cases {
		f := w.step(c.name, step{as: "ann", call: call, body: c.body, status: 400})
		for _, part := range strings.Split(c.want, "; ") {
			if !strings.Contains(f["Message"], part) {
				w.t.Errorf("%s: the message is\n%s\nwithout\n%s", c.name, f["Message"], part)
			}
		}
	}
}

func TestItemizationsOfRefundsAndOtherDigits(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "-30"), keep: "back"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("back", "-31", ""), status: 400, want: "does not fit"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("back", "1", `"IsPersonal":true`), status: 400, want: "does not fit"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("back", "-20", `"IsPersonal":true`)},
			step{as: "ann", call: "POST /expense/itemizations", body: part("back", "-10", "")},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=-30; PersonalAmount=-20; TotalClaimedAmount=-10; AmountDueEmployee=-10; HasException=false"},
			// A discount is a part too, and can go only when what is left still fits.
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "90"), keep: "less"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("less", "-10", ""), keep: "discount"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("less", "100", "")},
			step{as: "ann", call: "DELETE /expense/itemizations/{discount}", status: 400, want: "the itemizations come to 100.00 USD, the entry to 90.00 USD"},
			// An amount has the digits of the entry's currency.
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "1000"), "USD", "JPY", 1), keep: "yen"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("yen", "333.5", ""), keep: "y"},
			step{as: "ann", call: "GET /expense/itemizations/{y}", want: "TransactionAmount=334; PostedAmount=2.12"},
			// The entry follows only as far as its parts fit.
			step{as: "ann", call: "PUT /expense/entries/{yen}", body: `{"TransactionAmount":333}`, status: 400, want: "TransactionAmount: does not fit: the itemizations come to 334 JPY, the entry to 333 JPY."},
			step{as: "ann", call: "PUT /expense/entries/{yen}", body: `{"TransactionAmount":334}`},
			step{as: "ann", call: "GET /expense/itemizations/{y}", want: "PostedAmount=2.12"},
			step{as: "ann", call: "PUT /expense/entries/{yen}", body: `{"ExchangeRate":0.01}`},
			step{as: "ann", call: "GET /expense/itemizations/{y}", want: "PostedAmount=3.34"},
		)
		w.sound()
		// What rounding leaves over is the largest part's, and never makes more than the whole.
		w.run(
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(strings.Replace(lunch("r", "1"), "USD", "EUR", 1), "}") + `,"ExchangeRate":0.5}`, keep: "e"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "0.33", `"IsPersonal":true`), keep: "a"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "0.33", `"IsPersonal":true`), keep: "b"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "0.33", `"IsPersonal":true`), keep: "c"},
			step{as: "ann", call: "GET /expense/itemizations/{a}", want: "PostedAmount=0.16"},
			step{as: "ann", call: "GET /expense/itemizations/{c}", want: "PostedAmount=0.17"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "PostedAmount=0.5; ApprovedAmount=0"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "0.01", "")},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false"},
		)
		w.sound()
	})
}

func TestItemizationMoves(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
			step{as: "bob", call: "POST /expense/reports", body: `{"Name":"Bob"}`, keep: "rb"},
			step{as: "bob", call: "POST /expense/entries", body: lunch("rb", "30"), keep: "bobs"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "20"), keep: "same"},
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("b", "40"), "USD", "EUR", 1), keep: "other"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10", `"IsPersonal":true`), keep: "p"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "20", ""), keep: "q"},
		)
		w.write(func(tx *store.Tx) error {
			return w.expense.Allocate(tx, w.actor("ann"), w.kept["e"], w.kept["p"], []Allocation{{Percentage: wholeAllocation}}, api.Direct())
		})
		w.run(
			step{as: "ann", call: "PUT /expense/itemizations/{p}", body: `{"EntryID":"{same}"}`},
			step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=50; PersonalAmount=10; TotalClaimedAmount=40"},
			step{as: "ann", call: "GET /expense/itemizations?entryID={e}", want: "Items=1"},
			step{as: "ann", call: "PUT /expense/itemizations/{p}", body: `{"EntryID":"{other}","TransactionAmount":15}`},
			step{as: "ann", call: "GET /expense/itemizations/{p}", want: "EntryID={other}; ReportID={b}; TransactionAmount=15; PostedAmount=15.59; IsPersonal=true; AllocationType=F"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID={p}", want: "Items=1; Items[0].EntryID={other}; Items[0].IsHidden=false"},
			step{as: "ann", call: "GET /expense/entries/{same}", want: "HasItemizations=false; ApprovedAmount=20"},
			step{as: "ann", call: "GET /expense/reports/{a}", want: "PersonalAmount=0; TotalApprovedAmount=50"},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=41.56; PersonalAmount=15.59"},
			step{as: "ann", call: "PUT /expense/itemizations/{p}", body: `{"EntryID":"{bobs}"}`, status: 400, want: "EntryID: names no entry"},
			step{as: "wes", call: "PUT /expense/itemizations/{p}", body: `{"EntryID":"{bobs}"}`, status: 400, want: "EntryID: must name an entry of the same owner"},
			step{as: "ann", call: "PUT /expense/itemizations/{q}", body: `{"EntryID":"{other}","TransactionAmount":26}`, status: 400, want: "does not fit"},
			step{as: "ann", call: "GET /expense/itemizations/{q}", want: "EntryID={e}; TransactionAmount=20"},
			// The entry takes its parts along.
			step{as: "ann", call: "PUT /expense/entries/{other}", body: `{"ReportID":"{a}"}`},
			step{as: "ann", call: "GET /expense/itemizations/{p}", want: "ReportID={a}"},
			step{as: "ann", call: "GET /expense/itemizations?reportID={b}", want: "Items=0"},
		)
		w.sound()
		w.submitted("a", step{as: "ann", call: "PUT /expense/itemizations/{p}", body: `{"EntryID":"{e}"}`})
	})
}

// submitted tries steps on a report whose approval has begun: all must be refused. In
// the end it is a draft again.
func (w *world) submitted(report string, steps ...step) {
	w.t.Helper()
	w.exec("UPDATE report SET approval_status = 'A_PEND' WHERE id = ?", w.kept[report])
	for _, s := range steps {
		s.status, s.want = 400, "The report is submitted"
		w.run(s)
	}
	w.exec("UPDATE report SET approval_status = 'A_NOTF' WHERE id = ?", w.kept[report])
}

func TestItemizationsOfSubmittedReports(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10", ""), keep: "i"},
		)
		refused := []step{
			{as: "ann", call: "POST /expense/itemizations", body: part("e", "1", "")},
			{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{"Description":"x"}`},
			{as: "ann", call: "DELETE /expense/itemizations/{i}"},
			{as: "wes", call: "DELETE /expense/itemizations/{i}"},
		}
		w.submitted("r", refused...)
		w.run(step{as: "ann", call: "POST /expense/itemizations", body: part("e", "20", "")})
		w.submit("ann", "r")
		w.run(
			step{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{}`},
			step{as: "ann", call: "GET /expense/itemizations/{i}", want: "Description="},
			// The approver reads, and that is all.
			step{as: "bob", call: "GET /expense/itemizations/{i}", want: "TransactionAmount=10"},
			step{as: "bob", call: "GET /expense/itemizations?reportID={r}", want: "Items=2"},
			step{as: "bob", call: "GET /expense/itemizations?entryID={e}", want: "Items=2"},
			step{as: "bob", call: "GET /expense/itemizations", want: "Items=0"},
			step{as: "bob", call: "PUT /expense/itemizations/{i}", body: `{"Description":"x"}`, status: 403, want: "Only the owner of the report"},
			step{as: "bob", call: "DELETE /expense/itemizations/{i}", status: 403},
		)
		w.act("bob", "r", ActionSendBack)
		w.run(
			step{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{"TransactionAmount":5}`},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "5", "")},
		)
		w.sound()
	})
}

func TestItemizationsOfOthers(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "10", ""), keep: "i"},
		)
		for _, as := range []string{"bob", "eve", "cora", "ivan"} {
			w.run(
				step{as: as, call: "GET /expense/itemizations/{i}", status: 404},
				step{as: as, call: "PUT /expense/itemizations/{i}", body: `{"Description":"x"}`, status: 404},
				step{as: as, call: "DELETE /expense/itemizations/{i}", status: 404},
				step{as: as, call: "GET /expense/itemizations?entryID={e}", want: "Items=0"},
				step{as: as, call: "GET /expense/itemizations?reportID={r}", want: "Items=0"},
				step{as: as, call: "GET /expense/itemizations?user=ann@demo.test", status: 403},
				step{as: as, call: "GET /expense/itemizations?user=ALL", status: 403},
			)
		}
		w.run(
			step{as: "wes", call: "GET /expense/itemizations", want: "Items=0"},
			step{as: "wes", call: "GET /expense/itemizations?user=ALL", want: "Items=1"},
			step{as: "wes", call: "GET /expense/itemizations?user=ANN@demo.test", want: "Items=1"},
			step{as: "wes", call: "GET /expense/itemizations?user=nobody@demo.test", status: 400, want: "Invalid User"},
			step{as: "wes", call: "GET /expense/itemizations?user=eve@other.test", status: 400, want: "Invalid User"},
			step{as: "wes", call: "GET /expense/itemizations/{i}", want: "ID={i}"},
			step{as: "wes", call: "GET /expense/itemizations/{i}?user=bob@demo.test", status: 404},
			step{as: "wes", call: "PUT /expense/itemizations/{i}?user=ann@demo.test", body: `{"Description":"by wes"}`},
			step{as: "company", call: "GET /expense/itemizations", want: "Items=1; Items[0].Description=by wes"},
			step{as: "company", call: "POST /expense/itemizations?user=ann@demo.test", body: part("e", "5", ""), keep: "j"},
			step{as: "company", call: "GET /expense/itemizations/{j}", want: "ReportOwnerID=ann@demo.test"},
			step{as: "company", call: "DELETE /expense/itemizations/{j}"},
			step{as: "unscoped", call: "GET /expense/itemizations", status: 403, want: "EXPRPT"},
			step{call: "GET /expense/itemizations", status: 401},
		)
		w.sound()
	})
}

func TestItemizationFilters(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "40"), keep: "f"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("b", "50"), keep: "g"},
		)
		for _, p := range []struct{ name, entry, kind string }{{"one", "e", "LUNCH"}, {"two", "e", "DINNR"}, {"three", "f", "LUNCH"}, {"four", "g", "LUNCH"}, {"five", "g", "DINNR"}} {
			w.run(step{as: "ann", call: "POST /expense/itemizations", body: strings.Replace(part(p.entry, "1", `"Description":"`+p.name+`"`), "LUNCH", p.kind, 1)})
		}
		w.finds("/expense/itemizations", "Description", 5, map[string]string{
			"":                                   "one two three four five",
			"reportID={a}":                       "one two three",
			"REPORTID={b}":                       "four five",
			"reportID=none":                      "",
			"entryID={e}":                        "one two",
			"entryID=gWnone":                     "",
			"expenseTypeCode=DINNR":              "two five",
			"expenseTypeCode=dinnr":              "two five",
			"expenseTypeCode=TAXIX":              "",
			"expenseTypeCode=none":               "",
			"reportID={a}&entryID={g}":           "",
			"reportID={b}&entryID={g}":           "four five",
			"entryID={g}&expenseTypeCode=LUNCH":  "four",
			"reportID={a}&expenseTypeCode=LUNCH": "one three",
			"expenseTypeCode=&entryID={f}":       "three",
		})
		w.pages("/expense/itemizations", "Description", "one two three four five")
	})
}

// finds checks what a list finds by these queries, as ann: the values of a field.
func (w *world) finds(path, field string, most int, queries map[string]string) {
	w.t.Helper()
	for query, want := range queries {
		f := w.step(query, step{as: "ann", call: "GET " + path + "?" + query})
		var got []string
		for i := range most {
			if d := f["Items["+strconv.Itoa(i)+"]."+field]; d != "" {
				got = append(got, d)
			}
		}
		if strings.Join(got, " ") != want {
			w.t.Errorf("%s?%s finds %v, want %s", path, query, got, want)
		}
	}
}

// pages walks through a list of ann's in pages of every size, by NextPage and by
// counting, and tries limits and offsets that are none.
func (w *world) pages(path, field, want string) {
	w.t.Helper()
	names := strings.Fields(want)
	for limit := 1; limit <= len(names)+1; limit++ {
		var got, counted []string
		for call := "GET " + path + "?limit=" + strconv.Itoa(limit); call != "" && len(got) <= len(names); {
			f := w.step(call, step{as: "ann", call: call})
			for i := range limit {
				if d := f["Items["+strconv.Itoa(i)+"]."+field]; d != "" {
					got = append(got, d)
				}
			}
			call = ""
			if f["NextPage"] != "" {
				call = "GET " + f["NextPage"]
			}
		}
		for at := 0; at <= len(names); at += limit {
			f := w.step("count", step{as: "ann", call: "GET " + path + "?limit=" + strconv.Itoa(limit) + "&offset=" + strconv.Itoa(at)})
			for i := range limit {
				if d := f["Items["+strconv.Itoa(i)+"]."+field]; d != "" {
					counted = append(counted, d)
				}
			}
		}
		if strings.Join(got, " ") != want || strings.Join(counted, " ") != want {
			w.t.Errorf("%s in pages of %d: %v, counted %v, want %s", path, limit, got, counted, want)
		}
	}
	for _, bad := range []string{"limit=0", "limit=-1", "limit=101", "limit=x", "limit=1e9", "limit=99999999999999999999"} {
		w.run(step{as: "ann", call: "GET " + path + "?" + bad, status: 400, want: "limit: must be a whole number from 1 to 100"})
	}
	w.run(
		step{as: "ann", call: "GET " + path + "?limit=100&offset=1000000", want: "Items=0; NextPage="},
		step{as: "ann", call: "GET " + path + "?offset=1000001", status: 400, want: "offset: is a position beyond"},
		step{as: "ann", call: "GET " + path + "?offset=-1", status: 400, want: "offset: is not one"},
		step{as: "ann", call: "GET " + path + "?offset=nonsense", status: 400, want: "offset: is not one"},
		step{as: "ann", call: "GET " + path + "?limit=1", keep: "next"},
	)
	token := regexp.MustCompile(`offset=([^&]+)`).FindStringSubmatch(w.kept["next"])[1]
	w.kept["token"] = token
	w.run(
		step{as: "ann", call: "GET /expense/reports?offset={token}", status: 400, want: "offset: is not one"},
		step{as: "ann", call: "GET " + path + "?offset={token}&limit=2"},
		step{as: "eve", call: "GET " + path + "?offset={token}", status: 400, want: "offset: is not one"},
	)
}

func TestWholeItemizationSentBackChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.kept["place"] = w.config().Locations()[3].ID
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(strings.Replace(lunch("r", "30"), "USD", "EUR", 1), "}") + `,"LocationID":"{place}"}`, keep: "e"},
		step{as: "ann", call: "POST /expense/itemizations", body: part("e", "9.99", `"Custom1":"x","Custom2":"BEACON","OrgUnit1":"410","Comment":"c","IsPersonal":true`), keep: "i"},
		step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"PRIVATE","LastName":"Lee","Custom1":"x","Custom25":"y","TotalAmountYTD":12.5}`, keep: "a"},
		step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{a}","Custom2":"z"}`, keep: "x"},
	)
	w.now = w.now.Add(time.Hour)
	for _, path := range []string{"itemizations/" + w.kept["i"], "attendees/" + w.kept["a"], "entryattendeeassociations/" + w.kept["x"]} {
		path = "/api/v3.0/expense/" + path
		for _, format := range []struct{ as, media string }{{"ann", inJSON}, {"ann", inXML}, {"ann!", inJSON}, {"ann!", inXML}} {
			get := w.send(format.as, "GET", path, "", format.media, "")
			if put := w.send(format.as, "PUT", path, format.media, format.media, get.body); put.status/100 != 2 {
				t.Fatalf("%v: %d %s", format, put.status, put.body)
			}
			if again := w.send(format.as, "GET", path, "", format.media, ""); again.body != get.body {
				t.Errorf("%v: was\n%s\nis\n%s", format, get.body, again.body)
			}
		}
	}
	w.sound()
}

// Of many who split parts off one entry, those succeed whose parts fit.
func TestItemizationsAtTheSameTime(t *testing.T) {
	race := func(t *testing.T, w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"race"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "50"), keep: "e"},
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"SPOUSE","LastName":"Lee"}`, keep: "g"},
		)
		var all sync.WaitGroup
		var mu sync.Mutex
		made, joined := 0, 0
		for range 12 {
			all.Go(func() {
				a := w.send("ann", "POST", "/api/v3.0/expense/itemizations", inJSON, inJSON, w.fill(part("e", "7", "")))
				b := w.send("ann", "POST", "/api/v3.0/expense/entryattendeeassociations", inJSON, inJSON, w.fill(`{"EntryID":"{e}","AttendeeID":"{g}"}`))
				mu.Lock()
				defer mu.Unlock()
				if a.status == 200 {
					made++
				} else if a.status != 400 {
					t.Error(a.status, a.body)
				}
				if b.status == 200 {
					joined++
				} else if b.status != 400 {
					t.Error(b.status, b.body)
				}
			})
		}
		all.Wait()
		if made != 7 || joined != 1 {
			t.Errorf("%d parts of 7 were made of 50, and the guest was added %d times", made, joined)
		}
		w.run(
			step{as: "ann", call: "GET /expense/itemizations", want: "Items=7"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=50"},
		)
		w.sound()
	}
	t.Run("sqlite", func(t *testing.T) { race(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { race(t, newPostgresWorld(t)) })
}

func TestMostItemizations(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "600"), keep: "e"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "6"), keep: "f"},
		step{as: "ann", call: "POST /expense/itemizations", body: part("f", "1", ""), keep: "i"},
	)
	w.write(func(tx *store.Tx) error {
		e, err := entries.Get(tx, store.Unrestricted(), w.kept["e"])
		if err != nil {
			return err
		}
		for n := range maxItemizations - 1 {
			if err := itemizations.Insert(tx, &Itemization{ID: "gWpart" + strconv.Itoa(n), Entry: e.ID, Report: e.Report, Company: e.Company, Owner: e.Owner, ExpenseType: "LUNCH",
				TransactionDate: e.TransactionDate, TransactionAmount: value.MoneyUnit, PostedAmount: value.MoneyUnit, ApprovedAmount: value.MoneyUnit}); err != nil {
				return err
			}
		}
		e.HasItemizations = true
		return entries.Update(tx, e)
	})
	w.run(
		step{as: "ann", call: "POST /expense/itemizations", body: part("e", "1", "")},
		step{as: "ann", call: "POST /expense/itemizations", body: part("e", "1", ""), status: 400, want: "EntryID: names an entry with 500 itemizations"},
		step{as: "ann", call: "PUT /expense/itemizations/{i}", body: `{"EntryID":"{e}"}`, status: 400, want: "EntryID: names an entry with 500 itemizations"},
		step{as: "ann", call: "GET /expense/itemizations/{i}", want: "EntryID={f}"},
	)
	w.sound()
}

// What callers in the program set is kept.
func TestItemizationWithoutHTTP(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
	)
	place := w.config().Locations()[5]
	w.write(func(tx *store.Tx) (err error) {
		w.kept["i"], err = w.expense.CreateItemization(tx, w.actor("ann"), &Itemization{Entry: w.kept["e"], ExpenseType: "LUNCH", TransactionDate: 20250310,
			TransactionAmount: 7 * value.MoneyUnit, Location: place.ID}, api.Direct())
		return err
	})
	w.run(step{as: "ann", call: "GET /expense/itemizations/{i}", want: "TransactionAmount=7; LocationName=" + place.Name})
	w.write(func(tx *store.Tx) error {
		old, err := w.expense.itemizationToChange(tx, w.actor("ann"), w.kept["i"])
		if err != nil {
			return err
		}
		changed := *old
		changed.TransactionAmount = 9 * value.MoneyUnit
		return w.expense.UpdateItemization(tx, w.actor("ann"), old, &changed, api.Direct())
	})
	w.run(step{as: "ann", call: "GET /expense/itemizations/{i}", want: "TransactionAmount=9"})
	for _, i := range []Itemization{{}, {Entry: w.kept["e"]}} {
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := w.expense.CreateItemization(tx, w.actor("ann"), &i, api.Direct())
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "required") {
			t.Errorf("an itemization of nothing: %v", err)
		}
	}
	w.sound()
}
