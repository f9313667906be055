package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"quittance/internal/kernel/store"
	"quittance/internal/kernel/store/storetest"
)

// BenchmarkWrite inserts one small row a write, every one of them synced. "alone" is
// the plain way: a transaction for each row on one connection.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("grouped/%d", writers), func(b *testing.B) {
			db := storetest.SQLite(b, storetest.Migrations(storetest.Schema()))
			var n atomic.Int64
			each(b, writers, func() error {
				return db.Write(b.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec("INSERT INTO counter (id, n) VALUES (?, ?)", fmt.Sprint(n.Add(1)), 1)
					return err
				})
			})
		})
		b.Run(fmt.Sprintf("alone/%d", writers), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "alone.db")
			db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			if _, err := db.Exec("CREATE TABLE counter (id TEXT PRIMARY KEY, n BIGINT NOT NULL)"); err != nil {
				b.Fatal(err)
			}
			insert, err := db.Prepare("INSERT INTO counter (id, n) VALUES (?, ?)")
			if err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			each(b, writers, func() error {
				tx, err := db.Begin()
				if err != nil {
					return err
				}
				if _, err := tx.Stmt(insert).Exec(fmt.Sprint(n.Add(1)), 1); err != nil {
					return err
				}
				return tx.Commit()
			})
		})
	}
}

// each runs fn b.N times in all, on this many goroutines.
func each(b *testing.B, goroutines int, fn func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, goroutines)
	b.ResetTimer()
	for range goroutines {
		go func() {
			for left.Add(-1) >= 0 {
				if err := fn(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range goroutines {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkRead looks up one row by key, and a page of 25, among 20,000.
func BenchmarkRead(b *testing.B) {
	db := storetest.SQLite(b, storetest.Migrations(storetest.Schema()))
	const rows = 20_000
	err := db.Write(b.Context(), func(tx *store.Tx) error {
		for i := range rows {
			item := storetest.Item{ID: fmt.Sprint(i), Company: "c", Name: "name", Comment: "a comment of some length", Tip: 12345}
			if err := storetest.Items.Insert(tx, &item); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	mine := store.Where("company_id = ?", "c")
	for _, readers := range []int{1, 8} {
		var n atomic.Int64
		b.Run(fmt.Sprintf("get/%d", readers), func(b *testing.B) {
			each(b, readers, func() error {
				return db.Read(b.Context(), func(tx *store.Tx) error {
					_, err := storetest.Items.Get(tx, mine, fmt.Sprint(n.Add(7)%rows))
					return err
				})
			})
		})
		for _, c := range []struct {
			name  string
			order store.Order
			at    int
		}{{"first", nil, 0}, {"last", nil, rows - 30}, {"firstOfTies", store.Ascending("name"), 0}, {"lastOfTies", store.Ascending("name"), rows - 30}} {
			b.Run(fmt.Sprintf("page/%s/%d", c.name, readers), func(b *testing.B) {
				after := storetest.Items.KeyOf(&storetest.Item{Seq: int64(c.at), Name: "name"}, c.order)
				each(b, readers, func() error {
					return db.Read(b.Context(), func(tx *store.Tx) error {
						_, _, err := storetest.Items.List(tx, mine, store.Predicate{}, store.Page{Limit: 25, After: after, Order: c.order})
						return err
					})
				})
			})
		}
	}
}
