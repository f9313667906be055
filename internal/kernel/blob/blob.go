// Package blob keeps bytes by their SHA-256, per company, in a folder or in an S3
// bucket. What came in is what goes out; equal bytes of one company are kept once.
//
// # Blob first, row second
//
// A caller puts the blob, then commits the row that names its hash. Put has
// returned only when the bytes are durable. A blob is destroyed in two steps, a
// day apart at the least, and each asks for rows:
//
//   - Sweep moves blobs to the trash that no row names and that nobody has put or
//     touched for a day. The trash is still readable: Open and Stat look there too.
//   - EmptyTrash destroys what has lain in the trash for another day. Both give back
//     what lies in the trash and has a row meanwhile.
//
// So a put that races the sweep cannot lose its blob. Put renews the time of a blob
// that is there already. Either the sweep sees the new time, which it reads again
// after its move, and leaves the blob; or the blob goes to the trash, where it stays
// readable for a day, and the row, committed seconds after the put, brings it back.
// Nothing of this needs a lock, so several servers may share a bucket. Their clocks
// and the bucket's may differ by minutes, not by hours.
//
// # What each platform guarantees
//
// On Linux and macOS a file is synced before it gets its name and its folder
// afterwards (macOS: F_FULLFSYNC). Windows cannot sync a folder: a power cut there
// may lose the name of a blob put in the last moments; and a file that is being
// read cannot be moved, so that the sweep may fail and has to be run again. A bucket
// is as durable as its server says.
package blob

import (
	"context"
	"io"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// Ref names a blob: its hash within a company, and its size.
type Ref struct {
	Hash string // SHA-256, 64 lower-case hex digits
	Size int64  // bytes
}

// Info is a Ref with the time at which it was last put or touched.
type Info struct {
	Ref
	Renewed value.Instant // by the store's clock on disk, by the server's on S3
}

// InUse tells which of a company's hashes some row names. It is asked about at most
// 500 at once, and looks inside a write, so that it sees every committed row.
type InUse func(ctx context.Context, company string, hashes []string) (map[string]bool, error)

// Store keeps blobs. Its methods may be called at the same time. A company is named
// by 1 to 64 lower-case letters, digits, - and _. Errors are *errs.Error: NotFound for
// a blob that is absent, another company's, or named by no hash at all; Unavailable
// for a full disk or a server that does not answer.
type Store interface {
	// Put reads r to its end and keeps what it read, durably, under its hash; if it
	// is there already, its time is renewed. It reads at most limit+1 bytes and fails
	// with TooLarge past limit. An error of r is returned as it is, and leaves nothing
	// behind.
	Put(ctx context.Context, company string, r io.Reader, limit int64) (Ref, error)

	// Open reads a blob and tells its size. On disk it is an *os.File. The context
	// holds for as long as the blob is read; the caller closes it.
	Open(ctx context.Context, company, hash string) (io.ReadSeekCloser, int64, error)

	// Stat tells the size and the time of a blob.
	Stat(ctx context.Context, company, hash string) (Info, error)

	// Touch renews the time of a blob, and takes it out of the trash. A caller who
	// makes another row for a blob without putting it again touches it first.
	Touch(ctx context.Context, company, hash string) error

	// Delete destroys a blob at once, in the trash too. The caller has made sure that
	// no row of the company names it. Deleting what is absent is no error.
	Delete(ctx context.Context, company, hash string) error

	// Walk calls fn for each blob outside the trash, ordered by company, until fn
	// fails.
	Walk(ctx context.Context, fn func(company string, b Info) error) error

	// Sweep moves to the trash what has not been put or touched for olderThan (a day
	// in production) and that no row names; and back what lies there and has a row.
	// It says how many it moved to the trash, also when it fails midway.
	Sweep(ctx context.Context, olderThan time.Duration, inUse InUse) (moved int, err error)

	// EmptyTrash destroys what has lain in the trash for olderThan and has no row, and
	// says how many those were.
	EmptyTrash(ctx context.Context, olderThan time.Duration, inUse InUse) (removed int, err error)

	// Check tells whether blobs can be put now, for readiness.
	Check(ctx context.Context) error

	// Close ends connections. Blobs still open are the callers' to close.
	Close() error
}

// Options say where the blobs are. Exactly one of Dir and URL is set.
type Options struct {
	// Dir is the store's folder, made when absent. One process at a time may have it
	// open: Open removes the temporary files that a killed process left.
	Dir string

	// URL is s3://bucket/prefix?endpoint=…&region=…, where the prefix is optional. The
	// endpoint is http(s)://host:port, by default that of AWS; the region is us-east-1
	// by default. access_key and secret_key may stand here too.
	URL string

	// AccessKey and SecretKey sign requests to S3 when URL has none. When neither has
	// any, they come from where AWS's own tools look: environment, file, machine role.
	AccessKey, SecretKey string

	// Temp is the folder for uploads of more than a megabyte on their way to S3; the
	// system's when empty.
	Temp string

	// Clock tells blobs' age; the machine's when nil.
	Clock value.Clock
}

// Open opens a store and checks that it can be used.
func Open(ctx context.Context, o Options) (Store, error) {
	if o.Clock == nil {
		o.Clock = value.SystemClock
	}
	switch {
	case o.Dir != "" && o.URL != "":
		return nil, errs.New(errs.Invalid, "blobs", "Give either a folder or an S3 address for the blobs, not both.")
	case o.Dir != "":
		return openDisk(o)
	case o.URL != "":
		return openS3(ctx, o)
	}
	return nil, errs.New(errs.Invalid, "blobs", "Give a folder or an S3 address for the blobs.")
}

// key is the checked address of a blob. Nothing else ever becomes part of a path.
type key struct{ company, hash string }

func parseKey(company, hash string) (key, error) {
	if !isCompany(company) || !isHash(hash) {
		return key{}, notFound()
	}
	return key{company, hash}, nil
}

// fan is the folder of a blob within its company's: the first byte of the hash. One
// level of 256 is quicker to sync than two, and holds millions.
func (k key) fan() string { return k.hash[:2] }

func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isCompany refuses capitals, since some file systems fold them.
func isCompany(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func notFound() *errs.Error {
	return errs.New(errs.NotFound, "notFound", "There is no such file.")
}

func badCompany(company string) *errs.Error {
	return errs.Newf(errs.Internal, "company", "%q cannot name a company's files.", company)
}
