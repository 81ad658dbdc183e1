/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions about the host: see xc.h. */
#include <abi/version.h>

#include "lib/xc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct xen_sysctl *xc_sysctl(struct xc *xc, uint32_t cmd)
{
    struct xen_sysctl *op = xc_op_buffer(xc);

    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return op;
}

int xc_sysctl_run(struct xc *xc, struct xen_sysctl *op, const char *name, struct fault *f)
{
    int rc = xc_call(xc, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0, 0);

    if (rc == -EACCES)
        return fault_set(f, rc,
                         "%s: the hypervisor speaks another version of the control interface than 0x%x "
                         "(Xen 4.17): boot Hauch or Xen 4.17",
                         name, XEN_SYSCTL_INTERFACE_VERSION);
    return rc < 0 ? fault_errno(f, rc, "the hypervisor refuses %s (hauch dmesg --refusals 0 may say "
                                       "why)", name) : 0;
}

int xc_host_physinfo(struct xc *xc, struct xen_sysctl_physinfo *out, struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, XEN_SYSCTL_physinfo);
    int                rc = xc_sysctl_run(xc, op, "physinfo", f);

    if (!rc)
        *out = op->u.physinfo;
    return rc;
}

/* The log and the record of a crash are read alike. */
static int log_part(struct xc *xc, uint32_t cmd, const char *name, char *buf, size_t size, uint32_t *index,
                    bool clear, struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, cmd);
    char              *list = xc_list_buffer(xc);
    int                rc;

    op->u.readconsole.clear = clear;
    op->u.readconsole.incremental = 1;
    op->u.readconsole.index = *index;
    op->u.readconsole.buffer.va = (uintptr_t)list;
    op->u.readconsole.count = size < XC_LIST_BYTES ? size : XC_LIST_BYTES;
    rc = xc_sysctl_run(xc, op, name, f);
    if (rc)
        return rc;
    *index = op->u.readconsole.index;
    memcpy(buf, list, op->u.readconsole.count);
    return op->u.readconsole.count;
}

int xc_host_console(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f)
{
    return log_part(xc, XEN_SYSCTL_readconsole, "readconsole", buf, size, index, clear, f);
}

int xc_host_last_crash(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f)
{
    return log_part(xc, XEN_SYSCTL_hauch_last_crash, "last_crash", buf, size, index, clear, f);
}

int xc_host_key(struct xc *xc, char key, struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, XEN_SYSCTL_debug_keys);
    char              *list = xc_list_buffer(xc);

    list[0] = key;
    op->u.debug_keys.keys.va = (uintptr_t)list;
    op->u.debug_keys.nr_keys = 1;
    return xc_sysctl_run(xc, op, "debug_keys", f);
}

int xc_domain_list(struct xc *xc, uint16_t first, struct xen_domctl_getdomaininfo *out, unsigned max,
                   struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, XEN_SYSCTL_getdomaininfolist);
    void              *list = xc_list_buffer(xc);
    int                rc;

    if (max > XC_LIST_BYTES / sizeof(*out))
        max = XC_LIST_BYTES / sizeof(*out);
    op->u.getdomaininfolist.first_domain = first;
    op->u.getdomaininfolist.max_domains = max;
    op->u.getdomaininfolist.buffer.va = (uintptr_t)list;
    rc = xc_sysctl_run(xc, op, "getdomaininfolist", f);
    if (rc)
        return rc;
    memcpy(out, list, op->u.getdomaininfolist.num_domains * sizeof(*out));
    return op->u.getdomaininfolist.num_domains;
}

/* A version string of at most @size bytes; absent ones stay empty. */
static void version_text(struct xc *xc, unsigned what, char *out, size_t size)
{
    char *op = xc_op_buffer(xc);

    if (xc_call(xc, __HYPERVISOR_xen_version, what, (uintptr_t)op, 0, 0) >= 0)
        snprintf(out, size, "%s", op);
}

/* Four texts of fixed size; one that fills its place has no end. */
static void version_compile(struct xc *xc, struct xc_version *out)
{
    struct xen_compile_info *c = xc_op_buffer(xc);

    if (xc_call(xc, __HYPERVISOR_xen_version, XENVER_compile_info, (uintptr_t)c, 0, 0) < 0)
        return;
    memcpy(out->compiler, c->compiler, sizeof(c->compiler));
    memcpy(out->compile_by, c->compile_by, sizeof(c->compile_by));
    memcpy(out->compile_domain, c->compile_domain, sizeof(c->compile_domain));
    memcpy(out->compile_date, c->compile_date, sizeof(c->compile_date));
}

static void version_build_id(struct xc *xc, struct xc_version *out)
{
    struct xen_build_id *b = xc_op_buffer(xc);
    long                 n;

    b->len = sizeof(out->build_id) / 2;
    n = xc_call(xc, __HYPERVISOR_xen_version, XENVER_build_id, (uintptr_t)b, 0, 0);
    for (long i = 0; i < n && i < (long)sizeof(out->build_id) / 2; i++)
        sprintf(out->build_id + 2 * i, "%02x", b->buf[i]);
}

static void version_numbers(struct xc *xc, struct xc_version *out)
{
    struct xen_platform_parameters *p = xc_op_buffer(xc);
    long                            bytes = xc_call(xc, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0);

    out->page_bytes = bytes > 0 ? bytes : 0;
    if (xc_call(xc, __HYPERVISOR_xen_version, XENVER_platform_parameters, (uintptr_t)p, 0, 0) >= 0)
        out->virt_start = p->virt_start;
}

int xc_host_version(struct xc *xc, struct xc_version *out, struct fault *f)
{
    long v = xc_call(xc, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);

    memset(out, 0, sizeof(*out));
    if (v < 0)
        return fault_errno(f, v, "xen_version");
    out->major = v >> 16;
    out->minor = v & 0xffff;
    version_text(xc, XENVER_extraversion, out->extra, sizeof(out->extra));
    version_text(xc, XENVER_capabilities, out->caps, sizeof(out->caps));
    version_text(xc, XENVER_changeset, out->changeset, sizeof(out->changeset));
    version_text(xc, XENVER_commandline, out->command_line, sizeof(out->command_line));
    version_compile(xc, out);
    version_build_id(xc, out);
    version_numbers(xc, out);
    return 0;
}
