package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// Exercise is what every engine must do. open gives an empty database with Schema.
func Exercise(t *testing.T, open func(*testing.T, ...Option) *store.DB) {
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T, ...Option) *store.DB)
	}{
		{"values", onOne(values)},
		{"access", onOne(access)},
		{"changes", onOne(changes)},
		{"rollback", onOne(rollback)},
		{"failures", onOne(failures)},
		{"failedTransaction", onOne(failedTransaction)},
		{"misuse", onOne(misuse)},
		{"hooks", onOne(hooks)},
		{"clock", clock},
		{"snapshot", onOne(snapshot)},
		{"lists", onOne(lists)},
		{"pages", onOne(pages)},
		{"children", onOne(children)},
		{"texts", onOne(texts)},
		{"contexts", onOne(contexts)},
		{"lostUpdates", onOne(lostUpdates)},
		{"once", onOne(once)},
		{"kind", onOne(kind)},
		{"closed", onOne(closed)},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

func onOne(test func(*testing.T, *store.DB)) func(*testing.T, func(*testing.T, ...Option) *store.DB) {
	return func(t *testing.T, open func(*testing.T, ...Option) *store.DB) { test(t, open(t)) }
}

var everything = store.Unrestricted()

func write(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func insert(t *testing.T, db *store.DB, items ...*Item) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error {
		for _, i := range items {
			if err := Items.Insert(tx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func count(t *testing.T, db *store.DB) int64 {
	t.Helper()
	var n int64
	read(t, db, func(tx *store.Tx) (err error) {
		n, err = Items.Count(tx, everything, store.Predicate{})
		return err
	})
	return n
}

func wantKind(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	if !errs.Is(err, kind) || code != "" && errs.As(err).Code != code {
		t.Errorf("got %v, want %v %s", err, kind, code)
	}
}

// values come back as they went in, the greatest and the least and the absent too.
func values(t *testing.T, db *store.DB) {
	full := Item{
		ID: "full", Company: "c", Name: "Zürich 東京 \U0001F9FE 'quoted' \"twice\" ?", Code: "x", Active: true,
		Size: math.MaxInt64, Total: math.MinInt64, Rate: value.RateOne, Share: -1, Currency: "EUR",
		Made: 1_700_000_000_123_456, Day: 20240229, Content: []byte{0, 255, '\'', 0},
		OptSize: value.Some[int64](0), OptTotal: value.Some[value.Money](-5), OptRate: value.Some(value.RateOne),
		OptShare: value.Some(value.DecimalOne), OptFlag: value.Some(false),
		Comment: "line\nbreak \u2028 <&>", Tip: 12345, Seen: 1_700_000_000_000_001,
		Guests: []Guest{{Name: "Ann", Age: value.Some[int64](0)}, {Name: "Bob"}},
	}
	empty := Item{ID: "empty", Content: []byte{}}
	insert(t, db, &full, &empty)
	if full.Seq == 0 || empty.Seq <= full.Seq {
		t.Errorf("the seqs are %d and %d", full.Seq, empty.Seq)
	}
	for _, want := range []Item{full, empty} {
		read(t, db, func(tx *store.Tx) error {
			got, err := Items.Get(tx, everything, want.ID)
			if err != nil {
				return err
			}
			if got.Content == nil {
				got.Content = []byte{} // an engine may not tell empty from none
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("%s came back as\n%+v, want\n%+v", want.ID, *got, want)
			}
			return nil
		})
	}
	// No row keeps anything of the row before it.
	read(t, db, func(tx *store.Tx) error {
		rows, err := Items.All(tx, everything, store.Predicate{}, "seq", 10)
		if err != nil {
			return err
		}
		if len(rows) != 2 || rows[1].Guests != nil || rows[1].Comment != "" || rows[1].OptTotal.Valid || len(rows[0].Guests) != 2 {
			t.Errorf("the rows are %+v", rows)
		}
		return nil
	})
}

// access: what the predicate does not reach is as absent as what is absent.
func access(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a", Company: "one"}, &Item{ID: "b", Company: "two"})
	one := store.Where("company_id = ?", "one")
	read(t, db, func(tx *store.Tx) error {
		if _, err := Items.Get(tx, one, "a"); err != nil {
			t.Error(err)
		}
		_, notMine := Items.Get(tx, one, "b")
		_, absent := Items.Get(tx, one, "c")
		wantKind(t, notMine, errs.NotFound, "")
		if notMine.Error() != absent.Error() {
			t.Errorf("another's row answers %q, an absent one %q", notMine, absent)
		}
		rows, err := Items.All(tx, one, store.Where("id = ? OR id = ?", "a", "b"), "", 10)
		if err != nil || len(rows) != 1 {
			t.Errorf("an OR in the condition reached %d rows, %v", len(rows), err)
		}
		if n, err := Items.Count(tx, one, store.In("id", "a", "b", "c")); n != 1 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		_, err = Items.Get(tx, store.Predicate{}, "a")
		wantKind(t, err, errs.Internal, "")
		_, err = Items.Count(tx, store.Predicate{}, store.Predicate{})
		wantKind(t, err, errs.Internal, "")
		return nil
	})
	write(t, db, func(tx *store.Tx) error {
		if n, err := Items.DeleteWhere(tx, one, store.In("id", "a", "b")); n != 1 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		_, err := Items.DeleteWhere(tx, store.Predicate{}, store.Predicate{})
		wantKind(t, err, errs.Internal, "")
		return nil
	})
}

// changes by key touch their row alone, and say when there is none.
func changes(t *testing.T, db *store.DB) {
	a, b := Item{ID: "a", Name: "1"}, Item{ID: "b", Name: "2", Comment: "kept"}
	insert(t, db, &a, &b)
	a.Name, a.Guests, a.OptSize = "changed", []Guest{{Name: "new"}}, value.Some[int64](7)
	write(t, db, func(tx *store.Tx) error { return Items.Update(tx, &a) })
	read(t, db, func(tx *store.Tx) error {
		got, err := Items.One(tx, everything, store.Where("name = ?", "changed"))
		if err != nil {
			return err
		}
		if got.Seq != a.Seq || got.OptSize != value.Some[int64](7) || len(got.Guests) != 1 {
			t.Errorf("the changed row is %+v", got)
		}
		other, err := Items.Get(tx, everything, "b")
		if err != nil || other.Name != "2" || other.Comment != "kept" {
			t.Errorf("the other row is %+v, %v", other, err)
		}
		return nil
	})
	write(t, db, func(tx *store.Tx) error {
		wantKind(t, Items.Update(tx, &Item{ID: "none"}), errs.NotFound, "")
		wantKind(t, Items.Delete(tx, "none"), errs.NotFound, "")
		return Items.Delete(tx, "a")
	})
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}

// rollback: an error or a panic leaves nothing behind, and the next write works.
func rollback(t *testing.T, db *store.DB) {
	mine := errors.New("mine")
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := Items.Insert(tx, &Item{ID: "a"}); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		if err := Items.Insert(tx, &Item{ID: "a"}); err != nil {
			return err
		}
		panic("surprise")
	})
	wantKind(t, err, errs.Internal, "panic")
	if err != nil && strings.Contains(errs.As(err).Message, "surprise") {
		t.Error("a panic's text is in the sentence for the caller")
	}
	err = db.Read(t.Context(), func(*store.Tx) error { panic("surprise") })
	wantKind(t, err, errs.Internal, "panic")
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows were left behind", n)
	}
	insert(t, db, &Item{ID: "a"})
}

// failures are told by the engine's code.
func failures(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a", Code: "x"})
	for _, c := range []struct {
		name       string
		kind       errs.Kind
		code       string
		unique, fk bool
		do         func(tx *store.Tx) error
	}{
		{"a key twice", errs.Conflict, "unique", true, false, func(tx *store.Tx) error { return Items.Insert(tx, &Item{ID: "a"}) }},
		{"a unique column twice", errs.Conflict, "unique", true, false, func(tx *store.Tx) error { return Items.Insert(tx, &Item{ID: "b", Code: "x"}) }},
		{"a primary key twice", errs.Conflict, "unique", true, false, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('a', 1), ('a', 2)")
			return err
		}},
		{"a reference to nothing", errs.Conflict, "foreignKey", false, true, func(tx *store.Tx) error { return Lines.Insert(tx, &Line{ID: "l", Item: "none"}) }},
		{"a missing value", errs.Internal, "notNull", false, false, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('b', NULL)")
			return err
		}},
		{"wrong SQL", errs.Internal, "", false, false, func(tx *store.Tx) error { _, err := tx.Exec("SELEKT"); return err }},
		{"no such table", errs.Internal, "", false, false, func(tx *store.Tx) error {
			return tx.QueryRow("SELECT 1 FROM nowhere").Scan(new(int))
		}},
		{"a row that is not there", errs.NotFound, "notFound", false, false, func(tx *store.Tx) error {
			return tx.QueryRow("SELECT n FROM counter WHERE id = ?", "none").Scan(new(int64))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := db.Write(t.Context(), c.do)
			wantKind(t, err, c.kind, c.code)
			if store.IsUnique(err) != c.unique || store.IsForeignKey(err) != c.fk {
				t.Errorf("unique %v, foreign key %v", store.IsUnique(err), store.IsForeignKey(err))
			}
			if constraint, _ := store.UniqueViolation(err); c.unique && db.Engine() == store.PostgreSQL && constraint == "" {
				t.Error("the constraint has no name")
			}
		})
	}
	// Two empty codes are no two equal ones.
	insert(t, db, &Item{ID: "c"}, &Item{ID: "d"})
	// What is referred to stays.
	write(t, db, func(tx *store.Tx) error { return Lines.Insert(tx, &Line{ID: "l", Item: "a"}) })
	err := db.Write(t.Context(), func(tx *store.Tx) error { return Items.Delete(tx, "a") })
	wantKind(t, err, errs.Conflict, "foreignKey")
}

