package expense

import (
	"strings"
	"testing"

	"quittance/internal/domain/imaging/imagingtest"
)

// Both calls that make quick expenses ask the same of the caller and of the path, before
// anything is kept; the company's own token acts for everybody in the company.
func TestQuickExpensesOfOthers(t *testing.T) {
	quickEngines(t, func(t *testing.T, w quickWorld) {
		parts, media := quickParts(imagingtest.Part{Name: "quickExpenseRequest", Content: []byte(lunchBody)}, imagingtest.Part{Name: "fileContent", FileName: "a.png", Content: imagingtest.PNG(1)})
		of := func(user, context string) string {
			return strings.NewReplacer(annID, user, "TRAVELER", context).Replace(quickOfAnn)
		}
		for _, c := range []struct {
			as, path string
			status   int
			want     string
		}{
			{"", of(annID, "TRAVELER"), 401, ""},
			{"nobody", of(annID, "TRAVELER"), 403, ""},
			{"unscoped", of(annID, "TRAVELER"), 403, "quickexpense.writeonly"},
			{"bob", of(annID, "TRAVELER"), 403, "another user"},
			{"wes", of(annID, "TRAVELER"), 403, "another user"},
			{"eve", of(annID, "TRAVELER"), 403, "another user"},
			{"ann", of(eveID, "TRAVELER"), 403, "another user"},
			{"ann", of("none", "TRAVELER"), 403, "another user"},
			{"ann", of(bobID, "NOBODY"), 403, "another user"},
			{"company", of(eveID, "TRAVELER"), 404, "no such user"},
			{"company", of("none", "TRAVELER"), 404, "no such user"},
			{"ann", of(annID, "MANAGER"), 400, "must be TRAVELER"},
			{"ann", of(annID, "PROXY"), 400, "must be TRAVELER"},
			{"company", of(annID, "MANAGER"), 400, "must be TRAVELER"},
		} {
			for _, a := range []answer{w.post(t, c.as, c.path, inJSON, lunchBody), w.post(t, c.as, c.path+"/image", media, parts)} {
				if a.status != c.status || !strings.Contains(a.body, c.want) || !strings.Contains(a.body, `"httpStatus":"`) {
					t.Errorf("%q at %s: %d, want %d %s\n%s", c.as, c.path, a.status, c.status, c.want, a.body)
				}
			}
		}
		for _, table := range []string{"quick_expense", "image", "attachment"} {
			if n := w.rows(t, table); n != 0 {
				t.Errorf("%d rows of %s are left of what was refused", n, table)
			}
		}
		if id := w.make(t, "company", quickOfAnn+"/image", media, parts); w.rows(t, "quick_expense WHERE id = ? AND owner_id = ?", id, annID) != 1 || w.rows(t, "image WHERE owner_id = ?", annID) != 1 {
			t.Error("what the company's token made is not ann's")
		}
	})
}
