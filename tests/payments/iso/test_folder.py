"""The drop folder: whole or not at all on our way in, and without trust on our way out."""

import os
import stat
from pathlib import Path

import pytest

from services.payments.channels.folder import DropFolder
from services.payments.errors import ResultUnusable
from tests.payments.iso.papers import Drop


@pytest.fixture
def folder(drop: Drop) -> DropFolder:
    return DropFolder(drop.root)


def read(folder: DropFolder, name: str, bytes_max: int = 100) -> bytes:
    with folder.opened(name, bytes_max) as source:
        return source.read()


def test_a_file_is_put_whole_and_for_no_stranger_to_read(folder: DropFolder, drop: Drop) -> None:
    folder.put("A.xml", b"whole")
    assert [path.name for path in drop.to_bank.iterdir() if path.is_file()] == ["A.xml"]
    assert (drop.to_bank / "A.xml").read_bytes() == b"whole"
    assert (drop.to_bank / "A.xml").stat().st_mode & 0o007 == 0


def test_what_a_kill_left_half_written_is_written_anew(folder: DropFolder, drop: Drop) -> None:
    (drop.to_bank / "A.xml.part").write_bytes(b"half of something that was much longer")
    folder.put("A.xml", b"whole")
    assert (drop.to_bank / "A.xml").read_bytes() == b"whole"
    assert not (drop.to_bank / "A.xml.part").exists()


def test_a_file_lies_there_waiting_and_taken(folder: DropFolder, drop: Drop) -> None:
    assert not folder.lies_there("A.xml")
    folder.put("A.xml", b"whole")
    assert folder.lies_there("A.xml")
    drop.take("A.xml")
    assert folder.lies_there("A.xml")
    assert folder.holds("A.xml", b"whole")
    assert not folder.holds("A.xml", b"other")
    assert not folder.holds("A.xml", b"short")
    assert not folder.holds("A.xml", b"")


def test_what_is_still_being_written_is_not_listed(folder: DropFolder, drop: Drop) -> None:
    for name in ("B.xml", "C.xml.part", ".D.xml"):
        (drop.from_bank / name).write_bytes(b"")
    assert folder.names() == ["B.xml"]


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    nowhere = DropFolder(tmp_path / "nowhere")
    with pytest.raises(OSError, match="No such file"):
        nowhere.put("A.xml", b"whole")
    with pytest.raises(OSError, match="No such file"):
        nowhere.names()
    assert not (tmp_path / "nowhere").exists()


def test_only_files_are_read(folder: DropFolder, drop: Drop) -> None:
    secret = drop.root / "secret"
    secret.write_bytes(b"secret")
    (drop.from_bank / "link.xml").symlink_to(secret)
    (drop.from_bank / "folder.xml").mkdir()
    os.mkfifo(drop.from_bank / "pipe.xml")
    os.mknod(drop.from_bank / "socket.xml", stat.S_IFSOCK)
    for name in ("link.xml", "folder.xml", "pipe.xml", "socket.xml"):
        with pytest.raises(ResultUnusable):
            read(folder, name)


def test_more_than_is_allowed_is_not_read(folder: DropFolder, drop: Drop) -> None:
    drop.lay("A.xml", b"x" * 101)
    with pytest.raises(ResultUnusable):
        read(folder, "A.xml")
    assert len(read(folder, "A.xml", 101)) == 101


def test_another_file_under_the_same_name_has_another_print(folder: DropFolder, drop: Drop) -> None:
    drop.lay("A.xml", b"one")
    before = folder.print_of("A.xml")
    assert folder.print_of("A.xml") == before
    drop.lay("A.xml", b"two")
    assert folder.print_of("A.xml") != before
