/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch destroy: end a domain at once and remove it. */
#include "dom0/hauch/hauch.h"

static int destroy_run(int argc, char **argv)
{
    return run_on_domain(&cmd_destroy, argc, argv);
}

const struct command cmd_destroy = {
    "destroy", "end a domain at once and remove it",
    "hauch destroy DOMAIN\n"
    "Like pulling the plug: nothing is written back by the system inside.\n",
    destroy_run,
};
