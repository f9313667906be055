//go:build !linux

package sandbox

func platformJobs(map[string]Job) {}

func otherProcesses() {}
