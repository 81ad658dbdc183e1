/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch list, vm-list: the tables of domains, in the columns that people and scripts know from xl. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int list_run(int argc, char **argv);
static int vm_list_run(int argc, char **argv);

const struct command cmd_list = {
    "list",
    "show domains",
    "hauch list [-v] [-n] [-Z] [-c] [-l | --json] [DOMAIN]\n"
    "hauch list --defined [--json]\n"
    "State is r running, b blocked, p paused, s shut down, c crashed, d dying. Time is CPU time in seconds, "
    "memory in MiB.\n"
    "  -v, --verbose   with UUID and reason of the end\n"
    "  -n, --numa      with NUMA nodes (there is one)\n"
    "  -Z, --context   with security label (there are none)\n"
    "  -c, --cpupool   with the pool of processors (there is one)\n"
    "  -l, --long      all that was asked for, as JSON in xl's form\n"
    "  -d, --defined   definitions instead: which there are, whether they run and start with the host\n"
    "  -j, --json      what is shown, as JSON\n",
    list_run,
};

const struct command cmd_vm_list = {
    "vm-list", "show domains with their UUIDs", "hauch vm-list [--json]\n", vm_list_run,
};

struct look {
    bool verbose, numa, label, pool, full, json, defined;
};

static void show_row(struct json_object *d, const struct look *l)
{
    show_padded(text_in(d, "name"), 40);
    printf(" %5lld %5lld %5lld     %6s  %8.1f", number_in(d, "domid"), number_in(d, "memory_kib") / 1024,
           number_in(d, "vcpus"), text_in(d, "state"), real_in(d, "cpu_time_s"));
    if (l->verbose && member(d, "shutdown_reason"))
        printf(" %s %8llx", text_in(d, "uuid"), number_in(d, "shutdown_reason"));
    else if (l->verbose)
        printf(" %s %8s", text_in(d, "uuid"), "-");
    if (l->verbose || l->label)
        printf(" %16s", "-");
    if (l->pool) {
        char pool[32];

        snprintf(pool, sizeof(pool), "Pool-%lld", number_in(d, "cpupool"));
        printf("%16s", pool);
    }
    if (l->numa)
        printf(" all");
    putchar('\n');
}

static void show_table(struct json_object *domains, const struct look *l)
{
    printf("%-40s %5s %5s %5s\t%s\t%s", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
    if (l->verbose)
        printf("   %-32s%s\t%s", "UUID", "Reason-Code", "Security Label");
    else if (l->label)
        printf("   Security Label");
    if (l->pool)
        printf("         Cpupool");
    if (l->numa)
        printf(" NODE Affinity");
    putchar('\n');
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        show_row(json_object_array_get_idx(domains, i), l);
}

/* As programs know it: number and configuration of each domain that has one. */
static void show_long(struct json_object *domains)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(domains); i++) {
        struct json_object *d = json_object_array_get_idx(domains, i), *o = json_object_new_object();

        json_object_object_add(o, "domid", json_object_new_int64(number_in(d, "domid")));
        json_object_object_add(o, "config", json_object_get(member(d, "config")));
        json_object_array_add(list, o);
    }
    show_json(list);
    json_object_put(list);
}

static int list_defined(bool json)
{
    struct json_object *answer = NULL, *list;
    int                 rc = ask(request_new("definitions", NULL), &answer);

    if (rc)
        return rc;
    list = member(answer, "definitions");
    if (json)
        show_json(list);
    else
        printf("%-40s %5s Autostart\n", "Name", "ID");
    for (size_t i = 0; !json && i < json_object_array_length(list); i++) {
        struct json_object *d = json_object_array_get_idx(list, i);
        struct json_object *id = member(d, "domid");

        show_padded(text_in(d, "name"), 40);
        printf(" %5s %s\n", id ? json_object_get_string(id) : "-",
               json_object_get_boolean(member(d, "autostart")) ? "on" : "off");
    }
    json_object_put(answer);
    return EXIT_DONE;
}

static int list_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "long", no_argument, NULL, 'l' },
                                           { "verbose", no_argument, NULL, 'v' },
                                           { "numa", no_argument, NULL, 'n' },
                                           { "context", no_argument, NULL, 'Z' },
                                           { "cpupool", no_argument, NULL, 'c' },
                                           { "defined", no_argument, NULL, 'd' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *rq, *answer = NULL;
    struct look         l = { 0 };
    int                 o, rc;

    while ((o = next_option(&cmd_list, argc, argv, "hcdjlvnZ", longs)) != -1) {
        l.json |= o == 'j';
        l.full |= o == 'l';
        l.verbose |= o == 'v';
        l.numa |= o == 'n';
        l.label |= o == 'Z';
        l.pool |= o == 'c';
        l.defined |= o == 'd';
    }
    need_words(&cmd_list, argc, 0, l.defined ? 0 : 1);
    if (l.defined)
        return list_defined(l.json);
    rq = request_new("list", argv[optind]);
    request_flag(rq, "configs", l.full);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    if (l.json)
        show_json(member(answer, "domains"));
    else if (l.full)
        show_long(member(answer, "domains"));
    else
        show_table(member(answer, "domains"), &l);
    json_object_put(answer);
    return EXIT_DONE;
}

static int vm_list_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *answer = NULL, *list;
    bool                json = false;
    int                 o, rc;

    while ((o = next_option(&cmd_vm_list, argc, argv, "hj", longs)) != -1)
        json |= o == 'j';
    need_words(&cmd_vm_list, argc, 0, 0);
    rc = ask(request_new("list", NULL), &answer);
    if (rc)
        return rc;
    list = member(answer, "domains");
    if (json)
        show_json(list);
    else
        puts("UUID                                  ID    name");
    for (size_t i = 0; !json && i < json_object_array_length(list); i++) {
        struct json_object *d = json_object_array_get_idx(list, i);

        printf("%s  %-4lld ", text_in(d, "uuid"), number_in(d, "domid"));
        show_padded(text_in(d, "name"), 30);
        putchar('\n');
    }
    json_object_put(answer);
    return EXIT_DONE;
}
