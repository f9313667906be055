// Command quittance is a self-hosted spend server: run `quittance help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"quittance/internal/app"
	"quittance/internal/kernel/sandbox"
)

func main() {
	sandbox.Worker(app.SandboxJobs()) // the program is also its own child for untrusted files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(app.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
