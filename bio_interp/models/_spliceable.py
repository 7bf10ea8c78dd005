"""The base class that gives a model its `splice`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

if TYPE_CHECKING:
    from bio_interp.models._protocol import LanguageModel
    from bio_interp.models._splice import Splice
    from bio_interp.models._splice_run import SpliceKey
    from bio_interp.sae import SparseAutoencoder


class Spliceable:
    """Base class for a `LanguageModel`: adds `splice`, built on its `edits`.

    Attributes
    ----------
    places_edits
        True where the model applies edits with `edit_rows`. Where it does not, edits of some
        proteins or positions run it on one protein at a time, and it must not read in windows.
    """

    places_edits: ClassVar[bool] = False

    def splice(
        self, saes: "Mapping[SpliceKey, SparseAutoencoder]", *, keep_error: bool = True
    ) -> "Splice":
        """Run the model through SAEs: their features can be edited and gradients reach them.

        The model itself is not changed; what is returned runs it with the rows at each site
        replaced by their reconstruction, see `Splice`.

        Parameters
        ----------
        saes
            SAE by site, on the model's device; a transcoder by the pair of the site it reads and
            the site it writes.
        keep_error
            Add what the SAE misses (row minus reconstruction, of the features as they were
            before they were edited). With nothing edited, nothing then changes.

        Raises
        ------
        NotFoundError
            A site that the model lacks.
        MismatchError
            An SAE of another width, or two that write one site.
        """
        from bio_interp.models._splice import Splice

        return Splice(cast("LanguageModel", self), saes, keep_error=keep_error)
