// Command bench measures Quittance beside its peers, on this machine and in this run,
// and prints a table with ratios. Nothing here is asserted; the bars are in the table.
//
//	go run . -seconds 5 -connections 32 -entries 1000000
//
// The servers listen on loopback; load is bounded by time and connections. A peer
// that is not to be had is named and its ratio left blank.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"quittance/internal/app"
	"quittance/internal/kernel/sandbox"
)

type settings struct {
	seconds     time.Duration
	connections int
	entries     int
	work        string // a folder for data and binaries
	root        string // of the repository
	only        string
	people      int    // of the year whose lists are measured
	year        string // a folder that has it already, or gets it
	database    string // a PostgreSQL beside it
	queries     string // a file for the slowest statements
}

func main() {
	sandbox.Worker(app.SandboxJobs())
	if len(os.Args) > 1 && os.Args[1] == "peer" {
		peer(os.Args[2:])
		return
	}
	var s settings
	seconds := flag.Int("seconds", 5, "how long each measurement runs")
	flag.IntVar(&s.connections, "connections", 32, "how many connections the load generator keeps")
	flag.IntVar(&s.entries, "entries", 1_000_000, "how many entries the paging measurement has")
	flag.StringVar(&s.only, "only", "", "a comma list of parts: encode, entries, pages, images, receipts, start; and lists, which is left out without being named")
	flag.IntVar(&s.people, "people", 2000, "lists: how many people the year has")
	flag.StringVar(&s.year, "year", "", "lists: a folder for the year, which is made there unless it is there")
	flag.StringVar(&s.database, "database", "", "lists: an empty PostgreSQL database, or one with the year, to be measured too")
	flag.StringVar(&s.queries, "queries", "", "lists: a file to write the slowest statements to")
	flag.StringVar(&s.work, "work", "", "a folder to work in; a temporary one without it")
	flag.Bool("table", true, "print the table (kept for scripts)")
	flag.Parse()
	s.seconds = time.Duration(*seconds) * time.Second
	if err := run(&s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s *settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if s.root, err = filepath.Abs(".."); err != nil {
		return err
	}
	if s.work == "" {
		if s.work, err = os.MkdirTemp("", "quittance-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.work)
	}
	binary := filepath.Join(s.work, "quittance")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/quittance")
	build.Dir, build.Stderr, build.Env = s.root, os.Stderr, append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return fmt.Errorf("the server does not build: %w", err)
	}
	t := &table{}
	for _, part := range []struct {
		name string
		run  func(context.Context, *settings, string, *table) error
	}{
		{"encode", benchEncode}, {"entries", benchEntries}, {"pages", benchPages}, {"images", benchImages}, {"receipts", benchReceipts}, {"start", benchStart},
		{"lists", benchLists},
	} {
		if s.only == "" && part.name == "lists" { // it takes minutes
			continue
		}
		if s.only != "" && !strings.Contains(","+s.only+",", ","+part.name+",") {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", part.name, "…")
		if err := part.run(ctx, s, binary, t); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	t.print(os.Stdout)
	return nil
}

// row is one line of the table.
type row struct{ what, ours, peer, ratio, bar string }

type table struct{ rows []row }

func (t *table) add(what, ours, peer, ratio, bar string) {
	t.rows = append(t.rows, row{what, ours, peer, ratio, bar})
}

func (t *table) print(w *os.File) {
	fmt.Fprintln(w, "| what | Quittance | peer | ratio | bar |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	for _, r := range t.rows {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.what, r.ours, r.peer, r.ratio, r.bar)
	}
}

func ratio(ours, peer float64) string {
	if peer == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f ×", ours/peer)
}
