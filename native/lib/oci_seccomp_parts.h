/* What the files of lib/oci_seccomp_*.c are to each other. */
#pragma once
#include "oci_seccomp.h"

/* Compiles; no cache. */
int seccomp_compile(const struct oci_seccomp *s, struct sock_filter **ret, size_t *ret_n, struct err *err);

/* What a program follows from: 32 bytes. */
#define SECCOMP_KEY_SIZE 32
void seccomp_key(const struct oci_seccomp *s, uint8_t ret[SECCOMP_KEY_SIZE]);
/* Reads the program of that key; -ENOENT when there is none that can be trusted. */
int seccomp_cache_read(int cache, const uint8_t key[SECCOMP_KEY_SIZE], struct sock_filter **ret, size_t *ret_n);
/* Leaves a program. Errors are not told: the next start compiles again. */
void seccomp_cache_write(int cache, const uint8_t key[SECCOMP_KEY_SIZE], const struct sock_filter *code, size_t n);
