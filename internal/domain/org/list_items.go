package org

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/wire"
)

// MaxLevel is how deep a list's tree of items can be.
const MaxLevel = 10

// ListItem is one value of a list. The items of a list are a tree: an item's path, the
// codes from the first level down to its own, is unique in the list, and what is above
// an item is always there.
type ListItem struct {
	Seq     int64
	ID      string
	Company string
	List    string
	Parent  string // id; empty at the first level
	Level   int64  // 1 to MaxLevel
	Code    string
	Name    string
	Path    string // the codes from the first level down, each ended by a line feed

	codeKey, nameKey, pathKey string

	// Not kept: filled for what shows it.
	levels [MaxLevel]string // the codes of Path
	uri    string
}

func (i *ListItem) v3(f *wire.Fields) {
	level := func(n int) {
		f.Text("Level"+strconv.Itoa(n)+"Code", &i.levels[n-1], "The code on level "+strconv.Itoa(n)+"; the deepest one is the item's own.", wire.Max(maxItemCode))
	}
	f.Text("ID", &i.ID, "The item's id.", wire.ReadOnly, wire.NotNull)
	level(10)
	f.Text("Level1Code", &i.levels[0], "The code on the first level. An item of the first level has no other.", wire.RequiredOnCreate, wire.Max(maxItemCode))
	for n := 2; n < MaxLevel; n++ {
		level(n)
	}
	f.Text("ListID", &i.List, "The list that the item belongs to.", wire.RequiredOnCreate, wire.NotNull, wire.Max(64))
	f.Text("Name", &i.Name, "The item's name.", wire.RequiredOnCreate, wire.Max(maxListName))
	f.Text("ParentID", &i.Parent, "The item above this one; empty on the first level.", wire.ReadOnly)
	f.Text("URI", &i.uri, "The item's address.", wire.ReadOnly, wire.NotNull)
}

// v3Change is what a change can name: an item stays in its list and under its parent.
func (i *ListItem) v3Change(f *wire.Fields) {
	f.Text("Code", &i.Code, "The item's own code. All items below it move along.", wire.RequiredOnCreate, wire.Max(maxItemCode))
	f.Text("ListID", &i.List, "The list that the item belongs to; it cannot be changed.", wire.FixedAfterCreate)
	f.Text("Name", &i.Name, "The item's name.", wire.RequiredOnCreate, wire.Max(maxListName))
	for n := range i.levels {
		f.Text("Level"+strconv.Itoa(n+1)+"Code", &i.levels[n], "As the item has it: Code is what changes.", wire.FixedAfterCreate)
	}
}

// show fills what is not kept.
func (s *Service) showListItem(i *ListItem) {
	i.levels = [MaxLevel]string{}
	copy(i.levels[:], strings.Split(strings.TrimSuffix(i.Path, "\n"), "\n"))
	i.uri = s.link("/common/listitems/" + i.ID)
}

// place gives an item its keys from its code, its name and the path of its parent.
func (i *ListItem) place(above string) {
	i.Path = above + i.Code + "\n"
	i.codeKey, i.nameKey, i.pathKey = fold(i.Code), fold(i.Name), foldPath(i.Path)
}

// foldPath is the key of a path; its last line feed stays.
func foldPath(path string) string { return store.Fold(path) }

// subtree is the predicate of an item and all below it: one range of the index of paths.
func (i *ListItem) subtree() store.Predicate {
	return store.And(store.Where("list_id = ?", i.List), beginning("path_key", i.pathKey))
}

// ListItemQuery is what list items are searched by. All conditions must hold.
type ListItemQuery struct {
	List   string
	Name   string
	Parent string
	Levels [MaxLevel]string
}

func (q *ListItemQuery) v3(f *wire.Fields) {
	f.Text("listId", &q.List, "Items of this list.")
	f.Text("name", &q.Name, "Items with this name, in any letter case.", wire.Max(maxListName))
	f.Text("parentId", &q.Parent, "Items right below this one.")
	for n := range q.Levels {
		level := strconv.Itoa(n + 1)
		f.Text("level"+level+"Code", &q.Levels[n], "Items with this code on level "+level+", and all below them.", wire.Max(maxItemCode))
	}
}

