/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch uptime: how long domains have been running. */
#include "dom0/hauch/hauch.h"

#include <string.h>
#include <time.h>

static int uptime_run(int argc, char **argv);

const struct command cmd_uptime = {
    "uptime", "show how long domains have been running",
    "hauch uptime [-s] [--json] [DOMAIN ...]\n"
    "  -s, --short   one line each, as uptime(1) has it\n",
    uptime_run,
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

static void duration(long long s, bool brief, char *out, size_t size)
{
    long long days = s / 86400;
    int       n = days ? snprintf(out, size, "%lld %s, ", days, days > 1 ? "days" : "day") : 0;

    n += snprintf(out + n, size - n, "%2lld:%02lld", s / 3600 % 24, s / 60 % 60);
    if (!brief)
        snprintf(out + n, size - n, ":%02lld", s % 60);
}

static void show_row(struct json_object *d, bool brief)
{
    long long id = number_in(d, "domid"), s = id ? number_in(d, "uptime_s") : host_uptime();
    time_t    now = time(NULL);
    char      words[64] = "unknown", clock[16];

    if (!id || member(d, "uptime_s"))
        duration(s, brief, words, sizeof(words));
    if (!brief) {
        show_padded(text_in(d, "name"), 33);
        printf(" %4lld %s\n", id, words);
        return;
    }
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
    printf(" %s up %s, ", clock, words);
    show_text(stdout, text_in(d, "name"));
    printf(" (%lld)\n", id);
}

static int show(const char *domain, bool brief, bool json)
{
    struct json_object *answer = NULL, *list;
    int                 rc = ask(request_new("list", domain), &answer);

    if (rc)
        return rc;
    list = member(answer, "domains");
    if (json)
        show_json(list);
    for (size_t i = 0; !json && i < json_object_array_length(list); i++)
        show_row(json_object_array_get_idx(list, i), brief);
    json_object_put(answer);
    return EXIT_DONE;
}

static int uptime_run(int argc, char **argv)
{
    static const struct option longs[] = { { "short", no_argument, NULL, 's' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool                       brief = false, json = false;
    int                        o, rc = EXIT_DONE, one;

    while ((o = next_option(&cmd_uptime, argc, argv, "hsj", longs)) != -1) {
        brief |= o == 's';
        json |= o == 'j';
    }
    if (!brief && !json)
        printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
    if (optind == argc)
        return show(NULL, brief, json);
    for (; optind < argc; optind++) {
        one = show(argv[optind], brief, json);
        rc = rc ? rc : one;
    }
    return rc;
}
