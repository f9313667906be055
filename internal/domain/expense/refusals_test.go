package expense

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"quittance/internal/kernel/store"
)

// What an attendee type says of its attendees holds: whether they are entered by hand,
// and whether one stands for several people.
func TestAttendeesAreAsTheirTypeSays(t *testing.T) {
	everywhere(t, func(w *world) {
		w.exec("UPDATE attendee_type SET allow_manual_attendees = ? WHERE company_id = ? AND code = 'HCP'", false, demo)
		w.exec("UPDATE company SET settings_version = settings_version + 1")
		w.run(
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"HCP","LastName":"Doctor"}`, status: 400, want: "AttendeeTypeID: cannot be HCP: attendees of this type are not entered by hand"},
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"SPOUSE","LastName":"One"}`, keep: "one"},
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"BUSGUEST","LastName":"Many"}`, keep: "many"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{one}","AssociatedAttendeeCount":3}`, status: 400, want: "AssociatedAttendeeCount: must be 1"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{one}"}`, keep: "x"},
			step{as: "ann", call: "PUT /expense/entryattendeeassociations/{x}", body: `{"AssociatedAttendeeCount":2}`, status: 400, want: "AssociatedAttendeeCount: must be 1"},
			step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{e}","AttendeeID":"{many}","AssociatedAttendeeCount":3}`},
		)
	})
}

// One mistake is one problem: what is there and wrong is not said to be missing too.
func TestAMistakeIsToldOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", status: 400, body: `{"ReportID":"{a}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":"much","TransactionCurrencyCode":"dollars","PaymentTypeID":"CASHX"}`,
				want: "TransactionAmount: must be a number; TransactionCurrencyCode: must be a currency code of ISO 4217."},
		)
	})
}

// Naming oneself in the user parameter narrows nothing that one reaches anyway.
func TestNamingOneself(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
		)
		w.submit("ann", "a")
		w.run(
			step{as: "bob", call: "GET /expense/reports/{a}?user=bob@demo.test", want: "Name=A"},
			step{as: "bob", call: "GET /expense/reports?approverLoginID=bob@demo.test&user=bob@demo.test", want: "Items=1"},
			step{as: "bob", call: "GET /expense/reports?user=bob@demo.test", want: "Items=0"},
		)
	})
}

// An entry that comes to a report of another expense group is paid in a way of that group.
func TestMovesKeepToTheGroupsPaymentTypes(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
		)
		w.exec("UPDATE report SET group_id = 'another' WHERE id = ?", w.kept["b"])
		w.run(step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{b}"}`, status: 400, want: "PaymentTypeID: is no payment type of the owner's expense group"})
	})
}

// The payment type of mileage may be said by its code, as it is by its id.
func TestMileageTakesItsOwnPaymentType(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{a}","ExpenseTypeCode":"MILEG","TransactionDate":"2025-03-10","Journey":{"StartLocation":"Here","EndLocation":"There","UnitOfMeasure":"M","BusinessDistance":10}}`, keep: "e"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"PaymentTypeID":"CASHX","Description":"Again"}`},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"PaymentTypeID":"CPAID"}`, status: 400, want: "PaymentTypeID: is not taken"},
		)
	})
}

// What a path says that no id can be is found nowhere, on every engine.
func TestNoSuchPath(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, path := range []string{"/expense/reports/%00", "/expense/entries/a%0Ab", "/expense/attendees/%ff"} {
			w.run(step{as: "ann", call: "GET " + path, status: 404})
		}
	})
}

// A person is renamed while the reports move: neither undoes the other.
func TestRenamingRacesSubmits(t *testing.T) {
	everywhere(t, func(w *world) {
		w.org.UseRecords(w.expense)
		for n := range 6 {
			w.run(
				step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
				step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			)
			login := fmt.Sprintf("ann%d@demo.test", n)
			var both sync.WaitGroup
			var submitted, renamed error
			both.Go(func() {
				submitted = w.db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := w.expense.Submit(tx, w.actor("wes"), w.kept["a"])
					return err
				})
			})
			both.Go(func() {
				renamed = w.db.Write(t.Context(), func(tx *store.Tx) error {
					u, err := w.org.User(tx, annID)
					if err != nil {
						return err
					}
					u.Login = login
					return w.org.ChangeUser(tx, u)
				})
			})
			both.Wait()
			if err := errors.Join(submitted, renamed); err != nil {
				t.Fatal(err)
			}
			w.run(step{as: "wes", call: "GET /expense/reports/{a}", want: "ApprovalStatusCode=A_PEND; OwnerLoginID=" + login})
			w.write(func(tx *store.Tx) error {
				u, err := w.org.User(tx, annID)
				if err != nil {
					return err
				}
				u.Login = "ann@demo.test"
				return w.org.ChangeUser(tx, u)
			})
		}
	})
}

// Records follow a person who has another login and name.
func TestRecordsFollowTheirPerson(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/itemizations", body: `{"EntryID":"{e}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":30}`, keep: "i"},
			step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"PRIVATE","LastName":"Guest"}`, keep: "guest"},
		)
		w.submit("ann", "a")
		w.org.UseRecords(w.expense)
		rename := func(id, login, last string) {
			w.write(func(tx *store.Tx) error {
				u, err := w.org.User(tx, id)
				if err != nil {
					return err
				}
				changed := *u
				changed.Login, changed.LastName = login, last
				return w.org.ChangeUser(tx, &changed)
			})
		}
		rename(annID, "anna@demo.test", "Aster")
		rename(bobID, "robert@demo.test", "Beech")
		w.run(
			step{as: "wes", call: "GET /expense/reports/{a}", want: "OwnerLoginID=anna@demo.test; OwnerName=Aster, Ann; ApproverLoginID=robert@demo.test; ApproverName=Beech, Bob"},
			step{as: "wes", call: "GET /expense/entries/{e}", want: "ReportOwnerID=anna@demo.test"},
			step{as: "wes", call: "GET /expense/itemizations/{i}", want: "ReportOwnerID=anna@demo.test"},
			step{as: "wes", call: "GET /expense/attendees/{guest}", want: "OwnerLoginID=anna@demo.test; OwnerName=Aster, Ann"},
			step{as: "wes", call: "GET /expense/reports?user=anna@demo.test", want: "Items=1"},
		)
	})
}
