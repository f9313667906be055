package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"quittance/internal/kernel/store"
)

// Environment names a PostgreSQL server on which databases may be created. Without
// it a server is started from the binaries on this machine.
const Environment = "QUITTANCE_TEST_POSTGRES"

// server is the PostgreSQL of this process; its URL, or why there is none.
var server struct {
	sync.Mutex
	managed bool // Main is there to stop what is started
	url     string
	missing string
	tried   bool
	stop    func()
	next    int
	made    map[string]string // template databases by their migrations
}

// Main runs the tests of a package and then stops the PostgreSQL server, if one was
// started for them: func TestMain(m *testing.M) { storetest.Main(m) }.
func Main(m *testing.M) {
	server.Lock()
	server.managed = true
	server.Unlock()
	code := m.Run()
	server.Lock()
	dropTemplates()
	if server.stop != nil {
		server.stop()
	}
	server.Unlock()
	os.Exit(code)
}

// freshDatabase makes a database from the template of these migrations.
func freshDatabase(t testing.TB, s setup) string {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	base := serverURL(t)
	key := digest(t, s.postgres) + s.filled
	if server.made[key] == "" {
		name := fmt.Sprintf("qt_%d_%s", os.Getpid(), key)
		admin(t, base, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
		o := store.Options{URL: withDatabase(t, base, name), Migrations: s.postgres}
		for _, edit := range s.edits {
			edit(&o)
		}
		db, err := store.Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if s.fill != nil {
			s.fill(db)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if server.made == nil {
			server.made = map[string]string{}
		}
		server.made[key] = name
	}
	server.next++
	name := fmt.Sprintf("qt_%d_t%d", os.Getpid(), server.next)
	admin(t, base, "CREATE DATABASE "+name+" TEMPLATE "+server.made[key])
	t.Cleanup(func() { admin(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
	return withDatabase(t, base, name)
}

// URL is a server's address for tests that bring their own databases.
func URL(t testing.TB) string {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	return serverURL(t)
}

func serverURL(t testing.TB) string {
	t.Helper()
	if !server.tried {
		server.tried = true
		server.url = os.Getenv(Environment)
		if server.url == "" {
			if !server.managed {
				t.Fatal("storetest: the package's TestMain must call storetest.Main, which stops the PostgreSQL server")
			}
			if err := startServer(); err != nil {
				server.missing = err.Error()
			}
		}
	}
	if server.missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no PostgreSQL: " + server.missing)
		}
		t.Skip("no PostgreSQL: " + server.missing)
	}
	return server.url
}

func dropTemplates() {
	if server.stop != nil || len(server.made) == 0 {
		return // they go with the server
	}
	db, err := sql.Open("pgx", server.url)
	if err != nil {
		return
	}
	defer db.Close()
	for _, name := range server.made {
		db.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
	}
}

func admin(t testing.TB, base, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func withDatabase(t testing.TB, base, name string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// binary finds a program of PostgreSQL: in PATH, where pg_config says, or where
// Debian keeps its versions, the newest first.
func binary(name string) (string, error) {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	sort.Slice(versions, func(i, j int) bool { return versionOf(versions[i]) > versionOf(versions[j]) })
	for _, dir := range append(dirs, versions...) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s is not installed, and %s is not set", name, Environment)
}

func versionOf(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// startServer starts a server on a socket in a folder of its own. Its data needs to
// outlive nothing, so it does not sync; commits are answered as in production.
func startServer() error {
	initdb, err := binary("initdb")
	if err != nil {
		return err
	}
	postgres, err := binary("postgres")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "qpg") // short: a socket's path has 107 bytes
	if err != nil {
		return err
	}
	fail := func(err error) error {
		os.RemoveAll(dir)
		return err
	}
	owner, err := serverOwner(dir)
	if err != nil {
		return fail(err)
	}
	data := filepath.Join(dir, "data")
	create := exec.Command(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
	create.Dir, create.SysProcAttr = dir, processOf(owner)
	if out, err := create.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("initdb: %w: %s", err, out))
	}
	var log bytes.Buffer
	run := exec.Command(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "synchronous_commit=on", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
		"-c", "deadlock_timeout=100ms")
	run.Dir, run.SysProcAttr, run.Stdout, run.Stderr = dir, processOf(owner), &log, &log
	ended := make(chan struct{})
	started := make(chan error)
	go func() {
		// The server's life is bound to this thread, where the system can do that.
		runtime.LockOSThread()
		err := run.Start()
		started <- err
		if err == nil {
			run.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return fail(err)
	}
	server.stop = func() {
		run.Process.Signal(syscall.SIGINT) // a fast shutdown
		<-ended
		os.RemoveAll(dir)
	}
	server.url = "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	if err := ready(ended); err != nil {
		server.stop()
		server.stop = nil
		return fmt.Errorf("postgres: %w: %s", err, log.String())
	}
	return nil
}

// ready waits until the server answers.
func ready(ended <-chan struct{}) error {
	db, err := sql.Open("pgx", server.url)
	if err != nil {
		return err
	}
	defer db.Close()
	deadline := time.After(30 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("the server ended at once")
		case <-deadline:
			return err
		case <-again.C:
		}
	}
}

// serverOwner is the user that the server runs as, who then owns dir: nobody in
// particular, or an unprivileged user in place of root, whom initdb refuses.
func serverOwner(dir string) (*user.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			continue
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			continue
		}
		return u, os.Chown(dir, uid, gid)
	}
	return nil, errors.New("initdb refuses root, and there is no other user to run it")
}
