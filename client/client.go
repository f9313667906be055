// Package client is a Go client for Quittance and for servers that speak the same
// services: it signs in, keeps its token fresh, and calls what an expense
// integration needs. It uses the standard library alone.
//
//	c := client.New("http://127.0.0.1:8484", client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})
//	ann, err := c.SignIn(ctx, "ann@demo.test", "ann-password")
//	report, err := ann.CreateReport(ctx, client.Report{Name: "Lisbon"})
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Application is a registered application: its client id and secret.
type Application struct{ ID, Secret string }

// Client reaches one server on behalf of one application.
type Client struct {
	base string
	app  Application

	// HTTP sends the requests; it does not follow redirects.
	HTTP *http.Client
	// Trace, when set, is told of each call after its answer.
	Trace func(method, url string, status int)
}

// New makes a client for the server at base, such as "http://127.0.0.1:8484".
func New(base string, app Application) *Client {
	return &Client{base: strings.TrimRight(base, "/"), app: app, HTTP: &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Base is the server's address, without a slash at its end.
func (c *Client) Base() string { return c.base }

// Error is an answer that is no success.
type Error struct {
	Method, URL   string
	Status        int
	Message       string // what the server said, from whichever error form it uses
	CorrelationID string
	Body          []byte
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Status, e.Message)
}

// StatusOf is the HTTP status of an *Error, or 0.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Session is a signed-in principal. It is safe for concurrent use only while its
// token is not refreshed.
type Session struct {
	*Client
	Token   string
	Refresh string
	UserID  string // of the token's user or company
	Scope   string
	Expires time.Time
}

type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int64  `json:"expires_in"`
}

// SignIn uses the password grant.
func (c *Client) SignIn(ctx context.Context, login, password string) (*Session, error) {
	return c.grant(ctx, url.Values{"grant_type": {"password"}, "username": {login}, "password": {password}})
}

// SignInCompany uses a company request token.
func (c *Client) SignInCompany(ctx context.Context, companyID, requestToken string) (*Session, error) {
	return c.grant(ctx, url.Values{"grant_type": {"password"}, "credtype": {"authtoken"}, "username": {companyID}, "password": {requestToken}})
}

// SignInApplication uses the client_credentials grant.
func (c *Client) SignInApplication(ctx context.Context) (*Session, error) {
	return c.grant(ctx, url.Values{"grant_type": {"client_credentials"}})
}

// Renew gives a session a new token by its refresh token.
func (s *Session) Renew(ctx context.Context) error {
	n, err := s.grant(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.Refresh}})
	if err != nil {
		return err
	}
	*s = *n
	return nil
}

func (c *Client) grant(ctx context.Context, form url.Values) (*Session, error) {
	form.Set("client_id", c.app.ID)
	form.Set("client_secret", c.app.Secret)
	var t tokenAnswer
	if _, err := c.do(ctx, "", http.MethodPost, "/oauth2/v0/token", body{"application/x-www-form-urlencoded", []byte(form.Encode())}, &t); err != nil {
		return nil, err
	}
	s := &Session{Client: c, Token: t.AccessToken, Refresh: t.RefreshToken, Scope: t.Scope, Expires: time.Now().Add(time.Duration(t.ExpiresIn) * time.Second)}
	s.UserID = subject(t.AccessToken)
	return s, nil
}

// body is a request body with its media type; the zero body is none.
type body struct {
	media string
	bytes []byte
}

func jsonBody(v any) body {
	b, err := json.Marshal(v)
	if err != nil {
		panic("client: " + err.Error()) // of our own structs: cannot fail
	}
	return body{"application/json", b}
}

