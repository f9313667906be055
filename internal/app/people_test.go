package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// save writes a file that commands read.
func (m *terminal) save(name, text string) string {
	m.t.Helper()
	file := filepath.Join(m.t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return file
}

func TestDelegateCommand(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test")
		m.run(0, "admin|create|--company|Brown|--login|bo@brown.test")
		for _, login := range []string{"cy", "di"} {
			m.run(0, "user|create|--company|Acme|--login|"+login+"@acme.test")
		}
		const delegate = "user|delegate|--company|acme|--login|ada@acme.test|--to|"
		is := func(line, want string) {
			m.t.Helper()
			if got := m.run(0, line); got != want {
				m.t.Errorf("quittance %s prints\n%s\nnot\n%s", line, got, want)
			}
		}
		is(delegate+"CY@acme.test|--prepare|--submit", "user       ada@acme.test\ndelegate   cy@acme.test may prepare, submit\n")
		is(delegate+"di@acme.test|--approve|--from|2026-07-01|--until|2026-07-31",
			"user       ada@acme.test\ndelegate   cy@acme.test may prepare, submit\ndelegate   di@acme.test may approve from 2026-07-01 until 2026-07-31\n")
		is(delegate+"cy@acme.test|--prepare", "user       ada@acme.test\ndelegate   cy@acme.test may prepare\ndelegate   di@acme.test may approve from 2026-07-01 until 2026-07-31\n")
		m.has(0, "user|list|--company|Acme", "cy@acme.test (prepare); di@acme.test (approve from 2026-07-01 until 2026-07-31)")
		m.run(0, "user|disable|--company|Acme|--login|di@acme.test")
		is(delegate+"cy@acme.test", "user       ada@acme.test\ndelegate   none\n")
		m.has(0, "user|list|--company|Acme", "di@acme.test   di    no      -        -  ")

		m.has(1, delegate+"ada@acme.test|--submit", "delegate: Nobody is their own delegate.")
		m.has(1, delegate+"di@acme.test|--submit", "delegate: The user di@acme.test is disabled.")
		m.has(1, delegate+"bo@brown.test|--submit", `The company has no user "bo@brown.test".`)
		m.has(1, delegate+"cy@acme.test|--submit|--from|2026-07-01", "give that right with them")
		m.has(2, delegate+"cy@acme.test|--submit|--from|July", "--from must be a day")
	})
}

func TestUserList(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test|--first-name|Ada|--last-name|Adams")
		m.run(0, "admin|create|--company|Brown|--login|bo@brown.test")
		m.run(0, "user|create|--company|Acme|--login|Zoe@acme.test|--manager|ada@acme.test|--roles|Expense Approver,Invoice User")
		m.run(0, "user|create|--company|Acme|--login|Bea@acme.test|--manager|zoe@acme.test")
		m.run(0, "user|delegate|--company|Acme|--login|zoe@acme.test|--to|bea@acme.test|--submit")
		all := `LOGIN          NAME       ACTIVE  MANAGER        ROLES                                            DELEGATES  ID
ada@acme.test  Ada Adams  yes     -              Company Administrator; Web Services Administrator  -  (id)
Bea@acme.test  Bea        yes     Zoe@acme.test  -                                                -  (id)
Zoe@acme.test  Zoe        yes     ada@acme.test  Expense Approver; Invoice User                   Bea@acme.test (submit)  (id)
`
		squeeze, id := regexp.MustCompile(` {2,}`), regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
		if got := m.run(0, "user|list|--company|Acme"); squeeze.ReplaceAllString(id.ReplaceAllString(got, "(id)"), "  ") != squeeze.ReplaceAllString(all, "  ") {
			m.t.Errorf("the list is\n%s", got)
		}
		m.has(0, "user|list|--company|Acme|--limit|2", "Bea@acme.test", "There are more: --after Bea@acme.test\n")
		if got := m.run(0, "user|list|--company|Acme|--limit|2|--after|bea@acme.test"); strings.Count(got, "\n") != 2 || !strings.Contains(got, "Zoe@acme.test") {
			m.t.Errorf("the second page is\n%s", got)
		}
		if got := m.run(0, "user|list|--company|Acme|--after|zz"); strings.Count(got, "\n") != 1 {
			m.t.Errorf("behind the last one there is\n%s", got)
		}
		m.has(1, "user|list|--company|Nobody", "There is no company")
		m.has(2, "user|list|--company|Acme|--limit|0", "--limit must be")
	})
}

