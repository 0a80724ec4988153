/* At build: containers-common's seccomp profile to C: the programs for the usual capability sets, and the JSON itself for all others. */
#include <fcntl.h>
#include <linux/capability.h>

#include "lib/seccomp_profile.h"

#define BIT(cap) (1ull << CAP_##cap)

/* Sets of the capabilities that the profile asks for; all others make no difference to it. */
static const uint64_t usual[] = {
    BIT(SYS_CHROOT),                    /* containers-common's default */
    0,                                  /* drop: [ALL] */
    BIT(SYS_CHROOT) | BIT(AUDIT_WRITE), /* Docker's default */
};

static void print_bytes(const char *name, const char *bytes, size_t len) {
  printf("static const char %s[] = {", name);
  for (size_t i = 0; i < len; i++) printf("%s%d,", i % 32 ? "" : "\n", (signed char)bytes[i]);
  printf("\n};\n");
}

int main(int argc, char **argv) {
  struct err err = {0};
  char *json = NULL;
  size_t len;
  uint64_t asked;
  if (argc != 2) return 64;
  int r = read_file_at(AT_FDCWD, argv[1], 1 << 20, &json, &len);
  if (r < 0) {
    fprintf(stderr, "gen_seccomp: %s: %s (Debian: apt-get install golang-github-containers-common)\n", argv[1], strerror(-r));
    return 1;
  }
  r = seccomp_profile_caps(json, len, &asked, &err);
  if (r == 0) printf("/* Made by gen_seccomp from %s. */\n#define SECCOMP_CAPS_ASKED 0x%llxull\n", argv[1], (unsigned long long)asked);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(usual); i++) {
    struct sock_filter *code;
    size_t n;
    r = seccomp_profile_compile(json, len, usual[i], &code, &n, &err);
    if (r < 0) break;
    printf("static const struct sock_filter seccomp_code_%zu[] = {\n", i);
    for (size_t k = 0; k < n; k++) printf("{%u,%u,%u,%uu},%s", code[k].code, code[k].jt, code[k].jf, code[k].k, k % 8 == 7 ? "\n" : "");
    printf("\n};\n");
    free(code);
  }
  if (r < 0) {
    err_print(&err, "gen_seccomp");
    return 1;
  }
  printf("static const struct { uint64_t caps; const struct sock_filter *code; size_t n; } seccomp_usual[] = {\n");
  for (size_t i = 0; i < N_ELEMENTS(usual); i++)
    printf("{0x%llxull, seccomp_code_%zu, sizeof seccomp_code_%zu / sizeof(struct sock_filter)},\n", (unsigned long long)(usual[i] & asked),
           i, i);
  printf("};\n");
  print_bytes("seccomp_json", json, len);
  free(json);
  return 0;
}
