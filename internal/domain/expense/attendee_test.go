package expense

import (
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// guest is the body of an attendee of a type with these further members.
func guest(kind, name, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"AttendeeTypeID":"` + kind + `","LastName":"` + name + `"` + more + `}`
}

// with is the body of an association.
func with(entry, attendee, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"EntryID":"{` + entry + `}","AttendeeID":"{` + attendee + `}"` + more + `}`
}

func TestAttendees(t *testing.T) {
	everywhere(t, func(w *world) {
		kind, _ := w.config().AttendeeType("BUSGUEST")
		w.kept["kind"] = kind.ID
		w.run(
			step{as: "ann", call: "POST /expense/attendees", keep: "a", body: `{"AttendeeTypeID":"{kind}","LastName":"Lee & Co","FirstName":"Li","MiddleInitial":"Q","Suffix":"Jr.","Title":"Dr.","Company":"Acme","ExternalID":"X-1",
				"CurrencyCode":"eur","TotalAmountYTD":"12.345","Custom1":"` + strings.Repeat("x", 100) + `","Custom21":{"Value":"y"},"Custom25":"z","Unknown":1}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "ID={a}; AttendeeTypeID={kind}; AttendeeTypeCode=BUSGUEST; LastName=Lee & Co; FirstName=Li; MiddleInitial=Q; Suffix=Jr.; Title=Dr.; Company=Acme; ExternalID=X-1; CurrencyCode=EUR; " +
				"TotalAmountYTD=12.35; TotalAmountPrevYear=0; HasExceptionsYTD=false; HasExceptionsPrevYear=false; VersionNumber=1; OwnerLoginID=ConcurSystem; OwnerName=System, Concur; " +
				"Custom1.Value=" + strings.Repeat("x", 100) + "; Custom1.Type=Text; Custom2.Value=; Custom21.Value=y; Custom25.Value=z; URI=https://spend.example/api/v3.0/expense/attendees/{a}"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("private", "Own", ""), keep: "p"},
			step{as: "ann", call: "GET /expense/attendees/{p}", want: "AttendeeTypeCode=PRIVATE; OwnerLoginID=ann@demo.test; OwnerName=Archer, Ann; CurrencyCode=USD; FirstName=; TotalAmountYTD=0"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("SYSEMP", "Sys", ""), keep: "sys"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"FirstName":"Lo","Suffix":null,"Title":"","Custom1":null,"Custom3":"new"}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "FirstName=Lo; LastName=Lee & Co; Suffix=; Title=; Custom1.Value=; Custom3.Value=new; Custom25.Value=z; VersionNumber=2; TotalAmountYTD=12.35"},
			// Nothing to change is a success and no new version.
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"FirstName":"Lo","AttendeeTypeID":"busguest","ID":"x","VersionNumber":9,"OwnerLoginID":"eve"}`},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{}`},
			step{as: "ann", call: "PUT /expense/attendees/{sys}", body: `{}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "VersionNumber=2; OwnerLoginID=ConcurSystem"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"AttendeeTypeID":"SPOUSE"}`, status: 400, want: "AttendeeTypeID: cannot be changed after creation"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"AttendeeTypeID":"NOPE"}`, status: 400, want: "AttendeeTypeID: cannot be changed after creation"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"LastName":null,"AttendeeTypeID":null}`, status: 400, want: "LastName: is required and cannot be cleared"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"LastName":"` + strings.Repeat("x", 133) + `","CurrencyCode":"XXQ","AttendeeTypeID":"SPOUSE"}`, status: 400, want: "; AttendeeTypeID: cannot be changed after creation"},
			step{as: "ann", call: "PUT /expense/attendees/{sys}", body: `{"FirstName":"x"}`, status: 400, want: "Attendees of the type SYSEMP are the system's own"},
			step{as: "ann", call: "DELETE /expense/attendees/{sys}", status: 400, want: "SYSEMP"},
			step{as: "ann", call: "PUT /expense/attendees/gWnone", body: `{"FirstName":"x"}`, status: 404},
			step{as: "ann", call: "DELETE /expense/attendees/gWnone", status: 404},
			step{as: "ann", call: "GET /expense/attendees/gWnone", status: 404},
			step{as: "ann", call: "DELETE /expense/attendees/{p}"},
			step{as: "ann", call: "GET /expense/attendees/{p}", status: 404},
		)
		w.write(func(tx *store.Tx) error {
			nobody, _ := w.config().AttendeeType("NOSHOWS")
			return attendees.Insert(tx, &Attendee{ID: "gWnoshows", Company: demo, MadeBy: annID, Type: nobody.ID, LastName: "No Shows", Version: 1})
		})
		w.run(
			step{as: "ann", call: "GET /expense/attendees/gWnoshows", want: "AttendeeTypeCode=NOSHOWS"},
			step{as: "ann", call: "PUT /expense/attendees/gWnoshows", body: `{"LastName":"x"}`, status: 400, want: "NOSHOWS"},
			step{as: "ann", call: "DELETE /expense/attendees/gWnoshows", status: 400, want: "NOSHOWS"},
		)
	})
}

