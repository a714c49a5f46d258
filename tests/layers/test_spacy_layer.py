"""The trimming of the spaCy layer (layers/spacy/trim.py), on a small made-up installation."""

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from layers import trimming
from layers.spacy import trim

ROOT = Path(__file__).parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AARCH64, X86_64 = 183, 62

# Marks its files. Only shell builtins, since nothing else is on the PATH.
MARKING_STRIP = '#!/bin/sh\nfor file; do case "$file" in -*) ;; *) printf stripped >> "$file" ;; esac; done\n'
FAILING_STRIP = "#!/bin/sh\necho 'unknown file format' >&2\nexit 1\n"


def shared_object(*, machine: int = AARCH64, offset: int = 0x1000, address: int = 0x11000, alignment: int = 0x10000) -> bytes:
    """An ELF header and two segments: PT_LOAD as given, and PT_NOTE, whose alignment doesn't matter."""
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, offset, address, address, 8, 8, alignment)
    note = struct.pack("<IIQQQQQQ", 4, 4, 1, 2, 2, 8, 8, 4)
    return header + load + note


def write(path: Path, content: str | bytes = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small installation like pip's: each kind of file that trim.py must remove, and beside each a similar one that it must keep."""
    tree = tmp_path / "python"
    write(tree / "spacy/__init__.py", "from .cli.info import info\n")
    write(tree / "spacy/cli/__init__.py", "import typer\n")
    write(tree / "spacy/cli/info.py", "import typer\n")
    write(tree / "spacy/cli/train.py", "import typer\n")
    write(tree / "spacy/tests/test_doc.py")
    write(tree / "spacy/lang/ja/__init__.py")
    for suffix in ("pyx", "pxd", "c", "cpp", "h", "pyi"):
        write(tree / f"spacy/doc.{suffix}")
    write(tree / "spacy/doc.so", shared_object())
    write(tree / "thinc/_custom_kernels.cu")
    write(tree / "spacy_legacy-3.dist-info/entry_points.txt", "[spacy_architectures]\n")
    for name in ("METADATA", "RECORD", "INSTALLER", "REQUESTED", "WHEEL", "licenses/LICENSE"):
        write(tree / "spacy_legacy-3.dist-info" / name)
    write(tree / "numpy/core.so", shared_object())
    write(tree / "numpy.libs/libblas-1a2b.so.3", shared_object())
    write(tree / "numpy/f2py/__init__.py")
    write(tree / "bin/spacy")
    write(tree / "rich/__init__.py")
    write(tree / "rich-15.dist-info/METADATA")
    write(tree / "rich-15.dist-info/RECORD", "rich/__init__.py,sha256=x,0\nrich-15.dist-info/METADATA,,\n../../bin/rich,,\n")
    write(tree / "setuptools/__init__.py")
    write(tree / "distutils-precedence.pth")
    write(tree / "setuptools-84.dist-info/RECORD", "setuptools/__init__.py,,\ndistutils-precedence.pth,,\n")
    return tree


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH. Its strip tool marks its files."""
    tools = tmp_path / "tools"
    write(tools / "llvm-strip", MARKING_STRIP).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    return tools


def contents(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_leaves_what_spacy_reads_and_nothing_else(tree: Path) -> None:
    trim.trim(tree, "arm64", PYTHON)

    assert {name for name in contents(tree) if not name.endswith(".pyc")} == {
        "spacy/__init__.py",
        "spacy/cli/__init__.py",
        "spacy/cli/info.py",
        "spacy/lang/ja/__init__.py",
        "spacy/doc.so",
        "thinc/_custom_kernels.cu",
        "numpy/core.so",
        "numpy.libs/libblas-1a2b.so.3",
        "spacy_legacy-3.dist-info/METADATA",
        "spacy_legacy-3.dist-info/WHEEL",
        "spacy_legacy-3.dist-info/entry_points.txt",
        "spacy_legacy-3.dist-info/licenses/LICENSE",
    }
    assert not [path for path in tree.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_takes_nothing_outside_the_folder(tree: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "bin/rich")
    write(tree / "rich-15.dist-info/RECORD", "../bin/rich,,\n")
    trim.trim(tree, "arm64", PYTHON)
    assert outside.exists()


def test_prints_the_size_of_what_is_left(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tree / "vectors.bin", b"0" * 2_000_000)
    trim.trim(tree, "arm64", PYTHON)
    assert capsys.readouterr().out.splitlines()[-1] == f"spaCy layer: 2.0 MB unzipped (arm64, Python {PYTHON})"


def test_gives_the_same_tree_again(tree: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for name, content in contents(tree).items():
        write(again / name, content)
    trim.trim(tree, "arm64", PYTHON)
    trim.trim(again, "arm64", PYTHON)
    assert contents(tree) == contents(again)


@pytest.mark.parametrize(
    "code",
    [
        "spacy.info()",
        "spacy.cli.train",
        "from spacy.cli import download",
    ],
)
def test_says_why_the_command_line_is_missing(tree: Path, code: str) -> None:
    trim.trim(tree, "arm64", PYTHON)
    run = subprocess.run(
        [sys.executable, "-c", f"import spacy\n{code}"], env={"PYTHONPATH": str(tree)}, check=False, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "is not in this Lambda layer: it was built without spaCy's command line" in run.stderr.splitlines()[-1]


def test_refuses_a_folder_without_spacy(tmp_path: Path) -> None:
    with pytest.raises(trimming.LayerError, match="spaCy isn't installed there"):
        trim.trim(tmp_path / "tools", "arm64", PYTHON)


def test_strips_shared_objects_but_numpys_and_bundled_libraries(tree: Path) -> None:
    bundled = write(tree / "blis.libs/libgomp.so.1", shared_object())
    trim.trim(tree, "arm64", PYTHON)
    assert (tree / "spacy/doc.so").read_bytes() == shared_object() + b"stripped"
    for untouched in (tree / "numpy/core.so", tree / "numpy.libs/libblas-1a2b.so.3", bundled):
        assert untouched.read_bytes() == shared_object()


def test_goes_on_without_a_strip_tool_and_says_so(tree: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tools / "llvm-strip").unlink()
    trim.trim(tree, "arm64", PYTHON)
    assert (tree / "spacy/doc.so").read_bytes() == shared_object()
    notice, last = capsys.readouterr().out.splitlines()
    assert "not stripped" in notice
    assert "apt install llvm" in notice
    assert "MB unzipped (arm64" in last


@pytest.mark.parametrize(
    ("platform", "machine", "used"), [("linux", "aarch64", True), ("linux", "x86_64", False), ("darwin", "aarch64", False)]
)
def test_strips_with_the_hosts_tool_only_what_is_the_hosts(
    tools: Path, monkeypatch: pytest.MonkeyPatch, platform: str, machine: str, used: bool
) -> None:
    (tools / "llvm-strip").rename(tools / "strip")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert (trimming.find_strip("arm64") is not None) == used


def test_reports_a_strip_tool_that_fails(tree: Path, tools: Path) -> None:
    (tools / "llvm-strip").write_text(FAILING_STRIP)
    with pytest.raises(trimming.LayerError, match=r"llvm-strip failed: unknown file format"):
        trim.trim(tree, "arm64", PYTHON)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (shared_object(offset=0x1008, address=0x11000), r"spacy/doc\.so is misaligned .* and would not load"),
        (shared_object(alignment=0x800), r"spacy/doc\.so is misaligned"),
        (shared_object(alignment=0), r"spacy/doc\.so is misaligned"),
        (shared_object(machine=X86_64), r"spacy/doc\.so isn't for aarch64"),
        (shared_object()[:100], r"doc\.so is incomplete"),
        (b"MZ\x90\x00", r"doc\.so is not a 64-bit Linux shared object"),
    ],
)
def test_refuses_a_shared_object_that_would_not_load(tree: Path, tools: Path, content: bytes, sentence: str) -> None:
    (tools / "llvm-strip").write_text("#!/bin/sh\n")
    write(tree / "spacy/doc.so", content)
    with pytest.raises(trimming.LayerError, match=sentence):
        trim.trim(tree, "arm64", PYTHON)


def test_takes_either_architecture_and_page_size(tree: Path) -> None:
    for path in tree.rglob("*.so*"):
        path.write_bytes(shared_object(machine=X86_64, address=0x2000, alignment=0x1000))
    trim.trim(tree, "x86_64", PYTHON)


def enlarge(tree: Path, size: int) -> None:
    with (tree / "vectors.bin").open("wb") as file:
        file.truncate(size)  # a hole: it takes no space on the disk


def test_refuses_a_layer_that_has_grown(tree: Path) -> None:
    enlarge(tree, 130_000_000)
    with pytest.raises(trimming.LayerError, match=r"130\.0 MB unzipped is over the limit of 130\.0 MB: remove more in"):
        trim.trim(tree, "arm64", PYTHON)


def test_lets_an_unstripped_layer_be_nearly_as_large_as_lambda_takes(tree: Path, tools: Path) -> None:
    (tools / "llvm-strip").unlink()
    enlarge(tree, 250_000_000)
    trim.trim(tree, "arm64", PYTHON)
    enlarge(tree, 250_144_000)
    with pytest.raises(trimming.LayerError, match=r"is over the limit of 250\.1 MB: install LLVM"):
        trim.trim(tree, "arm64", PYTHON)


def test_byte_code_is_never_compared_with_its_source(tree: Path) -> None:
    trim.trim(tree, "arm64", PYTHON)
    compiled = sorted(tree.rglob("*.pyc"))
    assert compiled == sorted(Path(importlib.util.cache_from_source(str(source))) for source in tree.rglob("*.py"))
    for path in compiled:
        content = path.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER
        assert struct.unpack_from("<I", content, 4) == (0b01,), "the flags of PEP 552: by hash, unchecked"
        assert b"/opt/python/spacy/" in content
        assert str(tree).encode() not in content


def test_goes_on_without_byte_code_for_another_python(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trim.trim(tree, "arm64", "3.99")
    assert not list(tree.rglob("*.pyc"))
    assert f"no byte code, because Python 3.99 is missing (this is {PYTHON})" in capsys.readouterr().out


def test_fails_in_one_sentence(tree: Path) -> None:
    command = [sys.executable, "-m", "layers.spacy.trim", str(tree), "--architecture", "x86_64", "--python", PYTHON]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == "spaCy layer: numpy/core.so isn't for x86_64: the wrong wheel was installed\n"
