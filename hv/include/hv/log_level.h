/* SPDX-License-Identifier: BSD-2-Clause */
/* How important a message is; the command line's loglvl= and guest_loglvl= choose what is shown. */
#ifndef HV_LOG_LEVEL_H
#define HV_LOG_LEVEL_H

enum log_level { LOG_NONE, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

#endif
