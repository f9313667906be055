# Quittance. `make help` lists what can be done here.
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help build run demo test race lint fmt golden fuzz bench openapi generate

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/quittance: one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/quittance ./cmd/quittance

run: ## start the sandbox with the demo company on 127.0.0.1:8484
	$(GO) run ./cmd/quittance dev

demo: ## run the main job, from a photo to one PDF of an approved report
	$(GO) run ./cmd/quittance demo --exit

test: ## everything that this machine can run; names what it skipped
	@scripts/test

race: ## the kernel and one end-to-end run under the race detector
	$(GO) test -race ./internal/kernel/... ./internal/app/...

lint: ## go vet, gofmt and golangci-lint
	@test -z "$$(gofmt -l cmd client internal migrations bench)" || { gofmt -l cmd client internal migrations bench; exit 1; }
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

fmt: ## format the Go files
	gofmt -w cmd client internal migrations bench

golden: ## rewrite the golden files and docs/reference from what the program does now; read the diff
	$(GO) test $$(grep -rlE '"update"|imagingtest"' --include='*_test.go' internal | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

fuzz: ## run every fuzz target for ten seconds
	@scripts/fuzz 10s

bench: ## the benchmarks of the README, with ratios to their peers
	cd bench && $(GO) run . -table

openapi: ## print the OpenAPI document
	@$(GO) run ./cmd/quittance openapi

generate: ## make generated files anew (pages)
	$(GO) generate ./...
