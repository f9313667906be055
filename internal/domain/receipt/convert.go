package receipt

import (
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// A receipt of Receipts v3 is kept in the form of Receipts v4. What v4 asks for and v3
// does not know is filled with what comes closest: the offset of local times is given
// as zero, a ride starts in the country of who drove, and the guest of a guest name
// record is the receipt's owner. Members that v4 does not declare keep the rest.

type v4Receipt struct {
	DateTime string
	Total    string
	Currency string
	Seller   v4Merchant
	Payments []v4Payment
	Items    []v4Item
	Customs  []v3Custom

	// Hotel
	CheckIn, CheckOut string
	Confirmation      string
	Guests            []v4Guest
	Party             int64
	Room              v4Room
	Nights            int64

	// Ground transport
	Start, End      string
	Pickup          v4Location
	Dropoff         value.Opt[v4Location]
	Driver, Vehicle string
}

type v4Merchant struct {
	Name     string
	Location v4Location
}

type v4Location struct {
	Name, Internet, Email, Telephone, Fax string
	Latitude, Longitude                   value.Opt[value.Decimal]
	Address                               v4Address
}

type v4Address struct{ Street, City, Region, Country, PostalCode string }

type v4Payment struct {
	Amount string
	Source string
	Card   value.Opt[v4Card]
}

type v4Card struct{ Type, Number, Authorization string }

type v4Item struct {
	Sequence    int64
	Time        string
	Reference   string
	Description string
	Additional  string
	UnitCost    string
	RateType    string
	Quantity    value.Opt[int64]
	Total       string
}

type v4Guest struct{ Record, First, Last string }

type v4Room struct{ Number, Kind, Plan, Rate string }

func (r *v4Receipt) core(f *wire.Fields) {
	f.Text("dateTime", &r.DateTime, "")
	f.Text("total", &r.Total, "")
	f.Text("currencyCode", &r.Currency, "")
	wire.Object(f, "seller", &r.Seller, (*v4Merchant).fields, "")
	wire.List(f, "payments", &r.Payments, (*v4Payment).fields, "")
}

func (r *v4Receipt) rest(f *wire.Fields) {
	wire.List(f, "lineItems", &r.Items, (*v4Item).fields, "")
	wire.List(f, "customFields", &r.Customs, (*v3Custom).fields, "", wire.OmitEmpty)
}

func (r *v4Receipt) general(f *wire.Fields) {
	r.core(f)
	r.rest(f)
}

func (r *v4Receipt) hotel(f *wire.Fields) {
	r.core(f)
	f.Text("confirmationNumber", &r.Confirmation, "")
	f.Text("checkInDateTime", &r.CheckIn, "")
	f.Text("checkOutDateTime", &r.CheckOut, "")
	wire.List(f, "guests", &r.Guests, (*v4Guest).fields, "")
	f.Int("numberInParty", &r.Party, "", wire.OmitEmpty)
	wire.Object(f, "room", &r.Room, (*v4Room).fields, "")
	f.Int("nightsStayed", &r.Nights, "")
	r.rest(f)
}

func (r *v4Receipt) ride(f *wire.Fields) {
	r.core(f)
	f.Text("startDateTime", &r.Start, "")
	f.Text("endDateTime", &r.End, "")
	wire.Object(f, "pickupLocation", &r.Pickup, (*v4Location).fields, "")
	wire.Group(f, "dropoffLocation", &r.Dropoff, (*v4Location).fields, "")
	f.Text("driverName", &r.Driver, "")
	f.Text("vehicleNumber", &r.Vehicle, "")
	r.rest(f)
}

func (m *v4Merchant) fields(f *wire.Fields) {
	f.Text("name", &m.Name, "")
	wire.Object(f, "location", &m.Location, (*v4Location).fields, "")
}

func (l *v4Location) fields(f *wire.Fields) {
	f.Text("name", &l.Name, "")
	wire.Optional(f, "latitude", &l.Latitude, "")
	wire.Optional(f, "longitude", &l.Longitude, "")
	f.Text("internetAddress", &l.Internet, "")
	f.Text("emailAddress", &l.Email, "")
	f.Text("telephoneNumber", &l.Telephone, "")
	f.Text("faxNumber", &l.Fax, "")
	wire.Object(f, "address", &l.Address, (*v4Address).fields, "")
}

func (a *v4Address) fields(f *wire.Fields) {
	f.Text("streetAddress", &a.Street, "")
	f.Text("addressLocality", &a.City, "")
	f.Text("addressRegion", &a.Region, "")
	f.Text("addressCountry", &a.Country, "")
	f.Text("postalCode", &a.PostalCode, "")
}

func (p *v4Payment) fields(f *wire.Fields) {
	f.Text("amount", &p.Amount, "")
	f.Text("source", &p.Source, "")
	wire.Group(f, "cardDetail", &p.Card, (*v4Card).fields, "")
}

func (c *v4Card) fields(f *wire.Fields) {
	f.Text("cardType", &c.Type, "")
	f.Text("creditCardId", &c.Number, "")
	f.Text("authorizationCode", &c.Authorization, "")
}

func (i *v4Item) fields(f *wire.Fields) {
	f.Int("sequenceNumber", &i.Sequence, "")
	f.Text("dateTime", &i.Time, "")
	f.Text("reference", &i.Reference, "")
	f.Text("description", &i.Description, "")
	f.Text("additionalDescription", &i.Additional, "")
	f.Text("unitCost", &i.UnitCost, "")
	f.Text("rateType", &i.RateType, "")
	wire.Optional(f, "quantity", &i.Quantity, "")
	f.Text("total", &i.Total, "")
}

func (g *v4Guest) fields(f *wire.Fields) {
	f.Text("guestNameRecord", &g.Record, "")
	f.Text("firstName", &g.First, "")
	f.Text("lastName", &g.Last, "")
}

func (r *v4Room) fields(f *wire.Fields) {
	f.Text("roomNumber", &r.Number, "")
	f.Text("roomType", &r.Kind, "")
	f.Text("ratePlanType", &r.Plan, "")
	f.Text("averageDailyRoomRate", &r.Rate, "")
}

var (
	generalSchema = wire.Bind("general-receipt", (*v4Receipt).general)
	hotelSchema   = wire.Bind("hotel-receipt", (*v4Receipt).hotel)
	rideSchema    = wire.Bind("ground-transport-receipt", (*v4Receipt).ride)
	convertedJSON = &wire.Style{Nulls: wire.NullOmit}
)

// cardTypes are the names that v4 has for the cards of v3; others have none.
var cardTypes = map[string]string{
	americanExpress: "American Express", "DC": "Diners Club", "DS": "Discover", "CA": "MasterCard", "VI": "Visa", "CB": "Carte Blanche",
	"ER": "Enroute", "TP": "Universal Air Travel", "JC": "JCB", "EC": "EuroCard",
}

// converted is the receipt in the form of v4: the name of its schema, and its JSON.
func (v *v3Receipt) converted(owner auth.Person) (kind string, body []byte) {
	r := v4Receipt{DateTime: localTime(v.Transaction), Total: v.text(v.Amount), Currency: string(v.Currency), Seller: v.seller(),
		Payments: []v4Payment{v.payment()}, Customs: v.Customs}
	schema := generalSchema
	switch v.Type {
	case v3TypeHotel:
		h := &v.Hotel.V
		schema, r.Items = hotelSchema, v.items(h.Items)
		r.CheckIn, r.CheckOut, r.Confirmation, r.Party = localTime(h.CheckIn), localTime(h.CheckOut), h.Confirmation, h.Party.V
		r.Nights = max(1, int64(h.CheckOut.Date().Time().Sub(h.CheckIn.Date().Time()).Hours()/24))
		r.Room = v4Room{h.Room, h.Kind, h.Plan, v.text(h.Rate)}
		last, first, _ := strings.Cut(owner.Name, ", ")
		if h.GNR != "" && first != "" {
			r.Guests = []v4Guest{{h.GNR, first, last}}
		}
	case v3TypeRide:
		d := &v.Ride.V
		schema, r.Items = rideSchema, v.items(d.Items)
		r.Start, r.End, r.Driver, r.Vehicle = localTime(d.Start), localTime(d.End), d.Driver, d.Vehicle
		r.Pickup.Address.Country = v.Merchant.Location.Country
		if d.Latitude.Valid && d.Longitude.Valid {
			r.Dropoff = value.Some(v4Location{Latitude: d.Latitude, Longitude: d.Longitude, Address: r.Pickup.Address})
		}
	default:
		r.Items = v.items(v.General.V.Items)
	}
	return schema.Name(), schema.AppendJSON(nil, &r, convertedJSON)
}

// localTime writes a time of which no offset is known.
func localTime(i value.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("2006-01-02T15:04:05+00:00")
}

// text writes an amount with the digits of the currency.
func (v *v3Receipt) text(m value.Money) string {
	return string(m.AppendFixed(nil, v.Currency.Digits()))
}

func (v *v3Receipt) seller() v4Merchant {
	l := &v.Merchant.Location
	return v4Merchant{v.Merchant.Name, v4Location{
		Name: l.Name, Internet: l.Internet, Email: l.Email, Telephone: l.Telephone, Fax: l.Fax,
		Address: v4Address{strings.TrimSpace(l.Address + "\n" + l.Address2), l.City, l.Subdivision, l.Country, l.PostalCode},
	}}
}

func (v *v3Receipt) payment() v4Payment {
	p := v4Payment{Amount: v.text(v.Amount)}
	switch kind := cardTypes[v.Card.V.Type]; {
	case v.PaidBy == paidByCompany:
		p.Source = "DirectPay"
	case v.PaidBy == paidByCard && kind != "":
		n := v.Card.V.Number
		p.Card = value.Some(v4Card{kind, n[len(n)-4:], v.Card.V.Authorization})
	}
	return p
}

func (v *v3Receipt) items(list []v3Item) []v4Item {
	items := make([]v4Item, len(list))
	for i, from := range list {
		items[i] = v4Item{Sequence: from.Sequence, Time: localTime(from.Date), Reference: from.Reference, Description: from.Description,
			Additional: from.Description2, RateType: from.RateType, Quantity: from.Quantity, Total: v.text(from.Amount)}
		if from.Rate.Valid {
			items[i].UnitCost = v.text(from.Rate.V)
		}
	}
	return items
}
