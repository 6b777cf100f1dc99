"""Base classes of the authors' models.

They are pickled by value with the author's class, or supplied where the author's code runs, so a
model needs neither envkit nor MLflow where it runs. They have what MLflow expects of a model, too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import warnings
from typing import Any, Callable, Iterator, Mapping

from .type_hints import (
    InvalidTypeHint,
    TypeHints,
    UnsupportedTypeHint,
    check,
    conform,
    describes_table,
    input_name,
    is_from_example,
    type_hints,
)


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
    """Wrap a function whose hint defines its input, so that it gets data of that type only.

    Others stay as they are, those whose hint is not supported with a warning. Raises `ValueError`
    for a hint that lacks a part.
    """
    hint = type_hints(function).input
    if hint is None or describes_table(hint) or is_from_example(hint):
        return function
    try:
        check(hint)
    except UnsupportedTypeHint as error:
        warnings.warn(
            "Type hint used in the model's predict function is not supported for MLflow's schema "
            f"validation. {error} Remove the type hint to disable this warning. To enable "
            "validation for the input data, specify input example or model signature when logging "
            "the model.",
            stacklevel=3,
        )
        return function
    except InvalidTypeHint as error:
        raise InvalidTypeHint(
            f"{error} To disable data validation, remove the type hint from the predict function. "
            "Otherwise, fix the type hint."
        ) from error
    names = list(inspect.signature(function).parameters)
    name = input_name(function) or ""
    position = names.index(name)

    @functools.wraps(function)
    def conforming(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = conform_argument(args, kwargs, position, name, hint)
        return function(*args, **kwargs)

    return conforming


def conform_argument(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    position: int,
    name: str,
    hint: Any,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Bring one argument of a call, by position or by name, to the type of a hint.

    Raises `HintMismatch`.
    """
    if name in kwargs:
        return args, {**kwargs, name: conform(kwargs[name], hint)}
    if len(args) > position:
        conforming = conform(args[position], hint)
        return (*args[:position], conforming, *args[position + 1 :]), kwargs
    return args, kwargs


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

    `predict` may leave out `context` and `params`. A type hint of its input that is a list, such as
    `list[str]`, becomes the signature and defines what `predict` gets, whoever calls it: a data
    frame becomes a list, dictionaries become the models of pydantic that the hint names, and data
    of another type raise `ValueError`.
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

    _takes_hints = False  # the function has them

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
