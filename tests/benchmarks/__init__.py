"""Benchmarks: each module named bench_* measures one thing against its floor, in `main()`."""
