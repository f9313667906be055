package org

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// loadedConfig is a company's configuration as it was found to be current last.
type loadedConfig struct {
	config  *Config
	checked value.Instant
}

// version marks a new state of a company's settings. It is random, not a count: a
// state that was rolled back never looks like a later one.
func (s *Service) version() int64 {
	return int64(binary.BigEndian.Uint64(s.ids.Bytes(8)) >> 1)
}

// SettingsChanged is called in every transaction that changes a company's settings:
// this process sees the change at once, other servers within auth.Staleness.
func (s *Service) SettingsChanged(tx *store.Tx, company string) error {
	return s.touch(tx, company, `UPDATE company SET settings_version = ? WHERE id = ?`)
}

// PlacesChanged is the same for a company's locations.
func (s *Service) PlacesChanged(tx *store.Tx, company string) error {
	return s.touch(tx, company, `UPDATE company SET places_version = ? WHERE id = ?`)
}

func (s *Service) touch(tx *store.Tx, company, query string) error {
	if _, err := tx.Exec(query, s.version(), company); err != nil {
		return err
	}
	tx.OnCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if l := s.configs[company]; l != nil {
			s.configs[company] = &loadedConfig{config: l.config}
		}
	})
	return nil
}

// Config is the configuration of a company, at most auth.Staleness old.
func (s *Service) Config(tx *store.Tx, company string) (*Config, error) {
	now := s.clock()
	s.mu.Lock()
	last := s.configs[company]
	s.mu.Unlock()
	if last != nil && now >= last.checked && now < last.checked.Add(auth.Staleness) {
		return last.config, nil
	}
	c, err := companies.Get(tx, store.Unrestricted(), company)
	if err != nil {
		return nil, err
	}
	var config *Config
	switch {
	case last != nil && last.config.Company == *c:
		config = last.config
	case last != nil && last.config.Company.settings == c.settings && last.config.Company.places == c.places:
		renamed := *last.config
		renamed.Company = *c
		config = &renamed
	default:
		config = &Config{Company: *c}
		if err := config.load(tx); err != nil {
			return nil, err
		}
		if last != nil && last.config.places.version == c.places {
			config.places = last.config.places
		} else if config.places, err = loadPlaces(tx, c); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	s.configs[company] = &loadedConfig{config, now}
	s.mu.Unlock()
	return config, nil
}

// load reads the settings. Every list has an order, so that equal rows make equal
// configurations.
func (c *Config) load(tx *store.Tx) error {
	id := c.Company.ID
	own := ofCompany(id)
	const limit = store.MaxLimit
	var none store.Predicate
	var err error
	if c.Groups, err = groups.All(tx, own, none, "name, seq", limit); err != nil {
		return err
	}
	if c.PaymentTypes, err = paymentTypes.All(tx, own, none, "position, seq", limit); err != nil {
		return err
	}
	if c.AttendeeTypes, err = attendeeTypes.All(tx, own, none, "seq", limit); err != nil {
		return err
	}
	if c.SpendCategories, err = spendCategories.All(tx, own, none, "code", limit); err != nil {
		return err
	}
	if c.Lists, err = lists.All(tx, own, none, "seq", limit); err != nil {
		return err
	}
	c.groups = map[string]*Group{}
	for i := range c.Groups {
		c.groups[c.Groups[i].ID] = &c.Groups[i]
	}
	c.payments = map[string]*PaymentType{}
	for i := range c.PaymentTypes {
		t := &c.PaymentTypes[i]
		c.payments[t.ID], c.payments[strings.ToUpper(t.Code)] = t, t
	}
	c.attendees = map[string]*AttendeeType{}
	for i := range c.AttendeeTypes {
		t := &c.AttendeeTypes[i]
		t.DuplicateSearchFields = strings.Fields(t.searchFields)
		c.attendees[t.ID], c.attendees[strings.ToUpper(t.Code)] = t, t
	}
	c.categories = map[string]*SpendCategory{}
	for i := range c.SpendCategories {
		c.categories[c.SpendCategories[i].Code] = &c.SpendCategories[i]
	}
	c.lists = map[string]*List{}
	for i := range c.Lists {
		c.lists[c.Lists[i].ID] = &c.Lists[i]
	}
	if err := c.loadPolicies(tx); err != nil {
		return err
	}
	if err := each(tx, func(r *store.Rows) error {
		var group, payment string
		if err := r.Scan(&group, &payment); err != nil {
			return err
		}
		if g, t := c.groups[group], c.payments[payment]; g != nil && t != nil {
			g.PaymentTypes = append(g.PaymentTypes, t)
		}
		return nil
	}, `SELECT g.group_id, g.payment_type_id FROM group_payment_type g JOIN payment_type p ON p.id = g.payment_type_id
		WHERE g.company_id = ? ORDER BY p.is_default DESC, p.position, p.seq`, id); err != nil {
		return err
	}
	if err := c.loadForms(tx); err != nil {
		return err
	}
	c.rates = map[currencyPair][]datedRate{}
	if err := each(tx, func(r *store.Rows) error {
		var from, to string
		var on, rate int64
		if err := r.Scan(&from, &to, &on, &rate); err != nil {
			return err
		}
		pair := currencyPair{value.Currency(from), value.Currency(to)}
		c.rates[pair] = append(c.rates[pair], datedRate{value.Date(on), value.Rate(rate)})
		return nil
	}, `SELECT from_currency, to_currency, on_date, rate FROM exchange_rate WHERE company_id = ? ORDER BY from_currency, to_currency, on_date DESC`, id); err != nil {
		return err
	}
	return each(tx, func(r *store.Rows) error {
		var m MileageRate
		var currency string
		var from, per int64
		if err := r.Scan(&m.ExpenseCode, &from, &m.Unit, &currency, &per); err != nil {
			return err
		}
		m.From, m.Currency, m.PerUnit = value.Date(from), value.Currency(currency), value.Decimal(per)
		c.mileage = append(c.mileage, m)
		return nil
	}, `SELECT expense_code, from_date, unit, currency, per_unit FROM mileage_rate WHERE company_id = ? ORDER BY from_date DESC, expense_code`, id)
}

func (c *Config) loadPolicies(tx *store.Tx) error {
	id := c.Company.ID
	var none store.Predicate
	found, err := policies.All(tx, ofCompany(id), none, "is_default DESC, seq", store.MaxLimit)
	if err != nil {
		return err
	}
	types, err := expenseTypes.All(tx, ofCompany(id), none, "name, code", store.MaxLimit)
	if err != nil {
		return err
	}
	byID := make(map[string]*expenseTypeRow, len(types))
	for i := range types {
		byID[types[i].ID] = &types[i]
	}
	c.policies = map[string]*Policy{}
	for i := range found {
		p := &found[i]
		p.byCode = map[string]*ExpenseType{}
		c.policies[p.ID] = p
		if g := c.groups[p.Group]; g != nil {
			g.Policies = append(g.Policies, p)
		}
	}
	if err := each(tx, func(r *store.Rows) error {
		var policy string
		var level ApprovalLevel
		var above int64
		if err := r.Scan(&policy, &level.Level, &above); err != nil {
			return err
		}
		level.Above = value.Money(above)
		if p := c.policies[policy]; p != nil {
			p.Approvals = append(p.Approvals, level)
		}
		return nil
	}, `SELECT policy_id, level, above FROM approval_level WHERE company_id = ? ORDER BY policy_id, above, level`, id); err != nil {
		return err
	}
	if err := each(tx, func(r *store.Rows) error {
		var policy string
		var a CostObjectApproval
		var above int64
		if err := r.Scan(&policy, &a.Field, &a.Value, &a.key, &above, &a.Approver); err != nil {
			return err
		}
		a.Above = value.Money(above)
		if p := c.policies[policy]; p != nil {
			p.CostObjects = append(p.CostObjects, a)
		}
		return nil
	}, `SELECT policy_id, field, value, value_key, above, approver_id FROM cost_object_approval WHERE company_id = ? ORDER BY policy_id, position`, id); err != nil {
		return err
	}
	if err := each(tx, func(r *store.Rows) error {
		var policy, kind string
		var receipt, limit *int64
		var blocks, attendees *bool
		if err := r.Scan(&policy, &kind, &receipt, &limit, &blocks, &attendees); err != nil {
			return err
		}
		p, row := c.policies[policy], byID[kind]
		if p == nil || row == nil {
			return nil
		}
		t := row.ExpenseType
		if receipt != nil {
			t.ReceiptRequiredAbove = value.Some(value.Money(*receipt))
		}
		if limit != nil {
			t.Limit = value.Some(value.Money(*limit))
		}
		if blocks != nil {
			t.LimitBlocks = *blocks
		}
		if attendees != nil {
			t.AttendeesRequired = *attendees
		}
		p.Types = append(p.Types, &t)
		p.byCode[t.ID], p.byCode[strings.ToUpper(t.Code)] = &t, &t
		return nil
	}, `SELECT policy_id, expense_type_id, receipt_required_above, amount_limit, limit_blocks, attendees_required FROM policy_expense_type WHERE company_id = ? ORDER BY policy_id, expense_type_id`, id); err != nil {
		return err
	}
	for _, p := range c.policies {
		slices.SortFunc(p.Types, func(a, b *ExpenseType) int {
			if n := strings.Compare(a.Name, b.Name); n != 0 {
				return n
			}
			return strings.Compare(a.Code, b.Code)
		})
	}
	return nil
}

func (c *Config) loadForms(tx *store.Tx) error {
	id := c.Company.ID
	c.forms = map[FormKind]Form{}
	kinds := map[string]FormKind{}
	if err := each(tx, func(r *store.Rows) error {
		f := Form{byName: map[string]*FormField{}}
		var kind string
		if err := r.Scan(&f.ID, &kind, &f.Name); err != nil {
			return err
		}
		f.Kind = FormKind(kind)
		c.forms[f.Kind], kinds[f.ID] = f, f.Kind
		return nil
	}, `SELECT id, kind, name FROM form WHERE company_id = ? ORDER BY seq`, id); err != nil {
		return err
	}
	if err := each(tx, func(r *store.Rows) error {
		var form, kind string
		var f FormField
		if err := r.Scan(&form, &f.Name, &kind, &f.Label, &f.List, &f.Parent, &f.Required, &f.MaxLength); err != nil {
			return err
		}
		f.Type = FieldType(kind)
		g := c.forms[kinds[form]]
		g.Fields = append(g.Fields, f)
		c.forms[kinds[form]] = g
		return nil
	}, `SELECT form_id, name, type, label, list_id, parent, required, max_length FROM form_field WHERE company_id = ? ORDER BY form_id, position, name`, id); err != nil {
		return err
	}
	for _, f := range c.forms {
		for i := range f.Fields {
			f.byName[f.Fields[i].Name] = &f.Fields[i]
		}
	}
	return nil
}

// loadPlaces reads all locations of a company, some thousands at a time.
func loadPlaces(tx *store.Tx, c *Company) (*places, error) {
	p := &places{version: c.places, byID: map[string]*Location{}}
	for after := int64(0); ; {
		found, err := locations.All(tx, ofCompany(c.ID), store.Where("seq > ?", after), "seq", store.MaxLimit)
		if err != nil {
			return nil, err
		}
		p.all = append(p.all, found...)
		if len(found) < store.MaxLimit {
			break
		}
		after = found[len(found)-1].Seq
	}
	for i := range p.all {
		p.byID[p.all[i].ID] = &p.all[i]
	}
	return p, nil
}

// each runs a query and calls f on every row.
func each(tx *store.Tx, f func(*store.Rows) error, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// SetRate records what one unit of a currency is worth in another from a day on.
func (s *Service) SetRate(tx *store.Tx, company string, from, to value.Currency, on value.Date, rate value.Rate) error {
	if !from.Valid() || !to.Valid() || from == to || on == 0 || rate <= 0 {
		return errs.New(errs.Invalid, "rate", "A rate needs two different currencies, a day and a number above zero.")
	}
	if _, err := tx.Exec(`INSERT INTO exchange_rate (company_id, from_currency, to_currency, on_date, rate) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (company_id, from_currency, to_currency, on_date) DO UPDATE SET rate = excluded.rate`,
		company, string(from), string(to), int64(on), int64(rate)); err != nil {
		return err
	}
	return s.SettingsChanged(tx, company)
}

// The life of what is handed out.
const (
	companyTokenLife = 24 * time.Hour
	codeLife         = time.Minute
	oneTimeCodeLife  = 10 * time.Minute
	refreshMonths    = 6
	legacyYears      = 1
)
