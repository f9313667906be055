package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

// openPostgres opens a database and tells its URL.
func openPostgres(t *testing.T, opts ...storetest.Option) (*store.DB, string) {
	t.Helper()
	var at string
	opts = append(opts, storetest.Migrations(storetest.Schema()),
		storetest.With(func(o *store.Options) { at = o.URL }))
	return storetest.Postgres(t, opts...), at
}

func withParameter(t *testing.T, at, name, setting string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, setting)
	u.RawQuery = q.Encode()
	return u.String()
}

// meeting lets each of two goroutines go on when both have come, once; later visits
// pass.
type meeting struct{ once [2]sync.Once }

func (m *meeting) wait(side int, mine, other chan struct{}) {
	m.once[side].Do(func() { close(mine); <-other })
}

// TestDeadlock: of two writes that lock two rows in opposite order one is given up by
// the server, and is run again.
func TestDeadlock(t *testing.T) {
	db, _ := openPostgres(t)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('a', 0), ('b', 0)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var runs, told atomic.Int64
	var both meeting
	arrived := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var all sync.WaitGroup
	for side, order := range [2][2]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				runs.Add(1)
				tx.OnCommit(func() { told.Add(1) })
				if err := tx.Lock("counter", order[0]); err != nil {
					return err
				}
				both.wait(side, arrived[side], arrived[1-side])
				if err := tx.Lock("counter", order[1]); err != nil {
					return err
				}
				_, err := tx.Exec("UPDATE counter SET n = n + 1")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs.Load() < 3 || told.Load() != 2 {
		t.Errorf("%d runs told %d times", runs.Load(), told.Load())
	}
	wantCounters(t, db, "a", 2)
}

func wantCounters(t *testing.T, db *store.DB, id string, want int64) {
	t.Helper()
	var n int64
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT n FROM counter WHERE id = ?", id).Scan(&n)
	})
	if err != nil || n != want {
		t.Errorf("%s counts %d, want %d (%v)", id, n, want, err)
	}
}

// TestSerialization: two serializable writes that each read what the other changes;
// one is given up and run again, and sees the other's change then.
func TestSerialization(t *testing.T) {
	db, _ := openPostgres(t)
	var runs atomic.Int64
	var both meeting
	arrived := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var all sync.WaitGroup
	for side := range 2 {
		all.Go(func() {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				runs.Add(1)
				if _, err := tx.Exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"); err != nil {
					return err
				}
				var n int64
				if err := tx.QueryRow("SELECT COUNT(*) FROM counter").Scan(&n); err != nil {
					return err
				}
				both.wait(side, arrived[side], arrived[1-side])
				_, err := tx.Exec("INSERT INTO counter (id, n) VALUES (?, ?)", fmt.Sprint("seen", n), n)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs.Load() < 3 {
		t.Errorf("%d runs", runs.Load())
	}
	wantCounters(t, db, "seen0", 0)
	wantCounters(t, db, "seen1", 1)
}

// TestRerunsEnd: what collides forever is given up, and soon after its context ends.
func TestRerunsEnd(t *testing.T) {
	collide := func(tx *store.Tx) error {
		_, err := tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
		// A closure that words the failure anew is run again all the same.
		return errs.New(errs.Conflict, "mine", "No.").Because(err)
	}
	db, _ := openPostgres(t, storetest.With(func(o *store.Options) { o.Jitter = func(int64) int64 { return 0 } }))
	runs := 0
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		runs++
		_ = collide(tx)
		return nil
	})
	if !errs.Is(err, errs.Unavailable) || errs.As(err).RetryAfter == 0 || runs < 5 || runs > 50 {
		t.Errorf("got %v after %d runs", err, runs)
	}
	runs = 0
	ctx, cancel := context.WithCancel(t.Context())
	err = db.Write(ctx, func(tx *store.Tx) error {
		if runs++; runs == 3 {
			cancel()
		}
		return collide(tx)
	})
	if err == nil || runs != 3 {
		t.Errorf("got %v after %d runs", err, runs)
	}
	runs = 0
	mine := errors.New("mine")
	err = db.Write(t.Context(), func(*store.Tx) error { runs++; return mine })
	if !errors.Is(err, mine) || runs != 1 {
		t.Errorf("got %v after %d runs", err, runs)
	}
}

