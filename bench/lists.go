package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"quittance/client"
	"quittance/internal/app"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/store"
)

// Every list, with each of its filters alone, on a year of a company: what is asked for
// often, seldom and never, by the company, by a user and for a user. The statements
// behind them are watched, and the slowest are explained.

// samples are what a filter is asked for: at least one value that many records have,
// one that few have and one that none has, where there are such.
var samples = map[string][]string{
	"approvalStatusCode": {"A_APPR", "A_PEND", "A_RESU", "A_PEND,A_ACCO,A_NOTF", "A_TEXP"}, "paymentStatusCode": {"P_PAYC", "P_PROC", "P_PAID,P_PROC", "P_HOLD"},
	"currencyCode": {"USD", "BRL", "KWD"}, "countryCode": {"US", "MX", "AQ"}, "paymentType": {"CASHX", "CPAID", "PENDC"}, "reimbursementMethod": {"CNQRPAY", "PMTSERV"},
	"approverLoginID": {"cora@demo.test", "p0001@demo.test", "ivan@demo.test", "nobody@demo.test"}, "expenseTypeCode": {"LUNCH", "LODTX", "BUSML", "SEMNR"},
	"attendeeTypeCode": {"BUSGUEST", "SPOUSE", "PRIVATE"}, "batchID": {"2025-06-US", "2025-12-BR", "none"}, "vendorName": {"City Cabs", "Bistro Abe", "Zeller Trading", "nobody"},
	"hasVAT": {"true", "false"}, "hasImages": {"true", "false"}, "hasAttendees": {"true", "false"}, "hasBillableExpenses": {"true", "false"}, "isBillable": {"true", "false"},
	"isTestUser": {"true", "false"}, "expenseGroupConfigID": {"{group}", "none"}, "paymentTypeID": {"CASHX", "CPAID", "PENDC"},
	"reportID": {"{report}", "none"}, "entryID": {"{entry}", "none"}, "itemizationID": {"{itemization}", "none"}, "attendeeID": {"{attendee}", "none"},
	"externalID": {"G-00001", "G-00007,G-01999", "none"}, "attendeeTypeID": {"BUSGUEST", "SPOUSE", "PRIVATE"}, "modifiedafter": {"2025-01-01", "2025-12-01", "2026-01-01"},
	"primaryEmail": {"p0001@demo.test", "nobody@demo.test"}, "employeeID": {"10001", "none"}, "lastName": {"Meyer", "nobody"}, "active": {"true", "false"},
	"listId": {"{list}"}, "parentId": {"{item}"}, "name": {"Alpine", "port", "none"}, "city": {"Tokyo", "none"}, "countrySubdivision": {"US-WA", "XX-XX"}, "country": {"US", "AQ"}, "administrativeRegion": {"Washington", "none"},
}

// days are what filters on a time are asked for: near its beginning, within and near
// its end.
var days = []string{"2025-01-25", "2025-07-01", "2025-12-20"}

func samplesOf(filter string) []string {
	switch {
	case strings.HasSuffix(filter, "Before") || strings.HasSuffix(filter, "After"):
		return days
	case strings.HasPrefix(filter, "level"):
		return []string{"200", "none"}
	}
	return samples[filter]
}

// listCall is one list with one filter, and how long it took.
type listCall struct {
	path, filter, value, who string
	took                     []time.Duration
}

func (c *listCall) p95() time.Duration { return quantile(c.took, 0.95) }

func quantile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(float64(len(took))*q))]
}

// statement is what was seen of one text.
type statement struct {
	args []any // of the slowest run
	took []time.Duration
	call string
}

type watch struct {
	mu   sync.Mutex
	on   bool
	call string
	seen map[string]*statement
}

func (w *watch) observe(query string, args []any, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.on || !strings.HasPrefix(query, "SELECT") || strings.Contains(query, " FOR ") {
		return // of jobs that run meanwhile
	}
	s := w.seen[query]
	if s == nil {
		s = &statement{}
		w.seen[query] = s
	}
	if len(s.took) == 0 || took > slices.Max(s.took) {
		s.args, s.call = slices.Clone(args), w.call
	}
	s.took = append(s.took, took)
}

func (w *watch) set(on bool, call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.call = on, call
}

// listing is a run over all lists of one engine.
type listing struct {
	engine string
	calls  []*listCall
	slow   []explained
}

type explained struct {
	query, call string
	p95         time.Duration
	runs        int
	plan        []string
}

// repeats is how often each call is made.
const repeats = 20

