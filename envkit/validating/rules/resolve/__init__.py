"""Stage `resolve`: what package indexes and channels say of the model's files, for each `--target`."""
