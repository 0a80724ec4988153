/* Numbers from the command line. */
#pragma once
#include "util.h"

/* A decimal number from min to max, with K, M, G or T (of 1024) behind it if `units`; -EINVAL for anything else. */
int number_parse(const char *text, bool units, uint64_t min, uint64_t max, uint64_t *ret);
