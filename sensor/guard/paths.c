/* SPDX-License-Identifier: Apache-2.0
 * The list of paths a process will want. */
#include "guard/guard.h"

#include "base/err.h"

#include <string.h>

int guard_path_add(struct guard_paths *p, const char *path, bool is_written)
{
    if (!path || !*path)
        return 0;
    if (p->n == GUARD_PATHS)
        return E_LIMIT;
    text_add_str(&p->names[p->n], path);
    p->is_written[p->n] = is_written;
    return p->names[p->n++].is_cut ? E_NOMEM : 0;
}

int guard_file_add(struct guard_paths *p, const char *path, bool is_written)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct text dir = {0};
    if (!path || !*path)
        return 0;
    if (!slash)
        text_add_str(&dir, ".");
    else if (slash == path)
        text_add_str(&dir, path); /* in the root: the file alone, not all there is */
    else
        text_add(&dir, span_of(path, (size_t)(slash - path)));
    int rc = guard_path_add(p, text_str(&dir), is_written);
    text_fini(&dir);
    return rc;
}

void guard_paths_fini(struct guard_paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        text_fini(&p->names[i]);
    p->n = 0;
}
