package expense

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire/wiretest"
)

// journey is the body of a mileage entry with these members of its journey.
func journey(kind, members string) string {
	return `{"ReportID":"{r}","ExpenseTypeCode":"` + kind + `","TransactionDate":"2025-03-10","Journey":{` + members + `}}`
}

const ride = `"StartLocation":"Oslo","EndLocation":"Moss","UnitOfMeasure":"M"`

func TestEntryRefusals(t *testing.T) {
	long := strings.Repeat("x", 501)
	with := func(members string) string { return strings.TrimSuffix(lunch("r", "12.5"), "}") + "," + members + "}" }
	for _, c := range []struct{ name, body, want string }{
		{"nothing", `{}`, "ExpenseTypeCode: is required; ReportID: is required; TransactionDate: is required"},
		{"nothing but a report", `{"ReportID":"{r}"}`, "ExpenseTypeCode: is required; TransactionDate: is required; TransactionAmount: is required; TransactionCurrencyCode: is required; PaymentTypeID: is required"},
		{"empty values", `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":"","TransactionCurrencyCode":null,"PaymentTypeID":""}`, "TransactionAmount: is required; TransactionCurrencyCode: is required; PaymentTypeID: is required"},
		{"no such report", strings.Replace(lunch("r", "1"), "{r}", "5EED0000000000000000", 1), "ReportID: names no report"},
		{"no such type", strings.Replace(lunch("r", "1"), "LUNCH", "NOPE", 1), "ExpenseTypeCode: is no expense type of the report's policy"},
		{"no such payment type", strings.Replace(lunch("r", "1"), "CASHX", "gWnone", 1), "PaymentTypeID: is no payment type of the owner's expense group"},
		{"no such currency", strings.Replace(lunch("r", "1"), "USD", "XXQ", 1), "TransactionCurrencyCode: must be a currency code of ISO 4217"},
		{"no number", lunch("r", `"ten"`), "TransactionAmount: must be a number"},
		{"too much", lunch("r", "922337203685478"), "TransactionAmount: is a number out of range"},
		{"no date", strings.Replace(lunch("r", "1"), "2025-03-10", "2025-02-29", 1), "TransactionDate: must be a date"},
		{"no location", with(`"LocationID":"gWnone"`), "LocationID: names no location"},
		{"no vendor", with(`"VendorListItemID":"gWnone"`), "VendorListItemID: names no item of a vendor list"},
		{"no receipt type", with(`"TaxReceiptType":"X"`), "TaxReceiptType: must be one of T, R, N"},
		{"no receipt", with(`"ElectronicReceiptID":"gWnone"`), "ElectronicReceiptID"},
		{"negative rate", with(`"ExchangeRate":-1`), "ExchangeRate: must be above zero"},
		{"long description", with(`"Description":"` + long[:65] + `"`), "Description: must be at most 64"},
		{"long comment", with(`"Comment":"` + long + `"`), "Comment: must be at most 500"},
		{"long vendor", with(`"VendorDescription":"` + long[:65] + `"`), "VendorDescription: must be at most 64"},
		{"long custom", with(`"Custom9":"` + long[:49] + `"`), "must be at most 48"},
		{"bad customs", with(`"Custom2":"NONE","Custom3":"perhaps","Custom4":"many","Custom5":"much","Custom6":"soon"`),
			"Custom2: names no item; Custom3: must be true or false; Custom4: must be a number; Custom5: must be an amount; Custom6: must be a date"},
		{"journey without mileage", with(`"Journey":{` + ride + `,"BusinessDistance":1}`), "Journey: is for mileage only"},
		{"converted too much", with(`"ExchangeRate":9000000,"TransactionAmount":922337203685`), "TransactionAmount"},

		{"no journey", `{"ReportID":"{r}","ExpenseTypeCode":"MILEG","TransactionDate":"2025-03-10"}`, "Journey: is required with the mileage type MILEG"},
		{"mileage with an amount", strings.Replace(lunch("r", "1"), "LUNCH", "MILEG", 1),
			"TransactionAmount: is not taken with the mileage type MILEG; TransactionCurrencyCode: is not taken; PaymentTypeID: is not taken; Journey: is required"},
		{"empty journey", journey("MILEG", `"BusinessDistance":1`), "Journey.StartLocation: is required; Journey.EndLocation: is required; Journey.UnitOfMeasure: is required"},
		{"bad unit", journey("MILEG", `"StartLocation":"a","EndLocation":"b","UnitOfMeasure":"L","BusinessDistance":1`), "Journey.UnitOfMeasure: must be one of M, K"},
		{"long places", journey("MILEG", `"StartLocation":"`+long[:101]+`","EndLocation":"`+long[:101]+`","UnitOfMeasure":"M","BusinessDistance":1`),
			"Journey.StartLocation: must be at most 100; Journey.EndLocation: must be at most 100"},
		{"no distance", journey("MILEG", ride), "Journey.BusinessDistance: is required for a personal car"},
		{"no distance of a company car", journey("CARMI", ride), "Journey.BusinessDistance: or PersonalDistance is required"},
		{"zero distance", journey("MILEG", ride+`,"BusinessDistance":0`), "Journey.BusinessDistance: is required"},
		{"negative distance", journey("MILEG", ride+`,"BusinessDistance":-5`), "Journey.BusinessDistance: must be a whole number from 0"},
		{"no personal distance", journey("CARMI", ride+`,"PersonalDistance":0`), "Journey.PersonalDistance: must be a whole number from 1"},
		{"half a mile", journey("MILEG", ride+`,"BusinessDistance":1.5`), "Journey.BusinessDistance: must be a whole number"},
		{"a vehicle", journey("MILEG", ride+`,"BusinessDistance":1,"VehicleID":"v"`), "Journey.VehicleID: is for company cars only"},
		{"half an odometer", journey("CARMI", ride+`,"BusinessDistance":1,"OdometerStart":5`), "Journey.OdometerEnd: and OdometerStart belong together"},
		{"odometer backwards", journey("CARMI", ride+`,"BusinessDistance":1,"OdometerStart":5,"OdometerEnd":5`), "Journey.OdometerEnd: must be above OdometerStart"},
		{"odometer off", journey("CARMI", ride+`,"BusinessDistance":1,"PersonalDistance":3,"OdometerStart":5,"OdometerEnd":10`), "Journey.OdometerEnd: less OdometerStart must be"},
		{"before any rate", strings.Replace(journey("MILEG", ride+`,"BusinessDistance":1`), "2025", "2019", 1), "ExpenseTypeCode: cannot be used: the company has no mileage rate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(w *world) {
				w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"})
				f := w.step("", step{as: "ann", call: "POST /expense/entries", body: c.body, status: 400})
				for _, part := range strings.Split(c.want, "; ") {
					if !strings.Contains(f["Message"], part) {
						t.Errorf("the message is\n%s\nwithout\n%s", f["Message"], part)
					}
				}
				w.run(
					step{as: "ann", call: "GET /expense/entries", want: "Items=0"},
					step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=0"},
				)
			})
		})
	}
}

