"""The stages after the files: each a function from facts and options to a frozen result, which its rules take."""
