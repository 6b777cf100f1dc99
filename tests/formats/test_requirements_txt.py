from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidFile
from envkit.formats import requirements_txt
from envkit.formats.requirements_txt import BadReference, Option, Reference, Requirement, parse
from tests.builders.files import Write
from tests.builders.requirements import options, requirements, texts
from tests.cases import cases

LINES = cases("requirement_lines")


def wanted(case: dict[str, Any]) -> Any:
    return case.get("envkit", case["expect"])


def lines_of(lines: str) -> list[str]:
    return [each.text for each in parse(lines) if isinstance(each, Requirement)]


def squeezed(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize("case", cases("requirements_files"), ids=lambda case: case["id"])
def test_a_file_says_what_it_says_to_pip(
    tmp_path: Path, write: Write, case: dict[str, Any]
) -> None:
    path = write(
        {name: text.replace("{ABS}", str(tmp_path)) for name, text in case["files"].items()}
    )
    if "error" in case["pip"]:
        with pytest.raises(InvalidFile):
            requirements_txt.read(path, root=tmp_path)
        return

    found = requirements_txt.read(path, root=tmp_path)

    assert squeezed([each.text for each in found.requirements]) == squeezed(
        case["pip"]["requirements"]
    )
    assert squeezed([each.text for each in found.constraints]) == squeezed(
        case["pip"]["constraints"]
    )


@pytest.mark.parametrize("case", LINES["line.is_comment"])
def test_a_comment_says_nothing(case: dict[str, Any]) -> None:
    assert (parse(case["given"]) == () and case["given"] != "") is wanted(case)


@pytest.mark.parametrize("case", LINES["line.strip_inline_comment"])
def test_a_comment_after_a_requirement_is_dropped(case: dict[str, Any]) -> None:
    assert lines_of(case["given"]) == [wanted(case)]


@pytest.mark.parametrize("case", LINES["line.is_file_reference"])
def test_every_spelling_of_a_reference_is_one(case: dict[str, Any]) -> None:
    (entry,) = parse(case["given"])

    assert (isinstance(entry, Reference) and not entry.constraint) is wanted(case)


@pytest.mark.parametrize("case", LINES["line.join_continued"])
def test_a_backslash_joins_lines(case: dict[str, Any]) -> None:
    assert lines_of("\n".join(case["given"])) == wanted(case)


@pytest.mark.parametrize("case", LINES["name.normalize"])
def test_names_are_normalized(case: dict[str, Any]) -> None:
    assert Requirement(text=case["given"]).name == wanted(case)


@pytest.mark.parametrize("case", LINES["name.from_requirement"])
def test_the_name_is_found_in_a_requirement(case: dict[str, Any]) -> None:
    assert [each.name for each in parse(case["given"]) if isinstance(each, Requirement)] == [
        wanted(case)
    ]


@pytest.mark.parametrize("case", LINES["line.strip_options"])
def test_options_are_no_part_of_the_text(case: dict[str, Any]) -> None:
    assert "".join(lines_of(case["given"])) == wanted(case)


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("numpy", "numpy", None),
        ("Pkg.Name[a, b]>=1", "pkg-name", None),
        ("pkg@https://h.example/p.whl", "pkg", None),
        ("pkg @ file:///srv/p.whl ; python_version > '3'", "pkg", None),
        ("https://h.example/p.whl", None, None),
        ("git+https://h.example/r.git@v1#egg=The_Name&subdirectory=s", "the-name", None),
        ("./wheels/a-1-py3-none-any.whl", None, "./wheels/a-1-py3-none-any.whl"),
        ("a-1-py3-none-any.whl", None, "a-1-py3-none-any.whl"),
        ("wheels/a.whl[extra] ; python_version > '3'", None, "wheels/a.whl"),
        ("/srv/a.tar.gz", None, "/srv/a.tar.gz"),
    ],
)
def test_name_and_path_of_a_requirement(text: str, name: str | None, path: str | None) -> None:
    requirement = Requirement(text=text)

    assert (requirement.name, requirement.path) == (name, path)
    assert requirement.is_valid


@pytest.mark.parametrize(
    "text", ["not a requirement!!", "numpy 1.2", "=1.0", "x y z", "<<<<<<< HEAD"]
)
def test_what_has_not_the_shape_of_a_requirement_is_told(text: str) -> None:
    assert not Requirement(text=text).is_valid


def test_hashes_over_several_lines_belong_to_their_requirement() -> None:
    text = "a==1 \\\n    --hash=sha256:00 \\\n    --hash sha512:11 # why\nb\n"

    assert [
        (each.text, each.hashes, each.line) for each in parse(text) if isinstance(each, Requirement)
    ] == [
        ("a==1", ("sha256:00", "sha512:11"), 1),
        ("b", (), 4),
    ]


