"""The kernel: what a review computes, as plain loops over numbers that Numba compiles.

A function of the kernel gives the same bits on every processor, compiled or interpreted, in every process and run. So
a journal that one machine wrote is replayed by another, and learners compare equal in `restock audit`. For that,

- numbers are of eight bytes; what is stored in fewer is widened by `np.float64()` where it is read (`float()`
  leaves four bytes as they are once it is compiled);
- only + − × ÷, square root, comparison, `floor` and `ceil` are used, which IEEE 754 defines to the last bit, and the
  functions of `arithmetic.py`, which are made of these; no `**`, no `sum`, `dot` or function of NumPy;
- sums are loops in the order in which they stand, and nothing is divided by zero;
- state is a structured array with named fields, whose bytes are what is stored.

With NUMBA_DISABLE_JIT=1 the same source runs interpreted, some hundred times slower: that is what tests compare with.
"""
