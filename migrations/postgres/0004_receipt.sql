-- +goose Up

-- How far the processing of a receipt is, and what happened on the way.
CREATE TABLE receipt_status (
	receipt_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	company_id TEXT COLLATE "C" NOT NULL,
	owner_id TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	accepted_at BIGINT NOT NULL
);
CREATE INDEX receipt_status_age ON receipt_status (accepted_at);
CREATE TABLE receipt_log (
	receipt_id TEXT COLLATE "C" NOT NULL,
	position BIGINT NOT NULL,
	level TEXT COLLATE "C" NOT NULL,
	message TEXT COLLATE "C" NOT NULL,
	logged_at BIGINT NOT NULL,
	PRIMARY KEY (receipt_id, position)
);
