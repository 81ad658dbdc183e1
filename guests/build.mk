# SPDX-License-Identifier: BSD-2-Clause
# Test kernels: each guests/tests/NAME.c with the runtime becomes out/guests/NAME.elf, which boots as dom0.

GUEST_RT     := $(patsubst %,$(O)/guest-obj/%.o,$(basename $(wildcard guests/rt/*.c guests/rt/*.S)))
GUEST_NAMES  := $(patsubst guests/tests/%.c,%,$(wildcard guests/tests/*.c))
GUEST_CFLAGS := $(BASE) $(WARN) -O1 -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only -mcmodel=kernel \
                -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Iguests/rt

guests: $(GUEST_NAMES:%=$(O)/guests/%.elf)

$(O)/guest-obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(GUEST_CFLAGS) -c $< -o $@
$(O)/guest-obj/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(GUEST_CFLAGS) -c $< -o $@
$(O)/guests/%.elf: $(O)/guest-obj/guests/tests/%.o $(GUEST_RT) guests/rt/link.lds
	@mkdir -p $(@D)
	$(CC) -nostdlib -static -no-pie -Wl,-T,guests/rt/link.lds -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	    -Wl,--no-warn-rwx-segments $(filter %.o,$^) -o $@

-include $(GUEST_RT:.o=.d) $(GUEST_NAMES:%=$(O)/guest-obj/guests/tests/%.d)
