/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch vcpu-list, vcpu-set, vcpu-pin: a domain's virtual processors, how many and where. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <limits.h>
#include <string.h>

static int list_run(int argc, char **argv);
static int set_run(int argc, char **argv);
static int pin_run(int argc, char **argv);

const struct command cmd_vcpu_list = {
    "vcpu-list", "show virtual processors and where they run",
    "hauch vcpu-list [--json] [DOMAIN ...]\n"
    "State is r running, b blocked, p not in use (offline).\n",
    list_run,
};

const struct command cmd_vcpu_set = {
    "vcpu-set", "change how many virtual processors a domain uses",
    "hauch vcpu-set DOMAIN NUMBER\n"
    "The domain's kernel is asked to; maxvcpus= of its configuration is the limit.\n"
    "  -i, --ignore-host   accepted as xl has it; more than the host has is no error here\n",
    set_run,
};

const struct command cmd_vcpu_pin = {
    "vcpu-pin",
    "say where virtual processors may and should run",
    "hauch vcpu-pin [-f] DOMAIN VCPU|all HARD|- [SOFT|-]\n"
    "HARD is where it may run, SOFT where it rather runs: all, or a list such as 0-3,5,^1; - changes "
    "nothing.\n"
    "  -f, --force         also if the domain's kernel has pinned it itself\n",
    pin_run,
};

static void show_row(struct json_object *v)
{
    bool online = json_object_get_boolean(member(v, "online"));

    show_padded(text_in(v, "name"), 32);
    printf(" %5lld %5lld", number_in(v, "domid"), number_in(v, "vcpu"));
    if (online)
        printf(" %4lld   %c%c-", number_in(v, "cpu"),
               json_object_get_boolean(member(v, "running")) ? 'r' : '-',
               json_object_get_boolean(member(v, "blocked")) ? 'b' : '-');
    else
        printf("    -   --p");
    printf("  %8.1f  %s / %s\n", real_in(v, "cpu_time_s"), text_in(v, "hard"), text_in(v, "soft"));
}

static int show(struct json_object *rq, bool json)
{
    struct json_object *answer = NULL, *list;
    int                 rc = ask(rq, &answer);

    if (rc)
        return rc;
    list = member(answer, "vcpus");
    if (json)
        show_json(list);
    for (size_t i = 0; !json && i < json_object_array_length(list); i++)
        show_row(json_object_array_get_idx(list, i));
    json_object_put(answer);
    return rc;
}

static int list_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool                       json = false;
    int                        o, rc = EXIT_DONE, one;

    while ((o = next_option(&cmd_vcpu_list, argc, argv, "hj", longs)) != -1)
        json |= o == 'j';
    if (!json)
        printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
               "Affinity (Hard / Soft)");
    if (optind == argc)
        return show(request_new("vcpus", NULL), json);
    for (; optind < argc; optind++) {
        one = show(request_new("vcpus", argv[optind]), json);
        rc = rc ? rc : one;
    }
    return rc;
}

static int set_run(int argc, char **argv)
{
    static const struct option longs[] = { { "ignore-host", no_argument, NULL, 'i' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object        *rq;

    while (next_option(&cmd_vcpu_set, argc, argv, "hi", longs) != -1)
        ;
    need_words(&cmd_vcpu_set, argc, 2, 2);
    rq = request_new("vcpu_set", argv[optind]);
    request_number(rq, "count", number_arg(&cmd_vcpu_set, "NUMBER", argv[optind + 1], 0, INT_MAX));
    return ask(rq, NULL);
}

static int pin_run(int argc, char **argv)
{
    static const struct option longs[] = { { "force", no_argument, NULL, 'f' },
                                           { "ignore-global-affinity-masks", no_argument, NULL, 'i' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object        *rq;
    bool                       force = false;
    int                        o;

    while ((o = next_option(&cmd_vcpu_pin, argc, argv, "hfi", longs)) != -1)
        force |= o == 'f';
    need_words(&cmd_vcpu_pin, argc, 3, 4);
    argv += optind;
    rq = request_new("vcpu_pin", argv[0]);
    if (strcmp(argv[1], "all"))
        request_number(rq, "vcpu", number_arg(&cmd_vcpu_pin, "VCPU", argv[1], 0, INT_MAX));
    request_text(rq, "hard", strcmp(argv[2], "-") ? argv[2] : NULL);
    request_text(rq, "soft", argc - optind == 4 && strcmp(argv[3], "-") ? argv[3] : NULL);
    request_flag(rq, "force", force);
    return ask(rq, NULL);
}
