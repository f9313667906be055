package drawing

import (
	"slices"
	"strings"

	"quittance/internal/domain/receipt/drawing/page"
	"quittance/internal/kernel/wire"
)

// stop is one end of a journey: where, and when.
func (c *composer) stop(d *wire.Document, place, when string) []piece {
	pieces := []piece{{str(d, place), body.bold()}}
	m := readMoment(str(d, when))
	if s := c.dayAndClock(m); s != "" {
		pieces = append(pieces, piece{s, small})
	}
	return pieces
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return join(" ", name, value)
}

func (c *composer) air() {
	for _, t := range list(c.doc, "tickets") {
		section := c.heading(join(" ", "Ticket", str(t, "number")))
		c.facts(section, 4, []fact{
			c.fact("Passenger", str(t, "passengerName")),
			c.fact("Record locator", str(t, "recordLocator")),
			c.moment("Issued", t, "issueDateTime"),
			{"Issued by", []piece{{str(t, "agencyName"), body}, {named("IATA", str(t, "IATAAgencyNumber")), small}, {named("Office", str(t, "pseudoCityCode")), small}}},
		})
		var rows []tableRow
		for _, s := range list(t, "coupons") {
			flight := str(s, "flightNumber")
			if flight == "" {
				flight = str(s, "marketingCarrier")
			}
			about := []piece{{flight, body.bold()}}
			for _, more := range []string{
				named("Sold as", str(s, "marketingCarrier")),
				named("Operated by", words(" ", str(s, "operatingAirlineCode"), str(s, "operatingCarrier"))),
				named("Coupon", str(s, "couponNumber")),
			} {
				if more != "" {
					about = append(about, piece{more, small})
				}
			}
			class := []piece{{str(s, "classOfServiceCode"), body}}
			for _, more := range []string{named("Fare basis", str(s, "fareBasisCode")), named("Designator", str(s, "ticketDesignatorCode"))} {
				if more != "" {
					class = append(class, piece{more, small})
				}
			}
			rows = append(rows, tableRow{cells: [][]piece{
				about,
				c.stop(s, "originationAirportIATACode", "originationDateTime"),
				c.stop(s, "destinationAirportIATACode", "destinationDateTime"),
				class,
				c.figure(str(s, "fare")),
			}})
			rows = append(rows, c.remarks(s)...)
		}
		c.table(section, []column{{"Flight", false}, {"From", false}, {"To", false}, {"Class", false}, {c.fareTitle(), true}}, rows)
	}
}

func (c *composer) fareTitle() string {
	if c.currency == "" {
		return "Fare"
	}
	return "Fare (" + c.currency + ")"
}

func (c *composer) rail() {
	for _, t := range list(c.doc, "railTickets") {
		section := c.heading(join(" ", "Ticket", str(t, "ticketNumber")))
		c.facts(section, 4, []fact{
			c.fact("Passenger", str(t, "passengerName")),
			c.fact("Record locator", str(t, "recordLocator")),
			c.moment("Issued", t, "issueDateTime"),
			{"Fare", []piece{{c.inCurrency(str(t, "fare")), body.figures()}}},
		})
		var rows []tableRow
		for _, s := range list(t, "segments") {
			train := []piece{{str(s, "trainNumber"), body.bold()}}
			if kind := str(s, "trainType"); kind != "" {
				train = append(train, piece{kind, small})
			}
			rows = append(rows, tableRow{cells: [][]piece{
				train,
				c.stop(s, "departureStation", "departureDateTime"),
				c.stop(s, "arrivalStation", "arrivalDateTime"),
				plain(str(s, "classOfServiceCode")),
				c.figure(str(s, "fare")),
			}})
			rows = append(rows, c.remarks(s)...)
		}
		c.table(section, []column{{"Train", false}, {"From", false}, {"To", false}, {"Class", false}, {c.fareTitle(), true}}, rows)
	}
}

func (c *composer) icCard() {
	section := c.heading("Journeys")
	c.facts(section, 4, []fact{c.fact("IC card", str(c.doc, "icCardId"))})
	station := func(s *wire.Document, side string) []piece {
		pieces := []piece{{str(s, side+"StationName"), body.bold()}}
		about := join(dot, str(s, side+"StationCode"), map[bool]string{true: "Commuter pass"}[isTrue(s, side+"IsCommuterPass")])
		if about != "" {
			pieces = append(pieces, piece{about, small})
		}
		return pieces
	}
	var rows []tableRow
	segments := list(c.doc, "segments")
	decimals := 0
	if slices.ContainsFunc(segments, func(s *wire.Document) bool { return strings.Contains(str(s, "distance"), ".") }) {
		decimals = 1 // the points stand below each other
	}
	for _, s := range segments {
		distance := str(s, "distance")
		if distance != "" {
			distance = c.length(distance, decimals) + nbsp + "km"
		}
		m := readMoment(str(s, "dateTime"))
		var when []piece
		if day := c.day(m); day != "" {
			when = []piece{{day, body}}
			if clock := c.clock(m); clock != "" {
				when = append(when, piece{clock, small})
			}
		}
		var far []piece
		if distance != "" {
			far = []piece{{distance, body.figures()}}
		}
		rows = append(rows, tableRow{cells: [][]piece{
			when, station(s, "from"), station(s, "to"), far, c.figure(str(s, "amount")),
		}})
	}
	c.table(section, []column{{"Date", false}, {"From", false}, {"To", false}, {"Distance", true}, {c.amountTitle(), true}}, rows)
}

