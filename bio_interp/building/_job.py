"""A recipe at work: its folder, its settings, and what several stages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bio_interp.building._claim import claim
from bio_interp.building._recipe import Recipe
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.models import LoadOptions, load_model
from bio_interp.provenance import sha256_file, sha256_text
from bio_interp.sequences import Protein, Split, make_split, read_proteins

if TYPE_CHECKING:
    from bio_interp.models import LanguageModel

STAGES = ("split", "annotations", "sample", "activations", "sae", "codes", "links", "pack")
_NOT_SETTINGS = {"model": ("device", "download", "weights")}


class Job:
    """A recipe, and the folder where what is finished lies.

    Every stage keeps its part in a folder of `work` with a ``settings.json``: all settings that it
    depends on, those of earlier stages too, by their full names in the TOML file. Files stand for
    their hashes, so that they may be moved.

    Parameters
    ----------
    recipe
        What to build.
    work
        Folder of what is finished; made where it is absent. ``<recipe>.work`` beside the recipe
        where None.
    device
        In place of the recipe's.
    """

    def __init__(
        self, recipe: Recipe, work: Path | None = None, *, device: str | None = None
    ) -> None:
        self.recipe = recipe
        self.work = work or recipe.path.with_name(f"{recipe.path.stem}.work")
        self.device = device or recipe.model.device

    @property
    def options(self) -> LoadOptions:
        """How to load the model."""
        part = self.recipe.model
        weights = None if part.weights is None else self.file(part.weights)
        return LoadOptions(self.device, part.precision, not part.download, weights)

    @cached_property
    def model(self) -> LanguageModel:
        """The model, loaded when it is first needed.

        Raises
        ------
        NotFoundError
            There is no such model, or it has no such site.
        MismatchError
            Its weights are not those that read the activations in the work folder.
        """
        model, site = load_model(self.recipe.model.name, self.options), self.recipe.model.site
        if site not in model.info.sites:
            raise NotFoundError(
                f"model.site to be a site of {model.info.name} ({', '.join(model.info.sites)})",
                repr(site),
                "Change model.site in the TOML file.",
            )
        self._check_weights(model.info.weights_sha256)
        return model

    def _check_weights(self, sha256: str) -> None:
        """Refuse other weights than those that read the activations in the work folder."""
        from bio_interp.activations import ActivationStore

        folder = self.work / "activations"
        if not (folder / "manifest.json").is_file():
            return
        before = ActivationStore.open(folder).settings["model.weights_sha256"]
        if before != sha256:
            raise MismatchError(
                f"the weights of {self.recipe.model.name} that the activations in {folder} were "
                "read with",
                f"model.weights_sha256: {before[:12]} there, {sha256[:12]} now",
                "Use those weights, or give another --work.",
            )

    @property
    def d_model(self) -> int:
        """Width of the site."""
        return self.model.info.sites[self.recipe.model.site]

    def offline(self) -> Job:
        """Give the same job with downloads forbidden."""
        model = replace(self.recipe.model, download=False)
        return Job(replace(self.recipe, model=model), self.work, device=self.device)

    def file(self, path: Path) -> Path:
        """Find a file of the recipe, also one of a data set in the cache (``data:NAME/FILE``).

        Raises
        ------
        InputError
            It is not there.
        NotCachedError
            The data set is not in the cache; the message has the command that fetches it.
        """
        if path.parts and path.parts[0].startswith("data:"):
            from bio_interp.cache import data_folder

            path = data_folder(path.parts[0].removeprefix("data:")).joinpath(*path.parts[1:])
        if not path.exists():
            raise InputError(
                f"the file {path}, which {self.recipe.path.name} names",
                "no such file",
                "Put it there, or change the path in the TOML file.",
            )
        return path

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """Find several files."""
        return [self.file(path) for path in paths]

    @cached_property
    def proteins(self) -> Mapping[str, Protein]:
        """All proteins by accession; the first file that has an accession keeps it."""
        found: dict[str, Protein] = {}
        for path in self.files(self.recipe.data.sequences):
            for protein in read_proteins(path):
                found.setdefault(protein.accession, protein)
        return found

    @cached_property
    def split(self) -> Split:
        """The split: the recipe's, else the one in the work folder, which is made once."""
        given = self.recipe.data.split
        path = self.work / "split" / "split.tsv"
        if given is None:
            self.claim("split")
            if not path.is_file():
                self._make_split().save(path)
        split = Split.load(path if given is None else self.file(given))
        if lost := next((a for a in self.proteins if a not in split), None):
            raise MismatchError(
                f"a split of all {len(self.proteins)} proteins",
                f"one without {lost}",
                "Make the split from the same sequences, or leave data.split out.",
            )
        return split

    def _make_split(self) -> Split:
        # of an accession that two files have, both sequences decide its cluster
        paths = self.files(self.recipe.data.sequences)
        proteins = (protein for path in paths for protein in read_proteins(path))
        return make_split(proteins, method=self.recipe.data.split_method)

    def settings(self, stage: str) -> dict[str, Any]:
        """Collect the settings that a stage depends on, by their full names."""
        reached = STAGES.index(stage)
        parts = ["data"]
        if stage != "split":
            parts.append("sample")
        if (
            stage == "annotations"
            or reached >= STAGES.index("links")
            or self.sample_needs_annotations
        ):
            parts.append("annotations")
        for part, first in (("model", "activations"), ("sae", "sae"), ("link", "links"),
                            ("report", "links"), ("atlas", "pack")):  # fmt: skip
            if reached >= STAGES.index(first):
                parts.append(part)
        return {key: value for part in parts for key, value in self._flat(part).items()}

    @property
    def sample_needs_annotations(self) -> bool:
        """Whether the draw depends on the annotations."""
        return bool(self.recipe.sample.families or self.recipe.sample.curated)

    def claim(self, stage: str, more: Mapping[str, Any] | None = None) -> Path:
        """Give a stage's folder, made where it is absent.

        Raises
        ------
        MismatchError
            It holds what was made with other settings; the message names them.
        """
        return claim(
            self.work / stage,
            {**self.settings(stage), **(more or {})},
            "Give another --work, or remove that folder and those of the stages after it.",
        )

    def _flat(self, part: str) -> dict[str, Any]:
        content = self._hashed(getattr(self.recipe, part))
        left_out = _NOT_SETTINGS.get(part, ())
        return {f"{part}.{key}": value for key, value in content.items() if key not in left_out}

    def _hashed(self, record: Any) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for key, value in asdict(record).items():
            if isinstance(value, dict):
                for name, inner in value.items():
                    flat |= {f"{name}.{k}": self._plain(v) for k, v in inner.items()}
            else:
                flat[key] = self._plain(value)
        return flat

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Path):
            return self._hash(value)
        if isinstance(value, tuple | list):
            return [self._plain(item) for item in value]
        return value

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = _hash(self.file(path))
        return self._hashes[path]

    @cached_property
    def _hashes(self) -> dict[Path, str]:
        return {}


def _hash(path: Path) -> str:
    """Hash a file, or the files of a folder and their names."""
    if path.is_file():
        return f"sha256 {sha256_file(path)[:16]}"
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    lines = (f"{p.relative_to(path)} {sha256_file(p)}" for p in inside)
    return f"sha256 {sha256_text(lines)[:16]}"
