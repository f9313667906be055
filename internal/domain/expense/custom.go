package expense

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"quittance/internal/domain/org"
	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
	"quittance/internal/kernel/wire"
)

// CustomField is the value of a custom field or an organisational unit. What kind of
// field it is says the company's form.
type CustomField struct {
	Value    string // of a list field: the item's name
	Code     string // of a list field: the item's code
	ListItem string // of a list field: the item's id
	Type     string // not kept: filled from the form
}

// maxCustom is how long a value is that the v3 services show.
const maxCustom = 48

func (f *CustomField) document(w *wire.Fields) {
	w.Text("v", &f.Value, "", wire.OmitEmpty)
	w.Text("c", &f.Code, "", wire.OmitEmpty)
	w.Text("i", &f.ListItem, "", wire.OmitEmpty)
}

func (f *CustomField) v3(w *wire.Fields) { customUpTo(maxCustom)(f, w) }

// customUpTo is the binding of fields whose values may have this many characters.
func customUpTo(most int) func(*CustomField, *wire.Fields) {
	return func(f *CustomField, w *wire.Fields) {
		w.Text("Code", &f.Code, "The list item's code, in list fields.")
		w.Text("ListItemID", &f.ListItem, "The list item's id, in list fields.")
		w.Text("Type", &f.Type, "The field's type: Amount, Boolean, ConnectedList, Date, Integer, List, Number or Text.", wire.ReadOnly)
		w.Text("Value", &f.Value, "The value; in list fields the item's name.", wire.Max(most))
	}
}

// IsZero reports whether the field holds nothing.
func (f *CustomField) IsZero() bool { return f.Value == "" && f.Code == "" && f.ListItem == "" }

// The names under which forms and bodies know the fields.
var (
	customNames  = numbered("Custom", 40)
	orgUnitNames = numbered("OrgUnit", 6)
)

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = prefix + strconv.Itoa(i+1)
	}
	return names
}

// customFields are the organisational units and the custom fields of a record.
type customFields struct{ units, customs []CustomField }

// named finds a field by its name; nil when the record has none of it.
func (c customFields) named(name string) *CustomField { return customNamed(name, c.units, c.customs) }

