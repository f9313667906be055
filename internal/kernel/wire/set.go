package wire

// Set tells which fields of the outermost object a body has given. The zero Set is
// empty.
type Set struct {
	table   *table
	given   bits
	ignored []string
}

// Has reports whether the field bound as name was given: neither absent, nor
// skipped, nor empty where empty counts as absent, nor, in an update, equal to what
// stood. A group or a list is given when anything in it is.
func (s Set) Has(name string) bool {
	if s.table == nil {
		return false
	}
	at, ok := s.table.names[name]
	return ok && s.given.has(at.index)
}

// Names lists what was given, in the order of the binding.
func (s Set) Names() []string {
	var names []string
	if s.table != nil {
		for i := range s.table.fields {
			if s.given.has(i) {
				names = append(names, s.table.fields[i].name)
			}
		}
	}
	return names
}

// Empty reports whether nothing was given.
func (s Set) Empty() bool {
	for _, word := range s.given {
		if word != 0 {
			return false
		}
	}
	return true
}

// Ignored lists, for the log, the paths that were given and skipped: unknown names
// as they came (cut to 64 bytes), read-only ones as "ID (read-only)"; at most 100.
func (s Set) Ignored() []string { return s.ignored }

// bits is a set of field indexes.
type bits []uint64

func (b bits) has(i int) bool { return i>>6 < len(b) && b[i>>6]&(1<<(i&63)) != 0 }
func (b bits) add(i int)      { b[i>>6] |= 1 << (i & 63) }