func TestEntryIsFilledIn(t *testing.T) {
	everywhere(t, func(w *world) {
		oslo := w.config().Locations()[0]
		w.kept["place"] = oslo.ID
		w.exec("UPDATE list SET vendor_list = ? WHERE company_id = ? AND name = 'Projects'", true, demo)
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: `{"ReportID":"{r}","ExpenseTypeCode":"onlin","TransactionDate":"2025-03-10T23:59:59-08:00","TransactionAmount":"10.100000000000001","TransactionCurrencyCode":"usd","PaymentTypeID":"cashx",
				"LocationID":"{place}","Description":"Wifi","Comment":"at night","VendorDescription":"Telco","VendorListItemID":"alpine","TaxReceiptType":"r","IsBillable":"Y","IsPersonal":0,
				"Custom1":"why","Custom2":{"Value":"CINDER"},"Custom3":"n","Custom4":"3.50","Custom5":"1e1","Custom6":"2025-01-02T00:00:00","OrgUnit1":"410","Custom40":"last","Unknown":1}`, keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExpenseTypeCode=ONLIN; ExpenseTypeName=Internet/Online Fees; SpendCategoryCode=TELEC; SpendCategoryName=Telecom/Internet; TransactionDate=2025-03-10T00:00:00; " +
				"PaymentTypeName=Cash; LocationID={place}; LocationName=" + oslo.Name + "; LocationCountry=" + oslo.Country + "; LocationSubdivision=" + oslo.Subdivision + "; HasVAT=true; HasComments=true; Comment=; " +
				"VendorDescription=Telco; VendorListItemName=Alpine; TaxReceiptType=R; IsBillable=true; IsPersonal=false; HasImage=false; IsImageRequired=false; ReceiptReceived=false; AllocationType=N; " +
				"Custom1.Value=why; Custom1.Type=Text; Custom2.Value=Cinder; Custom2.Code=CINDER; Custom3.Value=false; Custom3.Type=Boolean; Custom4.Value=3.5; Custom5.Value=10; Custom5.Type=Amount; Custom6.Value=2025-01-02; OrgUnit1.Value=Finance; Custom40.Value=last; " +
				"URI=https://spend.example/api/v3.0/expense/entries/{e}",
				check: func(w *world, f map[string]string) {
					if m, err := value.ParseMoney(f["TransactionAmount"]); err != nil || m != 101_000 || f["FormID"] == "" {
						t.Errorf("amount %s, form %s", f["TransactionAmount"], f["FormID"])
					}
				}},
			step{as: "ann", call: "GET /expense/entries/gWnone", status: 404},
		)
		w.sound()
	})
}

func TestEntryCustomsFollowTheForm(t *testing.T) {
	w := newWorld(t)
	// A field that the form lacks is neither kept nor shown.
	w.exec("DELETE FROM form_field WHERE name = 'Custom8' AND company_id = ?", demo)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "1"), "}") + `,"Custom8":"x","Custom9":"y"}`, keep: "e"},
		step{as: "ann", call: "GET /expense/entries/{e}", want: "Custom8.Value=; Custom9.Value=y"},
	)
	w.exec("DELETE FROM form_field WHERE name = 'Custom9' AND company_id = ?", demo)
	w.run(step{as: "ann", call: "GET /expense/entries/{e}", want: "Custom9.Value=; Custom9.Type="})
	// A company without a form takes and shows texts.
	w.exec("DELETE FROM form_field WHERE form_id IN (SELECT id FROM form WHERE kind = 'ENTRY' AND company_id = ?)", demo)
	w.exec("DELETE FROM form WHERE kind = 'ENTRY' AND company_id = ?", demo)
	w.run(
		step{as: "ann", call: "GET /expense/entries/{e}", want: "Custom9.Value=y; Custom9.Type=Text; FormID="},
		step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Custom2":"free","Custom8":{"Value":"z"}}`},
		step{as: "ann", call: "GET /expense/entries/{e}", want: "Custom2.Value=free; Custom2.Type=Text; Custom8.Value=z"},
	)
}

