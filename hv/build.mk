# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor: out/hv/hauch.elf, one 64-bit ELF file that multiboot 1 and 2 loaders take as it is.

HV_SRCS   := hv/main.c $(wildcard hv/core/*.c hv/mm/*.c hv/pv/*.c hv/boot/*.c hv/lib/*.c hv/hw/*.c)
HV_ASM    := $(wildcard hv/hw/*.S)
HV_OBJS   := $(HV_SRCS:%.c=$(O)/hv/%.o) $(HV_ASM:%.S=$(O)/hv/%.o)
$(O)/hv/hv/lib/string.o: HV_EXTRA := -fno-tree-loop-distribute-patterns

HV_CFLAGS = $(BASE) $(WARN) -O2 -ffreestanding -fPIE -fvisibility=hidden -mno-red-zone -mgeneral-regs-only \
             -mcmodel=small -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables -fcf-protection=none \
             -fno-jump-tables -ffunction-sections -fdata-sections \
             -include hv/hw/include/hw/hidden.h -Ihv/include -Ihv/hw/include $(HV_EXTRA)

hv: $(O)/hv/hauch.elf

$(O)/hv/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -c $< -o $@
$(O)/hv/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(BASE) -D__ASSEMBLER__ -Ihv/include -Ihv/hw/include -c $< -o $@

# Linked twice: tools/symbols reads the functions' places from the first link, whose table of symbols is empty.
HV_LINK = $(CC) -nostdlib -static -no-pie -Wl,-T,hv/hw/link.lds -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 \
	    -Wl,--no-dynamic-linker -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings

$(O)/hv/no-symbols.S: tools/symbols
	@mkdir -p $(@D)
	$(PYTHON) tools/symbols --empty > $@
$(O)/hv/first.elf: $(HV_OBJS) $(O)/hv/no-symbols.o hv/hw/link.lds
	$(HV_LINK) $(HV_OBJS) $(O)/hv/no-symbols.o -o $@
$(O)/hv/symbols.S: $(O)/hv/first.elf tools/symbols
	$(PYTHON) tools/symbols $< > $@
$(O)/hv/symbols.o $(O)/hv/no-symbols.o: $(O)/hv/%.o: $(O)/hv/%.S
	$(CC) -c $< -o $@
$(O)/hv/hauch.elf: $(O)/hv/symbols.o
	$(HV_LINK) $(HV_OBJS) $< -o $@
	$(PYTHON) tools/symbols --check $(O)/hv/symbols.S $@

-include $(HV_OBJS:.o=.d)

include $(wildcard hv/boot/rules.mk hv/mm/rules.mk hv/pv/rules.mk hv/core/rules.mk hv/core/control.mk)
