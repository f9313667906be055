package app

import (
	"sync/atomic"
	"time"

	"quittance/internal/kernel/value"
)

// Clock is the machine's clock, which a dev server may move.
type Clock struct {
	offset atomic.Int64 // microseconds
	held   atomic.Int64 // the time at which it stands; 0: it goes
	moved  func()       // told after each move, so that waits are computed anew
}

// Now is the server's time.
func (c *Clock) Now() value.Instant {
	if at := c.held.Load(); at != 0 {
		return value.Instant(at)
	}
	return value.SystemClock() + value.Instant(c.offset.Load())
}

// Hold stops the clock at a time, while records of that time are made.
func (c *Clock) Hold(at value.Instant) { c.held.Store(int64(at)) }

// Release lets the clock go on.
func (c *Clock) Release() { c.held.Store(0) }

// Offset is how far the server's time is from the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) * time.Microsecond }

// Move sets how far the server's time is from the machine's.
func (c *Clock) Move(offset time.Duration) {
	c.offset.Store(offset.Microseconds())
	if c.moved != nil {
		c.moved()
	}
}
