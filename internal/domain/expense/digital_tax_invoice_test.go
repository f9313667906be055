package expense

import (
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire/wiretest"
)

const invoice = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cfdi:Comprobante xmlns:cfdi=\"http://www.sat.gob.mx/cfd/4\" Total=\"30.00\"><!-- ñ & co --><cfdi:Emisor Nombre=\"Café &amp; Té\"/></cfdi:Comprobante>\n"

// upload posts the tax invoice of a kept entry.
func (w *world) upload(as, entry, media, body string, status int) map[string]string {
	w.t.Helper()
	accept := inJSON
	if w.xml {
		accept = inXML
	}
	a := w.send(as, "POST", w.fill("/api/v3.0/expense/entries/{"+entry+"}/taxinvoice"), media, accept, body)
	if a.status != status {
		w.t.Fatalf("upload as %s: %d, want %d\n%s", as, a.status, status, a.body)
	}
	return wiretest.Fields(w.t, a.body)
}

func TestDigitalTaxInvoices(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "40"), keep: "f"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=0; NextPage="},
			step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", status: 404},
		)
		f := w.upload("ann", "e", inXML, invoice, 200)
		w.kept["q"] = f["ID"]
		if f["URI"] != w.fill("https://spend.example/api/v3.0/expense/entries/{e}/taxinvoice") {
			t.Error("the invoice is at", f["URI"])
		}
		w.now = w.now.Add(time.Minute)
		w.kept["p"] = w.upload("ann", "f", "text/xml;charset=utf-8", "\ufeff<a/>", 200)["ID"]
		w.run(
			// The queue of the validation company.
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=2; Items[0].ID={q}; Items[0].URI=https://spend.example/api/v3.0/expense/digitaltaxinvoices/{q}; Items[1].ID={p}; NextPage=",
				check: func(w *world, f map[string]string) { w.kept["plain"] = f["Items[0].ConcurReceiptID"] }},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/{q}", want: "ConcurReceiptID={plain}; DocumentID={r}; AccountID=" + demo, check: func(w *world, f map[string]string) {
				if got := f["ReceiptData"]; got != invoice {
					t.Errorf("the invoice came back as %q", got)
				}
				if len(f["ConcurReceiptID"]) != 20 {
					t.Error("the plain id is", f["ConcurReceiptID"])
				}
			}},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/{p}", want: "ReceiptData=<a/>"},
			step{as: "company", call: "GET /expense/digitaltaxinvoices?limit=1", want: "Items=1; Items[0].ID={q}", keep: "next"},
			step{as: "company", call: "GET {next}", want: "Items=1; Items[0].ID={p}; NextPage="},
			step{as: "company", call: "GET /expense/digitaltaxinvoices?limit=1&offset=1", want: "Items=1; Items[0].ID={p}"},
			step{as: "company", call: "GET /expense/digitaltaxinvoices?limit=0", status: 400, want: "limit"},
			step{as: "company", call: "GET /expense/digitaltaxinvoices?limit=101", status: 400, want: "limit"},
			step{as: "company", call: "GET /expense/digitaltaxinvoices?offset=x", status: 400, want: "offset"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices?modifiedafter=2025-03-11T09:30:00", want: "Items=1; Items[0].ID={p}"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices?modifiedAfter=2025-03-11", want: "Items=2"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices?modifiedafter=2025-03-12", want: "Items=0"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices?modifiedafter=soon", status: 400, want: "modifiedafter: must be a date"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/gWnone", status: 404},
			// What is not yet said of it.
			step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", want: "ID={q}; EntryID={e}; ConcurReceiptID={plain}; Status=; Comment=; LastModified=2025-03-11T09:30:00"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{}`, status: 400, want: "Status: is required"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Comment":"no status"}`, status: 400, want: "Status: is required"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":null}`, status: 400, want: "Status: is required"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Comment":"` + strings.Repeat("x", 2001) + `","Status":"GOOD"}`, status: 400, want: "Comment: must be at most 2000 characters long; Status: must be one of VALID, INVLD, WARNG"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/gWnone", body: `{"Status":"VALID"}`, status: 404},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=2"},
			// An answer takes it out of the queue.
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"invld","Comment":"` + strings.Repeat("x", 2000) + `"}`},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=1; Items[0].ID={p}"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"INVLD"}`},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"VALID"}`, status: 400, want: "validated already"},
			step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", want: "Status=INVLD; Comment=" + strings.Repeat("x", 2000) + "; LastModified=2025-03-11T09:31:00"},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=true"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=true"},
			// Whatever else happens to the entry, until there is another invoice.
			step{as: "ann", call: "PUT /expense/entries/{e}", body: `{"Description":"x"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=true"},
		)
		w.sound()
		if again := w.upload("ann", "e", inXML, invoice, 200); again["ID"] != w.kept["q"] {
			t.Error("the same invoice is another one")
		}
		w.run(step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice", want: "Status=INVLD"})
		w.now = w.now.Add(time.Minute)
		if again := w.upload("ann", "e", inXML, invoice+" ", 200); again["ID"] != w.kept["q"] {
			t.Error("a corrected invoice is another one")
		}
		w.run(
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=2; Items[0].ID={p}; Items[1].ID={q}"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices?modifiedafter=2025-03-11T09:31:00", want: "Items=1; Items[0].ID={q}"},
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"VALID"}`},
			step{as: "ann", call: "GET /expense/entries/{e}", want: "HasExceptions=false"},
		)
		w.sound()
		// An answer that comes after the report was submitted.
		w.submit("ann", "r")
		w.upload("ann", "e", inXML, "<late/>", 400)
		w.run(
			step{as: "wes", call: "PUT /expense/digitaltaxinvoices/{p}", body: `{"Status":"WARNG","Comment":"hm"}`},
			step{as: "bob", call: "GET /expense/entries/{f}/taxinvoice", want: "Status=WARNG; Comment=hm; ReceiptData=<a/>"},
			step{as: "bob", call: "GET /expense/entries/{f}", want: "HasExceptions=true"},
			step{as: "bob", call: "GET /expense/reports/{r}", want: "HasException=true; ApprovalStatusCode=A_PEND"},
		)
		w.sound()
		w.upload("bob", "f", inXML, "<late/>", 403)
		w.act("bob", "r", ActionSendBack)
		// The invoice goes where its entry goes.
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Bergen"}`, keep: "s"},
			step{as: "ann", call: "PUT /expense/entries/{f}", body: `{"ReportID":"{s}"}`},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/{p}", want: "DocumentID={s}"},
			step{as: "ann", call: "GET /expense/reports/{r}", want: "HasException=false"},
			step{as: "ann", call: "GET /expense/reports/{s}", want: "HasException=true"},
			step{as: "ann", call: "DELETE /expense/entries/{f}"},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices/{p}", status: 404},
		)
		w.sound()
	})
}

