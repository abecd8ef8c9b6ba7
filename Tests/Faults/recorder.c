// A library that is preloaded into the program under test. It writes every call that changes a file
// to RECORD_LOG, with its data, in the order in which the calls took effect. The replayer in power/
// builds from this log what a power loss may leave.
//
// The log is a sequence of records: a line of text, then the bytes of two paths and of the data.
//
//     NAME INODE A B LENGTH-OF-PATH LENGTH-OF-SECOND-PATH LENGTH-OF-DATA\n path second-path data
//
//     create    INODE mode -      path            mkdir     INODE mode -      path
//     write     INODE offset -    data            truncate  INODE size -
//     insert    INODE offset count                collapse  INODE offset count
//     chmod     INODE mode -                      fsync     INODE - -
//     rename    INODE - -         path, path      link      INODE - -         path, path
//     unlink    INODE - -         path            rmdir     INODE - -         path
//
// A copy inside the kernel is a `write`. Only calls that succeed are recorded. RECORD_EMULATE=1
// inserts and collapses blocks of 4096 bytes on file systems that cannot, so that the states of
// ext4 and XFS can be recovered on a tmpfs. With faults.so before this library in LD_PRELOAD,
// FAULT_NO_INSERT=1 takes effect first.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

enum { block = 4096 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void stop(const char *reason) {
  fprintf(stderr, "recorder: %s\n", reason);
  abort();
}

// System calls that do not come back here.
static void put(int file, const void *bytes, size_t count) {
  for (const char *at = bytes; count > 0;) {
    long done = syscall(SYS_write, file, at, count);
    if (done < 0) stop("cannot write the log");
    at += done, count -= done;
  }
}

static void record(const char *name, unsigned long inode, long a, long b, const char *path, const char *second,
                   const void *data, size_t count) {
  static int log = -1;
  const char *log_path = getenv("RECORD_LOG");
  if (!log_path) return;
  if (log < 0) log = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  char line[200];
  size_t first = path ? strlen(path) : 0, other = second ? strlen(second) : 0;
  int length = snprintf(line, sizeof line, "%s %lu %ld %ld %zu %zu %zu\n", name, inode, a, b, first, other, count);
  put(log, line, length);
  put(log, path, first);
  put(log, second, other);
  put(log, data, count);
}

static unsigned long inode_of(int file) {
  struct stat status;
  return fstat(file, &status) == 0 ? status.st_ino : 0;
}

static unsigned long inode_at(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 ? status.st_ino : 0;
}

static int is_regular(int file) {
  struct stat status;
  return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

// Makes a call and records it, as one step even if the program has several threads.
#define ORDERLY(type, call, ...)     \
  do {                               \
    pthread_mutex_lock(&lock);       \
    type result = call;              \
    int code = errno;                \
    if (result >= 0) __VA_ARGS__;    \
    pthread_mutex_unlock(&lock);     \
    errno = code;                    \
    return result;                   \
  } while (0)

// MARK: Contents

static ssize_t orderly_pwrite(int file, const void *bytes, size_t count, off_t offset) {
  ORDERLY(ssize_t, REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(file, bytes, count, offset),
          record("write", inode_of(file), offset, 0, 0, 0, bytes, result));
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return orderly_pwrite(file, bytes, count, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
  return orderly_pwrite(file, bytes, count, offset);
}

static void record_copied(int file, off_t offset, size_t count) {
  char *bytes = malloc(count + 1);
  if (!bytes || pread(file, bytes, count, offset) != (ssize_t)count) stop("cannot read what was copied");
  record("write", inode_of(file), offset, 0, 0, 0, bytes, count);
  free(bytes);
}

ssize_t copy_file_range(int from, loff_t *a, int to, loff_t *b, size_t count, unsigned flags) {
  if (!b) stop("copy_file_range without an offset");
  loff_t offset = *b;
  ssize_t (*real)(int, loff_t *, int, loff_t *, size_t, unsigned) =
      REAL(ssize_t, copy_file_range, int, loff_t *, int, loff_t *, size_t, unsigned);
  ORDERLY(ssize_t, real(from, a, to, b, count, flags), record_copied(to, offset, result));
}

int ioctl(int file, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  // Shared blocks are recorded as a copy, which `copy_file_range` makes.
  if (request == FICLONERANGE) return errno = EOPNOTSUPP, -1;
  return REAL(int, ioctl, int, unsigned long, ...)(file, request, argument);
}

static void *orderly_mmap(void *at, size_t count, int protection, int flags, int file, off_t offset) {
  if ((flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) && file >= 0 && is_regular(file))
    stop("a file is written through a mapping, which the log cannot show");
  return (void *)syscall(SYS_mmap, at, count, protection, flags, file, offset);
}
void *mmap(void *at, size_t count, int protection, int flags, int file, off_t offset) {
  return orderly_mmap(at, count, protection, flags, file, offset);
}
void *mmap64(void *at, size_t count, int protection, int flags, int file, off_t offset) {
  return orderly_mmap(at, count, protection, flags, file, offset);
}

int fsync(int file) { ORDERLY(int, REAL(int, fsync, int)(file), record("fsync", inode_of(file), 0, 0, 0, 0, 0, 0)); }

// MARK: Sizes

static int orderly_truncate(int file, off_t size) {
  ORDERLY(int, REAL(int, ftruncate, int, off_t)(file, size), record("truncate", inode_of(file), size, 0, 0, 0, 0, 0));
}
int ftruncate(int file, off_t size) { return orderly_truncate(file, size); }
int ftruncate64(int file, off_t size) { return orderly_truncate(file, size); }

// Moves the end of the file through memory, and leaves a hole as the kernel would.
static int emulate(int file, int mode, off_t offset, off_t count) {
  int inserts = mode == FALLOC_FL_INSERT_RANGE;
  struct stat status;
  if (fstat(file, &status) != 0) return -1;
  off_t from = inserts ? offset : offset + count, to = inserts ? offset + count : offset;
  if (offset % block || count % block || from >= status.st_size) return errno = EINVAL, -1;
  size_t moved = status.st_size - from;
  char *bytes = malloc(moved);
  ssize_t (*write_at)(int, const void *, size_t, off_t) = REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  if (!bytes || pread(file, bytes, moved, from) != (ssize_t)moved || write_at(file, bytes, moved, to) != (ssize_t)moved)
    stop("cannot move blocks");
  free(bytes);
  if (!inserts) return REAL(int, ftruncate, int, off_t)(file, to + moved);
  return REAL(int, fallocate, int, int, off_t, off_t)(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

static int orderly_allocate(int file, int mode, off_t offset, off_t count) {
  if (mode != FALLOC_FL_INSERT_RANGE && mode != FALLOC_FL_COLLAPSE_RANGE) stop("an unknown mode of fallocate");
  const char *name = mode == FALLOC_FL_INSERT_RANGE ? "insert" : "collapse";
  ORDERLY(int,
          getenv("RECORD_EMULATE") ? emulate(file, mode, offset, count)
                                   : REAL(int, fallocate, int, int, off_t, off_t)(file, mode, offset, count),
          record(name, inode_of(file), offset, count, 0, 0, 0, 0));
}
int fallocate(int file, int mode, off_t offset, off_t count) { return orderly_allocate(file, mode, offset, count); }
int fallocate64(int file, int mode, off_t offset, off_t count) { return orderly_allocate(file, mode, offset, count); }

// MARK: Names

static int orderly_open(const char *path, int flags, mode_t mode) {
  if (!(flags & O_CREAT)) return REAL(int, open, const char *, int, ...)(path, flags, mode);
  int is_new = inode_at(path) == 0;
  if (!is_new && flags & O_TRUNC) stop("an existing file is opened with O_TRUNC");
  ORDERLY(int, REAL(int, open, const char *, int, ...)(path, flags, mode), {
    struct stat status;
    if (is_new && fstat(result, &status) == 0)
      record("create", status.st_ino, status.st_mode & 07777, 0, path, 0, 0, 0);
  });
}
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
  va_end(list);
  return orderly_open(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
  va_end(list);
  return orderly_open(path, flags, mode);
}

int mkdir(const char *path, mode_t mode) {
  ORDERLY(int, REAL(int, mkdir, const char *, mode_t)(path, mode), {
    struct stat status;
    if (lstat(path, &status) == 0) record("mkdir", status.st_ino, status.st_mode & 07777, 0, path, 0, 0, 0);
  });
}

int fchmod(int file, mode_t mode) {
  ORDERLY(int, REAL(int, fchmod, int, mode_t)(file, mode),
          record("chmod", inode_of(file), mode & 07777, 0, 0, 0, 0, 0));
}
int chmod(const char *path, mode_t mode) {
  ORDERLY(int, REAL(int, chmod, const char *, mode_t)(path, mode),
          record("chmod", inode_at(path), mode & 07777, 0, 0, 0, 0, 0));
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
  ORDERLY(int, REAL(int, renameat2, int, const char *, int, const char *, unsigned)(from, old, to, new, flags),
          record("rename", inode_at(new), 0, 0, old, new, 0, 0));
}
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
int link(const char *old, const char *new) {
  ORDERLY(int, REAL(int, link, const char *, const char *)(old, new),
          record("link", inode_at(new), 0, 0, old, new, 0, 0));
}

int unlink(const char *path) {
  unsigned long inode = inode_at(path);
  ORDERLY(int, REAL(int, unlink, const char *)(path), record("unlink", inode, 0, 0, path, 0, 0, 0));
}
int rmdir(const char *path) {
  unsigned long inode = inode_at(path);
  ORDERLY(int, REAL(int, rmdir, const char *)(path), record("rmdir", inode, 0, 0, path, 0, 0, 0));
}
