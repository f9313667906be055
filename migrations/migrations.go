// Package migrations holds the numbered steps that make and change the database.
// Each step is one file of the same number and meaning for each engine; steps only
// go forward. A test compares the schemas that the two sets make.
package migrations

import "embed"

// Files holds the folders sqlite and postgres.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
