package org

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"sync"
	"time"

	"quittance/internal/kernel/value"
)

// Mail is a message to one person.
type Mail struct {
	To      string
	Subject string
	Text    string
	At      value.Instant
}

// Mailer sends mail. Send does not wait for the delivery, so that a caller cannot
// tell from the time whether there was somebody to write to.
type Mailer interface {
	Send(m Mail)
}

// Outbox keeps mail in memory instead of sending it: what the sandbox shows.
type Outbox struct {
	mu   sync.Mutex
	sent []Mail
}

// outboxSize is how many messages an Outbox remembers.
const outboxSize = 100

// Send keeps the message.
func (o *Outbox) Send(m Mail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) == outboxSize {
		o.sent = append(o.sent[:0], o.sent[1:]...)
	}
	o.sent = append(o.sent, m)
}

// Sent lists what was sent, the oldest first.
func (o *Outbox) Sent() []Mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Mail(nil), o.sent...)
}

// Clear forgets everything.
func (o *Outbox) Clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = nil
}

// SMTP sends mail through a server, one message after the other, in the background.
type SMTP struct {
	address string // host:port
	from    mail.Address
	auth    smtp.Auth
	logger  *slog.Logger
	queue   chan Mail
	done    chan struct{}
	close   sync.Once
}

// SMTPOptions say where mail goes. Without a user no authentication is tried; with
// one the server must offer TLS.
type SMTPOptions struct {
	Address  string // host:port
	From     string // "Name <name@example.com>"
	User     string
	Password string
	Logger   *slog.Logger
}

const (
	smtpQueue    = 256
	smtpDeadline = 30 * time.Second
)

// NewSMTP makes a mailer. Close ends it.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("the mail server must be host:port: %w", err)
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender of mail is not an address: %w", err)
	}
	m := &SMTP{address: o.Address, from: *from, logger: o.Logger, queue: make(chan Mail, smtpQueue), done: make(chan struct{})}
	if m.logger == nil {
		m.logger = slog.New(slog.DiscardHandler)
	}
	if o.User != "" {
		m.auth = smtp.PlainAuth("", o.User, o.Password, host)
	}
	go m.run()
	return m, nil
}

// Send queues a message; when the queue is full it is dropped and logged.
func (m *SMTP) Send(mail Mail) {
	select {
	case m.queue <- mail:
	default:
		m.logger.Error("mail dropped: the queue is full")
	}
}

// Close sends what is queued and ends. Nothing may be sent afterwards.
func (m *SMTP) Close() {
	m.close.Do(func() { close(m.queue) })
	<-m.done
}

func (m *SMTP) run() {
	defer close(m.done)
	for one := range m.queue {
		if err := m.deliver(one); err != nil {
			m.logger.Error("mail not delivered", "error", err)
		}
	}
}

func (m *SMTP) deliver(one Mail) error {
	ctx, cancel := context.WithTimeout(context.Background(), smtpDeadline)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(m.address)
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if m.auth != nil {
		if err := c.Auth(m.auth); err != nil {
			return err
		}
	}
	if err := c.Mail(m.from.Address); err != nil {
		return err
	}
	if err := c.Rcpt(one.To); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message(m.from, one)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// message is the text of a mail (RFC 5322).
func message(from mail.Address, m Mail) []byte {
	to := mail.Address{Address: m.To}
	lines := []string{
		"From: " + from.String(),
		"To: " + to.String(),
		"Subject: " + mime.QEncoding.Encode("utf-8", m.Subject),
		"Date: " + m.At.Time().Format(time.RFC1123Z),
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: 8bit",
		"Auto-Submitted: auto-generated",
		"",
		strings.ReplaceAll(m.Text, "\n", "\r\n"),
	}
	return []byte(strings.Join(lines, "\r\n"))
}