// benchLists measures every list on SQLite and, where a database is named, on
// PostgreSQL, and writes down the slowest statements.
func benchLists(ctx context.Context, s *settings, _ string, t *table) error {
	var runs []*listing
	for _, database := range []string{"", s.database} {
		if database == "" && len(runs) > 0 {
			break
		}
		l, err := measureLists(ctx, s, database)
		if err != nil {
			return err
		}
		runs = append(runs, l)
		slices.SortFunc(l.calls, func(a, b *listCall) int { return cmp.Compare(b.p95(), a.p95()) })
		worst := l.calls[0]
		within := 0
		for _, c := range l.calls {
			if c.p95() <= 50*time.Millisecond {
				within++
			}
			if c.p95() > 20*time.Millisecond {
				fmt.Fprintf(os.Stderr, "%s %s %s=%s as %s: p95 %s\n", l.engine, c.path, c.filter, c.value, c.who, ms(c.p95()))
			}
		}
		t.add(fmt.Sprintf("%d lists with a single filter, a year of %d people, %s", len(l.calls), s.people, l.engine),
			fmt.Sprintf("%d within 50 ms; slowest p95 %s (`%s` of %s)", within, ms(worst.p95()), worst.filter, worst.path), "", "", "p95 ≤ 50 ms each")
	}
	if s.queries == "" {
		return nil
	}
	return os.WriteFile(s.queries, describe(s, runs), 0o644)
}

func measureLists(ctx context.Context, s *settings, database string) (*listing, error) {
	folder := filepath.Join(s.work, "year")
	if s.year != "" {
		folder = s.year
	}
	if database != "" {
		folder += "-postgres"
	}
	args := []string{"--data", folder, "--listen", "127.0.0.1:0", "--scale", strconv.Itoa(s.people), "--allow-weak-sandbox"}
	if database != "" {
		args = append(args, "--database", database)
	}
	c, err := config.Load("dev", args, nil)
	if err != nil {
		return nil, err
	}
	w := &watch{seen: map[string]*statement{}}
	began := time.Now()
	server, err := app.Start(ctx, app.Options{Config: c, Statements: w.observe, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	if err != nil {
		return nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_ = server.Stop(stopping)
	}()
	fmt.Fprintf(os.Stderr, "the year stands after %s in %s\n", time.Since(began).Round(time.Second), folder)
	l := &listing{engine: string(server.DB.Engine())}
	if err := l.run(ctx, server, w); err != nil {
		return nil, err
	}
	return l, l.explain(ctx, server, w)
}

// run makes every call.
func (l *listing) run(ctx context.Context, server *app.App, w *watch) error {
	base := server.PublicURL()
	dev := client.New(base, client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})
	tokens := map[string]string{}
	for who, login := range map[string][2]string{"the company": {"wes@demo.test", "wes-password"}, "a user": {"p0001@demo.test", "people-password"}, "the top": {"cora@demo.test", "cora-password"}} {
		session, err := dev.SignIn(ctx, login[0], login[1])
		if err != nil {
			return err
		}
		tokens[who] = session.Token
	}
	ids, err := idsOf(ctx, base, tokens["the company"])
	if err != nil {
		return err
	}
	lists, err := listsOf(server)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(lists)) {
		filters := lists[path]
		byUser := slices.Contains(filters, "user")
		for _, filter := range append([]string{""}, filters...) {
			values := []string{""}
			if filter != "" && filter != "user" {
				if values = samplesOf(filter); len(values) == 0 {
					return fmt.Errorf("nothing is known to ask for %s of %s", filter, path)
				}
			} else if filter == "user" {
				continue // who asks says it
			}
			for _, value := range values {
				for id, is := range ids {
					value = strings.ReplaceAll(value, "{"+id+"}", is)
				}
				for who, token := range tokens {
					if who == "the top" && filter != "approverLoginID" {
						continue
					}
					q := url.Values{}
					if filter != "" {
						q.Set(filter, value)
					}
					if byUser && who == "the company" {
						q.Set("user", "ALL")
					}
					c := &listCall{path: path, filter: filter, value: value, who: who}
					w.set(true, path+"?"+q.Encode())
					err := c.measure(ctx, base+path+"?"+q.Encode(), token)
					w.set(false, "")
					if err != nil {
						return err
					}
					if len(c.took) > 0 {
						l.calls = append(l.calls, c)
					}
				}
			}
		}
	}
	return nil
}

// measure calls a list again and again, and its next page as often.
func (c *listCall) measure(ctx context.Context, address, token string) error {
	for _, page := range []bool{false, true} {
		next := ""
		for n := range repeats {
			began := time.Now()
			status, body, err := fetch(ctx, address, token)
			took := time.Since(began)
			if err != nil {
				return err
			}
			if status == 403 && c.who != "the company" {
				return nil // for administrators alone
			}
			if status != 200 {
				return fmt.Errorf("%s: %d %.200s", address, status, body)
			}
			if n > 0 || page { // the first call of an address prepares its statements
				c.took = append(c.took, took)
			}
			var list struct{ NextPage string }
			if json.Unmarshal(body, &list) == nil {
				next = list.NextPage
			}
		}
		if next == "" {
			return nil
		}
		address = next
	}
	return nil
}

