/* The device program of a cgroup2 folder: see cgroup_bpf.h and bpf(2). */
#include "cgroup_bpf.h"

#include <fcntl.h>
#include <sys/syscall.h>

/* By it we know our own again; BPF_OBJ_NAME_LEN is 16. */
#define NAME "podrt_devices"

/* The verifier gives up with EAGAIN when a signal is there for us: what a test of ours or a shell's Ctrl-C does. */
static int bpf(enum bpf_cmd cmd, union bpf_attr *attr) {
  long r;
  unsigned tries = 5;
  do {
    r = syscall(SYS_bpf, cmd, attr, sizeof *attr);
  } while (r < 0 && errno == EAGAIN && --tries);
  return r < 0 ? -errno : (int)r;
}

static int load(const struct bpf_insn *code, size_t n) {
  union bpf_attr attr = {0};
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = (uint64_t)(uintptr_t)code;
  attr.insn_cnt = (uint32_t)n;
  attr.license = (uint64_t)(uintptr_t) "GPL";
  strcpy(attr.prog_name, NAME);
  return bpf(BPF_PROG_LOAD, &attr);
}

/* A descriptor of the program of ours that is attached, or -1. */
static int ours(int cgroup) {
  uint32_t ids[64] = {0};
  union bpf_attr attr = {0};
  attr.query.target_fd = (uint32_t)cgroup;
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
  attr.query.prog_cnt = N_ELEMENTS(ids);
  if (bpf(BPF_PROG_QUERY, &attr) < 0) return -1;
  const uint32_t n = attr.query.prog_cnt;
  for (uint32_t i = 0; i < n && i < N_ELEMENTS(ids); i++) {
    struct bpf_prog_info info = {0};
    union bpf_attr get = {0}, look = {0};
    get.prog_id = ids[i];
    cleanup_fd int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);
    look.info.bpf_fd = (uint32_t)fd;
    look.info.info_len = sizeof info;
    look.info.info = (uint64_t)(uintptr_t)&info;
    if (fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &look) == 0 && !strcmp(info.name, NAME)) return steal_fd(&fd);
  }
  return -1;
}

static int attach(int cgroup, int program, int old) {
  union bpf_attr attr = {0};
  attr.target_fd = (uint32_t)cgroup;
  attr.attach_bpf_fd = (uint32_t)program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  /* MULTI, as systemd does for its own: all programs, here and above, must allow. */
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  if (old >= 0) {
    attr.attach_flags |= BPF_F_REPLACE; /* Linux 5.6: at no time is there none */
    attr.replace_bpf_fd = (uint32_t)old;
  }
  return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup, int program) {
  union bpf_attr attr = {0};
  attr.target_fd = (uint32_t)cgroup;
  attr.attach_bpf_fd = (uint32_t)program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  return bpf(BPF_PROG_DETACH, &attr);
}

int cg_bpf_replace(int dir, const struct bpf_insn *code, size_t n, struct err *err) {
  cleanup_fd int cgroup = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup < 0) return err_set(err, errno, "cgroup", "the device program's folder");
  cleanup_fd int old = ours(cgroup), program = n ? load(code, n) : -1;
  if (n && program < 0) return err_set(err, -program, "cgroup", "bpf: loading the device program");
  int r = n ? attach(cgroup, program, old) : old >= 0 ? detach(cgroup, old) : 0;
  return r < 0 ? err_set(err, -r, "cgroup", "bpf: attaching the device program") : 0;
}
