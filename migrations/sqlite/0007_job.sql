-- +goose Up
CREATE TABLE job (
  seq           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  kind          TEXT NOT NULL,
  key           TEXT,
  payload       TEXT NOT NULL,
  company_id    TEXT NOT NULL,
  attempts      BIGINT NOT NULL,
  revision      BIGINT NOT NULL,
  run_at        BIGINT NOT NULL,
  claimed_by    TEXT NOT NULL,
  claimed_until BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  last_error    TEXT NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (kind, key);
CREATE INDEX job_due ON job (run_at, seq);
