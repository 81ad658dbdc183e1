/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch info: what is known of the host, in the lines that programs know from xl, or of one domain. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <string.h>

static int info_run(int argc, char **argv);

const struct command cmd_info = {
    "info", "show the host, or all that is known of a domain",
    "hauch info [-n] [--json] [DOMAIN]\n"
    "  -n, --numa   with the topology of processors and memory\n",
    info_run,
};

/* ---- a domain: lines "key : value", lists and objects indented below their key ---- */
static void show_value(int depth, const char *key, struct json_object *v);

static void show_object(int depth, struct json_object *o)
{
    json_object_object_foreach(o, key, v)
        show_value(depth, key, v);
}

static void show_value(int depth, const char *key, struct json_object *v)
{
    printf("%*s%-*s:", depth * 2, "", 22 - depth * 2, key);
    if (json_object_is_type(v, json_type_array)) {
        putchar('\n');
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            if (i)
                putchar('\n');
            show_object(depth + 1, json_object_array_get_idx(v, i));
        }
        return;
    }
    putchar(' ');
    show_text(stdout, json_object_get_string(v));
    putchar('\n');
}

/* ---- the host ---- */
static void line_text(struct json_object *o, const char *label, const char *key)
{
    printf("%-23s: ", label);
    show_text(stdout, text_in(o, key));
    putchar('\n');
}

static void line_number(const char *label, long long n)
{
    printf("%-23s: %lld\n", label, n);
}

static void line_member(struct json_object *o, const char *key)
{
    line_number(key, number_in(o, key));
}

static void show_machine(struct json_object *o)
{
    struct json_object *caps = member(o, "virt_caps");
    long long           khz = number_in(o, "cpu_khz");

    line_text(o, "host", "host");
    line_text(o, "release", "release");
    line_text(o, "version", "version");
    line_text(o, "machine", "machine");
    line_member(o, "nr_cpus");
    line_member(o, "max_cpu_id");
    line_member(o, "nr_nodes");
    line_member(o, "cores_per_socket");
    line_member(o, "threads_per_core");
    printf("%-23s: %lld.%03lld\n", "cpu_mhz", khz / 1000, khz % 1000);
    line_text(o, "hw_caps", "hw_caps");
    printf("%-23s:", "virt_caps");
    for (size_t pass = 0; pass < 2; pass++)           /* pv stands first, whatever the order of the bits */
        for (size_t i = 0; caps && i < json_object_array_length(caps); i++) {
            const char *name = json_object_get_string(json_object_array_get_idx(caps, i));

            if (!strcmp(name, "pv") == !pass)
                printf(" %s", name);
        }
    putchar('\n');
}

static void show_memory(struct json_object *o)
{
    line_number("total_memory", number_in(o, "total_kib") / 1024);
    line_number("free_memory", (number_in(o, "free_kib") - number_in(o, "outstanding_kib")) / 1024);
    line_number("sharing_freed_memory", 0);
    line_number("sharing_used_memory", 0);
    line_number("outstanding_claims", number_in(o, "outstanding_kib") / 1024);
    line_number("free_cpus", 0);
}

static void show_topology(struct json_object *o)
{
    struct json_object *cpus = member(o, "cpu_topology"), *nodes = member(o, "numa_nodes");

    puts("cpu_topology           :\ncpu:    core    socket     node");
    for (size_t i = 0; cpus && i < json_object_array_length(cpus); i++) {
        struct json_object *c = json_object_array_get_idx(cpus, i);

        printf("%3lld:    %4lld     %4lld     %4lld\n", number_in(c, "cpu"), number_in(c, "core"),
               number_in(c, "socket"), number_in(c, "node"));
    }
    puts("device topology        :\ndevice           node\nNo device topology data available");
    puts("numa_info              :\nnode:    memsize    memfree    distances");
    for (size_t i = 0; nodes && i < json_object_array_length(nodes); i++) {
        struct json_object *n = json_object_array_get_idx(nodes, i), *d = member(n, "distances");

        printf("%4lld:    %6lld     %6lld      ", number_in(n, "node"), number_in(n, "memory_kib") / 1024,
               number_in(n, "free_kib") / 1024);
        for (size_t j = 0; j < json_object_array_length(d); j++)
            printf("%s%lld", j ? "," : "", (long long)json_object_get_int64(json_object_array_get_idx(d, j)));
        putchar('\n');
    }
}

static void show_hypervisor(struct json_object *o)
{
    line_number("xen_major", number_in(o, "major"));
    line_number("xen_minor", number_in(o, "minor"));
    line_text(o, "xen_extra", "extra");
    line_text(o, "xen_version", "hypervisor");
    line_text(o, "xen_caps", "caps");
    line_text(o, "xen_scheduler", "scheduler");
    line_number("xen_pagesize", number_in(o, "page_bytes"));
    printf("%-23s: virt_start=%s\n", "platform_params", text_in(o, "virt_start"));
    line_text(o, "xen_changeset", "changeset");
    line_text(o, "xen_commandline", "command_line");
    line_text(o, "cc_compiler", "compiler");
    line_text(o, "cc_compile_by", "compile_by");
    line_text(o, "cc_compile_domain", "compile_domain");
    line_text(o, "cc_compile_date", "compile_date");
    line_text(o, "build_id", "build_id");
    line_number("xend_config_format", 4);
}

static void show_host(struct json_object *o)
{
    show_machine(o);
    show_memory(o);
    if (member(o, "cpu_topology"))
        show_topology(o);
    show_hypervisor(o);
    if (as_xl)
        return;
    line_member(o, "domains_managed");
    line_member(o, "kernels_cached");
    line_member(o, "kernel_cache_kib");
    line_member(o, "kernel_cache_hits");
    line_member(o, "kernels_unpacked");
}

static int info_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "numa", no_argument, NULL, 'n' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *rq, *answer = NULL, *o;
    bool                json = false, numa = false;
    int                 opt, rc;

    while ((opt = next_option(&cmd_info, argc, argv, "hjn", longs)) != -1) {
        json |= opt == 'j';
        numa |= opt == 'n';
    }
    need_words(&cmd_info, argc, 0, 1);
    rq = request_new(argv[optind] ? "info" : "host", argv[optind]);
    request_flag(rq, "topology", numa && !argv[optind]);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    o = member(answer, argv[optind] ? "domain" : "host");
    if (json)
        show_json(o);
    else if (argv[optind])
        show_object(0, o);
    else
        show_host(o);
    json_object_put(answer);
    return EXIT_DONE;
}
