# SPDX-License-Identifier: BSD-2-Clause
# Hauch: one Makefile, no configure step. `make help` lists the targets.
#
#   out/hv/      the hypervisor            out/host/   host tests, built with ASan and UBSan
#   out/dom0/    the dom0 programs         out/guests/ test kernels
#
# Each folder adds its own sources in FOLDER/build.mk.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
PYTHON  ?= python3
O       := out

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wno-unused-parameter
BASE := -std=gnu11 -g -MMD -MP -I.

.PHONY: all hv dom0 guests deps check test system nightly run bench clean help
all: hv dom0 guests

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

# ---- host objects and tests: everything is compiled with the sanitizers ----------------------------------
HOST_CFLAGS := $(BASE) $(WARN) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
               -Ihv/include -Itests/host/include
HOST_TESTS  :=
FUZZERS     :=

$(O)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) $(HOST_EXTRA) -c $< -o $@

# $(eval $(call host_test,NAME,SOURCES,LIBS)): one cmocka program out/host/tests/NAME, run by `make check`.
define host_test
HOST_TESTS += $(O)/host/tests/$(1)
$(O)/host/tests/$(1): $(patsubst %.c,$(O)/host/%.o,$(2))
	@mkdir -p $$(@D)
	$$(CC) -fsanitize=address,undefined $$^ $(3) -lcmocka -o $$@
-include $(patsubst %.c,$(O)/host/%.d,$(2))
endef

# $(eval $(call fuzzer,NAME,SOURCES,LIBS,RUN-ARGUMENTS)): a libFuzzer program out/fuzz/NAME; `make check` runs it
# with a fixed seed and the given arguments (default -runs=20000).
FUZZ_CFLAGS := $(BASE) -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -Ihv/include -Itests/host/include
$(O)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@
define fuzzer
FUZZERS += $(O)/fuzz/$(1)
FUZZ_ARGS_$(1) := $(if $(4),$(4),-runs=20000)
$(O)/fuzz/$(1): $(patsubst %.c,$(O)/fuzz/obj/%.o,$(2))
	@mkdir -p $$(@D)
	$$(CLANG) -fsanitize=fuzzer,address,undefined $$^ $(3) -o $$@
-include $(patsubst %.c,$(O)/fuzz/obj/%.d,$(2))
endef

include $(sort $(wildcard */build.mk dom0/*/build.mk))

clean:
	rm -rf $(O)
