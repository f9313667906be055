package api

import (
	"strconv"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

const instanceNamespace = "http://www.w3.org/2001/XMLSchema-instance"

var (
	v3JSON        = &wire.Style{Nulls: wire.NullWrite, Dates: wire.V3DateTime}
	v3XML         = &wire.Style{XML: true, Nulls: wire.NullOmit, Dates: wire.V3DateTime}
	v3XMLObserved = &wire.Style{XML: true, Nulls: wire.NullWrite, Dates: wire.V3DateTime, XMLDecimals: 8, ItemWrappers: true}
	v4JSON        = &wire.Style{Nulls: wire.NullWrite, Dates: wire.ISODate}
)

func v3Style(f Format, p auth.Profile) *wire.Style {
	switch {
	case f == JSON:
		return v3JSON
	case p == auth.Observed:
		return v3XMLObserved
	}
	return v3XML
}

func always(f Format) func(string, auth.Profile) Format {
	return func(string, auth.Profile) Format { return f }
}

func whenObserved(p auth.Profile) bool { return p == auth.Observed }

func never(auth.Profile) bool { return false }

func status(code int) func(auth.Profile) int {
	return func(auth.Profile) int { return code }
}

// V3 is the family of the v3.0, v3.1 and v3.2 services: JSON and XML, lists with
// Items and NextPage, an Error object (conventions.md §3, §9).
var V3 = &Family{
	Name: "v3", Base: []string{"/api/v3.0"}, FoldCase: true,
	Formats: []Format{JSON, XML},
	Default: func(accept string, p auth.Profile) Format {
		if accept == "" || p == auth.Observed {
			return XML
		}
		return JSON
	},
	Style: v3Style, Instance: whenObserved, WireNames: whenObserved,
	Created: 200,
	Emptied: func(p auth.Profile) int {
		if p == auth.Observed {
			return 204
		}
		return 200
	},
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeV3Error,
}

// ImageV1 is the family of Image v1: raw bytes in, a small Image object out, XML
// unless Accept names JSON.
var ImageV1 = &Family{
	Name: "image v1", Base: []string{"/api/image/v1.0", "/api/image/v1.1"}, FoldCase: true,
	Formats: []Format{XML, JSON}, Default: always(XML), Lenient: true,
	Style:        v3Style,
	XMLNamespace: "http://www.concursolutions.com/api/image/2011/02",
	Instance:     func(auth.Profile) bool { return true }, WireNames: never,
	Created: 201, Emptied: status(200),
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeV3Error,
}

// V11 is the family of the v1.1 submit and workflow calls: XML only, and a refused
// action is a FAILURE inside a 200 (workflow.md §1).
var V11 = &Family{
	Name: "v1.1", Base: []string{"/api/expense/expensereport/v1.1"}, FoldCase: true,
	Formats: []Format{XML}, Default: always(XML), Lenient: true,
	Style:        func(Format, auth.Profile) *wire.Style { return v3XML },
	XMLNamespace: "http://www.concursolutions.com/api/expense/expensereport/2011/03",
	Instance:     func(auth.Profile) bool { return true }, WireNames: never,
	Created: 200, Emptied: status(200),
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeV3Error,
}

func v4Family(name string, base ...string) *Family {
	return &Family{
		Name: name, Base: base, ExactFields: true,
		Formats: []Format{JSON}, Default: always(JSON),
		Style:    func(Format, auth.Profile) *wire.Style { return v4JSON },
		Instance: never, WireNames: never,
		Created: 201, Emptied: status(204),
		NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
		WriteError: writeV4Error,
	}
}

// ExpenseV4 is the family of the v4 report workflow calls and of our history and
// removal extensions beside them.
var ExpenseV4 = v4Family("expense v4", "/expensereports/v4")

// QuickExpenseV4 is the family of quick expenses.
// Clients are known that write it in another case (clients.md §2).
var QuickExpenseV4 = folding(v4Family("quick expense v4", "/quickexpense/v4"))

func folding(f *Family) *Family { f.FoldCase = true; return f }

// Receipts is the family of receipts v4. A missing token is 403 here (receipts.md §5).
var Receipts = &Family{
	Name: "receipts v4", Base: []string{"/receipts"}, ExactFields: true,
	Formats: []Format{JSON}, Default: always(JSON), Lenient: true,
	Style:    func(Format, auth.Profile) *wire.Style { return &wire.Style{Nulls: wire.NullOmit, Dates: wire.MillisZ} },
	Instance: never, WireNames: never,
	Created: 201, Emptied: status(200),
	NoToken: errs.Forbidden, BadToken: errs.Forbidden,
	WriteError: writeReceiptError,
}

// OAuth is the family of the token service (oauth2.md).
var OAuth = &Family{
	Name: "oauth2", Base: []string{"/oauth2/v0"}, FoldCase: true,
	Formats: []Format{JSON}, Default: always(JSON), Lenient: true,
	Style:    func(Format, auth.Profile) *wire.Style { return &wire.Style{Nulls: wire.NullOmit, Dates: wire.ISODate} },
	Instance: never, WireNames: never,
	Created: 200, Emptied: status(200),
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeOAuthError,
}

// OAuthAt is the OAuth family under another base path, for the connection and
// company-token calls that live elsewhere.
func OAuthAt(name, base string) *Family {
	f := *OAuth
	f.Name, f.Base = name, []string{base}
	return &f
}

// LegacyOAuth is the family of the /net2/oauth2 endpoints (oauth2.md §7).
var LegacyOAuth = &Family{
	Name: "legacy oauth", Base: []string{"/net2/oauth2"}, FoldCase: true,
	Formats: []Format{XML, JSON}, Default: always(XML), Lenient: true,
	Style: v3Style, Instance: never, WireNames: never,
	Created: 200, Emptied: status(200),
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeV3Error,
}

// Links is the family of signed links to files: no token, bytes out.
var Links = &Family{
	Name: "links", Base: []string{"/file"},
	Formats: []Format{JSON, XML}, Default: always(JSON), Lenient: true,
	Style: v3Style, Instance: never, WireNames: never,
	Created: 201, Emptied: status(204),
	NoToken: errs.Unauthenticated, BadToken: errs.Forbidden,
	WriteError: writeV4Error,
}

// Hooks is the family of the dev server's test hooks.
var Hooks = v4Family("hooks", "/-")

// sentence is the flat message of an error: the problems joined, or the message.
func sentence(e *errs.Error) string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	var b strings.Builder
	for i, f := range e.Fields {
		if i > 0 {
			b.WriteString("; ")
		}
		if f.Path != "" {
			b.WriteString(f.Path + ": ")
		}
		if i < len(e.Fields)-1 {
			b.WriteString(strings.TrimSuffix(f.Message, "."))
		} else {
			b.WriteString(f.Message)
		}
	}
	return b.String()
}

