package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"quittance/internal/kernel/api"
	"quittance/internal/kernel/auth"
	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

// hooks are the calls that only a dev server has (decisions.md 35): they reset it,
// move its clock, show its mail and its last requests, and plan failures.
func (a *App) hooks() []api.Operation {
	open := auth.Open("a sandbox's hook; `serve` has none")
	hook := func(method, path, id, summary string, handle func(*api.Call) (any, error)) api.Operation {
		return api.Custom(api.Hooks, method, path, func(c *api.Call) (api.Answer, error) {
			v, err := handle(c)
			if err != nil {
				return nil, err
			}
			if v == nil {
				return api.Empty(http.StatusNoContent), nil
			}
			b, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			return api.RawJSON(http.StatusOK, append(b, '\n')), nil
		}, api.Doc{ID: id, Group: "Sandbox hooks", Summary: summary, Extension: true}, open, api.About(api.Nobody))
	}
	return []api.Operation{
		hook("POST", "/reset", "hooks.reset", "Put the sandbox back to its seed", func(c *api.Call) (any, error) {
			start := time.Now()
			if err := a.Reset(c.Context()); err != nil {
				return nil, err
			}
			return map[string]any{"reset": true, "milliseconds": float64(time.Since(start).Microseconds()) / 1000}, nil
		}),
		hook("GET", "/clock", "hooks.clock", "Read the sandbox's time", func(*api.Call) (any, error) { return a.clockState(), nil }),
		hook("POST", "/clock", "hooks.clock.move", "Move the sandbox's time", a.moveClock),
		hook("GET", "/mail", "hooks.mail", "Read the mail that was sent", func(*api.Call) (any, error) {
			type mail struct {
				To      string `json:"to"`
				Subject string `json:"subject"`
				Text    string `json:"text"`
				At      string `json:"at"`
			}
			all := []mail{}
			if a.outbox != nil {
				for _, m := range a.outbox.Sent() {
					all = append(all, mail{m.To, m.Subject, m.Text, m.At.Time().Format(time.RFC3339)})
				}
			}
			return all, nil
		}),
		hook("GET", "/requests", "hooks.requests", "Read the last requests, newest first, and why they were refused", func(*api.Call) (any, error) {
			return a.requests.all(), nil
		}),
		hook("GET", "/fault", "hooks.faults", "List the failures that are planned", func(*api.Call) (any, error) { return a.faults.all(), nil }),
		hook("POST", "/fault", "hooks.fault", "Plan a failure of the next calls", a.planFault),
		hook("DELETE", "/fault", "hooks.fault.clear", "Forget the planned failures", func(*api.Call) (any, error) { a.faults.clear(); return nil, nil }),
	}
}

type clockState struct {
	Now    string  `json:"now"`
	Offset float64 `json:"offsetSeconds"`
}

func (a *App) clockState() clockState {
	return clockState{a.clock.Now().Time().Format("2006-01-02T15:04:05.000Z"), a.clock.Offset().Seconds()}
}

// maxOffset is how far the sandbox's time may be from the machine's.
const maxOffset = 100 * 365 * 24 * time.Hour

// moveClock takes {"now": "2026-01-31T10:00:00Z"}, {"advance": "36h"} or {"reset": true}.
func (a *App) moveClock(c *api.Call) (any, error) {
	var body struct {
		Now     string `json:"now"`
		Advance string `json:"advance"`
		Reset   bool   `json:"reset"`
	}
	if err := readHook(c, &body); err != nil {
		return nil, err
	}
	var offset time.Duration
	field := "now"
	switch {
	case body.Reset:
	case body.Now != "":
		at, err := value.ParseInstant(body.Now)
		if err != nil {
			return nil, errs.OnField("now", "syntax", "must be a time such as 2026-01-31T10:00:00Z.")
		}
		offset = at.Time().Sub(value.SystemClock().Time())
	case body.Advance != "":
		d, err := time.ParseDuration(body.Advance)
		if err != nil {
			return nil, errs.OnField("advance", "syntax", "must be a duration such as 36h or 15m.")
		}
		field, offset = "advance", d
		if d.Abs() <= maxOffset {
			offset += a.clock.Offset()
		}
	default:
		return nil, errs.New(errs.Invalid, "clock", "Say now, advance or reset.")
	}
	if offset.Abs() > maxOffset {
		return nil, errs.OnField(field, "range", "must stay within a hundred years of the machine's time.")
	}
	a.clock.Move(offset)
	a.Org.Forget()
	return a.clockState(), nil
}

func (a *App) planFault(c *api.Call) (any, error) {
	f := Fault{Count: 1}
	if err := readHook(c, &f); err != nil {
		return nil, err
	}
	var p errs.Problems
	known := f.Operation == "*"
	for _, op := range a.API.Operations() {
		known = known || op.Doc.ID == f.Operation
	}
	if !known {
		p.Add("operation", "unknown", "must be * or the operationId of a call in /openapi.json.")
	}
	if _, ok := faultKinds[f.Status]; !ok && f.Status != 0 {
		p.Add("status", "enum", "must be 400, 401, 403, 404, 409, 413, 415, 429, 500 or 503.")
	}
	if f.Status == 0 && f.Delay == 0 {
		p.Add("status", "required", "is required where there is no delayMillis.")
	}
	if f.Delay < 0 || f.Delay > time.Minute.Milliseconds() {
		p.Add("delayMillis", "range", "must be from 0 to 60000.")
	}
	if f.Count < 1 || f.Count > 10_000 {
		p.Add("count", "range", "must be from 1 to 10000.")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	a.faults.add(f)
	return a.faults.all(), nil
}

// readHook reads a hook's JSON body strictly: a misspelt member is an error, since
// tests depend on what it does.
func readHook(c *api.Call, into any) error {
	b, err := c.All()
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errs.New(errs.Invalid, "body", "The body is not the JSON object that this hook takes; its members are in /openapi.json and the guide.").Because(err)
	}
	return nil
}
