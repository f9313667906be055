package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quittance/internal/kernel/value"
)

// setting is one line of what can be set: its flag, its variable, and how its text
// becomes a part of Config.
type setting struct {
	flag   string
	env    string // empty: QUITTANCE_ and the flag's name
	on     []string
	value  string            // what the usage calls its value; empty: a switch
	plain  string            // default
	plains map[string]string // defaults of single commands
	secret bool              // its variable may name a file
	doc    string
	set    func(c *Config, text string) error // the error ends the sentence "--flag …"
}

// The commands, in the order of the usage, with what they do.
var commands = []struct{ name, operands, doc string }{
	{"serve", "", "Run the server for production."},
	{"dev", "", "Run a sandbox with a seeded company, fixed credentials and test hooks."},
	{"demo", "", "Start a sandbox, take one report from photo to approval, and keep serving."},
	{"admin create", "", "Make a company with its first administrator."},
	{"user create", "", "Make a user of a company."},
	{"user change", "", "Change a user of a company."},
	{"user disable", "", "End a user's sign-ins, now and until the user is enabled again."},
	{"user delegate", "", "Say what one user of a company lets another one do."},
	{"user list", "", "List the users of a company."},
	{"user import", "", "Make and change users of a company as a table of people says."},
	{"app create", "", "Make an application and print its secret."},
	{"token create", "", "Make a request token, with which an application signs in for a company or a user, and print it."},
	{"config export", "", "Print what a company has set up, as YAML."},
	{"config plan", "file", "Show what a file would change of what a company has set up."},
	{"config apply", "file", "Make what a company has set up what a file says."},
	{"backup create", "file", "Write database and files into one archive."},
	{"backup verify", "file", "Check that an archive is whole."},
	{"backup restore", "file", "Unpack an archive into an empty store."},
	{"migrate status", "", "Show which migrations the database has."},
	{"healthcheck", "", "Ask a running server whether it is ready; the exit status says so."},
	{"openapi", "", "Print the OpenAPI document."},
	{"version", "", "Print the version."},
}

var (
	servers  = []string{"serve", "dev", "demo"}
	creators = []string{"admin create", "user create", "user change", "user disable", "user delegate", "user list", "user import", "app create", "token create", "config export",
		"config plan", "config apply"}
	persons = []string{"user create", "user change"}
	stores  = append(append(slices.Clone(servers), creators...), "backup create", "backup restore", "migrate status")
	loggers = append(slices.Clone(stores), "backup verify")
	dev     = []string{"dev", "demo"}
)

