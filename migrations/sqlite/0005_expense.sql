-- +goose Up

-- An expense report. Sums are in its currency and follow from its entries; exceptions
-- counts its rows in report_exception.
CREATE TABLE report (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	policy_id TEXT NOT NULL,
	group_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	country TEXT NOT NULL,
	approval_status TEXT NOT NULL,
	payment_status TEXT NOT NULL,
	approver_id TEXT NOT NULL,
	step_id TEXT NOT NULL,
	batch_id TEXT NOT NULL,
	reimbursement TEXT NOT NULL,
	test_user BOOLEAN NOT NULL,
	has_image BOOLEAN NOT NULL,
	exceptions BIGINT NOT NULL,
	total BIGINT NOT NULL,
	personal BIGINT NOT NULL,
	approved BIGINT NOT NULL,
	due_employee BIGINT NOT NULL,
	due_card BIGINT NOT NULL,
	user_defined_date BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	modified_at BIGINT NOT NULL,
	submitted_at BIGINT NOT NULL,
	processing_at BIGINT NOT NULL,
	paid_at BIGINT NOT NULL,
	doc TEXT NOT NULL
);

-- An expense. personal_amount is the part of posted_amount that is the owner's own.
CREATE TABLE entry (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	expense_type TEXT NOT NULL,
	payment_type_id TEXT NOT NULL,
	paid_by TEXT NOT NULL,
	transaction_date BIGINT NOT NULL,
	transaction_amount BIGINT NOT NULL,
	transaction_currency TEXT NOT NULL,
	posted_amount BIGINT NOT NULL,
	approved_amount BIGINT NOT NULL,
	personal_amount BIGINT NOT NULL,
	vendor_key TEXT NOT NULL,
	billable BOOLEAN NOT NULL,
	has_vat BOOLEAN NOT NULL,
	has_image BOOLEAN NOT NULL,
	has_attendees BOOLEAN NOT NULL,
	exceptions BIGINT NOT NULL,
	modified_at BIGINT NOT NULL,
	doc TEXT NOT NULL
);

-- A part of an entry.
CREATE TABLE itemization (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	entry_id TEXT NOT NULL,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	expense_type TEXT NOT NULL,
	transaction_date BIGINT NOT NULL,
	transaction_amount BIGINT NOT NULL,
	posted_amount BIGINT NOT NULL,
	approved_amount BIGINT NOT NULL,
	personal BOOLEAN NOT NULL,
	billable BOOLEAN NOT NULL,
	exceptions BIGINT NOT NULL,
	modified_at BIGINT NOT NULL,
	doc TEXT NOT NULL
);

-- A share of an entry or of one of its itemizations. What nobody has allocated has
-- no row: its one hidden allocation of 100 % follows from the entry itself.
CREATE TABLE allocation (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	entry_id TEXT NOT NULL,
	itemization_id TEXT NOT NULL,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	percentage BIGINT NOT NULL,
	percent_edited BOOLEAN NOT NULL,
	doc TEXT NOT NULL
);

-- Somebody who took part in what an entry paid for. Without an owner it is shared.
CREATE TABLE attendee (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	attendee_type_id TEXT NOT NULL,
	external_id TEXT NOT NULL,
	version BIGINT NOT NULL,
	modified_at BIGINT NOT NULL,
	doc TEXT NOT NULL
);
CREATE TABLE entry_attendee (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	entry_id TEXT NOT NULL,
	attendee_id TEXT NOT NULL,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	amount BIGINT NOT NULL,
	attendee_count BIGINT NOT NULL,
	doc TEXT NOT NULL,
	UNIQUE (entry_id, attendee_id)
);

-- What the rules found: on the report, or on the entry or itemization named.
CREATE TABLE report_exception (
	seq INTEGER PRIMARY KEY,
	report_id TEXT NOT NULL,
	entry_id TEXT NOT NULL,
	itemization_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	code TEXT NOT NULL,
	level TEXT NOT NULL,
	message TEXT NOT NULL,
	cleared BOOLEAN NOT NULL
);

-- What happened to a report, never changed afterwards.
CREATE TABLE report_event (
	seq INTEGER PRIMARY KEY,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	action TEXT NOT NULL,
	step_id TEXT NOT NULL,
	actor_id TEXT NOT NULL,
	actor_login TEXT NOT NULL,
	actor_name TEXT NOT NULL,
	approval_status TEXT NOT NULL,
	payment_status TEXT NOT NULL,
	comment TEXT NOT NULL,
	at BIGINT NOT NULL
);

-- The steps of a report's way through approval and payment; each id is good once.
CREATE TABLE report_step (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	report_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	level BIGINT NOT NULL,
	approver_id TEXT NOT NULL,
	state TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	closed_at BIGINT NOT NULL,
	closed_by TEXT NOT NULL
);

-- Everybody who is or was asked to approve a report: they may read it.
CREATE TABLE report_approver (
	report_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	PRIMARY KEY (report_id, user_id)
);

CREATE INDEX report_owner ON report (company_id, owner_id, seq);
CREATE INDEX report_owner_approval ON report (company_id, owner_id, approval_status, seq);
CREATE INDEX report_company ON report (company_id, seq);
CREATE INDEX report_approval ON report (company_id, approval_status, seq);
CREATE INDEX report_batch ON report (company_id, batch_id, seq) WHERE batch_id <> '';
CREATE INDEX entry_report ON entry (company_id, report_id, seq);
CREATE INDEX entry_owner ON entry (company_id, owner_id, seq);
CREATE INDEX entry_company ON entry (company_id, seq);
CREATE INDEX entry_same ON entry (owner_id, transaction_date, transaction_amount, vendor_key);
CREATE INDEX itemization_entry ON itemization (entry_id, seq);
CREATE INDEX itemization_report ON itemization (company_id, report_id, seq);
CREATE INDEX itemization_owner ON itemization (company_id, owner_id, seq);
CREATE INDEX itemization_company ON itemization (company_id, seq);
CREATE INDEX allocation_entry ON allocation (entry_id, seq);
CREATE INDEX allocation_report ON allocation (company_id, report_id, seq);
CREATE INDEX allocation_owner ON allocation (company_id, owner_id, seq);
CREATE INDEX allocation_company ON allocation (company_id, seq);
CREATE INDEX attendee_company ON attendee (company_id, seq);
CREATE INDEX attendee_owner ON attendee (company_id, owner_id, seq);
CREATE INDEX attendee_external ON attendee (company_id, external_id);
CREATE INDEX attendee_kind ON attendee (attendee_type_id, seq);
CREATE INDEX entry_attendee_attendee ON entry_attendee (attendee_id, seq);
CREATE INDEX entry_attendee_report ON entry_attendee (company_id, report_id, seq);
CREATE INDEX entry_attendee_owner ON entry_attendee (company_id, owner_id, seq);
CREATE INDEX entry_attendee_company ON entry_attendee (company_id, seq);
CREATE INDEX report_exception_report ON report_exception (report_id, seq);
CREATE INDEX report_exception_entry ON report_exception (entry_id, seq);
CREATE INDEX report_event_report ON report_event (report_id, seq);
CREATE INDEX report_step_report ON report_step (report_id, seq);
CREATE INDEX report_approver_user ON report_approver (user_id, report_id);
