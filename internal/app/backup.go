package app

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"quittance/internal/kernel/config"
	"quittance/internal/kernel/store"
)

// A backup is a tar file: quittance.db first, then every blob at
// blobs/{company}/{two digits}/{hash}. The database is taken before the blobs, so that
// what it refers to is there; the server may go on meanwhile, since the sweep keeps
// what it moves for another day.

// blobPath is what a blob is called in a backup and in the data folder.
var blobPath = regexp.MustCompile(`^blobs/[^/]+/[0-9a-f]{2}/([0-9a-f]{64})$`)

const backedUpDatabase = "quittance.db"

// errServers is for stores that are not in a folder.
var errServers = errors.New("this store keeps its records or images on servers of their own: back up PostgreSQL with pg_dump or by its log, and the bucket by versions or replication, the database first")

func runBackup(ctx context.Context, c config.Config, out io.Writer, log *slog.Logger) error {
	if len(c.Operands) != 1 {
		return errors.New("name the archive: quittance " + c.Command + " FILE.tar")
	}
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
	temp, err := os.MkdirTemp(filepath.Dir(archive), ".quittance-backup-")
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
	unfinished := filepath.Join(temp, "archive")
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := addFile(w, copied, backedUpDatabase); err != nil {
		return 0, err
	}
	root := filepath.Join(data, "blobs")
	if err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(data, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !blobPath.MatchString(name) {
			return nil
		}
		count++
		return addFile(w, file, name)
	}); err != nil {
		return 0, err
	}
	if err := errors.Join(w.Close(), f.Sync()); err != nil {
		return 0, err
	}
	return count, os.Rename(unfinished, archive)
}

func addFile(w *tar.Writer, file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o600, ModTime: info.ModTime(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// restoreBackup unpacks an archive into a folder that has no store.
func restoreBackup(ctx context.Context, archive, data string) (count int, err error) {
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return 0, fmt.Errorf("%s is not empty; name a new folder with --data", data)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(data)), 0o700); err != nil {
		return 0, err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(filepath.Clean(data)), ".quittance-restore-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(unfinished)
	if count, err = readBackup(ctx, archive, unfinished, true); err != nil {
		return 0, err
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return count, os.Rename(unfinished, data)
}

// readBackup checks every file of an archive against its name, and the database's
// own sums; with keep the blobs are unpacked into dir, else the database alone.
func readBackup(ctx context.Context, archive, dir string, keep bool) (count int, err error) {
	f, err := os.Open(archive)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	database := false
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("%s is no whole archive: %w", archive, err)
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		match := blobPath.FindStringSubmatch(h.Name)
		switch {
		case h.Typeflag != tar.TypeReg || match == nil && h.Name != backedUpDatabase || strings.Contains(h.Name, ".."):
			return 0, fmt.Errorf("%s has an entry that no backup has: %q", archive, h.Name)
		case match == nil:
			database = true
			if _, err := unpack(r, filepath.Join(dir, backedUpDatabase)); err != nil {
				return 0, err
			}
		default:
			to := ""
			if keep {
				to = filepath.Join(dir, filepath.FromSlash(path.Clean(h.Name)))
			}
			sum, err := unpack(r, to)
			if err != nil {
				return 0, err
			}
			if sum != match[1] {
				return 0, fmt.Errorf("%s is damaged: %s has other contents than its name says", archive, h.Name)
			}
			count++
		}
	}
	if !database {
		return 0, fmt.Errorf("%s has no database in it", archive)
	}
	return count, store.Verify(ctx, filepath.Join(dir, backedUpDatabase))
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
