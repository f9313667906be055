-- +goose Up

-- What users, locations and list items are searched by. Folded keys are written by the
-- program; for rows that stand, lower() is as near as SQL comes to that.
ALTER TABLE app_user ADD COLUMN employee_key TEXT NOT NULL DEFAULT '';
ALTER TABLE app_user ADD COLUMN last_name_key TEXT NOT NULL DEFAULT '';
UPDATE app_user SET employee_key = lower(employee_id), last_name_key = lower(last_name);
ALTER TABLE location ADD COLUMN region_key TEXT NOT NULL DEFAULT '';
UPDATE location SET region_key = lower(administrative_region);

-- Where each word of a location's name begins, with all behind it: "new york" and
-- "york". A part of a name is looked for as the beginning of one of these.
CREATE TABLE location_word (
	company_id TEXT NOT NULL,
	words TEXT NOT NULL,
	location_seq BIGINT NOT NULL,
	PRIMARY KEY (company_id, words, location_seq)
);
INSERT INTO location_word (company_id, words, location_seq)
	WITH RECURSIVE part (company_id, location_seq, words) AS (
		SELECT company_id, seq, trim(replace(replace(replace(replace(replace(name_key, ',', ' '), '.', ' '), '-', ' '), '  ', ' '), '  ', ' ')) FROM location
		UNION ALL
		SELECT company_id, location_seq, substr(words, instr(words, ' ') + 1) FROM part WHERE instr(words, ' ') > 0
	)
	SELECT DISTINCT company_id, words, location_seq FROM part WHERE words <> '';

CREATE INDEX app_user_address ON app_user (company_id, email_key, seq);
CREATE INDEX app_user_employee ON app_user (company_id, employee_key, seq);
CREATE INDEX app_user_last_name ON app_user (company_id, last_name_key, seq);
CREATE INDEX app_user_active ON app_user (company_id, active, seq);
CREATE INDEX location_city ON location (company_id, city_key, seq);
CREATE INDEX location_subdivision ON location (company_id, subdivision, seq);
CREATE INDEX location_region ON location (company_id, region_key, seq);

-- A path's key ends each code by a line feed as the path does, so that the items below
-- one are a range of keys.
UPDATE list_item SET path_key = path_key || char(10);
DROP INDEX list_item_list;
DROP INDEX list_item_parent;
CREATE INDEX list_item_company ON list_item (company_id, seq);
CREATE INDEX list_item_list ON list_item (company_id, list_id, seq);
CREATE INDEX list_item_parent ON list_item (company_id, parent_id, seq);
CREATE INDEX list_item_name ON list_item (company_id, name_key, seq);
CREATE INDEX list_item_level ON list_item (company_id, level, code_key, list_id);
