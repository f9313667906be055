package imaging

import (
	"crypto/sha256"
	"fmt"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// State is how far the processing of an image is.
type State string

// The states of an image, as Receipts v4 names them. What comes through Image v1
// and Receipt Images v3 is looked at while it comes in, and is Processed at once.
const (
	Accepted   State = "ACCEPTED"
	Processing State = "PROCESSING"
	Processed  State = "PROCESSED"
	Failed     State = "FAILED"
)

// Image is a receipt image: one or more files that are shown as one. It is the same
// record for every service (decisions.md 26) and has an id for the older ones and
// one for Receipts v4.
type Image struct {
	Seq       int64
	ID        string // gW…
	ReceiptID string // 32 hex digits
	Company   string
	Owner     string // user id
	InStore   bool   // among the owner's receipts; false for an image that was posted straight to a record
	State     State
	Created   value.Instant // whole milliseconds, since paging tokens carry no more

	URI string // not kept: filled for what shows it
}

func (m *Image) columns(c *store.Columns) {
	c.Seq(&m.Seq)
	c.Key("id", &m.ID)
	c.Text("receipt_id", &m.ReceiptID)
	c.Text("company_id", &m.Company)
	c.Text("owner_id", &m.Owner)
	c.Bool("in_store", &m.InStore)
	c.Text("state", (*string)(&m.State))
	c.Instant("created_at", &m.Created)
}

// Part is one file of an image.
type Part struct {
	Image    string
	Position int64 // from 1
	Company  string
	File
}

// File is a stored file: its blob and what was found out about it.
type File struct {
	Hash      string
	MediaType string
	Size      int64 // bytes
	Pages     int64
}

var images = store.NewTable("image", (*Image).columns)

// inStore are the images of the receipt store, and readable those of them that may
// be shown: a receipt that is still being worked on is not there yet (decisions.md 31).
var (
	inStore  = store.Where("in_store = ?", true)
	readable = store.And(inStore, store.In("state", string(Processed), string(Failed)))
)

// byPublicID finds an image by either of its ids; the two shapes never meet. One
// comparison is a look-up by the unique index; with OR between two, SQLite walks all
// images of the owner.
func byPublicID(id string) store.Predicate {
	if len(id) == 32 { // a protected id has 34 or more
		return store.Where("receipt_id = ?", id)
	}
	return store.Where("id = ?", id)
}

// errNoImage is the answer for an image that is absent and for one that is not the
// caller's, alike.
var errNoImage = errs.New(errs.NotFound, "image", "There is no such image.")

// find reads an image by either of its ids, as far as access reaches.
func find(tx *store.Tx, access store.Predicate, id string) (*Image, error) {
	m, err := images.One(tx, access, byPublicID(id))
	if errs.Is(err, errs.NotFound) {
		return nil, errNoImage
	}
	return m, err
}

// findToChange reads an image like find and keeps other writers from changing or
// deleting it until the end of the transaction.
func findToChange(tx *store.Tx, access store.Predicate, id string) (*Image, error) {
	m, err := find(tx, access, id)
	if err != nil {
		return nil, err
	}
	if err := tx.Lock("image", m.ID); err != nil {
		return nil, err
	}
	return find(tx, access, id) // it may be gone since
}

// NewImage is a new image for the receipt store of this user. It is made before a
// write begins, since the write may run twice; Insert keeps it.
func (s *Service) NewImage(company, owner string, state State) *Image {
	return s.newImage(company, owner, true, state)
}

func (s *Service) newImage(company, owner string, inStore bool, state State) *Image {
	return &Image{
		ID: s.ids.Protected(), ReceiptID: s.ids.Hex32(), Company: company, Owner: owner,
		InStore: inStore, State: state, Created: s.clock() / 1000 * 1000,
	}
}

// Insert writes an image with its first file.
func Insert(tx *store.Tx, m *Image, f File) error {
	row := *m // the closure may run again
	if err := images.Insert(tx, &row); err != nil {
		return err
	}
	return insertPart(tx, m, 1, f)
}

func insertPart(tx *store.Tx, m *Image, position int64, f File) error {
	_, err := tx.Exec("INSERT INTO image_part (image_id, position, company_id, owner_id, hash, media_type, size, pages) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		m.ID, position, m.Company, m.Owner, f.Hash, f.MediaType, f.Size, f.Pages)
	return err
}

// remove deletes an image with its files and its merged PDF. Nothing may be attached
// to it any more. The blobs go with the next sweep.
func remove(tx *store.Tx, imageID string) error {
	if err := forgetDerived(tx, target{ofImage, imageID}); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM image_part WHERE image_id = ?", imageID); err != nil {
		return err
	}
	return images.Delete(tx, imageID)
}

// partsOf lists the files of images, image after image in the given order.
func partsOf(tx *store.Tx, imageIDs ...string) ([]Part, error) {
	byImage := make(map[string][]Part, len(imageIDs))
	for start := 0; start < len(imageIDs); start += idsAtOnce {
		in := store.In("image_id", imageIDs[start:min(start+idsAtOnce, len(imageIDs))]...)
		rows, err := tx.Query("SELECT image_id, position, company_id, hash, media_type, size, pages FROM image_part WHERE "+in.SQL+" ORDER BY image_id, position", in.Args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var p Part
			if err := rows.Scan(&p.Image, &p.Position, &p.Company, &p.Hash, &p.MediaType, &p.Size, &p.Pages); err != nil {
				rows.Close()
				return nil, err
			}
			byImage[p.Image] = append(byImage[p.Image], p)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	var all []Part
	for _, id := range imageIDs {
		all = append(all, byImage[id]...)
	}
	return all, nil
}

// idsAtOnce bounds the list of one IN condition.
const idsAtOnce = 512

// MaxFileBytes and MaxFilePages bound what an image or a report's PDF may grow to
// (decisions.md 30).
const (
	MaxFileBytes = 200 << 20
	MaxFilePages = 2000
)

// checkTotal refuses files that are too much for one PDF.
func checkTotal(parts []Part) error {
	var size, pages int64
	for _, p := range parts {
		size, pages = size+p.Size, pages+p.Pages
	}
	if size > MaxFileBytes || pages > MaxFilePages {
		return errs.Newf(errs.Invalid, "imageTooLarge", "The images together have %d pages and %d MB; one PDF holds up to %d pages and %d MB.",
			pages, (size+1<<20-1)>>20, MaxFilePages, MaxFileBytes>>20)
	}
	return nil
}

// keyOf names a sequence of files.
func keyOf(parts []Part) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p.Hash + "\n"))
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// derived reads the merged file that is kept for an image or a report, and which
// files it was made of; the key is empty when there is none.
func derived(tx *store.Tx, t target) (f File, key string, err error) {
	err = tx.QueryRow("SELECT parts_key, hash, media_type, size, pages FROM derived_file WHERE kind = ? AND holder_id = ?", t.kind, t.id).
		Scan(&key, &f.Hash, &f.MediaType, &f.Size, &f.Pages)
	if errs.Is(err, errs.NotFound) {
		return File{}, "", nil
	}
	return f, key, err
}

func keepDerived(tx *store.Tx, t target, company, key string, f File) error {
	_, err := tx.Exec(`INSERT INTO derived_file (kind, holder_id, company_id, parts_key, hash, media_type, size, pages, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, holder_id) DO UPDATE SET parts_key = excluded.parts_key, hash = excluded.hash,
			media_type = excluded.media_type, size = excluded.size, pages = excluded.pages, created_at = excluded.created_at`,
		t.kind, t.id, company, key, f.Hash, f.MediaType, f.Size, f.Pages, int64(tx.Now()))
	return err
}

func forgetDerived(tx *store.Tx, t target) error {
	_, err := tx.Exec("DELETE FROM derived_file WHERE kind = ? AND holder_id = ?", t.kind, t.id)
	return err
}

// InUse tells which of a company's blobs a record still names, for the sweep: the
// files of images and the PDFs that were merged of them. It runs in the sweep's own
// write, so that no record can come in between.
func InUse(tx *store.Tx, company string, hashes []string) (map[string]bool, error) {
	used := make(map[string]bool, len(hashes))
	for start := 0; start < len(hashes); start += idsAtOnce {
		in := store.In("hash", hashes[start:min(start+idsAtOnce, len(hashes))]...)
		args := append([]any{company}, in.Args...)
		args = append(append(args, company), in.Args...)
		rows, err := tx.Query("SELECT hash FROM image_part WHERE company_id = ? AND "+in.SQL+
			" UNION SELECT hash FROM derived_file WHERE company_id = ? AND "+in.SQL, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var hash string
			if err := rows.Scan(&hash); err != nil {
				rows.Close()
				return nil, err
			}
			used[hash] = true
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// SetState notes how far the processing of an image is. It is errs.NotFound when the
// image is gone.
func SetState(tx *store.Tx, receiptID string, to State) error {
	n, err := tx.Exec("UPDATE image SET state = ? WHERE receipt_id = ?", string(to), receiptID)
	if err == nil && n == 0 {
		return errNoImage
	}
	return err
}

// Readable reads an image that may be shown by either of its ids.
func Readable(tx *store.Tx, access store.Predicate, id string) (*Image, error) {
	return find(tx, store.And(access, readable), id)
}

// Newest lists the images of one user from the newest on, those strictly older than
// the pair (before, beforeID) when it is given.
func Newest(tx *store.Tx, a *auth.Actor, owner string, before value.Instant, beforeID string, limit int) (list []Image, more bool, err error) {
	where := store.And(store.Where("owner_id = ?", owner), readable)
	if before != 0 {
		where = where.And("(created_at, receipt_id) < (?, ?)", int64(before), beforeID)
	}
	return images.List(tx, a.InCompany(""), where, store.Page{Limit: limit, Order: store.Descending("created_at", "receipt_id")})
}
