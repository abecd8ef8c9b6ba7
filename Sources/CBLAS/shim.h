// OpenBLAS's C interface, as Debian's libopenblas-dev installs it.
#pragma once
#include <cblas.h>

// Of the LAPACK inside OpenBLAS, whose header Debian puts into another package: eigenvalues of a symmetric matrix, and the
// solution of a positive one's equations.
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
            const int *lwork, int *info);
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
            int *info);