// failedTransaction: after a failed statement nothing goes on and nothing lands, even
// if the closure looks away.
func failedTransaction(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a"})
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := Items.Insert(tx, &Item{ID: "before"}); err != nil {
			return err
		}
		first := Items.Insert(tx, &Item{ID: "a"})
		second := Items.Insert(tx, &Item{ID: "after"})
		if !store.IsUnique(first) || !store.IsUnique(second) {
			t.Errorf("got %v, then %v", first, second)
		}
		return nil
	})
	wantKind(t, err, errs.Conflict, "unique")
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	// The closure may say it better.
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		if err := Items.Insert(tx, &Item{ID: "a"}); store.IsUnique(err) {
			return errs.New(errs.Conflict, "taken", "This name is taken.").Because(err)
		}
		return nil
	})
	wantKind(t, err, errs.Conflict, "taken")
	// An absent row is no failure.
	write(t, db, func(tx *store.Tx) error {
		_, err := Items.Get(tx, everything, "none")
		wantKind(t, err, errs.NotFound, "")
		return Items.Insert(tx, &Item{ID: "b"})
	})
}

// misuse of a transaction is found on either engine.
func misuse(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a"}, &Item{ID: "b"})
	var kept *store.Tx
	write(t, db, func(tx *store.Tx) error { kept = tx; return nil })
	_, err := kept.Exec("DELETE FROM item")
	wantKind(t, err, errs.Internal, "")

	err = db.Write(t.Context(), func(tx *store.Tx) error {
		return db.Write(tx.Context(), func(*store.Tx) error { return nil })
	})
	wantKind(t, err, errs.Internal, "")

	err = db.Write(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query("SELECT id FROM item ORDER BY seq")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if _, err := tx.Exec("DELETE FROM item"); err != nil {
				return err
			}
		}
		return nil
	})
	wantKind(t, err, errs.Internal, "")

	// Rows that were forgotten open do not stop the commit.
	write(t, db, func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('x', 1)"); err != nil {
			return err
		}
		rows, err := tx.Query("SELECT id FROM item ORDER BY seq")
		if err != nil || !rows.Next() {
			t.Errorf("no rows: %v", err)
		}
		return nil
	})
	read(t, db, func(tx *store.Tx) error {
		return tx.QueryRow("SELECT n FROM counter WHERE id = 'x'").Scan(new(int64))
	})

	err = db.Read(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec("DELETE FROM item"); return err })
	if err == nil {
		t.Error("a read deleted")
	}
	if n := count(t, db); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	read(t, db, func(tx *store.Tx) error {
		_, _, err := Items.List(tx, everything, store.Predicate{}, store.Page{Limit: 1, Order: store.Ascending("name; DROP TABLE item")})
		wantKind(t, err, errs.Internal, "")
		_, _, err = Items.List(tx, everything, store.Predicate{}, store.Page{Limit: 1, Order: store.Ascending("code")})
		wantKind(t, err, errs.Internal, "")
		_, _, err = Items.List(tx, everything, store.Predicate{}, store.Page{})
		wantKind(t, err, errs.Internal, "")
		_, err = Items.All(tx, everything, store.Predicate{}, "", store.MaxLimit+1)
		wantKind(t, err, errs.Internal, "")
		return nil
	})
}

