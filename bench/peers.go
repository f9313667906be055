package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// peer is bench as one of the servers that it measures against.
func peer(args []string) {
	var err error
	switch args[0] {
	case "put":
		err = servePut(args[1], args[2])
	case "pocketbase":
		err = servePocketBase(args[1], args[2])
	default:
		err = fmt.Errorf("no peer is called %s", args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// servePut is the plainest upload that keeps its word: write to a temporary file,
// sync, rename, sync the folder.
func servePut(address, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	put := func(r *http.Request) error {
		f, err := os.CreateTemp(dir, "up-")
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.Copy(f, r.Body); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := os.Rename(f.Name(), filepath.Join(dir, filepath.Base(r.URL.Path))); err != nil {
			return err
		}
		return folder.Sync()
	}
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if err := put(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Length", "0")
	}))
}

// fields of the peer's record: about what an entry carries.
var pocketBaseTexts = []string{"report", "type", "payment", "date", "currency", "vendor", "description", "location", "owner", "comment"}

func servePocketBase(address, dir string) error {
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: dir, HideStartBanner: true})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if _, err := app.FindCollectionByNameOrId("entries"); err != nil {
		c := core.NewBaseCollection("entries")
		c.ListRule, c.ViewRule, c.CreateRule = types.Pointer(""), types.Pointer(""), types.Pointer("")
		for _, name := range pocketBaseTexts {
			c.Fields.Add(&core.TextField{Name: name, Max: 200})
		}
		c.Fields.Add(&core.NumberField{Name: "amount", Required: true}, &core.NumberField{Name: "posted"},
			&core.BoolField{Name: "personal"}, &core.BoolField{Name: "billable"}, &core.AutodateField{Name: "created", OnCreate: true})
		if err := app.Save(c); err != nil {
			return err
		}
	}
	return apis.Serve(app, apis.ServeConfig{HttpAddr: address, ShowStartBanner: false})
}

func pocketBaseRecord(c, n int) []byte {
	return fmt.Appendf(nil, `{"report":"5C1D0A77B2E94F3388AA","type":"TAXIX","payment":"CASHX","date":"2026-11-02","amount":%d.%02d,"currency":"USD","vendor":"Cab %d of %d","owner":"ann"}`, n%400+1, n%100, n, c)
}

// startPocketBase starts the peer with this many records.
func startPocketBase(ctx context.Context, s *settings, records int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.work, fmt.Sprintf("pocketbase-%d", records))
	start := func() (*process, error) {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		return launch(ctx, address, "/api/health", self, "peer", "pocketbase", address, dir)
	}
	p, err := start()
	if err != nil || records == 0 {
		return p, err
	}
	p.stop()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "data.db"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < %d)
		INSERT INTO entries (id, report, type, payment, date, currency, vendor, owner, amount, created)
		SELECT printf('b%%014d', n), '5C1D0A77B2E94F3388AA', 'TAXIX', 'CASHX', '2026-11-02', 'USD', 'Cab', 'ann', 12.5, '2026-11-02 10:00:00.000Z' FROM k`, records)); err != nil {
		return nil, err
	}
	return start()
}

// startNginx serves one file as nginx does out of the box, with sendfile.
func startNginx(ctx context.Context, s *settings, photo []byte) (*process, error) {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx"
		if _, err := os.Stat(binary); err != nil {
			return nil, fmt.Errorf("nginx is not installed")
		}
	}
	dir := filepath.Join(s.work, "nginx")
	if err := os.MkdirAll(filepath.Join(dir, "html"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "html", "photo.jpg"), photo, 0o644); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // its workers read the same folder as everybody here
	}
	config := fmt.Sprintf(`%[3]s daemon off; worker_processes auto; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; types { image/jpeg jpg; }
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; root %[1]s/html; } }`, dir, address, user)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return launch(ctx, address, "/photo.jpg", binary, "-p", dir, "-c", file)
}
