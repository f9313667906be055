-- +goose Up

-- A receipt with its data, as it was posted. Its image, once there is one, is attached
-- to it like the images of other records.
CREATE TABLE e_receipt (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	number TEXT UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	drawn BOOLEAN NOT NULL,
	received_at BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX e_receipt_owner_newest ON e_receipt (company_id, owner_id, received_at, id);

-- What a traveller noted of an expense that is in no report yet.
CREATE TABLE quick_expense (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	transaction_date BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	currency TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	doc TEXT NOT NULL
);
CREATE INDEX quick_expense_owner ON quick_expense (company_id, owner_id, seq);
