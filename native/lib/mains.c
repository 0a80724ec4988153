/* The names of a pod's containers that count: see mains.h. */
#include "mains.h"

#include <fcntl.h>

#include "deadline.h"

#define MAINS "mains"

/* "pods/web" of "pods/web/app", a new string; NULL where it has another form. */
static char *pod_of(const char *folder) {
  const char *slash = strrchr(folder, '/');
  if (!slash || strncmp(folder, "pods/", 5) || slash <= folder + 5) return NULL;
  return strndup(folder, (size_t)(slash - folder));
}

static char *put_names(char *end, const char *before, char *const *folders) {
  for (char *const *f = folders; f && *f; f++) {
    const char *slash = strrchr(*f, '/');
    end = stpcpy(stpcpy(stpcpy(end, before), slash ? slash + 1 : *f), "\n");
  }
  return end;
}

int mains_write(int run, char *const *folders, char *const *sidecars, struct err *err) {
  cleanup_free char *pod = pod_of(*folders);
  if (!pod) return 0;
  cleanup_fd int dir = run_open_at(run, pod, true, err);
  if (dir < 0) return dir;
  (void)unlinkat(dir, MAINS_FAILED, 0);
  (void)unlinkat(dir, MAINS_STOPPING, 0);
  size_t len = 0;
  for (char *const *f = folders; *f; f++) len += strlen(*f) + 1;
  for (char *const *f = sidecars; f && *f; f++) len += strlen(*f) + 2;
  cleanup_free char *text = calloc(1, len + 1);
  if (!text) return err_set(err, ENOMEM, "write", MAINS);
  char *end = put_names(put_names(text, "", folders), "+", sidecars);
  int r = write_file_atomic_at(dir, MAINS, text, (size_t)(end - text), 0600);
  return r < 0 ? err_set(err, -r, "write", "%s/%s", pod, MAINS) : 0;
}

void mains_remove(int run, char *const *folders) {
  struct err ignored;
  cleanup_free char *pod = pod_of(*folders);
  cleanup_fd int dir = pod ? run_open_at(run, pod, false, &ignored) : -1;
  if (dir < 0) return;
  (void)unlinkat(dir, MAINS, 0);
  mains_stopping(dir, true);
}

void mains_stopping(int dir, bool again) {
  char text[24];
  const int len = snprintf(text, sizeof text, "%lld\n", (long long)clock_ms());
  if (again || faccessat(dir, MAINS_STOPPING, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
    (void)write_file_atomic_at(dir, MAINS_STOPPING, text, (size_t)len, 0600);
}

int64_t mains_stop_began(int dir) {
  cleanup_free char *text = NULL;
  size_t len;
  long long began;
  return read_file_at(dir, MAINS_STOPPING, 64, &text, &len) == 0 && sscanf(text, "%lld\n", &began) == 1 ? began : -1;
}

int mains_read(int dir, struct mains *ret) {
  *ret = (struct mains){0};
  size_t len, n = 0;
  int r = read_file_at(dir, MAINS, 1 << 20, &ret->text, &len);
  if (r < 0) return r;
  for (size_t i = 0; i < len; i++) n += ret->text[i] == '\n';
  ret->names = calloc(n + 1, sizeof *ret->names);
  if (!ret->names) return mains_free(ret), -ENOMEM;
  char *save = NULL;
  for (char *name = strtok_r(ret->text, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
    const bool sidecar = name[0] == '+';
    name += sidecar;
    if (ret->n + ret->n_sidecars >= n || strchr(name, '/') || name[0] == '.' || (ret->n_sidecars && !sidecar))
      return mains_free(ret), -EBADMSG;
    ret->names[ret->n + ret->n_sidecars] = name;
    ++*(sidecar ? &ret->n_sidecars : &ret->n);
  }
  return 0;
}

void mains_free(struct mains *mains) {
  free(mains->names);
  free(mains->text);
  *mains = (struct mains){0};
}
