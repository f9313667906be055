package org

import (
	"strings"
	"unicode"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

func (l *Location) v3(f *wire.Fields) {
	f.Text("AdministrativeRegion", &l.AdministrativeRegion, "The county, state or other unit that the location lies in.", wire.ReadOnly)
	f.Text("Country", &l.Country, "The location's country (ISO 3166-1, two letters).", wire.ReadOnly, wire.Max(2))
	f.Text("CountrySubdivision", &l.Subdivision, "The location's country subdivision (ISO 3166-2), such as US-WA.", wire.ReadOnly)
	f.Text("IATACode", &l.IATA, "The code of its airport, or of the city's airports together.", wire.ReadOnly)
	f.Text("ID", &l.ID, "The location's id.", wire.ReadOnly, wire.NotNull)
	f.Bool("IsAirport", &l.Airport, "Whether the location is an airport.", wire.ReadOnly)
	f.Bool("IsBookingTool", &l.BookingTool, "Whether trips can be booked there.", wire.ReadOnly)
	f.Decimal("Latitude", &l.Latitude, "Degrees north of the equator.", wire.ReadOnly)
	f.Decimal("Longitude", &l.Longitude, "Degrees east of Greenwich.", wire.ReadOnly)
	f.Text("Name", &l.Name, "The location's name.", wire.ReadOnly, wire.Max(maxLocationName))
	f.Text("URI", &l.uri, "The location's address.", wire.ReadOnly, wire.NotNull)
}

const maxLocationName = 64

// fold writes the keys that locations are searched by.
func (l *Location) fold() {
	l.nameKey, l.cityKey, l.regionKey = fold(l.Name), fold(l.City), fold(l.AdministrativeRegion)
}

// LocationQuery is what locations are searched by. All conditions must hold; letter
// case does not count.
type LocationQuery struct{ Name, City, Subdivision, Country, Region string }

func (q *LocationQuery) v3(f *wire.Fields) {
	f.Text("name", &q.Name, "Locations in whose name a word, or some words in a row, begin so: york finds New York.")
	f.Text("city", &q.City, "Locations in this city.")
	f.Text("countrySubdivision", &q.Subdivision, "Locations in this country subdivision (ISO 3166-2), such as US-WA.")
	f.Text("country", &q.Country, "Locations in this country (ISO 3166-1, two letters).", wire.Max(2))
	f.Text("administrativeRegion", &q.Region, "Locations in this county, state or other unit.")
}

func (q *LocationQuery) where(company string) store.Predicate {
	var n narrowed
	if q.Name != "" {
		words := searchWords(q.Name)
		if len(words) == 0 {
			return store.Where("1 = 0")
		}
		part := beginning("w.words", words[0])
		n.where = store.Where(`seq IN (SELECT w.location_seq FROM location_word w WHERE w.company_id = ? AND `+part.SQL+`)`, append([]any{company}, part.Args...)...)
	}
	n.equal("city_key", fold(q.City))
	n.equal("subdivision", strings.ToUpper(q.Subdivision))
	n.equal("region_key", fold(q.Region))
	n.equal("country", strings.ToUpper(q.Country))
	return n.where
}

// maxSearchWords bounds how many words of a name it is found by.
const maxSearchWords = 16

// searchWords is a name from each of its words on, folded and without punctuation:
// "new york", "york".
func searchWords(name string) []string {
	words := strings.FieldsFunc(fold(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	from := make([]string, min(len(words), maxSearchWords))
	for i := range from {
		from[i] = strings.Join(words[i:], " ")
	}
	return from
}

// indexLocations makes the company's locations findable by the words of their names.
func indexLocations(tx *store.Tx, company string, all []Location) error {
	if _, err := tx.Exec(`DELETE FROM location_word WHERE company_id = ?`, company); err != nil {
		return err
	}
	for i := range all {
		for _, words := range searchWords(all[i].Name) {
			if _, err := tx.Exec(`INSERT INTO location_word (company_id, words, location_seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
				company, words, all[i].Seq); err != nil {
				return err
			}
		}
	}
	return nil
}

// FindLocations lists locations in order of creation.
func (s *Service) FindLocations(tx *store.Tx, a *auth.Actor, q *LocationQuery, page store.Page) (api.Listing[Location], error) {
	rows, more, err := locations.List(tx, a.InCompany(""), q.where(a.Company), page)
	if err != nil {
		return api.Listing[Location]{}, err
	}
	for i := range rows {
		rows[i].uri = s.link("/common/locations/" + rows[i].ID)
	}
	return api.Page(locations, rows, more, page), nil
}

// Location reads a location.
func (s *Service) Location(tx *store.Tx, a *auth.Actor, id string) (*Location, error) {
	l, err := locations.Get(tx, a.InCompany(""), id)
	if err != nil {
		return nil, err
	}
	l.uri = s.link("/common/locations/" + l.ID)
	return l, nil
}

func (s *Service) locationOperations() []api.Operation {
	named := api.Named(api.Names{One: "Location", Many: "LocationCollection", WireOne: "Location", WireMany: "Locations"})
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "locations." + id, Group: "Locations", Summary: summary, Description: more}
	}
	return []api.Operation{
		api.List(api.V3, "/common/locations", s.FindLocations, (*LocationQuery).v3, (*Location).v3,
			doc("list", "Lists the places that entries can name", "In order of creation. All conditions must hold; conditions that contradict each other find nothing."),
			auth.AnyToken(), named, api.About(api.CompanyWide)),
		api.Get(api.V3, "/common/locations/{id}", s.Location, (*Location).v3, doc("get", "Reads a location", ""),
			auth.AnyToken(), named, api.About(api.CompanyWide)),
	}
}
