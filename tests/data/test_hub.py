"""Files are found in the right order, verified whatever their source, and downloaded all or nothing."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from d2l_core.data import Resource, fetch
from d2l_core.errors import DataError

CONTENT = bytes(range(256)) * 4000  # more than one chunk of a download


def resource(*urls: str, content: bytes = CONTENT) -> Resource:
    return Resource("numbers.bin", urls, hashlib.sha256(content).hexdigest(), len(content), "numbers")


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_download_is_kept_and_not_repeated(home, site):
    wanted = resource(site.put("numbers.bin", CONTENT))
    path = fetch(wanted)
    assert path == home / "numbers" / "numbers.bin"
    assert path.read_bytes() == CONTENT
    assert fetch(wanted) == path
    assert site.requests == ["/numbers.bin"]
    assert files_in(home) == ["numbers/numbers.bin", "verified.json"]


def test_next_mirror_after_each_kind_of_failure(home, site):
    damaged = site.put("damaged.bin", CONTENT[:-1] + b"\x00")
    short = site.put("short.bin", CONTENT[:-1])
    long = site.put("long.bin", CONTENT + b"\x00")
    cut = site.put("cut/numbers.bin", CONTENT)
    missing, refused = f"{site.url}/none.bin", "http://127.0.0.1:1/numbers.bin"
    good = site.put("good.bin", CONTENT)
    path = fetch(resource(damaged, short, long, cut, missing, refused, good))
    assert path.read_bytes() == CONTENT
    assert site.requests == [
        "/damaged.bin",
        "/short.bin",
        "/long.bin",
        "/cut/numbers.bin",
        "/none.bin",
        "/good.bin",
    ]


@pytest.mark.parametrize(
    ("served", "says"),
    [
        pytest.param(CONTENT[:-1] + b"\x00", "SHA-256 differs", id="corrupt"),
        pytest.param(CONTENT[:1000], "cut off after 1,000 of 1,024,000 bytes", id="truncated"),
        pytest.param(CONTENT + b"\x00", "more than the 1,024,000 bytes", id="too long"),
        pytest.param(b"", "cut off after 0 of", id="empty"),
    ],
)
def test_bad_download_leaves_nothing_and_says_what_to_do(home, site, served, says):
    url = site.put("numbers.bin", served)
    with pytest.raises(DataError, match=says) as caught:
        fetch(resource(url))
    assert url in str(caught.value)
    assert "D2L_DATA_DIR" in str(caught.value)
    assert "numbers/numbers.bin" in str(caught.value)
    assert files_in(home) == []


def test_connection_lost_in_the_middle(home, site):
    with pytest.raises(DataError, match="cut off"):
        fetch(resource(site.put("cut/numbers.bin", CONTENT)))
    assert files_in(home) == []


def test_no_mirror_answers(home, site):
    with pytest.raises(DataError, match=r"404.*no connection.*D2L_DATA_DIR") as caught:
        fetch(resource(f"{site.url}/none.bin", "http://127.0.0.1:1/numbers.bin"))
    assert "\n" not in str(caught.value)


def test_only_web_addresses_are_opened(home, tmp_path):
    source = tmp_path / "numbers.bin"
    source.write_bytes(CONTENT)
    with pytest.raises(DataError, match="not an http or https address"):
        fetch(resource(source.as_uri()))


def test_resource_without_address(home):
    with pytest.raises(DataError, match=r"has no public address.*D2L_DATA_DIR"):
        fetch(resource())


def test_data_dir_comes_first_and_may_be_a_list(home, site, tmp_path, monkeypatch):
    empty, full = tmp_path / "empty", tmp_path / "full"
    mine = full / "numbers" / "numbers.bin"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(CONTENT)
    wanted = resource(site.put("numbers.bin", CONTENT))
    fetch(wanted)
    monkeypatch.setenv("D2L_DATA_DIR", os.pathsep.join(["", str(empty), str(full)]))
    assert fetch(wanted) == mine
    assert site.requests == ["/numbers.bin"]


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"\x00"], ids=["truncated", "corrupt"])
def test_damaged_file_in_data_dir_is_named(home, tmp_path, monkeypatch, content):
    mine = tmp_path / "numbers" / "numbers.bin"
    mine.parent.mkdir()
    mine.write_bytes(content)
    monkeypatch.setenv("D2L_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="replace that file") as caught:
        fetch(resource())
    assert str(mine) in str(caught.value)
    assert mine.read_bytes() == content


def test_damaged_file_in_the_cache_is_fetched_again(home, site):
    wanted = resource(site.put("numbers.bin", CONTENT))
    path = fetch(wanted)
    damaged = CONTENT[:-1] + b"\x00"
    path.write_bytes(damaged)
    os.utime(path, ns=(1, 1))
    assert fetch(wanted).read_bytes() == CONTENT
    path.write_bytes(damaged[:-1])
    assert fetch(wanted).read_bytes() == CONTENT
    assert len(site.requests) == 3


def test_verdict_is_remembered_for_the_same_file_and_hash_only(home, site, monkeypatch):
    wanted = resource(site.put("numbers.bin", CONTENT))
    path = fetch(wanted)
    hashed = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: (hashed.append(file.name), real(file, kind))[1])
    fetch(wanted)
    assert hashed == []
    os.utime(path, ns=(1, 1))
    fetch(wanted)
    assert hashed == [str(path)]
    other = Resource(wanted.name, (), "0" * 64, wanted.size, wanted.folder)
    with pytest.raises(DataError):
        fetch(other)
    assert len(hashed) == 2


@pytest.mark.parametrize("content", ["", "[]", "{not json", '{"x": 1}'])
def test_unreadable_verdicts_are_ignored(home, site, content):
    wanted = resource(site.put("numbers.bin", CONTENT))
    path = fetch(wanted)
    (home / "verified.json").write_text(content)
    assert fetch(wanted) == path
    assert str(path.resolve()) in json.loads((home / "verified.json").read_text())


def test_mirror_of_the_user_is_asked_first(home, site, monkeypatch):
    site.put("mine/numbers/numbers.bin", CONTENT)
    monkeypatch.setenv("D2L_MIRROR", f"{site.url}/mine/")
    fetch(resource(site.put("numbers.bin", CONTENT)))
    assert site.requests == ["/mine/numbers/numbers.bin"]


def test_offline_forbids_the_network(home, site, monkeypatch):
    wanted = resource(site.put("numbers.bin", CONTENT))
    monkeypatch.setenv("D2L_OFFLINE", "1")
    with pytest.raises(DataError, match=r"D2L_OFFLINE.*D2L_DATA_DIR"):
        fetch(wanted)
    assert site.requests == []
    monkeypatch.setenv("D2L_OFFLINE", "0")
    path = fetch(wanted)
    monkeypatch.setenv("D2L_OFFLINE", "1")
    assert fetch(wanted) == path


class _FullDisk(io.FileIO):
    """A file on a disk with room for 300,000 bytes."""

    def write(self, data):
        if self.tell() + len(data) > 300_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_full_disk_is_told_apart_from_a_bad_mirror(home, site, monkeypatch):
    urls = [site.put("numbers.bin", CONTENT), site.put("other.bin", CONTENT)]
    real = io.open

    def open_on_full_disk(file, mode="r", *rest):
        return _FullDisk(file, mode) if str(file).endswith(".part") else real(file, mode, *rest)

    monkeypatch.setattr(io, "open", open_on_full_disk)
    with pytest.raises(DataError, match="no space left") as caught:
        fetch(resource(*urls))
    assert str(home / "numbers") in str(caught.value)
    assert "1,024,000 bytes" in str(caught.value)
    assert site.requests == ["/numbers.bin"]
    assert files_in(home) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_write_that_the_system_refuses(home, site):
    wanted = resource(site.put("numbers.bin", CONTENT))
    script = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        from d2l_core.data import Resource, fetch
        from d2l_core.errors import DataError
        try:
            fetch({wanted!r})
        except DataError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no space left" in done.stdout
    assert str(home / "numbers") in done.stdout
    assert files_in(home) == []


def test_cache_that_cannot_be_made(home, site):
    home.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="set D2L_HOME"):
        fetch(resource(site.put("numbers.bin", CONTENT)))


def test_interrupt_leaves_no_temporary_file(home, site, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(resource(site.put("numbers.bin", CONTENT)))
    assert files_in(home) == []


def _until_end(terminal):
    """What was written to a terminal whose other side is closed, which Linux tells by an error."""
    try:
        while chunk := os.read(terminal, 100_000):
            yield chunk.decode()
    except OSError:
        return


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_only(home, site):
    import pty

    wanted = resource(site.put("numbers.bin", CONTENT))
    script = f"from d2l_core.data import Resource, fetch; print(fetch({wanted!r}))"
    quiet = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    Path(quiet.stdout.strip()).unlink()
    master, slave = pty.openpty()
    subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=slave, check=True)
    os.close(slave)
    shown = "".join(_until_end(master))
    os.close(master)
    assert "numbers.bin" in shown


def test_concurrent_processes_share_one_cache(home, site):
    wanted = resource(site.put("numbers.bin", CONTENT))
    script = f"from d2l_core.data import Resource, fetch; print(fetch({wanted!r}))"
    workers = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    paths = {worker.communicate(timeout=60)[0].decode().strip() for worker in workers}
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert paths == {str(home / "numbers" / "numbers.bin")}
    assert files_in(home) == ["numbers/numbers.bin", "verified.json"]
