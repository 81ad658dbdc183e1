/* SPDX-License-Identifier: BSD-2-Clause */
/* config_cpus.c - lists of physical CPUs: "all", "0-3,5,^1". What begins with ^ is taken out, in order. */
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

static void set_range(struct config_cpus *cpus, unsigned long first, unsigned long last, bool value)
{
    for (unsigned long cpu = first; cpu <= last; cpu++) {
        if (value) {
            cpus->bits[cpu / 64] |= 1ull << cpu % 64;
        } else {
            cpus->bits[cpu / 64] &= ~(1ull << cpu % 64);
        }
    }
}

/* A decimal number at *text, which moves behind it. */
static bool take_number(const char **text, unsigned long *out)
{
    char *end;

    if (**text < '0' || **text > '9') {
        return false;
    }
    *out = strtoul(*text, &end, 10);
    *text = end;
    return true;
}

static int parse_element(const char *key, const struct config_param *param, struct config_cpus *cpus,
                         struct config_log *log)
{
    const char *text = param->text;
    bool out = *text == '^';
    unsigned long first, last;

    text += out;
    if (strcmp(text, "all") == 0) {
        memset(cpus->bits, out ? 0 : 0xff, sizeof(cpus->bits));
        return 0;
    }
    if (strncmp(text, "node", 4) == 0) {
        return config_error(log, param->pos, "%s: \"%s\": NUMA nodes are not supported: name the CPUs", key,
                            param->text);
    }
    if (param->value || !take_number(&text, &first)) {
        return config_error(log, param->pos,
                            "%s: \"%s\" is no CPU: write a list like \"0-3,5,^1\" or \"all\"", key,
                            param->text);
    }
    last = first;
    if ((*text == '-' && (text++, !take_number(&text, &last))) || *text) {
        return config_error(log, param->pos, "%s: \"%s\" is no range of CPUs: write for example 0-3", key,
                            param->text);
    }
    if (last < first || last >= CONFIG_CPUS_MAX) {
        return config_error(log, param->pos, "%s: CPUs %lu-%lu: write the lower one first, and none above %d",
                            key, first, last, CONFIG_CPUS_MAX - 1);
    }
    set_range(cpus, first, last, !out);
    return 0;
}

int config_cpus_parse(const char *key, const char *text, struct config_pos pos, struct config_cpus *cpus,
                      struct config_log *log)
{
    struct config_spec spec = { .text = text, .next = text, .pos = pos, .log = log, .what = key };
    struct config_param param;
    uint64_t any = 0, every = UINT64_MAX;
    int rc;

    memset(cpus, 0, sizeof(*cpus));
    while ((rc = config_spec_next(&spec, &param)) > 0) {
        rc = parse_element(key, &param, cpus, log);
        if (rc) {
            return rc;
        }
    }
    for (size_t i = 0; i < CONFIG_CPUS_MAX / 64; i++) {
        any |= cpus->bits[i];
        every &= cpus->bits[i];
    }
    cpus->all = every == UINT64_MAX;
    if (rc == 0 && !any) {
        rc = config_error(log, pos, "%s: \"%s\" leaves no CPU: name at least one", key, text);
    }
    return rc;
}
