"""The reader of lines, against what the standard library makes of the same bytes."""

import io
import logging
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wae_rnf.tokenization import lines
from wae_rnf.tokenization.lines import BARE_RETURN, INNER_MARK, INVISIBLE, decode_lines, read_lines, say


def read(content, notes=None):
    return list(decode_lines(io.BytesIO(content), "it", notes))


PIECES = ["a", "the cat", "\n", "\r", "\r\n", " ", "\u2028", "\x0c", "é", "\u3000"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.integers(1, 9))
def test_universal_line_ends_at_any_size_of_block(text, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK", block)
        expected = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline=None).read().split("\n")
        expected = [line.strip() for line in (expected[:-1] if expected[-1] == "" else expected)]
        notes = Counter()
        assert read(text.encode(), notes) == expected
        assert notes[BARE_RETURN] == text.replace("\r\n", "\n").count("\r")


def test_marks_and_what_nobody_sees():
    notes = Counter()
    content = "\ufeffone\ntwo\n\ufeffthree\nfo\u200bur\nfi\u200dve".encode()
    assert read(content, notes) == ["one", "two", "three", "fo\u200bur", "fi\u200dve"]
    assert notes == {BARE_RETURN: 0, INNER_MARK: 1, INVISIBLE: 1}


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-16", "UTF-16"), ("utf-32", "UTF-32"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"),
     ("utf-32-le", "UTF-32"), ("utf-32-be", "UTF-32")],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_other_encodings_are_named(encoding, name, end):
    with pytest.raises(ValueError, match=rf"it\b.* {name}.*save the file as UTF-8"):
        read(end.join(["the cat sat", "a dog ran", ""]).encode(encoding))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("天地\n玄黄\n".encode("utf-16-be"), "it, line 1: byte . is (NUL|not UTF-8)"),
        (b"a\nb\n c \0 d\n", "it, line 3: byte 4 is NUL, which no text has"),
        (b"a\r\xff", "it, line 2: byte 1 is not UTF-8; save the file as UTF-8"),
        ("Sépare".encode("latin-1"), "it, line 1: byte 2 is not UTF-8"),
        (b"\x1f\x8b\x08\x00", "it is no text, but compressed by gzip; unpack it first"),
        (b"PK\x03\x04\x14", "compressed by zip"),
    ],
)
def test_what_is_no_text_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


class Endless(io.RawIOBase):
    """One line without an end; counts what was read of it."""

    def __init__(self):
        self.asked = 0

    def read(self, size=-1):
        assert size > 0
        self.asked += size
        return b"word " * (size // 5)


def test_a_line_without_end_is_refused_in_bounded_memory():
    stream = Endless()
    with pytest.raises(ValueError, match="it, line 1 has more than 1,048,576 bytes"):
        list(decode_lines(stream, "it"))
    assert stream.asked <= 4 * lines.MAX_LINE


def test_a_long_line_has_a_limit(monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE", 5)
    for block in (1, 4, 7, 100):
        monkeypatch.setattr(lines, "BLOCK", block)
        assert read(b"a\n12345\nb") == ["a", "12345", "b"]
        for content in (b"a\n123456\nb", b"a\n123456"):
            with pytest.raises(ValueError, match="it, line 2 has more than 5 bytes"):
                read(content)


def test_a_file_is_read_as_a_stream_is(tmp_path):
    content = "\ufeffone\r\rtwo\nthree \u2028 four\r\n".encode()
    (tmp_path / "it").write_bytes(content)
    assert list(read_lines(tmp_path / "it")) == read(content) == ["one", "", "two", "three \u2028 four"]


def test_notes_are_said_where_there_are_any(caplog):
    with caplog.at_level(logging.WARNING):
        say("it", Counter({"lines are odd": 3, "lines are even": 0}))
    assert [record.getMessage() for record in caplog.records] == ["it: 3 lines are odd"]
