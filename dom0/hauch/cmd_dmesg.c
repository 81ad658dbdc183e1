/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch dmesg: what the hypervisor has to say. */
#include "dom0/hauch/hauch.h"

static int dmesg_run(int argc, char **argv);

const struct command cmd_dmesg = {
    "dmesg", "show the hypervisor's log",
    "hauch dmesg [-c]\n"
    "hauch dmesg --refusals [DOMAIN]\n"
    "hauch dmesg --missing\n"
    "hauch dmesg --last-crash [-c]\n"
    "  -c, --clear      empty the log after showing it\n"
    "  --refusals       why hypercalls of domains were refused\n"
    "  --missing        hypercalls that the hypervisor does not have: operation, how often, who was first\n"
    "  --last-crash     what the hypervisor said before the machine crashed and restarted; -c forgets it\n",
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
                                           { "last-crash", no_argument, NULL, 'l' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *rq, *answer = NULL;
    const char         *what = "dmesg";
    bool                clear = false;
    int                 o, rc;

    while ((o = next_option(&cmd_dmesg, argc, argv, "hc", longs)) != -1) {
        clear |= o == 'c';
        what = o == 'r' ? "refusals" : o == 'm' ? "missing" : o == 'l' ? "last-crash" : what;
    }
    need_words(&cmd_dmesg, argc, 0, *what == 'r' ? 1 : 0);
    if (clear && *what != 'd' && *what != 'l')
        usage_exit(&cmd_dmesg, "--clear empties the log or the record of a crash, not --%s", what);
    rq = request_new(what, argv[optind]);
    request_flag(rq, "clear", clear);
    rc = ask(rq, &answer);
    if (rc)
        return rc;
    if (*what == 'l' && !*text_in(answer, "log"))
        fprintf(stderr, "no crash is recorded: the machine has not crashed since it was switched on, or the "
                        "record was cleared or lost\n");
    show_log(text_in(answer, "log"));
    json_object_put(answer);
    return EXIT_DONE;
}
