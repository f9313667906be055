package expense

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// allocate divides a kept entry, or one of its itemizations, into percentages.
func (w *world) allocate(entry, itemization string, percentages ...string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		in := api.Direct()
		if err := w.expense.Allocate(tx, w.actor("ann"), w.kept[entry], w.kept[itemization], sharesOfText(percentages), in); err != nil {
			return err
		}
		return in.Err()
	})
}

func sharesOfText(percentages []string) []Allocation {
	shares := make([]Allocation, len(percentages))
	for i, p := range percentages {
		var err error
		if shares[i].Percentage, err = value.ParseDecimal(p); err != nil {
			panic(err)
		}
	}
	return shares
}

func TestAllocations(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "GET /expense/allocations", want: "Items=0; NextPage="},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Bergen"}`, keep: "s"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "40"), "LUNCH", "TAXIX", 1), keep: "f"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("s", "50"), keep: "g"},
			// The hidden one of an entry that nobody has allocated.
			step{as: "ann", call: "GET /expense/allocations?entryID={e}", want: "Items=1; Items[0].EntryID={e}; Items[0].IsHidden=true; Items[0].IsPercentEdited=false; Items[0].Percentage=100.00000000; Items[0].AccountCode1=614000; Items[0].AccountCode2=",
				check: func(w *world, f map[string]string) { w.kept["h"] = f["Items[0].ID"] }},
			step{as: "ann", call: "GET /expense/allocations/{h}", want: "ID={h}; EntryID={e}; IsHidden=true; Percentage=100.00000000; AccountCode1=614000; AccountCode2=; URI=https://spend.example/api/v3.0/expense/allocations/{h}"},
			step{as: "ann", call: "GET /expense/allocations", want: "Items=3; Items[1].EntryID={f}; Items[1].AccountCode1=613100; NextPage="},
			// And of itemizations, by their own types.
			step{as: "ann", call: "POST /expense/itemizations", body: strings.Replace(part("e", "10", ""), "LUNCH", "LODNG", 1), keep: "i"},
			step{as: "ann", call: "POST /expense/itemizations", body: part("e", "20", ""), keep: "j"},
			step{as: "ann", call: "GET /expense/allocations?entryID={e}", want: "Items=3; Items[0].ID={h}; Items[1].AccountCode1=612000; Items[1].EntryID={e}; Items[1].IsHidden=true; Items[2].AccountCode1=614000"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID={i}", want: "Items=1; Items[0].AccountCode1=612000; Items[0].Percentage=100.00000000",
				check: func(w *world, f map[string]string) { w.kept["hi"] = f["Items[0].ID"] }},
			step{as: "ann", call: "GET /expense/allocations/{hi}", want: "EntryID={e}; AccountCode1=612000; IsHidden=true"},
		)
		// What is allocated has rows, and no hidden one any more.
		third := "33.33333333"
		w.allocate("e", "", third, third, third)
		w.allocate("e", "i", "25")
		w.write(func(tx *store.Tx) error {
			shares := sharesOfText([]string{"60", "40"})
			shares[0].AccountCode1, shares[0].AccountCode2, shares[0].PercentEdited = "700", "800", true
			shares[1].Customs[0].Code, shares[1].Customs[1].Value, shares[1].Customs[2].Value = "210", "BEACON", "free"
			return w.expense.Allocate(tx, w.actor("ann"), w.kept["g"], "", shares, api.Direct())
		})
		w.run(
			step{as: "ann", call: "GET /expense/allocations/{h}", status: 404},
			step{as: "ann", call: "GET /expense/allocations/{hi}", status: 404},
			step{as: "ann", call: "GET /expense/allocations?entryID={e}", want: "Items=5; Items[0].Percentage=33.33333333; Items[0].IsHidden=false; Items[0].AccountCode1=614000; Items[2].Percentage=33.33333333; Items[3].Percentage=25.00000000; Items[3].AccountCode1=612000; Items[4].Percentage=100.00000000; Items[4].IsHidden=true"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "AllocationType=F"},
			step{as: "ann", call: "GET /expense/entries/{f}", want: "AllocationType=N"},
			step{as: "ann", call: "GET /expense/itemizations/{i}", want: "AllocationType=P"},
			step{as: "ann", call: "GET /expense/itemizations/{j}", want: "AllocationType=N"},
			step{as: "ann", call: "GET /expense/allocations?entryID={g}", want: "Items=2; Items[0].AccountCode1=700; Items[0].AccountCode2=800; Items[0].IsPercentEdited=true; Items[0].Percentage=60.00000000; " +
				"Items[1].Custom1.Code=210; Items[1].Custom1.Value=Field Sales; Items[1].Custom1.Type=List; Items[1].Custom1.Label=Cost Center; Items[1].Custom1.Sequence=1; " +
				"Items[1].Custom2.Value=Beacon; Items[1].Custom2.Label=Project; Items[1].Custom2.Sequence=2; Items[1].Custom3.Value=free; Items[1].Custom3.Type=Text; Items[1].Custom3.Label=Custom 3; Items[1].Custom3.Sequence=3; Items[1].Custom4.Label=",
				check: func(w *world, f map[string]string) { w.kept["x"] = f["Items[1].ID"] }},
			step{as: "ann", call: "GET /expense/allocations/{x}", want: "Percentage=40.00000000; Custom1.Code=210; Custom1.Sequence=1; AccountCode1=614000; EntryID={g}"},
			step{as: "ann", call: "GET /expense/allocations?reportID={r}", want: "Items=6"},
			step{as: "ann", call: "GET /expense/allocations?reportID={s}", want: "Items=2"},
			step{as: "ann", call: "GET /expense/allocations?reportID=none", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?reportID=" + strings.Repeat("x", 33), status: 400, want: "reportID: must be at most 32"},
			step{as: "ann", call: "GET /expense/allocations?entryID=gWnone", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID=gWnone", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID={i}&entryID={e}&reportID={r}", want: "Items=1"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID={i}&entryID={f}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?itemizationID={i}&reportID={s}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations?entryID={e}&reportID={s}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/allocations/gWnone", status: 404},
			step{as: "ann", call: "GET /expense/allocations/x", status: 404},
			step{as: "ann", call: "GET /expense/allocations/gWhnone", status: 404},
			step{as: "ann", call: "POST /expense/allocations", body: `{}`, status: 405},
			step{as: "ann", call: "DELETE /expense/allocations/{x}", status: 405},
		)
		// With nothing allocated the hidden one is there again.
		w.allocate("e", "")
		w.run(
			step{as: "ann", call: "GET /expense/allocations/{h}", want: "Percentage=100.00000000"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "AllocationType=N"},
		)
		// Others, as for all that is below a report.
		w.run(
			step{as: "bob", call: "GET /expense/allocations/{x}", status: 404},
			step{as: "bob", call: "GET /expense/allocations/{h}", status: 404},
			step{as: "bob", call: "GET /expense/allocations/{hi}", status: 404},
			step{as: "eve", call: "GET /expense/allocations/{h}", status: 404},
			step{as: "eve", call: "GET /expense/allocations?itemizationID={i}", want: "Items=0"},
			step{as: "bob", call: "GET /expense/allocations?entryID={e}", want: "Items=0"},
			step{as: "bob", call: "GET /expense/allocations?user=ann@demo.test", status: 403},
			step{as: "wes", call: "GET /expense/allocations?user=ann@demo.test", want: "Items=6"},
			step{as: "wes", call: "GET /expense/allocations?user=ALL&limit=100", want: "Items=6"},
			step{as: "wes", call: "GET /expense/allocations", want: "Items=0"},
			step{as: "wes", call: "GET /expense/allocations/{h}", want: "ID={h}"},
			step{as: "wes", call: "GET /expense/allocations/{h}?user=bob@demo.test", status: 404},
			step{as: "company", call: "GET /expense/allocations", want: "Items=6"},
			step{as: "unscoped", call: "GET /expense/allocations", status: 403},
		)
		w.sound()
		w.submit("ann", "s")
		w.run(
			step{as: "bob", call: "GET /expense/allocations/{x}", want: "Percentage=40.00000000"},
			step{as: "bob", call: "GET /expense/allocations?reportID={s}", want: "Items=2"},
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
			step{as: "ann", call: "GET /expense/allocations/{h}", status: 404},
		)
	})
}

