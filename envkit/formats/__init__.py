"""File formats: one module each, with a frozen dataclass, `read` and `write`. No other I/O."""
