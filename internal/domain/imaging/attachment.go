package imaging

import (
	"slices"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

var (
	errAttached = errs.New(errs.Invalid, "imageAttached", "An image is already attached. This kind of record takes one image; nothing can be appended to it.")
	errNothing  = errs.New(errs.NotFound, "noImage", "No image is attached to this record.")
)

func locked(why string) error {
	return errs.New(errs.Invalid, "locked", why+" Its images cannot be changed now.")
}

// attach notes that a record has an image and tells the record's area. Attaching
// what is attached already changes nothing.
func (s *Service) attach(tx *store.Tx, kind Kind, h Held, m *Image) error {
	n, err := tx.Exec(`INSERT INTO attachment (kind, holder_id, company_id, owner_id, image_id) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, string(kind), h.ID, m.Company, m.Owner, m.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		standing, err := ImageIDs(tx, kind, h.ID)
		if err != nil {
			return err
		}
		if len(standing) == 1 && standing[0] == m.ID {
			return nil
		}
		return errAttached
	}
	return s.changed(tx, kind, h.ID)
}

// changed tells the record's area how many images there are now.
func (s *Service) changed(tx *store.Tx, kind Kind, id string) error {
	h := s.holder(kind)
	if h == nil {
		return nil
	}
	var n int64
	if err := tx.QueryRow("SELECT COUNT(*) FROM attachment WHERE kind = ? AND holder_id = ?", string(kind), id).Scan(&n); err != nil {
		return err
	}
	return h.Changed(tx, id, n)
}

// AttachExisting attaches an image of the receipt store to a record, as the field
// ElectronicReceiptID of an entry asks (decisions.md 25). The image is named by
// either of its ids and must belong to the record's owner; errs.Invalid says that
// it does not, or that the record has another image. The caller has found the
// record with the actor's predicate and has written its row; the record's area is
// told through Holder.Changed.
func (s *Service) AttachExisting(tx *store.Tx, a *auth.Actor, imageID string, kind Kind, to Held) error {
	m, err := findToChange(tx, store.And(a.InCompany(""), store.Where("owner_id = ?", to.Owner), inStore), imageID)
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.Invalid, "image", "There is no such receipt image of the record's owner.")
	}
	if err != nil {
		return err
	}
	if to.Locked != "" {
		return locked(to.Locked)
	}
	return s.attach(tx, kind, to, m)
}

// DetachAll takes the images off records that are being deleted; their areas are
// not told. Images of the receipt store stay there, others are deleted with the
// last record that has them.
func (s *Service) DetachAll(tx *store.Tx, kind Kind, ids ...string) error {
	attached, err := ImageIDs(tx, kind, ids...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := tx.Exec("DELETE FROM attachment WHERE kind = ? AND holder_id = ?", string(kind), id); err != nil {
			return err
		}
		if kind == Report {
			if err := forgetDerived(tx, target{ofReport, id}); err != nil {
				return err
			}
		}
	}
	for _, id := range attached {
		m, err := find(tx, store.Unrestricted(), id)
		if errs.Is(err, errs.NotFound) {
			continue // two of the records had it
		}
		if err != nil {
			return err
		}
		if m.InStore {
			continue
		}
		if used, err := isAttached(tx, id); err != nil {
			return err
		} else if !used {
			if err := remove(tx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func isAttached(tx *store.Tx, imageID string) (bool, error) {
	var n int64
	err := tx.QueryRow("SELECT COUNT(*) FROM attachment WHERE image_id = ?", imageID).Scan(&n)
	return n > 0, err
}

// ImageIDs lists the public ids of the images of records of one kind, record after
// record in the given order, each record's in order of arrival.
func ImageIDs(tx *store.Tx, kind Kind, ids ...string) ([]string, error) {
	byHolder, err := attached(tx, kind, ids)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, id := range ids {
		all = append(all, byHolder[id]...)
	}
	return all, nil
}

// Counts tells how many images each of the records has; those without are left out.
func Counts(tx *store.Tx, kind Kind, ids ...string) (map[string]int, error) {
	byHolder, err := attached(tx, kind, ids)
	if err != nil {
		return nil, err
	}
	n := make(map[string]int, len(byHolder))
	for id, list := range byHolder {
		n[id] = len(list)
	}
	return n, nil
}

func attached(tx *store.Tx, kind Kind, ids []string) (map[string][]string, error) {
	byHolder := make(map[string][]string, len(ids))
	for start := 0; start < len(ids); start += idsAtOnce {
		in := store.In("holder_id", ids[start:min(start+idsAtOnce, len(ids))]...)
		rows, err := tx.Query("SELECT holder_id, image_id FROM attachment WHERE kind = ? AND "+in.SQL+" ORDER BY seq",
			append([]any{string(kind)}, in.Args...)...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var holder, image string
			if err := rows.Scan(&holder, &image); err != nil {
				rows.Close()
				return nil, err
			}
			byHolder[holder] = append(byHolder[holder], image)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return byHolder, nil
}

// HoldersOfSameBytes lists, for each of these records of one kind, the first few other
// records of that kind and of the same owner that have an image with a file of the same
// bytes, in the order in which the images came. Records without any are left out.
func HoldersOfSameBytes(tx *store.Tx, company string, kind Kind, holders ...string) (map[string][]string, error) {
	const few = 4
	same := map[string][]string{}
	for _, holder := range holders {
		var files [][2]string
		if err := readPairs(tx, func(hash, owner string) { files = append(files, [2]string{hash, owner}) },
			`SELECT p.hash, p.owner_id FROM attachment a JOIN image_part p ON p.image_id = a.image_id
				WHERE a.kind = ? AND a.holder_id = ? AND a.company_id = ? ORDER BY a.seq, p.position`, string(kind), holder, company); err != nil {
			return nil, err
		}
		for _, f := range files {
			// A condition on the kind would let SQLite begin with all records of it.
			if err := readPairs(tx, func(of, other string) {
				if of == string(kind) && other != holder && len(same[holder]) < few && !slices.Contains(same[holder], other) {
					same[holder] = append(same[holder], other)
				}
			}, `SELECT b.kind, b.holder_id FROM image_part q JOIN attachment b ON b.image_id = q.image_id
				WHERE q.company_id = ? AND q.hash = ? AND q.owner_id = ? ORDER BY b.seq LIMIT 100`, company, f[0], f[1]); err != nil {
				return nil, err
			}
		}
	}
	return same, nil
}

// readPairs calls f with each row of a query for two texts.
func readPairs(tx *store.Tx, f func(a, b string), query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		f(a, b)
	}
	return rows.Err()
}
