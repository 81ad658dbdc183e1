/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch events: what happens to domains, as it happens, a JSON object a line. */
#include "dom0/hauch/hauch.h"

#include <string.h>

static int events_run(int argc, char **argv);

const struct command cmd_events = {
    "events", "show what happens to domains, as lines of JSON",
    "hauch events\n"
    "Until it is interrupted. docs/json.md lists the events.\n",
    events_run,
};

static void show(struct json_object *o)
{
    if (!o || !member(o, "event"))
        return;
    puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    fflush(stdout);
}

static int events_run(int argc, char **argv)
{
    while (next_option(&cmd_events, argc, argv, "h", NULL) != -1)
        ;
    need_words(&cmd_events, argc, 0, 0);
    return ask_stream(request_new("events", NULL), show);
}
