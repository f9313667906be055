package receipt_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/domain/imaging"
	. "quittance/internal/domain/imaging/imagingtest"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

const v3Receipts = "/api/v3.0/common/receipts"

const (
	v3General = `{"Amount":59.5,"CurrencyCode":"EUR","FormofPaymentCode":"CASH","GeneralDetail":{"LineItems":[
		{"SequenceNumber":1,"Description":"Paper","Description2":"A4","Amount":"52.50","Date":"2024-03-11T12:40","Quantity":5,"Rate":10.505,"RateType":"hour","Reference":"SKU-118"},
		{"SequenceNumber":2,"Description":"Pens","Amount":7.000000000000001}]},
		"MatchingFact":{"Type":"Login","Value":"ANN@demo.test"},
		"Merchant":{"Name":"Papierhaus Lindner","Location":{"Name":"Lindner Mitte","Address":"Kastanienallee 12","Address2":"Hof 2","City":"Berlin","CountryCode":"de","CountrySubdivisionCode":"BE",
			"PostalCode":"10435","TelephoneNumber":"+49 30 1","FaxNumber":"+49 30 2","EmailAddress":"shop@lindner.test","InternetAddress":"https://lindner.test"}},
		"TransactionDateTime":"2024-03-11T12:42","Type":"General","CustomFields":{"Name":"till","Value":"7"}}`
	v3Hotel = `{"Amount":321,"CurrencyCode":"EUR","FormofPaymentCode":"CCARD","PaymentCard":{"Type":"VI","MaskedNumber":"4410","AuthorizationCode":"998811"},
		"HotelDetail":{"AverageDailyRoomRate":150.125,"CheckinDateTime":"2024-03-09T15:10","CheckoutDateTime":"2024-03-11T09:00","ConfirmationNumber":"HK-2210","GNR":"AK-100200","NumberInParty":2,
			"RatePlanType":"Corporate","RoomNumber":"312","RoomType":"Single","LineItems":{"SequenceNumber":1,"Description":"Night","Amount":150}},
		"MatchingFact":{"Type":"OAuth","Value":"token-of-ann"},"Merchant":{"Name":"Hotel Am Kai","Location":{"CountryCode":"DE"}},"TransactionDateTime":"2024-03-11T09:05","Type":"Hotel"}`
	v3Ride = `{"Amount":-12,"CurrencyCode":"JPY","FormofPaymentCode":"CPAID","RideDetail":{"StartDateTime":"2024-03-11T08:00","EndDateTime":"2024-03-11T08:20","DriverName":"Mori","DropoffLatitude":35.6,"DropoffLongitude":139.7,"VehicleNumber":"7"},
		"MatchingFact":{"Type":"Login","Value":"ann@demo.test"},"Merchant":{"Name":"Nihon Taxi","Location":{"CountryCode":"JP"}},"TransactionDateTime":"2024-03-11T08:20","Type":"Ride"}`
)

func v3Posting(token, media, body string) Request {
	return Request{Method: "POST", Path: v3Receipts, Token: token, Type: media, Accept: "application/json", Body: []byte(body)}
}

var v3ID = regexp.MustCompile(`^\{"ID":"([1-9][0-9]{17})","URI":""\}$`)

// postV3 posts a receipt and gives its number.
func (w world) postV3(t testing.TB, token, media, body string) string {
	t.Helper()
	answer := w.call(t, 200, v3Posting(token, media, body))
	m := v3ID.FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("the answer is %s", answer)
	}
	return m[1]
}

type readReceipt struct {
	ID, Image, UserID, ValidationSchema string
	Receipt                             json.RawMessage
}

