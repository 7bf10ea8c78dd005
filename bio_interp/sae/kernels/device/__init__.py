"""The Triton side: ``_jit_*.py`` are the kernels, the other modules launch them.

Nothing here is imported where triton is not there to run it; see `load_kernels`.
"""
