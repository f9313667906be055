package app

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"quittance/internal/kernel/api"
)

// Version is the release; the build may set it with -ldflags -X.
var Version = "0.1.0-dev"

type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "quittance_calls_total",
			Help: "Calls by operation and status."}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "quittance_call_seconds",
			Help: "How long calls took.", Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}}, []string{"operation"}),
	}
	m.registry.MustRegister(m.calls, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe counts a call, logs it without personal data, and in dev remembers it.
func (a *App) observe(x *api.Exchange) {
	operation, route := "unknown", "unknown"
	if x.Operation != nil && x.Operation.Doc.ID != "" {
		operation, route = x.Operation.Doc.ID, x.Operation.Route()
	}
	a.metrics.calls.WithLabelValues(operation, strconv.Itoa(x.Status)).Inc()
	a.metrics.seconds.WithLabelValues(operation).Observe(x.Took.Seconds())
	if a.options.Mode() == Dev {
		a.requests.add(x)
	}
	if !a.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attributes := []slog.Attr{slog.String("operation", operation), slog.String("method", x.Request.Method), slog.String("route", route),
		slog.Int("status", x.Status), slog.Duration("took", x.Took), slog.String("correlation", x.Correlation)}
	if x.Err != nil {
		attributes = append(attributes, slog.String("kind", x.Err.Kind.String()), slog.String("code", x.Err.Code))
	}
	a.log.LogAttrs(context.Background(), slog.LevelInfo, "call", attributes...)
}
