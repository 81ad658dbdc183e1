/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch dmesg: what the hypervisor has to say. */
#include "dom0/hauch/hauch.h"

static int dmesg_run(int argc, char **argv);

const struct command cmd_dmesg = {
    "dmesg", "show the hypervisor's log",
    "hauch dmesg [-c]\n"
    "hauch dmesg --refusals [DOMAIN]\n"
    "hauch dmesg --missing\n"
    "  -c, --clear      empty the log after showing it\n"
    "  --refusals       why hypercalls of domains were refused\n"
    "  --missing        hypercalls that the hypervisor does not have: operation, how often, who was first\n",
    dmesg_run,
};

/* Lines stay lines; all else that is no plain text is escaped: parts of the log come from guests. */
static void show_log(const char *log)
{
    char line[4096];

    while (*log) {
        size_t n = 0;

        while (log[n] && log[n] != '\n' && n < sizeof(line) - 1)
            line[n] = log[n] == '\r' || log[n] == '\t' ? ' ' : log[n], n++;
        line[n] = 0;
        show_text(stdout, line);
        log += n;
        if (*log == '\n')
            putchar(*log++);
    }
}

static int dmesg_run(int argc, char **argv)
{
    static const struct option longs[] = { { "clear", no_argument, NULL, 'c' },
                                           { "refusals", no_argument, NULL, 'r' },
                                           { "missing", no_argument, NULL, 'm' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *rq, *answer = NULL;
    const char         *what = "dmesg";
    bool                clear = false;
    int                 o, rc;

    while ((o = next_option(&cmd_dmesg, argc, argv, "hc", longs)) != -1) {
        clear |= o == 'c';
        what = o == 'r' ? "refusals" : o == 'm' ? "missing" : what;
    }
    need_words(&cmd_dmesg, argc, 0, *what == 'r' ? 1 : 0);
    if (clear && *what != 'd')
        usage_exit(&cmd_dmesg, "--clear empties the log, not these records");
    rq = request_new(what, argv[optind]);
    request_flag(rq, "clear", clear);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    show_log(text_in(answer, "log"));
    json_object_put(answer);
    return EXIT_DONE;
}
