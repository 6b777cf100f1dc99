"""Stage `against`: will the model run in an environment that is there, without building one."""
