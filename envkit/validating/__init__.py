"""Will a model run where it is deployed? Rules over its files and code, their reports, and what differs between two."""
