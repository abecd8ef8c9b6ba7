// Linux system calls that Swift's Glibc module lacks, because glibc declares them only under
// _GNU_SOURCE. Each returns what the call returns, and sets errno.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// fallocate(FALLOC_FL_INSERT_RANGE): moves everything from `offset` on by `count` bytes.
int linux_insert_range(int file, int64_t offset, int64_t count);
/// fallocate(FALLOC_FL_COLLAPSE_RANGE): removes `count` bytes at `offset`.
int linux_collapse_range(int file, int64_t offset, int64_t count);
/// ioctl(FICLONERANGE): shares blocks between two files.
int linux_clone_range(int source, int64_t offset, int64_t count, int file, int64_t destination);
/// lseek(SEEK_HOLE): the first hole from `offset` on; the end of the file counts as one.
int64_t linux_find_hole(int file, int64_t offset);
/// lseek(SEEK_DATA): the first byte from `offset` on that is not in a hole.
int64_t linux_find_data(int file, int64_t offset);
/// copy_file_range: copies inside the kernel.
int64_t linux_copy_range(int source, int64_t offset, int64_t count, int file, int64_t destination);
/// renameat2, with RENAME_NOREPLACE unless `replacing` is not 0.
int linux_rename(const char *from, const char *to, int replacing);
/// fcntl(F_SETLEASE, F_WRLCK): the kernel grants it only to a file's sole opener.
int linux_write_lease(int file);
