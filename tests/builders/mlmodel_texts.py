"""`MLmodel` files as MLflow writes and wrote them."""

CURRENT = """\
env_vars:
- OPENAI_API_KEY
flavors:
  python_function:
    artifacts:
      weights:
        path: artifacts/weights.bin
        uri: /home/someone/weights.bin
    cloudpickle_version: 3.1.2
    code: null
    config:
      temperature: 0.5
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.pyfunc.model
    python_model: python_model.pkl
    python_version: 3.11.7
    streamable: false
    unknown_to_us: [1, {a: b}]
  sklearn:
    pickled_model: model.pkl
    sklearn_version: 1.9.1
mlflow_version: 3.17.2
model_size_bytes: 1234
model_uuid: 0123456789abcdef0123456789abcdef
prompts: null
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
something_new:
  deep: [1.5, yes]
utc_time_created: '2026-01-01 00:00:00.000000'
"""
OLD = """\
artifact_path: model
flavors:
  python_function:
    data: model.pkl
    env: conda.yaml
    loader_module: mlflow.sklearn
    python_version: 3.6.8
  sklearn:
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 0.20.3
run_id: 4d2b1a
utc_time_created: 2019-05-01 12:00:00.123456
"""
