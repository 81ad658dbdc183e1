/* SPDX-License-Identifier: BSD-2-Clause */
/* Put before every file of the hypervisor: nothing is reached through a global offset table. */
#pragma GCC visibility push(hidden)
