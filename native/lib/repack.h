/* A layer's tar made again from its unpacked folder and its recipe (recipe.h). */
#pragma once
#include "util.h"

/*
 * Writes the tar to `out` (-1: nowhere) and gives its digest (72 bytes) and size. `recipe` (borrowed) is a recipe, `root` the layer's
 * folder. -EBADMSG when the recipe is none, or cut off, or names a file that is not there, not a file, or too short: what is altered in
 * another way shows in the digest. -EPIPE when nobody reads `out` any more.
 */
int repack_layer(int root, int recipe, int out, char digest[72], uint64_t *size, struct err *err);