func TestSumsInCurrencies(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, c := range []struct{ currency, first, second, third, total, due string }{
			// 100.005 EUR, 10 USD and 5 units of the own currency
			{"USD", "103.91", "10", "5", "118.91", "113.91"},
			{"JPY", "16338", "1572", "5", "17915", "17910"},
			{"KWD", "100.01", "10", "5", "115.01", "110.01"},
			{"CLF", "100.01", "10", "5", "115.01", "110.01"},
		} {
			w.kept["c"] = c.currency
			w.person("ann", func(u *org.User) { u.Currency = value.Currency(c.currency) })
			body := func(amount, currency, paid string) string {
				return `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"2025-03-10","TransactionAmount":` + amount + `,"TransactionCurrencyCode":"` + currency + `","PaymentTypeID":"` + paid + `","VendorDescription":"{c}"}`
			}
			w.run(
				step{as: "ann", call: "POST /expense/reports", body: `{"Name":"{c}"}`, keep: "r"},
				step{as: "ann", call: "POST /expense/entries", body: body("100.005", "EUR", "CASHX"), keep: "a"},
				step{as: "ann", call: "POST /expense/entries", body: body("10", "USD", "CASHX"), keep: "b"},
				step{as: "ann", call: "POST /expense/entries", body: body("5", c.currency, "CPAID"), keep: "d"},
				step{as: "ann", call: "GET /expense/entries/{a}", want: "TransactionAmount=100.01; PostedAmount=" + c.first},
				step{as: "ann", call: "GET /expense/entries/{b}", want: "PostedAmount=" + c.second},
				step{as: "ann", call: "GET /expense/entries/{d}", want: "PostedAmount=" + c.third + "; ExchangeRate=1"},
				step{as: "ann", call: "GET /expense/reports/{r}", want: "CurrencyCode={c}; Total=" + c.total + "; TotalClaimedAmount=" + c.total + "; TotalApprovedAmount=" + c.total + "; AmountDueEmployee=" + c.due + "; AmountDueCompanyCard=0; PersonalAmount=0"},
			)
			// No rate is known from or to the last two currencies: 1, and a warning.
			unknown := "true"
			if c.currency == "USD" || c.currency == "JPY" {
				unknown = "false"
			}
			w.run(
				step{as: "ann", call: "GET /expense/entries/{b}", want: "HasExceptions=" + unknown},
				step{as: "ann", call: "GET /expense/entries/{d}", want: "HasExceptions=false"},
			)
		}
		w.sound()
	})
}

func TestSumsByWhoPays(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"})
		for kind, amount := range map[string]string{"CASHX": "100", "CPAID": "17.01", "PENDC": "50", "IBCP": "20", "CBCP": "3"} {
			w.run(step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", amount), "CASHX", kind, 1), keep: kind})
		}
		w.run(
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "9"), "}") + `,"IsPersonal":true}`, keep: "own"},
			step{as: "ann", call: "GET /expense/entries/{own}", want: "IsPersonal=true; PostedAmount=9; ApprovedAmount=0"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=199.01; PersonalAmount=9; TotalClaimedAmount=190.01; TotalApprovedAmount=190.01; AmountDueEmployee=120; AmountDueCompanyCard=53"},
			step{as: "ann", call: "PUT /expense/entries/{PENDC}", body: `{"IsPersonal":true}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=199.01; PersonalAmount=59; TotalClaimedAmount=140.01; TotalApprovedAmount=140.01; AmountDueEmployee=120; AmountDueCompanyCard=3"},
			step{as: "ann", call: "PUT /expense/entries/{own}", body: `{"IsPersonal":false}`},
			step{as: "ann", call: "PUT /expense/entries/{CPAID}", body: `{"PaymentTypeID":"CASHX"}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=199.01; PersonalAmount=50; AmountDueEmployee=146.01; AmountDueCompanyCard=3"},
			step{as: "ann", call: "PUT /expense/entries/{CASHX}", body: `{"TransactionAmount":-100}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=-0.99; AmountDueEmployee=-53.99"},
			step{as: "ann", call: "DELETE /expense/entries/{CASHX}"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=99.01; AmountDueEmployee=46.01"},
		)
		w.sound()
	})
}

func TestTotalsOutOfRange(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "922337203685477.58")},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "1"), status: 400, want: "TransactionAmount: makes the report's total larger"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "-1"), keep: "e"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":1}`, status: 400, want: "TransactionAmount: makes the report's total larger"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=922337203685476.58"},
		)
		w.sound()
	})
}

func TestExchangeRate(t *testing.T) {
	everywhere(t, func(w *world) {
		euro := func(date, rate string) string {
			return `{"ReportID":"{r}","ExpenseTypeCode":"LUNCH","TransactionDate":"` + date + `","TransactionAmount":100,"TransactionCurrencyCode":"EUR","PaymentTypeID":"CASHX"` + rate + `}`
		}
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			// The latest at or before the day counts.
			step{as: "ann", call: "POST /expense/entries", body: euro("2024-12-31", ""), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.085; PostedAmount=108.5; HasExceptions=true"}, // above the receipt limit
			step{as: "ann", call: "POST /expense/entries", body: euro("2025-01-01", ""), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.039; PostedAmount=103.9"},
			step{as: "ann", call: "POST /expense/entries", body: euro("2025-01-02", `,"ExchangeRate":1.25`), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.25; PostedAmount=125"},
			// What a client of a language without null sends for nothing.
			step{as: "ann", call: "POST /expense/entries", body: euro("2025-01-03", `,"ExchangeRate":0`), keep: "z"},
			step{as: "ann", call: "GET /expense/entries/{z}", want: "ExchangeRate=1.039"},
			// Neither another currency nor another day touches the rate that stands.
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionCurrencyCode":"GBP","TransactionDate":"2024-01-01"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.25; PostedAmount=125; TransactionCurrencyCode=GBP"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExchangeRate":"1.3","TransactionAmount":10}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.3; PostedAmount=13; ApprovedAmount=13"},
			// A cleared rate is looked up again.
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExchangeRate":null}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.265; PostedAmount=12.65"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExchangeRate":-2}`, status: 400, want: "ExchangeRate: must be above zero"},
			// None is known: 1 and a warning, until one is given.
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "3"), "USD", "NOK", 1), keep: "n"},
			step{as: "ann", call: "GET /expense/entries/{n}", want: "ExchangeRate=1; PostedAmount=3; HasExceptions=true"},
			step{as: "ann", call: "PUT /expense/entries/{n}", body: `{"Description":"still unknown"}`},
			step{as: "ann", call: "GET /expense/entries/{n}", want: "HasExceptions=true"},
			step{as: "ann", call: "PUT /expense/entries/{n}", body: `{"ExchangeRate":0.1}`},
			step{as: "ann", call: "GET /expense/entries/{n}", want: "ExchangeRate=0.1; PostedAmount=0.3; HasExceptions=false"},
		)
		// The inverse, and the cross through the company's currency.
		w.person("ann", func(u *org.User) { u.Currency = "EUR" })
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Paris"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "100"), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=0.962463907603; PostedAmount=96.25"},
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "100"), "USD", "GBP", 1), keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ExchangeRate=1.204042348412; PostedAmount=120.4"},
		)
		w.sound()
	})
}

