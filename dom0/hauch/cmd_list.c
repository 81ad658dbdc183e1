/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch list: the table of domains, in the columns that people and scripts know from xl. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int list_run(int argc, char **argv);

const struct command cmd_list = {
    "list",
    "show domains",
    "hauch list [--json] [DOMAIN]\n"
    "State is r running, b blocked, p paused, s shut down, c crashed, d dying. Time is CPU time in seconds, "
    "memory in MiB.\n",
    list_run,
};

static void show_row(struct json_object *d)
{
    show_padded(text_in(d, "name"), 40);
    printf(" %5lld %5lld %5lld     %6s  %8.1f\n", number_in(d, "domid"),
           number_in(d, "memory_kib") / 1024, number_in(d, "vcpus"), text_in(d, "state"),
           real_in(d, "cpu_time_s"));
}

static int list_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *answer = NULL, *domains;
    bool                json = false;
    int                 o, rc;

    while ((o = next_option(&cmd_list, argc, argv, "hj", longs)) != -1)
        json |= o == 'j';
    need_words(&cmd_list, argc, 0, 1);
    rc = ask(request_new("list", argv[optind]), &answer);
    if (rc)
        return rc;
    domains = member(answer, "domains");
    if (json) {
        show_json(domains);
    } else {
        printf("%-40s %5s %5s %5s\t%5s\t%10s\n", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
        for (size_t i = 0; i < json_object_array_length(domains); i++)
            show_row(json_object_array_get_idx(domains, i));
    }
    json_object_put(answer);
    return EXIT_DONE;
}
