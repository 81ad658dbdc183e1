/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch unpause: let a paused domain run. */
#include "dom0/hauch/hauch.h"

static int unpause_run(int argc, char **argv)
{
    return run_on_domain(&cmd_unpause, argc, argv);
}

const struct command cmd_unpause = {
    "unpause", "let a paused domain run",
    "hauch unpause DOMAIN\n"
    "Also starts a domain that was created with -p.\n",
    unpause_run,
};
