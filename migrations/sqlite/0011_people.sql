-- +goose Up

-- Of a type: nothing above its limit is submitted, nothing without attendees. A policy
-- may say otherwise of its own types (null: as the type).
ALTER TABLE expense_type ADD COLUMN limit_blocks BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE expense_type ADD COLUMN attendees_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE policy_expense_type ADD COLUMN limit_blocks BOOLEAN;
ALTER TABLE policy_expense_type ADD COLUMN attendees_required BOOLEAN;

-- Who approves what is spent on a cost object, above an amount in the company's currency.
CREATE TABLE cost_object_approval (
	policy_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	company_id TEXT NOT NULL,
	field TEXT NOT NULL,
	value TEXT NOT NULL,
	value_key TEXT NOT NULL,
	above BIGINT NOT NULL,
	approver_id TEXT NOT NULL,
	PRIMARY KEY (policy_id, position)
);
CREATE INDEX cost_object_approval_company ON cost_object_approval (company_id, policy_id, position);

-- What a person lets another one do. Approving has a first and a last day (0: none).
CREATE TABLE delegate (
	seq INTEGER PRIMARY KEY,
	company_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	delegate_id TEXT NOT NULL,
	prepare BOOLEAN NOT NULL,
	submit BOOLEAN NOT NULL,
	approve BOOLEAN NOT NULL,
	approve_from BIGINT NOT NULL,
	approve_until BIGINT NOT NULL,
	UNIQUE (user_id, delegate_id)
);
CREATE INDEX delegate_user ON delegate (user_id, seq);
CREATE INDEX delegate_delegate ON delegate (delegate_id, seq);

-- The field one level up, of a field that is connected to it.
ALTER TABLE form_field ADD COLUMN parent TEXT NOT NULL DEFAULT '';
