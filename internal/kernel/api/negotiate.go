package api

import (
	"sort"
	"strconv"
	"strings"

	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
)

// negotiate reads Accept (RFC 9110 §12.5.1) against what the operation answers.
func negotiate(accept string, op *Operation, profile auth.Profile) (f Format, chosen string, err error) {
	family := op.Family
	accept = strings.TrimSpace(accept)
	if accept == "" {
		return family.Default("", profile), "", nil
	}
	if accept == "*/*" {
		return family.Default(accept, profile), "", nil
	}
	type wish struct {
		media string
		q     float64
	}
	var wishes []wish
	for _, item := range strings.Split(accept, ",") {
		media, params, _ := strings.Cut(item, ";")
		w := wish{strings.ToLower(strings.TrimSpace(media)), 1}
		for _, p := range strings.Split(params, ";") {
			if k, v, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(k, "q") {
				if q, err := strconv.ParseFloat(v, 64); err == nil {
					w.q = q
				}
			}
		}
		if w.media != "" && w.q > 0 {
			wishes = append(wishes, w)
		}
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].q > wishes[j].q })
	for _, w := range wishes {
		for _, media := range op.accepts {
			if w.media == media || strings.HasSuffix(media, "/*") && strings.HasPrefix(w.media, media[:len(media)-1]) {
				return family.Default("", profile), w.media, nil
			}
		}
		switch {
		case w.media == "*/*", w.media == "application/*", w.media == "text/*" && family.has(XML):
			return family.Default("*/*", profile), "", nil
		case (w.media == "application/json" || w.media == "text/json" || strings.HasSuffix(w.media, "+json")) && family.has(JSON):
			return JSON, "", nil
		case (w.media == "application/xml" || w.media == "text/xml") && family.has(XML):
			return XML, "", nil
		}
	}
	if family.Lenient {
		return family.Default("", profile), "", nil
	}
	return family.Default("", profile), "", errs.Newf(errs.NotAcceptable, "accept", "This call answers %s; Accept names none of them.", strings.Join(family.media(), " or "))
}