func TestAttendeeRefusals(t *testing.T) {
	long := strings.Repeat("x", 200)
	both(t, func(w *world) {
		w.refuses("POST /expense/attendees", []refusal{
			{"nothing", `{}`, "AttendeeTypeID: is required; LastName: is required"},
			{"empty values", `{"AttendeeTypeID":"","LastName":null}`, "AttendeeTypeID: is required; LastName: is required"},
			{"no such type", guest("NOPE", "x", ""), "AttendeeTypeID: names no attendee type"},
			{"nobody in particular", guest("noshows", "x", ""), "AttendeeTypeID: cannot be NOSHOWS"},
			{"no currency", guest("SPOUSE", "x", `"CurrencyCode":"XXQ"`), "CurrencyCode: must be a currency code"},
			{"no amount", guest("SPOUSE", "x", `"TotalAmountYTD":"much"`), "TotalAmountYTD: must be a number"},
			{"much at once", guest("NOPE", long, `"FirstName":"`+long[:51]+`","MiddleInitial":"ab","Suffix":"`+long[:33]+`","Title":"`+long[:33]+`","Company":"`+long[:151]+`","ExternalID":"`+long[:49]+`","Custom20":"`+long[:101]+`","Custom21":"`+long[:49]+`"`),
				"FirstName: must be at most 50; LastName: must be at most 132; MiddleInitial: must be at most 1; Suffix: must be at most 32; Title: must be at most 32; Company: must be at most 150; ExternalID: must be at most 48; Custom20.Value: must be at most 100; Custom21.Value: must be at most 48; AttendeeTypeID: names no attendee type"},
		})
		w.run(
			step{as: "ann", call: "GET /expense/attendees", want: "Items=0"},
			step{as: "company", call: "POST /expense/attendees", body: guest("SPOUSE", "x", ""), status: 400, want: "Name the user"},
			step{as: "unscoped", call: "GET /expense/attendees", status: 403, want: "ATTEND"},
			step{call: "GET /expense/attendees", status: 401},
		)
	})
}