// settings lists everything that can be set, in the order of the usage.
func settings() []setting {
	return []setting{
		{flag: "listen", on: append(slices.Clone(servers), "healthcheck"), value: "host:port", plain: "127.0.0.1:8484",
			doc: "Where to answer.",
			set: func(c *Config, s string) error { c.Listen = s; return address(s) }},
		{flag: "public-url", on: servers, value: "url",
			doc: "The base of every link that the server writes, as clients see it. serve needs it; dev and demo take their own address.",
			set: func(c *Config, s string) (err error) { c.PublicURL, err = publicURL(s); return err }},
		{flag: "data", on: stores, value: "folder", plain: "./quittance-data", plains: map[string]string{"dev": "./quittance-dev", "demo": "./quittance-dev"},
			doc: "The store's folder: the SQLite database and the files, unless those are elsewhere.",
			set: text(func(c *Config) *string { return &c.Data })},
		{flag: "database", env: "QUITTANCE_DATABASE_URL", on: stores, value: "url", secret: true,
			doc: "PostgreSQL, as postgres://user:password@host/name, in place of SQLite.",
			set: func(c *Config, s string) error { c.Database = s; return scheme(s, "postgres", "postgresql") }},
		{flag: "blobs", env: "QUITTANCE_BLOB_URL", on: stores, value: "url", secret: true,
			doc: "An S3 bucket for the files, as s3://bucket/prefix?endpoint=https://host&region=name, in place of the folder.",
			set: func(c *Config, s string) error { c.Blobs = s; return scheme(s, "s3") }},
		{flag: "blobs-access-key", env: "QUITTANCE_BLOB_ACCESS_KEY", on: stores, value: "key", secret: true,
			doc: "The bucket's access key; without one, where AWS's own tools look.",
			set: text(func(c *Config) *string { return &c.BlobsAccess })},
		{flag: "blobs-secret-key", env: "QUITTANCE_BLOB_SECRET_KEY", on: stores, value: "key", secret: true,
			doc: "The secret of the access key.",
			set: text(func(c *Config) *string { return &c.BlobsSecret })},
		{flag: "temp", on: stores, value: "folder",
			doc: "The folder of temporary files; the system's without it.",
			set: text(func(c *Config) *string { return &c.Temp })},
		{flag: "tls-cert", on: append(slices.Clone(servers), "healthcheck"), value: "file",
			doc: "A certificate in PEM: the server then speaks TLS itself. It needs --tls-key.",
			set: text(func(c *Config) *string { return &c.TLSCert })},
		{flag: "tls-key", on: append(slices.Clone(servers), "healthcheck"), value: "file",
			doc: "The certificate's key in PEM.",
			set: text(func(c *Config) *string { return &c.TLSKey })},
		{flag: "trusted-proxy", on: servers, value: "networks",
			doc: "Addresses or networks of proxies, with commas between; forwarded headers count from these alone.",
			set: func(c *Config, s string) (err error) { c.TrustedProxies, err = networks(s); return err }},
		{flag: "admin-listen", on: []string{"serve"}, value: "host:port", plain: "127.0.0.1:8485",
			doc: "Where metrics and the details of readiness are; off for nowhere.",
			set: func(c *Config, s string) error {
				if s == "off" {
					c.AdminListen = ""
					return nil
				}
				c.AdminListen = s
				return address(s)
			}},
		{flag: "expose", on: servers,
			doc: "Let dev and demo, whose passwords everybody knows, and --admin-listen be reached from other machines.",
			set: boolean(func(c *Config) *bool { return &c.Expose })},
		{flag: "allow-weak-sandbox", on: servers,
			doc: "Run although this system cannot fence in the processes that open untrusted files.",
			set: boolean(func(c *Config) *bool { return &c.AllowWeakSandbox })},
		{flag: "exit", on: []string{"demo"},
			doc: "End after the last step, with status 0 when all went well.",
			set: boolean(func(c *Config) *bool { return &c.Exit })},
		{flag: "scale", on: []string{"dev"}, value: "people",
			doc: "Give the seeded company a year of so many people, where the store is empty: 2000 of them make 24,000 reports in some minutes.",
			set: func(c *Config, s string) error { return count(&c.Scale, s, 10_000) }},
		{flag: "scale-seed", on: []string{"dev"}, value: "number", plain: "1",
			doc: "What the year is drawn from: the same number makes the same year.",
			set: func(c *Config, s string) (err error) {
				if c.ScaleSeed, err = strconv.ParseUint(s, 10, 63); err != nil {
					return errors.New("must be a whole number from 0 on")
				}
				return nil
			}},
		{flag: "log-level", on: loggers, value: "level", plain: "warn", plains: map[string]string{"serve": "info", "dev": "info"},
			doc: "The least that is logged: debug, info, warn or error.",
			set: func(c *Config, s string) error {
				if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(s)) {
					return errors.New("must be debug, info, warn or error")
				}
				return c.LogLevel.UnmarshalText([]byte(s))
			}},
		{flag: "log-format", on: loggers, value: "format", plain: "text", plains: map[string]string{"serve": "json"},
			doc: "How it is logged: text or json.",
			set: choice(func(c *Config) *string { return &c.LogFormat }, "text", "json")},

		{flag: "smtp", on: servers, value: "host:port",
			doc: "The mail server; without one, letters are logged.",
			set: func(c *Config, s string) error { c.Mail.Server = s; return address(s) }},
		{flag: "smtp-from", on: servers, value: "address",
			doc: "Who the letters are from.",
			set: func(c *Config, s string) error {
				c.Mail.From = s
				if _, err := mail.ParseAddress(s); err != nil {
					return errors.New(`must be a mail address, such as "Expenses <expenses@example.com>"`)
				}
				return nil
			}},
		{flag: "smtp-user", on: servers, value: "name",
			doc: "The user at the mail server.",
			set: text(func(c *Config) *string { return &c.Mail.User })},
		{flag: "smtp-password", on: servers, value: "password", secret: true,
			doc: "The user's password at the mail server.",
			set: text(func(c *Config) *string { return &c.Mail.Password })},

		{flag: "limit-body", on: servers, value: "size", plain: "10MB",
			doc: "The largest JSON, XML or form body.",
			set: bytes(func(c *Config) *int64 { return &c.Limits.Body })},
		{flag: "limit-image", on: servers, value: "size", plain: "10MB",
			doc: "The largest file of Image v1.",
			set: bytes(func(c *Config) *int64 { return &c.Limits.Image })},
		{flag: "limit-receipt-image", on: servers, value: "size", plain: "10MB",
			doc: "The largest file of receipt images v3.",
			set: bytes(func(c *Config) *int64 { return &c.Limits.ReceiptImage })},
		{flag: "limit-receipt", on: servers, value: "size", plain: "5MB",
			doc: "The largest file of receipts v4.",
			set: bytes(func(c *Config) *int64 { return &c.Limits.Receipt })},
		{flag: "limit-quick-expense", on: servers, value: "size", plain: "5MB",
			doc: "The largest file of a quick expense.",
			set: bytes(func(c *Config) *int64 { return &c.Limits.QuickExpense })},
		{flag: "rate-quick-expense", on: servers, value: "calls/time", plain: "120/5m",
			doc: "How many quick expenses a user may post in a time, counted in each process.",
			set: func(c *Config, s string) (err error) { c.Limits.QuickExpenseRate, err = rate(s); return err }},
		{flag: "link-life", on: servers, value: "time", plain: "15m",
			doc: "How long a link to a file works.",
			set: func(c *Config, s string) (err error) { c.Limits.LinkLife, err = span(s); return err }},

		{flag: "company", on: creators, value: "name or id",
			doc: "The company: its name, or its id where it exists.",
			set: text(func(c *Config) *string { return &c.New.Company })},
		{flag: "country", on: append([]string{"admin create"}, persons...), value: "code", plains: map[string]string{"admin create": "US"},
			doc: "The country of the new company or of the user, by its ISO 3166 code; a new user's is the company's without it.",
			set: text(func(c *Config) *string { return &c.New.Country })},
		{flag: "currency", on: append([]string{"admin create"}, persons...), value: "code", plains: map[string]string{"admin create": "USD"},
			doc: "The currency of the new company or of the user, by its ISO 4217 code; a new user's is the company's without it.",
			set: text(func(c *Config) *string { return &c.New.Currency })},
		{flag: "login", on: append([]string{"admin create", "user disable", "user delegate", "token create"}, persons...), value: "login",
			doc: "The user's login, a mail address; a token without one is for the company as a whole.",
			set: text(func(c *Config) *string { return &c.New.Login })},
		{flag: "password", on: append([]string{"admin create"}, persons...), value: "password", secret: true,
			doc: "The user's password; a new user's is made up and printed without it.",
			set: text(func(c *Config) *string { return &c.New.Password })},
		{flag: "first-name", on: append([]string{"admin create"}, persons...), value: "name",
			doc: "The user's first name.",
			set: text(func(c *Config) *string { return &c.New.FirstName })},
		{flag: "last-name", on: append([]string{"admin create"}, persons...), value: "name",
			doc: "The user's last name; a new user's is the beginning of the login without it.",
			set: text(func(c *Config) *string { return &c.New.LastName })},
		{flag: "new-login", on: []string{"user change"}, value: "login",
			doc: "The login that the user has from now on.",
			set: text(func(c *Config) *string { return &c.New.NewLogin })},
		{flag: "email", on: persons, value: "address",
			doc: "Where mail for the user goes; a new user's is the login without it.",
			set: text(func(c *Config) *string { return &c.New.Email })},
		{flag: "employee-id", on: persons, value: "number",
			doc: "The user's number as an employee, or none.",
			set: text(func(c *Config) *string { return &c.New.Employee })},
		{flag: "unit", on: persons, value: "name",
			doc: "The unit of the organisation that the user works in, or none.",
			set: text(func(c *Config) *string { return &c.New.Unit })},
		{flag: "manager", on: persons, value: "login",
			doc: "Who approves the user's reports, by login, or none.",
			set: text(func(c *Config) *string { return &c.New.Manager })},
		{flag: "group", on: persons, value: "name",
			doc: "The user's expense group, or none for the company's first.",
			set: text(func(c *Config) *string { return &c.New.Group })},
		{flag: "reimbursement", on: persons, value: "code",
			doc: "How the user is paid back: ADPPAYR, APCHECK, CNQRPAY, PMTSERV or none.",
			set: text(func(c *Config) *string { return &c.New.Reimbursement })},
		{flag: "enable", on: []string{"user change"},
			doc: "Let a disabled user sign in again.",
			set: boolean(func(c *Config) *bool { return &c.New.Enable })},
		{flag: "roles", on: persons, value: "names",
			doc: "The user's roles, all of them, with commas between, or none.",
			set: list(func(c *Config) *[]string { return &c.New.Roles })},
		{flag: "to", on: []string{"user delegate"}, value: "login",
			doc: "The delegate's login.",
			set: text(func(c *Config) *string { return &c.People.To })},
		{flag: "prepare", on: []string{"user delegate"},
			doc: "Let the delegate make and change reports in the user's name.",
			set: boolean(func(c *Config) *bool { return &c.People.Prepare })},
		{flag: "submit", on: []string{"user delegate"},
			doc: "Let the delegate submit the user's reports.",
			set: boolean(func(c *Config) *bool { return &c.People.Submit })},
		{flag: "approve", on: []string{"user delegate"},
			doc: "Let the delegate decide on what waits for the user. Without any right, the delegate is removed.",
			set: boolean(func(c *Config) *bool { return &c.People.Approve })},
		{flag: "from", on: []string{"user delegate"}, value: "day",
			doc: "The first day of approving, such as 2026-07-01.",
			set: day(func(c *Config) *value.Date { return &c.People.From })},
		{flag: "until", on: []string{"user delegate"}, value: "day",
			doc: "The last day of approving.",
			set: day(func(c *Config) *value.Date { return &c.People.Until })},
		{flag: "after", on: []string{"user list"}, value: "login",
			doc: "Begin behind this login.",
			set: text(func(c *Config) *string { return &c.People.After })},
		{flag: "limit", on: []string{"user list"}, value: "number", plain: "200",
			doc: "How many users are listed at most, 1 to 1000.",
			set: func(c *Config, s string) error { return count(&c.People.Limit, s, 1000) }},
		{flag: "file", on: []string{"user import"}, value: "file",
			doc: "The table, as CSV in UTF-8: the first line names the columns, the users follow. The guide tells which there are.",
			set: text(func(c *Config) *string { return &c.People.File })},
		{flag: "plan", on: []string{"user import"},
			doc: "Show what the file would change, and change nothing.",
			set: boolean(func(c *Config) *bool { return &c.People.Plan })},
		{flag: "name", on: []string{"app create"}, value: "name",
			doc: "The application's name.",
			set: text(func(c *Config) *string { return &c.New.Name })},
		{flag: "scopes", on: []string{"app create"}, value: "names",
			doc: "The scopes that the application may ask for, with commas between; all of them without it.",
			set: list(func(c *Config) *[]string { return &c.New.Scopes })},
		{flag: "redirects", on: []string{"app create"}, value: "urls",
			doc: "Where the application may be redirected to, with commas between.",
			set: list(func(c *Config) *[]string { return &c.New.Redirects })},
		{flag: "profile", on: []string{"app create"}, value: "profile", plain: "documented",
			doc: "The wire forms that the application is given: documented or observed.",
			set: choice(func(c *Config) *string { return &c.New.Profile }, "documented", "observed")},
	}
}

