/* The names in a folder: see names.h. */
#include "names.h"

#include <dirent.h>
#include <fcntl.h>

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct names *names, size_t *room, const char *name) {
  if (names->n == *room) {
    const size_t more = *room ? 2 * *room : 64;
    char **grown = reallocarray(names->name, more, sizeof *grown);
    if (!grown) return -ENOMEM;
    names->name = grown;
    *room = more;
  }
  char *copy = strdup(name);
  if (!copy) return -ENOMEM;
  names->name[names->n++] = copy;
  return 0;
}

int names_read(int fd, struct names *ret) {
  *ret = (struct names){0};
  int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = own < 0 ? NULL : fdopendir(own);
  size_t room = 0;
  int r = 0;
  if (!dir) {
    r = -errno;
    if (own >= 0) close(own);
    return r;
  }
  for (struct dirent *e; r == 0 && (errno = 0, e = readdir(dir)) != NULL;)
    if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) r = add(ret, &room, e->d_name);
  if (r == 0 && errno) r = -errno;
  closedir(dir);
  if (r < 0)
    names_free(ret);
  else if (ret->n > 1)
    qsort(ret->name, ret->n, sizeof *ret->name, by_name);
  return r;
}

void names_free(struct names *names) {
  for (size_t i = 0; i < names->n; i++) free(names->name[i]);
  free(names->name);
  *names = (struct names){0};
}
