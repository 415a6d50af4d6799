/* SPDX-License-Identifier: Apache-2.0
 * One directory, made or checked. */
#include "run/out_dir.h"

#include "base/err.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int out_dir_make(const char *path, struct text *why)
{
    struct stat st;
    bool is_bad = mkdir(path, 0750) != 0 && errno != EEXIST;
    if (!is_bad && stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        is_bad = true;
    }
    if (!is_bad && access(path, W_OK | X_OK) != 0)
        is_bad = true;
    if (is_bad)
        text_addf(why, "%s: %s", path, strerror(errno));
    return is_bad ? E_IO : 0;
}
