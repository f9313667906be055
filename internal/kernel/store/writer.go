package store

import (
	"context"
	"errors"
	"sync/atomic"

	"quittance/internal/kernel/errs"
)

// maxGroup is how many closures share a transaction at most.
const maxGroup = 128

// request is one call of Write that waits for the writer.
type request struct {
	ctx   context.Context
	fn    func(*Tx) error
	alone func(c *liteConn) error // instead of fn: work on the bare connection
	state atomic.Int32
	done  chan struct{}
	err   error
	hooks []func()
}

// The states of a request: its caller may leave until the writer has begun with it.
const (
	waiting int32 = iota
	begun
	left
)

func (s *lite) write(ctx context.Context, fn func(*Tx) error) error {
	r := &request{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := s.submit(r); err != nil {
		return err
	}
	for _, hook := range r.hooks {
		hook()
	}
	return nil
}

// submit hands r to the writer and waits for its answer.
func (s *lite) submit(r *request) error {
	ctx, cancel := s.db.wait(r.ctx)
	defer cancel()
	select {
	case <-s.stop:
		return errClosing
	default:
	}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		return classify(ctx.Err())
	case <-s.stopped:
		return errClosing
	}
	var given error
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		given = classify(ctx.Err())
	case <-s.stopped:
		given = errClosing
	}
	if r.state.CompareAndSwap(waiting, left) {
		return given
	}
	<-r.done
	return r.err
}

// serve is the writer: the one goroutine that changes the file. What came in while
// it was busy with one group is the next group.
func (s *lite) serve() {
	defer close(s.stopped)
	group := make([]*request, 0, maxGroup)
	for {
		select {
		case r := <-s.queue:
			s.gather(r, group)
		case <-s.stop:
			for {
				select {
				case r := <-s.queue:
					s.gather(r, group)
				default:
					return
				}
			}
		}
	}
}

// gather takes what waits behind r into one group and serves it.
func (s *lite) gather(r *request, group []*request) {
	for r != nil {
		if r.alone != nil {
			s.serveGroup(group)
			group = group[:0]
			s.serveAlone(r)
		} else if group = append(group, r); len(group) == maxGroup {
			break
		}
		select {
		case r = <-s.queue:
		default:
			r = nil
		}
	}
	s.serveGroup(group)
	clear(group)
}

// serveGroup runs the closures in one transaction and answers after its commit. If
// the transaction is lost, whoever's fault it was, nobody is answered: each closure
// is then run again in a transaction of its own, so that only the guilty one fails.
func (s *lite) serveGroup(group []*request) {
	if len(group) > 1 && s.together(group) {
		for _, r := range group {
			r.answer()
		}
		return
	}
	for _, r := range group {
		s.single(r)
		r.answer()
	}
}

func (r *request) answer() {
	if r.state.Load() == begun {
		close(r.done)
	}
}

// begin marks r as begun and reports whether its closure is to be run: not when the
// caller has left, or its context is done.
func (r *request) begin() bool {
	if !r.state.CompareAndSwap(waiting, begun) && r.state.Load() == left {
		return false
	}
	r.err = classify(r.ctx.Err())
	return r.err == nil
}

// together runs the group in one transaction, each closure in its own savepoint. It
// reports false, with nothing committed, when the transaction did not stand to the
// end. The driver sees no caller's context: a statement that is interrupted may take
// the whole transaction with it.
func (s *lite) together(group []*request) (committed bool) {
	c, err := s.connection()
	if err != nil {
		return false
	}
	defer func() {
		if !committed {
			s.drop()
		}
	}()
	if c.begin() != nil {
		return false
	}
	for _, r := range group {
		if !r.begin() {
			continue
		}
		if _, err := c.exec(background, "SAVEPOINT one", nil); err != nil {
			return false
		}
		tx := s.db.begin(r.ctx, background, c, true)
		r.err = tx.run(r.fn)
		tx.end()
		// If the engine rolled back the transaction, the savepoint is gone with it
		// and so are the neighbours' changes.
		if c.gone {
			return false
		}
		if r.err != nil {
			if _, err := c.exec(background, "ROLLBACK TO one", nil); err != nil {
				return false
			}
		} else {
			r.hooks = tx.hooks
		}
		if _, err := c.exec(background, "RELEASE one", nil); err != nil {
			return false
		}
	}
	return c.commit() == nil
}

// single runs one closure in its own transaction and notes its result.
func (s *lite) single(r *request) {
	if !r.begin() {
		return
	}
	c, err := s.connection()
	if err != nil {
		r.err = classify(err)
		return
	}
	if err := c.begin(); err != nil {
		s.drop()
		r.err = classify(err)
		return
	}
	tx := s.db.begin(r.ctx, background, c, true)
	r.err = tx.run(r.fn)
	tx.end()
	if r.err == nil && !c.gone {
		if err := c.commit(); err != nil {
			s.drop()
			r.err = classify(err)
			return
		}
		r.hooks = tx.hooks
		return
	}
	if r.err == nil {
		r.err = errs.As(errors.New("store: a closure ended its transaction itself"))
	}
	if c.gone {
		s.drop()
	} else if _, err := c.exec(background, "ROLLBACK", nil); err != nil {
		s.drop()
	}
}

// serveAlone lets r work on the bare connection, outside any transaction.
func (s *lite) serveAlone(r *request) {
	defer r.answer()
	if !r.begin() {
		return
	}
	c, err := s.connection()
	if err == nil {
		c.committing = true
		err = r.alone(c)
		c.committing = false
		if err != nil {
			s.drop()
		}
	}
	r.err = classify(err)
}

// connection is the writer's connection, opened anew after a failure.
func (s *lite) connection() (*liteConn, error) {
	if s.conn == nil {
		c, err := newLiteConn(s.writing, true)
		if err != nil {
			return nil, err
		}
		s.conn = c
	}
	return s.conn, nil
}

// drop closes the connection, and with it whatever state it is in.
func (s *lite) drop() {
	s.conn.close()
	s.conn = nil
}

func (c *liteConn) begin() error {
	_, err := c.exec(background, "BEGIN IMMEDIATE", nil)
	c.gone = false
	return err
}

func (c *liteConn) commit() error {
	c.committing = true
	_, err := c.exec(background, "COMMIT", nil)
	c.committing = false
	return err
}
