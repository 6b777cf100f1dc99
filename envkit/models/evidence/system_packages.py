"""What a model needs of the operating system, from the evidence that its capture wrote."""

from __future__ import annotations

from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats import envkit_json
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import EVIDENCE


def debian_packages(model_uri: str | Path) -> tuple[str, ...]:
    """Give the sorted names of the Debian packages with the libraries and programs in use.

    Of the machine on which the model was captured: another release of Debian may name them
    otherwise. Raises `ModelNotFound`, and `InvalidFile` when the model was not captured.
    """
    model = ModelDirectory.open(model_uri, EVIDENCE)
    path = model.file(envkit_json.FILE_NAME)
    if path is None:
        raise InvalidFile(
            model.path / envkit_json.FILE_NAME,
            "",
            "there is no such file",
            "`envkit capture` writes it.",
        )
    evidence = envkit_json.read(path)
    try:
        owners = {
            each.get("debian_package")
            for key in ("libraries", "processes")
            for each in evidence[key]
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidFile(path, "libraries", "is not what `envkit capture` writes") from error
    return tuple(sorted(str(each) for each in owners if each))
