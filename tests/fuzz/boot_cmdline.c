/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as the hypervisor's command line; what comes out has to be in range. */
#include <hv/boot/cmdline.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void count_problem(void *ctx, enum cmdline_problem what, const char *name, const char *value,
                          const char *help)
{
    *(size_t *)ctx += strlen(name) + strlen(value) + strlen(help);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t told = 0;
    struct cmdline_report report = { count_problem, &told };
    struct cmdline_options o;
    char *line = malloc(len + 1);

    memcpy(line, bytes, len);
    line[len] = 0;
    parse_cmdline(cmdline_skip_image(line, ""), &report, &o);
    if (o.maxcpus > 4096 || o.conring_size < 16384 || o.console > 7 || o.dom0_mem.percent > 100 ||
        o.loglvl.limited < o.loglvl.always || mem_amount_bytes(&o.dom0_mem, 1u << 30) > 1u << 30)
        abort();
    free(line);
    return 0;
}