func TestMileage(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), keep: "m"},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=70; TransactionCurrencyCode=USD; PaymentTypeName=Cash; ExchangeRate=1; PostedAmount=70; Journey.BusinessDistance=100; Journey.StartLocation=Oslo; Journey.EndLocation=Moss; Journey.UnitOfMeasure=M; Journey.VehicleID="},
			// The rate of the day, and the unit of the journey.
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(journey("mileg", ride+`,"BusinessDistance":"100"`), "2025", "2024", 1), keep: "old"},
			step{as: "ann", call: "GET /expense/entries/{old}", want: "TransactionAmount=65.5; ExpenseTypeCode=MILEG"},
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(journey("MILEG", ride+`,"BusinessDistance":161`), `"M"`, `"k"`, 1), keep: "k"},
			step{as: "ann", call: "GET /expense/entries/{k}", want: "TransactionAmount=70.03; Journey.UnitOfMeasure=K"},
			// Only what was driven on business is paid.
			step{as: "ann", call: "POST /expense/entries", body: journey("CARMI", ride+`,"BusinessDistance":40,"PersonalDistance":10,"OdometerStart":1000,"OdometerEnd":1050,"NumberOfPassengers":2,"VehicleID":"v1"`), keep: "c"},
			step{as: "ann", call: "GET /expense/entries/{c}", want: "TransactionAmount=8.8; Journey.OdometerEnd=1050; Journey.VehicleID=v1; Journey.NumberOfPassengers=2"},
			step{as: "ann", call: "POST /expense/entries", body: journey("CARMI", ride+`,"PersonalDistance":10`), keep: "p"},
			step{as: "ann", call: "GET /expense/entries/{p}", want: "TransactionAmount=0; PostedAmount=0"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=214.33; AmountDueEmployee=214.33"},
			// An update overlays the journey and pays it anew.
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"Journey":{"BusinessDistance":200}}`},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=140; Journey.StartLocation=Oslo"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"TransactionDate":"2024-05-01"}`},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=131"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"TransactionAmount":5}`, status: 400, want: "TransactionAmount: is not taken"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"PaymentTypeID":"CPAID","TransactionCurrencyCode":"EUR"}`, status: 400, want: "TransactionCurrencyCode: is not taken"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"Journey":null}`, status: 400, want: "Journey: is required"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"Journey":{"StartLocation":null,"BusinessDistance":0}}`, status: 400, want: "Journey.StartLocation: is required"},
			// From mileage to an amount and back.
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"ExpenseTypeCode":"LUNCH","TransactionAmount":20,"Journey":{"BusinessDistance":1}}`, status: 400, want: "Journey: is for mileage only"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"ExpenseTypeCode":"LUNCH","TransactionAmount":20}`},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=20; ExpenseTypeCode=LUNCH; Journey.BusinessDistance=; PaymentTypeName=Cash"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"ExpenseTypeCode":"MILEG"}`, status: 400, want: "Journey: is required"},
			step{as: "ann", call: "PUT /expense/entries/{m}", body: `{"ExpenseTypeCode":"MILEG","Journey":{` + ride + `,"BusinessDistance":10}}`},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=6.55; Journey.BusinessDistance=10"},
		)
		// In another currency than the rate's.
		w.person("ann", func(u *org.User) { u.Currency = "EUR" })
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Paris"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), keep: "m"},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=67.37; TransactionCurrencyCode=EUR; ExchangeRate=1; HasExceptions=false"},
		)
		w.person("ann", func(u *org.User) { u.Currency = "NOK" })
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Bergen"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), keep: "m"},
			step{as: "ann", call: "GET /expense/entries/{m}", want: "TransactionAmount=70; HasExceptions=true"},
		)
		w.exec("DELETE FROM group_payment_type WHERE company_id = ?", demo)
		w.run(step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), status: 400, want: "no payment type for cash"})
		w.sound()
	})
}

func TestEntryUpdate(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "12.5"), "}") + `,"Description":"d","Comment":"c","VendorDescription":"v","TaxReceiptType":"T","Custom1":"x","Custom2":"BEACON"}`, keep: "e"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":20}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "TransactionAmount=20; PostedAmount=20; ApprovedAmount=20; Description=d; HasComments=true; VendorDescription=v; TaxReceiptType=T; Custom1.Value=x; Custom2.Code=BEACON"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=20; AmountDueEmployee=20"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Description":"","Comment":null,"VendorDescription":"w","TaxReceiptType":null,"Custom1":null,"Custom2":"EMBER","ExpenseTypeCode":"dinnr"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "Description=; HasComments=false; VendorDescription=w; TaxReceiptType=; Custom1.Value=; Custom2.Value=Ember; ExpenseTypeCode=DINNR; ExpenseTypeName=Dinner"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{}`},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ID":"gWother","URI":"x","PostedAmount":1,"HasImage":true,"Nonsense":{}}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ID={e}; PostedAmount=20; HasImage=false"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":null}`, status: 400, want: "TransactionAmount: is required and cannot be cleared"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionCurrencyCode":null}`, status: 400, want: "TransactionCurrencyCode: is required"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"PaymentTypeID":""}`, status: 400, want: "PaymentTypeID: is required"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExpenseTypeCode":null,"TransactionDate":null,"ReportID":null}`, status: 400, want: "cannot be cleared"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExpenseTypeCode":"NOPE","PaymentTypeID":"NOPE","LocationID":"NOPE","Custom3":"NOPE"}`, status: 400, want: "Custom3: must be true or false"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":0}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=0"},
			step{as: "ann", call: "PUT /expense/entries/gWnone", body: `{"Description":"x"}`, status: 404},
			step{as: "ann", call: "DELETE /expense/entries/gWnone", status: 404},
		)
		w.sound()
	})
}

func TestWholeEntrySentBackChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.kept["place"] = w.config().Locations()[3].ID
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(strings.Replace(lunch("r", "12.5"), "USD", "EUR", 1), "}") + `,"Description":"d","Comment":"c","LocationID":"{place}","Custom1":"x","Custom2":"BEACON","Custom4":7}`, keep: "a"},
		step{as: "ann", call: "POST /expense/entries", body: journey("MILEG", ride+`,"BusinessDistance":100`), keep: "b"},
		step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("r", "12.5"), "USD", "NOK", 1), keep: "c"},
	)
	w.now = w.now.Add(time.Hour)
	for _, id := range []string{"a", "b", "c"} {
		for _, format := range []struct{ as, media string }{{"ann", inJSON}, {"ann", inXML}, {"ann!", inJSON}, {"ann!", inXML}} {
			path := "/api/v3.0/expense/entries/" + w.kept[id]
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

func TestEntryMoves(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
			step{as: "bob", call: "POST /expense/reports", body: `{"Name":"Bob"}`, keep: "bob"},
			step{as: "eve", call: "POST /expense/reports", body: `{"Name":"Eve"}`, keep: "eve"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("a", "80"), keep: "e"}, // above the receipt limit
			step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=80; HasException=true"},
		)
		w.write(func(tx *store.Tx) error {
			x := Association{ID: "gWassociation", Entry: w.kept["e"], Attendee: "gWattendee", Report: w.kept["a"], Company: demo}
			return associations.Insert(tx, &x)
		})
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{b}","TransactionAmount":90}`},
			step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=0; HasException=false"},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=90; HasException=true; AmountDueEmployee=90"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "ReportID={b}; HasExceptions=true"},
			step{as: "ann", call: "GET /expense/entries?reportID={a}", want: "Items=0"},
			step{as: "ann", call: "GET /expense/entries?reportID={b}", want: "Items=1"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{bob}"}`, status: 400, want: "ReportID: names no report"},
			step{as: "wes", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{bob}"}`, status: 400, want: "ReportID: must name a report of the same owner"},
			step{as: "wes", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{eve}"}`, status: 400, want: "ReportID: names no report"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{b}"}`},
		)
		var of string
		w.read(func(tx *store.Tx) error {
			return tx.QueryRow("SELECT report_id FROM entry_attendee WHERE id = 'gWassociation'").Scan(&of)
		})
		if of != w.kept["b"] {
			t.Error("the attendee did not move along")
		}
		// Into a report of another currency: the rate is another one.
		w.person("ann", func(u *org.User) { u.Currency = "EUR" })
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"C"}`, keep: "c"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{c}"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "TransactionAmount=90; ExchangeRate=0.962463907603; PostedAmount=86.62"},
			step{as: "ann", call: "GET /expense/reports/{c}", want: "Total=86.62"},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=0"},
		)
		// A policy without the type takes the entry with another type alone.
		w.exec("DELETE FROM policy_expense_type WHERE company_id = ? AND expense_type_id IN (SELECT id FROM expense_type WHERE code = 'LUNCH') AND policy_id IN (SELECT id FROM policy WHERE accounting_step)", demo)
		for _, p := range w.config().Groups[0].Policies {
			if p.AccountingStep {
				w.kept["policy"] = p.ID
			}
		}
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"D","PolicyID":"{policy}"}`, keep: "d"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{d}"}`, status: 400, want: "ExpenseTypeCode: is no expense type of the report's policy"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{d}","ExpenseTypeCode":"DINNR"}`},
			step{as: "ann", call: "GET /expense/reports/{d}", want: "Total=86.62"},
		)
		w.sound()
	})
}

func TestEntriesThatCrossEachOther(t *testing.T) {
	w := newPostgresWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
	)
	for i := range 6 {
		w.run(step{as: "ann", call: "POST /expense/entries", body: lunch([]string{"a", "b"}[i%2], strconv.Itoa(i+1)), keep: "e" + strconv.Itoa(i)})
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			for turn := range 4 {
				to := []string{"a", "b"}[(i+turn+1)%2]
				if a := w.send("ann", "PUT", "/api/v3.0/expense/entries/"+w.kept["e"+strconv.Itoa(i)], inJSON, inJSON, w.fill(`{"ReportID":"{`+to+`}"}`)); a.status != 200 {
					t.Error(a.status, a.body)
				}
			}
		})
	}
	all.Wait()
	w.run(
		step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=9"},
		step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=12"},
	)
	w.sound()
}

