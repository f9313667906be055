package app

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"quittance/client"
)

//go:embed demodata/receipt-photo.jpg
var receiptPhoto []byte

//go:embed demodata/taxi-receipt.json
var taxiReceipt []byte

// Demo runs the main job against a dev server, as a client over HTTP: from a photo
// to one PDF of an approved report. It prints each step and leaves the PDF in file.
func Demo(ctx context.Context, base, file string, out io.Writer) error {
	d := &demo{ctx: ctx, out: out, c: client.New(base, client.Application{ID: "quittance-dev", Secret: "quittance-dev-secret"})}
	d.c.Trace = func(method, url string, status int) { d.method, d.url, d.status = method, url, status }
	fmt.Fprintf(out, "From a photo to one PDF of an approved report, on %s\n\n", base)
	start := time.Now()
	if err := d.run(file); err != nil {
		return fmt.Errorf("the demo stopped at step %d: %w", d.step+1, err)
	}
	fmt.Fprintf(out, "\nDone in %s: %s\n", time.Since(start).Round(time.Millisecond), file)
	return nil
}

type demo struct {
	ctx         context.Context
	out         io.Writer
	c           *client.Client
	step        int
	method, url string
	status      int
}

func (d *demo) done(format string, args ...any) {
	d.step++
	fmt.Fprintf(d.out, "%2d  %s\n    %-5s %s → %d\n", d.step, fmt.Sprintf(format, args...), d.method, d.url, d.status)
}

func (d *demo) run(file string) error {
	ctx := d.ctx
	ann, err := d.c.SignIn(ctx, "ann@demo.test", "ann-password")
	if err != nil {
		return err
	}
	d.done("Ann signs in")

	image, err := ann.UploadReceiptImage(ctx, "image/jpeg", receiptPhoto)
	if err != nil {
		return err
	}
	d.done("She uploads the photo of a receipt (%d KB): image %s", len(receiptPhoto)>>10, image.ID)

	posted, err := ann.PostReceipt(ctx, "ground-transport-receipt", taxiReceipt)
	if err != nil {
		return err
	}
	d.done("Her taxi company posts an e-receipt: data, no picture")
	waiting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	status, err := ann.AwaitReceipt(waiting, posted)
	if err != nil {
		return err
	}
	if status.Status != "PROCESSED" {
		return fmt.Errorf("the receipt is %s: %v", status.Status, status.Logs)
	}
	d.done("It is %s after %d events", status.Status, len(status.Logs))
	drawn, media, err := ann.ReceiptImage(ctx, posted)
	if err != nil {
		return err
	}
	if media != "application/pdf" || !bytes.HasPrefix(drawn, []byte("%PDF-")) {
		return fmt.Errorf("the drawn receipt is %s, not a PDF", media)
	}
	d.done("The server has drawn it: a PDF of %d KB", len(drawn)>>10)

	today := time.Now().UTC().Format("2006-01-02")
	report, err := ann.CreateReport(ctx, client.Report{Name: "Visit to Lisbon", Purpose: "Meet the partners"})
	if err != nil {
		return err
	}
	d.done("She makes a report: %s", report.ID)
	hotel, err := ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "LODNG", PaymentTypeID: "CASHX", TransactionDate: today,
		TransactionAmount: "240.50", TransactionCurrencyCode: "EUR", VendorDescription: "Hotel Aurora", Description: "Two nights"})
	if err != nil {
		return err
	}
	d.done("A hotel, 240.50 EUR: entry %s", hotel.ID)
	taxi, err := ann.CreateEntry(ctx, client.Entry{ReportID: report.ID, ExpenseTypeCode: "TAXIX", PaymentTypeID: "CASHX", TransactionDate: today,
		TransactionAmount: "18", TransactionCurrencyCode: "USD", VendorDescription: "City Cab", ElectronicReceiptID: path.Base(posted.Location)})
	if err != nil {
		return err
	}
	d.done("A taxi, 18 USD, with the e-receipt: entry %s", taxi.ID)
	if _, err = ann.AttachToEntry(ctx, hotel.ID, "image/jpeg", receiptPhoto); err != nil {
		return err
	}
	d.done("The hotel's receipt is attached to its entry")
	if _, err = ann.AttachToReport(ctx, report.ID, "image/jpeg", receiptPhoto); err != nil {
		return err
	}
	d.done("A page for the whole report is attached to it")
	r, err := ann.Report(ctx, report.ID)
	if err != nil {
		return err
	}
	d.done("The report now totals %s %s", r.Total, r.CurrencyCode)

	if err = ann.Submit(ctx, report.ID); err != nil {
		return err
	}
	d.done("Ann submits it")
	bob, err := d.c.SignIn(ctx, "bob@demo.test", "bob-password")
	if err != nil {
		return err
	}
	d.done("Bob, her manager, signs in")
	if err = bob.Approve(ctx, report.ID, "Thank you."); err != nil {
		return err
	}
	d.done("Bob approves")
	if r, err = ann.Report(ctx, report.ID); err != nil {
		return err
	}
	if r.ApprovalStatusCode != "A_APPR" || r.PaymentStatusCode != "P_PROC" {
		return fmt.Errorf("after the approval the report is %s and %s", r.ApprovalStatusCode, r.PaymentStatusCode)
	}
	d.done("The report is %s (%s, %s)", r.ApprovalStatusName, r.ApprovalStatusCode, r.PaymentStatusCode)

	link, err := ann.ReportImages(ctx, report.ID)
	if err != nil {
		return err
	}
	d.done("Ann asks for all its images in one PDF")
	pdf, media, err := d.c.Download(ctx, link.URL)
	if err != nil {
		return err
	}
	if media != "application/pdf" || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return fmt.Errorf("the link gave %s, not a PDF", media)
	}
	d.done("It is downloaded by its link, which works for fifteen minutes: %d KB", len(pdf)>>10)
	return os.WriteFile(file, pdf, 0o600)
}
