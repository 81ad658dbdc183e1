/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch logs: what a domain wrote on its console, from the files that hauch-console keeps. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int logs_run(int argc, char **argv);

const struct command cmd_logs = {
    "logs", "show what a domain wrote on its console",
    "hauch logs [-f] [-n LINES] [--raw] NAME\n"
    "  -f, --follow        go on with what it writes\n"
    "  -n, --lines LINES   only the last ones\n"
    "      --raw           bytes as they are: what a guest writes can then change the terminal\n"
    "Domains that are gone have logs too.\n",
    logs_run,
};

#define LOG_FOLDER "/var/log/hauch/console"

enum { FOLLOW_MS = 250 };

struct view {
    bool follow, raw;
    long lines;      /* 0: all */
};

static void show_line(const char *line, ssize_t n, const struct view *v)
{
    char *copy;

    if (v->raw) {
        fwrite(line, 1, n, stdout);
        return;
    }
    copy = strndup(line, n);
    for (char *c = copy; c && *c; c++)
        *c = *c == '\t' ? ' ' : *c;
    if (copy)
        copy[strcspn(copy, "\r\n")] = 0;
    show_text(stdout, copy ? copy : "");
    free(copy);
    if (n && line[n - 1] == '\n')
        putchar('\n');
}

static long count_lines(FILE *in)
{
    long n = 0;
    int  c;

    rewind(in);
    while ((c = getc(in)) != EOF)
        n += c == '\n';
    rewind(in);
    return n;
}

static void copy_lines(FILE *in, const struct view *v)
{
    long    skip = v->lines ? count_lines(in) - v->lines : 0;
    char   *line = NULL;
    size_t  size = 0;
    ssize_t n;

    while ((n = getline(&line, &size, in)) > 0)
        if (skip-- <= 0)
            show_line(line, n, v);
    free(line);
    fflush(stdout);
}

static int logs(const char *name, const struct view *v)
{
    const char *folder = getenv("HAUCH_LOGS") ? getenv("HAUCH_LOGS") : LOG_FOLDER;
    char        path[4096];
    FILE       *in;

    if (strchr(name, '/') || snprintf(path, sizeof(path), "%s/%s.log", folder, name) >= (int)sizeof(path))
        usage_exit(&cmd_logs, "NAME is \"%.200s\": the name of a domain is wanted, without a folder", name);
    in = fopen(path, "re");
    if (!in) {
        fprintf(stderr, "hauch logs: %s: %s; %s\n", path, strerror(errno),
                errno == EACCES ? RIGHTS_REMEDY :
                                  "hauch list shows the names of domains that run");
        return EXIT_FAILED;
    }
    copy_lines(in, v);
    while (v->follow) {
        struct view all = { .raw = v->raw };

        poll(NULL, 0, FOLLOW_MS);
        clearerr(in);
        copy_lines(in, &all);
        if (ferror(stdout))
            break;
    }
    fclose(in);
    return EXIT_DONE;
}

static int logs_run(int argc, char **argv)
{
    static const struct option longs[] = { { "follow", no_argument, NULL, 'f' },
                                           { "lines", required_argument, NULL, 'n' },
                                           { "raw", no_argument, NULL, 'r' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct view v = { 0 };
    int         o;

    while ((o = next_option(&cmd_logs, argc, argv, "hfn:", longs)) != -1) {
        v.follow |= o == 'f';
        v.raw |= o == 'r';
        v.lines = o == 'n' ? number_arg(&cmd_logs, "LINES", optarg, 1, 1 << 30) : v.lines;
    }
    need_words(&cmd_logs, argc, 1, 1);
    return logs(argv[optind], &v);
}
