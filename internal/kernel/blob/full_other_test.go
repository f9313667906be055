//go:build !linux

package blob_test

import "errors"

func fill(string) error { return errors.New("only Linux can make a full disk for a test") }
