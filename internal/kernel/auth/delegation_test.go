package auth_test

import (
	"testing"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/value"
)

func TestDaysOfDelegatedApproval(t *testing.T) {
	for _, c := range []struct {
		from, until value.Date
		want        [4]bool // on the 9th, 10th, 20th and 21st
	}{
		{0, 0, [4]bool{true, true, true, true}},
		{20260310, 0, [4]bool{false, true, true, true}},
		{0, 20260320, [4]bool{true, true, true, false}},
		{20260310, 20260320, [4]bool{false, true, true, false}},
	} {
		for i, on := range []value.Date{20260309, 20260310, 20260320, 20260321} {
			d := auth.Delegation{Approve: true, ApproveFrom: c.from, ApproveUntil: c.until}
			if got := d.Approves(on); got != c.want[i] {
				t.Errorf("from %v until %v: on %v it is %v", c.from, c.until, on, got)
			}
			if d.Approve = false; d.Approves(on) {
				t.Errorf("without the right, on %v", on)
			}
		}
	}
	if (auth.Delegation{User: "u"}).Any() || !(auth.Delegation{Submit: true}).Any() {
		t.Error("rights are not counted")
	}
}
