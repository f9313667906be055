package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/store/storetest"
)

// terminal runs commands on one store, as an operator does.
type terminal struct {
	t    *testing.T
	data string
	env  []string
}

// run runs a command line, of which "|" separates the words, and gives what it printed.
func (m *terminal) run(status int, line string) (out string) {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	words := strings.Split(line, "|")
	if got := app.Main(context.Background(), append(words, "--data", m.data), m.env, &stdout, &stderr); got != status {
		m.t.Fatalf("quittance %s: status %d, not %d\n%s%s", line, got, status, &stdout, &stderr)
	}
	if status != 0 {
		return stdout.String() + stderr.String()
	}
	return stdout.String()
}

func (m *terminal) has(status int, line string, want ...string) {
	m.t.Helper()
	out := m.run(status, line)
	for _, w := range want {
		if !strings.Contains(out, w) {
			m.t.Errorf("quittance %s prints\n%s\nwithout %s", line, out, w)
		}
	}
}

func terminals(t *testing.T, run func(m *terminal)) {
	t.Run("sqlite", func(t *testing.T) { run(&terminal{t: t, data: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) {
		run(&terminal{t: t, data: t.TempDir(), env: []string{"QUITTANCE_DATABASE_URL=" + storetest.PostgresURL(t)}})
	})
}

func TestConfigurationCommands(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test")
		file := filepath.Join(m.data, "acme.yaml")
		save := func(text string) {
			m.t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				m.t.Fatal(err)
			}
		}
		text := m.run(0, "config|export|--company|acme")
		save(text)
		m.has(0, "config|plan|--company|Acme|"+file, "Nothing changes.\n")
		m.has(0, "config|apply|--company|Acme|"+file, "Nothing changes.\n")
		changed := strings.NewReplacer("  - {code: TAXIX, name: Taxi,", "  - {code: TAXI2, name: Cab,", `name: Standard Policy, default: true, inheritable: true, receipt: "75"`, `name: Standard Policy, default: true, inheritable: true, receipt: "50"`).Replace(text)
		save(changed)
		plan := []string{"- expense type TAXIX\n", "+ expense type TAXI2\n    code: TAXI2\n    name: Cab\n", "~ policy Default Group / Standard Policy\n    receipt: 75 -> 50\n"}
		m.has(0, "config|plan|--company|Acme|"+file, append(plan, "3 records would be added, 1 changed, 3 removed.\n")...)
		if got := m.run(0, "config|export|--company|Acme"); got != text {
			m.t.Error("planning has changed something")
		}
		m.has(0, "config|apply|--company|Acme|"+file, append(plan, "3 records were added, 1 changed, 3 removed.\n")...)
		m.has(0, "config|plan|--company|Acme|"+file, "Nothing changes.\n")
		m.has(0, "config|export|--company|Acme", `{code: TAXI2, name: Cab, does: OTHER, category: GRTRN, account: "613100"}`, `receipt: "50"`)

		// Ada is in the group, so that it stays.
		m.has(0, "user|change|--company|Acme|--login|ada@acme.test|--group|default group", "group      Default Group\n")
		save("groups: []\n")
		m.has(1, "config|plan|--company|Acme|"+file, "- expense group Default Group cannot be removed: there are users in it.\n", "would refuse this file: it removes 1 record that is in use\n")
		m.has(1, "config|apply|--company|Acme|"+file, "expense group Default Group: cannot be removed: there are users in it.")
		save("locations: []\nmileage_rates: []\nattendee_types: [{code: ONE, name: One}]\n")
		m.has(0, "config|plan|--company|Acme|"+file, "\n1 record would be added, ")
		m.has(0, "config|apply|--company|Acme|"+file, "\n1 record was added, ")

		save("expense_types: [{code: X, nam: Y}]\n")
		m.has(1, "config|plan|--company|Acme|"+file, `unknown field "nam"`)
		save("expense_types: [{code: X}]\nlocations: [{name: Y, country: Z}]\n")
		m.has(1, "config|apply|--company|Acme|"+file, "expense type X name: is missing.", "location Z / Y country: must be a code of two letters")
		m.has(1, "config|apply|--company|Acme|"+filepath.Join(m.data, "none.yaml"), "the file cannot be read")
		m.has(1, "config|export|--company|Nobody", `There is no company "Nobody"`)
		m.has(2, "config|export", "--company is missing")
		m.has(2, "config|plan|--company|Acme", "file is missing")
	})
}