// variable is the setting's name in the environment.
func (s *setting) variable() string {
	if s.env != "" {
		return s.env
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
}

// preset is the setting's default for a command.
func (s *setting) preset(command string) string {
	if p, ok := s.plains[command]; ok {
		return p
	}
	return s.plain
}

// check finds what is wrong with the settings taken together.
func (c *Config) check(add func(flag, sentence string)) {
	is := func(names ...string) bool { return slices.Contains(names, c.Command) }
	if is("serve") && c.PublicURL == "" {
		add("public-url", "is missing: serve needs the address at which clients reach it, such as https://spend.example.com.")
	}
	if is(dev...) && !c.Expose && c.Listen != "" && !loopback(c.Listen) {
		add("listen", fmt.Sprintf("is %s, but everybody knows the passwords of %s; listen on 127.0.0.1, or give --expose.", c.Listen, c.Command))
	}
	if c.AdminListen != "" {
		if !c.Expose && !loopback(c.AdminListen) {
			add("admin-listen", fmt.Sprintf("is %s, but metrics are for this machine; listen on 127.0.0.1, or give --expose.", c.AdminListen))
		}
		if _, port, _ := net.SplitHostPort(c.Listen); port != "0" && c.AdminListen == c.Listen {
			add("admin-listen", "must differ from --listen.")
		}
	}
	both := func(flag, one, other, value, otherValue string) {
		if value == "" && otherValue != "" {
			add(flag, fmt.Sprintf("is missing: --%s needs it.", other))
		}
		if value != "" && otherValue == "" {
			add(other, fmt.Sprintf("is missing: --%s needs it.", one))
		}
	}
	both("tls-cert", "tls-cert", "tls-key", c.TLSCert, c.TLSKey)
	both("blobs-access-key", "blobs-access-key", "blobs-secret-key", c.BlobsAccess, c.BlobsSecret)
	both("smtp-user", "smtp-user", "smtp-password", c.Mail.User, c.Mail.Password)
	if c.BlobsAccess != "" && c.Blobs == "" {
		add("blobs", "is missing: keys were given, but no bucket.")
	}
	if c.Mail.Server != "" && c.Mail.From == "" {
		add("smtp-from", "is missing: letters need a sender.")
	}
	if c.Mail.Server == "" && (c.Mail.From != "" || c.Mail.User != "") {
		add("smtp", "is missing: the other settings of mail were given.")
	}
	need := func(flag, value, what string) {
		if value == "" {
			add(flag, "is missing: "+c.Command+" needs "+what+".")
		}
	}
	if is("admin create") {
		need("company", c.New.Company, "the new company's name")
		need("login", c.New.Login, "the administrator's login")
	}
	if is("config export", "config plan", "config apply") {
		need("company", c.New.Company, "the company's name or id")
	}
	if is("user create", "user change", "user disable", "user delegate") {
		need("company", c.New.Company, "the company's name or id")
		need("login", c.New.Login, "the user's login")
	}
	if is("user delegate") {
		need("to", c.People.To, "the delegate's login")
	}
	if is("user list", "user import") {
		need("company", c.New.Company, "the company's name or id")
	}
	if is("user import") {
		need("file", c.People.File, "the file's name")
	}
	if is("app create") {
		need("company", c.New.Company, "the company's name or id")
		need("name", c.New.Name, "the application's name")
	}
	if is("token create") {
		need("company", c.New.Company, "the company's name or id")
	}
}

// The kinds of values. Their errors end the sentence "--flag …".

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error { *at(c) = s; return nil }
}