// hooks run after the commit, in order, and for committed runs alone.
func hooks(t *testing.T, db *store.DB) {
	var told []string
	write(t, db, func(tx *store.Tx) error {
		for _, what := range []string{"first", "second"} {
			tx.OnCommit(func() {
				// A hook sees what was committed.
				told = append(told, fmt.Sprint(what, count(t, db)))
			})
		}
		return Items.Insert(tx, &Item{ID: "a"})
	})
	if !slices.Equal(told, []string{"first1", "second1"}) {
		t.Errorf("told %v", told)
	}
	db.Write(t.Context(), func(tx *store.Tx) error {
		tx.OnCommit(func() { t.Error("a hook ran without a commit") })
		return errors.New("no")
	})
	db.Write(t.Context(), func(tx *store.Tx) error {
		tx.OnCommit(func() { t.Error("a hook ran without a commit") })
		Items.Insert(tx, &Item{ID: "a"})
		return nil
	})
}

// clock: a transaction has one time, which is the injected clock's.
func clock(t *testing.T, open func(*testing.T, ...Option) *store.DB) {
	now := value.Instant(1_000_000)
	db := open(t, With(func(o *store.Options) { o.Clock = func() value.Instant { now++; return now } }))
	write(t, db, func(tx *store.Tx) error {
		if a, b := tx.Now(), tx.Now(); a != 1_000_001 || a != b {
			t.Errorf("the times are %d and %d", a, b)
		}
		return nil
	})
}

