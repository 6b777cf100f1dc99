"""How registries fail."""

from __future__ import annotations

from envkit.errors import EnvkitError, InvalidInput


class ImageNotFound(InvalidInput):
    """A registry does not have an image."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference

    def __str__(self) -> str:
        return (
            f"The image {self.reference} does not exist, or may not be read without a login. "
            "Check its name; log in with `docker login`, `podman login` or `skopeo login`."
        )


class RegistryFailed(EnvkitError):
    """A registry refused a request, or did not answer. status: of HTTP, 0 without an answer."""

    exit_code = 5

    def __init__(self, registry: str, doing: str, problem: str, status: int = 0) -> None:
        super().__init__(registry, doing, problem, status)
        self.registry, self.doing, self.problem, self.status = registry, doing, problem, status

    def __str__(self) -> str:
        text = f"Could not {self.doing}: the registry {self.registry} {self.problem}."
        if self.status in {401, 403}:
            text += f" Log in with an account that may: `docker login {self.registry}`."
        return text