func TestItemizedEntry(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
			step{as: "ann", call: "POST /expense/entries", body: strings.Replace(lunch("a", "30"), "USD", "EUR", 1), keep: "e"},
		)
		// Three parts of ten, one of them personal; as the service of itemizations makes them.
		w.write(func(tx *store.Tx) error {
			e, err := entries.Get(tx, store.Unrestricted(), w.kept["e"])
			if err != nil {
				return err
			}
			h, err := heads.Get(tx, store.Unrestricted(), e.Report)
			if err != nil {
				return err
			}
			h.Sums = h.Sums.minus(sumsOf(e))
			e.HasItemizations = true
			parts := make([]Itemization, 3)
			for i := range parts {
				parts[i] = Itemization{ID: "gWpart" + strconv.Itoa(i), Entry: e.ID, Report: e.Report, Company: e.Company, Owner: e.Owner, ExpenseType: "LUNCH",
					TransactionDate: e.TransactionDate, TransactionAmount: 10 * value.MoneyUnit, IsPersonal: i == 1}
			}
			if err := split(e, parts); err != nil {
				return err
			}
			if err := itemizations.SaveChildren(tx, store.Where("entry_id = ?", e.ID), parts); err != nil {
				return err
			}
			if err := entries.Update(tx, e); err != nil {
				return err
			}
			if h.Sums, err = h.Sums.plus(sumsOf(e)); err != nil {
				return err
			}
			return h.adjust(tx)
		})
		parts := func(want string) {
			w.t.Helper()
			var got []string
			w.read(func(tx *store.Tx) error {
				all, err := itemizations.All(tx, store.Where("entry_id = ?", w.kept["e"]), store.Predicate{}, "", 10)
				for _, p := range all {
					got = append(got, p.Report[:0]+p.PostedAmount.String()+"/"+p.ApprovedAmount.String())
				}
				return err
			})
			if strings.Join(got, " ") != want {
				w.t.Errorf("the parts are %v, want %s", got, want)
			}
		}
		parts("10.39/10.39 10.39/0 10.39/10.39")
		w.run(
			step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=31.17; PersonalAmount=10.39; TotalClaimedAmount=20.78; TotalApprovedAmount=20.78; AmountDueEmployee=20.78"},
			// Another rate splits anew; the largest part takes what rounding leaves over.
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExchangeRate":1.0333}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "PostedAmount=31; ApprovedAmount=20.67; HasItemizations=true"},
		)
		parts("10.34/10.34 10.33/0 10.33/10.33")
		w.run(
			step{as: "ann", call: "GET /expense/reports/{a}", want: "Total=31; PersonalAmount=10.33; AmountDueEmployee=20.67"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"IsPersonal":true}`, status: 400, want: "IsPersonal: cannot be set on an itemized entry"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ExpenseTypeCode":"MILEG","Journey":{` + ride + `,"BusinessDistance":1}}`, status: 400, want: "ExpenseTypeCode: cannot be a mileage type"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ReportID":"{b}"}`},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=31; PersonalAmount=10.33"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"TransactionAmount":40}`},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=41.33; PersonalAmount=10.33; HasException=true"}, // the parts do not add up
		)
		parts("10.33/10.33 10.33/0 10.33/10.33")
		w.sound()
		w.run(
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
			step{as: "ann", call: "GET /expense/reports/{b}", want: "Total=0; HasException=false"},
		)
		parts("")
		w.sound()
	})
}

func TestExceptionsFollowTheEntry(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12.5"), keep: "a"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=false"},
			// The same once more.
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "12.5"), keep: "b"},
			step{as: "ann", call: "GET /expense/entries/{a}", want: "HasExceptions=true"},
			step{as: "ann", call: "GET /expense/entries/{b}", want: "HasExceptions=true"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=true"},
			step{as: "ann", call: "PUT /expense/entries/{b}", body: `{"VendorDescription":"another"}`},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=false"},
			// Above the limit of the type, and above what needs a receipt.
			step{as: "ann", call: "PUT /expense/entries/{b}", body: `{"TransactionAmount":80}`},
			step{as: "ann", call: "GET /expense/entries/{b}", want: "HasExceptions=true; IsImageRequired=true"},
		)
		w.sound()
		w.attach("ann", "/expenseentry/{b}", 1)
		w.run(step{as: "ann", call: "GET /expense/entries/{b}", want: "HasExceptions=true; HasImage=true"})
		w.sound()
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{b}", body: `{"TransactionAmount":60}`},
			step{as: "ann", call: "GET /expense/entries/{b}", want: "HasExceptions=false; IsImageRequired=false; HasImage=true"},
			step{as: "ann", call: "PUT /expense/entries/{b}", body: `{"TransactionAmount":61}`},
			step{as: "ann", call: "DELETE /expense/entries/{b}"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=false; Total=12.5"},
		)
		w.sound()
	})
}

func TestReceiptOfAnEntry(t *testing.T) {
	everywhere(t, func(w *world) {
		receipt := func(as string, picture uint64) string {
			a := w.send(as, "POST", "/api/image/v1.0/receipt", "image/jpeg", inJSON, string(pictures(picture)))
			if a.status != 201 {
				w.t.Fatal(a.status, a.body)
			}
			return wiretest.Fields(w.t, a.body)["Id"]
		}
		w.kept["one"], w.kept["two"], w.kept["bobs"] = receipt("ann", 1), receipt("ann", 2), receipt("bob", 3)
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "80"), "}") + `,"ElectronicReceiptID":"{one}"}`, keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true; ElectronicReceiptID={one}; HasExceptions=true"}, // the type's limit
			step{as: "ann", call: "GET /expense/reports?hasImages=true", want: "Items=1"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ElectronicReceiptID":"{two}","Description":"d"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true; ElectronicReceiptID={two}; Description=d"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ElectronicReceiptID":"{bobs}"}`, status: 400, want: "ElectronicReceiptID: There is no such receipt"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true; ElectronicReceiptID={two}"},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ElectronicReceiptID":null}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=false; ElectronicReceiptID="},
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ElectronicReceiptID":"{one}"}`},
		)
		w.sound()
		// The image is still there for another entry once this one is gone.
		w.run(
			step{as: "ann", call: "DELETE /expense/entries/{e}"},
			step{as: "ann", call: "POST /expense/entries", body: strings.TrimSuffix(lunch("r", "80"), "}") + `,"ElectronicReceiptID":"{one}"}`, keep: "e"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true"},
		)
		// Both ids of an image name it, and an image that was attached otherwise stays.
		w.read(func(tx *store.Tx) error {
			var id string
			err := tx.QueryRow("SELECT receipt_id FROM image WHERE id = ?", w.kept["two"]).Scan(&id)
			w.kept["hex"] = id
			return err
		})
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"ElectronicReceiptID":"{hex}"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasImage=true; ElectronicReceiptID={hex}"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "8"), keep: "own"},
		)
		w.attach("ann", "/expenseentry/{own}", 9)
		w.run(
			step{as: "ann", call: "PUT /expense/entries/{own}", body: `{"ElectronicReceiptID":"{one}"}`, status: 400, want: "ElectronicReceiptID: An image is already attached"},
			step{as: "ann", call: "GET /expense/entries/{own}", want: "HasImage=true; ElectronicReceiptID="},
		)
		w.attach("ann", "/report/{r}", 5)
		w.sound()
		w.submit("ann", "r")
		if a := w.send("ann", "POST", "/api/image/v1.0/report/"+w.kept["r"], "image/jpeg", "", string(pictures(6))); a.status != 400 {
			t.Error("an image was added to a submitted report:", a.status)
		}
	})
}

