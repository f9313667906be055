-- +goose Up

-- A supplier's invoice on its way to being paid.
CREATE TABLE payment_request (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX payment_request_owner ON payment_request (company_id, owner_id, seq);
