/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch store: look at and change nodes of the store. The one command that does not ask hauchd: whoever may
 * write to the store's socket needs nobody between. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xs_client.h"

static int store_run(int argc, char **argv);

const struct command cmd_store = {
    "store",
    "look at and change the store",
    "hauch store read PATH ...\n"
    "hauch store write PATH VALUE [PATH VALUE ...]\n"
    "hauch store ls [PATH]\n"
    "hauch store rm PATH ...\n"
    "hauch store watch [-n TIMES] [-t SECONDS] PATH ...\n"
    "hauch store quota [-j] [DOMAIN]\n"
    "  -n, --times TIMES       end after that many changes\n"
    "  -t, --timeout SECONDS   end after that time, with status 1\n"
    "  -j, --json              as JSON\n"
    "write does all or nothing. watch prints the path of each change; the first line of each PATH says that "
    "it is "
    "watched.\n",
    store_run,
};

enum { DEPTH_MAX = 128 };

static int failed(struct xs_client *xs)
{
    fputs("hauch store: ", stderr);
    show_text(stderr, xs_client_error(xs));
    fputc('\n', stderr);
    return EXIT_FAILED;
}

static int store_read(struct xs_client *xs, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        char *value = NULL;

        if (xs_client_read(xs, 0, argv[i], &value, NULL))
            return failed(xs);
        show_text(stdout, value);
        putchar('\n');
        free(value);
    }
    return EXIT_DONE;
}

struct writes {
    int    argc;
    char **argv;
};

static int write_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct writes *w = arg;
    int                  rc = 0;

    for (int i = 0; !rc && i < w->argc; i += 2)
        rc = xs_client_write(xs, tx, w->argv[i], w->argv[i + 1], strlen(w->argv[i + 1]));
    return rc;
}

static int store_write(struct xs_client *xs, int argc, char **argv)
{
    struct writes w = { argc, argv };

    if (argc % 2)
        usage_exit(&cmd_store, "write: %d words are no pairs of PATH and VALUE", argc);
    return xs_client_transaction(xs, write_body, &w) ? failed(xs) : EXIT_DONE;
}

