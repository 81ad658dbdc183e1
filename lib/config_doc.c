/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_doc.c - the configuration as written: statements, values, lists; overrides.
 *
 * A statement is KEY = VALUE or KEY += VALUE and ends at a newline or a semicolon. Inside a list newlines
 * mean nothing. After a mistake the reader skips to the end of the statement (of the list, if in one) and
 * goes on, so that one run reports them all.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

struct parser {
    struct config_lexer lexer;
    struct config_token token;    /* the one to look at */
    struct config_doc *doc;
    struct config_log *log;
    unsigned int depth;           /* of open lists */
    bool bad;                     /* a syntax error was reported */
};

/* ---- values -------------------------------------------------------------------------------------------- */

static void value_clear(struct config_value *value)
{
    for (size_t i = 0; i < value->count; i++) {
        value_clear(&value->items[i]);
    }
    free(value->items);
    free(value->text);
    memset(value, 0, sizeof(*value));
}

void config_doc_free(struct config_doc *doc)
{
    if (!doc) {
        return;
    }
    for (size_t i = 0; i < doc->count; i++) {
        free(doc->entries[i].key);
        value_clear(&doc->entries[i].value);
    }
    free(doc->entries);
    free(doc->name);
    free(doc);
}

const struct config_value *config_find(const struct config_doc *doc, const char *key)
{
    for (size_t i = 0; i < doc->count; i++) {
        if (strcmp(doc->entries[i].key, key) == 0) {
            return &doc->entries[i].value;
        }
    }
    return NULL;
}

/* ---- moving on ----------------------------------------------------------------------------------------- */

static int next(struct parser *p)
{
    free(p->token.text);
    p->token.text = NULL;
    return config_lex(&p->lexer, &p->token);
}

/* Newlines do not count inside a list. */
static int next_in_list(struct parser *p)
{
    int rc;

    do {
        rc = next(p);
    } while (rc == 0 && p->token.kind == TOKEN_NEWLINE);
    return rc;
}

/* After a mistake: to the end of the statement, or behind the end of the list we are in. */
static int skip_statement(struct parser *p)
{
    struct config_log unheard = { 0 };    /* what is odd in the rest of a bad statement is no news */
    int rc = 0;

    p->bad = true;
    p->lexer.log = &unheard;
    while (rc == 0 && p->token.kind != TOKEN_END && (p->token.kind != TOKEN_NEWLINE || p->depth)) {
        p->depth += p->token.kind == TOKEN_OPEN;
        p->depth -= p->token.kind == TOKEN_CLOSE && p->depth;
        rc = next(p);
    }
    p->depth = 0;
    p->lexer.log = p->log;
    config_log_free(&unheard);
    return rc;
}

static const char *token_name(const struct config_token *token)
{
    static const char *const names[] = {
        [TOKEN_END] = "the end of the file", [TOKEN_NEWLINE] = "the end of the line", [TOKEN_WORD] = "a word",
        [TOKEN_NUMBER] = "a number", [TOKEN_STRING] = "a string", [TOKEN_ASSIGN] = "\"=\"",
        [TOKEN_APPEND] = "\"+=\"", [TOKEN_OPEN] = "\"[\"", [TOKEN_CLOSE] = "\"]\"", [TOKEN_COMMA] = "\",\"",
        [TOKEN_BAD] = "something unreadable",
    };

    return names[token->kind];
}

/* Report the present token, unless the lexer has done so. */
static int unexpected(struct parser *p, const char *remedy)
{
    if (p->token.kind == TOKEN_WORD) {
        return config_error(p->log, p->token.pos, "unexpected %.64s: %s", p->token.text, remedy);
    }
    if (p->token.kind != TOKEN_BAD) {
        config_error(p->log, p->token.pos, "unexpected %s: %s", token_name(&p->token), remedy);
    }
    return -EINVAL;
}

/* ---- the grammar --------------------------------------------------------------------------------------- */

static int parse_value(struct parser *p, struct config_value *value);

static int list_add(struct parser *p, struct config_value *list)
{
    struct config_value item = { 0 }, *items;
    int rc = parse_value(p, &item);

    if (rc) {
        return rc;
    }
    items = list->items;
    if ((list->count & (list->count - 1)) == 0) {    /* full at each power of two */
        items = realloc(items, (list->count ? 2 * list->count : 1) * sizeof(*items));
    }
    if (!items) {
        value_clear(&item);
        return -ENOMEM;
    }
    list->items = items;
    items[list->count++] = item;
    return 0;
}

