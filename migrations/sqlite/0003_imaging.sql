-- +goose Up

-- A receipt image, whichever service it came through: two public ids, one row.
CREATE TABLE image (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	receipt_id TEXT NOT NULL UNIQUE,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	in_store BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX image_owner ON image (company_id, owner_id, seq);
CREATE INDEX image_owner_newest ON image (company_id, owner_id, created_at, receipt_id);
CREATE INDEX image_company ON image (company_id, seq);

-- The files of an image, as they came, in order.
CREATE TABLE image_part (
	image_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	company_id TEXT NOT NULL,
	hash TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size BIGINT NOT NULL,
	pages BIGINT NOT NULL,
	PRIMARY KEY (image_id, position)
);
CREATE INDEX image_part_hash ON image_part (company_id, hash);

-- Which record has which image. Only reports take several.
CREATE TABLE attachment (
	seq INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	holder_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	image_id TEXT NOT NULL,
	UNIQUE (kind, holder_id, image_id)
);
CREATE UNIQUE INDEX attachment_single ON attachment (kind, holder_id) WHERE kind <> 'report';
CREATE INDEX attachment_image ON attachment (image_id);

-- The merged PDF of an image or a report that has several parts, and of which parts.
CREATE TABLE derived_file (
	kind TEXT NOT NULL,
	holder_id TEXT NOT NULL,
	company_id TEXT NOT NULL,
	parts_key TEXT NOT NULL,
	hash TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size BIGINT NOT NULL,
	pages BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (kind, holder_id)
);
CREATE INDEX derived_file_hash ON derived_file (company_id, hash);
