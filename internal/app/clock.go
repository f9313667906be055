package app

import (
	"sync/atomic"
	"time"

	"quittance/internal/kernel/value"
)

// Clock is the machine's clock, which a dev server may move.
type Clock struct {
	offset atomic.Int64 // microseconds
	moved  func()       // told after each move, so that waits are computed anew
}

// Now is the server's time.
func (c *Clock) Now() value.Instant { return value.SystemClock() + value.Instant(c.offset.Load()) }

// Offset is how far the server's time is from the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) * time.Microsecond }

// Move sets how far the server's time is from the machine's.
func (c *Clock) Move(offset time.Duration) {
	c.offset.Store(offset.Microseconds())
	if c.moved != nil {
		c.moved()
	}
}
