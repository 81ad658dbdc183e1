/* SPDX-License-Identifier: BSD-2-Clause */
/* What went wrong, in words: the number for the program, the sentence for the person at the terminal.
 *
 * A failing function fills in one of these once, where it knows most (which object, which value, what to do),
 * and every caller above only passes the number on. `fault_wrap` puts the step in front, never behind. */
#ifndef LIB_XC_ERR_H
#define LIB_XC_ERR_H

enum { FAULT_TEXT = 480 };

struct fault {
    int  code;              /* negative errno, 0 if nothing failed */
    char text[FAULT_TEXT];  /* one line, no newline */
};

/* Record @code (negative errno) and the sentence; returns @code. @f may be NULL: then only the number is
 * passed on. */
int fault_set(struct fault *f, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": <strerror>" appended. */
int fault_errno(struct fault *f, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for each of our own allocations that fails: domain 0 has too little. Returns -ENOMEM. */
int fault_memory(struct fault *f);

/* Put "<prefix>: " before the sentence already there; returns the recorded code. */
int fault_wrap(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