func TestEntryFilters(t *testing.T) {
	everywhere(t, func(w *world) {
		cash, _ := w.config().PaymentType("CASHX", "")
		guest, _ := w.config().AttendeeType("BUSGUEST")
		w.kept["cash"], w.kept["guest"] = cash.ID, guest.ID
		post := func(report, name, kind, paid, more string) {
			w.run(step{as: "ann", call: "POST /expense/entries", keep: name,
				body: `{"ReportID":"{` + report + `}","Description":"` + name + `","ExpenseTypeCode":"` + kind + `","TransactionDate":"2025-03-10","TransactionAmount":1,"TransactionCurrencyCode":"USD","PaymentTypeID":"` + paid + `"` + more + `}`})
		}
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"A"}`, keep: "a"},
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"B"}`, keep: "b"},
		)
		post("a", "one", "LUNCH", "CASHX", `,"IsBillable":true`)
		post("a", "two", "CELPH", "CPAID", ``)
		post("b", "three", "LUNCH", "PENDC", ``)
		w.exec("UPDATE report SET batch_id = 'B7' WHERE id = ?", w.kept["b"])
		for name, kind := range map[string]string{"two": "BUSGUEST", "three": "SPOUSE"} {
			w.run(
				step{as: "ann", call: "POST /expense/attendees", body: `{"AttendeeTypeID":"` + kind + `","LastName":"Guest"}`, keep: "guest" + name},
				step{as: "ann", call: "POST /expense/entryattendeeassociations", body: `{"EntryID":"{` + name + `}","AttendeeID":"{guest` + name + `}"}`},
			)
		}
		for _, c := range []struct{ filter, want string }{
			{"", "one two three"},
			{"reportID={a}", "one two"},
			{"reportid={b}", "three"},
			{"reportID=5EED0000000000000000", ""},
			{"paymentTypeID={cash}", "one"},
			{"paymentTypeID=cpaid", "two"},
			{"paymentTypeID=none", ""},
			{"batchID=B7", "three"},
			{"batchID=B8", ""},
			{"isBillable=true", "one"},
			{"isBillable=false", "two three"},
			{"attendeeTypeCode=BUSGUEST", "two"},
			{"attendeeTypeCode={guest}", "two"},
			{"attendeeTypeCode=SPOUSE", "three"},
			{"hasAttendees=true", "two three"},
			{"hasAttendees=false", "one"},
			{"hasVAT=true", "two"},
			{"hasVAT=false", "one three"},
			{"expenseTypeCode=LUNCH", "one three"},
			{"expenseTypeCode=celph", "two"},
			{"expenseTypeCode=x", ""},
			{"attendeeID={guestthree}", "three"},
			{"attendeeID=gWnone", ""},
			{"expenseTypeCode=LUNCH&reportID={a}&isBillable=true", "one"},
			{"expenseTypeCode=LUNCH&reportID={a}&isBillable=false", ""},
		} {
			f := w.step(c.filter, step{as: "ann", call: "GET /expense/entries?" + c.filter})
			var got []string
			for i := range 3 {
				if d := f["Items["+strconv.Itoa(i)+"].Description"]; d != "" {
					got = append(got, d)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s finds %v, want %s", c.filter, got, c.want)
			}
		}
		w.run(
			step{as: "ann", call: "GET /expense/entries?isBillable=perhaps", status: 400, want: "isBillable: must be true or false"},
			step{as: "ann", call: "GET /expense/entries?limit=101", status: 400, want: "limit"},
			step{as: "ann", call: "GET /expense/entries?limit=2&reportID={a}", want: "Items=2; NextPage="},
			step{as: "ann", call: "GET /expense/entries?limit=1&reportID={a}", want: "Items=1", keep: "next"},
			step{as: "ann", call: "GET {next}", want: "Items=1; NextPage=; Items[0].Description=two"},
		)
	})
}

// What the services do not let callers set is set by whoever calls without HTTP.
func TestEntryWithoutHTTP(t *testing.T) {
	w := newWorld(t)
	w.write(func(tx *store.Tx) error {
		a := w.actor("ann")
		id, err := w.expense.CreateReport(tx, a, &Report{Name: "Scale", BatchID: "B1", Subdivision: "US-WA", Reimbursement: "APCHECK"}, api.Direct())
		if err != nil {
			return err
		}
		w.kept["r"] = id
		w.kept["e"], err = w.expense.CreateEntry(tx, a, &Entry{Report: id, ExpenseType: "LUNCH", PaymentType: "PENDC", TransactionDate: 20250310,
			TransactionAmount: 7 * value.MoneyUnit, TransactionCurrency: "USD", CompanyCardTransaction: "card", Trip: "trip", EmployeeBankAccount: "bank",
			IsPersonalCardCharge: true, HasAppliedCashAdvance: true, IsPaidByExpensePay: true, ReceiptReceived: true}, api.Direct())
		return err
	})
	w.run(
		step{as: "ann", call: "GET /expense/entries/{e}", want: "TransactionAmount=7; CompanyCardTransactionID=card; TripID=trip; EmployeeBankAccountID=bank; IsPersonalCardCharge=true; HasAppliedCashAdvance=true; IsPaidByExpensePay=true; ReceiptReceived=true"},
		step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=7; AmountDueCompanyCard=7; CountrySubdivision=US-WA"},
		step{as: "ann", call: "GET /expense/reports?batchID=B1&reimbursementMethod=APCHECK", want: "Items=1"},
	)
	w.write(func(tx *store.Tx) error {
		a := w.actor("ann")
		old, err := w.expense.entryToChange(tx, a, w.kept["e"])
		if err != nil {
			return err
		}
		changed := *old
		changed.TransactionAmount = 9 * value.MoneyUnit
		return w.expense.UpdateEntry(tx, a, old, &changed, api.Direct())
	})
	w.run(step{as: "ann", call: "GET /expense/reports/{r}", want: "Total=9; AmountDueCompanyCard=9"})
	err := w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := w.expense.CreateEntry(tx, w.actor("ann"), &Entry{Report: w.kept["r"]}, api.Direct())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "ExpenseTypeCode") {
		t.Errorf("an entry of nothing: %v", err)
	}
	w.sound()
}

