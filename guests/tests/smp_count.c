/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2,maxcpus=4 255 */
/* hv-args: dom0_max_vcpus=2 */
/*
 * As many processors as the machine has come up: also where the table lists more, and with as many as QEMU's
 * interrupt controllers can number.
 */
#include "smp.h"

TEST("smp: every processor of the machine is used");

static unsigned number_after(const char *word)
{
    const char *line = (const char *)start_info_pointer->cmd_line;
    size_t len = 0;
    unsigned n = 0;

    while (word[len])
        len++;
    while (*line && memcmp(line, word, len) != 0)
        line++;
    for (line += *line ? len : 0; *line >= '0' && *line <= '9'; line++)
        n = n * 10 + (unsigned)(*line - '0');
    return n;
}

void test_main(void)
{
    struct xen_sysctl op = { 0 };
    unsigned want = number_after("cpus=");

    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &op), 0);
    CHECK(want >= 2);
    CHECK_EQ(op.u.physinfo.nr_cpus, want);
    CHECK_EQ(op.u.physinfo.max_cpu_id + 1, want);
}