func TestUserCommands(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test|--first-name|Ada|--last-name|Adams")
		m.run(0, "admin|create|--company|Brown|--login|bo@brown.test")
		m.has(0, "user|create|--company|Acme|--login|cy@acme.test|--manager|ada@acme.test|--employee-id|17|--unit|Sales|--roles|expense approver|--password|long enough", "cy@acme.test")
		m.has(0, "user|change|--company|Acme|--login|CY@acme.test|--first-name|Cy|--last-name|Clark|--email|cy@mail.test|--currency|eur|--country|de|--reimbursement|cnqrpay",
			"can sign in\n", "name       Cy Clark\n", "email      cy@mail.test\n", "employee   17\n", "unit       Sales\n", "manager    ada@acme.test\n", "country    DE\n", "currency   EUR\n", "reimbursed CNQRPAY\n", "roles      Expense Approver\n")
		out := m.run(0, "user|change|--company|Acme|--login|cy@acme.test|--new-login|cyril@acme.test|--manager|none|--unit|none|--roles|none|--password|even longer")
		if !strings.Contains(out, "login      cyril@acme.test\n") || strings.Contains(out, "manager") || strings.Contains(out, "unit") || strings.Contains(out, "roles") {
			m.t.Errorf("changed to\n%s", out)
		}
		m.has(0, "user|disable|--company|Acme|--login|cyril@acme.test", "is disabled\n")
		m.has(0, "user|change|--company|Acme|--login|cyril@acme.test|--last-name|C", "is disabled\n")
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--manager|cyril@acme.test", "The manager cyril@acme.test is disabled.")
		m.has(0, "user|change|--company|Acme|--login|cyril@acme.test|--enable|--manager|ada@acme.test", "can sign in\n")

		m.has(1, "user|change|--company|Acme|--login|cy@acme.test|--unit|X", `The company has no user "cy@acme.test"`)
		m.has(1, "user|change|--company|Acme|--login|bo@brown.test|--unit|X", `The company has no user "bo@brown.test"`) // of another company
		m.has(1, "user|disable|--company|Acme|--login|bo@brown.test", `The company has no user "bo@brown.test"`)
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--manager|bo@brown.test", `The company has no user "bo@brown.test"`)
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--manager|cyril@acme.test", "would lead back to ada@acme.test")
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--group|Pilots", `no expense group "Pilots"`)
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--roles|King", `There is no role "King"`)
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--new-login|bo@brown.test", "is taken")
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--reimbursement|cash", "is one of ADPPAYR")
		m.has(1, "user|change|--company|Acme|--login|ada@acme.test|--password|short", "at least 8")
		m.has(1, "user|create|--company|Acme|--login|di@acme.test|--manager|nobody", `no user "nobody"`)
		m.has(2, "user|disable|--company|Acme", "--login is missing")
		m.has(2, "user|disable|--company|Acme|--login|x|--enable", "--enable is no setting of user disable")
	})
}

// What a report names cannot be taken away over HTTP.
func TestNamedRecordsStay(t *testing.T) {
	server := apptest.Start(t)
	ctx := context.Background()
	ann, wes := apptest.SignIn(t, server, "ann"), apptest.SignIn(t, server, "wes")
	call := func(as, method, path, body string, status int) map[string]any {
		t.Helper()
		session := ann
		if as == "wes" {
			session = wes
		}
		got, text, err := apptest.Do(ctx, session, method, "/api/v3.0"+path, "application/json", body)
		if err != nil || got != status {
			t.Fatalf("%s %s: %d %s %v", method, path, got, text, err)
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := func(m map[string]any) map[string]any { return m["Items"].([]any)[0].(map[string]any) }
	items := call("ann", "GET", "/common/listitems?level2Code=210", "", 200)
	sales := first(items)
	list, id, parent := sales["ListID"].(string), sales["ID"].(string), sales["ParentID"].(string)
	call("ann", "POST", "/expense/reports", `{"Name":"Trip","OrgUnit1":"210"}`, 200)
	for _, item := range []string{id, parent} {
		refusal := call("wes", "DELETE", "/common/listitems/"+item+"?listId="+list, "", 400)
		if m := refusal["Message"].(string); !strings.Contains(m, "cannot be removed: records name") {
			t.Error(m)
		}
	}
	other := first(call("ann", "GET", "/common/listitems?level2Code=230", "", 200))["ID"].(string)
	call("wes", "DELETE", "/common/listitems/"+other+"?listId="+list, "", 200)

	kind := first(call("ann", "GET", "/expense/attendeetypes", "", 200))["ID"].(string)
	call("ann", "POST", "/expense/attendees", `{"AttendeeTypeID":"`+kind+`","FirstName":"Jo","LastName":"Jones"}`, 200)
	if m := call("wes", "DELETE", "/expense/attendeetypes/"+kind, "", 400)["Message"].(string); !strings.Contains(m, "there are attendees of this type") {
		t.Error(m)
	}
	press := call("wes", "POST", "/expense/attendeetypes", `{"Code":"PRESS","Name":"Press"}`, 200)["ID"].(string)
	call("wes", "DELETE", "/expense/attendeetypes/"+press, "", 200)
}
