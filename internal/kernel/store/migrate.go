package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"quittance/internal/kernel/value"
)

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	Name    string        // the file's
	Applied value.Instant // when it was applied; 0 for pending
}

// migrate applies what is pending, forward only. Several servers may start at once
// on one PostgreSQL: a lock lets one of them migrate.
func migrate(ctx context.Context, engine Engine, pool *sql.DB, o Options) error {
	if o.Migrations == nil {
		return nil
	}
	provider, err := migrations(engine, pool, o)
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("the database's version cannot be read: %w", err)
	}
	if current > target {
		return fmt.Errorf("the database was written by a newer version of the program (its schema is %d, this program knows %d): use that version", current, target)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("the database could not be brought up to date: %w", err)
	}
	for _, r := range results {
		o.Logger.InfoContext(ctx, "migrated the database", "version", r.Source.Version, "took", r.Duration)
	}
	return nil
}

func migrations(engine Engine, pool *sql.DB, o Options) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	dialect := goose.DialectSQLite3
	if engine == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, pool, o.Migrations, options...)
	if err != nil {
		return nil, fmt.Errorf("the migrations cannot be read: %w", err)
	}
	return provider, nil
}

// MigrationStatus lists the known migrations and when each was applied, without
// changing the database.
func MigrationStatus(ctx context.Context, opts Options) ([]Migration, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	if opts.Migrations == nil {
		return nil, errors.New("store: there are no migrations to compare with")
	}
	var pool *sql.DB
	if opts.EngineOf() == SQLite {
		if _, err := os.Stat(opts.Path); err != nil {
			return nil, fmt.Errorf("the database cannot be opened: %w", err)
		}
		pool, err = liteOpen(opts.Path, liteSettings)
	} else {
		pool, err = sql.Open("pgx", opts.URL)
	}
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	provider, err := migrations(opts.EngineOf(), pool, opts)
	if err != nil {
		return nil, err
	}
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("the database's version cannot be read: %w", err)
	}
	list := make([]Migration, len(status))
	for i, s := range status {
		list[i] = Migration{Version: s.Source.Version, Name: s.Source.Path}
		if s.State == goose.StateApplied {
			list[i].Applied = value.InstantOf(s.AppliedAt)
		}
	}
	return list, nil
}