// snapshot: a read sees one state from its first statement to its last.
func snapshot(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a"})
	read(t, db, func(tx *store.Tx) error {
		before, err := Items.Count(tx, everything, store.Predicate{})
		if err != nil {
			return err
		}
		insert(t, db, &Item{ID: "b"})
		after, err := Items.Count(tx, everything, store.Predicate{})
		if before != 1 || after != 1 {
			t.Errorf("counted %d, then %d", before, after)
		}
		return err
	})
	if n := count(t, db); n != 2 {
		t.Errorf("counted %d", n)
	}
}

// lists: orders, ends, positions and limits.
func lists(t *testing.T, db *store.DB) {
	for _, name := range []string{"b", "a", "c", "a", "b"} {
		insert(t, db, &Item{ID: fmt.Sprint(count(t, db)), Company: "one", Name: name})
	}
	insert(t, db, &Item{ID: "other", Company: "two", Name: "a"})
	mine := store.Where("company_id = ?", "one")
	for _, c := range []struct {
		name string
		page store.Page
		want string
		more bool
	}{
		{"by seq", store.Page{Limit: 3}, "0 1 2", true},
		{"whole", store.Page{Limit: 5}, "0 1 2 3 4", false},
		{"more than there is", store.Page{Limit: 99}, "0 1 2 3 4", false},
		{"newest first", store.Page{Limit: 2, Order: store.Descending("seq")}, "4 3", true},
		{"by name", store.Page{Limit: 4, Order: store.Ascending("name")}, "1 3 0 4", true},
		{"by name from the end", store.Page{Limit: 4, Order: store.Descending("name")}, "2 4 0 3", true},
		{"last", store.Page{Limit: 2, Last: true}, "3 4", true},
		{"last of everything", store.Page{Limit: 5, Last: true}, "0 1 2 3 4", false},
		{"last by name", store.Page{Limit: 2, Last: true, Order: store.Ascending("name")}, "4 2", true},
		{"from a position", store.Page{Limit: 2, Position: 2}, "2 3", true},
		{"from the last position", store.Page{Limit: 2, Position: 4}, "4", false},
		{"from beyond", store.Page{Limit: 2, Position: 100}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			read(t, db, func(tx *store.Tx) error {
				rows, more, err := Items.List(tx, mine, store.Predicate{}, c.page)
				if err != nil {
					return err
				}
				if got := ids(rows); got != c.want || more != c.more {
					t.Errorf("got %q, more %v; want %q, more %v", got, more, c.want, c.more)
				}
				return nil
			})
		})
	}
	for name, page := range map[string]store.Page{
		"position too high":   {Limit: 1, Position: store.MaxPosition + 1},
		"position below zero": {Limit: 1, Position: -1},
		"too few values":      {Limit: 1, After: []any{}},
		"too many values":     {Limit: 1, After: []any{int64(1), int64(2)}},
		"a value of no kind":  {Limit: 1, After: []any{nil}},
		"half a number":       {Limit: 1, After: []any{1.5}},
	} {
		t.Run(name, func(t *testing.T) {
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				_, _, err := Items.List(tx, mine, store.Predicate{}, page)
				return err
			})
			wantKind(t, err, errs.Invalid, "")
		})
	}
}

