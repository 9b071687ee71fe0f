# softsgx: `make demo` runs the main job, `make test` passes every test.
export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.PHONY: build
build: ## build/softsgx, one static binary
	go build -trimpath -ldflags '-s -w' -o build/softsgx ./cmd/softsgx

.PHONY: test
test: ## every test
	go vet ./...
	go test ./...
