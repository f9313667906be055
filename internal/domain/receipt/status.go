package receipt

import (
	"time"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// StatusLife is how long the status of a receipt can be asked for after its POST.
const StatusLife = 14 * 24 * time.Hour

// The levels of log lines that processing writes.
const (
	info    = "INFO"
	problem = "ERROR"
)

// The messages of the log, letter for letter as they are documented: clients compare
// them.
const (
	saidAccepted       = "Receipt accepted. Queued for processing."
	saidInitiated      = "Initiated receipt processing."
	saidProfileError   = "Error from User Profile service. Queued for reprocessing."
	saidImagingError   = "Error from Imaging service. Queued for reprocessing."
	saidRetrievalError = "Error during image generation or retrieval. Queued for reprocessing."
	saidGenerated      = "Receipt image generated."
	saidFailed         = "Processing failed."
	saidFinished       = "Processing finished."
)

// status is what GET /v4/status/{id} shows.
type status struct {
	Status string
	Logs   []line
}

type line struct {
	Level   string
	Message string
	Time    string // RFC 1123, GMT
}

func (s *status) fields(f *wire.Fields) {
	f.Text("status", &s.Status, "How far the processing is.",
		wire.Enum(string(imaging.Accepted), string(imaging.Processing), string(imaging.Processed), string(imaging.Failed)))
	wire.List(f, "logs", &s.Logs, (*line).fields, "What happened, the oldest first.")
}

func (l *line) fields(f *wire.Fields) {
	f.Text("logLevel", &l.Level, "How grave it is.", wire.Enum("INFO", "DEBUG", "WARNING", "ERROR"))
	f.Text("message", &l.Message, "What happened.")
	f.Text("timestamp", &l.Time, "When, in the form of HTTP dates.", wire.Example("Mon, 08 May 2017 23:05:52 GMT"))
}

var statusSchema = wire.Bind("Status", (*status).fields)

func rfc1123(i value.Instant) string { return i.Time().Format("Mon, 02 Jan 2006 15:04:05 GMT") }

// accept notes a receipt that was just posted.
func accept(tx *store.Tx, id, company, owner string) error {
	if _, err := tx.Exec("INSERT INTO receipt_status (receipt_id, company_id, owner_id, status, accepted_at) VALUES (?, ?, ?, ?, ?)",
		id, company, owner, string(imaging.Accepted), int64(tx.Now())); err != nil {
		return err
	}
	return say(tx, id, info, saidAccepted)
}

// advance moves a receipt to a state and writes the line that tells of it. It is
// errs.NotFound when the receipt is gone.
func advance(tx *store.Tx, id string, to imaging.State, level, message string) error {
	n, err := tx.Exec("UPDATE receipt_status SET status = ? WHERE receipt_id = ?", string(to), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return errNoReceipt
	}
	return say(tx, id, level, message)
}

func say(tx *store.Tx, id, level, message string) error {
	_, err := tx.Exec(`INSERT INTO receipt_log (receipt_id, position, level, message, logged_at)
		SELECT ?, COUNT(*) + 1, ?, ?, ? FROM receipt_log WHERE receipt_id = ?`, id, level, message, int64(tx.Now()), id)
	return err
}

// Forget removes the statuses that are past their life and tells how many those were.
// It is run from time to time. What is still being worked on is kept.
func Forget(tx *store.Tx) (int64, error) {
	over := store.Where("accepted_at <= ?", int64(tx.Now().Add(-StatusLife))).In("status", string(imaging.Processed), string(imaging.Failed))
	if _, err := tx.Exec("DELETE FROM receipt_log WHERE receipt_id IN (SELECT receipt_id FROM receipt_status WHERE "+over.SQL+")", over.Args...); err != nil {
		return 0, err
	}
	return tx.Exec("DELETE FROM receipt_status WHERE "+over.SQL, over.Args...)
}

// errNoReceipt is the answer for a receipt that is absent and for one that is not the
// caller's, alike.
var errNoReceipt = errs.New(errs.NotFound, "receipt", "There is no such receipt.")

// reached limits look-ups by id: a user's token to that user's receipts, company and
// application tokens to their company's. Roles do not count in this family.
func reached(a *auth.Actor) store.Predicate {
	if a.Kind == auth.User {
		return a.InCompany("").And("owner_id = ?", a.ID)
	}
	return a.InCompany("")
}

func (s *Service) getStatus(c *api.Call) (api.Answer, error) {
	id := c.Param("receiptId")
	var found status
	if err := c.Read(func(tx *store.Tx) error {
		found = status{}
		p := reached(c.Actor()).And("receipt_id = ? AND accepted_at > ?", id, int64(c.Now().Add(-StatusLife)))
		err := tx.QueryRow("SELECT status FROM receipt_status WHERE "+p.SQL, p.Args...).Scan(&found.Status)
		if errs.Is(err, errs.NotFound) {
			return errNoReceipt
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query("SELECT level, message, logged_at FROM receipt_log WHERE receipt_id = ? ORDER BY position", id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l line
			var at int64
			if err := rows.Scan(&l.Level, &l.Message, &at); err != nil {
				return err
			}
			l.Time = rfc1123(value.Instant(at))
			found.Logs = append(found.Logs, l)
		}
		return rows.Err()
	}); err != nil {
		return nil, err
	}
	return api.Object(200, statusSchema, &found), nil
}