func ids(rows []Item) string {
	var all []string
	for _, r := range rows {
		all = append(all, r.ID)
	}
	return strings.Join(all, " ")
}

// pages: whatever the order, walking forwards or backwards shows every row once, as
// a sort in Go would; rows that come and go meanwhile disturb no other.
func pages(t *testing.T, db *store.DB) {
	random := rand.New(rand.NewPCG(1, 2))
	const n = 60
	var all []Item
	for i := range n {
		item := Item{ID: fmt.Sprintf("%02d", i), Name: string(rune('a' + random.IntN(4))), Active: random.IntN(2) == 0,
			Size: int64(random.IntN(3)) - 1, Content: []byte{}}
		insert(t, db, &item)
		all = append(all, item)
	}
	compare := map[string]func(a, b *Item) int{
		"name":   func(a, b *Item) int { return strings.Compare(a.Name, b.Name) },
		"size":   func(a, b *Item) int { return int(a.Size - b.Size) },
		"active": func(a, b *Item) int { return truth(a.Active) - truth(b.Active) },
		"seq":    func(a, b *Item) int { return int(a.Seq - b.Seq) },
		"id":     func(a, b *Item) int { return strings.Compare(a.ID, b.ID) },
	}
	asc, desc := func(c string) store.Key { return store.Key{Column: c} }, func(c string) store.Key { return store.Key{Column: c, Desc: true} }
	for _, order := range []store.Order{
		nil,
		{desc("seq")},
		{asc("name")},
		{desc("name")},
		{asc("name"), asc("size")},
		{desc("name"), desc("size")},
		{asc("name"), desc("size")},
		{desc("name"), asc("size"), desc("active")},
		{asc("size"), desc("seq")},
		{desc("active"), asc("name"), asc("size")},
		{asc("id")},
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			want := slices.Clone(all)
			last := store.Key{Column: "seq", Desc: len(order) > 0 && order[len(order)-1].Desc}
			slices.SortFunc(want, func(a, b Item) int {
				for _, k := range append(slices.Clone(order), last) {
					if c := compare[k.Column](&a, &b); c != 0 {
						if k.Desc {
							return -c
						}
						return c
					}
				}
				return 0
			})
			read(t, db, func(tx *store.Tx) error {
				var forward, backward []Item
				page := store.Page{Limit: 7, Order: order}
				for {
					rows, more, err := Items.List(tx, everything, store.Predicate{}, page)
					if err != nil {
						return err
					}
					forward = append(forward, rows...)
					if !more {
						break
					}
					page.After = Items.KeyOf(&rows[len(rows)-1], order)
				}
				page = store.Page{Limit: 7, Order: order, Last: true}
				for {
					rows, more, err := Items.List(tx, everything, store.Predicate{}, page)
					if err != nil {
						return err
					}
					backward = append(slices.Clone(rows), backward...)
					if !more {
						break
					}
					page.Last, page.Before = false, Items.KeyOf(&rows[0], order)
				}
				if ids(forward) != ids(want) {
					t.Errorf("forwards\n%s, want\n%s", ids(forward), ids(want))
				}
				if ids(backward) != ids(want) {
					t.Errorf("backwards\n%s, want\n%s", ids(backward), ids(want))
				}
				return nil
			})
		})
	}
	var place []any
	read(t, db, func(tx *store.Tx) error {
		rows, _, err := Items.List(tx, everything, store.Predicate{}, store.Page{Limit: 10})
		if err == nil {
			place = Items.KeyOf(&rows[9], nil)
		}
		return err
	})
	write(t, db, func(tx *store.Tx) error {
		if err := Items.Delete(tx, all[9].ID); err != nil {
			return err
		}
		return Items.Delete(tx, all[3].ID)
	})
	read(t, db, func(tx *store.Tx) error {
		rows, _, err := Items.List(tx, everything, store.Predicate{}, store.Page{Limit: 3, After: place})
		if err == nil && ids(rows) != "10 11 12" {
			t.Errorf("behind a deleted row come %q", ids(rows))
		}
		return err
	})
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// children are saved by difference.
func children(t *testing.T, db *store.DB) {
	insert(t, db, &Item{ID: "a"}, &Item{ID: "b"})
	mine := store.Where("item_id = ?", "a")
	lines := func() (all []Line) {
		read(t, db, func(tx *store.Tx) (err error) {
			all, err = Lines.All(tx, everything, store.Predicate{}, "seq", 100)
			return err
		})
		return all
	}
	write(t, db, func(tx *store.Tx) error {
		if err := Lines.SaveChildren(tx, store.Where("item_id = ?", "b"), []Line{{ID: "other", Item: "b", Name: "stays"}}); err != nil {
			return err
		}
		return Lines.SaveChildren(tx, mine, []Line{
			{ID: "1", Item: "a", Name: "kept", Content: []byte("x")}, {ID: "2", Item: "a", Name: "old"}, {ID: "3", Item: "a", Name: "gone"}})
	})
	before := lines()
	now := []Line{{ID: "4", Item: "a", Name: "new"}, {ID: "2", Item: "a", Name: "changed"}, {ID: "1", Item: "a", Name: "kept", Content: []byte("x")}}
	write(t, db, func(tx *store.Tx) error { return Lines.SaveChildren(tx, mine, now) })
	var got []string
	for _, l := range lines() {
		got = append(got, l.ID+" "+l.Name)
	}
	if want := []string{"other stays", "1 kept", "2 changed", "4 new"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if now[2].Seq != before[1].Seq || now[0].Seq == 0 {
		t.Errorf("the seqs are %+v", now)
	}
	write(t, db, func(tx *store.Tx) error { return Lines.SaveChildren(tx, mine, nil) })
	if left := lines(); len(left) != 1 || left[0].ID != "other" {
		t.Errorf("left are %v", left)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		return Lines.SaveChildren(tx, mine, []Line{{ID: "other", Item: "a"}})
	})
	wantKind(t, err, errs.Conflict, "unique") // another parent's child is not taken
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		return Lines.SaveChildren(tx, mine, []Line{{ID: "5", Item: "a"}, {ID: "5", Item: "a"}})
	})
	if err == nil {
		t.Error("a child was saved twice")
	}
	// Without a key, rows are matched by seq.
	notes := []Note{{Item: "a", Name: "1"}, {Item: "a", Name: "2"}}
	write(t, db, func(tx *store.Tx) error {
		for i := range notes {
			notes[i].Seq = 0
		}
		return Notes.SaveChildren(tx, mine, notes)
	})
	notes = []Note{{Item: "a", Name: "3"}, {Seq: notes[1].Seq, Item: "a", Name: "two"}}
	write(t, db, func(tx *store.Tx) error { return Notes.SaveChildren(tx, mine, slices.Clone(notes)) })
	read(t, db, func(tx *store.Tx) error {
		rows, err := Notes.All(tx, everything, store.Predicate{}, "name", 10)
		if err == nil && (len(rows) != 2 || rows[0].Name != "3" || rows[1] != notes[1]) {
			t.Errorf("the notes are %+v", rows)
		}
		return err
	})
}

