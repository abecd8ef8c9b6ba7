// OpenBLAS's C interface, as Debian's libopenblas-dev installs it.
#pragma once
#include <cblas.h>

// Two LAPACK functions that OpenBLAS contains (Debian has their header in another package): the
// eigenvalues of a symmetric matrix, and the solution of a positive definite system of equations.
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
            const int *lwork, int *info);
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
            int *info);
