/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch domid, hauch domname: from name to number and back. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int domid_run(int argc, char **argv);
static int domname_run(int argc, char **argv);

const struct command cmd_domid = {
    "domid", "show the number of a domain", "hauch domid NAME\n", domid_run,
};

const struct command cmd_domname = {
    "domname", "show the name of a domain", "hauch domname NUMBER\n", domname_run,
};

static int run(const struct command *cmd, int argc, char **argv, bool want_name)
{
    struct json_object *answer = NULL, *d;
    int                 rc;

    while (next_option(cmd, argc, argv, "h", NULL) != -1)
        ;
    need_words(cmd, argc, 1, 1);
    if (want_name)
        number_arg(cmd, "NUMBER", argv[optind], 0, 0x7fef);
    rc = ask(request_new("info", argv[optind]), &answer);
    if (rc)
        return rc;
    d = member(answer, "domain");
    if (want_name)
        show_text(stdout, text_in(d, "name"));
    else
        printf("%lld", number_in(d, "domid"));
    putchar('\n');
    json_object_put(answer);
    return EXIT_DONE;
}

static int domid_run(int argc, char **argv)
{
    return run(&cmd_domid, argc, argv, false);
}

static int domname_run(int argc, char **argv)
{
    return run(&cmd_domname, argc, argv, true);
}
