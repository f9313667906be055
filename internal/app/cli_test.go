package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/app/apptest"
	"quittance/internal/kernel/store/storetest"
)

// run calls the program's own main function.
func run(t *testing.T, line ...string) (status int, out, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	status = app.Main(ctx, line, []string{"PATH=/bin"}, &o, &e)
	return status, o.String(), e.String()
}

// must is run for a command that works.
func must(t *testing.T, line ...string) string {
	t.Helper()
	status, out, errOut := run(t, line...)
	if status != 0 {
		t.Fatalf("quittance %s: status %d\n%s%s", strings.Join(line, " "), status, out, errOut)
	}
	return out
}

// refused is run for a command that fails with a sentence.
func refused(t *testing.T, status int, sentence string, line ...string) {
	t.Helper()
	got, out, errOut := run(t, line...)
	if got != status || !strings.Contains(errOut, sentence) {
		t.Errorf("quittance %s: status %d, want %d; %q does not say %q", strings.Join(line, " "), got, status, out+errOut, sentence)
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	names := regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)  +\S`).FindAllStringSubmatch(must(t), -1)
	if len(names) != 22 {
		t.Fatalf("the usage lists %d commands: %v", len(names), names)
	}
	for _, name := range names {
		words := strings.Fields(name[1])
		help := must(t, append(words, "-h")...)
		if !strings.Contains(help, "Usage: quittance "+name[1]) {
			t.Errorf("%s -h: %s", name[1], help)
		}
		if again := must(t, append([]string{"help"}, words...)...); again != help {
			t.Errorf("help %s differs from %s -h", name[1], name[1])
		}
		refused(t, 2, "is unknown", append(words, "--nonsense")...)
	}
}

func TestMistakesOfCalling(t *testing.T) {
	empty, broken := t.TempDir(), t.TempDir()
	if err := os.WriteFile(app.DatabasePath(broken), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line     string
		status   int
		sentence string
	}{
		{"serv", 2, "Did you mean serve?"},
		{"admin", 2, `half a command: admin create`},
		{"dev --lisen 127.0.0.1:1", 2, "Did you mean --listen?"},
		{"serve --data " + empty, 2, "--public-url is missing"},
		{"dev --listen 0.0.0.0:0", 2, "give --expose"},
		{"dev --public-url", 2, "missing its value"},
		{"token create --data " + empty, 2, "--company is missing"},
		{"user create --data " + empty + " --company Acme --login a@acme.test", 1, "begin with quittance admin create"},
		{"app create --data " + empty + "/absent --company Acme --name Bot", 1, "there is no store in"},
		{"migrate status --data " + empty, 1, "there is no database in"},
		{"backup create --data " + empty + " " + empty + "/a.tar", 1, "there is no store in"},
		{"backup verify " + empty + "/a.tar", 1, "no such file"},
		{"backup verify cli_test.go", 1, "is no whole archive"},
		{"backup restore --data " + empty + "/new " + empty + "/a.tar", 1, "no such file"},
		{"dev --listen 127.0.0.1:0 --data " + broken, 1, "quittance.db cannot be opened: file is not a database"},
		{"dev --listen 127.0.0.1:0 --data cli_test.go", 1, "the data folder cannot be made"},
		{"dev --listen 127.0.0.1:0 --data " + broken + "2 --database postgres://127.0.0.1:1/x", 1, "cannot be opened: The database cannot be reached"},
		{"healthcheck --listen 127.0.0.1:1", 1, "the server does not answer"},
	} {
		refused(t, c.status, c.sentence, strings.Fields(c.line)...)
	}
	for _, left := range filesIn(t, empty) {
		t.Errorf("a refused command leaves %s", left)
	}
}

func TestSmallCommands(t *testing.T) {
	if out := must(t, "version"); !strings.HasPrefix(out, "quittance ") || out != must(t, "--version") {
		t.Errorf("version: %q", out)
	}
	var document struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(must(t, "openapi")), &document); err != nil || document.OpenAPI != "3.1.0" || len(document.Paths) < 20 {
		t.Errorf("openapi: %v, %d paths", err, len(document.Paths))
	}
	server := apptest.Start(t)
	must(t, "healthcheck", "--listen", server.Address())
	if status, body := get(t, "POST", server.PublicURL()+"/-/fault", `{"operation":"*","status":503,"count":100}`); status != 200 {
		t.Fatal(body)
	}
	must(t, "healthcheck", "--listen", server.Address()) // planned failures are the calls' alone
}

// field reads one line of what a command printed.
func field(t *testing.T, out, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + `\s+(\S+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no %s in %q", name, out)
	}
	return m[1]
}

