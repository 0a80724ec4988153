/* Sets of a Job's completion indexes, as Kubernetes writes them: "0,3-5". */
#pragma once
#include "util.h"

/* Sets those of the text in `set`, of n; -EINVAL for what is none, an index of n or above, or one that is not above the one before. */
int job_indexes_parse(const char *text, bool *set, size_t n);
/* A new string; "" for none. NULL when out of memory. */
char *job_indexes_text(const bool *set, size_t n);
size_t job_indexes_count(const bool *set, size_t n);
