package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quittance/internal/kernel/config"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Main runs the command that line names and gives the exit status: 0 when it did
// what it should, 1 when it could not, 2 when it was called wrongly.
func Main(ctx context.Context, line, environ []string, out, errOut io.Writer) int {
	command, args, err := config.Split(line)
	if err == nil {
		var c config.Config
		if c, err = config.Load(command, args, environ); err == nil {
			if err = run(ctx, c, out, errOut); err == nil {
				return 0
			}
			fmt.Fprintln(errOut, "quittance:", plain(err))
			return 1
		}
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, config.Usage(command))
		return 0
	}
	fmt.Fprintln(errOut, "quittance:", plain(err))
	return 2
}

// plain is an error for a terminal: the sentence, or all problems, and what caused it.
func plain(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text, cause := e.Message, errors.Unwrap(e)
	switch {
	case len(e.Fields) > 0 && e.Code != "settings": // whose message lists them
		sentences := make([]string, len(e.Fields))
		for i, f := range e.Fields {
			sentences[i] = f.Path + ": " + f.Message
		}
		text = strings.Join(sentences, "\n  ")
	case e.Kind == errs.Internal && cause != nil: // whose message is for callers
		text = cause.Error()
	case cause != nil:
		text += " (" + cause.Error() + ")"
	}
	return strings.Replace(err.Error(), e.Error(), text, 1)
}

func run(ctx context.Context, c config.Config, out, errOut io.Writer) error {
	switch c.Command {
	case "serve", "dev", "demo":
		return runServer(ctx, Options{Config: c, Logger: logger(c, errOut)}, out)
	case "openapi":
		return printOpenAPI(ctx, out)
	case "version":
		_, err := fmt.Fprintln(out, "quittance", Version)
		return err
	case "healthcheck":
		return healthcheck(ctx, c)
	case "migrate status":
		return migrateStatus(ctx, c, out)
	case "config export", "config plan", "config apply":
		return runConfigFile(ctx, c, out, logger(c, errOut))
	case "backup create", "backup verify", "backup restore":
		return runBackup(ctx, c, out, logger(c, errOut))
	}
	return runCreate(ctx, c, out, logger(c, errOut))
}

func logger(c config.Config, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// stopTime is how long running calls may take to finish when the server is told to end.
const stopTime = 20 * time.Second

func runServer(ctx context.Context, o Options, out io.Writer) (err error) {
	a, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, a.Stop(stopping))
	}()
	switch o.Command {
	case "demo":
		file := filepath.Join(o.Data, "demo-report.pdf")
		if err := Demo(ctx, a.reachable(), file, out); err != nil || o.Exit {
			return err
		}
		fmt.Fprintf(out, "\nThe server keeps running on %s; end it with Ctrl-C.\n", a.PublicURL())
	case "dev":
		a.greet(ctx, out)
	case "serve":
		if err := a.hint(ctx, out); err != nil {
			return err
		}
	}
	return a.Wait(ctx)
}

// reachable is the server's address as this machine reaches it.
func (a *App) reachable() string {
	if a.options.TLSCert != "" {
		return a.publicURL // the name that the certificate is for
	}
	return scheme("") + dialled(a.Address())
}

// dialled is an address to listen on as one to connect to.
func dialled(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// hint tells the operator of an empty store what to do first.
func (a *App) hint(ctx context.Context, out io.Writer) error {
	return a.DB.Read(ctx, func(tx *store.Tx) error {
		companies, err := a.Org.Companies(tx)
		if err == nil && len(companies) == 0 {
			before, where := "Stop the server and make", "--data "+a.options.Data
			if a.options.Database != "" {
				before, where = "Make", "--database …"
			}
			_, err = fmt.Fprintf(out, "This store is empty. %s a company with its first administrator: quittance admin create %s --company \"Your Company\" --login you@example.com\n", before, where)
		}
		return err
	})
}

// printOpenAPI starts a sandbox on a folder of its own, since the document is made
// of what a server declares.
func printOpenAPI(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "quittance-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, err := config.Load("dev", []string{"--data", dir, "--listen", "127.0.0.1:0", "--allow-weak-sandbox"}, nil)
	if err != nil {
		return err
	}
	a, err := Start(ctx, Options{Config: c})
	if err != nil {
		return err
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	document := []byte(strings.ReplaceAll(string(a.API.OpenAPI(Version)), a.PublicURL(), "http://127.0.0.1:8484"))
	_, err = out.Write(append(document, '\n'))
	return errors.Join(err, a.Stop(stopping))
}

// healthcheck asks a running server whether it is well.
func healthcheck(ctx context.Context, c config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme(c.TLSCert)+dialled(c.Listen)+"/readyz", nil)
	if err != nil {
		return err
	}
	var transport http.Transport
	defer transport.CloseIdleConnections()
	if c.TLSCert != "" {
		if transport.TLSClientConfig, err = pinned(c.TLSCert, c.TLSKey); err != nil {
			return err
		}
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return nil
}

// pinned trusts a server that shows this certificate and no other, whatever name and
// issuer it has: the check runs on the server's own machine.
func pinned(cert, key string) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be used: %w", err)
	}
	return &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error { //nolint:gosec // compared as a whole instead
		if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, own.Certificate[0]) {
			return errors.New("it shows another certificate than --tls-cert")
		}
		return nil
	}}, nil
}

func migrateStatus(ctx context.Context, c config.Config, out io.Writer) error {
	o := storeOptions(&Options{Config: c}, value.SystemClock)
	if o.Path != "" {
		if _, err := os.Stat(o.Path); err != nil {
			return fmt.Errorf("there is no database in %s", c.Data)
		}
	}
	all, err := store.MigrationStatus(ctx, o)
	if err != nil {
		return err
	}
	for _, m := range all {
		state := "pending"
		if m.Applied != 0 {
			state = "applied " + m.Applied.Time().Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(out, "%s  %s\n", m.Name, state); err != nil {
			return err
		}
	}
	return nil
}
