/* The terminal of an OCI container on our side: handed to whoever asked for it, or served in the foreground. */
#pragma once
#include "lib/util.h"

/* Connects to an AF_UNIX stream socket, however long its path is. Returns the descriptor. */
int console_connect(const char *path, const char *option, struct err *err);
/* Gives `fd` away over such a connection by SCM_RIGHTS; the message's bytes are `name`. The descriptor stays the caller's. */
int console_give(int sock, int fd, const char *name, struct err *err);
/* A terminal's master, by the name of its slave, as runc and conmon have it. */
int console_give_terminal(int sock, int master, struct err *err);
/* --console-socket in one step. */
int console_send(const char *path, int master, struct err *err);

/*
 * Gives a new terminal its size, before its program can ask for it: consoleSize, where the configuration has one (not 0), else that of the
 * terminal at descriptor 0, if there is one.
 */
void console_set_size(int fd, unsigned short rows, unsigned short columns);

/*
 * Blocks the signals that somebody in the foreground passes on, and SIGCHLD. Returns their signalfd. To be called before the child is
 * made, so that none is lost; the child unblocks them by oci_process_become.
 */
int console_signals(struct err *err);
/*
 * Serves our child `pid` in the foreground until it has ended: signals of console_signals() are passed on, and with a master (else -1)
 * the terminal at descriptor 0 is raw meanwhile, has its size followed and is copied to and fro. Returns the exit status, 128 + the signal
 * that killed it.
 */
int console_serve(int master, int signals, pid_t pid, struct err *err);
