"""Sealed files: whole, in order, under their own label, or not at all."""

import csv
import gzip
import io
from pathlib import Path

import pytest

from services.common.kit import keys
from services.common.kit.sealed_file import FRAME_BYTES, SealedFileWriter, open_sealed_file
from services.common.kit.sealing import HEAD_BYTES, Opener, SealBroken, Sealer, Suite

FRAME_ON_DISK = 4 + FRAME_BYTES + 16


@pytest.fixture(scope="module")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    keys.ensure_keys(made)
    return made


@pytest.fixture(scope="module")
def opener(keys_dir: Path) -> Opener:
    return Opener.from_dir(keys_dir, "claims")


async def seal(keys_dir: Path, path: Path, *chunks: bytes, suite: str = "AES-256-GCM") -> None:
    sealer = Sealer.from_dir(keys_dir, Suite.named(suite))
    async with SealedFileWriter(path, sealer, recipient="claims", label="feed:1") as file:
        for chunk in chunks:
            await file.write(chunk)
        await file.finish()


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def opens(path: Path, opener: Opener, label: str = "feed:1") -> bool:
    try:
        with open_sealed_file(path, opener, label=label) as plain:
            plain.read()
    except SealBroken:
        return False
    return True


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])
async def test_a_file_of_any_size_comes_back(
    keys_dir: Path, opener: Opener, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "feed"
    await seal(keys_dir, path, b"x" * size)
    with open_sealed_file(path, opener, label="feed:1") as plain:
        assert plain.read() == b"x" * size
    assert names(tmp_path) == ["feed"]


@pytest.mark.parametrize("suite", ["AES-256-GCM", "SM4-GCM"])
async def test_a_compressed_table_is_read_through_as_a_stream(
    keys_dir: Path, opener: Opener, tmp_path: Path, suite: str
) -> None:
    rows = [[str(number), "张三", "1.00"] for number in range(200_000)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    packed = gzip.compress(text.getvalue().encode("gb18030"), 1)
    path = tmp_path / "feed"
    chunks = [packed[at : at + 65_536] for at in range(0, len(packed), 65_536)]
    await seal(keys_dir, path, *chunks, suite=suite)
    # Its first two bytes alone stand somewhere in the head by chance, one time in a thousand.
    assert packed[:16] not in path.read_bytes()
    with (
        open_sealed_file(path, opener, label="feed:1") as plain,
        gzip.open(plain, "rt", encoding="gb18030", newline="") as table,
    ):
        assert list(csv.reader(table)) == rows


async def test_cut_swapped_or_changed_frames_are_noticed(
    keys_dir: Path, opener: Opener, tmp_path: Path
) -> None:
    path = tmp_path / "feed"
    await seal(keys_dir, path, bytes(3 * FRAME_BYTES))
    whole = path.read_bytes()
    first, second = (
        whole[HEAD_BYTES + at * FRAME_ON_DISK : HEAD_BYTES + (at + 1) * FRAME_ON_DISK]
        for at in range(2)
    )
    head, rest = whole[:HEAD_BYTES], whole[HEAD_BYTES + 2 * FRAME_ON_DISK :]
    broken = [
        b"",
        head,
        whole[:-1],
        whole[: HEAD_BYTES + 2],
        whole[: HEAD_BYTES + 2 * FRAME_ON_DISK],
        head + second + first + rest,
        head + first + rest,
        whole + first,
        whole[:-1] + bytes([whole[-1] ^ 1]),
        head + b"\xff\xff\xff\xff" + whole[HEAD_BYTES + 4 :],
    ]
    for content in broken:
        path.write_bytes(content)
        assert not opens(path, opener)


async def test_a_file_under_another_label_does_not_open(
    keys_dir: Path, opener: Opener, tmp_path: Path
) -> None:
    path = tmp_path / "feed"
    await seal(keys_dir, path, b"rows")
    assert opens(path, opener)
    assert not opens(path, opener, label="feed:2")


async def test_an_upload_given_up_leaves_nothing(keys_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "feed"
    sealer = Sealer.from_dir(keys_dir)

    async def begin_and_break_off() -> None:
        async with SealedFileWriter(path, sealer, recipient="claims", label="feed:1") as file:
            await file.write(b"x" * (2 * FRAME_BYTES))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await begin_and_break_off()
    assert names(tmp_path) == []
