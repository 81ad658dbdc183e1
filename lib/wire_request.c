/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to hauchd: see wire_request.h. */
#define _GNU_SOURCE
#include "lib/wire_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

enum { DEPTH = 4 };

enum field {
    F_DOMAIN = 1 << 0, F_CONFIG = 1 << 1, F_SOURCE = 1 << 2, F_NAME = 1 << 3, F_SET = 1 << 4,
    F_PAUSED = 1 << 5, F_DRY = 1 << 6, F_WAIT = 1 << 7, F_ALL = 1 << 8, F_CLEAR = 1 << 9,
    F_PROGRESS = 1 << 10,
};

/* One row a request: the fields it must have and those it may have. */
static const struct {
    const char *name;
    unsigned    must, may;
} ops[] = {
    [WIRE_CREATE]   = { "create",   F_CONFIG, F_SOURCE | F_SET | F_PAUSED | F_DRY | F_PROGRESS },
    [WIRE_LIST]     = { "list",     0,        F_DOMAIN },
    [WIRE_INFO]     = { "info",     F_DOMAIN, 0 },
    [WIRE_HOST]     = { "host",     0,        0 },
    [WIRE_SHUTDOWN] = { "shutdown", 0,        F_DOMAIN | F_ALL | F_WAIT },
    [WIRE_REBOOT]   = { "reboot",   0,        F_DOMAIN | F_ALL | F_WAIT },
    [WIRE_DESTROY]  = { "destroy",  F_DOMAIN, 0 },
    [WIRE_PAUSE]    = { "pause",    F_DOMAIN, 0 },
    [WIRE_UNPAUSE]  = { "unpause",  F_DOMAIN, 0 },
    [WIRE_RENAME]   = { "rename",   F_DOMAIN | F_NAME, 0 },
    [WIRE_DMESG]    = { "dmesg",    0,        F_CLEAR },
    [WIRE_REFUSALS] = { "refusals", 0,        F_DOMAIN },
    [WIRE_MISSING]  = { "missing",  0,        0 },
};

static const struct {
    const char *name;
    enum field  field;
    json_type   type;
} fields[] = {
    { "domain", F_DOMAIN, json_type_string },  { "config", F_CONFIG, json_type_string },
    { "source", F_SOURCE, json_type_string },  { "name", F_NAME, json_type_string },
    { "set", F_SET, json_type_array },         { "paused", F_PAUSED, json_type_boolean },
    { "dry", F_DRY, json_type_boolean },       { "wait", F_WAIT, json_type_boolean },
    { "all", F_ALL, json_type_boolean },       { "clear", F_CLEAR, json_type_boolean },
    { "progress", F_PROGRESS, json_type_boolean },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *wire_op_name(enum wire_op op)
{
    return ops[op].name;
}

static char *text_of(struct json_object *v)
{
    return strdup(json_object_get_string(v));
}

static int set_read(struct wire_request *rq, struct json_object *list, struct fault *f)
{
    size_t n = json_object_array_length(list);

    if (n > WIRE_SET_MAX)
        return fault_set(f, -E2BIG, "\"set\" has %zu entries, at most %d are possible", n, WIRE_SET_MAX);
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);

        if (!json_object_is_type(v, json_type_string))
            return fault_set(f, -EINVAL, "\"set\" entry %zu is not a string", i);
        rq->set[rq->set_count] = text_of(v);
        if (!rq->set[rq->set_count++])
            return fault_set(f, -ENOMEM, "out of memory");
    }
    return 0;
}

static int field_read(struct wire_request *rq, enum field field, struct json_object *v, struct fault *f)
{
    char **text = field == F_DOMAIN ? &rq->domain : field == F_CONFIG ? &rq->config :
                  field == F_SOURCE ? &rq->source : field == F_NAME ? &rq->name : NULL;
    bool  *flag = field == F_PAUSED     ? &rq->paused
                  : field == F_DRY      ? &rq->dry
                  : field == F_WAIT     ? &rq->wait
                  : field == F_ALL      ? &rq->all
                  : field == F_CLEAR    ? &rq->clear
                  : field == F_PROGRESS ? &rq->progress
                                        : NULL;

    if (flag)
        *flag = json_object_get_boolean(v);
    if (field == F_SET)
        return set_read(rq, v, f);
    if (!text)
        return 0;
    if (strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
        return fault_set(f, -EINVAL, "a string contains a NUL character");
    *text = text_of(v);
    return *text ? 0 : fault_set(f, -ENOMEM, "out of memory");
}

static int op_find(struct json_object *root, struct fault *f)
{
    struct json_object *op = NULL;

    if (!json_object_is_type(root, json_type_object))
        return fault_set(f, -EINVAL, "a request is a JSON object on one line");
    if (!json_object_object_get_ex(root, "op", &op) || !json_object_is_type(op, json_type_string))
        return fault_set(f, -EINVAL, "the request has no \"op\"");
    for (unsigned i = 0; i < COUNT(ops); i++)
        if (!strcmp(ops[i].name, json_object_get_string(op)))
            return i;
    return fault_set(f, -EINVAL, "unknown request \"%.40s\"", json_object_get_string(op));
}

static int fields_read(struct wire_request *rq, struct json_object *root, struct fault *f)
{
    unsigned seen = 0, allowed = ops[rq->op].must | ops[rq->op].may;

    json_object_object_foreach(root, key, v) {
        unsigned i = 0;
        int      rc;

        if (!strcmp(key, "op"))
            continue;
        while (i < COUNT(fields) && strcmp(fields[i].name, key))
            i++;
        if (i == COUNT(fields) || !(fields[i].field & allowed))
            return fault_set(f, -EINVAL, "request \"%s\" has no field \"%.40s\"", ops[rq->op].name, key);
        if (!json_object_is_type(v, fields[i].type))
            return fault_set(f, -EINVAL, "field \"%s\" is not of type %s", key,
                             json_type_to_name(fields[i].type));
        rc = field_read(rq, fields[i].field, v, f);
        if (rc)
            return rc;
        seen |= fields[i].field;
    }
    for (unsigned i = 0; i < COUNT(fields); i++)
        if (fields[i].field & ops[rq->op].must & ~seen)
            return fault_set(f, -EINVAL, "request \"%s\" needs field \"%s\"", ops[rq->op].name,
                             fields[i].name);
    return 0;
}

int wire_request_parse(const char *line, struct wire_request *out, struct fault *f)
{
    struct json_tokener *tok = json_tokener_new_ex(DEPTH);
    struct json_object  *root = NULL;
    int                  rc;

    memset(out, 0, sizeof(*out));
    if (!tok)
        return fault_set(f, -ENOMEM, "out of memory");
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    root = json_tokener_parse_ex(tok, line, strlen(line) + 1);
    if (!root)
        rc = fault_set(f, -EINVAL, "request is not JSON: %s",
                       json_tokener_error_desc(json_tokener_get_error(tok)));
    else
        rc = op_find(root, f);
    if (rc >= 0) {
        out->op = rc;
        rc = fields_read(out, root, f);
    }
    json_object_put(root);
    json_tokener_free(tok);
    if (rc)
        wire_request_free(out);
    return rc;
}

void wire_request_free(struct wire_request *rq)
{
    free(rq->domain);
    free(rq->config);
    free(rq->source);
    free(rq->name);
    for (unsigned i = 0; i < rq->set_count; i++)
        free(rq->set[i]);
    memset(rq, 0, sizeof(*rq));
}
