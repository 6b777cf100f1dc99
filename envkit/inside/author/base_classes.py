"""Base classes of the authors' models.

They are pickled by value with the author's class, or supplied where the author's code runs, so a
model needs neither envkit nor MLflow where it runs. They have what MLflow expects of a model, too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import typing
from typing import Any, Callable, Iterator, Mapping, NamedTuple

NOT_INPUTS = ("self", "context", "params")  # names of parameters


class TypeHints(NamedTuple):
    """The type hints of a function that predicts; None where it has none."""

    input: Any = None
    output: Any = None


def type_hints(function: Callable[..., Any]) -> TypeHints:
    """Read the hints of the input and of the result.

    None when they name what does not exist there.
    """
    try:
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters
    except (NameError, TypeError, ValueError, AttributeError):
        return TypeHints()
    for name in parameters:
        if name not in NOT_INPUTS:
            return TypeHints(hints.get(name), hints.get("return"))
    return TypeHints(None, hints.get("return"))


def has_parameter(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of that name."""
    return name in inspect.signature(function).parameters


def chat_arguments(function: Callable[..., Any], context: Any, *rest: Any) -> tuple[Any, ...]:
    """Give the arguments of a chat model's function, which may do without the context."""
    parameters = inspect.signature(function).parameters
    if "context" in parameters or len(parameters) > len(rest):
        return (context, *rest)
    return rest


