# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor: out/hv/hauch.elf, one 64-bit ELF file that multiboot 1 and 2 loaders take as it is.

HV_SRCS   := hv/main.c $(wildcard hv/core/*.c hv/mm/*.c hv/pv/*.c hv/boot/*.c hv/lib/*.c hv/hw/*.c)
HV_ASM    := $(wildcard hv/hw/*.S)
HV_CFLAGS = $(BASE) $(WARN) -O2 -ffreestanding -fPIE -fvisibility=hidden -mno-red-zone -mgeneral-regs-only \
             -mcmodel=small -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables -fcf-protection=none \
             -fno-jump-tables -ffunction-sections -fdata-sections \
             -include hv/hw/include/hw/hidden.h -Ihv/include -Ihv/hw/include $(HV_EXTRA)

# Linked twice: tools/symbols reads the functions' places from the first link, whose table of symbols is empty.
HV_LINK = $(CC) -nostdlib -static -no-pie -Wl,-T,hv/hw/link.lds -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 \
	    -Wl,--no-dynamic-linker -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings

# $(call hv_image,FOLDER,FLAGS): all of it below out/FOLDER.
define hv_image
$(1): $(O)/$(1)/hauch.elf
.PHONY: $(1)
$(1)_OBJS := $(HV_SRCS:%.c=$(O)/$(1)/%.o) $(HV_ASM:%.S=$(O)/$(1)/%.o)
$(O)/$(1)/hv/lib/string.o: HV_EXTRA := -fno-tree-loop-distribute-patterns
$(O)/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(HV_CFLAGS) $(2) -c $$< -o $$@
$(O)/$(1)/%.o: %.S
	@mkdir -p $$(@D)
	$$(CC) $$(BASE) -D__ASSEMBLER__ -Ihv/include -Ihv/hw/include -c $$< -o $$@
$(O)/$(1)/no-symbols.S: tools/symbols
	@mkdir -p $$(@D)
	$$(PYTHON) tools/symbols --empty > $$@
$(O)/$(1)/first.elf: $$($(1)_OBJS) $(O)/$(1)/no-symbols.o hv/hw/link.lds
	$$(HV_LINK) $$($(1)_OBJS) $(O)/$(1)/no-symbols.o -o $$@
$(O)/$(1)/symbols.S: $(O)/$(1)/first.elf tools/symbols
	$$(PYTHON) tools/symbols $$< > $$@
$(O)/$(1)/symbols.o $(O)/$(1)/no-symbols.o: $(O)/$(1)/%.o: $(O)/$(1)/%.S
	$$(CC) -c $$< -o $$@
$(O)/$(1)/hauch.elf: $(O)/$(1)/symbols.o
	$$(HV_LINK) $$($(1)_OBJS) $$< -o $$@
	$$(PYTHON) tools/symbols --check $(O)/$(1)/symbols.S $$@
-include $$($(1)_OBJS:.o=.d)
endef
$(eval $(call hv_image,hv,))
# The same with the order of locks checked wherever one is taken: `make hv-debug`.
$(eval $(call hv_image,hv-debug,-DHV_DEBUG))

include $(wildcard hv/boot/rules.mk hv/mm/rules.mk hv/pv/rules.mk hv/core/rules.mk hv/core/control.mk)