// TestConnectionLost: a write whose connection breaks is answered as unavailable, and
// the next one gets another connection.
func TestConnectionLost(t *testing.T) {
	db, _ := openPostgres(t)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := adds("lost")(tx); err != nil {
			return err
		}
		var gone bool
		tx.QueryRow("SELECT pg_terminate_backend(pg_backend_pid())").Scan(&gone)
		return nil
	})
	if !errs.Is(err, errs.Unavailable) || errs.As(err).RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
	if err := db.Write(t.Context(), adds("next")); err != nil {
		t.Error(err)
	}
	if stands(t, db, "lost") || !stands(t, db, "next") {
		t.Error("the lost write landed, or the next did not")
	}
}

// TestIdleConnectionsLost: connections that the server ended while they lay idle cost
// nobody a call.
func TestIdleConnectionsLost(t *testing.T) {
	db, at := openPostgres(t)
	admin, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for range 3 {
		var begun, group sync.WaitGroup
		const several = 8
		begun.Add(several)
		for range several { // at the same time, so that each has a connection
			group.Go(func() {
				var came sync.Once
				defer came.Do(begun.Done)
				if err := db.Read(t.Context(), func(*store.Tx) error { came.Do(begun.Done); begun.Wait(); return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if _, err := admin.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'quittance'`); err != nil {
			t.Fatal(err)
		}
		for range several {
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('a', 1) ON CONFLICT (id) DO UPDATE SET n = counter.n + 1")
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestLockWaits: a writer waits for the lock of another, and no longer than its
// context lets it.
func TestLockWaits(t *testing.T) {
	db, _ := openPostgres(t)
	if err := db.Write(t.Context(), adds("root")); err != nil {
		t.Fatal(err)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.Lock("item", "root"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := db.Write(ctx, func(tx *store.Tx) error { return storetest.Items.Lock(tx, "root") })
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := store.Open(ctx, store.Options{URL: "postgres://nobody@127.0.0.1:1/none"})
	if !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestRequireDurable(t *testing.T) {
	_, at := openPostgres(t)
	for setting, refused := range map[string]bool{"off": true, "on": false, "local": false} {
		db, err := store.Open(t.Context(), store.Options{URL: withParameter(t, at, "synchronous_commit", setting), RequireDurable: true})
		if err == nil {
			db.Close()
		}
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "synchronous_commit") {
			t.Errorf("synchronous_commit=%s: %v", setting, err)
		}
	}
}

// TestServersStartAtOnce: one of them migrates, the others wait for it.
func TestServersStartAtOnce(t *testing.T) {
	_, at := openPostgres(t)
	base, err := store.Open(t.Context(), store.Options{URL: at})
	if err != nil {
		t.Fatal(err)
	}
	err = base.Write(t.Context(), func(tx *store.Tx) error {
		for _, sql := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public"} {
			if _, err := tx.Exec(sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, base.Close()); err != nil {
		t.Fatal(err)
	}
	_, files := storetest.Schema()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			db, err := store.Open(t.Context(), store.Options{URL: at, Migrations: files})
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	all.Wait()
	status, err := store.MigrationStatus(t.Context(), store.Options{URL: at, Migrations: files})
	if err != nil || len(status) != 1 || status[0].Applied == 0 {
		t.Errorf("the status is %+v, %v", status, err)
	}
}

// TestNoFile: what needs a file says so.
func TestNoFile(t *testing.T) {
	db, _ := openPostgres(t)
	for _, err := range []error{db.Snapshot(t.Context(), "x"), db.ReplaceWith(t.Context(), "x")} {
		if !errs.Is(err, errs.Unsupported) {
			t.Errorf("got %v", err)
		}
	}
}
