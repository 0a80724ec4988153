/* The names in a folder: see names.h. */
#include "names.h"

#include <dirent.h>
#include <fcntl.h>

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_list(char **list, size_t n) {
  for (size_t i = 0; i < n; i++) free(list[i]);
  free(list);
}

/* What is left of a folder that is open. */
static int read_all(DIR *dir, struct names *ret) {
  char **list = NULL;
  size_t n = 0, room = 0;
  int r = 0;
  for (struct dirent *e; r == 0 && (errno = 0, e = readdir(dir)) != NULL;) {
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    if (n == room) {
      const size_t more = room ? 2 * room : 64;
      char **grown = reallocarray(list, more, sizeof *list);
      if (!grown) {
        r = -ENOMEM;
        break;
      }
      list = grown;
      room = more;
    }
    if (!(list[n] = strdup(e->d_name)))
      r = -ENOMEM;
    else
      n++;
  }
  if (r == 0 && errno) r = -errno;
  if (r < 0) {
    free_list(list, n);
    return r;
  }
  if (n > 1) qsort(list, n, sizeof *list, by_name);
  *ret = (struct names){.name = list, .n = n};
  return 0;
}

int names_read(int fd, struct names *ret) {
  *ret = (struct names){0};
  int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return -errno;
  DIR *dir = fdopendir(own);
  if (!dir) {
    const int saved = errno;
    close(own);
    return -saved;
  }
  int r = read_all(dir, ret);
  closedir(dir);
  return r;
}

void names_free(struct names *names) {
  free_list(names->name, names->n);
  *names = (struct names){0};
}
