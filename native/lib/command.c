/* Finding what a container shall execute: see command.h. */
#include "command.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "inroot.h"

#if defined(__x86_64__)
#define OWN_MACHINE(m) ((m) == EM_X86_64 || (m) == EM_386)
#elif defined(__aarch64__)
#define OWN_MACHINE(m) ((m) == EM_AARCH64 || (m) == EM_ARM)
#else
#define OWN_MACHINE(m) ((m) == EM_RISCV)
#endif

static const struct {
  unsigned machine;
  const char *name;
} machines[] = {{EM_X86_64, "amd64"},  {EM_386, "386"},     {EM_AARCH64, "arm64"}, {EM_ARM, "arm"},
                {EM_RISCV, "riscv64"}, {EM_PPC64, "ppc64"}, {EM_S390, "s390x"}};

static int look_elf(const unsigned char *head, size_t n, struct err *err) {
  if (n < sizeof(Elf32_Ehdr)) return err_set(err, ENOEXEC, "exec", "cut off");
  unsigned machine = head[EI_DATA] == ELFDATA2MSB ? head[18] << 8 | head[19] : head[19] << 8 | head[18];
  if (OWN_MACHINE(machine)) return 0;
  for (size_t i = 0; i < N_ELEMENTS(machines); i++)
    if (machines[i].machine == machine) return err_set(err, 0, "exec", "a program for %s", machines[i].name);
  return err_set(err, 0, "exec", "a program for another machine (%u)", machine);
}

int command_look(const unsigned char *head, size_t n, char **ret_interpreter, struct err *err) {
  *ret_interpreter = NULL;
  if (n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG)) return look_elf(head, n, err);
  if (n < 2 || head[0] != '#' || head[1] != '!') return err_set(err, 0, "exec", "neither a program nor a script with #!");
  size_t from = 2, to;
  while (from < n && (head[from] == ' ' || head[from] == '\t')) from++;
  for (to = from; to < n && !strchr(" \t\n", head[to]); to++) {
  }
  if (to == from) return err_set(err, 0, "exec", "no interpreter after #!");
  *ret_interpreter = strndup((const char *)head + from, to - from);
  return *ret_interpreter ? 0 : -ENOMEM;
}

bool command_other_formats(void) {
  return access("/proc/sys/fs/binfmt_misc/status", F_OK) == 0;
}

static bool may_execute(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

/* An O_PATH descriptor of an executable; -ENOENT, -EACCES. Not below /proc/PID: links of that kind are podrt's own files here. */
static int open_executable(int root, const char *path) {
  cleanup_fd int fd = inroot_open(root, path, O_PATH, INROOT);
  if (fd < 0) return fd == -ENOTDIR ? -ENOENT : fd;
  return may_execute(fd) ? steal_fd(&fd) : -EACCES;
}

/* What the kernel would say at exec, as far as it can be told. A file that may be executed but not read is taken as it is. */
static int look_into(const struct command_wish *w, const char *path, int *ret_exit, struct err *err) {
  unsigned char head[256];
  cleanup_fd int fd = inroot_open(w->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, INROOT);
  ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
  if (n < 0) return 0;
  cleanup_free char *interpreter = NULL;
  struct err why = {0};
  *ret_exit = EXIT_NOT_EXECUTABLE;
  int r = command_look(head, (size_t)n, &interpreter, &why);
  if (r < 0 && w->other_formats) return 0;
  if (r < 0) return err_set(err, why.code, "exec", "%s: %s", path, why.what);
  if (!interpreter || interpreter[0] != '/') return 0;
  cleanup_fd int found = open_executable(w->root, interpreter);
  if (found >= 0) return 0;
  if (found == -ENOENT) *ret_exit = EXIT_NOT_FOUND;
  return err_set(err, -found, "exec", "%s: its interpreter %s", path, interpreter);
}

static int try_one(const struct command_wish *w, const char *path, char **ret, int *ret_exit, struct err *err) {
  cleanup_fd int fd = open_executable(w->root, path);
  if (fd < 0) return fd;
  /* What was found is final, whatever is wrong with it: no looking further in the list. */
  if (look_into(w, path, ret_exit, err) < 0) return -ENOEXEC;
  *ret = strdup(path);
  return *ret ? 0 : err_set(err, ENOMEM, "exec", "%s", path);
}

static int not_found(const char *word, bool denied, int *ret_exit, struct err *err) {
  *ret_exit = denied ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
  return denied ? err_set(err, EACCES, "exec", "%s", word) : err_set(err, 0, "exec", "%s: not found in the container", word);
}

int command_find(const struct command_wish *w, char **ret, int *ret_exit, struct err *err) {
  const char *word = w->word, *cwd = w->cwd;
  *ret_exit = EXIT_PODRT;
  char full[PATH_MAX];
  bool slash = strchr(word, '/');
  bool denied = false;
  for (const char *p = slash ? "" : w->path ? w->path : DEFAULT_PATH;;) {
    size_t len = strcspn(p, ":");
    /* An empty part of the list is the current folder, execvp(3). */
    int n = slash && word[0] == '/' ? snprintf(full, sizeof full, "%s", word)
            : slash || !len         ? snprintf(full, sizeof full, "%s/%s", cwd, word)
            : p[0] == '/'           ? snprintf(full, sizeof full, "%.*s/%s", (int)len, p, word)
                                    : snprintf(full, sizeof full, "%s/%.*s/%s", cwd, (int)len, p, word);
    int r = n < 0 || n >= (int)sizeof full ? -ENAMETOOLONG : try_one(w, full, ret, ret_exit, err);
    if (r == 0) return 0;
    if (r == -EACCES)
      denied = true;
    else if (r == -ELOOP || r == -ENAMETOOLONG) {
      *ret_exit = EXIT_NOT_EXECUTABLE;
      return err_set(err, -r, "exec", "%s", word);
    } else if (r != -ENOENT)
      return r;
    if (slash || !p[len]) return not_found(word, denied, ret_exit, err);
    p += len + 1;
  }
}
