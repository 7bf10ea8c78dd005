"""The errors that bio_interp raises on purpose.

::

    BioInterpError
    ├── InputError             a file or record that cannot be read as what it should be
    │   ├── SequenceError      a protein record: illegal letter, duplicate accession, no sequence
    │   ├── AnnotationError    an annotation record: bad position, unknown kind, broken syntax
    │   └── StructureError     a structure file: cut, damaged, without atoms, of another kind
    ├── MismatchError          two things that do not belong together: widths, sites, settings
    ├── NotCachedError         a file that is not on this machine and may not be fetched now
    ├── NotFoundError          a model, site, atlas, feature, concept or accession that is not there
    ├── MissingExtraError      an optional package that is not installed
    └── PluginError            a plugin that is unknown, broken or of another API version

Everything a user can cause is one of these. The command line prints them without a traceback and
exits 1; anything else is a bug and shows one.
"""

_LONGEST = 3000  # characters of a message; the rest is left out of its middle


class BioInterpError(Exception):
    """An error with three parts: what was wanted, what came, what to do next.

    Parameters
    ----------
    wanted
        What was expected, as a clause: ``"a FASTA record starts with '>'"``.
    got
        What came instead, with the place: ``"line 3 of my.fasta is 'MKV'"``.
    todo
        What to do next, as an imperative sentence.

    The text of the error is `printable` and not endless; `wanted`, `got` and `todo` stay as they
    were given.

    Examples
    --------
    >>> raise BioInterpError("a number", "'seven'", "Write digits.")
    Traceback (most recent call last):
    ...
    bio_interp.errors.BioInterpError: Wanted a number; got 'seven'. Write digits.
    """

    def __init__(self, wanted: str, got: str, todo: str) -> None:
        self.wanted, self.got, self.todo = wanted, got, todo
        super().__init__(_shown(f"Wanted {wanted}; got {got}. {todo}"))

    def __reduce__(self) -> tuple[type["BioInterpError"], tuple[str, str, str]]:
        return type(self), (self.wanted, self.got, self.todo)


def _shown(message: str) -> str:
    if len(message) > _LONGEST:
        message = f"{message[: 2 * _LONGEST // 3]} [...] {message[-_LONGEST // 3 :]}"
    return printable(message)


def printable(text: str) -> str:
    r"""Spell out the characters of a file that a terminal would obey; line ends are kept.

    Examples
    --------
    >>> print(printable("a \x1b[31mred\x1b[0m name"))
    a \x1b[31mred\x1b[0m name
    """
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in text)


class InputError(BioInterpError):
    """A file or record that cannot be read as what it should be."""


class SequenceError(InputError):
    """A protein record that cannot be used; the message names the record and its line."""


class AnnotationError(InputError):
    """An annotation record that cannot be used; the message names the record and its line."""


class StructureError(InputError):
    """A structure file that cannot be used; the message names the file and the place."""


class MismatchError(BioInterpError):
    """Two things that do not belong together, such as an SAE and activations of another width."""


class NotCachedError(BioInterpError):
    """A file that is not on this machine and may not be fetched now."""


class NotFoundError(BioInterpError):
    """A model, site, atlas, feature, concept or accession that is not there."""


class MissingExtraError(BioInterpError):
    """An optional package that is not installed; the message is the line that installs it."""


class PluginError(BioInterpError):
    """A plugin that is unknown, broken, or made for another API version."""
