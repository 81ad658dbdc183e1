# SPDX-License-Identifier: BSD-2-Clause
# The ABI headers are compared with those of libxen-dev: every name in them, listed at build time.

ABI_HEADERS := $(sort $(filter-out abi/libxen.h,$(wildcard abi/*.h)))
ABI_LIST    := $(O)/host/gen/abi_list.h
ABI_TABLES  := $(O)/host/tests/unit/abi_ours.o $(O)/host/tests/unit/abi_xen.o

$(ABI_LIST): tests/unit/abi_list.py $(ABI_HEADERS)
	@mkdir -p $(@D)
	$(PYTHON) tests/unit/abi_list.py $(ABI_HEADERS) > $@

$(ABI_TABLES): HOST_EXTRA += -I$(O)/host/gen
$(ABI_TABLES): $(ABI_LIST)

$(eval $(call host_test,abi,tests/unit/abi.c tests/unit/abi_ours.c tests/unit/abi_xen.c tests/unit/abi_libxen.c))