func TestWhoseAttendees(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", "Shared", ""), keep: "s"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("PRIVATE", "Anns", ""), keep: "a"},
			step{as: "bob", call: "POST /expense/attendees", body: guest("PRIVATE", "Bobs", ""), keep: "b"},
			step{as: "wes", call: "POST /expense/attendees?user=ann@demo.test", body: guest("PRIVATE", "ByWes", ""), keep: "w"},
			step{as: "company", call: "POST /expense/attendees?user=bob@demo.test", body: guest("HCP", "Doc", ""), keep: "h"},
			step{as: "bob", call: "POST /expense/attendees?user=ann@demo.test", body: guest("PRIVATE", "x", ""), status: 403},
			step{as: "eve", call: "POST /expense/attendees", body: guest("BUSGUEST", "Eves", ""), keep: "e"},
			// Lists: one's own and the shared ones, in order of creation.
			step{as: "ann", call: "GET /expense/attendees", want: "Items=4; Items[0].ID={s}; Items[1].ID={a}; Items[2].ID={w}; Items[3].ID={h}"},
			step{as: "bob", call: "GET /expense/attendees", want: "Items=3; Items[0].ID={s}; Items[1].ID={b}; Items[2].ID={h}"},
			step{as: "eve", call: "GET /expense/attendees", want: "Items=1; Items[0].ID={e}"},
			step{as: "wes", call: "GET /expense/attendees?user=ann@demo.test", want: "Items=4"},
			step{as: "wes", call: "GET /expense/attendees?user=ALL", want: "Items=5"},
			step{as: "company", call: "GET /expense/attendees", want: "Items=5"},
			step{as: "bob", call: "GET /expense/attendees?user=ann@demo.test", status: 403},
			// By id: everybody reads the shared ones.
			step{as: "bob", call: "GET /expense/attendees/{s}", want: "LastName=Shared"},
			step{as: "bob", call: "GET /expense/attendees/{a}", status: 404},
			step{as: "eve", call: "GET /expense/attendees/{s}", status: 404},
			step{as: "wes", call: "GET /expense/attendees/{a}", want: "LastName=Anns"},
			step{as: "wes", call: "GET /expense/attendees/{a}?user=bob@demo.test", status: 404},
			step{as: "wes", call: "GET /expense/attendees/{s}?user=bob@demo.test", want: "LastName=Shared"},
			// Who made one changes it, and administrators do.
			step{as: "bob", call: "PUT /expense/attendees/{s}", body: `{"FirstName":"x"}`, status: 403, want: "Only whoever made this attendee"},
			step{as: "bob", call: "DELETE /expense/attendees/{s}", status: 403},
			step{as: "bob", call: "PUT /expense/attendees/{a}", body: `{"FirstName":"x"}`, status: 404},
			step{as: "eve", call: "PUT /expense/attendees/{s}", body: `{"FirstName":"x"}`, status: 404},
			step{as: "eve", call: "DELETE /expense/attendees/{s}", status: 404},
			step{as: "ann", call: "PUT /expense/attendees/{s}", body: `{"FirstName":"by ann"}`},
			step{as: "ann", call: "PUT /expense/attendees/{w}", body: `{"FirstName":"by ann"}`},
			step{as: "bob", call: "PUT /expense/attendees/{h}", body: `{"FirstName":"by bob"}`},
			step{as: "wes", call: "PUT /expense/attendees/{a}?user=ann@demo.test", body: `{"FirstName":"by wes"}`},
			step{as: "wes", call: "PUT /expense/attendees/{b}?user=ann@demo.test", body: `{"FirstName":"by wes"}`, status: 404},
			step{as: "company", call: "PUT /expense/attendees/{s}", body: `{"Title":"by all"}`},
			step{as: "ann", call: "GET /expense/attendees/{s}", want: "FirstName=by ann; Title=by all; VersionNumber=3"},
			// An approver reads the attendees of the report, private ones too.
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "l"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("l", "a", ""), keep: "x"},
			step{as: "ann", call: "DELETE /expense/attendees/{a}", status: 400, want: "The attendee took part in entries"},
		)
		w.submit("ann", "r")
		w.run(
			step{as: "bob", call: "GET /expense/attendees/{a}", want: "LastName=Anns; TotalAmountYTD=30"},
			step{as: "bob", call: "PUT /expense/attendees/{a}", body: `{"FirstName":"x"}`, status: 403},
			step{as: "bob", call: "GET /expense/attendees", want: "Items=3"},
			step{as: "bob", call: "GET /expense/attendees/{w}", status: 404},
		)
		// A type of which there are attendees is in use.
		used := map[string]string{}
		w.read(func(tx *store.Tx) (err error) {
			for _, code := range []string{"PRIVATE", "SPOUSE"} {
				kind, _ := w.config().AttendeeType(code)
				if used[code], err = w.expense.Named(tx, demo, org.AttendeeTypeRecord, []string{"none", kind.ID}); err != nil {
					return err
				}
			}
			return nil
		})
		if used["PRIVATE"] == "" || used["SPOUSE"] != "" {
			t.Errorf("in use: %v", used)
		}
	})
}

