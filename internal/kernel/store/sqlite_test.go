package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

var everything = store.Unrestricted()

func openLite(t testing.TB, opts ...storetest.Option) *store.DB {
	t.Helper()
	return storetest.SQLite(t, append(opts, storetest.Migrations(storetest.Schema()))...)
}

// member is one closure of a group, and what became of it.
type member struct {
	ctx context.Context
	do  func(tx *store.Tx) error

	runs int
	err  error
}

// inOneGroup has the writer take all members as one group, by keeping it busy until
// they wait.
func inOneGroup(t *testing.T, db *store.DB, members ...*member) {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		db.Write(t.Context(), func(*store.Tx) error { close(entered); <-release; return nil })
	})
	<-entered
	for i, m := range members {
		if m.ctx == nil {
			m.ctx = t.Context()
		}
		all.Go(func() {
			m.err = db.Write(m.ctx, func(tx *store.Tx) error { m.runs++; return m.do(tx) })
		})
		for store.Queued(db) <= i { // one after the other: their order is part of the test
			runtime.Gosched()
		}
	}
	close(release)
	all.Wait()
}

func adds(id string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return storetest.Items.Insert(tx, &storetest.Item{ID: id}) }
}

func stands(t *testing.T, db *store.DB, id string) bool {
	t.Helper()
	var n int64
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		n, err = storetest.Items.Count(tx, everything, store.Where("id = ?", id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// TestGroup holds what one closure of a group may do against its neighbours: they
// land, whatever it does.
func TestGroup(t *testing.T) {
	mine := errors.New("mine")
	big := make([]byte, 4<<20)
	for _, c := range []struct {
		name  string
		do    func(tx *store.Tx, cancel func()) error
		lands bool
		again bool // the group was lost and everyone ran alone
		check func(err error) bool
	}{
		{"an error", func(tx *store.Tx, _ func()) error { adds("middle")(tx); return mine }, false, false,
			func(err error) bool { return errors.Is(err, mine) }},
		{"a panic", func(tx *store.Tx, _ func()) error { adds("middle")(tx); panic("surprise") }, false, false,
			func(err error) bool { return errs.As(err).Code == "panic" }},
		{"a failed statement", func(tx *store.Tx, _ func()) error { adds("middle")(tx); adds("first")(tx); return nil }, false, false,
			store.IsUnique},
		{"a context cancelled on the way", func(tx *store.Tx, cancel func()) error {
			cancel()
			return adds("middle")(tx)
		}, true, false, func(err error) bool { return err == nil }},
		{"a full disk", func(tx *store.Tx, _ func()) error {
			adds("middle")(tx)
			return storetest.Items.Insert(tx, &storetest.Item{ID: "big", Content: big})
		}, false, true, func(err error) bool { return errs.Is(err, errs.Unavailable) && errs.As(err).Code == "full" }},
		{"a full disk that the closure looks away from", func(tx *store.Tx, _ func()) error {
			storetest.Items.Insert(tx, &storetest.Item{ID: "big", Content: big})
			adds("middle")(tx)
			return nil
		}, false, true, func(err error) bool { return errs.Is(err, errs.Unavailable) }},
		{"a rollback of its own", func(tx *store.Tx, _ func()) error {
			tx.Exec("ROLLBACK")
			return adds("middle")(tx)
		}, false, true, func(err error) bool { return err != nil }},
		{"a transaction of its own", func(tx *store.Tx, _ func()) error {
			for _, sql := range []string{"ROLLBACK", "BEGIN IMMEDIATE", "SAVEPOINT one"} {
				if _, err := tx.Exec(sql); err != nil {
					return err
				}
			}
			return adds("middle")(tx)
		}, false, true, func(err error) bool { return err != nil }},
		{"a commit of its own", func(tx *store.Tx, _ func()) error {
			adds("middle")(tx)
			_, err := tx.Exec("COMMIT")
			return err
		}, false, true, func(err error) bool { return err != nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openLite(t, storetest.With(func(o *store.Options) { store.Pragmas(o, "max_page_count(200)") }))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := &member{do: adds("first")}
			middle := &member{ctx: ctx, do: func(tx *store.Tx) error { return c.do(tx, cancel) }}
			last := &member{do: adds("last")}
			inOneGroup(t, db, first, middle, last)
			if first.err != nil || last.err != nil || !stands(t, db, "first") || !stands(t, db, "last") {
				t.Errorf("the neighbours got %v and %v", first.err, last.err)
			}
			if !c.check(middle.err) {
				t.Errorf("the one between got %v", middle.err)
			}
			if stands(t, db, "middle") != c.lands {
				t.Errorf("the one between landed: %v", !c.lands)
			}
			if again := first.runs == 2; again != c.again {
				t.Errorf("the runs are %d, %d, %d", first.runs, middle.runs, last.runs)
			}
			// The writer goes on as before.
			if err := db.Write(t.Context(), adds("later")); err != nil || !stands(t, db, "later") {
				t.Error("the next write:", err)
			}
		})
	}
}

// TestGroupSkips: whoever has left before the turn came does not run.
func TestGroupSkips(t *testing.T) {
	db := openLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	before := &member{do: func(tx *store.Tx) error { cancel(); return adds("before")(tx) }}
	gone := &member{ctx: ctx, do: adds("gone")}
	after := &member{do: adds("after")}
	inOneGroup(t, db, before, gone, after)
	if before.err != nil || after.err != nil || before.runs != 1 || after.runs != 1 {
		t.Errorf("the neighbours got %v and %v", before.err, after.err)
	}
	if !errs.Is(gone.err, errs.Unavailable) || gone.runs != 0 || stands(t, db, "gone") {
		t.Errorf("the one that left got %v in %d runs", gone.err, gone.runs)
	}
}

// TestGroupHooks: of a group that is run again, only the committed run tells.
func TestGroupHooks(t *testing.T) {
	db := openLite(t, storetest.With(func(o *store.Options) { store.Pragmas(o, "max_page_count(200)") }))
	var told atomic.Int64
	tells := &member{do: func(tx *store.Tx) error { tx.OnCommit(func() { told.Add(1) }); return adds("tells")(tx) }}
	inOneGroup(t, db, tells, &member{do: func(tx *store.Tx) error {
		return storetest.Items.Insert(tx, &storetest.Item{ID: "big", Content: make([]byte, 4<<20)})
	}})
	if tells.runs != 2 || told.Load() != 1 {
		t.Errorf("%d runs told %d times", tells.runs, told.Load())
	}
}

// TestWaitEnds: a caller whose time is over does not wait for a busy writer.
func TestWaitEnds(t *testing.T) {
	db := openLite(t)
	entered, release := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		db.Write(t.Context(), func(*store.Tx) error { close(entered); <-release; return nil })
	})
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	err := db.Write(ctx, adds("late"))
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
	close(release)
	holder.Wait()
	if err := db.Write(t.Context(), adds("next")); err != nil {
		t.Error(err)
	}
	if stands(t, db, "late") {
		t.Error("a write landed after its caller had been told that it would not")
	}
}

// TestReadersWait: with every connection taken, a read waits for its turn or its end.
func TestReadersWait(t *testing.T) {
	db := openLite(t, storetest.With(func(o *store.Options) { o.ReadConns = 1 }))
	err := db.Read(t.Context(), func(*store.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		return db.Read(ctx, func(*store.Tx) error { return nil })
	})
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
	if stands(t, db, "nothing") {
		t.Error("found nothing")
	}
}

// TestCloseAnswers: writes that wait when the database is closed are answered, and
// those that were told so are there.
func TestCloseAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "closing.db")
	lite, _ := storetest.Schema()
	db, err := store.Open(t.Context(), store.Options{Path: path, Migrations: lite})
	if err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		db.Write(t.Context(), func(*store.Tx) error { close(entered); <-release; return nil })
	})
	<-entered
	const n = 20
	results := make([]error, n)
	for i := range n {
		all.Go(func() { results[i] = db.Write(t.Context(), adds(strconv.Itoa(i))) })
	}
	for store.Queued(db) < n {
		runtime.Gosched()
	}
	all.Go(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	close(release)
	all.Wait()
	db, err = store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, err := range results {
		if landed := stands(t, db, strconv.Itoa(i)); landed != (err == nil) {
			t.Errorf("write %d was answered %v, landed: %v", i, err, landed)
		}
	}
}

