/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch top: who uses the processors now. Two looks at the CPU times of all domains, a while apart. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int top_run(int argc, char **argv);

const struct command cmd_top = {
    "top", "show who uses the processors",
    "hauch top [-d SECONDS] [-i TIMES] [-b | --json]\n"
    "  -d, --delay SECONDS      between two looks (3)\n"
    "  -i, --iterations TIMES   end after that many\n"
    "  -b, --batch              one below the other, for files and pipes\n"
    "  -j, --json               each look as a list on one line, as hauch list --json has it\n"
    "CPU% is of one processor. The key q ends it.\n",
    top_run,
};

enum { IDS = 0x7ff0 };

static double clock_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* CPU times of the last look, by number; a number that is new has used nothing before. */
static double before[IDS];

static void show_rows(struct json_object *list, double passed)
{
    printf("%-32s %5s %6s %10s %6s %8s %5s\n", "Name", "ID", "State", "Time(s)", "CPU%", "Mem", "VCPUs");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *d = json_object_array_get_idx(list, i);
        long long           id = number_in(d, "domid");
        double              used = real_in(d, "cpu_time_s");

        if (id < 0 || id >= IDS)
            continue;
        show_padded(text_in(d, "name"), 32);
        printf(" %5lld %6s %10.1f %6.1f %8lld %5lld\n", id, text_in(d, "state"), used,
               passed > 0 && used >= before[id] ? (used - before[id]) * 100 / passed : 0,
               number_in(d, "memory_kib") / 1024, number_in(d, "vcpus"));
        before[id] = used;
    }
    fflush(stdout);
}

static bool key_q(double seconds)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    char          c;

    if (!isatty(STDIN_FILENO)) {
        poll(NULL, 0, seconds * 1000);
        return false;
    }
    return poll(&p, 1, seconds * 1000) > 0 && (read(STDIN_FILENO, &c, 1) <= 0 || c == 'q');
}

static int looks(double delay, long times, bool batch, bool json)
{
    double last = 0;

    for (long n = 0; !times || n < times; n++) {
        struct json_object *answer = NULL;
        double              now;
        int                 rc;

        if (n && key_q(delay))
            break;
        rc = ask(request_new("list", NULL), &answer);
        if (rc)
            return rc;
        now = clock_s();
        if (json) {
            puts(json_object_to_json_string_ext(member(answer, "domains"), JSON_C_TO_STRING_PLAIN));
            json_object_put(answer);
            continue;
        }
        fputs(batch ? n ? "\n" : "" : "\033[H\033[J", stdout);
        show_rows(member(answer, "domains"), n ? now - last : 0);
        last = now;
        json_object_put(answer);
    }
    return EXIT_DONE;
}

static int top_run(int argc, char **argv)
{
    static const struct option longs[] = { { "delay", required_argument, NULL, 'd' },
                                           { "iterations", required_argument, NULL, 'i' },
                                           { "batch", no_argument, NULL, 'b' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool   batch = !isatty(STDOUT_FILENO), json = false;
    double delay = 3;
    long   times = 0;
    int    o;

    while ((o = next_option(&cmd_top, argc, argv, "hd:i:bj", longs)) != -1) {
        delay = o == 'd' ? seconds_arg(&cmd_top, "SECONDS", optarg, 0.1, 3600) : delay;
        times = o == 'i' ? number_arg(&cmd_top, "TIMES", optarg, 1, 1 << 30) : times;
        batch |= o == 'b';
        json |= o == 'j';
    }
    need_words(&cmd_top, argc, 0, 0);
    return looks(delay, times, batch, json);
}
