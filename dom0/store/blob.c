/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of nodes that have none: blob.h. */
#include "dom0/store/blob.h"

static struct blob empty = { .refs = 2 };      /* never one's own alone, so never written to */
struct blob *const blob_empty = &empty;
