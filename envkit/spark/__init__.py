"""Models as user-defined functions of Spark, which run in their rebuilt environments.

`udf.py` is what the driver does, `task.py` what each task does. PySpark and pandas are imported
only here.
"""

from __future__ import annotations

from envkit.spark.udf import spark_udf

__all__ = ["spark_udf"]
