"""Fields of the flavors of libraries may only name paths in the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.errors import PathOutsideModel
from envkit.models.directory import ModelDirectory
from tests.builders.models import write_mlmodel


@pytest.mark.parametrize("path", ["../model.pkl", "/etc/hostname"])
@pytest.mark.parametrize(
    "field", ["data", "model_data", "pickled_model", "saved_model_dir", "code"]
)
def test_a_flavors_field_that_leaves_the_model_is_refused(
    tmp_path: Path, field: str, path: str
) -> None:
    write_mlmodel(tmp_path, flavors={"spacy": {field: path}})

    with pytest.raises(PathOutsideModel, match=f"flavors.spacy.{field}"):
        ModelDirectory.open(tmp_path)
