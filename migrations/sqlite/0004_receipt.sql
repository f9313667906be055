-- +goose Up

-- How far the processing of a receipt is, and what happened on the way.
CREATE TABLE receipt_status (
	receipt_id TEXT NOT NULL PRIMARY KEY,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	status TEXT NOT NULL,
	accepted_at BIGINT NOT NULL
);
CREATE INDEX receipt_status_age ON receipt_status (accepted_at);
CREATE TABLE receipt_log (
	receipt_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	level TEXT NOT NULL,
	message TEXT NOT NULL,
	logged_at BIGINT NOT NULL,
	PRIMARY KEY (receipt_id, position)
);