func TestUserImport(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test|--first-name|Ada|--last-name|Adams")
		m.run(0, "admin|create|--company|Brown|--login|bo@brown.test")
		m.run(0, "user|create|--company|Acme|--login|cy@acme.test|--last-name|Clark|--unit|Sales|--roles|Invoice User|--manager|ada@acme.test")
		file := m.save("people.csv", "\ufeffLogin,first_name,last_name,manager,roles,group,currency,active\r\n"+
			"di@acme.test,Di,\"Dahl, the 2nd\",EVA@acme.test,,default group,eur,\r\n"+
			",,,,,,,\r\n\r\n"+
			"eva@acme.test,Eva,Ek,ada@acme.test,expense approver; Invoice User;,,,yes\r\n"+
			"CY@acme.test,Cy,,eva@acme.test,,Default Group,,yes\r\n"+
			"fay@acme.test,,Fox,,,,,no\r\n")
		before := m.run(0, "user|list|--company|Acme")
		plan := "+ user di@acme.test\n    first_name: Di\n    last_name: Dahl, the 2nd\n    email: di@acme.test\n    manager: eva@acme.test\n    group: Default Group\n    country: US\n    currency: EUR\n    language: en-US\n    active: true\n    test: false\n" +
			"+ user eva@acme.test\n    first_name: Eva\n    last_name: Ek\n    email: eva@acme.test\n    manager: ada@acme.test\n    roles: Expense Approver; Invoice User\n    country: US\n    currency: USD\n    language: en-US\n    active: true\n    test: false\n" +
			"~ user cy@acme.test\n    manager: ada@acme.test -> eva@acme.test\n    roles: Invoice User -> nothing\n    first_name: nothing -> Cy\n    group: nothing -> Default Group\n" +
			"+ user fay@acme.test\n    last_name: Fox\n    email: fay@acme.test\n    country: US\n    currency: USD\n    language: en-US\n    active: false\n    test: false\n"
		if got := m.run(0, "user|import|--company|Acme|--plan|--file|"+file); got != plan+"3 records would be added, 1 changed, 0 removed.\n" {
			m.t.Errorf("planned\n%s", got)
		}
		if got := m.run(0, "user|list|--company|Acme"); got != before {
			m.t.Error("planning has changed something")
		}
		if got := m.run(0, "user|import|--company|Acme|--file|"+file); got != plan+"3 records were added, 1 changed, 0 removed.\n" {
			m.t.Errorf("imported\n%s", got)
		}
		for _, again := range []string{"--plan|", ""} {
			if got := m.run(0, "user|import|--company|Acme|"+again+"--file|"+file); got != "Nothing changes.\n" {
				m.t.Errorf("again it is\n%s", got)
			}
		}
		m.has(0, "user|change|--company|Acme|--login|cy@acme.test|--enable", "name       Cy Clark\n", "unit       Sales\n", "manager    eva@acme.test\n", "group      Default Group\n")
		m.has(0, "user|list|--company|Acme", "fay@acme.test  Fox", "no")

		// Columns that are not there say nothing; a chain can turn around; the manager comes back in the same file.
		file = m.save("turn.csv", "login,manager,active\nada@acme.test,cy@acme.test,\neva@acme.test,,\ndi@acme.test,fay@acme.test,\nfay@acme.test,,1\n")
		m.has(0, "user|import|--company|Acme|--file|"+file, "~ user ada@acme.test\n    manager: nothing -> cy@acme.test\n", "~ user eva@acme.test\n    manager: ada@acme.test -> nothing\n",
			"~ user di@acme.test\n    manager: eva@acme.test -> fay@acme.test\n", "~ user fay@acme.test\n    active: false -> true\n")
		// A manager who has left stays where the file does not name another one.
		m.run(0, "user|disable|--company|Acme|--login|fay@acme.test")
		m.has(0, "user|import|--company|Acme|--file|"+m.save("same.csv", "login,manager\ndi@acme.test,fay@acme.test\n"), "Nothing changes.")

		// Every problem at once, and nothing done.
		before = m.run(0, "user|list|--company|Acme")
		bad := m.save("bad.csv", `login,last_name,manager,roles,group,country,currency,language,reimbursement,active,test,email,Shoes,login
new@acme.test,New,,,,,,,,,,,,x
bo@brown.test,Bo,,,,,,,,,,,,x
,Nobody,,,,,,,,,,,,x
gil@acme.test,,,,,,,,,,,,,x
two words,Hal,nobody@acme.test,King; Expense Approver,Pilots,USA,XYZ,e,CASH,perhaps,maybe,,,x
NEW@acme.test,Again,,,,,,,,,,,,x
ian@acme.test,Ian,IAN@acme.test,,,,,,,,,,,x
jo@acme.test,Jo,kim@acme.test,,,,,,,,,,,x
kim@acme.test,Kim,lea@acme.test,,,,,,,,,,,x
lea@acme.test,Lea,jo@acme.test,,,,,,,,,,,x
ada@acme.test,,di@acme.test,,,,,,,no,,,,x
moe@acme.test,Moe,fay@acme.test,,,,,,,,,,,x
ned@acme.test,Ned,bo@brown.test,,,,,,,,,,,x
short,line
`)
		m.has(1, "user|import|--company|Acme|--file|"+bad, `column "shoes": Nobody knows this column. There are: login, first_name,`, `column "login": The column comes twice.`)
		text, err := os.ReadFile(bad)
		if err != nil {
			m.t.Fatal(err)
		}
		bad = m.save("bad.csv", strings.NewReplacer(",Shoes,login\n", "\n", ",,x\n", "\n").Replace(string(text)))
		want := []string{
			"line 3 login: The login bo@brown.test is taken.\n", "line 4 login: A user needs a login.\n", "line 5 last_name: A user needs a last name.\n",
			"line 6 login: A login has no blanks,", `line 6 manager: Neither the company nor the file has the user nobody@acme.test.`, `line 6 roles: There is no role "King"; there are: `,
			`line 6 group: The company has no expense group "Pilots".`, "line 6 country: The country is a code of two letters", "line 6 currency: The currency is not a code of ISO 4217.",
			"line 6 language: must be a language", "line 6 reimbursement: The way of being paid back is one of", "line 6 active: must be true or false.", "line 6 test: must be true or false.",
			"line 7 login: The user is on line 2 already.", "line 8 manager: The managers would lead back to ian@acme.test.", "line 9 manager: The managers would lead back to jo@acme.test.",
			"line 10 manager: The managers would lead back to kim@acme.test.", "line 11 manager: The managers would lead back to lea@acme.test.",
			"line 13 manager: The manager fay@acme.test is disabled.", "line 15: It has 2 cells, and there are 12 columns.",
		}
		for _, plan := range []string{"--plan|", ""} {
			m.has(1, "user|import|--company|Acme|"+plan+"--file|"+bad, want...)
			if got := m.run(1, "user|import|--company|Acme|"+plan+"--file|"+bad); strings.Count(got, "line ") != len(want)+1 || !strings.Contains(got, "quittance: line 3 login:") || !strings.HasSuffix(got, "12 columns.\n") || strings.Contains(got, "line 12") { // one names another line
				m.t.Errorf("the problems are\n%s", got)
			}
		}
		if got := m.run(0, "user|list|--company|Acme"); got != before {
			m.t.Errorf("something was done:\n%s", got)
		}
		m.has(1, "user|import|--company|Acme|--file|"+m.save("other.csv", "login,last_name,manager\nned@acme.test,Ned,bo@brown.test\n"), "line 2 manager: Neither the company nor the file has the user bo@brown.test.")
		// Who stands lower cannot become the manager of who stands higher.
		m.has(1, "user|import|--company|Acme|--file|"+m.save("cycle.csv", "login,manager\neva@acme.test,ada@acme.test\n"), "line 2 manager: The managers would lead back to eva@acme.test.")
		var chain strings.Builder
		chain.WriteString("login,last_name,manager\n")
		for i := range 102 {
			fmt.Fprintf(&chain, "c%d@acme.test,C,c%d@acme.test\n", i, i+1)
		}
		chain.WriteString("c102@acme.test,C,\n")
		m.has(1, "user|import|--company|Acme|--file|"+m.save("chain.csv", chain.String()), "line 2 manager: The managers above c0@acme.test have no end.")

		for text, want := range map[string]string{
			"":                                    "The file is empty",
			"\n\n":                                "The file is empty",
			"first_name\nDi\n":                    "login is one of them.",
			"login\n\"di@acme.test\n":             "It is no CSV",
			"login,last_name\nx@acme.test,a\"b\n": "line 2: It is no CSV",
			"login\nx@acme.test\n\xff\n":          "line 3: It is not UTF-8",
			"login\nx\x00y@acme.test\n":           "one line of at most 255 characters",
			"login,last_name\n" + strings.Repeat("x@acme.test,x\n", 20_001): "The file has more than 20000 people",
			"login\n" + strings.Repeat("x@acme.test\n", 1_500_000):          "The file is larger than 16 MB",
		} {
			m.has(1, "user|import|--company|Acme|--file|"+m.save("odd.csv", text), want)
		}
		m.has(1, "user|import|--company|Acme|--file|"+filepath.Join(m.data, "none.csv"), "the file cannot be read")
		m.has(1, "user|import|--company|Nobody|--file|"+file, "There is no company")
		m.has(2, "user|import|--company|Acme", "--file is missing")
	})
}

