// The parts of MPI that a search needs. MPI's constants are macros, which Swift cannot see. Used
// only with the package trait MPI.
#pragma once
#include <mpi.h>
#include <stddef.h>

static inline int mpi_begin(void) {
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

static inline int mpi_has_begun(void) {
  int begun = 0;
  MPI_Initialized(&begun);
  return begun;
}

static inline void mpi_end(void) {
  if (mpi_has_begun()) MPI_Finalize();
}

// Ends all ranks.
static inline void mpi_abort(int code) {
  if (mpi_has_begun()) MPI_Abort(MPI_COMM_WORLD, code);
}
