"""The programs that make environments from Python packages, uv and pip, and their settings."""
