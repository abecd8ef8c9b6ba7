// OpenBLAS's C interface, as Debian's libopenblas-dev installs it.
#pragma once
#include <cblas.h>

// Eigenvalues of a symmetric matrix, of the LAPACK inside OpenBLAS; Debian puts its header into another package.
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
            const int *lwork, int *info);
