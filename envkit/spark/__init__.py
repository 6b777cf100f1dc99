"""A model as a user-defined function of Spark, which runs in its rebuilt environment on each executor."""

from __future__ import annotations

from envkit.spark.udf import spark_udf

__all__ = ["spark_udf"]