// A list of allocations goes on where it ended, in the middle of an entry and of an
// itemization too.
func TestAllocationPages(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"})
		var want []string
		add := func(percentages ...string) {
			for _, p := range percentages {
				want = append(want, p+".00000000")
			}
		}
		for n := range 5 {
			entry := "e" + strconv.Itoa(n)
			w.run(step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: entry})
			switch n {
			case 1:
				w.allocate(entry, "", "10", "20", "30", "40")
				add("10", "20", "30", "40")
			case 2:
				add("100")
				for i := range 4 {
					w.run(step{as: "ann", call: "POST /expense/itemizations", body: part(entry, "1", ""), keep: "i"})
					if i%2 == 0 {
						w.allocate(entry, "i", "1", "2", "3")
						add("1", "2", "3")
					} else {
						add("100")
					}
				}
			case 3:
				w.allocate(entry, "", "50", "50")
				w.run(step{as: "ann", call: "POST /expense/itemizations", body: part(entry, "1", ""), keep: "i"})
				add("50", "50", "100")
			default:
				add("100")
			}
		}
		w.pages("/expense/allocations", "Percentage", strings.Join(want, " "))
		w.finds("/expense/allocations", "Percentage", len(want), map[string]string{"limit=100&itemizationID={i}": "100.00000000", "limit=3&offset=2&entryID={e1}": "30.00000000 40.00000000",
			"limit=3&offset=1&itemizationID={i}": "", "reportID={r}&offset=15": "50.00000000 100.00000000 100.00000000"})
	})
}

func TestAllocateRefusals(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
	)
	many := make([]string, maxAllocations+1)
	for i := range many {
		many[i] = "0.1"
	}
	for _, c := range []struct {
		entry, itemization, want string
		percentages              []string
	}{
		{"{e}", "", "Percentage comes to 100.00000003 together", []string{"50", "50.00000003"}},
		{"{e}", "", "Percentage must be above nothing", []string{"0"}},
		{"{e}", "", "Percentage must be above nothing", []string{"100.1"}},
		{"{e}", "", "Percentage can be said of 500 shares", many},
		{"gWnone", "", "EntryID names no entry", nil},
		{"{e}", "gWnone", "no such record", nil},
	} {
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			in := api.Direct()
			if err := w.expense.Allocate(tx, w.actor("ann"), w.fill(c.entry), c.itemization, sharesOfText(c.percentages), in); err != nil {
				return err
			}
			return in.Err()
		})
		if err == nil || !strings.Contains(strings.ReplaceAll(fmt.Sprint(err), ":", ""), c.want) {
			t.Errorf("%v: %v, want %s", c.percentages, err, c.want)
		}
	}
	w.run(step{as: "ann", call: "GET /expense/allocations", want: "Items=1"})
	w.exec("UPDATE report SET approval_status = 'A_PEND' WHERE id = ?", w.kept["r"])
	if err := w.db.Write(t.Context(), func(tx *store.Tx) error {
		return w.expense.Allocate(tx, w.actor("ann"), w.kept["e"], "", nil, api.Direct())
	}); err != errLocked {
		t.Errorf("an entry of a submitted report is allocated: %v", err)
	}
}
