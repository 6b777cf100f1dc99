"""The options of a capture, in groups that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envkit.capturing.stated_requirements import StatedRequirements
from envkit.capturing.tracing import TraceSettings
from envkit.capturing.variables import VariablePatterns
from envkit.child import variables as environment
from envkit.errors import InvalidArgument

TRACE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class InferenceOptions:
    """What to learn from reading the model's files.

    Attributes:
        static: Whether to run nothing.
        include_static: Whether to require what code imports that the example did not reach.
        slim: Whether to leave out MLflow if the model can do without it.
    """

    static: bool = False
    include_static: bool = False
    slim: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PinOptions:
    """How to pin distributions.

    Attributes:
        resolver: The name of a resolver, None for the default ones.
        build_local: Whether to build wheels of what was installed from folders.
        build_vcs: Whether to build wheels of what was installed from repositories.
        drop_local_versions: Whether to pin `2.3.0` for `2.3.0+cpu`.
    """

    resolver: str | None = None
    build_local: bool = True
    build_vcs: bool = False
    drop_local_versions: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureOptions:
    """All options of a capture.

    Attributes:
        trace: How to run the model.
        inference: What to learn from reading its files.
        pins: How to pin distributions.
        variables: Which environment variables to record.
        stated: Requirements of the author.
        include_code: Whether to copy the user's own modules into the model.
        strict: Whether a warning is a failure.
    """

    trace: TraceSettings
    inference: InferenceOptions = InferenceOptions()
    pins: PinOptions = PinOptions()
    variables: VariablePatterns = field(default_factory=VariablePatterns)
    stated: StatedRequirements = field(default_factory=StatedRequirements)
    include_code: bool = False
    strict: bool = False


def trace_settings(
    python: str | Path | None = None,
    timeout: float | None = None,
    memory_bytes: int | None = None,
    code_paths: Sequence[str | Path] = (),
    variables: Mapping[str, str] | None = None,
) -> TraceSettings:
    """Check how to run the model. Raises `InvalidArgument`."""
    environment.check(variables or {})
    for name, limit in (("timeout", timeout), ("memory_bytes", memory_bytes)):
        # not `<=`, which is false for NaN
        if limit is not None and not limit > 0:
            raise InvalidArgument(f"{name} must be above 0, not {limit}.")
    return TraceSettings(
        python=python,
        seconds=TRACE_SECONDS if timeout is None else timeout,
        memory_bytes=memory_bytes,
        code_paths=tuple(Path(path).expanduser().absolute() for path in code_paths),
        variables=variables or {},
    )
