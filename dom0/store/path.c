/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking and taking apart the paths of path.h. */
#include "dom0/store/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOME "/local/domain/%u/"

static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '@';
}

static bool absolute_valid(const char *text, size_t len) {
    if (len == 1)
        return text[0] == '/';
    for (size_t i = 0; i < len; i++)
        if (!name_char(text[i]) && text[i] != '/')
            return false;
    return text[0] == '/' && text[len - 1] != '/' && !strstr(text, "//");
}

static bool special_valid(const char *text, size_t len) {
    for (size_t i = 1; i < len; i++)
        if (!name_char(text[i]))
            return false;
    return len > 1 && len <= XENSTORE_REL_PATH_MAX;
}

int path_parse(struct path *out, const char *text, uint16_t home) {
    size_t len = strlen(text), before = 0;
    bool relative = text[0] != '/' && text[0] != '@';
    if (len == 0 || len > XENSTORE_ABS_PATH_MAX)
        return -EINVAL;
    if (relative) {
        if (len > XENSTORE_REL_PATH_MAX)
            return -EINVAL;
        before = (size_t)snprintf(out->text, sizeof(out->text), HOME, (unsigned int)home);
    }
    memcpy(out->text + before, text, len + 1);
    out->len = before + len;
    bool valid = text[0] == '@' ? special_valid(text, len) : absolute_valid(out->text, out->len);
    return valid ? 0 : -EINVAL;
}

size_t path_parent_len(const char *text, size_t len) {
    if (len <= 1 || path_is_special(text))
        return 0;
    while (text[len - 1] != '/')
        len--;
    return len == 1 ? 1 : len - 1;
}

const char *path_name(const char *text, size_t len) {
    while (len > 0 && text[len - 1] != '/')
        len--;
    return text + len;
}

size_t path_home_len(uint16_t domid) {
    return (size_t)snprintf(NULL, 0, HOME, (unsigned int)domid);
}