func (q *ListItemQuery) where(company string) store.Predicate {
	var n narrowed
	n.equal("parent_id", q.Parent)
	n.equal("name_key", fold(q.Name))
	if levels := q.levels(company); !levels.IsZero() {
		n.where = store.And(n.where, levels) // which names the list already
		return n.where
	}
	n.equal("list_id", q.List)
	return n.where
}

// levels holds for items below (or at) one that has the codes asked for. It starts
// from the deepest level named; each of the others is a step up the same tree, found by
// its code (|| keeps its path from choosing the index).
func (q *ListItemQuery) levels(company string) store.Predicate {
	deepest := 0
	for n, code := range q.Levels {
		if fold(code) != "" {
			deepest = n + 1
		}
	}
	if deepest == 0 {
		return store.Predicate{}
	}
	p := store.Where("a.company_id = ? AND a.level = ? AND a.code_key = ?", company, int64(deepest), fold(q.Levels[deepest-1]))
	if q.List != "" {
		p = p.And("a.list_id = ?", q.List)
	}
	for n, code := range q.Levels[:deepest-1] {
		if fold(code) != "" {
			p = p.And(`EXISTS (SELECT 1 FROM list_item b WHERE b.list_id = a.list_id AND b.code_key = ? AND b.level = ?
				AND a.path_key >= (b.path_key || '') AND a.path_key < (b.path_key || ?))`, fold(code), int64(n+1), last)
		}
	}
	return store.Where(`seq IN (SELECT c.seq FROM list_item a JOIN list_item c
		ON c.list_id = a.list_id AND c.path_key >= a.path_key AND c.path_key < a.path_key || ? WHERE `+p.SQL+`)`, slices.Concat([]any{last}, p.Args)...)
}

// FindListItems lists items in order of creation.
func (s *Service) FindListItems(tx *store.Tx, a *auth.Actor, q *ListItemQuery, page store.Page) (api.Listing[ListItem], error) {
	rows, more, err := listItems.List(tx, a.InCompany(""), q.where(a.Company), page)
	if err != nil {
		return api.Listing[ListItem]{}, err
	}
	for i := range rows {
		s.showListItem(&rows[i])
	}
	return api.Page(listItems, rows, more, page), nil
}

// ListItem reads an item. A list, where one is named, must be the item's.
func (s *Service) ListItem(tx *store.Tx, a *auth.Actor, id, list string) (*ListItem, error) {
	i, err := listItems.Get(tx, a.InCompany(""), id)
	if err != nil {
		return nil, err
	}
	if list != "" && list != i.List {
		return nil, errs.OnField("listId", "mismatch", "names another list than the item's.")
	}
	s.showListItem(i)
	return i, nil
}

// CreateListItem makes an item under the one that its upper codes name.
func (s *Service) CreateListItem(tx *store.Tx, a *auth.Actor, i *ListItem, in *api.Input) (string, error) {
	if err := mayConfigure(a); err != nil {
		return "", err
	}
	settle(&i.Name, "Name", maxListName, in)
	deepest := 0
	for n := range i.levels {
		settle(&i.levels[n], levelField(n+1), maxItemCode, in)
		if i.levels[n] != "" {
			deepest = n + 1
		}
	}
	for n := 1; n < deepest; n++ { // the first level is required by the binding
		if i.levels[n] == "" {
			in.Addf(levelField(n+1), "required", "is missing: an item on level %d has a code on every level above it.", deepest)
		}
	}
	if i.List == "" || deepest == 0 || in.Err() != nil {
		return "", in.Err()
	}
	list, err := listToFill(tx, a, i.List)
	if errs.Is(err, errs.NotFound) {
		in.Add("ListID", "unknown", "names no list of the company.")
		return "", in.Err()
	}
	if err != nil {
		return "", err
	}
	i.ID, i.Company, i.List, i.Level = s.ids.Protected(), a.Company, list.ID, int64(deepest)
	i.Parent, i.Code = "", i.levels[deepest-1]
	above := ""
	if deepest > 1 {
		path := strings.Join(i.levels[:deepest-1], "\n") + "\n"
		parent, err := listItems.One(tx, ofCompany(a.Company), store.Where("list_id = ? AND path_key = ?", i.List, foldPath(path)))
		if errs.Is(err, errs.NotFound) {
			in.Addf(levelField(deepest-1), "unknown", "leads to no item of the list: make the item on level %d first.", deepest-1)
			return "", in.Err()
		}
		if err != nil {
			return "", err
		}
		i.Parent, above = parent.ID, parent.Path
	}
	i.place(above)
	if err := freePath(tx, i, levelField(deepest)); err != nil {
		return "", err
	}
	if err := listItems.Insert(tx, i); err != nil {
		return "", taken(err, levelField(deepest), pathTaken)
	}
	return i.ID, nil
}

