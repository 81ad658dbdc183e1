# SPDX-License-Identifier: BSD-2-Clause
# Host tests of the control interface: everything but hw/ linked together, entered by hypercalls. Included by
# hv/build.mk.

HV_WHOLE_SRCS := $(sort $(wildcard hv/core/*.c hv/mm/*.c hv/pv/*.c hv/boot/*.c)) tests/unit/domctl_machine.c \
                 tests/host/stand_in.c

$(eval $(call host_test,domctl_life,tests/unit/domctl_life.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,domctl_vcpu,tests/unit/domctl_vcpu.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,cpuid_policy,tests/unit/cpuid_policy.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,sysctl_machine,tests/unit/sysctl_machine.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,crash_record,tests/unit/crash_record.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,machine_end,tests/unit/machine_end.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,debug_keys,tests/unit/debug_keys.c $(HV_WHOLE_SRCS)))
$(eval $(call host_test,watchdog,tests/unit/watchdog.c hv/core/watchdog.c tests/host/stand_in.c))
