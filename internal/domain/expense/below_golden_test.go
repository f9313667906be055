package expense

import (
	"strconv"
	"strings"
	"testing"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire/wiretest"
)

// TestGoldensBelow shows what is below entries in both formats and profiles, byte for
// byte: reading, making, changing, removing, and refusals with several problems.
func TestGoldensBelow(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo & back"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "100"), "USD", "EUR", 1), keep: "e"},
		step{as: "ann", call: "POST /expense/itemizations", body: part("e", "33.5", `"IsPersonal":true,"Custom1":"a < b","Custom2":"BEACON","Comment":"c"`), keep: "i"},
		step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", "O'Hara & Sons", `"FirstName":"Li","ExternalID":"X-1","Custom1":"one","Custom25":"last","TotalAmountYTD":7.5`), keep: "a"},
		step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "Own", ""), keep: "b"},
		step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", `"AssociatedAttendeeCount":2,"Custom3":"seat"`), keep: "x"},
		step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "b", `"Amount":0.5`)},
	)
	w.write(func(tx *store.Tx) error {
		shares := sharesOfText([]string{"66.66666667", "33.33333333"})
		shares[0].Customs[0].Code, shares[0].AccountCode2, shares[0].PercentEdited = "210", "9", true
		return w.expense.Allocate(tx, w.actor("ann"), w.kept["e"], "", shares, api.Direct())
	})
	w.kept["al"] = w.step("", step{as: "ann", call: "GET /expense/allocations"})["Items[0].ID"]
	var text strings.Builder
	show := func(as, method, path, media, body string) {
		a := w.send(as, method, w.fill("/api/v3.0/expense"+path), media, media, w.fill(body))
		text.WriteString("=== " + as + " " + method + " " + path + " " + media + "\n" + strconv.Itoa(a.status) + " " + a.header.Get("Content-Type") + "\n" + a.body + "\n\n")
	}
	for _, profile := range []string{"", "!"} {
		for _, media := range []string{inJSON, inXML} {
			ann, wes := "ann"+profile, "wes"+profile
			w.kept["t"] = w.upload("ann", "e", inXML, "<a b=\"&quot;\">\u00e9 "+profile+media+"</a>", 200)["ID"]
			body := func(json string) string {
				if media == inXML {
					return wiretest.XML(t, w.fill(json))
				}
				return json
			}
			for _, c := range []struct{ path, id, made, change, wrong string }{
				{"/itemizations", "{i}", part("e", "0.01", ""), `{"Description":"d"}`, `{"ExpenseTypeCode":"NOPE","TransactionAmount":"x"}`},
				{"/attendees", "{a}", guest("SPOUSE", "Lee", ""), `{"Title":"Dr."}`, `{"LastName":null,"AttendeeTypeID":"HCP"}`},
				{"/entryattendeeassociations", "{x}", with("e", "new", ""), `{"Custom1":"c"}`, `{"Amount":-1,"AssociatedAttendeeCount":-1}`},
			} {
				f := w.step("", step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "New", "")})
				w.kept["new"] = f["ID"]
				show(ann, "GET", c.path+"/"+c.id, media, "")
				show(ann, "GET", c.path+"?limit=1", media, "")
				show(ann, "POST", c.path, media, body(c.made))
				show(ann, "PUT", c.path+"/"+c.id, media, body(c.change))
				show(ann, "PUT", c.path+"/"+c.id, media, body(c.wrong))
				show(ann, "DELETE", c.path+"/gWnone", media, "")
			}
			show(ann, "GET", "/allocations/{al}", media, "")
			show(ann, "GET", "/allocations", media, "")
			show(wes, "GET", "/digitaltaxinvoices", media, "")
			show(wes, "GET", "/digitaltaxinvoices/{t}", media, "")
			show(wes, "PUT", "/digitaltaxinvoices/{t}", media, body(`{"Status":"GOOD"}`))
			show(wes, "PUT", "/digitaltaxinvoices/{t}", media, body(`{"Status":"WARNG","Comment":"late"}`))
			show(ann, "GET", "/entries/{e}/taxinvoice", media, "")
			show(ann, "GET", "/digitaltaxinvoices", media, "")
		}
	}
	golden(t, "below", text.String())
}