// TestFirstDay goes the way of an operator: from an empty folder to a store in use, a
// backup of it while it runs, and a restored copy.
func TestFirstDay(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	serve := func(data string) *apptest.Process {
		return apptest.Program(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "off",
			"--public-url", "http://spend.example", "--allow-weak-sandbox")
	}
	end := func(p *apptest.Process) {
		t.Helper()
		if err := p.Interrupt(); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}

	// The server says what to do, and that works as it is written.
	p := serve(data)
	apptest.Eventually(t, "the hint", func() bool { return strings.Contains(p.Output(), "admin create") })
	hint := regexp.MustCompile(`quittance (admin create .*)`).FindStringSubmatch(p.Output())
	refused(t, 1, "in use by another process", "admin create", "--data", data, "--company", "A", "--login", "a@a.test")
	end(p)
	var words []string
	for i, quoted := range strings.Split(hint[1], `"`) {
		if i%2 == 1 {
			words = append(words, quoted)
		} else {
			words = append(words, strings.Fields(quoted)...)
		}
	}
	boss := must(t, words...)
	refused(t, 1, "There is a company", words...)
	secret := field(t, boss, "password")
	if len(secret) < 16 {
		t.Errorf("a made-up password is %q", secret)
	}
	user := must(t, "user", "create", "--data", data, "--company", "your company", "--login", "jo@acme.test", "--first-name", "Jo", "--last-name", "Doe",
		"--password", "jo-password", "--roles", "Expense Approver")
	if strings.Contains(user, "jo-password") {
		t.Errorf("a given password is printed: %s", user)
	}
	refused(t, 1, "is taken", "user", "create", "--data", data, "--company", "Your Company", "--login", "JO@acme.test")
	refused(t, 1, "There is no role", "user", "create", "--data", data, "--company", "Your Company", "--login", "x@acme.test", "--roles", "King")
	refused(t, 1, "at least 8 characters", "user", "create", "--data", data, "--company", "Your Company", "--login", "x@acme.test", "--password", "short")
	refused(t, 1, "There is no company", "user", "create", "--data", data, "--company", "Nobody", "--login", "x@acme.test")
	made := must(t, "app", "create", "--data", data, "--company", field(t, boss, "company"), "--name", "Importer")
	refused(t, 1, "scope", "app", "create", "--data", data, "--company", "Your Company", "--name", "Odd", "--scopes", "EVERYTHING")
	refused(t, 1, "redirect", "app", "create", "--data", data, "--company", "Your Company", "--name", "Odd", "--redirects", "javascript:alert(1)")
	forCompany := must(t, "token", "create", "--data", data, "--company", "Your Company")
	forUser := must(t, "token", "create", "--data", data, "--company", "Your Company", "--login", "jo@acme.test")
	refused(t, 1, "has no user", "token", "create", "--data", data, "--company", "Your Company", "--login", "nobody@acme.test")
	if out := must(t, "migrate", "status", "--data", data); !strings.Contains(out, "0001_kernel.sql  applied 20") || strings.Contains(out, "pending") {
		t.Errorf("migrate status: %s", out)
	}
	// Everything that was made signs in.
	p = serve(data)
	c := client.New(p.URL(), client.Application{ID: field(t, made, "client id"), Secret: field(t, made, "client secret")})
	if _, err := c.SignIn(ctx, "you@example.com", secret); err != nil {
		t.Error(err)
	}
	jo, err := c.SignIn(ctx, "jo@acme.test", "jo-password")
	if err != nil {
		t.Fatal(err)
	}
	if jo.UserID != field(t, user, "user") {
		t.Errorf("jo is %s, not %s", jo.UserID, field(t, user, "user"))
	}
	for out, subject := range map[string]string{forCompany: field(t, boss, "company"), forUser: jo.UserID} {
		s, err := c.SignInCompany(ctx, field(t, out, "username"), field(t, out, "request token"))
		if err != nil || s.UserID != subject || s.Refresh == "" {
			t.Errorf("with a request token: %v, %+v", err, s)
			continue
		}
		if _, err := s.Reports(ctx); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.SignInApplication(ctx); err != nil {
		t.Error(err)
	}
	must(t, "healthcheck", "--listen", p.Address)

	// The folder belongs to this server, and to `serve`.
	refused(t, 1, "in use by another process", "serve", "--data", data, "--listen", "127.0.0.1:0", "--public-url", "http://spend.example", "--allow-weak-sandbox")

	report, err := jo.CreateReport(ctx, client.Report{Name: "Kept"})
	if err != nil {
		t.Fatal(err)
	}
	content := photo(rand.New(rand.NewPCG(8, 8)), 200_000)
	image, err := jo.UploadReceiptImage(ctx, "image/jpeg", content)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jo.AttachToReport(ctx, report.ID, "image/jpeg", photo(rand.New(rand.NewPCG(8, 9)), 70_000)); err != nil {
		t.Fatal(err)
	}

	// A backup while it runs, and one while it does not.
	archive, later := filepath.Join(dir, "a.tar"), filepath.Join(dir, "b.tar")
	if out := must(t, "backup", "create", "--data", data, archive); !strings.Contains(out, "2 images") {
		t.Errorf("backup create: %s", out)
	}
	if _, err := jo.CreateReport(ctx, client.Report{Name: "After the backup"}); err != nil {
		t.Fatal(err)
	}
	end(p)
	must(t, "backup", "create", "--data", data, later)
	refused(t, 1, "belongs to `quittance serve`", "dev", "--data", data, "--listen", "127.0.0.1:0", "--allow-weak-sandbox")
	must(t, "backup", "verify", archive)
	restored := filepath.Join(dir, "restored")
	must(t, "backup", "restore", "--data", restored, archive)
	refused(t, 1, "is not empty", "backup", "restore", "--data", restored, archive)
	p = serve(restored)
	c = client.New(p.URL(), client.Application{ID: field(t, made, "client id"), Secret: field(t, made, "client secret")})
	if jo, err = c.SignIn(ctx, "jo@acme.test", "jo-password"); err != nil {
		t.Fatal(err)
	}
	if reports, err := jo.Reports(ctx); err != nil || len(reports) != 1 || reports[0].ID != report.ID || reports[0].Name != "Kept" {
		t.Errorf("restored reports: %+v, %v", reports, err)
	}
	if status, _, body := exchange(t, jo, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", "", "Accept", "image/*"); status != http.StatusOK || body != string(content) {
		t.Errorf("the restored image: %d, %d bytes", status, len(body))
	}
	end(p)
	for _, name := range filesIn(t, dir) {
		if strings.Contains(name, ".quittance-") {
			t.Errorf("left over: %s", name)
		}
	}
	damagedBackups(t, archive)
}

// damagedBackups flips bytes all over an archive and cuts it off everywhere: no damage
// to what is kept goes unnoticed, and nothing of it is restored.
func damagedBackups(t *testing.T, archive string) {
	t.Helper()
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged.tar")
	try := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if status, out, _ := run(t, "backup", "verify", damaged); status != 1 {
			t.Errorf("%s goes unnoticed: %s", what, out)
		}
	}
	for _, text := range []string{"quittance.db", "jo@acme.test", "CREATE TABLE report ", "blobs/", "\xff\xd8\xff"} {
		at := bytes.Index(whole, []byte(text))
		if at < 0 {
			t.Fatalf("no %q in the archive", text)
		}
		b := bytes.Clone(whole)
		b[at+2] ^= 0x20
		try("a flipped byte in "+text, b)
	}
	image := bytes.LastIndex(whole, []byte("\xff\xd8\xff"))
	for _, size := range []int{0, 100, 512, 4096, len(whole) / 3, image - 512, image, image + 1000} {
		try("an archive cut off", whole[:size])
	}
	// Without its last file and with a proper end it is still not whole.
	header := bytes.LastIndex(whole[:image], []byte("blobs/")) / 512 * 512
	for header > 0 && whole[header+156] != 'x' && !bytes.HasPrefix(whole[header:], []byte("blobs/")) {
		header -= 512
	}
	try("a missing file", append(bytes.Clone(whole[:header]), make([]byte, 1024)...))
	refused(t, 1, "lacks 1 files", "backup", "restore", "--data", filepath.Join(dir, "new"), damaged)
	if left := filesIn(t, filepath.Join(dir, "new")); len(left) > 0 {
		t.Errorf("a refused restore leaves %v", left)
	}
}

// TestBackupOfWhatIsDeleted: files that are swept between the copy of the database and
// their own are still in the archive.
func TestBackupOfWhatIsDeleted(t *testing.T) {
	data, clock := t.TempDir(), new(app.Clock)
	server := apptest.Start(t, func(o *app.Options) { o.Data, o.Clock = data, clock })
	ctx := context.Background()
	ann := apptest.SignIn(t, server, "ann")
	image, err := ann.UploadReceiptImage(ctx, "image/jpeg", photo(rand.New(rand.NewPCG(4, 4)), 10_000))
	if err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, filepath.Join(data, "blobs"))
	if len(before) != 1 {
		t.Fatal(before)
	}
	// As a sweep does that comes after the copy: the record still names the file.
	moved := filepath.Join(data, "trash", app.DemoCompany, filepath.Base(before[0]))
	if err := os.MkdirAll(filepath.Dir(moved), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(before[0], moved); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "a.tar")
	if out := must(t, "backup", "create", "--data", data, archive); !strings.Contains(out, "1 images") {
		t.Error(out)
	}
	must(t, "backup", "verify", archive)
	// A file that is nowhere is told, with the rest in the archive.
	if err := os.Remove(moved); err != nil {
		t.Fatal(err)
	}
	refused(t, 1, "has lost 1 files", "backup", "create", "--data", data, archive)
	refused(t, 1, "lacks 1 files", "backup", "verify", archive)
	if status, _, _ := exchange(t, ann, "GET", "/api/v3.0/expense/receiptimages/"+image.ID, "", "", "Accept", "image/*"); status != 500 {
		t.Errorf("a file that the store has lost: %d", status)
	}
}

// TestGracefulStop: the program finishes the call that is under way, takes no new one,
// and ends with status 0.
func TestGracefulStop(t *testing.T) {
	p := apptest.Program(t, nil, "dev", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--allow-weak-sandbox")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ann, err := client.New(p.URL(), client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"}).SignIn(ctx, "ann@demo.test", "ann-password")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "POST", p.URL()+"/-/fault", `{"operation":"reports.create","delayMillis":700}`); status != 200 {
		t.Fatal(body)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := ann.CreateReport(ctx, client.Report{Name: "Last"})
		answered <- err
	}()
	apptest.Eventually(t, "the call has begun", func() bool {
		_, plan := get(t, "GET", p.URL()+"/-/fault", "")
		return strings.TrimSpace(plan) == "[]"
	})
	// A connection on which nothing comes, as browsers open them ahead, holds nobody up.
	idle, err := net.Dial("tcp", p.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if err := p.Interrupt(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the call that was under way: %v", err)
	}
	soon, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	if err := p.Wait(soon); err != nil {
		t.Error(err)
	}
	if _, err := ann.Reports(ctx); err == nil || client.StatusOf(err) != 0 {
		t.Errorf("a call after the end: %v", err)
	}
}

// TestFoldersAreApart: `serve` does not open a sandbox's folder, and no production store
// begins there. The other way round is in TestFirstDay. People and configuration of
// either are the commands' to change, which leave it what it is.
func TestFoldersAreApart(t *testing.T) {
	data := t.TempDir()
	if err := apptest.Start(t, func(o *app.Options) { o.Data = data }).Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	serve := []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--public-url", "http://spend.example", "--allow-weak-sandbox"}
	refused(t, 1, "belongs to `quittance dev`", serve...)
	refused(t, 1, "belongs to `quittance dev`", "admin", "create", "--data", data, "--company", "Acme", "--login", "boss@acme.test")

	demo := []string{"--data", data, "--company", "Demo Company"}
	in := func(words ...string) string { t.Helper(); return must(t, append(words, demo...)...) }
	in("user", "create", "--login", "x@demo.test", "--password", "x-password")
	in("user", "change", "--login", "x@demo.test", "--last-name", "Xavier")
	in("user", "delegate", "--login", "ann@demo.test", "--to", "x@demo.test", "--prepare", "--submit")
	people := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(people, []byte("login,last_name\ny@demo.test,York\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in("user", "import", "--file", people)
	in("user", "disable", "--login", "y@demo.test")
	if out := in("user", "list"); !strings.Contains(out, "Xavier") || !strings.Contains(out, "x@demo.test (prepare, submit)") || !strings.Contains(out, "York") {
		t.Errorf("user list: %s", out)
	}
	in("token", "create")
	made := in("app", "create", "--name", "Importer")
	file := filepath.Join(t.TempDir(), "demo.yaml")
	if err := os.WriteFile(file, []byte(in("config", "export")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"plan", "apply"} {
		if out := must(t, append([]string{"config", command, file}, demo...)...); out != "Nothing changes.\n" {
			t.Errorf("config %s: %s", command, out)
		}
	}
	refused(t, 1, "belongs to `quittance dev`", serve...)
	again := apptest.Start(t, func(o *app.Options) { o.Data = data })
	refused(t, 1, "in use by another process", append([]string{"user", "list"}, demo...)...)
	if _, err := client.New(again.PublicURL(), client.Application{ID: field(t, made, "client id"), Secret: field(t, made, "client secret")}).SignIn(t.Context(), "x@demo.test", "x-password"); err != nil {
		t.Error(err)
	}
}

// TestCommandsBesideServers: with PostgreSQL people are made while servers run, and no
// folder is made for it.
func TestCommandsBesideServers(t *testing.T) {
	database := storetest.PostgresURL(t)
	// An empty database that a command opens is a production one.
	refused(t, 1, "There is no company", "user", "list", "--database", database, "--company", "Acme")
	server := apptest.Start(t, func(o *app.Options) { o.Command, o.PublicURL, o.Database = "serve", "http://spend.example", database })
	dir := t.TempDir()
	t.Chdir(dir)
	must(t, "admin", "create", "--database", database, "--company", "Acme", "--login", "boss@acme.test", "--password", "boss-password")
	made := must(t, "app", "create", "--database", database, "--company", "acme", "--name", "Importer")
	must(t, "user", "create", "--database", database, "--company", "Acme", "--login", "jo@acme.test", "--password", "jo-password")
	if left := filesIn(t, dir); len(left) > 0 {
		t.Errorf("commands on PostgreSQL leave %v", left)
	}
	c := client.New("http://"+server.Address(), client.Application{ID: field(t, made, "client id"), Secret: field(t, made, "client secret")})
	for _, name := range []string{"boss", "jo"} {
		if _, err := c.SignIn(t.Context(), name+"@acme.test", name+"-password"); err != nil {
			t.Error(err)
		}
	}
	refused(t, 1, "servers of their own", "backup", "create", "--database", database, filepath.Join(dir, "a.tar"))
	refused(t, 1, "belongs to `quittance serve`", "dev", "--database", database, "--data", filepath.Join(dir, "dev"), "--listen", "127.0.0.1:0")
	if out := must(t, "migrate", "status", "--database", database); strings.Contains(out, "pending") || !strings.Contains(out, "0001_kernel.sql  applied") {
		t.Errorf("migrate status: %s", out)
	}
}