// settleCustoms brings fields that differ from the old ones (none: all) into the form
// in which they are kept, by what the company's form says of them. A field that the
// form does not have is left empty; where there is no form, every field is a text.
func (s *Service) settleCustoms(tx *store.Tx, cfg *org.Config, kind org.FormKind, old, now customFields, in *api.Input) error {
	if err := s.settleRow(tx, cfg, kind, orgUnitNames, old.units, now.units, in); err != nil {
		return err
	}
	if err := s.settleRow(tx, cfg, kind, customNames, old.customs, now.customs, in); err != nil {
		return err
	}
	fields := cfg.FormFields(kind).Fields
	for i := range fields {
		if fields[i].Type == org.ConnectedListField {
			if err := s.settleConnected(tx, cfg, &fields[i], old, now, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleConnected checks a field whose item lies below that of another field, when one
// of the two has changed.
func (s *Service) settleConnected(tx *store.Tx, cfg *org.Config, field *org.FormField, old, now customFields, in *api.Input) error {
	f, above := now.named(field.Name), now.named(field.Parent)
	if f == nil || f.IsZero() {
		return nil
	}
	if was, wasAbove := old.named(field.Name), old.named(field.Parent); was != nil && *was == *f && wasAbove != nil && above != nil && *wasAbove == *above {
		return nil
	}
	if above == nil || above.ListItem == "" {
		in.Addf(field.Name, "custom", "lies below an item of %s, which must be given too.", field.Parent)
		return nil
	}
	item, why, err := s.itemOf(tx, cfg, field.List, above.ListItem, f)
	if err != nil {
		return err
	}
	if why != "" {
		in.Addf(field.Name, "custom", "must lie below the item of %s; choose another one, or clear it.", field.Parent)
		return nil
	}
	*f = listed(item)
	return nil
}

// listed is the value of a list field.
func listed(item *org.ListItem) CustomField {
	return CustomField{Value: cut(item.Name, maxCustom), Code: item.Code, ListItem: item.ID}
}

// settleRow settles the fields of one row, but for those that depend on others.
func (s *Service) settleRow(tx *store.Tx, cfg *org.Config, kind org.FormKind, names []string, old, now []CustomField, in *api.Input) error {
	for i := range now {
		f := &now[i]
		f.Type = ""
		if f.IsZero() || old != nil && *f == old[i] {
			continue
		}
		form := cfg.FormFields(kind)
		if form.ID == "" {
			*f = CustomField{Value: anyOf(f.Value, f.Code)}
			continue
		}
		field := form.Field(names[i])
		if field == nil {
			*f = CustomField{}
			continue
		}
		if err := s.settleCustom(tx, cfg, field, f, in); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) settleCustom(tx *store.Tx, cfg *org.Config, field *org.FormField, f *CustomField, in *api.Input) error {
	text := strings.TrimSpace(f.Value)
	bad := func(message string) { in.Add(field.Name, "custom", message) }
	switch field.Type {
	case org.ConnectedListField:
		return nil
	case org.ListField:
		item, why, err := s.itemOf(tx, cfg, field.List, "", f)
		if err != nil {
			return err
		}
		if why != "" {
			bad(why)
			return nil
		}
		*f = listed(item)
		return nil
	case org.BooleanField:
		switch strings.ToLower(text) {
		case "true", "y", "1":
			text = "true"
		case "false", "n", "0":
			text = "false"
		default:
			bad("must be true or false.")
		}
	case org.DateField:
		d, err := value.ParseDate(text)
		if err != nil {
			bad("must be a date, written as 2024-03-11.")
		}
		text = d.String()
	case org.AmountField:
		m, err := value.ParseMoney(text)
		if err != nil {
			bad("must be an amount.")
		}
		text = m.String()
	case org.NumberField:
		n, err := value.ParseDecimal(text)
		if err != nil {
			bad("must be a number.")
		}
		text = n.String()
	default:
		text = f.Value
		if field.MaxLength > 0 && utf8.RuneCountInString(text) > int(field.MaxLength) {
			in.Addf(field.Name, "tooLong", "must be at most %d characters long.", field.MaxLength)
		}
	}
	*f = CustomField{Value: text}
	return nil
}

// itemOf finds the item of a list, of those right below another one where that is named,
// that a field names: by its id, or else by its code, or else by its value, which is an
// id, a code, or the name of one item alone. why says what is wrong where there is none.
func (s *Service) itemOf(tx *store.Tx, cfg *org.Config, list, above string, f *CustomField) (item *org.ListItem, why string, err error) {
	name := ""
	if f.ListItem == "" && f.Code == "" {
		name = strings.TrimSpace(f.Value)
	}
	var ok bool
	if key := anyOf(f.ListItem, f.Code, name); above == "" {
		item, ok, err = cfg.ListItem(tx, list, key)
	} else {
		item, ok, err = cfg.ListItemBelow(tx, above, key)
	}
	if err != nil || ok {
		return item, "", err
	}
	if name != "" {
		q := &org.ListItemQuery{List: list, Name: name}
		if above != "" {
			q.List, q.Parent = "", above
		}
		named, err := s.org.FindListItems(tx, &auth.Actor{Company: cfg.Company.ID}, q, store.Page{Limit: 2})
		switch {
		case err != nil:
			return nil, "", err
		case len(named.Rows) == 1:
			return &named.Rows[0], "", nil
		case len(named.Rows) > 1:
			return nil, "names several items of its list; give the item's id or code.", nil
		}
	}
	return nil, "names no item of its list; give the item's id or code.", nil
}

// showCustoms fills the types of fields, and hides those that the form has no more.
func showCustoms(form org.Form, names []string, fields []CustomField) {
	for i := range fields {
		f := &fields[i]
		if f.IsZero() {
			continue
		}
		if form.ID == "" {
			f.Type = string(org.TextField)
		} else if field := form.Field(names[i]); field != nil {
			f.Type = string(field.Type)
		} else {
			*f = CustomField{}
		}
	}
}

// anyOf is the first text that is not empty.
func anyOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// cut is at most n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
