// Package config turns the command line and the environment into one Config.
//
// A setting is looked for as a flag, then as a QUITTANCE_ variable, then it has its
// default. A secret may also be in a file that a variable names with _FILE at its end.
// An empty variable is as if it were not there. A
// name that nobody knows is an error, with the nearest name that is known; variables
// that begin with QUITTANCE_TEST_ are the tests' own. All problems are told at once.
package config

import (
	"log/slog"
	"net/netip"
	"time"

	"quittance/internal/kernel/value"
)

// Config is every setting of every command; those that a command does not take are
// zero.
type Config struct {
	Command  string   // as Load was given it
	Operands []string // what the command line names beside flags, such as a file

	Data        string // the store's folder
	Database    string // postgres://…; empty: SQLite in Data
	Blobs       string // s3://…; empty: a folder in Data
	BlobsAccess string // keys of S3, both or neither
	BlobsSecret string
	Temp        string // folder of temporary files; empty: the system's

	Listen         string // host:port
	AdminListen    string // host:port of metrics and readiness details; empty: nowhere
	PublicURL      string // base of every link, no slash at its end; empty: the listener's address
	TLSCert        string // file; both or neither
	TLSKey         string
	TrustedProxies []netip.Prefix // whose forwarded headers count

	Expose           bool // listen beyond this machine
	AllowWeakSandbox bool
	Exit             bool // demo ends when it is through

	Scale     int    // how many people the year of the seeded company has; 0: it has none
	ScaleSeed uint64 // what the year is drawn from

	LogLevel  slog.Level
	LogFormat string // "text" or "json"

	Mail   Mail
	Limits Limits
	New    New
	People People
}

// Mail is where letters go. Without a server they are logged.
type Mail struct {
	Server   string // host:port
	From     string // as in a From header
	User     string // both or neither
	Password string
}

// Limits are sizes in bytes, rates and times that an operator may want otherwise.
type Limits struct {
	Body             int64 // a JSON, XML or form body
	Image            int64 // Image v1
	ReceiptImage     int64 // receipt images v3
	Receipt          int64 // image-only receipts v4
	QuickExpense     int64 // the image of a quick expense
	QuickExpenseRate Rate  // calls of a user, counted in each process
	LinkLife         time.Duration
}

// Rate is a number of calls in a span of time.
type Rate struct {
	Calls int
	Per   time.Duration
}

// People is what user delegate, user list and user import take.
type People struct {
	To      string // login of the delegate
	Prepare bool
	Submit  bool
	Approve bool
	From    value.Date // of approving; 0: none
	Until   value.Date
	After   string // login
	Limit   int
	File    string // a table of people
	Plan    bool   // change nothing
}

// New describes what admin, user, app and token create make, and what user change
// makes of a user: what is empty stays.
type New struct {
	Company       string // its name, or its id where it exists
	Country       string // ISO 3166 code
	Currency      string // ISO 4217 code
	Login         string
	NewLogin      string
	Password      string // empty: one is made up and printed
	FirstName     string
	LastName      string
	Email         string
	Employee      string
	Unit          string
	Manager       string // login
	Group         string // name
	Reimbursement string
	Enable        bool
	Roles         []string
	Name          string // of an application
	Scopes        []string
	Redirects     []string
	Profile       string // "documented" or "observed"
}
