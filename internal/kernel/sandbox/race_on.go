//go:build race

package sandbox

// raceDetector: its bookkeeping takes many times the program's memory, which no
// limit can tell apart from it.
const raceDetector = true
