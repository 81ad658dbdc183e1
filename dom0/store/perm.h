/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Permissions of a node: a list whose first entry names the owner and, in its bits, what every domain not
 * listed may do; the others name one domain each. The owner and privileged clients may do everything.
 *
 * A list never changes once made: nodes share it by reference count (children inherit that of their parent).
 */
#ifndef STORE_PERM_H
#define STORE_PERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERM_READ        1
#define PERM_WRITE       2
#define PERM_OWNER       4 /* may change the list; never stored */

#define PERM_DOMID_LIMIT 0x7ff0 /* the ids from here on are reserved by the guest ABI */
#define PERM_NO_TARGET   (-1)

struct perm {
    uint16_t domid;
    uint16_t bits;
};

struct perms {
    uint32_t refs;
    uint32_t count; /* at least 1 */
    struct perm entry[];
};

/* Who asks. */
struct perm_subject {
    uint16_t domid;
    bool privileged;
    int target; /* the domain whose rights this one has as well, or PERM_NO_TARGET */
};

/* count entries, uninitialised, one reference. NULL: no memory. */
struct perms *perms_new(uint32_t count);
struct perms *perms_one(uint16_t owner, uint16_t bits);
struct perms *perms_get(struct perms *p);
void perms_put(struct perms *p); /* NULL allowed */

/* The same entries in the same order? */
bool perms_equal(const struct perms *a, const struct perms *b);

/* A copy with another owner, or p itself with one more reference if that is the owner already. */
struct perms *perms_with_owner(struct perms *p, uint16_t owner);
/* A copy without the entries that name domid; entry 0 is kept. */
struct perms *perms_without(const struct perms *p, uint16_t domid);

static inline uint16_t perms_owner(const struct perms *p) {
    return p->entry[0].domid;
}

/* Entries other than the owner's that name domid. */
unsigned int perms_mentions(const struct perms *p, uint16_t domid);

/* PERM_ bits that who has on a node with list p. */
unsigned int perms_allowed(const struct perms *p, const struct perm_subject *who);

/* Wire form: entries "r5\0n0\0". -EINVAL unless every one of the count texts is well formed. */
int perms_parse(struct perms **out, const char *text, size_t len);
/* Bytes written to buf, or -E2BIG. */
int perms_format(const struct perms *p, char *buf, size_t size);

/* A decimal domain id below PERM_DOMID_LIMIT, or -EINVAL. */
int perm_parse_domid(const char *text);

#endif
