"""Choices that depend on sizes only, so that they can be read, tested and overruled."""

from typing import Literal

_BREAK_EVEN = 146
_L2_BYTES = 40e6
_WRITE_SECONDS = 4 / 4.8e12
_GEMM_SECONDS = 2 / 700e12
_OWN_GEMM_LOSS = 0.15
TILES = (512, 256, 128, 64, 32, 16)
CHUNK = 256
"""Entries of one feature that one program adds up; longer runs take several programs."""


def decoder_route(d_sae: int, k: int, d_out: int, *, bytes_each: int = 2) -> str:
    """Choose how to decode: by gathering rows (``"sparse"``) or a matrix product (``"dense"``).

    A dense product costs ``2 d F`` operations a row (at 700 TFLOP/s), a gather reads ``2 d k``
    bytes (at 4.8 TB/s): equal at F / k = 146. Where the decoder fits the L2 cache (40 MB) the
    gather runs at about twice that rate, and the break-even halves. Numbers of an H200 on paper
    in bf16; nothing here has been measured. Whatever is chosen, the result is the same up to
    rounding.

    Parameters
    ----------
    d_sae, k
        Features, and those on in a row.
    d_out
        Width of what is decoded.
    bytes_each
        Size of an element of the decoder.

    Examples
    --------
    >>> decoder_route(10_240, 64, 1280), decoder_route(4096, 64, 1280)
    ('sparse', 'dense')
    """
    limit = _BREAK_EVEN / 2 if d_sae * d_out * bytes_each <= _L2_BYTES else _BREAK_EVEN
    return "sparse" if d_sae > limit * k else "dense"


def selection_route(d_model: int, *, bytes_each: int = 2) -> Literal["dense", "fused"]:
    """Choose whether the encoder's product is written out before the selection.

    ``"dense"`` multiplies by cuBLAS, writes the ``(rows, d_sae)`` matrix and reads it once;
    ``"fused"`` is a product of our own that keeps only what is above a running threshold, and
    pays where one write and one read cost more than what cuBLAS is faster by (taken as 15%):
    below a width of about 1,900 in bf16. A product of our own in float32 runs without tensor
    cores and never pays. On paper; not measured.

    Examples
    --------
    >>> selection_route(320), selection_route(4096), selection_route(320, bytes_each=4)
    ('fused', 'dense', 'dense')
    """
    if bytes_each > 2:
        return "dense"
    saved, lost = _WRITE_SECONDS, _OWN_GEMM_LOSS * _GEMM_SECONDS * d_model
    return "fused" if saved > lost else "dense"


def tile(width: int, most: int) -> int:
    """Choose the largest tile, a power of two up to `most`, that wastes at most an eighth.

    Examples
    --------
    >>> tile(1280, 512), tile(320, 256), tile(7, 128)
    (256, 64, 16)
    """
    for size in (size for size in TILES if size <= most):
        if -(-width // size) * size <= width * 9 / 8:
            return size
    return TILES[-1]


def power_of_two(number: int, least: int = 16) -> int:
    """Round up to a power of two, at least `least`."""
    return max(least, 1 << (number - 1).bit_length())


def shortlist(d_sae: int, k: int, *, whole_batch: bool) -> int:
    """Give how many entries of a row may pass the running threshold.

    A row that passes more, or fewer than it needs, is selected from its dense pre-activations.
    Rows of one batch differ more where they compete, so their lists are longer.
    """
    return min(d_sae, max(64, (16 if whole_batch else 8) * k))
