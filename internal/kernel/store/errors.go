package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"quittance/internal/kernel/errs"
)

// Result codes of SQLite; the low byte is the primary code.
const (
	liteBusy       = 5
	liteLocked     = 6
	liteNoMemory   = 7
	liteReadOnly   = 8
	liteInterrupt  = 9
	liteIO         = 10
	liteFull       = 13
	liteCantOpen   = 14
	liteTooBig     = 18
	liteConstraint = 19

	litePrimaryKey = liteConstraint | 6<<8
	liteForeignKey = liteConstraint | 3<<8
	liteNotNull    = liteConstraint | 5<<8
	liteUnique     = liteConstraint | 8<<8
)

// How long a client waits before it tries again.
const (
	soon  = time.Second
	later = 5 * time.Second
)

var (
	errTooSlow = errs.New(errs.Unavailable, "timeout", "The request took too long on the server; try again.")
	errClosing = errs.New(errs.Unavailable, "closing", "The server is shutting down; try again.")
	errBusy    = unavailable("busy", "The server is busy; try again.", soon)
)

func unavailable(code, message string, after time.Duration) *errs.Error {
	e := errs.New(errs.Unavailable, code, message)
	e.RetryAfter = after
	return e
}

func notFound(cause error) error {
	return errs.New(errs.NotFound, "notFound", "There is no such record.").Because(cause)
}

// classify turns a driver's error into the product's, by its code.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return notFound(err)
	case errors.As(err, &lite):
		return classifySQLite(lite.Code()).Because(err)
	case errors.As(err, &pg):
		return classifyPostgres(pg.Code).Because(err)
	case errors.Is(err, context.Canceled):
		return errs.New(errs.Unavailable, "cancelled", "The request was given up before it was done.").Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return errTooSlow.Because(err)
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, sql.ErrConnDone), pgconn.SafeToRetry(err):
		return unavailable("database", "The database cannot be reached; try again.", later).Because(err)
	}
	return errs.As(err)
}

func classifySQLite(code int) *errs.Error {
	switch code {
	case liteUnique, litePrimaryKey:
		return errs.New(errs.Conflict, "unique", "A record with this key exists already.")
	case liteForeignKey:
		return errs.New(errs.Conflict, "foreignKey", "The record refers to another that does not exist, or is referred to.")
	case liteNotNull:
		return errs.New(errs.Internal, "notNull", "A record lacks a required value.")
	}
	switch code & 0xff {
	case liteBusy, liteLocked:
		return errBusy
	case liteFull:
		return unavailable("full", "The server's disk is full; nothing was changed.", later)
	case liteIO, liteCantOpen, liteReadOnly:
		return unavailable("disk", "The server cannot use its disk; nothing was changed.", later)
	case liteNoMemory:
		return unavailable("memory", "The server is short of memory; try again.", later)
	case liteInterrupt:
		return errs.New(errs.Unavailable, "cancelled", "The request was given up before it was done.")
	case liteTooBig:
		return errs.New(errs.TooLarge, "tooLarge", "The record is too large.")
	}
	return errs.New(errs.Internal, "database", internalMessage)
}

const internalMessage = "Something went wrong on the server. Quote the correlation id when you ask about it."

// classifyPostgres goes by SQLSTATE: the whole code, else its class.
func classifyPostgres(state string) *errs.Error {
	switch state {
	case "23505", "23P01":
		return errs.New(errs.Conflict, "unique", "A record with this key exists already.")
	case "23503":
		return errs.New(errs.Conflict, "foreignKey", "The record refers to another that does not exist, or is referred to.")
	case "23502":
		return errs.New(errs.Internal, "notNull", "A record lacks a required value.")
	case "40001", "40P01", "55P03":
		return errBusy
	case "53100":
		return unavailable("full", "The server's disk is full; nothing was changed.", later)
	case "57014":
		return errTooSlow
	case "25006":
		return unavailable("readOnly", "The database takes no changes at the moment; try again.", later)
	case "54000":
		return errs.New(errs.TooLarge, "tooLarge", "The record is too large.")
	case "22021", "22P05":
		return errs.New(errs.Invalid, "characters", "A text holds characters that cannot be stored.")
	}
	if len(state) == 5 {
		switch state[:2] {
		case "08", "28", "3D", "57":
			return unavailable("database", "The database cannot be reached; try again.", later)
		case "53":
			return errBusy
		}
	}
	return errs.New(errs.Internal, "database", internalMessage)
}

// IsUnique reports whether err is a violation of a unique or primary key.
func IsUnique(err error) bool { _, ok := UniqueViolation(err); return ok }

// UniqueViolation reports whether err is a violation of a unique or primary key, and
// of which constraint. SQLite names it in its text alone, so there it is empty.
func UniqueViolation(err error) (constraint string, ok bool) {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return "", lite.Code() == liteUnique || lite.Code() == litePrimaryKey
	case errors.As(err, &pg):
		return pg.ConstraintName, pg.Code == "23505"
	}
	return "", false
}

// IsForeignKey reports whether err is a violation of a foreign key.
func IsForeignKey(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return lite.Code() == liteForeignKey
	case errors.As(err, &pg):
		return pg.Code == "23503"
	}
	return false
}

// rerunnable reports whether PostgreSQL gave up a transaction that may well succeed
// when it is run again: a serialization failure or a deadlock.
func rerunnable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// lost reports whether PostgreSQL ended a connection that it had taken before, or the
// network did.
func lost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &connect):
		return false // there is no server to try
	case errors.As(err, &pg):
		return pg.Code == "57P01" || pg.Code == "57P02" || pg.Code == "57P05" // ended by its operator, a crash, idleness
	case errors.As(err, &network):
		return !network.Timeout()
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func panicked(p any) error {
	return errs.New(errs.Internal, "panic", internalMessage).Because(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}
