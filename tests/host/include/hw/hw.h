/* SPDX-License-Identifier: BSD-2-Clause */
/* The seam itself is the machine's; only its inline part, found next to this file, is the host's own. */
#include "../../../../hv/hw/include/hw/hw.h"
