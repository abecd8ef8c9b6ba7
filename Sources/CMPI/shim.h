// The parts of MPI that searches and verifications need. MPI's constants are macros, which Swift
// cannot see. Used only with the package trait MPI.
#pragma once
#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>

static inline int mpi_has_begun(void) {
  int begun = 0;
  MPI_Initialized(&begun);
  return begun;
}

static inline int mpi_begin(void) {
  if (mpi_has_begun()) return 0;
  int provided = 0;
  return MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
}

static inline int mpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int mpi_count(void) {
  int count = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

// Adds the values over all ranks; every rank receives the sums.
static inline int mpi_sum(double *values, int count) {
  return MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

// Collects the bytes of all ranks in `all` of rank 0, one after the other. `sizes` are the numbers
// of bytes of each of `count` ranks, the same on every rank; their sum fits an int.
static inline int mpi_gather(const void *bytes, int size, void *all, const int *sizes, int count) {
  int *starts = calloc((size_t)count, sizeof *starts);
  if (starts == NULL) return MPI_ERR_NO_MEM;
  for (int rank = 1; rank < count; rank++) starts[rank] = starts[rank - 1] + sizes[rank - 1];
  int code = MPI_Gatherv(bytes, size, MPI_BYTE, all, sizes, starts, MPI_BYTE, 0, MPI_COMM_WORLD);
  free(starts);
  return code;
}

static inline void mpi_end(void) {
  if (mpi_has_begun()) MPI_Finalize();
}

// Ends all ranks.
static inline void mpi_abort(int code) {
  if (mpi_has_begun()) MPI_Abort(MPI_COMM_WORLD, code);
}
