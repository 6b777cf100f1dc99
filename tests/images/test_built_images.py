"""The image of a real model: built without an engine, run by podman, pushed to a registry."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envkit.errors import BuildFailed, InvalidArgument
from envkit.images import build_image, layout
from envkit.images.build import BuiltImage
from envkit.images.image import ImageSet
from envkit.images.native_libraries import NativeLibraryMissing, WrongMachine
from tests.builders.containers import Podman
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.registries import Registry, needs

LARGEST = 128_000_000  # bytes, compressed
pytestmark = [pytest.mark.images, pytest.mark.e2e, pytest.mark.network, needs("mmdebstrap")]


@dataclass(frozen=True)
class Built:
    """A captured model with the layout of its image."""

    model: Path
    expected: object
    layout: Path
    home: Path
    image: BuiltImage

    @property
    def request(self) -> bytes:
        return (self.model / "serving_input_example.json").read_bytes()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The image of the scikit-learn fixture, captured with the Python of these tests."""
    folder = tmp_path_factory.mktemp("shared")
    fixture = copy_fixture_model("sklearn_pipeline", folder)
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENVKIT_HOME", str(home))
        capture = [sys.executable, "-m", "envkit", "capture", str(fixture.path), "-q"]
        subprocess.run([*capture, "--python", sys.executable], check=True)
        built = build_image(fixture.path, output=folder / "out", tag="localhost/churn:1")
    return Built(fixture.path, fixture.expected, folder / "out", home, built)


@pytest.fixture(autouse=True)
def shared_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "shared" in request.fixturenames:
        monkeypatch.setenv("ENVKIT_HOME", str(request.getfixturevalue("shared").home))


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory, shared: Built) -> Iterator[Podman]:
    """Podman with the image."""
    podman = Podman(tmp_path_factory.mktemp("podman"))
    source, target = f"oci:{shared.layout}:1", "containers-storage:localhost/churn:1"
    subprocess.run(["skopeo", "copy", "-q", source, target], env=podman.environment, check=True)
    yield podman
    podman.call("rm", "--all", "--force", "--time=0", check=False)


@pytest.fixture
def changed_model(shared: Built, tmp_path: Path) -> Path:
    """The same model, trained again: another file, the same environment."""
    shutil.copytree(shared.model, tmp_path / "model")
    (tmp_path / "model" / "note.txt").write_text("retrained")
    return tmp_path / "model"


def test_the_image_is_small(shared: Built) -> None:
    assert shared.image.size <= LARGEST
    assert [layer.created_by.split()[0] for layer in shared.image.layers] == [
        "mmdebstrap",
        "Python",
        "envkit",
        "packages",
        "bytecode,",
        "model",
    ]


@needs("podman", "runc", "skopeo")
@pytest.mark.parametrize("user", ["", "--user=12345:0"])
def test_it_answers_as_recorded_without_rights_network_or_shell(
    shared: Built, podman: Podman, user: str
) -> None:
    options = ["--tmpfs=/tmp", *([user] if user else [])]
    with podman.running("localhost/churn:1", *options) as container:
        podman.await_health(container)
        status, answer = podman.ask(container, "POST", "/invocations", shared.request)
        live = podman.ask(container, "GET", "/livez")

        assert (status, json.loads(answer)) == (200, shared.expected)
        assert live[0] == 200
        for shell in ("/bin/sh", "/bin/bash", "/usr/bin/dash"):
            assert podman.call("exec", container, shell, "-c", ":", check=False).returncode == 127
        stopped = time.monotonic()
        podman.call("stop", "--time=30", container)
        assert time.monotonic() - stopped < 15
        assert podman.inspect(container)["State"]["ExitCode"] == 0


@needs("podman", "runc", "skopeo")
def test_without_a_writable_folder_it_says_so(shared: Built, podman: Podman) -> None:
    with podman.running("localhost/churn:1", "--read-only-tmpfs=false") as container:
        podman.call("wait", container)

        assert podman.inspect(container)["State"]["ExitCode"] == 7
        log = podman.call("logs", container)
        assert b"Mount one at /tmp, or name one with TMPDIR." in log.stdout + log.stderr


