/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of commands: see hauch.h. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <stdarg.h>
#include <stdlib.h>

void help_exit(const struct command *cmd)
{
    fprintf(stderr, "usage: %s", cmd->usage);
    exit(EXIT_USAGE);
}

void usage_exit(const struct command *cmd, const char *mistake, ...)
{
    char    text[512];
    va_list ap;

    va_start(ap, mistake);
    vsnprintf(text, sizeof(text), mistake, ap);
    va_end(ap);
    fprintf(stderr, "hauch %s: ", cmd->name);
    show_text(stderr, text);
    fputc('\n', stderr);
    help_exit(cmd);
}

int next_option(const struct command *cmd, int argc, char **argv, const char *shorts,
                const struct option *longs)
{
    static const struct option only_help[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    int                        o = getopt_long(argc, argv, shorts, longs ? longs : only_help, NULL);

    if (o == 'h') {
        printf("usage: %s", cmd->usage);
        exit(EXIT_DONE);
    }
    if (o == '?')
        help_exit(cmd);
    return o;
}

long long number_arg(const struct command *cmd, const char *what, const char *text, long long min,
                     long long max)
{
    char     *end;
    long long n = strtoll(text, &end, 10);

    if (!*text || *end || n < min || n > max)
        usage_exit(cmd, "%s is \"%.80s\": a number from %lld to %lld is wanted", what, text, min, max);
    return n;
}

double seconds_arg(const struct command *cmd, const char *what, const char *text, double min, double max)
{
    char  *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !(seconds >= min && seconds <= max))
        usage_exit(cmd, "%s is \"%.80s\": a number of seconds from %g to %g is wanted", what, text, min, max);
    return seconds;
}

void request_text(struct json_object *rq, const char *key, const char *value)
{
    if (value)
        json_object_object_add(rq, key, json_object_new_string(value));
}

void request_number(struct json_object *rq, const char *key, long long value)
{
    json_object_object_add(rq, key, json_object_new_int64(value));
}

void need_words(const struct command *cmd, int argc, int min, int max)
{
    int n = argc - optind;

    if (n < min)
        usage_exit(cmd, "an argument is missing");
    if (n > max)
        usage_exit(cmd, "too many arguments");
}

int run_on_domain(const struct command *cmd, int argc, char **argv)
{
    while (next_option(cmd, argc, argv, "h", NULL) != -1)
        ;
    need_words(cmd, argc, 1, 1);
    return ask_simple(cmd->name, argv[optind]);
}
