import os
import stat

import pytest

from refcompress.storage import atomic, check_writable, write_beside

OLD, NEW = b"what stood here before", b"the new bytes"


@pytest.mark.parametrize("as_text", [True, False])
def test_writes_and_replaces(tmp_path, as_text):
    path = tmp_path / "a.npz"
    for data in (OLD, NEW, b""):
        write_beside(str(path) if as_text else path, data)
        assert path.read_bytes() == data
        assert list(tmp_path.iterdir()) == [path]


def test_a_name_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable("a.npz")
    write_beside("a.npz", NEW)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_the_file_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "ordinary").write_bytes(OLD)
    write_beside(tmp_path / "a.npz", NEW)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
    before = os.umask(0o027)
    try:
        write_beside(tmp_path / "b.npz", NEW)
        assert os.umask(0o027) == 0o027  # it is left as it was
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b.npz").stat().st_mode) == 0o640


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("function", ["replace", "chmod", "umask"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
def test_an_interruption_leaves_nothing(function, error, existing, tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    if existing:
        path.write_bytes(OLD)

    def interrupted(*arguments):
        assert any(p.suffix == ".part" for p in tmp_path.iterdir())
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, function, interrupted)
        with pytest.raises(error):
            write_beside(path, NEW)
    assert list(tmp_path.iterdir()) == ([path] if existing else [])
    assert not existing or path.read_bytes() == OLD


def test_nothing_is_written_half(tmp_path, monkeypatch):
    """Until the rename the file under its name is the old one; then it is the new one, whole."""
    path = tmp_path / "a.npz"
    path.write_bytes(OLD)
    original, seen = os.replace, []

    def spy(source, target):
        with open(source, "rb") as file:  # noqa: PTH123 - whatever kind of path it is
            seen.append((path.read_bytes(), file.read()))
        return original(source, target)

    monkeypatch.setattr(atomic.os, "replace", spy)
    write_beside(path, NEW)
    assert seen == [(OLD, NEW)]


def test_folders_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "missing" / "a.npz"):
        with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
            write_beside(path, NEW)
        with pytest.raises(ValueError, match="output must be"):
            check_writable(path)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize("existing", [True, False])
def test_check_writable_leaves_everything(existing, tmp_path):
    path = tmp_path / "a.npz"
    if existing:
        path.write_bytes(OLD)
    check_writable(path)
    check_writable(str(path))
    assert list(tmp_path.iterdir()) == ([path] if existing else [])
    assert not existing or path.read_bytes() == OLD


@pytest.mark.parametrize("name", ["x" * 256, "x" * 5000, "a\0b"])
def test_check_writable_refuses_names_that_no_file_can_have(name, tmp_path):
    with pytest.raises(ValueError, match="output must be"):
        check_writable(tmp_path / name)


@pytest.mark.parametrize("length", [1, 100, 240, 245, 250, 255])
def test_what_check_writable_accepts_can_be_written(length, tmp_path):
    path = tmp_path / ("x" * length)
    try:
        check_writable(path)
    except ValueError:
        assert length > 240  # a longer name beside it may not fit
    else:
        write_beside(path, NEW)
        assert path.read_bytes() == NEW


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("relative", [True, False])
def test_a_symbolic_link_stays_and_its_target_changes(relative, existing, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    target, link = tmp_path / "elsewhere" / "target.npz", tmp_path / "here" / "link.npz"
    if existing:
        target.write_bytes(OLD)
    written = os.path.join("..", "elsewhere", "target.npz") if relative else str(target)  # noqa: PTH118
    link.symlink_to(written)
    check_writable(link)
    write_beside(link, NEW)
    assert str(link.readlink()) == written
    assert not target.is_symlink()
    assert target.read_bytes() == link.read_bytes() == NEW
    assert list((tmp_path / "here").iterdir()) == [link]
    assert list((tmp_path / "elsewhere").iterdir()) == [target]


def test_a_link_to_a_link(tmp_path):
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("a.npz")
    write_beside(tmp_path / "first", NEW)
    assert [str((tmp_path / name).readlink()) for name in ("first", "second")] == ["second", "a.npz"]
    assert (tmp_path / "a.npz").read_bytes() == NEW


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("through_a_link", [True, False])
def test_check_writable_refuses_a_pipe(through_a_link, tmp_path):
    """A rename would take the pipe away from those who read it."""
    pipe = path = tmp_path / "pipe"
    os.mkfifo(pipe)
    if through_a_link:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    with pytest.raises(ValueError, match=f"output must be a file .*{path.name}.* no regular file"):
        check_writable(path)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ValueError, match="output must be a file that can be written"):
            check_writable(tmp_path / "a.npz")
    finally:
        tmp_path.chmod(0o700)