def with_typed_input(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function whose hint names models of pydantic so that it gets them.

    Others stay as they are.
    """
    hint = type_hints(function).input
    if not _names_models(hint):
        return function
    names = list(inspect.signature(function).parameters)
    name = next(name for name in names if name not in NOT_INPUTS)
    position = names.index(name)

    @functools.wraps(function)
    def converting(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = convert_argument(args, kwargs, position, name, hint)
        return function(*args, **kwargs)

    return converting


def convert_argument(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    position: int,
    name: str,
    hint: Any,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Convert one argument of a call, by position or by name, with `convert_to_hint`."""
    if name in kwargs:
        return args, {**kwargs, name: convert_to_hint(kwargs[name], hint)}
    if len(args) > position:
        converted = convert_to_hint(args[position], hint)
        return (*args[:position], converted, *args[position + 1 :]), kwargs
    return args, kwargs


def convert_to_hint(value: Any, hint: Any) -> Any:
    """Make the models of pydantic that a hint names from dictionaries; everything else stays."""
    items = getattr(hint, "__args__", ())
    if isinstance(value, list) and items:
        return [convert_to_hint(item, items[0]) for item in value]
    if isinstance(value, dict) and hasattr(hint, "model_validate"):
        return hint.model_validate(value)
    return value


def _names_models(hint: Any) -> bool:
    """Whether a hint is a model of pydantic, or contains one."""
    if hasattr(hint, "model_validate"):
        return True
    return any(map(_names_models, getattr(hint, "__args__", None) or ()))


class PythonModelContext:
    """What `load_context` and `predict` get.

    Attributes:
        artifacts: the absolute path of each artifact by its name.
        model_config: the configuration that the model was saved or loaded with, or None.
    """

    def __init__(self, artifacts: Mapping[str, str], model_config: Any) -> None:
        self._artifacts = dict(artifacts)
        self._model_config = model_config

    @property
    def artifacts(self) -> dict[str, str]:
        """The absolute path of each artifact by its name."""
        return self._artifacts

    @property
    def model_config(self) -> Any:
        """The configuration that the model was saved or loaded with, or None."""
        return self._model_config


class PythonModel:
    """A model made of Python: derive from it and write `predict`.

    `predict` may leave out `context` and `params`. Type hints of its input, such as `list[str]`,
    become the signature and define what `predict` gets: dictionaries become the models of pydantic
    that the hint names.
    """

    _takes_hints = True  # `predict` has one input, in whatever form the hint defines

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        predict = cls.__dict__.get("predict")
        if inspect.isfunction(predict) and cls._takes_hints:
            cls.predict = with_typed_input(predict)  # type: ignore[method-assign]

    def load_context(self, context: Any) -> None:
        """Load what `predict` needs: called once, before the first prediction.

        Args:
            context: a `PythonModelContext`.
        """

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Predict.

        Args:
            context: a `PythonModelContext`.
            model_input: the data, in the form of the signature or of the type hint.
            params: the parameters of the signature with their values, or None.

        Returns:
            The predictions.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `predict`")

    def predict_stream(self, context: Any, model_input: Any, params: Any = None) -> Iterator[Any]:
        """Predict piece by piece.

        Args:
            context: a `PythonModelContext`.
            model_input: the data, in the form of the signature or of the type hint.
            params: the parameters of the signature with their values, or None.

        Returns:
            The pieces of the prediction.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `predict_stream`")

    @property
    def predict_type_hints(self) -> TypeHints:
        """The type hints of `predict`."""
        return type_hints(self.predict)


class ChatModel(PythonModel):
    """A model of a conversation: requests and answers are those of chat completions.

    Derive from it and write `predict(context, messages, params)`, which returns a
    `ChatCompletionResponse`; it may leave out `context`.
    """

    _takes_hints = False

    def predict(self, context: Any, messages: Any, params: Any) -> Any:  # type: ignore[override]
        """Answer.

        Args:
            context: a `PythonModelContext`.
            messages: the conversation, a list of `ChatMessage`.
            params: the other keys of the request, `ChatParams`.

        Returns:
            A `ChatCompletionResponse`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `predict`")

    def predict_stream(self, context: Any, messages: Any, params: Any) -> Iterator[Any]:  # type: ignore[override]
        """Answer piece by piece.

        Without a method of its own a model gives one piece, its whole answer.

        Args:
            context: a `PythonModelContext`.
            messages: the conversation, a list of `ChatMessage`.
            params: the other keys of the request, `ChatParams`.

        Yields:
            Each a `ChatCompletionChunk`.
        """
        yield self.predict(*chat_arguments(self.predict, context, messages, params))


class FunctionModel(PythonModel):
    """A function as a model."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = with_typed_input(func)

    @property
    def predict_type_hints(self) -> TypeHints:
        """The type hints of the function."""
        return type_hints(self.func)

    def predict(self, model_input: Any, params: Any = None) -> Any:  # type: ignore[override]
        """Call the function, with the parameters if it takes them."""
        if has_parameter(self.func, "params"):
            return self.func(model_input, params=params)
        return self.func(model_input)


class ChatAdapter(PythonModel):
    """A chat model that MLflow can run, too: its answers get the classes that MLflow requires.

    Pickles have this class by value, and `loaders.pyfunc.chat_model` knows it by its name.
    """

    _takes_hints = False

    def __init__(self, model: Any) -> None:
        self.model = model

    def load_context(self, context: Any) -> None:
        """Let the model load its context."""
        self.model.load_context(context)

    def predict(self, context: Any, messages: Any, params: Any) -> Any:  # type: ignore[override]
        """Answer."""
        predict = self.model.predict
        answer = predict(*chat_arguments(predict, context, messages, params))
        return self._as_class_of_caller(answer, "ChatCompletionResponse", params)

    def predict_stream(self, context: Any, messages: Any, params: Any) -> Iterator[Any]:  # type: ignore[override]
        """Answer piece by piece."""
        predict = self.model.predict_stream
        for chunk in predict(*chat_arguments(predict, context, messages, params)):
            yield self._as_class_of_caller(chunk, "ChatCompletionChunk", params)

    def _as_class_of_caller(self, answer: Any, name: str, params: Any) -> Any:
        """Give MLflow a class of its own, which it has if the parameters are of one."""
        if not type(params).__module__.startswith("mlflow.") or not hasattr(answer, "to_dict"):
            return answer
        mlflow_class = getattr(importlib.import_module("mlflow.types.llm"), name)
        return mlflow_class.from_dict(answer.to_dict())