func levelField(n int) string { return "Level" + strconv.Itoa(n) + "Code" }

const pathTaken = "is the code of another item at this place of the list already."

// listToFill reads a list whose items are about to change; changes of one list's items
// wait for each other, so that no item loses its parent meanwhile.
func listToFill(tx *store.Tx, a *auth.Actor, id string) (*List, error) {
	if err := lists.Lock(tx, id); err != nil {
		return nil, err
	}
	return lists.Get(tx, a.InCompany(""), id)
}

// freePath makes sure that no other item of the list is where i is going to be.
func freePath(tx *store.Tx, i *ListItem, field string) error {
	n, err := listItems.Count(tx, ofCompany(i.Company), store.Where("list_id = ? AND path_key = ? AND id <> ?", i.List, i.pathKey, i.ID))
	if err == nil && n > 0 {
		return errs.OnField(field, "unique", pathTaken)
	}
	return err
}

// listItemToChange reads an item for somebody who may change it, after all changes
// before it.
func (s *Service) listItemToChange(tx *store.Tx, a *auth.Actor, id string) (*ListItem, error) {
	if err := mayConfigure(a); err != nil {
		return nil, err
	}
	i, err := listItems.Get(tx, a.InCompany(""), id)
	if err != nil {
		return nil, err
	}
	if _, err := listToFill(tx, a, i.List); err != nil {
		return nil, err
	}
	return s.ListItem(tx, a, id, "")
}

// UpdateListItem saves a new name or code of an item that was read for a change.
func (s *Service) UpdateListItem(tx *store.Tx, _ *auth.Actor, old, i *ListItem, in *api.Input) error {
	if *i == *old {
		return in.Err()
	}
	settle(&i.Name, "Name", maxListName, in)
	settle(&i.Code, "Code", maxItemCode, in)
	if err := in.Err(); err != nil {
		return err
	}
	i.place(strings.TrimSuffix(old.Path, old.Code+"\n"))
	if i.Path != old.Path {
		if err := freePath(tx, i, "Code"); err != nil {
			return err
		}
		// The items below get the new beginning of their paths, this one too.
		below := old.subtree()
		if _, err := tx.Exec(`UPDATE list_item SET path = ? || substr(path, ?), path_key = ? || substr(path_key, ?) WHERE `+below.SQL,
			slices.Concat([]any{i.Path, characters(old.Path) + 1, i.pathKey, characters(old.pathKey) + 1}, below.Args)...); err != nil {
			return taken(err, "Code", pathTaken)
		}
	}
	return listItems.Update(tx, i)
}

// characters counts as substr of both engines does.
func characters(s string) int64 { return int64(utf8.RuneCountInString(s)) }