// writeV3Error writes the Error object of v1 and v3; in JSON the Message stands
// beside it once more, since clients read it in four places (clients.md §3).
func writeV3Error(dst []byte, f *Failure) []byte {
	message := sentence(f.Err)
	at := f.Now.Time().Format("2006-01-02T15:04:05")
	id := strings.ToUpper(f.Correlation)
	if f.Format == XML {
		dst = append(dst, "<Error><Message>"...)
		dst = wire.AppendXMLText(dst, message)
		dst = append(dst, "</Message><Server-Time>"+at+"</Server-Time><Id>"+id+"</Id></Error>"...)
		return dst
	}
	dst = append(dst, `{"Message":`...)
	dst = wire.AppendJSONText(dst, message)
	dst = append(dst, `,"Error":{"Message":`...)
	dst = wire.AppendJSONText(dst, message)
	return append(dst, `,"Server-Time":"`+at+`","Id":"`+id+`"}}`...)
}

// writeV4Error writes the error of the v4 expense services.
func writeV4Error(dst []byte, f *Failure) []byte {
	dst = append(dst, `{"errorId":"`+f.Correlation+`","errorMessage":`...)
	dst = wire.AppendJSONText(dst, f.Err.Message)
	dst = append(dst, `,"httpStatus":"`+strconv.Itoa(f.Status)+" "+reason(f.Status)+`","path":`...)
	dst = wire.AppendJSONText(dst, f.Path)
	dst = append(dst, `,"timestamp":"`+millis(f.Now)+`"`...)
	if len(f.Err.Fields) > 0 {
		dst = append(dst, `,"validationErrors":[`...)
		for i, p := range f.Err.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"source":`...)
			dst = wire.AppendJSONText(dst, p.Path)
			dst = append(dst, `,"message":`...)
			dst = wire.AppendJSONText(dst, p.Message)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// writeReceiptError writes the error of receipts v4: nothing for the answers that
// are documented as empty, ajv-like items for a schema failure (receipts.md §5).
func writeReceiptError(dst []byte, f *Failure) []byte {
	if f.Status == 403 || f.Status == 404 {
		return dst
	}
	dst = append(dst, `{"message":`...)
	dst = wire.AppendJSONText(dst, f.Err.Message)
	if len(f.Err.Fields) > 0 {
		dst = append(dst, `,"validationErrors":[`...)
		for i, p := range f.Err.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"dataPath":`...)
			dst = wire.AppendJSONText(dst, p.Path)
			dst = append(dst, `,"keyword":`...)
			dst = wire.AppendJSONText(dst, p.Code)
			dst = append(dst, `,"message":`...)
			dst = wire.AppendJSONText(dst, p.Message)
			if p.Schema != "" {
				dst = append(dst, `,"schemaPath":`...)
				dst = wire.AppendJSONText(dst, p.Schema)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// writeOAuthError writes the error of RFC 6749 §5.2 with the numeric code beside it.
// An error's Code is "number error", such as "5 invalid_grant".
func writeOAuthError(dst []byte, f *Failure) []byte {
	number, name, ok := strings.Cut(f.Err.Code, " ")
	if _, err := strconv.Atoi(number); !ok || err != nil {
		number, name = "0", "server_error"
		switch f.Err.Kind {
		case errs.Invalid, errs.Unsupported, errs.TooLarge, errs.NotFound, errs.MethodNotAllowed:
			name = "invalid_request"
		case errs.Unauthenticated, errs.Forbidden:
			name = "access_denied"
		case errs.Unavailable, errs.Limited:
			name = "temporarily_unavailable"
		}
	}
	dst = append(dst, `{"code":`+number+`,"error":"`+name+`","error_description":`...)
	dst = wire.AppendJSONText(dst, sentence(f.Err))
	dst = append(dst, `,"geolocation":`...)
	dst = wire.AppendJSONText(dst, f.PublicURL)
	return append(dst, '}')
}

func millis(i value.Instant) string { return i.Time().Format("2006-01-02T15:04:05.000Z") }

// reason is the status in the way of enum names: BAD_REQUEST.
func reason(status int) string {
	return strings.ReplaceAll(strings.ToUpper(statusText(status)), " ", "_")
}
