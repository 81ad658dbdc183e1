/* SPDX-License-Identifier: BSD-2-Clause */
/* Showing answers: see hauch.h. */
#include "dom0/hauch/hauch.h"

#include <string.h>

/* Length of the UTF-8 sequence at @s, 0 if it is none (or one of the control characters U+0080 to U+009F). */
static int sequence(const unsigned char *s)
{
    int n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (s[0] == 0xc2 && s[1] < 0xa0)
        return 0;
    return n;
}

void show_text(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        int n = *s >= 0x20 && *s < 0x7f ? 1 : *s < 0x80 ? 0 : sequence(s);

        if (!n) {
            fprintf(out, "\\x%02x", *s++);
            continue;
        }
        fwrite(s, 1, n, out);
        s += n;
    }
}

/* Characters, not bytes: those that continue a UTF-8 sequence take no place. */
static int places(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int                  n = 0;

    while (*s) {
        int bytes = *s >= 0x20 && *s < 0x7f ? 1 : *s < 0x80 ? 0 : sequence(s);

        n += bytes ? 1 : 4;
        s += bytes ? bytes : 1;
    }
    return n;
}

void show_padded(const char *text, int width)
{
    int pad = width - places(text);

    show_text(stdout, text);
    printf("%*s", pad > 0 ? pad : 0, "");
}

void show_json(struct json_object *o)
{
    puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}

struct json_object *member(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    return v;
}

const char *text_in(struct json_object *o, const char *key)
{
    struct json_object *v = member(o, key);

    return v && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

long long number_in(struct json_object *o, const char *key)
{
    return json_object_get_int64(member(o, key));
}

double real_in(struct json_object *o, const char *key)
{
    return json_object_get_double(member(o, key));
}
