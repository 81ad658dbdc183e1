# SPDX-License-Identifier: BSD-2-Clause
# The page-typing machine on the host: built whole and in one go, with tiny limits and a look for preemption after
# every entry.
PT_SRCS  := $(wildcard hv/mm/*.c hv/pv/pt_*.c) hv/pv/mmu.c hv/pv/mmuext.c hv/pv/linear.c hv/pv/descriptor.c \
            hv/pv/ptwr.c hv/pv/insn.c hv/pv/teardown.c hv/core/range.c hv/core/lock.c tests/host/hv_host.c \
            tests/host/stand_in.c
PT_FLAGS := $(BASE) $(WARN) -O1 -Ihv/include -Itests/host/include -DPREEMPT_BATCH=1 -DLINEAR_PT_MAX=3
PT_DEPS  := $(PT_SRCS) $(wildcard hv/include/hv/*.h hv/mm/*.h hv/pv/pt.h hv/pv/mmu.h tests/host/*.h tests/model/pt_*.h \
            tests/host/include/hw/*.h hv/hw/include/hw/*.h)
PT_ASAN  := -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

# $(call pt_program,NAME,SOURCES,FLAGS,LIBS)
define pt_program
$(O)/host/tests/$(1): $(2) $(PT_DEPS)
	@mkdir -p $$(@D)
	$$(CC) $(filter-out -MMD -MP,$(PT_FLAGS)) $(3) $(2) $(PT_SRCS) $(4) -o $$@
HOST_TESTS += $(O)/host/tests/$(1)
endef

$(eval $(call pt_program,pt_model,tests/model/pt_model.c tests/model/pt_recount.c,$(PT_ASAN),))
$(eval $(call pt_program,pt_ptwr,tests/unit/pt_ptwr.c,$(PT_ASAN),-lcmocka))
$(eval $(call pt_program,pt_preempt,tests/unit/pt_preempt.c,$(PT_ASAN) -UPREEMPT_BATCH -DPREEMPT_BATCH=8,-lcmocka))
$(eval $(call pt_program,pt_threads,tests/model/pt_threads.c tests/model/pt_recount.c,-fsanitize=thread,-lpthread))
$(eval $(call pt_program,mm_alloc,tests/unit/mm_alloc.c,$(PT_ASAN),-lcmocka))
$(eval $(call pt_program,pt_attacks,tests/unit/pt_attacks.c tests/model/pt_recount.c,$(PT_ASAN),-lcmocka))
$(eval $(call pt_program,mm_threads,tests/model/mm_threads.c,-fsanitize=thread,-lcmocka -lpthread))
