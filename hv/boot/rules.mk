# SPDX-License-Identifier: BSD-2-Clause
# The boot parsers: what of them goes into the hypervisor, and their host tests. Included by hv/build.mk.

HV_BOOT_UNPACK_SRCS := $(addprefix hv/boot/, decompress.c payload.c crc.c xz.c lzma.c x86filter.c inflate.c lz4.c \
                         zstd.c fse.c huffman.c xxhash.c)
HV_BOOT_SRCS := $(addprefix hv/boot/, memmap.c multiboot.c acpi.c cmdline.c elf.c bzimage.c) $(HV_BOOT_UNPACK_SRCS)

$(eval $(call host_test,boot_multiboot,tests/unit/boot_multiboot.c hv/boot/multiboot.c hv/boot/memmap.c))
$(eval $(call host_test,boot_acpi,tests/unit/boot_acpi.c hv/boot/acpi.c))
$(eval $(call host_test,boot_cmdline,tests/unit/boot_cmdline.c hv/boot/cmdline.c))
$(eval $(call host_test,boot_kernel,tests/unit/boot_kernel.c hv/boot/elf.c hv/boot/bzimage.c hv/boot/payload.c))
$(eval $(call host_test,boot_decompress,tests/unit/boot_decompress.c $(HV_BOOT_UNPACK_SRCS),-llzma -lz -lzstd -llz4))

$(eval $(call fuzzer,boot_multiboot,tests/fuzz/boot_multiboot.c hv/boot/multiboot.c hv/boot/memmap.c))
$(eval $(call fuzzer,boot_acpi,tests/fuzz/boot_acpi.c hv/boot/acpi.c))
$(eval $(call fuzzer,boot_cmdline,tests/fuzz/boot_cmdline.c hv/boot/cmdline.c))
$(eval $(call fuzzer,boot_kernel,tests/fuzz/boot_kernel.c hv/boot/elf.c hv/boot/bzimage.c hv/boot/payload.c))
$(eval $(call fuzzer,boot_decompress,tests/fuzz/boot_decompress.c $(HV_BOOT_UNPACK_SRCS)))
