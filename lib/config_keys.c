/* SPDX-License-Identifier: BSD-2-Clause */
/* config_keys.c - the table of keys, applied: what is unknown, idle or refused is said, with its place. */
#include <string.h>

#include "lib/config_internal.h"

enum status { KEY_USED, KEY_IDLE, KEY_REFUSED, KEY_HVM };

static const struct row {
    const char *key;
    enum status status;
    const char *why;
} rows[] = {
#define USED(key)         { #key, KEY_USED, NULL },
#define IDLE(key, why)    { #key, KEY_IDLE, why },
#define REFUSED(key, why) { #key, KEY_REFUSED, why },
#define HVM(key)          { #key, KEY_HVM, NULL },
#include "lib/config_keys.def"
#undef USED
#undef IDLE
#undef REFUSED
#undef HVM
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* 0, "" and [] ask for nothing. */
static bool asks(const struct config_value *value)
{
    switch (value->kind) {
    case CONFIG_NUMBER:
        return value->number != 0;
    case CONFIG_STRING:
        return value->text[0] != '\0';
    default:
        return value->count != 0;
    }
}

/* One byte replaced, left out, put in, or two neighbours swapped: for "did you mean". */
static bool nearly_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (*a && strcmp(a + 1, b) == 0) || (*b && strcmp(a, b + 1) == 0) ||
           (*a && *b && (strcmp(a + 1, b + 1) == 0 ||
                         (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0)));
}

static void warn_unknown(const struct config_entry *entry, struct config_log *log)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (nearly_equal(entry->key, rows[i].key)) {
            config_warn(log, entry->pos, "unknown key %.64s is ignored: did you mean %s?", entry->key,
                        rows[i].key);
            return;
        }
    }
    config_warn(log, entry->pos, "unknown key %.64s is ignored: see xl.cfg(5)", entry->key);
}

static int check_entry(const struct config_entry *entry, struct config_log *log)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].key, entry->key)) {
            continue;
        }
        if (rows[i].status == KEY_USED || !asks(&entry->value)) {
            return 0;
        }
        if (rows[i].status == KEY_REFUSED) {
            return config_error(log, entry->pos, "%s %s", entry->key, rows[i].why);
        }
        config_warn(log, entry->pos, "%s %s", entry->key,
                    rows[i].why ? rows[i].why
                                   : "is for HVM or PVH domains and has no effect on this PV one: remove it");
        return 0;
    }
    warn_unknown(entry, log);
    return 0;
}

int config_keys_check(const struct config_doc *doc, struct config_log *log)
{
    int rc = 0;

    for (size_t i = 0; i < doc->count; i++) {
        rc = config_worst(check_entry(&doc->entries[i], log), rc);
    }
    return rc;
}
