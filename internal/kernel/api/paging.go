package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// cursor is where a page starts and what the rest of the walk must repeat.
type cursor struct {
	page    store.Page
	filters *wire.Document // the filters that the token carries, where the call gave none
	query   string         // canonical filters, as the token and NextPage repeat them
}

// token is what NextPage carries, signed: the key of the last row and everything
// that must not change between pages (decisions.md 16).
type token struct {
	Operation string `json:"o"`
	Company   string `json:"c"`
	Subject   string `json:"s"`
	Query     string `json:"q,omitempty"`
	Limit     int    `json:"l"`
	After     []any  `json:"a"`
}

const tokenPurpose = "paging"

// maxPosition bounds the positions that counting clients may ask for, since a
// position costs as many steps as it is high.
const maxPosition = 1_000_000

// cursor reads limit and offset of a list call.
func (c *Call) cursor(problems *[]errs.Field) (*cursor, error) {
	cur := &cursor{query: c.filters()}
	cur.page.Limit = c.op.limit.standard
	limitGiven := false
	if text := strings.TrimSpace(c.QueryText("limit")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > c.op.limit.max {
			*problems = append(*problems, errs.Field{Path: "limit", Code: "range",
				Message: "must be a whole number from 1 to " + strconv.Itoa(c.op.limit.max) + "."})
		} else {
			cur.page.Limit, limitGiven = n, true
		}
	}
	offset := strings.TrimSpace(c.QueryText("offset"))
	if offset == "" {
		return cur, nil
	}
	bad := errs.Field{Path: "offset", Code: "offset", Message: "is not one that this call has given; take it from NextPage."}
	if digits(offset) {
		n, err := strconv.Atoi(offset)
		if err != nil || n > maxPosition {
			*problems = append(*problems, errs.Field{Path: "offset", Code: "range", Message: "is a position beyond 1,000,000; follow NextPage instead of counting."})
			return cur, nil
		}
		cur.page.Position = n
		return cur, nil
	}
	t, ok := c.open(offset)
	if !ok {
		*problems = append(*problems, bad)
		return cur, nil
	}
	if t.Operation != c.op.Doc.ID || t.Company != c.actor.Company || t.Subject != c.subjectKey() && c.userGiven() {
		*problems = append(*problems, bad)
		return cur, nil
	}
	if cur.query != "" && cur.query != t.Query {
		*problems = append(*problems, errs.Field{Path: "offset", Code: "offset", Message: "belongs to a query with other filters; start again without it."})
		return cur, nil
	}
	if t.Subject != c.subjectKey() {
		// The walk began with a user parameter that this page does not repeat: the
		// caller's right to it is checked again.
		if err := c.resolveSubject(t.Subject); err != nil {
			return nil, err
		}
	}
	if cur.query == "" && t.Query != "" {
		d, err := wire.ParseQuery(t.Query)
		if err != nil {
			return nil, err
		}
		cur.filters, cur.query = d, t.Query
	}
	if !limitGiven {
		cur.page.Limit = t.Limit
	}
	cur.page.After = t.After
	return cur, nil
}

// filters is the query without what pages may change, in one order and spelling.
func (c *Call) filters() string {
	raw := c.request.URL.RawQuery
	if raw == "" {
		return ""
	}
	var kept []string
	for _, pair := range strings.Split(raw, "&") {
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			continue
		}
		text, err := url.QueryUnescape(v)
		if err != nil {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(strings.TrimLeft(name, "?")))
		if name == "" || name == "offset" || name == "limit" || name == "user" || text == "" || !c.op.filters(name) {
			continue
		}
		kept = append(kept, url.QueryEscape(name)+"="+url.QueryEscape(text))
	}
	sort.Strings(kept)
	return strings.Join(kept, "&")
}

func (o *Operation) filters(folded string) bool {
	for _, p := range o.parameters {
		if p.In == "query" && strings.EqualFold(p.Name, folded) {
			return true
		}
	}
	return false
}

// nextPage is the address of the page after this one.
func (c *Call) nextPage(cur *cursor, after []any) string {
	t := token{Operation: c.op.Doc.ID, Company: c.actor.Company, Subject: c.subjectKey(), Query: cur.query, Limit: cur.page.Limit, After: after}
	q := "?offset=" + c.seal(&t) + "&limit=" + strconv.Itoa(cur.page.Limit)
	if user := c.QueryText("user"); user != "" {
		q += "&user=" + url.QueryEscape(user)
	}
	if cur.query != "" {
		q += "&" + cur.query
	}
	return c.URL("/"+strings.Join(segments(c.request.URL.Path), "/")) + q
}

func (c *Call) seal(t *token) string {
	body, err := json.Marshal(t)
	if err != nil {
		panic("api: a page key cannot be written: " + err.Error())
	}
	mac := c.server.options.Signer.MAC(tokenPurpose, body)
	// A leading letter keeps a token from looking like a position.
	return "n" + base64.RawURLEncoding.EncodeToString(append(mac[:], body...))
}

func (c *Call) open(offset string) (*token, bool) {
	if len(offset) > 8192 || offset[0] != 'n' {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(offset[1:])
	if err != nil || len(b) < 16 {
		return nil, false
	}
	mac := c.server.options.Signer.MAC(tokenPurpose, b[16:])
	if !hmacEqual(mac[:], b[:16]) {
		return nil, false
	}
	t := new(token)
	d := json.NewDecoder(bytes.NewReader(b[16:]))
	d.UseNumber()
	if d.Decode(t) != nil {
		return nil, false
	}
	for i, v := range t.After {
		if n, ok := v.(json.Number); ok {
			whole, err := n.Int64()
			if err != nil {
				return nil, false
			}
			t.After[i] = whole
		}
	}
	return t, true
}

func (c *Call) subjectKey() string {
	if c.actor.All {
		return "ALL"
	}
	return c.actor.Subject.Login
}

func (c *Call) userGiven() bool { return strings.TrimSpace(c.QueryText("user")) != "" }

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