@needs("umoci")
def test_all_files_belong_to_root_and_only_tmp_is_writable(shared: Built, tmp_path: Path) -> None:
    subprocess.run(
        ["umoci", "unpack", "--image", f"{shared.layout}:1", str(tmp_path / "bundle")],
        check=True,
        capture_output=True,
    )
    root = tmp_path / "bundle" / "rootfs"

    writable = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.is_symlink() and path.stat().st_mode & 0o022
    ]
    assert writable == ["tmp"]
    status = (root / "var/lib/dpkg/status").read_text()
    assert "Package: libc6\n" in status
    assert (root / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN") > 100
    assert not (root / "etc/resolv.conf").exists()
    server = {path.name for path in (root / "opt/envkit/server").iterdir()}
    assert "uvicorn" in server
    assert not server & {"uv", "piptools", "virtualenv", "pip"}


def test_the_image_is_the_same_when_all_is_built_again_elsewhere(
    shared: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVKIT_HOME", str(tmp_path / "another-home"))
    shutil.copytree(shared.model, tmp_path / "moved" / shared.model.name)

    again = build_image(
        tmp_path / "moved" / shared.model.name,
        output=tmp_path / "out",
        tag="localhost/churn:1",
    )

    assert again.digest == shared.image.digest
    assert (tmp_path / "out/index.json").read_bytes() == (shared.layout / "index.json").read_bytes()


@needs("docker-registry")
def test_a_changed_model_is_pushed_as_three_objects(
    shared: Built, changed_model: Path, registry: Registry
) -> None:
    build_image(shared.model, push_to=f"{registry.address}/churn:1")

    changed = build_image(changed_model, push_to=f"{registry.address}/churn:2")

    assert changed.pushed is not None
    assert changed.pushed.objects == 3
    assert changed.pushed.size < 100_000


@needs("docker-registry", "skopeo")
def test_an_image_of_a_registry_is_a_base(
    shared: Built, registry: Registry, tmp_path: Path
) -> None:
    # the Debian layer alone stands for an image that someone else made
    copy = tmp_path / "base"
    built = build_image(shared.model, output=copy, tag="base:1")
    base_layer = built.layers[0]
    _cut_to_first_layer(copy)
    target = f"docker://{registry.address}/team/base:1"
    subprocess.run(
        ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{copy}:1", target], check=True
    )

    on_base = build_image(
        shared.model,
        base=f"{registry.address}/team/base:1",
        push_to=f"{registry.address}/team/churn:1",
        output=tmp_path / "out",
    )

    assert on_base.layers[0].digest == base_layer.digest
    assert on_base.pushed is not None
    manifest = json.loads(layout.LayoutSource(tmp_path / "out").root().read())
    annotations = manifest["annotations"]
    assert annotations["org.opencontainers.image.base.name"].endswith("/team/base:1")
    assert annotations["org.opencontainers.image.base.digest"].startswith("sha256:")
    assert annotations["io.envkit.environment"]


def _cut_to_first_layer(folder: Path) -> None:
    """Make the image of a layout one of its first layer."""
    from envkit.images.descriptor import Descriptor, json_blob
    from envkit.images.image import Image, ImageSet

    source = layout.LayoutSource(folder)
    manifest = json.loads(source.root().read())
    config = json.loads(source.document(Descriptor.from_json(manifest["config"])).read())
    config["rootfs"]["diff_ids"] = config["rootfs"]["diff_ids"][:1]
    config["history"] = config["history"][:1]
    new_config = json_blob(manifest["config"]["mediaType"], config)
    manifest["config"] = new_config.descriptor.as_json()
    manifest["layers"] = manifest["layers"][:1]
    root = json_blob(manifest["mediaType"], manifest)
    layout.write(
        folder, ImageSet(root=root, images=(Image(manifest=root, blobs=(new_config,)),)), "1"
    )


def test_a_base_without_the_model_s_libraries_is_refused(
    shared: Built, small_image: Callable[..., ImageSet], tmp_path: Path
) -> None:
    layout.write(tmp_path / "base", small_image(b"nothing"), "1")

    with pytest.raises(NativeLibraryMissing, match=r"libc\.so\.6, which opt/envkit") as failure:
        build_image(shared.model, base=f"oci:{tmp_path}/base", output=tmp_path / "out")

    assert failure.value.exit_code == 5
    assert "in Debian" in str(failure.value)
    assert not (tmp_path / "out").exists()


def test_a_file_of_another_machine_is_refused(
    shared: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envkit.images.platforms.of_elf_machine", lambda _: "linux/arm64")
    monkeypatch.setattr("envkit.images.native_libraries.of_elf_machine", lambda _: "linux/arm64")
    monkeypatch.setattr("envkit.images.platforms.Platform.elf_machine", property(lambda _: 183))

    with pytest.raises(WrongMachine, match="is for linux/arm64, and the image"):
        build_image(shared.model, output=tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("name", ["out", "out.tar"])
def test_a_full_disk_leaves_nothing(shared: Built, tmp_path: Path, name: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(small)], check=True)
    try:
        with pytest.raises(BuildFailed, match="No space left on device") as failure:
            build_image(shared.model, output=small / name)

        assert failure.value.exit_code == 5
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_destination_is_needed(shared: Built) -> None:
    with pytest.raises(InvalidArgument, match="-o"):
        build_image(shared.model)


def envkit(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "envkit", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--base", "127.0.0.1:1/a"], 5, "cannot be reached"),
        (["--base", "oci:nowhere"], 3, "not an OCI image layout"),
        (["--base", "a.tar"], 3, "cannot be read"),
        (["--base", "debian:No Suite"], 2, "not a release of Debian"),
        (["--platform", "linux/vax"], 2, "not a platform of images"),
        (["--user", "root"], 2, "not a user of an image"),
        (["--push", "127.0.0.1:1/a"], 5, "cannot be reached"),
        (["--env-manager", "local"], 2, "local environment cannot"),
    ],
)
def test_invalid_input_ends_with_a_message_and_its_exit_code(
    shared: Built, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    ended = envkit("build-image", str(shared.model), "-o", str(tmp_path / "out"), *words)

    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_command_prints_the_digest(shared: Built, tmp_path: Path) -> None:
    ended = envkit("build-image", str(shared.model), "-o", str(tmp_path / "a.tar"), "--json")

    assert json.loads(ended.stdout)["digest"].startswith("sha256:")
    assert (tmp_path / "a.tar").is_file()


@needs("podman", "runc")
def test_an_engine_gets_the_image(
    shared: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = Podman(tmp_path / "podman")
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", podman.environment["CONTAINERS_STORAGE_CONF"])

    ended = envkit("build-docker", "-m", str(shared.model), "-n", "mine", "--engine", "podman")

    assert ended.returncode == 0, ended.stderr
    assert podman.inspect("mine", "image")["Config"]["User"] == "65532:65532"


@needs("docker-registry", "skopeo")
def test_attestations_are_referrers_of_the_image(
    shared: Built, registry: Registry, tmp_path: Path
) -> None:
    pytest.importorskip("cyclonedx")
    built = build_image(
        shared.model,
        output=tmp_path / "out",
        push_to=f"{registry.address}/churn:1",
        attest=True,
    )

    index = json.loads((tmp_path / "out/index.json").read_text())
    kinds = {entry.get("artifactType") for entry in index["manifests"]} - {None}
    assert kinds == {"application/vnd.cyclonedx+json", "application/vnd.in-toto+json"}
    tag = built.digest.replace(":", "-")
    where = f"docker://{registry.address}/churn:{tag}"
    listed = subprocess.check_output(["skopeo", "inspect", "--tls-verify=false", "--raw", where])
    assert {entry["artifactType"] for entry in json.loads(listed)["manifests"]} == kinds
    documents = [
        json.loads((tmp_path / "out/blobs/sha256" / path.name).read_bytes())
        for path in (tmp_path / "out/blobs/sha256").iterdir()
        if path.stat().st_size < 200_000 and path.read_bytes()[:1] == b"{"
    ]
    (statement,) = [document for document in documents if "predicateType" in document]
    assert statement["subject"][0]["digest"]["sha256"] in built.digest
    names = [
        entry["name"] for entry in statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    ]
    assert "MLmodel" in names
    (bill,) = [document for document in documents if document.get("bomFormat") == "CycloneDX"]
    assert "scikit-learn" in {component["name"] for component in bill["components"]}


def test_serving_from_a_ready_folder_needs_no_store_and_notifies_systemd(
    shared: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = (shared.home / "environments").iterdir()
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("ENVKIT_HOME", "/proc/nowhere")
    words = ["serve", str(shared.model), "--environment", str(folder), "-p", "0"]
    server = subprocess.Popen(
        [sys.executable, "-m", "envkit", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        assert manager.recv(100) == b"READY=1"
        assert server.stderr is not None
        url = next(word for word in server.stderr.readline().split() if word.startswith("http"))
        request = urllib.request.Request(
            f"{url}/invocations", shared.request, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer) == shared.expected
        server.terminate()
        assert manager.recv(100) == b"STOPPING=1"
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.communicate()
        manager.close()


@pytest.mark.parametrize("words", [["--env-manager", "virtualenv"], ["--python", sys.executable]])
def test_a_ready_folder_excludes_what_builds_one(tmp_path: Path, words: list[str]) -> None:
    model = copy_fixture_model("custom_loader", tmp_path).path

    ended = envkit("serve", str(model), "--environment", str(tmp_path), *words)

    assert (ended.returncode, "ready environment" in ended.stderr) == (2, True), ended.stderr


def test_a_folder_without_an_environment_is_refused(tmp_path: Path) -> None:
    model = copy_fixture_model("custom_loader", tmp_path).path

    ended = envkit("serve", str(model), "--environment", str(tmp_path), "-p", "0")

    assert (ended.returncode, "is not an environment" in ended.stderr) == (2, True), ended.stderr
