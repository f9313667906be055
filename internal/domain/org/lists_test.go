package org_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

const countries = `{"Name":"Countries","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`

func TestLists(t *testing.T) {
	both(t, func(s *scene) {
		s.run(
			step{as: "ann", call: "GET /common/lists", want: "Items=2; Items[0].Name=Cost Centers; Items[0].DisplayCodeFirst=true; Items[0].IsVendorList=false; Items[0].SearchCriteriaCode=CODE; Items[0].ExternalThreshold=1; Items[0].ConnectorID=; NextPage="},
			step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"},
			step{as: "ann", call: "GET /common/lists/{list}", want: "ID={list}; Name=Countries; DisplayCodeFirst=true; SearchCriteriaCode=CODE; ExternalThreshold=1; URI=" + publicURL + "/api/v3.0/common/lists/{list}"},
			step{as: "ann", call: "GET /common/lists", want: "Items=3; Items[2].ID={list}"},
			step{as: "company", call: "GET /api/V3.0/Common/LISTS/{list}/", want: "Name=Countries"},
			step{as: "cora", call: "POST /common/lists", body: `{"Name":"Vendors","DisplayCodeFirst":"N","IsVendorList":1,"SearchCriteriaCode":"text","ConnectorID":"c-1","ExternalThreshold":3}`, keep: "vendors"},
			step{as: "ann", call: "GET /common/lists/{vendors}", want: "ConnectorID=c-1; ExternalThreshold=3; IsVendorList=true; DisplayCodeFirst=false; SearchCriteriaCode=TEXT"},
		)
		for body, want := range map[string]string{
			`{}`: "SearchCriteriaCode: is required",
			`{"Name":"X","IsVendorList":false,"SearchCriteriaCode":"CODE"}`:                                                                  "DisplayCodeFirst: is required",
			`{"Name":"X","DisplayCodeFirst":true,"SearchCriteriaCode":"CODE"}`:                                                               "IsVendorList: is required",
			`{"Name":"X","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"NAME"}`:                                          "must be one of CODE, TEXT",
			`{"Name":"","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`:                                           "Name: is required",
			`{"Name":"   ","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`:                                        "Name: must not be blank",
			`{"Name":"` + strings.Repeat("é", 65) + `","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`:            "at most 64 characters",
			`{"Name":"COUNTRIES","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE"}`:                                  "Name: is the name of another list already",
			`{"Name":"X","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE","ExternalThreshold":1}`:                    "ExternalThreshold: needs a ConnectorID",
			`{"Name":"X","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE","ConnectorID":"c","ExternalThreshold":11}`: "from 1 to 10",
			`{"Name":"X","DisplayCodeFirst":true,"IsVendorList":false,"SearchCriteriaCode":"CODE","ConnectorID":"c","ExternalThreshold":0}`:  "from 1 to 10",
		} {
			s.run(step{as: "wes", call: "POST /common/lists", body: body, status: 400, want: want})
		}
		s.run(
			step{as: "ann", call: "POST /common/lists", body: countries, status: 403, want: "Only Web Services Administrator, Can Administer or Company Administrator"},
			step{as: "ann", call: "PUT /common/lists/{list}", body: `{"Name":"Mine"}`, status: 403},
			step{as: "wes EXPRPT", call: "GET /common/lists", status: 403}, step{as: "", call: "GET /common/lists", status: 401},
			step{as: "wes", call: "GET /common/lists?limit=0", status: 400, want: "limit"}, step{as: "wes", call: "GET /common/lists?limit=101", status: 400, want: "from 1 to 100"},
			step{as: "wes", call: "GET /common/lists?offset=x", status: 400, want: "offset"},
			step{as: "wes", call: "DELETE /common/lists/{list}", status: 405},

			// Changes: only what is named; a whole record may be sent back.
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"Name":"Lands"}`},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{}`},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"DisplayCodeFirst":false,"SearchCriteriaCode":"TEXT","IsVendorList":false,"ExternalThreshold":1,"ConnectorID":"","ID":"x","URI":"y"}`},
			step{as: "ann", call: "GET /common/lists/{list}", want: "Name=Lands; DisplayCodeFirst=false; SearchCriteriaCode=TEXT; ID={list}"},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"Name":"LANDS"}`}, // in other letters it is still its own
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"Name":"projects"}`, status: 400, want: "Name: is the name of another list"},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"Name":null}`, status: 400, want: "Name: is required"},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"IsVendorList":true}`, status: 400, want: "IsVendorList: cannot be changed"},
			step{as: "wes", call: "PUT /common/lists/{list}", body: `{"ConnectorID":"c"}`, status: 400, want: "ConnectorID: cannot be changed"},
			step{as: "wes", call: "PUT /common/lists/none", body: `{"Name":"X"}`, status: 404},

			// Another company has lists of its own.
			step{as: "eve", call: "GET /common/lists/{list}", status: 404},
			step{as: "eve", call: "GET /common/lists", want: "Items=2"},
		)
		if a := s.config(demo).Lists; len(a) != 4 || a[2].Name != "LANDS" {
			s.t.Errorf("the configuration has the lists %v", a)
		}
		if ids := s.pages("ann", "GET /common/lists?limit=1"); len(ids) != 4 {
			s.t.Errorf("pages of one have %v", ids)
		}
	})
}

func TestListItems(t *testing.T) {
	both(t, func(s *scene) {
		item := func(codes, name string) string { return `{"ListID":"{list}",` + codes + `"Name":"` + name + `"}` }
		s.run(
			step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"},
			step{as: "wes", call: "POST /common/lists", body: strings.Replace(countries, "Countries", "Other", 1), keep: "other"},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"US",`, "United States"), keep: "us"},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"us","Level2Code":"WA",`, "Washington"), keep: "wa"},
			step{as: "cora", call: "POST /common/listitems", body: item(`"Level1Code":"US","Level2Code":"WA","Level3Code":" SEA ",`, "Seattle"), keep: "sea"},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"US","Level2Code":"OR",`, "Oregon"), keep: "or"},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"DE",`, "Germany"), keep: "de"},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"DE","Level2Code":"WA",`, "Waren"), keep: "waren"},
			step{as: "ann", call: "GET /common/listitems/{sea}", want: "ID={sea}; ListID={list}; ParentID={wa}; Level1Code=US; Level2Code=WA; Level3Code=SEA; Level4Code=; Level10Code=; Name=Seattle; URI=" + publicURL + "/api/v3.0/common/listitems/{sea}"},
			step{as: "ann", call: "GET /common/listitems/{us}?listId={list}", want: "ParentID=; Level1Code=US; Level2Code="},
			step{as: "ann", call: "GET /common/listitems/{us}?listId={other}", status: 400, want: "listId: names another list"},
			step{as: "ann", call: "GET /common/listitems/none", status: 404},
			step{as: "eve", call: "GET /common/listitems/{us}", status: 404},
		)
		find := func(query, want string) step {
			return step{as: "ann", call: "GET /common/listitems" + query, want: want}
		}
		s.run(
			find("?listId={list}", "Items=6; Items[0].ID={us}; Items[5].ID={waren}"),
			find("?listId={list}&name=seattle", "Items=1; Items[0].ID={sea}"),
			find("?name=SEATTLE", "Items=1"), find("?name=seat", "Items=0"),
			find("?parentId={us}", "Items=2; Items[0].ID={wa}; Items[1].ID={or}"),
			find("?parentId={us}&listId={other}", "Items=0"), find("?parentId={us}&name=Oregon&listId={list}", "Items=1"),
			find("?level1Code=us", "Items=4; Items[0].ID={us}; Items[2].ID={sea}"),
			find("?level1Code=US&level2Code=WA", "Items=2; Items[0].ID={wa}; Items[1].ID={sea}"),
			find("?level2Code=wa", "Items=3"), find("?level2Code=WA&level1Code=DE", "Items=1; Items[0].ID={waren}"),
			find("?level3Code=SEA&level1Code=US", "Items=1; Items[0].ID={sea}"), find("?level3Code=SEA&level1Code=DE", "Items=0"),
			find("?level1Code=US&listId={list}&parentId={us}&name=Washington", "Items=1; Items[0].ID={wa}"),
			find("?level1Code=US&listId={other}", "Items=0"), find("?level10Code=US", "Items=0"),
			find("?level1Code=U", "Items=0"), find("?level1Code=%20us%20", "Items=4"),
			find("?listId=none", "Items=0"), find("?parentId=&listId=&level1Code=&name=&limit=3", "Items=3"),
			step{as: "eve", call: "GET /common/listitems?level1Code=US", want: "Items=0"},
			step{as: "eve", call: "GET /common/listitems?listId={list}", want: "Items=0"},
			step{as: "eve", call: "GET /common/listitems?parentId={us}", want: "Items=0"},
			step{as: "ann", call: "GET /common/listitems?name=" + strings.Repeat("x", 65), status: 400, want: "name: must be at most 64"},
			step{as: "ann", call: "GET /common/listitems?level2Code=" + strings.Repeat("x", 33), status: 400, want: "level2Code: must be at most 32"},
		)
		for _, limit := range []string{"0", "10000", "ten"} {
			s.run(step{as: "ann", call: "GET /common/listitems?limit=" + limit, status: 400, want: "limit"})
		}
		for _, bad := range []struct{ body, want string }{
			{`{}`, "Level1Code: is required"},
			{`{"ListID":"{list}","Level1Code":"X"}`, "Name: is required"},
			{`{"Level1Code":"X","Name":"X"}`, "ListID: is required"},
			{item(`"Level1Code":"us",`, "Again"), "Level1Code: is the code of another item"},
			{item(`"Level1Code":"US","Level2Code":"wa",`, "Again"), "Level2Code: is the code of another item"},
			{item(`"Level1Code":"FR","Level2Code":"X",`, "Orphan"), "Level1Code: leads to no item"},
			{item(`"Level1Code":"US","Level2Code":"CA","Level3Code":"X",`, "Orphan"), "Level2Code: leads to no item"},
			{item(`"Level1Code":"US","Level3Code":"X",`, "Gap"), "Level2Code: is missing"},
			{item(`"Level2Code":"WA",`, "Gap"), "Level1Code: is required"},
			{`{"ListID":"none","Level1Code":"X","Name":"X"}`, "ListID: names no list"},
			{item(`"Level1Code":"`+strings.Repeat("x", 33)+`",`, "Long"), "Level1Code: must be at most 32"},
			{item(`"Level1Code":"X",`, strings.Repeat("x", 65)), "Name: must be at most 64"},
			{item(`"Level1Code":"A\tB",`, "Tab"), "Level1Code: must be one line"},
			{item(`"Level1Code":"A\nB",`, "Two lines"), "Level1Code: must be one line"},
			{item(`"Level1Code":" ",`, "Blank"), "Level1Code"},
		} {
			s.run(step{as: "wes", call: "POST /common/listitems", body: bad.body, status: 400, want: bad.want})
		}
		if !s.xml { // in XML a second element of one name is a second value
			one := s.fill(item(`"Level1Code":"X",`, "X"))
			s.run(step{as: "wes", call: "POST /common/listitems", body: "[]", status: 400, want: "must be an object"},
				step{as: "wes", call: "POST /common/listitems", body: "[" + strings.Repeat(one+",", 1000) + one + "]", status: 400, want: "must be an object"})
		}
		s.run(
			step{as: "eve", call: "POST /common/listitems", body: item(`"Level1Code":"X",`, "X"), status: 403},
			step{as: "ann", call: "POST /common/listitems", body: item(`"Level1Code":"X",`, "X"), status: 403, want: "Only Web Services Administrator"},
			step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{other}","Level1Code":"US","Name":"As in the other list"}`},

			// A new code takes everything below along.
			step{as: "wes", call: "PUT /common/listitems/{us}", body: `{"Code":"USA","Name":"America","ListID":"{list}"}`},
			step{as: "ann", call: "GET /common/listitems/{us}", want: "Level1Code=USA; Name=America"},
			step{as: "ann", call: "GET /common/listitems/{sea}", want: "Level1Code=USA; Level2Code=WA; Level3Code=SEA; ParentID={wa}"},
			find("?level1Code=US&listId={list}", "Items=0"), find("?level1Code=USA", "Items=4"), find("?level1Code=USA&level3Code=SEA", "Items=1"),
			step{as: "wes", call: "PUT /common/listitems/{wa}", body: `{"Code":"Wäsh"}`},
			step{as: "ann", call: "GET /common/listitems/{sea}", want: "Level1Code=USA; Level2Code=Wäsh; Level3Code=SEA"},
			step{as: "wes", call: "PUT /common/listitems/{wa}", body: `{"Code":"WÄSH"}`}, // the same in capitals
			step{as: "ann", call: "GET /common/listitems/{sea}", want: "Level2Code=WÄSH; Level3Code=SEA"},
			step{as: "wes", call: "PUT /common/listitems/{wa}", body: `{"Code":"WA"}`},
			step{as: "wes", call: "PUT /common/listitems/{sea}", body: `{"Level1Code":"USA","Level2Code":"WA","Level3Code":"SEA","ParentID":"{wa}","ID":"{sea}","Name":"Emerald City"}`},
			step{as: "ann", call: "GET /common/listitems/{sea}", want: "Name=Emerald City; Level3Code=SEA"},
			step{as: "wes", call: "PUT /common/listitems/{sea}", body: `{}`},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"Code":"wa"}`, status: 400, want: "Code: is the code of another item"},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"Code":null}`, status: 400, want: "Code: is required"},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"Code":"` + strings.Repeat("x", 33) + `"}`, status: 400, want: "Code: must be at most 32"},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"Name":"` + strings.Repeat("x", 65) + `"}`, status: 400, want: "Name: must be at most 64"},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"ListID":"{other}"}`, status: 400, want: "ListID: cannot be changed"},
			step{as: "wes", call: "PUT /common/listitems/{or}", body: `{"Level1Code":"DE"}`, status: 400, want: "Level1Code: cannot be changed"},
			step{as: "ann", call: "PUT /common/listitems/{or}", body: `{"Name":"Mine"}`, status: 403},
			step{as: "wes", call: "PUT /common/listitems/none", body: `{"Name":"X"}`, status: 404},
			step{as: "eve", call: "PUT /common/listitems/{or}", body: `{"Name":"X"}`, status: 403},

			// Removing takes all below along.
			step{as: "wes", call: "DELETE /common/listitems/{us}", status: 400, want: "listId: is required"},
			step{as: "wes", call: "DELETE /common/listitems/{us}?listId={other}", status: 400, want: "listId: names another list"},
			step{as: "ann", call: "DELETE /common/listitems/{us}?listId={list}", status: 403},
			step{as: "wes", call: "DELETE /common/listitems/none?listId={list}", status: 404},
			step{as: "wes", call: "DELETE /common/listitems/{us}?LISTID={list}"},
			step{as: "ann", call: "GET /common/listitems/{sea}", status: 404},
			find("?listId={list}", "Items=2; Items[0].ID={de}; Items[1].ID={waren}"), find("?listId={other}", "Items=1"),
			step{as: "wes", call: "DELETE /common/listitems/{us}?listId={list}", status: 404},
			step{as: "wes", call: "POST /common/listitems", body: item(`"Level1Code":"US",`, "United States")},
		)
		s.sound()
	})
}

// sound checks that every item's path is that of its parent with its own code behind
// it, that no parent is missing, and that no path comes twice.
func (w *world) sound() {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT i.id, i.level, i.code, i.path, i.list_id, coalesce(p.path, ''), coalesce(p.level, 0), coalesce(p.list_id, i.list_id), i.parent_id
			FROM list_item i LEFT JOIN list_item p ON p.id = i.parent_id ORDER BY i.seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		seen := map[string]bool{}
		for rows.Next() {
			var id, code, path, list, above, aboveList, parent string
			var level, aboveLevel int64
			if err := rows.Scan(&id, &level, &code, &path, &list, &above, &aboveLevel, &aboveList, &parent); err != nil {
				return err
			}
			key := list + strings.ToLower(path)
			if path != above+code+"\n" || level != aboveLevel+1 || aboveList != list || seen[key] || (parent == "") != (level == 1) || strings.Count(path, "\n") != int(level) {
				w.t.Errorf("item %s on level %d has the path %q; its parent %q on level %d has %q", id, level, path, parent, aboveLevel, above)
			}
			seen[key] = true
		}
		return rows.Err()
	})
}

// Ten levels and no more.
func TestDepthOfLists(t *testing.T) {
	both(t, func(s *scene) {
		s.run(step{as: "wes", call: "POST /common/lists", body: countries, keep: "list"})
		codes := ""
		for n := 1; n <= 10; n++ {
			codes += fmt.Sprintf(`"Level%dCode":"%d",`, n, n)
			s.run(step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}",` + codes + `"Name":"N"}`, keep: fmt.Sprint("item", n)})
		}
		s.run(step{as: "wes", call: "PUT /common/listitems/{item1}", body: `{"Code":"one"}`},
			step{as: "ann", call: "GET /common/listitems/{item10}", want: "Level1Code=one; Level2Code=2; Level9Code=9; Level10Code=10; ParentID={item9}"},
			step{as: "ann", call: "GET /common/listitems?level10Code=10&level1Code=ONE&level5Code=5", want: "Items=1; Items[0].ID={item10}"},
			step{as: "wes", call: "DELETE /common/listitems/{item2}?listId={list}"},
			step{as: "ann", call: "GET /common/listitems?listId={list}", want: "Items=1; Items[0].ID={item1}"})
		s.sound()
	})
}

