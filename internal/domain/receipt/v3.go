package receipt

import (
	"bytes"
	"strconv"
	"strings"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/imaging/document"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// What a receipt of Receipts v3 says (receipts.md §7). Times are local ones of the
// place; they are kept as if they were UTC.

type v3Receipt struct {
	Amount      value.Money
	Currency    value.Currency
	Customs     []v3Custom
	PaidBy      string // CASH, CCARD or CPAID
	General     value.Opt[v3General]
	Hotel       value.Opt[v3Hotel]
	Image       []byte
	Fact        v3Fact
	Merchant    v3Merchant
	Card        value.Opt[v3Card]
	Ride        value.Opt[v3Ride]
	Transaction value.Instant
	Type        string // General, Ride or Hotel
}

type v3Custom struct{ Name, Value string }

type v3Fact struct{ Type, Value string }

type v3Merchant struct {
	Name     string
	Location v3Location
}

type v3Location struct {
	Address, Address2, City, Country, Subdivision, Email, Fax, Internet, Name, PostalCode, Telephone string
}

type v3Card struct{ Authorization, Number, Type string }

type v3Item struct {
	Amount       value.Money
	Date         value.Instant
	Description  string
	Description2 string
	Quantity     value.Opt[int64]
	Rate         value.Opt[value.Money]
	RateType     string
	Reference    string
	Sequence     int64
}

type v3General struct{ Items []v3Item }

type v3Hotel struct {
	Rate              value.Money
	CheckIn, CheckOut value.Instant
	Confirmation, GNR string
	Items             []v3Item
	Party             value.Opt[int64]
	Plan, Room, Kind  string
}

type v3Ride struct {
	Driver              string
	Latitude, Longitude value.Opt[value.Decimal]
	Start, End          value.Instant
	Items               []v3Item
	Vehicle             string
}

// The kinds of receipts, and how they were paid.
const (
	v3TypeGeneral, v3TypeRide, v3TypeHotel = "General", "Ride", "Hotel"
	paidCash, paidByCard, paidByCompany    = "CASH", "CCARD", "CPAID"
	factToken, factLogin                   = "OAuth", "Login"
	americanExpress, otherCard             = "AX", "OTHER"
)

func (v *v3Receipt) fields(f *wire.Fields) {
	f.Money("Amount", &v.Amount, "What was paid in all; negative for a refund.", wire.RequiredOnCreate)
	f.Currency("CurrencyCode", &v.Currency, "The currency that was paid in (ISO 4217).", wire.RequiredOnCreate)
	wire.List(f, "CustomFields", &v.Customs, (*v3Custom).fields, "Further facts of the provider's own.", wire.Item("CustomField"))
	f.Text("FormofPaymentCode", &v.PaidBy, "How it was paid: CASH, CCARD for a credit card, CPAID by the company.", wire.RequiredOnCreate,
		wire.Enum(paidCash, paidByCard, paidByCompany), wire.Alias("FormOfPaymentCode"))
	wire.Group(f, "GeneralDetail", &v.General, (*v3General).fields, "What a receipt of the type General says. Required with it.")
	wire.Group(f, "HotelDetail", &v.Hotel, (*v3Hotel).fields, "What a receipt of the type Hotel says. Required with it.")
	f.Bytes("ImageBase64", &v.Image, "An image of the receipt: PDF, PNG or JPEG in Base64, of at most 5 MB, or what the server is set to. Without it one is drawn.", wire.WriteOnly)
	wire.Object(f, "MatchingFact", &v.Fact, (*v3Fact).fields, "Whose receipt it is.", wire.RequiredOnCreate)
	wire.Object(f, "Merchant", &v.Merchant, (*v3Merchant).fields, "Who was paid.", wire.RequiredOnCreate)
	wire.Group(f, "PaymentCard", &v.Card, (*v3Card).fields, "The credit card. Required when one was used.")
	wire.Group(f, "RideDetail", &v.Ride, (*v3Ride).fields, "What a receipt of the type Ride says. Required with it.")
	f.Instant("TransactionDateTime", &v.Transaction, "When it was, in local time. More than six months ago is refused.", wire.RequiredOnCreate, wire.Example("2024-03-11T12:42"))
	f.Text("Type", &v.Type, "The type of receipt.", wire.RequiredOnCreate, wire.Enum(v3TypeGeneral, v3TypeRide, v3TypeHotel))
}

func (c *v3Custom) fields(f *wire.Fields) {
	f.Text("Name", &c.Name, "The name of the field.", wire.Max(128))
	f.Text("Value", &c.Value, "Its value.", wire.Max(256))
}

func (m *v3Fact) fields(f *wire.Fields) {
	f.Text("Type", &m.Type, "What Value is: OAuth an access token of the owner, Login the owner's login.", wire.RequiredOnCreate, wire.Enum(factToken, factLogin))
	f.Text("Value", &m.Value, "The token or the login.", wire.RequiredOnCreate)
}

func (m *v3Merchant) fields(f *wire.Fields) {
	wire.Object(f, "Location", &m.Location, (*v3Location).fields, "Where the merchant is.", wire.RequiredOnCreate)
	f.Text("Name", &m.Name, "The merchant's name.", wire.RequiredOnCreate, wire.Max(64))
}

func (l *v3Location) fields(f *wire.Fields) {
	f.Text("Address", &l.Address, "The street.", wire.Max(100))
	f.Text("Address2", &l.Address2, "A second line of the street.", wire.Max(50))
	f.Text("City", &l.City, "The city.", wire.Max(100))
	f.Text("CountryCode", &l.Country, "The country (ISO 3166-1, two letters).", wire.RequiredOnCreate)
	f.Text("CountrySubdivisionCode", &l.Subdivision, "The state or province (ISO 3166-2, the part behind the dash).", wire.Max(3))
	f.Text("EmailAddress", &l.Email, "The e-mail address.", wire.Max(255))
	f.Text("FaxNumber", &l.Fax, "The fax number.", wire.Max(32))
	f.Text("InternetAddress", &l.Internet, "The web site.", wire.Max(255))
	f.Text("Name", &l.Name, "What the place is called: a store, a hotel, an airport.", wire.Max(100))
	f.Text("PostalCode", &l.PostalCode, "The postal code.", wire.Max(20))
	f.Text("TelephoneNumber", &l.Telephone, "The telephone number.", wire.Max(100))
}

func (p *v3Card) fields(f *wire.Fields) {
	f.Text("AuthorizationCode", &p.Authorization, "The code by which the purchase was approved.", wire.Max(15))
	f.Text("MaskedNumber", &p.Number, "The last four digits; for American Express also the first six and the last four, or the last five.", wire.RequiredOnCreate)
	f.Text("Type", &p.Type, "The make of the card.", wire.RequiredOnCreate,
		wire.Enum(americanExpress, "DC", "DS", "CA", "VI", "CB", "ER", "TP", "JC", "EC", otherCard))
}

func (i *v3Item) fields(f *wire.Fields) {
	f.Money("Amount", &i.Amount, "What was charged for the item.", wire.RequiredOnCreate)
	f.Instant("Date", &i.Date, "When it was charged, in local time.")
	f.Text("Description", &i.Description, "What it was.", wire.RequiredOnCreate, wire.Max(100))
	f.Text("Description2", &i.Description2, "A second line to it.", wire.Max(32))
	wire.Optional(f, "Quantity", &i.Quantity, "How many there were, more than none.")
	wire.Optional(f, "Rate", &i.Rate, "What one of them cost.")
	f.Text("RateType", &i.RateType, "What one of them is.", wire.Enum("HOUR", "PER HOUR", "DAY", "PER DAY", "WEEK", "PER WEEK", "MONTH", "PER MONTH"))
	f.Text("Reference", &i.Reference, "The provider's own number for the item.", wire.Max(32))
	f.Int("SequenceNumber", &i.Sequence, "The place among the items.", wire.RequiredOnCreate)
}

const itemsDoc = "The items of the receipt; one of them may stand without brackets."

func (d *v3General) fields(f *wire.Fields) {
	wire.List(f, "LineItems", &d.Items, (*v3Item).fields, itemsDoc, wire.Item("LineItem"))
}

func (d *v3Hotel) fields(f *wire.Fields) {
	f.Money("AverageDailyRoomRate", &d.Rate, "What a night cost on average.", wire.RequiredOnCreate)
	f.Instant("CheckinDateTime", &d.CheckIn, "The arrival, in local time.", wire.RequiredOnCreate)
	f.Instant("CheckoutDateTime", &d.CheckOut, "The departure, in local time.", wire.RequiredOnCreate)
	f.Text("ConfirmationNumber", &d.Confirmation, "The number of the booking.", wire.Max(32))
	f.Text("GNR", &d.GNR, "The guest name record.", wire.Max(20))
	wire.List(f, "LineItems", &d.Items, (*v3Item).fields, itemsDoc, wire.Item("LineItem"))
	wire.Optional(f, "NumberInParty", &d.Party, "How many people stayed.")
	f.Text("RatePlanType", &d.Plan, "The rate plan.", wire.Max(50))
	f.Text("RoomNumber", &d.Room, "The room's number.", wire.Max(15))
	f.Text("RoomType", &d.Kind, "The type of room.", wire.Max(50))
}

func (d *v3Ride) fields(f *wire.Fields) {
	f.Text("DriverName", &d.Driver, "The driver's name.", wire.Max(255))
	wire.Optional(f, "DropoffLatitude", &d.Latitude, "Where the ride ended: degrees of latitude, -90 to 90.")
	wire.Optional(f, "DropoffLongitude", &d.Longitude, "Where the ride ended: degrees of longitude, -180 to 180.")
	f.Instant("EndDateTime", &d.End, "The end of the ride, in local time.", wire.RequiredOnCreate)
	wire.List(f, "LineItems", &d.Items, (*v3Item).fields, itemsDoc, wire.Item("LineItem"))
	f.Instant("StartDateTime", &d.Start, "The start of the ride, in local time.", wire.RequiredOnCreate)
	f.Text("VehicleNumber", &d.Vehicle, "The vehicle.", wire.Max(50))
}

// v3Created is the answer to a POST. The address is empty, as documented.
type v3Created struct{ ID, URI string }

func (a *v3Created) fields(f *wire.Fields) {
	f.Text("ID", &a.ID, "The number of the receipt.")
	f.Text("URI", &a.URI, "Empty: this service reads no receipts. Receipts v4 does, by the same ID.", wire.NotNull)
}

var (
	v3ReceiptSchema = wire.Bind("ReceiptPost", (*v3Receipt).fields)
	v3CreatedSchema = wire.Bind("CreateResponse", (*v3Created).fields)
)

// v3Image are the files that Receipts v3 takes.
var v3Images = []document.Type{document.PDF, document.JPEG, document.PNG}

// v3Scope is what a caller needs, and what the owner's token needs that a matching
// fact gives: whoever has that could post the receipt itself.
var v3Scope = auth.Scope("ERECPT", "receipts.write", "receipts.writeonly")

func (s *Service) v3Operations() []api.Operation {
	if s.drawer == nil {
		return nil
	}
	both := []string{"application/json", "application/xml"}
	body := api.SchemaOf("ReceiptPost", v3ReceiptSchema, append(both, "application/x-www-form-urlencoded")...)
	body.Input = true
	return []api.Operation{
		api.Custom(api.V3, "POST", "/common/receipts", s.postV3,
			api.Doc{ID: "receipts.v3.post", Group: "Receipts v3", Summary: "Post a receipt for a user", Deprecated: true,
				Description: "The receipt is kept, processed and drawn like those of Receipts v4, in the form of which it can be read there. Its image cannot."},
			v3Scope, api.About(api.CallerOnly), api.Takes(body), api.MaxBody(2*s.maxImage+MaxReceipt),
			api.Named(api.Names{One: "CreateResponse", WireOne: "Response", Post: "ReceiptPost"}),
			api.Answers(200, "The receipt is queued for processing.", api.SchemaOf("CreateResponse", v3CreatedSchema, both...))),
	}
}

// numberDigits is the length of the ids of Receipts v3, which are decimal numbers.
const numberDigits = 18

// number makes an id of Receipts v3. It does not begin with a zero, which clients that
// read it as a number would lose.
func (s *Service) number() string {
	b := s.ids.Bytes(numberDigits)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	b[0] = '1' + b[0]%8
	return string(b)
}

func (s *Service) postV3(c *api.Call) (api.Answer, error) {
	d, err := c.Document()
	if err != nil {
		return nil, err
	}
	var v v3Receipt
	_, problems := v3ReceiptSchema.Decode(d, &v, wire.Create)
	var p errs.Problems
	for _, f := range problems {
		p.Add(f.Path, f.Code, f.Message)
	}
	v.check(c.Now(), &p)
	of, err := s.match(c, &v.Fact, &p)
	if err != nil {
		return nil, err
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	var file *imaging.File
	if len(v.Image) > 0 {
		f, err := s.images.Keep(c.Context(), of.Company, bytes.NewReader(v.Image), v3Images, s.maxImage)
		if errs.Is(err, errs.Invalid) || errs.Is(err, errs.Unsupported) || errs.Is(err, errs.TooLarge) {
			e := errs.As(err)
			return nil, errs.OnField("ImageBase64", e.Code, e.Message).Because(err)
		}
		if err != nil {
			return nil, err
		}
		file = &f
	}
	kind, body := v.converted(of)
	r := s.newReceipt(of.Company, of.ID, kind, string(body))
	r.Number = s.number()
	if err := s.keep(c, r, file); err != nil {
		return nil, err
	}
	return api.Object(200, v3CreatedSchema, &v3Created{ID: r.Number}), nil
}

// v3Age is how old a receipt may be, in months.
const v3Age = 6

// check collects what the binding does not see.
func (v *v3Receipt) check(now value.Instant, p *errs.Problems) {
	v.Amount = v.amount("Amount", v.Amount, p)
	if oldest := value.DateOf(now.Time().AddDate(0, -v3Age, 0)); v.Transaction != 0 && v.Transaction.Date() < oldest {
		p.Addf("TransactionDateTime", "tooOld", "is more than six months ago; the oldest day that is taken is %s.", oldest)
	}
	missing := func(path string, there bool, why string) {
		if !there {
			p.Addf(path, "required", "is required with the %s.", why)
		}
	}
	switch v.Type {
	case v3TypeGeneral:
		missing("GeneralDetail", v.General.Valid, "type General")
	case v3TypeHotel:
		missing("HotelDetail", v.Hotel.Valid, "type Hotel")
	case v3TypeRide:
		missing("RideDetail", v.Ride.Valid, "type Ride")
	}
	if v.PaidBy == paidByCard {
		missing("PaymentCard", v.Card.Valid, "form of payment CCARD")
	}
	l := &v.Merchant.Location
	l.Country, l.Subdivision = strings.ToUpper(l.Country), strings.ToUpper(l.Subdivision)
	if l.Country != "" && (len(l.Country) != 2 || !IsCountry(l.Country)) {
		p.Add("Merchant.Location.CountryCode", "country", "must be a country code of ISO 3166-1 with two letters.")
	}
	if strings.Trim(l.Subdivision, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		p.Add("Merchant.Location.CountrySubdivisionCode", "subdivision", "must be the part of an ISO 3166-2 code behind the dash: one to three letters and digits.")
	}
	if v.Card.Valid && v.Card.V.Number != "" && !v.Card.V.isMasked() {
		p.Add("PaymentCard.MaskedNumber", "masked", "must be the last four digits of the card; for AX also the first six and the last four, or the last five.")
	}
	v.checkItems("GeneralDetail", v.General.V.Items, p)
	v.checkItems("HotelDetail", v.Hotel.V.Items, p)
	v.checkItems("RideDetail", v.Ride.V.Items, p)
	if h := &v.Hotel; h.Valid {
		inRange("HotelDetail.AverageDailyRoomRate", h.V.Rate, p)
		if h.V.Party.Valid && h.V.Party.V < 1 {
			p.Add("HotelDetail.NumberInParty", "range", "must be 1 or more.")
		}
	}
	within := func(path string, at value.Opt[value.Decimal], most value.Decimal) {
		if at.Valid && (at.V > most*value.DecimalOne || at.V < -most*value.DecimalOne) {
			p.Addf(path, "range", "must be from -%d to %d.", most, most)
		}
	}
	within("RideDetail.DropoffLatitude", v.Ride.V.Latitude, 90)
	within("RideDetail.DropoffLongitude", v.Ride.V.Longitude, 180)
}

func (v *v3Receipt) checkItems(path string, items []v3Item, p *errs.Problems) {
	for i := range items {
		item := &items[i]
		at := path + ".LineItems[" + strconv.Itoa(i) + "]"
		item.Amount = v.amount(at+".Amount", item.Amount, p)
		inRange(at+".Rate", item.Rate.V, p)
		if item.Quantity.Valid && item.Quantity.V < 1 {
			p.Add(at+".Quantity", "range", "must be 1 or more.")
		}
	}
}

// maxAmount is the largest amount of Receipts v3.
const maxAmount = 922_337_203_685_477 * value.MoneyUnit

// amount is an amount with the digits of the currency (decisions.md 12).
func (v *v3Receipt) amount(path string, m value.Money, p *errs.Problems) value.Money {
	inRange(path, m, p)
	return m.Round(v.Currency.Digits())
}

func inRange(path string, m value.Money, p *errs.Problems) {
	if m > maxAmount || m < -maxAmount {
		p.Add(path, "range", "is a number out of range.")
	}
}

// isMasked reports whether no more of the card's number is told than may be.
func (p *v3Card) isMasked() bool {
	if strings.Trim(p.Number, "0123456789") != "" {
		return false
	}
	n := len(p.Number)
	return n == 4 || p.Type == americanExpress && (n == 5 || n == 10)
}

// match finds whose receipt it is. A token is proof enough for any company; a login is
// looked for in the caller's own, where users without a role have none but their own.
func (s *Service) match(c *api.Call, fact *v3Fact, p *errs.Problems) (auth.Person, error) {
	const path = "MatchingFact.Value"
	a := c.Actor()
	switch {
	case fact.Value == "":
	case fact.Type == factToken:
		of, err := s.tokens.Authenticate(c.Context(), fact.Value)
		switch {
		case errs.Is(err, errs.Forbidden) || errs.Is(err, errs.Unauthenticated):
			p.Add(path, "unknown", "is no token that is good: it is unknown, has expired or was revoked.")
		case err != nil:
			return auth.Person{}, err
		case of.Kind != auth.User:
			p.Add(path, "unknown", "is a token of no user.")
		case !v3Scope.Allow(of):
			p.Addf(path, "scope", "is a token that was not given for receipts: it has none of the scopes %s.", strings.Join(v3Scope.Names(), ", "))
		default:
			return of.Self, nil
		}
	case fact.Type == factLogin:
		var of auth.Person
		err := c.Read(func(tx *store.Tx) (err error) {
			of, err = s.directory.FindPerson(tx, a.Company, fact.Value)
			return err
		})
		switch {
		case err != nil && !errs.Is(err, errs.NotFound):
			return auth.Person{}, err
		case err != nil || !a.Administers() && of.ID != a.ID:
			p.Add(path, "unknown", "is the login of no user for whom you can post receipts.")
		default:
			return of, nil
		}
	}
	return auth.Person{}, nil
}
