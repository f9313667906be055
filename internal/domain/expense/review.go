package expense

import (
	"slices"

	"quittance/internal/domain/imaging"
	"quittance/internal/domain/org"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// reviewEntry asks the rules about an entry that is about to be saved, keeps what
// they find and sets e.Exceptions. It returns by how much the count of the report's
// exceptions changes, and the entry's twins.
func (s *Service) reviewEntry(tx *store.Tx, cfg *org.Config, e *Entry) (change int64, same []twin, err error) {
	var parts []Itemization
	if e.HasItemizations {
		if parts, err = partsOf(tx, e.ID); err != nil {
			return 0, nil, err
		}
	}
	found := findings(judgeEntry(cfg, e, parts, tx.Now()))
	if same, err = twinsOf(tx, e); err != nil {
		return 0, nil, err
	}
	l := Lines{Entry: e}
	if l.SameEntries, err = (names{}).of(tx, e.Company, same); err != nil {
		return 0, nil, err
	}
	found.twins(&l)
	change, err = keepEntryExceptions(tx, e, found)
	return change, same, err
}

// reviewAgain saves an entry of which nothing has changed that sums depend on, and
// what the rules say of it now.
func (s *Service) reviewAgain(tx *store.Tx, cfg *org.Config, h *head, e *Entry) error {
	change, _, err := s.reviewEntry(tx, cfg, e)
	if err != nil {
		return err
	}
	h.Exceptions += change
	e.ModifiedAt = tx.Now()
	if err := entries.Update(tx, e); err != nil {
		return err
	}
	return h.adjust(tx)
}

// twin is an entry that looks like another one of its owner's.
type twin struct{ entry, report string }

// twinsOf lists the first few other entries of an entry's owner with its day, amount,
// currency and vendor. The limit stands in the text: SQLite plans a statement anew
// whenever a limit is bound.
func twinsOf(tx *store.Tx, e *Entry) ([]twin, error) {
	rows, err := tx.Query(`SELECT id, report_id FROM entry WHERE owner_id = ? AND transaction_date = ? AND transaction_amount = ?
		AND transaction_currency = ? AND vendor_key = ? AND id <> ? ORDER BY seq LIMIT 4`,
		e.Owner, int64(e.TransactionDate), int64(e.TransactionAmount), string(e.TransactionCurrency), e.vendorKey, e.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []twin
	for rows.Next() {
		var t twin
		if err := rows.Scan(&t.entry, &t.report); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, rows.Err()
}

// looksLike reports whether two states of an entry have the same twins.
func looksLike(a, b *Entry) bool {
	return a.TransactionDate == b.TransactionDate && a.TransactionAmount == b.TransactionAmount &&
		a.TransactionCurrency == b.TransactionCurrency && a.vendorKey == b.vendorKey
}

// formerTwins are the twins of an entry that is about to change or to go: only what the
// rules remarked on has any.
func formerTwins(tx *store.Tx, e *Entry) ([]twin, error) {
	if e.Exceptions == 0 {
		return nil, nil
	}
	return twinsOf(tx, e)
}

// An exception that tells of a twin stands on each of the two, so that it comes to an
// entry, and goes from it, when another one is written. The entries of a report that is
// submitted keep what was found when it was; they are judged again when it comes back.
// Which reports the sentence names is as of the last time that the entry was judged,
// and two entries that are written at the same moment on PostgreSQL find each other
// when one of them is judged next: at the latest when it is submitted.

// tellTwins lets the twin of an entry that has been written, or is gone, follow: where
// there are more than one they are twins of each other, whatever became of the entry.
// Heads that the caller has read and will save are at hand; other reports are saved.
func tellTwins(tx *store.Tx, company string, same []twin, atHand ...*head) error {
	if len(same) != 1 {
		return nil
	}
	of, saved := same[0], true
	var h *head
	if n := slices.IndexFunc(atHand, func(h *head) bool { return h.ID == of.report }); n >= 0 {
		h, saved = atHand[n], false
	} else {
		if err := heads.Lock(tx, of.report); err != nil {
			return err
		}
		var err error
		if h, err = heads.Get(tx, store.Where("company_id = ?", company), of.report); err != nil {
			return gone(err)
		}
	}
	if !editable(h.ApprovalStatus) {
		return nil
	}
	e, err := entries.One(tx, store.Where("company_id = ? AND report_id = ?", company, h.ID), store.Where("id = ?", of.entry))
	if err != nil {
		return gone(err)
	}
	change, err := judgeTwins(tx, e)
	if err != nil || change == 0 {
		return err
	}
	h.Exceptions += change
	if saved {
		_, err = tx.Exec("UPDATE report SET exceptions = ? WHERE seq = ?", h.Exceptions, h.Seq)
	}
	return err
}

// gone is no error about a record that somebody has removed or moved meanwhile.
func gone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// judgeTwins judges again whether an entry has a twin, and nothing else of it. It
// returns by how much the count of its report's exceptions changes.
func judgeTwins(tx *store.Tx, e *Entry) (change int64, err error) {
	same, err := twinsOf(tx, e)
	if err != nil {
		return 0, err
	}
	l := Lines{Entry: e}
	if l.SameEntries, err = (names{}).of(tx, e.Company, same); err != nil {
		return 0, err
	}
	stood, err := tx.Exec("DELETE FROM report_exception WHERE entry_id = ? AND code = ?", e.ID, codeDuplicateEntry)
	if err != nil {
		return 0, err
	}
	var found findings
	found.twins(&l)
	for i := range found {
		if err := exceptions.Insert(tx, &found[i]); err != nil {
			return 0, err
		}
	}
	change = int64(len(found)) - stood
	if change == 0 {
		return 0, nil
	}
	e.Exceptions += change
	_, err = tx.Exec("UPDATE entry SET exceptions = ? WHERE id = ?", e.Exceptions, e.ID)
	return change, err
}

// judgeTwinsAgain judges it of all entries of a report that has come back.
func judgeTwinsAgain(tx *store.Tx, r *Report) error {
	all, err := entriesOf(tx, r)
	if err != nil {
		return err
	}
	for i := range all {
		change, err := judgeTwins(tx, &all[i])
		if err != nil {
			return err
		}
		r.Exceptions += change
	}
	return nil
}

// findTwins finds the twins of the entries of one report, and those that have an image
// with the same bytes.
func findTwins(tx *store.Tx, company string, lines []Lines) error {
	called := names{}
	var pictured []string
	for i := range lines {
		l := &lines[i]
		same, err := twinsOf(tx, l.Entry)
		if err != nil {
			return err
		}
		if l.SameEntries, err = called.of(tx, company, same); err != nil {
			return err
		}
		if l.Entry.HasImage {
			pictured = append(pictured, l.Entry.ID)
		}
	}
	others, err := imaging.HoldersOfSameBytes(tx, company, imaging.Entry, pictured...)
	if err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		if len(others[l.Entry.ID]) == 0 {
			continue
		}
		all, err := entries.All(tx, store.Where("company_id = ?", company), store.In("id", others[l.Entry.ID]...), "seq", store.MaxLimit)
		if err != nil {
			return err
		}
		same := make([]twin, len(all))
		for n := range all {
			same[n] = twin{all[n].ID, all[n].Report}
		}
		if l.SameImages, err = called.of(tx, company, same); err != nil {
			return err
		}
	}
	return nil
}

// names are the names of reports that have been read, by id.
type names map[string]string

// of names the reports of twins, each once.
func (n names) of(tx *store.Tx, company string, same []twin) ([]string, error) {
	var told []string
	for i, t := range same {
		if slices.ContainsFunc(same[:i], func(u twin) bool { return u.report == t.report }) {
			continue
		}
		name, ok := n[t.report]
		if !ok {
			r, err := reports.Get(tx, store.Where("company_id = ?", company), t.report)
			if err != nil {
				return nil, err
			}
			name = r.Name
			n[t.report] = name
		}
		told = append(told, name)
	}
	return told, nil
}
