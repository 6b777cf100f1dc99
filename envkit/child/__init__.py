"""The only package that starts processes: isolation, limits, supervision, confinement.

`process` runs any program; `runner` and `worker` run a model inside another interpreter; `journal`
reads what that reports. What an interpreter is, is the business of `interpreters`.
"""
