// A library that is preloaded into the program under test. It counts the system calls that change
// files. At the call whose number is FAULT_AT it kills the process before the call
// (FAULT_MODE=kill) or in the middle of it (torn: half of a write is done), or makes the call fail
// (full: no space left). FAULT_NO_INSERT=1 imitates a file system that cannot insert blocks. At
// exit the number of calls is written to the file FAULT_COUNT.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls;

static int is_mode(const char *name) {
  const char *mode = getenv("FAULT_MODE");
  return mode && strcmp(mode, name) == 0;
}

// Whether this is the call to fail.
static int is_due(void) {
  const char *at = getenv("FAULT_AT");
  calls++;
  return at && atoi(at) == calls;
}

static void die(void) { kill(getpid(), SIGKILL); }

// Returns 1 if the call must fail with ENOSPC.
static int strike(void) {
  if (!is_due()) return 0;
  if (is_mode("full")) {
    errno = ENOSPC;
    return 1;
  }
  die();
  return 0;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static ssize_t faulty_pwrite(int file, const void *bytes, size_t count, off_t offset) {
  ssize_t (*real)(int, const void *, size_t, off_t) = REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  if (is_due()) {
    if (is_mode("full")) {
      errno = ENOSPC;
      return -1;
    }
    if (is_mode("torn") && count > 1) real(file, bytes, count / 2, offset);
    die();
  }
  return real(file, bytes, count, offset);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return faulty_pwrite(file, bytes, count, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
  return faulty_pwrite(file, bytes, count, offset);
}

int fsync(int file) { return strike() ? -1 : REAL(int, fsync, int)(file); }

static int faulty_truncate(int file, off_t size) {
  return strike() ? -1 : REAL(int, ftruncate, int, off_t)(file, size);
}
int ftruncate(int file, off_t size) { return faulty_truncate(file, size); }
int ftruncate64(int file, off_t size) { return faulty_truncate(file, size); }

static int faulty_allocate(int file, int mode, off_t offset, off_t count) {
  if (getenv("FAULT_NO_INSERT")) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return strike() ? -1 : REAL(int, fallocate, int, int, off_t, off_t)(file, mode, offset, count);
}
int fallocate(int file, int mode, off_t offset, off_t count) { return faulty_allocate(file, mode, offset, count); }
int fallocate64(int file, int mode, off_t offset, off_t count) { return faulty_allocate(file, mode, offset, count); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
  return strike() ? -1 : REAL(int, renameat2, int, const char *, int, const char *, unsigned)(from, old, to, new, flags);
}
int unlink(const char *path) { return strike() ? -1 : REAL(int, unlink, const char *)(path); }
int rmdir(const char *path) { return strike() ? -1 : REAL(int, rmdir, const char *)(path); }
int mkdir(const char *path, mode_t mode) { return strike() ? -1 : REAL(int, mkdir, const char *, mode_t)(path, mode); }
int link(const char *old, const char *new) { return strike() ? -1 : REAL(int, link, const char *, const char *)(old, new); }
ssize_t copy_file_range(int from, loff_t *a, int to, loff_t *b, size_t count, unsigned flags) {
  return strike() ? -1
                  : REAL(ssize_t, copy_file_range, int, loff_t *, int, loff_t *, size_t, unsigned)(from, a, to, b, count, flags);
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULT_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%d", calls);
  fclose(file);
}
