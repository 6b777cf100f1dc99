"""What is installed in an environment, by the records of its installers.

Here: distributions and the files that they own, their closures, and the records of conda and dpkg.
Not here: installing, and what a model needs of all this (`capturing`).
"""
