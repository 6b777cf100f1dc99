"""Where the files of a closure are and how they hash: one resolver a file, and what is made of their answers."""
