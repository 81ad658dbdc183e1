/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch: the command line. Each command is one file cmd_*.c with one struct command; main.c lists them. A
 * command turns its arguments into one request to hauchd, and the answer into text. Nothing here needs
 * privileges but the socket.
 *
 * Exit status: 0 done, 1 failed (the reason is on standard error), 2 not understood. */
#ifndef HAUCH_H
#define HAUCH_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

/* Where a socket or a log may not be opened. */
#define RIGHTS_REMEDY "run this as root, or as a member of group hauch"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;      /* one line for `hauch help` */
    const char *usage;        /* for `hauch NAME --help`: without "usage: " */
    int       (*run)(int argc, char **argv);      /* argv[0] is the command's name */
};

extern const struct command cmd_create, cmd_list, cmd_console, cmd_shutdown, cmd_reboot, cmd_destroy,
    cmd_pause, cmd_unpause, cmd_rename, cmd_domid, cmd_domname, cmd_info, cmd_dmesg, cmd_uptime,
    cmd_vcpu_list, cmd_vcpu_set, cmd_vcpu_pin, cmd_sched_credit2, cmd_sysrq, cmd_debug_keys, cmd_mem_set,
    cmd_mem_max, cmd_vm_list, cmd_config_update, cmd_block_list, cmd_network_list, cmd_channel_list,
    cmd_store, cmd_logs, cmd_top, cmd_block_attach, cmd_block_detach, cmd_network_attach, cmd_network_detach,
    cmd_define, cmd_undefine, cmd_edit, cmd_start, cmd_autostart, cmd_host_start, cmd_host_stop, cmd_events,
    cmd_doctor, cmd_dump_core;

/* Why Hauch does not have that verb of xl, or NULL: it is none (absent.c). */
const char *absent_reason(const char *verb);

/* Called as `xl`: what is printed has xl's columns and nothing else. */
extern bool as_xl;

/* Join the console of a domain until it is left, or for @timeout_ms unless negative: EXIT_* (cmd_console.c).
 */
int join_console(uint16_t domid, int timeout_ms);

/* ---- asking (ask.c) ---- */

/* A request with that name and, unless NULL, that domain. */
struct json_object *request_new(const char *op, const char *domain);
void                request_flag(struct json_object *rq, const char *key, bool value);   /* only if true */

/* Send @rq (its reference is taken) and wait for the answer. EXIT_DONE and *answer (NULL: not wanted), or the
 * reason is printed and EXIT_FAILED returned. */
int ask(struct json_object *rq, struct json_object **answer);

/* No notes (warnings) are shown. */
extern bool ask_quiet;

/* As ask(), but after the answer lines go on until hauchd ends: each is given to @line. */
int ask_stream(struct json_object *rq, void (*line)(struct json_object *o));

/* A request whose answer carries nothing to show. */
int ask_simple(const char *op, const char *domain);

/* ---- showing (show.c) ---- */

/* Text that a guest may have written: control characters and what is no UTF-8 appear as \xNN. */
void show_text(FILE *out, const char *text);
/* The same, padded with blanks to @width characters. */
void show_padded(const char *text, int width);
void show_json(struct json_object *o);

const char *text_in(struct json_object *o, const char *key);      /* "" if absent */
long long   number_in(struct json_object *o, const char *key);    /* 0 if absent */
double      real_in(struct json_object *o, const char *key);
struct json_object *member(struct json_object *o, const char *key);

/* ---- arguments (args.c) ---- */

/* getopt_long() with --help handled: the next option, -1 at the end; on a mistake or after --help it does not
 * return. */
int next_option(const struct command *cmd, int argc, char **argv, const char *shorts,
                const struct option *longs);

/* Decimal text as a number from @min to @max; else a message that names @what, and the end. */
long long number_arg(const struct command *cmd, const char *what, const char *text, long long min,
                     long long max);
/* The same for seconds with a fraction. */
double    seconds_arg(const struct command *cmd, const char *what, const char *text, double min, double max);
void request_text(struct json_object *rq, const char *key, const char *value);      /* unless NULL */
void request_number(struct json_object *rq, const char *key, long long value);

/* The rest of the command line has to have between @min and @max words. */
void need_words(const struct command *cmd, int argc, int min, int max);
/* The mistake, escaped, then how it is used. */
void usage_exit(const struct command *cmd, const char *mistake, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void help_exit(const struct command *cmd) __attribute__((noreturn));      /* after getopt's own message */

/* A command of the form `hauch NAME DOMAIN` without options. */
int run_on_domain(const struct command *cmd, int argc, char **argv);

#endif
