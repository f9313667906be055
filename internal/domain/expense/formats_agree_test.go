package expense

import (
	"testing"

	"quittance/internal/kernel/wire/wiretest"
)

// Whatever a body says, it says the same in JSON and in XML: two worlds that begin alike
// are changed alike, the one in JSON and the other in XML, and stay alike. (An empty
// object is what XML cannot say.)
func TestFormatsAgree(t *testing.T) {
	inJSONs, inXMLs := newWorld(t), newWorld(t)
	inJSONs.ofAnn()
	inXMLs.ofAnn()
	values := []string{`null`, `""`, `" "`, `true`, `false`, `0`, `1`, `-1`, `5`, `"1e1"`, `1.5`, `10.100000000000001`, `99999999999999999999`, `1e400`, `"abc"`, `"Y"`, `"2025-03-11"`, `"2025-03-11T23:00:00-05:00"`, `"2025-02-30"`,
		`"  5  "`, `"A&B <c> \"d\" ]]>"`, `"é😀\u202e"`, `"a\tb"`, `"EUR"`, `"CPAID"`, `"DINNR"`, `"ember"`, `"210"`, `"gWnone"`, `{"Value":"v"}`, `{"Code":"EMBER"}`, `{"Code":"210","Value":null}`, `{"Value":"","Code":""}`, `{"Nonsense":1}`,
		`{"StartLocation":"a"}`, `{"StartLocation":{"x":1}}`}
	both := []*world{inJSONs, inXMLs}
	for _, of := range []struct {
		path   string
		fields []string
	}{
		{"/expense/reports/{r}", []string{"Name", "Comment", "Purpose", "UserDefinedDate", "PolicyID", "OrgUnit1", "OrgUnit2", "Custom1", "Custom2", "Custom3", "Custom4", "Total", "ID", "Nonsense"}},
		{"/expense/entries/{e}", []string{"ReportID", "ExpenseTypeCode", "TransactionDate", "TransactionAmount", "TransactionCurrencyCode", "PaymentTypeID", "Description", "Comment", "VendorDescription", "VendorListItemID", "LocationID",
			"TaxReceiptType", "ExchangeRate", "IsPersonal", "IsBillable", "Journey", "Custom1", "Custom2", "Custom3", "Custom4", "Custom5", "Custom6", "OrgUnit1", "ElectronicReceiptID", "PostedAmount"}},
		{"/expense/itemizations/{i}", []string{"EntryID", "ExpenseTypeCode", "TransactionDate", "TransactionAmount", "IsPersonal", "IsBillable", "Description", "Comment", "Custom1", "Custom2", "OrgUnit1"}},
		{"/expense/attendees/{a}", []string{"AttendeeTypeID", "LastName", "FirstName", "MiddleInitial", "CurrencyCode", "TotalAmountYTD", "ExternalID", "Custom1", "Custom21", "VersionNumber"}},
		{"/expense/entryattendeeassociations/{x}", []string{"EntryID", "AttendeeID", "Amount", "AssociatedAttendeeCount", "Custom1"}},
	} {
		for _, field := range of.fields {
			for _, value := range values {
				if field == "AssociatedAttendeeCount" && (value == "true" || value == "false") {
					continue // refused in both, in other words
				}
				body := `{"` + field + `":` + value + `}`
				var statuses [2]int
				var messages, records [2]string
				for n, w := range both {
					media, sent := inJSON, body
					if n == 1 {
						media, sent = inXML, wiretest.XML(t, body)
					}
					path := w.fill("/api/v3.0" + of.path)
					a := w.send("ann", "PUT", path, media, inJSON, sent)
					statuses[n], messages[n] = a.status, wiretest.Fields(t, a.body)["Message"]
					records[n] = w.send("ann", "GET", path, "", inJSON, "").body
				}
				if statuses[0] != statuses[1] || messages[0] != messages[1] || records[0] != records[1] {
					t.Fatalf("%s %s\nin JSON: %d %s\n%s\nin XML: %d %s\n%s", of.path, body, statuses[0], messages[0], records[0], statuses[1], messages[1], records[1])
				}
				if statuses[0] != 200 && statuses[0] != 400 || (statuses[0] == 400) != (messages[0] != "") {
					t.Errorf("%s %s: %d %s", of.path, body, statuses[0], messages[0])
				}
			}
		}
	}
	if a, b := inJSONs.allOfAnn(), inXMLs.allOfAnn(); a != b {
		t.Errorf("in JSON:\n%s\nin XML:\n%s", a, b)
	}
	inJSONs.sound()
	inXMLs.sound()
}
