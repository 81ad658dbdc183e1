# SPDX-License-Identifier: BSD-2-Clause
# Host tests of hv/core on a machine of their own (tests/model/core): tiny limits, under ASan and UBSan, and those
# that matter with four threads under TSan. Included by hv/build.mk.

HV_CORE_SRCS := $(addprefix hv/core/, clock.c domain.c domain_life.c event.c event_2l.c event_fifo.c event_op.c grant.c \
                  grant_copy.c grant_handle.c grant_map.c grant_op.c lock.c op_names.c print.c range.c refusal.c sched.c \
                  sched_cap.c sched_place.c sched_queue.c sched_state.c \
                  sched_op.c task.c time.c timer.c vcpu.c vcpu_op.c)
# Objects depend on this file, for their flags.
HV_CORE_RULES := hv/core/rules.mk
HV_CORE_FAKE  := tests/model/core/fake.c tests/host/stand_in.c
HV_CORE_FLAGS := $(BASE) $(WARN) -O1 -fno-omit-frame-pointer -Itests/model/core -Itests/host/include -Ihv/include \
                  -Ihv/hw/include -DMAX_CPUS=4 -DMAX_VCPUS=8 -DMAX_PORTS=4096 -DPREEMPT_BATCH=4 -DREFUSAL_RING=4
HV_CORE_ASAN  := -fsanitize=address,undefined -fno-sanitize-recover=all
HV_CORE_TSAN  := -fsanitize=thread

$(O)/host-core/%.o: %.c $(HV_CORE_RULES)
	@mkdir -p $(@D)
	$(CC) $(HV_CORE_FLAGS) $(HV_CORE_ASAN) -c $< -o $@
$(O)/host-core-tsan/%.o: %.c $(HV_CORE_RULES)
	@mkdir -p $(@D)
	$(CC) $(HV_CORE_FLAGS) $(HV_CORE_TSAN) -c $< -o $@

# $(eval $(call core_test,NAME,SOURCE)) and core_tsan: one program each.
define core_test
HOST_TESTS += $(O)/host/tests/$(1)
$(O)/host/tests/$(1): $(patsubst %.c,$(O)/host-core/%.o,$(2) $(HV_CORE_FAKE) $(HV_CORE_SRCS))
	@mkdir -p $$(@D)
	$$(CC) $(HV_CORE_ASAN) $$^ -lcmocka -lpthread -o $$@
-include $(patsubst %.c,$(O)/host-core/%.d,$(2) $(HV_CORE_FAKE) $(HV_CORE_SRCS))
endef
define core_tsan
HOST_TESTS += $(O)/host/tests/$(1)
$(O)/host/tests/$(1): $(patsubst %.c,$(O)/host-core-tsan/%.o,$(2) $(HV_CORE_FAKE) $(HV_CORE_SRCS))
	@mkdir -p $$(@D)
	$$(CC) $(HV_CORE_TSAN) $$^ -lcmocka -lpthread -o $$@
-include $(patsubst %.c,$(O)/host-core-tsan/%.d,$(2) $(HV_CORE_FAKE) $(HV_CORE_SRCS))
endef

$(eval $(call core_test,core_unit,tests/unit/print_range.c))
$(eval $(call core_test,event_model,tests/model/event_model.c))
$(eval $(call core_test,event_unit,tests/unit/event_ops.c))
$(eval $(call core_test,grant_model,tests/model/grant_model.c))
$(eval $(call core_test,timer_model,tests/model/timer_model.c))
$(eval $(call core_test,time_model,tests/model/time_model.c))
$(eval $(call core_test,sched_model,tests/model/sched_model.c))
$(eval $(call core_test,domain_unit,tests/unit/domain_life.c))
$(eval $(call core_tsan,event_threads,tests/model/event_threads.c))
$(eval $(call core_tsan,timer_threads,tests/model/timer_threads.c))
$(eval $(call core_tsan,grant_threads,tests/model/grant_threads.c))
$(eval $(call core_tsan,layout_threads,tests/model/layout_threads.c))
$(eval $(call core_tsan,life_threads,tests/model/life_threads.c))

# Interrupts, PCI messages and the console, on hardware of their own (tests/unit/irq_fake.c).
HV_IRQ_SRCS := $(addprefix hv/core/, irq.c irq_map.c ioapic.c pci.c msi.c physdev.c lock.c) tests/unit/irq_fake.c \
               tests/host/stand_in.c
