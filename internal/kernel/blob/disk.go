package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// tempPattern names temporary files, so that they are known for what they are.
const tempPattern = "quittance-put-*"

// disk keeps a blob in {dir}/blobs/{company}/{first two digits}/{hash}, in its trash
// in {dir}/trash/{company}/{hash}, and while it is written in {dir}/tmp. The time of
// the file is that of the last put or touch; in the trash that of its move.
type disk struct {
	dir   string
	temp  string
	clock value.Clock
	spool *spooler

	mu    sync.Mutex
	ready map[string]bool // folders of blobs that are on disk with all their parents
}

func openDisk(o Options) (Store, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, diskError(err)
	}
	d := &disk{dir: dir, temp: filepath.Join(dir, "tmp"), clock: o.Clock, ready: map[string]bool{}}
	d.spool = newSpooler(d.temp)
	for _, sub := range []string{string(live), string(trash), "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, diskError(err)
		}
	}
	if err := syncDir(dir); err != nil {
		return nil, diskError(err)
	}
	if err := syncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, diskError(err)
	}
	left, err := filepath.Glob(filepath.Join(d.temp, tempPattern))
	if err != nil {
		return nil, diskError(err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, diskError(err)
		}
	}
	// A full disk still serves what it has.
	if err := d.Check(context.Background()); err != nil && !errs.Is(err, errs.Unavailable) {
		return nil, err
	}
	return d, nil
}

func (d *disk) path(a area, k key) string {
	if a == trash {
		return filepath.Join(d.dir, string(trash), k.company, k.hash)
	}
	return filepath.Join(d.dir, string(live), k.company, k.fan(), k.hash)
}

func (d *disk) Put(ctx context.Context, company string, r io.Reader, limit int64) (Ref, error) {
	if !isCompany(company) {
		return Ref{}, badCompany(company)
	}
	s, err := d.spool.read(ctx, r, limit)
	if err != nil {
		return Ref{}, err
	}
	defer s.discard()
	k := key{company, s.Hash}
	if err := d.place(s, k); err != nil {
		return Ref{}, diskError(err)
	}
	return s.Ref, nil
}

