/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd whole, but main(), on a pretended host (hauchd_world.h), asked over its socket as hauch asks. */
#ifndef HAUCHD_HARNESS_H
#define HAUCHD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <json-c/json.h>

#include "dom0/hauchd/registry.h"
#include "dom0/hauchd/worker.h"
#include "tests/host/hauchd_world.h"

extern struct hauchd h;
extern char          dir[], disk[64], registry[64], lib[64];      /* of its state; an image file; the rest */
extern int           client_fd;                                   /* -1: none yet */

void daemon_up(void);
void daemon_gone(void);
int setup(void **state);
int state_files(void);
int teardown(void **state);
void turn(int times);
void send_text(const char *line);
void send_object(struct json_object *o);      /* as a line of its own */
struct json_object *answer(void);
bool ok_of(struct json_object *o, char *error, size_t size);
bool request(const char *line, char *error, size_t size);
struct json_object *create_request(const char *name, const char *more);
bool create(const char *name, const char *more, char *error, size_t size);
const char *with_disk(void);
/* Asks for a core file of domain a, core_file. dump_begin(): from a worker whose disk does not answer. */
extern char core_file[128];
void dump_ask(void);
void dump_begin(void);
void assert_clean(void);

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
