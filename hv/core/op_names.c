/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hypercalls and operations, from the same rows as the dispatcher; for people who read a log. */
#include <hv/op_names.h>

#include <abi/callback.h>
#include <abi/domctl.h>
#include <abi/event.h>
#include <abi/memory.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/sysctl.h>
#include <abi/vcpu.h>

#include <stddef.h>

const char *hypercall_name(uint32_t call)
{
    switch (call) {
#define HYPERCALL(nr, name, ...) case nr: return #name;
#include <abi/hypercalls.def>
#undef HYPERCALL
    }
    return NULL;
}

#define OP(nr, name, ...) case nr: return #name;

static const char *domctl_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/domctl.def>
    }
    return NULL;
}

static const char *event_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/event.def>
    }
    return NULL;
}

static const char *memory_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/memory.def>
    }
    return NULL;
}

static const char *physdev_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/physdev.def>
    }
    return NULL;
}

static const char *platform_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/platform.def>
    }
    return NULL;
}

static const char *sched_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/sched.def>
    }
    return NULL;
}

static const char *sysctl_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/sysctl.def>
    }
    return NULL;
}

static const char *vcpu_name(uint32_t op)
{
    switch (op) {
#include <abi/ops/vcpu.def>
    }
    return NULL;
}

#undef OP

const char *operation_name(uint32_t call, uint32_t op)
{
    switch (call) {
    case __HYPERVISOR_domctl:
        return domctl_name(op);
    case __HYPERVISOR_event_channel_op:
        return event_name(op);
    case __HYPERVISOR_memory_op:
        return memory_name(op);
    case __HYPERVISOR_physdev_op:
        return physdev_name(op);
    case __HYPERVISOR_platform_op:
        return platform_name(op);
    case __HYPERVISOR_sched_op:
        return sched_name(op);
    case __HYPERVISOR_sysctl:
        return sysctl_name(op);
    case __HYPERVISOR_vcpu_op:
        return vcpu_name(op);
    }
    return NULL;
}