// Items that are made, renamed and removed at once leave a sound tree.
func TestListItemsAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		list := w.config(demo).Lists[1].ID
		top := func(n int) *org.ListItem {
			var found []org.ListItem
			w.read(func(tx *store.Tx) error {
				l, err := w.FindListItems(tx, company(demo), &org.ListItemQuery{List: list, Levels: [10]string{fmt.Sprint("T", n)}}, store.Page{Limit: 100})
				found = l.Rows
				return err
			})
			if len(found) == 0 {
				return nil
			}
			return &found[0]
		}
		s := newScene(w, false)
		for n := range 3 {
			s.run(step{as: "wes", call: "POST /common/listitems", body: fmt.Sprintf(`{"ListID":"%s","Level1Code":"T%d","Name":"T"}`, list, n)})
		}
		s.token("wes")
		var wg sync.WaitGroup
		var mu sync.Mutex
		answers := map[int]int{}
		for n := range 24 {
			wg.Go(func() {
				one := step{as: "wes", call: "POST /common/listitems", body: fmt.Sprintf(`{"ListID":"%s","Level1Code":"T%d","Level2Code":"C%d","Name":"C"}`, list, n%3, n%5)}
				switch i := top(n % 3); {
				case i == nil:
				case n%8 == 3:
					one = step{as: "wes", call: "DELETE /common/listitems/" + i.ID + "?listId=" + list}
				case n%8 == 6:
					one = step{as: "wes", call: "PUT /common/listitems/" + i.ID, body: fmt.Sprintf(`{"Code":"T%d"}`, n%4)}
				}
				a := s.send(one)
				mu.Lock()
				defer mu.Unlock()
				answers[a.status]++
			})
		}
		wg.Wait()
		w.sound()
		if answers[200] == 0 || answers[500] > 0 || answers[503] > 0 {
			t.Errorf("answers %v", answers)
		}
	})
}

