"""Facts about one model, from its files alone: each is read when it is first asked for, and once."""
