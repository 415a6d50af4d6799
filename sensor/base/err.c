/* SPDX-License-Identifier: Apache-2.0
 * One phrase per error code. */
#include "base/err.h"

const char *err_text(int code)
{
    switch ((enum err)code) {
    case E_OK: return "ok";
    case E_MORE: return "more bytes needed";
    case E_BAD: return "malformed";
    case E_LIMIT: return "limit reached";
    case E_NOMEM: return "out of memory";
    case E_IO: return "input/output error";
    case E_CONF: return "configuration error";
    case E_NONE: return "not found";
    case E_END: return "end of input";
    case E_STATE: return "not possible now";
    case E_USAGE: return "wrong usage";
    case E_DENIED: return "permission denied";
    }
    return "unknown error";
}
