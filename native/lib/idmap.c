/* Which user and group ids exist in the present user namespace: see idmap.h. */
#include "idmap.h"

#include <fcntl.h>
#include <inttypes.h>

int idmap_read(const char *path, struct idmap *ret, struct err *err) {
  cleanup_free char *text = NULL;
  int r = read_file_at(AT_FDCWD, path, 64 * 1024, &text, NULL);
  if (r < 0) return err_set(err, -r, "id map", "%s", path);
  *ret = (struct idmap){0};
  for (char *line = text, *end; *line; line = end + 1) {
    uint32_t first, count;
    end = strchr(line, '\n');
    if (!end || sscanf(line, "%" SCNu32 " %*u %" SCNu32, &first, &count) != 2) {
      idmap_free(ret);
      return err_set(err, EBADMSG, "id map", "%s", path);
    }
    void *more = realloc(ret->range, (ret->n + 1) * sizeof *ret->range);
    if (!more) {
      idmap_free(ret);
      return err_set(err, ENOMEM, "id map", "%s", path);
    }
    ret->range = more;
    ret->range[ret->n].first = first;
    ret->range[ret->n++].count = count;
    ret->total += count;
  }
  return 0;
}

bool idmap_has(const struct idmap *map, int64_t id) {
  for (size_t i = 0; i < map->n; i++)
    if (id >= map->range[i].first && id - map->range[i].first < map->range[i].count) return true;
  return false;
}

void idmap_free(struct idmap *map) {
  free(map->range);
  *map = (struct idmap){0};
}