// However entries come, change, move and go, the sums are those of a recount.
func TestSumsAreThoseOfARecount(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	var ids []string
	for i := range 3 {
		w.run(step{as: "ann", call: "POST /expense/reports", body: `{"Name":"` + strconv.Itoa(i) + `"}`, keep: "r" + strconv.Itoa(i)})
	}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for i := range 300 {
		amount := fmt.Sprintf("%d.%02d", r.IntN(200)-50, r.IntN(100))
		switch n := r.IntN(10); {
		case n < 5 || len(ids) == 0:
			w.run(step{as: "ann", call: "POST /expense/entries", keep: "e", body: `{"ReportID":"{` + pick("r0", "r1", "r2") + `}","ExpenseTypeCode":"` + pick("LUNCH", "TAXIX", "CELPH") +
				`","TransactionDate":"2025-03-0` + pick("1", "2", "3") + `","TransactionAmount":"` + amount + `","TransactionCurrencyCode":"` + pick("USD", "EUR", "JPY", "KWD") +
				`","PaymentTypeID":"` + pick("CASHX", "CPAID", "PENDC") + `","IsPersonal":` + pick("true", "false", "false") + `}`})
			ids = append(ids, w.kept["e"])
		case n < 7:
			w.run(step{as: "ann", call: "PUT /expense/entries/" + pick(ids...), body: `{"TransactionAmount":"` + amount + `","IsPersonal":` + pick("true", "false") + `,"PaymentTypeID":"` + pick("CASHX", "CPAID", "PENDC") + `"}`})
		case n < 9:
			w.run(step{as: "ann", call: "PUT /expense/entries/" + pick(ids...), body: `{"ReportID":"{` + pick("r0", "r1", "r2") + `}"}`})
		default:
			k := r.IntN(len(ids))
			w.run(step{as: "ann", call: "DELETE /expense/entries/" + ids[k]})
			ids = append(ids[:k], ids[k+1:]...)
		}
		if i%20 == 0 {
			w.sound()
		}
	}
	w.sound()
}

// A page is one range of an index, at any depth and however the list is narrowed.
func TestListsAreRangesOfAnIndex(t *testing.T) {
	w := newWorld(t)
	plan := func(query string, args ...any) string {
		var steps []string
		w.read(func(tx *store.Tx) error {
			rows, err := tx.Query("EXPLAIN QUERY PLAN "+query, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, parent, unused int64
				var text string
				if err := rows.Scan(&id, &parent, &unused, &text); err != nil {
					return err
				}
				steps = append(steps, text)
			}
			return rows.Err()
		})
		return strings.Join(steps, "; ")
	}
	for query, want := range map[string]string{
		"SELECT doc FROM entry WHERE (company_id = ? AND owner_id = ?) AND (seq > ?) ORDER BY seq LIMIT 26":                                                                      "SEARCH entry USING INDEX entry_owner (company_id=? AND owner_id=? AND seq>?)",
		"SELECT doc FROM entry WHERE (company_id = ?) AND (seq > ?) ORDER BY seq LIMIT 26":                                                                                       "SEARCH entry USING INDEX entry_company (company_id=? AND seq>?)",
		"SELECT doc FROM entry WHERE ((company_id = ?) AND (report_id = ?)) AND (seq > ?) ORDER BY seq LIMIT 26":                                                                 "SEARCH entry USING INDEX entry_report (company_id=? AND report_id=? AND seq>?)",
		"SELECT doc FROM report WHERE (company_id = ? AND owner_id = ?) AND (approval_status IN (?)) AND (seq > ?) ORDER BY seq LIMIT 26":                                        "SEARCH report USING INDEX report_owner_approval (company_id=? AND owner_id=? AND approval_status=? AND seq>?)",
		"SELECT doc FROM report WHERE (company_id = ?) AND (approval_status IN (?)) AND (seq > ?) ORDER BY seq LIMIT 26":                                                         "SEARCH report USING INDEX report_approval (company_id=? AND approval_status=? AND seq>?)",
		"SELECT doc FROM report WHERE (company_id = ? AND owner_id = ?) AND (seq > ?) ORDER BY seq LIMIT 26":                                                                     "SEARCH report USING INDEX report_owner (company_id=? AND owner_id=? AND seq>?)",
		"SELECT report_id FROM entry WHERE owner_id = ? AND transaction_date = ? AND transaction_amount = ? AND transaction_currency = ? AND vendor_key = ? AND id <> ? LIMIT 4": "SEARCH entry USING INDEX entry_same (owner_id=? AND transaction_date=? AND transaction_amount=? AND vendor_key=?)",
	} {
		args := make([]any, strings.Count(query, "?"))
		for i := range args {
			args[i] = "x"
		}
		if got := plan(query, args...); got != want {
			t.Errorf("%s\nis planned as %s", query, got)
		}
	}
}