// TestFullDiskRecovers: small writes go on beside one that does not fit, and that one
// succeeds when there is room.
func TestFullDiskRecovers(t *testing.T) {
	db := openLite(t, storetest.With(func(o *store.Options) { store.Pragmas(o, "max_page_count(200)") }))
	big := func(tx *store.Tx) error {
		return storetest.Items.Insert(tx, &storetest.Item{ID: "big", Content: make([]byte, 1<<20)})
	}
	for i := range 3 {
		if err := db.Write(t.Context(), big); !errs.Is(err, errs.Unavailable) || errs.As(err).RetryAfter == 0 {
			t.Errorf("got %v", err)
		}
		if err := db.Write(t.Context(), adds(strconv.Itoa(i))); err != nil {
			t.Error(err)
		}
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec("PRAGMA max_page_count(100000)"); return err })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), big); err != nil || !stands(t, db, "big") {
		t.Error("with room again:", err)
	}
}

// TestManyStatements: the statements that a connection keeps are bounded, and those
// that it let go are prepared again.
func TestManyStatements(t *testing.T) {
	db := openLite(t)
	for range 2 {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range 600 {
				var got int
				if err := tx.QueryRow(fmt.Sprintf("SELECT %d", i)).Scan(&got); err != nil || got != i {
					return fmt.Errorf("%d came as %d: %w", i, got, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDurable: what makes a commit durable is set on the writing connection, also on
// one that was opened after a failure. A killed process does not tell: the system
// keeps what was not synced.
func TestDurable(t *testing.T) {
	db := openLite(t)
	for range 2 {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
				var got string
				if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec("ROLLBACK"); return err })
	}
}

const childEnvironment = "QUITTANCE_STORE_CHILD"

// writeUntilKilled is the child of TestKilled: it writes numbered pairs of rows from
// several goroutines and prints each number once its write is answered.
func writeUntilKilled(path string) {
	db, err := store.Open(context.Background(), store.Options{Path: path})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var next atomic.Int64
	base, _ := strconv.ParseInt(os.Getenv(childEnvironment+"_BASE"), 10, 64)
	next.Store(base)
	for range 8 {
		go func() {
			for {
				id := strconv.FormatInt(next.Add(1), 10)
				err := db.Write(context.Background(), func(tx *store.Tx) error {
					if err := adds(id)(tx); err != nil {
						return err
					}
					return storetest.Lines.Insert(tx, &storetest.Line{ID: id, Item: id})
				})
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				os.Stdout.WriteString(id + "\n")
			}
		}()
	}
	select {}
}

// TestKilled kills a writing process at random moments: what it had acknowledged is
// there, whole, and nothing is there by half.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed.db")
	lite, _ := storetest.Schema()
	if _, err := store.NewTemplate(t.Context(), store.Options{Path: path, Migrations: lite}, nil); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	var acknowledged []string
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnvironment+"="+path, fmt.Sprintf("%s_BASE=%d", childEnvironment, round*1_000_000))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		left := 1 + random.IntN(300)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, err := strconv.Atoi(lines.Text()); err != nil {
				t.Error("the child says:", lines.Text())
				break
			}
			acknowledged = append(acknowledged, lines.Text())
			if left--; left == 0 {
				child.Process.Kill()
			}
		}
		child.Process.Kill()
		child.Wait()
	}
	db, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if len(acknowledged) < 5 {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}
	there := map[string]int{}
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		for n, table := range []string{"item", "line"} {
			rows, err := tx.Query("SELECT id FROM " + table + " ORDER BY seq")
			if err != nil {
				return err
			}
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				there[id] += n + 1
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range acknowledged {
		if there[id] != 3 {
			t.Errorf("write %s was acknowledged and is not there whole", id)
		}
	}
	for id, parts := range there {
		if parts != 3 {
			t.Errorf("of write %s there is half", id)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := store.Verify(t.Context(), path); err != nil {
		t.Error(err)
	}
}

// TestReplace: a database is put back to a snapshot while it serves; readers see the
// one state or the other.
func TestReplace(t *testing.T) {
	db := openLite(t)
	fill := func(from, to int, name string) {
		t.Helper()
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			for i := from; i < to; i++ {
				if err := storetest.Items.Insert(tx, &storetest.Item{ID: strconv.Itoa(i), Name: name, Content: make([]byte, 500)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(0, 500, "seeded")
	seed := filepath.Join(t.TempDir(), "seed.db")
	if err := db.Snapshot(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	if err := store.Verify(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := db.Read(t.Context(), func(tx *store.Tx) error {
					var all, added int64
					if err := tx.QueryRow("SELECT COUNT(*), COALESCE(SUM(CASE WHEN name = 'added' THEN 1 ELSE 0 END), 0) FROM item").Scan(&all, &added); err != nil {
						return err
					}
					if !(all == 500 && added == 0 || all == 1500 && added == 1000) {
						return fmt.Errorf("%d rows of which %d were added", all, added)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var slowest time.Duration
	for range 5 {
		fill(500, 1500, "added")
		start := time.Now()
		if err := db.ReplaceWith(t.Context(), seed); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(start))
	}
	close(stop)
	readers.Wait()
	t.Logf("the slowest of 5 replacements took %v", slowest)
	if stands(t, db, "1000") || !stands(t, db, "100") {
		t.Error("the snapshot's state is not there")
	}
	fill(500, 501, "after")
	if !stands(t, db, "500") {
		t.Error("a write after the replacement is not there")
	}
	if err := db.ReplaceWith(t.Context(), filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Error("replaced with nothing")
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.ReplaceWith(t.Context(), broken); err == nil {
		t.Error("replaced with what is no database")
	}
	if err := store.Verify(t.Context(), broken); err == nil {
		t.Error("what is no database passed")
	}
	if !stands(t, db, "500") {
		t.Error("a failed replacement changed something")
	}
}

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	lite, _ := storetest.Schema()
	opts := store.Options{Path: filepath.Join(dir, "template.db"), Migrations: lite}
	template, err := store.NewTemplate(t.Context(), opts, func(db *store.DB) error { return db.Write(t.Context(), adds("seeded")) })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.db", "b.db"} {
		db, err := template.Open(t.Context(), store.Options{Path: filepath.Join(dir, name), Migrations: lite})
		if err != nil {
			t.Fatal(err)
		}
		if !stands(t, db, "seeded") || stands(t, db, "own") {
			t.Error(name, "is no copy of the template")
		}
		if err := db.Write(t.Context(), adds("own")); err != nil {
			t.Error(err)
		}
		if err := db.ReplaceWith(t.Context(), template.Path()); err != nil || stands(t, db, "own") {
			t.Error("putting back:", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := store.NewTemplate(t.Context(), opts, nil); err == nil {
		t.Error("a template was made over another")
	}
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	one := fstest.MapFS{"0001_one.sql": {Data: []byte("-- +goose Up\nCREATE TABLE one (id TEXT PRIMARY KEY);\n")}}
	two := fstest.MapFS{"0001_one.sql": one["0001_one.sql"], "0002_two.sql": {Data: []byte("-- +goose Up\nCREATE TABLE two (id TEXT PRIMARY KEY);\n")}}
	broken := fstest.MapFS{"0001_one.sql": one["0001_one.sql"], "0002_two.sql": {Data: []byte("-- +goose Up\nCREATE TABLE two (id TEXT PRIMARY KEY);\nCREATE NONSENSE;\n")}}

	if _, err := store.MigrationStatus(t.Context(), store.Options{Path: path, Migrations: one}); err == nil {
		t.Error("a database that is not there has a status")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("asking for the status made a database")
	}
	open := func(files fstest.MapFS) error {
		db, err := store.Open(t.Context(), store.Options{Path: path, Migrations: files})
		if err != nil {
			return err
		}
		return db.Close()
	}
	if err := open(one); err != nil {
		t.Fatal(err)
	}
	status, err := store.MigrationStatus(t.Context(), store.Options{Path: path, Migrations: two})
	if err != nil || len(status) != 2 || status[0].Applied == 0 || status[1].Applied != 0 || status[1].Name != "0002_two.sql" {
		t.Errorf("the status is %+v, %v", status, err)
	}
	if err := open(broken); err == nil {
		t.Error("a broken migration passed")
	}
	if err := open(two); err != nil { // of the broken one nothing is left
		t.Fatal(err)
	}
	if err := open(one); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("an older program opened it: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]store.Options{
		"nothing":      {},
		"both":         {Path: "x.db", URL: "postgres://x"},
		"another kind": {URL: "mysql://x"},
		"no folder":    {Path: filepath.Join(t.TempDir(), "none", "x.db")},
	} {
		if db, err := store.Open(t.Context(), o); err == nil {
			t.Errorf("%s: opened", name)
			db.Close()
		}
	}
	odd := filepath.Join(t.TempDir(), "50% off? #1 & more.db")
	lite, _ := storetest.Schema()
	db, err := store.Open(t.Context(), store.Options{Path: odd, Migrations: lite})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(odd); err != nil {
		t.Error("the file has another name:", err)
	}
}

func TestLockFolder(t *testing.T) {
	dir := t.TempDir()
	lock, err := store.LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.LockFolder(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("locked twice: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = store.LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
	if _, err := store.LockFolder(filepath.Join(dir, "none")); err == nil {
		t.Error("locked what is not there")
	}
}
