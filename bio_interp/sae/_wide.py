"""Buffers that no move to another dtype makes narrower than float32."""

from collections.abc import Callable
from typing import ClassVar, Self

from torch import Tensor, nn


class WideBuffers(nn.Module):
    """Base of modules that compare or shift by numbers of which every bit counts.

    ``module.to(torch.bfloat16)`` moves weights; a threshold, mean or scale rounded to 8 bits would
    change which features fire. These move with the device and to wider dtypes only.

    Attributes
    ----------
    wide
        Names of the buffers that are kept.
    """

    wide: ClassVar[tuple[str, ...]] = ()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: self._buffers[name] for name in self.wide}
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._buffers[name]
            if old is not None and new is not None and new.dtype.itemsize < 4:
                self._buffers[name] = old.to(new.device)
        return self