func fetch(ctx context.Context, address, token string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// listsOf are the lists of the server with their filters, by path.
func listsOf(server *app.App) (map[string][]string, error) {
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(server.API.OpenAPI("bench"), &document); err != nil {
		return nil, err
	}
	lists := map[string][]string{}
	for path, calls := range document.Paths {
		var filters []string
		paged := false
		for _, p := range calls["get"].Parameters {
			switch {
			case p.In != "query", p.Name == "limit":
			case p.Name == "offset":
				paged = true
			default:
				filters = append(filters, p.Name)
			}
		}
		if paged && !strings.Contains(path, "{") {
			lists[path] = filters
		}
	}
	return lists, nil
}

// idsOf are ids of records of the year that filters name.
func idsOf(ctx context.Context, base, token string) (map[string]string, error) {
	ids := map[string]string{}
	for name, path := range map[string]string{
		"report": "/expense/reports?user=ALL&approvalStatusCode=A_APPR", "entry": "/expense/entries?user=ALL&expenseTypeCode=BUSML", "itemization": "/expense/itemizations?user=ALL",
		"attendee": "/expense/attendees?user=ALL", "group": "/expense/expensegroupconfigurations", "list": "/common/lists", "item": "/common/listitems",
	} {
		status, body, err := fetch(ctx, base+"/api/v3.0"+path, token)
		if err != nil {
			return nil, err
		}
		var list struct{ Items []struct{ ID string } }
		if err := json.Unmarshal(body, &list); err != nil || status != 200 || len(list.Items) == 0 {
			return nil, fmt.Errorf("%s: %d %.200s", path, status, body)
		}
		ids[name] = list.Items[len(list.Items)-1].ID
	}
	return ids, nil
}

// explain asks for the plans of the ten slowest statements.
func (l *listing) explain(ctx context.Context, server *app.App, w *watch) error {
	texts := slices.SortedFunc(maps.Keys(w.seen), func(a, b string) int {
		return cmp.Compare(quantile(w.seen[b].took, 0.95), quantile(w.seen[a].took, 0.95))
	})
	for _, text := range texts[:min(10, len(texts))] {
		s := w.seen[text]
		e := explained{query: text, call: s.call, p95: quantile(s.took, 0.95), runs: len(s.took)}
		err := server.DB.Read(ctx, func(tx *store.Tx) error {
			lite := tx.Engine() == store.SQLite
			verb := "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) "
			if lite {
				verb = "EXPLAIN QUERY PLAN "
			}
			rows, err := tx.Query(verb+text, s.args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, parent, unused int64
				var line string
				if lite {
					err = rows.Scan(&id, &parent, &unused, &line)
				} else {
					err = rows.Scan(&line)
				}
				if err != nil {
					return err
				}
				e.plan = append(e.plan, line)
			}
			return rows.Err()
		})
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		l.slow = append(l.slow, e)
	}
	return nil
}

// columns are what a statement selects, which says nothing of how it finds the rows.
var columns = regexp.MustCompile(`^SELECT [a-z_]+(, [a-z_]+){8,} FROM`)

// describe writes the slowest statements down.
func describe(s *settings, runs []*listing) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# The slowest queries of lists

Made by `+"`cd bench && go run . -only lists -people %d -database postgres://… -queries ../docs/reference/queries.md`"+`; do not edit.

The company has a year of %d people: %s. Every list was called with each of its filters alone, for values that many
records have, few and none, by an administrator for everybody and by a user, its first and its second page, %d times
each. A statement is counted from its begin to its last row, the reading of the rows included.
`, s.people, s.people, sizes(s), repeats)
	for _, l := range runs {
		name := map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}[l.engine]
		worst := l.calls[0]
		fmt.Fprintf(&b, "\n## %s\n\n%d calls, of which the slowest takes %s at p95: `%s` with `%s=%s`, as %s. Then come:\n\n| call | filter | as | p95 |\n|---|---|---|---|\n", name, len(l.calls), ms(worst.p95()), worst.path, worst.filter, worst.value, worst.who)
		for _, c := range l.calls[:min(10, len(l.calls))] {
			fmt.Fprintf(&b, "| `%s` | `%s=%s` | %s | %s |\n", c.path, c.filter, c.value, c.who, ms(c.p95()))
		}
		fmt.Fprintf(&b, "\nThe ten slowest statements behind them, with their plans:\n")
		for i, e := range l.slow {
			fmt.Fprintf(&b, "\n### %d. %s at p95\n\n`%s`\n\n```sql\n%s\n```\n\n```\n%s\n```\n", i+1, ms(e.p95), e.call, columns.ReplaceAllString(e.query, "SELECT … FROM"), strings.Join(e.plan, "\n"))
		}
	}
	return b.Bytes()
}

func sizes(s *settings) string {
	return fmt.Sprintf("%d reports, about %d entries", s.people*12, s.people*150)
}