// place makes an upload a durable blob, or renews the one that is there.
func (d *disk) place(s *spool, k key) error {
	path := d.path(live, k)
	folder := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && info.Size() == s.Size {
		err := d.renew(path)
		if err == nil {
			// Whoever put it may not have synced its name yet.
			return d.syncFolder(folder)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f := s.file
	if f == nil {
		var err error
		if f, err = os.CreateTemp(d.temp, tempPattern); err != nil {
			return err
		}
		defer func() {
			f.Close()
			os.Remove(f.Name()) // fails when all went well: it has been renamed
		}()
		if _, err := f.Write(s.mem); err != nil {
			return err
		}
	}
	if err := d.renew(f.Name()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.makeFolder(folder); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(folder)
}

// renew sets a file's time to now.
func (d *disk) renew(path string) error {
	now := d.clock().Time()
	return os.Chtimes(path, now, now)
}

// makeFolder makes a folder of blobs and syncs its parents, once in a process.
func (d *disk) makeFolder(folder string) error {
	d.mu.Lock()
	ready := d.ready[folder]
	d.mu.Unlock()
	if ready {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	company := filepath.Dir(folder)
	if err := syncDir(company); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(company)); err != nil {
		return err
	}
	d.mu.Lock()
	d.ready[folder] = true
	d.mu.Unlock()
	return nil
}

// syncFolder makes the names in a folder of blobs durable, and its own.
func (d *disk) syncFolder(folder string) error {
	if err := d.makeFolder(folder); err != nil {
		return err
	}
	return syncDir(folder)
}

// find looks in the place, in the trash, and in the place again: a sweep that gives a
// blob back may have moved it between the first two looks.
func (d *disk) find(k key, look func(path string) error) error {
	var err error
	for _, a := range [...]area{live, trash, live} {
		if err = look(d.path(a, k)); err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return findError(err)
}

// findError is diskError where an absent file is an absent blob.
func findError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return notFound().Because(err)
	}
	return diskError(err)
}

func (d *disk) Open(_ context.Context, company, hash string) (io.ReadSeekCloser, int64, error) {
	k, err := parseKey(company, hash)
	if err != nil {
		return nil, 0, err
	}
	var f *os.File
	if err := d.find(k, func(path string) error { f, err = os.Open(path); return err }); err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, diskError(err)
	}
	return f, info.Size(), nil
}

func (d *disk) Stat(_ context.Context, company, hash string) (Info, error) {
	k, err := parseKey(company, hash)
	if err != nil {
		return Info{}, err
	}
	var info fs.FileInfo
	if err := d.find(k, func(path string) error { info, err = os.Stat(path); return err }); err != nil {
		return Info{}, err
	}
	return infoOf(info), nil
}

func infoOf(f fs.FileInfo) Info {
	return Info{Ref{f.Name(), f.Size()}, value.InstantOf(f.ModTime())}
}

func (d *disk) Touch(ctx context.Context, company, hash string) error {
	k, err := parseKey(company, hash)
	if err != nil {
		return err
	}
	for range 3 { // a sweep may move it between the two attempts
		err = d.renew(d.path(live, k))
		if !errors.Is(err, fs.ErrNotExist) {
			return diskError(err)
		}
		// It gets its new time first, so that it is not seen old in its place.
		if err = d.renew(d.path(trash, k)); err == nil {
			err = d.restore(ctx, k)
		} else {
			err = findError(err)
		}
		if !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	return err
}

func (d *disk) Delete(_ context.Context, company, hash string) error {
	k, err := parseKey(company, hash)
	if err != nil {
		return nil
	}
	for _, a := range [...]area{live, trash} {
		if err := os.Remove(d.path(a, k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(err)
		}
	}
	return nil
}

func (d *disk) Walk(ctx context.Context, fn func(company string, b Info) error) error {
	return d.walk(ctx, live, fn)
}

func (d *disk) Sweep(ctx context.Context, olderThan time.Duration, inUse InUse) (int, error) {
	return sweep(ctx, d, d.clock().Add(-olderThan).Time(), inUse)
}

func (d *disk) EmptyTrash(ctx context.Context, olderThan time.Duration, inUse InUse) (int, error) {
	return emptyTrash(ctx, d, d.clock().Add(-olderThan).Time(), inUse)
}

// Check writes and removes a file, since a file system can be mounted and full.
func (d *disk) Check(context.Context) error {
	f, err := os.CreateTemp(d.temp, tempPattern)
	if err != nil {
		return diskError(err)
	}
	_, err = f.WriteString("ready")
	return diskError(errors.Join(err, f.Close(), os.Remove(f.Name())))
}

func (d *disk) Close() error { return nil }

func (d *disk) walk(ctx context.Context, a area, fn func(company string, b Info) error) error {
	root := filepath.Join(d.dir, string(a))
	companies, err := os.ReadDir(root)
	if err != nil {
		return diskError(err)
	}
	for _, company := range companies {
		folders := []string{""}
		if a == live {
			if folders, err = names(filepath.Join(root, company.Name())); err != nil {
				return err
			}
		}
		for _, folder := range folders {
			if err := ctx.Err(); err != nil {
				return cancelled(err)
			}
			path := filepath.Join(root, company.Name(), folder)
			hashes, err := names(path)
			if err != nil {
				return err
			}
			for _, hash := range hashes {
				info, err := os.Stat(filepath.Join(path, hash))
				if errors.Is(err, fs.ErrNotExist) || err == nil && !isHash(hash) {
					continue // moved meanwhile, or not ours
				}
				if err != nil {
					return diskError(err)
				}
				if err := fn(company.Name(), infoOf(info)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// names lists a folder in order.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, diskError(err)
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list, nil
}

// discard moves a blob to the trash. A rename keeps the time, so the time read after
// it tells for certain whether the blob was renewed before; a put after it does not
// find the blob and writes it again.
func (d *disk) discard(_ context.Context, k key, cutoff time.Time) (bool, error) {
	from, to := d.path(live, k), d.path(trash, k)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return false, diskError(err)
	}
	moved := false
	err := os.Rename(from, to)
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(to); err == nil {
			if moved = !info.ModTime().After(cutoff); moved {
				err = d.renew(to)
			} else {
				err = os.Rename(to, from)
			}
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // somebody deleted it, or touched it back out of the trash
	}
	return moved, diskError(err)
}

func (d *disk) restore(_ context.Context, k key) error {
	path := d.path(live, k)
	if err := d.makeFolder(filepath.Dir(path)); err != nil {
		return diskError(err)
	}
	return findError(os.Rename(d.path(trash, k), path))
}

func (d *disk) destroy(_ context.Context, k key) error {
	if err := os.Remove(d.path(trash, k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskError(err)
	}
	return nil
}

// diskError says what a failure of the file system means for the caller.
func diskError(err error) error {
	var known *errs.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case isFull(err):
		return errs.New(errs.Unavailable, "storageFull",
			"The server's disk is full, so nothing was stored. Try again when its operator has made room.").Because(err)
	case isBusy(err):
		return errs.New(errs.Unavailable, "storageBusy", "The server has too many files open. Try again shortly.").Because(err)
	}
	return errs.New(errs.Internal, "storage", "The server could not read or write its files. Quote the correlation id when you ask about it.").Because(err)
}

// cancelled is the failure of a call whose context ended.
func cancelled(err error) error {
	return errs.New(errs.Unavailable, "cancelled", "The call ended before the file was dealt with.").Because(err)
}
