// Package scale makes a year of a company: its people, their reports with all below
// them, the images, and the way of each report through approval and payment. Everything
// goes through the services, in batches, under a clock that moves through the year, so
// that what comes out is what a year of calls would have left. The same number of
// people and the same seed make the same records.
package scale

import (
	"container/heap"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"quittance/internal/domain/expense"
	"quittance/internal/domain/imaging"
	"quittance/internal/domain/org"
	"quittance/internal/domain/receipt/drawing"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// MaxPeople bounds the company.
const MaxPeople = 10_000

// Password is the password of everybody whom Make adds; hash is its argon2id.
const (
	Password = "people-password"
	hash     = "$argon2id$v=19$m=19456,t=2,p=1$UmOfryrGajWXGQihDGkjrg$/L6PNz403wvDbbgxXPwZN2CfootRAxQb+oiwu+AFJQQ"
)

// Year is the year that is made: a fixed one, so that its records do not depend on
// when they were made.
const Year = 2025

// Clock is a server's clock, which can be held at a time.
type Clock interface {
	// Hold stops the clock at a time, until it is held at another or released.
	Hold(at value.Instant)
	// Release lets the clock go on with the machine's.
	Release()
}

// Options are what a year is made with; all are required.
type Options struct {
	DB      *store.DB
	Org     *org.Service
	Expense *expense.Service
	Imaging *imaging.Service
	Draw    *drawing.Renderer
	Clock   Clock
	Log     *slog.Logger // is told of each month

	Company string // id
	// Administrator is the login of a user of the company who moves reports through
	// payment.
	Administrator string
	Top           string // login of whom the directors report to
	People        int    // from 1 to MaxPeople
	Seed          uint64
}

// Made counts what a year has come to.
type Made struct {
	People, Attendees, Images        int
	Reports, Entries, Itemizations   int
	Associations, Allocations, Taxes int
}

// Random is the randomness of a seed.
func Random(seed uint64) *rand.ChaCha8 {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}

// year is a year under way.
type year struct {
	Options
	ctx    context.Context
	rand   *rand.Rand
	ids    *value.IDs // of people
	config *org.Config
	admin  *auth.Actor
	people []person
	guests map[string][]string       // ids of attendees, by country
	places map[string][]org.Location // by country
	pool   []imaging.File
	todo   agenda
	made   Made
}

// Make fills a company with a year. Nothing else may write meanwhile.
func Make(ctx context.Context, o Options) (Made, error) {
	if o.People < 1 || o.People > MaxPeople {
		return Made{}, errs.Newf(errs.Invalid, "scale", "A company of %d people cannot be made; give a number from 1 to %d.", o.People, MaxPeople)
	}
	chance := Random(o.Seed)
	y := &year{Options: o, ctx: ctx, rand: rand.New(chance), ids: value.NewIDs(chance), guests: map[string][]string{}, places: map[string][]org.Location{}} //nolint:gosec // data, not secrets
	defer o.Clock.Release()
	for _, step := range []func() error{y.start, y.hire, y.meet, y.photograph, y.work} {
		if err := step(); err != nil {
			return y.made, err
		}
	}
	return y.made, nil
}

// start holds the clock at the beginning of the year and reads what is there.
func (y *year) start() error {
	y.Clock.Hold(instant(time.January, 1, 8))
	return y.DB.Read(y.ctx, func(tx *store.Tx) (err error) {
		if y.config, err = y.Org.Config(tx, y.Company); err != nil {
			return err
		}
		for _, l := range y.config.Locations() {
			y.places[l.Country] = append(y.places[l.Country], l)
		}
		p, err := y.Org.FindPerson(tx, y.Company, y.Administrator)
		y.admin = actor(p)
		y.admin.Roles = []auth.Role{auth.WebServicesAdministrator}
		return err
	})
}

// atOnce is how many people, attendees or events are written in one transaction.
const atOnce = 40

// inBatches writes n things, a batch to a transaction.
func (y *year) inBatches(n int, write func(tx *store.Tx, i int) error) error {
	for first := 0; first < n; first += atOnce {
		err := y.DB.Write(y.ctx, func(tx *store.Tx) error {
			for i := first; i < min(n, first+atOnce); i++ {
				if err := write(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// work does what is on the agenda, in order of time, until the year ends. What comes
// after its end is left undone, so some reports are drafts and some wait for somebody.
func (y *year) work() error {
	y.plan()
	end, month := instant(time.December, 31, 23), time.Month(0)
	for y.todo.Len() > 0 {
		var batch []*event
		for at := y.todo.events[0].at; y.todo.Len() > 0 && len(batch) < atOnce && y.todo.events[0].at < at.Add(time.Hour); {
			batch = append(batch, heap.Pop(&y.todo).(*event)) //nolint:forcetypeassert // it holds nothing else
		}
		at := batch[0].at
		if at > end {
			return nil
		}
		if m := at.Time().Month(); m != month {
			month = m
			y.Log.Info("a year of a company", "month", m, "reports", y.made.Reports, "entries", y.made.Entries)
		}
		var drafts []*draft
		for _, e := range batch {
			if e.kind == create {
				drafts = append(drafts, y.draft(e.claim))
			}
		}
		y.Clock.Hold(at)
		var next []*event
		var made Made
		err := y.DB.Write(y.ctx, func(tx *store.Tx) error {
			next, made = nil, Made{} // the closure may run again
			written := 0
			for _, e := range batch {
				var err error
				var then *event
				if e.kind == create {
					then, err = e.then(submit), y.write(tx, drafts[written], &made)
					written++
				} else {
					then, err = y.move(tx, e)
				}
				if err != nil {
					return fmt.Errorf("%s of %s in %s: %w", e.kind, e.claim.owner.Login, e.at.Date(), err)
				}
				if then != nil {
					next = append(next, then)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		y.made.add(made)
		for _, e := range next {
			y.add(e)
		}
	}
	return nil
}

func (m *Made) add(n Made) {
	m.Images += n.Images
	m.Reports += n.Reports
	m.Entries += n.Entries
	m.Itemizations += n.Itemizations
	m.Associations += n.Associations
	m.Allocations += n.Allocations
	m.Taxes += n.Taxes
}

// instant is an hour of a day of the year, in universal time.
func instant(month time.Month, day, hour int) value.Instant {
	return value.InstantOf(time.Date(Year, month, day, hour, 0, 0, 0, time.UTC))
}

// actor is a person who calls.
func actor(p auth.Person) *auth.Actor {
	return &auth.Actor{Kind: auth.User, ID: p.ID, Company: p.Company, Self: p, Subject: p}
}

// one draws one of several.
func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// chance is true so many times in a hundred.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }
