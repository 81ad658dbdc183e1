/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to hauchd: see wire_request.h. */
#define _GNU_SOURCE
#include "lib/wire_request.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

enum { DEPTH = 4 };

/* One row a request: the fields it must have and those it may have. */
static const struct {
    const char *name;
    unsigned    must, may;
} ops[] = {
    [WIRE_CREATE]   = { "create",   F_CONFIG, F_SOURCE | F_SET | F_PAUSED | F_DRY | F_PROGRESS },
    [WIRE_LIST]     = { "list",     0,        F_DOMAIN | F_CONFIGS },
    [WIRE_INFO]     = { "info",     F_DOMAIN, 0 },
    [WIRE_HOST]     = { "host",     0,        F_TOPOLOGY },
    [WIRE_SHUTDOWN] = { "shutdown", 0,        F_DOMAIN | F_ALL | F_WAIT },
    [WIRE_REBOOT]   = { "reboot",   0,        F_DOMAIN | F_ALL | F_WAIT },
    [WIRE_DESTROY]  = { "destroy",  F_DOMAIN, 0 },
    [WIRE_PAUSE]    = { "pause",    F_DOMAIN, 0 },
    [WIRE_UNPAUSE]  = { "unpause",  F_DOMAIN, 0 },
    [WIRE_RENAME]   = { "rename",   F_DOMAIN | F_NAME, 0 },
    [WIRE_DMESG]    = { "dmesg",    0,        F_CLEAR },
    [WIRE_REFUSALS] = { "refusals", 0,        F_DOMAIN },
    [WIRE_MISSING]  = { "missing",  0,        0 },
    [WIRE_VCPUS]    = { "vcpus",    0,        F_DOMAIN },
    [WIRE_VCPU_SET] = { "vcpu_set", F_DOMAIN | F_COUNT, 0 },
    [WIRE_VCPU_PIN] = { "vcpu_pin", F_DOMAIN, F_VCPU | F_HARD | F_SOFT | F_FORCE },
    [WIRE_SCHED]    = { "sched",    0,        F_DOMAIN | F_WEIGHT | F_CAP },
    [WIRE_LAST_CRASH] = { "last-crash", 0,    F_CLEAR },
    [WIRE_CONFIG_UPDATE] = { "config_update", F_DOMAIN | F_CONFIG, F_SOURCE | F_SET },
    [WIRE_SYSRQ]    = { "sysrq",    F_DOMAIN | F_TEXT, 0 },
    [WIRE_MEM_SET]  = { "mem_set",  F_DOMAIN | F_KIB, 0 },
    [WIRE_MEM_MAX]  = { "mem_max",  F_DOMAIN | F_KIB, 0 },
    [WIRE_DEVICES]  = { "devices",  F_DOMAIN, 0 },
    [WIRE_DEBUG_KEYS] = { "debug_keys", F_TEXT, 0 },
    [WIRE_WAIT]     = { "wait",     F_DOMAIN, 0 },
    [WIRE_ATTACH]   = { "attach",   F_DOMAIN | F_TYPE | F_SPEC, 0 },
    [WIRE_DUMP]     = { "dump",     F_DOMAIN | F_PATH, F_LIVE | F_CLEAR },
    [WIRE_DEFINE]   = { "define",   F_CONFIG, F_SOURCE },
    [WIRE_UNDEFINE] = { "undefine", F_DOMAIN, 0 },
    [WIRE_AUTOSTART] = { "autostart", F_DOMAIN | F_ON, 0 },
    [WIRE_DEFINITIONS] = { "definitions", 0, 0 },
    [WIRE_DEFINITION] = { "definition", F_DOMAIN, 0 },
    [WIRE_START]    = { "start",    F_DOMAIN, F_PAUSED | F_PROGRESS },
    [WIRE_BOOT]     = { "boot",     0,        0 },
    [WIRE_HALT]     = { "halt",     0,        F_SECONDS },
    [WIRE_EVENTS]   = { "events",   0,        0 },
    [WIRE_DETACH]   = { "detach",   F_DOMAIN | F_TYPE | F_DEVICE, F_FORCE },
};

#define AT(member) offsetof(struct wire_request, member)

