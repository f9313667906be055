package org

import (
	"context"
	"embed"
	"fmt"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

//go:embed seed/*.yaml
var seedFiles embed.FS

// Seed is what an import makes: companies with their people and applications, and
// the configuration that each of them starts with.
type Seed struct {
	Companies     []SeedCompany `yaml:"companies"`
	Configuration `yaml:",inline"`
}

// SeedCompany is a company of a seed.
type SeedCompany struct {
	ID           string            `yaml:"id"`
	Name         string            `yaml:"name"`
	Country      string            `yaml:"country"`
	Currency     string            `yaml:"currency"`
	Tokens       []string          `yaml:"tokens"`
	Users        []SeedUser        `yaml:"users"`
	Applications []seedApplication `yaml:"applications"`
	Groups       []fileGroup       `yaml:"groups"` // in place of the seed's
}

// SeedUser is a user of a seed. Hash is the hash of Password, where it was made beforehand.
type SeedUser struct {
	ID            string   `yaml:"id"`
	Login         string   `yaml:"login"`
	Password      string   `yaml:"password"`
	Hash          string   `yaml:"hash"`
	First         string   `yaml:"first"`
	Middle        string   `yaml:"middle"`
	Last          string   `yaml:"last"`
	Employee      string   `yaml:"employee"`
	Phone         string   `yaml:"phone"`
	Unit          string   `yaml:"unit"`
	Manager       string   `yaml:"manager"`
	Country       string   `yaml:"country"`
	Currency      string   `yaml:"currency"`
	Reimbursement string   `yaml:"reimbursement"`
	Test          bool     `yaml:"test"`
	Roles         []string `yaml:"roles"`
}

type seedApplication struct {
	ClientID     string   `yaml:"client_id"`
	Secret       string   `yaml:"secret"`
	Name         string   `yaml:"name"`
	Profile      string   `yaml:"profile"`
	RedirectURIs []string `yaml:"redirect_uris"`
	Scopes       []string `yaml:"scopes"`
	Grants       []string `yaml:"grants"`
	EveryCompany bool     `yaml:"every_company"`
}

// DevSeed is the company of the sandbox (design §6), with a second one beside it.
func DevSeed() (*Seed, error) { return readSeed("seed/dev.yaml") }

// StandardSeed has no companies: what a new company's configuration is made from.
func StandardSeed() (*Seed, error) { return readSeed("") }

// readSeed reads a seed and lays it over what every company starts with.
func readSeed(name string) (*Seed, error) {
	s := &Seed{}
	if name != "" {
		if err := readYAML(name, s); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"seed/standard.yaml", "seed/locations.yaml"} {
		var c Configuration
		if err := readYAML(name, &c); err != nil {
			return nil, err
		}
		s.Configuration = *s.with(&c)
	}
	return s, nil
}

func readYAML(name string, into any) error {
	b, err := seedFiles.ReadFile(name)
	if err != nil {
		return err
	}
	if err := decodeYAML(b, into); err != nil {
		return fmt.Errorf("org: %s: %w", name, err)
	}
	return nil
}

// Hash makes the hashes of passwords that stand in the seed without one. It is slow,
// so it is done before the transaction of ApplySeed.
func (d *Seed) Hash(ctx context.Context, p *auth.Passwords) error {
	for i := range d.Companies {
		for j := range d.Companies[i].Users {
			u := &d.Companies[i].Users[j]
			if u.Hash != "" || u.Password == "" {
				continue
			}
			hash, err := p.Hash(ctx, u.Password)
			if err != nil {
				return err
			}
			u.Hash = hash
		}
	}
	return nil
}

// ApplySeed makes everything that a seed names. Ids that the seed does not give are
// derived from the names, so that two stores with one seed are equal.
func (s *Service) ApplySeed(tx *store.Tx, d *Seed) error {
	for i := range d.Companies {
		n := &d.Companies[i]
		c := &Company{ID: n.ID, Name: n.Name, Country: n.Country, Currency: value.Currency(n.Currency)}
		if err := s.AddCompany(tx, c); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		if err := s.addPeople(tx, c, n); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		own := d.Configuration // which may name the people
		fill(&n.Groups, own.Groups)
		own.Groups = n.Groups
		if _, err := s.Apply(tx, c.ID, &own); err != nil {
			return fmt.Errorf("org: the company %s: %w", n.Name, err)
		}
		for j := range n.Applications {
			a := &n.Applications[j]
			grants := make([]Grant, len(a.Grants))
			for k, g := range a.Grants {
				grants[k] = Grant(g)
			}
			if _, _, err := s.AddApplication(tx, NewApplication{
				ID: derive(c.ID, "application", a.ClientID).UUID(), ClientID: a.ClientID, Secret: a.Secret, Company: c.ID,
				Name: a.Name, Profile: auth.Profile(a.Profile), Scopes: a.Scopes, Grants: grants,
				RedirectURIs: a.RedirectURIs, EveryCompany: a.EveryCompany,
			}); err != nil {
				return fmt.Errorf("org: the application %s: %w", a.ClientID, err)
			}
		}
		for _, token := range n.Tokens {
			if _, err := s.AddCompanyToken(tx, c.ID, c.ID, token, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) addPeople(tx *store.Tx, c *Company, n *SeedCompany) error {
	ids := map[string]string{}
	for j := range n.Users {
		u := &n.Users[j]
		if u.ID == "" {
			u.ID = derive(c.ID, "user", u.Login).UUID()
		}
		ids[u.Login] = u.ID
	}
	for j := range n.Users {
		u := &n.Users[j]
		roles := make([]auth.Role, len(u.Roles))
		for k, r := range u.Roles {
			roles[k] = auth.Role(r)
		}
		if u.Manager != "" && ids[u.Manager] == "" {
			return fmt.Errorf("org: the manager %s of %s is not in the company", u.Manager, u.Login)
		}
		if err := s.AddUser(tx, &User{
			ID: u.ID, Company: c.ID, Login: u.Login, FirstName: u.First, MiddleName: u.Middle, LastName: u.Last,
			EmployeeID: u.Employee, CellPhone: u.Phone, OrganizationUnit: u.Unit, Active: true, Test: u.Test,
			Manager: ids[u.Manager], Country: u.Country, Currency: value.Currency(u.Currency), Reimbursement: u.Reimbursement,
		}, u.Hash, roles...); err != nil {
			return fmt.Errorf("org: the user %s: %w", u.Login, err)
		}
	}
	return nil
}

// Configure gives a company the configuration of a seed.
func (s *Service) Configure(tx *store.Tx, c *Company, d *Seed) error {
	_, err := s.Apply(tx, c.ID, &d.Configuration)
	return err
}
