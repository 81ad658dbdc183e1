/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch rename: another name for a running domain. */
#include "dom0/hauch/hauch.h"

static int rename_run(int argc, char **argv);

const struct command cmd_rename = {
    "rename", "give a domain another name",
    "hauch rename DOMAIN NAME\n"
    "The name has to be free. The configuration file is not changed.\n",
    rename_run,
};

static int rename_run(int argc, char **argv)
{
    struct json_object *rq;

    while (next_option(&cmd_rename, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_rename, argc, 2, 2);
    rq = request_new("rename", argv[optind]);
    json_object_object_add(rq, "name", json_object_new_string(argv[optind + 1]));
    return ask(rq, NULL);
}
