package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
)

// healthz says that the process runs.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz says whether the database and the blobs can be used now, with details
// where they do not meet strangers.
func (a *App) readyz(details bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		checks := map[string]error{
			"database": a.DB.Read(ctx, func(tx *store.Tx) error {
				var one int64
				return tx.QueryRow("SELECT 1").Scan(&one)
			}),
			"blobs": a.Blobs.Check(ctx),
		}
		status, answer := http.StatusOK, map[string]string{}
		for name, err := range checks {
			answer[name] = "ok"
			if err != nil {
				status = http.StatusServiceUnavailable
				answer[name] = errs.As(err).Message
				a.log.Warn("not ready", "part", name, "error", err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if !details {
			answer = map[string]string{"status": map[bool]string{true: "ready", false: "not ready"}[status == http.StatusOK]}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// openapi is the description of every operation.
func (a *App) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(a.API.OpenAPI(Version))
}
