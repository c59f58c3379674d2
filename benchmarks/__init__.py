"""Benchmarks. They print times and ratios, measured side by side in one run; none of them passes or fails."""
