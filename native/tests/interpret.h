/* A BPF program of seccomp, run here instead of in the kernel. */
#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

/* What the kernel does with a program, for the instructions that seccomp programs have. */
static inline uint32_t interpret(const struct sock_filter *code, size_t n, const struct seccomp_data *data) {
  uint32_t a = 0, word;
  for (size_t pc = 0; pc < n; pc++) {
    const struct sock_filter *i = &code[pc];
    switch (i->code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&word, (const char *)data + i->k, 4);
        a = word;
        break;
      case BPF_JMP | BPF_JA:
        pc += i->k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += a == i->k ? i->jt : i->jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        pc += a >= i->k ? i->jt : i->jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        pc += a > i->k ? i->jt : i->jf;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i->k;
        break;
      case BPF_RET | BPF_K:
        return i->k;
      default:
        return 0xdead;
    }
  }
  return 0xbeef; /* ran off the end */
}
