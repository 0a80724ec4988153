/* A sha256 in the words of OCI: "sha256:" and 64 hex digits. */
#pragma once
#include <nettle/sha2.h>

enum { DIGEST_TEXT = 72 };

/* Ends the hash and writes its text; `ret` has room for DIGEST_TEXT bytes. */
void digest_text(struct sha256_ctx *sha, char *ret);