// named is an area above that names some records.
type named []string

func (n named) Named(_ *store.Tx, _ string, _ org.RecordKind, keys []string) (string, error) {
	for _, k := range keys {
		if slices.Contains(n, k) {
			return k, nil
		}
	}
	return "", nil
}

func (named) Renamed(*store.Tx, auth.Person, auth.Person) error { return nil }

// What records name stays.
func TestItemsInUse(t *testing.T) {
	s := newScene(onSQLite(t), false)
	s.run(step{as: "wes", call: "GET /common/listitems?level1Code=200&level2Code=220", keep: "partner"}, step{as: "wes", call: "GET /common/listitems?level1Code=200&level2Code=210", keep: "field"},
		step{as: "wes", call: "GET /common/listitems?level1Code=200", keep: "sales"}, step{as: "wes", call: "GET /common/lists", keep: "list"},
		step{as: "wes", call: "GET /expense/attendeetypes", keep: "employee"})
	s.UseRecords(named{s.kept["partner"], s.kept["employee"]})
	s.run(
		step{as: "wes", call: "DELETE /common/listitems/{partner}?listId={list}", status: 400, want: "The item 220 cannot be removed: records name it"},
		step{as: "wes", call: "DELETE /common/listitems/{sales}?listId={list}", status: 400, want: "The item 200 cannot be removed: records name 220, which is below it"},
		step{as: "wes", call: "GET /common/listitems?level1Code=200", want: "Items=4"},
		step{as: "wes", call: "DELETE /common/listitems/{field}?listId={list}"},
		step{as: "wes", call: "DELETE /expense/attendeetypes/{employee}", status: 400, want: "The attendee type EMPLOYEE cannot be removed"},
	)
}

