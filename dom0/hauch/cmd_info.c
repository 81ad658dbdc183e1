/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch info: what is known of the host, or of one domain. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int info_run(int argc, char **argv);

const struct command cmd_info = {
    "info", "show the host, or all that is known of a domain", "hauch info [--json] [DOMAIN]\n", info_run,
};

static void show_value(int depth, const char *key, struct json_object *v);

/* Lines "key : value", lists and objects indented below their key. */
static void show_object(int depth, struct json_object *o)
{
    json_object_object_foreach(o, key, v)
        show_value(depth, key, v);
}

static void show_value(int depth, const char *key, struct json_object *v)
{
    printf("%*s%-*s:", depth * 2, "", 22 - depth * 2, key);
    if (json_object_is_type(v, json_type_array)) {
        putchar('\n');
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            if (i)
                putchar('\n');
            show_object(depth + 1, json_object_array_get_idx(v, i));
        }
        return;
    }
    putchar(' ');
    show_text(stdout, json_object_get_string(v));
    putchar('\n');
}

static int info_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct json_object *answer = NULL, *o;
    bool                json = false;
    int                 opt, rc;

    while ((opt = next_option(&cmd_info, argc, argv, "hj", longs)) != -1)
        json |= opt == 'j';
    need_words(&cmd_info, argc, 0, 1);
    rc = ask(request_new(argv[optind] ? "info" : "host", argv[optind]), &answer);
    if (rc)
        return rc;
    o = member(answer, argv[optind] ? "domain" : "host");
    if (json)
        show_json(o);
    else
        show_object(0, o);
    json_object_put(answer);
    return EXIT_DONE;
}
