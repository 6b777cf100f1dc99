"""Registries: docker-registry on this machine, and servers that refuse."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from envkit.errors import InvalidFile
from envkit.images import layout, references
from envkit.images.bases.choice import image_source
from envkit.images.bases.image_source import read_base
from envkit.images.blob_cache import BlobCache
from envkit.images.descriptor import bytes_blob
from envkit.images.image import ImageSet, artifact, image_set
from envkit.images.layers.layer_file import Compression
from envkit.images.registry import credentials
from envkit.images.registry.errors import ImageNotFound, RegistryFailed
from envkit.images.registry.push import Pushed, push
from tests.builders.registries import AMD64, Registry, free_port, needs, running_registry
from tests.builders.tokens import TokenServer

SmallImage = Callable[..., ImageSet]
pytestmark = pytest.mark.images


def silent(_: str) -> None: ...


def send(images: ImageSet, reference: str, base: str = "") -> Pushed:
    return push(images, references.parse(reference), os.environ, base, silent)


@needs("docker-registry")
@pytest.mark.parametrize("compression", Compression)
def test_a_pushed_image_is_read_back_as_a_base(
    registry: Registry, small_image: SmallImage, tmp_path: Path, compression: Compression
) -> None:
    images = small_image(b"one", b"two", compression=compression)

    sent = send(images, f"{registry.address}/team/a:1")

    assert (sent.objects, sent.digest) == (4, images.root.descriptor.digest)
    with image_source(f"{registry.address}/team/a:1", os.environ) as source:
        base = read_base(source, AMD64, BlobCache(tmp_path / "other"), silent)
    assert base.digest == images.root.descriptor.digest
    assert [layer.blob.read() for layer in base.layers] == [
        blob.read() for blob in images.images[0].blobs[1:]
    ]


@needs("docker-registry")
def test_an_image_is_read_by_its_digest(
    registry: Registry, small_image: SmallImage, tmp_path: Path
) -> None:
    digest = send(small_image(b"one"), f"{registry.address}/a:1").digest
    send(small_image(b"two"), f"{registry.address}/a:1")

    with image_source(f"{registry.address}/a@{digest}", os.environ) as source:
        assert source.root().descriptor.digest == digest


@needs("docker-registry")
def test_only_what_is_new_is_pushed(registry: Registry, small_image: SmallImage) -> None:
    send(small_image(b"one", b"two"), f"{registry.address}/a:1")

    again = send(small_image(b"one", b"two"), f"{registry.address}/a:2")
    changed = send(small_image(b"one", b"new"), f"{registry.address}/a:2")

    assert again.objects == 1  # the manifest, under its new tag
    assert changed.objects == 3  # layer, configuration, manifest


@needs("docker-registry")
def test_layers_of_the_base_are_taken_from_its_repository(
    registry: Registry, small_image: SmallImage
) -> None:
    send(small_image(b"one", b"two"), f"{registry.address}/base:1")

    base = f"{registry.address}/base:1"
    sent = send(small_image(b"one", b"two", b"three"), f"{registry.address}/model:1", base)

    assert sent.objects == 3


@needs("docker-registry", "skopeo")
def test_skopeo_reads_a_pushed_index(registry: Registry, small_image: SmallImage) -> None:
    platforms = ("linux/amd64", "linux/arm64")
    images = [small_image(name.encode(), platform=name).images[0] for name in platforms]

    send(image_set(images, {}), f"{registry.address}/a:1")

    where = f"docker://{registry.address}/a:1"
    output = subprocess.check_output(["skopeo", "inspect", "--tls-verify=false", "--raw", where])
    listed = [entry["platform"]["architecture"] for entry in json.loads(output)["manifests"]]
    assert listed == ["amd64", "arm64"]


@needs("docker-registry")
def test_referrers_are_listed_under_a_tag_where_the_registry_does_not(
    registry: Registry, small_image: SmallImage
) -> None:
    images = small_image(b"one")
    subject = images.root.descriptor
    bill = artifact(subject, "application/vnd.test", bytes_blob("text/plain", b"bill"), {})
    second = artifact(subject, "application/vnd.other", bytes_blob("text/plain", b"other"), {})

    for document in (bill, second):
        send(image_set(images.images, {}, [document]), f"{registry.address}/a:1")

    tag = subject.digest.replace(":", "-")
    with image_source(f"{registry.address}/a:{tag}", os.environ) as source:
        listed = json.loads(source.root().read())["manifests"]
    assert {entry["artifactType"] for entry in listed} == {
        "application/vnd.test",
        "application/vnd.other",
    }


@needs("docker-registry")
def test_an_unknown_image_is_not_found(registry: Registry) -> None:
    with (
        image_source(f"{registry.address}/nothing:1", os.environ) as source,
        pytest.raises(ImageNotFound, match="does not exist"),
    ):
        source.root()


def log_in(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def encoded(login: str) -> str:
    return base64.b64encode(login.encode()).decode()


@needs("docker-registry")
def test_a_push_without_a_login_is_refused(
    guarded_registry: Registry, small_image: SmallImage
) -> None:
    with pytest.raises(RegistryFailed, match=r"401.*docker login"):
        send(small_image(b"one"), f"{guarded_registry.address}/a:1")

    assert guarded_registry.blobs == set()


@needs("docker-registry")
@pytest.mark.parametrize("place", [".docker/config.json", ".config/containers/auth.json"])
def test_the_logins_of_docker_and_podman_are_used(
    guarded_registry: Registry, small_image: SmallImage, tmp_path: Path, place: str
) -> None:
    logins = {"auths": {guarded_registry.address: {"auth": encoded("user:secret")}}}
    log_in(tmp_path / place, logins)

    assert send(small_image(b"one"), f"{guarded_registry.address}/a:1").objects == 3


@needs("docker-registry")
@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_a_credential_helper_is_asked(
    guarded_registry: Registry,
    small_image: SmallImage,
    tmp_path: Path,
    helper_on_path: Callable[[str, str], None],
    key: str,
) -> None:
    helper_on_path(
        "mine",
        f'read server; [ "$server" = {guarded_registry.address} ] || exit 1\n'
        """echo noise >&2; echo '{"Username": "user", "Secret": "secret"}'""",
    )
    named = "mine" if key == "credsStore" else {guarded_registry.address: "mine"}
    log_in(tmp_path / ".docker/config.json", {key: named})

    assert send(small_image(b"one"), f"{guarded_registry.address}/a:1").objects == 3


@needs("docker-registry")
def test_a_token_is_fetched_once_for_a_push(small_image: SmallImage, tmp_path: Path) -> None:
    server = TokenServer(tmp_path, "user:secret")
    with (
        server.running(),
        running_registry(tmp_path / "registry", server.configuration) as registry,
    ):
        images = small_image(b"one", b"two")
        with pytest.raises(RegistryFailed, match="401"):
            send(images, f"{registry.address}/team/a:1")
        logins = {"auths": {registry.address: {"auth": encoded("user:secret")}}}
        log_in(tmp_path / ".docker/config.json", logins)
        server.requests.clear()

        sent = send(images, f"{registry.address}/team/a:1")

        assert sent.objects == 4
        assert [query["scope"] for query in server.requests] == [
            ["repository:team/a:pull,push", "repository:team/a:pull"]
        ]
        with image_source(f"{registry.address}/team/a:1", os.environ) as source:
            assert source.root().descriptor.digest == sent.digest


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"auth": encoded("a:b:c")}, ("a", "b:c", "")),
        ({"identitytoken": "t"}, ("", "", "t")),
        ({"username": "a", "password": "b"}, ("a", "b", "")),
    ],
)
def test_each_form_of_a_login_is_read(
    tmp_path: Path, entry: dict[str, str], found: tuple[str, str, str]
) -> None:
    log_in(tmp_path / ".docker/config.json", {"auths": {"r.example/team": entry}})

    login = credentials.find(references.parse("r.example/team/a"), os.environ)

    assert login is not None
    assert (login.username, login.password, login.identity_token) == found
    assert "b" not in repr(login).replace("object", "")
    assert credentials.find(references.parse("r.example/other/a"), os.environ) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": {"r.example": {"auth": "%"}}}'])
def test_malformed_logins_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(content)

    with pytest.raises(InvalidFile, match="not a configuration of container tools"):
        credentials.find(references.parse("r.example/a"), os.environ)


@contextmanager
def answering(status: int, body: bytes = b"{}") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_registry_that_refuses_is_named_with_its_status(
    small_image: SmallImage, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envkit.images.registry.repository._PAUSE_SECONDS", 0.01)
    body = b'{"errors": [{"code": "X", "message": "no quota"}]}'
    with (
        answering(status, body) as address,
        pytest.raises(RegistryFailed, match=f"{address} answers {status}") as failure,
    ):
        send(small_image(b"one"), f"{address}/a:1")

    assert failure.value.exit_code == 5
    assert failure.value.status == status


def test_the_registry_s_own_words_are_shown(small_image: SmallImage) -> None:
    body = b'{"errors": [{"code": "X", "message": "no quota"}]}'
    with (
        answering(400, body) as address,
        pytest.raises(RegistryFailed, match="no quota"),
        image_source(f"{address}/a:1", os.environ) as source,
    ):
        source.root()


def test_a_closed_port_is_named(small_image: SmallImage) -> None:
    with pytest.raises(RegistryFailed, match="cannot be reached"):
        send(small_image(b"one"), f"127.0.0.1:{free_port()}/a:1")


def test_a_manifest_with_another_digest_is_refused() -> None:
    with (
        answering(200, b"{}") as address,
        pytest.raises(RegistryFailed, match="sent other content"),
        image_source(f"{address}/a@sha256:{'0' * 64}", os.environ) as source,
    ):
        source.root()


@needs("docker-registry")
def test_a_layout_and_a_registry_hold_the_same_image(
    registry: Registry, small_image: SmallImage, tmp_path: Path
) -> None:
    images = small_image(b"one")
    layout.write(tmp_path / "out", images, "1")
    send(images, f"{registry.address}/a:1")

    names = {path.name for path in (tmp_path / "out" / "blobs" / "sha256").iterdir()}
    assert {f"sha256:{name}" for name in names} == registry.blobs