// RemoveListItem removes an item and all below it, unless a record names one of them.
func (s *Service) RemoveListItem(tx *store.Tx, a *auth.Actor, id, list string) error {
	i, err := s.listItemToChange(tx, a, id)
	if err != nil {
		return err
	}
	if i.List != list {
		return errs.OnField("listId", "mismatch", "names another list than the item's.")
	}
	var ids []string
	if err := each(tx, func(r *store.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM list_item WHERE company_id = ? AND `+i.subtree().SQL+` ORDER BY path_key`, slices.Concat([]any{i.Company}, i.subtree().Args)...); err != nil {
		return err
	}
	used, err := s.inUse(tx, i.Company, ListItemRecord, ids)
	if err != nil {
		return err
	}
	if used == i.ID {
		return errs.Newf(errs.Invalid, "inUse", "The item %s cannot be removed: records name it in a custom field.", i.Code)
	}
	if used != "" {
		below, err := listItems.Get(tx, ofCompany(i.Company), used)
		if err != nil {
			return err
		}
		return errs.Newf(errs.Invalid, "inUse", "The item %s cannot be removed: records name %s, which is below it, in a custom field.", i.Code, below.Code)
	}
	_, err = listItems.DeleteWhere(tx, ofCompany(i.Company), i.subtree())
	return err
}

// ListItem finds an item of a list by id or by code; of items with the same code the
// one on the highest level counts. Lists can be long, so they are asked, not loaded.
func (c *Config) ListItem(tx *store.Tx, list, idOrCode string) (*ListItem, bool, error) {
	if idOrCode == "" {
		return nil, false, nil
	}
	own := ofCompany(c.Company.ID)
	i, err := listItems.Get(tx, own, idOrCode)
	if err == nil && i.List == list {
		return i, true, nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, false, err
	}
	found, err := listItems.All(tx, own, store.Where("list_id = ? AND code_key = ?", list, fold(idOrCode)), "level, seq", 1)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	return &found[0], true, nil
}

// ListItemBelow finds an item right below another one by id or by code: what a field of
// the type ConnectedList can name, of which parent is the item that the field one level
// up has (an empty one has none below it).
func (c *Config) ListItemBelow(tx *store.Tx, parent, idOrCode string) (*ListItem, bool, error) {
	if parent == "" || idOrCode == "" {
		return nil, false, nil
	}
	own, below := ofCompany(c.Company.ID), store.Where("parent_id = ?", parent)
	found, err := listItems.All(tx, own, below.And("id = ?", idOrCode), "seq", 1)
	if err == nil && len(found) == 0 {
		found, err = listItems.All(tx, own, below.And("code_key = ?", fold(idOrCode)), "seq", 1)
	}
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	return &found[0], true, nil
}

var listItemAnswers = wire.Bind("ListItemGet", (*ListItem).v3)

func (s *Service) getListItem(c *api.Call) (api.Answer, error) {
	var i *ListItem
	err := c.Read(func(tx *store.Tx) (err error) {
		i, err = s.ListItem(tx, c.Actor(), c.Param("id"), strings.TrimSpace(c.QueryText("listId")))
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.Object(200, listItemAnswers, i), nil
}

func (s *Service) deleteListItem(c *api.Call) (api.Answer, error) {
	list := strings.TrimSpace(c.QueryText("listId"))
	if list == "" {
		return nil, errs.OnField("listId", "required", "is required: name the list that the item is removed from.")
	}
	if err := c.Write(func(tx *store.Tx) error { return s.RemoveListItem(tx, c.Actor(), c.Param("id"), list) }); err != nil {
		return nil, err
	}
	return api.Void(), nil
}

func (s *Service) listItemOperations() []api.Operation {
	named := api.Named(api.Names{One: "ListItemGet", Many: "ListItemGetCollection", WireOne: "ListItem", WireMany: "ListItems", Post: "ListItemPost", Put: "ListItemPut"})
	scope, about := auth.Scope("LIST"), api.About(api.CompanyWide)
	doc := func(id, summary, more string) api.Doc {
		return api.Doc{ID: "listitems." + id, Group: "List Items", Summary: summary, Description: more}
	}
	const one = "/common/listitems/{id}"
	media := []string{"application/json", "application/xml"}
	return []api.Operation{
		api.List(api.V3, "/common/listitems", s.FindListItems, (*ListItemQuery).v3, (*ListItem).v3,
			doc("list", "Lists the items of lists", "In order of creation. All conditions must hold."), scope, named, about),
		api.Create(api.V3, "/common/listitems", s.CreateListItem, (*ListItem).v3,
			doc("create", "Makes an item of a list", "The deepest level code is the item's own; the others lead to the item above it, which must be there. For administrators."), scope, named, about),
		api.Custom(api.V3, "GET", one, s.getListItem, doc("get", "Reads an item of a list", ""), scope, named, about,
			api.QueryParameter("listId", "The item's list; a different one is refused."),
			api.Answers(200, "The record.", api.SchemaOf("ListItemGet", listItemAnswers, media...))),
		api.Update(api.V3, one, s.listItemToChange, s.UpdateListItem, (*ListItem).v3Change,
			doc("update", "Changes an item of a list", "Only what the body names is changed. With its code, the paths of all items below it change. For administrators."), scope, named, about),
		api.Custom(api.V3, "DELETE", one, s.deleteListItem,
			doc("delete", "Removes an item of a list and all below it", "An item that a record names, or one below it, stays. For administrators."), scope, named, about,
			api.QueryParameter("listId", "The item's list; it must be named."),
			api.Answers(200, "The record was removed. Applications of the observed profile get 204.", api.Content{Media: media, Name: "Void"})),
	}
}
