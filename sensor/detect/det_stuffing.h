/* SPDX-License-Identifier: Apache-2.0
 * D16: one source tries many names. It judges failures, which belong to no credential, so it stands beside the others.
 */
#ifndef DETECT_DET_STUFFING_H
#define DETECT_DET_STUFFING_H

#include "detect/scene.h"

struct stuffing_question {
    const struct rules *rules;
    struct stories *stories;
    const struct sources *sources;
    const struct activity *a;
    uint64_t now_ns;
    bool has_geo;
};

/* After a failed sign-in of 'source'. */
void det_stuffing_failure(const struct stuffing_question *q, const struct source *source);
/* A credential that is not usual there has signed in from a source whose story is open: it is the story's victim. */
void det_stuffing_success(const struct stuffing_question *q);

#endif
