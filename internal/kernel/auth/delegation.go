package auth

import "quittance/internal/kernel/value"

// Delegation is what a person lets another one of the same company do.
type Delegation struct {
	User     string // id of whose reports it is about
	Delegate string // id of who may do it
	Prepare  bool   // make and change them
	Submit   bool   // hand them in
	Approve  bool   // decide in the user's place on what waits for the user

	// The first and the last day of approving; 0 for none.
	ApproveFrom, ApproveUntil value.Date
}

// Approves reports whether the delegate decides in the user's place on a day.
func (d Delegation) Approves(on value.Date) bool {
	return d.Approve && (d.ApproveFrom == 0 || on >= d.ApproveFrom) && (d.ApproveUntil == 0 || on <= d.ApproveUntil)
}

// Any reports whether there is any right at all.
func (d Delegation) Any() bool { return d.Prepare || d.Submit || d.Approve }