// do sends one request and reads a JSON answer into out, which may be nil, or a
// *[]byte for the bytes themselves.
func (c *Client) do(ctx context.Context, token, method, path string, b body, out any, header ...string) (*http.Response, error) {
	address := path
	if !strings.HasPrefix(path, "http://") && !strings.HasPrefix(path, "https://") {
		address = c.base + path
	}
	var r io.Reader
	if b.media != "" {
		r = bytes.NewReader(b.bytes)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, r)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if b.media != "" {
		request.Header.Set("Content-Type", b.media)
	}
	request.Header.Set("Accept", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, 256<<20))
	if err != nil {
		return nil, err
	}
	if c.Trace != nil {
		c.Trace(method, address, answer.StatusCode)
	}
	if answer.StatusCode >= 300 {
		return answer, &Error{Method: method, URL: address, Status: answer.StatusCode, Message: message(content),
			CorrelationID: answer.Header.Get("concur-correlationid"), Body: content}
	}
	switch out := out.(type) {
	case nil:
	case *[]byte:
		*out = content
	default:
		if strings.Contains(answer.Header.Get("Content-Type"), "xml") {
			err = xml.Unmarshal(content, out)
		} else {
			err = json.Unmarshal(content, out)
		}
		if err != nil {
			return answer, fmt.Errorf("%s %s: the answer cannot be read: %w", method, address, err)
		}
	}
	return answer, nil
}

// message finds the sentence in any of the families' error forms.
func message(content []byte) string {
	var j struct {
		Message      string `json:"Message"`
		Lower        string `json:"message"`
		ErrorMessage string `json:"errorMessage"`
		Description  string `json:"error_description"`
	}
	if json.Unmarshal(content, &j) == nil {
		for _, s := range []string{j.Message, j.Lower, j.ErrorMessage, j.Description} {
			if s != "" {
				return s
			}
		}
	}
	var x struct {
		Message string `xml:"Message"`
	}
	if xml.Unmarshal(content, &x) == nil && x.Message != "" {
		return x.Message
	}
	if len(content) > 200 {
		content = content[:200]
	}
	return string(content)
}

// Created is the answer to a made record.
type Created struct {
	ID  string `json:"ID"`
	URI string `json:"URI"`
}

// Report is what an expense report is made of, and what is read back of it.
type Report struct {
	ID                 string      `json:"ID,omitempty"`
	Name               string      `json:"Name,omitempty"`
	Purpose            string      `json:"Purpose,omitempty"`
	Comment            string      `json:"Comment,omitempty"`
	PolicyID           string      `json:"PolicyID,omitempty"`
	CurrencyCode       string      `json:"CurrencyCode,omitempty"`
	Total              json.Number `json:"Total,omitempty"`
	ApprovalStatusCode string      `json:"ApprovalStatusCode,omitempty"`
	ApprovalStatusName string      `json:"ApprovalStatusName,omitempty"`
	PaymentStatusCode  string      `json:"PaymentStatusCode,omitempty"`
	OwnerLoginID       string      `json:"OwnerLoginID,omitempty"`
	WorkflowActionURL  string      `json:"WorkflowActionUrl,omitempty"`
}

// Entry is one expense of a report.
type Entry struct {
	ID                      string      `json:"ID,omitempty"`
	ReportID                string      `json:"ReportID,omitempty"`
	ExpenseTypeCode         string      `json:"ExpenseTypeCode,omitempty"`
	PaymentTypeID           string      `json:"PaymentTypeID,omitempty"`
	TransactionDate         string      `json:"TransactionDate,omitempty"`
	TransactionAmount       json.Number `json:"TransactionAmount,omitempty"`
	TransactionCurrencyCode string      `json:"TransactionCurrencyCode,omitempty"`
	PostedAmount            json.Number `json:"PostedAmount,omitempty"`
	Description             string      `json:"Description,omitempty"`
	VendorDescription       string      `json:"VendorDescription,omitempty"`
	LocationID              string      `json:"LocationID,omitempty"`
	ElectronicReceiptID     string      `json:"ElectronicReceiptID,omitempty"`
	HasImage                bool        `json:"HasImage,omitempty"`
}

// CreateReport makes a report for the session's user.
func (s *Session) CreateReport(ctx context.Context, r Report) (Created, error) {
	var c Created
	_, err := s.do(ctx, s.Token, http.MethodPost, "/api/v3.0/expense/reports", jsonBody(r), &c)
	return c, err
}

// Report reads one report.
func (s *Session) Report(ctx context.Context, id string) (Report, error) {
	var r Report
	_, err := s.do(ctx, s.Token, http.MethodGet, "/api/v3.0/expense/reports/"+url.PathEscape(id), body{}, &r)
	return r, err
}

