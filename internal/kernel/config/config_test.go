package config

import (
	"errors"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/errs"
)

// least is what a command cannot be without.
func least(command string) []string {
	switch command {
	case "serve":
		return []string{"--public-url", "https://spend.example.com"}
	case "admin create":
		return []string{"--company", "Demo", "--login", "ann@demo.test"}
	case "user list":
		return []string{"--company", "c1"}
	case "user import":
		return []string{"--company", "c1", "--file", "people.csv"}
	case "user delegate":
		return []string{"--company", "c1", "--login", "ann@demo.test", "--to", "bob@demo.test"}
	case "user create", "user change", "user disable":
		return []string{"--company", "c1", "--login", "ann@demo.test"}
	case "config export":
		return []string{"--company", "c1"}
	case "config plan", "config apply":
		return []string{"--company", "c1", "company.yaml"}
	case "app create":
		return []string{"--company", "c1", "--name", "Bot"}
	case "token create":
		return []string{"--company", "c1"}
	case "backup create", "backup verify", "backup restore":
		return []string{"store.tar"}
	}
	return nil
}

func TestDefaults(t *testing.T) {
	limits := Limits{Body: 10 << 20, Image: 10 << 20, ReceiptImage: 10 << 20, Receipt: 5 << 20, QuickExpense: 5 << 20,
		QuickExpenseRate: Rate{120, 5 * time.Minute}, LinkLife: 15 * time.Minute}
	for command, want := range map[string]Config{
		"serve": {Data: "./quittance-data", Listen: "127.0.0.1:8484", AdminListen: "127.0.0.1:8485", PublicURL: "https://spend.example.com",
			LogFormat: "json", Limits: limits},
		"dev":            {Data: "./quittance-dev", Listen: "127.0.0.1:8484", LogFormat: "text", ScaleSeed: 1, Limits: limits},
		"demo":           {Data: "./quittance-dev", Listen: "127.0.0.1:8484", LogLevel: slog.LevelWarn, LogFormat: "text", Limits: limits},
		"admin create":   {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "Demo", Login: "ann@demo.test", Country: "US", Currency: "USD"}},
		"user create":    {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1", Login: "ann@demo.test"}},
		"user change":    {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1", Login: "ann@demo.test"}},
		"user disable":   {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1", Login: "ann@demo.test"}},
		"user delegate":  {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1", Login: "ann@demo.test"}, People: People{To: "bob@demo.test"}},
		"user list":      {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}, People: People{Limit: 200}},
		"user import":    {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}, People: People{File: "people.csv"}},
		"config export":  {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}},
		"config plan":    {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}, Operands: []string{"company.yaml"}},
		"config apply":   {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}, Operands: []string{"company.yaml"}},
		"app create":     {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1", Name: "Bot", Profile: "documented"}},
		"token create":   {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", New: New{Company: "c1"}},
		"backup create":  {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", Operands: []string{"store.tar"}},
		"backup verify":  {LogLevel: slog.LevelWarn, LogFormat: "text", Operands: []string{"store.tar"}},
		"backup restore": {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text", Operands: []string{"store.tar"}},
		"migrate status": {Data: "./quittance-data", LogLevel: slog.LevelWarn, LogFormat: "text"},
		"healthcheck":    {Listen: "127.0.0.1:8484"},
		"openapi":        {},
		"version":        {},
	} {
		want.Command = command
		got, err := Load(command, least(command), []string{"PATH=/bin", "QUITTANCE_TEST_S3=x", "QUITTANCE_DATA="})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v, %v", command, got, want, err)
		}
	}
}

func TestEverySetting(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("from the file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		command string
		args    []string
		environ []string
		get     func(c Config) any
		want    any
	}{
		{"flag", "dev", []string{"--listen", "127.0.0.1:1"}, nil, func(c Config) any { return c.Listen }, "127.0.0.1:1"},
		{"flag with =", "dev", []string{"-listen=[::1]:0"}, nil, func(c Config) any { return c.Listen }, "[::1]:0"},
		{"variable", "dev", nil, []string{"QUITTANCE_LISTEN=localhost:1"}, func(c Config) any { return c.Listen }, "localhost:1"},
		{"flag over variable", "dev", []string{"--listen", "127.0.0.1:1"}, []string{"QUITTANCE_LISTEN=127.0.0.1:2"}, func(c Config) any { return c.Listen }, "127.0.0.1:1"},
		{"a wrong variable does not matter under a flag", "dev", []string{"--listen", "127.0.0.1:1"}, []string{"QUITTANCE_LISTEN=x"}, func(c Config) any { return c.Listen }, "127.0.0.1:1"},
		{"another command's variable", "openapi", nil, []string{"QUITTANCE_LISTEN=x", "QUITTANCE_EXPOSE=x"}, func(c Config) any { return c.Listen }, ""},
		{"empty variable", "dev", nil, []string{"QUITTANCE_LISTEN="}, func(c Config) any { return c.Listen }, "127.0.0.1:8484"},
		{"empty flag hides a variable", "dev", []string{"--database="}, []string{"QUITTANCE_DATABASE_URL=postgres://h/n"}, func(c Config) any { return c.Database }, ""},
		{"last of two", "dev", []string{"--temp", "a", "--temp", "b"}, nil, func(c Config) any { return c.Temp }, "b"},
		{"exposed", "dev", []string{"--expose", "--listen", ":8484"}, nil, func(c Config) any { return c.Listen }, ":8484"},
		{"switched off", "dev", []string{"--expose=false"}, []string{"QUITTANCE_EXPOSE=1"}, func(c Config) any { return c.Expose }, false},
		{"weak sandbox", "dev", nil, []string{"QUITTANCE_ALLOW_WEAK_SANDBOX=true"}, func(c Config) any { return c.AllowWeakSandbox }, true},
		{"exit", "demo", []string{"--exit"}, nil, func(c Config) any { return c.Exit }, true},
		{"public url", "dev", []string{"--public-url", "http://host:1/base/"}, nil, func(c Config) any { return c.PublicURL }, "http://host:1/base"},
		{"database", "dev", nil, []string{"QUITTANCE_DATABASE_URL=postgresql:///n?host=/run"}, func(c Config) any { return c.Database }, "postgresql:///n?host=/run"},
		{"blobs", "dev", nil, []string{"QUITTANCE_BLOB_URL=s3://b?region=x"}, func(c Config) any { return c.Blobs }, "s3://b?region=x"},
		{"secret file", "dev", []string{"--blobs", "s3://b", "--blobs-access-key", "a"}, []string{"QUITTANCE_BLOB_SECRET_KEY_FILE=" + key}, func(c Config) any { return c.BlobsSecret }, "from the file"},
		{"flag over secret file", "dev", []string{"--smtp", "h:25", "--smtp-from", "a@b", "--smtp-user", "u", "--smtp-password", "p"}, []string{"QUITTANCE_SMTP_PASSWORD_FILE=/nowhere"},
			func(c Config) any { return c.Mail }, Mail{"h:25", "a@b", "u", "p"}},
		{"proxies", "dev", []string{"--trusted-proxy", "10.1.2.3/8, ::1,"}, nil, func(c Config) any { return c.TrustedProxies },
			[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		{"no admin address", "serve", append(least("serve"), "--admin-listen", "off"), nil, func(c Config) any { return c.AdminListen }, ""},
		{"tls", "serve", append(least("serve"), "--tls-cert", "c", "--tls-key", "k"), nil, func(c Config) any { return c.TLSCert + c.TLSKey }, "ck"},
		{"log level", "dev", []string{"--log-level", "WARN"}, nil, func(c Config) any { return c.LogLevel }, slog.LevelWarn},
		{"log format", "serve", append(least("serve"), "--log-format", "text"), nil, func(c Config) any { return c.LogFormat }, "text"},
		{"megabytes", "dev", []string{"--limit-receipt", "25MB"}, nil, func(c Config) any { return c.Limits.Receipt }, int64(25 << 20)},
		{"kilobytes", "dev", []string{"--limit-image", "512 kb"}, nil, func(c Config) any { return c.Limits.Image }, int64(512 << 10)},
		{"bytes", "dev", []string{"--limit-quick-expense", "1000"}, nil, func(c Config) any { return c.Limits.QuickExpense }, int64(1000)},
		{"the largest size", "dev", []string{"--limit-body", "200MB", "--limit-receipt-image", "1B"}, nil, func(c Config) any { return c.Limits.Body + c.Limits.ReceiptImage }, int64(200<<20 + 1)},
		{"rate", "dev", []string{"--rate-quick-expense", "10 / 1m30s"}, nil, func(c Config) any { return c.Limits.QuickExpenseRate }, Rate{10, 90 * time.Second}},
		{"link life", "dev", []string{"--link-life", "30m"}, nil, func(c Config) any { return c.Limits.LinkLife }, 30 * time.Minute},
		{"lists", "app create", append(least("app create"), "--scopes", "EXPRPT, IMAGE", "--redirects", "http://127.0.0.1/callback", "--profile", "observed"), nil,
			func(c Config) any { return c.New }, New{Company: "c1", Name: "Bot", Scopes: []string{"EXPRPT", "IMAGE"}, Redirects: []string{"http://127.0.0.1/callback"}, Profile: "observed"}},
		{"flags after the operand", "backup create", []string{"a.tar", "--data", "x"}, nil, func(c Config) any { return c.Operands[0] + c.Data }, "a.tarx"},
		{"operands after two dashes", "backup create", []string{"--data", "x", "--", "--a.tar"}, nil, func(c Config) any { return c.Operands[0] + c.Data }, "--a.tarx"},
		{"a delegate", "user delegate", append(least("user delegate"), "--approve", "--prepare", "--from", "2026-07-01", "--until=2026-07-31"), nil,
			func(c Config) any { return c.People }, People{To: "bob@demo.test", Prepare: true, Approve: true, From: 20260701, Until: 20260731}},
		{"a page of users", "user list", append(least("user list"), "--limit", "1000", "--after", "bob@demo.test"), nil, func(c Config) any { return c.People }, People{Limit: 1000, After: "bob@demo.test"}},
		{"a value with dashes", "dev", []string{"--temp", "---x"}, nil, func(c Config) any { return c.Temp }, "---x"},
		{"no secret file for what is none", "dev", nil, []string{"QUITTANCE_TEMP=t"}, func(c Config) any { return c.Temp }, "t"},
	} {
		got, err := Load(c.command, c.args, c.environ)
		if err != nil || !reflect.DeepEqual(c.get(got), c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, c.get(got), err, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command string
		args    []string
		environ []string
		want    []string // in order: the path, a blank, and a part of the sentence
	}{
		{"serve", nil, nil, []string{"--public-url is missing"}},
		{"serve", []string{"--public-url", "spend.example.com"}, nil, []string{"--public-url must be an address"}},
		{"serve", []string{"--public-url", "https://u:p@h"}, nil, []string{"--public-url must"}},
		{"serve", append(least("serve"), "--admin-listen", "0.0.0.0:1"), nil, []string{"--admin-listen is 0.0.0.0:1, but metrics"}},
		{"serve", append(least("serve"), "--admin-listen", "127.0.0.1:8484"), nil, []string{"--admin-listen must differ"}},
		{"serve", append(least("serve"), "--exit"), nil, []string{"--exit is no setting of serve."}},
		{"dev", []string{"--listen", ":8484"}, nil, []string{"--listen is :8484, but everybody"}},
		{"demo", nil, []string{"QUITTANCE_LISTEN=192.168.1.1:80"}, []string{"--listen is 192.168.1.1:80, but"}},
		{"dev", []string{"--lisen", "127.0.0.1:1"}, nil, []string{"--lisen is unknown. Did you mean --listen?"}},
		{"dev", []string{"-lisetn=127.0.0.1:1", "--log-lvl", "x", "--zebra"}, nil,
			[]string{"--lisetn is unknown. Did you mean --listen?", "--log-lvl is unknown. Did you mean --log-level?", "--zebra is unknown."}},
		{"dev", []string{"---listen", "x"}, nil, []string{"---listen is unknown. Did you mean --listen?"}},
		{"dev", []string{"--listen"}, nil, []string{"--listen is missing its value."}},
		{"dev", []string{"--listen", ""}, nil, []string{"--listen must not be empty."}},
		{"dev", []string{"now"}, nil, []string{"now is one word too many for dev."}},
		{"backup create", nil, nil, []string{"file is missing"}},
		{"backup create", []string{"a", "b"}, nil, []string{"b is one word too many"}},
		{"dev", nil, []string{"QUITTANCE_DATABSE_URL=x", "QUITTANCE_DATABASE=x", "QUITTANCE_=x", "QUITTANCE_TEMP_FILE=x"},
			[]string{"QUITTANCE_DATABSE_URL is unknown. Did you mean QUITTANCE_DATABASE_URL?", "QUITTANCE_DATABASE is unknown.", "QUITTANCE_ is unknown.", "QUITTANCE_TEMP_FILE is unknown."}},
		{"dev", nil, []string{"QUITTANCE_DATABASE_URL=a", "QUITTANCE_DATABASE_URL_FILE=b"}, []string{"QUITTANCE_DATABASE_URL is given twice", "QUITTANCE_DATABASE_URL must be an address that begins with postgres://"}},
		{"dev", nil, []string{"QUITTANCE_DATABASE_URL_FILE=/nowhere/at/all"}, []string{"QUITTANCE_DATABASE_URL_FILE names a file that cannot be used"}},
		{"dev", nil, []string{"QUITTANCE_SMTP_PASSWORD_FILE=" + empty}, []string{"QUITTANCE_SMTP_PASSWORD_FILE names a file that cannot be used"}},
		{"dev", []string{"--database", "mysql://h/n", "--blobs", "bucket", "--listen", "x", "--log-level", "loud", "--log-format", "xml"}, nil,
			[]string{"--listen must be host:port", "--database must", "--blobs must", "--log-level must", "--log-format must be text or json"}},
		{"dev", []string{"--limit-body", "0"}, []string{"QUITTANCE_LIMIT_IMAGE=201MB", "QUITTANCE_LIMIT_RECEIPT=9999999999GB", "QUITTANCE_LIMIT_QUICK_EXPENSE=-1"},
			[]string{"--limit-body must be a size", "QUITTANCE_LIMIT_IMAGE must", "QUITTANCE_LIMIT_RECEIPT must", "QUITTANCE_LIMIT_QUICK_EXPENSE must"}},
		{"dev", []string{"--rate-quick-expense", "120", "--link-life", "25h"}, nil, []string{"--rate-quick-expense must", "--link-life must"}},
		{"dev", []string{"--rate-quick-expense", "0/5m", "--link-life", "x"}, nil, []string{"--rate-quick-expense must", "--link-life must"}},
		{"dev", []string{"--trusted-proxy", "10.0.0.1,proxy"}, nil, []string{`--trusted-proxy has "proxy"`}},
		{"dev", []string{"--tls-cert", "c"}, nil, []string{"--tls-key is missing"}},
		{"dev", []string{"--tls-key", "c"}, nil, []string{"--tls-cert is missing"}},
		{"dev", []string{"--blobs-access-key", "c"}, nil, []string{"--blobs-secret-key is missing", "--blobs is missing"}},
		{"dev", []string{"--smtp", "h:25"}, nil, []string{"--smtp-from is missing"}},
		{"dev", []string{"--smtp-from", "nobody"}, nil, []string{"--smtp-from must be a mail address", "--smtp is missing"}},
		{"dev", []string{"--smtp", "h:99999", "--smtp-from", "a@b", "--smtp-user", "u"}, nil, []string{"--smtp must be host:port", "--smtp-password is missing"}},
		{"dev", []string{"--expose=perhaps"}, nil, []string{"--expose must be true or false"}},
		{"admin create", nil, nil, []string{"--company is missing", "--login is missing"}},
		{"user create", nil, nil, []string{"--company is missing", "--login is missing"}},
		{"app create", []string{"--profile", "other"}, nil, []string{"--profile must be documented or observed", "--company is missing", "--name is missing"}},
		{"token create", nil, nil, []string{"--company is missing"}},
		{"user delegate", []string{"--from", "soon", "--until", "2026-02-30"}, nil,
			[]string{"--from must be a day", "--until must be a day", "--company is missing", "--login is missing", "--to is missing"}},
		{"user list", []string{"--limit", "1001"}, nil, []string{"--limit must be a whole number from 1 to 1000", "--company is missing"}},
		{"user import", nil, nil, []string{"--company is missing", "--file is missing"}},
	} {
		_, err := Load(c.command, c.args, c.environ)
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s %v %v: %v", c.command, c.args, c.environ, err)
			continue
		}
		e := errs.As(err)
		var got []string
		for _, f := range e.Fields {
			got = append(got, f.Path+" "+f.Message)
			if !strings.HasSuffix(f.Message, ".") && !strings.HasSuffix(f.Message, "?") || !strings.Contains(e.Message, "\n  "+f.Path+" "+f.Message) {
				t.Errorf("%q is no sentence of %q", f.Message, e.Message)
			}
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s %v %v:\n%s\nwant\n%s", c.command, c.args, c.environ, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		line    string
		command string
		args    string
	}{
		{"dev", "dev", ""},
		{"dev --listen x", "dev", "--listen x"},
		{"backup create a.tar", "backup create", "a.tar"},
		{"--version", "version", ""},
	} {
		command, args, err := Split(strings.Fields(c.line))
		if err != nil || command != c.command || strings.Join(args, " ") != c.args {
			t.Errorf("%s: %q %q, %v", c.line, command, args, err)
		}
	}
	for line, want := range map[string]string{
		"sevre":                `There is no command "sevre". Did you mean serve? See quittance help.`,
		"backup creat a.tar":   `There is no command "backup creat". Did you mean backup create? See quittance help.`,
		"backup":               `"backup" is half a command: backup create, backup verify, backup restore. See quittance help.`,
		"help devv":            `There is no command "devv". Did you mean dev? See quittance help.`,
		"everything --listen":  `There is no command "everything". See quittance help.`,
		"--listen 127.0.0.1:1": `There is no command "--listen 127.0.0.1:1". See quittance help.`,
	} {
		_, _, err := Split(strings.Fields(line))
		if !errs.Is(err, errs.Invalid) || errs.As(err).Message != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	for line, of := range map[string]string{"": "", "help": "", "-h": "", "--help": "", "help dev": "dev", "help backup create": "backup create"} {
		if command, _, err := Split(strings.Fields(line)); !errors.Is(err, flag.ErrHelp) || command != of {
			t.Errorf("%q: %q, %v", line, command, err)
		}
	}
	if _, err := Load("sevre", nil, nil); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	for _, help := range []string{"-h", "--help"} {
		if _, err := Load("dev", []string{"--wrong", help}, nil); !errors.Is(err, flag.ErrHelp) {
			t.Error(err)
		}
	}
}

func TestUsage(t *testing.T) {
	overview := Usage("")
	for _, c := range commands {
		if !strings.Contains(overview, "\n  "+c.name+" ") {
			t.Errorf("the overview lacks %s", c.name)
		}
		usage := Usage(c.name)
		if !strings.HasPrefix(usage, c.doc+"\n\nUsage: quittance "+c.name+" [flags]") {
			t.Errorf("the usage of %s begins %.80s", c.name, usage)
		}
		for _, s := range settings() {
			has := strings.Contains(usage, "\n  --"+s.flag+" ") && strings.Contains(usage, "("+s.variable())
			if want := slices.Contains(s.on, c.name); has != want {
				t.Errorf("the usage of %s has --%s: %t, want %t", c.name, s.flag, has, want)
			}
		}
	}
	const want = `
  --database <url>  (QUITTANCE_DATABASE_URL[_FILE])
      PostgreSQL, as postgres://user:password@host/name, in place of SQLite.
`
	if !strings.Contains(Usage("dev"), want) {
		t.Errorf("the usage of dev:\n%s", Usage("dev"))
	}
	if want := "--data <folder>  (QUITTANCE_DATA)\n"; !strings.Contains(Usage("dev"), want) || !strings.Contains(Usage("dev"), "Default: ./quittance-dev.") {
		t.Errorf("the usage of dev:\n%s", Usage("dev"))
	}
}

func TestSettingsAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range settings() {
		for _, name := range []string{s.flag, s.variable()} {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if !strings.HasPrefix(s.variable(), prefix) || !strings.HasSuffix(s.doc, ".") || len(s.on) == 0 {
			t.Errorf("--%s is not well formed", s.flag)
		}
		for _, command := range s.on {
			if !isCommand(command) {
				t.Errorf("--%s is of the unknown command %s", s.flag, command)
			}
		}
		for command := range s.plains {
			if !slices.Contains(s.on, command) {
				t.Errorf("--%s has a default for %s, which does not take it", s.flag, command)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"listen", "listen", 0}, {"lisen", "listen", 1}, {"lisetn", "listen", 1},
		{"log-lvl", "log-level", 2}, {"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
