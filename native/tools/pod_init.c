/*
 * PID 1 of a pod whose containers share a PID namespace. Embedded into podrt, put in a sealed memfd and executed from there, in an empty
 * root and without any right: see lib/podinit.h. It says that it is ready by closing its only descriptor, and sleeps: SIGCHLD is ignored
 * (who starts it has seen to that), so that the kernel reaps what is left to it, and all signals are blocked. No libc.
 */
typedef unsigned long word;

#if defined(__x86_64__)
__asm__(".globl _start\n_start: and $-16, %rsp\n call begin\n");
enum { NR_CLOSE = 3, NR_PRCTL = 157, NR_PPOLL = 271 };
static long call(long nr, word a, word b, word c, word d, word e) {
  long r;
  register word r10 __asm__("r10") = d, r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: bl begin\n");
enum { NR_CLOSE = 57, NR_PRCTL = 167, NR_PPOLL = 73 };
static long call(long nr, word a, word b, word c, word d, word e) {
  register long x8 __asm__("x8") = nr;
  register word x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return (long)x0;
}
#elif defined(__riscv) && __riscv_xlen == 64
__asm__(".globl _start\n_start: call begin\n");
enum { NR_CLOSE = 57, NR_PRCTL = 167, NR_PPOLL = 73 };
static long call(long nr, word a, word b, word c, word d, word e) {
  register long a7 __asm__("a7") = nr;
  register word a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d, a4 __asm__("a4") = e;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
  return (long)a0;
}
#else
#error "the system calls of this architecture"
#endif

enum { PR_SET_DUMPABLE = 4, PR_SET_NAME = 15 };

void begin(void) __attribute__((noreturn, used));
void begin(void) {
  static const char name[16] = "podrt-init";
  /* An exec makes a process dumpable again. */
  call(NR_PRCTL, PR_SET_DUMPABLE, 0, 0, 0, 0);
  call(NR_PRCTL, PR_SET_NAME, (word)name, 0, 0, 0);
  call(NR_CLOSE, 0, 0, 0, 0, 0);
  for (;;) call(NR_PPOLL, 0, 0, 0, 0, 0);
}
