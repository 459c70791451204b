"""Files: what is wrong is named by file and field; a file is written whole or stays as it was."""

from typing import Annotated, Any

import msgspec
import pytest

from theory.files import read, written_whole
from theory.model import InputError


class Inner(msgspec.Struct):
    sizes: list[int]


class Load(msgspec.Struct, forbid_unknown_fields=True):
    steps: Annotated[int, msgspec.Meta(ge=1)] = 1
    inner: Inner | None = None
    more: Any = None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "expected a JSON object with steps, inner, more"),
        ('{"pace": 1}', "unknown field 'pace'; a load has: steps, inner, more"),
        ('{"steps": 0}', "steps must be an integer of at least 1"),
        ('{"steps": true}', "a field has the wrong type: steps: expected `int`, got `bool`"),
        ('{"inner": {}}', "the field 'sizes' is missing in inner"),
        (
            '{"inner": {"sizes": [1, 2.0]}}',
            "a field has the wrong type: inner.sizes[1]: expected `int`, got `float`",
        ),
        ('{"steps": ', "is not JSON: "),
        ('{"more": ' + "[" * 10**5, "is not JSON: "),
    ],
)
def test_a_wrong_field_is_named(tmp_path, text, says):
    path = tmp_path / "load.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        read(path, Load)
    assert str(error.value).startswith(f"{path}: {says}")


def test_toml_and_unreadable_files(tmp_path):
    path = tmp_path / "load.toml"
    path.write_text("steps = 3\n[inner]\nsizes = [1, 2]\n", "utf-8")
    assert read(path, Load, "TOML") == Load(3, Inner([1, 2]))
    path.write_text("pace = 1", "utf-8")
    with pytest.raises(InputError, match="unknown key 'pace'; a load has: steps, inner, more"):
        read(path, Load, "TOML")
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"load\.toml: line 1 is not UTF-8"):
        read(path, Load, "TOML")
    with pytest.raises(InputError, match="is a directory; name one file"):
        read(tmp_path, Load)


def interrupted(path):
    with written_whole(path) as scratch:
        scratch.write_text("half of t", "utf-8")
        raise KeyboardInterrupt


def test_a_file_is_written_whole_or_stays(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    with written_whole(path) as scratch:
        scratch.write_text("one", "utf-8")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text("utf-8") == "one"
    with pytest.raises(InputError, match="cannot write"), written_whole(path / "below") as scratch:
        scratch.write_text("two", "utf-8")
