/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_internal.h - what the parts of the configuration reader share: messages, tokens, typed access.
 */
#ifndef LIB_CONFIG_INTERNAL_H
#define LIB_CONFIG_INTERNAL_H

#include <errno.h>

#include "lib/config.h"

/* ---- messages (config_log.c) --------------------------------------------------------------------------- */

void config_warn(struct config_log *log, struct config_pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Always -EINVAL, so that a check is one statement. */
int config_error(struct config_log *log, struct config_pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The place of byte `offset` inside the string that begins (with its quote) at `pos`. */
static inline struct config_pos config_pos_in(struct config_pos pos, size_t offset)
{
    pos.column += pos.line ? (unsigned int)offset + 1 : 0;
    return pos;
}

/* ---- tokens (config_lex.c) ----------------------------------------------------------------------------- */

enum config_token_kind {
    TOKEN_END, TOKEN_NEWLINE, TOKEN_WORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_ASSIGN, TOKEN_APPEND, TOKEN_OPEN,
    TOKEN_CLOSE, TOKEN_COMMA,
    TOKEN_BAD,                /* already reported */
};

struct config_token {
    enum config_token_kind kind;
    struct config_pos pos;
    char *text;               /* word, number as spelled, string without quotes; malloc'ed or NULL */
    int64_t number;
};

struct config_lexer {
    const char *text;
    size_t size, at, line_start;
    unsigned int line;
    const char *source;
    struct config_log *log;
};

/* The next token. -ENOMEM, else 0; what is no token becomes TOKEN_BAD. The caller frees token->text. */
int config_lex(struct config_lexer *lexer, struct config_token *token);

/* ---- specs: comma-separated parameters in a string (config_spec.c) ------------------------------------- */

struct config_spec {
    const char *text;         /* whole string */
    const char *next;         /* rest, NULL at the end */
    struct config_pos pos;    /* of the string */
    struct config_log *log;
    const char *what;         /* "disk", "vif": for messages */
};

struct config_param {
    char text[512];           /* key or whole parameter, cut at the '=' */
    char *value;              /* behind the '=', or NULL */
    struct config_pos pos;
};

/* The next parameter, blanks around it taken off. 1: there is one; 0: none left; -EINVAL: too long. */
int config_spec_next(struct config_spec *spec, struct config_param *param);

/* ---- shared checks ------------------------------------------------------------------------------------- */

/* Duplicate into *to. 0 or -ENOMEM. */
int config_string_set(char **to, const char *from);

/* Is this a name Linux would give a network interface? */
bool config_ifname_ok(const char *name);

/* Go through the keys of a document, warn or refuse as config_keys.def says. 0 or -EINVAL. */
int config_keys_check(const struct config_doc *doc, struct config_log *log);

/* Devices of a domain: the lists `disk` and `vif`. 0, -EINVAL (logged), -ENOMEM. */
int config_disks_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log);
int config_vifs_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log);

/* Both readers go on after a mistake so that all are reported; this keeps the gravest code. */
static inline int config_worst(int a, int b)
{
    return a == -ENOMEM || b == 0 ? a : b;
}

#endif