func boolean(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("must be true or false")
		}
		*at(c) = b
		return nil
	}
}

func day(at func(*Config) *value.Date) func(*Config, string) error {
	return func(c *Config, s string) error {
		d, err := value.ParseDate(s)
		if err != nil {
			return errors.New("must be a day, written as 2026-07-01")
		}
		*at(c) = d
		return nil
	}
}

func count(at *int, s string, most int) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	*at = n
	return nil
}

func choice(at func(*Config) *string, known ...string) func(*Config, string) error {
	return func(c *Config, s string) error {
		if !slices.Contains(known, s) {
			return errors.New("must be " + strings.Join(known, " or "))
		}
		*at(c) = s
		return nil
	}
}

func list(at func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, s string) error { *at(c) = split(s); return nil }
}

func split(s string) []string {
	var parts []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// maxSize bounds what a size may be set to: the largest file that is ever kept.
const maxSize = 200 << 20

func bytes(at func(*Config) *int64) func(*Config, string) error {
	return func(c *Config, s string) error {
		number, unit := strings.TrimSpace(strings.ToUpper(s)), int64(1)
		for _, u := range []struct {
			suffix string
			unit   int64
		}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"B", 1}} {
			if n, ok := strings.CutSuffix(number, u.suffix); ok {
				number, unit = strings.TrimSpace(n), u.unit
				break
			}
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > maxSize/unit {
			return errors.New("must be a size from 1 B to 200 MB, such as 512KB or 10MB")
		}
		*at(c) = n * unit
		return nil
	}
}

