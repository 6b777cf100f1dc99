"""Handwritten graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    rows = data.example().to_numpy()
    threads = {
        "intra_op_num_threads": 1,
        "execution_mode": "sequential",
        "graph_optimization_level": 99,
    }
    return [
        Case(name="data frame", make=graph, example=data.example()),
        Case(
            name="array, session options",
            make=graph,
            example=rows,
            options={"onnx_session_options": threads},
        ),
        Case(name="inputs by name", make=two_inputs, example={"x": rows[:, :1], "y": rows[:, 1:]}),
    ]


def graph() -> Any:
    """`z = x * weights + bias`."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])]
    outputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 1])]
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2, 1], [2.0, -1.0])
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [1], np.array([0.5], dtype=np.float32))
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
        helper.make_node("Add", ["y", "bias"], ["z"]),
    ]
    return _model(helper.make_graph(nodes, "linear", inputs, outputs, [weights, bias]))


def two_inputs() -> Any:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("x", "y")
    ]
    outputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 1])]
    return _model(
        helper.make_graph([helper.make_node("Add", ["x", "y"], ["z"])], "sum", inputs, outputs)
    )


def _model(graph: Any) -> Any:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