/* The present token is "[". */
static int parse_list(struct parser *p, struct config_value *list)
{
    int rc = 0;

    if (p->depth == CONFIG_DEPTH_MAX) {
        return config_error(p->log, p->token.pos, "lists are nested deeper than %d: flatten them",
                            CONFIG_DEPTH_MAX);
    }
    list->kind = CONFIG_LIST;
    p->depth++;
    rc = next_in_list(p);
    while (rc == 0 && p->token.kind != TOKEN_CLOSE) {
        rc = list_add(p, list);
        if (rc == 0 && p->token.kind == TOKEN_COMMA) {
            rc = next_in_list(p);
        } else if (rc == 0 && p->token.kind == TOKEN_END) {
            rc = config_error(p->log, list->pos, "list is not closed: add ]");
        } else if (rc == 0 && p->token.kind != TOKEN_CLOSE) {
            rc = unexpected(p, "write , between the elements of a list and ] at its end");
        }
    }
    if (rc == 0) {
        p->depth--;
        rc = p->depth ? next_in_list(p) : next(p);
    }
    return rc;
}

static int parse_value(struct parser *p, struct config_value *value)
{
    int rc;

    value->pos = p->token.pos;
    if (p->doc->values == CONFIG_VALUES_MAX) {
        rc = config_error(p->log, p->token.pos, "more than %d values: this is no configuration",
                          CONFIG_VALUES_MAX);
        return rc;
    }
    p->doc->values++;
    switch (p->token.kind) {
    case TOKEN_OPEN:
        rc = parse_list(p, value);
        break;
    case TOKEN_NUMBER:
    case TOKEN_STRING:
        value->kind = p->token.kind == TOKEN_NUMBER ? CONFIG_NUMBER : CONFIG_STRING;
        value->number = p->token.number;
        value->text = p->token.text;
        p->token.text = NULL;
        rc = p->depth ? next_in_list(p) : next(p);
        break;
    case TOKEN_WORD:
        rc = unexpected(p, "put strings into quotes, and write 1 or 0 for yes or no");
        break;
    case TOKEN_END:
        rc = p->depth ? config_error(p->log, p->token.pos, "list is not closed: add ]")
                      : unexpected(p, "write a value behind =");
        break;
    default:
        rc = unexpected(p, "write a string in quotes, a number or a list in [ ] here");
    }
    if (rc) {
        value_clear(value);
    }
    return rc;
}

static int value_append(struct parser *p, struct config_entry *entry, struct config_value *value)
{
    struct config_value *old = &entry->value;

    if (old->kind != value->kind || old->kind == CONFIG_NUMBER) {
        return config_error(p->log, value->pos, "%s += needs a %s, as it has at %s:%u: use = to replace it",
                            entry->key, old->kind == CONFIG_LIST ? "list" : "string", old->pos.source,
                            old->pos.line);
    }
    if (old->kind == CONFIG_STRING) {
        char *text = realloc(old->text, strlen(old->text) + strlen(value->text) + 1);

        if (!text) {
            return -ENOMEM;
        }
        old->text = strcat(text, value->text);
        value_clear(value);
        return 0;
    }
    if (value->count) {
        size_t room = 1;
        struct config_value *items;

        while (room < old->count + value->count) {    /* the size list_add() would have by now */
            room *= 2;
        }
        items = realloc(old->items, room * sizeof(*items));
        if (!items) {
            return -ENOMEM;
        }
        memcpy(items + old->count, value->items, value->count * sizeof(*items));
        old->items = items;
        old->count += value->count;
        free(value->items);
    }
    return 0;
}

/* Takes *value over on success; `key` is copied. */
static int doc_set(struct parser *p, const char *key, struct config_pos pos, bool append,
                   struct config_value *value)
{
    struct config_doc *doc = p->doc;
    struct config_entry *entries;

    for (size_t i = 0; i < doc->count; i++) {
        if (strcmp(doc->entries[i].key, key)) {
            continue;
        }
        if (append) {
            return value_append(p, &doc->entries[i], value);
        }
        if (doc->entries[i].pos.source == pos.source) {
            config_warn(p->log, pos, "%s was set at line %u already: this value replaces it", key,
                        doc->entries[i].pos.line);
        }
        value_clear(&doc->entries[i].value);
        doc->entries[i].value = *value;
        doc->entries[i].pos = pos;
        return 0;
    }
    if (doc->count == CONFIG_KEYS_MAX) {
        return config_error(p->log, pos, "more than %d keys: this is no configuration", CONFIG_KEYS_MAX);
    }
    entries = realloc(doc->entries, (doc->count + 1) * sizeof(*entries));
    if (!entries) {
        return -ENOMEM;
    }
    doc->entries = entries;
    entries[doc->count] = (struct config_entry){ strdup(key), pos, *value };
    if (!entries[doc->count].key) {
        return -ENOMEM;
    }
    doc->count++;
    return 0;
}

