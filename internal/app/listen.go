package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// listener is one address that the program answers on.
type listener struct {
	server *http.Server
	socket net.Listener
	done   chan error

	mu    sync.Mutex
	quiet map[net.Conn]bool // nothing has come of them yet
}

func openSocket(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	socket, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return socket, nil
}

// scheme is how the addresses of a listener begin.
func scheme(cert string) string {
	if cert != "" {
		return "https://"
	}
	return "http://"
}

// checkCertificate tells at once what serving would find out too late.
func checkCertificate(cert, key string) error {
	if cert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return fmt.Errorf("the certificate cannot be used: %w", err)
	}
	return nil
}

// serve begins to answer on a socket. Plain listeners speak HTTP/1.1 and HTTP/2 with
// prior knowledge; TLS negotiates.
func serve(socket net.Listener, handler http.Handler, o *Options, log *slog.Logger) *listener {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	l := &listener{socket: socket, done: make(chan error, 1), quiet: map[net.Conn]bool{}, server: &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: min(10*time.Second, o.ReadTime),
		ReadTimeout:       o.ReadTime,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	l.server.ConnState = l.note
	l.server.RegisterOnShutdown(l.hangUp)
	go func() {
		var err error
		if o.TLSCert != "" {
			err = l.server.ServeTLS(socket, o.TLSCert, o.TLSKey)
		} else {
			err = l.server.Serve(socket)
		}
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		l.done <- err
	}()
	return l
}

// note keeps the connections on which nothing has come: browsers open some ahead.
func (l *listener) note(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == http.StateNew {
		l.quiet[c] = true
	} else {
		delete(l.quiet, c)
	}
}

// hangUp closes them, since the server would wait seconds for what may never come.
func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.quiet {
		_ = c.Close()
	}
}

func (l *listener) address() string { return l.socket.Addr().String() }

// stop lets running calls finish until ctx ends, then cuts them off.
func (l *listener) stop(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, l.server.Close())
	}
	return errors.Join(err, <-l.done)
}
