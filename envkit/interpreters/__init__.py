"""What a Python is, where on this machine they are, and which may stand in for another.

One probe program describes an interpreter. Building environments with it belongs to `environments`.
"""