/* The present token is the key's word. */
static int parse_assignment(struct parser *p)
{
    struct config_value value = { 0 };
    struct config_pos pos = p->token.pos;
    char *key = p->token.text;
    bool append = false;
    int rc;

    p->token.text = NULL;
    rc = next(p);
    if (rc == 0) {
        append = p->token.kind == TOKEN_APPEND;
        rc = append || p->token.kind == TOKEN_ASSIGN ? next(p) : unexpected(p, "write = behind a key");
    }
    rc = rc ? rc : parse_value(p, &value);
    if (rc == 0 && p->token.kind != TOKEN_NEWLINE && p->token.kind != TOKEN_END) {
        rc = unexpected(p, "end the statement with a new line or ;");
    }
    rc = rc ? rc : doc_set(p, key, pos, append, &value);
    if (rc) {
        value_clear(&value);
    }
    free(key);
    return rc;
}

/* All statements up to the end of the text. */
static int parse_all(struct parser *p)
{
    int rc = next(p);

    while (rc == 0 && p->token.kind != TOKEN_END) {
        if (p->token.kind == TOKEN_NEWLINE) {
            rc = next(p);
            continue;
        }
        rc = p->token.kind == TOKEN_WORD ? parse_assignment(p) : unexpected(p, "a statement is KEY = VALUE");
        if (rc == -EINVAL) {
            rc = skip_statement(p);
        }
    }
    free(p->token.text);
    p->token.text = NULL;
    return rc ? rc : p->bad ? -EINVAL : 0;
}

int config_parse(const char *name, const char *text, size_t size, struct config_doc **out,
                 struct config_log *log)
{
    struct parser p = { .log = log };
    int rc = 0;

    *out = NULL;
    if (size > CONFIG_FILE_MAX) {
        config_error(log, ((struct config_pos){ name, 0, 0 }),
                     "%zu bytes are over the limit of %zu: this is no "
                     "configuration",
                     size, CONFIG_FILE_MAX);
        return -E2BIG;
    }
    p.doc = calloc(1, sizeof(*p.doc));
    if (!p.doc || !(p.doc->name = strdup(name))) {
        rc = -ENOMEM;
    } else {
        p.lexer =
            (struct config_lexer){ .text = text, .size = size, .line = 1, .source = p.doc->name, .log = log };
        rc = parse_all(&p);
    }
    if (rc) {
        config_doc_free(p.doc);
        return rc;
    }
    *out = p.doc;
    return 0;
}

/* ---- overrides ----------------------------------------------------------------------------------------- */

/* Would the text behind = be read as a value? If not it is a string without quotes. */
static bool looks_like_value(const char *text)
{
    char *end;

    text += strspn(text, " \t");
    if (*text == '"' || *text == '\'' || *text == '[') {
        return true;
    }
    errno = 0;
    strtoll(text, &end, 0);
    return errno == 0 && end != text && end[strspn(end, " \t")] == '\0';
}

static int override_string(struct parser *p, const char *assignment, size_t key_size, const char *text,
                           bool append)
{
    struct config_value value = { .kind = CONFIG_STRING, .text = strdup(text) };
    char *key = strndup(assignment, key_size);
    struct config_pos pos = { p->lexer.source, p->lexer.line, 1 };
    int rc = -ENOMEM;

    value.pos = pos;
    value.pos.column = (unsigned int)(text - assignment);    /* where a quote would be */
    if (key && value.text) {
        rc = doc_set(p, key, pos, append, &value);
    }
    if (rc) {
        value_clear(&value);
    }
    free(key);
    return rc;
}

int config_override(struct config_doc *doc, const char *assignment, struct config_log *log)
{
    static const char source[] = "command line";
    struct parser p = { .log = log, .doc = doc };
    size_t size = strlen(assignment), key_size = strspn(assignment, "abcdefghijklmnopqrstuvwxyz"
                                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    const char *equals = assignment + key_size + strspn(assignment + key_size, " \t");
    bool append = equals[0] == '+' && equals[1] == '=';
    struct config_pos pos = { source, ++doc->overrides, 1 };

    equals += append;
    if (key_size == 0 || *equals != '=') {
        return config_error(log, pos, "\"%.64s\" is no KEY=VALUE: write for example memory=512", assignment);
    }
    if (size > CONFIG_FILE_MAX) {
        return -E2BIG;
    }
    p.lexer = (struct config_lexer){ .text = assignment, .size = size, .line = pos.line, .source = source,
                                     .log = log };
    if (!looks_like_value(equals + 1)) {
        return override_string(&p, assignment, key_size, equals + 1, append);
    }
    return parse_all(&p);
}
