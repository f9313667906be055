package expense

import (
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// guests makes attendees and keeps them under their names.
func (w *world) guests(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.run(step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", name, ""), keep: name})
	}
}

// shares reads the shares of an entry's attendees, in order of creation.
func (w *world) shares(entry string) string {
	w.t.Helper()
	f := w.step("shares", step{as: "ann", call: "GET /expense/entryattendeeassociations?limit=100&entryID={" + entry + "}"})
	var got []string
	for i := 0; f["Items["+strconv.Itoa(i)+"].ID"] != ""; i++ {
		got = append(got, f["Items["+strconv.Itoa(i)+"].Amount"])
	}
	return strings.Join(got, " ")
}

func (w *world) wantShares(entry, want string) {
	w.t.Helper()
	if got := w.shares(entry); got != want {
		w.t.Errorf("the shares are %s, want %s", got, want)
	}
}

func TestAssociations(t *testing.T) {
	everywhere(t, func(w *world) {
		w.guests("a", "b", "c")
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "100"), keep: "e"},
			step{as: "ann", call: "GET /expense/entryattendeeassociations", want: "Items=0; NextPage="},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", `"Custom1":"x","Custom5":"z"`), keep: "x"},
			step{as: "ann", call: "GET /expense/entryattendeeassociations/{x}", want: "ID={x}; EntryID={e}; AttendeeID={a}; Amount=100; AssociatedAttendeeCount=1; Custom1=x; Custom2=; Custom5=z; URI=https://spend.example/api/v3.0/expense/entryattendeeassociations/{x}"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasAttendees=true; TransactionAmount=100"},
			step{as: "ann", call: "GET /expense/entries?attendeeTypeCode=BUSGUEST", want: "Items=1"},
			step{as: "ann", call: "GET /expense/entries?attendeeID={a}&hasAttendees=true", want: "Items=1"},
			// What is left is split evenly; a coin more for the first.
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "b", ""), keep: "y"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "c", ""), keep: "z"},
		)
		w.wantShares("e", "33.34 33.33 33.33")
		w.run(
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{y}", body: `{"Amount":"20.005","Custom1":"y"}`},
			step{as: "ann", call: "GET /expense/entryattendeeassociations/{y}", want: "Amount=20.01; Custom1=y"},
		)
		w.wantShares("e", "40 20.01 39.99")
		// Heads count: with two unnamed guests it is three shares.
		w.run(step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"AssociatedAttendeeCount":3}`})
		w.wantShares("e", "20 20.01 59.99")
		w.run(
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{y}", body: `{"Amount":null}`},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Custom1":null,"Custom5":"","AssociatedAttendeeCount":null}`},
			step{as: "ann", call: "GET /expense/entryattendeeassociations/{x}", want: "Custom1=; Custom5=; AssociatedAttendeeCount=1; Amount=20"},
		)
		w.wantShares("e", "20 20 60")
		// The entry's amount is followed; given shares stand as long as they fit.
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":50}`},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Amount":40}`},
		)
		w.wantShares("e", "40 2.5 7.5")
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":39.99}`, status: 400, want: "TransactionAmount: does not fit: the shares of the attendees come to 40.00 USD, the entry to 39.99 USD."},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":-40}`, status: 400, want: "TransactionAmount: does not fit"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionCurrencyCode":"JPY","TransactionAmount":55}`},
		)
		w.wantShares("e", "40 4 11")
		w.run(
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{y}", body: `{"Amount":15.4}`},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"Amount":1}`, status: 400, want: "Amount: does not fit: the shares of the attendees come to 56 JPY, the entry to 55 JPY."},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"Amount":56,"AssociatedAttendeeCount":-1}`, status: 400, want: "AssociatedAttendeeCount: must be a whole number from 1 to 100000; Amount: must lie between nothing and the entry's 55 JPY"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"Amount":-1}`, status: 400, want: "Amount: must lie between nothing"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"EntryID":"gWother"}`, status: 400, want: "EntryID: cannot be changed"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"AttendeeID":"{a}","ID":"x"}`, status: 400, want: "AttendeeID: cannot be changed"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{"AttendeeID":"{c}","EntryID":"{e}","Amount":0,"ID":"x"}`},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{z}", body: `{}`},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/gWnone", body: `{}`, status: 404},
		)
		w.wantShares("e", "40 15 0")
		w.run(
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}"},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}", status: 404},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{y}"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasAttendees=true"},
		)
		w.wantShares("e", "55") // 0 was what stood, so it was not given
		w.run(
			step{as: "ann", call: "DELETE /expense/attendees/{c}", status: 400, want: "took part in entries"},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{z}"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasAttendees=false"},
			step{as: "ann", call: "GET /expense/entries?hasAttendees=false", want: "Items=1"},
			step{as: "ann", call: "DELETE /expense/attendees/{c}"},
			// An entry takes its associations along when it goes.
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", ""), keep: "x"},
			step{as: "ann", call: "DELETE /expense/attendees/{a}", status: 400},
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
			step{as: "ann", call: "GET /expense/entryattendeeassociations/{x}", status: 404},
			step{as: "ann", call: "DELETE /expense/attendees/{a}"},
		)
		w.sound()
	})
}

func TestAssociationRefusals(t *testing.T) {
	both(t, func(w *world) {
		w.guests("a", "b")
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "100"), keep: "e"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "b", `"Amount":60`)},
			step{as: "bob", call: "POST /expense/attendees", body: guest("PRIVATE", "x", ""), keep: "bobs"},
			step{as: "eve", call: "POST /expense/attendees", body: guest("SPOUSE", "x", ""), keep: "eves"},
			step{as: "bob", call: "POST /expense/reports", body: `{"Name":"Bob"}`, keep: "rb"},
			step{as: "bob", call: "POST /expense/entries", body: lunch("rb", "30"), keep: "eb"},
		)
		w.refuses("POST /expense/entryattendeeassociations", []refusal{
			{"nothing", `{}`, "EntryID: is required; AttendeeID: is required"},
			{"empty values", `{"EntryID":"","AttendeeID":null,"Amount":"","AssociatedAttendeeCount":""}`, "EntryID: is required; AttendeeID: is required"},
			{"no such entry", `{"EntryID":"gWnone","AttendeeID":"{a}"}`, "EntryID: names no entry"},
			{"another's entry", with("eb", "a", ""), "EntryID: names no entry"},
			{"no such attendee", `{"EntryID":"{e}","AttendeeID":"gWnone"}`, "AttendeeID: names no attendee"},
			{"another's attendee", with("e", "bobs", ""), "AttendeeID: names no attendee"},
			{"another company's", with("e", "eves", ""), "AttendeeID: names no attendee"},
			{"twice", with("e", "b", ""), "AttendeeID: names an attendee whom the entry has already"},
			{"too much", with("e", "a", `"Amount":40.01`), "Amount: does not fit: the shares of the attendees come to 100.01 USD, the entry to 100.00 USD"},
			{"far too much", with("e", "a", `"Amount":922337203685477`), "Amount: must lie between nothing and the entry's 100.00 USD"},
			{"less than nothing", with("e", "a", `"Amount":-1`), "Amount: must lie between nothing"},
			{"no number", with("e", "a", `"Amount":"x","AssociatedAttendeeCount":"1.5"`), "Amount: must be a number; AssociatedAttendeeCount: must be a whole number"},
			{"too many heads", with("e", "a", `"AssociatedAttendeeCount":100001`), "AssociatedAttendeeCount: must be a whole number from 1 to 100000"},
			{"long custom", with("e", "a", `"Custom3":"`+strings.Repeat("x", 101)+`"`), "Custom3: must be at most 100"},
			{"much at once", with("e", "eves", `"Amount":101,"AssociatedAttendeeCount":-5,"Custom3":"`+strings.Repeat("x", 101)+`"`),
				"AttendeeID: names no attendee; Amount: must lie between; AssociatedAttendeeCount: must be a whole number; Custom3: must be at most 100"},
		})
		w.wantShares("e", "60")
		w.sound()
	})
}

func TestAssociationsOfOthers(t *testing.T) {
	everywhere(t, func(w *world) {
		w.guests("a", "b", "c")
		w.run(
			step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "own", ""), keep: "own"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "40"), keep: "f"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", ""), keep: "x"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("f", "a", `"Custom1":"two"`)},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "b", `"Custom1":"three"`)},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Custom1":"one"}`},
		)
		w.finds("/expense/entryattendeeassociations", "Custom1", 9, map[string]string{"": "one two three", "entryID={e}": "one three", "entryID={f}": "two", "entryID=gWnone": ""})
		w.pages("/expense/entryattendeeassociations", "Custom1", "one two three")
		for _, as := range []string{"bob", "eve"} {
			w.run(
				step{as: as, call: "GET /expense/entryattendeeassociations/{x}", status: 404},
				step{as: as, call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Amount":1}`, status: 404},
				step{as: as, call: "DELETE /expense/entryattendeeassociations/{x}", status: 404},
				step{as: as, call: "GET /expense/entryattendeeassociations?entryID={e}", want: "Items=0"},
				step{as: as, call: "GET /expense/entryattendeeassociations?user=ann@demo.test", status: 403},
			)
		}
		w.run(
			step{as: "wes", call: "GET /expense/entryattendeeassociations", want: "Items=0"},
			step{as: "wes", call: "GET /expense/entryattendeeassociations?user=ALL", want: "Items=3"},
			step{as: "wes", call: "GET /expense/entryattendeeassociations?user=ann@demo.test&entryID={f}", want: "Items=1"},
			step{as: "wes", call: "GET /expense/entryattendeeassociations?user=bob@demo.test&entryID={f}", want: "Items=0"},
			step{as: "wes", call: "POST /expense/entryattendeeassociations?user=ann@demo.test", body: with("f", "own", ""), keep: "y"},
			step{as: "wes", call: "PUT /expense/entryattendeeassociations/{y}", body: `{"Amount":1}`},
			step{as: "company", call: "GET /expense/entryattendeeassociations/{y}", want: "Amount=1"},
			step{as: "unscoped", call: "GET /expense/entryattendeeassociations", status: 403},
			step{call: "GET /expense/entryattendeeassociations", status: 401},
		)
		w.submitted("r",
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "c", "")},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Custom1":"late"}`},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}"},
		)
		w.submit("ann", "r")
		w.run(
			step{as: "bob", call: "GET /expense/entryattendeeassociations/{x}", want: "Custom1=one"},
			step{as: "bob", call: "GET /expense/entryattendeeassociations?entryID={e}", want: "Items=2"},
			step{as: "bob", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Amount":1}`, status: 403},
			step{as: "bob", call: "DELETE /expense/entryattendeeassociations/{x}", status: 403},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"Custom1":"one"}`},
		)
		w.act("bob", "r", ActionSendBack)
		w.run(step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}"})
		w.sound()
	})
}

// Shares are exact where coins cannot be divided, whatever the heads, and in refunds.
func TestSharesAreExact(t *testing.T) {
	for _, c := range []struct {
		amount value.Money
		in     value.Currency
		given  []value.Money // -1 for none
		heads  []int64
		want   []value.Money
	}{
		{100_00, "USD", []value.Money{-1, -1, -1}, []int64{1, 1, 1}, []value.Money{34_00, 33_00, 33_00}},
		{-100_00, "USD", []value.Money{-1, -1, -1}, []int64{1, 1, 1}, []value.Money{-34_00, -33_00, -33_00}},
		{10_0000, "JPY", []value.Money{-1, -1, -1}, []int64{1, 2, 4}, []value.Money{2_0000, 4_0000, 4_0000}},
		{100_0000, "USD", []value.Money{99_9900, -1, -1}, []int64{1, 1, 5}, []value.Money{99_9900, 100, 0}},
		{100_0000, "USD", []value.Money{100_0000, -1}, []int64{1, 9}, []value.Money{100_0000, 0}},
		{0, "USD", []value.Money{-1, 0}, []int64{1, 9}, []value.Money{0, 0}},
		{5, "CLF", []value.Money{-1, -1, -1}, []int64{1, 3, 3}, []value.Money{1, 3, 1}},
		{922_337_203_685_477_5800, "USD", []value.Money{-1, -1}, []int64{1, 99_999}, []value.Money{9_223_372_036_8600, 922_327_980_313_440_7200}},
	} {
		w := newWorld(t)
		w.write(func(tx *store.Tx) error {
			e := &Entry{ID: "gWentry", TransactionAmount: c.amount, TransactionCurrency: c.in}
			for i := range c.heads {
				x := Association{ID: "gW" + strconv.Itoa(i), Entry: e.ID, Attendee: strconv.Itoa(i), AttendeeCount: c.heads[i], Amount: max(c.given[i], 0), AmountGiven: c.given[i] >= 0}
				if err := associations.Insert(tx, &x); err != nil {
					return err
				}
			}
			in := api.Direct()
			if err := shareOut(tx, e, "Amount", in); err != nil || in.Err() != nil {
				t.Error(err, in.Err())
			}
			rows, err := associations.All(tx, store.Where("entry_id = ?", e.ID), store.Predicate{}, "", 10)
			var sum value.Money
			for i := range rows {
				sum += rows[i].Amount
				if rows[i].Amount != c.want[i] {
					t.Errorf("%s %s: share %d is %s, want %s", c.amount, c.in, i, rows[i].Amount, c.want[i])
				}
			}
			if sum != c.amount {
				t.Errorf("%s is split into %s", c.amount, sum)
			}
			return err
		})
	}
	for _, c := range []struct {
		wholes, rests int64
		want          value.Money
	}{{1, 2, 1_0002}, {-1, -2, -1_0002}, {3, 12_345, 4_2345}, {1 << 62, 0, 1<<63 - 1}, {-1 << 62, 0, -1<<63 + 1}} {
		if got := joined(c.wholes, c.rests); got != c.want {
			t.Errorf("%d and %d are joined to %d", c.wholes, c.rests, got)
		}
	}
}

// A type that asks for attendees keeps a report from being submitted without them.
func TestAttendeesThatAreRequired(t *testing.T) {
	everywhere(t, func(w *world) {
		w.exec("UPDATE expense_type SET attendees_required = ? WHERE company_id = ? AND code = 'LUNCH'", true, demo)
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12"), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=true; HasAttendees=false"},
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"BUSGUEST","LastName":"Guest"}`, keep: "g"},
		)
		submit := "/expensereports/v4/users/" + annID + "/reports/{r}/submit"
		refuse := func() {
			t.Helper()
			if a := w.send("ann", "PATCH", w.fill(submit), "", "", ""); a.status != 400 || !strings.Contains(a.body, "NOATTENDEES: Lunch needs its attendees. Add who took part.") {
				t.Errorf("submitted: %d %s", a.status, a.body)
			}
		}
		refuse()
		w.run(
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{g}"}`, keep: "a"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false; HasAttendees=true"},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{a}"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=true"},
		)
		w.sound()
		refuse()
		w.run(
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{g}"}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=false"},
		)
		w.submit("ann", "r")
	})
}

// A limit that blocks does so when the report is submitted; what an entry costs can be
// written down before.
func TestLimitThatBlocks(t *testing.T) {
	everywhere(t, func(w *world) {
		w.exec("UPDATE policy_expense_type SET amount_limit = ?, limit_blocks = ? WHERE company_id = ? AND expense_type_id = (SELECT id FROM expense_type WHERE company_id = ? AND code = 'LUNCH')", 10_0000, true, demo, demo)
		submit := "/expensereports/v4/users/" + annID + "/reports/{r}/submit"
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "10.01"), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=true"},
		)
		if a := w.send("ann", "PATCH", w.fill(submit), "", "", ""); a.status != 400 || !strings.Contains(a.body, "OVERLIMIT: Lunch costs 10.01 USD; the policy's limit is 10.00 USD.") {
			t.Errorf("submitted: %d %s", a.status, a.body)
		}
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":10}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false"},
		)
		w.submit("ann", "r")
	})
}
