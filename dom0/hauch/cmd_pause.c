/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch pause: stop a domain from running. */
#include "dom0/hauch/hauch.h"

static int pause_run(int argc, char **argv)
{
    return run_on_domain(&cmd_pause, argc, argv);
}

const struct command cmd_pause = {
    "pause", "stop a domain from running",
    "hauch pause DOMAIN\n"
    "It keeps its memory and devices and goes on with hauch unpause.\n",
    pause_run,
};
