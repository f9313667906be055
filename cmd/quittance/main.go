// Command quittance is a self-hosted spend server: run `quittance help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"quittance/internal/app"
	"quittance/internal/kernel/sandbox"
)

func main() {
	sandbox.Worker(app.SandboxJobs()) // the program is also its own child for untrusted files
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // little is kept in memory: collecting half as often costs a few MB
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(app.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