func span(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return 0, errors.New("must be a time from 1s to 24h, such as 15m")
	}
	return d, nil
}

func rate(s string) (Rate, error) {
	calls, per, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(strings.TrimSpace(calls))
	if d, spanErr := span(strings.TrimSpace(per)); err == nil && spanErr == nil && n > 0 {
		return Rate{n, d}, nil
	}
	return Rate{}, errors.New("must be calls in a time, such as 120/5m")
}

func address(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("must be host:port, such as 127.0.0.1:8484")
	}
	return nil
}

// loopback tells whether an address can be reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func publicURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must be an address such as https://spend.example.com, without query or password")
	}
	return strings.TrimRight(s, "/"), nil
}

func scheme(s string, known ...string) error {
	if u, err := url.Parse(s); err != nil || !slices.Contains(known, u.Scheme) || u.Host == "" && u.RawQuery == "" {
		return fmt.Errorf("must be an address that begins with %s://", known[0])
	}
	return nil
}

func networks(s string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, part := range split(s) {
		network, err := netip.ParsePrefix(part)
		if err != nil {
			ip, ipErr := netip.ParseAddr(part)
			if ipErr != nil {
				return nil, fmt.Errorf("has %q, which is neither an address nor a network such as 10.0.0.0/8", part)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		all = append(all, network.Masked())
	}
	return all, nil
}