// read reads a processed receipt through v4.
func (w world) read(t testing.TB, token, id string) (r readReceipt) {
	t.Helper()
	if err := json.Unmarshal([]byte(w.get(t, 200, token, "/receipts/v4/"+id)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestV3 posts each type and reads it through v4, where it keeps to its schema.
func TestV3(t *testing.T) {
	cases := []struct{ body, kind, want string }{
		{v3General, "general-receipt", `{"dateTime":"2024-03-11T12:42:00+00:00","total":"59.50","currencyCode":"EUR","seller":{"name":"Papierhaus Lindner","location":{"name":"Lindner Mitte",` +
			`"internetAddress":"https://lindner.test","emailAddress":"shop@lindner.test","telephoneNumber":"+49 30 1","faxNumber":"+49 30 2","address":{"streetAddress":"Kastanienallee 12\nHof 2",` +
			`"addressLocality":"Berlin","addressRegion":"BE","addressCountry":"DE","postalCode":"10435"}}},"payments":[{"amount":"59.50"}],"lineItems":[{"sequenceNumber":1,"dateTime":"2024-03-11T12:40:00+00:00",` +
			`"reference":"SKU-118","description":"Paper","additionalDescription":"A4","unitCost":"10.505","rateType":"HOUR","quantity":5,"total":"52.50"},{"sequenceNumber":2,"description":"Pens","total":"7.00"}],` +
			`"customFields":[{"Name":"till","Value":"7"}]}`},
		{v3Hotel, "hotel-receipt", `{"dateTime":"2024-03-11T09:05:00+00:00","total":"321.00","currencyCode":"EUR","seller":{"name":"Hotel Am Kai","location":{"address":{"addressCountry":"DE"}}},` +
			`"payments":[{"amount":"321.00","cardDetail":{"cardType":"Visa","creditCardId":"4410","authorizationCode":"998811"}}],"confirmationNumber":"HK-2210","checkInDateTime":"2024-03-09T15:10:00+00:00",` +
			`"checkOutDateTime":"2024-03-11T09:00:00+00:00","guests":[{"guestNameRecord":"AK-100200","firstName":"Ann","lastName":"Archer"}],"numberInParty":2,"room":{"roomNumber":"312","roomType":"Single",` +
			`"ratePlanType":"Corporate","averageDailyRoomRate":"150.125"},"nightsStayed":2,"lineItems":[{"sequenceNumber":1,"description":"Night","total":"150.00"}]}`},
		{v3Ride, "ground-transport-receipt", `{"dateTime":"2024-03-11T08:20:00+00:00","total":"-12","currencyCode":"JPY","seller":{"name":"Nihon Taxi","location":{"address":{"addressCountry":"JP"}}},` +
			`"payments":[{"amount":"-12","source":"DirectPay"}],"startDateTime":"2024-03-11T08:00:00+00:00","endDateTime":"2024-03-11T08:20:00+00:00","pickupLocation":{"address":{"addressCountry":"JP"}},` +
			`"dropoffLocation":{"latitude":35.6,"longitude":139.7,"address":{"addressCountry":"JP"}},"driverName":"Mori","vehicleNumber":"7","lineItems":[]}`},
	}
	engines(t, func(t *testing.T, w world) {
		for i, c := range cases {
			number := w.postV3(t, "company", "application/json", c.body)
			w.get(t, 404, "ann", "/receipts/v4/"+number)
			w.work(t)
			r := w.read(t, "ann", number)
			if string(r.Receipt) != c.want || r.Image != "" || r.UserID != Ann || r.ValidationSchema != schemaBase+c.kind+".schema.json" {
				t.Errorf("v4 shows %s %s %q, want %s", r.ValidationSchema, r.Receipt, r.Image, c.want)
			}
			if same := w.read(t, "ann", r.ID); same.ID != r.ID || r.ID == number {
				t.Errorf("by its own id it is %s", same.ID)
			}
			w.wantStatus(t, r.ID, "PROCESSED", accepted, initiated, generated, finished)
			if list := w.get(t, 200, "ann", receiptsOfAnn); !strings.Contains(list, r.ID) {
				t.Errorf("the list is %s", list)
			}
			for _, id := range []string{r.ID, number} {
				w.get(t, 404, "ann", "/receipts/v4/"+id+"/image") // as documented
				w.get(t, 404, "bob", "/receipts/v4/"+id)
			}
			if problems, _ := w.validate(t, c.kind, r.Receipt); problems != nil {
				t.Errorf("it breaks its schema: %q", problems)
			}
			// The image serves an entry all the same.
			w.WriteTx(t, func(tx *store.Tx) error {
				return w.Images.AttachExisting(tx, AnnActor(), r.ID, imaging.Entry, imaging.Held{ID: []string{LateEntry, EarlyEntry, LockedEntry}[i], Owner: Ann})
			})
		}
	})
}

// TestV3Formats: the same receipt as XML and as a form.
func TestV3Formats(t *testing.T) {
	w := onSQLite(t)
	want := ""
	for _, c := range [][2]string{
		{"application/json", v3Ride},
		{"application/json", strings.Replace(v3Ride, "FormofPaymentCode", "FormOfPaymentCode", 1)},
		{"application/xml", `<ReceiptPost><Amount>-12.00</Amount><CurrencyCode>JPY</CurrencyCode><FormofPaymentCode>CPAID</FormofPaymentCode><RideDetail><StartDateTime>2024-03-11T08:00</StartDateTime>
			<EndDateTime>2024-03-11T08:20:00</EndDateTime><DriverName>Mori</DriverName><DropoffLatitude>35.6</DropoffLatitude><DropoffLongitude>139.7</DropoffLongitude><VehicleNumber>7</VehicleNumber></RideDetail>
			<MatchingFact><Type>Login</Type><Value>ann@demo.test</Value></MatchingFact><Merchant><Name>Nihon Taxi</Name><Location><CountryCode>JP</CountryCode></Location></Merchant>
			<TransactionDateTime>2024-03-11T08:20</TransactionDateTime><Type>Ride</Type></ReceiptPost>`},
		{"application/x-www-form-urlencoded", "Amount=-12&CurrencyCode=jpy&FormofPaymentCode=CPAID&RideDetail[StartDateTime]=2024-03-11T08:00&RideDetail[EndDateTime]=2024-03-11T08:20&RideDetail[DriverName]=Mori" +
			"&RideDetail[DropoffLatitude]=35.6&RideDetail[DropoffLongitude]=139.7&RideDetail[VehicleNumber]=7&MatchingFact[Type]=Login&MatchingFact[Value]=ann@demo.test&Merchant[Name]=Nihon+Taxi" +
			"&Merchant[Location][CountryCode]=JP&TransactionDateTime=2024-03-11T08:20&Type=Ride"},
	} {
		number := w.postV3(t, "company", c[0], c[1])
		w.work(t)
		got := string(w.read(t, "ann", number).Receipt)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("as %s it is %s, want %s", c[0], got, want)
		}
	}
	items := `<ReceiptPost><Amount>5</Amount><CurrencyCode>USD</CurrencyCode><FormofPaymentCode>CASH</FormofPaymentCode><GeneralDetail>%</GeneralDetail><MatchingFact><Type>Login</Type><Value>ann@demo.test</Value></MatchingFact>
		<Merchant><Name>A</Name><Location><CountryCode>US</CountryCode></Location></Merchant><TransactionDateTime>2024-03-11T08:20</TransactionDateTime><Type>General</Type></ReceiptPost>`
	one := `<SequenceNumber>1</SequenceNumber><Description>a</Description><Amount>2</Amount>`
	two := `<SequenceNumber>2</SequenceNumber><Description>b</Description><Amount>3</Amount>`
	for form, list := range map[string]string{
		"repeated": "<LineItems>" + one + "</LineItems><LineItems>" + two + "</LineItems>",
		"wrapped":  "<LineItems><LineItem>" + one + "</LineItem><LineItem>" + two + "</LineItem></LineItems>",
	} {
		number := w.postV3(t, "company", "application/xml", strings.Replace(items, "%", list, 1))
		w.work(t)
		if got := string(w.read(t, "ann", number).Receipt); !strings.Contains(got, `"description":"a","total":"2.00"},{"sequenceNumber":2,"description":"b","total":"3.00"}`) {
			t.Errorf("%s items are %s", form, got)
		}
	}
	Golden(t, "v3-post-xml", w.Do(Request{Method: "POST", Path: v3Receipts, Token: "ann", Type: "application/json", Body: []byte(v3Ride)}))
	Golden(t, "v3-post-xml-observed", w.Do(Request{Method: "POST", Path: v3Receipts, Token: "ann-observed", Type: "application/json", Body: []byte(v3Ride)}))
	Golden(t, "v3-post-json", w.Do(v3Posting("ann", "application/json", v3Ride)))
	Golden(t, "v3-refused", w.Do(v3Posting("ann", "application/json", `{"Type":"Hotel","HotelDetail":{},"FormofPaymentCode":"CCARD"}`)))
}

func TestV3Image(t *testing.T) {
	engines(t, func(t *testing.T, w world) {
		for _, file := range [][]byte{PNG(1), JPEG(1)} {
			body := strings.Replace(v3General, `"Type":"General"`, `"Type":"General","ImageBase64":"`+base64.StdEncoding.EncodeToString(file)+`"`, 1)
			number := w.postV3(t, "company", "application/json", body)
			w.work(t)
			r := w.read(t, "ann", number)
			w.wantStatus(t, r.ID, "PROCESSED", accepted, initiated, finished)
			if strings.Contains(string(r.Receipt), "ImageBase64") {
				t.Error("the image is in the data too")
			}
			w.get(t, 404, "ann", "/receipts/v4/"+r.ID+"/image")
			entry := map[bool]string{true: LateEntry, false: EarlyEntry}[bytes.Equal(file, PNG(1))]
			w.WriteTx(t, func(tx *store.Tx) error {
				return w.Images.AttachExisting(tx, AnnActor(), r.ID, imaging.Entry, imaging.Held{ID: entry, Owner: Ann})
			})
			var link struct{ URL string }
			json.Unmarshal([]byte(w.call(t, 200, Request{Method: "GET", Path: "/api/image/v1.0/expenseentry/" + entry, Token: "ann", Accept: "application/json"})), &link)
			if got := Text(w.Do(Request{Method: "GET", Path: link.URL})); got != string(file) {
				t.Error("the image comes back changed")
			}
		}
	})
}

// TestV3Owner: who may post for whom.
func TestV3Owner(t *testing.T) {
	w := onSQLite(t)
	for _, c := range []struct{ caller, kind, fact, owner string }{
		{"ann", "Login", "ann@demo.test", Ann},
		{"ann", "OAuth", "token-of-ann", Ann},
		{"ann", "OAuth", "token-of-eve", Eve}, // a token is its owner's consent, in whatever company
		{"company", "Login", "bob@demo.test", Bob},
		{"wes", "Login", "bob@demo.test", Bob},
		{"ann", "Login", "bob@demo.test", ""},
		{"cora", "Login", "bob@demo.test", ""},
		{"wes", "Login", "eve@other.test", ""},
		{"company", "Login", "eve@other.test", ""},
		{"company", "Login", "nobody@demo.test", ""},
		{"company", "OAuth", "nonsense", ""},
		{"company", "OAuth", "token-for-reports", ""},
		{"company", "OAuth", "token-of-the-company", ""},
		{"company", "OAuth", "", ""},
		{"company", "", "ann@demo.test", ""},
		{"company", "Phone", "ann@demo.test", ""},
	} {
		body := strings.NewReplacer(`"Type":"Login"`, `"Type":"`+c.kind+`"`, "ANN@demo.test", c.fact).Replace(v3General)
		before := w.Count(t, "e_receipt")
		r := w.Do(v3Posting(c.caller, "application/json", body))
		answer := Text(r)
		if c.owner == "" {
			if r.StatusCode != 400 || !strings.Contains(answer, "MatchingFact.") || w.Count(t, "e_receipt") != before {
				t.Errorf("%s for %s %q: %d %s", c.caller, c.kind, c.fact, r.StatusCode, answer)
			}
			continue
		}
		if r.StatusCode != 200 || w.Count(t, "e_receipt WHERE owner_id = ? AND number = ?", c.owner, v3ID.FindStringSubmatch(answer)[1]) != 1 {
			t.Errorf("%s for %s %q: %d %s", c.caller, c.kind, c.fact, r.StatusCode, answer)
		}
	}
	w.call(t, 503, v3Posting("company", "application/json", strings.NewReplacer(`"Type":"Login"`, `"Type":"OAuth"`, "ANN@demo.test", "token-without-database").Replace(v3General)))
	w.call(t, 401, v3Posting("", "application/json", v3General))
	w.call(t, 403, v3Posting("unscoped", "application/json", v3General))
}

// TestV3Limits changes one thing at a time.
func TestV3Limits(t *testing.T) {
	w := onSQLite(t)
	long := func(n int) string { return `"` + strings.Repeat("é", n) + `"` }
	limit := func(base, path string, n int) []v3Change {
		return []v3Change{{base, path, long(n), ""}, {base, path, long(n + 1), "characters long"}}
	}
	required := func(base string, paths ...string) (all []v3Change) {
		for _, path := range paths {
			all = append(all, v3Change{base, path, "absent", "is required"})
		}
		return all
	}
	amount := func(base, path string) []v3Change {
		return []v3Change{{base, path, "922337203685477", ""}, {base, path, "-922337203685477", ""}, {base, path, `"12.5"`, ""}, {base, path, "922337203685477.5", "out of range"}, {base, path, "-922337203685478", "out of range"},
			{base, path, "1e300", "out of range"}, {base, path, `"twelve"`, "must be a number"}, {base, path, `"1,50"`, "must be a number"}, {base, path, "0", ""}}
	}
	moment := func(base, path string) []v3Change {
		return []v3Change{{base, path, `"2024-03-11"`, ""}, {base, path, `"2024-03-11T12:42:10"`, ""}, {base, path, `"2024-02-30T12:42"`, "must be a date"}, {base, path, `"noon"`, "must be a date"}, {base, path, "true", "must be a date"}}
	}
	one := func(base, path string, good []string, bad string) (all []v3Change) {
		for _, v := range good {
			all = append(all, v3Change{base, path, `"` + v + `"`, ""})
		}
		return append(all, v3Change{base, path, `"` + bad + `"`, "must be one of"})
	}
	item := ".GeneralDetail.LineItems[0]"
	oldest := w.Now().Time().AddDate(0, -6, 0)
	for _, c := range slices.Concat(
		required(v3General, ".Amount", ".CurrencyCode", ".FormofPaymentCode", ".MatchingFact", ".MatchingFact.Type", ".MatchingFact.Value", ".Merchant", ".Merchant.Name", ".Merchant.Location",
			".Merchant.Location.CountryCode", ".TransactionDateTime", ".Type", ".GeneralDetail", item+".SequenceNumber", item+".Description", item+".Amount"),
		required(v3Hotel, ".HotelDetail", ".HotelDetail.AverageDailyRoomRate", ".HotelDetail.CheckinDateTime", ".HotelDetail.CheckoutDateTime", ".PaymentCard", ".PaymentCard.Type", ".PaymentCard.MaskedNumber"),
		required(v3Ride, ".RideDetail", ".RideDetail.StartDateTime", ".RideDetail.EndDateTime"),
		amount(v3General, ".Amount"), amount(v3General, item+".Amount"), amount(v3General, item+".Rate"), amount(v3Hotel, ".HotelDetail.AverageDailyRoomRate"),
		moment(v3General, item+".Date"), moment(v3Hotel, ".HotelDetail.CheckinDateTime"), moment(v3Hotel, ".HotelDetail.CheckoutDateTime"), moment(v3Ride, ".RideDetail.StartDateTime"), moment(v3Ride, ".RideDetail.EndDateTime"),
		[]v3Change{
			{v3General, ".TransactionDateTime", `"` + oldest.Format("2006-01-02T15:04") + `"`, ""}, {v3General, ".TransactionDateTime", `"` + oldest.Add(-24*time.Hour).Format("2006-01-02T15:04") + `"`, "more than six months ago"},
			{v3General, ".CurrencyCode", `"EURO"`, "ISO 4217"}, {v3General, ".CurrencyCode", `"XYZ"`, "ISO 4217"},
			{v3General, ".Merchant.Location.CountryCode", `"DEU"`, "two letters"}, {v3General, ".Merchant.Location.CountryCode", `"XX"`, "two letters"},
			{v3General, ".Merchant.Location.CountrySubdivisionCode", `"W"`, ""}, {v3General, ".Merchant.Location.CountrySubdivisionCode", `"DE-BE"`, "at most 3"}, {v3General, ".Merchant.Location.CountrySubdivisionCode", `"B-"`, "behind the dash"},
			{v3General, item + ".Quantity", "1", ""}, {v3General, item + ".Quantity", "0", "1 or more"}, {v3General, item + ".Quantity", "-1", "1 or more"}, {v3General, item + ".Quantity", "1.5", "whole number"},
			{v3General, ".GeneralDetail.LineItems", "[]", ""}, {v3General, ".GeneralDetail", "{}", ""}, {v3General, ".ImageBase64", `"?"`, "Base64"}, {v3General, ".ImageBase64", `"R0lGODlhAQABAAAAACw="`, "not of a type"},
			{v3General, ".ImageBase64", `"AAAA"`, "known type"}, {v3General, ".ImageBase64", `"` + base64.StdEncoding.EncodeToString(JPEG(1)[:300]) + `"`, "ends too early"},
			{v3General, ".ImageBase64", `"` + base64.StdEncoding.EncodeToString(append([]byte("%PDF-1.4\n"), make([]byte, 5<<20)...)) + `"`, "larger than 5 MB"},
			{v3Hotel, ".HotelDetail.NumberInParty", "0", "1 or more"}, {v3Hotel, ".HotelDetail.GNR", "absent", ""}, {v3Hotel, ".HotelDetail.LineItems", "absent", ""},
			{v3Hotel, ".PaymentCard", `{"Type":"AX","MaskedNumber":"1234567890"}`, ""}, {v3Hotel, ".PaymentCard", `{"Type":"AX","MaskedNumber":"12345"}`, ""}, {v3Hotel, ".PaymentCard", `{"Type":"AX","MaskedNumber":"1234"}`, ""},
			{v3Hotel, ".PaymentCard", `{"Type":"AX","MaskedNumber":"123456789012345"}`, "last four digits"}, {v3Hotel, ".PaymentCard", `{"Type":"VI","MaskedNumber":"12345"}`, "last four digits"},
			{v3Hotel, ".PaymentCard", `{"Type":"VI","MaskedNumber":"xx12"}`, "last four digits"}, {v3Hotel, ".PaymentCard", `{"Type":"OTHER","MaskedNumber":"1234"}`, ""},
			{v3Ride, ".RideDetail.DropoffLatitude", "90", ""}, {v3Ride, ".RideDetail.DropoffLatitude", "-90.1", "from -90 to 90"}, {v3Ride, ".RideDetail.DropoffLatitude", "absent", ""},
			{v3Ride, ".RideDetail.DropoffLongitude", "-180", ""}, {v3Ride, ".RideDetail.DropoffLongitude", "180.00000001", "from -180 to 180"},
		},
		one(v3General, ".Type", []string{"General", "general"}, "Meal"), one(v3General, ".FormofPaymentCode", []string{"CASH", "cpaid"}, "CARD"),
		one(v3Hotel, ".PaymentCard.Type", []string{"AX", "DC", "DS", "CA", "VI", "CB", "ER", "TP", "JC", "EC", "OTHER"}, "MC"),
		one(v3General, item+".RateType", []string{"HOUR", "PER HOUR", "DAY", "PER DAY", "WEEK", "PER WEEK", "MONTH", "PER MONTH"}, "YEAR"),
		limit(v3General, ".Merchant.Name", 64), limit(v3General, ".Merchant.Location.Address", 100), limit(v3General, ".Merchant.Location.Address2", 50), limit(v3General, ".Merchant.Location.City", 100),
		limit(v3General, ".Merchant.Location.EmailAddress", 255), limit(v3General, ".Merchant.Location.FaxNumber", 32), limit(v3General, ".Merchant.Location.InternetAddress", 255), limit(v3General, ".Merchant.Location.Name", 100),
		limit(v3General, ".Merchant.Location.PostalCode", 20), limit(v3General, ".Merchant.Location.TelephoneNumber", 100), limit(v3General, item+".Description", 100), limit(v3General, item+".Description2", 32),
		limit(v3General, item+".Reference", 32), limit(v3General, ".CustomFields.Name", 128), limit(v3General, ".CustomFields.Value", 256),
		limit(v3Hotel, ".HotelDetail.ConfirmationNumber", 32), limit(v3Hotel, ".HotelDetail.GNR", 20), limit(v3Hotel, ".HotelDetail.RatePlanType", 50), limit(v3Hotel, ".HotelDetail.RoomNumber", 15), limit(v3Hotel, ".HotelDetail.RoomType", 50),
		limit(v3Hotel, ".PaymentCard.AuthorizationCode", 15), limit(v3Ride, ".RideDetail.DriverName", 255), limit(v3Ride, ".RideDetail.VehicleNumber", 50),
	) {
		body, err := json.Marshal(change(t, parsed(t, []byte(c.base)), c.path, c.to))
		if err != nil {
			t.Fatal(err)
		}
		r := w.Do(v3Posting("company", "application/json", string(body)))
		answer := Text(r)
		// A single custom field is the first of a list.
		at := strings.Replace(c.path[1:], "CustomFields.", "CustomFields[0].", 1)
		good := r.StatusCode == 200
		if c.problem != "" {
			good = r.StatusCode == 400 && strings.Contains(answer, at) && strings.Contains(answer, c.problem)
		}
		if !good {
			t.Errorf("%s = %.60s: %d %s, want %q", c.path, c.to, r.StatusCode, answer, c.problem)
		}
		if r.StatusCode == 200 && c.base == v3Hotel { // what is taken makes a receipt that keeps to its schema
			w.work(t)
			if problems, _ := w.validate(t, "hotel-receipt", w.read(t, "company", v3ID.FindStringSubmatch(answer)[1]).Receipt); problems != nil {
				t.Errorf("%s = %s breaks the schema of v4: %q", c.path, c.to, problems)
			}
		}
	}
}

type v3Change struct{ base, path, to, problem string }

// TestV3AllProblems: what is wrong is told at once.
func TestV3AllProblems(t *testing.T) {
	w := onSQLite(t)
	answer := w.call(t, 400, v3Posting("company", "application/json", `{"Amount":"x","CurrencyCode":"EURO","Type":"Ride","FormofPaymentCode":"CCARD","TransactionDateTime":"2020-01-01T00:00",
		"MatchingFact":{"Type":"Login","Value":"nobody"},"Merchant":{"Name":"`+strings.Repeat("x", 65)+`","Location":{"CountryCode":"XX"}}}`))
	for _, want := range []string{"Amount: ", "CurrencyCode: ", "RideDetail: ", "PaymentCard: ", "TransactionDateTime: ", "MatchingFact.Value: ", "Merchant.Name: ", "Merchant.Location.CountryCode: "} {
		if !strings.Contains(answer, want) {
			t.Errorf("%q is missing in %s", want, answer)
		}
	}
	for body, status := range map[string]int{"": 400, "{": 400, "[]": 400, `"x"`: 400, "<a>": 400} {
		w.call(t, status, v3Posting("company", "application/json", body))
	}
	w.call(t, 415, v3Posting("company", "text/plain", v3Ride))
	if n := w.Count(t, "e_receipt"); n != 0 {
		t.Errorf("%d receipts of what was refused", n)
	}
	if err := w.DB.Write(t.Context(), func(tx *store.Tx) error {
		return w.Images.AttachExisting(tx, AnnActor(), "123456789012345678", imaging.Entry, imaging.Held{ID: LateEntry, Owner: Ann})
	}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a number that is none: %v", err)
	}
}
