package scale

import (
	"fmt"
	"strings"

	"quittance/internal/domain/expense"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// person is somebody whom the year employs.
type person struct {
	auth.Person
	office     *office
	department string // code of a cost center
	careful    bool   // reports under the policy that is reviewed
}

// office is a place where people work.
type office struct {
	country  string // ISO 3166-1 alpha-2
	currency value.Currency
	percent  int         // of the people
	dollar   value.Money // what a dollar's worth costs there, about
}

var offices = []office{
	{"US", "USD", 38, 1_0000}, {"DE", "EUR", 14, 9000}, {"GB", "GBP", 12, 8000}, {"FR", "EUR", 8, 9000}, {"JP", "JPY", 7, 150_0000},
	{"CA", "CAD", 6, 1_4000}, {"CH", "CHF", 5, 9000}, {"IN", "INR", 4, 85_0000}, {"MX", "MXN", 3, 20_0000}, {"BR", "BRL", 3, 6_0000},
}

var departments = []string{"110", "120", "210", "220", "230", "310", "320", "410", "420", "430"}

// reports is how many people report to a manager.
const reports = 8

var (
	firstNames = strings.Fields("Ada Alma Amir Anna Anton Aoi Bela Ben Carla Chen Clara Daniel Diego Elena Emil Emma Farid Fatima Felix Frida Gita Hana Hugo Ida Igor Ines Ivo Jana Jonas Julia Kaito Karim Lara Leo Lena Lina Luca Lucia Maja Marco Maria Marta Max Mei Mia Milan Mina Nadia Nils Nina Noah Nora Olga Omar Oscar Paul Petra Priya Rafael Ravi Rosa Ruth Sam Sara Sofia Stefan Tara Theo Tomas Uma Vera Victor Yara Yuki Zoe")
	lastNames  = strings.Fields("Abe Adler Ahmed Bauer Becker Berg Blanc Bose Brown Castro Chandra Cohen Costa Cruz Dubois Egger Evans Fischer Fontaine Garcia Gomez Gray Gupta Haas Hansen Hill Huber Ito Iyer Jensen Jones Kato Keller Khan King Klein Kumar Lang Laurent Lee Lopez Mann Marin Martin Meyer Miller Mori Moreau Nagy Novak Okafor Olsen Ortiz Park Patel Perez Petit Popov Ramos Reed Reyes Ricci Rossi Roth Sato Schmid Silva Singh Smith Sousa Suzuki Tanaka Taylor Torres Vogel Wagner Walker Weber White Wolf Wong Young Zeller")
)

// hire adds the people, each with an office and a manager: the first ones report to the
// top, and everybody manages some of those who come later.
func (y *year) hire() error {
	y.people = make([]person, y.People)
	users := make([]org.User, y.People)
	for i := range users {
		o := y.office()
		u := &users[i]
		*u = org.User{
			ID: y.ids.UUID(), Company: y.Company, Login: fmt.Sprintf("p%04d@demo.test", i+1), FirstName: one(y.rand, firstNames), LastName: one(y.rand, lastNames),
			EmployeeID: fmt.Sprint(10_001 + i), OrganizationUnit: one(y.rand, []string{"Field", "Works", "Research", "Finance", "People"}),
			Active: true, Test: chance(y.rand, 1), Country: o.country, Currency: o.currency,
			Reimbursement: one(y.rand, []string{"ADPPAYR", "CNQRPAY", "CNQRPAY", "APCHECK", ""}),
		}
		if above := i/reports - 1; above >= 0 {
			u.Manager = users[above].ID
		}
		y.people[i] = person{office: o, department: one(y.rand, departments), careful: chance(y.rand, 20)}
	}
	managers := max(0, len(users)/reports-1) // of others than the directors
	if err := y.inBatches(len(users), func(tx *store.Tx, i int) error {
		u := users[i] // the closure may run again
		if u.Manager == "" {
			top, err := y.Org.FindPerson(tx, y.Company, y.Top)
			if err != nil {
				return err
			}
			u.Manager = top.ID
		}
		var roles []auth.Role
		if i <= managers {
			roles = append(roles, auth.ExpenseApprover)
		}
		y.people[i].Person = u.Person()
		return y.Org.AddUser(tx, &u, hash, roles...)
	}); err != nil {
		return err
	}
	y.made.People = len(users)
	return nil
}

// office draws an office by how many work there.
func (y *year) office() *office {
	n := y.rand.IntN(100)
	for i := range offices {
		if n -= offices[i].percent; n < 0 {
			return &offices[i]
		}
	}
	return &offices[0]
}

// meet adds whom the people invite: some for each of them, known to all.
func (y *year) meet() error {
	type guest struct {
		by       *person
		attendee expense.Attendee
	}
	guests := make([]guest, 2*len(y.people))
	for i := range guests {
		by := &y.people[i/2]
		guests[i] = guest{by, expense.Attendee{
			Type: one(y.rand, []string{"BUSGUEST", "BUSGUEST", "BUSGUEST", "HCP", "SPOUSE"}), FirstName: one(y.rand, firstNames), LastName: one(y.rand, lastNames),
			CompanyName: one(y.rand, companies), ExternalID: fmt.Sprintf("G-%05d", i+1),
		}}
	}
	ids := make([]string, len(guests))
	if err := y.inBatches(len(guests), func(tx *store.Tx, i int) (err error) {
		x := guests[i].attendee // the closure may run again
		ids[i], err = y.Expense.CreateAttendee(tx, actor(guests[i].by.Person), &x, api.Direct())
		return err
	}); err != nil {
		return err
	}
	for i, id := range ids {
		country := guests[i].by.office.country
		y.guests[country] = append(y.guests[country], id)
	}
	y.made.Attendees = len(ids)
	return nil
}
