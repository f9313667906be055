package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// offline opens a store without answering HTTP, for the commands that change its
// records.
func offline(ctx context.Context, c config.Config, log *slog.Logger, do func(a *App) error) (err error) {
	if c.Database == "" {
		if _, err := os.Stat(DatabasePath(c.Data)); err != nil && c.Command != "admin create" {
			return fmt.Errorf("there is no store in %s; name its folder with --data, or begin with quittance admin create", c.Data)
		}
	} else {
		// A server of this store may run here: its folder and its bucket are not needed.
		if c.Data, err = os.MkdirTemp("", "quittance-offline-"); err != nil {
			return err
		}
		defer os.RemoveAll(c.Data)
	}
	kind := string(Serve)
	if c.Command != "admin create" { // which begins a production store
		if kind, err = kindOf(ctx, c, log); err != nil {
			return err
		}
	}
	c.Command, c.Blobs, c.AllowWeakSandbox, c.PublicURL = kind, "", true, "http://127.0.0.1" // no link is written, no file opened
	a := &App{options: Options{Config: c, Logger: log, PasswordCost: auth.DefaultPasswordCost()}, log: log, clock: new(Clock),
		requests: new(requestLog), faults: new(faults), metrics: newMetrics(), publicURL: c.PublicURL}
	if err = a.open(ctx); err == nil {
		if err = a.build(); err == nil {
			err = do(a)
		}
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, a.Stop(stopping))
}

// kindOf tells which kind of server a store belongs to: a production one where none has
// opened it yet.
func kindOf(ctx context.Context, c config.Config, log *slog.Logger) (kind string, err error) {
	lock, err := store.LockFolder(c.Data)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	db, err := store.Open(ctx, storeOptions(&Options{Config: c, Logger: log}, new(Clock).Now))
	if err != nil {
		return "", fmt.Errorf("the database cannot be opened: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	kind, err = db.Kind(ctx)
	return cmp.Or(kind, string(Serve)), err
}

// runCreate makes a company with its administrator, a user, an application or a
// request token. What was made up is printed once and nowhere kept.
func runCreate(ctx context.Context, c config.Config, out io.Writer, log *slog.Logger) error {
	create := map[string]func(*App, context.Context, config.New, io.Writer) error{
		"admin create": (*App).createAdministrator, "user create": (*App).createUser, "user change": (*App).changeUser, "user disable": (*App).disableUser,
		"app create": (*App).createApplication, "token create": (*App).createToken,
	}[c.Command]
	people := map[string]func(*App, context.Context, config.Config, io.Writer) error{
		"user delegate": (*App).delegateUser, "user list": (*App).listUsers, "user import": (*App).importUsers,
	}[c.Command]
	if create == nil && people == nil {
		return fmt.Errorf("the command %q is not known", c.Command)
	}
	return offline(ctx, c, log, func(a *App) error {
		if people != nil {
			return people(a, ctx, c, out)
		}
		return create(a, ctx, c.New, out)
	})
}

func (a *App) createAdministrator(ctx context.Context, n config.New, out io.Writer) error {
	seed, err := org.StandardSeed()
	if err != nil {
		return err
	}
	return a.createPerson(ctx, n, out, func(tx *store.Tx) (*org.Company, []auth.Role, error) {
		if _, err := a.companyNamed(tx, n.Company); err == nil {
			return nil, nil, errs.Newf(errs.Conflict, "company", "There is a company %q already; quittance user create makes more people of it.", n.Company)
		}
		made := org.Company{Name: n.Company, Country: strings.ToUpper(n.Country), Currency: value.Currency(strings.ToUpper(n.Currency))}
		if err := a.Org.AddCompany(tx, &made); err != nil {
			return nil, nil, err
		}
		return &made, []auth.Role{auth.WebServicesAdministrator, auth.CompanyAdministrator}, a.Org.Configure(tx, &made, seed)
	})
}

func (a *App) createUser(ctx context.Context, n config.New, out io.Writer) error {
	roles, err := rolesNamed(n.Roles)
	if err != nil {
		return err
	}
	return a.createPerson(ctx, n, out, func(tx *store.Tx) (*org.Company, []auth.Role, error) {
		company, err := a.companyNamed(tx, n.Company)
		return company, roles, err
	})
}

// createPerson makes a user of the company that find finds or makes.
func (a *App) createPerson(ctx context.Context, n config.New, out io.Writer, find func(*store.Tx) (*org.Company, []auth.Role, error)) error {
	password := n.Password
	if password == "" {
		password = value.NewIDs(nil).Secret()[:20]
	}
	hash, err := a.Org.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	if n.LastName == "" {
		n.LastName, _, _ = strings.Cut(n.Login, "@")
	}
	var user org.User
	var company *org.Company
	if err := a.DB.Write(ctx, func(tx *store.Tx) (err error) {
		var roles []auth.Role
		if company, roles, err = find(tx); err != nil {
			return err
		}
		user = org.User{Login: n.Login, Company: company.ID, Active: true}
		if err := a.describe(tx, n, &user); err != nil {
			return err
		}
		return a.Org.AddUser(tx, &user, hash, roles...)
	}); err != nil {
		return err
	}
	fmt.Fprintf(out, "company   %s (%s)\nuser      %s\nlogin     %s\n", company.ID, company.Name, user.ID, user.Login)
	if n.Password == "" {
		fmt.Fprintf(out, "password  %s\n", password)
	}
	return nil
}

func (a *App) createApplication(ctx context.Context, n config.New, out io.Writer) error {
	var made *org.Application
	var secret string
	if err := a.DB.Write(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, n.Company)
		if err != nil {
			return err
		}
		made, secret, err = a.Org.AddApplication(tx, org.NewApplication{Company: company.ID, Name: n.Name, Profile: auth.Profile(n.Profile),
			Scopes: n.Scopes, RedirectURIs: n.Redirects})
		return err
	}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "client id      %s\nclient secret  %s\n", made.ClientID, secret)
	return err
}

