-- +goose Up
CREATE TABLE store_meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