$(eval $(call host_test,irq_lines,tests/unit/irq_lines.c $(HV_IRQ_SRCS)))
$(eval $(call host_test,irq_msi,tests/unit/irq_msi.c $(HV_IRQ_SRCS)))
# Clocks: arithmetic, and two processors that compare their TSCs.
$(eval $(call host_test,clock_unit,tests/unit/clock_math.c hv/core/clock.c))
$(eval $(call host_test,hw_time,tests/unit/hw_time.c tests/host/stand_in.c $(addprefix hv/core/, clock.c tsc_check.c \
                  print.c lock.c)))
$(O)/host/tests/unit/hw_time.o: $(wildcard hv/hw/*.c hv/hw/*.h)
$(eval $(call host_test,tsc_check,tests/unit/tsc_check.c hv/core/tsc_check.c hv/core/clock.c))
$(eval $(call host_test,console_hv,tests/unit/console_hv.c tests/unit/console_hv_fake.c tests/host/stand_in.c \
                  $(addprefix hv/core/, console.c console_input.c console_io.c print.c task.c lock.c)))

# The scheduler on many processors: coroutines that change over at every atomic operation (tests/host/many_cpus.h), and
# the same loads with threads under TSan.
HV_MANY_FLAGS := $(BASE) $(WARN) -O1 -fno-omit-frame-pointer -Itests/model/core -Itests/host/include -Ihv/include \
                  -Ihv/hw/include -DHV_DEBUG -DMAX_CPUS=256 -DMAX_VCPUS=8 -DMAX_PORTS=4096 -DPREEMPT_BATCH=4 -DREFUSAL_RING=4 -DFAKE_FRAMES=8192
HV_MANY_TESTS := tests/host/many_cpus.c $(HV_CORE_FAKE)

$(O)/host-many/hv/%.o: hv/%.c $(HV_CORE_RULES)
	@mkdir -p $(@D)
	$(CC) $(HV_MANY_FLAGS) -fsanitize=thread -c $< -o $@
$(O)/host-many/tests/%.o: tests/%.c $(HV_CORE_RULES)
	@mkdir -p $(@D)
	$(CC) $(HV_MANY_FLAGS) $(HV_MANY_EXTRA) -c $< -o $@
$(O)/host-many-tsan/%.o: %.c $(HV_CORE_RULES)
	@mkdir -p $(@D)
	$(CC) $(HV_MANY_FLAGS) -DMANY_THREADS -fsanitize=thread -c $< -o $@

# $(eval $(call many_test,NAME,SOURCE)) and many_tsan
define many_test
HOST_TESTS += $(O)/host/tests/$(1)
$(O)/host/tests/$(1): $(patsubst %.c,$(O)/host-many/%.o,$(2) $(HV_MANY_TESTS) tests/host/many_points.c $(HV_CORE_SRCS))
	@mkdir -p $$(@D)
	$$(CC) $$^ -lcmocka -lpthread -o $$@
-include $(patsubst %.c,$(O)/host-many/%.d,$(2) $(HV_MANY_TESTS) $(HV_CORE_SRCS))
endef
define many_tsan
HOST_TESTS += $(O)/host/tests/$(1)
$(O)/host/tests/$(1): $(patsubst %.c,$(O)/host-many-tsan/%.o,$(2) $(HV_MANY_TESTS) $(HV_CORE_SRCS))
	@mkdir -p $$(@D)
	$$(CC) -fsanitize=thread $$^ -lcmocka -lpthread -o $$@
-include $(patsubst %.c,$(O)/host-many-tsan/%.d,$(2) $(HV_MANY_TESTS) $(HV_CORE_SRCS))
endef

$(eval $(call many_test,sched_smp,tests/model/sched_smp.c))
$(eval $(call many_tsan,sched_threads,tests/model/sched_smp.c))
$(eval $(call many_test,timer_smp,tests/model/timer_smp.c))
$(eval $(call many_tsan,timer_smp_threads,tests/model/timer_smp.c))
$(eval $(call many_test,end_smp,tests/model/end_smp.c))

# Address spaces, with hv/hw and hv/mm as they are.
$(O)/host-many/tests/model/space_machine.o: HV_MANY_EXTRA := -fsanitize=thread -mgeneral-regs-only -Wno-unused-function -Wno-tsan
$(eval $(call many_test,space_smp,tests/model/space_smp.c tests/model/space_machine.c hv/mm/tlb.c))
