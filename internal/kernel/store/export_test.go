package store

// Pragmas gives SQLite's writing connections further settings: a full disk.
func Pragmas(o *Options, pragmas ...string) { o.pragmas = pragmas }

// Queued is how many writes wait for SQLite's writer.
func Queued(db *DB) int { return len(db.impl.(*lite).queue) }

var Rebind = rebind
