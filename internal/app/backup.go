package app

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"quittance/internal/domain/imaging"
	"quittance/internal/kernel/config"
	"quittance/internal/kernel/store"
)

// A backup is a tar file: quittance.db first, with its SHA-256 in a PAX record, then
// each file that a record in it names, at blobs/{company}/{two digits}/{hash} and
// ordered by these. The database is taken first. The server may go on meanwhile: what
// is deleted then is in the trash for another day, and is taken from there.

const (
	backedUpDatabase = "quittance.db"
	sumRecord        = "QUITTANCE.sha256"
)

// blobPath is what a file is called in a backup and in the data folder.
var blobPath = regexp.MustCompile(`^blobs/[0-9a-z_-]+/[0-9a-f]{2}/[0-9a-f]{64}$`)

func blobName(company, hash string) string {
	return "blobs/" + company + "/" + hash[:min(2, len(hash))] + "/" + hash
}

// errServers is for stores that are not in a folder.
var errServers = errors.New("this store keeps its records or images on servers of their own: back up PostgreSQL with pg_dump or by its log, and the bucket by versions or replication, the database first")

func runBackup(ctx context.Context, c config.Config, out io.Writer, log *slog.Logger) error {
	if c.Database != "" || c.Blobs != "" {
		return errServers
	}
	archive := c.Operands[0]
	var count int
	var err error
	switch c.Command {
	case "backup create":
		count, err = createBackup(ctx, c.Data, archive, log)
	case "backup verify":
		var dir string
		if dir, err = os.MkdirTemp(filepath.Dir(archive), ".quittance-verify-"); err == nil {
			defer os.RemoveAll(dir)
			count, err = readBackup(ctx, archive, dir, false)
		}
	case "backup restore":
		count, err = restoreBackup(ctx, archive, c.Data)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: the database and %d images, all whole\n", archive, count)
	return err
}

func createBackup(ctx context.Context, data, archive string, log *slog.Logger) (count int, err error) {
	if _, err := os.Stat(DatabasePath(data)); err != nil {
		return 0, fmt.Errorf("there is no store in %s", data)
	}
	folder := filepath.Dir(archive)
	temp, err := os.MkdirTemp(folder, ".quittance-backup-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temp)
	db, err := store.Open(ctx, store.Options{Path: DatabasePath(data), Logger: log})
	if err != nil {
		return 0, err
	}
	copied := filepath.Join(temp, backedUpDatabase)
	if err := errors.Join(db.Snapshot(ctx, copied), db.Close()); err != nil {
		return 0, err
	}
	sum, err := sumOf(copied)
	if err != nil {
		return 0, err
	}
	unfinished := filepath.Join(temp, "archive")
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := addFile(w, backedUpDatabase, map[string]string{sumRecord: sum}, copied); err != nil {
		return 0, err
	}
	var missing []string
	if err := eachFile(ctx, copied, func(company, hash string) error {
		name := blobName(company, hash)
		here, trash := filepath.Join(data, filepath.FromSlash(name)), filepath.Join(data, "trash", company, hash)
		err := addFile(w, name, nil, here, trash, here) // a sweep may move it either way
		switch {
		case err == nil:
			count++
		case errors.Is(err, fs.ErrNotExist):
			missing, err = append(missing, name), nil
		}
		return err
	}); err != nil {
		return 0, err
	}
	if err := errors.Join(w.Close(), f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	if err := errors.Join(os.Rename(unfinished, archive), syncFolder(folder)); err != nil {
		return 0, err
	}
	if len(missing) > 0 {
		return count, fmt.Errorf("%s was written, but the store has lost %d files that its records name, such as %s", archive, len(missing), missing[0])
	}
	return count, nil
}

// eachFile asks a copied database which files its records name.
func eachFile(ctx context.Context, database string, each func(company, hash string) error) error {
	db, err := store.Open(ctx, store.Options{Path: database})
	if err != nil {
		return err
	}
	return errors.Join(db.Read(ctx, func(tx *store.Tx) error { return imaging.Files(tx, each) }), db.Close())
}

// addFile adds the first of some files that is there.
func addFile(w *tar.Writer, name string, records map[string]string, files ...string) error {
	var f *os.File
	var err error
	for _, file := range files {
		if f, err = os.Open(file); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o600, ModTime: info.ModTime(),
		Format: tar.FormatPAX, PAXRecords: records}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// restoreBackup unpacks an archive into a folder that has no store. The folder may be
// there, and a mount of its own. The database comes last: with it, it is a store.
func restoreBackup(ctx context.Context, archive, data string) (count int, err error) {
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for _, e := range entries {
		if e.Name() != "lost+found" {
			return 0, fmt.Errorf("%s is not empty; name a new folder with --data", data)
		}
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return 0, err
	}
	unfinished, err := os.MkdirTemp(data, ".quittance-restore-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(unfinished)
	if count, err = readBackup(ctx, archive, unfinished, true); err != nil {
		return 0, err
	}
	for _, name := range []string{"blobs", backedUpDatabase} {
		if err := os.Rename(filepath.Join(unfinished, name), filepath.Join(data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		if err := syncFolder(data); err != nil {
			return 0, err
		}
	}
	return count, nil
}

// readBackup checks an archive: the database against its sum and its own rules, each
// file against its name, and that all are there that records name and no others. With
// keep the files are unpacked into dir, else the database alone.
func readBackup(ctx context.Context, archive, dir string, keep bool) (count int, err error) {
	f, err := os.Open(archive)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
	next := func() (*tar.Header, error) {
		h, err := r.Next()
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no whole archive: %w", archive, err)
		}
		return h, ctx.Err()
	}
	database := filepath.Join(dir, backedUpDatabase)
	h, err := next()
	if err != nil {
		return 0, err
	}
	if h == nil || h.Typeflag != tar.TypeReg || h.Name != backedUpDatabase {
		return 0, fmt.Errorf("%s is no backup: it does not begin with a database", archive)
	}
	sum, err := unpack(r, database)
	if err != nil {
		return 0, fmt.Errorf("%s is no whole archive: %w", archive, err)
	}
	if sum != h.PAXRecords[sumRecord] {
		return 0, fmt.Errorf("%s is damaged: its database has other contents than its sum says", archive)
	}
	if err := store.Verify(ctx, database); err != nil {
		return 0, fmt.Errorf("%s is damaged: %w", archive, err)
	}
	var missing []string
	if h, err = next(); err != nil {
		return 0, err
	}
	if err := eachFile(ctx, database, func(company, hash string) error {
		name := blobName(company, hash)
		if h == nil || h.Name != name {
			missing = append(missing, name)
			return nil
		}
		if h.Typeflag != tar.TypeReg || !blobPath.MatchString(name) {
			return fmt.Errorf("%s has an entry that no backup has: %q", archive, name)
		}
		to := ""
		if keep {
			to = filepath.Join(dir, filepath.FromSlash(name))
		}
		sum, err := unpack(r, to)
		if err != nil {
			return fmt.Errorf("%s is no whole archive: %w", archive, err)
		}
		if sum != hash {
			return fmt.Errorf("%s is damaged: %s has other contents than its name says", archive, name)
		}
		count++
		h, err = next()
		return err
	}); err != nil {
		return 0, err
	}
	switch {
	case len(missing) > 0:
		return 0, fmt.Errorf("%s lacks %d files that its records name, such as %s", archive, len(missing), missing[0])
	case h != nil:
		return 0, fmt.Errorf("%s has an entry that no record names: %q", archive, h.Name)
	}
	return count, nil
}

// unpack writes a file, or reads it alone when there is no name, and gives its SHA-256.
func unpack(r io.Reader, to string) (string, error) {
	hash := sha256.New()
	if to == "" {
		if _, err := io.Copy(hash, r); err != nil {
			return "", err
		}
		return hex.EncodeToString(hash.Sum(nil)), nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.MultiWriter(f, hash), r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return unpack(f, "")
}

// syncFolder puts the names in a folder on disk, where the system can.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