func TestTaxInvoiceUploads(t *testing.T) {
	both(t, func(w *world) {
		w.run(
			step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
			step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
		)
		large := func(n int) string { return "<a>" + strings.Repeat("x", n-7) + "</a>" }
		for _, c := range []struct {
			name, media, body string
			status            int
			want              string
		}{
			{"empty", inXML, "", 400, "The body is empty"},
			{"no XML", inXML, "ten euros", 400, "The XML cannot be read"},
			{"not closed", inXML, "<a><b></a>", 400, "is not closed"},
			{"two roots", inXML, "<a/><b/>", 400, "more than one root"},
			{"a document type", inXML, `<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, 400, "document type declarations are not taken"},
			{"an entity", inXML, `<a>&xxe;</a>`, 400, "not well formed"},
			{"deep", inXML, strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), 400, "deeper than 64"},
			{"Latin-1", inXML, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Caf\xe9</a>", 400, "not in UTF-8"},
			{"UTF-16", inXML, "\xff\xfe<\x00a\x00/\x00>\x00", 400, "UTF-16"},
			{"control characters", inXML, "<a>\x00</a>", 400, "control characters"},
			{"JSON", inJSON, `{"a":1}`, 415, "A tax invoice is XML"},
			{"a form", "application/x-www-form-urlencoded", "a=b", 415, "A tax invoice is XML"},
			{"too large", inXML, large(1<<20 + 1), 413, "1 MB"},
		} {
			if f := w.upload("ann", "e", c.media, c.body, c.status); !strings.Contains(f["Message"], c.want) {
				t.Errorf("%s: %s, want %s", c.name, f["Message"], c.want)
			}
		}
		w.upload("bob", "e", inXML, "<a/>", 404)
		w.upload("eve", "e", inXML, "<a/>", 404)
		w.upload("unscoped", "e", inXML, "<a/>", 403)
		w.upload("", "e", inXML, "<a/>", 401)
		w.run(
			step{as: "bob", call: "GET /expense/entries/{e}/taxinvoice", status: 404},
			step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=0"},
		)
		for i, body := range []string{large(1 << 20), "<a>\u00e9\u4e2d\U0001F9FE</a>", "  <a\n/>  "} {
			w.upload([]string{"ann", "wes", "company"}[i], "e", "application/vnd.tax+xml", body, 200)
			if got := w.step("", step{as: "ann", call: "GET /expense/entries/{e}/taxinvoice"})["ReceiptData"]; got != body && !w.xml {
				t.Errorf("%.40q came back as %.40q", body, got)
			}
		}
		// Only where the owner's group takes them.
		w.exec("UPDATE expense_group SET allow_digital_tax_invoice = ? WHERE company_id = ?", false, demo)
		if f := w.upload("ann", "e", inXML, "<a/>", 400); !strings.Contains(f["Message"], "takes no digital tax invoices") {
			t.Error(f["Message"])
		}
	})
}

func TestWhoValidatesTaxInvoices(t *testing.T) {
	w := newWorld(t)
	w.run(
		step{as: "ann", call: "POST /expense/reports", body: `{"Name":"Oslo"}`, keep: "r"},
		step{as: "ann", call: "POST /expense/entries", body: lunch("r", "30"), keep: "e"},
	)
	w.kept["q"] = w.upload("ann", "e", inXML, "<a/>", 200)["ID"]
	for _, as := range []string{"ann", "bob", "cora", "ivan", "eve", "unscoped"} {
		for _, call := range []string{"GET /expense/digitaltaxinvoices", "GET /expense/digitaltaxinvoices/{q}", "PUT /expense/digitaltaxinvoices/{q}"} {
			body := ""
			if call[0] == 'P' {
				body = `{"Status":"VALID"}`
			}
			w.run(step{as: as, call: call, body: body, status: 403})
		}
	}
	// What the validation company calls the company; its id unless it is said.
	for _, account := range []string{"ACME-1", "ACME-2"} {
		w.write(func(tx *store.Tx) error { return w.expense.SetTaxAccount(tx, demo, account) })
		w.run(step{as: "wes", call: "GET /expense/digitaltaxinvoices/{q}", want: "AccountID=" + account})
	}
	// Another company's administrator has another queue.
	w.write(func(tx *store.Tx) error { return w.org.SetRoles(tx, eveID, "Web Services Administrator") })
	w.run(
		step{as: "eve", call: "GET /expense/digitaltaxinvoices", want: "Items=0"},
		step{as: "eve", call: "GET /expense/digitaltaxinvoices/{q}", status: 404},
		step{as: "eve", call: "PUT /expense/digitaltaxinvoices/{q}", body: `{"Status":"VALID"}`, status: 404},
		step{as: "wes", call: "GET /expense/digitaltaxinvoices", want: "Items=1"},
	)
}
