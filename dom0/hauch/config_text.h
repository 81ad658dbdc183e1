/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration on its way to hauchd, which never opens files of people: it is read and checked here, with
 * the places of mistakes, and its text is sent with the settings of the command line. */
#ifndef HAUCH_CONFIG_TEXT_H
#define HAUCH_CONFIG_TEXT_H

#include "dom0/hauch/hauch.h"
#include "lib/wire_request.h"

struct config_text {
    const char *path;
    char       *text;                                 /* after load; to be freed */
    const char *set[WIRE_SET_MAX];
    unsigned    set_count;
    char        absolute[3][4096 + 16];               /* what is sent instead of relative paths */
};

/* The words from optind on, which are of the form KEY=VALUE, or the end with a message. */
void config_text_settings(struct config_text *t, const struct command *cmd, int argc, char **argv);
/* Read and check: EXIT_DONE, or EXIT_FAILED after messages that begin with "hauch COMMAND". */
int config_text_load(struct config_text *t, const char *command);
/* File and settings as one text; the caller frees it. NULL: no memory. */
char *config_text_join(const char *text, const char *const *set, unsigned count);

#endif
