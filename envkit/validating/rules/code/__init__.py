"""Stage `code`: what code and artifacts need, read without running any of it, against what is declared."""