// Reports reads the first page of the user's reports.
func (s *Session) Reports(ctx context.Context) ([]Report, error) {
	var page struct{ Items []Report }
	_, err := s.do(ctx, s.Token, http.MethodGet, "/api/v3.0/expense/reports", body{}, &page)
	return page.Items, err
}

// CreateEntry adds an expense to a report.
func (s *Session) CreateEntry(ctx context.Context, e Entry) (Created, error) {
	var c Created
	_, err := s.do(ctx, s.Token, http.MethodPost, "/api/v3.0/expense/entries", jsonBody(e), &c)
	return c, err
}

// Entry reads one expense.
func (s *Session) Entry(ctx context.Context, id string) (Entry, error) {
	var e Entry
	_, err := s.do(ctx, s.Token, http.MethodGet, "/api/v3.0/expense/entries/"+url.PathEscape(id), body{}, &e)
	return e, err
}

// Entries reads all expenses of a report, page by page.
func (s *Session) Entries(ctx context.Context, reportID string) ([]Entry, error) {
	var all []Entry
	for next := "/api/v3.0/expense/entries?reportID=" + url.QueryEscape(reportID); next != ""; {
		var page struct {
			Items    []Entry
			NextPage *string
		}
		if _, err := s.do(ctx, s.Token, http.MethodGet, next, body{}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		next = ""
		if page.NextPage != nil {
			next = *page.NextPage
		}
	}
	return all, nil
}

// UploadReceiptImage stores an image among the user's available receipts.
func (s *Session) UploadReceiptImage(ctx context.Context, media string, content []byte) (Created, error) {
	var c Created
	_, err := s.do(ctx, s.Token, http.MethodPost, "/api/v3.0/expense/receiptimages", body{media, content}, &c)
	return c, err
}

// Image is the answer of the image service.
type Image struct {
	ID  string `json:"Id"`
	URL string `json:"Url"`
}

// AttachToEntry gives an expense its image.
func (s *Session) AttachToEntry(ctx context.Context, entryID, media string, content []byte) (Image, error) {
	var i Image
	_, err := s.do(ctx, s.Token, http.MethodPost, "/api/image/v1.0/expenseentry/"+url.PathEscape(entryID), body{media, content}, &i)
	return i, err
}

// EntryImage asks for the address of an entry's image; it works for fifteen minutes
// without a token.
func (s *Session) EntryImage(ctx context.Context, entryID string) (Image, error) {
	var i Image
	_, err := s.do(ctx, s.Token, http.MethodGet, "/api/image/v1.0/expenseentry/"+url.PathEscape(entryID), body{}, &i)
	return i, err
}

// AttachToReport appends an image to those of a report.
func (s *Session) AttachToReport(ctx context.Context, reportID, media string, content []byte) (Image, error) {
	var i Image
	_, err := s.do(ctx, s.Token, http.MethodPost, "/api/image/v1.0/report/"+url.PathEscape(reportID), body{media, content}, &i)
	return i, err
}

// ReportImages asks for the address of the report's one PDF; it works for fifteen
// minutes without a token.
func (s *Session) ReportImages(ctx context.Context, reportID string) (Image, error) {
	var i Image
	_, err := s.do(ctx, s.Token, http.MethodGet, "/api/image/v1.0/report/"+url.PathEscape(reportID), body{}, &i)
	return i, err
}

// Download fetches a link that the server gave, without a token.
func (c *Client) Download(ctx context.Context, link string) (content []byte, media string, err error) {
	answer, err := c.do(ctx, "", http.MethodGet, link, body{}, &content, "Accept", "*/*")
	if err != nil {
		return nil, "", err
	}
	return content, answer.Header.Get("Content-Type"), nil
}

// Posted tells where a posted receipt will be and where its processing can be watched.
type Posted struct{ Location, Status string }

// PostImageOnlyReceipt posts an image to the receipts service.
func (s *Session) PostImageOnlyReceipt(ctx context.Context, name, media string, content []byte) (Posted, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="image"; filename=%q`, name)}, "Content-Type": {media}})
	if err != nil {
		return Posted{}, err
	}
	if _, err := part.Write(content); err != nil {
		return Posted{}, err
	}
	if err := w.Close(); err != nil {
		return Posted{}, err
	}
	answer, err := s.do(ctx, s.Token, http.MethodPost, "/receipts/v4/users/"+s.UserID+"/image-only-receipts", body{w.FormDataContentType(), b.Bytes()}, nil)
	if err != nil {
		return Posted{}, err
	}
	return posted(answer), nil
}

// PostReceipt posts an e-receipt: JSON that keeps to the named schema, such as
// "hotel-receipt". The server draws its image.
func (s *Session) PostReceipt(ctx context.Context, schema string, receipt []byte) (Posted, error) {
	answer, err := s.do(ctx, s.Token, http.MethodPost, "/receipts/v4/users/"+s.UserID, body{"application/json", receipt}, nil,
		"Link", "<http://schema.concursolutions.com/"+schema+".schema.json>;rel=describedBy")
	if err != nil {
		return Posted{}, err
	}
	return posted(answer), nil
}

// ReceiptImage downloads the image of a processed receipt.
func (s *Session) ReceiptImage(ctx context.Context, p Posted) (content []byte, media string, err error) {
	answer, err := s.do(ctx, s.Token, http.MethodGet, p.Location+"/image", body{}, &content, "Accept", "*/*")
	if err != nil {
		return nil, "", err
	}
	return content, answer.Header.Get("Content-Type"), nil
}

func posted(answer *http.Response) Posted {
	p := Posted{Location: answer.Header.Get("Location")}
	for _, link := range strings.Split(answer.Header.Get("Link"), ",") {
		address, rel, _ := strings.Cut(link, ";")
		if strings.Contains(rel, "processing-status") {
			p.Status = strings.Trim(strings.TrimSpace(address), "<>")
		}
	}
	return p
}

// ReceiptStatus is how far a receipt has come.
type ReceiptStatus struct {
	Status string `json:"status"`
	Logs   []struct {
		Level   string `json:"logLevel"`
		Message string `json:"message"`
		At      string `json:"timestamp"`
	} `json:"logs"`
}

// ReceiptStatus reads the status of a posted receipt.
func (s *Session) ReceiptStatus(ctx context.Context, p Posted) (ReceiptStatus, error) {
	var r ReceiptStatus
	_, err := s.do(ctx, s.Token, http.MethodGet, p.Status, body{}, &r)
	return r, err
}

// AwaitReceipt asks until the receipt is processed or failed, or ctx ends.
func (s *Session) AwaitReceipt(ctx context.Context, p Posted) (ReceiptStatus, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := s.ReceiptStatus(ctx, p)
		if err != nil || r.Status == "PROCESSED" || r.Status == "FAILED" {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("the receipt is still %s: %w", r.Status, ctx.Err())
		case <-tick.C:
		}
	}
}

// Submit hands a report in for approval.
func (s *Session) Submit(ctx context.Context, reportID string) error {
	_, err := s.do(ctx, s.Token, http.MethodPatch, "/expensereports/v4/users/"+s.UserID+"/reports/"+url.PathEscape(reportID)+"/submit", body{}, nil)
	return err
}

// Approve approves a report as the manager whose turn it is.
func (s *Session) Approve(ctx context.Context, reportID, comment string) error {
	_, err := s.do(ctx, s.Token, http.MethodPatch, "/expensereports/v4/users/"+s.UserID+"/context/MANAGER/reports/"+url.PathEscape(reportID)+"/approve",
		jsonBody(map[string]string{"comment": comment}), nil)
	return err
}

// SendBack gives a report back to its owner; the comment is required.
func (s *Session) SendBack(ctx context.Context, reportID, comment string) error {
	_, err := s.do(ctx, s.Token, http.MethodPatch, "/expensereports/v4/users/"+s.UserID+"/context/MANAGER/reports/"+url.PathEscape(reportID)+"/sendBack",
		jsonBody(map[string]string{"comment": comment}), nil)
	return err
}
