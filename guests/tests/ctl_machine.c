/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl: what the machine is, its log, its pool, its features. */
#include "rt.h"

TEST("ctl: physinfo, topology, log, domains, features");

static struct xen_sysctl s;

void test_main(void)
{
    static char log[512];
    static struct xen_domctl_getdomaininfo list[4];
    static struct xen_sysctl_cputopo topo[4];
    static uint32_t words[32];

    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &s), 0);
    CHECK(s.u.physinfo.nr_cpus >= 1 && s.u.physinfo.total_pages > start_info_pointer->nr_pages);
    CHECK(s.u.physinfo.free_pages < s.u.physinfo.total_pages);
    CHECK_EQ(s.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_pv, XEN_SYSCTL_PHYSCAP_pv);
    CHECK_EQ(s.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v1, XEN_SYSCTL_PHYSCAP_gnttab_v1);

    memset(&s, 0, sizeof s);
    s.u.readconsole.buffer.va = (uint64_t)log;
    s.u.readconsole.count = sizeof log;
    CHECK_EQ(sysctl(XEN_SYSCTL_readconsole, &s), 0);
    CHECK_EQ(s.u.readconsole.count, sizeof log);
    CHECK(log[0] && log[511]);
    s.u.readconsole.buffer.va = 0x1000;
    CHECK_EQ(sysctl(XEN_SYSCTL_readconsole, &s), -XEN_EFAULT);

    memset(&s, 0, sizeof s);
    s.u.getdomaininfolist.max_domains = 4;
    s.u.getdomaininfolist.buffer.va = (uint64_t)list;
    CHECK_EQ(sysctl(XEN_SYSCTL_getdomaininfolist, &s), 0);
    CHECK_EQ(s.u.getdomaininfolist.num_domains, 1);
    CHECK_EQ(list[0].domain, 0);
    CHECK_EQ(list[0].flags & XEN_DOMINF_running, XEN_DOMINF_running);

    memset(&s, 0, sizeof s);
    s.u.cputopoinfo.num_cpus = 4;
    s.u.cputopoinfo.cputopo.va = (uint64_t)topo;
    CHECK_EQ(sysctl(XEN_SYSCTL_cputopoinfo, &s), 0);
    CHECK(s.u.cputopoinfo.num_cpus >= 1 && s.u.cputopoinfo.num_cpus <= 4);
    memset(&s, 0, sizeof s);
    CHECK_EQ(sysctl(XEN_SYSCTL_sched_id, &s), 0);
    CHECK(s.u.sched_id.sched_id >= XEN_SCHEDULER_CREDIT && s.u.sched_id.sched_id <= XEN_SCHEDULER_NULL);
    memset(&s, 0, sizeof s);
    s.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_pv;
    CHECK_EQ(sysctl(XEN_SYSCTL_get_cpu_featureset, &s), 0);
    CHECK(s.u.cpu_featureset.nr_features >= 4 && s.u.cpu_featureset.nr_features <= 32);
    s.u.cpu_featureset.features.va = (uint64_t)words;
    CHECK_EQ(sysctl(XEN_SYSCTL_get_cpu_featureset, &s), 0);
    CHECK_EQ(words[0] >> 25 & 3, 3);                        /* SSE, SSE2 */
    s.u.cpu_featureset.index = 99;
    CHECK_EQ(sysctl(XEN_SYSCTL_get_cpu_featureset, &s), -XEN_EINVAL);
    memset(&s, 0, sizeof s);
    s.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
    CHECK_EQ(sysctl(XEN_SYSCTL_cpupool_op, &s), 0);
    CHECK_EQ(s.u.cpupool_op.cpupool_id, 0);
    CHECK_EQ(s.u.cpupool_op.n_dom, 1);
    s.u.cpupool_op.cpupool_id = 77;
    CHECK_EQ(sysctl(XEN_SYSCTL_cpupool_op, &s), -XEN_ENOENT);
}
