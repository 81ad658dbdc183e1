/* SPDX-License-Identifier: BSD-2-Clause */
/* config_spec.c - what disk and vif specs have in common: comma-separated parameters inside a string. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

int config_string_set(char **to, const char *from)
{
    char *copy = strdup(from);

    if (!copy) {
        return -ENOMEM;
    }
    free(*to);
    *to = copy;
    return 0;
}

int config_spec_next(struct config_spec *spec, struct config_param *param)
{
    const char *start = spec->next, *end, *comma;
    char *equals;

    if (!start) {
        return 0;
    }
    start += strspn(start, " \t");
    comma = strchr(start, ',');
    end = comma ? comma : start + strlen(start);
    spec->next = comma ? comma + 1 : NULL;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    param->pos = config_pos_in(spec->pos, (size_t)(start - spec->text));
    if ((size_t)(end - start) >= sizeof(param->text)) {
        return config_error(spec->log, param->pos,
                            "%s: parameter of %zu bytes is over the limit of %zu: shorten it", spec->what,
                            (size_t)(end - start), sizeof(param->text) - 1);
    }
    memcpy(param->text, start, (size_t)(end - start));
    param->text[end - start] = '\0';
    equals = strchr(param->text, '=');
    param->value = equals ? equals + 1 : NULL;
    if (equals) {
        while (equals > param->text && isblank((unsigned char)equals[-1])) {
            equals--;
        }
        *equals = '\0';
        param->value += strspn(param->value, " \t");
    }
    return 1;
}

bool config_ifname_ok(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > CONFIG_IFNAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return false;
    }
    for (; *name; name++) {
        if (!isgraph((unsigned char)*name) || strchr("/:%", *name)) {
            return false;
        }
    }
    return true;
}
