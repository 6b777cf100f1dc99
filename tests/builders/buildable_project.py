"""A project that installers build without a network: its build backend is its own."""

from __future__ import annotations

from pathlib import Path

from tests.builders.files import write_files

BACKEND = """
import pathlib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = "tool-1.0.dist-info"
    files = {
        "tool.py": pathlib.Path("tool.py").read_text(),
        info + "/METADATA": "Metadata-Version: 2.1\\nName: tool\\nVersion: 1.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
    }
    pathlib.Path("build").mkdir()
    with zipfile.ZipFile(pathlib.Path(directory, "tool-1.0-py3-none-any.whl"), "w") as archive:
        record = ""
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
            import base64, hashlib
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{path},sha256={digest.decode().rstrip('=')},{len(text)}\\n"
        archive.writestr(zipfile.ZipInfo(info + "/RECORD"), record)
    return "tool-1.0-py3-none-any.whl"
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
CODE = "ANSWER = 42\n"


def buildable_project(folder: Path) -> Path:
    """Write the project `tool` 1.0, a module with the constant `ANSWER`; gives the folder."""
    return write_files(
        folder, {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "tool.py": CODE}
    )
