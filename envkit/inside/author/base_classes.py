"""What a model's author derives from. It is pickled by value with the author's class, or supplied where that is run.

So a model needs neither envkit nor MLflow where it runs; and MLflow, too, finds in it what it asks
a model for.
"""

from __future__ import annotations

import functools
import inspect
import typing
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple

RESERVED = ("self", "context", "params")


class TypeHints(NamedTuple):
    """The type hints of a function that predicts, None where it has none."""

    input: Any = None
    output: Any = None


def arguments(function: Callable[..., Any], context: Any, *rest: Any) -> "tuple[Any, ...]":
    """Give the arguments of a chat model's function, which may do without the context."""
    names = inspect.signature(function).parameters
    if "context" in names or len(names) > len(rest):
        return (context, *rest)
    return rest


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of that name."""
    return name in inspect.signature(function).parameters


def type_hints(function: Callable[..., Any]) -> TypeHints:
    """Read the hints of the input and of the result."""
    try:
        found = typing.get_type_hints(function)
        names = list(inspect.signature(function).parameters)
    except (
        NameError,
        TypeError,
        ValueError,
        AttributeError,
    ):  # names that are not there when it runs
        return TypeHints()
    name = next((each for each in names if each not in RESERVED), None)
    return TypeHints(found.get(name) if name else None, found.get("return"))


def hinted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function have the models of pydantic that its hint names; others stay as they are."""
    hint = type_hints(function).input
    if not _names_models(hint):
        return function
    place = next(
        at for at, each in enumerate(inspect.signature(function).parameters) if each not in RESERVED
    )
    name = list(inspect.signature(function).parameters)[place]

    @functools.wraps(function)
    def converting(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place:
            args = (*args[:place], converted(args[place], hint), *args[place + 1 :])
        elif name in kwargs:
            kwargs[name] = converted(kwargs[name], hint)
        return function(*args, **kwargs)

    return converting


def converted(value: Any, hint: Any) -> Any:
    """Make the models of pydantic that a hint names of objects; everything else stays."""
    of = getattr(hint, "__args__", ())
    if isinstance(value, list) and of:
        return [converted(each, of[0]) for each in value]
    if isinstance(value, dict) and hasattr(hint, "model_validate"):
        return hint.model_validate(value)
    return value


def _names_models(hint: Any) -> bool:
    return hasattr(hint, "model_validate") or any(
        map(_names_models, getattr(hint, "__args__", None) or ())
    )


class PythonModelContext:
    """What `load_context` and `predict` are given."""

    def __init__(self, artifacts: Mapping[str, str], model_config: Any) -> None:
        self._artifacts = dict(artifacts)
        self._model_config = model_config

    @property
    def artifacts(self) -> Dict[str, str]:
        """The absolute path of each artifact by its name."""
        return self._artifacts

    @property
    def model_config(self) -> Any:
        """The configuration that the model was saved or loaded with; None without one."""
        return self._model_config


class PythonModel:
    """A model made of Python. Derive from it and write `predict`; `context` and `params` may be left out.

    Type hints of its input, such as `list[str]`, become the signature, and say what `predict` is
    given: objects become the models of pydantic that the hint names.
    """

    _takes_hints = True  # its `predict` has one input, in whatever form the hint says

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        own = cls.__dict__.get("predict")
        if inspect.isfunction(own) and cls._takes_hints:
            cls.predict = hinted(own)  # type: ignore[method-assign]

    def load_context(self, context: Any) -> None:
        """Load what `predict` needs: called once, before the first prediction."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Predict."""
        raise NotImplementedError(f"{type(self).__name__} has no `predict`")

    def predict_stream(self, context: Any, model_input: Any, params: Any = None) -> Iterator[Any]:
        """Predict piece by piece."""
        raise NotImplementedError(f"{type(self).__name__} has no `predict_stream`")

    @property
    def predict_type_hints(self) -> TypeHints:
        """What the type hints of `predict` say."""
        return type_hints(self.predict)


class ChatModel(PythonModel):
    """A model of a conversation: `predict(context, messages, params)` gives a `ChatCompletionResponse`.

    messages: a list of `ChatMessage`; params: `ChatParams`. Requests and answers are those of chat
    completions.
    """

    _takes_hints = False

    def predict(self, context: Any, messages: Any, params: Any) -> Any:  # type: ignore[override]
        """Answer."""
        raise NotImplementedError(f"{type(self).__name__} has no `predict`")

    def predict_stream(self, context: Any, messages: Any, params: Any) -> Iterator[Any]:  # type: ignore[override]
        """Answer piece by piece, each a `ChatCompletionChunk`; as it is here, in one piece: what `predict` gives."""
        yield self.predict(*arguments(self.predict, context, messages, params))


class FunctionModel(PythonModel):
    """A function as a model."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = hinted(func)

    @property
    def predict_type_hints(self) -> TypeHints:
        """What the type hints of the function say."""
        return type_hints(self.func)

    def predict(self, model_input: Any, params: Any = None) -> Any:  # type: ignore[override]
        """Call the function, with the parameters if it has some."""
        return self.func(model_input, **({"params": params} if takes(self.func, "params") else {}))


class ChatAdapter(PythonModel):
    """A chat model as MLflow asks it, too: what it answers is of the class that MLflow insists on."""

    _takes_hints = False

    def __init__(self, model: Any) -> None:
        self.model = model

    def load_context(self, context: Any) -> None:
        """Let the model load."""
        self.model.load_context(context)

    def predict(self, context: Any, messages: Any, params: Any) -> Any:  # type: ignore[override]
        """Answer."""
        answer = self.model.predict(*arguments(self.model.predict, context, messages, params))
        return self._as_asked(answer, "ChatCompletionResponse", params)

    def predict_stream(self, context: Any, messages: Any, params: Any) -> Iterator[Any]:  # type: ignore[override]
        """Answer piece by piece."""
        for each in self.model.predict_stream(
            *arguments(self.model.predict_stream, context, messages, params)
        ):
            yield self._as_asked(each, "ChatCompletionChunk", params)

    def _as_asked(self, answer: Any, name: str, params: Any) -> Any:
        if not type(params).__module__.startswith("mlflow.") or not hasattr(answer, "to_dict"):
            return answer
        import importlib

        return getattr(importlib.import_module("mlflow.types.llm"), name).from_dict(
            answer.to_dict()
        )
