# make demo     guests on a real bridge, attacked and protected, shown on this terminal
# make test     everything that can fail
SWIFT    ?= swift
CHECKED   = --explicit-target-dependency-import-check error
RELEASE   = .build/release
# Any port to any port: every packet is scanned for all of them.
RULES3000 = ../shared/rules/bench-3000/r3000.suricata.rules

.PHONY: all docs build demo demo-ddos flood-tools test test-unit test-lab test-mirror hour test-vm bench fuzz deb fmt fmt-check install clean

all: build

build:
	@.ci/install build
	$(SWIFT) build -c release $(CHECKED) --product flinchd
	$(SWIFT) build -c release $(CHECKED) --product flinch

# What of the public rule sets loads, and a reference of all keywords; what the rules say of real captures.
docs: build
	docs/make-rules-page $(RELEASE)/flinch > docs/rules.md.new && mv docs/rules.md.new docs/rules.md
	$(RELEASE)/flinch policy checks --page docs/conformance.md \
		$(if $(wildcard ../shared/captures),--captures ../shared/captures)
	docs/make-captures-page $(RELEASE)/flinch > docs/captures.md.new && mv docs/captures.md.new docs/captures.md

demo:
	@.ci/install build lab
	@$(MAKE) --no-print-directory build
	@$(RELEASE)/flinch demo $(DEMO)

# Floods of every class, from ten thousand sources to sixteen million, without and with Flinch; twenty minutes.
demo-ddos:
	@.ci/install build lab
	@$(MAKE) --no-print-directory build flood-tools
	@$(RELEASE)/flinch demo ddos --table $(DEMO)

# What the table of floods is played with.
flood-tools:
	for product in flinch-floor flinch-load; do \
		$(SWIFT) build -c release $(CHECKED) --product $$product || exit; done

# Units first, in a debug build: they trap on what a release build would let by. Then the lab, with the
# programs that an operator runs.
test: test-unit test-lab

test-unit:
	@.ci/install build lab
	$(SWIFT) build --build-tests $(CHECKED)
	$(SWIFT) test --skip-build --skip IntegrationTests

test-lab: build flood-tools
	@.ci/install lab
	$(SWIFT) build --build-tests $(CHECKED)
	FLINCH_BIN=$(CURDIR)/$(RELEASE) $(SWIFT) test --skip-build --filter IntegrationTests

# What an operator is told of an hour of real programs' traffic and attacks; an hour and a few minutes.
hour:
	@.ci/install build lab
	@$(MAKE) --no-print-directory build
	$(SWIFT) build --build-tests $(CHECKED)
	FLINCH_BIN=$(CURDIR)/$(RELEASE) FLINCH_MIXED_SECONDS=3600 $(SWIFT) test --skip-build --filter MixedTraffic

# All captures of ../shared, played into a mirror port: the alerts of a replay. A few minutes.
test-mirror: build
	@.ci/install lab
	$(SWIFT) build --build-tests $(CHECKED)
	FLINCH_CAPTURES=all FLINCH_BIN=$(CURDIR)/$(RELEASE) $(SWIFT) test --skip-build --filter 'IntegrationTests.*Mirror.*Replay'

# The production diversion, on a stock Debian kernel in QEMU.
test-vm: build
	@.ci/install vm
	Tests/VM/runvm.sh Tests/VM/diversion.sh $(CURDIR)/$(RELEASE)
	Tests/VM/runvm.sh Tests/VM/platforms.sh $(CURDIR)/$(RELEASE)
	Tests/VM/guest.sh $(CURDIR)/$(RELEASE)

# What Flinch is compared with, the traffic and the comparison are programs of their own.
bench:
	@.ci/install build lab
	@$(MAKE) --no-print-directory build
	for product in flinch-floor flinch-load CAllocations flinch-bench; do \
		$(SWIFT) build -c release $(CHECKED) --product $$product || exit; done
	@$(RELEASE)/flinch-bench $(BENCH)
	@[ ! -f $(RULES3000) ] || \
		$(RELEASE)/flinch-bench --rules $(RULES3000) --only capacity tcp memory $(BENCH)

fuzz:
	@.ci/install build
	Tests/Fuzz/run $(FUZZ)

fmt:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

fmt-check:
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

# With the Swift runtime linked in, in a build folder of its own.
deb:
	@.ci/install build deb
	$(SWIFT) build -c release $(CHECKED) --static-swift-stdlib --scratch-path .build/deb --product flinchd
	$(SWIFT) build -c release $(CHECKED) --static-swift-stdlib --scratch-path .build/deb --product flinch
	Systemd/package .build/deb/release

clean:
	$(SWIFT) package clean
