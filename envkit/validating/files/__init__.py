"""The facts of one model, from its files alone; each is read when it is first needed, and once."""
