# SPDX-License-Identifier: BSD-2-Clause
# The benchmark's programs: a QEMU plugin, a static program for the guests, the smallest guest.

.PHONY: bench-programs
bench-programs: $(O)/bench/insn.so $(O)/bench/ops $(O)/bench/ask $(O)/bench/store_ask $(O)/bench/noop.elf

$(O)/bench/insn.so: tests/bench/insn.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -shared -fPIC $< -o $@

$(O)/bench/ops: tests/bench/ops.c tests/bench/mark.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -static $< -o $@

# For the system test of several processors, and for the figures about them.
$(O)/tests/smp_load: tests/system/smp_load.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -static -pthread $< -o $@
smp-programs: $(O)/tests/smp_load $(O)/bench/noop.elf
.PHONY: smp-programs
all: smp-programs

# PV guests are linked where they run; the whole image is one segment, notes included.
$(O)/bench/ask: tests/bench/ask.c tests/bench/mark.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -static $< -o $@

$(O)/bench/store_ask: tests/bench/store_ask.c lib/xs_client.c tests/bench/mark.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -static $(filter %.c,$^) -o $@

$(O)/bench/noop.elf: tests/bench/noop.S
	@mkdir -p $(@D)
	$(CC) -nostdlib -static -no-pie -Wl,-Ttext-segment=0xffffffff80100000 -Wl,-e,start -Wl,--build-id=none \
	    -Wl,-z,max-page-size=4096,-z,noexecstack $< -o $@

# The primitives, measured from a test kernel that is no test (guests/bench/).
.PHONY: bench-primitives
bench-primitives: $(O)/guests/bench/prim.elf
$(O)/guests/bench/prim.elf: $(addprefix $(O)/guest-obj/guests/bench/,prim.o prim_entry.o) $(GUEST_RT) guests/rt/link.lds
	@mkdir -p $(@D)
	$(CC) -nostdlib -static -no-pie -Wl,-T,guests/rt/link.lds -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	    -Wl,--no-warn-rwx-segments $(filter %.o,$^) -o $@
-include $(O)/guest-obj/guests/bench/prim.d

bench: deps
	@$(MAKE) --no-print-directory -s hv dom0
	@tests/bench/bench
	@tests/bench/create
	@tests/bench/store
	@tests/bench/beside
	@tests/bench/prim
	@tests/bench/smp