func (c *composer) hotel() {
	section := c.heading("Stay")
	room := c.doc.Field("room")
	c.facts(section, 4, []fact{
		c.moment("Check-in", c.doc, "checkInDateTime"),
		c.moment("Check-out", c.doc, "checkOutDateTime"),
		c.fact("Nights", c.amount(str(c.doc, "nightsStayed"), 0)),
		c.fact("Persons", c.amount(str(c.doc, "numberInParty"), 0)),
		{"Room", []piece{{str(room, "roomNumber"), body}, {str(room, "roomType"), small}}},
		c.fact("Rate plan", str(room, "ratePlanType")),
		{"Average daily rate", []piece{{c.inCurrency(str(room, "averageDailyRoomRate")), body.figures()}}},
	})
	var all []fact
	if p := c.doc.Field("property"); p.IsObject() {
		all = append(all, fact{"Property", c.location(p, "")})
	}
	for _, g := range list(c.doc, "guests") {
		pieces := []piece{{words(" ", str(g, "firstName"), str(g, "lastName")), body}}
		if record := str(g, "guestNameRecord"); record != "" {
			pieces = append(pieces, piece{named("Record", record), small})
		}
		for _, line := range c.addressLines(address(g)) {
			pieces = append(pieces, piece{line, small})
		}
		all = append(all, fact{"Guest", pieces})
	}
	c.facts(section, 3, all)
}

// ends is where a drive began and ended, side by side.
func (c *composer) ends(section int32, from, to string) {
	w := (c.width() - gutter) / 2
	cells := make([]cell, 0, 2)
	for i, end := range []struct{ name, place, time string }{{from, "pickupLocation", "startDateTime"}, {to, "dropoffLocation", "endDateTime"}} {
		pieces := []piece{{end.name, label}, {c.dayAndClock(readMoment(str(c.doc, end.time))), body.bold()}}
		pieces = append(pieces, c.location(c.doc.Field(end.place), "")...)
		cells = append(cells, cell{pieces: pieces, x: c.left + i*(w+gutter), w: w, node: c.node(page.P, section)})
	}
	c.row(cells)
	c.space(8 * point)
}

func (c *composer) distance() string {
	d := c.doc.Field("distance")
	far := str(d, "totalDistance")
	if far == "" {
		return ""
	}
	return join(nbsp, c.length(far, 0), str(d, "unit"))
}

func (c *composer) carRental() {
	section := c.heading("Rental")
	c.ends(section, "Pick-up", "Return")
	car := c.doc.Field("vehicle")
	additional := ""
	switch str(c.doc, "additionalDriver") {
	case "true":
		additional = "With additional driver"
	case "false":
		additional = "No additional driver"
	}
	size := str(car, "engineSize")
	if size != "" {
		size += nbsp + "cc"
	}
	out, back := str(c.doc, "odometerReadingOut"), str(c.doc, "odometerReadingIn")
	odometer := ""
	if out != "" || back != "" {
		decimals := 0
		if strings.Contains(out+back, ".") {
			decimals = 1
		}
		odometer = join(" – ", c.length(out, decimals), c.length(back, decimals))
	}
	c.facts(section, 4, []fact{
		c.fact("Days", c.amount(str(c.doc, "rentalDays"), 0)),
		c.fact("Agreement", str(c.doc, "rentalAgreementNumber")),
		{"Driver", []piece{{str(c.doc, "driverName"), body}, {additional, small}}},
		{"Distance", []piece{{c.distance(), body}, {named("Odometer", odometer), small}}},
		{"Vehicle", []piece{{str(car, "description"), body}, {str(car, "registrationNumber"), small}, {size, small}}},
		{"Class", []piece{
			{str(car, "classChargedCode"), body},
			{named("Reserved", str(car, "classReservedCode")), small}, {named("Rented", str(car, "classRentedCode")), small},
		}},
	})
}

func (c *composer) groundTransport() {
	section := c.heading("Ride")
	c.ends(section, "Pick-up", "Drop-off")
	c.facts(section, 4, []fact{
		c.fact("Class", str(c.doc, "classOfService")),
		c.fact("Duration", duration(str(c.doc, "travelDuration"))),
		c.fact("Distance", c.distance()),
		c.fact("Driver", join(dot, str(c.doc, "driverName"), str(c.doc, "driverNumber"))),
		c.fact("Vehicle", str(c.doc, "vehicleNumber")), // of Receipts v3, as the driver's name
	})
	if link := str(c.doc, "mapUrl"); link != "" {
		c.facts(section, 1, []fact{{"Map", []piece{{link, small}}}})
	}
}
