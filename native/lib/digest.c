/* A sha256 as text: see digest.h. */
#include "digest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void digest_text(struct sha256_ctx *sha, char *ret) {
  uint8_t sum[SHA256_DIGEST_SIZE];
  sha256_digest(sha, sizeof sum, sum);
  strcpy(ret, "sha256:");
  for (size_t i = 0; i < sizeof sum; i++) sprintf(ret + 7 + 2 * i, "%02x", sum[i]);
}
