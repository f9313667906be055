package web

import (
	"slices"
	"testing"

	"quittance/internal/domain/org"
)

func TestRights(t *testing.T) {
	// The consent page is silent about no scope.
	for _, scope := range org.KnownScopes() {
		if lines := rights([]string{scope}); len(lines) != 1 || lines[0].Area == "" || lines[0].Access == "" {
			t.Errorf("%s: %v", scope, lines)
		}
	}
	for scope := range reaches {
		if !slices.Contains(org.KnownScopes(), scope) {
			t.Errorf("%s is explained and not known", scope)
		}
	}
	got := rights([]string{"receipts.writeonly", "receipts.read", "expense.report.workflowstatus.write", "EXPRPT", "expense.report.read", "quickexpense.writeonly", "openid"})
	want := []right{{"Your name and company", "read"}, {"Expense reports", "read and change"}, {"Approval of reports", "decide"}, {"Receipts and images", "read and add"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
