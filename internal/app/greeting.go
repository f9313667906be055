package app

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"quittance/client"
)

// greet prints lines that can be pasted: a token and the seeded records to try.
func (a *App) greet(ctx context.Context, terminal io.Writer) {
	out := new(bytes.Buffer) // written at once, so that the log does not come between
	defer func() { _, _ = terminal.Write(out.Bytes()) }()
	base := a.reachable()
	fmt.Fprintf(out, "Quittance %s, a sandbox on %s\n\n", Version, base)
	ann, err := client.New(base, client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"}).SignIn(ctx, "ann@demo.test", "ann-password")
	if err != nil {
		// The seed's password may have been changed in this folder; the server is fine.
		fmt.Fprintf(out, "(ann@demo.test cannot sign in: %v)\n", err)
		return
	}
	fmt.Fprintf(out, "TOKEN=%s\n\n", ann.Token)
	// Ids have dollar signs in them, which a shell takes for its own outside of such quotes.
	line := func(comment, format string, args ...any) {
		fmt.Fprintf(out, "# %s\ncurl -s -H \"Authorization: Bearer $TOKEN\" -H \"Accept: application/json\" '%s%s'\n", comment, base, fmt.Sprintf(format, args...))
	}
	if reports, err := ann.Reports(ctx); err == nil && len(reports) > 0 {
		line("ann's draft report", "/api/v3.0/expense/reports/%s", reports[0].ID)
		if entries, err := ann.Entries(ctx, reports[0].ID); err == nil && len(entries) > 0 {
			line("one of its entries", "/api/v3.0/expense/entries/%s", entries[0].ID)
		}
	}
	line("everything that can be called", "/openapi.json")
	line("the last calls, and why they were refused", "/-/requests")
	fmt.Fprintf(out, "\nivan's payment request is %s. Other people and passwords: docs/guide.md\n", DemoPaymentRequest)
	if id := a.anyLocation(ctx); id != "" {
		fmt.Fprintf(out, "A location for an entry's LocationID is %s\n", id)
	}
}
