-- +goose Up

-- Who made an attendee may change it, also when it is shared.
ALTER TABLE attendee ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
UPDATE attendee SET made_by = owner_id;

-- Shares that nobody has given follow from the entry's amount.
ALTER TABLE entry_attendee ADD COLUMN amount_given BOOLEAN NOT NULL DEFAULT FALSE;

-- The most that attendees of a type may cost in a year without a mark, in the
-- company's currency.
CREATE TABLE attendee_limit (
	company_id TEXT NOT NULL,
	attendee_type_id TEXT NOT NULL,
	amount BIGINT NOT NULL,
	PRIMARY KEY (company_id, attendee_type_id)
);

-- The tax invoice of an entry, and what a validation company has found. Without a
-- status it waits in the queue.
CREATE TABLE digital_tax_invoice (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	entry_id TEXT NOT NULL UNIQUE,
	report_id TEXT NOT NULL,
	receipt_id TEXT NOT NULL UNIQUE,
	status TEXT NOT NULL,
	comment TEXT NOT NULL,
	modified_at BIGINT NOT NULL,
	data TEXT NOT NULL
);

-- What a validation company calls the companies whose invoices it reads.
CREATE TABLE tax_account (
	company_id TEXT NOT NULL PRIMARY KEY,
	account_id TEXT NOT NULL
);

DROP INDEX attendee_external;
DROP INDEX attendee_kind;
CREATE INDEX attendee_owner_external ON attendee (company_id, owner_id, external_id, seq);
CREATE INDEX attendee_external ON attendee (company_id, external_id, seq);
CREATE INDEX attendee_owner_kind ON attendee (company_id, owner_id, attendee_type_id, seq);
CREATE INDEX attendee_kind ON attendee (company_id, attendee_type_id, seq);
CREATE INDEX itemization_owner_type ON itemization (company_id, owner_id, expense_type, seq);
CREATE INDEX itemization_type ON itemization (company_id, expense_type, seq);
CREATE INDEX allocation_itemization ON allocation (itemization_id, seq) WHERE itemization_id <> '';
CREATE INDEX entry_attendee_entry ON entry_attendee (entry_id, seq);
CREATE INDEX digital_tax_invoice_queue ON digital_tax_invoice (company_id, modified_at, seq) WHERE status = '';
CREATE INDEX digital_tax_invoice_report ON digital_tax_invoice (report_id);
