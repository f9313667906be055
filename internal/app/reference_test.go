package app_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/app/apptest"
)

var update = flag.Bool("update", false, "rewrite the generated reference")

// step is one call of the walk.
type step struct {
	who    string // whose token, if any
	method string
	path   string
	body   string // JSON, XML, a form, or what is said of a file
	status int
	keep   string // name=expression: what the answer has in its parentheses
}

// walk calls every operation at least once and has it succeed, as integrations would
// go through a day. What is in braces was kept by an earlier step, or is one of the
// sandbox's well-known values.
var walk = []step{
	{"", "POST", "/-/reset", "", 200, ""},
	{"", "GET", "/-/clock", "", 200, ""},
	{"", "POST", "/-/clock", `{"advance":"1s"}`, 200, ""},
	{"", "POST", "/-/fault", `{"operation":"reports.get","delayMillis":1}`, 200, ""},
	{"", "GET", "/-/fault", "", 200, ""},
	{"", "DELETE", "/-/fault", "", 204, ""},

	{"", "POST", "/oauth2/v0/otp", "{app}&channel_type=email&channel_handle=ann@demo.test", 200, ""},
	{"", "GET", "/-/mail", "", 200, `otp=\b(\d{8})\b`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=otp&channel_type=email&channel_handle=ann@demo.test&otp={otp}", 200, ""},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&username=ann@demo.test&password=ann-password", 200, `ann="access_token":"([^"]+)"`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&username=bob@demo.test&password=bob-password", 200, `bob="access_token":"([^"]+)"`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&username=wes@demo.test&password=wes-password", 200, `wes="access_token":"([^"]+)"`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&username=cora@demo.test&password=cora-password", 200, `cora="access_token":"([^"]+)"`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&username=ivan@demo.test&password=ivan-password", 200, `ivan="access_token":"([^"]+)"`},
	{"", "GET", "/oauth2/v0/jwks", "", 200, ""},
	{"cora", "POST", "/profile-service/v1/keys/principals/{company}/authtoken", "", 200, `request="token":"([^"]+)"`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=password&credtype=authtoken&username={company}&password={request}", 200, `system="access_token":"([^"]+)"`},

	{"", "GET", "/oauth2/v0/authorize?{asks}", "", 200, `csrf=name="csrf" value="([^"]+)"`},
	{"", "POST", "/oauth2/v0/authorize?{asks}", "csrf={csrf}&username=ann@demo.test&password=ann-password", 200, `ticket=name="ticket" value="([^"]+)"`},
	{"", "POST", "/oauth2/v0/authorize?{asks}", "csrf={csrf}&ticket={ticket}&decision=allow", 302, `code=[?&]code=([^&\s]+)`},
	{"", "POST", "/oauth2/v0/token", "{app}&grant_type=authorization_code&redirect_uri=http://127.0.0.1/callback&code={code}", 200, ""},
	{"", "GET", "/net2/oauth2/Login.aspx?{asks}", "", 200, `csrf=name="csrf" value="([^"]+)"`},
	{"", "POST", "/net2/oauth2/Login.aspx?{asks}", "csrf={csrf}&username=ann@demo.test&password=ann-password", 200, `ticket=name="ticket" value="([^"]+)"`},
	{"", "POST", "/net2/oauth2/Login.aspx?{asks}", "csrf={csrf}&ticket={ticket}&decision=allow", 302, `code=[?&]code=([^&\s]+)`},
	{"", "GET", "/net2/oauth2/GetAccessToken.ashx?{app}&code={code}", "", 200, `first="Token":"([^"]+)"`},
	{"basic", "GET", "/net2/oauth2/accesstoken.ashx", "", 200, `second="Token":"([^"]+)"`},
	{"basic", "POST", "/net2/oauth2/accesstoken.ashx", "", 200, `refresh="Refresh_Token":"([^"]+)"`},
	{"", "POST", "/net2/oauth2/getaccesstoken.ashx", "{app}&refresh_token={refresh}", 200, ""},
	{"wes", "GET", "/net2/oauth2/revoketoken.ashx?token={first}", "", 200, ""},
	{"wes", "POST", "/net2/oauth2/revoketoken.ashx", "token={second}", 200, ""},

	{"ann", "POST", "/api/v3.0/expense/reports", `{"Name":"Walk"}`, 200, `report="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/reports", "", 200, `"(Walk)"`},
	{"ann", "PUT", "/api/v3.0/expense/reports/{report}", `{"Name":"Walked"}`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/reports/{report}", "", 200, `"(Walked)"`},
	{"ann", "POST", "/api/v3.0/expense/entries", `{"ReportID":"{report}",{expense}}`, 200, `entry="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/entries?reportID={report}", "", 200, `"({entry})"`},
	{"ann", "PUT", "/api/v3.0/expense/entries/{entry}", `{"TransactionAmount":"12.50"}`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/entries/{entry}", "", 200, `"TransactionAmount":(12.5)`},

	{"ann", "POST", "/api/v3.0/expense/itemizations", `{"EntryID":"{entry}","ExpenseTypeCode":"TAXIX","TransactionDate":"2025-03-10","TransactionAmount":"12.50"}`, 200, `part="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/itemizations?entryID={entry}", "", 200, `"({part})"`},
	{"ann", "PUT", "/api/v3.0/expense/itemizations/{part}", `{"Description":"Ride"}`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/itemizations/{part}", "", 200, `"(Ride)"`},
	{"ann", "GET", "/api/v3.0/expense/allocations?entryID={entry}", "", 200, `allocation="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/allocations/{allocation}", "", 200, ""},
	{"ann", "DELETE", "/api/v3.0/expense/itemizations/{part}", "", 200, ""},
	{"ann", "POST", "/api/v3.0/expense/attendees", `{"AttendeeTypeID":"BUSGUEST","LastName":"Guest"}`, 200, `attendee="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/attendees", "", 200, `"({attendee})"`},
	{"ann", "PUT", "/api/v3.0/expense/attendees/{attendee}", `{"LastName":"Visitor"}`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/attendees/{attendee}", "", 200, `"(Visitor)"`},
	{"ann", "POST", "/api/v3.0/expense/entryattendeeassociations", `{"EntryID":"{entry}","AttendeeID":"{attendee}"}`, 200, `seat="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/entryattendeeassociations?entryID={entry}", "", 200, `"({seat})"`},
	{"ann", "PUT", "/api/v3.0/expense/entryattendeeassociations/{seat}", `{"AssociatedAttendeeCount":2}`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/entryattendeeassociations/{seat}", "", 200, `"AssociatedAttendeeCount":(2)`},
	{"ann", "DELETE", "/api/v3.0/expense/entryattendeeassociations/{seat}", "", 200, ""},
	{"ann", "DELETE", "/api/v3.0/expense/attendees/{attendee}", "", 200, ""},
	{"ann", "POST", "/api/v3.0/expense/entries/{entry}/taxinvoice", `<Invoice><Total>12.50</Total></Invoice>`, 200, ""},
	{"ann", "GET", "/api/v3.0/expense/entries/{entry}/taxinvoice", "", 200, ""},
	{"wes", "GET", "/api/v3.0/expense/digitaltaxinvoices", "", 200, `invoice="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/expense/digitaltaxinvoices/{invoice}", "", 200, ""},
	{"wes", "PUT", "/api/v3.0/expense/digitaltaxinvoices/{invoice}", `{"Status":"VALID"}`, 200, ""},
	{"ann", "POST", "/quickexpense/v4/users/{annID}/context/TRAVELER/quickexpenses", "{quick}", 201, `quick1=quickexpenses/([0-9A-F]{32})`},
	{"ann", "POST", "/quickexpense/v4/users/{annID}/context/TRAVELER/quickexpenses/image", "form quickExpenseRequest={quick} fileContent=photo", 201, ""},
	{"ann", "GET", "/quickexpense/v4/users/{annID}/context/TRAVELER/quickexpenses/{quick1}", "", 200, ""},

	{"ann", "POST", "/api/image/v1.0/expenseentry/{entry}", "photo", 201, ""},
	{"ann", "GET", "/api/image/v1.1/expenseentry/{entry}", "", 200, `link="Url":"http://[^/"]+(/file/[^"]+)"`},
	{"", "GET", "{link}", "", 200, ""},
	{"ann", "DELETE", "/api/image/v1.0/expenseentry/{entry}", "", 200, ""},
	{"ann", "POST", "/api/image/v1.0/report/{report}", "photo", 201, ""},
	{"ann", "GET", "/api/image/v1.0/report/{report}", "", 200, ""},
	{"ann", "POST", "/api/image/v1.0/receipt", "photo", 201, `image="Id":"([^"]+)"`},
	{"ann", "GET", "/api/image/v1.0/receipt/{image}", "", 200, ""},
	{"ivan", "POST", "/api/image/v1.0/invoice/5EED00000000000000A1", "photo", 201, ""},
	{"ivan", "GET", "/api/image/v1.0/invoice/5EED00000000000000A1", "", 200, ""},
	{"ann", "POST", "/api/v3.0/expense/receiptimages", "photo", 200, `image="ID":"([^"]+)"`},
	{"ann", "GET", "/api/v3.0/expense/receiptimages", "", 200, `"({image})"`},
	{"ann", "GET", "/api/v3.0/expense/receiptimages/{image}", "", 200, ""},
	{"ann", "PUT", "/api/v3.0/expense/receiptimages/{image}", "photo", 200, ""},
	{"ann", "DELETE", "/api/v3.0/expense/receiptimages/{image}", "", 200, ""},

	{"ann", "GET", "/receipts/", "", 200, ""},
	{"ann", "GET", "/receipts/v4", "", 200, ""},
	{"ann", "POST", "/receipts/v4/users/{annID}/image-only-receipts", "form image=photo", 202, `posted=Location: \S+/([0-9a-f]{32})`},
	{"ann", "GET", "/receipts/v4/status/{posted}", "", 200, `"(PROCESSED)"`},
	{"ann", "GET", "/receipts/v4/users/{annID}/image-only-receipts", "", 200, ""},
	{"ann", "GET", "/receipts/v4/users/{annID}/image-only-receipts/page/1700000000000_{posted}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/image-only-receipts/{posted}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/image-only-receipts/{posted}/image", "", 200, ""},
	{"ann", "GET", "/receipts/v4/images/{posted}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/images/{posted}/image", "", 200, ""},

	{"ann", "GET", "/receipts/schemas", "", 200, ""},
	{"ann", "GET", "/receipts/schemas/general-receipt.schema.json", "", 200, ""},
	{"ann", "POST", "/receipts/v4/users/{annID}", "receipt of a taxi", 201, `posted=Location: \S+/([0-9a-f]{32})`},
	{"ann", "GET", "/receipts/v4/status/{posted}", "", 200, `"(PROCESSED)"`},
	{"ann", "GET", "/receipts/v4/users/{annID}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/users/{annID}/page/1700000000000_{posted}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/{posted}", "", 200, ""},
	{"ann", "GET", "/receipts/v4/{posted}/image", "", 200, ""},
	{"system", "POST", "/api/v3.0/common/receipts", `{"Type":"Ride","Amount":12,"CurrencyCode":"USD","FormofPaymentCode":"CASH","TransactionDateTime":"{today}T08:20",` +
		`"MatchingFact":{"Type":"Login","Value":"ann@demo.test"},"Merchant":{"Name":"City Cab","Location":{"CountryCode":"US"}},"RideDetail":{"StartDateTime":"{today}T08:00","EndDateTime":"{today}T08:20"}}`, 200, ""},

	{"wes", "GET", "/api/v3.0/common/users", "", 200, `"(ann@demo.test)"`},
	{"wes", "POST", "/api/v3.0/common/lists", `{"Name":"Sites","SearchCriteriaCode":"TEXT","DisplayCodeFirst":true,"IsVendorList":false}`, 200, `list="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/common/lists", "", 200, `"({list})"`},
	{"wes", "PUT", "/api/v3.0/common/lists/{list}", `{"Name":"Places"}`, 200, ""},
	{"wes", "GET", "/api/v3.0/common/lists/{list}", "", 200, `"(Places)"`},
	{"wes", "POST", "/api/v3.0/common/listitems", `{"ListID":"{list}","Name":"North","Level1Code":"N"}`, 200, `item="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/common/listitems?listId={list}", "", 200, `"({item})"`},
	{"wes", "PUT", "/api/v3.0/common/listitems/{item}", `{"Name":"South"}`, 200, ""},
	{"wes", "GET", "/api/v3.0/common/listitems/{item}", "", 200, `"(South)"`},
	{"wes", "DELETE", "/api/v3.0/common/listitems/{item}?listId={list}", "", 200, ""},
	{"wes", "GET", "/api/v3.0/common/locations", "", 200, `location="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/common/locations/{location}", "", 200, ""},
	{"wes", "GET", "/api/v3.0/expense/expensegroupconfigurations", "", 200, `group="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/expense/expensegroupconfigurations/{group}", "", 200, ""},
	{"wes", "POST", "/api/v3.0/expense/attendeetypes", `{"Code":"NEIGHBOUR","Name":"Neighbour"}`, 200, `type="ID":"([^"]+)"`},
	{"wes", "GET", "/api/v3.0/expense/attendeetypes", "", 200, `"({type})"`},
	{"wes", "PUT", "/api/v3.0/expense/attendeetypes/{type}", `{"Name":"Next door"}`, 200, ""},
	{"wes", "GET", "/api/v3.0/expense/attendeetypes/{type}", "", 200, `"(Next door)"`},
	{"wes", "DELETE", "/api/v3.0/expense/attendeetypes/{type}", "", 200, ""},

	{"ann", "PATCH", "/expensereports/v4/users/{annID}/reports/{report}/submit", "", 204, ""},
	{"ann", "PATCH", "/expensereports/v4/users/{annID}/context/TRAVELER/reports/{report}/recall", "", 204, ""},
	{"ann", "POST", "/api/expense/expensereport/v1.1/report/{report}/submit", "", 200, `<Status>(SUCCESS)`},
	{"bob", "GET", "/api/v3.0/expense/reports/{report}", "", 200, `act="WorkflowActionUrl":"http://[^/"]+(/[^"]+)"`},
	{"bob", "POST", "{act}", `<WorkflowAction xmlns="http://www.concursolutions.com/api/expense/expensereport/2011/03"><Action>Send Back to Employee</Action><Comment>No</Comment></WorkflowAction>`, 200, `<Status>(SUCCESS)`},
	{"ann", "PATCH", "/expensereports/v4/users/{annID}/reports/{report}/submit", "", 204, ""},
	{"system", "PATCH", "/expensereports/v4/reports/{report}/sendBack", `{"comment":"No"}`, 204, ""},
	{"ann", "PATCH", "/expensereports/v4/users/{annID}/reports/{report}/submit", "", 204, ""},
	{"bob", "PATCH", "/expensereports/v4/users/{bobID}/context/MANAGER/reports/{report}/sendBack", `{"comment":"No"}`, 204, ""},
	{"ann", "PATCH", "/expensereports/v4/users/{annID}/reports/{report}/submit", "", 204, ""},
	{"bob", "PATCH", "/expensereports/v4/users/{bobID}/context/MANAGER/reports/{report}/expenses/{entry}", `{"approvedAmount":{"value":"12.00","currencyCode":"USD"},"comment":"Without the tip"}`, 204, ""},
	{"ann", "GET", "/api/v3.0/expense/entries/{entry}", "", 200, `"ApprovedAmount":(12),`},
	{"bob", "PATCH", "/expensereports/v4/users/{bobID}/context/MANAGER/reports/{report}/approve", `{"comment":"Yes"}`, 204, ""},
	{"system", "PATCH", "/expensereports/v4/reports/{report}/approve", `{"comment":"Paid"}`, 204, ""},
	{"ann", "GET", "/expensereports/v4/reports/{report}/history", "", 200, ""},
	{"ann", "POST", "/api/v3.0/expense/reports", `{"Name":"Draft"}`, 200, `report="ID":"([^"]+)"`},
	{"ann", "POST", "/api/v3.0/expense/entries", `{"ReportID":"{report}",{expense}}`, 200, `entry="ID":"([^"]+)"`},
	{"ann", "DELETE", "/api/v3.0/expense/entries/{entry}", "", 200, ""},
	{"ann", "DELETE", "/expensereports/v4/users/{annID}/reports/{report}", "", 204, ""},

	{"bob", "DELETE", "/app-mgmt/v0/connections", "", 200, ""},
	{"", "GET", "/-/requests", "", 200, ""},
}

// walker is who goes through the steps, with what they have kept.
type walker struct {
	t           *testing.T
	base        string
	photo, taxi string // files
	cookie      string
	kept        map[string]string
}

func (w *walker) fill(text string, as func(string) string) string {
	for name, value := range w.kept {
		text = strings.ReplaceAll(text, "{"+name+"}", as(value))
	}
	return text
}

// send does a step. The answer has the address of a redirect or a new record at its end.
func (w *walker) send(s step) (status int, answer string) {
	w.t.Helper()
	plain := func(value string) string { return value }
	body, media := w.fill(s.body, plain), "application/x-www-form-urlencoded"
	switch {
	case body == "":
		media = ""
	case body == "photo":
		body, media = w.photo, "image/jpeg"
	case strings.HasPrefix(body, "form "): // its parts, of which photo is a file
		media = "multipart/form-data; boundary=b"
		parts := strings.Fields(body)[1:]
		body = ""
		for _, part := range parts {
			name, value, _ := strings.Cut(part, "=")
			if value == "photo" {
				value, name = w.photo, name+"\"; filename=\"photo.jpg"
			}
			body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n"
			if strings.Contains(name, "filename") {
				body += "Content-Type: image/jpeg\r\n"
			}
			body += "\r\n" + value + "\r\n"
		}
		body += "--b--\r\n"
	case body == "receipt of a taxi":
		body, media = w.taxi, "application/json"
	case body[0] == '{':
		media = "application/json"
	case body[0] == '<':
		media = "application/xml"
	}
	request, err := http.NewRequestWithContext(w.t.Context(), s.method, w.base+w.fill(s.path, plain), strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	header := map[string]string{"Accept": "application/json", "Content-Type": media, "Cookie": w.cookie}
	if s.body == "receipt of a taxi" {
		header["Link"] = "<http://schema.concursolutions.com/ground-transport-receipt.schema.json>;rel=describedBy"
	}
	switch s.who {
	case "":
	case "basic":
		request.SetBasicAuth("ann@demo.test", "ann-password")
		header["X-ConsumerKey"] = "quittance-dev"
	default:
		header["Authorization"] = "Bearer " + w.kept[s.who]
	}
	for name, value := range header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request) // follows nothing
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.cookie, _, _ = strings.Cut(cmp.Or(response.Header.Get("Set-Cookie"), w.cookie), ";")
	return response.StatusCode, string(b) + "\nLocation: " + response.Header.Get("Location")
}

// keep finds in an answer what a step is to keep.
func (w *walker) keep(s step, answer string) bool {
	name, expression, named := strings.Cut(s.keep, "=")
	if !named || strings.ContainsAny(name, `"(`) {
		name, expression = "", s.keep
	}
	found := regexp.MustCompile(w.fill(expression, regexp.QuoteMeta)).FindStringSubmatch(answer)
	if found != nil {
		w.kept[name] = strings.ReplaceAll(found[1], "&#43;", "+")
	}
	return found != nil
}

// TestEveryOperationHasAScenario walks through the whole product, and then asks the
// server which of its operations have succeeded.
func TestEveryOperationHasAScenario(t *testing.T) {
	server := apptest.Start(t)
	w := &walker{t: t, base: server.PublicURL(), kept: map[string]string{
		"app": "client_id=quittance-dev&client_secret=quittance-dev-secret", "company": "c0000000-0000-4000-8000-000000000001",
		"asks":  "client_id=quittance-dev&redirect_uri=http://127.0.0.1/callback&response_type=code&scope=EXPRPT",
		"annID": "a0000000-0000-4000-8000-000000000001", "bobID": "b0000000-0000-4000-8000-000000000001",
		"quick":   `{"transactionDate":"2025-03-10","transactionAmount":{"value":12.5,"currencyCode":"USD"}}`,
		"today":   time.Now().UTC().Format("2006-01-02"),
		"expense": `"ExpenseTypeCode":"TAXIX","PaymentTypeID":"CASHX","TransactionDate":"2025-03-10","TransactionAmount":"10","TransactionCurrencyCode":"USD"`,
	}}
	for name, text := range map[string]*string{"receipt-photo.jpg": &w.photo, "taxi-receipt.json": &w.taxi} {
		b, err := os.ReadFile(filepath.Join("demodata", name))
		if err != nil {
			t.Fatal(err)
		}
		*text = string(b)
	}
	for _, s := range walk {
		try := func() bool {
			status, answer := w.send(s)
			if status != s.status {
				t.Fatalf("%s %s %s: %d %s; want %d", s.who, s.method, s.path, status, answer, s.status)
			}
			return s.keep == "" || w.keep(s, answer)
		}
		if s.method == "GET" { // what is done in the background is there a little later
			apptest.Eventually(t, s.keep+" in "+s.path, try)
		} else if !try() {
			t.Fatalf("%s %s answers no %s", s.method, s.path, s.keep)
		}
	}
	var calls []struct {
		Operation string
		Status    int
	}
	status, log := get(t, "GET", server.PublicURL()+"/-/requests", "")
	if status != 200 || json.Unmarshal([]byte(log), &calls) != nil {
		t.Fatalf("the request log: %d %s", status, log)
	}
	succeeded := map[string]bool{}
	for _, c := range calls {
		succeeded[c.Operation] = succeeded[c.Operation] || c.Status < 400
	}
	for _, op := range server.API.Operations() {
		if !succeeded[op.Doc.ID] {
			t.Errorf("%s (%s %s) has no scenario: give it a step in walk", op.Doc.ID, op.Method, op.Route())
		}
	}
}

// TestReferenceIsUpToDate holds docs/reference/operations.md against the OpenAPI
// document that it is made from; -update writes it anew.
func TestReferenceIsUpToDate(t *testing.T) {
	server := apptest.Start(t)
	var document struct {
		Paths map[string]map[string]struct {
			ID         string   `json:"operationId"`
			Summary    string   `json:"summary"`
			Tags       []string `json:"tags"`
			Deprecated bool     `json:"deprecated"`
			Extension  bool     `json:"x-quittance-extension"`
			Security   []struct{ OAuth2 []string }
		}
	}
	if err := json.Unmarshal(server.API.OpenAPI("reference"), &document); err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	for path, methods := range document.Paths {
		for method, o := range methods {
			access := "open"
			if len(o.Security) > 0 {
				access = cmp.Or(strings.Join(o.Security[0].OAuth2, ", "), "any token")
			}
			note := ""
			if o.Extension {
				note += " (our extension)"
			}
			if o.Deprecated {
				note += " (kept for old clients)"
			}
			groups[o.Tags[0]] = append(groups[o.Tags[0]], fmt.Sprintf("| `%s %s` | `%s` | %s%s | %s |", strings.ToUpper(method), path, o.ID, o.Summary, note, access))
		}
	}
	var b strings.Builder
	b.WriteString("# Operations\n\nMade from the OpenAPI document by `make golden`; do not edit. A running server has everything about them,\n" +
		"parameters, fields and answers, in `/openapi.json`. One of the scopes in the last column is needed.\n")
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		slices.SortFunc(groups[name], func(a, b string) int {
			return cmp.Or(strings.Compare(strings.Fields(a)[2], strings.Fields(b)[2]), strings.Compare(a, b))
		})
		fmt.Fprintf(&b, "\n## %s\n\n| call | operationId | what it does | scopes |\n|---|---|---|---|\n%s\n", name, strings.Join(groups[name], "\n"))
	}
	path := filepath.Join("..", "..", "docs", "reference", "operations.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil || string(kept) != b.String() {
		t.Errorf("%s is not what the operations say (%v): run make golden and read the diff", path, err)
	}
}

// TestGreetingCanBePasted has a shell read the lines that dev prints, and calls what
// it would call.
func TestGreetingCanBePasted(t *testing.T) {
	p := apptest.Program(t, nil, "dev", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--allow-weak-sandbox")
	apptest.Eventually(t, "the greeting", func() bool { return strings.Contains(p.Output(), "LocationID is") })
	lines := regexp.MustCompile(`(?m)^(TOKEN=|curl ).*$`).FindAllString(p.Output(), -1)
	said, err := exec.CommandContext(t.Context(), "sh", "-c", "curl() { printf '%s\n' \"$3\" \"$6\"; }\n"+strings.Join(lines, "\n")).Output()
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Fields(strings.ReplaceAll(string(said), "Authorization: Bearer ", ""))
	if len(calls) < 2*3 {
		t.Fatalf("the lines %q say %q", lines, said)
	}
	for i := 0; i < len(calls); i += 2 {
		request, err := http.NewRequestWithContext(t.Context(), "GET", calls[i+1], http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+calls[i])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("%s: %d", calls[i+1], response.StatusCode)
		}
	}
}