@pytest.mark.parametrize("value", ["md5:00", "sha256", "sha256:", "abc"])
def test_a_weak_or_broken_hash_is_refused(value: str) -> None:
    with pytest.raises(InvalidFile, match=r"line 2.*is not a hash"):
        parse(f"\na==1 --hash={value}\n")


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (
            "-i https://h.example/simple",
            Option(name="--index-url", value="https://h.example/simple"),
        ),
        (
            "-ihttps://h.example/simple",
            Option(name="--index-url", value="https://h.example/simple"),
        ),
        (
            "--index-url=https://h.example/s",
            Option(name="--index-url", value="https://h.example/s"),
        ),
        ("--index https://h.example/s", Option(name="--index-url", value="https://h.example/s")),
        ('-f "my wheels"', Option(name="--find-links", value="my wheels")),
        ("--pre", Option(name="--pre")),
        ("--no-index", Option(name="--no-index")),
        ("--only-binary :all:", Option(name="--only-binary", value=":all:")),
        ("--trusted-host h.example", Option(name="--trusted-host", value="h.example")),
        ("--use-feature fast-deps", Option(name="--use-feature", value="fast-deps")),
        ("--require-hashes", Option(name="--require-hashes")),
        ("--prefer-binary", Option(name="--prefer-binary")),
    ],
)
def test_options_are_known_in_every_spelling(line: str, option: Option) -> None:
    (found,) = parse(line)

    assert isinstance(found, Option)
    assert (found.name, found.value) == (option.name, option.value)
    assert [str(each) for each in parse(str(found))] == [str(found)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--no-such-option", "no such option: --no-such-option"),
        ("a --bogus=1", "no such option"),
        ("-r", "requires 1 argument"),
        ("-r 'a b", "No closing quotation"),
        ("--pre=1", "does not take a value"),
        ("--require x", "ambiguous option"),
    ],
)
def test_what_pip_refuses_is_refused_with_its_line(line: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=f"(?s)line 2.*{problem}"):
        parse(f"a\n{line}\n")


def test_options_of_one_requirement_stay_with_it() -> None:
    (found,) = parse("a==1 --config-settings 'k=v w' --hash=sha256:00 --global-option=x")

    assert str(found) == "a==1 --config-settings='k=v w' --global-option=x --hash=sha256:00"
    assert parse(str(found)) == (found,)


def test_variables_stay_and_are_named() -> None:
    (found,) = parse("a @ https://${USER_NAME}:${TOKEN}@h.example/a.whl")

    assert isinstance(found, Requirement)
    assert found.placeholders == ("USER_NAME", "TOKEN")


@pytest.mark.parametrize(
    "line",
    [
        "-r more.txt",
        "-rmore.txt",
        "--requirement=more.txt",
        "--requirement more.txt",
        "--requirem more.txt",
    ],
)
def test_a_reference_is_followed_in_every_spelling(write: Write, line: str) -> None:
    path = write({"requirements.txt": f"a\n{line}\nz\n", "more.txt": "m\n"})

    assert [each.text for each in requirements_txt.read(path).requirements] == ["a", "m", "z"]


def test_a_requirement_knows_its_file_and_line(tmp_path: Path, write: Write) -> None:
    path = write({"requirements.txt": "-r sub/a.txt\n", "sub/a.txt": "\n\nx\n"})

    (found,) = requirements_txt.read(path).requirements

    assert (found.file, found.line) == (tmp_path / "sub/a.txt", 3)


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a.txt": "-r a.txt\n"}, "a.txt → a.txt"),
        ({"a.txt": "-c a.txt\n"}, "a.txt → a.txt"),
        (
            {"a.txt": "-r b.txt\n", "b.txt": "-c c.txt\n", "c.txt": "-r ./b.txt\n"},
            "b.txt → c.txt → b.txt",
        ),
        ({"a.txt": "-r s/b.txt\n", "s/b.txt": "-r ../a.txt\n"}, "a.txt → b.txt → a.txt"),
    ],
)
def test_a_circle_is_refused_and_shown(write: Write, files: dict[str, str], circle: str) -> None:
    with pytest.raises(InvalidFile, match=circle):
        requirements_txt.read(write(files))


def test_a_file_may_be_referred_to_twice_without_a_circle(write: Write) -> None:
    path = write(
        {
            "r.txt": "-r a.txt\n-r b.txt\n",
            "a.txt": "-r c.txt\n",
            "b.txt": "-r c.txt\n",
            "c.txt": "x\n",
        }
    )

    assert [each.text for each in requirements_txt.read(path).requirements] == ["x", "x"]


def test_references_that_double_at_each_step_end(write: Write) -> None:
    files = {f"{at}.txt": f"-r {at + 1}.txt\n-r {at + 1}.txt\n" for at in range(40)}

    with pytest.raises(InvalidFile, match=r"line 2: .* exceeds the limit of 1000 files"):
        requirements_txt.read(write({**files, "40.txt": "x\n"}))


