/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that serving the store takes. */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

/* From here on only the calls listed in seal.c. -errno or 0. */
int seal_calls(void);

#endif
