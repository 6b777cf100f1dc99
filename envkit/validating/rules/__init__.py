"""Rules, a folder for each stage."""
