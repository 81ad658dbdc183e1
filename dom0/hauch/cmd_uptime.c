/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch uptime: how long domains have been running. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int uptime_run(int argc, char **argv);

const struct command cmd_uptime = {
    "uptime", "show how long domains have been running", "hauch uptime [DOMAIN]\n", uptime_run,
};

static long long host_uptime(void)
{
    FILE  *in = fopen("/proc/uptime", "re");
    double s = 0;

    if (in && fscanf(in, "%lf", &s) != 1)
        s = 0;
    if (in)
        fclose(in);
    return s;
}

static void show_row(struct json_object *d)
{
    long long   s = number_in(d, "domid") ? number_in(d, "uptime_s") : host_uptime();

    show_padded(text_in(d, "name"), 32);
    printf(" %5lld  ", number_in(d, "domid"));
    if (!number_in(d, "domid") || member(d, "uptime_s"))
        printf("%lld days %02lld:%02lld:%02lld\n", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
    else
        puts("unknown");
}

static int uptime_run(int argc, char **argv)
{
    struct json_object *answer = NULL, *domains;
    int                 rc;

    while (next_option(&cmd_uptime, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_uptime, argc, 0, 1);
    rc = ask(request_new("list", argv[optind]), &answer);
    if (rc)
        return rc;
    domains = member(answer, "domains");
    printf("%-32s %5s  Uptime\n", "Name", "ID");
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        show_row(json_object_array_get_idx(domains, i));
    json_object_put(answer);
    return EXIT_DONE;
}
