package errs

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestForeignErrorsAreInternalAndSafe(t *testing.T) {
	e := As(fmt.Errorf("pq: password authentication failed: %w", io.EOF))
	if e.Kind != Internal || strings.Contains(e.Message, "password") {
		t.Errorf("%v is sent as %q", e, e.Message)
	}
	if !errors.Is(e, io.EOF) || !strings.Contains(e.Error(), "password") {
		t.Errorf("the log lost the cause: %v", e)
	}
}

func TestWrappedErrorsKeepTheirKind(t *testing.T) {
	err := fmt.Errorf("while saving: %w", New(Conflict, "step", "The step is done.").Because(io.EOF))
	if KindOf(err) != Conflict || !Is(err, Conflict) || Is(err, NotFound) || !errors.Is(err, io.EOF) {
		t.Errorf("%v", As(err))
	}
	if As(nil) != nil || Is(nil, Internal) {
		t.Error("nil is no error")
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var p Problems
	if p.Err() != nil {
		t.Error("no problem, but an error")
	}
	for i := range 3 * MaxFields {
		p.Addf("Items", "bad", "number %d", i)
	}
	if e := As(p.Err()); e.Kind != Invalid || len(e.Fields) != MaxFields {
		t.Errorf("%d problems", len(e.Fields))
	}
}
