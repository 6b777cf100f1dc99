"""What is installed in an environment, by the records of its installers.

Distributions and who owns a file, their closure, the records of conda and dpkg. Nothing is
installed or changed here.
"""
