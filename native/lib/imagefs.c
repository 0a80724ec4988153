/* Mounts of type x-podgen.image: the layers of an image, read-only, at a path of the container. See volumes.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "inroot.h"
#include "mountfd.h"
#include "mountopt.h"
#include "rootfs.h"
#include "volumes.h"

static const char layer_word[] = "x-podgen.layer=";

/* The options taken apart; both lists are borrowed words, the second ends with NULL. */
struct words {
  const char **layers, **rest;
  size_t n_layers;
};

static int take_apart(const struct bundle_mount *m, struct words *ret, struct err *err) {
  size_t n = 0, rest = 0;
  while (m->options[n]) n++;
  ret->layers = calloc(n + 1, sizeof *ret->layers);
  ret->rest = calloc(n + 1, sizeof *ret->rest);
  if (!ret->layers || !ret->rest) return err_set(err, ENOMEM, "image", "%s", m->destination);
  for (size_t i = 0; i < n; i++) {
    const bool layer = !strncmp(m->options[i], layer_word, sizeof layer_word - 1);
    if (layer && m->options[i][sizeof layer_word - 1] != '/')
      return err_set(err, 0, "image", "%s: expected an absolute path", m->options[i]);
    if (layer)
      ret->layers[ret->n_layers++] = m->options[i] + sizeof layer_word - 1;
    else
      ret->rest[rest++] = m->options[i];
  }
  return ret->n_layers ? 0 : err_set(err, 0, "image", "%s: it has no layer", m->destination);
}

/*
 * overlay takes two folders or more; one is shown as it is. The view is attached over the container's run folder: in this mount
 * namespace only, and gone with the host's file systems at the pivot (as secretfs.c).
 */
static int open_view(const struct bundle *b, const struct words *words, struct err *err) {
  int r = rootfs_look(words->layers, words->n_layers, err);
  if (r < 0) return r;
  if (words->n_layers == 1) {
    int fd = open(words->layers[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_set(err, errno, "layer", "%s", words->layers[0]) : fd;
  }
  const char *base = getenv("XDG_RUNTIME_DIR");
  cleanup_free char *at = xformat("%s/podgen/%s", base ? base : "", b->run_dir);
  return at ? rootfs_view(words->layers, words->n_layers, at, err) : err_set(err, ENOMEM, "image", "%s", "");
}

static int show(const struct volumes *v, int view, const struct bundle_mount *m, const struct mountopt *opt, struct err *err) {
  cleanup_fd int part = opt->sub_path ? inroot_open(view, opt->sub_path, O_PATH, INROOT_BENEATH) : openat(view, ".", O_PATH | O_CLOEXEC);
  if (part == -ENOENT) return err_set(err, 0, "image", "subPath %s is not in the image", opt->sub_path);
  struct stat st;
  if (part < 0 || fstat(part, &st) < 0) return err_set(err, part < 0 ? -part : errno, "image", "%s", m->destination);
  cleanup_fd int tree = mountfd_clone(part, "", false);
  int r = tree < 0 ? tree : mountfd_set(tree, opt->attrs | MOUNT_ATTR_RDONLY, MS_PRIVATE, false);
  cleanup_fd int target = r < 0 ? -1 : inroot_make_target(v->root, m->destination, S_ISDIR(st.st_mode));
  if (r == 0) r = target < 0 ? target : mountfd_attach(tree, target);
  return r < 0 ? err_set(err, -r, "mount", "%s", m->destination) : 0;
}

int volume_image(const struct volumes *v, const struct bundle *b, const struct bundle_mount *m, struct err *err) {
  struct words words = {0};
  struct mountopt opt = {0};
  int r = take_apart(m, &words, err);
  if (r == 0) r = mountopt_parse(words.rest, false, &opt, err);
  cleanup_fd int view = r < 0 ? -1 : open_view(b, &words, err);
  if (r == 0) r = view < 0 ? view : show(v, view, m, &opt, err);
  mountopt_free(&opt);
  free(words.layers);
  free(words.rest);
  return r;
}
