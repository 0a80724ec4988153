/* Text of unknown making as UTF-8 (RFC 3629). */
#pragma once
#include "util.h"

/* Length of the sequence at p, which a NUL ends at the latest; without overlong forms and surrogates. 0 when there is none. */
size_t utf8_len(const unsigned char *p);
/* A new string of these bytes, in which U+FFFD stands for each byte that is none, and for NUL. NULL when out of memory. */
char *utf8_clean(const char *bytes, size_t len);