/* Where a field goes; its type says what is there: char *, bool or int64_t. */
static const struct {
    const char     *name;
    enum wire_field field;
    json_type       type;
    size_t          at;
} fields[] = {
    { "domain", F_DOMAIN, json_type_string, AT(domain) },
    { "config", F_CONFIG, json_type_string, AT(config) },
    { "source", F_SOURCE, json_type_string, AT(source) },
    { "name", F_NAME, json_type_string, AT(name) },
    { "hard", F_HARD, json_type_string, AT(hard) },
    { "soft", F_SOFT, json_type_string, AT(soft) },
    { "text", F_TEXT, json_type_string, AT(text) },
    { "type", F_TYPE, json_type_string, AT(type) },
    { "spec", F_SPEC, json_type_string, AT(spec) },
    { "device", F_DEVICE, json_type_string, AT(device) },
    { "set", F_SET, json_type_array, AT(set) },
    { "paused", F_PAUSED, json_type_boolean, AT(paused) },
    { "dry", F_DRY, json_type_boolean, AT(dry) },
    { "wait", F_WAIT, json_type_boolean, AT(wait) },
    { "all", F_ALL, json_type_boolean, AT(all) },
    { "clear", F_CLEAR, json_type_boolean, AT(clear) },
    { "force", F_FORCE, json_type_boolean, AT(force) },
    { "topology", F_TOPOLOGY, json_type_boolean, AT(topology) },
    { "path", F_PATH, json_type_string, AT(path) },
    { "live", F_LIVE, json_type_boolean, AT(live) },
    { "on", F_ON, json_type_boolean, AT(on) },
    { "seconds", F_SECONDS, json_type_int, AT(seconds) },
    { "configs", F_CONFIGS, json_type_boolean, AT(configs) },
    { "progress", F_PROGRESS, json_type_boolean, AT(progress) },
    { "vcpu", F_VCPU, json_type_int, AT(vcpu) },
    { "count", F_COUNT, json_type_int, AT(count) },
    { "weight", F_WEIGHT, json_type_int, AT(weight) },
    { "cap", F_CAP, json_type_int, AT(cap) },
    { "kib", F_KIB, json_type_int, AT(kib) },
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
        return fault_set(f, -E2BIG, "\"set\" has %zu entries, at most %d are possible; write some into the "
                                    "configuration", n,
                         WIRE_SET_MAX);
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);

        if (!json_object_is_type(v, json_type_string))
            return fault_set(f, -EINVAL, "\"set\" entry %zu is not a string", i);
        rq->set[rq->set_count] = text_of(v);
        if (!rq->set[rq->set_count++])
            return fault_memory(f);
    }
    return 0;
}

static int text_read(char **to, struct json_object *v, struct fault *f)
{
    if (strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
        return fault_set(f, -EINVAL, "a string contains a NUL character");
    free(*to);
    *to = text_of(v);
    return *to ? 0 : fault_memory(f);
}

static int field_read(struct wire_request *rq, unsigned i, struct json_object *v, struct fault *f)
{
    char *to = (char *)rq + fields[i].at;

    switch (fields[i].type) {
    case json_type_string:
        return text_read((char **)to, v, f);
    case json_type_array:
        return set_read(rq, v, f);
    case json_type_boolean:
        *(bool *)to = json_object_get_boolean(v);
        return 0;
    default:
        *(int64_t *)to = json_object_get_int64(v);
        return 0;
    }
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
    unsigned allowed = ops[rq->op].must | ops[rq->op].may;

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
        rc = field_read(rq, i, v, f);
        if (rc)
            return rc;
        rq->given |= fields[i].field;
    }
    for (unsigned i = 0; i < COUNT(fields); i++)
        if (fields[i].field & ops[rq->op].must & ~rq->given)
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
        return fault_memory(f);
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
    for (unsigned i = 0; i < COUNT(fields); i++)
        if (fields[i].type == json_type_string)
            free(*(char **)((char *)rq + fields[i].at));
    for (unsigned i = 0; i < rq->set_count; i++)
        free(rq->set[i]);
    memset(rq, 0, sizeof(*rq));
}
