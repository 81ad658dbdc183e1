/* SPDX-License-Identifier: BSD-2-Clause */
#include "../../../../hv/hw/include/hw/layout.h"
