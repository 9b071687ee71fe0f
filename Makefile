# softsgx: `make demo` runs the main job, `make test` passes every test.
export CGO_ENABLED ?= 0

# Everything but what belongs to the tracer thread, which the race detector's own
# signal handling would disturb.
raced := $(addprefix ./,isa uapi sgxcrypto cpu driver insn codesite seccomp vdso platform launch mlist)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.PHONY: packages
packages: ## install what tests and demo need (Debian, as root)
	@scripts/packages.sh

.PHONY: build
build: ## build/softsgx, one static binary
	go build -trimpath -ldflags '-s -w' -o build/softsgx ./cmd/softsgx

.PHONY: demo
demo: packages build ## run a small SGX program of ours and show what happened
	@$(MAKE) --no-print-directory -s -C testprogs $(CURDIR)/build/testprogs/demo
	build/softsgx run --summary -- build/testprogs/demo
	@echo; echo '== the same program under a policy: its signer may launch, then it may not'
	@rm -f build/demo.list*
	build/softsgx run --policy testprogs/demo/allow.policy --list build/demo.list -- build/testprogs/demo > build/demo.out
	@tail -1 build/demo.out
	! build/softsgx run --policy testprogs/demo/deny.policy --list build/demo.list -- build/testprogs/demo
	build/softsgx log show build/demo.list
	build/softsgx log verify build/demo.list

.PHONY: test
test: packages lint race ## every test
	go test -timeout 20m ./...

.PHONY: lint
lint: ## go vet, staticcheck, gofmt
	go vet ./...
	go tool staticcheck ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these' >&2; exit 1; }

.PHONY: race
race: packages ## the race detector, on all that is not the tracer thread
	CGO_ENABLED=1 go test -race -short -timeout 15m $(raced)

.PHONY: bench
bench: packages build ## the figures of ARCHITECTURE.md
	@$(MAKE) --no-print-directory -s -C testprogs
	go test -run '^$$' -bench . -benchtime 1x ./conformance
	go test -run '^$$' -bench 'Decide|Append|Verify' ./launch ./mlist

.PHONY: vm
vm: packages build ## our C programs on an emulated machine with another kernel and protection keys
	@$(MAKE) --no-print-directory -s -C testprogs
	scripts/vm.sh

.PHONY: selftest
selftest: packages build ## the kernel's own SGX selftest under softsgx
	cd "$$(scripts/selftest.sh)" && $(CURDIR)/build/softsgx run -- ./test_sgx
