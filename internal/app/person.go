package app

import (
	"context"
	"fmt"
	"io"
	"strings"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// nobody is what takes something away from a user.
const nobody = "none"

// describe gives a user what the settings name; what they do not name stays.
func (a *App) describe(tx *store.Tx, n config.New, u *org.User) error {
	set := func(p *string, text string) {
		switch {
		case strings.EqualFold(text, nobody):
			*p = ""
		case text != "":
			*p = strings.TrimSpace(text)
		}
	}
	for _, m := range []struct {
		p    *string
		text string
	}{{&u.Login, n.NewLogin}, {&u.FirstName, n.FirstName}, {&u.LastName, n.LastName}, {&u.Email, n.Email}, {&u.EmployeeID, n.Employee},
		{&u.OrganizationUnit, n.Unit}, {&u.Reimbursement, strings.ToUpper(n.Reimbursement)}, {&u.Country, strings.ToUpper(n.Country)}, {(*string)(&u.Currency), strings.ToUpper(n.Currency)}} {
		set(m.p, m.text)
	}
	if n.Manager != "" {
		u.Manager = ""
		if !strings.EqualFold(n.Manager, nobody) {
			manager, err := a.userNamed(tx, u.Company, n.Manager)
			if err != nil {
				return err
			}
			u.Manager = manager.ID
		}
	}
	if n.Group != "" {
		u.Group = ""
		if !strings.EqualFold(n.Group, nobody) {
			cfg, err := a.Org.Config(tx, u.Company)
			if err != nil {
				return err
			}
			for i := range cfg.Groups {
				if g := &cfg.Groups[i]; g.ID == n.Group || strings.EqualFold(g.Name, n.Group) {
					u.Group = g.ID
				}
			}
			if u.Group == "" {
				return errs.Newf(errs.NotFound, "group", "The company has no expense group %q.", n.Group)
			}
		}
	}
	return nil
}

// userNamed finds a user of a company by login or id.
func (a *App) userNamed(tx *store.Tx, company, login string) (*org.User, error) {
	p, err := a.Org.FindPerson(tx, company, login)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.Newf(errs.NotFound, "login", "The company has no user %q.", login)
	}
	if err != nil {
		return nil, err
	}
	return a.Org.User(tx, p.ID)
}

func (a *App) changeUser(ctx context.Context, n config.New, out io.Writer) error {
	roles, err := rolesNamed(n.Roles)
	if len(n.Roles) == 1 && strings.EqualFold(n.Roles[0], nobody) {
		roles, err = nil, nil
	}
	if err != nil {
		return err
	}
	hash := ""
	if n.Password != "" {
		if hash, err = a.Org.HashPassword(ctx, n.Password); err != nil {
			return err
		}
	}
	return a.editUser(ctx, n, out, func(tx *store.Tx, u *org.User) error {
		if err := a.describe(tx, n, u); err != nil {
			return err
		}
		u.Active = u.Active || n.Enable
		if err := a.Org.ChangeUser(tx, u); err != nil {
			return err
		}
		if hash != "" {
			if err := a.Org.SetPassword(tx, u.ID, hash); err != nil {
				return err
			}
		}
		if len(n.Roles) > 0 {
			return a.Org.SetRoles(tx, u.ID, roles...)
		}
		return nil
	})
}

func (a *App) disableUser(ctx context.Context, n config.New, out io.Writer) error {
	return a.editUser(ctx, n, out, func(tx *store.Tx, u *org.User) error {
		u.Active = false
		return a.Org.ChangeUser(tx, u)
	})
}

// editUser changes a user and prints who it is then.
func (a *App) editUser(ctx context.Context, n config.New, out io.Writer, edit func(*store.Tx, *org.User) error) error {
	var user *org.User
	var manager, group string
	var roles []string
	if err := a.DB.Write(ctx, func(tx *store.Tx) error {
		company, err := a.companyNamed(tx, n.Company)
		if err != nil {
			return err
		}
		if user, err = a.userNamed(tx, company.ID, n.Login); err != nil {
			return err
		}
		if err := edit(tx, user); err != nil {
			return err
		}
		if user, err = a.Org.User(tx, user.ID); err != nil {
			return err
		}
		if manager = ""; user.Manager != "" {
			m, err := a.Org.FindPerson(tx, company.ID, user.Manager)
			if err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			manager = m.Login
		}
		cfg, err := a.Org.Config(tx, company.ID)
		if err != nil {
			return err
		}
		if group = ""; user.Group != "" {
			if g, ok := cfg.Group(user.Group); ok {
				group = g.Name
			}
		}
		held, err := a.Org.RolesOf(tx, user.ID)
		roles = roles[:0]
		for _, r := range held {
			roles = append(roles, string(r))
		}
		return err
	}); err != nil {
		return err
	}
	state := "can sign in"
	if !user.Active {
		state = "is disabled"
	}
	for _, line := range [][2]string{{"user", user.ID + " " + state}, {"login", user.Login}, {"name", user.FullName()}, {"email", user.Email}, {"employee", user.EmployeeID},
		{"unit", user.OrganizationUnit}, {"manager", manager}, {"group", group}, {"country", user.Country}, {"currency", string(user.Currency)},
		{"reimbursed", user.Reimbursement}, {"roles", strings.Join(roles, ", ")}} {
		if line[1] != "" {
			fmt.Fprintf(out, "%-10s %s\n", line[0], line[1])
		}
	}
	return nil
}
