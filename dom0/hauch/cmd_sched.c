/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch sched-credit2: how much of the machine each domain gets. The name is that of the interface, which has
 * it from the scheduler of another hypervisor. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <string.h>

static int run(int argc, char **argv);

const struct command cmd_sched_credit2 = {
    "sched-credit2", "show or change weights and caps",
    "hauch sched-credit2 [--json] [-d DOMAIN [-w WEIGHT] [-c CAP]]\n"
    "  -d, --domain DOMAIN   this one only\n"
    "  -w, --weight WEIGHT   its share when processors are short, 1 to 65535 (256)\n"
    "  -c, --cap CAP         the most it may use, in percent of one processor, 0: no limit\n"
    "  -s, --schedparam      show the scheduler's own parameters only\n"
    "  -p, --cpupool POOL    Pool-0 is the only one\n",
    run,
};

static void show_shares(struct json_object *answer, bool one)
{
    struct json_object *list = member(answer, "shares");

    if (!one)
        printf("Cpupool Pool-0: ratelimit=%lldus\n", number_in(answer, "ratelimit_us"));
    printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *s = json_object_array_get_idx(list, i);

        show_padded(text_in(s, "name"), 33);
        printf(" %4lld %6lld %4lld\n", number_in(s, "domid"), number_in(s, "weight"), number_in(s, "cap"));
    }
}

static int list(const char *domain, bool json, bool parameters)
{
    struct json_object *answer = NULL;
    int                 rc = ask(request_new("sched", domain), &answer);

    if (rc)
        return rc;
    if (json)
        show_json(member(answer, "shares"));
    else if (parameters)
        printf("Cpupool Pool-0: ratelimit=%lldus\n", number_in(answer, "ratelimit_us"));
    else
        show_shares(answer, domain);
    json_object_put(answer);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    static const struct option longs[] = {
        { "domain", required_argument, NULL, 'd' },  { "weight", required_argument, NULL, 'w' },
        { "cap", required_argument, NULL, 'c' },     { "schedparam", no_argument, NULL, 's' },
        { "cpupool", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    const char         *domain = NULL, *weight = NULL, *cap = NULL;
    bool                json = false, parameters = false;
    struct json_object *rq;
    int                 o;

    while ((o = next_option(&cmd_sched_credit2, argc, argv, "hjd:w:c:sp:", longs)) != -1) {
        domain = o == 'd' ? optarg : domain;
        weight = o == 'w' ? optarg : weight;
        cap = o == 'c' ? optarg : cap;
        json |= o == 'j';
        parameters |= o == 's';
        if (o == 'p' && strcmp(optarg, "Pool-0"))
            usage_exit(&cmd_sched_credit2, "CPU pool \"%.80s\": Pool-0 is the only one", optarg);
    }
    need_words(&cmd_sched_credit2, argc, 0, 0);
    if (!weight && !cap)
        return list(domain, json, parameters);
    if (!domain)
        usage_exit(&cmd_sched_credit2, "weight and cap belong to a domain: name it with -d");
    rq = request_new("sched", domain);
    if (weight)
        request_number(rq, "weight", number_arg(&cmd_sched_credit2, "WEIGHT", weight, 1, 65535));
    if (cap)
        request_number(rq, "cap", number_arg(&cmd_sched_credit2, "CAP", cap, 0, 65535));
    return ask(rq, NULL);
}