// A company of 2,000 comes in one file, managers behind those whom they manage.
func TestLargeImport(t *testing.T) {
	terminals(t, func(m *terminal) {
		m.run(0, "admin|create|--company|Acme|--login|ada@acme.test")
		var b strings.Builder
		b.WriteString("login,first_name,last_name,employee_id,manager,roles,group,country,currency\n")
		for i := range 2000 {
			manager := "ada@acme.test"
			if up := 2000 - (1999-i)/10; i != 1999 && up < 2000 && up != i {
				manager = fmt.Sprintf("p%d@acme.test", up)
			}
			fmt.Fprintf(&b, "p%d@acme.test,First,Last %d,%d,%s,%s,Default Group,DE,EUR\n", i, i, i, manager, []string{"", "Expense Approver"}[i%2])
		}
		file := m.save("people.csv", b.String())
		began := time.Now()
		m.has(0, "user|import|--company|Acme|--file|"+file, "2000 records were added, 0 changed, 0 removed.\n")
		t.Logf("2,000 new people in %v", time.Since(began).Round(time.Millisecond))
		m.has(0, "user|import|--company|Acme|--file|"+file, "Nothing changes.\n")
		began = time.Now()
		m.has(0, "user|import|--company|Acme|--file|"+m.save("people.csv", strings.ReplaceAll(b.String(), ",DE,EUR", ",FR,EUR")), "0 records were added, 2000 changed, 0 removed.\n")
		t.Logf("2,000 changed people in %v", time.Since(began).Round(time.Millisecond))
	})
}