static int store_rm(struct xs_client *xs, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        int rc = xs_client_exists(xs, 0, argv[i]);

        if (rc < 0 || (rc && xs_client_rm(xs, 0, argv[i])))
            return failed(xs);
        if (!rc) {
            fprintf(stderr, "hauch store: %s: there is no such node\n", argv[i]);
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

/* One line a node, whole paths: what can be grepped. A node that vanishes meanwhile is left out. */
static int tree(struct xs_client *xs, const char *path, int depth)
{
    char **names = NULL, *value = NULL, below[4096];
    int    n;

    if (path[1] && !xs_client_read(xs, 0, path, &value, NULL)) {
        show_text(stdout, path);
        fputs(" = \"", stdout);
        show_text(stdout, value);
        puts("\"");
    }
    free(value);
    n = depth < DEPTH_MAX ? xs_client_directory(xs, 0, path, &names) : 0;
    for (int i = 0; i < n; i++)
        if (snprintf(below, sizeof(below), "%s/%s", path[1] ? path : "", names[i]) < (int)sizeof(below))
            tree(xs, below, depth + 1);
    free(names);
    return n < 0 && !depth ? failed(xs) : EXIT_DONE;
}

static int store_ls(struct xs_client *xs, int argc, char **argv)
{
    if (argc > 1)
        usage_exit(&cmd_store, "ls: %d paths, at most one is possible", argc);
    return tree(xs, argc ? argv[0] : "/", 0);
}

/* ---- watch ---- */
static long long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int store_watch(struct xs_client *xs, int argc, char **argv, long times, double seconds)
{
    long long              until = seconds < 0 ? -1 : now_ms() + (long long)(seconds * 1000);
    struct xs_client_event ev;
    struct pollfd          p = { .fd = xs_client_fd(xs), .events = POLLIN };

    for (int i = 0; i < argc; i++)
        if (xs_client_watch(xs, argv[i], "w"))
            return failed(xs);
    for (;;) {
        int rc = xs_client_next_event(xs, &ev), left;

        if (rc < 0)
            return failed(xs);
        if (rc) {
            show_text(stdout, ev.path);
            putchar('\n');
            fflush(stdout);
            if (times > 0 && !--times)
                return EXIT_DONE;
            continue;
        }
        left = until < 0 ? -1 : (int)(until - now_ms());
        if (until >= 0 && left <= 0)
            return EXIT_FAILED;
        poll(&p, 1, left);
    }
}

/* ---- quotas: CONTROL usage of hauch-store, lines "DOMID KIND USED LIMIT HITS", a page at a time ---- */
struct usage_row {
    unsigned           domid;
    char               kind[24], used[24];
    unsigned long long limit, hits;
};

static unsigned usage_rows;

static void usage_heading(void)
{
    printf("%5s  %-17s %12s %12s %8s\n", "ID", "Kind", "Used", "Limit", "Hits");
}

static void usage_show(const struct usage_row *r, struct json_object *rows)
{
    struct json_object *o;

    if (!usage_rows++ && !rows)
        usage_heading();
    if (!rows) {
        printf("%5u  %-17s %12s %12llu %8llu\n", r->domid, r->kind, r->used, r->limit, r->hits);
        return;
    }
    o = json_object_new_object();
    json_object_object_add(o, "domid", json_object_new_int64(r->domid));
    json_object_object_add(o, "kind", json_object_new_string(r->kind));
    json_object_object_add(o, "used",
                           r->used[0] == '-' ? NULL : json_object_new_int64(strtoll(r->used, NULL, 10)));
    json_object_object_add(o, "limit", json_object_new_int64(r->limit));
    json_object_object_add(o, "hits", json_object_new_int64(r->hits));
    json_object_array_add(rows, o);
}

/* One page, from domain @from on; where the next begins, 0: there is none, or negative errno. Domain @only
 * unless negative. */
static long usage_page(struct xs_client *xs, long from, long only, struct json_object *rows)
{
    char *answer = NULL, command[32];
    int   n = snprintf(command, sizeof(command), "usage%c%ld", 0, from);
    long  next = xs_client_control(xs, command, n, &answer);

    for (char *line = next ? NULL : strtok(answer, "\n"); line; line = strtok(NULL, "\n")) {
        struct usage_row r;

        if (!strncmp(line, "more ", 5))
            next = strtol(line + 5, NULL, 10);
        else if (sscanf(line, "%u %23s %23s %llu %llu", &r.domid, r.kind, r.used, &r.limit, &r.hits) == 5 &&
                 (only < 0 || r.domid == only))
            usage_show(&r, rows);
    }
    free(answer);
    return only < 0 ? next : next < 0 ? next : 0;
}

static int store_quota(struct xs_client *xs, int argc, char **argv, bool json)
{
    long                only = argc ? number_arg(&cmd_store, "DOMAIN", argv[0], 1, 0x7fef) : -1;
    struct json_object *rows = json ? json_object_new_array() : NULL;
    long                from = only < 0 ? 1 : only;

    if (argc > 1)
        usage_exit(&cmd_store, "quota: %d domains, at most one is possible", argc);
    while (from > 0)
        from = usage_page(xs, from, only, rows);
    if (from < 0)
        return failed(xs);
    if (only >= 0 && !usage_rows) {
        fprintf(stderr, "hauch store: domain %ld is not connected to the store; hauch list shows those that "
                        "are there\n", only);
        return EXIT_FAILED;
    }
    if (rows)
        show_json(rows);
    else if (!usage_rows)
        usage_heading();
    json_object_put(rows);
    return EXIT_DONE;
}

static int on_store(struct xs_client *xs, const char *verb, int argc, char **argv, long times, double seconds,
                    bool json)
{
    if (!strcmp(verb, "read") && argc)
        return store_read(xs, argc, argv);
    if (!strcmp(verb, "write") && argc)
        return store_write(xs, argc, argv);
    if (!strcmp(verb, "rm") && argc)
        return store_rm(xs, argc, argv);
    if (!strcmp(verb, "ls"))
        return store_ls(xs, argc, argv);
    if (!strcmp(verb, "watch") && argc)
        return store_watch(xs, argc, argv, times, seconds);
    if (!strcmp(verb, "quota"))
        return store_quota(xs, argc, argv, json);
    usage_exit(&cmd_store, "\"%.80s\": read, write, ls, rm, watch or quota is wanted, with its paths", verb);
}

static int store_run(int argc, char **argv)
{
    static const struct option longs[] = { { "times", required_argument, NULL, 'n' },
                                           { "timeout", required_argument, NULL, 't' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct xs_client *xs;
    const char       *verb;
    double            seconds = -1;
    long              times = 0;
    bool              json = false;
    int               o, rc;

    while ((o = next_option(&cmd_store, argc, argv, "hjn:t:", longs)) != -1) {
        times = o == 'n' ? number_arg(&cmd_store, "TIMES", optarg, 1, 1 << 30) : times;
        seconds = o == 't' ? seconds_arg(&cmd_store, "SECONDS", optarg, 0, 999999) : seconds;
        json |= o == 'j';
    }
    need_words(&cmd_store, argc, 1, argc);
    verb = argv[optind++];
    rc = xs_client_open(&xs, NULL);
    if (rc) {
        const char *path = getenv("XENSTORED_PATH");

        fprintf(stderr, "hauch store: cannot reach the store at %s: %s; %s\n", path ? path : XS_CLIENT_SOCKET,
                strerror(-rc), rc == -EACCES ? RIGHTS_REMEDY : "start hauch-store");
        return EXIT_FAILED;
    }
    rc = on_store(xs, verb, argc - optind, argv + optind, times, seconds, json);
    xs_client_close(xs);
    return rc;
}