func TestAttendeeFilters(t *testing.T) {
	everywhere(t, func(w *world) {
		spouse, _ := w.config().AttendeeType("SPOUSE")
		w.kept["spouse"] = spouse.ID
		for _, a := range []struct{ as, kind, name, external string }{
			{"ann", "SPOUSE", "one", "A"}, {"ann", "PRIVATE", "two", "B"}, {"bob", "PRIVATE", "bobs", "B"}, {"bob", "HCP", "three", "A"},
			{"ann", "PRIVATE", "four", ""}, {"ann", "SPOUSE", "five", "a b"}, {"bob", "PRIVATE", "more", "C"}, {"eve", "SPOUSE", "eves", "A"}, {"ann", "PRIVATE", "six", "C"},
		} {
			w.run(step{as: a.as, call: "POST /expense/attendees", body: guest(a.kind, a.name, `"ExternalID":"`+a.external+`"`)})
		}
		w.finds("/expense/attendees", "LastName", 9, map[string]string{
			"":                                  "one two three four five six",
			"externalID=A":                      "one three",
			"externalID=A,B":                    "one two three",
			"externalID=%20B%20,,A,B":           "one two three",
			"externalID=a%20b":                  "five",
			"externalID=none":                   "",
			"externalID=,":                      "",
			"attendeeTypeID=SPOUSE":             "one five",
			"attendeeTypeID={spouse}":           "one five",
			"attendeeTypeID=none":               "",
			"attendeeTypeID=PRIVATE":            "two four six",
			"attendeeTypeID=HCP&externalID=A":   "three",
			"attendeeTypeID=HCP&externalID=B":   "",
			"externalID=1,2,3,4,5,6,7,8,9,A":    "one three",
			"externalID=C,A,B&limit=2":          "one two",
			"externalID=C,A,B&limit=2&offset=2": "three six",
			"limit=2&offset=3":                  "four five",
		})
		w.run(
			step{as: "ann", call: "GET /expense/attendees?externalID=1,2,3,4,5,6,7,8,9,10,11", status: 400, want: "externalID: takes up to 10"},
			step{as: "wes", call: "GET /expense/attendees?user=ALL&externalID=B", want: "Items=2"},
			step{as: "wes", call: "GET /expense/attendees?user=ALL&attendeeTypeID=PRIVATE", want: "Items=5"},
		)
		w.pages("/expense/attendees", "LastName", "one two three four five six")
	})
}

// What was spent on an attendee follows from the shares, at every moment.
func TestAttendeeTotals(t *testing.T) {
	everywhere(t, func(w *world) {
		euro := func(amount, day string) string {
			return strings.Replace(strings.Replace(lunch("r", amount), "USD", "EUR", 1), "2025-03-10", day, 1)
		}
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", "Lee", `"TotalAmountYTD":100`), keep: "a"},
			step{as: "ann", call: "POST /expense/attendees", body: guest("BUSGUEST", "Leo", `"CurrencyCode":"JPY"`), keep: "b"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: euro("20", "2024-12-31"), keep: "f"},
			step{as: "ann", call: "POST /expense/entries", body: euro("20", "2023-12-31"), keep: "g"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "a", ""), keep: "x"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("f", "a", "")},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("g", "a", "")},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=130; TotalAmountPrevYear=21.7; VersionNumber=1"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("e", "b", "")},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: with("f", "b", `"Amount":5`)},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=115; TotalAmountPrevYear=16.28"},
			step{as: "ann", call: "GET /expense/attendees/{b}", want: "TotalAmountYTD=2358; TotalAmountPrevYear=807"},
			step{as: "ann", call: "GET /expense/attendees", want: "Items[0].TotalAmountYTD=115; Items[1].TotalAmountYTD=2358; Items[1].TotalAmountPrevYear=807"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":40}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=120"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionDate":"2024-06-01"}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=100; TotalAmountPrevYear=36.28"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionDate":"2025-06-01"}`},
			// A total that is given counts what was spent elsewhere.
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"TotalAmountYTD":"500.005"}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=500.01"},
			step{as: "ann", call: "DELETE /expense/entryattendeeassociations/{x}"},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=480.01; VersionNumber=2"},
			// In another currency, at the company's rate of today.
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"CurrencyCode":"EUR"}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "CurrencyCode=EUR; TotalAmountYTD=461.99; TotalAmountPrevYear=15"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"TotalAmountYTD":null,"CurrencyCode":null}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "CurrencyCode=USD; TotalAmountYTD=0"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"TotalAmountYTD":70}`},
		)
		// A year later this year's total is the previous one, whoever says a new one.
		w.now = w.now.Add(366 * 24 * time.Hour)
		w.run(
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=0; TotalAmountPrevYear=70"},
			step{as: "ann", call: "GET /expense/attendees/{b}", want: "TotalAmountYTD=0; TotalAmountPrevYear=6289"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"TotalAmountYTD":3}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=3; TotalAmountPrevYear=70"},
			step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"Title":"Dr."}`},
			step{as: "ann", call: "GET /expense/attendees/{a}", want: "TotalAmountYTD=3; TotalAmountPrevYear=70"},
		)
		w.sound()
	})
}

