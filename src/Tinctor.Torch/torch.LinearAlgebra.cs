namespace Tinctor.Torch;

public static partial class torch
{
    /// <summary>Linear algebra, as torch.linalg.</summary>
    public static class linalg
    {
        /// <summary>The inverse of square matrices.</summary>
        public static Tensor inv(Tensor A) => Ops.linalg_inv.Call(A);

        /// <summary>The Moore-Penrose inverse.</summary>
        public static Tensor pinv(Tensor A) => Ops.linalg_pinv.Call(A);

        /// <summary>The determinant.</summary>
        public static Tensor det(Tensor A) => Ops.linalg_det.Call(A);

        /// <summary>The Cholesky factor of positive definite matrices.</summary>
        public static Tensor cholesky(Tensor A, bool upper = false) => Ops.linalg_cholesky.Call(A, upper);

        /// <summary>The eigenvalues of symmetric matrices, ascending.</summary>
        public static Tensor eigvalsh(Tensor A, string UPLO = "L") => Ops.linalg_eigvalsh.Call(A, UPLO);

        /// <summary>The singular values, descending.</summary>
        public static Tensor svdvals(Tensor A) => Ops.linalg_svdvals.Call(A);

        /// <summary>Solves A @ X = B.</summary>
        public static Tensor solve(Tensor A, Tensor B) => Ops.linalg_solve.Call(A, B);

        /// <summary>The vector norm of order ord.</summary>
        public static Tensor vector_norm(Tensor x, Scalar? ord = null, long[]? dim = null, bool keepdim = false) =>
            Ops.linalg_vector_norm.Call(x, ord ?? 2, dim, keepdim);

        /// <summary>U, S, Vh with A = U @ diag(S) @ Vh.</summary>
        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor A, bool full_matrices = true)
        {
            Tensor[] found = Ops.linalg_svd.CallMany(A, full_matrices);
            return (found[0], found[1], found[2]);
        }

        /// <summary>Eigenvalues, ascending, and eigenvectors (columns) of symmetric matrices.</summary>
        public static (Tensor eigenvalues, Tensor eigenvectors) eigh(Tensor A, string UPLO = "L")
        {
            Tensor[] found = Ops.linalg_eigh.CallMany(A, UPLO);
            return (found[0], found[1]);
        }

        /// <summary>Q, R with A = Q @ R.</summary>
        public static (Tensor Q, Tensor R) qr(Tensor A, string mode = "reduced")
        {
            Tensor[] found = Ops.linalg_qr.CallMany(A, mode);
            return (found[0], found[1]);
        }

        /// <summary>Least-squares solution of A @ X = B, and the residuals.</summary>
        public static (Tensor solution, Tensor residuals) lstsq(Tensor A, Tensor B)
        {
            Tensor[] found = Ops.linalg_lstsq.CallMany(A, B);
            return (found[0], found[1]);
        }
    }
}
