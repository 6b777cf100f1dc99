"""Giving inputs and parameters the types and the form that the model's signature promises."""
