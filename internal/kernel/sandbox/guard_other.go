//go:build !linux

package sandbox

import "time"

// restrict has no guards of its own here: the child has no environment, a memory
// limit that only the Go runtime keeps, and is killed on time.
func restrict(limits) (guardMask, error) { return probe().mask, nil }

func probe() probed { return everywhere() }

func cpuUsed() time.Duration { return 0 }
