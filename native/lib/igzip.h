/* gzip by Debian's igzip (ISA-L), run beside us where it is there: three times as fast as zlib, and on another processor. */
#pragma once
#include "util.h"

struct igzip;

/*
 * Starts igzip of PATH for what `head` (copied) begins and `fd` (borrowed) goes on with. It gets two pipes and nothing else of ours: it
 * may open no file for writing and gain no privilege, and ends with us. `stop`: see blob_open. Not to be called beside other threads that
 * hold locks. Returns -ENOENT when there is no igzip; else 0, to be freed with igzip_free. SIGPIPE must be ignored.
 */
int igzip_open(const void *head, size_t len, int fd, int stop, struct igzip **ret);
/*
 * As blob_read: less than `len` only at the end. All gzip members are one stream; what igzip does not take is -EBADMSG, igzip killed
 * or not able to run -EIO. Bytes behind the last member, which blob_read refuses, igzip overlooks.
 */
ssize_t igzip_read(struct igzip *z, void *buf, size_t len, struct err *err);
/* How many bytes were taken of `head` and `fd`. */
uint64_t igzip_used(const struct igzip *z);
/* Kills it when it still runs. */
void igzip_free(struct igzip *z);
