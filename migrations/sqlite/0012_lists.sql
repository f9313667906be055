-- +goose Up

-- What lists of reports ask of the entries is kept with the report: whether any entry
-- has it, and the first and the last day (0: there are no entries).
ALTER TABLE report ADD COLUMN with_vat BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE report ADD COLUMN with_images BOOLEAN NOT NULL DEFAULT FALSE; -- the report's own count too
ALTER TABLE report ADD COLUMN with_attendees BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE report ADD COLUMN with_billable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE report ADD COLUMN first_entry BIGINT NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN last_entry BIGINT NOT NULL DEFAULT 0;
UPDATE report SET
	with_vat = EXISTS (SELECT 1 FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id AND e.has_vat),
	with_images = has_image OR EXISTS (SELECT 1 FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id AND e.has_image),
	with_attendees = EXISTS (SELECT 1 FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id AND e.has_attendees),
	with_billable = EXISTS (SELECT 1 FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id AND e.billable),
	first_entry = COALESCE((SELECT MIN(e.transaction_date) FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id), 0),
	last_entry = COALESCE((SELECT MAX(e.transaction_date) FROM entry e WHERE e.company_id = report.company_id AND e.report_id = report.id), 0);

-- What a report may have many of: the types (T), payment types (P) and vendors (V) of
-- its entries.
CREATE TABLE report_trait (
	company_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	value TEXT NOT NULL,
	report_seq BIGINT NOT NULL,
	PRIMARY KEY (company_id, kind, value, report_seq)
) WITHOUT ROWID;
INSERT INTO report_trait (company_id, kind, value, report_seq)
	SELECT e.company_id, 'T', e.expense_type, r.seq FROM entry e JOIN report r ON r.id = e.report_id
	UNION SELECT e.company_id, 'P', e.payment_type_id, r.seq FROM entry e JOIN report r ON r.id = e.report_id
	UNION SELECT e.company_id, 'V', e.vendor_key, r.seq FROM entry e JOIN report r ON r.id = e.report_id;

-- Few entries have what these tell; of the others, the next of a list is near.
CREATE INDEX entry_type ON entry (company_id, expense_type, seq);
CREATE INDEX entry_payment ON entry (company_id, payment_type_id, seq);
CREATE INDEX entry_vat ON entry (company_id, seq) WHERE has_vat;
CREATE INDEX entry_attended ON entry (company_id, seq) WHERE has_attendees;
CREATE INDEX entry_billable ON entry (company_id, seq) WHERE billable;

ALTER TABLE entry_attendee ADD COLUMN attendee_type_id TEXT NOT NULL DEFAULT '';
ALTER TABLE entry_attendee ADD COLUMN report_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entry_attendee ADD COLUMN entry_seq BIGINT NOT NULL DEFAULT 0;
UPDATE entry_attendee SET
	attendee_type_id = COALESCE((SELECT t.attendee_type_id FROM attendee t WHERE t.id = entry_attendee.attendee_id), ''),
	report_seq = COALESCE((SELECT r.seq FROM entry e JOIN report r ON r.id = e.report_id WHERE e.id = entry_attendee.entry_id), 0),
	entry_seq = COALESCE((SELECT e.seq FROM entry e WHERE e.id = entry_attendee.entry_id), 0);
CREATE INDEX entry_attendee_type ON entry_attendee (company_id, attendee_type_id, entry_seq);
CREATE INDEX entry_attendee_type_report ON entry_attendee (company_id, attendee_type_id, report_seq);
DROP INDEX entry_attendee_attendee;
CREATE INDEX entry_attendee_attendee ON entry_attendee (attendee_id, entry_seq);

ALTER TABLE report_approver ADD COLUMN report_seq BIGINT NOT NULL DEFAULT 0;
UPDATE report_approver SET report_seq = COALESCE((SELECT r.seq FROM report r WHERE r.id = report_approver.report_id), 0);
DROP INDEX report_approver_user;
CREATE INDEX report_approver_user ON report_approver (user_id, report_seq, report_id);

-- Every filter of the list of reports is a range of one of these.
CREATE INDEX report_payment ON report (company_id, payment_status, seq);
CREATE INDEX report_currency ON report (company_id, currency, seq);
CREATE INDEX report_reimbursement ON report (company_id, reimbursement, seq);
CREATE INDEX report_country ON report (company_id, country, seq);
CREATE INDEX report_group ON report (company_id, group_id, seq);
CREATE INDEX report_test_user ON report (company_id, test_user, seq);
CREATE INDEX report_waiting ON report (company_id, approver_id, seq) WHERE approver_id <> '';
CREATE INDEX report_with_vat ON report (company_id, with_vat, seq);
CREATE INDEX report_with_images ON report (company_id, with_images, seq);
CREATE INDEX report_with_attendees ON report (company_id, with_attendees, seq);
CREATE INDEX report_with_billable ON report (company_id, with_billable, seq);
CREATE INDEX report_first_entry ON report (company_id, first_entry, seq);
CREATE INDEX report_last_entry ON report (company_id, last_entry, seq);
CREATE INDEX report_user_defined ON report (company_id, user_defined_date, seq);
CREATE INDEX report_created ON report (company_id, created_at, seq);
CREATE INDEX report_modified ON report (company_id, modified_at, seq);
CREATE INDEX report_submitted ON report (company_id, submitted_at, seq);
CREATE INDEX report_processing ON report (company_id, processing_at, seq);
CREATE INDEX report_paid ON report (company_id, paid_at, seq);

-- Files with the same bytes are looked for among those of one owner.
ALTER TABLE image_part ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
UPDATE image_part SET owner_id = COALESCE((SELECT m.owner_id FROM image m WHERE m.id = image_part.image_id), '');
DROP INDEX image_part_hash;
CREATE INDEX image_part_hash ON image_part (company_id, hash, owner_id);

-- An address has few users; app_user_email finds them.
DROP INDEX app_user_address;
