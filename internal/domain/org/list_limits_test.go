package org_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
)

var offsetOf = regexp.MustCompile(`offset=([^&]+)`)

// The limits and offsets of every list: what is none is refused, and an offset is good
// for its own walk alone.
func TestLimitsAndOffsetsOfCommonLists(t *testing.T) {
	both(t, func(s *scene) {
		s.write(func(tx *store.Tx) error {
			_, err := s.Apply(tx, demo, configuration(t, "groups:\n  - {name: Default Group, policies: [{name: Standard Policy, default: true}]}\n  - {name: Travellers, policies: [{name: Travel, default: true, types: [TAXIX]}]}\n"))
			return err
		})
		s.write(func(tx *store.Tx) error { return s.SetRoles(tx, eveID, auth.WebServicesAdministrator) })
		tokens := map[string]string{}
		lists := []string{"/common/users?active=true", "/common/lists?", "/common/listitems?level1Code=200", "/common/locations?country=US", "/expense/attendeetypes?", "/expense/expensegroupconfigurations?user=ALL"}
		for _, list := range lists {
			bare, query, _ := strings.Cut(list, "?")
			get := func(who, query string, status int, want string) {
				s.t.Helper()
				s.run(step{as: who, call: "GET " + bare + "?" + query, status: status, want: want})
			}
			for _, bad := range []string{"0", "-1", "10000", "101", "ten", "1.5", "1e1", "0x1", "99999999999999999999", "%00", "%F0%9F%98%80"} {
				get("wes", query+"&limit="+bad, 400, "limit: must be a whole number from 1 to 100.")
			}
			get("wes", "limit=%201%20&offset=%20&"+query, 200, "Items=1")
			get("wes", "limit=ten&offset=x", 400, "limit: must be a whole number from 1 to 100; offset: is not one")
			f := s.say(0, step{as: "wes", call: "GET " + bare + "?limit=1&" + query, want: "Items=1"})
			m := offsetOf.FindStringSubmatch(f["NextPage"])
			if m == nil {
				t.Fatalf("%s has the next page %q", list, f["NextPage"])
			}
			token := m[1]
			get("wes", "offset="+token, 200, "Items=1") // limit and filters are in it
			get("wes", query+"&limit=100&offset="+token, 200, "NextPage=")
			get("eve", query+"&offset="+token, 400, "offset: is not one that this call has given")
			for other, theirs := range tokens {
				if other != list {
					get("wes", query+"&offset="+theirs, 400, "offset: is not one")
				}
			}
			tokens[list] = token
			last := len(token) - 1
			for _, bad := range []string{token[:last], token + "A", token[1:], strings.ToUpper(token), token[:20] + "A" + token[21:], "n", "x", "-1", "1e3", "0x10", "%00", strings.Repeat("n", 9000)} {
				if bad != token {
					get("wes", query+"&offset="+bad, 400, "offset: is not one")
				}
			}
			get("wes", query+"&offset=1000001", 400, "offset: is a position beyond")
			get("wes", query+"&offset=1000000", 200, "Items=0; NextPage=")
		}
		// Other filters are another walk; those that a list does not have are none.
		for _, c := range []struct{ list, other string }{{lists[0], "active=false"}, {lists[0], "lastName=Archer"}, {lists[2], "level1Code=100"}, {lists[2], "name=x"}, {lists[3], "country=DE"}, {lists[3], "name=oslo"}} {
			bare, _, _ := strings.Cut(c.list, "?")
			s.run(step{as: "wes", call: "GET " + bare + "?" + c.other + "&offset=" + tokens[c.list], status: 400, want: "offset: belongs to a query with other filters"})
		}
		s.run(step{as: "wes", call: "GET /common/lists?nothing=7&offset=" + tokens[lists[1]], want: "Items=1"})

		// Who loses the role meanwhile does not go on.
		s.write(func(tx *store.Tx) error { return s.SetRoles(tx, wesID) })
		s.clock.Move(2 * time.Second)
		s.run(
			step{as: "wes", call: "GET /common/users?offset=" + tokens[lists[0]], want: "Items=1; Items[0].LoginID=wes@demo.test; NextPage="}, // and nobody else
			step{as: "wes", call: "GET /expense/expensegroupconfigurations?offset=" + tokens[lists[5]], status: 403},
			step{as: "wes", call: "GET /common/lists?offset=" + tokens[lists[1]], want: "Items=1"}, // everybody reads these
		)
	})
}

const wesID = "e0000000-0000-4000-8000-000000000001"

// Items and lists that come and go while somebody walks through them.
func TestCommonListsThatChangeMeanwhile(t *testing.T) {
	both(t, func(s *scene) {
		for _, limit := range []int{1, 3} {
			s.run(step{as: "wes", call: "POST /common/lists", body: strings.Replace(countries, "Countries", fmt.Sprint("Walk ", limit), 1), keep: "list"})
			items := map[string]string{}
			add := func(code string) {
				body := fmt.Sprintf(`{"ListID":"{list}","Level1Code":"%s","Name":"Item"}`, code)
				if top, below, ok := strings.Cut(code, "/"); ok {
					body = fmt.Sprintf(`{"ListID":"{list}","Level1Code":"%s","Level2Code":"%s","Name":"Item"}`, top, below)
				}
				s.run(step{as: "wes", call: "POST /common/listitems", body: body, keep: "new"})
				items[code] = s.kept["new"]
			}
			remove := func(code string) {
				s.run(step{as: "wes", call: "DELETE /common/listitems/" + items[code] + "?listId={list}"})
			}
			for _, code := range []string{"A", "A/1", "B", "A/2", "B/1", "C", "D"} {
				add(code)
			}
			before := s.pages("ann", "GET /common/listitems?listId={list}&limit=100")
			changes := []func(){
				func() { remove("A/1") },
				func() { add("E") },
				func() {
					s.run(step{as: "wes", call: "PUT /common/listitems/" + items["B"], body: `{"Code":"Z"}`}) // takes B/1 along
				},
				func() { remove("A") }, // and A/2
				func() { add("F") },
			}
			var met []string
			turn := 0
			for call := fmt.Sprintf("GET /common/listitems?listId={list}&limit=%d", limit); call != "" && turn < 50; turn++ {
				f := s.say(turn, step{as: "ann", call: call})
				for i := range limit {
					if id := f[fmt.Sprintf("Items[%d].ID", i)]; id != "" {
						met = append(met, id)
					}
				}
				if call = ""; f["NextPage"] != "" {
					call = "GET " + f["NextPage"]
					if turn < len(changes) {
						changes[turn]()
					}
				}
			}
			after := s.pages("ann", "GET /common/listitems?listId={list}&limit=100")
			if len(slices.Compact(slices.Sorted(slices.Values(met)))) != len(met) {
				t.Errorf("pages of %d meet an item twice: %v", limit, met)
			}
			stayed := func(of []string) (ids []string) {
				for _, id := range of {
					if slices.Contains(before, id) && slices.Contains(after, id) {
						ids = append(ids, id)
					}
				}
				return ids
			}
			if !slices.Equal(stayed(before), stayed(met)) {
				t.Errorf("pages of %d: %v stayed, %v were met", limit, stayed(before), stayed(met))
			}
			s.sound()
		}
	})
}