// texts sort by their bytes, and LIKE tells upper from lower case.
func texts(t *testing.T, db *store.DB) {
	for _, name := range []string{"ä", "a", "B", "Z", "b", "é", "_", "1", "日"} {
		insert(t, db, &Item{ID: name, Name: name})
	}
	read(t, db, func(tx *store.Tx) error {
		rows, err := Items.All(tx, everything, store.Predicate{}, "name", 100)
		if err != nil {
			return err
		}
		if got, want := ids(rows), "1 B Z _ a b ä é 日"; got != want {
			t.Errorf("sorted as %q, want %q", got, want)
		}
		n, err := Items.Count(tx, everything, store.Where("name LIKE ?", "b%"))
		if n != 1 {
			t.Errorf("LIKE found %d", n)
		}
		return err
	})
}

// contexts: what is given up before it starts does not start.
func contexts(t *testing.T, db *store.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := db.Write(ctx, func(tx *store.Tx) error { return Items.Insert(tx, &Item{ID: "a"}) })
	wantKind(t, err, errs.Unavailable, "cancelled")
	err = db.Read(ctx, func(tx *store.Tx) error { _, err := Items.Count(tx, everything, store.Predicate{}); return err })
	wantKind(t, err, errs.Unavailable, "cancelled")
	if n := count(t, db); n != 0 {
		t.Error("a cancelled write landed")
	}
	// A read that is given up on its way ends, and the next one is served.
	ctx, cancel = context.WithCancel(t.Context())
	err = db.Read(ctx, func(tx *store.Tx) error {
		cancel()
		_, err := Items.Count(tx, everything, store.Predicate{})
		return err
	})
	wantKind(t, err, errs.Unavailable, "cancelled")
	count(t, db)
	// The caller's values are there.
	type key struct{}
	ctx = context.WithValue(t.Context(), key{}, "correlation")
	err = db.Write(ctx, func(tx *store.Tx) error {
		if tx.Context().Value(key{}) != "correlation" {
			t.Error("the context lost its values")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// lostUpdates: writers that lock a row first lose none of their changes.
func lostUpdates(t *testing.T, db *store.DB) {
	write(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO counter (id, n) VALUES ('c', 0)")
		return err
	})
	const writers, each = 8, 10
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					if err := tx.Lock("counter", "c"); err != nil {
						return err
					}
					var n int64
					if err := tx.QueryRow("SELECT n FROM counter WHERE id = 'c'").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE counter SET n = ? WHERE id = 'c'", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	read(t, db, func(tx *store.Tx) error {
		var n int64
		err := tx.QueryRow("SELECT n FROM counter WHERE id = 'c'").Scan(&n)
		if n != writers*each {
			t.Errorf("counted to %d of %d", n, writers*each)
		}
		return err
	})
	write(t, db, func(tx *store.Tx) error { return tx.Lock("counter", "none") })
}

// once: of writers that claim one key, exactly one wins, and the losers know why.
func once(t *testing.T, db *store.DB) {
	const writers = 16
	won := make(chan int, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			err := db.Write(t.Context(), func(tx *store.Tx) error { return Items.Insert(tx, &Item{ID: "claim", Size: int64(i)}) })
			switch {
			case err == nil:
				won <- i
			case !store.IsUnique(err):
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(won)
	if len(won) != 1 {
		t.Errorf("%d writers won", len(won))
	}
	read(t, db, func(tx *store.Tx) error {
		row, err := Items.Get(tx, everything, "claim")
		if winner := <-won; err == nil && row.Size != int64(winner) {
			t.Errorf("%d won, and %d stands", winner, row.Size)
		}
		return err
	})
}

func kind(t *testing.T, db *store.DB) {
	for _, k := range []string{"", "dev", "serve"} {
		if k != "" {
			if err := db.SetKind(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := db.Kind(t.Context()); got != k || err != nil {
			t.Errorf("the kind is %q, %v; want %q", got, err, k)
		}
	}
}

// closed: a closed database answers, and does not hang.
func closed(t *testing.T, db *store.DB) {
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wantKind(t, db.Write(t.Context(), func(*store.Tx) error { return nil }), errs.Unavailable, "closing")
	wantKind(t, db.Read(t.Context(), func(*store.Tx) error { return nil }), errs.Unavailable, "closing")
}