def test_a_chain_of_references_without_end_is_refused(write: Write) -> None:
    with pytest.raises(
        InvalidFile, match=r"99\.txt, line 1: .* exceeds the limit of 100 files that refer to each"
    ):
        requirements_txt.read(write({f"{at}.txt": f"-r {at + 1}.txt\n" for at in range(1500)}))


@pytest.mark.parametrize(
    "line", ["-r https://h.example/r.txt", "-c http://h.example/c.txt", "-r file:///srv/r.txt"]
)
def test_a_url_after_a_reference_is_refused(write: Write, line: str) -> None:
    with pytest.raises(InvalidFile, match="refers to a URL"):
        requirements_txt.read(write({"requirements.txt": f"{line}\n"}))


@pytest.mark.parametrize(
    "line", ["-r ../out.txt", "-c ../out.txt", "-r link.txt", "-r {ABS}/out.txt"]
)
def test_a_reference_out_of_the_root_is_refused(tmp_path: Path, write: Write, line: str) -> None:
    path = write({"model/requirements.txt": line.replace("{ABS}", str(tmp_path)), "out.txt": "x\n"})
    (tmp_path / "model/link.txt").symlink_to(tmp_path / "out.txt")

    with pytest.raises(InvalidFile, match=r"line 1: .* leads out of"):
        requirements_txt.read(path, root=tmp_path / "model")


def test_a_missing_file_is_named_with_the_line_that_wants_it(write: Write) -> None:
    with pytest.raises(
        InvalidFile, match=r"requirements.txt, line 2: '-r gone.txt' refers to a file that does not"
    ):
        requirements_txt.read(write({"requirements.txt": "a\n-r gone.txt\n"}))


def test_strict_reading_raises_the_first_fault_and_other_reading_collects_all(
    tmp_path: Path, write: Write
) -> None:
    path = write(
        {
            "requirements.txt": "a\n-r gone.txt\n--no-such-option\n-c more.txt\nb\n",
            "more.txt": "c --hash=md5:00\nd\n",
        }
    )

    with pytest.raises(InvalidFile, match=r"gone\.txt"):
        requirements_txt.read(path, root=tmp_path)
    found = requirements_txt.read(path, root=tmp_path, strict=False)

    assert texts(found.requirements) == ("a", "b")
    assert texts(found.constraints) == ("d",)
    missing, unknown_option, weak_hash = found.faults
    assert isinstance(missing, BadReference)
    assert (missing.reference.line, missing.reference.target) == (2, "gone.txt")
    assert "requirements.txt, line 3: cannot be parsed: no such option" in str(unknown_option)
    assert "more.txt, line 1: 'md5:00' is not a hash" in str(weak_hash)
    assert found.files == (path, tmp_path / "more.txt")


@pytest.mark.parametrize(("files", "is_read"), [(999, True), (1000, False)])
def test_the_limit_of_files_is_the_same_for_strict_and_for_other_reading(
    write: Write, files: int, is_read: bool
) -> None:
    path = write({"r.txt": "-r a.txt\n" * files, "a.txt": "a\n"})

    found = requirements_txt.read(path, strict=False)

    assert (found.faults == ()) is is_read
    if is_read:
        assert requirements_txt.read(path).requirements == found.requirements
    else:
        with pytest.raises(InvalidFile, match="the limit of 1000 files"):
            requirements_txt.read(path)


def test_a_reference_that_is_not_a_path_is_refused(write: Write) -> None:
    path = write({"r.txt": "-r loop\n"})
    (path.parent / "loop").symlink_to("loop")

    with pytest.raises(InvalidFile, match="line 1: '-r loop' is not a path"):
        requirements_txt.read(path)


def test_what_a_file_of_constraints_requires_is_required_as_for_pip(write: Write) -> None:
    path = write({"r.txt": "-c c.txt\n", "c.txt": "c\n-r a.txt\n", "a.txt": "a\n"})

    found = requirements_txt.read(path)

    assert (texts(found.requirements), texts(found.constraints)) == (("a",), ("c",))


def test_find_links_of_a_nested_file_start_there_when_they_exist_there(write: Write) -> None:
    path = write({"r.txt": "-r s/r.txt\n", "s/r.txt": "-f wheels\n-f others\n", "s/wheels/x": ""})

    assert [each.value for each in requirements_txt.read(path).options] == ["s/wheels", "others"]


def test_lines_are_written_sorted_by_name_with_the_constraints_last() -> None:
    pinned = "numpy==1.26.4 --hash=sha256:00"
    lines = ["Zope.interface==1", pinned, "a_b @ https://h.example/a.whl", pinned]

    text = requirements_txt.dumps(
        requirements(*lines), constraints_file="constraints.txt", options=options("--pre")
    )

    assert text == (
        f"--pre\na_b @ https://h.example/a.whl\n{pinned}\nZope.interface==1\n-c constraints.txt\n"
    )


def test_nothing_is_written_as_nothing() -> None:
    assert requirements_txt.dumps([]) == ""