// A yearly limit of the type marks who is above it, in either year.
func TestAttendeeLimits(t *testing.T) {
	w := newWorld(t)
	kind, _ := w.config().AttendeeType("HCP")
	limit := func(most value.Opt[value.Money]) {
		w.write(func(tx *store.Tx) error { return w.expense.SetAttendeeLimit(tx, demo, kind.ID, most) })
	}
	limit(value.Some(50 * value.MoneyUnit))
	w.run(
		step{as: "ann", call: "POST /expense/attendees", body: guest("HCP", "Doc", `"CurrencyCode":"EUR","TotalAmountYTD":48`), keep: "a"},
		step{as: "ann", call: "POST /expense/attendees", body: guest("SPOUSE", "Lee", `"TotalAmountYTD":900`), keep: "b"},
		step{as: "ann", call: "GET /expense/attendees/{a}", want: "HasExceptionsYTD=false"},
		step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"TotalAmountYTD":48.20}`}, // 50.08 dollars
		step{as: "ann", call: "GET /expense/attendees/{a}", want: "HasExceptionsYTD=true; HasExceptionsPrevYear=false"},
		step{as: "ann", call: "GET /expense/attendees", want: "Items[0].HasExceptionsYTD=true; Items[1].HasExceptionsYTD=false"},
	)
	w.now = w.now.Add(366 * 24 * time.Hour)
	w.run(step{as: "ann", call: "GET /expense/attendees/{a}", want: "HasExceptionsYTD=false; HasExceptionsPrevYear=true"})
	limit(value.Some(51 * value.MoneyUnit))
	w.run(step{as: "ann", call: "GET /expense/attendees/{a}", want: "HasExceptionsPrevYear=false"})
	limit(value.Some(value.Money(0)))
	limit(value.Opt[value.Money]{})
	w.run(step{as: "ann", call: "GET /expense/attendees/{a}", want: "HasExceptionsPrevYear=false"})
}

// A field that the form hides is not lost by a change of another one.
func TestAttendeeCustomsFollowTheForm(t *testing.T) {
	w := newWorld(t)
	w.run(step{as: "ann", call: "POST /expense/attendees", body: guest("SPOUSE", "Lee", `"Custom2":"kept","Custom3":"x"`), keep: "a"})
	hide := "UPDATE form_field SET name = ? WHERE name = ? AND form_id IN (SELECT id FROM form WHERE kind = 'ATTENDEE' AND company_id = ?)"
	w.exec(hide, "Hidden", "Custom2", demo)
	w.run(
		step{as: "ann", call: "GET /expense/attendees/{a}", want: "Custom2.Value=; Custom3.Value=x"},
		step{as: "ann", call: "PUT /expense/attendees/{a}", body: `{"FirstName":"Li"}`},
	)
	w.exec(hide, "Custom2", "Hidden", demo)
	w.run(step{as: "ann", call: "GET /expense/attendees/{a}", want: "Custom2.Value=kept; FirstName=Li"})
	err := w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := w.expense.CreateAttendee(tx, w.actor("ann"), &Attendee{}, api.Direct())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "LastName") {
		t.Errorf("an attendee of nothing: %v", err)
	}
}
