/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_lex.c - tokens of a configuration file.
 *
 * A dozen token kinds, one function each; no generated code. Every byte is looked at once, except that what
 * cannot begin a token is skipped and reported as one bad token.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

static int peek(const struct config_lexer *lexer)
{
    return lexer->at < lexer->size ? (unsigned char)lexer->text[lexer->at] : -1;
}

static bool word_byte(int c)
{
    return c >= 0 && (isalnum(c) || c == '_');
}

static void skip_blanks(struct config_lexer *lexer)
{
    int c = peek(lexer);

    while (c == ' ' || c == '\t' || c == '\r') {
        lexer->at++;
        c = peek(lexer);
    }
    if (c == '#') {
        while (c >= 0 && c != '\n') {
            lexer->at++;
            c = peek(lexer);
        }
    }
}

/* Bytes [start, at) as the token's text. */
static int take_text(struct config_lexer *lexer, struct config_token *token, size_t start)
{
    token->text = strndup(lexer->text + start, lexer->at - start);
    return token->text ? 0 : -ENOMEM;
}

static int lex_word(struct config_lexer *lexer, struct config_token *token)
{
    size_t start = lexer->at;

    while (word_byte(peek(lexer)) || peek(lexer) == '-') {
        lexer->at++;
    }
    token->kind = TOKEN_WORD;
    return take_text(lexer, token, start);
}

static int lex_number(struct config_lexer *lexer, struct config_token *token)
{
    size_t start = lexer->at++;
    char *end;

    while (word_byte(peek(lexer)) || peek(lexer) == '.') {
        lexer->at++;
    }
    if (take_text(lexer, token, start)) {
        return -ENOMEM;
    }
    token->kind = TOKEN_NUMBER;
    errno = 0;
    token->number = strtoll(token->text, &end, 0);
    if (*end || end == token->text) {
        config_error(lexer->log, token->pos,
                     "\"%s\" is no number: write decimal digits, 0x and hexadecimal digits, "
                     "or put a string into quotes",
                     token->text);
        token->kind = TOKEN_BAD;
    } else if (errno) {
        config_error(lexer->log, token->pos, "number %s does not fit into 64 bits: write a smaller one",
                     token->text);
        token->kind = TOKEN_BAD;
    }
    return 0;
}

/* Up to `most` digits of `base`; -1 if there is none or the result is no byte or 0. */
static int escape_digits(struct config_lexer *lexer, int base, int most)
{
    int value = 0, n = 0;

    for (int c = peek(lexer); n < most && c >= 0 && isxdigit(c); c = peek(lexer)) {
        int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;

        if (digit >= base) {
            break;
        }
        value = value * base + digit;
        lexer->at++;
        n++;
    }
    return n == 0 || value == 0 || value > 255 ? -1 : value;
}

/* The byte that a backslash and what follows stand for; -1 if none. `at` is behind the backslash. */
static int lex_escape(struct config_lexer *lexer)
{
    static const char from[] = "abfnrtv\\?'\"", to[] = "\a\b\f\n\r\t\v\\?'\"";
    int c = peek(lexer);
    const char *found = c > 0 ? strchr(from, c) : NULL;

    if (found) {
        lexer->at++;
        return to[found - from];
    }
    if (c == 'x') {
        lexer->at++;
        return escape_digits(lexer, 16, 2);
    }
    return escape_digits(lexer, 8, 3);
}

static int lex_string(struct config_lexer *lexer, struct config_token *token)
{
    int quote = peek(lexer), c;
    const char *end;
    char *to;

    /* The text never gets longer than what is left of its line. */
    end = memchr(lexer->text + lexer->at, '\n', lexer->size - lexer->at);
    to = token->text = malloc(end ? (size_t)(end - lexer->text) - lexer->at : lexer->size - lexer->at);
    if (!to) {
        return -ENOMEM;
    }
    token->kind = TOKEN_STRING;
    lexer->at++;
    while ((c = peek(lexer)) != quote) {
        if (c < 0 || c == '\n' || c == 0) {
            config_error(lexer->log, token->pos, "string is not closed on its line: add %c", quote);
            token->kind = TOKEN_BAD;
            break;
        }
        lexer->at++;
        if (c == '\\') {
            struct config_pos pos = { lexer->source, lexer->line,
                                      (unsigned int)(lexer->at - lexer->line_start) };

            c = lex_escape(lexer);
            if (c < 0) {
                config_error(lexer->log, pos, "unknown escape after \\: write \\\\ for a backslash");
                token->kind = TOKEN_BAD;
                continue;
            }
        }
        *to++ = (char)c;
    }
    lexer->at += peek(lexer) == quote;
    *to = '\0';
    return 0;
}

static void lex_newline(struct config_lexer *lexer, struct config_token *token)
{
    if (lexer->text[lexer->at++] == '\n') {
        lexer->line++;
        lexer->line_start = lexer->at;
    }
    token->kind = TOKEN_NEWLINE;
}

static void lex_bad(struct config_lexer *lexer, struct config_token *token)
{
    int c = peek(lexer);

    if (c >= ' ' && c < 0x7f) {
        config_error(lexer->log, token->pos, "unexpected character %c: put strings into quotes", c);
    } else {
        config_error(lexer->log, token->pos, "unexpected byte 0x%02x: a configuration is plain text",
                     (unsigned int)c);
    }
    do {                      /* one message for a run of garbage */
        lexer->at++;
        c = peek(lexer);
    } while (c >= 0 && !isspace(c) && !strchr("[],;=#'\"", c ? c : 1) && !word_byte(c));
    token->kind = TOKEN_BAD;
}

int config_lex(struct config_lexer *lexer, struct config_token *token)
{
    static const char punctuation[] = "=[],";
    static const enum config_token_kind kinds[] = { TOKEN_ASSIGN, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };
    const char *found;
    int c;

    skip_blanks(lexer);
    *token = (struct config_token){
        .pos = { lexer->source, lexer->line, (unsigned int)(lexer->at - lexer->line_start) + 1 },
    };
    c = peek(lexer);
    found = c > 0 ? strchr(punctuation, c) : NULL;
    if (c < 0) {
        token->kind = TOKEN_END;
    } else if (c == '\n' || c == ';') {
        lex_newline(lexer, token);
    } else if (found) {
        lexer->at++;
        token->kind = kinds[found - punctuation];
    } else if (c == '+' && lexer->at + 1 < lexer->size && lexer->text[lexer->at + 1] == '=') {
        lexer->at += 2;
        token->kind = TOKEN_APPEND;
    } else if (isalpha(c) || c == '_') {
        return lex_word(lexer, token);
    } else if (isdigit(c) || c == '-') {
        return lex_number(lexer, token);
    } else if (c == '"' || c == '\'') {
        return lex_string(lexer, token);
    } else {
        lex_bad(lexer, token);
    }
    return 0;
}
