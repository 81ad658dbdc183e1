/* SPDX-License-Identifier: BSD-2-Clause */
/* config_log.c - messages of the configuration reader: collected, bounded, fit for a terminal. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

#define TEXT_MAX 1024

/* A configuration may hold anything: no escape sequence of it reaches a terminal through a message. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = '?';
        }
    }
}

static size_t print_place(char *to, size_t size, enum config_severity severity, struct config_pos pos)
{
    const char *word = severity == CONFIG_ERROR ? "error" : "warning";
    const char *source = pos.source ? pos.source : "configuration";
    int n = pos.line ? snprintf(to, size, "%.255s:%u:%u: %s: ", source, pos.line, pos.column, word)
                     : snprintf(to, size, "%.255s: %s: ", source, word);

    return n < 0 ? 0 : (size_t)n;
}

static void add_note(struct config_log *log, enum config_severity severity, struct config_pos pos,
                     const char *format, va_list args)
{
    struct config_note *notes;
    char text[TEXT_MAX];
    size_t used;

    log->errors += severity == CONFIG_ERROR;
    if (log->count >= CONFIG_NOTES_MAX ||
        !(notes = realloc(log->notes, (log->count + 1) * sizeof(*notes)))) {
        log->dropped++;
        return;
    }
    log->notes = notes;
    used = print_place(text, sizeof(text), severity, pos);
    vsnprintf(text + used, sizeof(text) - used, format, args);
    make_printable(text);
    notes[log->count] = (struct config_note){ severity, pos.line, pos.column, strdup(text) };
    if (!notes[log->count].text) {
        log->dropped++;
        return;
    }
    log->count++;
}

void config_warn(struct config_log *log, struct config_pos pos, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(log, CONFIG_WARNING, pos, format, args);
    va_end(args);
}

int config_error(struct config_log *log, struct config_pos pos, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_note(log, CONFIG_ERROR, pos, format, args);
    va_end(args);
    return -EINVAL;
}

void config_log_print(const struct config_log *log, FILE *to)
{
    for (size_t i = 0; i < log->count; i++) {
        fprintf(to, "%s\n", log->notes[i].text);
    }
    if (log->dropped) {
        fprintf(to, "... and %zu more messages\n", log->dropped);
    }
}

void config_log_free(struct config_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->notes[i].text);
    }
    free(log->notes);
    memset(log, 0, sizeof(*log));
}
