package org_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/value"
)

func TestOutbox(t *testing.T) {
	var o org.Outbox
	for n := range 120 {
		o.Send(org.Mail{To: fmt.Sprint(n)})
	}
	sent := o.Sent()
	if len(sent) != 100 || sent[0].To != "20" || sent[99].To != "119" {
		t.Errorf("%d messages from %s on", len(sent), sent[0].To)
	}
	o.Clear()
	if len(o.Sent()) != 0 {
		t.Error("messages after Clear")
	}
}

// TestSMTP talks to a server that speaks just enough of RFC 5321.
func TestSMTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan string, 1)
	go func() {
		defer close(received)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var all strings.Builder
		in := bufio.NewScanner(c)
		fmt.Fprint(c, "220 test\r\n")
		for data := false; in.Scan(); {
			line := in.Text()
			all.WriteString(line + "\n")
			switch {
			case data && line == ".":
				data = false
				fmt.Fprint(c, "250 kept\r\n")
			case data:
			case strings.HasPrefix(line, "DATA"):
				data = true
				fmt.Fprint(c, "354 go on\r\n")
			case strings.HasPrefix(line, "QUIT"):
				fmt.Fprint(c, "221 bye\r\n")
				received <- all.String()
				return
			default:
				fmt.Fprint(c, "250 test\r\n")
			}
		}
	}()
	m, err := org.NewSMTP(org.SMTPOptions{Address: l.Addr().String(), From: "Quittance <noreply@spend.test>"})
	if err != nil {
		t.Fatal(err)
	}
	m.Send(org.Mail{To: "ann@demo.test", Subject: "Grüße", Text: "Hello Ann,\n\nit is 12345678.\n", At: value.Instant(1_772_366_400_000_000)})
	m.Close() // delivers first
	got := <-received
	for _, want := range []string{"MAIL FROM:<noreply@spend.test>", "RCPT TO:<ann@demo.test>", "From: \"Quittance\" <noreply@spend.test>\n", "To: <ann@demo.test>\n",
		"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n", "Date: Sun, 01 Mar 2026 12:00:00 +0000\n", "\n\nHello Ann,\n\nit is 12345678.\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for _, bad := range []org.SMTPOptions{{Address: "nohost", From: "a@b.test"}, {Address: "h:25", From: "nobody"}} {
		if _, err := org.NewSMTP(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