// A record that is in the service's hands without HTTP is checked the same way.
func TestListItemsWithoutHTTP(t *testing.T) {
	w := onSQLite(t)
	err := w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := w.CreateList(tx, company(demo), &org.List{Name: "projects", SearchCriteria: "TEXT"}, api.Direct())
		return err
	})
	if !errs.Is(err, errs.Invalid) {
		t.Errorf("a name that is taken: %v", err)
	}
}

func TestListsGolden(t *testing.T) {
	goldenCalls(t, "lists.txt", func(s *scene) {
		s.run(step{as: "wes", call: "GET /common/lists", keep: "list"}, step{as: "wes", call: "GET /common/listitems", keep: "item"})
	},
		step{as: "ann", call: "GET /common/lists?limit=1"}, step{as: "ann", call: "GET /common/lists/{list}"},
		step{as: "wes", call: "POST /common/lists", body: countries}, step{as: "wes", call: "POST /common/lists", body: countries},
		step{as: "wes", call: "PUT /common/lists/{list}", body: `{"Name":"Centers"}`}, step{as: "ann", call: "PUT /common/lists/{list}", body: `{}`},
		step{as: "ann", call: "GET /common/listitems?listId={list}&limit=2"}, step{as: "ann", call: "GET /common/listitems/{item}"},
		step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}","Level1Code":"100","Level2Code":"130","Name":"Fleet <&>"}`},
		step{as: "wes", call: "POST /common/listitems", body: `{"ListID":"{list}","Level1Code":"1","Level2Code":"2","Level4Code":"4"}`},
		step{as: "wes", call: "PUT /common/listitems/{item}", body: `{"Code":"101"}`}, step{as: "ann", call: "GET /common/listitems?listId={list}&name=Fleet%20%3C%26%3E"},
		step{as: "wes", call: "DELETE /common/listitems/{item}"}, step{as: "wes", call: "DELETE /common/listitems/{item}?listId={list}"})
}
