package receipt_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "quittance/internal/domain/imaging/imagingtest"
)

// parsed is JSON whose numbers keep their digits.
func parsed(t testing.TB, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// change puts a value where a path such as ".tickets[0].fare" leads; "absent" takes the
// member away. Objects on the way are made.
func change(t testing.TB, v any, path, to string) any {
	t.Helper()
	if path == "" {
		return parsed(t, []byte(to))
	}
	if path[0] == '[' {
		index, rest, _ := strings.Cut(path[1:], "]")
		i, err := strconv.Atoi(index)
		list, ok := v.([]any)
		if err != nil || !ok || i >= len(list) {
			t.Fatalf("%s leads nowhere", path)
		}
		list[i] = change(t, list[i], rest, to)
		return list
	}
	end := strings.IndexAny(path[1:], ".[") + 1
	if end == 0 {
		end = len(path)
	}
	name, rest := path[1:end], path[end:]
	object, ok := v.(map[string]any)
	if v == nil {
		object, ok = map[string]any{}, true
	}
	if !ok {
		t.Fatalf("%s leads nowhere", path)
	}
	if rest == "" && to == "absent" {
		delete(object, name)
		return object
	}
	object[name] = change(t, object[name], rest, to)
	return object
}

type validation struct {
	Message          string
	ValidationErrors []struct{ DataPath, Keyword, Message string }
}

// validate posts a receipt and gives the problems as "path keyword".
func (w world) validate(t testing.TB, kind string, body []byte) (problems []string, answer string) {
	t.Helper()
	r := w.Do(receiptPosting("ann", kind, body))
	answer = Text(r)
	if r.StatusCode == 201 {
		return nil, answer
	}
	var v validation
	if err := json.Unmarshal([]byte(answer), &v); err != nil || r.StatusCode != 400 || v.Message != "Receipt failed schema validation" {
		t.Fatalf("%d %s", r.StatusCode, answer)
	}
	for _, e := range v.ValidationErrors {
		if e.Message == "" {
			t.Errorf("no sentence: %s", answer)
		}
		problems = append(problems, e.DataPath+" "+e.Keyword)
	}
	return problems, answer
}

func TestSchemas(t *testing.T) {
	w := onSQLite(t)
	const (
		item    = `{"sequenceNumber":1,"description":"a","total":"1"}`
		place   = `{"address":{"addressCountry":"DE"}}`
		seller  = ".seller.location.address"
		coupon  = ".tickets[0].coupons[0]"
		segment = ".railTickets[0].segments[0]"
	)
	type row struct {
		path, to string
		want     string // the keyword at the path; "" is good; with a blank in it the whole
	}
	// What is put where before a change below it.
	bases := map[string]string{}
	money := func(path string) []row {
		return []row{{path, `"12.50"`, ""}, {path, `"-3"`, ""}, {path, `".50"`, ""}, {path, `"0"`, ""}, {path, `"10."`, "pattern"}, {path, `"1,50"`, "pattern"}, {path, `"€5"`, "pattern"},
			{path, `"+5"`, "pattern"}, {path, `"1e2"`, "pattern"}, {path, `""`, "pattern"}, {path, `12.5`, "type"}, {path, `null`, "type"}, {path, `"123456789012345.12345678"`, ""},
			{path, `"1234567890123456"`, "format"}, {path, `"0.123456789"`, "format"}, {path, `"-0001234567890123456.5"`, "format"}, {path, `"0000000000000000000001.50000000000"`, ""}}
	}
	negative := func(path string) []row {
		return []row{{path, `"-12.50"`, ""}, {path, `"-.5"`, ""}, {path, `"2.50"`, "pattern"}, {path, `-2`, "type"}, {path, `"-1234567890123456"`, "format"}}
	}
	moment := func(path string) []row {
		return []row{{path, `"2024-03-11T12:42:10+0100"`, ""}, {path, `"2024-03-11T12:42:10.123+01:00"`, ""}, {path, `"2024-03-11T12:42+0100"`, ""}, {path, `"2024-03-11T12+01"`, ""},
			{path, `"2024-03-11 12:42:10-11:30"`, ""}, {path, `"2024-02-29T23:59:60+00:00"`, ""}, {path, `"2024-03-11T12:42:10Z"`, "pattern"}, {path, `"2024-03-11T12:42:10"`, "pattern"},
			{path, `"2024-03-11"`, "pattern"}, {path, `"11.03.2024 12:42+01"`, "pattern"}, {path, `"2023-02-29T12:42:10+01:00"`, "format"}, {path, `"2024-13-11T12:42:10+01:00"`, "format"},
			{path, `"2024-03-11T24:00:00+01:00"`, "format"}, {path, `"2024-03-11T12:60:00+01:00"`, "format"}, {path, `"2024-03-11T12:42:61+01:00"`, "format"}, {path, `"2024-03-11T12:42:10+19:00"`, "format"},
			{path, `"2024-03-11T12:42:10+01:60"`, "format"}, {path, `1710157330`, "type"}}
	}
	filled := func(path string) []row {
		return []row{{path, `"x"`, ""}, {path, `"\u3042 "`, ""}, {path, `" \t"`, "pattern"}, {path, `7`, "type"}}
	}
	needed := func(path string) []row { return []row{{path, "absent", "required"}} }
	country := func(path string) []row {
		return []row{{path, `"DE"`, ""}, {path, `"DEU"`, ""}, {path, `"de"`, "format"}, {path, `"XX"`, "format"}, {path, `"Germany"`, "format"}, {path, `"D"`, "format"}, {path, `49`, "type"}}
	}
	region := func(path string) []row {
		return []row{{path, `"WA"`, ""}, {path, `"9"`, ""}, {path, `"US-WA"`, "pattern"}, {path, `"ABCD"`, "pattern"}, {path, `""`, "pattern"}}
	}
	letters := func(path string, n int) []row {
		return []row{{path, `"` + strings.Repeat("a", n) + `"`, ""}, {path, `"` + strings.Repeat("Z", n) + `"`, ""}, {path, `"` + strings.Repeat("a", n+1) + `"`, "pattern"},
			{path, `"` + strings.Repeat("1", n) + `"`, "pattern"}, {path, `""`, "pattern"}}
	}
	free := func(path string) []row { return []row{{path, `""`, ""}, {path, `1`, "type"}} }
	atLeastOne := func(path string) []row {
		return []row{{path, `1`, ""}, {path, `2.0`, ""}, {path, `0`, "minimum"}, {path, `-1`, "minimum"}, {path, `1.5`, "type"}, {path, `"1"`, "type"}}
	}
	yesOrNo := func(path string) []row { return []row{{path, `true`, ""}, {path, `"Y"`, "type"}} }
	list := func(path, good string) []row {
		return []row{{path, `[]`, ""}, {path, `[` + good + `]`, ""}, {path, good, "type"}}
	}
	distance := func(path string) []row {
		return []row{{path, `{"totalDistance":0,"unit":"km"}`, ""}, {path, `{"totalDistance":1.5,"unit":"mi"}`, ""}, {path, `{"totalDistance":1,"unit":"m"}`, path + ".unit enum"},
			{path, `{"totalDistance":-1,"unit":"km"}`, path + ".totalDistance minimum"}, {path, `{"unit":"km"}`, path + ".totalDistance required"}, {path, `{"totalDistance":1}`, path + ".unit required"}}
	}
	location := func(path string) (rows []row) {
		bases[path] = place
		for _, name := range []string{"name", "number", "internetAddress", "emailAddress", "telephoneNumber", "faxNumber"} {
			rows = append(rows, free(path+"."+name)...)
		}
		rows = append(rows, row{path + ".latitude", `-90`, ""}, row{path + ".latitude", `90.1`, "maximum"}, row{path + ".latitude", `-90.1`, "minimum"}, row{path + ".latitude", `"1"`, "type"},
			row{path + ".longitude", `180`, ""}, row{path + ".longitude", `180.1`, "maximum"}, row{path + ".longitude", `-181`, "minimum"})
		return append(rows, needed(path+".address")...)
	}
	address := func(path string) (rows []row) {
		for _, name := range []string{"streetAddress", "addressLocality", "postalCode"} {
			rows = append(rows, free(path+"."+name)...)
		}
		rows = append(rows, region(path+".addressRegion")...)
		rows = append(rows, country(path+".addressCountry")...)
		return append(rows, needed(path+".addressCountry")...)
	}
	taxes := func(path string) (rows []row) {
		rows = append(rows, row{path, `[{"authority":{"addressCountry":"DE"},"rate":19,"amount":"1"}]`, ""}, row{path, `[{"rate":"19"}]`, path + "[0].authority required; " + path + "[0].amount required; " + path + "[0].rate type"},
			row{path, `[{"authority":{"addressCountry":"XX","addressRegion":"US-WA"},"name":1,"rateType":2,"rate":19,"amount":"x"}]`,
				path + "[0].authority.addressCountry format; " + path + "[0].authority.addressRegion pattern; " + path + "[0].name type; " + path + "[0].rateType type; " + path + "[0].amount pattern"})
		return rows
	}
	discounts := func(path string) []row {
		return []row{{path, `[{}]`, ""}, {path, `[{"discountName":"","discountCode":"","discountRate":"5","discountAmount":"-1"}]`, ""},
			{path, `[{"discountName":1,"discountCode":1,"discountRate":5,"discountAmount":"1"}]`, path + "[0].discountName type; " + path + "[0].discountCode type; " + path + "[0].discountRate type; " + path + "[0].discountAmount pattern"}}
	}
	all := func(parts ...[]row) (rows []row) {
		for _, p := range parts {
			rows = append(rows, p...)
		}
		return rows
	}
	items := func(path string) (rows []row) {
		bases[path] = "[" + item + "]"
		rows = list(path, item)
		rows = append(rows, row{path, `[{}]`, path + "[0].description required; " + path + "[0].sequenceNumber required; " + path + "[0].total required"})
		first := path + "[0]"
		return append(rows, all([]row{{first + ".sequenceNumber", `1.5`, "type"}, {first + ".quantity", `0`, ""}, {first + ".quantity", `-1`, "minimum"}, {first + ".quantity", `1.5`, "type"}},
			moment(first+".dateTime"), filled(first+".description"), filled(first+".semanticsCode"), free(first+".reference"), free(first+".additionalDescription"),
			money(first+".total"), money(first+".unitCost"), money(first+".subtotal"), money(first+".taxesTotal"), yesOrNo(first+".vatApplicable"), yesOrNo(first+".amountIncludesVat"),
			taxes(first+".taxes"), discounts(first+".discounts"))...)
	}
	core := all(moment(".dateTime"), money(".total"), money(".subtotal"), money(".taxesTotal"), negative(".discountsTotal"),
		[]row{{".currencyCode", `"USD"`, ""}, {".currencyCode", `"usd"`, "format"}, {".currencyCode", `"XXX"`, "format"}, {".currencyCode", `"EURO"`, "format"}},
		free(".reference"), free(".collectionReference"), yesOrNo(".taxInvoice"), taxes(".taxes"), discounts(".discounts"), list(".payments", `{"amount":"1"}`),
		needed(".dateTime"), needed(".total"), needed(".currencyCode"), needed(".payments"))
	merchant := all(filled(".seller.name"), free(".seller.description"), free(".seller.taxId"), needed(".seller.name"), needed(".seller.location"), needed(".seller"), location(".seller.location"), address(seller),
		[]row{{".broker", `{"name":"b","location":` + place + `}`, ""}, {".broker", `{"name":" "}`, ".broker.location required; .broker.name pattern"}})
	payments := []row{
		{".payments[0]", `{"amount":"1","fare":"x"}`, ""}, {".payments[0]", `{}`, ".payments[0].amount required"}, {".payments[0]", `"cash"`, "type"},
		{".payments[0]", `{"amount":"1","cardDetail":{"cardType":"Visa","creditCardId":"1234","authorizationCode":""}}`, ""},
		{".payments[0]", `{"amount":"x","cardDetail":{"cardType":"Gold","creditCardId":"123","authorizationCode":1}}`,
			".payments[0].amount pattern; .payments[0].cardDetail.cardType enum; .payments[0].cardDetail.creditCardId pattern; .payments[0].cardDetail.authorizationCode type"},
		{".payments[0]", `{"amount":"1","cardDetail":{}}`, ".payments[0].cardDetail.cardType required"},
		{".payments[0]", `{"source":"GhostCard","amount":"1"}`, ""}, {".payments[0]", `{"source":"Invoice","amount":"1","cardDetail":{"cardType":"EuroCard"}}`, ""},
		{".payments[0]", `{"source":"LodgeCard","amount":"1","cardDetail":{"cardType":"x"}}`, ".payments[0].cardDetail.cardType enum"},
		{".payments[0]", `{"source":"OlaMoney","amount":"1"}`, ""}, {".payments[0]", `{"source":"ApplePay"}`, ".payments[0].amount required"},
		{".payments[0]", `{"source":"Barter","amount":"?"}`, ".payments[0].source enum; .payments[0].amount pattern"},
		{".payments[0]", `{"ticketNumber":"7","amount":"1"}`, ""}, {".payments[0]", `{"ticketNumber":" ","amount":"1"}`, ".payments[0].ticketNumber pattern"},
	}
	for kind, rows := range map[string][]row{
		"general-receipt": all(core, merchant, payments, items(".lineItems")),
		"air-receipt": all(items(".lineItems"), filled(".itineraryLocator"), []row{{".tickets", "absent", ""}, {".lineItems", "absent", ""}},
			free(".tickets[0].number"), free(".tickets[0].recordLocator"), moment(".tickets[0].issueDateTime"), letters(".tickets[0].pseudoCityCode", 3), free(".tickets[0].agencyName"), free(".tickets[0].passengerName"),
			[]row{{".tickets[0].IATAAgencyNumber", `"12345678"`, ""}, {".tickets[0].IATAAgencyNumber", `"1234567"`, "pattern"}, {".tickets[0].IATAAgencyNumber", `12345678`, "type"}},
			needed(".tickets[0].number"), needed(".tickets[0].issueDateTime"), needed(".tickets[0].passengerName"), needed(".tickets[0].coupons"),
			letters(coupon+".originationAirportIATACode", 3), letters(coupon+".destinationAirportIATACode", 3), moment(coupon+".originationDateTime"), moment(coupon+".destinationDateTime"),
			free(coupon+".flightNumber"), filled(coupon+".couponNumber"), letters(coupon+".operatingAirlineCode", 2), letters(coupon+".classOfServiceCode", 1),
			[]row{{coupon + ".marketingCarrier", `"LH1"`, ""}, {coupon + ".marketingCarrier", `"LH"`, "pattern"}, {coupon + ".operatingCarrier", `"ABCDEFGH"`, ""}, {coupon + ".operatingCarrier", `"ABCDEFGHI"`, "pattern"},
				{coupon + ".fareBasisCode", `"Y1"`, ""}, {coupon + ".fareBasisCode", `"Y"`, "pattern"}, {coupon + ".fareBasisCode", `"ABCDEFGHI"`, "pattern"},
				{coupon + ".ticketDesignatorCode", `"A*?9"`, ""}, {coupon + ".ticketDesignatorCode", `""`, "pattern"}, {coupon + ".ticketDesignatorCode", `"A-B"`, "pattern"}, {coupon + ".ticketDesignatorCode", `"12345678901"`, "pattern"}},
			money(coupon+".fare"), taxes(coupon+".taxes"), items(coupon+".lineItems"),
			needed(coupon+".originationAirportIATACode"), needed(coupon+".destinationAirportIATACode"), needed(coupon+".originationDateTime"), needed(coupon+".destinationDateTime"), needed(coupon+".couponNumber"),
			needed(coupon+".operatingAirlineCode"), needed(coupon+".marketingCarrier"), needed(coupon+".operatingCarrier"), needed(coupon+".classOfServiceCode"), needed(coupon+".fareBasisCode"), needed(coupon+".fare")),
		"car-rental-receipt": all(filled(".itineraryLocator"), filled(".segmentLocator"), moment(".startDateTime"), moment(".endDateTime"), location(".pickupLocation"), location(".dropoffLocation"), atLeastOne(".rentalDays"),
			free(".rentalAgreementNumber"), free(".confirmationNumber"), free(".driverName"), free(".vehicle.registrationNumber"), free(".vehicle.description"), letters(".vehicle.classReservedCode", 4),
			letters(".vehicle.classRentedCode", 4), letters(".vehicle.classChargedCode", 4), []row{{".vehicle.engineSize", `"1998"`, ""}, {".vehicle.engineSize", `"19980"`, "pattern"}, {".vehicle.engineSize", `1998`, "type"}, {".vehicle.fuelType", `"Diesel"`, ""}},
			distance(".distance"), []row{{".odometerReadingOut", `1.5`, ""}, {".odometerReadingOut", `"1"`, "type"}, {".odometerReadingIn", `1.5`, ""}, {".odometerReadingIn", `"1"`, "type"}}, yesOrNo(".additionalDriver"), items(".lineItems"),
			needed(".startDateTime"), needed(".endDateTime"), needed(".pickupLocation"), needed(".dropoffLocation"), needed(".rentalDays")),
		"ground-transport-receipt": all(filled(".itineraryLocator"), filled(".segmentLocator"), filled(".classOfService"), moment(".startDateTime"), moment(".endDateTime"),
			[]row{{".travelDuration", `"PT1H20M"`, ""}, {".travelDuration", `"P"`, ""}, {".travelDuration", `"-P1Y2M3W4DT5.5S"`, ""}, {".travelDuration", `"1h"`, "pattern"}, {".travelDuration", `"PT1H20"`, "pattern"},
				{".mapUrl", `"https://maps.googleapis.com/maps/api/staticmap"`, ""}, {".mapUrl", `"https://www.google.de/maps/x"`, ""}, {".mapUrl", `"http://www.google.de/maps/x"`, "pattern"}, {".mapUrl", `"https://example.com/maps/"`, "pattern"}},
			location(".pickupLocation"), location(".dropoffLocation"), distance(".distance"), free(".driverNumber"), items(".lineItems"), needed(".startDateTime"), needed(".pickupLocation")),
		"hotel-receipt": all(filled(".itineraryLocator"), filled(".segmentLocator"), location(".property"), free(".confirmationNumber"), moment(".checkInDateTime"), moment(".checkOutDateTime"),
			free(".guests[0].guestNameRecord"), filled(".guests[0].firstName"), filled(".guests[0].lastName"), address(".guests[0].address"), needed(".guests[0].firstName"), needed(".guests[0].lastName"), atLeastOne(".numberInParty"),
			free(".room.roomNumber"), free(".room.roomType"), free(".room.ratePlanType"), money(".room.averageDailyRoomRate"), needed(".room.averageDailyRoomRate"), atLeastOne(".nightsStayed"), items(".lineItems"),
			needed(".checkInDateTime"), needed(".checkOutDateTime"), needed(".guests"), needed(".room"), needed(".nightsStayed"), needed(".lineItems")),
		"rail-receipt": all(filled(".itineraryLocator"), items(".lineItems"), needed(".railTickets"), free(".railTickets[0].ticketNumber"), free(".railTickets[0].recordLocator"), moment(".railTickets[0].issueDateTime"),
			free(".railTickets[0].passengerName"), money(".railTickets[0].fare"), needed(".railTickets[0].recordLocator"), needed(".railTickets[0].issueDateTime"), needed(".railTickets[0].passengerName"), needed(".railTickets[0].segments"),
			free(segment+".departureStation"), moment(segment+".departureDateTime"), free(segment+".arrivalStation"), moment(segment+".arrivalDateTime"), free(segment+".trainNumber"), free(segment+".trainType"),
			filled(segment+".classOfServiceCode"), money(segment+".fare"), taxes(segment+".taxes"), items(segment+".lineItems"),
			needed(segment+".departureStation"), needed(segment+".departureDateTime"), needed(segment+".arrivalStation"), needed(segment+".arrivalDateTime"), needed(segment+".trainNumber"), needed(segment+".classOfServiceCode")),
		"jpt-ic-card-receipt": all(core,
			[]row{{".icCardId", `"12345678901234567890"`, ""}, {".icCardId", `"123456789012345678901"`, "maxLength"}, {".icCardId", `" "`, "pattern"},
				{".seller", "absent", " anyOf"}, {".merchant", `{"name":"m","location":{"address":{"countryCode":"JP"}}}`, ""}, {".merchant", `{"name":"m","location":{"address":{"city":"Osaka"}}}`, ".merchant.location.address anyOf"},
				{".seller.location.address", `{"address":"","address2":"","city":"","countrySubdivisionCode":"27","countryCode":"JPN","postalCode":""}`, ""},
				{".seller.location.address", `{"countrySubdivisionCode":"JP-27","countryCode":"Japan"}`, ".seller.location.address.countryCode format; .seller.location.address.countrySubdivisionCode pattern"},
				{".segments[0].sequenceNumber", `"1"`, "type"}, {".segments[0].distance", `0`, ""}, {".segments[0].distance", `-1`, "minimum"}},
			needed(".icCardId"), needed(".segments"), moment(".segments[0].dateTime"), money(".segments[0].amount"), free(".segments[0].fromStationCode"), free(".segments[0].fromStationName"), free(".segments[0].toStationCode"),
			free(".segments[0].toStationName"), yesOrNo(".segments[0].fromIsCommuterPass"), yesOrNo(".segments[0].toIsCommuterPass"), needed(".segments[0].sequenceNumber"), needed(".segments[0].dateTime"),
			needed(".segments[0].fromStationCode"), needed(".segments[0].fromStationName"), needed(".segments[0].toStationCode"), needed(".segments[0].toStationName")),
	} {
		t.Run(kind, func(t *testing.T) {
			for _, r := range rows {
				v := parsed(t, sample(t, kind))
				for at, base := range bases {
					if r.path != at && strings.HasPrefix(r.path, at) {
						v = change(t, v, at, base)
					}
				}
				body, err := json.Marshal(change(t, v, r.path, r.to))
				if err != nil {
					t.Fatal(err)
				}
				got, answer := w.validate(t, kind, body)
				want := r.want
				if want != "" && !strings.Contains(want, " ") {
					want = r.path + " " + want
				}
				wanted := strings.Split(want, "; ")
				slices.Sort(wanted)
				slices.Sort(got)
				if strings.Join(got, "; ") != strings.Join(wanted, "; ") {
					t.Errorf("%s = %s: %q, want %q: %s", r.path, r.to, got, want, answer)
				}
			}
			t.Logf("%d changes", len(rows))
		})
	}
}
