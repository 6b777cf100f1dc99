"""Stage `rebuild`: the environment is built in the store, and the model answers its example there as recorded."""
