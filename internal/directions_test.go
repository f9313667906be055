// Package internal_test guards the directions between packages: what a package may
// import says what it may know.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers ranks packages; an import goes to a lower rank, or to an equal one where
// equals is set. A package that is not listed is refused, so that a new one is
// given its place.
var layers = []struct {
	path string
	rank int
}{
	{"quittance/cmd", 100},
	{"quittance/internal/app", 90},
	{"quittance/internal/web", 80},
	{"quittance/internal/domain/connect", 75},
	{"quittance/internal/domain/request", 75},
	{"quittance/internal/domain/budget", 75},
	{"quittance/internal/domain/invoice", 75},
	{"quittance/internal/domain/expense", 70},
	{"quittance/internal/domain/receipt", 65},
	{"quittance/internal/domain/imaging/document", 55},
	{"quittance/internal/domain/imaging", 60},
	{"quittance/internal/domain/org", 50},
	{"quittance/internal/kernel/api", 40},
	{"quittance/internal/kernel/auth", 30},
	{"quittance/internal/kernel/job", 30},
	{"quittance/internal/kernel/store", 20},
	{"quittance/internal/kernel/wire", 10},
	{"quittance/internal/kernel/blob", 10},
	{"quittance/internal/kernel/sandbox", 10},
	{"quittance/internal/kernel/config", 10},
	{"quittance/internal/kernel/value", 0},
	{"quittance/internal/kernel/errs", 0},
	{"quittance/migrations", 0},
	{"quittance/client", 0},
}

func layer(path string) (name string, rank int, ok bool) {
	for _, l := range layers {
		if path == l.path || strings.HasPrefix(path, l.path+"/") {
			return l.path, l.rank, true
		}
	}
	return "", 0, false
}

// barred are packages that an area of the product may not touch: there is one place
// for HTTP, one for SQL and one for wire forms.
var barred = []string{"net/http", "database/sql", "encoding/json", "encoding/xml", "modernc.org/", "github.com/jackc/"}

func TestImportDirections(t *testing.T) {
	root := ".."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "bench" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		from := "quittance/" + filepath.ToSlash(rel)
		// Packages whose name ends in test help the tests of others.
		test := strings.HasSuffix(path, "_test.go") || strings.HasSuffix(from, "test")
		name, rank, ok := layer(from)
		if !ok {
			if from != "quittance/internal" {
				t.Errorf("%s has no place in the list of layers", from)
			}
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imported := range file.Imports {
			to, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				return err
			}
			if strings.HasPrefix(from, "quittance/internal/domain/") && !test && name != "quittance/internal/domain/imaging/document" {
				for _, b := range barred {
					if to == b || strings.HasSuffix(b, "/") && strings.HasPrefix(to, b) {
						t.Errorf("%s imports %s: areas go through the kernel", path, to)
					}
				}
			}
			if !strings.HasPrefix(to, "quittance/") || test {
				continue
			}
			target, r, ok := layer(to)
			if !ok || target == name {
				continue
			}
			if r >= rank {
				t.Errorf("%s imports %s: directions go downwards", path, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
