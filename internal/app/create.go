package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// offline opens a store without answering HTTP, for the commands that change it.
func offline(ctx context.Context, c config.Config, log *slog.Logger, do func(a *App) error) error {
	c.Command = "serve"
	c.AllowWeakSandbox = true // nothing is opened in it
	if c.PublicURL == "" {
		c.PublicURL = "http://127.0.0.1"
	}
	a := &App{options: Options{Config: c, Logger: log, PasswordCost: auth.DefaultPasswordCost()}, log: log, clock: new(Clock),
		requests: new(requestLog), faults: new(faults), metrics: newMetrics(), publicURL: c.PublicURL}
	err := a.open(ctx)
	if err == nil {
		if err = a.build(); err == nil {
			err = do(a)
		}
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, a.Stop(stopping))
}

// runCreate makes a company with its administrator, a user, an application or a
// company token. What was made up is printed once and nowhere kept.
func runCreate(ctx context.Context, c config.Config, out io.Writer, log *slog.Logger) error {
	return offline(ctx, c, log, func(a *App) error {
		n := c.New
		switch c.Command {
		case "admin create", "user create":
			password := n.Password
			if password == "" {
				password = value.NewIDs(nil).Secret()[:20]
			}
			hash, err := a.Org.HashPassword(ctx, password)
			if err != nil {
				return err
			}
			var user org.User
			var company string
			if err := a.DB.Write(ctx, func(tx *store.Tx) error {
				user = org.User{Login: n.Login, Email: n.Login, FirstName: n.FirstName, LastName: n.LastName, Company: n.Company}
				roles, err := rolesNamed(n.Roles)
				if err != nil {
					return err
				}
				if c.Command == "admin create" {
					made := org.Company{Name: n.Company, Country: strings.ToUpper(n.Country), Currency: value.Currency(strings.ToUpper(n.Currency))}
					if err := a.Org.AddCompany(tx, &made); err != nil {
						return err
					}
					seed, err := org.StandardSeed()
					if err != nil {
						return err
					}
					if err := a.Org.Configure(tx, &made, seed); err != nil {
						return err
					}
					user.Company = made.ID
					roles = []auth.Role{auth.WebServicesAdministrator, auth.CompanyAdministrator}
				}
				company = user.Company
				return a.Org.AddUser(tx, &user, hash, roles...)
			}); err != nil {
				return err
			}
			fmt.Fprintf(out, "company   %s\nuser      %s\nlogin     %s\n", company, user.ID, user.Login)
			if n.Password == "" {
				fmt.Fprintf(out, "password  %s\n", password)
			}
			return nil
		case "app create":
			var made *org.Application
			var secret string
			if err := a.DB.Write(ctx, func(tx *store.Tx) (err error) {
				made, secret, err = a.Org.AddApplication(tx, org.NewApplication{Company: n.Company, Name: n.Name, Profile: auth.Profile(n.Profile),
					Scopes: n.Scopes, RedirectURIs: n.Redirects})
				return err
			}); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "client id      %s\nclient secret  %s\n", made.ClientID, secret)
			return err
		case "token create":
			var token string
			if err := a.DB.Write(ctx, func(tx *store.Tx) (err error) {
				token, err = a.Org.AddCompanyToken(tx, n.Company, n.Company, "", false)
				return err
			}); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "company request token, for %s: %s\nuse it with grant_type=password, credtype=authtoken, username=%s\n", 24*time.Hour, token, n.Company)
			return err
		}
		return fmt.Errorf("the command %q is not known", c.Command)
	})
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
