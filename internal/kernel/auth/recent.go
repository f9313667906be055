package auth

import "sync"

// recent is a bounded cache of two generations: when the younger one is full it
// becomes the older one, and the older one is forgotten. What is in use moves up
// again, so nothing in use is lost, and no entry needs a list of its own.
type recent[K comparable, V any] struct {
	mu           sync.RWMutex
	limit        int // of one generation
	young, older map[K]V
}

func newRecent[K comparable, V any](limit int) *recent[K, V] {
	return &recent[K, V]{limit: limit, young: map[K]V{}}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	r.mu.RLock()
	v, ok := r.young[key]
	if ok {
		r.mu.RUnlock()
		return v, true
	}
	v, ok = r.older[key]
	r.mu.RUnlock()
	if ok {
		r.put(key, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.young[key]; !ok && len(r.young) >= r.limit {
		r.older, r.young = r.young, make(map[K]V, r.limit)
	}
	r.young[key] = v
}

func (r *recent[K, V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.young, r.older = map[K]V{}, nil
}