// createToken makes a request token: an application signs in with it once or often
// within a day, for the company or for one of its users, and nobody's password is needed.
func (a *App) createToken(ctx context.Context, n config.New, out io.Writer) error {
	var token, principal string
	if err := a.DB.Write(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, n.Company)
		if err != nil {
			return err
		}
		principal = company.ID
		if n.Login != "" {
			person, err := a.Org.FindPerson(tx, company.ID, n.Login)
			if errs.Is(err, errs.NotFound) {
				return errs.Newf(errs.NotFound, "login", "The company %s has no user %q.", company.Name, n.Login)
			}
			if err != nil {
				return err
			}
			principal = person.ID
		}
		token, err = a.Org.AddCompanyToken(tx, company.ID, principal, "", false)
		return err
	}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "username       %s\nrequest token  %s\n\n"+
		"Within a day, an application gets access tokens for it:\n"+
		"curl -d grant_type=password -d credtype=authtoken -d username=%s -d password=%s \\\n"+
		"  -d client_id=CLIENT_ID -d client_secret=CLIENT_SECRET PUBLIC_URL/oauth2/v0/token\n", principal, token, principal, token)
	return err
}

// companyNamed finds a company by its id, or by its name in any letter case.
func (a *App) companyNamed(tx *store.Tx, nameOrID string) (*org.Company, error) {
	all, err := a.Org.Companies(tx)
	if err != nil {
		return nil, err
	}
	var found []*org.Company
	for i := range all {
		if strings.EqualFold(all[i].ID, nameOrID) {
			return &all[i], nil
		}
		if strings.EqualFold(all[i].Name, strings.TrimSpace(nameOrID)) {
			found = append(found, &all[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, errs.Newf(errs.NotFound, "company", "There is no company %q; quittance admin create makes one.", nameOrID)
	case 1:
		return found[0], nil
	}
	return nil, errs.Newf(errs.Invalid, "company", "There are %d companies called %q; name the one by its id.", len(found), nameOrID)
}

func rolesNamed(names []string) (roles []auth.Role, err error) {
	for _, name := range names {
		found := false
		for _, r := range auth.Roles() {
			if strings.EqualFold(string(r), name) {
				roles, found = append(roles, r), true
			}
		}
		if !found {
			all := make([]string, 0, len(auth.Roles()))
			for _, r := range auth.Roles() {
				all = append(all, string(r))
			}
			return nil, errs.Newf(errs.Invalid, "role", "There is no role %q; there are: %s.", name, strings.Join(all, ", "))
		}
	}
	return roles, nil
}

// anyLocation is the id of a seeded location.
func (a *App) anyLocation(ctx context.Context) (id string) {
	_ = a.DB.Read(ctx, func(tx *store.Tx) error {
		c, err := a.Org.Config(tx, DemoCompany)
		if err == nil && len(c.Locations()) > 0 {
			id = c.Locations()[0].ID
		}
		return err
	})
	return id
}
