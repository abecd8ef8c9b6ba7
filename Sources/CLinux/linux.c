#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int linux_insert_range(int file, int64_t offset, int64_t count) {
  return fallocate(file, FALLOC_FL_INSERT_RANGE, offset, count);
}

int linux_collapse_range(int file, int64_t offset, int64_t count) {
  return fallocate(file, FALLOC_FL_COLLAPSE_RANGE, offset, count);
}

int linux_clone_range(int source, int64_t offset, int64_t count, int file, int64_t destination) {
  struct file_clone_range range = {
      .src_fd = source, .src_offset = offset, .src_length = count, .dest_offset = destination};
  return ioctl(file, FICLONERANGE, &range);
}

int64_t linux_find_hole(int file, int64_t offset) { return lseek(file, offset, SEEK_HOLE); }

int64_t linux_find_data(int file, int64_t offset) { return lseek(file, offset, SEEK_DATA); }

int64_t linux_copy_range(int source, int64_t offset, int64_t count, int file, int64_t destination) {
  loff_t from = offset, to = destination;
  return copy_file_range(source, &from, file, &to, count, 0);
}

int linux_rename(const char *from, const char *to, int replacing) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, replacing ? 0 : RENAME_NOREPLACE);
}

int linux_write_lease(int file) { return fcntl(file, F_SETLEASE, F_WRLCK); }
