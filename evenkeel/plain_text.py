"""Output where not every character can be shown: ASCII in the place of what the encoding lacks."""

import codecs
import io
import sys
import unicodedata
from contextlib import suppress
from encodings import ascii as plain

# A codec of this name writes ASCII; under its own name click takes it for a mistake.
ASCII = "evenkeel_ascii"
SPELLED = "evenkeel_spelled"

_SPELLINGS = {
    "…": "...",
    "±": "+-",
    "−": "-",
    "–": "-",
    "—": "-",
    "·": "*",
    "×": "x",
    "√": "sqrt",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "∞": "inf",
    "→": "->",
    "†": "+",
    "µ": "u",
    "█": "#",
    "░": ".",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "▸": ">",
    "▾": "v",
}


def spelled(character: str) -> str:
    r"""A character in ASCII: what looks like it, its name, or its escape, as JSON has it.

    >>> "".join(map(spelled, "γ ≤ 1 ± 2│é"))
    'gamma <= 1 +- 2|\\u00e9'
    """
    if character.isascii():
        return character
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    name = unicodedata.name(character, "")
    if name.startswith("GREEK SMALL LETTER "):
        return name.removeprefix("GREEK SMALL LETTER ").lower()
    if name.startswith("BOX DRAWINGS "):
        across, down = "HORIZONTAL" in name, "VERTICAL" in name
        return "+" if across == down else "-" if across else "|"
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spelled, error.object[error.start : error.end])), error.end


def _codec(name: str) -> codecs.CodecInfo | None:
    if name != ASCII:
        return None
    found = plain.getregentry()
    return codecs.CodecInfo(
        name=ASCII,
        encode=found.encode,
        decode=found.decode,
        incrementalencoder=found.incrementalencoder,
        incrementaldecoder=found.incrementaldecoder,
        streamwriter=found.streamwriter,
        streamreader=found.streamreader,
    )


codecs.register_error(SPELLED, _spell)
codecs.register(_codec)


def spell_out() -> None:
    """Let the standard streams write every text, unless they were told how to."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.errors not in ("strict", "backslashreplace"):
            continue
        with suppress(LookupError, ValueError):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ASCII if is_ascii else None, errors=SPELLED)
