package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
)

// scanRow copies a row as the SQLite driver hands it out into dest, as database/sql
// does: pointers to texts, whole numbers, booleans and bytes, to types made of them,
// and whatever scans itself. NULL goes only where there is a place for it.
func scanRow(dest []any, row []driver.Value) error {
	if len(dest) != len(row) {
		return fmt.Errorf("store: a row of %d columns is scanned into %d", len(row), len(dest))
	}
	for i, d := range dest {
		if err := scanValue(d, row[i]); err != nil {
			return fmt.Errorf("store: column %d: %w", i+1, err)
		}
	}
	return nil
}

func scanValue(dest any, src driver.Value) (err error) {
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(src)
	case *string:
		*d, err = textOf(src)
	case *int64:
		*d, err = intOf(src)
	case *int:
		var n int64
		n, err = intOf(src)
		*d = int(n)
	case *bool:
		*d, err = boolOf(src)
	case *[]byte:
		return (*scanBytes)(d).Scan(src)
	case *any:
		*d = src
	default:
		return scanKind(reflect.ValueOf(dest), src)
	}
	return err
}

// scanKind scans into a type that is made of a plain one, such as an instant.
func scanKind(p reflect.Value, src driver.Value) error {
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%s is no place for a value", p.Type())
	}
	switch v := p.Elem(); v.Kind() {
	case reflect.String:
		text, err := textOf(src)
		v.SetString(text)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := intOf(src)
		if err == nil && v.OverflowInt(n) {
			err = fmt.Errorf("%d does not fit in %s", n, v.Type())
		}
		v.SetInt(n)
		return err
	case reflect.Bool:
		b, err := boolOf(src)
		v.SetBool(b)
		return err
	case reflect.Pointer: // NULL is nil
		if src == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return scanValue(v.Interface(), src)
	}
	return scanError(src, p.Type().Elem().String())
}

func textOf(src driver.Value) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return "", scanError(src, "text")
}

func intOf(src driver.Value) (int64, error) {
	n, ok, err := asInt(src)
	if err == nil && !ok {
		err = scanError(src, "a number")
	}
	return n, err
}

func boolOf(src driver.Value) (bool, error) {
	b, ok, err := asBool(src)
	if err == nil && !ok {
		err = scanError(src, "a boolean")
	}
	return b, err
}
