# SPDX-License-Identifier: BSD-2-Clause
# What is built for tests, and the targets that run them. tests/run does the counting.
#
## make deps      install what is missing from Debian (asks on a terminal)
## make run       three Linux instances under Hauch in QEMU; without a terminal a scripted play
## make test      every test; ends with "N passed, N failed"
## make check     the part of it that needs no QEMU, about a minute
## make system    the part of it that does; make test NAME=word runs tests with that word in the name
## make nightly   the longer forms too
## make bench     guest instructions and CR3 writes: native, real Xen, Hauch

GUEST_TESTS = $(sort $(wildcard $(O)/guests/*.elf))

.PHONY: host-tests list-tests
host-tests: $(HOST_TESTS) $(FUZZERS)

# One line a test for tests/run: its kind, its program, its arguments.
list-tests:
	@$(foreach t,$(HOST_TESTS),echo 'host $(t)';)
	@$(foreach f,$(FUZZERS),echo 'fuzz $(f) $(FUZZ_ARGS_$(notdir $(f)))';)
	@$(foreach g,$(GUEST_TESTS),echo 'guest $(g)';)

deps:
	@tools/deps

check: deps
	@tests/run check $(NAME)

test: deps
	@tests/run test $(NAME)

system: deps
	@tests/run test $(or $(NAME),system)

nightly: deps
	@echo "commit $$(git rev-parse HEAD)"
	@tests/run nightly $(NAME)

# The guests of `make run` are Debian's kernels and our programs: made anew each time, which takes seconds.
run: deps
	@$(MAKE) -s --no-print-directory hv dom0 bench-programs
	@if [ -t 0 ] && [ -t 1 ]; then tests/system/play.py --interactive; else tests/system/play.py; fi

include tests/bench/rules.mk
